/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of sct_hijack promise each other. */
#ifndef SCT_HIJACK_INTERNAL_H
#define SCT_HIJACK_INTERNAL_H

#include <linux/hashtable.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/percpu.h>
#include <linux/static_call.h>
#include "../compat.h"
#include "../sct_hijack.h"

struct sct_mechanism;
struct sct_probe;

/**
 * struct sct_hook - sites that were attached together
 * @count: how many of them still are
 *
 * A mechanism adds what it needs behind it.
 */
struct sct_hook {
	unsigned int count;
};

/**
 * struct sct_site - a place through which calls come to us, or did
 * @node: in the table that finds it by location, while attached; RCU
 * @list: in the list of all
 * @by: the mechanism
 * @address: of the entry function
 * @location: of what the mechanism changes: an instruction, or a slot of a table
 * @resume: where a call goes on that was diverted
 * @before: of the table mechanism, what stood in the slot
 * @slot: of a call that it serves
 * @hook: what brings its calls to us, NULL if nothing does
 * @probe: of the kprobe mechanism, while attached
 * @state: SCT_POINT_*, as last seen
 * @wanted: by a point
 * @pins: it cannot be given back and so keeps this module
 *
 * Made when first wanted and kept until the module leaves, so that who met
 * one can keep the pointer.  Changed under sct_points_lock.
 */
struct sct_site {
	struct hlist_node node;
	struct list_head list;
	const struct sct_mechanism *by;
	unsigned long address;
	unsigned long location;
	unsigned long resume;
	unsigned long before;
	unsigned int slot;
	struct sct_hook *hook;
	struct sct_probe *probe;
	u16 state;
	bool wanted;
	bool pins;
};

/**
 * struct sct_mechanism - a way to bring calls to us
 * @number: SCT_MECHANISM_*
 * @per_call: its sites serve one call each, not a function that several share
 * @locate: fill in location and resume of a new site.
 *	Return: 0, or -EOPNOTSUPP if this cannot be done for the call.
 * @attach: bring the calls of @count sites, at least one, to us, and note that
 *	with sct_sites_hook().
 *	Return: 0; -EINVAL for a place that cannot be changed, -EBUSY if somebody
 *	else holds one, -ENODEV if it is switched off, -ENOMEM.  Then none is
 *	attached, or, if @per_call, those before the first that cannot be.
 * @detach: give @count sites of a hook back, and note that with
 *	sct_sites_unhook(); the hook is gone with its last one.  Of those given
 *	back no call arrives any more.
 *	Return: 0; -ENOMEM, and then all are still attached, which does not happen
 *	if these are all sites of the hook; -EBUSY if some cannot be given back
 *	now, as somebody else stands before us, and then these still are.
 * @state: SCT_POINT_HOLDS, _LOST or _COVERED
 *
 * Called under sct_points_lock; may sleep.
 */
struct sct_mechanism {
	u16 number;
	bool per_call;
	int (*locate)(struct sct_site *site);
	int (*attach)(struct sct_site **sites, unsigned int count);
	int (*detach)(struct sct_hook *hook, struct sct_site **sites, unsigned int count);
	u16 (*state)(const struct sct_site *site);
};

/* By number; NULL for those that these modules do not have on this architecture. */
extern const struct sct_mechanism *const sct_mechanisms[SCT_MECHANISMS];
extern const struct sct_mechanism sct_table, sct_ftrace, sct_kprobe;

/**
 * struct sct_gate - a system call of an ABI: the other side of a slot
 * @site: through which it comes; it may serve others as well
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
extern struct mutex sct_points_lock;
extern struct sct_gate *sct_gates[SCT_SLOTS];
int sct_gate_set(unsigned int slot, struct sct_site *site);
void sct_gate_settle(unsigned int slot);
u64 sct_gate_hits(const struct sct_gate *gate);
void sct_points_settle(void);
void sct_points_exit(void);

/* sites.c */
#define SCT_SITE_BITS 10
extern struct hlist_head sct_sites_attached[1 << SCT_SITE_BITS];
extern struct list_head sct_sites;
struct sct_site *sct_site_get(const struct sct_mechanism *by, unsigned int slot,
			      unsigned long address);
void sct_sites_hook(struct sct_hook *hook, struct sct_site **sites, unsigned int count);
void sct_sites_unhook(struct sct_hook *hook, struct sct_site **sites, unsigned int count);
int sct_sites_attach_wanted(struct sct_site **culprit);
void sct_sites_detach_unwanted(void);
void sct_sites_watch(void);
void sct_sites_exit(void);

/* proof.c */
const struct sct_mechanism *sct_proof_choose(unsigned int abi, unsigned int after, int *error);
bool sct_proof_works(unsigned int abi, const struct sct_mechanism *by);
int sct_proof_init(void);

/*
 * The site that a mechanism has attached at a location, or NULL: another one may
 * have the same location, for another ABI.  Preemption is off.
 */
static __always_inline struct sct_site *sct_site_find(const struct sct_mechanism *by,
						      unsigned long location)
{
	struct sct_site *site;

	hash_for_each_possible_rcu_notrace(sct_sites_attached, site, node, location) {
		if (likely(site->location == location && site->by == by))
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
bool sct_symbol_is_foreign(unsigned long address);

/* kprobe.c */
void sct_kprobe_let_pass(struct pt_regs *caller);

/* divert.c */
enum sct_next sct_nobody(unsigned int slot, const struct pt_regs *regs, long *result);
/* The client's enter, called without a pointer: it stands on the path of every call. */
DECLARE_STATIC_CALL(sct_enter, sct_nobody);
bool sct_divert_begin(void);
bool sct_divert_idle(void);
void sct_divert_drain(void);
void sct_client_tell(const struct sct_site *site);

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

/* <arch>/abi.c */
long sct_arch_entry(unsigned int abi, unsigned int nr);
bool sct_arch_is_entry(unsigned int abi, unsigned int nr, unsigned long address);
unsigned long *sct_arch_table_slot(unsigned int abi, unsigned int nr);
enum sct_ending sct_arch_ending(unsigned int abi, unsigned int nr);
int sct_arch_locate(struct sct_site *site);

/* What a diverted call does next, in two registers. */
struct sct_way {
	unsigned long next; /* enum sct_next */
	unsigned long value; /* the result to skip with, or the guest to go around with */
};

struct sct_way sct_divert(const struct sct_gate *gate, struct pt_regs *regs);
long sct_diversion_leave(struct sct_guest *guest, long result);

/*
 * <arch>/diversion.S
 *
 * Entered in place of the call, with its one argument, the caller's registers,
 * where it was; what sct_caller_put() left there says what to do: where the
 * call goes on, the result to return, or the slot of the diverted call.
 * Nothing else is sure to survive the way from the callback: BPF's trampolines
 * restore no more.
 */
void sct_diversion_pass(void);
void sct_diversion_skip(void);
void sct_diversion(void);
struct sct_way sct_diversion_enter(struct pt_regs *regs, unsigned long *resume);

/* What stands in a slot of a table in place of the entry function. */
void sct_table_entry(void);

/* What sct_table_entry does next, in two registers. */
struct sct_turn {
	unsigned long to; /* the function to go on with; 0: return */
	unsigned long result;
};

struct sct_turn sct_table_arrive(struct pt_regs *caller);

#endif
