// SPDX-License-Identifier: GPL-2.0-only
/*
 * LOG SENSE and LOG SELECT (SPC-4 6.7, 6.8).
 */
#include <linux/slab.h>
#include <linux/unaligned.h>
#include "cmd.h"
#include "device.h"
#include "lu.h"
#include "opcode.h"
#include "spc.h"

#define TCM_LOG_PAGE_CODE	0x3f	/* LOG SENSE and LOG SELECT byte 2 */
#define TCM_LOG_PCR		0x02	/* LOG SELECT byte 1 */
#define TCM_LOG_SPF		0x40	/* byte 0 of a page with a subpage code */

/* The page, or NULL with *@known: there is one of that code with another subpage. */
static const struct tcm_log_page *tcm_log_find(const struct tcm_device *dev, u8 code, u8 subpage,
					       bool *known)
{
	const struct tcm_log_page *page;

	*known = false;
	for (page = tcm_log_pages; page < tcm_log_pages + tcm_log_page_count; page++) {
		if (page->page != code || (dev && !tcm_log_offered(page, dev)))
			continue;
		*known = true;
		if (subpage >= page->subpage && subpage <= tcm_log_last(page))
			return page;
	}
	return NULL;
}

static const struct tcm_log_page *tcm_log_page_of(struct tcm_cmd *cmd, enum tcm_sense *sense)
{
	const struct tcm_log_page *page;
	bool known;

	page = tcm_log_find(cmd->dev, cmd->cdb[2] & TCM_LOG_PAGE_CODE, cmd->cdb[3], &known);
	if (!page)
		*sense = known ? tcm_bad_cdb(cmd, 3, -1) : tcm_bad_cdb(cmd, 2, 5);
	return page;
}

enum tcm_sense tcm_spc_log_sense_parse(struct tcm_cmd *cmd)
{
	const struct tcm_log_page *page;
	enum tcm_sense sense = TCM_OK;
	u8 pc = cmd->cdb[2] >> 6;

	page = tcm_log_page_of(cmd, &sense);
	if (!page)
		return sense;
	/* Where there are counters there could be thresholds, but there are none. */
	if (page->counters && (pc == TCM_LOG_THRESHOLD || pc == TCM_LOG_DEFAULT_THRESHOLD))
		return tcm_bad_cdb(cmd, 2, 7);
	return TCM_OK;
}

/* A list of page codes: it has no parameters. */
static bool tcm_log_is_list(const struct tcm_log_page *page)
{
	return !page->page || page->subpage == TCM_LOG_ALL_SUBPAGES;
}

enum tcm_sense tcm_spc_log_sense(struct tcm_cmd *cmd)
{
	struct tcm_log_buf b = {
		.len	= 4,
		.first	= get_unaligned_be16(cmd->cdb + 5),
		.pc	= cmd->cdb[2] >> 6,
		.page	= cmd->cdb[2] & TCM_LOG_PAGE_CODE,
		.subpage = cmd->cdb[3],
	};
	enum tcm_sense sense = TCM_OK;
	const struct tcm_log_page *page = tcm_log_page_of(cmd, &sense);

	if (!page)
		return sense;
	b.buf = kvzalloc(page->room, GFP_NOIO);
	if (!b.buf)
		return TCM_BUSY;
	page->build(&b, cmd->dev);
	/* SPC-4 6.8.1: a parameter code beyond the last one. Lists of codes have no parameters. */
	if (!b.past || (b.first && tcm_log_is_list(page))) {
		sense = tcm_bad_cdb(cmd, 5, -1);
	} else {
		b.buf[0] = b.page | (b.subpage ? TCM_LOG_SPF : 0);
		b.buf[1] = b.subpage;
		put_unaligned_be16(b.len - 4, b.buf + 2);
		tcm_cmd_put_data(cmd, b.buf, b.len);
	}
	kvfree(b.buf);
	return sense;
}

