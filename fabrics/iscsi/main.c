// SPDX-License-Identifier: GPL-2.0-only
/*
 * The module and its objects: targets, portal groups, ACLs.
 */
#include <linux/kstrtox.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/wait.h>
#include "iscsi.h"

/* protects tcm_isc_targets, listeners, secrets, texts of portal groups; see iscsi.h */
DEFINE_MUTEX(tcm_isc_lock);
LIST_HEAD(tcm_isc_targets);
struct workqueue_struct *tcm_isc_wq, *tcm_isc_slow_wq;
struct tcm_isc_auth tcm_isc_discovery_auth;
u32 tcm_isc_enforce_discovery_auth;
struct cpumask tcm_isc_cpus;

#define TCM_ISC_NAME_MAX	224	/* RFC 7143 4.2.7.1: 223 bytes */

/* ---- targets ---- */

static void tcm_isc_target_free(struct kref *ref)
{
	kfree(container_of(ref, struct tcm_isc_target, ref));
}

void tcm_isc_target_put(struct tcm_isc_target *target)
{
	kref_put(&target->ref, tcm_isc_target_free);
}

static int tcm_isc_add_wwn(struct tcm_wwn *wwn)
{
	struct tcm_isc_target *target;

	if (strlen(wwn->name) >= TCM_ISC_NAME_MAX)
		return -EINVAL;
	target = kzalloc(sizeof(*target), GFP_KERNEL);
	if (!target)
		return -ENOMEM;
	target->wwn = wwn;
	INIT_LIST_HEAD(&target->tpgs);
	kref_init(&target->ref);
	wwn->proto = TCM_PROTO_ISCSI;
	wwn->priv = target;
	mutex_lock(&tcm_isc_lock);
	list_add_tail(&target->node, &tcm_isc_targets);
	mutex_unlock(&tcm_isc_lock);
	return 0;
}

static void tcm_isc_del_wwn(struct tcm_wwn *wwn)
{
	struct tcm_isc_target *target = wwn->priv;

	mutex_lock(&tcm_isc_lock);
	list_del(&target->node);
	mutex_unlock(&tcm_isc_lock);
	tcm_isc_target_put(target);
}

/* ---- portal groups ---- */

static void tcm_isc_tpg_free(struct kref *ref)
{
	struct tcm_isc_tpg *itpg = container_of(ref, struct tcm_isc_tpg, ref);

	tcm_isc_target_put(itpg->target);
	kfree_sensitive(itpg);
}

void tcm_isc_tpg_put(struct tcm_isc_tpg *itpg)
{
	kref_put(&itpg->ref, tcm_isc_tpg_free);
}

/* The name holds tpgt_ and ends in a number of any base. */
static int tcm_isc_tpg_tag(const char *name, u16 *tag)
{
	const char *p = strstr(name, "tpgt_");

	return p ? kstrtou16(p + strlen("tpgt_"), 0, tag) : -EINVAL;
}

static const struct tcm_isc_tpg_attrib tcm_isc_tpg_attrib_default = {
	.authentication		= 1,
	.login_timeout		= 15,
	.netif_timeout		= 2,
	.default_cmdsn_depth	= 64,
	.demo_mode_write_protect = 1,
	.demo_mode_discovery	= 1,
	.tpg_enabled_sendtargets = 1,
	.login_keys_workaround	= 1,
};

