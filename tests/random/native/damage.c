// SPDX-License-Identifier: GPL-2.0-only
/*
 * Do the verifier and the judge stand damaged images?
 *
 *   damage MODE SEED < IMAGES
 *
 * IMAGES are images, each behind its length in 32 bits.  MODE:
 *
 *   take   as they are
 *   cut    cut off at every length, as they are and with their head made right
 *   flip   with every bit flipped, as they are and with their sum made right
 *   stir   with several numbers changed at a time, and their sum made right
 *
 * What is damaged and has its old sum must be refused.  What is accepted
 * judges calls made at random.  It is built with the address sanitizer, and
 * everything is in memory of exactly its size.  It is also built so that it
 * counts basic blocks (-fsanitize-coverage=trace-pc): their number must stay
 * within what the verifier says that the program costs.
 *
 * Prints how many images were accepted and how many were refused for each
 * SCT_ERROR_*; the most basic blocks for a step, in thousandths.
 */
#include <stdio.h>
#include "calls.h"

#define BLOCKS_FOR_A_STEP 128 /* a glob of stars takes about 70, which is most */
#define BLOCKS_FOR_A_CALL 64

static u64 blocks, most, counts[64];

__attribute__((no_sanitize_coverage)) void __sanitizer_cov_trace_pc(void);
void __sanitizer_cov_trace_pc(void)
{
	blocks++;
}

static void fail(const char *what, u64 where)
{
	fprintf(stderr, "%s (%llu)\n", what, (unsigned long long)where);
	abort();
}

static void judge(const struct sct_offline *rules, u32 index, const struct sct_prog *prog)
{
	struct sct_offline_verdict verdict = { .room = prog->insns };
	struct sct_offline_call call;

	draw_call(prog, &call);
	verdict.unknown = malloc(sizeof(u32) * verdict.room);
	blocks = 0;
	sct_offline_judge(rules, index, &call, &verdict);
	if (blocks > BLOCKS_FOR_A_CALL + (u64)BLOCKS_FOR_A_STEP * prog->cost)
		fail("it takes more steps than it says", blocks);
	if (1000 * blocks / (prog->cost + BLOCKS_FOR_A_CALL) > most)
		most = 1000 * blocks / (prog->cost + BLOCKS_FOR_A_CALL);
	if (verdict.matches > SCT_MATCHES_MAX || verdict.unknowns > prog->insns)
		fail("more verdicts than there can be", verdict.matches);
	free(verdict.unknown);
	free_call(&call);
}

/* Whether the image is accepted; then it judges some calls. */
static bool try(const unsigned char *image, u32 size, u32 calls)
{
	unsigned char *copy = malloc(size); /* to see reads behind its end */
	const struct sct_prog *prog;
	struct sct_offline *rules;
	struct sct_error error;
	u32 index, i;

	if (size)
		memcpy(copy, image, size);
	rules = sct_offline_open(copy, size, &error);
	free(copy);
	counts[error.code]++;
	if (!rules != !!error.code)
		fail("the error does not fit the result", error.code);
	if (!rules)
		return false;
	for (index = 0; (prog = sct_offline_prog(rules, index)); index++)
		for (i = 0; i < calls; i++)
			judge(rules, index, prog);
	sct_offline_close(rules);
	return true;
}

static void cut(const unsigned char *image, u32 size)
{
	unsigned char *copy = malloc(size);
	u32 to;

	for (to = 0; to < size; to++) {
		if (try(image, to, 0))
			fail("accepted, although it is cut short", to);
		memcpy(copy, image, size);
		((struct sct_image *)copy)->size = to;
		make_right(copy, to);
		try(copy, to, 1);
	}
	free(copy);
}

static void flip(const unsigned char *image, u32 size)
{
	unsigned char *copy = malloc(size);
	u64 bit;

	for (bit = 0; bit < 8ull * size; bit++) {
		memcpy(copy, image, size);
		copy[bit / 8] ^= 1u << bit % 8;
		if (try(copy, size, 0))
			fail("accepted, although a bit is wrong", bit);
		make_right(copy, size);
		try(copy, size, 2);
	}
	free(copy);
}

static void stir_once(unsigned char *copy, u32 size)
{
	static const u32 edges[] = { 0, 1, 2, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff,
				     0x7fffffff, 0x80000000, 0xffffffff };
	u32 value = draw() % 2 ? draw() % 40 : edges[draw() % ARRAY_SIZE(edges)];
	u32 width = 1u << draw() % 3, at = draw() % (size - 4);

	memcpy(copy + at / width * width, &value, width);
}

static void stir(const unsigned char *image, u32 size)
{
	unsigned char *copy = malloc(size);
	u32 round, changes;

	for (round = 0; round < 2000; round++) {
		memcpy(copy, image, size);
		for (changes = 1 + draw() % 3; changes; changes--)
			stir_once(copy, size);
		make_right(copy, size);
		try(copy, size, 1);
	}
	free(copy);
}

static void work(const char *mode, const unsigned char *image, u32 size)
{
	if (!strcmp(mode, "take"))
		try(image, size, 8);
	else if (!strcmp(mode, "cut"))
		cut(image, size);
	else if (!strcmp(mode, "flip"))
		flip(image, size);
	else if (!strcmp(mode, "stir"))
		stir(image, size);
	else
		fail("no such mode", 0);
}

int main(int argc, char **argv)
{
	unsigned char *image;
	u32 size, code;

	if (argc != 3)
		return 2;
	state = strtoull(argv[2], NULL, 0) * 0x9e3779b97f4a7c15ull | 1;
	while (fread(&size, sizeof(size), 1, stdin) == 1) {
		image = malloc(size);
		if (fread(image, 1, size, stdin) != size)
			fail("the image ends early", size);
		work(argv[1], image, size);
		free(image);
	}
	for (code = 0; code < ARRAY_SIZE(counts); code++)
		if (counts[code])
			printf("%u %llu\n", code, (unsigned long long)counts[code]);
	printf("blocks %llu\n", (unsigned long long)most);
	return 0;
}
