/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _TCM_CORE_POLL_H
#define _TCM_CORE_POLL_H

#include <tcm/backend.h>

/* From open() to close() of a device whose backend has poll(). May sleep. */
void tcm_poll_start(struct tcm_device *dev);
void tcm_poll_stop(struct tcm_device *dev);
void tcm_poll_exit(void);

#endif
