// SPDX-License-Identifier: GPL-2.0-only
/*
 * Orphans: commands that task management took off their nexus, or whose nexus is gone, while a
 * backend has them.
 *
 * An orphan that writes may come to the medium late, after its initiator has written the block
 * again. So accesses that overlap one are answered BUSY, whoever asks: TCM_GATE_ORPHAN is on
 * every nexus of the device as long as there are any. Reads are kept for the administrator to see.
 *
 * So is each chunk that a copy writes when it is ended, by whatever ends it: its device is often
 * not the one of its command, and a copy in the background has none.
 *
 * A command becomes an orphan under tcm_orphan_lock, together with its mark in the state word. Who
 * ends it sees the mark and takes the lock before the slot is free: what is on a list is there.
 *
 * debugfs: tcm/orphans, a line for each.
 */
#include <linux/debugfs.h>
#include <linux/jiffies.h>
#include <linux/seq_file.h>
#include <tcm/fabric.h>
#include "cmd.h"
#include "copy.h"
#include "device.h"
#include "gate.h"
#include "opcode.h"
#include "orphan.h"
#include "range.h"
#include "task.h"

/*
 * Protects all lists of orphans and @tcm_unfenced; taken in any context, also below dev->lun_lock
 * and a fabric's lock of its commands. A leaf.
 */
static DEFINE_SPINLOCK(tcm_orphan_lock);
/* Every orphan */
static LIST_HEAD(tcm_orphans);
/* Devices with orphans that write, whose gates are not set yet: each is held by such an orphan. */
static LIST_HEAD(tcm_unfenced);
static struct dentry *tcm_orphan_dir;

/* The row by which the medium is accessed; NULL: not known. */
static const struct tcm_opcode *tcm_orphan_row(const struct tcm_cmd *cmd)
{
	bool known;

	if (!cmd->op || !(cmd->op->flags & TCM_OP_PASSTHRU))
		return cmd->op;
	return tcm_opcode_find(cmd->cdb, cmd->cdb_len, &known);
}

/* The blocks that a command accesses, all where they are not known; false: none. */
static bool tcm_orphan_blocks(const struct tcm_cmd *cmd, u64 *first, u64 *last)
{
	const struct tcm_opcode *op = tcm_orphan_row(cmd);

	*first = 0;
	*last = U64_MAX;
	if (!op)
		return true;
	if (op == cmd->op && tcm_range_blocks(cmd, first, last))
		return true;
	if (op != cmd->op && (op->flags & TCM_OP_MEDIUM))
		return true;
	/* FORMAT UNIT, SANITIZE */
	return (op->flags & (TCM_OP_MEDIUM | TCM_OP_WRITES)) == TCM_OP_WRITES;
}

static bool tcm_orphan_writes(const struct tcm_cmd *cmd)
{
	const struct tcm_opcode *op = tcm_orphan_row(cmd);

	return !op || (op->flags & TCM_OP_WRITES);
}

/* orphan->writes has been set. */
static void tcm_orphan_add(struct tcm_orphan *orphan, struct tcm_device *dev)
{
	lockdep_assert_held(&tcm_orphan_lock);
	orphan->since = jiffies;
	list_add_tail(&orphan->node, &tcm_orphans);
	if (!orphan->writes)
		return;
	list_add_tail(&orphan->dev_node, &dev->orphans);
	if (!dev->fenced && list_empty(&dev->fence_node))
		list_add_tail(&dev->fence_node, &tcm_unfenced);
}

enum tcm_cmd_state tcm_orphan_mark(struct tcm_cmd *cmd, int seen, int mark)
{
	int gen = seen & TCM_ST_GEN_MASK, new;
	unsigned long flags;

	spin_lock_irqsave(&tcm_orphan_lock, flags);
	/* It may move on meanwhile and is the same command as long as the generation is. */
	do {
		if (!tcm_cmd_in_task_set(seen) || (seen & TCM_ST_GEN_MASK) != gen) {
			spin_unlock_irqrestore(&tcm_orphan_lock, flags);
			return TCM_ST_FREE;
		}
		new = seen | mark;
		if ((seen & TCM_ST_MASK) == TCM_ST_EXEC)
			new |= TCM_ST_ORPHAN;
	} while (!atomic_try_cmpxchg(&cmd->state, &seen, new));
	if ((new & ~seen) & TCM_ST_ORPHAN) {
		cmd->orphan.copies = false;
		cmd->orphan.writes = cmd->dev && tcm_orphan_writes(cmd);
		tcm_orphan_add(&cmd->orphan, cmd->dev);
	}
	spin_unlock_irqrestore(&tcm_orphan_lock, flags);
	return seen & TCM_ST_MASK;
}

static struct tcm_device *tcm_orphan_unfenced(void)
{
	struct tcm_device *dev;
	unsigned long flags;

