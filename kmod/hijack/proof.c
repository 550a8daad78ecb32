// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which mechanism brings the calls of an ABI to us?
 *
 * That something can be patched does not say that anybody runs it: on kernels
 * that no longer read sys_call_table[] its slots can be written to no effect.
 * So a mechanism is trusted for an ABI only when a real call has arrived.  A
 * process has to make it: a harmless one, between two requests.
 */
#include <linux/err.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/mutex.h>
#include <linux/string.h>
#include "hijack.h"

static char *mechanism = "";
module_param(mechanism, charp, 0444);
MODULE_PARM_DESC(mechanism, "table, ftrace or kprobe: use no other (default: the first that works)");

static const char *const names[SCT_MECHANISMS] = {
	[SCT_MECHANISM_TABLE] = "table",
	[SCT_MECHANISM_FTRACE] = "ftrace",
	[SCT_MECHANISM_KPROBE] = "kprobe",
};

/* SCT_PROOF_*; sct_points_lock */
static u8 proofs[SCT_ABIS][SCT_MECHANISMS];

/* The trial that has begun; sct_points_lock */
static struct {
	struct sct_site *site; /* NULL if none */
	unsigned int slot;
	u64 hits;
} trial;

static bool is_allowed(unsigned int number)
{
	return !*mechanism || !strcmp(mechanism, names[number]);
}

/** sct_proof_works() - does a mechanism bring the calls of an ABI? */
bool sct_proof_works(unsigned int abi, const struct sct_mechanism *by)
{
	return proofs[abi][by->number] == SCT_PROOF_WORKS && is_allowed(by->number);
}

/* Of an ABI for which no mechanism works: -ENXIO, -EPROTO or -EOPNOTSUPP. */
static int why_none(unsigned int abi)
{
	bool untried = false, unserved = false;
	unsigned int number;

	for (number = 1; number < SCT_MECHANISMS; number++) {
		if (!is_allowed(number))
			continue;
		untried |= proofs[abi][number] == SCT_PROOF_UNTRIED;
		unserved |= proofs[abi][number] == SCT_PROOF_UNSERVED;
	}
	return unserved ? -ENXIO : untried ? -EPROTO : -EOPNOTSUPP;
}

/**
 * sct_proof_choose() - the mechanism for a call of an ABI
 * @abi: SCT_ABI_*
 * @after: number of the one that was chosen before and has no place for the
 *	call; 0 at first
 * @error: set if there is none: -ENXIO if the kernel does not serve the ABI,
 *	-EPROTO if no mechanism was tried, -EOPNOTSUPP
 *
 * Context: sct_points_lock
 */
const struct sct_mechanism *sct_proof_choose(unsigned int abi, unsigned int after, int *error)
{
	unsigned int number;

	for (number = after + 1; number < SCT_MECHANISMS; number++)
		if (sct_mechanisms[number] && sct_proof_works(abi, sct_mechanisms[number]))
			return sct_mechanisms[number];
	*error = after ? -EOPNOTSUPP : why_none(abi);
	return NULL;
}

static void end_trial(void)
{
	if (!trial.site)
		return;
	sct_points_settle();
	sct_gate_settle(trial.slot);
	trial.site = NULL;
}

/* 0 if the trial has begun, else why it cannot: SCT_PROOF_*, or a negative errno. */
static int begin_trial(unsigned int abi, unsigned int nr, const struct sct_mechanism *by)
{
	long address = sct_arch_entry(abi, nr);
	struct sct_site *site, *culprit;
	int result;

	if (address == -ENXIO)
		return SCT_PROOF_UNSERVED;
	if (address == -EOPNOTSUPP || address == -ENOSYS || !by)
		return SCT_PROOF_MISSING;
	if (address == -EADDRINUSE)
		return -EBUSY;
	site = sct_site_get(by, sct_slot(abi, nr), address);
	if (PTR_ERR_OR_ZERO(site) == -EOPNOTSUPP)
		return SCT_PROOF_MISSING;
	if (IS_ERR(site))
		return PTR_ERR(site);
	result = sct_gate_set(sct_slot(abi, nr), site);
	if (result)
		return result;
	site->wanted = true;
	result = sct_sites_attach_wanted(&culprit);
	if (result) {
		sct_points_settle();
		return result;
	}
	trial.site = site;
	trial.slot = sct_slot(abi, nr);
	trial.hits = sct_gate_hits(sct_gates[trial.slot]);
	return 0;
}

