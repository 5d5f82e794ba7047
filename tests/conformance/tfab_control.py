#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""What the Control mode page changes (SPC-4 7.5.8): QERR, UA_INTLCK_CTRL, QUEUE ALGORITHM MODIFIER; and
the cache that is turned off.
Runs in a guest with tcm_test loaded."""
import os
import struct
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import tfab
from sgio import Table
from tfab import LUN_RESET, NO_RESPONSE, TASK_ABORTED, Held, Session, Tpg, wait_until

BUSY, CONFLICT, FULL = 0x08, 0x18, 0x28
COMMANDS_CLEARED, PREEMPTED = (6, 0x2f, 0x00), (6, 0x2a, 0x05)
MODE_CHANGED = (6, 0x2a, 0x01)
LUN_WAS_RESET = (6, 0x29, 0x03)
PREVIOUS_BUSY = (6, 0x2c, 0x0a)
PREVIOUS_CONFLICT = (6, 0x2c, 0x09)
PREVIOUS_FULL = (6, 0x2c, 0x0b)
LBA_OUT_OF_RANGE = (5, 0x21, 0)
WRITE_ERROR = (3, 0x0c, 0)
# field: byte, lowest bit, bits
FIELDS = {'QERR': (3, 1, 2), 'QAM': (3, 4, 4), 'INTLCK': (4, 4, 2), 'TAS': (5, 6, 1)}

t = Table('control')


class Rig:
    """Two nexuses of one device"""

    def __init__(self):
        self.h = Held('h', hold=False)
        self.tpg = Tpg().enable()
        self.tpg.lun(0, self.h.dev)
        for name in ('i0', 'i1', 'i2'):
            self.tpg.acl(name)
            self.tpg.map(name, 0, 0)
        self.s, self.other = Session('t1', 1, 'i0'), Session('t1', 1, 'i1')
        self.settle()

    def settle(self):
        """No unit attention is pending, also where they stay."""
        for sess in (self.s, self.other):
            while request_sense(sess)[0] == 6:
                pass

    def destroy(self):
        self.s.close()
        self.other.close()
        self.tpg.destroy()
        tfab.del_dev(self.h.dev)


def request_sense(s):
    d = s.cmd([3, 0, 0, 0, 18, 0], din=18).data
    return d[2] & 15, d[12], d[13]


def page(s, pc=0):
    r = s.cmd([0x1a, 8, pc << 6 | 0x0a, 0, 64, 0], din=64)
    return bytearray(r.data[4:16])


def field(s, name, pc=0):
    byte, low, bits = FIELDS[name]
    return page(s, pc)[byte] >> low & (1 << bits) - 1


def put(s, **fields):
    """MODE SELECT of fields"""
    data = page(s)
    data[0] &= 0x7f
    for name, value in fields.items():
        byte, low, bits = FIELDS[name]
        data[byte] = data[byte] & ~((1 << bits) - 1 << low) | value << low
    return s.cmd([0x15, 0x10, 0, 0, 16, 0], dout=bytes(4) + bytes(data))


def values(rig):
    """Each value of each field is taken, or refused when it is reserved; nothing else changes."""
    s = rig.s
    t.eq(page(s, 1)[2:6], bytes([0x24, 0x16, 0x38, 0x40]), 'what can be changed')
    for name, good, bad in (('QERR', (0, 1, 3), (2,)), ('QAM', (0, 1), (2, 3, 8)),
                            ('INTLCK', (0, 2, 3), (1,)), ('TAS', (0, 1), ())):
        was = field(s, name)
        for value in good:
            t.good(put(s, **{name: value}), '%s = %d' % (name, value))
            t.eq(field(s, name), value, name)
            t.eq(field(s, name, 2), was, name + ': the default value')
            rig.settle()
        for value in bad:
            now = page(s)
            t.eq(put(s, **{name: value}).code, (5, 0x26, 0), '%s = %d' % (name, value))
            t.eq(page(s), now, '%s = %d: nothing has changed' % (name, value))
        t.good(put(s, **{name: good[-1]}), name)
        s.tmf(LUN_RESET)
        rig.settle()
        t.eq(field(s, name), was, name + ' after a reset')
    for value, shown in ((1, 2), (2, 3), (0, 0)):
        rig.destroy()
        rig.__init__()
        s = rig.s
        t.good(put(s, INTLCK=shown), 'UA_INTLCK_CTRL')
        t.eq(tfab.read('core/%s/attrib/emulate_ua_intlck_ctrl' % rig.h.dev), str(value),
             'emulate_ua_intlck_ctrl follows UA_INTLCK_CTRL %d' % shown)
    rig.settle()


# QERR, TAS; what becomes of a command of the nexus and of another one, what the other is told
QERR = (
    (0, 0, 'good', 'good', []),
    (0, 1, 'good', 'good', []),
    (1, 0, 'gone', 'gone', [COMMANDS_CLEARED]),
    (1, 1, 'gone', 'tas', []),
    (3, 0, 'gone', 'good', []),
    (3, 1, 'gone', 'good', []),
)


def ended(r, how, what):
    want = {'good': lambda: r.good, 'gone': lambda: r.outcome == NO_RESPONSE,
            'tas': lambda: r.status == TASK_ABORTED}[how]
    t.ok(want(), '%s: wanted %s, got %s' % (what, how, r))


def qerr(rig):
    """A command ends with CHECK CONDITION: what becomes of the others in the task set?"""
    s, other = rig.s, rig.other
    for qerr, tas, mine, theirs, ua in QERR:
        for ordered in (False, True):
            what = 'QERR %d TAS %d%s' % (qerr, tas, ' ORDERED' if ordered else '')
            t.good(put(s, QERR=qerr, TAS=tas), what)
            rig.settle()
            rig.h.hold()
            tags = [(s, s.submit(tfab.cdb10(0x28, 8, 1), din=512)),
                    (other, other.submit(tfab.cdb10(0x28, 16, 1), din=512))]
            wait_until(lambda: rig.h.held() == 2, 'commands to be held')
            if ordered:
                # one that waits is aborted as one that runs
                tags.append((s, s.submit(tfab.cdb10(0x28, 8, 1), din=512, attr=tfab.ORDERED)))
            # this one ends at once: as HEAD OF QUEUE also beside an ORDERED one that waits
            r = s.cmd(tfab.cdb10(0x28, 0x7fffffff, 1), din=512, attr=tfab.HEAD_OF_QUEUE)
            t.eq(r.code, LBA_OUT_OF_RANGE, what + ': the one that fails')
            rig.h.hold(False)
            for sess, tag in tags:
                ended(sess.reap(tag), mine if sess is s else theirs, what)
            t.eq(other.clear_ua(), ua, what + ': the other nexus is told')
            t.eq(s.clear_ua(), [], what + ': the nexus itself')
            t.good(s.read(0), what + ': what comes later')
    t.good(put(s, QERR=0, TAS=1), 'as it was')
    rig.settle()


def interlock(rig):
    """UA_INTLCK_CTRL: unit attentions stay, and statuses become some."""
    s, other = rig.s, rig.other
    for ctrl in (0, 2, 3):
        what = 'UA_INTLCK_CTRL %d' % ctrl
        t.good(put(other, INTLCK=ctrl), what)
        rig.settle()
        other.tmf(LUN_RESET)
        # a reset has set it back
        rig.settle()
        # something is changed with it
        t.good(put(other, INTLCK=ctrl, TAS=0), what)
        told = [s.tur().code for _ in range(3)]
        t.eq(told, [MODE_CHANGED] * 3 if ctrl else [MODE_CHANGED, None, None], what + ': one that is pending')
        t.good(s.inquiry(), what + ': INQUIRY')
        t.eq(request_sense(s), MODE_CHANGED if ctrl else (0, 0, 0), what + ': REQUEST SENSE takes it')
        t.good(s.tur(), what + ': it is gone')
        # RESERVATION CONFLICT
        t.good(other.cmd([0x16, 0, 0, 0, 0, 0]), what + ': RESERVE(6)')
        for _ in range(2):
            r = s.read(0)
            t.ok(r.status == CONFLICT or (ctrl == 3 and r.code == PREVIOUS_CONFLICT), what + ': %s' % r)
        t.good(other.cmd([0x17, 0, 0, 0, 0, 0]), what + ': RELEASE(6)')
        t.eq(request_sense(s), PREVIOUS_CONFLICT if ctrl == 3 else (0, 0, 0), what + ': after a conflict')
        # BUSY
        rig.h.hold()
        tag = other.submit(tfab.cdb10(0x2a, 5, 1), dout=bytes(512))
        wait_until(lambda: rig.h.held() == 1, 'a write to be held')
        other.tmf(tfab.ABORT_TASK, tag=tag)
        t.ok(s.read(5).status == BUSY, what + ': BUSY')
        rig.h.hold(False)
        other.reap(tag)
        want = PREVIOUS_BUSY if ctrl == 3 else None
        t.eq(s.tur().code, want, what + ': after BUSY')
        t.eq(request_sense(s), want or (0, 0, 0), what + ': after BUSY, REQUEST SENSE')
        t.good(s.tur(), what + ': afterwards')
        # TASK SET FULL
        tfab.write('core/%s/attrib/task_nexus_max' % rig.h.dev, 1)
        rig.h.hold()
        tag = s.submit(tfab.cdb10(0x28, 5, 1), din=512)
        wait_until(lambda: rig.h.held() == 1, 'a read to be held')
        t.ok(s.read(6).status == FULL, what + ': TASK SET FULL')
        rig.h.hold(False)
        t.good(s.reap(tag), what + ': what filled it')
        tfab.write('core/%s/attrib/task_nexus_max' % rig.h.dev, 0)
        want = PREVIOUS_FULL if ctrl == 3 else None
        t.eq(s.tur().code, want, what + ': after TASK SET FULL')
        t.eq(request_sense(s), want or (0, 0, 0), what + ': after TASK SET FULL, REQUEST SENSE')
        t.good(s.tur(), what + ': afterwards')
    t.good(put(other, INTLCK=0), 'as it was')
    rig.settle()


def pr_out(s, sa, key, sa_key, kind=0):
    """Submit a PERSISTENT RESERVE OUT."""
    return s.submit(struct.pack('>BBBxxIx', 0x5f, sa, kind, 24), dout=struct.pack('>QQ8x', key, sa_key))


def preempted(rig):
    """Who lost commands by PREEMPT AND ABORT is told by TASK ABORTED, or by a unit attention."""
    s, victim = rig.s, rig.other
    idle = Session('t1', 1, 'i2')
    for tas in (1, 0):
        t.good(put(s, TAS=tas), 'TAS %d' % tas)
        for sess in (s, victim, idle):
            sess.clear_ua()
            t.good(sess.reap(pr_out(sess, 6, 0, 1 if sess is s else 2)), 'REGISTER AND IGNORE EXISTING KEY')
        rig.h.hold()
        tag = victim.submit(tfab.cdb10(0x28, 5, 1), din=512)
        wait_until(lambda: rig.h.held() == 1, 'a read to be held')
        t.good(s.reap(pr_out(s, 5, 1, 2)), 'PREEMPT AND ABORT, TAS %d' % tas)
        rig.h.hold(False)
        r = victim.reap(tag)
        t.eq((r.outcome, r.status), (tfab.RESPONSE, tfab.TASK_ABORTED) if tas else (tfab.NO_RESPONSE, None),
             'what was aborted, TAS %d' % tas)
        t.eq(victim.clear_ua(), ([] if tas else [COMMANDS_CLEARED]) + [PREEMPTED], 'who lost a command, TAS %d' % tas)
        t.eq(idle.clear_ua(), [PREEMPTED], 'who lost none, TAS %d' % tas)
        t.good(s.reap(pr_out(s, 3, 1, 0)), 'CLEAR')
    idle.close()
    rig.settle()


def restricted(rig):
    """QUEUE ALGORITHM MODIFIER 0: SIMPLE commands keep their order."""
    s, other = rig.s, rig.other
    for qam, together in ((1, 3), (0, 1), (1, 3), (0, 1)):
        t.good(put(s, QAM=qam), 'QUEUE ALGORITHM MODIFIER %d' % qam)
        rig.settle()
        rig.h.hold()
        tags = [(sess, sess.submit(tfab.cdb10(0x28, i, 1), din=512))
                for i, sess in enumerate((s, other, s))]
        left = 3
        while left:
            wait_until(lambda: rig.h.held() >= together, 'commands to be held')
            s.inquiry()
            t.eq(rig.h.held(), together, 'QUEUE ALGORITHM MODIFIER %d: together' % qam)
            rig.h.release()
            for sess, tag in tags[:together]:
                t.good(sess.reap(tag), 'QUEUE ALGORITHM MODIFIER %d' % qam)
            tags = tags[together:]
            left -= together
        rig.h.hold(False)
    rig.settle()


def caching(s, wce):
    """MODE SELECT of WCE"""
    r = s.cmd([0x1a, 8, 8, 0, 64, 0], din=64)
    data = bytearray(4) + r.data[4:24]
    data[4] &= 0x7f
    data[4 + 2] = data[4 + 2] & ~4 | wce << 2
    return s.cmd([0x15, 0x10, 0, 0, 24, 0], dout=data)


def flushed(rig, what, turn_off):
    """WCE goes to 0, and what is in the cache to the medium: who sees 0 flushes no more."""
    rig.h.hold()
    turn_off()
    try:
        wait_until(lambda: rig.h.held() == 1, 'a flush')
        t.ok(True, what)
    except RuntimeError as e:
        t.ok(False, '%s: %s' % (what, e))
    rig.h.hold(False)


def cache(rig):
    """The write cache is turned off by others than MODE SELECT, which waits for its flush itself."""
    s = rig.s
    attr = 'core/%s/attrib/emulate_write_cache' % rig.h.dev
    t.eq(tfab.read(attr), '1', 'emulate_write_cache')
    flushed(rig, 'emulate_write_cache', lambda: tfab.write(attr, 0))
    rig.settle()
    t.good(caching(s, 1), 'WCE 1')
    rig.settle()
    flushed(rig, 'LUN RESET takes WCE back', lambda: s.tmf(LUN_RESET))
    t.eq(tfab.read(attr), '0', 'emulate_write_cache after a reset')
    rig.settle()
    # nothing falls: nothing is flushed
    rig.h.hold()
    s.tmf(LUN_RESET)
    tfab.write(attr, 1)
    s.tmf(LUN_RESET)
    rig.settle()
    t.eq(rig.h.held(), 0, 'no flush')
    rig.h.hold(False)


def cache_late(rig):
    """A write that is under way when the cache is turned off is not in what is flushed then: it has a
    flush of its own before it ends."""
    s, block = rig.s, b'x' * 512
    attr = 'core/%s/attrib/emulate_write_cache' % rig.h.dev
    for what, cdb, dout, reads in (
            ('WRITE', tfab.cdb10(0x2a, 8, 1), block, False),
            ('WRITE SAME', tfab.cdb10(0x41, 8, 4), block, False),
            ('COMPARE AND WRITE', struct.pack('>BBQ3xBBB', 0x89, 0, 8, 1, 0, 0), block * 2, True)):
        for fua in (False, True):
            if fua and what == 'WRITE SAME':
                continue
            if fua:
                cdb = bytes([cdb[0], 8]) + cdb[2:]
            tfab.write(attr, 1)
            rig.settle()
            rig.h.hold()
            tag = s.submit(cdb, dout=dout)
            wait_until(lambda: rig.h.held() == 1, what)
            if reads:
                rig.h.release()
                wait_until(lambda: rig.h.held() == 1, what + ' writes')
            tfab.write(attr, 0)
            wait_until(lambda: rig.h.held() == 2, 'the flush')
            rig.h.release(1)
            if fua:
                t.good(s.reap(tag), what + ' with FUA')
            else:
                time.sleep(0.05)
                t.eq((rig.h.held(), s.reap(tag, block=False)), (2, None), what + ': its own flush')
            rig.h.hold(False)
            if not fua:
                t.good(s.reap(tag), what)
    rig.settle()


def cache_lost(rig):
    """What a flush could not write may be anybody's data: each nexus is told, and once."""
    sync = [0x35] + [0] * 9
    for what, cdb, din, answered in (
            ('SYNCHRONIZE CACHE', sync, 0, False), ('SYNCHRONIZE CACHE, IMMED', [0x35, 2] + [0] * 8, 0, True),
            ('READ, FUA', [0x28, 8] + [0] * 6 + [1, 0], 512, False), ('STOP', [0x1b] + [0] * 5, 0, False)):
        rig.settle()
        rig.h.fail(1)
        r = rig.s.cmd(cdb, din=din)
        t.ok(r.status == 0 if answered else r.code == WRITE_ERROR, '%s that fails: %s' % (what, r))
        rig.h.fail(0)
        if cdb is not sync:
            t.bad(rig.s.cmd(sync), WRITE_ERROR, what + ', the same nexus')
        t.good(rig.s.cmd(sync), what + ', who was told')
        t.bad(rig.other.cmd(sync), WRITE_ERROR, what + ', another nexus')
        t.good(rig.other.cmd(sync), what + ', it is told once')


def main():
    rig = Rig()
    for part in (values, qerr, interlock, preempted, restricted, cache, cache_late, cache_lost):
        print('control: %s' % part.__name__, flush=True)
        part(rig)
    rig.destroy()
    t.eq(tfab.held_everywhere(), 0, 'accesses left')
    t.end()


main()
