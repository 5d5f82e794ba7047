#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Self-tests and their log, diagnostic pages, buffers, identifying information, timestamp. Needs
our target to be loaded.
"""
import fcntl
import os
import struct
import subprocess
import time

from sgio import (GOOD, INVALID_FIELD_CDB, INVALID_FIELD_PARAM, PARAM_LIST_LENGTH, Device, Sense,
                  Table)
from target import NoDiskDriver, Target, read

WWN, WWN2 = 'naa.5001405000000001', 'naa.5001405000000002'
SERIAL = '7e57ab1e-0000-4000-8000-000000000002'
SELFTEST_RUNS = (2, 0x04, 0x09)
SELFTEST_FAILED = (4, 0x3e, 0x03)
SEQUENCE = (5, 0x2c, 0x00)
OVERWRITTEN = (0xb, 0x3f, 0x0f)
IN_PROGRESS = (5, 0x00, 0x16)
TIMESTAMP_CHANGED, IDENT_CHANGED = (6, 0x2a, 0x10), (6, 0x3f, 0x05)
DEFAULT, SHORT, EXTENDED, ABORT, FG_SHORT, FG_EXTENDED = 0, 1, 2, 4, 5, 6
BAD_LBA = 4096      # of the disk with a bad block

t = Table('diag')


def be32(n):
    return list(struct.pack('>I', n))


def send_diag(code=0, byte1=0, length=0):
    return [0x1d, code << 5 | byte1, 0, length >> 8, length & 0xff, 0]


def results(dev):
    """Log page 10h: (code, result, number, LBA, sense) of those that are there"""
    data = dev.cmd([0x4d, 0, 0x50, 0, 0, 0, 0, 2, 0, 0], data_in=512).data
    t.eq(len(data), 4 + 20 * 20, 'length of page 10h')
    found = []
    for i in range(20):
        code, control, size, what, number, _, lba, sense = struct.unpack('>HBBBBHQ3sx', data[4 + 20 * i:24 + 20 * i])
        t.eq((code, control, size), (i + 1, 3, 16), 'parameter %d of page 10h' % (i + 1))
        if what or lba:
            found.append((what >> 5, what & 0xf, number, lba, tuple(sense)))
    return found


NO_LBA = (1 << 64) - 1


def wait_test(dev, limit=60):
    """The newest result, as soon as it is one."""
    end = time.monotonic() + limit
    while time.monotonic() < end:
        newest = results(dev)[0]
        if newest[1] != 0xf:
            return newest
        os.sched_yield()
    raise RuntimeError('the self-test does not end')


def reset(dev):
    fcntl.ioctl(dev.fd, 0x2284, struct.pack('i', 1))    # SG_SCSI_RESET, device
    dev.clear_ua()


def test_selftest(dev, big, slow):
    """Default, short, extended, foreground and background, aborted."""
    t.eq(results(dev), [], 'no results at first')
    t.good(dev.cmd(send_diag(0, 4)), 'default self-test')
    t.eq(results(dev), [], 'the default self-test is in no log')
    for code in (FG_SHORT, FG_EXTENDED):
        t.good(dev.cmd(send_diag(code)), 'self-test %d' % code)
        t.eq(results(dev)[0], (code, 0, 0, NO_LBA, (0, 0, 0)), 'its result')
    for code in (SHORT, EXTENDED):
        t.good(dev.cmd(send_diag(code)), 'self-test %d' % code)
        t.eq(wait_test(dev), (code, 0, 0, NO_LBA, (0, 0, 0)), 'its result')
    t.eq([r[0] for r in results(dev)], [EXTENDED, SHORT, FG_EXTENDED, FG_SHORT], 'the newest comes first')
    t.bad(dev.cmd(send_diag(ABORT)), INVALID_FIELD_CDB, 'nothing to abort', field=(1, 7))
    # One that takes its time: the disk behind it is slow.
    t.good(slow.cmd(send_diag(EXTENDED)), 'extended self-test of a slow disk')
    t.eq(results(slow)[0][:2], (EXTENDED, 0xf), 'in progress')
    for code, byte1 in ((SHORT, 0), (EXTENDED, 0), (FG_SHORT, 0), (0, 4)):
        r = slow.cmd(send_diag(code, byte1))
        t.bad(r, SELFTEST_RUNS, 'another self-test meanwhile')
        t.ok(r.sense.sks, 'its progress indication')
    t.good(slow.cmd([0] * 6), 'TEST UNIT READY meanwhile')
    seen = []
    for _ in range(200):
        sense = Sense(slow.cmd([3, 0, 0, 0, 252, 0], data_in=252).data)
        t.eq(sense.code, (0, 0x04, 0x09), 'REQUEST SENSE meanwhile')
        seen.append(struct.unpack('>H', sense.sks[1:])[0])
        if len(set(seen)) > 2:
            break
        slow.cmd([0x28, 0, 0, 0, 0, 0, 0, 0, 1, 0], data_in=512)
    t.ok(seen == sorted(seen) and len(set(seen)) > 2, 'progress goes on: %r' % seen)
    t.good(slow.cmd(send_diag(ABORT)), 'abort')
    t.eq(results(slow)[0][:2], (EXTENDED, 1), 'aborted by SEND DIAGNOSTIC')
    t.eq(Sense(slow.cmd([3, 0, 0, 0, 252, 0], data_in=252).data).code, (0, 0, 0), 'REQUEST SENSE afterwards')
    t.good(slow.cmd(send_diag(EXTENDED)), 'another')
    reset(slow)
    t.eq(results(slow)[0][:2], (EXTENDED, 2), 'ended by LOGICAL UNIT RESET')
    # One that finds something.
    t.good(big.cmd(send_diag(EXTENDED)), 'extended self-test of a bad disk')
    newest = wait_test(big)
    t.eq(newest[:3], (EXTENDED, 5, 1), 'it has failed')
    t.ok(newest[4] == (3, 0x11, 0) and BAD_LBA - 256 < newest[3] <= BAD_LBA, 'where and how: %r' % (newest,))
    t.bad(big.cmd(send_diag(FG_EXTENDED)), SELFTEST_FAILED, 'foreground self-test of a bad disk')
    for _ in range(25):
        t.good(dev.cmd(send_diag(FG_SHORT)), 'many self-tests')
    t.eq([r[0] for r in results(dev)], [FG_SHORT] * 20, 'the log has the last 20')


def test_diag_pages(dev):
    """Diagnostic pages: the list."""
    for code in (3, 7):
        t.bad(dev.cmd(send_diag(code)), INVALID_FIELD_CDB, 'self-test code %d' % code, field=(1, 7))
    for code in (1, 2, 4, 5, 6):
        t.bad(dev.cmd(send_diag(code, 4)), INVALID_FIELD_CDB, 'SELFTEST with code %d' % code, field=(1, 7))
    page = bytes(4)
    for code, byte1 in ((0, 4), (1, 0x10), (6, 0x10), (4, 0)):
        t.bad(dev.cmd(send_diag(code, byte1, 4), data_out=page), INVALID_FIELD_CDB, 'a test with a list', field=3)
    t.bad(dev.cmd(send_diag(0, 0, 4), data_out=page), INVALID_FIELD_CDB, 'no PF', field=(1, 4))
    t.good(dev.cmd(send_diag(0, 0x10, 4), data_out=page), 'page 00h')
    t.good(dev.cmd(send_diag(0, 0x10)), 'nothing')
    for n in range(1, 4):
        t.bad(dev.cmd(send_diag(0, 0x10, n), data_out=page[:n]), PARAM_LIST_LENGTH, 'page cut after %d bytes' % n)
    t.bad(dev.cmd(send_diag(0, 0x10, 5), data_out=bytes(5)), PARAM_LIST_LENGTH, 'a byte too many')
    for i, field in ((0, 0), (1, 1), (2, 2), (3, 2)):
        bad = bytearray(page)
        bad[i] = 1
        t.bad(dev.cmd(send_diag(0, 0x10, 4), data_out=bad), INVALID_FIELD_PARAM, 'page with byte %d' % i,
              field=field, param=True)
    for pcv in (0, 1):
        for alloc in range(8):
            r = dev.cmd([0x1c, pcv, 0, 0, alloc, 0], data_in=16)
            t.eq((r.status, r.data), (GOOD, b'\0\0\0\1\0'[:alloc]), 'RECEIVE DIAGNOSTIC RESULTS, %d bytes' % alloc)
        for page in range(1, 256):
            t.bad(dev.cmd([0x1c, pcv, page, 0, 16, 0], data_in=16), INVALID_FIELD_CDB, 'page %02xh' % page, field=2)


def buffer_cdb(write, mode, offset, length, number=0):
    return [0x3b if write else 0x3c, mode, number, *be32(offset)[1:], *be32(length)[1:], 0]


def test_buffers(dev, other):
    """The data buffer is one, the echo buffer says whose it is."""
    size = 65536
    t.eq(dev.cmd(buffer_cdb(0, 3, 0, 4), data_in=4).data, struct.pack('>I', size), 'descriptor')
    t.eq(dev.cmd(buffer_cdb(0, 3, 0, 4, 1), data_in=4).data, bytes(4), 'descriptor of no buffer')
    t.eq(dev.cmd(buffer_cdb(0, 0xb, 0, 4), data_in=4).data, b'\1\0\x10\0', 'echo buffer descriptor')
    for offset, length in ((0, 64), (0, size), (512, size), (size - 1, 2)):
        r = dev.cmd(buffer_cdb(0, 2, offset, length), data_in=length)
        t.eq((r.status, r.data), (GOOD, bytes(min(length, size - offset))),
             'a buffer that nobody wrote, %d at %d' % (length, offset))
    t.bad(dev.cmd(buffer_cdb(0, 0xa, 0, 64), data_in=64), SEQUENCE, 'an echo that nobody wrote')
    pattern = bytes(i * 7 & 0xff for i in range(size))
    t.good(dev.cmd(buffer_cdb(1, 2, 0, size), data_out=pattern), 'WRITE BUFFER')
    for offset, length in ((0, size), (1, 1), (511, 1026), (size - 3, 3), (size - 3, 100), (size, 10), (0, 0xffffff)):
        r = other.cmd(buffer_cdb(0, 2, offset, length), data_in=size)
        t.eq((r.status, r.data), (GOOD, pattern[offset:offset + length]), 'READ BUFFER %d at %d' % (length, offset))
    t.good(other.cmd(buffer_cdb(1, 2, 1000, 5), data_out=b'hello'), 'WRITE BUFFER at an offset')
    t.eq(dev.cmd(buffer_cdb(0, 2, 998, 9), data_in=9).data, pattern[998:1000] + b'hello' + pattern[1005:1007],
         'READ BUFFER around it')
    for write in (0, 1):
        name = 'WRITE BUFFER' if write else 'READ BUFFER'
        io = dict(data_out=bytes(4)) if write else dict(data_in=4)
        for mode in range(32):
            if mode in ((2, 0xa) if write else (2, 3, 0xa, 0xb, 0x1c)):
                continue
            t.bad(dev.cmd(buffer_cdb(write, mode, 0, 4), **io), INVALID_FIELD_CDB, '%s mode %02xh' % (name, mode),
                  field=(1, 4))
        t.bad(dev.cmd(buffer_cdb(write, 2, 0, 4, 1), **io), INVALID_FIELD_CDB, name + ' of buffer 1', field=2)
        t.bad(dev.cmd(buffer_cdb(write, 2, size + 1, 4), **io), INVALID_FIELD_CDB, name + ' behind the end', field=3)
    t.bad(dev.cmd(buffer_cdb(0, 3, 1, 4), data_in=4), INVALID_FIELD_CDB, 'descriptor at an offset', field=3)
    for offset, length in ((0, size + 1), (size - 3, 4), (size, 1)):
        t.bad(dev.cmd(buffer_cdb(1, 2, offset, length), data_out=bytes(length)), INVALID_FIELD_CDB,
              'WRITE BUFFER %d at %d' % (length, offset), field=6)
    # echo
    t.bad(dev.cmd(buffer_cdb(1, 0xa, 0, 4097), data_out=bytes(4097)), INVALID_FIELD_CDB, 'a long echo', field=6)
    for length in (1, 100, 4096):
        t.good(dev.cmd(buffer_cdb(1, 0xa, 0, length), data_out=pattern[:length]), 'WRITE BUFFER echo')
        r = dev.cmd(buffer_cdb(0, 0xa, 0, 5000), data_in=5000)
        t.eq((r.status, r.data), (GOOD, pattern[:length]), 'READ BUFFER echo')
    t.bad(other.cmd(buffer_cdb(0, 0xa, 0, 100), data_in=100), SEQUENCE, "another's echo")
    t.good(other.cmd(buffer_cdb(1, 0xa, 0, 3), data_out=b'abc'), 'the other writes')
    t.bad(dev.cmd(buffer_cdb(0, 0xa, 0, 100), data_in=100), OVERWRITTEN, 'the first reads')
    t.eq(other.cmd(buffer_cdb(0, 0xa, 0, 100), data_in=100).data, b'abc', 'the other reads')


def report_ident(kind, alloc=512):
    return [0xa3, 5, 0, 0, 0, 0, *be32(alloc), kind << 1, 0]


def set_ident(kind, length):
    return [0xa4, 6, 0, 0, 0, 0, *be32(length), kind << 1, 0]


def test_ident(dev, other):
    """Two kinds of identifying information, kept and told."""
    t.eq(dev.cmd(report_ident(0x7f), data_in=64).data.hex(' '), '00 00 00 08 00 00 00 40 04 00 01 00', 'kinds')
    other.clear_ua()
    for kind, most in ((0, 64), (2, 256)):
        t.eq(dev.cmd(report_ident(kind), data_in=512).data, bytes(4), 'kind %d at first' % kind)
        for n in (1, 2, most - 1, most, 0, most):
            text = bytes(65 + i % 26 for i in range(max(n - 1, 0))) + b'\0'[:n]
            t.good(dev.cmd(set_ident(kind, n), data_out=text), 'kind %d, %d bytes' % (kind, n))
            r = other.cmd([0] * 6)
            t.eq(r.code, IDENT_CHANGED, 'the other nexus is told')
            t.good(dev.cmd([0] * 6), 'who set it is not told')
            r = other.cmd(report_ident(kind), data_in=512)
            t.eq(r.data, struct.pack('>HH', 0, n) + text, 'kind %d, %d bytes, read back' % (kind, n))
        t.bad(dev.cmd(set_ident(kind, most + 1), data_out=bytes(most + 1)), INVALID_FIELD_CDB, 'too long', field=6)
        full = dev.cmd(report_ident(kind), data_in=512).data
        for alloc in range(0, len(full) + 2, 7):
            t.eq(dev.cmd(report_ident(kind, alloc), data_in=512).data, full[:alloc], 'allocation length %d' % alloc)
    t.bad(dev.cmd(set_ident(2, 3), data_out=b'abc'), INVALID_FIELD_PARAM, 'text without an end', field=2, param=True)
    t.bad(dev.cmd(set_ident(2, 3), data_out=b'a\0\0'), INVALID_FIELD_PARAM, 'text with two', field=1, param=True)
    for kind in range(128):
        if kind not in (0, 2, 0x7f):
            t.bad(dev.cmd(report_ident(kind), data_in=64), INVALID_FIELD_CDB, 'REPORT kind %d' % kind, field=(10, 7))
        if kind not in (0, 2):
            t.bad(dev.cmd(set_ident(kind, 4), data_out=bytes(4)), INVALID_FIELD_CDB, 'SET kind %d' % kind, field=(10, 7))
    t.eq(other.clear_ua(), [], 'what is refused tells nobody')
    t.good(dev.cmd(set_ident(0, 5), data_out=b'\0\1\2\xfe\xff'), 'five bytes that are kept')


REPORT_TIME = [0xa3, 0x0f, 0, 0, 0, 0, 0, 0, 0, 12, 0, 0]


def timestamp(dev):
    """Origin and milliseconds"""
    r = dev.cmd(REPORT_TIME, data_in=12)
    t.eq((r.status, len(r.data), r.data[:2]), (GOOD, 12, b'\0\x0a'), 'REPORT TIMESTAMP')
    return r.data[2], int.from_bytes(r.data[4:10], 'big')


def set_time(dev, data):
    return dev.cmd([0xa4, 0x0f, 0, 0, 0, 0, *be32(len(data)), 0, 0], data_out=data)


def test_timestamp(dev, other):
    """This machine's clock until somebody sets another."""
    other.clear_ua()
    before = time.time()
    origin, ms = timestamp(dev)
    t.ok(origin == 3 and before - 1 <= ms / 1000 <= time.time() + 1, 'the clock: %d %d' % (origin, ms))
    base = 0x123456789abc
    t.good(set_time(dev, bytes(4) + base.to_bytes(6, 'big') + bytes(2)), 'SET TIMESTAMP')
    t.eq(other.clear_ua(), [TIMESTAMP_CHANGED], 'the other nexus is told')
    t.good(dev.cmd([0] * 6), 'who set it is not told')
    origin, ms = timestamp(other)
    t.ok(origin == 2 and base <= ms < base + 30000, 'what was set: %d %x' % (origin, ms))
    last = ms
    while last == ms:
        last = timestamp(dev)[1]
    t.ok(last > ms, 'it goes on')
    good = bytes(4) + base.to_bytes(6, 'big') + bytes(2)
    for n in range(1, 12):
        t.bad(set_time(dev, good[:n]), PARAM_LIST_LENGTH, 'cut after %d bytes' % n)
    t.bad(set_time(dev, good + b'\0'), PARAM_LIST_LENGTH, 'a byte too many')
    t.good(set_time(dev, b''), 'no list')
    for i in (0, 1, 2, 3, 10, 11):
        bad = bytearray(good)
        bad[i] = 0x80
        t.bad(set_time(dev, bad), INVALID_FIELD_PARAM, 'byte %d' % i, field=i, param=True)
    t.eq(other.clear_ua(), [], 'what is refused tells nobody')


