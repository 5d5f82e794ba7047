/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Devices and the HBA directories above them, as configuration sees them. All may
 * sleep and take tcm_config_mutex unless they say otherwise.
 */
#ifndef _TCM_CORE_DEVICE_H
#define _TCM_CORE_DEVICE_H

#include <tcm/backend.h>
#include <tcm/target.h>

int tcm_device_init(void);
void tcm_device_exit(void);

/* -EINVAL: no such plugin, also after asking for its module */
struct tcm_hba *tcm_hba_create(const char *plugin, u32 number);
void tcm_hba_destroy(struct tcm_hba *hba);

struct tcm_device *tcm_device_create(struct tcm_hba *hba, const char *name);
/* No LUN links to it. The medium closes when the last command is back. */
void tcm_device_destroy(struct tcm_device *dev);
/*
 * Wait until the device with this dev->index, which was destroyed, has let go of its medium. Not
 * for long: commands may be out. Killable.
 */
void tcm_device_settle(u32 index);
/* The `control` file: key=value tokens separated by comma or newline. */
int tcm_device_control(struct tcm_device *dev, char *text);
/*
 * The next key=value of such a text, which is written to; words without a value are passed
 * over. False at its end. Pure.
 */
bool tcm_control_next(char **text, char **key, char **value);
/* -EEXIST: enabled already; -EBUSY: another enable runs; else the backend's */
int tcm_device_enable(struct tcm_device *dev, const char **why);
void tcm_device_get(struct tcm_device *dev);
void tcm_device_put(struct tcm_device *dev);

/* Compute what follows from attr.block_size; tcm_config_mutex held. */
void tcm_device_adopt_block_size(struct tcm_device *dev);
/* hba_mode: -EINVAL: not this kind of HBA, or it has devices; else the backend's */
int tcm_hba_set_mode(struct tcm_hba *hba, bool physical, const char **why);
/* The capacity, looked at anew: who asks for it is told what is, not what was. Any context. */
u64 tcm_device_blocks(struct tcm_device *dev);

/* How many configfs-made devices exist: dbroot cannot move while there are any. */
unsigned int tcm_device_count(void);

void tcm_device_sum(struct tcm_device *dev, struct tcm_map_stats *sum);

/* Backends still closing in the background. Used by tcm_backend_unregister(). */
void tcm_device_drain(const struct tcm_backend_ops *ops);

#endif
