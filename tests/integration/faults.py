#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Each step of a configuration with its first, second, third ... allocation failing.

/proc/thread-self/fail-nth makes the n-th allocation (or access to user memory) of what this
thread asks for fail. A step is tried with n = 1, 2, ... until it runs through without meeting
the fault. A step that fails must say so and leave nothing; taking down fails before it begins
or not at all.
"""
import errno
import os
import sys

TARGET = '/sys/kernel/config/target'
FAULTS = '/sys/kernel/debug'
CLEAN = (errno.ENOMEM, errno.EFAULT)
LIMIT = 400                     # allocations of one step; more than that is a loop of ours


def write(path, value):
    fd = os.open(path, os.O_WRONLY)
    try:
        os.write(fd, value.encode())
    finally:
        os.close(fd)


class Nth:
    def __init__(self):
        self.fd = os.open('/proc/thread-self/fail-nth', os.O_RDWR)
        self.clean = CLEAN
        self.tried = self.failed = self.survived = self.errors = 0

    def arm(self, n):
        os.pwrite(self.fd, b'%d' % n, 0)

    def disarm(self):
        """Was there a fault since arm()?"""
        try:
            left = int(os.pread(self.fd, 16, 0).split(b'\0')[0])
        except OSError:
            left = 1            # it was this look that met it
        try:
            os.pwrite(self.fd, b'0', 0)
        except OSError:
            pass                # it was this, and what is spent needs no disarming
        return left == 0

    def wrong(self, text):
        self.errors += 1
        print('FAIL: ' + text, flush=True)

    def once(self, n, do, args):
        """errno of the step, and whether it met the fault."""
        err = 0
        self.arm(n)
        try:
            do(*args)
        except OSError as e:
            err = e.errno
        return err, self.disarm()

    def step(self, name, do, args, gone=None, undo=None, limit=LIMIT):
        """do(*args) until it runs through; gone: a path that a failure must not leave; limit:
        then it is done without a fault."""
        for n in range(1, limit + 1):
            err, met = self.once(n, do, args)
            self.tried += 1
            if not met:
                if err and (err in CLEAN or err not in self.clean):
                    self.wrong('%s: %s without a fault' % (name, errno.errorcode[err]))
                return
            if err:
                self.failed += 1
                if err not in self.clean:
                    self.wrong('%s, allocation %d: %s' % (name, n, errno.errorcode.get(err, err)))
                if gone and os.path.lexists(gone):
                    self.wrong('%s, allocation %d: it failed and is there' % (name, n))
                    undo(*args[-1:])
            else:
                self.survived += 1
                if undo:
                    undo(*args[-1:])
        if limit == LIMIT:
            self.wrong('%s: no end after %d allocations' % (name, LIMIT))
        do(*args)

    def mkdir(self, path, limit=LIMIT, also=()):
        """also: errnos that a fault may have beside those of memory"""
        self.clean = CLEAN + also
        self.step('mkdir ' + path[len(TARGET):], os.mkdir, [path], path, os.rmdir, limit)
        self.clean = CLEAN

    def write(self, path, value, done=0):
        """done: the errno of doing it once more"""
        self.clean = CLEAN + ((done,) if done else ())
        self.step('write ' + path[len(TARGET):], write, [path, value])
        self.clean = CLEAN

    def link(self, to, path):
        self.step('link ' + path[len(TARGET):], os.symlink, [to, path], path, os.unlink)

    def remove(self, path):
        """Every fault is met on the way to configfs; what got there succeeds."""
        do = os.unlink if os.path.islink(path) else os.rmdir
        for n in range(1, LIMIT):
            err, met = self.once(n, do, [path])
            self.tried += 1
            if not err:
                break
            if err not in CLEAN or not met:
                self.wrong('remove %s, allocation %d: %s' % (path, n, errno.errorcode.get(err, err)))
                break
        if os.path.lexists(path):
            self.wrong('%s is still there' % path)


def faults_on():
    for kind in ('failslab', 'fail_page_alloc', 'fail_usercopy'):
        write('%s/%s/verbose' % (FAULTS, kind), '0')
    for kind in ('failslab', 'fail_page_alloc'):
        write('%s/%s/ignore-gfp-wait' % (FAULTS, kind), 'N')
    write(FAULTS + '/fail_page_alloc/min-order', '0')


def portal_group(nth, fabric, wwn, device):
    """A target with one LUN; the directories in the order in which they go again."""
    base = '%s/%s' % (TARGET, fabric)
    made = []
    if not os.path.isdir(base):
        nth.mkdir(base)
    made.append(base)
    for part in (wwn, 'tpgt_1', 'lun/lun_0'):
        base = '%s/%s' % (base, part)
        # Targets, portal groups and portals have EINVAL for whatever it is; the log has the reason.
        # From the sixteenth on those of a loopback target are the SCSI midlayer's for its host.
        nth.mkdir(base, 15 if part == wwn and fabric == 'loopback' else LIMIT, (errno.EINVAL,))
        made.append(base)
        if part == 'tpgt_1' and fabric == 'loopback':
            nth.write(base + '/nexus', wwn[:-1] + 'f')
    nth.link(device, base + '/link')
    made.append(base + '/link')
    return made


def access(nth, tpg, lun):
    """An ACL with a mapped LUN, and a portal."""
    acl = tpg + '/acls/iqn.2026-11.org.example:i'
    made = [acl, acl + '/lun_3', acl + '/lun_3/link']
    nth.mkdir(made[0])
    nth.mkdir(made[1])
    nth.link(lun, made[2])
    nth.write(acl + '/lun_3/write_protect', '1')
    nth.mkdir(tpg + '/np/0.0.0.0:3260', also=(errno.EINVAL,))
    nth.write(tpg + '/enable', '1')
    return made + [tpg + '/np/0.0.0.0:3260']


def main():
    nth = Nth()
    faults_on()
    hba = TARGET + '/core/rd_mcp_7'
    device = hba + '/disk'
    nth.mkdir(hba)
    nth.mkdir(device)
    nth.write(device + '/control', 'rd_pages=64')
    nth.write(device + '/enable', '1', errno.EEXIST)
    for name, value in (('wwn/vpd_unit_serial', 'abcdef01'), ('alias', 'a disk'),
                        ('attrib/emulate_tpu', '1'), ('attrib/queue_depth', '64'),
                        ('pr/res_aptpl_metadata', 'initiator_node=i,target_node=t,sa_res_key=1'),
                        ('lba_map', '64 1\n0 63 1:O 2:A\n')):
        nth.write('%s/%s' % (device, name), value)
    nth.mkdir(device + '/alua/gp')
    nth.write(device + '/alua/gp/tg_pt_gp_id', '5')
    nth.mkdir(TARGET + '/core/alua/lu_gps/gp')
    made = [hba, device, device + '/alua/gp', TARGET + '/core/alua/lu_gps/gp']
    made += portal_group(nth, 'loopback', 'naa.5001405fa0000001', device)
    iscsi = portal_group(nth, 'iscsi', 'iqn.2026-11.org.example:t', device)
    made += iscsi
    made += access(nth, iscsi[2], iscsi[3])
    for path in reversed(made):
        nth.remove(path)
    print('faults: %d tries, %d failed cleanly, %d did without, %d wrong'
          % (nth.tried, nth.failed, nth.survived, nth.errors))
    if nth.failed < 100:
        nth.wrong('so few faults: was anything injected?')
    sys.exit(1 if nth.errors else 0)


if __name__ == '__main__':
    main()
