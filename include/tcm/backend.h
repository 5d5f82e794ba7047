/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a backend provides and what it may call.
 *
 * A backend stores blocks. It registers one ops table; the core creates a
 * struct tcm_device for every directory below core/<plugin>_<n>/ and calls the
 * members in this order: create, parse (any number of times), open, I/O, close,
 * destroy. Documentation/backend.md walks through one.
 */
#ifndef _TCM_BACKEND_H
#define _TCM_BACKEND_H

#include <linux/bits.h>
#include <linux/dma-direction.h>
#include <linux/list.h>
#include <linux/errseq.h>	/* of 6.1: needs the types from before */
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/scatterlist.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>
#include <tcm/pi.h>
#include <tcm/pr.h>
#include <tcm/range.h>
#include <tcm/sense.h>

struct tcm_alua;
struct tcm_cmd;
struct tcm_device;
struct tcm_hba;
struct tcm_hop;
struct tcm_lu;
struct tcm_pi;
struct tcm_pr;
struct tcm_task_set;
struct tcm_wipe;

/* Bytes of backend scratch in each struct tcm_io: a bio, eight vectors and a little. */
#define TCM_IO_SCRATCH	384

/* tcm_io.flags */
#define TCM_IO_FUA	0x01	/* on stable storage before done */
#define TCM_IO_DPO	0x02	/* not worth caching */
#define TCM_IO_ANCHOR	0x04	/* unmap: keep the blocks anchored */
#define TCM_IO_MAY_UNMAP 0x08	/* write_zeroes: may deallocate when it reads back as zeros */
#define TCM_IO_MAY_WAIT	0x10	/* a hint: the caller is the device's own worker */
#define TCM_IO_UNMAPPED	0x20	/* set by lba_status */
#define TCM_IO_PI	0x40	/* @pi is valid; not for backends */
#define TCM_IO_NO_PI	0x80	/* the blocks get protection information of all ones; likewise */
#define TCM_IO_NOWAIT	0x100	/* do not wait for the medium: tcm_io_later() instead */
#define TCM_IO_UNCHECKED 0x200	/* pi_submit: the tuples are not for the disk to check */

/**
 * struct tcm_io - one access to a backend
 * @dev: device
 * @pos: byte offset on the medium, a multiple of the logical block length
 * @len: bytes, a multiple of the logical block length
 * @sg: data; may be chained and may go on behind @len; for write_same one logical block;
 *	NULL where no data moves (flush, unmap); write_zeroes may get one and passes it over
 * @skip: bytes to pass over at the start of @sg
 * @write: data flows to the medium
 * @flags: TCM_IO_*; TCM_IO_FUA comes with writes only, and with every write that must be
 *	stable: a backend looks at nothing else (see write_cache)
 * @done: called once by tcm_io_done(), in whatever context the access ends
 * @bad_pos: byte offset of the first block that failed, U64_MAX if not known
 * @src: for copy: the device that the data come from, of the same backend
 * @src_pos: for copy: byte offset on @src
 * @pi: protection information that goes with the data: core/pi.c
 * @tuples: for pi_submit: a tuple for each block, in one piece of memory
 * @scratch: the backend's own from submission to tcm_io_done()
 *
 * The core has checked range and alignment. The memory behind @sg stays valid
 * until tcm_io_done(); the backend fills all of it on a successful read.
 */
struct tcm_io {
	struct tcm_device	*dev;
	u64			pos;
	u64			len;
	struct scatterlist	*sg;
	u32			skip;
	bool			write;
	u16			flags;
	void			(*done)(struct tcm_io *io, enum tcm_sense sense);
	u64			bad_pos;
	struct tcm_device	*src;		/* copy: from where */
	u64			src_pos;
	union {
		struct tcm_pi_req	*pi;	/* valid with TCM_IO_PI */
		struct t10_pi_tuple	*tuples; /* pi_submit */
	};
	u8			scratch[TCM_IO_SCRATCH] __aligned(16);
};

/**
 * tcm_io_done - a backend access has ended
 * @io: the access; not to be touched by the backend afterwards
 * @sense: TCM_OK or why it failed
 *
 * Context: any, hard interrupt included.
 */
static inline void tcm_io_done(struct tcm_io *io, enum tcm_sense sense)
{
	io->done(io, sense);
}

/**
 * tcm_io_later - the backend would have to wait for this access
 * @io: access with TCM_IO_NOWAIT, of which nothing has begun; not to be touched afterwards
 *
 * It comes again from the device's own worker, without TCM_IO_NOWAIT.
 * Context: any, hard interrupt included.
 */
void tcm_io_later(struct tcm_io *io);

