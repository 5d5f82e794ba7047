// SPDX-License-Identifier: GPL-2.0-only
/*
 * What all directories have in common: their memory, their default groups, their names.
 */
#include <linux/ctype.h>
#include <linux/kstrtox.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>
#include "../core/registry.h"
#include "../core/target.h"
#include "cfs.h"

/* Longest path that a message shows */
#define TCM_PATH_SHOWN	320

static void tcm_cfs_types_free(struct kref *ref)
{
	struct tcm_cfs_types *types = container_of(ref, struct tcm_cfs_types, ref);

	/* LUNs that were just unlinked still end: rmmod works for who comes next. */
	tcm_target_settle(types->ops);
	tcm_fabric_put(types->ops);
	kfree(types->tpg_attrs);
	kfree(types);
}

void tcm_cfs_types_put(struct tcm_cfs_types *types)
{
	if (types)
		kref_put(&types->ref, tcm_cfs_types_free);
}

void tcm_cfs_release(struct config_item *item)
{
	struct tcm_cfs_node *node = tcm_cfs_node(item);
	struct tcm_cfs_types *types = node->types;

	configfs_remove_default_groups(&node->group);
	kfree(node);
	tcm_cfs_types_put(types);
}

struct configfs_item_operations tcm_item_ops = {
	.release = tcm_cfs_release,
};
EXPORT_SYMBOL_GPL(tcm_item_ops);

const struct config_item_type tcm_cfs_empty_type = {
	.ct_item_ops	= &tcm_item_ops,
	.ct_owner	= THIS_MODULE,
};

static struct config_group *tcm_cfs_no_mkdir(struct config_group *group, const char *name)
{
	return ERR_PTR(tcm_cfs_refuse(&group->cg_item, name, -ENOSYS, "nothing is made here"));
}

struct configfs_group_operations tcm_stats_group_ops = {
	.make_group = tcm_cfs_no_mkdir,
};

const struct config_item_type tcm_cfs_stats_type = {
	.ct_item_ops	= &tcm_item_ops,
	.ct_group_ops	= &tcm_stats_group_ops,
	.ct_owner	= THIS_MODULE,
};

/* np/ of fabrics without network portals */
const struct config_item_type tcm_no_nps_type = {
	.ct_item_ops	= &tcm_item_ops,
	.ct_group_ops	= &tcm_stats_group_ops,
	.ct_owner	= THIS_MODULE,
};

void *tcm_cfs_alloc(size_t size, const char *name, const struct config_item_type *type,
		    enum tcm_cfs_kind kind, void *obj, struct tcm_cfs_types *types)
{
	struct tcm_cfs_node *node = kzalloc(size, GFP_KERNEL);

	if (!node)
		return NULL;
	node->kind = kind;
	node->obj = obj;
	node->types = types;
	if (types)
		kref_get(&types->ref);
	config_group_init_type_name(&node->group, name, type);
	/* A long name is memory of its own, and configfs does not say when there is none. */
	if (!config_item_name(&node->group.cg_item)) {
		tcm_cfs_types_put(types);
		kfree(node);
		return NULL;
	}
	return node;
}

struct tcm_cfs_node *tcm_cfs_add(struct tcm_cfs_node *dir, const char *name,
				 const struct config_item_type *type)
{
	struct tcm_cfs_node *node;

	node = tcm_cfs_alloc(sizeof(*node), name, type, dir->kind, dir->obj, dir->types);
	if (node)
		configfs_add_default_group(&node->group, &dir->group);
	return node;
}

int tcm_cfs_add_subs(struct tcm_cfs_node *dir, const struct tcm_cfs_sub *subs)
{
	struct tcm_cfs_node *node;
	int err;

	for (; subs && subs->name; subs++) {
		node = tcm_cfs_add(dir, subs->name, subs->type);
		if (!node)
			return -ENOMEM;
		err = tcm_cfs_add_subs(node, subs->subs);
		if (err)
			return err;
	}
	return 0;
}

void tcm_cfs_discard(struct tcm_cfs_node *dir)
{
	config_group_put(&dir->group);
}

int tcm_cfs_add_fabric_stats(struct tcm_cfs_node *dir, const struct tcm_attr_group *groups)
{
	struct tcm_cfs_node *stats = tcm_cfs_add(dir, "fabric_statistics", &tcm_cfs_stats_type);
	const struct tcm_attr_group *group;

	if (!stats)
		return -ENOMEM;
	for (group = groups; group && group->name; group++)
		if (!tcm_cfs_add(stats, group->name, group->type))
			return -ENOMEM;
	return 0;
}

/* The path below target/; cut at the front when it is long. Return: where it starts. */
static char *tcm_cfs_path(struct config_item *item, char *buf, size_t size)
{
	char *at = buf + size - 1;

	*at = '\0';
	for (; item && item->ci_parent; item = item->ci_parent) {
		size_t len = strlen(config_item_name(item));

		if (at - buf < len + 1)
			break;
		*--at = '/';
		at -= len;
		memcpy(at, config_item_name(item), len);
	}
	return at;
}

/* The reason where nobody gave a better one */
static const char *tcm_cfs_reason(int err)
{
	switch (err) {
	case -EINVAL:
		return "not valid here";
	case -ERANGE:
		return "out of range";
	case -EEXIST:
		return "there is one already";
	case -ENAMETOOLONG:
	case -EOVERFLOW:
		return "too long";
	case -ENOMEM:
		return "no memory";
	}
	return "it cannot be";
}

int tcm_cfs_refuse(struct config_item *item, const char *name, int err, const char *why)
{
	char buf[TCM_PATH_SHOWN];

	pr_warn("tcm: %s%*pE refused: %s (%pe)\n", tcm_cfs_path(item, buf, sizeof(buf)),
		(int)min_t(size_t, strlen(name), 64), name, why ?: tcm_cfs_reason(err),
		ERR_PTR(err));
	return err;
}
EXPORT_SYMBOL_GPL(tcm_cfs_refuse);