def mapped(name, *table):
    """A device mapper device."""
    subprocess.run(['dmsetup', 'create', name], input='\n'.join(table) + '\n', text=True, check=True)
    return '/dev/mapper/' + name


def history(dev, number, offset=0, length=4096):
    return dev.cmd(buffer_cdb(0, 0x1c, offset, length, number), data_in=length)


def directory(dev, number, flags, what):
    """Read the error history directory; flags is (EHS_RETRIEVED, EHS_SOURCE)."""
    r = history(dev, number)
    t.good(r, what)
    t.eq(r.data[:9], b'LIO-ORG \1', what + ': vendor, version')
    t.eq((r.data[9] >> 3, r.data[9] >> 1 & 3, r.data[9] & 1), (*flags, 0), what + ': retrieved, source, CLR_SUP')
    t.eq(r.data[10:32], bytes(20) + b'\0\x28', what + ': length')
    t.eq([struct.unpack('>BxxxI', r.data[i:i + 8]) for i in range(32, len(r.data), 8)],
         [(n, 72) for n in range(4)] + [(0x10, 2064)], what + ': entries')


def port_of(dev):
    """RELATIVE TARGET PORT IDENTIFIER, of the Device Identification VPD page"""
    data, pos = dev.cmd([0x12, 1, 0x83, 0, 255, 0], data_in=255).data, 4
    while data[pos + 1] & 0x0f != 4:
        pos += 4 + data[pos + 3]
    return struct.unpack('>H', data[pos + 6:pos + 8])[0]


