/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Asynchronous file I/O. From 6.8 on vfs_iocb_iter_write() takes the freeze protection of the
 * file system itself; who completes a queued write gives it back.
 */
#ifndef _TCM_COMPAT_IOCB_H
#define _TCM_COMPAT_IOCB_H

#include <linux/fs.h>
#include <linux/uio.h>
#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 12, 0)

static inline ssize_t tcm_iocb_write(struct kiocb *iocb, struct iov_iter *iter)
{
	ssize_t ret;

	kiocb_start_write(iocb);
	ret = vfs_iocb_iter_write(iocb->ki_filp, iocb, iter);
	if (ret != -EIOCBQUEUED)
		kiocb_end_write(iocb);
	return ret;
}

#else

/**
 * tcm_iocb_write - write to a file
 * @iocb: file, position, flags and what to call at the end
 * @iter: data
 *
 * Context: may sleep. Return: bytes, an errno, or -EIOCBQUEUED: then ki_complete() is
 * called, which calls kiocb_end_write().
 */
static inline ssize_t tcm_iocb_write(struct kiocb *iocb, struct iov_iter *iter)
{
	return vfs_iocb_iter_write(iocb->ki_filp, iocb, iter);
}

#endif

#endif
