// SPDX-License-Identifier: GPL-2.0-only
/*
 * Secrets and numbers as configfs takes them; the root's own files.
 */
#include <linux/capability.h>
#include <linux/cpumask.h>
#include <linux/kstrtox.h>
#include "iscsi.h"

static char *tcm_isc_secret(struct tcm_isc_auth *auth, enum tcm_isc_secret which)
{
	switch (which) {
	case TCM_ISC_SEC_USERID:
		return auth->userid;
	case TCM_ISC_SEC_PASSWORD:
		return auth->password;
	case TCM_ISC_SEC_USERID_MUTUAL:
		return auth->userid_mutual;
	default:
		return auth->password_mutual;
	}
}

ssize_t tcm_isc_secret_show(const struct tcm_isc_auth *auth, enum tcm_isc_secret which, char *page)
{
	ssize_t len;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	mutex_lock(&tcm_isc_lock);
	len = sysfs_emit(page, "%s\n", tcm_isc_secret((struct tcm_isc_auth *)auth, which));
	mutex_unlock(&tcm_isc_lock);
	return len;
}

/* The line's end is not part of a secret; NULL takes it away. */
ssize_t tcm_isc_secret_store(struct config_item *item, const char *name, struct tcm_isc_auth *auth,
			     enum tcm_isc_secret which, const char *page, size_t count)
{
	char *to = tcm_isc_secret(auth, which);
	size_t len = count;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (len && page[len - 1] == '\n')
		len--;
	if (len >= TCM_ISC_SECRET_MAX || memchr(page, '\0', len) || !tcm_text_is_utf8(page, len))
		return tcm_cfs_refuse(item, name, -EINVAL, "at most 255 bytes of UTF-8");
	mutex_lock(&tcm_isc_lock);
	memzero_explicit(to, TCM_ISC_SECRET_MAX);
	if (strncmp(page, "NULL", 4))
		memcpy(to, page, len);
	mutex_unlock(&tcm_isc_lock);
	return count;
}

ssize_t tcm_isc_mutual_show(const struct tcm_isc_auth *auth, char *page)
{
	return sysfs_emit(page, "%d\n", *auth->userid_mutual && *auth->password_mutual);
}

int tcm_isc_store_num(struct config_item *item, const char *name, const char *page, u32 lo, u32 hi,
		      u32 *num)
{
	char why[48];
	u32 val;

	if (!kstrtou32(page, 0, &val) && val >= lo && val <= hi) {
		WRITE_ONCE(*num, val);
		return 0;
	}
	snprintf(why, sizeof(why), "%u to %u", lo, hi);
	return tcm_cfs_refuse(item, name, -EINVAL, why);
}

/* ---- <fabric>/ ---- */

static ssize_t tcm_isc_root_lio_version_show(struct config_item *item, char *page)
{
	return sysfs_emit(page, "Datera Inc. iSCSI Target v4.1.0\n");
}
CONFIGFS_ATTR_RO(tcm_isc_root_, lio_version);

static ssize_t tcm_isc_root_cpus_allowed_list_show(struct config_item *item, char *page)
{
	return sysfs_emit(page, "%*pbl\n", cpumask_pr_args(&tcm_isc_cpus));
}

/* New connections keep to these. */
static ssize_t tcm_isc_root_cpus_allowed_list_store(struct config_item *item, const char *page,
						    size_t count)
{
	cpumask_var_t cpus;
	int err;

	if (!zalloc_cpumask_var(&cpus, GFP_KERNEL))
		return -ENOMEM;
	err = cpulist_parse(page, cpus);
	if (!err && !cpumask_intersects(cpus, cpu_possible_mask))
		err = -EINVAL;
	if (!err)
		cpumask_and(&tcm_isc_cpus, cpus, cpu_possible_mask);
	free_cpumask_var(cpus);
	return err ? tcm_cfs_refuse(item, "cpus_allowed_list", err, "a list of CPUs") : count;
}
CONFIGFS_ATTR(tcm_isc_root_, cpus_allowed_list);

struct configfs_attribute *tcm_isc_root_attrs[] = {
	&tcm_isc_root_attr_lio_version,
	&tcm_isc_root_attr_cpus_allowed_list,
	NULL
};

/* ---- discovery_auth/ ---- */

#define TCM_ISC_DISC_SECRET(name, which)						\
static ssize_t tcm_isc_disc_##name##_show(struct config_item *item, char *page)		\
{											\
	return tcm_isc_secret_show(&tcm_isc_discovery_auth, which, page);		\
}											\
static ssize_t tcm_isc_disc_##name##_store(struct config_item *item, const char *page,		\
						 size_t count)					\
{											\
	return tcm_isc_secret_store(item, #name, &tcm_isc_discovery_auth, which, page, count); \
}											\
CONFIGFS_ATTR(tcm_isc_disc_, name)

TCM_ISC_DISC_SECRET(userid, TCM_ISC_SEC_USERID);
TCM_ISC_DISC_SECRET(password, TCM_ISC_SEC_PASSWORD);
TCM_ISC_DISC_SECRET(userid_mutual, TCM_ISC_SEC_USERID_MUTUAL);
TCM_ISC_DISC_SECRET(password_mutual, TCM_ISC_SEC_PASSWORD_MUTUAL);

static ssize_t tcm_isc_disc_authenticate_target_show(struct config_item *item, char *page)
{
	return tcm_isc_mutual_show(&tcm_isc_discovery_auth, page);
}
CONFIGFS_ATTR_RO(tcm_isc_disc_, authenticate_target);

static ssize_t tcm_isc_disc_enforce_discovery_auth_show(struct config_item *item, char *page)
{
	return sysfs_emit(page, "%u\n", tcm_isc_enforce_discovery_auth);
}

static ssize_t tcm_isc_disc_enforce_discovery_auth_store(struct config_item *item, const char *page,
							 size_t count)
{
	return tcm_isc_store_num(item, "enforce_discovery_auth", page, 0, 1,
				 &tcm_isc_enforce_discovery_auth) ?: count;
}
CONFIGFS_ATTR(tcm_isc_disc_, enforce_discovery_auth);

struct configfs_attribute *tcm_isc_discovery_attrs[] = {
	&tcm_isc_disc_attr_userid,
	&tcm_isc_disc_attr_password,
	&tcm_isc_disc_attr_userid_mutual,
	&tcm_isc_disc_attr_password_mutual,
	&tcm_isc_disc_attr_authenticate_target,
	&tcm_isc_disc_attr_enforce_discovery_auth,
	NULL
};
