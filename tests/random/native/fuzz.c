// SPDX-License-Identifier: GPL-2.0-only
/*
 * Does libFuzzer find an image that the verifier takes, and that then does harm?
 *
 * Built with the address and undefined behaviour sanitizers; everything is in
 * memory of exactly its size.  What is accepted judges calls made at random,
 * the same each time for the same image.
 */
#include "calls.h"

#define CALLS 4 /* for each program */

int LLVMFuzzerTestOneInput(const u8 *image, size_t size);
size_t LLVMFuzzerCustomMutator(u8 *image, size_t size, size_t most, unsigned int seed);
size_t LLVMFuzzerMutate(u8 *image, size_t size, size_t most);

static void judge(const struct sct_offline *rules, u32 index, const struct sct_prog *prog)
{
	struct sct_offline_verdict verdict = { .room = prog->insns };
	struct sct_offline_call call;

	draw_call(prog, &call);
	verdict.unknown = malloc(sizeof(u32) * verdict.room);
	sct_offline_judge(rules, index, &call, &verdict);
	if (verdict.matches > SCT_MATCHES_MAX || verdict.unknowns > prog->insns)
		abort();
	free(verdict.unknown);
	free_call(&call);
}

int LLVMFuzzerTestOneInput(const u8 *image, size_t size)
{
	const struct sct_prog *prog;
	struct sct_offline *rules;
	struct sct_error error;
	u32 index, i;

	state = sct_judge_crc(image, size) | 1;
	rules = sct_offline_open(image, size, &error);
	if (!rules != !!error.code)
		abort();
	if (!rules)
		return 0;
	for (index = 0; (prog = sct_offline_prog(rules, index)); index++)
		for (i = 0; i < CALLS; i++)
			judge(rules, index, prog);
	sct_offline_close(rules);
	return 0;
}

/*
 * Sections lie one behind the other: most of what moves bytes is refused early,
 * so numbers are changed in place as well.
 */
static void change_number(u8 *image, size_t size)
{
	u32 value = draw() % 2 ? draw() % 48 : draw();
	u32 width = 1u << draw() % 3;

	memcpy(image + draw() % (size / width) * width, &value, width);
}

size_t LLVMFuzzerCustomMutator(u8 *image, size_t size, size_t most, unsigned int seed)
{
	u32 changes;

	state = 2 * (u64)seed + 1;
	draw();
	if (size < sizeof(struct sct_image) || draw() % 4 == 0) {
		size = LLVMFuzzerMutate(image, size, most);
	} else {
		for (changes = 1 + draw() % 3; changes; changes--)
			change_number(image, size);
	}
	if (size >= sizeof(struct sct_image) && draw() % 16) {
		((struct sct_image *)image)->size = size;
		make_right(image, size);
	}
	return size;
}
