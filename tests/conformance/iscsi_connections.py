#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Several connections in a session, one that is lost, tasks that go on on another (RFC 7143 4.2.2, 6.3.4, 7.2).

    iscsi_connections.py [TEST...]

As for iscsi_recovery.py.
"""
import os
import random
import re
import select
import struct
import subprocess
import sys
import threading
import time

from iscsi_initiator import (ASYNC, Connection, DATA_IN, LOGIN_RSP, NO_TAG, NOP_IN, NOP_OUT, R2T, REJECT, RESPONSE, TMF,
                             TMF_RSP)
from iscsi_recovery import (PARAM, PATTERN, fill, read_cdb, run, send_data, session, start_read, start_write,
                            unsolicited, write_cdb)

TPG = os.path.dirname(os.path.dirname(PARAM)) + '/'
REASSIGN = 8
IMMEDIATE_MOST = 16         # functions that wait for others' turns
SLOW = int(os.environ.get('VM_SLOW', '1'))


def first(level='0', **keys):
    keys.setdefault('MaxConnections', '4')
    keys.setdefault('DefaultTime2Wait', '0')
    return session(ErrorRecoveryLevel=level, **keys)


def join(c, cid, **keys):
    d = Connection(of=c, cid=cid)
    d.login(**keys)
    return d


def refused(c, cid):
    d = Connection(of=c, cid=cid)
    try:
        d.login()
    except PermissionError as e:
        return str(e)
    finally:
        d.close()
    raise AssertionError('not refused')


def sessions():
    with open(TPG + 'sessions') as f:
        return f.read()


def until(condition, what):
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end, 'waited for: ' + what
        time.sleep(0.05)


def wait_no_sessions():
    until(lambda: not sessions(), 'no session')


def test_two_connections():
    c = first()
    d = join(c, 1, MaxRecvDataSegmentLength='4096', HeaderDigest='CRC32C', DataDigest='CRC32C')
    text = sessions()
    assert text.count('connection') == 2 and text.count('session') == 1, text
    assert 'MaxRecvDataSegmentLength=4096 HeaderDigest=CRC32C' in text, text
    for n, conn in enumerate((c, d, d, c)):
        data = PATTERN[n * 65536:(n + 1) * 65536]
        assert conn.write10(n * 128, data)[0] == 0
        other = d if conn is c else c
        assert other.read10(n * 128, 128)[1] == data
    _, pdus = start_read(d, 0, 16384)
    assert len(pdus) == 4, 'a connection has its own MaxRecvDataSegmentLength'
    assert d.nop(b'd') == b'd' and c.nop(b'c') == b'c'
    c.close()
    assert d.closed(), 'a connection is lost: without recovery the session is'
    wait_no_sessions()


def test_many():
    """Four connections at once, each with writes and reads that check what was written"""
    c = first()
    conns = [c] + [join(c, n) for n in range(1, 4)]
    assert refused(c, 9) == '0206'
    lock = threading.Lock()
    errors = []

    def load(conn, n):
        rnd = random.Random(n)
        try:
            for _ in range(40):
                size = rnd.randrange(1, 64) * 512
                data, lba = rnd.randbytes(size), n * 1000
                with lock:
                    itt = conn.command(write_cdb(lba, size // 512), size, write=True)
                assert conn.finish(itt, data)[0] == 0
                with lock:
                    itt = conn.command(read_cdb(lba, size // 512), size, read=True)
                assert conn.finish(itt)[1] == data
        except Exception as e:  # pylint: disable=broad-except
            errors.append(repr(e))
    threads = [threading.Thread(target=load, args=(conn, n)) for n, conn in enumerate(conns)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not errors, errors
    for conn in conns:
        conn.close()
    wait_no_sessions()


def test_order():
    """CmdSN is the order of the session: what comes too early waits, on whichever connection."""
    c = first()
    d = join(c, 1)
    fill(c, 0, bytes(4096))

    def sns():
        words = struct.pack('>II', c.cmdsn, 0)
        c.cmdsn += 1
        return words
    one, two, three, four = (sns() for _ in range(4))
    read = d.command(read_cdb(0, 8), 4096, read=True, sns=two + read_cdb(0, 8).ljust(16, b'\0'))
    nop = c.send(NOP_OUT, 0x80, word5=NO_TAG, words=three, data=b'third')
    last = d.command(bytes(6), sns=four + bytes(16))
    assert c.silent() and d.silent(0.1)
    d.command(read_cdb(0, 8), 4096, read=True, sns=two + read_cdb(0, 8).ljust(16, b'\0'))     # again: ignored
    write = c.command(write_cdb(0, 8), 4096, write=True, data=PATTERN[:4096],
                      sns=one + write_cdb(0, 8).ljust(16, b'\0'))
    got = {pdu.itt: pdu for pdu in (c.recv(), c.recv())}
    assert got[write].opcode == RESPONSE and got[nop].opcode == NOP_IN and got[nop].data == b'third'
    pdu = d.recv()
    assert pdu.opcode == DATA_IN and pdu.itt == read and pdu.data == PATTERN[:4096]
    pdu = d.recv()
    assert pdu.opcode == RESPONSE and pdu.itt == last
    assert d.silent(0.1)
    # An immediate command does not wait, and a task may be managed on any connection.
    early = sns()
    late = sns()
    d.command(bytes(6), sns=late + bytes(16))
    assert c.finish(c.command(bytes(6), immediate=True))[0] == 0
    assert c.finish(c.command(bytes(6), sns=early + bytes(16)))[0] == 0
    assert d.recv().opcode == RESPONSE
    itt, _ = start_write(d, 64, 65536)
    assert c.tmf(1, ref=itt, refsn=c.cmdsn - 1) == 0
    # it is over when the owner of the other connection has seen the abort
    until(lambda: c.tmf(1, ref=itt, refsn=c.cmdsn - 1) == 1, 'the task to be gone')
    assert d.tur() == 0
    c.logout()
    assert d.closed()
    wait_no_sessions()


def test_function_waits():
    """An immediate function for many tasks waits for what was sent before it on another connection."""
    c = first()
    d = join(c, 1)
    for func in (2, 4, 5, 6):
        gap = struct.pack('>II', c.cmdsn, 0) + bytes(16)
        c.cmdsn += 1
        itts = [c.send(TMF | 0x40, 0x80 | func, word5=NO_TAG, words=c.sns(True)) for _ in range(2)]
        assert c.silent(), 'function %d has not waited' % func
        # an abort of one task does not wait
        c.send(TMF | 0x40, 0x81, word5=1, words=c.sns(True) + struct.pack('>I', (c.cmdsn - 100) & 0xffffffff))
        assert (c.recv().header[2], c.silent(0.1)) == (1, True)
        d.command(bytes(6), sns=gap)
        for itt in itts:
            pdu = c.recv()
            assert (pdu.opcode, pdu.itt, pdu.header[2]) == (TMF_RSP, itt, 0), pdu.header.hex()
        c.ready()
    # they do not fill the memory
    c.cmdsn += 1
    for _ in range(100):
        c.send(TMF | 0x40, 0x82, word5=NO_TAG, words=c.sns(True))
    for _ in range(100 - IMMEDIATE_MOST):
        assert c.recv().opcode == REJECT
    assert c.silent(0.1)
    c.close()


def function(c, func):
    return c.send(TMF | 0x40, 0x80 | func, word5=NO_TAG, words=c.sns(True))


def answered(c, itt, what):
    pdu = c.recv()
    assert (pdu.opcode, pdu.itt, pdu.header[2]) == (TMF_RSP, itt, 0), (what, pdu.header.hex())


def pong(d, ping):
    assert ping.opcode == NOP_IN and ping.itt == NO_TAG and ping.ttt != NO_TAG, ping.header.hex()
    d.send(NOP_OUT | 0x40, 0x80, itt=NO_TAG, word5=ping.ttt, words=d.sns(True))


def test_function_fenced():
    """What other connections were sent is acknowledged before a function for many tasks is answered (4.2.3.3)."""
    c = first()
    d = join(c, 1)
    for func in (2, 4, 5, 6):
        c.ready()
        for _ in range(20):
            itt = d.command(bytes(6))
            assert d.recv().itt == itt
            begin = time.monotonic()
            tmf = function(c, func)
            ping = d.recv()
            early = select.select([c.sock], [], [], 0.1)[0]
            took = time.monotonic() - begin
            pong(d, ping)
            answered(c, tmf, func)
            if took < 0.45:
                break
        assert took < 0.45, 'too slow to tell'
        assert not early, 'function %d has not waited' % func
    c.ready()
    # acknowledged, once that has come: nothing is asked
    for _ in range(20):
        d.send(NOP_OUT | 0x40, 0x80, itt=NO_TAG, word5=NO_TAG, words=d.sns(True))
        answered(c, function(c, 2), 'acknowledged before')
        asked = select.select([d.sock], [], [], 0.1)[0]
        if not asked:
            break
        pong(d, d.recv())
    assert not asked
    # who does not answer is not waited for, and may answer later
    d.command(bytes(6))
    d.recv()
    begin = time.monotonic()
    answered(c, function(c, 2), 'no acknowledgment')
    assert 0.4 < time.monotonic() - begin < 1 * SLOW
    pong(d, d.recv())
    assert d.tur() == 0 and d.silent(0.1)
    c.close()


def test_function_fence_ends():
    """The connection that is waited for goes, or the one that waits."""
    for ends in range(2):
        c = first('2', DefaultTime2Retain='5')
        pair = c, join(c, 1)
        pair[1].command(bytes(6))
        pair[1].recv()
        tmf = function(c, 2)
        pair[1].recv()
        pair[not ends].close()
        if not ends:
            answered(c, tmf, 'the other connection went')
        pair[ends].ready()
        assert pair[ends].logout(0) == 0
        wait_no_sessions()


def test_abort_arriving():
    """A task is aborted while its immediate data arrives on another connection: it has not come, and does not."""
    c = first()
    d = join(c, 1)
    fill(c, 1900, bytes(4096))
    text = d.together(lambda: d.command(write_cdb(1900, 8), 4096, write=True, data=PATTERN[:4096]))
    itt, sn = c.itt, c.cmdsn - 1
    d.send_raw(text[:2000])
    c.nop(immediate=True)
    assert c.tmf(1, ref=itt, refsn=sn) == 0
    d.send_raw(text[2000:])
    assert d.tur() == 0 and d.silent(0.1)
    assert c.read10(1900, 8)[1] == bytes(4096)
    c.close()


def test_abort_reaches_others():
    """A function is about what was sent before it on any connection: a write whose unsolicited data is to come."""
    c = unsolicited(ErrorRecoveryLevel='0', MaxConnections='4', DefaultTime2Wait='0', FirstBurstLength='65536')
    d = join(c, 1)
    for func in (2, 4):
        fill(c, 1800, bytes(4096))
        itt = d.command(write_cdb(1800, 8), 4096, write=True, final=False)
        later = c.send(TMF, 0x80 | func, word5=NO_TAG, words=c.sns())
        pdu = c.recv()
        assert (pdu.opcode, pdu.itt, pdu.header[2]) == (TMF_RSP, later, 0), pdu.header.hex()
        # one that is sent after it is not meant
        after = d.command(write_cdb(1808, 8), 4096, write=True, final=False)
        d.data_out(itt, NO_TAG, 0, 0, PATTERN[:4096])
        d.data_out(after, NO_TAG, 0, 0, PATTERN[:4096])
        assert d.finish(after)[0] == 0
        assert c.read10(1800, 16)[1] == bytes(4096) + PATTERN[:4096], 'function %d' % func
    c.close()
    d.close()


def test_logout():
    c = first()
    d, e = join(c, 1), join(c, 2)
    assert c.logout(1, cid=7) == 1, 'no such connection'
    assert c.logout(2, cid=1) == 2, 'no connection recovery'
    itt, _ = start_write(d, 0, 65536)
    assert c.logout(1, cid=1) == 0
    assert d.closed()
    assert c.tmf(1, ref=itt, refsn=c.cmdsn - 1) == 1, 'its task is still there'
    assert e.logout(1, cid=2) == 0 and e.closed()
    assert c.tur() == 0
    d = join(c, 1)
    assert d.tur() == 0
    assert d.logout(0) == 0 and c.closed()
    wait_no_sessions()


def test_same_cid():
    """6.3.4: a login with the CID of a connection takes its place, here of the only one."""
    c = first()
    d = join(c, 0)
    assert c.closed()
    assert d.tur() == 0
    e = join(d, 0)
    assert d.closed() and e.tur() == 0
    assert sessions().count('connection') == 1
    f = Connection()
    f.login()
    assert e.closed(), 'a session of the same name and ISID'
    f.ready()
    f.close()
    wait_no_sessions()
    c = Connection()
    c.login(ErrorRecoveryLevel='0')                     # one connection was agreed on
    assert refused(c, 1) == '0206'
    c.ready()
    c.close()
    wait_no_sessions()
    assert refused(c, 1) == '020a'


def test_same_cid_alone():
    """6.3.4 in a session of one connection without recovery: the former one's tasks end, the session goes on."""
    c = Connection()
    c.login(ErrorRecoveryLevel='0')
    c.ready()
    fill(c, 0, PATTERN[:65536])
    number = sessions().split()[1]
    for _ in range(10):
        sn = c.cmdsn
        one, _ = start_write(c, 0, 65536)
        for n in range(8):
            c.command(read_cdb(n, 512), 262144, read=True)                             # nobody reads
        c.command(write_cdb(0, 64), 32768, write=True, data=bytes(100), dsl=8192)      # in the middle of a PDU
        d = join(c, 0)
        assert c.closed()
        c.close()
        assert sn < d.exp_cmdsn <= d.cmdsn, (sn, d.exp_cmdsn, d.cmdsn)
        d.cmdsn = d.exp_cmdsn                           # what has not come is not sent again
        assert d.tmf(1, ref=one, refsn=sn) == 1, 'its task is still there'
        assert d.read10(0, 128)[1] == PATTERN[:65536]
        assert sessions().split()[1] == number and sessions().count('connection') == 1
        c = d
    c.ready()
    assert c.logout(0) == 0
    wait_no_sessions()
    # a backend that does not answer: the session cannot be had, a new one can
    c = Connection()
    c.login(ErrorRecoveryLevel='0')
    c.ready()
    while c.finish(c.command(bytes(6), lun=1))[0]:
        pass
    slow('suspend')
    try:
        start_slow_read(c)
        assert c.nop() == b''
        start = time.monotonic()
        assert refused(c, 0) == '0302'
        assert c.closed() and 1 < time.monotonic() - start < 8
        d = Connection()
        d.login()
        d.ready()
    finally:
        slow('resume')
    d.close()
    wait_no_sessions()
    # and one that does so in time
    c = Connection()
    c.login(ErrorRecoveryLevel='0')
    while c.finish(c.command(bytes(6), lun=1))[0]:
        pass
    slow('suspend')
    # where starting a process takes its time, that is late enough
    timer = threading.Timer(0.5 if SLOW == 1 else 0, slow, ('resume',))
    start_slow_read(c)
    timer.start()
    d = join(c, 0)
    assert c.closed()
    timer.join()
    d.ready()
    status, data, _, _ = d.finish(start_slow_read(d))
    assert status == 0 and len(data) == 4096
    d.close()
    wait_no_sessions()


