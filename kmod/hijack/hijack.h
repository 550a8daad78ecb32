/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of sct_hijack promise each other. */
#ifndef SCT_HIJACK_INTERNAL_H
#define SCT_HIJACK_INTERNAL_H

#include <linux/hashtable.h>
#include <linux/list.h>
#include <linux/percpu.h>
#include <linux/static_call.h>
#include "../compat.h"
#include "../sct_hijack.h"

/**
 * struct sct_site - a function that is or was diverted
 * @node: in the table that finds it by location, while attached; RCU
 * @list: in the list of all
 * @address: of its first instruction
 * @location: of the instruction that ftrace patches
 * @resume: where the function goes on behind it
 * @slot: of a call that it serves
 * @hook: what brings its calls to us, NULL if nothing does; points_lock
 * @wanted: by a point; points_lock
 *
 * Made when first wanted and kept until the module leaves, so that who met
 * one can keep the pointer.
 */
struct sct_site {
	struct hlist_node node;
	struct list_head list;
	unsigned long address;
	unsigned long location;
	unsigned long resume;
	unsigned int slot;
	struct sct_hook *hook;
	bool wanted;
};

/**
 * struct sct_gate - a system call of an ABI: the other side of a slot
 * @site: the function that serves it; it may serve others as well
 * @slot: see sct_slot()
 * @returns: false if the call may end its thread instead of returning
 * @hits: calls that arrived
 *
 * Kept as its site is.
 */
struct sct_gate {
	struct sct_site *site;
	unsigned int slot;
	bool returns;
	u64 __percpu *hits;
};

/* points.c */
#define SCT_SITE_BITS 10
extern struct hlist_head sct_sites_attached[1 << SCT_SITE_BITS];
extern struct sct_gate *sct_gates[SCT_SLOTS];
void sct_points_exit(void);

/* The attached site with this ftrace location, or NULL.  Preemption is off. */
static __always_inline struct sct_site *sct_site_find(unsigned long location)
{
	struct sct_site *site;

	hash_for_each_possible_rcu_notrace(sct_sites_attached, site, node, location) {
		if (likely(site->location == location))
			return site;
	}
	return NULL;
}

/*
 * The gate through which a call came to a site, or NULL if no rule named it
 * yet.  A function serves several calls: the caller's registers tell which.
 */
static __always_inline struct sct_gate *sct_gate_find(const struct sct_site *site,
						      const struct pt_regs *caller)
{
	struct sct_gate *gate = READ_ONCE(sct_gates[sct_caller_slot(caller, site->slot)]);

	return likely(gate && gate->site == site) ? gate : NULL;
}

/* symbols.c */
unsigned long sct_symbol_address(const char *name);

/* ftrace.c */
struct sct_hook *sct_ftrace_attach(unsigned long *locations, unsigned int count);
int sct_ftrace_detach(struct sct_hook *hook, unsigned long *locations, unsigned int count);
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
struct sct_guest *sct_guest_admit(const struct sct_gate *gate);
void sct_guest_dismiss(struct sct_guest *guest);

/**
 * struct sct_guest - a thread inside a diverted call
 *
 * Allocated, not on the thread's stack: a thread that dies in the call would
 * leave the list with a dangling member.
 */
struct sct_guest {
	struct list_head node;
	const struct sct_gate *gate;
	void *cookie;
	u64 since; /* ktime_get_ns() */
	u32 pid, tid;
	char comm[16];
};

/* x86/abi.c, x86/diversion.S */
long sct_arch_entry(unsigned int abi, unsigned int nr);
unsigned long sct_arch_location(unsigned long entry);
bool sct_arch_returns(unsigned int abi, unsigned int nr);

/*
 * Entered in place of the call, with its one argument, the caller's registers,
 * where it was; what sct_caller_put() left there says what to do: the result
 * to return, or the slot of the diverted call.  Nothing else is sure to
 * survive the way from the callback: BPF's trampolines restore no more.
 */
void sct_diversion_skip(void);
void sct_diversion(void);

/* What sct_diversion does next, in two registers. */
struct sct_way {
	unsigned long next; /* enum sct_next */
	unsigned long value; /* the result to skip with, or the guest to go around with */
};

struct sct_way sct_diversion_enter(struct pt_regs *regs, unsigned long *resume);
long sct_diversion_leave(struct sct_guest *guest, long result);

#endif
