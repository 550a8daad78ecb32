// SPDX-License-Identifier: GPL-2.0-only
/* Another module that patches a slot of the system call table, as careless as they are. */
#include <linux/atomic.h>
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

static long (*before)(const struct pt_regs *regs);
static unsigned long hits;
module_param(hits, ulong, 0444);

static long count(const struct pt_regs *regs)
{
	WRITE_ONCE(hits, hits + 1);
	return before(regs);
}

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

static int __init sct_rival_init(void)
{
	if (!slot)
		return -EINVAL;
	before = (void *)READ_ONCE(*(unsigned long *)slot);
	return write_slot(value ? value : (unsigned long)count);
}

static void __exit sct_rival_exit(void)
{
	if (!value)
		write_slot((unsigned long)before);
	synchronize_rcu();
}

module_init(sct_rival_init);
module_exit(sct_rival_exit);
MODULE_DESCRIPTION("Patches a slot of the system call table");
MODULE_LICENSE("GPL");
