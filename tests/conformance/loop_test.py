#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Loopback's SCSI host: resets while a backend holds commands, a transport that is down, and what the
files of a port take and refuse. Runs in a guest without udev, with tcm_test loaded."""
import errno
import fcntl
import mmap
import os
import struct
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from sgio import GOOD, Device, Table
from target import CFS, Target, read, write
from tfab import wait_until

SG_SCSI_RESET = 0x2284
DEVICE, HOST, TARGET, NO_ESCALATE = 1, 3, 4, 0x100
DID_TRANSPORT_DISRUPTED, DID_RESET = 0x0e, 0x08
TASK_ABORTED = 0x40
LUN_WAS_RESET, NEXUS_LOST = (6, 0x29, 0x03), (6, 0x29, 0x07)
WWN, OTHER = 'naa.5001405c10d00001', 'naa.5001405c10d00002'
NEXUS = 'naa.5001405fffffffff'  # as target.py makes it
QUICK = 1.0     # seconds, on an emulated machine that others share

t = Table('loop')


def error(call, *args):
    """The errno of a call that must fail, 0 when it does not"""
    try:
        call(*args)
    except OSError as e:
        return e.errno
    return 0


def reset(dev, how):
    """SG_SCSI_RESET; (errno, seconds)"""
    begin = time.monotonic()
    return error(fcntl.ioctl, dev.fd, SG_SCSI_RESET, bytearray(struct.pack('=i', how))), time.monotonic() - begin


class Background(threading.Thread):
    """A call in the background; its result"""

    def __init__(self, call, *args, **kwargs):
        super().__init__(daemon=True)
        self.run = lambda: setattr(self, 'got', call(*args, **kwargs))
        self.got = None
        self.start()

    def result(self, limit=20):
        self.join(limit)
        return self.got


class Rig:
    """A test device as LUN 0 of a port and of another port, and a ramdisk as the first one's LUN 1"""

    def __init__(self, target):
        self.path = target.device('test', 'h', 'size=1048576,hold=0')
        ram = target.device('rd_mcp', 'r', 'rd_pages=256')
        self.port, self.other = target.loop(WWN), target.loop(OTHER)
        self.dev = self.lun(self.port, 0, self.path)
        self.ram = self.lun(self.port, 1, ram)
        self.far = self.lun(self.other, 0, self.path)
        self.patience(1)
        self.clean('nothing')

    @staticmethod
    def lun(port, number, path):
        dev = Device(port.lun(number, path, 'scsi_generic'))
        port.node(number)
        return dev

    def patience(self, seconds):
        """How long the SCSI layer, and so a reset, waits"""
        for port, lun in (self.port, 0), (self.port, 1), (self.other, 0):
            with open('/sys/class/scsi_device/%d:%d:%d:%d/device/eh_timeout' % (*port.address, lun), 'w') as f:
                f.write(str(seconds))

    def held(self):
        return int(read(self.path + '/info').split('held: ')[1].split()[0])

    def control(self, text):
        write(self.path + '/control', text)

    def hold(self, dev, cdb=None, **data):
        """A command that the backend has; its result is to come."""
        n = self.held()
        self.control('hold=1')
        job = Background(dev.cmd, cdb or [0x28, 0, 0, 0, 0, 8, 0, 0, 8, 0],
                         **(data or {'data_in': 4096}), timeout=2)
        wait_until(lambda: self.held() == n + 1, 'a command to be held')
        return job

    def let_go(self, job, what, host=DID_RESET, status=GOOD):
        t.ok(job.is_alive(), '%s: answered while the backend had it: %s' % (what, job.got))
        self.control('hold=0')
        r = job.result()
        if t.ok(r is not None, '%s: no end' % what):
            t.eq((r.host, r.status), (host, status), what)
        self.clean(what)

    def clean(self, what):
        for dev in self.dev, self.ram, self.far:
            dev.clear_ua()
            t.good(dev.cmd([0x28, 0, 0, 0, 0, 0, 0, 0, 1, 0], data_in=512), 'a read after: ' + what)


def succeeds(dev, how, what):
    err, took = reset(dev, how)
    t.eq(err, 0, what)
    t.ok(took < QUICK, '%s: %.2f s' % (what, took))


