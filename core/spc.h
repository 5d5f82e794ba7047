/* SPDX-License-Identifier: GPL-2.0-only */
/* What the rows of core/opcodes_spc.c execute. */
#ifndef _TCM_SPC_H
#define _TCM_SPC_H

#include <tcm/cmd.h>

enum tcm_sense tcm_spc_inquiry_parse(struct tcm_cmd *cmd);
enum tcm_sense tcm_spc_inquiry(struct tcm_cmd *cmd);

enum tcm_sense tcm_spc_test_unit_ready(struct tcm_cmd *cmd);
enum tcm_sense tcm_spc_request_sense(struct tcm_cmd *cmd);
enum tcm_sense tcm_spc_report_luns_parse(struct tcm_cmd *cmd);
enum tcm_sense tcm_spc_report_luns(struct tcm_cmd *cmd);

enum tcm_sense tcm_spc_mode_sense_parse(struct tcm_cmd *cmd);
enum tcm_sense tcm_spc_mode_sense(struct tcm_cmd *cmd);
enum tcm_sense tcm_spc_mode_select_parse(struct tcm_cmd *cmd);
enum tcm_sense tcm_spc_mode_select(struct tcm_cmd *cmd);

bool tcm_rsoc_offered(const struct tcm_device *dev);
enum tcm_sense tcm_rsoc_parse(struct tcm_cmd *cmd);
enum tcm_sense tcm_rsoc(struct tcm_cmd *cmd);
enum tcm_sense tcm_rstmf_parse(struct tcm_cmd *cmd);
enum tcm_sense tcm_rstmf(struct tcm_cmd *cmd);

#endif
