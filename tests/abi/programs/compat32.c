// SPDX-License-Identifier: GPL-2.0-only
/*
 * What do the devices answer to a 32-bit program?
 *
 *	compat32 < IMAGE
 *
 * prints a line for each request: its name, the result, and what it was told.
 * Built without a C library, which need not be there for 32 bits.
 */
#include <asm/ioctl.h>
#include "../../../kmod/sct_abi.h"

enum { NR_EXIT = 1, NR_READ = 3, NR_WRITE = 4, NR_OPEN = 5, NR_CHDIR = 12, NR_IOCTL = 54 };
enum { READ_ONLY = 0, READ_WRITE = 2, NONBLOCK = 04000 };

static char image[1 << 16], copy[1 << 16];
static __u32 size;
static int control;

static long call(long nr, long a, long b, long c)
{
#ifdef __i386__
	long result;

	asm volatile("int $0x80" : "=a"(result) : "a"(nr), "b"(a), "c"(b), "d"(c) : "memory");
	return result;
#else
	register long number asm("r7") = nr, first asm("r0") = a, second asm("r1") = b, third asm("r2") = c;

	asm volatile("svc #0" : "+r"(first) : "r"(number), "r"(second), "r"(third) : "memory");
	return first;
#endif
}

static void put(const char *text)
{
	long length = 0;

	while (text[length])
		length++;
	call(NR_WRITE, 1, (long)text, length);
}

static void put_number(long number)
{
	char digits[16], *at = digits + sizeof(digits);
	unsigned long left = number < 0 ? -(unsigned long)number : number;

	*--at = 0;
	do
		*--at = '0' + left % 10;
	while (left /= 10);
	put(number < 0 ? " -" : " ");
	put(at);
}

static void tell(const char *name, long result, long first, long second)
{
	put(name);
	put_number(result);
	put_number(first);
	put_number(second);
	put("\n");
}

static long ask(unsigned long request, void *argument)
{
	return call(NR_IOCTL, control, request, (long)argument);
}

static void upload(const char *name, __u64 address, __u32 flags)
{
	struct sct_upload upload = { .image = address, .size = size, .flags = flags };
	long result = ask(SCT_IOC_UPLOAD, &upload);

	tell(name, result, upload.generation, upload.error.code);
}

static void download(const char *name, __u32 room)
{
	struct sct_download download = { .buffer = (unsigned long)copy, .size = room };
	long result = ask(SCT_IOC_DOWNLOAD, &download), same = 1;
	__u32 at;

	for (at = 0; at < size; at++)
		same &= copy[at] == image[at];
	tell(name, result, download.size == size, same);
}

static void list(void)
{
	static struct sct_counters counters[4];
	struct sct_list list = { .what = SCT_LIST_COUNTERS, .count = 4, .buffer = (unsigned long)counters };
	long result = ask(SCT_IOC_LIST, &list);

	tell("list", result, list.total, counters[0].matched);
}

static void read_log(void)
{
	long reader = call(NR_OPEN, (long)"/dev/" SCT_LOG_NAME, READ_ONLY | NONBLOCK, 0);

	tell("log", call(NR_READ, reader, (long)copy, sizeof(copy)), reader >= 0, 0);
}

void _start(void)
{
	struct sct_version version = { 0 };
	long got;

	while ((got = call(NR_READ, 0, (long)image + size, sizeof(image) - size)) > 0)
		size += got;
	control = call(NR_OPEN, (long)"/dev/" SCT_CONTROL_NAME, READ_WRITE, 0);
	upload("upload", (unsigned long)image, 0);
	got = ask(SCT_IOC_VERSION, &version);
	tell("version", got, version.abi, version.generation);
	upload("high", (unsigned long)image | 1ull << 32, 0);
	upload("dry", (unsigned long)image, SCT_UPLOAD_DRY_RUN);
	download("short", size - 1);
	download("download", sizeof(copy));
	list();
	tell("unknown", ask(_IO(0xc7, 9), 0), 0, 0);
	tell("nowhere", ask(SCT_IOC_VERSION, (void *)0xfffff000), 0, 0);
	tell("null", ask(SCT_IOC_UPLOAD, 0), 0, 0);
	tell("chdir", call(NR_CHDIR, (long)"/held/by/a/rule", 0, 0), 0, 0);
	list();
	read_log();
	call(NR_EXIT, 0, 0, 0);
}
