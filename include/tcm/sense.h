/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The error currency of commands: sense codes and SCSI status values.
 *
 * Configuration speaks errno, commands speak enum tcm_sense; tcm_sense_from_errno()
 * and tcm_sense_from_blk() are the only bridges between the two.
 */
#ifndef _TCM_SENSE_H
#define _TCM_SENSE_H

#include <linux/types.h>
#include <linux/blk_types.h>
#include <scsi/scsi_proto.h>

/* A sense code carries key, ASC and ASCQ; it implies status CHECK CONDITION. */
#define TCM_SENSE(key, asc, ascq)	((key) << 16 | (asc) << 8 | (ascq))
/* A code that is a bare status, without sense data. */
#define TCM_STATUS(status)		(1 << 24 | (status))

enum tcm_sense {
	TCM_OK				= 0,

	/* Not an outcome: the command completes later through tcm_cmd_complete(). */
	TCM_PENDING			= 1 << 25,

	TCM_BUSY			= TCM_STATUS(SAM_STAT_BUSY),
	TCM_RESERVATION_CONFLICT	= TCM_STATUS(SAM_STAT_RESERVATION_CONFLICT),
	TCM_TASK_SET_FULL		= TCM_STATUS(SAM_STAT_TASK_SET_FULL),
	TCM_ACA_ACTIVE			= TCM_STATUS(SAM_STAT_ACA_ACTIVE),
	TCM_TASK_ABORTED		= TCM_STATUS(SAM_STAT_TASK_ABORTED),
	/* The backend supplied raw sense bytes (pass-through). */
	TCM_RAW_SENSE			= TCM_STATUS(SAM_STAT_CHECK_CONDITION),

	TCM_NOT_READY_CAUSE_UNKNOWN	= TCM_SENSE(NOT_READY, 0x04, 0x00),
	TCM_NOT_READY_BECOMING		= TCM_SENSE(NOT_READY, 0x04, 0x01),
	TCM_NOT_READY_INIT_REQUIRED	= TCM_SENSE(NOT_READY, 0x04, 0x02),
	TCM_NOT_READY_MANUAL		= TCM_SENSE(NOT_READY, 0x04, 0x03),
	TCM_NOT_READY_FORMAT		= TCM_SENSE(NOT_READY, 0x04, 0x04),
	TCM_NOT_READY_SPACE_ALLOC	= TCM_SENSE(NOT_READY, 0x04, 0x14),
	TCM_NOT_READY_SANITIZE		= TCM_SENSE(NOT_READY, 0x04, 0x1b),
	TCM_LOW_POWER_IDLE		= TCM_SENSE(NO_SENSE, 0x5e, 0x03),
	TCM_LOW_POWER_STANDBY		= TCM_SENSE(NO_SENSE, 0x5e, 0x04),
	TCM_SELFTEST_PROGRESS		= TCM_SENSE(NO_SENSE, 0x04, 0x09),
	TCM_NOT_READY_SELFTEST		= TCM_SENSE(NOT_READY, 0x04, 0x09),
	TCM_ALUA_TRANSITION		= TCM_SENSE(NOT_READY, 0x04, 0x0a),
	TCM_ALUA_STANDBY		= TCM_SENSE(NOT_READY, 0x04, 0x0b),
	TCM_ALUA_UNAVAILABLE		= TCM_SENSE(NOT_READY, 0x04, 0x0c),
	TCM_ALUA_OFFLINE		= TCM_SENSE(NOT_READY, 0x04, 0x12),
	TCM_LUN_NOT_RESPONDING		= TCM_SENSE(NOT_READY, 0x05, 0x00),
	TCM_LUN_COMM_FAILURE		= TCM_SENSE(NOT_READY, 0x08, 0x00),
	TCM_MEDIUM_NOT_PRESENT		= TCM_SENSE(NOT_READY, 0x3a, 0x00),

	TCM_WRITE_ERROR			= TCM_SENSE(MEDIUM_ERROR, 0x0c, 0x00),
	TCM_READ_ERROR			= TCM_SENSE(MEDIUM_ERROR, 0x11, 0x00),
	TCM_FORMAT_CORRUPTED		= TCM_SENSE(MEDIUM_ERROR, 0x31, 0x00),
	TCM_FORMAT_FAILED		= TCM_SENSE(MEDIUM_ERROR, 0x31, 0x01),
	TCM_SANITIZE_FAILED		= TCM_SENSE(MEDIUM_ERROR, 0x31, 0x03),

	/*
	 * Gone for good. Not a NOT READY: initiators wait minutes for those to pass (Linux
	 * spins the disk up for 100 s), and take this one for a permanent device loss.
	 */
	TCM_LUN_FAILURE			= TCM_SENSE(HARDWARE_ERROR, 0x3e, 0x01),
	TCM_SELFTEST_FAILURE		= TCM_SENSE(HARDWARE_ERROR, 0x3e, 0x03),
	TCM_INTERNAL_TARGET_FAILURE	= TCM_SENSE(HARDWARE_ERROR, 0x44, 0x00),

