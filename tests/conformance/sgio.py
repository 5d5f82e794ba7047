# SPDX-License-Identifier: GPL-2.0-only
"""SCSI commands by SG_IO: CDB and data in, status, sense and residual out.

    from sgio import Device, Table

    dev = Device('/dev/sdb')
    r = dev.cmd([0x12, 0, 0, 0, 36, 0], data_in=36)
    r.status, r.sense, r.resid, r.data

Table counts what was asserted and ends a test with its verdict.
"""
import ctypes
import errno
import fcntl
import glob
import os
import struct
import sys
import time

SG_IO = 0x2285
SG_DXFER_NONE, SG_DXFER_TO_DEV, SG_DXFER_FROM_DEV = -1, -2, -3

GOOD, CHECK_CONDITION, BUSY, RESERVATION_CONFLICT, TASK_SET_FULL = 0x00, 0x02, 0x08, 0x18, 0x28

# sense keys
NO_SENSE, RECOVERED, NOT_READY, MEDIUM_ERROR, HARDWARE_ERROR, ILLEGAL_REQUEST = range(6)
UNIT_ATTENTION, DATA_PROTECT, ABORTED_COMMAND, MISCOMPARE = 6, 7, 0xb, 0xe

# (key, ASC, ASCQ)
INVALID_OPCODE = (5, 0x20, 0)
LBA_OUT_OF_RANGE = (5, 0x21, 0)
INVALID_FIELD_CDB = (5, 0x24, 0)
LUN_NOT_SUPPORTED = (5, 0x25, 0)
INVALID_FIELD_PARAM = (5, 0x26, 0)
PARAM_LIST_LENGTH = (5, 0x1a, 0)
SAVING_NOT_SUPPORTED = (5, 0x39, 0)
WRITE_PROTECTED = (7, 0x27, 0)
SPACE_ALLOC_FAILED = (7, 0x27, 7)
MISCOMPARED = (0xe, 0x1d, 0)


class SgHdr(ctypes.Structure):
    """struct sg_io_hdr, version 3"""
    _fields_ = [
        ('interface_id', ctypes.c_int),
        ('dxfer_direction', ctypes.c_int),
        ('cmd_len', ctypes.c_ubyte),
        ('mx_sb_len', ctypes.c_ubyte),
        ('iovec_count', ctypes.c_ushort),
        ('dxfer_len', ctypes.c_uint),
        ('dxferp', ctypes.c_void_p),
        ('cmdp', ctypes.c_void_p),
        ('sbp', ctypes.c_void_p),
        ('timeout', ctypes.c_uint),
        ('flags', ctypes.c_uint),
        ('pack_id', ctypes.c_int),
        ('usr_ptr', ctypes.c_void_p),
        ('status', ctypes.c_ubyte),
        ('masked_status', ctypes.c_ubyte),
        ('msg_status', ctypes.c_ubyte),
        ('sb_len_wr', ctypes.c_ubyte),
        ('host_status', ctypes.c_ushort),
        ('driver_status', ctypes.c_ushort),
        ('resid', ctypes.c_int),
        ('duration', ctypes.c_uint),
        ('info', ctypes.c_uint),
    ]


