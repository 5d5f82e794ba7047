// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sense data (SPC-4 4.5) and the conversions into sense codes.
 */
#include <linux/export.h>
#include <linux/unaligned.h>
#include <tcm/sense.h>

#define TCM_SENSE_VALID		0x80	/* fixed format: INFORMATION holds something */
#define TCM_SKSV		0x80	/* sense-key-specific bytes hold something */
#define TCM_SKS_CD		0x40	/* the field is in the CDB */
#define TCM_SKS_SD		0x20	/* COPY ABORTED: it is in the segment descriptor */
#define TCM_SKS_BPV		0x08	/* the bit pointer holds something */

/* DESCRIPTOR TYPE */
#define TCM_SENSE_INFO		0x00
#define TCM_SENSE_COMMAND	0x01
#define TCM_SENSE_SKS		0x02
#define TCM_SENSE_FORWARDED	0x0c

/*
 * Three bytes: field pointer (SPC-4 4.5.2.4.2), progress indication (4.5.2.4.4) or segment pointer
 * (4.5.2.4.5).
 */
static void tcm_sense_sks(enum tcm_sense sense, const struct tcm_sense_extra *x, u8 *sks)
{
	sks[0] = TCM_SKSV;
	if (x->flags & TCM_SX_FIELD) {
		if (x->flags & TCM_SX_SEGMENT)
			sks[0] |= TCM_SKS_SD;
		else if (TCM_SENSE_KEY(sense) != COPY_ABORTED && !(x->flags & TCM_SX_PARAM))
			sks[0] |= TCM_SKS_CD;
		if (x->flags & TCM_SX_BIT)
			sks[0] |= TCM_SKS_BPV | (x->bit & 7);
	}
	put_unaligned_be16(x->field, sks + 1);
}

#define TCM_SX_UNIT	(TCM_SX_SOURCE | TCM_SX_DEST)

/*
 * COMMAND-SPECIFIC INFORMATION of a copy that failed while a segment was processed (SPC-4 6.4.3):
 * where status and sense data of the source begin, those of the destination, zero for none, and
 * the segment's number.
 */
static void tcm_sense_segment(const struct tcm_sense_extra *x, u8 at, u8 *csi)
{
	csi[0] = x->flags & TCM_SX_SOURCE ? at : 0;
	csi[1] = x->flags & TCM_SX_DEST ? at : 0;
	put_unaligned_be16(x->segment, csi + 2);
}

/* Status and sense data of the unit that failed, as an initiator of its own had got them. */
static unsigned int tcm_sense_unit(const struct tcm_sense_extra *x, bool desc, u8 *p)
{
	struct tcm_sense_extra own = { .flags = x->flags & TCM_SX_INFO, .info = x->info };

	*p = SAM_STAT_CHECK_CONDITION;
	return 1 + tcm_sense_build((enum tcm_sense)(x->unit_key << 16 | x->unit_code), &own, desc,
				   p + 1);
}

static unsigned int tcm_sense_fixed(enum tcm_sense sense, const struct tcm_sense_extra *x, u8 *buf)
{
	memset(buf, 0, 18);
	buf[0] = 0x70;
	buf[2] = TCM_SENSE_KEY(sense);
	buf[7] = 18 - 8;
	buf[12] = TCM_SENSE_ASC(sense);
	buf[13] = TCM_SENSE_ASCQ(sense);
	if (x && (x->flags & (TCM_SX_INFO | TCM_SX_UNIT)) == TCM_SX_INFO && x->info <= U32_MAX) {
		buf[0] |= TCM_SENSE_VALID;
		put_unaligned_be32(x->info, buf + 3);
	}
	if (x && (x->flags & (TCM_SX_FIELD | TCM_SX_PROGRESS)))
		tcm_sense_sks(sense, x, buf + 15);
	if (x && (x->flags & TCM_SX_SEGMENT))
		tcm_sense_segment(x, 18, buf + 8);
	if (x && (x->flags & TCM_SX_UNIT))
		buf[7] += tcm_sense_unit(x, false, buf + 18);
	return 8 + buf[7];
}

