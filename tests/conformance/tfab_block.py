#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Removal over a block device that stops answering: tfab_block.py DEVICE, a device mapper device
that is suspended and resumed. Runs in a guest with tcm_test loaded."""
import errno
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import tfab
from sgio import Table
from tfab import ABORT_TASK, BH, COMPLETE, LUN_RESET, NO_RESPONSE, STATUS_LATE, Session, Tpg, wait_until

IN_FLIGHT = 100
# each answer within a second, on a machine that is as fast as it should be
LIMIT = 1.0 * int(os.environ.get('VM_SLOW', '1'))

t = Table('block')


def timed(call, *args):
    begin = time.monotonic()
    try:
        return call(*args)
    finally:
        took = time.monotonic() - begin
        t.ok(took < LIMIT, '%s%r took %.2f s' % (call.__name__, args, took))


def dm(*args):
    subprocess.run(['dmsetup', *args], check=True, stdout=subprocess.DEVNULL)


def log_since(mark):
    return subprocess.run(['dmesg'], check=True, stdout=subprocess.PIPE, text=True).stdout.split(mark)[-1]


def used(dev, n):
    """Export a device, write to it, and take everything away but the backstore."""
    tpg = Tpg().enable()
    tpg.lun(0, dev)
    tpg.acl('i0')
    tpg.map('i0', 0, 0)
    with Session('t1', 1, 'i0') as s:
        s.clear_ua()
        t.good(s.write(n, bytes([n]) * 512), '%s: write %d' % (dev, n))
    tpg.destroy()


def openers(path):
    done = subprocess.run(['dmsetup', 'info', '-c', '--noheadings', '-o', 'open', path], check=True,
                          stdout=subprocess.PIPE, text=True)
    return int(done.stdout)


def let_go(path):
    """Without commands out, the medium is nobody's when rmdir of its backstore returns."""
    for n in range(20):
        # who wrote to it last lets udev look at it
        subprocess.run(['udevadm', 'settle'], check=False)
        dev = tfab.make_iblock('b', path)
        used(dev, n)
        timed(tfab.del_dev, dev)
        t.eq(openers(path), 0, 'iblock, round %d: who has it open' % n)
        try:
            os.close(os.open(path, os.O_RDWR | os.O_EXCL))
        except OSError as e:
            t.ok(False, 'iblock, round %d: %s' % (n, e))
            return
    for n in range(5):
        os.makedirs('/tmp/fs', exist_ok=True)
        subprocess.run(['mount', '-t', 'tmpfs', 'tmpfs', '/tmp/fs'], check=True)
        dev = tfab.make_file('f', '/tmp/fs/medium')
        used(dev, n)
        timed(tfab.del_dev, dev)
        done = subprocess.run(['umount', '/tmp/fs'], stderr=subprocess.PIPE, text=True)
        t.eq((done.returncode, done.stderr), (0, ''), 'file, round %d: umount' % n)
        if done.returncode:
            return


def stopped(path, name, way):
    """The device stops answering, everything is removed, it answers again."""
    dev = tfab.make_iblock('b', path)
    tpg = Tpg().enable()
    tpg.lun(0, dev)
    tpg.acl('i0')
    tpg.map('i0', 0, 0)
    s = Session('t1', 1, 'i0')
    s.clear_ua()
    t.good(s.write(0, bytes(4096)), 'write before')
    dm('suspend', '--noflush', '--nolockfs', name)
    tags = []
    for i in range(IN_FLIGHT):
        cdb = tfab.cdb10(0x2a if i % 4 == 0 else 0x28, 8 * i, 8)
        data = {'dout': bytes([i]) * 4096} if i % 4 == 0 else {'din': 4096}
        tags.append(timed(lambda: s.submit(cdb, flags=(0, BH, STATUS_LATE)[i % 3], **data)))
    wait_until(lambda: s.info()[0] == IN_FLIGHT, 'commands in flight')
    if way == 'reset':
        t.eq(timed(s.tmf, ABORT_TASK, 0, tags[3]), (COMPLETE, 1), 'abort of one')
        t.eq(timed(s.tmf, LUN_RESET), (COMPLETE, IN_FLIGHT - 1), 'reset of the others')
    if way == 'logout':
        timed(s.logout)
    for step in (lambda: tpg.unmap('i0', 0), lambda: os.rmdir(tpg.path('acls', 'i0')),
                 lambda: tpg.del_lun(0), lambda: os.rmdir(tpg.path()),
                 lambda: os.rmdir(os.path.join(tfab.ROOT, tpg.wwn_dir)), lambda: tfab.del_dev(dev)):
        timed(step)
    # a device that still has orphans is not taken by a second backstore
    mark = 'tcm-test-mark-%d' % time.monotonic_ns()
    with open('/dev/kmsg', 'w') as f:
        f.write(mark + '\n')
    try:
        timed(tfab.make_iblock, 'b', path)
        t.ok(False, '%s: a device with orphans was opened again' % way)
    except OSError as e:
        t.eq(errno.errorcode[e.errno], 'EBUSY', '%s: enable while orphans are out' % way)
    t.ok('refused' in log_since(mark), '%s: and a line says why' % way)
    tfab.del_dev('iblock_0/b')
    dm('resume', name)
    results = []
    while True:
        r = s.reap(orphans=True)
        if r is None:
            break
        results.append(r)
    t.eq(sorted(r.tag for r in results), tags, '%s: every command ended' % way)
    want = (lambda r: r.outcome == NO_RESPONSE) if way == 'reset' else (lambda r: r.good)
    t.eq([str(r) for r in results if not want(r)], [], '%s: how they ended' % way)
    s.close()

    def opens():
        try:
            tfab.write('core/iblock_0/b/enable', 1)
            return True
        except OSError:
            return False
    os.makedirs(os.path.join(tfab.ROOT, 'core/iblock_0/b'))
    tfab.write('core/iblock_0/b/control', 'udev_path=%s' % path)
    wait_until(opens, 'the device to be free again')
    tfab.del_dev('iblock_0/b')


def main():
    path = sys.argv[1]
    let_go(path)
    for way in ('', 'reset', 'logout'):
        stopped(path, os.path.basename(path), way)
    t.end()


main()
