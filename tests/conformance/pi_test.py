#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Protection information (SBC-4 4.21) by SG_IO, where data and tuples are one buffer.

    pi_test.py DISK --type 1|2|3 [--thin] [--format] [--fixed] [--fabric] [--refusing]
               [--only PART,...] [--name NAME]

The first blocks of the disk are written to. Parts are the functions at the end.
"""
import argparse
import functools
import struct

from sgio import Device, Table, INVALID_FIELD_CDB, INVALID_OPCODE, LBA_OUT_OF_RANGE, MISCOMPARED

GUARD, APP, REF = (0xb, 0x10, 1), (0xb, 0x10, 2), (0xb, 0x10, 3)
ONES = b'\xff' * 8


def crc_table():
    """T10-DIF: polynomial 8BB7h, no reflection, from zero"""
    table = []
    for i in range(256):
        crc = i << 8
        for _ in range(8):
            crc = (crc << 1 ^ 0x8bb7 if crc & 0x8000 else crc << 1) & 0xffff
        table.append(crc)
    return table


CRC = crc_table()


@functools.lru_cache(None)
def guard(block):
    crc = 0
    for byte in block:
        crc = (crc << 8 & 0xffff) ^ CRC[crc >> 8 ^ byte]
    return crc


class Disk(Device):
    """Reads and writes with a PROTECT field; @size is the CDB's."""

    def __init__(self, path, kind, fixed=False, fabric=False):
        super().__init__(path)
        self.kind, self.fixed, self.fabric = kind, fixed or fabric, fabric
        self.clear_ua()
        cap = self.cmd([0x9e, 0x10] + [0] * 11 + [32, 0, 0], 32).data
        self.last, self.bs = struct.unpack('>QI', cap[:12])
        self.cap = cap

    def cdb(self, names, size, lba, n, protect, bits=0, tags=(0, 0, 0)):
        """A CDB of {size: opcode}; for 32 bytes the opcode is the service action."""
        op, byte = names[size], protect << 5 | bits
        if size == 10:
            return struct.pack('>BBIBHB', op, byte, lba, 0, n, 0)
        if size == 12:
            return struct.pack('>BBIIBB', op, byte, lba, n, 0, 0)
        if size == 16:
            return struct.pack('>BBQIBB', op, byte, lba, n, 0, 0)
        ref, app, mask = tags
        return struct.pack('>B6xBHBxQIHHI', 0x7f, 24, op, byte, lba, ref, app, mask, n)

    READ = {10: 0x28, 12: 0xa8, 16: 0x88, 32: 0x09}
    WRITE = {10: 0x2a, 12: 0xaa, 16: 0x8a, 32: 0x0b}
    VERIFY = {10: 0x2f, 12: 0xaf, 16: 0x8f, 32: 0x0a}
    WRITE_VERIFY = {10: 0x2e, 12: 0xae, 16: 0x8e, 32: 0x0c}
    SAME = {10: 0x41, 16: 0x93, 32: 0x0d}

    @property
    def size(self):
        """Of CDBs that may have a PROTECT field"""
        return 32 if self.kind == 2 else 16

    def read(self, lba, n, protect=0, size=None, **more):
        cdb = self.cdb(self.READ, size or self.size, lba, n, protect, **more)
        return self.cmd(cdb, n * (self.bs + (8 if protect else 0)))

    def write(self, lba, data, protect=0, size=None, n=None, **more):
        n = n or len(data) // (self.bs + (8 if protect else 0))
        return self.cmd(self.cdb(self.WRITE, size or self.size, lba, n, protect, **more), data_out=data)

    def longest(self):
        """MAXIMUM TRANSFER LENGTH"""
        return struct.unpack('>I', self.cmd([0x12, 1, 0xb0, 0, 64, 0], 64).data[8:12])[0] or 1 << 16

    @functools.lru_cache(None)
    def block(self, seed):
        return bytes((seed * 7 + i * 3 + (i >> 8)) & 0xff for i in range(self.bs))

    def pack(self, lba, seeds, app=0, ref=None, bad=None):
        """Blocks with tuples that are right, but for tuple @bad[0], whose part @bad[1] is not."""
        out = b''
        for i, seed in enumerate(seeds):
            data = self.block(seed)
            g, a, r = guard(data), app, ((lba if ref is None else ref) + i) & 0xffffffff
            if bad and bad[0] == i:
                g ^= 0x100 * ('guard' in bad[1])
                a ^= 0x001 * ('app' in bad[1])
                r ^= 0x010 * ('ref' in bad[1])
            out += data + struct.pack('>HHI', g, a, r)
        return out

    def unpack(self, data):
        """Blocks, tuples"""
        step = self.bs + 8
        rows = [data[i:i + step] for i in range(0, len(data), step)]
        return b''.join(row[:self.bs] for row in rows), [row[self.bs:] for row in rows]

    def tags(self, lba):
        """Expected tags of commands of type 2 in these tests"""
        return {'tags': (lba, 0, 0xffff)} if self.kind == 2 else {}

    def generated(self, lba, seed):
        """The tuple that a write without one gets"""
        ref = lba if self.kind == 1 else 0xffffffff
        return struct.pack('>HHI', guard(self.block(seed)), 0xffff if self.kind == 2 else 0, ref)


