// SPDX-License-Identifier: GPL-2.0-only
/*
 * pr/ of a device (configfs contract, section 5.2): who has registered, who holds a reservation,
 * and what a restore says of registrations that outlived a power cycle.
 */
#include <linux/kstrtox.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>
#include "../core/pr.h"
#include "attr.h"

static bool tcm_pr_off(const struct tcm_device *dev)
{
	return !READ_ONCE(dev->attr.emulate_pr);
}

/* The device keeps its own reservations. */
static bool tcm_pr_passed(const struct tcm_device *dev)
{
	return !READ_ONCE(dev->attr.pgr_support);
}

static ssize_t tcm_pr_line(char *page, const char *text)
{
	return sysfs_emit(page, "%s\n", text);
}

/* The same answer in every file while the device does not keep reservations */
#define TCM_PR_OFF	"SPC_RESERVATIONS_DISABLED"
#define TCM_PR_IDLE	"No SPC-3 Reservation holder"

/* The registration that holds the reservation, with all registrants the first */
static const struct tcm_pr_reg *tcm_pr_holder(const struct tcm_pr *pr)
{
	const struct tcm_pr_state *st = pr->state;

	lockdep_assert_held(&pr->lock);
	if (!st->type || !st->n)
		return NULL;
	return &st->reg[max(st->holder, 0)];
}

/* Names of an initiator port */
static int tcm_pr_emit_port(char *page, int at, const char *before, const struct tcm_pr_nexus *n,
			    const char *between)
{
	int len = sysfs_emit_at(page, at, "%s%s%s%s", before, n->fabric, between, n->initiator);

	if (n->has_isid)
		len += sysfs_emit_at(page, at + len, ",i,0x%*phN", TCM_PR_ISID_LEN, n->isid);
	return len;
}

static int tcm_pr_emit_holder(char *page, struct tcm_device *dev)
{
	struct tcm_pr *pr = dev->pr;
	const struct tcm_pr_reg *reg;
	int len = 0;

	spin_lock_irq(&dev->lun_lock);
	if (pr->spc2)
		len = sysfs_emit(page, "SPC-2 Reservation: %s Initiator: %s\n",
				 pr->spc2->ops->name, pr->spc2->name);
	spin_unlock_irq(&dev->lun_lock);
	if (len)
		return len;
	mutex_lock(&pr->lock);
	reg = tcm_pr_holder(pr);
	if (reg) {
		len = tcm_pr_emit_port(page, 0, "SPC-3 Reservation: ", &reg->nexus,
				       " Initiator: ");
		len += sysfs_emit_at(page, len, "\n");
	}
	mutex_unlock(&pr->lock);
	return len ?: tcm_pr_line(page, TCM_PR_IDLE);
}

static ssize_t tcm_pr_res_holder_show(struct config_item *item, char *page)
{
	struct tcm_device *dev = tcm_item_dev(item);

	if (tcm_pr_off(dev))
		return tcm_pr_line(page, TCM_PR_OFF);
	if (tcm_pr_passed(dev))
		return tcm_pr_line(page, "Passthrough");
	return tcm_pr_emit_holder(page, dev);
}
CONFIGFS_ATTR_RO(tcm_pr_, res_holder);

static int tcm_pr_emit_all_tgt_pts(char *page, struct tcm_device *dev,
				   const struct tcm_pr_reg *reg)
{
	return sysfs_emit(page, "SPC-3 Reservation: %s Target Port%s registration\n",
			  reg->all_tg_pt ? "All" : "Single", reg->all_tg_pt ? "s" : "");
}

static int tcm_pr_emit_tg_port(char *page, struct tcm_device *dev, const struct tcm_pr_reg *reg)
{
	const struct tcm_pr_nexus *n = &reg->nexus;

	return sysfs_emit(page, "SPC-3 Reservation: %s Target Node Endpoint: %s\n"
			  "SPC-3 Reservation: Relative Port Identifier Tag: %u %s Portal Group Tag: %u %s Logical Unit: %llu\n",
			  n->fabric, n->target, tcm_pr_rtpi(dev, reg), n->fabric, n->tpgt,
			  n->fabric, reg->target_lun);
}

