// SPDX-License-Identifier: GPL-2.0-only
/*
 * What does sct_hijack's client do with a call that arrives?
 *
 * Most are judged at once, where sleeping is forbidden, with strings copied to
 * a room of this processor.  What that cannot do (memory that is not resident,
 * a rule that kills or suspends, a rule that waits for the result) is done in
 * task context, with a room of the call's own that lives until it returns.
 */
#include <linux/bitops.h>
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/rcupdate.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include "rules.h"

/* A judgement where sleeping is forbidden; its owner has preemption off. */
struct glance {
	struct sct_judgement j;
	char room[SCT_ARGS_MAX * SCT_STRING_MAX] __aligned(8);
};

static DEFINE_PER_CPU(struct glance *, glances);

/*
 * A judgement in task context: @texts of the process were asked for and are
 * in the room @process, and @kin_texts of its parent or all its @ancestors;
 * @start is when the call began, in nanoseconds of the monotonic clock.
 */
struct visit {
	struct sct_judgement j;
	u32 texts, kin_texts;
	bool ancestors;
	char *process;
	u64 start;
	char room[] __aligned(8);
};

/* False: somewhere where sleeping is allowed.  What matched is in @j. */
static bool judge(struct sct_judgement *j, struct sct_ruleset *set, const struct sct_prog *prog)
{
	j->set = set;
	j->judge.read = 0;
	j->judge.view = &set->view;
	j->judge.prog = prog;
	return sct_judge(&j->judge) == SCT_VERDICT_DONE;
}

static enum sct_next enter(unsigned int slot, const struct pt_regs *regs, long *result)
{
	struct sct_ruleset *set = rcu_dereference_sched(sct_ruleset_current);
	const struct sct_programs *programs;
	struct glance *glance;

	if (unlikely(!set))
		return SCT_NEXT_PASS;
	programs = &set->programs[slot];
	if (programs->task)
		return SCT_NEXT_DIVERT;
	if (!programs->before)
		return SCT_NEXT_PASS;
	glance = this_cpu_read(glances);
	sct_capture_begin(&glance->j, slot, regs, glance->room, sizeof(glance->room),
			  SCT_STAGE_GLANCE);
	if (!judge(&glance->j, set, programs->before))
		return SCT_NEXT_DIVERT;
	if (likely(!glance->j.judge.matches))
		return SCT_NEXT_PASS;
	return sct_act(&glance->j, slot, regs, result);
}

static void end_visit(struct visit *visit)
{
	sct_kin_drop(&visit->j.kin);
	kvfree(visit);
}

/* Write down the texts of processes; false without memory for all. */
static bool look_around(struct visit *visit)
{
	sct_capture_process(&visit->j, visit->texts, visit->process);
	return !visit->kin_texts ||
	       sct_kin_hold(&visit->j.kin, visit->kin_texts, visit->ancestors);
}

/* Make room for what the programs of a point may need; NULL without memory. */
static struct visit *make_visit(unsigned int slot, const struct sct_ruleset *set,
				const struct pt_regs *regs)
{
	const struct sct_programs *programs = &set->programs[slot];
	struct sct_needs before = sct_memory_needs(&set->view, programs->before);
	struct sct_needs after = sct_memory_needs(&set->view, programs->after);
	const struct sct_prog *prog = programs->before ?: programs->after;
	size_t room = sct_capture_room(prog, programs->texts) + before.room + after.room;
	unsigned int count = before.count + after.count;
	size_t holds = count * sizeof(struct sct_held);
	struct visit *visit;

	/* Charged to the caller: threads that sleep in a call each hold one. */
	visit = kvmalloc(sizeof(*visit) + holds + room, GFP_KERNEL_ACCOUNT);
	if (!visit)
		return NULL;
	sct_capture_begin(&visit->j, slot, regs, visit->room + holds, room, SCT_STAGE_COPYING);
	visit->j.holds = (struct sct_held *)visit->room;
	visit->j.most = count;
	visit->j.held = 0;
	visit->texts = programs->texts;
	visit->kin_texts = programs->kin_texts;
	visit->ancestors = programs->ancestors;
	return visit;
}

/* Copy what the programs of a point may need; NULL without memory. */
static struct visit *begin_visit(unsigned int slot, const struct sct_ruleset *set,
				 const struct pt_regs *regs)
{
	const struct sct_programs *programs = &set->programs[slot];
	struct visit *visit = make_visit(slot, set, regs);
	bool good;

	if (!visit)
		return NULL;
	sct_capture_args(&visit->j, programs->before ?: programs->after);
	good = sct_memory_hold(&visit->j, &set->view, programs->before, false);
	good &= sct_memory_hold(&visit->j, &set->view, programs->after, false);
	visit->process = sct_judge_room(&visit->j.judge, hweight32(visit->texts) * SCT_STRING_MAX);
	/* A file system can say, too, that it has no memory: other rules hold all the same. */
	if (!look_around(visit) || (!good && programs->fails)) {
		end_visit(visit);
		return NULL;
	}
	if (!good)
		sct_drop_count(SCT_CAUSE_MEMORY);
	sct_capture_seal(&visit->j);
	return visit;
}

