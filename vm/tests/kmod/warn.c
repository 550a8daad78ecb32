// SPDX-License-Identifier: GPL-2.0-only
/* Does a warning of the kernel's end a run? Loading this module causes one. */
#include <linux/module.h>

static int __init sct_warn_init(void)
{
	WARN(1, "sct_warn: loaded\n");
	return 0;
}

static void __exit sct_warn_exit(void)
{
}

module_init(sct_warn_init);
module_exit(sct_warn_exit);
MODULE_DESCRIPTION("Warns when it is loaded");
MODULE_LICENSE("GPL");
