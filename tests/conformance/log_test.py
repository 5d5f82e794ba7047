#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""LOG SENSE and LOG SELECT: every page and subpage code, what is counted against what was done,
PARAMETER POINTER, lists truncated at every length. Needs our target to be loaded.
"""
import struct

from sgio import (GOOD, INVALID_FIELD_CDB, INVALID_FIELD_PARAM, PARAM_LIST_LENGTH, Device, Table)
from target import NoDiskDriver, Target

WWN, WWN2 = 'naa.5001405000000001', 'naa.5001405000000002'
LOG_CHANGED, MODE_CHANGED = (6, 0x2a, 0x02), (6, 0x2a, 0x01)
THRESHOLD, CUMULATIVE, DEFAULT_THRESHOLD, DEFAULT = range(4)
COUNTERS = {(0x02, 0), (0x03, 0), (0x05, 0), *((0x19, n) for n in range(32))}
PAGES = {(0x00, 0x00), (0x00, 0xff), (0x02, 0), (0x03, 0), (0x05, 0), (0x0d, 0), (0x0e, 0), (0x0f, 0),
         (0x10, 0), (0x15, 0), *((0x19, n) for n in range(32)), (0x19, 0xff), (0x2f, 0)}
APP_PARAMS, APP_LEN = 64, 0xfc

t = Table('log')


def log_sense(page, subpage=0, pc=CUMULATIVE, pointer=0, alloc=0x8000):
    return [0x4d, 0, pc << 6 | page, subpage, 0, pointer >> 8, pointer & 0xff, alloc >> 8, alloc & 0xff, 0]


def log_select(length, byte1=0, page=0, subpage=0, pc=CUMULATIVE):
    return [0x4c, byte1, pc << 6 | page, subpage, 0, 0, 0, length >> 8, length & 0xff, 0]


def params(dev, page, subpage=0, **how):
    """The parameters of a page: code -> (control, value)"""
    how['subpage'] = subpage
    r = dev.cmd(log_sense(page, **how), data_in=0x8000)
    if not t.good(r, 'LOG SENSE %02xh %r' % (page, how)):
        return {}
    t.eq(r.data[:2], bytes([page | (0x40 if subpage else 0), subpage]), 'page and subpage of %02xh' % page)
    t.eq(struct.unpack('>H', r.data[2:4])[0], len(r.data) - 4, 'PAGE LENGTH of %02xh' % page)
    found, pos, last = {}, 4, -1
    while pos < len(r.data):
        code, control, size = struct.unpack('>HBB', r.data[pos:pos + 4])
        t.ok(code > last, 'parameter codes of %02xh ascend' % page)
        found[code] = control, r.data[pos + 4:pos + 4 + size]
        last = code
        pos += 4 + size
    t.eq(pos, len(r.data), 'the last parameter of %02xh ends with the page' % page)
    return found


def number(dev, page, code):
    return int.from_bytes(params(dev, page)[code][1], 'big')


def general(dev):
    """Reads, writes, blocks written, blocks read"""
    return struct.unpack('>4Q', params(dev, 0x19)[1][1][:32])


def test_pages(dev):
    """Every page and subpage code with every page control."""
    known = {page for page, _ in PAGES}
    r = dev.cmd(log_sense(0), data_in=256)
    t.eq(r.data[4:], bytes(sorted(known)), 'supported log pages')
    r = dev.cmd(log_sense(0, 0xff), data_in=256)
    t.eq(r.data, struct.pack('>BBH', 0x40, 0xff, 2 * len(PAGES)) + b''.join(map(bytes, sorted(PAGES))),
         'supported log pages and subpages')
    r = dev.cmd(log_sense(0x19, 0xff), data_in=256)
    t.eq(r.data, struct.pack('>BBH', 0x59, 0xff, 66) + bytes(b for n in (*range(32), 0xff) for b in (0x19, n)),
         'supported subpages of 19h')
    for page in range(0x40):
        for subpage in (0, 1, 0x1f, 0x20, 0x80, 0xfe, 0xff):
            for pc in range(4):
                what = 'LOG SENSE %02xh/%02xh PC %d' % (page, subpage, pc)
                r = dev.cmd(log_sense(page, subpage, pc), data_in=0x8000)
                if (page, subpage) not in PAGES:
                    t.bad(r, INVALID_FIELD_CDB, what, field=3 if page in known else (2, 5))
                elif (page, subpage) in COUNTERS and pc in (THRESHOLD, DEFAULT_THRESHOLD):
                    t.bad(r, INVALID_FIELD_CDB, what, field=(2, 7))
                else:
                    t.good(r, what)
    for page, subpage in PAGES:
        full = dev.cmd(log_sense(page, subpage), data_in=0x8000).data
        for alloc in (*range(0, 40), len(full) - 1, len(full), len(full) + 1):
            if (page, subpage) in COUNTERS and alloc > 8:
                continue    # they count what asks for them
            r = dev.cmd(log_sense(page, subpage, alloc=alloc), data_in=0x8000)
            t.eq((r.status, r.data), (GOOD, full[:alloc]), 'LOG SENSE %02xh, %d bytes' % (page, alloc))
    for byte, bit in ((1, 0), (1, 1)):  # SP, PPC
        cdb = log_sense(0x0d)
        cdb[byte] |= 1 << bit
        t.bad(dev.cmd(cdb, data_in=64), INVALID_FIELD_CDB, 'byte %d bit %d' % (byte, bit), field=(byte, bit))


def test_pointer(dev):
    """PARAMETER POINTER leaves out what comes before it, and is refused beyond the last."""
    for page in sorted({page for page, _ in PAGES if page}):
        codes = sorted(params(dev, page))
        for pointer in sorted({c + d for c in codes for d in (0, 1)} | {0xffff}):
            if pointer <= codes[-1]:
                t.eq(sorted(params(dev, page, pointer=pointer)), [c for c in codes if c >= pointer],
                     'page %02xh from %04xh' % (page, pointer))
            else:
                t.bad(dev.cmd(log_sense(page, pointer=pointer), data_in=1024), INVALID_FIELD_CDB,
                      'page %02xh from %04xh' % (page, pointer), field=5)
    t.bad(dev.cmd(log_sense(0, pointer=1), data_in=64), INVALID_FIELD_CDB, 'pointer into page 00h', field=5)


def test_counters(dev, other):
    """What is read and written, through both nexuses, is what is counted; nothing else is."""
    read10, write10 = [0x28, 0, 0, 0, 0, 9, 0, 0, 3, 0], [0x2a, 0, 0, 0, 0, 9, 0, 0, 2, 0]
    before, wbytes, rbytes = general(dev), number(dev, 2, 5), number(dev, 3, 5)
    for d, n in ((dev, 5), (other, 2)):
        for _ in range(n):
            t.good(d.cmd(read10, data_in=3 * 512), 'READ(10)')
            t.good(d.cmd(write10, data_out=bytes(1024)), 'WRITE(10)')
            t.good(d.cmd(write10, data_out=bytes(1024)), 'WRITE(10)')
        d.cmd([0x12, 0, 0, 0, 96, 0], data_in=96)
        d.cmd([0x12, 1, 0xff, 0, 96, 0], data_in=96)
        d.cmd([0] * 6)
        d.cmd([0x15, 0x10, 0, 0, 4, 0], data_out=bytes(4))
        d.cmd([0x15, 0x10, 0, 0, 4, 0], data_out=b'\0\1\0\0')
    after = general(dev)
    t.eq([b - a for a, b in zip(before, after)], [7, 14, 28, 21], 'reads, writes, blocks written and read')
    t.eq((number(dev, 2, 5) - wbytes, number(dev, 3, 5) - rbytes), (14 * 1024, 7 * 1536),
         'bytes in the error counter pages')
    for page in (2, 3, 5):
        t.eq(number(dev, page, 6), 0, 'errors in page %02xh' % page)
    t.eq(params(dev, 0x19, pc=DEFAULT), {1: (0, bytes(64)), 2: (0, bytes(8)), 3: (3, b'\0\0\0\3\0\0\0\1')},
         'default values of page 19h')
    # LOG SELECT: all, or those of a page; the others are told
    other.clear_ua()
    t.good(dev.cmd(log_select(0, 2, 0x19)), 'PCR of page 19h')
    t.eq(other.clear_ua(), [LOG_CHANGED], 'the other nexus about PCR')
    t.good(dev.cmd([0] * 6), 'who reset is not told')
    t.eq(general(dev), (0, 0, 0, 0), 'page 19h after PCR')
    t.good(dev.cmd(read10, data_in=3 * 512), 'READ(10)')
    t.eq((general(dev), number(dev, 3, 5)), ((1, 0, 0, 3), 1536), 'counted from there on')
    t.good(dev.cmd(log_select(0, 2)), 'PCR of all pages')
    t.eq((general(dev), number(dev, 3, 5), number(dev, 2, 5)), ((0, 0, 0, 0), 0, 0), 'all pages after PCR')
    t.good(dev.cmd(read10, data_in=3 * 512), 'READ(10)')
    t.good(dev.cmd(log_select(0, 0, pc=CUMULATIVE)), 'no list, no PCR')
    t.eq(number(dev, 3, 5), 1536, 'no list and no PCR changes nothing')
    t.good(dev.cmd(log_select(0, 0, pc=DEFAULT)), 'default values')
    t.eq(number(dev, 3, 5), 0, 'default values everywhere')
    t.bad(dev.cmd(log_select(0, 2, 0x3e)), INVALID_FIELD_CDB, 'PCR of no page', field=(2, 5))
    t.bad(dev.cmd(log_select(0, 2, 0x19, 0x20)), INVALID_FIELD_CDB, 'PCR of no subpage', field=3)
    t.bad(dev.cmd(log_select(4, 2), data_out=bytes(4)), INVALID_FIELD_CDB, 'PCR with a list', field=(1, 1))
    t.bad(dev.cmd(log_select(4, 0, 0x0f), data_out=bytes(4)), INVALID_FIELD_CDB, 'page code with a list', field=(2, 5))
    t.bad(dev.cmd(log_select(4, 0, 0, 1), data_out=bytes(4)), INVALID_FIELD_CDB, 'subpage code with a list', field=3)
    other.clear_ua()


GROUPED = (     # CDB, where GROUP NUMBER is, data-in, data-out; what it adds: reads, writes, blocks out and in, FUA
    ([0x28, 0] + [0] * 5 + [0, 3, 0], 6, 1536, None, (1, 0, 0, 3, 0, 0)),
    ([0x28, 8] + [0] * 5 + [0, 1, 0], 6, 512, None, (1, 0, 0, 1, 1, 0)),
    ([0xa8, 8] + [0] * 7 + [2, 0, 0], 10, 1024, None, (1, 0, 0, 2, 1, 0)),
    ([0x88, 0] + [0] * 11 + [2, 0, 0], 14, 1024, None, (1, 0, 0, 2, 0, 0)),
    ([0x2a, 8] + [0] * 5 + [0, 2, 0], 6, 0, bytes(1024), (0, 1, 2, 0, 0, 1)),
    ([0xaa, 0] + [0] * 7 + [1, 0, 0], 10, 0, bytes(512), (0, 1, 1, 0, 0, 0)),
    ([0x8a, 0] + [0] * 11 + [1, 0, 0], 14, 0, bytes(512), (0, 1, 1, 0, 0, 0)),
    ([0x2e, 0] + [0] * 5 + [0, 1, 0], 6, 0, bytes(512), (0, 1, 1, 0, 0, 0)),
    ([0x8e, 2] + [0] * 11 + [1, 0, 0], 14, 0, bytes(512), (0, 1, 1, 0, 0, 0)),
    ([0x42, 0] + [0] * 5 + [0, 24, 0], 6, 0, struct.pack('>HH4xQI4x', 22, 16, 8, 1), (0, 1, 0, 0, 0, 0)),
    # those that have the field, and are neither reads nor writes (SPC-5 table 375)
    ([0x2f, 0] + [0] * 5 + [0, 1, 0], 6, 0, None, (0,) * 6),
    ([0x35, 0] + [0] * 8, 6, 0, None, (0,) * 6),
    ([0x91, 0] + [0] * 14, 14, 0, None, (0,) * 6),
    ([0x34, 0] + [0] * 5 + [0, 1, 0], 6, 0, None, (0,) * 6),
    ([0x41, 0] + [0] * 5 + [0, 1, 0], 6, 0, bytes(512), (0,) * 6),
    ([0x93, 0] + [0] * 11 + [1, 0, 0], 14, 0, bytes(512), (0,) * 6),
    ([0x89, 0] + [0] * 11 + [1, 0, 0], 14, 0, bytes(1024), (0,) * 6),
    ([0x8b, 0] + [0] * 11 + [1, 0, 0], 14, 0, bytes(512), (0,) * 6),
    ([0x9c, 0] + [0] * 11 + [1, 0, 0], 14, 0, bytes(512), (0,) * 6))


def group(dev, n):
    """Reads, writes, blocks written, blocks read; reads and writes with FUA"""
    found = params(dev, 0x19, n)
    t.eq({code: (control, len(value)) for code, (control, value) in found.items()}, {1: (0, 0x30), 4: (0, 0x40)},
         'parameters of group %d' % n)
    t.eq((found[1][1][32:], found[4][1][16:]), (bytes(16), bytes(48)), 'what is not measured, group %d' % n)
    return struct.unpack('>4Q', found[1][1][:32]) + struct.unpack('>2Q', found[4][1][:16])


def hints(off=()):
    """A parameter list of the IO Advice Hints Grouping page: commands of those groups are not counted."""
    page = bytearray(16 + 64 * 16)
    page[:4] = 0x4a, 5, 4, 0x0c
    for n in range(64):
        page[16 + 16 * n] = 0x40 | (0 < n < 32 and n not in off)
    return bytes(8) + bytes(page)


def test_groups(dev, other):
    """Commands with a GROUP NUMBER, through both nexuses, are counted by group, each once."""
    none = (0,) * 6
    t.good(dev.cmd(log_select(0, 2, 0x19, 0xff)), 'PCR of all pages 19h')
    other.clear_ua()
    t.eq([group(dev, n) for n in range(1, 32)], [none] * 31, 'groups at first')
    want = dict.fromkeys(range(1, 32), none)
    for i, (cdb, at, data_in, data_out, adds) in enumerate(GROUPED):
        for n in (1, i + 2, 31):
            cdb[at] = n
            d = (dev, other)[(i + n) % 2]
            r = d.cmd(cdb, data_in=data_in, data_out=data_out)
            t.good(r, '%02xh of group %d' % (cdb[0], n))
            want[n] = tuple(a + b for a, b in zip(want[n], adds))
        cdb[at] = 0
        dev.cmd(cdb, data_in=data_in, data_out=data_out)
        cdb[at] = 0x20
        t.bad(dev.cmd(cdb, data_in=data_in, data_out=data_out), INVALID_FIELD_CDB, '%02xh of group 32' % cdb[0],
              field=(at, 5))
    t.eq({n: group(dev, n) for n in want}, want, 'what the groups have come to')
    t.eq({c: set(v) for c, (_, v) in params(dev, 0x19, 31, pc=DEFAULT).items()}, {1: {0}, 4: {0}}, 'default values')
    # of one of them
    t.good(dev.cmd(log_select(0, 2, 0x19, 31)), 'PCR of group 31')
    t.eq(other.clear_ua(), [LOG_CHANGED], 'the other nexus about PCR')
    want[31] = none
    t.eq({n: group(dev, n) for n in want}, want, 'after PCR of group 31')
    # IC_ENABLE
    off = hints((1, 2))
    select = [0x55, 0x10, 0, 0, 0, 0, 0, len(off) >> 8, len(off) & 0xff, 0]
    t.good(dev.cmd(select, data_out=off), 'groups 1 and 2 are not to be counted')
    t.eq(other.clear_ua(), [MODE_CHANGED], 'the other nexus about IC_ENABLE')
    for n in (1, 2, 3):
        t.good(other.cmd([0x28, 0, 0, 0, 0, 0, n, 0, 1, 0], data_in=512), 'READ(10) of group %d' % n)
    want[3] = tuple(a + b for a, b in zip(want[3], (1, 0, 0, 1, 0, 0)))
    t.eq({n: group(dev, n) for n in want}, want, 'groups 1 and 2 stay as they were')
    t.good(dev.cmd(select, data_out=hints()), 'they are again')
    other.clear_ua()
    t.good(dev.cmd([0x28, 0, 0, 0, 0, 0, 1, 0, 1, 0], data_in=512), 'READ(10) of group 1')
    t.eq(group(dev, 1), tuple(a + b for a, b in zip(want[1], (1, 0, 0, 1, 0, 0))), 'group 1 goes on')
    t.good(dev.cmd(log_select(0, 2)), 'PCR of all pages')
    t.eq([group(dev, n) for n in range(1, 32)], [none] * 31, 'groups after PCR of all pages')
    other.clear_ua()


def app_page(*codes, fill=0x11):
    body = b''.join(struct.pack('>HBB', c, 3, APP_LEN) + bytes([fill + c & 0xff]) * APP_LEN for c in codes)
    return bytearray(struct.pack('>BBH', 0x0f, 0, len(body)) + body)


def test_application(dev, other):
    """The application client's page is kept, parameter by parameter."""
    t.eq(set(v for _, v in params(dev, 0x0f).values()), {bytes(APP_LEN)}, 'page 0Fh at first')
    good = app_page(0, 5, 63)
    t.good(dev.cmd(log_select(len(good)), data_out=good), 'LOG SELECT of page 0Fh')
    t.eq(other.clear_ua(), [LOG_CHANGED], 'the other nexus about page 0Fh')
    want = {c: bytes([0x11 + c & 0xff]) * APP_LEN if c in (0, 5, 63) else bytes(APP_LEN) for c in range(APP_PARAMS)}
    t.eq({c: v for c, (_, v) in params(other, 0x0f).items()}, want, 'page 0Fh')
    two = app_page(1, fill=0x40) + app_page(5, fill=0x50)
    t.good(dev.cmd(log_select(len(two)), data_out=two), 'two pages in a list')
    want[1], want[5] = b'\x41' * APP_LEN, b'\x55' * APP_LEN
    t.eq({c: v for c, (_, v) in params(dev, 0x0f).items()}, want, 'page 0Fh, some of it changed')
    other.clear_ua()
    bad = app_page(0, 5, fill=0x77)
    for n in range(1, len(bad)):
        t.bad(dev.cmd(log_select(n), data_out=bad[:n]), PARAM_LIST_LENGTH, 'list cut after %d bytes' % n)
    for what, change, field in (
            ('page code', {0: 0x19}, (0, 5)), ('subpage code', {1: 1}, 1), ('code 64', {4 + 1: 64}, 4),
            ('code 100h', {4: 1}, 4), ('length of a parameter', {4 + 3: APP_LEN - 1}, 7),
            ('codes that do not ascend', {4 + 256 + 1: 0}, 260), ('length of the second', {4 + 256 + 3: 0}, 263)):
        data = bytearray(bad)
        for i, value in change.items():
            data[i] = value
        t.bad(dev.cmd(log_select(len(data)), data_out=data), INVALID_FIELD_PARAM, what, field=field, param=True)
    short = bytearray(bad)
    short[2:4] = struct.pack('>H', 256 + 3)
    t.bad(dev.cmd(log_select(4 + 256 + 3), data_out=short[:4 + 256 + 3]), INVALID_FIELD_PARAM,
          'a page that ends in the header of a parameter', field=260, param=True)
    t.eq({c: v for c, (_, v) in params(dev, 0x0f).items()}, want, 'what was refused changed nothing')
    t.eq(other.clear_ua(), [], 'what was refused tells nobody')
    t.good(dev.cmd(log_select(0, 2, 0x0f)), 'PCR of page 0Fh')
    t.eq(set(v for _, v in params(dev, 0x0f).values()), {bytes(APP_LEN)}, 'page 0Fh after PCR')


