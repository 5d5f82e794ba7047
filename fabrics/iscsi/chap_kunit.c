// SPDX-License-Identifier: GPL-2.0-only
/*
 * CHAP (RFC 7143 section 12.1.3): who is let in, who is not, and what the target proves of itself.
 */
#include <crypto/hash.h>
#include <kunit/test.h>
#include "iscsi.h"

#define CHAP_USER	"alice"
#define CHAP_SECRET	"the initiator's"
#define CHAP_MUTUAL	"mutual secret"
#define CHAP_DIGEST_MAX	32
#define CHAP_TEXT_MAX	(2 + 2 * CHAP_DIGEST_MAX + 1)

struct chap_rig {
	struct tcm_isc_auth auth;
	struct tcm_isc_chap *chap;
	struct tcm_isc_text out;
	char buf[512];
	/* values of the target's keys, in @buf */
	char *a, *i, *c, *n, *r;
	char response[CHAP_TEXT_MAX];
};

static int chap_init(struct kunit *test)
{
	struct chap_rig *rig = kunit_kzalloc(test, sizeof(*rig), GFP_KERNEL);

	if (!rig)
		return -ENOMEM;
	strscpy(rig->auth.userid, CHAP_USER, sizeof(rig->auth.userid));
	strscpy(rig->auth.password, CHAP_SECRET, sizeof(rig->auth.password));
	strscpy(rig->auth.userid_mutual, "target", sizeof(rig->auth.userid_mutual));
	strscpy(rig->auth.password_mutual, CHAP_MUTUAL, sizeof(rig->auth.password_mutual));
	test->priv = rig;
	return 0;
}

static void chap_exit(struct kunit *test)
{
	struct chap_rig *rig = test->priv;

	if (rig)
		tcm_isc_chap_free(rig->chap);
}

/* Where the value of a key of the target's goes */
static char **chap_key(struct chap_rig *rig, const char *key)
{
	switch (tcm_isc_key_find(key)) {
	case TCM_ISC_K_CHAP_A:
		return &rig->a;
	case TCM_ISC_K_CHAP_I:
		return &rig->i;
	case TCM_ISC_K_CHAP_C:
		return &rig->c;
	case TCM_ISC_K_CHAP_N:
		return &rig->n;
	default:
		return &rig->r;
	}
}

static int chap_step(struct chap_rig *rig, const struct tcm_isc_chap_in *in)
{
	char *pos = rig->buf, *key, *value;
	int ret;

	rig->out = (struct tcm_isc_text){ .buf = rig->buf, .size = sizeof(rig->buf) };
	rig->a = NULL;
	rig->i = NULL;
	rig->c = NULL;
	rig->n = NULL;
	rig->r = NULL;
	ret = tcm_isc_chap_step(rig->chap, in, &rig->out);
	while (tcm_isc_text_next(&pos, rig->buf + rig->out.len, &key, &value) > 0)
		*chap_key(rig, key) = value;
	return ret;
}

/* A login that has come as far as the target's challenge */
static int chap_begin(struct chap_rig *rig, const char *algs)
{
	tcm_isc_chap_free(rig->chap);
	rig->chap = tcm_isc_chap_new(&rig->auth);
	return rig->chap ? chap_step(rig, &(struct tcm_isc_chap_in){ .a = algs }) : -ENOMEM;
}

/* RFC 1994 4.1: the hash of identifier, secret and challenge; its length */
static int chap_respond(struct chap_rig *rig, const char *alg, const char *secret)
{
	u8 text[1 + sizeof(CHAP_SECRET) + CHAP_DIGEST_MAX], digest[CHAP_DIGEST_MAX];
	struct crypto_shash *hash = crypto_alloc_shash(alg, 0, 0);
	size_t len = strlen(secret);
	int n, err;
	u32 id;

	if (IS_ERR(hash))
		return PTR_ERR(hash);
	n = tcm_isc_text_binary(rig->c, text + 1 + len, CHAP_DIGEST_MAX);
	if (n < 0 || tcm_isc_text_num(rig->i, &id)) {
		crypto_free_shash(hash);
		return -EINVAL;
	}
	text[0] = id;
	memcpy(text + 1, secret, len);
	err = crypto_shash_tfm_digest(hash, text, 1 + len + n, digest);
	n = crypto_shash_digestsize(hash);
	crypto_free_shash(hash);
	if (err)
		return err;
	memcpy(rig->response, "0x", 2);
	*bin2hex(rig->response + 2, digest, n) = '\0';
	return n;
}

