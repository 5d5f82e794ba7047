/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The configfs side: directories that stand for the core's objects. Nothing in core/
 * knows of them.
 *
 * Lifetimes. configfs serialises a directory's removal against its files: once
 * drop_item() runs, no show() or store() of the directory or its default groups runs or will,
 * though files may still be open. So files use the core's object without a
 * reference, drop_item() destroys it, and each group's own memory lasts until
 * its item is released. What is reached by a symlink is not covered: those paths
 * take the lock that is named beside the pointer. Nor is the making of a symlink:
 * configfs lets go of the directory while it looks up the target, so allow_link() may find that
 * rmdir was faster.
 *
 * Locks, outer first: the inode lock of the directory that configfs takes, the subsystem's mutex
 * (mkdir, rmdir), tcm_cfs_lun.lock or tcm_cfs_mlun.lock, tcm_config_mutex, tcm_tpg.lock.
 */
#ifndef _TCM_CFS_H
#define _TCM_CFS_H

#include <linux/configfs.h>
#include <linux/kref.h>
#include <linux/mutex.h>
#include <linux/xarray.h>
#include <tcm/configfs.h>
#include <tcm/fabric.h>

/* What the attributes of a directory are about: the type of tcm_cfs_node.obj */
enum tcm_cfs_kind {
	TCM_CFS_NONE,
	TCM_CFS_HBA,		/* struct tcm_hba */
	TCM_CFS_DEVICE,		/* struct tcm_device */
	TCM_CFS_TG_PT_GP,	/* struct tcm_tg_pt_gp */
	TCM_CFS_LU_GP,		/* struct tcm_lu_gp */
	TCM_CFS_FABRIC,		/* struct tcm_fabric_ops */
	TCM_CFS_WWN,		/* struct tcm_wwn */
	TCM_CFS_TPG,		/* struct tcm_tpg */
	TCM_CFS_LUN,		/* struct tcm_cfs_lun */
	TCM_CFS_ACL,		/* struct tcm_acl */
	TCM_CFS_MLUN,		/* struct tcm_cfs_mlun */
	TCM_CFS_NP,		/* struct tcm_np */
};

/*
 * A fabric's item types: they carry its own attributes, so each fabric has a set. Held
 * by every item that has one of them; holds the fabric's module.
 */
struct tcm_cfs_types {
	struct kref			ref;
	struct tcm_fabric_ops		*ops;
	struct configfs_attribute	**tpg_attrs;	/* the fabric's and the generic ones */
	struct config_item_type		root, discovery, wwn, tpg, attrib, param, auth, np;
	struct config_item_type		acl, acl_attrib, acl_param, acl_auth;
};

/* Every directory, default groups included, is one of these. */
struct tcm_cfs_node {
	struct config_group	group;
	enum tcm_cfs_kind	kind;
	void			*obj;		/* default groups have that of their directory */
	struct tcm_cfs_types	*types;		/* a reference, or NULL */
	struct list_head	grave;		/* see grave.c */
};

/* tpgt_<n>/ and acls/<name>/: LUN numbers that have a directory, whatever its spelling */
struct tcm_cfs_numbers {
	struct tcm_cfs_node	node;
	struct xarray		luns;
};

/* tpgt_<n>/lun/lun_<m>/ */
struct tcm_cfs_lun {
	struct tcm_cfs_node	node;
	struct tcm_tpg		*tpg;		/* NULL after rmdir; the directory's inode lock */
	u64			number;
	/* protects @lun against the link coming or going; held by who reads through it */
	struct mutex		lock;
	struct tcm_lun		*lun;		/* NULL without a link */
};

/* acls/<name>/lun_<m>/ */
struct tcm_cfs_mlun {
	struct tcm_cfs_node	node;
	struct tcm_acl		*acl;		/* NULL after rmdir; the directory's inode lock */
	u64			number;
	/* protects @mlun and @write_protect */
	struct mutex		lock;
	struct tcm_mapped_lun	*mlun;		/* NULL without a link */
	bool			write_protect;	/* as last written */
};

static inline struct tcm_cfs_node *tcm_cfs_node(struct config_item *item)
{
	return container_of(to_config_group(item), struct tcm_cfs_node, group);
}

static inline struct tcm_cfs_node *tcm_group_node(struct config_group *group)
{
	return container_of(group, struct tcm_cfs_node, group);
}

/* The object of a directory or of one of its default groups */
static inline struct tcm_device *tcm_item_dev(struct config_item *item)
{
	return tcm_cfs_node(item)->obj;
}

/* ---- node.c ---- */

/* A directory of default groups only, or an empty one */
extern const struct config_item_type tcm_cfs_empty_type;
/* statistics/: mkdir says -ENOSYS */
extern const struct config_item_type tcm_cfs_stats_type;
extern struct configfs_group_operations tcm_stats_group_ops;