def errors(dev, what):
    """Buffer 10h: (count of all, those of test_history()). The disk's own driver meets the bad block, too."""
    r = history(dev, 0x10)
    t.good(r, what)
    n, size, recorded = struct.unpack('>IIQ', r.data[:16])
    t.eq((size, len(r.data)), (32, 16 + 32 * n), what + ': length')
    found = []
    for pos in range(16, len(r.data), 32):
        ms, *code, opcode, port, flags, reserved, info, lba = struct.unpack('>QBBBBHBBQQ', r.data[pos:pos + 32])
        t.ok(abs(ms / 1000 - time.time()) < 600, '%s: time %d' % (what, ms))
        t.eq(reserved, 0, what + ': record')
        if (opcode, lba) == (0x28, BAD_LBA - 2):
            found.append((tuple(code), info if flags else None, port))
    t.ok(recorded == n or n == 64 and recorded > n, what + ': count of all')
    return recorded, found


def test_history(dev, other, second):
    """Error history: SPC-4 5.5.2 and 6.18.9. second is another nexus's LUN of the same device."""
    def fail(n):
        """Read over the bad block; the record that comes of it"""
        for _ in range(n):
            r = dev.cmd([0x28, 0, *be32(BAD_LBA - 2), 0, 0, 4, 0], data_in=2048)
            t.bad(r, (3, 0x11, 0), 'READ(10)')
        return r.code, r.sense.info, port_of(dev)
    for what, number, offset, field in (
            ('directory at an offset', 0, 1, 3), ('the last directory at an offset', 3, 512, 3),
            ('reserved', 4, 0, 2), ('reserved', 0x0f, 0, 2), ('not supported', 0x11, 0, 2), ('the last', 0xef, 0, 2),
            ('reserved', 0xf0, 0, 2), ('reserved', 0xfd, 0, 2), ('behind the end', 0x10, 2065, 3)):
        t.bad(history(dev, number, offset), INVALID_FIELD_CDB, 'buffer %02xh, %s' % (number, what), field=field)
    t.bad(history(dev, 0x10), SEQUENCE, 'errors before there is a snapshot')
    t.good(history(dev, 0xfe), 'nothing to clear')
    t.good(history(dev, 0xff), 'nothing to release')
    directory(dev, 0, (2, 1), 'the first directory')
    before = errors(dev, 'errors at first')
    t.eq(before[1], [], 'errors at first')
    record = fail(3)
    t.eq(errors(dev, 'a snapshot does not change'), before, 'a snapshot does not change')
    directory(dev, 0, (2, 2), 'the directory again')
    t.eq(errors(dev, 'a snapshot is kept'), before, 'a snapshot is kept')
    directory(dev, 1, (2, 1), 'with a new snapshot')
    recorded = errors(dev, 'errors')
    t.eq(recorded[1], [record] * 3, 'what was recorded')
    t.eq(history(dev, 0x10, 10, 20).data, history(dev, 0x10).data[10:30], 'errors at an offset')
    end = len(history(dev, 0x10).data)
    t.eq(history(dev, 0x10, end).data, b'', 'errors at the end')
    t.bad(history(dev, 0x10, end + 1), INVALID_FIELD_CDB, 'errors behind the end', field=3)
    # another nexus
    for number in (0, 1, 0x10, 0xfe, 0xff):
        t.bad(history(other, number), IN_PROGRESS, 'buffer %02xh by another nexus' % number)
    directory(other, 2, (2, 2), 'taken over')
    t.eq(errors(other, 'after it was taken over'), recorded, 'the same snapshot')
    t.bad(history(dev, 0), IN_PROGRESS, 'who had it')
    fail(1)
    directory(dev, 3, (2, 1), 'taken over with a new snapshot')
    recorded = errors(dev, 'the new one')
    t.eq(recorded[1], [record] * 4, 'the new snapshot')
    t.good(history(dev, 0xfe), 'clear the nexus')
    t.eq(history(dev, 0xfe).data, b'', 'no data')
    t.eq(errors(other, 'nobody is in the way'), recorded, 'the snapshot is still there')
    directory(other, 0, (1, 2), 'the directory after it was retrieved')
    t.bad(history(dev, 0), IN_PROGRESS, 'the other has it now')
    t.good(history(other, 0xff), 'release')
    t.bad(history(other, 0x10), SEQUENCE, 'errors after the release')
    # more than are kept
    fail(70)
    directory(dev, 0, (2, 1), 'after many errors')
    recorded, found = errors(dev, 'many errors')
    t.ok(recorded >= 74, 'all are counted: %d' % recorded)
    t.eq((len(history(dev, 0x10).data), found[-50:]), (16 + 32 * 64, [record] * 50), 'the last ones are kept')
    # a LOGICAL UNIT RESET ends it
    fcntl.ioctl(other.fd, 0x2284, struct.pack('i', 1))    # SG_SCSI_RESET, device
    dev.clear_ua()
    other.clear_ua()
    t.bad(history(dev, 0x10), SEQUENCE, 'errors after a reset')
    directory(dev, 0, (2, 1), 'after a reset')
    t.ok(errors(dev, 'after a reset')[0] >= recorded, 'errors are not forgotten')
    t.good(history(dev, 0xff), 'release')
    # a nexus that is gone has nothing
    directory(other, 0, (2, 1), 'the other')
    t.bad(history(dev, 0), IN_PROGRESS, 'the other has it')
    other.close()
    second.unlink(1)
    dev.clear_ua()
    directory(dev, 0, (2, 2), 'after the other is gone')
    t.good(history(dev, 0xff), 'release')


