// SPDX-License-Identifier: GPL-2.0-only
/*
 * When is the memory behind a call's arguments read?
 *
 * Once, so that what is compared is what is logged.  Where sleeping is
 * forbidden, when a program asks for it, as far as it is resident.  In task
 * context before the rules are held, all that the programs in force may ask
 * for; and what the call itself fills in, when it has returned.
 */
#include <linux/uaccess.h>
#include "rules.h"

static struct sct_judgement *judgement_of(struct sct_judge *judge)
{
	return container_of(judge, struct sct_judgement, judge);
}

/** sct_memory_may_sleep() - is this where what is asked for can be waited for? */
bool sct_memory_may_sleep(struct sct_judge *judge)
{
	return judgement_of(judge)->stage == SCT_STAGE_COPYING;
}

int sct_judge_copy(struct sct_judge *judge, void *to, u64 from, size_t size)
{
	const void __user *at = (const void __user *)(unsigned long)from;

	if (judgement_of(judge)->stage == SCT_STAGE_GLANCE)
		return copy_from_user_nofault(to, at, size) ? -EAGAIN : 0;
	return copy_from_user(to, at, size) ? -EFAULT : 0;
}

char *sct_judge_room(struct sct_judge *judge, size_t size)
{
	struct sct_judgement *j = judgement_of(judge);
	char *room = j->free;

	size = ALIGN(size, sizeof(long));
	if (size > j->end - room)
		return NULL;
	j->free += size;
	return room;
}

/* What was read of a source, among the first @held; NULL if it was not. */
static const struct sct_found *find_held(const struct sct_judgement *j, unsigned int held,
					 const struct sct_source *source)
{
	unsigned int i;

	for (i = 0; i < held; i++)
		if (sct_source_same(&j->holds[i].source, source))
			return &j->holds[i].found;
	return NULL;
}

int sct_judge_source(struct sct_judge *judge, unsigned int index, struct sct_found *found)
{
	const struct sct_source *source = sct_view_sources(judge->view, judge->prog) + index;
	struct sct_judgement *j = judgement_of(judge);
	const struct sct_found *held;

	if (j->stage == SCT_STAGE_GLANCE)
		return sct_source_read(judge, source, found);
	held = find_held(j, j->held, source);
	/* Only rules ask for it that were not yet in force when memory was read. */
	*found = held ? *held : (struct sct_found) { .text.state = SCT_STATE_FAULT };
	return 0;
}

/**
 * sct_memory_number() - what a source said that was read before
 *
 * For a source that depends on it: memory that is read again may say something else.
 *
 * Return: 0, or -EFAULT if it is not known.
 */
int sct_memory_number(struct sct_judge *judge, const struct sct_source *source, u64 *number)
{
	const struct sct_judgement *j = judgement_of(judge);
	const struct sct_found *held = find_held(j, j->held, source);

	if (!held || held->text.state != SCT_STATE_WHOLE)
		return -EFAULT;
	*number = held->number;
	return 0;
}

/* What the sources of some programs take. */
struct sct_needs sct_memory_needs(const struct sct_view *view, const struct sct_prog *prog)
{
	struct sct_needs needs = { };
	const struct sct_source *source, *end;

	if (!prog)
		return needs;
	source = sct_view_sources(view, prog);
	needs.count = prog->sources;
	for (end = source + prog->sources; source < end; source++)
		needs.room += ALIGN(source->limit, sizeof(long));
	return needs;
}

/* Is it the family of the socket address that a member lies in: the number that it begins with? */
static bool is_family_of(const struct sct_source *source, const struct sct_source *member)
{
	const u8 place = (u8)~(SCT_SOURCEFLAG_LOG | SCT_SOURCEFLAG_BIG);

	return source->what == SCT_SOURCE_NUMBER && source->kind == SCT_KIND_U16 &&
	       !source->family && !source->offset && !(source->flags & SCT_SOURCEFLAG_BIG) &&
	       source->arg == member->arg && source->size == member->size &&
	       source->via == member->via && source->via_size == member->via_size &&
	       !((source->flags ^ member->flags) & place);
}

/*
 * Lies a source in a socket address that is known to be of another family?
 * Reading it would say no more; most members that are asked for are such.
 */
static bool is_elsewhere(const struct sct_judgement *j, const struct sct_source *source)
{
	unsigned int i;
	s64 family;

	if (!source->family || source->what == SCT_SOURCE_PATH)
		return false;
	for (i = 0; i < j->held; i++) {
		if (!is_family_of(&j->holds[i].source, source))
			continue;
		family = j->holds[i].found.number;
		return j->holds[i].found.text.state == SCT_STATE_WHOLE && family &&
		       family != source->family && family != source->other;
	}
	return false;
}

/**
 * sct_memory_hold() - read what a program may ask for
 * @j: in SCT_STAGE_COPYING, with room for it
 * @view: of the program
 * @prog: may be NULL
 * @after: what is read when the call has returned, else all other
 *
 * What is held for another program is not read again; the compiler gives none a
 * source twice.
 *
 * Context: task; may sleep.
 * Return: whether there was memory; without, what could not be read is unknown.
 */
bool sct_memory_hold(struct sct_judgement *j, const struct sct_view *view,
		     const struct sct_prog *prog, bool after)
{
	const struct sct_source *source, *end;
	unsigned int others = j->held;
	struct sct_held *to;
	bool good = true;
	int error;

	if (!prog)
		return true;
	j->judge.prog = prog;
	source = sct_view_sources(view, prog);
	for (end = source + prog->sources; source < end; source++) {
		if (!(source->flags & SCT_SOURCEFLAG_AFTER) == after || j->held == j->most ||
		    find_held(j, others, source))
			continue;
		to = &j->holds[j->held++];
		to->source = *source;
		error = is_elsewhere(j, source) ? -EFAULT :
						  sct_source_read(&j->judge, source, &to->found);
		good &= error != -ENOMEM;
		if (error)
			to->found = (struct sct_found) { .text.state = SCT_STATE_FAULT };
	}
	return good;
}

/**
 * sct_memory_show() - read what the events of a judgement's program show
 *
 * Return: 0, or -EAGAIN if that cannot be done here.
 */
int sct_memory_show(struct sct_judgement *j)
{
	const struct sct_source *sources = sct_view_sources(j->judge.view, j->judge.prog);
	unsigned int i;

	for (i = 0; i < j->judge.prog->sources; i++) {
		if (!(sources[i].flags & SCT_SOURCEFLAG_LOG) || j->judge.read >> i & 1)
			continue;
		if (sct_judge_source(&j->judge, i, &j->judge.found[i]))
			return -EAGAIN;
		j->judge.read |= 1ull << i;
	}
	return 0;
}
