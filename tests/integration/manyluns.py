#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Many LUNs mapped to one ACL.

    manyluns.py bulk N      raw configfs: map N LUNs and take them away, no step may grow
                            with what is there already, or wait for a grace period
    manyluns.py session N   rtslib: save, clear, restore, save
"""
import json
import os
import sys
import time

sys.path.insert(0, '/tcm/tests/conformance')
# pylint: disable=wrong-import-position
from bulk import (  # noqa: E402
    ACL, CORE, TPG, make_device, make_lun, make_mapping, name_device, remove_device, remove_lun,
    remove_mapping)


def make_port():
    os.makedirs(TPG, exist_ok=True)
    os.makedirs(ACL, exist_ok=True)


def timed(name, step, numbers, limit):
    """Milliseconds of a step, at the beginning, in all and at the end"""
    spent = []
    for i in numbers:
        begin = time.monotonic()
        step(i)
        spent.append((time.monotonic() - begin) * 1000)
    tenth = max(1, len(spent) // 10)
    # the quickest of a tenth: this machine may be busy with something else, but what has grown has
    # grown for each
    first, last = sorted(spent[:tenth])[tenth // 4], min(spent[-tenth:])
    mean = sum(spent) / len(spent)
    wrong = []
    print('%-14s %4d x %6.2f ms, the first tenth %6.2f, the last %6.2f, the longest %6.1f'
          % (name, len(spent), mean, first, last, max(spent)))
    if mean > limit:
        wrong.append('%s: %.1f ms each' % (name, mean))
    # configfs itself looks through a directory for a name: that much it may grow
    if last > 3 * first + 1:
        wrong.append('%s: %.2f ms at the beginning, %.2f at the end' % (name, first, last))
    return wrong


def cut_lines(path):
    """A list that is longer than a page ends with a whole line."""
    with open(path, encoding='utf-8') as f:
        text = f.read()
    lines = text.split('\n')
    if lines.pop() or any(not os.path.isdir(CORE + '/' + line) for line in lines):
        return ['%s: a line is cut: %r' % (path, text[-30:])]
    return []


def bulk(count):
    numbers = range(count)
    make_port()
    wrong = []
    for name, step in (('device', make_device), ('LUN', make_lun), ('mapped LUN', make_mapping)):
        wrong += timed(name, step, numbers, 20)
    wrong += cut_lines(CORE + '/alua/lu_gps/default_lu_gp/members')
    begin = time.monotonic()
    for name, step in (('unmap', remove_mapping), ('unlink', remove_lun), ('remove', remove_device)):
        wrong += timed(name, step, numbers, 20)
    print('all removed in %.1f s' % (time.monotonic() - begin))
    for line in wrong:
        print('FAIL: ' + line)
    return 1 if wrong else 0


def canonical(value):
    if isinstance(value, dict):
        return {k: canonical(v) for k, v in value.items()}
    if isinstance(value, list):
        return sorted((canonical(v) for v in value), key=lambda v: json.dumps(v, sort_keys=True))
    return value


def load(path):
    with open(path, encoding='utf-8') as f:
        return json.load(f)


def session(count):
    from rtslib_fb import RTSRoot
    root = RTSRoot()        # moves dbroot, which no device must be using
    make_port()
    for i in range(count):
        make_device(i, 'rd_pages=16')
        name_device(i)
        make_lun(i)
        make_mapping(i)
    begin = time.monotonic()

    def note(text):
        print('[%5.1f] %s' % (time.monotonic() - begin, text), flush=True)

    root.save_to_file('/tmp/a.json')
    note('saved')
    root.clear_existing(confirm=True)
    note('cleared')
    if any('_' in d for d in os.listdir(CORE)) or os.path.exists(TPG):
        print('FAIL: clearing left something')
        return 1
    errors = root.restore_from_file('/tmp/a.json')
    note('restored')
    root.save_to_file('/tmp/b.json')
    note('saved again')
    for e in errors:
        print('FAIL: ' + str(e))
    a, b = load('/tmp/a.json'), load('/tmp/b.json')
    acl = a['targets'][0]['tpgs'][0]['node_acls'][0]
    if len(acl['mapped_luns']) != count or len(a['storage_objects']) != count:
        print('FAIL: not all was saved')
        return 1
    if canonical(a) != canonical(b):
        print('FAIL: the configuration changed')
        return 1
    root.clear_existing(confirm=True)
    note('cleared again')
    return 1 if errors else 0


if __name__ == '__main__':
    sys.exit({'bulk': bulk, 'session': session}[sys.argv[1]](int(sys.argv[2])))
