#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""PDUs that are lost, wrong or late, and how each is recovered (RFC 7143 section 7, 11.16).

    iscsi_recovery.py [TEST...]

The target is iqn.2026-11.org.lab:t1 on 127.0.0.1:3260, in demo mode, LUN 0 of 64 MiB, which is overwritten. Its portal
group offers what the tests ask for.
"""
import random
import struct
import sys
import time

from iscsi_initiator import (Closed, COMMAND, Connection, DATA_IN, NO_TAG, NOP_IN, NOP_OUT, R2T, REJECT, RESPONSE, TEXT, TEXT_RSP, TMF,
                             TMF_RSP)

PARAM = '/sys/kernel/config/target/iscsi/iqn.2026-11.org.lab:t1/tpgt_1/param/'
PATTERN = bytes(random.Random(2).randbytes(1 << 19))
DATA, STATUS, DATA_ACK, R_DATA = range(4)
PROTOCOL, SNACK_REJECT, DATA_DIGEST = 4, 3, 2


def session(**keys):
    c = Connection()
    keys.setdefault('ErrorRecoveryLevel', '1')
    said = c.login(**keys)
    assert said['ErrorRecoveryLevel'] == keys['ErrorRecoveryLevel'], said
    c.ready()
    return c


def same(a, b):
    """An exact replica, but for ExpCmdSN and MaxCmdSN"""
    assert a.header[:28] == b.header[:28] and a.header[36:] == b.header[36:], (a.header.hex(), b.header.hex())
    assert a.data == b.data


def rejected(c, reason):
    pdu = c.recv()
    assert pdu.opcode == REJECT, 'opcode %#x instead of a reject' % pdu.opcode
    assert pdu.header[2] == reason, 'reason %d, not %d' % (pdu.header[2], reason)
    return pdu


def read_cdb(lba, blocks):
    return struct.pack('>BBIBHB', 0x28, 0, lba, 0, blocks, 0)


def write_cdb(lba, blocks):
    return struct.pack('>BBIBHB', 0x2a, 0, lba, 0, blocks, 0)


def fill(c, lba, data):
    for pos in range(0, len(data), 65536):
        assert c.write10(lba + pos // 512, data[pos:pos + 65536])[0] == 0


def start_read(c, lba, size):
    """All PDUs of a read"""
    itt = c.command(read_cdb(lba, size // 512), size, read=True)
    pdus = []
    while not pdus or not pdus[-1].flags & 1:
        pdus.append(c.recv())
        assert pdus[-1].opcode == DATA_IN and pdus[-1].itt == itt
    return itt, pdus


def start_write(c, lba, size, **kw):
    itt = c.command(write_cdb(lba, size // 512), size, write=True, **kw)
    pdu = c.recv()
    assert pdu.opcode == R2T and pdu.itt == itt
    return itt, pdu


def send_data(c, itt, r2t, data, skip=(), spoil=(), part=4096):
    """The data of an R2T in parts, some of them lost (skip) or with a wrong digest (spoil)"""
    for n, pos in enumerate(range(0, r2t.residual, part)):
        if n in skip:
            continue
        chunk = data[r2t.offset + pos:min(r2t.offset + pos + part, r2t.offset + r2t.residual)]
        c.data_out(itt, r2t.ttt, n, r2t.offset + pos, chunk, pos + part >= r2t.residual,
                   spoil='data' if n in spoil else None)


def test_status_lost():
    c = session()
    c.auto_ack = False
    lost = []
    c.command(bytes(6))
    lost.append(c.recv())
    c.command(b'\xff' + bytes(5))                       # an opcode that is none: sense data
    lost.append(c.recv())
    assert lost[1].header[3] == 2 and lost[1].data
    c.send(NOP_OUT, 0x80, word5=NO_TAG, words=c.sns(), data=b'echo')
    lost.append(c.recv())
    assert lost[2].opcode == NOP_IN
    for n, pdu in enumerate(lost):
        assert pdu.statsn == lost[0].statsn + n
        c.snack(STATUS, pdu.statsn, 1)
        same(c.recv(), pdu)
    c.snack(STATUS)                                     # all that is not acknowledged
    for pdu in lost:
        same(c.recv(), pdu)
    c.snack(STATUS, lost[1].statsn)                     # ... from one on
    for pdu in lost[1:]:
        same(c.recv(), pdu)
    c.snack(STATUS, lost[2].statsn + 1, 1)              # not sent yet
    rejected(c, PROTOCOL)
    c.ack(lost[2])
    c.snack(STATUS, lost[0].statsn, 1)                  # acknowledged
    rejected(c, PROTOCOL)
    c.close()


def test_reject_lost():
    """A Reject has a StatSN, too."""
    c = session()
    c.auto_ack = False
    c.send(0x1c | 0x40, 0x80, words=c.sns(True))
    lost = c.recv()
    assert lost.opcode == REJECT
    c.snack(STATUS, lost.statsn, 1)
    same(c.recv(), lost)
    c.close()


def test_data_in_lost():
    c = session(MaxRecvDataSegmentLength='8192', HeaderDigest='CRC32C', DataDigest='CRC32C')
    fill(c, 0, PATTERN[:65536])
    c.auto_ack = False
    itt, pdus = start_read(c, 0, 65536)
    assert len(pdus) == 8 and b''.join(p.data for p in pdus) == PATTERN[:65536]
    for beg, run in ((2, 2), (0, 1), (7, 1), (5, 0), (0, 0)):
        c.snack(DATA, beg, run, itt)
        for n in range(beg, beg + run if run else 8):
            same(c.recv(), pdus[n])
    for beg, run in ((7, 2), (9, 0), (8, 1), (0xffffffff, 2)):
        c.snack(DATA, beg, run, itt)
        rejected(c, PROTOCOL)
    c.snack(STATUS, pdus[7].statsn, 1)                  # status that came with data
    same(c.recv(), pdus[7])
    c.snack(DATA, 0, 0, itt + 100)
    rejected(c, PROTOCOL)
    c.ack(pdus[7])
    c.snack(DATA, 0, 0, itt)
    rejected(c, PROTOCOL)
    c.close()


def test_data_ack():
    c = session(MaxRecvDataSegmentLength='16384', MaxBurstLength='65536')
    fill(c, 0, PATTERN[:262144])
    c.auto_ack = False
    itt, pdus = start_read(c, 0, 262144)
    asks = [p.datasn for p in pdus if p.flags & 0x40]
    assert asks == [3, 7, 11], asks
    assert [p.datasn for p in pdus if p.flags & 0x80] == [3, 7, 11, 15]
    c.snack(DATA, 0, 1, itt)
    same(c.recv(), pdus[0])
    c.snack(DATA_ACK, 8, tag=pdus[7].ttt, lun=pdus[7].header[8:16])
    c.snack(DATA, 7, 1, itt)                            # acknowledged
    rejected(c, PROTOCOL)
    c.snack(DATA, 0, 0, itt)                            # what is not
    for pdu in pdus[8:]:
        same(c.recv(), pdu)
    c.snack(DATA_ACK, 4, tag=pdus[7].ttt)               # back again
    rejected(c, PROTOCOL)
    c.snack(DATA_ACK, 9, tag=0x12345678)                # a tag nobody gave out
    rejected(c, PROTOCOL)
    c.snack(DATA_ACK, 16, tag=pdus[11].ttt)             # all there is: the status alone is left
    c.snack(STATUS, pdus[15].statsn, 1)
    pdu = c.recv()
    assert pdu.opcode == RESPONSE and pdu.itt == itt and pdu.statsn == pdus[15].statsn, pdu.header.hex()
    c.auto_ack = True
    c.ack(pdus[15])
    assert c.tur() == 0
    c.auto_ack = False
    itt, pdus = start_read(c, 0, 4096)                  # nobody asked for an acknowledgment of this
    c.snack(DATA_ACK, 1, tag=0)
    rejected(c, PROTOCOL)
    c.close()


def declare(c, size):
    c.send(TEXT | 0x40, 0x80, word5=NO_TAG, words=c.sns(True), data=b'MaxRecvDataSegmentLength=%d\0' % size)
    pdu = c.recv()
    assert pdu.opcode == TEXT_RSP


def test_resegment():
    """11.16.3: after a smaller MaxRecvDataSegmentLength, R-Data SNACK: cut anew, a response with its tag"""
    c = session(MaxRecvDataSegmentLength='16384', MaxBurstLength='65536')
    fill(c, 0, PATTERN[:131072])
    c.auto_ack = False
    itt, pdus = start_read(c, 0, 131072)
    c.snack(DATA_ACK, 4, tag=pdus[3].ttt, lun=pdus[3].header[8:16])
    declare(c, 4096)
    c.snack(DATA, 5, 1, itt)
    rejected(c, PROTOCOL)
    c.snack(R_DATA, itt=itt, tag=0x1234)
    got = b''
    for n in range(16):
        pdu = c.recv()
        assert pdu.opcode == DATA_IN and pdu.datasn == 4 + n and pdu.offset == 65536 + len(got), pdu.header.hex()
        assert not pdu.flags & 1, 'status'
        got += pdu.data
    assert got == PATTERN[65536:131072]
    pdu = c.recv()
    assert pdu.opcode == RESPONSE and pdu.header[3] == 0 and pdu.ttt == 0x1234
    assert pdu.statsn == pdus[-1].statsn and pdu.datasn == 20, 'ExpDataSN %d' % pdu.datasn
    c.snack(STATUS, pdu.statsn, 1)
    same(c.recv(), pdu)
    c.ack(pdu)
    c.close()


def test_r2t_lost():
    c = session()
    itt, lost = start_write(c, 100, 65536)
    for beg, run in ((0, 1), (0, 0)):
        c.snack(DATA, beg, run, itt)
        pdu = c.recv()
        assert pdu.opcode == R2T
        same(pdu, lost)
    c.snack(DATA, 1, 1, itt)
    rejected(c, PROTOCOL)
    send_data(c, itt, lost, PATTERN)
    assert c.finish(itt)[0] == 0
    assert c.read10(100, 128)[1] == PATTERN[:65536]
    c.close()


def test_r2t_flood():
    """Who asks for an R2T again and again, and reads none of them, is not read from for ever."""
    c = session()
    itt, _ = start_write(c, 100, 65536)
    many = c.together(lambda: c.snack(DATA, 0, 1, itt)) * 10000
    c.sock.settimeout(5)
    try:
        for _ in range(80):
            c.send_raw(many)
        raise AssertionError('all of it was taken')
    except (TimeoutError, Closed):
        # or it ends: of requests that come by more than 64 at once the others are rejected, and 256 rejects not
        # acknowledged
        pass
    c.close()


def recovered(c, itt, r2t, sn):
    """The R2T for what was lost; sn: the R2TSN it must have"""
    pdu = c.recv()
    assert pdu.opcode == R2T and pdu.itt == itt and pdu.ttt != r2t.ttt and pdu.datasn == sn, pdu.header.hex()
    return pdu


def test_data_out_lost():
    """A gap in DataSN: a recovery R2T for the rest of the burst, once its last PDU is there"""
    table = [((3,), 12288), ((0,), 0), ((14,), 57344), ((2, 3, 9), 8192)]
    for skip, offset in table:
        c = session()
        itt, r2t = start_write(c, 300, 65536)
        send_data(c, itt, r2t, PATTERN[65536:], skip)
        again = recovered(c, itt, r2t, 1)
        assert (again.offset, again.residual) == (offset, 65536 - offset), (skip, again.offset, again.residual)
        c.data_out(itt, r2t.ttt, 0, 0, bytes(4096))     # the former tag is over
        send_data(c, itt, again, PATTERN[65536:], (1,))
        third = recovered(c, itt, again, 2)
        send_data(c, itt, third, PATTERN[65536:])
        assert c.finish(itt)[0] == 0
        assert c.read10(300, 128)[1] == PATTERN[65536:131072], skip
        c.close()


def test_data_out_any_order():
    """DataPDUInOrder=No: parts in any order; where one is lost all of the burst is asked for."""
    path = PARAM + 'DataPDUInOrder'
    with open(path, 'w') as f:
        f.write('No')
    c = session(DataPDUInOrder='No')
    with open(path, 'w') as f:
        f.write('Yes')
    itt, r2t = start_write(c, 300, 16384)
    for n, pos in enumerate((8192, 0, 12288, 4096)):
        c.data_out(itt, r2t.ttt, n, pos, PATTERN[pos:pos + 4096], n == 3)
    assert c.finish(itt)[0] == 0
    itt, r2t = start_write(c, 300, 16384)
    for n, pos in enumerate((8192, 0, 12288, 4096)):
        if n != 1:
            c.data_out(itt, r2t.ttt, n, pos, PATTERN[pos:pos + 4096], n == 3)
    again = recovered(c, itt, r2t, 1)
    assert (again.offset, again.residual) == (0, 16384)
    send_data(c, itt, again, PATTERN)
    assert c.finish(itt)[0] == 0
    assert c.read10(300, 32)[1] == PATTERN[:16384]
    c.close()


def test_data_out_digest():
    c = session(DataDigest='CRC32C')
    for spoil, offset in (((1,), 4096), ((15,), 61440), ((0, 15), 0)):
        itt, r2t = start_write(c, 500, 65536)
        send_data(c, itt, r2t, PATTERN, spoil=spoil)
        for _ in spoil:
            assert rejected(c, DATA_DIGEST).data[0] == 5
        again = recovered(c, itt, r2t, 1)
        assert (again.offset, again.residual) == (offset, 65536 - offset)
        send_data(c, itt, again, PATTERN)
        assert c.finish(itt)[0] == 0
        assert c.read10(500, 128)[1] == PATTERN[:65536]
    c.close()


def test_data_out_end_lost():
    """The last Data-Out does not come: after dataout_timeout it is asked for."""
    c = session()
    itt, r2t = start_write(c, 700, 16384)
    start = time.monotonic()
    send_data(c, itt, r2t, PATTERN, (3,))
    again = recovered(c, itt, r2t, 1)
    assert 1.5 < time.monotonic() - start < 20
    assert (again.offset, again.residual) == (12288, 4096)
    send_data(c, itt, again, PATTERN)
    assert c.finish(itt)[0] == 0
    assert c.read10(700, 32)[1] == PATTERN[:16384]
    c.close()


def unsolicited(**keys):
    """A session in which data may come without an R2T"""
    with open(PARAM + 'InitialR2T', 'w') as f:
        f.write('No')
    c = session(InitialR2T='No', **keys)
    with open(PARAM + 'InitialR2T', 'w') as f:
        f.write('Yes')
    return c


def test_unsolicited_lost():
    c = unsolicited(FirstBurstLength='32768', DataDigest='CRC32C')
    for skip, spoil in (((1,), None), ((), 2), ((0,), None)):
        itt = c.command(write_cdb(900, 64), 32768, write=True, final=False, data=PATTERN[:8192])
        for n in range(6):
            pos = 8192 + n * 4096
            if n not in skip:
                c.data_out(itt, NO_TAG, n, pos, PATTERN[pos:pos + 4096], n == 5, spoil='data' if n == spoil else None)
        if spoil:
            rejected(c, DATA_DIGEST)
        pdu = c.recv()
        want = 8192 + 4096 * (skip[0] if skip else spoil)
        assert pdu.opcode == R2T and (pdu.offset, pdu.residual) == (want, 32768 - want), pdu.header.hex()
        send_data(c, itt, pdu, PATTERN)
        assert c.finish(itt)[0] == 0
        assert c.read10(900, 64)[1] == PATTERN[:32768]
    c.close()


def test_unsolicited_stalls():
    """Half of a Data-Out comes, and the rest so late that all has been asked for again."""
    c = unsolicited(FirstBurstLength='65536', MaxBurstLength='65536')
    for size in (262144, 65536):
        fill(c, 2000, bytes(size))
        itt = c.command(write_cdb(2000, size // 512), size, write=True, final=False)
        data = c.together(lambda: c.data_out(itt, NO_TAG, 0, 0, PATTERN[:65536]))
        c.send_raw(data[:20000])
        pdu = c.recv()
        assert pdu.opcode == R2T and (pdu.offset, pdu.residual) == (0, 65536), pdu.header.hex()
        c.send_raw(data[20000:])
        send_data(c, itt, pdu, PATTERN)
        asked = [0]
        while size > 65536 and asked[-1] + 65536 < size:
            pdu = c.recv()
            assert pdu.opcode == R2T and pdu.offset == asked[-1] + 65536, pdu.header.hex()
            asked.append(pdu.offset)
            send_data(c, itt, pdu, PATTERN)
        assert c.finish(itt)[0] == 0
        for pos in range(0, size, 65536):
            assert c.read10(2000 + pos // 512, 128)[1] == PATTERN[pos:pos + 65536], 'at %d' % pos
    c.close()


def test_held_again():
    """What is held, and sent again together with what it waits for, has one turn."""
    c = session()

    def nop(sn, data):
        return c.send(NOP_OUT, 0x80, itt=7, word5=NO_TAG, words=struct.pack('>II', sn, c.exp_statsn), data=data)
    for again in (True, False):         # what the first round leaves behind is in the way of the second
        base = c.cmdsn
        nop(base + 1, b'held')
        assert c.silent(0.2)
        text = c.together(lambda: nop(base, b'lost'))
        if again:
            text += c.together(lambda: nop(base + 1, b'held'))
        c.send_raw(text)
        assert [c.recv().data for _ in range(2)] == [b'lost', b'held']
        c.cmdsn = base + 2
        assert c.tur() == 0
    c.close()


def test_immediate_digest():
    """A command with wrong immediate data is not there; those after it wait until it is sent again."""
    c = session(DataDigest='CRC32C')
    fill(c, 1100, bytes(4096))
    sns = struct.pack('>II', c.cmdsn, c.exp_statsn) + write_cdb(1100, 8).ljust(16, b'\0')
    c.sns()
    itt = c.command(write_cdb(1100, 8), 4096, write=True, data=PATTERN[:4096], sns=sns, spoil='data')
    assert rejected(c, DATA_DIGEST).data[0] == COMMAND
    read = c.command(read_cdb(1100, 8), 4096, read=True)
    nop = c.send(NOP_OUT, 0x80, word5=NO_TAG, words=c.sns(), data=b'held')
    assert c.silent(), 'carried out before its turn'
    for _ in range(2):                                  # the second one is a duplicate and ignored
        c.command(write_cdb(1100, 8), 4096, write=True, data=PATTERN[:4096], sns=sns, itt=itt)
    assert c.finish(itt)[0] == 0
    data = nop_in = None
    while data is None or nop_in is None:
        pdu = c.recv()
        if pdu.opcode == NOP_IN:
            nop_in = pdu
        else:
            assert pdu.opcode == DATA_IN and pdu.itt == read and pdu.flags & 1
            data = pdu.data
    assert data == PATTERN[:4096] and nop_in.itt == nop and nop_in.data == b'held'
    assert c.tur() == 0
    c.close()


def test_abort_lost():
    """11.6.1: a command that was lost is aborted instead of sent again: its CmdSN counts as received."""
    c = session(DataDigest='CRC32C')
    fill(c, 1200, bytes(4096))
    for before in (0, 2):                               # the gap is the next one, or not
        held = []
        gap = c.cmdsn
        c.cmdsn += 1 if before else 0
        itt = c.command(write_cdb(1200, 8), 4096, write=True, data=PATTERN[:4096], spoil='data')
        sn = c.cmdsn - 1
        rejected(c, DATA_DIGEST)
        held.append(c.command(bytes(6)))
        assert c.silent(0.2)
        assert c.tmf(1, ref=itt, refsn=c.cmdsn + 3) == 0, 'it may still come'
        assert c.tmf(1, ref=itt, refsn=sn) == 0
        if before:
            assert c.silent(0.2)
            assert c.tmf(1, ref=itt + 1000, refsn=gap) == 0
        assert c.finish(held[0])[0] == 0
        assert c.tmf(1, ref=itt, refsn=sn) == 1
    assert c.read10(1200, 8)[1] == bytes(4096)
    c.close()


def test_nop_digest():
    c = session(DataDigest='CRC32C')
    sns = struct.pack('>II', c.cmdsn, c.exp_statsn)
    c.send(NOP_OUT, 0x80, word5=NO_TAG, words=sns, data=b'data', spoil='data')
    rejected(c, DATA_DIGEST)
    assert c.nop(b'data') == b'data'
    c.close()


def test_header_digest():
    """Nobody knows where the next PDU begins: the connection ends (7.8)."""
    c = session(HeaderDigest='CRC32C')
    c.send(NOP_OUT, 0x80, word5=NO_TAG, words=c.sns(), spoil='header')
    assert c.closed()


def test_no_acknowledgment():
    """Who acknowledges nothing is asked, and gets no more than a window; then it goes on."""
    c = session()
    c.auto_ack = False
    first = c.exp_statsn
    pings = answers = 0
    for _ in range(1000):
        c.command(bytes(6))
        pdu = c.recv()
        while pdu.opcode == NOP_IN and pdu.itt == NO_TAG:
            pings += 1
            ping = pdu
            pdu = c.recv()
        assert pdu.opcode == RESPONSE
        answers += 1
        if (pdu.max_cmdsn - c.cmdsn) & 0x80000000:
            break
    assert pings == 1, '%d pings' % pings
    assert 64 <= answers < 200, '%d answers are kept' % answers
    c.snack(STATUS, first, 2)
    assert c.recv().statsn == first and c.recv().statsn == first + 1
    c.ack(pdu)
    c.send(NOP_OUT | 0x40, 0x80, itt=NO_TAG, word5=ping.ttt, words=c.sns(True))
    pdu = c.recv()                                      # tells that the window is open again
    assert pdu.opcode == NOP_IN and pdu.itt == pdu.ttt == NO_TAG
    assert 32 <= (pdu.max_cmdsn - c.cmdsn) & 0xffffffff < 1000, 'the window is still closed'
    c.auto_ack = True
    assert c.tur() == 0
    c.close()


def test_abort_while_recovering():
    """A write that recovers is aborted; a retransmission is asked for while the session ends."""
    c = session()
    fill(c, 1300, PATTERN[:65536])
    itt, r2t = start_write(c, 1300, 65536)
    send_data(c, itt, r2t, bytes(65536), (3,))
    again = recovered(c, itt, r2t, 1)
    assert c.tmf(1, ref=itt, refsn=c.cmdsn - 1) == 0
    send_data(c, itt, again, bytes(65536))
    assert c.read10(1300, 128)[1] == PATTERN[:65536]
    c.auto_ack = False
    itt, _ = start_read(c, 1300, 65536)
    for _ in range(80):
        c.snack(DATA, 0, 0, itt)
    c.close()
    c = session()
    assert c.tur() == 0
    c.close()


def test_abort_while_arriving():
    """The turn of an abort that was held comes in the middle of the data of what it aborts."""
    for func, ref in ((1, True), (2, False)):
        c = unsolicited(FirstBurstLength='65536', MaxBurstLength='65536')
        fill(c, 1400, PATTERN[:65536])
        write = c.cmdsn
        text = c.together(lambda c=c: c.command(write_cdb(1400, 128), 65536, write=True, final=False))
        itt, between = c.itt, c.sns()
        text += c.together(lambda c=c: c.send(
            TMF, 0x80 | func, word5=itt if ref else NO_TAG, words=c.sns() + struct.pack('>2I', write, 0)))
        tmf = c.itt
        text += c.together(lambda c=c: c.command(bytes(6), sns=between + bytes(16)))
        data = c.together(lambda c=c: c.data_out(itt, NO_TAG, 0, 0, bytes(65536)))
        c.send_raw(text + data[:20000])
        answers = sorted((c.recv() for _ in range(2)), key=lambda pdu: pdu.opcode)
        assert [pdu.opcode for pdu in answers] == [RESPONSE, TMF_RSP], answers
        assert (answers[1].itt, answers[1].header[2]) == (tmf, 0), answers[1].header.hex()
        c.send_raw(data[20000:])
        assert c.read10(1400, 128)[1] == PATTERN[:65536], 'function %d' % func
        assert c.tur() == 0
        c.close()


def test_abort_and_later():
    """An abort that was held is about what was sent before it, and not about a write sent since."""
    c = unsolicited(FirstBurstLength='65536')
    for func in (2, 4):
        between = c.sns()
        tmf = c.send(TMF, 0x80 | func, word5=NO_TAG, words=c.sns())
        write = c.command(write_cdb(1600, 8), 4096, write=True, final=False)
        c.command(bytes(6), sns=between + bytes(16))
        answers = sorted((c.recv() for _ in range(2)), key=lambda pdu: pdu.opcode)
        assert [pdu.opcode for pdu in answers] == [RESPONSE, TMF_RSP], answers
        assert (answers[1].itt, answers[1].header[2]) == (tmf, 0), answers[1].header.hex()
        c.data_out(write, NO_TAG, 0, 0, PATTERN[:4096])
        assert c.finish(write)[0] == 0
        assert c.read10(1600, 8)[1] == PATTERN[:4096]
    c.close()


def test_level_0():
    c = session(ErrorRecoveryLevel='0')
    c.snack(STATUS)
    rejected(c, SNACK_REJECT)
    c.close()


def run(tests):
    """Those of the tests that the command line names, or all; returns how many failed."""
    bad = 0
    for name in ('ErrorRecoveryLevel', 'MaxConnections'):
        with open(PARAM + name, 'w') as f:
            f.write('2' if name[0] == 'E' else '4')
    for name, test in tests.items():
        if not name.startswith('test_') or (sys.argv[1:] and name not in sys.argv[1:]):
            continue
        start = time.monotonic()
        try:
            test()
            print('%s: passed, %.1f s' % (name, time.monotonic() - start), flush=True)
        except Exception as e:  # pylint: disable=broad-except
            bad += 1
            tb = e.__traceback__
            where = []
            while tb:
                where.append('%s:%d' % (tb.tb_frame.f_code.co_name, tb.tb_lineno))
                tb = tb.tb_next
            print('FAIL: %s %s: %s %s' % (name, ' '.join(where), type(e).__name__, e), flush=True)
    return bad


if __name__ == '__main__':
    sys.exit(run(dict(globals())))
