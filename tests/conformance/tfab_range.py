#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Locks on ranges of blocks, on a medium that answers when it is told to: who waits for whom, who
does not, and what an abort does to either."""
import os
import struct
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import tfab
from sgio import GOOD, MISCOMPARED, Table
from tfab import Held, Session, Tpg, wait_until

BS = 512
BUSY = 0x08


def cdb16(op, lba, n, b1=0):
    return struct.pack('>BBQIBB', op, b1, lba, n, 0, 0)


def caw(s, lba, n, old, new, **how):
    return s.submit(struct.pack('>BBQIBB', 0x89, 0, lba, n, 0, 0), dout=old * n + new * n, **how)


def atomic(s, lba, n, block, **how):
    return s.submit(struct.pack('>BBQHHBB', 0x9c, 0, lba, 0, n, 0, 0), dout=block * n, **how)


def read(s, lba, n, **how):
    return s.submit(cdb16(0x88, lba, n), din=n * BS, **how)


def write(s, lba, n, block, **how):
    return s.submit(cdb16(0x8a, lba, n), dout=block * n, **how)


def pending(s, tag):
    return s.reap(tag, block=False) is None


ZERO, A, B, C = (bytes([x]) * BS for x in b'\0ABC')


def behind_untracked(t, h, s, o):
    """A write that was there before the gates were shut holds back who overlaps it, and nobody else."""
    first = write(s, 10, 4, A)
    wait_until(lambda: h.held() == 1, 'the write to be held')
    over = caw(o, 12, 8, A, B)
    beside = caw(o, 100, 8, ZERO, C)
    wait_until(lambda: h.held() == 2, 'the read of the one beside')
    t.ok(pending(o, over), 'COMPARE AND WRITE overlaps a write and does not wait')
    h.release()             # the write, and the read of the one beside
    t.eq(s.reap(first).status, GOOD, 'the write')
    wait_until(lambda: h.held() == 2, 'one reads, the other writes')
    h.release()
    t.eq(o.reap(beside).status, GOOD, 'COMPARE AND WRITE beside')
    r = o.reap(over)
    t.eq((r.code, r.sense.info if r.sense else None), (MISCOMPARED, 2 * BS), 'COMPARE AND WRITE behind the write')


def order(t, h, s, o):
    """What overlaps runs in the order in which it came; what does not runs at once."""
    first = caw(s, 1000, 128, ZERO, A)
    wait_until(lambda: h.held() == 1, 'the first reads')
    w, r = write(o, 1127, 1, B), read(o, 1000, 1)
    second = atomic(s, 1064, 128, C)
    far, away = write(o, 1300, 1, B), read(o, 1128, 1)
    wait_until(lambda: h.held() == 2, 'the one far away')
    t.ok(all(pending(o, x) for x in (w, r, away)) and pending(s, second), 'those that overlap wait')
    h.release()
    t.eq(o.reap(far).status, GOOD, 'far away')
    wait_until(lambda: h.held() == 1, 'the first writes')
    h.release()
    t.eq(s.reap(first).status, GOOD, 'the first')
    wait_until(lambda: h.held() == 2, 'the write and the read behind it')
    t.ok(pending(s, second) and pending(o, away), 'the second waits for the write')
    h.release()
    t.eq(o.reap(w).status, GOOD, 'the write')
    r = o.reap(r)
    t.eq((r.status, r.data), (GOOD, A), 'the read')
    wait_until(lambda: h.held() == 1, 'the second writes')
    t.ok(pending(o, away), 'the last waits for the second')
    h.release()
    t.eq(s.reap(second).status, GOOD, 'the second')
    wait_until(lambda: h.held() == 1, 'the last reads')
    h.release()
    t.eq(o.reap(away).data, C, 'the last')


def parallel(t, h, s, o):
    """Eight of different blocks are in the backend at the same time."""
    tags = [caw(s, 400 + 10 * i, 10, ZERO, A) for i in range(8)]
    wait_until(lambda: h.held() == 8, 'eight that read')
    h.release()
    wait_until(lambda: h.held() == 8, 'eight that write')
    h.release()
    for tag in tags:
        t.eq(s.reap(tag).status, GOOD, 'one of eight')


def aborted(t, h, s, o):
    """Who waits and is aborted goes; who is in the backend keeps its blocks until it comes back."""
    first = caw(s, 600, 16, ZERO, A)
    wait_until(lambda: h.held() == 1, 'the first reads')
    waits = caw(s, 610, 16, ZERO, B)
    plain = write(o, 600, 1, C)
    resp, n = s.tmf(tfab.ABORT_TASK, tag=waits)
    t.eq((resp, n), (tfab.COMPLETE, 1), 'ABORT TASK of one that waits')
    t.eq(s.reap(waits).outcome, tfab.NO_RESPONSE, 'the aborted one')
    t.eq(h.held(), 1, 'accesses')
    resp, n = s.tmf(tfab.ABORT_TASK, tag=first)
    t.eq((resp, n), (tfab.COMPLETE, 1), 'ABORT TASK of one in the backend')
    t.eq(o.reap(caw(o, 600, 2, ZERO, B)).status, BUSY, 'one that comes after the abort')
    t.ok(pending(o, plain), 'the one that was behind it waits for it')
    h.release()
    t.eq(s.reap(first).outcome, tfab.NO_RESPONSE, 'the aborted one')
    wait_until(lambda: h.held() == 1, 'the write behind it')
    h.release()
    t.eq(o.reap(plain).status, GOOD, 'the write behind it')
    again = caw(o, 600, 2, ZERO, B)
    wait_until(lambda: h.held() == 1, 'the last reads')
    h.release()
    t.eq(o.reap(again).code, MISCOMPARED, 'the last, behind the write')
    resp, n = o.tmf(tfab.LUN_RESET)
    t.eq(resp, tfab.COMPLETE, 'LOGICAL UNIT RESET')
    s.clear_ua()
    o.clear_ua()


def parked(t, h, s, o):
    """Who waits in the task set for an exclusive command does not keep it from its blocks."""
    for attr in (tfab.ORDERED, tfab.HEAD_OF_QUEUE):
        time.sleep(0.5)         # no command is tracked any more
        first = write(s, 900, 1, A)
        wait_until(lambda: h.held() == 1, 'the write to be held')
        # ORDERED, it waits for the write; the read waits for it in any case
        over = caw(s, 800, 4, ZERO, B, attr=attr)
        if attr == tfab.HEAD_OF_QUEUE:
            wait_until(lambda: h.held() == 2, 'the one that is ahead reads')
        r = read(o, 802, 4)
        time.sleep(0.05)
        t.eq(h.held(), 1 + (attr == tfab.HEAD_OF_QUEUE), 'accesses, attribute %d' % attr)
        h.release(1)
        t.eq(s.reap(first).status, GOOD, 'the write')
        wait_until(lambda: h.held() == 1, 'COMPARE AND WRITE reads, attribute %d' % attr)
        h.release()
        wait_until(lambda: h.held() == 1, 'COMPARE AND WRITE writes, attribute %d' % attr)
        t.ok(pending(o, r), 'the read waits')
        h.release()
        t.eq(s.reap(over).status, GOOD, 'COMPARE AND WRITE, attribute %d' % attr)
        wait_until(lambda: h.held() == 1, 'the read')
        h.hold(False)
        t.eq(o.reap(r).data, B * 2 + ZERO * 2, 'what is read')
        t.eq(o.reap(write(o, 800, 4, ZERO)).status, GOOD, 'as it was')
        h.hold()


def logout(t, h, s, o):
    """A session that ends while its command waits: the others go on."""
    gone = Session('t1', 1, 'i2')
    gone.clear_ua()
    first = caw(s, 700, 4, ZERO, A)
    wait_until(lambda: h.held() == 1, 'the first reads')
    caw(gone, 700, 4, ZERO, B)
    write(gone, 702, 1, B)
    last = caw(o, 700, 4, A, C)
    gone.logout()
    for what in ('COMPARE AND WRITE', 'a write'):
        t.eq(gone.reap(orphans=True).status, tfab.TASK_ABORTED, what + ' that waited')
    t.eq(h.held(), 1, 'accesses after a logout')
    gone.close()
    h.release()
    wait_until(lambda: h.held() == 1, 'the first writes')
    h.release()
    t.eq(s.reap(first).status, GOOD, 'the first')
    h.hold(False)
    t.eq(o.reap(last).status, GOOD, 'the last')
    h.hold()


def main():
    t = Table('range')
    h = Held('slow')
    tpg = Tpg().enable()
    tpg.lun(0, h.dev)
    for name in ('i0', 'i1', 'i2'):
        tpg.acl(name)
        tpg.map(name, 0, 0)
    with Session('t1', 1, 'i0') as s, Session('t1', 1, 'i1') as o:
        s.clear_ua()
        o.clear_ua()
        for fn in (behind_untracked, order, parallel, aborted, parked, logout):
            fn(t, h, s, o)
            print('range %s: %d passed, %d failed' % (fn.__name__, t.passed, t.failed), flush=True)
    h.hold(False)
    tpg.destroy()
    tfab.del_dev(h.dev)
    os.rmdir(os.path.join(tfab.ROOT, 'test'))
    t.end()


main()
