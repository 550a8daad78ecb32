// SPDX-License-Identifier: GPL-2.0-only
/*
 * What does one system call answer, made with exactly these arguments?
 *
 *	call [-n TIMES] [-t THREADS] [-p MICROSECONDS] [-u R,E,S,FS] [-g R,E,S,FS]
 *	     CALL ARG...
 *
 * prints the result, "0" or "-1 EPERM", once for each different result and
 * with "N x " before it where there were several calls.  TIMES of 0 means:
 * until SIGTERM comes; "under way" is printed when every thread has an answer.
 * -p pauses after each call.  -u and -g set the real, effective, saved and
 * file-access ids first.  CALL is a name of the
 * table below or a number.  ARG is
 *
 *	123, -100, 0x10		a number
 *	bad			an address where nothing is
 *	kernel			an address of the kernel
 *	null			a null pointer
 *	s:TEXT			a string
 *	fresh:TEXT		in a page of a file that was mapped and never touched
 *	out:TEXT		in a page that has been written to swap space
 *	late:TEXT		in a page that another thread supplies when it is asked for
 *	cross:TEXT		across a page boundary
 *	crossfresh:TEXT		the same, the second page never touched
 *	edge:TEXT		its NUL is the last byte before an unmapped page
 *	open:TEXT		without a NUL, right before an unmapped page
 *	long:N			a path of N bytes that means ./x
 *	flip:AB			64 bytes that another thread makes all A, then all B, and so on
 *	file:NAME		in a page of this file: who writes there changes it
 *	list:ARG		the strings "list" and ARG, whose addresses and the null behind them end a page
 *
 * TEXT of hex=0102ff is these bytes, without a NUL behind them.
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

static const struct {
	const char *name;
	long nr;
} calls[] = {
#ifdef SYS_unlink
	{ "unlink", SYS_unlink }, { "open", SYS_open }, { "rmdir", SYS_rmdir },
	{ "mkdir", SYS_mkdir }, { "access", SYS_access }, { "rename", SYS_rename },
#endif
	{ "unlinkat", SYS_unlinkat }, { "openat", SYS_openat }, { "mkdirat", SYS_mkdirat },
	{ "getppid", SYS_getppid }, { "getpid", SYS_getpid }, { "chdir", SYS_chdir },
	{ "close", SYS_close }, { "dup", SYS_dup }, { "lseek", SYS_lseek },
	{ "kill", SYS_kill }, { "umask", SYS_umask }, { "renameat2", SYS_renameat2 },
	{ "connect", SYS_connect }, { "bind", SYS_bind }, { "sendto", SYS_sendto },
	{ "openat2", SYS_openat2 }, { "fstat", SYS_fstat }, { "statx", SYS_statx },
	{ "prlimit64", SYS_prlimit64 }, { "uname", SYS_uname }, { "clone3", SYS_clone3 },
	{ "socket", SYS_socket }, { "write", SYS_write }, { "pwrite64", SYS_pwrite64 },
	{ "read", SYS_read }, { "pread64", SYS_pread64 }, { "execve", SYS_execve },
	{ "getpriority", SYS_getpriority }, { "truncate", SYS_truncate }, { "faccessat", SYS_faccessat }, { "alarm",
#ifdef SYS_alarm
	SYS_alarm
#else
	-1
#endif
	},
};

enum { PAGE = 4096, RESULTS = 16 };

static long nr, args[6];
static long times = 1, threads = 1, pause_for;
static volatile sig_atomic_t enough;
static pthread_barrier_t start;
static atomic_long under_way;

static void stop(int number)
{
	(void)number;
	enough = 1;
}

static struct {
	long result;
	int error;
	atomic_long count;
} results[RESULTS];
static pthread_mutex_t results_lock = PTHREAD_MUTEX_INITIALIZER;

static void count(long result, int error)
{
	pthread_mutex_lock(&results_lock);
	for (int i = 0; i < RESULTS; i++) {
		if (results[i].count && (results[i].result != result || results[i].error != error))
			continue;
		results[i].result = result;
		results[i].error = error;
		results[i].count++;
		break;
	}
	pthread_mutex_unlock(&results_lock);
}

static void *run(void *unused)
{
	(void)unused;
	pthread_barrier_wait(&start);
	for (long i = 0; (times == 0 || i < times) && !enough; i++) {
		errno = 0;
		long result = syscall(nr, args[0], args[1], args[2], args[3], args[4], args[5]);

		count(result, result == -1 ? errno : 0);
		if (times == 0 && i == 0 && ++under_way == threads) {
			puts("under way");
			fflush(stdout);
		}
		if (pause_for)
			usleep(pause_for);
	}
	return NULL;
}

static char *map(size_t pages, int fd)
{
	char *at = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | (fd < 0 ? MAP_ANONYMOUS : 0), fd, 0);

	if (at == MAP_FAILED)
		err(2, "mmap");
	return at;
}

/* What is put into memory. */
struct bytes {
	const char *at;
	size_t count;
};

