// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is written into configfs, and what is read there.
 */
#include <kunit/test.h>
#include "../core/alua.h"
#include "../core/device.h"
#include "cfs.h"
#include "lba_map.h"

static void text_uint(struct kunit *test)
{
	static const struct {
		const char *text;
		u64 max, want;
		int err;
	} t[] = {
		{ "0", 0, 0 }, { "7\n", 7, 7 }, { "0x1F", 31, 31 }, { "017", 15, 15 },
		{ "+1", 1, 1 }, { "18446744073709551615", U64_MAX, U64_MAX },
		{ "8", 7, 0, -ERANGE }, { "18446744073709551616", U64_MAX, 0, -ERANGE },
		{ "", 9, 0, -EINVAL }, { "\n", 9, 0, -EINVAL }, { " 1", 9, 0, -EINVAL },
		{ "1 ", 9, 0, -EINVAL }, { "-1", 9, 0, -EINVAL }, { "1\n\n", 9, 0, -EINVAL },
		{ "0x", 9, 0, -EINVAL }, { "08", 9, 0, -EINVAL }, { "one", 9, 0, -EINVAL },
	};
	u64 n;
	int i, err;

	for (i = 0; i < ARRAY_SIZE(t); i++) {
		err = tcm_text_uint(t[i].text, strlen(t[i].text), t[i].max, &n);
		KUNIT_EXPECT_EQ_MSG(test, err, t[i].err, "%s", t[i].text);
		if (!err)
			KUNIT_EXPECT_EQ_MSG(test, n, t[i].want, "%s", t[i].text);
	}
	KUNIT_EXPECT_EQ(test, tcm_text_uint("1\0", 2, 9, &n), -EINVAL);
}

static void text_bool(struct kunit *test)
{
	static const char * const yes[] = { "1", "y", "Y", "on", "t", "1\n" };
	static const char * const no[] = { "0", "n", "N", "off", "f", "0\n" };
	static const char * const bad[] = { "", "2", "maybe", " 1", "\n", "o" };
	u64 n;
	int i;

	for (i = 0; i < ARRAY_SIZE(yes); i++) {
		n = 7;
		KUNIT_EXPECT_EQ(test, tcm_text_bool(yes[i], strlen(yes[i]), &n), 0);
		KUNIT_EXPECT_EQ_MSG(test, n, 1ULL, "%s", yes[i]);
		KUNIT_EXPECT_EQ(test, tcm_text_bool(no[i], strlen(no[i]), &n), 0);
		KUNIT_EXPECT_EQ_MSG(test, n, 0ULL, "%s", no[i]);
	}
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		KUNIT_EXPECT_EQ_MSG(test, tcm_text_bool(bad[i], strlen(bad[i]), &n), -EINVAL, "%s",
				    bad[i]);
	KUNIT_EXPECT_EQ(test, tcm_text_bool("1\0", 2, &n), -EINVAL);
}

static void text_take(struct kunit *test)
{
	static const struct {
		const char *text, *want;
		int err;
	} t[] = {
		{ "a", "a" }, { "\na b \t", "a b" }, { "", "" }, { "\n \t", "" },
		{ "\xc3\xa0", "\xc3\xa0" },		/* its last byte is a Latin-1 space */
		{ "\xc3\xa0\n", "\xc3\xa0" }, { "\xf0\x9f\x92\xa9", "\xf0\x9f\x92\xa9" },
		{ "1234567", "1234567" }, { "12345678", NULL, -EOVERFLOW },
		{ "\xc3", NULL, -EINVAL }, { "\xa0", NULL, -EINVAL },
		{ "\xc0\xaf", NULL, -EINVAL },		/* more bytes than it needs */
		{ "\xed\xa0\x80", NULL, -EINVAL },	/* a surrogate */
		{ "\xff", NULL, -EINVAL },
	};
	char buf[8];
	int i, err;

	for (i = 0; i < ARRAY_SIZE(t); i++) {
		err = tcm_text_take(t[i].text, strlen(t[i].text), buf, sizeof(buf));
		KUNIT_EXPECT_EQ_MSG(test, err, t[i].err, "%*pE", 8, t[i].text);
		if (!err)
			KUNIT_EXPECT_STREQ(test, buf, t[i].want);
	}
	KUNIT_EXPECT_EQ(test, tcm_text_take("a\0b", 3, buf, sizeof(buf)), -EINVAL);
}

static void text_clean(struct kunit *test)
{
	char text[] = "a\xc3\xa0\xc3\x00\xff\xe2\x82z";

	KUNIT_EXPECT_EQ(test, tcm_text_clean(text, 9), (ssize_t)9);
	KUNIT_EXPECT_STREQ(test, text, "a\xc3\xa0?????z");
	KUNIT_EXPECT_TRUE(test, tcm_text_is_utf8(text, 9));
}

/* All of a line or nothing of it */
static void text_line(struct kunit *test)
{
	char *page = kunit_kzalloc(test, PAGE_SIZE, GFP_KERNEL);
	ssize_t len = 0, last;

	KUNIT_ASSERT_NOT_NULL(test, page);
	do {
		last = len;
		len = tcm_text_line(page, len, "line %zd\n", len);
	} while (len != last);
	KUNIT_EXPECT_GT(test, len, (ssize_t)PAGE_SIZE - 12);
	KUNIT_EXPECT_LT(test, len, (ssize_t)PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, page[len - 1], '\n');
	/* what still fits goes in */
	KUNIT_EXPECT_EQ(test, tcm_text_line(page, PAGE_SIZE - 3, "ab"), (ssize_t)PAGE_SIZE - 1);
	KUNIT_EXPECT_EQ(test, tcm_text_line(page, PAGE_SIZE - 3, "abc"), (ssize_t)PAGE_SIZE - 3);
}

