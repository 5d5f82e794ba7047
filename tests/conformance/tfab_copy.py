#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""EXTENDED COPY from and to a medium that answers when it is told to: what an end of the copy, or
of its nexus, leaves behind. Runs in a guest with tcm_test loaded."""
import os
import re
import struct
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import tfab
from sgio import Table
from tfab import (ABORT_TASK, ABORT_TASK_SET, CLEAR_TASK_SET, COMPLETE, LUN_RESET, NO_RESPONSE, Held,
                  Session, Tpg, wait_until)

BUSY = 0x08
COPY_ABORTED = (0xa, 0, 0)
ORPHANS = '/sys/kernel/debug/tcm/orphans'
BS, SIZE = 512, 4 << 20
CHUNK = (256 << 10) // BS       # what a copy moves at once, in blocks
LANES = 4                       # so many of them are under way
A, B, ZERO = (bytes([x]) * BS for x in b'AB\0')

t = Table('copy')


def orphans():
    with open(ORPHANS) as f:
        return f.read().splitlines()


class Rig:
    """LUN 0 is held, LUN 1 is free"""

    def __init__(self):
        self.h, self.free = Held('h', SIZE, hold=False), Held('free', SIZE, hba=1, hold=False)
        self.tpg = Tpg().enable()
        for n, dev in enumerate((self.h.dev, self.free.dev)):
            tfab.write('core/%s/wwn/vpd_unit_serial' % dev, str(n + 1) * 25 + '\n')
            self.tpg.lun(n, dev)
        for name in ('i0', 'i1'):
            self.tpg.acl(name)
            for n in range(2):
                self.tpg.map(name, n, n)
        self.other = self.login('i1')
        self.naa = [self.other.naa(n) for n in range(2)]

    @staticmethod
    def login(name):
        s = Session('t1', 1, name)
        for n in range(2):
            s.clear_ua(n)
        return s

    def copy(self, s, to, n, immed=False, ident=0, lun=1):
        """Set n blocks from 0 on of the other unit on their way to the same of unit `to`."""
        base = 1 if immed else 0
        cscds = b''.join(b'\xe4\0\0\0' + d.ljust(28, b'\0') for d in (self.naa[1 - to], self.naa[to]))
        segment = struct.pack('>BBHHHHHQQ', 2, 0, 0x18, base, base + 1, 0, n, 0, 0)
        if immed:
            p = struct.pack('>BBH11xBB3xI18xHHH', 1, 0, 0x20, 1, 0xff, ident, len(cscds), len(segment), 0)
        else:
            p = struct.pack('>BBHIII', ident, 3 << 3, len(cscds), 0, len(segment), 0)
        p += cscds + segment
        return s.submit(struct.pack('>BB8xIBB', 0x83, int(immed), len(p), 0, 0), dout=p, lun=lun)

    def fill(self, lun, n, block):
        """Blocks from 0 on become what `block` is."""
        for lba in range(0, n, CHUNK):
            t.good(self.other.write(lba, block * CHUNK, lun=lun), 'fill')

    def status4(self, s, ident):
        """COPY OPERATION STATUS of RECEIVE COPY STATUS(LID4)"""
        cdb = struct.pack('>BBI4xIBB', 0x84, 5, ident, 64, 0, 0)
        return s.cmd(cdb, din=64, lun=1).data[5]

    def destroy(self):
        self.other.close()
        self.tpg.destroy()
        tfab.del_dev(self.h.dev)
        tfab.del_dev(self.free.dev)


def ended(rig, sessions, what):
    """A copy to the held unit has been ended while it had a chunk with each lane: those keep their
    blocks until they are back, all others are free, and nothing else is copied."""
    lines = [line for line in orphans() if line.startswith('copy ')]
    t.eq(len(lines), LANES, what + ': chunks that are orphans')
    for n, line in enumerate(sorted(lines, key=lambda x: int(x.split('blocks ')[1].split('-')[0]))):
        t.ok(re.match(r'copy fenced age \d+ ms waits for test h blocks %d-%d$' %
                      (n * CHUNK, (n + 1) * CHUNK - 1), line), line)
    for s in sessions:
        for lba in (0, CHUNK - 1, CHUNK, LANES * CHUNK - 1):
            r = s.write(lba, B)
            t.ok(r.status == BUSY, '%s: block %d while it is being copied to: %s' % (what, lba, r))
        t.good(s.tur(), what + ': TEST UNIT READY')
    tag = sessions[0].submit(tfab.cdb10(0x2a, LANES * CHUNK, 1), dout=B)
    wait_until(lambda: rig.h.held() == LANES + 1, what + ': a block that was not copied to')
    # those of the copy, then that one
    rig.h.release(LANES + 1)
    t.good(sessions[0].reap(tag), what + ': a block that was not copied to')
    wait_until(lambda: not orphans(), what + ': the chunks to be back')
    rig.h.hold(False)
    for s in sessions:
        for lba in (0, LANES * CHUNK - 1):
            t.good(s.write(lba, B), what + ': once they are back')
    time.sleep(0.05)
    t.eq(rig.h.held(), 0, what + ': accesses of a copy that was ended')
    for lba, data in ((0, B), (1, A), (LANES * CHUNK - 1, B), (LANES * CHUNK + 1, ZERO)):
        r = sessions[0].read(lba)
        t.ok(r.good and r.data == data, '%s: what is read at %d' % (what, lba))


def under_way(rig, s, immed=False, ident=0):
    """A copy of twice as much as is under way at once, to the held unit: its lanes are held."""
    rig.fill(0, 2 * LANES * CHUNK, ZERO)
    rig.h.hold()
    tag = rig.copy(s, 0, 2 * LANES * CHUNK, immed, ident)
    wait_until(lambda: rig.h.held() == LANES, 'the chunks of a copy')
    if immed:
        t.good(s.reap(tag), 'EXTENDED COPY, IMMED')
    return tag


def aborted(rig):
    """By task management of the unit that was asked, or of the one that is copied to"""
    for func, lun in ((ABORT_TASK, 1), (ABORT_TASK_SET, 1), (CLEAR_TASK_SET, 1), (LUN_RESET, 1),
                      (LUN_RESET, 0)):
        what = 'function %d of LUN %d' % (func, lun)
        s = rig.login('i0')
        tag = under_way(rig, s)
        t.eq(s.tmf(func, lun=lun, tag=tag), (COMPLETE, int(lun == 1)), what)
        for sess in (s, rig.other):
            sess.clear_ua(0)
            sess.clear_ua(1)
        ended(rig, (s, rig.other), what)
        r = s.reap(tag)
        if lun == 1:
            t.eq(r.outcome, NO_RESPONSE, what + ': the copy')
        else:
            t.eq(r.code, COPY_ABORTED, what + ': the copy')
        s.close()


def background(rig):
    """One that nobody waits for: LOGICAL UNIT RESET of either unit"""
    for lun in (0, 1):
        what = 'in the background, reset of LUN %d' % lun
        s = rig.login('i0')
        under_way(rig, s, True, lun + 1)
        t.eq(s.tmf(LUN_RESET, lun=lun), (COMPLETE, 0), what)
        for sess in (s, rig.other):
            sess.clear_ua(0)
            sess.clear_ua(1)
        ended(rig, (s, rig.other), what)
        t.eq(rig.status4(s, lun + 1), 0x60, what + ': COPY OPERATION STATUS')
        s.close()


def nexus_loss(rig):
    """The nexus goes, and comes again: nothing of the copy's comes over what it writes then."""
    for immed in (False, True):
        for how in ('logout', 'close'):
            what = '%s%s' % (how, ', in the background' if immed else '')
            s = rig.login('i0')
            under_way(rig, s, immed, 9 if immed else 0)
            getattr(s, how)()
            again = rig.login('i0')
            ended(rig, (again, rig.other), what)
            again.close()
            s.close()


