// SPDX-License-Identifier: GPL-2.0-only
/*
 * Text in and out. What comes in is at most a page; what goes out is read by programs that
 * insist on UTF-8.
 */
#include <linux/ctype.h>
#include <linux/export.h>
#include <linux/kstrtox.h>
#include <linux/nls.h>
#include <linux/string.h>
#include "cfs.h"

/* Bytes of the character at @text, 0 when there is none. */
static size_t tcm_text_char(const char *text, size_t len)
{
	unicode_t u;
	int n;

	if (isascii(*text))
		return 1;
	n = utf8_to_utf32((const u8 *)text, min_t(size_t, len, 6), &u);
	return n > 0 ? n : 0;
}

bool tcm_text_is_utf8(const char *text, size_t len)
{
	size_t n;

	for (; len; text += n, len -= n) {
		n = tcm_text_char(text, len);
		if (!n)
			return false;
	}
	return true;
}
EXPORT_SYMBOL_GPL(tcm_text_is_utf8);

ssize_t tcm_text_clean(char *text, ssize_t len)
{
	ssize_t i = 0;

	while (i < len) {
		size_t n = text[i] ? tcm_text_char(text + i, len - i) : 0;

		if (!n)
			text[i] = '?';
		i += n ?: 1;
	}
	return len;
}

ssize_t tcm_text_line(char *page, ssize_t len, const char *fmt, ...)
{
	size_t room = PAGE_SIZE - len;
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(page + len, room, fmt, args);
	va_end(args);
	return n < room ? len + n : len;
}

/* The kernel's isspace() knows Latin-1, of which a byte may be the end of a character here. */
static bool tcm_text_space(char c)
{
	return isascii(c) && isspace(c);
}

int tcm_text_take(const char *page, size_t count, char *buf, size_t size)
{
	while (count && tcm_text_space(page[count - 1]))
		count--;
	while (count && tcm_text_space(*page)) {
		page++;
		count--;
	}
	if (memchr(page, 0, count) || !tcm_text_is_utf8(page, count))
		return -EINVAL;
	if (count >= size)
		return -EOVERFLOW;
	memcpy(buf, page, count);
	buf[count] = '\0';
	return 0;
}

int tcm_text_uint(const char *page, size_t count, u64 max, u64 *value)
{
	int err;

	if (memchr(page, 0, count))
		return -EINVAL;
	err = kstrtoull(page, 0, value);
	if (err)
		return err;
	return *value > max ? -ERANGE : 0;
}

int tcm_text_bool(const char *page, size_t count, u64 *value)
{
	bool yes;
	int err;

	if (memchr(page, 0, count))
		return -EINVAL;
	err = kstrtobool(page, &yes);
	if (!err)
		*value = yes;
	return err;
}

int tcm_cfs_check_name(const char *name)
{
	size_t len = strlen(name);
	size_t i;

	for (i = 0; i < len; i++)
		if (isascii(name[i]) && iscntrl(name[i]))
			return -EINVAL;
	return tcm_text_is_utf8(name, len) ? 0 : -EINVAL;
}

int tcm_cfs_lun_number(const char *name, u64 *number)
{
	int err;

	if (!strstarts(name, "lun_"))
		return -EINVAL;
	err = kstrtou64(name + 4, 0, number);
	if (err)
		return err;
	return *number > TCM_LUN_MAX ? -EINVAL : 0;
}
