// SPDX-License-Identifier: GPL-2.0-only
/*
 * TransportIDs (SPC-4 7.6.4): bytes and names, both ways, and what is none.
 */
#include <kunit/test.h>
#include <linux/slab.h>
#include <linux/unaligned.h>
#include "transport_id.h"

#define TID_NAME	"iqn.1993-08.org.x:a"

struct tid_rig {
	u8 buf[TCM_TRANSPORT_ID_MAX + 4];
	struct tcm_pr_nexus nexus;
};

static int tid_init(struct kunit *test)
{
	test->priv = kunit_kzalloc(test, sizeof(struct tid_rig), GFP_KERNEL);
	return test->priv ? 0 : -ENOMEM;
}

static void tid_fixed(struct kunit *test)
{
	static const struct {
		u8 proto;
		const char *name;
		u8 want[TCM_TRANSPORT_ID_LEN];
		const char *again;		/* NULL: @name */
	} cases[] = {
		{ TCM_PROTO_FCP, "21:00:00:24:ff:00:00:01",
		  { 0x00, [8] = 0x21, 0, 0, 0x24, 0xff, 0, 0, 1 } },
		{ TCM_PROTO_SAS, "naa.5001405000000002",
		  { 0x06, [4] = 0x50, 0x01, 0x40, 0x50, 0, 0, 0, 2 } },
		{ TCM_PROTO_SAS, "0x500140500000000A",
		  { 0x06, [4] = 0x50, 0x01, 0x40, 0x50, 0, 0, 0, 10 }, "naa.500140500000000a" },
		{ TCM_PROTO_SRP, "0xfe80000000000000000000000000000a",
		  { 0x04, [8] = 0xfe, 0x80, [23] = 0x0a } },
		{ TCM_PROTO_SBP, "0011223344556677",
		  { 0x03, [8] = 0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77 } },
	};
	struct tid_rig *rig = test->priv;
	unsigned int i, len;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct tcm_pr_nexus *n = &rig->nexus;

		memset(n, 0, sizeof(*n));
		n->proto = cases[i].proto;
		strscpy(n->initiator, cases[i].name, sizeof(n->initiator));
		len = tcm_transport_id_put(n, rig->buf);
		KUNIT_EXPECT_EQ(test, len, TCM_TRANSPORT_ID_LEN);
		KUNIT_EXPECT_EQ_MSG(test, memcmp(rig->buf, cases[i].want, len), 0, "%s: %*ph",
				    cases[i].name, len, rig->buf);
		memset(n, 0xff, sizeof(*n));
		KUNIT_EXPECT_EQ(test, tcm_transport_id_get(rig->buf, len, n), len);
		KUNIT_EXPECT_EQ(test, n->proto, cases[i].proto);
		KUNIT_EXPECT_FALSE(test, n->has_isid);
		KUNIT_EXPECT_STREQ(test, n->initiator, cases[i].again ?: cases[i].name);
		KUNIT_EXPECT_EQ(test, tcm_transport_id_get(rig->buf, len - 1, n), 0U);
	}
}