static int tcm_isc_add_tpg(struct tcm_tpg *tpg)
{
	struct tcm_isc_target *target = tpg->wwn->priv;
	struct tcm_isc_tpg *itpg = kzalloc(sizeof(*itpg), GFP_KERNEL);

	if (!itpg)
		return -ENOMEM;
	itpg->tpg = tpg;
	itpg->tag = tpg->tag;
	itpg->target = target;
	kref_init(&itpg->ref);
	kref_get(&target->ref);
	mutex_init(&itpg->lock);
	INIT_LIST_HEAD(&itpg->nps);
	INIT_LIST_HEAD(&itpg->sessions);
	INIT_LIST_HEAD(&itpg->ending);
	INIT_LIST_HEAD(&itpg->acls);
	itpg->attrib = tcm_isc_tpg_attrib_default;
	tcm_isc_offer_init(&itpg->offer);
	itpg->max_recv = TCM_ISC_MAX_RECV_DEFAULT;
	itpg->max_xmit = 262144;
	strscpy(itpg->auth_method, "CHAP", sizeof(itpg->auth_method));
	strscpy(itpg->alias, "LIO Target", sizeof(itpg->alias));
	strscpy(itpg->header_digest, "CRC32C,None", sizeof(itpg->header_digest));
	strscpy(itpg->data_digest, "CRC32C,None", sizeof(itpg->data_digest));
	strscpy(itpg->if_mark_int, "Reject", sizeof(itpg->if_mark_int));
	strscpy(itpg->of_mark_int, "Reject", sizeof(itpg->of_mark_int));
	tpg->priv = itpg;
	mutex_lock(&tcm_isc_lock);
	list_add_tail(&itpg->node, &target->tpgs);
	mutex_unlock(&tcm_isc_lock);
	return 0;
}

static void tcm_isc_del_tpg(struct tcm_tpg *tpg)
{
	struct tcm_isc_tpg *itpg = tpg->priv;

	mutex_lock(&tcm_isc_lock);
	list_del(&itpg->node);
	mutex_unlock(&tcm_isc_lock);
	mutex_lock(&itpg->lock);
	itpg->enabled = false;
	itpg->dead = true;
	mutex_unlock(&itpg->lock);
	tcm_isc_tpg_put(itpg);
}

static int tcm_isc_enable_tpg(struct tcm_tpg *tpg, bool enable)
{
	struct tcm_isc_tpg *itpg = tpg->priv;

	if (enable && itpg->attrib.authentication) {
		mutex_lock(&tcm_isc_lock);
		strscpy(itpg->auth_method, "CHAP", sizeof(itpg->auth_method));
		mutex_unlock(&tcm_isc_lock);
	}
	mutex_lock(&itpg->lock);
	itpg->enabled = enable;
	mutex_unlock(&itpg->lock);
	return 0;
}

/* ---- ACLs ---- */

struct tcm_isc_acl *tcm_isc_acl_find(struct tcm_isc_tpg *itpg, const char *name)
{
	struct tcm_isc_acl *iacl;

	lockdep_assert_held(&itpg->lock);
	list_for_each_entry(iacl, &itpg->acls, node)
		if (!strcasecmp(iacl->acl->name, name))
			return iacl;
	return NULL;
}

const struct tcm_isc_acl_attrib tcm_isc_acl_default = {
	.dataout_timeout	= 3,
	.dataout_timeout_retries = 5,
	.nopin_timeout		= 15,
	.nopin_response_timeout	= 30,
	.authentication		= -1,
};

static int tcm_isc_add_acl(struct tcm_acl *acl)
{
	struct tcm_isc_tpg *itpg = acl->tpg->priv;
	struct tcm_isc_acl *iacl;

	if (!*acl->name)
		return -EINVAL;
	iacl = kzalloc(sizeof(*iacl), GFP_KERNEL);
	if (!iacl)
		return -ENOMEM;
	iacl->acl = acl;
	iacl->attrib = tcm_isc_acl_default;
	iacl->attrib.default_erl = itpg->attrib.default_erl;
	acl->queue_depth = itpg->attrib.default_cmdsn_depth;
	acl->priv = iacl;
	mutex_lock(&itpg->lock);
	list_add_tail(&iacl->node, &itpg->acls);
	mutex_unlock(&itpg->lock);
	return 0;
}

static void tcm_isc_del_acl(struct tcm_acl *acl)
{
	struct tcm_isc_tpg *itpg = acl->tpg->priv;
	struct tcm_isc_acl *iacl = acl->priv;

	mutex_lock(&itpg->lock);
	list_del(&iacl->node);
	mutex_unlock(&itpg->lock);
	kfree_sensitive(iacl);
}

