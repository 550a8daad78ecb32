/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * All that differs between kernels and architectures.  Code is written for the
 * newest kernel; what others lack or name otherwise is made up for here, one
 * block for each feature, found by the feature itself where it can be, with
 * the change that made the difference.
 */
#ifndef SCT_COMPAT_H
#define SCT_COMPAT_H

#include <linux/ftrace.h>
#include <linux/ring_buffer.h>
#include <linux/trace_clock.h>
#include <linux/version.h>

/*
 * The registers that an ftrace callback may read and change.  On amd64 the
 * trampoline gives back rax and the argument registers as it finds them, with
 * and without FTRACE_OPS_FL_SAVE_REGS (02a474ca266a, "ftrace/x86: Allow for
 * arguments to be passed in to ftrace_regs by default", 5.11).
 */
#ifdef CONFIG_X86_64
#include <asm/ibt.h>

static __always_inline const struct pt_regs *sct_fregs_caller(struct ftrace_regs *fregs)
{
	return (const struct pt_regs *)fregs->regs.di;
}

static __always_inline void sct_fregs_skip(struct ftrace_regs *fregs, void (*to)(void), long result)
{
	fregs->regs.ax = result;
	fregs->regs.ip = (unsigned long)to;
}

static __always_inline void sct_fregs_divert(struct ftrace_regs *fregs, void (*to)(void),
					     const void *site)
{
	fregs->regs.si = (unsigned long)site;
	fregs->regs.dx = fregs->regs.ip;
	fregs->regs.ip = (unsigned long)to;
}

/* The registers in which a caller passes its arguments. */
static __always_inline void sct_caller_args(const struct pt_regs *regs, u64 args[6])
{
	args[0] = regs->di;
	args[1] = regs->si;
	args[2] = regs->dx;
	args[3] = regs->r10;
	args[4] = regs->r8;
	args[5] = regs->r9;
}
#endif

/*
 * ring_buffer_unlock_commit() was given the event as well until 04aabc32fb20
 * ("ring_buffer: Remove unused "event" parameter", 6.2).
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 2, 0)
#define sct_ring_commit(ring, event) ring_buffer_unlock_commit(ring, event)
#else
#define sct_ring_commit(ring, event) ((void)(event), ring_buffer_unlock_commit(ring))
#endif

#endif