def test_lost_while_held():
    """A connection goes with commands whose turn has not come: they are no more."""
    c = first()
    d = join(c, 1)
    early = c.cmdsn
    c.cmdsn += 1
    for _ in range(10):
        d.command(write_cdb(0, 8), 4096, write=True, data=PATTERN[:4096])
    d.send(NOP_OUT, 0x80, word5=NO_TAG, words=d.sns(), data=b'x' * 100)
    assert d.silent()
    assert c.logout(1, cid=1) == 0 and d.closed()
    c.cmdsn = early
    for _ in range(12):
        assert c.tur() == 0
    c.close()
    wait_no_sessions()


def test_sessions_file():
    c = first()
    text = sessions()
    sid = int(text.split()[1])
    assert 'iqn.2026-11.org.lab:py' in text and 'dynamic' in text and '127.0.0.1:3260 full-feature' in text, text
    for _ in range(33):
        assert c.tur() == 0
    average, longest = map(int, re.search(r'latency_us=(\d+) latency_max_us=(\d+)', sessions()).groups())
    assert 0 < average <= longest, (average, longest)
    with open(TPG + 'sessions', 'w') as f:
        f.write(str(sid + 1))
    assert not sessions()
    with open(TPG + 'sessions', 'w') as f:
        f.write('0')
    many = []
    for n in range(20):
        d = Connection()
        d.isid = b'\x80\0\0\0\1' + bytes([n])
        d.login(name='iqn.2026-11.org.lab:' + 'long' * 40)
        many.append(d)
    seen, more = 0, 0
    while more is not None:
        with open(TPG + 'sessions', 'w') as f:
            f.write(str(more))
        lines = sessions().splitlines()
        seen += sum(line.startswith('session') for line in lines)
        assert all(line.startswith(('session ', '  connection ', 'more ')) for line in lines), lines
        more = int(lines[-1].split()[1]) if lines[-1].startswith('more') else None
    assert seen == 21, seen
    with open(TPG + 'sessions', 'w') as f:
        f.write('0')
    for d in many:
        d.close()
    for word in (str(sid), 'iqn.2026-11.org.lab:PY'):
        with open(TPG + 'logout', 'w') as f:
            f.write(word)
        pdu = c.recv()
        assert pdu.opcode == ASYNC and pdu.header[36] == 1 and pdu.header[42:44] == b'\0\3'
        assert c.logout() == 0 and c.closed()
        c = first()
    with open(TPG + 'logout', 'w') as f:                # one that does not listen
        f.write('iqn.2026-11.org.lab:py')
    start = time.monotonic()
    assert c.closed() and 2 < time.monotonic() - start < 10
    wait_no_sessions()
    for word in ('iqn.nobody', '4000000000', ''):
        try:
            with open(TPG + 'logout', 'w') as f:
                f.write(word or '\n')
            raise AssertionError('%s logged out' % word)
        except FileNotFoundError:
            pass