/* What of the room for blocks is taken, and how much more there is: bytes */
struct tcm_space {
	u64	used;			/* by the blocks of this device that are mapped */
	u64	available;		/* for this device, and maybe for others too */
};

#define TCM_WAITS_ALWAYS	(BIT(DMA_TO_DEVICE) | BIT(DMA_FROM_DEVICE))

/* What open() finds out about the medium; the core derives attributes and VPD from it. */
struct tcm_limits {
	u32	block_size;		/* hw_block_size: smallest addressable unit, bytes */
	u32	max_sectors;		/* hw_max_sectors, in blocks of block_size */
	u32	queue_depth;		/* hw_queue_depth */
	u32	phys_block_exp;		/* log2(physical / logical block) */
	u32	align_offset;		/* lowest aligned LBA */
	u32	io_min;			/* bytes, 0 = logical block */
	u32	io_opt;			/* bytes, 0 = not stated */
	u32	max_unmap_lba;		/* blocks for one UNMAP, 0 = no unmap */
	u32	max_unmap_desc;
	u32	unmap_granularity;	/* blocks */
	u32	unmap_alignment;	/* blocks */
	u32	max_write_same;		/* blocks, default of max_write_same_len */
	bool	unmap_zeroes;		/* unmapped blocks read as zeros */
	bool	counts_space;		/* space() tells: thin provisioning thresholds */
	bool	unmap_quiet;		/* the attributes show these only once UNMAP is turned on */
	bool	nonrot;
	u8	pi_type;		/* protection type that the disk has: pi_submit */
	u8	pr_pass;		/* TCM_PR_PASS_*: keeps reservations, with pgr_support 0 */
	u8	waits;			/* BIT(enum dma_data_direction): TCM_BE_NOWAIT is off */
	bool	write_cache;		/* a write without TCM_IO_FUA may be lost until flush */
	bool	cache_off;		/* and is not used until somebody turns it on */
	bool	late_cache;		/* it came after open(): initiators may not flush it */
	bool	read_only;
};

/* struct tcm_backend_ops.flags */
#define TCM_BE_ATOMIC		0x01	/* submit may be called in atomic context */
#define TCM_BE_PASSTHROUGH	0x02	/* CDBs go to pass() unparsed */
#define TCM_BE_OWN_CACHE	0x04	/* the write cache is the device's own */
/* write_zeroes without TCM_IO_MAY_UNMAP overwrites what was stored: nothing is left of it */
#define TCM_BE_ZERO_IN_PLACE	0x20
#define TCM_BE_NOWAIT		0x40	/* submit knows TCM_IO_NOWAIT */

/* What a pass-through device says of itself, for the files of wwn/ */
enum tcm_ident {
	TCM_IDENT_PROTOCOL,	/* vpd_protocol_identifier */
	TCM_IDENT_LU,		/* vpd_assoc_logical_unit */
	TCM_IDENT_PORT,		/* vpd_assoc_target_port */
	TCM_IDENT_DEVICE,	/* vpd_assoc_scsi_target_device */
};

enum tcm_dev_event {
	TCM_DEV_RESIZED,	/* capacity() answers differently */
	TCM_DEV_GONE,		/* the medium has disappeared for good */
	TCM_DEV_LIMITS,		/* dev->limits was changed */
	TCM_DEV_CACHE,		/* of them, only write_cache and late_cache; WRITE_ONCE */
};

