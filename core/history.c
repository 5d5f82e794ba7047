// SPDX-License-Identifier: GPL-2.0-only
/*
 * Error history (SPC-4 5.5, 6.18.9).
 *
 * A unit that never failed has no memory for it: the ring comes with the first error, the snapshot
 * with the nexus that asks for one. That nexus keeps others away until it says so, is lost, or has
 * been silent for TCM_HISTORY_TIMEOUT; the last is looked at by the next command that meets it.
 */
#include <linux/ktime.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/unaligned.h>
#include "cmd.h"
#include "history.h"
#include "lu.h"
#include "opcode.h"
#include "target.h"
#include "ua.h"

#define TCM_HISTORY_TIMEOUT	(60 * HZ)
#define TCM_HISTORY_VERSION	1

/* Error history directory, SPC-4 table 233 */
#define TCM_DIR_NOT_RETRIEVED	0x10		/* EHS_RETRIEVED */
#define TCM_DIR_RETRIEVED	0x08
#define TCM_DIR_FROM_THIS	0x02		/* EHS_SOURCE: the snapshot is this command's */
#define TCM_DIR_FROM_EARLIER	0x04
#define TCM_DIR_HEAD		32
#define TCM_DIR_ENTRY		8

static const u8 tcm_history_ids[] = { 0x00, 0x01, 0x02, 0x03, TCM_HISTORY_ERRORS };

#define TCM_DIR_LEN	(TCM_DIR_HEAD + TCM_DIR_ENTRY * ARRAY_SIZE(tcm_history_ids))
static_assert(TCM_DIR_LEN <= TCM_HISTORY_MAX);

/* Errors of the unit; what it refuses for good reason, or says once, is none. */
static bool tcm_history_wants(enum tcm_sense sense)
{
	if (tcm_sense_status(sense) != SAM_STAT_CHECK_CONDITION || sense == TCM_RAW_SENSE)
		return false;
	switch (TCM_SENSE_KEY(sense)) {
	case MEDIUM_ERROR:
	case HARDWARE_ERROR:
	case COPY_ABORTED:
	case ABORTED_COMMAND:
		return true;
	default:
		return sense == TCM_SPACE_ALLOC_FAILED;
	}
}

void tcm_history_add(const struct tcm_cmd *cmd, enum tcm_sense sense)
{
	struct tcm_history_record *rec;
	struct tcm_history *history;
	unsigned long flags;

	if (!tcm_history_wants(sense) || !cmd->dev || !cmd->lun)
		return;
	history = &cmd->dev->lu->history;
	spin_lock_irqsave(&cmd->dev->lu->lock, flags);
	if (!history->ring)
		history->ring = kcalloc(TCM_HISTORY_RECORDS, sizeof(*rec), GFP_ATOMIC);
	if (history->ring) {
		rec = &history->ring[history->recorded++ % TCM_HISTORY_RECORDS];
		*rec = (struct tcm_history_record) {
			.ms	= cpu_to_be64(ktime_to_ms(ktime_get_real())),
			.key	= TCM_SENSE_KEY(sense),
			.asc	= TCM_SENSE_ASC(sense),
			.ascq	= TCM_SENSE_ASCQ(sense),
			.opcode	= cmd->cdb[0],
			.rtpi	= cpu_to_be16(tcm_lun_rtpi(cmd->lun)),
			.lba	= cpu_to_be64(cmd->lba),
		};
		if (cmd->extra.flags & TCM_SX_INFO) {
			rec->flags = TCM_HISTORY_INFO;
			rec->info = cpu_to_be64(cmd->extra.info);
		}
	}
	spin_unlock_irqrestore(&cmd->dev->lu->lock, flags);
}

static void tcm_history_snapshot(struct tcm_history *history)
{
	struct tcm_history_head *head = (struct tcm_history_head *)history->snapshot;
	struct tcm_history_record *rec = (struct tcm_history_record *)(head + 1);
	u64 n = min_t(u64, history->recorded, TCM_HISTORY_RECORDS), i;

	for (i = history->recorded - n; i < history->recorded; i++)
		*rec++ = history->ring[i % TCM_HISTORY_RECORDS];
	head->records = cpu_to_be32(n);
	head->record_len = cpu_to_be32(sizeof(*rec));
	head->recorded = cpu_to_be64(history->recorded);
	history->len = sizeof(*head) + n * sizeof(*rec);
	history->retrieved = false;
}

static unsigned int tcm_history_directory(const struct tcm_device *dev, bool made, u8 *p)
{
	unsigned int i;

	memset(p, 0, TCM_DIR_LEN);
	memset(p, ' ', 8);
	memcpy(p, dev->vendor, strnlen(dev->vendor, 8));
	p[8] = TCM_HISTORY_VERSION;
	p[9] = (dev->lu->history.retrieved ? TCM_DIR_RETRIEVED : TCM_DIR_NOT_RETRIEVED) |
	       (made ? TCM_DIR_FROM_THIS : TCM_DIR_FROM_EARLIER);
	put_unaligned_be16(TCM_DIR_LEN - TCM_DIR_HEAD, p + 30);
	for (i = 0; i < ARRAY_SIZE(tcm_history_ids); i++) {
		u8 *entry = p + TCM_DIR_HEAD + i * TCM_DIR_ENTRY;

		entry[0] = tcm_history_ids[i];
		put_unaligned_be32(entry[0] == TCM_HISTORY_ERRORS ? TCM_HISTORY_MAX : TCM_DIR_LEN,
				   entry + 4);
	}
	return TCM_DIR_LEN;
}