def test_redirect():
    for word, status in (('temporary', 0x0101), ('permanent', 0x0102)):
        with open(TPG + 'redirect', 'w') as f:
            f.write(word + ' [2001:db8::1]:3261\n')
        with open(TPG + 'redirect') as f:
            assert f.read() == word + ' [2001:db8::1]:3261\n'
        c = Connection()
        c.login_pdu({'InitiatorName': 'iqn.2026-11.org.lab:py', 'TargetName': 'iqn.2026-11.org.lab:t1'}, csg=0, nsg=1)
        pdu = c.recv()
        assert pdu.opcode == LOGIN_RSP and pdu.header[36] << 8 | pdu.header[37] == status
        assert pdu.data == b'TargetAddress=[2001:db8::1]:3261\0', pdu.data
        assert c.closed()
    for bad in ('temporary', 'none 1.2.3.4', 'elsewhere 1.2.3.4', 'temporary 1.2.3.4,1', 'temporary ' + 'x' * 300):
        try:
            with open(TPG + 'redirect', 'w') as f:
                f.write(bad)
            raise AssertionError('%s taken' % bad)
        except OSError:
            pass
    with open(TPG + 'redirect', 'w') as f:
        f.write('none')
    first().close()
    wait_no_sessions()


# ---- connection recovery: level 2 ----

