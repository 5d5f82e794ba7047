// SPDX-License-Identifier: GPL-2.0-only
/*
 * REPORT and SET TARGET PORT GROUPS (SPC-4).
 */
#include <linux/slab.h>
#include <linux/unaligned.h>
#include "alua_id.h"
#include "alua_state.h"
#include "cmd.h"
#include "opcode.h"
#include "target.h"

#define TCM_RTPG_FORMAT_AT	1	/* PARAMETER DATA FORMAT, bits 7..5 */
#define TCM_RTPG_EXTENDED	1
#define TCM_RTPG_HEADER		4
#define TCM_RTPG_LONG_HEADER	8
#define TCM_RTPG_GROUP		8	/* without its ports */
#define TCM_RTPG_PORT		4
#define TCM_RTPG_PREF		0x80

#define TCM_STPG_HEADER		4
#define TCM_STPG_GROUP		4
#define TCM_STPG_LEN_AT		6
#define TCM_STPG_GROUPS_MAX	1024

bool tcm_alua_offered(const struct tcm_device *dev)
{
	return tcm_alua_emulated(dev);
}

/* TPGS of standard INQUIRY: 0, and the LUN knows neither command. */
static u8 tcm_alua_type(const struct tcm_cmd *cmd)
{
	struct tcm_alua_id id;

	tcm_alua_id(cmd->lun, &id);
	return id.tpgs;
}

enum tcm_sense tcm_rtpg_parse(struct tcm_cmd *cmd)
{
	if (!tcm_alua_type(cmd))
		return tcm_opcode_bad_sa(cmd);
	if (cmd->cdb[TCM_RTPG_FORMAT_AT] >> 5 > TCM_RTPG_EXTENDED)
		return tcm_bad_cdb(cmd, TCM_RTPG_FORMAT_AT, 7);
	return TCM_OK;
}

static u8 tcm_rtpg_supported(const struct tcm_tg_pt_gp *gp)
{
	return gp->field[TCM_ALUA_alua_support_transitioning] << 7 |
	       gp->field[TCM_ALUA_alua_support_offline] << 6 |
	       gp->field[TCM_ALUA_alua_support_lba_dependent] << 4 |
	       gp->field[TCM_ALUA_alua_support_unavailable] << 3 |
	       gp->field[TCM_ALUA_alua_support_standby] << 2 |
	       gp->field[TCM_ALUA_alua_support_active_nonoptimized] << 1 |
	       gp->field[TCM_ALUA_alua_support_active_optimized];
}

/*
 * Is the port of @lun listed by @gp; NULL: by the secondary group, of those that are offline? Such
 * a port is a member of its primary group all the same (SPC-4 5.15.2.1).
 */
static bool tcm_rtpg_member(const struct tcm_lun *lun, const struct tcm_tg_pt_gp *gp)
{
	return gp ? lun->tg_pt_gp == gp : lun->tg_pt_gp && lun->alua_offline;
}

/* A port is named once, however many LUNs of it lead to the device. */
static bool tcm_rtpg_named(const struct tcm_lun *lun, const struct tcm_tg_pt_gp *gp)
{
	const struct tcm_lun *other;

	list_for_each_entry(other, &lun->dev->luns, dev_node) {
		if (other == lun)
			return false;
		if (tcm_rtpg_member(other, gp) && tcm_lun_rtpi(other) == tcm_lun_rtpi(lun) &&
		    other->tpg == lun->tpg)
			return true;
	}
	return false;
}

/* The ports of a group whose descriptor is at @p, of which nothing lies beyond @end */
static unsigned int tcm_rtpg_ports(const struct tcm_device *dev, const struct tcm_tg_pt_gp *gp,
				   u8 *p, const u8 *end)
{
	const struct tcm_lun *lun;
	unsigned int ports = 0;
	u8 *port;

	list_for_each_entry(lun, &dev->luns, dev_node) {
		/* TARGET PORT COUNT has a byte. */
		if (!tcm_rtpg_member(lun, gp) || ports == U8_MAX || tcm_rtpg_named(lun, gp))
			continue;
		port = p + TCM_RTPG_GROUP + ports++ * TCM_RTPG_PORT;
		if (port + TCM_RTPG_PORT <= end) {
			put_unaligned_be16(0, port);
			put_unaligned_be16(tcm_lun_rtpi(lun), port + 2);
		}
	}
	if (p + TCM_RTPG_GROUP <= end)
		p[7] = ports;
	return ports;
}

/* A group's descriptor; how long it is altogether */
static unsigned int tcm_rtpg_group(const struct tcm_tg_pt_gp *gp, u8 *p, const u8 *end)
{
	unsigned int ports = tcm_rtpg_ports(gp->dev, gp, p, end);

	if (p + TCM_RTPG_GROUP <= end) {
		p[0] = gp->state | (gp->field[TCM_ALUA_preferred] ? TCM_RTPG_PREF : 0);
		p[1] = tcm_rtpg_supported(gp);
		put_unaligned_be16(gp->id, p + 2);
		p[5] = gp->field[TCM_ALUA_alua_access_status];
	}
	return TCM_RTPG_GROUP + ports * TCM_RTPG_PORT;
}

/*
 * The secondary group, by a number that no other group has and VPD page 83h does not name: an
 * initiator that knows primary groups only passes over it. Nothing when no port is offline.
 */
