#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""A thousand LUNs: linked, mapped to an ACL, seen by sessions, taken away, by raw configfs. Run
under --icount: a guest nanosecond is an instruction, and a grace period for each LUN would show
as seconds."""
import os
import re
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import tfab
from sgio import Table
from tfab import Session, Tpg

LUNS = 1000
SESSIONS = 8
LIMIT = 2.0     # seconds for a thousand

t = Table('scale')


def timed(what, fn, limit=LIMIT):
    begin = time.monotonic()
    fn()
    took = time.monotonic() - begin
    print('scale: %-48s %.3f s' % (what, took), flush=True)
    t.ok(took < limit, '%s: %.3f s' % (what, took))


def main():
    dev = tfab.make_rd('r')
    target = os.path.join(tfab.ROOT, 'core', dev)
    tpg = Tpg().enable()
    tpg.acl('i0')
    lun_dir, acl_dir = tpg.path('lun', 'lun_%d'), tpg.path('acls', 'i0', 'lun_%d')
    sessions = [Session('t1', 1, 'i0') for _ in range(SESSIONS)]

    def link():
        for n in range(LUNS):
            os.mkdir(lun_dir % n)
            os.symlink(target, lun_dir % n + '/l')

    def mapped(luns):
        for n in luns:
            os.mkdir(acl_dir % n)
            os.symlink(lun_dir % n, acl_dir % n + '/l')

    def unmap():
        for n in range(LUNS):
            os.unlink(acl_dir % n + '/l')
            os.rmdir(acl_dir % n)

    def unlink():
        for n in range(LUNS):
            os.unlink(lun_dir % n + '/l')
            os.rmdir(lun_dir % n)

    timed('%d LUNs linked' % LUNS, link)
    # a file of configfs ends with its page: whole lines, as many as there is room for
    members = tfab.read('core/%s/alua/default_tg_pt_gp/members' % dev).split('\n')
    t.ok(100 < len(members) and sum(len(m) + 1 for m in members) > 4050, '%d members listed' % len(members))
    t.ok(all(re.fullmatch(r'test/t1/tpgt_1/lun_\d+', m) for m in members), 'the last member: %r' % members[-1])
    timed('200 LUNs mapped, %d sessions' % SESSIONS, lambda: mapped(range(200)), LIMIT / 5)
    timed('800 more', lambda: mapped(range(200, LUNS)))
    for s in sessions:
        t.eq(len(s.report_luns()), LUNS, 'LUNs of a session')
    s = sessions[0]
    for lun in range(0, LUNS, 37):
        s.clear_ua(lun)
        t.good(s.read(0, lun=lun), 'read of LUN %d' % lun)
    timed('a login with %d LUNs' % LUNS, lambda: sessions.append(Session('t1', 1, 'i0')), 0.1)
    timed('a logout', lambda: sessions.pop().close(), 0.1)
    timed('%d LUNs unmapped' % LUNS, unmap)
    t.eq(s.report_luns(), [0], 'LUNs afterwards')
    timed('mapped again', lambda: mapped(range(LUNS)))
    # links first: what is mapped loses its LUN
    timed('%d links removed under mapped LUNs' % LUNS,
          lambda: [os.unlink(lun_dir % n + '/l') for n in range(LUNS)])
    t.eq(s.report_luns(), [0], 'LUNs afterwards')
    timed('%d mapped LUNs without LUN removed' % LUNS, unmap)
    timed('%d LUN directories removed' % LUNS, lambda: [os.rmdir(lun_dir % n) for n in range(LUNS)])
    timed('linked again', link)
    timed('and unlinked', unlink)
    for s in sessions:
        s.close()
    tpg.destroy()
    tfab.del_dev(dev)
    t.end()


main()
