/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _TCM_REGISTRY_H
#define _TCM_REGISTRY_H

#include <tcm/backend.h>
#include <tcm/fabric.h>

/* Find and pin the module; NULL when there is none. tcm_backend_put()/tcm_fabric_put() unpin. */
struct tcm_backend_ops *tcm_backend_get(const char *name);
void tcm_backend_put(struct tcm_backend_ops *ops);
struct tcm_fabric_ops *tcm_fabric_get(const char *dir);
void tcm_fabric_put(struct tcm_fabric_ops *ops);

#endif
