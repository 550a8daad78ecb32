/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of sct_hijack promise each other. */
#ifndef SCT_HIJACK_INTERNAL_H
#define SCT_HIJACK_INTERNAL_H

#include <linux/list.h>
#include <linux/percpu.h>
#include <linux/static_call.h>
#include "../sct_hijack.h"

/**
 * struct sct_site - a system call that can be or is diverted
 * @node: in the table that finds it by address, while attached; RCU
 * @address: of the entry function's first instruction
 * @location: of the instruction that ftrace patches
 * @slot: see sct_slot()
 * @returns: false if the call may end its thread instead of returning
 * @attached: protected by points_lock
 * @hits: calls that arrived
 *
 * Made when first wanted and kept until the module leaves, so that who met
 * one can keep the pointer.
 */
struct sct_site {
	struct hlist_node node;
	unsigned long address;
	unsigned long location;
	unsigned int slot;
	bool returns;
	bool attached;
	u64 __percpu *hits;
};

/* points.c */
struct sct_site *sct_site_find(unsigned long location);
void sct_points_exit(void);

/* symbols.c */
unsigned long sct_symbol_address(const char *name);

/* ftrace.c */
int sct_ftrace_attach(unsigned long *locations, unsigned int count);
void sct_ftrace_detach(unsigned long *locations, unsigned int count);
bool sct_ftrace_enabled(void);

/* divert.c */
enum sct_next sct_nobody(unsigned int slot, const struct pt_regs *regs, long *result);
/* The client's enter, called without a pointer: it stands on the path of every call. */
DECLARE_STATIC_CALL(sct_enter, sct_nobody);
bool sct_divert_begin(void);
void sct_divert_drain(void);

/* callers.c */
struct sct_guest;
void sct_callers_init(void);
struct sct_guest *sct_guest_admit(const struct sct_site *site);
void sct_guest_dismiss(struct sct_guest *guest);

/**
 * struct sct_guest - a thread inside a diverted call
 *
 * Allocated, not on the thread's stack: a thread that dies in the call would
 * leave the list with a dangling member.
 */
struct sct_guest {
	struct list_head node;
	const struct sct_site *site;
	void *cookie;
	u64 since; /* ktime_get_ns() */
	u32 pid, tid;
	char comm[16];
};

/* arch: x86/abi.c, x86/diversion.S */
long sct_arch_entry(unsigned int abi, unsigned int nr);
unsigned long sct_arch_location(unsigned long entry);
bool sct_arch_returns(unsigned int abi, unsigned int nr);

/* Entered instead of the call: the result stands in the result register. */
void sct_diversion_skip(void);
/* Entered instead of the call: registers as sct_fregs_divert() sets them. */
void sct_diversion(void);

/* What sct_diversion does next, in two registers. */
struct sct_way {
	unsigned long next; /* enum sct_next */
	unsigned long value; /* the result to skip with, or the guest to go around with */
};

struct sct_way sct_diversion_enter(const struct pt_regs *regs, const struct sct_site *site);
long sct_diversion_leave(struct sct_guest *guest, long result);

#endif
