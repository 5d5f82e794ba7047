#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Everything is taken away under running I/O and under I/O that does not end: each configfs call
returns at once, commands end as they should, the names are free again, nothing is left.

tfab_remove.py [CYCLES]. Runs in a guest with tcm_test loaded."""
import errno
import mmap
import os
import select
import signal
import struct
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import tfab
from sgio import LUN_NOT_SUPPORTED, Table
from tfab import BH, DATA_HELD, STATUS_LATE, Held, Session, Tpg, wait_until

LIMIT = 5.0     # seconds for a configfs call, on an emulated machine that others share
NAMES = ('i0', 'i1')

t = Table('remove')
slowest = [0.0, '']


def timed(call, *args, **how):
    """A configfs call that is bounded in time."""
    begin = time.monotonic()
    call(*args, **how)
    took = time.monotonic() - begin
    what = '%s%r' % (getattr(call, '__name__', call), args)
    if took > slowest[0]:
        slowest[:] = [took, what]
    t.ok(took < LIMIT, '%s took %.2f s' % (what, took))


class Load:
    """An initiator, a process of its own, that keeps commands in flight until its session is gone.
    What it may see: GOOD, unit attentions, and that the LUN is no longer there."""

    def __init__(self, name, luns, how):
        self.name, self.luns, self.how = name, luns, how
        self.progress = mmap.mmap(-1, mmap.PAGESIZE)
        self.bad = []
        self.pipe, child = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            os.close(self.pipe)
            try:
                self.work()
            except BaseException as e:
                self.bad.append(repr(e))
            os.write(child, '\n'.join(self.bad[:20]).encode())
            os._exit(0)
        os.close(child)

    @property
    def good(self):
        return struct.unpack_from('=Q', self.progress)[0]

    def judge(self, r, closed=False):
        if r.good:
            struct.pack_into('=Q', self.progress, 0, self.good + 1)
        elif closed and r.status == tfab.TASK_ABORTED:
            pass        # its nexus had gone before it began, so it did not begin
        elif r.outcome != tfab.NOT_TAKEN and r.code != LUN_NOT_SUPPORTED and \
                (not r.code or r.code[0] != 6):
            self.bad.append(str(r))

    def work(self):
        s = Session('t1', 1, self.name, slots=24)
        s.clear_ua(200)
        i = 0
        try:
            while True:
                for _ in range(12):
                    i += 1
                    lun = self.luns[i % len(self.luns)]
                    if i % 3:
                        s.submit(tfab.cdb10(0x28, i % 512, 4), din=2048, lun=lun, flags=self.how)
                    else:
                        s.submit(tfab.cdb10(0x2a, i % 512, 4), dout=bytes(2048), lun=lun, flags=self.how)
                for _ in range(12):
                    self.judge(s.reap())
        except OSError as e:
            if e.errno != errno.ESHUTDOWN:
                raise
        while True:
            r = s.reap(orphans=True)
            if r is None:
                break
            self.judge(r, closed=True)
        # the end of the process closes the session

    def join(self, limit):
        """Wait until it has ended by itself; whether it has."""
        ended = bool(select.select([self.pipe], [], [], limit)[0])
        if ended:
            self.bad = os.read(self.pipe, 65536).decode().split('\n')
            self.bad = [b for b in self.bad if b]
        else:
            os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.pipe)
        return ended


class World:
    """Three backstores, a portal group, two ACLs that map them, initiators at work."""

    def __init__(self):
        self.h = Held('h')
        self.devs = [self.h.dev, tfab.make_rd('r'), tfab.make_rd('n', nullio=True, hba=1)]
        self.tpg = Tpg()
        for lun, dev in enumerate(self.devs):
            self.tpg.lun(lun, dev)
        for name in NAMES:
            self.tpg.acl(name)
            for lun in range(3):
                self.tpg.map(name, lun * 200, lun)
        self.tpg.enable()

    def start(self):
        self.loads = [Load(name, (200, 400), how) for name in NAMES for how in (0, BH, STATUS_LATE)]
        self.stuck = Session('t1', 1, 'i0')
        self.stuck.clear_ua()
        # reads the backend keeps, writes it keeps, writes whose data is on the way
        self.kept = [self.stuck.submit(tfab.cdb10(0x28, 8, 8), din=4096, flags=i & 1) for i in range(4)]
        self.kept += [self.stuck.submit(tfab.cdb10(0x2a, 0, 1), dout=bytes(512), flags=i & 1) for i in range(4)]
        self.waiting = [self.stuck.submit(tfab.cdb10(0x2a, 0, 1), dout=bytes(512), flags=DATA_HELD)
                        for _ in range(4)]
        wait_until(lambda: self.h.held() == 8 and self.stuck.info()[2] == 4, 'commands to be kept')

    # ---- what can be taken away ----

    def luns(self):
        for lun in range(3):
            timed(os.unlink, self.tpg.path('lun', 'lun_%d' % lun, 'link'))

    def lun_dirs(self):
        for lun in range(3):
            timed(os.rmdir, self.tpg.path('lun', 'lun_%d' % lun))

    def mapped(self):
        for name in NAMES:
            for lun in range(3):
                d = self.tpg.path('acls', name, 'lun_%d' % (lun * 200))
                timed(os.unlink, d + '/link')
                timed(os.rmdir, d)

    def acls(self):
        for name in NAMES:
            timed(os.rmdir, self.tpg.path('acls', name))

    def disable(self):
        timed(self.tpg.enable, False)

    def group(self):
        timed(os.rmdir, self.tpg.path())

    def target(self):
        timed(os.rmdir, os.path.join(tfab.ROOT, self.tpg.wwn_dir))

    def stores(self):
        for dev in self.devs:
            timed(tfab.del_dev, dev)


ORDERS = {
    'as targetcli does': 'mapped acls luns lun_dirs disable group target stores',
    'LUNs first': 'luns mapped lun_dirs acls disable group target stores',
    'disabled first': 'disable mapped luns lun_dirs acls group target stores',
    'never disabled': 'mapped luns lun_dirs acls group target stores',
}


def cycle(order, steps):
    w = World()
    w.start()
    wait_until(lambda: all(load.good > 20 for load in w.loads), 'I/O')
    for step in steps.split():
        getattr(w, step)()
        if step == 'luns' and w.stuck.info()[3]:
            # the data of a write arrives after its LUN has gone: it is still executed
            w.stuck.release(w.waiting[0])
            wait_until(lambda: tfab.held_everywhere() == 9, 'a late write to be kept')
    for load in w.loads:
        t.ok(load.join(20), '%s: an initiator hangs' % order)
        t.eq(load.bad[:3], [], '%s: what initiators saw' % order)
    # the same names at once, while the old device still has commands
    held = tfab.held_everywhere()
    t.ok(held >= 8, '%s: commands kept: %d' % (order, held))
    again = World()
    with Session('t1', 1, 'i1') as s:
        for lun in (200, 400):
            s.clear_ua(lun)
            t.good(s.read(0, lun=lun), '%s: the same names again' % order)
    again.tpg.destroy()
    again.stores()
    # the backend answers at last
    tfab.release_everything()
    ends = {}
    while True:
        r = w.stuck.reap(orphans=True, timeout=20)
        if r is None:
            break
        ends[r.tag] = r
    t.eq(sorted(ends), sorted(w.kept + w.waiting), '%s: commands that ended' % order)
    t.ok(all(ends[tag].good for tag in w.kept if tag in ends), '%s: what the backend had is done' % order)
    for tag in w.waiting:
        r = ends.get(tag)
        t.ok(r and (r.good or r.code == (0xb, 0, 0)), '%s: write without data: %s' % (order, r))
    w.stuck.close()
    t.eq(tfab.held_everywhere(), 0, '%s: accesses left' % order)
    return sum(load.good for load in w.loads)


def refs():
    """What holds the modules: nothing, once the last command is back."""
    counts = {}
    for m in ('tcm_test', 'target_core_rd'):
        with open('/sys/module/%s/refcnt' % m) as f:
            counts[m] = int(f.read())
    return counts


def memory():
    """kB in slabs that do not go by themselves, and in per-CPU areas"""
    with open('/proc/sys/vm/drop_caches', 'w') as f:
        f.write('3')
    with open('/proc/meminfo') as f:
        info = dict(line.split(':') for line in f)
    return int(info['SUnreclaim'].split()[0]), int(info['Percpu'].split()[0])


def hanging_poll():
    """A backend that hangs while it looks after its medium delays the end of that device only."""
    hang, other = Held('hang', hold=False), Held('other', hold=False, hba=1)
    tpg = Tpg().enable()
    for lun, h in enumerate((hang, other)):
        tpg.lun(lun, h.dev)
    hang.hang()
    wait_until(lambda: tfab.held_parameter('hanging') == 1, 'a poll() to hang')
    tpg.destroy()
    for h in (hang, other):
        timed(tfab.del_dev, h.dev)
    wait_until(lambda: tfab.held_parameter('devices') == 1, 'the other device to end')
    t.eq(tfab.held_parameter('hanging'), 1, 'the poll() hangs')
    third = Held('hang', hold=False)
    timed(tfab.del_dev, third.dev)
    wait_until(lambda: tfab.held_parameter('devices') == 1, 'the third device to end')
    tfab.release_everything()
    wait_until(lambda: tfab.held_parameter('devices') == 0, 'the device that hung to end')


def left_behind():
    """A LUN was taken away under commands a backend holds: who sent them may abort them."""
    h = Held('h')
    tpg = Tpg().enable()
    tpg.lun(0, h.dev)
    tpg.acl('i0')
    tpg.map('i0', 7, 0)
    s = Session('t1', 1, 'i0')
    s.clear_ua(7)
    tags = [s.submit(tfab.cdb10(0x28, i, 1), din=512, lun=7, flags=i & 1) for i in range(4)]
    wait_until(lambda: h.held() == 4, 'reads to be kept')
    timed(tpg.unmap, 'i0', 7)
    timed(tpg.del_lun, 0)
    t.eq(s.tmf(tfab.ABORT_TASK, lun=8, tag=tags[0]), (tfab.BAD_LUN, 0), 'abort on a LUN that never was')
    t.eq(s.tmf(tfab.ABORT_TASK, lun=7, tag=99), (tfab.BAD_LUN, 0), 'abort of nothing')
    t.eq(s.tmf(tfab.ABORT_TASK, lun=7, tag=tags[1]), (tfab.COMPLETE, 1), 'abort of a command left behind')
    t.eq(s.tmf(tfab.LUN_RESET, lun=7), (tfab.COMPLETE, 3), 'reset of those left behind')
    t.eq(s.tmf(tfab.LUN_RESET, lun=7), (tfab.BAD_LUN, 0), 'reset once more')
    timed(tfab.del_dev, h.dev)
    t.eq(tfab.held_everywhere(), 4, 'reads the backend has')
    tfab.release_everything()
    for tag in tags:
        t.eq(s.reap(tag).outcome, tfab.NO_RESPONSE, 'aborted command %d' % tag)
    s.close()
    tpg.destroy()
    wait_until(lambda: tfab.held_parameter('devices') == 0, 'the device to end')


def main():
    cycles = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    # the fabric's directory holds the module
    before = None
    total = 0
    for n in range(cycles):
        order = sorted(ORDERS)[n % len(ORDERS)]
        total += cycle(order, ORDERS[order])
        if n == 1:
            before = memory()
    print('remove: %d cycles, %d commands, slowest call %.3f s: %s' % (cycles, total, *slowest), flush=True)
    after = memory()
    print('remove: unreclaimable slab and per-CPU memory in kB: %s after two cycles, %s at the end'
          % (before, after), flush=True)
    if before:
        t.ok(after[0] - before[0] < 2048 + 20 * cycles, 'slab grew: %s %s' % (before, after))
        t.ok(after[1] - before[1] < 256 + 4 * cycles, 'per-CPU memory grew: %s %s' % (before, after))
    hanging_poll()
    left_behind()
    os.rmdir(os.path.join(tfab.ROOT, 'test'))
    wait_until(lambda: not any(refs().values()), 'modules to be free: %s' % refs())
    t.eq(os.listdir(os.path.join(tfab.ROOT, 'core')), ['alua'], 'left in core')
    t.end()


main()
