// SPDX-License-Identifier: GPL-2.0-only
/*
 * CHAP (RFC 1994, RFC 7143 section 12.1.3): one way and mutual, with the hashes of the kernel's
 * crypto library.
 */
#include <crypto/algapi.h>
#include <crypto/hash.h>
#include <linux/random.h>
#include <linux/slab.h>
#include "iscsi.h"

#define TCM_ISC_CHAP_DIGEST_MAX	32
#define TCM_ISC_CHAP_CHALLENGE_MAX	1024

/* IANA's "PPP Authentication Algorithms"; the length of our challenge is that of the digest. */
static const struct tcm_isc_chap_alg {
	const char	*number, *name;
	u32		size;
} tcm_isc_chap_algs[] = {
	{ "5", "md5", 16 },
	{ "6", "sha1", 20 },
	{ "7", "sha256", 32 },
	{ "8", "sha3-256", 32 },
};

struct tcm_isc_chap {
	struct tcm_isc_auth		auth;
	const struct tcm_isc_chap_alg *alg;
	struct crypto_shash	*hash;
	u8			id;
	u8			challenge[TCM_ISC_CHAP_DIGEST_MAX];
};

/* Nobody proves to be nobody: a name goes with the secret. */
bool tcm_isc_chap_able(const struct tcm_isc_auth *auth)
{
	return *auth->userid && *auth->password;
}

struct tcm_isc_chap *tcm_isc_chap_new(const struct tcm_isc_auth *auth)
{
	struct tcm_isc_chap *chap = kzalloc(sizeof(*chap), GFP_KERNEL);

	if (chap)
		chap->auth = *auth;
	return chap;
}

void tcm_isc_chap_free(struct tcm_isc_chap *chap)
{
	if (!chap)
		return;
	if (chap->hash)
		crypto_free_shash(chap->hash);
	kfree_sensitive(chap);
}

/* The first of the initiator's list that this kernel can do */
static int tcm_isc_chap_choose(struct tcm_isc_chap *chap, const char *list)
{
	size_t i, n;

	for (;; list += n + 1) {
		n = strcspn(list, ",");
		for (i = 0; i < ARRAY_SIZE(tcm_isc_chap_algs); i++) {
			if (strlen(tcm_isc_chap_algs[i].number) != n ||
			    strncmp(tcm_isc_chap_algs[i].number, list, n))
				continue;
			chap->hash = crypto_alloc_shash(tcm_isc_chap_algs[i].name, 0, 0);
			if (!IS_ERR(chap->hash)) {
				chap->alg = &tcm_isc_chap_algs[i];
				return 0;
			}
			chap->hash = NULL;
		}
		if (!list[n])
			return -EACCES;
	}
}

static void tcm_isc_chap_say(struct tcm_isc_text *out, const char *key, const u8 *bin, size_t len)
{
	char hex[2 + 2 * TCM_ISC_CHAP_DIGEST_MAX + 1] = "0x";

	*bin2hex(hex + 2, bin, len) = '\0';
	tcm_isc_text_add(out, key, hex);
}

static int tcm_isc_chap_hash(struct tcm_isc_chap *chap, u8 id, const char *secret,
			     const u8 *challenge,
			     size_t len, u8 *digest)
{
	SHASH_DESC_ON_STACK(desc, chap->hash);
	int err;

	desc->tfm = chap->hash;
	err = crypto_shash_init(desc) ?: crypto_shash_update(desc, &id, 1) ?:
		crypto_shash_update(desc, secret, strlen(secret)) ?:
		crypto_shash_update(desc, challenge, len) ?: crypto_shash_final(desc, digest);
	shash_desc_zero(desc);
	return err;
}

static int tcm_isc_chap_ask(struct tcm_isc_chap *chap, const char *algs, struct tcm_isc_text *out)
{
	int err = tcm_isc_chap_choose(chap, algs);

	if (err)
		return err;
	get_random_bytes(&chap->id, 1);
	get_random_bytes(chap->challenge, chap->alg->size);
	tcm_isc_text_add(out, "CHAP_A", chap->alg->number);
	tcm_isc_text_addf(out, "CHAP_I", "%u", chap->id);
	tcm_isc_chap_say(out, "CHAP_C", chap->challenge, chap->alg->size);
	return 0;
}

static int tcm_isc_chap_verify(struct tcm_isc_chap *chap, const char *name, const char *response)
{
	u8 want[TCM_ISC_CHAP_DIGEST_MAX], got[TCM_ISC_CHAP_DIGEST_MAX];

	if (!tcm_isc_chap_able(&chap->auth) || strcmp(name, chap->auth.userid))
		return -EACCES;
	if (tcm_isc_text_binary(response, got, sizeof(got)) != (int)chap->alg->size)
		return -EACCES;
	if (tcm_isc_chap_hash(chap, chap->id, chap->auth.password, chap->challenge, chap->alg->size,
			      want))
		return -EACCES;
	return crypto_memneq(want, got, chap->alg->size) ? -EACCES : 0;
}

/* The initiator wants to know who we are (12.1.3): never by its own challenge's answer. */
static int tcm_isc_chap_answer(struct tcm_isc_chap *chap, const struct tcm_isc_chap_in *in,
			       struct tcm_isc_text *out)
{
	u8 digest[TCM_ISC_CHAP_DIGEST_MAX], *challenge;
	int len, err = -EACCES;
	u32 id;

	if (!*chap->auth.userid_mutual || !*chap->auth.password_mutual ||
	    tcm_isc_text_num(in->i, &id) || id > U8_MAX)
		return -EACCES;
	/* One secret for both directions would let a mirror log in. */
	if (!strcmp(chap->auth.password, chap->auth.password_mutual))
		return -EACCES;
	challenge = kmalloc(TCM_ISC_CHAP_CHALLENGE_MAX, GFP_KERNEL);
	if (!challenge)
		return -ENOMEM;
	len = tcm_isc_text_binary(in->c, challenge, TCM_ISC_CHAP_CHALLENGE_MAX);
	if (len <= 0)
		goto free;
	if (len == chap->alg->size && !memcmp(challenge, chap->challenge, len))
		goto free;
	if (tcm_isc_chap_hash(chap, id, chap->auth.password_mutual, challenge, len, digest))
		goto free;
	tcm_isc_text_add(out, "CHAP_N", chap->auth.userid_mutual);
	tcm_isc_chap_say(out, "CHAP_R", digest, chap->alg->size);
	err = 0;
free:
	kfree(challenge);
	return err;
}

int tcm_isc_chap_step(struct tcm_isc_chap *chap, const struct tcm_isc_chap_in *in,
		      struct tcm_isc_text *out)
{
	int err;

	if (!chap->alg)
		return in->a && !in->r ? tcm_isc_chap_ask(chap, in->a, out) : -EACCES;
	if (!in->n || !in->r)
		return -EACCES;
	err = tcm_isc_chap_verify(chap, in->n, in->r);
	if (err)
		return err;
	if (!in->i != !in->c)
		return -EACCES;
	if (in->c) {
		err = tcm_isc_chap_answer(chap, in, out);
		if (err)
			return err;
	}
	return 1;
}
