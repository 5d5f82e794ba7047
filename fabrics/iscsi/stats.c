// SPDX-License-Identifier: GPL-2.0-only
/*
 * <wwn>/fabric_statistics/ (RFC 4544; configfs contract, section 9.1).
 */
#include "iscsi.h"

static struct tcm_isc_target *tcm_isc_item_target(struct config_item *item)
{
	return tcm_item_wwn(item)->priv;
}

static unsigned int tcm_isc_list_len(const struct list_head *list)
{
	const struct list_head *pos;
	unsigned int n = 0;

	list_for_each(pos, list)
		n++;
	return n;
}

static unsigned int tcm_isc_count_portals(struct tcm_isc_target *target)
{
	struct tcm_isc_tpg *itpg;
	unsigned int n = 0;

	mutex_lock(&tcm_isc_lock);
	list_for_each_entry(itpg, &target->tpgs, node)
		n += tcm_isc_list_len(&itpg->nps);
	mutex_unlock(&tcm_isc_lock);
	return n;
}

static unsigned int tcm_isc_count_sessions(struct tcm_isc_target *target)
{
	struct tcm_isc_tpg *itpg;
	unsigned int n = 0;

	mutex_lock(&tcm_isc_lock);
	list_for_each_entry(itpg, &target->tpgs, node) {
		mutex_lock(&itpg->lock);
		n += tcm_isc_list_len(&itpg->sessions);
		mutex_unlock(&itpg->lock);
	}
	mutex_unlock(&tcm_isc_lock);
	return n;
}

