#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""A backend that does not answer: what an initiator is told, and when.

    iscsi_stuck.py before|silent|late|tmf|session|parted   (LUN 0 is stuck but for `before`, LUN 1 is well)
    iscsi_stuck.py bystander       notices nothing, on another target of the portal, until /tmp/enough is there
"""
import itertools
import os
import struct
import sys
import time

from iscsi_initiator import Connection, R2T

SLOW = int(os.environ.get('VM_SLOW', '1'))
LIMIT = 1.0 * SLOW
ENOUGH = '/tmp/enough'


def session(isid=1):
    c = Connection()
    c.isid = b'\x80\x12\x34\x56\x00' + bytes([isid])
    c.login()
    # unit attentions, which no backend is asked for
    c.ready()
    return c


def within(what, fn, *args):
    start = time.monotonic()
    ret = fn(*args)
    took = time.monotonic() - start
    print('%s: %.3f s' % (what, took))
    assert took < LIMIT, '%s took %.1f s' % (what, took)
    return ret


def well(c):
    """The other LUN answers."""
    while c.finish(c.command(bytes(6), lun=1))[0]:
        pass
    itt = c.command(struct.pack('>BBIBHB', 0x28, 0, 0, 0, 8, 0), 4096, read=True, lun=1)
    assert c.finish(itt)[0] == 0


FRESH = itertools.count(2000 if 'session' in sys.argv else 0)


def stick(c, n):
    """Commands that the backend keeps: of blocks of their own, those of aborted writes are fenced"""
    itts = []
    for i in itertools.islice(FRESH, n):
        sn = c.cmdsn
        data = bytes(4096)
        itts.append((c.command(struct.pack('>BBIBHB', 0x2a, 0, 8 * i, 0, 8, 0), 4096, write=True, data=data), sn))
        sn = c.cmdsn
        itts.append((c.command(struct.pack('>BBIBHB', 0x28, 0, 4096 + 8 * i, 0, 8, 0), 4096, read=True), sn))
    return itts


def tmf():
    """A hundred commands are with the backend when it begins, and more come."""
    c, other = session(1), session(2)
    itts = stick(c, 50)
    well(other)
    assert within('ABORT TASK', c.tmf, 1, 0, *itts[0]) == 0
    assert within('ABORT TASK of a read', c.tmf, 1, 0, *itts[1]) == 0
    assert within('ABORT TASK SET', c.tmf, 2) == 0
    c.ready()
    stick(c, 4)
    assert within('CLEAR TASK SET', c.tmf, 4) == 0
    c.ready()
    stick(c, 4)
    assert within('LUN RESET', c.tmf, 5) == 0
    c.ready()
    stick(c, 4)
    assert within('TARGET WARM RESET', c.tmf, 6) == 0
    within('the other LUN', well, c)
    within('another session', well, other)
    c.ready()
    stick(c, 4)
    assert within('LOGOUT', c.logout) == 0
    c.close()
    c = session(1)
    stick(c, 4)
    assert within('TARGET COLD RESET', c.tmf, 7) == 0
    c.close()
    other.close()


def bystander():
    c = Connection()
    c.login(name='iqn.2026-11.org.lab:by', target='iqn.2026-11.org.lab:t1:by')
    c.ready()
    longest, n = 0, 0
    while not os.path.exists(ENOUGH):
        start = time.monotonic()
        itt = c.command(struct.pack('>BBIBHB', 0x28, 0, 0, 0, 8, 0), 4096, read=True)
        assert c.finish(itt)[0] == 0
        longest = max(longest, time.monotonic() - start)
        n += 1
        time.sleep(0.02)
    print('%d reads beside it, the longest %.3f s' % (n, longest))
    assert n > 20 and longest < LIMIT
    assert c.logout() == 0


def reinstate():
    c = session(3)
    stick(c, 8)
    new = within('login again by the same name', session, 3)
    assert c.closed()
    within('the other LUN', well, new)
    stick(new, 4)
    new.close()
    third = within('login after a cut', session, 3)
    within('the other LUN', well, third)
    third.close()


def orphans():
    with open('/sys/kernel/debug/tcm/orphans') as f:
        return f.read()


def parted():
    """A connection goes and its session stays: a write that it had is fenced before the initiator can send it anew."""
    for n, (level, how) in enumerate((('0', 'logged out'), ('0', 'logged out by another'), ('1', 'logged in again'),
                                      ('2', 'lost for good'))):
        c = Connection()
        c.isid = b'\x80\x12\x34\x56\x01' + bytes([n])
        keys = dict(ErrorRecoveryLevel=level, MaxConnections='4', DefaultTime2Wait='0', DefaultTime2Retain='0')
        c.login(**keys)
        c.ready()
        d = Connection(of=c, cid=1)
        d.login()
        lba = 8192 + 16 * n
        d.command(struct.pack('>BBIBHB', 0x2a, 0, lba, 0, 8, 0), 4096, write=True, data=bytes(4096))
        well(c)
        if how == 'logged out':
            assert within('LOGOUT of a connection', d.logout, 1, 1) == 0
        elif how == 'logged out by another':
            assert within('LOGOUT of another connection', c.logout, 1, 1) == 0
        elif how == 'logged in again':
            e = Connection(of=c, cid=1)
            within('login in its place', e.login)
        else:
            d.close()
        end = time.monotonic() + LIMIT
        while 'blocks %d-%d' % (lba, lba + 7) not in orphans():
            assert how == 'lost for good' and time.monotonic() < end, '%s: no orphan: %s' % (how, orphans())
            time.sleep(0.02)
        status = within('the write once more', c.write10, lba, b'x' * 4096)[0]
        assert status == 8, '%s: status %d' % (how, status)
        within('the other LUN', well, c)
        c.close()


def before():
    c = session(1)
    while c.tur():
        pass
    assert c.write10(0, bytes(4096))[0] == 0
    well(c)
    # an R2T says of which LUN it is
    itt = c.command(struct.pack('>BBIBHB', 0x2a, 0, 0, 0, 8, 0), 4096, write=True, lun=1)
    pdu = c.recv()
    assert pdu.opcode == R2T and pdu.header[8:16] == b'\0\1' + bytes(6), pdu.header.hex()
    c.data_out(itt, pdu.ttt, 0, 0, bytes(4096))
    assert c.finish(itt)[0] == 0
    c.close()


def silent():
    """Data that is asked for and never comes: the connection ends when the ACL's time is over."""
    c = session(4)
    start = time.monotonic()
    c.command(struct.pack('>BBIBHB', 0x2a, 0, 0, 0, 64, 0), 32768, write=True)
    assert c.closed()
    took = time.monotonic() - start
    print('no data for a write: %.1f s' % took)
    # dataout_timeout times dataout_timeout_retries, as the script has set them
    assert 3.5 < took < 4 + 4 * SLOW, took


def late():
    """A login that does not go on: login_timeout once the target is known."""
    c = Connection()
    start = time.monotonic()
    c.login_pdu({'InitiatorName': 'iqn.2026-11.org.lab:py', 'TargetName': 'iqn.2026-11.org.lab:t1'}, csg=0,
                transit=False)
    c.recv()
    assert c.closed()
    took = time.monotonic() - start
    print('login: %.1f s' % took)
    assert 4.5 < took < 5 + 4 * SLOW, took


def main():
    {'silent': silent, 'late': late, 'before': before, 'tmf': tmf, 'session': reinstate, 'parted': parted,
     'bystander': bystander}[sys.argv[1]]()
    print('%s: passed' % sys.argv[1])


if __name__ == '__main__':
    main()
