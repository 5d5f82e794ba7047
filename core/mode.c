// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mode parameter lists: putting them together and taking them apart. Functions of the
 * device's state and a buffer alone.
 */
#include <linux/kernel.h>
#include <linux/string.h>
#include <linux/unaligned.h>
#include <tcm/cmd.h>
#include "lu.h"
#include "sbc.h"

static bool tcm_mode_offered(const struct tcm_mode_page *page, const struct tcm_device *dev)
{
	return !page->offered || page->offered(dev);
}

/* A page matches its code, "all pages", and "all subpages" where asked for. */
static bool tcm_mode_selected(const struct tcm_mode_page *entry, u8 page, u8 subpage)
{
	if (page != TCM_MODE_ALL_PAGES && page != entry->page)
		return false;
	return subpage == TCM_MODE_ALL_SUBPAGES || subpage == entry->subpage;
}

/* A page as it is sent; its length */
static unsigned int tcm_mode_page_put(const struct tcm_mode_page *page,
				      const struct tcm_device *dev, enum tcm_mode_pc pc, u8 *p)
{
	u8 kept[TCM_MODE_PAGE_MAX];

	if (!page->sent) {
		tcm_mode_page_build(page, dev, pc, p);
		return page->len;
	}
	tcm_mode_page_build(page, dev, pc, kept);
	memset(p, 0, page->sent);
	memcpy(p, kept, tcm_mode_page_head(page));
	page->unfold(kept, pc, p);
	return page->sent;
}

#define TCM_MODE_SPF	0x40
#define TCM_MODE_PS	0x80

unsigned int tcm_mode_pages_build(const struct tcm_device *dev, u8 page, u8 subpage,
				  enum tcm_mode_pc pc, unsigned int most, u8 *buf)
{
	unsigned int i, len = 0;
	u8 *p;

	if (page == TCM_MODE_ALL_PAGES && subpage && subpage != TCM_MODE_ALL_SUBPAGES)
		return 0;
	for (i = 0; i < tcm_mode_page_count; i++) {
		if (!tcm_mode_selected(&tcm_mode_pages[i], page, subpage) ||
		    !tcm_mode_offered(&tcm_mode_pages[i], dev) ||
		    tcm_mode_page_sent(&tcm_mode_pages[i]) > most)
			continue;
		p = buf + len;
		len += tcm_mode_page_put(&tcm_mode_pages[i], dev, pc, p);
		if (tcm_mode_pages[i].set && tcm_lu_can_save(dev))
			p[0] |= TCM_MODE_PS;
	}
	return len;
}

/* Short and long LBA mode parameter block descriptors, SBC-4 6.5.2 */
unsigned int tcm_mode_bd_build(const struct tcm_device *dev, bool long_lba, u8 *p)
{
	u64 nblocks = READ_ONCE(dev->nblocks);

	if (long_lba) {
		put_unaligned_be64(nblocks, p);
		put_unaligned_be32(0, p + 8);
		put_unaligned_be32(dev->attr.block_size, p + 12);
		return 16;
	}
	put_unaligned_be32(min_t(u64, nblocks, U32_MAX), p);
	put_unaligned_be32(dev->attr.block_size, p + 4);
	return 8;
}

static enum tcm_sense tcm_mode_bad(struct tcm_sense_extra *x, unsigned int byte, int bit)
{
	*x = (struct tcm_sense_extra) {
		.flags	= TCM_SX_FIELD | TCM_SX_PARAM | (bit >= 0 ? TCM_SX_BIT : 0),
		.field	= byte,
		.bit	= bit >= 0 ? bit : 0,
	};
	return TCM_INVALID_FIELD_PARAM;
}

/* A parameter list and where its parts are. */
struct tcm_mode_list {
	const u8	*buf;
	unsigned int	len;
	unsigned int	bd, bd_len;	/* block descriptors */
	unsigned int	pages;		/* first mode page */
	bool		long_lba;
};

