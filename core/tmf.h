/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _TCM_TMF_H
#define _TCM_TMF_H

#include <tcm/fabric.h>

/* Is a task management function carried out? REPORT SUPPORTED TASK MANAGEMENT FUNCTIONS tells. */
bool tcm_tmf_supported(enum tcm_tmf_func func);

#endif
