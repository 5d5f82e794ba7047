// SPDX-License-Identifier: GPL-2.0-only
/*
 * Writes to res_aptpl_metadata, one after the other; a zero byte is between them.
 */
#include "pr.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct fuzz_in none = { };
	struct fuzz_lun *l = fuzz_lun_new(&none);
	size_t len;
	char *text;

	l->dev.attr.emulate_pr = 1;
	while (size) {
		len = strnlen((const char *)data, size);
		/* configfs ends what was written by a zero that does not count. */
		text = malloc(len + 1);
		memcpy(text, data, len);
		text[len] = '\0';
		fuzz_check(fuzz_pr_restore(&l->dev, text, len) <= (ssize_t)len);
		free(text);
		fuzz_pr_check(&l->dev);
		/* The text of the file, whatever it has become */
		text = malloc(len + 1);
		memcpy(text, data, len);
		text[len] = '\0';
		tcm_pr_text_whole(text);
		free(text);
		len = min(len + 1, size);
		data += len;
		size -= len;
	}
	fuzz_pr_power_cycle(&l->dev);
	fuzz_lun_free(l);
	return 0;
}
