// SPDX-License-Identifier: GPL-2.0-only
#include <kunit/test.h>
#include <linux/unaligned.h>
#include <tcm/sense.h>

#define ANY	TCM_SENSE(ILLEGAL_REQUEST, 0x24, 0x01)

static const struct {
	const char *name;
	struct tcm_sense_extra x;
	unsigned int len[2];		/* fixed, descriptor */
	u8 want[2][48];
} sense_cases[] = {
	{
		"bare", { }, { 18, 8 },
		{ { 0x70, 0, 5, [7] = 10, [12] = 0x24, 1 }, { 0x72, 5, 0x24, 1 } },
	}, {
		"information", { .flags = TCM_SX_INFO, .info = 0x12345678 }, { 18, 20 },
		{ { 0xf0, 0, 5, 0x12, 0x34, 0x56, 0x78, 10, [12] = 0x24, 1 },
		  { 0x72, 5, 0x24, 1, [7] = 12, 0, 0x0a, 0x80, 0, 0, 0, 0, 0, 0x12, 0x34, 0x56,
		    0x78 } },
	}, {
		"information beyond 32 bits", { .flags = TCM_SX_INFO, .info = 0x100000000ULL },
		{ 18, 20 },
		{ { 0x70, 0, 5, [7] = 10, [12] = 0x24, 1 },
		  { 0x72, 5, 0x24, 1, [7] = 12, 0, 0x0a, 0x80, 0, 0, 0, 0, 1 } },
	}, {
		"field in the CDB", { .flags = TCM_SX_FIELD, .field = 0x0102 }, { 18, 16 },
		{ { 0x70, 0, 5, [7] = 10, [12] = 0x24, 1, 0, 0xc0, 1, 2 },
		  { 0x72, 5, 0x24, 1, [7] = 8, 2, 6, 0, 0, 0xc0, 1, 2 } },
	}, {
		"bit of a parameter list",
		{ .flags = TCM_SX_FIELD | TCM_SX_PARAM | TCM_SX_BIT, .field = 7, .bit = 5 },
		{ 18, 16 },
		{ { 0x70, 0, 5, [7] = 10, [12] = 0x24, 1, 0, 0x8d, 0, 7 },
		  { 0x72, 5, 0x24, 1, [7] = 8, 2, 6, 0, 0, 0x8d, 0, 7 } },
	}, {
		"progress", { .flags = TCM_SX_PROGRESS, .field = 0x8000 }, { 18, 16 },
		{ { 0x70, 0, 5, [7] = 10, [12] = 0x24, 1, 0, 0x80, 0x80 },
		  { 0x72, 5, 0x24, 1, [7] = 8, 2, 6, 0, 0, 0x80, 0x80 } },
	}, {
		"both", { .flags = TCM_SX_INFO | TCM_SX_FIELD, .info = 1, .field = 2 }, { 18, 28 },
		{ { 0xf0, 0, 5, 0, 0, 0, 1, 10, [12] = 0x24, 1, 0, 0xc0, 0, 2 },
		  { 0x72, 5, 0x24, 1, [7] = 20, 0, 0x0a, 0x80, [19] = 1, 2, 6, 0, 0, 0xc0, 0,
		    2 } },
	}, {
		"field of a segment",
		{ .flags = TCM_SX_SEGMENT | TCM_SX_FIELD, .field = 20, .segment = 3 }, { 18, 28 },
		{ { 0x70, 0, 5, [7] = 10, 0, 0, 0, 3, 0x24, 1, 0, 0xa0, 0, 20 },
		  { 0x72, 5, 0x24, 1, [7] = 20, 1, 0x0a, [15] = 3, [20] = 2, 6, 0, 0, 0xa0, 0,
		    20 } },
	}, {
		"of the source",
		{ .flags = TCM_SX_SEGMENT | TCM_SX_SOURCE | TCM_SX_INFO, .segment = 1,
		  .unit_key = 3, .unit_code = 0x1102, .info = 7 }, { 37, 44 },
		{ { 0x70, 0, 5, [7] = 29, 18, 0, 0, 1, 0x24, 1, [18] = 2, 0xf0, 0, 3, 0, 0, 0, 7,
		    10, [31] = 0x11, 2 },
		  { 0x72, 5, 0x24, 1, [7] = 36, 1, 0x0a, 0, 0, 23, 0, 0, 1, [20] = 0x0c, 22, 1, 2,
		    0x72, 3, 0x11, 2, [31] = 12, 0, 0x0a, 0x80, [43] = 7 } },
	}, {
		"of the destination",
		{ .flags = TCM_SX_SEGMENT | TCM_SX_DEST, .unit_key = 4, .unit_code = 0x3e01 },
		{ 37, 32 },
		{ { 0x70, 0, 5, [7] = 29, 0, 18, 0, 0, 0x24, 1, [18] = 2, 0x70, 0, 4, [26] = 10,
		    [31] = 0x3e, 1 },
		  { 0x72, 5, 0x24, 1, [7] = 24, 1, 0x0a, 0, 0, 0, 23, [20] = 0x0c, 10, 2, 2,
		    0x72, 4, 0x3e, 1 } },
	},
};