def identity(d, t):
    """INQUIRY, READ CAPACITY(16), VPD 86h, Control mode page, REPORT SUPPORTED OPERATION CODES"""
    t.eq(d.cap[12] & 0x0f, (d.kind - 1) << 1 | 1, 'PROT_EN and P_TYPE')
    t.eq(d.cap[13] >> 4, 0, 'P_I_EXPONENT')
    inq = d.cmd([0x12, 0, 0, 0, 96, 0], 96).data
    t.eq(inq[5] & 1, 1, 'PROTECT of INQUIRY')
    page = d.cmd([0x12, 1, 0x86, 0, 64, 0], 64).data
    checks = {1: 5, 2: 7, 3: 4}[d.kind]
    t.eq(page[4], (d.kind == 3 and 4 if d.fixed else 7) << 3 | checks, 'SPT, GRD_CHK, APP_CHK, REF_CHK')
    mode = d.cmd([0x1a, 8, 0x0a, 0, 16, 0], 16).data
    # application tags that nobody keeps are not the initiator's
    t.eq(mode[4 + 5] & 0x80, 0 if d.fabric else 0x80, 'ATO')
    lengths = d.cmd([0x12, 1, 0xb4, 0, 64, 0], 64).data
    t.eq(lengths[9], 1 << d.kind, 'T0PS to T3PS')
    t.eq(mode[4 + 2] & 0x08, 0, 'DPICZ')
    for names in (d.READ, d.WRITE, d.VERIFY, d.WRITE_VERIFY, d.SAME, {16: CAW}, {16: ORWRITE}, {16: WRITE_ATOMIC}):
        for size, op in names.items():
            cdb, sa = (0x7f, op) if size == 32 else (op, 0)
            r = d.cmd(struct.pack('>BBBBHIBB', 0xa3, 0x0c, 2 if size == 32 else 1, cdb, sa, 64, 0, 0), 64)
            usage = r.data[4:]
            want = 0xe0 if (size == 32) == (d.kind == 2) else 0
            t.eq(usage[10 if size == 32 else 1] & 0xe0, want, 'PROTECT in the usage of %02xh/%02xh' % (cdb, sa))


# what is wrong with a tuple -> the sense by each value of PROTECT, in data-out or on the medium
CHECKED = {
    'guard': {1: GUARD, 2: None, 3: None, 4: GUARD, 5: GUARD},
    'app': {1: APP, 2: APP, 3: None, 4: None, 5: APP},
    'ref': {1: REF, 2: REF, 3: None, 4: None, 5: REF},
    'guard ref': {1: GUARD, 2: REF, 3: None, 4: GUARD, 5: GUARD},
}


def expected(d, wrong, protect):
    """The sense, given what of it the protection type lets be checked"""
    code = CHECKED[wrong][protect]
    if d.kind != 2 and wrong == 'app':
        return None
    if d.kind == 3 and code == REF:
        return None
    return code


def rw(d, t):
    """What is right goes in and comes out, by CDBs of each size that may."""
    sizes = (32,) if d.kind == 2 else (10, 12, 16)
    for protect in range(1, 6):
        for i, size in enumerate(sizes):
            lba, seeds = 16 + 8 * i, range(protect * 10 + i, protect * 10 + i + 8)
            what = 'PROTECT %d, %d bytes' % (protect, size)
            data = d.pack(lba, seeds)
            t.good(d.write(lba, data, protect, size, **d.tags(lba)), 'write, ' + what)
            for again in range(1, 6):
                r = d.read(lba, 8, again, size, **d.tags(lba))
                t.good(r, 'read with %d, %s' % (again, what))
                t.eq(r.data, data, 'what was written with ' + what)
            for plain in (10, 16, 32):
                r = d.read(lba, 8, 0, plain)
                t.good(r, 'plain read of what was written with ' + what)
                t.eq(r.data, d.unpack(data)[0], 'plain data')
            # in the middle
            r = d.read(lba + 3, 2, 1, size, **d.tags(lba + 3))
            t.eq(r.data, data[3 * (d.bs + 8):5 * (d.bs + 8)], 'two of them, ' + what)
    # large: several steps, and pages that the boundaries fall on nowhere
    n = 1100 if d.bs == 512 else 150
    big = d.pack(100, [i & 0xff for i in range(n)])
    t.good(d.write(100, big, 1, **d.tags(100)), 'large write')
    r = d.read(100, n, 1, **d.tags(100))
    t.ok(r.data == big, 'large read: %s' % r)
    bad = d.pack(100, [i & 0xff for i in range(n)], bad=(n - 2, 'guard'))
    t.bad(d.write(100, bad, 1, **d.tags(100)), GUARD, 'large write, bad at the end', info=100 + n - 2)


def checks(d, t):
    """Every wrong part of a tuple under every value of PROTECT."""
    lba = 40
    for wrong in CHECKED:
        for protect in range(1, 6):
            code, what = expected(d, wrong, protect), '%s wrong, PROTECT %d' % (wrong, protect)
            before, after = d.pack(lba, range(8)), d.pack(lba, range(50, 58), bad=(5, wrong))
            t.good(d.write(lba, before, 1, **d.tags(lba)), 'write before ' + what)
            r = d.write(lba, after, protect, **d.tags(lba))
            if code:
                t.bad(r, code, 'write, ' + what, info=lba + 5)
                t.eq(d.read(lba + 5, 1, 3, **d.tags(lba)).data, before[5 * (d.bs + 8):6 * (d.bs + 8)],
                     'the block that was refused')
            else:
                t.good(r, 'write, ' + what)
            # on the medium, put there without checks
            t.good(d.write(lba, after, 3, **d.tags(lba)), 'unchecked write, ' + what)
            r = d.read(lba, 8, protect, **d.tags(lba))
            if code:
                t.bad(r, code, 'read, ' + what, info=lba + 5)
            else:
                t.good(r, 'read, ' + what)
                t.eq(r.data, after, 'what is on the medium, ' + what)
            t.good(d.read(lba, 5, protect, **d.tags(lba)), 'read of what is before it, ' + what)
            # a plain read checks what is known: never the tags of type 2
            code = GUARD if 'guard' in wrong else REF if 'ref' in wrong and d.kind == 1 else None
            r = d.read(lba, 8)
            if code:
                t.bad(r, code, 'plain read, ' + what, info=lba + 5)
            else:
                t.good(r, 'plain read, ' + what)
    t.good(d.write(lba, d.pack(lba, range(8)), 1, **d.tags(lba)), 'clean up')


