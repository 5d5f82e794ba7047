/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Command life inside the core.
 */
#ifndef _TCM_CORE_CMD_H
#define _TCM_CORE_CMD_H

#include <tcm/cmd.h>

/*
 * Mark a command aborted. @seen is the state word the caller decided on; a slot
 * that has been reused since is left alone. Return: whether it was marked; then the
 * command, whenever it ends, is not answered (or with TASK ABORTED when @tas).
 */
bool tcm_cmd_abort(struct tcm_cmd *cmd, int seen, bool tas);

/*
 * Data for rows that compute their answer. tcm_cmd_put_data() copies @len bytes to
 * the data buffer, as many as allocation length and initiator allow, and sets what
 * moved; tcm_cmd_get_data() fetches up to @len bytes of parameter list and returns how many
 * there are.
 */
void tcm_cmd_put_data(struct tcm_cmd *cmd, const void *buf, unsigned int len);
unsigned int tcm_cmd_get_data(struct tcm_cmd *cmd, void *buf, unsigned int len);

/* REPORT LUNS and friends address no device: is this the LUN 0 that everybody sees? */
u64 tcm_lun_unpack(const struct scsi_lun *lun);
#define TCM_LUN_NONE	U64_MAX

#endif
