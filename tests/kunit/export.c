// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the suites use of the core beyond its interface. Only in builds with TCM_KUNIT=y.
 */
#include <linux/export.h>
#include "../../configfs/cfs.h"
#include "../../configfs/lba_map.h"
#include "../../core/alua.h"
#include "../../core/attr.h"
#include "../../core/cmd.h"
#include "../../core/copy.h"
#include "../../core/device.h"
#include "../../core/gate.h"
#include "../../core/log.h"
#include "../../core/mode.h"
#include "../../core/opcode.h"
#include "../../core/pi_tuple.h"
#include "../../core/pr_state.h"
#include "../../core/range.h"
#include "../../core/sbc.h"
#include "../../core/sbc_unmap.h"
#include "../../core/session.h"
#include "../../core/target.h"
#include "../../core/transport_id.h"
#include "../../core/ua.h"
#include "../../core/vpd.h"

EXPORT_SYMBOL_GPL(tcm_attr_rows);
EXPORT_SYMBOL_GPL(tcm_attr_set);
EXPORT_SYMBOL_GPL(tcm_cfs_check_name);
EXPORT_SYMBOL_GPL(tcm_cfs_lun_number);
EXPORT_SYMBOL_GPL(tcm_control_next);
EXPORT_SYMBOL_GPL(tcm_copy_add_own);
EXPORT_SYMBOL_GPL(tcm_copy_alloc);
EXPORT_SYMBOL_GPL(tcm_copy_free);
EXPORT_SYMBOL_GPL(tcm_copy_run);
EXPORT_SYMBOL_GPL(tcm_device_create);
EXPORT_SYMBOL_GPL(tcm_device_destroy);
EXPORT_SYMBOL_GPL(tcm_device_enable);
EXPORT_SYMBOL_GPL(tcm_hba_create);
EXPORT_SYMBOL_GPL(tcm_hba_destroy);
EXPORT_SYMBOL_GPL(tcm_lba_map_free);
EXPORT_SYMBOL_GPL(tcm_lba_map_parse);
EXPORT_SYMBOL_GPL(tcm_lba_map_set);
EXPORT_SYMBOL_GPL(tcm_lba_range_alloc);
EXPORT_SYMBOL_GPL(tcm_log_page_count);
EXPORT_SYMBOL_GPL(tcm_log_pages);
EXPORT_SYMBOL_GPL(tcm_lun_link);
EXPORT_SYMBOL_GPL(tcm_lun_unlink);
EXPORT_SYMBOL_GPL(tcm_mode_list_check);
EXPORT_SYMBOL_GPL(tcm_naa_id);
EXPORT_SYMBOL_GPL(tcm_opcode_find);
EXPORT_SYMBOL_GPL(tcm_opcode_for_each);
EXPORT_SYMBOL_GPL(tcm_opcode_run);
EXPORT_SYMBOL_GPL(tcm_opcode_twin);
EXPORT_SYMBOL_GPL(tcm_pi_compare);
EXPORT_SYMBOL_GPL(tcm_pi_generate);
EXPORT_SYMBOL_GPL(tcm_pi_repeat);
EXPORT_SYMBOL_GPL(tcm_pi_verify);
EXPORT_SYMBOL_GPL(tcm_pr_apply);
EXPORT_SYMBOL_GPL(tcm_pr_compact);
EXPORT_SYMBOL_GPL(tcm_pr_denied);
EXPORT_SYMBOL_GPL(tcm_pr_hash);
EXPORT_SYMBOL_GPL(tcm_pr_is_holder);
EXPORT_SYMBOL_GPL(tcm_pr_same);
EXPORT_SYMBOL_GPL(tcm_pr_text);
EXPORT_SYMBOL_GPL(tcm_pr_text_size);
EXPORT_SYMBOL_GPL(tcm_pr_text_whole);
EXPORT_SYMBOL_GPL(tcm_range_add);
EXPORT_SYMBOL_GPL(tcm_range_drop);
EXPORT_SYMBOL_GPL(tcm_range_try);
EXPORT_SYMBOL_GPL(tcm_sbc_set_stopped);
EXPORT_SYMBOL_GPL(tcm_target_drain);
EXPORT_SYMBOL_GPL(tcm_tg_pt_gp_create);
EXPORT_SYMBOL_GPL(tcm_tg_pt_gp_destroy);
EXPORT_SYMBOL_GPL(tcm_tg_pt_gp_set);
EXPORT_SYMBOL_GPL(tcm_tg_pt_gp_set_id);
EXPORT_SYMBOL_GPL(tcm_tg_pt_gp_set_state);
EXPORT_SYMBOL_GPL(tcm_text_bool);
EXPORT_SYMBOL_GPL(tcm_text_clean);
EXPORT_SYMBOL_GPL(tcm_text_line);
EXPORT_SYMBOL_GPL(tcm_text_take);
EXPORT_SYMBOL_GPL(tcm_text_uint);
EXPORT_SYMBOL_GPL(tcm_tpg_create);
EXPORT_SYMBOL_GPL(tcm_tpg_destroy);
EXPORT_SYMBOL_GPL(tcm_transport_id_get);
EXPORT_SYMBOL_GPL(tcm_transport_id_put);
EXPORT_SYMBOL_GPL(tcm_ua_clear_session);
EXPORT_SYMBOL_GPL(tcm_ua_raise);
EXPORT_SYMBOL_GPL(tcm_ua_sense);
EXPORT_SYMBOL_GPL(tcm_ua_take);
EXPORT_SYMBOL_GPL(tcm_unmap_parse);
EXPORT_SYMBOL_GPL(tcm_vpd_build);
EXPORT_SYMBOL_GPL(tcm_vpd_page_count);
EXPORT_SYMBOL_GPL(tcm_vpd_pages);
EXPORT_SYMBOL_GPL(tcm_watch_add);
EXPORT_SYMBOL_GPL(tcm_watch_del);
EXPORT_SYMBOL_GPL(tcm_watch_hit);
EXPORT_SYMBOL_GPL(tcm_wwn_create);
EXPORT_SYMBOL_GPL(tcm_wwn_destroy);