def escape(d, t):
    """Tuples from the medium that say that they are not to be checked; in data-out they say nothing."""
    lba, ref = 60, 0xffffffff if d.kind == 3 else 0x12345678
    data = d.block(1) + struct.pack('>HHI', 0x1111, 0xffff, ref)
    t.bad(d.write(lba, data, 1, **d.tags(lba)), GUARD, 'write', info=lba)
    t.good(d.write(lba, data, 3, **d.tags(lba)), 'unchecked write')
    for protect in range(1, 6):
        r = d.read(lba, 1, protect, **d.tags(lba))
        t.good(r, 'read with PROTECT %d' % protect)
        t.eq(r.data, data, 'data and tuple')
    t.good(d.read(lba, 1), 'plain read')
    if d.kind == 3:
        data = d.block(1) + struct.pack('>HHI', 0x1111, 0xffff, 0)
        t.good(d.write(lba, data, 3), 'only the application tag')
        t.bad(d.read(lba, 1, 1), GUARD, 'type 3 asks for both tags', info=lba)
    t.good(d.write(lba, d.block(2)), 'clean up')


def plain(d, t):
    """Writes without tuples get right ones, whatever command it is."""
    bs, lba = d.bs, 70
    one = d.block(9)

    def has(at, seed, what):
        r = d.read(at, 1, 3, **d.tags(at))
        t.good(r, what)
        t.eq(r.data, d.block(seed) + d.generated(at, seed), 'tuple after ' + what)
        t.good(d.read(at, 1), 'plain read after ' + what)

    def zero(at, what, tuples):
        r = d.read(at, 1, 3, **d.tags(at))
        t.good(r, what)
        t.eq(r.data[:bs], bytes(bs), 'zeros after ' + what)
        t.ok(r.data[bs:] in tuples, 'tuple after %s: %s' % (what, r.data[bs:].hex()))

    for size in (10, 12, 16, 32):
        t.good(d.write(lba, d.block(size), 0, size), 'WRITE(%d)' % size)
        has(lba, size, 'WRITE(%d)' % size)
    t.good(d.cmd([0x0a, 0, 0, lba, 1, 0], data_out=d.block(3)), 'WRITE(6)')
    has(lba, 3, 'WRITE(6)')
    t.good(d.cmd(d.cdb(d.WRITE_VERIFY, 16, lba, 1, 0), data_out=d.block(4)), 'WRITE AND VERIFY')
    has(lba, 4, 'WRITE AND VERIFY')
    t.good(d.cmd(struct.pack('>BBQ3xBBB', 0x89, 0, lba, 1, 0, 0), data_out=d.block(4) + one), 'COMPARE AND WRITE')
    has(lba, 9, 'COMPARE AND WRITE')
    t.bad(d.cmd(struct.pack('>BBQ3xBBB', 0x89, 0, lba, 1, 0, 0), data_out=d.block(4) + one), MISCOMPARED,
          'COMPARE AND WRITE that differs')
    has(lba, 9, 'COMPARE AND WRITE that differs')
    t.good(d.cmd(d.cdb({16: 0x8b}, 16, lba, 1, 0), data_out=bytes(bs)), 'ORWRITE')
    has(lba, 9, 'ORWRITE')
    t.good(d.cmd(struct.pack('>BBQHHBB', 0x9c, 0, lba, 0, 1, 0, 0), data_out=d.block(5)), 'WRITE ATOMIC')
    has(lba, 5, 'WRITE ATOMIC')
    for size in (10, 16, 32):
        t.good(d.cmd(d.cdb(d.SAME, size, lba, 20, 0), data_out=d.block(size)), 'WRITE SAME(%d)' % size)
        for at in (lba, lba + 7, lba + 19):
            has(at, size, 'WRITE SAME(%d)' % size)
        zeros = struct.pack('>HHI', 0, 0xffff if d.kind == 2 else 0, lba + 3 if d.kind == 1 else 0xffffffff)
        t.good(d.cmd(d.cdb(d.SAME, size, lba, 20, 0), data_out=bytes(bs)), 'WRITE SAME(%d) of zeros' % size)
        zero(lba + 3, 'WRITE SAME(%d) of zeros' % size, (zeros,))
        if size != 10:
            t.good(d.cmd(d.cdb(d.SAME, size, lba, 20, 0, bits=1)), 'WRITE SAME(%d) with NDOB' % size)
            zero(lba + 3, 'NDOB', (ONES,))


