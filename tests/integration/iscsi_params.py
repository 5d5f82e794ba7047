#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""open-iscsi with every combination of negotiated values: iscsi_params.py TARGET PORTAL

In the guest, with the target there and the node record made.
"""
import glob
import itertools
import os
import re
import subprocess
import sys
import time

IQN, PORTAL = sys.argv[1:]
TPG = '/sys/kernel/config/target/iscsi/%s/tpgt_1' % IQN
LENGTHS = (512, 65536, 262144)
BOTH = ('Yes', 'No')
DIGESTS = ('None', 'CRC32C')
AXES = {
    'InitialR2T': BOTH,
    'ImmediateData': BOTH,
    # FirstBurstLength is at most MaxBurstLength (RFC 7143 13.14)
    'bursts': [(f, m) for f in LENGTHS for m in LENGTHS if f <= m],
    'MaxRecvDataSegmentLength': (512, 8192, 262144),
    'HeaderDigest': DIGESTS,
    'DataDigest': DIGESTS,
}


def pairs(combination):
    return set(itertools.combinations(enumerate(combination), 2))


def few(combinations):
    """Of all of them so many that each pair of values comes in one"""
    left = set().union(*map(pairs, combinations))
    chosen = []
    while left:
        best = max(combinations, key=lambda c: len(pairs(c) & left))
        chosen.append(best)
        left -= pairs(best)
    return chosen


def run(*words):
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          check=False)
    if done.returncode:
        sys.exit('FAIL: %s: %s' % (' '.join(words), done.stdout))
    return done.stdout


def node(*words):
    return run('iscsiadm', '-m', 'node', '-T', IQN, '-p', PORTAL, *words)


def until(found, what):
    end = time.monotonic() + 30
    while time.monotonic() < end:
        value = found()
        if value:
            return value
        time.sleep(0.05)
    sys.exit('FAIL: no ' + what)


def settings(c):
    first, most = c['bursts']
    return {
        'node.session.iscsi.InitialR2T': c['InitialR2T'],
        'node.session.iscsi.ImmediateData': c['ImmediateData'],
        'node.session.iscsi.FirstBurstLength': first,
        'node.session.iscsi.MaxBurstLength': most,
        'node.conn[0].iscsi.MaxRecvDataSegmentLength': c['MaxRecvDataSegmentLength'],
        'node.conn[0].iscsi.MaxXmitDataSegmentLength': 0,
        'node.conn[0].iscsi.HeaderDigest': c['HeaderDigest'],
        'node.conn[0].iscsi.DataDigest': c['DataDigest'],
    }


def set_node(values):
    """The record itself: a call of iscsiadm for each value takes longer than the test."""
    path, = (p for p in glob.glob('/etc/iscsi/nodes/%s/*/default' % IQN) + glob.glob('/etc/iscsi/nodes/%s/*' % IQN)
             if os.path.isfile(p))
    with open(path, encoding='utf-8') as f:
        lines = [line for line in f if line.split(' = ')[0] not in values]
    end = lines.index('# END RECORD\n')
    lines[end:end] = ['%s = %s\n' % item for item in values.items()]
    with open(path, 'w', encoding='utf-8') as f:
        f.writelines(lines)


def agreed(c):
    """What the session list says, in the words of the combination"""
    with open(TPG + '/sessions', encoding='utf-8') as f:
        text = f.read()
    said = dict(re.findall(r'(\w+)=(\S+)', text))
    first, most = c['bursts']
    want = {k: str(v) for k, v in c.items() if k != 'bursts'}
    want.update(FirstBurstLength=str(first), MaxBurstLength=str(most))
    # 13.10, 13.14: without unsolicited data there is no first burst to agree on
    if c['InitialR2T'] == 'Yes' and c['ImmediateData'] == 'No':
        del want['FirstBurstLength']
    return {k: (said.get(k), v) for k, v in want.items() if said.get(k) != v}


def disk():
    found = glob.glob('/sys/class/iscsi_session/session*/device/target*/*:0/block/*')
    return found and os.path.exists('/dev/' + os.path.basename(found[0])) and os.path.basename(found[0])


def verify(name):
    run('fio', '--name=params', '--filename=/dev/' + name, '--direct=1', '--ioengine=libaio', '--rw=randwrite',
        '--bsrange=512-512k', '--blockalign=512', '--size=12M', '--io_size=3M', '--iodepth=8', '--verify=crc32c',
        '--do_verify=1', '--verify_fatal=1', '--verify_state_save=0')


def one(c):
    with open(TPG + '/param/MaxRecvDataSegmentLength', 'w', encoding='utf-8') as f:
        f.write(str(c['MaxRecvDataSegmentLength']))
    set_node(settings(c))
    node('--login')
    name = until(disk, 'disk')
    wrong = agreed(c)
    if wrong:
        sys.exit('FAIL: %r: %r' % (c, wrong))
    verify(name)
    node('--logout')
    until(lambda: not disk(), 'end of the disk')


def main():
    combinations = list(itertools.product(*AXES.values()))
    if not os.environ.get('TCM_LONG'):
        combinations = few(combinations)
    for n, c in enumerate(combinations):
        print('%d of %d: %s' % (n + 1, len(combinations), ' '.join(map(str, c))), flush=True)
        one(dict(zip(AXES, c)))


if __name__ == '__main__':
    os.chdir('/tmp')
    main()