def wiped(rig):
    """The unit that is copied to is formatted while chunks of the copy are being read: nothing is
    written to it any more."""
    for n, what in ((LANES * CHUNK, 'FORMAT UNIT at the last chunks'), (2 * LANES * CHUNK, 'FORMAT UNIT')):
        s = rig.login('i0')
        rig.fill(0, n, A)
        rig.fill(1, n, B)
        rig.h.hold()
        tag = rig.copy(s, 1, n)
        wait_until(lambda: rig.h.held() == LANES, 'the chunks of a copy to be read')
        t.good(rig.other.cmd(bytes([4, 0, 0, 0, 0, 0]), lun=1), what)
        rig.h.hold(False)
        t.eq(s.reap(tag).code, COPY_ABORTED, what + ': the copy')
        for lba in (0, CHUNK, LANES * CHUNK - 1):
            t.ok(s.read(lba, lun=1).data == ZERO, '%s: what is read at %d' % (what, lba))
        s.close()


def by_backend(rig):
    """A chunk that the backend copies is fenced as a whole when it is ended."""
    n = 2 * LANES * CHUNK
    s = rig.login('i0')
    rig.fill(0, n, ZERO)
    rig.h.control('copy=1')
    rig.h.hold()
    tag = rig.copy(s, 0, n)
    wait_until(lambda: rig.h.held() == 1, 'the copy')
    t.eq(s.tmf(ABORT_TASK, lun=1, tag=tag), (COMPLETE, 1), 'ABORT TASK')
    for lba in (0, n - 1):
        t.eq(s.write(lba, B).status, BUSY, 'block %d while the backend copies' % lba)
    rig.h.release()
    t.eq(s.reap(tag).outcome, NO_RESPONSE, 'the copy')
    rig.h.hold(False)
    t.good(s.write(0, B), 'afterwards')
    t.eq(orphans(), [], 'orphans')
    rig.h.control('copy=0')
    s.close()


