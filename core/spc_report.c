// SPDX-License-Identifier: GPL-2.0-only
/*
 * TEST UNIT READY, REQUEST SENSE and REPORT LUNS (SPC-4 6.47, 6.39, 6.33).
 */
#include <linux/slab.h>
#include <linux/unaligned.h>
#include "cmd.h"
#include "lu.h"
#include "sbc.h"
#include "session.h"
#include "spc.h"
#include "ua.h"
#include "wipe.h"

enum tcm_sense tcm_spc_test_unit_ready(struct tcm_cmd *cmd)
{
	if (test_bit(TCM_DEV_DEAD, &cmd->dev->flags))
		return TCM_LUN_FAILURE;
	return TCM_OK;
}

#define TCM_RS_DESC	0x01	/* REQUEST SENSE byte 1: descriptor format */

/* What the logical unit would say, as data: nothing here fails. */
static enum tcm_sense tcm_pollable_sense(struct tcm_cmd *cmd, struct tcm_sense_extra *x)
{
	enum tcm_sense sense;

	if (!cmd->map)
		return TCM_LUN_NOT_SUPPORTED;
	tcm_thin_arrive(cmd->map);
	sense = tcm_ua_take(cmd->map, x);
	if (!sense && test_bit(TCM_DEV_DEAD, &cmd->dev->flags))
		sense = TCM_LUN_FAILURE;
	if (!sense && test_bit(TCM_DEV_EJECTED, &cmd->dev->flags))
		sense = TCM_MEDIUM_NOT_PRESENT;
	if (!sense && test_bit(TCM_DEV_STOPPED, &cmd->dev->flags))
		sense = TCM_NOT_READY_INIT_REQUIRED;
	if (!sense)
		sense = tcm_wipe_sense(cmd->dev, x);
	if (!sense && tcm_selftest_runs(cmd->dev, &x->field)) {
		x->flags = TCM_SX_PROGRESS;
		sense = TCM_SELFTEST_PROGRESS;
	}
	if (!sense && READ_ONCE(cmd->dev->lu->power) == TCM_POWER_IS_IDLE)
		sense = TCM_LOW_POWER_IDLE;
	else if (!sense && READ_ONCE(cmd->dev->lu->power) == TCM_POWER_IS_STANDBY)
		sense = TCM_LOW_POWER_STANDBY;
	return sense;
}

enum tcm_sense tcm_spc_request_sense(struct tcm_cmd *cmd)
{
	struct tcm_sense_extra x = { };
	enum tcm_sense sense = tcm_pollable_sense(cmd, &x);
	u8 buf[TCM_SENSE_MAX];
	unsigned int len;

	len = tcm_sense_build(sense, &x, cmd->cdb[1] & TCM_RS_DESC, buf);
	tcm_cmd_put_data(cmd, buf, len);
	return TCM_OK;
}

/* SELECT REPORT, SPC-4 table 270 */
#define TCM_SELECT_LUNS			0x00	/* all but well known ones */
#define TCM_SELECT_WELL_KNOWN		0x01
#define TCM_SELECT_ALL			0x02
#define TCM_SELECT_ADMIN		0x10	/* administrative: conglomerates have them */
#define TCM_SELECT_NOT_SUBSIDIARY	0x11

enum tcm_sense tcm_spc_report_luns_parse(struct tcm_cmd *cmd)
{
	switch (cmd->cdb[2]) {
	case TCM_SELECT_LUNS:
	case TCM_SELECT_WELL_KNOWN:
	case TCM_SELECT_ALL:
	case TCM_SELECT_ADMIN:
	case TCM_SELECT_NOT_SUBSIDIARY:
		break;
	default:
		/* 12h, too: no logical unit here is an administrative one */
		return tcm_bad_cdb(cmd, 2, -1);
	}
	/* SPC-4 6.33: header and one LUN at least */
	return cmd->data_len < 16 ? tcm_bad_cdb(cmd, 6, -1) : TCM_OK;
}

/*
 * List the LUNs of a session in ascending order, as many as there is room for behind the header;
 * return how many there are. One pass: length and list are of the same moment.
 */
static unsigned int tcm_list_luns(struct tcm_session *sess, u8 *buf, unsigned int room)
{
	struct scsi_lun *lun = (struct scsi_lun *)buf + 1;
	struct tcm_mapping *map;
	unsigned long number;
	unsigned int n = 0;

	rcu_read_lock();
	for (number = 0; number < TCM_LOW_LUNS; number++)
		if (rcu_access_pointer(sess->low[number]) && n++ < room)
			tcm_lun_pack(number, lun++);
	xa_for_each(&sess->high, number, map)
		if (n++ < room)
			tcm_lun_pack(number, lun++);
	rcu_read_unlock();
	return n;
}

enum tcm_sense tcm_spc_report_luns(struct tcm_cmd *cmd)
{
	bool none = cmd->cdb[2] == TCM_SELECT_WELL_KNOWN || cmd->cdb[2] == TCM_SELECT_ADMIN;
	unsigned int room = DIV_ROUND_UP(min(cmd->data_len, cmd->exp_len), 8), n = 0;
	u8 *buf;

	/* The first eight bytes are the header; what is cut off needs no room. */
	buf = kvcalloc(room + 1, 8, GFP_NOIO);
	if (!buf)
		return TCM_BUSY;
	/* First, so that a change from now on is told again (SPC-4 6.33). */
	tcm_ua_clear_session(cmd->sess, TCM_UA_LUNS_CHANGED);
	if (!none) {
		n = tcm_list_luns(cmd->sess, buf, room);
		/* LUN 0 answers even when nothing is there (SPC-4 6.33: default inventory). */
		n = n ?: 1;
	}
	put_unaligned_be32(n * 8, buf);
	tcm_cmd_put_data(cmd, buf, min(n, room) * 8 + 8);
	kvfree(buf);
	return TCM_OK;
}
