// SPDX-License-Identifier: GPL-2.0-only
/*
 * A logical unit's file below dbroot: a line that says what it is, then a line for each thing that
 * is kept. Pure: can be fed garbage in user space.
 */
#include <linux/kernel.h>
#include <linux/kstrtox.h>
#include <linux/string.h>
#include "lu.h"
#include "pi.h"
#include "wipe.h"

#define TCM_LU_MAGIC	"tcm_lu 1"

static const char * const tcm_wipe_lines[] = { "format", "sanitize", "sanitize ause" };

static size_t tcm_wipe_save(const struct tcm_wipe_left *left, char *buf, size_t size)
{
	unsigned int i = left->kind == TCM_WIPE_FORMAT ? 0 : 1 + left->ause;
	size_t len = 0;

	if (left->formatted)
		len += scnprintf(buf, size, "protection %u\n", left->pi_type);
	if (left->undone)
		len += scnprintf(buf + len, size - len, "wipe %s\n", tcm_wipe_lines[i]);
	return len;
}

static bool tcm_wipe_restore(struct tcm_wipe_left *left, const char *what, const char *line)
{
	u8 type;
	int i;

	if (!strcmp(what, "protection")) {
		if (!kstrtou8(line, 10, &type) && type <= TCM_PI_TYPES) {
			left->formatted = true;
			left->pi_type = type;
		}
		return true;
	}
	if (strcmp(what, "wipe"))
		return false;
	i = match_string(tcm_wipe_lines, ARRAY_SIZE(tcm_wipe_lines), line);
	if (i >= 0) {
		left->undone = true;
		left->kind = i ? TCM_WIPE_OVERWRITE : TCM_WIPE_FORMAT;
		left->ause = i == 2;
	}
	return true;
}

size_t tcm_lu_print(const struct tcm_lu *lu, char *buf, size_t size)
{
	size_t len = scnprintf(buf, size, TCM_LU_MAGIC "\n");

	lockdep_assert_held(&lu->lock);
	len += tcm_mode_save(&lu->mode, buf + len, size - len);
	len += tcm_ident_save(lu->ident, buf + len, size - len);
	len += tcm_wipe_save(&lu->left, buf + len, size - len);
	return len + tcm_selftest_save(&lu->selftest, buf + len, size - len);
}

/* A line is what it is about, then the rest. Lines nobody knows are of a later version. */
bool tcm_lu_parse(struct tcm_lu *lu, char *text)
{
	char *line, *what;

	lockdep_assert_held(&lu->lock);
	if (strcmp(strsep(&text, "\n"), TCM_LU_MAGIC))
		return false;
	while ((line = strsep(&text, "\n"))) {
		what = strsep(&line, " ");
		if (!line)
			continue;
		if (!strcmp(what, "mode"))
			tcm_mode_restore(&lu->mode, line);
		else if (!strcmp(what, "test"))
			tcm_selftest_restore(&lu->selftest, line);
		else if (!tcm_wipe_restore(&lu->left, what, line))
			tcm_ident_restore(lu->ident, what, line);
	}
	return true;
}
