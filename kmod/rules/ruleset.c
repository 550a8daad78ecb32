// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which rules are in force, and how are they exchanged?
 *
 * New points are attached before the exchange and points without rules given
 * back after it, so that every call is judged by the old set or the new one.
 */
#include <linux/bsearch.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include "rules.h"

/* Writers: the control device's lock. */
struct sct_ruleset __rcu *sct_ruleset_current;

/** sct_ruleset_held() - the set in force, for who holds the control device's lock */
struct sct_ruleset *sct_ruleset_held(void)
{
	return rcu_dereference_protected(sct_ruleset_current, true);
}

/** sct_ruleset_get() - the set in force, to be given back with sct_ruleset_put(); NULL if none is */
struct sct_ruleset *sct_ruleset_get(void)
{
	struct sct_ruleset *set;

	rcu_read_lock();
	set = rcu_dereference(sct_ruleset_current);
	/* Whoever replaces it waits for RCU before giving up its hold. */
	if (set)
		refcount_inc(&set->users);
	rcu_read_unlock();
	return set;
}

/** sct_ruleset_put() - be done with a set, which RCU's readers see no more; NULL is fine */
void sct_ruleset_put(struct sct_ruleset *set)
{
	if (!set || !refcount_dec_and_test(&set->users))
		return;
	kvfree(set->tallies);
	kvfree(set->image);
	kvfree(set);
}

struct field {
	bool string, task;
};

#define FIELD(name, string, task, after) [SCT_FIELD_##name] = { string, task },
static const struct field fields[SCT_FIELDS] = { SCT_FIELD_TABLE(FIELD) };
#undef FIELD

static void add_field(unsigned int field, struct sct_programs *programs)
{
	programs->lasts |= field == SCT_FIELD_DURATION;
	if (!fields[field].task)
		return;
	programs->task = true;
	if (!fields[field].string)
		return;
	programs->ancestors |= sct_field_is_ancestors(field);
	if (sct_field_is_others(field))
		programs->kin_texts |= 1u << sct_text_place(sct_field_own(field));
	else
		programs->texts |= 1u << sct_text_place(field);
}

/* What a rule that matches needs. */
static void add_rule(const struct sct_view *view, const struct sct_rule *rule,
		     struct sct_programs *programs)
{
	const char *shown;
	size_t count, i;

	if (rule->flags & SCT_RULEFLAG_LOG_CWD)
		add_field(SCT_FIELD_CWD, programs);
	shown = sct_view_shown(view, rule, &count);
	for (i = 0; i < count; i++)
		add_field((u8)shown[i], programs);
	programs->fails |= rule->phase == SCT_PHASE_BEFORE &&
			   rule->actions & (SCT_ACTION_FAIL | SCT_ACTION_KILL | SCT_ACTION_SUSPEND);
}

/* What a program needs beyond its instructions. */
static void add_needs(const struct sct_view *view, const struct sct_prog *prog,
		      struct sct_programs *programs)
{
	const struct sct_insn *insn = &view->insns[prog->insn], *end = insn + prog->insns;
	unsigned int i;
	u8 named[2];

	for (; insn < end; insn++) {
		for (i = sct_insn_fields(insn, named); i > 0; i--)
			add_field(named[i - 1], programs);
		if (insn->op == SCT_OP_MATCH)
			add_rule(view, &view->rules[insn->imm], programs);
	}
}

/* What programs ask of a call and cannot have: SCT_ERROR_*, 0 for nothing. */
static u32 find_impossible(unsigned int slot, const struct sct_programs *programs)
{
	enum sct_ending ending = sct_point_ending(slot);

	if (programs->after && ending != SCT_ENDING_RETURNS)
		return SCT_ERROR_NO_RETURN;
	if (programs->fails && ending == SCT_ENDING_NEVER)
		return SCT_ERROR_NO_REFUSAL;
	return 0;
}

/* Points that need not be there. */
struct absent {
	DECLARE_BITMAP(calls, SCT_SLOTS);
	DECLARE_BITMAP(abis, SCT_SLOTS);
};

