// SPDX-License-Identifier: GPL-2.0-only
/*
 * A fabric of directories only, which no initiator can reach: "iscsi" with every file that
 * rtslib reads or writes there. With it a targetcli session can be tested in full,
 * and each part of the generic tree that loopback does not have: ACLs with attributes, portals,
 * enable, fabric_statistics. For tests, never installed.
 */
#include <linux/ctype.h>
#include <linux/kstrtox.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <tcm/configfs.h>
#include <tcm/fabric.h>

#define MOCK_TEXT	256

/* One store for all: a TPG's, an ACL's and the discovery's values live side by side. */
struct mock {
	char	text[32][MOCK_TEXT];
	u32	num[32];
};

static struct mock mock_discovery;

static struct mock *mock_disc(struct config_item *item)
{
	return &mock_discovery;
}

static struct mock *mock_tpg(struct config_item *item)
{
	return tcm_item_tpg(item)->priv;
}

static struct mock *mock_acl(struct config_item *item)
{
	return tcm_item_acl(item)->priv;
}

static struct mock *mock_np(struct config_item *item)
{
	return tcm_item_np(item)->priv;
}

static ssize_t mock_text_store(char *to, const char *page, size_t count)
{
	size_t len = count, i;

	if (len && page[len - 1] == '\n')
		len--;
	if (len >= MOCK_TEXT)
		return -EINVAL;
	for (i = 0; i < len; i++)
		if (!isascii(page[i]) || !isprint(page[i]))
			return -EINVAL;
	memcpy(to, page, len);
	to[len] = '\0';
	/* The word by which a value is taken away */
	if (!strcmp(to, "NULL"))
		*to = '\0';
	return count;
}

static ssize_t mock_num_store(u32 *to, u32 max, const char *page, size_t count)
{
	u32 value;

	if (kstrtou32(page, 0, &value) || value > max)
		return -EINVAL;
	*to = value;
	return count;
}

static ssize_t mock_stored(struct config_item *item, const char *name, ssize_t ret)
{
	return ret < 0 ? tcm_cfs_refuse(item, name, ret, NULL) : ret;
}

