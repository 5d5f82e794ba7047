/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Log pages (SPC-4 7.3, SBC-4 6.4): the table, and what is counted for them. Reads and writes are
 * counted where every nexus counts its commands (struct tcm_map_stats); the rest
 * is counted where something goes wrong or is rare.
 */
#ifndef _TCM_LOG_H
#define _TCM_LOG_H

#include <linux/atomic.h>
#include <tcm/cmd.h>

#define TCM_LOG_ALL_SUBPAGES	0xff

/* PC field of LOG SENSE and LOG SELECT */
enum tcm_log_pc {
	TCM_LOG_THRESHOLD,
	TCM_LOG_CUMULATIVE,
	TCM_LOG_DEFAULT_THRESHOLD,
	TCM_LOG_DEFAULT,
};

enum tcm_log_kind {
	TCM_LOG_WRITES,
	TCM_LOG_READS,
	TCM_LOG_VERIFIES,
	TCM_LOG_KINDS,
};

/* Application Client log page, SPC-4 7.3.3: parameters 0 to 3Fh, which are the initiators' */
#define TCM_APP_PARAMS		64
#define TCM_APP_LEN		0xfc

/* Members of struct tcm_lu; lu->lock protects what is not atomic. */
struct tcm_log_state {
	atomic_long_t		errors[TCM_LOG_KINDS];	/* uncorrected */
	atomic_t		stops;			/* start-stop cycles */
	struct tcm_map_stats	base;			/* counted before LOG SELECT reset it */
	u8			(*app)[TCM_APP_LEN];	/* NULL: nothing was written yet */
};

/**
 * struct tcm_log_buf - a page that is being built
 * @buf: the page, from its header on
 * @len: bytes so far
 * @first: PARAMETER POINTER: parameters with lower codes are left out
 * @past: there was a parameter whose code is @first or higher
 * @pc: which values; pages that have no counters ignore it
 * @page: PAGE CODE
 * @subpage: SUBPAGE CODE
 */
struct tcm_log_buf {
	u8		*buf;
	unsigned int	len;
	u16		first;
	bool		past;
	enum tcm_log_pc	pc;
	u8		page, subpage;
};

/**
 * struct tcm_log_page - one page
 * @page: PAGE CODE
 * @subpage: SUBPAGE CODE
 * @counters: has counters, with cumulative and default values, but without thresholds
 * @offered: does the device have the page? NULL: each has it
 * @room: bytes of the whole page at most
 * @build: append the parameters, in the order of their codes
 * @reset: LOG SELECT with PCR that names @subpage, 0: every one; lu->lock held. NULL: nothing can
 *	be reset.
 * @last: SUBPAGE CODE of the last of several pages that are alike; 0: it is one
 */
struct tcm_log_page {
	u8		page, subpage;
	bool		counters;
	bool		(*offered)(const struct tcm_device *dev);
	unsigned int	room;
	void		(*build)(struct tcm_log_buf *b, struct tcm_device *dev);
	void		(*reset)(struct tcm_device *dev, const struct tcm_map_stats *now,
				 u8 subpage);
	u8		last;
};

static inline u8 tcm_log_last(const struct tcm_log_page *page)
{
	return page->last ?: page->subpage;
}

/* In the order of page and subpage codes. */
extern const struct tcm_log_page tcm_log_pages[];
extern const unsigned int tcm_log_page_count;

static inline bool tcm_log_offered(const struct tcm_log_page *page, const struct tcm_device *dev)
{
	return !page->offered || page->offered(dev);
}

/* FORMAT AND LINKING of the parameter control byte */
#define TCM_LOG_COUNTER		0x00
#define TCM_LOG_LIST		0x03

/*
 * Append a parameter: room for @len zeroed bytes, or NULL when PARAMETER POINTER leaves it out.
 */
u8 *tcm_log_param(struct tcm_log_buf *b, u16 code, u8 control, unsigned int len);

/* A command failed with this code: count it if it is an error of the medium. Any context. */
void tcm_log_error(const struct tcm_cmd *cmd, enum tcm_sense sense);

/* Check and take over the parameters of an Application Client page; lu->lock is not held. */
enum tcm_sense tcm_log_app_check(const u8 *list, unsigned int pos, unsigned int len,
				 struct tcm_cmd *cmd);
enum tcm_sense tcm_log_app_write(struct tcm_device *dev, const u8 *p, unsigned int len);

#endif
