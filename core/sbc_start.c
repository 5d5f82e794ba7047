// SPDX-License-Identifier: GPL-2.0-only
/*
 * START STOP UNIT and PREVENT ALLOW MEDIUM REMOVAL (SBC-4 5.32, 5.15): whether the unit runs, how
 * deep it rests, and whether its medium is in it.
 */
#include "device.h"
#include "gate.h"
#include "lu.h"
#include "opcode.h"
#include "sbc.h"
#include "ua.h"

#define TCM_START_IMMED		0x01	/* byte 1 */

/* Byte 4 */
#define TCM_START_START		0x01
#define TCM_START_LOEJ		0x02
#define TCM_START_NO_FLUSH	0x04

/* POWER CONDITION, byte 4 */
#define TCM_POWER_START_VALID	0x0	/* START and LOEJ say what to do */
#define TCM_POWER_ACTIVE	0x1
#define TCM_POWER_IDLE		0x2
#define TCM_POWER_STANDBY	0x3
#define TCM_POWER_LU_CONTROL	0x7	/* as timers have it: there are none */
#define TCM_POWER_FORCE_IDLE	0xa
#define TCM_POWER_FORCE_STANDBY	0xb

#define TCM_PREVENT		0x01	/* PREVENT ALLOW MEDIUM REMOVAL, byte 4 */

/* A flag of the device with its bit in every gate. */
static bool tcm_unit_set(struct tcm_device *dev, enum tcm_dev_flag flag, enum tcm_gate gate,
			 bool on)
{
	unsigned long flags;
	bool changed;

	spin_lock_irqsave(&dev->lun_lock, flags);
	changed = test_bit(flag, &dev->flags) != on;
	if (changed) {
		assign_bit(flag, &dev->flags, on);
		tcm_gate_device(dev, gate, on);
	}
	spin_unlock_irqrestore(&dev->lun_lock, flags);
	return changed;
}

void tcm_sbc_set_stopped(struct tcm_device *dev, bool stopped)
{
	if (tcm_unit_set(dev, TCM_DEV_STOPPED, TCM_GATE_STOPPED, stopped) && stopped)
		atomic_inc(&dev->lu->log.stops);
}

/* Resting, if only in name: the next command for the medium wakes it. */
void tcm_sbc_set_power(struct tcm_device *dev, enum tcm_power power)
{
	WRITE_ONCE(dev->lu->power, power);
	tcm_unit_set(dev, TCM_DEV_RESTING, TCM_GATE_RESTING, power != TCM_POWER_IS_ACTIVE);
}

static void tcm_set_ejected(struct tcm_cmd *cmd, bool ejected)
{
	if (tcm_unit_set(cmd->dev, TCM_DEV_EJECTED, TCM_GATE_EJECTED, ejected) && !ejected)
		tcm_ua_raise_device(cmd->dev, TCM_UA_MEDIUM_CHANGED, cmd->sess);
}

/* Has any nexus that is still there asked for the medium to stay? */
static bool tcm_removal_prevented(struct tcm_device *dev)
{
	struct tcm_mapping *map = NULL;
	bool prevented = false;
	unsigned long flags;

	spin_lock_irqsave(&dev->lun_lock, flags);
	while ((map = tcm_nexus_next(dev, map)))
		prevented |= map->prevented && !READ_ONCE(map->removed);
	spin_unlock_irqrestore(&dev->lun_lock, flags);
	return prevented;
}

void tcm_sbc_allow_removal(struct tcm_device *dev)
{
	struct tcm_mapping *map = NULL;
	unsigned long flags;

	spin_lock_irqsave(&dev->lun_lock, flags);
	while ((map = tcm_nexus_next(dev, map)))
		map->prevented = false;
	spin_unlock_irqrestore(&dev->lun_lock, flags);
}

bool tcm_sbc_removable(const struct tcm_device *dev)
{
	return dev->attr.removable;
}

enum tcm_sense tcm_sbc_prevent(struct tcm_cmd *cmd)
{
	spin_lock_irq(&cmd->dev->lun_lock);
	cmd->map->prevented = cmd->cdb[4] & TCM_PREVENT;
	spin_unlock_irq(&cmd->dev->lun_lock);
	return TCM_OK;
}

static void tcm_stop_done(struct tcm_io *io, enum tcm_sense sense)
{
	struct tcm_cmd *cmd = tcm_sbc_cmd(io);

	/* What could not be written stays reachable. */
	if (sense) {
		tcm_sbc_set_stopped(cmd->dev, false);
		tcm_set_ejected(cmd, false);
	}
	tcm_cmd_complete(cmd, tcm_sbc_flush_sense(cmd, sense));
}

