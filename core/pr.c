// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a restore says about registrations that outlived a power cycle.
 */
#include <linux/slab.h>
#include <linux/string.h>
#include "pr.h"
#include "target.h"

int tcm_pr_create(struct tcm_device *dev)
{
	struct tcm_pr *pr = kzalloc(sizeof(*pr), GFP_KERNEL);

	if (!pr)
		return -ENOMEM;
	INIT_LIST_HEAD(&pr->aptpl);
	dev->pr = pr;
	return 0;
}

void tcm_pr_destroy(struct tcm_device *dev)
{
	struct tcm_pr_aptpl *reg, *next;

	if (!dev->pr)
		return;
	list_for_each_entry_safe(reg, next, &dev->pr->aptpl, node)
		kfree(reg);
	kfree(dev->pr);
	dev->pr = NULL;
}

static bool tcm_pr_same_nexus(const struct tcm_pr_aptpl *a, const struct tcm_pr_aptpl *b)
{
	return a->tpgt == b->tpgt && a->mapped_lun == b->mapped_lun &&
	       !strcmp(a->initiator, b->initiator) && !strcmp(a->isid, b->isid) &&
	       !strcmp(a->target, b->target) && !strcmp(a->target_fabric, b->target_fabric);
}

static void tcm_pr_aptpl_forget(struct tcm_pr *pr, const struct tcm_pr_aptpl *like)
{
	struct tcm_pr_aptpl *reg, *next;

	lockdep_assert_held(&tcm_config_mutex);
	list_for_each_entry_safe(reg, next, &pr->aptpl, node) {
		if (!tcm_pr_same_nexus(reg, like))
			continue;
		list_del(&reg->node);
		pr->aptpl_count--;
		kfree(reg);
	}
}

int tcm_pr_aptpl_add(struct tcm_device *dev, const struct tcm_pr_aptpl *reg, const char **why)
{
	struct tcm_pr_aptpl *copy = kmemdup(reg, sizeof(*reg), GFP_KERNEL);
	struct tcm_pr *pr = dev->pr;
	int err = 0;

	if (!copy)
		return -ENOMEM;
	mutex_lock(&tcm_config_mutex);
	if (dev->exports) {
		*why = "a LUN links to the device";
		err = -EINVAL;
		goto unlock;
	}
	tcm_pr_aptpl_forget(pr, copy);
	if (pr->aptpl_count >= TCM_PR_APTPL_MAX) {
		*why = "too many registrations";
		err = -ENOSPC;
		goto unlock;
	}
	list_add_tail(&copy->node, &pr->aptpl);
	pr->aptpl_count++;
	copy = NULL;
unlock:
	mutex_unlock(&tcm_config_mutex);
	kfree(copy);
	return err;
}
