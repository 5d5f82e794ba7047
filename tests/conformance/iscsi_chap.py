#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""CHAP by hand (RFC 1994; RFC 7143 9.2.1, 12.1.3): what proves who somebody is, and what does not.

    iscsi_chap.py [TEST...]

The target is iqn.2026-11.org.lab:t1 on 127.0.0.1:3260; there is no session, and no ACL of iqn.2026-11.org.lab:py.
"""
import base64
import contextlib
import hashlib
import os
import sys

from iscsi_initiator import Closed, Connection, LOGIN_RSP
from iscsi_recovery import run

ROOT = '/sys/kernel/config/target/iscsi/'
TARGET, INITIATOR = 'iqn.2026-11.org.lab:t1', 'iqn.2026-11.org.lab:py'
TPG = ROOT + TARGET + '/tpgt_1/'
ACL = TPG + 'acls/' + INITIATOR + '/'
HASHES = {'5': hashlib.md5, '6': hashlib.sha1, '7': hashlib.sha256, '8': hashlib.sha3_256}
USER, SECRET, MUTUAL = 'user', b'secretsecret12', b'othersecret12'
LEVELS = ('portal group', 'acl', 'discovery')


def write_file(path, value):
    with open(path, 'w', encoding='ascii') as f:
        f.write(value)


def hexed(data):
    return '0x' + data.hex()


def base64ed(data):
    return '0b' + base64.b64encode(data).decode()


def binary(text):
    assert text[:2] in ('0x', '0b'), text
    return bytes.fromhex(text[2:]) if text[1] == 'x' else base64.b64decode(text[2:])


def digest(alg, ident, secret, challenge):
    return HASHES[alg](bytes([ident]) + secret + challenge).digest()


class Refused(Exception):
    pass


class Login:
    """A login of the level whose secrets are to be used, round by round"""
    def __init__(self, level):
        self.c = Connection()
        self.c.isid = b'\x80\x12\x34\x56\x00' + os.urandom(1)
        self.who = {'InitiatorName': INITIATOR, 'SessionType': 'Discovery'}
        if level != 'discovery':
            self.who.update(SessionType='Normal', TargetName=TARGET)

    def round(self, text, csg=0, nsg=1, transit=False):
        self.c.login_pdu(text, csg, nsg, transit)
        pdu = self.c.recv()
        assert pdu.opcode == LOGIN_RSP
        status = pdu.header[36] << 8 | pdu.header[37]
        if status:
            assert self.c.closed()
            raise Refused('%04x' % status)
        self.flags = pdu.flags
        return dict(item.decode().split('=', 1) for item in pdu.data.split(b'\0') if item)

    def begin(self, alg='7'):
        said = self.round(dict(self.who, AuthMethod='CHAP'))
        assert said['AuthMethod'] == 'CHAP'
        said = self.round({'CHAP_A': alg})
        self.alg = said['CHAP_A']
        self.ident, self.challenge = int(said['CHAP_I']), binary(said['CHAP_C'])
        assert len(self.challenge) == HASHES[self.alg]().digest_size
        return self

    def response(self, secret=SECRET):
        return digest(self.alg, self.ident, secret, self.challenge)

    def prove(self, name=USER, response=None, code=hexed, **keys):
        """What the target says to the proof; **keys: of mutual CHAP"""
        text = {'CHAP_N': name, 'CHAP_R': code(self.response()) if response is None else response}
        said = self.round({**text, **keys}, transit=True)
        assert self.flags == 0x81, hex(self.flags)
        return said

    def finish(self):
        self.round({}, 1, 3, True)
        assert self.flags == 0x87, hex(self.flags)
        self.c.close()


@contextlib.contextmanager
def secrets(level, userid=USER, password=SECRET, mutual=True, password_mutual=MUTUAL):
    path = {'portal group': TPG, 'acl': ACL, 'discovery': ROOT}[level] + ('discovery_auth/' if level == 'discovery' else 'auth/')
    write_file(TPG + 'attrib/authentication', '1')
    write_file(ROOT + 'discovery_auth/enforce_discovery_auth', '1')
    if level == 'acl':
        os.mkdir(ACL)
    values = {'userid': userid, 'password': password.decode(), 'userid_mutual': 'target' if mutual else 'NULL',
              'password_mutual': password_mutual.decode() if mutual else 'NULL'}
    try:
        for name, value in values.items():
            write_file(path + name, value)
        yield
    finally:
        for name in values:
            write_file(path + name, 'NULL')
        if level == 'acl':
            os.rmdir(ACL)
        write_file(ROOT + 'discovery_auth/enforce_discovery_auth', '0')


def refused(login, *args, **kw):
    try:
        login.prove(*args, **kw)
    except Refused as e:
        assert str(e) == '0201', e
        return
    raise AssertionError('%r %r proved something' % (args, kw))


def test_proofs():
    """Each level, digest and way to write it, alone and mutual"""
    for level in LEVELS:
        with secrets(level):
            for alg in HASHES:
                for code in (hexed, base64ed):
                    login = Login(level).begin(alg)
                    assert not {'CHAP_N', 'CHAP_R'} & set(login.prove(code=code))
                    login.finish()
                    login = Login(level).begin(alg)
                    challenge = os.urandom(17)
                    said = login.prove(code=code, CHAP_I='77', CHAP_C=code(challenge))
                    assert said['CHAP_N'] == 'target'
                    assert binary(said['CHAP_R']) == digest(alg, 77, MUTUAL, challenge), (level, alg)
                    login.finish()


def test_lists():
    with secrets('portal group'):
        for algs, chosen in (('8,5', '8'), ('99,6', '6'), ('05,5', '5'), ('5', '5')):
            login = Login('portal group').begin(algs)
            assert login.alg == chosen
            login.prove()
            login.finish()
        for algs in ('99', '', ',', '5 '):
            try:
                Login('portal group').begin(algs)
            except Refused as e:
                assert str(e) == '0201', e
                continue
            raise AssertionError('digest %r' % algs)


def test_wrong():
    """Names, lengths and forms that prove nothing"""
    for level in LEVELS:
        with secrets(level):
            for name in ('', 'use', 'userr', 'USER', 'target', 'NULL', 'x' * 255):
                refused(Login(level).begin(), name)
            refused(Login(level).begin(), response=hexed(b'\0' * 32))
            for change in (lambda r: r[:-1], lambda r: r + b'\0', lambda r: r[:16], lambda r: r * 2, lambda r: r * 100,
                           lambda r: bytes([r[0] ^ 1]) + r[1:], lambda r: r[:-1] + bytes([r[-1] ^ 0x80])):
                for code in (hexed, base64ed):
                    login = Login(level).begin()
                    refused(login, response=code(change(login.response())))
            for form in (lambda r: r.hex(), lambda r: '0x', lambda r: '', lambda r: '0b', lambda r: '0x' + r.hex()[:-1],
                         lambda r: '0b' + base64.b64encode(r).decode()[:-1] + 'AA', lambda r: hexed(r) + 'zz',
                         lambda r: '0b====', lambda r: '0z' + r.hex()):
                login = Login(level).begin()
                refused(login, response=form(login.response()))


def test_no_name():
    """A secret without a name, or the other way round, is none: an empty name proves nothing."""
    for level in LEVELS:
        for kw in ({'userid': 'NULL'}, {'password': b'NULL'}):
            with secrets(level, **kw):
                for name in ('', 'NULL', USER):
                    secret = b'' if 'password' in kw else SECRET
                    try:
                        login = Login(level).begin()
                        login.prove(name, hexed(login.response(secret)))
                        raise AssertionError('%s: %r logged in with %r' % (level, name, kw))
                    except Refused as e:
                        assert str(e) == '0201', e


def test_skipped():
    """Without a proof, or with half of one, nobody gets on."""
    for level in LEVELS:
        with secrets(level):
            for text, csg in (({}, 1), ({'AuthMethod': 'None'}, 0), ({'AuthMethod': 'KRB5,SRP'}, 0)):
                try:
                    login = Login(level)
                    login.round({**login.who, **text}, csg, 3, True)
                    raise AssertionError('%s: %r' % (level, text))
                except Refused as e:
                    assert str(e) == '0201', e
            login = Login(level)
            login.round(dict(login.who, AuthMethod='CHAP'), transit=True)
            assert not login.flags & 0x80, 'went on without a proof'
            for text in ({'CHAP_N': USER, 'CHAP_R': hexed(bytes(32))}, {'CHAP_R': hexed(bytes(32))}, {'CHAP_N': USER}):
                login = Login(level)
                login.round(dict(login.who, AuthMethod='CHAP'))
                try:
                    login.round(text)
                    raise AssertionError('%s: %r before a challenge' % (level, text))
                except Refused:
                    pass
            login = Login(level).begin()
            try:
                login.round({'CHAP_A': '5'})
                raise AssertionError('a second challenge')
            except Refused:
                pass


def test_mutual_wrong():
    for level in LEVELS:
        with secrets(level):
            for keys in ({'CHAP_I': '1'}, {'CHAP_C': hexed(bytes(16))}, {'CHAP_I': '256', 'CHAP_C': hexed(bytes(16))},
                         {'CHAP_I': '-1', 'CHAP_C': hexed(bytes(16))}, {'CHAP_I': '', 'CHAP_C': hexed(bytes(16))},
                         {'CHAP_I': '1', 'CHAP_C': hexed(bytes(1025))}, {'CHAP_I': '1', 'CHAP_C': '0x'},
                         {'CHAP_I': '1', 'CHAP_C': 'none'}, {'CHAP_I': '1', 'CHAP_C': '0xabc'}):
                refused(Login(level).begin(), **keys)
            for length in (1, 1024):
                login = Login(level).begin()
                said = login.prove(CHAP_I='255', CHAP_C=base64ed(b'c' * length))
                assert binary(said['CHAP_R']) == digest('7', 255, MUTUAL, b'c' * length)
                login.finish()
            # who has not proved who it is learns nothing
            refused(Login(level).begin(), response=hexed(bytes(32)), CHAP_I='1', CHAP_C=hexed(bytes(16)))
        with secrets(level, mutual=False):
            refused(Login(level).begin(), CHAP_I='1', CHAP_C=hexed(bytes(16)))
        with secrets(level, password_mutual=SECRET):
            refused(Login(level).begin(), CHAP_I='1', CHAP_C=hexed(bytes(16)))


def test_reflected():
    """9.2.1: our own challenge is not answered, and what is had from another connection proves nothing."""
    for level in LEVELS:
        with secrets(level):
            for code in (hexed, base64ed):
                login = Login(level).begin()
                refused(login, CHAP_I=str(login.ident), CHAP_C=code(login.challenge))
                login = Login(level).begin()
                refused(login, CHAP_I=str(login.ident ^ 1), CHAP_C=code(login.challenge))
            one, other = Login(level).begin(), Login(level).begin()
            said = other.prove(CHAP_I=str(one.ident), CHAP_C=hexed(one.challenge))
            other.c.close()
            refused(one, response=said['CHAP_R'])
            refused(Login(level).begin(), 'target', said['CHAP_R'])
            # the identifier of one direction says nothing about the other
            login = Login(level).begin()
            assert login.prove(CHAP_I=str(login.ident), CHAP_C=hexed(b'mine'))['CHAP_N'] == 'target'
            login.finish()


def test_replayed():
    """Each challenge is a new one, and an answer is to one of them."""
    with secrets('portal group'):
        seen = set()
        for _ in range(20):
            login = Login('portal group').begin('5')
            assert login.challenge not in seen
            seen.add(login.challenge)
            login.c.close()
        first = Login('portal group').begin()
        answer = hexed(first.response())
        first.prove(response=answer)
        first.finish()
        refused(Login('portal group').begin(), response=answer)
        # twice on one connection
        login = Login('portal group').begin()
        login.round({'CHAP_N': USER, 'CHAP_R': hexed(login.response())})
        try:
            login.round({'CHAP_N': USER, 'CHAP_R': hexed(login.response())})
            raise AssertionError('proved twice')
        except (Refused, Closed):
            pass


if __name__ == '__main__':
    sys.exit(run(dict(globals())))
