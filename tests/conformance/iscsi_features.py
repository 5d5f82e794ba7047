#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""What is seldom asked for: the target's own ends of connections, the functions of RFC 7144, long CDBs, data in both
directions, several R2Ts, portals of each kind.

    iscsi_features.py [TEST...]

As for iscsi_recovery.py; LUN 0 has emulate_aca.
"""
import contextlib
import os
import struct
import subprocess
import sys
import time

from iscsi_initiator import ASYNC, Closed, Connection, NO_TAG, R2T, REJECT, TEXT, pairs
from iscsi_recovery import PATTERN, read_cdb, run, start_write, write_cdb

ISCSI = '/sys/kernel/config/target/iscsi/'
TARGET, INITIATOR, OTHER = 'iqn.2026-11.org.lab:t1', 'iqn.2026-11.org.lab:py', 'iqn.2026-11.org.lab:other'
TPG = ISCSI + TARGET + '/tpgt_1/'
LOGOUT, DROP_CONN, DROP_ALL = 1, 2, 3
CLEAR_ACA, COLD_RESET, QUERY_TASK, QUERY_TASK_SET, NEXUS_RESET, QUERY_ASYNC = 3, 7, 9, 10, 11, 12
COMPLETE, NO_LUN, SUCCEEDED, REJECTED = 0, 2, 7, 255


def write_file(path, value):
    with open(path, 'w', encoding='ascii') as f:
        f.write(value)


def read_file(path):
    with open(path, encoding='ascii') as f:
        return f.read()


@contextlib.contextmanager
def params(**values):
    former = {name: read_file(TPG + 'param/' + name).strip() for name in values}
    try:
        for name, value in values.items():
            write_file(TPG + 'param/' + name, value)
        yield
    finally:
        for name, value in former.items():
            write_file(TPG + 'param/' + name, value)


def login(name=INITIATOR, target=TARGET, ready=True, host='127.0.0.1', port=3260, **keys):
    c = Connection(host, port)
    c.login(name=name, target=target, **keys)
    if ready:
        c.ready()
    return c


def until(condition, what):
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end, 'waited for: ' + what
        time.sleep(0.02)


def no_sessions():
    until(lambda: not read_file(TPG + 'sessions'), 'no session')


def told(c, *event):
    """An asynchronous message (11.9), and for all but the first kind the end"""
    pdu = c.recv()
    assert pdu.opcode == ASYNC and pdu.itt == NO_TAG, 'opcode %#x' % pdu.opcode
    said = (pdu.header[36], *struct.unpack('>3H', pdu.header[38:44]))
    assert said == event, (said, event)
    if event[0] == LOGOUT:
        return
    try:
        pdu = c.recv()
    except Closed:
        c.close()
        return
    raise AssertionError('opcode %#x after the last message' % pdu.opcode)


# ---- what the target ends by itself ----

def test_disabled():
    with params(DefaultTime2Wait='7'):
        a, b = login(), login(OTHER)
        itt, _ = start_write(a, 0, 65536)
        assert itt
        write_file(TPG + 'enable', '0')
        for c in (a, b):
            told(c, DROP_ALL, 0, 7, 0)
        no_sessions()
        write_file(TPG + 'enable', '1')


def test_acl_removed():
    acl = TPG + 'acls/' + INITIATOR
    os.mkdir(acl)
    a, b = login(ready=False), login(OTHER)
    write_file(acl + '/cmdsn_depth', '32')              # by which it has to log in anew
    told(a, DROP_ALL, 0, 2, 0)
    a = login(ready=False)
    os.rmdir(acl)
    told(a, DROP_ALL, 0, 2, 0)
    assert b.nop(b'stays') == b'stays'
    b.close()
    no_sessions()


def test_logout_ignored():
    for level, keeps in (('0', 0), ('2', 3)):
        a = login(ErrorRecoveryLevel=level, DefaultTime2Retain='3')
        write_file(TPG + 'logout', INITIATOR)
        told(a, LOGOUT, 0, 0, 3)
        told(a, DROP_CONN, a.cid, 2, keeps)
        if level == '2':
            write_file(TPG + 'enable', '0')
            write_file(TPG + 'enable', '1')
        no_sessions()


def test_unread():
    """Who reads nothing does not keep its session."""
    a = login()
    for _ in range(40):
        a.command(read_cdb(0, 512), 262144, read=True)
    write_file(TPG + 'enable', '0')
    begin = time.monotonic()
    no_sessions()
    assert time.monotonic() - begin < 5
    write_file(TPG + 'enable', '1')
    a.close()


def test_portal_removed():
    """A portal that goes takes those that have not logged in; a session goes on."""
    os.mkdir(TPG + 'np/127.0.0.1:3261')
    a, half = login(port=3261), Connection(port=3261)
    os.rmdir(TPG + 'np/127.0.0.1:3261')
    assert half.closed()
    assert a.tur() == 0 and a.silent(0.2)
    try:
        Connection(port=3261)
        raise AssertionError('there is still somebody')
    except ConnectionRefusedError:
        pass
    a.logout()
    no_sessions()


if __name__ == '__main__':
    sys.exit(run(dict(globals())))
