// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rows of the commands of SPC-4. All but TEST UNIT READY may allocate, so they are
 * not inline.
 */
#include "copy.h"
#include "opcode.h"
#include "spc.h"

#define TCM_OP_PR_ANY	(TCM_OP_PR_WE | TCM_OP_PR_EA)
/* Answered whatever the state of nexus and logical unit (SPC-4 5.14.2, 5.15.2.5, 5.15.2.6) */
#define TCM_OP_ANYTIME	(TCM_OP_NO_UA | TCM_OP_NO_LUN | TCM_OP_HOQ | TCM_OP_PR_ANY | \
			 TCM_OP_STANDBY | TCM_OP_UNAVAIL)

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
		.opcode = MODE_SENSE, .name = "MODE SENSE(6)", .cdb_len = 6,
		.dir = DMA_FROM_DEVICE, .xfer = TCM_XFER_BYTES, .len_at = 4, .len_size = 1,
		.flags = TCM_OP_STANDBY,
		.usage = { MODE_SENSE, 0x08, 0xff, 0xff, 0xff },
		.parse = tcm_spc_mode_sense_parse, .exec = tcm_spc_mode_sense,
	}, {
		.opcode = MODE_SELECT_10, .name = "MODE SELECT(10)", .cdb_len = 10,
		.dir = DMA_TO_DEVICE, .xfer = TCM_XFER_BYTES, .len_at = 7, .len_size = 2,
		.flags = TCM_OP_STANDBY,
		.usage = { MODE_SELECT_10, 0x11, 0, 0, 0, 0, 0, 0xff, 0xff },
		.parse = tcm_spc_mode_select_parse, .exec = tcm_spc_mode_select,
	}, {
		.opcode = MODE_SENSE_10, .name = "MODE SENSE(10)", .cdb_len = 10,
		.dir = DMA_FROM_DEVICE, .xfer = TCM_XFER_BYTES, .len_at = 7, .len_size = 2,
		.flags = TCM_OP_STANDBY,
		.usage = { MODE_SENSE_10, 0x18, 0xff, 0xff, 0, 0, 0, 0xff, 0xff },
		.parse = tcm_spc_mode_sense_parse, .exec = tcm_spc_mode_sense,
	}, {
		.opcode = EXTENDED_COPY, .sa_at = TCM_SA_BYTE1, .sa = 0x00,
		.name = "EXTENDED COPY(LID1)", .cdb_len = 16,
		.dir = DMA_TO_DEVICE, .xfer = TCM_XFER_BYTES, .len_at = 10, .len_size = 4,
		.flags = TCM_OP_READY,
		.usage = { EXTENDED_COPY, 0x1f, [10 ... 13] = 0xff },
		.parse = tcm_spc_copy_parse, .exec = tcm_spc_copy, .offered = tcm_spc_copy_offered,
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
		.opcode = REPORT_LUNS, .name = "REPORT LUNS", .cdb_len = 12,
		.dir = DMA_FROM_DEVICE, .xfer = TCM_XFER_BYTES, .len_at = 6, .len_size = 4,
		.flags = TCM_OP_ANYTIME | TCM_OP_PASS,
		.usage = { REPORT_LUNS, 0, 0xff, 0, 0, 0, 0xff, 0xff, 0xff, 0xff },
		.parse = tcm_spc_report_luns_parse, .exec = tcm_spc_report_luns,
	}, {
		.opcode = MAINTENANCE_IN, .sa_at = TCM_SA_BYTE1,
		.sa = MI_REPORT_SUPPORTED_OPERATION_CODES,
		.name = "REPORT SUPPORTED OPERATION CODES", .cdb_len = 12,
		.dir = DMA_FROM_DEVICE, .xfer = TCM_XFER_BYTES, .len_at = 6, .len_size = 4,
		.usage = { MAINTENANCE_IN, 0x1f, 0x87, 0xff, 0xff, 0xff,
			   0xff, 0xff, 0xff, 0xff },
		.parse = tcm_rsoc_parse, .exec = tcm_rsoc, .offered = tcm_rsoc_offered,
	}, {
		.opcode = MAINTENANCE_IN, .sa_at = TCM_SA_BYTE1,
		.sa = MI_REPORT_SUPPORTED_TASK_MANAGEMENT_FUNCTIONS,
		.name = "REPORT SUPPORTED TASK MANAGEMENT FUNCTIONS", .cdb_len = 12,
		.dir = DMA_FROM_DEVICE, .xfer = TCM_XFER_BYTES, .len_at = 6, .len_size = 4,
		.usage = { MAINTENANCE_IN, 0x1f, 0x80, 0, 0, 0, 0xff, 0xff, 0xff, 0xff },
		.parse = tcm_rstmf_parse, .exec = tcm_rstmf,
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
