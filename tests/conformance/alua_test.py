#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Asymmetric access states (SPC-4 5.15.2): REPORT and SET TARGET PORT GROUPS, and what they do."""
import errno
import os
import struct
import threading
import time

import commands
from pr import RELEASE_6, RELEASE_10, RESERVE_6, RESERVE_10, plist, prout
from sgio import INVALID_FIELD_CDB, INVALID_FIELD_PARAM, PARAM_LIST_LENGTH, Device, Table
from target import CFS, NoDiskDriver, Target, read, write

t = Table('alua')
SLOW = int(os.environ.get('VM_SLOW', '1'))
CHANGED = (6, 0x2a, 6)
OPTIMIZED, NONOPTIMIZED, STANDBY, UNAVAILABLE, OFFLINE, TRANSITIONING = 0, 1, 2, 3, 14, 15
SENSE = {STANDBY: (2, 4, 0x0b), UNAVAILABLE: (2, 4, 0x0c), OFFLINE: (2, 4, 0x12), TRANSITIONING: (2, 4, 0x0a)}
COMMANDS = {
    'TEST UNIT READY': ([0] * 6, 0, None),
    'INQUIRY': ([0x12, 0, 0, 0, 36, 0], 36, None),
    'READ(10)': ([0x28] + [0] * 7 + [1, 0], 512, None),
    'WRITE(10)': ([0x2a] + [0] * 7 + [1, 0], 0, bytes(512)),
}
# What a port answers in standby and when it is unavailable, offline or in transition: SPC-4 5.15.2.4.4 to
# 5.15.2.4.6, 5.15.2.5. (opcode, service action or None)
ANY = {(0x03, None), (0x12, None), (0xa0, None), (0xa3, 0x0a), (0xa4, 0x0a)}
STANDBY_TOO = {(0x15, None), (0x1a, None), (0x1c, None), (0x1d, None), (0x3b, None), (0x3c, None), (0x4c, None),
               (0x4d, None), (0x55, None), (0x5a, None)} | {(0x5e, sa) for sa in range(4)} | {(0x5f, sa) for sa in range(9)}
# of READ and WRITE BUFFER the echo buffer: those of the table, and no other mode
ECHO = {(0x3b, None), (0x3c, None)}
# What the standard leaves to us: it changes nothing on the medium and tells what it is
OURS = {(0x25, None), (0x9e, 0x10), (0x9e, 0x13), (0xa3, 0x05), (0xa3, 0x0f), (0xa4, 0x06), (0xa4, 0x0f)} | \
    {(op, None) for op in (0x16, 0x17, 0x56, 0x57)}
ALLOWED = dict.fromkeys((UNAVAILABLE, OFFLINE, TRANSITIONING), ANY | ECHO | commands.REFERRALS)
ALLOWED[STANDBY] = ANY | STANDBY_TOO | OURS
# Reservations, as the table of all commands has none for them
RESERVATIONS = [((0x5f, sa), (None, prout(sa, 1), 0, plist())) for sa in range(9)] + \
    [((cdb[0], None), (None, cdb, 0, None)) for cdb in (RESERVE_6, RELEASE_6, RESERVE_10, RELEASE_10)]


def rtpg(extended=0, alloc=1024):
    return struct.pack('>BB4xIBB', 0xa3, 0x0a | extended << 5, alloc, 0, 0)


def stpg(dev, *steps, length=None):
    data = bytes(4) + b''.join(struct.pack('>BxH', state, group) for state, group in steps)
    length = len(data) if length is None else length
    return dev.cmd(struct.pack('>BB4xIBB', 0xa4, 0x0a, length, 0, 0), data_out=data[:length])


def groups(dev):
    """group -> (state, preferred, supported, status, ports)"""
    data = dev.cmd(rtpg(), data_in=1024).data
    pos, end, found = 4, 4 + struct.unpack('>I', data[:4])[0], {}
    while pos < end:
        state, supported, group, status, ports = struct.unpack('>BBHxBxB', data[pos:pos + 8])
        pos += 8
        found[group] = (state & 0x0f, state >> 7, supported, status,
                        [struct.unpack('>2xH', data[pos + 4 * i:pos + 4 * i + 4])[0] for i in range(ports)])
        pos += 4 * ports
    t.eq(pos, end, 'the last group ends with the data')
    return found


