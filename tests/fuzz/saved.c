// SPDX-License-Identifier: GPL-2.0-only
/*
 * The lines of a logical unit's file below dbroot, as a reboot finds them.
 */
#include "fuzz.h"

static void restore(struct tcm_lu *lu, char *text)
{
	char *line, *what;

	while ((line = strsep(&text, "\n"))) {
		what = strsep(&line, " ");
		if (!line)
			continue;
		if (!strcmp(what, "mode"))
			tcm_mode_restore(&lu->mode, line);
		else if (!strcmp(what, "test"))
			tcm_selftest_restore(&lu->selftest, line);
		else
			tcm_ident_restore(lu->ident, what, line);
	}
}

static size_t save(struct tcm_lu *lu, char *text, size_t size)
{
	size_t len = tcm_mode_save(&lu->mode, text, size);

	len += tcm_ident_save(lu->ident, text + len, size - len);
	len += tcm_selftest_save(&lu->selftest, text + len, size - len);
	fuzz_check(len < size);
	text[len] = '\0';
	return len;
}

/* What was restored and saved comes out the same once more. */
int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct tcm_lu *lu = calloc(2, sizeof(*lu));
	char *text = malloc(TCM_LU_FILE_MAX), *first = malloc(TCM_LU_FILE_MAX), *input;
	unsigned int i;

	input = kmemdup_nul((const char *)data, size, GFP_KERNEL);
	restore(lu, input);
	fuzz_check(lu->selftest.n <= TCM_SELFTEST_RESULTS);
	fuzz_check(lu->ident[0].len <= TCM_IDENT_MAX && lu->ident[1].len <= TCM_IDENT_TEXT_MAX);
	save(lu, text, TCM_LU_FILE_MAX);
	strcpy(first, text);
	restore(lu + 1, text);
	save(lu + 1, text, TCM_LU_FILE_MAX);
	fuzz_check(!strcmp(first, text));
	for (i = 0; i < tcm_mode_page_count; i++)
		fuzz_check(!(lu->mode.have & BIT(i)) || tcm_mode_pages[i].set);
	free(input);
	free(first);
	free(text);
	free(lu);
	return 0;
}
