// SPDX-License-Identifier: GPL-2.0-only
/*
 * <fabric>/<wwn>/ (configfs contract, sections 8 and 8.1).
 */
#include <linux/cpumask.h>
#include <linux/kstrtox.h>
#include <linux/module.h>
#include <linux/string.h>
#include "../core/target.h"
#include "attr.h"

struct tcm_wwn *tcm_item_wwn(struct config_item *item)
{
	return tcm_cfs_node(item)->obj;
}
EXPORT_SYMBOL_GPL(tcm_item_wwn);

#define TCM_WWN_PARAM(name, fmt, value)						\
	TCM_SHOW(wwn_param, name, struct tcm_wwn *wwn = tcm_item_wwn(item), fmt, value)

TCM_WWN_PARAM(default_submit_type, "%u\n", wwn->ops->submit_type);
TCM_WWN_PARAM(direct_submit_supported, "%u\n", wwn->ops->direct_submit);

static ssize_t tcm_wwn_param_cmd_completion_affinity_show(struct config_item *item, char *page)
{
	return sysfs_emit(page, "%d\n", READ_ONCE(tcm_item_wwn(item)->completion_affinity));
}

/* -1: the CPU of the submission, -2: the current one, else this CPU */
static ssize_t tcm_wwn_param_cmd_completion_affinity_store(struct config_item *item,
							   const char *page, size_t count)
{
	struct tcm_wwn *wwn = tcm_item_wwn(item);
	int cpu;

	if (memchr(page, 0, count) || kstrtoint(page, 0, &cpu) || cpu < -2 ||
	    (cpu >= 0 && cpu != READ_ONCE(wwn->completion_affinity) &&
	     (cpu >= nr_cpu_ids || !cpu_online(cpu))))
		return tcm_cfs_refuse(item, "cmd_completion_affinity", -EINVAL,
				      "-1, -2 or a CPU that is online");
	WRITE_ONCE(wwn->completion_affinity, cpu);
	return count;
}
CONFIGFS_ATTR(tcm_wwn_param_, cmd_completion_affinity);

static struct configfs_attribute *tcm_wwn_param_attrs[] = {
	TCM_ROW(wwn_param, cmd_completion_affinity),
	TCM_ROW(wwn_param, default_submit_type),
	TCM_ROW(wwn_param, direct_submit_supported),
	NULL
};

static const struct config_item_type tcm_wwn_param_type = {
	.ct_item_ops	= &tcm_item_ops,
	.ct_attrs	= tcm_wwn_param_attrs,
	.ct_owner	= THIS_MODULE,
};

struct config_group *tcm_cfs_make_wwn(struct tcm_cfs_types *types, struct tcm_wwn *wwn,
				      const char *name)
{
	struct tcm_cfs_node *node;

	node = tcm_cfs_alloc(sizeof(*node), name, &types->wwn, TCM_CFS_WWN, wwn, types);
	if (!node)
		return ERR_PTR(-ENOMEM);
	if (!tcm_cfs_add(node, "param", &tcm_wwn_param_type) ||
	    tcm_cfs_add_fabric_stats(node, types->ops->wwn_stats)) {
		tcm_cfs_discard(node);
		return ERR_PTR(-ENOMEM);
	}
	return &node->group;
}

/* The form that most fabrics have */
static int tcm_tpg_tag_default(const char *name, u16 *tag)
{
	if (!strstarts(name, "tpgt_"))
		return -EINVAL;
	return kstrtou16(name + 5, 10, tag);
}

static struct config_group *tcm_wwn_make_tpg(struct config_group *group, const char *name)
{
	struct tcm_cfs_node *cwwn = tcm_group_node(group);
	const struct tcm_fabric_ops *ops = cwwn->types->ops;
	const char *why = "not the name of a portal group";
	struct config_group *made;
	struct tcm_tpg *tpg;
	u16 tag = 0;
	int err;

	err = tcm_cfs_check_name(name);
	if (!err)
		err = (ops->tpg_tag ?: tcm_tpg_tag_default)(name, &tag);
	if (err)
		goto refuse;
	tpg = tcm_tpg_create(cwwn->obj, tag);
	if (IS_ERR(tpg)) {
		err = PTR_ERR(tpg);
		why = err == -EEXIST ? "the tag is taken" : "the fabric refused";
		goto refuse;
	}
	made = tcm_cfs_make_tpg(cwwn->types, tpg, name);
	if (!IS_ERR(made))
		return made;
	tcm_tpg_destroy(tpg);
	err = PTR_ERR(made);
	why = NULL;
refuse:
	tcm_cfs_refuse(&group->cg_item, name, err, why);
	return ERR_PTR(-EINVAL);
}

static void tcm_wwn_drop_tpg(struct config_group *group, struct config_item *item)
{
	tcm_tpg_destroy(tcm_item_tpg(item));
	tcm_cfs_bury(item);
}

struct configfs_group_operations tcm_wwn_group_ops = {
	.make_group	= tcm_wwn_make_tpg,
	.drop_item	= tcm_wwn_drop_tpg,
};
