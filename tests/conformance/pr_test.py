#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Persistent reservations over three loopback ports of one disk: what each service action does to
state, generation and unit attentions, who may do what, and every way to be refused. Needs our
target to be loaded.
"""
import os
import random
import struct
import threading

import copy_test
import odx_test
from commands import BLOCK, COMMANDS, REFERRALS, REMOVABLE, SPC2_ALLOWED, UNDO, UNKNOWN, rows, send
from pr import (CLEAR, EA, EAAR, EARO, PREEMPT, PREEMPT_ABORT, REGISTER, REGISTER_IGNORE, REGISTER_MOVE,
                RELEASE, RELEASE_6, RELEASE_10, REPLACE_LOST, RESERVE, RESERVE_6, RESERVE_10, TYPES, WE,
                WEAR, WERO, Pr, fcp_tid, iscsi_tid, move_list, plist, prin, prout, sas_tid)
from sgio import (CHECK_CONDITION, GOOD, INVALID_FIELD_CDB, INVALID_FIELD_PARAM, PARAM_LIST_LENGTH,
                  RESERVATION_CONFLICT, Device, Table)
from target import CFS, NoDiskDriver, Target, read, write

LONG = os.environ.get('TCM_LONG')
SERIAL = '6a1b6a1b-0000-4000-8000-00000000c0de'
NEXUS = 0x5001405fffffffff
RES_PREEMPTED, RES_RELEASED, REG_PREEMPTED = (6, 0x2a, 3), (6, 0x2a, 4), (6, 0x2a, 5)
INVALID_RELEASE = (5, 0x26, 4)
APTPL, ALL_TG_PT, SPEC_I_PT = 1, 4, 8
UNREG = 2
NOBODY = 'No SPC-3 Reservation holder'

t = Table('pr')


def conflict(r, what):
    return t.ok(r.status == RESERVATION_CONFLICT and not r.sense, '%s: wanted RESERVATION CONFLICT, got %s' % (what, r))


def try_all(who, table, kept_out, what):
    """Every command of one nexus; kept_out: classes that conflict"""
    for row in table:
        r = send(who.dev, row)
        name = '%s: %02x/%s' % (what, row[0][0], row[0][1])
        if row[1][0] in kept_out:
            conflict(r, name)
        else:
            if row[0] in UNKNOWN:
                t.bad(r, (5, 0x24, 0), name)
            else:
                t.good(r, name)
            if row[0] in UNDO:
                t.good(send(who.dev, (None, COMMANDS[UNDO[row[0]]])), name + ' undone')
                who.dev.clear_ua()


def clean(*nexuses):
    nexuses[0].reset()
    for who in nexuses:
        who.dev.clear_ua()


def conflicts(a, b, c, only=None, types=TYPES, **kind):
    """a holds, b is registered, c is a stranger"""
    table = [row for row in rows(t, a.dev, **kind) if only is None or row[0] in only]
    for pr_type in types:
        clean(a, b, c)
        t.good(a.register(), 'register a')
        t.good(b.register(), 'register b')
        t.good(a.out(RESERVE, pr_type), 'reserve %d' % pr_type)
        out = 'C' if pr_type in (WE, WERO, WEAR) else 'RC'
        try_all(a, table, '', 'type %d holder' % pr_type)
        for who in (b, c):
            who.dev.clear_ua()
        try_all(b, table, out if pr_type in (WE, EA) else '', 'type %d registrant' % pr_type)
        c.dev.clear_ua()
        try_all(c, table, out, 'type %d stranger' % pr_type)
    clean(a, b, c)


def others(tgt, nexuses, tpgs):
    """Commands of a unit whose medium can be taken out and that has a map of blocks"""
    dev = tgt.device('rd_mcp', 'other', 'rd_pages=256', serial='5ba2e000-0000-4000-8000-00000000c0df', emulate_tpu=1, removable=1)
    write(dev + '/lba_map', '0 0\n0 2047 0:O\n')
    there = [Pr(Device(tpg.lun(2, dev, 'scsi_generic')), who.key) for who, tpg in zip(nexuses, tpgs)]
    for who in there:
        who.dev.clear_ua()
    conflicts(*there, only=REMOVABLE | REFERRALS | {(0x1b, None), (0x1b, 'stop')}, removable=True, referrals=True)
    for who in there:
        who.dev.close()


def copies(a, b, c, spare):
    """EXTENDED COPY sent to another unit is judged as READ and WRITE of the reserved one."""
    disk, other = copy_test.Unit(c.dev.path), copy_test.Unit(spare)
    names = [copy_test.cscd(disk.naa), copy_test.cscd(other.naa)]
    for pr_type in TYPES:
        clean(a, b, c)
        t.good(a.register(), 'register a')
        t.good(a.out(RESERVE, pr_type), 'reserve %d' % pr_type)
        what = 'type %d: copy by a stranger ' % pr_type
        r = other.copy(copy_test.plist(names, [copy_test.blocks(8, 0, 0)]))
        if pr_type in (WE, WERO, WEAR):
            t.good(r, what + 'from the reserved unit')
        else:
            conflict(r, what + 'from the reserved unit')
        conflict(other.copy(copy_test.plist(names, [copy_test.blocks(8, 0, 0, 1, 0)])), what + 'to the reserved unit')
        t.good(other.copy(copy_test.plist(names, [copy_test.blocks(8, 0, 16, 1, 1)])), what + 'elsewhere')
    clean(a, b, c)
    for u in (disk, other):
        u.dev.close()


def fenced(a, b, c, spare):
    """PREEMPT AND ABORT ends the copies to the unit, those in the background and asked of another unit."""
    ended = 0
    for attempt in range(12):
        clean(a, b, c)
        disk, other = copy_test.Unit(c.dev.path), copy_test.Unit(spare)
        names = [copy_test.cscd(other.naa), copy_test.cscd(disk.naa)]
        t.good(a.register(), 'register a')
        t.good(c.register(), 'register c')
        t.good(c.out(RESERVE, WE), 'reserve')
        segments = [copy_test.offsets(1 << 20, 0, 0, source=1, dest=2)] * 16
        t.good(odx_test.copy4(other, odx_test.list4(names, segments, attempt, flags=1)), 'copy in the background')
        t.good(a.out(PREEMPT_ABORT, WE, sa_key=c.key), 'PREEMPT AND ABORT')
        info = odx_test.Info(odx_test.told(other, attempt, 5).data)
        t.ok(info.status in (odx_test.DONE, odx_test.FAILED, odx_test.TERMINATED), 'a copy of a preempted nexus: %#x' % info.status)
        ended += info.status != odx_test.DONE
        disk.dev.close()
        other.dev.close()
    t.ok(ended, 'no copy was met while it ran')
    clean(a, b, c)


def spc2(a, b, c):
    table = rows(t, a.dev)
    for reserve, release in ((RESERVE_6, RELEASE_6), (RESERVE_10, RELEASE_10)):
        clean(a, b, c)
        t.good(a.dev.cmd(reserve), 'RESERVE')
        t.good(a.dev.cmd(reserve), 'RESERVE again')
        t.eq(read(a.pr + '/res_holder').strip(), 'SPC-2 Reservation: loopback Initiator: naa.%x' % NEXUS,
             'res_holder')
        t.eq(read(a.pr + '/res_type').strip(), 'SPC2_RESERVATIONS', 'res_type')
        for row in table:
            r = send(b.dev, row)
            name = 'SPC-2 reserved: %02x/%s' % row[0]
            if row[0] in SPC2_ALLOWED:
                t.good(r, name)
            else:
                conflict(r, name)
        conflict(b.dev.cmd(reserve), 'RESERVE of another')
        t.good(b.dev.cmd(release), 'RELEASE of another does nothing')
        for sa in range(4):
            conflict(a.read(sa), 'PR IN %d of the holder of an SPC-2 reservation' % sa)
        conflict(a.register(), 'PR OUT of the holder of an SPC-2 reservation')
        conflict(b.register(), 'PR OUT of another')
        t.good(a.dev.cmd([0x2a, 0, 0, 0, 0, 0, 0, 0, 1, 0], data_out=BLOCK), 'the holder writes')
        t.good(a.dev.cmd(release), 'RELEASE')
        t.good(b.dev.cmd(reserve), 'RESERVE of the other after it')
        t.good(b.dev.cmd(release), 'RELEASE of the other')
    # compatible reservation handling, SPC-4 5.13.3
    for pr_type in TYPES:
        clean(a, b, c)
        a.register()
        conflict(a.dev.cmd(RESERVE_6), 'RESERVE: registered, nothing reserved')
        conflict(c.dev.cmd(RELEASE_6), 'RELEASE of a stranger: registrations')
        b.register()
        a.out(RESERVE, pr_type)
        for cdb in (RESERVE_6, RESERVE_10, RELEASE_6, RELEASE_10):
            t.good(a.dev.cmd(cdb), 'type %d: %02x of the holder' % (pr_type, cdb[0]))
            r = b.dev.cmd(cdb)
            if pr_type in (WE, EA):
                conflict(r, 'type %d: %02x of a registrant' % (pr_type, cdb[0]))
            else:
                t.good(r, 'type %d: %02x of a registrant' % (pr_type, cdb[0]))
            conflict(c.dev.cmd(cdb), 'type %d: %02x of a stranger' % (pr_type, cdb[0]))
        t.eq(a.reservation(), (0 if pr_type >= WEAR else a.key, pr_type), 'the reservation is as it was')
    clean(a, b, c)


# ---- service actions --------------------------------------------------------

def registering(a, b, c):
    clean(a, b, c)
    gen = a.generation()
    conflict(a.out(REGISTER, key=5, sa_key=1), 'REGISTER with a key, not registered')
    conflict(a.out(RESERVE, WE), 'RESERVE, not registered')
    for sa in (RELEASE, CLEAR, PREEMPT, PREEMPT_ABORT):
        conflict(a.out(sa, WE, sa_key=1), 'service action %d, not registered' % sa)
    conflict(a.move(9, 1, sas_tid(1)), 'MOVE, not registered')
    t.eq(a.keys(), (gen, []), 'nothing happened')
    t.good(a.out(REGISTER, key=0, sa_key=0), 'REGISTER nothing')
    t.good(a.out(REGISTER, key=0, sa_key=a.key), 'REGISTER')
    t.eq(a.keys(), (gen + 2, [a.key]), 'keys')
    conflict(a.out(REGISTER, key=0, sa_key=7), 'REGISTER again without the key')
    conflict(a.out(REGISTER, key=7, sa_key=8), 'REGISTER with another key')
    t.good(a.out(REGISTER, sa_key=0x77), 'change the key')
    t.eq(a.keys(), (gen + 3, [0x77]), 'key changed')
    t.good(a.out(REGISTER_IGNORE, key=0x1234, sa_key=a.key), 'change it, whatever it was')
    t.good(b.register(), 'another')
    t.eq(a.keys(), (gen + 5, [a.key, b.key]), 'two keys')
    conflict(b.out(RESERVE, WE, key=a.key), 'RESERVE with somebody else\'s key')
    t.good(a.out(REGISTER, sa_key=0), 'unregister')
    t.eq(a.keys(), (gen + 6, [b.key]), 'one key')
    t.good(b.out(REGISTER_IGNORE, key=0, sa_key=0), 'unregister, ignoring the key')
    t.eq(a.keys(), (gen + 7, []), 'no key')
    for who in (a, b, c):
        t.eq(who.dev.clear_ua(), [], 'no unit attention')


def unregister_holder(a, b, c):
    """SPC-4 5.13.11.3"""
    for pr_type in TYPES:
        clean(a, b, c)
        a.register(), b.register()
        a.out(RESERVE, pr_type)
        t.good(a.out(REGISTER, sa_key=0), 'the holder unregisters')
        if pr_type >= WEAR:
            t.eq(b.reservation(), (0, pr_type), 'all registrants: still reserved')
            t.good(b.out(REGISTER, sa_key=0), 'the last one unregisters')
        t.eq(a.reservation(), None, 'type %d: released' % pr_type)
        t.eq(b.dev.clear_ua(), [RES_RELEASED] if pr_type in (WERO, EARO) else [], 'type %d: told' % pr_type)
        t.eq(a.dev.clear_ua() + c.dev.clear_ua(), [], 'type %d: not told' % pr_type)


def reserving(a, b, c):
    for pr_type in TYPES:
        clean(a, b, c)
        a.register(), b.register()
        gen = a.generation()
        t.good(a.out(RESERVE, pr_type), 'RESERVE')
        t.good(a.out(RESERVE, pr_type), 'RESERVE again')
        for other in TYPES:
            if other != pr_type:
                conflict(a.out(RESERVE, other), 'RESERVE %d by the holder of %d' % (other, pr_type))
        r = b.out(RESERVE, pr_type)
        if pr_type >= WEAR:
            t.good(r, 'all registrants hold it')
        else:
            conflict(r, 'RESERVE of another')
            t.good(b.out(RELEASE, pr_type), 'RELEASE of another: nothing')
        t.eq(b.reservation(), (0 if pr_type >= WEAR else a.key, pr_type), 'READ RESERVATION')
        t.eq([(k, h, y) for k, _, h, y, _, _ in b.full()],
             [(a.key, True, pr_type), (b.key, pr_type >= WEAR, pr_type if pr_type >= WEAR else 0)], 'FULL STATUS')
        t.bad(a.out(RELEASE, WE if pr_type != WE else EA), INVALID_RELEASE, 'RELEASE of another type')
        conflict(a.out(RELEASE, pr_type, key=99), 'RELEASE with another key')
        t.good(a.out(RELEASE, pr_type), 'RELEASE')
        t.good(a.out(RELEASE, pr_type), 'RELEASE of nothing')
        t.eq(a.reservation(), None, 'released')
        t.eq(b.dev.clear_ua(), [] if pr_type in (WE, EA) else [RES_RELEASED], 'type %d: told of RELEASE' % pr_type)
        t.eq(a.dev.clear_ua() + c.dev.clear_ua(), [], 'not told of RELEASE')
        t.eq(a.generation(), gen, 'RESERVE and RELEASE leave the generation')
    a.out(RESERVE, WE)
    t.good(a.out(CLEAR), 'CLEAR')
    t.eq(a.keys(), (gen + 1, []), 'no key after CLEAR')
    t.eq(a.reservation(), None, 'no reservation after CLEAR')
    t.eq([w.dev.clear_ua() for w in (a, b, c)], [[], [RES_PREEMPTED], []], 'who is told of CLEAR')


def preempting(a, b, c):
    for sa in (PREEMPT, PREEMPT_ABORT):
        for old in TYPES:
            for new in TYPES:
                clean(a, b, c)
                for who in (a, b, c):
                    who.register()
                a.out(RESERVE, old)
                gen = b.generation()
                key = 0 if old >= WEAR else a.key
                t.good(b.out(sa, new, sa_key=key), 'PREEMPT %d by %d' % (old, new))
                left = [b.key] if old >= WEAR else [b.key, c.key]
                t.eq(b.keys(), (gen + 1, left), 'keys after PREEMPT')
                t.eq(b.reservation(), (0 if new >= WEAR else b.key, new), 'reservation after PREEMPT')
                t.eq(a.dev.clear_ua(), [REG_PREEMPTED], 'the preempted is told')
                told = [REG_PREEMPTED] if old >= WEAR else [RES_RELEASED] if old != new else []
                t.eq(c.dev.clear_ua(), told, 'preempt %d by %d: the third is told' % (old, new))
                t.eq(b.dev.clear_ua(), [], 'the preempter is not')
    clean(a, b, c)
    a.register()
    b.register()
    conflict(a.out(PREEMPT, WE, sa_key=0x999), 'PREEMPT of a key that is not there')
    t.bad(a.out(PREEMPT, WE, sa_key=0), INVALID_FIELD_PARAM, 'PREEMPT of key 0, not reserved')
    t.good(a.out(PREEMPT, WE, sa_key=b.key), 'PREEMPT, not reserved')
    t.eq(a.keys()[1], [a.key], 'the key is gone')
    t.eq(a.reservation(), None, 'nothing is reserved')
    t.eq(b.dev.clear_ua(), [REG_PREEMPTED], 'told')
    b.register()
    a.out(RESERVE, WERO)
    t.bad(b.out(PREEMPT, WE, sa_key=0), INVALID_FIELD_PARAM, 'PREEMPT of key 0')
    t.good(a.out(PREEMPT, EARO, sa_key=a.key), 'the holder preempts itself')
    t.eq(a.reservation(), (a.key, EARO), 'to another type')
    t.eq(b.dev.clear_ua(), [RES_RELEASED], 'others are told')
    t.good(a.out(PREEMPT, EARO, sa_key=b.key), 'one that holds nothing')
    t.eq((a.keys()[1], a.reservation()), ([a.key], (a.key, EARO)), 'only its registration goes')
    t.bad(a.out(PREEMPT, 2, sa_key=a.key), INVALID_FIELD_CDB, 'a type there is not')
    # all registrants, one key
    clean(a, b, c)
    a.register(), b.register()
    a.out(RESERVE, EAAR)
    t.good(a.out(PREEMPT, WE, sa_key=b.key), 'a key of all registrants')
    t.eq((a.keys()[1], a.reservation()), ([a.key], (0, EAAR)), 'the reservation stays')
    clean(a, b, c)


def moving(a, b, c):
    """REGISTER AND MOVE, SPC-4 5.13.8"""
    clean(a, b, c)
    tid = sas_tid(NEXUS)
    a.register()
    t.bad(a.move(5, b.rtpi, tid), INVALID_FIELD_CDB, 'MOVE, nothing reserved')
    b.register()
    a.out(RESERVE, WERO)
    conflict(b.move(5, c.rtpi, tid), 'MOVE by who does not hold it')
    conflict(a.move(5, b.rtpi, tid, key=1), 'MOVE with another key')
    t.bad(a.move(0, b.rtpi, tid), INVALID_FIELD_PARAM, 'MOVE to key 0')
    t.bad(a.move(5, 0x7777, tid), INVALID_FIELD_PARAM, 'MOVE to a port there is not', field=18, param=True)
    t.bad(a.move(5, a.rtpi, tid), INVALID_FIELD_PARAM, 'MOVE to itself')
    t.bad(a.move(5, b.rtpi, fcp_tid(NEXUS)), INVALID_FIELD_PARAM, 'MOVE to another protocol', field=18, param=True)
    gen = a.generation()
    t.good(a.move(0x55, c.rtpi, tid), 'MOVE to one that is not registered')
    t.eq(a.keys(), (gen + 1, [a.key, b.key, 0x55]), 'registered by it')
    t.eq(a.reservation(), (0x55, WERO), 'holds')
    t.good(Pr(c.dev, 0x55).move(b.key, b.rtpi, tid, flags=UNREG), 'MOVE on, unregister')
    t.eq(a.keys(), (gen + 2, [a.key, b.key]), 'unregistered')
    t.eq(a.reservation(), (b.key, WERO), 'moved on')
    t.eq([w.dev.clear_ua() for w in (a, b, c)], [[], [], []], 'nobody is told')
    t.good(b.out(RELEASE, WERO), 'the new holder releases')
    a.dev.clear_ua()
    b.out(RESERVE, EAAR)
    conflict(b.move(5, c.rtpi, tid), 'MOVE of all registrants')
    clean(a, b, c)


def spec_i_pt(a, b, c):
    clean(a, b, c)
    tids = sas_tid(0x1111) + sas_tid(0x2222)
    tail = struct.pack('>I', len(tids)) + tids
    gen = a.generation()
    t.good(a.out(REGISTER, key=0, sa_key=a.key, flags=SPEC_I_PT, tail=tail), 'SPEC_I_PT')
    full = a.full()
    t.eq([(k, p, x) for k, _, _, _, p, x in full],
         [(a.key, a.rtpi, sas_tid(NEXUS)), (a.key, a.rtpi, sas_tid(0x1111)), (a.key, a.rtpi, sas_tid(0x2222))],
         'the named are registered')
    t.eq(a.generation(), gen + 1, 'generation')
    t.bad(a.out(REGISTER, sa_key=9, flags=SPEC_I_PT, tail=tail), INVALID_FIELD_CDB, 'SPEC_I_PT, registered')
    for sa in (RESERVE, RELEASE, CLEAR, PREEMPT, PREEMPT_ABORT, REGISTER_IGNORE):
        t.bad(a.out(sa, WE, sa_key=a.key, flags=SPEC_I_PT, tail=tail), INVALID_FIELD_PARAM,
              'SPEC_I_PT with %d' % sa, field=(20, 3), param=True)
    clean(a, b, c)
    t.good(a.out(REGISTER, key=0, sa_key=a.key, flags=ALL_TG_PT), 'ALL_TG_PT')
    t.eq(sorted((k, p) for k, _, _, _, p, _ in a.full()), sorted((a.key, w.rtpi) for w in (a, b, c)),
         'registered at every port')
    # Each of them is told of by itself, and then the bit is zero (SPC-4 6.15.5)
    t.ok(not any(everywhere for _, everywhere, _, _, _, _ in a.full()), 'ALL_TG_PT of a descriptor of one port')
    t.good(b.out(RESERVE, WE, key=a.key), 'another port reserves')
    t.eq(read(a.pr + '/res_pr_all_tgt_pts').strip(),
         'SPC-3 Reservation: All Target Ports registration', 'res_pr_all_tgt_pts')
    t.good(b.out(RELEASE, WE, key=a.key), 'and releases')
    t.good(a.out(REGISTER, sa_key=0, flags=ALL_TG_PT), 'unregister everywhere')
    t.eq(a.keys()[1], [], 'gone everywhere')
    t.good(a.out(REGISTER, key=0, sa_key=3, flags=ALL_TG_PT | SPEC_I_PT,
                 tail=struct.pack('>I', 24) + sas_tid(0x77)), 'both')
    t.eq(len(a.full()), 6, 'two initiators at three ports')
    clean(a, b, c)


def malformed(a, b, c):
    """Every length, and bytes that mean nothing; the state is as before."""
    clean(a, b, c)
    a.register()
    b.register()
    a.out(RESERVE, WERO)
    before = a.keys(), a.reservation()
    good = plist(a.key, 0x4444)
    for sa in range(8):
        for length in range(0, 24 if LONG or sa in (0, 7) else 24, 1 if LONG or sa in (0, 7) else 5):
            r = a.dev.cmd(prout(sa, WERO, length=length), data_out=good[:length])
            t.bad(r, PARAM_LIST_LENGTH, 'service action %d with %d bytes' % (sa, length))
        if sa not in (REGISTER_MOVE,):
            for length in (25, 28, 48, 512):
                r = a.dev.cmd(prout(sa, WERO, length=length), data_out=good.ljust(length, b'\0'))
                t.bad(r, PARAM_LIST_LENGTH, 'service action %d with %d bytes' % (sa, length))
    for tail in [b'', b'\0\0\0', struct.pack('>I', 24), struct.pack('>I', 23) + bytes(23),
                 struct.pack('>I', 25) + sas_tid(1), struct.pack('>I', 23) + sas_tid(1),
                 struct.pack('>I', 0xffffffff) + sas_tid(1)]:
        r = c.out(REGISTER, key=0, sa_key=1, flags=SPEC_I_PT, tail=tail)
        t.bad(r, PARAM_LIST_LENGTH, 'SPEC_I_PT with %s' % tail.hex())
    bad_tids = [bytes(24), b'\xff' * 24, fcp_tid(1), sas_tid(0), b'\x46' + sas_tid(1)[1:],
                sas_tid(1)[:23] + b'\1', b'\x06\1' + sas_tid(1)[2:], sas_tid(1) + b'\6' + bytes(23),
                iscsi_tid('iqn.2003-01.org.example:x'), iscsi_tid('iqn.2003-01.org.example:x', 5),
                sas_tid(1) + b'\6\0\0\0']
    for tid in bad_tids:
        r = c.out(REGISTER, key=0, sa_key=1, flags=SPEC_I_PT, tail=struct.pack('>I', len(tid)) + tid)
        t.bad(r, INVALID_FIELD_PARAM, 'TransportID %s' % tid.hex())
        r = a.move(5, b.rtpi, tid)
        t.bad(r, INVALID_FIELD_PARAM, 'MOVE to TransportID %s' % tid.hex())
    move = move_list(a.key, 5, b.rtpi, sas_tid(NEXUS))
    for length in list(range(24, len(move))) + [len(move) + 1]:
        r = a.dev.cmd(prout(REGISTER_MOVE, length=length), data_out=move.ljust(length, b'\0')[:length])
        t.bad(r, PARAM_LIST_LENGTH, 'MOVE with %d bytes' % length)
    for scope in range(1, 16):
        t.bad(a.out(RESERVE, WERO, scope=scope), INVALID_FIELD_CDB, 'RESERVE with scope %d' % scope)
    for pr_type in set(range(16)) - set(TYPES):
        t.bad(a.out(RESERVE, pr_type), INVALID_FIELD_CDB, 'RESERVE with type %d' % pr_type)
    for sa in range(8, 32):
        t.bad(a.dev.cmd(prout(sa), data_out=good), INVALID_FIELD_CDB, 'PR OUT %d' % sa)
    for sa in range(4, 32):
        t.bad(a.dev.cmd(prin(sa, 64), data_in=64), INVALID_FIELD_CDB, 'PR IN %d' % sa)
    random.seed(1)
    for _ in range(20000 if LONG else 500):
        sa = random.randrange(8)
        data = bytes(random.choice((0, 0, 0, 1, 6, 0x45, random.randrange(256))) for _ in range(random.randrange(24, 120)))
        if sa in (REGISTER_IGNORE,) or not any(data[:8]):
            data = b'\1' + data[1:]
            sa = sa if sa != REGISTER_IGNORE else PREEMPT
        r = c.dev.cmd(prout(sa, random.choice(TYPES), length=len(data)), data_out=data)
        t.ok(r.status in (CHECK_CONDITION, RESERVATION_CONFLICT), 'random bytes: %s' % r)
    t.eq((a.keys(), a.reservation()), before, 'state and generation are as before')
    for sa in range(4):
        whole = a.read(sa).data
        for alloc in list(range(0, len(whole) + 2)) + [0xffff]:
            r = a.dev.cmd(prin(sa, alloc), data_in=max(alloc, 1))
            t.eq((r.status, r.data[:alloc]), (GOOD, whole[:alloc]), 'PR IN %d, allocation length %d' % (sa, alloc))
    clean(a, b, c)


def capabilities(a):
    t.eq(a.read(2).data, bytes([0, 8, 0x9d, 0x80, 0xea, 1, 0, 0]), 'REPORT CAPABILITIES')


def files(a, b, c, dev):
    """pr/ of configfs"""
    clean(a, b, c)
    pr = dev + '/pr'
    t.eq(read(pr + '/res_pr_registered_i_pts'), 'SPC-3 PR Registrations:\nNone\n', 'none registered')
    for name in ('res_holder', 'res_pr_all_tgt_pts', 'res_pr_holder_tg_port', 'res_pr_type'):
        t.eq(read('%s/%s' % (pr, name)).strip(), NOBODY, name)
    a.register()
    gen = a.generation()
    b.register()
    b.out(RESERVE, EARO)
    t.eq(read(pr + '/res_holder'), 'SPC-3 Reservation: loopback Initiator: naa.%x\n' % NEXUS, 'res_holder')
    t.eq(read(pr + '/res_pr_type'), 'SPC-3 Reservation Type: Exclusive Access, Registrants Only\n', 'res_pr_type')
    t.eq(read(pr + '/res_pr_generation'), '0x%08x\n' % (gen + 1), 'res_pr_generation')
    t.eq(read(pr + '/res_type'), 'SPC3_PERSISTENT_RESERVATIONS\n', 'res_type')
    t.eq(read(pr + '/res_pr_all_tgt_pts'), 'SPC-3 Reservation: Single Target Port registration\n', 'all_tgt_pts')
    t.eq(read(pr + '/res_pr_holder_tg_port'),
         'SPC-3 Reservation: loopback Target Node Endpoint: %s\n'
         'SPC-3 Reservation: Relative Port Identifier Tag: %d loopback Portal Group Tag: 1 loopback '
         'Logical Unit: 0\n' % (b.wwn, b.rtpi), 'res_pr_holder_tg_port')
    t.eq(read(pr + '/res_pr_registered_i_pts').splitlines()[1:],
         ['loopback Node: naa.%x Key: 0x%016x PRgen: 0x%08x' % (NEXUS, k, g)
          for k, g in ((a.key, gen), (b.key, gen + 1))], 'res_pr_registered_i_pts')
    write(dev + '/attrib/emulate_pr', 0)
    t.eq(read(pr + '/res_holder'), 'SPC_RESERVATIONS_DISABLED\n', 'emulate_pr 0')
    t.bad(a.read(0), (5, 0x20, 0), 'PR IN, emulate_pr 0')
    t.bad(a.dev.cmd(RESERVE_6), (5, 0x20, 0), 'RESERVE, emulate_pr 0')
    t.good(c.dev.cmd(COMMANDS[0x28, None][1], data_in=512), 'nothing is reserved, emulate_pr 0')
    write(dev + '/attrib/emulate_pr', 1)
    conflict(c.dev.cmd(COMMANDS[0x28, None][1], data_in=512), 'reserved as before')
    clean(a, b, c)


def storm(nexuses):
    """Everybody preempts everybody at once; whatever comes of it is consistent."""
    clean(*nexuses)
    stop = threading.Event()
    bad = []

    def run(who, seed):
        rnd = random.Random(seed)
        with Device(who.dev.path) as dev:
            me = Pr(dev, who.key)
            for _ in range(3000 if LONG else 60):
                if stop.is_set():
                    return
                sa, key = rnd.choice(((REGISTER_IGNORE, me.key), (RESERVE, 0), (RELEASE, 0), (CLEAR, 0),
                                      (PREEMPT, rnd.choice(nexuses).key), (PREEMPT_ABORT, rnd.choice(nexuses).key),
                                      (PREEMPT, 0), (REGISTER, 0)))
                r = me.out(sa, rnd.choice(TYPES), sa_key=key)
                if r.status not in (GOOD, CHECK_CONDITION, RESERVATION_CONFLICT, 0x40) or r.host:
                    bad.append('%d: %s' % (sa, r))
                    stop.set()

    threads = [threading.Thread(target=run, args=(who, 10 * i + n)) for i, who in enumerate(nexuses) for n in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    t.eq(bad, [], 'answers in the storm')
    a = nexuses[0]
    for who in nexuses:
        who.dev.clear_ua()
    full, res = a.full(), a.reservation()
    keys = a.keys()[1]
    t.ok(len(keys) == len(set(keys)) <= 3 and set(keys) <= {w.key for w in nexuses}, 'keys %r' % keys)
    t.eq([f[0] for f in full], keys, 'FULL STATUS and keys agree')
    holders = [f for f in full if f[2]]
    if res is None:
        t.eq(holders, [], 'no holder')
    elif res[1] >= WEAR:
        t.eq(len(holders), len(full), 'all hold')
    else:
        t.eq([h[0] for h in holders], [res[0]], 'one holds')
    clean(*nexuses)


def main():
    with NoDiskDriver(), Target() as tgt:
        dev = tgt.device('rd_mcp', 'disk', 'rd_pages=256', serial=SERIAL, emulate_tpu=1)
        spare = tgt.device('rd_mcp', 'spare', 'rd_pages=256', serial='5ba2e000-0000-4000-8000-00000000c0de')
        nexuses, tpgs = [], []
        for i in range(3):
            wwn = 'naa.500140500000000%d' % (i + 1)
            tpg = tgt.loop(wwn, 1)
            # what has no `enable` gets none of its own there (configfs contract, 8.2)
            if os.path.exists(CFS + tpg.path + '/rtpi'):
                write(tpg.path + '/rtpi', i + 1)
            node = tpg.lun(0, dev, 'scsi_generic')
            who = Pr(Device(node), 0xabc0 + i)
            who.wwn, who.pr = wwn, dev + '/pr'
            nexuses.append(who)
            tpgs.append(tpg)
        a, b, c = nexuses
        for who in nexuses:
            who.dev.clear_ua()
            who.register()
            who.rtpi = [f[4] for f in who.full() if f[0] == who.key][0]
        t.eq(len({w.rtpi for w in nexuses}), 3, 'three ports')
        capabilities(a)
        registering(a, b, c)
        unregister_holder(a, b, c)
        reserving(a, b, c)
        preempting(a, b, c)
        moving(a, b, c)
        spec_i_pt(a, b, c)
        files(a, b, c, dev)
        conflicts(a, b, c)
        others(tgt, nexuses, tpgs)
        node = tpg.lun(1, spare, 'scsi_generic')
        copies(a, b, c, node)
        fenced(a, b, c, node)
        spc2(a, b, c)
        malformed(a, b, c)
        storm(nexuses)
        for who in nexuses:
            who.dev.close()
    t.end()


if __name__ == '__main__':
    main()