/**
 * struct tcm_backend_ops - a kind of storage
 * @name: plugin name, the part of core/<name>_<n>/ before the number
 * @product: default PRODUCT IDENTIFICATION, up to 16 characters
 * @owner: module
 * @flags: TCM_BE_*
 *
 * @create: allocate private data into dev->priv. May sleep.
 * @destroy: undo create. May sleep.
 * @parse: one key=value of the `control` file. Return 0, -ENOENT for a key it
 *	does not know (which the core ignores), or an errno. May sleep.
 * @open: called by writing `enable`; fill dev->limits, be ready for I/O. May sleep and take its
 *	time: no lock of the core is held. Of the other members none runs meanwhile.
 * @close: undo open; no I/O is in flight. May sleep. Also after open failed? No.
 * @info: text for the `info` file after its generic first line, at most @size
 *	bytes; @dev may not be open. Return the length.
 * @capacity: bytes of the medium now. Any context. Mandatory unless pass-through.
 * @ident: what the medium says of itself, for a file of wwn/, at most @size bytes; open. May sleep.
 *	Default: those files are empty. Return the length.
 * @set_physical: `hba_mode`: turn the HBA, which has no other device, to physical mode or back. May
 *	sleep. Default: there is one mode.
 * @poll: called about once a second while the device is open, to report with
 *	tcm_device_event() what nothing else does: a new size, a medium that is gone. While
 *	it waits, only its own device cannot close. May sleep.
 * @space: how much is used, and how much is left. Asked about once a second while the device is
 *	thin and limits.counts_space is set, like poll() and under its rules: it may sleep.
 *	Return: 0, or an errno when it is not known now.
 * @submit: read or write. Sleepable unless TCM_BE_ATOMIC is set; with TCM_IO_NOWAIT it may sleep,
 *	but what would have to wait for the medium goes to tcm_io_later(). Mandatory unless
 *	pass-through.
 * @flush: bring [pos, pos+len) to stable storage, len 0 = to the end. Default: nothing
 *	is cached and SYNCHRONIZE CACHE returns at once.
 * @unmap: deallocate. Default: UNMAP is not offered.
 * @write_zeroes: zero without a data transfer. Default: zeros are written.
 * @write_same: repeat one block. Default: the block is written over and over.
 * @lba_status: is what is at @pos mapped? Sets io->len to how far from @pos on the answer holds, a
 *	multiple of the logical block length and not zero, and TCM_IO_UNMAPPED in io->flags
 *	where the blocks are deallocated. Default: all are mapped.
 * @read_ahead: begin to read what is there into a cache, without waiting for the medium. A length
 *	of the rest of the device is usual: how much is worth while is the backend's to say.
 *	May end before it is read. Default: nothing is read in advance.
 * @copy: make [pos, pos+len) what @src has from @src_pos on, without moving the data. Ends with
 *	TCM_INVALID_OPCODE where it cannot be done this way; then the core reads and writes.
 * @pi_open: be ready to store eight bytes for each logical block, those that were stored before
 *	if there are any. May sleep and take its time. Default: the device cannot keep
 *	protection information.
 * @pi_close: undo pi_open; a late pi_io() or pi_flush() of a self-test or a SYNCHRONIZE CACHE
 *	fails, or does nothing. May sleep.
 * @pi_format: make all of it ones. No I/O is in flight. May sleep. Default: not to be asked for.
 * @pi_io: as submit, but @pos and @len count bytes of protection information. What was never
 *	written reads as ones. Sleepable.
 * @pi_flush: bring all of it to stable storage. Default: nothing is cached.
 * @pi_submit: as submit, with io->tuples as one access with the data. Called, and then for every
 *	read and write, when open() has set limits.pi_type: the disk is what keeps protection
 *	information, of a type that nobody changes; none of the other pi_ members is called.
 *	Tuples are checked by the core; by the disk, too, without TCM_IO_UNCHECKED. Reference tags
 *	of type 1 are the LBA on this device. The memory of a write does not change meanwhile,
 *	but for what the backend does to the tuples. Sleepable.
 * @pr_out: carry out a PERSISTENT RESERVE OUT on the medium, all of it or nothing. For
 *	limits.pr_pass, as the two that follow: all initiators are one to the medium. May sleep and
 *	take its time. Default: pgr_support is 1, the core keeps reservations. Return: TCM_OK, or
 *	why nothing was done.
 * @pr_keys: the keys that are registered with the medium, as many as there is room for. Likewise.
 * @pr_holder: who holds a reservation of the medium; type TCM_PR_NONE: nobody. Likewise.
 * @pass: execute cmd->cdb on the real device (TCM_BE_PASSTHROUGH) and end with
 *	tcm_cmd_complete(). Sleepable.
 *
 * All I/O members end with tcm_io_done() exactly once, from any context, and
 * never call back into configuration. A member that may block for longer than
 * one access takes its own work queue.
 */
struct tcm_backend_ops {
	const char	*name;
	const char	*product;
	struct module	*owner;
	u32		flags;

	int	(*create)(struct tcm_device *dev);
	void	(*destroy)(struct tcm_device *dev);
	int	(*parse)(struct tcm_device *dev, const char *key, char *value);
	int	(*open)(struct tcm_device *dev);
	void	(*close)(struct tcm_device *dev);
	ssize_t	(*info)(struct tcm_device *dev, char *buf, size_t size);
	u64	(*capacity)(struct tcm_device *dev);
	ssize_t	(*ident)(struct tcm_device *dev, enum tcm_ident what, char *buf, size_t size);
	int	(*set_physical)(struct tcm_hba *hba, bool physical);
	void	(*poll)(struct tcm_device *dev);
	int	(*space)(struct tcm_device *dev, struct tcm_space *space);