def rtpi(dev):
    """Of the port that is asked, by VPD page 83h"""
    page = dev.cmd([0x12, 1, 0x83, 4, 0, 0], data_in=1024).data
    pos = 4
    while pos < 4 + struct.unpack('>H', page[2:4])[0]:
        if page[pos + 1] & 0x3f == 0x14:
            return struct.unpack('>H', page[pos + 6:pos + 8])[0]
        pos += 4 + page[pos + 3]
    return None


def test_report(a, b, gp):
    found = groups(a)
    t.eq(sorted(found), [0, 1], 'the groups')
    t.eq(found[0], (OPTIMIZED, 0, 0xcf, 0, [rtpi(a)]), 'the default group')
    t.eq(found[1], (OPTIMIZED, 0, 0xcf, 0, [rtpi(b)]), 'the other')
    write(gp + '/preferred', 1)
    write(gp + '/alua_support_offline', 0)
    t.eq(groups(a)[1][:3], (OPTIMIZED, 1, 0x8f), 'preferred, no offline')
    write(gp + '/alua_support_offline', 1)
    write(gp + '/preferred', 0)
    write(gp + '/implicit_trans_secs', 17)
    plain = a.cmd(rtpg(), data_in=1024).data
    t.eq(b.cmd(rtpg(1), data_in=1024).data[4:8], bytes([0x10, 17, 0, 0]), 'the extended header')
    for alloc in range(0, 40):
        r = a.cmd(rtpg(0, alloc), data_in=1024)
        t.eq((r.resid, r.data[:min(alloc, 28)]), (1024 - min(alloc, 28), plain[:min(alloc, 28)]), 'cut at %d' % alloc)
    t.bad(a.cmd(rtpg(2), data_in=64), (5, 0x24, 0), 'an unknown format', field=(1, 7))
    write(gp + '/implicit_trans_secs', 0)


def let_through(dev, table, state):
    """Each command of the device in one state: the state stops it or does not."""
    for row in table:
        what = 'state %d: %02x/%s' % (state, row[0][0], row[0][1])
        r = commands.send(dev, row)
        if state in SENSE and row[0] not in ALLOWED[state]:
            t.bad(r, SENSE[state], what)
            continue
        t.ok(not r.host and r.code not in SENSE.values(), '%s: %s' % (what, r))
        if row[0] in commands.UNDO:
            t.good(commands.send(dev, (None, commands.COMMANDS[commands.UNDO[row[0]]])), what + ' undone')
    r = dev.cmd([0x3c, 2] + [0] * 6 + [4, 0], data_in=4)
    if ALLOWED.get(state, ANY) >= ECHO and state != STANDBY:
        t.bad(r, SENSE[state], 'state %d: READ BUFFER of data' % state)
    else:
        t.good(r, 'state %d: READ BUFFER of data' % state)


def test_states(a, b, gp, disk):
    write(disk + '/lba_map', '0 0\n0 2047 0:O 1:O\n')
    write(gp + '/nonop_delay_msecs', 0)
    table = sorted(commands.rows(t, a, referrals=True) + RESERVATIONS, key=str)
    let_through(b, table, OPTIMIZED)
    a.clear_ua()
    for state in (NONOPTIMIZED, STANDBY, UNAVAILABLE, OFFLINE, TRANSITIONING, OPTIMIZED):
        write(gp + '/alua_access_state', state)
        t.eq(read(gp + '/alua_access_state'), '%d\n' % state, 'read back')
        t.eq(read(gp + '/alua_access_status'), 'Altered by Implicit ALUA\n', 'by whom')
        t.eq((a.clear_ua(), b.clear_ua()), ([CHANGED], [CHANGED]), 'state %d: all are told' % state)
        let_through(b, table, state)
        a.clear_ua()
        for name, (cdb, size, out) in COMMANDS.items():
            t.good(a.cmd(cdb, data_in=size, data_out=out), 'state %d: %s by the other port' % (state, name))
        t.eq(groups(b)[1][0], state, 'reported')
    write(gp + '/alua_access_state', OPTIMIZED)
    t.eq(a.clear_ua(), [], 'no change, nobody told')
    write(disk + '/lba_map', '0 0\n')


