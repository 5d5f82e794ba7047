// SPDX-License-Identifier: GPL-2.0-only
/*
 * Portals: from np/<address>:<port> to a socket that listens, and from there to connections that
 * have to log in. Portal groups that name the same address share the socket.
 */
#include <linux/inet.h>
#include <linux/kstrtox.h>
#include <linux/nsproxy.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <net/ipv6.h>
#include <net/net_namespace.h>
#include <net/tcp.h>
#include <compat/sock.h>
#include "iscsi.h"

#define TCM_ISC_BACKLOG	1024
/* Connections that are accepted before others get the CPU */
#define TCM_ISC_ACCEPT_MAX	64
/* When it cannot be done now; jiffies */
#define TCM_ISC_ACCEPT_AGAIN	max(HZ / 10, 1)

static LIST_HEAD(tcm_isc_listeners);	/* tcm_isc_lock */

int tcm_isc_addr_print(const struct sockaddr_storage *addr, bool port, char *buf, size_t size)
{
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)addr;

	if (addr->ss_family == AF_INET)
		return port ? scnprintf(buf, size, "%pISpc", addr) :
			scnprintf(buf, size, "%pISc", addr);
	/* An IPv4 peer of a dual-stack socket has its own address. */
	if (ipv6_addr_v4mapped(&in6->sin6_addr))
		return port ? scnprintf(buf, size, "%pI4:%u", &in6->sin6_addr.s6_addr32[3],
					ntohs(in6->sin6_port)) :
			scnprintf(buf, size, "%pI4", &in6->sin6_addr.s6_addr32[3]);
	return port ? scnprintf(buf, size, "[%pI6c]:%u", &in6->sin6_addr, ntohs(in6->sin6_port)) :
		scnprintf(buf, size, "[%pI6c]", &in6->sin6_addr);
}

/* <ipv4>:<port> or [<ipv6>[%scope]]:<port> */
static int tcm_isc_addr_parse(struct net *net, const char *name, struct sockaddr_storage *addr)
{
	char host[128];
	const char *colon = strrchr(name, ':');
	int family = AF_INET;
	size_t len;
	u16 port;

	if (!colon || kstrtou16(colon + 1, 10, &port) || !port)
		return -EINVAL;
	len = colon - name;
	if (*name == '[') {
		if (len < 3 || name[len - 1] != ']')
			return -EINVAL;
		family = AF_INET6;
		name++;
		len -= 2;
	}
	if (!len || len >= sizeof(host))
		return -EINVAL;
	memcpy(host, name, len);
	host[len] = '\0';
	return inet_pton_with_scope(net, family, host, colon + 1, addr);
}

static bool tcm_isc_addr_same(const struct sockaddr_storage *a, const struct sockaddr_storage *b)
{
	const struct sockaddr_in6 *a6 = (const void *)a, *b6 = (const void *)b;
	const struct sockaddr_in *a4 = (const void *)a, *b4 = (const void *)b;

	if (a->ss_family != b->ss_family)
		return false;
	if (a->ss_family == AF_INET)
		return a4->sin_addr.s_addr == b4->sin_addr.s_addr && a4->sin_port == b4->sin_port;
	return ipv6_addr_equal(&a6->sin6_addr, &b6->sin6_addr) && a6->sin6_port == b6->sin6_port &&
	       a6->sin6_scope_id == b6->sin6_scope_id;
}

static bool tcm_isc_same_host(const struct sockaddr_storage *a, const struct sockaddr_storage *b)
{
	const struct sockaddr_in6 *a6 = (const void *)a, *b6 = (const void *)b;
	const struct sockaddr_in *a4 = (const void *)a, *b4 = (const void *)b;

	if (a->ss_family != b->ss_family)
		return false;
	if (a->ss_family == AF_INET)
		return a4->sin_addr.s_addr == b4->sin_addr.s_addr;
	return ipv6_addr_equal(&a6->sin6_addr, &b6->sin6_addr);
}

static void tcm_isc_listener_free(struct kref *ref)
{
	struct tcm_isc_listener *listener = container_of(ref, struct tcm_isc_listener, ref);

	put_net(listener->net);
	kfree(listener);
}

/*
 * A place among those that have not logged in, or only for discovery. Where there is none the
 * oldest of the same source, or of all, gives up its own: a good login takes milliseconds.
 */