/* The header is checked for what it makes of the rest (SPC-4 7.5.5). */
static enum tcm_sense tcm_mode_header(struct tcm_mode_list *l, bool ten, struct tcm_sense_extra *x)
{
	l->bd = ten ? 8 : 4;
	if (l->len < l->bd)
		return TCM_PARAM_LIST_LENGTH;
	if (l->buf[ten ? 2 : 1])
		return tcm_mode_bad(x, ten ? 2 : 1, -1);	/* MEDIUM TYPE */
	l->bd_len = ten ? get_unaligned_be16(l->buf + 6) : l->buf[3];
	if (ten && (l->buf[4] & 0xfe))
		return tcm_mode_bad(x, 4, fls(l->buf[4]) - 1);
	if (ten && l->buf[5])
		return tcm_mode_bad(x, 5, -1);
	l->long_lba = ten && l->buf[4];
	l->pages = l->bd + l->bd_len;
	if (l->bd_len && l->bd_len != (l->long_lba ? 16 : 8))
		return tcm_mode_bad(x, ten ? 6 : 3, -1);
	if (l->len < l->pages)
		return TCM_PARAM_LIST_LENGTH;
	return TCM_OK;
}

/* The medium has the capacity and block length it has: zero, all ones or the same are no change. */
static enum tcm_sense tcm_mode_bd_check(const struct tcm_device *dev, const struct tcm_mode_list *l,
					struct tcm_sense_extra *x)
{
	const u8 *bd = l->buf + l->bd;
	u64 n = READ_ONCE(dev->nblocks), asked, none;

	if (!l->bd_len)
		return TCM_OK;
	asked = l->long_lba ? get_unaligned_be64(bd) : get_unaligned_be32(bd);
	none = l->long_lba ? U64_MAX : U32_MAX;
	if (asked && asked != none && asked != n)
		return tcm_mode_bad(x, l->bd, -1);
	asked = get_unaligned_be32(bd + (l->long_lba ? 12 : 4));
	if (asked != dev->attr.block_size)
		return tcm_mode_bad(x, l->bd + (l->long_lba ? 12 : 5), -1);
	return TCM_OK;
}

/*
 * The table's entry for the page at @pos, or NULL with the sense in *@sense. Without @dev: whatever
 * a device has now.
 */
static const struct tcm_mode_page *tcm_mode_page_at(const struct tcm_device *dev,
						    const struct tcm_mode_list *l, unsigned int pos,
						    enum tcm_sense *sense,
						    struct tcm_sense_extra *x)
{
	const u8 *p = l->buf + pos;
	unsigned int left = l->len - pos, head, i;
	bool spf = p[0] & TCM_MODE_SPF;
	u8 subpage;

	head = spf ? 4 : 2;
	*sense = TCM_PARAM_LIST_LENGTH;
	if (left < head)
		return NULL;
	if (p[0] & TCM_MODE_PS) {
		*sense = tcm_mode_bad(x, pos, 7);
		return NULL;
	}
	subpage = spf ? p[1] : 0;
	for (i = 0; i < tcm_mode_page_count; i++) {
		const struct tcm_mode_page *page = &tcm_mode_pages[i];
		unsigned int len = head + (spf ? get_unaligned_be16(p + 2) : p[1]);

		if (page->page != (p[0] & 0x3f) || page->subpage != subpage ||
		    (spf && !page->subpage) || (dev && !tcm_mode_offered(page, dev)))
			continue;
		if (len != tcm_mode_page_sent(page))
			*sense = tcm_mode_bad(x, pos + head - (spf ? 2 : 1), -1);
		else if (left >= len)
			return page;
		return NULL;
	}
	*sense = tcm_mode_bad(x, pos + (spf && subpage ? 1 : 0), spf && subpage ? -1 : 5);
	return NULL;
}

/* A page as it is kept from what was sent, which may be it: it is there as a whole. */
static const u8 *tcm_mode_page_get(const struct tcm_mode_page *page, const u8 *sent, u8 *kept,
				   unsigned int *byte, int *bit)
{
	if (!page->fold)
		return sent;
	return page->fold(sent, kept, byte, bit) ? kept : NULL;
}