	void	(*submit)(struct tcm_io *io);
	void	(*flush)(struct tcm_io *io);
	void	(*unmap)(struct tcm_io *io);
	void	(*write_zeroes)(struct tcm_io *io);
	void	(*write_same)(struct tcm_io *io);
	void	(*lba_status)(struct tcm_io *io);
	void	(*read_ahead)(struct tcm_io *io);
	void	(*copy)(struct tcm_io *io);
	int	(*pi_open)(struct tcm_device *dev);
	void	(*pi_close)(struct tcm_device *dev);
	int	(*pi_format)(struct tcm_device *dev);
	void	(*pi_io)(struct tcm_io *io);
	void	(*pi_flush)(struct tcm_io *io);
	void	(*pi_submit)(struct tcm_io *io);
	enum tcm_sense (*pr_out)(struct tcm_device *dev, const struct tcm_pr_ask *ask);
	enum tcm_sense (*pr_keys)(struct tcm_device *dev, struct tcm_pr_told *told);
	enum tcm_sense (*pr_holder)(struct tcm_device *dev, struct tcm_pr_told *told);
	void	(*pass)(struct tcm_cmd *cmd);

	/* core's list of backends; under the registry mutex */
	struct list_head node;
};

/**
 * tcm_backend_register - make a kind of storage known
 * @ops: static table
 *
 * Context: may sleep; module init. Takes no configfs lock, so it is safe from
 * a module init that a mkdir requested. Return: 0, -EINVAL for an incomplete table, -EEXIST.
 */
int tcm_backend_register(struct tcm_backend_ops *ops);

/**
 * tcm_backend_unregister - undo tcm_backend_register()
 * @ops: the table; no device of it exists (each holds a module reference)
 *
 * Context: may sleep; module exit. Waits for closes that go on in the background
 * and names the devices it waits for.
 */
void tcm_backend_unregister(struct tcm_backend_ops *ops);

/**
 * tcm_hba_make_physical - turn an HBA to physical mode for its only device
 * @hba: the device's
 *
 * For a backend's open(). Context: may sleep, takes tcm_config_mutex. Return: 0, also when
 * the mode is physical already; -EEXIST when there are other devices; else the errno of
 * ops->set_physical().
 */
int tcm_hba_make_physical(struct tcm_hba *hba);

/* attr.submit_type: 0 and 1 leave it to who submits, and run a command in the call if they can */
#define TCM_SUBMIT_QUEUE	2	/* the device's own worker, always */

/* A tuple of attributes per device; configfs shows them one a file. */
struct tcm_dev_attr {
	u32 emulate_model_alias, emulate_dpo, emulate_fua_write, emulate_fua_read;
	u32 emulate_write_cache, emulate_ua_intlck_ctrl, emulate_tas;
	u32 emulate_tpu, emulate_tpws, emulate_caw, emulate_atomic_write;
	u32 emulate_3pc, emulate_pr, emulate_rsoc;
	u32 pi_prot_type, hw_pi_prot_type, pi_prot_verify;
	u32 enforce_pr_isids, is_nonrot, emulate_rest_reord, force_pr_aptpl;
	u32 hw_block_size, block_size, physical_block_size, hw_max_sectors, optimal_sectors;
	u32 hw_queue_depth, queue_depth;
	u32 max_unmap_lba_count, max_unmap_block_desc_count;
	u32 unmap_granularity, unmap_granularity_alignment, unmap_zeroes_data;
	u32 max_write_same_len, alua_support, pgr_support, submit_type, removable;
	u32 emulate_aca, task_set_max, task_nexus_max, pr_abort_secs;
};

#define TCM_ALIAS_MAX	512
#define TCM_SERIAL_MAX	254

struct tcm_hba {
	struct tcm_backend_ops	*ops;
	u32			number;		/* n of <plugin>_<n> */
	u32			index;		/* HBA Index of hba_info */
	u32			stat_index;	/* `inst` of the statistics */
	unsigned int		devices;	/* created below it; tcm_config_mutex */
	bool			physical;	/* hba_mode; tcm_config_mutex */
	void			*priv;		/* backend's (pscsi: physical mode) */
};

/* tcm_device.flags */
enum tcm_dev_flag {
	TCM_DEV_CONFIGURED,	/* open() succeeded */
	TCM_DEV_DEAD,		/* medium gone: I/O fails */
	TCM_DEV_SERIAL_FIXED,	/* unit serial came from the device */
	TCM_DEV_STOPPED,	/* by START STOP UNIT; changed under lun_lock */
	TCM_DEV_OPENING,	/* open() is running; tcm_config_mutex */
	TCM_DEV_D_SENSE,	/* sense data in descriptor format: Control mode page */
	TCM_DEV_EJECTED,	/* no medium: START STOP UNIT with LOEJ; under lun_lock */
	TCM_DEV_RESTING,	/* in a power condition but active; under lun_lock */
	TCM_DEV_SWP,		/* software write protect: Control mode page; under lun_lock */
};

