#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Thin provisioning: what is used and what is left, thresholds and who is told of them, the end of
the space. Needs our target to be loaded.
"""
import fcntl
import os
import struct
import subprocess
import time

from sgio import (GOOD, INVALID_FIELD_CDB, INVALID_FIELD_PARAM, SPACE_ALLOC_FAILED, UNIT_ATTENTION, Device,
                  Table)
from target import NoDiskDriver, Target, read, write

WWNS = ['naa.500140500000000%d' % n for n in (1, 2, 3)]
SERIAL = '7e57ab1e-0000-4000-8000-0000000071%02d'
MODE_CHANGED, THRESHOLD = (6, 0x2a, 0x01), (6, 0x38, 0x07)
MIB = 1 << 20
CURRENT, CHANGEABLE, DEFAULT, SAVED = range(4)
AVAILABLE, USED = 16, 24        # bytes of the threshold descriptors
LIMIT = 10

t = Table('thin')


def until(what, look):
    """Wait until look() is true: the backend is asked once a second."""
    end = time.monotonic() + LIMIT
    while not look():
        if time.monotonic() > end:
            return t.ok(False, 'not within %d s: %s' % (LIMIT, what))
        time.sleep(0.1)
    return True


def mode_sense(dev, page, subpage=0, pc=CURRENT):
    return dev.cmd([0x5a, 8, pc << 6 | page, subpage, 0, 0, 0, 1, 0, 0], data_in=256)


def mode_page(dev, page, subpage=0, pc=CURRENT):
    r = mode_sense(dev, page, subpage, pc)
    t.good(r, 'MODE SENSE %02xh/%02xh PC %d' % (page, subpage, pc))
    data = bytearray(r.data[8:])
    data[0] &= 0x7f
    return data


def select(dev, data, save=False):
    n = 8 + len(data)
    return dev.cmd([0x55, 0x10 | save, 0, 0, 0, 0, 0, 0, n, 0], data_out=bytes(8) + bytes(data))


def log(dev, past_ua=False):
    """Page 0Ch: parameter code to (sets, SCOPE)"""
    while True:
        r = dev.cmd([0x4d, 0, 0x40 | 0x0c, 0, 0, 0, 0, 1, 0, 0], data_in=256)
        if not past_ua or not r.sense or r.sense.code[0] != UNIT_ATTENTION:
            break
    t.good(r, 'LOG SENSE of page 0Ch')
    values, pos = {}, 4
    t.eq(r.data[:2], b'\x0c\0', 'log page')
    t.eq(len(r.data), 4 + struct.unpack('>H', r.data[2:4])[0], 'PAGE LENGTH of page 0Ch')
    while pos < len(r.data):
        code, control, length, count, scope = struct.unpack('>HBBIB', r.data[pos:pos + 9])
        t.eq((control & 3, length, r.data[pos + 9:pos + 12]), (3, 8, bytes(3)), 'parameter %04xh' % code)
        values[code] = (count, scope)
        pos += 4 + length
    return values


def fill(dev, first, mib):
    """Write whole MiB. A write that a threshold is told with has not been done: it is sent again."""
    n = first
    while n < first + mib:
        r = dev.cmd([0x2a, 0] + list(struct.pack('>I', n * 2048)) + [0, 8, 0, 0], data_out=b'\x5a' * MIB)
        if r.code == THRESHOLD:
            continue
        if r.status != GOOD:
            return r
        n += 1
    return r


def unmap(dev, first, mib):
    data = struct.pack('>HHIQII', 22, 16, 0, first * 2048, mib * 2048, 0)
    return dev.cmd([0x42, 0, 0, 0, 0, 0, 0, 0, len(data), 0], data_out=data)


def settle(watch, used):
    """Wait until the target has seen that so many MiB are used."""
    return until('%d MiB used' % used, lambda: log(watch, True).get(2, (None,))[0] == used)


def told(dev):
    """What TEST UNIT READY tells first: (code, INFORMATION), or None"""
    r = dev.cmd([0] * 6)
    return (r.code, r.sense.info) if r.sense else None


def wait_told(dev):
    """The same, waited for"""
    seen = []
    until('a unit attention', lambda: seen.append(told(dev)) or seen[-1])
    return seen[-1]


def request_sense(dev):
    """The same by REQUEST SENSE"""
    data = dev.cmd([3, 0, 0, 0, 252, 0], data_in=252).data
    if data[2] == 0:
        return None
    return (data[2], data[12], data[13]), struct.unpack('>I', data[3:7])[0] if data[0] & 0x80 else None


def thresholds(dev, available=None, used=None, situa=False, save=False):
    """Set both, None for those that are off."""
    data = mode_page(dev, 0x1c, 2)
    data[4] = situa
    for at, count in ((AVAILABLE, available), (USED, used)):
        data[at] = data[at] & 0x7f | (0x80 if count is not None else 0)
        data[at + 4:at + 8] = struct.pack('>I', count or 0)
    t.good(select(dev, data, save), 'MODE SELECT of thresholds %r, %r' % (available, used))
    return data


def lbpere(dev, on, save=False):
    data = mode_page(dev, 1)
    data[7] = on << 7
    t.good(select(dev, data, save), 'LBPERE = %d' % on)


def quiet(*devs):
    for dev in devs:
        dev.clear_ua()


def supported(dev):
    return dev.cmd([0x4d, 0, 0x40, 0, 0, 0, 0, 1, 0, 0], data_in=256).data[4:]


def test_offered(disk, dev):
    """Without thin provisioning there is none of it."""
    def b2(dev):
        return dev.cmd([0x12, 1, 0xb2, 0, 64, 0], data_in=64).data
    t.eq(b2(dev)[4], 0, 'THRESHOLD EXPONENT of a thick unit')
    t.bad(mode_sense(dev, 0x1c, 2), INVALID_FIELD_CDB, 'MODE SENSE of a thick unit', field=3)
    t.ok(0x0c not in supported(dev), 'log page 0Ch of a thick unit')
    t.bad(dev.cmd([0x4d, 0, 0x4c, 0, 0, 0, 0, 1, 0, 0], data_in=256), INVALID_FIELD_CDB, 'LOG SENSE', field=(2, 5))
    t.eq(mode_page(dev, 1, pc=CHANGEABLE)[7], 0, 'LBPERE of a thick unit cannot be changed')
    data = mode_page(dev, 1)
    data[7] = 0x80
    t.bad(select(dev, data), INVALID_FIELD_PARAM, 'LBPERE of a thick unit', field=(8 + 7, 7), param=True)
    write(disk + '/attrib/emulate_tpu', 1)
    quiet(dev)
    t.eq(b2(dev)[4:7], b'\x0b\x84\x02', 'VPD B2h of a thin unit: sets of 1 MiB')
    t.ok(0x0c in supported(dev), 'log page 0Ch of a thin unit')


def test_page(dev, other):
    """The mode page as such"""
    for pc, hexa in ((CURRENT, '5c02001c' + '00' * 12 + '0001000000000000' + '0102000000000000'),
                     (DEFAULT, '5c02001c' + '00' * 12 + '0001000000000000' + '0102000000000000'),
                     (CHANGEABLE, '5c02001c01' + '00' * 11 + '80000000ffffffff' + '80000000ffffffff')):
        t.eq(mode_page(dev, 0x1c, 2, pc).hex(), hexa, 'page 1Ch/02h, PC %d' % pc)
    t.eq(mode_page(dev, 1, pc=CHANGEABLE)[7], 0x80, 'LBPERE can be changed')
    for what, at, value, field in (
            ('reserved bit', 4, 2, (4, 1)), ('reserved byte', 15, 1, (15, 0)),
            ('type', AVAILABLE, 8, (16, 3)), ('arming', USED, 0, (24, 0)), ('resource', AVAILABLE + 1, 2, (17, 1)),
            ('reserved in a descriptor', USED + 2, 0x80, (26, 7))):
        data = mode_page(dev, 0x1c, 2)
        data[at] = value
        t.bad(select(dev, data), INVALID_FIELD_PARAM, what, field=(8 + field[0], field[1]), param=True)
    t.eq(other.clear_ua(), [], 'what was refused tells nobody')
    want = thresholds(dev, available=0x01020304, used=0xfffffffe, situa=True)
    t.eq(mode_page(other_first(other), 0x1c, 2), want, 'thresholds as they were set')
    thresholds(dev)
    quiet(dev, other)


def other_first(other):
    t.eq(other.clear_ua(), [MODE_CHANGED], 'the other nexus about MODE SELECT')
    return other


def test_counts(dev, watch):
    """The log page counts what is there."""
    settle(watch, 0)
    t.eq(log(dev), {1: (32, 2), 2: (0, 1)}, 'an empty unit of 32 MiB')
    for first, mib, gone, used in ((0, 3, 0, 3), (8, 2, 0, 5), (0, 1, 0, 5), (0, 0, 2, 3)):
        if mib:
            t.good(fill(dev, first, mib), 'WRITE')
        if gone:
            t.good(unmap(dev, first, gone), 'UNMAP')
        settle(watch, used)
        t.eq(log(dev), {1: (32 - used, 2), 2: (used, 1)}, 'after %d MiB more, %d less' % (mib, gone))
    # a page of 4 KiB is the beginning of a set
    t.good(dev.cmd([0x2a, 0, 0, 0, 0xf0, 0, 0, 0, 8, 0], data_out=bytes(4096)), 'WRITE of 4 KiB')
    settle(watch, 4)
    t.eq(log(dev)[1][0], 28, 'available, rounded down')
    t.good(unmap(dev, 0, 32), 'UNMAP of all')
    settle(watch, 0)


def level(dev, watch, now, to):
    """Make so many MiB used."""
    quiet(watch)
    t.good(fill(watch, now, to - now) if to > now else unmap(dev, to, now - to), 'from %d to %d MiB' % (now, to))
    settle(watch, to)
    return to


def test_crossing(dev, other, watch):
    """Told beyond the far end of the range, once, until it was back behind the near one; SBC-4 4.7.3.7.4, 5"""
    for name, at, setting in (('used 8', USED, {'used': 8}), ('available 24', AVAILABLE, {'available': 24})):
        lbpere(dev, 0)
        thresholds(dev, **setting)
        now = level(dev, watch, 0, 12)
        quiet(other)
        t.eq(told(dev), None, name + ': without LBPERE')
        now = level(dev, watch, now, 0)
        lbpere(dev, 1)
        quiet(other)
        for to, expect in ((7, False), (8, False), (9, True), (8, False), (10, False), (7, False), (9, True)):
            now = level(dev, watch, now, to)
            for d in (dev, other):
                if not expect:
                    t.eq(told(d), None, '%s: at %d MiB' % (name, to))
                    continue
                # The other has been told by the same look of the target: REQUEST SENSE says it, too.
                t.eq(wait_told(d) if d is dev else request_sense(d), (THRESHOLD, at), '%s: at %d MiB' % (name, to))
                t.eq(told(d), None, name + ': once')
        now = level(dev, watch, now, 0)
        quiet(dev, other)
    # both at once: one after the other
    thresholds(dev, available=20, used=12)
    quiet(other)
    now = level(dev, watch, 0, 14)
    for d in (dev, other):
        t.eq([wait_told(d), wait_told(d), told(d)], [(THRESHOLD, AVAILABLE), (THRESHOLD, USED), None], 'both thresholds')
    # what has been crossed when it is set is told, too
    thresholds(dev, used=2)
    other.clear_ua()
    until('a threshold that is crossed already', lambda: told(dev) == (THRESHOLD, USED))
    level(dev, watch, now, 0)
    quiet(dev, other)


def test_situa(dev, other, watch):
    """With SITUA the first who asks is the only one."""
    thresholds(dev)
    quiet(dev, other, watch)
    for first, second in ((dev, other), (other, dev)):
        level(dev, watch, 0, 6)
        # Crossed already: from here on only the first sends what can tell it.
        thresholds(dev, used=4, situa=True)
        seen = []
        until('SITUA', lambda: seen.extend(first.clear_ua()) or THRESHOLD in seen)
        t.eq(seen.count(THRESHOLD), 1, 'SITUA: who comes first')
        for d in (second, watch, first):
            t.ok(THRESHOLD not in d.clear_ua(), 'SITUA: everybody else')
        thresholds(dev)
        level(dev, watch, 6, 0)
        quiet(dev, other, watch)
    thresholds(dev)
    quiet(dev, other, watch)


def test_saved(dev, other):
    """Thresholds are saved with SP, and LBPERE with them."""
    lbpere(dev, 1, save=True)
    thresholds(dev, used=30, save=True)
    lbpere(dev, 0)
    thresholds(dev, used=7, available=3, situa=True)
    t.eq(mode_page(dev, 0x1c, 2, SAVED)[24:], b'\x81\x02\0\0' + struct.pack('>I', 30), 'saved threshold')
    fcntl.ioctl(dev.fd, 0x2284, struct.pack('i', 1))    # SG_SCSI_RESET, device
    quiet(dev, other)
    t.eq(mode_page(dev, 0x1c, 2)[4:].hex(), '00' * 12 + '0001000000000000' + '810200000000001e', 'after a reset')
    t.eq(mode_page(dev, 1)[7], 0x80, 'LBPERE after a reset')
    with open(read('dbroot').strip() + '/lu/' + SERIAL % 0) as f:
        t.ok(any(line.startswith('mode 5c02001c') for line in f), 'the page in the file')
    thresholds(dev, save=True)
    lbpere(dev, 0, save=True)
    quiet(other)


def test_file(target):
    """A file on a small file system: what is left is the file system's, and it ends."""
    os.makedirs('/tmp/small', exist_ok=True)
    subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=16M', 'none', '/tmp/small'], check=True)
    try:
        with open('/tmp/small/file', 'wb') as f:
            f.truncate(64 * MIB)
        disk = target.device('fileio', 'small', 'fd_dev_name=/tmp/small/file,fd_dev_size=%d' % (64 * MIB),
                             serial=SERIAL % 1, emulate_tpu=1)
        tpg = target.loop(WWNS[0])
        with Device(tpg.lun(1, disk, 'scsi_generic')) as dev:
            dev.clear_ua()
            settle(dev, 0)
            t.eq(log(dev), {1: (16, 2), 2: (0, 1)}, 'a sparse file of 64 MiB on 16 MiB')
            lbpere(dev, 1)
            thresholds(dev, available=4)
            t.good(fill(dev, 0, 13), '13 MiB')
            until('a file system that is nearly full', lambda: told(dev) == (THRESHOLD, AVAILABLE))
            settle(dev, 13)
            t.eq(log(dev), {1: (3, 2), 2: (13, 1)}, '13 MiB used of 16')
            t.bad(fill(dev, 13, 5), SPACE_ALLOC_FAILED, 'a full file system')
            dev.clear_ua()
            r = dev.cmd([0x28] + [0] * 7 + [1, 0], data_in=512)
            t.eq((r.status, r.data), (GOOD, b'\x5a' * 512), 'what is there can be read')
            t.good(unmap(dev, 0, 4), 'UNMAP makes room')
            t.good(fill(dev, 20, 3), 'and it can be used')
        tpg.unlink(1)
        target.remove(disk)
    finally:
        subprocess.run(['umount', '/tmp/small'], check=True)


def main():
    with NoDiskDriver(), Target() as target:
        disk = target.device('rd_mcp', 'thin', 'rd_pages=8192', serial=SERIAL % 0)
        nodes = [target.loop(wwn).lun(0, disk, 'scsi_generic') for wwn in WWNS]
        with Device(nodes[0]) as dev, Device(nodes[1]) as other, Device(nodes[2]) as watch:
            quiet(dev, other, watch)
            test_offered(disk, dev)
            quiet(dev, other, watch)
            test_page(dev, other)
            test_counts(dev, watch)
            test_crossing(dev, other, watch)
            test_situa(dev, other, watch)
            test_saved(dev, other)
        test_file(target)
    t.end()


if __name__ == '__main__':
    main()
