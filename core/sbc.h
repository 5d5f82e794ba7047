/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The commands of SBC-4: what the rows of core/opcodes_sbc.c execute and what these
 * share.
 */
#ifndef _TCM_SBC_H
#define _TCM_SBC_H

#include <tcm/cmd.h>
#include <tcm/fabric.h>

enum tcm_sense tcm_sbc_read(struct tcm_cmd *cmd);
enum tcm_sense tcm_sbc_write(struct tcm_cmd *cmd);
enum tcm_sense tcm_sbc_read_long(struct tcm_cmd *cmd);
enum tcm_sense tcm_sbc_write_long(struct tcm_cmd *cmd);
enum tcm_sense tcm_sbc_long_parse(struct tcm_cmd *cmd);
enum tcm_sense tcm_sbc_seek(struct tcm_cmd *cmd);
enum tcm_sense tcm_sbc_capacity10_parse(struct tcm_cmd *cmd);
enum tcm_sense tcm_sbc_read_capacity10(struct tcm_cmd *cmd);
enum tcm_sense tcm_sbc_read_capacity16(struct tcm_cmd *cmd);
enum tcm_sense tcm_sbc_verify_parse(struct tcm_cmd *cmd);
enum tcm_sense tcm_sbc_verify(struct tcm_cmd *cmd);
enum tcm_sense tcm_sbc_write_verify_parse(struct tcm_cmd *cmd);
enum tcm_sense tcm_sbc_write_verify(struct tcm_cmd *cmd);
enum tcm_sense tcm_sbc_sync_cache(struct tcm_cmd *cmd);
bool tcm_sbc_referrals_offered(const struct tcm_device *dev);
struct tcm_alua;
/*
 * The user data segment referral sense data descriptor of the segment of @lba, kmalloc'ed; NULL:
 * no port group reaches it, or no memory. dev->lun_lock held.
 */
u8 *tcm_sbc_referral(const struct tcm_alua *alua, u64 lba, unsigned int *len);
enum tcm_sense tcm_sbc_referrals_parse(struct tcm_cmd *cmd);
enum tcm_sense tcm_sbc_referrals(struct tcm_cmd *cmd);
bool tcm_sbc_start_allowed(const struct tcm_cmd *cmd);
bool tcm_sbc_allow_allowed(const struct tcm_cmd *cmd);
enum tcm_sense tcm_sbc_start_stop_parse(struct tcm_cmd *cmd);
enum tcm_sense tcm_sbc_start_stop(struct tcm_cmd *cmd);
enum tcm_sense tcm_sbc_prevent(struct tcm_cmd *cmd);
/* Can the medium be taken out? The attribute `removable`. */
bool tcm_sbc_removable(const struct tcm_device *dev);
enum tcm_sense tcm_sbc_unmap(struct tcm_cmd *cmd);
bool tcm_sbc_unmap_offered(const struct tcm_device *dev);
enum tcm_sense tcm_sbc_caw_parse(struct tcm_cmd *cmd);
enum tcm_sense tcm_sbc_compare_and_write(struct tcm_cmd *cmd);
bool tcm_sbc_caw_offered(const struct tcm_device *dev);
bool tcm_sbc_atomic_offered(const struct tcm_device *dev);

enum tcm_sense tcm_sbc_orwrite(struct tcm_cmd *cmd);
enum tcm_sense tcm_sbc_write_atomic_parse(struct tcm_cmd *cmd);
enum tcm_sense tcm_sbc_write_atomic(struct tcm_cmd *cmd);

enum tcm_sense tcm_sbc_lba_status_parse(struct tcm_cmd *cmd);
enum tcm_sense tcm_sbc_lba_status(struct tcm_cmd *cmd);
enum tcm_sense tcm_sbc_defect_parse(struct tcm_cmd *cmd);
enum tcm_sense tcm_sbc_defect_data(struct tcm_cmd *cmd);
enum tcm_sense tcm_sbc_prefetch(struct tcm_cmd *cmd);
enum tcm_sense tcm_sbc_format_parse(struct tcm_cmd *cmd);
enum tcm_sense tcm_sbc_format(struct tcm_cmd *cmd);
enum tcm_sense tcm_sbc_overwrite_parse(struct tcm_cmd *cmd);
enum tcm_sense tcm_sbc_overwrite(struct tcm_cmd *cmd);
enum tcm_sense tcm_sbc_sanitize_parse(struct tcm_cmd *cmd);
enum tcm_sense tcm_sbc_block_erase(struct tcm_cmd *cmd);
enum tcm_sense tcm_sbc_exit_failure(struct tcm_cmd *cmd);

