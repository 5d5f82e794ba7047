// SPDX-License-Identifier: GPL-2.0-only
/*
 * INQUIRY (SPC-4 6.6).
 */
#include <linux/slab.h>
#include <linux/string.h>
#include "alua_id.h"
#include "cmd.h"
#include "pi.h"
#include "spc.h"
#include "vpd.h"

/* Standard INQUIRY data, SPC-4 6.6.2 */
struct tcm_inquiry {
	u8	type;			/* PERIPHERAL QUALIFIER, PERIPHERAL DEVICE TYPE */
	u8	rmb;
	u8	version;
	u8	format;			/* NORMACA, RESPONSE DATA FORMAT */
	u8	add_len;
	u8	flags5;			/* SCCS, TPGS, 3PC, PROTECT */
	u8	flags6;			/* MULTIP */
	u8	flags7;			/* CMDQUE */
	char	vendor[8];
	char	product[16];
	char	revision[4];
	u8	vendor_specific[20];
	u8	reserved[2];
	__be16	descriptors[8];		/* VERSION DESCRIPTOR */
	u8	reserved2[22];
} __packed;
static_assert(sizeof(struct tcm_inquiry) == 96);
static_assert(offsetof(struct tcm_inquiry, descriptors) == 58);

#define TCM_INQ_NO_LUN		0x7f	/* no logical unit can be here, type not known */
#define TCM_INQ_RMB		0x80
#define TCM_INQ_SPC4		0x06
#define TCM_INQ_NORMACA		0x20
#define TCM_INQ_SCCS		0x80
#define TCM_INQ_TPGS_SHIFT	4
#define TCM_INQ_3PC		0x08
#define TCM_INQ_PROTECT		0x01
#define TCM_INQ_MULTIP		0x10
#define TCM_INQ_CMDQUE		0x02
#define TCM_INQ_EVPD		0x01	/* in the CDB */

/* VERSION DESCRIPTOR values, SPC-4 table 146 */
#define TCM_VER_SAM5		0x00a0
#define TCM_VER_SPC4		0x0460
#define TCM_VER_SBC3		0x04c0

static const u16 tcm_transport_versions[] = {
	[TCM_PROTO_FCP]		= 0x0a40,
	[TCM_PROTO_SBP]		= 0x0980,
	[TCM_PROTO_SRP]		= 0x0940,
	[TCM_PROTO_ISCSI]	= 0x0960,
	[TCM_PROTO_SAS]		= 0x0c60,
	[TCM_PROTO_UAS]		= 0x1740,
};

static __be16 tcm_transport_version(u8 proto)
{
	return cpu_to_be16(proto < ARRAY_SIZE(tcm_transport_versions) ?
			   tcm_transport_versions[proto] : 0);
}

static u8 tcm_inquiry_flags5(const struct tcm_lun *lun)
{
	const struct tcm_device *dev = lun->dev;
	struct tcm_alua_id group;
	u8 flags = TCM_INQ_SCCS;

	tcm_alua_id(lun, &group);
	flags |= group.tpgs << TCM_INQ_TPGS_SHIFT;
	if (READ_ONCE(dev->attr.emulate_3pc))
		flags |= TCM_INQ_3PC;
	return flags;
}

static void tcm_inquiry_build(const struct tcm_lun *lun, struct tcm_inquiry *inq)
{
	const struct tcm_device *dev = lun->dev;

	inq->type = dev->type;
	if (dev->attr.removable)
		inq->rmb = TCM_INQ_RMB;
	inq->version = TCM_INQ_SPC4;
	inq->format = (dev->attr.emulate_aca ? TCM_INQ_NORMACA : 0) | 2;
	inq->add_len = sizeof(*inq) - 5;
	inq->flags5 = tcm_inquiry_flags5(lun);
	if (READ_ONCE(dev->exports) > 1)
		inq->flags6 = TCM_INQ_MULTIP;
	inq->flags7 = TCM_INQ_CMDQUE;
	memcpy_and_pad(inq->vendor, sizeof(inq->vendor), dev->vendor, strlen(dev->vendor), ' ');
	memcpy_and_pad(inq->product, sizeof(inq->product), dev->product, strlen(dev->product),
		       ' ');
	memcpy_and_pad(inq->revision, sizeof(inq->revision), dev->revision,
		       strlen(dev->revision), ' ');
	inq->descriptors[0] = cpu_to_be16(TCM_VER_SAM5);
	inq->descriptors[1] = tcm_transport_version(lun->tpg->wwn->proto);
	inq->descriptors[2] = cpu_to_be16(TCM_VER_SPC4);
	inq->descriptors[3] = cpu_to_be16(TCM_VER_SBC3);
}

static enum tcm_sense tcm_inquiry_standard(struct tcm_cmd *cmd)
{
	struct tcm_inquiry inq = { };

	if (cmd->lun) {
		tcm_inquiry_build(cmd->lun, &inq);
		if (tcm_pi_seen(cmd->dev, cmd->sess))
			inq.flags5 |= TCM_INQ_PROTECT;
	} else {
		inq.type = TCM_INQ_NO_LUN;
		inq.version = TCM_INQ_SPC4;
		inq.format = 2;
		inq.add_len = sizeof(inq) - 5;
		memset(inq.vendor, ' ', sizeof(inq.vendor));
		memset(inq.product, ' ', sizeof(inq.product));
		memset(inq.revision, ' ', sizeof(inq.revision));
	}
	tcm_cmd_put_data(cmd, &inq, sizeof(inq));
	return TCM_OK;
}

static enum tcm_sense tcm_inquiry_vpd(struct tcm_cmd *cmd)
{
	const struct tcm_vpd_page *page;
	unsigned int len;
	u8 *buf;

	/* What is not there has no page but the list of pages. */
	if (!cmd->lun) {
		const u8 none[] = { TCM_INQ_NO_LUN, 0, 0, 1, 0 };

		if (cmd->cdb[2])
			return tcm_bad_cdb(cmd, 2, -1);
		tcm_cmd_put_data(cmd, none, sizeof(none));
		return TCM_OK;
	}
	page = tcm_vpd_find(cmd->dev, cmd->cdb[2]);
	if (!page)
		return tcm_bad_cdb(cmd, 2, -1);
	buf = kvzalloc(tcm_vpd_room(page), GFP_NOIO);
	if (!buf)
		return TCM_BUSY;
	len = tcm_vpd_build(cmd->lun, page, buf);
	if (page->nexus)
		page->nexus(cmd, buf);
	tcm_cmd_put_data(cmd, buf, len);
	kvfree(buf);
	return TCM_OK;
}

enum tcm_sense tcm_spc_inquiry_parse(struct tcm_cmd *cmd)
{
	/* SPC-4 6.6.1: a page code goes with EVPD only */
	if (!(cmd->cdb[1] & TCM_INQ_EVPD) && cmd->cdb[2])
		return tcm_bad_cdb(cmd, 2, -1);
	return TCM_OK;
}

enum tcm_sense tcm_spc_inquiry(struct tcm_cmd *cmd)
{
	return cmd->cdb[1] & TCM_INQ_EVPD ? tcm_inquiry_vpd(cmd) : tcm_inquiry_standard(cmd);
}