def exclusive(rig):
    """The backend, which does not lock the source, does not see an exclusive command half done."""
    s = rig.login('i0')
    rig.fill(0, CHUNK, ZERO)
    rig.fill(1, CHUNK, ZERO)
    rig.free.control('copy=1')
    for late in (False, True):
        data = (A, B)[late] * 2
        rig.h.hold()
        caw = s.submit(struct.pack('>BBQ3xBBB', 0x89, 0, 8, 2, 0, 0), dout=(ZERO, A)[late] * 2 + data)
        wait_until(lambda: rig.h.held() == 1, 'COMPARE AND WRITE reads')
        if late:
            rig.h.release()
            wait_until(lambda: rig.h.held() == 1, 'COMPARE AND WRITE writes')
        tag = rig.copy(rig.other, 1, CHUNK)
        time.sleep(0.05)
        t.ok(rig.other.reap(tag, block=False) is None, 'the copy waits')
        rig.h.hold(False)
        t.good(s.reap(caw), 'COMPARE AND WRITE')
        t.good(rig.other.reap(tag), 'the copy')
        t.eq(s.read(8, 2, lun=1).data, data, 'what was copied')
    rig.free.control('copy=0')
    s.close()


def exclusive_later(rig):
    """Nor one that begins while the backend copies: that waits, if it is about these blocks."""
    s = rig.login('i0')
    rig.fill(0, CHUNK, B)
    rig.fill(1, 2 * CHUNK, ZERO)
    rig.h.control('copy=1')
    rig.h.hold()
    tag = rig.copy(s, 0, CHUNK)
    wait_until(lambda: rig.h.held() == 1, 'the copy')
    caw = [rig.other.submit(struct.pack('>BBQ3xBBB', 0x89, 0, lba, 2, 0, 0), dout=ZERO * 2 + A * 2, lun=1)
           for lba in (CHUNK - 1, CHUNK + 1)]
    t.good(rig.other.reap(caw[1]), 'COMPARE AND WRITE behind what is copied')
    time.sleep(0.05)
    t.ok(rig.other.reap(caw[0], block=False) is None, 'COMPARE AND WRITE of what is copied waits')
    rig.h.hold(False)
    t.good(s.reap(tag), 'the copy')
    t.good(rig.other.reap(caw[0]), 'COMPARE AND WRITE')
    t.eq(s.read(CHUNK - 1).data, ZERO, 'what was copied')
    t.eq(s.read(CHUNK - 1, 2, lun=1).data, A * 2, 'what was written')
    rig.h.control('copy=0')
    s.close()


def cache_off(rig):
    """A chunk that is under way while the write cache is turned off has a flush of its own."""
    attr = 'core/%s/attrib/emulate_write_cache' % rig.h.dev
    t.eq(tfab.read(attr), '1', 'emulate_write_cache')
    for by_backend in (0, 1):
        tfab.write(attr, 1)
        s = rig.login('i0')
        rig.h.control('copy=%d' % by_backend)
        rig.h.hold()
        tag = rig.copy(s, 0, CHUNK)
        wait_until(lambda: rig.h.held() == 1, 'the copy')
        tfab.write(attr, 0)
        wait_until(lambda: rig.h.held() == 2, 'the flush of all there was')
        rig.h.release(1)
        time.sleep(0.05)
        t.eq((rig.h.held(), s.reap(tag, block=False)), (2, None), 'its own flush, by the backend %d' % by_backend)
        rig.h.hold(False)
        t.good(s.reap(tag), 'the copy')
        # none with writes that are forced ones
        rig.h.hold()
        tag = rig.copy(s, 0, CHUNK)
        wait_until(lambda: rig.h.held() == 1, 'the copy')
        rig.h.release(1)
        t.good(s.reap(tag), 'a copy without a cache')
        rig.h.hold(False)
        s.close()
    rig.h.control('copy=0')
    tfab.write(attr, 1)
    rig.other.clear_ua()


def main():
    rig = Rig()
    rig.fill(1, 2 * LANES * CHUNK, A)
    for part in (aborted, background, nexus_loss, wiped, by_backend, exclusive,
                 exclusive_later, cache_off):
        begin = time.monotonic()
        part(rig)
        print('copy: %s, %.0f s' % (part.__name__, time.monotonic() - begin), flush=True)
    rig.destroy()
    t.eq(tfab.held_everywhere(), 0, 'accesses left')
    t.end()


main()
