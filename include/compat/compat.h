/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Included before every source file: makes an older kernel look like the newest
 * one that is supported. The only place with kernel version tests.
 */
#ifndef _TCM_COMPAT_H
#define _TCM_COMPAT_H

#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 1, 0)
#error "TCM needs Linux 6.1 or newer"
#endif
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 13, 0)
#error "TCM has not been brought to kernels after 6.12 yet"
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 12, 0)

/* 6.5: the status of a reservation conflict got a name of its own */
#define BLK_STS_RESV_CONFLICT	BLK_STS_NEXUS

/* Files and values the stock target of the kernel does not have (configfs contract, section 12) */
#define TCM_RTPI_PER_LINK	1

/* 6.10: __assign_str() knows its source */
#define tcm_assign_str(dst, src)	__assign_str(dst, src)

/* 6.2: the SCSI layer's name for what a timed out command's handler answers */
#define scsi_timeout_action	blk_eh_timer_return
#define SCSI_EH_RESET_TIMER	BLK_EH_RESET_TIMER

/* 6.2: call_rcu() may be lazy */
#define call_rcu_hurry(head, func)	call_rcu(head, func)

/* 6.3: a mount maps ids with a structure of its own */
#define mnt_idmap(mnt)	mnt_user_ns(mnt)
#define old_mnt_idmap	old_mnt_userns
#define new_mnt_idmap	new_mnt_userns

/* 6.4 ff: the driver core takes buses by pointer to const */
#define tcm_bus_type		struct bus_type

#else

#define tcm_bus_type		const struct bus_type
#define TCM_RTPI_PER_LINK	0

#define tcm_assign_str(dst, src)	__assign_str(dst)

#endif

#endif
