// SPDX-License-Identifier: GPL-2.0-only
/*
 * MODE SELECT parameter lists; what is accepted is taken over and read back.
 */
#include "../../core/lu.h"
#include "fuzz.h"

static unsigned int build_all(struct fuzz_lun *l, enum tcm_mode_pc pc, u8 *buf)
{
	return tcm_mode_pages_build(&l->dev, TCM_MODE_ALL_PAGES, TCM_MODE_ALL_SUBPAGES, pc,
				    TCM_MODE_MAX, buf);
}

/* Saved values are the current ones after a reset, and survive the way to the file and back. */
static void check_saved(struct fuzz_lun *l)
{
	u8 *before = calloc(2, TCM_MODE_MAX), *after = before + TCM_MODE_MAX;
	struct tcm_mode_state *state = &l->lu.mode, copy = *state;
	unsigned int len, n;
	char *text, *at, *line;

	len = build_all(l, TCM_MODE_SAVED, before);
	tcm_mode_reset(&l->dev);
	n = build_all(l, TCM_MODE_CURRENT, after);
	fuzz_check(len == n && !memcmp(before, after, n));
	text = malloc(TCM_LU_FILE_MAX);
	text[tcm_mode_save(state, text, TCM_LU_FILE_MAX)] = '\0';
	memset(state, 0, sizeof(*state));
	for (at = text; (line = strsep(&at, "\n")) && *line; )
		tcm_mode_restore(state, line + strlen("mode "));
	fuzz_check(state->have == copy.have && !memcmp(state->saved, copy.saved, sizeof(copy.saved)));
	*state = copy;
	free(text);
	free(before);
}

/* The same list once more changes nothing, if it says different things of one page or not. */
static void check_again(struct fuzz_lun *l, const u8 *list, size_t len, bool ten, bool save)
{
	u8 *before = calloc(2, TCM_MODE_MAX), *after = before + TCM_MODE_MAX;
	struct tcm_sense_extra x;
	unsigned int n;

	build_all(l, TCM_MODE_CURRENT, before);
	fuzz_check(!tcm_mode_list_check(&l->dev, list, len, ten, &x));
	tcm_mode_list_apply(&l->dev, list, len, ten, save);
	n = build_all(l, TCM_MODE_CURRENT, after);
	fuzz_check(!memcmp(before, after, n));
	free(before);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct fuzz_in in = { data, size };
	struct fuzz_lun *l = fuzz_lun_new(&in);
	u8 page = fuzz_take(&in, 1), subpage = fuzz_take(&in, 1), *list, *buf;
	u8 bits = fuzz_take(&in, 1);
	bool ten = bits & 1, save = bits & 2;
	struct tcm_sense_extra x = { };
	enum tcm_sense sense;
	unsigned int len;

	list = fuzz_rest(&in);
	sense = tcm_mode_list_check(&l->dev, list, in.left, ten, &x);
	if (sense) {
		fuzz_sense(sense, &x, in.left);
	} else {
		tcm_mode_list_apply(&l->dev, list, in.left, ten, save);
		check_again(l, list, in.left, ten, save);
		check_saved(l);
	}
	buf = calloc(1, TCM_MODE_MAX);
	len = tcm_mode_bd_build(&l->dev, subpage & 1, buf + 8);
	len += tcm_mode_pages_build(&l->dev, page & 0x3f, subpage, page >> 6 & 1,
				    ten ? TCM_MODE_MAX : TCM_MODE_MAX_SIX, buf + 8 + len);
	fuzz_check(len + 8 <= (ten ? TCM_MODE_MAX : TCM_MODE_MAX_SIX));
	free(buf);
	free(list);
	fuzz_lun_free(l);
	return 0;
}
