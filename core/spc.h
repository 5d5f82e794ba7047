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

enum tcm_sense tcm_spc_log_sense_parse(struct tcm_cmd *cmd);
enum tcm_sense tcm_spc_log_sense(struct tcm_cmd *cmd);
enum tcm_sense tcm_spc_log_select_parse(struct tcm_cmd *cmd);
enum tcm_sense tcm_spc_log_select(struct tcm_cmd *cmd);

enum tcm_sense tcm_spc_send_diag_parse(struct tcm_cmd *cmd);
enum tcm_sense tcm_spc_send_diag(struct tcm_cmd *cmd);
enum tcm_sense tcm_spc_receive_diag_parse(struct tcm_cmd *cmd);
enum tcm_sense tcm_spc_receive_diag(struct tcm_cmd *cmd);

enum tcm_sense tcm_spc_read_buffer_parse(struct tcm_cmd *cmd);
enum tcm_sense tcm_spc_read_buffer(struct tcm_cmd *cmd);
/* READ BUFFER, WRITE BUFFER: is it one of the modes of the echo buffer? */
bool tcm_spc_buffer_echoes(const struct tcm_cmd *cmd);
enum tcm_sense tcm_spc_write_buffer_parse(struct tcm_cmd *cmd);
enum tcm_sense tcm_spc_write_buffer(struct tcm_cmd *cmd);

enum tcm_sense tcm_spc_report_ident_parse(struct tcm_cmd *cmd);
enum tcm_sense tcm_spc_report_ident(struct tcm_cmd *cmd);
enum tcm_sense tcm_spc_set_ident_parse(struct tcm_cmd *cmd);
enum tcm_sense tcm_spc_set_ident(struct tcm_cmd *cmd);
enum tcm_sense tcm_spc_report_timestamp(struct tcm_cmd *cmd);
enum tcm_sense tcm_spc_set_timestamp_parse(struct tcm_cmd *cmd);
enum tcm_sense tcm_spc_set_timestamp(struct tcm_cmd *cmd);

bool tcm_rsoc_offered(const struct tcm_device *dev);
enum tcm_sense tcm_rsoc_parse(struct tcm_cmd *cmd);
enum tcm_sense tcm_rsoc(struct tcm_cmd *cmd);
enum tcm_sense tcm_rstmf_parse(struct tcm_cmd *cmd);
enum tcm_sense tcm_rstmf(struct tcm_cmd *cmd);

#endif