def test_set(a, b, gp):
    for state in (STANDBY, NONOPTIMIZED, UNAVAILABLE, OPTIMIZED):
        t.good(stpg(a, (state, 1)), 'set %d' % state)
        t.eq((a.clear_ua(), b.clear_ua()), ([], [CHANGED]), 'the others are told')
        t.eq(groups(a)[1][0:4:3], (state, 1), 'reported')
        t.eq(read(gp + '/alua_access_status'), 'Altered by Explicit STPG\n', 'by whom')
    t.good(stpg(a, (STANDBY, 1), (NONOPTIMIZED, 0)), 'two at once')
    b.clear_ua()
    t.eq((groups(a)[0][0], groups(a)[1][0]), (NONOPTIMIZED, STANDBY), 'both')
    t.good(stpg(b, (OPTIMIZED, 1), (OPTIMIZED, 0)), 'and back, by one that was in standby')
    t.eq(a.clear_ua(), [CHANGED], 'told')
    t.good(stpg(a, length=0), 'an empty list')
    t.good(stpg(a), 'no group')
    for what, steps, at in (('no such group', [(STANDBY, 0), (STANDBY, 7)], 8), ('no such state', [(5, 1)], 4),
                            ('transitioning', [(15, 1)], 4), ('LBA dependent', [(4, 1)], 4), ('no such port', [(14, 999)], 4)):
        t.bad(stpg(a, *steps), INVALID_FIELD_PARAM, what, param=True, field=(at, 3) if what == 'LBA dependent' else at)
    for length in (1, 3, 5, 7):
        t.bad(stpg(a, (STANDBY, 1), length=length), PARAM_LIST_LENGTH, 'a list of %d' % length)
    t.eq((groups(a)[0][0], groups(a)[1][0]), (OPTIMIZED, OPTIMIZED), 'nothing of these was done')
    t.eq(b.clear_ua(), [], 'nobody was told')
    write(gp + '/alua_support_standby', 0)
    t.bad(stpg(a, (STANDBY, 1)), INVALID_FIELD_PARAM, 'not supported', param=True, field=4)
    write(gp + '/alua_support_standby', 1)


def test_type(a, b, gp):
    for kind, report, change in ((0, False, False), (1, True, False), (2, True, True), (3, True, True)):
        write(gp + '/alua_access_type', kind)
        t.eq(b.cmd([0x12, 0, 0, 0, 36, 0], data_in=36).data[5] >> 4 & 3, kind, 'TPGS')
        r = b.cmd(rtpg(), data_in=1024)
        t.good(r, 'report') if report else t.bad(r, INVALID_FIELD_CDB, 'report', field=(1, 4))
        r = stpg(b, (OPTIMIZED, 1))
        t.good(r, 'set') if change else t.bad(r, INVALID_FIELD_CDB, 'set', field=(1, 4))
        a.clear_ua()


def test_slow(a, b, gp):
    """Active/non-optimized: media access takes its time, nothing else does."""
    write(gp + '/nonop_delay_msecs', 400)
    write(gp + '/alua_access_state', NONOPTIMIZED)
    for d in (a, b):
        d.clear_ua()
    for name, low, high in (('READ(10)', .2, 2), ('WRITE(10)', .2, 2), ('TEST UNIT READY', 0, .3), ('INQUIRY', 0, .3)):
        cdb, size, out = COMMANDS[name]
        begin = time.monotonic()
        t.good(b.cmd(cdb, data_in=size, data_out=out), name)
        took = time.monotonic() - begin
        t.ok(low < took < high * SLOW, '%s took %.3f s' % (name, took))
    begin = time.monotonic()
    t.good(a.cmd(*COMMANDS['READ(10)'][:2]), 'the other port')
    t.ok(time.monotonic() - begin < .3 * SLOW, 'the other port is not slowed down')
    write(gp + '/nonop_delay_msecs', 0)
    write(gp + '/alua_access_state', OPTIMIZED)
    for d in (a, b):
        d.clear_ua()