static void text_names(struct kunit *test)
{
	u64 n;

	KUNIT_EXPECT_EQ(test, tcm_cfs_check_name("a disk: \xc3\xa0"), 0);
	KUNIT_EXPECT_EQ(test, tcm_cfs_check_name("a\nb"), -EINVAL);
	KUNIT_EXPECT_EQ(test, tcm_cfs_check_name("\x7f"), -EINVAL);
	KUNIT_EXPECT_EQ(test, tcm_cfs_check_name("\xff"), -EINVAL);
	KUNIT_EXPECT_EQ(test, tcm_cfs_lun_number("lun_0", &n), 0);
	KUNIT_EXPECT_EQ(test, tcm_cfs_lun_number("lun_16777215", &n), 0);
	KUNIT_EXPECT_EQ(test, n, 16777215ULL);
	KUNIT_EXPECT_EQ(test, tcm_cfs_lun_number("lun_16777216", &n), -EINVAL);
	KUNIT_EXPECT_EQ(test, tcm_cfs_lun_number("lun_18446744073709551616", &n), -ERANGE);
	KUNIT_EXPECT_EQ(test, tcm_cfs_lun_number("lun_", &n), -EINVAL);
	KUNIT_EXPECT_EQ(test, tcm_cfs_lun_number("lun0", &n), -EINVAL);
	KUNIT_EXPECT_EQ(test, tcm_cfs_lun_number("lun_-1", &n), -EINVAL);
}

static void control_words(struct kunit *test)
{
	char text[] = "a=1,word,b=,\n=c\nd=x=y,e";
	static const char * const want[][2] = {
		{ "a", "1" }, { "b", "" }, { "", "c" }, { "d", "x=y" },
	};
	char *at = text, *key, *value;
	int i;

	for (i = 0; i < ARRAY_SIZE(want); i++) {
		KUNIT_ASSERT_TRUE(test, tcm_control_next(&at, &key, &value));
		KUNIT_EXPECT_STREQ(test, key, want[i][0]);
		KUNIT_EXPECT_STREQ(test, value, want[i][1]);
	}
	KUNIT_EXPECT_FALSE(test, tcm_control_next(&at, &key, &value));
	KUNIT_EXPECT_FALSE(test, tcm_control_next(&at, &key, &value));
}

static void lba_map(struct kunit *test)
{
	static const struct {
		const char *text;
		unsigned int ranges;
		int err;
	} t[] = {
		{ "64 1\n", 0 },
		{ "64 1\n0 63 1:O 2:A\n64 127 1:S 2:U\n", 2 },
		{ "64 1\n0 63 1:O", 1 },
		{ "64 1\n\n0 63 1:O\n\n", 1 },
		{ "", 0, -EINVAL }, { "64", 0, -EINVAL }, { "64 x", 0, -EINVAL },
		{ "64 1\n0 63", 0, -EINVAL }, { "64 1\n0 63 1", 0, -EINVAL },
		{ "64 1\n0 63 1:X", 0, -EINVAL }, { "64 1\n0 63 1:OO", 0, -EINVAL },
		{ "64 1\n63 0 1:O", 0, -EINVAL }, { "64 1\n0 63 1:O 1:A", 0, -EINVAL },
		{ "64 1\n0 63 65536:O", 0, -EINVAL },
		{ "64 1\n0 63 1:O 2:A\n64 127 1:S\n", 1, -EINVAL },
		{ "4294967296 1\n", 0, -EINVAL },
	};
	int i;

	for (i = 0; i < ARRAY_SIZE(t); i++) {
		size_t len = strlen(t[i].text) + 1;
		char *text = kunit_kzalloc(test, len, GFP_KERNEL);
		struct tcm_lba_range *range;
		unsigned int n = 0;
		LIST_HEAD(map);
		u32 size, mult;

		KUNIT_ASSERT_NOT_NULL(test, text);
		memcpy(text, t[i].text, len);
		KUNIT_EXPECT_EQ_MSG(test, tcm_lba_map_parse(text, &size, &mult, &map), t[i].err,
				    "%s", t[i].text);
		list_for_each_entry(range, &map, node)
			n++;
		KUNIT_EXPECT_EQ_MSG(test, n, t[i].ranges, "%s", t[i].text);
		tcm_lba_map_free(&map);
	}
}

static struct kunit_case text_tests[] = {
	KUNIT_CASE(text_uint),
	KUNIT_CASE(text_bool),
	KUNIT_CASE(text_take),
	KUNIT_CASE(text_clean),
	KUNIT_CASE(text_line),
	KUNIT_CASE(text_names),
	KUNIT_CASE(control_words),
	KUNIT_CASE(lba_map),
	{ }
};

static struct kunit_suite text_suite = {
	.name = "tcm_text",
	.test_cases = text_tests,
};

kunit_test_suites(&text_suite);