/* The target's own answers to identifier 200 and the challenge 10h to 1Fh, by another program */
static const struct {
	const char *number, *name;
	int size;
	const char *mutual;
} chap_algs[] = {
	{ "5", "md5", 16, "0xd51448c5a471cc452cc1a6853a612427" },
	{ "6", "sha1", 20, "0x427d2be68f067b8dcf171462c0d2a3f548a41b6f" },
	{ "7", "sha256", 32, "0x8356bd6b805cdb3c20f05cb2e7480526f822b508689dad01a52e5dfea92bdd2e" },
	{ "8", "sha3-256", 32,
	  "0x64238dc971185ae2aeb307d8105c3e3f45cfabaf81000416b81d9f277d71afe6" },
};

#define CHAP_CHALLENGE	"0x101112131415161718191a1b1c1d1e1f"

static void chap_good(struct kunit *test)
{
	struct chap_rig *rig = test->priv;
	int i;

	for (i = 0; i < ARRAY_SIZE(chap_algs); i++) {
		struct tcm_isc_chap_in in = { .n = CHAP_USER, .r = rig->response };

		/* one way */
		KUNIT_EXPECT_EQ(test, chap_begin(rig, chap_algs[i].number), 0);
		KUNIT_ASSERT_TRUE(test, rig->a && rig->i && rig->c);
		KUNIT_EXPECT_STREQ(test, rig->a, chap_algs[i].number);
		KUNIT_EXPECT_EQ(test, chap_respond(rig, chap_algs[i].name, CHAP_SECRET),
				chap_algs[i].size);
		KUNIT_EXPECT_EQ_MSG(test, chap_step(rig, &in), 1, "%s", chap_algs[i].name);
		KUNIT_EXPECT_EQ(test, rig->out.len, 0U);
		/* both ways */
		KUNIT_EXPECT_EQ(test, chap_begin(rig, chap_algs[i].number), 0);
		chap_respond(rig, chap_algs[i].name, CHAP_SECRET);
		in.i = "200";
		in.c = CHAP_CHALLENGE;
		KUNIT_EXPECT_EQ_MSG(test, chap_step(rig, &in), 1, "%s", chap_algs[i].name);
		KUNIT_ASSERT_TRUE(test, rig->n && rig->r);
		KUNIT_EXPECT_STREQ(test, rig->n, "target");
		KUNIT_EXPECT_STREQ(test, rig->r, chap_algs[i].mutual);
	}
}

/* CHAP_A: the first of the initiator's that is known; none, and the login is over. */
static void chap_chosen(struct kunit *test)
{
	static const struct {
		const char *algs, *chosen;
	} cases[] = {
		{ "7,5", "7" }, { "5,7", "5" }, { "99,8,5", "8" }, { "99" }, { "" },
		{ "55,7x,6", "6" }, { ",,5", "5" }, { "05" }, { "5 ,6", "6" },
	};
	struct chap_rig *rig = test->priv;
	int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		int ret = chap_begin(rig, cases[i].algs);

		KUNIT_EXPECT_EQ_MSG(test, !ret, !!cases[i].chosen, "\"%s\"", cases[i].algs);
		if (ret)
			KUNIT_EXPECT_EQ(test, ret, -EACCES);
		if (cases[i].chosen && rig->a)
			KUNIT_EXPECT_STREQ(test, rig->a, cases[i].chosen);
	}
}

/* Each login has a challenge of its own: an answer that was heard is worth nothing. */
static void chap_replay(struct kunit *test)
{
	struct tcm_isc_chap_in in = { .n = CHAP_USER };
	struct chap_rig *rig = test->priv;

	KUNIT_EXPECT_EQ(test, chap_begin(rig, "7"), 0);
	chap_respond(rig, "sha256", CHAP_SECRET);
	in.r = rig->response;
	KUNIT_EXPECT_EQ(test, chap_step(rig, &in), 1);
	KUNIT_EXPECT_EQ(test, chap_begin(rig, "7"), 0);
	KUNIT_EXPECT_EQ(test, chap_step(rig, &in), -EACCES);
}

#define RESPOND	""		/* to the challenge, as it should be */
#define REFLECT	"*"		/* the target's own challenge */
#define UNSET(field)	.unset = offsetof(struct tcm_isc_auth, field) + 1

