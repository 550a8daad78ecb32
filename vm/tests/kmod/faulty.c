// SPDX-License-Identifier: GPL-2.0-only
/* Does a mistake that nothing comes of, unless somebody looks for it, end a run? Loading this module makes one. */
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>

static char *mistake = "";
module_param(mistake, charp, 0);
MODULE_PARM_DESC(mistake, "leak, use, order or sleep");

static DEFINE_MUTEX(one);
static DEFINE_MUTEX(other);
static DEFINE_SPINLOCK(spin);

/* The one reference there is goes out of use. */
static noinline void lose_memory(void)
{
	char *lost = kmalloc(600, GFP_KERNEL);

	OPTIMIZER_HIDE_VAR(lost);
}

static noinline void use_freed_memory(void)
{
	char *freed = kzalloc(600, GFP_KERNEL);

	kfree(freed);
	OPTIMIZER_HIDE_VAR(freed);
	if (freed)
		WRITE_ONCE(freed[1], 1);
}

static noinline void take_locks_in_both_orders(void)
{
	mutex_lock(&one);
	mutex_lock(&other);
	mutex_unlock(&other);
	mutex_unlock(&one);
	mutex_lock(&other);
	mutex_lock(&one);
	mutex_unlock(&one);
	mutex_unlock(&other);
}

static noinline void sleep_under_a_spinlock(void)
{
	spin_lock(&spin);
	mutex_lock(&one);
	mutex_unlock(&one);
	spin_unlock(&spin);
}

static int __init sct_faulty_init(void)
{
	if (!strcmp(mistake, "leak"))
		lose_memory();
	else if (!strcmp(mistake, "use"))
		use_freed_memory();
	else if (!strcmp(mistake, "order"))
		take_locks_in_both_orders();
	else if (!strcmp(mistake, "sleep"))
		sleep_under_a_spinlock();
	else
		return -EINVAL;
	return 0;
}

static void __exit sct_faulty_exit(void)
{
}

module_init(sct_faulty_init);
module_exit(sct_faulty_exit);
MODULE_DESCRIPTION("Makes mistakes");
MODULE_LICENSE("GPL");
