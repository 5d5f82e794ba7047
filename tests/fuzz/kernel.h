/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * As much of the kernel as the parsers need, for user space. Every <linux/...> header they
 * include is an empty file (scripts/fuzz makes them); this one comes first instead.
 *
 * Memory is malloc's, so that AddressSanitizer watches it; locks are nothing, because a
 * fuzzer has one thread.
 */
#ifndef _TCM_FUZZ_KERNEL_H
#define _TCM_FUZZ_KERNEL_H

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

typedef uint8_t u8, __u8;
typedef uint16_t u16, __u16, __be16, __le16;
typedef uint32_t u32, __u32, __be32, __le32, gfp_t, errseq_t;
typedef unsigned long long u64, __u64, __be64, __le64;
typedef int8_t s8;
typedef int16_t s16;
typedef int32_t s32;
typedef long long s64;
typedef u32 unicode_t;

#define U8_MAX		((u8)~0U)
#define U16_MAX		((u16)~0U)
#define U32_MAX		((u32)~0U)
#define U64_MAX		((u64)~0ULL)
#define S64_MAX		((s64)(U64_MAX >> 1))
#define PAGE_SHIFT	12
#define PAGE_SIZE	4096UL
#define SECTOR_SHIFT	9
#define SZ_1K		0x400
#define SZ_4K		0x1000
#define SZ_16K		0x4000
#define SZ_64K		0x10000
#define SZ_128K		0x20000
#define SZ_256K		0x40000
#define SZ_1M		0x100000
#define SZ_2M		0x200000
#define SZ_64M		0x4000000
#define SZ_256M		0x10000000
#define SZ_1G		0x40000000
#define HZ		250
#define BITS_PER_LONG	64
#define BIT(n)		(1UL << (n))
#define BIT_ULL(n)	(1ULL << (n))

#define __rcu
#define __percpu
#define __init
#define __exit
#define __packed	__attribute__((packed))
#define __aligned(n)	__attribute__((aligned(n)))
#define __printf(a, b)	__attribute__((format(printf, a, b)))
#define fallthrough	__attribute__((fallthrough))
#define static_assert(cond, ...) _Static_assert(cond, #cond)
#define likely(x)	(x)
#define unlikely(x)	(x)
#define noinline
#define READ_ONCE(x)	(x)
#define WRITE_ONCE(x, v) ((x) = (v))
#define EXPORT_SYMBOL_GPL(x) struct fuzz_unused_##x
#define THIS_MODULE	NULL
#define MAX_ERRNO	4095
#define ERR_PTR(err)	((void *)(long)(err))
#define pr_warn(...)	do { } while (0)
#define pr_warn_ratelimited(...) do { } while (0)

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define container_of(p, type, member) ((type *)((char *)(p) - offsetof(type, member)))
#define min(a, b)	({ __typeof__(a) a_ = (a); __typeof__(b) b_ = (b); a_ < b_ ? a_ : b_; })
#define max(a, b)	({ __typeof__(a) a_ = (a); __typeof__(b) b_ = (b); a_ > b_ ? a_ : b_; })
#define min_t(t, a, b)	min((t)(a), (t)(b))
#define max_t(t, a, b)	max((t)(a), (t)(b))
#define min3(a, b, c)	min(min(a, b), c)
#define clamp(v, lo, hi) min(max(v, lo), hi)
#define clamp_t(t, v, lo, hi) min_t(t, max_t(t, v, lo), hi)
#define swap(a, b)	do { __typeof__(a) a_ = (a); (a) = (b); (b) = a_; } while (0)
#define DIV_ROUND_UP(n, d) (((n) + (d) - 1) / (d))
#define DIV_ROUND_UP_ULL(n, d) DIV_ROUND_UP((u64)(n), d)
#define div_u64(n, d)	((u64)(n) / (d))
#define mul_u64_u64_div_u64(a, b, c) ((u64)((unsigned __int128)(a) * (b) / (c)))
#define round_up(n, to)	(((n) + (to) - 1) / (to) * (to))
#define round_down(n, to)	((n) / (to) * (to))
#define ALIGN(n, to)		round_up(n, to)
#define struct_size(p, member, n) (sizeof(*(p)) + (n) * sizeof((p)->member[0]))
/* What is only warned of in the kernel is a find here. */
#define WARN_ON_ONCE(x)	({ if (x) abort(); false; })
#define lockdep_assert_held(l) do { } while (0)

