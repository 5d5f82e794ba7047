// SPDX-License-Identifier: GPL-2.0-only
/*
 * Attributes of a portal group: what an iSCSI one has that rtslib looks at, so that
 * the generic tree is exercised with every kind of directory.
 */
#include <linux/kstrtox.h>
#include "attrs.h"

static struct tcm_test_tpg *tcm_test_tpg_of(struct config_item *item)
{
	return tcm_item_tpg(item)->priv;
}

ssize_t tcm_test_store_uint(u32 *field, const char *page, size_t count, u32 min, u32 max)
{
	u32 value;
	int err = kstrtou32(page, 0, &value);

	if (err)
		return err;
	if (value < min || value > max)
		return -EINVAL;
	WRITE_ONCE(*field, value);
	return count;
}

ssize_t tcm_test_store_text(char *field, const char *page, size_t count)
{
	while (count && page[count - 1] == '\n')
		count--;
	if (count >= TCM_NAME_MAX || memchr(page, '\0', count))
		return -EINVAL;
	if (count >= 4 && !strncmp(page, "NULL", 4))
		count = 0;
	memcpy(field, page, count);
	field[count] = '\0';
	return 0;
}

static ssize_t tcm_test_root_version_show(struct config_item *item, char *page)
{
	return sysfs_emit(page, "TCM test fabric\n");
}
CONFIGFS_ATTR_RO(tcm_test_root_, version);

struct configfs_attribute *tcm_test_root_attrs[] = {
	&tcm_test_root_attr_version,
	NULL
};

static ssize_t tcm_test_tpg_dynamic_sessions_show(struct config_item *item, char *page)
{
	struct tcm_tpg *tpg = tcm_item_tpg(item);
	struct tcm_session *sess;
	ssize_t len = 0;

	mutex_lock(&tpg->lock);
	list_for_each_entry(sess, &tpg->sessions, node)
		if (!sess->acl)
			len += sysfs_emit_at(page, len, "%s\n", sess->name);
	mutex_unlock(&tpg->lock);
	return len;
}
CONFIGFS_ATTR_RO(tcm_test_tpg_, dynamic_sessions);

struct configfs_attribute *tcm_test_tpg_attrs[] = {
	&tcm_test_tpg_attr_dynamic_sessions,
	NULL
};

TCM_TEST_UINT(tcm_test_attrib_, tpg, generate_node_acls, 0, 1);
TCM_TEST_UINT(tcm_test_attrib_, tpg, demo_mode_write_protect, 0, 1);
TCM_TEST_UINT(tcm_test_attrib_, tpg, default_cmdsn_depth, 1, 512);

struct configfs_attribute *tcm_test_attrib_attrs[] = {
	&tcm_test_attrib_attr_generate_node_acls,
	&tcm_test_attrib_attr_demo_mode_write_protect,
	&tcm_test_attrib_attr_default_cmdsn_depth,
	NULL
};

TCM_TEST_UINT(tcm_test_param_, tpg, max_outstanding, 1, TCM_TEST_SLOTS_MAX);
TCM_TEST_TEXT(tcm_test_param_, tpg, TargetAlias, alias);

struct configfs_attribute *tcm_test_param_attrs[] = {
	&tcm_test_param_attr_max_outstanding,
	&tcm_test_param_attr_TargetAlias,
	NULL
};

TCM_TEST_TEXT(tcm_test_auth_, tpg, userid, auth.userid);
TCM_TEST_TEXT(tcm_test_auth_, tpg, password, auth.password);
TCM_TEST_TEXT(tcm_test_auth_, tpg, userid_mutual, auth.userid_mutual);
TCM_TEST_TEXT(tcm_test_auth_, tpg, password_mutual, auth.password_mutual);

static ssize_t tcm_test_auth_authenticate_target_show(struct config_item *item, char *page)
{
	return sysfs_emit(page, "%d\n", tcm_test_tpg_of(item)->auth.userid_mutual[0] != '\0');
}
CONFIGFS_ATTR_RO(tcm_test_auth_, authenticate_target);

struct configfs_attribute *tcm_test_auth_attrs[] = {
	&tcm_test_auth_attr_userid,
	&tcm_test_auth_attr_password,
	&tcm_test_auth_attr_userid_mutual,
	&tcm_test_auth_attr_password_mutual,
	&tcm_test_auth_attr_authenticate_target,
	NULL
};
