#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Late writes: a write that was aborted while a backend had it does not come to the medium after
one that was sent later. Runs in a guest with tcm_test loaded."""
import errno
import os
import re
import struct
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import tfab
from pr import RELEASE_6, RESERVE_6
from sgio import Table
from tfab import (ABORT_TASK, ABORT_TASK_SET, CLEAR_TASK_SET, COMPLETE, LUN_RESET, Held, Session,
                  Tpg, wait_until)

BUSY = 0x08
ORPHANS = '/sys/kernel/debug/tcm/orphans'

t = Table('orphan')


def orphans():
    with open(ORPHANS) as f:
        return f.read().splitlines()


def block(mark):
    return bytes([mark]) * 512


class Rig:
    def __init__(self):
        self.h, self.free = Held('h'), Held('free', hba=1, hold=False)
        self.tpg = Tpg().enable()
        self.tpg.lun(0, self.h.dev)
        self.tpg.lun(1, self.free.dev)
        for name in ('i0', 'i1'):
            self.tpg.acl(name)
            self.tpg.map(name, 0, 0)
            self.tpg.map(name, 1, 1)
        self.s, self.other = self.login('i0'), self.login('i1')

    @staticmethod
    def login(name):
        s = Session('t1', 1, name)
        s.clear_ua(0)
        s.clear_ua(1)
        return s

    def held(self, s, cdb, n=1, **how):
        """A command that the backend has, in n accesses or more."""
        was = self.h.held()
        tag = s.submit(cdb, **how)
        wait_until(lambda: self.h.held() >= was + n, 'a command to be held')
        return tag

    def destroy(self):
        self.s.close()
        self.other.close()
        self.tpg.destroy()
        tfab.del_dev(self.h.dev)
        tfab.del_dev(self.free.dev)


def w10(lba, n=1):
    return tfab.cdb10(0x2a, lba, n)


def r10(lba, n=1):
    return tfab.cdb10(0x28, lba, n)


def late_writes(rig):
    """Write A, abort A, write B: B is what is read, in whatever way A was aborted."""
    loops = 1000 if os.environ.get('TCM_LONG') else 20
    s, other = rig.s, rig.other
    for i in range(loops):
        lba, a, b = i % 64, 2 * i % 251, (2 * i + 1) % 251
        rig.h.hold()
        tag = rig.held(s, w10(lba), dout=block(a))
        func = (ABORT_TASK, ABORT_TASK_SET, LUN_RESET, CLEAR_TASK_SET)[i % 4]
        t.eq(s.tmf(func, tag=tag), (COMPLETE, 1), 'abort of A')
        for sess in (s, other):
            if func == LUN_RESET:
                sess.clear_ua()
            r = sess.cmd(w10(lba), dout=block(b))
            t.ok(r.status == BUSY and r.sense is None, '%d: B while A is out: %s' % (i, r))
        rig.h.hold(False)
        t.ok(s.reap(tag).outcome == tfab.NO_RESPONSE, '%d: A has ended' % i)
        t.good(other.cmd(w10(lba), dout=block(b)), '%d: B once more' % i)
        r = s.read(lba)
        t.ok(r.good and r.data == block(b), '%d: B is what is read' % i)
    t.eq(orphans(), [], 'orphans afterwards')


def overlaps(rig):
    """What overlaps an aborted write has to wait, nothing else has."""
    s, other = rig.s, rig.other
    # aborted, and what is sent then: does it wait?
    rows = [
        (w10(100, 4), block(1) * 4, w10(103), block(2), True),
        (w10(100, 4), block(1) * 4, w10(104), block(2), False),
        (w10(100, 4), block(1) * 4, w10(99), block(2), False),
        (w10(100, 4), block(1) * 4, w10(98, 3), block(2) * 3, True),
        (w10(100, 4), block(1) * 4, r10(101), b'', True),
        (w10(100, 4), block(1) * 4, r10(104), b'', False),
        # SYNCHRONIZE CACHE moves no data; INQUIRY and TEST UNIT READY are not for the medium
        (w10(100, 4), block(1) * 4, tfab.cdb10(0x35, 0, 0), b'', False),
        # FORMAT UNIT overlaps everything
        (w10(100, 4), block(1) * 4, bytes([0x04, 0, 0, 0, 0, 0]), b'', True),
        # WRITE SAME, COMPARE AND WRITE
        (tfab.cdb10(0x41, 200, 8), block(3), w10(207), block(2), True),
        (tfab.cdb10(0x41, 200, 8), block(3), w10(208), block(2), False),
        (struct.pack('>BBQ3xBBB', 0x89, 0, 300, 1, 0, 0), bytes(1024), w10(300), block(2), True),
        (struct.pack('>BBQ3xBBB', 0x89, 0, 300, 1, 0, 0), bytes(1024), w10(301), block(2), False),
        # a read that was aborted is nobody's concern
        (r10(100, 4), b'', w10(100), block(2), False),
    ]
    for cdb, dout, then, data, waits in rows:
        what = '%s, then %s' % (bytes(cdb).hex(), bytes(then).hex())
        rig.h.hold()
        n = int.from_bytes(then[7:9], 'big') * 512 if then[0] == 0x28 else 0
        tag = rig.held(s, cdb, dout=dout, din=0 if dout else 2048)
        # what is there before has passed
        t.eq(s.tmf(ABORT_TASK, tag=tag), (COMPLETE, 1), what + ': abort')
        for sess in (s, other):
            second = sess.submit(then, dout=data, din=n)
            if waits:
                r = sess.reap(second)
                t.ok(r.status == BUSY, '%s: %s' % (what, r))
            else:
                wait_until(lambda: rig.h.held() >= 2, what + ': to be let through')
                rig.h.release(1 << 20)
                t.good(sess.reap(second), what)
                if sess is s:
                    s.reap(tag)
                    tag = rig.held(s, cdb, dout=dout, din=0 if dout else 2048)
                    t.eq(s.tmf(ABORT_TASK, tag=tag), (COMPLETE, 1), what + ': abort')
            t.good(sess.tur(), what + ': TEST UNIT READY')
        t.good(s.write(100, block(9), lun=1), what + ': another unit')
        rig.h.hold(False)
        s.reap(tag)
        t.good(s.cmd(w10(100), dout=block(4)), what + ': afterwards')



def nexus_loss(rig):
    """A nexus that goes leaves its writes: who comes after it has to wait."""
    for how in ('logout', 'close', 'unmap'):
        s = rig.login('i0')
        rig.h.hold()
        tag = rig.held(s, w10(7), dout=block(1))
        if how == 'logout':
            s.logout()
        elif how == 'close':
            s.close()
        else:
            rig.tpg.unmap('i0', 0)
            t.eq(s.tmf(ABORT_TASK, tag=tag), (COMPLETE, 1), 'abort on a LUN that is gone')
            rig.tpg.map('i0', 0, 0)
        again = rig.login('i0')
        for sess in (again, rig.other):
            r = sess.cmd(w10(7), dout=block(2))
            t.ok(r.status == BUSY, '%s: write after the nexus: %s' % (how, r))
        rig.h.release(1)
        wait_until(lambda: not orphans(), 'the orphan to end')
        rig.h.hold(False)
        t.good(again.cmd(w10(7), dout=block(2)), how + ': write once more')
        r = again.read(7)
        t.ok(r.good and r.data == block(2), how + ': what is read')
        again.close()
        if how != 'close':
            s.close()
    rig.s.clear_ua(0)


def pr_out(sa, key, sa_key, kind=0):
    """PERSISTENT RESERVE OUT and its parameter list"""
    return struct.pack('>BBBxxIx', 0x5f, sa, kind, 24), struct.pack('>QQ8x', key, sa_key)


def preempt(rig):
    """PREEMPT AND ABORT is not GOOD before the last write of who was preempted is back, however that
    was aborted, also when its nexus is gone."""
    hows = ('runs', 'aborted', 'nexus gone')
    # the limit, after which it is an error: once for each of them; as it is by itself at full counts
    limits, limit = len(hows), 'core/%s/attrib/pr_abort_secs' % rig.h.dev
    secs = 30 if os.environ.get('TCM_LONG') else 4
    t.eq(tfab.read(limit), '30', 'the limit by itself')
    tfab.write(limit, secs)
    for i in range(1000 if os.environ.get('TCM_LONG') else 9):
        how = hows[i % len(hows)]
        s, victim = rig.s, rig.login('i1')
        victim.clear_ua()
        for sess, key in ((s, 1), (victim, 2)):
            cdb, data = pr_out(6, 0, key)
            t.good(sess.cmd(cdb, dout=data), how + ': REGISTER AND IGNORE EXISTING KEY')
        cdb, data = pr_out(1, 2, 0, 5)
        t.good(victim.cmd(cdb, dout=data), how + ': RESERVE')
        rig.h.hold()
        tag = rig.held(victim, w10(11), dout=block(1))
        if how == 'aborted':
            t.eq(victim.tmf(ABORT_TASK, tag=tag), (COMPLETE, 1), how)
        elif how == 'nexus gone':
            victim.logout()
        cdb, data = pr_out(5, 1, 2, 5)
        begin = time.monotonic()
        fence = s.submit(cdb, dout=data)
        # it stops others from when its line says so, which is before the abort is answered
        wait_until(lambda: [' fenced ' in line for line in orphans()] == [True],
                   how + ': the write to be an orphan')
        if how == 'runs':
            r = s.cmd(w10(11), dout=block(2))
            t.ok(r.status == BUSY, how + ': a write of who preempts: %s' % r)
        # it asks again at 10, 20, 40 ms; what it must not do is to answer while the write is out
        for _ in range(20 if i < len(hows) else 3):
            t.good(s.inquiry(), how + ': INQUIRY')
            t.ok(s.reap(fence, block=False) is None, how + ': PREEMPT AND ABORT while a write is out')
        if i < limits:
            t.eq(s.reap(fence, timeout=60).code, (0xb, 0x2e, 2), how + ': never GOOD')
            took = time.monotonic() - begin
            t.ok(secs - .1 < took < secs + 20, how + ': answered after %.1f s' % took)
            fence = None
            if i + 1 == limits:
                tfab.write(limit, 30)
        rig.h.hold(False)
        if fence is not None:
            t.good(s.reap(fence), how + ': PREEMPT AND ABORT when it is back')
        t.good(s.cmd(w10(11), dout=block(2)), how + ': the write of who preempts')
        r = s.read(11)
        t.ok(r.good and r.data == block(2), how + ': what is read')
        cdb, data = pr_out(3, 1, 0)
        t.good(s.cmd(cdb, dout=data), how + ': CLEAR')
        if how != 'nexus gone':
            victim.reap(tag)
        victim.close()
        rig.other.clear_ua()


def registered(rig, sa, key, sa_key, kind):
    """Both are registered, by the keys 1 and 2, and nothing is reserved; PERSISTENT RESERVE OUT to come"""
    for sess, own in ((rig.s, 1), (rig.other, 2)):
        cdb, data = pr_out(6, 0, own)
        t.good(sess.cmd(cdb, dout=data), 'REGISTER AND IGNORE EXISTING KEY')
    cdb, data = pr_out(sa, key, sa_key, kind)
    return lambda sess: sess.submit(cdb, dout=data)


def cleared(rig):
    cdb, data = pr_out(3, 1, 0)
    t.good(rig.s.cmd(cdb, dout=data), 'CLEAR')
    rig.s.clear_ua()
    rig.other.clear_ua()


def shut_behind(rig, what, reserves, hangs, standby=False):
    """A write has passed the gate when another reserves, or changes the access state; it comes back, or it hangs."""
    s, victim, conflict = rig.s, rig.other, 0x18
    rig.h.hold()
    tag, ignored = rig.held(victim, w10(20), dout=block(1)), rig.held(s, r10(30), din=512)
    begin = time.monotonic()
    fence = reserves(s)

    def shut():
        # of no block, so that one which is still let through is not held
        r = victim.cmd(w10(300, 0))
        return r.code == (2, 4, 0x0b) if standby else r.status == conflict
    wait_until(shut, 'the gate to be shut')
    answered = s.reap(fence, block=False)
    t.ok(answered is None or time.monotonic() - begin > .9, what + ' while a write has passed the gate')
    if hangs and answered is None:
        t.good(s.reap(fence), what + ' while the medium hangs')
        took = time.monotonic() - begin
        t.ok(.9 < took < 10, '%s while the medium hangs: %.1f s' % (what, took))
    rig.h.hold(False)
    if not hangs and answered is None:
        t.good(s.reap(fence), what)
    t.good(victim.reap(tag), what + ': the write that had passed the gate')
    t.good(s.reap(ignored), what + ': a read of who reserves')


def stpg(sess, state):
    return sess.submit(struct.pack('>BB4xI2x', 0xa4, 0x0a, 8), dout=struct.pack('>4xBxH', state, 0))


def passed(rig):
    """Who has passed the gate is waited for before who shut it is answered, for a second."""
    s, victim = rig.s, rig.other
    preempts = registered(rig, 4, 1, 2, 1)
    take, release = pr_out(1, 2, 0, 1), pr_out(2, 1, 0, 1)
    for hangs in (False, True):
        t.good(victim.cmd(pr_out(6, 0, 2)[0], dout=pr_out(6, 0, 2)[1]), 'REGISTER')
        t.good(victim.cmd(take[0], dout=take[1]), 'RESERVE')
        shut_behind(rig, 'PREEMPT', preempts, hangs)
        if not hangs:
            t.good(s.cmd(release[0], dout=release[1]), 'RELEASE')
            victim.clear_ua()
    cleared(rig)
    for hangs in (False, True):
        shut_behind(rig, 'RESERVE(6)', lambda sess: sess.submit(RESERVE_6), hangs)
        t.good(s.cmd(RELEASE_6), 'RELEASE(6)')
    tfab.write('core/%s/alua/default_tg_pt_gp/alua_access_type' % rig.h.dev, 3)
    for hangs in (False, True):
        shut_behind(rig, 'SET TARGET PORT GROUPS', lambda sess: stpg(sess, 2), hangs, standby=True)
        t.good(s.reap(stpg(s, 0)), 'SET TARGET PORT GROUPS, active')
        victim.clear_ua()


def judged_anew(rig):
    """Who waits for blocks is judged by what is reserved, and by the access state, when it gets them."""
    s, victim = rig.s, rig.other
    caw = struct.pack('>BBQIBB', 0x89, 0, 40, 1, 0, 0)
    state = 'core/%s/alua/default_tg_pt_gp/alua_access_state' % rig.h.dev
    reserves = registered(rig, 1, 1, 0, 1)
    rig.h.hold(False)
    t.good(s.cmd(w10(40), dout=block(7)), 'WRITE')
    for what, code in (('reserved', None), ('standby', (2, 4, 0x0b))):
        rig.h.hold()
        first = rig.held(s, caw, dout=block(7) * 2)
        tags = [victim.submit(w10(40), dout=block(1)), victim.submit(caw, dout=block(7) + block(1))]
        t.ok(all(victim.reap(x, block=False) is None for x in tags), what + ': those behind it wait')
        if code is None:
            t.good(s.reap(reserves(s)), 'RESERVE')
        else:
            tfab.write(state, 2)
        rig.h.hold(False)
        t.good(s.reap(first), what + ': the first')
        for tag in tags:
            r = victim.reap(tag)
            t.ok(r.code == code and (code or r.status == 0x18), what + ': one that had waited: %s' % r)
        if code is None:
            cleared(rig)
        else:
            tfab.write(state, 0)
            s.clear_ua()
            victim.clear_ua()
        t.eq(s.read(40).data, block(7), what + ': what is there')


def seen(rig):
    """An orphan is a line that says all about it."""
    s = rig.s
    rig.h.hold()
    tags = [rig.held(s, w10(5, 2), dout=block(1) * 2), rig.held(s, r10(9), din=512)]
    t.eq(orphans(), [], 'commands that were not aborted')
    s.tmf(ABORT_TASK_SET)
    lines = orphans()
    t.eq(len(lines), 2, 'lines')
    tail = r' LUN 0 age \d+ ms nexus i0 -> t1 tpgt_1 waits for test h blocks %s opcode %s$'
    t.ok(re.match(r'WRITE\(10\) fenced' + tail % ('5-6', '2ah'), lines[0]), lines[0])
    t.ok(re.match(r'READ\(10\) unfenced' + tail % ('9-9', '28h'), lines[1]), lines[1])
    rig.h.hold(False)
    for tag in tags:
        s.reap(tag)
    t.eq(orphans(), [], 'lines afterwards')


def straggler(rig):
    """A command of a LUN that is gone still counts in the old blocks: they keep their size."""
    s = rig.s
    attr = 'core/%s/attrib/block_size' % rig.h.dev
    rig.h.hold()
    tag = rig.held(s, w10(5, 2), dout=block(1) * 2)
    for name in ('i0', 'i1'):
        rig.tpg.unmap(name, 0)
    rig.tpg.del_lun(0)
    try:
        tfab.write(attr, 4096)
        t.ok(False, 'another block size while a write is out')
    except OSError as e:
        t.eq(e.errno, errno.EBUSY, 'another block size while a write is out')
    t.eq(tfab.read(attr), '512', 'block_size')
    tfab.write(attr, 512)
    rig.h.hold(False)
    t.good(s.reap(tag), 'the write')
    # at once: what is on its way out is waited for
    tfab.write(attr, 4096)
    t.eq(tfab.read(attr), '4096', 'block_size when it is back')


def main():
    rig = Rig()
    for part in (seen, late_writes, overlaps, nexus_loss, preempt, passed, judged_anew,
                 straggler):
        begin = time.monotonic()
        part(rig)
        print('orphan: %s, %.0f s' % (part.__name__, time.monotonic() - begin), flush=True)
    rig.destroy()
    t.eq(tfab.held_everywhere(), 0, 'accesses left')
    t.end()


main()
