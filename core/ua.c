// SPDX-License-Identifier: GPL-2.0-only
/*
 * Unit attention conditions (SAM-5 5.14), a bit each on every I_T_L nexus: none
 * needs memory, none can be lost, and the same one established twice is reported once.
 */
#include <linux/bitops.h>
#include <linux/export.h>
#include <tcm/cmd.h>
#include "gate.h"
#include "thin.h"
#include "ua.h"
#include "trace.h"

#define UA(asc, ascq)	TCM_SENSE(UNIT_ATTENTION, asc, ascq)

static const enum tcm_sense tcm_ua_codes[TCM_UA_COUNT] = {
	[TCM_UA_POWER_ON]		= UA(0x29, 0x01),
	[TCM_UA_BUS_RESET]		= UA(0x29, 0x02),
	[TCM_UA_LUN_RESET]		= UA(0x29, 0x03),
	[TCM_UA_INTERNAL_RESET]		= UA(0x29, 0x04),
	[TCM_UA_NEXUS_LOSS]		= UA(0x29, 0x07),
	[TCM_UA_MICROCODE]		= UA(0x3f, 0x01),
	[TCM_UA_MEDIUM_CHANGED]		= UA(0x28, 0x00),
	[TCM_UA_COMMANDS_CLEARED]	= UA(0x2f, 0x00),
	[TCM_UA_CLEARED_BY_SERVER]	= UA(0x2f, 0x02),
	[TCM_UA_RES_PREEMPTED]		= UA(0x2a, 0x03),
	[TCM_UA_RES_RELEASED]		= UA(0x2a, 0x04),
	[TCM_UA_REG_PREEMPTED]		= UA(0x2a, 0x05),
	[TCM_UA_ALUA_CHANGED]		= UA(0x2a, 0x06),
	[TCM_UA_ALUA_FAILED]		= UA(0x2a, 0x07),
	[TCM_UA_CAPACITY_CHANGED]	= UA(0x2a, 0x09),
	[TCM_UA_MODE_CHANGED]		= UA(0x2a, 0x01),
	[TCM_UA_LOG_CHANGED]		= UA(0x2a, 0x02),
	[TCM_UA_HISTORY_CLEARED]	= UA(0x2a, 0x0a),
	[TCM_UA_TIMESTAMP_CHANGED]	= UA(0x2a, 0x10),
	[TCM_UA_PREV_CONFLICT]		= UA(0x2c, 0x09),
	[TCM_UA_BUSY_BEFORE]		= UA(0x2c, 0x0a),
	[TCM_UA_TASK_SET_FULL_BEFORE]	= UA(0x2c, 0x0b),
	[TCM_UA_INQUIRY_CHANGED]	= UA(0x3f, 0x03),
	[TCM_UA_IDENTIFIER_CHANGED]	= UA(0x3f, 0x05),
	[TCM_UA_LUNS_CHANGED]		= UA(0x3f, 0x0e),
	[TCM_UA_THIN_AVAILABLE]		= UA(0x38, 0x07),
	[TCM_UA_THIN_USED]		= UA(0x38, 0x07),
};

static_assert(TCM_UA_COUNT <= BITS_PER_LONG);

enum tcm_sense tcm_ua_sense(enum tcm_ua ua)
{
	return tcm_ua_codes[ua];
}

void tcm_ua_raise(struct tcm_mapping *map, enum tcm_ua ua)
{
	set_bit(ua, &map->ua);
	/* Order: who sees the gate bit sees the condition; pairs with tcm_ua_take(). */
	smp_mb__before_atomic();
	set_bit(TCM_GATE_UA, &map->gate);
	trace_tcm_ua(map, ua);
}

/* Clear the gate's bit unless a condition is pending. */
static void tcm_ua_gate(struct tcm_mapping *map)
{
	if (READ_ONCE(map->ua))
		return;
	clear_bit(TCM_GATE_UA, &map->gate);
	/* One that was raised between the look and the clear has its gate bit back. */
	smp_mb__after_atomic();
	if (READ_ONCE(map->ua))
		set_bit(TCM_GATE_UA, &map->gate);
}

