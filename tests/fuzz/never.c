// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the table points to and no target calls: commands that move data or sleep. Without
 * their headers, because only the names count.
 */
#include "kernel.h"

#define FUZZ_NEVER(name) void name(void); void name(void) { abort(); }
FUZZ_NEVER(tcm_cmd_complete)
FUZZ_NEVER(tcm_hop_queue)
FUZZ_NEVER(tcm_sbc_bounce)
FUZZ_NEVER(tcm_sbc_unbounce)
FUZZ_NEVER(tcm_sg_compare)
FUZZ_NEVER(tcm_sg_compare_block)
FUZZ_NEVER(tcm_sbc_sync_cache)
FUZZ_NEVER(tcm_sbc_start_stop)
