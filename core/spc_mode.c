// SPDX-License-Identifier: GPL-2.0-only
/*
 * MODE SENSE and MODE SELECT (SPC-4 6.11 to 6.14).
 */
#include <linux/slab.h>
#include <linux/unaligned.h>
#include "cmd.h"
#include "lu.h"
#include "opcode.h"
#include "sbc.h"
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
	if (cmd->cdb[2] >> 6 == TCM_MODE_SAVED && cmd->dev && !tcm_lu_can_save(cmd->dev))
		return TCM_SAVING_NOT_SUPPORTED;
	return TCM_OK;
}

static u8 tcm_mode_device_specific(const struct tcm_cmd *cmd)
{
	u8 bits = 0;

	if (READ_ONCE(cmd->map->gate) & (BIT(TCM_GATE_WP) | BIT(TCM_GATE_SWP)))
		bits |= TCM_MODE_WP;
	if (READ_ONCE(cmd->dev->attr.emulate_fua_write))
		bits |= TCM_MODE_DPOFUA;
	return bits;
}

/*
 * Into @buf, of TCM_MODE_MAX zeroed bytes. A page that is too long for MODE SENSE(6) is there for
 * MODE SENSE(10) alone.
 */
static enum tcm_sense tcm_mode_sense_build(struct tcm_cmd *cmd, u8 *buf)
{
	bool ten = tcm_mode_ten(cmd), long_lba = ten && (cmd->cdb[1] & TCM_MODE_LLBAA);
	unsigned int most = ten ? TCM_MODE_MAX : TCM_MODE_MAX_SIX;
	unsigned int head = ten ? 8 : 4, bd = 0, len;
	u8 page = cmd->cdb[2] & 0x3f, subpage = cmd->cdb[3];

	if (!(cmd->cdb[1] & TCM_MODE_DBD))
		bd = tcm_mode_bd_build(cmd->dev, long_lba, buf + head);
	len = tcm_mode_pages_build(cmd->dev, page, subpage, cmd->cdb[2] >> 6, most,
				   buf + head + bd);
	if (!len) {
		/* Which of the two it is: a page without that subpage, or no such page? */
		if (tcm_mode_pages_build(cmd->dev, page, TCM_MODE_ALL_SUBPAGES, TCM_MODE_CURRENT,
					 most, buf))
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

enum tcm_sense tcm_spc_mode_sense(struct tcm_cmd *cmd)
{
	enum tcm_sense sense;
	u8 *buf;

	buf = kzalloc(TCM_MODE_MAX, GFP_NOIO);
	if (!buf)
		return TCM_BUSY;
	sense = tcm_mode_sense_build(cmd, buf);
	kfree(buf);
	return sense;
}

enum tcm_sense tcm_spc_mode_select_parse(struct tcm_cmd *cmd)
{
	if ((cmd->cdb[1] & TCM_MODE_SP) && cmd->dev && !tcm_lu_can_save(cmd->dev))
		return tcm_bad_cdb(cmd, 1, 0);
	/* Pages that are not in page format are nobody's */
	if (cmd->data_len && !(cmd->cdb[1] & TCM_MODE_PF))
		return tcm_bad_cdb(cmd, 1, 4);
	return TCM_OK;
}

/* The list is in force; what is left is to save it. */
static enum tcm_sense tcm_mode_select_save(struct tcm_cmd *cmd)
{
	return cmd->cdb[1] & TCM_MODE_SP ? tcm_lu_save(cmd) : TCM_OK;
}

static void tcm_mode_flushed(struct tcm_io *io, enum tcm_sense sense)
{
	struct tcm_cmd *cmd = tcm_sbc_cmd(io);

	sense = tcm_sbc_flush_sense(cmd, sense) ?: tcm_mode_select_save(cmd);
	if (sense != TCM_PENDING)
		tcm_cmd_complete(cmd, sense);
}

static enum tcm_sense tcm_mode_select_apply(struct tcm_cmd *cmd, const u8 *list)
{
	bool wce = tcm_dev_wce(cmd->dev), swp = test_bit(TCM_DEV_SWP, &cmd->dev->flags);
	struct tcm_device *dev = cmd->dev;

	if (tcm_mode_list_apply(dev, list, cmd->data_len, tcm_mode_ten(cmd),
				cmd->cdb[1] & TCM_MODE_SP))
		tcm_ua_raise_device(dev, TCM_UA_MODE_CHANGED, cmd->sess);
	/* Without a cache, or without writing, nothing is left in the cache (SBC-4 6.5.6). */
	wce = wce && !tcm_dev_wce(dev);
	swp = !swp && test_bit(TCM_DEV_SWP, &dev->flags);
	if ((!wce && !swp) || !dev->ops->flush)
		return tcm_mode_select_save(cmd);
	dev->ops->flush(tcm_sbc_io(cmd, 0, 0, NULL, true, 0, tcm_mode_flushed));
	return TCM_PENDING;
}

enum tcm_sense tcm_spc_mode_select(struct tcm_cmd *cmd)
{
	unsigned int len = cmd->data_len;
	enum tcm_sense sense;
	u8 *list;

	/* No list: nothing to change, and so nothing new to save. */
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
	if (!sense)
		sense = tcm_mode_select_apply(cmd, list);
	kfree(list);
	return sense;
}