def test_delay(a, b, gp):
    """A change that takes a second: in transition meanwhile, and no other one."""
    write(gp + '/trans_delay_msecs', 1500)
    done = []
    begin = time.monotonic()
    setter = threading.Thread(target=lambda: done.append(stpg(a, (STANDBY, 1))))
    setter.start()
    while read(gp + '/alua_access_state') != '%d\n' % TRANSITIONING:
        t.ok(time.monotonic() - begin < SLOW, 'transition begins at once') or exit(1)
    t.eq(b.clear_ua(), [CHANGED], 'told of the transition')
    t.eq(groups(b)[1][0], TRANSITIONING, 'reported')
    t.bad(b.cmd([0] * 6), SENSE[TRANSITIONING], 'TEST UNIT READY in transition')
    t.bad(stpg(b, (OPTIMIZED, 1)), SENSE[TRANSITIONING], 'another change')
    try:
        write(gp + '/alua_access_state', OPTIMIZED)
        t.ok(False, 'another change, by configfs')
    except BlockingIOError:
        t.ok(True, 'refused')
    setter.join()
    took = time.monotonic() - begin
    t.ok(1.4 < took < 4 * SLOW, 'the change took %.2f s' % took)
    t.good(done[0], 'the change')
    t.eq(b.clear_ua(), [CHANGED], 'told of the end')
    t.bad(b.cmd([0] * 6), SENSE[STANDBY], 'TEST UNIT READY afterwards')
    begin = time.monotonic()
    write(gp + '/alua_access_state', OPTIMIZED)
    took = time.monotonic() - begin
    t.ok(1.4 < took < 4 * SLOW, 'a write to the file returns when it is done: %.2f s' % took)
    write(gp + '/trans_delay_msecs', 0)
    for d in (a, b):
        d.clear_ua()


def test_offline(a, b, lun):
    write(lun + '/alua_tg_pt_offline', 1)
    t.eq((a.clear_ua(), b.clear_ua()), ([CHANGED], [CHANGED]), 'all are told')
    t.bad(b.cmd([0] * 6), SENSE[OFFLINE], 'TEST UNIT READY of an offline port')
    t.good(a.cmd([0] * 6), 'of the other')
    t.ok('Secondary Access State: Offline' in read(lun + '/alua_tg_pt_gp'), 'shown')
    secondary = groups(a)
    t.eq(sorted(secondary)[:2], [0, 1], 'its primary group is there still')
    t.eq((secondary[1][0], secondary[1][4]), (OPTIMIZED, [rtpi(b)]), 'and lists it')
    t.eq([(g, v[0], v[3], v[4]) for g, v in secondary.items() if g > 1], [(0xffff, OFFLINE, 2, [rtpi(b)])], 'the secondary group')
    plain = a.cmd(rtpg(), data_in=1024).data
    for alloc in range(24, 50):
        r = a.cmd(rtpg(0, alloc), data_in=1024)
        t.eq((r.resid, r.data[:min(alloc, 40)]), (1024 - min(alloc, 40), plain[:min(alloc, 40)]), 'cut at %d' % alloc)
    write(lun + '/alua_tg_pt_offline', 0)
    a.clear_ua()
    b.clear_ua()
    t.good(b.cmd([0] * 6), 'online again')
    t.eq(sorted(groups(a)), [0, 1], 'no secondary group')
    write(lun + '/alua_tg_pt_write_md', 1)
    t.good(stpg(a, (OFFLINE, rtpi(b))), 'offline by command')
    t.eq(b.clear_ua(), [CHANGED], 'told')
    t.bad(b.cmd([0] * 6), SENSE[OFFLINE], 'offline')
    path = lun.replace('/lun/', '/').replace('/tpgt_', '+')
    with open('%s/alua/%s' % (read('dbroot').strip(), path)) as f:
        t.eq(f.read(), 'alua_tg_pt_offline=1\nalua_tg_pt_status=0x01\n', 'what is kept of it')
    write(lun + '/alua_tg_pt_offline', 0)
    write(lun + '/alua_tg_pt_write_md', 0)
    a.clear_ua()
    b.clear_ua()


