#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Sessions, ACLs and LUN tables: who sees which LUN under which number, what it is told when
that changes, and what ends a session. Runs in a guest with tcm_test loaded."""
import errno
import os
import sys
import threading

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import tfab
from sgio import INVALID_FIELD_CDB, LUN_NOT_SUPPORTED, WRITE_PROTECTED, Table
from tfab import BH, DATA_HELD, DATA_LATER, STATUS_LATE, Session, Tpg

POWER_ON = 0x29
LUNS_CHANGED = (6, 0x3f, 0x0e)
NUMBERS = {0: 0, 5: 1, 255: 2, 300: 3, 16383: 0, 16384: 1, 70000: 2, 0xffffff: 3}

t = Table('session')


def refused(code, what, call, *args, **how):
    """The call fails with this errno."""
    try:
        call(*args, **how)
    except OSError as e:
        return t.eq(errno.errorcode.get(e.errno), errno.errorcode[code], what)
    return t.ok(False, '%s: accepted' % what)


def block(mark):
    return bytes([mark]) * 512


def logins(devs):
    """Who may log in, and what demo mode shows."""
    refused(errno.ENODEV, 'login to no portal group', Session, 't1', 9, 'i0')
    tpg = Tpg()
    tpg.lun(0, devs[0])
    tpg.lun(300, devs[1])
    refused(errno.ECONNREFUSED, 'login to a group that is off', Session, 't1', 1, 'i0')
    tpg.enable()
    refused(errno.EACCES, 'login without ACL', Session, 't1', 1, 'i0')
    for demo in ('rw', 'ro'):
        Tpg(demo=demo)
        with Session('t1', 1, 'i0') as s:
            t.eq(s.report_luns(), [0, 300], 'demo %s: LUNs' % demo)
            for lun in (0, 300):
                ua = s.clear_ua(lun)
                t.ok(len(ua) == 1 and ua[0][1] == POWER_ON, 'demo %s: unit attention %r' % (demo, ua))
                t.good(s.read(0, lun=lun), 'demo %s: read' % demo)
                r = s.write(0, block(1), lun=lun)
                if demo == 'rw':
                    t.good(r, 'demo rw: write')
                else:
                    t.bad(r, WRITE_PROTECTED, 'demo ro: write')
            t.bad(s.tur(1), LUN_NOT_SUPPORTED, 'demo: a LUN that is not there')
            tpg.lun(1, devs[2])
            t.eq(s.report_luns(), [0, 1, 300], 'demo: a LUN that came')
            tpg.del_lun(1)
            t.eq(s.report_luns(), [0, 300], 'demo: and went')
    tfab.write(tpg.dir + '/attrib/generate_node_acls', 0)
    refused(errno.EACCES, 'login after demo mode', Session, 't1', 1, 'i0')
    tpg.destroy()
    refused(errno.ENODEV, 'login to a group that is gone', Session, 't1', 1, 'i0')


def numbers(tpg, devs):
    """LUN numbers of an ACL are its own, whatever the addressing method."""
    tpg.acl('i0')
    for number, lun in NUMBERS.items():
        tpg.map('i0', number, lun)
    refused(errno.EACCES, 'login of another initiator', Session, 't1', 1, 'i1')
    with Session('t1', 1, 'I0') as s:
        t.eq(sorted(s.report_luns()), sorted(NUMBERS), 'LUNs of the ACL')
        for number in NUMBERS:
            t.good(s.inquiry(number), 'LUN %d: INQUIRY before the unit attention' % number)
            r = s.tur(number)
            t.ok(r.code and r.code[:2] == (6, POWER_ON), 'LUN %d: first command: %s' % (number, r))
            t.good(s.tur(number), 'LUN %d: second command' % number)
        # each device is seen under two numbers
        for number, lun in NUMBERS.items():
            t.good(s.write(lun, block(number & 0xff ^ 0x5a), lun=number), 'LUN %d: write' % number)
            for other, same in NUMBERS.items():
                if same == lun:
                    r = s.read(lun, lun=other)
                    t.ok(r.good and r.data == block(number & 0xff ^ 0x5a),
                         'LUN %d: what was written as %d: %s' % (other, number, r))
        for lun in (1, 4, 256, 16382, 0xfffffe):
            t.bad(s.tur(lun), LUN_NOT_SUPPORTED, 'LUN %d' % lun)
        # not a single level LUN, not a method that stands for one
        for field in ('0000000100000000', '4005000000000001', '8005000000000000', 'd200012c00000001',
                      'c101000000000000', 'e200000000000000'):
            t.bad(s.tur(bytes.fromhex(field)), LUN_NOT_SUPPORTED, 'LUN field ' + field)
    tpg.del_acl('i0')


def protection(tpg, devs):
    """write_protect takes effect at once, for the sessions of its ACL alone."""
    for name in ('i0', 'i1'):
        tpg.acl(name)
        tpg.map(name, 0, 0)
    tpg.map('i0', 400, 0, write_protect=True)
    with Session('t1', 1, 'i0') as s, Session('t1', 1, 'i1') as other:
        for sess, lun in ((s, 0), (s, 400), (other, 0)):
            sess.clear_ua(lun)
        t.good(s.write(0, block(1)), 'write to LUN 0')
        t.bad(s.write(0, block(2), lun=400), WRITE_PROTECTED, 'write to the same as protected LUN 400')
        t.good(s.read(0, lun=400), 'read of LUN 400')
        for on in (True, False, True):
            tpg.protect('i0', 0, on)
            r = s.write(0, block(3))
            if on:
                t.bad(r, WRITE_PROTECTED, 'write after write_protect 1')
            else:
                t.good(r, 'write after write_protect 0')
            t.good(other.write(0, block(4)), 'write of another initiator')
        tpg.protect('i0', 400, False)
        t.good(s.write(0, block(5), lun=400), 'write to LUN 400, no longer protected')
    with Session('t1', 1, 'i0') as s:
        s.clear_ua()
        t.bad(s.write(0, block(6)), WRITE_PROTECTED, 'write in the next session')
    tpg.del_acl('i0')
    tpg.del_acl('i1')


def changes(tpg, devs):
    """What a session is told when its LUNs change: it, and nobody else."""
    for name in ('i0', 'i1'):
        tpg.acl(name)
        tpg.map(name, 0, 0)
        tpg.map(name, 300, 1)
    with Session('t1', 1, 'i0', isid=b'\0\2\75\0\0\1') as s, \
            Session('t1', 1, 'i0', isid=b'\0\2\75\0\0\2') as twin, Session('t1', 1, 'i1') as other:
        everyone = (s, twin, other)
        for sess in everyone:
            sess.clear_ua(0)
            sess.clear_ua(300)
        tpg.map('i0', 7, 2)
        for sess in (s, twin):
            t.eq(sess.clear_ua(0), [LUNS_CHANGED], 'LUN 0 after a LUN came')
            t.eq(sess.clear_ua(300), [LUNS_CHANGED], 'LUN 300 after a LUN came')
            ua = sess.clear_ua(7)
            t.ok(len(ua) == 1 and ua[0][1] == POWER_ON, 'the LUN that came: %r' % ua)
            t.eq(sess.report_luns(), [0, 7, 300], 'LUNs')
        t.eq(other.clear_ua(0), [], 'another initiator after a LUN came')
        t.eq(other.report_luns(), [0, 300], 'LUNs of another initiator')

        tpg.unmap('i0', 300)
        for sess in (s, twin):
            t.bad(sess.tur(300), LUN_NOT_SUPPORTED, 'the LUN that went')
            t.eq(sess.clear_ua(0), [LUNS_CHANGED], 'LUN 0 after a LUN went')
            t.eq(sess.report_luns(), [0, 7], 'LUNs')
        t.good(other.tur(300), 'the same LUN of another initiator')

        # REPORT LUNS is how the initiator looks: the condition ends on every LUN (SPC-4 6.33)
        tpg.map('i0', 9, 3)
        t.eq(s.report_luns(), [0, 7, 9], 'LUNs')
        t.eq(s.clear_ua(0) + s.clear_ua(7), [], 'after REPORT LUNS')
        t.eq(twin.clear_ua(0), [LUNS_CHANGED], 'the other session after REPORT LUNS')

        # a LUN behind the group that the ACL does not map
        tpg.lun(40, devs[2])
        t.eq(s.clear_ua(0), [], 'after a LUN came that is not mapped')
        tpg.del_lun(40)

        # the LUN's link goes before the mapped LUN
        os.unlink(tpg.path('lun', 'lun_2', 'link'))
        t.bad(s.tur(7), LUN_NOT_SUPPORTED, 'mapped LUN without its LUN')
        t.eq(s.report_luns(), [0, 9], 'LUNs')
        refused(errno.EBUSY, 'rmdir of a LUN that is mapped', os.rmdir, tpg.path('lun', 'lun_2'))
        tpg.unmap('i0', 7)
        os.symlink(os.path.join(tfab.ROOT, 'core', devs[2]), tpg.path('lun', 'lun_2', 'link'))
        tpg.map('i0', 7, 2)
        t.ok(s.clear_ua(7), 'the LUN mapped again')
        t.good(s.read(0, lun=7), 'read of it')
    tpg.del_acl('i0')
    tpg.del_acl('i1')


def conversion(tpg, devs):
    """A demo mode session becomes one of an ACL that is made later."""
    Tpg(demo='rw')
    with Session('t1', 1, 'i0') as s:
        t.eq(s.report_luns(), [0, 1, 2, 3], 'demo mode')
        for lun in range(4):
            s.clear_ua(lun)
        t.eq(os.listdir(tpg.path('acls')), [], 'demo mode sessions have no directory')
        t.eq(tfab.read(tpg.dir + '/dynamic_sessions'), 'i0', 'dynamic_sessions')
        tpg.acl('i0')
        t.eq(tfab.read(tpg.dir + '/dynamic_sessions'), '', 'dynamic_sessions with an ACL')
        t.eq(s.report_luns(), [0, 1, 2, 3], 'LUNs after the ACL was made')
        t.good(s.tur(), 'no unit attention: nothing has changed yet')
        t.ok('InitiatorName: i0' in tfab.read(tpg.dir + '/acls/i0/info'), 'info of the ACL')
        tpg.map('i0', 0, 3)
        s.clear_ua(3)
        t.good(s.write(0, block(0x33), lun=3), 'write to the device as LUN 3')
        s.clear_ua(0)
        r = s.read(0)
        t.ok(r.good and r.data == block(0x33), 'LUN 0 is another device now')
        tpg.lun(50, devs[0])
        t.ok(50 not in s.report_luns(), 'a LUN that comes is not mapped')
        tpg.del_lun(50)
        tpg.del_acl('i0')
        refused(errno.ESHUTDOWN, 'command after the ACL was removed', s.tur)
    tfab.write(tpg.dir + '/attrib/generate_node_acls', 0)


def ends(tpg, devs):
    """ACL removal, disable and rmdir end sessions, and who waits is told."""
    for how in ('acl', 'enable', 'logout'):
        tpg.acl('i0')
        tpg.map('i0', 0, 0)
        s = Session('t1', 1, 'i0')
        s.clear_ua()
        tag = s.submit(tfab.cdb10(0x2a, 0, 1), dout=block(9), flags=DATA_HELD)
        seen = []

        def wait():
            try:
                seen.append(str(s.reap(tag)))
            except OSError as e:
                seen.append(errno.errorcode[e.errno])
        waiter = threading.Thread(target=wait)
        waiter.start()
        if how == 'acl':
            tpg.del_acl('i0')
        elif how == 'enable':
            tpg.enable(False)
            refused(errno.ECONNREFUSED, 'login while disabled', Session, 't1', 1, 'i0')
        else:
            s.logout()
        waiter.join(10)
        t.eq(seen, ['ESHUTDOWN'], '%s: who waits for a command' % how)
        refused(errno.ESHUTDOWN, '%s: next command' % how, s.tur)
        refused(errno.ESHUTDOWN, '%s: task management' % how, s.tmf, tfab.LUN_RESET)
        r = s.reap(tag, orphans=True)
        t.ok(r.status == 2 and r.code[0] == 0xb, '%s: the write whose data did not come: %s' % (how, r))
        t.eq(s.info(), (0, 0, 0, False), '%s: commands left' % how)
        s.close()
        if how == 'acl':
            refused(errno.EACCES, 'login after the ACL was removed', Session, 't1', 1, 'i0')
        else:
            tpg.enable()
            with Session('t1', 1, 'i0') as s:
                s.clear_ua()
                r = s.read(0)
                t.ok(r.good and r.data != block(9), '%s: nothing was written' % how)
            tpg.del_acl('i0')
    tpg.acl('i0')
    s = Session('t1', 1, 'i0')
    tpg.destroy()
    refused(errno.ESHUTDOWN, 'command after rmdir of the group', s.tur)
    s.close()
    tpg = Tpg().enable()
    for lun, dev in enumerate(devs):
        tpg.lun(lun, dev)
    return tpg


def refusals(tpg, devs):
    """What configuration must not be able to do."""
    refused(errno.EINVAL, 'a name the fabric refuses', tpg.acl, 'bad-name')
    tpg.acl('i0')
    refused(errno.EEXIST, 'the same ACL in capitals', tpg.acl, 'I0')
    tpg.map('i0', 1, 0)
    refused(errno.EEXIST, 'a number that is taken, otherwise spelled', os.mkdir,
            tpg.path('acls', 'i0', 'lun_01'))
    refused(errno.EINVAL, 'a number that no LUN field can say', os.mkdir,
            tpg.path('acls', 'i0', 'lun_16777216'))
    other = Tpg(tag=2)
    other.lun(0, devs[0])
    os.mkdir(tpg.path('acls', 'i0', 'lun_2'))
    refused(errno.EINVAL, 'a LUN of another group', os.symlink, other.path('lun', 'lun_0'),
            tpg.path('acls', 'i0', 'lun_2', 'link'))
    os.rmdir(tpg.path('acls', 'i0', 'lun_2'))
    other.destroy(wwn=False)
    refused(errno.ENOTEMPTY, 'rmdir of an ACL with LUNs', os.rmdir, tpg.path('acls', 'i0'))
    tpg.del_acl('i0')


def ways(tpg, devs):
    """Every way a fabric may submit and respond."""
    tpg.acl('i0')
    tpg.map('i0', 0, 0)
    with Session('t1', 1, 'i0', slots=8) as s:
        s.clear_ua()
        for flags in range(16):
            if flags & DATA_LATER and flags & DATA_HELD:
                continue
            for blocks in (1, 9, 600):
                data = os.urandom(512 * blocks)
                tag = s.submit(tfab.cdb10(0x2a, 7, blocks), dout=data, flags=flags)
                if flags & DATA_HELD:
                    while not s.info()[2]:
                        pass
                    t.ok(s.reap(tag, block=False) is None, 'flags %d: held' % flags)
                    s.release(tag)
                t.good(s.reap(tag), 'flags %d: write %d' % (flags, blocks))
                r = s.read(7, blocks, flags=flags & (BH | STATUS_LATE))
                t.ok(r.good and r.data == data, 'flags %d: read back %d' % (flags, blocks))
        # more slots than there are
        tags = [s.submit(tfab.cdb10(0x2a, 0, 1), dout=block(1), flags=DATA_HELD) for _ in range(8)]
        refused(errno.EAGAIN, 'a ninth command', s.tur)
        for tag in tags:
            s.release(tag)
        t.ok(all(s.reap(tag).good for tag in tags), 'eight held writes')
        # residuals
        r = s.cmd(tfab.cdb10(0x28, 0, 1), din=1024)
        t.ok(r.good and (r.resid, r.overflow, len(r.data)) == (512, 0, 512), 'underflow: %s' % r)
        r = s.cmd(tfab.cdb10(0x28, 0, 2), din=512)
        t.ok(r.good and (r.resid, r.overflow, len(r.data)) == (512, 1, 512), 'overflow: %s' % r)
        r = s.cmd(bytes([0x9e, 0x10]) + bytes(11) + bytes([32]) + bytes(2), din=32)
        t.ok(r.good and len(r.data) == 32, '16 byte CDB')
        t.bad(s.cmd(bytes([0x7f]) + bytes(259)), INVALID_FIELD_CDB, 'a CDB of 260 bytes', field=(8, 7))
        t.bad(s.cmd(b'\0'), (5, 0x20, 0), 'a CDB of one byte')
        t.bad(s.cmd(b''), (5, 0x20, 0), 'a CDB of none')
    tpg.del_acl('i0')


def churn(tpg, devs):
    """Sessions come and go, LUNs are mapped and protected while others do I/O."""
    rounds = 300 if os.environ.get('TCM_LONG') else 30
    tpg.acl('i0')
    tpg.map('i0', 0, 0)
    stop = threading.Event()
    bad = []

    def initiator(n):
        while not stop.is_set():
            with Session('t1', 1, 'i0', slots=16) as s:
                tags = []
                for i in range(16):
                    lun = (0, 1, 300)[i % 3]
                    tags.append(s.submit(tfab.cdb10(0x28, i, 8), din=4096, lun=lun,
                                         flags=BH if (i + n) % 2 else 0))
                for tag in tags[:8 * (n % 2 + 1)]:
                    r = s.reap(tag)
                    if not r.good and r.code[0] not in (5, 6):
                        bad.append(str(r))
    threads = [threading.Thread(target=initiator, args=(n,)) for n in range(4)]
    for th in threads:
        th.start()
    for i in range(rounds):
        for number in (1, 300):
            tpg.map('i0', number, 1 + i % 3)
            tpg.protect('i0', number, i & 1)
        for number in (1, 300):
            tpg.unmap('i0', number)
    stop.set()
    for th in threads:
        th.join(30)
    t.ok(not any(th.is_alive() for th in threads), 'churn: every initiator has ended')
    t.eq(bad[:5], [], 'churn: results')
    tpg.del_acl('i0')


def main():
    devs = [tfab.make_rd('d%d' % i, pages=4096) for i in range(4)]
    logins(devs)
    tpg = Tpg().enable()
    for lun, dev in enumerate(devs):
        tpg.lun(lun, dev)
    for part in (numbers, protection, changes, conversion, refusals, ways, churn):
        print('session: %s' % part.__name__, flush=True)
        part(tpg, devs)
    tpg = ends(tpg, devs)
    tpg.destroy()
    for dev in devs:
        tfab.del_dev(dev)
    t.end()


main()
