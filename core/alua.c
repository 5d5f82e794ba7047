// SPDX-License-Identifier: GPL-2.0-only
/*
 * Target port groups and the membership of LUNs in them; referral maps.
 */
#include <linux/math64.h>
#include <linux/slab.h>
#include <linux/string.h>
#include "alua.h"
#include "alua_id.h"
#include "alua_state.h"
#include "target.h"
#include "ua.h"

bool tcm_alua_emulated(const struct tcm_device *dev)
{
	return !(dev->ops->flags & TCM_BE_PASSTHROUGH) || dev->attr.alua_support;
}

static struct tcm_tg_pt_gp *tcm_tg_pt_gp_alloc(struct tcm_device *dev, const char *name)
{
	struct tcm_tg_pt_gp *gp = kzalloc(sizeof(*gp), GFP_KERNEL);

	if (!gp)
		return NULL;
	gp->dev = dev;
	strscpy(gp->name, name, sizeof(gp->name));
	gp->state = TCM_ALUA_OPTIMIZED;
	gp->field[TCM_ALUA_alua_access_type] = TCM_ALUA_IMPLICIT | TCM_ALUA_EXPLICIT;
	gp->field[TCM_ALUA_alua_support_transitioning] = 1;
	gp->field[TCM_ALUA_alua_support_offline] = 1;
	gp->field[TCM_ALUA_alua_support_unavailable] = 1;
	gp->field[TCM_ALUA_alua_support_standby] = 1;
	gp->field[TCM_ALUA_alua_support_active_optimized] = 1;
	gp->field[TCM_ALUA_alua_support_active_nonoptimized] = 1;
	gp->field[TCM_ALUA_nonop_delay_msecs] = 100;
	return gp;
}

int tcm_alua_create(struct tcm_device *dev)
{
	struct tcm_alua *alua = kzalloc(sizeof(*alua), GFP_KERNEL);
	struct tcm_tg_pt_gp *def;

	if (!alua)
		return -ENOMEM;
	alua->dev = dev;
	INIT_LIST_HEAD(&alua->groups);
	INIT_LIST_HEAD(&alua->lu_node);
	INIT_LIST_HEAD(&alua->map);
	xa_init_flags(&alua->ids, XA_FLAGS_ALLOC1);
	tcm_alua_state_create(alua);
	def = tcm_tg_pt_gp_alloc(dev, "default_tg_pt_gp");
	if (!def || xa_insert(&alua->ids, 0, def, GFP_KERNEL)) {
		kfree(def);
		kfree(alua);
		return -ENOMEM;
	}
	def->has_id = true;
	list_add_tail(&def->node, &alua->groups);
	alua->def = def;
	alua->count = 1;
	dev->alua = alua;
	return 0;
}

void tcm_alua_destroy(struct tcm_device *dev)
{
	struct tcm_alua *alua = dev->alua;

	if (!alua)
		return;
	tcm_alua_state_destroy(alua);
	tcm_lba_map_free(&alua->map);
	xa_destroy(&alua->ids);
	kfree(alua->def);
	kfree(alua);
	dev->alua = NULL;
}

struct tcm_tg_pt_gp *tcm_tg_pt_gp_create(struct tcm_device *dev, const char *name)
{
	struct tcm_alua *alua = dev->alua;
	struct tcm_tg_pt_gp *gp;
	int err = 0;

	if (strlen(name) >= TCM_GROUP_NAME_MAX)
		return ERR_PTR(-ENAMETOOLONG);
	gp = tcm_tg_pt_gp_alloc(dev, name);
	if (!gp)
		return ERR_PTR(-ENOMEM);
	mutex_lock(&tcm_config_mutex);
	if (alua->count >= TCM_GROUPS_MAX) {
		err = -ENOSPC;
	} else {
		alua->count++;
		spin_lock_irq(&dev->lun_lock);
		list_add_tail(&gp->node, &alua->groups);
		spin_unlock_irq(&dev->lun_lock);
		gp->field[TCM_ALUA_alua_support_lba_dependent] = !list_empty(&alua->map);
	}
	mutex_unlock(&tcm_config_mutex);
	if (err) {
		kfree(gp);
		return ERR_PTR(err);
	}
	return gp;
}

