#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Unit attentions of several I_T nexuses: who is told, which command tells, which takes them
(SAM-5 5.14, SPC-4 6.33, 6.39). Runs in a guest with tcm_test loaded."""
import os
import struct
import sys
import threading

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import tfab
from sgio import INVALID_FIELD_CDB, LUN_NOT_SUPPORTED, Sense, Table
from tfab import LUN_RESET, Session, Tpg

LUNS_CHANGED = (6, 0x3f, 0x0e)
RESET = (6, 0x29, 0x03)
INQUIRY_CHANGED = (6, 0x3f, 0x03)
MODE_CHANGED = (6, 0x2a, 0x01)
POWER_ON = (6, 0x29, 0x01)
LOST = (6, 0x29, 0x07)
NOTHING = (0, 0, 0)

t = Table('ua')


def report_luns(s, lun=0, select=0, alloc=512):
    return s.cmd(struct.pack('>BBBBBBIBB', 0xa0, 0, select, 0, 0, 0, alloc, 0, 0), din=512, lun=lun)


def request_sense(s, lun=0, desc=0):
    """What it says, as data"""
    r = s.cmd([0x03, desc, 0, 0, 252, 0], din=252, lun=lun)
    t.good(r, 'REQUEST SENSE')
    sense = Sense(r.data)
    t.eq(sense.desc, bool(desc), 'REQUEST SENSE DESC %d' % desc)
    return sense.code


def quiet(sessions, luns=(0, 1, 2)):
    for s in sessions:
        for lun in luns:
            s.clear_ua(lun)


def told_once(s, lun, code, what):
    t.eq(s.tur(lun).code, code, '%s: LUN %d of %s' % (what, lun, s.name))
    t.good(s.tur(lun), '%s: LUN %d of %s, told once' % (what, lun, s.name))


def report_luns_takes(tpg, dev, a, b):
    """REPORT LUNS tells nothing, and clears what it is about on every LUN of its own nexus."""
    quiet((a, b))
    tpg.lun(3, dev)
    for s in (a, b):
        for lun in (0, 1, 2):
            t.good(s.inquiry(lun), 'INQUIRY tells nothing')
            t.bad(s.cmd([0x12, 1, 0x7f, 0, 96, 0], din=96, lun=lun), INVALID_FIELD_CDB,
                  'INQUIRY for no page tells nothing else')
    r = report_luns(a, lun=1)
    t.good(r, 'REPORT LUNS tells nothing')
    t.eq(struct.unpack('>I', r.data[:4])[0], 32, 'REPORT LUNS, the new LUN is there')
    for lun in (0, 1, 2):
        t.good(a.tur(lun), 'REPORT LUNS on LUN 1 cleared it on LUN %d' % lun)
    told_once(a, 3, POWER_ON, 'REPORT LUNS leaves other conditions')
    for lun in (0, 1, 2):
        told_once(b, lun, LUNS_CHANGED, 'REPORT LUNS of another nexus')
    tpg.del_lun(3)
    for what, lun, select, alloc in (('SELECT REPORT 12h', 0, 0x12, 512), ('SELECT REPORT FFh', 1, 0xff, 512),
                                     ('an allocation length of 15', 2, 0, 15)):
        t.bad(report_luns(a, lun, select, alloc), INVALID_FIELD_CDB, 'REPORT LUNS, ' + what)
    for lun in (0, 1, 2):
        told_once(a, lun, LUNS_CHANGED, 'after a REPORT LUNS that was refused')
    t.good(report_luns(b, select=1), 'REPORT LUNS of well known LUNs')
    for lun in (0, 1, 2):
        t.good(b.tur(lun), 'any report clears it, on LUN %d' % lun)


def request_sense_takes(tpg, dev, a, b):
    """REQUEST SENSE returns a condition as data, and that clears it; on its LUN alone."""
    quiet((a, b))
    tpg.lun(3, dev)
    for desc in (0, 1):
        t.eq(request_sense(a, desc, desc), LUNS_CHANGED, 'REQUEST SENSE on LUN %d' % desc)
        t.eq(request_sense(a, desc, desc), NOTHING, 'REQUEST SENSE on LUN %d again' % desc)
        t.good(a.tur(desc), 'REQUEST SENSE took it on LUN %d' % desc)
    told_once(a, 2, LUNS_CHANGED, 'REQUEST SENSE on other LUNs')
    told_once(b, 0, LUNS_CHANGED, 'REQUEST SENSE on another nexus')
    tpg.del_lun(3)
    t.eq(request_sense(a, 3), LUN_NOT_SUPPORTED, 'REQUEST SENSE on a LUN that is gone')


def several(tpg, dev, a, b):
    """Conditions that wait together are told one by one, resets first."""
    quiet((a, b))
    tpg.lun(3, dev)
    t.eq(b.tmf(LUN_RESET, lun=0)[0], tfab.COMPLETE, 'LUN RESET')
    t.eq([a.tur(0).code for _ in range(3)], [RESET, LUNS_CHANGED, None], 'reset, LUNs changed')
    t.eq([b.tur(0).code for _ in range(3)], [RESET, LUNS_CHANGED, None], 'who asked for the reset is told, too')
    tpg.del_lun(3)
    quiet((a, b))
    tpg.lun(3, dev)
    b.tmf(LUN_RESET, lun=0)
    t.good(report_luns(a), 'REPORT LUNS between reset and its unit attention')
    t.eq([request_sense(a) for _ in range(2)], [RESET, NOTHING], 'the reset is still told')
    tpg.del_lun(3)


def d_sense(tpg, dev, a, b):
    """D_SENSE belongs to the logical unit; a reset puts it back."""
    quiet((a, b))
    page = bytearray(a.cmd([0x1a, 8, 0x0a, 0, 255, 0], din=255).data)
    page[0] = page[2] = 0       # MODE DATA LENGTH, DEVICE-SPECIFIC PARAMETER: reserved
    page[4 + 2] |= 4
    t.good(a.cmd([0x15, 0x10, 0, 0, len(page), 0], dout=page), 'MODE SELECT, D_SENSE')
    r = b.tur(0)
    t.ok(r.code == MODE_CHANGED and r.sense.desc, 'D_SENSE: the other nexus: %s' % r)
    t.ok(a.cmd([0xff] + [0] * 15).sense.desc, 'D_SENSE: descriptor format')
    t.eq(request_sense(a), NOTHING, 'D_SENSE: REQUEST SENSE goes by its own bit')
    b.tmf(LUN_RESET, lun=0)
    r = a.tur(0)
    t.ok(r.code == RESET and not r.sense.desc, 'D_SENSE: off after the reset: %s' % r)
    quiet((a, b))


def port_group(tpg, dev, a, b):
    """Which target port group a LUN is in is INQUIRY data: who may have read it is told."""
    def group(s, lun):
        page = s.cmd([0x12, 1, 0x83, 2, 0, 0], din=512, lun=lun).data
        at = 4
        while page[at + 1] & 0xf != 5:
            at += 4 + page[at + 3]
        return struct.unpack('>I', page[at + 4:at + 8])[0]

    quiet((a, b))
    os.mkdir(os.path.join(tfab.ROOT, 'core', dev, 'alua/g'))
    tfab.write('core/%s/alua/g/tg_pt_gp_id' % dev, 7)
    file = tpg.dir + '/lun/lun_1/alua_tg_pt_gp'
    for name, number in (('g', 7), ('g', 7), ('NULL', 0), ('g', 7)):
        before = group(a, 1)
        tfab.write(file, name)
        t.eq([group(a, lun) for lun in (0, 1, 2)], [0, number, 0], 'target port groups')
        for s in (a, b):
            if before != number:
                told_once(s, 1, INQUIRY_CHANGED, 'target port group of LUN 1 is %s' % name)
            t.good(s.tur(0), 'another LUN')
    os.rmdir(os.path.join(tfab.ROOT, 'core', dev, 'alua/g'))
    t.eq(group(a, 1), 0, 'the group is gone')
    told_once(a, 1, INQUIRY_CHANGED, 'the group is gone')
    quiet((a, b))


def nexus_again(tpg, dev, a, b):
    """A nexus that comes back is told that it was lost, of units that it had; of others that they came up."""
    quiet((a, b))
    with Session('t1', 1, 'i2') as s:
        t.eq([s.clear_ua(lun) for lun in (0, 1, 2)], [[POWER_ON]] * 3, 'a nexus that nobody knows')
    for how in ('gone before', 'a LUN is new', 'a LUN is another one'):
        if how == 'a LUN is new':
            tpg.lun(3, dev)
        elif how == 'a LUN is another one':
            tpg.del_lun(3)
            tpg.lun(3, dev)
        with Session('t1', 1, 'i2') as s:
            b.tmf(LUN_RESET, lun=0)
            t.eq(s.clear_ua(0), [RESET, LOST], how + ': a reset and the loss')
            t.eq([s.clear_ua(lun) for lun in (1, 2)], [[RESET, LOST]] * 2, how)
            if how != 'gone before':
                t.eq(s.clear_ua(3), [POWER_ON, RESET], how + ': of that LUN')
    tpg.del_lun(3)
    quiet((a, b))


def race(tpg, dev, a, rounds):
    """A change is seen in the list or told: never neither."""
    quiet((a,))
    lost = 0
    for i in range(rounds):
        change = threading.Thread(target=tpg.lun if i % 2 == 0 else tpg.del_lun,
                                  args=(3, dev) if i % 2 == 0 else (3,))
        change.start()
        for _ in range(i % 12):
            r = report_luns(a)
        r = report_luns(a)
        change.join()
        seen = (struct.unpack('>I', r.data[:4])[0] == 32) == (i % 2 == 0)
        lost += not seen and a.tur(0).code != LUNS_CHANGED
        a.clear_ua(0)
    t.eq(lost, 0, 'changes of %d that were neither seen nor told' % rounds)
    if rounds % 2:
        tpg.del_lun(3)


def main():
    dev = tfab.make_rd('d')
    tpg = Tpg(demo='rw').enable()
    for lun in (0, 1, 2):
        tpg.lun(lun, dev)
    with Session('t1', 1, 'i0') as a, Session('t1', 1, 'i1') as b:
        for part in (report_luns_takes, request_sense_takes, several, d_sense, port_group, nexus_again):
            part(tpg, dev, a, b)
        race(tpg, dev, a, 2000 if os.environ.get('TCM_LONG') else 200)
    tpg.destroy()
    tfab.del_dev(dev)
    t.end()


main()