static struct bytes bytes_of(const char *text)
{
	struct bytes bytes = { text, strlen(text) + 1 };
	char *at;

	if (strncmp(text, "hex=", 4))
		return bytes;
	text += 4;
	bytes.count = strlen(text) / 2;
	bytes.at = at = malloc(bytes.count + 1);
	for (size_t i = 0; i < bytes.count; i++)
		if (sscanf(text + 2 * i, "%2hhx", at + i) != 1)
			errx(2, "%s: what bytes are these?", text);
	return bytes;
}

static char *map_file(struct bytes bytes, size_t skip)
{
	int fd = memfd_create("call", 0);

	if (fd < 0 || pwrite(fd, bytes.at, bytes.count, skip) < 0 || ftruncate(fd, 2 * PAGE) < 0)
		err(2, "memfd");
	return map(2, fd) + skip;
}

static char *map_named(const char *name)
{
	int fd = open(name, O_RDONLY);

	if (fd < 0)
		err(2, "%s", name);
	return map(1, fd);
}

static char *map_out(struct bytes bytes)
{
	char *at = map(1, -1);
	unsigned char resident = 1;

	memcpy(at, bytes.at, bytes.count);
	for (int i = 0; i < 100 && resident & 1; i++) {
		if (madvise(at, PAGE, MADV_PAGEOUT) < 0 || mincore(at, PAGE, &resident) < 0)
			err(2, "MADV_PAGEOUT");
		usleep(10000);
	}
	if (resident & 1)
		errx(2, "the page does not go out; is there swap space?");
	return at;
}

static struct late {
	int fd;
	struct bytes bytes;
	char *page;
} late;

static void *supply(void *unused)
{
	static char page[PAGE] __attribute__((aligned(PAGE)));
	struct uffd_msg message;

	(void)unused;
	if (read(late.fd, &message, sizeof(message)) != sizeof(message))
		err(2, "userfaultfd");
	usleep(200000);
	memcpy(page, late.bytes.at, late.bytes.count);
	struct uffdio_copy copy = { .dst = (unsigned long)late.page, .src = (unsigned long)page, .len = PAGE };

	if (ioctl(late.fd, UFFDIO_COPY, &copy) < 0)
		err(2, "UFFDIO_COPY");
	return NULL;
}

static char *map_late(struct bytes bytes)
{
	struct uffdio_api api = { .api = UFFD_API };
	pthread_t thread;

	late.bytes = bytes;
	late.page = map(1, -1);
	late.fd = syscall(SYS_userfaultfd, O_CLOEXEC);
	struct uffdio_register range = {
		.range = { .start = (unsigned long)late.page, .len = PAGE },
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};

	if (late.fd < 0 || ioctl(late.fd, UFFDIO_API, &api) < 0 || ioctl(late.fd, UFFDIO_REGISTER, &range) < 0)
		err(2, "userfaultfd");
	if (pthread_create(&thread, NULL, supply, NULL))
		errx(2, "pthread_create");
	return late.page;
}

static char *map_edge(struct bytes bytes)
{
	char *at = map(2, -1);

	if (munmap(at + PAGE, PAGE) < 0)
		err(2, "munmap");
	return memcpy(at + PAGE - bytes.count, bytes.at, bytes.count);
}

static struct {
	char bytes[2];
	char *at;
} flipped;

static void *flip(void *unused)
{
	(void)unused;
	for (unsigned int i = 0;; i++)
		memset(flipped.at, flipped.bytes[i % 2], 64);
	return NULL;
}

static char *map_flipped(struct bytes bytes)
{
	pthread_t thread;

	memcpy(flipped.bytes, bytes.at, sizeof(flipped.bytes));
	flipped.at = map(1, -1);
	memset(flipped.at, flipped.bytes[0], 64);
	if (pthread_create(&thread, NULL, flip, NULL))
		errx(2, "pthread_create");
	return flipped.at;
}