def fails(dev, how, least, what):
    """After so many seconds: it has waited as often as that for the command."""
    err, took = reset(dev, how)
    t.eq(err, errno.EIO, what)
    t.ok(least - 0.1 <= took < least + QUICK, '%s: %.2f s, not %.1f' % (what, took, least))


def resets_idle(rig):
    for how, what in (DEVICE, 'device'), (TARGET, 'target'):
        succeeds(rig.dev, how | NO_ESCALATE, what + ' reset')
        t.eq(rig.dev.clear_ua(), [LUN_WAS_RESET], 'unit attention of the %s reset' % what)
        t.eq(rig.ram.clear_ua(), [LUN_WAS_RESET] if how == TARGET else [], 'the other LUN, ' + what)
        t.eq(rig.far.clear_ua(), [LUN_WAS_RESET], 'the other port, ' + what)
    fails(rig.dev, HOST, 0, 'host reset: there is none')


def resets_held(rig):
    """No reset says that a command is back which the backend still has."""
    kinds = {'read': {}, 'write': {'cdb': [0x2a, 0, 0, 0, 0, 8, 0, 0, 8, 0], 'data_out': b'\x5a' * 4096}}
    for name, how in kinds.items():
        job = rig.hold(rig.dev, **how)
        fails(rig.dev, DEVICE | NO_ESCALATE, 1, 'device reset, a held ' + name)
        fails(rig.dev, DEVICE | NO_ESCALATE, 1, 'device reset again, a held ' + name)
        fails(rig.dev, TARGET | NO_ESCALATE, 1, 'target reset, a held ' + name)
        fails(rig.dev, DEVICE, 2, 'device reset and all that follows, a held ' + name)
        fails(rig.dev, HOST, 0, 'host reset, a held ' + name)
        # The LUN beside it has nothing out; the target has.
        succeeds(rig.ram, DEVICE | NO_ESCALATE, 'device reset of the other LUN, a held ' + name)
        fails(rig.ram, TARGET | NO_ESCALATE, 1, 'target reset by the other LUN, a held ' + name)
        rig.let_go(job, 'a held %s, reset' % name)
        succeeds(rig.dev, DEVICE | NO_ESCALATE, 'device reset after the ' + name)
        succeeds(rig.dev, TARGET | NO_ESCALATE, 'target reset after the ' + name)
        rig.clean('resets')


def resets_first(rig):
    """Each kind by itself, as the first one that the command meets"""
    job = rig.hold(rig.dev)
    fails(rig.dev, TARGET | NO_ESCALATE, 1, 'target reset, a held read')
    rig.let_go(job, 'a held read, target reset')
    rig.patience(15)
    for how, what in (DEVICE, 'device'), (TARGET, 'target'):
        job = rig.hold(rig.dev)
        threading.Timer(0.5, rig.control, ['hold=0']).start()
        err, took = reset(rig.dev, how | NO_ESCALATE)
        t.eq(err, 0, '%s reset, a command that comes back meanwhile' % what)
        t.ok(0.3 < took < 10, '%s reset, a command that comes back meanwhile: %.2f s' % (what, took))
        r = job.result()
        t.ok(r and r.host == DID_RESET, 'what came back meanwhile: %s' % r)
        rig.clean('a command that came back')
    rig.patience(1)


def resets_others(rig):
    """What another initiator has out is aborted, and is no concern of who resets."""
    job = rig.hold(rig.far)
    succeeds(rig.dev, DEVICE | NO_ESCALATE, "device reset, another port's read")
    succeeds(rig.dev, TARGET | NO_ESCALATE, "target reset, another port's read")
    fails(rig.far, DEVICE | NO_ESCALATE, 1, 'device reset, a read aborted by another port')
    rig.let_go(job, "another port's read", 0, TASK_ABORTED)