/* SANITIZE: not in <scsi/scsi_proto.h> */
#define TCM_SANITIZE		0x48

/* MAXIMUM COMPARE AND WRITE LENGTH and MAXIMUM ATOMIC TRANSFER LENGTH of VPD B0h, logical blocks */
u32 tcm_sbc_caw_max(const struct tcm_device *dev, const struct tcm_fabric_ops *ops);
u32 tcm_sbc_atomic_max(const struct tcm_device *dev, const struct tcm_fabric_ops *ops);

enum tcm_sense tcm_sbc_write_same_parse(struct tcm_cmd *cmd);
enum tcm_sense tcm_sbc_write_same(struct tcm_cmd *cmd);

/*
 * The write cache: one truth.
 *
 * limits.write_cache is what the backend does: a write that ended without TCM_IO_FUA may
 * be lost with the power until flush(). tcm_dev_wce() is what initiators are told (WCE in
 * the caching mode page, V_SUP in VPD 86h). When they are told that there is no cache
 * and there is one, the core makes every write a forced one; nobody else decides that. So it
 * does when the cache came later: they are told by a unit attention, but not all ask then (Linux
 * does not), and who does not know of it never flushes it.
 */
static inline bool tcm_dev_wce(const struct tcm_device *dev)
{
	if (dev->ops->flags & TCM_BE_OWN_CACHE)
		return READ_ONCE(dev->limits.write_cache);
	return READ_ONCE(dev->attr.emulate_write_cache);
}

/* TCM_IO_FUA when a write must be stable before its command ends, whatever the CDB says. */
static inline u8 tcm_sbc_write_through(const struct tcm_device *dev)
{
	if (likely(!READ_ONCE(dev->limits.write_cache)))
		return 0;
	return !tcm_dev_wce(dev) || READ_ONCE(dev->limits.late_cache) ? TCM_IO_FUA : 0;
}

/*
 * Was it submitted behind a write cache that others were to flush, and they believe by now that
 * there is none?
 */
static inline bool tcm_sbc_left_behind(const struct tcm_io *io)
{
	return io->write && !(io->flags & TCM_IO_FUA) && unlikely(tcm_sbc_write_through(io->dev));
}

/* LBPME, SBC-4 5.20.2: logical block provisioning is managed, the unit is thin. */
static inline bool tcm_dev_lbpme(const struct tcm_device *dev)
{
	return dev->attr.emulate_tpu || dev->attr.emulate_tpws;
}

/* MAXIMUM TRANSFER LENGTH of VPD B0h on one fabric, in logical blocks. */
static inline u32 tcm_sbc_max_blocks(const struct tcm_device *dev,
				     const struct tcm_fabric_ops *ops)
{
	u32 max = READ_ONCE(dev->max_blocks);

	if (ops->max_data_sg)
		max = min_t(u64, max, ((u64)ops->max_data_sg << PAGE_SHIFT) >> dev->block_shift);
	return max;
}

/* Is [lba, lba + nblocks) on the medium? Else the sense, with the first LBA that is not. */
enum tcm_sense tcm_sbc_range(struct tcm_cmd *cmd);

/* DPO and FUA of the CDB as TCM_IO_*, or a refusal. */
enum tcm_sense tcm_sbc_rw_flags(struct tcm_cmd *cmd, u8 *flags);

/* Set up cmd->io for [pos, pos + len), bytes. */
static inline struct tcm_io *tcm_sbc_io(struct tcm_cmd *cmd, u64 pos, u64 len,
					struct scatterlist *sg, bool write, u16 flags,
					void (*done)(struct tcm_io *io, enum tcm_sense sense))
{
	struct tcm_io *io = &cmd->io;

	io->dev = cmd->dev;
	io->pos = pos;
	io->len = len;
	io->sg = sg;
	io->skip = 0;
	io->write = write;
	io->flags = flags;
	io->bad_pos = U64_MAX;
	io->done = done;
	return io;
}

