// SPDX-License-Identifier: GPL-2.0-only
/*
 * Text keys (RFC 7143 sections 6 and 13): how text is cut, what numbers and binary values are, and
 * what each key is agreed on.
 */
#include <kunit/test.h>
#include "keys.h"

struct keys_rig {
	struct tcm_isc_offer offer;
	struct tcm_isc_nego nego;
	struct tcm_isc_text out;
	char buf[256];
};

static int keys_init(struct kunit *test)
{
	struct keys_rig *rig = kunit_kzalloc(test, sizeof(*rig), GFP_KERNEL);

	if (!rig)
		return -ENOMEM;
	rig->out.buf = rig->buf;
	rig->out.size = sizeof(rig->buf);
	tcm_isc_offer_init(&rig->offer);
	tcm_isc_nego_init(&rig->nego, &rig->offer);
	test->priv = rig;
	return 0;
}

/* All that is in @rig->out, with ";" behind each pair; it is empty then. */
static const char *keys_said(struct keys_rig *rig)
{
	u32 i;

	for (i = 0; i < rig->out.len; i++)
		if (!rig->buf[i])
			rig->buf[i] = ';';
	rig->buf[rig->out.len] = '\0';
	rig->out.len = 0;
	return rig->buf;
}

/* 6.1: what is left of a text when it is cut into pairs */
static void keys_pairs(struct kunit *test)
{
	static const struct {
		const char *text;
		u32 len;
		const char *pairs;
		int end;			/* what the last call says */
	} cases[] = {
		{ "", 0, "", 0 },
		{ "A=1\0B=2", 8, "A:1 B:2 ", 0 },
		{ "A=1\0\0\0B=2\0\0", 12, "A:1 B:2 ", 0 },
		{ "A=", 3, "A: ", 0 },
		{ "A==1=", 6, "A:=1= ", 0 },
		{ "A=1", 3, "", -EINVAL },		/* no end */
		{ "A=1\0B", 6, "A:1 ", -EINVAL },	/* no value */
		{ "=1", 3, "", -EINVAL },		/* no key */
		{ "\0\0\0", 3, "", 0 },
	};
	char text[16], pairs[32], *pos, *key, *value;
	int i, ret;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		size_t n = 0;

		memcpy(text, cases[i].text, cases[i].len);
		pos = text;
		pairs[0] = '\0';
		while ((ret = tcm_isc_text_next(&pos, text + cases[i].len, &key, &value)) > 0)
			n += scnprintf(pairs + n, sizeof(pairs) - n, "%s:%s ", key, value);
		KUNIT_EXPECT_EQ_MSG(test, ret, cases[i].end, "case %d", i);
		KUNIT_EXPECT_STREQ(test, pairs, cases[i].pairs);
	}
}

/* 6.1: keys have up to 63 characters, values up to 8192. */
static void keys_lengths(struct kunit *test)
{
	static const struct {
		u32 key, value;
		int ret;
	} cases[] = {
		{ 1, 0, 1 }, { 63, 1, 1 }, { 64, 1, -EINVAL }, { 1, 8191, 1 }, { 1, 8192, -EINVAL },
	};
	char *text = kunit_kzalloc(test, 64 + 1 + 8192 + 1, GFP_KERNEL), *pos, *key, *value;
	int i;

	KUNIT_ASSERT_NOT_NULL(test, text);
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		u32 len = cases[i].key + 1 + cases[i].value;

		memset(text, 'x', len);
		text[cases[i].key] = '=';
		text[len] = '\0';
		pos = text;
		KUNIT_EXPECT_EQ_MSG(test, tcm_isc_text_next(&pos, text + len + 1, &key, &value),
				    cases[i].ret, "%u %u", cases[i].key, cases[i].value);
		if (cases[i].ret == 1)
			KUNIT_EXPECT_EQ(test, strlen(value), (size_t)cases[i].value);
	}
}

static void keys_numbers(struct kunit *test)
{
	static const struct {
		const char *text;
		bool ok;
		u32 num;
	} cases[] = {
		{ "0", true, 0 }, { "1", true, 1 }, { "0010", true, 10 }, { "0x10", true, 16 },
		{ "0XaF", true, 175 }, { "4294967295", true, U32_MAX },
		{ "0xffffffff", true, U32_MAX }, { "4294967296" }, { "0x100000000" }, { "" },
		{ "0x" }, { "-1" }, { "+1" }, { " 1" }, { "1 " }, { "1\n" }, { "1a" }, { "0xg" },
		{ "0x0x1" }, { "Yes" },
	};
	u32 num;
	int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		int err = tcm_isc_text_num(cases[i].text, &num);

		KUNIT_EXPECT_EQ_MSG(test, !err, cases[i].ok, "\"%s\"", cases[i].text);
		if (cases[i].ok)
			KUNIT_EXPECT_EQ(test, num, cases[i].num);
	}
}