/* An exchange that would be good but for one thing */
static void chap_bad(struct kunit *test)
{
	static const struct {
		const char *why, *n, *r, *i, *c;
		const char *secret, *mutual;	/* of the initiator, of the target; NULL: as set */
		int grow;			/* bytes more of the response */
		size_t unset;
	} cases[] = {
		{ "another's name", CHAP_USER "x", RESPOND },
		{ "no name", NULL, RESPOND },
		{ "another secret", CHAP_USER, RESPOND, .secret = "another" },
		{ "the same, and the target is asked", CHAP_USER, RESPOND, "200", CHAP_CHALLENGE,
		  .secret = "another" },
		{ "no response", CHAP_USER, NULL },
		{ "a byte less", CHAP_USER, RESPOND, .grow = -1 },
		{ "a byte more", CHAP_USER, RESPOND, .grow = 1 },
		{ "no digits", CHAP_USER, "0xgg" },
		{ "identifier alone", CHAP_USER, RESPOND, "200", NULL },
		{ "challenge alone", CHAP_USER, RESPOND, NULL, CHAP_CHALLENGE },
		{ "identifier of two bytes", CHAP_USER, RESPOND, "256", CHAP_CHALLENGE },
		{ "identifier that is none", CHAP_USER, RESPOND, "x", CHAP_CHALLENGE },
		{ "empty challenge", CHAP_USER, RESPOND, "200", "0x" },
		{ "challenge that is none", CHAP_USER, RESPOND, "200", "challenge" },
		{ "reflected challenge", CHAP_USER, RESPOND, "200", REFLECT },
		{ "one secret for both", CHAP_USER, RESPOND, "200", CHAP_CHALLENGE,
		  .mutual = CHAP_SECRET },
		{ "no secret to prove", CHAP_USER, RESPOND, "200", CHAP_CHALLENGE,
		  UNSET(password_mutual) },
		{ "no secret is set", CHAP_USER, RESPOND, .secret = "", UNSET(password) },
		{ "nobody is set", "", RESPOND, UNSET(userid) },
	};
	struct chap_rig *rig = test->priv;
	const struct tcm_isc_auth was = rig->auth;
	char ours[CHAP_TEXT_MAX];
	int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct tcm_isc_chap_in in = {
			.n = cases[i].n, .r = cases[i].r, .i = cases[i].i, .c = cases[i].c,
		};

		rig->auth = was;
		if (cases[i].mutual)
			strscpy(rig->auth.password_mutual, cases[i].mutual, TCM_ISC_SECRET_MAX);
		if (cases[i].unset)
			((char *)&rig->auth)[cases[i].unset - 1] = '\0';
		KUNIT_EXPECT_EQ(test, chap_begin(rig, "5"), 0);
		KUNIT_ASSERT_TRUE(test, rig->i && rig->c);
		strscpy(ours, rig->c, sizeof(ours));
		KUNIT_EXPECT_EQ(test, chap_respond(rig, "md5", cases[i].secret ?: CHAP_SECRET), 16);
		if (cases[i].grow < 0)
			rig->response[2 + 2 * 15] = '\0';
		else if (cases[i].grow)
			strlcat(rig->response, "00", sizeof(rig->response));
		if (in.r && !*in.r)
			in.r = rig->response;
		if (in.c && *in.c == *REFLECT)
			in.c = ours;
		KUNIT_EXPECT_EQ_MSG(test, chap_step(rig, &in), -EACCES, "%s", cases[i].why);
		KUNIT_EXPECT_TRUE_MSG(test, !rig->r, "%s: the target answers", cases[i].why);
	}
}

/* Answers before the challenge are none, nor is one that comes with the choice. */
static void chap_order(struct kunit *test)
{
	static const struct tcm_isc_chap_in cases[] = {
		{ .n = CHAP_USER, .r = "0x00" }, { .i = "1", .c = CHAP_CHALLENGE },
		{ .a = "5", .n = CHAP_USER, .r = "0x00" },
	};
	struct chap_rig *rig = test->priv;
	int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		tcm_isc_chap_free(rig->chap);
		rig->chap = tcm_isc_chap_new(&rig->auth);
		KUNIT_ASSERT_NOT_NULL(test, rig->chap);
		KUNIT_EXPECT_EQ_MSG(test, chap_step(rig, &cases[i]), -EACCES, "case %d", i);
	}
}

static struct kunit_case chap_tests[] = {
	KUNIT_CASE(chap_good),
	KUNIT_CASE(chap_chosen),
	KUNIT_CASE(chap_replay),
	KUNIT_CASE(chap_bad),
	KUNIT_CASE(chap_order),
	{ }
};

static struct kunit_suite chap_suite = {
	.name = "tcm_isc_chap",
	.init = chap_init,
	.exit = chap_exit,
	.test_cases = chap_tests,
};

kunit_test_suites(&chap_suite);