static int index_programs(struct sct_ruleset *set, struct absent *absent, struct sct_error *error)
{
	const struct sct_view *view = &set->view;
	const struct sct_prog *prog = view->progs, *end = prog + view->head->progs.count;
	struct sct_programs *programs;
	unsigned int slot;

	for (; prog < end; prog++) {
		slot = sct_slot(prog->abi, prog->nr);
		programs = &set->programs[slot];
		add_needs(view, prog, programs);
		if (prog->phase == SCT_PHASE_BEFORE)
			programs->before = prog;
		else
			programs->after = prog;
		error->code = find_impossible(slot, programs);
		if (error->code) {
			error->abi = prog->abi;
			error->nr = prog->nr;
			return -sct_error_errno(error->code);
		}
		if (prog->flags & SCT_PROGFLAG_CALL)
			set_bit(slot, absent->calls);
		if (prog->flags & SCT_PROGFLAG_ABI)
			set_bit(slot, absent->abis);
		programs->task |= programs->after || prog->cost > SCT_GLANCE_MAX;
		set_bit(slot, set->points);
	}
	return 0;
}

/* Note the rules that programs can match, of points that are there or that are not. */
static void mark_rules(const struct sct_ruleset *set, bool there, unsigned long *rules)
{
	const struct sct_prog *prog = set->view.progs, *end = prog + set->view.head->progs.count;
	const struct sct_insn *insn, *last;

	for (; prog < end; prog++) {
		if (test_bit(sct_slot(prog->abi, prog->nr), set->points) != there)
			continue;
		insn = &set->view.insns[prog->insn];
		for (last = insn + prog->insns; insn < last; insn++)
			if (insn->op == SCT_OP_MATCH)
				set_bit(insn->imm, rules);
	}
}

/* A rule all of whose points this kernel lacks would be in force for nothing. */
static int find_orphan(const struct sct_ruleset *set, struct sct_error *error)
{
	size_t longs = BITS_TO_LONGS(SCT_RULES_MAX);
	unsigned long *missed = kvcalloc(2 * longs, sizeof(long), GFP_KERNEL);
	u32 rule;

	if (!missed)
		return -ENOMEM;
	mark_rules(set, false, missed);
	mark_rules(set, true, missed + longs);
	bitmap_andnot(missed, missed, missed + longs, SCT_RULES_MAX);
	rule = find_first_bit(missed, SCT_RULES_MAX);
	kvfree(missed);
	if (rule == SCT_RULES_MAX)
		return 0;
	*error = (struct sct_error) { .code = SCT_ERROR_ORPHAN, .index = rule };
	return -sct_error_errno(SCT_ERROR_ORPHAN);
}

/* Index the programs by slot, and find the points that are there. */
static int find_points(struct sct_ruleset *set, struct sct_error *error)
{
	struct absent *absent = kzalloc(sizeof(*absent), GFP_KERNEL);
	int result;

	if (!absent)
		return -ENOMEM;
	result = index_programs(set, absent, error);
	if (!result)
		result = sct_points_find(set->points, absent->calls, absent->abis, error);
	kfree(absent);
	return result ?: find_orphan(set, error);
}

/**
 * sct_ruleset_create() - make a set of an image
 * @image: from kvmalloc(); the set's on success, the caller's on failure
 * @size: in bytes
 * @error: filled in if it is refused
 *
 * Context: may sleep.
 * Return: the set, or an error pointer that fits @error.
 */
struct sct_ruleset *sct_ruleset_create(void *image, size_t size, struct sct_error *error)
{
	struct sct_ruleset *set;
	int result = -ENOMEM;

	set = kvzalloc(sizeof(*set), GFP_KERNEL);
	if (!set)
		goto err_memory;
	result = sct_image_verify(image, size, &set->view, error);
	if (result)
		goto err_free_set;
	result = find_points(set, error);
	if (result)
		goto err_free_set;
	set->tallies = kvcalloc(max(set->view.head->rules.count, 1u), sizeof(*set->tallies),
				GFP_KERNEL);
	if (!set->tallies) {
		result = -ENOMEM;
		goto err_free_set;
	}
	refcount_set(&set->users, 1);
	set->image = image;
	set->size = size;
	return set;

err_free_set:
	kvfree(set);
err_memory:
	if (result == -ENOMEM)
		error->code = SCT_ERROR_MEMORY;
	return ERR_PTR(result);
}