static void tcm_isc_half_open_begin(struct tcm_isc_listener *listener, struct tcm_isc_conn *conn)
{
	struct tcm_isc_conn *old, *victim = NULL, *oldest = NULL;
	unsigned int same = 0, all = 0;

	spin_lock_bh(&listener->lock);
	if (listener->nr_half_open >= TCM_ISC_HALF_OPEN_SOURCE)
		list_for_each_entry(old, &listener->half_open, half_node) {
			/* One that was told to go has not gone before its owner runs. */
			if (test_bit(TCM_ISC_CF_CLOSE, &old->flags))
				continue;
			all++;
			oldest = oldest ?: old;
			if (!tcm_isc_same_host(&old->peer, &conn->peer))
				continue;
			same++;
			victim = victim ?: old;
		}
	if (same < TCM_ISC_HALF_OPEN_SOURCE)
		victim = all < TCM_ISC_HALF_OPEN_MAX ? NULL : oldest;
	/* It leaves the list by itself, and cannot be freed while it is on it. */
	if (victim)
		tcm_isc_conn_kill(victim);
	list_add_tail(&conn->half_node, &listener->half_open);
	listener->nr_half_open++;
	kref_get(&listener->ref);
	spin_unlock_bh(&listener->lock);
}

void tcm_isc_half_open_end(struct tcm_isc_conn *conn)
{
	struct tcm_isc_listener *listener = conn->listener;

	if (!listener)
		return;
	spin_lock_bh(&listener->lock);
	list_del_init(&conn->half_node);
	listener->nr_half_open--;
	spin_unlock_bh(&listener->lock);
	conn->listener = NULL;
	kref_put(&listener->ref, tcm_isc_listener_free);
}

static void tcm_isc_accept_work(struct work_struct *work)
{
	struct tcm_isc_listener *listener = container_of(to_delayed_work(work),
							 struct tcm_isc_listener, work);
	struct tcm_isc_conn *conn;
	struct socket *sock;
	int n, err;

	for (n = 0; n < TCM_ISC_ACCEPT_MAX; n++) {
		err = kernel_accept(listener->sock, &sock, O_NONBLOCK);
		if (err == -EAGAIN)
			return;
		/* No memory, say: those that wait behind it make no other call. */
		if (err) {
			queue_delayed_work(tcm_isc_slow_wq, &listener->work, TCM_ISC_ACCEPT_AGAIN);
			return;
		}
		conn = tcm_isc_conn_create(listener, sock);
		if (!conn) {
			sock_release(sock);
			continue;
		}
		tcm_isc_half_open_begin(listener, conn);
		tcm_isc_conn_start(conn);
	}
	queue_delayed_work(tcm_isc_slow_wq, &listener->work, 0);
}

static void tcm_isc_listen_ready(struct sock *sk)
{
	struct tcm_isc_listener *listener;

	read_lock_bh(&sk->sk_callback_lock);
	listener = sk->sk_user_data;
	if (listener && sk->sk_state == TCP_LISTEN)
		mod_delayed_work(tcm_isc_slow_wq, &listener->work, 0);
	read_unlock_bh(&sk->sk_callback_lock);
}

static void tcm_isc_listen_stop(struct tcm_isc_listener *listener)
{
	struct sock *sk = listener->sock->sk;

	write_lock_bh(&sk->sk_callback_lock);
	sk->sk_user_data = NULL;
	write_unlock_bh(&sk->sk_callback_lock);
	cancel_delayed_work_sync(&listener->work);
	sock_release(listener->sock);
}

