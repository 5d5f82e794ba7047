#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Copies by whom, from and to what: mappings that are write protected, reservations of others, units
that an initiator has no LUN for (each access of a copy is the initiator's own). Runs in a guest
with tcm_test loaded."""
import os
import struct
import sys

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import odx_test
import pr
import tfab
from copy_test import UNREACHABLE, blocks, cscd, plist
from sgio import GOOD, Table, WRITE_PROTECTED
from tfab import Session, Tpg

BS, N = 512, 64
CONFLICT = 0x18
ASKED = 3
LUNS = {'i0': (0, 1, ASKED), 'i1': (0, 1, 2, ASKED)}
A, B, OLD = (bytes([x]) * BS * N for x in b'AB-')

t = Table('access')


class View:
    """A LUN of a session, as copy_test and odx_test know a disk"""

    def __init__(self, sess, lun):
        self.sess, self.lun, self.dev = sess, lun, self

    def cmd(self, cdb, data_in=0, data_out=b'', timeout=20):
        return self.sess.cmd(cdb, din=data_in, dout=data_out, lun=self.lun, timeout=timeout)


class Rig:
    """i0 has LUNs 0 and 1, and 3, which copies by lists are asked of; i1 has LUN 2, too."""

    def __init__(self):
        self.devs = [tfab.make_rd('d%d' % n) for n in range(4)]
        self.tpg = Tpg().enable()
        for n, dev in enumerate(self.devs):
            tfab.write('core/%s/wwn/vpd_unit_serial' % dev, str(n + 1) * 25 + '\n')
            self.tpg.lun(n, dev)
        for name, luns in LUNS.items():
            self.tpg.acl(name)
            for n in luns:
                self.tpg.map(name, n, n)
        self.s, self.other = Session('t1', 1, 'i0'), Session('t1', 1, 'i1')
        self.settle()
        self.naa = [self.other.naa(n) for n in range(3)]

    def settle(self):
        for sess, luns in zip((self.s, self.other), LUNS.values()):
            for n in luns:
                sess.clear_ua(n)

    def fill(self):
        for lun, data in enumerate((A, OLD, B)):
            t.good(self.other.write(0, data, lun=lun), 'fill')

    def reserve(self, lun, kind):
        for sa, key, sa_key in ((pr.REGISTER_IGNORE, 0, 7), (pr.RESERVE, 7, 0)):
            t.good(self.other.cmd(pr.prout(sa, kind if sa == pr.RESERVE else 0), dout=pr.plist(key, sa_key), lun=lun), 'reserved')

    def clear(self, lun):
        t.good(self.other.cmd(pr.prout(pr.CLEAR), dout=pr.plist(7), lun=lun), 'CLEAR')

    def destroy(self):
        self.s.close()
        self.other.close()
        self.tpg.destroy()
        for dev in self.devs:
            tfab.del_dev(dev)


def lid1(rig, source, dest):
    p = plist([cscd(rig.naa[source]), cscd(rig.naa[dest])], [blocks(N, 0, 0)])
    return rig.s.cmd(struct.pack('>BB8xIBB', 0x83, 0, len(p), 0, 0), dout=p, lun=ASKED)


def lid4(rig, source, dest):
    p = odx_test.list4([cscd(rig.naa[source]), cscd(rig.naa[dest])], [blocks(N, 0, 0, 1, 2)], 9)
    return odx_test.copy4(View(rig.s, ASKED), p)


def by_token(rig, source, dest):
    """What was populated is used; the first that fails"""
    first = View(rig.s, source)
    r = odx_test.populate(first, 5, odx_test.populate_list(odx_test.ranges((0, N))))
    if r.status != GOOD:
        return r
    r = odx_test.told(first, 5)
    if r.status != GOOD:
        return r
    token = odx_test.Info(r.data).token
    return odx_test.write_using(View(rig.s, dest), 6, odx_test.write_list(token, odx_test.ranges((0, N))))


def protect(lun):
    return (lambda rig: rig.tpg.protect('i0', lun, 1), lambda rig: rig.tpg.protect('i0', lun, 0))


def reserve(lun, kind):
    return (lambda rig: rig.reserve(lun, kind), lambda rig: rig.clear(lun))


def reserve_6(lun):
    return (lambda rig: t.good(rig.other.cmd(pr.RESERVE_6, lun=lun), 'RESERVE(6)'),
            lambda rig: t.good(rig.other.cmd(pr.RELEASE_6, lun=lun), 'RELEASE(6)'))


NOTHING = (lambda rig: None, lambda rig: None)

# What is in the way; from and to which unit; whether it is copied (True), or what a copy by lists and
# one by a token end with: RESERVATION CONFLICT, or sense data
CASES = (
    ('nothing', NOTHING, 0, 1, True, True),
    ('the source is write protected', protect(0), 0, 1, True, True),
    ('the destination is write protected', protect(1), 0, 1, WRITE_PROTECTED, WRITE_PROTECTED),
    # what POPULATE TOKEN has made is not told of (SPC-4 5.13.1)
    ('the source has Write Exclusive', reserve(0, pr.WE), 0, 1, True, CONFLICT),
    ('the source has Exclusive Access', reserve(0, pr.EA), 0, 1, CONFLICT, CONFLICT),
    ('the source has RESERVE(6)', reserve_6(0), 0, 1, CONFLICT, CONFLICT),
    ('the destination has Write Exclusive', reserve(1, pr.WE), 0, 1, CONFLICT, CONFLICT),
    ('the destination has Exclusive Access', reserve(1, pr.EA), 0, 1, CONFLICT, CONFLICT),
    ('the destination has Write Exclusive, registrants only', reserve(1, pr.WERO), 0, 1, CONFLICT, CONFLICT),
    ('the destination has RESERVE(6)', reserve_6(1), 0, 1, CONFLICT, CONFLICT),
    ('the destination is not there', NOTHING, 0, 2, UNREACHABLE, None),
    ('the source is not there', NOTHING, 2, 1, UNREACHABLE, None),
    ('who is asked has Write Exclusive', reserve(ASKED, pr.WE), 0, 1, CONFLICT, None),
)


def judged(rig):
    for what, (begin, end), source, dest, by_list, token in CASES:
        for how, want in ((lid1, by_list), (lid4, by_list), (by_token, token)):
            name = '%s, %s' % (what, how.__name__)
            if want is None:
                continue
            rig.fill()
            begin(rig)
            r = how(rig, source, dest)
            end(rig)
            rig.settle()
            if want is True:
                t.good(r, name)
            elif want == CONFLICT:
                t.eq(r.status, CONFLICT, name)
            else:
                t.bad(r, want, name)
            there = A if want is True else B if dest == 2 else OLD
            t.ok(rig.other.read(0, N, lun=dest).data == there, name + ': what is there')


def given(rig):
    """A token is the right to read what it stands for: whoever has it needs no LUN for its unit."""
    rig.fill()
    whose = View(rig.other, 2)
    t.good(odx_test.populate(whose, 5, odx_test.populate_list(odx_test.ranges((0, N)))), 'POPULATE TOKEN')
    token = odx_test.Info(odx_test.told(whose, 5).data).token
    used = odx_test.write_list(token, odx_test.ranges((0, N)))
    t.good(odx_test.write_using(View(rig.s, 1), 6, used), 'WRITE USING TOKEN of a unit of another initiator')
    t.ok(rig.s.read(0, N, lun=1).data == B, 'what a given token wrote')
    rig.tpg.protect('i0', 1, 1)
    t.bad(odx_test.write_using(View(rig.s, 1), 6, used), WRITE_PROTECTED, 'a given token')
    rig.tpg.protect('i0', 1, 0)


def main():
    rig = Rig()
    judged(rig)
    given(rig)
    rig.destroy()
    t.end()


main()
