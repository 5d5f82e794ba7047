/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The opcode table: everything that is known of a command stands in its row.
 */
#ifndef _TCM_OPCODE_H
#define _TCM_OPCODE_H

#include <linux/sizes.h>
#include <tcm/cmd.h>

/* How the amount of data follows from the CDB. */
enum tcm_xfer {
	TCM_XFER_NONE,
	TCM_XFER_BYTES,		/* allocation or parameter list length */
	TCM_XFER_BLOCKS,	/* number of logical blocks */
	TCM_XFER_BLOCKS6,	/* one byte, zero means 256 (SBC-4, READ(6)) */
	TCM_XFER_ONE_BLOCK,	/* a single block, repeated @nblocks times */
	TCM_XFER_EXTENT,	/* LBA and length, but no data */
	TCM_XFER_FN,		/* row->parse() sets cmd->data_len and cmd->nblocks */
};

/*
 * No row computes a longer answer (TCM_XFER_BYTES, data-in): an allocation length beyond it
 * asks for nothing more, so nobody makes us set memory aside for it.
 */
#define TCM_ANSWER_MAX	SZ_2M

/* struct tcm_opcode.flags */
/* exec never sleeps: may run in atomic context. With TCM_OP_MEDIUM it heeds TCM_CMD_NOWAIT. */
#define TCM_OP_INLINE	0x0001
#define TCM_OP_MEDIUM	0x0002	/* reads or writes the medium: submits to the backend */
#define TCM_OP_WRITES	0x0004	/* changes the medium or its state: write protection applies */
#define TCM_OP_NO_UA	0x0008	/* a pending unit attention does not stop it (SPC-4 5.14.2) */
#define TCM_OP_NO_LUN	0x0010	/* answers for a LUN that is not there */
#define TCM_OP_HOQ	0x0020	/* implicitly HEAD OF QUEUE (SAM-5 8.9) */
#define TCM_OP_PASS	0x0040	/* the core answers it for pass-through devices, too */
#define TCM_OP_PASSTHRU	0x0080	/* the row of everything that is passed through */
#define TCM_OP_PARTIAL	0x40000	/* may write just those blocks whose data the initiator has */
#define TCM_OP_READY	0x0800	/* needs a unit that runs: refused after START STOP UNIT's STOP */

/* The blocks it accesses: it takes them for itself (tcm_range_lock()), or they do not matter */
#define TCM_OP_EXCL	0x10000
#define TCM_OP_NO_RANGE	0x20000
/* Says itself which blocks it changes (tcm_watch_hit(), tcm_alua_check_blocks()) */
#define TCM_OP_EXTENTS	0x80000
#define TCM_OP_WHOLE	0x100000	/* changes every block, though it names none */
#define TCM_OP_GROUP	0x200000	/* has a GROUP NUMBER field, which @usage does not show */

/* ... only while a unit attention of ours waits to be told; else the device answers */
#define TCM_OP_PASS_UA	0x4000

/* Reservations (SPC-4 table 67): may a nexus that does not hold the reservation? */
#define TCM_OP_PR_WE	0x0100	/* ... under Write Exclusive */
#define TCM_OP_PR_EA	0x0200	/* ... under Exclusive Access */
#define TCM_OP_PR_REG	0x0400	/* decided by the service action itself */
#define TCM_OP_PR_SPC2	0x8000	/* ... under RESERVE of SPC-2 (SPC-2 table 10) */

/* Asymmetric access states (SPC-4 5.15.2) in which it executes beside active */
#define TCM_OP_STANDBY	0x1000
#define TCM_OP_UNAVAIL	0x2000

/* struct tcm_opcode.sa_at: where the SERVICE ACTION field is */
#define TCM_SA_NONE	0
#define TCM_SA_BYTE1	1	/* byte 1, bits 4..0 */
#define TCM_SA_BYTE8	8	/* bytes 8 and 9 of a variable length CDB */

/**
 * struct tcm_opcode - one command
 * @opcode: OPERATION CODE
 * @sa_at: where the SERVICE ACTION field is, TCM_SA_*
 * @sa: its value
 * @cdb_len: bytes
 * @dir: enum dma_data_direction
 * @xfer: how @len_at is read
 * @lba_at: byte offset of the LBA, 0: none
 * @lba_size: bytes of it
 * @len_at: byte offset of the length
 * @len_size: bytes of it
 * @flags: TCM_OP_*
 * @timeout: seconds: recommended time-out (REPORT SUPPORTED OPERATION CODES), 0: not stated
 * @usage: CDB usage data (SPC-4, A3h/0Ch), byte 0 is the opcode. A zero bit is reserved:
 *	a CDB that sets it is refused. GROUP NUMBER is not in it: tcm_opcode_usage()
 * @ignored: bits of byte 1 that are set in @usage so that they are not refused, but mean
 *	nothing: REPORT SUPPORTED OPERATION CODES shows them as zeros
 * @name: for traces and documentation
 * @parse: further checks that need no medium; may be NULL
 * @exec: carry it out. Return TCM_OK, a sense code, or TCM_PENDING when
 *	tcm_cmd_complete() follows.
 * @offered: is it there on this device? NULL: on all
 * @pr_allowed: is this one let through although TCM_OP_PR_* are not? For commands where that is a
 *	matter of a bit of the CDB; may be NULL
 * @unavail_allowed: the same of TCM_OP_UNAVAIL; may be NULL
 */
