/* SPDX-License-Identifier: GPL-2.0-only */
/* What the rows of core/opcodes_sbc.c execute. */
#ifndef _TCM_SBC_H
#define _TCM_SBC_H

#include <tcm/cmd.h>

enum tcm_sense tcm_sbc_read(struct tcm_cmd *cmd);
enum tcm_sense tcm_sbc_write(struct tcm_cmd *cmd);
enum tcm_sense tcm_sbc_read_capacity10(struct tcm_cmd *cmd);
enum tcm_sense tcm_sbc_read_capacity16(struct tcm_cmd *cmd);

/* Is [lba, lba + nblocks) on the medium? Else the sense, with the first LBA that is not. */
enum tcm_sense tcm_sbc_range(struct tcm_cmd *cmd);

#endif
