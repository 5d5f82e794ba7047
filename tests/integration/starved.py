#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""starved.py PERCENT[,PERCENT...] COUNT DISK...: reads and writes while there is no memory.

So many per cent of the allocations, of objects and of pages, fail: those of the kernel's workers
that are there now, and of the threads here that send the commands. COUNT commands go to each
disk, from two threads. Each is answered: GOOD, or as a target may that is out of memory. A read
gives what the last write that was GOOD wrote; of one that was not, each block is old or new. The
same holds of the whole disk when there is memory again.
"""
import collections
import errno
import fcntl
import glob
import os
import random
import struct
import sys
import threading
import time
import types

sys.path.insert(0, '/tcm/tests/conformance')
import sgio  # noqa: E402
from sgio import BUSY, CHECK_CONDITION, TASK_SET_FULL, Device, Table  # noqa: E402

FAULTS = '/sys/kernel/debug/%s/%s'
KINDS = ('failslab', 'fail_page_alloc')
TIMES = 1 << 30
UNIT, UNITS, LONGEST = 4096, 32, 16     # bytes; of a thread's region; of a command
# Of who sends: the connection is made anew, or the command is to be sent again
TRANSPORT = {0x0b: 'soft error', 0x0c: 'retry', 0x0d: 'requeue', 0x0e: 'disrupted', 0x0f: 'failfast'}
# SPC-4: the medium's own memory may be what is missing (null_blk has it fail as no space)
SENSES = {(7, 0x27, 7), (3, 0x0c, 0), (3, 0x11, 0)}

t = Table('starved')


def put(path, value):
    with open(path, 'w', encoding='ascii') as f:
        f.write(str(value))


def get(path):
    with open(path, encoding='ascii') as f:
        return f.read().strip()


def workers(value):
    """Whether allocations of the kernel's workers may fail; those that end meanwhile do not matter."""
    n = 0
    for path in glob.glob('/proc/[0-9]*/comm'):
        try:
            if get(path).startswith(('kworker', 'tcm_', 'iscsi')):
                put(path[:-4] + 'make-it-fail', value)
                n += 1
        except OSError as e:
            if e.errno not in (errno.ENOENT, errno.ESRCH):
                raise
    return n


def faults(percent):
    for kind in KINDS:
        for name, value in (('task-filter', 'Y'), ('verbose', 0), ('times', TIMES), ('interval', 1),
                            ('ignore-gfp-wait', 'N'), ('probability', percent)):
            put(FAULTS % (kind, name), value)
    put(FAULTS % ('fail_page_alloc', 'min-order'), 0)


def faults_off():
    """How many there were; the filter stays until none can be any more."""
    for kind in KINDS:
        put(FAULTS % (kind, 'probability'), 0)
    met = sum(TIMES - int(get(FAULTS % (kind, 'times'))) for kind in KINDS)
    for kind in KINDS:
        put(FAULTS % (kind, 'task-filter'), 'N')
    return met


mine = threading.local()


def starved_ioctl(*args):
    """Of this program nothing but the command itself may fail."""
    if not hasattr(mine, 'fd'):
        return fcntl.ioctl(*args)
    os.pwrite(mine.fd, b'1', 0)
    try:
        return fcntl.ioctl(*args)
    finally:
        os.pwrite(mine.fd, b'0', 0)


sgio.fcntl = types.SimpleNamespace(ioctl=starved_ioctl)


class Region:
    """What a thread's blocks may hold."""

    def __init__(self, disk, index):
        self.first = index * UNITS
        self.disk = disk
        self.may = [{0} for _ in range(UNITS)]
        self.outcomes = collections.Counter()
        self.serial = index << 32

    def cdb(self, opcode, unit, n):
        return struct.pack('>BBIBHB', opcode, 0, (self.first + unit) * (UNIT // 512), 0, n * (UNIT // 512), 0)

    def send(self, dev, opcode, unit, n, **data):
        """The result, None when it could not be sent; what is neither good nor excused is reported."""
        try:
            r = dev.cmd(self.cdb(opcode, unit, n), **data)
        except OSError as e:
            self.outcomes['initiator'] += 1
            t.ok(e.errno in (errno.ENOMEM, errno.EAGAIN, errno.EINTR), '%s: %s' % (self.disk, e))
            return None
        if r.status == CHECK_CONDITION and r.sense.code[0] == 6:
            word = 'unit attention'
        else:
            word = TRANSPORT.get(r.host) or str(r).split(' resid')[0]
        self.outcomes[word] += 1
        if not r.status and not r.host:
            return r
        t.ok(r.host in TRANSPORT or r.status in (BUSY, TASK_SET_FULL) or r.status == CHECK_CONDITION and
             (r.sense.code in SENSES or r.sense.code[0] == 6), '%s: %s' % (self.disk, r))
        return None

    def write(self, dev, unit, n):
        self.serial += 1
        data = struct.pack('<Q', self.serial) * (UNIT // 8) * n
        sure = self.send(dev, 0x2a, unit, n, data_out=data)
        for i in range(unit, unit + n):
            self.may[i] = {self.serial} if sure else self.may[i] | {self.serial}

    def read(self, dev, unit, n):
        r = self.send(dev, 0x28, unit, n, data_in=UNIT * n)
        for i in range(n if r else 0):
            words = set(struct.unpack('<%dQ' % (UNIT // 8), r.data[i * UNIT:(i + 1) * UNIT]))
            t.ok(words <= self.may[unit + i] and len(words) == 1,
                 '%s block %d: %s, wanted %s' % (self.disk, self.first + unit + i, words, self.may[unit + i]))
            if len(words) == 1:
                self.may[unit + i] = words
        return r

    def run(self, count, seed):
        mine.fd = os.open('/proc/thread-self/make-it-fail', os.O_RDWR)
        rng = random.Random(seed)
        with Device('/dev/' + self.disk) as dev:
            for _ in range(count):
                n = rng.randrange(1, LONGEST + 1)
                (self.write if rng.random() < .6 else self.read)(dev, rng.randrange(UNITS - n + 1), n)
        os.close(mine.fd)


def ready(disk):
    end = time.monotonic() + 60
    with Device('/dev/' + disk) as dev:
        while dev.cmd([0] * 6).status:
            assert time.monotonic() < end, '%s does not answer' % disk
            time.sleep(.05)


def starve(disk, percent, count):
    regions = [Region(disk, i) for i in range(2)]
    ready(disk)
    with Device('/dev/' + disk) as dev:
        for region in regions:
            for unit in range(0, UNITS, LONGEST):
                region.write(dev, unit, LONGEST)
    threads = [threading.Thread(target=r.run, args=(count // 2, '%s %d %d' % (disk, percent, r.first)))
               for r in regions]
    workers(1)
    faults(percent)
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    met = faults_off()
    workers(0)
    ready(disk)
    with Device('/dev/' + disk) as dev:
        for region in regions:
            for unit in range(0, UNITS, LONGEST):
                t.ok(region.read(dev, unit, LONGEST), '%s: a read when there is memory' % disk)
    outcomes = regions[0].outcomes + regions[1].outcomes
    print('%s at %d %%: %d allocations failed; %s'
          % (disk, percent, met, ', '.join('%s %d' % i for i in sorted(outcomes.items()))), flush=True)
    t.ok(outcomes['status 0x00'] > count // 4, '%s: hardly a command succeeded' % disk)
    t.ok(met > 0, '%s: no allocation failed' % disk)


def main():
    for percent in map(int, sys.argv[1].split(',')):
        for disk in sys.argv[3:]:
            starve(disk, percent, int(sys.argv[2]))
    t.end()


main()
