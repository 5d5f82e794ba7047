/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Commands that come with protection information: their PROTECT field is not zero.
 */
#ifndef _TCM_SBC_PI_H
#define _TCM_SBC_PI_H

#include <tcm/cmd.h>

enum tcm_sense tcm_sbc_pi_rw_parse(struct tcm_cmd *cmd);
enum tcm_sense tcm_sbc_pi_verify_parse(struct tcm_cmd *cmd);
enum tcm_sense tcm_sbc_pi_write_verify_parse(struct tcm_cmd *cmd);
enum tcm_sense tcm_sbc_pi_write_same_parse(struct tcm_cmd *cmd);
enum tcm_sense tcm_sbc_pi_caw_parse(struct tcm_cmd *cmd);
enum tcm_sense tcm_sbc_pi_write_atomic_parse(struct tcm_cmd *cmd);
enum tcm_sense tcm_sbc_pi_read(struct tcm_cmd *cmd);
enum tcm_sense tcm_sbc_pi_write(struct tcm_cmd *cmd);

/*
 * Give the command memory of data alone as cmd->sg, and of tuples alone as cmd->pi.sg, where the
 * fabric has them in one; tcm_cmd_complete() undoes it. TCM_BUSY: no memory. May sleep.
 */
enum tcm_sense tcm_sbc_pi_split(struct tcm_cmd *cmd);
void tcm_sbc_pi_unsplit(struct tcm_cmd *cmd, bool good);

/*
 * tcm_sbc_pi_split() for a command that is to fail as a whole: all of data-out is checked before
 * any of it is used. Where that is more blocks than the CDB names (COMPARE AND WRITE), it is some
 * times those. May sleep.
 */
enum tcm_sense tcm_sbc_pi_take(struct tcm_cmd *cmd);

/* Where byte @off of the data is in data-out, in which a tuple follows each block */
u64 tcm_sbc_pi_offset(const struct tcm_cmd *cmd, u64 off);

/*
 * cmd->io, a read or write, with the protection information of @pi; NULL: the command's. The device
 * need not have any. May sleep.
 */
void tcm_sbc_pi_submit(struct tcm_cmd *cmd, struct tcm_pi_req *pi);

/* cmd->io, with protection information where the command has some: @pi as above. May sleep. */
static inline void tcm_sbc_submit(struct tcm_cmd *cmd, struct tcm_pi_req *pi)
{
	if (cmd->flags & TCM_CMD_PI)
		tcm_sbc_pi_submit(cmd, pi);
	else
		cmd->dev->ops->submit(&cmd->io);
}

/* READ or WRITE of what the CDB says; TCM_IO_* in @flags. May sleep. */
void tcm_sbc_pi_rw(struct tcm_cmd *cmd, bool write, u8 flags);

/* What a VERIFY that compares bytes compares of the protection information: TCM_PI_SAME_* */
u8 tcm_sbc_pi_same(const struct tcm_cmd *cmd);

#endif
