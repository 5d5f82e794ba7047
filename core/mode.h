/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Mode pages (SPC-4 7.5, SBC-4 6.5): the table, and reading and checking parameter lists.
 */
#ifndef _TCM_MODE_H
#define _TCM_MODE_H

#include <tcm/backend.h>

#define TCM_MODE_ALL_PAGES	0x3f
#define TCM_MODE_ALL_SUBPAGES	0xff
#define TCM_MODE_PAGE_MAX	20	/* bytes of the longest page */
#define TCM_MODE_MAX		256	/* room for header, block descriptor and every page */

/* PC field of MODE SENSE */
enum tcm_mode_pc {
	TCM_MODE_CURRENT,
	TCM_MODE_CHANGEABLE,
	TCM_MODE_DEFAULT,
	TCM_MODE_SAVED,
};

/**
 * struct tcm_mode_page - one page
 * @page: PAGE CODE
 * @subpage: SUBPAGE CODE, 0 for a page in page_0 format
 * @len: bytes of the whole page
 * @base: the bytes of the page that are the same for every device
 * @changeable: the bits that MODE SELECT may change
 * @fill: add what depends on the device; @pc is TCM_MODE_CURRENT or TCM_MODE_DEFAULT. May be NULL.
 * @set: take over the changeable bits of a checked page; NULL when there are none
 *
 * Nothing is saved: PS is zero and there are no saved values.
 */
struct tcm_mode_page {
	u8	page, subpage, len;
	u8	base[TCM_MODE_PAGE_MAX];
	u8	changeable[TCM_MODE_PAGE_MAX];
	void	(*fill)(const struct tcm_device *dev, enum tcm_mode_pc pc, u8 *p);
	void	(*set)(struct tcm_device *dev, const u8 *p);
};

/* In the order in which they are returned (SPC-4 6.13.1). */
extern const struct tcm_mode_page tcm_mode_pages[];
extern const unsigned int tcm_mode_page_count;

/* One page with the values of @pc (not TCM_MODE_SAVED) into @p; its length. */
unsigned int tcm_mode_page_build(const struct tcm_mode_page *page, const struct tcm_device *dev,
				 enum tcm_mode_pc pc, u8 *p);

/*
 * The pages that PAGE CODE and SUBPAGE CODE select, one after the other; their length,
 * 0 when there is none. Pure over @dev.
 */
unsigned int tcm_mode_pages_build(const struct tcm_device *dev, u8 page, u8 subpage,
				  enum tcm_mode_pc pc, u8 *buf);

/*
 * Header and block descriptor of a parameter list: @ten for MODE SENSE(10) and SELECT(10),
 * @long_lba for a long LBA block descriptor. @bd_len is BLOCK DESCRIPTOR LENGTH.
 */
unsigned int tcm_mode_bd_build(const struct tcm_device *dev, bool long_lba, u8 *p);

/* DEVICE-SPECIFIC PARAMETER (SBC-4 6.5.1) */
#define TCM_MODE_WP		0x80
#define TCM_MODE_DPOFUA		0x10

/*
 * Check a whole MODE SELECT parameter list against what @dev may change. TCM_OK, or the
 * sense with its field pointer in *@x. Changes nothing.
 */
enum tcm_sense tcm_mode_list_check(const struct tcm_device *dev, const u8 *list, unsigned int len,
				   bool ten, struct tcm_sense_extra *x);

/* Take over a checked list; tells whether anything changed. */
bool tcm_mode_list_apply(struct tcm_device *dev, const u8 *list, unsigned int len, bool ten);

#endif
