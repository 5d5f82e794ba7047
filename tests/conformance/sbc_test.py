#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""The block commands (SBC-4) over SG_IO: data, status, sense, residual.

    sbc_test.py DEVICE [--attrib DIR] [--thin] [--only NAME,...]

DEVICE is overwritten. --attrib is the device's attrib directory in configfs: with it commands
that attributes turn on are tested both ways. --thin: unmapped blocks read as zeros.
"""
import argparse
import os
import random
import struct
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from sgio import (Device, Sense, Table, GOOD, CHECK_CONDITION, INVALID_OPCODE, LBA_OUT_OF_RANGE,
                  INVALID_FIELD_CDB, INVALID_FIELD_PARAM, PARAM_LIST_LENGTH, MISCOMPARED)

BAD_IU = (5, 0x0e, 0x03)
NOT_READY_START = (2, 0x04, 0x02)
M32 = 0xffffffff
BIG = 640 << 10     # what SG_IO surely takes, in bytes

READ, WRITE, VERIFY, WRITE_VERIFY, SYNC, SAME = 'READ', 'WRITE', 'VERIFY', 'WRITE AND VERIFY', 'SYNC', 'SAME'

# name -> {CDB length: operation code}
OPCODES = {
    READ: {6: 0x08, 10: 0x28, 12: 0xa8, 16: 0x88},
    WRITE: {6: 0x0a, 10: 0x2a, 12: 0xaa, 16: 0x8a},
    VERIFY: {10: 0x2f, 12: 0xaf, 16: 0x8f},
    WRITE_VERIFY: {10: 0x2e, 12: 0xae, 16: 0x8e},
    SYNC: {10: 0x35, 16: 0x91},
    SAME: {10: 0x41, 16: 0x93},
}
LEN_AT = {6: 4, 10: 7, 12: 6, 16: 10}

# The bits of byte 1 that mean something, and the bytes that hold LBA and length
BYTE1 = {READ: 0x18, WRITE: 0x18, VERIFY: 0x16, WRITE_VERIFY: 0x16, SYNC: 0x06,
         SAME: {10: 0x08, 16: 0x09}}
FIELDS = {6: (2, 3, 4), 10: (2, 3, 4, 5, 7, 8), 12: tuple(range(2, 10)), 16: tuple(range(2, 14))}


def cdb(name, size, lba=0, n=0, b1=0):
    """A CDB of a command that has an LBA and a length."""
    op = OPCODES[name][size]
    if size == 6:
        return bytes([op, lba >> 16 & 0x1f]) + struct.pack('>HBB', lba & 0xffff, n, 0)
    if size == 10:
        return struct.pack('>BBIBHB', op, b1, lba, 0, n, 0)
    if size == 12:
        return struct.pack('>BBIIBB', op, b1, lba, n, 0, 0)
    return struct.pack('>BBQIBB', op, b1, lba, n, 0, 0)


# service actions of VARIABLE LENGTH CDB
LONG_SA = {READ: 0x09, VERIFY: 0x0a, WRITE: 0x0b, WRITE_VERIFY: 0x0c, SAME: 0x0d}


def long_cdb(name, lba=0, n=0, bits=0, tags=bytes(8), more=0x18):
    """The 32 byte CDB."""
    return struct.pack('>BB5xBHBxQ8sI', 0x7f, 0, more, LONG_SA.get(name, name), bits, lba, tags, n)


def unmap_cdb(length, b1=0):
    return struct.pack('>BBIBHB', 0x42, b1, 0, 0, length, 0)


def unmap_list(*extents):
    body = b''.join(struct.pack('>QII', lba, n, 0) for lba, n in extents)
    return struct.pack('>HHI', len(body) + 6, len(body), 0) + body


class Unit:
    """The unit under test and what it is."""

    def __init__(self, args):
        self.dev = Device(args.device)
        self.dev.clear_ua()
        self.attrib = args.attrib
        self.thin = args.thin
        self.map = args.map
        self.rnd = random.Random(7)
        rc = self.dev.cmd(bytes([0x9e, 0x10]) + bytes(8) + struct.pack('>IBB', 32, 0, 0), data_in=32).data
        self.last, self.bs = struct.unpack('>QI', rc[:12])
        self.blocks = self.last + 1
        most = struct.unpack('>I', self.dev.cmd(bytes([0x12, 1, 0xb0, 0, 64, 0]), data_in=64).data[8:12])[0]
        self.big = min(BIG, most * self.bs)     # what one command moves

    def data(self, blocks):
        return self.rnd.randbytes(blocks * self.bs)

    def read(self, lba, n):
        data = b''
        step = self.big // self.bs
        for at in range(0, n, step):
            part = min(step, n - at)
            r = self.dev.cmd(cdb(READ, 16, lba + at, part), data_in=part * self.bs)
            if r.status != GOOD:
                raise RuntimeError('READ at %d: %s' % (lba + at, r))
            data += r.data
        return data

    def write(self, lba, data):
        step = self.big
        for at in range(0, len(data), step):
            part = data[at:at + step]
            r = self.dev.cmd(cdb(WRITE, 16, lba + at // self.bs, len(part) // self.bs), data_out=part)
            if r.status != GOOD:
                raise RuntimeError('WRITE at %d: %s' % (lba + at // self.bs, r))

    def attr(self, name):
        with open(os.path.join(self.attrib, name)) as f:
            return int(f.read())

    def set_attr(self, name, value):
        with open(os.path.join(self.attrib, name), 'w') as f:
            f.write(str(value))
        self.dev.clear_ua()

    def sizes(self, name):
        """The CDB lengths that can address the whole of a command's tests."""
        return sorted(OPCODES[name])


class with_attrs:
    """Attributes set for a while."""

    def __init__(self, u, **values):
        self.u, self.values = u, values

    def __enter__(self):
        self.old = {k: self.u.attr(k) for k in self.values}
        for k, v in self.values.items():
            self.u.set_attr(k, v)

    def __exit__(self, *unused):
        for k, v in self.old.items():
            self.u.set_attr(k, v)


# ---- READ and WRITE -------------------------------------------------------

