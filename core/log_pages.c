// SPDX-License-Identifier: GPL-2.0-only
/*
 * The log pages of direct access block devices.
 */
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/unaligned.h>
#include "device.h"
#include "group.h"
#include "lu.h"
#include "opcode.h"
#include "sbc.h"

u8 *tcm_log_param(struct tcm_log_buf *b, u16 code, u8 control, unsigned int len)
{
	u8 *p = b->buf + b->len;

	if (code < b->first)
		return NULL;
	b->past = true;
	put_unaligned_be16(code, p);
	p[2] = control;
	p[3] = len;
	b->len += 4 + len;
	return p + 4;
}

static void tcm_log_number(struct tcm_log_buf *b, u16 code, u8 control, u64 value,
			   unsigned int len)
{
	u8 *p = tcm_log_param(b, code, control, len);

	if (!p)
		return;
	if (len == 8)
		put_unaligned_be64(value, p);
	else
		put_unaligned_be32(min_t(u64, value, U32_MAX), p);
}

/* Supported Log Pages, and with subpages: SPC-4 7.3.18, 7.3.19; no parameters, just codes */
static void tcm_log_supported(struct tcm_log_buf *b, struct tcm_device *dev)
{
	unsigned int i;

	for (i = 0; i < tcm_log_page_count; i++)
		if (!tcm_log_pages[i].subpage && tcm_log_offered(&tcm_log_pages[i], dev))
			b->buf[b->len++] = tcm_log_pages[i].page;
	b->past = true;
}

/* Of all pages, or of one page code: 7.3.19 has that, too */
static void tcm_log_subpages(struct tcm_log_buf *b, struct tcm_device *dev)
{
	const struct tcm_log_page *page;
	unsigned int sub;

	for (page = tcm_log_pages; page < tcm_log_pages + tcm_log_page_count; page++) {
		if ((b->page && b->page != page->page) || !tcm_log_offered(page, dev))
			continue;
		for (sub = page->subpage; sub <= tcm_log_last(page); sub++) {
			b->buf[b->len++] = page->page;
			b->buf[b->len++] = sub;
		}
	}
	b->past = true;
}

/* What was counted since the counters were reset. */
static void tcm_log_sum(struct tcm_device *dev, const struct tcm_log_buf *b,
			struct tcm_map_stats *sum)
{
	const struct tcm_map_stats *base = &dev->lu->log.base;

	memset(sum, 0, sizeof(*sum));
	if (b->pc == TCM_LOG_DEFAULT)
		return;
	tcm_device_sum(dev, sum);
	spin_lock_irq(&dev->lu->lock);
	sum->rd_cmds -= base->rd_cmds;
	sum->wr_cmds -= base->wr_cmds;
	sum->rd_bytes -= base->rd_bytes;
	sum->wr_bytes -= base->wr_bytes;
	sum->rd_other -= base->rd_other;
	sum->wr_other -= base->wr_other;
	spin_unlock_irq(&dev->lu->lock);
}

/* Error counters, SPC-4 7.3.9, 7.3.17, 7.3.21 */
#define TCM_LOG_CORRECTED	0x0003
#define TCM_LOG_BYTES		0x0005
#define TCM_LOG_UNCORRECTED	0x0006

static void tcm_log_errors(struct tcm_log_buf *b, struct tcm_device *dev, enum tcm_log_kind kind,
			   u64 bytes)
{
	long errors = atomic_long_read(&dev->lu->log.errors[kind]);

	/* Nothing is corrected here: what the backend gives is right, or lost. */
	tcm_log_number(b, TCM_LOG_CORRECTED, TCM_LOG_COUNTER, 0, 4);
	if (kind != TCM_LOG_VERIFIES)
		tcm_log_number(b, TCM_LOG_BYTES, TCM_LOG_COUNTER, bytes, 8);
	tcm_log_number(b, TCM_LOG_UNCORRECTED, TCM_LOG_COUNTER,
		       b->pc == TCM_LOG_DEFAULT ? 0 : errors, 4);
}

static void tcm_log_write_errors(struct tcm_log_buf *b, struct tcm_device *dev)
{
	struct tcm_map_stats sum;

	tcm_log_sum(dev, b, &sum);
	tcm_log_errors(b, dev, TCM_LOG_WRITES, sum.wr_bytes - sum.wr_other);
}

