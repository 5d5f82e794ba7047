// SPDX-License-Identifier: GPL-2.0-only
/*
 * How large the medium is. A block device: as large as it is. A regular file: fd_dev_size,
 * whatever the file's own size (what lies behind its end reads as zeros), until somebody
 * changes the size of a file that has once been as large as the medium, or makes it larger
 * than that: from then on the medium is as large as the file. So `truncate -s` resizes a
 * LUN, and a sparse file that our own writes let grow does not.
 */
#include <linux/blkdev.h>
#include <linux/stat.h>
#include <linux/statfs.h>
#include "file.h"

void tcm_file_size_begin(struct tcm_file *f)
{
	f->seen = i_size_read(f->file->f_mapping->host);
	f->size = f->block ? f->seen : f->fd_dev_size;
	f->full = f->seen >= f->size;
}

/* fd_dev_size was written while the device is open. */
void tcm_file_size_set(struct tcm_file *f, u64 size)
{
	unsigned long flags;

	if (f->block)
		return;
	spin_lock_irqsave(&f->size_lock, flags);
	f->size = size;
	f->full = f->seen >= size;
	spin_unlock_irqrestore(&f->size_lock, flags);
	tcm_device_event(f->dev, TCM_DEV_RESIZED);
}

/* A disk that is removed is marked dead before its size becomes 0; it keeps its last size. */
static bool tcm_file_dead(const struct tcm_file *f)
{
	return f->block &&
	       test_bit(GD_DEAD, &I_BDEV(f->file->f_mapping->host)->bd_disk->state);
}

u64 tcm_file_capacity(struct tcm_device *dev)
{
	struct tcm_file *f = dev->priv;
	unsigned long flags;
	u64 now, size;

	if (!f->file)
		return f->fd_dev_size;
	/* Under the lock: who read an older size and came later would shrink the medium again. */
	spin_lock_irqsave(&f->size_lock, flags);
	now = i_size_read(f->file->f_mapping->host);
	/* the kernel marks the disk dead first: a size of 0 is read together with that mark */
	smp_rmb();
	if (!tcm_file_dead(f) && now != f->seen) {
		f->seen = now;
		if (f->full || now > f->size)
			f->size = now;
		f->full = now >= f->size;
	}
	size = f->size;
	spin_unlock_irqrestore(&f->size_lock, flags);
	return size;
}

bool tcm_file_look(struct tcm_file *f)
{
	if (!tcm_file_dead(f)) {
		tcm_device_event(f->dev, TCM_DEV_RESIZED);
		return false;
	}
	if (!test_bit(TCM_DEV_DEAD, &f->dev->flags))
		tcm_device_event(f->dev, TCM_DEV_GONE);
	return true;
}

void tcm_file_poll(struct tcm_device *dev)
{
	tcm_file_look(dev->priv);
}

/* What the file takes of its file system, and what that has left for everybody. */
int tcm_file_space(struct tcm_device *dev, struct tcm_space *space)
{
	struct tcm_file *f = dev->priv;
	struct tcm_file_task task;
	struct kstatfs fs;
	struct kstat st;
	int err;

	tcm_file_enter(f, &task);
	err = vfs_getattr(&f->file->f_path, &st, STATX_BLOCKS, AT_STATX_DONT_SYNC);
	if (!err)
		err = vfs_statfs(&f->file->f_path, &fs);
	tcm_file_leave(&task);
	if (err)
		return err;
	space->used = st.blocks << SECTOR_SHIFT;
	space->available = fs.f_bavail * fs.f_bsize;
	return 0;
}
