/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * All that differs between kernels and architectures.  Code is written for the
 * newest kernel; what others lack or name otherwise is made up for here, one
 * block for each feature, found by the feature itself where it can be, with
 * the change that made the difference.
 */
#ifndef SCT_COMPAT_H
#define SCT_COMPAT_H

#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/fs.h>
#include <linux/ftrace.h>
#include <linux/nospec.h>
#include <linux/ns_common.h>
#include <linux/nsproxy.h>
#include <linux/ring_buffer.h>
#include <linux/trace_clock.h>
#include <linux/version.h>
#include "sct_hijack.h"

#ifdef CONFIG_X86_64
#include <asm/compat.h>
#include <asm/unistd.h>

/*
 * Landing pads for indirect branches (ENDBR): 156ff4a544ae ("x86/ibt: Base IBT
 * bits", 5.18).  One that the kernel sealed, since nothing branches there, is
 * a poisoned one.  Does the processor fault where there is none?
 */
#ifdef CONFIG_X86_KERNEL_IBT
#include <asm/cpufeature.h>
#include <asm/ibt.h>
#define sct_is_landing_pad(insn) ((insn) == gen_endbr() || (insn) == gen_endbr_poison())
#define sct_landing_pads_needed() cpu_feature_enabled(X86_FEATURE_IBT)
#else
#define sct_is_landing_pad(insn) ((void)(insn), false)
#define sct_landing_pads_needed() false
#endif

/*
 * How many calls an ABI has: made with the other offsets, until 3cba325b358f
 * ("x86/syscalls: Switch to generic syscalltbl.sh", 5.13) generated it with the
 * numbers.
 */
#ifndef __NR_syscalls
#include <asm/asm-offsets.h>
#endif

/*
 * The registers that an ftrace callback may read and change.  On amd64 the
 * trampoline goes on where the callback says, with and without
 * FTRACE_OPS_FL_SAVE_REGS (02a474ca266a, "ftrace/x86: Allow for arguments to
 * be passed in to ftrace_regs by default", 5.11); before that only with, and a
 * callback had to say that it needs no protection from recursion, which it
 * has to ask for since a25d036d939a (5.11).  They are behind a macro since
 * 7888af4166d4 ("ftrace: Make ftrace_regs abstract from direct use", 6.13,
 * back-ported).
 */
#define SCT_FTRACE_FLAGS_ALWAYS (FTRACE_OPS_FL_IPMODIFY | FTRACE_OPS_FL_PERMANENT)
#ifndef CONFIG_HAVE_DYNAMIC_FTRACE_WITH_ARGS
#define SCT_FTRACE_FLAGS \
	(SCT_FTRACE_FLAGS_ALWAYS | FTRACE_OPS_FL_SAVE_REGS | FTRACE_OPS_FL_RECURSION_SAFE)
#define ftrace_regs pt_regs
#define sct_fregs(fregs) (fregs)
#else
#define SCT_FTRACE_FLAGS SCT_FTRACE_FLAGS_ALWAYS
#ifdef arch_ftrace_regs
#define sct_fregs(fregs) (&arch_ftrace_regs(fregs)->regs)
#else
#define sct_fregs(fregs) (&(fregs)->regs)
#endif
#endif

/* The first byte of what ftrace and kprobes patch in: CALL, INT3, or JMP. */
#define sct_is_patch(first) ((first) == 0xe8 || (first) == 0xcc || (first) == 0xe9)

/* At an entry function: its one argument, the caller's registers. */
static __always_inline struct pt_regs *sct_regs_caller(struct pt_regs *regs)
{
	return (struct pt_regs *)regs->di;
}

static __always_inline struct pt_regs *sct_fregs_caller(struct ftrace_regs *fregs)
{
	return sct_regs_caller(sct_fregs(fregs));
}

static __always_inline void sct_fregs_go(struct ftrace_regs *fregs, void *to)
{
	sct_fregs(fregs)->ip = (unsigned long)to;
}

/*
 * A word for the diversion, in the caller's result register: until the call
 * returns it holds -ENOSYS and nobody looks at it.
 */