struct tcm_fabric_ops tcm_isc_ops = {
	.name		= "iSCSI",
	.dir		= "iscsi",
	.owner		= THIS_MODULE,
	.flags		= TCM_FAB_HAS_ENABLE | TCM_FAB_NODE_ACLS | TCM_FAB_PARTIAL_OUT,
	.submit_type	= 1,
	.direct_submit	= 1,
	.add_wwn	= tcm_isc_add_wwn,
	.del_wwn	= tcm_isc_del_wwn,
	.tpg_tag	= tcm_isc_tpg_tag,
	.add_tpg	= tcm_isc_add_tpg,
	.del_tpg	= tcm_isc_del_tpg,
	.enable_tpg	= tcm_isc_enable_tpg,
	.add_acl	= tcm_isc_add_acl,
	.del_acl	= tcm_isc_del_acl,
	.add_np		= tcm_isc_add_np,
	.del_np		= tcm_isc_del_np,
	.write_pending	= tcm_isc_write_pending,
	.data_aborted	= tcm_isc_data_aborted,
	.respond	= tcm_isc_respond,
	.tmf_done	= tcm_isc_tmf_done,
	.for_each_cmd	= tcm_isc_walk_cmds,
	.close_session	= tcm_isc_close_session,
	.root_attrs	= tcm_isc_root_attrs,
	.discovery_attrs = tcm_isc_discovery_attrs,
	.tpg_attrs	= tcm_isc_tpg_attrs,
	.tpg_attrib_attrs = tcm_isc_tpg_attrib_attrs,
	.tpg_param_attrs = tcm_isc_tpg_param_attrs,
	.tpg_auth_attrs	= tcm_isc_tpg_auth_attrs,
	.np_attrs	= tcm_isc_np_attrs,
	.acl_attrs	= tcm_isc_acl_attrs,
	.acl_attrib_attrs = tcm_isc_acl_attrib_attrs,
	.acl_param_attrs = tcm_isc_acl_param_attrs,
	.acl_auth_attrs	= tcm_isc_acl_auth_attrs,
	.wwn_stats	= tcm_isc_wwn_stats,
	.acl_stats	= tcm_isc_acl_stats,
};

static int __init tcm_isc_init(void)
{
	int err = -ENOMEM;

	cpumask_copy(&tcm_isc_cpus, cpu_possible_mask);
	/*
	 * Not WQ_HIGHPRI: an owner that takes the CPU from whoever sends to it finds one PDU each
	 * time, and where initiator and target share a CPU that is a third of the cost of an I/O.
	 */
	tcm_isc_wq = alloc_workqueue("tcm_iscsi", WQ_MEM_RECLAIM, WQ_MAX_ACTIVE);
	if (!tcm_isc_wq)
		return err;
	tcm_isc_slow_wq = alloc_workqueue("tcm_iscsi_slow", WQ_UNBOUND | WQ_MEM_RECLAIM,
					  WQ_MAX_ACTIVE);
	if (!tcm_isc_slow_wq)
		goto destroy_wq;
	err = tcm_fabric_register(&tcm_isc_ops);
	if (!err)
		return 0;
	destroy_workqueue(tcm_isc_slow_wq);
destroy_wq:
	destroy_workqueue(tcm_isc_wq);
	return err;
}

static void __exit tcm_isc_exit(void)
{
	tcm_fabric_unregister(&tcm_isc_ops);
	/* Connections end with their last command, and the core has waited for those. */
	while (!wait_event_timeout(tcm_isc_conns_gone, !atomic_read(&tcm_isc_nr_conns), 10 * HZ))
		pr_warn("tcm: unloading iSCSI waits for %d connections\n",
			atomic_read(&tcm_isc_nr_conns));
	rcu_barrier();
	destroy_workqueue(tcm_isc_wq);
	destroy_workqueue(tcm_isc_slow_wq);
}

module_init(tcm_isc_init);
module_exit(tcm_isc_exit);
MODULE_DESCRIPTION("TCM iSCSI fabric");
MODULE_LICENSE("GPL");
MODULE_VERSION("5.0.0");