/* INQUIRY tells which group it is: so are those who have asked. */
static void tcm_alua_lun_enter(struct tcm_lun *lun, struct tcm_tg_pt_gp *gp)
{
	struct tcm_mapping *map;

	lockdep_assert_held(&lun->dev->lun_lock);
	if (lun->tg_pt_gp == gp)
		return;
	/* pairs with the address dependency in tcm_alua_id() */
	smp_store_release(&lun->tg_pt_gp, gp);
	tcm_alua_lun_changed(lun);
	list_for_each_entry(map, &lun->maps, lun_node)
		tcm_ua_raise(map, TCM_UA_INQUIRY_CHANGED);
}

void tcm_tg_pt_gp_destroy(struct tcm_tg_pt_gp *gp)
{
	struct tcm_device *dev = gp->dev;
	struct tcm_alua *alua = dev->alua;
	struct tcm_lun *lun;

	mutex_lock(&tcm_config_mutex);
	spin_lock_irq(&dev->lun_lock);
	list_for_each_entry(lun, &dev->luns, dev_node)
		if (lun->tg_pt_gp == gp)
			tcm_alua_lun_enter(lun, alua->def);
	list_del(&gp->node);
	spin_unlock_irq(&dev->lun_lock);
	if (gp->has_id)
		xa_erase(&alua->ids, gp->id);
	alua->count--;
	mutex_unlock(&tcm_config_mutex);
	kfree_rcu(gp, rcu);
}

int tcm_tg_pt_gp_set_id(struct tcm_tg_pt_gp *gp, u32 id, const char **why)
{
	struct tcm_alua *alua = gp->dev->alua;
	int err = 0;

	mutex_lock(&tcm_config_mutex);
	if (gp->has_id)
		err = id == gp->id ? 0 : tcm_deny(why, -EINVAL, "the group has an id already");
	else if (!id)
		err = xa_alloc(&alua->ids, &id, gp, XA_LIMIT(1, U16_MAX), GFP_KERNEL);
	else
		err = xa_insert(&alua->ids, id, gp, GFP_KERNEL);
	if (err == -EBUSY)
		err = tcm_deny(why, id ? -EINVAL : -ENOSPC, "the id is taken");
	if (!err) {
		gp->id = id;
		gp->has_id = true;
	}
	mutex_unlock(&tcm_config_mutex);
	return err;
}