static unsigned int tcm_sense_desc(enum tcm_sense sense, const struct tcm_sense_extra *x, u8 *buf)
{
	u8 *p = buf + 8, *csi = NULL;

	memset(buf, 0, 8 + 12 + 8);
	buf[0] = 0x72;
	buf[1] = TCM_SENSE_KEY(sense);
	buf[2] = TCM_SENSE_ASC(sense);
	buf[3] = TCM_SENSE_ASCQ(sense);
	if (x && (x->flags & TCM_SX_SEGMENT)) {
		p[0] = TCM_SENSE_COMMAND;
		p[1] = 0x0a;
		csi = p + 4;
		p += 12;
	} else if (x && (x->flags & TCM_SX_INFO)) {
		p[0] = TCM_SENSE_INFO;
		p[1] = 0x0a;
		p[2] = TCM_SENSE_VALID;
		put_unaligned_be64(x->info, p + 4);
		p += 12;
	}
	if (x && (x->flags & (TCM_SX_FIELD | TCM_SX_PROGRESS))) {
		p[0] = TCM_SENSE_SKS;
		p[1] = 0x06;
		tcm_sense_sks(sense, x, p + 4);
		p += 8;
	}
	/* The forwarded sense data descriptor has status and sense data side by side. */
	if (csi)
		tcm_sense_segment(x, p + 3 - buf, csi);
	if (csi && (x->flags & TCM_SX_UNIT)) {
		p[0] = TCM_SENSE_FORWARDED;
		p[2] = x->flags & TCM_SX_SOURCE ? 1 : 2;
		p[1] = 1 + tcm_sense_unit(x, true, p + 3);
		p += 2 + p[1];
	}
	buf[7] = p - (buf + 8);
	return p - buf;
}

unsigned int tcm_sense_build(enum tcm_sense sense, const struct tcm_sense_extra *x,
			     bool desc, u8 *buf)
{
	return desc ? tcm_sense_desc(sense, x, buf) : tcm_sense_fixed(sense, x, buf);
}
EXPORT_SYMBOL_GPL(tcm_sense_build);

enum tcm_sense tcm_sense_from_errno(int err, bool write)
{
	switch (err) {
	case 0:
		return TCM_OK;
	case -ENOSPC:
	case -EDQUOT:
		return TCM_SPACE_ALLOC_FAILED;
	case -EROFS:
	case -EPERM:
	case -EACCES:
		return TCM_WRITE_PROTECTED;
	case -ENOMEM:
	case -EAGAIN:
		return TCM_BUSY;
	case -ETIMEDOUT:
	case -ETIME:
		return TCM_COMMAND_TIMEOUT;
	case -ENODEV:
	case -ENXIO:
	case -ESHUTDOWN:
	case -ENOMEDIUM:
		return TCM_LUN_NOT_RESPONDING;
	case -EBADE:
		return TCM_RESERVATION_CONFLICT;
	case -ENOLINK:
	case -EREMOTEIO:
		return TCM_LUN_COMM_FAILURE;
	case -ECANCELED:
	case -EINTR:
		return TCM_NO_ADDITIONAL_SENSE;
	default:
		return write ? TCM_WRITE_ERROR : TCM_READ_ERROR;
	}
}
EXPORT_SYMBOL_GPL(tcm_sense_from_errno);

enum tcm_sense tcm_sense_from_blk(blk_status_t sts, bool write)
{
	switch (sts) {
	case BLK_STS_OK:
		return TCM_OK;
	case BLK_STS_NOSPC:
		return TCM_SPACE_ALLOC_FAILED;
	case BLK_STS_TIMEOUT:
		return TCM_COMMAND_TIMEOUT;
	case BLK_STS_RESOURCE:
	case BLK_STS_DEV_RESOURCE:
	case BLK_STS_AGAIN:
		return TCM_BUSY;
	case BLK_STS_TARGET:
	case BLK_STS_TRANSPORT:
		return TCM_LUN_COMM_FAILURE;
	case BLK_STS_RESV_CONFLICT:
		return TCM_RESERVATION_CONFLICT;
	case BLK_STS_OFFLINE:
		return TCM_LUN_NOT_RESPONDING;
	case BLK_STS_PROTECTION:
		return TCM_GUARD_CHECK;
	default:
		return write ? TCM_WRITE_ERROR : TCM_READ_ERROR;
	}
}
EXPORT_SYMBOL_GPL(tcm_sense_from_blk);
