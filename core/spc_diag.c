// SPDX-License-Identifier: GPL-2.0-only
/*
 * SEND DIAGNOSTIC and RECEIVE DIAGNOSTIC RESULTS (SPC-4). There is one diagnostic
 * page, the list of pages.
 */
#include <linux/unaligned.h>
#include "cmd.h"
#include "lu.h"
#include "opcode.h"
#include "spc.h"

/* SEND DIAGNOSTIC, byte 1; DEVOFFL and UNITOFFL allow what no test here does */
#define TCM_DIAG_CODE_SHIFT	5
#define TCM_DIAG_PF		0x10
#define TCM_DIAG_SELFTEST	0x04
#define TCM_DIAG_PCV		0x01	/* RECEIVE DIAGNOSTIC RESULTS, byte 1 */

enum tcm_sense tcm_spc_send_diag_parse(struct tcm_cmd *cmd)
{
	u8 code = cmd->cdb[1] >> TCM_DIAG_CODE_SHIFT;
	bool test = cmd->cdb[1] & TCM_DIAG_SELFTEST;

	if ((test && code) || code == 3 || code == 7)
		return tcm_bad_cdb(cmd, 1, 7);
	if ((test || code) && cmd->data_len)
		return tcm_bad_cdb(cmd, 3, -1);
	/* Parameters that are not pages are nobody's */
	if (cmd->data_len && !(cmd->cdb[1] & TCM_DIAG_PF))
		return tcm_bad_cdb(cmd, 1, 4);
	return TCM_OK;
}

/* The list of pages, as it is sent and as it is told: page code 00h. Sent, it has no codes. */
static enum tcm_sense tcm_diag_page(struct tcm_cmd *cmd)
{
	u8 page[4];

	if (cmd->data_len < sizeof(page) || tcm_cmd_get_data(cmd, page, 4) != sizeof(page))
		return TCM_PARAM_LIST_LENGTH;
	if (page[0])
		return tcm_bad_param(cmd, 0, -1);
	if (page[1])
		return tcm_bad_param(cmd, 1, -1);
	if (get_unaligned_be16(page + 2))
		return tcm_bad_param(cmd, 2, -1);
	return cmd->data_len == sizeof(page) ? TCM_OK : TCM_PARAM_LIST_LENGTH;
}

enum tcm_sense tcm_spc_send_diag(struct tcm_cmd *cmd)
{
	u8 code = cmd->cdb[1] >> TCM_DIAG_CODE_SHIFT;

	if (code == TCM_SELFTEST_ABORT) {
		if (!tcm_selftest_stop(cmd->dev, TCM_SELFTEST_ABORTED))
			return tcm_bad_cdb(cmd, 1, 7);
		return TCM_OK;
	}
	if (code || (cmd->cdb[1] & TCM_DIAG_SELFTEST))
		return tcm_selftest_start(cmd, code);
	return cmd->data_len ? tcm_diag_page(cmd) : TCM_OK;
}

enum tcm_sense tcm_spc_receive_diag_parse(struct tcm_cmd *cmd)
{
	/* With PCV or without: page 00h is all that can have been asked for. */
	return cmd->cdb[2] ? tcm_bad_cdb(cmd, 2, -1) : TCM_OK;
}

enum tcm_sense tcm_spc_receive_diag(struct tcm_cmd *cmd)
{
	static const u8 pages[] = { 0x00, 0, 0, 1, 0x00 };

	tcm_cmd_put_data(cmd, pages, sizeof(pages));
	return TCM_OK;
}
