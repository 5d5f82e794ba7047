// SPDX-License-Identifier: GPL-2.0-only
/*
 * Logical unit groups: which devices stand together in VPD page 83h, and change their access states
 * together (SPC-4 5.15.1). All are in the default group until somebody puts them elsewhere, which
 * says nothing of them.
 */
#include <linux/slab.h>
#include <linux/string.h>
#include "alua.h"
#include "alua_state.h"
#include "device.h"
#include "target.h"

/* Groups of the whole target, and those of them that have an id; tcm_config_mutex */
static LIST_HEAD(tcm_lu_gps);
static DEFINE_XARRAY_ALLOC1(tcm_lu_gp_ids);
struct tcm_lu_gp *tcm_lu_gp_default;
/* protects the lists of members for who changes states, beside tcm_config_mutex; a leaf */
static DEFINE_SPINLOCK(tcm_lu_gp_lock);

struct tcm_lu_gp *tcm_lu_gp_create(const char *name)
{
	struct tcm_lu_gp *gp;

	if (strlen(name) >= TCM_GROUP_NAME_MAX)
		return ERR_PTR(-ENAMETOOLONG);
	gp = kzalloc(sizeof(*gp), GFP_KERNEL);
	if (!gp)
		return ERR_PTR(-ENOMEM);
	strscpy(gp->name, name, sizeof(gp->name));
	INIT_LIST_HEAD(&gp->members);
	mutex_lock(&tcm_config_mutex);
	list_add_tail(&gp->node, &tcm_lu_gps);
	mutex_unlock(&tcm_config_mutex);
	return gp;
}

int tcm_alua_init(void)
{
	struct tcm_lu_gp *gp = tcm_lu_gp_create("default_lu_gp");
	int err;

	if (IS_ERR(gp))
		return PTR_ERR(gp);
	gp->has_id = true;
	tcm_lu_gp_default = gp;
	err = tcm_alua_state_init();
	if (err)
		kfree(gp);
	return err;
}

void tcm_alua_exit(void)
{
	tcm_alua_state_exit();
	kfree(tcm_lu_gp_default);
	xa_destroy(&tcm_lu_gp_ids);
}

static void tcm_lu_gp_enter(struct tcm_alua *alua, struct tcm_lu_gp *gp)
{
	lockdep_assert_held(&tcm_config_mutex);
	spin_lock(&tcm_lu_gp_lock);
	list_del_init(&alua->lu_node);
	/* pairs with the address dependency in tcm_alua_id() */
	smp_store_release(&alua->lu_gp, gp);
	if (gp)
		list_add_tail(&alua->lu_node, &gp->members);
	spin_unlock(&tcm_lu_gp_lock);
}

struct tcm_device **tcm_lu_gp_devices(struct tcm_device *dev, unsigned int *n)
{
	struct tcm_device **devs;
	struct tcm_lu_gp *gp;
	struct tcm_alua *alua;
	unsigned int room = 1;

	*n = 0;
	spin_lock(&tcm_lu_gp_lock);
	gp = dev->alua->lu_gp;
	if (gp && gp != tcm_lu_gp_default)
		list_for_each_entry(alua, &gp->members, lu_node)
			room += alua->dev != dev;
	devs = kmalloc_array(room, sizeof(*devs), GFP_ATOMIC);
	if (!devs)
		goto unlock;
	tcm_device_get(dev);
	devs[(*n)++] = dev;
	if (room > 1)
		list_for_each_entry(alua, &gp->members, lu_node)
			if (alua->dev != dev) {
				/* Who is listed has its directory still. */
				tcm_device_get(alua->dev);
				devs[(*n)++] = alua->dev;
			}
unlock:
	spin_unlock(&tcm_lu_gp_lock);
	return devs;
}

void tcm_lu_gp_destroy(struct tcm_lu_gp *gp)
{
	struct tcm_alua *alua, *next;

	mutex_lock(&tcm_config_mutex);
	list_for_each_entry_safe(alua, next, &gp->members, lu_node)
		tcm_lu_gp_enter(alua, tcm_lu_gp_default);
	if (gp->has_id)
		xa_erase(&tcm_lu_gp_ids, gp->id);
	list_del(&gp->node);
	mutex_unlock(&tcm_config_mutex);
	kfree_rcu(gp, rcu);
}

int tcm_lu_gp_set_id(struct tcm_lu_gp *gp, u32 id, const char **why)
{
	int err = 0;

	mutex_lock(&tcm_config_mutex);
	if (gp->has_id)
		err = id == gp->id ? 0 : tcm_deny(why, -EINVAL, "the group has an id already");
	else if (!id)
		err = xa_alloc(&tcm_lu_gp_ids, &id, gp, XA_LIMIT(1, U16_MAX), GFP_KERNEL);
	else
		err = xa_insert(&tcm_lu_gp_ids, id, gp, GFP_KERNEL);
	if (err == -EBUSY)
		err = tcm_deny(why, id ? -EINVAL : -ENOSPC, "the id is taken");
	if (!err) {
		gp->id = id;
		gp->has_id = true;
	}
	mutex_unlock(&tcm_config_mutex);
	return err;
}

static struct tcm_lu_gp *tcm_lu_gp_find(const char *name)
{
	struct tcm_lu_gp *gp;

	lockdep_assert_held(&tcm_config_mutex);
	list_for_each_entry(gp, &tcm_lu_gps, node)
		if (gp->has_id && !strcmp(gp->name, name))
			return gp;
	return NULL;
}

int tcm_lu_gp_join(struct tcm_device *dev, const char *name, const char **why)
{
	struct tcm_lu_gp *gp = NULL;
	int err = 0;

	mutex_lock(&tcm_config_mutex);
	if (!tcm_alua_emulated(dev))
		goto unlock;
	if (name) {
		gp = tcm_lu_gp_find(name);
		if (!gp) {
			err = tcm_deny(why, -ENODEV, "no such group, or it has no lu_gp_id");
			goto unlock;
		}
	}
	tcm_lu_gp_enter(dev->alua, gp);
unlock:
	mutex_unlock(&tcm_config_mutex);
	return err;
}

void tcm_alua_enabled(struct tcm_device *dev)
{
	lockdep_assert_held(&tcm_config_mutex);
	if (tcm_alua_emulated(dev) && !dev->alua->lu_gp)
		tcm_lu_gp_enter(dev->alua, tcm_lu_gp_default);
}

void tcm_alua_removed(struct tcm_device *dev)
{
	lockdep_assert_held(&tcm_config_mutex);
	tcm_lu_gp_enter(dev->alua, NULL);
}
