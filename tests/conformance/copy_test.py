#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""EXTENDED COPY and RECEIVE COPY RESULTS over SG_IO.

    copy_test.py DEVICE OTHER [--bad DEVICE LBA]

DEVICE and OTHER are overwritten. The --bad device fails at that LBA.
"""
import argparse
import os
import random
import struct
import sys
import threading

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from sgio import Device, Sense, Table, INVALID_FIELD_CDB, INVALID_FIELD_PARAM, PARAM_LIST_LENGTH

BAD_IU = (5, 0x0e, 0x03)
ABORTED, UNREACHABLE, WRONG_TYPE, INEXACT = (0xa, 0, 0), (0xa, 0x0d, 2), (0xa, 0x0d, 3), (0xa, 0x26, 0x0a)
DEVICE_FAILURE, READ_ERROR, WRITE_ERROR = (0xa, 0x0d, 1), (3, 0x11, 0), (3, 0x0c, 0)
MANY_CSCDS, BAD_CSCD, MANY_SEGMENTS, BAD_SEGMENT, INLINE = [(5, 0x26, n) for n in (6, 7, 8, 9, 0x0b)]

STEP = 65536        # what every unit moves at once


class Unit:
    """A disk, and the designators by which it goes."""

    def __init__(self, path):
        self.dev = Device(path)
        self.dev.clear_ua()
        rc = self.dev.cmd(bytes([0x9e, 0x10]) + bytes(8) + struct.pack('>IBB', 32, 0, 0), data_in=32).data
        self.blocks, self.bs = struct.unpack('>QI', rc[:12])
        self.blocks += 1
        page = self.dev.cmd(bytes([0x12, 1, 0x83, 4, 0, 0]), data_in=1024).data
        self.designators, at = [], 4
        while at < len(page):
            if not page[at + 1] & 0x30:
                self.designators.append(page[at:at + 4 + page[at + 3]])
            at += 4 + page[at + 3]
        self.naa = next(d for d in self.designators if d[1] & 0xf == 3)

    def read(self, lba, n):
        data = b''
        for at in range(0, n, STEP // self.bs):
            part = min(n - at, STEP // self.bs)
            r = self.dev.cmd(struct.pack('>BBQIBB', 0x88, 0, lba + at, part, 0, 0), data_in=part * self.bs)
            if r.status:
                raise RuntimeError('READ: %s' % r)
            data += r.data
        return data

    def write(self, lba, data):
        for at in range(0, len(data), STEP):
            part = data[at:at + STEP]
            r = self.dev.cmd(struct.pack('>BBQIBB', 0x8a, 0, lba + at // self.bs, len(part) // self.bs, 0, 0), data_out=part)
            if r.status:
                raise RuntimeError('WRITE: %s' % r)

    def copy(self, p, length=None):
        return self.dev.cmd(struct.pack('>BB8xIBB', 0x83, 0, len(p) if length is None else length, 0, 0), data_out=p, timeout=120)

    def status(self, ident, alloc=12):
        return self.dev.cmd(struct.pack('>BBB7xIBB', 0x84, 0, ident, alloc, 0, 0), data_in=64)


def cscd(desig, bs=0, kind=0xe4, b1=0):
    return struct.pack('>BBH', kind, b1, 0) + desig.ljust(24, b'\0') + struct.pack('>I', bs)


def blocks(n, lba, to_lba, source=0, dest=1, bits=0):
    return struct.pack('>BBHHHHHQQ', 2, bits, 0x18, source, dest, 0, n, lba, to_lba)


def offsets(count, lba, to_lba, off=0, to_off=0, source=0, dest=1):
    return struct.pack('>BBHHHIQQHH', 0x0a, 0, 0x1c, source, dest, count, lba, to_lba, off, to_off)


def plist(cscds, segments, ident=0, usage=3, inline=0):
    c, s = b''.join(cscds), b''.join(segments)
    return struct.pack('>BBHIII', ident, usage << 3, len(c), 0, len(s), inline) + c + s


def csi(sense):
    """COMMAND-SPECIFIC INFORMATION, and (whose, status, sense) of the unit that it points at."""
    raw, part = sense.raw, b''
    if not sense.desc:
        info = raw[8:12]
    else:
        info, at = bytes(4), 8
        while at < len(raw):
            if raw[at] == 1:
                info = raw[at + 4:at + 8]
            elif raw[at] == 0x0c:
                part = raw[at:at + 2 + raw[at + 1]]
            at += 2 + raw[at + 1]
    start = info[0] or info[1]
    if not start:
        return info, None
    whose = 'source' if info[0] else 'destination'
    if sense.desc and (part[2] != (1 if info[0] else 2) or part[3:] != raw[start:]):
        whose = 'not what the forwarded sense data descriptor has'
    return info, (whose, raw[start], Sense(raw[start + 1:]))


def d_sense(t, u, on):
    """D_SENSE of the control mode page"""
    page = bytearray(u.dev.cmd(bytes([0x5a, 8, 0x0a, 0, 0, 0, 0, 0, 64, 0]), data_in=64).data)
    page[:4] = bytes(4)
    page[8] &= 0x3f
    page[10] = page[10] & ~4 | (4 if on else 0)
    t.good(u.dev.cmd(bytes([0x55, 0x10, 0, 0, 0, 0, 0, 0, len(page), 0]), data_out=page), 'D_SENSE')


def test_copy(t, a, b, rnd):
    for u, v, name in ((a, b, 'across'), (a, a, 'within'), (b, a, 'back')):
        big = max(u.bs, v.bs)
        for size in (big, 8 * big, 65536, 3 << 20):
            data = rnd.randbytes(min(size, 256 << 10))
            u.write(64, data)
            if size > len(data):
                u.write(64 + (size - len(data)) // u.bs, data)
            lba = (16 << 20) // v.bs
            v.write(lba - 1, bytes(v.bs))
            r = a.copy(plist([cscd(u.naa), cscd(v.naa, v.bs)], [blocks(size // u.bs, 64, lba)]))
            t.good(r, 'EXTENDED COPY, %s, %d bytes' % (name, size))
            t.ok(v.read(lba, len(data) // v.bs) == data, 'EXTENDED COPY, %s, %d bytes: other data' % (name, size))
            t.ok(v.read(lba + (size - len(data)) // v.bs, len(data) // v.bs) == data, 'EXTENDED COPY, %s: other data at the end' % name)
            t.ok(v.read(lba - 1, 1) == bytes(v.bs), 'EXTENDED COPY, %s: too much' % name)
    data = rnd.randbytes(65536)
    a.write(64, data)
    lba = (17 << 20) // b.bs
    segments = [blocks(8192 // b.bs, 64, lba, bits=2), blocks(8192 // a.bs, 64 + 8192 // a.bs, lba + 8192 // b.bs),
                offsets(16384, 64, lba + 16384 // b.bs, 16384, 0), offsets(32768, 64 + 32768 // a.bs, lba, 0, 32768),
                blocks(0, 0, 0), offsets(0, 0, 0)]
    t.good(a.copy(plist([cscd(a.naa), cscd(b.naa)], segments)), 'EXTENDED COPY, several segments')
    t.ok(b.read(lba, 65536 // b.bs) == data, 'EXTENDED COPY, several segments: other data')
    for d in b.designators:
        if len(d) <= 24 and d[1] & 0xf in (1, 2, 3, 8):
            b.write(lba, bytes(65536))
            t.good(a.copy(plist([cscd(a.naa), cscd(d)], [blocks(65536 // a.bs, 64, lba)])), 'by designator %s' % d.hex())
            t.ok(b.read(lba, 65536 // b.bs) == data, 'by designator %s: other data' % d.hex())


def test_lists(t, a, b, rnd):
    two = [cscd(a.naa), cscd(b.naa)]
    one = [blocks(8, 0, 0)]
    before = b.read(0, 64)
    t.good(a.copy(b''), 'EXTENDED COPY without a list')
    t.good(a.copy(plist([], [])), 'EXTENDED COPY of nothing')
    t.good(a.copy(plist(two, [])), 'EXTENDED COPY without segments')
    t.good(a.copy(plist([cscd(a.naa, b1=0xc0), two[1]], [])), 'LU ID TYPE is ignored')
    p = plist(two, [blocks(0, 0, 0), offsets(0, 0, 0)])
    for have in range(1, len(p)):
        t.bad(a.copy(p[:have]), PARAM_LIST_LENGTH, 'list of %d bytes' % have)
        t.bad(a.copy(p[:have], len(p)), BAD_IU, 'list with %d bytes' % have)
    t.bad(a.copy(bytes(16 + 4097)), PARAM_LIST_LENGTH, 'a list that is too long')
    wrong = bytearray(b.naa)
    wrong[-1] ^= 1
    cases = [
        ('LIST ID USAGE 01b', plist(two, one, usage=1), INVALID_FIELD_PARAM, (1, 4)),
        ('LIST IDENTIFIER without use', plist(two, one, ident=5), INVALID_FIELD_PARAM, 0),
        ('inline data', plist(two, one, inline=4) + bytes(4), INLINE, 12),
        ('17 descriptors', plist([two[0]] * 17, one), MANY_CSCDS, None),
        ('17 segments', plist(two, [blocks(0, 0, 0)] * 17), MANY_SEGMENTS, None),
        ('descriptor E0h', plist([two[0], cscd(b.naa, kind=0xe0)], one), BAD_CSCD, 48),
        ('NUL', plist([cscd(a.naa, b1=0x20), two[1]], one), BAD_CSCD, 17),
        ('a tape', plist([cscd(a.naa, b1=1), two[1]], one), WRONG_TYPE, 17),
        ('21 bytes of designator', plist([two[0], cscd(b.naa[:3] + b'\x15' + b.naa[4:])], one), INVALID_FIELD_PARAM, 55),
        ('another block length', plist([two[0], cscd(b.naa, b.bs ^ 1536)], one), INVALID_FIELD_PARAM, 77),
        ('a stranger', plist([two[0], cscd(bytes(wrong))], one), UNREACHABLE, 48),
        ('nobody', plist([two[0], cscd(bytes(4))], one), UNREACHABLE, 48),
        ('segment 03h', plist(two, [b'\x03' + one[0][1:]]), BAD_SEGMENT, 80),
        ('DESCRIPTOR LENGTH', plist(two, [one[0][:3] + b'\x19' + one[0][4:]]), INVALID_FIELD_PARAM, 82),
    ]
    for what, p, code, field in cases:
        r = a.copy(p)
        if code in (WRONG_TYPE, UNREACHABLE):
            t.bad(r, code, what)
            t.eq(r.sense and r.sense.sks, struct.pack('>BH', 0x80, field), what + ': field of the list')
            t.eq(r.sense and csi(r.sense)[0], bytes(4), what + ': no segment')
        else:
            t.bad(r, code, what, field=field, param=field is not None)
    # fields of a segment descriptor, and which one it is
    cases = [
        ('source 2', [blocks(8, 0, 0, 2, 1)], ABORTED, 4),
        ('destination FFFFh', [blocks(8, 0, 0, 0, 0xffff)], ABORTED, 6),
        ('source beyond the end', [blocks(8, a.blocks - 7, 0)], ABORTED, 12),
        ('source far beyond', [blocks(8, 2 ** 64 - 1, 0)], ABORTED, 12),
        ('destination beyond the end', [blocks(8, 0, b.blocks)], ABORTED, 20),
        ('destination far beyond', [blocks(0, 0, 2 ** 55)], ABORTED, 20),
        ('the largest count', [offsets(0xffffffff, 0, 0)], ABORTED, 8),
        ('a part of a block', [offsets(100, 0, 0)], INEXACT, 8),
        ('an offset in a block', [offsets(8192, 0, 0, 1, 0)], INEXACT, 28),
        ('an offset in a block of the destination', [offsets(8192, 0, 0, 0, 1)], INEXACT, 30),
        ('the largest offsets', [offsets(8192, 0, 0, 0xffff, 0xffff)], INEXACT, 28),
        ('the second of two', [blocks(8, 0, 0), blocks(8, 0, b.blocks)], ABORTED, 20),
    ]
    for desc in (True, False):
        d_sense(t, a, desc)
        for what, segments, code, field in cases:
            r = a.copy(plist(two, segments))
            what += ', descriptor format' if desc else ''
            if t.bad(r, code, what):
                t.eq(r.sense.desc, desc, what + ': format')
                t.eq(r.sense.sks, struct.pack('>BH', 0xa0, field), what + ': field of the segment descriptor')
                t.eq(csi(r.sense)[0], struct.pack('>BBH', 0, 0, len(segments) - 1), what + ': COMMAND-SPECIFIC INFORMATION')
    for sa in (0x02, 0x0f, 0x1f):
        t.bad(a.dev.cmd(bytes([0x83, sa]) + bytes(14)), INVALID_FIELD_CDB, '83h/%02xh' % sa, field=(1, 4))
    t.ok(b.read(0, 64) == before, 'refused but copied')


def test_results(t, a, b, rnd):
    ident = 150 + os.getpid() % 100      # not one that a loop below has left
    r = a.dev.cmd(struct.pack('>BB8xIBB', 0x84, 3, 64, 0, 0), data_in=64)
    t.good(r, 'OPERATING PARAMETERS')
    t.eq(r.data.hex(' '), struct.pack('>IB3xHHIIIIIxxHBBBB3xB3B', 43, 1, 16, 16, 4096, 1 << 28, 0, 0, 0, 128, 128,
                                      a.bs.bit_length() - 1, 0, 0, 3, 2, 0x0a, 0xe4).hex(' '), 'OPERATING PARAMETERS')
    for alloc in range(48):
        r = a.dev.cmd(struct.pack('>BB8xIBB', 0x84, 3, alloc, 0, 0), data_in=64)
        t.eq(len(r.data), min(alloc, 47), 'OPERATING PARAMETERS, %d bytes' % alloc)
    t.bad(a.status(ident), INVALID_FIELD_CDB, 'COPY STATUS of an unknown list', field=2)
    two = [cscd(a.naa), cscd(b.naa)]
    for usage in (0, 2):
        t.good(a.copy(plist(two, [blocks(16, 0, 0), blocks(16, 16, 16)], ident, usage)), 'EXTENDED COPY, list %d' % ident + '')
        for alloc in (0, 4, 11, 12, 64):
            t.eq(a.status(ident, alloc).data, struct.pack('>IBHBI', 8, 1, 2, 0, 32 * a.bs)[:alloc], 'COPY STATUS, %d bytes' % alloc)
    t.bad(b.status(ident), INVALID_FIELD_CDB, 'COPY STATUS by another unit', field=2)
    t.good(a.copy(plist(two, [blocks(16, 0, 0)])), 'EXTENDED COPY without a list identifier')
    t.bad(a.status(0), INVALID_FIELD_CDB, 'COPY STATUS of list 0', field=2)
    for other in range(140):     # more than are kept
        t.good(a.copy(plist(two, [offsets(4096, 0, 0)], other, 0)), 'EXTENDED COPY, list %d' % other)
    t.good(a.status(139), 'COPY STATUS of the last')


def test_crossing(t, a, b, rnd):
    """Copies both ways, with COMPARE AND WRITE in between, come to an end."""
    errors = []

    def run(u, v):
        with Device(a.dev.path) as dev:
            p = plist([cscd(u.naa), cscd(v.naa)], [offsets(2 << 20, 0, 0)] * 4)
            for _ in range(4):
                r = dev.cmd(struct.pack('>BB8xIBB', 0x83, 0, len(p), 0, 0), data_out=p, timeout=120)
                if r.status:
                    errors.append(str(r))

    def lock(u):
        with Device(u.dev.path) as dev:
            for i in range(60):
                r = dev.cmd(struct.pack('>BBQIBB', 0x89, 0, i * 3, 8, 0, 0), data_out=bytes(16 * u.bs))
                if r.status and r.code != (0xe, 0x1d, 0):
                    errors.append(str(r))

    threads = [threading.Thread(target=run, args=x) for x in ((a, b), (b, a), (a, b))]
    threads += [threading.Thread(target=lock, args=(x,)) for x in (a, b)]
    for th in threads:
        th.start()
    for th in threads:
        th.join()
    t.eq(errors, [], 'crossing copies')


def test_bad(t, a, bad, lba):
    """What the unit that fails says comes with what the copy says, from either side of it."""
    two = [cscd(a.naa), cscd(bad.naa)]
    first = blocks(8, 0, 64, 0, 0)
    # the disk says where only if there is one block that it can be
    cases = [('the source', 'source', READ_ERROR, blocks(64, lba - 8, 0, 1, 0), None),
             ('a block of the source', 'source', READ_ERROR, blocks(1, lba, 0, 1, 0), lba),
             ('the destination', 'destination', WRITE_ERROR, blocks(64, 0, lba), None),
             ('a block of the destination', 'destination', WRITE_ERROR, blocks(1, 0, lba), lba)]
    for desc in (True, False):
        d_sense(t, a, desc)
        for what, whose, own, segment, where in cases:
            what += ' fails, descriptor format' if desc else ' fails'
            r = a.copy(plist(two, [first, first, segment, first], 77, 0))
            if not t.bad(r, DEVICE_FAILURE, what):
                continue
            info, unit = csi(r.sense)
            t.eq(info[2:], b'\0\2', what + ': segment number')
            t.eq(r.sense.info, None, what + ': INFORMATION is not of the copy')
            t.eq(unit and (unit[0], unit[1], unit[2].code, unit[2].info), (whose, 2, own, where), what + ': status and sense data')
            r = a.dev.cmd(struct.pack('>BBI4xIBB', 0x84, 5, 77, 512, 0, 0), data_in=512)
            t.good(r, what + ': RECEIVE COPY STATUS(LID4)')
            kept = Sense(r.data[32:32 + r.data[14]])
            t.eq((kept.code, csi(kept)[1][2].code, kept.raw[10:12]), (DEVICE_FAILURE, own, b'\0\2'), what + ': what is kept of it')
    t.good(a.copy(plist(two, [blocks(8, 0, 0)])), 'a good block of the bad unit')


def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument('device')
    p.add_argument('other')
    p.add_argument('--bad', nargs=2, metavar=('DEVICE', 'LBA'))
    p.add_argument('--name', default='copy')
    args = p.parse_args()
    t = Table(args.name)
    a, b = Unit(args.device), Unit(args.other)
    for fn in (test_copy, test_lists, test_results, test_crossing):
        fn(t, a, b, random.Random(5))
        print('%s %s: %d passed, %d failed' % (args.name, fn.__name__[5:], t.passed, t.failed), flush=True)
    if args.bad:
        test_bad(t, a, Unit(args.bad[0]), int(args.bad[1]))
    t.end()


if __name__ == '__main__':
    main()
