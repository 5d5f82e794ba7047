/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tracepoints: events/tcm/. Fields are what a person greps for: names, not pointers.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM tcm

#if !defined(_TCM_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _TCM_TRACE_H

#include <linux/tracepoint.h>
#include <tcm/cmd.h>
#include <tcm/fabric.h>

TRACE_EVENT(tcm_submit,
	TP_PROTO(const struct tcm_cmd *cmd),
	TP_ARGS(cmd),
	TP_STRUCT__entry(
		__string(initiator, cmd->sess->name)
		__field(u64, lun)
		__field(u64, tag)
		__field(u64, lba)
		__field(u32, len)
		__field(u8, opcode)
		__field(u8, attr)
	),
	TP_fast_assign(
		tcm_assign_str(initiator, cmd->sess->name);
		__entry->lun = cmd->unpacked_lun;
		__entry->tag = cmd->tag;
		__entry->lba = cmd->lba;
		__entry->len = cmd->data_len;
		__entry->opcode = cmd->cdb[0];
		__entry->attr = cmd->attr;
	),
	TP_printk("%s lun %llu tag 0x%llx op 0x%02x lba %llu len %u attr %u",
		  __get_str(initiator), __entry->lun, __entry->tag, __entry->opcode,
		  __entry->lba, __entry->len, __entry->attr)
);

TRACE_EVENT(tcm_complete,
	TP_PROTO(const struct tcm_cmd *cmd, u64 latency_ns),
	TP_ARGS(cmd, latency_ns),
	TP_STRUCT__entry(
		__string(initiator, cmd->sess->name)
		__field(u64, lun)
		__field(u64, tag)
		__field(u64, latency_ns)
		__field(u32, xfer_len)
		__field(u8, opcode)
		__field(u8, status)
	),
	TP_fast_assign(
		tcm_assign_str(initiator, cmd->sess->name);
		__entry->lun = cmd->unpacked_lun;
		__entry->tag = cmd->tag;
		__entry->latency_ns = latency_ns;
		__entry->xfer_len = cmd->xfer_len;
		__entry->opcode = cmd->cdb[0];
		__entry->status = cmd->status;
	),
	TP_printk("%s lun %llu tag 0x%llx op 0x%02x status 0x%02x len %u %llu ns",
		  __get_str(initiator), __entry->lun, __entry->tag, __entry->opcode,
		  __entry->status, __entry->xfer_len, __entry->latency_ns)
);

TRACE_EVENT(tcm_sense,
	TP_PROTO(const struct tcm_cmd *cmd, enum tcm_sense sense),
	TP_ARGS(cmd, sense),
	TP_STRUCT__entry(
		__string(initiator, cmd->sess->name)
		__field(u64, lun)
		__field(u64, tag)
		__field(u32, sense)
		__field(u8, opcode)
	),
	TP_fast_assign(
		tcm_assign_str(initiator, cmd->sess->name);
		__entry->lun = cmd->unpacked_lun;
		__entry->tag = cmd->tag;
		__entry->sense = sense;
		__entry->opcode = cmd->cdb[0];
	),
	TP_printk("%s lun %llu tag 0x%llx op 0x%02x sense %x/%02x/%02x",
		  __get_str(initiator), __entry->lun, __entry->tag, __entry->opcode,
		  TCM_SENSE_KEY(__entry->sense), TCM_SENSE_ASC(__entry->sense),
		  TCM_SENSE_ASCQ(__entry->sense))
);

TRACE_EVENT(tcm_ua,
	TP_PROTO(const struct tcm_mapping *map, unsigned int ua),
	TP_ARGS(map, ua),
	TP_STRUCT__entry(
		__string(initiator, map->sess->name)
		__field(u64, lun)
		__field(unsigned int, ua)
	),
	TP_fast_assign(
		tcm_assign_str(initiator, map->sess->name);
		__entry->lun = map->number;
		__entry->ua = ua;
	),
	TP_printk("%s lun %llu ua %u", __get_str(initiator), __entry->lun, __entry->ua)
);

TRACE_EVENT(tcm_session,
	TP_PROTO(const struct tcm_session *sess, bool up),
	TP_ARGS(sess, up),
	TP_STRUCT__entry(
		__string(initiator, sess->name)
		__string(target, sess->tpg->wwn->name)
		__field(u16, tag)
		__field(bool, up)
	),
	TP_fast_assign(
		tcm_assign_str(initiator, sess->name);
		tcm_assign_str(target, sess->tpg->wwn->name);
		__entry->tag = sess->tpg->tag;
		__entry->up = up;
	),
	TP_printk("%s %s,t,0x%x %s", __get_str(initiator), __get_str(target), __entry->tag,
		  __entry->up ? "up" : "down")
);

TRACE_EVENT(tcm_tmf,
	TP_PROTO(const struct tcm_tmf *tmf),
	TP_ARGS(tmf),
	TP_STRUCT__entry(
		__string(initiator, tmf->sess->name)
		__field(u64, tag)
		__field(unsigned int, func)
		__field(unsigned int, resp)
		__field(unsigned int, outstanding)
	),
	TP_fast_assign(
		tcm_assign_str(initiator, tmf->sess->name);
		__entry->tag = tmf->tag;
		__entry->func = tmf->func;
		__entry->resp = tmf->resp;
		__entry->outstanding = tmf->outstanding;
	),
	TP_printk("%s func %u tag 0x%llx resp %u outstanding %u", __get_str(initiator),
		  __entry->func, __entry->tag, __entry->resp, __entry->outstanding)
);

#endif

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