def reassign(c, itt, exp_datasn=0):
    c.send(2 | 0x40, 0x80 | REASSIGN, word5=itt, words=c.sns(True) + struct.pack('>II', 0, exp_datasn))
    pdu = c.recv()
    assert pdu.opcode == TMF_RSP, 'opcode %#x' % pdu.opcode
    return pdu.header[2]


def lose(c, d, how):
    """Connection d is lost; how the initiator tells. Returns the one that goes on."""
    if how == 'cid':                                    # implicit logout by a login with its CID
        return join(c, d.cid)
    if how == 'cut':
        d.close()
    assert c.logout(2, cid=d.cid) == 0
    if how == 'logout':
        assert d.closed()
    return c


def test_reassign_read():
    for how in ('cid', 'cut', 'logout'):
        c = first('2')
        d = join(c, 1, MaxRecvDataSegmentLength='8192')
        fill(c, 0, PATTERN[:65536])
        d.auto_ack = False
        itt, pdus = start_read(d, 0, 65536)
        assert reassign(c, itt) == 3, 'its connection is well'
        e = lose(c, d, how)
        assert reassign(e, itt + 1000) == 1
        assert reassign(e, itt, 5) == 0                 # 0 to 4 are there
        got = b''
        e_most = 8192
        while True:
            pdu = e.recv()
            assert pdu.opcode == DATA_IN and pdu.itt == itt and pdu.offset == 5 * e_most + len(got), pdu.header.hex()
            got += pdu.data
            if pdu.flags & 1:
                break
        assert got == PATTERN[5 * e_most:65536] and pdu.header[3] == 0
        assert e.tur() == 0
        assert reassign(e, itt) == 1, 'it is acknowledged'
        c.close() if e is not c else None
        assert pdus[0].datasn == 0
        assert e.logout(0) == 0
        wait_no_sessions()