/* A rule's place by its digest. */
struct place {
	u64 digest;
	u32 rule;
};

static int compare_places(const void *a, const void *b)
{
	const struct place *left = a, *right = b;

	return left->digest < right->digest ? -1 : left->digest > right->digest;
}

static void add_tally(struct sct_tally *to, const struct sct_tally *from)
{
	atomic64_add(atomic64_read(&from->matched), &to->matched);
	atomic64_add(atomic64_read(&from->logged), &to->logged);
	atomic64_add(atomic64_read(&from->failed), &to->failed);
	atomic64_add(atomic64_read(&from->killed), &to->killed);
	atomic64_add(atomic64_read(&from->suspended), &to->suspended);
	atomic64_add(atomic64_read(&from->unknown), &to->unknown);
	to->lost_before += from->lost_before + atomic64_read(&from->lost);
}

/*
 * Rules that did not change keep their counters.  @old is out of sight, so its
 * counters stand still, while @new already counts: they are added up.
 */
static void inherit_tallies(struct sct_ruleset *new, const struct sct_ruleset *old,
			    struct place *places)
{
	u32 i, count = old->view.head->rules.count;
	struct place key, *found;

	for (i = 0; i < count; i++)
		places[i] = (struct place) { old->view.rules[i].digest, i };
	sort(places, count, sizeof(*places), compare_places, NULL);
	for (i = 0; i < new->view.head->rules.count; i++) {
		key.digest = new->view.rules[i].digest;
		found = bsearch(&key, places, count, sizeof(key), compare_places);
		if (!found)
			continue;
		add_tally(&new->tallies[i], &old->tallies[found->rule]);
	}
}

/**
 * sct_ruleset_publish() - put a set in force in place of the one that is
 * @set: the set's on success, the caller's on failure
 * @error: filled in if a point cannot be diverted; then all is as it was
 *
 * Context: may sleep; the control device's lock is held.
 * Return: 0, or a negative errno that fits @error.
 */
int sct_ruleset_publish(struct sct_ruleset *set, struct sct_error *error)
{
	struct sct_ruleset *old = sct_ruleset_held();
	struct place *places = NULL;
	int result;

	set->generation = old ? old->generation + 1 : 1;
	if (old) {
		places = kvmalloc_array(max(old->view.head->rules.count, 1u), sizeof(*places),
					GFP_KERNEL);
		if (!places) {
			error->code = SCT_ERROR_MEMORY;
			return -ENOMEM;
		}
	}
	result = sct_points_add(set->points, error);
	if (result)
		goto out_free_places;
	rcu_assign_pointer(sct_ruleset_current, set);
	synchronize_rcu();
	sct_points_keep(set->points);
	if (old) {
		sct_log_retire(old);
		inherit_tallies(set, old, places);
		sct_ruleset_put(old);
	}
out_free_places:
	kvfree(places);
	return result;
}

/** sct_ruleset_count() - read a rule's counters */
void sct_ruleset_count(const struct sct_ruleset *set, u32 rule, struct sct_counters *counters)
{
	const struct sct_tally *tally = &set->tallies[rule];

	*counters = (struct sct_counters) {
		.matched = atomic64_read(&tally->matched),
		.logged = atomic64_read(&tally->logged),
		.failed = atomic64_read(&tally->failed),
		.killed = atomic64_read(&tally->killed),
		.suspended = atomic64_read(&tally->suspended),
		.unknown = atomic64_read(&tally->unknown),
		.lost = tally->lost_before + atomic64_read(&tally->lost),
	};
}

/** sct_ruleset_exit() - free the set in force: no call arrives any more */
void sct_ruleset_exit(void)
{
	struct sct_ruleset *set = sct_ruleset_held();

	rcu_assign_pointer(sct_ruleset_current, NULL);
	synchronize_rcu();
	sct_ruleset_put(set);
}