/* A call that cannot be judged for want of memory is refused where a rule might have. */
static enum sct_next turn_away(bool fails, long *result)
{
	sct_drop_count(SCT_CAUSE_MEMORY);
	if (!fails)
		return SCT_NEXT_PASS;
	*result = -ENOMEM;
	return SCT_NEXT_SKIP;
}

static enum sct_next enter_task(unsigned int slot, const struct pt_regs *regs, long *result,
				void **cookie)
{
	enum sct_next next = SCT_NEXT_PASS;
	struct sct_programs programs = { };
	struct sct_ruleset *set;
	struct visit *visit = NULL;
	bool around;

	/* What there is to copy has to stay while it is copied, which may sleep. */
	set = sct_ruleset_get();
	if (set)
		programs = set->programs[slot];
	if (programs.before || programs.after)
		visit = begin_visit(slot, set, regs);
	sct_ruleset_put(set);
	if (!programs.before && !programs.after)
		return SCT_NEXT_PASS;
	if (!visit)
		return turn_away(programs.fails, result);
	/* For a thread that is being killed no more memory is read, and it needs no call any more. */
	if (programs.fails && fatal_signal_pending(current)) {
		end_visit(visit);
		*result = -EINTR;
		return SCT_NEXT_SKIP;
	}

	/* Judged by what is in force now: a string that only these rules ask for is unknown. */
	rcu_read_lock();
	set = rcu_dereference(sct_ruleset_current);
	if (set) {
		programs = set->programs[slot];
		if (programs.before && judge(&visit->j, set, programs.before))
			next = sct_act(&visit->j, slot, regs, result);
	}
	around = set && programs.after && next == SCT_NEXT_PASS;
	rcu_read_unlock();

	if (around) {
		/* The call may sleep for ever: nobody is held meanwhile, and all are found anew behind it. */
		sct_kin_drop(&visit->j.kin);
		visit->start = programs.lasts ? ktime_get_ns() : 0;
		*cookie = visit;
		return SCT_NEXT_AROUND;
	}
	end_visit(visit);
	return next;
}

/* Read what the call has filled in. */
static void read_results(unsigned int slot, struct visit *visit)
{
	struct sct_ruleset *set = sct_ruleset_get();

	visit->j.stage = SCT_STAGE_COPYING;
	if (set && !sct_memory_hold(&visit->j, &set->view, set->programs[slot].after, true))
		sct_drop_count(SCT_CAUSE_MEMORY);
	visit->j.stage = SCT_STAGE_SEALED;
	sct_ruleset_put(set);
}

static long leave(unsigned int slot, void *cookie, long result)
{
	struct visit *visit = cookie;
	const struct sct_prog *prog;
	struct sct_ruleset *set;
	long unused = 0;

	visit->j.result = result;
	visit->j.duration = visit->start ? ktime_get_ns() - visit->start : 0;
	visit->j.time = 0;
	/* The call may have changed the process. */
	visit->j.judge.known &= ~(1u << SCT_TEXT_COMM);
	/* What there is no memory for is unknown. */
	if (!look_around(visit))
		sct_drop_count(SCT_CAUSE_MEMORY);
	if (visit->j.held < visit->j.most)
		read_results(slot, visit);
	rcu_read_lock();
	set = rcu_dereference(sct_ruleset_current);
	prog = set ? set->programs[slot].after : NULL;
	if (prog && judge(&visit->j, set, prog))
		sct_act(&visit->j, slot, NULL, &unused);
	rcu_read_unlock();
	end_visit(visit);
	return result;
}

static void abandon(unsigned int slot, void *cookie)
{
	sct_drop_count(SCT_CAUSE_MEMORY);
	end_visit(cookie);
}

const struct sct_client sct_judgement_client = {
	.owner = THIS_MODULE,
	.enter = enter,
	.enter_task = enter_task,
	.leave = leave,
	.abandon = abandon,
	.moved = sct_event_log_move,
};

/** sct_judgement_exit() - free the rooms: no call arrives any more */
void sct_judgement_exit(void)
{
	int cpu;

	for_each_possible_cpu(cpu)
		kvfree(per_cpu(glances, cpu));
}

/** sct_judgement_init() - make room on each processor; Return: 0 or -ENOMEM */
int sct_judgement_init(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		per_cpu(glances, cpu) = kvzalloc_node(sizeof(struct glance), GFP_KERNEL,
						      cpu_to_node(cpu));
		if (!per_cpu(glances, cpu)) {
			sct_judgement_exit();
			return -ENOMEM;
		}
	}
	return 0;
}
