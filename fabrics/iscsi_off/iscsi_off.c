// SPDX-License-Identifier: GPL-2.0-only
/*
 * iscsi_target_mod of a TCM that does not speak iSCSI.
 *
 * rtslib reads and writes iscsi/discovery_auth/ whenever it lists, saves, clears or
 * restores a configuration, whatever that has in it, and stops where the fabric cannot be loaded
 * (targetcli contract, sections 1 and 7). So the settings are here, and are kept; a target is
 * refused. tcm-switch knows by the module's tcm_targets field that saved targets would be lost.
 */
#include <linux/capability.h>
#include <linux/ctype.h>
#include <linux/kstrtox.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/string.h>
#include <linux/sysfs.h>
#include <tcm/configfs.h>
#include <tcm/fabric.h>

#define TCM_ISCSI_AUTH_MAX	256

enum tcm_iscsi_auth {
	TCM_ISCSI_USERID,
	TCM_ISCSI_PASSWORD,
	TCM_ISCSI_USERID_MUTUAL,
	TCM_ISCSI_PASSWORD_MUTUAL,
	TCM_ISCSI_AUTH_COUNT
};

/* protects all below */
static DEFINE_MUTEX(tcm_iscsi_auth_mutex);
static char tcm_iscsi_auth[TCM_ISCSI_AUTH_COUNT][TCM_ISCSI_AUTH_MAX];
static bool tcm_iscsi_auth_set[TCM_ISCSI_AUTH_COUNT];
static bool tcm_iscsi_enforce;

static ssize_t tcm_iscsi_auth_show(enum tcm_iscsi_auth which, char *page)
{
	ssize_t len;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	mutex_lock(&tcm_iscsi_auth_mutex);
	len = sysfs_emit(page, "%s\n", tcm_iscsi_auth[which]);
	mutex_unlock(&tcm_iscsi_auth_mutex);
	return len;
}

static int tcm_iscsi_auth_check(const char *page, size_t count, const char **why)
{
	size_t i;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	*why = "at most 255 characters";
	if (count >= TCM_ISCSI_AUTH_MAX)
		return -EINVAL;
	*why = "printable ASCII";
	for (i = 0; i < count; i++)
		if (!isascii(page[i]) || !isprint(page[i]))
			return -EINVAL;
	return 0;
}

static ssize_t tcm_iscsi_auth_store(struct config_item *item, const char *name,
				    enum tcm_iscsi_auth which, const char *page, size_t count)
{
	size_t len = count && page[count - 1] == '\n' ? count - 1 : count;
	const char *why = NULL;
	int err = tcm_iscsi_auth_check(page, len, &why);

	if (err)
		return tcm_cfs_refuse(item, name, err, why);
	mutex_lock(&tcm_iscsi_auth_mutex);
	memcpy(tcm_iscsi_auth[which], page, len);
	tcm_iscsi_auth[which][len] = '\0';
	/* The word by which a value is taken away */
	tcm_iscsi_auth_set[which] = !strstarts(tcm_iscsi_auth[which], "NULL");
	mutex_unlock(&tcm_iscsi_auth_mutex);
	return count;
}

static ssize_t tcm_disc_userid_show(struct config_item *item, char *page)
{
	return tcm_iscsi_auth_show(TCM_ISCSI_USERID, page);
}

static ssize_t tcm_disc_userid_store(struct config_item *item, const char *page, size_t count)
{
	return tcm_iscsi_auth_store(item, "userid", TCM_ISCSI_USERID, page, count);
}
CONFIGFS_ATTR(tcm_disc_, userid);

static ssize_t tcm_disc_password_show(struct config_item *item, char *page)
{
	return tcm_iscsi_auth_show(TCM_ISCSI_PASSWORD, page);
}

static ssize_t tcm_disc_password_store(struct config_item *item, const char *page, size_t count)
{
	return tcm_iscsi_auth_store(item, "password", TCM_ISCSI_PASSWORD, page, count);
}
CONFIGFS_ATTR(tcm_disc_, password);

static ssize_t tcm_disc_userid_mutual_show(struct config_item *item, char *page)
{
	return tcm_iscsi_auth_show(TCM_ISCSI_USERID_MUTUAL, page);
}