#define MOCK_TEXT_ATTR(of, slot, name)							\
static ssize_t of##_##name##_show(struct config_item *item, char *page)			\
{											\
	return sysfs_emit(page, "%s\n", mock_##of(item)->text[slot]);			\
}											\
static ssize_t of##_##name##_store(struct config_item *item, const char *page, size_t count)	\
{											\
	return mock_stored(item, #name, mock_text_store(mock_##of(item)->text[slot], page, count)); \
}											\
CONFIGFS_ATTR(of##_, name)

#define MOCK_NUM_ATTR(of, slot, name, max)						\
static ssize_t of##_##name##_show(struct config_item *item, char *page)			\
{											\
	return sysfs_emit(page, "%u\n", mock_##of(item)->num[slot]);			\
}											\
static ssize_t of##_##name##_store(struct config_item *item, const char *page, size_t count)	\
{											\
	return mock_stored(item, #name, mock_num_store(&mock_##of(item)->num[slot], max, page, count)); \
}											\
CONFIGFS_ATTR(of##_, name)

#define MOCK_AUTH(of)									\
MOCK_TEXT_ATTR(of, 0, userid);								\
MOCK_TEXT_ATTR(of, 1, password);							\
MOCK_TEXT_ATTR(of, 2, userid_mutual);							\
MOCK_TEXT_ATTR(of, 3, password_mutual);							\
static ssize_t of##_authenticate_target_show(struct config_item *item, char *page)	\
{											\
	struct mock *mock = mock_##of(item);						\
											\
	return sysfs_emit(page, "%d\n", *mock->text[2] && *mock->text[3]);		\
}											\
CONFIGFS_ATTR_RO(of##_, authenticate_target)

MOCK_AUTH(disc);
MOCK_AUTH(tpg);
MOCK_AUTH(acl);
MOCK_NUM_ATTR(disc, 0, enforce_discovery_auth, 1);
MOCK_NUM_ATTR(tpg, 0, authentication, 1);
MOCK_NUM_ATTR(tpg, 1, generate_node_acls, 1);
MOCK_NUM_ATTR(tpg, 2, default_cmdsn_depth, 512);
MOCK_TEXT_ATTR(tpg, 4, TargetAlias);
MOCK_TEXT_ATTR(tpg, 5, AuthMethod);
MOCK_NUM_ATTR(acl, 0, dataout_timeout, 60);
MOCK_NUM_ATTR(acl, 1, cmdsn_depth, 512);
MOCK_TEXT_ATTR(acl, 4, tag);
MOCK_NUM_ATTR(np, 0, iser, 1);

static ssize_t acl_info_show(struct config_item *item, char *page)
{
	return sysfs_emit(page, "No active iSCSI Session for Initiator Endpoint: %s\n",
			  tcm_item_acl(item)->name);
}
CONFIGFS_ATTR_RO(acl_, info);

static ssize_t root_lio_version_show(struct config_item *item, char *page)
{
	return sysfs_emit(page, "a mock\n");
}
CONFIGFS_ATTR_RO(root_, lio_version);

static ssize_t wwn_inst_show(struct config_item *item, char *page)
{
	return sysfs_emit(page, "%u\n", tcm_item_wwn(item)->inst);
}
CONFIGFS_ATTR_RO(wwn_, inst);

static ssize_t aclstat_indx_show(struct config_item *item, char *page)
{
	return sysfs_emit(page, "%u\n", tcm_item_acl(item)->index);
}
CONFIGFS_ATTR_RO(aclstat_, indx);

#define MOCK_AUTH_ROWS(of) &of##_attr_userid, &of##_attr_password, &of##_attr_userid_mutual, \
	&of##_attr_password_mutual, &of##_attr_authenticate_target

static struct configfs_attribute *root_attrs[] = { &root_attr_lio_version, NULL };
static struct configfs_attribute *disc_attrs[] = {
	MOCK_AUTH_ROWS(disc), &disc_attr_enforce_discovery_auth, NULL
};

static struct configfs_attribute *tpg_auth_attrs[] = { MOCK_AUTH_ROWS(tpg), NULL };
static struct configfs_attribute *acl_auth_attrs[] = { MOCK_AUTH_ROWS(acl), NULL };
static struct configfs_attribute *tpg_attrib_attrs[] = {
	&tpg_attr_authentication, &tpg_attr_generate_node_acls, &tpg_attr_default_cmdsn_depth, NULL
};

static struct configfs_attribute *tpg_param_attrs[] = {
	&tpg_attr_TargetAlias, &tpg_attr_AuthMethod, NULL
};

static struct configfs_attribute *acl_attrs[] = {
	&acl_attr_info, &acl_attr_cmdsn_depth, &acl_attr_tag, NULL
};

static struct configfs_attribute *acl_attrib_attrs[] = { &acl_attr_dataout_timeout, NULL };
static struct configfs_attribute *np_attrs[] = { &np_attr_iser, NULL };
static struct configfs_attribute *wwn_stat_attrs[] = { &wwn_attr_inst, NULL };
static struct configfs_attribute *acl_stat_attrs[] = { &aclstat_attr_indx, NULL };

static const struct config_item_type wwn_stat_type = {
	.ct_item_ops = &tcm_item_ops, .ct_attrs = wwn_stat_attrs, .ct_owner = THIS_MODULE,
};

static const struct config_item_type acl_stat_type = {
	.ct_item_ops = &tcm_item_ops, .ct_attrs = acl_stat_attrs, .ct_owner = THIS_MODULE,
};

static const struct tcm_attr_group wwn_stats[] = { { "iscsi_instance", &wwn_stat_type }, { } };
static const struct tcm_attr_group acl_stats[] = { { "iscsi_sess_stats", &acl_stat_type }, { } };

static int mock_add_wwn(struct tcm_wwn *wwn)
{
	wwn->proto = TCM_PROTO_ISCSI;
	return strstarts(wwn->name, "iqn.") ? 0 : -EINVAL;
}

static int mock_add_tpg(struct tcm_tpg *tpg)
{
	struct mock *mock = kzalloc(sizeof(*mock), GFP_KERNEL);

	if (!mock)
		return -ENOMEM;
	mock->num[0] = 1;
	mock->num[2] = 64;
	strscpy(mock->text[4], "LIO Target", MOCK_TEXT);
	strscpy(mock->text[5], "CHAP,None", MOCK_TEXT);
	tpg->priv = mock;
	return 0;
}

static void mock_del_tpg(struct tcm_tpg *tpg)
{
	kfree(tpg->priv);
}

static int mock_enable_tpg(struct tcm_tpg *tpg, bool enable)
{
	return 0;
}

static int mock_add_acl(struct tcm_acl *acl)
{
	struct mock *mock;

	if (!*acl->name || !strncmp(acl->name, "veto", 4))
		return -EPERM;
	mock = kzalloc(sizeof(*mock), GFP_KERNEL);
	if (!mock)
		return -ENOMEM;
	mock->num[0] = 3;
	mock->num[1] = 64;
	acl->priv = mock;
	return 0;
}

static void mock_del_acl(struct tcm_acl *acl)
{
	kfree(acl->priv);
}

static int mock_add_np(struct tcm_np *np)
{
	if (!strchr(np->name, ':'))
		return -EADDRNOTAVAIL;
	np->priv = kzalloc(sizeof(struct mock), GFP_KERNEL);
	return np->priv ? 0 : -ENOMEM;
}

static void mock_del_np(struct tcm_np *np)
{
	kfree(np->priv);
}

/* Nothing ever comes in. */
static void mock_respond(struct tcm_cmd *cmd)
{
}

static void mock_tmf_done(struct tcm_tmf *tmf)
{
}

static void mock_for_each_cmd(struct tcm_session *sess, const struct tcm_lun *lun,
			      tcm_cmd_fn fn, void *arg)
{
}

static void mock_close_session(struct tcm_session *sess)
{
}

static struct tcm_fabric_ops mock_ops = {
	.name		= "iSCSI",
	.dir		= "iscsi",
	.owner		= THIS_MODULE,
	.flags		= TCM_FAB_HAS_ENABLE | TCM_FAB_NODE_ACLS,
	.submit_type	= 1,
	.direct_submit	= 1,
	.add_wwn	= mock_add_wwn,
	.add_tpg	= mock_add_tpg,
	.del_tpg	= mock_del_tpg,
	.enable_tpg	= mock_enable_tpg,
	.add_acl	= mock_add_acl,
	.del_acl	= mock_del_acl,
	.add_np		= mock_add_np,
	.del_np		= mock_del_np,
	.respond	= mock_respond,
	.tmf_done	= mock_tmf_done,
	.for_each_cmd	= mock_for_each_cmd,
	.close_session	= mock_close_session,
	.root_attrs	= root_attrs,
	.discovery_attrs = disc_attrs,
	.tpg_attrib_attrs = tpg_attrib_attrs,
	.tpg_param_attrs = tpg_param_attrs,
	.tpg_auth_attrs	= tpg_auth_attrs,
	.np_attrs	= np_attrs,
	.acl_attrs	= acl_attrs,
	.acl_attrib_attrs = acl_attrib_attrs,
	.acl_auth_attrs	= acl_auth_attrs,
	.wwn_stats	= wwn_stats,
	.acl_stats	= acl_stats,
};

static int __init mock_init(void)
{
	return tcm_fabric_register(&mock_ops);
}

static void __exit mock_exit(void)
{
	tcm_fabric_unregister(&mock_ops);
}

module_init(mock_init);
module_exit(mock_exit);
MODULE_DESCRIPTION("TCM fabric of directories, for tests");
MODULE_LICENSE("GPL");
MODULE_VERSION("5.0.0");
