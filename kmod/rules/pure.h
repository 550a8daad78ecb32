/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What verify.c, flow.c, judge.c, glob.c and reading.c stand on: they are built into the module and,
 * unchanged, into a user-space library, where they are tested and fuzzed.
 */
#ifndef SCT_PURE_H
#define SCT_PURE_H

#ifdef __KERNEL__
#include <linux/build_bug.h>
#include <linux/errno.h>
#include <linux/limits.h>
#include <linux/kernel.h>
#include <linux/math64.h>
#include <linux/string.h>
#include <linux/types.h>
#else
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <linux/types.h>

typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
typedef __s32 s32;
typedef __s64 s64;

#define U64_MAX (~0ull)
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

static inline s64 div64_s64(s64 a, s64 b) { return a / b; }
static inline u64 div64_u64(u64 a, u64 b) { return a / b; }
#endif

/*
 * For what is written before it is read on the path of every watched call:
 * kernels that clear all automatic variables would spend more on it than the
 * rest takes.
 */
#define SCT_UNINITIALIZED __attribute__((uninitialized))

#include "../sct_abi.h"
#include "opcodes.h"

#endif