def test_restored(a, b, gp, disk, lun):
    """Every state that may have been saved, in the order in which rtslib writes the files of a group; also while
    other groups of the unit change"""
    numbers = (('alua_access_status', 2), ('alua_access_type', 1), ('alua_support_active_nonoptimized', 0),
               ('alua_support_active_optimized', 1), ('alua_support_offline', 0), ('alua_support_standby', 0),
               ('alua_support_transitioning', 0), ('alua_support_unavailable', 0), ('alua_write_metadata', 1),
               ('implicit_trans_secs', 3), ('nonop_delay_msecs', 7), ('preferred', 1), ('trans_delay_msecs', 60))
    new = disk + '/alua/restored'
    write(gp + '/trans_delay_msecs', 1500)
    setter = threading.Thread(target=lambda: write(gp + '/alua_access_state', STANDBY))
    for busy in (False, True):
        if busy:
            setter.start()
            end = time.monotonic() + 10
            while read(gp + '/alua_access_state') != '%d\n' % TRANSITIONING and time.monotonic() < end:
                pass
        begin = time.monotonic()
        for state in (OPTIMIZED, NONOPTIMIZED, STANDBY, UNAVAILABLE, 4, OFFLINE, TRANSITIONING):
            what = 'state %d, %s' % (state, 'in transition' if busy else 'alone')
            os.mkdir(os.path.join(CFS, new))
            try:
                for name, value in (('tg_pt_gp_id', 9), ('alua_access_state', state)) + numbers:
                    write('%s/%s' % (new, name), value)
                t.eq((read(new + '/alua_access_state'), read(new + '/alua_access_type')), ('%d\n' % state, 'Implicit\n'), what)
            except OSError as e:
                t.ok(False, '%s: %s: %s' % (what, name, e))
            os.rmdir(os.path.join(CFS, new))
        took = time.monotonic() - begin
        # it was in transition all the time: else the test has shown nothing
        t.ok(not busy or read(gp + '/alua_access_state') == '%d\n' % TRANSITIONING or took > 1.2, 'in transition until the end')
        t.ok(took < (1.2 if SLOW == 1 else 3 * SLOW), 'a restore takes %.1f s' % took)
    setter.join()
    write(gp + '/trans_delay_msecs', 0)
    write(gp + '/alua_access_state', OPTIMIZED)
    # the map is not saved: until somebody writes it, nothing depends on the block
    os.mkdir(os.path.join(CFS, new))
    for name, value in (('tg_pt_gp_id', 9), ('alua_access_state', 4), ('alua_access_type', 1)):
        write('%s/%s' % (new, name), value)
    write(lun + '/alua_tg_pt_gp', 'restored')
    for d in (a, b):
        d.clear_ua()
    t.good(b.cmd([0x28] + [0] * 7 + [1, 0], data_in=512), 'LBA dependent without a map: READ(10)')
    t.eq(groups(a)[9][0], 4, 'LBA dependent without a map')
    write(lun + '/alua_tg_pt_gp', 'g1')
    os.rmdir(os.path.join(CFS, new))
    for d in (a, b):
        d.clear_ua()


def test_kept(a, b, gp, disk):
    serial = read(disk + '/wwn/vpd_unit_serial').split(':')[1].strip()
    write(gp + '/alua_write_metadata', 1)
    t.good(stpg(a, (STANDBY, 1)), 'set')
    with open('%s/alua/tpgs_%s/g1' % (read('dbroot').strip(), serial)) as f:
        t.eq(f.read(), 'tg_pt_gp_id=1\nalua_access_state=0x02\nalua_access_status=0x01\n', 'what is kept')
    t.good(stpg(a, (OPTIMIZED, 1)), 'and back')
    b.clear_ua()


def referrals(dev, lba=0, one=0, alloc=512):
    return dev.cmd(struct.pack('>BBQIBB', 0x9e, 0x13, lba, alloc, one, 0), data_in=512)


def unmap(dev, *extents):
    data = struct.pack('>HH4x', 6 + 16 * len(extents), 16 * len(extents)) + b''.join(struct.pack('>QI4x', *e) for e in extents)
    return dev.cmd([0x42] + [0] * 6 + [0, len(data), 0], data_out=data)


def d_sense(dev, on):
    page = bytearray(dev.cmd([0x1a, 8, 0x0a, 0, 255, 0], data_in=255).data[:16])
    page[0] = page[2] = 0
    page[4] &= 0x3f     # PS says that it can be saved: not to be sent back
    page[4 + 2] = page[4 + 2] & ~4 | (4 if on else 0)
    t.good(dev.cmd([0x15, 0x10, 0, 0, len(page), 0], data_out=bytes(page)), 'MODE SELECT, D_SENSE %d' % on)


