// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where what must survive is kept. The folder belongs to root and may have mode 0600 (saveconfig
 * does that), so it is looked at with the credentials of the kernel, whoever writes
 * the attribute.
 */
#include <linux/cred.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mount.h>
#include <linux/mutex.h>
#include <linux/namei.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/string.h>
#include "dbroot.h"
#include "device.h"

#define TCM_DBROOT_DEFAULT	"/var/target"
#define TCM_DBROOT_PREFERRED	"/etc/target"

/* protects tcm_dbroot; held around look-ups in file systems, so never taken on other paths */
static DEFINE_MUTEX(tcm_dbroot_mutex);
static char tcm_dbroot[PATH_MAX] = TCM_DBROOT_DEFAULT;
static struct cred *tcm_dbroot_cred;

static int tcm_dbroot_is_dir(const char *name)
{
	struct path path;
	int err;

	err = kern_path(name, LOOKUP_FOLLOW | LOOKUP_DIRECTORY, &path);
	if (!err)
		path_put(&path);
	return err;
}

static int tcm_dbroot_mkdir(const char *sub)
{
	struct dentry *dentry;
	struct path path;
	char *name;
	int err;

	name = kasprintf(GFP_KERNEL, "%s/%s", tcm_dbroot, sub);
	if (!name)
		return -ENOMEM;
	dentry = kern_path_create(AT_FDCWD, name, &path, LOOKUP_DIRECTORY);
	err = PTR_ERR_OR_ZERO(dentry);
	if (!err) {
		err = vfs_mkdir(mnt_idmap(path.mnt), d_inode(path.dentry), dentry, 0700);
		done_path_create(&path, dentry);
	}
	kfree(name);
	return err == -EEXIST ? 0 : err;
}

static int tcm_dbroot_mkdirs(void)
{
	int err;

	lockdep_assert_held(&tcm_dbroot_mutex);
	err = tcm_dbroot_mkdir("pr");
	return err ?: tcm_dbroot_mkdir("alua");
}

int tcm_dbroot_prepare(void)
{
	const struct cred *old = override_creds(tcm_dbroot_cred);
	int err;

	mutex_lock(&tcm_dbroot_mutex);
	err = tcm_dbroot_mkdirs();
	mutex_unlock(&tcm_dbroot_mutex);
	revert_creds(old);
	return err;
}

/* A name below the folder, which the caller frees */
static char *tcm_dbroot_name(const char *sub)
{
	char *name;

	mutex_lock(&tcm_dbroot_mutex);
	name = kasprintf(GFP_KERNEL, "%s/%s", tcm_dbroot, sub);
	mutex_unlock(&tcm_dbroot_mutex);
	return name;
}

/* Create @name with @len bytes that are on stable storage when this returns. */
static int tcm_dbroot_create(const char *name, const void *buf, size_t len)
{
	struct file *file = filp_open(name, O_WRONLY | O_CREAT | O_TRUNC | O_LARGEFILE, 0600);
	loff_t pos = 0;
	ssize_t n;
	int err = 0;

	if (IS_ERR(file))
		return PTR_ERR(file);
	while (!err && pos < len) {
		n = kernel_write(file, buf + pos, len - pos, &pos);
		err = n < 0 ? n : n ? 0 : -EIO;
	}
	err = err ?: vfs_fsync(file, 0);
	fput(file);
	return err;
}

/* Give the file @from the name @to, both in @dir; nobody ever sees half of a file. */
static int tcm_dbroot_rename(struct path *dir, const char *from, const char *to)
{
	struct dentry *old, *new;
	struct renamedata rd = { };
	int err;

	lock_rename(dir->dentry, dir->dentry);
	old = lookup_one_len(from, dir->dentry, strlen(from));
	err = PTR_ERR_OR_ZERO(old);
	if (err)
		goto unlock;
	new = lookup_one_len(to, dir->dentry, strlen(to));
	err = PTR_ERR_OR_ZERO(new);
	if (err)
		goto put_old;
	err = -ENOENT;
	if (d_is_negative(old))
		goto put_new;
	rd.old_mnt_idmap = mnt_idmap(dir->mnt);
	rd.new_mnt_idmap = mnt_idmap(dir->mnt);
	rd.old_dir = d_inode(dir->dentry);
	rd.new_dir = d_inode(dir->dentry);
	rd.old_dentry = old;
	rd.new_dentry = new;
	err = vfs_rename(&rd);
put_new:
	dput(new);
put_old:
	dput(old);
unlock:
	unlock_rename(dir->dentry, dir->dentry);
	return err;
}