def test_rest(dev):
    """Pages with one thing to say."""
    t.eq(params(dev, 0x0d), {0: (3, b'\0\xff')}, 'temperature: no sensor')
    stops = number(dev, 0x0e, 4)
    for start in (0, 1, 1, 0, 0, 1):
        t.good(dev.cmd([0x1b, 0, 0, 0, start, 0]), 'START STOP UNIT %d' % start)
    t.eq(number(dev, 0x0e, 4), stops + 2, 'start-stop cycles')
    control, scan = params(dev, 0x15)[0]
    t.eq((control, len(scan), scan[5]), (3, 12, 0), 'background scan: none')
    t.eq(params(dev, 0x2f), {0: (3, b'\0\0\xff\0')}, 'informational exceptions: none')


def main():
    with NoDiskDriver(), Target() as target:
        disk = target.device('rd_mcp', 'disk', 'rd_pages=64', serial='7e57ab1e-0000-4000-8000-000000000001')
        tpg, second = target.loop(WWN), target.loop(WWN2)
        with Device(tpg.lun(0, disk, 'scsi_generic')) as dev, Device(second.lun(0, disk, 'scsi_generic')) as other:
            dev.clear_ua()
            other.clear_ua()
            test_pages(dev)
            test_pointer(dev)
            test_counters(dev, other)
            test_application(dev, other)
            test_rest(dev)
        thin = target.device('rd_mcp', 'thin', 'rd_pages=64', emulate_tpu='1')
        with Device(tpg.lun(1, thin, 'scsi_generic')) as dev, Device(second.lun(1, thin, 'scsi_generic')) as other:
            dev.clear_ua()
            other.clear_ua()
            test_groups(dev, other)
    t.end()


if __name__ == '__main__':
    main()