static char *long_path(size_t bytes)
{
	char *at = calloc(1, bytes + 1);

	memset(at, '/', bytes);
	at[0] = '.';
	at[bytes - 1] = 'x';
	return at;
}

static long argument(const char *word)
{
	const char *text = strchr(word, ':');
	size_t kind = text ? (size_t)(text++ - word) : strlen(word);
	struct bytes bytes = bytes_of(text ? text : "");

#define is(name) (kind == strlen(name) && !strncmp(word, name, kind))
	if (is("bad"))
		return 0x1000;
	if (is("kernel"))
		return -(2L << 30);
	if (is("null"))
		return 0;
	if (is("s"))
		return (long)bytes.at;
	if (is("fresh"))
		return (long)map_file(bytes, 0);
	if (is("out"))
		return (long)map_out(bytes);
	if (is("late"))
		return (long)map_late(bytes);
	if (is("cross"))
		return (long)memcpy(map(2, -1) + PAGE - bytes.count / 2, bytes.at, bytes.count);
	if (is("crossfresh")) {
		char *at = map_file(bytes, PAGE - bytes.count / 2);

		*(volatile char *)at; /* the first page is there, the second is not */
		return (long)at;
	}
	if (is("edge"))
		return (long)map_edge(bytes);
	if (is("open"))
		return (long)map_edge((struct bytes){ bytes.at, bytes.count - 1 });
	if (is("file"))
		return (long)map_named(text);
	if (is("list")) {
		const long words[] = { (long)"list", argument(text), 0 };

		return (long)map_edge((struct bytes){ (const char *)words, sizeof(words) });
	}
	if (is("flip"))
		return (long)map_flipped(bytes);
	if (is("long"))
		return (long)long_path(strtoul(text, NULL, 0));
	char *end;
	long number = strtol(word, &end, 0);

	if (*end || end == word)
		errx(2, "%s: what argument is this?", word);
	return number;
}

static long call_number(const char *word)
{
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		if (!strcmp(calls[i].name, word))
			return calls[i].nr;
	char *end;
	long number = strtol(word, &end, 0);

	if (*end || end == word)
		errx(2, "%s: no such call in my table", word);
	return number;
}

static void become(const char *uids, const char *gids)
{
	unsigned int r, e, s, fs;

	if (gids) {
		if (sscanf(gids, "%u,%u,%u,%u", &r, &e, &s, &fs) != 4 || setresgid(r, e, s))
			err(2, "-g %s", gids);
		setfsgid(fs);
	}
	if (uids) {
		if (sscanf(uids, "%u,%u,%u,%u", &r, &e, &s, &fs) != 4 || setresuid(r, e, s))
			err(2, "-u %s", uids);
		setfsuid(fs);
	}
}

int main(int argc, char **argv)
{
	const char *uids = NULL, *gids = NULL;
	int option;

	while ((option = getopt(argc, argv, "+n:t:p:u:g:")) != -1) {
		if (option == 'n')
			times = atol(optarg);
		else if (option == 't')
			threads = atol(optarg);
		else if (option == 'p')
			pause_for = atol(optarg);
		else if (option == 'u')
			uids = optarg;
		else if (option == 'g')
			gids = optarg;
		else
			return 2;
	}
	if (optind == argc || argc - optind > 7)
		errx(2, "CALL and up to six arguments");
	nr = call_number(argv[optind]);
	for (int i = 0; optind + 1 + i < argc; i++)
		args[i] = argument(argv[optind + 1 + i]);

	pthread_t thread[threads];

	if (times == 0)
		signal(SIGTERM, stop);
	pthread_barrier_init(&start, NULL, threads);
	become(uids, gids);
	if (threads == 1) {
		run(NULL);
	} else {
		for (int i = 0; i < threads; i++)
			if (pthread_create(&thread[i], NULL, run, NULL))
				errx(2, "pthread_create");
		for (int i = 0; i < threads; i++)
			pthread_join(thread[i], NULL);
	}
	for (int i = 0; i < RESULTS && results[i].count; i++) {
		if (times * threads != 1)
			printf("%ld x ", results[i].count);
		printf(results[i].error ? "%ld %s\n" : "%ld\n", results[i].result,
		       strerrorname_np(results[i].error));
	}
	return 0;
}
