// SPDX-License-Identifier: GPL-2.0-only
/*
 * UNMAP parameter lists.
 */
#include "../../core/sbc_unmap.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct fuzz_in in = { data, size };
	struct tcm_unmap_limits lim = {
		.max_desc = fuzz_take(&in, 2),
		.max_lba = fuzz_take(&in, 4),
	};
	struct tcm_sense_extra x = { };
	enum tcm_sense sense;
	struct tcm_unmap *u;
	unsigned int i;
	u64 sum = 0;

	lim.nblocks = fuzz_take(&in, 8);
	u = malloc(offsetof(struct tcm_unmap, header) + max(in.left, sizeof(u->header)));
	memcpy(&u->header, in.p, in.left);
	sense = tcm_unmap_parse(u, in.left, &lim, &x);
	if (sense) {
		fuzz_sense(sense, &x, in.left);
	} else {
		fuzz_check(u->n <= lim.max_desc);
		for (i = 0; i < u->n; i++) {
			fuzz_check(u->ext[i].host.lba <= lim.nblocks);
			fuzz_check(u->ext[i].host.nblocks <= lim.nblocks - u->ext[i].host.lba);
			sum += u->ext[i].host.nblocks;
		}
		fuzz_check(sum <= lim.max_lba);
	}
	free(u);
	return 0;
}
