// SPDX-License-Identifier: GPL-2.0-only
/*
 * Files below dbroot are written by work items, so that who asks for one waits as long as he likes
 * and no longer, whatever the file system does. Those of one name are written one after the other
 * (two devices may have the same serial number, and so the same file), those of different names do
 * not wait for each other.
 */
#include <linux/completion.h>
#include <linux/mm.h>
#include <linux/refcount.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/workqueue.h>
#include "dbroot.h"

/* Is what was written what is to stand there? Whoever comes first decides. */
enum tcm_save_verdict {
	TCM_SAVE_OPEN,
	TCM_SAVE_KEPT,		/* it was written while somebody waited for it, or might have */
	TCM_SAVE_LATE,		/* who waited has given up */
};

/* Each who asked has a reference, and the work item until it is done. */
struct tcm_save {
	refcount_t		ref;
	struct list_head	node;	/* in tcm_saves until it is done; tcm_saves_lock */
	struct work_struct	work;
	struct completion	done;
	bool			begun;	/* @work is queued; tcm_saves_lock */
	atomic_t		verdict;
	int			err;	/* valid when @done */
	char			*sub, *name;
	char			*text;	/* NULL: the folder alone; tcm_saves_lock until @begun */
	char			*back;	/* what stands there if it fails or comes too late */
};

/* protects tcm_saves, all that were asked for and are not done: older ones first; a leaf */
static DEFINE_SPINLOCK(tcm_saves_lock);
static LIST_HEAD(tcm_saves);
static struct workqueue_struct *tcm_save_wq;

void tcm_save_put(struct tcm_save *save)
{
	if (!save || !refcount_dec_and_test(&save->ref))
		return;
	kvfree(save->text);
	kvfree(save->back);
	kfree(save->name);
	kfree(save->sub);
	kfree(save);
}

/* Of those with the name of @like the first, or the last */
static struct tcm_save *tcm_save_find(const struct tcm_save *like, bool last)
{
	struct tcm_save *save, *found = NULL;

	lockdep_assert_held(&tcm_saves_lock);
	list_for_each_entry(save, &tcm_saves, node) {
		if (strcmp(save->sub, like->sub) || strcmp(save->name, like->name))
			continue;
		found = save;
		if (!last)
			break;
	}
	return found;
}

static void tcm_save_begin(struct tcm_save *save)
{
	lockdep_assert_held(&tcm_saves_lock);
	save->begun = true;
	queue_work(tcm_save_wq, &save->work);
}

static int tcm_save_write(const struct tcm_save *save, const char *text)
{
	return tcm_dbroot_write(save->sub, save->name, text, strlen(text));
}

static void tcm_save_work(struct work_struct *work)
{
	struct tcm_save *save = container_of(work, struct tcm_save, work), *next;

	save->err = save->text ? tcm_save_write(save, save->text) : tcm_dbroot_mkdir(save->sub);
	/* When it failed nobody knows what is there: the folder may not have been synced. */
	if ((save->err || atomic_cmpxchg(&save->verdict, TCM_SAVE_OPEN, TCM_SAVE_KEPT) !=
			  TCM_SAVE_OPEN) && save->back && tcm_save_write(save, save->back))
		pr_warn_ratelimited("tcm: %s/%s may have what was refused\n", save->sub,
				    save->name);
	spin_lock(&tcm_saves_lock);
	list_del(&save->node);
	next = tcm_save_find(save, false);
	if (next)
		tcm_save_begin(next);
	spin_unlock(&tcm_saves_lock);
	complete_all(&save->done);
	tcm_save_put(save);
}

static struct tcm_save *tcm_save_new(const char *sub, const char *name)
{
	struct tcm_save *save = kzalloc(sizeof(*save), GFP_KERNEL);

	if (!save)
		return NULL;
	refcount_set(&save->ref, 1);
	init_completion(&save->done);
	INIT_WORK(&save->work, tcm_save_work);
	save->sub = kstrdup(sub, GFP_KERNEL);
	save->name = kstrdup(name, GFP_KERNEL);
	if (save->sub && save->name)
		return save;
	tcm_save_put(save);
	return NULL;
}

struct tcm_save *tcm_save_start(const char *sub, const char *name, char *text, char *back)
{
	struct tcm_save *save = tcm_save_new(sub, name), *last;

	if (!save)
		return NULL;
	save->text = text;
	save->back = back;
	spin_lock(&tcm_saves_lock);
	last = tcm_save_find(save, true);
	if (last && !last->begun && !last->back && !back) {
		/* Nobody would see the older text: so a file that hangs has two at most. */
		swap(last->text, save->text);
		refcount_inc(&last->ref);
	} else {
		refcount_inc(&save->ref);
		list_add_tail(&save->node, &tcm_saves);
		if (!last)
			tcm_save_begin(save);
		last = NULL;
	}
	spin_unlock(&tcm_saves_lock);
	if (last)
		tcm_save_put(save);
	return last ?: save;
}

bool tcm_save_busy(struct tcm_save *save)
{
	return save && !completion_done(&save->done);
}

int tcm_save_wait(struct tcm_save *save, unsigned long patience)
{
	int err = 0;

	if (!save)
		return -ENOMEM;
	if (wait_for_completion_timeout(&save->done, patience))
		err = save->err;
	else if (atomic_cmpxchg(&save->verdict, TCM_SAVE_OPEN, TCM_SAVE_LATE) != TCM_SAVE_KEPT)
		err = -ETIMEDOUT;
	if (err)
		pr_warn_ratelimited("tcm: %s/%s is not written: (%pe)\n", save->sub, save->name,
				    ERR_PTR(err));
	return err;
}

int tcm_save_init(void)
{
	/* A file system that hangs blocks the work item of each file: let there be many. */
	tcm_save_wq = alloc_workqueue("tcm_save", WQ_UNBOUND, WQ_MAX_ACTIVE);
	return tcm_save_wq ? 0 : -ENOMEM;
}

void tcm_save_exit(void)
{
	destroy_workqueue(tcm_save_wq);
}