static __always_inline void sct_caller_put(struct pt_regs *caller, long word)
{
	caller->ax = word;
}

static __always_inline long sct_caller_peek(const struct pt_regs *caller)
{
	return caller->ax;
}

static __always_inline long sct_caller_take(struct pt_regs *caller)
{
	long word = caller->ax;

	caller->ax = -ENOSYS;
	return word;
}

/* Where a function goes on behind its ftrace site. */
static __always_inline unsigned long sct_site_resume(unsigned long location)
{
	return location + MCOUNT_INSN_SIZE;
}

/* Is this one of the calls that are restarted by going back to the instruction that made it? */
static __always_inline bool sct_caller_can_restart(const struct pt_regs *caller)
{
	/*
	 * The emulated calls of the vsyscall page, whose number is -1, were not
	 * made by one.  The upper half is what the caller left there.
	 */
	return (int)caller->orig_ax >= 0;
}

static __always_inline unsigned long sct_caller_stack(const struct pt_regs *caller)
{
	return caller->sp;
}

/*
 * Did a caller make a system call?  Where the vsyscall page is emulated (boot
 * parameter vsyscall=) a page fault calls entry functions too, with registers
 * that have no number.  It takes a result of -EFAULT for a fault of its own,
 * with a signal on its way, and until v6.10 it turns each fault met meanwhile
 * into one.
 */
static __always_inline bool sct_caller_is_call(const struct pt_regs *caller)
{
	return (int)caller->orig_ax >= 0;
}

/* The slot of the call that a caller makes; @otherwise if its registers do not say. */
static __always_inline unsigned int sct_caller_slot(const struct pt_regs *caller,
						    unsigned int otherwise)
{
	unsigned int nr = caller->orig_ax, abi = SCT_ABI_X86_64;

	if (in_ia32_syscall()) {
		abi = SCT_ABI_I386;
	} else if (nr & __X32_SYSCALL_BIT) {
		abi = SCT_ABI_X32;
		nr &= ~__X32_SYSCALL_BIT;
	}
	if (unlikely(nr >> SCT_NR_BITS))
		return otherwise;
	/* It was read again, from memory: the dispatcher's own check does not bound it. */
	return sct_slot(abi, array_index_nospec(nr, 1U << SCT_NR_BITS));
}

/* The registers in which a caller of an ABI passes its arguments. */
static __always_inline void sct_caller_args(const struct pt_regs *caller, unsigned int abi,
					    u64 args[6])
{
	if (unlikely(abi == SCT_ABI_I386)) {
		args[0] = (u32)caller->bx;
		args[1] = (u32)caller->cx;
		args[2] = (u32)caller->dx;
		args[3] = (u32)caller->si;
		args[4] = (u32)caller->di;
		args[5] = (u32)caller->bp;
		return;
	}
	args[0] = caller->di;
	args[1] = caller->si;
	args[2] = caller->dx;
	args[3] = caller->r10;
	args[4] = caller->r8;
	args[5] = caller->r9;
}
#endif

#ifdef CONFIG_ARM64
#include <asm/compat.h>
#include <asm/unistd.h>

/*
 * How many aarch32 calls there are: named __NR_compat32_syscalls since
 * 5f8ba3d5bcd8 ("arm64: generate 64-bit syscall.tbl", 6.11).
 */
#ifndef CONFIG_COMPAT
#define SCT_COMPAT_SYSCALLS 0
#elif defined(__NR_compat32_syscalls)
#define SCT_COMPAT_SYSCALLS __NR_compat32_syscalls
#else
#define SCT_COMPAT_SYSCALLS __NR_compat_syscalls
#endif

/* Is this one of the calls that are restarted by going back to the instruction that made it? */
static __always_inline bool sct_caller_can_restart(const struct pt_regs *caller)
{
	return true;
}

static __always_inline unsigned long sct_caller_stack(const struct pt_regs *caller)
{
	return compat_user_mode(caller) ? caller->compat_sp : caller->sp;
}