def test_reassign_status():
    """Status and sense data that were lost with the connection"""
    c = first('2')
    d = join(c, 1)
    d.auto_ack = False
    itt = d.command(b'\xff' + bytes(5))
    lost = d.recv()
    assert lost.opcode == RESPONSE and lost.header[3] == 2
    e = lose(c, d, 'cut')
    assert reassign(e, itt) == 0
    pdu = e.recv()
    assert pdu.opcode == RESPONSE and pdu.itt == itt and pdu.header[3] == 2 and pdu.data == lost.data
    assert e.tur() == 0
    e.logout(0)
    wait_no_sessions()


def test_reassign_write():
    """A write whose data is on its way: what is missing is asked for on the other connection."""
    for skip in ((), (0,), (2, 3)):
        c = first('2')
        d = join(c, 1)
        itt, r2t = start_write(d, 200, 65536)
        d.data_out(itt, r2t.ttt, 0, 0, PATTERN[:4096], False)
        if skip:
            d.data_out(itt, r2t.ttt, 1, 4096, PATTERN[4096:8192], False)
        d.nop(immediate=True)
        e = lose(c, d, 'cid')
        assert reassign(e, itt) == 0
        again = e.recv()
        assert again.opcode == R2T and again.itt == itt and again.offset + again.residual == 65536
        assert again.offset == (8192 if skip else 4096), again.offset
        send_data(e, itt, again, PATTERN, skip)
        if skip:
            again = e.recv()
            assert again.opcode == R2T
            send_data(e, itt, again, PATTERN)
        assert e.finish(itt)[0] == 0
        assert e.read10(200, 128)[1] == PATTERN[:65536]
        e.logout(0)
        c.close()
        wait_no_sessions()


