#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""What rtslib-fb takes for granted of the tree, held against objects that targetcli made.

    rtslib-rules.py finish          set what targetcli has no command for
    rtslib-rules.py check           every rule, through rtslib where rtslib has the code
    rtslib-rules.py diff A B        two saved configurations: every difference
"""
import errno
import importlib.util
import json
import os
import re
import stat
import sys

HERE = os.path.dirname(os.path.realpath(__file__))
spec = importlib.util.spec_from_file_location('compare', HERE + '/../golden/compare.py')
compare = importlib.util.module_from_spec(spec)
spec.loader.exec_module(compare)

TARGET = compare.TARGET
ROOT_FILES = {'lio_version', 'version', 'cpus_allowed_list'}
failures = []


def expect(what, ok):
    if not ok:
        failures.append(what)
        print('FAIL: ' + what)


def tried(what, call, *args):
    try:
        return call(*args)
    except Exception as e:      # whatever it is, targetcli would stop at it
        expect('%s: %s: %s' % (what, type(e).__name__, e), False)
        return None


def rts():
    from rtslib_fb import RTSRoot
    return RTSRoot()


def finish():
    from rtslib_fb.alua import ALUATargetPortGroup
    root = rts()
    so = {s.name: s for s in root.storage_objects}
    so['rd0'].set_attribute('emulate_tpu', 1)
    group = ALUATargetPortGroup(so['rd0'], 'grp1')
    group.alua_access_status = 2
    group.alua_access_type = 1
    group.alua_write_metadata = 1
    # as it was saved with a map of blocks, which nobody saves
    group = ALUATargetPortGroup(so['idle'], 'saved', 9)
    group.alua_access_state = 4
    group.alua_access_type = 1
    for tpg in root.tpgs:
        for lun in tpg.luns:
            if lun.storage_object.name == 'rd0':
                lun.alua_tg_pt_gp_name = 'grp1'
        if tpg.has_feature('acls'):
            tpg.set_parameter('TargetAlias', 'two words')
            tpg.chap_userid, tpg.chap_password = 'all', 'allsecret123'
            for acl in tpg.node_acls:
                acl.tag = 'group1'
                acl.chap_mutual_userid, acl.chap_mutual_password = 'we', 'oursecret123'


# ---- the rules ----

def check_places(root):
    """1 to 3: nothing in a directory that rtslib takes for one of its objects"""
    top = set(os.listdir(TARGET)) - {'core', 'version', 'dbroot'}
    for fabric in top:
        for name in os.listdir('%s/%s' % (TARGET, fabric)):
            directory = os.path.isdir('%s/%s/%s' % (TARGET, fabric, name))
            expect('%s/%s is in the way' % (fabric, name), directory or name in ROOT_FILES)
    forms = {'lun': r'lun_\d+', 'np': r'\S+:\d+', 'acls': r'iqn\.\S+', 'alua': None}
    groups = {'%s/alua' % s.path: {g.name for g in s.alua_tpgs} for s in root.storage_objects}
    for path, dirs, files in os.walk(TARGET):
        kind = os.path.basename(path)
        if kind not in forms or path == TARGET + '/core/alua':
            continue
        expect('%s has files: %s' % (path, files), not files)
        for name in dirs:
            good = name in groups[path] | {'default_tg_pt_gp'} if kind == 'alua' else re.fullmatch(forms[kind], name)
            expect('%s/%s is in the way' % (path, name), good)
    hbas = {os.path.basename(os.path.dirname(s.path)) for s in root.storage_objects}
    found = {d for d in os.listdir(TARGET + '/core') if '_' in d}
    expect('core/ has %s' % (found ^ hbas), found == hbas)
    for hba in found:
        dirs = [d for d in os.listdir('%s/core/%s' % (TARGET, hba))
                if os.path.isdir('%s/core/%s/%s' % (TARGET, hba, d))]
        expect('core/%s has %s' % (hba, dirs), len(dirs) == 1)


def check_info(root, disk):
    """4 to 6: the info files as rtslib's regular expressions see them"""
    sizes = {'rd0': 16 << 20, 'rd1': 8 << 20, 'idle': 4 << 20, 'fi': 16 << 20, 'fi2': 16 << 20}
    with open('/sys/class/block/%s/size' % os.path.basename(disk), encoding='utf-8') as f:
        sizes['bl'] = int(f.read()) * 512
    seen = {s.name: s for s in root.storage_objects}
    for name, size in sizes.items():
        if name in seen:
            expect('%s: size %s' % (name, seen[name].size), seen[name].size == size)
    for so in seen.values():
        want = 'deactivated' if so.name.startswith('idle') else 'activated'
        expect('%s: status %s' % (so.name, so.status), so.status == want)
    expect('rd0: nullio', seen['rd0'].nullio is False and seen['rd1'].nullio is True)
    if 'bl' in seen:
        expect('bl: readonly', seen['bl'].readonly is False and seen['ro'].readonly is True)
        expect('bl: major', seen['bl'].major == os.major(os.stat(disk).st_rdev))
        # 14: it is taken exclusively
        try:
            os.close(os.open(disk, os.O_EXCL | os.O_NONBLOCK))
            expect('the disk of a backstore can be taken by another', False)
        except OSError as e:
            expect('O_EXCL: %s' % e, e.errno == errno.EBUSY)
    if 'fi' in seen:
        expect('fi: wwb', seen['fi'].write_back is True and seen['fi2'].write_back is False)


