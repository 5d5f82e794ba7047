// SPDX-License-Identifier: GPL-2.0-only
/*
 * <wwn>/fabric_statistics/ (RFC 4544; configfs contract, section 9.1).
 */
#include "iscsi.h"

static struct isc_target *isc_item_target(struct config_item *item)
{
	return tcm_item_wwn(item)->priv;
}

static unsigned int isc_list_len(const struct list_head *list)
{
	const struct list_head *pos;
	unsigned int n = 0;

	list_for_each(pos, list)
		n++;
	return n;
}

static unsigned int isc_count_portals(struct isc_target *target)
{
	struct isc_tpg *itpg;
	unsigned int n = 0;

	mutex_lock(&isc_lock);
	list_for_each_entry(itpg, &target->tpgs, node)
		n += isc_list_len(&itpg->nps);
	mutex_unlock(&isc_lock);
	return n;
}

static unsigned int isc_count_sessions(struct isc_target *target)
{
	struct isc_tpg *itpg;
	unsigned int n = 0;

	mutex_lock(&isc_lock);
	list_for_each_entry(itpg, &target->tpgs, node) {
		mutex_lock(&itpg->lock);
		n += isc_list_len(&itpg->sessions);
		mutex_unlock(&itpg->lock);
	}
	mutex_unlock(&isc_lock);
	return n;
}

