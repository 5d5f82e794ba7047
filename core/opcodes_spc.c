// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rows of the commands of SPC-4.
 */
#include "opcode.h"
#include "spc.h"

#define TCM_OP_PR_ANY	(TCM_OP_PR_WE | TCM_OP_PR_EA)
#define TCM_OP_ANYTIME	(TCM_OP_PR_ANY | TCM_OP_STANDBY | TCM_OP_UNAVAIL)

const struct tcm_opcode tcm_ops_spc[] = {
	{
		.opcode = TEST_UNIT_READY, .name = "TEST UNIT READY", .cdb_len = 6,
		.dir = DMA_NONE, .flags = TCM_OP_INLINE | TCM_OP_READY,
		.usage = { TEST_UNIT_READY },
		.exec = tcm_spc_test_unit_ready,
	}, {
		.opcode = REQUEST_SENSE, .name = "REQUEST SENSE", .cdb_len = 6,
		.dir = DMA_FROM_DEVICE, .xfer = TCM_XFER_BYTES, .len_at = 4, .len_size = 1,
		.flags = TCM_OP_NO_UA | TCM_OP_NO_LUN | TCM_OP_HOQ | TCM_OP_ANYTIME,
		.usage = { REQUEST_SENSE, 0x01, 0, 0, 0xff },
		.exec = tcm_spc_request_sense,
	}, {
		.opcode = INQUIRY, .name = "INQUIRY", .cdb_len = 6,
		.dir = DMA_FROM_DEVICE, .xfer = TCM_XFER_BYTES, .len_at = 3, .len_size = 2,
		.flags = TCM_OP_NO_UA | TCM_OP_NO_LUN | TCM_OP_HOQ | TCM_OP_ANYTIME,
		.usage = { INQUIRY, 0x01, 0xff, 0xff, 0xff },
		.exec = tcm_spc_inquiry,
	}, {
		.opcode = REPORT_LUNS, .name = "REPORT LUNS", .cdb_len = 12,
		.dir = DMA_FROM_DEVICE, .xfer = TCM_XFER_BYTES, .len_at = 6, .len_size = 4,
		.flags = TCM_OP_NO_UA | TCM_OP_NO_LUN | TCM_OP_HOQ | TCM_OP_PASS | TCM_OP_ANYTIME,
		.usage = { REPORT_LUNS, 0, 0xff, 0, 0, 0, 0xff, 0xff, 0xff, 0xff },
		.exec = tcm_spc_report_luns,
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
