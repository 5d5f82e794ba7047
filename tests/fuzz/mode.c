// SPDX-License-Identifier: GPL-2.0-only
/*
 * MODE SELECT parameter lists; what is accepted is taken over and read back.
 */
#include "../../core/mode.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct fuzz_in in = { data, size };
	struct fuzz_lun *l = fuzz_lun_new(&in);
	u8 page = fuzz_take(&in, 1), subpage = fuzz_take(&in, 1), *list, *buf;
	bool ten = fuzz_take(&in, 1) & 1;
	struct tcm_sense_extra x = { };
	enum tcm_sense sense;
	unsigned int len;

	list = fuzz_rest(&in);
	sense = tcm_mode_list_check(&l->dev, list, in.left, ten, &x);
	if (sense) {
		fuzz_sense(sense, &x, in.left);
	} else {
		tcm_mode_list_apply(&l->dev, list, in.left, ten);
		/* What was just set is no change any more. */
		fuzz_check(!tcm_mode_list_check(&l->dev, list, in.left, ten, &x));
		fuzz_check(!tcm_mode_list_apply(&l->dev, list, in.left, ten));
	}
	buf = calloc(1, TCM_MODE_MAX);
	len = tcm_mode_bd_build(&l->dev, subpage & 1, buf + 8);
	len += tcm_mode_pages_build(&l->dev, page & 0x3f, subpage, page >> 6 & 1, buf + 8 + len);
	fuzz_check(len + 8 <= TCM_MODE_MAX);
	free(buf);
	free(list);
	fuzz_lun_free(l);
	return 0;
}