def test_referral_sense(a, b):
    """Where sense data have descriptors, they say by which port group a block is reached that this one does not reach"""
    def seg(first, last, state, group):
        return bytes([0x0b, 26, 1, 0, 0, 0, 0, 1]) + struct.pack('>QQBxH', first, last, state, group)
    d_sense(a, True)
    b.clear_ua()
    low, high = seg(0, 1023, 0, 0), seg(1024, 2047, 1, 1)
    for dev, name, lba, n, want in ((a, 'first', 0, 8, None), (a, 'first', 1024, 1, high), (a, 'first', 1020, 8, high),
                                    (b, 'second', 0, 1, low), (b, 'second', 1020, 8, low), (b, 'second', 1024, 8, None)):
        r = dev.cmd(struct.pack('>BBIBHB', 0x28, 0, lba, 0, n, 0), data_in=512 * n)
        what = 'descriptor sense: READ(10) of %d at %d by the %s port' % (n, lba, name)
        if want is None:
            t.good(r, what)
        else:
            t.bad(r, (0xb, 0x3f, 0x15), what)
            t.eq(bytes(r.sense.raw[7:8 + len(want)]), bytes([len(want)]) + want, what)
    r = unmap(a, (0, 8), (2000, 8))
    t.bad(r, (0xb, 0x3f, 0x15), 'descriptor sense: UNMAP')
    t.eq(bytes(r.sense.raw[8:8 + len(high)]), high, 'descriptor sense: UNMAP')
    # beyond the map nobody leads there
    t.bad(a.cmd(struct.pack('>BBQIBB', 0x88, 0, 1 << 40, 1, 0, 0), data_in=512), SENSE[UNAVAILABLE], 'descriptor sense: no segment')
    d_sense(a, False)
    b.clear_ua()


def test_referrals(a, b, gp, disk):
    """Different blocks by different ports"""
    t.bad(referrals(a), INVALID_FIELD_CDB, 'REPORT REFERRALS without a map', field=(1, 4))
    t.bad(a.cmd([0x12, 1, 0xb3, 0, 64, 0], data_in=64), (5, 0x24, 0), 'VPD page B3h without a map')
    write(disk + '/lba_map', '0 0\n0 1023 0:O 1:S\n1024 2047 0:U 1:A\n')
    page = a.cmd([0x12, 1, 0xb3, 0, 64, 0], data_in=64).data
    t.eq(page[:16].hex(), '00b3000c' + '00' * 12, 'VPD page B3h')
    t.eq(a.cmd([0x12, 1, 0x86, 0, 64, 0], data_in=64).data[8], 0x10, 'R_SUP')
    first = bytes([0, 0, 0, 2]) + struct.pack('>QQBxHBxH', 0, 1023, 0, 0, 2, 1)
    second = bytes([0, 0, 0, 2]) + struct.pack('>QQBxHBxH', 1024, 2047, 3, 0, 1, 1)
    for lba, one, want in ((0, 0, first + second), (0, 1, first), (1023, 1, first), (1024, 0, second), (2047, 1, second)):
        r = referrals(a, lba, one)
        want = struct.pack('>2xH', len(want)) + want
        t.eq(r.data[:len(want)], want, 'from LBA %d, ONE_SEG %d' % (lba, one))
        t.eq(r.resid, 512 - len(want), 'its length')
    t.eq(referrals(a, 0, 0, 40).data[:40], referrals(a).data[:40], 'cut')
    t.bad(referrals(a, 2048), (5, 0x21, 0), 'beyond the end')
    write(gp + '/alua_access_type', 1)
    for group in (gp, disk + '/alua/default_tg_pt_gp'):
        write(group + '/alua_access_type', 1)
        write(group + '/alua_access_state', 4)
    for d in (a, b):
        d.clear_ua()
    for dev, name, lba, n, sense in ((a, 'first', 0, 1, None), (a, 'first', 1023, 1, None), (a, 'first', 1024, 1, UNAVAILABLE),
                                     (a, 'first', 1020, 8, UNAVAILABLE), (b, 'second', 0, 1, STANDBY),
                                     (b, 'second', 1024, 8, None), (b, 'second', 1020, 8, STANDBY)):
        r = dev.cmd(struct.pack('>BBIBHB', 0x28, 0, lba, 0, n, 0), data_in=512 * n)
        what = 'READ(10) of %d at %d by the %s port' % (n, lba, name)
        t.good(r, what) if sense is None else t.bad(r, SENSE[sense], what)
    t.good(b.cmd([0] * 6), 'TEST UNIT READY')
    for dev, name, extents, sense in ((a, 'first', [(0, 8)], None), (a, 'first', [(1024, 1)], UNAVAILABLE), (a, 'first', [(1020, 8)], UNAVAILABLE),
                                      (a, 'first', [(0, 8), (2000, 8)], UNAVAILABLE), (a, 'first', [(0, 8), (2000, 0)], None),
                                      (b, 'second', [(1024, 8)], None), (b, 'second', [(1024, 8), (0, 1)], STANDBY)):
        r = unmap(dev, *extents)
        what = 'UNMAP of %r by the %s port' % (extents, name)
        t.good(r, what) if sense is None else t.bad(r, SENSE[sense], what)
    for dev, name, sense in ((a, 'first', UNAVAILABLE), (b, 'second', STANDBY)):
        for row in ((4, None), (0x48, 1), (0x48, 2)):
            r = commands.send(dev, (row, commands.COMMANDS[row]))
            t.bad(r, SENSE[sense], 'all blocks by the %s port: %02x/%s' % (name, row[0], row[1]))
    test_referral_sense(a, b)
    # segments of 256 blocks, repeated after two of them
    write(disk + '/lba_map', '256 2\n0 255 0:O 1:S\n256 511 0:S 1:O\n')
    for lba, sense in ((0, None), (255, None), (256, STANDBY), (511, STANDBY), (512, None), (1800, STANDBY), (1792, STANDBY),
                       (1791, None)):
        r = a.cmd(struct.pack('>BBIBHB', 0x28, 0, lba, 0, 1, 0), data_in=512)
        what = 'a repeated map: READ(10) at %d' % lba
        t.good(r, what) if sense is None else t.bad(r, SENSE[sense], what)
    t.eq(a.cmd([0x12, 1, 0xb3, 0, 64, 0], data_in=64).data[8:16].hex(), '0000010000000002', 'segment size and multiplier')
    for group in (gp, disk + '/alua/default_tg_pt_gp'):
        write(group + '/alua_access_state', OPTIMIZED)
        write(group + '/alua_access_type', 3)
    for d in (a, b):
        d.clear_ua()


