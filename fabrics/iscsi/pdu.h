/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The wire format of iSCSI: RFC 7143 section 11. Every PDU begins with a basic header segment of
 * 48 bytes; what the words of each kind mean is a struct of its own.
 */
#ifndef _TCM_ISCSI_PDU_H
#define _TCM_ISCSI_PDU_H

#include <linux/types.h>
#include <linux/unaligned.h>
#include <scsi/scsi.h>

/* Opcodes, 11.2.1.2 */
enum {
	TCM_ISC_NOP_OUT	= 0x00,
	TCM_ISC_COMMAND	= 0x01,
	TCM_ISC_TMF		= 0x02,
	TCM_ISC_LOGIN	= 0x03,
	TCM_ISC_TEXT	= 0x04,
	TCM_ISC_DATA_OUT	= 0x05,
	TCM_ISC_LOGOUT	= 0x06,
	TCM_ISC_SNACK	= 0x10,
	TCM_ISC_NOP_IN	= 0x20,
	TCM_ISC_RESPONSE	= 0x21,
	TCM_ISC_TMF_RSP	= 0x22,
	TCM_ISC_LOGIN_RSP	= 0x23,
	TCM_ISC_TEXT_RSP	= 0x24,
	TCM_ISC_DATA_IN	= 0x25,
	TCM_ISC_LOGOUT_RSP	= 0x26,
	TCM_ISC_R2T		= 0x31,
	TCM_ISC_ASYNC	= 0x32,
	TCM_ISC_REJECT	= 0x3f,

	TCM_ISC_OP_MASK	= 0x3f,
	TCM_ISC_IMMEDIATE	= 0x40,
};

#define TCM_ISC_NO_TAG	cpu_to_be32(0xffffffff)
#define TCM_ISC_BHS		48
#define TCM_ISC_AHS_MAX	(255 * 4)

/* Flags of byte 1 */
#define TCM_ISC_F		0x80	/* final; login and text: see TCM_ISC_T, TCM_ISC_C */
#define TCM_ISC_T		0x80	/* login: transit */
#define TCM_ISC_C		0x40	/* login, text: continued */
#define TCM_ISC_R		0x40	/* command: read */
#define TCM_ISC_W		0x20	/* command: write */
#define TCM_ISC_ATTR	0x07
#define TCM_ISC_CSG(flags)	(((flags) >> 2) & 3)
#define TCM_ISC_NSG(flags)	((flags) & 3)
#define TCM_ISC_D_A		0x40	/* Data-In: to be acknowledged by SNACK */
#define TCM_ISC_D_S		0x01	/* Data-In: has status */
#define TCM_ISC_D_U		0x02	/* Data-In, response: residual underflow */
#define TCM_ISC_D_O		0x04	/* ... overflow */
#define TCM_ISC_D_BU	0x08	/* response: bidirectional read residual underflow */

/* Any PDU: what all have in common */
struct tcm_isc_bhs {
	u8	opcode;
	u8	flags;
	u8	b2, b3;
	u8	ahs_len;	/* words of four bytes */
	u8	dsl[3];
	union {
		struct scsi_lun lun;
		struct {
			u8	isid[6];
			__be16	tsih;
		} __packed;
	};
	__be32	itt;
	__be32	word5;		/* TTT, EDTL, CID, SNACK tag: by kind */
	union {
		struct {	/* what initiators send */
			__be32	cmdsn;
			__be32	exp_statsn;
		};
		struct {	/* what targets send, see struct tcm_isc_rsp */
			__be32	statsn;
			__be32	exp_cmdsn;
		};
	};
	__be32	word8;
	__be32	word9;
	__be32	word10;
	__be32	word11;
} __packed;

static_assert(sizeof(struct tcm_isc_bhs) == TCM_ISC_BHS);

/* 11.3 */
struct tcm_isc_command {
	u8	opcode, flags, rsvd[2], ahs_len, dsl[3];
	struct scsi_lun lun;
	__be32	itt;
	__be32	edtl;
	__be32	cmdsn;
	__be32	exp_statsn;
	u8	cdb[16];
} __packed;