def same(d, t):
    """WRITE SAME with a tuple."""
    lba, step = 200, d.bs + 8
    for size in (32,) if d.kind == 2 else (10, 16):
        for protect in range(1, 6):
            what = 'WRITE SAME(%d), PROTECT %d' % (size, protect)
            data = d.pack(lba, [protect], app=0)
            t.good(d.cmd(d.cdb(d.SAME, size, lba, 30, protect, **d.tags(lba)), data_out=data), what)
            r = d.read(lba, 30, 1, **d.tags(lba))
            want = d.pack(lba, [protect] * 30)
            if d.kind == 3:
                want = data * 30
            t.good(r, 'read after ' + what)
            t.eq(r.data[7 * step:8 * step], want[7 * step:8 * step], 'the eighth after ' + what)
            t.ok(r.data == want, 'all of ' + what)
        bad = d.pack(lba, [77], bad=(0, 'guard'))
        t.bad(d.cmd(d.cdb(d.SAME, size, lba, 30, 1, **d.tags(lba)), data_out=bad), GUARD, 'bad guard', info=lba)
        t.good(d.read(lba, 30, 1, **d.tags(lba)), 'nothing was written')
        t.good(d.cmd(d.cdb(d.SAME, size, lba, 30, 3, **d.tags(lba)), data_out=bytes(d.bs) + ONES), 'zeros and ones')
        r = d.read(lba + 29, 1, 3, **d.tags(lba))
        t.eq(r.data[:d.bs], bytes(d.bs), 'zeros')


def verify(d, t):
    """VERIFY and WRITE AND VERIFY with a PROTECT field."""
    lba, step = 300, d.bs + 8
    good = d.pack(lba, range(8))
    for size in (32,) if d.kind == 2 else (10, 12, 16):
        for protect in range(1, 6):
            what = '(%d), PROTECT %d' % (size, protect)
            wv = d.cdb(d.WRITE_VERIFY, size, lba, 8, protect, **d.tags(lba))
            t.good(d.cmd(wv, data_out=good), 'WRITE AND VERIFY' + what)
            wv = d.cdb(d.WRITE_VERIFY, size, lba, 8, protect, bits=2, **d.tags(lba))
            t.good(d.cmd(wv, data_out=good), 'WRITE AND VERIFY, BYTCHK' + what)
            t.eq(d.read(lba, 8, 3, **d.tags(lba)).data, good, 'WRITE AND VERIFY' + what)
            t.good(d.cmd(d.cdb(d.VERIFY, size, lba, 8, protect, **d.tags(lba))), 'VERIFY' + what)
            cdb = d.cdb(d.VERIFY, size, lba, 8, protect, bits=2, **d.tags(lba))
            t.good(d.cmd(cdb, data_out=good), 'VERIFY, BYTCHK' + what)
            # data-out is checked, then compared
            r, code = d.cmd(cdb, data_out=spoiled(d, good, 6)), expected(d, 'guard', protect)
            t.bad(r, code or MISCOMPARED, 'VERIFY of other data' + what, info=lba + 6 if code else 6 * step + 1)
            r = d.cmd(cdb, data_out=d.pack(lba, [0, 1, 2, 3, 14, 5, 6, 7]))
            t.bad(r, MISCOMPARED, 'VERIFY of data that are right but other' + what, info=4 * step)
            r, code = d.cmd(cdb, data_out=d.pack(lba, range(8), bad=(2, 'ref'))), expected(d, 'ref', protect)
            if protect == 4:
                t.good(r, 'tags that are not compared' + what)
            else:
                t.bad(r, code or MISCOMPARED, 'VERIFY of other tags' + what, info=lba + 2 if code else 3 * step - 8)
            bad = d.pack(lba, range(8), bad=(6, 'guard'))
            t.good(d.write(lba, bad, 3, **d.tags(lba)), 'a bad guard')
            r, code = d.cmd(d.cdb(d.VERIFY, size, lba, 8, protect, **d.tags(lba))), expected(d, 'guard', protect)
            if code:
                t.bad(r, code, 'VERIFY of a bad guard' + what, info=lba + 6)
            else:
                t.good(r, 'VERIFY of a bad guard' + what)
    t.bad(d.cmd(d.cdb(d.VERIFY, d.size, lba, 8, 0)), GUARD, 'VERIFY with PROTECT 0', info=lba + 6)
    t.good(d.write(lba, good, 1, **d.tags(lba)), 'clean up')


def verify_one(d, t):
    """VERIFY of each block against one, BYTCHK 11b: its reference tag goes up where the type counts."""
    lba, n = 340, 600
    one = d.pack(lba, [9], app=3)
    same = d.cdb(d.SAME, d.size, lba, n, 1, tags=(lba, 3, 0xffff))
    for size in (32,) if d.kind == 2 else (10, 12, 16):
        for protect in range(1, 6):
            what = '(%d), BYTCHK 11b, PROTECT %d' % (size, protect)
            t.good(d.cmd(same, data_out=one), 'WRITE SAME before VERIFY' + what)
            cdb = d.cdb(d.VERIFY, size, lba, n, protect, bits=6, tags=(lba, 3, 0xffff))
            t.good(d.cmd(cdb, data_out=one), 'VERIFY' + what)
            r, code = d.cmd(cdb, data_out=spoiled(d, one, 0)), expected(d, 'guard', protect)
            t.bad(r, code or MISCOMPARED, 'VERIFY of other data' + what, info=lba if code else 1)
            r = d.cmd(cdb, data_out=d.pack(lba, [9], app=2))
            if protect == 4:
                t.good(r, 'tags that are not compared' + what)
            else:
                t.bad(r, expected(d, 'app', protect) or MISCOMPARED, 'VERIFY of another application tag' + what)
            alone = d.pack(lba + n - 1, [9], app=4)
            t.good(d.write(lba + n - 1, alone, 3, **d.tags(lba)), 'another application tag')
            # the check of the medium comes before, where there is one
            r, code = d.cmd(cdb, data_out=one), expected(d, 'app', protect)
            if protect == 4:
                t.good(r, 'tags of the last that are not compared' + what)
            else:
                t.bad(r, code or MISCOMPARED, 'the last is other' + what)


