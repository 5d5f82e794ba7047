#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Data in random order, where DataPDUInOrder and DataSequenceInOrder leave it to the target (RFC 7143 13.18, 13.19).

    iscsi_random.py [TEST...]

As for iscsi_recovery.py; the initiator has an ACL meanwhile.
"""
import os
import sys

from iscsi_connections import TPG, join, lose, reassign, wait_no_sessions
from iscsi_initiator import DATA_IN, R2T, RESPONSE
from iscsi_recovery import (DATA, DATA_ACK, PARAM, PATTERN, R_DATA, STATUS, declare, read_cdb, rejected, run, same,
                            session, start_read, write_cdb, PROTOCOL)

ACL = TPG + 'acls/iqn.2026-11.org.lab:py'
PART, BURST = 4096, 32768
# a last sequence that is short, and so is its last PDU
SIZE = 6 * BURST + 3 * PART + 512
KEYS = {'MaxRecvDataSegmentLength': str(PART), 'MaxBurstLength': str(BURST), 'FirstBurstLength': '8192',
        'DataPDUInOrder': 'No', 'DataSequenceInOrder': 'No'}
ALL = ('random_datain_pdu_offsets', 'random_datain_seq_offsets', 'random_r2t_offsets')


def attribs(on):
    for name in ALL:
        with open('%s/attrib/%s' % (ACL, name), 'w') as f:
            f.write(str(int(name in on)))


def offer(value):
    for name in ('DataPDUInOrder', 'DataSequenceInOrder'):
        with open(PARAM + name, 'w') as f:
            f.write(value)
    with open(PARAM + 'MaxOutstandingR2T', 'w') as f:
        f.write('4' if value == 'No' else '1')


def sequences(pdus):
    """Those that end with F, each as its PDUs"""
    seqs = [[]]
    for n, pdu in enumerate(pdus):
        assert pdu.opcode == DATA_IN and pdu.datasn == pdus[0].datasn + n, 'DataSN %d' % pdu.datasn
        seqs[-1].append(pdu)
        if pdu.flags & 0x80:
            seqs.append([])
    assert not seqs.pop(), 'the last has no F'
    return seqs


def in_order(offsets):
    offsets = list(offsets)
    return offsets == sorted(offsets)


def joined(parts):
    """[(offset, data)] that is whole: each byte once"""
    data = b''
    for offset, part in sorted(parts):
        assert offset == len(data), 'byte %d comes after %d' % (offset, len(data))
        data += part
    return data


def judge_read(pdus, want):
    """(PDUs are in random order, so are sequences)"""
    seqs = sequences(pdus)
    assert joined((p.offset, p.data) for p in pdus) == want
    spans = []
    for seq in seqs:
        begin = min(p.offset for p in seq)
        size = sum(len(p.data) for p in seq)
        assert size <= BURST and max(p.offset + len(p.data) for p in seq) == begin + size, 'a sequence with holes'
        spans.append(begin)
    assert len(seqs) == -(-len(want) // BURST)
    return any(not in_order(p.offset for p in s) for s in seqs), not in_order(spans)


def write(c, data, unasked=0):
    """Offsets of the R2Ts of a write that are for each byte once"""
    itt = c.command(write_cdb(0, len(data) // 512), len(data), write=True, data=bytes(data[:unasked]))
    offsets, sns, parts = [], [], [(0, bytes(unasked))]
    while True:
        pdu = c.recv()
        if pdu.opcode == RESPONSE:
            break
        assert pdu.opcode == R2T and 0 < pdu.residual <= BURST
        offsets.append(pdu.offset)
        sns.append(pdu.datasn)
        parts.append((pdu.offset, bytes(pdu.residual)))
        c.data_out(itt, pdu.ttt, 0, pdu.offset, data[pdu.offset:pdu.offset + pdu.residual])
    assert pdu.header[3] == 0 and len(joined(parts)) == len(data)
    assert sns == list(range(len(sns)))
    return offsets


def test_orders():
    """What is in random order is what both keys and attributes allow, and nothing else."""
    pdus, seqs, r2ts = ALL
    free = ('No', 'No')
    # attributes, DataPDUInOrder and DataSequenceInOrder of the initiator; random PDUs, sequences, R2Ts
    table = [
        ((), free, (False, False, False)),
        ((pdus,), free, (True, False, False)),
        ((seqs,), free, (False, True, False)),
        ((r2ts,), free, (False, False, True)),
        (ALL, free, (True, True, True)),
        (ALL, ('Yes', 'No'), (False, True, True)),
        (ALL, ('No', 'Yes'), (True, False, False)),
        (ALL, ('Yes', 'Yes'), (False, False, False)),
    ]
    data = bytearray(PATTERN[:SIZE])
    for level in '0', '1':
        for on, keys, want in table:
            attribs(on)
            c = session(ErrorRecoveryLevel=level, MaxOutstandingR2T='1' if level == '1' else '4',
                        **dict(KEYS, DataPDUInOrder=keys[0], DataSequenceInOrder=keys[1]))
            got = [False] * 3
            for n in range(3):
                data[:8] = data[8:16]
                data = data[1:] + data[:1]
                got[2] |= not in_order(write(c, data, n * 2560))
                _, answers = start_read(c, 0, SIZE)
                random_pdus, random_seqs = judge_read(answers, data)
                got[0] |= random_pdus
                got[1] |= random_seqs
            # less than a burst, less than a PDU
            for size in (PART, 512, BURST, BURST - 512, BURST + 512):
                write(c, data[:size], 512)
                judge_read(start_read(c, 0, size)[1], data[:size])
            assert tuple(got) == want, '%s %s, level %s: %s, not %s' % (on, keys, level, got, want)
            c.close()


def test_attributes_at_yes():
    """The target says Yes: what an initiator offers does not count."""
    attribs(ALL)
    offer('Yes')
    try:
        c = session(ErrorRecoveryLevel='0', **KEYS)
    finally:
        offer('No')
    assert in_order(write(c, PATTERN[:SIZE]))
    assert judge_read(start_read(c, 0, SIZE)[1], PATTERN[:SIZE]) == (False, False)
    c.close()


def test_orders_differ():
    """Not one order for all: of eight reads no two are alike."""
    attribs(ALL)
    c = session(ErrorRecoveryLevel='0', **KEYS)
    write(c, PATTERN[:SIZE])
    orders = {tuple(p.offset for p in start_read(c, 0, SIZE)[1]) for _ in range(8)}
    assert len(orders) == 8, '%d orders' % len(orders)
    c.close()


def test_sent_again():
    """SNACK: a DataSN is the same PDU, also behind a DataACK; so is status with data."""
    attribs(ALL)
    c = session(**KEYS)
    write(c, PATTERN[:SIZE])
    c.auto_ack = False
    itt, pdus = start_read(c, 0, SIZE)
    judge_read(pdus, PATTERN[:SIZE])
    last = len(pdus)
    for beg, run_len in ((2, 2), (0, 1), (13, 9), (last - 1, 1), (30, 0), (0, 0)):
        c.snack(DATA, beg, run_len, itt)
        for n in range(beg, beg + run_len if run_len else last):
            same(c.recv(), pdus[n])
    c.snack(DATA_ACK, 19, tag=pdus[7].ttt, lun=pdus[7].header[8:16])
    c.snack(DATA, 18, 1, itt)
    rejected(c, PROTOCOL)
    c.snack(DATA, 21, 4, itt)
    for n in range(21, 25):
        same(c.recv(), pdus[n])
    c.snack(STATUS, pdus[-1].statsn, 1)
    same(c.recv(), pdus[-1])
    c.close()


def test_cut_anew():
    """R-Data SNACK with smaller PDUs, in the midst of a sequence: what is not acknowledged comes, and no hole is left."""
    attribs(ALL)
    for acked in (0, 5, 8, 13):
        c = session(**KEYS)
        write(c, PATTERN[:SIZE])
        c.auto_ack = False
        itt, pdus = start_read(c, 0, SIZE)
        if acked:
            c.snack(DATA_ACK, acked, tag=pdus[7].ttt, lun=pdus[7].header[8:16])
        declare(c, 1024)
        c.snack(R_DATA, itt=itt, tag=0x1234)
        got = bytearray(SIZE)
        for pdu in pdus[:acked]:
            got[pdu.offset:pdu.offset + len(pdu.data)] = pdu.data
        n = acked
        while True:
            pdu = c.recv()
            if pdu.opcode == RESPONSE:
                break
            assert pdu.opcode == DATA_IN and pdu.datasn == n and len(pdu.data) <= 1024
            n += 1
            got[pdu.offset:pdu.offset + len(pdu.data)] = pdu.data
        assert got == PATTERN[:SIZE], 'a hole'
        assert pdu.header[3] == 0 and pdu.datasn == n and pdu.ttt == 0x1234
        c.close()


def test_r2t_again():
    """An R2T that is lost comes as it was; lost data is asked for where it is missing."""
    attribs(ALL)
    c = session(**dict(KEYS, DataPDUInOrder='Yes'))
    data = PATTERN[1:SIZE + 1]
    itt = c.command(write_cdb(0, SIZE // 512), SIZE, write=True)
    offsets = []
    while True:
        lost = c.recv()
        if lost.opcode == RESPONSE:
            break
        assert lost.opcode == R2T
        c.snack(DATA, lost.datasn, 1, itt)
        pdu = c.recv()
        same(pdu, lost)
        # of its first two parts the second is lost
        half = lost.residual // 2
        part = data[pdu.offset:pdu.offset + pdu.residual]
        offsets.append(pdu.offset)
        if len(offsets) == 3:
            c.data_out(itt, pdu.ttt, 0, pdu.offset, part[:half], False)
            c.data_out(itt, pdu.ttt, 2, pdu.offset + half, part[half:])
            pdu = c.recv()
            assert pdu.opcode == R2T and (pdu.offset, pdu.residual) == (lost.offset + half, lost.residual - half)
            c.data_out(itt, pdu.ttt, 0, pdu.offset, part[half:])
        else:
            c.data_out(itt, pdu.ttt, 0, pdu.offset, part)
    assert lost.header[3] == 0 and not in_order(offsets), offsets
    judge_read(start_read(c, 0, SIZE)[1], data)
    c.close()


def test_reassigned():
    """A read goes on on another connection, in other PDUs where that takes smaller ones."""
    attribs(ALL)
    for part in (PART, 1024):
        c = session(ErrorRecoveryLevel='2', MaxConnections='4', DefaultTime2Wait='0', **dict(
            KEYS, MaxRecvDataSegmentLength=str(part)))
        d = join(c, 1, MaxRecvDataSegmentLength=str(PART))
        write(c, PATTERN[:SIZE])
        d.auto_ack = False
        itt, pdus = start_read(d, 0, SIZE)
        e = lose(c, d, 'cut')
        assert e is c and reassign(c, itt, 13) == 0
        got = bytearray(SIZE)
        for pdu in pdus[:13]:
            got[pdu.offset:pdu.offset + len(pdu.data)] = pdu.data
        n = 13
        while True:
            pdu = c.recv()
            assert pdu.opcode == DATA_IN and pdu.itt == itt and pdu.datasn == n and len(pdu.data) <= part
            if part == PART:
                assert pdu.offset == pdus[n].offset
            n += 1
            got[pdu.offset:pdu.offset + len(pdu.data)] = pdu.data
            if pdu.flags & 1:
                break
        assert got == PATTERN[:SIZE] and pdu.header[3] == 0
        c.logout(0)
        wait_no_sessions()


def main():
    os.mkdir(ACL)
    os.mkdir(ACL + '/lun_0')
    os.symlink(TPG + 'lun/lun_0', ACL + '/lun_0/link')
    offer('No')
    try:
        return run(dict(globals()))
    finally:
        offer('Yes')
        os.unlink(ACL + '/lun_0/link')
        os.rmdir(ACL + '/lun_0')
        os.rmdir(ACL)


if __name__ == '__main__':
    sys.exit(main())
