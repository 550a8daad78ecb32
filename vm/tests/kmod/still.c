// SPDX-License-Identifier: GPL-2.0-only
/* Are modules built for the kernel that they are loaded into? This one comes and goes without a word. */
#include <linux/module.h>

static int __init sct_still_init(void)
{
	return 0;
}

static void __exit sct_still_exit(void)
{
}

module_init(sct_still_init);
module_exit(sct_still_exit);
MODULE_DESCRIPTION("Does nothing");
MODULE_LICENSE("GPL");
