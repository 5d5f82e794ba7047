// SPDX-License-Identifier: GPL-2.0-only
/*
 * TransportIDs (SPC-4 7.6.4).
 */
#include <linux/ctype.h>
#include <linux/export.h>
#include <linux/kernel.h>
#include <linux/nls.h>
#include <linux/string.h>
#include <linux/unaligned.h>
#include "transport_id.h"

#define TCM_TID_PROTO		0x0f
#define TCM_TID_FORMAT		0xc0
#define TCM_TID_ISCSI_PORT	0x40	/* FORMAT CODE of iSCSI: name and ISID */
#define TCM_TID_ISID		",i,0x"

/* Where the binary name of an initiator port is, and how long */
static bool tcm_tid_place(u8 proto, unsigned int *at, unsigned int *len)
{
	*len = 8;
	switch (proto) {
	case TCM_PROTO_FCP:
	case TCM_PROTO_SBP:
		*at = 8;
		return true;
	case TCM_PROTO_SRP:
		*at = 8;
		*len = 16;
		return true;
	case TCM_PROTO_SAS:
		*at = 4;
		return true;
	default:
		return false;
	}
}

/* The digits of a name, at most 2 * @len, as bytes that end at the end of @buf */
static void tcm_tid_digits(const char *name, u8 *buf, unsigned int len)
{
	const char *dot = strrchr(name, '.'), *p;
	unsigned int nibble = 2 * len;

	if (dot)
		name = dot + 1;
	else if (name[0] == '0' && name[1] == 'x')
		name += 2;
	for (p = name + strlen(name); p > name && nibble; ) {
		int digit = hex_to_bin(*--p);

		if (digit < 0)
			continue;
		nibble--;
		buf[nibble / 2] |= nibble & 1 ? digit : digit << 4;
	}
}

static unsigned int tcm_tid_put_iscsi(const struct tcm_pr_nexus *nexus, u8 *buf)
{
	char *name = (char *)buf + 4;
	unsigned int len;

	memset(buf, 0, TCM_TRANSPORT_ID_MAX);
	buf[0] = TCM_PROTO_ISCSI | (nexus->has_isid ? TCM_TID_ISCSI_PORT : 0);
	if (nexus->has_isid)
		len = scnprintf(name, TCM_TRANSPORT_ID_MAX - 4, "%s" TCM_TID_ISID "%*phN",
				nexus->initiator, TCM_PR_ISID_LEN, nexus->isid);
	else
		len = scnprintf(name, TCM_TRANSPORT_ID_MAX - 4, "%s", nexus->initiator);
	/* zero terminated, a multiple of four, twenty at least (SPC-4 7.6.4.6) */
	len = max(round_up(len + 1, 4), 20U);
	put_unaligned_be16(len, buf + 2);
	return 4 + len;
}

unsigned int tcm_transport_id_put(const struct tcm_pr_nexus *nexus, u8 *buf)
{
	unsigned int at, len;

	if (nexus->proto == TCM_PROTO_ISCSI)
		return tcm_tid_put_iscsi(nexus, buf);
	memset(buf, 0, TCM_TRANSPORT_ID_LEN);
	buf[0] = nexus->proto & TCM_TID_PROTO;
	if (tcm_tid_place(nexus->proto, &at, &len))
		tcm_tid_digits(nexus->initiator, buf + at, len);
	return TCM_TRANSPORT_ID_LEN;
}

bool tcm_initiator_name_ok(const char *name, size_t len)
{
	size_t i;
	unicode_t c;
	int n;

	for (i = 0; i < len; i += n) {
		n = utf8_to_utf32((const u8 *)name + i, len - i, &c);
		if (n < 1 || c <= ' ' || c == 0x7f || c == ',' || c == '=')
			return false;
	}
	return true;
}
EXPORT_SYMBOL_GPL(tcm_initiator_name_ok);

static bool tcm_tid_name_ok(const char *name, unsigned int len)
{
	if (len < 5 || len >= TCM_NAME_MAX || !tcm_initiator_name_ok(name, len))
		return false;
	return !strncasecmp(name, "iqn.", 4) || !strncasecmp(name, "eui.", 4) ||
	       !strncasecmp(name, "naa.", 4);
}

static bool tcm_tid_isid(const char *text, unsigned int len, struct tcm_pr_nexus *nexus)
{
	if (len != strlen(TCM_TID_ISID) + 2 * TCM_PR_ISID_LEN ||
	    strncasecmp(text, TCM_TID_ISID, strlen(TCM_TID_ISID)))
		return false;
	nexus->has_isid = true;
	return !hex2bin(nexus->isid, text + strlen(TCM_TID_ISID), TCM_PR_ISID_LEN);
}

static unsigned int tcm_tid_get_iscsi(const u8 *buf, unsigned int len, struct tcm_pr_nexus *nexus)
{
	const char *name = (const char *)buf + 4, *comma;
	unsigned int size = get_unaligned_be16(buf + 2), used;
	u8 format = buf[0] & TCM_TID_FORMAT;

	if (size < 20 || size % 4 || size > len - 4)
		return 0;
	used = strnlen(name, size);
	if (used == size || memchr_inv(name + used, 0, size - used))
		return 0;
	comma = memchr(name, ',', used);
	if ((format != 0 && format != TCM_TID_ISCSI_PORT) || !comma != !format)
		return 0;
	if (comma && !tcm_tid_isid(comma, used - (comma - name), nexus))
		return 0;
	if (comma)
		used = comma - name;
	if (!tcm_tid_name_ok(name, used))
		return 0;
	memcpy(nexus->initiator, name, used);
	nexus->initiator[used] = '\0';
	return 4 + size;
}

static void tcm_tid_text(u8 proto, const u8 *id, char *text, size_t size)
{
	switch (proto) {
	case TCM_PROTO_FCP:
		scnprintf(text, size, "%*phC", 8, id);
		break;
	case TCM_PROTO_SAS:
		scnprintf(text, size, "naa.%*phN", 8, id);
		break;
	case TCM_PROTO_SRP:
		scnprintf(text, size, "0x%*phN", 16, id);
		break;
	default:
		scnprintf(text, size, "%*phN", 8, id);
		break;
	}
}

unsigned int tcm_transport_id_get(const u8 *buf, unsigned int len, struct tcm_pr_nexus *nexus)
{
	unsigned int at, size;

	if (len < TCM_TRANSPORT_ID_LEN)
		return 0;
	nexus->proto = buf[0] & TCM_TID_PROTO;
	nexus->has_isid = false;
	if (nexus->proto == TCM_PROTO_ISCSI)
		return buf[0] & 0x30 || buf[1] ? 0 : tcm_tid_get_iscsi(buf, len, nexus);
	if (buf[0] & ~TCM_TID_PROTO || !tcm_tid_place(nexus->proto, &at, &size))
		return 0;
	/* What is not the name is reserved. */
	if (memchr_inv(buf + 1, 0, at - 1) ||
	    memchr_inv(buf + at + size, 0, TCM_TRANSPORT_ID_LEN - at - size) ||
	    !memchr_inv(buf + at, 0, size))
		return 0;
	tcm_tid_text(nexus->proto, buf + at, nexus->initiator, sizeof(nexus->initiator));
	return TCM_TRANSPORT_ID_LEN;
}
