/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A target for suites: a backend, a fabric, a device of 1 GiB, a portal group, LUN 0 and one
 * session, made by the core's own functions. KUnit's init and exit of a case make and unmake it.
 */
#ifndef _TCM_KUNIT_RIG_H
#define _TCM_KUNIT_RIG_H

#include <kunit/test.h>
#include <tcm/fabric.h>

#define TCM_RIG_BLOCKS	0x200000	/* of 512 bytes */

struct tcm_rig {
	struct tcm_hba		*hba;
	struct tcm_device	*dev;
	struct tcm_wwn		*wwn;
	struct tcm_tpg		*tpg;
	struct tcm_lun		*lun;		/* number 0; NULL once a case took it away */
	struct tcm_session	*sess;
	struct completion	responded, released;

	/* the command that tcm_rig_run() carried out */
	struct tcm_cmd		cmd;
	enum tcm_sense		sense;
	u32			xfer_len;	/* bytes that moved */
	u32			residual;
	bool			overflow;
	u8			sense_data[TCM_SENSE_MAX];
	unsigned int		sense_len;
	unsigned int		submitted;	/* accesses that reached the backend */
};

int tcm_rig_init(struct kunit *test);	/* sets test->priv */
/* With a map of its blocks the unit has REPORT REFERRALS and VPD page B3h, too. */
void tcm_rig_map_blocks(struct kunit *test);
void tcm_rig_exit(struct kunit *test);

/*
 * Carry out a command on LUN @lun. @buf has @len bytes for data in the direction @dir; may be
 * NULL with @len 0. Waits for the answer, ten seconds at most. Return: its sense code.
 */
enum tcm_sense tcm_rig_run(struct kunit *test, u64 lun, const u8 *cdb, unsigned int cdb_len,
			   enum dma_data_direction dir, void *buf, unsigned int len);

/* TEST UNIT READY until no unit attention is left. */
void tcm_rig_settle(struct kunit *test);

/* The I_T_L nexus of a LUN, NULL when there is none */
struct tcm_mapping *tcm_rig_map(struct tcm_rig *rig, u64 lun);

#endif
