// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the suites use of iSCSI. Only in builds with TCM_KUNIT=y.
 */
#include <linux/export.h>
#include "../../fabrics/iscsi/iscsi.h"

EXPORT_SYMBOL_GPL(tcm_isc_chap_free);
EXPORT_SYMBOL_GPL(tcm_isc_chap_new);
EXPORT_SYMBOL_GPL(tcm_isc_chap_step);
EXPORT_SYMBOL_GPL(tcm_isc_key_find);
EXPORT_SYMBOL_GPL(tcm_isc_key_name);
EXPORT_SYMBOL_GPL(tcm_isc_list_has);
EXPORT_SYMBOL_GPL(tcm_isc_nego_ask);
EXPORT_SYMBOL_GPL(tcm_isc_nego_init);
EXPORT_SYMBOL_GPL(tcm_isc_nego_key);
EXPORT_SYMBOL_GPL(tcm_isc_nego_settle);
EXPORT_SYMBOL_GPL(tcm_isc_offer_init);
EXPORT_SYMBOL_GPL(tcm_isc_offer_set);
EXPORT_SYMBOL_GPL(tcm_isc_text_addf);
EXPORT_SYMBOL_GPL(tcm_isc_text_binary);
EXPORT_SYMBOL_GPL(tcm_isc_text_next);
EXPORT_SYMBOL_GPL(tcm_isc_text_num);
