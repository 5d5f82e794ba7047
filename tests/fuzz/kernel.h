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
typedef uint32_t u32, __u32, __be32, __le32, gfp_t;
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
#define PAGE_SHIFT	12
#define PAGE_SIZE	4096UL
#define SECTOR_SHIFT	9
#define SZ_64K		0x10000
#define SZ_256K		0x40000
#define SZ_1M		0x100000
#define SZ_2M		0x200000
#define HZ		250
#define BITS_PER_LONG	64
#define BIT(n)		(1UL << (n))

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
#define READ_ONCE(x)	(x)
#define WRITE_ONCE(x, v) ((x) = (v))
#define EXPORT_SYMBOL_GPL(x) struct fuzz_unused_##x
#define THIS_MODULE	NULL
#define MAX_ERRNO	4095

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define container_of(p, type, member) ((type *)((char *)(p) - offsetof(type, member)))
#define min(a, b)	({ __typeof__(a) a_ = (a); __typeof__(b) b_ = (b); a_ < b_ ? a_ : b_; })
#define max(a, b)	({ __typeof__(a) a_ = (a); __typeof__(b) b_ = (b); a_ > b_ ? a_ : b_; })
#define min_t(t, a, b)	min((t)(a), (t)(b))
#define max_t(t, a, b)	max((t)(a), (t)(b))
#define min3(a, b, c)	min(min(a, b), c)
#define clamp(v, lo, hi) min(max(v, lo), hi)
#define DIV_ROUND_UP(n, d) (((n) + (d) - 1) / (d))
#define round_up(n, to)	(((n) + (to) - 1) / (to) * (to))
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
#define kfree(p)		free((void *)(p))
#define kvfree(p)		free((void *)(p))

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
static inline bool list_empty(const struct list_head *head) { return head->next == head; }
#define list_entry(p, type, member) container_of(p, type, member)
#define list_first_entry(h, type, member) list_entry((h)->next, type, member)
#define list_first_entry_or_null(h, type, member) \
	(list_empty(h) ? NULL : list_first_entry(h, type, member))
#define list_for_each_entry(p, h, member)						\
	for (p = list_entry((h)->next, __typeof__(*p), member); &p->member != (h);	\
	     p = list_entry(p->member.next, __typeof__(*p), member))

typedef struct { int counter; } atomic_t;
typedef struct { long counter; } atomic_long_t;
typedef struct { int refs; } refcount_t;
typedef struct { int locked; } spinlock_t;
typedef u8 blk_status_t;
static inline int atomic_read(const atomic_t *a) { return a->counter; }
struct mutex { int locked; };
struct xarray { void *head; };
struct kref { int refs; };
struct percpu_ref { int refs; };
struct rcu_head { void *next; };
struct work_struct { void *fn; };
struct delayed_work { struct work_struct work; };
struct llist_node { struct llist_node *next; };
struct llist_head { struct llist_node *first; };
struct completion { int done; };
struct scatterlist { void *page; };
struct module;
struct page;
struct config_item { void *ci_parent; };
struct config_group { struct config_item cg_item; };
struct config_item_type { void *ct_owner; };
struct configfs_attribute;
struct configfs_item_operations;
struct configfs_group_operations;
#define to_config_group(item) container_of(item, struct config_group, cg_item)
enum dma_data_direction { DMA_BIDIRECTIONAL, DMA_TO_DEVICE, DMA_FROM_DEVICE, DMA_NONE };

/* <linux/rcupdate.h>, <linux/xarray.h>: one thread, and no LUN beyond the first 256 */
#define rcu_read_lock()		do { } while (0)
#define rcu_read_unlock()	do { } while (0)
#define rcu_dereference(p)	(p)
#define rcu_access_pointer(p)	(p)
#define xa_load(xa, index)	((void)(xa), (void)(index), NULL)
#define xa_for_each(xa, index, entry) for (entry = NULL, index = 0; entry; entry = NULL)

#define spin_lock_irqsave(l, f)	((void)(l), (f) = 0)
#define spin_unlock_irqrestore(l, f) ((void)(l), (void)(f))
/* Data that moves through a scatterlist is no parser's business. */
#define sgl_alloc(len, gfp, n)	(abort(), (struct scatterlist *)NULL)
#define sgl_free(sg)		abort()
#define alloc_page(gfp)		(abort(), (struct page *)NULL)
#define __free_page(page)	((void)(page), abort())
#define page_address(page)	((void)(page), abort(), (void *)NULL)
#define sg_init_table(sg, n)	abort()
#define sg_set_page(sg, page, len, off) abort()
#define memchr_inv(p, c, n)	(abort(), (void *)NULL)
#define __GFP_ZERO		0

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
int utf8_to_utf32(const u8 *s, int len, unicode_t *value);
int scnprintf(char *buf, size_t size, const char *fmt, ...) __printf(3, 4);
ssize_t strscpy(char *to, const char *from, size_t size);

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