	spin_lock_irqsave(&tcm_orphan_lock, flags);
	dev = list_first_entry_or_null(&tcm_unfenced, struct tcm_device, fence_node);
	if (dev)
		tcm_device_get(dev);
	spin_unlock_irqrestore(&tcm_orphan_lock, flags);
	return dev;
}

/* Make the gates say what is. */
static void tcm_orphan_gate(struct tcm_device *dev)
{
	unsigned long flags;
	bool fenced;

	spin_lock_irqsave(&dev->lun_lock, flags);
	spin_lock(&tcm_orphan_lock);
	fenced = !list_empty(&dev->orphans);
	if (dev->fenced != fenced) {
		dev->fenced = fenced;
		tcm_gate_device(dev, TCM_GATE_ORPHAN, fenced);
	}
	list_del_init(&dev->fence_node);
	spin_unlock(&tcm_orphan_lock);
	spin_unlock_irqrestore(&dev->lun_lock, flags);
}

void tcm_orphans_fence(void)
{
	struct tcm_device *dev;

	tcm_copy_orphans();
	/* A device leaves the list when its gates are set: who finds none waits for nobody. */
	while ((dev = tcm_orphan_unfenced())) {
		tcm_orphan_gate(dev);
		tcm_device_put(dev);
	}
}

static void tcm_orphan_del(struct tcm_orphan *orphan, struct tcm_device *dev)
{
	unsigned long flags;
	bool last = false;

	spin_lock_irqsave(&tcm_orphan_lock, flags);
	list_del(&orphan->node);
	if (orphan->writes) {
		list_del(&orphan->dev_node);
		last = list_empty(&dev->orphans);
		if (last)
			list_del_init(&dev->fence_node);
		last &= dev->fenced;
	}
	spin_unlock_irqrestore(&tcm_orphan_lock, flags);
	if (last)
		tcm_orphan_gate(dev);
}

void tcm_orphan_end(struct tcm_cmd *cmd)
{
	tcm_orphan_del(&cmd->orphan, cmd->dev);
}

void tcm_orphan_chunk_add(struct tcm_orphan_chunk *chunk)
{
	unsigned long flags;

	spin_lock_irqsave(&tcm_orphan_lock, flags);
	chunk->orphan.copies = true;
	chunk->orphan.writes = true;
	tcm_orphan_add(&chunk->orphan, chunk->dev);
	spin_unlock_irqrestore(&tcm_orphan_lock, flags);
}

void tcm_orphan_chunk_end(struct tcm_orphan_chunk *chunk)
{
	tcm_orphan_del(&chunk->orphan, chunk->dev);
}

/* As tcm_orphan_blocks() */
static bool tcm_orphan_extent(const struct tcm_orphan *orphan, u64 *first, u64 *last)
{
	const struct tcm_orphan_chunk *chunk;

	if (!orphan->copies)
		return tcm_orphan_blocks(container_of(orphan, struct tcm_cmd, orphan), first,
					 last);
	chunk = container_of(orphan, struct tcm_orphan_chunk, orphan);
	*first = chunk->first;
	*last = chunk->last;
	return true;
}

bool tcm_orphan_meets(const struct tcm_device *dev, u64 first, u64 last)
{
	const struct tcm_orphan *orphan;
	unsigned long flags;
	bool meets = false;
	u64 from, to;

	spin_lock_irqsave(&tcm_orphan_lock, flags);
	list_for_each_entry(orphan, &dev->orphans, dev_node) {
		meets = tcm_orphan_extent(orphan, &from, &to) && from <= last && first <= to;
		if (meets)
			break;
	}
	spin_unlock_irqrestore(&tcm_orphan_lock, flags);
	return meets;
}

enum tcm_sense tcm_orphan_check(const struct tcm_cmd *cmd)
{
	u64 first, last;

	if (!tcm_orphan_blocks(cmd, &first, &last))
		return TCM_OK;
	return tcm_orphan_meets(cmd->dev, first, last) ? TCM_BUSY : TCM_OK;
}

static bool tcm_orphan_visit(struct tcm_cmd *cmd, void *arg)
{
	int st = atomic_read_acquire(&cmd->state);

	if (cmd->sess == arg && (st & TCM_ST_MASK) == TCM_ST_EXEC)
		tcm_orphan_mark(cmd, st, 0);
	return false;
}

void tcm_orphans_session(struct tcm_session *sess)
{
	/* Who owns the memory waits for it: there is no initiator that goes on without it. */
	if (sess->ops->flags & TCM_FAB_BORROWS_MEMORY)
		return;
	tcm_task_hold_nexus(sess);
	sess->ops->for_each_cmd(sess, NULL, tcm_orphan_visit, sess);
	tcm_task_release_nexus(sess);
	tcm_orphans_fence();
}

