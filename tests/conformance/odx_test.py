#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""POPULATE TOKEN, WRITE USING TOKEN and what is told of them, EXTENDED COPY(LID4) and COPY OPERATION
ABORT over SG_IO.

    odx_test.py DEVICE OTHER [--by-hand] [--name NAME]

DEVICE and OTHER are overwritten. --by-hand: copies between the two go through memory, so that one can
be met while it runs.
"""
import argparse
import os
import random
import struct
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from copy_test import ABORTED, BAD_IU, BAD_SEGMENT, MANY_SEGMENTS, Unit, blocks, cscd, offsets
from sgio import (BUSY, Device, INVALID_FIELD_CDB, INVALID_FIELD_PARAM, LBA_OUT_OF_RANGE,
                  PARAM_LIST_LENGTH, Table)

TYPE, UNKNOWN, CORRUPT, EXPIRED, CANCELLED, DELETED, LENGTH = [(5, 0x23, n) for n in (1, 4, 5, 7, 8, 9, 0xa)]
IN_PROGRESS = (5, 0, 0x16)
VULNERABLE, ANY, ZERO = 0x00800001, 0x0080ffff, 0xffff0001
ZERO_TOKEN = struct.pack('>IHH', ZERO, 0, 0x1f8) + bytes(504)
RANGES, MAX_BYTES, IDLE_MAX = 64, 4 << 30, 900
DONE, FAILED, PART, FOREGROUND, BACKGROUND, TERMINATED = 1, 2, 3, 0x11, 0x12, 0x60


def ranges(*what):
    return b''.join(struct.pack('>QII', lba, n, 0) for lba, n in what)


def populate_list(desc, flags=0, idle=0, kind=0, data_len=None, desc_len=None):
    desc_len = len(desc) if desc_len is None else desc_len
    data_len = 14 + desc_len if data_len is None else data_len
    return struct.pack('>HBBIIHH', data_len, flags, 0, idle, kind, 0, desc_len) + desc


def write_list(token, desc, offset=0, flags=0, data_len=None, desc_len=None):
    desc_len = len(desc) if desc_len is None else desc_len
    data_len = 534 + desc_len if data_len is None else data_len
    return struct.pack('>HB5xQ', data_len, flags, offset) + token + struct.pack('>6xH', desc_len) + desc


def out(u, sa, ident, p, length=None):
    return u.dev.cmd(struct.pack('>BB4xIIBB', 0x83, sa, ident, len(p) if length is None else length, 0, 0),
                     data_out=p, timeout=120)


def populate(u, ident, p, length=None):
    return out(u, 0x10, ident, p, length)


def write_using(u, ident, p, length=None):
    return out(u, 0x11, ident, p, length)


def told(u, ident, sa=7, alloc=1024):
    return u.dev.cmd(struct.pack('>BBI4xIBB', 0x84, sa, ident, alloc, 0, 0), data_in=1024)


def abort(u, ident):
    return u.dev.cmd(struct.pack('>BBI10x', 0x83, 0x1c, ident))


class Info:
    """What RECEIVE ROD TOKEN INFORMATION and RECEIVE COPY STATUS(LID4) say."""

    def __init__(self, data):
        (self.available, self.sa, self.status, self.counter, self.delay, self.completion, self.room, self.sense_len,
         self.units, self.count, self.segments) = struct.unpack('>IBBHIBBBBQH', data[:26])
        self.sense = data[32:32 + self.sense_len]
        self.rest = data[32 + self.room:4 + self.available]
        self.token = self.rest[6:] if len(self.rest) > 4 else None


def token_of(t, u, ident, desc, **kw):
    t.good(populate(u, ident, populate_list(desc, **kw)), 'POPULATE TOKEN')
    return Info(told(u, ident).data).token


def test_format(t, a, b, rnd):
    n = 24
    t.good(populate(a, 7, populate_list(ranges((8, 16), (64, 8)))), 'POPULATE TOKEN')
    r = told(a, 7)
    info = Info(r.data)
    t.eq((info.available, len(r.data), info.sa, info.status, info.completion, info.sense_len, info.units, info.count),
         (32 + 4 + 514 - 4, 550, 0x10, DONE, 0, 0, 0xf1, n), 'RECEIVE ROD TOKEN INFORMATION')
    t.eq(info.rest[:6], struct.pack('>IH', 514, 0), 'ROD token descriptor')
    token = info.token
    t.eq(token[:8], struct.pack('>IHH', VULNERABLE, 0, 0x1f8), 'ROD token header')
    t.eq(token[16:48], b'\xe4\0\0\0' + a.naa.ljust(25, b'\0') + a.bs.to_bytes(3, 'big'), 'CREATOR LOGICAL UNIT DESCRIPTOR')
    t.eq(int.from_bytes(token[48:64], 'big'), n * a.bs, 'NUMBER OF BYTES REPRESENTED')
    t.eq(int.from_bytes(token[96:100], 'big'), a.bs, 'logical block length')
    t.ok(len(set(token[256:])) > 64, 'token is not random')
    for alloc in (0, 3, 4, 31, 32, 36, 37, 549, 550, 1024):
        t.eq(told(a, 7, alloc=alloc).data, r.data[:alloc], 'RECEIVE ROD TOKEN INFORMATION, %d bytes' % alloc)
    t.eq(told(a, 7, 5).data[4:32], r.data[4:32], 'RECEIVE COPY STATUS(LID4)')
    t.bad(told(a, 8), INVALID_FIELD_CDB, 'an unknown list', field=2)
    t.bad(told(a, 8, 5), INVALID_FIELD_CDB, 'an unknown list', field=2)
    t.bad(told(b, 7), INVALID_FIELD_CDB, 'the list of another unit', field=2)
    t.bad(abort(a, 8), INVALID_FIELD_CDB, 'COPY OPERATION ABORT of an unknown list', field=2)
    t.bad(abort(a, 7), INVALID_FIELD_CDB, 'COPY OPERATION ABORT of one that is over', field=2)
    other = token_of(t, a, 9, ranges((8, 16)))
    all_of = lambda: a.dev.cmd(struct.pack('>BB8xIBB', 0x84, 8, 65536, 0, 0), data_in=65536).data
    data = all_of()
    listed = [data[at:at + 96] for at in range(8, len(data), 96)]
    t.eq(int.from_bytes(data[:4], 'big'), len(data) - 4, 'REPORT ALL ROD TOKENS')
    t.ok(token[:96] in listed and other[:96] in listed, 'REPORT ALL ROD TOKENS: not all')
    t.ok(len({x[8:16] for x in listed}) == len(listed), 'COPY MANAGER ROD TOKEN IDENTIFIER twice')
    t.good(write_using(b, 1, write_list(other, ranges((0, 8)), flags=2)), 'WRITE USING TOKEN with DEL_TKN')
    t.ok(other[:96] not in all_of(), 'a deleted token is still told of')
    t.bad(write_using(b, 1, write_list(other, ranges((0, 8)))), DELETED, 'a deleted token')


def test_copy(t, a, b, rnd):
    for u, v, name in ((a, b, 'across'), (a, a, 'within'), (b, a, 'back')):
        big = max(u.bs, v.bs)
        for size in (big, 8 * big, 65536, 3 << 20):
            data = rnd.randbytes(size)
            u.write(4096 // u.bs * 8, data)
            lba = (16 << 20) // v.bs
            v.write(lba - 1, bytes(v.bs))
            token = token_of(t, u, size, ranges((4096 // u.bs * 8, size // u.bs)))
            t.good(write_using(v, 3, write_list(token, ranges((lba, size // v.bs)))), 'WRITE USING TOKEN, %s, %d bytes' % (name, size))
            info = Info(told(v, 3).data)
            t.eq((info.sa, info.status, info.units, info.count), (0x11, DONE, 0xf1, size // v.bs), 'what is told, %s, %d bytes' % (name, size))
            t.ok(v.read(lba, size // v.bs) == data, 'WRITE USING TOKEN, %s, %d bytes: other data' % (name, size))
            t.ok(v.read(lba - 1, 1) == bytes(v.bs), 'WRITE USING TOKEN, %s: too much' % name)
    # pieces, in an order that is not that of the blocks
    big = max(a.bs, b.bs)
    A, B = big // a.bs, big // b.bs
    data = rnd.randbytes(64 * big)
    a.write(0, data)
    part = lambda first, n: data[first * big:(first + n) * big]
    token = token_of(t, a, 5, ranges((40 * A, 8 * A), (0, 0), (0, 16 * A), (56 * A, A)))
    want = part(40, 8) + part(0, 16) + part(56, 1)
    lba = (24 << 20) // b.bs
    for offset, to in ((0, ((0, 25),)), (3, ((0, 4), (30, 9), (10, 2))), (24, ((7, 1),)), (8, ((0, 16),)), (0, ((50, 0), (3, 0)))):
        before = rnd.randbytes(64 * big)
        b.write(lba, before)
        t.good(write_using(b, 4, write_list(token, ranges(*((lba + x * B, n * B) for x, n in to)), offset * B)), 'pieces from %d on' % offset)
        at, image = offset * big, bytearray(before)
        for x, n in to:
            image[x * big:(x + n) * big] = want[at:at + n * big]
            at += n * big
        t.ok(b.read(lba, 64 * B) == image, 'pieces from %d on: other data' % offset)
    # more than there is: what there is
    b.write(lba, bytes(64 * big))
    t.good(write_using(b, 6, write_list(token, ranges((lba, 40 * B)), 20 * B)), 'more than the token has')
    info = Info(told(b, 6).data)
    t.eq((info.status, info.count), (PART, 5 * B), 'more than the token has')
    t.ok(b.read(lba, 40 * B) == (want[20 * big:] + bytes(35 * big)), 'more than the token has: other data')


def test_zero(t, a, b, rnd):
    for u in (a, b):
        n = (1 << 20) // u.bs
        data = rnd.randbytes(1 << 20)
        u.write(0, data)
        t.good(write_using(u, 1, write_list(ZERO_TOKEN, ranges((8, 16), (n // 2, n // 4)), 2 ** 64 - 1)), 'zero token')
        image = bytearray(data)
        image[8 * u.bs:24 * u.bs] = bytes(16 * u.bs)
        image[1 << 19:(1 << 19) + (1 << 18)] = bytes(1 << 18)
        t.ok(u.read(0, n) == image, 'zero token: other data')
        t.eq(Info(told(u, 1).data).count, 16 + n // 4, 'zero token: count')
    t.bad(write_using(a, 1, write_list(ZERO_TOKEN[:511] + b'\1', ranges((0, 1)))), CORRUPT, 'zero token that is none')
    t.bad(write_using(a, 1, write_list(ZERO_TOKEN[:6] + b'\1\xf7' + bytes(504), ranges((0, 1)))), LENGTH, 'zero token of another length')


def test_lists(t, a, b, rnd):
    token = token_of(t, a, 1, ranges((0, 64)))
    whole = max(1, a.bs // b.bs)    # blocks of the destination that are one of the source, too
    before = b.read(0, 64)
    for what, u, sa, p, header in (('POPULATE TOKEN', a, 0x10, populate_list(ranges((0, 1), (8, 1))), 16),
                                   ('WRITE USING TOKEN', b, 0x11, write_list(token, ranges((800, whole), (808, whole))), 536)):
        t.good(out(u, sa, 2, b''), what + ' without a list')
        for have in list(range(1, len(p))):
            # A descriptor that is cut is passed over, none at all is an error
            r = out(u, sa, 2, p[:have])
            if have < header + 16:
                t.bad(r, PARAM_LIST_LENGTH, '%s, %d bytes' % (what, have))
            else:
                t.good(r, '%s, %d bytes' % (what, have))
            if not have % 16:
                t.bad(out(u, sa, 2, p[:have], len(p)), BAD_IU, '%s with %d bytes' % (what, have))
        t.bad(out(u, sa, 2, bytes(65537)), INVALID_FIELD_PARAM, what + ', the longest list', field=0, param=True)
        t.bad(out(u, sa, 2, bytes(65538)), PARAM_LIST_LENGTH, what + ', a list that is too long')
    n = a.blocks
    one = ranges((0, 1))
    cases = [
        ('data length 29', populate_list(one, data_len=29), INVALID_FIELD_PARAM, 0),
        ('data length FFFFh', populate_list(one, data_len=0xffff), INVALID_FIELD_PARAM, 0),
        ('descriptor length 15', populate_list(one, desc_len=15), INVALID_FIELD_PARAM, 0),
        ('descriptor length 0', populate_list(one, desc_len=0), INVALID_FIELD_PARAM, 0),
        ('lengths that differ', populate_list(one, desc_len=32, data_len=30), INVALID_FIELD_PARAM, 0),
        ('65 ranges', populate_list(ranges(*((2 * i, 1) for i in range(65)))), MANY_SEGMENTS, None),
        ('INACTIVITY TIMEOUT 901', populate_list(one, idle=901), INVALID_FIELD_PARAM, 4),
        ('INACTIVITY TIMEOUT FFFFFFFFh', populate_list(one, idle=0xffffffff), INVALID_FIELD_PARAM, 4),
        ('overlap', populate_list(ranges((0, 8), (16, 8), (7, 1))), INVALID_FIELD_PARAM, 48),
        ('overlap by much', populate_list(ranges((10, 1), (0, 64))), INVALID_FIELD_PARAM, 32),
    ] + [('ROD TYPE %08x' % kind, populate_list(one, flags=2, kind=kind), INVALID_FIELD_PARAM, 8)
         for kind in (0, 1, 0x10000, 0x800000, 0x800002, ZERO, 0xffffffff)]
    for what, p, code, field in cases:
        t.bad(populate(a, 2, p), code, 'POPULATE TOKEN, ' + what, field=field, param=field is not None)
    for lba, count, info in ((n, 1, n), (n - 1, 2, n), (2 ** 64 - 1, 1, 2 ** 64 - 1), (0, 0xffffffff, n), (n + 1, 0, n + 1)):
        for u, sa, p in ((a, 0x10, populate_list(ranges((0, 1), (lba, count)))), (a, 0x11, write_list(token, ranges((0, 1), (lba, count))))):
            r = out(u, sa, 2, p)
            t.bad(r, LBA_OUT_OF_RANGE, '%02xh: %d blocks at %d' % (sa, count, lba), info=info if info < 2 ** 32 else None)
    t.good(populate(a, 2, populate_list(ranges((n, 0), (n - 1, 1)))), 'POPULATE TOKEN, the last block and none behind')
    for kind in (VULNERABLE, ANY):
        got = token_of(t, a, 2, one, flags=2, kind=kind, idle=IDLE_MAX)
        t.eq(int.from_bytes(got[:4], 'big'), VULNERABLE, 'ROD TYPE %08x' % kind)
    many = ranges(*((2 * i, 1) for i in range(RANGES)))
    t.good(populate(a, 2, populate_list(many)), 'POPULATE TOKEN, 64 ranges')
    cases = [
        ('data length 549', write_list(token, one, data_len=549), INVALID_FIELD_PARAM, 0),
        ('data length FFFFh', write_list(token, one, data_len=0xffff), INVALID_FIELD_PARAM, 0),
        ('descriptor length 15', write_list(token, one, desc_len=15), INVALID_FIELD_PARAM, 0),
        ('65 ranges', write_list(token, ranges(*((2 * i, 1) for i in range(65)))), MANY_SEGMENTS, None),
        ('overlap', write_list(token, ranges((0, 8), (16, 8), (7, 1))), INVALID_FIELD_PARAM, 536 + 32),
        ('offset at its end', write_list(token, one, 64 * a.bs // b.bs), INVALID_FIELD_PARAM, 8),
        ('offset 2^55', write_list(token, one, 2 ** 55), INVALID_FIELD_PARAM, 8),
        ('offset FFFFFFFFFFFFFFFFh', write_list(token, one, 2 ** 64 - 1), INVALID_FIELD_PARAM, 8),
        ('ROD TYPE 00000000h', write_list(bytes(4) + token[4:], one), TYPE, None),
        ('ROD TYPE 00800000h', write_list(b'\0\x80\0\0' + token[4:], one), TYPE, None),
        ('ROD TYPE FFFFFFFFh', write_list(b'\xff' * 4 + token[4:], one), TYPE, None),
        ('ROD TOKEN LENGTH 0', write_list(token[:6] + bytes(2) + token[8:], one), LENGTH, None),
        ('ROD TOKEN LENGTH FFFFh', write_list(token[:6] + b'\xff\xff' + token[8:], one), LENGTH, None),
    ]
    for what, p, code, field in cases:
        t.bad(write_using(b, 2, p), code, 'WRITE USING TOKEN, ' + what, field=field, param=field is not None)
    if a.bs > b.bs:
        t.bad(write_using(b, 2, write_list(token, one, 1)), INVALID_FIELD_PARAM, 'a part of a block', field=8, param=True)
    # forged: any byte that differs
    for at in list(range(8, 512, 23)) + [511]:
        forged = bytearray(token)
        forged[at] ^= 1 << rnd.randrange(8)
        t.bad(write_using(b, 2, write_list(bytes(forged), one)), UNKNOWN, 'a token with another byte %d' % at)
    t.bad(write_using(b, 2, write_list(token[:256] + bytes(256), one)), UNKNOWN, 'a token made of what everybody may know')
    t.bad(write_using(a, 2, write_list(token, ranges((63, 1)))), INVALID_FIELD_PARAM, 'over itself', field=536, param=True)
    t.good(write_using(b, 2, write_list(token, ranges((800, 8)))), 'the token is still good')
    t.ok(b.read(0, 64) == before, 'refused but written')


def test_change(t, a, b, rnd):
    """Who writes to a block of a token ends it, before he writes; nobody else does."""
    bs = a.bs
    other = [cscd(b.naa), cscd(a.naa)]
    from_b = token_of(t, b, 90, ranges((0, 8 * max(a.bs, b.bs) // b.bs)))
    big = max(a.bs, b.bs) // a.bs
    lba = 64 * big

    def w16(op, flags, data):
        return lambda at: a.dev.cmd(struct.pack('>BBQIBB', op, flags, at, 1, 0, 0), data_out=data)

    writers = {
        'WRITE(10)': lambda at: a.dev.cmd(struct.pack('>BBIBHB', 0x2a, 0, at, 0, 1, 0), data_out=bytes(bs)),
        'WRITE(16)': w16(0x8a, 0, bytes(bs)),
        'WRITE AND VERIFY(16)': w16(0x8e, 0, bytes(bs)),
        'WRITE SAME(16)': w16(0x93, 0, bytes(bs)),
        'ORWRITE(16)': w16(0x8b, 0, bytes(bs)),
        'COMPARE AND WRITE': lambda at: a.dev.cmd(struct.pack('>BBQxxxBBB', 0x89, 0, at, 1, 0, 0), data_out=a.read(at, 1) + bytes(bs)),
        'UNMAP': lambda at: a.dev.cmd(struct.pack('>BBIBHB', 0x42, 0, 0, 0, 24, 0), data_out=struct.pack('>HH4xQI4x', 22, 16, at, 1)),
        'EXTENDED COPY': lambda at: b.copy(b''.join([struct.pack('>BBHIII', 0, 3 << 3, 64, 0, 28, 0)] + other +
                                                    [blocks(max(1, bs // b.bs), 0, at, bits=0)])),
        'WRITE USING TOKEN': lambda at: write_using(a, 91, write_list(from_b, ranges((at, 1)))),
    }
    if a.bs != b.bs:
        # a block of one is not a block of the other
        for name in ('EXTENDED COPY', 'WRITE USING TOKEN'):
            del writers[name]
    for name, write in writers.items():
        token = token_of(t, a, 92, ranges((lba, 8 * big), (lba + 32 * big, big)))
        r = write(lba + 9 * big)
        if r.code == (5, 0x20, 0):
            continue
        t.good(r, '%s beside a token' % name)
        t.good(write(lba - 1), '%s before a token' % name)
        a.read(lba, 64)
        t.good(write_using(b, 93, write_list(token, ranges((1024, 8)))), 'a token after %s beside it' % name)
        t.good(write(lba + 32 * big), '%s into a token' % name)
        t.bad(write_using(b, 93, write_list(token, ranges((1024, 8)))), CANCELLED, 'a token after %s' % name)
    token = token_of(t, a, 92, ranges((lba, 8 * big)))
    for cdb, data_in in ((struct.pack('>BBQIBB', 0x8f, 0, lba, 1, 0, 0), 0), (struct.pack('>BBIBHB', 0x35, 0, lba, 0, 1, 0), 0),
                         (struct.pack('>BBQIBB', 0x90, 0, lba, 1, 0, 0), 0), (struct.pack('>BBQIBB', 0x9e, 0x12, lba, 64, 0, 0), 64)):
        a.dev.cmd(cdb, data_in=data_in)
    t.good(write_using(b, 93, write_list(token, ranges((1024, 8)))), 'a token after what does not write')


def test_time(t, a, b, rnd):
    token = token_of(t, a, 94, ranges((0, 8)), idle=1)
    kept = token_of(t, a, 95, ranges((0, 8)), idle=30)
    time.sleep(1.2)     # its INACTIVITY TIMEOUT
    t.bad(write_using(b, 96, write_list(token, ranges((0, 1)))), EXPIRED, 'a token that nobody used')
    t.good(write_using(b, 96, write_list(kept, ranges((0, 8)))), 'a token that has more time')
    for i in range(140):    # more than a unit may have
        r = populate(a, 1000 + i, populate_list(ranges((i, 1))))
        if r.status:
            break
    t.bad(r, (5, 0x55, 0x0d), 'too many tokens')
    t.eq(Info(told(a, 1000 + i).data).status, FAILED, 'too many tokens')
    t.ok(Info(told(a, 1000 + i).data).sense[2] == 5, 'too many tokens: sense data')
    a.write(0, bytes(256 * a.bs))
    t.good(populate(a, 2000, populate_list(ranges((0, 1)))), 'those that were ended make room')
    a.write(0, bytes(a.bs))


def test_racing(t, a, b, rnd):
    """What a token that is good delivers is what there was, whoever writes meanwhile."""
    n = (256 << 10) // a.bs
    m = (256 << 10) // b.bs
    stop, errors, good = [], [], [0, 0]

    def fill(dev, k):
        data = bytes([k]) * 65536
        for at in range(0, n, 65536 // a.bs):
            r = dev.cmd(struct.pack('>BBQIBB', 0x8a, 0, at, 65536 // a.bs, 0, 0), data_out=data)
            if r.status:
                errors.append(str(r))

    with Device(a.dev.path) as dev:
        for k in range(1, 40 if os.environ.get('TCM_LONG') else 15):
            fill(dev, k)
            token = token_of(t, a, 97, ranges((0, n)))
            th = threading.Thread(target=fill, args=(dev, k + 100))
            if k % 3:
                th.start()
            r = write_using(b, 98, write_list(token, ranges((0, m))))
            if k % 3:
                th.join()
            good[bool(r.status)] += 1
            if r.status:
                t.bad(r, CANCELLED, 'a token under writes')
            else:
                t.ok(set(b.read(0, m)) == {k}, 'a token under writes: data of another time')
    t.eq(errors, [], 'writes under tokens')
    t.ok(good[0], 'no copy was good')
    t.ok(good[1], 'no copy met a write')


def list4(cscds, segments, ident=0, usage=0, flags=0, fmt=1, header=0x20, kind=0xff, inline=0):
    c, s = b''.join(cscds), b''.join(segments)
    return struct.pack('>BBH11xBB3xI18xHHH', fmt, usage << 3, header, flags, kind, ident, len(c), len(s), inline) + c + s


def copy4(u, p, length=None):
    return u.dev.cmd(struct.pack('>BB8xIBB', 0x83, 1, len(p) if length is None else length, 0, 0), data_out=p, timeout=120)


def test_lid4(t, a, b, rnd):
    two = [cscd(a.naa), cscd(b.naa)]
    data = rnd.randbytes(1 << 20)
    a.write(0, data)
    size = 1 << 19
    seg = [offsets(size, 0, 0, source=1, dest=2), offsets(size, size // a.bs, size // b.bs, source=1, dest=2)]
    for flags in (0, 1):
        ident = 0x12345678 + flags
        b.write(0, bytes(1 << 20))
        t.good(copy4(a, list4(two, seg, ident, flags=flags)), 'EXTENDED COPY(LID4)')
        end = time.monotonic() + 60
        while True:
            info = Info(told(a, ident, 5).data)
            if info.status not in (FOREGROUND, BACKGROUND) or time.monotonic() > end:
                break
            t.eq(info.status, BACKGROUND, 'a copy that runs')
            time.sleep(0.01)
        t.eq((info.sa, info.status, info.completion, info.units, info.count, info.segments), (1, DONE, 0, 0, 1 << 20, 2), 'RECEIVE COPY STATUS(LID4)')
        t.ok(b.read(0, (1 << 20) // b.bs) == data, 'EXTENDED COPY(LID4): other data')
    t.good(copy4(a, b''), 'EXTENDED COPY(LID4) without a list')
    t.good(copy4(a, list4([], [])), 'EXTENDED COPY(LID4) of nothing')
    p = list4(two, [blocks(0, 0, 0, 1, 2)], usage=3)
    for have in range(1, len(p)):
        t.bad(copy4(a, p[:have]), PARAM_LIST_LENGTH, 'LID4 list of %d bytes' % have)
    t.bad(copy4(a, bytes(48 + 4097)), PARAM_LIST_LENGTH, 'a LID4 list that is too long')
    one = [blocks(8, 0, 0, 1, 2)]
    for what, p, code, field in [
            ('PARAMETER LIST FORMAT', list4(two, one, fmt=2), INVALID_FIELD_PARAM, 0),
            ('HEADER CSCD DESCRIPTOR LIST LENGTH', list4(two, one, header=0x40), INVALID_FIELD_PARAM, 2),
            ('HEADER CSCD DESCRIPTOR TYPE CODE', list4(two, one, kind=0xe4), INVALID_FIELD_PARAM, 16),
            ('G_SENSE', list4(two, one, flags=2), INVALID_FIELD_PARAM, (15, 1)),
            ('LIST ID USAGE 01b', list4(two, one, usage=1), INVALID_FIELD_PARAM, (1, 4)),
            ('LIST IDENTIFIER without use', list4(two, one, 5, 3), INVALID_FIELD_PARAM, 20),
            ('inline data', list4(two, one, inline=4) + bytes(4), (5, 0x26, 0xb), 46),
            ('source 0', list4(two, [blocks(8, 0, 0, 0, 2)]), ABORTED, None),
            ('destination 3', list4(two, [blocks(8, 0, 0, 1, 3)]), ABORTED, None),
            ('segment 03h', list4(two, [b'\x03' + one[0][1:]]), BAD_SEGMENT, 112)]:
        t.bad(copy4(a, p), code, 'LID4, ' + what, field=field, param=field is not None)


def test_background(t, a, b, rnd):
    """A copy in the background: told of while it runs, its list identifier is in use, it can be ended."""
    size = 48 << 20
    a.write(0, rnd.randbytes(1 << 20))
    met = ended = 0
    for attempt in range(8):
        token = token_of(t, a, 99, ranges((0, size // a.bs)))
        p = write_list(token, ranges((0, size // b.bs)), flags=1)
        t.good(write_using(b, 77, p), 'WRITE USING TOKEN, IMMED')
        r = write_using(b, 77, p)
        if r.status:
            t.bad(r, IN_PROGRESS, 'a list identifier that is in use')
            met += 1
        r = abort(b, 77)
        if r.status:
            t.bad(r, INVALID_FIELD_CDB, 'COPY OPERATION ABORT of one that is over', field=2)
            continue
        info = Info(told(b, 77).data)
        t.ok(info.status in (TERMINATED, DONE), 'after COPY OPERATION ABORT: %#x' % info.status)
        if info.status == TERMINATED:
            t.ok(info.count < size // b.bs and info.completion == 2 and info.sense[2] == 0xa, 'a copy that was ended')
            ended += 1
    t.ok(met and ended, 'no copy was met while it ran')
    # one that a write ends
    for attempt in range(8):
        token = token_of(t, a, 99, ranges((0, size // a.bs)))
        t.good(write_using(b, 78, write_list(token, ranges((0, size // b.bs)), flags=1)), 'WRITE USING TOKEN, IMMED')
        a.write((size - 65536) // a.bs, bytes(4096))
        end = time.monotonic() + 60
        while Info(told(b, 78).data).status == BACKGROUND and time.monotonic() < end:
            time.sleep(0.01)
        info = Info(told(b, 78).data)
        if info.status == FAILED:
            break
        t.eq(info.status, DONE, 'a copy in the background')
    t.eq((info.status, info.sense[2], info.sense[12:14]), (FAILED, 5, b'\x23\x08'), 'a copy whose token was ended')


GIB = 1 << 30


def test_huge(t, a, b):
    """1 GiB by token and by EXTENDED COPY; who calls counts what moves."""
    step = GIB // 16

    def same(what):
        for at in range(0, GIB, step):
            t.ok(b.read((at + at // 64) // b.bs, 128) == a.read((at + at // 64) // a.bs, 128), '%s: other data at %d' % (what, at))

    token = token_of(t, a, 5, ranges((0, GIB // a.bs)))
    t.good(write_using(b, 5, write_list(token, ranges((0, GIB // b.bs)))), 'WRITE USING TOKEN, 1 GiB')
    t.eq(Info(told(b, 5).data).count, GIB // b.bs, 'WRITE USING TOKEN, 1 GiB')
    same('WRITE USING TOKEN, 1 GiB')
    # what it takes is there: 1 GiB would not be
    t.good(write_using(b, 5, write_list(ZERO_TOKEN, ranges((GIB // 2 // b.bs, (64 << 20) // b.bs)))), 'zero token, 64 MiB')
    t.ok(b.read((GIB // 2 + (32 << 20)) // b.bs, 8) == bytes(8 * b.bs), 'zero token, 64 MiB: other data')
    part = GIB // 4
    t.good(copy4(a, list4([cscd(a.naa), cscd(b.naa)], [offsets(part, i * part // a.bs, i * part // b.bs, source=1, dest=2) for i in range(4)], 6)),
           'EXTENDED COPY, 1 GiB')
    t.eq(Info(told(a, 6, 5).data).count, GIB, 'EXTENDED COPY, 1 GiB')
    same('EXTENDED COPY, 1 GiB')


def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument('device')
    p.add_argument('other')
    p.add_argument('--by-hand', action='store_true')
    p.add_argument('--huge', action='store_true', help='1 GiB from DEVICE to OTHER, and nothing else')
    p.add_argument('--name', default='odx')
    args = p.parse_args()
    t = Table(args.name)
    a, b = Unit(args.device), Unit(args.other)
    if args.huge:
        test_huge(t, a, b)
        t.end()
    tests = [test_format, test_copy, test_zero, test_lists, test_change, test_racing, test_lid4]
    if args.by_hand:
        tests.append(test_background)
    for fn in tests + [test_time]:
        fn(t, a, b, random.Random(7))
        print('%s %s: %d passed, %d failed' % (args.name, fn.__name__[5:], t.passed, t.failed), flush=True)
    t.end()


if __name__ == '__main__':
    main()
