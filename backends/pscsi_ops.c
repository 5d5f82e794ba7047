// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is known of the commands that pass through: whether they change anything, how
 * much data they move, and how long the device may take (SPC-5, SBC-4, SSC-5, SMC-3,
 * MMC-6). Opcodes mean different things to different device types, so each
 * type has its rows before the common ones.
 */
#include <linux/unaligned.h>
#include "pscsi.h"

#define W	TCM_PS_WRITES
#define B	TCM_PS_BLOCKS
#define R	TCM_PS_RESERVE

#define MINUTES(n)	((n) * 60)
#define HOURS(n)	((n) * 3600)

/* Disks: 30 s as the kernel's own driver, more where the drive works on its own. */
#define DISK		30
/* Tapes: positioning runs over the whole medium. */
#define TAPE		MINUTES(15)
#define TAPE_FAR	HOURS(4)
/* Optical drives: spin up and read retries. */
#define CD		60
/* Changers: the arm moves. */
#define ARM		MINUTES(20)
#define OTHER		60

static const struct tcm_pscsi_op tcm_pscsi_common[256] = {
	[0x00] = { .timeout = OTHER },			/* TEST UNIT READY */
	[0x03] = { .timeout = OTHER },			/* REQUEST SENSE */
	[0x12] = { .timeout = OTHER, .fix = TCM_PS_INQUIRY },	/* INQUIRY */
	[0x15] = { .timeout = MINUTES(5) },		/* MODE SELECT(6) */
	[0x16] = { R, .timeout = OTHER },		/* RESERVE(6) */
	[0x17] = { R, .timeout = OTHER },		/* RELEASE(6) */
	[0x1a] = { .timeout = OTHER, .fix = TCM_PS_MODE_SENSE6 },	/* MODE SENSE(6) */
	[0x1c] = { .timeout = OTHER },			/* RECEIVE DIAGNOSTIC RESULTS */
	[0x1d] = { W, .timeout = HOURS(3) },		/* SEND DIAGNOSTIC */
	[0x1e] = { .timeout = OTHER },			/* PREVENT ALLOW MEDIUM REMOVAL */
	[0x3b] = { W, .timeout = MINUTES(10) },		/* WRITE BUFFER */
	[0x3c] = { .timeout = OTHER },			/* READ BUFFER(10) */
	[0x4c] = { W, .timeout = OTHER },		/* LOG SELECT */
	[0x4d] = { .timeout = OTHER },			/* LOG SENSE */
	[0x55] = { .timeout = MINUTES(5) },		/* MODE SELECT(10) */
	[0x56] = { R, .timeout = OTHER },		/* RESERVE(10) */
	[0x57] = { R, .timeout = OTHER },		/* RELEASE(10) */
	[0x5a] = { .timeout = OTHER, .fix = TCM_PS_MODE_SENSE10 },	/* MODE SENSE(10) */
	[0x5e] = { R, .timeout = OTHER },		/* PERSISTENT RESERVE IN */
	[0x5f] = { R, .timeout = OTHER },		/* PERSISTENT RESERVE OUT */
	[0x83] = { W, .timeout = MINUTES(10) },		/* third-party copy out */
	[0x84] = { .timeout = OTHER },			/* third-party copy in */
	[0x86] = { .timeout = OTHER },			/* ACCESS CONTROL IN */
	[0x8c] = { .timeout = OTHER },			/* READ ATTRIBUTE */
	[0x8d] = { W, .timeout = OTHER },		/* WRITE ATTRIBUTE */
	[0x9b] = { .timeout = OTHER },			/* READ BUFFER(16) */
	[0x9e] = { .timeout = OTHER },			/* SERVICE ACTION IN(16) */
	[0xa0] = { .timeout = OTHER },			/* REPORT LUNS */
	[0xa2] = { .timeout = MINUTES(5) },		/* SECURITY PROTOCOL IN */
	[0xa3] = { .timeout = OTHER },			/* MAINTENANCE IN */
	[0xa4] = { W, .timeout = MINUTES(5) },		/* MAINTENANCE OUT */
	[0xab] = { .timeout = OTHER },			/* SERVICE ACTION IN(12) */
	[0xb5] = { W, .timeout = MINUTES(5) },		/* SECURITY PROTOCOL OUT */
};