static inline struct tcm_cmd *tcm_sbc_cmd(struct tcm_io *io)
{
	return container_of(io, struct tcm_cmd, io);
}

/* Add the LBA that failed to the outcome of cmd->io, where the backend knows it. */
enum tcm_sense tcm_sbc_io_sense(struct tcm_cmd *cmd, enum tcm_sense sense);

/*
 * cmd->io, a write and the last of its command, has ended: so does the command, or goes on to what
 * tcm_sbc_left_behind() is about. Any context.
 */
void tcm_sbc_wrote(struct tcm_cmd *cmd, enum tcm_sense sense);

/*
 * FUA on a read: what is returned must be on the medium first (SBC-4, READ). True: it is flushed,
 * and read then; false: there is nothing to flush. Any context that the row allows.
 */
bool tcm_sbc_read_forced(struct tcm_cmd *cmd);

/* io.done of commands that end with their access. */
void tcm_sbc_io_done(struct tcm_io *io, enum tcm_sense sense);

/*
 * Data. A read for which the initiator's buffer has no room is cut, on a copy where
 * it does not end with a block: tcm_sbc_bounce() before, tcm_sbc_unbounce() after.
 */
enum tcm_sense tcm_sbc_bounce(struct tcm_cmd *cmd);
void tcm_sbc_unbounce(struct tcm_cmd *cmd, bool good);

/* A place in a scatterlist whose pages are mapped (there is no highmem on 64 bit) */
struct tcm_sg_pos {
	struct scatterlist *sg;
	u64 off;
};

/* Copy @len bytes; both places move on behind them. */
void tcm_sg_move(struct tcm_sg_pos *to, struct tcm_sg_pos *from, u64 len);
/* The first of @len bytes in which @a and @b, from its byte @skip on, differ; else @len. */
u64 tcm_sg_compare(struct scatterlist *a, struct scatterlist *b, u64 skip, u64 len);
/* The same against @block, @size bytes over and over; @a begins where @block does. */
u64 tcm_sg_compare_block(struct scatterlist *a, const u8 *block, u32 size, u64 len);
/* Or @len bytes of @b, from its byte @skip on, into @a. */
void tcm_sg_or(struct scatterlist *a, struct scatterlist *b, u64 skip, u64 len);

/*
 * Flush the whole device with nobody waiting. False when it could not be begun: then
 * the command that asked for it has to wait. May sleep.
 */
bool tcm_sbc_flush_behind(struct tcm_device *dev, u64 pos, u64 len);
/*
 * WCE went from 1 to 0, and no command is there to wait: who sees that flushes no more, so what is
 * in the cache goes to the medium now. The backend is asked by a work item. May sleep, but never
 * for I/O.
 */
void tcm_sbc_cache_off(struct tcm_device *dev);
/*
 * For who ends a command by what its flush gave: an error is everybody's, and the command's sense.
 * Any context.
 */
enum tcm_sense tcm_sbc_flush_sense(struct tcm_cmd *cmd, enum tcm_sense sense);

/*
 * Stopped: medium access is refused with NOT READY, INITIALIZING COMMAND REQUIRED
 * until a START, or a LOGICAL UNIT RESET. Any context; takes dev->lun_lock.
 */
void tcm_sbc_set_stopped(struct tcm_device *dev, bool stopped);

/* Rests until the next command that needs the unit. Any context; takes dev->lun_lock. */
enum tcm_power {
	TCM_POWER_IS_ACTIVE,
	TCM_POWER_IS_IDLE,
	TCM_POWER_IS_STANDBY,
};

void tcm_sbc_set_power(struct tcm_device *dev, enum tcm_power power);

/* No nexus prevents removal any more: LOGICAL UNIT RESET. Any context; takes dev->lun_lock. */
void tcm_sbc_allow_removal(struct tcm_device *dev);

#endif