static_assert(sizeof(struct tcm_isc_command) == TCM_ISC_BHS);

/* 11.4, 11.7 (Data-In), 11.8 (R2T): what targets send about a command */
struct tcm_isc_rsp {
	u8	opcode, flags, response, status, ahs_len, dsl[3];
	struct scsi_lun lun;
	__be32	itt;
	__be32	ttt;		/* response: SNACK tag */
	__be32	statsn;
	__be32	exp_cmdsn;
	__be32	max_cmdsn;
	__be32	datasn;		/* response: ExpDataSN; R2T: R2TSN */
	__be32	offset;		/* response: bidirectional residual */
	__be32	residual;	/* R2T: desired length */
} __packed;

static_assert(sizeof(struct tcm_isc_rsp) == TCM_ISC_BHS);

/* 11.7 */
struct tcm_isc_data_out {
	u8	opcode, flags, rsvd[2], ahs_len, dsl[3];
	struct scsi_lun lun;
	__be32	itt;
	__be32	ttt;
	__be32	rsvd5;
	__be32	exp_statsn;
	__be32	rsvd6;
	__be32	datasn;
	__be32	offset;
	__be32	rsvd7;
} __packed;

static_assert(sizeof(struct tcm_isc_data_out) == TCM_ISC_BHS);

/* 11.5 */
struct tcm_isc_tmf {
	u8	opcode, flags, rsvd[2], ahs_len, dsl[3];
	struct scsi_lun lun;
	__be32	itt;
	__be32	ref_itt;
	__be32	cmdsn;
	__be32	exp_statsn;
	__be32	ref_cmdsn;
	__be32	exp_datasn;
	u8	rsvd4[8];
} __packed;

static_assert(sizeof(struct tcm_isc_tmf) == TCM_ISC_BHS);

/* 11.6, and what RFC 7144 5.2 adds to it */
struct tcm_isc_tmf_rsp {
	u8	opcode, flags, response, rsvd, ahs_len, dsl[3];
	u8	info[3];	/* ADDITIONAL RESPONSE INFORMATION of SAM-5 */
	u8	rsvd2[5];
	__be32	itt;
	__be32	rsvd3;
	__be32	statsn;
	__be32	exp_cmdsn;
	__be32	max_cmdsn;
	__be32	rsvd4[3];
} __packed;

static_assert(sizeof(struct tcm_isc_tmf_rsp) == TCM_ISC_BHS);

/* 11.16 */
struct tcm_isc_snack {
	u8	opcode, flags, rsvd[2], ahs_len, dsl[3];
	struct scsi_lun lun;
	__be32	itt;
	__be32	tag;		/* target transfer tag, or SNACK tag */
	__be32	rsvd6;
	__be32	exp_statsn;
	__be32	rsvd8[2];
	__be32	beg_run;
	__be32	run_len;
} __packed;

static_assert(sizeof(struct tcm_isc_snack) == TCM_ISC_BHS);

/* What is asked for, 11.16.1 */
enum {
	TCM_ISC_SNACK_DATA_R2T	= 0,
	TCM_ISC_SNACK_STATUS	= 1,
	TCM_ISC_SNACK_DATA_ACK	= 2,
	TCM_ISC_SNACK_R_DATA	= 3,
};

/* 11.12, 11.13 */
struct tcm_isc_login_hdr {
	u8	opcode, flags, version_max, version_min, ahs_len, dsl[3];
	u8	isid[6];
	__be16	tsih;
	__be32	itt;
	__be16	cid;		/* request */
	__be16	rsvd;
	__be32	sn;		/* request: CmdSN, response: StatSN */
	__be32	exp_sn;		/* request: ExpStatSN, response: ExpCmdSN */
	__be32	max_cmdsn;	/* response */
	u8	status_class, status_detail;
	u8	rsvd2[10];
} __packed;

static_assert(sizeof(struct tcm_isc_login_hdr) == TCM_ISC_BHS);

