#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Task attributes (SAM-5 8): which commands run beside each other and which wait. A backend that
holds what it gets shows it. Runs in a guest with tcm_test loaded."""
import os
import random
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import tfab
from sgio import Table
from tfab import (ABORT_TASK, ABORT_TASK_SET, ACA, BH, CLEAR_TASK_SET, COMPLETE, DATA_HELD, DATA_LATER,
                  HEAD_OF_QUEUE, LUN_RESET, NO_RESPONSE, ORDERED, SIMPLE, STATUS_LATE, Pair, wait_until)

ATTRS = {'S': SIMPLE, 'O': ORDERED, 'H': HEAD_OF_QUEUE}

# Commands in the order in which they come, and which of them run together, one group after the other
# is let go (SAM-5 8.6, figures of 8.8).
TABLE = (
    ('SSS', '012'),
    ('O', '0'),
    ('H', '0'),
    ('SO', '0 1'),
    ('OS', '0 1'),
    ('OO', '0 1'),
    ('SSOSS', '01 2 34'),
    ('SOSOS', '0 1 2 3 4'),
    ('OSSO', '0 12 3'),
    ('HS', '0 1'),
    ('SH', '01'),
    ('SHS', '01 2'),
    ('HO', '0 1'),
    ('HH', '01'),
    ('OH', '01'),
    ('SOSH', '03 1 2'),
    ('SOH', '02 1'),
    ('OSHS', '02 13'),
    ('SOHO', '02 1 3'),
    ('HSSOH', '04 12 3'),
)

t = Table('task')


class Rig(Pair):
    def runs(self, n, what):
        """So many commands are with the backend, and no more come."""
        wait_until(lambda: self.h.held() >= n, '%s: %d commands to run' % (what, n))
        # these pass everything that waits, by the same ways
        self.s.inquiry()
        self.s.cmd([0x12, 0, 0, 0, 96, 0], din=96, flags=BH)
        t.eq(self.h.held(), n, what + ': commands that run')


def submit(s, attr, i, flags=0):
    """A read, or a write where there is to be a data phase"""
    if flags & (DATA_LATER | DATA_HELD):
        return s.submit(tfab.cdb10(0x2a, i, 1), dout=bytes(512), attr=attr, flags=flags)
    return s.submit(tfab.cdb10(0x28, i, 1), din=512, attr=attr, flags=flags)


def order(rig, attrs, groups, what, flags, mixed):
    sessions = (rig.s, rig.other if mixed else rig.s)
    tags = []
    for i, c in enumerate(attrs):
        s = sessions[i % 2]
        tags.append((s, submit(s, ATTRS[c], i, flags)))
        if flags & DATA_LATER:
            # its place is that of the command, not that of its last data
            wait_until(lambda: s.info()[2] == 0, 'data')
    for group in groups.split():
        rig.runs(len(group), '%s, group %s' % (what, group))
        rig.h.release()
        for i in group:
            s, tag = tags[int(i)]
            t.good(s.reap(tag), '%s: command %s' % (what, i))
    t.eq(rig.h.held(), 0, what + ': all have run')


def table(rig):
    for flags, name in ((0, ''), (BH, ' atomic'), (DATA_LATER, ' data'), (BH | STATUS_LATE, ' late')):
        # initiators that submit from soft interrupts of their own come in any order
        for mixed in (False,) if flags & BH else (False, True):
            # the first ones find no list, the others do
            rig.destroy()
            rig.__init__()
            for attrs, groups in TABLE:
                order(rig, attrs, groups, '%s%s%s' % (attrs, name, ' mixed' if mixed else ''), flags,
                      mixed)


def begin(rig):
    """Each row on a unit that has seen nothing but SIMPLE commands."""
    for attrs, groups in TABLE:
        for flags in (0, BH):
            rig.destroy()
            rig.__init__()
            order(rig, attrs, groups, '%s from nothing, flags %d' % (attrs, flags), flags, False)


def aborts(rig):
    """Who is aborted is in nobody's way."""
    s, other = rig.s, rig.other
    # one that waits
    first = submit(s, SIMPLE, 0)
    ordered = submit(s, ORDERED, 1)
    last = submit(other, SIMPLE, 2)
    rig.runs(1, 'ORDERED waits')
    t.eq(s.tmf(ABORT_TASK, tag=ordered), (COMPLETE, 1), 'abort of an ORDERED command that waits')
    t.ok(s.reap(ordered).outcome == NO_RESPONSE, 'an ORDERED command that waited')
    rig.runs(2, 'ORDERED aborted')
    rig.h.release()
    t.good(s.reap(first), 'before the aborted')
    t.good(other.reap(last), 'behind the aborted')
    # one that the backend has
    first = submit(s, SIMPLE, 0)
    ordered = submit(s, ORDERED, 1)
    rig.runs(1, 'ORDERED waits')
    t.eq(s.tmf(ABORT_TASK, tag=first), (COMPLETE, 1), 'abort of what an ORDERED command waits for')
    rig.runs(2, 'ORDERED runs beside an orphan')
    rig.h.release()
    t.ok(s.reap(first).outcome == NO_RESPONSE, 'the orphan')
    t.good(s.reap(ordered), 'ORDERED beside an orphan')
    # one whose data do not come
    ordered = submit(s, ORDERED, 1, DATA_HELD)
    wait_until(lambda: s.info()[2] == 1, 'data to be held')
    last = submit(other, SIMPLE, 2)
    rig.runs(0, 'SIMPLE behind an ORDERED command in its data phase')
    t.eq(s.tmf(ABORT_TASK_SET), (COMPLETE, 1), 'abort of an ORDERED command without data')
    t.ok(s.reap(ordered).outcome == NO_RESPONSE, 'the ORDERED command without data')
    rig.runs(1, 'SIMPLE')
    rig.h.release()
    t.good(other.reap(last), 'behind the ORDERED command without data')
    # a nexus that goes
    gone = rig.login('i0')
    first = submit(gone, ORDERED, 0)
    second = submit(gone, ORDERED, 1)
    last = submit(other, SIMPLE, 2)
    rig.runs(1, 'the first')
    gone.logout()
    rig.runs(2, 'the one that is left')
    rig.h.release()
    t.good(other.reap(last), 'behind a nexus that went')
    t.ok(not gone.reap(second, orphans=True).good, 'a command that waited when its nexus went')
    gone.reap(first, orphans=True)
    gone.close()


