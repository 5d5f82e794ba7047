// SPDX-License-Identifier: GPL-2.0-only
/*
 * MODE SENSE and MODE SELECT (SPC-4 6.11 to 6.14).
 */
#include <linux/slab.h>
#include <linux/unaligned.h>
#include "cmd.h"
#include "mode.h"
#include "opcode.h"
#include "spc.h"

#define TCM_MODE_DBD		0x08	/* MODE SENSE byte 1 */
#define TCM_MODE_LLBAA		0x10
#define TCM_MODE_SP		0x01	/* MODE SELECT byte 1 */
#define TCM_MODE_PF		0x10

static bool tcm_mode_ten(const struct tcm_cmd *cmd)
{
	return cmd->op->cdb_len == 10;
}

enum tcm_sense tcm_spc_mode_sense_parse(struct tcm_cmd *cmd)
{
	if (cmd->cdb[2] >> 6 == TCM_MODE_SAVED)
		return TCM_SAVING_NOT_SUPPORTED;
	return TCM_OK;
}

static u8 tcm_mode_device_specific(const struct tcm_cmd *cmd)
{
	u8 bits = 0;

	if (test_bit(TCM_GATE_WP, &cmd->map->gate))
		bits |= TCM_MODE_WP;
	if (READ_ONCE(cmd->dev->attr.emulate_fua_write))
		bits |= TCM_MODE_DPOFUA;
	return bits;
}

enum tcm_sense tcm_spc_mode_sense(struct tcm_cmd *cmd)
{
	u8 buf[TCM_MODE_MAX] = { }, page = cmd->cdb[2] & 0x3f, subpage = cmd->cdb[3];
	bool ten = tcm_mode_ten(cmd), long_lba = ten && (cmd->cdb[1] & TCM_MODE_LLBAA);
	unsigned int head = ten ? 8 : 4, bd = 0, len;

	if (!(cmd->cdb[1] & TCM_MODE_DBD))
		bd = tcm_mode_bd_build(cmd->dev, long_lba, buf + head);
	len = tcm_mode_pages_build(cmd->dev, page, subpage, cmd->cdb[2] >> 6, buf + head + bd);
	if (!len) {
		/* Which of the two it is: a page without that subpage, or no such page? */
		if (tcm_mode_pages_build(cmd->dev, page, TCM_MODE_ALL_SUBPAGES, TCM_MODE_CURRENT,
					 buf))
			return tcm_bad_cdb(cmd, 3, -1);
		return tcm_bad_cdb(cmd, 2, 5);
	}
	len += head + bd;
	if (ten) {
		put_unaligned_be16(len - 2, buf);
		buf[3] = tcm_mode_device_specific(cmd);
		buf[4] = bd && long_lba;
		put_unaligned_be16(bd, buf + 6);
	} else {
		buf[0] = len - 1;
		buf[2] = tcm_mode_device_specific(cmd);
		buf[3] = bd;
	}
	tcm_cmd_put_data(cmd, buf, len);
	return TCM_OK;
}

enum tcm_sense tcm_spc_mode_select_parse(struct tcm_cmd *cmd)
{
	if (cmd->cdb[1] & TCM_MODE_SP)
		return tcm_bad_cdb(cmd, 1, 0);
	/* Pages that are not in page format are nobody's */
	if (cmd->data_len && !(cmd->cdb[1] & TCM_MODE_PF))
		return tcm_bad_cdb(cmd, 1, 4);
	return TCM_OK;
}

enum tcm_sense tcm_spc_mode_select(struct tcm_cmd *cmd)
{
	unsigned int len = cmd->data_len;
	enum tcm_sense sense;
	u8 *list;

	if (!len)
		return TCM_OK;
	/* No list that is accepted is longer than what MODE SENSE returns. */
	if (len > TCM_MODE_MAX)
		return TCM_PARAM_LIST_LENGTH;
	list = kmalloc(len, GFP_NOIO);
	if (!list)
		return TCM_BUSY;
	if (tcm_cmd_get_data(cmd, list, len) != len)
		sense = TCM_PARAM_LIST_LENGTH;
	else
		sense = tcm_mode_list_check(cmd->dev, list, len, tcm_mode_ten(cmd), &cmd->extra);
	if (!sense && tcm_mode_list_apply(cmd->dev, list, len, tcm_mode_ten(cmd)))
		tcm_ua_raise_device(cmd->dev, TCM_UA_MODE_CHANGED, cmd->sess);
	kfree(list);
	return sense;
}
