/* SPDX-License-Identifier: GPL-2.0-only */
/* Found only on kernels before 6.12, where the header has its older place. */
#ifndef _TCM_COMPAT_LINUX_UNALIGNED_H
#define _TCM_COMPAT_LINUX_UNALIGNED_H

#include <asm/unaligned.h>

#endif
