/* SPDX-License-Identifier: GPL-2.0-only */
/* What sct_hijack does for a client: divert system calls, and give them back. */
#ifndef SCT_HIJACK_H
#define SCT_HIJACK_H

#include <linux/bitmap.h>
#include <linux/module.h>
#include <linux/ptrace.h>
#include "sct_abi.h"

/* Numbers are below 548 in every ABI: a slot is an ABI's number and a call's. */
#define SCT_NR_BITS 10
#define SCT_SLOTS (SCT_ABIS << SCT_NR_BITS)
#define sct_slot(abi, nr) ((abi) << SCT_NR_BITS | (nr))
#define sct_slot_abi(slot) ((slot) >> SCT_NR_BITS)
#define sct_slot_nr(slot) ((slot) & ((1U << SCT_NR_BITS) - 1))

/**
 * enum sct_next - what becomes of a call that reached a point
 * @SCT_NEXT_PASS: it goes on as if nobody had looked
 * @SCT_NEXT_SKIP: it is not made and returns the result that was set
 * @SCT_NEXT_DIVERT: ask again in ordinary task context (from enter only)
 * @SCT_NEXT_AROUND: it is made, and leave is called with its result (from
 *	enter_task only)
 */
enum sct_next {
	SCT_NEXT_PASS,
	SCT_NEXT_SKIP,
	SCT_NEXT_DIVERT,
	SCT_NEXT_AROUND,
};

/**
 * struct sct_client - who judges the calls that arrive
 * @owner: pinned while a call is diverted, so that it cannot be unloaded
 * @enter: judges a call as it enters.  Preemption is off and it must not
 *	sleep; in turn it costs least.  May set @result for SCT_NEXT_SKIP.
 * @enter_task: the same in the context of the calling task, which may sleep.
 *	With SCT_NEXT_AROUND it may leave a @cookie for @leave.
 * @leave: gets the result of the call and returns what the caller shall see.
 *	May sleep.  Must release what @cookie holds.
 * @abandon: the call passes after all, for want of memory: called in place of
 *	@leave to release what @cookie holds
 * @moved: a point, which stands for all that share its place, is doing better
 *	or worse than it did: SCT_POINT_*.  May sleep.
 *
 * A point can be met right after sct_points_add() began and until
 * sct_points_keep() returned.  @slot names it: see sct_slot().  @regs are the
 * caller's registers, which the call itself may change (execve does).
 */
struct sct_client {
	struct module *owner;
	enum sct_next (*enter)(unsigned int slot, const struct pt_regs *regs, long *result);
	enum sct_next (*enter_task)(unsigned int slot, const struct pt_regs *regs, long *result,
				    void **cookie);
	long (*leave)(unsigned int slot, void *cookie, long result);
	void (*abandon)(unsigned int slot, void *cookie);
	void (*moved)(unsigned int slot, u16 mechanism, u16 state);
};

/**
 * enum sct_ending - how a call ends
 * @SCT_ENDING_RETURNS: it returns to its caller
 * @SCT_ENDING_PERHAPS: it may end its thread: it cannot be gone around, since
 *	nothing may be left behind on that thread's stack
 * @SCT_ENDING_NEVER: it ends its thread: it cannot be skipped either.  What
 *	calls it has been compiled for that, and goes on with the code of another
 *	call if it returns: 9142be9e6443 ("x86/syscall: Mark exit[_group] syscall
 *	handlers __noreturn", 6.11)
 */
enum sct_ending { SCT_ENDING_RETURNS, SCT_ENDING_PERHAPS, SCT_ENDING_NEVER };

int sct_client_register(const struct sct_client *client);
void sct_client_unregister(const struct sct_client *client);

enum sct_ending sct_point_ending(unsigned int slot);
int sct_points_find(unsigned long *wanted, const unsigned long *calls, const unsigned long *abis,
		    struct sct_error *error);
int sct_points_add(const unsigned long *wanted, struct sct_error *error);
void sct_points_keep(const unsigned long *wanted);
int sct_points_list(struct sct_point *list, unsigned int first, unsigned int count,
		    unsigned int *total);
int sct_prove(struct sct_prove *prove);
int sct_proof_list(struct sct_proof *list, unsigned int first, unsigned int count,
		   unsigned int *total);
int sct_callers_list(struct sct_caller *list, unsigned int first, unsigned int count,
		     unsigned int *total);

#endif