def test_reassign_only():
    """The only connection is lost; the session waits for another one, and for no longer than agreed."""
    c = first('2', DefaultTime2Retain='3')
    fill(c, 0, PATTERN[:4096])
    c.auto_ack = False
    itt, _ = start_read(c, 0, 4096)
    c.close()
    until(lambda: 'closing' in sessions() or 'lost' in sessions(), 'the loss is noticed')
    d = join(c, 0)
    assert reassign(d, itt) == 0
    pdu = d.recv()
    assert pdu.opcode == DATA_IN and pdu.data == PATTERN[:4096] and pdu.flags & 1
    assert d.tur() == 0
    d.close()
    start = time.monotonic()
    wait_no_sessions()
    assert time.monotonic() - start > 1, 'the session did not wait'
    assert refused(c, 0) == '020a'


def test_reassign_late():
    """Tasks that nobody takes over end; the session goes on."""
    c = first('2', DefaultTime2Retain='2')
    d = join(c, 1)
    itt, _ = start_write(d, 0, 65536)
    d.close()
    until(lambda: sessions().count('connection') == 1, 'the lost connection is given up')
    assert reassign(c, itt) == 1
    assert c.tur() == 0
    c.logout(0)
    wait_no_sessions()


def test_recover_held():
    """What was not acknowledged by ExpCmdSN is sent again on the other connection."""
    c = first('2')
    d = join(c, 1)
    fill(c, 0, bytes(4096))
    hole = c.cmdsn
    c.cmdsn += 1
    sn = c.cmdsn
    itt = d.command(write_cdb(0, 8), 4096, write=True, data=PATTERN[:4096])
    assert d.silent()
    e = lose(c, d, 'cut')
    assert reassign(e, itt) == 1, 'it was never acknowledged'
    words = struct.pack('>II', sn, e.exp_statsn) + write_cdb(0, 8).ljust(16, b'\0')
    e.command(write_cdb(0, 8), 4096, write=True, data=PATTERN[:4096], itt=itt, sns=words)
    e.command(bytes(6), sns=struct.pack('>II', hole, e.exp_statsn) + bytes(16))
    assert e.recv().opcode == RESPONSE
    assert e.finish(itt)[0] == 0
    assert e.read10(0, 8)[1] == PATTERN[:4096]
    e.logout(0)
    wait_no_sessions()