#define ISC_STAT(group, name, format, value)						\
static ssize_t isc_##group##_##name##_show(struct config_item *item, char *page)	\
{											\
	struct isc_target *target = isc_item_target(item);				\
											\
	return sysfs_emit(page, format "\n", value);					\
}											\
CONFIGFS_ATTR_RO(isc_##group##_, name)

#define ISC_COUNT(group, name)								\
	ISC_STAT(group, name, "%u", atomic_read(&target->stats.name))
#define ISC_FIXED(group, name, text)							\
static ssize_t isc_##group##_##name##_show(struct config_item *item, char *page)	\
{											\
	return sysfs_emit(page, text "\n");						\
}											\
CONFIGFS_ATTR_RO(isc_##group##_, name)
#define ISC_INST(group)	ISC_STAT(group, inst, "%u", target->wwn->inst)

#define ISC_GROUP(group)								\
static const struct config_item_type isc_##group##_type = {				\
	.ct_item_ops	= &tcm_item_ops,						\
	.ct_attrs	= isc_##group##_attrs,						\
	.ct_owner	= THIS_MODULE,							\
}

ISC_INST(in);
ISC_FIXED(in, min_ver, "0");
ISC_FIXED(in, max_ver, "0");
ISC_STAT(in, portals, "%u", isc_count_portals(target));
ISC_FIXED(in, nodes, "1");
ISC_STAT(in, sessions, "%u", isc_count_sessions(target));
ISC_COUNT(in, fail_sess);
ISC_STAT(in, fail_type, "%u", target->stats.last_fail_type);
ISC_STAT(in, fail_rem_name, "%s", *target->stats.fail_name ? target->stats.fail_name : "None");
ISC_FIXED(in, disc_time, "0");
ISC_FIXED(in, description, "Storage Engine Target");
ISC_FIXED(in, vendor, "Datera, Inc. iSCSI-Target");
ISC_FIXED(in, version, "v4.1.0");

static struct configfs_attribute *isc_in_attrs[] = {
	&isc_in_attr_inst, &isc_in_attr_min_ver, &isc_in_attr_max_ver, &isc_in_attr_portals,
	&isc_in_attr_nodes, &isc_in_attr_sessions, &isc_in_attr_fail_sess, &isc_in_attr_fail_type,
	&isc_in_attr_fail_rem_name, &isc_in_attr_disc_time, &isc_in_attr_description,
	&isc_in_attr_vendor, &isc_in_attr_version, NULL
};

ISC_GROUP(in);

ISC_INST(se);
ISC_COUNT(se, digest_errors);
ISC_COUNT(se, cxn_errors);
ISC_COUNT(se, format_errors);

static struct configfs_attribute *isc_se_attrs[] = {
	&isc_se_attr_inst, &isc_se_attr_digest_errors, &isc_se_attr_cxn_errors,
	&isc_se_attr_format_errors, NULL
};

ISC_GROUP(se);

static ssize_t isc_show_fail_addr(struct isc_target *target, char *page)
{
	char addr[64] = "0.0.0.0";

	mutex_lock(&isc_lock);
	if (target->stats.fail_addr.ss_family)
		isc_addr_print(&target->stats.fail_addr, false, addr, sizeof(addr));
	mutex_unlock(&isc_lock);
	return sysfs_emit(page, "%s\n", addr);
}

/* In hundredths of a second since the machine is up (TimeStamp of RFC 2579) */
static u32 isc_fail_time(const struct isc_stats *stats)
{
	if (!stats->last_fail_time)
		return 0;
	return div_u64(jiffies64_to_nsecs(stats->last_fail_time - INITIAL_JIFFIES),
		       NSEC_PER_SEC / 100);
}

ISC_INST(ta);
ISC_FIXED(ta, indx, "1");
ISC_COUNT(ta, login_fails);
ISC_STAT(ta, last_fail_time, "%u", isc_fail_time(&target->stats));
ISC_STAT(ta, last_fail_type, "%u", target->stats.last_fail_type);
ISC_STAT(ta, fail_intr_name, "%s", *target->stats.fail_name ? target->stats.fail_name : "None");
ISC_STAT(ta, fail_intr_addr_type, "%s",
	 target->stats.fail_addr.ss_family == AF_INET6 ? "ipv6" : "ipv4");

static ssize_t isc_ta_fail_intr_addr_show(struct config_item *item, char *page)
{
	return isc_show_fail_addr(isc_item_target(item), page);
}
CONFIGFS_ATTR_RO(isc_ta_, fail_intr_addr);

static struct configfs_attribute *isc_ta_attrs[] = {
	&isc_ta_attr_inst, &isc_ta_attr_indx, &isc_ta_attr_login_fails,
	&isc_ta_attr_last_fail_time, &isc_ta_attr_last_fail_type, &isc_ta_attr_fail_intr_name,
	&isc_ta_attr_fail_intr_addr_type, &isc_ta_attr_fail_intr_addr, NULL
};

ISC_GROUP(ta);

ISC_INST(ls);
ISC_FIXED(ls, indx, "1");
ISC_COUNT(ls, accepts);
ISC_COUNT(ls, other_fails);
ISC_COUNT(ls, redirects);
ISC_COUNT(ls, authorize_fails);
ISC_COUNT(ls, authenticate_fails);
ISC_COUNT(ls, negotiate_fails);

static struct configfs_attribute *isc_ls_attrs[] = {
	&isc_ls_attr_inst, &isc_ls_attr_indx, &isc_ls_attr_accepts, &isc_ls_attr_other_fails,
	&isc_ls_attr_redirects, &isc_ls_attr_authorize_fails, &isc_ls_attr_authenticate_fails,
	&isc_ls_attr_negotiate_fails, NULL
};

ISC_GROUP(ls);

ISC_INST(lo);
ISC_FIXED(lo, indx, "1");
ISC_COUNT(lo, normal_logouts);
ISC_COUNT(lo, abnormal_logouts);

static struct configfs_attribute *isc_lo_attrs[] = {
	&isc_lo_attr_inst, &isc_lo_attr_indx, &isc_lo_attr_normal_logouts,
	&isc_lo_attr_abnormal_logouts, NULL
};

ISC_GROUP(lo);

const struct tcm_attr_group isc_wwn_stats[] = {
	{ "iscsi_instance", &isc_in_type },
	{ "iscsi_sess_err", &isc_se_type },
	{ "iscsi_tgt_attr", &isc_ta_type },
	{ "iscsi_login_stats", &isc_ls_type },
	{ "iscsi_logout_stats", &isc_lo_type },
	{ }
};
