// SPDX-License-Identifier: GPL-2.0-only
/*
 * POPULATE TOKEN on one unit and WRITE USING TOKEN on another, carried out: each access is on the
 * medium, and what is told of them fits.
 */
#include "../../core/copy.h"
#include "../../core/opcode.h"
#include "../../core/rod.h"
#include "../../core/vpd.h"
#include "fuzz.h"

#define FUZZ_TOKEN_AT	16	/* in WRITE USING TOKEN's list */
#define FUZZ_LIST_ID	5

static void fuzz_zeroes(struct tcm_io *io)
{
	if (fuzz_by_hand)
		tcm_io_done(io, TCM_INVALID_OPCODE);
	else
		io->dev->ops->submit(io);
}

/* @data: parameter list, or where the answer goes. Returns the sense code. */
static enum tcm_sense run(struct fuzz_lun *l, u8 opcode, u8 sa, u8 *data, u32 len, u32 cdb_len,
			  unsigned int steps)
{
	u8 cdb[16] = { opcode, sa };

	put_unaligned_be32(opcode == EXTENDED_COPY ? FUZZ_LIST_ID : 0, cdb + 6);
	if (opcode == RECEIVE_COPY_RESULTS && sa != 8)
		put_unaligned_be32(FUZZ_LIST_ID, cdb + 2);
	put_unaligned_be32(cdb_len, cdb + 10);
	return fuzz_run(l, cdb, data, len, steps);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct fuzz_in in = { data, size };
	struct fuzz_lun *a = fuzz_lun_new(&in), *b = fuzz_lun_new(&in);
	u32 bits = fuzz_take(&in, 2), len, first;
	u8 answer[1024] = { }, *list, *head;

	a->dev.type = TYPE_DISK;
	b->dev.type = TYPE_DISK;
	b->dev.index = 2;
	if (bits & 1)
		b->sess.low[1] = &a->map;
	a->map.gate = fuzz_take(&in, 2);
	b->map.gate = fuzz_take(&in, 2);
	if (bits & 2) {
		a->backend.copy = fuzz_copy;
		a->backend.write_zeroes = fuzz_zeroes;
		a->dev.ops = &b->backend;
		b->backend = a->backend;
	}
	fuzz_by_hand = bits & 4;
	first = fuzz_take(&in, 1) * 4;
	list = fuzz_rest(&in);
	len = in.left;
	first = min(first, len);
	head = malloc(first ?: 1);
	memcpy(head, list, first);
	run(a, EXTENDED_COPY, TCM_SA_POPULATE_TOKEN, head, first, bits & 8 ? first + 4 : first,
	    UINT_MAX);
	if (!run(a, RECEIVE_COPY_RESULTS, 7, answer, sizeof(answer), sizeof(answer), 0) &&
	    get_unaligned_be32(answer) == 546 && bits & 16 &&
	    len - first >= FUZZ_TOKEN_AT + TCM_ROD_TOKEN_LEN)
		memcpy(list + first + FUZZ_TOKEN_AT, answer + 38, TCM_ROD_TOKEN_LEN);
	free(head);
	head = malloc(len - first ?: 1);
	memcpy(head, list + first, len - first);
	free(list);
	run(b, EXTENDED_COPY, TCM_SA_WRITE_USING_TOKEN, head, len - first,
	    bits & 32 ? len - first + 4 : len - first, bits & 64 ? 5 : UINT_MAX);
	free(head);
	run(b, RECEIVE_COPY_RESULTS, bits & 128 ? 5 : 7, answer, bits >> 8, bits >> 8, 0);
	run(a, RECEIVE_COPY_RESULTS, 8, answer, sizeof(answer), sizeof(answer), 0);
	fuzz_lun_free(b);
	fuzz_lun_free(a);
	return 0;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	fuzz_check(!tcm_opcode_init() && !tcm_copy_init());
	return 0;
}
