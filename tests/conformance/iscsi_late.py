#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Writes that a suspended device has when they are aborted, or their initiator is preempted.

    iscsi_late.py [--writes N] [--preempts N] [--limit] DM BELOW

DM is a device mapper device that begins where BELOW does; it is LUN 0 of iqn.2026-11.org.lab:t1 on 127.0.0.1:3260, in
demo mode, and overwritten. --limit: wait for PREEMPT AND ABORT to give up, too.
"""
import argparse
import mmap
import os
import random
import struct
import subprocess
import sys
import time

from iscsi_initiator import Connection, NOP_IN, NOP_OUT, NO_TAG, RESPONSE

BLOCK = 512
SPREAD = 16             # blocks of which a write and the one after it take some
AT_ONCE = 20
BUSY, CONFLICT, CHECK_CONDITION = 0x08, 0x18, 0x02
ABORT_TASK, ABORT_TASK_SET, CLEAR_TASK_SET, LUN_RESET = 1, 2, 4, 5
ORPHANS = '/sys/kernel/debug/tcm/orphans'
TRACE = '/sys/kernel/tracing/'
RND = random.Random(7)


class Device:
    """What LUN 0 lies on: suspended, resumed, and read from below"""
    def __init__(self, name, below):
        self.name = name
        rdev = os.stat('/dev/mapper/' + name).st_rdev
        self.queued = 'block_bio_queue: %d,%d W' % (os.major(rdev), os.minor(rdev))
        if not os.path.exists(TRACE + 'events'):
            subprocess.run(['mount', '-t', 'tracefs', 'none', TRACE], check=True)
        with open(TRACE + 'events/block/block_bio_queue/enable', 'w') as f:
            f.write('1')
        self.fd = os.open(below, os.O_RDONLY | os.O_DIRECT)
        self.buf = mmap.mmap(-1, SPREAD * BLOCK)

    def suspend(self):
        subprocess.run(['dmsetup', 'suspend', '--noflush', '--nolockfs', self.name], check=True)
        with open(TRACE + 'trace', 'w'):
            pass

    def wait_for(self, writes):
        """So many writes have come to it since it was suspended: one that has not yet may end before it does."""
        def have_come():
            with open(TRACE + 'trace') as f:
                return sum(self.queued in line for line in f) >= writes
        until(have_come, 'writes to come to the device')

    def resume(self):
        return subprocess.Popen(['dmsetup', 'resume', '--noudevsync', self.name])

    def read(self, lba, blocks):
        got = os.preadv(self.fd, [memoryview(self.buf)[:blocks * BLOCK]], lba * BLOCK)
        assert got == blocks * BLOCK
        return self.buf[:got]


def session(isid):
    c = Connection()
    c.isid = b'\x80\x12\x34\x56\x00' + bytes([isid])
    c.login()
    c.ready()
    return c


def orphans():
    with open(ORPHANS) as f:
        return f.read().splitlines()


def until(condition, what):
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end, 'waited for %s: %s' % (what, orphans())
        time.sleep(0.002)


def write_cdb(lba, blocks):
    return struct.pack('>BBIBHB', 0x2a, 0, lba, 0, blocks, 0)


def start_write(c, lba, data):
    sn = c.cmdsn
    return c.command(write_cdb(lba, len(data) // BLOCK), len(data), write=True, data=data), sn


def mark(letter, n, blocks):
    """Blocks that say whose they are"""
    return b''.join((b'%c%d %d ' % (letter, n, i)).ljust(32, b'.') * (BLOCK // 32) for i in range(blocks))


class Pair:
    """Write A, to be aborted, and write B, that meets it in a block at least"""
    count = 0

    def __init__(self, slot):
        first = slot * SPREAD
        Pair.count += 1
        meet = RND.randrange(SPREAD)
        begin, end = ([RND.randint(0, meet) for _ in range(2)], [RND.randint(meet + 1, SPREAD) for _ in range(2)])
        self.a, self.b = first + begin[0], first + begin[1]
        self.a_data = mark(b'A'[0], Pair.count, end[0] - begin[0])
        self.b_data = mark(b'B'[0], Pair.count, end[1] - begin[1])
        self.blocks = len(self.b_data) // BLOCK


def abort(c, how, tasks):
    if how == ABORT_TASK:
        for itt, sn in tasks:
            assert c.tmf(ABORT_TASK, ref=itt, refsn=sn) == 0, 'ABORT TASK'
    else:
        assert c.tmf(how) == 0, 'function %d' % how


def late_writes(dev, c, other, total):
    """A, abort A, B is BUSY; resumed, B is sent again and stays. Returns how often B was BUSY after that."""
    again = 0
    for cycle in range(-(-total // AT_ONCE)):
        pairs = [Pair(slot) for slot in RND.sample(range(131072 // SPREAD), min(AT_ONCE, total - cycle * AT_ONCE))]
        dev.suspend()
        tasks = [start_write(c, p.a, p.a_data) for p in pairs]
        how = (ABORT_TASK, ABORT_TASK_SET, LUN_RESET, CLEAR_TASK_SET)[cycle % 4]
        dev.wait_for(len(tasks))
        abort(c, how, tasks)
        fenced = [line for line in orphans() if ' fenced ' in line]
        assert len(fenced) == len(pairs), '%d of %d: %s' % (len(fenced), len(pairs), fenced)
        for sess in (c, other):
            sess.ready()
        for n, p in enumerate(pairs):
            sess = (c, other)[n % 2]
            status = sess.write10(p.b, p.b_data)[0]
            assert status == BUSY, 'B while A is out: status %#x' % status
            assert sess.read10(p.b, p.blocks)[0] == BUSY, 'a read while A is out'
        resume = dev.resume()
        for n, p in enumerate(pairs):
            sess = (c, other)[n // 2 % 2]
            end = time.monotonic() + 60
            while True:
                status = sess.write10(p.b, p.b_data)[0]
                if status != BUSY:
                    break
                again += 1
                assert time.monotonic() < end, 'B is BUSY for ever: %s' % orphans()
            assert status == 0, 'B: status %#x' % status
            status, data, _, _ = sess.read10(p.b, p.blocks)
            assert status == 0 and data == p.b_data, 'what is read is not B'
        assert resume.wait() == 0
        until(lambda: not orphans(), 'orphans to end')
        for p in pairs:
            data = dev.read(p.b, p.blocks)
            assert data == p.b_data, 'below is not B but %s' % data[:32]
    return again


def pr_out(c, action, key, new, kind=0):
    """PERSISTENT RESERVE OUT; returns its task"""
    data = struct.pack('>QQ8x', key, new)
    return c.command(struct.pack('>BBBxxIx', 0x5f, action, kind, len(data)), len(data), write=True, data=data)


def pr(c, *args):
    assert c.finish(pr_out(c, *args))[0] == 0, 'PERSISTENT RESERVE OUT %s' % (args,)


def no_answer(c, itt):
    """Pings are answered, the task is not."""
    for _ in range(5):
        ping = c.send(NOP_OUT | 0x40, 0x80, word5=NO_TAG, words=c.sns(True))
        pdu = c.recv()
        assert pdu.itt != itt, 'an answer, status %#x' % pdu.header[3]
        assert pdu.opcode == NOP_IN and pdu.itt == ping
        c.silent(0.05)


def gives_up(c, other, itt):
    """The answer to a task that takes half a minute; who is silent so long would be pinged."""
    end = time.monotonic() + 120
    got = {}
    while itt not in got:
        assert time.monotonic() < end, 'no answer at all'
        c.nop(immediate=True)
        ping = other.send(NOP_OUT | 0x40, 0x80, word5=NO_TAG, words=other.sns(True))
        while ping not in got:
            pdu = other.recv()
            got[pdu.itt] = pdu
        time.sleep(0.2)
    return got[itt]


def preempts(dev, c, other, total, limit):
    """PREEMPT AND ABORT while the device has writes of who is preempted: no GOOD before they are back."""
    for n in range(total):
        # of one whose tasks are aborted no answers come meanwhile
        wait = limit and n == 1
        for sess, key in ((c, 1), (other, 2)):
            pr(sess, 6, 0, key)
        pr(c, 1, 1, 0, 5)
        pairs = [Pair(slot) for slot in RND.sample(range(131072 // SPREAD), 4)]
        dev.suspend()
        tasks = [start_write(c, p.a, p.a_data) for p in pairs]
        dev.wait_for(len(tasks))
        if n % 2:
            abort(c, ABORT_TASK, tasks)
        fence = pr_out(other, 5, 2, 1, 5)
        until(lambda: len([line for line in orphans() if ' fenced ' in line]) == len(pairs), 'orphans')
        no_answer(other, fence)
        if wait:
            pdu = gives_up(c, other, fence)
            sense = pdu.data[2:]
            assert pdu.header[3] == CHECK_CONDITION, 'status %#x' % pdu.header[3]
            assert (sense[2] & 15, sense[12], sense[13]) == (0xb, 0x2e, 2), sense.hex()
        resume = dev.resume()
        if not wait:
            assert other.finish(fence)[0] == 0, 'PREEMPT AND ABORT when they are back'
            assert not orphans(), 'GOOD while writes are out: %s' % orphans()
        for p in pairs:
            while other.write10(p.b, p.b_data)[0] == BUSY:
                pass
        assert resume.wait() == 0
        # who was preempted is told, and refused
        if not n % 2:
            for _ in tasks:
                pdu = c.recv()
                assert pdu.opcode == RESPONSE and pdu.header[3] == 0x40, 'status %#x' % pdu.header[3]
        c.ready()
        assert c.write10(pairs[0].b, pairs[0].b_data)[0] == CONFLICT
        until(lambda: not orphans(), 'orphans to end')
        for p in pairs:
            assert dev.read(p.b, p.blocks) == p.b_data, 'below is not what came last'
        pr(other, 3, 2, 0)


def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument('--writes', type=int, default=200)
    p.add_argument('--preempts', type=int, default=6)
    p.add_argument('--limit', action='store_true')
    p.add_argument('dm')
    p.add_argument('below')
    args = p.parse_args()
    dev = Device(args.dm, args.below)
    c, other = session(1), session(2)
    begin = time.monotonic()
    try:
        again = late_writes(dev, c, other, args.writes)
        print('late: %d of %d are B, %d times BUSY after the device was resumed, %.0f s' % (
            args.writes, args.writes, again, time.monotonic() - begin), flush=True)
        begin = time.monotonic()
        preempts(dev, c, other, args.preempts, args.limit)
        print('preempt: %d, %.0f s' % (args.preempts, time.monotonic() - begin), flush=True)
    finally:
        # nothing may be left that waits for it
        dev.resume().wait()
    c.close()
    other.close()


if __name__ == '__main__':
    sys.exit(main())
