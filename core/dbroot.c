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

static int tcm_dbroot_mkdir_locked(const char *sub)
{
	char *name;
	int err;

	lockdep_assert_held(&tcm_dbroot_mutex);
	name = kasprintf(GFP_KERNEL, "%s/%s", tcm_dbroot, sub);
	if (!name)
		return -ENOMEM;
	err = tcm_dbroot_mkdir_path(name);
	/* The default folder is there on no machine before something is kept in it. */
	if (err == -ENOENT && !tcm_dbroot_mkdir_path(tcm_dbroot))
		err = tcm_dbroot_mkdir_path(name);
	kfree(name);
	return err;
}

static int tcm_dbroot_mkdirs(void)
{
	int err;

	lockdep_assert_held(&tcm_dbroot_mutex);
	err = tcm_dbroot_mkdir_locked("pr");
	return err ?: tcm_dbroot_mkdir_locked("alua");
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

int tcm_dbroot_mkdir(const char *sub)
{
	int err;

	mutex_lock(&tcm_dbroot_mutex);
	err = tcm_dbroot_mkdir_locked(sub);
	mutex_unlock(&tcm_dbroot_mutex);
	return err;
}

const struct cred *tcm_dbroot_override(void)
{
	return override_creds(tcm_dbroot_cred);
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
