// SPDX-License-Identifier: GPL-2.0-only
/*
 * Files below dbroot that are replaced as a whole: written beside, synced, renamed, and the
 * folder synced.
 */
#include <linux/ctype.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/mount.h>
#include <linux/namei.h>
#include <linux/slab.h>
#include <linux/string.h>
#include "dbroot.h"

#define TCM_DBROOT_NEW	".new"

/* A slash, a control character and a dot that would hide the file stand as %XX. */
static char *tcm_dbroot_name(const char *name, const char *suffix)
{
	char *out = kmalloc(3 * strlen(name) + strlen(suffix) + 1, GFP_KERNEL), *p = out;

	if (!out)
		return NULL;
	for (; *name; name++) {
		if (*name == '/' || iscntrl(*name) || (*name == '.' && p == out))
			p += sprintf(p, "%%%02X", (u8)*name);
		else
			*p++ = *name;
	}
	memcpy(p, suffix, strlen(suffix) + 1);
	return out;
}

/* "<dbroot>/<sub>" or "<dbroot>/<sub>/<file>" */
static char *tcm_dbroot_path(const char *sub, const char *file)
{
	char *root = kmalloc(PATH_MAX, GFP_KERNEL), *path = NULL;

	if (!root)
		return NULL;
	if (tcm_dbroot_get(root, PATH_MAX) > 0)
		path = kasprintf(GFP_KERNEL, "%s/%s%s%s", root, sub, file ? "/" : "", file ?: "");
	kfree(root);
	return path;
}

static int tcm_dbroot_write_file(const char *path, const void *buf, size_t len)
{
	struct file *file = filp_open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0600);
	loff_t pos = 0;
	ssize_t n;
	int err;

	if (IS_ERR(file))
		return PTR_ERR(file);
	n = kernel_write(file, buf, len, &pos);
	err = n == len ? vfs_fsync(file, 0) : n < 0 ? n : -ENOSPC;
	return filp_close(file, NULL) ?: err;
}

static int tcm_dbroot_rename_locked(const struct path *dir, const char *from, const char *to)
{
	struct dentry *old, *new;
	struct renamedata rd = {
		.old_mnt_idmap	= mnt_idmap(dir->mnt),
		.new_mnt_idmap	= mnt_idmap(dir->mnt),
		.old_dir	= d_inode(dir->dentry),
		.new_dir	= d_inode(dir->dentry),
	};
	int err;

	old = lookup_one_len(from, dir->dentry, strlen(from));
	if (IS_ERR(old))
		return PTR_ERR(old);
	new = lookup_one_len(to, dir->dentry, strlen(to));
	err = PTR_ERR_OR_ZERO(new);
	if (!err) {
		rd.old_dentry = old;
		rd.new_dentry = new;
		err = d_is_negative(old) ? -ENOENT : vfs_rename(&rd);
		dput(new);
	}
	dput(old);
	return err;
}

/* Both names are in the folder @path. */
static int tcm_dbroot_rename(const char *path, const char *from, const char *to)
{
	struct file *folder;
	struct path dir;
	int err;

	folder = filp_open(path, O_RDONLY | O_DIRECTORY, 0);
	if (IS_ERR(folder))
		return PTR_ERR(folder);
	dir = folder->f_path;
	err = mnt_want_write(dir.mnt);
	if (!err) {
		lock_rename(dir.dentry, dir.dentry);
		err = tcm_dbroot_rename_locked(&dir, from, to);
		unlock_rename(dir.dentry, dir.dentry);
		mnt_drop_write(dir.mnt);
	}
	if (!err)
		err = vfs_fsync(folder, 0);
	filp_close(folder, NULL);
	return err;
}

int tcm_dbroot_write(const char *sub, const char *name, const void *buf, size_t len)
{
	char *old = tcm_dbroot_name(name, ""), *new = tcm_dbroot_name(name, TCM_DBROOT_NEW);
	char *dir = tcm_dbroot_path(sub, NULL), *path = NULL;
	const struct cred *cred = tcm_dbroot_override();
	int err = -ENOMEM;

	if (old && new && dir)
		path = tcm_dbroot_path(sub, new);
	if (!path)
		goto free;
	err = tcm_dbroot_mkdir(sub);
	if (!err)
		err = tcm_dbroot_write_file(path, buf, len);
	if (!err)
		err = tcm_dbroot_rename(dir, new, old);
free:
	revert_creds(cred);
	kfree(path);
	kfree(dir);
	kfree(new);
	kfree(old);
	return err;
}

static char *tcm_dbroot_read_file(const char *path, size_t max)
{
	struct file *file = filp_open(path, O_RDONLY | O_NOFOLLOW, 0);
	loff_t pos = 0;
	ssize_t n = 0;
	char *buf;

	if (IS_ERR(file))
		return ERR_CAST(file);
	max = min_t(loff_t, max, i_size_read(file_inode(file)));
	buf = kzalloc(max + 2, GFP_KERNEL);
	if (buf)
		n = kernel_read(file, buf, max + 1, &pos);
	filp_close(file, NULL);
	if (buf && n >= 0 && n <= max)
		return buf;
	kfree(buf);
	return ERR_PTR(!buf ? -ENOMEM : n < 0 ? n : -EFBIG);
}

char *tcm_dbroot_read(const char *sub, const char *name, size_t max)
{
	char *file = tcm_dbroot_name(name, ""), *path = NULL, *buf = ERR_PTR(-ENOMEM);
	const struct cred *cred = tcm_dbroot_override();

	if (file)
		path = tcm_dbroot_path(sub, file);
	if (path)
		buf = tcm_dbroot_read_file(path, max);
	revert_creds(cred);
	kfree(path);
	kfree(file);
	return buf;
}
