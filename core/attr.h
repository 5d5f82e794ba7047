/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What can be set on a device: one row for each attribute of attrib/, and the strings
 * of wwn/. A setter validates, then changes state; it is called with text already
 * turned into a number or a trimmed string. @why gets the reason of a refusal, in words.
 *
 * Writing the value that is there succeeds always, also where a change would not.
 */
#ifndef _TCM_CORE_ATTR_H
#define _TCM_CORE_ATTR_H

#include <tcm/backend.h>

/* How the text of an attribute is read. */
enum tcm_attr_kind {
	TCM_ATTR_BOOL,
	TCM_ATTR_UINT,		/* 0..max */
	TCM_ATTR_IGNORED,		/* whatever is written is accepted and changes nothing */
	TCM_ATTR_RO,
};

/* struct tcm_attr_row.flags */
#define TCM_ATTR_IDLE	0x01	/* cannot change while a LUN links to the device */
#define TCM_ATTR_MODE	0x02	/* is seen in a mode page: MODE PARAMETERS CHANGED */
#define TCM_ATTR_VPD	0x04	/* is seen in a VPD page: INQUIRY DATA HAS CHANGED */

/*
 * X(name, kind, flags, max, setter), in directory order (configfs contract, 4.1). Each
 * names a member of struct tcm_dev_attr. Without a setter the value is stored as it is.
 */
#define TCM_DEV_ATTRS(X)							\
	X(emulate_model_alias, BOOL, TCM_ATTR_IDLE, 1, tcm_set_model_alias)	\
	X(emulate_dpo, IGNORED, 0, 1, NULL)					\
	X(emulate_fua_write, BOOL, TCM_ATTR_MODE, 1, NULL)			\
	X(emulate_fua_read, IGNORED, 0, 1, NULL)					\
	X(emulate_write_cache, BOOL, TCM_ATTR_MODE, 1, tcm_set_write_cache)	\
	X(emulate_ua_intlck_ctrl, UINT, TCM_ATTR_IDLE | TCM_ATTR_MODE, 2, NULL)	\
	X(emulate_tas, BOOL, TCM_ATTR_IDLE | TCM_ATTR_MODE, 1, NULL)		\
	X(emulate_tpu, BOOL, TCM_ATTR_VPD, 1, tcm_set_unmap_user)		\
	X(emulate_tpws, BOOL, TCM_ATTR_VPD, 1, tcm_set_unmap_user)		\
	X(emulate_caw, BOOL, TCM_ATTR_VPD, 1, NULL)				\
	X(emulate_atomic_write, BOOL, TCM_ATTR_VPD, 1, NULL)			\
	X(emulate_3pc, BOOL, TCM_ATTR_VPD, 1, NULL)				\
	X(emulate_pr, BOOL, 0, 1, NULL)						\
	X(emulate_rsoc, BOOL, 0, 1, NULL)					\
	X(pi_prot_type, UINT, TCM_ATTR_IDLE, U32_MAX, NULL)		\
	X(hw_pi_prot_type, RO, 0, 0, NULL)					\
	X(pi_prot_verify, BOOL, 0, 1, tcm_set_pi_verify)			\
	X(enforce_pr_isids, BOOL, 0, 1, NULL)					\
	X(is_nonrot, BOOL, TCM_ATTR_VPD, 1, NULL)				\
	X(emulate_rest_reord, UINT, 0, 1, tcm_set_rest_reord)			\
	X(force_pr_aptpl, BOOL, TCM_ATTR_IDLE, 1, NULL)				\
	X(hw_block_size, RO, 0, 0, NULL)					\
	X(block_size, UINT, TCM_ATTR_IDLE, U32_MAX, tcm_set_block_size)		\
	X(physical_block_size, UINT, TCM_ATTR_IDLE, 65536, tcm_set_phys_block)		\
	X(hw_max_sectors, RO, 0, 0, NULL)					\
	X(optimal_sectors, UINT, TCM_ATTR_IDLE, U32_MAX, tcm_set_optimal)	\
	X(hw_queue_depth, RO, 0, 0, NULL)					\
	X(queue_depth, UINT, TCM_ATTR_IDLE, U32_MAX, tcm_set_queue_depth)	\
	X(max_unmap_lba_count, UINT, TCM_ATTR_VPD, U32_MAX, NULL)		\
	X(max_unmap_block_desc_count, UINT, TCM_ATTR_VPD, U32_MAX, NULL)	\
	X(unmap_granularity, UINT, TCM_ATTR_VPD, U32_MAX, NULL)			\
	X(unmap_granularity_alignment, UINT, TCM_ATTR_VPD, U32_MAX, NULL)	\
	X(unmap_zeroes_data, BOOL, TCM_ATTR_IDLE, 1, tcm_set_unmap_user)	\
	X(max_write_same_len, UINT, TCM_ATTR_VPD, U32_MAX, NULL)		\
	X(alua_support, BOOL, 0, 1, tcm_set_alua_support)			\
	X(pgr_support, BOOL, 0, 1, tcm_set_pgr_support)				\
	X(submit_type, UINT, 0, TCM_SUBMIT_QUEUE, tcm_set_submit_type)		\
	X(removable, BOOL, TCM_ATTR_IDLE, 1, NULL)				\
	X(emulate_aca, BOOL, TCM_ATTR_IDLE, 1, NULL)				\
	X(task_set_max, UINT, 0, U32_MAX, tcm_set_task_set_max)			\
	X(task_nexus_max, UINT, 0, U32_MAX, tcm_set_task_nexus_max)		\
	X(pr_abort_secs, UINT, 0, 3600, NULL)

