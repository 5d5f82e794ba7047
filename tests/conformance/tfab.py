# SPDX-License-Identifier: GPL-2.0-only
"""An initiator on the test fabric (tests/fabric): a session is an open /dev/tcm_test.

    from tfab import Session, Config

    with Session('t1', 1, 'init0') as s:
        r = s.cmd([0x12, 0, 0, 0, 36, 0], din=36, lun=3)      submit and reap
        tag = s.submit([0x28, ...], din=512)                  leave it in flight
        r = s.reap(tag)                                       or s.reap() for whichever is next
        resp, outstanding = s.tmf(ABORT_TASK, tag=tag)

Config builds targets below configfs with a line for each object.
"""
import ctypes
import errno
import fcntl
import itertools
import os
import struct
import time

from sgio import GOOD, UNIT_ATTENTION, Sense

# task attributes
SIMPLE, ORDERED, HEAD_OF_QUEUE, ACA = range(4)

# task management functions and responses (enum tcm_tmf_func, enum tcm_tmf_resp)
(ABORT_TASK, ABORT_TASK_SET, CLEAR_TASK_SET, CLEAR_ACA, LUN_RESET, NEXUS_RESET, WARM_RESET,
 COLD_RESET, QUERY_TASK, QUERY_TASK_SET, QUERY_ASYNC_EVENT) = range(11)
COMPLETE, SUCCEEDED, REJECTED, NOT_SUPPORTED, BAD_LUN, NO_TASK = range(6)

# how a command is submitted
BH, DATA_LATER, DATA_HELD, STATUS_LATE, LINGER = 1, 2, 4, 8, 16
# what became of it
RESPONSE, NO_RESPONSE, NOT_TAKEN = range(3)
_NONBLOCK, _BY_TAG, _ORPHANS = 1, 2, 4

TASK_ABORTED = 0x40

_SUBMIT = struct.Struct('=Q8sQQIIIIBB6x')
_REAP = struct.Struct('=QQIIIIIBBBB96s')
_LOGIN = struct.Struct('=256s256s6sBxHH4x')
_TMF = struct.Struct('=Q8sIIII')
_INFO = struct.Struct('=IIII')
assert (_SUBMIT.size, _REAP.size, _LOGIN.size, _TMF.size) == (56, 136, 528, 32)


def _ioc(direction, nr, size):
    return direction << 30 | size << 16 | ord('t') << 8 | nr


_IOC_LOGIN = _ioc(1, 1, _LOGIN.size)
_IOC_SUBMIT = _ioc(1, 2, _SUBMIT.size)
_IOC_REAP = _ioc(3, 3, _REAP.size)
_IOC_TMF = _ioc(3, 4, _TMF.size)
_IOC_RELEASE = _ioc(1, 5, 8)
_IOC_INFO = _ioc(2, 6, _INFO.size)
_IOC_LOGOUT = _ioc(0, 7, 0)


def lun_bytes(lun):
    """The LUN field: peripheral (< 256), flat (< 16384) or extended flat addressing."""
    if isinstance(lun, bytes):
        return lun
    if lun < 256:
        return bytes([0, lun]) + bytes(6)
    if lun < 16384:
        return struct.pack('>H', 0x4000 | lun) + bytes(6)
    return bytes([0xd2]) + lun.to_bytes(3, 'big') + bytes(4)


class Result:
    """What came of a command.

    outcome   RESPONSE, NO_RESPONSE (aborted) or NOT_TAKEN (the session had gone)
    status    SAM status; sense: a Sense or None; data: what moved in; resid, overflow
    """
    host = 0    # for sgio.Table

    def __init__(self, fields, data):
        (self.tag, _, _, _, _, self.xfer_len, self.resid, self.overflow, self.outcome,
         self.status, sense_len, sense) = fields
        if self.outcome != RESPONSE:
            self.status = None
        self.sense = Sense(sense[:sense_len]) if sense_len else None
        self.data = data

    @property
    def code(self):
        """(key, ASC, ASCQ), or None without sense data"""
        return self.sense.code if self.sense else None

    @property
    def good(self):
        return self.outcome == RESPONSE and self.status == GOOD

    def __str__(self):
        if self.outcome != RESPONSE:
            return ('', 'no response', 'not taken')[self.outcome]
        return 'status %#04x%s resid %d, %d bytes' % (
            self.status, ' sense %s' % self.sense if self.sense else '', self.resid, len(self.data))