def disk(rig):
    """The disk driver's command comes back after the reset, and the block layer sends it again."""
    rig.dev.cmd([0x2a, 0, 0, 0, 0, 8, 0, 0, 8, 0], data_out=b'\xa7' * 4096)
    fd = os.open(rig.port.node(0), os.O_RDONLY | os.O_DIRECT)
    page = mmap.mmap(-1, 4096)
    rig.control('hold=1')
    job = Background(os.preadv, fd, [page], 8 * 512)
    wait_until(lambda: rig.held() == 1, 'the read to be held')
    fails(rig.dev, DEVICE | NO_ESCALATE, 1, 'device reset, a read of the disk driver')
    t.ok(job.is_alive(), 'a read of the disk driver is out')
    rig.control('hold=0')
    t.eq(job.result(), 4096, 'a read of the disk driver, sent again')
    t.eq(page[:], b'\xa7' * 4096, 'what it read')
    os.close(fd)
    rig.clean('the disk driver')


def transport(rig):
    status = rig.port.path + '/transport_status'
    t.eq(read(status), 'online\n', 'transport_status')
    job = rig.hold(rig.dev)
    write(status, 'offline\n')
    t.eq(read(status), 'offline\n', 'transport_status, offline')
    for dev in rig.dev, rig.ram:
        r = dev.cmd([0] * 6)
        t.eq((r.host, r.status), (DID_TRANSPORT_DISRUPTED, GOOD), 'TEST UNIT READY, offline')
    for how, what in (DEVICE, 'device'), (TARGET, 'target'):
        fails(rig.dev, how | NO_ESCALATE, 0, what + ' reset, offline: it does not arrive')
    t.eq(read(status), 'offline\n', 'transport_status after resets: is the administrator\'s')
    t.eq(error(write, status, 'up'), errno.EINVAL, 'a state that there is none of')
    t.good(rig.far.cmd([0] * 6), 'the other port is not concerned')
    fd = os.open(rig.port.node(1), os.O_RDONLY | os.O_DIRECT)
    t.ok(error(os.preadv, fd, [mmap.mmap(-1, 4096)], 0), 'a read of the disk driver fails, offline')
    write(status, 'online')
    for dev in rig.dev, rig.ram:
        t.eq(dev.clear_ua(), [NEXUS_LOST], 'the unit attention after an outage')
    t.eq(os.preadv(fd, [mmap.mmap(-1, 4096)], 0), 4096, 'a read of the disk driver after an outage')
    os.close(fd)
    rig.let_go(job, 'a read that was out meanwhile', 0)


def contract(target):
    """The port's files (configfs contract, 10.1)"""
    port = target.loop('naa.5001405c10d00003')
    nexus = port.path + '/nexus'
    t.eq(read(nexus), NEXUS + '\n', 'the nexus')
    with open('/sys/class/scsi_host/host%d/nr_hw_queues' % port.address[0]) as f:
        t.eq(int(f.read()), os.cpu_count(), 'hardware queues')
    t.ok(os.cpu_count() > 1, 'more than one CPU')
    write(nexus, NEXUS)
    t.eq(error(write, nexus, 'naa.5001405fffffff00'), errno.EEXIST, 'another nexus')

    port.link(0, target.device('rd_mcp', 'c', 'rd_pages=16'))
    t.eq(error(write, nexus, 'NULL'), errno.EPERM, 'no nexus while a LUN is linked')
    t.eq(read(nexus), NEXUS + '\n', 'the nexus is still there')
    port.unlink(0)
    write(nexus, 'NULL')
    t.eq(error(read, nexus), errno.ENODEV, 'the nexus, read without one')
    t.eq(error(write, nexus, 'NULL'), errno.ENODEV, 'no nexus, again')
    for name in 'iqn.2003-01.org.example:i', 'fc.5001405fffffffff', '5001405fffffffff':
        t.eq(error(write, nexus, name), errno.EINVAL, 'a nexus named ' + name)
    write(nexus, NEXUS)
    t.eq(read(nexus), NEXUS + '\n', 'a nexus again')

    for name in 'naa.5001405fffffff01', 'iqn.2003-01.org.example:i', 'anything':
        path = '%s/acls/%s' % (port.path, name)
        os.mkdir(CFS + path)
        t.eq(error(os.mkdir, CFS + path), errno.EEXIST, 'an ACL a second time')
        os.rmdir(CFS + path)


def main():
    with Target() as target:
        rig = Rig(target)
        for part in resets_idle, resets_held, resets_first, resets_others, disk, transport:
            print('%s' % part.__name__, flush=True)
            part(rig)
        contract(target)
        for dev in rig.dev, rig.ram, rig.far:
            dev.close()
    t.end()


main()