def slow(what):
    """LUN 1's backend"""
    subprocess.run(['dmsetup', what] + (['--nolockfs', '--noflush'] if what == 'suspend' else []) + ['slow'], check=True)


def start_slow_read(c):
    return c.command(read_cdb(0, 8), 4096, read=True, lun=1)


def test_reassign_backend():
    """A command that its backend has is taken over, and comes back on the other connection."""
    c = first('2')
    while c.finish(c.command(bytes(6), lun=1))[0]:
        pass
    itt = c.command(write_cdb(0, 8), 4096, write=True, data=PATTERN[:4096], lun=1)
    assert c.finish(itt)[0] == 0
    d = join(c, 1)
    slow('suspend')
    try:
        itts = [start_slow_read(d) for _ in range(4)]
        d.nop()
        e = lose(c, d, 'cut')
        assert e.tmf(1, ref=itts[0], refsn=NO_TAG, lun=1) == 0
        assert reassign(e, itts[1]) == 0
        assert reassign(e, itts[2]) == 0
        assert reassign(e, itts[1]) == 3
        f = join(c, 2)
        assert reassign(f, itts[3]) == 0
        assert f.logout(1, cid=2) == 0 and f.closed()   # before it comes back
        assert e.silent()
        assert e.tur() == 0
    finally:
        slow('resume')
    got = {}
    for _ in range(2):
        pdu = e.recv()
        assert pdu.opcode == DATA_IN and pdu.data == PATTERN[:4096]
        got[pdu.itt] = pdu
    assert sorted(got) == itts[1:3]
    assert e.tur() == 0 and e.silent(0.2)
    # The connection that takes over is lost, too; and a session that ends with all of that out
    d = join(c, 1)
    slow('suspend')
    try:
        one, two = start_slow_read(d), start_slow_read(d)
        d.nop()
        d = lose(c, d, 'cid')
        assert reassign(d, one) == 0 and reassign(d, two) == 0
        d = lose(c, d, 'cid')
        start = time.monotonic()
        assert c.logout(0) == 0 and d.closed()
        wait_no_sessions()
        assert time.monotonic() - start < 5
    finally:
        slow('resume')


def test_reassign_promised():
    """A command that was reassigned while its backend had it comes, however late that is."""
    c = first('2', DefaultTime2Wait='0', DefaultTime2Retain='2')
    while c.finish(c.command(bytes(6), lun=1))[0]:
        pass
    d = join(c, 1)
    slow('suspend')
    try:
        itt = start_slow_read(d)
        d.nop()
        e = lose(c, d, 'cut')
        assert reassign(e, itt) == 0
        time.sleep(4)
        assert e.silent()
    finally:
        slow('resume')
    pdu = e.recv()
    assert pdu.opcode == DATA_IN and pdu.itt == itt, pdu.header.hex()
    assert e.tur() == 0
    c.close()


def test_reassign_reset():
    """Lost tasks are aborted and reset as any others; a new session of the name ends them."""
    c = first('2')
    d = join(c, 1)
    one, _ = start_write(d, 0, 65536)
    sn = c.cmdsn - 1
    two, _ = start_write(d, 512, 65536)
    e = lose(c, d, 'cut')
    assert e.tmf(1, ref=one, refsn=sn) == 0
    until(lambda: reassign(e, one) == 1, 'the aborted task is gone')
    assert e.tmf(5) == 0
    until(lambda: reassign(e, two) == 1, 'the task is gone with the reset')
    e.ready()
    d = join(c, 1)
    start_write(d, 0, 65536)
    d.close()
    f = first('2')
    assert c.closed() and f.tur() == 0
    assert sessions().count('session') == 1
    f.logout(0)
    wait_no_sessions()


if __name__ == '__main__':
    sys.exit(run(dict(globals())))
