#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""An iSCSI initiator that does as it is told, right or wrong: PDUs by hand, for protocol tests."""
import socket
import struct

NOP_OUT, COMMAND, TMF, LOGIN, TEXT, DATA_OUT, LOGOUT, SNACK = 0, 1, 2, 3, 4, 5, 6, 0x10
NOP_IN, RESPONSE, TMF_RSP, LOGIN_RSP, TEXT_RSP, DATA_IN, LOGOUT_RSP = 0x20, 0x21, 0x22, 0x23, 0x24, 0x25, 0x26
R2T, ASYNC, REJECT = 0x31, 0x32, 0x3f
NO_TAG = 0xffffffff


class Closed(Exception):
    """The target ended the connection."""


class Pdu:
    def __init__(self, header, data):
        self.header = header
        self.data = data
        self.opcode = header[0] & 0x3f
        self.flags = header[1]
        self.itt, self.ttt, self.statsn, self.exp_cmdsn, self.max_cmdsn = struct.unpack('>5I', header[16:36])
        self.datasn, self.offset, self.residual = struct.unpack('>3I', header[36:48])


def crc32c_table():
    table = []
    for n in range(256):
        for _ in range(8):
            n = n >> 1 ^ (0x82f63b78 if n & 1 else 0)
        table.append(n)
    return table


CRC_TABLE = crc32c_table()


def crc32c(data):
    crc = 0xffffffff
    for byte in data:
        crc = CRC_TABLE[(crc ^ byte) & 0xff] ^ crc >> 8
    return struct.pack('<I', crc ^ 0xffffffff)


def pairs(text):
    """key=value pairs, or a dictionary, as the bytes of a data segment"""
    items = text.items() if isinstance(text, dict) else text
    return b''.join(('%s=%s' % kv).encode() + b'\0' for kv in items)


class Commands:
    """What the connections of a session share"""
    def __init__(self):
        self.cmdsn = 1
        self.itt = 0


