// SPDX-License-Identifier: GPL-2.0-only
/*
 * A connection: its socket's callbacks, its owner (the work item), its end.
 *
 * The end: the socket goes at once, commands that wait for data are abandoned, those in a backend
 * come back whenever they do; the last of them frees the connection.
 */
#include <linux/cpumask.h>
#include <linux/module.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <net/tcp.h>
#include "iscsi.h"

/* Rounds of receiving and sending before others get the CPU */
#define TCM_ISC_ROUNDS	16
/* ... and of so many bytes: then the others that work on this CPU have theirs */
#define TCM_ISC_TURN		SZ_256K

atomic_t tcm_isc_nr_conns = ATOMIC_INIT(0);
DECLARE_WAIT_QUEUE_HEAD(tcm_isc_conns_gone);

static unsigned int tcm_isc_so_priority;
module_param_named(so_priority, tcm_isc_so_priority, uint, 0644);
MODULE_PARM_DESC(so_priority, "SO_PRIORITY of connections from now on: queues and VLANs go by it");

static void tcm_isc_conn_work(struct work_struct *work);
static void tcm_isc_conn_tick(struct work_struct *work);
static void tcm_isc_conn_free_work(struct work_struct *work);

/* ---- pages ---- */

/*
 * What was sent is used again once TCP has let go of it; the oldest is the one to ask. Each page
 * in the ring carries a reference of the ring.
 */
struct page *tcm_isc_page_get(struct tcm_isc_conn *conn)
{
	struct tcm_isc_ring *ring = &conn->ring;

	if (ring->head != ring->tail) {
		struct page *page = ring->page[ring->tail % TCM_ISC_RING];

		if (page_count(page) == 1) {
			ring->tail++;
			return page;
		}
	}
	return alloc_page(GFP_NOIO | __GFP_NOWARN);
}

void tcm_isc_page_put(struct tcm_isc_conn *conn, struct page *page)
{
	struct tcm_isc_ring *ring = &conn->ring;

	if (ring->head - ring->tail == TCM_ISC_RING)
		put_page(page);
	else
		ring->page[ring->head++ % TCM_ISC_RING] = page;
}

static void tcm_isc_ring_free(struct tcm_isc_ring *ring)
{
	while (ring->head != ring->tail)
		put_page(ring->page[ring->tail++ % TCM_ISC_RING]);
}

/* ---- what wakes the owner ---- */

void tcm_isc_conn_queue(struct tcm_isc_conn *conn)
{
	queue_work_on(READ_ONCE(conn->cpu), conn->wq, &conn->work);
}

/* Any context; the connection is kept by what the caller holds. */
void tcm_isc_conn_kill(struct tcm_isc_conn *conn)
{
	set_bit(TCM_ISC_CF_CLOSE, &conn->flags);
	tcm_isc_conn_queue(conn);
}

/* The owner gives up. */
void tcm_isc_conn_quit(struct tcm_isc_conn *conn, const char *why)
{
	if (!test_and_set_bit(TCM_ISC_CF_CLOSE, &conn->flags))
		pr_debug("tcm: iSCSI connection from %pISpc ends: %s\n", &conn->peer, why);
}

void tcm_isc_conn_late(struct tcm_isc_conn *conn, const char *why)
{
	atomic_inc(&conn->isess->timeouts);
	tcm_isc_session_fault(conn->isess, TCM_ISC_FAULT_CXN);
	tcm_isc_conn_quit(conn, why);
}

static void tcm_isc_data_ready(struct sock *sk)
{
	struct tcm_isc_conn *conn;

	read_lock_bh(&sk->sk_callback_lock);
	conn = sk->sk_user_data;
	if (conn && !tcm_isc_rx_waits(conn, sk))
		tcm_isc_conn_queue(conn);
	read_unlock_bh(&sk->sk_callback_lock);
}

/* The peer is gone, perhaps: the owner looks. */
static void tcm_isc_state_change(struct sock *sk)
{
	struct tcm_isc_conn *conn;

	read_lock_bh(&sk->sk_callback_lock);
	conn = sk->sk_user_data;
	if (conn)
		tcm_isc_conn_queue(conn);
	read_unlock_bh(&sk->sk_callback_lock);
}