static ssize_t tcm_disc_userid_mutual_store(struct config_item *item, const char *page,
					    size_t count)
{
	return tcm_iscsi_auth_store(item, "userid_mutual", TCM_ISCSI_USERID_MUTUAL, page, count);
}
CONFIGFS_ATTR(tcm_disc_, userid_mutual);

static ssize_t tcm_disc_password_mutual_show(struct config_item *item, char *page)
{
	return tcm_iscsi_auth_show(TCM_ISCSI_PASSWORD_MUTUAL, page);
}

static ssize_t tcm_disc_password_mutual_store(struct config_item *item, const char *page,
					      size_t count)
{
	return tcm_iscsi_auth_store(item, "password_mutual", TCM_ISCSI_PASSWORD_MUTUAL, page,
				    count);
}
CONFIGFS_ATTR(tcm_disc_, password_mutual);

static ssize_t tcm_disc_authenticate_target_show(struct config_item *item, char *page)
{
	ssize_t len;

	mutex_lock(&tcm_iscsi_auth_mutex);
	len = sysfs_emit(page, "%d\n", tcm_iscsi_auth_set[TCM_ISCSI_USERID_MUTUAL] &&
			 tcm_iscsi_auth_set[TCM_ISCSI_PASSWORD_MUTUAL]);
	mutex_unlock(&tcm_iscsi_auth_mutex);
	return len;
}
CONFIGFS_ATTR_RO(tcm_disc_, authenticate_target);

static ssize_t tcm_disc_enforce_discovery_auth_show(struct config_item *item, char *page)
{
	return sysfs_emit(page, "%d\n", READ_ONCE(tcm_iscsi_enforce));
}

static ssize_t tcm_disc_enforce_discovery_auth_store(struct config_item *item, const char *page,
						     size_t count)
{
	u32 value;

	if (kstrtou32(page, 0, &value) || value > 1)
		return tcm_cfs_refuse(item, "enforce_discovery_auth", -EINVAL, "0 or 1");
	WRITE_ONCE(tcm_iscsi_enforce, value);
	return count;
}
CONFIGFS_ATTR(tcm_disc_, enforce_discovery_auth);

static struct configfs_attribute *tcm_disc_attrs[] = {
	&tcm_disc_attr_userid,
	&tcm_disc_attr_password,
	&tcm_disc_attr_userid_mutual,
	&tcm_disc_attr_password_mutual,
	&tcm_disc_attr_authenticate_target,
	&tcm_disc_attr_enforce_discovery_auth,
	NULL
};

static int tcm_iscsi_add_wwn(struct tcm_wwn *wwn)
{
	return -EPROTONOSUPPORT;
}

/* Without a target there is no portal group, no session and no command. */
static int tcm_iscsi_add_tpg(struct tcm_tpg *tpg)
{
	return -EPROTONOSUPPORT;
}

static void tcm_iscsi_respond(struct tcm_cmd *cmd)
{
}

static void tcm_iscsi_tmf_done(struct tcm_tmf *tmf)
{
}

static void tcm_iscsi_for_each_cmd(struct tcm_session *sess, const struct tcm_lun *lun,
				   tcm_cmd_fn fn, void *arg)
{
}

static void tcm_iscsi_close_session(struct tcm_session *sess)
{
}

static struct tcm_fabric_ops tcm_iscsi_ops = {
	.name		= "iSCSI",
	.dir		= "iscsi",
	.owner		= THIS_MODULE,
	.add_wwn	= tcm_iscsi_add_wwn,
	.add_tpg	= tcm_iscsi_add_tpg,
	.respond	= tcm_iscsi_respond,
	.tmf_done	= tcm_iscsi_tmf_done,
	.for_each_cmd	= tcm_iscsi_for_each_cmd,
	.close_session	= tcm_iscsi_close_session,
	.discovery_attrs = tcm_disc_attrs,
};

static int __init tcm_iscsi_init(void)
{
	return tcm_fabric_register(&tcm_iscsi_ops);
}

static void __exit tcm_iscsi_exit(void)
{
	tcm_fabric_unregister(&tcm_iscsi_ops);
}

module_init(tcm_iscsi_init);
module_exit(tcm_iscsi_exit);
MODULE_DESCRIPTION("TCM's place of iSCSI settings; no iSCSI targets yet");
MODULE_INFO(tcm_targets, "none");
MODULE_LICENSE("GPL");
MODULE_VERSION("5.0.0");