def main():
    disk = os.environ['VM_DISKS'].split()[0]
    name = os.path.basename(disk)
    with open('/sys/class/block/%s/size' % name) as f:
        sectors = int(f.read())
    bad = mapped('bad', '0 %d linear %s 0' % (BAD_LBA, disk), '%d 8 error' % BAD_LBA,
                 '%d %d linear %s %d' % (BAD_LBA + 8, sectors // 2 - BAD_LBA - 8, disk, BAD_LBA + 8))
    late = mapped('late', '0 %d delay %s %d 20' % (sectors // 2, disk, sectors // 2))
    with NoDiskDriver(), Target() as target:
        good = target.device('rd_mcp', 'disk', 'rd_pages=256', serial=SERIAL)
        tpg, second = target.loop(WWN), target.loop(WWN2)
        faulty = target.device('iblock', 'bad', 'udev_path=' + bad)
        with Device(tpg.lun(0, good, 'scsi_generic')) as dev, Device(second.lun(0, good, 'scsi_generic')) as other, \
                Device(tpg.lun(1, faulty, 'scsi_generic')) as big, \
                Device(tpg.lun(2, target.device('iblock', 'late', 'udev_path=' + late), 'scsi_generic')) as slow:
            for d in (dev, other, big, slow):
                d.clear_ua()
            test_selftest(dev, big, slow)
            test_diag_pages(dev)
            test_buffers(dev, other)
            nexus = Device(second.lun(1, faulty, 'scsi_generic'))
            nexus.clear_ua()
            test_history(big, nexus, second)
            test_ident(dev, other)
            test_timestamp(dev, other)
            slow.cmd(send_diag(EXTENDED))   # the target goes under it
    subprocess.run(['dmsetup', 'remove', 'late'], check=True)
    subprocess.run(['dmsetup', 'remove', 'bad'], check=True)
    # What is kept is there in the unit's next life.
    with NoDiskDriver(), Target() as target:
        good = target.device('rd_mcp', 'disk', 'rd_pages=256', serial=SERIAL)
        with Device(target.loop(WWN).lun(0, good, 'scsi_generic')) as dev:
            dev.clear_ua()
            t.eq(dev.cmd(report_ident(0), data_in=512).data, b'\0\0\0\5\0\1\2\xfe\xff', 'information after a restart')
            t.eq(len(dev.cmd(report_ident(2), data_in=512).data), 4 + 256, 'text after a restart')
            t.eq([r[:2] for r in results(dev)], [(FG_SHORT, 0)] * 20, 'results of self-tests after a restart')
            t.eq(timestamp(dev)[0], 3, 'the clock after a restart')
    os.unlink(read('dbroot').strip() + '/lu/' + SERIAL)
    t.end()


if __name__ == '__main__':
    main()
