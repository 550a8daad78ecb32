// SPDX-License-Identifier: GPL-2.0-only
/*
 * sct_hijack: finds, diverts and gives back system calls, and knows nothing of
 * why.  Its client does: see sct_hijack.h.
 *
 *   hijack/points.c     which system calls are diverted
 *   hijack/proof.c      by which mechanism
 *   hijack/sites.c      which places that takes, and whether they are still ours
 *   hijack/table.c      the system call table as a mechanism
 *   hijack/ftrace.c     ftrace as one
 *   hijack/kprobe.c     kprobes as one
 *   hijack/divert.c     what happens to a call that needs more than a glance
 *   hijack/callers.c    who is inside
 *   hijack/symbols.c    where a symbol of the kernel is
 *   hijack/x86/         the ABIs of amd64 and the way into a diverted call
 *   hijack/arm64/       the same of arm64
 */
#include <linux/module.h>
#include "hijack/hijack.h"

static int __init sct_hijack_init(void)
{
	sct_callers_init();
	return sct_proof_init();
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