static const struct tcm_pscsi_op tcm_pscsi_disk[256] = {
	[0x01] = { .timeout = DISK },			/* REZERO UNIT */
	[0x04] = { W, .timeout = HOURS(18) },		/* FORMAT UNIT */
	[0x07] = { W, .timeout = MINUTES(10) },		/* REASSIGN BLOCKS */
	[0x08] = { B, .timeout = DISK },		/* READ(6) */
	[0x0a] = { W | B, .timeout = DISK },		/* WRITE(6) */
	[0x0b] = { .timeout = DISK },			/* SEEK(6) */
	[0x1b] = { .timeout = MINUTES(2) },		/* START STOP UNIT */
	[0x25] = { .timeout = DISK, .fix = TCM_PS_CAPACITY10 },	/* READ CAPACITY(10) */
	[0x28] = { B, .timeout = DISK },		/* READ(10) */
	[0x2a] = { W | B, .timeout = DISK },		/* WRITE(10) */
	[0x2b] = { .timeout = DISK },			/* SEEK(10) */
	[0x2e] = { W | B, .timeout = MINUTES(2) },	/* WRITE AND VERIFY(10) */
	[0x2f] = { .timeout = MINUTES(10) },		/* VERIFY(10) */
	[0x34] = { .timeout = MINUTES(2) },		/* PRE-FETCH(10) */
	[0x35] = { .timeout = MINUTES(2) },		/* SYNCHRONIZE CACHE(10) */
	[0x37] = { .timeout = MINUTES(2) },		/* READ DEFECT DATA(10) */
	[0x3e] = { .timeout = DISK },			/* READ LONG(10) */
	[0x3f] = { W, .timeout = DISK },		/* WRITE LONG(10) */
	[0x41] = { W, .timeout = MINUTES(10) },		/* WRITE SAME(10) */
	[0x42] = { W, .timeout = MINUTES(5) },		/* UNMAP */
	[0x48] = { W, .timeout = HOURS(18) },		/* SANITIZE */
	[0x7f] = { W, .timeout = MINUTES(2) },		/* variable length */
	[0x88] = { B, .timeout = DISK },		/* READ(16) */
	[0x89] = { W, .timeout = DISK },		/* COMPARE AND WRITE */
	[0x8a] = { W | B, .timeout = DISK },		/* WRITE(16) */
	[0x8b] = { W | B, .timeout = DISK },		/* ORWRITE(16) */
	[0x8e] = { W | B, .timeout = MINUTES(2) },	/* WRITE AND VERIFY(16) */
	[0x8f] = { .timeout = MINUTES(10) },		/* VERIFY(16) */
	[0x90] = { .timeout = MINUTES(2) },		/* PRE-FETCH(16) */
	[0x91] = { .timeout = MINUTES(2) },		/* SYNCHRONIZE CACHE(16) */
	[0x93] = { W, .timeout = MINUTES(10) },		/* WRITE SAME(16) */
	[0x94] = { W, .timeout = MINUTES(2) },		/* ZBC OUT */
	[0x95] = { .timeout = MINUTES(2) },		/* ZBC IN */
	[0x9a] = { W, .timeout = DISK },		/* WRITE STREAM(16) */
	[0x9c] = { W, .timeout = DISK },		/* WRITE ATOMIC(16) */
	[0x9e] = { .timeout = DISK, .fix = TCM_PS_CAPACITY16 },	/* SERVICE ACTION IN(16) */
	[0xa8] = { B, .timeout = DISK },		/* READ(12) */
	[0xaa] = { W | B, .timeout = DISK },		/* WRITE(12) */
	[0xae] = { W | B, .timeout = MINUTES(2) },	/* WRITE AND VERIFY(12) */
	[0xaf] = { .timeout = MINUTES(10) },		/* VERIFY(12) */
	[0xb7] = { .timeout = MINUTES(2) },		/* READ DEFECT DATA(12) */
};

