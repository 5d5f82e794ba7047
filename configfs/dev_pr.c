// SPDX-License-Identifier: GPL-2.0-only
/*
 * pr/ of a device (configfs contract, section 5.2). Nothing is ever reserved yet: the files
 * read as they do when idle, and what a restore says of registrations is kept.
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

static ssize_t tcm_pr_line(char *page, const struct tcm_device *dev, const char *idle)
{
	return sysfs_emit(page, "%s\n", tcm_pr_off(dev) ? "SPC_RESERVATIONS_DISABLED" : idle);
}

static ssize_t tcm_pr_res_holder_show(struct config_item *item, char *page)
{
	struct tcm_device *dev = tcm_item_dev(item);

	return tcm_pr_line(page, dev, tcm_pr_passed(dev) ? "Passthrough" :
			   "No SPC-3 Reservation holder");
}
CONFIGFS_ATTR_RO(tcm_pr_, res_holder);

#define TCM_PR_NO_HOLDER(name)								\
static ssize_t tcm_pr_##name##_show(struct config_item *item, char *page)		\
{											\
	return tcm_pr_line(page, tcm_item_dev(item), "No SPC-3 Reservation holder");	\
}											\
CONFIGFS_ATTR_RO(tcm_pr_, name)

TCM_PR_NO_HOLDER(res_pr_all_tgt_pts);
TCM_PR_NO_HOLDER(res_pr_holder_tg_port);
TCM_PR_NO_HOLDER(res_pr_type);

static ssize_t tcm_pr_res_pr_generation_show(struct config_item *item, char *page)
{
	struct tcm_device *dev = tcm_item_dev(item);

	if (tcm_pr_off(dev))
		return tcm_pr_line(page, dev, "");
	return sysfs_emit(page, "0x%08x\n", READ_ONCE(dev->pr->generation));
}
CONFIGFS_ATTR_RO(tcm_pr_, res_pr_generation);

static ssize_t tcm_pr_res_pr_registered_i_pts_show(struct config_item *item, char *page)
{
	return tcm_pr_line(page, tcm_item_dev(item), "SPC-3 PR Registrations:\nNone");
}
CONFIGFS_ATTR_RO(tcm_pr_, res_pr_registered_i_pts);

static ssize_t tcm_pr_res_type_show(struct config_item *item, char *page)
{
	struct tcm_device *dev = tcm_item_dev(item);

	return tcm_pr_line(page, dev, tcm_pr_passed(dev) ? "SPC_PASSTHROUGH" :
			   "SPC3_PERSISTENT_RESERVATIONS");
}
CONFIGFS_ATTR_RO(tcm_pr_, res_type);

static ssize_t tcm_pr_res_aptpl_active_show(struct config_item *item, char *page)
{
	struct tcm_device *dev = tcm_item_dev(item);

	if (tcm_pr_off(dev) || tcm_pr_passed(dev))
		return 0;
	return sysfs_emit(page, "APTPL Bit Status: %s\n",
			  READ_ONCE(dev->pr->aptpl_active) ? "Activated" : "Disabled");
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
	err = tcm_aptpl_int(value, &n);
	if (err)
		return err;
	if (!strcmp(key, "tpgt")) {
		if (n < 0 || n > U16_MAX)
			return -ERANGE;
		p->reg.tpgt = n;
	} else if (!strcmp(key, "res_holder")) {
		p->reg.holder = n;
	} else if (!strcmp(key, "res_all_tg_pt")) {
		p->reg.all_tg_pt = n;
	} else {
		p->reg.type = n;
		p->has_type = n;
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

	if (tcm_pr_off(dev) || tcm_pr_passed(dev))
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
