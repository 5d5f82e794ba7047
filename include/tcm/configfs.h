/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * For a fabric's own attributes: from the configfs item of a directory to the
 * object it stands for. Rows are made with tcm_cfs_* macros of the fabric's choice or
 * plain CONFIGFS_ATTR().
 */
#ifndef _TCM_CONFIGFS_H
#define _TCM_CONFIGFS_H

#include <linux/configfs.h>
#include <tcm/target.h>

/* ct_item_ops of a type whose groups the core allocates (struct tcm_attr_group) */
extern struct configfs_item_operations tcm_item_ops;

/**
 * tcm_item_wwn - the target of an attribute in <wwn>/ or its fabric_statistics/
 * @item: as configfs passes it to show and store
 *
 * The object is valid until show or store returns: configfs keeps rmdir out. So
 * it is with the others. Context: show and store only.
 */
struct tcm_wwn *tcm_item_wwn(struct config_item *item);

/**
 * tcm_item_tpg - the portal group of an attribute in tpgt_<n>/, or in its attrib/, param/, auth/
 * @item: as configfs passes it to show and store
 */
struct tcm_tpg *tcm_item_tpg(struct config_item *item);

/**
 * tcm_item_acl - the ACL of an attribute in acls/<name>/, or in its attrib/, param/, auth/ or
 * fabric_statistics/
 * @item: as configfs passes it to show and store
 */
struct tcm_acl *tcm_item_acl(struct config_item *item);

/**
 * tcm_item_np - the network portal of an attribute in np/<name>/
 * @item: as configfs passes it to show and store
 */
struct tcm_np *tcm_item_np(struct config_item *item);

/**
 * tcm_cfs_refuse - say in the log why something was refused
 * @item: as configfs passes it to show and store, or the directory in which a name was refused
 * @name: the attribute, or the name that was to be made
 * @err: negative errno
 * @why: what the person is to know; NULL: nothing but what @err says
 *
 * Each refusal has one line: the path below target/, @name, @why and @err. Context: may sleep.
 *
 * Return: @err.
 */
int tcm_cfs_refuse(struct config_item *item, const char *name, int err, const char *why);

/**
 * tcm_text_is_utf8 - may this be read back from a file?
 * @text: what was written
 * @len: bytes of it
 *
 * Programs that read the tree insist on UTF-8. Context: any. Return: true when it is.
 */
bool tcm_text_is_utf8(const char *text, size_t len);

#endif