def no_aca(rig):
    """The ACA attribute without an ACA condition; those that tell of the unit wait for nobody."""
    r = rig.s.cmd(tfab.cdb10(0x28, 0, 1), din=512, attr=ACA)
    t.eq(r.code, (5, 0x49, 0), 'ACA attribute')
    ordered = submit(rig.s, ORDERED, 0)
    behind = submit(rig.s, ORDERED, 1)
    rig.runs(1, 'ORDERED')
    for attr in (SIMPLE, ORDERED, HEAD_OF_QUEUE):
        t.good(rig.s.cmd([0x12, 0, 0, 0, 96, 0], din=96, attr=attr), 'INQUIRY, attribute %d' % attr)
    tur = rig.s.submit(bytes(6))
    t.ok(rig.s.reap(tur, block=False) is None, 'TEST UNIT READY waits')
    rig.h.release()
    t.good(rig.s.reap(ordered), 'ORDERED')
    rig.runs(1, 'the second')
    rig.h.release()
    t.good(rig.s.reap(behind), 'the second')
    t.good(rig.s.reap(tur), 'TEST UNIT READY')


def places(rig):
    """What is aborted together does not run in each other's places, however long it takes to find all."""
    for func in (None, ABORT_TASK_SET, CLEAR_TASK_SET, LUN_RESET):
        what = 'function %s' % func if func else 'nexus loss'
        gone = rig.login('i0')
        tags = [submit(gone, ORDERED, i) for i in range(4)]
        rig.runs(1, what)
        others, sender = [], gone if func == ABORT_TASK_SET else rig.other

        def beside():
            # each that comes makes the task set look who may run
            for _ in range(12):
                others.append(rig.s.submit(bytes(6)))
                time.sleep(.01)

        tfab.walk_slowly(30)
        thread = threading.Thread(target=beside)
        thread.start()
        if func:
            t.eq(sender.tmf(func)[0], COMPLETE, what)
        else:
            gone.logout()
        thread.join()
        tfab.walk_slowly(0)
        rig.runs(1, what + ': one had run')
        rig.h.release()
        # what the backend had may end well, and nobody is there to be told
        outcomes = [gone.reap(tag, orphans=True).good for tag in tags]
        t.eq(outcomes[1:], [False] * 3, what + ': those that waited')
        for tag in others:
            rig.s.reap(tag)
        t.eq(rig.h.held(), 0, what + ': none is left')
        gone.close()
        for s in (rig.s, rig.other):
            s.clear_ua()


def storm(rig):
    """Attributes at random from two nexuses, with aborts: all of it ends."""
    rig.h.hold(False)
    rnd = random.Random(7)
    begin = time.monotonic()
    stop = begin + (60 if os.environ.get('TCM_LONG') else 5)
    counts = [0, 0]
    while time.monotonic() < stop or (min(counts) < 10 and time.monotonic() < begin + 60):
        out = []
        for i in range(24):
            s = rnd.choice((rig.s, rig.other))
            attr = rnd.choice((SIMPLE, SIMPLE, SIMPLE, ORDERED, HEAD_OF_QUEUE))
            out.append((s, submit(s, attr, i, rnd.choice((0, BH, DATA_LATER, BH | STATUS_LATE)))))
            if not rnd.randrange(8):
                s.tmf(ABORT_TASK, tag=out[-1][1])
        for s, tag in out:
            r = s.reap(tag)
            t.ok(r.good or r.outcome == NO_RESPONSE, 'storm: %s' % r)
            counts[not r.good] += 1
    t.ok(min(counts) >= 10, 'storm: both outcomes were seen: %r' % counts)
    print('task: storm: %d ended, %d aborted' % tuple(counts), flush=True)
    rig.h.hold()


def main():
    rig = Rig()
    for part in (no_aca, aborts, places, table, begin, storm):
        print('task: %s' % part.__name__, flush=True)
        part(rig)
    rig.destroy()
    t.eq(tfab.held_everywhere(), 0, 'accesses left')
    t.end()


main()