static int tcm_pr_emit_type(char *page, struct tcm_device *dev, const struct tcm_pr_reg *reg)
{
	static const char *const names[] = {
		[TCM_PR_WRITE_EXCLUSIVE]	= "Write Exclusive Access",
		[TCM_PR_EXCLUSIVE_ACCESS]	= "Exclusive Access",
		[TCM_PR_WRITE_EXCLUSIVE_RO]	= "Write Exclusive Access, Registrants Only",
		[TCM_PR_EXCLUSIVE_ACCESS_RO]	= "Exclusive Access, Registrants Only",
		[TCM_PR_WRITE_EXCLUSIVE_AR]	= "Write Exclusive Access, All Registrants",
		[TCM_PR_EXCLUSIVE_ACCESS_AR]	= "Exclusive Access, All Registrants",
	};

	return sysfs_emit(page, "SPC-3 Reservation Type: %s\n",
			  names[dev->pr->state->type] ?: "Unknown SPC-3 PR Type");
}

/* A file that tells of the holder of a persistent reservation, or that there is none */
static ssize_t tcm_pr_of_holder(struct config_item *item, char *page,
				int (*emit)(char *page, struct tcm_device *dev,
					    const struct tcm_pr_reg *reg))
{
	struct tcm_device *dev = tcm_item_dev(item);
	const struct tcm_pr_reg *reg;
	int len;

	if (tcm_pr_off(dev))
		return tcm_pr_line(page, TCM_PR_OFF);
	mutex_lock(&dev->pr->lock);
	reg = tcm_pr_holder(dev->pr);
	len = reg ? emit(page, dev, reg) : tcm_pr_line(page, TCM_PR_IDLE);
	mutex_unlock(&dev->pr->lock);
	return len;
}

#define TCM_PR_OF_HOLDER(name, emit)							\
static ssize_t tcm_pr_##name##_show(struct config_item *item, char *page)		\
{											\
	return tcm_pr_of_holder(item, page, emit);					\
}											\
CONFIGFS_ATTR_RO(tcm_pr_, name)

TCM_PR_OF_HOLDER(res_pr_all_tgt_pts, tcm_pr_emit_all_tgt_pts);
TCM_PR_OF_HOLDER(res_pr_holder_tg_port, tcm_pr_emit_tg_port);
TCM_PR_OF_HOLDER(res_pr_type, tcm_pr_emit_type);

static ssize_t tcm_pr_res_pr_generation_show(struct config_item *item, char *page)
{
	struct tcm_device *dev = tcm_item_dev(item);
	ssize_t len;

	if (tcm_pr_off(dev))
		return tcm_pr_line(page, TCM_PR_OFF);
	mutex_lock(&dev->pr->lock);
	len = sysfs_emit(page, "0x%08x\n", dev->pr->state->generation);
	mutex_unlock(&dev->pr->lock);
	return len;
}
CONFIGFS_ATTR_RO(tcm_pr_, res_pr_generation);

static ssize_t tcm_pr_res_pr_registered_i_pts_show(struct config_item *item, char *page)
{
	struct tcm_device *dev = tcm_item_dev(item);
	const struct tcm_pr_state *st;
	unsigned int i;
	int len;

	if (tcm_pr_off(dev))
		return tcm_pr_line(page, TCM_PR_OFF);
	len = sysfs_emit(page, "SPC-3 PR Registrations:\n");
	mutex_lock(&dev->pr->lock);
	st = dev->pr->state;
	/* What does not fit into the page is not shown, and no line is cut. */
	for (i = 0; i < st->n && len < PAGE_SIZE - 2 * TCM_NAME_MAX; i++) {
		len += tcm_pr_emit_port(page, len, "", &st->reg[i].nexus, " Node: ");
		len += sysfs_emit_at(page, len, " Key: 0x%016llx PRgen: 0x%08x\n", st->reg[i].key,
				     st->reg[i].generation);
	}
	if (!st->n)
		len += sysfs_emit_at(page, len, "None\n");
	mutex_unlock(&dev->pr->lock);
	return len;
}
CONFIGFS_ATTR_RO(tcm_pr_, res_pr_registered_i_pts);

