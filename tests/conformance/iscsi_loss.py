#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""A session over a link that others pull.

    iscsi_loss.py HOST end      ends well once the target has closed the connection
    iscsi_loss.py HOST go       asks the unit something until /tmp/enough is there; each time it answers
    iscsi_loss.py HOST targets  prints what a discovery session is told
"""
import os
import sys
import time

from iscsi_initiator import NO_TAG, TEXT, Connection, pairs

host, what = sys.argv[1:]
c = Connection(host, timeout=30)
if what == 'targets':
    c.login(target=None)
    c.send(TEXT, 0x80, word5=NO_TAG, words=c.sns(), data=pairs({'SendTargets': 'All'}))
    print(c.recv().data.decode().replace('\0', '\n'), end='')
    c.logout()
    sys.exit()
c.login()
c.ready()
if what == 'end':
    start = time.monotonic()
    c.closed()
    print('closed after %.1f s' % (time.monotonic() - start))
else:
    n = 0
    while not os.path.exists('/tmp/enough'):
        assert c.tur() == 0
        n += 1
        time.sleep(0.05)
    print('%d answers' % n)
    assert c.logout() == 0
c.close()
