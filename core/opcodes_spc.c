// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rows of the commands of SPC-4. All but TEST UNIT READY may allocate, so they are
 * not inline.
 */
#include "alua_state.h"
#include "copy.h"
#include "opcode.h"
#include "pr.h"
#include "rod.h"
#include "spc.h"

#define TCM_OP_PR_ANY	(TCM_OP_PR_WE | TCM_OP_PR_EA)
/* Answered whatever the state of nexus and logical unit (SPC-4 5.14.2, 5.15.2.5, 5.15.2.6) */
#define TCM_OP_ANYTIME	(TCM_OP_NO_UA | TCM_OP_NO_LUN | TCM_OP_HOQ | TCM_OP_PR_ANY | \
			 TCM_OP_PR_SPC2 | TCM_OP_STANDBY | TCM_OP_UNAVAIL)
/* Reservations themselves: each service action knows whom it refuses (SPC-4 5.13.1) */
#define TCM_OP_PR_IN	(TCM_OP_PR_ANY | TCM_OP_STANDBY)
#define TCM_OP_PR_OUT	(TCM_OP_PR_REG | TCM_OP_STANDBY)
#define TCM_OP_RELEASE	(TCM_OP_PR_REG | TCM_OP_PR_SPC2 | TCM_OP_STANDBY)
#define TCM_OP_RESERVE	(TCM_OP_PR_REG | TCM_OP_STANDBY)

#define TCM_PRIN_ROW(number, title, fn, where)					\
	{									\
		.opcode = PERSISTENT_RESERVE_IN, .sa_at = TCM_SA_BYTE1, .sa = number,	\
		.name = title, .cdb_len = 10,					\
		.dir = DMA_FROM_DEVICE, .xfer = TCM_XFER_BYTES, .len_at = 7, .len_size = 2, \
		.flags = TCM_OP_PR_IN,						\
		.usage = { PERSISTENT_RESERVE_IN, 0x1f, [7 ... 8] = 0xff },	\
		.exec = fn, .offered = where,					\
	}

#define TCM_PROUT_ROW(number, title, where)					\
	{									\
		.opcode = PERSISTENT_RESERVE_OUT, .sa_at = TCM_SA_BYTE1, .sa = number,	\
		.name = title, .cdb_len = 10,					\
		.dir = DMA_TO_DEVICE, .xfer = TCM_XFER_BYTES, .len_at = 5, .len_size = 4, \
		.flags = TCM_OP_PR_OUT,						\
		.usage = { PERSISTENT_RESERVE_OUT, 0x1f, 0xff, [5 ... 8] = 0xff },	\
		.parse = tcm_pr_out_parse, .exec = tcm_pr_out, .offered = where,	\
	}

/*
 * Byte 1: LOGICAL UNIT NUMBER of SCSI-2. Linux sends it in the INQUIRY that is to tell whether
 * this is such an old device, when the first LUN it looks at is another one than 0.
 */
#define TCM_SCSI2_LUN	0xe0

