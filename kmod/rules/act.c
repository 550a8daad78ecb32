// SPDX-License-Identifier: GPL-2.0-only
/*
 * What happens when rules match?
 *
 * SUSPEND before a call means that the caller stops and the call is made when
 * it is continued.  A thread can stop only on its way to user space, so the
 * call returns to be restarted, as one that a signal interrupts, and a note
 * says which rules have acted, so that they do not when it comes again.
 */
#include <linux/list.h>
#include <linux/overflow.h>
#include <linux/pid.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include "rules.h"

#define NOTES_MAX 4096 /* threads suspended in a call at a time */

/*
 * A thread was suspended in a call.  It comes again if it makes the same call
 * with the same arguments from the same place on its stack, so not from a
 * handler of the signal that continued it.  Nobody sees whether it has given
 * the call up, by a jump out of such a handler: then the next one like it is
 * taken for it.  No more calls are made than were suspended.
 */
struct note {
	struct list_head node;
	struct pid *thread;
	unsigned int slot;
	unsigned int acted;
	unsigned long stack;
	u64 args[SCT_ARGS_MAX];
	u64 digests[]; /* of the rules that acted, which may stand elsewhere by then */
};

static LIST_HEAD(notes);
static unsigned int notes_count;
static DEFINE_SPINLOCK(notes_lock);

static void free_note(struct note *note)
{
	if (!note)
		return;
	put_pid(note->thread);
	kfree(note);
}

static void take_off(struct note *note)
{
	list_del(&note->node);
	notes_count--;
}

static void drop_note(struct note *note)
{
	take_off(note);
	free_note(note);
}

/* The rule of a match. */
static const struct sct_rule *rule_of(const struct sct_judgement *j, unsigned int match)
{
	return &j->judge.view->rules[j->judge.matched[match]];
}

static struct note *make_note(const struct sct_judgement *j, unsigned int slot,
			      unsigned long stack)
{
	unsigned int i, matches = j->judge.matches;
	struct note *note;

	/* The caller holds the rules: it must not sleep. */
	note = kmalloc(struct_size(note, digests, matches), GFP_ATOMIC);
	if (!note)
		return NULL;
	note->thread = get_pid(task_pid(current));
	note->slot = slot;
	note->acted = matches;
	note->stack = stack;
	memcpy(note->args, j->judge.args, sizeof(note->args));
	for (i = 0; i < matches; i++)
		note->digests[i] = rule_of(j, i)->digest;
	return note;
}

/*
 * Note that this thread will come again with this call, and that all that
 * matched have acted, now or before.  Without memory for the note it is
 * suspended again then, which is the safe side.
 */
static void write_note(const struct sct_judgement *j, unsigned int slot, unsigned long stack)
{
	struct note *note = make_note(j, slot, stack), *old, *next;

	if (!note)
		return;
	spin_lock(&notes_lock);
	/* One of a call that it has given up, or that a signal's handler has interrupted. */
	list_for_each_entry_safe(old, next, &notes, node) {
		if (old->thread == note->thread)
			drop_note(old);
	}
	list_add(&note->node, &notes);
	notes_count++;
	if (notes_count > NOTES_MAX)
		drop_note(list_last_entry(&notes, struct note, node));
	spin_unlock(&notes_lock);
}

static bool is_about(const struct note *note, const struct sct_judgement *j, unsigned int slot,
		     unsigned long stack)
{
	return note->thread == task_pid(current) && note->slot == slot && note->stack == stack &&
	       !memcmp(note->args, j->judge.args, sizeof(note->args));
}

/*
 * The note of this thread's first coming with this call, for the caller to
 * free; NULL if this is the first.
 */
static struct note *take_note(const struct sct_judgement *j, unsigned int slot,
			      unsigned long stack)
{
	struct note *note, *next, *found = NULL;

	if (list_empty(&notes))
		return NULL;
	spin_lock(&notes_lock);
	list_for_each_entry_safe(note, next, &notes, node) {
		if (is_about(note, j, slot, stack)) {
			take_off(note);
			found = note;
		} else if (!pid_task(note->thread, PIDTYPE_PID)) {
			/* Threads that were killed while they were stopped never come. */
			drop_note(note);
		}
	}
	spin_unlock(&notes_lock);
	return found;
}

/* Did this rule act when the call came before? */
static bool has_acted(const struct note *note, const struct sct_rule *rule)
{
	unsigned int i;

	for (i = 0; note && i < note->acted; i++)
		if (note->digests[i] == rule->digest)
			return true;
	return false;
}

