// SPDX-License-Identifier: GPL-2.0-only
/*
 * The table of VPD pages, and the pages every device has but 83h.
 */
#include <linux/string.h>
#include <linux/unaligned.h>
#include <scsi/scsi_proto.h>
#include "copy.h"
#include "pi.h"
#include "sbc.h"
#include "vpd.h"

static bool tcm_vpd_has(const struct tcm_vpd_page *page, const struct tcm_device *dev)
{
	return (!page->disk || dev->type == TYPE_DISK) && (!page->offered || page->offered(dev));
}

/* Supported VPD Pages */
static unsigned int tcm_vpd_supported(const struct tcm_lun *lun, u8 *buf)
{
	unsigned int i, n = 0;

	for (i = 0; i < tcm_vpd_page_count; i++)
		if (tcm_vpd_has(&tcm_vpd_pages[i], lun->dev))
			buf[4 + n++] = tcm_vpd_pages[i].code;
	return n;
}

/* Unit Serial Number; with the terminating zero that initiators know it by */
static unsigned int tcm_vpd_serial(const struct tcm_lun *lun, u8 *buf)
{
	unsigned int len = strlen(lun->dev->serial);

	if (!len)
		return 0;
	memcpy(buf + 4, lun->dev->serial, len);
	return len + 1;
}

#define TCM_EXT_SPT_ALL		0x38	/* types 1, 2 and 3 */
#define TCM_EXT_SPT_1		0x00	/* one of them */
#define TCM_EXT_SPT_3		0x20
#define TCM_EXT_GRD_CHK		0x04
#define TCM_EXT_APP_CHK		0x02
#define TCM_EXT_REF_CHK		0x01
#define TCM_EXT_GROUP_SUP	0x10
#define TCM_EXT_HEADSUP		0x04
#define TCM_EXT_ORDSUP		0x02
#define TCM_EXT_SIMPSUP		0x01
#define TCM_EXT_V_SUP		0x01
#define TCM_EXT_R_SUP	0x10	/* byte 8 */

/* SPT, GRD_CHK, APP_CHK, REF_CHK: expected tags come with commands for type 2 alone */
static u8 tcm_vpd_protection(const struct tcm_device *dev, u8 type)
{
	u8 own = tcm_pi_type(dev), spt = TCM_EXT_SPT_ALL;

	if (!type)
		return 0;
	/* one that cannot be changed: the disk's, or the fabric's */
	if (dev->limits.pi_type || !own)
		spt = type == 1 ? TCM_EXT_SPT_1 : TCM_EXT_SPT_3;
	if (own && !READ_ONCE(dev->attr.pi_prot_verify))
		return spt;
	return spt | TCM_EXT_GRD_CHK | (type == 2 ? TCM_EXT_APP_CHK : 0) |
	       (type != 3 ? TCM_EXT_REF_CHK : 0);
}

/* Extended INQUIRY Data, SPC-4 7.8.7 */
static unsigned int tcm_vpd_extended(const struct tcm_lun *lun, u8 *buf)
{
	const struct tcm_device *dev = lun->dev;

	buf[5] = TCM_EXT_GROUP_SUP | TCM_EXT_HEADSUP | TCM_EXT_ORDSUP | TCM_EXT_SIMPSUP;
	if (tcm_dev_wce(dev))
		buf[6] = TCM_EXT_V_SUP;
	if (tcm_sbc_referrals_offered(dev))
		buf[8] = TCM_EXT_R_SUP;
	buf[13] = TCM_SENSE_MAX;
	return 0x3c;
}

static void tcm_vpd_extended_nexus(const struct tcm_cmd *cmd, u8 *buf)
{
	buf[4] = tcm_vpd_protection(cmd->dev, tcm_pi_seen(cmd->dev, cmd->sess));
}

#define TCM_POLICY_ALL_PAGES	0x3f
#define TCM_POLICY_ALL_SUBPAGES	0xff
#define TCM_POLICY_SHARED	0x00

/* Mode Page Policy: every page is the same for every nexus */
static unsigned int tcm_vpd_policy(const struct tcm_lun *lun, u8 *buf)
{
	buf[4] = TCM_POLICY_ALL_PAGES;
	buf[5] = TCM_POLICY_ALL_SUBPAGES;
	buf[6] = TCM_POLICY_SHARED;
	return 4;
}

const struct tcm_vpd_page tcm_vpd_pages[] = {
	{ .code = 0x00, .build = tcm_vpd_supported },
	{ .code = 0x80, .build = tcm_vpd_serial },
	{ .code = 0x83, .build = tcm_vpd_ident },
	{ .code = 0x86, .build = tcm_vpd_extended, .nexus = tcm_vpd_extended_nexus },
	{ .code = 0x87, .build = tcm_vpd_policy },
	{ .code = 0x88, .room = TCM_VPD_PORTS_MAX, .build = tcm_vpd_ports },
	{ .code = 0x8f, .disk = true, .offered = tcm_spc_copy_offered, .build = tcm_vpd_copy },
	{ .code = 0xb0, .disk = true, .build = tcm_vpd_block_limits },
	{ .code = 0xb1, .disk = true, .build = tcm_vpd_block_char },
	{ .code = 0xb2, .disk = true, .build = tcm_vpd_provisioning },
	{ .code = 0xb3, .disk = true, .offered = tcm_sbc_referrals_offered,
	  .build = tcm_vpd_referrals },
	{ .code = 0xb4, .disk = true, .nexus = tcm_vpd_block_lengths_nexus,
	  .build = tcm_vpd_block_lengths },
};

const unsigned int tcm_vpd_page_count = ARRAY_SIZE(tcm_vpd_pages);

const struct tcm_vpd_page *tcm_vpd_find(const struct tcm_device *dev, u8 code)
{
	const struct tcm_vpd_page *page;

	for (page = tcm_vpd_pages; page < tcm_vpd_pages + tcm_vpd_page_count; page++)
		if (page->code == code && tcm_vpd_has(page, dev))
			return page;
	return NULL;
}

unsigned int tcm_vpd_room(const struct tcm_vpd_page *page)
{
	return page->room ?: TCM_VPD_MAX;
}

unsigned int tcm_vpd_build(const struct tcm_lun *lun, const struct tcm_vpd_page *page, u8 *buf)
{
	unsigned int len = page->build(lun, buf);

	buf[0] = lun->dev->type;
	buf[1] = page->code;
	put_unaligned_be16(len, buf + 2);
	return 4 + len;
}
