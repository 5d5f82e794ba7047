// SPDX-License-Identifier: GPL-2.0-only
/*
 * Bugs on purpose, one at a time: what the gate has to see. `run` says which. Loading it runs a
 * KUnit suite that fails. For scripts/check-gate, never installed.
 */
#include <kunit/test.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>

static volatile int planted_sink;
static DEFINE_MUTEX(planted_a);
static DEFINE_MUTEX(planted_b);
static DEFINE_SPINLOCK(planted_spin);

static void planted_uaf(void)
{
	volatile char *p = kmalloc(100, GFP_KERNEL);

	kfree((void *)p);
	planted_sink = p[5];
}

static void planted_inversion(void)
{
	mutex_lock(&planted_a);
	mutex_lock(&planted_b);
	mutex_unlock(&planted_b);
	mutex_unlock(&planted_a);
	mutex_lock(&planted_b);
	mutex_lock(&planted_a);
	mutex_unlock(&planted_a);
	mutex_unlock(&planted_b);
}

static void planted_leak(void)
{
	int i;

	/* more than one: the last pointer may survive in a register */
	for (i = 0; i < 8; i++)
		planted_sink = !kmalloc(111, GFP_KERNEL);
}

static void planted_atomic(void)
{
	spin_lock(&planted_spin);
	mutex_lock(&planted_a);
	mutex_unlock(&planted_a);
	spin_unlock(&planted_spin);
}

static const struct {
	const char *name;
	void (*commit)(void);
} planted_bugs[] = {
	{ "uaf", planted_uaf },
	{ "inversion", planted_inversion },
	{ "leak", planted_leak },
	{ "atomic", planted_atomic },
};

static int planted_run(const char *val, const struct kernel_param *kp)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(planted_bugs); i++)
		if (sysfs_streq(val, planted_bugs[i].name)) {
			planted_bugs[i].commit();
			return 0;
		}
	return -EINVAL;
}

static const struct kernel_param_ops planted_ops = { .set = planted_run };
module_param_cb(run, &planted_ops, NULL, 0200);

static void planted_assertion(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, 1, 2);
}

static struct kunit_case planted_tests[] = {
	KUNIT_CASE(planted_assertion),
	{ }
};

static struct kunit_suite planted_suite = {
	.name = "tcm_planted",
	.test_cases = planted_tests,
};

kunit_test_suites(&planted_suite);
MODULE_DESCRIPTION("Planted bugs, for the test of the gate");
MODULE_LICENSE("GPL");
MODULE_VERSION("5.0.0");