def write_back(node, name, kinds):
    for kind in kinds:
        for key in tried('%s: list' % name, getattr(node, 'list_%ss' % kind), True) or ():
            value = tried('%s: get %s' % (name, key), getattr(node, 'get_' + kind), key)
            tried('%s: set %s=%s' % (name, key, value), getattr(node, 'set_' + kind), key, value)


def check_write_back(root):
    """7: what was read is accepted, exported or not, enabled or not"""
    for so in root.storage_objects:
        write_back(so, so.name, ['attribute'])
    for tpg in root.tpgs:
        write_back(tpg, str(tpg), ['attribute', 'parameter'])
        if tpg.has_feature('acls'):
            for acl in tpg.node_acls:
                write_back(acl, str(acl), ['attribute'])
        for enable in (tpg.enable, tpg.enable):
            tpg.enable = enable


def check_alua(root):
    """8: the words of ALUA, and every state in the order of a restore"""
    from rtslib_fb.alua import ALUATargetPortGroup, alua_statuses, alua_types
    so = [s for s in root.storage_objects if s.name == 'idle'][0]
    group = tried('alua group', ALUATargetPortGroup, so, 'all', 77)
    for state in (0, 1, 2, 3, 4, 14, 15, 0):
        tried('state %d' % state, setattr, group, 'alua_access_state', state)
        expect('state %d' % state, group.alua_access_state == state)
    for number, word in enumerate(alua_types):
        tried(word, setattr, group, 'alua_access_type', number)
        expect('alua type ' + word, group.alua_access_type == number)
    for number, word in enumerate(alua_statuses):
        tried(word, setattr, group, 'alua_access_status', number)
        expect('alua status ' + word, group.alua_access_status == number)
    tried('delete the group', group.delete)
    group = ALUATargetPortGroup([s for s in root.storage_objects if s.name == 'rd0'][0], 'grp1')
    members = sorted((m['driver'], m['tpgt'], m['lun']) for m in group.members)
    expect('members: %s' % members, members == [('iSCSI', 1, 0), ('loopback', 1, 0)])


def check_files():
    """10 and 11: nothing write only where everything is read, all of it UTF-8"""
    for path, entry in compare.live_tree().items():
        if entry.value is None or entry.mode == 'l':
            continue
        if os.path.basename(os.path.dirname(path)) in ('attrib', 'param'):
            expect('%s: mode %s' % (path, entry.mode), int(entry.mode, 8) & stat.S_IRUSR)
            expect('%s: %s' % (path, entry.value), not entry.value.startswith('!'))


def check_acls(root):
    """12: sessions and secrets"""
    for tpg in root.tpgs:
        if not tpg.has_feature('acls'):
            continue
        for acl in tpg.node_acls:
            expect('%s: a session' % acl, tried('session', lambda a=acl: a.session) is None)
            expect('%s: info is empty' % acl, os.path.getsize(acl.path + '/info') and
                   compare.read_value(acl.path + '/info', 0o444))
            tried('chap', lambda a=acl: (a.chap_userid, a.chap_password, a.authenticate_target))
        expect('secret: %s' % tpg.chap_mutual_userid, tpg.chap_mutual_userid in ('', 'NULL'))


def check(disk):
    root = rts()
    check_places(root)
    check_info(root, disk)
    check_write_back(root)
    check_alua(root)
    check_files()
    check_acls(root)
    print('%d objects, %d portal groups: %d rules broken'
          % (len(list(root.storage_objects)), len(list(root.tpgs)), len(failures)))


# ---- two saved configurations ----

def canonical(value):
    """configfs lists what was made last first, and a restore turns lists round."""
    if isinstance(value, dict):
        return {k: canonical(v) for k, v in value.items()}
    if isinstance(value, list):
        return sorted((canonical(v) for v in value), key=lambda v: json.dumps(v, sort_keys=True))
    return value


def flat(value, path=''):
    if isinstance(value, dict):
        for key, below in value.items():
            yield from flat(below, path + '/' + key)
    elif isinstance(value, list):
        for number, below in enumerate(value):
            yield from flat(below, '%s/%d' % (path, number))
    else:
        yield path, value


def diff(a, b):
    trees = []
    for name in (a, b):
        with open(name, encoding='utf-8') as f:
            trees.append(dict(flat(canonical(json.load(f)))))
    for path in sorted(set(trees[0]) | set(trees[1])):
        old, new = trees[0].get(path, '(none)'), trees[1].get(path, '(none)')
        expect('%s: %s, then %s' % (path, old, new), old == new)
    print('%d values saved, %d differences' % (len(trees[0]), len(failures)))


if __name__ == '__main__':
    {'finish': finish, 'check': check, 'diff': diff}[sys.argv[1]](*sys.argv[2:])
    sys.exit(1 if failures else 0)