def test_together(target, a, b, gp, disk, first, second):
    """Devices of one LU group change together, by command and by attribute."""
    other = target.device('rd_mcp', 'other', 'rd_pages=256', serial='alua-2')
    third = target.device('rd_mcp', 'third', 'rd_pages=256', serial='alua-3')
    target.mkdir('core/alua/lu_gps/together')
    write('core/alua/lu_gps/together/lu_gp_id', 7)
    gps = []
    for dev in (other, third):
        gps.append(dev + '/alua/g')
        target.mkdir(gps[-1])
        write(gps[-1] + '/tg_pt_gp_id', 1)
        write(gps[-1] + '/alua_write_metadata', 1)
    lun = second.link(1, other)
    write(lun + '/alua_tg_pt_gp', 'g')
    first.link(1, other)
    with Device(first.node(1, 'scsi_generic')) as c, Device(second.node(1, 'scsi_generic')) as d:
        for x in (a, b, c, d):
            x.clear_ua()
        write(gp + '/alua_access_state', STANDBY)
        t.eq([x.clear_ua() for x in (a, b, c, d)], [[CHANGED], [CHANGED], [], []], 'in the default group each is alone')
        t.good(stpg(a, (OPTIMIZED, 1)), 'and back')
        b.clear_ua()
        for dev in (disk, other):
            write(dev + '/alua_lu_gp', 'together')
        for x in (a, b, c, d):
            x.clear_ua()
        write(gp + '/alua_access_state', STANDBY)
        t.eq([x.clear_ua() for x in (a, b, c, d)], [[CHANGED]] * 4, 'all nexuses of both are told')
        t.eq([groups(c)[g][0] for g in (0, 1)], [OPTIMIZED, STANDBY], 'the group of that number')
        t.bad(d.cmd([0] * 6), SENSE[STANDBY], 'it is stopped')
        t.eq(read(gps[0] + '/alua_access_status'), 'Altered by Implicit ALUA\n', 'by whom')
        t.eq(read(gps[1] + '/alua_access_state'), '%d\n' % OPTIMIZED, 'another LU group')
        t.good(stpg(c, (NONOPTIMIZED, 1)), 'by command, to the other')
        t.eq([x.clear_ua() for x in (a, b, c, d)], [[CHANGED], [CHANGED], [], [CHANGED]], 'all but who asked are told')
        t.eq((groups(a)[1][0], read(gp + '/alua_access_status')), (NONOPTIMIZED, 'Altered by Explicit STPG\n'), 'the first follows')
        with open('%s/alua/tpgs_alua-2/g' % read('dbroot').strip()) as f:
            t.eq(f.read(), 'tg_pt_gp_id=1\nalua_access_state=0x01\nalua_access_status=0x01\n', 'what is kept')
        t.good(stpg(a, (OPTIMIZED, 1)), 'by the first')
        t.eq([x.clear_ua() for x in (a, b, c, d)], [[], [CHANGED], [CHANGED], [CHANGED]], 'all but who asked are told')
        t.eq(groups(c)[1][0], OPTIMIZED, 'the other follows')
        with open('%s/alua/tpgs_alua-2/g' % read('dbroot').strip()) as f:
            t.ok('alua_access_state=0x00\n' in f.read(), 'what is kept of who follows')
        write(gps[0] + '/alua_support_standby', 0)
        t.bad(stpg(a, (STANDBY, 1)), INVALID_FIELD_PARAM, 'the other does not support that', param=True, field=4)
        try:
            write(gp + '/alua_access_state', STANDBY)
            t.ok(False, 'by configfs')
        except OSError as e:
            t.eq(e.errno, errno.EINVAL, 'by configfs')
        write(gps[0] + '/alua_support_standby', 1)
        write(gps[0] + '/trans_delay_msecs', 1500)
        done = []
        setter = threading.Thread(target=lambda: done.append(stpg(a, (STANDBY, 1))))
        setter.start()
        end = time.monotonic() + 1
        while read(gps[0] + '/alua_access_state') != '%d\n' % TRANSITIONING and time.monotonic() < end:
            pass
        d.clear_ua()
        t.bad(stpg(d, (OPTIMIZED, 1)), SENSE[TRANSITIONING], 'another change, of the other')
        setter.join()
        t.good(done[0], 'the slow change')
        t.eq(c.clear_ua(), [CHANGED], 'told')
        t.eq((groups(a)[1][0], groups(c)[1][0]), (STANDBY, STANDBY), 'both have arrived')
        write(gps[0] + '/trans_delay_msecs', 0)
        t.good(stpg(a, (OPTIMIZED, 1)), 'and back')
    for dev in (disk, other):
        write(dev + '/alua_lu_gp', 'default_lu_gp')


