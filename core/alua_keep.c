// SPDX-License-Identifier: GPL-2.0-only
/*
 * Access states as files below dbroot. Only ever written: who restores writes the attributes.
 */
#include <linux/slab.h>
#include <linux/string.h>
#include "alua_state.h"
#include "dbroot.h"
#include "target.h"

/* contract: alua/tpgs_<serial>/<group> */
void tcm_alua_note_group(struct tcm_alua_note *note, const struct tcm_tg_pt_gp *gp)
{
	lockdep_assert_held(&gp->dev->lun_lock);
	note->due = gp->field[TCM_ALUA_alua_write_metadata];
	if (!note->due)
		return;
	note->folder = kasprintf(GFP_ATOMIC, "alua/tpgs_%s", gp->dev->serial);
	if (note->folder)
		strreplace(note->folder + strlen("alua/"), '/', '_');
	note->name = kstrdup(gp->name, GFP_ATOMIC);
	note->text = kasprintf(GFP_ATOMIC, "tg_pt_gp_id=%hu\nalua_access_state=0x%02x\n"
			       "alua_access_status=0x%02x\n", gp->id, gp->state,
			       gp->field[TCM_ALUA_alua_access_status]);
}

/* contract: alua/<fabric>/<wwn>+<tpgt>/lun_<n> */
void tcm_alua_note_port(struct tcm_alua_note *note, const struct tcm_lun *lun)
{
	const struct tcm_tpg *tpg = lun->tpg;

	lockdep_assert_held(&lun->dev->lun_lock);
	note->due = READ_ONCE(lun->alua_write_md);
	if (!note->due)
		return;
	note->folder = kasprintf(GFP_ATOMIC, "alua/%s/%s+%u", tpg->ops->name, tpg->wwn->name,
				 tpg->tag);
	note->name = kasprintf(GFP_ATOMIC, "lun_%llu", lun->lun);
	note->text = kasprintf(GFP_ATOMIC, "alua_tg_pt_offline=%u\nalua_tg_pt_status=0x%02x\n",
			       lun->alua_offline, READ_ONCE(lun->alua_status));
}

struct tcm_save *tcm_alua_note_save(struct tcm_alua_note *note)
{
	struct tcm_save *save = NULL;

	if (note->folder && note->name && note->text)
		save = tcm_save_start(note->folder, note->name, note->text, NULL);
	if (!save)
		kfree(note->text);
	if (note->due && !save)
		pr_warn_ratelimited("tcm: no memory to save an access state below dbroot\n");
	kfree(note->folder);
	kfree(note->name);
	return save;
}