struct tcm_opcode {
	u8		opcode;
	u8		sa_at;
	u16		sa;
	u8		cdb_len;
	u8		dir;
	u8		xfer;
	u8		lba_at, lba_size;
	u8		len_at, len_size;
	u32		flags;
	u16		timeout;
	u8		usage[32];
	u8		ignored;
	const char	*name;
	enum tcm_sense	(*parse)(struct tcm_cmd *cmd);
	enum tcm_sense	(*exec)(struct tcm_cmd *cmd);
	bool		(*offered)(const struct tcm_device *dev);
	bool		(*pr_allowed)(const struct tcm_cmd *cmd);
	bool		(*unavail_allowed)(const struct tcm_cmd *cmd);
};

/* Not in <scsi/scsi_proto.h> of every kernel */
#define TCM_ORWRITE_16		0x8b
#define TCM_WRITE_ATOMIC_16	0x9c

/* Variable length CDBs (7Fh) have 32 bytes here. */
#define TCM_LONG_CDB	32
/* Service actions of VARIABLE LENGTH CDB */
#define TCM_SA_READ_32		0x0009
#define TCM_SA_VERIFY_32	0x000a
#define TCM_SA_WRITE_32		0x000b
#define TCM_SA_WRITE_VERIFY_32	0x000c
#define TCM_SA_WRITE_SAME_32	0x000d

/* Where PROTECT, DPO, FUA, BYTCHK, UNMAP and NDOB are, in the same bits of CDBs of any length */
static inline unsigned int tcm_sbc_bits_at(const struct tcm_cmd *cmd)
{
	return cmd->op->cdb_len == TCM_LONG_CDB ? 10 : 1;
}

#define TCM_GROUP_BITS	0x1f	/* GROUP NUMBER: as many as are supported */

/* Where GROUP NUMBER is, 0: the command has none (SBC-5 4.22.1) */
static inline unsigned int tcm_cdb_group_at(const struct tcm_opcode *op)
{
	if (!(op->flags & TCM_OP_GROUP))
		return 0;
	switch (op->cdb_len) {
	case 6:
		return 0;
	case 12:
		return 10;
	case 16:
		return 14;
	default:
		/* also of long CDBs */
		return 6;
	}
}

/* The group of a CDB of that row, 0: none */
static inline unsigned int tcm_cdb_group(const struct tcm_opcode *op, const u8 *cdb)
{
	unsigned int at = tcm_cdb_group_at(op);

	return at ? cdb[at] & TCM_GROUP_BITS : 0;
}

/* The bits of byte @i that the row knows; NACA, which is for all of them, is not among them. */
static inline u8 tcm_opcode_usage(const struct tcm_opcode *op, unsigned int i)
{
	return op->usage[i] | (i && i == tcm_cdb_group_at(op) ? TCM_GROUP_BITS : 0);
}

/* Is the command there on @dev? */
static inline bool tcm_opcode_offered(const struct tcm_opcode *op, const struct tcm_device *dev)
{
	return !op->offered || op->offered(dev);
}

/* A run of rows with the same opcode, as the index by opcode finds it. */
struct tcm_opcode_run {
	const struct tcm_opcode	*rows;
	unsigned int		n;
};

extern const struct tcm_opcode tcm_ops_spc[], tcm_ops_sbc[];
extern const unsigned int tcm_ops_spc_count, tcm_ops_sbc_count;
extern const struct tcm_opcode tcm_op_passthru;

/* Build the index; fails when the rows of one opcode are not neighbours. */
int tcm_opcode_init(void);

/* All rows of an opcode; n is 0 when there is none. */
const struct tcm_opcode_run *tcm_opcode_run(u8 opcode);

/* The row for a CDB, or NULL with *@sa_known telling whether the opcode exists at all. */
const struct tcm_opcode *tcm_opcode_find(const u8 *cdb, unsigned int len, bool *op_known);

/* The sense for a service action that is not there, or that the CDB is too short for. */
enum tcm_sense tcm_opcode_bad_sa(struct tcm_cmd *cmd);

/*
 * A row that @dev does not offer may have a twin that it does: the same command with other bits.
 * NULL when there is none.
 */
const struct tcm_opcode *tcm_opcode_twin(const struct tcm_opcode *op, const struct tcm_device *dev);

/*
 * The row for CDBs of @op with protection information; NULL: @sess sees none of @dev, or the
 * command's field is reserved.
 */
const struct tcm_opcode *tcm_opcode_protected(const struct tcm_opcode *op,
					      const struct tcm_device *dev,
					      const struct tcm_session *sess);

/*
 * May the command come with it, with the protection type that @sess sees of @dev? Type 2 has tags
 * that only the long CDBs have room for, and those are for nothing else (SBC-4, READ(32)).
 */
bool tcm_opcode_has_pi(const struct tcm_opcode *op, const struct tcm_device *dev,
		       const struct tcm_session *sess);

/* Does @dev offer any command with this OPERATION CODE? */
bool tcm_opcode_any_offered(u8 opcode, const struct tcm_device *dev);

/* Call @fn for every row until it returns false. */
void tcm_opcode_for_each(bool (*fn)(const struct tcm_opcode *op, void *arg), void *arg);

/* Where the CONTROL byte of such a CDB is (SAM-5 5.2), 0: nowhere */
unsigned int tcm_cdb_control_at(u8 opcode);
#define TCM_CONTROL_NACA	0x04

/* Is NACA set? */
static inline bool tcm_cdb_naca(const u8 *cdb, unsigned int len)
{
	unsigned int at = tcm_cdb_control_at(cdb[0]);

	return at && at < len && cdb[at] & TCM_CONTROL_NACA;
}

/*
 * Check length and reserved bits, set lba, nblocks and data_len. Pure over cmd->cdb but for
 * dev->block_shift; no side effects.
 */
enum tcm_sense tcm_opcode_parse(struct tcm_cmd *cmd);

#endif
