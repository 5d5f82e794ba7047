# SPDX-License-Identifier: GPL-2.0-only
"""A target set up by writing to configfs, whichever target is loaded; taken down on exit.

    from target import Target

    with Target() as t:
        dev = t.device('rd_mcp', 'disk', 'rd_pages=256', serial='1234', emulate_tpu=1)
        tpg = t.loop('naa.5001405000000001', 1)
        node = tpg.lun(0, dev)          # '/dev/sdX'
"""
import os

from sgio import find, gone

CFS = '/sys/kernel/config/target/'


def write(path, value):
    """Write a value, as a shell's printf would."""
    fd = os.open(CFS + path, os.O_WRONLY)
    try:
        os.write(fd, str(value).encode())
    except OSError as error:
        raise OSError(error.errno, error.strerror, '%s = %r' % (path, value)) from None
    finally:
        os.close(fd)


def read(path):
    """The text of an attribute."""
    with open(CFS + path) as f:
        return f.read()


class NoDiskDriver:
    """While this holds, the disk driver takes no new disk. It and udev, which reads a disk again at every unit
    attention, have their own say through the nexus of a test: they collect its unit attentions, prevent and allow
    removal.
    """

    @staticmethod
    def _probe(on):
        with open('/sys/bus/scsi/drivers_autoprobe', 'w') as f:
            f.write(on)

    def __enter__(self):
        self._probe('0')

    def __exit__(self, *unused):
        self._probe('1')


class Tpg:
    """A loopback portal group with its nexus."""

    def __init__(self, target, wwn, tag):
        self.target, self.wwn, self.tag = target, wwn, tag
        self.path = 'loopback/%s/tpgt_%d' % (wwn, tag)
        target.mkdir('loopback')
        target.mkdir('loopback/' + wwn)
        target.mkdir(self.path)
        prefix = next(p for p in ('naa.', 'fc.', 'iqn.') if p in wwn)
        write(self.path + '/nexus', prefix + ('2003-01.org.example:i' if prefix == 'iqn.' else '5001405fffffffff'))
        host, channel, scsi_id = read(self.path + '/address').strip().split(':')
        self.address = int(host), int(channel), int(scsi_id)

    def link(self, number, dev):
        """Link a LUN; its directory."""
        path = '%s/lun/lun_%d' % (self.path, number)
        self.target.mkdir(path)
        self.target.symlink(dev, path + '/link')
        return path

    def unlink(self, number):
        """Undo link()."""
        self.target.remove('%s/lun/lun_%d/link' % (self.path, number))
        self.target.remove('%s/lun/lun_%d' % (self.path, number))

    def node(self, number, kind='block'):
        """The device node of a LUN, waited for."""
        return find(*self.address, number, kind)

    def lun(self, number, dev, kind='block'):
        """Link a LUN; its device node."""
        self.link(number, dev)
        return self.node(number, kind)


class Target:
    """All that was made, in order."""

    def __init__(self):
        self.made = []
        self.hbas = 0
        self.ports = []

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        for path in reversed(self.made):
            self._undo(path)
        self.made = []
        # A disk's nodes go behind our back: who makes the next target must not find them.
        for address in self.ports:
            gone(*address)
        self.ports = []

    @staticmethod
    def _undo(path):
        if os.path.islink(CFS + path):
            os.unlink(CFS + path)
        else:
            os.rmdir(CFS + path)

    def mkdir(self, path):
        """Make a directory, if it is not there."""
        if not os.path.isdir(CFS + path):
            os.mkdir(CFS + path)
            self.made.append(path)

    def symlink(self, to, path):
        """Link to a directory."""
        os.symlink(CFS + to, CFS + path)
        self.made.append(path)

    def remove(self, path):
        """Undo mkdir() or symlink() early."""
        self._undo(path)
        self.made.remove(path)

    def device(self, plugin, name, control, serial=None, wwn=None, **attrib):
        """Make and enable a device; its directory."""
        self.mkdir('core/%s_%d' % (plugin, self.hbas))
        path = 'core/%s_%d/%s' % (plugin, self.hbas, name)
        self.hbas += 1
        self.mkdir(path)
        write(path + '/control', control)
        write(path + '/enable', 1)
        if serial is not None and os.path.isdir(CFS + path + '/wwn'):
            write(path + '/wwn/vpd_unit_serial', serial + '\n')
        for key, value in (wwn or {}).items():
            write(path + '/wwn/' + key, value)
        for key, value in attrib.items():
            write(path + '/attrib/' + key, value)
        return path

    def loop(self, wwn, tag=1):
        """A loopback portal group."""
        tpg = Tpg(self, wwn, tag)
        self.ports.append(tpg.address)
        return tpg