/* The code of one, and what is told with it: which threshold it was (SBC-4 4.7.3.7.6). */
static enum tcm_sense tcm_ua_tell(enum tcm_ua ua, struct tcm_sense_extra *x)
{
	if (ua == TCM_UA_THIN_AVAILABLE || ua == TCM_UA_THIN_USED) {
		x->info = TCM_THIN_DESC(ua - TCM_UA_THIN_AVAILABLE);
		x->flags = TCM_SX_INFO;
	}
	return tcm_ua_codes[ua];
}

enum tcm_sense tcm_ua_take(struct tcm_mapping *map, struct tcm_sense_extra *x)
{
	unsigned long ua;

	do {
		ua = READ_ONCE(map->ua);
		if (!ua)
			break;
	} while (!test_and_clear_bit(__ffs(ua), &map->ua));

	tcm_ua_gate(map);
	return ua ? tcm_ua_tell(__ffs(ua), x) : TCM_OK;
}

enum tcm_sense tcm_ua_peek(const struct tcm_mapping *map, struct tcm_sense_extra *x)
{
	unsigned long ua = READ_ONCE(map->ua);

	return ua ? tcm_ua_tell(__ffs(ua), x) : TCM_OK;
}

enum tcm_sense tcm_ua_report(struct tcm_mapping *map, struct tcm_sense_extra *x)
{
	bool stays = READ_ONCE(map->lun->dev->attr.emulate_ua_intlck_ctrl) != TCM_UA_INTLCK_CLEAR;

	return stays ? tcm_ua_peek(map, x) : tcm_ua_take(map, x);
}

void tcm_ua_untold(struct tcm_mapping *map, enum tcm_sense sense, const struct tcm_sense_extra *x)
{
	int ua;

	for (ua = 0; ua < TCM_UA_COUNT; ua++) {
		struct tcm_sense_extra told = { };

		/* Two have one code: they differ in what is told beside it. */
		if (tcm_ua_tell(ua, &told) == sense && (!told.flags || told.info == x->info)) {
			tcm_ua_raise(map, ua);
			return;
		}
	}
}

void tcm_ua_interlock(struct tcm_mapping *map, enum tcm_sense sense)
{
	if (READ_ONCE(map->lun->dev->attr.emulate_ua_intlck_ctrl) != TCM_UA_INTLCK_ESTABLISH)
		return;
	if (sense == TCM_BUSY)
		tcm_ua_raise(map, TCM_UA_BUSY_BEFORE);
	else if (sense == TCM_RESERVATION_CONFLICT)
		tcm_ua_raise(map, TCM_UA_PREV_CONFLICT);
	else if (sense == TCM_TASK_SET_FULL)
		tcm_ua_raise(map, TCM_UA_TASK_SET_FULL_BEFORE);
}

void tcm_ua_drop(struct tcm_mapping *map, enum tcm_ua ua)
{
	/* What the caller reads from here on is no older than what this bit told of. */
	if (test_and_clear_bit(ua, &map->ua))
		tcm_ua_gate(map);
}

static void tcm_ua_clear(struct tcm_mapping *map, enum tcm_ua ua)
{
	if (map)
		tcm_ua_drop(map, ua);
}

void tcm_ua_clear_session(struct tcm_session *sess, enum tcm_ua ua)
{
	struct tcm_mapping *map;
	unsigned long number;

	rcu_read_lock();
	for (number = 0; number < TCM_LOW_LUNS; number++)
		tcm_ua_clear(rcu_dereference(sess->low[number]), ua);
	xa_for_each(&sess->high, number, map)
		tcm_ua_clear(map, ua);
	rcu_read_unlock();
}

void tcm_ua_raise_device(struct tcm_device *dev, enum tcm_ua ua, const struct tcm_session *except)
{
	struct tcm_mapping *map = NULL;
	unsigned long flags;

	spin_lock_irqsave(&dev->lun_lock, flags);
	while ((map = tcm_nexus_next(dev, map)))
		if (map->sess != except)
			tcm_ua_raise(map, ua);
	spin_unlock_irqrestore(&dev->lun_lock, flags);
}
EXPORT_SYMBOL_GPL(tcm_ua_raise_device);

void tcm_ua_raise_session(struct tcm_session *sess, enum tcm_ua ua)
{
	struct tcm_mapping *map;

	lockdep_assert_held(&sess->tpg->lock);
	list_for_each_entry(map, &sess->maps, sess_node)
		tcm_ua_raise(map, ua);
}
EXPORT_SYMBOL_GPL(tcm_ua_raise_session);