#define TCM_ATTR_ID(name, kind, flags, max, setter) TCM_ATTR_##name,
enum tcm_attr_id {
	TCM_DEV_ATTRS(TCM_ATTR_ID)
	TCM_ATTR_COUNT
};

#undef TCM_ATTR_ID

struct tcm_attr_row {
	u16	offset;		/* in struct tcm_dev_attr */
	u8	kind;		/* enum tcm_attr_kind */
	u8	flags;		/* TCM_ATTR_* */
	u32	max;
	/* May refuse, and may change other members; the row's own is stored afterwards. */
	int	(*set)(struct tcm_device *dev, u32 value, const char **why);
};

extern const struct tcm_attr_row tcm_attr_rows[TCM_ATTR_COUNT];

static inline u32 *tcm_attr_at(struct tcm_device *dev, enum tcm_attr_id id)
{
	return (u32 *)((u8 *)&dev->attr + tcm_attr_rows[id].offset);
}

/* All take tcm_config_mutex. Errors are those of the contract, sections 4.1 and 5.1. */
int tcm_attr_set(struct tcm_device *dev, enum tcm_attr_id id, u32 value, const char **why);
/* pi_prot_format: 1 writes the protection area anew */
int tcm_attr_pi_format(struct tcm_device *dev, u32 value, const char **why);

enum tcm_device_text {
	TCM_TEXT_ALIAS,
	TCM_TEXT_UDEV_PATH,
	TCM_TEXT_VENDOR,
	TCM_TEXT_PRODUCT,
	TCM_TEXT_REVISION,
	TCM_TEXT_SERIAL,
};

int tcm_device_set_text(struct tcm_device *dev, enum tcm_device_text which, const char *text,
			const char **why);
/* A copy, because the next store may come at any time; @buf has @size bytes. */
void tcm_device_get_text(struct tcm_device *dev, enum tcm_device_text which, char *buf,
			 size_t size);
int tcm_device_set_company(struct tcm_device *dev, u32 id, const char **why);

/* Take the limits of UNMAP from the medium; tcm_config_mutex held. -ENOSYS: it cannot. */
int tcm_attr_fill_unmap(struct tcm_device *dev);

#endif
