// SPDX-License-Identifier: GPL-2.0-only
/*
 * ROD tokens: SPC-4 5.17.6. Who has the bytes of a token may read what it stands for; so they are
 * random, and are compared with those that were given away.
 */
#include <crypto/algapi.h>
#include <linux/jiffies.h>
#include <linux/random.h>
#include <linux/slab.h>
#include <linux/unaligned.h>
#include "range.h"
#include "rod.h"
#include "vpd.h"

/* How soon the memory and the gates of a token whose time is over are given back */
#define TCM_ROD_TICK	(5 * HZ)

/* Protects the list and what struct tcm_rod says; outside of tcm_ranges.lock */
static DEFINE_SPINLOCK(tcm_rod_lock);
static LIST_HEAD(tcm_rod_list);		/* oldest first */
static u64 tcm_rod_id;

static void tcm_rod_tick(struct work_struct *work);
static DECLARE_DELAYED_WORK(tcm_rod_work, tcm_rod_tick);

struct tcm_rod *tcm_rod_alloc(unsigned int n)
{
	struct tcm_rod *rod = kzalloc(sizeof(*rod), GFP_NOIO);

	if (!rod)
		return NULL;
	refcount_set(&rod->ref, 1);
	INIT_LIST_HEAD(&rod->node);
	rod->ranges = kcalloc(n, sizeof(*rod->ranges), GFP_NOIO);
	rod->watch.spans = kcalloc(n, sizeof(*rod->watch.spans), GFP_NOIO);
	if (!rod->ranges || !rod->watch.spans) {
		tcm_rod_put(rod);
		return NULL;
	}
	return rod;
}

void tcm_rod_put(struct tcm_rod *rod)
{
	if (!refcount_dec_and_test(&rod->ref))
		return;
	kfree(rod->watch.spans);
	kfree(rod->ranges);
	kfree(rod);
}

/* It is no longer good for anything; the list still knows why. */
static void tcm_rod_spoil(struct tcm_rod *rod, enum tcm_rod_state state)
{
	lockdep_assert_held(&tcm_rod_lock);
	if (rod->state == TCM_ROD_GOOD && tcm_rod_intact(rod))
		rod->state = state;
	tcm_watch_del(rod->lun->dev, &rod->watch);
}

static void tcm_rod_drop(struct tcm_rod *rod)
{
	lockdep_assert_held(&tcm_rod_lock);
	tcm_watch_del(rod->lun->dev, &rod->watch);
	list_del_init(&rod->node);
	tcm_rod_put(rod);
}

static bool tcm_rod_is_good(const struct tcm_rod *rod)
{
	return rod->state == TCM_ROD_GOOD && tcm_rod_intact(rod);
}

static void tcm_rod_look(struct tcm_rod *rod)
{
	if (!rod->users && (time_after_eq(jiffies, rod->end) ||
			    time_after_eq(jiffies, rod->idle_end)))
		tcm_rod_spoil(rod, TCM_ROD_EXPIRED);
}

static void tcm_rod_expire(struct tcm_rod *rod)
{
	tcm_rod_look(rod);
	/* Who comes later is told that nobody knows it. */
	if (!rod->users && time_after_eq(jiffies, rod->end))
		tcm_rod_drop(rod);
}

static void tcm_rod_tick(struct work_struct *work)
{
	struct tcm_rod *rod, *n;
	bool any;

	spin_lock(&tcm_rod_lock);
	list_for_each_entry_safe(rod, n, &tcm_rod_list, node)
		tcm_rod_expire(rod);
	any = !list_empty(&tcm_rod_list);
	spin_unlock(&tcm_rod_lock);
	if (any)
		queue_delayed_work(system_wq, &tcm_rod_work, TCM_ROD_TICK);
}

#define TCM_ROD_CREATOR_AT	16
#define TCM_ROD_BYTES_AT	56	/* the lower half of 16 bytes */
#define TCM_ROD_BLOCK_AT	96
#define TCM_ROD_TARGET_AT	128
#define TCM_ROD_TARGET_LEN	128
#define TCM_ROD_SECRET_AT	256
#define TCM_ROD_CSCD		0xe4	/* identification descriptor CSCD descriptor */
#define TCM_ROD_CSCD_BLOCK_AT	29

/*
 * The first designator of VPD 83h with this ASSOCIATION and one of these DESIGNATOR TYPEs that has
 * room in @room bytes
 */
static void tcm_rod_designator(const u8 *page, unsigned int len, u8 assoc, u16 types, u8 *to,
			       unsigned int room)
{
	unsigned int at;

	for (at = 4; at + 4 <= len && at + 4 + page[at + 3] <= len; at += 4 + page[at + 3])
		if ((page[at + 1] >> 4 & 3) == assoc && types & BIT(page[at + 1] & 0xf) &&
		    4 + page[at + 3] <= room) {
			memcpy(to, page + at, 4 + page[at + 3]);
			return;
		}
}

/* SPC-4 table 112 and SBC-3's device type specific data. Byte 96 on stays with who has it. */
static enum tcm_sense tcm_rod_token(struct tcm_rod *rod, const struct tcm_lun *lun)
{
	const struct tcm_device *dev = lun->dev;
	u8 *page = kzalloc(TCM_VPD_MAX, GFP_NOIO), *t = rod->token;
	unsigned int len;