static int tcm_dbroot_replace(const char *dir, const char *from, const char *to)
{
	struct file *file = filp_open(dir, O_RDONLY | O_DIRECTORY, 0);
	int err;

	if (IS_ERR(file))
		return PTR_ERR(file);
	err = mnt_want_write(file->f_path.mnt);
	if (!err) {
		err = tcm_dbroot_rename(&file->f_path, from, to);
		mnt_drop_write(file->f_path.mnt);
	}
	err = err ?: vfs_fsync(file, 0);
	fput(file);
	return err;
}

static int tcm_dbroot_write_as(const char *dir, const char *leaf, const void *buf, size_t len)
{
	char *temp = kasprintf(GFP_KERNEL, "%s/.%s.new", dir, leaf);
	int err = temp ? tcm_dbroot_create(temp, buf, len) : -ENOMEM;

	err = err ?: tcm_dbroot_replace(dir, strrchr(temp, '/') + 1, leaf);
	kfree(temp);
	return err;
}

int tcm_dbroot_write(const char *sub, const char *leaf, const void *buf, size_t len)
{
	const struct cred *old = override_creds(tcm_dbroot_cred);
	char *dir = tcm_dbroot_name(sub);
	int err = -ENOMEM;

	if (!dir)
		goto revert;
	err = tcm_dbroot_write_as(dir, leaf, buf, len);
	if (err == -ENOENT && !tcm_dbroot_prepare())
		err = tcm_dbroot_write_as(dir, leaf, buf, len);
	kfree(dir);
revert:
	revert_creds(old);
	return err;
}

int tcm_dbroot_set(const char *path, const char **why)
{
	const struct cred *old;
	int err;

	if (strlen(path) >= sizeof(tcm_dbroot)) {
		*why = "too long";
		return -EINVAL;
	}
	old = override_creds(tcm_dbroot_cred);
	mutex_lock(&tcm_dbroot_mutex);
	err = 0;
	if (!strcmp(path, tcm_dbroot))
		goto mkdirs;
	if (tcm_device_count()) {
		*why = "a device uses it";
		err = -EINVAL;
		goto unlock;
	}
	err = path[0] == '/' ? tcm_dbroot_is_dir(path) : -EINVAL;
	if (err) {
		*why = "not the path of a directory";
		goto unlock;
	}
	strscpy(tcm_dbroot, path, sizeof(tcm_dbroot));
mkdirs:
	if (tcm_dbroot_mkdirs())
		pr_warn("tcm: dbroot %s: pr/ and alua/ cannot be made\n", tcm_dbroot);
unlock:
	mutex_unlock(&tcm_dbroot_mutex);
	revert_creds(old);
	return err;
}

ssize_t tcm_dbroot_get(char *buf, size_t size)
{
	ssize_t len;

	mutex_lock(&tcm_dbroot_mutex);
	len = strscpy(buf, tcm_dbroot, size);
	mutex_unlock(&tcm_dbroot_mutex);
	return len;
}

int tcm_dbroot_init(void)
{
	const struct cred *old;

	tcm_dbroot_cred = prepare_kernel_cred(&init_task);
	if (!tcm_dbroot_cred)
		return -ENOMEM;
	old = override_creds(tcm_dbroot_cred);
	if (!tcm_dbroot_is_dir(TCM_DBROOT_PREFERRED))
		strscpy(tcm_dbroot, TCM_DBROOT_PREFERRED, sizeof(tcm_dbroot));
	revert_creds(old);
	return 0;
}

void tcm_dbroot_exit(void)
{
	put_cred(tcm_dbroot_cred);
}