static inline int fls(unsigned int x) { return x ? 32 - __builtin_clz(x) : 0; }
static inline int ilog2(u64 x) { return 63 - __builtin_clzll(x); }
static inline bool is_power_of_2(unsigned long n) { return n && !(n & (n - 1)); }

/* ---- byte order and alignment --------------------------------------------------------- */

#define FUZZ_BE(bits)									\
static inline u##bits get_unaligned_be##bits(const void *p)				\
{											\
	u##bits v;									\
											\
	memcpy(&v, p, sizeof(v));							\
	return __builtin_bswap##bits(v);						\
}											\
static inline void put_unaligned_be##bits(u##bits v, void *p)				\
{											\
	v = __builtin_bswap##bits(v);							\
	memcpy(p, &v, sizeof(v));							\
}											\
static inline u##bits cpu_to_be##bits(u##bits v) { return __builtin_bswap##bits(v); }	\
static inline u##bits be##bits##_to_cpu(u##bits v) { return __builtin_bswap##bits(v); }

FUZZ_BE(16)
FUZZ_BE(32)
FUZZ_BE(64)

static inline u32 get_unaligned_be24(const u8 *p) { return p[0] << 16 | p[1] << 8 | p[2]; }
static inline void put_unaligned_be24(u32 v, u8 *p)
{
	p[0] = v >> 16;
	p[1] = v >> 8;
	p[2] = v;
}
static inline u64 get_unaligned_be48(const u8 *p)
{
	return (u64)get_unaligned_be16(p) << 32 | get_unaligned_be32(p + 2);
}
static inline void put_unaligned_be48(u64 v, u8 *p)
{
	put_unaligned_be16(v >> 32, p);
	put_unaligned_be32(v, p + 2);
}
static inline u64 get_unaligned_le64(const void *p)
{
	u64 v;

	memcpy(&v, p, sizeof(v));
	return v;
}

/* ---- memory --------------------------------------------------------------------------- */

enum { GFP_KERNEL, GFP_NOIO, GFP_ATOMIC };
#define kmalloc(n, gfp)		malloc(n)
#define kzalloc(n, gfp)		calloc(1, n)
#define kvmalloc(n, gfp)	malloc(n)
#define kvzalloc(n, gfp)	calloc(1, n)
#define kvcalloc(n, s, gfp)	calloc(n, s)
#define kcalloc(n, s, gfp)	calloc(n, s)
#define kvmalloc_array(n, s, gfp) calloc(n, s)
#define kfree(p)		free((void *)(p))
#define kvfree(p)		free((void *)(p))
#define memalloc_noio_save()	0
#define memalloc_noio_restore(f) ((void)(f))
static inline void *kmemdup(const void *p, size_t len, gfp_t gfp)
{
	return memcpy(malloc(len), p, len);
}
static inline char *kmemdup_nul(const char *s, size_t len, gfp_t gfp)
{
	char *copy = malloc(len + 1);

	memcpy(copy, s, len);
	copy[len] = '\0';
	return copy;
}

/* ---- bits, lists, and what only has to have a size -------------------------------------- */

static inline bool test_bit(long n, const unsigned long *w) { return *w >> n & 1; }
static inline void set_bit(long n, unsigned long *w) { *w |= BIT(n); }
static inline void clear_bit(long n, unsigned long *w) { *w &= ~BIT(n); }
static inline void assign_bit(long n, unsigned long *w, bool v)
{
	v ? set_bit(n, w) : clear_bit(n, w);
}

struct list_head { struct list_head *next, *prev; };
#define LIST_HEAD(l) struct list_head l = { &(l), &(l) }
static inline void INIT_LIST_HEAD(struct list_head *l) { l->next = l->prev = l; }
static inline void list_add_tail(struct list_head *e, struct list_head *head)
{
	e->next = head;
	e->prev = head->prev;
	head->prev->next = e;
	head->prev = e;
}
static inline void list_del(struct list_head *e)
{
	e->prev->next = e->next;
	e->next->prev = e->prev;
	memset(e, 0xa5, sizeof(*e));
}
static inline void list_del_init(struct list_head *e)
{
	list_del(e);
	INIT_LIST_HEAD(e);
}
static inline bool list_empty(const struct list_head *head) { return head->next == head; }
#define list_entry(p, type, member) container_of(p, type, member)
#define list_first_entry(h, type, member) list_entry((h)->next, type, member)
#define list_first_entry_or_null(h, type, member) \
	(list_empty(h) ? NULL : list_first_entry(h, type, member))
