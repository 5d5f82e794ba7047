// SPDX-License-Identifier: GPL-2.0-only
/*
 * The table of VPD pages, and the pages every device has but 83h.
 */
#include <linux/string.h>
#include <linux/unaligned.h>
#include <scsi/scsi_proto.h>
#include "sbc.h"
#include "vpd.h"

static bool tcm_vpd_has(const struct tcm_vpd_page *page, const struct tcm_device *dev)
{
	return !page->disk || dev->type == TYPE_DISK;
}

/* Supported VPD Pages, SPC-4 7.8.14 */
static unsigned int tcm_vpd_supported(const struct tcm_lun *lun, u8 *buf)
{
	unsigned int i, n = 0;

	for (i = 0; i < tcm_vpd_page_count; i++)
		if (tcm_vpd_has(&tcm_vpd_pages[i], lun->dev))
			buf[4 + n++] = tcm_vpd_pages[i].code;
	return n;
}

/* Unit Serial Number, SPC-4 7.8.15; with the terminating zero that initiators know it by */
static unsigned int tcm_vpd_serial(const struct tcm_lun *lun, u8 *buf)
{
	unsigned int len = strlen(lun->dev->serial);

	if (!len)
		return 0;
	memcpy(buf + 4, lun->dev->serial, len);
	return len + 1;
}

#define TCM_EXT_SPT_1_3		0x18	/* types 1 and 3 */
#define TCM_EXT_GRD_CHK		0x04
#define TCM_EXT_REF_CHK		0x01
#define TCM_EXT_HEADSUP		0x04
#define TCM_EXT_ORDSUP		0x02
#define TCM_EXT_SIMPSUP		0x01
#define TCM_EXT_V_SUP		0x01

/* Extended INQUIRY Data, SPC-4 7.8.7 */
static unsigned int tcm_vpd_extended(const struct tcm_lun *lun, u8 *buf)
{
	const struct tcm_device *dev = lun->dev;

	if (dev->attr.pi_prot_type) {
		buf[4] = TCM_EXT_SPT_1_3 | TCM_EXT_GRD_CHK;
		if (dev->attr.pi_prot_type == 1)
			buf[4] |= TCM_EXT_REF_CHK;
	}
	buf[5] = TCM_EXT_HEADSUP | TCM_EXT_ORDSUP | TCM_EXT_SIMPSUP;
	if (tcm_dev_wce(dev))
		buf[6] = TCM_EXT_V_SUP;
	buf[13] = TCM_SENSE_MAX;
	return 0x3c;
}

const struct tcm_vpd_page tcm_vpd_pages[] = {
	{ .code = 0x00, .build = tcm_vpd_supported },
	{ .code = 0x80, .build = tcm_vpd_serial },
	{ .code = 0x83, .build = tcm_vpd_ident },
	{ .code = 0x86, .build = tcm_vpd_extended },
	{ .code = 0xb0, .disk = true, .build = tcm_vpd_block_limits },
	{ .code = 0xb1, .disk = true, .build = tcm_vpd_block_char },
	{ .code = 0xb2, .disk = true, .build = tcm_vpd_provisioning },
};

const unsigned int tcm_vpd_page_count = ARRAY_SIZE(tcm_vpd_pages);

unsigned int tcm_vpd_build(const struct tcm_lun *lun, u8 code, u8 *buf)
{
	unsigned int i, len;

	for (i = 0; i < tcm_vpd_page_count; i++)
		if (tcm_vpd_pages[i].code == code)
			break;
	if (i == tcm_vpd_page_count || !tcm_vpd_has(&tcm_vpd_pages[i], lun->dev))
		return 0;
	len = tcm_vpd_pages[i].build(lun, buf);
	buf[0] = lun->dev->type;
	buf[1] = code;
	put_unaligned_be16(len, buf + 2);
	return 4 + len;
}
