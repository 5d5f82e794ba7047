#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Is a device seen through a pass-through logical unit the same as seen directly?

passthru.py same LOWER UPPER [few]   every question of a table gets the same answer from both;
                                few: none that an emulator of devices may die of
passthru.py edges LOWER UPPER   disk: lengths and directions that do not fit the CDB
passthru.py errors LOWER UPPER LBA   disk: a medium error at LBA tells the same
passthru.py sizes UPPER BYTES   disk: transfers of all shapes up to BYTES keep their data
passthru.py tape LOWER UPPER    reads that meet blocks of other sizes, and filemarks
passthru.py protected UPPER TYPE     a nexus that may not write
"""
import os
import random
import struct
import sys

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from sgio import (CHECK_CONDITION, INVALID_FIELD_CDB, WRITE_PROTECTED, Device, Table)

DISK, TAPE, CD, CHANGER = 0, 1, 5, 8


def inquiry(length, page=None):
    return [0x12, page is not None, page or 0, length >> 8, length & 0xff, 0]


def mode_sense6(length, page, sub=0, dbd=0):
    return [0x1a, dbd, page, sub, length, 0]


def mode_sense10(length, page, sub=0, dbd=0):
    return [0x5a, dbd, page, sub, 0, 0, 0, length >> 8, length & 0xff, 0]


def rw10(op, lba, blocks):
    return struct.pack('>BBIBHB', op, 0, lba, 0, blocks, 0)


def rw16(op, lba, blocks):
    return struct.pack('>BBQIBB', op, 0, lba, blocks, 0, 0)


def questions(kind):
    """(what, CDB, bytes of data-in) that change nothing."""
    table = [('INQUIRY %d' % n, inquiry(n), n) for n in (0, 1, 4, 5, 35, 36, 37, 57, 96, 252, 255, 4095)]
    table += [('VPD %02x %d' % (p, n), inquiry(n, p), n) for p in list(range(0x00, 0x100)) for n in (252,)]
    table += [('VPD %02x %d' % (p, n), inquiry(n, p), n) for p in (0x00, 0x80, 0x83, 0xb0, 0xb1)
              for n in (0, 3, 4, 7, 10, 63, 64, 1024)]
    table += [('VPD page code without EVPD', [0x12, 0, 0x80, 0, 36, 0], 36),
              ('INQUIRY reserved bit', [0x12, 2, 0, 0, 36, 0], 36)]
    for page in (0x3f, 0x00, 0x01, 0x02, 0x08, 0x0a, 0x0f, 0x10, 0x1c, 0x1d, 0x2a, 0x33):
        for pc in (0, 0x40, 0x80, 0xc0):
            table.append(('MODE SENSE(6) %02x' % (page | pc), mode_sense6(252, page | pc), 252))
            table.append(('MODE SENSE(10) %02x' % (page | pc), mode_sense10(1024, page | pc), 1024))
    table += [('MODE SENSE(6) %d bytes' % n, mode_sense6(n, 0x3f), n) for n in (0, 1, 3, 4, 5, 12, 13, 255)]
    table += [('MODE SENSE(10) %d bytes' % n, mode_sense10(n, 0x3f), n) for n in (0, 1, 7, 8, 9, 253)]
    table += [('LOG SENSE %02x' % p, [0x4d, 0, 0x40 | p, 0, 0, 0, 0, 4, 0, 0], 1024)
              for p in (0x00, 0x02, 0x03, 0x0d, 0x2f, 0x3e)]
    table += [('RSOC all', [0xa3, 0x0c, 0, 0, 0, 0, 0, 0, 0x20, 0, 0, 0], 8192),
              ('RSOC all, time-outs', [0xa3, 0x0c, 0x80, 0, 0, 0, 0, 0, 0x20, 0, 0, 0], 8192),
              ('RSTMF', [0xa3, 0x0d, 0, 0, 0, 0, 0, 0, 0, 16, 0, 0], 16),
              ('READ CAPACITY(16)', [0x9e, 0x10] + [0] * 11 + [32, 0, 0], 32),
              ('REQUEST SENSE', [0x03, 0, 0, 0, 252, 0], 252),
              ('REQUEST SENSE, descriptor', [0x03, 1, 0, 0, 252, 0], 252),
              ('TEST UNIT READY', [0] * 6, 0),
              ('PERSISTENT RESERVE IN, keys', [0x5e, 0, 0, 0, 0, 0, 0, 0, 64, 0], 64),
              ('PERSISTENT RESERVE IN, capabilities', [0x5e, 2, 0, 0, 0, 0, 0, 0, 8, 0], 8),
              ('vendor specific', [0xc1] + [0] * 9, 0),
              ('vendor specific, 16', [0xe5] + [0] * 15, 0),
              ('reserved opcode', [0x1f] + [0] * 5, 0)]
    if kind in (DISK, CD):
        table += [('READ CAPACITY(10)', [0x25] + [0] * 9, 8),
                  ('READ(10) out of range', rw10(0x28, 0xfffffff0, 1), 2048 if kind == CD else 512),
                  ('READ(10) of nothing', rw10(0x28, 0, 0), 0)]
    if kind == DISK:
        table += [('READ(16) out of range', rw16(0x88, 1 << 40, 8), 4096),
                  ('VERIFY(10)', rw10(0x2f, 0, 8), 0),
                  ('SYNCHRONIZE CACHE(10)', rw10(0x35, 0, 0), 0),
                  ('READ DEFECT DATA(10)', [0x37, 0, 0x10, 0, 0, 0, 0, 0, 8, 0], 8)]
    if kind == CD:
        table += [('READ TOC', [0x43, 0, 0, 0, 0, 0, 0, 0, 252, 0], 252),
                  ('GET CONFIGURATION', [0x46, 0, 0, 0, 0, 0, 0, 1, 0, 0], 256),
                  ('GET EVENT STATUS', [0x4a, 1, 0, 0, 0x10, 0, 0, 0, 8, 0], 8),
                  ('READ DISC INFORMATION', [0x51, 0, 0, 0, 0, 0, 0, 0, 34, 0], 34)]
    if kind == TAPE:
        table += [('READ BLOCK LIMITS', [5] + [0] * 5, 6),
                  ('READ POSITION', [0x34] + [0] * 9, 20)]
    if kind == CHANGER:
        table += [('READ ELEMENT STATUS', [0xb8, 0, 0, 0, 0, 0xff, 0, 0, 0x10, 0, 0, 0], 4096)]
    return table


def without_limit(data):
    """Block Limits without MAXIMUM TRANSFER LENGTH: what the host in between takes is told."""
    return data[:8] + data[12:]


def limits(t, lower, upper):
    a, b = (dev.cmd(inquiry(64, 0xb0), 64) for dev in (lower, upper))
    if a.status == 0 and len(a.data) >= 12:
        below, above = (struct.unpack('>I', bytes(r.data[8:12]))[0] for r in (a, b))
        t.ok(above == below or (above and (above < below or not below)),
             'MAXIMUM TRANSFER LENGTH: %d below, %d above' % (below, above))


def ask(dev, cdb, n):
    if cdb[0] == 0x03:
        # some devices tell what the command before ended with
        dev.cmd([0] * 6)
    return dev.cmd(cdb, n)


def few(questions):
    """Plain questions with a buffer that holds the answer."""
    return [q for q in questions if q[0] in ('TEST UNIT READY', 'REQUEST SENSE', 'READ BLOCK LIMITS', 'READ POSITION',
                                             'READ ELEMENT STATUS', 'INQUIRY 36', 'INQUIRY 96', 'MODE SENSE(6) 3f',
                                             'VPD 00 252', 'VPD 80 252', 'VPD 83 252', 'RSOC all')]


def same(lower_path, upper_path, some=None):
    t = Table('same')
    lower, upper = Device(lower_path), Device(upper_path)
    kind = lower.cmd(inquiry(36), 36).data[0] & 0x1f
    for dev in (lower, upper):
        dev.clear_ua()
    for what, cdb, n in few(questions(kind)) if some else questions(kind):
        a, b = ask(lower, cdb, n), ask(upper, cdb, n)
        # counters and clocks go on between the two
        if cdb[0] == 0x4d and a.status == 0:
            t.eq((b.status, len(b.data), b.resid), (a.status, len(a.data), a.resid), what)
            continue
        if kind == DISK and what.startswith('VPD b0'):
            a.data, b.data = without_limit(a.data), without_limit(b.data)
        if a.status:
            # nothing was moved; what is in the buffers is theirs
            a.data = b.data = b''
            if a.status != CHECK_CONDITION:
                a.resid = b.resid
        t.eq((b.status, b.sense.raw if b.sense else b'', b.resid, bytes(b.data)),
             (a.status, a.sense.raw if a.sense else b'', a.resid, bytes(a.data)), what)
    if kind == DISK:
        limits(t, lower, upper)
    # the target's own: which LUNs there are is its business
    r = upper.cmd([0xa0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0], 256)
    t.good(r, 'REPORT LUNS')
    t.ok(len(r.data) >= 16, 'REPORT LUNS names a LUN')
    t.end()


def edges(lower_path, upper_path):
    t = Table('edges')
    lower, upper = Device(lower_path), Device(upper_path)
    for dev in (lower, upper):
        dev.clear_ua()
    want = bytes(random.randrange(256) for _ in range(4096))
    t.good(lower.cmd(rw10(0x2a, 16, 8), data_out=want), 'WRITE(10) below')
    for op, name in ((0x28, 'READ(10)'), (0x88, 'READ(16)')):
        read = rw10 if op == 0x28 else rw16
        r = upper.cmd(read(op, 16, 8), 4096)
        t.good(r, name)
        t.eq(r.data, want, name + ' data')
        r = upper.cmd(read(op, 16, 8), 512)
        t.good(r, name + ' of more than the buffer holds')
        t.eq(r.data, want[:512], name + ' of more than the buffer holds, data')
        r = upper.cmd(read(op, 16, 8), 1000)
        t.good(r, name + ' into an odd buffer')
        t.eq(r.data, want[:1000], name + ' into an odd buffer, data')
        r = upper.cmd(read(op, 16, 1), 4096)
        t.good(r, name + ' of less than the buffer holds')
        t.eq((r.resid, r.data), (3584, want[:512]), name + ' of less than the buffer holds, data')
        t.good(upper.cmd(read(op, 16, 8), 0), name + ' without a buffer')
        t.bad(upper.cmd(read(op, 16, 8), data_out=want), INVALID_FIELD_CDB, name + ' with data-out')
    for op, name in ((0x2a, 'WRITE(10)'), (0x8a, 'WRITE(16)')):
        write = rw10 if op == 0x2a else rw16
        t.bad(upper.cmd(write(op, 16, 8), data_out=bytes(512)), INVALID_FIELD_CDB, name + ' of more than there is')
        t.bad(upper.cmd(write(op, 16, 8)), INVALID_FIELD_CDB, name + ' without data')
        t.bad(upper.cmd(write(op, 16, 8), 4096), INVALID_FIELD_CDB, name + ' with data-in')
        t.good(upper.cmd(write(op, 16, 0)), name + ' of nothing')
    t.bad(upper.cmd([0x88, 0, 0, 0, 0, 0, 0, 0, 0, 0], 512), INVALID_FIELD_CDB, 'a CDB cut short', field=10)
    t.bad(upper.cmd(rw16(0x88, 0, 0x7fffffff), 512), INVALID_FIELD_CDB, 'READ(16) of a terabyte')
    t.eq(lower.cmd(rw10(0x28, 16, 8), 4096).data, want, 'what was refused changed nothing')
    # padding as some transports send it must not reach the device
    t.good(upper.cmd([0x12, 0, 0, 0, 36, 0] + [0] * 10, 36), 'INQUIRY padded to 16 bytes')
    t.end()


def errors(lower_path, upper_path, lba):
    t = Table('errors')
    lower, upper = Device(lower_path), Device(upper_path)
    for dev in (lower, upper):
        dev.clear_ua()
    lba = int(lba, 0)
    for what, cdb in (('READ(10)', rw10(0x28, lba - 4, 16)), ('READ(16)', rw16(0x88, lba - 4, 16)),
                      ('READ(6)', [0x08, lba >> 16 & 0x1f, lba >> 8 & 0xff, lba & 0xff, 1, 0])):
        n = 512 if cdb[0] == 0x08 else 8192
        a, b = lower.cmd(cdb, n), upper.cmd(cdb, n)
        t.eq(a.status, CHECK_CONDITION, what + ' fails below')
        t.ok(a.sense.code[0] == 3, what + ' is a medium error: %s' % a)
        t.eq((b.status, b.sense.raw if b.sense else b'', b.resid),
             (a.status, a.sense.raw, a.resid), what)
    t.end()


def sizes(upper_path, limit):
    t = Table('sizes')
    upper = Device(upper_path)
    upper.clear_ua()
    limit = int(limit, 0)
    rng = random.Random(1)
    shapes = [1, 2, 3, 7, 8, 9, 15, 16, 17, 63, 64, 65, 127, 128, 129, 255, 256, 257, 511, 512, 1023, 1024, 2047]
    for blocks in (n for n in shapes if n * 512 <= limit):
        data = rng.randbytes(blocks * 512)
        lba = rng.randrange(0, 8192)
        if not t.good(upper.cmd(rw16(0x8a, lba, blocks), data_out=data), 'WRITE(16) %d' % blocks):
            continue
        r = upper.cmd(rw16(0x88, lba, blocks), len(data))
        t.good(r, 'READ(16) %d' % blocks)
        t.ok(r.data == data, 'READ(16) %d gives what was written' % blocks)
    t.end()


def tape(lower_path, upper_path):
    t = Table('tape')
    lower, upper = Device(lower_path), Device(upper_path)
    for dev in (lower, upper):
        dev.clear_ua()
    flags = set()

    def both(what, cdb, n=0, skip=0):
        got = []
        for dev in (lower, upper):
            t.good(dev.cmd([1] + [0] * 5, timeout=60), 'REWIND')
            if skip:
                t.good(dev.cmd([0x11, 0, 0, 0, skip, 0]), 'SPACE')
            got.append(dev.cmd(cdb, n))
        a, b = got
        if a.sense:
            flags.update(name for name in ('ili', 'filemark', 'eom') if getattr(a.sense, name))
            if a.code[0]:
                # nothing was moved; what is in the buffers is theirs
                a.data = b.data = b''
        t.eq((b.status, b.sense.raw if b.sense else b'', b.resid, bytes(b.data)),
             (a.status, a.sense.raw if a.sense else b'', a.resid, bytes(a.data)), what)

    want = random.Random(2).randbytes(4096)
    t.good(upper.cmd([1] + [0] * 5, timeout=60), 'REWIND')
    for out in (want, want, want[:1000]):
        t.good(upper.cmd([0x0a, 0] + list(len(out).to_bytes(3, 'big')) + [0], data_out=out), 'WRITE(6)')
    t.good(upper.cmd([0x10, 0, 0, 0, 2, 0], timeout=60), 'WRITE FILEMARKS(6)')
    for n in (4096, 4095, 1000, 512, 4, 4100, 8192, 65536):
        both('READ(6) of %d' % n, [0x08, 0] + list(n.to_bytes(3, 'big')) + [0], n)
    both('READ(6) of the third block', [0x08, 0, 0, 3, 0xe8, 0], 1000, skip=2)
    both('READ(6) at a filemark', [0x08, 0, 0, 16, 0, 0], 4096, skip=3)
    both('READ(6) with SILI', [0x08, 2, 0, 32, 0, 0], 8192)
    both('SPACE over a file', [0x11, 1, 0, 0, 1, 0])
    both('SPACE over more blocks than there are', [0x11, 0, 0, 1, 0, 0])
    both('SPACE backwards from the beginning', [0x11, 0, 0xff, 0xff, 0xff, 0])
    both('LOCATE', [0x2b, 0, 0, 0, 0, 0, 1, 0, 0, 0])
    both('READ POSITION', [0x34] + [0] * 9, 20)
    both('READ(6) FIXED without a block size', [0x08, 1, 0, 0, 1, 0], 512)
    t.ok({'ili', 'filemark'} <= flags, 'incorrect length and filemarks were met: %s' % sorted(flags))
    t.end()


def protected(upper_path, kind):
    t = Table('protected')
    upper = Device(upper_path)
    upper.clear_ua()
    kind = int(kind, 0)
    block = bytes(512)
    refused = [('unknown opcode', [0xc1] + [0] * 9, None), ('WRITE BUFFER', [0x3b] + [0] * 9, None),
               ('SEND DIAGNOSTIC', [0x1d, 4, 0, 0, 0, 0], None)]
    passed = [('INQUIRY', inquiry(36), 36), ('TEST UNIT READY', [0] * 6, 0)]
    if kind == DISK:
        refused += [('WRITE(6)', [0x0a, 0, 0, 0, 1, 0], block), ('WRITE(10)', rw10(0x2a, 0, 1), block),
                    ('WRITE(16)', rw16(0x8a, 0, 1), block), ('WRITE(12)', [0xaa] + [0] * 8 + [1, 0, 0], block),
                    ('WRITE SAME(10)', rw10(0x41, 0, 1), block), ('WRITE SAME(16)', rw16(0x93, 0, 1), block),
                    ('UNMAP', [0x42] + [0] * 7 + [8, 0], bytes(8)), ('FORMAT UNIT', [4] + [0] * 5, None),
                    ('COMPARE AND WRITE', [0x89] + [0] * 12 + [1, 0, 0], block * 2),
                    ('ATA PASS-THROUGH(16)', [0x85, 8, 0x0e] + [0] * 13, None),
                    ('SANITIZE', [0x48, 3] + [0] * 8, None)]
        passed += [('READ(10)', rw10(0x28, 0, 1), 512), ('READ CAPACITY(10)', [0x25] + [0] * 9, 8)]
    if kind == TAPE:
        refused += [('WRITE(6)', [0x0a, 0, 0, 2, 0, 0], block), ('WRITE FILEMARKS', [0x10, 0, 0, 0, 1, 0], None),
                    ('ERASE', [0x19, 0, 0, 0, 0, 0], None)]
        passed += [('REWIND', [1, 0, 0, 0, 0, 0], 0), ('WRITE FILEMARKS of none', [0x10, 0, 0, 0, 0, 0], 0)]
    for what, cdb, out in refused:
        t.bad(upper.cmd(cdb, data_out=out), WRITE_PROTECTED, what)
    for what, cdb, n in passed:
        t.good(upper.cmd(cdb, n), what)
    if kind in (DISK, TAPE):
        r = upper.cmd(mode_sense6(252, 0x3f), 252)
        t.ok(r.status == 0 and r.data[2] & 0x80, 'MODE SENSE(6) WP bit: %s' % r)
        r = upper.cmd(mode_sense10(252, 0x3f), 252)
        t.ok(r.status == 0 and r.data[3] & 0x80, 'MODE SENSE(10) WP bit: %s' % r)
    t.end()


if __name__ == '__main__':
    commands = {'same': same, 'edges': edges, 'errors': errors, 'sizes': sizes, 'protected': protected, 'tape': tape}
    if len(sys.argv) < 2 or sys.argv[1] not in commands:
        sys.exit(__doc__)
    commands[sys.argv[1]](*sys.argv[2:])
