// SPDX-License-Identifier: GPL-2.0-only
/*
 * Finding the row of a CDB and checking the CDB against it.
 */
#include <linux/unaligned.h>
#include "opcode.h"
#include "sbc.h"

static struct tcm_opcode_run tcm_op_index[256];

static int tcm_opcode_add(const struct tcm_opcode *rows, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		struct tcm_opcode_run *run = &tcm_op_index[rows[i].opcode];

		if (!run->n)
			run->rows = &rows[i];
		else if (&run->rows[run->n] != &rows[i])
			return -EINVAL;
		run->n++;
	}
	return 0;
}

int tcm_opcode_init(void)
{
	int err;

	err = tcm_opcode_add(tcm_ops_spc, tcm_ops_spc_count);
	if (err)
		return err;
	return tcm_opcode_add(tcm_ops_sbc, tcm_ops_sbc_count);
}

const struct tcm_opcode_run *tcm_opcode_run(u8 opcode)
{
	return &tcm_op_index[opcode];
}

void tcm_opcode_for_each(bool (*fn)(const struct tcm_opcode *op, void *arg), void *arg)
{
	unsigned int op, i;

	for (op = 0; op < 256; op++)
		for (i = 0; i < tcm_op_index[op].n; i++)
			if (!fn(&tcm_op_index[op].rows[i], arg))
				return;
}

static u16 tcm_opcode_sa(u8 sa_at, const u8 *cdb)
{
	return sa_at == TCM_SA_BYTE1 ? cdb[1] & 0x1f : get_unaligned_be16(cdb + 8);
}

const struct tcm_opcode *tcm_opcode_find(const u8 *cdb, unsigned int len, bool *op_known)
{
	const struct tcm_opcode_run *run = &tcm_op_index[cdb[0]];
	const struct tcm_opcode *op = run->rows;
	unsigned int i;

	*op_known = run->n;
	if (!run->n)
		return NULL;
	if (likely(op->sa_at == TCM_SA_NONE))
		return op;
	if (len < (op->sa_at == TCM_SA_BYTE1 ? 2 : 10))
		return NULL;
	for (i = 0; i < run->n; i++, op++)
		if (tcm_opcode_sa(op->sa_at, cdb) == op->sa)
			return op;
	return NULL;
}

enum tcm_sense tcm_opcode_bad_sa(struct tcm_cmd *cmd)
{
	unsigned int at = tcm_op_index[cmd->cdb[0]].rows->sa_at == TCM_SA_BYTE8 ? 8 : 1;

	if (cmd->cdb_len < at + 2)
		return tcm_bad_cdb(cmd, cmd->cdb_len, -1);
	return tcm_bad_cdb(cmd, at, at == 8 ? 7 : 4);
}

const struct tcm_opcode *tcm_opcode_twin(const struct tcm_opcode *op, const struct tcm_device *dev)
{
	const struct tcm_opcode_run *run = &tcm_op_index[op->opcode];
	const struct tcm_opcode *twin;

	for (twin = run->rows; twin < run->rows + run->n; twin++)
		if (twin->sa == op->sa && tcm_opcode_offered(twin, dev))
			return twin;
	return NULL;
}

bool tcm_opcode_any_offered(u8 opcode, const struct tcm_device *dev)
{
	const struct tcm_opcode_run *run = &tcm_op_index[opcode];
	const struct tcm_opcode *op;

	for (op = run->rows; op < run->rows + run->n; op++)
		if (tcm_opcode_offered(op, dev))
			return true;
	return false;
}

static u64 tcm_cdb_field(const u8 *p, unsigned int size)
{
	switch (size) {
	case 1:
		return *p;
	case 2:
		return get_unaligned_be16(p);
	case 3:
		return get_unaligned_be24(p);
	case 4:
		return get_unaligned_be32(p);
	default:
		return get_unaligned_be64(p);
	}
}

unsigned int tcm_cdb_control_at(u8 opcode)
{
	static const u8 at[8] = { 5, 9, 9, 1, 15, 11 };

	return at[opcode >> 5];
}

/*
 * Point at the most significant reserved bit that is set, as SPC-4 4.5.2.4.2 asks. NACA is none
 * where there is ACA; the usage bitmaps leave it out, and nobody looks at it but core/aca.c.
 */