/* The error history I_T nexus; dev->lun_lock held. */
static struct tcm_mapping *tcm_history_nexus(struct tcm_device *dev)
{
	struct tcm_mapping *map;
	struct tcm_lun *lun;

	lockdep_assert_held(&dev->lun_lock);
	list_for_each_entry(lun, &dev->luns, dev_node)
		list_for_each_entry(map, &lun->maps, lun_node)
			if (map->historian && !READ_ONCE(map->removed))
				return map;
	return NULL;
}

/* May this nexus, and who is it afterwards? SPC-4 6.18.9.1, tables 231 and 232 */
static enum tcm_sense tcm_history_enter(struct tcm_cmd *cmd, u8 id)
{
	struct tcm_history *history = &cmd->dev->lu->history;
	struct tcm_mapping *nexus = tcm_history_nexus(cmd->dev);
	bool directory = id <= TCM_HISTORY_LAST_DIRECTORY;
	bool takes = directory && (id & TCM_HISTORY_TAKE_OVER);

	if (nexus && time_after(jiffies, history->deadline)) {
		nexus->historian = false;
		tcm_ua_raise(nexus, TCM_UA_HISTORY_CLEARED);
		nexus = NULL;
	}
	if (nexus && nexus->sess != cmd->sess && history->snapshot && !takes)
		return TCM_OPERATION_IN_PROGRESS;
	if (id >= TCM_HISTORY_CLEAR_NEXUS) {
		if (nexus) {
			nexus->historian = false;
			history->retrieved = true;
		}
		return TCM_OK;
	}
	if (directory && (takes || !nexus)) {
		if (nexus)
			nexus->historian = false;
		cmd->map->historian = true;
	}
	history->deadline = jiffies + TCM_HISTORY_TIMEOUT;
	return TCM_OK;
}

/*
 * The answer into @buf, its length into @len. @fresh is room for a snapshot; what of it is left
 * over, or is no longer wanted, is in it afterwards.
 */
static enum tcm_sense tcm_history_serve(struct tcm_cmd *cmd, u8 id, u8 **fresh, u8 *buf,
					unsigned int *len)
{
	struct tcm_history *history = &cmd->dev->lu->history;
	u32 offset = get_unaligned_be24(cmd->cdb + 3);
	enum tcm_sense sense;
	bool made = false;

	lockdep_assert_held(&cmd->dev->lu->lock);
	if (id == TCM_HISTORY_ERRORS && history->snapshot && offset > history->len)
		return tcm_bad_cdb(cmd, 3, -1);
	spin_lock(&cmd->dev->lun_lock);
	sense = tcm_history_enter(cmd, id);
	spin_unlock(&cmd->dev->lun_lock);
	if (sense)
		return sense;
	if (id == TCM_HISTORY_RELEASE)
		swap(history->snapshot, *fresh);
	if (id >= TCM_HISTORY_CLEAR_NEXUS)
		return TCM_OK;
	if (id == TCM_HISTORY_ERRORS) {
		/* Nobody has asked for a directory. */
		if (!history->snapshot)
			return TCM_COMMAND_SEQUENCE;
		*len = history->len - offset;
		memcpy(buf, history->snapshot + offset, *len);
		return TCM_OK;
	}
	if (!history->snapshot || (id & TCM_HISTORY_ANEW)) {
		swap(history->snapshot, *fresh);
		tcm_history_snapshot(history);
		made = true;
	}
	*len = tcm_history_directory(cmd->dev, made, buf);
	return TCM_OK;
}

enum tcm_sense tcm_history_read(struct tcm_cmd *cmd)
{
	struct tcm_lu *lu = cmd->dev->lu;
	u8 *fresh = NULL, *buf, id = cmd->cdb[2];
	enum tcm_sense sense = TCM_BUSY;
	unsigned int len = 0;

	buf = kmalloc(TCM_HISTORY_MAX, GFP_NOIO);
	if (id <= TCM_HISTORY_LAST_DIRECTORY)
		fresh = kzalloc(TCM_HISTORY_MAX, GFP_NOIO);
	if (buf && (fresh || id > TCM_HISTORY_LAST_DIRECTORY)) {
		spin_lock_irq(&lu->lock);
		sense = tcm_history_serve(cmd, id, &fresh, buf, &len);
		spin_unlock_irq(&lu->lock);
	}
	if (!sense)
		tcm_cmd_put_data(cmd, buf, len);
	kfree(fresh);
	kfree(buf);
	return sense;
}

void tcm_history_reset(struct tcm_device *dev)
{
	struct tcm_mapping *map;
	unsigned long flags;
	u8 *snapshot = NULL;

	spin_lock_irqsave(&dev->lu->lock, flags);
	swap(dev->lu->history.snapshot, snapshot);
	spin_lock(&dev->lun_lock);
	map = tcm_history_nexus(dev);
	if (map)
		map->historian = false;
	spin_unlock(&dev->lun_lock);
	spin_unlock_irqrestore(&dev->lu->lock, flags);
	kfree(snapshot);
}

void tcm_history_destroy(struct tcm_history *history)
{
	kfree(history->ring);
	kfree(history->snapshot);
}