static void tcm_log_read_errors(struct tcm_log_buf *b, struct tcm_device *dev)
{
	struct tcm_map_stats sum;

	tcm_log_sum(dev, b, &sum);
	tcm_log_errors(b, dev, TCM_LOG_READS, sum.rd_bytes - sum.rd_other);
}

static void tcm_log_verify_errors(struct tcm_log_buf *b, struct tcm_device *dev)
{
	tcm_log_errors(b, dev, TCM_LOG_VERIFIES, 0);
}

/*
 * Bytes and commands are counted once for several pages: they are reset together, and errors each
 * for itself.
 */
static void tcm_log_reset_sum(struct tcm_device *dev, const struct tcm_map_stats *now, u8 subpage)
{
	lockdep_assert_held(&dev->lu->lock);
	dev->lu->log.base = *now;
}

static void tcm_log_reset_writes(struct tcm_device *dev, const struct tcm_map_stats *now,
				 u8 subpage)
{
	atomic_long_set(&dev->lu->log.errors[TCM_LOG_WRITES], 0);
	dev->lu->log.base.wr_bytes = now->wr_bytes;
	dev->lu->log.base.wr_other = now->wr_other;
}

static void tcm_log_reset_reads(struct tcm_device *dev, const struct tcm_map_stats *now,
				u8 subpage)
{
	atomic_long_set(&dev->lu->log.errors[TCM_LOG_READS], 0);
	dev->lu->log.base.rd_bytes = now->rd_bytes;
	dev->lu->log.base.rd_other = now->rd_other;
}

static void tcm_log_reset_verifies(struct tcm_device *dev, const struct tcm_map_stats *now,
				   u8 subpage)
{
	atomic_long_set(&dev->lu->log.errors[TCM_LOG_VERIFIES], 0);
}

/* What the medium refused, by what was asked of it. */
void tcm_log_error(const struct tcm_cmd *cmd, enum tcm_sense sense)
{
	enum tcm_log_kind kind;

	if (tcm_sense_status(sense) != SAM_STAT_CHECK_CONDITION || !cmd->dev ||
	    TCM_SENSE_KEY(sense) != MEDIUM_ERROR || sense == TCM_RAW_SENSE || !cmd->op)
		return;
	if (cmd->op->exec == tcm_sbc_verify)
		kind = TCM_LOG_VERIFIES;
	else
		kind = cmd->op->flags & TCM_OP_WRITES ? TCM_LOG_WRITES : TCM_LOG_READS;
	atomic_long_inc(&cmd->dev->lu->log.errors[kind]);
}

/* Logical Block Provisioning, SBC-4 6.4.5: counted in threshold sets; SCOPE is byte 4 */
#define TCM_LOG_AVAILABLE	0x0001
#define TCM_LOG_USED		0x0002
#define TCM_LOG_RESOURCE_LEN	8
#define TCM_LOG_DEDICATED	0x01
#define TCM_LOG_SHARED		0x02

static void tcm_log_resource(struct tcm_log_buf *b, u16 code, u64 sets, u8 scope)
{
	u8 *p = tcm_log_param(b, code, TCM_LOG_LIST, TCM_LOG_RESOURCE_LEN);

	if (!p)
		return;
	put_unaligned_be32(min_t(u64, sets, U32_MAX), p);
	p[4] = scope;
}

static void tcm_log_provisioning(struct tcm_log_buf *b, struct tcm_device *dev)
{
	struct tcm_space now;
	bool known;

	spin_lock_irq(&dev->lu->lock);
	now = dev->lu->thin.now;
	known = dev->lu->thin.known;
	spin_unlock_irq(&dev->lu->lock);
	/* Each parameter is optional: what is not known now is left out. */
	b->past = !known && !b->first;
	if (!known)
		return;
	tcm_log_resource(b, TCM_LOG_AVAILABLE, now.available >> TCM_THIN_SET_SHIFT,
			 TCM_LOG_SHARED);
	tcm_log_resource(b, TCM_LOG_USED, (now.used + (1 << TCM_THIN_SET_SHIFT) - 1) >>
			 TCM_THIN_SET_SHIFT, TCM_LOG_DEDICATED);
}