/* Per-CPU counters of one I_T_L nexus; @started - @done are in flight. */
struct tcm_map_stats {
	u64 started, done;
	u64 rd_bytes, wr_bytes;
	/* Those of @started that read and write, but for the ones that are not for the medium */
	u64 rd_cmds, wr_cmds;
	/* Of @rd_bytes and @wr_bytes what was no data of the medium */
	u64 rd_other, wr_other;
};

/**
 * struct tcm_device - a logical unit's storage
 *
 * Lives from mkdir to the later of rmdir and the last LUN's end. @priv,
 * @limits and @block_shift are the backend's and core's before open() ends;
 * what follows is read without locks on the I/O path.
 */
struct tcm_device {
	/* @backend's, or with protection information those of core/pi.c in front of them */
	const struct tcm_backend_ops *ops;
	void			*priv;
	unsigned long		flags;		/* enum tcm_dev_flag, atomic bit operations */
	u64			nblocks;	/* capacity in logical blocks; WRITE_ONCE */
	u32			max_blocks;	/* of one command; WRITE_ONCE */
	u8			block_shift;
	u8			type;		/* peripheral device type */
	struct tcm_hop __percpu	*hop;
	struct tcm_dev_attr	attr;
	struct tcm_limits	limits;

	struct tcm_hba		*hba;		/* NULL after rmdir; tcm_config_mutex */
	char			*name;
	u32			index, inst;	/* indices of the statistics: own, and the HBA's */
	u64			created;	/* jiffies64 at creation */

	char			alias[TCM_ALIAS_MAX];
	char			udev_path[TCM_ALIAS_MAX];
	char			serial[TCM_SERIAL_MAX];
	char			vendor[8 + 1], product[16 + 1], revision[4 + 1];
	u32			company_id;

	/* @lun_lock protects @luns, @next_rtpi and every tcm_lun.maps of this device */
	spinlock_t		lun_lock;
	struct list_head	luns;
	u16			next_rtpi;
	unsigned int		exports;	/* LUN links; tcm_config_mutex */

	refcount_t		ref;		/* the directory and each LUN */
	struct work_struct	free_work;
	struct list_head	node;		/* all devices; core's device list lock */
	struct delayed_work	poll_work;	/* while the device is open */

	/* totals of LUNs that are gone, for the statistics; @lun_lock */
	struct tcm_map_stats	old;
	atomic_long_t		resets, aborts_complete, aborts_no_task;

	struct tcm_wipe		*wipe;		/* core's: FORMAT UNIT or SANITIZE; @lun_lock */
	struct tcm_ranges	ranges;		/* core's: who accesses which blocks */
	struct list_head	orphans;	/* core's: core/orphan.c */
	struct list_head	fence_node;
	bool			fenced;		/* TCM_GATE_ORPHAN is set; also under @lun_lock */

	atomic_t		flushes_behind;	/* flushes whose command was answered */
	errseq_t		flush_seq;	/* of the flushes that failed: each nexus is told */
	u32			flush_error;	/* enum tcm_sense of the last of them; WRITE_ONCE */

	struct tcm_task_set	*tasks;		/* core's: the order of commands */
	struct tcm_alua		*alua;		/* core's: target port groups */
	struct tcm_pr		*pr;		/* core's: reservations */
	struct tcm_lu		*lu;		/* core's: mode parameters and what is saved */

	const struct tcm_backend_ops *backend;	/* as it was registered */
	struct tcm_pi		*pi;		/* core's: NULL until there was a protection type */
	/* @pi_lock serialises changes of the protection type; outside of tcm_config_mutex */
	struct mutex		pi_lock;
};

/**
 * tcm_device_event - a backend reports that something changed
 * @dev: device
 * @event: what
 *
 * Raises the unit attention that belongs to it on every nexus.
 * Context: any.
 */
void tcm_device_event(struct tcm_device *dev, enum tcm_dev_event event);

/**
 * tcm_device_flush_failed - what was written before, and answered, may be lost
 * @dev: device
 * @sense: why
 *
 * For a backend that finds it outside of flush(), or whose medium tells of it once: each nexus has
 * @sense in answer to its next SYNCHRONIZE CACHE, whoever asked first.
 * Context: any.
 */
void tcm_device_flush_failed(struct tcm_device *dev, enum tcm_sense sense);

#endif
