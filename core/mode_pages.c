// SPDX-License-Identifier: GPL-2.0-only
/*
 * The mode pages of direct access block devices.
 */
#include <linux/string.h>
#include "mode.h"
#include "sbc.h"

/* Caching, SBC-4 6.5.6 */
#define TCM_CACHE_WCE		0x04	/* byte 2 */
#define TCM_CACHE_DRA		0x20	/* byte 12: no read-ahead of its own */

static void tcm_mode_caching(const struct tcm_device *dev, enum tcm_mode_pc pc, u8 *p)
{
	if (tcm_dev_wce(dev))
		p[2] |= TCM_CACHE_WCE;
}

/* Control, SPC-4 7.5.8 */
#define TCM_CTL_D_SENSE		0x04	/* byte 2 */
#define TCM_CTL_GLTSD		0x02
#define TCM_CTL_QAM_UNRESTRICTED 0x10	/* byte 3: QUEUE ALGORITHM MODIFIER */
#define TCM_CTL_UA_INTLCK_SHIFT	4	/* byte 4 */
#define TCM_CTL_ATO		0x80	/* byte 5 */
#define TCM_CTL_TAS		0x40

static void tcm_mode_control(const struct tcm_device *dev, enum tcm_mode_pc pc, u8 *p)
{
	const struct tcm_dev_attr *attr = &dev->attr;

	if (!attr->emulate_rest_reord)
		p[3] |= TCM_CTL_QAM_UNRESTRICTED;
	p[4] |= attr->emulate_ua_intlck_ctrl << TCM_CTL_UA_INTLCK_SHIFT;
	if (attr->pi_prot_type)
		p[5] |= TCM_CTL_ATO;
	if (attr->emulate_tas)
		p[5] |= TCM_CTL_TAS;
}

const struct tcm_mode_page tcm_mode_pages[] = {
	{
		/* Read-Write Error Recovery, SBC-4 6.5.10: nothing is retried or told */
		.page = 0x01, .len = 12,
		.base = { 0x01, 10 },
	}, {
		.page = 0x08, .len = 20,
		.base = { 0x08, 18, [12] = TCM_CACHE_DRA },
		.fill = tcm_mode_caching,
	}, {
		/* BUSY TIMEOUT PERIOD is not limited, the extended self-test takes 30 s */
		.page = 0x0a, .len = 12,
		.base = { 0x0a, 10, TCM_CTL_GLTSD, [8] = 0xff, [9] = 0xff, [11] = 30 },
		.fill = tcm_mode_control,
	}, {
		/* Informational Exceptions Control, SBC-4 6.5.8: none are reported */
		.page = 0x1c, .len = 12,
		.base = { 0x1c, 10 },
	},
};

const unsigned int tcm_mode_page_count = ARRAY_SIZE(tcm_mode_pages);

unsigned int tcm_mode_page_build(const struct tcm_mode_page *page, const struct tcm_device *dev,
				 enum tcm_mode_pc pc, u8 *p)
{
	if (pc == TCM_MODE_CHANGEABLE) {
		memcpy(p, page->changeable, page->len);
		memcpy(p, page->base, 2);
	} else {
		memcpy(p, page->base, page->len);
		if (page->fill)
			page->fill(dev, pc, p);
	}
	return page->len;
}
