// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who is there: backends and fabrics by name.
 */
#include <linux/export.h>
#include <linux/string.h>
#include "device.h"
#include "registry.h"
#include "target.h"

/* protects both lists; taken for look-ups only, never around a callback */
static DEFINE_MUTEX(tcm_registry_mutex);
static LIST_HEAD(tcm_backends);
static LIST_HEAD(tcm_fabrics);

static struct tcm_backend_ops *tcm_backend_find(const char *name)
{
	struct tcm_backend_ops *ops;

	lockdep_assert_held(&tcm_registry_mutex);
	list_for_each_entry(ops, &tcm_backends, node)
		if (!strcmp(ops->name, name))
			return ops;
	return NULL;
}

int tcm_backend_register(struct tcm_backend_ops *ops)
{
	int err = 0;

	if (!ops->name || !ops->create || !ops->destroy || !ops->parse || !ops->open ||
	    !ops->close || !ops->info)
		return -EINVAL;
	if (ops->flags & TCM_BE_PASSTHROUGH ? !ops->pass : !ops->submit || !ops->capacity)
		return -EINVAL;

	mutex_lock(&tcm_registry_mutex);
	if (tcm_backend_find(ops->name))
		err = -EEXIST;
	else
		list_add_tail(&ops->node, &tcm_backends);
	mutex_unlock(&tcm_registry_mutex);
	return err;
}
EXPORT_SYMBOL_GPL(tcm_backend_register);

void tcm_backend_unregister(struct tcm_backend_ops *ops)
{
	mutex_lock(&tcm_registry_mutex);
	list_del(&ops->node);
	mutex_unlock(&tcm_registry_mutex);
	tcm_device_drain(ops);
}
EXPORT_SYMBOL_GPL(tcm_backend_unregister);

struct tcm_backend_ops *tcm_backend_get(const char *name)
{
	struct tcm_backend_ops *ops;

	mutex_lock(&tcm_registry_mutex);
	ops = tcm_backend_find(name);
	if (ops && !try_module_get(ops->owner))
		ops = NULL;
	mutex_unlock(&tcm_registry_mutex);
	return ops;
}

void tcm_backend_put(struct tcm_backend_ops *ops)
{
	module_put(ops->owner);
}

static const char *tcm_fabric_dir(const struct tcm_fabric_ops *ops)
{
	return ops->dir ?: ops->name;
}

static struct tcm_fabric_ops *tcm_fabric_find(const char *dir)
{
	struct tcm_fabric_ops *ops;

	lockdep_assert_held(&tcm_registry_mutex);
	list_for_each_entry(ops, &tcm_fabrics, node)
		if (!strcmp(tcm_fabric_dir(ops), dir))
			return ops;
	return NULL;
}

int tcm_fabric_register(struct tcm_fabric_ops *ops)
{
	int err = 0;

	if (!ops->name || strlen(tcm_fabric_dir(ops)) >= 32 || !ops->add_wwn || !ops->add_tpg ||
	    !ops->respond || !ops->tmf_done || !ops->for_each_cmd || !ops->close_session)
		return -EINVAL;
	if ((ops->flags & TCM_FAB_HAS_ENABLE) && !ops->enable_tpg)
		return -EINVAL;

	mutex_lock(&tcm_registry_mutex);
	if (tcm_fabric_find(tcm_fabric_dir(ops)))
		err = -EEXIST;
	else
		list_add_tail(&ops->node, &tcm_fabrics);
	mutex_unlock(&tcm_registry_mutex);
	return err;
}
EXPORT_SYMBOL_GPL(tcm_fabric_register);

void tcm_fabric_unregister(struct tcm_fabric_ops *ops)
{
	mutex_lock(&tcm_registry_mutex);
	list_del(&ops->node);
	mutex_unlock(&tcm_registry_mutex);
	tcm_target_drain(ops);
}
EXPORT_SYMBOL_GPL(tcm_fabric_unregister);

struct tcm_fabric_ops *tcm_fabric_get(const char *dir)
{
	struct tcm_fabric_ops *ops;

	mutex_lock(&tcm_registry_mutex);
	ops = tcm_fabric_find(dir);
	if (ops && !try_module_get(ops->owner))
		ops = NULL;
	mutex_unlock(&tcm_registry_mutex);
	return ops;
}

void tcm_fabric_put(struct tcm_fabric_ops *ops)
{
	module_put(ops->owner);
}
