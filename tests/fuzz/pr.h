/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What must hold of the reservations of a device whatever was done, and the way to the
 * file and back.
 */
#ifndef _TCM_FUZZ_PR_H
#define _TCM_FUZZ_PR_H

#include "../../configfs/attr.h"
#include "../../core/pr.h"
#include "fuzz.h"

extern struct configfs_attribute tcm_pr_attr_res_aptpl_metadata;

static inline void fuzz_pr_check(struct tcm_device *dev)
{
	struct tcm_pr_state *st = dev->pr->state;
	struct tcm_pr_who who;
	unsigned int i;

	fuzz_check(!dev->pr->lock.locked && !dev->lun_lock.locked);
	fuzz_check(st->n <= st->room && st->n <= TCM_PR_REGS_MAX);
	fuzz_check(!st->type || tcm_pr_type_valid(st->type));
	if (!st->type || tcm_pr_all_registrants(st->type))
		fuzz_check(st->holder == -1 && (st->n || !st->type));
	else
		fuzz_check(st->holder >= 0 && (unsigned int)st->holder < st->n);
	for (i = 0; i < st->n; i++) {
		fuzz_check(st->reg[i].key && !st->reg[i].gone && !st->reg[i].tell);
		who = tcm_pr_view(&st->reg[i].nexus);
		fuzz_check(who.hash == tcm_pr_hash(who.proto, who.initiator, who.fabric, who.target,
						   who.tpgt));
	}
}

/* One write to the file res_aptpl_metadata */
static inline ssize_t fuzz_pr_restore(struct tcm_device *dev, const char *text, size_t len)
{
	struct tcm_cfs_node node = { .obj = dev };

	return tcm_pr_attr_res_aptpl_metadata.store(&node.group.cg_item, text, len);
}

static inline void fuzz_pr_same(const struct tcm_pr_state *a, const struct tcm_pr_state *b)
{
	unsigned int i;

	fuzz_check(a->n == b->n && a->type == b->type && a->holder == b->holder);
	for (i = 0; i < a->n; i++) {
		const struct tcm_pr_reg *x = &a->reg[i], *y = &b->reg[i];

		fuzz_check(x->key == y->key && x->all_tg_pt == y->all_tg_pt);
		fuzz_check(x->nexus.hash == y->nexus.hash && x->nexus.tpgt == y->nexus.tpgt);
		fuzz_check(!strcmp(x->nexus.initiator, y->nexus.initiator));
		fuzz_check(!strcmp(x->nexus.target, y->nexus.target));
		fuzz_check(x->nexus.has_isid == y->nexus.has_isid);
		fuzz_check(!x->nexus.has_isid ||
			   !memcmp(x->nexus.isid, y->nexus.isid, TCM_PR_ISID_LEN));
	}
}

/* After a power cycle everything is as it was: the file, cut where its reader cuts it. */
static inline void fuzz_pr_power_cycle(struct tcm_device *dev)
{
	struct fuzz_in none = { };
	struct fuzz_lun *l = fuzz_lun_new(&none);
	struct tcm_pr_state *st = dev->pr->state;
	size_t size = tcm_pr_text_size(st);
	char *text = malloc(size), *at = text, *end;

	l->dev.attr.emulate_pr = 1;
	text[tcm_pr_text(st, text, size)] = '\0';
	/* What was lost stays so until somebody registers: a file that is read as damaged. */
	fuzz_check(tcm_pr_text_whole(text) || (st->lost && !strstr(text, "PR_REG_END")));
	while ((end = strstr(at, "\nPR_REG_END"))) {
		fuzz_check(fuzz_pr_restore(&l->dev, at, end - at) == end - at);
		at = end + strlen("\nPR_REG_END");
	}
	fuzz_pr_check(&l->dev);
	if (st->aptpl)
		fuzz_pr_same(st, l->dev.pr->state);
	free(text);
	fuzz_lun_free(l);
}

#endif
