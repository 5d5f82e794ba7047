/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Making and checking tuples of protection information: pure functions over memory.
 */
#ifndef _TCM_PI_TUPLE_H
#define _TCM_PI_TUPLE_H

#include <tcm/pi.h>
#include <tcm/sense.h>

/* What tuples of consecutive blocks have to be, or are made from */
struct tcm_pi_rule {
	u8	type;		/* protection type: 1, 2 or 3 */
	u8	checks;		/* TCM_PI_GUARD, TCM_PI_APP, TCM_PI_REF */
	bool	medium;		/* from the medium: tuples may say that they are not checked */
	u8	shift;		/* log2 of the logical block length */
	bool	tags;		/* of type 2: @ref and @app are known */
	u32	ref;		/* of the first block */
	u16	app, app_mask;
};

/*
 * For data without tuples (SBC-4 4.21.2.3): the guard; the LBA as the reference tag of type 1.
 * The tags of others are the initiator's and not known: type 2 is marked as not to be
 * checked.
 * Without @sg the data are zeros.
 */
void tcm_pi_generate(struct t10_pi_tuple *t, unsigned int n, struct scatterlist *sg, u64 skip,
		     const struct tcm_pi_rule *rule);

/*
 * Check @n tuples and the data of @sg from its byte @skip on. Return: how many are good, with
 * *@sense the outcome of the next one.
 */
unsigned int tcm_pi_verify(const struct t10_pi_tuple *t, unsigned int n, struct scatterlist *sg,
			   u64 skip, const struct tcm_pi_rule *rule, enum tcm_sense *sense);

/* Guards for data that are not those that the tuples came with; tags stay. */
void tcm_pi_reguard(struct t10_pi_tuple *t, unsigned int n, struct scatterlist *sg, u64 skip,
		    u8 shift);

/* @first, with the reference tag going up where the type counts; @t begins @at blocks behind it. */
void tcm_pi_repeat(struct t10_pi_tuple *t, unsigned int n, u8 type,
		   const struct t10_pi_tuple *first, u32 at);

/* Of how many tuples the parts that @same names (TCM_PI_SAME_*) are alike */
unsigned int tcm_pi_compare(const struct t10_pi_tuple *a, const struct t10_pi_tuple *b,
			    unsigned int n, u8 same);

/* The reference tag with which type 1 begins at a block */
static inline u32 tcm_pi_lba_ref(u64 lba)
{
	return lba;
}

#endif
