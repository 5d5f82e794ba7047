/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _TCM_CORE_POLL_H
#define _TCM_CORE_POLL_H

#include <tcm/backend.h>

int tcm_poll_init(void);
void tcm_poll_exit(void);

void tcm_poll_init_device(struct tcm_device *dev);
/*
 * After open(), and whenever an attribute has changed: does nothing more for a device that is
 * looked at already, or of which there is nothing to see.
 */
void tcm_poll_start(struct tcm_device *dev);
/* Waits for a poll() of this device that is running. May sleep. */
void tcm_poll_stop(struct tcm_device *dev);

#endif