static enum tcm_sense tcm_mode_page_check(const struct tcm_mode_page *page,
					  const struct tcm_device *dev,
					  const struct tcm_mode_list *l, unsigned int pos,
					  struct tcm_sense_extra *x)
{
	u8 kept[TCM_MODE_PAGE_MAX];
	u8 now[TCM_MODE_PAGE_MAX], mask[TCM_MODE_PAGE_MAX];
	const u8 *p;
	unsigned int i;
	int bit;

	p = tcm_mode_page_get(page, l->buf + pos, kept, &i, &bit);
	if (!p)
		return tcm_mode_bad(x, pos + i, bit);
	tcm_mode_page_build(page, dev, TCM_MODE_CURRENT, now);
	tcm_mode_page_build(page, dev, TCM_MODE_CHANGEABLE, mask);
	for (i = tcm_mode_page_head(page); i < page->len; i++) {
		u8 bad = (p[i] ^ now[i]) & ~mask[i];

		if (bad)
			return tcm_mode_bad(x, pos + i, fls(bad) - 1);
	}
	if (page->reserved && page->reserved(p, &i, &bit))
		return tcm_mode_bad(x, pos + i, bit);
	return TCM_OK;
}

enum tcm_sense tcm_mode_list_check(const struct tcm_device *dev, const u8 *list, unsigned int len,
				   bool ten, struct tcm_sense_extra *x)
{
	struct tcm_mode_list l = { .buf = list, .len = len };
	const struct tcm_mode_page *page;
	enum tcm_sense sense;
	unsigned int pos;

	sense = tcm_mode_header(&l, ten, x);
	if (!sense)
		sense = tcm_mode_bd_check(dev, &l, x);
	for (pos = l.pages; !sense && pos < len; pos += tcm_mode_page_sent(page)) {
		page = tcm_mode_page_at(dev, &l, pos, &sense, x);
		if (!page)
			break;
		sense = tcm_mode_page_check(page, dev, &l, pos, x);
	}
	return sense;
}

/* One page of a checked list; lu->lock is held. */
static bool tcm_mode_page_apply(const struct tcm_mode_page *page, struct tcm_device *dev,
				const u8 *sent, bool save)
{
	struct tcm_mode_state *state = &dev->lu->mode;
	unsigned int head = tcm_mode_page_head(page), n = page - tcm_mode_pages, byte;
	u8 kept[TCM_MODE_PAGE_MAX], now[TCM_MODE_PAGE_MAX];
	const u8 *p;
	int bit;

	p = tcm_mode_page_get(page, sent, kept, &byte, &bit);
	if (!page->set || WARN_ON_ONCE(!p))
		return false;
	if (save) {
		memcpy(state->saved[n], p, page->len);
		state->have |= BIT(n);
	}
	tcm_mode_page_build(page, dev, TCM_MODE_CURRENT, now);
	if (!memcmp(now + head, p + head, page->len - head))
		return false;
	page->set(dev, p);
	return true;
}

bool tcm_mode_list_apply(struct tcm_device *dev, const u8 *list, unsigned int len, bool ten,
			 bool save)
{
	struct tcm_mode_list l = { .buf = list, .len = len };
	const struct tcm_mode_page *page;
	struct tcm_sense_extra x;
	enum tcm_sense sense;
	bool changed = false;
	unsigned long flags;
	unsigned int pos;

	tcm_mode_header(&l, ten, &x);
	spin_lock_irqsave(&dev->lu->lock, flags);
	for (pos = l.pages; pos < len; pos += tcm_mode_page_sent(page)) {
		page = tcm_mode_page_at(NULL, &l, pos, &sense, &x);
		if (WARN_ON_ONCE(!page))
			break;
		changed |= tcm_mode_page_apply(page, dev, list + pos, save);
	}
	spin_unlock_irqrestore(&dev->lu->lock, flags);
	return changed;
}

