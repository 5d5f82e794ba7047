// SPDX-License-Identifier: GPL-2.0-only
/*
 * REPORT SUPPORTED OPERATION CODES and REPORT SUPPORTED TASK MANAGEMENT FUNCTIONS (SPC-4): what
 * the opcode table and core/tmf.c say of themselves.
 */
#include <linux/slab.h>
#include <linux/unaligned.h>
#include "cmd.h"
#include "opcode.h"
#include "spc.h"
#include "tmf.h"

/* REPORTING OPTIONS, SPC-4 table 278 */
#define TCM_RSOC_ALL		0
#define TCM_RSOC_OPCODE		1	/* one that has no service actions */
#define TCM_RSOC_SA		2	/* one that has */
#define TCM_RSOC_EITHER		3
#define TCM_RSOC_OPTIONS	0x07
#define TCM_RSOC_RCTD		0x80	/* with command timeouts descriptors */

#define TCM_RSOC_CTDP		0x02	/* command descriptor, byte 5 */
#define TCM_RSOC_SERVACTV	0x01
#define TCM_RSOC_ONE_CTDP	0x80	/* one command format, byte 1 */
#define TCM_RSOC_UNSUPPORTED	1	/* SUPPORT */
#define TCM_RSOC_STANDARD	3

#define TCM_RSOC_DESC_LEN	8
#define TCM_RSOC_TIMEOUTS_LEN	12

/* A command timeouts descriptor, SPC-4 table 285, in seconds; zero: not stated */
static unsigned int tcm_rsoc_timeouts(const struct tcm_opcode *op, u8 *p)
{
	put_unaligned_be16(TCM_RSOC_TIMEOUTS_LEN - 2, p);
	put_unaligned_be32(op->timeout, p + 8);
	return TCM_RSOC_TIMEOUTS_LEN;
}

struct tcm_rsoc_list {
	const struct tcm_device	*dev;
	bool			timeouts;
	u8			*p;
};

static bool tcm_rsoc_add(const struct tcm_opcode *op, void *arg)
{
	struct tcm_rsoc_list *list = arg;
	u8 *p = list->p;

	if (!tcm_opcode_offered(op, list->dev))
		return true;
	p[0] = op->opcode;
	put_unaligned_be16(op->sa, p + 2);
	p[5] = op->sa_at == TCM_SA_NONE ? 0 : TCM_RSOC_SERVACTV;
	put_unaligned_be16(op->cdb_len, p + 6);
	list->p += TCM_RSOC_DESC_LEN;
	if (list->timeouts) {
		p[5] |= TCM_RSOC_CTDP;
		list->p += tcm_rsoc_timeouts(op, list->p);
	}
	return true;
}

static enum tcm_sense tcm_rsoc_all(struct tcm_cmd *cmd)
{
	unsigned int rows = tcm_ops_spc_count + tcm_ops_sbc_count, len;
	struct tcm_rsoc_list list = {
		.dev		= cmd->dev,
		.timeouts	= cmd->cdb[2] & TCM_RSOC_RCTD,
	};
	u8 *buf;

	buf = kvzalloc(4 + rows * (TCM_RSOC_DESC_LEN + TCM_RSOC_TIMEOUTS_LEN), GFP_NOIO);
	if (!buf)
		return TCM_BUSY;
	list.p = buf + 4;
	tcm_opcode_for_each(tcm_rsoc_add, &list);
	len = list.p - buf;
	put_unaligned_be32(len - 4, buf);
	tcm_cmd_put_data(cmd, buf, len);
	kvfree(buf);
	return TCM_OK;
}

/*
 * The row of an opcode and service action on @dev; *@any: one of that opcode, whatever its
 * service action. An opcode has service actions in all its rows or in none.
 */
static const struct tcm_opcode *tcm_rsoc_find(const struct tcm_device *dev, u8 opcode, u16 sa,
					      const struct tcm_opcode **any)
{
	const struct tcm_opcode_run *run = tcm_opcode_run(opcode);
	const struct tcm_opcode *op = run->rows;
	unsigned int i;

	*any = NULL;
	for (i = 0; i < run->n; i++, op++) {
		if (!tcm_opcode_offered(op, dev))
			continue;
		*any = op;
		if (op->sa == sa)
			return op;
	}
	return NULL;
}

/* CDB USAGE DATA: the opcode and the service action themselves, ones for what is looked at */
static void tcm_rsoc_usage(const struct tcm_cmd *cmd, const struct tcm_opcode *op, u8 *p)
{
	const struct tcm_device *dev = cmd->dev;
	const struct tcm_opcode *pi = tcm_opcode_has_pi(op, dev, cmd->sess) ?
				      tcm_opcode_protected(op, dev, cmd->sess) : NULL;
	unsigned int i;

	for (i = 0; i < op->cdb_len; i++)
		p[i] = tcm_opcode_usage(pi ?: op, i);
	p[0] = op->opcode;
	p[1] &= ~op->ignored;
	if (dev->attr.emulate_aca)
		p[tcm_cdb_control_at(op->opcode)] |= TCM_CONTROL_NACA;
	if (op->sa_at == TCM_SA_BYTE1)
		p[1] = (op->usage[1] & ~0x1f) | op->sa;
	else if (op->sa_at == TCM_SA_BYTE8)
		put_unaligned_be16(op->sa, p + 8);
}