	if (!page)
		return TCM_BUSY;
	len = tcm_vpd_build(lun, tcm_vpd_find(dev, 0x83), page);
	put_unaligned_be32(TCM_ROD_VULNERABLE, t);
	put_unaligned_be16(TCM_ROD_TOKEN_LENGTH, t + 6);
	t[TCM_ROD_CREATOR_AT] = TCM_ROD_CSCD;
	t[TCM_ROD_CREATOR_AT + 1] = dev->type;
	tcm_rod_designator(page, len, 0, BIT(3), t + TCM_ROD_CREATOR_AT + 4, 24);
	put_unaligned_be24(1U << dev->block_shift, t + TCM_ROD_CREATOR_AT + TCM_ROD_CSCD_BLOCK_AT);
	put_unaligned_be64(rod->bytes, t + TCM_ROD_BYTES_AT);
	put_unaligned_be32(1U << dev->block_shift, t + TCM_ROD_BLOCK_AT);
	tcm_rod_designator(page, len, 2, BIT(2) | BIT(3) | BIT(8), t + TCM_ROD_TARGET_AT,
			   TCM_ROD_TARGET_LEN);
	get_random_bytes(t + TCM_ROD_SECRET_AT, TCM_ROD_TOKEN_LEN - TCM_ROD_SECRET_AT);
	kfree(page);
	return TCM_OK;
}

/* Room for one more token of the device; the oldest that is no longer good makes it. */
static bool tcm_rod_room(const struct tcm_device *dev)
{
	struct tcm_rod *rod, *bad = NULL;
	unsigned int n = 0;

	lockdep_assert_held(&tcm_rod_lock);
	list_for_each_entry(rod, &tcm_rod_list, node) {
		if (rod->lun->dev != dev)
			continue;
		n++;
		if (!bad && !tcm_rod_is_good(rod) && !rod->users)
			bad = rod;
	}
	if (n < TCM_RODS)
		return true;
	if (bad)
		tcm_rod_drop(bad);
	return bad;
}

enum tcm_sense tcm_rod_publish(struct tcm_rod *rod, struct tcm_lun *lun, u32 idle)
{
	enum tcm_sense sense = tcm_rod_token(rod, lun);

	if (sense)
		return sense;
	rod->lun = lun;
	rod->idle = idle * HZ;
	rod->idle_end = jiffies + rod->idle;
	rod->end = jiffies + TCM_ROD_LIFE * HZ;
	spin_lock(&tcm_rod_lock);
	if (!tcm_rod_room(lun->dev)) {
		sense = TCM_NO_ROOM_FOR_TOKEN;
	} else {
		if (!tcm_rod_id)
			tcm_rod_id = (u64)get_random_u32() << 32;
		put_unaligned_be64(++tcm_rod_id, rod->token + 8);
		list_add_tail(&rod->node, &tcm_rod_list);
		queue_delayed_work(system_wq, &tcm_rod_work, TCM_ROD_TICK);
	}
	spin_unlock(&tcm_rod_lock);
	return sense;
}

static enum tcm_sense tcm_rod_why(const struct tcm_rod *rod)
{
	if (rod->state == TCM_ROD_EXPIRED)
		return TCM_TOKEN_EXPIRED;
	if (rod->state == TCM_ROD_DELETED)
		return TCM_TOKEN_DELETED;
	return tcm_rod_intact(rod) ? TCM_OK : TCM_TOKEN_CANCELLED;
}

enum tcm_sense tcm_rod_find(const u8 *token, struct tcm_rod **found, struct tcm_lun **lun)
{
	enum tcm_sense sense = TCM_TOKEN_UNKNOWN;
	struct tcm_rod *rod;

	if (get_unaligned_be16(token + 6) != TCM_ROD_TOKEN_LENGTH)
		return TCM_TOKEN_LENGTH;
	if (get_unaligned_be32(token) != TCM_ROD_VULNERABLE)
		return TCM_TOKEN_TYPE;
	spin_lock(&tcm_rod_lock);
	list_for_each_entry(rod, &tcm_rod_list, node) {
		if (crypto_memneq(rod->token, token, TCM_ROD_TOKEN_LEN))
			continue;
		tcm_rod_look(rod);
		sense = tcm_rod_why(rod);
		if (!sense && !percpu_ref_tryget_live(&rod->lun->ref))
			sense = TCM_TOKEN_CANCELLED;
		if (!sense) {
			rod->users++;
			refcount_inc(&rod->ref);
			*found = rod;
			*lun = rod->lun;
		}
		break;
	}
	spin_unlock(&tcm_rod_lock);
	return sense;
}

void tcm_rod_release(struct tcm_rod *rod, bool delete)
{
	spin_lock(&tcm_rod_lock);
	rod->users--;
	rod->idle_end = jiffies + rod->idle;
	if (!list_empty(&rod->node) && delete)
		tcm_rod_spoil(rod, TCM_ROD_DELETED);
	spin_unlock(&tcm_rod_lock);
	tcm_rod_put(rod);
}

void tcm_rod_lun_gone(struct tcm_lun *lun)
{
	struct tcm_rod *rod, *n;

	spin_lock(&tcm_rod_lock);
	list_for_each_entry_safe(rod, n, &tcm_rod_list, node)
		if (rod->lun == lun)
			tcm_rod_drop(rod);
	spin_unlock(&tcm_rod_lock);
}

unsigned int tcm_rod_report(const struct tcm_device *dev, u8 *buf)
{
	struct tcm_rod *rod;
	unsigned int n = 0;

	spin_lock(&tcm_rod_lock);
	list_for_each_entry(rod, &tcm_rod_list, node)
		if (rod->lun->dev == dev && tcm_rod_is_good(rod) && n < TCM_RODS)
			memcpy(buf + n++ * TCM_ROD_MANAGEMENT_LEN, rod->token,
			       TCM_ROD_MANAGEMENT_LEN);
	spin_unlock(&tcm_rod_lock);
	return n;
}

void tcm_rod_exit(void)
{
	cancel_delayed_work_sync(&tcm_rod_work);
}
