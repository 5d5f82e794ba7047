// SPDX-License-Identifier: GPL-2.0-only
/*
 * TEST UNIT READY, REQUEST SENSE and REPORT LUNS (SPC-4 6.47, 6.39, 6.33).
 */
#include <linux/slab.h>
#include <linux/unaligned.h>
#include "cmd.h"
#include "spc.h"
#include "ua.h"

enum tcm_sense tcm_spc_test_unit_ready(struct tcm_cmd *cmd)
{
	if (test_bit(TCM_DEV_DEAD, &cmd->dev->flags))
		return TCM_LUN_NOT_RESPONDING;
	return TCM_OK;
}

enum tcm_sense tcm_spc_request_sense(struct tcm_cmd *cmd)
{
	enum tcm_sense sense = cmd->map ? tcm_ua_take(cmd->map) : TCM_LUN_NOT_SUPPORTED;
	u8 buf[TCM_SENSE_MAX];
	unsigned int len;

	len = tcm_sense_build(sense, NULL, cmd->cdb[1] & 1, buf);
	tcm_cmd_put_data(cmd, buf, len);
	return TCM_OK;
}

/* SELECT REPORT, SPC-4 table 270 */
#define TCM_SELECT_ALL_BUT_WELL_KNOWN	0x00
#define TCM_SELECT_WELL_KNOWN		0x01
#define TCM_SELECT_ALL			0x02

enum tcm_sense tcm_spc_report_luns(struct tcm_cmd *cmd)
{
	struct tcm_session *sess = cmd->sess;
	unsigned int n = 0, max, i;
	struct tcm_mapping *map;
	unsigned long number;
	u8 *buf;

	if (cmd->cdb[2] > TCM_SELECT_ALL)
		return tcm_bad_cdb(cmd, 2, -1);
	if (cmd->data_len < 16)
		return tcm_bad_cdb(cmd, 6, -1);
	max = (min(cmd->data_len, cmd->exp_len) + 7) / 8 + 1;
	buf = kvcalloc(max + 1, 8, GFP_NOIO);
	if (!buf)
		return TCM_BUSY;

	rcu_read_lock();
	if (cmd->cdb[2] != TCM_SELECT_WELL_KNOWN) {
		for (i = 0; i < TCM_LOW_LUNS; i++)
			if (rcu_dereference(sess->low[i]) && ++n < max)
				tcm_lun_pack(i, (struct scsi_lun *)(buf + 8 * n));
		xa_for_each(&sess->high, number, map)
			if (++n < max)
				tcm_lun_pack(number, (struct scsi_lun *)(buf + 8 * n));
	}
	rcu_read_unlock();
	if (!n && cmd->cdb[2] != TCM_SELECT_WELL_KNOWN)
		n = 1;	/* LUN 0 is always there to answer */
	put_unaligned_be32(n * 8, buf);
	tcm_cmd_put_data(cmd, buf, min(n, max) * 8 + 8);
	kvfree(buf);
	return TCM_OK;
}
