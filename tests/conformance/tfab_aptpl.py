#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Reservations that outlive a power cycle, over the test fabric: names that would say more in the
file than who they are of, and a restore while a PERSISTENT RESERVE OUT is out.

tfab_aptpl.py FOLDER. Runs in a guest with tcm_test loaded; FOLDER is dbroot, which can be frozen."""
import errno
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import tfab
from pr import CLEAR, REGISTER, REGISTER_IGNORE, RELEASE_6, RESERVE_6, plist, prin, prout
from sgio import Table
from tfab import Session, Tpg

SERIAL = '6a1b6a1b-0000-4000-8000-00000000ab1f'
APTPL, ALL_TG_PT = 1, 4
NO_RESOURCES = (5, 0x55, 4)
BUSY, CONFLICT = 8, 0x18
NAMES = ('iqn.2026-11.org.x:a,res_holder=1,res_type=03', 'iqn.2026-11.org.x:a=b', 'iqn.2026-11.org.x:a b',
         'iqn.2026-11.org.x:a\nPR_REG_END: 0\n', 'iqn.2026-11.org.x:\x7f', 'a,b')

t = Table('aptpl')


def pr_out(s, sa, key, sa_key, flags=0):
    return s.submit(prout(sa), dout=plist(key, sa_key, flags))


def keys(s):
    data = s.cmd(prin(0), din=256).data
    return [int.from_bytes(data[at:at + 8], 'big') for at in range(8, 8 + int.from_bytes(data[4:8], 'big'), 8)]


def saved(root):
    with open('%s/pr/aptpl_%s' % (root, SERIAL)) as f:
        return f.read()


def login(name):
    s = Session('t1', 1, name)
    s.clear_ua()
    return s


def names(root, tpg):
    """The file is restored a registration a line, split at commas: no name may have one."""
    good = login('iqn.2026-11.org.x:\u00e4')
    for name in NAMES:
        bad = login(name)
        for sa in (REGISTER, REGISTER_IGNORE):
            for flags in (0, APTPL, ALL_TG_PT):
                t.bad(bad.reap(pr_out(bad, sa, 0, 5, flags)), NO_RESOURCES, 'register %r' % name)
            t.good(bad.reap(pr_out(bad, sa, 0, 0)), 'register nothing, %r' % name)
        t.good(good.reap(pr_out(good, REGISTER_IGNORE, 0, 7, APTPL)), 'register')
        t.eq(keys(bad), [7], 'keys')
        t.eq(saved(root).count('sa_res_key='), 1, 'registrations in the file')
        bad.close()
    t.good(good.reap(pr_out(good, CLEAR, 7, 0)), 'CLEAR')
    good.close()


def freeze(root, on=True):
    subprocess.run(['fsfreeze', '-f' if on else '-u', root], check=True)


def reserve(root, tpg, dev):
    """RESERVE of SPC-2 and registrations exclude each other, also while a file is written."""
    a, b = login('i0'), login('i1')
    for who in (a, b):
        freeze(root)
        tag = pr_out(a, REGISTER_IGNORE, 0, 5, APTPL)
        time.sleep(.5)
        t.ok(a.reap(tag, block=False) is None, 'a registration waits for its file')
        t.eq(who.cmd(RESERVE_6).status, BUSY, '%s: RESERVE meanwhile' % who.name)
        t.good(who.cmd(RELEASE_6), '%s: RELEASE meanwhile' % who.name)
        freeze(root, False)
        t.good(a.reap(tag), 'the registration')
        t.eq(who.cmd(RESERVE_6).status, CONFLICT, '%s: RESERVE afterwards' % who.name)
        t.eq(keys(a), [5], 'keys')
        t.good(a.reap(pr_out(a, CLEAR, 5, 0)), 'CLEAR')
        t.good(who.cmd(RESERVE_6), '%s: RESERVE when nobody is registered' % who.name)
        for s in (a, b):
            t.eq(s.reap(pr_out(s, REGISTER_IGNORE, 0, 5, APTPL)).status, CONFLICT, '%s: REGISTER then' % s.name)
        t.good(who.cmd(RELEASE_6), '%s: RELEASE' % who.name)
    a.close()
    b.close()


def restore(root, tpg, dev):
    """What is restored is not lost to a registration that comes later, nor that to it."""
    line = ('initiator_fabric=test,initiator_node=i1,sa_res_key=9,res_holder=0,res_all_tg_pt=0,mapped_lun=0,'
            'target_fabric=test,target_node=t1,tpgt=1,port_rtpi=1,target_lun=0')
    attr = 'core/%s/pr/res_aptpl_metadata' % dev
    s = login('i0')
    freeze(root)
    tag = pr_out(s, REGISTER_IGNORE, 0, 5, APTPL)
    time.sleep(1)
    t.ok(s.reap(tag, block=False) is None, 'a registration waits for its file')
    tpg.del_lun(0)
    try:
        tfab.write(attr, line)
        t.ok(False, 'a restore meanwhile')
    except OSError as e:
        t.eq(e.errno, errno.EBUSY, 'a restore meanwhile')
    freeze(root, False)
    t.good(s.reap(tag), 'the registration')
    tfab.write(attr, line)
    tpg.lun(0, dev)
    s.clear_ua()
    t.eq(keys(s), [5, 9], 'keys')
    t.good(s.reap(pr_out(s, CLEAR, 5, 0)), 'CLEAR')
    s.close()


def main():
    root = sys.argv[1]
    tfab.write('dbroot', root)
    dev = tfab.make_rd('d')
    tfab.write('core/%s/wwn/vpd_unit_serial' % dev, SERIAL)
    tpg = Tpg(demo='rw').enable()
    tpg.lun(0, dev)
    names(root, tpg)
    reserve(root, tpg, dev)
    restore(root, tpg, dev)
    tpg.destroy()
    tfab.del_dev(dev)
    t.end()


main()