/* Temperature, SPC-4 7.3.20: there is no sensor */
#define TCM_LOG_NO_TEMPERATURE	0xff

static void tcm_log_temperature(struct tcm_log_buf *b, struct tcm_device *dev)
{
	u8 *p = tcm_log_param(b, 0, TCM_LOG_LIST, 2);

	if (p)
		p[1] = TCM_LOG_NO_TEMPERATURE;
}

/* Start-Stop Cycle Counter, SPC-4 7.3.16 */
#define TCM_LOG_STOPS		0x0004

static void tcm_log_cycles(struct tcm_log_buf *b, struct tcm_device *dev)
{
	tcm_log_number(b, TCM_LOG_STOPS, TCM_LOG_LIST, atomic_read(&dev->lu->log.stops), 4);
}

static void tcm_log_app(struct tcm_log_buf *b, struct tcm_device *dev)
{
	u8 (*app)[TCM_APP_LEN];
	unsigned int i;
	u8 *p;

	spin_lock_irq(&dev->lu->lock);
	app = dev->lu->log.app;
	for (i = 0; i < TCM_APP_PARAMS; i++) {
		p = tcm_log_param(b, i, TCM_LOG_LIST, TCM_APP_LEN);
		if (p && app && b->pc != TCM_LOG_DEFAULT)
			memcpy(p, app[i], TCM_APP_LEN);
	}
	spin_unlock_irq(&dev->lu->lock);
}

static void tcm_log_reset_app(struct tcm_device *dev, const struct tcm_map_stats *now, u8 subpage)
{
	u8 (*app)[TCM_APP_LEN] = dev->lu->log.app;

	if (app)
		memset(app, 0, TCM_APP_PARAMS * TCM_APP_LEN);
}

enum tcm_sense tcm_log_app_check(const u8 *list, unsigned int pos, unsigned int len,
				 struct tcm_cmd *cmd)
{
	unsigned int end = pos + len;
	int last = -1;

	for (; pos < end; pos += 4 + TCM_APP_LEN) {
		int code;

		if (end - pos < 4)
			return tcm_bad_param(cmd, pos, -1);
		code = get_unaligned_be16(list + pos);
		if (code >= TCM_APP_PARAMS || code <= last)
			return tcm_bad_param(cmd, pos, -1);
		if (list[pos + 3] != TCM_APP_LEN || end - pos < 4 + TCM_APP_LEN)
			return tcm_bad_param(cmd, pos + 3, -1);
		last = code;
	}
	return TCM_OK;
}

enum tcm_sense tcm_log_app_write(struct tcm_device *dev, const u8 *p, unsigned int len)
{
	struct tcm_log_state *log = &dev->lu->log;
	const u8 *end = p + len;
	u8 (*app)[TCM_APP_LEN];

	app = kvcalloc(TCM_APP_PARAMS, TCM_APP_LEN, GFP_NOIO);
	if (!app)
		return TCM_BUSY;
	spin_lock_irq(&dev->lu->lock);
	if (!log->app)
		swap(log->app, app);
	for (; p < end; p += 4 + TCM_APP_LEN)
		memcpy(log->app[get_unaligned_be16(p)], p + 4, TCM_APP_LEN);
	spin_unlock_irq(&dev->lu->lock);
	kvfree(app);
	return TCM_OK;
}

/* Self-Test Results, SPC-4 7.3.15: parameters 1 to 14h */
static void tcm_log_selftest(struct tcm_log_buf *b, struct tcm_device *dev)
{
	unsigned int i;
	u8 *p;

	spin_lock_irq(&dev->lu->lock);
	for (i = 0; i < TCM_SELFTEST_RESULTS; i++) {
		p = tcm_log_param(b, i + 1, TCM_LOG_LIST, TCM_SELFTEST_LEN);
		if (p)
			tcm_selftest_result(dev, i, p);
	}
	spin_unlock_irq(&dev->lu->lock);
}

/* Background Scan, SBC-4 6.4.2: parameter 0 only; nothing scans by itself */
static void tcm_log_background(struct tcm_log_buf *b, struct tcm_device *dev)
{
	u8 *p = tcm_log_param(b, 0, TCM_LOG_LIST, 12);

	if (p)
		put_unaligned_be32(div_u64(get_jiffies_64() - dev->created, 60 * HZ), p);
}