static unsigned int tcm_rtpg_offline(const struct tcm_device *dev, u8 *p, const u8 *end)
{
	unsigned int ports = tcm_rtpg_ports(dev, NULL, p, end);
	const struct tcm_lun *lun;
	u16 id = U16_MAX;

	if (!ports)
		return 0;
	if (p + TCM_RTPG_GROUP > end)
		return TCM_RTPG_GROUP + ports * TCM_RTPG_PORT;
	while (xa_load(&dev->alua->ids, id))
		id--;
	p[0] = TCM_ALUA_OFFLINE_STATE;
	put_unaligned_be16(id, p + 2);
	list_for_each_entry(lun, &dev->luns, dev_node)
		if (tcm_rtpg_member(lun, NULL)) {
			p[1] = tcm_rtpg_supported(lun->tg_pt_gp);
			p[5] = READ_ONCE(lun->alua_status);
		}
	return TCM_RTPG_GROUP + ports * TCM_RTPG_PORT;
}

/* The answer in @buf as far as it fits @size; how long it is altogether */
static unsigned int tcm_rtpg_build(const struct tcm_cmd *cmd, u8 *buf, unsigned int size)
{
	bool extended = cmd->cdb[TCM_RTPG_FORMAT_AT] >> 5 == TCM_RTPG_EXTENDED;
	struct tcm_device *dev = cmd->dev;
	const struct tcm_tg_pt_gp *gp;
	unsigned int len = extended ? TCM_RTPG_LONG_HEADER : TCM_RTPG_HEADER;

	memset(buf, 0, len);
	spin_lock_irq(&dev->lun_lock);
	gp = cmd->lun->tg_pt_gp;
	if (extended && gp) {
		buf[4] = TCM_RTPG_EXTENDED << 4;
		buf[5] = gp->field[TCM_ALUA_implicit_trans_secs];
	}
	list_for_each_entry(gp, &dev->alua->groups, node)
		if (gp->has_id)
			len += tcm_rtpg_group(gp, buf + min(len, size), buf + size);
	len += tcm_rtpg_offline(dev, buf + min(len, size), buf + size);
	spin_unlock_irq(&dev->lun_lock);
	put_unaligned_be32(len - 4, buf);
	return min(len, size);
}

enum tcm_sense tcm_rtpg(struct tcm_cmd *cmd)
{
	/* Whole descriptors are written, and cut when they are copied. */
	unsigned int size = cmd->data_len + TCM_RTPG_LONG_HEADER, len;
	u8 *buf = kvzalloc(size, GFP_KERNEL);

	if (!buf)
		return TCM_BUSY;
	len = tcm_rtpg_build(cmd, buf, size);
	tcm_cmd_put_data(cmd, buf, len);
	kvfree(buf);
	return TCM_OK;
}

enum tcm_sense tcm_stpg_parse(struct tcm_cmd *cmd)
{
	if (!(tcm_alua_type(cmd) & TCM_ALUA_EXPLICIT))
		return tcm_opcode_bad_sa(cmd);
	if (cmd->data_len && cmd->data_len < TCM_STPG_HEADER)
		return TCM_PARAM_LIST_LENGTH;
	if (cmd->data_len % TCM_STPG_GROUP)
		return TCM_PARAM_LIST_LENGTH;
	if (cmd->data_len > TCM_STPG_HEADER + TCM_STPG_GROUPS_MAX * TCM_STPG_GROUP)
		return tcm_bad_cdb(cmd, TCM_STPG_LEN_AT, -1);
	return TCM_OK;
}

/* All of the list is possible, or nothing of it is done. */
static enum tcm_sense tcm_stpg_check(struct tcm_cmd *cmd, const u8 *list,
				     struct tcm_alua_change *change)
{
	enum tcm_sense sense = TCM_OK;
	unsigned int i, at;

	for (i = 0; i < change->n && !sense; i++) {
		at = TCM_STPG_HEADER + i * TCM_STPG_GROUP;
		change->step[i].state = list[at] & 0x0f;
		change->step[i].port = change->step[i].state == TCM_ALUA_OFFLINE_STATE;
		change->step[i].id = get_unaligned_be16(list + at + 2);
		if (list[at] & 0xf0 || list[at + 1])
			sense = tcm_bad_param(cmd, list[at] & 0xf0 ? at : at + 1, -1);
		else if (change->step[i].state == TCM_ALUA_LBA_DEPENDENT)
			sense = tcm_bad_param(cmd, at, 3);
		else if (!tcm_alua_may(change, &change->step[i]))
			sense = tcm_bad_param(cmd, at, -1);
	}
	return sense;
}

enum tcm_sense tcm_stpg(struct tcm_cmd *cmd)
{
	u8 *list = kzalloc(TCM_STPG_HEADER + TCM_STPG_GROUPS_MAX * TCM_STPG_GROUP, GFP_KERNEL);
	struct tcm_alua_change *change = NULL;
	unsigned int len;
	enum tcm_sense sense = TCM_BUSY;

	if (!list)
		return TCM_BUSY;
	len = tcm_cmd_get_data(cmd, list, cmd->data_len);
	/* All of the list or nothing: not the part of it that has come. */
	sense = len == cmd->data_len ? TCM_OK : TCM_PARAM_LIST_LENGTH;
	if (sense || len <= TCM_STPG_HEADER)
		goto free;
	len = (len - TCM_STPG_HEADER) / TCM_STPG_GROUP;
	change = tcm_alua_change_new(cmd->dev, len);
	sense = TCM_BUSY;
	if (!change)
		goto free;
	sense = tcm_stpg_check(cmd, list, change);
	if (!sense)
		sense = tcm_alua_explicit(cmd, change);
	if (sense != TCM_PENDING)
		tcm_alua_change_free(change);
free:
	kfree(list);
	return sense;
}
