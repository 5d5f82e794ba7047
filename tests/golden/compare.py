#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Hold the live configfs tree against a dump of the stock target's.

    compare.py build TREE [KIND...]     make the objects of the dump (KIND: rd fileio iblock pscsi)
    compare.py dump                     print the live tree as the dumps have it
    compare.py check TREE DUMP [KIND...]
    compare.py stores                   what is refused, or taken, otherwise than by the stock target
    compare.py clear                    take away all there is

Every path of the dump exists with the same mode and value; what may differ by nature has
a format in FORMATS, what differs on purpose stands in the file `exceptions`, with the
reason. What is there and not in the dump is a difference, too; so is a line of that file that
applies to no kernel's dump.
"""
import errno
import os
import re
import stat
import sys

HERE = os.path.dirname(os.path.realpath(__file__))
TARGET = '/sys/kernel/config/target'

DEVICES = {'rd': 'core/rd_mcp_0', 'fileio': 'core/fileio_1', 'iblock': 'core/iblock_2',
           'pscsi': 'core/pscsi_3'}
LOOP = 'loopback/naa.5001405000000001/tpgt_1'
ISCSI = 'iscsi/iqn.2026-11.org.lab:t1/tpgt_1'
INITIATOR = 'iqn.2026-11.org.lab:init'

# (path, format of the value): numbers that depend on the moment or the machine
FORMATS = [
    (r'.*/creation_time', r'\d+\|'),
    (r'.*/(num_cmds|in_cmds)', r'\d+\|'),
    (r'.*/scsi_transport/indx', r'\d+\|'),
    (r'loopback/[^/]+/tpgt_1/address', r'\d+:0:1\|'),
    (r'core/iblock_2/bl/info', r'(.*)Major: \d+ Minor: \d+(.*)'),
    (r'core/pscsi_3/ps/info', r'(.*)Host ID: \d+(.*)'),
]


# What the run needs beside the dump's objects: a second port
SCAFFOLD = re.compile(r'loopback/naa\.5001405000000002(/.*)?')


class Entry:
    """A directory (mode '' and value None), a link (mode 'l') or a file."""

    def __init__(self, mode, value=None):
        self.mode = mode
        self.value = value


def read_tree(path):
    """{path: Entry} of a dump; paths without the leading ./"""
    tree = {}
    release = ''
    with open(path, encoding='utf-8') as f:
        for line in f:
            line = line.rstrip('\n')
            if line.startswith('#'):
                release = line[1:].strip()
            elif ' -> ' in line:
                name, to = line.split(' -> ', 1)
                tree[name[2:]] = Entry('l', to)
            elif line.endswith('/'):
                tree[line[2:-1]] = Entry('')
            else:
                name, mode, value = line.split(' ', 2)
                if value.startswith("cat: '") and value.endswith('No such device|'):
                    value = '!ENODEV'
                tree[name[2:]] = Entry(mode, value)
    return tree, release


def text_of(raw):
    """A value on one line, as the dumps have it."""
    return raw.decode('utf-8').replace('\n', '|').replace('\0', '0')


def read_value(path, mode):
    if not mode & stat.S_IRUSR:
        return ''
    try:
        with open(path, 'rb') as f:
            return text_of(f.read())
    except OSError as e:
        return '!' + errno.errorcode[e.errno]


def live_tree():
    tree = {}
    for top, dirs, files in os.walk(TARGET):
        base = os.path.relpath(top, TARGET)
        base = '' if base == '.' else base + '/'
        tree[base.rstrip('/')] = Entry('')
        for name in list(dirs):
            if os.path.islink(os.path.join(top, name)):
                dirs.remove(name)
                tree[base + name] = Entry('l', os.path.realpath(os.path.join(top, name)))
        for name in files:
            path = os.path.join(top, name)
            mode = os.lstat(path).st_mode
            tree[base + name] = Entry('%o' % (mode & 0o777), read_value(path, mode))
    return tree


def dump():
    print('# ' + os.uname().release)
    for name, entry in sorted(live_tree().items()):
        if entry.mode == 'l':
            print('./%s -> %s' % (name, entry.value))
        elif not entry.mode:
            print('./%s/' % name if name else './')
        else:
            print('./%s %s %s' % (name, entry.mode, entry.value))


# ---- building what the dump shows ----

def put(path, text):
    with open(os.path.join(TARGET, path), 'w', encoding='utf-8') as f:
        f.write(text)


def make(path):
    os.mkdir(os.path.join(TARGET, path))


def link(path, to):
    os.symlink(os.path.join(TARGET, to), os.path.join(TARGET, path))


def first_value(tree, path):
    return tree[path].value.rstrip('|')


def build_rd(tree):
    make('core/rd_mcp_0')
    make('core/rd_mcp_0/rd')
    put('core/rd_mcp_0/rd/control', 'rd_pages=4096')
    return 'core/rd_mcp_0/rd'


def build_fileio(tree):
    with open('/tmp/f.img', 'wb') as f:
        f.truncate(16777216)
    make('core/fileio_1')
    make('core/fileio_1/fi')
    put('core/fileio_1/fi/control', 'fd_dev_name=/tmp/f.img,fd_dev_size=16777216')
    put('core/fileio_1/fi/attrib/emulate_write_cache', '1')
    put('core/fileio_1/fi/control', 'fd_buffered_io=1')
    put('core/fileio_1/fi/udev_path', '/tmp/f.img')
    return 'core/fileio_1/fi'


def build_iblock(tree):
    make('core/iblock_2')
    make('core/iblock_2/bl')
    put('core/iblock_2/bl/udev_path', '/dev/nullb0')
    put('core/iblock_2/bl/control', 'udev_path=/dev/nullb0')
    put('core/iblock_2/bl/control', 'readonly=0')
    return 'core/iblock_2/bl'


def scsi_debug_address():
    root = '/sys/bus/pseudo/drivers/scsi_debug/adapter0'
    host = [d for d in os.listdir(root) if re.fullmatch(r'host\d+', d)][0]
    return host[4:], os.listdir('%s/%s/target%s:0:0/%s:0:0:0/block' % (root, host, host[4:], host[4:]))[0]


def build_pscsi(tree):
    host, disk = scsi_debug_address()
    make('core/pscsi_3')
    make('core/pscsi_3/ps')
    put('core/pscsi_3/ps/control',
        'scsi_host_id=%s,scsi_channel_id=0,scsi_target_id=0,scsi_lun_id=0' % host)
    put('core/pscsi_3/ps/udev_path', '/dev/' + disk)
    return 'core/pscsi_3/ps'


def enable(tree, path, kind):
    put(path + '/enable', '1\n')
    if kind == 'pscsi':
        return
    put(path + '/wwn/vpd_unit_serial',
        first_value(tree, path + '/wwn/vpd_unit_serial').partition(': ')[2] + '\n')
    put(path + '/attrib/emulate_model_alias', '1')


def link_of(tree, directory):
    return [p for p, e in tree.items() if e.mode == 'l' and os.path.dirname(p) == directory][0]


def use_up_index():
    """A kind that is not there takes its indices all the same: those after it are compared."""
    make('core/rd_mcp_99')
    make('core/rd_mcp_99/none')
    os.rmdir(os.path.join(TARGET, 'core/rd_mcp_99/none'))
    os.rmdir(os.path.join(TARGET, 'core/rd_mcp_99'))


def build(tree, kinds):
    os.makedirs('/etc/rtslib-fb-target', exist_ok=True)
    put('dbroot', '/etc/rtslib-fb-target\n')
    make('core/alua/lu_gps/g1')
    for kind, maker in (('rd', build_rd), ('fileio', build_fileio), ('iblock', build_iblock),
                        ('pscsi', build_pscsi)):
        if kind in kinds:
            enable(tree, maker(tree), kind)
        else:
            use_up_index()
    make('iscsi')
    for part in (os.path.dirname(ISCSI), ISCSI, ISCSI + '/lun/lun_0'):
        make(part)
    link(link_of(tree, ISCSI + '/lun/lun_0'), 'core/rd_mcp_0/rd')
    put(ISCSI + '/attrib/authentication', '0')
    make(ISCSI + '/np/0.0.0.0:3260')
    put(ISCSI + '/enable', '1')
    make(ISCSI + '/acls/' + INITIATOR)
    make(ISCSI + '/acls/' + INITIATOR + '/lun_0')
    link(link_of(tree, ISCSI + '/acls/' + INITIATOR + '/lun_0'), ISCSI + '/lun/lun_0')
    make('loopback')
    for part in (os.path.dirname(LOOP), LOOP):
        make(part)
    put(LOOP + '/nexus', first_value(tree, LOOP + '/nexus'))
    if 'fileio' in kinds:
        make(LOOP + '/lun/lun_0')
        link(link_of(tree, LOOP + '/lun/lun_0'), 'core/fileio_1/fi')
    # in the dump vhost exports this one
    if 'iblock' in kinds:
        make('loopback/naa.5001405000000002')
        make('loopback/naa.5001405000000002/tpgt_1')
        make('loopback/naa.5001405000000002/tpgt_1/lun/lun_0')
        link('loopback/naa.5001405000000002/tpgt_1/lun/lun_0/x', 'core/iblock_2/bl')


def clear():
    """Take away whatever is there, children first; what is left."""
    for top, dirs, _ in os.walk(TARGET, topdown=False):
        for name in dirs:
            path = os.path.join(top, name)
            if os.path.islink(path):
                os.unlink(path)
    for _ in range(3):
        for top, dirs, _ in os.walk(TARGET, topdown=False):
            for name in dirs:
                try:
                    os.rmdir(os.path.join(top, name))
                except OSError:
                    pass
    left = [d for d in os.listdir(TARGET) if os.path.isdir(os.path.join(TARGET, d)) and d != 'core']
    return left + ['core/' + d for d in os.listdir(os.path.join(TARGET, 'core')) if d != 'alua']


# ---- comparing ----

KINDS = ('value', 'extra', 'missing', 'refused', 'taken')


class Exceptions:
    """Lines: what, path, what our value looks like (or -), reason."""

    def __init__(self, path):
        self.rows = []
        self.used = set()
        with open(path, encoding='utf-8') as f:
            for number, line in enumerate(f, 1):
                if line.strip() and not line.startswith('#'):
                    fields = line.rstrip('\n').split(None, 3)
                    if len(fields) != 4 or fields[0] not in KINDS:
                        sys.exit('%s:%d: not <what> <path> <value> <reason>' % (path, number))
                    self.rows.append(fields)

    def covers(self, what, path, value='', want=None):
        for number, row in enumerate(self.rows):
            if row[0] == what and re.fullmatch(row[1], path) and \
               (row[2] == '-' or self.fits(row[2].replace('_', '[ _]'), value, want)):
                self.used.add(number)
                return True
        return False

    @staticmethod
    def fits(form, value, want):
        """What is in parentheses is no difference: both have the same there."""
        ours = re.fullmatch(form, value, re.S)
        if not ours or not ours.groups():
            return ours is not None
        stock = re.fullmatch(form, want or '', re.S)
        return stock is not None and stock.groups() == ours.groups()

    def unused(self):
        """Lines about the tree that covered nothing."""
        return [row for number, row in enumerate(self.rows)
                if number not in self.used and row[0] in ('value', 'extra', 'missing')]


def same_value(path, want, got):
    if want == got:
        return True
    for pattern, form in FORMATS:
        if not re.fullmatch(pattern, path):
            continue
        a, b = re.fullmatch(form, want), re.fullmatch(form, got)
        return bool(a and b and a.groups() == b.groups())
    return False


def absent(path, kinds):
    """Below an object that this run could not make."""
    for kind, directory in DEVICES.items():
        if kind not in kinds and (path + '/').startswith(directory + '/'):
            return True
    if path == 'core/alua/lu_gps/default_lu_gp/members':
        return not {'rd', 'fileio', 'iblock'} <= set(kinds)
    return 'fileio' not in kinds and (path + '/').startswith(LOOP + '/lun/lun_0/')


def check_entry(path, want, got, exceptions):
    if got.mode != want.mode:
        return 'mode %s, not %s' % (got.mode or 'directory', want.mode or 'directory')
    if want.value is None or same_value(path, want.value, got.value):
        return None
    if exceptions.covers('value', path, got.value, want.value):
        return None
    return 'reads "%s", not "%s"' % (got.value, want.value)


def check(golden, release, live, live_release, exceptions, kinds):
    wrong = []
    for path, want in sorted(golden.items()):
        if absent(path, kinds):
            continue
        if want.value and release:
            want.value = want.value.replace(release, live_release)
        if path not in live:
            if not exceptions.covers('missing', path):
                wrong.append('%s: missing' % path)
            continue
        problem = check_entry(path, want, live[path], exceptions)
        if problem:
            wrong.append('%s: %s' % (path, problem))
    for path, got in sorted(live.items()):
        if SCAFFOLD.fullmatch(path):
            continue
        if path not in golden and not exceptions.covers('extra', path, got.value or ''):
            wrong.append('%s: is not in the stock tree' % path)
    return wrong


def check_unused(live, live_release, exceptions, kinds):
    """An exception may be for the other kernel: its dump is looked at, too."""
    for name in sorted(os.listdir(HERE)):
        if re.fullmatch(r'tree-.*\.txt', name):
            golden, release = read_tree(os.path.join(HERE, name))
            check(golden, release, live, live_release, exceptions, kinds)
    return ['exceptions: applies to nothing: ' + ' '.join(row[:3]) for row in exceptions.unused()]


def stores(exceptions):
    """mkdir of the refused, writes of the taken: below a device of this kind that nobody exports."""
    wrong = []
    make('core/rd_mcp_98')
    make('core/rd_mcp_98/idle')
    put('core/rd_mcp_98/idle/control', 'rd_pages=16')
    put('core/rd_mcp_98/idle/enable', '1')
    rows = [row for row in exceptions.rows if row[0] in ('refused', 'taken')]
    for what, path, value, _ in rows:
        try:
            if value == '-':
                make(path)
            else:
                put(path, value)
            done = 'taken'
        except OSError:
            done = 'refused'
        if done != what:
            wrong.append('%s %s: %s, which is no exception' % (path, value, done))
        if done == 'taken' and value == '-':
            os.rmdir(os.path.join(TARGET, path))
    os.rmdir(os.path.join(TARGET, 'core/rd_mcp_98/idle'))
    os.rmdir(os.path.join(TARGET, 'core/rd_mcp_98'))
    if not rows:
        wrong.append('no such lines in exceptions')
    return wrong


def main(argv):
    if argv[:1] == ['dump']:
        dump()
        return 0
    if argv[:1] == ['build']:
        build(read_tree(argv[1])[0], argv[2:])
        return 0
    if argv[:1] == ['clear']:
        left = clear()
        print('left: ' + ' '.join(left) if left else 'all removed')
        return 1 if left else 0
    if argv[:1] == ['stores']:
        wrong = stores(Exceptions(os.path.join(HERE, 'exceptions')))
        for line in wrong:
            print(line)
        return 1 if wrong else 0
    if argv[:1] != ['check']:
        sys.exit(__doc__)
    golden, release = read_tree(argv[1])
    live, live_release = read_tree(argv[2])
    exceptions = Exceptions(os.path.join(HERE, 'exceptions'))
    kinds = argv[3:]
    wrong = check(golden, release, live, live_release, exceptions, kinds)
    if set(kinds) == set(DEVICES):
        wrong += check_unused(live, live_release, exceptions, kinds)
    for line in wrong:
        print(line)
    print('%d paths of the stock tree, %d differences' % (len(golden), len(wrong)))
    return 1 if wrong else 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
