/* SPDX-License-Identifier: GPL-2.0-only */
/* Rules outside the kernel: the module's own verifier and judge, for user space. */
#ifndef SCT_OFFLINE_H
#define SCT_OFFLINE_H

#include "../../kmod/rules/program.h"

/* Some memory of the caller. */
struct sct_offline_area {
	u64 at;
	u64 size;
	const char *bytes;
};

/**
 * struct sct_offline_process - a process above the caller
 * @fields: values of the fields of type int, by the number that the caller's have
 * @known: whether there is one, by the same
 * @texts: what the fields of type str say, by place
 */
struct sct_offline_process {
	s64 fields[SCT_FIELDS_OWN];
	u8 known[SCT_FIELDS_OWN];
	struct sct_text texts[SCT_TEXTS];
};

/**
 * struct sct_offline_call - a call to be judged
 * @args: the argument registers
 * @fields: values of the fields of type int, by number
 * @texts: what the string operands say, by place; see sct_text_place()
 * @memory: of the caller; what is nowhere in it cannot be read
 * @areas: how many there are
 * @paths: where the arguments lead that are paths
 * @descriptors: where those lead that are descriptors, and behind them the result
 * @ancestors: the processes above the caller, the nearest first
 * @count: how many these are
 */
struct sct_offline_call {
	u64 args[SCT_ARGS_MAX];
	s64 fields[SCT_FIELDS_OWN];
	struct sct_text texts[SCT_TEXTS];
	const struct sct_offline_area *memory;
	u32 areas;
	struct sct_text paths[SCT_ARGS_MAX], descriptors[SCT_ARGS_MAX + 1];
	const struct sct_offline_process *ancestors;
	u32 count;
};

/**
 * struct sct_offline_verdict - what came of it
 * @matches: how many rules matched
 * @matched: their indices, in order
 * @unknowns: how many rules were neither true nor false
 * @unknown: their indices, in order, as many as there is room for
 * @room: in @unknown; set by the caller, as @unknown is
 */
struct sct_offline_verdict {
	u32 matches;
	u32 matched[SCT_MATCHES_MAX];
	u32 unknowns;
	u32 room;
	u32 *unknown;
};

struct sct_offline;

struct sct_offline *sct_offline_open(const void *image, size_t size, struct sct_error *error);
void sct_offline_close(struct sct_offline *rules);
const struct sct_prog *sct_offline_prog(const struct sct_offline *rules, u32 index);
int sct_offline_find(const struct sct_offline *rules, u32 abi, u32 nr, u32 phase);
void sct_offline_judge(const struct sct_offline *rules, u32 prog,
		       const struct sct_offline_call *call, struct sct_offline_verdict *verdict);

#endif