static void tcm_isc_write_space(struct sock *sk)
{
	struct tcm_isc_conn *conn;

	read_lock_bh(&sk->sk_callback_lock);
	conn = sk->sk_user_data;
	if (conn && sk_stream_is_writeable(sk)) {
		clear_bit(SOCK_NOSPACE, &sk->sk_socket->flags);
		if (READ_ONCE(conn->no_room)) {
			set_bit(TCM_ISC_CF_WRITABLE, &conn->flags);
			tcm_isc_conn_queue(conn);
		}
	}
	read_unlock_bh(&sk->sk_callback_lock);
}

static void tcm_isc_sock_adopt(struct tcm_isc_conn *conn)
{
	struct sock *sk = conn->sock->sk;

	write_lock_bh(&sk->sk_callback_lock);
	conn->old_data_ready = sk->sk_data_ready;
	conn->old_write_space = sk->sk_write_space;
	conn->old_state_change = sk->sk_state_change;
	sk->sk_user_data = conn;
	sk->sk_data_ready = tcm_isc_data_ready;
	sk->sk_write_space = tcm_isc_write_space;
	sk->sk_state_change = tcm_isc_state_change;
	write_unlock_bh(&sk->sk_callback_lock);
}

static void tcm_isc_sock_drop(struct tcm_isc_conn *conn)
{
	struct sock *sk = conn->sock->sk;

	write_lock_bh(&sk->sk_callback_lock);
	sk->sk_data_ready = conn->old_data_ready;
	sk->sk_write_space = conn->old_write_space;
	sk->sk_state_change = conn->old_state_change;
	sk->sk_user_data = NULL;
	write_unlock_bh(&sk->sk_callback_lock);
	kernel_sock_shutdown(conn->sock, SHUT_RDWR);
	/* What is not sent yet goes out, or not, without us. */
	sock_release(conn->sock);
	conn->sock = NULL;
}

/* ---- begin and end ---- */

static int tcm_isc_conn_cpu(struct sock *sk)
{
	int cpu = READ_ONCE(sk->sk_incoming_cpu);

	if (cpu < 0 || cpu >= nr_cpu_ids || !cpu_online(cpu) || !cpumask_test_cpu(cpu,
										  &tcm_isc_cpus))
		cpu = cpumask_any_and(&tcm_isc_cpus, cpu_online_mask);
	return cpu < nr_cpu_ids ? cpu : WORK_CPU_UNBOUND;
}

struct tcm_isc_conn *tcm_isc_conn_create(struct tcm_isc_listener *listener, struct socket *sock)
{
	struct tcm_isc_conn *conn = kvzalloc(sizeof(*conn), GFP_KERNEL);

	if (!conn)
		return NULL;
	if (tcm_isc_login_begin(conn)) {
		kvfree(conn);
		return NULL;
	}
	INIT_WORK(&conn->work, tcm_isc_conn_work);
	INIT_DELAYED_WORK(&conn->tick, tcm_isc_conn_tick);
	INIT_RCU_WORK(&conn->free_work, tcm_isc_conn_free_work);
	init_llist_head(&conn->done);
	init_llist_head(&conn->given);
	INIT_LIST_HEAD(&conn->waiting);
	INIT_LIST_HEAD(&conn->txq);
	INIT_LIST_HEAD(&conn->sent);
	INIT_LIST_HEAD(&conn->unacked);
	INIT_LIST_HEAD(&conn->sess_node);
	INIT_LIST_HEAD(&conn->half_node);
	conn->wq = tcm_isc_wq;
	conn->sock = sock;
	conn->listener = listener;
	conn->cpu = tcm_isc_conn_cpu(sock->sk);
	conn->began = jiffies;
	conn->last_rx = jiffies;
	kernel_getpeername(sock, (struct sockaddr *)&conn->peer);
	kernel_getsockname(sock, (struct sockaddr *)&conn->local);
	tcm_isc_rx_next(conn);
	atomic_inc(&tcm_isc_nr_conns);
	return conn;
}

void tcm_isc_conn_start(struct tcm_isc_conn *conn)
{
	struct sock *sk = conn->sock->sk;

	tcp_sock_set_nodelay(sk);
	sock_set_keepalive(sk);
	sock_set_priority(sk, READ_ONCE(tcm_isc_so_priority));
	sk->sk_allocation = GFP_NOIO;
	tcm_isc_tick_in(conn, TCM_ISC_LOGIN_SECONDS * HZ);
	/* The owner may run at once, and end it. */
	rcu_read_lock();
	tcm_isc_sock_adopt(conn);
	tcm_isc_conn_queue(conn);
	rcu_read_unlock();
}

