// SPDX-License-Identifier: GPL-2.0-only
/*
 * Does a string match a glob?
 *
 * In two ways: a path's stars keep apart what "/" keeps apart.  Both go back
 * to where a star stands, never further, and so take at most as many steps as
 * pattern and text have bytes, multiplied.  Any bytes are a pattern.
 */
#include "program.h"

/* [a-z] at *pattern, behind the bracket: does it hold c?  Moves *pattern behind it. */
static bool set_holds(const char **pattern, const char *end, unsigned char c)
{
	const char *p = *pattern;
	bool negated = p < end && (*p == '!' || *p == '^');
	bool holds = false, first = true;
	unsigned char low, high;

	for (p += negated; p < end && (first || *p != ']'); first = false) {
		if (*p == '\\' && p + 1 < end)
			p++;
		low = high = *p++;
		if (p + 1 < end && *p == '-' && p[1] != ']') {
			p++;
			if (*p == '\\' && p + 1 < end)
				p++;
			high = *p++;
		}
		holds |= low <= c && c <= high;
	}
	*pattern = p < end ? p + 1 : p;
	return holds != negated;
}

/* One element of a pattern, no star, against one byte; moves *pattern behind it. */
static bool element_fits(const char **pattern, const char *end, unsigned char c)
{
	char element = *(*pattern)++;

	if (element == '?')
		return true;
	if (element == '[')
		return set_holds(pattern, end, c);
	if (element == '\\' && *pattern < end)
		element = *(*pattern)++;
	return (unsigned char)element == c;
}

/**
 * sct_glob() - does a glob match all of a text?
 * @pattern: see the opcode SGLOB
 * @plen: in bytes
 * @text: the text
 * @len: in bytes
 *
 * Goes back only to the last star: what an earlier one took does not matter
 * once a later one is reached.  At most plen * len steps.
 */
bool sct_glob(const char *pattern, size_t plen, const char *text, size_t len)
{
	const char *end = pattern + plen, *stop = text + len;
	const char *star = NULL, *resume = NULL;

	while (text < stop) {
		if (pattern < end && *pattern == '*') {
			star = ++pattern;
			resume = text;
		} else if (pattern < end && element_fits(&pattern, end, *text)) {
			text++;
		} else if (star) {
			pattern = star;
			text = ++resume;
		} else {
			return false;
		}
	}
	while (pattern < end && *pattern == '*')
		pattern++;
	return pattern == end;
}

/* The same of a path's pattern: only "/" itself, perhaps quoted, is a "/". */
static bool step_fits(const char **pattern, const char *end, unsigned char c)
{
	char element = **pattern;

	return element_fits(pattern, end, c) && (c != '/' || (element != '?' && element != '['));
}

/* Where the part of a path begins that follows the first "/" at or behind a place; -1 is a "/" before the path. */
static long next_part(const char *text, long len, long at)
{
	const char *slash;

	if (at < 0)
		return 0;
	slash = memchr(text + at, '/', len - at);
	return slash ? slash - text + 1 : len + 1;
}

/* Where what a path's pattern says goes on, should it not fit. */
struct retry {
	const char *star, *deep; /* behind the last "*", and the last "**" before it; NULL if there is none */
	long taken; /* up to here has "*" */
	long tried; /* from here on what follows "**" was compared last; -1: as if a "/" stood before the path */
};

/* Behind the stars at *pattern: what they can take.  Returns from where on the text is compared with what follows. */
static long take_stars(struct retry *retry, const char *first, const char **pattern, const char *end, long at)
{
	const char *stars = *pattern;
	bool below = stars == first || stars[-1] == '/';

	while (*pattern < end && **pattern == '*')
		(*pattern)++;
	if (*pattern - stars == 1) {
		retry->star = *pattern;
		retry->taken = at;
		return at;
	}
	retry->star = NULL;
	retry->deep = *pattern;
	/* In "a / ** / b" no directory at all may stand between: one "/" is both. */
	if (below && *pattern < end && **pattern == '/')
		at--;
	retry->tried = at;
	if (at >= 0)
		return at;
	(*pattern)++;
	return 0;
}

/*
 * The next place to compare from, or -1.  What follows "**" fits soonest where
 * it begins soonest, so that an earlier "**" never has to take more.  And if a
 * "*" met the end of its part of the path in vain, then so would it for all
 * beginnings in the same part as the one that was tried.
 */
static long go_back(struct retry *retry, const char **pattern, const char *text, long len)
{
	if (retry->star && retry->taken < len && text[retry->taken] != '/') {
		*pattern = retry->star;
		return ++retry->taken;
	}
	if (!retry->deep || (retry->star && retry->taken == len))
		return -1;
	retry->tried = retry->star ? next_part(text, len, retry->tried) : retry->tried + 1;
	if (retry->tried > len)
		return -1;
	retry->star = NULL;
	*pattern = retry->deep;
	return retry->tried;
}

/**
 * sct_path_glob() - does a glob match all of a path?
 * @pattern: see the opcode SPATH
 * @plen: in bytes
 * @text: the path
 * @len: in bytes
 */
bool sct_path_glob(const char *pattern, size_t plen, const char *text, size_t len)
{
	const char *first = pattern, *end = pattern + plen;
	struct retry retry = { NULL, NULL, 0, 0 };
	long at = 0;

	while (at >= 0) {
		if (pattern < end && *pattern == '*') {
			at = take_stars(&retry, first, &pattern, end, at);
			continue;
		}
		if (pattern == end && at == (long)len)
			return true;
		if (pattern < end && at < (long)len && step_fits(&pattern, end, text[at]))
			at++;
		else
			at = go_back(&retry, &pattern, text, len);
	}
	return false;
}
