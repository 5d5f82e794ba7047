#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""A unit whose medium can be taken out: RMB, PREVENT ALLOW MEDIUM REMOVAL, LOEJ, no medium; and
power conditions, which every unit has. Needs our target to be loaded.
"""
import fcntl
import struct

from pr import CLEAR, PREEMPT, PREEMPT_ABORT, Pr
from sgio import (GOOD, INVALID_FIELD_CDB, INVALID_OPCODE, Device, Sense, Table)
from target import NoDiskDriver, Target, read, write

WWN, WWN2 = 'naa.5001405000000001', 'naa.5001405000000002'
NO_MEDIUM, PREVENTED = (2, 0x3a, 0x00), (5, 0x53, 0x02)
MEDIUM_CHANGED = (6, 0x28, 0x00)
STOPPED = (2, 0x04, 0x02)
IDLE, STANDBY = (0, 0x5e, 0x03), (0, 0x5e, 0x04)
TUR = [0] * 6
READ10, WRITE10 = [0x28] + [0] * 7 + [1, 0], [0x2a] + [0] * 7 + [1, 0]
EJECT, LOAD = 2, 3

t = Table('removable')


def start_stop(dev, byte4, byte1=0):
    return dev.cmd([0x1b, byte1, 0, 0, byte4, 0])


def prevent(dev, value):
    return dev.cmd([0x1e, 0, 0, 0, value, 0])


def sense_now(dev):
    """What REQUEST SENSE says"""
    return Sense(dev.cmd([3, 0, 0, 0, 252, 0], data_in=252).data).code


def usage(dev, opcode):
    """CDB usage data, empty where the command is not supported"""
    return dev.cmd([0xa3, 0x0c, 1, opcode, 0, 0, 0, 0, 0, 64, 0, 0], data_in=64).data[4:]


def test_fixed(dev):
    """A fixed medium stays where it is."""
    t.eq(dev.cmd([0x12, 0, 0, 0, 96, 0], data_in=96).data[1], 0, 'RMB')
    t.bad(prevent(dev, 1), INVALID_OPCODE, 'PREVENT')
    for loej in (EJECT, LOAD):
        t.bad(start_stop(dev, loej), INVALID_FIELD_CDB, 'LOEJ', field=(4, 1))
    # with a power condition it means nothing, and neither does START (SBC-4 5.32)
    for loej in (EJECT, LOAD):
        t.good(start_stop(dev, 0x10 | loej), 'LOEJ of the active power condition')
    t.eq(usage(dev, 0x1b).hex(), '1b010000f700', 'usage of START STOP UNIT')
    t.eq(usage(dev, 0x1e), b'', 'usage of PREVENT ALLOW MEDIUM REMOVAL')


def no_medium(dev, what):
    """Every command that needs a medium says that there is none; the others do as ever."""
    for name, cdb, io in (('TEST UNIT READY', TUR, {}), ('READ(10)', READ10, dict(data_in=512)),
                          ('WRITE(10)', WRITE10, dict(data_out=bytes(512))),
                          ('READ CAPACITY(10)', [0x25] + [0] * 9, dict(data_in=8)),
                          ('READ CAPACITY(16)', [0x9e, 0x10] + [0] * 11 + [32, 0, 0], dict(data_in=32)),
                          ('SYNCHRONIZE CACHE(10)', [0x35] + [0] * 9, {}),
                          ('VERIFY(10)', [0x2f] + [0] * 7 + [1, 0], {}),
                          ('START', [0x1b, 0, 0, 0, 1, 0], {})):
        t.bad(dev.cmd(cdb, **io), NO_MEDIUM, '%s: %s' % (what, name))
    for name, cdb in (('INQUIRY', [0x12, 0, 0, 0, 96, 0]), ('MODE SENSE(6)', [0x1a, 0, 0x3f, 0, 255, 0]),
                      ('LOG SENSE', [0x4d, 0, 0x40, 0, 0, 0, 0, 0, 64, 0])):
        t.good(dev.cmd(cdb, data_in=255), '%s: %s' % (what, name))
    t.eq(sense_now(dev), NO_MEDIUM, what + ': REQUEST SENSE')


def test_eject(dev, other):
    """Out and in again."""
    block = bytes(range(256)) * 2
    t.eq(dev.cmd([0x12, 0, 0, 0, 96, 0], data_in=96).data[1], 0x80, 'RMB')
    t.eq(usage(dev, 0x1b).hex(), '1b010000f700', 'usage of START STOP UNIT')
    t.eq(usage(dev, 0x1e).hex(), '1e0000000100', 'usage of PREVENT ALLOW MEDIUM REMOVAL')
    t.good(dev.cmd(WRITE10, data_out=block), 'WRITE(10)')
    for byte1 in (0, 1):
        t.good(start_stop(dev, EJECT, byte1), 'eject')
        for d in (dev, other):
            no_medium(d, 'ejected')
        t.good(start_stop(dev, 0), 'STOP without a medium')
        t.good(start_stop(dev, LOAD, byte1), 'load')
        t.good(dev.cmd(TUR), 'who loads is not told')
        t.eq(sense_now(other), MEDIUM_CHANGED, 'the other nexus is told')
        for d in (dev, other):
            r = d.cmd(READ10, data_in=512)
            t.eq((r.status, r.data), (GOOD, block), 'READ(10) after it came back')
    t.good(start_stop(dev, LOAD), 'load what is there')
    t.eq(other.clear_ua(), [], 'nothing has changed')


def test_prevent(dev, other):
    """Each nexus prevents for itself; resets allow."""
    for value in (2, 3):
        t.bad(prevent(dev, value), INVALID_FIELD_CDB, 'PREVENT %d' % value, field=(4, 1))
    t.good(prevent(dev, 1), 'prevent')
    for d in (dev, other):
        t.bad(start_stop(d, EJECT), PREVENTED, 'eject')
        t.good(d.cmd(TUR), 'the medium is there')
    t.good(start_stop(dev, 0), 'STOP is no eject')
    t.bad(dev.cmd(TUR), STOPPED, 'stopped')
    t.good(start_stop(dev, 1), 'START')
    t.good(prevent(other, 1), 'the other prevents, too')
    t.good(prevent(other, 1), 'twice')
    t.good(prevent(dev, 0), 'the first allows')
    t.bad(start_stop(dev, EJECT), PREVENTED, 'eject')
    t.good(prevent(other, 0), 'the other allows')
    t.good(start_stop(dev, EJECT), 'eject')
    t.good(start_stop(dev, LOAD), 'load')
    other.clear_ua()
    a, b = Pr(dev, 1), Pr(other, 2)
    for who in (a, b):
        t.good(who.register(), 'register')
    t.good(prevent(other, 1), 'the other prevents')
    t.good(a.out(PREEMPT, sa_key=2), 'PREEMPT')
    t.bad(start_stop(dev, EJECT), PREVENTED, 'prevented after PREEMPT')
    other.clear_ua()
    t.good(b.register(), 'register')
    t.good(a.out(PREEMPT_ABORT, sa_key=2), 'PREEMPT AND ABORT')
    other.clear_ua()
    t.good(a.out(CLEAR), 'CLEAR')
    t.good(start_stop(dev, EJECT), 'allowed by PREEMPT AND ABORT')
    t.good(prevent(dev, 1), 'prevent without a medium')
    t.good(start_stop(dev, LOAD), 'load')
    other.clear_ua()
    t.bad(start_stop(dev, EJECT), PREVENTED, 'prevented from before')
    fcntl.ioctl(dev.fd, 0x2284, struct.pack('i', 1))    # LOGICAL UNIT RESET
    dev.clear_ua()
    other.clear_ua()
    t.good(start_stop(dev, EJECT), 'a LOGICAL UNIT RESET allows')
    fcntl.ioctl(dev.fd, 0x2284, struct.pack('i', 1))
    dev.clear_ua()
    t.bad(dev.cmd(TUR), NO_MEDIUM, 'a LOGICAL UNIT RESET does not load')
    t.good(start_stop(dev, LOAD), 'load')
    other.clear_ua()


def test_nexus_loss(target, second, disk, dev):
    """A nexus that goes takes its prevention along."""
    second.link(3, disk)
    node = second.node(3, 'scsi_generic')
    with Device(node) as third:
        third.clear_ua()
        t.good(prevent(third, 1), 'a third nexus prevents')
        t.bad(start_stop(dev, EJECT), PREVENTED, 'eject')
    second.unlink(3)
    t.good(start_stop(dev, EJECT), 'eject after it went')
    t.good(start_stop(dev, LOAD), 'load')


def test_power(dev, other):
    """Power conditions are told by REQUEST SENSE and end with the next access."""
    for condition, code in ((2, IDLE), (3, STANDBY), (0xa, IDLE), (0xb, STANDBY)):
        for wake in ('read', 'active', 'start', 'control'):
            t.good(start_stop(dev, condition << 4), 'POWER CONDITION %x' % condition)
            t.eq((sense_now(dev), sense_now(other)), (code, code), 'REQUEST SENSE in %x' % condition)
            t.good(other.cmd(TUR), 'TEST UNIT READY in %x' % condition)
            t.eq(sense_now(dev), code, 'TEST UNIT READY does not wake')
            if wake == 'read':
                t.good(other.cmd(READ10, data_in=512), 'READ(10) in %x' % condition)
            else:
                t.good(start_stop(dev, {'active': 0x10, 'start': 1, 'control': 0x70}[wake]), wake)
            t.eq((sense_now(dev), sense_now(other)), ((0, 0, 0),) * 2, 'awake by ' + wake)
    for condition in (4, 5, 6, 8, 9, 0xc, 0xd, 0xe, 0xf):
        t.bad(start_stop(dev, condition << 4), INVALID_FIELD_CDB, 'POWER CONDITION %x' % condition, field=(4, 7))
    t.bad(dev.cmd([0x1b, 0, 0, 1, 0x20, 0]), INVALID_FIELD_CDB, 'a power condition modifier', field=(3, 0))
    # START and LOEJ mean nothing beside a power condition
    t.good(start_stop(dev, 0x12 if usage(dev, 0x1b)[4] & 2 else 0x10), 'active, and LOEJ')
    t.good(dev.cmd(TUR), 'the medium is there')


def main():
    with NoDiskDriver(), Target() as target:
        disk = target.device('rd_mcp', 'disk', 'rd_pages=64', removable=1)
        fixed = target.device('rd_mcp', 'fixed', 'rd_pages=64')
        tpg, second = target.loop(WWN), target.loop(WWN2)
        nodes = [tpg.lun(0, disk, 'scsi_generic'), second.lun(0, disk, 'scsi_generic'),
                 tpg.lun(1, fixed, 'scsi_generic'), second.lun(1, fixed, 'scsi_generic')]
        dev, other, dev1, other1 = (Device(n) for n in nodes)
        for d in (dev, other, dev1, other1):
            d.clear_ua()
        t.eq((read(disk + '/attrib/removable'), read(fixed + '/attrib/removable')), ('1\n', '0\n'), 'attributes')
        try:
            write(disk + '/attrib/removable', 0)
            t.ok(False, 'removable changed under a LUN')
        except OSError:
            t.ok(True, 'refused')
        test_fixed(dev1)
        test_eject(dev, other)
        test_prevent(dev, other)
        test_nexus_loss(target, second, disk, dev)
        for d in (dev, other, dev1, other1):
            d.clear_ua()
        test_power(dev, other)
        test_power(dev1, other1)
        for d in (dev, other, dev1, other1):
            d.close()
    t.end()


if __name__ == '__main__':
    main()
