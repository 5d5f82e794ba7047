// SPDX-License-Identifier: GPL-2.0-only
/*
 * CDBs against the opcode table, and the answers of the commands that compute one.
 */
#include "../../core/copy.h"
#include "../../core/opcode.h"
#include "../../core/pr.h"
#include "../../core/sbc.h"
#include "../../core/spc.h"
#include "fuzz.h"

#define FUZZ_DATA_MAX	SZ_64K

static void check_parsed(const struct tcm_cmd *cmd)
{
	u32 pi = cmd->flags & TCM_CMD_PI ? cmd->pi.bytes : 0;
	const struct tcm_opcode *op = cmd->op;
	unsigned int i;

	for (i = 1; i < op->cdb_len; i++) {
		u8 naca = i == tcm_cdb_control_at(op->opcode) && cmd->dev && cmd->dev->attr.emulate_aca ?
			TCM_CONTROL_NACA : 0;

		fuzz_check(!(cmd->cdb[i] & ~tcm_opcode_usage(op, i) & ~naca));
	}
	/* Nobody makes the target set aside more than this for an answer. */
	if (op->xfer == TCM_XFER_BYTES && op->dir == DMA_FROM_DEVICE)
		fuzz_check(cmd->data_len <= TCM_ANSWER_MAX);
	if (op->xfer == TCM_XFER_BLOCKS || op->xfer == TCM_XFER_BLOCKS6)
		fuzz_check(cmd->data_len ==
			   ((u64)cmd->nblocks << cmd->dev->block_shift) + pi);
	if (op->xfer == TCM_XFER_ONE_BLOCK)
		fuzz_check(cmd->data_len <= 4096 + pi);
}

/* Rows that move no medium's data and change nothing but mode pages. */
static void execute(struct tcm_cmd *cmd, struct fuzz_in *in)
{
	u32 asked = cmd->data_len;
	enum tcm_sense sense;
	u8 *data;

	if (cmd->op->flags & (TCM_OP_MEDIUM | TCM_OP_EXCL))
		return;
	cmd->exp_len = min_t(u32, asked, FUZZ_DATA_MAX);
	cmd->xfer_len = cmd->exp_len;
	data = malloc(cmd->exp_len ?: 1);
	memset(data, 0, cmd->exp_len ?: 1);
	memcpy(data, in->p, min_t(size_t, in->left, cmd->exp_len));
	cmd->sg = (struct scatterlist *)data;
	cmd->sg_nents = cmd->exp_len;
	fuzz_completed = 0;
	sense = cmd->op->exec(cmd);
	if (sense == TCM_PENDING) {
		/* A self-test of a large medium is cut off. */
		fuzz_work(64);
		cmd->state.counter |= TCM_ST_ABORTED;
		fuzz_work(UINT_MAX);
		fuzz_check(fuzz_completed == 1);
		sense = cmd->sense;
	} else {
		fuzz_check(!fuzz_completed);
	}
	fuzz_check(cmd->data_len <= asked && cmd->xfer_len <= cmd->exp_len);
	if (sense && !(sense & (1 << 24)))
		fuzz_sense(sense, &cmd->extra, max(asked, 32U));
	free(data);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct fuzz_in in = { data, size };
	struct fuzz_lun *l = fuzz_lun_new(&in);
	struct tcm_cmd *cmd = calloc(1, sizeof(*cmd));
	unsigned int len = 6 + fuzz_take(&in, 1) % 27, i;
	enum tcm_sense sense;
	bool known;

	for (i = 0; i < len; i++)
		cmd->cdb_buf[i] = fuzz_take(&in, 1);
	cmd->cdb = cmd->cdb_buf;
	cmd->cdb_len = len;
	cmd->dev = &l->dev;
	cmd->lun = &l->lun;
	cmd->map = &l->map;
	cmd->sess = &l->sess;
	cmd->op = tcm_opcode_find(cmd->cdb, len, &known);
	fuzz_check(!cmd->op || known);
	if (!cmd->op || !tcm_opcode_offered(cmd->op, &l->dev))
		goto out;
	fuzz_check(cmd->op->opcode == cmd->cdb[0]);
	sense = tcm_opcode_parse(cmd);
	if (sense) {
		fuzz_check(!(sense & (1 << 24)));
		fuzz_sense(sense, &cmd->extra, len);
		goto out;
	}
	check_parsed(cmd);
	execute(cmd, &in);
out:
	free(cmd);
	fuzz_lun_free(l);
	return 0;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	fuzz_check(!tcm_opcode_init());
	fuzz_check(!tcm_pr_init() && !tcm_copy_init());
	return 0;
}
