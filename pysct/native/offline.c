// SPDX-License-Identifier: GPL-2.0-only
/*
 * How are rules verified and calls judged where there is no kernel?
 *
 * By the module's own verify.c, judge.c and glob.c.  What those ask of the kernel they
 * are embedded in, a call that was written down beforehand answers here.
 */
#include <stdlib.h>
#include "offline.h"

struct sct_offline {
	void *image;
	struct sct_view view;
};

/* A judgement, where what it asks for comes from, and room for the texts of its sources. */
struct hearing {
	struct sct_judge judge;
	char *room;
	const struct sct_offline_call *call;
	struct sct_offline_verdict *verdict;
	u32 nth;
};

static struct hearing *hearing_of(struct sct_judge *judge)
{
	return (struct hearing *)((char *)judge - offsetof(struct hearing, judge));
}

s64 sct_judge_field(struct sct_judge *judge, unsigned int field)
{
	return hearing_of(judge)->call->fields[field];
}

bool sct_judge_ancestor(struct sct_judge *judge, unsigned int nth)
{
	struct hearing *hearing = hearing_of(judge);

	hearing->nth = nth;
	return nth < hearing->call->count;
}

/* NULL if there is none: only the parent can be missing. */
static const struct sct_offline_process *find_other(struct sct_judge *judge, unsigned int field)
{
	const struct hearing *hearing = hearing_of(judge);
	u32 nth = sct_field_is_ancestors(field) ? hearing->nth : 0;

	return nth < hearing->call->count ? &hearing->call->ancestors[nth] : NULL;
}

int sct_judge_other(struct sct_judge *judge, unsigned int field, s64 *value)
{
	const struct sct_offline_process *other = find_other(judge, field);

	field = sct_field_own(field);
	if (!other || !other->known[field])
		return -EFAULT;
	*value = other->fields[field];
	return 0;
}

const struct sct_text *sct_judge_other_text(struct sct_judge *judge, unsigned int field)
{
	static const struct sct_text none = { .state = SCT_STATE_FAULT };
	const struct sct_offline_process *other = find_other(judge, field);

	return other ? &other->texts[sct_text_place(sct_field_own(field))] : &none;
}

int sct_judge_capture(struct sct_judge *judge, unsigned int place)
{
	judge->texts[place] = hearing_of(judge)->call->texts[place];
	judge->known |= 1u << place;
	return 0;
}

int sct_judge_source(struct sct_judge *judge, unsigned int source, struct sct_found *found)
{
	return sct_source_read(judge, sct_view_sources(judge->view, judge->prog) + source, found);
}

int sct_judge_copy(struct sct_judge *judge, void *to, u64 from, size_t size)
{
	const struct sct_offline_call *call = hearing_of(judge)->call;
	const struct sct_offline_area *area = call->memory, *end = area + call->areas;

	for (; area < end; area++) {
		if (from < area->at || from - area->at > area->size ||
		    size > area->size - (from - area->at))
			continue;
		memcpy(to, area->bytes + (from - area->at), size);
		return 0;
	}
	return -EFAULT;
}

int sct_judge_path(struct sct_judge *judge, const struct sct_source *source, struct sct_text *text)
{
	const struct sct_offline_call *call = hearing_of(judge)->call;

	*text = source->what == SCT_SOURCE_PATH ? call->paths[source->arg] :
						  call->descriptors[source->arg];
	switch (text->state) {
	case SCT_STATE_WHOLE:
		return 0;
	case SCT_STATE_ABSENT:
		return -ENOENT;
	case SCT_STATE_LONG:
		return -E2BIG;
	}
	return -EFAULT;
}

char *sct_judge_room(struct sct_judge *judge, size_t size)
{
	struct hearing *hearing = hearing_of(judge);
	char *room = hearing->room;

	if (room)
		hearing->room += size;
	return room;
}

int sct_judge_unknown(struct sct_judge *judge, u32 rule)
{
	struct sct_offline_verdict *verdict = hearing_of(judge)->verdict;

	if (verdict->unknowns < verdict->room)
		verdict->unknown[verdict->unknowns] = rule;
	verdict->unknowns++;
	return 0;
}

u32 sct_judge_crc(const void *bytes, size_t size)
{
	const unsigned char *at = bytes, *end = at + size;
	unsigned int bit;
	u32 crc = ~0u;

	for (; at < end; at++)
		for (crc ^= *at, bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
	return ~crc;
}

static int verify(struct sct_offline *rules, size_t size, struct sct_error *error)
{
	int result = sct_verify_layout(rules->image, size, &rules->view, error);
	u32 *scratch;

	if (result)
		return result;
	scratch = malloc(sct_verify_scratch(&rules->view));
	if (!scratch) {
		error->code = SCT_ERROR_MEMORY;
		return -ENOMEM;
	}
	result = sct_verify_content(&rules->view, scratch, error);
	free(scratch);
	return result;
}

/**
 * sct_offline_open() - copy and verify an image
 * @image: need not be aligned
 * @size: in bytes
 * @error: says why it is refused
 *
 * Return: the rules, to be given to sct_offline_close(), or NULL.
 */
struct sct_offline *sct_offline_open(const void *image, size_t size, struct sct_error *error)
{
	struct sct_offline *rules = calloc(1, sizeof(*rules));

	*error = (struct sct_error) { 0 };
	if (rules)
		rules->image = malloc(size ? size : 1);
	if (!rules || !rules->image) {
		error->code = SCT_ERROR_MEMORY;
		free(rules);
		return NULL;
	}
	memcpy(rules->image, image, size);
	if (verify(rules, size, error)) {
		sct_offline_close(rules);
		return NULL;
	}
	return rules;
}

/** sct_offline_close() - forget rules */
void sct_offline_close(struct sct_offline *rules)
{
	free(rules->image);
	free(rules);
}

/** sct_offline_prog() - a program by its index, or NULL behind the last */
const struct sct_prog *sct_offline_prog(const struct sct_offline *rules, u32 index)
{
	return index < rules->view.head->progs.count ? &rules->view.progs[index] : NULL;
}

/** sct_offline_find() - the index of the program of a point and phase, or -1 */
int sct_offline_find(const struct sct_offline *rules, u32 abi, u32 nr, u32 phase)
{
	const struct sct_prog *prog;
	u32 i;

	for (i = 0; (prog = sct_offline_prog(rules, i)); i++)
		if (prog->abi == abi && prog->nr == nr && prog->phase == phase)
			return i;
	return -1;
}

/**
 * sct_offline_judge() - judge a call
 * @rules: from sct_offline_open()
 * @prog: index of a program
 * @call: its texts are those of the program's string operands, and stay
 * @verdict: filled in
 *
 * Without memory for the texts behind its arguments the judgement ends early.
 */
void sct_offline_judge(const struct sct_offline *rules, u32 prog,
		       const struct sct_offline_call *call, struct sct_offline_verdict *verdict)
{
	struct hearing hearing = {
		.judge = { .view = &rules->view, .prog = &rules->view.progs[prog] },
		.call = call,
		.verdict = verdict,
	};

	char *room = malloc((hearing.judge.prog->sources + 1) * SCT_STRING_MAX);

	hearing.room = room;
	memcpy(hearing.judge.args, call->args, sizeof(hearing.judge.args));
	verdict->unknowns = 0;
	sct_judge(&hearing.judge);
	free(room);
	verdict->matches = hearing.judge.matches;
	memcpy(verdict->matched, hearing.judge.matched, sizeof(verdict->matched));
}