/* General Statistics and Performance, SPC-4 7.3.10. Times are not measured: their counts stay 0. */
#define TCM_LOG_GENERAL		0x0001
#define TCM_LOG_GENERAL_LEN	64
#define TCM_LOG_IDLE		0x0002
#define TCM_LOG_INTERVAL	0x0003
#define TCM_LOG_MILLISECOND	(3ULL << 32 | 1)	/* EXPONENT, INTEGER: 1 / 10^3 s */

static void tcm_log_general(struct tcm_log_buf *b, struct tcm_device *dev)
{
	u8 *p = tcm_log_param(b, TCM_LOG_GENERAL, TCM_LOG_COUNTER, TCM_LOG_GENERAL_LEN);
	struct tcm_map_stats sum;

	if (p) {
		tcm_log_sum(dev, b, &sum);
		put_unaligned_be64(sum.rd_cmds, p);
		put_unaligned_be64(sum.wr_cmds, p + 8);
		put_unaligned_be64((sum.wr_bytes - sum.wr_other) >> dev->block_shift, p + 16);
		put_unaligned_be64((sum.rd_bytes - sum.rd_other) >> dev->block_shift, p + 24);
	}
	tcm_log_number(b, TCM_LOG_IDLE, TCM_LOG_COUNTER, 0, 8);
	tcm_log_number(b, TCM_LOG_INTERVAL, TCM_LOG_LIST, TCM_LOG_MILLISECOND, 8);
}

/* Informational Exceptions, SPC-4 7.3.12: there are none to tell */
static void tcm_log_exceptions(struct tcm_log_buf *b, struct tcm_device *dev)
{
	u8 *p = tcm_log_param(b, 0, TCM_LOG_LIST, 4);

	if (p)
		p[2] = TCM_LOG_NO_TEMPERATURE;
}

#define TCM_LOG_SMALL	128

const struct tcm_log_page tcm_log_pages[] = {
	{ 0x00, 0x00, false, NULL, TCM_LOG_SMALL, tcm_log_supported },
	{ 0x00, TCM_LOG_ALL_SUBPAGES, false, NULL, TCM_LOG_SMALL, tcm_log_subpages },
	{ 0x02, 0x00, true, NULL, TCM_LOG_SMALL, tcm_log_write_errors, tcm_log_reset_writes },
	{ 0x03, 0x00, true, NULL, TCM_LOG_SMALL, tcm_log_read_errors, tcm_log_reset_reads },
	{ 0x05, 0x00, true, NULL, TCM_LOG_SMALL, tcm_log_verify_errors,
	  tcm_log_reset_verifies },
	{ 0x0c, 0x00, false, tcm_thin_offered, TCM_LOG_SMALL, tcm_log_provisioning },
	{ 0x0d, 0x00, false, NULL, TCM_LOG_SMALL, tcm_log_temperature },
	{ 0x0e, 0x00, false, NULL, TCM_LOG_SMALL, tcm_log_cycles },
	{ 0x0f, 0x00, false, NULL, 4 + TCM_APP_PARAMS * (4 + TCM_APP_LEN), tcm_log_app,
	  tcm_log_reset_app },
	{ 0x10, 0x00, false, NULL, 4 + TCM_SELFTEST_RESULTS * (4 + TCM_SELFTEST_LEN),
	  tcm_log_selftest },
	{ 0x15, 0x00, false, NULL, TCM_LOG_SMALL, tcm_log_background },
	{ 0x19, 0x00, true, NULL, TCM_LOG_SMALL, tcm_log_general, tcm_log_reset_sum },
	{ 0x19, 0x01, true, NULL, TCM_LOG_SMALL, tcm_group_log, tcm_group_log_reset, TCM_GROUPS },
	{ 0x19, TCM_LOG_ALL_SUBPAGES, false, NULL, TCM_LOG_SMALL, tcm_log_subpages },
	{ 0x2f, 0x00, false, NULL, TCM_LOG_SMALL, tcm_log_exceptions },
};

const unsigned int tcm_log_page_count = ARRAY_SIZE(tcm_log_pages);
static_assert(4 + 2 * (ARRAY_SIZE(tcm_log_pages) + TCM_GROUPS) <= TCM_LOG_SMALL);
