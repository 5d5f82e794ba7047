#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Commands that pass through and are aborted while they wait for a tag of the device's queue.

    tfab_pass.py BACKSTORE

BACKSTORE is a folder below core/, of a disk of scsi_debug whose queue has one tag. Runs in a guest with tcm_test loaded."""
import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from sgio import Table
from tfab import (ABORT_TASK, ABORT_TASK_SET, COMPLETE, LUN_RESET, ROOT, Session, Tpg, cdb10, wait_until)

ORPHANS = '/sys/kernel/debug/tcm/orphans'
DELAY = '/sys/bus/pseudo/drivers/scsi_debug/ndelay'
SECONDS = 0.9
A, B = b'\xaa' * 512, b'\xbb' * 512

t = Table('passed')


def orphans():
    with open(ORPHANS) as f:
        return f.read().splitlines()


def slow(on):
    with open(DELAY, 'w') as f:
        f.write('%d' % (SECONDS * 1e9 * on))


def end(s, func, tag):
    """Whoever waits for that command does not any more; a logical unit reset takes both."""
    if func is None:
        s.close()
    else:
        t.eq(s.tmf(func, tag=tag), (COMPLETE, 2 if func == LUN_RESET else 1), 'function %d: answer and commands' % func)


def waits_for_tag(other, func):
    """The device has a write of another initiator; this one's is aborted before it has a tag."""
    what = 'a session that ends' if func is None else 'function %d' % func
    s = Session('t1', 1, 'i0')
    s.clear_ua()
    for lba in (1000, 2000):
        t.good(other.write(lba, A), what)
        s.clear_ua()
    slow(True)
    begin = time.monotonic()
    first = other.submit(cdb10(0x2a, 1000, 1), dout=B)
    second = s.submit(cdb10(0x2a, 2000, 1), dout=B)
    end(s, func, second)
    t.ok(time.monotonic() - begin < SECONDS * 0.8, what + ': both were there at once')
    wait_until(lambda: not orphans(), what + ': both to be back')
    t.ok(time.monotonic() - begin > SECONDS * 0.8, what + ': the disk was slow')
    slow(False)
    if func != LUN_RESET:
        t.good(other.reap(first), what + ': the write before it')
    other.clear_ua()
    r = other.read(1000)
    t.ok(r.good and r.data == B, what + ': what the device had was written')
    r = other.read(2000)
    t.ok(r.good and r.data == A, what + ': what had not begun was not')
    s.close()


def main():
    tpg = Tpg().enable()
    tpg.lun(0, sys.argv[1])
    for name in ('i0', 'i1'):
        tpg.acl(name)
        tpg.map(name, 0, 0)
    with Session('t1', 1, 'i1') as other:
        other.clear_ua()
        for func in (ABORT_TASK, ABORT_TASK_SET, LUN_RESET, None):
            waits_for_tag(other, func)
    tpg.destroy()
    os.rmdir(os.path.join(ROOT, 'test'))
    t.end()


if __name__ == '__main__':
    main()