#define list_for_each_entry(p, h, member)						\
	for (p = list_entry((h)->next, __typeof__(*p), member); &p->member != (h);	\
	     p = list_entry(p->member.next, __typeof__(*p), member))

static inline bool list_is_last(const struct list_head *e, const struct list_head *head)
{
	return e->next == head;
}
#define list_next_entry(p, member) list_entry((p)->member.next, __typeof__(*(p)), member)
#define list_for_each_entry_continue(p, h, member)					\
	for (p = list_next_entry(p, member); &p->member != (h); p = list_next_entry(p, member))
#define list_for_each_entry_safe(p, n, h, member)					\
	for (p = list_entry((h)->next, __typeof__(*p), member),				\
	     n = list_entry(p->member.next, __typeof__(*p), member); &p->member != (h);	\
	     p = n, n = list_entry(n->member.next, __typeof__(*n), member))

typedef struct { int counter; } atomic_t;
typedef struct { long counter; } atomic_long_t;
typedef struct { s64 counter; } atomic64_t;
typedef struct { int refs; } refcount_t;
typedef struct { int locked; } spinlock_t;
typedef u8 blk_status_t;
static inline int atomic_read(const atomic_t *a) { return a->counter; }
static inline void atomic_inc(atomic_t *a) { a->counter++; }
static inline void atomic_dec(atomic_t *a) { a->counter--; }
static inline void atomic_or(int bits, atomic_t *a) { a->counter |= bits; }
static inline int atomic_read_acquire(const atomic_t *a) { return a->counter; }
static inline bool atomic_try_cmpxchg(atomic_t *a, int *old, int new)
{
	bool same = a->counter == *old;

	*old = a->counter;
	if (same)
		a->counter = new;
	return same;
}
#define smp_mb__before_atomic()	do { } while (0)
#define smp_mb()		do { } while (0)
static inline void refcount_set(refcount_t *r, int n) { r->refs = n; }
static inline void refcount_inc(refcount_t *r) { r->refs++; }
static inline bool refcount_dec_and_test(refcount_t *r) { return !--r->refs; }
#define this_cpu_inc(v)		((v)++)
static inline long atomic_long_read(const atomic_long_t *a) { return a->counter; }
static inline void atomic_long_set(atomic_long_t *a, long v) { a->counter = v; }
static inline void atomic_long_inc(atomic_long_t *a) { a->counter++; }
static inline s64 atomic64_read(const atomic64_t *a) { return a->counter; }
static inline void atomic64_set(atomic64_t *a, s64 v) { a->counter = v; }
static inline void atomic64_add(s64 v, atomic64_t *a) { a->counter += v; }
static inline void atomic64_inc(atomic64_t *a) { a->counter++; }
struct mutex { int locked; };
struct rb_node { struct rb_node *left, *right; };
struct rb_root_cached { struct rb_node *root, *leftmost; };
struct interval_tree_node { struct rb_node rb; unsigned long start, last, __subtree_last; };
struct xarray { void *head; };
struct kref { int refs; };
struct percpu_ref { int refs; };
struct rcu_head { void *next; };

/* Work items run when the target says so, fuzz_work(). */
struct workqueue_struct;
struct work_struct {
	void (*fn)(struct work_struct *work);
	struct work_struct *next;
	bool queued;
};
struct delayed_work { struct work_struct work; };
bool fuzz_queue(struct work_struct *work);
#define WQ_UNBOUND		0
#define WQ_MEM_RECLAIM		0
#define WQ_MAX_ACTIVE		0
#define alloc_workqueue(...)	((struct workqueue_struct *)1)
#define destroy_workqueue(wq)	((void)(wq))
#define INIT_WORK(w, f)		(*(w) = (struct work_struct){ .fn = (f) })
#define INIT_DELAYED_WORK(w, f)	INIT_WORK(&(w)->work, f)
#define queue_work(wq, w)	((void)(wq), fuzz_queue(w))
/* Time stands still: what waits for it in the system's queue is never due. */
#define system_wq		((struct workqueue_struct *)NULL)
#define queue_delayed_work(wq, w, delay) ((void)(delay), (wq) && fuzz_queue(&(w)->work))
#define DECLARE_DELAYED_WORK(w, f) struct delayed_work w = { .work = { .fn = (f) } }
#define cancel_delayed_work_sync(w) ((void)(w))
#define flush_work(w)		((void)(w))