static const struct tcm_pscsi_op tcm_pscsi_tape[256] = {
	[0x01] = { .timeout = TAPE_FAR },		/* REWIND */
	[0x04] = { W, .timeout = TAPE_FAR },		/* FORMAT MEDIUM */
	[0x05] = { .timeout = OTHER },			/* READ BLOCK LIMITS */
	[0x08] = { .timeout = TAPE },			/* READ(6) */
	[0x0a] = { W, .timeout = TAPE },		/* WRITE(6) */
	[0x0b] = { W, .timeout = TAPE },		/* SET CAPACITY */
	[0x0f] = { .timeout = TAPE },			/* READ REVERSE(6) */
	/* a count of zero writes no mark, it only empties the buffer */
	[0x10] = { W | TCM_PS_UNLESS_0, .timeout = TAPE_FAR },	/* WRITE FILEMARKS(6) */
	[0x11] = { .timeout = TAPE_FAR },		/* SPACE(6) */
	[0x13] = { .timeout = TAPE_FAR },		/* VERIFY(6) */
	[0x14] = { .timeout = TAPE },			/* RECOVER BUFFERED DATA */
	[0x19] = { W, .timeout = HOURS(18) },		/* ERASE(6) */
	[0x1b] = { .timeout = TAPE_FAR },		/* LOAD UNLOAD */
	[0x2b] = { .timeout = TAPE_FAR },		/* LOCATE(10) */
	[0x34] = { .timeout = OTHER },			/* READ POSITION */
	[0x44] = { .timeout = OTHER },			/* REPORT DENSITY SUPPORT */
	[0x80] = { W, .timeout = TAPE_FAR },		/* WRITE FILEMARKS(16) */
	[0x81] = { .timeout = TAPE },			/* READ REVERSE(16) */
	[0x82] = { W, .timeout = TAPE },		/* ALLOW OVERWRITE */
	[0x88] = { .timeout = TAPE },			/* READ(16) */
	[0x8a] = { W, .timeout = TAPE },		/* WRITE(16) */
	[0x8f] = { .timeout = TAPE_FAR },		/* VERIFY(16) */
	[0x91] = { .timeout = TAPE_FAR },		/* SPACE(16) */
	[0x92] = { .timeout = TAPE_FAR },		/* LOCATE(16) */
	[0x93] = { W, .timeout = HOURS(18) },		/* ERASE(16) */
	/* the key without which an encrypted tape is not readable */
	[0xb5] = { .timeout = MINUTES(5) },		/* SECURITY PROTOCOL OUT */
};

static const struct tcm_pscsi_op tcm_pscsi_changer[256] = {
	[0x07] = { .timeout = HOURS(1) },		/* INITIALIZE ELEMENT STATUS */
	[0x1b] = { W, .timeout = ARM },			/* OPEN/CLOSE IMPORT/EXPORT ELEMENT */
	[0x2b] = { .timeout = ARM },			/* POSITION TO ELEMENT */
	[0x37] = { .timeout = HOURS(1) },		/* INITIALIZE ELEMENT STATUS WITH RANGE */
	[0xa5] = { W, .timeout = ARM },			/* MOVE MEDIUM */
	[0xa6] = { W, .timeout = ARM },			/* EXCHANGE MEDIUM */
	[0xa7] = { W, .timeout = ARM },			/* MOVE MEDIUM ATTACHED */
	[0xb4] = { .timeout = MINUTES(10) },		/* READ ELEMENT STATUS ATTACHED */
	[0xb5] = { .timeout = MINUTES(10) },		/* REQUEST VOLUME ELEMENT ADDRESS */
	[0xb6] = { W, .timeout = MINUTES(10) },		/* SEND VOLUME TAG */
	[0xb8] = { .timeout = MINUTES(10) },		/* READ ELEMENT STATUS */
};

