// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tuples of protection information (SBC-4 4.21.2): made, checked, repeated, compared. Nothing here
 * knows of devices or commands.
 */
#include <linux/crc-t10dif.h>
#include <linux/string.h>
#include "pi_tuple.h"

#define TCM_PI_APP_ESCAPE	cpu_to_be16(0xffff)
#define TCM_PI_REF_ESCAPE	cpu_to_be32(0xffffffff)

/* A place in a scatterlist whose pages are mapped */
struct tcm_pi_place {
	struct scatterlist *sg;
	u64 off;
};

/* The guard of the block at a place, which moves on behind it. */
static __be16 tcm_pi_guard(struct tcm_pi_place *at, unsigned int len)
{
	u16 crc = 0;

	while (len) {
		unsigned int n;

		while (at->off >= at->sg->length) {
			at->off -= at->sg->length;
			at->sg = sg_next(at->sg);
		}
		n = min_t(u64, len, at->sg->length - at->off);
		crc = crc_t10dif_update(crc, sg_virt(at->sg) + at->off, n);
		at->off += n;
		len -= n;
	}
	return cpu_to_be16(crc);
}

void tcm_pi_generate(struct t10_pi_tuple *t, unsigned int n, struct scatterlist *sg, u64 skip,
		     const struct tcm_pi_rule *rule)
{
	bool tags = rule->type == 1 || (rule->type == 2 && rule->tags);
	struct tcm_pi_place at = { .sg = sg, .off = skip };
	unsigned int i;

	for (i = 0; i < n; i++) {
		t[i].guard_tag = sg ? tcm_pi_guard(&at, 1U << rule->shift) : 0;
		t[i].app_tag = rule->type == 2 ? TCM_PI_APP_ESCAPE : 0;
		if (rule->type == 2 && tags)
			t[i].app_tag = cpu_to_be16(rule->app & rule->app_mask);
		t[i].ref_tag = tags ? cpu_to_be32(rule->ref + i) : TCM_PI_REF_ESCAPE;
	}
}

void tcm_pi_reguard(struct t10_pi_tuple *t, unsigned int n, struct scatterlist *sg, u64 skip,
		    u8 shift)
{
	struct tcm_pi_place at = { .sg = sg, .off = skip };
	unsigned int i;

	for (i = 0; i < n; i++)
		t[i].guard_tag = tcm_pi_guard(&at, 1U << shift);
}

/* SBC-4 4.21.2.2: an application tag of all ones, for type 3 with a reference tag of all ones */
static bool tcm_pi_escapes(const struct t10_pi_tuple *t, u8 type)
{
	return t->app_tag == TCM_PI_APP_ESCAPE &&
	       (type != 3 || t->ref_tag == TCM_PI_REF_ESCAPE);
}

static enum tcm_sense tcm_pi_check(const struct t10_pi_tuple *t, __be16 guard, u32 ref,
				   const struct tcm_pi_rule *rule)
{
	if (rule->medium && tcm_pi_escapes(t, rule->type))
		return TCM_OK;
	if ((rule->checks & TCM_PI_GUARD) && t->guard_tag != guard)
		return TCM_GUARD_CHECK;
	if ((rule->checks & TCM_PI_APP) &&
	    (be16_to_cpu(t->app_tag) ^ rule->app) & rule->app_mask)
		return TCM_APP_TAG_CHECK;
	if ((rule->checks & TCM_PI_REF) && rule->type != 3 && be32_to_cpu(t->ref_tag) != ref)
		return TCM_REF_TAG_CHECK;
	return TCM_OK;
}

unsigned int tcm_pi_verify(const struct t10_pi_tuple *t, unsigned int n, struct scatterlist *sg,
			   u64 skip, const struct tcm_pi_rule *rule, enum tcm_sense *sense)
{
	struct tcm_pi_place at = { .sg = sg, .off = skip };
	bool guards = rule->checks & TCM_PI_GUARD;
	unsigned int i;

	*sense = TCM_OK;
	for (i = 0; i < n; i++) {
		__be16 guard = guards ? tcm_pi_guard(&at, 1U << rule->shift) : 0;

		*sense = tcm_pi_check(&t[i], guard, rule->ref + i, rule);
		if (*sense)
			break;
	}
	return i;
}

void tcm_pi_repeat(struct t10_pi_tuple *t, unsigned int n, u8 type,
		   const struct t10_pi_tuple *first, u32 at)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		t[i] = *first;
		if (type != 3)
			t[i].ref_tag = cpu_to_be32(be32_to_cpu(first->ref_tag) + at + i);
	}
}

unsigned int tcm_pi_compare(const struct t10_pi_tuple *a, const struct t10_pi_tuple *b,
			    unsigned int n, u8 same)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		if ((same & TCM_PI_SAME_GUARD) && a[i].guard_tag != b[i].guard_tag)
			break;
		if ((same & TCM_PI_SAME_TAGS) &&
		    (a[i].app_tag != b[i].app_tag || a[i].ref_tag != b[i].ref_tag))
			break;
	}
	return i;
}
