// SPDX-License-Identifier: GPL-2.0-only
/*
 * READ and WRITE (SBC-4 5.13 ff, 5.41 ff).
 */
#include <tcm/backend.h>
#include "opcode.h"
#include "sbc.h"

#define TCM_CDB1_DPO	0x10
#define TCM_CDB1_FUA	0x08

enum tcm_sense tcm_sbc_range(struct tcm_cmd *cmd)
{
	u64 nblocks = READ_ONCE(cmd->dev->nblocks);

	if (likely(cmd->lba < nblocks && cmd->nblocks <= nblocks - cmd->lba))
		return TCM_OK;
	/* No block is addressed, but the LBA has to exist (SBC-4 4.5). */
	if (cmd->lba == nblocks && !cmd->nblocks)
		return TCM_OK;
	return tcm_sense_info(cmd, TCM_LBA_OUT_OF_RANGE, max(cmd->lba, nblocks));
}

static void tcm_sbc_rw_done(struct tcm_io *io, enum tcm_sense sense)
{
	struct tcm_cmd *cmd = container_of(io, struct tcm_cmd, io);

	if (unlikely(sense && io->bad_pos != U64_MAX && !(sense & (1 << 24))))
		sense = tcm_sense_info(cmd, sense, io->bad_pos >> cmd->dev->block_shift);
	tcm_cmd_complete(cmd, sense);
}

static enum tcm_sense tcm_sbc_rw(struct tcm_cmd *cmd, bool write)
{
	struct tcm_device *dev = cmd->dev;
	struct tcm_io *io = &cmd->io;
	u8 flags = cmd->op->cdb_len > 6 ? cmd->cdb[1] : 0;
	enum tcm_sense sense;

	sense = tcm_sbc_range(cmd);
	if (unlikely(sense))
		return sense;
	if (unlikely(!cmd->nblocks))
		return TCM_OK;

	io->dev = dev;
	io->pos = cmd->lba << dev->block_shift;
	io->len = (u64)cmd->nblocks << dev->block_shift;
	io->sg = cmd->sg;
	io->skip = 0;
	io->write = write;
	io->flags = 0;
	io->bad_pos = U64_MAX;
	io->done = tcm_sbc_rw_done;
	if (unlikely(flags & (TCM_CDB1_DPO | TCM_CDB1_FUA))) {
		if (flags & TCM_CDB1_DPO)
			io->flags |= TCM_IO_DPO;
		if (flags & TCM_CDB1_FUA) {
			if (!dev->attr.emulate_fua_write)
				return tcm_bad_cdb(cmd, 1, 3);
			io->flags |= TCM_IO_FUA;
		}
	}
	dev->ops->submit(io);
	return TCM_PENDING;
}

enum tcm_sense tcm_sbc_read(struct tcm_cmd *cmd)
{
	return tcm_sbc_rw(cmd, false);
}

enum tcm_sense tcm_sbc_write(struct tcm_cmd *cmd)
{
	return tcm_sbc_rw(cmd, true);
}