class Connection:
    """of: a connection of the session that this one is to join"""
    def __init__(self, host='127.0.0.1', port=3260, timeout=60, of=None, cid=0, source=None):
        self.sock = socket.create_connection((host, port), timeout, (source, 0) if source else None)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.commands = of.commands if of else Commands()
        self.exp_statsn = 0
        self.auto_ack = True
        self.cid = cid
        self.isid = of.isid if of else b'\x80\x12\x34\x56\x00\x01'
        self.tsih = of.tsih if of else 0
        self.header_digest = self.data_digest = False

    @property
    def cmdsn(self):
        return self.commands.cmdsn

    @cmdsn.setter
    def cmdsn(self, value):
        self.commands.cmdsn = value

    @property
    def itt(self):
        return self.commands.itt

    @itt.setter
    def itt(self, value):
        self.commands.itt = value

    def close(self):
        self.sock.close()

    def send_raw(self, data):
        try:
            self.sock.sendall(data)
        except (BrokenPipeError, ConnectionResetError) as e:
            raise Closed from e

    def together(self, send):
        """The bytes of what send() sends, which are not sent"""
        out, raw = [], self.send_raw
        self.send_raw = out.append
        send()
        self.send_raw = raw
        return b''.join(out)

    def send(self, opcode, flags, lun=bytes(8), itt=None, word5=0, words=b'', data=b'', ahs=b'', b2=b'\0\0',
             dsl=None, spoil=None):
        """A PDU; words: from byte 24 on; spoil: 'header' or 'data' has a wrong digest"""
        if itt is None:
            self.itt += 1
            itt = self.itt
        header = bytes([opcode, flags]) + b2 + bytes([len(ahs) // 4])
        header += struct.pack('>I', len(data) if dsl is None else dsl)[1:] + lun
        header += struct.pack('>II', itt, word5) + words.ljust(24, b'\0') + ahs
        out = header
        if self.header_digest:
            out += crc32c(header) if spoil != 'header' else b'bad!'
        if data:
            padded = data + bytes(-len(data) % 4)
            out += padded
            if self.data_digest:
                out += crc32c(padded) if spoil != 'data' else b'bad!'
        self.send_raw(out)
        return itt

    def sns(self, immediate=False):
        words = struct.pack('>II', self.cmdsn, self.exp_statsn)
        if not immediate:
            self.cmdsn = (self.cmdsn + 1) & 0xffffffff
        return words

    def read(self, n):
        data = b''
        while len(data) < n:
            try:
                part = self.sock.recv(n - len(data))
            except ConnectionResetError as e:
                raise Closed from e
            if not part:
                raise Closed
            data += part
        return data

    def recv(self):
        header = self.read(48)
        if self.header_digest:
            assert self.read(4) == crc32c(header), 'a wrong header digest'
        n = int.from_bytes(header[5:8], 'big')
        data = self.read(n + -n % 4)
        if n and self.data_digest:
            assert self.read(4) == crc32c(data), 'a wrong data digest'
        pdu = Pdu(header, data[:n])
        if self.auto_ack and self.uses_statsn(pdu):
            self.exp_statsn = (pdu.statsn + 1) & 0xffffffff
        return pdu

    @staticmethod
    def uses_statsn(pdu):
        """Whether its StatSN is one to acknowledge: not of R2Ts, pings, data without status"""
        if pdu.opcode == NOP_IN:
            return pdu.itt != NO_TAG
        return pdu.opcode != R2T and (pdu.opcode != DATA_IN or pdu.flags & 1)

    def ack(self, pdu):
        self.exp_statsn = (pdu.statsn + 1) & 0xffffffff

    def silent(self, seconds=0.5):
        """Nothing comes."""
        self.sock.settimeout(seconds)
        try:
            got = self.sock.recv(1, socket.MSG_PEEK)
        except socket.timeout:
            return True
        finally:
            self.sock.settimeout(60)
        raise AssertionError('the connection ended' if not got else 'too early: %s' % self.recv().header.hex())

    def snack(self, kind, beg=0, run=0, itt=NO_TAG, tag=NO_TAG, lun=bytes(8)):
        self.send(SNACK, 0x80 | kind, lun=lun, itt=itt, word5=tag,
                  words=struct.pack('>6I', 0, self.exp_statsn, 0, 0, beg, run))

    def login_pdu(self, text, csg=1, nsg=3, transit=True, more=False, **kw):
        flags = (0x80 if transit else 0) | (0x40 if more else 0) | csg << 2 | (nsg if transit else 0)
        data = text if isinstance(text, bytes) else pairs(text)
        lun = self.isid + struct.pack('>H', self.tsih)
        self.send(LOGIN | 0x40, kw.pop('flags', flags), lun=lun, itt=kw.pop('itt', 0), data=data, word5=self.cid << 16,
                  words=struct.pack('>II', self.cmdsn, self.exp_statsn), **kw)

    def login(self, name='iqn.2026-11.org.lab:py', target='iqn.2026-11.org.lab:t1', **keys):
        """Straight into the full feature phase; returns what the target said"""
        text = {'InitiatorName': name}
        if target:
            text.update({'TargetName': target, 'SessionType': 'Normal'})
        else:
            text['SessionType'] = 'Discovery'
        text.update(keys)
        self.login_pdu(text)
        said = {}
        while True:
            pdu = self.recv()
            assert pdu.opcode == LOGIN_RSP, 'opcode %#x' % pdu.opcode
            status = pdu.header[36] << 8 | pdu.header[37]
            if status:
                raise PermissionError('%04x' % status)
            for item in pdu.data.split(b'\0'):
                if item:
                    key, _, value = item.decode().partition('=')
                    said[key] = value
            if pdu.flags & 0x83 == 0x83:
                break
            self.login_pdu({k: said[k] for k in said if k not in keys and k not in (
                'TargetAlias', 'TargetPortalGroupTag', 'MaxRecvDataSegmentLength')})
        self.tsih = struct.unpack('>H', pdu.header[14:16])[0]
        self.exp_cmdsn = pdu.exp_cmdsn
        self.header_digest = said.get('HeaderDigest') == 'CRC32C'
        self.data_digest = said.get('DataDigest') == 'CRC32C'
        return said

    def command(self, cdb, edtl=0, read=False, write=False, final=True, data=b'', lun=0, immediate=False, **kw):
        flags = (0x80 if final else 0) | (0x40 if read else 0) | (0x20 if write else 0) | 1
        return self.send(COMMAND | (0x40 if immediate else 0), flags, lun=struct.pack('>H', lun) + bytes(6),
                         word5=edtl, words=kw.pop('sns', None) or (self.sns(immediate) + bytes(cdb).ljust(16, b'\0')),
                         data=data, **kw)

    def data_out(self, itt, ttt, datasn, offset, data, final=True, **kw):
        self.send(DATA_OUT, 0x80 if final else 0, itt=itt, word5=ttt,
                  words=struct.pack('>6I', 0, self.exp_statsn, 0, datasn, offset, 0), data=data, **kw)

    def finish(self, itt, data=b''):
        """(status, data, sense, pdu) of a command; answers R2Ts from data"""
        got = bytearray()
        while True:
            pdu = self.recv()
            if pdu.opcode == R2T:
                part = data[pdu.offset:pdu.offset + pdu.residual]
                for n, pos in enumerate(range(0, len(part), 8192)):
                    chunk = part[pos:pos + 8192]
                    self.data_out(itt, pdu.ttt, n, pdu.offset + pos, chunk, pos + len(chunk) == len(part))
            elif pdu.opcode == DATA_IN:
                assert pdu.itt == itt and pdu.offset == len(got)
                got += pdu.data
                if pdu.flags & 1:
                    return pdu.header[3], bytes(got), b'', pdu
            elif pdu.opcode == RESPONSE:
                assert pdu.itt == itt
                return pdu.header[3], bytes(got), pdu.data[2:], pdu
            else:
                raise AssertionError('opcode %#x instead of an answer' % pdu.opcode)

    def write10(self, lba, data, **kw):
        blocks = len(data) // 512
        itt = self.command(struct.pack('>BBIBHB', 0x2a, 0, lba, 0, blocks, 0), len(data), write=True, **kw)
        return self.finish(itt, data)

    def read10(self, lba, blocks):
        itt = self.command(struct.pack('>BBIBHB', 0x28, 0, lba, 0, blocks, 0), blocks * 512, read=True)
        return self.finish(itt)

    def tur(self):
        return self.finish(self.command(bytes(6)))[0]

    def ready(self):
        """Unit attentions are over."""
        while self.tur():
            pass

    def nop(self, data=b'', immediate=False):
        itt = self.send(NOP_OUT | (0x40 if immediate else 0), 0x80, word5=NO_TAG, words=self.sns(immediate), data=data)
        pdu = self.recv()
        assert pdu.opcode == NOP_IN and pdu.itt == itt, 'opcode %#x' % pdu.opcode
        return pdu.data

    def logout(self, reason=0, cid=0):
        self.send(LOGOUT | 0x40, 0x80 | reason, word5=cid << 16, words=self.sns(True))
        pdu = self.recv()
        assert pdu.opcode == LOGOUT_RSP
        return pdu.header[2]

    def tmf_answer(self, function, lun=0, ref=NO_TAG, refsn=0):
        """The PDU that answers a task management function"""
        self.send(TMF | 0x40, 0x80 | function, lun=struct.pack('>H', lun) + bytes(6), word5=ref,
                  words=self.sns(True) + struct.pack('>I', refsn))
        while True:
            pdu = self.recv()
            if pdu.opcode == TMF_RSP:
                return pdu

    def tmf(self, *args, **kw):
        return self.tmf_answer(*args, **kw).header[2]

    def closed(self):
        """Wait for the target to end the connection, whatever it says before."""
        try:
            while self.sock.recv(65536):
                pass
        except ConnectionResetError:
            pass
        return True
