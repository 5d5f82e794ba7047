#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""What configuration at scale costs, by raw configfs calls from this one process.

    scale.py WHOSE COUNT SESSIONS >>scale.tsv        and /out/scale.caches by slab cache

Lines "WHOSE what seconds own configfs other": own, configfs and other are bytes each of the
kind: kmalloc and the target's own caches; what configfs keeps for directories and links (dentries,
inodes, a page for each link); all that is not of the slab allocator: stacks, per-CPU and vmalloc
memory, and for sessions this process. Under icount, so a second is 10^9 instructions or waiting.
"""
import os
import re
import struct
import sys
import time

sys.path.insert(0, '/tcm/tests/conformance')
# pylint: disable=wrong-import-position
from bulk import (  # noqa: E402
    ACL, INITIATOR, NAME, TPG, make_device, make_lun, make_mapping, put, remove_device, remove_lun,
    remove_mapping)
from iscsi_initiator import Connection  # noqa: E402

# all that the stock target would else propose itself, and insist on an answer
KEYS = {'HeaderDigest': 'None', 'DataDigest': 'None', 'ImmediateData': 'Yes', 'InitialR2T': 'No',
        'MaxBurstLength': '262144', 'FirstBurstLength': '65536', 'DefaultTime2Wait': '2',
        'DefaultTime2Retain': '0', 'MaxOutstandingR2T': '1', 'ErrorRecoveryLevel': '0',
        'MaxConnections': '1', 'DataPDUInOrder': 'Yes', 'DataSequenceInOrder': 'Yes'}
CONFIGFS = re.compile(r'dentry|inode_cache|configfs_dir_cache|kernfs')
OWN = re.compile(r'kmalloc|se_|t10_|lio_|tcm_|target|iscsi|mempool')


class Memory:
    """A reading of what the kernel holds"""

    def __init__(self):
        time.sleep(0.5)         # what RCU still keeps
        put('/proc/sys/vm/drop_caches', '3\n')
        self.own = self.configfs = 0
        self.caches = {}
        with open('/proc/slabinfo', encoding='ascii') as f:
            for line in f:
                words = line.split()
                if words[0] in ('slabinfo', '#'):
                    continue
                size = self.caches[words[0]] = int(words[1]) * int(words[3])
                if CONFIGFS.match(words[0]):
                    self.configfs += size
                elif OWN.match(words[0]):
                    self.own += size
        with open('/proc/meminfo', encoding='ascii') as f:
            kib = {l.split(':')[0]: int(l.split()[1]) for l in f}
        self.other = 1024 * (kib['MemTotal'] - sum(
            kib[name] for name in ('MemFree', 'Buffers', 'Cached', 'Slab')))


class Scale:
    def __init__(self, whose, count):
        self.whose, self.count, self.links = whose, count, False

    def say(self, what, seconds, before=None, count=None):
        each = ['-'] * 3
        if before:
            after, n = Memory(), count or self.count
            own, configfs = (after.own - before.own) / n, (after.configfs - before.configfs) / n
            if self.links:      # configfs keeps a page for each link
                own, configfs = own - 4096, configfs + 4096
            each = ['%.0f' % x for x in
                    (own, configfs, (after.other - before.other) / n)]
            with open('/out/scale.caches', 'a', encoding='ascii') as f:
                for name, size in after.caches.items():
                    size = (size - before.caches.get(name, 0)) / n
                    if size >= 8:
                        f.write('%s\t%s\t%s\t%.0f\n' % (self.whose, what, name, size))
        print('\t'.join([self.whose, what, '%.3f' % seconds] + each), flush=True)

    def make(self, what, step):
        before = Memory()
        begin = time.monotonic()
        for i in range(self.count):
            step(i)
        self.say('make ' + what, time.monotonic() - begin, before)

    def remove(self, what, step):
        begin = time.monotonic()
        for i in range(self.count):
            step(i)
        self.say('remove ' + what, time.monotonic() - begin)


def login(n):
    c = Connection()
    c.isid = b'\x80\0' + struct.pack('>I', n)
    c.login(name=INITIATOR, target=NAME, **KEYS)
    return c


def measure_sessions(scale, what, count):
    login(count).close()                # code and tables that the first one makes
    before = Memory()
    begin = time.monotonic()
    some = [login(n) for n in range(count)]
    scale.say(what, time.monotonic() - begin, before, count)
    for c in some:
        c.logout()
        c.close()
    time.sleep(1)


def main():
    scale, sessions = Scale(sys.argv[1], int(sys.argv[2])), int(sys.argv[3])
    os.makedirs(TPG + '/np/0.0.0.0:3260')
    # under -icount what waits for the host's disk passes in no time: a login may take long
    for attribute, value in (('authentication', 0), ('generate_node_acls', 0), ('login_timeout', 30)):
        put('%s/attrib/%s' % (TPG, attribute), '%d\n' % value)
    # caches and code that the first one makes
    for step in (make_device, make_lun, remove_lun, remove_device):
        step(0)
    scale.make('backstore', make_device)
    os.mkdir(ACL)
    put(TPG + '/enable', '1\n')
    measure_sessions(scale, 'session with its connection', sessions)
    scale.links = True
    scale.make('LUN', make_lun)
    scale.make('mapping', make_mapping)
    scale.links = False
    measure_sessions(scale, 'session, connection, %d LUNs' % scale.count, sessions)
    scale.remove('mapping', remove_mapping)
    os.rmdir(ACL)
    scale.remove('LUN', remove_lun)
    scale.remove('backstore', remove_device)
    put(TPG + '/enable', '0\n')
    os.rmdir(TPG + '/np/0.0.0.0:3260')
    os.rmdir(TPG)
    os.rmdir(os.path.dirname(TPG))


main()
