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

from iscsi_initiator import ASYNC, Closed, Connection, NO_TAG, R2T, REJECT, RESPONSE, TEXT, pairs
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


def told(c, *event, aborted=None):
    """An asynchronous message (11.9), maybe behind TASK ABORTED; for all but the first kind the end"""
    pdu = c.recv()
    if pdu.opcode == RESPONSE and pdu.itt == aborted:
        assert pdu.header[3] == 0x40, pdu.header[3]
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
            told(c, DROP_ALL, 0, 2, 0, aborted=itt if c is b else None)
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


def test_long_cdb():
    """32 bytes of CDB: the second half in an additional header (11.2.2.3), whatever other ones there are"""
    for digests in ({}, {'HeaderDigest': 'CRC32C', 'DataDigest': 'CRC32C'}):
        a = login(**digests)
        for n, (before, after) in enumerate(((b'', b''), (ahs(0x3f, bytes(9)), b''), (b'', ahs(2, bytes(4))))):
            lba, data = 500 + n, PATTERN[n * 512:n * 512 + 8192]
            cdb = long_cdb(0x0b, lba, 16)
            itt = a.command(cdb[:16], 8192, write=True, data=data[:512], ahs=before + ahs(1, cdb[16:]) + after)
            assert a.finish(itt, data)[0] == 0
            cdb = long_cdb(0x09, lba, 16)
            itt = a.command(cdb[:16], 8192, read=True, ahs=before + ahs(1, cdb[16:]) + after)
            status, got, _, _ = a.finish(itt)
            assert status == 0 and got == data, n
            assert a.read10(lba, 16)[1] == data
        cdb = long_cdb(0x09, 500, 16)
        itt = a.command(cdb[:16], 8192, read=True)      # only half of it
        status, got, sense, _ = a.finish(itt)
        assert status == 2 and sense[2] & 15 == 5 and not got
        for bad in (ahs(1, bytes(17)), ahs(1, bytes(16))[:4], struct.pack('>HBB', 0, 1, 0), struct.pack('>HBB', 600, 9, 0)):
            a.command(cdb[:16], 8192, read=True, ahs=bad)
            pdu = a.recv()
            assert pdu.opcode == REJECT and pdu.header[2] == 4, (bad, pdu.header.hex())
            # 11.17: its number has not been received
            assert pdu.exp_cmdsn == a.cmdsn - 1, pdu.header.hex()
            a.cmdsn -= 1
            assert a.tur() == 0
        a.close()
    no_sessions()


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


# ---- R2Ts ----

def test_several_r2ts():
    """As many R2Ts as were agreed on are out, and each that is answered is followed by the next."""
    with params(MaxOutstandingR2T='65535', ImmediateData='No', DataSequenceInOrder='No'):
        for agreed, order in ((1, 'Yes'), (2, 'Yes'), (3, 'No'), (8, 'Yes'), (8, 'No'), (100, 'Yes')):
            a = login(MaxOutstandingR2T=str(agreed), MaxBurstLength='4096', ImmediateData='No', DataSequenceInOrder=order)
            bursts, most = 20, min(agreed, 8)
            itt = a.command(write_cdb(1000, bursts * 8), bursts * 4096, write=True)
            out, seen = [], 0
            while True:
                while len(out) < min(most, bursts - seen + len(out)):
                    pdu = a.recv()
                    assert (pdu.opcode, pdu.itt, pdu.datasn, pdu.residual) == (R2T, itt, seen, 4096), pdu.header.hex()
                    assert pdu.offset == seen * 4096
                    out.append(pdu)
                    seen += 1
                if not out:
                    break
                if seen == most:
                    assert a.silent(0.1), 'more than %d' % most
                pdu = out.pop(0 if order == 'Yes' else -1)
                for n in range(2):
                    at = pdu.offset + n * 2048
                    a.data_out(itt, pdu.ttt, n, at, PATTERN[at:at + 2048], n == 1)
            status, _, _, pdu = a.finish(itt)
            assert status == 0 and pdu.datasn == bursts, 'ExpDataSN'
            itt = a.command(read_cdb(1000, bursts * 8), bursts * 4096, read=True)
            assert a.finish(itt)[1] == PATTERN[:bursts * 4096], (agreed, order)
            a.close()
    no_sessions()


# ---- portals ----

def ip(*words):
    subprocess.run(('ip',) + words, check=True)


def found(host, port):
    """Where a discovery session that came there is sent to"""
    c = Connection(host, port)
    c.login(target=None)
    c.send(TEXT, 0x80, word5=NO_TAG, words=c.sns(), data=pairs({'SendTargets': TARGET}))
    text = c.recv().data.decode()
    c.close()
    return [item.split('=')[1] for item in text.split('\0') if item.startswith('TargetAddress=')]


@contextlib.contextmanager
def portal(name):
    os.mkdir(TPG + 'np/' + name)
    try:
        yield
    finally:
        os.rmdir(TPG + 'np/' + name)


def there(host, port, local):
    a = login(host=host, port=port)
    assert a.write10(9, PATTERN[:512])[0] == 0
    text = read_file(TPG + 'sessions')
    assert ' to %s ' % local in text, text
    a.logout()
    a.close()
    no_sessions()


def test_portals():
    with portal('[::]:3262'):                           # both families by one socket
        there('127.0.0.1', 3262, '127.0.0.1:3262')
        there('::1', 3262, '[::1]:3262')
        assert '127.0.0.1:3262,1' in found('127.0.0.1', 3262)
        assert '[::1]:3262,1' in found('::1', 3262)
    ip('-6', 'addr', 'add', 'fe80::1234/64', 'dev', 'lo')
    with portal('[fe80::1234%lo]:3263'):
        there('fe80::1234%lo', 3263, '[fe80::1234]:3263')
    ip('-6', 'addr', 'del', 'fe80::1234/64', 'dev', 'lo')
    for bad in ('[fe80::1234%nowhere]:3263', '[fe80::1234]', '127.0.0.1', '127.0.0.1:0', '127.0.0.1:65536', '[127.0.0.1]:3263',
                '::1:3263', '127.0.0.1%lo:3263'):
        try:
            os.mkdir(TPG + 'np/' + bad)
        except OSError:
            continue
        os.rmdir(TPG + 'np/' + bad)
        raise AssertionError('a portal %s' % bad)
    for address, length in (('192.0.2.77', '32'), ('2001:db8::77', '128')):
        v6 = ':' in address
        name = ('[%s]:3264' if v6 else '%s:3264') % address
        with portal(name):                              # before there is such an address
            ip('addr', 'add', address + '/' + length, 'dev', 'lo', *(('nodad',) if v6 else ()))
            there(address, 3264, name)
        ip('addr', 'del', address + '/' + length, 'dev', 'lo')


if __name__ == '__main__':
    sys.exit(run(dict(globals())))
