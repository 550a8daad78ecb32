/* SPDX-License-Identifier: GPL-2.0-only */
/* Which number do these decimal digits mean? */
static word number(const char *from)
{
	word value = 0;

	while (*from)
		value = value * 10 + *from++ - '0';
	return value;
}
