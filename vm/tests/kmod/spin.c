// SPDX-License-Identifier: GPL-2.0-only
/* Does a processor that is stuck end a run? Loading this module never ends. */
#include <linux/module.h>
#include <linux/preempt.h>
#include <asm/processor.h>

static int __init sct_spin_init(void)
{
	preempt_disable();
	for (;;)
		cpu_relax();
	return 0;
}

static void __exit sct_spin_exit(void)
{
}

module_init(sct_spin_init);
module_exit(sct_spin_exit);
MODULE_DESCRIPTION("Never lets go of its processor");
MODULE_LICENSE("GPL");
