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

/*
 * A thread was suspended in a call.  It comes again if it makes the same call
 * with the same arguments from the same place on its stack: not from a handler
 * of the signal that continued it, and not some time later.
 */
struct note {
	struct list_head node;
	struct pid *thread;
	unsigned int slot;
	unsigned long stack;
	u64 args[SCT_ARGS_MAX];
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

/*
 * Note that this thread will come again with this call.  Without memory for
 * the note it is suspended again then, which is the safe side.
 */
static void write_note(const struct sct_judgement *j, unsigned int slot, unsigned long stack)
{
	/* The caller holds the rules: it must not sleep. */
	struct note *note = kmalloc(sizeof(*note), GFP_ATOMIC), *old, *next;

	if (!note)
		return;
	note->thread = get_pid(task_pid(current));
	note->slot = slot;
	note->stack = stack;
	memcpy(note->args, j->judge.args, sizeof(note->args));
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
}

/* Has this thread been suspended in this call, and comes again?  Then it is forgotten. */
static bool find_note(const struct sct_judgement *j, unsigned int slot, unsigned long stack)
{
	struct note *note;
	bool found = false;

	if (list_empty(&notes))
		return false;
	spin_lock(&notes_lock);
	list_for_each_entry(note, &notes, node) {
		found = note->thread == task_pid(current) && note->slot == slot &&
			note->stack == stack &&
			!memcmp(note->args, j->judge.args, sizeof(note->args));
		if (found) {
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

/*
 * How many of the rules that matched had their turn when the call came first:
 * up to the one that suspended it.
 */
static unsigned int had_their_turn(const struct sct_judgement *j)
{
	unsigned int i;

	for (i = 0; i < j->judge.matches; i++)
		if (j->judge.view->rules[j->judge.matched[i]].actions & SCT_ACTION_SUSPEND)
			return i + 1;
	return 0;
}

static void act_on_match(struct sct_judgement *j, u32 index, bool had_turn,
			 struct outcome *outcome)
{
	const struct sct_rule *rule = &j->judge.view->rules[index];
	struct sct_tally *tally = &j->set->tallies[index];
	u16 taken, actions = rule->actions;

	/* What refuses a call does so even if it matches only now. */
	if (had_turn)
		actions &= SCT_ACTION_FAIL | SCT_ACTION_KILL;
	if (had_turn && (!actions || rule->actions & SCT_ACTION_SUSPEND))
		return;
	atomic64_inc(&tally->matched);
	taken = take_actions(rule, actions, tally, outcome);
	if (actions & SCT_ACTION_LOG)
		sct_event_log(j, index, taken, outcome->skip ? outcome->result : j->result);
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
	unsigned int i, turns = 0;

	if (j->stage == SCT_STAGE_GLANCE && !is_easy(j))
		return SCT_NEXT_DIVERT;
	if (j->stage == SCT_STAGE_SEALED && regs &&
	    find_note(j, slot, sct_caller_stack(regs)))
		turns = had_their_turn(j);
	for (i = 0; i < j->judge.matches; i++)
		act_on_match(j, j->judge.matched[i], i < turns, &outcome);
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