const struct tcm_opcode tcm_ops_spc[] = {
	{
		.opcode = TEST_UNIT_READY, .name = "TEST UNIT READY", .cdb_len = 6,
		.dir = DMA_NONE, .flags = TCM_OP_INLINE | TCM_OP_READY | TCM_OP_PR_ANY,
		.usage = { TEST_UNIT_READY },
		.exec = tcm_spc_test_unit_ready,
	}, {
		.opcode = REQUEST_SENSE, .name = "REQUEST SENSE", .cdb_len = 6,
		.dir = DMA_FROM_DEVICE, .xfer = TCM_XFER_BYTES, .len_at = 4, .len_size = 1,
		.flags = TCM_OP_ANYTIME | TCM_OP_PASS_UA,
		.usage = { REQUEST_SENSE, 0x01, 0, 0, 0xff },
		.exec = tcm_spc_request_sense,
	}, {
		.opcode = INQUIRY, .name = "INQUIRY", .cdb_len = 6,
		.dir = DMA_FROM_DEVICE, .xfer = TCM_XFER_BYTES, .len_at = 3, .len_size = 2,
		.flags = TCM_OP_ANYTIME,
		.usage = { INQUIRY, 0x01 | TCM_SCSI2_LUN, 0xff, 0xff, 0xff },
		.ignored = TCM_SCSI2_LUN,
		.parse = tcm_spc_inquiry_parse, .exec = tcm_spc_inquiry,
	}, {
		.opcode = MODE_SELECT, .name = "MODE SELECT(6)", .cdb_len = 6,
		.dir = DMA_TO_DEVICE, .xfer = TCM_XFER_BYTES, .len_at = 4, .len_size = 1,
		.flags = TCM_OP_STANDBY,
		.usage = { MODE_SELECT, 0x11, 0, 0, 0xff },
		.parse = tcm_spc_mode_select_parse, .exec = tcm_spc_mode_select,
	}, {
		.opcode = RESERVE, .name = "RESERVE(6)", .cdb_len = 6,
		.dir = DMA_NONE, .flags = TCM_OP_RESERVE,
		.usage = { RESERVE },
		.exec = tcm_pr_spc2_reserve, .offered = tcm_pr_offered,
	}, {
		.opcode = RELEASE, .name = "RELEASE(6)", .cdb_len = 6,
		.dir = DMA_NONE, .flags = TCM_OP_RELEASE,
		.usage = { RELEASE },
		.exec = tcm_pr_spc2_release, .offered = tcm_pr_offered,
	}, {
		.opcode = MODE_SENSE, .name = "MODE SENSE(6)", .cdb_len = 6,
		.dir = DMA_FROM_DEVICE, .xfer = TCM_XFER_BYTES, .len_at = 4, .len_size = 1,
		.flags = TCM_OP_STANDBY | TCM_OP_PR_WE,
		.usage = { MODE_SENSE, 0x08, 0xff, 0xff, 0xff },
		.parse = tcm_spc_mode_sense_parse, .exec = tcm_spc_mode_sense,
	}, {
		.opcode = RECEIVE_DIAGNOSTIC, .name = "RECEIVE DIAGNOSTIC RESULTS", .cdb_len = 6,
		.dir = DMA_FROM_DEVICE, .xfer = TCM_XFER_BYTES, .len_at = 3, .len_size = 2,
		.flags = TCM_OP_STANDBY,
		.usage = { RECEIVE_DIAGNOSTIC, 0x01, 0xff, 0xff, 0xff },
		.parse = tcm_spc_receive_diag_parse, .exec = tcm_spc_receive_diag,
	}, {
		.opcode = SEND_DIAGNOSTIC, .name = "SEND DIAGNOSTIC", .cdb_len = 6,
		.dir = DMA_TO_DEVICE, .xfer = TCM_XFER_BYTES, .len_at = 3, .len_size = 2,
		.flags = TCM_OP_READY | TCM_OP_STANDBY,
		.usage = { SEND_DIAGNOSTIC, 0xf7, 0, 0xff, 0xff },
		.parse = tcm_spc_send_diag_parse, .exec = tcm_spc_send_diag,
	}, {
		.opcode = WRITE_BUFFER, .name = "WRITE BUFFER", .cdb_len = 10,
		.dir = DMA_TO_DEVICE, .xfer = TCM_XFER_BYTES, .len_at = 6, .len_size = 3,
		.flags = TCM_OP_STANDBY,
		.usage = { WRITE_BUFFER, 0x1f, [2 ... 8] = 0xff },
		.parse = tcm_spc_write_buffer_parse, .exec = tcm_spc_write_buffer,
		.unavail_allowed = tcm_spc_buffer_echoes,
	}, {
		.opcode = READ_BUFFER, .name = "READ BUFFER(10)", .cdb_len = 10,
		.dir = DMA_FROM_DEVICE, .xfer = TCM_XFER_BYTES, .len_at = 6, .len_size = 3,
		.flags = TCM_OP_STANDBY,
		.usage = { READ_BUFFER, 0x1f, [2 ... 8] = 0xff },
		.parse = tcm_spc_read_buffer_parse, .exec = tcm_spc_read_buffer,
		.unavail_allowed = tcm_spc_buffer_echoes,
	}, {
		.opcode = LOG_SELECT, .name = "LOG SELECT", .cdb_len = 10,
		.dir = DMA_TO_DEVICE, .xfer = TCM_XFER_BYTES, .len_at = 7, .len_size = 2,
		.flags = TCM_OP_STANDBY,
		.usage = { LOG_SELECT, 0x02, 0xff, 0xff, 0, 0, 0, 0xff, 0xff },
		.parse = tcm_spc_log_select_parse, .exec = tcm_spc_log_select,
	}, {
		.opcode = LOG_SENSE, .name = "LOG SENSE", .cdb_len = 10,
		.dir = DMA_FROM_DEVICE, .xfer = TCM_XFER_BYTES, .len_at = 7, .len_size = 2,
		.flags = TCM_OP_STANDBY | TCM_OP_PR_WE | TCM_OP_PR_EA | TCM_OP_PR_SPC2,
		.usage = { LOG_SENSE, 0, 0xff, 0xff, 0, 0xff, 0xff, 0xff, 0xff },
		.parse = tcm_spc_log_sense_parse, .exec = tcm_spc_log_sense,
	}, {
		.opcode = MODE_SELECT_10, .name = "MODE SELECT(10)", .cdb_len = 10,
		.dir = DMA_TO_DEVICE, .xfer = TCM_XFER_BYTES, .len_at = 7, .len_size = 2,
		.flags = TCM_OP_STANDBY,
		.usage = { MODE_SELECT_10, 0x11, 0, 0, 0, 0, 0, 0xff, 0xff },
		.parse = tcm_spc_mode_select_parse, .exec = tcm_spc_mode_select,
	}, {
		.opcode = RESERVE_10, .name = "RESERVE(10)", .cdb_len = 10,
		.dir = DMA_NONE, .flags = TCM_OP_RESERVE,
		.usage = { RESERVE_10 },
		.exec = tcm_pr_spc2_reserve, .offered = tcm_pr_offered,
	}, {
		.opcode = RELEASE_10, .name = "RELEASE(10)", .cdb_len = 10,
		.dir = DMA_NONE, .flags = TCM_OP_RELEASE,
		.usage = { RELEASE_10 },
		.exec = tcm_pr_spc2_release, .offered = tcm_pr_offered,
	}, {
		.opcode = MODE_SENSE_10, .name = "MODE SENSE(10)", .cdb_len = 10,
		.dir = DMA_FROM_DEVICE, .xfer = TCM_XFER_BYTES, .len_at = 7, .len_size = 2,
		.flags = TCM_OP_STANDBY | TCM_OP_PR_WE,
		.usage = { MODE_SENSE_10, 0x18, 0xff, 0xff, 0, 0, 0, 0xff, 0xff },
		.parse = tcm_spc_mode_sense_parse, .exec = tcm_spc_mode_sense,
	},
	TCM_PRIN_ROW(0x00, "PERSISTENT RESERVE IN, READ KEYS", tcm_pr_read_keys,
		     tcm_pr_keys_offered),
	TCM_PRIN_ROW(0x01, "PERSISTENT RESERVE IN, READ RESERVATION", tcm_pr_read_reservation,
		     tcm_pr_holder_offered),
	TCM_PRIN_ROW(0x02, "PERSISTENT RESERVE IN, REPORT CAPABILITIES",
		     tcm_pr_report_capabilities, tcm_pr_either_offered),
	TCM_PRIN_ROW(0x03, "PERSISTENT RESERVE IN, READ FULL STATUS", tcm_pr_read_full_status,
		     tcm_pr_offered),
	TCM_PROUT_ROW(TCM_PR_REGISTER, "PERSISTENT RESERVE OUT, REGISTER", tcm_pr_either_offered),
	TCM_PROUT_ROW(TCM_PR_RESERVE, "PERSISTENT RESERVE OUT, RESERVE", tcm_pr_either_offered),
	TCM_PROUT_ROW(TCM_PR_RELEASE, "PERSISTENT RESERVE OUT, RELEASE", tcm_pr_either_offered),
	TCM_PROUT_ROW(TCM_PR_CLEAR, "PERSISTENT RESERVE OUT, CLEAR", tcm_pr_either_offered),
	TCM_PROUT_ROW(TCM_PR_PREEMPT, "PERSISTENT RESERVE OUT, PREEMPT", tcm_pr_either_offered),
	TCM_PROUT_ROW(TCM_PR_PREEMPT_AND_ABORT, "PERSISTENT RESERVE OUT, PREEMPT AND ABORT",
		      tcm_pr_either_offered),
	TCM_PROUT_ROW(TCM_PR_REGISTER_AND_IGNORE,
		      "PERSISTENT RESERVE OUT, REGISTER AND IGNORE EXISTING KEY",
		      tcm_pr_either_offered),
	TCM_PROUT_ROW(TCM_PR_REGISTER_AND_MOVE, "PERSISTENT RESERVE OUT, REGISTER AND MOVE",
		      tcm_pr_offered),
	TCM_PROUT_ROW(TCM_PR_REPLACE_LOST, "PERSISTENT RESERVE OUT, REPLACE LOST RESERVATION",
		      tcm_pr_offered),
	{
		.opcode = EXTENDED_COPY, .sa_at = TCM_SA_BYTE1, .sa = TCM_SA_COPY_LID1,
		.name = "EXTENDED COPY(LID1)", .cdb_len = 16,
		.dir = DMA_TO_DEVICE, .xfer = TCM_XFER_BYTES, .len_at = 10, .len_size = 4,
		.flags = TCM_OP_READY,
		.usage = { EXTENDED_COPY, 0x1f, [10 ... 13] = 0xff },
		.parse = tcm_spc_copy_parse, .exec = tcm_spc_copy, .offered = tcm_spc_copy_offered,
	}, {
		.opcode = EXTENDED_COPY, .sa_at = TCM_SA_BYTE1, .sa = TCM_SA_COPY_LID4,
		.name = "EXTENDED COPY(LID4)", .cdb_len = 16,
		.dir = DMA_TO_DEVICE, .xfer = TCM_XFER_BYTES, .len_at = 10, .len_size = 4,
		.flags = TCM_OP_READY,
		.usage = { EXTENDED_COPY, 0x1f, [10 ... 13] = 0xff },
		.parse = tcm_spc_copy_parse, .exec = tcm_spc_copy, .offered = tcm_spc_copy_offered,
	}, {
		.opcode = EXTENDED_COPY, .sa_at = TCM_SA_BYTE1, .sa = TCM_SA_POPULATE_TOKEN,
		.name = "POPULATE TOKEN", .cdb_len = 16,
		.dir = DMA_TO_DEVICE, .xfer = TCM_XFER_BYTES, .len_at = 10, .len_size = 4,
		.flags = TCM_OP_READY | TCM_OP_PR_WE | TCM_OP_GROUP,
		.usage = { EXTENDED_COPY, 0x1f, [6 ... 13] = 0xff },
		.parse = tcm_sbc_token_parse, .exec = tcm_sbc_populate_token,
		.offered = tcm_spc_copy_offered,
	}, {
		.opcode = EXTENDED_COPY, .sa_at = TCM_SA_BYTE1, .sa = TCM_SA_WRITE_USING_TOKEN,
		.name = "WRITE USING TOKEN", .cdb_len = 16,
		.dir = DMA_TO_DEVICE, .xfer = TCM_XFER_BYTES, .len_at = 10, .len_size = 4,
		.flags = TCM_OP_READY | TCM_OP_WRITES | TCM_OP_GROUP,
		.usage = { EXTENDED_COPY, 0x1f, [6 ... 13] = 0xff },
		.parse = tcm_sbc_token_parse, .exec = tcm_sbc_write_using_token,
		.offered = tcm_spc_copy_offered,
	}, {
		.opcode = EXTENDED_COPY, .sa_at = TCM_SA_BYTE1, .sa = TCM_SA_COPY_ABORT,
		.name = "COPY OPERATION ABORT", .cdb_len = 16, .dir = DMA_NONE,
		.usage = { EXTENDED_COPY, 0x1f, [2 ... 5] = 0xff },
		.exec = tcm_spc_copy_abort, .offered = tcm_spc_copy_offered,
	}, {
		.opcode = RECEIVE_COPY_RESULTS, .sa_at = TCM_SA_BYTE1, .sa = 0x00,
		.name = "RECEIVE COPY STATUS(LID1)", .cdb_len = 16,
		.dir = DMA_FROM_DEVICE, .xfer = TCM_XFER_BYTES, .len_at = 10, .len_size = 4,
		.usage = { RECEIVE_COPY_RESULTS, 0x1f, 0xff, [10 ... 13] = 0xff },
		.exec = tcm_spc_copy_status, .offered = tcm_spc_copy_offered,
	}, {
		.opcode = RECEIVE_COPY_RESULTS, .sa_at = TCM_SA_BYTE1, .sa = 0x03,
		.name = "RECEIVE COPY OPERATING PARAMETERS", .cdb_len = 16,
		.dir = DMA_FROM_DEVICE, .xfer = TCM_XFER_BYTES, .len_at = 10, .len_size = 4,
		.usage = { RECEIVE_COPY_RESULTS, 0x1f, [10 ... 13] = 0xff },
		.exec = tcm_spc_copy_params, .offered = tcm_spc_copy_offered,
	}, {
		.opcode = RECEIVE_COPY_RESULTS, .sa_at = TCM_SA_BYTE1, .sa = 0x05,
		.name = "RECEIVE COPY STATUS(LID4)", .cdb_len = 16,
		.dir = DMA_FROM_DEVICE, .xfer = TCM_XFER_BYTES, .len_at = 10, .len_size = 4,
		.usage = { RECEIVE_COPY_RESULTS, 0x1f, [2 ... 5] = 0xff, [10 ... 13] = 0xff },
		.exec = tcm_spc_copy_status4, .offered = tcm_spc_copy_offered,
	}, {
		.opcode = RECEIVE_COPY_RESULTS, .sa_at = TCM_SA_BYTE1, .sa = 0x07,
		.name = "RECEIVE ROD TOKEN INFORMATION", .cdb_len = 16,
		.dir = DMA_FROM_DEVICE, .xfer = TCM_XFER_BYTES, .len_at = 10, .len_size = 4,
		.usage = { RECEIVE_COPY_RESULTS, 0x1f, [2 ... 5] = 0xff, [10 ... 13] = 0xff },
		.exec = tcm_spc_copy_rod_info, .offered = tcm_spc_copy_offered,
	}, {
		.opcode = RECEIVE_COPY_RESULTS, .sa_at = TCM_SA_BYTE1, .sa = 0x08,
		.name = "REPORT ALL ROD TOKENS", .cdb_len = 16,
		.dir = DMA_FROM_DEVICE, .xfer = TCM_XFER_BYTES, .len_at = 10, .len_size = 4,
		.usage = { RECEIVE_COPY_RESULTS, 0x1f, [10 ... 13] = 0xff },
		.exec = tcm_sbc_report_tokens, .offered = tcm_spc_copy_offered,
	}, {
		.opcode = REPORT_LUNS, .name = "REPORT LUNS", .cdb_len = 12,
		.dir = DMA_FROM_DEVICE, .xfer = TCM_XFER_BYTES, .len_at = 6, .len_size = 4,
		.flags = TCM_OP_ANYTIME | TCM_OP_PASS,
		.usage = { REPORT_LUNS, 0, 0xff, 0, 0, 0, 0xff, 0xff, 0xff, 0xff },
		.parse = tcm_spc_report_luns_parse, .exec = tcm_spc_report_luns,
	}, {
		.opcode = MAINTENANCE_IN, .sa_at = TCM_SA_BYTE1,
		.sa = MI_REPORT_IDENTIFYING_INFORMATION,
		.name = "REPORT IDENTIFYING INFORMATION", .cdb_len = 12,
		.dir = DMA_FROM_DEVICE, .xfer = TCM_XFER_BYTES, .len_at = 6, .len_size = 4,
		.flags = TCM_OP_PR_WE | TCM_OP_PR_EA | TCM_OP_STANDBY,
		.usage = { MAINTENANCE_IN, 0x1f, [6 ... 9] = 0xff, 0xfe },
		.parse = tcm_spc_report_ident_parse, .exec = tcm_spc_report_ident,
	}, {
		.opcode = MAINTENANCE_IN, .sa_at = TCM_SA_BYTE1, .sa = MI_REPORT_TARGET_PGS,
		.name = "REPORT TARGET PORT GROUPS", .cdb_len = 12,
		.dir = DMA_FROM_DEVICE, .xfer = TCM_XFER_BYTES, .len_at = 6, .len_size = 4,
		.flags = TCM_OP_PR_ANY | TCM_OP_STANDBY | TCM_OP_UNAVAIL,
		.usage = { MAINTENANCE_IN, 0xff, [6 ... 9] = 0xff },
		.parse = tcm_rtpg_parse, .exec = tcm_rtpg, .offered = tcm_alua_offered,
	}, {
		.opcode = MAINTENANCE_IN, .sa_at = TCM_SA_BYTE1,
		.sa = MI_REPORT_SUPPORTED_OPERATION_CODES,
		.name = "REPORT SUPPORTED OPERATION CODES", .cdb_len = 12,
		.flags = TCM_OP_PR_WE,
		.dir = DMA_FROM_DEVICE, .xfer = TCM_XFER_BYTES, .len_at = 6, .len_size = 4,
		.usage = { MAINTENANCE_IN, 0x1f, 0x87, 0xff, 0xff, 0xff,
			   0xff, 0xff, 0xff, 0xff },
		.parse = tcm_rsoc_parse, .exec = tcm_rsoc, .offered = tcm_rsoc_offered,
	}, {
		.opcode = MAINTENANCE_IN, .sa_at = TCM_SA_BYTE1,
		.sa = MI_REPORT_SUPPORTED_TASK_MANAGEMENT_FUNCTIONS,
		.name = "REPORT SUPPORTED TASK MANAGEMENT FUNCTIONS", .cdb_len = 12,
		.flags = TCM_OP_PR_WE,
		.dir = DMA_FROM_DEVICE, .xfer = TCM_XFER_BYTES, .len_at = 6, .len_size = 4,
		.usage = { MAINTENANCE_IN, 0x1f, 0x80, 0, 0, 0, 0xff, 0xff, 0xff, 0xff },
		.parse = tcm_rstmf_parse, .exec = tcm_rstmf,
	}, {
		.opcode = MAINTENANCE_IN, .sa_at = TCM_SA_BYTE1, .sa = MI_REPORT_TIMESTAMP,
		.name = "REPORT TIMESTAMP", .cdb_len = 12,
		.dir = DMA_FROM_DEVICE, .xfer = TCM_XFER_BYTES, .len_at = 6, .len_size = 4,
		.flags = TCM_OP_PR_WE | TCM_OP_PR_EA | TCM_OP_STANDBY,
		.usage = { MAINTENANCE_IN, 0x1f, [6 ... 9] = 0xff },
		.exec = tcm_spc_report_timestamp,
	}, {
		.opcode = MAINTENANCE_OUT, .sa_at = TCM_SA_BYTE1,
		.sa = MO_SET_IDENTIFYING_INFORMATION,
		.name = "SET IDENTIFYING INFORMATION", .cdb_len = 12,
		.dir = DMA_TO_DEVICE, .xfer = TCM_XFER_BYTES, .len_at = 6, .len_size = 4,
		.flags = TCM_OP_STANDBY,
		.usage = { MAINTENANCE_OUT, 0x1f, [6 ... 9] = 0xff, 0xfe },
		.parse = tcm_spc_set_ident_parse, .exec = tcm_spc_set_ident,
	}, {
		.opcode = MAINTENANCE_OUT, .sa_at = TCM_SA_BYTE1, .sa = MO_SET_TARGET_PGS,
		.name = "SET TARGET PORT GROUPS", .cdb_len = 12,
		.dir = DMA_TO_DEVICE, .xfer = TCM_XFER_BYTES, .len_at = 6, .len_size = 4,
		.flags = TCM_OP_STANDBY | TCM_OP_UNAVAIL,
		.usage = { MAINTENANCE_OUT, 0x1f, [6 ... 9] = 0xff },
		.parse = tcm_stpg_parse, .exec = tcm_stpg, .offered = tcm_alua_offered,
	}, {
		.opcode = MAINTENANCE_OUT, .sa_at = TCM_SA_BYTE1, .sa = MO_SET_TIMESTAMP,
		.name = "SET TIMESTAMP", .cdb_len = 12,
		.dir = DMA_TO_DEVICE, .xfer = TCM_XFER_BYTES, .len_at = 6, .len_size = 4,
		.flags = TCM_OP_STANDBY,
		.usage = { MAINTENANCE_OUT, 0x1f, [6 ... 9] = 0xff },
		.parse = tcm_spc_set_timestamp_parse, .exec = tcm_spc_set_timestamp,
	},
};

const unsigned int tcm_ops_spc_count = ARRAY_SIZE(tcm_ops_spc);

/* Pass-through: no length, no bits; the device judges. */
static enum tcm_sense tcm_op_pass(struct tcm_cmd *cmd)
{
	cmd->dev->ops->pass(cmd);
	return TCM_PENDING;
}

const struct tcm_opcode tcm_op_passthru = {
	.name = "pass-through", .cdb_len = 1, .dir = DMA_BIDIRECTIONAL,
	.flags = TCM_OP_PASSTHRU, .usage = { 0xff }, .exec = tcm_op_pass,
};
