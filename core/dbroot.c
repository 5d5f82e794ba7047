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
#include <linux/namei.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include "dbroot.h"
#include "device.h"

#define TCM_DBROOT_DEFAULT	"/var/target"
#define TCM_DBROOT_PREFERRED	"/etc/target"

/* protects tcm_dbroot; a leaf: a file system that hangs keeps nobody from reading it */
static DEFINE_SPINLOCK(tcm_dbroot_lock);
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

static int tcm_dbroot_mkdir_path(const char *name)
{
	struct dentry *dentry;
	struct path path;
	int err;

	dentry = kern_path_create(AT_FDCWD, name, &path, LOOKUP_DIRECTORY);
	err = PTR_ERR_OR_ZERO(dentry);
	if (!err) {
		err = vfs_mkdir(mnt_idmap(path.mnt), d_inode(path.dentry), dentry, 0700);
		done_path_create(&path, dentry);
	}
	return err == -EEXIST ? 0 : err;
}

/* @path is of something below @root. */
static int tcm_dbroot_mkdir_below(const char *root, char *path)
{
	char *end = path + strlen(root) + 1, c;
	int err;

	do {
		end = strchrnul(end, '/');
		c = *end;
		*end = '\0';
		err = tcm_dbroot_mkdir_path(path);
		/* The default folder is there on no machine before something is kept in it. */
		if (err == -ENOENT && !tcm_dbroot_mkdir_path(root))
			err = tcm_dbroot_mkdir_path(path);
		*end = c;
		end += !!c;
	} while (!err && c);
	return err;
}

int tcm_dbroot_mkdir(const char *sub)
{
	char *root = kmalloc(PATH_MAX, GFP_KERNEL), *path = NULL;
	const struct cred *old;
	int err = -ENOMEM;

	if (root && tcm_dbroot_get(root, PATH_MAX) > 0)
		path = kasprintf(GFP_KERNEL, "%s/%s", root, sub);
	if (path) {
		old = override_creds(tcm_dbroot_cred);
		err = tcm_dbroot_mkdir_below(root, path);
		revert_creds(old);
	}
	kfree(path);
	kfree(root);
	return err;
}

const struct cred *tcm_dbroot_override(void)
{
	return override_creds(tcm_dbroot_cred);
}

static bool tcm_dbroot_is(const char *path)
{
	bool is;

	spin_lock(&tcm_dbroot_lock);
	is = !strcmp(path, tcm_dbroot);
	spin_unlock(&tcm_dbroot_lock);
	return is;
}

static int tcm_dbroot_move(const char *path, const char **why)
{
	const struct cred *old;
	int err;

	if (tcm_device_count()) {
		*why = "a device uses it";
		return -EINVAL;
	}
	old = override_creds(tcm_dbroot_cred);
	err = path[0] == '/' ? tcm_dbroot_is_dir(path) : -EINVAL;
	revert_creds(old);
	if (err) {
		*why = "not the path of a directory";
		return err;
	}
	spin_lock(&tcm_dbroot_lock);
	strscpy(tcm_dbroot, path, sizeof(tcm_dbroot));
	spin_unlock(&tcm_dbroot_lock);
	return 0;
}

static int tcm_dbroot_prepare(const char *sub)
{
	struct tcm_save *save = tcm_save_start(sub, "", NULL, NULL);
	int err = tcm_save_wait(save, TCM_SAVE_SOON);

	tcm_save_put(save);
	return err;
}

int tcm_dbroot_set(const char *path, const char **why)
{
	int err = 0;

	if (strlen(path) >= sizeof(tcm_dbroot)) {
		*why = "too long";
		return -EINVAL;
	}
	if (!tcm_dbroot_is(path))
		err = tcm_dbroot_move(path, why);
	if (!err && (tcm_dbroot_prepare("pr") | tcm_dbroot_prepare("alua")))
		pr_warn("tcm: dbroot %s: pr/ and alua/ are not made\n", path);
	return err;
}

ssize_t tcm_dbroot_get(char *buf, size_t size)
{
	ssize_t len;

	spin_lock(&tcm_dbroot_lock);
	len = strscpy(buf, tcm_dbroot, size);
	spin_unlock(&tcm_dbroot_lock);
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
