// SPDX-License-Identifier: GPL-2.0-only
/*
 * Device Identification VPD page (SPC-4 7.8.6). Hosts tell disks and paths apart by
 * these bytes, so they are those that the kernel's own target gives for the same
 * configuration. The builders of designators are pure functions.
 */
#include <linux/kernel.h>
#include <linux/string.h>
#include <linux/unaligned.h>
#include "alua_id.h"
#include "target.h"
#include "vpd.h"

/* CODE SET */
#define TCM_CODE_BINARY		1
#define TCM_CODE_ASCII		2
#define TCM_CODE_UTF8		3

/* DESIGNATOR TYPE */
#define TCM_DESIG_T10		1
#define TCM_DESIG_NAA		3
#define TCM_DESIG_RTPI		4
#define TCM_DESIG_PORT_GROUP	5
#define TCM_DESIG_LU_GROUP	6
#define TCM_DESIG_NAME		8

/* ASSOCIATION, in its place in the byte */
#define TCM_ASSOC_LU		0x00
#define TCM_ASSOC_PORT		0x10
#define TCM_ASSOC_DEVICE	0x20

#define TCM_DESIG_PIV		0x80	/* PROTOCOL IDENTIFIER is valid */
#define TCM_DESIG_LEN_MAX	255
#define TCM_NO_PROTO		0xff

struct tcm_desig {
	u8 code_set;		/* PROTOCOL IDENTIFIER above */
	u8 type;		/* PIV, ASSOCIATION, DESIGNATOR TYPE */
	u8 reserved;
	u8 len;
	u8 id[];
} __packed;
static_assert(sizeof(struct tcm_desig) == 4);

/* Write the header; the caller fills @len bytes behind it. */
static u8 *tcm_desig_put(u8 **p, u8 proto, u8 code_set, u8 assoc, u8 type, u8 len)
{
	struct tcm_desig *d = (struct tcm_desig *)*p;

	d->code_set = code_set;
	d->type = assoc | type;
	d->len = len;
	if (proto != TCM_NO_PROTO) {
		d->code_set |= proto << 4;
		d->type |= TCM_DESIG_PIV;
	}
	*p += sizeof(*d) + len;
	return d->id;
}

void tcm_naa_id(u32 company_id, const char *serial, u8 id[TCM_NAA_LEN])
{
	unsigned int nibble = 7;

	memset(id, 0, TCM_NAA_LEN);
	put_unaligned_be32(0x60000000 | company_id << 4, id);
	for (; *serial && nibble < 2 * TCM_NAA_LEN; serial++) {
		int digit = hex_to_bin(*serial);

		if (digit < 0)
			continue;
		id[nibble / 2] |= nibble & 1 ? digit : digit << 4;
		nibble++;
	}
}

/*
 * T10 VENDOR ID (SPC-4 7.8.6.4): vendor, and "product:serial" where there is a serial number,
 * cut where DESIGNATOR LENGTH ends; with its terminating zero.
 */
static void tcm_desig_t10(u8 **p, const char *vendor, const char *product, const char *serial)
{
	char text[TCM_DESIG_LEN_MAX + 1];
	unsigned int len;
	u8 *id;

	len = scnprintf(text, TCM_DESIG_LEN_MAX, "%-8.8s", vendor);
	if (*serial)
		len += scnprintf(text + len, TCM_DESIG_LEN_MAX - len, "%s:%s", product, serial);
	id = tcm_desig_put(p, TCM_NO_PROTO, TCM_CODE_ASCII, TCM_ASSOC_LU, TCM_DESIG_T10, len + 1);
	memcpy(id, text, len);
}

/* The designators that hold a number of 16 bits at the end of four bytes. */
static void tcm_desig_u16(u8 **p, u8 proto, u8 assoc, u8 type, u16 value)
{
	u8 *id = tcm_desig_put(p, proto, TCM_CODE_BINARY, assoc, type, 4);

	put_unaligned_be16(value, id + 2);
}

/*
 * SCSI name string (SPC-4 7.8.6.11): zero terminated, padded to four bytes. A name that has
 * no room is left out: a shortened one would be another's.
 */
