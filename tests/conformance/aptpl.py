#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Reservations that outlive a power cycle. Needs our target and an ext4 file system for dbroot.

    aptpl.py test FOLDER            the whole of it
    aptpl.py storm FOLDER LOG       register with ever new keys until the power goes, and log it
    aptpl.py verify FOLDER LOG      what is found is what was acknowledged, or was being
"""
import os
import subprocess
import sys
import time

from pr import CLEAR, EARO, REGISTER_IGNORE, RELEASE, RESERVE, WEAR, WERO, Pr
from sgio import GOOD, RESERVATION_CONFLICT, Device, Table
from target import CFS, Target, read, write

SERIAL = '6a1b6a1b-0000-4000-8000-00000000ab1e'
APTPL = 1
NOTHING = 'No Registrations or Reservations\n'
INTERNAL = (4, 0x44, 0)
WRITE = [0x2a, 0, 0, 0, 0, 0, 0, 0, 1, 0]


def saved(root):
    """The registrations in the file, as rtslib takes them apart: split at white space"""
    with open('%s/pr/aptpl_%s' % (root, SERIAL)) as f:
        text = f.read()
    regs, reg = [], None
    for token in text.split():
        if token.startswith('PR_REG_START:'):
            reg = []
        elif token.startswith('PR_REG_END:'):
            regs.append(reg)
            reg = None
        elif reg is not None:
            reg.append(token)
    if reg is not None or (not regs and text != NOTHING):
        raise ValueError('not a whole file: %r' % text)
    return regs


def fields(reg):
    return dict(token.split('=', 1) for token in reg if '=' in token)


def ports(tgt, dev, n):
    found = []
    for i in range(n):
        tpg = tgt.loop('naa.500140500000000%d' % (i + 1), 1)
        who = Pr(Device(tpg.lun(0, dev)), 0xabc0 + i)
        found.append(who)
    return found


def make(tgt):
    return tgt.device('rd_mcp', 'disk', 'rd_pages=256', serial=SERIAL)


def outlives(t, root):
    with Target() as tgt:
        a, b = ports(tgt, make(tgt), 2)
        for who in (a, b):
            who.dev.clear_ua()
        t.good(a.register(), 'without APTPL')
        t.ok(not os.path.exists('%s/pr/aptpl_%s' % (root, SERIAL)), 'no file without APTPL')
        t.good(a.register(APTPL), 'with APTPL')
        t.good(b.register(APTPL), 'with APTPL')
        t.good(a.out(RESERVE, WERO), 'RESERVE')
        regs = [fields(r) for r in saved(root)]
        t.eq([(int(r['sa_res_key']), r['res_holder']) for r in regs], [(a.key, '1'), (b.key, '0')], 'keys in the file')
        t.eq(regs[0]['res_type'], '05', 'type in the file')
        t.eq(regs[1]['target_node'], 'naa.5001405000000002', 'target in the file')
        t.eq(regs[0]['initiator_node'], 'naa.5001405fffffffff', 'initiator in the file')
        t.eq(a.read(2).data[3] & 1, 1, 'PTPL_A')
        t.eq(a.dev.cmd([0] * 6).status, GOOD, 'ready')
        for who in (a, b):
            who.dev.close()
    lines = saved(root)
    with Target() as tgt:
        dev = make(tgt)
        for reg in lines:
            write(dev + '/pr/res_aptpl_metadata', ','.join(['0'] + reg))
        t.eq(read(dev + '/pr/res_aptpl_active').strip(), 'APTPL Bit Status: Activated', 'active')
        c, b, a = ports(tgt, dev, 3)[::-1]
        for who in (a, b, c):
            who.dev.clear_ua()
        t.eq(b.keys(), (0, [a.key, b.key]), 'keys are back, generation is zero')
        t.eq(b.reservation(), (a.key, WERO), 'the reservation is back')
        t.good(b.dev.cmd(WRITE, data_out=bytes(512)), 'a registrant writes')
        t.eq(c.dev.cmd(WRITE, data_out=bytes(512)).status, RESERVATION_CONFLICT, 'a stranger does not')
        t.good(a.out(RELEASE, WERO), 'the holder releases it')
        b.dev.clear_ua()
        t.good(b.out(RESERVE, WEAR), 'another reserves, all registrants')
        t.eq([fields(r)['res_holder'] for r in saved(root)], ['1', '1'], 'all hold it in the file, too')
        t.good(a.register(), 'without APTPL again')
        t.eq(saved(root), [], 'the file is empty')
        t.good(a.out(CLEAR), 'CLEAR')
        for who in (a, b, c):
            who.dev.close()


def broken(t, root):
    """A folder that cannot be written, and one that hangs"""
    with Target() as tgt:
        a, b = ports(tgt, make(tgt), 2)
        for who in (a, b):
            who.dev.clear_ua()
        t.good(a.register(APTPL), 'register')
        before = a.keys()
        subprocess.run(['mount', '-o', 'remount,ro', root], check=True)
        t.bad(b.register(APTPL), INTERNAL, 'a folder that cannot be written')
        t.eq(a.keys(), before, 'the state is as before')
        subprocess.run(['mount', '-o', 'remount,rw', root], check=True)
        t.good(b.register(APTPL), 'register')
        before = a.keys()
        subprocess.run(['fsfreeze', '-f', root], check=True)
        begin = time.monotonic()
        t.bad(b.out(REGISTER_IGNORE, key=0, sa_key=0, flags=APTPL), INTERNAL, 'a folder that hangs')
        t.ok(9 < time.monotonic() - begin < 40, 'answered in bounded time')
        begin = time.monotonic()
        t.eq(a.keys(), before, 'the state is as before, and can be read')
        t.bad(b.out(RESERVE, EARO), INTERNAL, 'another while the folder hangs')
        t.ok(time.monotonic() - begin < 5, 'at once')
        subprocess.run(['fsfreeze', '-u', root], check=True)
        end = time.monotonic() + 60
        while t.ok(time.monotonic() < end, 'it comes back') and b.out(RESERVE, EARO).status != GOOD:
            time.sleep(0.05)
        t.eq([fields(r)['res_holder'] for r in saved(root)], ['0', '1'], 'written when it is back')
        t.good(a.register(), 'without APTPL')
        t.good(a.out(CLEAR), 'CLEAR')
        t.eq(saved(root), [], 'the file is empty')
        for who in (a, b):
            who.dev.close()


def storm(root, log):
    n = 0
    if os.path.exists(log):
        with open(log) as f:
            n = max([int(line.split()[1]) for line in f] or [0])
    with open(log, 'a', buffering=1) as f, Target() as tgt:
        dev = make(tgt)
        a, b = ports(tgt, dev, 2)
        for who in (a, b):
            who.dev.clear_ua()
        print('ready', flush=True)
        while True:
            n += 1
            f.write('try %d\n' % n)
            # what the file says is the number that both keys are made of, or of the one before
            r = (a if n % 2 else b).out(REGISTER_IGNORE, key=0, sa_key=n, flags=APTPL)
            if r.status != GOOD:
                sys.exit('FAIL: register %d: %s' % (n, r))
            f.write('ack %d\n' % n)


def verify(t, root, log):
    tried = acked = 0
    with open(log) as f:
        for line in f:
            word, n = line.split()
            tried = max(tried, int(n))
            acked = max(acked, int(n)) if word == 'ack' else acked
    t.ok(acked, 'something was acknowledged: %d' % acked)
    keys = sorted(int(fields(r)['sa_res_key']) for r in saved(root))
    # two nexuses take turns: after n, the file has n and n - 1
    wanted = [sorted(k for k in (n - 1, n) if k > first(log)) for n in {acked, tried}]
    t.ok(keys in wanted, 'keys %r of %r' % (keys, wanted))


def first(log):
    """The number before which the last boot had begun"""
    with open(log + '.first') as f:
        return int(f.read())


def main():
    what, root = sys.argv[1:3]
    write('dbroot', root)
    if what == 'storm':
        log = sys.argv[3]
        n = 0
        if os.path.exists(log):
            with open(log) as f:
                n = max([int(line.split()[1]) for line in f] or [0])
        with open(log + '.first', 'w') as f:
            f.write(str(n))
        storm(root, log)
        return
    t = Table('aptpl')
    if what == 'verify':
        verify(t, root, sys.argv[3])
    else:
        outlives(t, root)
        broken(t, root)
    t.end()


main()