/* 6.1: hexadecimal and base 64 (RFC 4648, whose section 10 has these words) */
static void keys_binary(struct kunit *test)
{
	static const struct {
		const char *text;
		u32 size;
		int len;
		const char *bytes;
	} cases[] = {
		{ "0x66", 8, 1, "f" }, { "0X666F6f", 8, 3, "foo" }, { "0x6", 8, -EINVAL },
		{ "0x666", 8, -EINVAL }, { "0x6g", 8, -EINVAL }, { "0x666f", 1, -EINVAL },
		{ "0x666f", 2, 2, "fo" }, { "", 8, -EINVAL }, { "0x", 8, -EINVAL },
		{ "6666", 8, -EINVAL }, { "0o66", 8, -EINVAL }, { "1x66", 8, -EINVAL },
		{ "0bZg==", 8, 1, "f" }, { "0bZm8=", 8, 2, "fo" }, { "0BZm9v", 8, 3, "foo" },
		{ "0bZm9vYg==", 8, 4, "foob" }, { "0bZm9vYmE=", 8, 5, "fooba" },
		{ "0bZm9vYmFy", 8, 6, "foobar" }, { "0bZm9vYmFy", 6, 6, "foobar" },
		{ "0bZm9vYmFy", 5, -EINVAL }, { "0bZg", 8, 1, "f" }, { "0bZ===", 8, -EINVAL },
		{ "0bZm9vY", 8, -EINVAL }, { "0bZm_v", 8, -EINVAL }, { "0b=m9v", 8, -EINVAL },
		{ "0b+/+/", 8, 3, "\xfb\xff\xbf" },
	};
	u8 bin[8];
	int i, n;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		memset(bin, 0xee, sizeof(bin));
		n = tcm_isc_text_binary(cases[i].text, bin, cases[i].size);
		KUNIT_EXPECT_EQ_MSG(test, n, cases[i].len, "\"%s\"", cases[i].text);
		if (n <= 0 || n != cases[i].len)
			continue;
		KUNIT_EXPECT_EQ_MSG(test, memcmp(bin, cases[i].bytes, n), 0, "%s: %*ph",
				    cases[i].text, n, bin);
		if (n < (int)sizeof(bin))
			KUNIT_EXPECT_EQ(test, bin[n], 0xee);
	}
}

/* A word is found as a whole, and nowhere else. */
static void keys_lists(struct kunit *test)
{
	static const struct {
		const char *list;
		bool has;
	} cases[] = {
		{ "CHAP", true }, { "CHAP,None", true }, { "None,CHAP", true },
		{ "KRB5,CHAP,None", true }, { "None" }, { "" }, { "," }, { "CHAPX" }, { "XCHAP" },
		{ "CHA,P" }, { "chap" }, { "CHAP None" },
	};
	int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++)
		KUNIT_EXPECT_EQ_MSG(test, tcm_isc_list_has(cases[i].list, "CHAP"), cases[i].has,
				    "\"%s\"", cases[i].list);
}

/* What does not fit is left out as a whole, and known to be. */
static void keys_space(struct kunit *test)
{
	struct keys_rig *rig = test->priv;
	u32 size;

	for (size = 0; size < 16; size++) {
		memset(rig->buf, 0xee, sizeof(rig->buf));
		rig->out = (struct tcm_isc_text){ .buf = rig->buf, .size = size };
		tcm_isc_text_addf(&rig->out, "Key", "%u", 12345);
		KUNIT_EXPECT_EQ(test, rig->out.overflow, size < sizeof("Key=12345"));
		KUNIT_EXPECT_EQ(test, rig->out.len, size < 10 ? 0U : 10U);
		KUNIT_EXPECT_EQ(test, (u8)rig->buf[rig->out.len], 0xee);
	}
}

