/* SPDX-License-Identifier: GPL-2.0-only */
/* What stands in a slot of the system call table on arm64? */
#include <linux/linkage.h>
#include <asm/assembler.h>

	.text

/*
 * x0: the caller's registers.  A call that passes leaves no frame here, so
 * that one which sleeps for ever does not keep the module.
 */
SYM_FUNC_START(sct_table_entry)
	stp	x29, x30, [sp, #-32]!
	mov	x29, sp
	str	x0, [sp, #16]
	bl	sct_table_arrive
	mov	x16, x0			/* the entry function */
	ldr	x0, [sp, #16]
	ldp	x29, x30, [sp], #32
	cbz	x16, .Lresult
	br	x16
.Lresult:
	mov	x0, x1
	ret
SYM_FUNC_END(sct_table_entry)
