#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Statistics in configfs: a known number of commands gives exactly that number at the device, at the
LUN and at the mapped LUN, and they stay when what counted them goes. Runs in a guest with tcm_test
loaded."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import tfab
from sgio import INVALID_OPCODE, LBA_OUT_OF_RANGE, Table
from tfab import ABORT_TASK, COMPLETE, LUN_RESET, NO_RESPONSE, QUERY_TASK, WARM_RESET, Held, Session, Tpg, \
    wait_until

BLOCKS = 2048   # of a MiB

t = Table('stat')


class Counts:
    """What was done, of one thing that counts"""

    def __init__(self, what, group, cmds):
        self.what, self.group, self.cmds = what, group, cmds
        self.want = [0, 0, 0]

    def add(self, cmds, read=0, write=0):
        """So many commands; of them bytes read and written"""
        self.want = [a + b for a, b in zip(self.want, (cmds, read, write))]

    def got(self):
        return [int(tfab.read('%s/statistics/%s/%s' % (self.what, self.group, name)))
                for name in (self.cmds, 'read_mbytes', 'write_mbytes')]

    def check(self, when):
        cmds, read, write = self.want
        t.eq(self.got(), [cmds, read >> 20, write >> 20], '%s: %s' % (when, self.what))


class Rig:
    """A device that is two LUNs of a portal group, for an initiator each"""

    def __init__(self):
        self.h = Held('h', size=8 << 20, hold=False)
        self.tpg = Tpg().enable()
        self.sessions, self.chains = [], []
        self.dev = Counts('core/' + self.h.dev, 'scsi_lu', 'num_cmds')
        for i, number in enumerate((5, 0)):
            name = 'i%d' % i
            self.tpg.lun(i, self.h.dev)
            self.tpg.acl(name)
            self.tpg.map(name, number, i)
            self.sessions.append((Session('t1', 1, name), number))
            self.chains.append((
                self.dev,
                Counts('%s/lun/lun_%d' % (self.tpg.dir, i), 'scsi_tgt_port', 'in_cmds'),
                Counts('%s/acls/%s/lun_%d' % (self.tpg.dir, name, number), 'scsi_auth_intr', 'num_cmds')))

    def counted(self, i, *how):
        for counts in self.chains[i]:
            counts.add(*how)

    def check(self, when):
        for counts in {c for chain in self.chains for c in chain}:
            counts.check(when)


def transfers(rig):
    """Commands of both initiators"""
    for i, (s, lun) in enumerate(rig.sessions):
        rig.counted(i, len(s.clear_ua(lun)) + 1)
        rig.check('unit attentions of %d' % i)
        for n in range(3 + i):
            t.ok(s.read(n * BLOCKS, BLOCKS, lun).good, 'a read')
            rig.counted(i, 1, 1 << 20)
        for n in range(2 + i):
            t.ok(s.write(n * BLOCKS, bytes(1 << 20), lun).good, 'a write')
            rig.counted(i, 1, 0, 1 << 20)
        rig.check('whole MiBs of %d' % i)
        for n in range(9):
            t.ok(s.read(n, BLOCKS // 4, lun).good, 'a short read')
            rig.counted(i, 1, 1 << 18)
            t.ok(s.write(n, bytes(512), lun).good, 'a short write')
            rig.counted(i, 1, 0, 512)
            rig.check('parts of a MiB of %d, %d' % (i, n))
        # Counted, but nothing was moved.
        t.bad(s.read(1 << 20, BLOCKS, lun), LBA_OUT_OF_RANGE, 'a read beyond the end')
        t.bad(s.cmd([0xff] * 6, lun=lun), INVALID_OPCODE, 'no such command')
        rig.counted(i, 2)
        rig.check('failures of %d' % i)


def management(rig):
    """Resets and aborts, which are the device's"""
    s, lun = rig.sessions[0]
    names = 'resets', 'aborts_complete', 'aborts_no_task'

    def got():
        return [int(tfab.read('core/%s/statistics/scsi_tgt_dev/%s' % (rig.h.dev, n))) for n in names] + \
            [int(tfab.read('core/%s/statistics/scsi_lu/resets' % rig.h.dev))]

    t.eq(got(), [0, 0, 0, 0], 'before')
    rig.h.hold()
    for n in range(3):
        tag = s.submit(tfab.cdb10(0x28, 0, 1), din=512, lun=lun)
        wait_until(lambda: rig.h.held() == 1, 'a read to be held')
        t.eq(s.tmf(ABORT_TASK, lun, tag), (COMPLETE, 1), 'ABORT TASK')
        rig.h.release()
        t.eq(s.reap(tag).outcome, NO_RESPONSE, 'what was aborted')
        t.eq(got(), [0, n + 1, 0, 0], 'a task aborted')
    rig.h.hold(False)
    for n in range(2):
        t.eq(s.tmf(ABORT_TASK, lun, 0xdead), (COMPLETE, 0), 'ABORT TASK of none')
        s.tmf(QUERY_TASK, lun, 0xdead)
    t.eq(got(), [0, 3, 2, 0], 'tasks that are not there')
    s.tmf(LUN_RESET, lun)
    t.eq(got(), [1, 3, 2, 1], 'LOGICAL UNIT RESET')
    s.tmf(WARM_RESET)
    t.eq(got(), [2, 3, 2, 2], 'TARGET RESET')
    # Three reads that were aborted: commands, of whose data the initiator got nothing, but it was read.
    rig.counted(0, 3, 3 * 512)
    for i, (who, number) in enumerate(rig.sessions):
        rig.counted(i, len(who.clear_ua(number)) + 1)
    rig.check('after task management')


def main():
    rig = Rig()
    transfers(rig)
    management(rig)
    for s, _ in rig.sessions:
        s.close()
    rig.check('without sessions')
    for i, (s, lun) in enumerate(rig.sessions):
        again = Session('t1', 1, 'i%d' % i)
        rig.counted(i, len(again.clear_ua(lun)) + 1)
        rig.check('a session of %d again' % i)
        again.close()
    rig.tpg.destroy()
    wait_until(lambda: rig.dev.got()[0] == rig.dev.want[0], 'the counts of the LUNs to be the device\'s')
    rig.dev.check('without LUNs')
    tfab.del_dev(rig.h.dev)
    t.end()


main()
