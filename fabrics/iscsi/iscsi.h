/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The objects of the iSCSI fabric and what its files offer each other.
 *
 * A connection has one owner: its work item, which receives, executes, sends and ends it. Other
 * contexts hand it something over by a list without locks or a bit of @flags, and queue the work.
 * Members without a lock below are the owner's.
 *
 * Locks, outermost first: tcm_isc_lock, itpg->lock, isess->order, (core's tpg->lock), then the
 * leaves: listener->lock, isess->lock and isess->slot_lock. No lock is held around a call into the
 * socket of a connection; isess->order is taken below a socket's own lock.
 */
#ifndef _TCM_ISCSI_H
#define _TCM_ISCSI_H

#include <linux/average.h>
#include <linux/bvec.h>
#include <linux/in6.h>
#include <linux/kref.h>
#include <linux/ktime.h>
#include <linux/llist.h>
#include <linux/mutex.h>
#include <linux/net.h>
#include <linux/sizes.h>
#include <linux/skbuff.h>
#include <linux/workqueue.h>
#include <net/sock.h>
#include <tcm/configfs.h>
#include <tcm/fabric.h>
#include "judge.h"
#include "keys.h"
#include "pdu.h"

#define TCM_ISC_SECRET_MAX		256
#define TCM_ISC_ALIAS_MAX		256
#define TCM_ISC_MOVED_MAX		256
#define TCM_ISC_DEPTH_MAX		512	/* cmdsn_depth */
#define TCM_ISC_TEXT_RSP_MAX	SZ_64M	/* a quarter of a million targets with long names */
#define TCM_ISC_LOGIN_SECONDS	15
#define TCM_ISC_DISCOVERY_SECONDS	60	/* of silence */
#define TCM_ISC_LOGOUT_SECONDS	15	/* for the response to be read */
#define TCM_ISC_OWED_MAX		256	/* weight of messages that wait to be sent */
#define TCM_ISC_HALF_OPEN_MAX	4096	/* connections of a portal that have not logged in */
#define TCM_ISC_HALF_OPEN_SOURCE	1536	/* ... of one address */
#define TCM_ISC_R2T_MAX		8	/* outstanding R2Ts of a command, whatever was negotiated */
#define TCM_ISC_IMMEDIATE_SLOTS	16	/* beside the CmdSN window */
#define TCM_ISC_MAX_RECV_DEFAULT	8192
#define TCM_ISC_XMIT_MAX		262144	/* data of one PDU that we send */
#define TCM_ISC_BVECS		256
#define TCM_ISC_RING		512	/* pages that wait to be used again */
#define TCM_ISC_ERL_MAX		2	/* error recovery level that is offered at most */
#define TCM_ISC_CONNS_MAX	32	/* connections of a session, whatever was negotiated */
#define TCM_ISC_AGAIN_MAX	64	/* retransmissions of a connection that wait to be sent */
#define TCM_ISC_TAGS		(TCM_ISC_DEPTH_MAX * 4)	/* more than a session has slots */

struct tcm_isc_auth {
	/* tcm_isc_lock; empty: not set */
	char	userid[TCM_ISC_SECRET_MAX], password[TCM_ISC_SECRET_MAX];
	char	userid_mutual[TCM_ISC_SECRET_MAX], password_mutual[TCM_ISC_SECRET_MAX];
};

/* Why a session has failed: the numbers that iscsi_instance/fail_type has */
enum tcm_isc_fault {
	TCM_ISC_FAULT_NONE,
	TCM_ISC_FAULT_DIGEST,
	TCM_ISC_FAULT_CXN,		/* too long without an answer, or the peer has gone */
	TCM_ISC_FAULT_FORMAT,
};

struct tcm_isc_stats {
	atomic_t	accepts, other_fails, redirects, authorize_fails, authenticate_fails;
	atomic_t	negotiate_fails, normal_logouts, abnormal_logouts;
	atomic_t	digest_errors, cxn_errors, format_errors;
	atomic_t	login_fails, fail_sess;
	/* tcm_isc_lock: of the last session that failed */
	u32		sess_fail_type;		/* enum tcm_isc_fault */
	char		sess_fail_name[TCM_NAME_MAX];
	/* tcm_isc_lock: of the last login that failed */
	u64		last_fail_time;		/* jiffies64 */
	u32		last_fail_type;
	char		fail_name[TCM_NAME_MAX];
	struct sockaddr_storage fail_addr;
};

/* <wwn>/ */
struct tcm_isc_target {
	struct tcm_wwn		*wwn;
	struct list_head	node;		/* in tcm_isc_targets; tcm_isc_lock */
	struct list_head	tpgs;		/* tcm_isc_lock */
	struct tcm_isc_stats	stats;
	struct kref		ref;		/* the directory and each portal group */
};

struct tcm_isc_tpg_attrib {
	u32	authentication, login_timeout, netif_timeout, generate_node_acls;
	u32	default_cmdsn_depth, cache_dynamic_acls, demo_mode_write_protect;
	u32	demo_mode_discovery, default_erl, t10_pi;
	u32	tpg_enabled_sendtargets, login_keys_workaround;
};

/* tpgt_<n>/ */
struct tcm_isc_tpg {
	struct tcm_tpg		*tpg;		/* until del_tpg() */
	u16			tag;
	struct tcm_isc_target	*target;
	struct kref		ref;		/* the directory, sessions, logins */
	struct list_head	node;		/* in target->tpgs; tcm_isc_lock */
	struct list_head	nps;		/* tcm_isc_lock */

	/* protects @enabled, @dead, @sessions, @ending, @acls and who may become a session */
	struct mutex		lock;
	bool			enabled, dead;
	struct list_head	sessions;
	struct list_head	ending;		/* sessions that have no connection any more */
	struct list_head	acls;

	/* written by single stores; a login takes what it finds */
	struct tcm_isc_tpg_attrib	attrib;
	struct tcm_isc_auth		auth;
	/* tcm_isc_lock */
	struct tcm_isc_offer	offer;
	u32			max_recv, max_xmit;
	char			auth_method[128];
	char			alias[TCM_ISC_ALIAS_MAX];
	char			header_digest[32], data_digest[32];
	char			if_mark_int[64], of_mark_int[64];
	u8			moved;		/* 1 for some time, 2 for good */
	char			moved_to[TCM_ISC_MOVED_MAX];
	u32			list_from;	/* lock: where the list of sessions begins */
};

struct tcm_isc_acl_attrib {
	u32	dataout_timeout, dataout_timeout_retries, default_erl;
	u32	nopin_timeout, nopin_response_timeout;
	u32	random_datain_pdu_offsets, random_datain_seq_offsets, random_r2t_offsets;
	s32	authentication;
};

/* acls/<name>/ */
struct tcm_isc_acl {
	struct tcm_acl		*acl;
	struct list_head	node;		/* itpg->lock */
	struct tcm_isc_acl_attrib	attrib;
	struct tcm_isc_auth		auth;
};

/* A socket that listens; portals of several portal groups may share it. */
struct tcm_isc_listener {
	struct list_head	node;		/* tcm_isc_lock */
	struct list_head	nps;		/* tcm_isc_lock */
	struct sockaddr_storage	addr;
	struct net		*net;
	struct socket		*sock;
	struct delayed_work	work;		/* accepts */
	spinlock_t		lock;		/* protects the two below */
	struct list_head	half_open;	/* oldest first */
	unsigned int		nr_half_open;
	struct kref		ref;		/* portals, connections that have not logged in */
};

/* np/<address>:<port>/ */
struct tcm_isc_np {
	struct tcm_np		*np;
	struct tcm_isc_tpg		*itpg;
	struct tcm_isc_listener	*listener;
	struct list_head	lnode, tnode;	/* of listener and portal group; tcm_isc_lock */
};

struct tcm_isc_conn;
struct tcm_isc_login;

enum tcm_isc_tx_kind {
	TCM_ISC_TX_MSG,
	TCM_ISC_TX_CMD,
	TCM_ISC_TX_AGAIN,
};

/* What is sent: part of a command, a message by itself, or one of these for a second time */
struct tcm_isc_tx {
	struct list_head	node;		/* conn->txq, conn->sent, then conn->unacked */
	u8			kind;		/* enum tcm_isc_tx_kind */
	bool			acked;		/* to be freed with its last retransmission */
	u8			again;		/* retransmissions that wait to be sent */
	u32			statsn;		/* from recovery level 1 on */
};

/* A retransmission that was asked for */
struct tcm_isc_again {
	struct tcm_isc_tx	tx;
	struct tcm_isc_tx	*of;
	u32			off, datasn;	/* of the next Data-In */
	u32			end;		/* its DataSN is the first that is not sent */
	bool			status;		/* and then the response */
};

struct tcm_isc_msg {
	struct tcm_isc_tx		tx;
	union {
		u8		hdr[TCM_ISC_BHS];
		struct tcm_isc_bhs	bhs;
		struct tcm_isc_rsp	rsp;
		struct tcm_isc_tmf_rsp	tmf;
		struct tcm_isc_login_hdr login;
	};
	void			*data;		/* its own pages */
	u32			len;
	u8			order;
	bool			no_statsn;	/* StatSN is shown, not used up: R2T */
	bool			again;		/* an R2T for what was asked for before */
	bool			close;		/* nothing is sent after it */
	bool			login_done;	/* full feature phase begins once it is sent */
};

/* A command or another PDU whose CmdSN is not the next one: it waits for those before it. */
struct tcm_isc_held {
	struct list_head	node;		/* isess->held, in order; isess->order */
	u32			cmdsn;
	struct tcm_isc_conn	*conn;		/* which it came on */
	bool			is_cmd;
	bool			immediate;	/* it has no turn, and waits for those before it */
};

/* cmd states of the data phase; the owner's */
enum tcm_isc_phase {
	TCM_ISC_PH_NONE,
	TCM_ISC_PH_UNSOLICITED,	/* not submitted: unsolicited data is still to come */
	TCM_ISC_PH_R2T,		/* in write_pending() */
};

/* Of one command in so many the time is taken. */
#define TCM_ISC_SAMPLE	32
DECLARE_EWMA(tcm_isc_us, 4, 8)

/* A slot: belongs to the session, is owned by a connection while it is in use */
struct tcm_isc_cmd {
	struct tcm_cmd		cmd;
	struct tcm_isc_tx		tx;
	struct llist_node	done;		/* in conn->done */
	struct list_head	node;		/* session's free list, or conn->waiting */
	struct tcm_isc_conn		*conn;
	struct tcm_isc_conn		*next;	/* takes it over when it comes back; isess->order */
	u32			slot;
	bool			immediate;
	u8			phase;		/* enum tcm_isc_phase */
	bool			busy;		/* not among the free ones */
	bool			put;		/* the core's part has been put */
	bool			delivered;	/* its turn by CmdSN has come */
	bool			early;		/* aborted on another connection; isess->order */
	u32			tag_use;	/* makes target transfer tags differ */
	u32			bidi;		/* bytes to be read of a command that has both */
	u64			since;		/* ns when its header came, of a sample; or 0 */
	struct tcm_isc_held	held;

	/* data that arrives */
	u32			rx_len;		/* bytes there is room for */
	u32			rx_got;		/* bytes that are there */
	struct tcm_isc_unsol	unsol;
	u32			r2t_off;	/* where the next R2T starts */
	u32			r2tsn;
	u8			retries;
	unsigned long		last_data;	/* jiffies */
	u8			nr_r2t;
	struct tcm_isc_r2t		r2t[TCM_ISC_R2T_MAX];

	/* data that is sent */
	u32			tx_off;
	u32			tx_datasn;
	u32			tx_most;	/* bytes of a PDU, as they were when it began */
	u32			ack_off, ack_datasn;	/* what a DataACK has said */
	u32			ack_tag;	/* which tag asked for it */
	u32			snack_tag;
	bool			built;		/* all of it has been, status too */
	bool			apart;		/* status goes by itself: an R-Data SNACK came */
	u8			*sense;		/* kept until it is acknowledged */
	u32			sense_len;
	struct scatterlist	*core_sg;	/* the core's pages, kept likewise */

	/* pages, and where the last access to them ended */
	struct scatterlist	*sg;
	unsigned int		sg_max, nents;
	bool			own_pages;
	struct scatterlist	*cur;
	u32			cur_pos;	/* offset at which @cur begins */
	struct scatterlist	first_sg[4];
};

struct tcm_isc_session {
	struct kref		ref;		/* the core's session, each connection */
	struct tcm_isc_tpg		*itpg;		/* NULL: discovery */
	struct tcm_session	*tsess;
	struct list_head	node;		/* in itpg->sessions or ->ending; itpg->lock */
	char			name[TCM_NAME_MAX], alias[TCM_ISC_ALIAS_MAX];
	u8			isid[6];
	u16			tsih;
	u32			sid;
	bool			dynamic;	/* no ACL */
	struct tcm_isc_acl_attrib	attrib;		/* as they were at login */
	struct tcm_isc_nego		nego;
	u32			max_xmit;
	u8			fault;		/* enum tcm_isc_fault; the first counts */
	atomic_t		timeouts;	/* connections that have ended by one */

	spinlock_t		lock;		/* protects the next seven */
	struct list_head	conns;		/* the oldest first */
	struct list_head	fences;		/* answers that wait: fence.c */
	unsigned int		nr_conns;
	bool			kill;		/* an administrator, or reinstatement */
	bool			drop;		/* an administrator: the initiator is told */
	bool			logged_out;
	bool			closed;		/* takes no connection any more */
	bool			over;		/* its commands are done, or fenced off */
	wait_queue_head_t	left;		/* a connection has left @conns, or all is @over */
	atomic_t		nr_owners;	/* connections that have commands, or may */

	/*
	 * Commands may come on several connections, or again: what is received has its turn by
	 * CmdSN. Set before the first connection knows of the session. Without it the only
	 * connection's owner uses what these two locks protect.
	 */
	bool			reorder;
	struct mutex		order;		/* protects the next three, @exp_cmdsn, each turn */
	struct list_head	held;
	unsigned int		nr_held_immediate;
	unsigned long		hole_since;	/* jiffies, while @held has some */
	spinlock_t		slot_lock;	/* protects slots, @max_cmdsn and counters */

	/* slots appear when they are needed; published by release for for_each_cmd() */
	struct tcm_isc_cmd		**slots;
	unsigned int		nr_slots, max_slots;
	struct list_head	free;
	unsigned int		nr_used, nr_immediate;
	u32			depth;
	u32			exp_cmdsn, max_cmdsn;
	u64			cmd_pdus, rsp_pdus;
	u32			last_ttt;
};

/* conn->flags */
enum {
	TCM_ISC_CF_CLOSE,		/* end the connection */
	TCM_ISC_CF_ABORTED,		/* a command that waits for data was aborted */
	TCM_ISC_CF_TICK,		/* the timer went off */
	TCM_ISC_CF_WRITABLE,	/* the socket has room again */
	TCM_ISC_CF_TURN,	/* what it holds may be next by CmdSN */
	TCM_ISC_CF_GIVEN,	/* something is in @given */
	TCM_ISC_CF_ASK,		/* an administrator wants the initiator to log out */
	TCM_ISC_CF_FENCE,	/* an answer on another connection waits for what is sent here */
	TCM_ISC_CF_FENCED,	/* an answer here has waited for all of the others */
};

enum tcm_isc_conn_state {
	TCM_ISC_CS_LOGIN,
	TCM_ISC_CS_FFP,
	TCM_ISC_CS_LOGOUT,		/* nothing more is received */
	TCM_ISC_CS_LOST,		/* no socket any more; its commands wait for another one */
	TCM_ISC_CS_CLOSED,		/* no socket any more; commands may be out */
};

/* Where the data segment that is being received goes */
enum tcm_isc_rx_to {
	TCM_ISC_RX_DROP,
	TCM_ISC_RX_CMD,
	TCM_ISC_RX_BUF,
};

struct tcm_isc_rx {
	u8		hdr[TCM_ISC_BHS + TCM_ISC_AHS_MAX + 4];
	u32		hdr_have, hdr_need;
	u8		to;		/* enum tcm_isc_rx_to */
	bool		in_data;
	bool		ready;		/* a PDU to be dealt with outside the socket's lock */
	bool		fail;
	bool		full;		/* so much is to be sent that nothing more is taken */
	bool		lost;		/* Data-Out that is not the one expected */
	struct tcm_isc_cmd	*icmd;
	u32		off;		/* in the command's data, or in @buf */
	u32		left, pad;	/* data and padding still to come */
	u32		dsl;
	u32		crc;
	u8		digest[4];
	u8		digest_have;
	char		*buf;		/* text and ping data; TCM_ISC_LOGIN_TEXT_MAX + 1 bytes */
};

struct tcm_isc_ring {
	struct page	*page[TCM_ISC_RING];
	u32		head, tail;
};

struct tcm_isc_conn {
	struct work_struct	work;
	struct workqueue_struct	*wq;
	struct task_struct	*owner;		/* while the work runs */
	struct llist_head	done;		/* commands that respond() handed over */
	struct llist_head	given;		/* ... that did to a connection that was lost */
	unsigned long		flags;
	int			cpu;

	struct socket		*sock;
	struct tcm_isc_session	*isess;
	struct list_head	sess_node;	/* in isess->conns; isess->lock */
	struct tcm_isc_nego	nego;		/* the session's, and what each has its own of */
	struct tcm_isc_login	*login;
	u8			state;		/* enum tcm_isc_conn_state */
	u8			erl;		/* error recovery level */
	bool			special;	/* @erl, or random orders */
	bool			alone;		/* its end is not the session's */
	bool			hdigest, ddigest;
	bool			no_room;	/* the socket's buffer is full */
	bool			logged_out;
	u16			cid;
	u32			statsn, exp_statsn;
	u32			nr_cmds;	/* commands that are not put yet */
	struct list_head	waiting;	/* commands that wait for data */
	struct tcm_isc_rx		rx;

	struct list_head	txq, sent;
	unsigned int		owed;		/* weight of the messages in these */
	bool			rx_held;	/* nothing is received until some are sent */
	struct list_head	unacked;	/* from recovery level 1 on, by StatSN */
	unsigned int		nr_unacked, nr_again;
	struct bio_vec		bvec[TCM_ISC_BVECS];
	unsigned int		nr_bvec, first_bvec;
	struct page		*hdr_page, *hdr_old;
	u32			hdr_used;
	struct tcm_isc_ring		ring;
	bool			closing_tx;	/* the last message is in @sent */

	/* text in several PDUs */
	char			*text_in;
	u32			text_in_len;
	char			*text_out;
	u32			text_out_len, text_out_pos;
	u32			text_ttt;

	struct delayed_work	tick;
	unsigned long		tick_at;	/* when it goes off, with @tick_on */
	bool			tick_on;
	unsigned long		began;		/* jiffies, as the next two */
	unsigned long		last_rx;
	unsigned long		last_data;	/* data of a write came, or is waited for */
	unsigned long		lost_until;	/* jiffies */
	bool			asked;		/* to log out, before: */
	unsigned long		ask_due;
	bool			ping_out;
	bool			fenced;		/* an answer waits for acknowledgments here */
	u8			nr_fences;	/* answers of this connection that wait */
	unsigned long		ping_due;	/* when the answer to it */
	struct rcu_work		free_work;
	bool			freeing;

	/* until login is done */
	struct tcm_isc_listener	*listener;
	struct list_head	half_node;	/* listener->lock */
	struct sockaddr_storage	peer, local;
	u64			rx_octets, tx_octets;
	u64			turn_end;	/* the sum of these at which others have theirs */
	struct ewma_tcm_isc_us	latency;	/* of the samples: the owner's, read by anybody */
	u32			latency_max;	/* us */
	atomic_t		digest_errors;
	void			(*old_data_ready)(struct sock *sk);
	void			(*old_write_space)(struct sock *sk);
	void			(*old_state_change)(struct sock *sk);
};

/* conn.c: how many there are */
extern atomic_t tcm_isc_nr_conns;
extern wait_queue_head_t tcm_isc_conns_gone;

/* main.c */
/* what an initiator without an ACL gets */
extern const struct tcm_isc_acl_attrib tcm_isc_acl_default;
/* protects targets, portals, secrets, texts of portal groups */
extern struct mutex tcm_isc_lock;
extern struct list_head tcm_isc_targets;
extern struct workqueue_struct *tcm_isc_wq, *tcm_isc_slow_wq;
extern struct tcm_isc_auth tcm_isc_discovery_auth;
extern u32 tcm_isc_enforce_discovery_auth;
extern struct cpumask tcm_isc_cpus;
extern struct tcm_fabric_ops tcm_isc_ops;
void tcm_isc_tpg_put(struct tcm_isc_tpg *itpg);
void tcm_isc_target_put(struct tcm_isc_target *target);
struct tcm_isc_acl *tcm_isc_acl_find(struct tcm_isc_tpg *itpg, const char *name);

/* portal.c */
int tcm_isc_add_np(struct tcm_np *np);
void tcm_isc_del_np(struct tcm_np *np);
void tcm_isc_half_open_end(struct tcm_isc_conn *conn);
int tcm_isc_addr_print(const struct sockaddr_storage *addr, bool port, char *buf, size_t size);

/* conn.c */
struct tcm_isc_conn *tcm_isc_conn_create(struct tcm_isc_listener *listener, struct socket *sock);
void tcm_isc_conn_start(struct tcm_isc_conn *conn);
void tcm_isc_tick_in(struct tcm_isc_conn *conn, unsigned long delay);
/* The owner: responses of commands that are over are sent before anything that is queued later. */
void tcm_isc_take_done(struct tcm_isc_conn *conn);
void tcm_isc_conn_queue(struct tcm_isc_conn *conn);
void tcm_isc_conn_kill(struct tcm_isc_conn *conn);
void tcm_isc_conn_quit(struct tcm_isc_conn *conn, const char *why);
/* ... because what the peer owes has not come in time */
void tcm_isc_conn_late(struct tcm_isc_conn *conn, const char *why);
struct page *tcm_isc_page_get(struct tcm_isc_conn *conn);
void tcm_isc_page_put(struct tcm_isc_conn *conn, struct page *page);

/* rx.c */
void tcm_isc_rx_run(struct tcm_isc_conn *conn);
void tcm_isc_rx_next(struct tcm_isc_conn *conn);
/* More has come: does the owner better wait for yet more? The socket is locked. */
bool tcm_isc_rx_waits(const struct tcm_isc_conn *conn, struct sock *sk);
bool tcm_isc_rx_command(const struct tcm_isc_conn *conn);

/* conn.c */
static inline bool tcm_isc_turn_over(const struct tcm_isc_conn *conn)
{
	return conn->rx_octets + conn->tx_octets >= conn->turn_end;
}

/* tx.c */
/* True: there is more to send, and it is others' turn. */
bool tcm_isc_tx_run(struct tcm_isc_conn *conn);
void tcm_isc_tx_drop(struct tcm_isc_conn *conn);
void tcm_isc_tx_reset(struct tcm_isc_conn *conn);
struct tcm_isc_msg *tcm_isc_msg_new(struct tcm_isc_conn *conn, u8 opcode, u32 len);
void tcm_isc_msg_send(struct tcm_isc_conn *conn, struct tcm_isc_msg *msg);
void tcm_isc_msg_free(struct tcm_isc_msg *msg);
void tcm_isc_tx_last(struct tcm_isc_conn *conn, struct tcm_isc_msg *msg);
u32 tcm_isc_data_in_bytes(const struct tcm_cmd *cmd);
u32 tcm_isc_data_in_len(const struct tcm_isc_conn *conn, const struct tcm_isc_cmd *icmd, u32 off);
u32 tcm_isc_data_in_most(const struct tcm_isc_conn *conn);

/* pdu.c: everything in the full feature phase that is not a command or its data */
void tcm_isc_pdu_handle(struct tcm_isc_conn *conn);
void tcm_isc_pdu_run(struct tcm_isc_conn *conn);
void tcm_isc_reject(struct tcm_isc_conn *conn, u8 reason);
void tcm_isc_watch(struct tcm_isc_conn *conn);
void tcm_isc_logout_watch(struct tcm_isc_conn *conn);
void tcm_isc_await_data(struct tcm_isc_conn *conn, struct tcm_isc_cmd *icmd);
void tcm_isc_tmf_done(struct tcm_tmf *tmf);
void tcm_isc_ping_now(struct tcm_isc_conn *conn);

/* Responses of commands that are over, to be sent before what is queued from now on */
void tcm_isc_take_over(struct tcm_isc_conn *conn);

/* fence.c: answers that wait until the session's other connections have been acknowledged */
/* False: there is nothing to wait for, and @msg is still the caller's. */
bool tcm_isc_fence_begin(struct tcm_isc_conn *conn, struct tcm_isc_msg *msg);
/* The owner was told that an answer waits for what is sent here. */
void tcm_isc_fence_note(struct tcm_isc_conn *conn);
/* The initiator has said what it has. */
void tcm_isc_fence_look(struct tcm_isc_conn *conn);
/* Send those that have waited for all, or long enough. */
void tcm_isc_fence_answer(struct tcm_isc_conn *conn);
/* The connection takes part in nothing any more. */
void tcm_isc_fence_end(struct tcm_isc_conn *conn);

/* order.c: commands have their turn by CmdSN */
bool tcm_isc_order_wanted(struct tcm_isc_session *isess, u32 cmdsn);
void tcm_isc_order_cmd(struct tcm_isc_conn *conn, struct tcm_isc_cmd *icmd);
void tcm_isc_order_pdu(struct tcm_isc_conn *conn);
void tcm_isc_order_function(struct tcm_isc_conn *conn);
void tcm_isc_order_plug(struct tcm_isc_conn *conn, u32 cmdsn);
void tcm_isc_order_mine(struct tcm_isc_conn *conn);
unsigned int tcm_isc_order_abort(struct tcm_isc_conn *conn, const struct tcm_isc_tmf *req);
void tcm_isc_order_watch(struct tcm_isc_conn *conn);
/* isess->order is held */
void tcm_isc_order_drop(struct tcm_isc_conn *conn);

/* recover.c: within a command and within a connection */
void tcm_isc_retain(struct tcm_isc_conn *conn, struct tcm_isc_tx *tx);
void tcm_isc_release(struct tcm_isc_conn *conn, struct tcm_isc_tx *tx);
void tcm_isc_acked(struct tcm_isc_conn *conn, u32 exp_statsn);
void tcm_isc_tell_window(struct tcm_isc_conn *conn);
/* How many StatSNs what waits to be sent will use up */
u32 tcm_isc_tx_statsns(const struct tcm_isc_conn *conn);
void tcm_isc_again_done(struct tcm_isc_conn *conn, struct tcm_isc_again *again);
void tcm_isc_snack(struct tcm_isc_conn *conn);
void tcm_isc_digest_lost(struct tcm_isc_conn *conn);
void tcm_isc_recover_data(struct tcm_isc_conn *conn);
u32 tcm_isc_data_in_at(const struct tcm_isc_conn *conn, const struct tcm_isc_cmd *icmd,
		       u32 datasn);

/* shuffle.c: data in random order */
bool tcm_isc_shuffles(const struct tcm_isc_session *isess);
u32 tcm_isc_data_in_place(const struct tcm_isc_conn *conn, const struct tcm_isc_cmd *icmd, u32 off);
void tcm_isc_data_in_recut(const struct tcm_isc_conn *conn, struct tcm_isc_cmd *icmd);
u32 tcm_isc_r2t_place(const struct tcm_isc_conn *conn, const struct tcm_isc_cmd *icmd, u32 off);

/* reassign.c: commands outlive their connection */
bool tcm_isc_lost_begin(struct tcm_isc_conn *conn);
bool tcm_isc_lost_run(struct tcm_isc_conn *conn);
void tcm_isc_lost_wake(struct tcm_isc_session *isess);
void tcm_isc_take_given(struct tcm_isc_conn *conn);
void tcm_isc_reassign(struct tcm_isc_conn *conn, const struct tcm_isc_tmf *req,
		      struct tcm_isc_msg *msg);

/*
 * Is so much to be sent that nothing more is received before? Pings, rejects and the like come
 * outside of the command window, and a peer may send them and not read the answers. Of a login each
 * request is answered before the next one is looked at (RFC 7143 11.12).
 */
static inline bool tcm_isc_tx_owes(const struct tcm_isc_conn *conn)
{
	if (unlikely(conn->state == TCM_ISC_CS_LOGIN))
		return !list_empty(&conn->txq) || conn->nr_bvec;
	return conn->owed >= TCM_ISC_OWED_MAX;
}

/* How long a connection's commands are kept for another one */
static inline u32 tcm_isc_retain_seconds(const struct tcm_isc_conn *conn)
{
	return conn->erl < 2 ? 0 : conn->nego.val[TCM_ISC_K_TIME2RETAIN];
}

/* What the peer says it has: every PDU of an initiator has it. */
static inline void tcm_isc_ack(struct tcm_isc_conn *conn, __be32 exp_statsn)
{
	if (unlikely(conn->erl))
		tcm_isc_acked(conn, be32_to_cpu(exp_statsn));
	else
		conn->exp_statsn = be32_to_cpu(exp_statsn);
}

/* cmd.c */
void tcm_isc_cmd_header(struct tcm_isc_conn *conn);
void tcm_isc_cmd_received(struct tcm_isc_conn *conn, struct tcm_isc_cmd *icmd);
void tcm_isc_data_out_header(struct tcm_isc_conn *conn);
void tcm_isc_data_out_received(struct tcm_isc_conn *conn, struct tcm_isc_cmd *icmd);
void tcm_isc_data_out_lost(struct tcm_isc_conn *conn, struct tcm_isc_cmd *icmd);
/* isess->order is held where there may be other connections */
void tcm_isc_data_again(struct tcm_isc_conn *conn, struct tcm_isc_cmd *icmd);
void tcm_isc_r2t_repeat(struct tcm_isc_conn *conn, struct tcm_isc_cmd *icmd,
			const struct tcm_isc_r2t *r2t);
void tcm_isc_cmd_begin(struct tcm_isc_conn *conn, struct tcm_isc_cmd *icmd);
void tcm_isc_cmd_discard(struct tcm_isc_cmd *icmd);
u32 tcm_isc_tag_new(struct tcm_isc_cmd *icmd);
void tcm_isc_cmd_put(struct tcm_isc_conn *conn, struct tcm_isc_cmd *icmd);
struct scatterlist *tcm_isc_cmd_seek(struct tcm_isc_cmd *icmd, u32 pos, u32 *off);
/* Likewise */
void tcm_isc_cmds_aborted(struct tcm_isc_conn *conn);
bool tcm_isc_cmd_early(const struct tcm_isc_tmf *req, struct tcm_isc_cmd *icmd);
bool tcm_isc_tmf_meets(const struct tcm_isc_tmf *req, const struct tcm_isc_cmd *icmd);
bool tcm_isc_cmds_wait(struct tcm_isc_conn *conn, const struct tcm_isc_tmf *req);
unsigned int tcm_isc_cmds_early(struct tcm_isc_conn *conn, const struct tcm_isc_tmf *req);
void tcm_isc_cmds_abandon(struct tcm_isc_conn *conn);
void tcm_isc_cmds_give_up(struct tcm_isc_session *isess, struct tcm_isc_conn *conn);
int tcm_isc_write_pending(struct tcm_cmd *cmd);
void tcm_isc_data_aborted(struct tcm_cmd *cmd);
void tcm_isc_respond(struct tcm_cmd *cmd);
void tcm_isc_walk_cmds(struct tcm_session *sess, const struct tcm_lun *lun, tcm_cmd_fn fn,
		       void *arg);

/* session.c */
struct tcm_isc_session *tcm_isc_session_alloc(u32 depth);
int tcm_isc_session_start(struct tcm_isc_session *isess, struct tcm_isc_conn *conn,
			  enum tcm_demo demo);
struct tcm_isc_session *tcm_isc_session_find(struct tcm_isc_tpg *itpg, const char *name,
					     const u8 *isid, u16 tsih);
int tcm_isc_session_add(struct tcm_isc_session *isess, struct tcm_isc_conn *conn);
void tcm_isc_session_disown(struct tcm_isc_session *isess);
unsigned int tcm_isc_session_live(struct tcm_isc_session *isess);
bool tcm_isc_session_has(struct tcm_isc_session *isess, const struct tcm_isc_conn *conn);
int tcm_isc_session_remove(struct tcm_isc_conn *conn, u16 cid, bool recover);
void tcm_isc_session_logout(struct tcm_isc_conn *conn);
void tcm_isc_session_kill(struct tcm_isc_session *isess);
void tcm_isc_session_drop(struct tcm_isc_session *isess, const struct tcm_isc_conn *but);
void tcm_isc_session_end(struct tcm_isc_conn *conn);
void tcm_isc_session_fault(struct tcm_isc_session *isess, enum tcm_isc_fault fault);
void tcm_isc_session_put(struct tcm_isc_session *isess);
void tcm_isc_close_session(struct tcm_session *sess);
struct tcm_isc_cmd *tcm_isc_slot_get(struct tcm_isc_session *isess, bool immediate);
void tcm_isc_slot_put(struct tcm_isc_session *isess, struct tcm_isc_cmd *icmd);
bool tcm_isc_cmdsn_take(struct tcm_isc_session *isess, const struct tcm_isc_bhs *bhs);
u32 tcm_isc_max_cmdsn(struct tcm_isc_session *isess);

/* The initiator was told last that it may send nothing. */
static inline bool tcm_isc_window_closed(const struct tcm_isc_session *isess)
{
	return tcm_isc_sn_before(READ_ONCE(isess->max_cmdsn), READ_ONCE(isess->exp_cmdsn));
}

/* Has the initiator all of its answer, or is the slot free? No recovery finds it then. */
static inline bool tcm_isc_is_acked(const struct tcm_isc_cmd *icmd)
{
	return smp_load_acquire(&icmd->tx.acked); /* pairs with tcm_isc_cmd_reset_recovery() */
}

static inline void tcm_isc_slots_lock(struct tcm_isc_session *isess)
	__acquires(&isess->slot_lock)
{
	if (unlikely(isess->reorder))
		spin_lock(&isess->slot_lock);
	else
		__acquire(&isess->slot_lock);
}

static inline void tcm_isc_slots_unlock(struct tcm_isc_session *isess)
	__releases(&isess->slot_lock)
{
	if (unlikely(isess->reorder))
		spin_unlock(&isess->slot_lock);
	else
		__release(&isess->slot_lock);
}

static inline void tcm_isc_order_lock(struct tcm_isc_session *isess)
{
	if (unlikely(isess->reorder))
		mutex_lock(&isess->order);
}

static inline void tcm_isc_order_unlock(struct tcm_isc_session *isess)
{
	if (unlikely(isess->reorder))
		mutex_unlock(&isess->order);
}

/* login.c */
int tcm_isc_login_begin(struct tcm_isc_conn *conn);
void tcm_isc_login_pdu(struct tcm_isc_conn *conn);
void tcm_isc_login_end(struct tcm_isc_conn *conn);
void tcm_isc_login_sent(struct tcm_isc_conn *conn);
void tcm_isc_login_late(struct tcm_isc_conn *conn);
void tcm_isc_login_failed(struct tcm_isc_tpg *itpg, struct tcm_isc_conn *conn, u32 status,
			  const char *name);

/* text.c */
void tcm_isc_text_pdu(struct tcm_isc_conn *conn);

/* chap.c */
struct tcm_isc_chap;
struct tcm_isc_chap_in {
	const char *a, *n, *r, *i, *c;	/* values of the keys, NULL where absent */
};

bool tcm_isc_chap_able(const struct tcm_isc_auth *auth);
struct tcm_isc_chap *tcm_isc_chap_new(const struct tcm_isc_auth *auth);
void tcm_isc_chap_free(struct tcm_isc_chap *chap);
/* 0: go on, 1: the initiator is who it says, negative: it is not */
int tcm_isc_chap_step(struct tcm_isc_chap *chap, const struct tcm_isc_chap_in *in,
		      struct tcm_isc_text *out);

/* auth.c: rows that each place with secrets has */
enum tcm_isc_secret {
	TCM_ISC_SEC_USERID,
	TCM_ISC_SEC_PASSWORD,
	TCM_ISC_SEC_USERID_MUTUAL,
	TCM_ISC_SEC_PASSWORD_MUTUAL,
};

ssize_t tcm_isc_secret_show(const struct tcm_isc_auth *auth, enum tcm_isc_secret which, char *page);
ssize_t tcm_isc_secret_store(struct config_item *item, const char *name, struct tcm_isc_auth *auth,
			     enum tcm_isc_secret which, const char *page, size_t count);
ssize_t tcm_isc_mutual_show(const struct tcm_isc_auth *auth, char *page);
/* A number of a range, or a refusal that says so */
int tcm_isc_store_num(struct config_item *item, const char *name, const char *page, u32 lo, u32 hi,
		      u32 *num);

/* admin.c */
void tcm_isc_ask_logout(struct tcm_isc_conn *conn);
void tcm_isc_ask_watch(struct tcm_isc_conn *conn);
void tcm_isc_say_drop(struct tcm_isc_conn *conn);

/* attrs_tpg.c, attrs_acl.c, attrs_root.c, stats.c */
extern struct configfs_attribute *tcm_isc_root_attrs[], *tcm_isc_discovery_attrs[];
extern struct configfs_attribute *tcm_isc_tpg_attrs[];
extern struct configfs_attribute tcm_isc_tpg_attr_dynamic_sessions;
extern struct configfs_attribute *tcm_isc_tpg_attrib_attrs[], *tcm_isc_tpg_param_attrs[];
extern struct configfs_attribute *tcm_isc_tpg_auth_attrs[], *tcm_isc_np_attrs[];
extern struct configfs_attribute *tcm_isc_acl_attrs[];
extern struct configfs_attribute *tcm_isc_acl_attrib_attrs[], *tcm_isc_acl_param_attrs[];
extern struct configfs_attribute *tcm_isc_acl_auth_attrs[];
extern const struct tcm_attr_group tcm_isc_wwn_stats[], tcm_isc_acl_stats[];

static inline bool tcm_isc_params_match_name(const struct tcm_isc_session *isess, const char *name)
{
	return !strcasecmp(isess->name, name);
}

#endif
