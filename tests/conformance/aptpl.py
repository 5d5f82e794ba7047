#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Reservations that outlive a power cycle. Needs our target and an ext4 file system for dbroot.

    aptpl.py test FOLDER            the whole of it
    aptpl.py storm FOLDER LOG       register with ever new keys until the power goes, and log it
    aptpl.py verify FOLDER LOG      what is found is what was acknowledged, or was being
"""
import os
import subprocess
import sys
import time

from pr import CLEAR, EARO, REGISTER_IGNORE, RELEASE, REPLACE_LOST, RESERVE, WE, WEAR, WERO, Pr
from sgio import GOOD, RESERVATION_CONFLICT, Device, Table
from target import CFS, NoDiskDriver, Target, read, write

SERIAL = '6a1b6a1b-0000-4000-8000-00000000ab1e'
APTPL = 1
NOTHING = 'No Registrations or Reservations\n'
INTERNAL = (4, 0x44, 0)
LOST = (7, 0x44, 1)
INVALID_RELEASE = (5, 0x26, 4)
WRITE = [0x2a, 0, 0, 0, 0, 0, 0, 0, 1, 0]


def saved(root):
    """The registrations in the file, as rtslib takes them apart: split at white space"""
    with open('%s/pr/aptpl_%s' % (root, SERIAL)) as f:
        text = f.read()
    regs, reg = [], None
    for token in text.split():
        if token.startswith('PR_REG_START:'):
            reg = []
        elif token.startswith('PR_REG_END:'):
            regs.append(reg)
            reg = None
        elif reg is not None:
            reg.append(token)
    if reg is not None or (not regs and text != NOTHING):
        raise ValueError('not a whole file: %r' % text)
    return regs


def fields(reg):
    return dict(token.split('=', 1) for token in reg if '=' in token)


def ports(tgt, dev, n):
    found = []
    for i in range(n):
        tpg = tgt.loop('naa.500140500000000%d' % (i + 1), 1)
        who = Pr(Device(tpg.lun(0, dev, 'scsi_generic')), 0xabc0 + i)
        found.append(who)
    return found


def make(tgt):
    return tgt.device('rd_mcp', 'disk', 'rd_pages=256', serial=SERIAL)


def outlives(t, root):
    with NoDiskDriver(), Target() as tgt:
        a, b = ports(tgt, make(tgt), 2)
        for who in (a, b):
            who.dev.clear_ua()
        t.good(a.register(), 'without APTPL')
        t.ok(not os.path.exists('%s/pr/aptpl_%s' % (root, SERIAL)), 'no file without APTPL')
        t.good(a.register(APTPL), 'with APTPL')
        t.good(b.register(APTPL), 'with APTPL')
        t.good(a.out(RESERVE, WERO), 'RESERVE')
        regs = [fields(r) for r in saved(root)]
        t.eq([(int(r['sa_res_key']), r['res_holder']) for r in regs], [(a.key, '1'), (b.key, '0')], 'keys in the file')
        t.eq(regs[0]['res_type'], '05', 'type in the file')
        t.eq(regs[1]['target_node'], 'naa.5001405000000002', 'target in the file')
        t.eq(regs[0]['initiator_node'], 'naa.5001405fffffffff', 'initiator in the file')
        t.eq(a.read(2).data[3] & 1, 1, 'PTPL_A')
        t.eq(a.dev.cmd([0] * 6).status, GOOD, 'ready')
        for who in (a, b):
            who.dev.close()
    lines = saved(root)
    with NoDiskDriver(), Target() as tgt:
        dev = make(tgt)
        for reg in lines:
            write(dev + '/pr/res_aptpl_metadata', ','.join(['0'] + reg))
        t.eq(read(dev + '/pr/res_aptpl_active').strip(), 'APTPL Bit Status: Activated', 'active')
        c, b, a = ports(tgt, dev, 3)[::-1]
        for who in (a, b, c):
            who.dev.clear_ua()
        t.eq(b.keys(), (0, [a.key, b.key]), 'keys are back, generation is zero')
        t.eq(b.reservation(), (a.key, WERO), 'the reservation is back')
        t.good(b.dev.cmd(WRITE, data_out=bytes(512)), 'a registrant writes')
        t.eq(c.dev.cmd(WRITE, data_out=bytes(512)).status, RESERVATION_CONFLICT, 'a stranger does not')
        t.good(a.out(RELEASE, WERO), 'the holder releases it')
        b.dev.clear_ua()
        t.good(b.out(RESERVE, WEAR), 'another reserves, all registrants')
        t.eq([fields(r)['res_holder'] for r in saved(root)], ['1', '1'], 'all hold it in the file, too')
        t.good(a.register(), 'without APTPL again')
        t.eq(saved(root), [], 'the file is empty')
        t.good(a.out(CLEAR), 'CLEAR')
        for who in (a, b, c):
            who.dev.close()


def broken(t, root):
    """A folder that cannot be written, and one that hangs"""
    with NoDiskDriver(), Target() as tgt:
        a, b = ports(tgt, make(tgt), 2)
        for who in (a, b):
            who.dev.clear_ua()
        t.good(a.register(APTPL), 'register')
        before = a.keys()
        subprocess.run(['mount', '-o', 'remount,ro', root], check=True)
        t.bad(b.register(APTPL), INTERNAL, 'a folder that cannot be written')
        t.eq(a.keys(), before, 'the state is as before')
        subprocess.run(['mount', '-o', 'remount,rw', root], check=True)
        t.good(b.register(APTPL), 'register')
        before = a.keys()
        subprocess.run(['fsfreeze', '-f', root], check=True)
        begin = time.monotonic()
        t.bad(b.out(REGISTER_IGNORE, key=0, sa_key=0, flags=APTPL), INTERNAL, 'a folder that hangs')
        t.ok(9 < time.monotonic() - begin < 40, 'answered in bounded time')
        begin = time.monotonic()
        t.eq(a.keys(), before, 'the state is as before, and can be read')
        t.bad(b.out(RESERVE, EARO), INTERNAL, 'another while the folder hangs')
        t.ok(time.monotonic() - begin < 5, 'at once')
        subprocess.run(['fsfreeze', '-u', root], check=True)
        end = time.monotonic() + 60
        while t.ok(time.monotonic() < end, 'it comes back') and b.out(RESERVE, EARO).status != GOOD:
            time.sleep(0.05)
        t.eq([fields(r)['res_holder'] for r in saved(root)], ['0', '1'], 'written when it is back')
        t.good(a.register(), 'without APTPL')
        t.good(a.out(CLEAR), 'CLEAR')
        t.eq(saved(root), [], 'the file is empty')
        for who in (a, b):
            who.dev.close()


# What is answered while reservations are lost (SPC-4 5.13.5.2), and some of what is not
ALLOWED = [([0x12, 0, 0, 0, 36, 0], 36), ([0x4d, 0, 0, 0, 0, 0, 0, 0, 64, 0], 64),
           ([0x3c, 0x0b, 0, 0, 0, 0, 0, 0, 4, 0], 4), ([0xa0] + [0] * 8 + [64, 0, 0], 64),
           ([0xa3, 0x0a] + [0] * 6 + [0, 64, 0, 0], 64), ([3, 0, 0, 0, 18, 0], 18),
           ([0x1b, 0, 0, 0, 1, 0], 0)]
REFUSED = [([0] * 6, 0), ([0x1b, 0, 0, 0, 0, 0], 0), ([0x1b, 0, 0, 0, 0x11, 0], 0),
           ([0x28, 0, 0, 0, 0, 0, 0, 0, 1, 0], 512), ([0x25] + [0] * 9, 8),
           ([0x5e, 0, 0, 0, 0, 0, 0, 0, 8, 0], 8), ([0x5e, 2, 0, 0, 0, 0, 0, 0, 8, 0], 8),
           ([0x16, 0, 0, 0, 0, 0], 0), ([0x17, 0, 0, 0, 0, 0], 0), ([0xa3, 0x0c] + [0] * 7 + [64, 0, 0], 64)]


def damages(whole):
    """Whole files, and what may become of them: (text, is it lost?)"""
    yield whole, False
    yield NOTHING, False
    yield whole + whole, False
    yield '', True
    yield '\0' * len(whole), True
    yield NOTHING[:-5], True
    yield whole[:-1], True
    yield whole[:len(whole) // 2], True
    yield whole + whole[:40], True
    yield whole[20:], True
    yield whole.replace('sa_res_key', 'sa_res_kex'), True


def lost(t, root):
    """A file of registrations that nobody can read any more"""
    path = '%s/pr/aptpl_%s' % (root, SERIAL)
    with Target() as tgt:
        a, = ports(tgt, make(tgt), 1)
        a.dev.clear_ua()
        t.good(a.register(APTPL), 'with APTPL')
        t.good(a.out(RESERVE, WERO), 'RESERVE')
        t.bad(a.out(REPLACE_LOST, WERO, key=0, sa_key=1), INVALID_RELEASE, 'nothing is lost')
        with open(path) as f:
            whole = f.read()
        a.dev.close()
    for n, (text, gone) in enumerate(damages(whole)):
        with open(path, 'w') as f:
            f.write(text)
        with Target() as tgt:
            # not by ports(): initiators do not find a disk that answers nothing
            dev = make(tgt)
            a = Pr(Device(tgt.loop('naa.5001405000000001', 1).lun(0, dev, kind='scsi_generic')), 0xabc0)
            a.dev.clear_ua()
            r = a.dev.cmd([0] * 6)
            t.eq(r.code if r.sense else None, LOST if gone else None, 'damage %d' % n)
            a.dev.close()
    replaced(t, path)


def replaced(t, path):
    with open(path, 'w') as f:
        f.write('PR_REG_START: 0')
    with Target() as tgt:
        dev = make(tgt)
        a, b = (Pr(Device(tgt.loop('naa.500140500000000%d' % i, 1).lun(0, dev, kind='scsi_generic')), 0xabc0 + i)
                for i in (1, 2))
        for who in (a, b):
            who.dev.clear_ua()
        for cdb, size in ALLOWED:
            t.good(a.dev.cmd(cdb, data_in=size), '%02x/%02x is answered' % tuple(cdb[:2]))
        for cdb, size in REFUSED:
            t.bad(a.dev.cmd(cdb, data_in=size), LOST, '%02x/%02x is refused' % tuple(cdb[:2]))
        t.bad(a.dev.cmd(WRITE, data_out=bytes(512)), LOST, 'WRITE is refused')
        t.bad(a.register(), LOST, 'REGISTER is refused')
        t.bad(a.out(REPLACE_LOST, WE, key=5, sa_key=1), (5, 0x26, 0), 'a RESERVATION KEY')
        t.bad(a.out(REPLACE_LOST, WE, key=0, sa_key=0), (5, 0x26, 0), 'no new key')
        t.bad(a.out(REPLACE_LOST, 2, key=0, sa_key=1), (5, 0x24, 0), 'no such type')
        t.bad(a.dev.cmd([0] * 6), LOST, 'lost as before')
        t.good(a.out(REPLACE_LOST, WE, key=0, sa_key=a.key, flags=APTPL), 'REPLACE LOST RESERVATION')
        t.eq((a.keys(), a.reservation()), ((0, [a.key]), (a.key, WE)), 'what is there then')
        t.eq([fields(r)['sa_res_key'] for r in saved(os.path.dirname(os.path.dirname(path)))], [str(a.key)], 'and in the file')
        t.eq(b.dev.cmd([0] * 6).status, GOOD, 'nobody is told')
        t.eq(b.dev.cmd(WRITE, data_out=bytes(512)).status, RESERVATION_CONFLICT, 'it reserves')
        t.good(a.dev.cmd(WRITE, data_out=bytes(512)), 'for who replaced it')
        t.bad(a.out(REPLACE_LOST, WE, key=0, sa_key=1), INVALID_RELEASE, 'once')
        t.good(a.register(), 'without APTPL')
        t.good(a.out(CLEAR), 'CLEAR')
        for who in (a, b):
            who.dev.close()


def storm(root, log):
    n = 0
    if os.path.exists(log):
        with open(log) as f:
            n = max([int(line.split()[1]) for line in f] or [0])
    with open(log, 'a', buffering=1) as f, NoDiskDriver(), Target() as tgt:
        dev = make(tgt)
        a, b = ports(tgt, dev, 2)
        for who in (a, b):
            who.dev.clear_ua()
        print('ready', flush=True)
        while True:
            n += 1
            f.write('try %d\n' % n)
            # what the file says is the number that both keys are made of, or of the one before
            r = (a if n % 2 else b).out(REGISTER_IGNORE, key=0, sa_key=n, flags=APTPL)
            if r.status != GOOD:
                sys.exit('FAIL: register %d: %s' % (n, r))
            f.write('ack %d\n' % n)


def verify(t, root, log):
    tried = acked = 0
    with open(log) as f:
        for line in f:
            word, n = line.split()
            tried = max(tried, int(n))
            acked = max(acked, int(n)) if word == 'ack' else acked
    t.ok(acked, 'something was acknowledged: %d' % acked)
    keys = sorted(int(fields(r)['sa_res_key']) for r in saved(root))
    # two nexuses take turns: after n, the file has n and n - 1
    wanted = [sorted(k for k in (n - 1, n) if k > first(log)) for n in {acked, tried}]
    t.ok(keys in wanted, 'keys %r of %r' % (keys, wanted))


def first(log):
    """The number before which the last boot had begun"""
    with open(log + '.first') as f:
        return int(f.read())


def main():
    what, root = sys.argv[1:3]
    write('dbroot', root)
    if what == 'storm':
        log = sys.argv[3]
        n = 0
        if os.path.exists(log):
            with open(log) as f:
                n = max([int(line.split()[1]) for line in f] or [0])
        with open(log + '.first', 'w') as f:
            f.write(str(n))
        storm(root, log)
        return
    t = Table('aptpl')
    if what == 'verify':
        verify(t, root, sys.argv[3])
    else:
        outlives(t, root)
        lost(t, root)
        broken(t, root)
    t.end()


main()
