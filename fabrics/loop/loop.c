// SPDX-License-Identifier: GPL-2.0-only
/*
 * Loopback: exports LUNs to the machine they are on. A target is a SCSI host, a
 * portal group a SCSI target, a LUN link makes /dev/sdX appear.
 */
#include <compat/scsi_host.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <scsi/scsi_device.h>
#include <tcm/fabric.h>
#include "loop.h"

static unsigned int nr_hw_queues;
module_param(nr_hw_queues, uint, 0644);
MODULE_PARM_DESC(nr_hw_queues, "hardware queues of new hosts (0: one for each CPU)");
static unsigned int can_queue = 1024;
module_param(can_queue, uint, 0644);
MODULE_PARM_DESC(can_queue, "commands of a host at a time");
static unsigned int cmd_per_lun = 1024;
module_param(cmd_per_lun, uint, 0644);
MODULE_PARM_DESC(cmd_per_lun, "commands of a LUN at a time");

/*
 * The SCSI layer does more for each command of a host that carries protection information, also
 * where the disk has none: so that is a choice. Without it the target makes and checks it.
 */
static bool protection;
module_param(protection, bool, 0644);
MODULE_PARM_DESC(protection, "new hosts carry protection information (T10 DIF and DIX)");

static struct device *tcm_loop_root;
static tcm_bus_type tcm_loop_bus = { .name = "tcm_loop_bus" };
static atomic_t tcm_loop_count = ATOMIC_INIT(0);

static int tcm_loop_link_lun(struct tcm_lun *lun, bool link)
{
	struct tcm_loop_tpg *ltpg = lun->tpg->priv;

	return tcm_loop_scan(ltpg, lun->lun, link);
}

static void tcm_loop_scan_all(struct tcm_loop_tpg *ltpg)
{
	unsigned long number;
	struct tcm_lun *lun;

	xa_for_each(&ltpg->tpg->luns, number, lun)
		tcm_loop_scan(ltpg, number, true);
}

static void tcm_loop_free_tpg(struct kref *ref)
{
	struct tcm_loop_tpg *ltpg = container_of(ref, struct tcm_loop_tpg, ref);

	scsi_host_put(ltpg->host);
	kfree_rcu(ltpg, rcu);
}

/* The last command of the nexus is back, nobody walks its commands any more. */
static void tcm_loop_nexus_released(struct tcm_session *sess)
{
	struct tcm_loop_tpg *ltpg = sess->priv;

	kref_put(&ltpg->ref, tcm_loop_free_tpg);
}

int tcm_loop_nexus_add(struct tcm_loop_tpg *ltpg, const char *name)
{
	struct tcm_session *sess;
	int err = 0;

	mutex_lock(&ltpg->lock);
	sess = rcu_dereference_protected(ltpg->sess, lockdep_is_held(&ltpg->lock));
	if (sess) {
		/* What was read can be written back. */
		err = strcmp(sess->name, name) ? -EEXIST : 0;
		mutex_unlock(&ltpg->lock);
		return err;
	}
	sess = tcm_session_create(ltpg->tpg, name, NULL, TCM_DEMO_READ_WRITE, ltpg);
	if (IS_ERR(sess)) {
		err = PTR_ERR(sess);
	} else {
		kref_get(&ltpg->ref);
		rcu_assign_pointer(ltpg->sess, sess);
	}
	mutex_unlock(&ltpg->lock);
	/* LUNs that were linked before there was a nexus become visible now. */
	if (!err)
		tcm_loop_scan_all(ltpg);
	return err;
}

int tcm_loop_nexus_del(struct tcm_loop_tpg *ltpg, bool force)
{
	struct tcm_session *sess;
	int err = 0;

	mutex_lock(&ltpg->lock);
	sess = rcu_dereference_protected(ltpg->sess, lockdep_is_held(&ltpg->lock));
	if (!sess)
		err = -ENODEV;
	else if (!force && !xa_empty(&ltpg->tpg->luns))
		err = -EPERM;
	else
		RCU_INIT_POINTER(ltpg->sess, NULL);
	mutex_unlock(&ltpg->lock);
	if (!err)
		tcm_session_close(sess, tcm_loop_nexus_released);
	return err;
}

static void tcm_loop_close_session(struct tcm_session *sess)
{
	tcm_loop_nexus_del(sess->priv, true);
}

static void tcm_loop_tmf_done(struct tcm_tmf *tmf)
{
}

static int tcm_loop_add_tpg(struct tcm_tpg *tpg)
{
	struct tcm_loop *loop = tpg->wwn->priv;
	struct tcm_loop_tpg *ltpg;

	if (tpg->tag >= TCM_LOOP_TPGS)
		return -EINVAL;
	ltpg = kzalloc(sizeof(*ltpg), GFP_KERNEL);
	if (!ltpg)
		return -ENOMEM;
	ltpg->loop = loop;
	ltpg->tpg = tpg;
	ltpg->host = scsi_host_get(loop->host);
	kref_init(&ltpg->ref);
	mutex_init(&ltpg->lock);
	tpg->priv = ltpg;
	rcu_assign_pointer(loop->tpgs[tpg->tag], ltpg);
	return 0;
}

static void tcm_loop_del_tpg(struct tcm_tpg *tpg)
{
	struct tcm_loop_tpg *ltpg = tpg->priv;

	RCU_INIT_POINTER(ltpg->loop->tpgs[tpg->tag], NULL);
	tcm_loop_nexus_del(ltpg, true);
	kref_put(&ltpg->ref, tcm_loop_free_tpg);
}

/* To SCSI a Fibre Channel port has its bare name. */
static void tcm_loop_set_fc(struct tcm_wwn *wwn)
{
	wwn->proto = TCM_PROTO_FCP;
	wwn->scsi_name = wwn->name + strlen("fc.");
}