	TCM_INVALID_FIELD_IU		= TCM_SENSE(ILLEGAL_REQUEST, 0x0e, 0x03),
	TCM_PARAM_LIST_LENGTH		= TCM_SENSE(ILLEGAL_REQUEST, 0x1a, 0x00),
	TCM_INVALID_OPCODE		= TCM_SENSE(ILLEGAL_REQUEST, 0x20, 0x00),
	TCM_TOKEN_TYPE			= TCM_SENSE(ILLEGAL_REQUEST, 0x23, 0x01),
	TCM_TOKEN_UNKNOWN		= TCM_SENSE(ILLEGAL_REQUEST, 0x23, 0x04),
	TCM_TOKEN_CORRUPT		= TCM_SENSE(ILLEGAL_REQUEST, 0x23, 0x05),
	TCM_TOKEN_EXPIRED		= TCM_SENSE(ILLEGAL_REQUEST, 0x23, 0x07),
	TCM_TOKEN_CANCELLED		= TCM_SENSE(ILLEGAL_REQUEST, 0x23, 0x08),
	TCM_TOKEN_DELETED		= TCM_SENSE(ILLEGAL_REQUEST, 0x23, 0x09),
	TCM_TOKEN_LENGTH		= TCM_SENSE(ILLEGAL_REQUEST, 0x23, 0x0a),
	TCM_LBA_OUT_OF_RANGE		= TCM_SENSE(ILLEGAL_REQUEST, 0x21, 0x00),
	TCM_INVALID_FIELD_CDB		= TCM_SENSE(ILLEGAL_REQUEST, 0x24, 0x00),
	TCM_LUN_NOT_SUPPORTED		= TCM_SENSE(ILLEGAL_REQUEST, 0x25, 0x00),
	TCM_INVALID_FIELD_PARAM		= TCM_SENSE(ILLEGAL_REQUEST, 0x26, 0x00),
	TCM_INVALID_RELEASE		= TCM_SENSE(ILLEGAL_REQUEST, 0x26, 0x04),
	TCM_COMMAND_SEQUENCE		= TCM_SENSE(ILLEGAL_REQUEST, 0x2c, 0x00),
	TCM_SAVING_NOT_SUPPORTED	= TCM_SENSE(ILLEGAL_REQUEST, 0x39, 0x00),
	TCM_OPERATION_IN_PROGRESS	= TCM_SENSE(ILLEGAL_REQUEST, 0x00, 0x16),
	TCM_COPY_MANY_CSCDS		= TCM_SENSE(ILLEGAL_REQUEST, 0x26, 0x06),
	TCM_COPY_BAD_CSCD		= TCM_SENSE(ILLEGAL_REQUEST, 0x26, 0x07),
	TCM_COPY_MANY_SEGMENTS		= TCM_SENSE(ILLEGAL_REQUEST, 0x26, 0x08),
	TCM_COPY_BAD_SEGMENT		= TCM_SENSE(ILLEGAL_REQUEST, 0x26, 0x09),
	TCM_COPY_INLINE			= TCM_SENSE(ILLEGAL_REQUEST, 0x26, 0x0b),
	TCM_INVALID_MESSAGE		= TCM_SENSE(ILLEGAL_REQUEST, 0x49, 0x00),
	TCM_REMOVAL_PREVENTED		= TCM_SENSE(ILLEGAL_REQUEST, 0x53, 0x02),
	TCM_INSUFFICIENT_RESOURCES	= TCM_SENSE(ILLEGAL_REQUEST, 0x55, 0x03),
	TCM_INSUFFICIENT_REG_RESOURCES	= TCM_SENSE(ILLEGAL_REQUEST, 0x55, 0x04),
	TCM_NO_ROOM_FOR_TOKEN		= TCM_SENSE(ILLEGAL_REQUEST, 0x55, 0x0d),

	TCM_WRITE_PROTECTED		= TCM_SENSE(DATA_PROTECT, 0x27, 0x00),
	TCM_SW_WRITE_PROTECTED		= TCM_SENSE(DATA_PROTECT, 0x27, 0x02),
	TCM_SPACE_ALLOC_FAILED		= TCM_SENSE(DATA_PROTECT, 0x27, 0x07),
	TCM_PR_INFO_LOST		= TCM_SENSE(DATA_PROTECT, 0x44, 0x01),

	TCM_COPY_ABORTED		= TCM_SENSE(COPY_ABORTED, 0x00, 0x00),
	TCM_COPY_DEVICE_FAILURE		= TCM_SENSE(COPY_ABORTED, 0x0d, 0x01),
	TCM_COPY_UNREACHABLE		= TCM_SENSE(COPY_ABORTED, 0x0d, 0x02),
	TCM_COPY_WRONG_TYPE		= TCM_SENSE(COPY_ABORTED, 0x0d, 0x03),
	TCM_COPY_INEXACT		= TCM_SENSE(COPY_ABORTED, 0x26, 0x0a),

