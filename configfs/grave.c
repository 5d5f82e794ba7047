// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where the memory of a directory rests after rmdir.
 *
 * configfs lets go of a directory's item before the VFS takes the name out of its cache, and
 * symlink() takes a reference on whatever it finds under the name: on freed memory, if it
 * comes between the two. So each item keeps one reference for a second or two more. What such a
 * late comer gets is refused by allow_link(): the directory has no object any more.
 */
#include <linux/list.h>
#include <linux/module.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>
#include "cfs.h"

static void tcm_grave_work(struct work_struct *work);
static DECLARE_DELAYED_WORK(tcm_grave, tcm_grave_work);

/* protects both lists; a leaf lock */
static DEFINE_SPINLOCK(tcm_grave_lock);
static LIST_HEAD(tcm_graves_new);	/* since the last look */
static LIST_HEAD(tcm_graves_old);	/* since the one before: to be freed at the next */

/* The type of what is here: another one's may go with the fabric it belongs to. */
static const struct config_item_type tcm_buried_type = {
	.ct_item_ops	= &tcm_item_ops,
	.ct_owner	= THIS_MODULE,
};

static void tcm_graves_free(struct list_head *graves)
{
	struct tcm_cfs_node *node, *next;

	list_for_each_entry_safe(node, next, graves, grave)
		config_group_put(&node->group);
}

static void tcm_grave_work(struct work_struct *work)
{
	LIST_HEAD(freed);

	spin_lock(&tcm_grave_lock);
	list_splice_init(&tcm_graves_old, &freed);
	list_splice_init(&tcm_graves_new, &tcm_graves_old);
	if (!list_empty(&tcm_graves_old))
		schedule_delayed_work(&tcm_grave, HZ);
	spin_unlock(&tcm_grave_lock);
	tcm_graves_free(&freed);
}

void tcm_cfs_bury(struct config_item *item)
{
	struct tcm_cfs_node *node = tcm_cfs_node(item);
	struct tcm_cfs_types *types = node->types;

	configfs_remove_default_groups(&node->group);
	item->ci_type = &tcm_buried_type;
	node->types = NULL;
	tcm_cfs_types_put(types);
	spin_lock(&tcm_grave_lock);
	list_add_tail(&node->grave, &tcm_graves_new);
	schedule_delayed_work(&tcm_grave, HZ);
	spin_unlock(&tcm_grave_lock);
}

bool tcm_cfs_is_buried(const struct config_item *item)
{
	return item->ci_type == &tcm_buried_type;
}

void tcm_cfs_empty_graves(void)
{
	cancel_delayed_work_sync(&tcm_grave);
	tcm_graves_free(&tcm_graves_old);
	tcm_graves_free(&tcm_graves_new);
}