struct llist_node { struct llist_node *next; };
struct llist_head { struct llist_node *first; };
struct completion { int done; };
struct scatterlist { void *page; unsigned int length; };
struct t10_pi_tuple { __be16 guard_tag, app_tag; __be32 ref_tag; };
struct module;
struct page;
struct configfs_attribute;
struct configfs_item_operations;
struct config_item { void *ci_parent; };
struct config_group { struct config_item cg_item; };
struct config_item_type {
	void *ct_owner;
	const struct configfs_item_operations *ct_item_ops;
	struct configfs_attribute **ct_attrs;
};
struct configfs_group_operations;
/* Not static, so that a target can call them. */
struct configfs_attribute {
	ssize_t (*show)(struct config_item *item, char *page);
	ssize_t (*store)(struct config_item *item, const char *page, size_t count);
};
#define CONFIGFS_ATTR(pfx, name)							\
	struct configfs_attribute pfx##attr_##name = { pfx##name##_show, pfx##name##_store }
#define CONFIGFS_ATTR_RO(pfx, name)							\
	struct configfs_attribute pfx##attr_##name = { pfx##name##_show }
#define to_config_group(item) container_of(item, struct config_group, cg_item)
enum dma_data_direction { DMA_BIDIRECTIONAL, DMA_TO_DEVICE, DMA_FROM_DEVICE, DMA_NONE };

/* <linux/rcupdate.h>, <linux/xarray.h>: one thread, and no LUN beyond the first 256 */
#define rcu_read_lock()		do { } while (0)
#define rcu_read_unlock()	do { } while (0)
#define rcu_dereference(p)	(p)
#define rcu_access_pointer(p)	(p)
#define xa_load(xa, index)	((void)(xa), (void)(index), NULL)
#define xa_for_each(xa, index, entry) for (entry = NULL, index = 0; entry; entry = NULL)

/* A reference that is dropped too often is a find, as is one that is left (fuzz_lun_free()). */
static inline bool percpu_ref_tryget_live_rcu(struct percpu_ref *ref) { return ++ref->refs; }
static inline bool percpu_ref_tryget_live(struct percpu_ref *ref) { return ++ref->refs; }
static inline void percpu_ref_get(struct percpu_ref *ref) { ref->refs++; }
static inline bool percpu_ref_is_dying(const struct percpu_ref *ref) { return false; }
static inline void percpu_ref_put(struct percpu_ref *ref)
{
	if (--ref->refs < 0)
		abort();
}

/* One thread, so a lock that is taken twice would be waited for for ever. */
static inline void fuzz_lock(int *locked)
{
	if ((*locked)++)
		abort();
}
static inline void fuzz_unlock(int *locked)
{
	if (--*locked)
		abort();
}
/* Nobody else is there to have it. */
static inline bool fuzz_trylock(int *locked)
{
	fuzz_lock(locked);
	return true;
}
#define DEFINE_SPINLOCK(l)	spinlock_t l
#define spin_lock_init(l)	((l)->locked = 0)
#define spin_lock(l)		fuzz_lock(&(l)->locked)
#define spin_unlock(l)		fuzz_unlock(&(l)->locked)
#define spin_lock_irq(l)	spin_lock(l)
#define spin_unlock_irq(l)	spin_unlock(l)
#define spin_lock_irqsave(l, f)	((f) = 0, spin_lock(l))
#define spin_unlock_irqrestore(l, f) ((void)(f), spin_unlock(l))
#define mutex_init(l)		((l)->locked = 0)
#define mutex_lock(l)		fuzz_lock(&(l)->locked)
#define mutex_trylock(l)	fuzz_trylock(&(l)->locked)
#define mutex_unlock(l)		fuzz_unlock(&(l)->locked)

/* Memory for data: nobody looks inside. A command's own, cmd->sg, is its bytes. */
#define sgl_alloc(len, gfp, n)	((void)((n) && (*(unsigned int *)(n) = 1)), (struct scatterlist *)calloc(1, sizeof(struct scatterlist)))
#define sgl_free(sg)		free(sg)
#define sg_next(sg)		((struct scatterlist *)NULL)
#define sg_virt(sg)		((void *)(sg))
#define alloc_page(gfp)		((struct page *)calloc(1, PAGE_SIZE))
#define __free_page(page)	free(page)
#define page_address(page)	((void *)(page))
#define __get_free_page(gfp)	((unsigned long)calloc(1, PAGE_SIZE))
#define free_page(page)		free((void *)(page))
#define sg_nents(sg)		(abort(), 0U)
#define sg_init_table(sg, n)	abort()
#define sg_set_page(sg, page, len, off) abort()
/* cmd->sg_nents counts bytes here. */
static inline size_t sg_pcopy_to_buffer(struct scatterlist *sg, unsigned int nents, void *to,
					size_t len, size_t skip)
{
	len = min(len, nents - min(skip, (size_t)nents));
	if (len)
		memcpy(to, (u8 *)sg + skip, len);
	return len;
}
#define __GFP_ZERO		0