static int tcm_isc_listen(struct tcm_isc_listener *listener)
{
	int family = listener->addr.ss_family;
	struct sockaddr *addr = (struct sockaddr *)&listener->addr;
	struct socket *sock;
	int err;

	/*
	 * As a process's, and with it all it accepts: TCP stops the timers of a kernel's socket
	 * when that is closed, so what was last sent and lost would not be sent again, and a socket
	 * whose peer is gone would stay for ever. Nor would it keep its net namespace.
	 */
	err = __sock_create(listener->net, family, SOCK_STREAM, IPPROTO_TCP, &sock, 0);
	if (err)
		return err;
	sock_set_reuseaddr(sock->sk);
	tcp_sock_set_nodelay(sock->sk);
	/* An address may come up later than its portal. */
	tcm_sock_set_freebind(sock->sk);
	err = kernel_bind(sock, addr, family == AF_INET ? sizeof(struct sockaddr_in) :
			  sizeof(struct sockaddr_in6));
	if (err)
		goto release;
	listener->sock = sock;
	write_lock_bh(&sock->sk->sk_callback_lock);
	sock->sk->sk_user_data = listener;
	sock->sk->sk_data_ready = tcm_isc_listen_ready;
	write_unlock_bh(&sock->sk->sk_callback_lock);
	err = kernel_listen(sock, TCM_ISC_BACKLOG);
	if (!err)
		return 0;
	write_lock_bh(&sock->sk->sk_callback_lock);
	sock->sk->sk_user_data = NULL;
	write_unlock_bh(&sock->sk->sk_callback_lock);
release:
	sock_release(sock);
	return err;
}

static struct tcm_isc_listener *tcm_isc_listener_get(struct net *net,
						     const struct sockaddr_storage *addr)
{
	struct tcm_isc_listener *listener;
	int err;

	lockdep_assert_held(&tcm_isc_lock);
	list_for_each_entry(listener, &tcm_isc_listeners, node)
		if (listener->net == net && tcm_isc_addr_same(&listener->addr, addr)) {
			kref_get(&listener->ref);
			return listener;
		}
	listener = kzalloc(sizeof(*listener), GFP_KERNEL);
	if (!listener)
		return ERR_PTR(-ENOMEM);
	listener->addr = *addr;
	listener->net = get_net(net);
	INIT_LIST_HEAD(&listener->nps);
	INIT_LIST_HEAD(&listener->half_open);
	INIT_DELAYED_WORK(&listener->work, tcm_isc_accept_work);
	spin_lock_init(&listener->lock);
	kref_init(&listener->ref);
	err = tcm_isc_listen(listener);
	if (err) {
		kref_put(&listener->ref, tcm_isc_listener_free);
		return ERR_PTR(err);
	}
	list_add_tail(&listener->node, &tcm_isc_listeners);
	return listener;
}

int tcm_isc_add_np(struct tcm_np *np)
{
	struct tcm_isc_tpg *itpg = np->tpg->priv;
	struct net *net = current->nsproxy->net_ns;
	struct tcm_isc_np *inp, *other;
	struct sockaddr_storage addr = { };
	int err;

	err = tcm_isc_addr_parse(net, np->name, &addr);
	if (err)
		return err;
	inp = kzalloc(sizeof(*inp), GFP_KERNEL);
	if (!inp)
		return -ENOMEM;
	inp->np = np;
	inp->itpg = itpg;
	mutex_lock(&tcm_isc_lock);
	inp->listener = tcm_isc_listener_get(net, &addr);
	if (IS_ERR(inp->listener)) {
		err = PTR_ERR(inp->listener);
		goto free;
	}
	/* Two names of one address in one portal group */
	list_for_each_entry(other, &inp->listener->nps, lnode)
		if (other->itpg == itpg) {
			kref_put(&inp->listener->ref, tcm_isc_listener_free);
			err = -EEXIST;
			goto free;
		}
	list_add_tail(&inp->lnode, &inp->listener->nps);
	list_add_tail(&inp->tnode, &itpg->nps);
	np->priv = inp;
	mutex_unlock(&tcm_isc_lock);
	return 0;

free:
	mutex_unlock(&tcm_isc_lock);
	kfree(inp);
	return err;
}

void tcm_isc_del_np(struct tcm_np *np)
{
	struct tcm_isc_np *inp = np->priv;
	struct tcm_isc_listener *listener = inp->listener;
	struct tcm_isc_conn *conn;
	bool last;

	mutex_lock(&tcm_isc_lock);
	list_del(&inp->lnode);
	list_del(&inp->tnode);
	last = list_empty(&listener->nps);
	if (last)
		list_del(&listener->node);
	mutex_unlock(&tcm_isc_lock);
	kfree(inp);
	if (last) {
		tcm_isc_listen_stop(listener);
		spin_lock_bh(&listener->lock);
		list_for_each_entry(conn, &listener->half_open, half_node)
			tcm_isc_conn_kill(conn);
		spin_unlock_bh(&listener->lock);
	}
	kref_put(&listener->ref, tcm_isc_listener_free);
}
