/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the iSCSI fabric's own header needs of the kernel beyond kernel.h: sockets, and what only
 * has to have a size.
 */
#ifndef _TCM_FUZZ_NET_H
#define _TCM_FUZZ_NET_H

#include <netinet/in.h>
#include <strings.h>
#include <sys/socket.h>

#define __acquires(l)
#define __releases(l)
#define __acquire(l)		do { } while (0)
#define __release(l)		do { } while (0)
#define smp_load_acquire(p)	(*(p))
#define pr_info_ratelimited(...) do { } while (0)
#define DECLARE_EWMA(name, precision, weight) struct ewma_##name { unsigned long internal; };
#define cancel_delayed_work(w)	((void)(w))
#define kvfree_sensitive(p, n)	((void)(n), free(p))
#define kfree_sensitive(p)	free(p)
#define IS_ERR(p)		((unsigned long)(p) >= (unsigned long)-MAX_ERRNO)

struct sock;
typedef struct { int waiters; } wait_queue_head_t;
struct rcu_work { struct work_struct work; };
struct cpumask { unsigned long bits[1]; };
struct bio_vec { struct page *page; unsigned int len, offset; };

static inline void kref_get(struct kref *ref) { ref->refs++; }

/*
 * <crypto/hash.h>: a digest that the fuzzer can make, too. It has the sum of all bytes in its first
 * one; the others count up from there.
 */
struct crypto_shash { u8 size; };
struct shash_desc {
	struct crypto_shash *tfm;
	u8 sum;
};

#define SHASH_DESC_ON_STACK(desc, hash) struct shash_desc desc##_, *desc = &desc##_
#define crypto_free_shash(hash)	free(hash)
#define shash_desc_zero(desc)	((desc)->sum = 0)
static inline struct crypto_shash *crypto_alloc_shash(const char *name, u32 type, u32 mask)
{
	struct crypto_shash *hash;

	/* One that this kernel does not have */
	if (!strcmp(name, "sha3-256"))
		return ERR_PTR(-ENOENT);
	hash = malloc(sizeof(*hash));
	hash->size = !strcmp(name, "md5") ? 16 : !strcmp(name, "sha1") ? 20 : 32;
	return hash;
}
static inline int crypto_shash_init(struct shash_desc *desc)
{
	desc->sum = 0;
	return 0;
}
static inline int crypto_shash_update(struct shash_desc *desc, const void *data, size_t len)
{
	const u8 *p = data;

	while (len--)
		desc->sum += *p++;
	return 0;
}
static inline int crypto_shash_final(struct shash_desc *desc, u8 *digest)
{
	unsigned int i;

	for (i = 0; i < desc->tfm->size; i++)
		digest[i] = desc->sum + i;
	return 0;
}

#endif