class Sense:
    """Sense data of either format.

    code    (key, ASC, ASCQ)
    desc    descriptor format
    info    INFORMATION, None when it is not valid
    field   (byte, bit): the field pointer, bit None without a bit pointer; None without pointer
    in_cdb  the field is in the CDB, else in the parameter list
    sks     the three sense-key-specific bytes as they came, None when SKSV is zero
    raw     the bytes
    """

    def __init__(self, raw):
        self.raw = bytes(raw)
        self.info = self.field = self.in_cdb = self.sks = None
        response = raw[0] & 0x7f
        if response not in (0x70, 0x71, 0x72, 0x73):
            raise ValueError('sense response code %#x' % response)
        self.deferred = response in (0x71, 0x73)
        self.desc = response >= 0x72
        self._desc() if self.desc else self._fixed()

    def _fixed(self):
        raw = self.raw.ljust(18, b'\0')
        self.code = (raw[2] & 0xf, raw[12], raw[13])
        self.filemark, self.eom, self.ili = (bool(raw[2] & b) for b in (0x80, 0x40, 0x20))
        if raw[0] & 0x80:
            self.info = struct.unpack('>I', raw[3:7])[0]
        self._sks(raw[15:18])

    def _desc(self):
        raw = self.raw.ljust(8, b'\0')
        self.code = (raw[1] & 0xf, raw[2], raw[3])
        self.filemark = self.eom = self.ili = False
        pos, end = 8, min(8 + raw[7], len(raw))
        while pos + 2 <= end:
            part = raw[pos:pos + 2 + raw[pos + 1]]
            if part[0] == 0 and len(part) == 12 and part[2] & 0x80:
                self.info = struct.unpack('>Q', part[4:12])[0]
            elif part[0] == 2 and len(part) == 8:
                self._sks(part[4:7])
            pos += len(part)

    def _sks(self, sks):
        if not sks[0] & 0x80:
            return
        self.sks = bytes(sks)
        if self.code[0] == ILLEGAL_REQUEST:
            self.in_cdb = bool(sks[0] & 0x40)
            self.field = (struct.unpack('>H', sks[1:3])[0], sks[0] & 7 if sks[0] & 8 else None)

    def __str__(self):
        text = '%x/%02x/%02x' % self.code
        if self.field:
            text += ' %s byte %d' % ('CDB' if self.in_cdb else 'parameter', self.field[0])
            if self.field[1] is not None:
                text += ' bit %d' % self.field[1]
        if self.info is not None:
            text += ' info %#x' % self.info
        return text


class Result:
    """What came of a command: status, host (SG_IO host_status), sense or None, resid, data (as
    much as moved in), buffer (the whole data-in buffer)."""

    def __init__(self, status, host, driver, sense, resid, buffer):
        self.status, self.host, self.driver = status, host, driver
        self.sense, self.resid, self.buffer = sense, resid, buffer
        self.data = buffer[:len(buffer) - max(resid, 0)]

    @property
    def code(self):
        """(key, ASC, ASCQ), or None without sense data"""
        return self.sense.code if self.sense else None

    def __str__(self):
        text = 'status %#04x' % self.status
        if self.host:
            text += ' host %#x' % self.host
        if self.sense:
            text += ' sense %s' % self.sense
        return text + ' resid %d, %d bytes' % (self.resid, len(self.data))


class Device:
    """A SCSI device node (/dev/sdX, /dev/sgX, /dev/bsg is another interface)."""

    FILL = 0xa5     # what a data-in buffer holds where nothing was written

    def __init__(self, path):
        self.path = path
        self.fd = os.open(path, os.O_RDWR | os.O_NONBLOCK)

    def close(self):
        os.close(self.fd)

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.close()

    def cmd(self, cdb, data_in=0, data_out=None, timeout=30):
        """Send a CDB with a data-in buffer of so many bytes, or with data-out."""
        cdb = bytes(cdb)
        cdb_buf = ctypes.create_string_buffer(cdb, len(cdb))
        sense = ctypes.create_string_buffer(252)
        hdr = SgHdr(interface_id=ord('S'), cmd_len=len(cdb), mx_sb_len=252,
                    cmdp=ctypes.addressof(cdb_buf), sbp=ctypes.addressof(sense),
                    timeout=timeout * 1000, dxfer_direction=SG_DXFER_NONE)
        buf = None
        if data_out is not None and len(data_out):
            buf = ctypes.create_string_buffer(bytes(data_out), len(data_out))
            hdr.dxfer_direction = SG_DXFER_TO_DEV
        elif data_in:
            buf = ctypes.create_string_buffer(bytes([self.FILL]) * data_in, data_in)
            hdr.dxfer_direction = SG_DXFER_FROM_DEV
        if buf is not None:
            hdr.dxfer_len = len(buf)
            hdr.dxferp = ctypes.addressof(buf)
        fcntl.ioctl(self.fd, SG_IO, hdr)
        parsed = Sense(sense.raw[:hdr.sb_len_wr]) if hdr.sb_len_wr else None
        return Result(hdr.status, hdr.host_status, hdr.driver_status, parsed, hdr.resid,
                      buf.raw if buf is not None and data_out is None else b'')

    def clear_ua(self, limit=32):
        """TEST UNIT READY until no unit attention is pending; the codes that were."""
        seen = []
        for _ in range(limit):
            r = self.cmd([0] * 6)
            if not r.sense or r.sense.code[0] != UNIT_ATTENTION:
                return seen
            seen.append(r.sense.code)
        raise RuntimeError('%s: no end of unit attentions: %r' % (self.path, seen))


