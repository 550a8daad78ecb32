/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where does a diverted call run on amd64?
 *
 * ftrace returns to these in place of the entry function.  The stack is as
 * that function had it: the return address to the dispatcher on top.  They
 * are reached, and the entry function is resumed, by return instructions:
 * behind its ftrace site it has no landing pad for an indirect branch.  BPF's
 * trampolines branch to them: they have pads of their own, since SYM_FUNC_START
 * lost its one (582077c94052, "x86/cfi: Clean up linkage", 6.15); elsewhere
 * these do nothing.
 */
#include <linux/linkage.h>
#include <asm/errno.h>
#include <asm/unwind_hints.h>
#include <asm/nospec-branch.h>

/* As in enum sct_next */
#define NEXT_SKIP 1
#define NEXT_AROUND 3
/* Of ax in struct pt_regs; x86/abi.c asserts it */
#define PT_REGS_AX 80

	.text

/* rdi: the caller's registers, where the call goes on in theirs.  It is made. */
SYM_FUNC_START(sct_diversion_pass)
	endbr64
	pushq	PT_REGS_AX(%rdi)
	movq	$-ENOSYS, PT_REGS_AX(%rdi)
	UNWIND_HINT_FUNC
	RET
SYM_FUNC_END(sct_diversion_pass)

/* rdi: the caller's registers, the result in theirs.  The call is not made. */
SYM_FUNC_START(sct_diversion_skip)
	endbr64
	movq	PT_REGS_AX(%rdi), %rax
	RET
SYM_FUNC_END(sct_diversion_skip)

/* Call what follows the entry function's ftrace site; rcx: its address. */
SYM_FUNC_START_LOCAL(sct_diversion_resume)
	pushq	%rcx
	UNWIND_HINT_FUNC
	RET
SYM_FUNC_END(sct_diversion_resume)

/*
 * rdi: the caller's registers.  A call that passes leaves no frame here, so
 * that one which sleeps for ever does not keep the module.
 */
SYM_FUNC_START(sct_diversion)
	endbr64
	pushq	$0			/* where the entry function goes on */
	pushq	%rdi
	leaq	8(%rsp), %rsi
	call	sct_diversion_enter
	popq	%rdi
	cmpq	$NEXT_SKIP, %rax
	je	.Lskip
	cmpq	$NEXT_AROUND, %rax
	je	.Laround
	UNWIND_HINT_FUNC
	RET
.Lskip:
	addq	$8, %rsp
	movq	%rdx, %rax
	RET
.Laround:
	popq	%rcx
	pushq	%rdx			/* the guest */
	call	sct_diversion_resume
	popq	%rdi
	movq	%rax, %rsi
	jmp	sct_diversion_leave
SYM_FUNC_END(sct_diversion)

/*
 * What stands in a slot of the system call table.  rdi: the caller's
 * registers.  A call that passes leaves no frame here either.
 */
SYM_FUNC_START(sct_table_entry)
	pushq	%rdi
	call	sct_table_arrive
	popq	%rdi
	testq	%rax, %rax
	jz	.Lresult
	pushq	%rax			/* the entry function */
	UNWIND_HINT_FUNC
	RET
.Lresult:
	movq	%rdx, %rax
	RET
SYM_FUNC_END(sct_table_entry)
