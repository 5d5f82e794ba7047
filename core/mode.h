/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Mode pages (SPC-4 7.5, SBC-4 6.5): the table, and reading and checking parameter lists.
 */
#ifndef _TCM_MODE_H
#define _TCM_MODE_H

#include <linux/bits.h>
#include <tcm/backend.h>

#define TCM_MODE_ALL_PAGES	0x3f
#define TCM_MODE_ALL_SUBPAGES	0xff
#define TCM_MODE_PAGE_MAX	40	/* bytes of the longest page, as it is kept */
#define TCM_MODE_PAGES		16	/* no more pages than that */
#define TCM_MODE_MAX		1536	/* room for header, block descriptor and every page */
/* Beyond this an answer of MODE SENSE(6) cannot say how long it is. */
#define TCM_MODE_MAX_SIX	256

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
 * @changeable: the bits that MODE SELECT may change. Such a bit does what the standard says, and
 *	@fill, @set and these three are all there is to it: it is saved, goes back to its saved or
 *	default value with a reset, and is refused where @fixed says so.
 * @fixed: take from @mask what cannot be changed on this device. May be NULL.
 * @fill: add what depends on the device; @pc is TCM_MODE_CURRENT or TCM_MODE_DEFAULT. May be NULL.
 * @offered: does the device have the page? NULL: each has it
 * @reserved: does a field that can be changed have a value that the standard reserves? Tells byte
 *	and bit. May be NULL.
 * @set: make the changeable bits of @p current, those that @fixed took being as they were; lu->lock
 *	is held. NULL when there are none.
 * @sent: bytes of the page as it is sent, where that is not @len: a page that says the same again
 *	and again is kept folded, which is what all of the above is about. Else 0.
 * @unfold: from @p, which has the values of @pc, the page as it is sent, without its header
 * @fold: and back; where that has no place for what is in @sent, tells byte and bit. Pure.
 *
 * A page of which something can be changed can be saved (PS) where the device saves at all.
 */
struct tcm_mode_page {
	u8	page, subpage, len;
	u16	sent;
	u8	base[TCM_MODE_PAGE_MAX];
	u8	changeable[TCM_MODE_PAGE_MAX];
	void	(*fixed)(const struct tcm_device *dev, u8 *mask);
	void	(*fill)(const struct tcm_device *dev, enum tcm_mode_pc pc, u8 *p);
	bool	(*offered)(const struct tcm_device *dev);
	bool	(*reserved)(const u8 *p, unsigned int *byte, int *bit);
	void	(*set)(struct tcm_device *dev, const u8 *p);
	void	(*unfold)(const u8 *p, enum tcm_mode_pc pc, u8 *sent);
	bool	(*fold)(const u8 *sent, u8 *p, unsigned int *byte, int *bit);
};

/* Bytes of the page as it is sent */
static inline unsigned int tcm_mode_page_sent(const struct tcm_mode_page *page)
{
	return page->sent ?: page->len;
}

/* Bytes before the parameters: sub_page format has a longer header (SPC-4 7.5.7). */
static inline unsigned int tcm_mode_page_head(const struct tcm_mode_page *page)
{
	return page->subpage ? 4 : 2;
}

/* In the order in which they are returned (SPC-4 6.13.1). */
extern const struct tcm_mode_page tcm_mode_pages[];
extern const unsigned int tcm_mode_page_count;

/* What is kept of mode parameters, in struct tcm_lu. Current values are where they are used. */
struct tcm_mode_state {
	u8		saved[TCM_MODE_PAGES][TCM_MODE_PAGE_MAX];
	unsigned long	have;		/* bit n: page n of the table has saved values */
	bool		wce, tas;	/* as configured: the default values */
	u8		intlck;
};

/* One page with the values of @pc into @p, as it is kept. */
void tcm_mode_page_build(const struct tcm_mode_page *page, const struct tcm_device *dev,
			 enum tcm_mode_pc pc, u8 *p);

/*
 * The pages that PAGE CODE and SUBPAGE CODE select, one after the other; their length,
 * 0 when there is none. A page that is longer than @most is left out. Pure over @dev.
 */
unsigned int tcm_mode_pages_build(const struct tcm_device *dev, u8 page, u8 subpage,
				  enum tcm_mode_pc pc, unsigned int most, u8 *buf);

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

/*
 * Take over a checked list, and with @save keep it as saved values, too. Tells whether anything
 * that is current has changed.
 */
bool tcm_mode_list_apply(struct tcm_device *dev, const u8 *list, unsigned int len, bool ten,
			 bool save);

/*
 * Saved values everywhere, or default ones, as after power on or a LOGICAL UNIT RESET (SAM-5
 * 6.3.3).
 * Any context.
 */
void tcm_mode_reset(struct tcm_device *dev);

/* The attributes that mode pages show have got the values of a medium that was opened. */
void tcm_mode_adopt_attrs(struct tcm_device *dev);
/*
 * The administrator writes such an attribute, @at: it is the current value and the default one, and
 * takes the place of a saved one. tcm_config_mutex held.
 */
void tcm_mode_write_attr(struct tcm_device *dev, u32 *at, u32 value);

/* Lines of text for the file of struct tcm_lu, and back; lu->lock held. */
size_t tcm_mode_save(const struct tcm_mode_state *state, char *buf, size_t size);
void tcm_mode_restore(struct tcm_mode_state *state, const char *line);

#endif
