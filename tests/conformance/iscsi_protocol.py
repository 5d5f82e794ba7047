#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""What a target does with initiators that are wrong, odd, slow or hostile (RFC 7143).

    iscsi_protocol.py [--silent N]

The target is iqn.2026-11.org.lab:t1 on 127.0.0.1:3260, in demo mode, LUN 0 of 64 MiB, which is overwritten.
"""
import argparse
import os
import random
import resource
import select
import socket
import struct
import sys
import time

from iscsi_initiator import (Closed, Connection, LOGIN_RSP, NO_TAG, NOP_IN, R2T, REJECT, RESPONSE, TEXT, TEXT_RSP, TMF, TMF_RSP,
                             pairs)

TARGET = 'iqn.2026-11.org.lab:t1'
ARGS = None
MANY = 16
PATTERN = bytes(random.Random(1).randbytes(262144))


def session(**keys):
    c = Connection()
    c.login(**keys)
    c.ready()
    return c


def status_of(text, csg=1, nsg=3, **kw):
    """The status with which a login ends; None: the connection ended without one"""
    c = Connection()
    try:
        c.login_pdu(text, csg, nsg, **kw)
        pdu = c.recv()
    except Closed:
        return None
    finally:
        c.close()
    assert pdu.opcode == LOGIN_RSP
    return pdu.header[36] << 8 | pdu.header[37]


NAMES = {'InitiatorName': 'iqn.2026-11.org.lab:py', 'TargetName': TARGET, 'SessionType': 'Normal'}


def test_login_statuses():
    table = [
        (0x0207, {'TargetName': TARGET}, {}),
        (0x0207, {'InitiatorName': 'iqn.x'}, {}),
        (0x0203, dict(NAMES, TargetName='iqn.2026-11.org.lab:none'), {}),
        (0x0209, dict(NAMES, SessionType='Strange'), {}),
        (0x020b, NAMES, {'flags': 0x87 | 0x40}),            # T and C
        (0x020b, NAMES, {'flags': 0x80 | 1 << 2 | 1}),      # from a stage to itself
        (0x020b, NAMES, {'flags': 0x80 | 1 << 2 | 2}),      # a stage that does not exist
        (0x020b, NAMES, {'flags': 0x0c}),                   # begins in full feature phase
        (0x0205, NAMES, {'b2': b'\x05\x05'}),
        (0x0200, b'no equals sign\0', {}),
        (0x0200, b'InitiatorName=iqn.x', {}),               # no end
        (0x0200, dict(NAMES, InitiatorName='iqn.x,res_holder=1'), {}),
        (0x0200, dict(NAMES, InitiatorName='iqn.x\nPR_REG_END: 0'), {}),
        (0x0200, b'InitiatorName=iqn.\xff\0TargetName=%s\0SessionType=Normal\0' % TARGET.encode(), {}),
        (0x0200, list(NAMES.items()) + [('MaxBurstLength', '512'), ('MaxBurstLength', '512')], {}),
        (0x0000, NAMES, {}),
    ]
    for want, text, kw in table:
        got = status_of(text, **kw)
        assert got == want, '%s %s: %s, not %04x' % (text, kw, got, want)
    c = Connection()
    c.tsih = 0x7777
    try:
        c.login()
        raise AssertionError('joined a session that is not there')
    except PermissionError as e:
        assert str(e) == '020a', e


TPG = '/sys/kernel/config/target/iscsi/%s/tpgt_1/' % TARGET


def read_file(path):
    with open(path, encoding='ascii') as f:
        return f.read().strip()


def write_file(path, value):
    with open(path, 'w', encoding='ascii') as f:
        f.write(value)


def attribute(name, value):
    write_file(TPG + name, value)


def sessions_say(text):
    return text in read_file(TPG + 'sessions')


def wait_no_session():
    end = time.monotonic() + 20
    while read_file(TPG + 'sessions'):
        assert time.monotonic() < end, 'the session is still there'
        time.sleep(0.02)


def test_offers():
    """6.2: what the initiator leaves out and must not stay at its default is offered, and has to be answered
    unless there is one answer only; login_keys_workaround is for who does not know that."""
    attribute('param/FirstBurstLength', '4096')
    attribute('param/ImmediateData', 'No')
    try:
        c = Connection()
        said = c.login()
        assert (said['FirstBurstLength'], said['ImmediateData']) == ('4096', 'No'), said
        c.close()
        for workaround in ('1', '0'):
            attribute('attrib/login_keys_workaround', workaround)
            c = Connection()
            c.login_pdu(NAMES)
            pdu = c.recv()
            assert pdu.flags == 4 and b'FirstBurstLength=4096\0' in pdu.data, (pdu.flags, pdu.data)
            c.login_pdu(b'')
            pdu = c.recv()
            if workaround == '0':
                assert pdu.header[36:38] == b'\2\0', pdu.header.hex()
                continue
            assert pdu.flags == 0x87 and not pdu.data, (pdu.flags, pdu.data)
            c.ready()
            assert sessions_say('FirstBurstLength=4096') and sessions_say('ImmediateData=No')
            c.send(TEXT, 0x80, word5=NO_TAG, words=c.sns(), data=pairs({'ImmediateData': 'No'}))
            assert c.recv().data == b'ImmediateData=Reject\0'
            c.close()
        attribute('param/FirstBurstLength', '65536')
        c = Connection()
        c.login_pdu(NAMES)
        pdu = c.recv()
        assert pdu.flags == 0x87 and b'ImmediateData=No\0' in pdu.data, (pdu.flags, pdu.data)
        c.close()
    finally:
        attribute('attrib/login_keys_workaround', '1')
        attribute('param/FirstBurstLength', '65536')
        attribute('param/ImmediateData', 'Yes')


def test_write_protect():
    """prod_mode_write_protect: what ACLs map from then on, unless their own file says otherwise"""
    acl = TPG + 'acls/iqn.2026-11.org.lab:py/'
    os.mkdir(acl)
    try:
        for on in ('1', '0'):
            attribute('attrib/prod_mode_write_protect', on)
            os.mkdir(acl + 'lun_0')
            os.symlink(TPG + 'lun/lun_0', acl + 'lun_0/link')
            assert read_file(acl + 'lun_0/write_protect') == on
            c = session()
            status, _, sense, _ = c.write10(0, PATTERN[:512])
            assert (status, sense[2:3]) == ((2, b'\7') if on == '1' else (0, b'')), (on, status, sense)
            write_file(acl + 'lun_0/write_protect', '0')
            assert c.write10(0, PATTERN[:512])[0] == 0
            c.close()
            os.unlink(acl + 'lun_0/link')
            os.rmdir(acl + 'lun_0')
    finally:
        attribute('attrib/prod_mode_write_protect', '0')
        os.rmdir(acl)


def test_failures():
    """Sessions that end because something was wrong are counted by what it was, and the last one is named."""
    stats = os.path.dirname(os.path.dirname(TPG)) + '/fabric_statistics/'
    names = ('iscsi_instance/fail_sess', 'iscsi_sess_err/digest_errors', 'iscsi_sess_err/cxn_errors',
             'iscsi_sess_err/format_errors')

    def counts():
        return [int(read_file(stats + name)) for name in names]

    def wrong_digest():
        c = session(HeaderDigest='CRC32C')
        c.command(bytes(6), spoil='header')
        return c

    def cut():
        c = session()
        c.close()
        return c

    def wrong_format():
        c = session()
        c.send(0x1f, 0x80, data=bytes(16), dsl=0xffffff)
        return c

    def logged_out():
        c = session()
        c.logout()
        return c
    for end, kind, index in ((wrong_digest, '1', 1), (cut, '2', 2), (wrong_format, '3', 3), (logged_out, '3', None)):
        wait_no_session()
        before = counts()
        want = [n + (index is not None and at in (0, index)) for at, n in enumerate(before)]
        c = end()
        wait_no_session()
        assert counts() == want, (end.__name__, before, counts())
        assert read_file(stats + 'iscsi_instance/fail_type') == kind
        assert read_file(stats + 'iscsi_instance/fail_rem_name') == NAMES['InitiatorName']
        c.close()


def test_no_answer():
    """A peer that is silent is pinged, and who does not answer is cut off in time: here one of two connections."""
    acl = TPG + 'acls/iqn.2026-11.org.lab:py/'
    os.mkdir(acl)
    try:
        for name in ('nopin_timeout', 'nopin_response_timeout'):
            write_file(acl + 'attrib/' + name, '3')
        attribute('param/MaxConnections', '2')
        attribute('param/ErrorRecoveryLevel', '2')
        c = Connection()
        c.login(ErrorRecoveryLevel='2', MaxConnections='2', DefaultTime2Wait='0')
        d = Connection(of=c, cid=1)
        d.login()
        errors = acl + 'fabric_statistics/iscsi_sess_stats/conn_timeout_errors'
        assert read_file(errors) == '0'
        begin = time.monotonic()
        for conn in (c, d):
            pdu = conn.recv()
            assert pdu.opcode == NOP_IN and pdu.itt == NO_TAG and pdu.ttt != NO_TAG, pdu.header.hex()
            if conn is c:
                c.send(0x40, 0x80, itt=NO_TAG, word5=pdu.ttt, words=c.sns(True))
        assert 2 < time.monotonic() - begin < 6
        assert d.closed() and 5 < time.monotonic() - begin < 11, time.monotonic() - begin
        assert read_file(errors) == '1'
        c.send(0x40, 0x80, itt=0x77, word5=NO_TAG, words=c.sns(True), data=b'there')
        while True:
            pdu = c.recv()
            if pdu.itt == 0x77:
                break
        assert pdu.data == b'there'
        c.close()
    finally:
        attribute('param/MaxConnections', '1')
        attribute('param/ErrorRecoveryLevel', '0')
        os.rmdir(acl)


def wait_nothing_left():
    """A TSIH is the lowest that is free, and is so again a while after its session has ended."""
    end = time.monotonic() + 60
    while True:
        conns = [Connection() for _ in range(8)]
        for n, c in enumerate(conns):
            c.isid = b'\x80\x12\x34\x59' + struct.pack('>H', n)
            c.login()
        highest = max(c.tsih for c in conns)
        for c in conns:
            c.logout()
            c.close()
        if highest == len(conns):
            return
        assert time.monotonic() < end, 'sessions are left: of %d the highest TSIH is %d' % (len(conns), highest)
        time.sleep(0.1)


def test_refused_is_over():
    """Who was refused is not listened to: requests that come behind the first one leave nothing."""
    wait_nothing_left()
    attribute('attrib/generate_node_acls', '0')
    try:
        c = Connection()

        def burst():
            c.login_pdu(NAMES)
            for _ in range(40):
                c.login_pdu(b'')
        c.send_raw(c.together(burst))
        pdu = c.recv()
        assert pdu.opcode == LOGIN_RSP and pdu.header[36:38] == b'\x02\x02', pdu.header.hex()
        try:
            pdu = c.recv()
            raise AssertionError('a second answer: %s' % pdu.header.hex())
        except Closed:
            pass
    finally:
        attribute('attrib/generate_node_acls', '1')
    wait_nothing_left()


def test_answers_unread():
    """A peer that sends pings and reads nothing is not listened to for long; then it gets all it asked for."""
    c = session()
    data = bytes(8192)
    one = c.together(lambda: c.send(0x40, 0x80, itt=7, word5=NO_TAG, words=c.sns(True), data=data))
    c.sock.settimeout(3)
    sent = 0
    try:
        while sent < 100 << 20:
            sent += c.sock.send((one * 8)[sent % len(one):])
    except socket.timeout:
        pass
    assert sent < 48 << 20, 'it took %d bytes' % sent
    c.sock.settimeout(60)
    for n in range(-(-sent // len(one))):
        if (n + 1) * len(one) > sent:
            c.send_raw(one[sent % len(one):])
        pdu = c.recv()
        assert pdu.opcode == NOP_IN and pdu.data == data
    assert c.tur() == 0
    c.close()


def test_negotiation():
    table = [
        ('MaxBurstLength', '16776192', '262144'), ('MaxBurstLength', '4096', '4096'),
        ('MaxBurstLength', '0x1000', '4096'), ('MaxBurstLength', '1', 'Reject'), ('MaxBurstLength', 'x', 'Reject'),
        ('InitialR2T', 'No', 'Yes'), ('ImmediateData', 'No', 'No'), ('ErrorRecoveryLevel', '2', '0'),
        ('HeaderDigest', 'CRC32C,None', 'CRC32C'), ('HeaderDigest', 'None,CRC32C', 'None'),
        ('HeaderDigest', 'MD5', 'Reject'), ('MaxConnections', '8', '1'), ('DefaultTime2Wait', '5', '5'),
        ('DefaultTime2Wait', '0', '2'), ('OFMarker', 'Yes', 'No'), ('X-org.lab.strange', '1', 'NotUnderstood'),
        ('iSCSIProtocolLevel', '2', '2'), ('TaskReporting', 'FastAbort', 'Reject'),
    ]
    for key, offer, want in table:
        c = Connection()
        said = c.login(**{key: offer})
        assert said.get(key) == want, '%s=%s: %s, not %s' % (key, offer, said.get(key), want)
        assert said['TargetPortalGroupTag'] == '1'
        c.close()


def test_login_in_parts():
    c = Connection()
    data = pairs(NAMES)
    for n in range(0, len(data), 10):
        c.login_pdu(data[n:n + 10], transit=False, more=True)
        pdu = c.recv()
        assert pdu.opcode == LOGIN_RSP and not pdu.flags & 0x80 and not pdu.data
    c.login_pdu(b'')
    pdu = c.recv()
    assert pdu.flags & 0x83 == 0x83 and b'TargetPortalGroupTag=1' in pdu.data
    c.ready()
    c.close()


def test_read_write():
    c = session()
    for size in (512, 4096, 8192, 65536, 262144):
        assert c.write10(7, PATTERN[:size])[0] == 0
        status, data, _, _ = c.read10(7, size // 512)
        assert status == 0 and data == PATTERN[:size], size
    assert c.nop(b'x' * 1000) == b'x' * 1000
    assert c.nop(b'', True) == b''
    assert c.logout() == 0 and c.closed()


class Pieces:
    """A connection that sends what it sends in pieces, and NODELAY makes a segment of each."""

    def __init__(self, c, *cuts):
        self.c, self.cuts, self.whole = c, cuts, c.send_raw

    def __enter__(self):
        self.c.send_raw = self.send
        return self.c

    def send(self, data):
        at = 0
        for cut in (*self.cuts, len(data)):
            if at < cut <= len(data):
                self.whole(data[at:cut])
                time.sleep(0.02)
                at = cut

    def __exit__(self, *unused):
        self.c.send_raw = self.whole


def test_pieces():
    """The owner waits for the rest of a PDU, wherever it was cut and however large it is."""
    for digests in ({}, {'DataDigest': 'CRC32C'}, {'HeaderDigest': 'CRC32C', 'DataDigest': 'CRC32C'}):
        c = session(**digests)
        for size, cuts in ((512, (1, 47)), (512, (48,)), (512, (48, 49)), (4096, (48, 2000, 4140)), (65536, (40, 48, 30000)),
                           (512, (47, 48, 52, 56)), (8192, tuple(range(500, 8192, 500)))):
            with Pieces(c, *cuts):
                assert c.write10(9, PATTERN[:size])[0] == 0, (digests, size, cuts)
            assert c.read10(9, size // 512)[1] == PATTERN[:size], (digests, size, cuts)
        # a command in the same segment as the end of another, and half of a third
        small, tags = struct.pack('>BBIBHB', 0x2a, 0, 20, 0, 1, 0), []
        text = c.together(lambda: tags.extend(
            c.command(small, 512, write=True, data=PATTERN[512 * n:512 * n + 512]) for n in range(3)))
        third = len(text) // 3
        with Pieces(c, third - 100, 2 * third + 60):
            c.send_raw(text)
        for tag in tags:
            pdu = c.recv()
            assert (pdu.opcode, pdu.itt, pdu.header[3]) == (RESPONSE, tag, 0)
        assert c.read10(20, 1)[1] == PATTERN[1024:1536], 'the last one'
        c.close()
    # a part of a PDU, and the end
    c = session()
    with Pieces(c, 48, 100):
        c.command(struct.pack('>BBIBHB', 0x2a, 0, 20, 0, 8, 0), 4096, write=True, data=PATTERN[:1000], dsl=4096)
        c.close()
    c = session()
    assert c.read10(20, 1)[1] == PATTERN[1024:1536], 'part of a PDU was written'


def test_max_recv():
    """What is declared: the parameter, unless that is as nobody has set it"""
    path = '/sys/kernel/config/target/iscsi/%s/tpgt_1/param/' % TARGET
    for recv, xmit, declared in ((8192, 262144, 262144), (8192, 65536, 65536), (8192, 4096, 8192), (65536, 262144, 65536),
                                 (512, 262144, 512), (8192, 262144, 262144)):
        for name, value in (('MaxRecvDataSegmentLength', recv), ('MaxXmitDataSegmentLength', xmit)):
            with open(path + name, 'w', encoding='ascii') as f:
                f.write('%d' % value)
        c = Connection()
        said = c.login()
        assert said.get('MaxRecvDataSegmentLength') == '%d' % declared, (recv, xmit, said)
        c.close()


def test_digests():
    c = session(HeaderDigest='CRC32C', DataDigest='CRC32C')
    assert c.write10(0, PATTERN[:10240])[0] == 0
    assert c.read10(0, 20)[1] == PATTERN[:10240]
    assert c.nop(b'abc') == b'abc'
    for spoil in ('header', 'data'):
        c = session(HeaderDigest='CRC32C', DataDigest='CRC32C')
        c.command(struct.pack('>BBIBHB', 0x2a, 0, 0, 0, 1, 0), 512, write=True, data=bytes(512), spoil=spoil)
        assert c.closed()
        c = session()
        assert c.read10(0, 1)[1] == PATTERN[:512], 'written in spite of a wrong digest'


def start_write(c, lba, size, **kw):
    itt = c.command(struct.pack('>BBIBHB', 0x2a, 0, lba, 0, size // 512, 0), size, write=True, **kw)
    pdu = c.recv()
    assert pdu.opcode == R2T and pdu.itt == itt
    return itt, pdu


def test_data_out_wrong():
    """DataSN, offset, length, an early end: the command fails and the medium stays as it was."""
    c = session()
    assert c.write10(100, PATTERN[:4096])[0] == 0
    table = [(1, 0, 4096, True), (27, 0, 4096, True), (0, 512, 3584, True), (0, 0, 512, True), (0, 0xfffffe00, 512, True),
             (0, 0, 4608, True)]
    for datasn, offset, size, final in table:
        itt, r2t = start_write(c, 100, 4096)
        c.data_out(itt, r2t.ttt, datasn, offset, bytes(size), final)
        status, _, sense, _ = c.finish(itt)
        assert status == 2 and sense[2] & 15 == 0x0b, (datasn, offset, size)
        assert c.read10(100, 8)[1] == PATTERN[:4096]
    itt, r2t = start_write(c, 100, 4096)
    c.data_out(itt, 0x12345678, 0, 0, bytes(4096))      # a tag nobody gave out: let go
    c.data_out(itt, r2t.ttt, 0, 0, PATTERN[4096:8192])
    assert c.finish(itt)[0] == 0
    assert c.read10(100, 8)[1] == PATTERN[4096:8192]
    c.close()


def test_unsolicited_not_allowed():
    c = session()
    c.command(struct.pack('>BBIBHB', 0x2a, 0, 0, 0, 8, 0), 4096, write=True, final=False)
    assert c.closed()


def test_too_long():
    c = session()
    c.command(struct.pack('>BBIBHB', 0x2a, 0, 0, 0, 1, 0), 512, write=True, dsl=0xffffff)
    assert c.closed()
    c = Connection()
    c.login_pdu(b'', dsl=0xffffff)
    assert c.closed()


def test_cmdsn():
    c = session()
    good = c.cmdsn
    for sn in (good + 1, good - 1, good + 0x7fffffff):
        c.send(1, 0x81, words=struct.pack('>II', sn & 0xffffffff, c.exp_statsn) + bytes(16))
    assert c.tur() == 0
    assert c.cmdsn == good + 1
    c.close()


def test_abort_write():
    """An aborted write asks for no more data, and late data is let go."""
    c = session()
    assert c.write10(200, PATTERN[:4096])[0] == 0
    sn = c.cmdsn
    itt, r2t = start_write(c, 200, 4096)
    assert c.tmf(1, ref=itt, refsn=sn) == 0
    c.data_out(itt, r2t.ttt, 0, 0, bytes(4096))
    assert c.tmf(1, ref=itt, refsn=sn) == 1, 'the task is still there'
    assert c.read10(200, 8)[1] == PATTERN[:4096]
    itt, r2t = start_write(c, 200, 4096)
    assert c.tmf(5) == 0
    c.ready()
    assert c.read10(200, 8)[1] == PATTERN[:4096]
    assert c.tmf(5, lun=9) == 2
    assert c.tmf(6) == 0
    assert c.tmf(8) == 4
    assert c.tmf(99) == 255
    c.close()


def test_abort_early():
    """A write whose unsolicited data is still to come is a task, too."""
    attribute('param/InitialR2T', 'No')
    c = session(InitialR2T='No', FirstBurstLength='65536')
    attribute('param/InitialR2T', 'Yes')
    assert c.write10(300, PATTERN[:8192])[0] == 0
    for function in (1, 2, 5):
        sn = c.cmdsn
        itt = c.command(struct.pack('>BBIBHB', 0x2a, 0, 300, 0, 16, 0), 8192, write=True, final=False, data=bytes(4096))
        assert c.tmf(function, ref=itt if function == 1 else NO_TAG, refsn=sn) == 0
        c.data_out(itt, NO_TAG, 0, 4096, bytes(4096))
        assert c.nop() == b'', 'an answer after the abort'
        if function == 1:
            assert c.tmf(1, ref=itt, refsn=sn) == 1, 'it was aborted before'
        c.ready()
        assert c.read10(300, 16)[1] == PATTERN[:8192], 'written after the abort, function %d' % function
    # another unit's is left alone
    itt = c.command(struct.pack('>BBIBHB', 0x2a, 0, 300, 0, 16, 0), 8192, write=True, final=False, data=PATTERN[9:4105])
    assert c.tmf(2, lun=9) == 2
    c.data_out(itt, NO_TAG, 0, 4096, PATTERN[4105:8201])
    assert c.finish(itt)[0] == 0
    assert c.read10(300, 16)[1] == PATTERN[9:8201]
    c.close()


def over_and_reset(c, cdb, function, edtl=0, read=False):
    """A command and its abort in one segment: what is answered, in order"""
    def both():
        c.command(cdb, edtl, read=read)
        c.send(TMF | 0x40, 0x80 | function, word5=itt, words=c.sns(True) + struct.pack('>I', c.cmdsn - 1))
    itt = c.itt + 1
    c.send_raw(c.together(both))
    seen = []
    while not seen or seen[-1] not in ('complete', 'no task'):
        pdu = c.recv()
        if pdu.opcode == TMF_RSP:
            seen.append({0: 'complete', 1: 'no task'}[pdu.header[2]])
        else:
            assert pdu.itt == itt, 'opcode %#x' % pdu.opcode
            if pdu.opcode == RESPONSE or pdu.flags & 1:
                seen.append('status')
    return seen


def test_abort_over():
    """After task management has been answered no response comes of what it is about; and a task that has been
    responded to is not there to be aborted."""
    c = session()
    for _ in range(50):
        # this one runs where the PDU is received
        assert over_and_reset(c, bytes(6), 1) == ['status', 'no task']
        assert c.nop() == b''
        got = over_and_reset(c, struct.pack('>BBIBHB', 0x28, 0, 0, 0, 8, 0), 1, 4096, True)
        assert got in (['status', 'no task'], ['complete']), got
        assert c.nop() == b'', 'a response after the abort'
        got = over_and_reset(c, bytes(6), 5)
        assert got in (['status', 'complete'], ['complete']), got
        assert c.nop() == b'', 'a response after the reset'
        c.ready()
    c.close()


def test_reset_over_many():
    """The same of many that end on another CPU while the function is being answered: LUN 1 is a file, whose stable
    writes a worker of its own does."""
    c = session()
    while c.finish(c.command(bytes(6), lun=1))[0]:
        pass
    for n in range(150):
        tags = {c.command(struct.pack('>BBIBHB', 0x2a, 8, lba, 0, 1, 0), 512, write=True, data=bytes(512), lun=1)
                for lba in range(MANY)}
        time.sleep(random.random() / 200)
        function = c.send(TMF | 0x40, 0x80 | 5, lun=struct.pack('>H', 1) + bytes(6), words=c.sns(True))
        while True:
            pdu = c.recv()
            if pdu.opcode == TMF_RSP:
                break
            assert pdu.opcode == RESPONSE
            tags.remove(pdu.itt)
        assert pdu.itt == function and pdu.header[2] == 0
        assert c.nop() == b'', 'a response after the reset, round %d' % n
        while c.finish(c.command(bytes(6), lun=1))[0]:
            pass
    c.close()


def set_d_sense(c, on):
    """MODE SELECT of the control mode page: others get a unit attention"""
    status, page, _, _ = c.finish(c.command(bytes([0x1a, 8, 0x0a, 0, 255, 0]), 255, read=True))
    assert status == 0 and page[4] == 0x0a, page.hex()
    page = bytearray(page)
    page[0] = page[2] = 0
    page[6] = page[6] & ~4 | (4 if on else 0)
    cdb = bytes([0x15, 0x10, 0, 0, len(page), 0])
    assert c.finish(c.command(cdb, len(page), write=True, data=bytes(page)))[0] == 0


def test_query_async_event():
    """RFC 7144 5.2, SAM-5 7.10: the response says which unit attention is next, and if there are more."""
    other = Connection()
    other.isid = b'\x80\x12\x34\x56\x00\x02'
    other.login()
    other.ready()

    def reset():
        assert other.tmf(5) == 0
        other.ready()

    def mode():
        for on in (True, False):
            set_d_sense(other, on)

    # the level, what another initiator does; what the function says, then TEST UNIT READY, one by one
    table = [
        ('2', (), []),
        ('2', (mode,), [(0x16, 0x2a, 0x01)]),
        ('2', (reset,), [(0x16, 0x29, 0x03)]),
        ('2', (reset, mode), [(0x26, 0x29, 0x03), (0x16, 0x2a, 0x01)]),
    ]
    for level, actions, events in table:
        c = session(iSCSIProtocolLevel=level)
        for act in actions:
            act()
        for event in events:
            for _ in range(2):                          # it stays as it is
                pdu = c.tmf_answer(12)
                assert (pdu.header[2], tuple(pdu.header[8:11])) == (7, event), (level, pdu.header.hex())
                assert not any(pdu.header[11:16]) and not pdu.data
            status, _, sense, _ = c.finish(c.command(bytes(6)))
            assert status == 2 and sense[0] & 0x7f == 0x70, sense.hex()
            assert not any(event) or (sense[2] & 15, sense[12], sense[13]) == (6,) + event[1:], sense.hex()
        pdu = c.tmf_answer(12)
        assert pdu.header[2] == 0 and not any(pdu.header[8:16]), (level, pdu.header.hex())
        pdu = c.tmf_answer(12, lun=9)
        assert pdu.header[2] == 2 and not any(pdu.header[8:16]), (level, pdu.header.hex())
        c.close()
    other.close()


def test_unknown_opcode():
    c = session()
    c.send(0x1c | 0x40, 0x80, words=c.sns(True))
    pdu = c.recv()
    assert pdu.opcode == REJECT and pdu.header[2] == 5 and pdu.data[0] == 0x5c
    assert c.tur() == 0
    c.close()


def test_direction():
    """A command that takes data, malformed, by who expects some: an answer, and no Data-In."""
    c = session()
    # PERSISTENT RESERVE OUT, RESERVE with a scope that there is not
    itt = c.command(b'\x5f\x01\xf1' + bytes(4) + b'\0\x18\0', 512, read=True)
    assert c.finish(itt)[:2] == (2, b'')
    assert c.tur() == 0
    c.close()


def test_text():
    c = session()
    c.send(TEXT, 0x80, word5=NO_TAG, words=c.sns(), data=pairs({'SendTargets': '', 'MaxBurstLength': '512'}))
    pdu = c.recv()
    assert pdu.opcode == TEXT_RSP and b'TargetName=%s\0' % TARGET.encode() in pdu.data
    assert b'MaxBurstLength=Reject' in pdu.data
    c.send(TEXT, 0x40, word5=NO_TAG, itt=77, words=c.sns(), data=b'SendTar')
    pdu = c.recv()
    assert pdu.opcode == TEXT_RSP and not pdu.data and not pdu.flags & 0x80
    c.send(TEXT, 0x80, word5=pdu.ttt, itt=77, words=c.sns(), data=b'gets=All\0')
    pdu = c.recv()
    assert b'SendTargets=Reject' in pdu.data, pdu.data
    # not yet the last one (11.10.1): neither is the answer
    c.send(TEXT, 0, word5=NO_TAG, itt=78, words=c.sns(), data=pairs({'SendTargets': ''}))
    pdu = c.recv()
    assert pdu.opcode == TEXT_RSP and b'TargetName=' in pdu.data, pdu.data
    assert not pdu.flags & 0xc0 and pdu.ttt != NO_TAG, (pdu.flags, pdu.ttt)
    c.send(TEXT, 0x80, word5=pdu.ttt, itt=78, words=c.sns(), data=pairs({'X-lab': '1'}))
    pdu = c.recv()
    assert pdu.flags & 0x80 and pdu.ttt == NO_TAG and pdu.data == b'X-lab=NotUnderstood\0', pdu.data
    c.send(TEXT, 0x80, word5=0x1234, words=c.sns())
    assert c.recv().opcode == REJECT
    # a key once: each of these would cost a list
    c.send(TEXT, 0x80, word5=NO_TAG, words=c.sns(), data=2 * pairs({'SendTargets': ''}))
    assert c.recv().opcode == REJECT
    c.close()


def test_reinstatement():
    old = session()
    new = session()
    assert old.closed()
    assert new.tur() == 0
    new.close()


def told(c, lun=0):
    """Unit attentions, one by one"""
    codes = []
    while True:
        status, _, sense, _ = c.finish(c.command(bytes(6), lun=lun))
        if status == 0:
            return codes
        codes.append((sense[2] & 15, sense[12], sense[13]))


def test_nexus_loss():
    """A nexus that was there before is told that it was lost, not that the unit came up; first of all it is told."""
    def nexus(isid, name='iqn.2026-11.org.lab:lost'):
        c = Connection()
        c.isid = b'\x80\x12\x34\x57' + struct.pack('>H', isid)
        c.login(name=name)
        return c
    power_on, lost, mode = (6, 0x29, 1), (6, 0x29, 7), (6, 0x2a, 1)
    other = session()
    c = nexus(1)
    assert told(c) == [power_on]
    for how in ('cut', 'logout', 'reinstated'):
        if how == 'reinstated':
            former = c
        elif how == 'logout':
            assert c.logout() == 0
            assert c.closed()
        else:
            c.close()
        c = nexus(1)
        for on in (True, False):
            set_d_sense(other, on)
        got = told(c)
        assert got == [lost, mode], (how, got)
    assert former.closed()
    for isid, name in ((2, 'iqn.2026-11.org.lab:lost'), (1, 'iqn.2026-11.org.lab:other')):
        new = nexus(isid, name)
        assert told(new) == [power_on], 'another nexus'
        new.close()
    c.close()
    other.close()


def test_silent():
    """Connections that say nothing, or half a login, cost a good one nothing."""
    def good():
        start = time.monotonic()
        c = session()
        c.logout()
        c.close()
        return time.monotonic() - start
    alone = min(good() for _ in range(3))
    some = []
    for n in range(ARGS.silent):
        c = Connection()
        if n % 3 == 1:
            c.send_raw(b'\x43\x87')
        elif n % 3 == 2:
            c.login_pdu({'InitiatorName': 'iqn.half'}, csg=0, transit=False, more=True)
        some.append(c)
    beside = min(good() for _ in range(3))
    print('a login takes %.3f s alone, %.3f s beside %d that do not finish' % (alone, beside, ARGS.silent))
    assert beside < 4 * alone + 0.5
    for c in some:
        c.close()


def ended(conns):
    """Which of the connections the target has ended"""
    poll = select.poll()
    by_fd = {c.sock.fileno(): n for n, c in enumerate(conns)}
    for fd in by_fd:
        poll.register(fd, select.POLLIN)
    return sorted(by_fd[fd] for fd, _ in poll.poll(0))


def until_ended(conns, want):
    end = time.monotonic() + 20
    while ended(conns) != want:
        assert time.monotonic() < end, (ended(conns)[:5], want)
        time.sleep(0.02)


def test_half_open():
    """The oldest connection without a login goes: of a source that has 1536, of a portal that has 4096."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (8192, 8192))
    begin = time.monotonic()
    elsewhere = [Connection(source='127.0.0.9')]
    many = [Connection(source='127.0.0.2') for _ in range(1536)]
    session().close()                                   # those before it are accepted
    if time.monotonic() - begin > 12:
        # On a debug kernel: the first ones have nearly used up the time that a login may take.
        print('no half open connections: making so many took %.0f s' % (time.monotonic() - begin))
        for c in elsewhere + many:
            c.close()
        return
    assert not ended(elsewhere + many)
    for n in range(3):
        many.append(Connection(source='127.0.0.2'))
        until_ended(many, list(range(n + 1)))
    assert not ended(elsewhere)
    if ARGS.silent >= 1000:
        for source, count in (('127.0.0.3', 1536), ('127.0.0.4', 1536)):
            elsewhere += [Connection(source=source) for _ in range(count)]
        # in the order in which they came, whoever sent them
        over = len(elsewhere) + 1536 - 4096
        until_ended(elsewhere[:1] + many[3:], list(range(over)))
        session().close()
        until_ended(elsewhere[:1] + many[3:], list(range(over + 1)))
    for c in elsewhere + many:
        c.close()


def main():
    global ARGS
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument('--silent', type=int, default=200)
    p.add_argument('tests', nargs='*')
    ARGS = p.parse_args()
    bad = 0
    for name, test in list(globals().items()):
        if not name.startswith('test_') or (ARGS.tests and name not in ARGS.tests):
            continue
        start = time.monotonic()
        try:
            test()
            print('%s: passed, %.1f s' % (name, time.monotonic() - start))
        except Exception as e:  # pylint: disable=broad-except
            bad += 1
            tb = e.__traceback__
            while tb.tb_next and tb.tb_next.tb_frame.f_code.co_filename == __file__:
                tb = tb.tb_next
            print('FAIL: %s line %d: %s %s' % (name, tb.tb_lineno, type(e).__name__, e))
    return bad


if __name__ == '__main__':
    sys.exit(main())
