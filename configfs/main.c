// SPDX-License-Identifier: GPL-2.0-only
/*
 * The module: initialisation in order, exit in reverse.
 */
#include <linux/module.h>
#include "../core/alua.h"
#include "../core/copy.h"
#include "../core/dbroot.h"
#include "../core/device.h"
#include "../core/hop.h"
#include "../core/lu.h"
#include "../core/opcode.h"
#include "../core/orphan.h"
#include "../core/range.h"
#include "../core/pr.h"
#include "../core/session.h"
#include "../core/target.h"
#include "../core/task.h"
#include "../core/pi.h"
#include "../core/wipe.h"
#include "root.h"

struct tcm_stage {
	int	(*init)(void);
	void	(*exit)(void);
};

static const struct tcm_stage tcm_stages[] = {
	{ tcm_opcode_init, NULL },
	{ tcm_dbroot_init, tcm_dbroot_exit },
	{ tcm_save_init, tcm_save_exit },
	{ tcm_hop_init, tcm_hop_exit },
	{ tcm_range_init, tcm_range_exit },
	{ tcm_task_init, tcm_task_exit },
	{ tcm_orphan_init, tcm_orphan_exit },
	{ tcm_wipe_init, tcm_wipe_exit },
	{ tcm_pi_init, tcm_pi_exit },
	{ tcm_copy_init, tcm_copy_exit },
	{ tcm_target_init, tcm_target_exit },
	{ tcm_pr_init, tcm_pr_exit },
	{ tcm_lu_init, tcm_lu_exit },
	{ tcm_device_init, tcm_device_exit },
	{ tcm_session_init, tcm_session_exit },
	{ tcm_alua_init, tcm_alua_exit },
	{ tcm_cfs_init, tcm_cfs_exit },
};

static void tcm_unwind(int stages)
{
	while (stages--)
		if (tcm_stages[stages].exit)
			tcm_stages[stages].exit();
}

static int __init tcm_init(void)
{
	int i, err;

	for (i = 0; i < ARRAY_SIZE(tcm_stages); i++) {
		err = tcm_stages[i].init();
		if (err) {
			tcm_unwind(i);
			return err;
		}
	}
	return 0;
}

static void __exit tcm_exit(void)
{
	tcm_unwind(ARRAY_SIZE(tcm_stages));
}

module_init(tcm_init);
module_exit(tcm_exit);
MODULE_DESCRIPTION("TCM SCSI target engine");
MODULE_LICENSE("GPL");
MODULE_VERSION("5.0.0");