static void sense_formats(struct kunit *test)
{
	u8 buf[TCM_SENSE_MAX];
	int i, desc;

	for (i = 0; i < ARRAY_SIZE(sense_cases); i++)
		for (desc = 0; desc < 2; desc++) {
			unsigned int len;

			memset(buf, 0xee, sizeof(buf));
			len = tcm_sense_build(ANY, &sense_cases[i].x, desc, buf);
			KUNIT_EXPECT_EQ_MSG(test, len, sense_cases[i].len[desc], "%s, %d",
					    sense_cases[i].name, desc);
			KUNIT_EXPECT_EQ_MSG(test, 0, memcmp(buf, sense_cases[i].want[desc], len),
					    "%s, %d: %*ph", sense_cases[i].name, desc, len, buf);
			/* Each of the two, where there is another in it, zeroes that much. */
			KUNIT_EXPECT_EQ(test, buf[len > 28 ? 24 + 28 : 28], 0xee);
		}
	KUNIT_EXPECT_EQ(test, tcm_sense_build(ANY, NULL, false, buf), 18U);
	KUNIT_EXPECT_EQ(test, tcm_sense_build(ANY, NULL, true, buf), 8U);
}

static void sense_status(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, tcm_sense_status(TCM_OK), SAM_STAT_GOOD);
	KUNIT_EXPECT_EQ(test, tcm_sense_status(TCM_BUSY), SAM_STAT_BUSY);
	KUNIT_EXPECT_EQ(test, tcm_sense_status(TCM_RESERVATION_CONFLICT),
			SAM_STAT_RESERVATION_CONFLICT);
	KUNIT_EXPECT_EQ(test, tcm_sense_status(TCM_TASK_ABORTED), SAM_STAT_TASK_ABORTED);
	KUNIT_EXPECT_EQ(test, tcm_sense_status(ANY), SAM_STAT_CHECK_CONDITION);
}

