// SPDX-License-Identifier: GPL-2.0-only
/*
 * PERSISTENT RESERVE IN (SPC-4 6.15).
 */
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/unaligned.h>
#include "cmd.h"
#include "pr.h"
#include "transport_id.h"

#define TCM_PRIN_CAPS		8
#define TCM_PRIN_FULL		24	/* a full status descriptor before its TransportID */

/* REPORT CAPABILITIES, SPC-4 table 213 */
#define TCM_PRIN_RLR_C		0x80	/* REPLACE LOST RESERVATION */
#define TCM_PRIN_CRH		0x10	/* compatible reservation handling */
#define TCM_PRIN_SIP_C		0x08	/* SPEC_I_PT */
#define TCM_PRIN_ATP_C		0x04	/* ALL_TG_PT */
#define TCM_PRIN_PTPL_C		0x01	/* APTPL */
#define TCM_PRIN_TMV		0x80	/* the type mask is valid */
#define TCM_PRIN_PTPL_A		0x01
#define TCM_PRIN_TYPES		0xea01	/* all six */

#define TCM_PRIN_R_HOLDER	0x01

/* RESERVE of SPC-2 keeps everybody out of these commands (SPC-2 5.5.1). */
static bool tcm_prin_kept_out(const struct tcm_cmd *cmd)
{
	return READ_ONCE(cmd->dev->pr->spc2);
}

enum tcm_sense tcm_pr_read_keys(struct tcm_cmd *cmd)
{
	struct tcm_pr *pr = cmd->dev->pr;
	struct tcm_pr_state *st;
	unsigned int i;
	u8 *buf;

	if (tcm_pr_passes(cmd->dev))
		return tcm_pr_pass_keys(cmd);
	if (tcm_prin_kept_out(cmd))
		return TCM_RESERVATION_CONFLICT;
	mutex_lock(&pr->lock);
	st = pr->state;
	buf = kvzalloc(TCM_PRIN_HEADER + 8 * st->n, GFP_NOIO);
	if (!buf)
		goto unlock;
	tcm_prin_header(st->generation, buf, 8 * st->n);
	for (i = 0; i < st->n; i++)
		put_unaligned_be64(st->reg[i].key, buf + TCM_PRIN_HEADER + 8 * i);
	tcm_cmd_put_data(cmd, buf, TCM_PRIN_HEADER + 8 * st->n);
unlock:
	mutex_unlock(&pr->lock);
	kvfree(buf);
	return buf ? TCM_OK : TCM_BUSY;
}

enum tcm_sense tcm_pr_read_reservation(struct tcm_cmd *cmd)
{
	u8 buf[TCM_PRIN_HEADER + TCM_PRIN_RESERVATION] = { };
	struct tcm_pr *pr = cmd->dev->pr;
	unsigned int len = 0;

	if (tcm_pr_passes(cmd->dev))
		return tcm_pr_pass_holder(cmd);
	if (tcm_prin_kept_out(cmd))
		return TCM_RESERVATION_CONFLICT;
	mutex_lock(&pr->lock);
	if (pr->state->type) {
		len = TCM_PRIN_RESERVATION;
		if (pr->state->holder >= 0)
			put_unaligned_be64(pr->state->reg[pr->state->holder].key, buf + 8);
		buf[21] = pr->state->type;
	}
	tcm_prin_header(pr->state->generation, buf, len);
	mutex_unlock(&pr->lock);
	tcm_cmd_put_data(cmd, buf, TCM_PRIN_HEADER + len);
	return TCM_OK;
}

enum tcm_sense tcm_pr_report_capabilities(struct tcm_cmd *cmd)
{
	u8 buf[TCM_PRIN_CAPS] = { };
	struct tcm_pr *pr = cmd->dev->pr;

	put_unaligned_be16(sizeof(buf), buf);
	if (tcm_pr_passes(cmd->dev)) {
		/* It is asked for APTPL always; which types it knows, nobody tells. */
		buf[2] = TCM_PRIN_PTPL_C;
		tcm_cmd_put_data(cmd, buf, sizeof(buf));
		return TCM_OK;
	}
	if (tcm_prin_kept_out(cmd))
		return TCM_RESERVATION_CONFLICT;
	buf[2] = TCM_PRIN_RLR_C | TCM_PRIN_CRH | TCM_PRIN_SIP_C | TCM_PRIN_ATP_C;
	if (tcm_pr_file_possible(cmd->dev))
		buf[2] |= TCM_PRIN_PTPL_C;
	buf[3] = TCM_PRIN_TMV;
	mutex_lock(&pr->lock);
	if (pr->state->aptpl)
		buf[3] |= TCM_PRIN_PTPL_A;
	mutex_unlock(&pr->lock);
	put_unaligned_be16(TCM_PRIN_TYPES, buf + 4);
	tcm_cmd_put_data(cmd, buf, sizeof(buf));
	return TCM_OK;
}

static unsigned int tcm_prin_full_one(struct tcm_device *dev, const struct tcm_pr_state *st,
				      const struct tcm_pr_reg *reg, u8 *p)
{
	unsigned int len = tcm_transport_id_put(&reg->nexus, p + TCM_PRIN_FULL);

	memset(p, 0, TCM_PRIN_FULL);
	put_unaligned_be64(reg->key, p);
	if (tcm_pr_is_holder(st, reg)) {
		p[12] = TCM_PRIN_R_HOLDER;
		p[13] = st->type;
	}
	put_unaligned_be16(tcm_pr_rtpi(dev, reg), p + 18);
	put_unaligned_be32(len, p + 20);
	return TCM_PRIN_FULL + len;
}

enum tcm_sense tcm_pr_read_full_status(struct tcm_cmd *cmd)
{
	struct tcm_pr *pr = cmd->dev->pr;
	unsigned int i, len = TCM_PRIN_HEADER;
	struct tcm_pr_state *st;
	u8 *buf;

	if (tcm_prin_kept_out(cmd))
		return TCM_RESERVATION_CONFLICT;
	mutex_lock(&pr->lock);
	st = pr->state;
	buf = kvmalloc(len + st->n * (TCM_PRIN_FULL + TCM_TRANSPORT_ID_MAX), GFP_NOIO);
	if (!buf)
		goto unlock;
	for (i = 0; i < st->n; i++)
		len += tcm_prin_full_one(cmd->dev, st, &st->reg[i], buf + len);
	tcm_prin_header(st->generation, buf, len - TCM_PRIN_HEADER);
	tcm_cmd_put_data(cmd, buf, len);
unlock:
	mutex_unlock(&pr->lock);
	kvfree(buf);
	return buf ? TCM_OK : TCM_BUSY;
}