static ssize_t tcm_pr_res_type_show(struct config_item *item, char *page)
{
	struct tcm_device *dev = tcm_item_dev(item);

	if (tcm_pr_off(dev))
		return tcm_pr_line(page, TCM_PR_OFF);
	if (tcm_pr_passed(dev))
		return tcm_pr_line(page, "SPC_PASSTHROUGH");
	return tcm_pr_line(page, READ_ONCE(dev->pr->spc2) ? "SPC2_RESERVATIONS" :
			   "SPC3_PERSISTENT_RESERVATIONS");
}
CONFIGFS_ATTR_RO(tcm_pr_, res_type);

static ssize_t tcm_pr_res_aptpl_active_show(struct config_item *item, char *page)
{
	struct tcm_device *dev = tcm_item_dev(item);
	bool active;

	if (tcm_pr_off(dev) || tcm_pr_passed(dev))
		return 0;
	mutex_lock(&dev->pr->lock);
	active = dev->pr->state->aptpl;
	mutex_unlock(&dev->pr->lock);
	return sysfs_emit(page, "APTPL Bit Status: %s\n", active ? "Activated" : "Disabled");
}
CONFIGFS_ATTR_RO(tcm_pr_, res_aptpl_active);

static ssize_t tcm_pr_res_aptpl_metadata_show(struct config_item *item, char *page)
{
	struct tcm_device *dev = tcm_item_dev(item);

	if (tcm_pr_off(dev) || tcm_pr_passed(dev))
		return 0;
	return sysfs_emit(page, "Ready to process PR APTPL metadata..\n");
}

/* What one write of res_aptpl_metadata has told so far */
struct tcm_aptpl_parse {
	struct tcm_pr_aptpl	reg;
	bool			has_key, has_type;
};

static int tcm_aptpl_text(char *to, size_t size, const char *value)
{
	return strscpy(to, value, size) < 0 ? -EINVAL : 0;
}

/* Written in hexadecimal, always: "08" is a type, too. */
static int tcm_aptpl_type(struct tcm_aptpl_parse *p, const char *value)
{
	unsigned int type = 0;
	int err = kstrtouint(value, 16, &type);

	p->reg.type = min(type, 255U);
	p->has_type = type;
	return err;
}

static int tcm_aptpl_int(const char *value, int *n)
{
	return kstrtoint(value, 0, n);
}

static int tcm_aptpl_strings(struct tcm_aptpl_parse *p, const char *key, const char *value)
{
	struct tcm_pr_aptpl *reg = &p->reg;

	if (!strcmp(key, "initiator_fabric"))
		return tcm_aptpl_text(reg->fabric, sizeof(reg->fabric), value);
	if (!strcmp(key, "initiator_node"))
		return tcm_aptpl_text(reg->initiator, sizeof(reg->initiator), value);
	if (!strcmp(key, "initiator_sid"))
		return tcm_aptpl_text(reg->isid, sizeof(reg->isid), value);
	if (!strcmp(key, "target_fabric"))
		return tcm_aptpl_text(reg->target_fabric, sizeof(reg->target_fabric), value);
	if (!strcmp(key, "target_node"))
		return tcm_aptpl_text(reg->target, sizeof(reg->target), value);
	return -ENOENT;
}

static int tcm_aptpl_flags(struct tcm_aptpl_parse *p, const char *key, const char *value)
{
	int n, err;

	if (strcmp(key, "res_holder") && strcmp(key, "res_type") &&
	    strcmp(key, "res_all_tg_pt") && strcmp(key, "tpgt"))
		return -ENOENT;
	if (!strcmp(key, "res_type"))
		return tcm_aptpl_type(p, value);
	err = tcm_aptpl_int(value, &n);
	if (err)
		return err;
	if (!strcmp(key, "tpgt")) {
		if (n < 0 || n > U16_MAX)
			return -ERANGE;
		p->reg.tpgt = n;
	} else if (!strcmp(key, "res_holder")) {
		p->reg.holder = n;
	} else {
		p->reg.all_tg_pt = n;
	}
	return 0;
}

