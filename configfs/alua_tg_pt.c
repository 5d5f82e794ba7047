// SPDX-License-Identifier: GPL-2.0-only
/*
 * alua/<group>/ of a device: target port groups (configfs contract, section 6.1).
 */
#include <linux/module.h>
#include <linux/string.h>
#include "../core/alua.h"
#include "../core/target.h"
#include "attr.h"

static struct tcm_tg_pt_gp *tcm_tg_pt_gp_of(struct config_item *item)
{
	return tcm_cfs_node(item)->obj;
}

static ssize_t tcm_gp_field_store(struct config_item *item, const char *page, size_t count,
				  enum tcm_alua_field field, const char *name)
{
	const char *why = NULL;
	u64 value;
	int err;

	err = tcm_text_uint(page, count, U32_MAX, &value);
	if (!err)
		err = tcm_tg_pt_gp_set(tcm_tg_pt_gp_of(item), field, value, &why);
	return tcm_stored(item, name, count, err, why);
}

#define TCM_GP_STORE(name)								\
static ssize_t tcm_gp_##name##_store(struct config_item *item, const char *page, size_t count) \
{											\
	return tcm_gp_field_store(item, page, count, TCM_ALUA_##name, #name);		\
}

#define TCM_GP(name)									\
static ssize_t tcm_gp_##name##_show(struct config_item *item, char *page)		\
{											\
	return sysfs_emit(page, "%u\n",							\
			  READ_ONCE(tcm_tg_pt_gp_of(item)->field[TCM_ALUA_##name]));	\
}											\
TCM_GP_STORE(name)									\
CONFIGFS_ATTR(tcm_gp_, name)

TCM_GP(alua_support_transitioning);
TCM_GP(alua_support_offline);
TCM_GP(alua_support_lba_dependent);
TCM_GP(alua_support_unavailable);
TCM_GP(alua_support_standby);
TCM_GP(alua_support_active_optimized);
TCM_GP(alua_support_active_nonoptimized);
TCM_GP(alua_write_metadata);
TCM_GP(nonop_delay_msecs);
TCM_GP(trans_delay_msecs);
TCM_GP(implicit_trans_secs);
TCM_GP(preferred);

/* Two that are written as a number and read as words, which rtslib translates back */
#define TCM_GP_WORDS(name, ...)								\
static ssize_t tcm_gp_##name##_show(struct config_item *item, char *page)		\
{											\
	static const char *const words[] = { __VA_ARGS__ };				\
	u32 value = READ_ONCE(tcm_tg_pt_gp_of(item)->field[TCM_ALUA_##name]);		\
											\
	return sysfs_emit(page, "%s\n", value < ARRAY_SIZE(words) ? words[value] : "Unknown"); \
}											\
TCM_GP_STORE(name)									\
CONFIGFS_ATTR(tcm_gp_, name)

TCM_GP_WORDS(alua_access_status, "None", "Altered by Explicit STPG", "Altered by Implicit ALUA");
TCM_GP_WORDS(alua_access_type, "None", "Implicit", "Explicit", "Implicit and Explicit");

static ssize_t tcm_gp_alua_access_state_show(struct config_item *item, char *page)
{
	return sysfs_emit(page, "%u\n", READ_ONCE(tcm_tg_pt_gp_of(item)->state));
}

static ssize_t tcm_gp_alua_access_state_store(struct config_item *item, const char *page,
					      size_t count)
{
	const char *why = NULL;
	u64 state;
	int err;

	err = tcm_text_uint(page, count, U32_MAX, &state);
	if (!err)
		err = tcm_tg_pt_gp_set_state(tcm_tg_pt_gp_of(item), state, &why);
	return tcm_stored(item, "alua_access_state", count, err, why);
}
CONFIGFS_ATTR(tcm_gp_, alua_access_state);

static ssize_t tcm_gp_tg_pt_gp_id_show(struct config_item *item, char *page)
{
	struct tcm_tg_pt_gp *gp = tcm_tg_pt_gp_of(item);

	return READ_ONCE(gp->has_id) ? sysfs_emit(page, "%u\n", gp->id) : 0;
}

static ssize_t tcm_gp_tg_pt_gp_id_store(struct config_item *item, const char *page, size_t count)
{
	const char *why = NULL;
	u64 id;
	int err;

	err = tcm_text_uint(page, count, ULONG_MAX, &id);
	if (!err && id > U16_MAX)
		err = -EINVAL;
	if (!err)
		err = tcm_tg_pt_gp_set_id(tcm_tg_pt_gp_of(item), id, &why);
	return tcm_stored(item, "tg_pt_gp_id", count, err, why);
}
CONFIGFS_ATTR(tcm_gp_, tg_pt_gp_id);

/* The directory of a LUN as `members` names it. */
static ssize_t tcm_gp_member(char *page, ssize_t len, const struct tcm_lun *lun)
{
	const struct tcm_tpg *tpg = lun->tpg;

	return tcm_text_line(page, len, "%s/%s/tpgt_%u/lun_%llu\n", tpg->ops->name,
			     tpg->wwn->name, tpg->tag, lun->lun);
}

static ssize_t tcm_gp_members_show(struct config_item *item, char *page)
{
	struct tcm_tg_pt_gp *gp = tcm_tg_pt_gp_of(item);
	struct tcm_device *dev = gp->dev;
	struct tcm_lun *lun;
	ssize_t len = 0;

	spin_lock_irq(&dev->lun_lock);
	list_for_each_entry(lun, &dev->luns, dev_node)
		if (lun->tg_pt_gp == gp)
			len = tcm_gp_member(page, len, lun);
	spin_unlock_irq(&dev->lun_lock);
	return len;
}
CONFIGFS_ATTR_RO(tcm_gp_, members);

static struct configfs_attribute *tcm_gp_attrs[] = {
	TCM_ROW(gp, alua_access_state),
	TCM_ROW(gp, alua_access_status),
	TCM_ROW(gp, alua_access_type),
	TCM_ROW(gp, alua_support_transitioning),
	TCM_ROW(gp, alua_support_offline),
	TCM_ROW(gp, alua_support_lba_dependent),
	TCM_ROW(gp, alua_support_unavailable),
	TCM_ROW(gp, alua_support_standby),
	TCM_ROW(gp, alua_support_active_optimized),
	TCM_ROW(gp, alua_support_active_nonoptimized),
	TCM_ROW(gp, alua_write_metadata),
	TCM_ROW(gp, nonop_delay_msecs),
	TCM_ROW(gp, trans_delay_msecs),
	TCM_ROW(gp, implicit_trans_secs),
	TCM_ROW(gp, preferred),
	TCM_ROW(gp, tg_pt_gp_id),
	TCM_ROW(gp, members),
	NULL
};

static const struct config_item_type tcm_gp_type = {
	.ct_item_ops	= &tcm_item_ops,
	.ct_attrs	= tcm_gp_attrs,
	.ct_owner	= THIS_MODULE,
};

struct tcm_cfs_node *tcm_cfs_add_default_tg_pt_gp(struct tcm_cfs_node *alua,
						  struct tcm_device *dev)
{
	struct tcm_cfs_node *node = tcm_cfs_add(alua, "default_tg_pt_gp", &tcm_gp_type);

	if (!node)
		return NULL;
	node->kind = TCM_CFS_TG_PT_GP;
	node->obj = dev->alua->def;
	return node;
}

static struct config_group *tcm_alua_make_gp(struct config_group *group, const char *name)
{
	struct tcm_device *dev = tcm_item_dev(&group->cg_item);
	struct tcm_cfs_node *node;
	struct tcm_tg_pt_gp *gp;
	int err;

	err = tcm_cfs_check_name(name);
	if (err)
		goto refuse;
	gp = tcm_tg_pt_gp_create(dev, name);
	if (IS_ERR(gp)) {
		err = PTR_ERR(gp);
		goto refuse;
	}
	node = tcm_cfs_alloc(sizeof(*node), name, &tcm_gp_type, TCM_CFS_TG_PT_GP, gp, NULL);
	if (!node) {
		tcm_tg_pt_gp_destroy(gp);
		return ERR_PTR(-ENOMEM);
	}
	return &node->group;

refuse:
	return ERR_PTR(tcm_cfs_refuse(&group->cg_item, name, err, NULL));
}

static void tcm_alua_drop_gp(struct config_group *group, struct config_item *item)
{
	tcm_tg_pt_gp_destroy(tcm_tg_pt_gp_of(item));
	tcm_cfs_bury(item);
}

static struct configfs_group_operations tcm_alua_group_ops = {
	.make_group	= tcm_alua_make_gp,
	.drop_item	= tcm_alua_drop_gp,
};

const struct config_item_type tcm_dev_alua_type = {
	.ct_item_ops	= &tcm_item_ops,
	.ct_group_ops	= &tcm_alua_group_ops,
	.ct_owner	= THIS_MODULE,
};