/*
 * Make the memory of a directory: @size bytes, starting with a struct tcm_cfs_node. Its
 * first reference is the caller's, for configfs.
 */
void *tcm_cfs_alloc(size_t size, const char *name, const struct config_item_type *type,
		    enum tcm_cfs_kind kind, void *obj, struct tcm_cfs_types *types);
/* Add a default group with the object of its directory; NULL: no memory. */
struct tcm_cfs_node *tcm_cfs_add(struct tcm_cfs_node *dir, const char *name,
				 const struct config_item_type *type);

/* A default group and those below it */
struct tcm_cfs_sub {
	const char			*name;
	const struct config_item_type	*type;
	const struct tcm_cfs_sub	*subs;	/* ends with an entry without a name */
};

/* -ENOMEM; what was added goes with @dir */
int tcm_cfs_add_subs(struct tcm_cfs_node *dir, const struct tcm_cfs_sub *subs);
/* Give back a directory that was not handed to configfs. */
void tcm_cfs_discard(struct tcm_cfs_node *dir);

void tcm_cfs_release(struct config_item *item);
void tcm_cfs_types_put(struct tcm_cfs_types *types);

/* ---- grave.c ---- */

/* The end of drop_item(): the directory's reference goes when nobody can come by its name. */
void tcm_cfs_bury(struct config_item *item);
/* Is this the target of a symlink that came too late? */
bool tcm_cfs_is_buried(const struct config_item *item);
/* The module goes, no directory is left. */
void tcm_cfs_empty_graves(void);

/*
 * Names become text in other files: -EINVAL for control characters and what is not
 * UTF-8.
 */
int tcm_cfs_check_name(const char *name);
/* lun_<n>: -EINVAL, -ERANGE */
int tcm_cfs_lun_number(const char *name, u64 *number);

/* ---- text.c ---- */

/* Replace what is not UTF-8; the file is read as text. Return: @len. */
ssize_t tcm_text_clean(char *text, ssize_t len);
/*
 * Append a line to the @len bytes of @page if there is room for all of it: half a line is none
 * to who parses the file. Return: the new length.
 */
ssize_t __printf(3, 4) tcm_text_line(char *page, ssize_t len, const char *fmt, ...);
/*
 * Copy what was written, without white space around it. -EINVAL: not UTF-8, or a zero byte;
 * -EOVERFLOW: more than @size - 1 bytes.
 */
int tcm_text_take(const char *page, size_t count, char *buf, size_t size);
/* A number in base 8, 10 or 16. -EINVAL, -ERANGE: more than @max */
int tcm_text_uint(const char *page, size_t count, u64 max, u64 *value);
int tcm_text_bool(const char *page, size_t count, u64 *value);

/* ---- the directories: what one file has and others put into their tables ---- */

extern const struct config_item_type tcm_device_type, tcm_dev_attrib_type;
extern const struct config_item_type tcm_dev_attrib_pass_type, tcm_dev_wwn_type;
extern const struct config_item_type tcm_dev_pr_type, tcm_dev_alua_type, tcm_lu_gps_type;
extern const struct config_item_type tcm_luns_type, tcm_acls_type, tcm_nps_type, tcm_lun_type;
extern const struct config_item_type tcm_no_nps_type;
extern const struct tcm_cfs_sub tcm_dev_stat_subs[], tcm_lun_stat_subs[], tcm_mlun_stat_subs[];
extern struct configfs_attribute *tcm_tpg_generic_attrs[], tcm_tpg_attr_enable;
extern struct configfs_attribute tcm_device_attr_lba_map;
extern struct configfs_group_operations tcm_core_group_ops, tcm_root_group_ops;
extern struct configfs_group_operations tcm_fabric_group_ops, tcm_wwn_group_ops;
extern struct configfs_group_operations tcm_acl_group_ops;

/* The device behind a symlink's target, with a reference; -EFAULT, or -ENODEV when it goes. */
struct tcm_device *tcm_cfs_link_device(struct config_item *item);
/* rmdir of a device */
void tcm_hba_drop_device(struct config_group *group, struct config_item *item);
/* Groups that the kernel makes */
struct tcm_cfs_node *tcm_cfs_add_default_tg_pt_gp(struct tcm_cfs_node *alua,
						  struct tcm_device *dev);
int tcm_cfs_add_default_lu_gp(struct tcm_cfs_node *lu_gps);
/* fabric_statistics/ of a target and of an ACL */
int tcm_cfs_add_fabric_stats(struct tcm_cfs_node *dir, const struct tcm_attr_group *groups);
/* The directories of objects that were made */
struct config_group *tcm_cfs_make_wwn(struct tcm_cfs_types *types, struct tcm_wwn *wwn,
				      const char *name);
struct config_group *tcm_cfs_make_tpg(struct tcm_cfs_types *types, struct tcm_tpg *tpg,
				      const char *name);

#endif
