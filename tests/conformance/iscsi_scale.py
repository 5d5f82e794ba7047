#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Many portals, many targets, many sessions, many logins.

    iscsi_scale.py PORTALS TARGETS SESSIONS CYCLES

As for iscsi_protocol.py; the portal group listens on 0.0.0.0:3260, and gets more portals.
"""
import os
import struct
import sys
import time

from iscsi_initiator import Connection, NO_TAG, TEXT, TEXT_RSP
from kernel_memory import used

GROWTH = 768            # KiB by which memory may differ
FABRIC = '/sys/kernel/config/target/iscsi/'
TPG = FABRIC + 'iqn.2026-11.org.lab:t1/tpgt_1/'


def send_targets(c):
    """What a discovery session is told, in as many parts as it takes"""
    text, tag, data = b'', NO_TAG, b'SendTargets=All\0'
    while True:
        c.send(TEXT, 0x80, itt=5, word5=tag, words=c.sns(), data=data)
        pdu = c.recv()
        assert pdu.opcode == TEXT_RSP
        text += pdu.data
        if pdu.flags & 0x80:
            return text
        tag, data = pdu.ttt, b''


def values(text, key):
    """Those of a key, in the order in which they were sent"""
    return [item.partition(b'=')[2].decode() for item in text.split(b'\0') if item.startswith(key + b'=')]


def portals(count):
    names = ['127.0.%d.%d:3261' % (n >> 8, n & 255) for n in range(1, count)] + ['[::1]:3261']
    for name in names:
        os.mkdir(TPG + 'np/' + name)
    c = Connection()
    c.login(target=None, MaxRecvDataSegmentLength='4096')
    found = [value.split(',')[0] for value in values(send_targets(c), b'TargetAddress')]
    assert sorted(found) == sorted(names + ['127.0.0.1:3260']), found
    c.close()
    for name in names[::max(1, count // 8)] + names[-1:]:
        host, _, port = name.rpartition(':')
        c = Connection(host.strip('[]'), int(port))
        c.login()
        c.ready()
        c.logout()
        c.close()
    for name in names:
        os.rmdir(TPG + 'np/' + name)
    print('%d portals: passed' % (count + 1), flush=True)


def targets(count):
    """All are found, whatever that takes, and by who asks in small parts, too"""
    names = ['iqn.2026-11.org.lab:%s.%d' % ('x' * 190, n) for n in range(count)]
    for name in names:
        os.makedirs(FABRIC + name + '/tpgt_1/np/0.0.0.0:3260')
        with open(FABRIC + name + '/tpgt_1/enable', 'w') as f:
            f.write('1')
    for length in ('8192', '262144'):
        c = Connection()
        c.login(target=None, MaxRecvDataSegmentLength=length)
        text = send_targets(c)
        assert sorted(values(text, b'TargetName')) == sorted(names + ['iqn.2026-11.org.lab:t1'])
        assert values(text, b'TargetAddress') == ['127.0.0.1:3260,1'] * (count + 1)
        c.close()
    for name in names:
        for part in ('/tpgt_1/np/0.0.0.0:3260', '/tpgt_1', ''):
            os.rmdir(FABRIC + name + part)
    print('%d targets, %d bytes: passed' % (count + 1, len(text)), flush=True)


def open_session(n):
    c = Connection()
    c.isid = b'\x80\0' + struct.pack('>I', n)
    c.login()
    return c


def listed():
    """The numbers of all sessions, page by page"""
    numbers, start = [], 0
    while start is not None:
        with open(TPG + 'sessions', 'w') as f:
            f.write(str(start))
        with open(TPG + 'sessions') as f:
            lines = f.read().splitlines()
        numbers += [int(line.split()[1]) for line in lines if line.startswith('session')]
        start = int(lines[-1].split()[1]) if lines and lines[-1].startswith('more') else None
    return numbers


def sessions(count):
    some = [open_session(n) for n in range(count)]
    for c in some:
        c.ready()
    assert len(set(listed())) == count, '%d are listed' % len(listed())
    for c in some[::2]:
        c.logout()
        assert c.closed()
    for c in some[1::2]:
        assert c.tur() == 0
        c.close()
    end = time.monotonic() + 20
    while listed():
        assert time.monotonic() < end, 'sessions stay'
        time.sleep(0.05)
    print('%d sessions: passed' % count, flush=True)


def sockets():
    """TCP's, but for those that only keep an old connection's numbers"""
    with open('/proc/net/sockstat', encoding='ascii') as f:
        words = next(line for line in f if line.startswith('TCP:')).split()
    return {k: int(v) for k, v in zip(words[1::2], words[2::2]) if k in ('inuse', 'orphan', 'alloc')}


def login_logout():
    c = open_session(0)
    c.logout()
    assert c.closed()
    c.close()


def cycles(count):
    # what the first ones make and all others use
    for _ in range(50):
        login_logout()
    before, had = used(), sockets()
    start = time.monotonic()
    for _ in range(count):
        login_logout()
    took = time.monotonic() - start
    end = time.monotonic() + 20
    while sockets() != had:
        assert time.monotonic() < end, 'sockets stay: %s, before %s' % (sockets(), had)
        time.sleep(0.1)
    grown = used() - before
    print('%d logins and logouts: %.1f ms each, memory %+d KiB' % (count, took * 1000 / count, grown))
    assert grown < GROWTH, 'memory has grown by %d KiB' % grown


def main():
    counts = [int(arg) for arg in sys.argv[1:]]
    for part, count in zip((portals, targets, sessions, cycles), counts):
        part(count)


main()