static enum tcm_sense tcm_rsoc_one(struct tcm_cmd *cmd)
{
	u8 buf[4 + TCM_CDB_MAX + TCM_RSOC_TIMEOUTS_LEN] = { };
	u8 option = cmd->cdb[2] & TCM_RSOC_OPTIONS;
	u16 sa = get_unaligned_be16(cmd->cdb + 4);
	const struct tcm_opcode *op, *any;
	unsigned int len = 4;

	op = tcm_rsoc_find(cmd->dev, cmd->cdb[3], option == TCM_RSOC_OPCODE ? 0 : sa, &any);
	if (any && option == (any->sa_at == TCM_SA_NONE ? TCM_RSOC_SA : TCM_RSOC_OPCODE))
		return tcm_bad_cdb(cmd, 2, 2);

	buf[1] = TCM_RSOC_UNSUPPORTED;
	if (op) {
		buf[1] = TCM_RSOC_STANDARD;
		put_unaligned_be16(op->cdb_len, buf + 2);
		tcm_rsoc_usage(cmd, op, buf + 4);
		len += op->cdb_len;
		if (cmd->cdb[2] & TCM_RSOC_RCTD) {
			buf[1] |= TCM_RSOC_ONE_CTDP;
			len += tcm_rsoc_timeouts(op, buf + len);
		}
	}
	tcm_cmd_put_data(cmd, buf, len);
	return TCM_OK;
}

bool tcm_rsoc_offered(const struct tcm_device *dev)
{
	return READ_ONCE(dev->attr.emulate_rsoc);
}

enum tcm_sense tcm_rsoc_parse(struct tcm_cmd *cmd)
{
	if ((cmd->cdb[2] & TCM_RSOC_OPTIONS) > TCM_RSOC_EITHER)
		return tcm_bad_cdb(cmd, 2, 2);
	return TCM_OK;
}

enum tcm_sense tcm_rsoc(struct tcm_cmd *cmd)
{
	if ((cmd->cdb[2] & TCM_RSOC_OPTIONS) == TCM_RSOC_ALL)
		return tcm_rsoc_all(cmd);
	return tcm_rsoc_one(cmd);
}

/* Which byte and bit of the parameter data tell of a task management function. */
static const struct {
	u8 func, byte, bit;
} tcm_tmf_bits[] = {
	{ TCM_TMF_ABORT_TASK,		0, 0x80 },
	{ TCM_TMF_ABORT_TASK_SET,	0, 0x40 },
	{ TCM_TMF_CLEAR_ACA,		0, 0x20 },
	{ TCM_TMF_CLEAR_TASK_SET,	0, 0x10 },
	{ TCM_TMF_LUN_RESET,		0, 0x08 },
	{ TCM_TMF_QUERY_TASK,		0, 0x04 },
	{ TCM_TMF_QUERY_ASYNC_EVENT,	1, 0x04 },
	{ TCM_TMF_QUERY_TASK_SET,	1, 0x02 },
	{ TCM_TMF_NEXUS_RESET,		1, 0x01 },
};

#define TCM_RSTMF_LEN		16	/* extended parameter data */
#define TCM_RSTMF_REPD		0x80	/* CDB byte 2 */
#define TCM_RSTMF_TMFTMOV	0x01	/* byte 4 */
/* No function waits for a backend: SHORT TIMEOUT, in tenths of a second */
#define TCM_RSTMF_SHORT		100

enum tcm_sense tcm_rstmf_parse(struct tcm_cmd *cmd)
{
	/* ALLOCATION LENGTH: four bytes at least */
	return cmd->data_len < 4 ? tcm_bad_cdb(cmd, 6, -1) : TCM_OK;
}

enum tcm_sense tcm_rstmf(struct tcm_cmd *cmd)
{
	bool extended = cmd->cdb[2] & TCM_RSTMF_REPD;
	u8 buf[TCM_RSTMF_LEN] = { };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(tcm_tmf_bits); i++) {
		if (!tcm_tmf_supported(cmd->dev, tcm_tmf_bits[i].func))
			continue;
		buf[tcm_tmf_bits[i].byte] |= tcm_tmf_bits[i].bit;
		/* The timeout selectors stand in the same places of bytes 6 and 7. */
		if (extended)
			buf[6 + tcm_tmf_bits[i].byte] |= tcm_tmf_bits[i].bit;
	}
	if (extended) {
		buf[3] = sizeof(buf) - 4;
		buf[4] = TCM_RSTMF_TMFTMOV;
		put_unaligned_be32(TCM_RSTMF_SHORT, buf + 12);
	}
	tcm_cmd_put_data(cmd, buf, extended ? sizeof(buf) : 4);
	return TCM_OK;
}
