/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * /dev/tcm_test: what tests/conformance/tfab.py packs. An open file is an initiator port:
 * log in once, submit, reap, manage tasks; closing it ends the session.
 *
 * All data is copied while the ioctl runs: a command that is aborted or outlives its
 * session never touches the memory of the process.
 */
#ifndef _TCM_TEST_ABI_H
#define _TCM_TEST_ABI_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define TCM_TEST_NAME_MAX	256
#define TCM_TEST_CDB_MAX	260
#define TCM_TEST_SENSE_MAX	96
#define TCM_TEST_DATA_MAX	(32U << 20)
#define TCM_TEST_SLOTS_MAX	1024

struct tcm_test_login {
	char	wwn[TCM_TEST_NAME_MAX];
	char	name[TCM_TEST_NAME_MAX];	/* of the initiator */
	__u8	isid[6];
	__u8	has_isid;
	__u8	pad;
	__u16	tag;				/* of the portal group */
	__u16	slots;				/* commands at a time, 0: as the group says */
	__u32	pad2;
};

/* tcm_test_submit.flags */
#define TCM_TEST_BH		0x01	/* submit from a tasklet, as TCM_CTX_ATOMIC */
#define TCM_TEST_DATA_LATER	0x02	/* data-out comes in parts, from a work item */
#define TCM_TEST_DATA_HELD	0x04	/* data-out comes when TCM_TEST_RELEASE asks for it */
#define TCM_TEST_STATUS_LATE	0x08	/* status leaves from a work item: respond() and put part */
#define TCM_TEST_LINGER		0x10	/* take time between tcm_cmd_init() and setting the tag */
#define TCM_TEST_SUBMIT_FLAGS	0x1f

struct tcm_test_submit {
	__u64	tag;
	__u8	lun[8];
	__u64	cdb;		/* address */
	__u64	dout;		/* address */
	__u32	cdb_len;
	__u32	dout_len;	/* one of the two lengths is zero */
	__u32	din_len;
	__u32	flags;
	__u8	attr;		/* task attribute: 0 simple, 1 ordered, 2 head of queue, 3 ACA */
	__u8	prio;
	__u8	pad[6];
};

/* tcm_test_reap.flags */
#define TCM_TEST_NONBLOCK	0x01	/* EAGAIN when there is none */
#define TCM_TEST_BY_TAG		0x02	/* only that of @tag; ENOENT: there is no such command */
#define TCM_TEST_ORPHANS	0x04	/* wait also when the session is gone; ENOENT: none is left */
#define TCM_TEST_REAP_FLAGS	0x07

/* tcm_test_reap.outcome */
#define TCM_TEST_RESPONSE	0	/* status was sent */
#define TCM_TEST_NO_RESPONSE	1	/* aborted: nothing was sent */
#define TCM_TEST_NOT_TAKEN	2	/* the session was gone when the command came */

struct tcm_test_reap {
	__u64	tag;		/* in with TCM_TEST_BY_TAG, out */
	__u64	din;		/* address */
	__u32	din_room;	/* out: bytes that were put there */
	__u32	flags;
	__u32	timeout_ms;	/* ETIMEDOUT; 0: none */
	__u32	xfer_len;	/* out, from here on */
	__u32	resid;
	__u8	overflow;
	__u8	outcome;
	__u8	status;
	__u8	sense_len;
	__u8	sense[TCM_TEST_SENSE_MAX];
};

struct tcm_test_tmf {
	__u64	tag;
	__u8	lun[8];
	__u32	func;		/* enum tcm_tmf_func */
	__u32	resp;		/* out: enum tcm_tmf_resp */
	__u32	outstanding;	/* out */
	__u8	info[4];	/* out: the first three of tcm_tmf.info */
};

struct tcm_test_info {
	__u32	busy;		/* commands in flight */
	__u32	done;		/* to be reaped */
	__u32	held;		/* wait for data that is held back */
	__u32	alive;		/* the session is */
};

#define TCM_TEST_LOGIN		_IOW('t', 1, struct tcm_test_login)
#define TCM_TEST_SUBMIT		_IOW('t', 2, struct tcm_test_submit)
#define TCM_TEST_REAP		_IOWR('t', 3, struct tcm_test_reap)
#define TCM_TEST_TMF		_IOWR('t', 4, struct tcm_test_tmf)
#define TCM_TEST_RELEASE	_IOW('t', 5, __u64)	/* tag: let its data-out come */
#define TCM_TEST_INFO		_IOR('t', 6, struct tcm_test_info)
#define TCM_TEST_LOGOUT		_IO('t', 7)		/* the file stays, to reap orphans */

#endif