# What is to fail as a whole, as COMPARE AND WRITE has it: twice the blocks
CAW, ORWRITE, WRITE_ATOMIC = 0x89, 0x8b, 0x9c


def spoiled(d, data, block):
    """The second byte of a block is another."""
    out = bytearray(data)
    out[block * (d.bs + 8) + 1] ^= 1
    return bytes(out)


def whole_cdb(op, lba, n, protect):
    if op == CAW:
        return struct.pack('>BBQ3xBBB', op, protect << 5, lba, n, 0, 0)
    if op == WRITE_ATOMIC:
        return struct.pack('>BBQHHBB', op, protect << 5, lba, 0, n, 0, 0)
    return struct.pack('>BBQIBB', op, protect << 5, lba, n, 0, 0)


def whole(d, t):
    """COMPARE AND WRITE, ORWRITE, WRITE ATOMIC with a PROTECT field."""
    if d.kind == 2:
        for op in (CAW, ORWRITE, WRITE_ATOMIC):
            t.bad(d.cmd(whole_cdb(op, 0, 1, 1), data_out=bytes(2 * d.bs)), INVALID_OPCODE, '%02xh and type 2' % op)
        return
    lba, n, step = 1000, 40, d.bs + 8
    before, after = range(n), range(50, 50 + n)
    app = 0 if d.fabric else 5
    ref = 0xffffffff if d.fabric and d.kind == 3 else None

    def kept(seeds, at=lba):
        """What a read with PROTECT gives"""
        if ref is None:
            return d.pack(at, seeds, app=app)
        return b''.join(d.pack(at, [s], app=app, ref=ref) for s in seeds)

    for protect in range(1, 6):
        what = ', PROTECT %d' % protect
        old, new = d.pack(lba, before, app=5), d.pack(lba, after, app=5)

        def again():
            t.good(d.write(lba, old, 1), 'write before')

        def has(seeds, name):
            t.ok(d.read(lba, n, 3).data == kept(seeds), name + what)

        def fails_whole(op, name):
            for wrong in CHECKED:
                again()
                bad = d.pack(lba, after, app=5, bad=(n - 2, wrong))
                r, code = d.cmd(whole_cdb(op, lba, n, protect), data_out=bad), expected(d, wrong, protect)
                said = '%s, %s wrong' % (name, wrong)
                if code:
                    t.bad(r, code, said + what, info=lba + n - 2)
                    has(before, 'nothing was written by ' + said)
                else:
                    t.good(r, said + what)

        # COMPARE AND WRITE: all of both parts is checked, data are compared, the second's tuples stored
        again()
        t.good(d.cmd(whole_cdb(CAW, lba, n, protect), data_out=old + new), 'COMPARE AND WRITE' + what)
        has(after, 'what COMPARE AND WRITE wrote')
        again()
        r = d.cmd(whole_cdb(CAW, lba, n, protect), data_out=new + new)
        t.bad(r, MISCOMPARED, 'COMPARE AND WRITE, other data' + what, info=0)
        other = d.pack(lba, list(before)[:-1] + [99], app=5)
        r = d.cmd(whole_cdb(CAW, lba, n, protect), data_out=other + new)
        diff = next(i for i in range(d.bs) if d.block(99)[i] != d.block(n - 1)[i])
        t.bad(r, MISCOMPARED, 'COMPARE AND WRITE, the last is other' + what, info=(n - 1) * step + diff)
        for wrong in CHECKED:
            for half in range(2):
                parts = [old, new]
                parts[half] = d.pack(lba, (before, after)[half], app=5, bad=(n - 2, wrong))
                r, code = d.cmd(whole_cdb(CAW, lba, n, protect), data_out=b''.join(parts)), expected(d, wrong, protect)
                name = 'COMPARE AND WRITE, %s wrong in half %d' % (wrong, half)
                if code:
                    t.bad(r, code, name + what, info=lba + n - 2)
                    has(before, 'nothing was written by ' + name)
                    continue
                t.good(r, name + what)
                again()
        # WRITE ATOMIC: nothing is written where a tuple is wrong
        t.good(d.cmd(whole_cdb(WRITE_ATOMIC, lba, n, protect), data_out=new), 'WRITE ATOMIC' + what)
        has(after, 'what WRITE ATOMIC wrote')
        fails_whole(WRITE_ATOMIC, 'WRITE ATOMIC')
        # ORWRITE: the guard is that of the outcome, the tags are those that came
        again()
        t.good(d.cmd(whole_cdb(ORWRITE, lba, n, protect), data_out=new), 'ORWRITE' + what)
        want = b''
        for i, (a, b) in enumerate(zip(before, after)):
            data = bytes(x | y for x, y in zip(d.block(a), d.block(b)))
            tag = ref if ref is not None else lba + i
            want += data + struct.pack('>HHI', guard(data), app, tag)
        t.ok(d.read(lba, n, 1).data == want, 'what ORWRITE made' + what)
        fails_whole(ORWRITE, 'ORWRITE')
        if d.fabric:
            continue
        # what is wrong on the medium
        for op, data in ((CAW, old + new), (ORWRITE, new)):
            t.good(d.write(lba, d.pack(lba, before, app=5, bad=(7, 'guard')), 3), 'a bad guard')
            r, code = d.cmd(whole_cdb(op, lba, n, protect), data_out=data), expected(d, 'guard', protect)
            if code:
                t.bad(r, code, '%02xh of a bad guard' % op + what, info=lba + 7)
            else:
                t.good(r, '%02xh of a bad guard' % op + what)
    t.good(d.write(lba, d.pack(lba, before), 1), 'clean up')
    # several steps: 256 KiB are one
    n = min(1100, d.longest())
    t.good(d.write(lba, d.pack(lba, [0] * n), 1), 'zero')
    big = [i & 0xff for i in range(n)]
    t.good(d.cmd(whole_cdb(ORWRITE, lba, n, 1), data_out=d.pack(lba, big)), 'large ORWRITE')
    want = bytes(x | y for b in big for x, y in zip(d.block(0), d.block(b)))
    t.ok(d.read(lba, n).data == want, 'what the large ORWRITE made')
    t.bad(d.cmd(whole_cdb(ORWRITE, lba, n, 1), data_out=d.pack(lba, big, bad=(n - 1, 'guard'))), GUARD,
          'large ORWRITE, bad at the end', info=lba + n - 1)


