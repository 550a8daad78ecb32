// SPDX-License-Identifier: GPL-2.0-only
/*
 * sct_hijack: finds, diverts and gives back system calls, and knows nothing of
 * why.  Its client does: see sct_hijack.h.
 *
 *   hijack/points.c     which system calls are diverted
 *   hijack/ftrace.c     how ftrace brings a call to us
 *   hijack/divert.c     what happens to a call that needs more than a glance
 *   hijack/callers.c    who is inside
 *   hijack/symbols.c    where a symbol of the kernel is
 *   hijack/x86/         the ABIs of amd64 and the way into a diverted call
 */
#include <linux/module.h>
#include "hijack/hijack.h"

static int __init sct_hijack_init(void)
{
	sct_callers_init();
	return 0;
}

/* No client is left, or this module would be in use; its last calls may be on their way out. */
static void __exit sct_hijack_exit(void)
{
	sct_divert_drain();
	sct_points_exit();
}

module_init(sct_hijack_init);
module_exit(sct_hijack_exit);

MODULE_DESCRIPTION("diverts system calls");
MODULE_LICENSE("GPL");
