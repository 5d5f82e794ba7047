#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Connections to a portal that go wrong in every way, before login and after it.

    iscsi_fuzz.py [--connections N] [--jobs N] [--seed N]

Each connection does something an initiator does, with PDUs that are altered, cut, left out, repeated or
made up; digests, where they were agreed on, are those of what is sent. The second half may agree on error
recovery, data in any order and several connections, some of which end before the others. Meanwhile a good initiator is
served, and in the end neither a session nor memory is left. The target is to be there, on 127.0.0.1.
"""
import argparse
import multiprocessing
import os
import random
import socket
import struct
import sys
import time
from iscsi_initiator import (COMMAND, DATA_OUT, LOGOUT, NO_TAG, NOP_OUT, SNACK, TEXT, TMF, Closed, Connection, pairs)
from kernel_memory import used

TPG = '/sys/kernel/config/target/iscsi/iqn.2026-11.org.lab:t1/tpgt_1/'
PATIENCE = 0.1          # seconds that a spoiled connection waits for an answer
GOOD = 20               # ... and a good one
# what the second half of the connections may agree on beside the defaults
RICH = {'ErrorRecoveryLevel': '2', 'MaxConnections': '4', 'InitialR2T': 'No', 'DataPDUInOrder': 'No',
        'DataSequenceInOrder': 'No', 'MaxOutstandingR2T': '8', 'DefaultTime2Wait': '0'}
GROWTH = 4 << 10        # KiB by which memory may differ
NUMBERS = (0, 1, 2, 4, 47, 48, 511, 512, 4096, 8192, 65536, 262144, 0xffffff, 1 << 24, 0x7fffffff, 0x80000000, NO_TAG)
CDBS = (
    bytes(6), b'\x12\0\0\0\xff\0', b'\xa0' + bytes(8) + b'\x10\0\0', b'\x9e\x10' + bytes(11) + b'\x20\0\0',
    b'\x28' + bytes(7) + b'\x08\0', b'\x2a' + bytes(7) + b'\x08\0', b'\x88' + bytes(12) + b'\x40\0\0',
    b'\x8a' + bytes(12) + b'\x40\0\0', b'\x5f\0' + bytes(5) + b'\0\0\x18\0', b'\x5e' + bytes(7) + b'\xff\0',
    b'\x42' + bytes(6) + b'\0\x18\0', b'\x55\x10' + bytes(6) + b'\x10\0', b'\x7f' + bytes(6) + b'\x18\0\x0b' + bytes(6),
)
KEYS = {
    'InitiatorName': ('iqn.2026-11.org.lab:fuzz', 'eui.0123456789abcdef', '', 'x' * 224, 'IQN..', '\xe4'),
    'TargetName': ('iqn.2026-11.org.lab:t1', 'iqn.none', 'x' * 300, ''),
    'SessionType': ('Normal', 'Discovery', 'Odd'),
    'AuthMethod': ('None', 'CHAP', 'CHAP,None', 'KRB5,SRP', ''),
    'HeaderDigest': ('None', 'CRC32C', 'CRC32C,None', 'X'), 'DataDigest': ('None', 'CRC32C', 'CRC32C,None', 'X'),
    'MaxConnections': ('1', '4', '0', '65536'), 'InitialR2T': ('Yes', 'No', 'Maybe'), 'ImmediateData': ('Yes', 'No'),
    'MaxRecvDataSegmentLength': ('512', '8192', '16777215', '511', '-1', '0x2000', '99999999999999999999'),
    'MaxBurstLength': ('512', '262144', '0'), 'FirstBurstLength': ('512', '65536', '16777216'),
    'DefaultTime2Wait': ('0', '2', '3601'), 'DefaultTime2Retain': ('0', '20'), 'MaxOutstandingR2T': ('1', '65535', '0'),
    'DataPDUInOrder': ('Yes', 'No'), 'DataSequenceInOrder': ('Yes', 'No'), 'ErrorRecoveryLevel': ('0', '1', '2', '3'),
    'SendTargets': ('All', '', 'iqn.2026-11.org.lab:t1'), 'CHAP_A': ('5', '5,6,7,8', ''), 'CHAP_N': ('user',),
    'CHAP_R': ('0x00', '0b', '0x' + '1' * 2000), 'CHAP_I': ('1', '256'), 'CHAP_C': ('0x1234',),
    'TaskReporting': ('RFC3720', 'ResponseFence'), 'iSCSIProtocolLevel': ('1', '2', '31'), 'X-org.lab.odd': ('1',),
}


class Spoiled(Connection):
    """A connection of which some PDUs go wrong"""
    def __init__(self, rnd, rate, **kw):
        self.rnd, self.rate = rnd, rate
        super().__init__(timeout=GOOD, **kw)
        self.sock.settimeout(PATIENCE)

    def number(self):
        return self.rnd.choice(NUMBERS + (self.rnd.getrandbits(32), self.cmdsn, self.exp_statsn, self.itt,
                                          max(0, self.itt - self.rnd.randrange(8))))

    def words(self, data):
        """Of some, one word or byte is another."""
        data = bytearray(data)
        if len(data) >= 4:
            at = self.rnd.randrange(len(data) // 4) * 4
            struct.pack_into('>I', data, at, self.number())
        elif data:
            data[0] ^= 1 << self.rnd.randrange(8)
        return bytes(data)

    def send(self, opcode, flags, **kw):
        if self.rnd.random() >= self.rate:
            return super().send(opcode, flags, **kw)
        what = self.rnd.randrange(10)
        if what == 0:
            opcode = self.rnd.choice((opcode ^ 0x40, self.rnd.randrange(256)))
        elif what == 1:
            flags = self.rnd.randrange(256)
        elif what == 2:
            kw['words'] = self.words(kw.get('words', b'').ljust(24, b'\0'))
        elif what == 3:
            kw['lun'] = self.rnd.randbytes(8)
        elif what == 4:
            kw['dsl'] = self.number() & 0xffffff
        elif what == 5:
            kw['ahs'] = self.rnd.randbytes(4 * self.rnd.choice((1, 2, 5, 255)))
        elif what == 6:
            kw['data'] = self.rnd.randbytes(self.rnd.choice((0, 1, 47, 512, 5000, 20000)))
        elif what == 7:
            kw['itt' if self.rnd.randrange(2) else 'word5'] = self.number()
        elif what == 8:
            kw['spoil'] = self.rnd.choice(('header', 'data'))
        elif self.rnd.randrange(2):
            return kw.get('itt')                # it is lost
        else:
            super().send(opcode, flags, **kw)   # it comes twice
        return super().send(opcode, flags, **kw)

    def send_raw(self, data):
        if self.rnd.random() < self.rate / 4:
            data = data[:self.rnd.randrange(len(data) + 1)] if self.rnd.randrange(2) else self.words(data)
        super().send_raw(data)


def text(rnd):
    items = [(k, rnd.choice(KEYS[k])) for k in rnd.sample(sorted(KEYS), rnd.randrange(1, 12))]
    data = b''.join(('%s=%s' % kv).encode('latin-1') + b'\0' for kv in items)
    spoil = rnd.randrange(8)
    if spoil == 0:
        data = data[:rnd.randrange(len(data) + 1)]
    elif spoil == 1:
        data += data
    elif spoil == 2:
        data = bytes(rnd.randrange(256) for _ in range(rnd.randrange(1, 600)))
    elif spoil == 3:
        data = data.replace(b'=', b'', 1)
    return data


def half_login(c, rnd):
    for _ in range(rnd.randrange(1, 5)):
        data = text(rnd)
        if rnd.randrange(2):
            data = pairs({'InitiatorName': 'iqn.2026-11.org.lab:fuzz', 'TargetName': 'iqn.2026-11.org.lab:t1'}) + data
        c.login_pdu(data, csg=rnd.randrange(4), nsg=rnd.randrange(4), transit=rnd.randrange(2), more=not rnd.randrange(4))
        c.recv()


def full_feature(c, rnd):
    keys = {k: rnd.choice(KEYS[k][:2]) for k in rnd.sample(
        ('HeaderDigest', 'DataDigest', 'InitialR2T', 'ImmediateData', 'DefaultTime2Wait',
         'DataPDUInOrder', 'DataSequenceInOrder', 'MaxBurstLength', 'FirstBurstLength', 'MaxOutstandingR2T'),
        rnd.randrange(6))}
    keys['MaxConnections'] = rnd.choice('14')
    keys['ErrorRecoveryLevel'] = rnd.choice('0012')
    keys['DefaultTime2Retain'] = '0'
    rate, c.rate = c.rate, 0
    c.sock.settimeout(GOOD)
    name = 'iqn.2026-11.org.lab:fuzz%d' % rnd.randrange(3)
    many = c.login(name, **keys).get('MaxConnections', '1') != '1'
    c.sock.settimeout(PATIENCE)
    c.rate = rate
    conns = [c]
    try:
        for _ in range(rnd.randrange(2, 12)):
            if many and len(conns) < 4 and not rnd.randrange(3):
                conns.append(Spoiled(rnd, 0, of=c, cid=rnd.randrange(4)))
                conns[-1].login(name)
                conns[-1].rate = rate
            if len(conns) > 1 and not rnd.randrange(6):
                conns.pop(rnd.randrange(1, len(conns))).close()
            rnd.choice((command, command, command, command, odd))(rnd.choice(conns), rnd)
    finally:
        for d in conns[1:]:
            d.close()


def command(c, rnd):
    cdb = bytearray(rnd.choice(CDBS))
    if not rnd.randrange(3):
        cdb[rnd.randrange(len(cdb))] = rnd.randrange(256)
    size = rnd.choice((0, 24, 255, 512, 4096, 32768))
    write = rnd.randrange(2)
    data = rnd.randbytes(rnd.choice((0, size, 512))) if write else b''
    itt = c.command(cdb[:16], size, read=not write, write=write, final=rnd.randrange(8) > 0, data=data,
                    lun=rnd.choice((0, 0, 0, 1, 255)), immediate=not rnd.randrange(8))
    if rnd.randrange(4):
        c.finish(itt, rnd.randbytes(size))


def odd(c, rnd):
    kind = rnd.choice((NOP_OUT, TMF, TEXT, DATA_OUT, LOGOUT, SNACK))
    if kind == TEXT:
        c.send(TEXT, rnd.choice((0x80, 0x40, 0)), word5=rnd.choice((NO_TAG, c.number())), words=c.sns(), data=text(rnd))
    else:
        c.send(kind | rnd.choice((0, 0x40)), 0x80 | rnd.randrange(16), word5=rnd.choice((NO_TAG, c.number())),
               words=c.sns(True) + rnd.randbytes(16), data=rnd.randbytes(rnd.choice((0, 0, 100, 4096))))
    if rnd.randrange(2):
        c.recv()


def one(rnd):
    """How far it came: a word for the count"""
    c = Spoiled(rnd, rnd.choice((0.05, 0.2, 0.6)))
    c.isid = b'\x80\0\0\0\0' + bytes([rnd.randrange(4)])
    try:
        if not rnd.randrange(20):
            c.send_raw(rnd.randbytes(rnd.randrange(1, 3000)))
            return 'noise'
        (half_login if rnd.randrange(3) == 0 else full_feature)(c, rnd)
        return 'to the end'
    except (Closed, PermissionError):
        return 'closed'
    except socket.timeout:
        return 'no answer'
    except (AssertionError, ValueError, UnicodeDecodeError):
        return 'another answer'
    finally:
        if not rnd.randrange(4):        # RST instead of FIN
            c.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
        c.close()


def worker(job, count, seed, counts):
    rnd = random.Random('%d/%d' % (seed, job))
    for _ in range(count):
        word = one(rnd)
        with counts.get_lock():
            counts[WORDS.index(word)] += 1


WORDS = ('to the end', 'closed', 'no answer', 'another answer', 'noise')


def good():
    """Whoever behaves is served, however it goes elsewhere; seconds it took."""
    begin = time.monotonic()
    c = Connection(timeout=GOOD)
    c.isid = b'\x80\0\0\0\2\0'
    c.login('iqn.2026-11.org.lab:good')
    status = c.finish(c.command(b'\x12\0\0\0\x24\0', 36, read=True))[0]
    # an auto contingent allegiance, a full task set: answers, all of them
    assert status in (0, 0x08, 0x28, 0x30), 'status %#x' % status
    assert c.logout() == 0
    c.close()
    return time.monotonic() - begin


def no_sessions():
    end = time.monotonic() + 60
    while time.monotonic() < end:
        with open(TPG + 'sessions', encoding='ascii') as f:
            if not f.read():
                return
        time.sleep(0.1)
    sys.exit('FAIL: sessions are left')


def spoil(count, args, counts):
    jobs = [multiprocessing.Process(target=worker, args=(n, count // args.jobs, args.seed + count, counts))
            for n in range(args.jobs)]
    slowest = 0
    for j in jobs:
        j.start()
    while any(j.is_alive() for j in jobs):
        slowest = max(slowest, good())
        jobs[0].join(1)
    if any(j.exitcode for j in jobs):
        sys.exit('FAIL: an initiator of ours died (seed %d)' % args.seed)
    no_sessions()
    return slowest


def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument('--connections', type=int, default=1000)
    p.add_argument('--jobs', type=int, default=4)
    p.add_argument('--seed', type=int, default=int.from_bytes(os.urandom(4), 'big'))
    args = p.parse_args()
    counts = multiprocessing.Array('i', len(WORDS))
    begin = time.monotonic()
    first = args.connections // 2
    slowest = spoil(first, args, counts)
    for key, value in RICH.items():
        with open(TPG + 'param/' + key, 'w', encoding='ascii') as f:
            f.write(value)
    spoil(first // 3, args, counts)
    before = used()
    slowest = max(slowest, spoil(args.connections - first - first // 3, args, counts))
    grown = used() - before
    print('%d connections in %.0f s: %s; a good one took %.2f s at most; memory %+d KiB; seed %d' % (
        sum(counts), time.monotonic() - begin, ', '.join('%d %s' % c for c in zip(counts, WORDS)), slowest, grown, args.seed))
    if grown > GROWTH:
        sys.exit('FAIL: memory has grown')
    if not all(counts):
        sys.exit('FAIL: not every way was gone')


if __name__ == '__main__':
    main()