/* What configuration and block layer say, and what an initiator hears: read, write */
static void sense_from_errno(struct kunit *test)
{
	static const struct {
		int err;
		enum tcm_sense rd, wr;
	} t[] = {
		{ 0, TCM_OK, TCM_OK },
		{ -EIO, TCM_READ_ERROR, TCM_WRITE_ERROR },
		{ -ENODATA, TCM_READ_ERROR, TCM_WRITE_ERROR },
		{ -ENOSPC, TCM_SPACE_ALLOC_FAILED, TCM_SPACE_ALLOC_FAILED },
		{ -EDQUOT, TCM_SPACE_ALLOC_FAILED, TCM_SPACE_ALLOC_FAILED },
		{ -EROFS, TCM_WRITE_PROTECTED, TCM_WRITE_PROTECTED },
		{ -EPERM, TCM_WRITE_PROTECTED, TCM_WRITE_PROTECTED },
		{ -ENOMEM, TCM_BUSY, TCM_BUSY },
		{ -EAGAIN, TCM_BUSY, TCM_BUSY },
		{ -ETIMEDOUT, TCM_COMMAND_TIMEOUT, TCM_COMMAND_TIMEOUT },
		{ -ENODEV, TCM_LUN_NOT_RESPONDING, TCM_LUN_NOT_RESPONDING },
		{ -ENXIO, TCM_LUN_NOT_RESPONDING, TCM_LUN_NOT_RESPONDING },
		{ -EBADE, TCM_RESERVATION_CONFLICT, TCM_RESERVATION_CONFLICT },
		{ -EREMOTEIO, TCM_LUN_COMM_FAILURE, TCM_LUN_COMM_FAILURE },
		{ -EINTR, TCM_NO_ADDITIONAL_SENSE, TCM_NO_ADDITIONAL_SENSE },
	};
	int i;

	for (i = 0; i < ARRAY_SIZE(t); i++) {
		KUNIT_EXPECT_EQ_MSG(test, tcm_sense_from_errno(t[i].err, false), t[i].rd, "%pe",
				    ERR_PTR(t[i].err));
		KUNIT_EXPECT_EQ_MSG(test, tcm_sense_from_errno(t[i].err, true), t[i].wr, "%pe",
				    ERR_PTR(t[i].err));
	}
}

static void sense_from_blk(struct kunit *test)
{
	static const struct {
		blk_status_t sts;
		enum tcm_sense rd, wr;
	} t[] = {
		{ BLK_STS_OK, TCM_OK, TCM_OK },
		{ BLK_STS_IOERR, TCM_READ_ERROR, TCM_WRITE_ERROR },
		{ BLK_STS_MEDIUM, TCM_READ_ERROR, TCM_WRITE_ERROR },
		{ BLK_STS_NOTSUPP, TCM_READ_ERROR, TCM_WRITE_ERROR },
		{ BLK_STS_NOSPC, TCM_SPACE_ALLOC_FAILED, TCM_SPACE_ALLOC_FAILED },
		{ BLK_STS_TIMEOUT, TCM_COMMAND_TIMEOUT, TCM_COMMAND_TIMEOUT },
		{ BLK_STS_RESOURCE, TCM_BUSY, TCM_BUSY },
		{ BLK_STS_DEV_RESOURCE, TCM_BUSY, TCM_BUSY },
		{ BLK_STS_AGAIN, TCM_BUSY, TCM_BUSY },
		{ BLK_STS_TRANSPORT, TCM_LUN_COMM_FAILURE, TCM_LUN_COMM_FAILURE },
		{ BLK_STS_TARGET, TCM_LUN_COMM_FAILURE, TCM_LUN_COMM_FAILURE },
		{ BLK_STS_RESV_CONFLICT, TCM_RESERVATION_CONFLICT, TCM_RESERVATION_CONFLICT },
		{ BLK_STS_OFFLINE, TCM_LUN_NOT_RESPONDING, TCM_LUN_NOT_RESPONDING },
		{ BLK_STS_PROTECTION, TCM_SENSE(ABORTED_COMMAND, 0x10, 1),
		  TCM_SENSE(ABORTED_COMMAND, 0x10, 1) },
	};
	int i;

	for (i = 0; i < ARRAY_SIZE(t); i++) {
		KUNIT_EXPECT_EQ_MSG(test, tcm_sense_from_blk(t[i].sts, false), t[i].rd, "%d",
				    (__force int)t[i].sts);
		KUNIT_EXPECT_EQ_MSG(test, tcm_sense_from_blk(t[i].sts, true), t[i].wr, "%d",
				    (__force int)t[i].sts);
	}
}

static struct kunit_case sense_tests[] = {
	KUNIT_CASE(sense_formats),
	KUNIT_CASE(sense_status),
	KUNIT_CASE(sense_from_errno),
	KUNIT_CASE(sense_from_blk),
	{ }
};

static struct kunit_suite sense_suite = {
	.name = "tcm_sense",
	.test_cases = sense_tests,
};

kunit_test_suites(&sense_suite);