/* ---- time: it stands still ---------------------------------------------------------------- */

typedef s64 ktime_t;
#define jiffies			0UL
#define INITIAL_JIFFIES		0UL
#define get_jiffies_64()	((u64)jiffies)
#define time_after_eq(a, b)	((long)((a) - (b)) >= 0)
/* Random enough to be nobody's guess; the same in each run */
#define get_random_bytes(p, n)	memset(p, 0x5a, n)
#define get_random_u32()	0x12345678U
#define crypto_memneq(a, b, n)	memcmp(a, b, n)
#define time_after(a, b)	((long)((b) - (a)) < 0)
#define ktime_get_real()	((ktime_t)1000000)
#define ktime_get_boottime()	((ktime_t)2000000)
#define ktime_to_ms(t)		((t) / 1000000)

/* <linux/blk_types.h>: any distinct values do */
enum {
	BLK_STS_OK, BLK_STS_NOTSUPP, BLK_STS_TIMEOUT, BLK_STS_NOSPC, BLK_STS_TRANSPORT,
	BLK_STS_TARGET, BLK_STS_RESV_CONFLICT, BLK_STS_MEDIUM, BLK_STS_PROTECTION,
	BLK_STS_RESOURCE, BLK_STS_IOERR, BLK_STS_AGAIN, BLK_STS_DEV_RESOURCE, BLK_STS_OFFLINE,
};

/* ---- text ----------------------------------------------------------------------------- */

/* The kernel's white space includes NO-BREAK SPACE of Latin-1. */
static inline bool fuzz_isspace(u8 c) { return (c >= 9 && c <= 13) || c == ' ' || c == 0xa0; }
#undef isspace
#define isspace(c)	fuzz_isspace(c)
#undef isascii
#define isascii(c)	((u8)(c) < 0x80)

int kstrtoull(const char *s, unsigned int base, u64 *value);
int kstrtobool(const char *s, bool *value);
int kstrtoll(const char *s, unsigned int base, s64 *value);
int utf8_to_utf32(const u8 *s, int len, unicode_t *value);
/* Not __printf(): they know %*phN and %*phC */
int scnprintf(char *buf, size_t size, const char *fmt, ...);
int sysfs_emit(char *page, const char *fmt, ...);
int sysfs_emit_at(char *page, int at, const char *fmt, ...);
ssize_t strscpy(char *to, const char *from, size_t size);
void *memchr_inv(const void *p, int c, size_t n);
int hex2bin(u8 *to, const char *text, size_t n);
char *bin2hex(char *to, const void *from, size_t n);
int match_string(const char *const *words, size_t n, const char *word);

static inline int kstrtou64(const char *s, unsigned int base, u64 *v)
{
	return kstrtoull(s, base, v);
}

#define FUZZ_KSTRTO(bits)								\
static inline int kstrtou##bits(const char *s, unsigned int base, u##bits *v)		\
{											\
	u64 n;										\
	int err = kstrtoull(s, base, &n);						\
											\
	if (!err && n != (u##bits)n)							\
		return -ERANGE;								\
	if (!err)									\
		*v = n;									\
	return err;									\
}

FUZZ_KSTRTO(32)
FUZZ_KSTRTO(16)
FUZZ_KSTRTO(8)
#define kstrtouint(s, base, v)	kstrtou32(s, base, v)
static inline int kstrtoint(const char *s, unsigned int base, int *v)
{
	s64 n;
	int err = kstrtoll(s, base, &n);

	if (!err && n != (int)n)
		return -ERANGE;
	if (!err)
		*v = n;
	return err;
}

static inline bool strstarts(const char *s, const char *with)
{
	return !strncmp(s, with, strlen(with));
}
static inline char *skip_spaces(const char *s)
{
	while (isspace((u8)*s))
		s++;
	return (char *)s;
}
static inline int hex_to_bin(u8 c)
{
	return isdigit(c) ? c - '0' : isxdigit(c) ? tolower(c) - 'a' + 10 : -1;
}
static inline void memcpy_and_pad(void *to, size_t size, const void *from, size_t n, int pad)
{
	memset(to, pad, size);
	memcpy(to, from, min(n, size));
}

#endif