/* 13: what holds when nobody says anything */
static void keys_defaults(struct kunit *test)
{
	static const struct {
		const char *key;
		u32 val;
	} cases[] = {
		{ "HeaderDigest", TCM_ISC_DIGEST_NONE }, { "DataDigest", TCM_ISC_DIGEST_NONE },
		{ "MaxConnections", 1 }, { "InitialR2T", 1 }, { "ImmediateData", 1 },
		{ "MaxRecvDataSegmentLength", 8192 }, { "MaxBurstLength", 262144 },
		{ "FirstBurstLength", 65536 }, { "DefaultTime2Wait", 2 },
		{ "DefaultTime2Retain", 20 }, { "MaxOutstandingR2T", 1 }, { "DataPDUInOrder", 1 },
		{ "DataSequenceInOrder", 1 }, { "ErrorRecoveryLevel", 0 }, { "IFMarker", 0 },
		{ "OFMarker", 0 }, { "iSCSIProtocolLevel", 1 },
	};
	struct keys_rig *rig = test->priv;
	int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		enum tcm_isc_key k = tcm_isc_key_find(cases[i].key);

		KUNIT_ASSERT_LT_MSG(test, (int)k, (int)TCM_ISC_K_VALUES, "%s", cases[i].key);
		KUNIT_EXPECT_EQ_MSG(test, rig->nego.val[k], cases[i].val, "%s", cases[i].key);
	}
	/* and in the letters of the standard only */
	KUNIT_EXPECT_EQ(test, (int)tcm_isc_key_find("headerdigest"), (int)TCM_ISC_K_UNKNOWN);
	KUNIT_EXPECT_EQ(test, (int)tcm_isc_key_find(""), (int)TCM_ISC_K_UNKNOWN);
	KUNIT_EXPECT_EQ(test, (int)tcm_isc_key_find("X-com.example.key"), (int)TCM_ISC_K_UNKNOWN);
}

