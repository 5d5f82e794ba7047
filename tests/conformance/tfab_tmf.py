#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Task management while a backend holds the commands: what is answered, at once; what becomes of
the commands; who is told. Runs in a guest with tcm_test loaded."""
import os
import random
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import tfab
from sgio import Table
from tfab import (ABORT_TASK, ABORT_TASK_SET, BAD_LUN, BH, CLEAR_ACA, CLEAR_TASK_SET, COLD_RESET,
                  COMPLETE, DATA_HELD, DATA_LATER, LINGER, LUN_RESET, NO_RESPONSE, NOT_SUPPORTED,
                  NEXUS_RESET, QUERY_ASYNC_EVENT, QUERY_TASK, QUERY_TASK_SET, STATUS_LATE, SUCCEEDED, TASK_ABORTED, WARM_RESET, Held, Session,
                  Tpg, wait_until)

COMMANDS_CLEARED = (6, 0x2f, 0x00)
LUN_WAS_RESET = (6, 0x29, 0x03)
NEXUS_LOST = (6, 0x29, 0x07)
LIMIT = 1.0     # seconds for an answer, on an emulated machine that others share

t = Table('tmf')


def tmf(s, func, want, outstanding, what, **how):
    """A function is answered as it should be, in bounded time."""
    begin = time.monotonic()
    got = s.tmf(func, **how)
    took = time.monotonic() - begin
    t.eq(got, (want, outstanding), what)
    t.ok(took < LIMIT, '%s: took %.3f s' % (what, took))


def aborted(s, tag, what, status=None):
    """The command ended without response, or with a status when one is owed."""
    r = s.reap(tag)
    if status is None:
        t.ok(r.outcome == NO_RESPONSE, '%s: wanted no response, got %s' % (what, r))
    else:
        t.ok(r.status == status and not r.sense, '%s: wanted status %#x, got %s' % (what, status, r))


class Rig:
    """Two initiators with two sessions of the first, on a device that holds and another."""

    def __init__(self, tas=1):
        self.h, self.h2 = Held('h'), Held('h2', hba=1)
        tfab.write('core/%s/attrib/emulate_tas' % self.h.dev, tas)
        self.tpg = Tpg().enable()
        self.tpg.lun(0, self.h.dev)
        self.tpg.lun(1, self.h2.dev)
        for name in ('i0', 'i1'):
            self.tpg.acl(name)
            self.tpg.map(name, 0, 0)
            self.tpg.map(name, 300, 1)
        self.s = Session('t1', 1, 'i0')
        self.twin = Session('t1', 1, 'i0')
        self.other = Session('t1', 1, 'i1')
        self.all = (self.s, self.twin, self.other)
        for s in self.all:
            s.clear_ua(0)
            s.clear_ua(300)

    def held_read(self, s, lun=0, **how):
        """A read the backend has."""
        dev = self.h if lun == 0 else self.h2
        n = dev.held()
        tag = s.submit(tfab.cdb10(0x28, 8, 8), din=4096, lun=lun, **how)
        wait_until(lambda: dev.held() == n + 1, 'a read to be held')
        return tag

    def held_write(self, s, lba=0, mark=0xee, **how):
        n = self.h.held()
        tag = s.submit(tfab.cdb10(0x2a, lba, 1), dout=bytes([mark]) * 512, **how)
        wait_until(lambda: self.h.held() == n + 1, 'a write to be held')
        return tag

    def quiet(self, what):
        """Nothing is in flight and no unit attention pending."""
        self.h.release()
        self.h2.release()
        for i, s in enumerate(self.all):
            t.eq(s.info()[:3], (0, 0, 0), '%s: commands left of session %d' % (what, i))
            t.eq(s.clear_ua(0) + s.clear_ua(300), [], '%s: unit attentions of session %d' % (what, i))

    def destroy(self):
        for s in self.all:
            s.close()
        self.tpg.destroy()
        tfab.del_dev(self.h.dev)
        tfab.del_dev(self.h2.dev)


def abort_task(rig):
    """One command of one nexus."""
    s, other = rig.s, rig.other
    for flags in (0, BH, STATUS_LATE):
        first, second = rig.held_read(s, flags=flags), rig.held_write(s, flags=flags)
        foreign = rig.held_read(other, tag=first)       # the same tag on another nexus
        tmf(s, QUERY_TASK, SUCCEEDED, 0, 'query of a task', tag=first)
        tmf(s, ABORT_TASK, COMPLETE, 1, 'abort of a task', tag=first)
        t.ok(s.reap(first, block=False) is None, 'the backend still has the aborted command')
        tmf(s, QUERY_TASK, COMPLETE, 0, 'query of an aborted task', tag=first)
        tmf(s, ABORT_TASK, COMPLETE, 0, 'abort of an aborted task', tag=first)
        tmf(s, QUERY_TASK, SUCCEEDED, 0, 'query of the other task', tag=second)
        rig.h.release()
        aborted(s, first, 'aborted read')
        t.good(s.reap(second), 'the other command')
        t.good(other.reap(foreign), 'the same tag of another nexus')
    tmf(s, ABORT_TASK, COMPLETE, 0, 'abort of nothing', tag=12345)
    tmf(s, QUERY_TASK, COMPLETE, 0, 'query of nothing', tag=12345)
    # the same LUN it must be
    tag = rig.held_read(s)
    tmf(s, ABORT_TASK, COMPLETE, 0, 'abort of a task on another LUN', tag=tag, lun=300)
    tmf(s, ABORT_TASK, BAD_LUN, 0, 'abort on no LUN', tag=tag, lun=7)
    rig.h.release()
    t.good(s.reap(tag), 'command that was not aborted')
    # the tag is the initiator's again while the orphan is out
    for _ in range(3):
        tag = rig.held_read(s, tag=777)
        tmf(s, ABORT_TASK, COMPLETE, 1, 'abort, tag used again', tag=777)
    tag = rig.held_read(s, tag=777)
    rig.h.release()
    got = sorted(str(s.reap(777)) for _ in range(4))
    t.eq([r for r in got if r != 'no response'], ['status 0x00 resid 0, 4096 bytes'], 'tag used again: the last')
    t.eq(got.count('no response'), 3, 'tag used again: the aborted')
    rig.quiet('abort task')


def data_phase(rig):
    """A command that waits for data which will not come."""
    s = rig.s
    for how in (DATA_HELD, DATA_HELD | BH, DATA_HELD | STATUS_LATE):
        tag = s.submit(tfab.cdb10(0x2a, 0, 1), dout=bytes([0xbb]) * 512, flags=how)
        wait_until(lambda: s.info()[2] == 1, 'data to be held')
        tmf(s, QUERY_TASK, SUCCEEDED, 0, 'query in the data phase', tag=tag)
        tmf(s, ABORT_TASK, COMPLETE, 1, 'abort in the data phase', tag=tag)
        aborted(s, tag, 'write aborted in its data phase')
        t.eq(rig.h.held(), 0, 'the backend has not seen it')
        tag = s.submit(tfab.cdb10(0x2a, 0, 1), dout=bytes([0xbb]) * 512, flags=how)
        wait_until(lambda: s.info()[2] == 1, 'data to be held')
        tmf(rig.other, LUN_RESET, COMPLETE, 1, 'reset in the data phase')
        aborted(s, tag, 'write reset in its data phase', status=TASK_ABORTED)
        for sess in rig.all:
            t.eq(sess.clear_ua(0), [LUN_WAS_RESET], 'unit attention')
    rig.h.hold(False)
    r = s.read(0)
    t.ok(r.good and 0xbb not in r.data, 'nothing was written')
    rig.h.hold()
    rig.quiet('data phase')


def task_sets(rig):
    """ABORT TASK SET, CLEAR TASK SET, LUN RESET: whose commands, what status, which unit attention."""
    s, twin, other = rig.all
    for func, tas in ((ABORT_TASK_SET, 0), (ABORT_TASK_SET, 1), (CLEAR_TASK_SET, 0),
                      (CLEAR_TASK_SET, 1), (LUN_RESET, 0), (LUN_RESET, 1)):
        what = '%s TAS %d' % ({ABORT_TASK_SET: 'abort task set', CLEAR_TASK_SET: 'clear task set',
                               LUN_RESET: 'LUN reset'}[func], tas)
        # the attribute is not changed while the device is exported
        rig.destroy()
        rig.__init__(tas)
        s, twin, other = rig.all

        tmf(s, QUERY_TASK_SET, COMPLETE, 0, what + ': query of an empty task set')
        tags = [rig.held_read(s), rig.held_write(s), rig.held_read(s, flags=BH)]
        elsewhere = rig.held_read(s, lun=300)
        foreign = [rig.held_read(other), rig.held_write(other)]
        tmf(s, QUERY_TASK_SET, SUCCEEDED, 0, what + ': query')
        tmf(twin, QUERY_TASK_SET, COMPLETE, 0, what + ': query of a nexus without commands')
        mine_only = func == ABORT_TASK_SET
        tmf(s, func, COMPLETE, 3 if mine_only else 5, what)
        tmf(s, QUERY_TASK_SET, COMPLETE, 0, what + ': query afterwards')
        tmf(s, func, COMPLETE, 0, what + ': once more')
        tmf(other, QUERY_TASK_SET, SUCCEEDED if mine_only else COMPLETE, 0, what + ': query of the other')
        rig.h.release()
        rig.h2.release()
        for tag in tags:
            aborted(s, tag, what + ': own command')
        t.good(s.reap(elsewhere), what + ': command on another LUN')
        for tag in foreign:
            if mine_only:
                t.good(other.reap(tag), what + ': command of another nexus')
            else:
                aborted(other, tag, what + ': command of another nexus', status=TASK_ABORTED if tas else None)
        # who lost commands without being told by a status is told by a unit attention
        if func == LUN_RESET:
            want = ([LUN_WAS_RESET],) * 3
        elif func == CLEAR_TASK_SET and not tas:
            want = ([], [], [COMMANDS_CLEARED])
        else:
            want = ([], [], [])
        for sess, name, ua in zip(rig.all, ('sender', 'twin', 'other'), want):
            t.eq(sess.clear_ua(0), ua, '%s: unit attentions of %s' % (what, name))
            t.eq(sess.clear_ua(300), [], '%s: unit attentions of %s on another LUN' % (what, name))
        rig.quiet(what)


def two_numbers(rig):
    """Two LUNs of one initiator that are one device: a task set is that of the number."""
    s = rig.s
    rig.tpg.map('i0', 5, 0)
    s.clear_ua(0)
    s.clear_ua(5)
    tags = []
    for lun in (0, 5):
        tags.append(s.submit(tfab.cdb10(0x28, 8, 8), din=4096, lun=lun))
        wait_until(lambda: rig.h.held() == len(tags), 'a read to be held')
    tmf(s, QUERY_TASK, COMPLETE, 0, 'query by the other number', tag=tags[0], lun=5)
    tmf(s, ABORT_TASK_SET, COMPLETE, 1, 'abort of the task set of one number', lun=5)
    tmf(s, QUERY_TASK, SUCCEEDED, 0, 'the other task set is as it was', tag=tags[0])
    tmf(s, LUN_RESET, COMPLETE, 1, 'the reset is of the device', lun=5)
    rig.h.release()
    for tag in tags:
        aborted(s, tag, 'one device, two numbers')
    rig.tpg.unmap('i0', 5)
    for sess in rig.all:
        sess.clear_ua(0)
        sess.clear_ua(300)
    rig.quiet('two numbers')


def unsupported(rig):
    """A function that is not there says so, and does nothing."""
    tag = rig.held_read(rig.s)
    for func in (CLEAR_ACA, 200):
        resp, outstanding = rig.s.tmf(func)
        t.ok((resp, outstanding) in ((NOT_SUPPORTED, 0), (COMPLETE, 1)), 'function %d: %d' % (func, resp))
        if resp == NOT_SUPPORTED:
            tmf(rig.s, QUERY_TASK, SUCCEEDED, 0, 'the command is there', tag=tag)
    rig.h.release()
    rig.s.reap(tag)
    for sess in rig.all:
        sess.clear_ua(0)
        sess.clear_ua(300)
    rig.quiet('unsupported functions')


def events(rig):
    """QUERY ASYNCHRONOUS EVENT: a unit attention is told and stays."""
    s = rig.s
    tmf(s, QUERY_ASYNC_EVENT, COMPLETE, 0, 'query of events: none')
    t.eq(s.tmf_info, bytes(3), 'information: none')
    tmf(rig.other, LUN_RESET, COMPLETE, 0, 'reset')
    for _ in range(2):
        tmf(s, QUERY_ASYNC_EVENT, SUCCEEDED, 0, 'query of events: one')
        t.eq(s.tmf_info, bytes([0x16, 0x29, 0x03]), 'information: one')
    tmf(s, QUERY_ASYNC_EVENT, COMPLETE, 0, 'query of events: another LUN', lun=300)
    tmf(s, QUERY_ASYNC_EVENT, BAD_LUN, 0, 'query of events: no LUN', lun=7)
    rig.tpg.map('i0', 9, 1)
    tmf(s, QUERY_ASYNC_EVENT, SUCCEEDED, 0, 'query of events: two')
    t.eq(s.tmf_info, bytes([0x26, 0x29, 0x03]), 'information: two')
    rig.tpg.unmap('i0', 9)
    for sess in rig.all:
        sess.clear_ua(0)
        sess.clear_ua(300)
    rig.quiet('events')


def nexus_reset(rig):
    """I_T NEXUS RESET: all commands of the nexus on every LUN, and nothing of anybody else."""
    s, other = rig.s, rig.other
    tags = [rig.held_read(s), rig.held_write(s, lba=500), rig.held_read(s, lun=300)]
    foreign = [rig.held_read(rig.twin), rig.held_read(other)]
    tmf(s, NEXUS_RESET, COMPLETE, 3, 'nexus reset', lun=7)
    tmf(s, NEXUS_RESET, COMPLETE, 0, 'nexus reset once more')
    rig.h.release()
    rig.h2.release()
    for tag in tags:
        aborted(s, tag, 'nexus reset: own command')
    t.good(rig.twin.reap(foreign[0]), 'nexus reset: the twin')
    t.good(other.reap(foreign[1]), 'nexus reset: the other')
    for lun in (0, 300):
        t.eq(s.clear_ua(lun), [NEXUS_LOST], 'nexus reset: unit attention')
    # SPC-2: the nexus's reservation ends with it
    t.good(s.cmd([0x16, 0, 0, 0, 0, 0]), 'RESERVE(6)')
    t.ok(other.tur().status == 0x18, 'RESERVE(6) holds')
    tmf(other, NEXUS_RESET, COMPLETE, 0, 'nexus reset of the other')
    other.clear_ua(0)
    other.clear_ua(300)
    t.ok(other.tur().status == 0x18, 'RESERVE(6) holds still')
    tmf(s, NEXUS_RESET, COMPLETE, 0, 'nexus reset of the holder')
    s.clear_ua(0)
    s.clear_ua(300)
    t.good(other.tur(), 'the reservation went with its nexus')
    rig.quiet('nexus reset')


def target_reset(rig):
    """TARGET WARM and COLD RESET: every unit that the nexus reaches."""
    for func in (WARM_RESET, COLD_RESET):
        tags = [rig.held_read(rig.s), rig.held_read(rig.s, lun=300)]
        foreign = rig.held_read(rig.other, lun=300)
        tmf(rig.s, func, COMPLETE, 3, 'target reset', lun=7)
        rig.h.release()
        rig.h2.release()
        for tag in tags:
            aborted(rig.s, tag, 'target reset: own command')
        aborted(rig.other, foreign, 'target reset: command of another', status=TASK_ABORTED)
        for sess in rig.all:
            for lun in (0, 300):
                t.eq(sess.clear_ua(lun), [LUN_WAS_RESET], 'target reset: unit attention')
    rig.quiet('target reset')


def told(rig):
    """REPORT SUPPORTED TASK MANAGEMENT FUNCTIONS says of each what it does."""
    r = rig.s.cmd([0xa3, 0x0d, 0, 0, 0, 0, 0, 0, 0, 16, 0, 0], din=16)
    t.good(r, 'REPORT SUPPORTED TASK MANAGEMENT FUNCTIONS')
    bits = ((ABORT_TASK, 0, 7), (ABORT_TASK_SET, 0, 6), (CLEAR_ACA, 0, 5), (CLEAR_TASK_SET, 0, 4),
            (LUN_RESET, 0, 3), (QUERY_TASK, 0, 2), (QUERY_ASYNC_EVENT, 1, 2), (QUERY_TASK_SET, 1, 1),
            (NEXUS_RESET, 1, 0))
    for func, byte, bit in bits:
        resp = rig.s.tmf(func)[0]
        t.eq(resp != NOT_SUPPORTED, bool(r.data[byte] >> bit & 1), 'function %d and its bit' % func)
    for sess in rig.all:
        sess.clear_ua(0)
        sess.clear_ua(300)
    rig.quiet('functions that are told')


def storm(rig):
    """Commands end while they are aborted, slots are used again at once: what is aborted is what
    was meant. Even tags are never asked for; an odd one is aborted if and only if task management
    says so."""
    seconds = 60 if os.environ.get('TCM_LONG') else 8
    rig.h.hold(False)
    s = Session('t1', 1, 'i0', slots=6)
    s.clear_ua()
    begin = time.monotonic()
    recent = [1]
    counts = {'commands': 0, 'aborted': 0, 'missed': 0}
    said, bad = {}, []

    def more():
        # a slow machine takes longer to see both outcomes
        lasts = time.monotonic() - begin
        return lasts < seconds or (lasts < 60 and min(len(said), counts['missed']) <= 10)

    def aborter(seed):
        rnd = random.Random(seed)
        while more():
            tag = rnd.choice(recent[-4:])
            resp, n = s.tmf(ABORT_TASK, tag=tag)
            if resp != COMPLETE:
                bad.append('abort of %d: %d' % (tag, resp))
            if n:
                said[tag] = said.get(tag, 0) + n
            else:
                counts['missed'] += 1
    threads = [threading.Thread(target=aborter, args=(n,)) for n in range(2)]
    for th in threads:
        th.start()
    ways = (0, BH, DATA_LATER, DATA_LATER | BH, STATUS_LATE, DATA_LATER | STATUS_LATE, LINGER,
            LINGER | BH)
    tag, out, ends, latest = 0, 0, {}, {}

    def blocks(n):
        return set(range(n % 64, n % 64 + (3 if ways[n // 2 % len(ways)] & DATA_LATER else 1)))

    def fenced(n):
        # what comes to the blocks of a write that was aborted and has not ended is told BUSY: the
        # write began before the other ended, and may have overtaken it while data were awaited
        return any(m <= latest[n] and m != n and ways[m // 2 % len(ways)] & DATA_LATER and
                   blocks(m) & blocks(n) for m in said)
    while more() or out:
        if out < 6 and more():
            tag += 1
            flags = ways[tag // 2 % len(ways)]
            if tag % 2:
                recent.append(tag)
                del recent[:-8]
            if flags & DATA_LATER:
                s.submit(tfab.cdb10(0x2a, tag % 64, 3), dout=bytes(1536), flags=flags, tag=tag)
            else:
                s.submit(tfab.cdb10(0x28, tag % 64, 1), din=512, flags=flags, tag=tag)
            out += 1
            continue
        r = s.reap()
        out -= 1
        if r.tag in ends:
            bad.append('two results of %d' % r.tag)
        ends[r.tag] = r
        latest[r.tag] = tag
    for th in threads:
        th.join(20)
    counts['commands'] = tag
    for n, r in ends.items():
        asked = said.get(n, 0)
        if asked > 1:
            bad.append('%d was aborted %d times' % (n, asked))
        if r.status == 0x08 and r.outcome != NO_RESPONSE and fenced(n):
            continue
        if n % 2 == 0 and not r.good:
            bad.append('%d was never aborted: %s' % (n, r))
        if n % 2 and asked and r.outcome != NO_RESPONSE:
            bad.append('%d was aborted: %s' % (n, r))
        if n % 2 and not asked and not r.good:
            bad.append('%d was not aborted: %s' % (n, r))
        counts['aborted'] += bool(asked)
    print('tmf: storm: %r' % counts, flush=True)
    t.eq(len(ends), tag, 'storm: every command ended once')
    t.ok(counts['aborted'] > 10 and counts['missed'] > 10, 'storm: both outcomes were seen: %r' % counts)
    t.eq(bad[:5], [], 'storm')
    t.eq(s.info()[:3], (0, 0, 0), 'storm: commands left')
    s.close()
    rig.h.hold()
    rig.quiet('storm')


def main():
    rig = Rig()
    for part in (abort_task, data_phase, task_sets, two_numbers, unsupported, events, nexus_reset,
                 target_reset, told, storm):
        print('tmf: %s' % part.__name__, flush=True)
        part(rig)
    rig.destroy()
    t.eq(tfab.held_everywhere(), 0, 'accesses left')
    t.end()


main()
