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
#define TCM_SKS_BPV		0x08	/* the bit pointer holds something */

/* Three bytes: field pointer (SPC-4 4.5.2.4.2) or progress indication (4.5.2.4.4). */
static void tcm_sense_sks(const struct tcm_sense_extra *x, u8 *sks)
{
	sks[0] = TCM_SKSV;
	if (x->flags & TCM_SX_FIELD) {
		if (!(x->flags & TCM_SX_PARAM))
			sks[0] |= TCM_SKS_CD;
		if (x->flags & TCM_SX_BIT)
			sks[0] |= TCM_SKS_BPV | (x->bit & 7);
	}
	put_unaligned_be16(x->field, sks + 1);
}

static unsigned int tcm_sense_fixed(enum tcm_sense sense, const struct tcm_sense_extra *x, u8 *buf)
{
	memset(buf, 0, 18);
	buf[0] = 0x70;
	buf[2] = TCM_SENSE_KEY(sense);
	buf[7] = 18 - 8;
	buf[12] = TCM_SENSE_ASC(sense);
	buf[13] = TCM_SENSE_ASCQ(sense);
	if (x && (x->flags & TCM_SX_INFO) && x->info <= U32_MAX) {
		buf[0] |= TCM_SENSE_VALID;
		put_unaligned_be32(x->info, buf + 3);
	}
	if (x && (x->flags & (TCM_SX_FIELD | TCM_SX_PROGRESS)))
		tcm_sense_sks(x, buf + 15);
	return 18;
}

static unsigned int tcm_sense_desc(enum tcm_sense sense, const struct tcm_sense_extra *x, u8 *buf)
{
	u8 *p = buf + 8;

	memset(buf, 0, 8 + 12 + 8);
	buf[0] = 0x72;
	buf[1] = TCM_SENSE_KEY(sense);
	buf[2] = TCM_SENSE_ASC(sense);
	buf[3] = TCM_SENSE_ASCQ(sense);
	if (x && (x->flags & TCM_SX_INFO)) {
		p[0] = 0x00;
		p[1] = 0x0a;
		p[2] = TCM_SENSE_VALID;
		put_unaligned_be64(x->info, p + 4);
		p += 12;
	}
	if (x && (x->flags & (TCM_SX_FIELD | TCM_SX_PROGRESS))) {
		p[0] = 0x02;
		p[1] = 0x06;
		tcm_sense_sks(x, p + 4);
		p += 8;
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