/* Login status, class and detail: 11.13.5 */
enum {
	TCM_ISC_LOGIN_OK		= 0x0000,
	TCM_ISC_LOGIN_MOVED_TEMP	= 0x0101,
	TCM_ISC_LOGIN_MOVED_PERM	= 0x0102,
	TCM_ISC_LOGIN_INITIATOR	= 0x0200,
	TCM_ISC_LOGIN_AUTH_FAILED	= 0x0201,
	TCM_ISC_LOGIN_FORBIDDEN	= 0x0202,
	TCM_ISC_LOGIN_NOT_FOUND	= 0x0203,
	TCM_ISC_LOGIN_VERSION	= 0x0205,
	TCM_ISC_LOGIN_TOO_MANY	= 0x0206,
	TCM_ISC_LOGIN_MISSING	= 0x0207,
	TCM_ISC_LOGIN_SESSION_TYPE	= 0x0209,
	TCM_ISC_LOGIN_NO_SESSION	= 0x020a,
	TCM_ISC_LOGIN_INVALID	= 0x020b,
	TCM_ISC_LOGIN_TARGET	= 0x0300,
	TCM_ISC_LOGIN_UNAVAILABLE	= 0x0301,
	TCM_ISC_LOGIN_RESOURCES	= 0x0302,
};

/* Reasons of a Reject, 11.17.1 */
enum {
	TCM_ISC_REJ_DATA_DIGEST	= 0x02,
	TCM_ISC_REJ_SNACK		= 0x03,
	TCM_ISC_REJ_PROTOCOL	= 0x04,
	TCM_ISC_REJ_UNSUPPORTED	= 0x05,
	TCM_ISC_REJ_TOO_MANY	= 0x06,
	TCM_ISC_REJ_IN_PROGRESS	= 0x07,
	TCM_ISC_REJ_INVALID		= 0x09,
	TCM_ISC_REJ_LONG		= 0x0a,
};

/* Asynchronous events, 11.9.1 */
enum {
	TCM_ISC_ASYNC_LOGOUT	= 1,	/* the initiator should */
	TCM_ISC_ASYNC_DROP_CONN	= 2,	/* the target ends it, */
	TCM_ISC_ASYNC_DROP_ALL	= 3,	/* ... or all of the session */
};

/* Task management functions and responses, 11.5.1, 11.6.1 */
enum {
	TCM_ISC_TMF_ABORT_TASK	= 1,
	TCM_ISC_TMF_ABORT_TASK_SET,
	TCM_ISC_TMF_CLEAR_ACA,
	TCM_ISC_TMF_CLEAR_TASK_SET,
	TCM_ISC_TMF_LUN_RESET,
	TCM_ISC_TMF_WARM_RESET,
	TCM_ISC_TMF_COLD_RESET,
	TCM_ISC_TMF_REASSIGN,
	TCM_ISC_TMF_QUERY_TASK,		/* RFC 7144 */
	TCM_ISC_TMF_QUERY_TASK_SET,
	TCM_ISC_TMF_NEXUS_RESET,
	TCM_ISC_TMF_QUERY_ASYNC,

	TCM_ISC_TMF_RSP_COMPLETE	= 0,
	TCM_ISC_TMF_RSP_NO_TASK	= 1,
	TCM_ISC_TMF_RSP_NO_LUN	= 2,
	TCM_ISC_TMF_RSP_ALLEGIANT	= 3,
	TCM_ISC_TMF_RSP_NO_REASSIGN	= 4,
	TCM_ISC_TMF_RSP_UNSUPPORTED	= 5,
	TCM_ISC_TMF_RSP_AUTH	= 6,
	TCM_ISC_TMF_RSP_SUCCEEDED	= 7,
	TCM_ISC_TMF_RSP_REJECTED	= 255,
};

static inline u32 tcm_isc_dsl(const struct tcm_isc_bhs *bhs)
{
	return get_unaligned_be24(bhs->dsl);
}

static inline u32 tcm_isc_pad(u32 len)
{
	return -len & 3;
}

/* Serial numbers wrap: RFC 1982, RFC 7143 4.2.2.1 */
static inline bool tcm_isc_sn_before(u32 a, u32 b)
{
	return (s32)(a - b) < 0;
}

#endif
