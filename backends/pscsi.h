/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Pass-through of SCSI devices: what the files of this backend share.
 */
#ifndef _TCM_PSCSI_H
#define _TCM_PSCSI_H

#include <compat/bdev.h>
#include <scsi/scsi_device.h>
#include <tcm/backend.h>
#include <tcm/cmd.h>

/* What a command means for a target that otherwise does not look into it. */
struct tcm_pscsi_op {
	u8	flags;
	u8	fix;		/* enum tcm_pscsi_fix */
	u16	timeout;	/* seconds; 0: no such row */
};

/* struct tcm_pscsi_op.flags */
#define TCM_PS_WRITES	0x01	/* changes medium or device: refused on a write protected nexus */
#define TCM_PS_BLOCKS	0x02	/* moves a number of blocks that its CDB tells */
#define TCM_PS_RESERVE	0x04	/* reservations: refused when the target is told to have none */
#define TCM_PS_UNLESS_0	0x08	/* TCM_PS_WRITES only when bytes 2 to 4 of the CDB are not zero */

/* What is changed in, or learnt from, the data of a command that ended well. */
enum tcm_pscsi_fix {
	TCM_PS_FIX_NONE,
	TCM_PS_MODE_SENSE6,
	TCM_PS_MODE_SENSE10,
	TCM_PS_CAPACITY10,
	TCM_PS_CAPACITY16,
	TCM_PS_INQUIRY,
};

/* A designator of VPD page 83h as the wwn/ directory shows it. */
struct tcm_pscsi_id {
	u8	protocol;	/* PROTOCOL IDENTIFIER when @piv */
	bool	piv;
	u8	association;	/* 0 logical unit, 1 target port, 2 target device */
	u8	type;
	u8	code_set;
	u8	len;
	u8	value[252];
};

struct tcm_pscsi {
	struct tcm_device	*dev;
	/* as `control` gave it; -1: not given */
	int			host_id, channel_id, target_id, lun_id;
	bool			physical;	/* attached by the HBA directory's host */

	struct scsi_device	*sdev;		/* held while open */
	struct tcm_bdev		claim;		/* disks: our exclusive open */
	u32			block_size;	/* as the device last told; WRITE_ONCE */
	u32			max_bytes;	/* of one command, by host and queue */
	u8			retries;

	/*
	 * @lock protects @waiting, the commands for which there was no tag, in order, and
	 * @draining: @work is on its way to take them
	 */
	spinlock_t		lock;
	struct list_head	waiting;
	bool			draining;
	struct work_struct	work;

	struct tcm_pscsi_id	*ids;
	unsigned int		nids;
};

/* The row of an opcode for a device type; never NULL, a zero timeout does not occur. */
const struct tcm_pscsi_op *tcm_pscsi_op(u8 type, const u8 *cdb);

/* VPD pages 80h and 83h of the device, into dev->serial and ps->ids. May sleep. */
int tcm_pscsi_id_read(struct tcm_pscsi *ps);
ssize_t tcm_pscsi_id_show(struct tcm_device *dev, enum tcm_ident what, char *buf, size_t size);

extern struct workqueue_struct *tcm_pscsi_wq;

void tcm_pscsi_pass(struct tcm_cmd *cmd);
/* Runs what waited for a tag. */
void tcm_pscsi_work(struct work_struct *work);

#endif