/*
 * Keys that are not known, and bare words, are passed over: who writes them splits a file
 * at its spaces.
 */
static int tcm_aptpl_token(struct tcm_aptpl_parse *p, char *token)
{
	char *value = strchr(token, '=');
	int err;

	if (!value)
		return 0;
	*value++ = '\0';
	if (!strcmp(token, "sa_res_key")) {
		p->has_key = true;
		return kstrtou64(value, 0, &p->reg.key);
	}
	if (!strcmp(token, "mapped_lun"))
		return kstrtou64(value, 0, &p->reg.mapped_lun);
	if (!strcmp(token, "target_lun"))
		return kstrtou64(value, 0, &p->reg.target_lun);
	err = tcm_aptpl_strings(p, token, value);
	if (err == -ENOENT)
		err = tcm_aptpl_flags(p, token, value);
	return err == -ENOENT ? 0 : err;
}

static int tcm_aptpl_parse(struct tcm_aptpl_parse *p, char *text, const char **why)
{
	char *token;
	int err;

	while ((token = strsep(&text, ",\n"))) {
		err = tcm_aptpl_token(p, token);
		if (err) {
			*why = "a value cannot be read";
			return err;
		}
	}
	if (!*p->reg.initiator || !*p->reg.target || !p->has_key || !p->reg.key) {
		*why = "needs initiator_node, target_node and sa_res_key";
		return -EINVAL;
	}
	if (p->reg.holder && !p->has_type) {
		*why = "a holder needs res_type";
		return -EINVAL;
	}
	return 0;
}

static int tcm_aptpl_store(struct tcm_device *dev, const char *page, size_t count,
			   const char **why)
{
	struct tcm_aptpl_parse *p;
	char *text;
	int err;

	if (memchr(page, 0, count) || !tcm_text_is_utf8(page, count)) {
		*why = "not text in UTF-8";
		return -EINVAL;
	}
	p = kzalloc(sizeof(*p), GFP_KERNEL);
	text = kmemdup_nul(page, count, GFP_KERNEL);
	err = p && text ? tcm_aptpl_parse(p, text, why) : -ENOMEM;
	if (!err)
		err = tcm_pr_aptpl_add(dev, &p->reg, why);
	kfree(text);
	kfree(p);
	return err;
}

static ssize_t tcm_pr_res_aptpl_metadata_store(struct config_item *item, const char *page,
					       size_t count)
{
	struct tcm_device *dev = tcm_item_dev(item);
	const char *why = NULL;
	int err;

	if (tcm_pr_off(dev) || tcm_pr_passed(dev) || READ_ONCE(dev->pr->spc2))
		return count;
	err = tcm_aptpl_store(dev, page, count, &why);
	return tcm_stored(item, "res_aptpl_metadata", count, err, why);
}
CONFIGFS_ATTR(tcm_pr_, res_aptpl_metadata);

static struct configfs_attribute *tcm_pr_attrs[] = {
	TCM_ROW(pr, res_holder),
	TCM_ROW(pr, res_pr_all_tgt_pts),
	TCM_ROW(pr, res_pr_generation),
	TCM_ROW(pr, res_pr_holder_tg_port),
	TCM_ROW(pr, res_pr_registered_i_pts),
	TCM_ROW(pr, res_pr_type),
	TCM_ROW(pr, res_type),
	TCM_ROW(pr, res_aptpl_active),
	TCM_ROW(pr, res_aptpl_metadata),
	NULL
};

const struct config_item_type tcm_dev_pr_type = {
	.ct_item_ops	= &tcm_item_ops,
	.ct_attrs	= tcm_pr_attrs,
	.ct_owner	= THIS_MODULE,
};
