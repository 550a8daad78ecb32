// SPDX-License-Identifier: GPL-2.0-only
/*
 * Another module that takes a system call: it patches a slot of the system call
 * table, or diverts a function by ftrace.  Like others of its kind it looks at
 * nobody else who does; but it can be unloaded while calls come.
 */
#include <linux/atomic.h>
#include <linux/delay.h>
#include <linux/ftrace.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/ptrace.h>
#include <linux/vmalloc.h>

static unsigned long slot;
module_param(slot, ulong, 0);
MODULE_PARM_DESC(slot, "address of the slot");

static unsigned long value;
module_param(value, ulong, 0);
MODULE_PARM_DESC(value, "what to write there (default: a function that counts and passes on)");

static unsigned long function;
module_param(function, ulong, 0);
MODULE_PARM_DESC(function, "address of the function, in place of a slot");

static long (*before)(const struct pt_regs *regs);
static unsigned long hits;
module_param(hits, ulong, 0444);

static atomic_t inside;

static long count(const struct pt_regs *regs)
{
	long result;

	atomic_inc(&inside);
	WRITE_ONCE(hits, hits + 1);
	result = before(regs);
	atomic_dec(&inside);
	return result;
}

/* The last argument has another type before 5.11; it is not looked at. */
static void notrace look(unsigned long ip, unsigned long parent_ip, struct ftrace_ops *ops,
			 void *regs)
{
	WRITE_ONCE(hits, hits + 1);
}

static struct ftrace_ops diversion = {
	.func = (void *)look,
	.flags = FTRACE_OPS_FL_IPMODIFY | FTRACE_OPS_FL_SAVE_REGS,
};

static int write_slot(unsigned long word)
{
	struct page *page = pfn_to_page(PHYS_PFN(__pa_symbol(slot)));
	void *window = vmap(&page, 1, VM_MAP, PAGE_KERNEL);

	if (!window)
		return -ENOMEM;
	WRITE_ONCE(*(unsigned long *)(window + offset_in_page(slot)), word);
	vunmap(window);
	return 0;
}

/* An empty filter holds no memory. */
static void forget_function(void)
{
	ftrace_set_filter(&diversion, NULL, 0, 1);
}

static int divert(void)
{
	int error = ftrace_set_filter_ip(&diversion, function, 0, 0);

	if (!error)
		error = register_ftrace_function(&diversion);
	if (error)
		forget_function();
	return error;
}

static int __init sct_rival_init(void)
{
	if (function)
		return divert();
	if (!slot)
		return -EINVAL;
	before = (void *)READ_ONCE(*(unsigned long *)slot);
	return write_slot(value ? value : (unsigned long)count);
}

/* These kernels do not preempt what runs in a module: a grace period waits for its first and last instructions. */
static void __exit sct_rival_exit(void)
{
	if (function) {
		unregister_ftrace_function(&diversion);
		forget_function();
	} else if (!value) {
		write_slot((unsigned long)before);
	}
	synchronize_rcu();
	while (atomic_read(&inside))
		msleep(20);
	synchronize_rcu();
}

module_init(sct_rival_init);
module_exit(sct_rival_exit);
MODULE_DESCRIPTION("Takes a system call");
MODULE_LICENSE("GPL");
