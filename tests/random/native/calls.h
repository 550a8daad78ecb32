/* SPDX-License-Identifier: GPL-2.0-only */
/* Calls made at random for programs that may be anything, and images whose sum is made right. */
#ifndef CALLS_H
#define CALLS_H

#include <stdlib.h>
#include "../../../pysct/native/offline.h"

static u64 state; /* of the source of chance; not 0 */

static u64 draw(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

/* A string, mostly of one letter: what globs and searches find hardest. */
static struct sct_text draw_text(void)
{
	static const char letters[] = "aaaaaaaaaaaaab/*c-]\\\xff";
	u32 len = draw() % 16 ? draw() % 12 : draw() % SCT_STRING_MAX, kind = draw() % 8, i;
	char *bytes;

	if (kind < 2)
		return (struct sct_text) { .state = SCT_STATE_FAULT + draw() % 3 };
	bytes = malloc(len);
	for (i = 0; i < len; i++)
		bytes[i] = kind < 4 ? 'a' : letters[draw() % (sizeof(letters) - 1)];
	return (struct sct_text) { bytes, len, SCT_STATE_WHOLE };
}

/*
 * Memory of the caller: letters, small numbers, and addresses of itself.  One
 * area, of exactly its size: what is read behind it is seen.
 */
#define CALLER_AT 0x1000

static void draw_memory(struct sct_offline_call *call)
{
	struct sct_offline_area *area = malloc(sizeof(*area));
	u64 words[24];
	char *bytes;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(words); i++)
		words[i] = draw() % 2 ? draw() % 12 : draw() % 2 ? CALLER_AT + draw() % 64 : draw();
	*area = (struct sct_offline_area) { CALLER_AT, draw() % sizeof(words), NULL };
	bytes = malloc(area->size);
	if (area->size)
		memcpy(bytes, words, area->size);
	area->bytes = bytes;
	call->memory = area;
	call->areas = 1;
}

static u64 draw_register(void)
{
	if (draw() % 3 == 0)
		return CALLER_AT + draw() % 64;
	return draw() % 2 ? draw() : draw() % 3;
}

/* Few processes above the caller, now and then as many as are looked at, or one more. */
static void draw_ancestors(struct sct_offline_call *call)
{
	u32 i, at, count = draw() % 64 ? draw() % 4 : SCT_ANCESTORS_MAX + draw() % 2;
	struct sct_offline_process *above = malloc(count * sizeof(*above));

	for (i = 0; i < count; i++) {
		for (at = 0; at < SCT_FIELDS_OWN; at++) {
			above[i].fields[at] = draw() % 2 ? draw() : draw() % 3;
			above[i].known[at] = draw() % 8 > 0;
		}
		for (at = 0; at < SCT_TEXTS; at++)
			above[i].texts[at] = at < SCT_ARGS_MAX ? (struct sct_text) { 0 } : draw_text();
	}
	call->ancestors = above;
	call->count = count;
}

static void free_ancestors(struct sct_offline_call *call)
{
	u32 i, at;

	for (i = 0; i < call->count; i++)
		for (at = 0; at < SCT_TEXTS; at++)
			free((void *)call->ancestors[i].texts[at].bytes);
	free((void *)call->ancestors);
}

static void draw_call(const struct sct_prog *prog, struct sct_offline_call *call)
{
	u32 i;

	draw_memory(call);
	draw_ancestors(call);
	for (i = 0; i < SCT_ARGS_MAX; i++)
		call->args[i] = draw_register();
	for (i = 0; i < SCT_FIELDS_OWN; i++)
		call->fields[i] = draw() % 2 ? draw() : draw() % 3;
	for (i = 0; i < SCT_TEXTS; i++)
		call->texts[i] = i >= prog->nargs && i < SCT_ARGS_MAX ? (struct sct_text) { 0 } : draw_text();
	for (i = 0; i < SCT_ARGS_MAX; i++) {
		call->paths[i] = draw_text();
		call->descriptors[i] = draw_text();
	}
}

/* Give the texts of a call back. */
static void free_call(struct sct_offline_call *call)
{
	u32 i;

	for (i = 0; i < SCT_TEXTS; i++)
		free((void *)call->texts[i].bytes);
	for (i = 0; i < SCT_ARGS_MAX; i++) {
		free((void *)call->paths[i].bytes);
		free((void *)call->descriptors[i].bytes);
	}
	free_ancestors(call);
	free((void *)call->memory->bytes);
	free((void *)call->memory);
}

static void make_right(unsigned char *image, u32 size)
{
	struct sct_image *head = (struct sct_image *)image;
	const u32 behind = offsetof(struct sct_image, progs);

	if (size < sizeof(*head))
		return;
	head->crc = sct_judge_crc(image + behind, size - behind);
}

#endif
