// SPDX-License-Identifier: GPL-2.0-only
/*
 * Protection information of a file: a second one beside it, <name>.protection, with eight bytes for
 * each logical block from the first on. What is behind its end reads as ones, which says that the
 * block is not to be checked; so a new one is empty, and grows with what is written, unless it is
 * formatted. It has no holes: those would read as zeros.
 */
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/stat.h>
#include "file.h"

/* Ones that are written at once */
#define TCM_FILE_PI_ONES	SZ_64K

int tcm_file_pi_open(struct tcm_device *dev)
{
	struct tcm_file *f = dev->priv;
	struct tcm_file_task task;
	struct file *file;
	char *name;

	/* There is no place beside a disk. */
	if (f->block)
		return -ENOSYS;
	name = kasprintf(GFP_KERNEL, "%s.protection", f->fd_dev_name);
	if (!name)
		return -ENOMEM;
	tcm_file_enter(f, &task);
	file = filp_open(name, O_RDWR | O_CREAT | O_LARGEFILE, 0600);
	tcm_file_leave(&task);
	kfree(name);
	if (IS_ERR(file))
		return PTR_ERR(file);
	if (!S_ISREG(file_inode(file)->i_mode)) {
		fput(file);
		return -EINVAL;
	}
	spin_lock(&f->pi_lock);
	f->pi_file = file;
	spin_unlock(&f->pi_lock);
	return 0;
}

void tcm_file_pi_close(struct tcm_device *dev)
{
	struct tcm_file *f = dev->priv;
	struct file *file;

	spin_lock(&f->pi_lock);
	file = f->pi_file;
	f->pi_file = NULL;
	spin_unlock(&f->pi_lock);
	/* At once: the file system may be unmounted next. A task's own comes at its return. */
	if (current->flags & PF_KTHREAD)
		__fput_sync(file);
	else
		fput(file);
}

static struct file *tcm_file_pi_get(struct tcm_file *f)
{
	struct file *file;

	spin_lock(&f->pi_lock);
	file = f->pi_file;
	if (file)
		get_file(file);
	spin_unlock(&f->pi_lock);
	return file;
}

/* Ones from the end of the file to @end; f->pi_grow held */
static int tcm_file_pi_fill(struct file *file, loff_t end)
{
	loff_t pos = i_size_read(file_inode(file));
	ssize_t ret = 0;
	void *ones;

	if (pos >= end)
		return 0;
	ones = kmalloc(TCM_FILE_PI_ONES, GFP_NOIO);
	if (!ones)
		return -ENOMEM;
	memset(ones, 0xff, TCM_FILE_PI_ONES);
	while (pos < end) {
		ret = kernel_write(file, ones, min_t(loff_t, end - pos, TCM_FILE_PI_ONES), &pos);
		if (ret > 0 && fatal_signal_pending(current))
			ret = -EINTR;
		if (ret <= 0)
			break;
		cond_resched();
	}
	kfree(ones);
	return ret > 0 ? 0 : ret ?: -EIO;
}

int tcm_file_pi_format(struct tcm_device *dev)
{
	struct tcm_file *f = dev->priv;
	struct file *file = tcm_file_pi_get(f);
	struct tcm_file_task task;
	int err;

	if (!file)
		return -ENODEV;
	tcm_file_enter(f, &task);
	mutex_lock(&f->pi_grow);
	err = vfs_truncate(&file->f_path, 0);
	if (!err)
		err = tcm_file_pi_fill(file, dev->nblocks * TCM_PI_LEN);
	if (!err)
		err = vfs_fsync(file, 1);
	mutex_unlock(&f->pi_grow);
	tcm_file_leave(&task);
	fput(file);
	return err;
}

/* All of one piece of memory, which ones make up behind the end */
static int tcm_file_pi_read(struct file *file, loff_t pos, void *mem, size_t len)
{
	while (len) {
		ssize_t ret = kernel_read(file, mem, len, &pos);

		if (ret < 0)
			return ret;
		if (!ret) {
			memset(mem, 0xff, len);
			break;
		}
		mem += ret;
		len -= ret;
	}
	return 0;
}

static int tcm_file_pi_write(struct file *file, loff_t pos, const void *mem, size_t len)
{
	while (len) {
		ssize_t ret = kernel_write(file, mem, len, &pos);

		if (ret <= 0)
			return ret ?: -EIO;
		mem += ret;
		len -= ret;
	}
	return 0;
}

static int tcm_file_pi_transfer(struct tcm_io *io, struct file *file)
{
	struct sg_mapping_iter it;
	loff_t pos = io->pos;
	int err = 0;

	sg_miter_start(&it, io->sg, sg_nents(io->sg), SG_MITER_TO_SG | SG_MITER_FROM_SG);
	while (!err && pos < io->pos + io->len && sg_miter_next(&it)) {
		it.consumed = min_t(u64, it.length, io->pos + io->len - pos);
		if (io->write)
			err = tcm_file_pi_write(file, pos, it.addr, it.consumed);
		else
			err = tcm_file_pi_read(file, pos, it.addr, it.consumed);
		pos += it.consumed;
	}
	sg_miter_stop(&it);
	return err;
}

static int tcm_file_pi_access(struct tcm_io *io, struct file *file)
{
	struct tcm_file *f = io->dev->priv;
	loff_t end = io->pos + io->len;
	int err = 0;

	/* Who is within the file needs no lock: it never becomes shorter. */
	if (io->write && end > i_size_read(file_inode(file))) {
		mutex_lock(&f->pi_grow);
		err = tcm_file_pi_fill(file, io->pos);
		if (!err)
			err = tcm_file_pi_transfer(io, file);
		mutex_unlock(&f->pi_grow);
	} else {
		err = tcm_file_pi_transfer(io, file);
	}
	if (!err && tcm_file_io(io)->stable)
		err = vfs_fsync_range(file, io->pos, end - 1, 1);
	return err;
}

void tcm_file_pi_work(struct tcm_io *io)
{
	struct file *file = tcm_file_pi_get(io->dev->priv);
	bool flush = tcm_file_io(io)->op == TCM_FILE_PI_FLUSH;
	int err;

	if (!file) {
		tcm_file_finish(io, flush ? 0 : -EIO);
		return;
	}
	err = flush ? vfs_fsync(file, 1) : tcm_file_pi_access(io, file);
	fput(file);
	tcm_file_finish(io, err);
}

void tcm_file_pi_io(struct tcm_io *io)
{
	tcm_file_range(io, TCM_FILE_PI, io->write && io->flags & TCM_IO_FUA);
}

void tcm_file_pi_flush(struct tcm_io *io)
{
	tcm_file_range(io, TCM_FILE_PI_FLUSH, true);
}