static void tcm_isc_conn_free_work(struct work_struct *work)
{
	struct tcm_isc_conn *conn = container_of(to_rcu_work(work), struct tcm_isc_conn, free_work);

	/* The timer queues the work; who queued it last may just have done so, under RCU. */
	cancel_delayed_work_sync(&conn->tick);
	cancel_work_sync(&conn->work);
	tcm_isc_ring_free(&conn->ring);
	if (conn->hdr_page)
		put_page(conn->hdr_page);
	if (conn->isess)
		tcm_isc_session_put(conn->isess);
	kvfree(conn->text_in);
	kvfree(conn->text_out);
	kvfree(conn->rx.buf);
	kvfree(conn);
	if (atomic_dec_and_test(&tcm_isc_nr_conns))
		wake_up_all(&tcm_isc_conns_gone);
}

/* Everything goes that only the connection could bring to an end. */
static void tcm_isc_conn_end(struct tcm_isc_conn *conn)
{
	tcm_isc_tx_drop(conn);
	if (conn->isess) {
		/* Who joins in its place may bring its commands again. */
		if (conn->isess->reorder)
			tcm_isc_cmds_give_up(conn->isess, conn);
		tcm_isc_session_end(conn);
		tcm_isc_fence_end(conn);
		tcm_isc_cmds_abandon(conn);
		if (conn->erl > 1)
			tcm_isc_lost_wake(conn->isess);
	}
}

/* The socket goes, and the commands with it unless another connection may take them over. */
static void tcm_isc_conn_close(struct tcm_isc_conn *conn)
{
	if (conn->state == TCM_ISC_CS_FFP)
		tcm_isc_say_drop(conn);
	tcm_isc_sock_drop(conn);
	tcm_isc_half_open_end(conn);
	tcm_isc_login_end(conn);
	if (conn->isess && conn->state != TCM_ISC_CS_LOGIN && tcm_isc_lost_begin(conn)) {
		tcm_isc_fence_end(conn);
		return;
	}
	conn->state = TCM_ISC_CS_CLOSED;
	tcm_isc_conn_end(conn);
}

/* ---- the owner ---- */

/* Commands that have ended, in the order in which they did. */
void tcm_isc_take_done(struct tcm_isc_conn *conn)
{
	struct llist_node *batch;
	struct tcm_isc_cmd *icmd, *next;
	bool silent = false;

	if (unlikely(test_and_clear_bit(TCM_ISC_CF_GIVEN, &conn->flags)))
		tcm_isc_take_given(conn);
	if (llist_empty(&conn->done))
		return;
	batch = llist_reverse_order(llist_del_all(&conn->done));
	llist_for_each_entry_safe(icmd, next, batch, done) {
		if (conn->state == TCM_ISC_CS_CLOSED || (icmd->cmd.flags & TCM_CMD_NO_RESPONSE)) {
			tcm_isc_cmd_put(conn, icmd);
			silent = true;
		} else {
			list_add_tail(&icmd->tx.node, &conn->txq);
		}
	}
	if (unlikely(silent) && conn->state == TCM_ISC_CS_FFP &&
	    tcm_isc_window_closed(conn->isess))
		tcm_isc_tell_window(conn);
}

static bool tcm_isc_peer_gone(const struct tcm_isc_conn *conn)
{
	switch (READ_ONCE(conn->sock->sk->sk_state)) {
	case TCP_ESTABLISHED:
	case TCP_SYN_RECV:
		return false;
	default:
		return true;
	}
}