/* What a portal group says, what the initiator says, what is answered, and what holds then */
static void keys_agree(struct kunit *test)
{
	static const struct {
		enum tcm_isc_key key;
		const char *ours, *theirs, *answer;
		u32 val;
	} cases[] = {
		{ TCM_ISC_K_HEADER_DIGEST, "CRC32C,None", "CRC32C,None", "HeaderDigest=CRC32C;",
		  1 },
		{ TCM_ISC_K_HEADER_DIGEST, "CRC32C,None", "None,CRC32C", "HeaderDigest=None;", 0 },
		{ TCM_ISC_K_DATA_DIGEST, "None", "CRC32C,None", "DataDigest=None;", 0 },
		{ TCM_ISC_K_DATA_DIGEST, "None", "CRC32C", "DataDigest=Reject;", 0 },
		{ TCM_ISC_K_DATA_DIGEST, "CRC32C", "MD5,CRC32C", "DataDigest=CRC32C;", 1 },
		{ TCM_ISC_K_DATA_DIGEST, "CRC32C", "CRC32", "DataDigest=Reject;", 0 },
		{ TCM_ISC_K_DATA_DIGEST, "CRC32C", "", "DataDigest=Reject;", 0 },
		{ TCM_ISC_K_MAX_CONNECTIONS, "4", "2", "MaxConnections=2;", 2 },
		{ TCM_ISC_K_MAX_CONNECTIONS, "1", "8", "MaxConnections=1;", 1 },
		{ TCM_ISC_K_MAX_CONNECTIONS, "4", "0", "MaxConnections=Reject;", 1 },
		{ TCM_ISC_K_MAX_CONNECTIONS, "4", "65536", "MaxConnections=Reject;", 1 },
		{ TCM_ISC_K_INITIAL_R2T, "No", "No", "InitialR2T=No;", 0 },
		{ TCM_ISC_K_INITIAL_R2T, "No", "Yes", "InitialR2T=Yes;", 1 },
		{ TCM_ISC_K_INITIAL_R2T, "Yes", "No", "InitialR2T=Yes;", 1 },
		{ TCM_ISC_K_INITIAL_R2T, "No", "no", "InitialR2T=Reject;", 1 },
		{ TCM_ISC_K_IMMEDIATE_DATA, "Yes", "Yes", "ImmediateData=Yes;", 1 },
		{ TCM_ISC_K_IMMEDIATE_DATA, "Yes", "No", "ImmediateData=No;", 0 },
		{ TCM_ISC_K_IMMEDIATE_DATA, "No", "Yes", "ImmediateData=No;", 0 },
		{ TCM_ISC_K_MAX_RECV, "8192", "262144", "", 262144 },
		{ TCM_ISC_K_MAX_RECV, "262144", "512", "", 512 },
		{ TCM_ISC_K_MAX_BURST, "262144", "0x10000", "MaxBurstLength=65536;", 65536 },
		{ TCM_ISC_K_MAX_BURST, "16776192", "16777215", "MaxBurstLength=16776192;",
		  16776192 },
		{ TCM_ISC_K_MAX_BURST, "65536", "511", "MaxBurstLength=Reject;", 262144 },
		{ TCM_ISC_K_FIRST_BURST, "65536", "262144", "FirstBurstLength=65536;", 65536 },
		{ TCM_ISC_K_TIME2WAIT, "2", "20", "DefaultTime2Wait=20;", 20 },
		{ TCM_ISC_K_TIME2WAIT, "20", "0", "DefaultTime2Wait=20;", 20 },
		{ TCM_ISC_K_TIME2WAIT, "2", "3601", "DefaultTime2Wait=Reject;", 2 },
		{ TCM_ISC_K_TIME2RETAIN, "20", "0", "DefaultTime2Retain=0;", 0 },
		{ TCM_ISC_K_MAX_R2T, "16", "8", "MaxOutstandingR2T=8;", 8 },
		{ TCM_ISC_K_PDU_IN_ORDER, "No", "No", "DataPDUInOrder=No;", 0 },
		{ TCM_ISC_K_SEQ_IN_ORDER, "Yes", "No", "DataSequenceInOrder=Yes;", 1 },
		{ TCM_ISC_K_ERL, "2", "1", "ErrorRecoveryLevel=1;", 1 },
		{ TCM_ISC_K_ERL, "0", "2", "ErrorRecoveryLevel=0;", 0 },
		{ TCM_ISC_K_ERL, "2", "3", "ErrorRecoveryLevel=Reject;", 0 },
		{ TCM_ISC_K_IFMARKER, "No", "Yes", "IFMarker=No;", 0 },
		{ TCM_ISC_K_PROTOCOL_LEVEL, "2", "1", "iSCSIProtocolLevel=1;", 1 },
		{ TCM_ISC_K_PROTOCOL_LEVEL, "2", "2", "iSCSIProtocolLevel=2;", 2 },
		{ TCM_ISC_K_PROTOCOL_LEVEL, "2", "9", "iSCSIProtocolLevel=2;", 2 },
		{ TCM_ISC_K_TASK_REPORTING, "RFC3720", "FastAbort,RFC3720",
		  "TaskReporting=RFC3720;", 0 },
		{ TCM_ISC_K_TASK_REPORTING, "RFC3720", "FastAbort", "TaskReporting=Reject;", 0 },
	};
	struct keys_rig *rig = test->priv;
	int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		enum tcm_isc_key k = cases[i].key;
		const char *theirs = cases[i].theirs;

		tcm_isc_offer_init(&rig->offer);
		KUNIT_EXPECT_EQ(test, tcm_isc_offer_set(&rig->offer, k, cases[i].ours), 0);
		tcm_isc_nego_init(&rig->nego, &rig->offer);
		KUNIT_EXPECT_EQ(test, tcm_isc_nego_key(&rig->nego, k, theirs, &rig->out), 0);
		KUNIT_EXPECT_STREQ(test, keys_said(rig), cases[i].answer);
		KUNIT_EXPECT_EQ_MSG(test, rig->nego.val[k], cases[i].val, "%s=%s, we %s",
				    tcm_isc_key_name(k), theirs, cases[i].ours);
		/* 6.3: once in a negotiation */
		KUNIT_EXPECT_EQ(test, tcm_isc_nego_key(&rig->nego, k, theirs, &rig->out), -EINVAL);
		KUNIT_EXPECT_STREQ(test, keys_said(rig), "");
		KUNIT_EXPECT_EQ(test, rig->nego.val[k], cases[i].val);
	}
}

/* A declaration cannot be rejected: who says what is out of range is told off. */
static void keys_declared_wrong(struct kunit *test)
{
	static const char * const cases[] = { "0", "511", "16777216", "", "Yes", "-1", "8k" };
	struct keys_rig *rig = test->priv;
	int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		tcm_isc_nego_init(&rig->nego, &rig->offer);
		KUNIT_EXPECT_EQ_MSG(test, tcm_isc_nego_key(&rig->nego, TCM_ISC_K_MAX_RECV, cases[i],
							   &rig->out), -EINVAL, "%s", cases[i]);
		KUNIT_EXPECT_EQ(test, rig->nego.val[TCM_ISC_K_MAX_RECV], 8192U);
		KUNIT_EXPECT_STREQ(test, keys_said(rig), "");
	}
}