	TCM_NO_ADDITIONAL_SENSE		= TCM_SENSE(ABORTED_COMMAND, 0x00, 0x00),
	TCM_UNEXPECTED_UNSOLICITED_DATA	= TCM_SENSE(ABORTED_COMMAND, 0x0c, 0x0c),
	TCM_NOT_ENOUGH_UNSOLICITED_DATA	= TCM_SENSE(ABORTED_COMMAND, 0x0c, 0x0d),
	TCM_GUARD_CHECK			= TCM_SENSE(ABORTED_COMMAND, 0x10, 0x01),
	TCM_APP_TAG_CHECK		= TCM_SENSE(ABORTED_COMMAND, 0x10, 0x02),
	TCM_REF_TAG_CHECK		= TCM_SENSE(ABORTED_COMMAND, 0x10, 0x03),
	TCM_COMMAND_TIMEOUT		= TCM_SENSE(ABORTED_COMMAND, 0x2e, 0x02),
	TCM_ECHO_OVERWRITTEN		= TCM_SENSE(ABORTED_COMMAND, 0x3f, 0x0f),
	TCM_INSPECT_REFERRALS		= TCM_SENSE(ABORTED_COMMAND, 0x3f, 0x15),
	TCM_CRC_ERROR			= TCM_SENSE(ABORTED_COMMAND, 0x47, 0x05),
	TCM_INTERNAL_RESOURCES		= TCM_SENSE(ABORTED_COMMAND, 0x55, 0x03),

	TCM_MISCOMPARE			= TCM_SENSE(MISCOMPARE, 0x1d, 0x00),
};

#define TCM_SENSE_KEY(sense)	(((u32)(sense) >> 16) & 0x0f)
#define TCM_SENSE_ASC(sense)	(((u32)(sense) >> 8) & 0xff)
#define TCM_SENSE_ASCQ(sense)	((u32)(sense) & 0xff)

/* What a sense code needs beside key and codes; valid where its flag is set. */
struct tcm_sense_extra {
	u64 info;		/* INFORMATION: LBA or byte offset */
	u16 field;		/* FIELD POINTER: byte of CDB or parameter list */
	u16 segment;		/* of a copy: number of its segment descriptor */
	u16 unit_code;		/* ASC and ASCQ of the copy's unit that failed */
	u8 bit : 4;		/* BIT POINTER */
	u8 unit_key : 4;
	u8 flags;
#define TCM_SX_INFO	0x01	/* @info */
#define TCM_SX_FIELD	0x02	/* @field, in the CDB unless TCM_SX_PARAM */
#define TCM_SX_PARAM	0x04
#define TCM_SX_BIT	0x08	/* @bit */
#define TCM_SX_PROGRESS	0x10	/* @field is a PROGRESS INDICATION, of 65536 */
/* Of COPY ABORTED alone */
#define TCM_SX_SEGMENT	0x20	/* @segment, and @field is one of that descriptor */
#define TCM_SX_SOURCE	0x40	/* @unit_key, @unit_code are the source's, @info is with them */
#define TCM_SX_DEST	0x80	/* they are the destination's */
};

/* Room for every part of descriptor sense, that of a unit which failed a copy among them. */
#define TCM_SENSE_MAX	96

/**
 * tcm_sense_build - write sense data in fixed or descriptor format
 * @sense: the code
 * @x: extra fields, or NULL
 * @desc: descriptor format (SPC-4 4.5.2) instead of fixed (4.5.3)
 * @buf: at least TCM_SENSE_MAX bytes
 *
 * An INFORMATION field beyond 32 bits cannot be told in fixed format: VALID
 * stays zero there (SPC-4 4.5.3).
 *
 * Context: any. Return: the length of the sense data in bytes.
 */
unsigned int tcm_sense_build(enum tcm_sense sense, const struct tcm_sense_extra *x,
			     bool desc, u8 *buf);

/**
 * tcm_sense_status - the SCSI status that goes with a code
 * @sense: any code but TCM_PENDING
 */
static inline u8 tcm_sense_status(enum tcm_sense sense)
{
	if (sense == TCM_OK)
		return SAM_STAT_GOOD;
	if (sense & (1 << 24))
		return sense & 0xff;
	return SAM_STAT_CHECK_CONDITION;
}

/**
 * tcm_sense_from_errno - a backend's errno as a sense code
 * @err: zero or a negative errno
 * @write: whether the failed access was a write
 */
enum tcm_sense tcm_sense_from_errno(int err, bool write);

/**
 * tcm_sense_from_blk - a block layer status as a sense code
 * @sts: status
 * @write: whether the failed access was a write
 */
enum tcm_sense tcm_sense_from_blk(blk_status_t sts, bool write);

#endif
