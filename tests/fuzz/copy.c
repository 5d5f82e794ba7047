// SPDX-License-Identifier: GPL-2.0-only
/*
 * EXTENDED COPY parameter lists between two units, carried out: each access is on the medium.
 */
#include "../../core/copy.h"
#include "../../core/opcode.h"
#include "../../core/vpd.h"
#include "fuzz.h"

#define FUZZ_DESIG_A	0xf0	/* first bytes that stand for a descriptor of one of the units */
#define FUZZ_DESIG_B	0xf1

/* The unit's own designator, the first that names it and fits */
static void put_cscd(const struct tcm_lun *lun, u8 *p)
{
	u8 *page = calloc(1, TCM_VPD_MAX), at, len;

	len = tcm_vpd_build(lun, tcm_vpd_find(lun->dev, 0x83), page);
	for (at = 4; at < len; at += 4 + page[at + 3])
		if ((page[at + 1] & 0x3f) == 3 && page[at + 3] <= 20)
			break;
	fuzz_check(at < len);
	p[0] = 0xe4;
	p[1] = 0;
	memcpy(p + 4, page + at, 4 + page[at + 3]);
	free(page);
}

/* Replace what stands for a unit; the rest of the descriptor is the input's. */
static void fill_cscds(u8 *list, unsigned int len, struct fuzz_lun *a, struct fuzz_lun *b,
		       unsigned int at)
{
	for (; at + 32 <= len; at += 32) {
		if (list[at] != FUZZ_DESIG_A && list[at] != FUZZ_DESIG_B)
			break;
		put_cscd(list[at] == FUZZ_DESIG_A ? &a->lun : &b->lun, list + at);
	}
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct fuzz_in in = { data, size };
	struct fuzz_lun *a = fuzz_lun_new(&in), *b = fuzz_lun_new(&in);
	u8 bits = fuzz_take(&in, 1), cdb[16] = { EXTENDED_COPY }, *list, status[64] = { };
	unsigned int len;

	a->dev.type = TYPE_DISK;
	b->dev.type = TYPE_DISK;
	strscpy(a->dev.serial, "a0", sizeof(a->dev.serial));
	strscpy(b->dev.serial, "b0", sizeof(b->dev.serial));
	a->sess.low[1] = &b->map;
	b->map.gate = fuzz_take(&in, 2);
	if (bits & 1) {
		a->backend.copy = fuzz_copy;
		b->dev.ops = &a->backend;
	}
	fuzz_by_hand = bits & 2;
	list = fuzz_rest(&in);
	len = in.left;
	cdb[1] = bits & 32 ? TCM_SA_COPY_LID4 : TCM_SA_COPY_LID1;
	fill_cscds(list, len, a, b, bits & 32 ? 48 : 16);
	put_unaligned_be32(bits & 4 ? len + 4 : len, cdb + 10);
	fuzz_run(a, cdb, list, len, bits & 8 ? 5 : UINT_MAX);
	memset(cdb, 0, sizeof(cdb));
	cdb[0] = RECEIVE_COPY_RESULTS;
	if (bits & 32) {
		cdb[1] = 5;
		if (len >= 24)
			memcpy(cdb + 2, list + 20, 4);
	} else {
		cdb[1] = bits & 16 ? 3 : 0;
		cdb[2] = bits & 16 ? 0 : len ? list[0] : 0;
	}
	put_unaligned_be32(sizeof(status), cdb + 10);
	fuzz_run(a, cdb, status, sizeof(status), 0);
	free(list);
	fuzz_lun_free(b);
	fuzz_lun_free(a);
	return 0;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	fuzz_check(!tcm_opcode_init() && !tcm_copy_init());
	return 0;
}