/* What tcm_cmds_abort() is looking for */
struct tcm_abort_walk {
	const struct tcm_session *sess;
	tcm_cmd_fn		match;
	void			*arg;
};

static bool tcm_abort_visit(struct tcm_cmd *cmd, void *arg)
{
	const struct tcm_abort_walk *walk = arg;
	int st = atomic_read_acquire(&cmd->state);

	/* The generation in the state word makes sure that it is still the one looked at. */
	if (tcm_cmd_in_task_set(st) && cmd->sess == walk->sess && walk->match(cmd, walk->arg))
		tcm_orphan_mark(cmd, st, TCM_ST_ABORTED);
	return false;
}

void tcm_cmds_abort(struct tcm_session *sess, tcm_cmd_fn match, void *arg)
{
	struct tcm_abort_walk walk = { .sess = sess, .match = match, .arg = arg };

	tcm_task_hold_nexus(sess);
	sess->ops->for_each_cmd(sess, NULL, tcm_abort_visit, &walk);
	tcm_task_release_nexus(sess);
	tcm_orphans_fence();
}
EXPORT_SYMBOL_GPL(tcm_cmds_abort);

/* ---- for the administrator ---- */

static void tcm_orphan_show(struct seq_file *m, const struct tcm_cmd *cmd)
{
	const struct tcm_opcode *op = tcm_orphan_row(cmd);
	const struct tcm_session *sess = cmd->sess;
	/* One that writes has a device. */
	bool fenced = cmd->orphan.writes && cmd->dev->fenced;
	u64 first, last;

	seq_printf(m, "%s %s LUN %llu age %u ms nexus %s -> %s tpgt_%u waits for ",
		   op ? op->name : "opcode", fenced ? "fenced" : "unfenced",
		   cmd->unpacked_lun, jiffies_to_msecs(jiffies - cmd->orphan.since), sess->name,
		   sess->tpg->wwn->name, sess->tpg->tag);
	if (cmd->dev)
		seq_printf(m, "%s %s", cmd->dev->ops->name, cmd->dev->name);
	else
		seq_puts(m, "nothing");
	if (cmd->dev && tcm_orphan_blocks(cmd, &first, &last)) {
		if (last == U64_MAX)
			seq_puts(m, " all blocks");
		else
			seq_printf(m, " blocks %llu-%llu", first, last);
	}
	seq_printf(m, " opcode %02xh\n", cmd->cdb[0]);
}

static void tcm_orphan_show_chunk(struct seq_file *m, const struct tcm_orphan_chunk *chunk)
{
	const struct tcm_device *dev = chunk->dev;

	seq_printf(m, "copy %s age %u ms waits for %s %s blocks %llu-%llu\n",
		   dev->fenced ? "fenced" : "unfenced",
		   jiffies_to_msecs(jiffies - chunk->orphan.since), dev->ops->name, dev->name,
		   chunk->first, chunk->last);
}

static void *tcm_orphan_seq_start(struct seq_file *m, loff_t *pos) __acquires(&tcm_orphan_lock)
{
	spin_lock_irq(&tcm_orphan_lock);
	return seq_list_start(&tcm_orphans, *pos);
}

static void *tcm_orphan_seq_next(struct seq_file *m, void *v, loff_t *pos)
{
	return seq_list_next(v, &tcm_orphans, pos);
}

static void tcm_orphan_seq_stop(struct seq_file *m, void *v) __releases(&tcm_orphan_lock)
{
	spin_unlock_irq(&tcm_orphan_lock);
}

static int tcm_orphan_seq_show(struct seq_file *m, void *v)
{
	struct tcm_orphan *orphan = list_entry(v, struct tcm_orphan, node);

	if (orphan->copies)
		tcm_orphan_show_chunk(m, container_of(orphan, struct tcm_orphan_chunk, orphan));
	else
		tcm_orphan_show(m, container_of(orphan, struct tcm_cmd, orphan));
	return 0;
}

static const struct seq_operations tcm_orphans_sops = {
	.start	= tcm_orphan_seq_start,
	.next	= tcm_orphan_seq_next,
	.stop	= tcm_orphan_seq_stop,
	.show	= tcm_orphan_seq_show,
};
DEFINE_SEQ_ATTRIBUTE(tcm_orphans);

void tcm_orphan_device_init(struct tcm_device *dev)
{
	INIT_LIST_HEAD(&dev->orphans);
	INIT_LIST_HEAD(&dev->fence_node);
}

int tcm_orphan_init(void)
{
	/* Without debugfs there is nothing to see, and no other harm. */
	tcm_orphan_dir = debugfs_create_dir("tcm", NULL);
	debugfs_create_file("orphans", 0400, tcm_orphan_dir, NULL, &tcm_orphans_fops);
	return 0;
}

void tcm_orphan_exit(void)
{
	debugfs_remove_recursive(tcm_orphan_dir);
}
