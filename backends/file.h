/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _TCM_FILE_H
#define _TCM_FILE_H

#include <linux/bvec.h>
#include <linux/completion.h>
#include <linux/fs.h>
#include <linux/llist.h>
#include <linux/mempool.h>
#include <linux/mutex.h>
#include <linux/percpu-refcount.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>
#include <tcm/backend.h>

/* A file, or a block device through its file; dev->priv */
struct tcm_file {
	struct tcm_device	*dev;
	struct file		*file;		/* NULL until open() */
	struct workqueue_struct	*wq;		/* what would block; of this device alone */
	struct llist_head	writes;		/* buffered, may wait: @write_work drains it */
	struct work_struct	write_work;
	struct percpu_ref	users;		/* callers inside the file system */
	struct completion	unused;		/* @users has gone to zero */
	bool			block;		/* a block device */
	bool			memory;		/* of tmpfs: it waits for memory alone */
	bool			nowait;		/* understands IOCB_NOWAIT */
	bool			nowait_write;	/* ... for buffered writes too; WRITE_ONCE */
	bool			direct;		/* understands IOCB_DIRECT; WRITE_ONCE */
	u32			dio_align;	/* of position and length, bytes */
	u32			dio_addr_mask;	/* of memory */

	/* @pi_lock protects the pointer: who uses the file has a reference */
	spinlock_t		pi_lock;
	struct file		*pi_file;	/* protection information; NULL: none */
	struct mutex		pi_grow;	/* held by who writes behind its end */

	/* @size_lock protects the three below: see file_size.c */
	spinlock_t		size_lock;
	u64			size;		/* of the medium */
	u64			seen;		/* the file's own when it was last looked at */
	bool			full;		/* the file has been as large as the medium */

	/* control */
	u64			fd_dev_size;
	bool			fd_buffered_io, fd_async_io;
	u32			id;
	char			fd_dev_name[256];
};

enum tcm_file_op {
	TCM_FILE_DATA,
	TCM_FILE_FLUSH,
	TCM_FILE_UNMAP,
	TCM_FILE_ZERO,
	TCM_FILE_STATUS,
	TCM_FILE_PREFETCH,
	TCM_FILE_COPY,
	TCM_FILE_PI,
	TCM_FILE_PI_FLUSH,
};

/* What an access keeps in tcm_io.scratch. */
struct tcm_file_io {
	struct kiocb		iocb;
	union {
		struct work_struct	work;	/* on its own in tcm_file.wq */
		struct llist_node	write;	/* or in tcm_file.writes */
	};
	struct bio_vec		*vecs;		/* @inline_vecs or from tcm_file_vecs */
	struct scatterlist	*bounce;	/* aligned pages in place of io->sg, or NULL */
	u64			done;		/* bytes from io->pos on that are through */
	u8			op;		/* enum tcm_file_op */
	bool			direct;		/* around the page cache */
	bool			stable;		/* on stable storage before done */
	bool			again;		/* a step gave nothing, and was taken anew */
	struct bio_vec		inline_vecs[];
};

#define TCM_FILE_INLINE_VECS \
	((TCM_IO_SCRATCH - sizeof(struct tcm_file_io)) / sizeof(struct bio_vec))
static_assert(TCM_FILE_INLINE_VECS >= 8);

/* Vectors of one step of an access that has more pieces: a page of them */
#define TCM_FILE_VECS	(PAGE_SIZE / sizeof(struct bio_vec))

static inline struct tcm_file_io *tcm_file_io(struct tcm_io *io)
{
	return (struct tcm_file_io *)io->scratch;
}

static inline struct tcm_io *tcm_file_of(struct tcm_file_io *s)
{
	return container_of((u8 (*)[TCM_IO_SCRATCH])s, struct tcm_io, scratch);
}

/* Small blocks make the whole device buffered: the two are never mixed. */
static inline bool tcm_file_is_direct(const struct tcm_file *f)
{
	return READ_ONCE(f->direct) && 1U << f->dev->block_shift >= f->dio_align;
}

/* What a task is while it works below a file system on behalf of a device. */
struct tcm_file_task {
	unsigned int		noio, throttle;
	const struct cred	*cred;
};

/* file_io.c */
extern mempool_t tcm_file_vecs;
void tcm_file_enter(const struct tcm_file *f, struct tcm_file_task *task);
void tcm_file_leave(const struct tcm_file_task *task);
void tcm_file_finish(struct tcm_io *io, int err);
void tcm_file_submit(struct tcm_io *io);
/* The work item: go on with a read or write where it may block. */
void tcm_file_data_work(struct tcm_io *io);
void tcm_file_queue(struct tcm_io *io);
void tcm_file_write_work(struct work_struct *work);
int tcm_file_io_init(void);
void tcm_file_io_exit(void);

/* file_range.c: flush, deallocate, zero */
void tcm_file_flush(struct tcm_io *io);
void tcm_file_unmap(struct tcm_io *io);
void tcm_file_write_zeroes(struct tcm_io *io);
void tcm_file_lba_status(struct tcm_io *io);
void tcm_file_read_ahead(struct tcm_io *io);
void tcm_file_copy(struct tcm_io *io);
void tcm_file_range_work(struct tcm_io *io);

/* file_pi.c */
int tcm_file_pi_open(struct tcm_device *dev);
void tcm_file_pi_close(struct tcm_device *dev);
int tcm_file_pi_format(struct tcm_device *dev);
void tcm_file_pi_io(struct tcm_io *io);
void tcm_file_pi_flush(struct tcm_io *io);
/* The work item */
void tcm_file_pi_work(struct tcm_io *io);
void tcm_file_range(struct tcm_io *io, enum tcm_file_op op, bool stable);

/* file_size.c */
void tcm_file_size_begin(struct tcm_file *f);
void tcm_file_size_set(struct tcm_file *f, u64 size);
u64 tcm_file_capacity(struct tcm_device *dev);
/* Tell the core what became of the medium. True: it is gone. Any context. */
bool tcm_file_look(struct tcm_file *f);
void tcm_file_poll(struct tcm_device *dev);
int tcm_file_space(struct tcm_device *dev, struct tcm_space *space);

#endif