/* The unit is stopped or rests: what is in the cache goes to the medium. */
static enum tcm_sense tcm_stop_flush(struct tcm_cmd *cmd)
{
	struct tcm_device *dev = cmd->dev;

	if ((cmd->cdb[4] & TCM_START_NO_FLUSH) || !dev->ops->flush)
		return TCM_OK;
	if ((cmd->cdb[1] & TCM_START_IMMED) && tcm_sbc_flush_behind(dev, 0, 0))
		return TCM_OK;
	dev->ops->flush(tcm_sbc_io(cmd, 0, 0, NULL, true, 0, tcm_stop_done));
	return TCM_PENDING;
}

static enum tcm_sense tcm_sbc_stop(struct tcm_cmd *cmd)
{
	bool eject = cmd->cdb[4] & TCM_START_LOEJ;

	/* Who may not write may not take the unit from those who do. */
	if (test_bit(TCM_GATE_WP, &cmd->map->gate))
		return TCM_WRITE_PROTECTED;
	if (eject && tcm_removal_prevented(cmd->dev))
		return TCM_REMOVAL_PREVENTED;
	if (eject)
		tcm_set_ejected(cmd, true);
	else
		tcm_sbc_set_stopped(cmd->dev, true);
	return tcm_stop_flush(cmd);
}

static enum tcm_sense tcm_sbc_start(struct tcm_cmd *cmd)
{
	struct tcm_device *dev = cmd->dev;

	if (cmd->cdb[4] & TCM_START_LOEJ)
		tcm_set_ejected(cmd, false);
	else if (test_bit(TCM_DEV_EJECTED, &dev->flags))
		return TCM_MEDIUM_NOT_PRESENT;
	tcm_sbc_set_stopped(dev, false);
	tcm_sbc_set_power(dev, TCM_POWER_IS_ACTIVE);
	return TCM_OK;
}

enum tcm_sense tcm_sbc_start_stop_parse(struct tcm_cmd *cmd)
{
	switch (cmd->cdb[4] >> 4) {
	case TCM_POWER_START_VALID:
		/* Elsewhere LOEJ is passed over (SBC-4 5.32). */
		if ((cmd->cdb[4] & TCM_START_LOEJ) && !tcm_sbc_removable(cmd->dev))
			return tcm_bad_cdb(cmd, 4, 1);
		return TCM_OK;
	case TCM_POWER_ACTIVE:
	case TCM_POWER_IDLE:
	case TCM_POWER_STANDBY:
	case TCM_POWER_LU_CONTROL:
	case TCM_POWER_FORCE_IDLE:
	case TCM_POWER_FORCE_STANDBY:
		return TCM_OK;
	default:
		return tcm_bad_cdb(cmd, 4, 7);
	}
}

enum tcm_sense tcm_sbc_start_stop(struct tcm_cmd *cmd)
{
	struct tcm_device *dev = cmd->dev;

	switch (cmd->cdb[4] >> 4) {
	case TCM_POWER_START_VALID:
		return cmd->cdb[4] & TCM_START_START ? tcm_sbc_start(cmd) : tcm_sbc_stop(cmd);
	case TCM_POWER_IDLE:
	case TCM_POWER_FORCE_IDLE:
		tcm_sbc_set_power(dev, TCM_POWER_IS_IDLE);
		return TCM_OK;
	case TCM_POWER_STANDBY:
	case TCM_POWER_FORCE_STANDBY:
		tcm_sbc_set_power(dev, TCM_POWER_IS_STANDBY);
		return tcm_stop_flush(cmd);
	default:
		/* START and LOEJ mean nothing here (SBC-4 5.32): a medium that is out stays out. */
		tcm_sbc_set_stopped(dev, false);
		tcm_sbc_set_power(dev, TCM_POWER_IS_ACTIVE);
		return TCM_OK;
	}
}

/* To start it takes nothing from anybody (SBC-4 table 13). */
bool tcm_sbc_start_allowed(const struct tcm_cmd *cmd)
{
	return cmd->cdb[4] >> 4 == TCM_POWER_START_VALID && (cmd->cdb[4] & TCM_START_START);
}

/* To allow takes nothing from anybody; to prevent does (SPC-4 table 67). */
bool tcm_sbc_allow_allowed(const struct tcm_cmd *cmd)
{
	return !(cmd->cdb[4] & TCM_PREVENT);
}