/* Every bit of a TransportID that is not the port's name is reserved. */
static void tid_reserved(struct kunit *test)
{
	static const struct {
		u8 proto, at, len;
	} cases[] = {
		{ TCM_PROTO_FCP, 8, 8 },
		{ TCM_PROTO_SAS, 4, 8 },
		{ TCM_PROTO_SRP, 8, 16 },
		{ TCM_PROTO_SBP, 8, 8 },
	};
	struct tid_rig *rig = test->priv;
	unsigned int i, bit, got;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		for (bit = 0; bit < 8 * TCM_TRANSPORT_ID_LEN; bit++) {
			bool name = bit / 8 >= cases[i].at &&
				    bit / 8 < cases[i].at + cases[i].len;

			/* PROTOCOL IDENTIFIER: another one is another form. */
			if (bit >= 4 && bit < 8)
				continue;
			memset(rig->buf, 0, sizeof(rig->buf));
			rig->buf[0] = cases[i].proto;
			rig->buf[cases[i].at] = 0x20;
			rig->buf[cases[i].at + 1] = 0x01;
			rig->buf[bit / 8] ^= 0x80 >> bit % 8;
			got = tcm_transport_id_get(rig->buf, TCM_TRANSPORT_ID_LEN, &rig->nexus);
			KUNIT_EXPECT_EQ_MSG(test, got, name ? TCM_TRANSPORT_ID_LEN : 0,
					    "protocol %u, bit %u", cases[i].proto, bit);
		}
		/* Nobody has no name. */
		memset(rig->buf, 0, sizeof(rig->buf));
		rig->buf[0] = cases[i].proto;
		got = tcm_transport_id_get(rig->buf, TCM_TRANSPORT_ID_LEN, &rig->nexus);
		KUNIT_EXPECT_EQ(test, got, 0U);
	}
}

static void tid_protocols(struct kunit *test)
{
	struct tid_rig *rig = test->priv;
	unsigned int proto;

	for (proto = 0; proto < 16; proto++) {
		bool known = proto == TCM_PROTO_FCP || proto == TCM_PROTO_SAS ||
			     proto == TCM_PROTO_SRP || proto == TCM_PROTO_SBP;

		memset(rig->buf, 0, sizeof(rig->buf));
		rig->buf[0] = proto;
		rig->buf[8] = 0x20;
		KUNIT_EXPECT_EQ_MSG(test,
				    !!tcm_transport_id_get(rig->buf, TCM_TRANSPORT_ID_LEN,
							   &rig->nexus), known, "%u", proto);
	}
}

/* SPC-4 7.6.4.6: zero terminated, a multiple of four, twenty bytes at least, whatever the name */
static void tid_iscsi(struct kunit *test)
{
	static const u8 isid[TCM_PR_ISID_LEN] = { 0x80, 0x12, 0x34, 0x56, 0x78, 0x9a };
	struct tid_rig *rig = test->priv;
	struct tcm_pr_nexus *n = &rig->nexus;
	unsigned int len, size, form;
	char name[TCM_NAME_MAX];

	for (len = 5; len < TCM_NAME_MAX; len++)
		for (form = 0; form < 2; form++) {
			memset(n, 0, sizeof(*n));
			n->proto = TCM_PROTO_ISCSI;
			n->has_isid = form;
			memcpy(n->isid, isid, sizeof(isid));
			memset(n->initiator, 'a', len);
			memcpy(n->initiator, "iqn.", 4);
			strscpy(name, n->initiator, sizeof(name));
			size = tcm_transport_id_put(n, rig->buf);
			KUNIT_EXPECT_LE(test, size, TCM_TRANSPORT_ID_MAX);
			KUNIT_EXPECT_GE(test, size, 24U);
			KUNIT_EXPECT_EQ(test, size % 4, 0U);
			KUNIT_EXPECT_EQ(test, rig->buf[0], form << 6 | TCM_PROTO_ISCSI);
			KUNIT_EXPECT_EQ(test, get_unaligned_be16(rig->buf + 2), size - 4);
			KUNIT_EXPECT_EQ(test, rig->buf[size - 1], 0);
			memset(n, 0, sizeof(*n));
			KUNIT_EXPECT_EQ(test, tcm_transport_id_get(rig->buf, size, n), size);
			KUNIT_EXPECT_STREQ(test, n->initiator, name);
			KUNIT_EXPECT_EQ(test, n->has_isid, !!form);
			if (form)
				KUNIT_EXPECT_EQ(test, memcmp(n->isid, isid, sizeof(isid)), 0);
			KUNIT_EXPECT_EQ(test, tcm_transport_id_get(rig->buf, size - 1, n), 0U);
		}
}