#define TCM_ISC_STAT(group, name, format, value)					\
static ssize_t tcm_isc_##group##_##name##_show(struct config_item *item, char *page)	\
{											\
	struct tcm_isc_target *target = tcm_isc_item_target(item);			\
											\
	return sysfs_emit(page, format "\n", value);					\
}											\
CONFIGFS_ATTR_RO(tcm_isc_##group##_, name)

#define TCM_ISC_COUNT(group, name)							\
	TCM_ISC_STAT(group, name, "%u", atomic_read(&target->stats.name))
#define TCM_ISC_FIXED(group, name, text)						\
static ssize_t tcm_isc_##group##_##name##_show(struct config_item *item, char *page)	\
{											\
	return sysfs_emit(page, text "\n");						\
}											\
CONFIGFS_ATTR_RO(tcm_isc_##group##_, name)
#define TCM_ISC_INST(group)	TCM_ISC_STAT(group, inst, "%u", target->wwn->inst)

#define TCM_ISC_GROUP(group)								\
static const struct config_item_type tcm_isc_##group##_type = {				\
	.ct_item_ops	= &tcm_item_ops,						\
	.ct_attrs	= tcm_isc_##group##_attrs,						\
	.ct_owner	= THIS_MODULE,							\
}

TCM_ISC_INST(in);
TCM_ISC_FIXED(in, min_ver, "0");
TCM_ISC_FIXED(in, max_ver, "0");
TCM_ISC_STAT(in, portals, "%u", tcm_isc_count_portals(target));
TCM_ISC_FIXED(in, nodes, "1");
TCM_ISC_STAT(in, sessions, "%u", tcm_isc_count_sessions(target));
TCM_ISC_COUNT(in, fail_sess);
TCM_ISC_STAT(in, fail_type, "%u", target->stats.sess_fail_type);
TCM_ISC_STAT(in, fail_rem_name, "%s",
	     *target->stats.sess_fail_name ? target->stats.sess_fail_name : "None");
TCM_ISC_FIXED(in, disc_time, "0");
TCM_ISC_FIXED(in, description, "Storage Engine Target");
TCM_ISC_FIXED(in, vendor, "Datera, Inc. iSCSI-Target");
TCM_ISC_FIXED(in, version, "v4.1.0");

static struct configfs_attribute *tcm_isc_in_attrs[] = {
	&tcm_isc_in_attr_inst, &tcm_isc_in_attr_min_ver, &tcm_isc_in_attr_max_ver,
	&tcm_isc_in_attr_portals,
	&tcm_isc_in_attr_nodes, &tcm_isc_in_attr_sessions, &tcm_isc_in_attr_fail_sess,
	&tcm_isc_in_attr_fail_type,
	&tcm_isc_in_attr_fail_rem_name, &tcm_isc_in_attr_disc_time, &tcm_isc_in_attr_description,
	&tcm_isc_in_attr_vendor, &tcm_isc_in_attr_version, NULL
};

TCM_ISC_GROUP(in);

TCM_ISC_INST(se);
TCM_ISC_COUNT(se, digest_errors);
TCM_ISC_COUNT(se, cxn_errors);
TCM_ISC_COUNT(se, format_errors);

static struct configfs_attribute *tcm_isc_se_attrs[] = {
	&tcm_isc_se_attr_inst, &tcm_isc_se_attr_digest_errors, &tcm_isc_se_attr_cxn_errors,
	&tcm_isc_se_attr_format_errors, NULL
};

TCM_ISC_GROUP(se);

static ssize_t tcm_isc_show_fail_addr(struct tcm_isc_target *target, char *page)
{
	char addr[64] = "0.0.0.0";

	mutex_lock(&tcm_isc_lock);
	if (target->stats.fail_addr.ss_family)
		tcm_isc_addr_print(&target->stats.fail_addr, false, addr, sizeof(addr));
	mutex_unlock(&tcm_isc_lock);
	return sysfs_emit(page, "%s\n", addr);
}

/* In hundredths of a second since the machine is up (TimeStamp of RFC 2579) */
static u32 tcm_isc_fail_time(const struct tcm_isc_stats *stats)
{
	if (!stats->last_fail_time)
		return 0;
	return div_u64(jiffies64_to_nsecs(stats->last_fail_time - INITIAL_JIFFIES),
		       NSEC_PER_SEC / 100);
}

TCM_ISC_INST(ta);
TCM_ISC_FIXED(ta, indx, "1");
TCM_ISC_COUNT(ta, login_fails);
TCM_ISC_STAT(ta, last_fail_time, "%u", tcm_isc_fail_time(&target->stats));
TCM_ISC_STAT(ta, last_fail_type, "%u", target->stats.last_fail_type);
TCM_ISC_STAT(ta, fail_intr_name, "%s", *target->stats.fail_name ? target->stats.fail_name : "None");
TCM_ISC_STAT(ta, fail_intr_addr_type, "%s",
	     target->stats.fail_addr.ss_family == AF_INET6 ? "ipv6" : "ipv4");

static ssize_t tcm_isc_ta_fail_intr_addr_show(struct config_item *item, char *page)
{
	return tcm_isc_show_fail_addr(tcm_isc_item_target(item), page);
}
CONFIGFS_ATTR_RO(tcm_isc_ta_, fail_intr_addr);

static struct configfs_attribute *tcm_isc_ta_attrs[] = {
	&tcm_isc_ta_attr_inst, &tcm_isc_ta_attr_indx, &tcm_isc_ta_attr_login_fails,
	&tcm_isc_ta_attr_last_fail_time, &tcm_isc_ta_attr_last_fail_type,
	&tcm_isc_ta_attr_fail_intr_name,
	&tcm_isc_ta_attr_fail_intr_addr_type, &tcm_isc_ta_attr_fail_intr_addr, NULL
};

TCM_ISC_GROUP(ta);

TCM_ISC_INST(ls);
TCM_ISC_FIXED(ls, indx, "1");
TCM_ISC_COUNT(ls, accepts);
TCM_ISC_COUNT(ls, other_fails);
TCM_ISC_COUNT(ls, redirects);
TCM_ISC_COUNT(ls, authorize_fails);
TCM_ISC_COUNT(ls, authenticate_fails);
TCM_ISC_COUNT(ls, negotiate_fails);

static struct configfs_attribute *tcm_isc_ls_attrs[] = {
	&tcm_isc_ls_attr_inst, &tcm_isc_ls_attr_indx, &tcm_isc_ls_attr_accepts,
	&tcm_isc_ls_attr_other_fails,
	&tcm_isc_ls_attr_redirects, &tcm_isc_ls_attr_authorize_fails,
	&tcm_isc_ls_attr_authenticate_fails,
	&tcm_isc_ls_attr_negotiate_fails, NULL
};

TCM_ISC_GROUP(ls);

TCM_ISC_INST(lo);
TCM_ISC_FIXED(lo, indx, "1");
TCM_ISC_COUNT(lo, normal_logouts);
TCM_ISC_COUNT(lo, abnormal_logouts);

static struct configfs_attribute *tcm_isc_lo_attrs[] = {
	&tcm_isc_lo_attr_inst, &tcm_isc_lo_attr_indx, &tcm_isc_lo_attr_normal_logouts,
	&tcm_isc_lo_attr_abnormal_logouts, NULL
};

TCM_ISC_GROUP(lo);

const struct tcm_attr_group tcm_isc_wwn_stats[] = {
	{ "iscsi_instance", &tcm_isc_in_type },
	{ "iscsi_sess_err", &tcm_isc_se_type },
	{ "iscsi_tgt_attr", &tcm_isc_ta_type },
	{ "iscsi_login_stats", &tcm_isc_ls_type },
	{ "iscsi_logout_stats", &tcm_isc_lo_type },
	{ }
};
