// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the table points to and no target calls: commands that move data or sleep. Without
 * their headers, because only the names count.
 */
#include "kernel.h"

#define FUZZ_NEVER(name) void name(void); void name(void) { abort(); }
FUZZ_NEVER(tcm_hop_queue)
FUZZ_NEVER(tcm_cmd_rerun)
FUZZ_NEVER(tcm_task_arrive)
FUZZ_NEVER(tcm_pi_set_type)
FUZZ_NEVER(tcm_pi_submit)
FUZZ_NEVER(tcm_pi_verify)
FUZZ_NEVER(tcm_sg_move)
FUZZ_NEVER(tcm_sbc_bounce)
FUZZ_NEVER(tcm_sbc_unbounce)
FUZZ_NEVER(tcm_sg_compare)
FUZZ_NEVER(tcm_sg_compare_block)
FUZZ_NEVER(tcm_sbc_sync_cache)
FUZZ_NEVER(tcm_map_stats_alloc)
FUZZ_NEVER(tcm_range_enter)
FUZZ_NEVER(tcm_range_lock)
FUZZ_NEVER(tcm_sg_or)
FUZZ_NEVER(tcm_wipe_check)
FUZZ_NEVER(tcm_alua_check)
FUZZ_NEVER(tcm_alua_slow)
FUZZ_NEVER(tcm_alua_check_blocks)
FUZZ_NEVER(tcm_sbc_referrals_parse)
FUZZ_NEVER(tcm_sbc_referrals)
FUZZ_NEVER(tcm_vpd_referrals)
const void *const tcm_item_ops;
