// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who the device says it is: unit serial number (VPD page 80h) and designators (83h), as
 * the SCSI layer read them when it found the device. No I/O is done for them.
 */
#include <linux/ctype.h>
#include <linux/slab.h>
#include <linux/unaligned.h>
#include "pscsi.h"

/* Designation descriptor, SPC-5 7.7.6.1 */
struct tcm_pscsi_desc {
	u8	proto_code_set;
	u8	piv_assoc_type;
	u8	reserved;
	u8	len;
	u8	value[];
};

static_assert(sizeof(struct tcm_pscsi_desc) == 4);

#define TCM_PSCSI_MAX_IDS	32

/* DESIGNATOR TYPE values that wwn/ lists; NULL: not listed */
static const char * const tcm_pscsi_types[16] = {
	[0]	= "Vendor specific",
	[1]	= "T10 Vendor ID based",
	[2]	= "EUI-64 based",
	[3]	= "NAA",
	[4]	= "Relative target port identifier",
	[8]	= "SCSI name string",
};

static const char * const tcm_pscsi_protocols[16] = {
	[0]	= "Fibre Channel",
	[1]	= "Parallel SCSI",
	[2]	= "SSA",
	[3]	= "IEEE 1394",
	[4]	= "SCSI Remote Direct Memory Access Protocol",
	[5]	= "Internet SCSI (iSCSI)",
	[6]	= "SAS Serial SCSI Protocol",
	[7]	= "Automation/Drive Interface Transport Protocol",
	[8]	= "AT Attachment Interface ATA/ATAPI",
};

static const char * const tcm_pscsi_assocs[3] = {
	"addressed logical unit", "target port", "SCSI target device",
};

static void tcm_pscsi_id_add(struct tcm_pscsi *ps, const struct tcm_pscsi_desc *desc)
{
	struct tcm_pscsi_id *id = &ps->ids[ps->nids];

	id->protocol = desc->proto_code_set >> 4;
	id->code_set = desc->proto_code_set & 0x0f;
	id->piv = desc->piv_assoc_type & 0x80;
	id->association = desc->piv_assoc_type >> 4 & 3;
	id->type = desc->piv_assoc_type & 0x0f;
	id->len = desc->len;
	if (!tcm_pscsi_types[id->type] || id->association > 2)
		return;
	memcpy(id->value, desc->value, desc->len);
	ps->nids++;
}

/* RCU read lock held. A descriptor that runs out of the page ends it. */
static void tcm_pscsi_read_83(struct tcm_pscsi *ps, const struct scsi_vpd *vpd)
{
	int pos = 4, end = min_t(int, vpd->len, 4 + get_unaligned_be16(vpd->data + 2));

	while (pos + (int)sizeof(struct tcm_pscsi_desc) <= end && ps->nids < TCM_PSCSI_MAX_IDS) {
		const struct tcm_pscsi_desc *desc = (const void *)(vpd->data + pos);

		pos += sizeof(*desc) + desc->len;
		if (pos > end)
			break;
		tcm_pscsi_id_add(ps, desc);
	}
}

/* RCU read lock held. The number is padded with blanks on either side (SPC-5 7.7.21). */
static void tcm_pscsi_read_80(struct tcm_device *dev, const struct scsi_vpd *vpd)
{
	int len = min3((int)vpd->len - 4, (int)get_unaligned_be16(vpd->data + 2),
		       TCM_SERIAL_MAX - 1), i;
	const u8 *from = vpd->data + 4;

	while (len > 0 && (from[len - 1] == ' ' || !from[len - 1]))
		len--;
	while (len > 0 && *from == ' ') {
		from++;
		len--;
	}
	if (len <= 0)
		return;
	for (i = 0; i < len; i++)
		dev->serial[i] = isascii(from[i]) && isprint(from[i]) ? from[i] : '?';
	dev->serial[len] = '\0';
	set_bit(TCM_DEV_SERIAL_FIXED, &dev->flags);
}

int tcm_pscsi_id_read(struct tcm_pscsi *ps)
{
	const struct scsi_vpd *vpd;

	ps->nids = 0;
	if (!ps->ids)
		ps->ids = kcalloc(TCM_PSCSI_MAX_IDS, sizeof(*ps->ids), GFP_KERNEL);
	if (!ps->ids)
		return -ENOMEM;
	rcu_read_lock();
	vpd = rcu_dereference(ps->sdev->vpd_pg83);
	if (vpd && vpd->len >= 4)
		tcm_pscsi_read_83(ps, vpd);
	vpd = rcu_dereference(ps->sdev->vpd_pg80);
	if (vpd && vpd->len >= 4)
		tcm_pscsi_read_80(ps->dev, vpd);
	rcu_read_unlock();
	return 0;
}

static ssize_t tcm_pscsi_show_protocol(const struct tcm_pscsi_id *id, char *buf, size_t size)
{
	if (!id->piv)
		return 0;
	if (!tcm_pscsi_protocols[id->protocol])
		return scnprintf(buf, size, "T10 VPD Protocol Identifier: Unknown 0x%02x\n",
				 id->protocol);
	return scnprintf(buf, size, "T10 VPD Protocol Identifier: %s\n",
			 tcm_pscsi_protocols[id->protocol]);
}

static ssize_t tcm_pscsi_show_id(const struct tcm_pscsi_id *id, char *buf, size_t size)
{
	ssize_t len;

	len = scnprintf(buf, size, "T10 VPD Identifier Association: %s\n"
			"T10 VPD Identifier Type: %s\n", tcm_pscsi_assocs[id->association],
			tcm_pscsi_types[id->type]);
	switch (id->code_set) {
	case 1:
		/* The digit in front is the designator's type; tools know it that way. */
		return len + scnprintf(buf + len, size - len,
				       "T10 VPD Binary Device Identifier: %x%*phN\n", id->type,
				       min_t(int, id->len, 64), id->value);
	case 2:
		return len + scnprintf(buf + len, size - len,
				       "T10 VPD ASCII Device Identifier: %.*s\n", id->len,
				       (const char *)id->value);
	case 3:
		return len + scnprintf(buf + len, size - len,
				       "T10 VPD UTF-8 Device Identifier: %.*s\n", id->len,
				       (const char *)id->value);
	default:
		return len + scnprintf(buf + len, size - len,
				       "T10 VPD Device Identifier encoding unsupported: 0x%02x\n",
				       id->code_set);
	}
}

static const u8 tcm_pscsi_assoc_of[] = {
	[TCM_IDENT_LU]		= 0,
	[TCM_IDENT_PORT]	= 1,
	[TCM_IDENT_DEVICE]	= 2,
};

ssize_t tcm_pscsi_id_show(struct tcm_device *dev, enum tcm_ident what, char *buf, size_t size)
{
	struct tcm_pscsi *ps = dev->priv;
	ssize_t len = 0;
	unsigned int i;

	for (i = 0; i < ps->nids; i++) {
		const struct tcm_pscsi_id *id = &ps->ids[i];

		if (what == TCM_IDENT_PROTOCOL)
			len += tcm_pscsi_show_protocol(id, buf + len, size - len);
		else if (id->association == tcm_pscsi_assoc_of[what])
			len += tcm_pscsi_show_id(id, buf + len, size - len);
	}
	return len;
}