static const struct {
	u32	max;
	bool	needs_id;
} tcm_alua_rows[TCM_ALUA_FIELD_COUNT] = {
#define TCM_ALUA_ROW(name, max_, needs_id_)	\
	[TCM_ALUA_##name] = { .max = max_, .needs_id = needs_id_ },
	TCM_ALUA_FIELDS(TCM_ALUA_ROW)
#undef TCM_ALUA_ROW
};

int tcm_tg_pt_gp_set(struct tcm_tg_pt_gp *gp, enum tcm_alua_field field, u32 value,
		     const char **why)
{
	int err = 0;

	if (value > tcm_alua_rows[field].max)
		return tcm_deny(why, -EINVAL, "out of range");
	mutex_lock(&tcm_config_mutex);
	if (tcm_alua_rows[field].needs_id && !gp->has_id)
		err = tcm_deny(why, -EINVAL, "the group has no tg_pt_gp_id yet");
	else
		WRITE_ONCE(gp->field[field], value);
	mutex_unlock(&tcm_config_mutex);
	return err;
}

/* The field that says whether a group may be in a state; -EINVAL for what is no state. */
int tcm_alua_support_field(u32 state)
{
	switch (state) {
	case TCM_ALUA_OPTIMIZED:
		return TCM_ALUA_alua_support_active_optimized;
	case TCM_ALUA_NONOPTIMIZED:
		return TCM_ALUA_alua_support_active_nonoptimized;
	case TCM_ALUA_STANDBY_STATE:
		return TCM_ALUA_alua_support_standby;
	case TCM_ALUA_UNAVAILABLE_STATE:
		return TCM_ALUA_alua_support_unavailable;
	case TCM_ALUA_LBA_DEPENDENT:
		return TCM_ALUA_alua_support_lba_dependent;
	case TCM_ALUA_OFFLINE_STATE:
		return TCM_ALUA_alua_support_offline;
	case TCM_ALUA_TRANSITIONING:
		return TCM_ALUA_alua_support_transitioning;
	}
	return -EINVAL;
}

bool tcm_tg_pt_gp_empty(const struct tcm_tg_pt_gp *gp)
{
	const struct tcm_lun *lun;

	lockdep_assert_held(&gp->dev->lun_lock);
	list_for_each_entry(lun, &gp->dev->luns, dev_node)
		if (lun->tg_pt_gp == gp)
			return false;
	return true;
}

/*
 * Who restores writes the state first: before the type that allows it to depend on the block, and
 * without the map that makes it do so, which nobody saves. No port is in the group then.
 */
static bool tcm_alua_restores(const struct tcm_tg_pt_gp *gp, u32 state)
{
	bool empty;

	spin_lock_irq(&gp->dev->lun_lock);
	empty = tcm_tg_pt_gp_empty(gp);
	spin_unlock_irq(&gp->dev->lun_lock);
	return empty && state == TCM_ALUA_LBA_DEPENDENT;
}

static int tcm_alua_check_state(struct tcm_tg_pt_gp *gp, u32 state, const char **why)
{
	u32 type = gp->field[TCM_ALUA_alua_access_type];
	int field = tcm_alua_support_field(state);

	if (!gp->has_id)
		return tcm_deny(why, -EINVAL, "the group has no tg_pt_gp_id yet");
	if (state == gp->state)
		return 0;
	if (!test_bit(TCM_DEV_CONFIGURED, &gp->dev->flags))
		return tcm_deny(why, -ENODEV, "the device is not enabled");
	if (field < 0)
		return tcm_deny(why, -EINVAL, "not a state");
	if (tcm_alua_restores(gp, state))
		return 0;
	if (!(type & TCM_ALUA_IMPLICIT))
		return tcm_deny(why, -EINVAL, "implicit transitions are disabled");
	if (state == TCM_ALUA_LBA_DEPENDENT && (type & TCM_ALUA_EXPLICIT))
		return tcm_deny(why, -EINVAL, "not LBA dependent while explicit ones are enabled");
	if (!gp->field[field])
		return tcm_deny(why, -EINVAL, "the group does not support that state");
	return 0;
}

int tcm_tg_pt_gp_set_state(struct tcm_tg_pt_gp *gp, u32 state, const char **why)
{
	bool same;
	int err;

	mutex_lock(&tcm_config_mutex);
	err = tcm_alua_check_state(gp, state, why);
	same = state == gp->state;
	mutex_unlock(&tcm_config_mutex);
	/* The configfs directory keeps the group while the change takes its time. */
	return err || same ? err : tcm_alua_implicit(gp->dev, gp->id, state, why);
}

void tcm_alua_lun_linked(struct tcm_lun *lun)
{
	lockdep_assert_held(&tcm_config_mutex);
	if (!tcm_alua_emulated(lun->dev))
		return;
	/* pairs with the address dependency in tcm_alua_id() */
	smp_store_release(&lun->tg_pt_gp, lun->dev->alua->def);
}

void tcm_alua_lun_unlinked(struct tcm_lun *lun)
{
	lockdep_assert_held(&tcm_config_mutex);
	WRITE_ONCE(lun->tg_pt_gp, NULL);
}

static struct tcm_tg_pt_gp *tcm_tg_pt_gp_find(struct tcm_alua *alua, const char *name)
{
	struct tcm_tg_pt_gp *gp;

	lockdep_assert_held(&tcm_config_mutex);
	list_for_each_entry(gp, &alua->groups, node)
		if (gp->has_id && !strcmp(gp->name, name))
			return gp;
	return NULL;
}

int tcm_alua_lun_set_group(struct tcm_lun *lun, const char *group, const char **why)
{
	struct tcm_device *dev = lun->dev;
	struct tcm_tg_pt_gp *gp;
	int err = 0;

	mutex_lock(&tcm_config_mutex);
	gp = group ? tcm_tg_pt_gp_find(dev->alua, group) : dev->alua->def;
	if (!tcm_alua_emulated(dev)) {
		err = tcm_deny(why, -ENODEV, "the device has no groups of ours");
	} else if (!gp) {
		err = tcm_deny(why, -ENODEV, "the device has no such group");
	} else {
		spin_lock_irq(&dev->lun_lock);
		tcm_alua_lun_enter(lun, gp);
		spin_unlock_irq(&dev->lun_lock);
	}
	mutex_unlock(&tcm_config_mutex);
	return err;
}

void tcm_alua_id(const struct tcm_lun *lun, struct tcm_alua_id *id)
{
	const struct tcm_tg_pt_gp *gp;
	const struct tcm_lu_gp *lu_gp;

	*id = (struct tcm_alua_id) { };
	/* Groups end after an RCU period; who is a member has an id, and keeps it. */
	rcu_read_lock();
	gp = READ_ONCE(lun->tg_pt_gp);
	if (gp) {
		id->has_port_group = true;
		id->port_group = gp->id;
		id->tpgs = READ_ONCE(gp->field[TCM_ALUA_alua_access_type]);
	}
	lu_gp = READ_ONCE(lun->dev->alua->lu_gp);
	if (lu_gp) {
		id->has_lu_group = true;
		id->lu_group = lu_gp->id;
	}
	rcu_read_unlock();
}

struct tcm_lba_range *tcm_lba_range_alloc(unsigned int members)
{
	struct tcm_lba_range *range;

	range = kzalloc(struct_size(range, members, members), GFP_KERNEL);
	if (range)
		range->count = members;
	return range;
}

u64 tcm_lba_in_map(const struct tcm_alua *alua, u64 lba)
{
	u64 at = lba, all = (u64)alua->seg_size * alua->seg_mult;

	if (all)
		div64_u64_rem(lba, all, &at);
	return at;
}

u64 tcm_lba_range_last(const struct tcm_alua *alua, const struct tcm_lba_range *range)
{
	return alua->seg_size && alua->seg_mult ? range->first + alua->seg_size - 1 : range->last;
}

const struct tcm_lba_range *tcm_lba_range_at(const struct tcm_alua *alua, u64 lba)
{
	const struct tcm_lba_range *range;
	u64 at = tcm_lba_in_map(alua, lba);

	lockdep_assert_held(&alua->dev->lun_lock);
	list_for_each_entry(range, &alua->map, node)
		if (at >= range->first && at <= tcm_lba_range_last(alua, range))
			return range;
	return NULL;
}

void tcm_lba_map_free(struct list_head *map)
{
	struct tcm_lba_range *range, *next;

	list_for_each_entry_safe(range, next, map, node)
		kfree(range);
	INIT_LIST_HEAD(map);
}

void tcm_lba_map_set(struct tcm_device *dev, u32 seg_size, u32 seg_mult, struct list_head *map)
{
	struct tcm_alua *alua = dev->alua;
	struct tcm_tg_pt_gp *gp;
	LIST_HEAD(old);

	mutex_lock(&tcm_config_mutex);
	spin_lock_irq(&dev->lun_lock);
	list_splice_init(&alua->map, &old);
	list_splice_init(map, &alua->map);
	alua->seg_size = list_empty(&alua->map) ? 0 : seg_size;
	alua->seg_mult = list_empty(&alua->map) ? 0 : seg_mult;
	spin_unlock_irq(&dev->lun_lock);
	list_for_each_entry(gp, &alua->groups, node)
		WRITE_ONCE(gp->field[TCM_ALUA_alua_support_lba_dependent],
			   !list_empty(&alua->map));
	mutex_unlock(&tcm_config_mutex);
	tcm_lba_map_free(&old);
}
