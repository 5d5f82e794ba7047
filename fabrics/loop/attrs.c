// SPDX-License-Identifier: GPL-2.0-only
/*
 * The loopback fabric's own files (configfs contract, section 10.1).
 */
#include <linux/ctype.h>
#include <linux/kstrtox.h>
#include <scsi/scsi_host.h>
#include <tcm/configfs.h>
#include "loop.h"

static ssize_t tcm_loop_version_show(struct config_item *item, char *page)
{
	return sysfs_emit(page, "TCM Loopback Fabric module v2.1-rc2\n");
}
CONFIGFS_ATTR_RO(tcm_loop_, version);

struct configfs_attribute *tcm_loop_root_attrs[] = {
	&tcm_loop_attr_version,
	NULL
};

static ssize_t tcm_loop_nexus_show(struct config_item *item, char *page)
{
	struct tcm_loop_tpg *ltpg = tcm_item_tpg(item)->priv;
	struct tcm_session *sess;
	ssize_t len = -ENODEV;

	rcu_read_lock();
	sess = rcu_dereference(ltpg->sess);
	if (sess)
		len = sysfs_emit(page, "%s\n", sess->name);
	rcu_read_unlock();
	return len;
}

/* The initiator's name has the form that the target's has, and is text to whoever reads it. */
static bool tcm_loop_name_ok(const struct tcm_wwn *wwn, const char *name)
{
	const char *c;

	for (c = name; *c; c++)
		if (!isascii(*c) || !isgraph(*c))
			return false;
	switch (wwn->proto) {
	case TCM_PROTO_SAS:
		return strstarts(name, "naa.");
	case TCM_PROTO_FCP:
		return strstarts(name, "fc.");
	default:
		return strstarts(name, "iqn.");
	}
}

static ssize_t tcm_loop_nexus_store(struct config_item *item, const char *page, size_t count)
{
	struct tcm_tpg *tpg = tcm_item_tpg(item);
	char name[TCM_NAME_MAX];
	int err;

	if (count >= sizeof(name)) {
		err = -EINVAL;
		goto refuse;
	}
	memcpy(name, page, count);
	name[count] = '\0';
	if (count && name[count - 1] == '\n')
		name[count - 1] = '\0';
	if (!strncmp(name, "NULL", 4))
		err = tcm_loop_nexus_del(tpg->priv, false);
	else if (!tcm_loop_name_ok(tpg->wwn, name))
		err = -EINVAL;
	else
		err = tcm_loop_nexus_add(tpg->priv, name);
	if (!err)
		return count;
refuse:
	return tcm_cfs_refuse(item, "nexus", err, NULL);
}
CONFIGFS_ATTR(tcm_loop_, nexus);

static ssize_t tcm_loop_transport_status_show(struct config_item *item, char *page)
{
	struct tcm_loop_tpg *ltpg = tcm_item_tpg(item)->priv;

	return sysfs_emit(page, "%s\n", READ_ONCE(ltpg->offline) ? "offline" : "online");
}

static ssize_t tcm_loop_transport_status_store(struct config_item *item, const char *page,
					       size_t count)
{
	struct tcm_tpg *tpg = tcm_item_tpg(item);
	struct tcm_loop_tpg *ltpg = tpg->priv;
	struct tcm_session *sess;

	if (strstarts(page, "online")) {
		WRITE_ONCE(ltpg->offline, false);
		return count;
	}
	if (!strstarts(page, "offline"))
		return tcm_cfs_refuse(item, "transport_status", -EINVAL, "online or offline");
	WRITE_ONCE(ltpg->offline, true);
	/* What comes back after the outage is told that it lost the nexus. */
	mutex_lock(&tpg->lock);
	list_for_each_entry(sess, &tpg->sessions, node)
		tcm_ua_raise_session(sess, TCM_UA_NEXUS_LOSS);
	mutex_unlock(&tpg->lock);
	return count;
}
CONFIGFS_ATTR(tcm_loop_, transport_status);

static ssize_t tcm_loop_address_show(struct config_item *item, char *page)
{
	struct tcm_loop_tpg *ltpg = tcm_item_tpg(item)->priv;

	return sysfs_emit(page, "%d:0:%d\n", ltpg->loop->host->host_no, ltpg->tpg->tag);
}
CONFIGFS_ATTR_RO(tcm_loop_, address);

struct configfs_attribute *tcm_loop_tpg_attrs[] = {
	&tcm_loop_attr_nexus,
	&tcm_loop_attr_transport_status,
	&tcm_loop_attr_address,
	NULL
};

static ssize_t tcm_loop_fabric_prot_type_show(struct config_item *item, char *page)
{
	return sysfs_emit(page, "%u\n", tcm_item_tpg(item)->prot_type);
}

static ssize_t tcm_loop_fabric_prot_type_store(struct config_item *item, const char *page,
					       size_t count)
{
	struct tcm_tpg *tpg = tcm_item_tpg(item);
	unsigned int type;
	int err = kstrtouint(page, 0, &type);

	if (!err && type != 0 && type != 1 && type != 3)
		err = -EINVAL;
	if (err)
		return tcm_cfs_refuse(item, "fabric_prot_type", err, "0, 1 or 3");
	WRITE_ONCE(tpg->prot_type, type);
	return count;
}
CONFIGFS_ATTR(tcm_loop_, fabric_prot_type);

struct configfs_attribute *tcm_loop_attrib_attrs[] = {
	&tcm_loop_attr_fabric_prot_type,
	NULL
};