static void tid_iscsi_bad(struct kunit *test)
{
	static const struct {
		const char *text;
		u8 form;
		u16 size;		/* 0: as it should be */
		bool good;
	} cases[] = {
		{ TID_NAME, 0, 0, true },
		{ TID_NAME ",i,0x800000000001", 1, 0, true },
		{ TID_NAME ",I,0X80000000000A", 1, 0, true },
		{ "eui.0123456789abcdef", 0, 0, true },
		{ "naa.52004567ba64678d", 0, 0, true },
		{ "iqn.1993-08.org.x:\xc3\xa4", 0, 0, true },
		{ TID_NAME, 1 },			/* without a port's part */
		{ TID_NAME ",i,0x800000000001", 0 },	/* with one that is not announced */
		{ TID_NAME ",i,0x80000000000", 1 },
		{ TID_NAME ",i,0x8000000000011", 1 },
		{ TID_NAME ",i,0x80000000000g", 1 },
		{ TID_NAME ",t,0x800000000001", 1 },
		{ TID_NAME, 2 },
		{ TID_NAME, 3 },
		{ TID_NAME, 0, 16 },			/* less than twenty */
		{ TID_NAME, 0, 21 },			/* not a multiple of four */
		{ TID_NAME, 0, 400 },			/* more than there is */
		{ "iqn.1993-08.org.x:abcdefgh", 0, 24 },	/* no zero at its end */
		{ "", 0 },
		{ "iqn.", 0 },
		{ "foo.1993-08.org.x:a", 0 },
		{ "iqn.1993-08.org.x a", 0 },
		{ "iqn.1993-08.org.x\na", 0 },
		{ "iqn.1993-08.org.x=a", 0 },
		{ "iqn.1993-08.org.x\x7f", 0 },
		{ "iqn.1993-08.org.x\xc3", 0 },		/* half a character */
		{ "iqn.1993-08.org.x\xff\xfe", 0 },
	};
	struct tid_rig *rig = test->priv;
	unsigned int i, size, said, got;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		memset(rig->buf, 0, sizeof(rig->buf));
		size = max_t(unsigned int, round_up(strlen(cases[i].text) + 1, 4), 20);
		rig->buf[0] = cases[i].form << 6 | TCM_PROTO_ISCSI;
		memcpy(rig->buf + 4, cases[i].text, strlen(cases[i].text));
		said = cases[i].size;
		if (!said)
			said = size;
		put_unaligned_be16(said, rig->buf + 2);
		got = tcm_transport_id_get(rig->buf, max_t(u16, 4 + size, TCM_TRANSPORT_ID_LEN),
					   &rig->nexus);
		KUNIT_EXPECT_EQ_MSG(test, got, cases[i].good * (4 + size), "%u: %s", i,
				    cases[i].text);
	}
	/* Something behind the zero, and reserved bits */
	for (i = 0; i < 3; i++) {
		memset(rig->buf, 0, sizeof(rig->buf));
		rig->buf[0] = TCM_PROTO_ISCSI | (i == 1 ? 0x10 : 0);
		rig->buf[1] = i == 2;
		put_unaligned_be16(24, rig->buf + 2);
		memcpy(rig->buf + 4, TID_NAME, strlen(TID_NAME));
		rig->buf[27] = !i;
		KUNIT_EXPECT_EQ(test, tcm_transport_id_get(rig->buf, 28, &rig->nexus), 0U);
	}
}

static struct kunit_case tid_tests[] = {
	KUNIT_CASE(tid_fixed),
	KUNIT_CASE(tid_reserved),
	KUNIT_CASE(tid_protocols),
	KUNIT_CASE(tid_iscsi),
	KUNIT_CASE(tid_iscsi_bad),
	{ }
};

static struct kunit_suite tid_suite = {
	.name = "tcm_transport_id",
	.init = tid_init,
	.test_cases = tid_tests,
};

kunit_test_suites(&tid_suite);