def main():
    with NoDiskDriver(), Target() as target:
        disk = target.device('rd_mcp', 'disk', 'rd_pages=256', serial='alua-1', emulate_tpu=1)
        first, second = target.loop('naa.5001405000000001'), target.loop('naa.5001405000000002')
        # 6.12 gives loopback ports no relative identifiers, so commands cannot name them
        for n, port in enumerate((first, second)):
            if os.path.exists(CFS + port.path + '/rtpi'):
                write(port.path + '/rtpi', n + 1)
        gp = disk + '/alua/g1'
        target.mkdir(gp)
        write(gp + '/tg_pt_gp_id', 1)
        lun = second.link(0, disk)
        write(lun + '/alua_tg_pt_gp', 'g1')
        first.link(0, disk)
        with Device(first.node(0, 'scsi_generic')) as a, Device(second.node(0, 'scsi_generic')) as b:
            for d in (a, b):
                d.clear_ua()
            test_report(a, b, gp)
            test_states(a, b, gp, disk)
            test_set(a, b, gp)
            test_type(a, b, gp)
            test_slow(a, b, gp)
            test_delay(a, b, gp)
            test_offline(a, b, lun)
            test_kept(a, b, gp, disk)
            test_restored(a, b, gp, disk, lun)
            test_together(target, a, b, gp, disk, first, second)
            for d in (a, b):
                d.clear_ua()
            test_referrals(a, b, gp, disk)
    t.end()


if __name__ == '__main__':
    main()