static const struct tcm_pscsi_op tcm_pscsi_cd[256] = {
	[0x04] = { W, .timeout = HOURS(3) },		/* FORMAT UNIT */
	[0x08] = { B, .timeout = CD },			/* READ(6) */
	[0x1b] = { .timeout = MINUTES(2) },		/* START STOP UNIT */
	[0x23] = { .timeout = CD },			/* READ FORMAT CAPACITIES */
	[0x25] = { .timeout = CD, .fix = TCM_PS_CAPACITY10 },	/* READ CAPACITY */
	[0x28] = { B, .timeout = CD },			/* READ(10) */
	[0x2a] = { W | B, .timeout = MINUTES(5) },	/* WRITE(10) */
	[0x2b] = { .timeout = CD },			/* SEEK(10) */
	[0x2e] = { W | B, .timeout = MINUTES(5) },	/* WRITE AND VERIFY(10) */
	[0x2f] = { .timeout = HOURS(1) },		/* VERIFY(10) */
	[0x35] = { .timeout = MINUTES(15) },		/* SYNCHRONIZE CACHE(10) */
	[0x42] = { .timeout = CD },			/* READ SUB-CHANNEL */
	[0x43] = { .timeout = CD },			/* READ TOC/PMA/ATIP */
	[0x44] = { .timeout = CD },			/* READ HEADER */
	[0x45] = { .timeout = CD },			/* PLAY AUDIO(10) */
	[0x46] = { .timeout = CD },			/* GET CONFIGURATION */
	[0x47] = { .timeout = CD },			/* PLAY AUDIO MSF */
	[0x48] = { .timeout = CD },			/* PLAY AUDIO TRACK INDEX */
	[0x4a] = { .timeout = CD },			/* GET EVENT STATUS NOTIFICATION */
	[0x4b] = { .timeout = CD },			/* PAUSE/RESUME */
	[0x4e] = { .timeout = CD },			/* STOP PLAY/SCAN */
	[0x51] = { .timeout = CD },			/* READ DISC INFORMATION */
	[0x52] = { .timeout = CD },			/* READ TRACK INFORMATION */
	[0x53] = { W, .timeout = CD },			/* RESERVE TRACK */
	[0x54] = { W, .timeout = MINUTES(10) },		/* SEND OPC INFORMATION */
	[0x58] = { W, .timeout = MINUTES(10) },		/* REPAIR TRACK */
	[0x5b] = { W, .timeout = HOURS(1) },		/* CLOSE TRACK SESSION */
	[0x5c] = { .timeout = CD },			/* READ BUFFER CAPACITY */
	[0x5d] = { W, .timeout = CD },			/* SEND CUE SHEET */
	[0xa1] = { W, .timeout = HOURS(3) },		/* BLANK */
	[0xa3] = { .timeout = CD },			/* SEND KEY */
	[0xa4] = { .timeout = CD },			/* REPORT KEY */
	[0xa5] = { .timeout = CD },			/* PLAY AUDIO(12) */
	[0xa6] = { .timeout = MINUTES(2) },		/* LOAD/UNLOAD MEDIUM */
	[0xa7] = { .timeout = CD },			/* SET READ AHEAD */
	[0xa8] = { B, .timeout = CD },			/* READ(12) */
	[0xaa] = { W | B, .timeout = MINUTES(5) },	/* WRITE(12) */
	[0xac] = { .timeout = CD },			/* GET PERFORMANCE */
	[0xad] = { .timeout = CD },			/* READ DISC STRUCTURE */
	[0xb6] = { .timeout = CD },			/* SET STREAMING */
	[0xb9] = { .timeout = CD },			/* READ CD MSF */
	[0xba] = { .timeout = CD },			/* SCAN */
	[0xbb] = { .timeout = CD },			/* SET CD SPEED */
	[0xbd] = { .timeout = CD },			/* MECHANISM STATUS */
	[0xbe] = { .timeout = CD },			/* READ CD */
	[0xbf] = { W, .timeout = CD },			/* SEND DISC STRUCTURE */
};

/* Nobody can say what they do, so a write protected nexus may not send them. */
static const struct tcm_pscsi_op tcm_pscsi_unknown = { W, .timeout = MINUTES(10) };

/* READ(32) and VERIFY(32) (SBC-4) */
static const struct tcm_pscsi_op tcm_pscsi_read32 = { .timeout = MINUTES(2) };

static const struct tcm_pscsi_op *tcm_pscsi_rows(u8 type)
{
	switch (type) {
	case TYPE_DISK:
	case TYPE_ZBC:
	case TYPE_WORM:
	case TYPE_MOD:
	case TYPE_RBC:
		return tcm_pscsi_disk;
	case TYPE_TAPE:
		return tcm_pscsi_tape;
	case TYPE_MEDIUM_CHANGER:
		return tcm_pscsi_changer;
	case TYPE_ROM:
		return tcm_pscsi_cd;
	default:
		return tcm_pscsi_common;
	}
}

const struct tcm_pscsi_op *tcm_pscsi_op(u8 type, const u8 *cdb)
{
	const struct tcm_pscsi_op *row = &tcm_pscsi_rows(type)[cdb[0]];

	if (cdb[0] == VARIABLE_LENGTH_CMD && row->timeout) {
		u16 sa = get_unaligned_be16(cdb + 8);

		return sa == 0x0009 || sa == 0x000a ? &tcm_pscsi_read32 : row;
	}
	if (!row->timeout)
		row = &tcm_pscsi_common[cdb[0]];
	return row->timeout ? row : &tcm_pscsi_unknown;
}
