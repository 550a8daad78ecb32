// SPDX-License-Identifier: GPL-2.0-only
/*
 * What happens when rules match?
 *
 * SUSPEND before a call means that the caller stops and the call is made when
 * it is continued.  A thread can stop only on its way to user space, so the
 * call returns to be restarted, as one that a signal interrupts, and a note
 * says that its second coming is not a new one.
 */
#include <linux/list.h>
#include <linux/pid.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include "rules.h"

#define NOTES_MAX 4096 /* threads suspended in a call at a time */

struct note {
	struct list_head node;
	struct pid *thread;
	unsigned int slot;
};

static LIST_HEAD(notes);
static unsigned int notes_count;
static DEFINE_SPINLOCK(notes_lock);

static void drop_note(struct note *note)
{
	list_del(&note->node);
	notes_count--;
	put_pid(note->thread);
	kfree(note);
}

/* Note that this thread will come again with this call. */
static bool write_note(unsigned int slot)
{
	/* The caller holds the rules: it must not sleep. */
	struct note *note = kmalloc(sizeof(*note), GFP_ATOMIC), *old, *next;

	if (!note)
		return false;
	note->thread = get_pid(task_pid(current));
	note->slot = slot;
	spin_lock(&notes_lock);
	/* Threads that were killed while they were stopped never come. */
	list_for_each_entry_safe(old, next, &notes, node) {
		if (old->thread == note->thread || !pid_task(old->thread, PIDTYPE_PID))
			drop_note(old);
	}
	list_add(&note->node, &notes);
	notes_count++;
	if (notes_count > NOTES_MAX)
		drop_note(list_last_entry(&notes, struct note, node));
	spin_unlock(&notes_lock);
	return true;
}

/* Has this thread been suspended in this call, and comes again? */
static bool find_note(unsigned int slot)
{
	struct note *note;
	bool found = false;

	if (list_empty(&notes))
		return false;
	spin_lock(&notes_lock);
	list_for_each_entry(note, &notes, node) {
		if (note->thread == task_pid(current)) {
			found = note->slot == slot;
			drop_note(note);
			break;
		}
	}
	spin_unlock(&notes_lock);
	return found;
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
		rule = &j->judge.view->rules[j->judge.matched[i]];
		if (rule->actions & (SCT_ACTION_KILL | SCT_ACTION_SUSPEND))
			return false;
		if (rule->actions & SCT_ACTION_LOG && sct_capture_args(j, j->judge.prog))
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

/* Returns the actions that were really taken. */
static u16 take_actions(const struct sct_rule *rule, struct sct_tally *tally,
			struct outcome *outcome)
{
	u16 taken = rule->actions;

	if (rule->actions & SCT_ACTION_FAIL) {
		refuse(outcome, rule->error);
		atomic64_inc(&tally->failed);
	}
	if (rule->actions & SCT_ACTION_KILL) {
		if (rule->phase == SCT_PHASE_BEFORE)
			refuse(outcome, -EPERM);
		if (send(SIGKILL))
			atomic64_inc(&tally->killed);
		else
			taken &= ~SCT_ACTION_KILL;
	}
	if (rule->actions & SCT_ACTION_SUSPEND) {
		if (send(SIGSTOP)) {
			outcome->again = rule->phase == SCT_PHASE_BEFORE;
			atomic64_inc(&tally->suspended);
		} else {
			taken &= ~SCT_ACTION_SUSPEND;
		}
	}
	return taken;
}

/**
 * sct_act() - do what the rules that matched say
 * @j: a finished judgement
 * @slot: the call
 * @result: set for SCT_NEXT_SKIP
 *
 * Context: the rules are held; does not sleep.
 * Return: SCT_NEXT_PASS or SCT_NEXT_SKIP; SCT_NEXT_DIVERT, with nothing done,
 * if that needs task context.
 */
enum sct_next sct_act(struct sct_judgement *j, unsigned int slot, long *result)
{
	struct outcome outcome = { };
	const struct sct_rule *rule;
	struct sct_tally *tally;
	bool resumed;
	unsigned int i;
	u16 taken;
	u32 index;

	if (j->stage == SCT_STAGE_GLANCE && !is_easy(j))
		return SCT_NEXT_DIVERT;
	resumed = j->stage == SCT_STAGE_SEALED && j->judge.prog->phase == SCT_PHASE_BEFORE &&
		  find_note(slot);
	for (i = 0; i < j->judge.matches; i++) {
		index = j->judge.matched[i];
		rule = &j->judge.view->rules[index];
		tally = &j->set->tallies[index];
		if (resumed && rule->actions & SCT_ACTION_SUSPEND)
			continue;
		atomic64_inc(&tally->matched);
		taken = take_actions(rule, tally, &outcome);
		if (rule->actions & SCT_ACTION_LOG)
			sct_event_log(j, index, taken, outcome.skip ? outcome.result : j->result);
	}
	/* Stopped on its way to user space, then made again; refused, it is not made at all. */
	if (outcome.again && !outcome.skip && write_note(slot)) {
		set_thread_flag(TIF_SIGPENDING);
		refuse(&outcome, -ERESTARTNOINTR);
	}
	if (!outcome.skip)
		return SCT_NEXT_PASS;
	*result = outcome.result;
	return SCT_NEXT_SKIP;
}
