#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""MODE SELECT that changes something: what it does, who is told, what agrees with the attributes
of configfs, what is saved and comes back. Needs our target to be loaded.
"""
import fcntl
import os
import struct

from sgio import (GOOD, INVALID_FIELD_CDB, SAVING_NOT_SUPPORTED, Device, Table)
from target import NoDiskDriver, Target, read, write

WWN, WWN2 = 'naa.5001405000000001', 'naa.5001405000000002'
SERIAL = '7e57ab1e-0000-4000-8000-00000000/0.1'
SAVED = '7e57ab1e-0000-4000-8000-00000000%2F0.1'
MODE_CHANGED = (6, 0x2a, 0x01)
SW_PROTECTED = (7, 0x27, 0x02)
PROTECTED = (7, 0x27, 0x00)
CURRENT, CHANGEABLE, DEFAULT, SAVE = range(4)
SG = 'scsi_generic'

t = Table('mode')


def sense(dev, page, pc=CURRENT, subpage=0):
    """One page, without PS"""
    r = dev.cmd([0x5a, 8, pc << 6 | page, subpage, 0, 0, 0, 1, 0, 0], data_in=256)
    t.good(r, 'MODE SENSE %02xh PC %d' % (page, pc))
    data = bytearray(r.data[8:])
    data[0] &= 0x7f
    return data


def select(dev, page, save=False):
    """Send one page; by turns with the one command and the other"""
    select.ten = not getattr(select, 'ten', False)
    head = bytes(8 if select.ten else 4)
    n = len(head) + len(page)
    cdb = [0x55, 0x10 | save, 0, 0, 0, 0, 0, 0, n, 0] if select.ten else [0x15, 0x10 | save, 0, 0, n, 0]
    return dev.cmd(cdb, data_out=head + bytes(page))


def change(dev, page, byte, bit, on, save=False):
    """Set or clear a bit of a page."""
    data = sense(dev, page)
    data[byte] = data[byte] | 1 << bit if on else data[byte] & ~(1 << bit)
    return select(dev, data, save)


def bit_of(dev, page, byte, bit):
    """The bit as current, default and saved value"""
    return tuple(sense(dev, page, pc)[byte] >> bit & 1 for pc in (CURRENT, DEFAULT, SAVE))


def test_wce(disk, dev, other):
    """WCE and emulate_write_cache are the same thing."""
    attr = disk + '/attrib/emulate_write_cache'
    t.eq(sense(dev, 8, CHANGEABLE)[2], 4, 'WCE can be changed')
    was = int(read(attr))
    t.eq(bit_of(dev, 8, 2, 2), (was,) * 3, 'WCE at first')
    other.clear_ua()
    for value in (1 - was, was, 1, 0, was):
        now = int(read(attr))
        t.good(change(dev, 8, 2, 2, value), 'WCE = %d' % value)
        t.eq(read(attr), '%d\n' % value, 'emulate_write_cache follows WCE')
        t.eq(bit_of(dev, 8, 2, 2), (value, was, was), 'WCE set to %d' % value)
        t.eq(other.clear_ua(), [MODE_CHANGED] if value != now else [], 'the other nexus about WCE = %d' % value)
        t.good(dev.cmd([0] * 6), 'who changed it is not told')
        vpd = dev.cmd([0x12, 1, 0x86, 0, 64, 0], data_in=64).data
        t.eq(vpd[6] & 1, value, 'V_SUP follows WCE')
    # and the other way round: what the administrator writes is the default, too
    write(attr, 1 - was)
    t.eq(dev.clear_ua(), [MODE_CHANGED], 'the attribute tells')
    other.clear_ua()
    t.eq(bit_of(dev, 8, 2, 2), (1 - was,) * 3, 'WCE follows emulate_write_cache')
    write(attr, was)
    dev.clear_ua()
    other.clear_ua()


def test_swp(dev, other):
    """Software write protect stops writes of every nexus, and nothing else."""
    block = bytes(range(256)) * 2
    write10 = [0x2a] + [0] * 7 + [1, 0]
    read10 = [0x28] + [0] * 7 + [1, 0]
    t.good(dev.cmd(write10, data_out=block), 'WRITE(10)')
    t.good(change(dev, 0x0a, 4, 3, True), 'SWP = 1')
    t.eq(other.clear_ua(), [MODE_CHANGED], 'the other nexus about SWP')
    for d in (dev, other):
        for name, cdb, out in (('WRITE(10)', write10, bytes(512)),
                               ('WRITE(16)', [0x8a] + [0] * 12 + [1, 0, 0], bytes(512)),
                               ('WRITE SAME(10)', [0x41] + [0] * 7 + [1, 0], bytes(512)),
                               ('COMPARE AND WRITE', [0x89] + [0] * 12 + [1, 0, 0], bytes(1024))):
            t.bad(d.cmd(cdb, data_out=out), SW_PROTECTED, name + ' under SWP')
        r = d.cmd(read10, data_in=512)
        t.eq((r.status, r.data), (GOOD, block), 'READ(10) under SWP')
        t.eq(d.cmd([0x1a, 8, 0x0a, 0, 64, 0], data_in=64).data[2] & 0x80, 0x80, 'WP in the mode parameter header')
        t.good(d.cmd([0x35] + [0] * 9), 'SYNCHRONIZE CACHE(10) under SWP')
    t.good(change(other, 0x0a, 4, 3, False), 'SWP = 0 from the other nexus')
    t.eq(dev.clear_ua(), [MODE_CHANGED], 'the first nexus about SWP')
    t.good(dev.cmd(write10, data_out=block), 'WRITE(10) afterwards')
    t.eq(dev.cmd([0x1a, 8, 0x0a, 0, 64, 0], data_in=64).data[2] & 0x80, 0, 'WP afterwards')


def test_tas(disk, dev, other):
    """TAS and emulate_tas are the same thing."""
    for value in (0, 1):
        t.good(change(dev, 0x0a, 5, 6, value), 'TAS = %d' % value)
        t.eq(read(disk + '/attrib/emulate_tas'), '%d\n' % value, 'emulate_tas follows TAS')
        t.eq(bit_of(dev, 0x0a, 5, 6), (value, 1, 1), 'TAS set to %d' % value)
    t.eq(other.clear_ua(), [MODE_CHANGED], 'two changes are told once')


def reset(dev):
    """LOGICAL UNIT RESET by the SCSI layer"""
    fcntl.ioctl(dev.fd, 0x2284, struct.pack('i', 1))    # SG_SCSI_RESET, device
    dev.clear_ua()


def test_saved(dev, other):
    """SP saves; a reset brings saved values back, and the default ones of what was not saved."""
    path = '/etc/target/lu/' + SAVED
    if not os.path.isdir('/etc/target'):
        path = read('dbroot').strip() + '/lu/' + SAVED
    t.ok(not os.path.exists(path), 'nothing is saved before SP')
    t.good(change(dev, 0x0a, 2, 2, 1, save=True), 'D_SENSE = 1, saved')
    t.eq(bit_of(dev, 0x0a, 2, 2), (1, 0, 1), 'D_SENSE saved')
    with open(path) as f:
        lines = f.read().splitlines()
    t.eq(lines[0], 'tcm_lu 1', 'the file')
    t.ok(any(line.startswith('mode 0a0a06') for line in lines), 'the page in the file: %r' % lines)
    t.ok(not os.path.exists(path + '.new'), 'no temporary file is left')
    t.good(change(dev, 0x0a, 2, 2, 0), 'D_SENSE = 0, not saved')
    t.eq(bit_of(dev, 0x0a, 2, 2), (0, 0, 1), 'D_SENSE changed, not saved')
    t.good(change(dev, 0x0a, 4, 3, 1), 'SWP = 1, not saved')
    t.good(change(dev, 8, 2, 2, 0, save=True), 'WCE = 0, saved')
    t.good(change(dev, 8, 2, 2, 1), 'WCE = 1')
    reset(dev)
    t.eq((bit_of(dev, 0x0a, 2, 2), bit_of(dev, 0x0a, 4, 3)[0], bit_of(dev, 8, 2, 2)[0]), ((1, 0, 1), 0, 0),
         'D_SENSE, SWP and WCE after a LOGICAL UNIT RESET')
    other.clear_ua()
    # A page that cannot be saved is none that refuses.
    t.good(select(dev, sense(dev, 0x1c), save=True), 'SP with a page of which nothing can be changed')
    return path


def test_linux(dev, node):
    """What sd offers: cache_type goes by MODE SELECT, with SP where the page has PS."""
    path = '/sys/block/%s/device/scsi_disk' % os.path.basename(node)
    path = '%s/%s/cache_type' % (path, os.listdir(path)[0])
    for kind, value in (('write back', 1), ('write through', 0)):
        with open(path, 'w') as f:
            f.write(kind)
        with open(path) as f:
            t.eq(f.read().strip(), kind, 'cache_type')
        t.eq(bit_of(dev, 8, 2, 2)[0], value, 'WCE after cache_type = ' + kind)
        t.eq(bit_of(dev, 8, 2, 2)[2], value, 'WCE is saved after cache_type = ' + kind)


COLLECT_9 = 16 + 16 * 9     # IO Advice Hints Grouping: IC_ENABLE of group 9, bit 0


def hints(dev, pc=CURRENT):
    """The IO Advice Hints Grouping page, which MODE SENSE(6) cannot return"""
    r = dev.cmd([0x5a, 8, pc << 6 | 0x0a, 5, 0, 0, 0, 8, 0, 0], data_in=2048)
    t.good(r, 'MODE SENSE 0Ah/05h PC %d' % pc)
    data = bytearray(r.data[8:])
    data[0] &= 0x7f
    return data


def collected(dev):
    """Is group 9 counted? Current, default and saved value"""
    return tuple(hints(dev, pc)[COLLECT_9] & 1 for pc in (CURRENT, DEFAULT, SAVE))


def test_hints(dev, other):
    """A page that is longer than it is kept: current and saved values are its own."""
    t.eq(collected(dev), (1, 1, 1), 'group 9 at first')
    page = hints(dev)
    page[COLLECT_9] ^= 1
    n = 8 + len(page)
    for save in (0, 1):
        cdb = [0x55, 0x10 | save, 0, 0, 0, 0, 0, n >> 8, n & 0xff, 0]
        t.good(dev.cmd(cdb, data_out=bytes(8) + bytes(page)), 'group 9 is not to be counted')
        t.eq(collected(dev), (0, 1, not save), 'group 9, SP %d' % save)
        t.eq(hints(dev), page, 'the whole page')
        t.eq(other.clear_ua(), [MODE_CHANGED], 'the other nexus')
        reset(dev)
        t.eq(collected(dev), (not save, 1, not save), 'group 9, SP %d, after a reset' % save)
        other.clear_ua()


def test_unsaved(dev):
    """Without a serial number there is no place to save to."""
    t.bad(select(dev, sense(dev, 0x0a), save=True), INVALID_FIELD_CDB, 'SP', field=(1, 0))
    for cdb in ([0x1a, 8, 0xca, 0, 255, 0], [0x5a, 8, 0xff, 0xff, 0, 0, 0, 1, 0, 0]):
        t.bad(dev.cmd(cdb, data_in=256), SAVING_NOT_SUPPORTED, 'MODE SENSE PC 3')
    t.eq(dev.cmd([0x5a, 8, 0x0a, 0, 0, 0, 0, 1, 0, 0], data_in=256).data[8], 0x0a, 'PS')


def make(target, name, serial, **attrib):
    """A file with a cache that can be turned off"""
    return target.device('fileio', name, 'fd_dev_name=/tmp/%s,fd_dev_size=1048576,fd_buffered_io=1' % name,
                         serial=serial, **attrib)


def main():
    with Target() as target:
        disk = make(target, 'disk', SERIAL)
        bare = make(target, 'bare', None)
        tpg, second = target.loop(WWN), target.loop(WWN2)
        with NoDiskDriver(), Device(tpg.lun(0, disk, SG)) as dev, Device(second.lun(0, disk, SG)) as other, \
                Device(tpg.lun(1, bare, SG)) as unsaved:
            for d in (dev, other, unsaved):
                d.clear_ua()
            test_wce(disk, dev, other)
            test_swp(dev, other)
            test_tas(disk, dev, other)
            path = test_saved(dev, other)
            dev.clear_ua()
            other.clear_ua()
            test_hints(dev, other)
            test_unsaved(unsaved)
        tpg.unlink(0)
        node = tpg.lun(0, disk)
        with Device(node) as dev:
            dev.clear_ua()
            test_linux(dev, node)
    # The same unit, made anew: what was saved is there with the first command.
    with NoDiskDriver(), Target() as target:
        disk = make(target, 'disk', SERIAL, emulate_write_cache=1)
        tpg = target.loop(WWN)
        with Device(tpg.lun(0, disk, SG)) as dev:
            dev.clear_ua()
            t.eq((bit_of(dev, 0x0a, 2, 2), bit_of(dev, 8, 2, 2)), ((1, 0, 1), (0, 1, 0)),
                 'D_SENSE and WCE after a restart')
            t.eq(collected(dev), (0, 1, 0), 'group 9 after a restart')
            t.eq(read(disk + '/attrib/emulate_write_cache'), '0\n', 'emulate_write_cache after a restart')
            t.ok(dev.cmd([0x12, 1, 0xff, 0, 4, 0], data_in=4).sense.desc, 'descriptor format after a restart')
            # What the administrator writes replaces what was saved.
            write(disk + '/attrib/emulate_write_cache', 1)
            dev.clear_ua()
            reset(dev)
            t.eq(bit_of(dev, 8, 2, 2), (1, 1, 1), 'WCE after the attribute was written and a reset')
    # Rubbish is no reason to fail; a file of nobody's does not stay in the way.
    for text in ('', 'tcm_lu 1\nmode zz\nmode 0a\nmode ' + 'ff' * 4000 + '\nfuture 1\n', 'other\n', '\0' * 100, 'x' * 70000):
        with open(path, 'w') as f:
            f.write(text)
        with NoDiskDriver(), Target() as target:
            disk = make(target, 'disk', SERIAL)
            with Device(target.loop(WWN).lun(0, disk, SG)) as dev:
                dev.clear_ua()
                t.eq(bit_of(dev, 0x0a, 2, 2), (0, 0, 0), 'default values with a file of %r' % text[:20])
                t.good(change(dev, 0x0a, 2, 2, 1, save=True), 'saved over it')
        with open(path) as f:
            t.ok('mode 0a0a06' in f.read(), 'the file is good again')
    os.unlink(path)
    t.end()


if __name__ == '__main__':
    main()
