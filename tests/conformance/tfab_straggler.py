#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Leave a command in a backend and nothing else: no session, no directory."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import tfab
from tfab import Held, Session, Tpg, wait_until

h = Held('stuck')
tpg = Tpg().enable()
tpg.lun(0, h.dev)
tpg.acl('i0')
tpg.map('i0', 0, 0)
with Session('t1', 1, 'i0') as s:
    s.clear_ua()
    s.submit(tfab.cdb10(0x28, 0, 1), din=512)
    wait_until(lambda: h.held() == 1, 'the read to be held')
tpg.destroy()
tfab.del_dev(h.dev)
os.rmdir(os.path.join(tfab.ROOT, 'test'))
