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


@contextlib.contextmanager
def another_target():
    name = TARGET + '-2'
    tpg = ISCSI + name + '/tpgt_1/'
    os.makedirs(tpg + 'np/0.0.0.0:3260')
    for attribute, value in (('authentication', '0'), ('generate_node_acls', '1')):
        write_file(tpg + 'attrib/' + attribute, value)
    write_file(tpg + 'enable', '1')
    try:
        yield name
    finally:
        for path in (tpg + 'np/0.0.0.0:3260', tpg, ISCSI + name):
            os.rmdir(path)


def test_cold_reset():
    """11.5.1: all sessions of the target end, and nobody else's."""
    with another_target() as elsewhere:
        a, b, far = login(MaxConnections='2'), login(OTHER), login(target=elsewhere, ready=False)
        second = Connection(of=a, cid=1)
        second.login()
        itt, _ = start_write(b, 0, 65536)
        assert itt
        assert a.tmf(COLD_RESET) == COMPLETE
        for c in (b, second):
            told(c, DROP_ALL, 0, 2, 0)
        assert a.closed()
        no_sessions()
        assert far.nop(b'far') == b'far'
        far.close()
    c = Connection()
    c.login()
    status, _, sense, _ = c.finish(c.command(bytes(6)))
    assert status == 2 and sense[2] == 6 and sense[12] == 0x29, sense.hex()
    c.close()
    no_sessions()


# ---- RFC 7144 ----

def test_level():
    """Its functions are there for those who have agreed on level 2, and for nobody else."""
    for keys in ({}, {'iSCSIProtocolLevel': '1'}):
        a = login(**keys)
        itt, r2t = start_write(a, 0, 4096)
        for function in (QUERY_TASK, QUERY_TASK_SET, NEXUS_RESET, QUERY_ASYNC):
            assert a.tmf(function, ref=itt, refsn=a.cmdsn - 1) == REJECTED, function
        a.data_out(itt, r2t.ttt, 0, 0, PATTERN[:4096])
        assert a.finish(itt)[0] == 0
        a.close()
    no_sessions()


def test_query_task():
    with params(InitialR2T='No'):
        a = login(iSCSIProtocolLevel='2', InitialR2T='No', ImmediateData='Yes', FirstBurstLength='8192')
    b = login(OTHER, iSCSIProtocolLevel='2')
    for more in (False, True):                          # asked for by R2T, or to come unasked
        assert a.tmf(QUERY_TASK_SET) == COMPLETE
        sn = a.cmdsn
        itt = a.command(write_cdb(0, 8 if more else 32), 4096 if more else 16384, write=True, final=not more,
                        data=PATTERN[:2048])
        pdu = None if more else a.recv()
        assert more or pdu.opcode == R2T
        assert a.tmf(QUERY_TASK, ref=itt, refsn=sn) == SUCCEEDED
        assert a.tmf(QUERY_TASK, ref=itt + 1000, refsn=sn) == COMPLETE
        assert a.tmf(QUERY_TASK, lun=9, ref=itt, refsn=sn) == NO_LUN
        assert a.tmf(QUERY_TASK_SET) == SUCCEEDED
        assert a.tmf(QUERY_TASK_SET, lun=9) == NO_LUN
        assert b.tmf(QUERY_TASK, ref=itt, refsn=sn) == COMPLETE, 'another nexus'
        assert b.tmf(QUERY_TASK_SET) == COMPLETE
        a.data_out(itt, NO_TAG if more else pdu.ttt, 0, 2048, PATTERN[2048:4096 if more else 16384])
        assert a.finish(itt, PATTERN)[0] == 0
        assert a.tmf(QUERY_TASK, ref=itt, refsn=sn) == COMPLETE
        assert a.tmf(QUERY_TASK_SET) == COMPLETE
        assert a.read10(0, 8)[1] == PATTERN[:4096]
    a.close()
    b.close()
    no_sessions()