static void tcm_desig_name(u8 **p, u8 proto, u8 assoc, const char *name)
{
	unsigned int len = strlen(name), size = round_up(len + 1, 4);
	u8 *id;

	if (size > TCM_DESIG_LEN_MAX)
		return;
	id = tcm_desig_put(p, proto, TCM_CODE_UTF8, assoc, TCM_DESIG_NAME, size);
	memcpy(id, name, len);
}

/* A target port's SCSI name */
static void tcm_port_name(const struct tcm_tpg *tpg, char *name, size_t size)
{
	scnprintf(name, size, "%s,t,0x%04x", tpg->wwn->scsi_name, tpg->tag);
}

unsigned int tcm_vpd_ident(const struct tcm_lun *lun, u8 *buf)
{
	const struct tcm_device *dev = lun->dev;
	const struct tcm_tpg *tpg = lun->tpg;
	u8 proto = tpg->wwn->proto, *p = buf + 4;
	char port[TCM_NAME_MAX + 16];
	struct tcm_alua_id group;

	if (dev->serial[0])
		tcm_naa_id(dev->company_id, dev->serial,
			   tcm_desig_put(&p, TCM_NO_PROTO, TCM_CODE_BINARY, TCM_ASSOC_LU,
					 TCM_DESIG_NAA, TCM_NAA_LEN));
	tcm_desig_t10(&p, dev->vendor, dev->product, dev->serial);
	tcm_desig_u16(&p, proto, TCM_ASSOC_PORT, TCM_DESIG_RTPI, tcm_lun_rtpi(lun));
	tcm_alua_id(lun, &group);
	if (group.has_port_group)
		tcm_desig_u16(&p, proto, TCM_ASSOC_PORT, TCM_DESIG_PORT_GROUP, group.port_group);
	if (group.has_lu_group)
		tcm_desig_u16(&p, TCM_NO_PROTO, TCM_ASSOC_LU, TCM_DESIG_LU_GROUP, group.lu_group);
	tcm_port_name(tpg, port, sizeof(port));
	tcm_desig_name(&p, proto, TCM_ASSOC_PORT, port);
	tcm_desig_name(&p, proto, TCM_ASSOC_DEVICE, tpg->wwn->scsi_name);
	return p - (buf + 4);
}

/* A SCSI port descriptor (SPC-4, VPD 88h): no initiator port, one target port's name. */
static u8 *tcm_port_desc(const struct tcm_lun *lun, u8 *p)
{
	char name[TCM_NAME_MAX + 16];
	u8 *desc = p + 12, *end = desc;

	tcm_port_name(lun->tpg, name, sizeof(name));
	put_unaligned_be16(tcm_lun_rtpi(lun), p + 2);
	tcm_desig_name(&end, lun->tpg->wwn->proto, TCM_ASSOC_PORT, name);
	put_unaligned_be16(end - desc, p + 10);
	return end;
}

#define TCM_PORT_DESC_MAX	(12 + (int)sizeof(struct tcm_desig) + TCM_DESIG_LEN_MAX)

/*
 * SCSI Ports: those through which the logical unit can be reached, once each. As many as there is
 * room for, which is hundreds.
 */
unsigned int tcm_vpd_ports(const struct tcm_lun *lun, u8 *buf)
{
	struct tcm_device *dev = lun->dev;
	const struct tcm_lun *other, *twin;
	unsigned long flags;
	u8 *p = buf + 4;

	spin_lock_irqsave(&dev->lun_lock, flags);
	list_for_each_entry(other, &dev->luns, dev_node) {
		if (buf + TCM_VPD_PORTS_MAX - p < TCM_PORT_DESC_MAX)
			break;
		/* A unit that a port shows under several numbers is behind one port. */
		list_for_each_entry(twin, &dev->luns, dev_node)
			if (twin == other || (twin->tpg == other->tpg &&
					      tcm_lun_rtpi(twin) == tcm_lun_rtpi(other)))
				break;
		if (twin == other)
			p = tcm_port_desc(other, p);
	}
	spin_unlock_irqrestore(&dev->lun_lock, flags);
	return p - (buf + 4);
}

/* The most that the page can come to */
static_assert(4 + 7 * sizeof(struct tcm_desig) + TCM_NAA_LEN + 3 * TCM_DESIG_LEN_MAX + 3 * 4 <=
	      TCM_VPD_MAX);