def opens(node):
    """Is the node there, and a device behind it? The disk follows its node a moment later."""
    try:
        os.close(os.open(node, os.O_RDWR | os.O_NONBLOCK))
    except OSError as error:
        if error.errno not in (errno.ENOENT, errno.ENXIO):
            raise
        return False
    return True


def find(host, channel, target, lun, kind='block', limit=20):
    """The device node of host:channel:target:lun as soon as it is there: kind is block or
    scsi_generic."""
    pattern = '/sys/class/scsi_device/%d:%d:%d:%d/device/%s/*' % (host, channel, target, lun, kind)
    end = time.monotonic() + limit
    while time.monotonic() < end:
        for path in glob.glob(pattern):
            node = '/dev/' + os.path.basename(path)
            if opens(node):
                return node
        time.sleep(0.05)
    raise RuntimeError('no %s device %d:%d:%d:%d after %d s' % (kind, host, channel, target, lun, limit))


def gone(host, channel, target, limit=20):
    """Wait until no device of host:channel:target is left."""
    pattern = '/sys/class/scsi_device/%d:%d:%d:*' % (host, channel, target)
    end = time.monotonic() + limit
    while glob.glob(pattern):
        if time.monotonic() > end:
            raise RuntimeError('still there after %d s: %s' % (limit, ' '.join(glob.glob(pattern))))
        time.sleep(0.05)


class Table:
    """Counts assertions; a failed one is printed and the test goes on."""

    def __init__(self, name):
        self.name = name
        self.passed = self.failed = self.skipped = 0

    def ok(self, cond, what):
        """Assert a condition."""
        if cond:
            self.passed += 1
        else:
            self.failed += 1
            print('FAIL: %s: %s' % (self.name, what), flush=True)
        return bool(cond)

    def eq(self, got, want, what):
        """Assert equality."""
        return self.ok(got == want, '%s: wanted %s, got %s' % (what, self.show(want), self.show(got)))

    def good(self, r, what):
        """Assert status GOOD without sense data."""
        return self.ok(r.status == GOOD and not r.sense and not r.host, '%s: wanted GOOD, got %s' % (what, r))

    def bad(self, r, code, what, field=None, info=None, param=False):
        """Assert CHECK CONDITION with a code, and with a field pointer or INFORMATION when
        given: field is a byte or (byte, bit)."""
        ok = r.status == CHECK_CONDITION and r.code == code
        want = 'CHECK CONDITION %x/%02x/%02x' % code
        if field is not None:
            if isinstance(field, int):
                field = (field, None)
            want += ' %s field %s' % ('parameter' if param else 'CDB', field)
            ok = ok and r.sense.field == field and r.sense.in_cdb == (not param)
        if info is not None:
            want += ' info %#x' % info
            ok = ok and r.sense.info == info
        return self.ok(ok, '%s: wanted %s, got %s' % (what, want, r))

    def skip(self, what):
        """Something cannot be tested here."""
        self.skipped += 1
        print('SKIP: %s: %s' % (self.name, what))

    @staticmethod
    def show(x):
        """Bytes in hex, anything else as Python shows it."""
        return x.hex(' ', -2) if isinstance(x, (bytes, bytearray)) else repr(x)

    def end(self):
        """Print the verdict, leave with it as exit status."""
        print('%s: %d passed, %d failed, %d skipped' % (self.name, self.passed, self.failed, self.skipped),
              flush=True)
        sys.exit(1 if self.failed or not self.passed else 0)