def refused(d, t):
    """What may not be asked for."""
    for size in (10, 12, 16, 32):
        at = 10 if size == 32 else 1
        for protect in (1, 3, 5, 6, 7):
            what = 'PROTECT %d in %d bytes' % (protect, size)
            for r in (d.read(0, 1, protect, size), d.write(0, bytes(d.bs + 8), protect, size)):
                if (size == 32) != (d.kind == 2):
                    t.bad(r, INVALID_OPCODE, what)
                elif protect > 5:
                    t.bad(r, INVALID_FIELD_CDB, what, field=(at, 7))
    r = d.read(d.last, 2, 1)
    t.bad(r, LBA_OUT_OF_RANGE, 'behind the end', info=d.last + 1)
    t.good(d.read(0, 0, 1), 'no block')
    cdb = bytearray(d.cdb(d.READ, d.size, 0, 1, 1))
    at = 11 if d.size == 32 else 14
    cdb[at] |= 0x40
    t.bad(d.cmd(cdb, 2 * d.bs), INVALID_FIELD_CDB, 'another bit', field=(at, 6))


def short(d, t):
    """Buffers that are not as long as the CDB asks for."""
    lba, step = 400, d.bs + 8
    good = d.pack(lba, range(4))
    t.good(d.write(lba, good, 1, **d.tags(lba)), 'write')
    for n in (1, d.bs, d.bs + 3, step, step + 1, 4 * step - 1):
        r = d.cmd(d.cdb(d.READ, d.size, lba, 4, 1, **d.tags(lba)), n)
        t.good(r, 'read into %d bytes' % n)
        t.eq(r.data, good[:n], '%d bytes' % n)
    r = d.cmd(d.cdb(d.READ, d.size, lba, 4, 1, **d.tags(lba)), 5 * step)
    t.eq((r.resid, r.data), (step, good), 'room for more')
    t.good(d.cmd(d.cdb(d.READ, d.size, lba, 4, 1, **d.tags(lba))), 'read into nothing')
    r = d.write(lba, d.pack(lba, range(60, 64))[:-4], 1, n=4, **d.tags(lba))
    t.bad(r, (5, 0x0e, 3), 'a write that lacks four bytes')
    t.eq(d.read(lba, 4, 1, **d.tags(lba)).data, good, 'which wrote nothing')


def tags(d, t):
    """Type 2: the expected tags are those of the CDB."""
    if d.kind != 2:
        return
    lba = 500
    data = d.pack(lba, range(4), app=0xab12, ref=0xfffffffe)
    right = (0xfffffffe, 0xab12, 0xffff)
    t.good(d.write(lba, data, 1, tags=right), 'write; the reference tag goes around')
    for code, wrong, what in ((None, right, 'right'), (REF, (0xffffffff, 0xab12, 0xffff), 'another reference tag'),
                              (APP, (0xfffffffe, 0xab13, 0xffff), 'another application tag'),
                              (None, (0xfffffffe, 0xab13, 0xfffe), 'in a bit that does not count'),
                              (None, (0xfffffffe, 0x1234, 0), 'none counts')):
        for r in (d.read(lba, 4, 1, tags=wrong), d.write(lba, data, 1, tags=wrong)):
            t.bad(r, code, what, info=lba) if code else t.good(r, what)
    t.good(d.read(lba + 2, 1, 1, tags=(0, 0xab12, 0xffff)), 'the third')
    t.good(d.read(lba, 4), 'plain')


