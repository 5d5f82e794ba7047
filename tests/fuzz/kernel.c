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

int kstrtoll(const char *s, unsigned int base, s64 *value)
{
	bool minus = *s == '-';
	u64 n;
	int err = kstrtoull(s + minus, base, &n);

	if (err)
		return err;
	if (n > (u64)S64_MAX + minus)
		return -ERANGE;
	*value = minus ? -n : n;
	return 0;
}

/* One conversion of the kernel's; what follows it, or NULL when it is one of C's. */
static const char *put_bytes(FILE *out, const char *fmt, va_list *args)
{
	const u8 *p;
	int n, i;

	if (strncmp(fmt, "%*ph", 4) || !strchr("NC", fmt[4]))
		return NULL;
	n = va_arg(*args, int);
	p = va_arg(*args, const u8 *);
	for (i = 0; i < n; i++)
		fprintf(out, "%s%02x", i && fmt[4] == 'C' ? ":" : "", p[i]);
	return fmt + 5;
}

static const char *put_one(FILE *out, const char *fmt, va_list *args)
{
	size_t n = 1 + strcspn(fmt + 1, "dusxc%") + 1;
	char spec[16] = "";
	const char *next = put_bytes(out, fmt, args);

	if (next)
		return next;
	if (n >= sizeof(spec))
		abort();
	memcpy(spec, fmt, n);
	if (spec[n - 1] == 's')
		fprintf(out, spec, va_arg(*args, const char *));
	else if (spec[n - 1] == '%')
		fputc('%', out);
	else if (strstr(spec, "ll"))
		fprintf(out, spec, va_arg(*args, u64));
	else if (strchr(spec, 'l') || strchr(spec, 'z'))
		fprintf(out, spec, va_arg(*args, long));
	else
		fprintf(out, spec, va_arg(*args, int));
	return fmt + n;
}

/* What fits, and a zero behind it; its length */
static int put_text(char *buf, size_t size, const char *fmt, va_list *args)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	while (*fmt) {
		if (*fmt == '%')
			fmt = put_one(out, fmt, args);
		else
			fputc(*fmt++, out);
	}
	fclose(out);
	if (size) {
		len = min(len, size - 1);
		memcpy(buf, text, len);
		buf[len] = '\0';
	}
	free(text);
	return size ? len : 0;
}

int scnprintf(char *buf, size_t size, const char *fmt, ...)
{
	va_list args;
	int n;

	/* What was left of a buffer, and went below zero */
	if (size > S64_MAX)
		abort();
	va_start(args, fmt);
	n = put_text(buf, size, fmt, &args);
	va_end(args);
	return n;
}

int sysfs_emit(char *page, const char *fmt, ...)
{
	va_list args;
	int n;

	va_start(args, fmt);
	n = put_text(page, PAGE_SIZE, fmt, &args);
	va_end(args);
	return n;
}

int sysfs_emit_at(char *page, int at, const char *fmt, ...)
{
	va_list args;
	int n;

	if (at < 0 || at >= (int)PAGE_SIZE)
		abort();
	va_start(args, fmt);
	n = put_text(page + at, PAGE_SIZE - at, fmt, &args);
	va_end(args);
	return n;
}

void *memchr_inv(const void *p, int c, size_t n)
{
	const u8 *at = p;

	for (; n; n--, at++)
		if (*at != (u8)c)
			return (void *)at;
	return NULL;
}

int hex2bin(u8 *to, const char *text, size_t n)
{
	int hi, lo;

	for (; n; n--) {
		hi = hex_to_bin(*text++);
		if (hi < 0)
			return -EINVAL;
		lo = hex_to_bin(*text++);
		if (lo < 0)
			return -EINVAL;
		*to++ = hi << 4 | lo;
	}
	return 0;
}

char *bin2hex(char *to, const void *from, size_t n)
{
	const u8 *p = from;

	for (; n; n--, p++) {
		*to++ = "0123456789abcdef"[*p >> 4];
		*to++ = "0123456789abcdef"[*p & 15];
	}
	return to;
}

int match_string(const char *const *words, size_t n, const char *word)
{
	size_t i;

	for (i = 0; i < n && words[i]; i++)
		if (!strcmp(words[i], word))
			return i;
	return -EINVAL;
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
