#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""The commands of SPC-4 against a loopback LUN: every allocation length, every reserved bit,
every page, every way to be refused. Needs our target to be loaded.
"""
import os
import random
import struct
import threading
import time

from sgio import (CHECK_CONDITION, GOOD, INVALID_FIELD_CDB, INVALID_FIELD_PARAM, INVALID_OPCODE, RESERVATION_CONFLICT,
                  LUN_NOT_SUPPORTED, PARAM_LIST_LENGTH, SAVING_NOT_SUPPORTED, UNIT_ATTENTION,
                  Device, Sense, Table, find)
from target import CFS, Target, read, write

LONG = os.environ.get('TCM_LONG')
WWN = 'naa.5001405000000001'
SERIAL = '1d3c5e7a-9b0f-4c2d-8e6a-0123456789ab'
LUNS_CHANGED = (6, 0x3f, 0x0e)
MODE_CHANGED = (6, 0x2a, 0x01)
BAD_IU = (5, 0x0e, 0x03)
STOPPED = (2, 0x04, 0x02)
BLOCKS = 2056       # of the disk under test: no bit of it alone makes another valid number
EVPD_PAGES = (0x00, 0x80, 0x83, 0x86, 0x87, 0x88, 0x8f, 0xb0, 0xb1, 0xb2, 0xb4)

t = Table('spc')


def inquiry(page=None, alloc=1024):
    return [0x12, page is not None, page or 0, alloc >> 8, alloc & 0xff, 0]


def request_sense(alloc=252, desc=0):
    return [0x03, desc, 0, 0, alloc, 0]


def mode_sense6(page, subpage=0, pc=0, dbd=0, alloc=255):
    return [0x1a, dbd << 3, pc << 6 | page, subpage, alloc, 0]


def mode_sense10(page, subpage=0, pc=0, dbd=0, llbaa=0, alloc=2048):
    return [0x5a, llbaa << 4 | dbd << 3, pc << 6 | page, subpage, 0, 0, 0, alloc >> 8, alloc & 0xff, 0]


def mode_select6(length, byte1=0x10):
    return [0x15, byte1, 0, 0, length, 0]


def mode_select10(length, byte1=0x10):
    return [0x55, byte1, 0, 0, 0, 0, 0, length >> 8, length & 0xff, 0]


def be32(n):
    return list(struct.pack('>I', n))


def report_luns(select=0, alloc=4096):
    return [0xa0, 0, select, 0, 0, 0] + be32(alloc) + [0, 0]


def rsoc(option, opcode=0, sa=0, rctd=0, alloc=8192):
    return [0xa3, 0x0c, rctd << 7 | option, opcode, sa >> 8, sa & 0xff] + be32(alloc) + [0, 0]


def rstmf(repd=0, alloc=16):
    return [0xa3, 0x0d, repd << 7, 0, 0, 0] + be32(alloc) + [0, 0]


# Commands that answer with data: what, CDB for an allocation length, the least that is allowed,
# the most the field holds
READERS = [
    ('INQUIRY', lambda n: inquiry(None, n), 0, 0xffff),
    *[('VPD %02xh' % p, lambda n, p=p: inquiry(p, n), 0, 0xffff) for p in EVPD_PAGES],
    ('REQUEST SENSE', lambda n: request_sense(n), 0, 0xff),
    ('REQUEST SENSE DESC', lambda n: request_sense(n, 1), 0, 0xff),
    ('MODE SENSE(6) 3Fh', lambda n: mode_sense6(0x3f, alloc=n), 0, 0xff),
    ('MODE SENSE(6) 3Fh/FFh DBD', lambda n: mode_sense6(0x3f, 0xff, dbd=1, alloc=n), 0, 0xff),
    ('MODE SENSE(10) 3Fh', lambda n: mode_sense10(0x3f, alloc=n), 0, 0xffff),
    ('MODE SENSE(10) 0Ah/05h', lambda n: mode_sense10(0x0a, 5, alloc=n), 0, 0xffff),
    ('MODE SENSE(10) 3Fh LLBAA', lambda n: mode_sense10(0x3f, llbaa=1, alloc=n), 0, 0xffff),
    ('REPORT LUNS', lambda n: report_luns(0, n), 16, 0xffffffff),
    ('RSOC all', lambda n: rsoc(0, alloc=n), 0, 0xffffffff),
    ('RSOC all RCTD', lambda n: rsoc(0, rctd=1, alloc=n), 0, 0xffffffff),
    ('RSOC one', lambda n: rsoc(1, 0x12, alloc=n), 0, 0xffffffff),
    ('RSOC one SA RCTD', lambda n: rsoc(2, 0xa3, 0x0c, 1, alloc=n), 0, 0xffffffff),
    ('RSTMF', lambda n: rstmf(0, n), 4, 0xffffffff),
    ('RSTMF REPD', lambda n: rstmf(1, n), 4, 0xffffffff),
]


def untouched(buf):
    return buf == b'\0' * len(buf) or buf == bytes([Device.FILL]) * len(buf)


def test_allocation_lengths(dev):
    """Truncation by the allocation length is no error; residual and data are exact."""
    for name, cdb, least, most in READERS:
        full = dev.cmd(cdb(min(most, 8192)), data_in=8192)
        if not t.good(full, name):
            continue
        size = len(full.data)
        t.ok(size, '%s: data' % name)
        for alloc in range(0, min(size + 3, most + 1)):
            if not LONG and 64 < alloc < size - 2 and alloc % 13:
                continue
            r = dev.cmd(cdb(alloc), data_in=size + 5)
            what = '%s, allocation length %d' % (name, alloc)
            if alloc < least:
                t.bad(r, INVALID_FIELD_CDB, what, field=6)
                continue
            want = min(alloc, size)
            if t.good(r, what):
                t.eq(r.data, full.data[:want], what)
                t.eq(r.resid, size + 5 - want, what + ', residual')
                t.ok(untouched(r.buffer[want:]), what + ': wrote behind the end')
        # The initiator's buffer is smaller than what it allows to be sent.
        for room in (1, 3, size - 1):
            if room and room < size:
                r = dev.cmd(cdb(min(most, 8192)), data_in=room)
                t.eq((r.status, r.data), (GOOD, full.data[:room]), '%s into %d bytes' % (name, room))
        r = dev.cmd(cdb(min(most, 8192)))
        t.eq((r.status, r.data), (GOOD, b''), '%s into no buffer' % name)
        if most > 0xffff:
            r = dev.cmd(cdb(0xffffffff), data_in=size + 5)
            t.eq((r.status, r.data), (GOOD, full.data), '%s, largest allocation length' % name)


# A CDB that works and the bits of it that mean something (the opcode byte is whole)
BITS = [
    ('TEST UNIT READY', [0] * 6, '00'),
    ('REQUEST SENSE', request_sense(), '03 01 00 00 ff'),
    ('INQUIRY', inquiry(0), '12 01 ff ff ff'),
    ('MODE SELECT(6)', mode_select6(0), '15 11 00 00 ff'),
    ('MODE SENSE(6)', mode_sense6(0x3f), '1a 08 ff ff ff'),
    ('MODE SELECT(10)', mode_select10(0), '55 11 00 00 00 00 00 ff ff'),
    ('MODE SENSE(10)', mode_sense10(0x3f), '5a 18 ff ff 00 00 00 ff ff'),
    ('REPORT LUNS', report_luns(), 'a0 00 ff 00 00 00 ff ff ff ff'),
    ('RSOC', rsoc(0), 'a3 0c 87 ff ff ff ff ff ff ff'),
    ('RSTMF', rstmf(), 'a3 0d 80 00 00 00 ff ff ff ff'),
]


def test_reserved_bits(dev):
    """Each reserved bit alone is refused, and pointed at."""
    for name, cdb, bits in BITS:
        usage = bytes.fromhex(bits).ljust(len(cdb), b'\0')
        has_sa = cdb[0] == 0xa3
        ignored = 0xe0 if cdb[0] == 0x12 else 0     # a SCSI-2 LUN
        t.good(dev.cmd(cdb, data_in=0 if cdb[0] in (0, 0x15, 0x55) else 512), name)
        for byte in range(1, len(cdb)):
            for bit in range(8):
                if usage[byte] >> bit & 1 or (byte == 1 and has_sa and bit < 5):
                    continue
                bad = list(cdb)
                bad[byte] |= 1 << bit
                r = dev.cmd(bad, data_in=0 if cdb[0] in (0, 0x15, 0x55) else 512)
                if byte == 1 and ignored >> bit & 1:
                    t.good(r, '%s, byte %d bit %d is ignored' % (name, byte, bit))
                    continue
                t.bad(r, INVALID_FIELD_CDB, '%s, byte %d bit %d' % (name, byte, bit), field=(byte, bit))
        # ... and RSOC tells the same bits
        r = dev.cmd(rsoc(3, cdb[0], cdb[1] & 0x1f if has_sa else 0), data_in=64)
        t.good(r, 'RSOC of ' + name)
        t.eq(r.data[4:], usage, 'CDB usage data of ' + name)
        t.eq(struct.unpack('>H', r.data[2:4])[0], len(cdb), 'CDB size of ' + name)


def test_inquiry(dev):
    """Standard data and pages that do not exist."""
    std = dev.cmd(inquiry(alloc=256), data_in=256).data
    t.eq(len(std), 96, 'standard INQUIRY length')
    t.eq(std[:8].hex(' '), '00 00 06 02 5b b8 00 02', 'standard INQUIRY header')
    t.eq(std[8:36], b'LIO-ORG RAMDISK-MCP     4.0 ', 'vendor, product, revision')
    t.eq(std[36:58], bytes(22), 'vendor specific')
    t.eq(std[58:74].hex(' '), '00 a0 0c 60 04 60 04 c0 00 00 00 00 00 00 00 00', 'version descriptors')
    t.bad(dev.cmd(inquiry(alloc=96)[:2] + [0x80] + inquiry(alloc=96)[3:], data_in=96),
          INVALID_FIELD_CDB, 'page code without EVPD', field=2)
    pages = dev.cmd(inquiry(0), data_in=64).data
    t.eq(pages, bytes([0, 0, 0, len(EVPD_PAGES), *EVPD_PAGES]), 'supported VPD pages')
    for page in range(256):
        r = dev.cmd(inquiry(page), data_in=1024)
        what = 'VPD page %02xh' % page
        if page not in EVPD_PAGES:
            t.bad(r, INVALID_FIELD_CDB, what, field=2)
        elif t.good(r, what):
            t.eq(r.data[:2], bytes([0, page]), what + ', header')
            t.eq(struct.unpack('>H', r.data[2:4])[0], len(r.data) - 4, what + ', length')


def test_vpd(dev):
    """What the pages say of a ramdisk with default attributes."""
    def page(n):
        return dev.cmd(inquiry(n), data_in=1024).data

    t.eq(page(0x80), b'\0\x80\0\x25' + SERIAL.encode() + b'\0', 'unit serial number')
    t.eq(page(0x86)[:16].hex(' '), '00 86 00 3c 00 17 00 00 00 00 00 00 00 60 00 00', 'extended INQUIRY')
    limits = page(0xb0)
    t.eq(len(limits), 64, 'block limits length')
    t.eq(limits[4:8].hex(' '), '01 ff 00 01', 'WSNZ, COMPARE AND WRITE, granularity')
    most, optimal = struct.unpack('>II', limits[8:16])
    t.ok(most * 512 < 1 << 32, 'MAXIMUM TRANSFER LENGTH is what a command can move')
    t.ok(0 < optimal <= most, 'OPTIMAL TRANSFER LENGTH')
    t.eq(limits[20:36], bytes(16), 'no unmap limits without UNMAP')
    t.eq(page(0xb1), b'\0\xb1\0\x3c\0\x01\0\x40' + bytes(56), 'block device characteristics')
    t.eq(page(0x87), b'\0\x87\0\4\x3f\xff\0\0', 'mode page policy')
    t.eq(page(0xb4), b'\0\xb4\0\x08\0\0\2\0\0\1\0\0', 'supported block lengths')
    t.eq(page(0xb2), b'\0\xb2\0\x04' + bytes(4), 'logical block provisioning')


def test_ports(dev, *ports):
    """VPD page 88h names the ports by which the unit can be reached, as page 83h does."""
    page, pos, found = dev.cmd(inquiry(0x88, 4096), data_in=4096).data, 4, []
    while pos < len(page):
        rtpi, initiator, size = struct.unpack('>2xH2xH2xH', page[pos:pos + 12])
        t.eq(initiator, 0, 'no initiator port')
        desig = page[pos + 12:pos + 12 + size]
        t.eq(size, 4 + desig[3], 'one descriptor')
        found.append((rtpi, desig[4:].rstrip(b'\0').decode()))
        pos += 12 + size
    t.eq(pos, len(page), 'the last port ends with the page')
    t.eq(sorted(name for _, name in found), sorted(p + ',t,0x0001' for p in ports), 'the names of the ports')
    own = dev.cmd(inquiry(0x83), data_in=1024).data
    t.ok((struct.unpack('>I', own[own.index(b'\x61\x94\0\4') + 4:][:4])[0], ports[0] + ',t,0x0001') in found,
         'the own port is one of them: %r' % found)


def descriptors(page):
    pos = 4
    while pos < len(page):
        yield page[pos:pos + 4 + page[pos + 3]]
        pos += 4 + page[pos + 3]


def test_identification(dev, port_group=0, lu_group=0):
    """VPD page 83h, descriptor by descriptor."""
    page = dev.cmd(inquiry(0x83), data_in=1024).data
    rtpi = struct.unpack('>H', page[4 + 20 + 61 + 6:][:2])[0] if len(page) > 91 else 0
    want = [
        bytes.fromhex('01030010 60014051d3c5e7a9b0f4c2d8e6a01234'),
        b'\x02\x01\0\x39LIO-ORG RAMDISK-MCP:' + SERIAL.encode() + b'\0',
        b'\x61\x94\0\x04' + struct.pack('>I', rtpi),
        b'\x61\x95\0\x04' + struct.pack('>I', port_group),
        b'\x01\x06\0\x04' + struct.pack('>I', lu_group),
        b'\x63\x98\0\x20' + (WWN + ',t,0x0001').encode().ljust(32, b'\0'),
        b'\x63\xa8\0\x18' + WWN.encode().ljust(24, b'\0'),
    ]
    got = list(descriptors(page))
    t.eq(len(got), len(want), 'number of designators')
    for g, w in zip(got, want):
        t.eq(g, w, 'designator')


ERROR_PAGE = bytes([0x01, 10] + [0] * 10)
CACHE_PAGE = bytes([0x08, 18] + [0] * 10 + [0x20] + [0] * 7)
CONTROL_PAGE = bytes([0x0a, 10, 0x02, 0x10, 0, 0x40, 0, 0, 0xff, 0xff, 0, 30])
EXCEPTIONS_PAGE = bytes([0x1c, 10] + [0] * 10)
# (page, subpage): current, default and saved values of a ramdisk with default attributes
PAGES = {(0x01, 0): ERROR_PAGE,
         (0x02, 0): bytes([0x02, 14] + [0] * 14),
         (0x08, 0): CACHE_PAGE,
         (0x0a, 0): CONTROL_PAGE,
         (0x0a, 1): bytes([0x4a, 1, 0, 28, 7] + [0] * 27),
         (0x0a, 5): bytes([0x4a, 5, 4, 0x0c] + [0] * 12 + [b for n in range(64) for b in (0x40 | (0 < n < 32), *[0] * 15)]),
         (0x1a, 0): bytes([0x1a, 38] + [0] * 38),
         (0x1c, 0): EXCEPTIONS_PAGE}
SAVABLE = ((0x01, 0), (0x08, 0), (0x0a, 0), (0x0a, 5))  # pages that have something that can be changed, on some device
SIX_MAX = 255       # MODE SENSE(6) leaves out a page that is longer
CHANGEABLE = {key: data[:4 if key[1] else 2].ljust(len(data), b'\0') for key, data in PAGES.items()}
# page, byte, bit
CHANGES = {(0x0a, 2, 5): 'TST', (0x0a, 2, 2): 'D_SENSE', (0x0a, 3, 1): 'QERR', (0x0a, 3, 4): 'QUEUE ALGORITHM MODIFIER',
           (0x0a, 4, 3): 'SWP', (0x0a, 4, 5): 'UA_INTLCK_CTRL', (0x0a, 5, 6): 'TAS'}
# these, too, but alone they make a reserved value: the bit that its field begins with
RESERVED = {(0x0a, 3, 2): 2, (0x0a, 4, 4): 5}
for _page, _byte, _bit in (*CHANGES, *RESERVED):
    _data = bytearray(CHANGEABLE[_page, 0])
    _data[_byte] |= 1 << _bit
    CHANGEABLE[_page, 0] = bytes(_data)


for _n in range(1, 32):
    # IC_ENABLE
    CHANGES[0x4a05, 16 + 16 * _n, 0] = 'commands of group %d are counted' % _n
    CHANGEABLE[0x0a, 5] = CHANGEABLE[0x0a, 5][:16 + 16 * _n] + b'\1' + CHANGEABLE[0x0a, 5][17 + 16 * _n:]


def pages_of(values, page, subpage, most=0xffff):
    """What MODE SENSE of a page and subpage code returns, PS included; empty: refused"""
    return b''.join(bytes([data[0] | (0x80 if key in SAVABLE else 0)]) + data[1:]
                    for key, data in sorted(values.items())
                    if page in (key[0], 0x3f) and subpage in (key[1], 0xff) and len(data) <= most)


ALL_PAGES = pages_of(PAGES, 0x3f, 0)
SHORT_BD = struct.pack('>II', BLOCKS, 512)
LONG_BD = struct.pack('>QII', BLOCKS, 0, 512)
DPOFUA = 0x10


def mode_data6(pages, bd=b'', specific=DPOFUA):
    return bytes([3 + len(bd) + len(pages), 0, specific, len(bd)]) + bd + pages


def mode_data10(pages, bd=b'', specific=DPOFUA):
    return struct.pack('>HBBBBH', 6 + len(bd) + len(pages), 0, specific, len(bd) == 16, 0, len(bd)) + bd + pages


def test_mode_sense(dev):
    """Every page and subpage code with every page control."""
    known = {key[0] for key in PAGES}
    for page in range(0x40):
        for subpage in (0, 1, 2, 5, 0xfe, 0xff):
            for pc in range(4):
                what = 'MODE SENSE %02xh/%02xh PC %d' % (page, subpage, pc)
                r6 = dev.cmd(mode_sense6(page, subpage, pc, dbd=1), data_in=255)
                r10 = dev.cmd(mode_sense10(page, subpage, pc, dbd=1), data_in=2048)
                field = 3 if page in known or page == 0x3f else (2, 5)
                for r, data, most in (r6, mode_data6, SIX_MAX), (r10, mode_data10, 0xffff):
                    want = b'' if page == 0x3f and subpage not in (0, 0xff) else \
                        pages_of(CHANGEABLE if pc == 1 else PAGES, page, subpage, most)
                    if want:
                        t.eq((r.status, r.data), (GOOD, data(want)), what)
                    else:
                        t.bad(r, INVALID_FIELD_CDB, what, field=field)
    for llbaa in (0, 1):
        bd = LONG_BD if llbaa else SHORT_BD
        r = dev.cmd(mode_sense10(0x3f, llbaa=llbaa), data_in=1024)
        t.eq(r.data, mode_data10(ALL_PAGES, bd), 'MODE SENSE(10) LLBAA %d' % llbaa)
        r = dev.cmd(mode_sense10(0x3f, llbaa=llbaa, dbd=1), data_in=1024)
        t.eq(r.data, mode_data10(ALL_PAGES), 'MODE SENSE(10) LLBAA %d DBD' % llbaa)
    r = dev.cmd(mode_sense6(0x3f), data_in=255)
    t.eq(r.data, mode_data6(ALL_PAGES, SHORT_BD), 'MODE SENSE(6) with block descriptor')


def sendable(data, first):
    """Mode data as MODE SELECT takes them: without MODE DATA LENGTH, WP and PS; page offsets"""
    data, pages = bytearray(data), []
    data[0] = 0
    pos = first
    while pos < len(data):
        pages.append(pos)
        data[pos] &= 0x7f
        pos += 4 + struct.unpack('>H', data[pos + 2:pos + 4])[0] if data[pos] & 0x40 else 2 + data[pos + 1]
    return data, pages


def test_mode_select(dev):
    """What was read is accepted back; nothing else is, but what is changeable."""
    for ten, sense, select in ((0, mode_sense6, mode_select6), (1, mode_sense10, mode_select10)):
        name = 'MODE SELECT(%d)' % (10 if ten else 6)
        head = 8 if ten else 4
        t.good(dev.cmd(select(0, 0)), name + ', no list')
        reads = [dict(page=p, subpage=s, dbd=d) for p, s in (*PAGES, (0x3f, 0), (0x3f, 0xff)) for d in (0, 1)]
        if ten:
            reads += [dict(page=0x3f, llbaa=1)]
        for read_args in reads:
            if not ten and len(PAGES.get((read_args['page'], read_args.get('subpage')), b'')) > SIX_MAX:
                continue
            data = dev.cmd(sense(**read_args), data_in=2048).data
            data, _ = sendable(data, head + (struct.unpack('>H', data[6:8])[0] if ten else data[3]))
            t.good(dev.cmd(select(len(data)), data_out=data), '%s of %r' % (name, read_args))
        before = dev.cmd(sense(0x3f, 0xff), data_in=2048).data
        bd = head + 8
        data, pages = sendable(before, bd)
        t.eq(len(pages), len(PAGES) - (not ten), name + ', number of pages')
        t.bad(dev.cmd(select(len(data), 0x00), data_out=data), INVALID_FIELD_CDB, name + ' no PF', field=(1, 4))
        for n in range(1, len(data)):
            r = dev.cmd(select(n), data_out=data[:n])
            # Between two pages a list may end.
            if n in pages:
                t.good(r, '%s cut after %d bytes' % (name, n))
            else:
                t.bad(r, PARAM_LIST_LENGTH, '%s cut after %d bytes' % (name, n))
        # less data than the CDB announces
        t.bad(dev.cmd(select(len(data)), data_out=data[:-1]), BAD_IU, name + ', a byte short')
        for i in range(head, len(data)):
            at = max([p for p in pages if p <= i], default=0)
            page = struct.unpack('>H', data[at:at + 2])[0] if data[at] & 0x40 else data[at]
            for bit in range(8):
                bad = bytearray(data)
                bad[i] ^= 1 << bit
                what = '%s, byte %d bit %d changed' % (name, i, bit)
                r = dev.cmd(select(len(bad)), data_out=bad)
                if i < head + 4:
                    t.bad(r, INVALID_FIELD_PARAM, what, field=head, param=True)
                elif i < bd:
                    t.bad(r, INVALID_FIELD_PARAM, what, field=head + 5, param=True)
                elif (page, i - at, bit) in CHANGES:
                    t.good(r, '%s: %s' % (what, CHANGES[page, i - at, bit]))
                    now = dev.cmd(sense(0x3f, 0xff), data_in=2048).data
                    t.eq(now[bd:i] + bytes([now[i] ^ 1 << bit]) + now[i + 1:], before[bd:], what + ', current values')
                    t.good(dev.cmd(select(len(data)), data_out=data), what + ' and back')
                elif (page, i - at, bit) in RESERVED:
                    t.bad(r, INVALID_FIELD_PARAM, what, field=(i, RESERVED[page, i - at, bit]), param=True)
                elif i == at and bit == 7:
                    t.bad(r, INVALID_FIELD_PARAM, what, field=(i, 7), param=True)   # PS
                elif i == at or (data[at] & 0x40 and i == at + 1):
                    t.ok(r.status == CHECK_CONDITION and r.code in (INVALID_FIELD_PARAM, PARAM_LIST_LENGTH),
                         '%s: %s' % (what, r))
                elif i < at + (4 if data[at] & 0x40 else 2):
                    t.bad(r, INVALID_FIELD_PARAM, what, field=at + (2 if data[at] & 0x40 else 1), param=True)
                else:
                    t.bad(r, INVALID_FIELD_PARAM, what, field=(i, bit), param=True)
        bad = bytearray(data)
        bad[2 if ten else 1] = 1
        t.bad(dev.cmd(select(len(bad)), data_out=bad), INVALID_FIELD_PARAM, name + ' medium type',
              field=2 if ten else 1, param=True)
        t.eq(dev.cmd(sense(0x3f, 0xff), data_in=2048).data, before, name + ' left everything as it was')


def d_sense(dev, on):
    page = bytearray(CONTROL_PAGE)
    page[2] |= 4 if on else 0
    return dev.cmd(mode_select10(8 + len(page)), data_out=mode_data10(bytes(page), specific=0))


def test_d_sense(dev, other):
    """D_SENSE chooses the format of sense data, for every nexus, and tells the others."""
    other.clear_ua()
    t.ok(not dev.cmd(inquiry(0xff)).sense.desc, 'fixed format by default')
    t.good(d_sense(dev, True), 'D_SENSE on')
    r = dev.cmd(inquiry(0xff))
    t.bad(r, INVALID_FIELD_CDB, 'sense data in descriptor format', field=2)
    t.ok(r.sense.desc, 'descriptor format')
    t.eq(r.sense.raw[:8].hex(' '), '72 05 24 00 00 00 00 08', 'descriptor format header')
    current = dev.cmd(mode_sense10(0x0a, dbd=1), data_in=64).data
    default = dev.cmd(mode_sense10(0x0a, pc=2, dbd=1), data_in=64).data
    t.eq((current[10] & 4, default[10] & 4), (4, 0), 'D_SENSE current and default')
    r = other.cmd([0] * 6)
    t.eq(r.code, MODE_CHANGED, 'the other nexus is told')
    t.ok(r.sense and r.sense.desc, 'the other nexus gets descriptor format')
    t.good(dev.cmd([0] * 6), 'who changed it is not told')
    t.good(d_sense(dev, False), 'D_SENSE off')
    t.ok(not dev.cmd(inquiry(0xff)).sense.desc, 'fixed format again')
    t.eq(other.clear_ua(), [MODE_CHANGED], 'the other nexus is told again')
    t.good(d_sense(dev, False), 'no change')
    t.eq(other.clear_ua(), [], 'no change tells nobody')


def test_request_sense(dev):
    """Nothing to tell, in both formats."""
    r = dev.cmd(request_sense(), data_in=252)
    t.eq(r.data.hex(' '), '70 00 00 00 00 00 00 0a' + ' 00' * 10, 'REQUEST SENSE, fixed')
    r = dev.cmd(request_sense(desc=1), data_in=252)
    t.eq(r.data.hex(' '), '72 00 00 00 00 00 00 00', 'REQUEST SENSE, descriptor')
    t.good(dev.cmd([0x1b, 0, 0, 0, 0, 0]), 'STOP')
    for desc in (0, 1):
        r = dev.cmd(request_sense(desc=desc), data_in=252)
        t.good(r, 'REQUEST SENSE of a stopped unit')
        t.eq(Sense(r.data).code, STOPPED, 'REQUEST SENSE of a stopped unit')
    t.bad(dev.cmd([0] * 6), STOPPED, 'TEST UNIT READY of a stopped unit')
    t.good(dev.cmd([0x1b, 0, 0, 0, 1, 0]), 'START')
    t.eq(Sense(dev.cmd(request_sense(), data_in=252).data).code, (0, 0, 0), 'REQUEST SENSE after START')


SUPPORTED = {       # opcode, service action -> CDB length; those this file tests
    (0x00, None): 6, (0x03, None): 6, (0x12, None): 6, (0x15, None): 6, (0x1a, None): 6,
    (0x55, None): 10, (0x5a, None): 10, (0xa0, None): 12, (0xa3, 0x0c): 12, (0xa3, 0x0d): 12,
    (0x08, None): 6, (0x28, None): 10, (0x88, None): 16, (0x9e, 0x10): 16,
}


def parse_all(data, rctd):
    t.eq(struct.unpack('>I', data[:4])[0], len(data) - 4, 'COMMAND DATA LENGTH')
    found, pos = {}, 4
    while pos < len(data):
        opcode, sa, flags, length = struct.unpack('>BxHxBH', data[pos:pos + 8])
        t.eq(bool(flags & 2), bool(rctd), 'CTDP of %02xh' % opcode)
        t.eq(flags & ~3, 0, 'CDLP and more of %02xh' % opcode)
        found[opcode, sa if flags & 1 else None] = length
        pos += 8
        if rctd:
            t.eq(data[pos:pos + 4], b'\0\x0a\0\0', 'timeouts descriptor of %02xh' % opcode)
            pos += 12
    t.eq(pos, len(data), 'all of the list')
    return found


VARIABLE = 0x7f     # has its service action in bytes 8 and 9, others in byte 1


def put_sa(cdb, sa):
    """Put a service action into a CDB."""
    if cdb[0] == VARIABLE:
        cdb[8:10] = sa.to_bytes(2, 'big')
    else:
        cdb[1] |= sa
    return cdb


def test_rsoc(dev):
    """All reporting options, against each other and against what is there; what there is"""
    found = parse_all(dev.cmd(rsoc(0), data_in=8192).data, 0)
    t.eq(parse_all(dev.cmd(rsoc(0, rctd=1), data_in=8192).data, 1), found, 'the list with RCTD')
    for key, length in SUPPORTED.items():
        t.eq(found.get(key), length, 'CDB length of %r' % (key,))
    with_sa = {op for op, sa in found if sa is not None}
    for opcode in range(256):
        known = (opcode, None) in found
        r = dev.cmd(rsoc(1, opcode), data_in=64)
        if opcode in with_sa:
            t.bad(r, INVALID_FIELD_CDB, 'RSOC 1 of %02xh' % opcode, field=(2, 2))
        elif t.good(r, 'RSOC 1 of %02xh' % opcode):
            t.eq(r.data[1], 3 if known else 1, 'RSOC 1 of %02xh, SUPPORT' % opcode)
            t.eq(len(r.data), 4 + found.get((opcode, None), 0), 'RSOC 1 of %02xh, length' % opcode)
        for sa in (0, 1, 0x0c, 0x10, 0x1f, 0x100, 0xffff):
            r = dev.cmd(rsoc(2, opcode, sa), data_in=64)
            what = 'RSOC 2 of %02xh/%x' % (opcode, sa)
            if known:
                t.bad(r, INVALID_FIELD_CDB, what, field=(2, 2))
            else:
                t.eq((r.status, r.data[1]), (GOOD, 3 if (opcode, sa) in found else 1), what)
            r = dev.cmd(rsoc(3, opcode, sa, 1), data_in=64)
            there = (opcode, sa) in found or (known and not sa)
            what = 'RSOC 3 of %02xh/%x' % (opcode, sa)
            t.eq((r.status, r.data[1]), (GOOD, 0x83 if there else 1), what)
            if there:
                t.eq(r.data[4], opcode, what + ', opcode')
                t.eq(len(r.data), 4 + struct.unpack('>H', r.data[2:4])[0] + 12, what + ', length')
    for option in (4, 5, 6, 7):
        t.bad(dev.cmd(rsoc(option), data_in=64), INVALID_FIELD_CDB, 'RSOC %d' % option, field=(2, 2))
    # What is not in the list is not there, whatever the rest of the CDB says.
    for opcode in range(256):
        if opcode in with_sa or (opcode, None) in found:
            continue
        t.bad(dev.cmd([opcode] + [0] * 15), INVALID_OPCODE, 'opcode %02xh' % opcode)
    for opcode in with_sa:
        for sa in range(32):
            if (opcode, sa) not in found:
                t.bad(dev.cmd(put_sa(bytearray([opcode] + [0] * 31), sa)), INVALID_FIELD_CDB,
                      '%02xh/%02xh' % (opcode, sa), field=(8, 7) if opcode == VARIABLE else (1, 4))
    return set(found)


IGNORED = {(0x12, 1): 0xe0}      # (opcode, byte): bits without a meaning that are not refused
# With RDPROTECT, WRPROTECT, VRPROTECT or ORPROTECT, by operation code or by service action of 7Fh
PROTECT = (0x28, 0x2a, 0x2e, 0x2f, 0x41, 0x88, 0x89, 0x8a, 0x8b, 0x8e, 0x8f, 0x93, 0x9c, 0xa8, 0xaa,
           0xae, 0xaf)
PROTECT_32 = (0x09, 0x0a, 0x0b, 0x0c, 0x0d)


def protect_at(opcode, sa):
    """Where that field is; None without."""
    if opcode == VARIABLE:
        return 10 if sa in PROTECT_32 else None
    return 1 if opcode in PROTECT else None


def test_usage(dev, pi=0):
    """
    The CDB usage data are what the commands do: every bit that is zero there is refused and
    pointed at, NACA among them; a CDB that ends early is refused at its end. With protection
    information of type @pi, what has no room for its tags, or for tags it does not have, is not
    there with RDPROTECT and the like (SBC-4, READ(10), READ(32)).
    """
    for (opcode, sa), length in parse_all(dev.cmd(rsoc(0), data_in=8192).data, 0).items():
        what = 'opcode %02xh' % opcode + ('' if sa is None else '/%02xh' % sa)
        usage = dev.cmd(rsoc(3, opcode, sa or 0), data_in=64).data[4:4 + length]
        t.eq((usage[0], len(usage)), (opcode, length), what + ', usage')
        base = bytearray(length)
        base[0] = opcode
        if sa is not None:
            t.eq(struct.unpack('>H', usage[8:10])[0] if opcode == VARIABLE else usage[1] & 0x1f, sa,
                 what + ', service action in the usage data')
            put_sa(base, sa)
        for byte in range(1, length):
            fixed = 0
            if sa is not None:
                fixed = 0xff * (byte in (8, 9)) if opcode == VARIABLE else 0x1f * (byte == 1)
            for bit in range(8):
                if (usage[byte] | fixed | IGNORED.get((opcode, byte), 0)) >> bit & 1:
                    continue
                bad = bytearray(base)
                bad[byte] |= 1 << bit
                r, bit_is = dev.cmd(bad), '%s, byte %d bit %d' % (what, byte, bit)
                if pi and bit > 4 and byte == protect_at(opcode, sa):
                    t.bad(r, INVALID_OPCODE, bit_is)
                else:
                    t.bad(r, INVALID_FIELD_CDB, bit_is, field=(byte, bit))
            if pi and byte == protect_at(opcode, sa):
                t.eq(usage[byte] >> 5, 7 if (pi == 2) == (opcode == VARIABLE) else 0,
                     what + ', PROTECT in the usage data')
        for have in range(6, length):
            t.bad(dev.cmd(base[:have]), INVALID_FIELD_CDB, '%s, %d bytes' % (what, have), field=have)


# Attributes; opcodes that are there by them, and those that are not, with all of their service actions
CONFIGURED = (
    ({'emulate_caw': '0'}, (), (0x89,)),
    ({'emulate_atomic_write': '0'}, (), (0x9c,)),
    ({'emulate_tpu': '1'}, (0x42,), ()),
    ({'emulate_3pc': '0'}, (), (0x83, 0x84)),
    ({'emulate_pr': '0'}, (), (0x16, 0x17, 0x56, 0x57, 0x5e, 0x5f)),
    ({'removable': '1'}, (0x1e,), ()),
    ({'block_size': '4096'}, (), ()),
    ({'pi_prot_type': '1'}, (), ()),
    ({'pi_prot_type': '2'}, (VARIABLE,), ()),
    ({'emulate_write_cache': '1', 'emulate_aca': '1', 'emulate_fua_write': '0'}, (), ()),
)


def test_configured(target, tpg, usual):
    """The list says what is there on each unit, whatever its attributes."""
    for n, (attribs, there, not_there) in enumerate(CONFIGURED):
        what = ', '.join('%s %s' % item for item in attribs.items())
        unit = target.device('fileio', 'unit%d' % n, 'fd_dev_name=/tmp/unit%d,fd_dev_size=4194304' % n, **attribs)
        with Device(tpg.lun(100 + n, unit, kind='scsi_generic')) as dev:
            dev.clear_ua()
            found = test_rsoc(dev)
            test_usage(dev, int(attribs.get('pi_prot_type', 0)))
        opcodes = {opcode for opcode, _ in found}
        t.eq((opcodes & {*there, *not_there}), set(there), 'opcodes with ' + what)
        print('spc: %s: %s' % (what, ', '.join('%s%02xh%s' % (
            '+' if key in found else '-', key[0], '' if key[1] is None else '/%02xh' % key[1])
            for key in sorted(found ^ usual, key=str)) or 'the same commands'))
        tpg.unlink(100 + n)


def test_rstmf(dev):
    """ABORT TASK, TASK SET, CLEAR TASK SET, LUN RESET, QUERY TASK, QUERY TASK SET"""
    t.eq(dev.cmd(rstmf(), data_in=16).data.hex(' '), 'dc 07 00 00', 'RSTMF')
    t.eq(dev.cmd(rstmf(1), data_in=16).data.hex(' '),
         'dc 07 00 0c 01 00 dc 07 00 00 00 00 00 00 00 64', 'RSTMF REPD')


def lun_list(dev, select=0):
    r = dev.cmd(report_luns(select), data_in=4096)
    if not t.good(r, 'REPORT LUNS %02xh' % select):
        return None
    t.eq(struct.unpack('>I', r.data[:4])[0], len(r.data) - 8, 'LUN LIST LENGTH')
    return [r.data[i:i + 8].hex() for i in range(8, len(r.data), 8)]


def test_report_luns(target, tpg, disk, dev):
    """Select codes, order, and LUNs that come and go."""
    numbers = (7, 3, 300, 255, 256, 16383)
    want = ['%04x' % n + '0' * 12 for n in sorted((0, 1, *numbers))]
    dev.clear_ua()
    for n in numbers:
        tpg.link(n, disk)
    for select in (0x00, 0x02, 0x11):
        t.eq(lun_list(dev, select), want, 'REPORT LUNS %02xh' % select)
    for select in (0x01, 0x10):
        t.eq(lun_list(dev, select), [], 'REPORT LUNS %02xh' % select)
    for select in range(256):
        if select not in (0, 1, 2, 0x10, 0x11):
            t.bad(dev.cmd(report_luns(select), data_in=4096), INVALID_FIELD_CDB,
                  'REPORT LUNS %02xh' % select, field=2)
    for n in numbers:
        tpg.unlink(n)
    t.eq(lun_list(dev), want[:2], 'REPORT LUNS after LUNs went')


def test_report_luns_race(tpg, disk, dev):
    """A list that is read while LUNs come and go is one that was."""
    done = threading.Event()

    def churn():
        while not done.is_set():
            for n in (9, 400):
                tpg.link(n, disk)
            for n in (9, 400):
                tpg.unlink(n)

    worker = threading.Thread(target=churn)
    worker.start()
    seen = set()
    tries, end = 200 if LONG else 40, time.monotonic() + 60
    # Both threads may share one slow processor: it goes on until lists have differed.
    while tries > 0 or (len(seen) < 2 and time.monotonic() < end):
        tries -= 1
        r = dev.cmd(report_luns(), data_in=512)
        if r.status != GOOD:
            continue
        luns = [struct.unpack('>H', r.data[i:i + 2])[0] for i in range(8, len(r.data), 8)]
        t.eq(struct.unpack('>I', r.data[:4])[0], 8 * len(luns), 'LUN LIST LENGTH in a race')
        t.ok(luns == sorted(luns) and set(luns) <= {0, 1, 9, 400} and luns[:2] == [0, 1],
             'LUNs in a race: %r' % luns)
        seen.add(tuple(luns))
    done.set()
    worker.join()
    t.ok(len(seen) > 1, 'the race was one: %r' % seen)


def test_unit_attention(tpg, disk, dev):
    """A unit attention is told once, by the first command that may tell it."""
    def change():
        tpg.link(20, disk)
        tpg.unlink(20)

    dev.clear_ua()
    change()
    t.good(dev.cmd(inquiry(), data_in=96), 'INQUIRY does not tell')
    t.eq(dev.cmd([0] * 6).code, LUNS_CHANGED, 'TEST UNIT READY tells')
    t.good(dev.cmd([0] * 6), 'told once')
    change()
    for desc in (0, 1):
        sense = Sense(dev.cmd(request_sense(desc=desc), data_in=252).data)
        t.eq((sense.code, sense.desc), (LUNS_CHANGED, bool(desc)) if not desc else ((0, 0, 0), True),
             'REQUEST SENSE tells once')
    t.good(dev.cmd([0] * 6), 'REQUEST SENSE took it')
    change()
    t.good(dev.cmd(report_luns(), data_in=512), 'REPORT LUNS does not tell')
    t.good(dev.cmd([0] * 6), 'REPORT LUNS took it')
    change()
    t.good(dev.cmd(report_luns(1), data_in=512), 'REPORT LUNS of well known LUNs does not tell')
    t.good(dev.cmd([0] * 6), 'REPORT LUNS of well known LUNs took it (SPC-4 6.33: any report does)')
    change()
    t.bad(dev.cmd(report_luns(3), data_in=512), INVALID_FIELD_CDB, 'REPORT LUNS that is refused')
    t.eq(dev.cmd([0] * 6).code, LUNS_CHANGED, 'REPORT LUNS that was refused did not take it')


def test_absent(tpg, disk):
    """
    A LUN that is not there. The SCSI layer knows LUN 5 by its flat space address, too; a
    device of that name stays when the LUN goes.
    """
    host, channel, scsi_id = tpg.address
    tpg.link(5, disk)
    with open('/sys/class/scsi_host/host%d/scan' % host, 'w') as f:
        f.write('%d %d %d' % (channel, scsi_id, 0x4005))
    node = find(host, channel, scsi_id, 0x4005, 'scsi_generic')
    tpg.unlink(5)
    with Device(node) as dev:
        r = dev.cmd(inquiry(), data_in=96)
        t.good(r, 'INQUIRY of no LUN')
        t.eq(r.data[:1].hex(), '7f', 'peripheral qualifier and type of no LUN')
        t.eq(dev.cmd(inquiry(0), data_in=96).data.hex(' '), '7f 00 00 01 00', 'VPD pages of no LUN')
        t.bad(dev.cmd(inquiry(0x83), data_in=96), INVALID_FIELD_CDB, 'VPD 83h of no LUN', field=2)
        for desc in (0, 1):
            r = dev.cmd(request_sense(desc=desc), data_in=252)
            t.good(r, 'REQUEST SENSE of no LUN')
            sense = Sense(r.data)
            t.eq((sense.code, sense.desc), (LUN_NOT_SUPPORTED, bool(desc)), 'REQUEST SENSE of no LUN')
        t.eq(lun_list(dev), ['0' * 16, '0001' + '0' * 12], 'REPORT LUNS by no LUN')
        for name, cdb in (('TEST UNIT READY', [0] * 6), ('MODE SENSE', mode_sense6(0x3f)),
                          ('RSOC', rsoc(0)), ('READ(10)', [0x28] + [0] * 7 + [1, 0]),
                          ('an unknown opcode', [0xff] + [0] * 15)):
            t.bad(dev.cmd(cdb, data_in=512 if cdb[0] else 0), LUN_NOT_SUPPORTED, name + ' of no LUN')
    with open('/sys/class/scsi_device/%d:%d:%d:%d/device/delete' % (host, channel, scsi_id, 0x4005), 'w') as f:
        f.write('1')


def test_random(dev):
    """
    Anything at all, half of it with the bits that mean something: an answer that makes sense
    comes back, in the room there is for it, and the unit is there afterwards.
    """
    rnd = random.Random(os.environ.get('TCM_SEED', 'spc'))
    rows = []
    for opcode, sa in parse_all(dev.cmd(rsoc(0), data_in=8192).data, 0):
        # these take the unit away from the commands that follow
        if opcode not in (0x04, 0x48):
            rows.append(dev.cmd(rsoc(3, opcode, sa or 0), data_in=64).data[4:])
    outcomes = {}
    for _ in range(200000 if LONG else 2000):
        usage = rnd.choice(rows)
        cdb = bytearray(rnd.randbytes(rnd.choice((6, 10, 12, 16, 16, 32))))
        if rnd.random() < .9:
            # the opcode, with few of its bits or any
            few = rnd.randbytes(len(usage)) if rnd.random() < .5 else bytes([rnd.choice((1, 3, 0x0f, 0xff))]) * len(usage)
            cdb = bytearray(a & b & c for a, b, c in zip(rnd.randbytes(len(usage)), usage, few))
            cdb[0] = usage[0]
            if usage[0] in (0x9e, 0xa3, 0xa4):
                cdb[1] |= usage[1] & 0x1f
            elif usage[0] == VARIABLE:
                cdb[7:10] = b'\x18' + usage[8:10]
        size = rnd.choice((0, 1, 4, 8, 100, 512, 4096, 65536))
        out = rnd.random() < .5
        r = dev.cmd(cdb, **({'data_out': rnd.randbytes(size)} if out else {'data_in': size}))
        what = '%s, %d bytes %s' % (cdb.hex(), size, 'out' if out else 'in')
        # among them is RESERVE, which keeps PERSISTENT RESERVE IN and OUT out (SPC-2 5.5.1)
        kept_out = r.status == RESERVATION_CONFLICT and cdb[0] in (0x5e, 0x5f)
        t.ok(not r.host and (kept_out or r.status in (GOOD, CHECK_CONDITION)), '%s: %s' % (what, r))
        t.ok(bool(r.sense) == (r.status == CHECK_CONDITION), '%s: sense or none: %s' % (what, r))
        t.ok(0 <= r.resid <= size, '%s: residual: %s' % (what, r))
        if r.sense and r.sense.field:
            # a field pointer points at something
            t.ok(r.sense.field[0] <= (len(cdb) if r.sense.in_cdb else size), '%s: %s' % (what, r))
        outcomes[r.code] = outcomes.get(r.code, 0) + 1
    print('spc: random: ' + ', '.join('%s %d' % ('GOOD' if c is None else '%x/%02x/%02x' % c, n)
                                      for c, n in sorted(outcomes.items(), key=str)))
    t.ok(len(outcomes) > 5 and outcomes.get(None, 0) > 100, 'random commands reach more than refusals')
    t.good(dev.cmd([0x17] + [0] * 5), 'RELEASE')
    t.good(dev.cmd([0x1b, 0, 0, 0, 1, 0]), 'START')
    t.good(dev.cmd([0] * 6), 'the unit is there')


def main():
    with Target() as target:
        disk = target.device('rd_mcp', 'disk', 'rd_pages=%d' % (BLOCKS // 8), serial=SERIAL)
        spare = target.device('rd_mcp', 'spare', 'rd_pages=256')
        tpg = target.loop(WWN)
        second = target.loop('naa.5001405000000002')
        with Device(tpg.lun(0, disk)) as dev:
            tpg.lun(1, spare)
            dev.clear_ua()
            test_allocation_lengths(dev)
            test_reserved_bits(dev)
            test_inquiry(dev)
            test_vpd(dev)
            test_identification(dev)
            test_ports(dev, WWN)
            test_mode_sense(dev)
            test_mode_select(dev)
            test_request_sense(dev)
            usual = test_rsoc(dev)
            test_usage(dev)
            test_rstmf(dev)
            test_unit_attention(tpg, spare, dev)
            test_report_luns(target, tpg, spare, dev)
            test_report_luns_race(tpg, spare, dev)
            test_absent(tpg, spare)
            test_configured(target, tpg, usual)
            dev.clear_ua()
            with Device(tpg.node(1)) as other:
                other.clear_ua()
                test_random(other)
            with Device(second.lun(0, disk)) as other:
                test_ports(dev, WWN, second.wwn)
                test_d_sense(dev, other)
            t.eq(dev.cmd(inquiry(), data_in=96).data[6], 0x10, 'MULTIP with two ports')
    t.end()


if __name__ == '__main__':
    main()
