#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Tracepoints: each event of events/tcm, and that its fields say what happened. Runs in a guest with
tcm_test loaded."""
import os
import re
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import tfab
from sgio import LBA_OUT_OF_RANGE, Table
from tfab import ABORT_TASK, COMPLETE, LUN_RESET, NO_RESPONSE, ORDERED, Held, Session, Tpg, wait_until

TRACE = '/sys/kernel/tracing/'
EVENTS = ['tcm_complete', 'tcm_sense', 'tcm_session', 'tcm_submit', 'tcm_tmf', 'tcm_ua']
UA_LUN_RESET = 2    # enum tcm_ua
LUN = 5

t = Table('trace')


def put(name, text):
    with open(TRACE + name, 'w') as f:
        f.write(text)


def events(name):
    """What was traced of an event since the trace was emptied, oldest first: the texts"""
    with open(TRACE + 'trace') as f:
        found = [re.search(r': (tcm_\w+): (.*)$', line) for line in f]
    return [m[2] for m in found if m and m[1] == name]


def traced(name, want, what):
    """The event was there once, and these were its fields."""
    hits = [e for e in events(name) if e == want]
    t.eq(len(hits), 1, '%s: "%s" among %s' % (what, want, events(name)))


def completed(tag, want, least, most, what):
    """A command's completion, with a latency between two numbers of seconds"""
    hits = [re.fullmatch(want + r' (\d+) ns', e) for e in events('tcm_complete') if ' tag %#x ' % tag in e]
    if t.ok(len(hits) == 1 and hits[0], '%s: "%s" once among %s' % (what, want, events('tcm_complete'))):
        ns = int(hits[0][1])
        t.ok(ns > 0 and least * 1e9 <= ns <= most * 1e9,
             '%s: a latency of %d ns, not of %.3f to %.3f s' % (what, ns, least, most))


def commands(s, h):
    """A read that takes a while, an ORDERED write, and one that is refused"""
    put('trace', '')
    begin = time.monotonic()
    s.submit(tfab.cdb10(0x28, 72, 8), din=4096, lun=LUN, tag=0xabc1)
    wait_until(lambda: h.held() == 1, 'a read to be held')
    mid = time.monotonic()
    time.sleep(0.2)
    kept = time.monotonic() - mid
    h.release()
    t.ok(s.reap(0xabc1).good, 'a read')
    took = time.monotonic() - begin
    traced('tcm_submit', 'i0 lun 5 tag 0xabc1 op 0x28 lba 72 len 4096 attr 0', 'a read')
    completed(0xabc1, 'i0 lun 5 tag 0xabc1 op 0x28 status 0x00 len 4096', kept, took, 'a read')

    h.hold(False)
    begin = time.monotonic()
    t.ok(s.write(9, bytes(1024), lun=LUN, attr=ORDERED, tag=0xabc2).good, 'a write')
    took = time.monotonic() - begin
    traced('tcm_submit', 'i0 lun 5 tag 0xabc2 op 0x2a lba 9 len 1024 attr 1', 'a write')
    completed(0xabc2, 'i0 lun 5 tag 0xabc2 op 0x2a status 0x00 len 1024', 0, took, 'a write')
    t.eq(events('tcm_sense'), [], 'no sense so far')

    begin = time.monotonic()
    t.bad(s.read(1 << 20, lun=LUN, tag=0xabc3), LBA_OUT_OF_RANGE, 'a read beyond the end')
    took = time.monotonic() - begin
    traced('tcm_sense', 'i0 lun 5 tag 0xabc3 op 0x28 sense 5/21/00', 'a read beyond the end')
    completed(0xabc3, 'i0 lun 5 tag 0xabc3 op 0x28 status 0x02 len 0', 0, took, 'a read beyond the end')
    for name in ('tcm_session', 'tcm_tmf', 'tcm_ua'):
        t.eq(events(name), [], 'nothing of %s' % name)


def management(s, h):
    """Functions, and what they make known"""
    put('trace', '')
    h.hold()
    s.submit(tfab.cdb10(0x28, 0, 1), din=512, lun=LUN, tag=0xabc4)
    wait_until(lambda: h.held() == 1, 'a read to be held')
    t.eq(s.tmf(ABORT_TASK, LUN, 0xabc4), (COMPLETE, 1), 'ABORT TASK')
    traced('tcm_tmf', 'i0 func 0 tag 0xabc4 resp 0 outstanding 1', 'ABORT TASK')
    t.eq(events('tcm_ua'), [], 'no unit attention of ABORT TASK')
    h.release()
    t.eq(s.reap(0xabc4).outcome, NO_RESPONSE, 'what was aborted')
    t.eq(s.tmf(LUN_RESET, LUN), (COMPLETE, 0), 'LOGICAL UNIT RESET')
    traced('tcm_tmf', 'i0 func 4 tag 0x0 resp 0 outstanding 0', 'LOGICAL UNIT RESET')
    traced('tcm_ua', 'i0 lun 5 ua %d' % UA_LUN_RESET, 'LOGICAL UNIT RESET')
    traced('tcm_ua', 'i1 lun 0 ua %d' % UA_LUN_RESET, 'LOGICAL UNIT RESET, the other nexus')
    t.eq(len(events('tcm_ua')), 2, 'unit attentions')
    s.tur(LUN, tag=0xabc5)
    traced('tcm_sense', 'i0 lun 5 tag 0xabc5 op 0x00 sense 6/29/03', 'the unit attention told')


def main():
    found = sorted(d for d in os.listdir(TRACE + 'events/tcm') if os.path.isdir(TRACE + 'events/tcm/' + d))
    t.eq(found, EVENTS, 'the events')
    h = Held('h', hold=False)
    tpg = Tpg().enable()
    tpg.lun(0, h.dev)
    for name, number in ('i0', LUN), ('i1', 0):
        tpg.acl(name)
        tpg.map(name, number, 0)
    put('trace', '')
    put('events/tcm/enable', '1')
    try:
        with Session('t1', 1, 'i0') as s, Session('t1', 1, 'i1') as other:
            traced('tcm_session', 'i0 t1,t,0x1 up', 'a session')
            traced('tcm_session', 'i1 t1,t,0x1 up', 'the other session')
            s.clear_ua(LUN)
            other.clear_ua()
            h.hold()
            commands(s, h)
            management(s, h)
        traced('tcm_session', 'i0 t1,t,0x1 down', 'a session that ends')
        traced('tcm_session', 'i1 t1,t,0x1 down', 'the other session')
    finally:
        put('events/tcm/enable', '0')
    tpg.destroy()
    tfab.del_dev(h.dev)
    t.end()


main()
