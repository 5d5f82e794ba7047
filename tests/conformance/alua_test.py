#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Asymmetric access states (SPC-4 5.15.2): REPORT and SET TARGET PORT GROUPS, and what they do."""
import struct
import threading
import time

from sgio import INVALID_FIELD_CDB, INVALID_FIELD_PARAM, PARAM_LIST_LENGTH, Device, Table
from target import NoDiskDriver, Target, read, write

t = Table('alua')
CHANGED = (6, 0x2a, 6)
OPTIMIZED, NONOPTIMIZED, STANDBY, UNAVAILABLE, OFFLINE, TRANSITIONING = 0, 1, 2, 3, 14, 15
SENSE = {STANDBY: (2, 4, 0x0b), UNAVAILABLE: (2, 4, 0x0c), OFFLINE: (2, 4, 0x12), TRANSITIONING: (2, 4, 0x0a)}
# name -> CDB, data-in, data-out, the states in which it executes beside the active ones
COMMANDS = {
    'INQUIRY': ([0x12, 0, 0, 0, 36, 0], 36, None, SENSE),
    'REQUEST SENSE': ([3, 0, 0, 0, 18, 0], 18, None, SENSE),
    'REPORT LUNS': ([0xa0] + [0] * 8 + [64, 0, 0], 64, None, SENSE),
    'REPORT TARGET PORT GROUPS': ([0xa3, 0x0a] + [0] * 7 + [64, 0, 0], 64, None, SENSE),
    'SET TARGET PORT GROUPS': ([0xa4, 0x0a] + [0] * 10, 0, None, SENSE),
    'MODE SENSE(6)': ([0x1a, 0, 0x3f, 0, 192, 0], 192, None, (STANDBY,)),
    'LOG SENSE': ([0x4d, 0, 0x40, 0, 0, 0, 0, 0, 64, 0], 64, None, (STANDBY,)),
    'PERSISTENT RESERVE IN': ([0x5e, 0, 0, 0, 0, 0, 0, 0, 64, 0], 64, None, SENSE),
    'TEST UNIT READY': ([0] * 6, 0, None, ()),
    'READ CAPACITY(10)': ([0x25] + [0] * 9, 8, None, (STANDBY,)),
    'READ CAPACITY(16)': ([0x9e, 0x10] + [0] * 11 + [32, 0, 0], 32, None, (STANDBY,)),
    'READ(10)': ([0x28] + [0] * 7 + [1, 0], 512, None, ()),
    'WRITE(10)': ([0x2a] + [0] * 7 + [1, 0], 0, bytes(512), ()),
    'VERIFY(10)': ([0x2f] + [0] * 7 + [1, 0], 0, None, ()),
    'SYNCHRONIZE CACHE(10)': ([0x35] + [0] * 9, 0, None, ()),
}


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


def test_states(a, b, gp):
    for state in (NONOPTIMIZED, STANDBY, UNAVAILABLE, OFFLINE, TRANSITIONING, OPTIMIZED):
        write(gp + '/alua_access_state', state)
        t.eq(read(gp + '/alua_access_state'), '%d\n' % state, 'read back')
        t.eq(read(gp + '/alua_access_status'), 'Altered by Implicit ALUA\n', 'by whom')
        t.eq((a.clear_ua(), b.clear_ua()), ([CHANGED], [CHANGED]), 'state %d: all are told' % state)
        for name, (cdb, size, out, allowed) in COMMANDS.items():
            what = 'state %d: %s' % (state, name)
            t.good(a.cmd(cdb, data_in=size, data_out=out), what + ' by the other port')
            r = b.cmd(cdb, data_in=size, data_out=out)
            if state not in SENSE or state in allowed:
                t.good(r, what)
            else:
                t.bad(r, SENSE[state], what)
        t.eq(groups(b)[1][0], state, 'reported')
    write(gp + '/alua_access_state', OPTIMIZED)
    t.eq(a.clear_ua(), [], 'no change, nobody told')


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
        cdb, size, out, _ = COMMANDS[name]
        begin = time.monotonic()
        t.good(b.cmd(cdb, data_in=size, data_out=out), name)
        took = time.monotonic() - begin
        t.ok(low < took < high, '%s took %.3f s' % (name, took))
    begin = time.monotonic()
    t.good(a.cmd(*COMMANDS['READ(10)'][:2]), 'the other port')
    t.ok(time.monotonic() - begin < .3, 'the other port is not slowed down')
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
        t.ok(time.monotonic() - begin < 1, 'transition begins at once') or exit(1)
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
    t.ok(1.4 < took < 4, 'the change took %.2f s' % took)
    t.good(done[0], 'the change')
    t.eq(b.clear_ua(), [CHANGED], 'told of the end')
    t.bad(b.cmd([0] * 6), SENSE[STANDBY], 'TEST UNIT READY afterwards')
    begin = time.monotonic()
    write(gp + '/alua_access_state', OPTIMIZED)
    took = time.monotonic() - begin
    t.ok(1.4 < took < 4, 'a write to the file returns when it is done: %.2f s' % took)
    write(gp + '/trans_delay_msecs', 0)
    for d in (a, b):
        d.clear_ua()


def test_offline(a, b, lun):
    write(lun + '/alua_tg_pt_offline', 1)
    t.eq((a.clear_ua(), b.clear_ua()), ([CHANGED], [CHANGED]), 'all are told')
    t.bad(b.cmd([0] * 6), SENSE[OFFLINE], 'TEST UNIT READY of an offline port')
    t.good(a.cmd([0] * 6), 'of the other')
    t.ok('Secondary Access State: Offline' in read(lun + '/alua_tg_pt_gp'), 'shown')
    write(lun + '/alua_tg_pt_offline', 0)
    a.clear_ua()
    b.clear_ua()
    t.good(b.cmd([0] * 6), 'online again')


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


def main():
    with NoDiskDriver(), Target() as target:
        disk = target.device('rd_mcp', 'disk', 'rd_pages=256', serial='alua-1')
        first, second = target.loop('naa.5001405000000001'), target.loop('naa.5001405000000002')
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
            test_states(a, b, gp)
            test_set(a, b, gp)
            test_type(a, b, gp)
            test_slow(a, b, gp)
            test_delay(a, b, gp)
            test_offline(a, b, lun)
            test_kept(a, b, gp, disk)
            test_referrals(a, b, gp, disk)
    t.end()


if __name__ == '__main__':
    main()
