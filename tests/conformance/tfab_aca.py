#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Auto contingent allegiance (SAM-5 5.9): NACA, the ACA attribute, CLEAR ACA, TST; and TASK SET FULL.
Runs in a guest with tcm_test loaded."""
import os
import random
import struct
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import tfab
from sgio import Table
from tfab import (ACA, BH, CLEAR_ACA, CLEAR_TASK_SET, COMPLETE, DATA_LATER, HEAD_OF_QUEUE, LUN_RESET,
                  NEXUS_RESET, NO_RESPONSE, ORDERED, SIMPLE, STATUS_LATE, Pair, wait_until)

GOOD, CHECK, BUSY, FULL, ACTIVE = 0x00, 0x02, 0x08, 0x28, 0x30
NAMES = {GOOD: 'GOOD', CHECK: 'CHECK CONDITION', BUSY: 'BUSY', FULL: 'TASK SET FULL', ACTIVE: 'ACA ACTIVE'}
INVALID_MESSAGE, OUT_OF_RANGE = (5, 0x49, 0), (5, 0x21, 0)
NACA = 4
PAST_END = 0x7fffffff

t = Table('aca')


def read10(lba=0, naca=False):
    return struct.pack('>BBIBHB', 0x28, 0, lba, 0, 1, NACA if naca else 0)


class Rig(Pair):
    def __init__(self):
        super().__init__(hold=False, emulate_aca=1)

    def held(self, n, what):
        wait_until(lambda: self.h.held() >= n, what)
        t.eq(self.h.held(), n, what)


def status(r, want, what):
    t.ok(r.status == want, '%s: wanted %s, got %s' % (what, NAMES[want], r))


def fault(s, what, attr=SIMPLE, **how):
    """A command with NACA ends with CHECK CONDITION."""
    r = s.cmd(read10(PAST_END, True), din=512, attr=attr, **how)
    t.eq((r.status, r.code), (CHECK, OUT_OF_RANGE), what + ': the fault')


def clear(s, what):
    t.eq(s.tmf(CLEAR_ACA)[0], COMPLETE, what + ': CLEAR ACA')


def set_tst(rig, value):
    """TST of the Control mode page"""
    data = bytearray(rig.s.cmd([0x1a, 8, 0x0a, 0, 64, 0], din=64).data[4:16])
    data[0] &= 0x7f
    data[2] = data[2] & 0x1f | value << 5
    r = rig.s.cmd([0x15, 0x10, 0, 0, 16, 0], dout=bytes(4) + bytes(data))
    rig.other.clear_ua()
    return r


# What comes during the condition of nexus `s`: CDB, data-in, attribute; and the status on it, on another
# nexus with TST 000b and with TST 001b. None: CHECK CONDITION, INVALID MESSAGE ERROR.
COMES = (
    ('READ', read10(), 512, SIMPLE, ACTIVE, BUSY, GOOD),
    ('READ with NACA', read10(0, True), 512, SIMPLE, ACTIVE, ACTIVE, GOOD),
    ('ORDERED', read10(), 512, ORDERED, ACTIVE, BUSY, GOOD),
    ('HEAD OF QUEUE', read10(), 512, HEAD_OF_QUEUE, ACTIVE, BUSY, GOOD),
    ('TEST UNIT READY', bytes(6), 0, SIMPLE, ACTIVE, BUSY, GOOD),
    ('TEST UNIT READY with NACA', bytes([0, 0, 0, 0, 0, NACA]), 0, SIMPLE, ACTIVE, ACTIVE, GOOD),
    ('INQUIRY', bytes([0x12, 0, 0, 0, 96, 0]), 96, SIMPLE, ACTIVE, BUSY, GOOD),
    ('no such opcode', bytes([0x09, 0, 0, 0, 0, 0]), 0, SIMPLE, ACTIVE, BUSY, CHECK),
    ('out of range', read10(PAST_END), 512, SIMPLE, ACTIVE, BUSY, CHECK),
    ('ACA', read10(), 512, ACA, GOOD, BUSY, None),
    ('ACA with NACA', read10(0, True), 512, ACA, GOOD, ACTIVE, None),
    ('INQUIRY of the ACA attribute', bytes([0x12, 0, 0, 0, 96, 0]), 96, ACA, GOOD, BUSY, None),
)


def comes(rig):
    """Who is refused how."""
    t.eq(rig.s.inquiry().data[3] & 0x20, 0x20, 'NORMACA')
    for opcode, sa, at in ((0x00, None, 5), (0x28, None, 9), (0x5e, 0, 9), (0x88, None, 15), (0xa0, None, 11),
                           (0x7f, 9, 1)):
        cdb = struct.pack('>BBBBHIBB', 0xa3, 0x0c, 3, opcode, sa or 0, 64, 0, 0)
        t.eq(rig.s.cmd(cdb, din=64).data[4 + at], NACA, 'usage of CONTROL, opcode %02xh' % opcode)
    cdb = struct.pack('>BBBBHIBB', 0xa3, 0x0d, 0, 0, 0, 4, 0, 0)
    t.eq(rig.s.cmd(cdb, din=4).data.hex(), 'fc070000', 'CLEAR ACA is reported')
    for tst in (0, 1):
        t.good(set_tst(rig, tst), 'TST %d' % tst)
        for how in (0, BH):
            for name, cdb, din, attr, own, shared, apart in COMES:
                what = '%s, TST %d%s' % (name, tst, ' atomic' if how else '')
                fault(rig.s, what, flags=how)
                status(rig.s.cmd(cdb, din=din, attr=attr, flags=how), own, what)
                r = rig.other.cmd(cdb, din=din, attr=attr, flags=how)
                want = apart if tst else shared
                if want is None:
                    t.eq(r.code, INVALID_MESSAGE, what + ', the other')
                else:
                    status(r, want, what + ', the other')
                # it is not the other's to clear
                clear(rig.other, what)
                status(rig.s.tur(), ACTIVE, what + ': it is still there')
                clear(rig.s, what)
                t.good(rig.s.cmd(read10(), din=512, flags=how), what + ': over')
                t.good(rig.other.cmd(read10(), din=512, flags=how), what + ': over for the other')
    t.good(set_tst(rig, 0), 'TST 0')
    for tst in range(2, 8):
        t.eq(set_tst(rig, tst).code, (5, 0x26, 0), 'TST %d' % tst)
    clear(rig.s, 'none')
    t.good(rig.s.cmd(read10(0, True), din=512), 'NACA of a command that is good')
    t.good(rig.s.cmd(read10(), din=512), 'no condition')
    t.eq(rig.s.cmd(read10(PAST_END), din=512).code, OUT_OF_RANGE, 'a fault without NACA')
    t.good(rig.s.cmd(read10(), din=512), 'no condition without NACA')
    # a write that is refused has no data phase
    fault(rig.s, 'write')
    r = rig.s.cmd(tfab.cdb10(0x2a, 0, 1), dout=bytes(512), flags=DATA_LATER)
    status(r, ACTIVE, 'WRITE')
    clear(rig.s, 'write')


def waits(rig):
    """What came before waits and goes on, beside one command of the ACA attribute at a time."""
    s, other = rig.s, rig.other
    rig.h.hold()
    first = s.submit(read10(), din=512)
    behind = [(s, s.submit(read10(1), din=512, attr=ORDERED)),
              (other, other.submit(read10(2), din=512)), (s, s.submit(read10(3), din=512))]
    rig.held(1, 'the first')
    # as HEAD OF QUEUE it passes those that wait
    fault(s, 'waits', attr=HEAD_OF_QUEUE)
    rig.h.release()
    t.good(s.reap(first), 'what ran')
    status(other.tur(), BUSY, 'the other')
    t.eq(rig.h.held(), 0, 'nothing else has begun')
    look = s.submit(read10(4), din=512, attr=ACA)
    rig.held(1, 'the look at it')
    status(s.cmd(read10(5), din=512, attr=ACA), ACTIVE, 'a second look beside the first')
    rig.h.release()
    t.good(s.reap(look), 'the look at it')
    look = s.submit(read10(4), din=512, attr=ACA)
    rig.held(1, 'the second look')
    t.eq(s.tmf(CLEAR_ACA), (COMPLETE, 1), 'CLEAR ACA aborts the look')
    rig.held(2, 'the ORDERED one')
    rig.h.release()
    t.ok(s.reap(look).outcome == NO_RESPONSE, 'the second look')
    t.good(s.reap(behind[0][1]), 'ORDERED')
    rig.held(2, 'those behind')
    rig.h.release()
    for sess, tag in behind[1:]:
        t.good(sess.reap(tag), 'behind it')
    rig.h.hold(False)


def again(rig):
    """A command of the ACA attribute that fails ends it, or with NACA begins it anew."""
    s = rig.s
    fault(s, 'again')
    fault(s, 'of the ACA attribute with NACA', attr=ACA)
    status(s.tur(), ACTIVE, 'again')
    r = s.cmd(read10(PAST_END), din=512, attr=ACA)
    t.eq(r.code, OUT_OF_RANGE, 'of the ACA attribute without NACA')
    t.good(s.tur(), 'over')


def ends(rig):
    """What else ends it."""
    s, other = rig.s, rig.other
    for name, func, who in (('LOGICAL UNIT RESET', LUN_RESET, s), ('LOGICAL UNIT RESET of another', LUN_RESET, other),
                            ('I_T NEXUS RESET', NEXUS_RESET, s)):
        fault(s, name)
        t.eq(who.tmf(func)[0], COMPLETE, name)
        s.clear_ua()
        other.clear_ua()
        t.good(s.cmd(read10(), din=512), name + ': over')
        t.good(other.cmd(read10(), din=512), name + ': over for the other')
    fault(s, 'CLEAR TASK SET')
    s.tmf(CLEAR_TASK_SET)
    status(s.tur(), ACTIVE, 'CLEAR TASK SET does not end it')
    clear(s, 'CLEAR TASK SET')
    # the nexus goes while commands of it wait
    gone = rig.login('i0')
    rig.h.hold()
    first = gone.submit(read10(), din=512)
    gone.submit(read10(), din=512, attr=ORDERED)
    last = other.submit(read10(), din=512)
    rig.held(1, 'the first')
    fault(gone, 'logout', attr=HEAD_OF_QUEUE)
    status(other.tur(), BUSY, 'before the logout')
    gone.logout()
    rig.held(2, 'after the logout')
    rig.h.release()
    t.good(other.reap(last), 'after the logout')
    gone.reap(first, orphans=True)
    gone.close()
    rig.h.hold(False)
    # the LUN of the faulted nexus goes
    fault(s, 'unmap')
    rig.tpg.unmap('i0', 0)
    t.good(other.tur(), 'after the unmapping')
    rig.tpg.map('i0', 0, 0)
    s.clear_ua()
    t.good(s.tur(), 'mapped again')


def prout(s, sa, key=0, sa_key=0, scope_type=0):
    return s.cmd(struct.pack('>BBBBBIB', 0x5f, sa, scope_type, 0, 0, 24, 0),
                 dout=struct.pack('>QQ8x', key, sa_key))


def preempt(rig):
    """PREEMPT AND ABORT passes, and ends the condition of those that it removes."""
    s, other = rig.s, rig.other
    for tst in (0, 1):
        what = 'PREEMPT AND ABORT, TST %d' % tst
        t.good(set_tst(rig, tst), what)
        t.good(prout(s, 0, 0, 1), 'REGISTER')
        t.good(prout(other, 0, 0, 2), 'REGISTER')
        t.good(prout(s, 1, 1, 0, 5), 'RESERVE')
        fault(s, what)
        if not tst:
            status(prout(other, 4, 2, 1, 5), BUSY, 'PREEMPT')
        t.good(prout(other, 5, 2, 1, 5), what)
        s.clear_ua()
        t.good(s.tur(), what + ': over')
        t.good(other.tur(), what + ': over for the other')
        t.good(prout(other, 3, 2), 'CLEAR')
        s.clear_ua()
        other.clear_ua()
    t.good(set_tst(rig, 0), 'TST 0')


def apart(rig):
    """With TST 001b nobody waits for another nexus."""
    s, other = rig.s, rig.other
    t.good(set_tst(rig, 1), 'TST 1')
    rig.h.hold()
    tags = [(s, s.submit(read10(0), din=512, attr=ORDERED)), (s, s.submit(read10(1), din=512)),
            (other, other.submit(read10(2), din=512, attr=ORDERED)), (other, other.submit(read10(3), din=512))]
    rig.held(2, 'the ORDERED one of each')
    # HEAD OF QUEUE, which passes those that wait
    t.eq(s.tmf(CLEAR_TASK_SET), (COMPLETE, 2), 'CLEAR TASK SET of one')
    rig.h.release()
    t.good(other.reap(tags[2][1]), 'ORDERED of the other')
    rig.held(1, 'the one behind')
    rig.h.release()
    t.good(other.reap(tags[3][1]), 'the one behind')
    for _, tag in tags[:2]:
        t.ok(s.reap(tag).outcome == NO_RESPONSE, 'cleared')
    rig.h.hold(False)
    t.eq(other.clear_ua(), [], 'the other was not concerned')
    t.good(set_tst(rig, 0), 'TST 0')


def attrib(rig, name, value):
    tfab.write('core/%s/attrib/%s' % (rig.h.dev, name), value)


def full(rig):
    """TASK SET FULL"""
    s, other = rig.s, rig.other
    for total, each, mine, theirs in ((0, 0, 6, 6), (3, 0, 3, 0), (0, 2, 2, 2), (3, 2, 2, 1), (1, 1, 1, 0)):
        for how in (0, BH):
            what = 'task_set_max %d, task_nexus_max %d%s' % (total, each, ' atomic' if how else '')
            attrib(rig, 'task_set_max', total)
            attrib(rig, 'task_nexus_max', each)
            rig.h.hold()
            tags = []
            for sess, most in ((s, mine), (other, theirs)):
                tags += [(sess, sess.submit(read10(i), din=512, flags=how)) for i in range(most)]
            rig.held(mine + theirs, what)
            if total or each:
                for sess in (s, other):
                    status(sess.cmd(read10(), din=512, flags=how), FULL, what)
                    status(sess.cmd(read10(), din=512, attr=ORDERED, flags=how), FULL, what + ', ORDERED')
                    t.good(sess.inquiry(), what + ': INQUIRY')
            rig.h.release()
            for sess, tag in tags:
                t.good(sess.reap(tag), what)
            rig.h.hold(False)
            t.good(s.cmd(read10(), din=512), what + ': room again')
    attrib(rig, 'task_set_max', 0)
    attrib(rig, 'task_nexus_max', 0)


def storm(rig):
    """Faults, attributes, aborts at random: all of it ends, and so does the condition."""
    rnd = random.Random(5)
    begin = time.monotonic()
    stop = begin + (60 if os.environ.get('TCM_LONG') else 4)
    wanted = (GOOD, CHECK, BUSY, ACTIVE)
    seen = dict.fromkeys(wanted, 0)
    while time.monotonic() < stop or (min(seen[w] for w in wanted) < 10 and time.monotonic() < begin + 60):
        out = []
        for i in range(24):
            s = rnd.choice((rig.s, rig.other))
            attr = rnd.choice((SIMPLE, SIMPLE, ORDERED, HEAD_OF_QUEUE, ACA))
            lba = rnd.choice((i, i, i, i, PAST_END))
            flags = rnd.choice((0, BH, BH | STATUS_LATE))
            out.append((s, s.submit(read10(lba, rnd.randrange(2)), din=512, attr=attr, flags=flags)))
            if not rnd.randrange(8):
                rnd.choice((rig.s, rig.other)).tmf(rnd.choice((CLEAR_ACA, CLEAR_ACA, CLEAR_TASK_SET)))
        for s in (rig.s, rig.other):
            clear(s, 'storm')
        for s, tag in out:
            # one that fails late may begin another one
            for _ in range(200):
                r = s.reap(tag, block=False)
                if r:
                    break
                rig.s.tmf(CLEAR_ACA)
                rig.other.tmf(CLEAR_ACA)
                time.sleep(.005)
            else:
                r = s.reap(tag)
            seen[r.status] = seen.get(r.status, 0) + 1
        for s in (rig.s, rig.other):
            clear(s, 'storm')
            s.clear_ua()
    print('aca: storm: %r' % seen, flush=True)
    for want in wanted:
        t.ok(seen[want] >= 10, 'storm: %s: %d' % (NAMES[want], seen[want]))
    t.good(rig.s.tur(), 'after the storm')
    t.good(rig.other.tur(), 'after the storm')


def main():
    rig = Rig()
    for part in (comes, waits, again, ends, preempt, apart, full, storm):
        print('aca: %s' % part.__name__, flush=True)
        part(rig)
    rig.destroy()
    t.eq(tfab.held_everywhere(), 0, 'accesses left')
    t.end()


main()