/** sct_act_exit() - forget who was suspended */
void sct_act_exit(void)
{
	struct note *note, *next;

	list_for_each_entry_safe(note, next, &notes, node)
		drop_note(note);
}

/* The first process is neither killed nor stopped: the machine would go with it. */
static bool send(int signal)
{
	if (is_global_init(current))
		return false;
	send_sig(signal, current, 1);
	return true;
}

/* Can the actions of all that matched be taken where sleeping is forbidden? */
static bool is_easy(struct sct_judgement *j)
{
	const struct sct_rule *rule;
	unsigned int i;

	for (i = 0; i < j->judge.matches; i++) {
		rule = rule_of(j, i);
		if (rule->actions & (SCT_ACTION_KILL | SCT_ACTION_SUSPEND))
			return false;
		if (rule->actions & SCT_ACTION_LOG &&
		    (sct_capture_args(j, j->judge.prog) || sct_memory_show(j)))
			return false;
	}
	return true;
}

/* What the rules that matched make of a call. */
struct outcome {
	bool skip, again;
	long result;
};

static void refuse(struct outcome *outcome, long result)
{
	if (!outcome->skip)
		outcome->result = result;
	outcome->skip = true;
}

/* Take a rule's @actions; returns those that were really taken. */
static u16 take_actions(const struct sct_rule *rule, u16 actions, struct sct_tally *tally,
			struct outcome *outcome)
{
	if (actions & SCT_ACTION_FAIL) {
		refuse(outcome, rule->error);
		atomic64_inc(&tally->failed);
	}
	if (actions & SCT_ACTION_KILL) {
		if (rule->phase == SCT_PHASE_BEFORE)
			refuse(outcome, -EPERM);
		if (send(SIGKILL))
			atomic64_inc(&tally->killed);
		else
			actions &= ~SCT_ACTION_KILL;
	}
	if (actions & SCT_ACTION_SUSPEND) {
		if (send(SIGSTOP)) {
			outcome->again = rule->phase == SCT_PHASE_BEFORE;
			atomic64_inc(&tally->suspended);
		} else {
			actions &= ~SCT_ACTION_SUSPEND;
		}
	}
	return actions;
}

static void act_on_match(struct sct_judgement *j, u32 index, struct outcome *outcome)
{
	const struct sct_rule *rule = &j->judge.view->rules[index];
	struct sct_tally *tally = &j->set->tallies[index];
	u16 taken;

	atomic64_inc(&tally->matched);
	taken = take_actions(rule, rule->actions, tally, outcome);
	if (rule->actions & SCT_ACTION_LOG)
		sct_event_log(j, index, taken, outcome->skip ? outcome->result : j->result);
}

/* Can a call be dealt with where sleeping is forbidden, the spinlock of the notes with it? */
static bool is_for_here(struct sct_judgement *j)
{
	return list_empty(&notes) && is_easy(j);
}

/**
 * sct_act() - do what the rules that matched say
 * @j: a finished judgement
 * @slot: the call
 * @regs: the caller's registers, in the before phase
 * @result: set for SCT_NEXT_SKIP
 *
 * Context: the rules are held; does not sleep.
 * Return: SCT_NEXT_PASS or SCT_NEXT_SKIP; SCT_NEXT_DIVERT, with nothing done,
 * if that needs task context.
 */
enum sct_next sct_act(struct sct_judgement *j, unsigned int slot, const struct pt_regs *regs,
		      long *result)
{
	struct outcome outcome = { };
	struct note *note = NULL;
	unsigned int i;

	if (j->stage == SCT_STAGE_GLANCE && !is_for_here(j))
		return SCT_NEXT_DIVERT;
	if (j->stage == SCT_STAGE_SEALED && regs)
		note = take_note(j, slot, sct_caller_stack(regs));
	/* What matches only now, of other rules or another string, has its first turn. */
	for (i = 0; i < j->judge.matches; i++)
		if (!has_acted(note, rule_of(j, i)))
			act_on_match(j, j->judge.matched[i], &outcome);
	free_note(note);
	/* Stopped on its way to user space, then made again; refused, it is not made at all. */
	if (outcome.again && !outcome.skip && sct_caller_can_restart(regs)) {
		write_note(j, slot, sct_caller_stack(regs));
		set_thread_flag(TIF_SIGPENDING);
		refuse(&outcome, -ERESTARTNOINTR);
	}
	if (!outcome.skip)
		return SCT_NEXT_PASS;
	*result = outcome.result;
	return SCT_NEXT_SKIP;
}
