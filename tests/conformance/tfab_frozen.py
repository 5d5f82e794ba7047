#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""dbroot hangs: commands that save something wait for a time, and nothing else waits with them.

tfab_frozen.py FOLDER. Runs in a guest with tcm_test loaded; FOLDER is dbroot, which can be frozen."""
import os
import struct
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import tfab
from pr import REGISTER_IGNORE, plist, prin, prout
from sgio import Table
from tfab import Session, Tpg

APTPL = 1
INTERNAL = (4, 0x44, 0)
OPTIMIZED, NONOPTIMIZED = 0, 1

t = Table('frozen')
LIMIT = 1.0 * int(os.environ.get('VM_SLOW', '1'))


def freeze(root, on=True):
    subprocess.run(['fsfreeze', '-f' if on else '-u', root], check=True)


def bounded(root, calls):
    """Each of (what, function) while dbroot is frozen: within LIMIT. Who hangs is let go."""
    for what, call in calls:
        thread = threading.Thread(target=call, daemon=True)
        begin = time.monotonic()
        thread.start()
        thread.join(8)
        took = time.monotonic() - begin
        if thread.is_alive():
            freeze(root, False)
            t.ok(False, what + ' hangs')
            t.end()
        t.ok(took < LIMIT, '%s took %.2f s' % (what, took))


def login(name):
    s = Session('t1', 1, name)
    s.clear_ua()
    return s


def register(s, key, lun=0):
    return s.submit(prout(REGISTER_IGNORE), dout=plist(0, key, APTPL), lun=lun)


def stpg(s, state, lun=0):
    data = bytes(4) + struct.pack('>BxH', state, 0)
    return s.submit(struct.pack('>BB4xIBB', 0xa4, 0x0a, len(data), 0, 0), dout=data, lun=lun)


def keys(s, lun=0):
    return s.cmd(prin(0), din=64, lun=lun).data[8:]


def content(path):
    try:
        with open(path) as f:
            return f.read()
    except FileNotFoundError:
        return None


def make(name):
    dev = tfab.make_rd(name)
    tfab.write('core/%s/wwn/vpd_unit_serial' % dev, 'frozen-' + name)
    tfab.write('core/%s/alua/default_tg_pt_gp/alua_write_metadata' % dev, 1)
    return dev


def group(name, state, status):
    return ('alua/tpgs_frozen-%s/default_tg_pt_gp' % name,
            'tg_pt_gp_id=0\nalua_access_state=0x%02x\nalua_access_status=0x%02x\n' % (state, status))


def port(lun, offline):
    return ('alua/test/t1+1/lun_%d' % lun, 'alua_tg_pt_offline=%d\nalua_tg_pt_status=0x02\n' % offline)


def settled(root, *files):
    """What the last one who asked wanted is there in the end."""
    end = time.monotonic() + 20
    for name, text in files:
        while content(os.path.join(root, name)) != text and time.monotonic() < end:
            time.sleep(.05)
        t.eq(content(os.path.join(root, name)), text, name)


def hangs(root, tpg):
    """Commands wait, configuration does not."""
    d, e, f = (make(name) for name in 'def')
    offline = os.path.relpath(tpg.path('lun', 'lun_%d', 'alua_tg_pt_offline'), tfab.ROOT)
    state = 'core/%s/alua/default_tg_pt_gp/alua_access_state'
    for number, dev in enumerate((d, e)):
        tpg.lun(number, dev)
        tfab.write(offline.replace('offline', 'write_md') % number, 1)
    s, other = login('i0'), login('i1')
    s.clear_ua(1), other.clear_ua(1)
    freeze(root)
    begin = time.monotonic()
    waiting = [register(s, 5), stpg(s, NONOPTIMIZED)]
    time.sleep(.3)
    t.eq([s.reap(tag, block=False) for tag in waiting], [None, None], 'commands wait for their files')
    bounded(root, [
        ('reading dbroot', lambda: tfab.read('dbroot')),
        ('writing dbroot', lambda: tfab.write('dbroot', root)),
        ('a command', lambda: t.eq(keys(s), b'', 'keys')),
        ('an access state', lambda: tfab.write(state % e, NONOPTIMIZED)),
        ('an access state again', lambda: tfab.write(state % e, OPTIMIZED)),
        ('an access state and again', lambda: tfab.write(state % e, NONOPTIMIZED)),
        ('offline', lambda: tfab.write(offline % 1, 1)),
        ('online', lambda: tfab.write(offline % 1, 0)),
        ('offline again', lambda: tfab.write(offline % 1, 1)),
        ('looking at it', lambda: t.eq(tfab.read(offline % 1), '1', 'offline')),
        ('a LUN of a device that has none', lambda: tpg.lun(2, f)),
        ('taking it away', lambda: tpg.del_lun(2)),
        ('taking an offline one away', lambda: tpg.del_lun(1)),
        ('linking it again', lambda: tpg.lun(1, e)),
    ])
    freeze(root, False)
    for tag in waiting:
        r = s.reap(tag)
        # a slow machine may have come to the limit meanwhile
        t.ok(r.good or time.monotonic() - begin > 10, 'a command whose file was written in the end: %s' % r)
    settled(root, group('d', NONOPTIMIZED, 1), group('e', NONOPTIMIZED, 2), port(1, 1))
    # A device has its own file: nobody else's keeps it from writing.
    s.clear_ua(1)
    t.good(s.reap(register(s, 6, lun=1)), 'a registration of another device')
    s.close()
    other.close()
    return d, e, f


def late(root, tpg):
    """Past the limit: the registration has failed, and does not come back; the state is what it is."""
    s = login('i0')
    name = root + '/pr/aptpl_frozen-d'
    before = content(name)
    freeze(root)
    begin = time.monotonic()
    tags = [register(s, 0x77), stpg(s, OPTIMIZED)]
    t.bad(s.reap(tags[0], timeout=60), INTERNAL, 'a registration')
    t.good(s.reap(tags[1], timeout=60), 'SET TARGET PORT GROUPS')
    t.ok(9 < time.monotonic() - begin < 40, 'within the limit')
    t.eq(keys(s), bytes([0] * 7 + [5]), 'keys are as before')
    freeze(root, False)
    settled(root, group('d', OPTIMIZED, 1))
    time.sleep(3)
    t.eq(content(name), before, 'the file of registrations')
    t.good(s.reap(register(s, 8)), 'a registration when it is back')
    t.ok('sa_res_key=8\n' in content(name), 'and in its file')
    s.close()


def main():
    root = sys.argv[1]
    tfab.write('dbroot', root)
    tpg = Tpg(demo='rw').enable()
    devs = hangs(root, tpg)
    late(root, tpg)
    tpg.destroy()
    for dev in devs:
        tfab.del_dev(dev)
    t.end()


main()