class Session:
    """An initiator port, logged in. Tags are made up unless given."""

    def __init__(self, wwn, tag, name, isid=None, slots=0):
        self.name = name
        self.room = 1       # of the largest data-in asked for
        self.tags = itertools.count(1)
        self.fd = os.open('/dev/tcm_test', os.O_RDWR | os.O_CLOEXEC)
        try:
            fcntl.ioctl(self.fd, _IOC_LOGIN,
                        bytearray(_LOGIN.pack(wwn.encode(), name.encode(), isid or bytes(6),
                                              isid is not None, tag, slots)))
        except OSError:
            os.close(self.fd)
            raise

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.close()

    def close(self):
        """End the session; commands in flight go on without their initiator."""
        if self.fd is not None:
            os.close(self.fd)
            self.fd = None

    def logout(self):
        """End the session but keep the file: reap(orphans=True) sees what becomes of commands."""
        fcntl.ioctl(self.fd, _IOC_LOGOUT)

    def submit(self, cdb, din=0, dout=b'', lun=0, flags=0, attr=SIMPLE, prio=0, tag=None):
        """Set a command going; its tag. EAGAIN: all slots are in use. ESHUTDOWN: session gone."""
        tag = next(self.tags) if tag is None else tag
        cdb, dout = bytes(cdb), bytes(dout)
        cdb_buf = ctypes.create_string_buffer(cdb, max(len(cdb), 1))
        out_buf = ctypes.create_string_buffer(dout, max(len(dout), 1))
        self.room = max(self.room, din)
        # a mutable argument: the ioctl runs without Python's lock
        fcntl.ioctl(self.fd, _IOC_SUBMIT, bytearray(_SUBMIT.pack(
            tag, lun_bytes(lun), ctypes.addressof(cdb_buf), ctypes.addressof(out_buf),
            len(cdb), len(dout), din, flags, attr, prio)))
        return tag

    def reap(self, tag=None, timeout=20, block=True, orphans=False):
        """The result of a command, of any without tag. None: nothing yet (block=False), or none is
        left (orphans=True). OSError ESHUTDOWN: the session is gone; ETIMEDOUT."""
        buf = ctypes.create_string_buffer(self.room)
        flags = (0 if block else _NONBLOCK) | (0 if tag is None else _BY_TAG) | \
            (_ORPHANS if orphans else 0)
        req = bytearray(_REAP.pack(tag or 0, ctypes.addressof(buf), self.room, flags,
                                   int(timeout * 1000), 0, 0, 0, 0, 0, 0, b''))
        try:
            fcntl.ioctl(self.fd, _IOC_REAP, req)
        except OSError as e:
            if (e.errno == errno.EAGAIN and not block) or (e.errno == errno.ENOENT and orphans):
                return None
            raise
        fields = _REAP.unpack(req)
        return Result(fields, ctypes.string_at(buf, fields[2]))

    def cmd(self, cdb, din=0, dout=b'', lun=0, timeout=20, **how):
        """Submit and wait for the result."""
        return self.reap(self.submit(cdb, din, dout, lun, **how), timeout)

    def tmf(self, func, lun=0, tag=0):
        """(response, commands it aborted)"""
        req = bytearray(_TMF.pack(tag, lun_bytes(lun), func, 0, 0, 0))
        fcntl.ioctl(self.fd, _IOC_TMF, req)
        self.tmf_info = bytes(req[-4:-1])
        return _TMF.unpack(req)[3:5]

    def release(self, tag):
        """Let the data of a command with DATA_HELD come."""
        fcntl.ioctl(self.fd, _IOC_RELEASE, bytearray(struct.pack('=Q', tag)))

    def info(self):
        """(in flight, to be reaped, held, alive)"""
        req = bytearray(_INFO.size)
        fcntl.ioctl(self.fd, _IOC_INFO, req)
        busy, done, held, alive = _INFO.unpack(req)
        return busy, done, held, bool(alive)

    # ---- commands that every test needs ----

    def tur(self, lun=0, **how):
        """TEST UNIT READY"""
        return self.cmd(bytes(6), lun=lun, **how)

    def clear_ua(self, lun=0, limit=32):
        """TEST UNIT READY until no unit attention is pending; the codes that were."""
        seen = []
        for _ in range(limit):
            r = self.tur(lun)
            if not r.sense or r.code[0] != UNIT_ATTENTION:
                return seen
            seen.append(r.code)
        raise RuntimeError('%s: no end of unit attentions: %r' % (self.name, seen))

    def report_luns(self):
        """LUN numbers, as the fields say them"""
        r = self.cmd(struct.pack('>BBBBBBIBB', 0xa0, 0, 0, 0, 0, 0, 65536, 0, 0), din=65536)
        if not r.good:
            raise RuntimeError('REPORT LUNS: %s' % r)
        size, = struct.unpack('>I', r.data[:4])
        return [int_lun(r.data[i:i + 8]) for i in range(8, 8 + size, 8)]

    def inquiry(self, lun=0):
        """Standard INQUIRY data"""
        return self.cmd([0x12, 0, 0, 0, 96, 0], din=96, lun=lun)

    def naa(self, lun=0):
        """The NAA designator of the unit in VPD page 83h, header and all"""
        page = self.cmd([0x12, 1, 0x83, 4, 0, 0], din=1024, lun=lun).data
        at = 4
        while page[at + 1] & 0x3f != 3:
            at += 4 + page[at + 3]
        return page[at:at + 4 + page[at + 3]]

    def read(self, lba, blocks=1, lun=0, **how):
        """READ(10)"""
        return self.cmd(cdb10(0x28, lba, blocks), din=512 * blocks, lun=lun, **how)

    def write(self, lba, data, lun=0, **how):
        """WRITE(10)"""
        return self.cmd(cdb10(0x2a, lba, len(data) // 512), dout=data, lun=lun, **how)


def int_lun(field):
    """A LUN field of REPORT LUNS as a number: two bytes, or extended flat space."""
    if field[0] < 0x40 and not any(field[2:]):
        return int.from_bytes(field[:2], 'big')
    if field[0] == 0xd2 and not any(field[4:]):
        return int.from_bytes(field[1:4], 'big')
    raise ValueError('LUN field %s' % bytes(field).hex())


def cdb10(opcode, lba, blocks):
    """A ten byte CDB of a block command"""
    return struct.pack('>BBIBHB', opcode, 0, lba, 0, blocks, 0)


# ---- configuration ---------------------------------------------------------

ROOT = '/sys/kernel/config/target'


def write(path, text):
    """Write an attribute below the root."""
    fd = os.open(os.path.join(ROOT, path), os.O_WRONLY)
    try:
        os.write(fd, str(text).encode())
    finally:
        os.close(fd)


def read(path):
    """Read an attribute below the root."""
    with open(os.path.join(ROOT, path)) as f:
        return f.read().strip()


class Tpg:
    """A portal group of the test fabric and what is below it. What was made is taken away by
    destroy(), in any state."""

    def __init__(self, wwn='t1', tag=1, demo=None):
        """demo: None, 'rw' or 'ro'"""
        self.wwn, self.tag = wwn, tag
        self.wwn_dir = os.path.join('test', wwn)
        self.dir = os.path.join(self.wwn_dir, 'tpgt_%d' % tag)
        for d in ('test', self.wwn_dir, self.dir):
            os.makedirs(os.path.join(ROOT, d), exist_ok=True)
        if demo:
            write(self.dir + '/attrib/generate_node_acls', 1)
            write(self.dir + '/attrib/demo_mode_write_protect', int(demo == 'ro'))

    def path(self, *parts):
        return os.path.join(ROOT, self.dir, *parts)

    def enable(self, on=True):
        write(self.dir + '/enable', int(on))
        return self

    def lun(self, number, dev):
        """Link a LUN to core/<hba>/<dev>."""
        os.mkdir(self.path('lun', 'lun_%d' % number))
        os.symlink(os.path.join(ROOT, 'core', dev), self.path('lun', 'lun_%d' % number, 'link'))

    def del_lun(self, number):
        os.unlink(self.path('lun', 'lun_%d' % number, 'link'))
        os.rmdir(self.path('lun', 'lun_%d' % number))

    def acl(self, name):
        os.mkdir(self.path('acls', name))

    def map(self, name, number, lun, write_protect=None):
        """Give an ACL a LUN under a number of its own."""
        d = self.path('acls', name, 'lun_%d' % number)
        os.mkdir(d)
        os.symlink(self.path('lun', 'lun_%d' % lun), d + '/link')
        if write_protect is not None:
            self.protect(name, number, write_protect)

    def protect(self, name, number, on):
        write(self.path('acls', name, 'lun_%d' % number, 'write_protect'), int(on))

    def unmap(self, name, number):
        d = self.path('acls', name, 'lun_%d' % number)
        os.unlink(d + '/link')
        os.rmdir(d)

    def del_acl(self, name):
        for d in os.listdir(self.path('acls', name)):
            if d.startswith('lun_'):
                self.unmap(name, int(d[4:]))
        os.rmdir(self.path('acls', name))

    def destroy(self, wwn=True):
        for name in os.listdir(self.path('acls')):
            self.del_acl(name)
        for d in os.listdir(self.path('lun')):
            self.del_lun(int(d[4:]))
        os.rmdir(self.path())
        if wwn:
            os.rmdir(os.path.join(ROOT, self.wwn_dir))


def make_rd(name, pages=1024, nullio=False, hba=0, **attribs):
    """A ramdisk; its path below core/."""
    dev = 'rd_mcp_%d/%s' % (hba, name)
    os.makedirs(os.path.join(ROOT, 'core', dev))
    write('core/%s/control' % dev, 'rd_pages=%d' % pages)
    if nullio:
        write('core/%s/control' % dev, 'rd_nullio=1')
    write('core/%s/enable' % dev, 1)
    for key, value in attribs.items():
        write('core/%s/attrib/%s' % (dev, key), value)
    return dev


def make_iblock(name, path, hba=0, **attribs):
    """A block device as backstore; its path below core/."""
    dev = 'iblock_%d/%s' % (hba, name)
    os.makedirs(os.path.join(ROOT, 'core', dev))
    write('core/%s/control' % dev, 'udev_path=%s' % path)
    write('core/%s/udev_path' % dev, path)
    write('core/%s/enable' % dev, 1)
    for key, value in attribs.items():
        write('core/%s/attrib/%s' % (dev, key), value)
    return dev


def make_file(name, path, size=1 << 20, hba=0):
    """A file as backstore; its path below core/."""
    dev = 'fileio_%d/%s' % (hba, name)
    os.makedirs(os.path.join(ROOT, 'core', dev))
    write('core/%s/control' % dev, 'fd_dev_name=%s,fd_dev_size=%d' % (path, size))
    write('core/%s/enable' % dev, 1)
    return dev


class Held:
    """A test device (tests/fabric/held.c): it keeps accesses until it is told to let go."""

    def __init__(self, name, size=1 << 20, hold=True, hba=0):
        self.dev = 'test_%d/%s' % (hba, name)
        os.makedirs(os.path.join(ROOT, 'core', self.dev))
        self.control('size=%d,hold=%d' % (size, hold))
        write('core/%s/enable' % self.dev, 1)

    def control(self, text):
        write('core/%s/control' % self.dev, text)

    def hold(self, on=True):
        self.control('hold=%d' % on)

    def release(self, n=None):
        """Let go of the n oldest; of all, and hold the next ones, without n."""
        self.control('release=%d' % (1 << 31 if n is None else n))

    def fail(self, on):
        self.control('fail=%d' % on)

    def hang(self, on=True):
        """Nothing comes back from poll() any more."""
        self.control('hang=%d' % on)

    def held(self):
        return int(read('core/%s/info' % self.dev).split('held: ')[1].split()[0])


def held_everywhere():
    """Accesses kept by test devices, also by those without a directory"""
    with open('/sys/module/tcm_test/parameters/held') as f:
        return int(f.read())


def held_parameter(name):
    """devices: test devices that have not ended; hanging: that hang in poll()"""
    with open('/sys/module/tcm_test/parameters/' + name) as f:
        return int(f.read())


def walk_slowly(milliseconds):
    """Who looks at all commands of a session takes so long from one to the next."""
    with open('/sys/module/tcm_test/parameters/walk', 'w') as f:
        f.write('%d' % milliseconds)


def release_everything():
    with open('/sys/module/tcm_test/parameters/held', 'w') as f:
        f.write('0')


def wait_until(cond, what, limit=20):
    """Poll a condition; RuntimeError after so many seconds."""
    end = time.monotonic() + limit
    while not cond():
        if time.monotonic() > end:
            raise RuntimeError('waited %d s for: %s' % (limit, what))
        time.sleep(0.005)


def del_dev(dev):
    """rmdir a backstore, and its HBA directory if it was the last one there"""
    path = os.path.join(ROOT, 'core', dev)
    os.rmdir(path)
    try:
        os.rmdir(os.path.dirname(path))
    except OSError as e:
        if e.errno != errno.ENOTEMPTY:
            raise


class Pair:
    """A test device and two nexuses that have it as their LUN 0, without unit attentions"""

    def __init__(self, hold=True, **attribs):
        self.h = Held('h', hold=hold)
        for key, value in attribs.items():
            write('core/%s/attrib/%s' % (self.h.dev, key), value)
        self.tpg = Tpg().enable()
        self.tpg.lun(0, self.h.dev)
        for name in ('i0', 'i1'):
            self.tpg.acl(name)
            self.tpg.map(name, 0, 0)
        self.s, self.other = self.login('i0'), self.login('i1')

    @staticmethod
    def login(name):
        s = Session('t1', 1, name)
        s.clear_ua()
        return s

    def destroy(self):
        self.s.close()
        self.other.close()
        self.tpg.destroy()
        del_dev(self.h.dev)
