/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Devices with protection information: core/pi.c stands between the core and the backend.
 */
#ifndef _TCM_CORE_PI_H
#define _TCM_CORE_PI_H

#include <tcm/cmd.h>

int tcm_pi_init(void);
void tcm_pi_exit(void);

/*
 * The medium has been opened: what it has of its own, dev->limits.pi_type, is the protection type
 * from here on. tcm_config_mutex is held. May sleep. Return: 0 or -ENOMEM.
 */
int tcm_pi_adopt(struct tcm_device *dev);

/* Frees what the device keeps; no I/O is left, the medium is still open. May sleep. */
void tcm_pi_device_exit(struct tcm_device *dev);

static inline u8 tcm_pi_type(const struct tcm_device *dev)
{
	return READ_ONCE(dev->attr.pi_prot_type);
}

/* What commands of a nexus see: the device's, or what the fabric makes of one without */
static inline u8 tcm_pi_seen(const struct tcm_device *dev, const struct tcm_session *sess)
{
	return tcm_pi_type(dev) ?: sess->prot_type;
}

#define TCM_PI_TYPES	3

/* Can it keep protection information? */
static inline bool tcm_pi_possible(const struct tcm_device *dev)
{
	return dev->backend->pi_io || dev->limits.pi_type;
}

/*
 * From here on the device keeps protection information of this type, or none (0). dev->pi_lock is
 * held, tcm_config_mutex is taken. @when says what is to be so, and is made sure of but for
 * TCM_PI_GATED. May sleep, and takes its time. Return: 0, -ENOSYS: the backend cannot, or the disk
 * has a type of its own, -EINVAL: a LUN links to it, -EBUSY: commands are out, or what the backend
 * says.
 */
enum tcm_pi_when {
	TCM_PI_IDLE,		/* nobody can have commands out */
	TCM_PI_NO_LUN,		/* no LUN links to it, and none has before */
	TCM_PI_GATED,		/* the caller sees to it that no command accesses the medium */
};

int tcm_pi_set_type(struct tcm_device *dev, u8 type, enum tcm_pi_when when);

/* All of it becomes ones. dev->pi_lock is held, there is a type. Return: as tcm_pi_set_type() */
int tcm_pi_format(struct tcm_device *dev);

/*
 * Read or write with protection information: what dev->ops->submit is where there is some. With
 * TCM_IO_PI also for devices without: it is checked, then left out; made, then handed out.
 */
void tcm_pi_submit(struct tcm_io *io);

#endif
