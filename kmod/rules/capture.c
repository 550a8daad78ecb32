// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is known of a call and its caller?
 *
 * A string is copied once: what is compared is what is logged.  Where sleeping
 * is forbidden only memory that is resident can be read; anything else says
 * -EAGAIN, and the call is judged again in task context, where a string that
 * cannot be read is really unreadable.
 */
#include <linux/bitops.h>
#include <linux/cred.h>
#include <linux/ktime.h>
#include <linux/sched.h>
#include <linux/uaccess.h>
#include <asm/word-at-a-time.h>
#include "../compat.h"
#include "rules.h"

static struct sct_judgement *judgement_of(struct sct_judge *judge)
{
	return container_of(judge, struct sct_judgement, judge);
}

/** sct_capture_room() - bytes for the strings of a program, and @texts of the process, a bit for each place */
size_t sct_capture_room(const struct sct_prog *prog, u32 texts)
{
	unsigned int i, strings = hweight32(texts);

	for (i = 0; i < prog->nargs; i++)
		strings += prog->kinds[i] == SCT_KIND_STR;
	return strings * SCT_STRING_MAX;
}

/*
 * Copy a string that is resident, where sleeping is forbidden.  Does what
 * strncpy_from_user() does with page faults off, for a third of its
 * instructions: most of those check that the room is large enough, which it
 * is, for strings of a few words.  -EFAULT if it is not resident or too long,
 * or the last word that holds it is not: then task context finds out.
 */
static long copy_resident(char *to, const char __user *from)
{
	const struct word_at_a_time constants = WORD_AT_A_TIME_CONSTANTS;
	unsigned long word, zeros, at;

	pagefault_disable();
	if (!user_read_access_begin(from, SCT_STRING_MAX))
		goto out;
	for (at = 0; at < SCT_STRING_MAX; at += sizeof(word)) {
		unsafe_get_user(word, (const unsigned long __user *)(from + at), fault);
		*(unsigned long *)(to + at) = word;
		if (!has_zero(word, &zeros, &constants))
			continue;
		user_read_access_end();
		pagefault_enable();
		zeros = prep_zero_mask(word, zeros, &constants);
		return at + find_zero(create_zero_mask(zeros));
	}
fault:
	user_read_access_end();
out:
	pagefault_enable();
	return -EFAULT;
}

static int capture_arg(struct sct_judgement *j, unsigned int arg)
{
	const char __user *from = (const char __user *)(unsigned long)j->judge.args[arg];
	struct sct_text *text = &j->judge.texts[arg];
	long len;

	if (!from) {
		*text = (struct sct_text) { .state = SCT_STATE_ABSENT };
		return 0;
	}
	if (j->end - j->free < SCT_STRING_MAX)
		return -EAGAIN;
	if (j->stage == SCT_STAGE_GLANCE) {
		len = copy_resident(j->free, from);
		if (len < 0)
			return -EAGAIN;
	} else {
		len = strncpy_from_user(j->free, from, SCT_STRING_MAX);
	}
	*text = (struct sct_text) { .state = SCT_STATE_WHOLE };
	if (len < 0) {
		text->state = SCT_STATE_FAULT;
	} else if (len >= SCT_STRING_MAX) {
		text->state = SCT_STATE_LONG;
	} else {
		text->bytes = j->free;
		text->len = len;
		j->free += SCT_STRING_MAX;
	}
	return 0;
}

int sct_judge_capture(struct sct_judge *judge, unsigned int place)
{
	struct sct_judgement *j = judgement_of(judge);

	if (place == SCT_TEXT_COMM)
		sct_capture_comm(j);
	else if (place >= SCT_ARGS_MAX || capture_arg(j, place))
		return -EAGAIN;
	judge->known |= 1u << place;
	return 0;
}

/**
 * sct_capture_seal() - nothing more is copied
 * @j: in SCT_STAGE_COPYING
 *
 * The rules in force when the call is judged may ask for strings that those in
 * force until now did not: these are unreadable.
 */
void sct_capture_seal(struct sct_judgement *j)
{
	unsigned int place;

	for (place = 0; place < SCT_TEXTS; place++)
		if (!(j->judge.known >> place & 1))
			j->judge.texts[place] = (struct sct_text) { .state = SCT_STATE_FAULT };
	j->judge.known = ~(1u << SCT_TEXT_COMM);
	j->stage = SCT_STAGE_SEALED;
}

/**
 * sct_capture_args() - copy all strings that a call's arguments point to
 * @prog: a program of the call
 *
 * Return: 0, or -EAGAIN if that cannot be done here.
 */
int sct_capture_args(struct sct_judgement *j, const struct sct_prog *prog)
{
	unsigned int i;

	for (i = 0; i < prog->nargs; i++) {
		if (prog->kinds[i] == SCT_KIND_STR && !(j->judge.known >> i & 1) &&
		    sct_judge_capture(&j->judge, i))
			return -EAGAIN;
	}
	return 0;
}

/**
 * sct_capture_process() - write down what is known of the caller
 * @texts: a bit for each place
 * @room: SCT_STRING_MAX bytes for each
 *
 * Context: task; may sleep.
 */
void sct_capture_process(struct sct_judgement *j, u32 texts, char *room)
{
	unsigned int place;

	for (place = SCT_ARGS_MAX; place < SCT_TEXTS; place++) {
		if (!(texts >> place & 1))
			continue;
		sct_process_text(current, place, room, &j->judge.texts[place]);
		room += SCT_STRING_MAX;
	}
	j->judge.known |= texts;
}

/** sct_capture_comm() - copy the command name: another thread may be changing it */
void sct_capture_comm(struct sct_judgement *j)
{
	strscpy_pad(j->comm, current->comm, sizeof(j->comm));
	j->judge.texts[SCT_TEXT_COMM] = (struct sct_text) {
		j->comm, strlen(j->comm), SCT_STATE_WHOLE,
	};
	j->judge.known |= 1u << SCT_TEXT_COMM;
}

int sct_judge_unknown(struct sct_judge *judge, u32 rule)
{
	struct sct_judgement *j = judgement_of(judge);

	if (j->stage == SCT_STAGE_GLANCE)
		return -EAGAIN;
	atomic64_inc(&j->set->tallies[rule].unknown);
	return 0;
}

s64 sct_judge_field(struct sct_judge *judge, unsigned int field)
{
	struct sct_judgement *j = judgement_of(judge);
	s64 value = 0;

	switch (field) {
	case SCT_FIELD_RETVAL:
		return j->result;
	case SCT_FIELD_ERRNO:
		return IS_ERR_VALUE((unsigned long)j->result) ? -j->result : 0;
	case SCT_FIELD_TIME:
		if (!j->time)
			j->time = ktime_get_real_ns();
		return j->time;
	case SCT_FIELD_DURATION:
		return j->duration;
	default:
		/* The caller's own can all be known. */
		sct_process_number(current, current_cred(), field, &value);
		return value;
	}
}

bool sct_judge_ancestor(struct sct_judge *judge, unsigned int nth)
{
	return sct_kin_ancestor(&judgement_of(judge)->kin, nth);
}

int sct_judge_other(struct sct_judge *judge, unsigned int field, s64 *value)
{
	return sct_kin_number(&judgement_of(judge)->kin, field, value);
}

const struct sct_text *sct_judge_other_text(struct sct_judge *judge, unsigned int field)
{
	return sct_kin_text(&judgement_of(judge)->kin, field);
}
