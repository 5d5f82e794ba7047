// SPDX-License-Identifier: GPL-2.0-only
/*
 * wwn/ of a device: who it says it is (configfs contract, section 5.1).
 */
#include <linux/module.h>
#include <linux/slab.h>
#include "../core/attr.h"
#include "attr.h"

static ssize_t tcm_wwnid_text_show(struct config_item *item, char *page,
				   enum tcm_device_text which, const char *label)
{
	char text[TCM_SERIAL_MAX];

	tcm_device_get_text(tcm_item_dev(item), which, text, sizeof(text));
	return tcm_text_clean(page, sysfs_emit(page, "%s%s\n", label, text));
}

static ssize_t tcm_wwnid_text_store(struct config_item *item, const char *page, size_t count,
				    enum tcm_device_text which, const char *name)
{
	char text[TCM_SERIAL_MAX];
	const char *why = NULL;
	int err;

	err = tcm_text_take(page, count, text, sizeof(text));
	if (!err)
		err = tcm_cfs_check_name(text);
	if (!err)
		err = tcm_device_set_text(tcm_item_dev(item), which, text, &why);
	return tcm_stored(item, name, count, err, why);
}

#define TCM_WWNID(name, which, label)								\
static ssize_t tcm_wwnid_##name##_show(struct config_item *item, char *page)			\
{												\
	return tcm_wwnid_text_show(item, page, which, label);					\
}												\
static ssize_t tcm_wwnid_##name##_store(struct config_item *item, const char *page,		\
					size_t count)						\
{												\
	return tcm_wwnid_text_store(item, page, count, which, #name);				\
}												\
CONFIGFS_ATTR(tcm_wwnid_, name)

TCM_WWNID(vendor_id, TCM_TEXT_VENDOR, "");
TCM_WWNID(product_id, TCM_TEXT_PRODUCT, "");
TCM_WWNID(revision, TCM_TEXT_REVISION, "");
TCM_WWNID(vpd_unit_serial, TCM_TEXT_SERIAL, "T10 VPD Unit Serial Number: ");

static ssize_t tcm_wwnid_company_id_show(struct config_item *item, char *page)
{
	return sysfs_emit(page, "%#08x\n", READ_ONCE(tcm_item_dev(item)->company_id));
}

static ssize_t tcm_wwnid_company_id_store(struct config_item *item, const char *page, size_t count)
{
	const char *why = NULL;
	u64 id;
	int err;

	err = tcm_text_uint(page, count, U32_MAX, &id);
	if (!err)
		err = tcm_device_set_company(tcm_item_dev(item), id, &why);
	return tcm_stored(item, "company_id", count, err, why);
}
CONFIGFS_ATTR(tcm_wwnid_, company_id);

/* Only devices that are passed through have something to say here. */
static ssize_t tcm_wwnid_ident(struct config_item *item, char *page, enum tcm_ident what)
{
	struct tcm_device *dev = tcm_item_dev(item);

	if (!dev->ops->ident || !test_bit(TCM_DEV_CONFIGURED, &dev->flags))
		return 0;
	return tcm_text_clean(page, dev->ops->ident(dev, what, page, PAGE_SIZE - 1));
}

#define TCM_IDENT(name, what)									\
static ssize_t tcm_wwnid_##name##_show(struct config_item *item, char *page)			\
{												\
	return tcm_wwnid_ident(item, page, what);						\
}												\
CONFIGFS_ATTR_RO(tcm_wwnid_, name)

TCM_IDENT(vpd_protocol_identifier, TCM_IDENT_PROTOCOL);
TCM_IDENT(vpd_assoc_logical_unit, TCM_IDENT_LU);
TCM_IDENT(vpd_assoc_target_port, TCM_IDENT_PORT);
TCM_IDENT(vpd_assoc_scsi_target_device, TCM_IDENT_DEVICE);

static struct configfs_attribute *tcm_wwnid_attrs[] = {
	TCM_ROW(wwnid, vendor_id),
	TCM_ROW(wwnid, product_id),
	TCM_ROW(wwnid, revision),
	TCM_ROW(wwnid, company_id),
	TCM_ROW(wwnid, vpd_unit_serial),
	TCM_ROW(wwnid, vpd_protocol_identifier),
	TCM_ROW(wwnid, vpd_assoc_logical_unit),
	TCM_ROW(wwnid, vpd_assoc_target_port),
	TCM_ROW(wwnid, vpd_assoc_scsi_target_device),
	NULL
};

const struct config_item_type tcm_dev_wwn_type = {
	.ct_item_ops	= &tcm_item_ops,
	.ct_attrs	= tcm_wwnid_attrs,
	.ct_owner	= THIS_MODULE,
};