/* The slot of the call that a caller makes; @otherwise if its registers do not say. */
static __always_inline unsigned int sct_caller_slot(const struct pt_regs *caller,
						    unsigned int otherwise)
{
	unsigned int nr = caller->syscallno;
	unsigned int abi = compat_user_mode(caller) ? SCT_ABI_AARCH32 : SCT_ABI_AARCH64;

	if (unlikely(nr >> SCT_NR_BITS))
		return otherwise;
	/* It was read again, from memory: the dispatcher's own check does not bound it. */
	return sct_slot(abi, array_index_nospec(nr, 1U << SCT_NR_BITS));
}

/* The registers in which a caller of an ABI passes its arguments. */
static __always_inline void sct_caller_args(const struct pt_regs *caller, unsigned int abi,
					    u64 args[6])
{
	unsigned int i;

	for (i = 0; i < 6; i++)
		args[i] = abi == SCT_ABI_AARCH32 ? (u32)caller->regs[i] : caller->regs[i];
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

/* ftrace_set_filter_ips() came with 4f554e955614 ("ftrace: Add ftrace_set_filter_ips function", 5.17). */
#if LINUX_VERSION_CODE < KERNEL_VERSION(5, 17, 0)
static inline int sct_ftrace_set_filter(struct ftrace_ops *ops, unsigned long *locations,
					unsigned int count, bool remove)
{
	unsigned int i;
	int error = 0;

	for (i = 0; i < count && !error; i++) {
		error = ftrace_set_filter_ip(ops, locations[i], remove, 0);
		/* Taken out by an attempt that then failed for another one. */
		if (remove && error == -ENOENT)
			error = 0;
	}
	return error;
}
#else
#define sct_ftrace_set_filter(ops, locations, count, remove) \
	ftrace_set_filter_ips(ops, locations, count, remove, 0)
#endif

/*
 * ftrace_free_filter() is exported since 8be9fbd5345d ("ftrace: Export
 * ftrace_free_filter() to modules", 6.2, back-ported to 6.1).  A filter that is
 * reset to an empty one holds nothing either.
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 1, 0)
#define sct_ftrace_free_filter(ops) ftrace_set_filter(ops, NULL, 0, 1)
#else
#define sct_ftrace_free_filter(ops) ftrace_free_filter(ops)
#endif

/*
 * A reference to a file that somebody may take away from its place; NULL if
 * there is none.  By the place since 0ede61d8589c ("file: convert to
 * SLAB_TYPESAFE_BY_RCU", 6.7), until then a macro that took the file.
 */
#ifdef get_file_rcu
static inline struct file *sct_file_get(struct file __rcu **place)
{
	struct file *file = rcu_dereference(*place);

	return file && get_file_rcu(file) ? file : NULL;
}
#else
#define sct_file_get(place) get_file_rcu(place)
#endif

/* A set of capabilities is one number since f122a08b197d ("capability: just use a 'u64' instead", 6.3). */
#ifdef _KERNEL_CAPABILITY_U32S
#define sct_caps(set) ((s64)((u64)(set).cap[1] << 32 | (set).cap[0]))
#else
#define sct_caps(set) ((s64)(set).val)
#endif

/*
 * A lookup that does not leave a directory: exported by all kernels, but on 5.10
 * and 6.1 declared where modules do not see it, in fs/internal.h.
 */
int vfs_path_lookup(struct dentry *dentry, struct vfsmount *mnt, const char *name,
		    unsigned int flags, struct path *path);

/*
 * What all namespaces have in common, of a mount namespace, which is declared
 * where modules do not see it: its first member since 1a7b8969e664 ("mnt: Use
 * generic ns_common::count", 5.11), behind a counter until then.
 */
static inline const struct ns_common *sct_mount_namespace(const struct nsproxy *proxy)
{
	struct mount_namespace_head {
#if LINUX_VERSION_CODE < KERNEL_VERSION(5, 11, 0)
		atomic_t count;
#endif
		struct ns_common ns;
	};

	return &((const struct mount_namespace_head *)proxy->mnt_ns)->ns;
}

#endif