static void tcm_isc_conn_flags(struct tcm_isc_conn *conn)
{
	if (test_and_clear_bit(TCM_ISC_CF_WRITABLE, &conn->flags))
		WRITE_ONCE(conn->no_room, false);
	if (test_and_clear_bit(TCM_ISC_CF_ABORTED, &conn->flags)) {
		tcm_isc_order_lock(conn->isess);
		tcm_isc_cmds_aborted(conn);
		tcm_isc_order_unlock(conn->isess);
	}
	if (test_and_clear_bit(TCM_ISC_CF_TURN, &conn->flags))
		tcm_isc_order_mine(conn);
	if (test_and_clear_bit(TCM_ISC_CF_ASK, &conn->flags))
		tcm_isc_ask_logout(conn);
	if (test_and_clear_bit(TCM_ISC_CF_FENCE, &conn->flags))
		tcm_isc_fence_note(conn);
	if (test_and_clear_bit(TCM_ISC_CF_FENCED, &conn->flags))
		tcm_isc_fence_answer(conn);
	if (test_and_clear_bit(TCM_ISC_CF_TICK, &conn->flags)) {
		conn->tick_on = false;
		if (time_before(jiffies, conn->tick_at))
			tcm_isc_tick_in(conn, conn->tick_at - jiffies);
		else if (conn->state == TCM_ISC_CS_LOGIN)
			tcm_isc_login_late(conn);
		else if (conn->state == TCM_ISC_CS_FFP)
			tcm_isc_watch(conn);
		else if (conn->state == TCM_ISC_CS_LOGOUT)
			tcm_isc_logout_watch(conn);
	}
}

/* A round; true when there may be more to do at once. */
static bool tcm_isc_conn_round(struct tcm_isc_conn *conn)
{
	u64 before = conn->rx_octets;
	bool gone, unsent;

	if (unlikely(conn->flags))
		tcm_isc_conn_flags(conn);
	gone = tcm_isc_peer_gone(conn);
	tcm_isc_rx_run(conn);
	tcm_isc_take_done(conn);
	unsent = tcm_isc_tx_run(conn);
	if (unlikely(gone && conn->rx_octets == before))
		tcm_isc_conn_quit(conn, "the peer is gone");
	return unsent || conn->rx_octets != before || !llist_empty(&conn->done) ||
	       (conn->rx_held && !tcm_isc_tx_owes(conn));
}

static void tcm_isc_conn_run(struct tcm_isc_conn *conn)
{
	int rounds = 0;

	conn->turn_end = conn->rx_octets + conn->tx_octets + TCM_ISC_TURN;
	while (!test_bit(TCM_ISC_CF_CLOSE, &conn->flags)) {
		bool more = tcm_isc_conn_round(conn);

		if (!more && !READ_ONCE(conn->flags))
			return;
		if (++rounds == TCM_ISC_ROUNDS || tcm_isc_turn_over(conn)) {
			tcm_isc_conn_queue(conn);
			return;
		}
	}
	tcm_isc_conn_close(conn);
}

static void tcm_isc_conn_work(struct work_struct *work)
{
	struct tcm_isc_conn *conn = container_of(work, struct tcm_isc_conn, work);
	unsigned int noio = memalloc_noio_save();

	WRITE_ONCE(conn->owner, current);
	if (conn->state < TCM_ISC_CS_LOST)
		tcm_isc_conn_run(conn);
	if (unlikely(conn->state == TCM_ISC_CS_LOST) && tcm_isc_lost_run(conn))
		tcm_isc_conn_end(conn);
	WRITE_ONCE(conn->owner, NULL);
	/* Pairs with tcm_isc_respond(), which queues unless it runs in the owner. */
	smp_mb();
	if (conn->state == TCM_ISC_CS_CLOSED) {
		tcm_isc_take_done(conn);
		if (!conn->nr_cmds && !conn->freeing) {
			conn->freeing = true;
			if (conn->isess)
				tcm_isc_session_disown(conn->isess);
			queue_rcu_work(tcm_isc_slow_wq, &conn->free_work);
		}
	} else if (!llist_empty(&conn->done)) {
		tcm_isc_conn_queue(conn);
	}
	memalloc_noio_restore(noio);
}

/* The owner, or before there is one: have the timer go off in @delay jiffies at the latest. */
void tcm_isc_tick_in(struct tcm_isc_conn *conn, unsigned long delay)
{
	unsigned long at = jiffies + delay;

	if (conn->tick_on && !time_before(at, conn->tick_at))
		return;
	conn->tick_on = true;
	conn->tick_at = at;
	mod_delayed_work(tcm_isc_slow_wq, &conn->tick, delay);
}

static void tcm_isc_conn_tick(struct work_struct *work)
{
	struct tcm_isc_conn *conn = container_of(work, struct tcm_isc_conn, tick.work);

	set_bit(TCM_ISC_CF_TICK, &conn->flags);
	tcm_isc_conn_queue(conn);
}
