// SPDX-License-Identifier: GPL-2.0-only
/*
 * Kernel library functions with the kernel's outcomes, as far as the parsers use them.
 */
#include "kernel.h"

/* Digits, at most one newline behind them; base 0 finds 0x and 0 by itself. */
int kstrtoull(const char *s, unsigned int base, u64 *value)
{
	u64 n = 0;
	int digits = 0;

	if (*s == '+')
		s++;
	if (!base) {
		base = 10;
		if (*s == '0')
			base = tolower((u8)s[1]) == 'x' && isxdigit((u8)s[2]) ? 16 : 8;
	}
	if (base == 16 && s[0] == '0' && tolower((u8)s[1]) == 'x')
		s += 2;
	for (;; s++, digits++) {
		int d = hex_to_bin(*s);

		if (d < 0 || d >= (int)base)
			break;
		if (n > (U64_MAX - d) / base)
			return -ERANGE;
		n = n * base + d;
	}
	if (*s == '\n')
		s++;
	if (!digits || *s)
		return -EINVAL;
	*value = n;
	return 0;
}

int kstrtobool(const char *s, bool *value)
{
	static const struct { const char *word; bool value; } words[] = {
		{ "y", true }, { "t", true }, { "1", true }, { "on", true },
		{ "n", false }, { "f", false }, { "0", false }, { "of", false },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(words); i++)
		if (!strncasecmp(s, words[i].word, strlen(words[i].word))) {
			*value = words[i].value;
			return 0;
		}
	return -EINVAL;
}

/* One character, as the kernel's NLS reads it: up to four bytes, no surrogates, no long forms. */
int utf8_to_utf32(const u8 *s, int len, unicode_t *value)
{
	static const u32 least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	int n = s[0] < 0x80 ? 1 : s[0] >> 5 == 6 ? 2 : s[0] >> 4 == 14 ? 3 : s[0] >> 3 == 30 ? 4 : 0;
	u32 u;
	int i;

	if (!n || n > len)
		return -1;
	u = n == 1 ? s[0] : s[0] & (0x7f >> n);
	for (i = 1; i < n; i++) {
		if (s[i] >> 6 != 2)
			return -1;
		u = u << 6 | (s[i] & 0x3f);
	}
	if (u < least[n] || u > 0x10ffff || (u & 0xfffff800) == 0xd800)
		return -1;
	*value = u;
	return n;
}

int scnprintf(char *buf, size_t size, const char *fmt, ...)
{
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(buf, size, fmt, args);
	va_end(args);
	return n < (int)size ? n : size ? (int)size - 1 : 0;
}

ssize_t strscpy(char *to, const char *from, size_t size)
{
	size_t len = strnlen(from, size);

	if (!size)
		return -E2BIG;
	if (len == size)
		len--;
	memcpy(to, from, len);
	to[len] = '\0';
	return from[len] ? -E2BIG : (ssize_t)len;
}