def test_nexus_reset():
    with params(InitialR2T='No'):
        a = login(iSCSIProtocolLevel='2', InitialR2T='No')
    b = login(OTHER)
    assert a.write10(64, PATTERN[:4096])[0] == 0
    asked, r2t = start_write(a, 64, 65536 + 4096, final=True)
    early = a.command(write_cdb(64, 8), 4096, write=True, final=False)
    theirs, their_r2t = start_write(b, 128, 4096)
    assert a.tmf(NEXUS_RESET) == COMPLETE
    a.data_out(asked, r2t.ttt, 0, 0, bytes(4096))
    a.data_out(early, NO_TAG, 0, 0, bytes(4096))
    status, _, sense, _ = a.finish(a.command(bytes(6)))
    assert (status, sense[2], sense[12], sense[13]) == (2, 6, 0x29, 7), sense.hex()
    assert a.tur() == 0
    assert a.read10(64, 8)[1] == PATTERN[:4096]
    b.data_out(theirs, their_r2t.ttt, 0, 0, PATTERN[:4096])
    assert b.finish(theirs)[0] == 0
    assert b.tur() == 0
    a.close()
    b.close()
    no_sessions()


def test_clear_aca():
    naca = bytes([0x12, 1, 0xee, 0, 255, 4])            # INQUIRY of a page that there is not
    a, b = login(), login(OTHER)
    assert a.tmf(CLEAR_ACA) == COMPLETE, 'there is none'
    assert a.finish(a.command(naca, 255, read=True))[0] == 2
    assert (a.tur(), b.tur()) == (0x30, 8)              # ACA ACTIVE, BUSY
    assert b.tmf(CLEAR_ACA) == COMPLETE
    assert a.tur() == 0x30, 'not that initiator\'s'
    assert a.tmf(CLEAR_ACA, lun=9) == NO_LUN
    assert a.tmf(CLEAR_ACA) == COMPLETE
    assert (a.tur(), b.tur()) == (0, 0)
    a.close()
    b.close()
    no_sessions()


# ---- additional headers ----

def long_cdb(action, lba, blocks):
    return struct.pack('>BB5xBHBxQIHHI', 0x7f, 0, 24, action, 0, lba, 0, 0, 0, blocks)


def ahs(kind, data):
    text = struct.pack('>HBB', len(data) + 1, kind, 0) + data
    return text + bytes(-len(text) % 4)


def test_both_directions():
    """No command here has data in both directions: the data that one brings is its own, and of what it could have
    taken home the response says that nothing came (11.4.5)."""
    a = login()
    length = struct.pack('>I', 4096)
    for data, edtl in ((PATTERN[:512], 512), (PATTERN[512:2048], 1536)):
        itt = a.command(write_cdb(600, len(data) // 512), edtl, write=True, read=True, data=data, ahs=ahs(2, length))
        status, got, _, pdu = a.finish(itt)
        assert status == 0 and not got and pdu.flags == 0x88, hex(pdu.flags)
        assert (pdu.offset, pdu.residual) == (4096, 0)
        assert a.read10(600, len(data) // 512)[1] == data
    cdb = long_cdb(0x0b, 700, 2)
    itt = a.command(cdb[:16], 1024, write=True, read=True, ahs=ahs(2, length) + ahs(1, cdb[16:]))
    status, got, _, pdu = a.finish(itt, PATTERN)
    assert status == 0 and (pdu.flags, pdu.offset, pdu.residual) == (0x88, 4096, 0), pdu.header.hex()
    # half of the data is not asked for
    itt = a.command(write_cdb(600, 1), 1024, write=True, read=True, data=PATTERN[:1024], ahs=ahs(2, length))
    status, got, _, pdu = a.finish(itt)
    assert status == 0 and (pdu.flags, pdu.offset, pdu.residual) == (0x8a, 4096, 512), pdu.header.hex()
    # a read that brings data, by its flags: none goes in either direction, and both residuals say so
    itt = a.command(read_cdb(600, 1), 512, write=True, read=True, data=bytes(512), ahs=ahs(2, length))
    status, got, _, pdu = a.finish(itt)
    assert status == 0 and not got and (pdu.flags, pdu.offset, pdu.residual) == (0x8a, 4096, 512), pdu.header.hex()
    assert a.read10(600, 1)[1] == PATTERN[:512]
    # nothing was expected
    itt = a.command(write_cdb(600, 1), 512, write=True, read=True, data=PATTERN[:512])
    status, got, _, pdu = a.finish(itt)
    assert status == 0 and pdu.flags == 0x80 and pdu.offset == 0, pdu.header.hex()
    a.close()
    no_sessions()


if __name__ == '__main__':
    sys.exit(run(dict(globals())))