void tcm_mode_reset(struct tcm_device *dev)
{
	u8 p[TCM_MODE_PAGE_MAX];
	unsigned long flags;
	unsigned int i;
	bool wce;

	spin_lock_irqsave(&dev->lu->lock, flags);
	wce = tcm_dev_wce(dev);
	for (i = 0; i < tcm_mode_page_count; i++) {
		if (!tcm_mode_pages[i].set)
			continue;
		tcm_mode_page_build(&tcm_mode_pages[i], dev, TCM_MODE_SAVED, p);
		tcm_mode_pages[i].set(dev, p);
	}
	wce = wce && !tcm_dev_wce(dev);
	spin_unlock_irqrestore(&dev->lu->lock, flags);
	if (wce)
		tcm_sbc_cache_off(dev);
}

/* Bring into a page's saved values what an attribute made of its current ones. */
static bool tcm_mode_saved_adopt(const struct tcm_mode_page *page, struct tcm_mode_state *state,
				 const u8 *old, const u8 *new)
{
	u8 *saved = state->saved[page - tcm_mode_pages];
	bool changed = false;
	unsigned int i;

	if (!(state->have & BIT(page - tcm_mode_pages)))
		return false;
	for (i = tcm_mode_page_head(page); i < page->len; i++) {
		u8 bits = old[i] ^ new[i];

		if (!((saved[i] ^ new[i]) & bits))
			continue;
		saved[i] ^= bits;
		changed = true;
	}
	return changed;
}

void tcm_mode_adopt_attrs(struct tcm_device *dev)
{
	spin_lock_irq(&dev->lu->lock);
	dev->lu->mode.wce = dev->attr.emulate_write_cache;
	dev->lu->mode.tas = dev->attr.emulate_tas;
	dev->lu->mode.intlck = dev->attr.emulate_ua_intlck_ctrl;
	spin_unlock_irq(&dev->lu->lock);
}

void tcm_mode_write_attr(struct tcm_device *dev, u32 *at, u32 value)
{
	u8 old[TCM_MODE_PAGES][TCM_MODE_PAGE_MAX], new[TCM_MODE_PAGE_MAX];
	struct tcm_mode_state *state = &dev->lu->mode;
	bool changed = false;
	unsigned int i;

	spin_lock_irq(&dev->lu->lock);
	for (i = 0; i < tcm_mode_page_count; i++)
		tcm_mode_page_build(&tcm_mode_pages[i], dev, TCM_MODE_CURRENT, old[i]);
	WRITE_ONCE(*at, value);
	if (at == &dev->attr.emulate_write_cache)
		state->wce = value;
	else if (at == &dev->attr.emulate_tas)
		state->tas = value;
	else if (at == &dev->attr.emulate_ua_intlck_ctrl)
		state->intlck = value;
	for (i = 0; i < tcm_mode_page_count; i++) {
		tcm_mode_page_build(&tcm_mode_pages[i], dev, TCM_MODE_CURRENT, new);
		changed |= tcm_mode_saved_adopt(&tcm_mode_pages[i], state, old[i], new);
	}
	spin_unlock_irq(&dev->lu->lock);
	if (changed && tcm_lu_can_save(dev))
		tcm_lu_save_behind(dev);
}

size_t tcm_mode_save(const struct tcm_mode_state *state, char *buf, size_t size)
{
	unsigned int i;
	size_t len = 0;

	for (i = 0; i < tcm_mode_page_count; i++)
		if (state->have & BIT(i))
			len += scnprintf(buf + len, size - len, "mode %*phN\n",
					 tcm_mode_pages[i].len, state->saved[i]);
	return len;
}

/* A page in hexadecimal. One that this version does not have, or has in another length, is none. */
void tcm_mode_restore(struct tcm_mode_state *state, const char *line)
{
	const struct tcm_mode_page *page;
	u8 p[TCM_MODE_PAGE_MAX];
	size_t len = strlen(line) / 2;

	if (len < 2 || len > sizeof(p) || hex2bin(p, line, len))
		return;
	for (page = tcm_mode_pages; page < tcm_mode_pages + tcm_mode_page_count; page++) {
		unsigned int head = tcm_mode_page_head(page);

		if (len != page->len || memcmp(p, page->base, head) || !page->set)
			continue;
		memcpy(state->saved[page - tcm_mode_pages], p, len);
		state->have |= BIT(page - tcm_mode_pages);
	}
}