def test_rw(t, u):
    for size in u.sizes(WRITE):
        for lba, n in ((0, 1), (1, 7), (3, 64), (100, 200), (u.last if size != 6 else 5000, 1)):
            lba = min(lba, 0x1fffff if size == 6 else M32)
            n = min(n, BIG // u.bs)
            what = '(%d) at %d, %d blocks' % (size, lba, n)
            data = u.data(n)
            t.good(u.dev.cmd(cdb(WRITE, size, lba, n), data_out=data), WRITE + what)
            r = u.dev.cmd(cdb(READ, size, lba, n), data_in=n * u.bs)
            t.good(r, READ + what)
            t.ok(r.data == data, READ + what + ': other data')
    if 256 * u.bs <= BIG:
        data = u.data(256)
        t.good(u.dev.cmd(cdb(WRITE, 6, 10, 0), data_out=data), 'WRITE(6) of 0, which is 256')
        t.ok(u.dev.cmd(cdb(READ, 6, 10, 0), data_in=256 * u.bs).data == data, 'READ(6) of 0, which is 256')
    n = BIG // u.bs
    data = u.data(n)
    t.good(u.dev.cmd(cdb(WRITE, 10, 8, n), data_out=data), 'WRITE(10), large')
    t.ok(u.dev.cmd(cdb(READ, 16, 8, n), data_in=n * u.bs).data == data, 'READ(16), large')


def test_flags(t, u):
    data = u.data(4)
    for size in (10, 12, 16):
        for b1 in (0x08, 0x10, 0x18):
            what = '(%d) with byte 1 %#x' % (size, b1)
            t.good(u.dev.cmd(cdb(WRITE, size, 40, 4, b1), data_out=data), WRITE + what)
            r = u.dev.cmd(cdb(READ, size, 40, 4, b1), data_in=4 * u.bs)
            t.good(r, READ + what)
            t.ok(r.data == data, READ + what + ': other data')
    if not u.attrib:
        return t.skip('emulate_fua_write: no attributes')
    with with_attrs(u, emulate_fua_write=0):
        for size in (10, 12, 16):
            t.bad(u.dev.cmd(cdb(WRITE, size, 40, 4, 0x08), data_out=u.data(4)), INVALID_FIELD_CDB,
                  'WRITE(%d) FUA refused' % size, field=(1, 3))
            t.bad(u.dev.cmd(cdb(READ, size, 40, 4, 0x08), data_in=4 * u.bs), INVALID_FIELD_CDB,
                  'READ(%d) FUA refused' % size, field=(1, 3))
            t.good(u.dev.cmd(cdb(WRITE, size, 40, 4, 0x10), data_out=data), 'WRITE(%d) DPO' % size)
    t.ok(u.read(40, 4) == data, 'refused writes wrote')
    with with_attrs(u, emulate_write_cache=1 - u.attr('emulate_write_cache')):
        data = u.data(4)
        t.good(u.dev.cmd(cdb(WRITE, 10, 40, 4), data_out=data), 'WRITE, write cache the other way')
        t.good(u.dev.cmd(cdb(SYNC, 10, 40, 4)), 'SYNCHRONIZE CACHE, write cache the other way')
        t.ok(u.read(40, 4) == data, 'write cache the other way: other data')


def range_info(u, lba):
    """INFORMATION of LBA OUT OF RANGE: the first LBA that is not there; fixed format has 32 bits."""
    first = max(lba, u.blocks)
    return first if first <= M32 else None


def test_range(t, u):
    """Out of range, also where lba + length wraps around; nothing is transferred."""
    u.write(u.last, bytes(u.bs))
    data = u.data(2)
    for name in (READ, WRITE, VERIFY, WRITE_VERIFY, SYNC, SAME):
        for size in u.sizes(name):
            if size == 6:
                continue
            top = M32 if size < 16 else 0xffffffffffffffff
            cases = [(u.last, 2), (u.blocks, 1), (u.blocks + 1, 1), (top, 2), (top, 1), (top - 1, 2)]
            if name != SAME:
                cases += [(u.blocks + 1, 0), (top, 0)]
            for lba, n in cases:
                if lba > top or (size < 16 and u.blocks > M32):
                    continue
                what = '%s(%d) at %#x, %d blocks' % (name, size, lba, n)
                if name in (WRITE, WRITE_VERIFY):
                    r = u.dev.cmd(cdb(name, size, lba, n), data_out=data[:n * u.bs])
                elif name == SAME:
                    r = u.dev.cmd(cdb(name, size, lba, n), data_out=data[:u.bs])
                else:
                    r = u.dev.cmd(cdb(name, size, lba, n), data_in=n * u.bs if name == READ else 0)
                info = range_info(u, lba)
                if t.bad(r, LBA_OUT_OF_RANGE, what, info=info) and info is None:
                    t.eq(r.sense.info, None if not r.sense.desc else r.sense.info, what + ': INFORMATION')
                if name == READ and n:
                    t.eq(r.resid, n * u.bs, what + ': residual')
            if name != SAME:
                for lba in (0, u.last, u.blocks):
                    if lba <= top:
                        t.good(u.dev.cmd(cdb(name, size, lba, 0)), '%s(%d) of nothing at %d' % (name, size, lba))
    t.ok(u.read(u.last, 1) == bytes(u.bs), 'a write out of range wrote')
    for size, op in ((6, 0x0b), (10, 0x2b)):
        if u.blocks < 1 << 21 or size == 10:
            lba = u.blocks + 1
            c = bytes([op, lba >> 16 & 0x1f]) + struct.pack('>HBB', lba & 0xffff, 0, 0) if size == 6 else \
                struct.pack('>BBIIBB', op, 0, min(lba, M32), 0, 0, 0)[:10]
            if u.blocks < M32:
                t.bad(u.dev.cmd(c), LBA_OUT_OF_RANGE, 'SEEK(%d)' % size, info=lba)
        t.good(u.dev.cmd(bytes([op]) + bytes(size - 1)), 'SEEK(%d) to 0' % size)
    t.good(u.dev.cmd(bytes([1, 0, 0, 0, 0, 0])), 'REZERO UNIT')


def test_reserved(t, u):
    """Each reserved bit on its own is refused and pointed at."""
    data = bytes(u.bs)
    rows = [(op, name, size) for name, ops in OPCODES.items() for size, op in ops.items()]
    rows += [(0x1b, 'START STOP UNIT', 6), (0x25, 'READ CAPACITY', 10), (0x9e, 'READ CAPACITY', 16),
             (0x01, 'REZERO UNIT', 6)]
    for op, name, size in rows:
        used = dict.fromkeys(FIELDS[size], 0xff)
        used[1] = BYTE1.get(name, 0)
        if isinstance(used[1], dict):
            used[1] = used[1][size]
        if size > 6 and name in OPCODES:
            used[{10: 6, 12: 10, 16: 14}[size]] = 0x1f      # GROUP NUMBER
        base = bytearray(size)
        base[0] = op
        if size == 6 and name in (READ, WRITE):
            used[1] = 0x1f
        if name == 'START STOP UNIT':
            used = {1: 0x01, 4: 0xf5}
            base[4] = 1
        elif name == 'REZERO UNIT':
            used = {}
        elif name == 'READ CAPACITY':
            used = {} if size == 10 else {1: 0x1f, 10: 0xff, 11: 0xff, 12: 0xff, 13: 0xff}
            if size == 16:
                base[1:2] = b'\x10'
                base[13] = 32
        elif name in (WRITE, SAME):
            base[LEN_AT[size] + {6: 0, 10: 1, 12: 3, 16: 3}[size]] = 1
        elif size == 6:
            base[4] = 1
        for byte in range(1, size):
            for bit in range(8):
                if used.get(byte, 0) & 1 << bit:
                    continue
                c = bytearray(base)
                c[byte] |= 1 << bit
                out = data if name in (WRITE, SAME) else None
                r = u.dev.cmd(c, data_out=out, data_in=0 if out else 512)
                t.bad(r, INVALID_FIELD_CDB, '%s(%d) byte %d bit %d' % (name, size, byte, bit),
                      field=(byte, bit))


def test_truncated_cdb(t, u):
    """A CDB shorter than its operation code says."""
    for name in OPCODES:
        for size, op in OPCODES[name].items():
            for have in (6, 10, 12):
                if have < size:
                    t.bad(u.dev.cmd(bytes([op]) + bytes(have - 1)), INVALID_FIELD_CDB,
                          '%s(%d) of %d bytes' % (name, size, have), field=have)


def test_misfit(t, u):
    """The initiator's buffer does not match the CDB."""
    bs = u.bs
    data = u.data(8)
    u.write(200, data)
    for size in u.sizes(READ):
        for room in (8 * bs + 512, 8 * bs + 100, 16 * bs):
            r = u.dev.cmd(cdb(READ, size, 200, 8), data_in=room)
            t.good(r, 'READ(%d), room for %d' % (size, room))
            t.eq(r.resid, room - 8 * bs, 'READ(%d), room for %d: residual' % (size, room))
            t.ok(r.buffer == data + bytes([Device.FILL]) * (room - 8 * bs), 'READ(%d), room for %d: data' % (size, room))
        for room in (bs, 4 * bs, bs - 4, 200, 5 * bs + 100, 8 * bs - 1, 1):
            r = u.dev.cmd(cdb(READ, size, 200, 8), data_in=room)
            t.good(r, 'READ(%d), room for %d' % (size, room))
            t.ok(r.buffer == data[:room], 'READ(%d), room for %d: data' % (size, room))
        t.good(u.dev.cmd(cdb(READ, size, 200, 8)), 'READ(%d) without a buffer' % size)
    r = u.dev.cmd(cdb(READ, 16, u.last, 2), data_in=bs)
    t.bad(r, LBA_OUT_OF_RANGE, 'READ out of range, room for the part in range', info=range_info(u, u.last))
    other = u.data(16)
    for name in (WRITE, WRITE_VERIFY):
        for size in u.sizes(name):
            for have in (bs, 7 * bs, 8 * bs - 1, 200, 0):
                r = u.dev.cmd(cdb(name, size, 200, 8), data_out=other[:have])
                t.bad(r, BAD_IU, '%s(%d) with %d bytes' % (name, size, have))
                t.ok(u.read(200, 8) == data, '%s(%d) with %d bytes wrote' % (name, size, have))
            r = u.dev.cmd(cdb(name, size, 200, 8), data_in=8 * bs)
            t.bad(r, BAD_IU, '%s(%d) with a buffer for data-in' % (name, size))
            t.ok(u.read(200, 8) == data, '%s(%d) with a buffer for data-in wrote' % (name, size))
    for name, n, b1 in ((VERIFY, 8, 2), (VERIFY, 8, 6), (SAME, 8, 0)):
        for size in u.sizes(name):
            for have in (bs - 1, 100, 0):
                r = u.dev.cmd(cdb(name, size, 200, n, b1), data_out=other[:have])
                t.bad(r, BAD_IU, '%s(%d) byte 1 %#x with %d bytes' % (name, size, b1, have))
    t.ok(u.read(200, 8) == data, 'WRITE SAME with too little data wrote')
    r = u.dev.cmd(cdb(READ, 10, 200, 8), data_out=other[:8 * bs])
    t.bad(r, BAD_IU, 'READ with a buffer for data-out')
    for size in u.sizes(WRITE):
        r = u.dev.cmd(cdb(WRITE, size, 200, 8), data_out=other[:10 * bs])
        t.good(r, 'WRITE(%d) with more than it takes' % size)
        t.eq(r.resid, 2 * bs, 'WRITE(%d) with more than it takes: residual' % size)
    t.ok(u.read(200, 8) == other[:8 * bs], 'WRITE with more than it takes: data')


def test_max_transfer(t, u):
    """More than MAXIMUM TRANSFER LENGTH is refused before anything is asked for."""
    r = u.dev.cmd(bytes([0x12, 1, 0xb0, 0, 64, 0]), data_in=64)
    most = struct.unpack('>I', r.data[8:12])[0] if r.status == GOOD else 0
    if not most:
        most = M32 // u.bs
    for name, b1 in ((READ, 0), (WRITE, 0), (WRITE_VERIFY, 0), (VERIFY, 2)):
        for size in (12, 16):
            for n in (most + 1, M32):
                kind = {'data_in': u.bs} if name == READ else {'data_out': bytes(u.bs)}
                t.bad(u.dev.cmd(cdb(name, size, 0, n, b1), **kind), INVALID_FIELD_CDB,
                      '%s(%d) of %d blocks' % (name, size, n), field=LEN_AT[size])


# ---- READ CAPACITY --------------------------------------------------------

def test_capacity(t, u):
    with open('/sys/block/%s/size' % os.path.basename(u.dev.path)) as f:
        sectors = int(f.read())
    t.eq(u.blocks * u.bs, sectors * 512, 'size as the block layer sees it')
    r = u.dev.cmd(bytes([0x25]) + bytes(9), data_in=8)
    t.good(r, 'READ CAPACITY(10)')
    t.eq(r.data, struct.pack('>II', min(u.last, M32), u.bs), 'READ CAPACITY(10)')
    r = u.dev.cmd(bytes([0x25]) + bytes(9), data_in=252)
    t.eq(r.resid, 252 - 8, 'READ CAPACITY(10): residual')
    for alloc in (0, 1, 8, 12, 31, 32, 33, 255, 65536):
        r = u.dev.cmd(bytes([0x9e, 0x10]) + bytes(8) + struct.pack('>IBB', alloc, 0, 0), data_in=512)
        t.good(r, 'READ CAPACITY(16), %d' % alloc)
        t.eq(r.resid, 512 - min(alloc, 32), 'READ CAPACITY(16), %d: residual' % alloc)
    rc = u.dev.cmd(bytes([0x9e, 0x10]) + bytes(8) + struct.pack('>IBB', 32, 0, 0), data_in=32).data
    t.eq(rc[:12], struct.pack('>QI', u.last, u.bs), 'READ CAPACITY(16)')
    t.eq(rc[16:], bytes(16), 'READ CAPACITY(16): reserved')
    for sa in (0x00, 0x0f, 0x1f):
        t.bad(u.dev.cmd(bytes([0x9e, sa]) + bytes(14)), INVALID_FIELD_CDB,
              'SERVICE ACTION IN(16), %#x' % sa, field=(1, 4))
    if not u.attrib:
        return t.skip('LBPME, LBPRZ: no attributes')
    with with_attrs(u, emulate_tpu=0, emulate_tpws=0):
        rc = u.dev.cmd(bytes([0x9e, 0x10]) + bytes(8) + struct.pack('>IBB', 32, 0, 0), data_in=32).data
        t.eq(rc[14] & 0xc0, 0, 'LBPME without thin provisioning')
    with with_attrs(u, emulate_tpws=1):
        rc = u.dev.cmd(bytes([0x9e, 0x10]) + bytes(8) + struct.pack('>IBB', 32, 0, 0), data_in=32).data
        t.eq(rc[14] & 0xc0, 0x80 | (0x40 if u.attr('unmap_zeroes_data') else 0), 'LBPME, LBPRZ')


# ---- VERIFY ---------------------------------------------------------------

def test_verify(t, u):
    n = BIG // u.bs + 5     # several chunks, and a rest
    data = u.data(n)
    u.write(16, data)
    for size in u.sizes(VERIFY):
        what = 'VERIFY(%d)' % size
        for b1 in (0, 0x10):
            t.good(u.dev.cmd(cdb(VERIFY, size, 16, n, b1)), what + ' of the medium')
        t.good(u.dev.cmd(cdb(VERIFY, size, 16, n, 0x02), data_out=data), what + ' equal')
        t.good(u.dev.cmd(cdb(VERIFY, size, 16, 0, 0x02)), what + ' of nothing, 01b')
        t.good(u.dev.cmd(cdb(VERIFY, size, 16, 0, 0x06)), what + ' of nothing, 11b')
        for at in (0, 1, u.bs - 1, u.bs, 4095, 4096, 262143, 262144, 262145, 524287, n * u.bs - 1):
            bad = bytearray(data)
            bad[at] ^= 1
            if at + 10 < len(bad):
                bad[at + 10] ^= 0x80
            t.bad(u.dev.cmd(cdb(VERIFY, size, 16, n, 0x02), data_out=bad), MISCOMPARED,
                  what + ' differs at %d' % at, info=at)
        t.bad(u.dev.cmd(cdb(VERIFY, size, 16, n, 0x04)), INVALID_FIELD_CDB, what + ' BYTCHK 10b', field=(1, 2))
    block = u.data(1)
    u.write(16, block * n)
    for size in u.sizes(VERIFY):
        what = 'VERIFY(%d), a block repeated' % size
        t.good(u.dev.cmd(cdb(VERIFY, size, 16, n, 0x06), data_out=block), what)
        for at in (0, u.bs - 1, u.bs, 262144 + 5, n * u.bs - 1):
            bad = bytearray(u.bs)
            bad[at % u.bs] ^= 1
            lba = 16 + at // u.bs
            one = bytes(a ^ b for a, b in zip(block, bad))
            u.write(lba, one)
            t.bad(u.dev.cmd(cdb(VERIFY, size, 16, n, 0x06), data_out=block), MISCOMPARED,
                  what + ' differs at %d' % at, info=at)
            u.write(lba, block)


def test_write_verify(t, u):
    n = (1 << 19) // u.bs + 3
    for size in u.sizes(WRITE_VERIFY):
        for b1 in (0, 0x02, 0x10, 0x12):
            data = u.data(n)
            what = 'WRITE AND VERIFY(%d), byte 1 %#x' % (size, b1)
            t.good(u.dev.cmd(cdb(WRITE_VERIFY, size, 64, n, b1), data_out=data), what)
            t.ok(u.read(64, n) == data, what + ': other data')
        for b1 in (0x04, 0x06):
            t.bad(u.dev.cmd(cdb(WRITE_VERIFY, size, 64, n, b1), data_out=u.data(n)), INVALID_FIELD_CDB,
                  'WRITE AND VERIFY(%d), byte 1 %#x' % (size, b1), field=(1, 2))
        t.ok(u.read(64, n) == data, 'WRITE AND VERIFY(%d) refused but written' % size)


# ---- SYNCHRONIZE CACHE ----------------------------------------------------

def test_sync(t, u):
    u.write(0, u.data(64))
    for size in u.sizes(SYNC):
        for b1 in (0x00, 0x02, 0x04, 0x06):
            for lba, n in ((0, 0), (0, 64), (7, 1), (u.last, 1), (u.last, 0)):
                if size < 16 and lba > M32:
                    continue
                t.good(u.dev.cmd(cdb(SYNC, size, lba, n, b1)), 'SYNCHRONIZE CACHE(%d) at %d, %d, byte 1 %#x'
                       % (size, lba, n, b1))
    for i in range(64):     # many in flight at once: those beyond the limit wait for their own
        t.good(u.dev.cmd(cdb(SYNC, 10, 0, 0, 0x02)), 'SYNCHRONIZE CACHE, IMMED, %d' % i)


# ---- UNMAP ----------------------------------------------------------------

def test_unmap_off(t, u):
    if not u.attrib:
        return t.skip('no attributes')
    with with_attrs(u, emulate_tpu=0):
        t.bad(u.dev.cmd(unmap_cdb(24), data_out=unmap_list((0, 1))), INVALID_OPCODE, 'UNMAP not offered')


def test_unmap(t, u):
    if not u.attrib:
        return t.skip('no attributes')
    with with_attrs(u, emulate_tpu=1):
        unmap_data(t, u)
        unmap_lists(t, u)
        unmap_limits(t, u)


def unmap(u, *extents):
    p = unmap_list(*extents)
    return u.dev.cmd(unmap_cdb(len(p)), data_out=p)


def unmap_data(t, u):
    gran = max(u.attr('unmap_granularity'), 1)
    t.good(u.dev.cmd(unmap_cdb(0)), 'UNMAP without a list')
    t.good(unmap(u), 'UNMAP without descriptors')
    t.good(unmap(u, (0, 0), (5, 0), (u.last, 0)), 'UNMAP of nothing')
    total = 64 * gran
    for extents in ([(0, total)], [(gran, gran)], [(1, 1)], [(3, 2 * gran)], [(gran - 1, gran + 2)]):
        data = u.data(total)
        u.write(0, data)
        t.good(unmap(u, *extents), 'UNMAP %r' % extents)
        want = bytearray(data)
        got = u.read(0, total)
        for lba, n in extents:
            for b in range(lba, lba + n):
                at = slice(b * u.bs, (b + 1) * u.bs)
                if u.thin or got[at] == bytes(u.bs):
                    want[at] = bytes(u.bs)
        t.ok(got == want, 'UNMAP %r: other data' % extents)
        t.good(u.dev.cmd(cdb(VERIFY, 16, 0, total)), 'VERIFY after UNMAP %r' % extents)
        u.write(0, data)
        t.ok(u.read(0, total) == data, 'written again after UNMAP %r' % extents)
    most = u.attr('max_unmap_block_desc_count')
    if most > 1:
        data = u.data(total)
        u.write(0, data)
        t.good(unmap(u, *[(i * 2 * gran, gran) for i in range(min(most, 32))]), 'UNMAP of many')
        got = u.read(0, total)
        for i in range(min(most, 32)):
            at = slice(i * 2 * gran * u.bs, (i * 2 + 1) * gran * u.bs)
            rest = slice(at.stop, at.stop + gran * u.bs)
            t.ok(not u.thin or not any(got[at]), 'UNMAP of many: %d is still there' % i)
            t.ok(got[rest] == data[rest], 'UNMAP of many: %d went too' % i)


def unmap_lists(t, u):
    data = u.data(64)
    u.write(0, data)
    descs = 1 if u.attr('max_unmap_block_desc_count') < 2 else 2
    p = unmap_list(*[(8 * i, 8) for i in range(descs)])
    for have in range(1, len(p)):
        # the CDB says that there is less than the list announces
        t.bad(u.dev.cmd(unmap_cdb(have), data_out=p[:have]), PARAM_LIST_LENGTH, 'UNMAP list of %d bytes' % have)
        # the initiator has less than the CDB says
        t.bad(u.dev.cmd(unmap_cdb(len(p)), data_out=p[:have]), BAD_IU, 'UNMAP with %d bytes' % have)
    t.bad(u.dev.cmd(unmap_cdb(len(p))), BAD_IU, 'UNMAP without data')
    t.bad(u.dev.cmd(unmap_cdb(len(p), 1), data_out=p), INVALID_FIELD_CDB, 'UNMAP ANCHOR', field=(1, 0))
    short = struct.pack('>H', 6) + p[2:]
    t.bad(u.dev.cmd(unmap_cdb(len(p)), data_out=short), INVALID_FIELD_PARAM, 'UNMAP DATA LENGTH too small',
          field=0, param=True)
    for lba, n in ((u.last, 2), (u.blocks, 1), (0, M32 if u.blocks < M32 else 0), (M32 << 32, 1), (2 ** 64 - 1, 1),
                   (2 ** 64 - 1, 2), (u.blocks + 1, 0)):
        if (lba, n) == (0, 0) or n > u.attr('max_unmap_lba_count'):
            continue
        t.bad(unmap(u, (lba, n)), LBA_OUT_OF_RANGE, 'UNMAP at %#x, %d' % (lba, n), info=range_info(u, lba))
        if descs > 1 and n + 8 <= u.attr('max_unmap_lba_count'):
            t.bad(unmap(u, (0, 8), (lba, n)), LBA_OUT_OF_RANGE, 'UNMAP, the second at %#x, %d' % (lba, n))
    t.ok(u.read(0, 64) == data, 'UNMAP refused but done')
    # a last descriptor that is not complete is passed over
    p = unmap_list((0, 8))
    p = struct.pack('>HH', len(p) + 7 - 2, 16 + 7) + p[4:] + b'\xff' * 7
    t.good(u.dev.cmd(unmap_cdb(len(p)), data_out=p), 'UNMAP, incomplete descriptor')
    got = u.read(0, 64)
    t.ok(got[8 * u.bs:] == data[8 * u.bs:], 'UNMAP, incomplete descriptor: too much')


def unmap_limits(t, u):
    data = u.data(64)
    u.write(0, data)
    with with_attrs(u, max_unmap_block_desc_count=2, max_unmap_lba_count=16):
        t.bad(unmap(u, (0, 1), (1, 1), (2, 1)), INVALID_FIELD_PARAM, 'UNMAP, 3 of 2 descriptors', field=2, param=True)
        t.bad(unmap(u, (0, 17)), INVALID_FIELD_PARAM, 'UNMAP, 17 of 16 blocks', field=16, param=True)
        t.bad(unmap(u, (0, 9), (16, 8)), INVALID_FIELD_PARAM, 'UNMAP, 9 and 8 of 16 blocks', field=32, param=True)
        t.bad(unmap(u, (0, M32), (0, M32)), INVALID_FIELD_PARAM, 'UNMAP, sum beyond 32 bits', field=16, param=True)
        t.ok(u.read(0, 64) == data, 'UNMAP beyond a limit done')
        t.good(unmap(u, (0, 8), (16, 8)), 'UNMAP, all that is allowed')


# ---- WRITE SAME -----------------------------------------------------------

def test_write_same(t, u):
    n = (1 << 20) // u.bs + 3   # several chunks, and a rest; verified in parts
    for size in u.sizes(SAME):
        most = (u.attr('max_write_same_len') if u.attrib else 0) or n
        for count in (1, 2, 9, min(n, most)):
            for block in (u.data(1), bytes(u.bs), bytes(u.bs - 1) + b'\1'):
                before = u.data(count + 2)
                u.write(31, before)
                what = 'WRITE SAME(%d) of %d' % (size, count)
                t.good(u.dev.cmd(cdb(SAME, size, 32, count), data_out=block), what)
                t.ok(u.read(31, count + 2) == before[:u.bs] + block * count + before[-u.bs:], what + ': other data')
        t.bad(u.dev.cmd(cdb(SAME, size, 32, 0), data_out=bytes(u.bs)), INVALID_FIELD_CDB,
              'WRITE SAME(%d) of nothing' % size, field=LEN_AT[size])
        for bit in (4, 2, 1):
            t.bad(u.dev.cmd(cdb(SAME, size, 32, 8, 1 << bit), data_out=bytes(u.bs)), INVALID_FIELD_CDB,
                  'WRITE SAME(%d), byte 1 bit %d' % (size, bit), field=(1, bit))
    # NDOB: zeros, without data-out
    u.write(31, u.data(10))
    before = u.read(31, 10)
    t.good(u.dev.cmd(cdb(SAME, 16, 32, 8, 0x01)), 'WRITE SAME(16) NDOB')
    t.ok(u.read(31, 10) == before[:u.bs] + bytes(8 * u.bs) + before[-u.bs:], 'WRITE SAME(16) NDOB: other data')
    if not u.attrib:
        return t.skip('UNMAP, limit: no attributes')
    with with_attrs(u, emulate_tpws=0):
        for size in u.sizes(SAME):
            t.bad(u.dev.cmd(cdb(SAME, size, 32, 8, 0x08), data_out=bytes(u.bs)), INVALID_FIELD_CDB,
                  'WRITE SAME(%d) UNMAP not offered' % size, field=(1, 3))
    with with_attrs(u, emulate_tpws=1):
        same_unmap(t, u)
    with with_attrs(u, max_write_same_len=16):
        for size in u.sizes(SAME):
            t.good(u.dev.cmd(cdb(SAME, size, 32, 16), data_out=bytes(u.bs)), 'WRITE SAME(%d) of the limit' % size)
            t.bad(u.dev.cmd(cdb(SAME, size, 32, 17), data_out=bytes(u.bs)), INVALID_FIELD_CDB,
                  'WRITE SAME(%d) beyond the limit' % size, field=LEN_AT[size])


def same_unmap(t, u):
    for size, b1, block in ((10, 0x08, None), (16, 0x08, None), (10, 0x08, u.data(1)), (16, 0x08, u.data(1)),
                            (16, 0x09, b'')):
        want = block or bytes(u.bs)
        for lba, n in ((0, 256), (1, 255), (9, 3), (5, 100)):
            before = u.data(260)
            u.write(0, before)
            what = 'WRITE SAME(%d), byte 1 %#x, at %d, %d' % (size, b1, lba, n)
            t.good(u.dev.cmd(cdb(SAME, size, lba, n, b1), data_out=want if b1 == 8 else None), what)
            t.ok(u.read(0, 260) == before[:lba * u.bs] + want * n + before[(lba + n) * u.bs:], what + ': other data')


# ---- START STOP UNIT ------------------------------------------------------

def start_stop(u, b4, b1=0):
    return u.dev.cmd(bytes([0x1b, b1, 0, 0, b4, 0]))


def test_start_stop(t, u):
    data = u.data(8)
    u.write(0, data)
    for b4 in (0x01, 0x10, 0x11, 0x05):
        t.good(start_stop(u, b4), 'START STOP UNIT, byte 4 %#x' % b4)
    for pc in (4, 5, 6, 8, 0xc, 0xf):
        t.bad(start_stop(u, pc << 4), INVALID_FIELD_CDB, 'START STOP UNIT, POWER CONDITION %d' % pc, field=(4, 7))
    for b4 in (0x02, 0x03):
        t.bad(start_stop(u, b4), INVALID_FIELD_CDB, 'START STOP UNIT, LOEJ', field=(4, 1))
    refused = [
        ('TEST UNIT READY', dict(c=bytes(6))),
        ('READ(6)', dict(c=cdb(READ, 6, 0, 8), data_in=8 * u.bs)),
        ('READ', dict(c=cdb(READ, 10, 0, 8), data_in=8 * u.bs)),
        ('WRITE', dict(c=cdb(WRITE, 10, 0, 8), data_out=bytes(8 * u.bs))),
        ('WRITE AND VERIFY', dict(c=cdb(WRITE_VERIFY, 10, 0, 8), data_out=bytes(8 * u.bs))),
        ('VERIFY', dict(c=cdb(VERIFY, 10, 0, 8))),
        ('WRITE SAME', dict(c=cdb(SAME, 10, 0, 8), data_out=bytes(u.bs))),
        ('SYNCHRONIZE CACHE', dict(c=cdb(SYNC, 10, 0, 8))),
    ]
    for b1, b4 in ((0, 0x00), (0, 0x04), (1, 0x00), (1, 0x04)):
        t.good(start_stop(u, b4, b1), 'STOP')
        for what, args in refused:
            args = dict(args)
            t.bad(u.dev.cmd(args.pop('c'), **args), NOT_READY_START, what + ' when stopped')
        t.good(u.dev.cmd(bytes([0x12, 0, 0, 0, 36, 0]), data_in=36), 'INQUIRY when stopped')
        t.good(start_stop(u, b4, b1), 'STOP when stopped')
        t.good(start_stop(u, 0x01, b1), 'START')
        t.good(u.dev.cmd(bytes(6)), 'TEST UNIT READY after START')
        t.ok(u.read(0, 8) == data, 'data after STOP and START')


# ---- COMPARE AND WRITE ----------------------------------------------------

def caw(dev, lba, n, data, b1=0):
    return dev.cmd(struct.pack('>BBQIBB', 0x89, b1, lba, n, 0, 0), data_out=data)


def test_caw(t, u):
    old, new = u.data(1), u.data(1)
    u.write(76, old * 3)
    t.good(caw(u.dev, 77, 0, b''), 'COMPARE AND WRITE of nothing')
    for b1 in (0, 0x08, 0x10, 0x18):
        t.good(caw(u.dev, 77, 1, old + new, b1), 'COMPARE AND WRITE, byte 1 %#x' % b1)
        t.ok(u.read(76, 3) == old + new + old, 'COMPARE AND WRITE: other data')
        t.bad(caw(u.dev, 77, 1, old + old), MISCOMPARED, 'COMPARE AND WRITE of what is not there',
              info=next(i for i in range(u.bs) if old[i] != new[i]))
        old, new = new, old
        u.write(76, old * 3)
    for at in (0, 1, 255, u.bs - 1):
        bad = bytearray(old)
        bad[at] ^= 0x10
        t.bad(caw(u.dev, 77, 1, bad + new), MISCOMPARED, 'COMPARE AND WRITE differs at %d' % at, info=at)
    for bit in (0, 1, 2, 5, 6, 7):
        t.bad(caw(u.dev, 77, 1, old + new, 1 << bit), INVALID_FIELD_CDB, 'COMPARE AND WRITE, byte 1 bit %d' % bit,
              field=(1, bit))
    for lba, n in ((u.blocks, 1), (2 ** 64 - 1, 1)):
        t.bad(caw(u.dev, lba, n, old + new), LBA_OUT_OF_RANGE, 'COMPARE AND WRITE at %#x' % lba, info=range_info(u, lba))
    for have in (0, u.bs, 2 * u.bs - 1):
        t.bad(caw(u.dev, 77, 1, (old + new)[:have]), BAD_IU, 'COMPARE AND WRITE with %d bytes' % have)
    most = block_limits(u)[5]
    # a medium that takes less at once has less of this, too
    t.ok(most >= min(128, u.big // u.bs), 'MAXIMUM COMPARE AND WRITE LENGTH of %d' % most)
    if most < 255:
        t.bad(caw(u.dev, 77, most + 1, bytes(u.bs)), INVALID_FIELD_CDB, 'COMPARE AND WRITE, too long',
              field=13)
    caw_blocks(t, u, min(most, BIG // 2 // u.bs, u.big // u.bs - 2))
    t.ok(u.read(76, 3) == old * 3, 'COMPARE AND WRITE refused but done')
    if u.attrib:
        with with_attrs(u, emulate_caw=0):
            t.bad(caw(u.dev, 77, 1, old + new), INVALID_OPCODE, 'COMPARE AND WRITE not offered')


def caw_blocks(t, u, most):
    for n in sorted({2, 3, 9, min(128, most), most}):
        old, new = u.data(n), u.data(n)
        what = 'COMPARE AND WRITE of %d' % n
        u.write(400, u.data(1) + old + u.data(1))
        before = u.read(400, n + 2)
        for at in (0, u.bs - 1, u.bs, n * u.bs // 2 + 7, n * u.bs - 1):
            bad = bytearray(old)
            bad[at] ^= 0x40
            bad[-1] ^= 0x01
            t.bad(caw(u.dev, 401, n, bad + new), MISCOMPARED, what + ' differs at %d' % at, info=at)
        t.ok(u.read(400, n + 2) == before, what + ': a miscompare wrote')
        t.good(caw(u.dev, 401, n, old + new), what)
        t.ok(u.read(400, n + 2) == before[:u.bs] + new + before[-u.bs:], what + ': other data')
        t.bad(caw(u.dev, u.last, n, old + new), LBA_OUT_OF_RANGE, what + ' at the end', info=range_info(u, u.last))


# ---- ORWRITE, WRITE ATOMIC ------------------------------------------------

def block_limits(u):
    r = u.dev.cmd(bytes([0x12, 1, 0xb0, 0, 64, 0]), data_in=64)
    if r.status != GOOD:
        raise RuntimeError('Block Limits: %s' % r)
    return r.data


def orwrite(u, lba, n, data, b1=0):
    return u.dev.cmd(struct.pack('>BBQIBB', 0x8b, b1, lba, n, 0, 0), data_out=data)


def atomic(dev, lba, n, data, b1=0, boundary=0):
    return dev.cmd(struct.pack('>BBQHHBB', 0x9c, b1, lba, boundary, n, 0, 0), data_out=data)


def test_orwrite(t, u):
    for n in (1, 2, 17, min(1 << 18, u.big) // u.bs, u.big // u.bs):
        old, more = u.data(n), u.data(n)
        u.write(500, old)
        want = (int.from_bytes(old, 'big') | int.from_bytes(more, 'big')).to_bytes(n * u.bs, 'big')
        t.good(orwrite(u, 500, n, more), 'ORWRITE of %d' % n)
        t.ok(u.read(500, n) == want, 'ORWRITE of %d: other data' % n)
    t.good(orwrite(u, 500, 0, b''), 'ORWRITE of nothing')
    for b1 in (0x08, 0x10, 0x18):
        t.good(orwrite(u, 500, 1, bytes(u.bs), b1), 'ORWRITE, byte 1 %#x' % b1)
    t.ok(u.read(500, 1) == want[:u.bs], 'ORWRITE of zeros: other data')
    for bit in (0, 1, 2, 5, 6, 7):
        t.bad(orwrite(u, 500, 1, bytes(u.bs), 1 << bit), INVALID_FIELD_CDB, 'ORWRITE, byte 1 bit %d' % bit, field=(1, bit))
    for lba, n in ((u.last, 2), (u.blocks, 1), (2 ** 64 - 1, 1), (u.blocks + 1, 0)):
        t.bad(orwrite(u, lba, n, bytes(n * u.bs)), LBA_OUT_OF_RANGE, 'ORWRITE at %#x, %d' % (lba, n), info=range_info(u, lba))
    for have in (0, u.bs, 2 * u.bs - 1):
        t.bad(orwrite(u, 500, 2, b'\xff' * have), BAD_IU, 'ORWRITE with %d bytes' % have)
    t.ok(u.read(500, 2) == want[:2 * u.bs], 'ORWRITE refused but done')


def test_atomic(t, u):
    limits = block_limits(u)
    most, align, gran, bounded, boundary = struct.unpack('>5I', limits[44:64])
    t.eq((align, gran, bounded, boundary), (0, 0, 0, 0), 'atomic alignment, granularity, boundary')
    t.ok(0 < most <= struct.unpack('>I', limits[8:12])[0], 'MAXIMUM ATOMIC TRANSFER LENGTH of %d' % most)
    for lba, n in ((0, 1), (3, 2), (5, min(most, u.big // u.bs)), (u.last, 1)):
        data = u.data(n)
        t.good(atomic(u.dev, lba, n, data), 'WRITE ATOMIC at %d, %d' % (lba, n))
        t.ok(u.read(lba, n) == data, 'WRITE ATOMIC at %d, %d: other data' % (lba, n))
    data = u.data(2)
    for b1 in (0x08, 0x10, 0x18):
        t.good(atomic(u.dev, 3, 2, data, b1), 'WRITE ATOMIC, byte 1 %#x' % b1)
    t.good(atomic(u.dev, 3, 0, b''), 'WRITE ATOMIC of nothing')
    for bit in (0, 1, 2, 5, 6, 7):
        t.bad(atomic(u.dev, 3, 2, data, 1 << bit), INVALID_FIELD_CDB, 'WRITE ATOMIC, byte 1 bit %d' % bit, field=(1, bit))
    t.bad(atomic(u.dev, 3, 2, data, boundary=1), INVALID_FIELD_CDB, 'WRITE ATOMIC with a boundary', field=10)
    if most < 0xffff:
        t.bad(atomic(u.dev, 3, most + 1, bytes(u.bs)), INVALID_FIELD_CDB, 'WRITE ATOMIC of %d' % (most + 1), field=12)
    t.bad(atomic(u.dev, u.last, 2, data), LBA_OUT_OF_RANGE, 'WRITE ATOMIC at the end', info=range_info(u, u.last))
    for have in (0, u.bs, 2 * u.bs - 1):
        t.bad(atomic(u.dev, 3, 2, data[:have]), BAD_IU, 'WRITE ATOMIC with %d bytes' % have)
    if u.attrib:
        with with_attrs(u, emulate_atomic_write=0):
            t.eq(block_limits(u)[44:64], bytes(20), 'atomic limits where it is not offered')
            t.bad(atomic(u.dev, 3, 2, u.data(2)), INVALID_OPCODE, 'WRITE ATOMIC not offered')
    t.ok(u.read(3, 2) == data, 'WRITE ATOMIC refused but done')


def tear(u, kind, rounds, seed):
    """One of those that write all of a range with one byte. Exit status of a child."""
    dev = Device(u.dev.path)
    n = min(128, u.big // 2 // u.bs)
    rnd = random.Random(seed)
    for _ in range(rounds):
        byte = bytes([rnd.randrange(256)])
        if kind == 'atomic':
            r = atomic(dev, 600, n, byte * (n * u.bs))
        elif kind == 'read':
            r = dev.cmd(cdb(READ, 16, 600, n), data_in=n * u.bs)
            if r.status == GOOD and r.data != r.data[:1] * len(r.data):
                return 2
        else:
            was = dev.cmd(cdb(READ, 16, 600, 1), data_in=u.bs).data[:1]
            r = caw(dev, 600, n, was * (n * u.bs) + byte * (n * u.bs))
            if r.code == MISCOMPARED:
                if r.sense.info != 0:
                    return 3
                continue
        if r.status != GOOD:
            print('%s: %s' % (kind, r))
            return 1
    return 0


def test_tear(t, u):
    """What is written in one piece is never seen, nor compared, in two."""
    n = min(128, u.big // 2 // u.bs)
    rounds = 1500 if os.environ.get('TCM_LONG') else 40
    u.write(600, bytes(n * u.bs))
    sys.stdout.flush()
    kids = {}
    for i, kind in enumerate(('atomic', 'atomic', 'caw', 'caw', 'read', 'read')):
        pid = os.fork()
        if not pid:
            os._exit(tear(u, kind, rounds, i))
        kids[pid] = kind
    for pid, kind in kids.items():
        t.eq(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), 0, 'written in one piece, %s' % kind)


def caw_count(u, rounds):
    dev = Device(u.dev.path)
    mine = lost = 0
    while mine < rounds:
        was = dev.cmd(cdb(READ, 16, 90, 1), data_in=u.bs).data
        counted, races = struct.unpack('>QQ', was[:16])
        r = caw(dev, 90, 1, was + struct.pack('>QQ', counted + 1, races + lost) + bytes(u.bs - 16))
        if r.status == GOOD:
            mine += 1
            lost = 0
        elif r.code == MISCOMPARED:
            lost += 1
        else:
            print('COMPARE AND WRITE: %s' % r)
            return 1
    return 0


def test_caw_many(t, u):
    """A counter that is only ever changed by COMPARE AND WRITE loses nothing."""
    rounds = 500 if os.environ.get('TCM_LONG') else 25
    u.write(90, bytes(u.bs))
    sys.stdout.flush()
    kids = []
    for _ in range(4):
        pid = os.fork()
        if not pid:
            os._exit(caw_count(u, rounds))
        kids.append(pid)
    for pid in kids:
        t.eq(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), 0, 'COMPARE AND WRITE, one of four')
    counted, lost = struct.unpack('>QQ', u.read(90, 1)[:16])
    t.eq(counted, 4 * rounds, 'counted by four')
    print('%d races lost' % lost)


# ---- 32 byte CDBs ---------------------------------------------------------

def test_long(t, u):
    tags = bytes.fromhex('ffffffffffffffff')
    for lba, n in ((0, 1), (3, min(64, u.big // u.bs)), (u.last, 1)):
        data = u.data(n)
        for name, check, bits in ((WRITE, 0, 0), (WRITE, 0, 0x18), (WRITE_VERIFY, 2, 0x02), (WRITE_VERIFY, 2, 0x10)):
            what = '%s(32) at %d, %d, byte 10 %#x' % (name, lba, n, bits)
            data = u.data(n)
            t.good(u.dev.cmd(long_cdb(name, lba, n, bits, tags), data_out=data), what)
            r = u.dev.cmd(long_cdb(READ, lba, n, 0x08), data_in=n * u.bs)
            t.good(r, 'READ(32)')
            t.ok(r.data == data, what + ': other data')
        t.good(u.dev.cmd(long_cdb(VERIFY, lba, n)), 'VERIFY(32)')
        t.good(u.dev.cmd(long_cdb(VERIFY, lba, n, 0x02), data_out=data), 'VERIFY(32) equal')
        bad = bytearray(data)
        bad[n * u.bs - 3] ^= 1
        t.bad(u.dev.cmd(long_cdb(VERIFY, lba, n, 0x02), data_out=bad), MISCOMPARED, 'VERIFY(32) differs', info=n * u.bs - 3)
        block = u.data(1)
        t.good(u.dev.cmd(long_cdb(SAME, lba, n, 0, tags), data_out=block), 'WRITE SAME(32)')
        t.good(u.dev.cmd(long_cdb(VERIFY, lba, n, 0x06), data_out=block), 'VERIFY(32), a block repeated')
        t.good(u.dev.cmd(long_cdb(SAME, lba, n, 0x01)), 'WRITE SAME(32) NDOB')
        t.ok(u.read(lba, n) == bytes(n * u.bs), 'WRITE SAME(32) NDOB: other data')
    for name in LONG_SA:
        out = {} if name in (READ, VERIFY) else {'data_out': u.data(1)}
        what = name + '(32)'
        for lba, n in ((u.last, 2), (u.blocks, 1), (2 ** 64 - 1, 1), (2 ** 64 - 1, 2)):
            room = {'data_out': bytes(n * u.bs)} if out else {'data_in': 2 * u.bs if name == READ else 0}
            t.bad(u.dev.cmd(long_cdb(name, lba, n), **room), LBA_OUT_OF_RANGE, what + ' at %#x, %d' % (lba, n),
                  info=range_info(u, lba))
        for more in (0, 0x17, 0x19, 0xff):
            t.bad(u.dev.cmd(long_cdb(name, 0, 1, more=more), **out), INVALID_FIELD_CDB,
                  what + ', ADDITIONAL CDB LENGTH %#x' % more, field=7)
        used = {READ: 0x18, WRITE: 0x18, VERIFY: 0x16, WRITE_VERIFY: 0x16, SAME: 0x09}[name]
        for byte in (1, 2, 3, 4, 5, 6, 10, 11):
            for bit in range(8):
                if (byte == 10 and used >> bit & 1) or (byte == 6 and bit < 5):    # GROUP NUMBER
                    continue
                c = bytearray(long_cdb(name, 0, 1))
                c[byte] |= 1 << bit
                t.bad(u.dev.cmd(c, **out), INVALID_FIELD_CDB, what + ', byte %d bit %d' % (byte, bit), field=(byte, bit))
        for have in (6, 9, 10, 16, 31):
            t.bad(u.dev.cmd(long_cdb(name, 0, 1)[:have], **out), INVALID_FIELD_CDB, what + ' of %d bytes' % have, field=have)
    for sa in (0, 8, 0x0e, 0x10, 0x13, 0x100, 0xffff):
        t.bad(u.dev.cmd(long_cdb(sa)), INVALID_FIELD_CDB, 'service action %04xh' % sa, field=(8, 7))
    t.bad(u.dev.cmd(long_cdb(VERIFY, 0, 1, 0x04)), INVALID_FIELD_CDB, 'VERIFY(32) BYTCHK 10b', field=(10, 2))
    t.bad(u.dev.cmd(long_cdb(SAME, 0, 0), data_out=bytes(u.bs)), INVALID_FIELD_CDB, 'WRITE SAME(32) of nothing', field=28)
    for name in (WRITE, WRITE_VERIFY):
        for have in (0, u.bs, 2 * u.bs - 1):
            t.bad(u.dev.cmd(long_cdb(name, 0, 2), data_out=bytes(have)), BAD_IU, '%s(32) with %d bytes' % (name, have))
    if not u.attrib:
        return t.skip('FUA, UNMAP: no attributes')
    with with_attrs(u, emulate_fua_write=0, emulate_tpws=0):
        t.bad(u.dev.cmd(long_cdb(READ, 0, 1, 0x08), data_in=u.bs), INVALID_FIELD_CDB, 'READ(32) FUA refused', field=(10, 3))
        t.bad(u.dev.cmd(long_cdb(SAME, 0, 1, 0x08), data_out=bytes(u.bs)), INVALID_FIELD_CDB,
              'WRITE SAME(32) UNMAP refused', field=(10, 3))
    with with_attrs(u, emulate_tpws=1):
        u.write(0, u.data(16))
        t.good(u.dev.cmd(long_cdb(SAME, 0, 16, 0x08), data_out=bytes(u.bs)), 'WRITE SAME(32) UNMAP')
        t.ok(not u.thin or u.read(0, 16) == bytes(16 * u.bs), 'WRITE SAME(32) UNMAP: other data')


# ---- GET LBA STATUS, READ DEFECT DATA, PRE-FETCH --------------------------

def status_cdb(lba, alloc, size=16):
    if size == 16:
        return struct.pack('>BBQIBB', 0x9e, 0x12, lba, alloc, 0, 0)
    return struct.pack('>BB5xBHBxQ8xI', 0x7f, 0, 0x18, 0x12, 0, lba, alloc)


def lba_status(t, u, lba, alloc=1032, size=16):
    """[(LBA, blocks, status)...], or None"""
    what = 'GET LBA STATUS(%d) at %d, %d bytes' % (size, lba, alloc)
    r = u.dev.cmd(status_cdb(lba, alloc, size), data_in=2048)
    if not t.good(r, what):
        return None
    length = struct.unpack('>I', r.data[:4])[0]
    t.eq((len(r.data), length % 16, r.data[4:8]), (min(alloc, length + 4), 4, bytes(4)), what + ': lengths')
    descs = [struct.unpack('>QIB', r.data[i:i + 13]) for i in range(8, len(r.data) - 15, 16)]
    at = lba
    for first, n, state in descs:
        t.ok(first == at and n and state in (0, 1), what + ': descriptor %r' % ((first, n, state),))
        at = first + n
    t.ok(at <= u.blocks, what + ': beyond the end')
    return descs


def test_lba_status(t, u):
    for size in (16, 32):
        for lba in (u.blocks, u.blocks + 1, 2 ** 64 - 1):
            t.bad(u.dev.cmd(status_cdb(lba, 24, size), data_in=24), LBA_OUT_OF_RANGE, 'GET LBA STATUS(%d) at %#x' % (size, lba),
                  info=range_info(u, lba))
        for alloc in (0, 1, 4, 7, 8, 23):
            r = u.dev.cmd(status_cdb(0, alloc, size), data_in=64)
            t.good(r, 'GET LBA STATUS(%d), %d bytes' % (size, alloc))
            t.eq(len(r.data), alloc, 'GET LBA STATUS(%d), %d bytes' % (size, alloc))
        for alloc in (24, 40, 56, M32):
            lba_status(t, u, 0, alloc, size)
        t.eq(lba_status(t, u, u.last, size=size)[0][:2], (u.last, 1), 'GET LBA STATUS(%d) of the last block' % size)
    if not u.attrib:
        return t.skip('the map: no attributes')
    with with_attrs(u, emulate_tpu=0, emulate_tpws=0):
        t.eq([d[2] for d in lba_status(t, u, 0)], [0] * -(-u.blocks // M32), 'fully provisioned')
    with with_attrs(u, emulate_tpu=1):
        piece = max(65536 // u.bs, u.attr('unmap_granularity'))
        u.write(0, u.data(8 * piece))
        for size in (16, 32):
            t.eq(lba_status(t, u, 0, size=size)[0][2], 0, 'written')
        t.good(unmap(u, (2 * piece, piece)), 'UNMAP')
        if u.attr('max_unmap_block_desc_count'):
            t.good(unmap(u, (5 * piece, 2 * piece)), 'UNMAP')
        state = {}
        for first, n, what in lba_status(t, u, 0):
            for lba in range(first, min(first + n, 8 * piece)):
                state[lba] = what
        holes = {2, 5, 6} if u.map else set()
        t.eq([lba for lba in range(8 * piece) if state.get(lba) != (lba // piece in holes)][:4], [], 'the map')
        for lba in (piece, 2 * piece - 1, 2 * piece, 2 * piece + 1, 3 * piece - 1, 3 * piece):
            d = lba_status(t, u, lba, 24)
            end = (lba // piece + 1) * piece
            t.eq(d[0][2], int(lba // piece in holes), 'status at %d' % lba)
            if u.map and lba >= 2 * piece and lba < 3 * piece:
                t.eq(d[0][1], end - lba, 'length at %d' % lba)
        # all of it, piece by piece
        at = steps = 0
        while at < u.blocks and steps < 4096:
            d = lba_status(t, u, at, 56)
            at = d[-1][0] + d[-1][1]
            steps += 1
        t.eq(at, u.blocks, 'all of the map')


def test_defects(t, u):
    for bits in range(32):
        for alloc in (0, 3, 4, 8, 252):
            for size, want in ((10, bytes([0, bits, 0, 0])), (12, bytes([0, bits, 0, 0, 0, 0, 0, 0]))):
                c = struct.pack('>BBB4xHB', 0x37, 0, bits, alloc, 0) if size == 10 else \
                    struct.pack('>BBIIBB', 0xb7, bits, 5 if bits & 1 else 0, alloc, 0, 0)
                r = u.dev.cmd(c, data_in=252)
                what = 'READ DEFECT DATA(%d), %#x, %d bytes' % (size, bits, alloc)
                if bits & 7 == 7:
                    t.bad(r, INVALID_FIELD_CDB, what, field=(2 if size == 10 else 1, 2))
                else:
                    t.good(r, what)
                    t.eq(r.data, want[:alloc], what)


def test_prefetch(t, u):
    for size, op in ((10, 0x34), (16, 0x90)):
        def fetch(lba, n, b1=0, group=0):
            c = struct.pack('>BBIBHB', op, b1, lba, group, n, 0) if size == 10 else \
                struct.pack('>BBQIBB', op, b1, lba, n, group, 0)
            return u.dev.cmd(c)
        for lba, n in ((0, 0), (0, 1), (5, 100), (min(u.last, M32), 1)):
            for b1 in (0, 2):
                t.good(fetch(lba, n, b1, 3 * b1), 'PRE-FETCH(%d) at %d, %d' % (size, lba, n))
        for lba, n in ((u.last, 2), (u.blocks, 1), (u.blocks + 1, 0)):
            if lba <= M32:
                t.bad(fetch(lba, n), LBA_OUT_OF_RANGE, 'PRE-FETCH(%d) at %d, %d' % (size, lba, n), info=range_info(u, lba))
        for bit in (0, 2, 3, 4, 5, 6, 7):
            t.bad(fetch(0, 1, 1 << bit), INVALID_FIELD_CDB, 'PRE-FETCH(%d), bit %d' % (size, bit), field=(1, bit))


# ---- FORMAT UNIT, SANITIZE ------------------------------------------------

FORMATTING, SANITIZING = (2, 0x04, 0x04), (2, 0x04, 0x1b)


def format_unit(u, b1=0, data=b'', **how):
    return u.dev.cmd(bytes([0x04, b1, 0, 0, 0, 0]), data_out=data, timeout=300, **how)


def sanitize(u, sa, length=0, data=b'', bits=0, **how):
    return u.dev.cmd(struct.pack('>BB5xHB', 0x48, bits | sa, length, 0), data_out=data, timeout=300, **how)


def overwrite(count=1, pattern=b'\0', bits=0):
    return struct.pack('>BBH', bits | count, 0, len(pattern)) + pattern


def request_sense(u):
    r = u.dev.cmd(bytes([0x03, 0, 0, 0, 252, 0]), data_in=252)
    return Sense(r.data)


def wait_wiped(t, u, code, what):
    """Until the unit is ready; what it says meanwhile. Returns how often it was seen not to be."""
    seen, last = 0, -1
    end = time.monotonic() + 240
    while time.monotonic() < end:
        sense = request_sense(u)
        if sense.code[0] == 0:
            break
        if not t.eq(sense.code, code, what + ': REQUEST SENSE'):
            break
        progress = struct.unpack('>H', sense.sks[1:])[0] if sense.sks else -1
        t.ok(progress >= last, what + ': progress goes from %d to %d' % (last, progress))
        last = progress
        seen += 1
        for name, args in (('TEST UNIT READY', dict(c=bytes(6))), ('READ', dict(c=cdb(READ, 10, 0, 1), data_in=u.bs)),
                           ('WRITE', dict(c=cdb(WRITE, 10, 0, 0))),
                           ('EXIT FAILURE MODE', dict(c=bytes([0x48, 0x1f]) + bytes(8))),
                           ('GET LBA STATUS', dict(c=status_cdb(0, 24), data_in=24))):
            args = dict(args)
            r = u.dev.cmd(args.pop('c'), **args)
            if r.status == GOOD:
                break       # it has ended in between
            t.eq(r.code, code, what + ': ' + name)
        t.good(u.dev.cmd(bytes([0x12, 0, 0, 0, 36, 0]), data_in=36), what + ': INQUIRY')
        time.sleep(.02)
    r = u.dev.cmd(bytes(6))
    t.good(r, what + ': TEST UNIT READY at the end')
    return seen


def check_wiped(t, u, what, want):
    for lba in (0, 1, u.blocks // 2, u.blocks - 64):
        t.ok(u.read(lba, 64) == want * 64, what + ': other data at %d' % lba)


def fill(u):
    for lba in (0, u.blocks // 2, u.blocks - 64):
        u.write(lba, u.data(65 if lba + 65 <= u.blocks else 64))


def test_format(t, u):
    zero = bytes(u.bs)
    for b1, data in ((0x20, b''), (0x07, b''), (0x10, bytes(4)), (0x18, bytes(4)), (0x30, bytes(8)),
                     (0x10, bytes([0, 0x80, 0, 0]))):
        fill(u)
        t.good(format_unit(u, b1, data), 'FORMAT UNIT, byte 1 %#x' % b1)
        check_wiped(t, u, 'FORMAT UNIT, byte 1 %#x' % b1, zero)
    for b1, data in ((0x10, bytes([0, 2, 0, 0])), (0x30, bytes([0, 0x82, 0, 0, 0, 0, 0, 0]))):
        fill(u)
        t.good(format_unit(u, b1, data), 'FORMAT UNIT, IMMED')
        wait_wiped(t, u, FORMATTING, 'FORMAT UNIT, IMMED')
        check_wiped(t, u, 'FORMAT UNIT, IMMED', zero)
    fill(u)
    data = u.read(0, 64)
    for b1, p, field in ((0x10, [1, 0, 0, 0], (0, 0)), (0x10, [0x80, 0, 0, 0], (0, 7)), (0x10, [0, 0x40, 0, 0], (1, 6)),
                         (0x10, [0, 0x78, 0, 0], (1, 6)), (0x10, [0, 0x88, 0, 0], (1, 3)), (0x10, [0, 1, 0, 0], (1, 0)),
                         (0x10, [0, 4, 0, 0], (1, 2)), (0x10, [0, 0, 0, 4], (2, None)), (0x10, [0, 0, 0xff, 0xff], (2, None)),
                         (0x30, [0, 0, 1, 0, 0, 0, 0, 0], (2, 0)), (0x30, [0, 0, 0, 0x13, 0, 0, 0, 0], (3, 4)),
                         (0x30, [0, 0, 0, 0, 0, 0, 0, 8], (4, None)), (0x30, [0, 0, 0, 0, 0xff, 0, 0, 0], (4, None))):
        t.bad(format_unit(u, b1, bytes(p)), INVALID_FIELD_PARAM, 'FORMAT UNIT, %s' % bytes(p).hex(' '), field=field, param=True)
    for b1, size in ((0x10, 4), (0x30, 8)):
        for have in range(size):
            t.bad(format_unit(u, b1, bytes(have)), BAD_IU, 'FORMAT UNIT with %d of %d bytes' % (have, size))
    # FMTPINFO: reserved, or 01b is; pi_test.py has what else there is to it
    usage = u.dev.cmd(bytes([0xa3, 0x0c, 1, 4, 0, 0, 0, 0, 0, 64, 0, 0]), data_in=64).data[5]
    for bits, bit in ((0x40, 7),) if usage & 0xc0 else ((0x40, 6), (0x80, 7)):
        t.bad(format_unit(u, bits), INVALID_FIELD_CDB, 'FORMAT UNIT, byte 1 %#x' % bits, field=(1, bit))
    t.ok(u.read(0, 64) == data, 'FORMAT UNIT refused but done')


def test_sanitize(t, u):
    for bits in (0, 0x20):
        fill(u)
        t.good(sanitize(u, 2, bits=bits), 'BLOCK ERASE')
        check_wiped(t, u, 'BLOCK ERASE', bytes(u.bs))
    for count, pattern, invert in ((1, b'\xa5', 0), (2, b'\x5a', 0x80), (1, u.data(1), 0), (3, b'abc', 0),
                                   (1, b'\x0f', 0x80), (3, b'\x77', 0x80)):
        fill(u)
        p = overwrite(count, pattern, invert)
        t.good(sanitize(u, 1, len(p), p), 'OVERWRITE, %d times' % count)
        # INVERT: the passes take turns, and the last writes the pattern itself
        check_wiped(t, u, 'OVERWRITE, %d times, INVERT %d' % (count, invert >> 7), (pattern * u.bs)[:u.bs])
    seen = 0
    for sa, p, bits in ((2, b'', 0x80), (1, overwrite(4, b'q'), 0xa0)):
        fill(u)
        t.good(sanitize(u, sa, len(p), p, bits), 'SANITIZE %d, IMMED' % sa)
        seen += wait_wiped(t, u, SANITIZING, 'SANITIZE %d, IMMED' % sa)
        check_wiped(t, u, 'SANITIZE %d, IMMED' % sa, b'q' * u.bs if sa == 1 else bytes(u.bs))
    t.ok(seen, 'SANITIZE was never seen at work')
    t.good(sanitize(u, 0x1f), 'EXIT FAILURE MODE without a failure')
    fill(u)
    data = u.read(0, 64)
    for sa in (0, 3, 4, 0x1e):
        t.bad(sanitize(u, sa), INVALID_FIELD_CDB, 'SANITIZE, service action %d' % sa, field=(1, 4))
    for sa in (2, 0x1f):
        t.bad(sanitize(u, sa, 4, bytes(4)), INVALID_FIELD_CDB, 'SANITIZE %d with a list' % sa, field=7)
    for n in (0, 1, 4, u.bs + 5, 65535):
        t.bad(sanitize(u, 1, n, bytes(n)), INVALID_FIELD_CDB, 'OVERWRITE, a list of %d' % n, field=7)
    p = overwrite(1, b'abcd')
    for have in range(5, len(p)):
        t.bad(sanitize(u, 1, have, p[:have]), INVALID_FIELD_PARAM, 'OVERWRITE, list of %d bytes' % have, field=2, param=True)
    for have in range(len(p)):
        t.bad(sanitize(u, 1, len(p), p[:have]), BAD_IU, 'OVERWRITE with %d bytes' % have)
    for p, field in ((overwrite(0), (0, 4)), (overwrite(1, bits=0x20), (0, 5)), (overwrite(1, bits=0x60), (0, 6)),
                     (b'\1\1\0\1\0', (1, 0)), (b'\1\0\0\0\0', (2, None)), (b'\1\0\xff\xff\0', (2, None))):
        t.bad(sanitize(u, 1, len(p), p), INVALID_FIELD_PARAM, 'OVERWRITE, %s' % p.hex(' '), field=field, param=True)
    t.ok(u.read(0, 64) == data, 'SANITIZE refused but done')


# ---- many at once ---------------------------------------------------------

def worker(u, path, base, rounds, seed, errors):
    """Write, compare, zero, unmap blocks that nobody else touches."""
    span = min(512, BIG // u.bs)
    rnd = random.Random(seed)
    dev = Device(path)
    image = bytearray(span * u.bs)

    def done(r, what):
        if r.status != GOOD:
            errors.append('%s: %s' % (what, r))

    try:
        done(dev.cmd(cdb(WRITE, 16, base, span), data_out=image), 'WRITE')
        for _ in range(rounds):
            lba = rnd.randrange(span - 1)
            n = rnd.randrange(1, span - lba)
            at = slice(lba * u.bs, (lba + n) * u.bs)
            kind = rnd.randrange(6)
            if kind == 0:
                image[at] = rnd.randbytes(n * u.bs)
                done(dev.cmd(cdb(WRITE, 10, base + lba, n), data_out=image[at]), 'WRITE')
            elif kind == 1:
                done(dev.cmd(cdb(VERIFY, 10, base + lba, n, 2), data_out=image[at]), 'VERIFY')
            elif kind == 2:
                block = rnd.randbytes(u.bs)
                image[at] = block * n
                done(dev.cmd(cdb(SAME, 10, base + lba, n), data_out=block), 'WRITE SAME')
            elif kind == 3:
                image[at] = bytes(n * u.bs)
                done(dev.cmd(cdb(SAME, 16, base + lba, n, 1)), 'WRITE SAME NDOB')
            elif kind == 4 and u.thin and u.attrib:
                image[at] = bytes(n * u.bs)
                done(unmap_on(dev, base + lba, n), 'UNMAP')
            else:
                r = dev.cmd(cdb(READ, 10, base + lba, n), data_in=n * u.bs)
                done(r, 'READ')
                if r.data != image[at]:
                    errors.append('READ at %d, %d: other data' % (lba, n))
    finally:
        dev.close()


def unmap_on(dev, lba, n):
    p = unmap_list((lba, n))
    return dev.cmd(unmap_cdb(len(p)), data_out=p)


def test_many(t, u):
    rounds = 2000 if os.environ.get('TCM_LONG') else 60
    tpu = u.attr('emulate_tpu') if u.attrib else 0
    if u.attrib and u.thin:
        u.set_attr('emulate_tpu', 1)
    errors = []
    threads = [threading.Thread(target=worker, args=(u, u.dev.path, 1000 + 512 * i, rounds, i, errors))
               for i in range(8)]
    for th in threads:
        th.start()
    for th in threads:
        th.join()
    if u.attrib:
        u.set_attr('emulate_tpu', tpu)
    t.ok(not errors, 'eight at once: %s' % '; '.join(errors[:5]))
    t.ok(all(not th.is_alive() for th in threads), 'threads are done')


# ---- nullio ---------------------------------------------------------------

def null_io(t, u):
    """Nothing is kept and everything is zero, to the last byte, wherever the buffer ends."""
    t.good(u.dev.cmd(cdb(WRITE, 10, 0, 64), data_out=u.data(64)), 'WRITE')
    for room in (64 * u.bs, u.bs, 1, 7, 8, 9, 100, u.bs + 13, 3 * 4096 + 3):
        r = u.dev.cmd(cdb(READ, 10, 0, 64), data_in=room)
        t.good(r, 'READ, room for %d' % room)
        t.ok(r.buffer == bytes(room), 'READ, room for %d: not zeros' % room)
    t.good(u.dev.cmd(cdb(SAME, 16, 0, 0x10000), data_out=b'x' * u.bs), 'WRITE SAME')
    t.good(u.dev.cmd(cdb(SAME, 16, 0, 0x10000, 1)), 'WRITE SAME NDOB')
    t.good(u.dev.cmd(cdb(VERIFY, 10, 0, 640, 0x06), data_out=bytes(u.bs)), 'VERIFY of zeros')
    t.bad(u.dev.cmd(cdb(VERIFY, 10, 0, 640, 0x06), data_out=bytes(u.bs - 1) + b'x'), MISCOMPARED, 'VERIFY of others',
          info=u.bs - 1)


TESTS = {name[5:]: fn for name, fn in globals().items() if name.startswith('test_')}
DEFAULT = ','.join(TESTS)
TESTS['nullio'] = null_io


def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument('device')
    p.add_argument('--attrib', metavar='DIR')
    p.add_argument('--thin', action='store_true')
    p.add_argument('--map', action='store_true', help='the backend knows which blocks are mapped')
    p.add_argument('--name', default='sbc')
    p.add_argument('--only', default=DEFAULT)
    p.add_argument('--skip', default='')
    args = p.parse_args()
    if args.attrib and not os.path.isdir(args.attrib):
        args.attrib = None
    u = Unit(args)
    t = Table(args.name)
    for name in args.only.split(','):
        if name not in args.skip.split(','):
            before = t.passed, t.failed
            TESTS[name](t, u)
            print('%s %s: %d passed, %d failed' % (args.name, name, t.passed - before[0], t.failed - before[1]),
                  flush=True)
    t.end()


main()
