// SPDX-License-Identifier: GPL-2.0-only
/*
 * attrib/ of a device. The rows stand in core/attr.h.
 */
#include <linux/module.h>
#include "../core/attr.h"
#include "attr.h"

static ssize_t tcm_attrib_show(struct config_item *item, char *page, enum tcm_attr_id id)
{
	return sysfs_emit(page, "%u\n", READ_ONCE(*tcm_attr_at(tcm_item_dev(item), id)));
}

static ssize_t tcm_attrib_store(struct config_item *item, const char *page, size_t count,
				enum tcm_attr_id id, const char *name)
{
	const char *why = NULL;
	u64 value = 0;
	int err = 0;

	switch (tcm_attr_rows[id].kind) {
	case TCM_ATTR_IGNORED:
		return count;
	case TCM_ATTR_BOOL:
		err = tcm_text_bool(page, count, &value);
		break;
	default:
		err = tcm_text_uint(page, count, U32_MAX, &value);
	}
	if (!err)
		err = tcm_attr_set(tcm_item_dev(item), id, value, &why);
	return tcm_stored(item, name, count, err, why);
}

#define TCM_ATTRIB_SHOW(name)								\
static ssize_t tcm_attrib_##name##_show(struct config_item *item, char *page)		\
{											\
	return tcm_attrib_show(item, page, TCM_ATTR_##name);				\
}

#define TCM_ATTRIB_RO(name)								\
TCM_ATTRIB_SHOW(name)									\
CONFIGFS_ATTR_RO(tcm_attrib_, name);

#define TCM_ATTRIB_RW(name)								\
TCM_ATTRIB_SHOW(name)									\
static ssize_t tcm_attrib_##name##_store(struct config_item *item, const char *page,	\
					 size_t count)					\
{											\
	return tcm_attrib_store(item, page, count, TCM_ATTR_##name, #name);		\
}											\
CONFIGFS_ATTR(tcm_attrib_, name);

#define TCM_ATTRIB_BOOL	TCM_ATTRIB_RW
#define TCM_ATTRIB_UINT	TCM_ATTRIB_RW
#define TCM_ATTRIB_IGNORED	TCM_ATTRIB_RW

#define TCM_ATTRIB(name, kind, flags, max, setter)	TCM_ATTRIB_##kind(name)
TCM_DEV_ATTRS(TCM_ATTRIB)

/* Reads as 0 always; writing 1 is an action. */
static ssize_t tcm_attrib_pi_prot_format_show(struct config_item *item, char *page)
{
	return sysfs_emit(page, "0\n");
}

static ssize_t tcm_attrib_pi_prot_format_store(struct config_item *item, const char *page,
					       size_t count)
{
	const char *why = NULL;
	u64 value;
	int err;

	err = tcm_text_uint(page, count, U32_MAX, &value);
	if (!err)
		err = tcm_attr_pi_format(tcm_item_dev(item), value, &why);
	return tcm_stored(item, "pi_prot_format", count, err, why);
}
CONFIGFS_ATTR(tcm_attrib_, pi_prot_format);

#define TCM_ATTRIB_ROW(name, kind, flags, max, setter)	TCM_ROW(attrib, name),

static struct configfs_attribute *tcm_attrib_attrs[] = {
	TCM_DEV_ATTRS(TCM_ATTRIB_ROW)
	TCM_ROW(attrib, pi_prot_format),
	NULL
};

/* A device that is passed through answers for itself: section 4.2 of the contract. */
static struct configfs_attribute *tcm_attrib_pass_attrs[] = {
	TCM_ROW(attrib, hw_pi_prot_type),
	TCM_ROW(attrib, hw_block_size),
	TCM_ROW(attrib, hw_max_sectors),
	TCM_ROW(attrib, hw_queue_depth),
	TCM_ROW(attrib, emulate_pr),
	TCM_ROW(attrib, alua_support),
	TCM_ROW(attrib, pgr_support),
	TCM_ROW(attrib, submit_type),
	NULL
};

const struct config_item_type tcm_dev_attrib_type = {
	.ct_item_ops	= &tcm_item_ops,
	.ct_attrs	= tcm_attrib_attrs,
	.ct_owner	= THIS_MODULE,
};

const struct config_item_type tcm_dev_attrib_pass_type = {
	.ct_item_ops	= &tcm_item_ops,
	.ct_attrs	= tcm_attrib_pass_attrs,
	.ct_owner	= THIS_MODULE,
};