enum tcm_sense tcm_spc_log_select_parse(struct tcm_cmd *cmd)
{
	bool one = (cmd->cdb[2] & TCM_LOG_PAGE_CODE) || cmd->cdb[3];
	enum tcm_sense sense = TCM_OK;

	if (cmd->data_len && (cmd->cdb[1] & TCM_LOG_PCR))
		return tcm_bad_cdb(cmd, 1, 1);
	/* Which page it is stands in the list (SPC-4 6.7) */
	if (cmd->data_len && one)
		return cmd->cdb[2] & TCM_LOG_PAGE_CODE ? tcm_bad_cdb(cmd, 2, 5) :
							 tcm_bad_cdb(cmd, 3, -1);
	if (!cmd->data_len && one)
		tcm_log_page_of(cmd, &sense);
	return sense;
}

/* SPC-4 6.7: a page, all subpages of a page code, or every page there is */
static bool tcm_log_named(const struct tcm_log_page *page, u8 code, u8 subpage)
{
	if (code && page->page != code)
		return false;
	return !code || subpage == TCM_LOG_ALL_SUBPAGES ||
	       (subpage >= page->subpage && subpage <= tcm_log_last(page));
}

/* Counters of the pages that the CDB names, or of all, start anew. */
static void tcm_log_reset(struct tcm_cmd *cmd)
{
	u8 code = cmd->cdb[2] & TCM_LOG_PAGE_CODE, subpage = cmd->cdb[3];
	struct tcm_lu *lu = cmd->dev->lu;
	const struct tcm_log_page *page;
	struct tcm_map_stats now;

	tcm_device_sum(cmd->dev, &now);
	spin_lock_irq(&lu->lock);
	for (page = tcm_log_pages; page < tcm_log_pages + tcm_log_page_count; page++)
		if (page->reset && tcm_log_named(page, code, subpage))
			page->reset(cmd->dev, &now, subpage);
	spin_unlock_irq(&lu->lock);
	tcm_ua_raise_device(cmd->dev, TCM_UA_LOG_CHANGED, cmd->sess);
}

/* A list of pages: the whole is checked before anything is taken over. */
static enum tcm_sense tcm_log_list(struct tcm_cmd *cmd, const u8 *list, bool write)
{
	unsigned int pos, len, size = cmd->data_len;
	enum tcm_sense sense = TCM_OK;

	for (pos = 0; pos < size && !sense; pos += 4 + len) {
		if (size - pos < 4)
			return TCM_PARAM_LIST_LENGTH;
		len = get_unaligned_be16(list + pos + 2);
		/* The application client's page is the only one whose values are not our own. */
		if ((list[pos] & 0x7f) != 0x0f)
			return tcm_bad_param(cmd, pos, 5);
		if (list[pos + 1])
			return tcm_bad_param(cmd, pos + 1, -1);
		if (size - pos - 4 < len)
			return TCM_PARAM_LIST_LENGTH;
		if (write)
			sense = tcm_log_app_write(cmd->dev, list + pos + 4, len);
		else
			sense = tcm_log_app_check(list, pos + 4, len, cmd);
	}
	return sense;
}

enum tcm_sense tcm_spc_log_select(struct tcm_cmd *cmd)
{
	unsigned int len = cmd->data_len;
	enum tcm_sense sense;
	u8 *list;

	if (!len) {
		if ((cmd->cdb[1] & TCM_LOG_PCR) || cmd->cdb[2] >> 6 == TCM_LOG_DEFAULT)
			tcm_log_reset(cmd);
		return TCM_OK;
	}
	list = kvmalloc(len, GFP_NOIO);
	if (!list)
		return TCM_BUSY;
	sense = TCM_PARAM_LIST_LENGTH;
	if (tcm_cmd_get_data(cmd, list, len) == len)
		sense = tcm_log_list(cmd, list, false);
	if (!sense)
		sense = tcm_log_list(cmd, list, true);
	if (!sense)
		tcm_ua_raise_device(cmd->dev, TCM_UA_LOG_CHANGED, cmd->sess);
	kvfree(list);
	return sense;
}
