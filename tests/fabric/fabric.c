// SPDX-License-Identifier: GPL-2.0-only
/*
 * The test fabric's targets and portal groups, and the module. Any name is a target's
 * name; a portal group has ACLs, demo mode and `enable`, as iSCSI's has.
 */
#include <linux/module.h>
#include <linux/slab.h>
#include "tfab.h"

/* protects the list, and portal groups against going away while a session is made */
static DEFINE_MUTEX(tcm_test_tpgs_lock);
static LIST_HEAD(tcm_test_tpgs);

static int tcm_test_add_wwn(struct tcm_wwn *wwn)
{
	wwn->proto = TCM_PROTO_SAS;
	return 0;
}

static int tcm_test_add_tpg(struct tcm_tpg *tpg)
{
	struct tcm_test_tpg *ttpg = kzalloc(sizeof(*ttpg), GFP_KERNEL);

	if (!ttpg)
		return -ENOMEM;
	ttpg->tpg = tpg;
	ttpg->demo_mode_write_protect = 1;
	ttpg->default_cmdsn_depth = 64;
	ttpg->max_outstanding = 128;
	tpg->priv = ttpg;
	mutex_lock(&tcm_test_tpgs_lock);
	list_add_tail(&ttpg->node, &tcm_test_tpgs);
	mutex_unlock(&tcm_test_tpgs_lock);
	return 0;
}

static void tcm_test_del_tpg(struct tcm_tpg *tpg)
{
	struct tcm_test_tpg *ttpg = tpg->priv;

	mutex_lock(&tcm_test_tpgs_lock);
	list_del(&ttpg->node);
	mutex_unlock(&tcm_test_tpgs_lock);
	kfree(ttpg);
}

static int tcm_test_enable_tpg(struct tcm_tpg *tpg, bool enable)
{
	struct tcm_test_tpg *ttpg = tpg->priv;

	mutex_lock(&tcm_test_tpgs_lock);
	ttpg->enabled = enable;
	mutex_unlock(&tcm_test_tpgs_lock);
	return 0;
}

/* A name that starts with "bad" is refused, so that a test can see a fabric's veto. */
static int tcm_test_add_acl(struct tcm_acl *acl)
{
	struct tcm_test_acl *tacl;

	if (strstarts(acl->name, "bad"))
		return -EINVAL;
	tacl = kzalloc(sizeof(*tacl), GFP_KERNEL);
	if (!tacl)
		return -ENOMEM;
	tacl->nopin_timeout = 15;
	acl->priv = tacl;
	return 0;
}

static void tcm_test_del_acl(struct tcm_acl *acl)
{
	kfree(acl->priv);
}

static struct tcm_test_tpg *tcm_test_find_tpg(const char *wwn, u16 tag)
{
	struct tcm_test_tpg *ttpg;

	lockdep_assert_held(&tcm_test_tpgs_lock);
	list_for_each_entry(ttpg, &tcm_test_tpgs, node)
		if (ttpg->tpg->tag == tag && !strcmp(ttpg->tpg->wwn->name, wwn))
			return ttpg;
	return NULL;
}

static int tcm_test_connect_tpg(struct tcm_test_session *ts, struct tcm_test_login *login,
				struct tcm_test_tpg *ttpg)
{
	enum tcm_demo demo = TCM_DEMO_NONE;
	struct tcm_session *sess;
	int err;

	err = tcm_test_alloc_slots(ts, login->slots ?: ttpg->max_outstanding);
	if (err)
		return err;
	if (ttpg->generate_node_acls)
		demo = ttpg->demo_mode_write_protect ? TCM_DEMO_READ_ONLY : TCM_DEMO_READ_WRITE;
	sess = tcm_session_create(ttpg->tpg, login->name, login->has_isid ? login->isid : NULL,
				  demo, ts);
	if (IS_ERR(sess)) {
		tcm_test_free_slots(ts);
		return PTR_ERR(sess);
	}
	refcount_inc(&ts->ref);
	ts->logged_in = true;
	rcu_assign_pointer(ts->sess, sess);
	return 0;
}

int tcm_test_connect(struct tcm_test_session *ts, struct tcm_test_login *login)
{
	struct tcm_test_tpg *ttpg;
	int err;

	mutex_lock(&tcm_test_tpgs_lock);
	ttpg = tcm_test_find_tpg(login->wwn, login->tag);
	if (!ttpg)
		err = -ENODEV;
	else if (!ttpg->enabled)
		err = -ECONNREFUSED;
	else
		err = tcm_test_connect_tpg(ts, login, ttpg);
	mutex_unlock(&tcm_test_tpgs_lock);
	return err;
}

struct tcm_fabric_ops tcm_test_ops = {
	.name		= "test",
	.owner		= THIS_MODULE,
	.flags		= TCM_FAB_HAS_ENABLE | TCM_FAB_NODE_ACLS,
	.add_wwn	= tcm_test_add_wwn,
	.add_tpg	= tcm_test_add_tpg,
	.del_tpg	= tcm_test_del_tpg,
	.enable_tpg	= tcm_test_enable_tpg,
	.add_acl	= tcm_test_add_acl,
	.del_acl	= tcm_test_del_acl,
	.write_pending	= tcm_test_write_pending,
	.data_aborted	= tcm_test_data_aborted,
	.respond	= tcm_test_respond,
	.tmf_done	= tcm_test_tmf_done,
	.for_each_cmd	= tcm_test_for_each_cmd,
	.close_session	= tcm_test_close_session,
	.root_attrs	= tcm_test_root_attrs,
	.tpg_attrs	= tcm_test_tpg_attrs,
	.tpg_attrib_attrs = tcm_test_attrib_attrs,
	.tpg_param_attrs = tcm_test_param_attrs,
	.tpg_auth_attrs	= tcm_test_auth_attrs,
	.acl_attrs	= tcm_test_acl_attrs,
	.acl_attrib_attrs = tcm_test_acl_attrib_attrs,
	.acl_auth_attrs	= tcm_test_acl_auth_attrs,
};

static int __init tcm_test_init(void)
{
	int err;

	err = tcm_test_sessions_init();
	if (err)
		return err;
	err = tcm_fabric_register(&tcm_test_ops);
	if (err)
		goto exit_sessions;
	err = tcm_test_held_init();
	if (err)
		goto unregister;
	err = tcm_test_dev_init();
	if (err)
		goto exit_held;
	return 0;

exit_held:
	tcm_test_held_exit();
unregister:
	tcm_fabric_unregister(&tcm_test_ops);
exit_sessions:
	tcm_test_sessions_exit();
	return err;
}

static void __exit tcm_test_exit(void)
{
	tcm_test_dev_exit();
	tcm_fabric_unregister(&tcm_test_ops);
	tcm_test_held_exit();
	tcm_test_sessions_exit();
}

module_init(tcm_test_init);
module_exit(tcm_test_exit);
MODULE_DESCRIPTION("TCM test fabric: initiators are processes");
MODULE_LICENSE("GPL");
MODULE_VERSION("5.0.0");