static enum tcm_sense tcm_opcode_reserved(struct tcm_cmd *cmd)
{
	unsigned int control = tcm_cdb_control_at(cmd->cdb[0]), i;

	for (i = 1; i < cmd->op->cdb_len; i++) {
		u8 bad = cmd->cdb[i] & ~tcm_opcode_usage(cmd->op, i);

		if (i == control && cmd->dev && cmd->dev->attr.emulate_aca)
			bad &= ~TCM_CONTROL_NACA;
		if (bad)
			return tcm_bad_cdb(cmd, i, fls(bad) - 1);
	}
	return TCM_OK;
}

/* cdb_buf is zero padded to a multiple of eight; longer CDBs are compared in place. */
static bool tcm_opcode_bits_ok(const struct tcm_opcode *op, const u8 *cdb)
{
	unsigned int left = op->cdb_len, i;
	u64 bad = 0;

	for (i = 0; left >= 8; i += 8, left -= 8)
		bad |= get_unaligned_le64(cdb + i) & ~get_unaligned_le64(op->usage + i);
	if (left)
		bad |= get_unaligned_le64(cdb + i) & ~get_unaligned_le64(op->usage + i) &
		       (~0ULL >> (64 - 8 * left));
	return !bad;
}

/*
 * Bits are set that the row does not let pass at once: NACA, which is for all of them; GROUP
 * NUMBER; or the PROTECT field of a device with protection information, which has a row of its own.
 */
static noinline enum tcm_sense tcm_opcode_parse_odd(struct tcm_cmd *cmd)
{
	enum tcm_sense sense = tcm_opcode_reserved(cmd);
	const struct tcm_opcode *op;

	if (tcm_cdb_group(cmd->op, cmd->cdb))
		cmd->flags |= TCM_CMD_GROUP;
	if (!sense)
		return TCM_OK;
	op = cmd->dev ? tcm_opcode_protected(cmd->op, cmd->dev, cmd->sess) : NULL;
	if (!op)
		return sense;
	cmd->op = op;
	cmd->extra.flags = 0;
	sense = tcm_opcode_reserved(cmd);
	if (sense)
		return sense;
	return tcm_opcode_has_pi(op, cmd->dev, cmd->sess) ? TCM_OK : TCM_INVALID_OPCODE;
}

enum tcm_sense tcm_opcode_parse(struct tcm_cmd *cmd)
{
	const struct tcm_opcode *op = cmd->op;
	const u8 *cdb = cmd->cdb;
	enum tcm_sense sense;
	u64 len = 0;

	if (unlikely(cmd->cdb_len < op->cdb_len))
		return tcm_bad_cdb(cmd, cmd->cdb_len, -1);
	if (unlikely(!tcm_opcode_bits_ok(op, cdb))) {
		sense = tcm_opcode_parse_odd(cmd);
		if (sense)
			return sense;
		op = cmd->op;
	}

	if (op->lba_at) {
		cmd->lba = tcm_cdb_field(cdb + op->lba_at, op->lba_size);
		if (op->lba_size == 3)
			cmd->lba &= 0x1fffff;
	} else {
		cmd->lba = 0;
		cmd->nblocks = 0;
	}
	if (op->len_at)
		len = tcm_cdb_field(cdb + op->len_at, op->len_size);

	switch (op->xfer) {
	case TCM_XFER_BLOCKS6:
		len = len ?: 256;
		fallthrough;
	case TCM_XFER_BLOCKS:
		cmd->nblocks = len;
		if (unlikely(len > tcm_sbc_max_blocks(cmd->dev, cmd->sess->ops)))
			return tcm_bad_cdb(cmd, op->len_at, -1);
		cmd->data_len = len << cmd->dev->block_shift;
		break;
	case TCM_XFER_BYTES:
		if (op->dir == DMA_FROM_DEVICE)
			len = min_t(u64, len, TCM_ANSWER_MAX);
		cmd->data_len = len;
		break;
	case TCM_XFER_ONE_BLOCK:
		cmd->nblocks = len;
		cmd->data_len = 1U << cmd->dev->block_shift;
		break;
	case TCM_XFER_EXTENT:
		cmd->nblocks = len;
		cmd->data_len = 0;
		break;
	default:
		cmd->data_len = 0;
		break;
	}
	return op->parse ? op->parse(cmd) : TCM_OK;
}
