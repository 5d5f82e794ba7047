// SPDX-License-Identifier: GPL-2.0-only
/*
 * What people and programs write into configfs: numbers, names, `control`, `lba_map`.
 */
#include "../../configfs/cfs.h"
#include "../../configfs/lba_map.h"
#include "../../core/alua.h"
#include "../../core/device.h"
#include "fuzz.h"

/* configfs ends what was written by a zero byte that does not count. */
static char *page_of(struct fuzz_in *in)
{
	char *page = malloc(in->left + 1);

	memcpy(page, in->p, in->left);
	page[in->left] = '\0';
	return page;
}

static bool ascii_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

static void check_take(const char *page, size_t count, size_t size)
{
	char *buf = malloc(size);
	size_t n;

	/* What is text and has nothing to trim is taken as it is, or is too long. */
	if (count && tcm_text_is_utf8(page, count) && !memchr(page, 0, count) &&
	    !ascii_space(page[0]) && !ascii_space(page[count - 1])) {
		fuzz_check(tcm_text_take(page, count, buf, size) == (count < size ? 0 : -EOVERFLOW));
		fuzz_check(count >= size || !memcmp(buf, page, count));
	}
	if (!tcm_text_take(page, count, buf, size)) {
		n = strlen(buf);
		fuzz_check(n < size && tcm_text_is_utf8(buf, n));
		/* Taken again it stays what it is. */
		fuzz_check(!tcm_text_take(buf, n, buf, size) && strlen(buf) == n);
	}
	free(buf);
}

static void check_clean(const char *page, size_t count)
{
	char *copy = malloc(count ?: 1);

	memcpy(copy, page, count);
	fuzz_check(tcm_text_clean(copy, count) == (ssize_t)count);
	fuzz_check(tcm_text_is_utf8(copy, count));
	fuzz_check(!memchr(copy, 0, count));
	free(copy);
}

static void check_control(const char *page, size_t count)
{
	char *text = strdup(page), *at = text, *key, *value;

	while (tcm_control_next(&at, &key, &value)) {
		fuzz_check(key >= text && key < text + count && value <= text + count);
		fuzz_check(!strpbrk(key, ",\n=") && !strpbrk(value, ",\n"));
	}
	free(text);
}

static void check_map(const char *page)
{
	struct tcm_lba_range *range;
	char *text = strdup(page);
	unsigned int count = 0;
	LIST_HEAD(map);
	u32 size, mult;
	bool ok = !tcm_lba_map_parse(text, &size, &mult, &map);

	while (!list_empty(&map)) {
		range = list_first_entry(&map, struct tcm_lba_range, node);
		if (ok) {
			fuzz_check(range->first <= range->last && range->count);
			fuzz_check(!count || count == range->count);
			count = range->count;
		}
		list_del(&range->node);
		free(range);
	}
	free(text);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct fuzz_in in = { data, size };
	u64 n, max = 1ULL << (fuzz_take(&in, 1) % 64);
	char *page = page_of(&in);

	if (!tcm_text_uint(page, in.left, max, &n))
		fuzz_check(n <= max);
	if (!tcm_text_bool(page, in.left, &n))
		fuzz_check(n <= 1);
	check_take(page, in.left, 1 + max % 64);
	check_clean(page, in.left);
	check_control(page, in.left);
	check_map(page);
	if (!tcm_cfs_check_name(page))
		fuzz_check(tcm_text_is_utf8(page, strlen(page)));
	if (!tcm_cfs_lun_number(page, &n))
		fuzz_check(n <= TCM_LUN_MAX);
	free(page);
	return 0;
}
