#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Everything is taken away under running I/O and under I/O that does not end: each configfs call
returns at once, commands end as they should, the names are free again, nothing is left.

tfab_remove.py [CYCLES]. Runs in a guest with tcm_test loaded."""
import errno
import os
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import tfab
from sgio import LUN_NOT_SUPPORTED, Table
from tfab import BH, DATA_HELD, STATUS_LATE, Held, Session, Tpg, wait_until

LIMIT = 2.0     # seconds for a configfs call, on an emulated machine that others share
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


class Load(threading.Thread):
    """An initiator that keeps commands in flight until its session is gone or it is stopped. What it
    may see: GOOD, unit attentions, and that the LUN is no longer there."""

    def __init__(self, name, luns, how):
        super().__init__()
        self.s = Session('t1', 1, name, slots=24)
        self.luns, self.how = luns, how
        self.stopped = False
        self.good = self.gone = 0
        self.bad = []

    def judge(self, r):
        if r.good:
            self.good += 1
        elif r.code == LUN_NOT_SUPPORTED:
            self.gone += 1
        elif not r.code or r.code[0] != 6:
            self.bad.append(str(r))

    def run(self):
        i = 0
        try:
            while not self.stopped:
                for _ in range(12):
                    i += 1
                    lun = self.luns[i % len(self.luns)]
                    if i % 3:
                        self.s.submit(tfab.cdb10(0x28, i % 512, 4), din=2048, lun=lun, flags=self.how)
                    else:
                        self.s.submit(tfab.cdb10(0x2a, i % 512, 4), dout=bytes(2048), lun=lun, flags=self.how)
                for _ in range(12):
                    self.judge(self.s.reap())
        except OSError as e:
            if e.errno != errno.ESHUTDOWN:
                self.bad.append(str(e))
        while True:
            r = self.s.reap(orphans=True, block=False) if self.s.info()[3] else self.s.reap(orphans=True)
            if r is None:
                break
            self.judge(r)


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
        for load in self.loads:
            load.s.clear_ua(200)
            load.start()
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
        load.join(20)
        t.ok(not load.is_alive(), '%s: an initiator hangs' % order)
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
    for load in w.loads:
        load.s.close()
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
    os.rmdir(os.path.join(tfab.ROOT, 'test'))
    wait_until(lambda: not any(refs().values()), 'modules to be free: %s' % refs())
    t.eq(os.listdir(os.path.join(tfab.ROOT, 'core')), ['alua'], 'left in core')
    t.end()


main()