static int tcm_loop_set_proto(struct tcm_wwn *wwn)
{
	if (strstr(wwn->name, "naa."))
		wwn->proto = TCM_PROTO_SAS;
	else if (strstr(wwn->name, "fc."))
		tcm_loop_set_fc(wwn);
	else if (strstr(wwn->name, "iqn."))
		wwn->proto = TCM_PROTO_ISCSI;
	else
		return -EINVAL;
	return 0;
}

static void tcm_loop_release(struct device *dev)
{
	struct tcm_loop *loop = container_of(dev, struct tcm_loop, dev);

	kfree(loop);
}

#define TCM_LOOP_PROT	(SHOST_DIF_TYPE1_PROTECTION | SHOST_DIF_TYPE2_PROTECTION |	\
			 SHOST_DIF_TYPE3_PROTECTION | SHOST_DIX_TYPE1_PROTECTION |	\
			 SHOST_DIX_TYPE2_PROTECTION | SHOST_DIX_TYPE3_PROTECTION)

static int tcm_loop_add_host(struct tcm_loop *loop)
{
	bool pi = READ_ONCE(protection);
	struct Scsi_Host *host;
	int err;

	host = scsi_host_alloc(pi ? &tcm_loop_pi_template : &tcm_loop_template, sizeof(loop));
	if (!host)
		return -ENOMEM;
	*(struct tcm_loop **)shost_priv(host) = loop;
	host->max_id = TCM_LOOP_TPGS;
	host->max_lun = ~0ULL;
	host->max_cmd_len = 32;
	host->max_channel = 0;
	host->can_queue = can_queue ?: 1;
	host->cmd_per_lun = min_t(unsigned int, cmd_per_lun ?: 1, S16_MAX);
	host->nr_hw_queues = nr_hw_queues ?: num_online_cpus();
	if (pi) {
		scsi_host_set_prot(host, TCM_LOOP_PROT);
		scsi_host_set_guard(host, SHOST_DIX_GUARD_CRC);
	}
	err = tcm_add_blocking_host(host, &loop->dev);
	if (err) {
		scsi_host_put(host);
		return err;
	}
	loop->host = host;
	return 0;
}

static int tcm_loop_add_wwn(struct tcm_wwn *wwn)
{
	struct tcm_loop *loop;
	int err;

	err = tcm_loop_set_proto(wwn);
	if (err)
		return err;
	loop = kzalloc(sizeof(*loop), GFP_KERNEL);
	if (!loop)
		return -ENOMEM;
	loop->wwn = wwn;
	spin_lock_init(&loop->scan_lock);
	INIT_LIST_HEAD(&loop->scans);
	device_initialize(&loop->dev);
	loop->dev.bus = &tcm_loop_bus;
	loop->dev.parent = tcm_loop_root;
	loop->dev.release = tcm_loop_release;
	err = dev_set_name(&loop->dev, "tcm_loop_adapter_%d",
			   atomic_inc_return(&tcm_loop_count) - 1);
	if (!err)
		err = device_add(&loop->dev);
	if (err)
		goto put_device;
	err = tcm_loop_add_host(loop);
	if (err)
		goto del_device;
	tcm_loop_host_added(loop);
	wwn->priv = loop;
	return 0;

del_device:
	device_del(&loop->dev);
put_device:
	put_device(&loop->dev);
	return err;
}

static void tcm_loop_del_wwn(struct tcm_wwn *wwn)
{
	tcm_loop_remove_host(wwn->priv);
}

static struct tcm_fabric_ops tcm_loop_ops = {
	.name		= "loopback",
	.owner		= THIS_MODULE,
	.flags		= TCM_FAB_BORROWS_MEMORY,
	.submit_type	= 2,
	.add_wwn	= tcm_loop_add_wwn,
	.del_wwn	= tcm_loop_del_wwn,
	.add_tpg	= tcm_loop_add_tpg,
	.del_tpg	= tcm_loop_del_tpg,
	.link_lun	= tcm_loop_link_lun,
	.respond	= tcm_loop_respond,
	.tmf_done	= tcm_loop_tmf_done,
	.for_each_cmd	= tcm_loop_visit_cmds,
	.close_session	= tcm_loop_close_session,
	.root_attrs	= tcm_loop_root_attrs,
	.tpg_attrs	= tcm_loop_tpg_attrs,
	.tpg_attrib_attrs = tcm_loop_attrib_attrs,
};

static int __init tcm_loop_init(void)
{
	int err;

	err = tcm_loop_scan_init();
	if (err)
		return err;
	tcm_loop_init_templates();
	tcm_loop_root = root_device_register("tcm_loop_0");
	if (IS_ERR(tcm_loop_root)) {
		err = PTR_ERR(tcm_loop_root);
		goto exit_scan;
	}
	err = bus_register(&tcm_loop_bus);
	if (err)
		goto unregister_root;
	err = tcm_fabric_register(&tcm_loop_ops);
	if (err)
		goto unregister_bus;
	return 0;

unregister_bus:
	bus_unregister(&tcm_loop_bus);
unregister_root:
	root_device_unregister(tcm_loop_root);
exit_scan:
	tcm_loop_scan_exit();
	return err;
}

static void __exit tcm_loop_exit(void)
{
	tcm_fabric_unregister(&tcm_loop_ops);
	tcm_loop_scan_exit();
	bus_unregister(&tcm_loop_bus);
	root_device_unregister(tcm_loop_root);
}

module_init(tcm_loop_init);
module_exit(tcm_loop_exit);
MODULE_DESCRIPTION("TCM loopback fabric");
MODULE_LICENSE("GPL");
MODULE_VERSION("5.0.0");