/* Where a key may not be said, or does not matter */
static void keys_phases(struct kunit *test)
{
	static const struct {
		bool ffp, discovery, later;
		enum tcm_isc_key key;
		const char *value, *answer;
		u32 val;
	} cases[] = {
		/* 13: in the full feature phase one key changes, as often as one likes */
		{ true, false, false, TCM_ISC_K_MAX_RECV, "4096", "", 4096 },
		{ true, false, false, TCM_ISC_K_MAX_RECV, "65536", "", 65536 },
		{ true, false, false, TCM_ISC_K_MAX_BURST, "4096", "MaxBurstLength=Reject;",
		  262144 },
		{ true, false, false, TCM_ISC_K_HEADER_DIGEST, "CRC32C", "HeaderDigest=Reject;",
		  0 },
		/* A discovery session has no data. */
		{ false, true, false, TCM_ISC_K_MAX_BURST, "4096", "MaxBurstLength=Irrelevant;",
		  262144 },
		{ false, true, false, TCM_ISC_K_MAX_RECV, "4096", "", 4096 },
		{ false, true, false, TCM_ISC_K_HEADER_DIGEST, "CRC32C", "HeaderDigest=CRC32C;",
		  1 },
		{ false, true, false, TCM_ISC_K_ERL, "0", "ErrorRecoveryLevel=0;", 0 },
		/* A further connection has its own digests and length, and what the session has. */
		{ false, false, true, TCM_ISC_K_MAX_BURST, "4096", "MaxBurstLength=262144;",
		  262144 },
		{ false, false, true, TCM_ISC_K_INITIAL_R2T, "No", "InitialR2T=Yes;", 1 },
		{ false, false, true, TCM_ISC_K_DATA_DIGEST, "CRC32C", "DataDigest=CRC32C;", 1 },
		{ false, false, true, TCM_ISC_K_MAX_RECV, "4096", "", 4096 },
	};
	struct keys_rig *rig = test->priv;
	int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		enum tcm_isc_key k = cases[i].key;

		tcm_isc_nego_init(&rig->nego, &rig->offer);
		rig->nego.ffp = cases[i].ffp;
		rig->nego.discovery = cases[i].discovery;
		rig->nego.later = cases[i].later;
		KUNIT_EXPECT_EQ(test, tcm_isc_nego_key(&rig->nego, k, cases[i].value, &rig->out),
				0);
		KUNIT_EXPECT_STREQ(test, keys_said(rig), cases[i].answer);
		KUNIT_EXPECT_EQ_MSG(test, rig->nego.val[k], cases[i].val, "case %d", i);
	}
}

/* What the initiator left out, and would be more than the portal group does, is offered to it. */
static void keys_ask(struct kunit *test)
{
	static const struct {
		enum tcm_isc_key key;
		const char *ours, *asked, *answer;
		int err;
		u32 settled, val;		/* unanswered; answered */
	} cases[] = {
		{ TCM_ISC_K_MAX_BURST, "65536", "MaxBurstLength=65536;", "65536", 0, 65536, 65536 },
		{ TCM_ISC_K_MAX_BURST, "65536", "MaxBurstLength=65536;", "4096", 0, 65536, 4096 },
		{ TCM_ISC_K_MAX_BURST, "65536", "MaxBurstLength=65536;", "65537", -EINVAL, 65536,
		  262144 },
		{ TCM_ISC_K_MAX_BURST, "65536", "MaxBurstLength=65536;", "x", -EINVAL, 65536,
		  262144 },
		{ TCM_ISC_K_MAX_BURST, "524288", "", NULL, 0, 262144 },
		{ TCM_ISC_K_TIME2WAIT, "20", "DefaultTime2Wait=20;", "30", 0, 20, 30 },
		{ TCM_ISC_K_TIME2WAIT, "20", "DefaultTime2Wait=20;", "10", -EINVAL, 20, 2 },
		{ TCM_ISC_K_IMMEDIATE_DATA, "No", "ImmediateData=No;", "No", 0, 0, 0 },
		{ TCM_ISC_K_IMMEDIATE_DATA, "No", "ImmediateData=No;", "Yes", -EINVAL, 0, 0 },
		{ TCM_ISC_K_INITIAL_R2T, "No", "", NULL, 0, 1 },
		{ TCM_ISC_K_MAX_R2T, "8", "", NULL, 0, 1 },
		{ TCM_ISC_K_PROTOCOL_LEVEL, "0", "", NULL, 0, 1 },
	};
	struct keys_rig *rig = test->priv;
	struct tcm_isc_nego asked;
	int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		enum tcm_isc_key k = cases[i].key;

		tcm_isc_offer_init(&rig->offer);
		KUNIT_EXPECT_EQ(test, tcm_isc_offer_set(&rig->offer, k, cases[i].ours), 0);
		tcm_isc_nego_init(&rig->nego, &rig->offer);
		tcm_isc_nego_ask(&rig->nego, &rig->out);
		KUNIT_EXPECT_STREQ(test, keys_said(rig), cases[i].asked);
		asked = rig->nego;
		/* once */
		tcm_isc_nego_ask(&rig->nego, &rig->out);
		KUNIT_EXPECT_STREQ(test, keys_said(rig), "");
		tcm_isc_nego_settle(&rig->nego);
		KUNIT_EXPECT_EQ(test, rig->nego.owed, 0ULL);
		KUNIT_EXPECT_EQ_MSG(test, rig->nego.val[k], cases[i].settled, "case %d", i);
		if (!cases[i].answer)
			continue;
		KUNIT_EXPECT_EQ_MSG(test, tcm_isc_nego_key(&asked, k, cases[i].answer, &rig->out),
				    cases[i].err, "case %d", i);
		KUNIT_EXPECT_STREQ(test, keys_said(rig), "");
		KUNIT_EXPECT_EQ(test, asked.owed, 0ULL);
		KUNIT_EXPECT_EQ_MSG(test, asked.val[k], cases[i].val, "case %d", i);
	}
}

