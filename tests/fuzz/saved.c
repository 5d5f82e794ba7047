// SPDX-License-Identifier: GPL-2.0-only
/*
 * The lines of a logical unit's file below dbroot, as a reboot finds them.
 */
#include "../../core/pi.h"
#include "../../core/wipe.h"
#include "fuzz.h"

static void check(const struct tcm_lu *lu)
{
	unsigned int i;

	fuzz_check(lu->selftest.n <= TCM_SELFTEST_RESULTS);
	fuzz_check(lu->ident[0].len <= TCM_IDENT_MAX && lu->ident[1].len <= TCM_IDENT_TEXT_MAX);
	fuzz_check(lu->left.pi_type <= TCM_PI_TYPES && (lu->left.formatted || !lu->left.pi_type));
	fuzz_check(lu->left.kind == TCM_WIPE_FORMAT || lu->left.kind == TCM_WIPE_OVERWRITE);
	fuzz_check(lu->left.undone || (!lu->left.kind && !lu->left.ause));
	for (i = 0; i < tcm_mode_page_count; i++)
		fuzz_check(!(lu->mode.have & BIT(i)) || tcm_mode_pages[i].set);
}

/* What was restored and saved comes out the same once more. */
int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct tcm_lu *lu = calloc(2, sizeof(*lu));
	char *text = malloc(TCM_LU_FILE_MAX), *first = malloc(TCM_LU_FILE_MAX);
	char *lines = kmemdup_nul((const char *)data, size, GFP_KERNEL);
	char *input = malloc(size + sizeof("tcm_lu 1\n"));

	strcpy(input, "tcm_lu 1\n");
	strcat(input, lines);
	memset(text, 0xee, TCM_LU_FILE_MAX);
	fuzz_check(tcm_lu_parse(lu, input));
	check(lu);
	fuzz_check(tcm_lu_print(lu, text, TCM_LU_FILE_MAX) == strlen(text));
	strcpy(first, text);
	fuzz_check(tcm_lu_parse(lu + 1, text));
	tcm_lu_print(lu + 1, text, TCM_LU_FILE_MAX);
	fuzz_check(!strcmp(first, text));
	/* By itself it is no file of ours, unless it says so. */
	fuzz_check(!strncmp(lines, "tcm_lu 1", 8) || !tcm_lu_parse(lu, lines));
	free(input);
	free(lines);
	free(first);
	free(text);
	free(lu);
	return 0;
}