static int prove_begin(struct sct_prove *prove, u8 *proof)
{
	int result;

	end_trial();
	if (*proof != SCT_PROOF_UNTRIED)
		return 0;
	result = begin_trial(prove->abi, prove->nr, sct_mechanisms[prove->mechanism]);
	if (result > 0)
		*proof = result;
	return min(result, 0);
}

static int prove_end(struct sct_prove *prove, u8 *proof)
{
	const struct sct_gate *gate = sct_gates[trial.slot];

	if (!trial.site || trial.slot != sct_slot(prove->abi, prove->nr) ||
	    trial.site->by->number != prove->mechanism)
		return -ESRCH;
	if (sct_gate_hits(gate) != trial.hits)
		*proof = SCT_PROOF_WORKS;
	else if (!trial.site->hook)
		; /* a change of the rules has given it back */
	else if (prove->step == SCT_PROVE_MADE)
		*proof = SCT_PROOF_FAILS;
	else if (prove->step == SCT_PROVE_REFUSED)
		*proof = SCT_PROOF_UNSERVED;
	end_trial();
	return 0;
}

/**
 * sct_prove() - a step of finding out whether a mechanism works for an ABI
 * @prove: what is asked; its state is filled in.  After SCT_PROVE_BEGIN it is
 *	SCT_PROOF_UNTRIED if a call of number nr has now to be made.
 *
 * What is known is not tried again.  A trial that is not ended is given back
 * with the next change of the rules, or when the client goes.
 *
 * Context: may sleep; not between sct_points_add() and sct_points_keep().
 * Return: 0; -EINVAL; -ESRCH if no such trial has begun or another one has since;
 * -EBUSY if the call is diverted now by another mechanism, something else
 * holds its entry function, or calls are inside; -ENODEV if the mechanism is
 * switched off; -ENOMEM.
 */
int sct_prove(struct sct_prove *prove)
{
	int result;
	u8 *proof;

	if (prove->abi >= SCT_ABIS || !prove->mechanism || prove->mechanism >= SCT_MECHANISMS ||
	    prove->nr >= 1U << SCT_NR_BITS)
		return -EINVAL;
	proof = &proofs[prove->abi][prove->mechanism];
	mutex_lock(&sct_points_lock);
	switch (prove->step) {
	case SCT_PROVE_BEGIN:
		result = prove_begin(prove, proof);
		break;
	case SCT_PROVE_MADE:
	case SCT_PROVE_REFUSED:
	case SCT_PROVE_ABANDONED:
		result = prove_end(prove, proof);
		break;
	default:
		result = -EINVAL;
	}
	prove->state = *proof;
	mutex_unlock(&sct_points_lock);
	return result;
}
EXPORT_SYMBOL_GPL(sct_prove);

/**
 * sct_proof_list() - what is known of the mechanisms
 * @list: room for @count of them
 * @first: how many to leave out
 * @count: how many at the most
 * @total: set to how many there are
 *
 * Context: may sleep.
 * Return: how many were written.
 */
int sct_proof_list(struct sct_proof *list, unsigned int first, unsigned int count,
		   unsigned int *total)
{
	unsigned int abi, number, seen = 0, done = 0;

	mutex_lock(&sct_points_lock);
	for (abi = 0; abi < SCT_ABIS; abi++) {
		for (number = 1; number < SCT_MECHANISMS; number++) {
			if (seen++ < first || done == count)
				continue;
			list[done++] = (struct sct_proof) { abi, number, proofs[abi][number] };
		}
	}
	mutex_unlock(&sct_points_lock);
	*total = seen;
	return done;
}
EXPORT_SYMBOL_GPL(sct_proof_list);

/** sct_proof_init() - Return: 0, or -EINVAL for a mechanism that is not known */
int __init sct_proof_init(void)
{
	unsigned int number;

	for (number = 1; number < SCT_MECHANISMS; number++)
		if (is_allowed(number))
			return 0;
	pr_err("sct_hijack: mechanism=%s: there is table, ftrace and kprobe\n", mechanism);
	return -EINVAL;
}
