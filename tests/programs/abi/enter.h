/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * By which instructions can a program of this ABI enter the kernel?
 *
 * Each way makes the system call of call[0] with the arguments call[1] to
 * call[6] and returns what the kernel answers.  WAYS are those that there are:
 * name, function, and what is added to the number.
 */
#if defined(__i386__)

enum { NR_WRITE = 4, NR_EXIT = 1, BIT = 0, AT_SYSINFO = 32 };
#define own_way enter_int80

typedef unsigned int word;

#define ENTRY(name, instruction)                                                \
	asm(#name ":\n"                                                         \
	    "push %ebp\n push %ebx\n push %esi\n push %edi\n"                   \
	    "mov 20(%esp), %edi\n"                                              \
	    "mov 0(%edi), %eax\n mov 4(%edi), %ebx\n mov 8(%edi), %ecx\n"       \
	    "mov 12(%edi), %edx\n mov 16(%edi), %esi\n mov 24(%edi), %ebp\n"    \
	    "mov 20(%edi), %edi\n"                                              \
	    instruction "\n"                                                    \
	    "pop %edi\n pop %esi\n pop %ebx\n pop %ebp\n ret\n");               \
	long name(const word *call)

/*
 * Behind SYSENTER and SYSCALL the kernel returns into the vDSO, which pops
 * three registers and returns to who called this.
 */
#define FAST(name, instructions)                                                \
	asm(#name "_code:\n push %ecx\n push %edx\n push %ebp\n" instructions); \
	ENTRY(name, "call " #name "_code")

unsigned int vsyscall; /* __kernel_vsyscall, as AT_SYSINFO tells */

ENTRY(enter_int80, "int $0x80");
ENTRY(enter_vdso, "call *vsyscall");
FAST(enter_sysenter, "mov %esp, %ebp\n sysenter\n");
FAST(enter_syscall, "mov %ecx, %ebp\n syscall\n");

#define WAYS                                                                    \
	{ "int80", enter_int80, 0 }, { "sysenter", enter_sysenter, 0 },         \
	{ "syscall", enter_syscall, 0 }, { "vdso", enter_vdso, 0 }

asm(".globl _start\n_start:\n mov %esp, %eax\n and $-16, %esp\n sub $12, %esp\n push %eax\n call start\n");

#elif defined(__x86_64__)

enum { NR_WRITE = 1, NR_EXIT = 60 };
#define own_way enter_syscall

/* What tells x32's numbers from those of 64-bit programs. */
#ifdef __ILP32__
enum { BIT = 0x40000000 };
#else
enum { BIT = 0 };
#endif

typedef unsigned long long word;

asm("enter_int80:\n"
    "push %rbx\n push %rbp\n"
    "mov 0(%rdi), %rax\n mov 8(%rdi), %rbx\n mov 16(%rdi), %rcx\n"
    "mov 24(%rdi), %rdx\n mov 32(%rdi), %rsi\n mov 48(%rdi), %rbp\n"
    "mov 40(%rdi), %rdi\n"
    "int $0x80\n"
    "pop %rbp\n pop %rbx\n ret\n");
long enter_int80(const word *call);

asm("enter_syscall:\n"
    "mov 0(%rdi), %rax\n mov 16(%rdi), %rsi\n mov 24(%rdi), %rdx\n"
    "mov 32(%rdi), %r10\n mov 40(%rdi), %r8\n mov 48(%rdi), %r9\n"
    "mov 8(%rdi), %rdi\n"
    "syscall\n ret\n");
long enter_syscall(const word *call);

#define WAYS { "int80", enter_int80, 0 }, { "syscall", enter_syscall, BIT }

asm(".globl _start\n_start:\n mov %rsp, %rdi\n and $-16, %rsp\n call start\n");

#elif defined(__arm__)

enum { NR_WRITE = 4, NR_EXIT = 1, BIT = 0 };
#define own_way enter_arm

typedef unsigned int word;

/* With instructions of either set. */
#define ENTRY(name, set)                                                        \
	asm(".syntax unified\n" set "\n.type " #name ", %function\n" #name ":\n" \
	    "push {r4, r5, r6, r7, r8, lr}\n mov r8, r0\n"                     \
	    "ldr r7, [r8]\n ldr r0, [r8, #4]\n ldr r1, [r8, #8]\n"             \
	    "ldr r2, [r8, #12]\n ldr r3, [r8, #16]\n ldr r4, [r8, #20]\n"      \
	    "ldr r5, [r8, #24]\n"                                               \
	    "svc #0\n"                                                          \
	    "pop {r4, r5, r6, r7, r8, pc}\n");                                  \
	long name(const word *call)

ENTRY(enter_arm, ".arm");
ENTRY(enter_thumb, ".thumb\n.thumb_func");

#define WAYS { "arm", enter_arm, 0 }, { "thumb", enter_thumb, 0 }

asm(".arm\n.globl _start\n.type _start, %function\n_start:\n mov r0, sp\n bic r1, r0, #7\n mov sp, r1\n bl start\n");

#elif defined(__aarch64__)

enum { NR_WRITE = 64, NR_EXIT = 93, BIT = 0 };
#define own_way enter_svc

typedef unsigned long word;

asm("enter_svc:\n mov x9, x0\n"
    "ldr x8, [x9]\n ldp x0, x1, [x9, #8]\n ldp x2, x3, [x9, #24]\n ldp x4, x5, [x9, #40]\n"
    "svc #0\n ret\n");
long enter_svc(const word *call);

#define WAYS { "svc", enter_svc, 0 }

asm(".globl _start\n_start:\n mov x0, sp\n bl start\n");

#endif
