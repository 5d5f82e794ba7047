/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Sockets: pages handed to TCP by reference, many in one go.
 */
#ifndef _TCM_COMPAT_SOCK_H
#define _TCM_COMPAT_SOCK_H

#include <linux/bvec.h>
#include <linux/net.h>
#include <linux/socket.h>
#include <linux/version.h>
#include <net/inet_sock.h>
#include <net/sock.h>

/**
 * tcm_sock_send_bvecs - send pages without copying them
 * @sock: TCP socket
 * @bv: what to send; TCP takes references to the pages, which must not be of a slab
 * @nr: how many
 * @len: bytes of all of them
 *
 * Never waits. Context: may sleep. Return: bytes taken, or an errno.
 */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 5, 0)
static inline int tcm_sock_send_bvecs(struct socket *sock, struct bio_vec *bv, unsigned int nr,
				      size_t len)
{
	struct msghdr msg = { .msg_flags = MSG_SPLICE_PAGES | MSG_DONTWAIT | MSG_NOSIGNAL };

	iov_iter_bvec(&msg.msg_iter, ITER_SOURCE, bv, nr, len);
	return sock_sendmsg(sock, &msg);
}
#else
static inline int tcm_sock_send_bvecs(struct socket *sock, struct bio_vec *bv, unsigned int nr,
				      size_t len)
{
	struct sock *sk = sock->sk;
	int sent = 0, ret = 0;
	unsigned int i;

	lock_sock(sk);
	for (i = 0; i < nr; i++) {
		int flags = MSG_DONTWAIT | MSG_NOSIGNAL;

		if (i + 1 < nr)
			flags |= MSG_MORE | MSG_SENDPAGE_NOTLAST;
		ret = kernel_sendpage_locked(sk, bv[i].bv_page, bv[i].bv_offset, bv[i].bv_len,
					     flags);
		if (ret < 0)
			break;
		sent += ret;
		if (ret < bv[i].bv_len)
			break;
	}
	release_sock(sk);
	return sent ?: ret;
}
#endif

/* IP_FREEBIND, and for IPv6: bind to an address that is not there yet */
static inline void tcm_sock_set_freebind(struct sock *sk)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 6, 0)
	inet_set_bit(FREEBIND, sk);
#else
	inet_sk(sk)->freebind = 1;
#endif
}

#endif