def formats(d, t):
    """FORMAT UNIT makes a unit of each type, and one of none."""
    def format_unit(fmtpinfo, usage=None):
        cdb = [4, fmtpinfo << 6 | (0x10 if usage is not None else 0), 0, 0, 0, 0]
        return d.cmd(cdb, data_out=bytes([usage, 0, 0, 0]) if usage is not None else None, timeout=120)

    t.bad(format_unit(1), INVALID_FIELD_CDB, 'FMTPINFO 01b', field=(1, 7))
    for fmtpinfo, usage, bit in ((0, 1, 0), (2, 1, 0), (3, 2, 1), (3, 0x40, 6)):
        t.bad(format_unit(fmtpinfo, usage), (5, 0x26, 0), 'FMTPINFO %d, usage %d' % (fmtpinfo, usage),
              field=(0, bit), param=True)
    t.eq(d.cmd([0x9e, 0x10] + [0] * 11 + [32, 0, 0], 32).data[12] & 15, (d.kind - 1) << 1 | 1, 'refused: as before')
    for kind, fmtpinfo, usage in ((0, 0, None), (1, 2, None), (2, 3, 0), (3, 3, 1), (0, 0, 0), (3, 3, 1), (1, 2, 0)):
        what = 'FORMAT UNIT to type %d' % kind
        t.good(format_unit(fmtpinfo, usage), what)
        t.eq(d.clear_ua(), [], 'its own change is no news')
        prot = d.cmd([0x9e, 0x10] + [0] * 11 + [32, 0, 0], 32).data[12] & 15
        t.eq(prot, (kind - 1) << 1 | 1 if kind else 0, 'P_TYPE after ' + what)
        d.kind = kind
        if not kind:
            t.bad(d.read(5, 1, 1, 16), INVALID_FIELD_CDB, 'PROTECT after ' + what, field=(1, 5))
            t.good(d.write(5, d.block(1)), 'write after ' + what)
            t.eq(d.read(5, 1).data, d.block(1), 'data after ' + what)
            continue
        for lba in (0, 5, 1000, d.last):
            r = d.read(lba, 1, 1, **d.tags(lba))
            t.eq(r.data, bytes(d.bs) + ONES, 'LBA %d after %s' % (lba, what))
        data = d.pack(5, [1, 2])
        t.good(d.write(5, data, 1, **d.tags(5)), 'write after ' + what)
        t.eq(d.read(5, 2, 1, **d.tags(5)).data, data, 'data after ' + what)
    # SANITIZE, OVERWRITE leaves none either
    pattern = bytes([1, 0, 0, 4]) + b'abcd'
    t.good(d.cmd([0x48, 1, 0, 0, 0, 0, 0, 0, len(pattern), 0], data_out=pattern, timeout=120), 'SANITIZE')
    t.eq(d.read(5, 1, 1).data, b'abcd' * (d.bs // 4) + ONES, 'after SANITIZE')


def fixed(d, t):
    """FORMAT UNIT of a unit whose disk has a protection type for good."""
    other = 4 - d.kind
    for kind, fmtpinfo, usage in ((0, 0, None), (2, 3, 0), (other, 2 if other == 1 else 3, None if other == 1 else 1)):
        cdb = [4, fmtpinfo << 6 | (0x10 if usage is not None else 0), 0, 0, 0, 0]
        r = d.cmd(cdb, data_out=bytes([usage, 0, 0, 0]) if usage is not None else None, timeout=120)
        t.bad(r, INVALID_FIELD_CDB, 'FORMAT UNIT to type %d' % kind, field=(1, 7))
    data = d.pack(5, [1, 2])
    t.good(d.write(5, data, 1), 'write')
    cdb, usage = ([4, 0x80, 0, 0, 0, 0], None) if d.kind == 1 else ([4, 0xd0, 0, 0, 0, 0], bytes([1, 0, 0, 0]))
    t.good(d.cmd(cdb, data_out=usage, timeout=120), 'FORMAT UNIT to its own type')
    for lba in (0, 5, 1000, d.last):
        r = d.read(lba, 1, 1)
        t.eq(r.data, bytes(d.bs) + ONES, 'LBA %d after FORMAT UNIT' % lba)
    t.eq(d.cmd([0x9e, 0x10] + [0] * 11 + [32, 0, 0], 32).data[12] & 15, (d.kind - 1) << 1 | 1, 'P_TYPE')
    t.good(d.write(5, data, 1), 'write again')
    t.eq(d.read(5, 2, 1).data, data, 'data after FORMAT UNIT')


def refusing(d, t):
    """A disk that checks what it is not asked to."""
    lba = 40
    for wrong, code in (('guard', GUARD), ('ref', REF), ('guard ref', GUARD)):
        bad = d.pack(lba, range(50, 58), bad=(5, wrong))
        t.bad(d.write(lba, bad, 3), code, 'unchecked write, %s wrong' % wrong, info=lba + 5)
    t.good(d.write(lba, d.pack(lba, range(8), app=7), 3), 'unchecked write of what is right')
    t.bad(d.cmd(d.cdb(d.SAME, 16, lba, 20, 0, bits=1)), GUARD, 'WRITE SAME with NDOB', info=lba)


def fabric(d, t):
    """A unit without, which the fabric makes look protected: checked and left out, made and handed out."""
    lba, step, n = 40, d.bs + 8, 8

    def made(at, seeds):
        """What a read with PROTECT gives"""
        return b''.join(d.block(seed) + d.generated(at + i, seed) for i, seed in enumerate(seeds))

    for protect in range(1, 6):
        for size in (10, 12, 16):
            seeds = range(protect * 10 + size, protect * 10 + size + n)
            what = 'PROTECT %d, %d bytes' % (protect, size)
            t.good(d.write(lba, d.pack(lba, seeds), protect, size), 'write, ' + what)
            for again in range(1, 6):
                r = d.read(lba, n, again, size)
                t.good(r, 'read with %d, %s' % (again, what))
                t.eq(r.data, made(lba, seeds), 'what was made for a read with %d, %s' % (again, what))
            t.eq(d.read(lba, n).data, b''.join(d.block(s) for s in seeds), 'plain data, ' + what)
        for wrong in CHECKED:
            code, what = expected(d, wrong, protect), '%s wrong, PROTECT %d' % (wrong, protect)
            before, after = range(100, 100 + n), range(120, 120 + n)
            t.good(d.write(lba, d.pack(lba, before), 1), 'write before ' + what)
            r = d.write(lba, d.pack(lba, after, bad=(5, wrong)), protect)
            if code:
                t.bad(r, code, 'write, ' + what, info=lba + 5)
                t.eq(d.read(lba + 5, 1).data, d.block(105), 'the block that was refused, ' + what)
            else:
                t.good(r, 'write, ' + what)
                t.eq(d.read(lba, n, 1).data, made(lba, after), 'what was left out, ' + what)
        same = d.cdb(d.SAME, 16, lba, n, protect)
        t.good(d.cmd(same, data_out=d.pack(lba, [7])), 'WRITE SAME with %d' % protect)
        t.eq(d.read(lba, n, 1).data, made(lba, [7] * n), 'after WRITE SAME with %d' % protect)
        r = d.cmd(same, data_out=d.pack(lba, [8], bad=(0, 'guard')))
        if CHECKED['guard'][protect]:
            t.bad(r, GUARD, 'WRITE SAME with a wrong guard, %d' % protect, info=lba)
        else:
            t.good(r, 'WRITE SAME with a wrong guard, %d' % protect)
        data = d.pack(lba, range(n), app=3 if d.kind == 1 else 0)
        for bits in (0, 2):
            r = d.cmd(d.cdb(d.WRITE_VERIFY, 16, lba, n, protect, bits=bits), data_out=data)
            t.good(r, 'WRITE AND VERIFY with %d, BYTCHK %d' % (protect, bits >> 1))
        t.eq(d.read(lba, n, 1).data, made(lba, range(n)), 'after WRITE AND VERIFY')
        t.good(d.cmd(d.cdb(d.VERIFY, 16, lba, n, protect)), 'VERIFY with %d' % protect)
        verify_data = d.cdb(d.VERIFY, 16, lba, n, protect, bits=2)
        t.good(d.cmd(verify_data, data_out=data), 'VERIFY of data with %d' % protect)
        r, code = d.cmd(verify_data, data_out=spoiled(d, data, 6)), expected(d, 'guard', protect)
        t.bad(r, code or MISCOMPARED, 'VERIFY of other data with %d' % protect, info=lba + 6 if code else 6 * step + 1)
    # several steps, where the device takes so much
    n = min(1100, d.longest())
    big = [i & 0xff for i in range(n)]
    t.good(d.write(100, d.pack(100, big), 1), 'large write')
    t.ok(d.read(100, n, 1).data == made(100, big), 'large read')
    t.bad(d.write(100, d.pack(100, big, bad=(n - 2, 'guard')), 1), GUARD, 'large write, bad at the end', info=100 + n - 2)


def thin(d, t):
    """What is deallocated has tuples of all ones, and is not checked."""
    lba, n = 640, 64
    t.good(d.write(lba, d.pack(lba, range(n)), 1, **d.tags(lba)), 'write')
    plist = struct.pack('>HH4xQI4x', 22, 16, lba, n)
    t.good(d.cmd(struct.pack('>BBIBHB', 0x42, 0, 0, 0, len(plist), 0), data_out=plist), 'UNMAP')
    for protect in range(1, 6):
        r = d.read(lba, n, protect, **d.tags(lba))
        t.good(r, 'read with PROTECT %d' % protect)
        t.ok(r.data == (bytes(d.bs) + ONES) * n, 'zeros and ones: %s' % r)
    t.good(d.read(lba, n), 'plain read')
    t.good(d.write(lba, d.pack(lba, range(n)), 1, **d.tags(lba)), 'write again')
    t.good(d.cmd(d.cdb(d.SAME, 16, lba, n, 0, bits=8), data_out=bytes(d.bs)), 'WRITE SAME that unmaps')
    r = d.read(lba, n, 1, **d.tags(lba))
    t.ok(r.data == (bytes(d.bs) + ONES) * n, 'zeros and ones after WRITE SAME: %s' % r)


PARTS = [identity, rw, checks, escape, plain, same, verify, verify_one, whole, refused, short, tags, thin, formats, fixed,
         fabric, refusing]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('disk')
    parser.add_argument('--type', type=int, default=1)
    parser.add_argument('--thin', action='store_true')
    parser.add_argument('--format', action='store_true', help='also FORMAT UNIT: ends with type 1')
    parser.add_argument('--fixed', action='store_true', help='the type is that of the disk below')
    parser.add_argument('--fabric', action='store_true', help='the type is that of the fabric')
    parser.add_argument('--refusing', action='store_true', help='the disk checks whatever it is asked')
    parser.add_argument('--only')
    parser.add_argument('--name', default='pi')
    args = parser.parse_args()
    t = Table(args.name)
    d = Disk(args.disk, args.type, args.fixed, args.fabric)
    for part in PARTS:
        if args.only and part.__name__ not in args.only.split(','):
            continue
        if (part is thin and not args.thin or part is formats and not args.format or
                part is fixed and not args.fixed or part is fabric and not args.fabric or
                part is refusing and not args.refusing):
            continue
        part(d, t)
    t.end()


main()