/* What param/ takes */
static void keys_offers(struct kunit *test)
{
	static const struct {
		enum tcm_isc_key key;
		const char *value;
		int err;
	} cases[] = {
		{ TCM_ISC_K_HEADER_DIGEST, "CRC32C,None", 0 },
		{ TCM_ISC_K_HEADER_DIGEST, "None", 0 },
		{ TCM_ISC_K_HEADER_DIGEST, "CRC32C,", -EINVAL },
		{ TCM_ISC_K_HEADER_DIGEST, "", -EINVAL },
		{ TCM_ISC_K_HEADER_DIGEST, "MD5", -EINVAL },
		{ TCM_ISC_K_MAX_CONNECTIONS, "0", -EINVAL },
		{ TCM_ISC_K_MAX_CONNECTIONS, "65535", 0 },
		{ TCM_ISC_K_MAX_CONNECTIONS, "65536", -EINVAL },
		{ TCM_ISC_K_MAX_RECV, "511", -EINVAL },
		{ TCM_ISC_K_MAX_RECV, "512", 0 },
		{ TCM_ISC_K_MAX_RECV, "16777215", 0 },
		{ TCM_ISC_K_MAX_RECV, "16777216", -EINVAL },
		{ TCM_ISC_K_INITIAL_R2T, "Yes", 0 },
		{ TCM_ISC_K_INITIAL_R2T, "1", -EINVAL },
		{ TCM_ISC_K_ERL, "2", 0 },
		{ TCM_ISC_K_ERL, "3", -EINVAL },
	};
	struct keys_rig *rig = test->priv;
	struct tcm_isc_offer before;
	int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		tcm_isc_offer_init(&rig->offer);
		before = rig->offer;
		KUNIT_EXPECT_EQ_MSG(test, tcm_isc_offer_set(&rig->offer, cases[i].key,
							    cases[i].value), cases[i].err,
				    "case %d", i);
		if (cases[i].err)
			KUNIT_EXPECT_EQ(test, memcmp(&before, &rig->offer, sizeof(before)), 0);
	}
}

static struct kunit_case keys_tests[] = {
	KUNIT_CASE(keys_pairs),
	KUNIT_CASE(keys_lengths),
	KUNIT_CASE(keys_numbers),
	KUNIT_CASE(keys_binary),
	KUNIT_CASE(keys_lists),
	KUNIT_CASE(keys_space),
	KUNIT_CASE(keys_defaults),
	KUNIT_CASE(keys_agree),
	KUNIT_CASE(keys_declared_wrong),
	KUNIT_CASE(keys_phases),
	KUNIT_CASE(keys_ask),
	KUNIT_CASE(keys_offers),
	{ }
};

static struct kunit_suite keys_suite = {
	.name = "tcm_isc_keys",
	.init = keys_init,
	.test_cases = keys_tests,
};

kunit_test_suites(&keys_suite);
