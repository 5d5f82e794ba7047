// SPDX-License-Identifier: GPL-2.0-only
/*
 * Attributes of an ACL.
 */
#include "attrs.h"

static struct tcm_test_acl *tcm_test_acl_of(struct config_item *item)
{
	return tcm_item_acl(item)->priv;
}

TCM_TEST_UINT(tcm_test_acl_attrib_, acl, nopin_timeout, 0, 60);

struct configfs_attribute *tcm_test_acl_attrib_attrs[] = {
	&tcm_test_acl_attrib_attr_nopin_timeout,
	NULL
};

TCM_TEST_TEXT(tcm_test_acl_auth_, acl, userid, auth.userid);
TCM_TEST_TEXT(tcm_test_acl_auth_, acl, password, auth.password);
TCM_TEST_TEXT(tcm_test_acl_auth_, acl, userid_mutual, auth.userid_mutual);
TCM_TEST_TEXT(tcm_test_acl_auth_, acl, password_mutual, auth.password_mutual);

static ssize_t tcm_test_acl_auth_authenticate_target_show(struct config_item *item, char *page)
{
	return sysfs_emit(page, "%d\n", tcm_test_acl_of(item)->auth.userid_mutual[0] != '\0');
}
CONFIGFS_ATTR_RO(tcm_test_acl_auth_, authenticate_target);

struct configfs_attribute *tcm_test_acl_auth_attrs[] = {
	&tcm_test_acl_auth_attr_userid,
	&tcm_test_acl_auth_attr_password,
	&tcm_test_acl_auth_attr_userid_mutual,
	&tcm_test_acl_auth_attr_password_mutual,
	&tcm_test_acl_auth_attr_authenticate_target,
	NULL
};

/* One session as rtslib parses it (targetcli contract, section 11). */
static ssize_t tcm_test_info_session(const struct tcm_session *sess, char *page, ssize_t len)
{
	len += sysfs_emit_at(page, len, "InitiatorName: %s\nInitiatorAlias: \n", sess->name);
	len += sysfs_emit_at(page, len, "LIO Session ID: %u   ISID: 0x%6ph  TSIH: %u  SessionType: Normal\n",
			     sess->index, sess->isid, sess->index & 0xffff);
	len += sysfs_emit_at(page, len, "Session State: TARG_SESS_STATE_LOGGED_IN\n");
	len += sysfs_emit_at(page, len, "CID: 0  Connection State: TARG_CONN_STATE_LOGGED_IN\n");
	return len + sysfs_emit_at(page, len, "   Address local TCP  StatSN: 0x00000000\n");
}

static ssize_t tcm_test_acl_info_show(struct config_item *item, char *page)
{
	struct tcm_acl *acl = tcm_item_acl(item);
	struct tcm_session *sess;
	ssize_t len = 0;

	mutex_lock(&acl->tpg->lock);
	list_for_each_entry(sess, &acl->tpg->sessions, node)
		if (sess->acl == acl)
			len = tcm_test_info_session(sess, page, len);
	mutex_unlock(&acl->tpg->lock);
	if (!len)
		len = sysfs_emit(page, "No active session for initiator: %s\n", acl->name);
	return len;
}
CONFIGFS_ATTR_RO(tcm_test_acl_, info);

static ssize_t tcm_test_acl_cmdsn_depth_show(struct config_item *item, char *page)
{
	return sysfs_emit(page, "%u\n", tcm_item_acl(item)->queue_depth);
}

static ssize_t tcm_test_acl_cmdsn_depth_store(struct config_item *item, const char *page,
					      size_t count)
{
	return tcm_test_store_uint(&tcm_item_acl(item)->queue_depth, page, count, 1, 512);
}
CONFIGFS_ATTR(tcm_test_acl_, cmdsn_depth);

static ssize_t tcm_test_acl_tag_show(struct config_item *item, char *page)
{
	return sysfs_emit(page, "%s", tcm_item_acl(item)->tag);
}

static ssize_t tcm_test_acl_tag_store(struct config_item *item, const char *page, size_t count)
{
	struct tcm_acl *acl = tcm_item_acl(item);
	char text[TCM_NAME_MAX];
	ssize_t err;

	err = tcm_test_store_text(text, page, count);
	if (err)
		return err;
	return strscpy(acl->tag, text, sizeof(acl->tag)) < 0 ? -EINVAL : count;
}
CONFIGFS_ATTR(tcm_test_acl_, tag);

struct configfs_attribute *tcm_test_acl_attrs[] = {
	&tcm_test_acl_attr_info,
	&tcm_test_acl_attr_cmdsn_depth,
	&tcm_test_acl_attr_tag,
	NULL
};
