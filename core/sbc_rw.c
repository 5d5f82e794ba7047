// SPDX-License-Identifier: GPL-2.0-only
/*
 * READ and WRITE (SBC-4), and what every medium access shares.
 */
#include "hop.h"
#include "opcode.h"
#include "sbc.h"
#include "sbc_pi.h"

#define TCM_CDB1_DPO	0x10
#define TCM_CDB1_FUA	0x08

enum tcm_sense tcm_sbc_range(struct tcm_cmd *cmd)
{
	u64 nblocks = READ_ONCE(cmd->dev->nblocks);

	if (likely(cmd->lba < nblocks && cmd->nblocks <= nblocks - cmd->lba))
		return TCM_OK;
	/* Nothing is accessed right behind the last block: no error, as after every other. */
	if (cmd->lba == nblocks && !cmd->nblocks)
		return TCM_OK;
	return tcm_sense_info(cmd, TCM_LBA_OUT_OF_RANGE, max(cmd->lba, nblocks));
}

enum tcm_sense tcm_sbc_io_sense(struct tcm_cmd *cmd, enum tcm_sense sense)
{
	if (likely(!sense) || cmd->io.bad_pos == U64_MAX ||
	    tcm_sense_status(sense) != SAM_STAT_CHECK_CONDITION || sense == TCM_RAW_SENSE)
		return sense;
	return tcm_sense_info(cmd, sense, cmd->io.bad_pos >> cmd->dev->block_shift);
}

void tcm_sbc_io_done(struct tcm_io *io, enum tcm_sense sense)
{
	struct tcm_cmd *cmd = tcm_sbc_cmd(io);

	if (tcm_sbc_left_behind(io))
		tcm_sbc_wrote(cmd, sense);
	else
		tcm_cmd_complete(cmd, tcm_sbc_io_sense(cmd, sense));
}

static void tcm_sbc_rw(struct tcm_cmd *cmd, bool write, u16 flags)
{
	struct tcm_device *dev = cmd->dev;
	u8 shift = dev->block_shift;

	if (cmd->flags & TCM_CMD_HOPPED)
		flags |= TCM_IO_MAY_WAIT;
	else if (cmd->flags & TCM_CMD_NOWAIT)
		flags |= TCM_IO_NOWAIT;
	dev->ops->submit(tcm_sbc_io(cmd, cmd->lba << shift, (u64)cmd->nblocks << shift, cmd->sg,
				    write, flags, tcm_sbc_io_done));
}

static __always_inline enum tcm_sense tcm_sbc_flags_at(struct tcm_cmd *cmd, unsigned int at,
						       u8 *flags)
{
	/* The six byte commands have an LBA in byte 1. */
	u8 bits = cmd->op->cdb_len > 6 ? cmd->cdb[at] & (TCM_CDB1_DPO | TCM_CDB1_FUA) : 0;

	*flags = 0;
	if (likely(!bits))
		return TCM_OK;
	if (bits & TCM_CDB1_DPO)
		*flags |= TCM_IO_DPO;
	if (bits & TCM_CDB1_FUA) {
		if (!cmd->dev->attr.emulate_fua_write)
			return tcm_bad_cdb(cmd, at, 3);
		*flags |= TCM_IO_FUA;
	}
	return TCM_OK;
}

enum tcm_sense tcm_sbc_rw_flags(struct tcm_cmd *cmd, u8 *flags)
{
	return tcm_sbc_flags_at(cmd, tcm_sbc_bits_at(cmd), flags);
}

#define TCM_ADDITIONAL_CDB_LENGTH_AT	7

enum tcm_sense tcm_sbc_long_parse(struct tcm_cmd *cmd)
{
	if (cmd->cdb[TCM_ADDITIONAL_CDB_LENGTH_AT] != TCM_LONG_CDB - 8)
		return tcm_bad_cdb(cmd, TCM_ADDITIONAL_CDB_LENGTH_AT, -1);
	return TCM_OK;
}

static void tcm_sbc_read_flushed_resume(struct tcm_cmd *cmd)
{
	/* Nothing was read: nothing is copied to the initiator. */
	if (tcm_cmd_is_unwanted(cmd))
		tcm_cmd_complete(cmd, TCM_TASK_ABORTED);
	else if (cmd->flags & TCM_CMD_PI)
		tcm_sbc_pi_rw(cmd, false, 0);
	else
		tcm_sbc_rw(cmd, false, 0);
}

static void tcm_sbc_read_flushed(struct tcm_io *io, enum tcm_sense sense)
{
	struct tcm_cmd *cmd = tcm_sbc_cmd(io);

	sense = tcm_sbc_flush_sense(cmd, sense);
	if (sense)
		tcm_cmd_complete(cmd, sense);
	else
		tcm_hop_queue(cmd, tcm_sbc_read_flushed_resume);
}

static void tcm_sbc_read_flush(struct tcm_cmd *cmd)
{
	u8 shift = cmd->dev->block_shift;

	cmd->dev->ops->flush(tcm_sbc_io(cmd, cmd->lba << shift, (u64)cmd->nblocks << shift, NULL,
					true, 0, tcm_sbc_read_flushed));
}

bool tcm_sbc_read_forced(struct tcm_cmd *cmd)
{
	if (!cmd->dev->limits.write_cache || !cmd->dev->ops->flush)
		return false;
	if (cmd->flags & TCM_CMD_NOWAIT)
		tcm_hop_queue(cmd, tcm_sbc_read_flush);
	else
		tcm_sbc_read_flush(cmd);
	return true;
}

static __always_inline enum tcm_sense tcm_sbc_do_read(struct tcm_cmd *cmd, unsigned int at)
{
	enum tcm_sense sense;
	u8 flags;

	sense = tcm_sbc_range(cmd);
	if (unlikely(sense))
		return sense;
	sense = tcm_sbc_flags_at(cmd, at, &flags);
	if (unlikely(sense))
		return sense;
	if (unlikely(!cmd->nblocks))
		return TCM_OK;
	if (likely(!(flags & TCM_IO_FUA) || !tcm_sbc_read_forced(cmd)))
		tcm_sbc_rw(cmd, false, flags & ~TCM_IO_FUA);
	return TCM_PENDING;
}

enum tcm_sense tcm_sbc_read(struct tcm_cmd *cmd)
{
	return tcm_sbc_do_read(cmd, 1);
}

enum tcm_sense tcm_sbc_read_long(struct tcm_cmd *cmd)
{
	return tcm_sbc_do_read(cmd, 10);
}

static __always_inline enum tcm_sense tcm_sbc_do_write(struct tcm_cmd *cmd, unsigned int at)
{
	enum tcm_sense sense;
	u8 flags;

	sense = tcm_sbc_range(cmd);
	if (unlikely(sense))
		return sense;
	sense = tcm_sbc_flags_at(cmd, at, &flags);
	if (unlikely(sense))
		return sense;
	if (unlikely(!cmd->nblocks))
		return TCM_OK;
	tcm_sbc_rw(cmd, true, flags | tcm_sbc_write_through(cmd->dev));
	return TCM_PENDING;
}

enum tcm_sense tcm_sbc_write(struct tcm_cmd *cmd)
{
	return tcm_sbc_do_write(cmd, 1);
}

enum tcm_sense tcm_sbc_write_long(struct tcm_cmd *cmd)
{
	return tcm_sbc_do_write(cmd, 10);
}

/* SEEK and REZERO UNIT have been obsolete since SBC-2; some still send them. */
enum tcm_sense tcm_sbc_seek(struct tcm_cmd *cmd)
{
	return tcm_sbc_range(cmd);
}
