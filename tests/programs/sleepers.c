// SPDX-License-Identifier: GPL-2.0-only
/*
 * Does a call that is waited in for long return what it should, whatever goes on meanwhile?
 *
 *	sleepers WAY
 *
 * A thread waits in a call again and again.  For each line of standard input
 * what it waits for happens; then the program prints how often the call has
 * returned and how often of these with EINTR.  At the end of the input it ends
 * with 0.  It ends at once with 1, and says why, if a call returns what it
 * should not.  WAY is
 *
 *	read, poll, epoll	until there is something in a pipe
 *	nanosleep		from 10 ms to 1 s, whatever happens
 *	futex			until the word is another one
 *	wait4			until a child has ended
 *	vfork			until the child, which shares the memory, runs a program
 *	ptrace			a child, stopped by us inside of fork
 *	msgrcv, semop, sigtimedwait	until another thread sends what their names say
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/sem.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { CODE = 7 };

static const char *self;
static int ends[2]; /* of a pipe: what comes out of it is what happens */
static atomic_int word;
static int queue = -1, set = -1, epoll = -1;
static pthread_t sleeper;
static volatile int over;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t returned = PTHREAD_COND_INITIALIZER;
static long rounds, interrupted;

static void expect(const char *what, long found, long wanted)
{
	if (found == wanted)
		return;
	while (over)
		pause();
	printf("%s: %ld (errno %d) in place of %ld\n", what, found, errno, wanted);
	fflush(stdout);
	_exit(1);
}

static void put(char byte)
{
	expect("write", write(ends[1], &byte, 1), 1);
}

static char take(void)
{
	char byte = 0;

	expect("read", read(ends[0], &byte, 1), 1);
	return byte;
}

/* A call that has to return @wanted, or is interrupted and then made again. */
#define made(call, wanted) \
	do { \
		long result; \
		while ((result = (call)) == -1 && errno == EINTR) { \
			pthread_mutex_lock(&lock); \
			interrupted++; \
			pthread_mutex_unlock(&lock); \
		} \
		expect(#call, result, wanted); \
	} while (0)

static void in_read(void)
{
	char byte = 0;

	made(read(ends[0], &byte, 1), 1);
	expect("what was read", byte, CODE);
}

static void in_poll(void)
{
	struct pollfd file = { ends[0], POLLIN, 0 };

	made(poll(&file, 1, -1), 1);
	expect("revents", file.revents, POLLIN);
	expect("what was polled", take(), CODE);
}

static void in_epoll(void)
{
	struct epoll_event event = { 0 };

	made(epoll_wait(epoll, &event, 1, -1), 1);
	expect("event", event.data.u32, CODE);
	expect("what was polled", take(), CODE);
}

static long now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000000L + time.tv_nsec / 1000;
}

static void in_nanosleep(void)
{
	static const long lengths[] = { 10000, 1000000, 300000, 50000 };
	long length = lengths[rounds % 4], began = now();
	struct timespec time = { length / 1000000, length % 1000000 * 1000 };

	made(syscall(SYS_nanosleep, &time, NULL), 0);
	expect("slept long enough", now() - began >= length, 1);
}

static void in_futex(void)
{
	static int seen;
	long result;

	while (word == seen) {
		result = syscall(SYS_futex, &word, FUTEX_WAIT, seen, NULL, NULL, 0);
		if (result == -1 && errno == EINTR)
			interrupted++;
		else if (result != -1 || errno != EAGAIN)
			expect("futex", result, 0);
	}
	seen++;
}

/* A child does not outlive us. */
static void bind(void)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
}

static void in_wait4(void)
{
	int status = 0;
	pid_t child = fork();

	if (!child) {
		bind();
		_exit(take());
	}
	expect("fork", child > 0, 1);
	made(wait4(child, &status, 0, NULL), child);
	expect("exit status", WEXITSTATUS(status), CODE);
}

static void in_vfork(void)
{
	int status = 0;
	pid_t child = vfork();

	if (!child) {
		char byte;

		bind();
		if (read(ends[0], &byte, 1) == 1)
			execl("/proc/self/exe", self, "exit", NULL);
		_exit(99);
	}
	expect("vfork", child > 0, 1);
	made(waitpid(child, &status, 0), child);
	expect("exit status", WEXITSTATUS(status), CODE);
}

/* The child's: fork again and again, and leave each result where the other one can see it. */
static void fork_for_ever(volatile pid_t *result)
{
	for (;;) {
		pid_t child = fork();

		if (!child)
			_exit(CODE);
		*result = child;
		waitpid(child, NULL, 0);
	}
}

static pid_t wait_for_stop(pid_t pid, int event)
{
	int status;

	do
		expect("waitpid", waitpid(pid, &status, __WALL), pid);
	while (WIFSTOPPED(status) && status >> 16 != event && !ptrace(PTRACE_CONT, pid, 0,
	       status >> 16 ? 0 : WSTOPSIG(status)));
	expect("stopped", WIFSTOPPED(status), 1);
	return pid;
}

static void in_ptrace(void)
{
	static volatile pid_t *result;
	static pid_t tracee;
	unsigned long born = 0;
	int i;

	if (!tracee) {
		result = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
		tracee = fork();
		if (!tracee) {
			bind();
			while (!*result)
				usleep(1000);
			fork_for_ever(result);
		}
		expect("PTRACE_SEIZE", ptrace(PTRACE_SEIZE, tracee, 0, PTRACE_O_TRACEFORK | PTRACE_O_EXITKILL), 0);
		*result = 1;
	}
	wait_for_stop(tracee, PTRACE_EVENT_FORK);
	expect("PTRACE_GETEVENTMSG", ptrace(PTRACE_GETEVENTMSG, tracee, 0, &born), 0);
	take();
	wait_for_stop(born, PTRACE_EVENT_STOP);
	expect("PTRACE_DETACH", ptrace(PTRACE_DETACH, born, 0, 0), 0);
	expect("PTRACE_CONT", ptrace(PTRACE_CONT, tracee, 0, 0), 0);
	for (i = 0; *result != (pid_t)born && i < 2000; i++)
		usleep(10000);
	expect("result of fork", *result, born);
}

static void in_msgrcv(void)
{
	struct { long type; char text[8]; } message = { 0 };

	made(msgrcv(queue, &message, sizeof(message.text), 0, 0), 1);
	expect("message", message.text[0], CODE);
}

static void in_semop(void)
{
	struct sembuf down = { 0, -1, 0 };

	made(semop(set, &down, 1), 0);
}

static void in_sigtimedwait(void)
{
	struct timespec time = { 100000, 0 };
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGUSR1);
	made(sigtimedwait(&signals, NULL, &time), SIGUSR1);
}

static void wake_pipe(void)
{
	put(CODE);
}

static void wake_not(void)
{
}

static void wake_futex(void)
{
	word++;
	syscall(SYS_futex, &word, FUTEX_WAKE, 1, NULL, NULL, 0);
}

static void wake_msgrcv(void)
{
	struct { long type; char text[8]; } message = { 1, { CODE } };

	expect("msgsnd", msgsnd(queue, &message, 1, 0), 0);
}

static void wake_semop(void)
{
	struct sembuf up = { 0, 1, 0 };

	expect("semop", semop(set, &up, 1), 0);
}

static void wake_sigtimedwait(void)
{
	pthread_kill(sleeper, SIGUSR1);
}

static const struct way {
	const char *name;
	void (*wait)(void);
	void (*wake)(void);
} ways[] = {
	{ "read", in_read, wake_pipe }, { "poll", in_poll, wake_pipe },
	{ "epoll", in_epoll, wake_pipe }, { "nanosleep", in_nanosleep, wake_not },
	{ "futex", in_futex, wake_futex }, { "wait4", in_wait4, wake_pipe },
	{ "vfork", in_vfork, wake_pipe }, { "ptrace", in_ptrace, wake_pipe },
	{ "msgrcv", in_msgrcv, wake_msgrcv }, { "semop", in_semop, wake_semop },
	{ "sigtimedwait", in_sigtimedwait, wake_sigtimedwait },
};

static void *sleep_on(void *of)
{
	const struct way *way = of;

	for (;;) {
		way->wait();
		pthread_mutex_lock(&lock);
		rounds++;
		pthread_cond_broadcast(&returned);
		pthread_mutex_unlock(&lock);
	}
	return NULL;
}

static const struct way *find(const char *name)
{
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		if (!strcmp(ways[i].name, name))
			return &ways[i];
	exit(2);
}

static void prepare(void)
{
	struct epoll_event event = { .events = EPOLLIN, .data.u32 = CODE };
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGUSR1);
	/* It would stop a traced process once more. */
	sigaddset(&signals, SIGCHLD);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	expect("pipe", pipe2(ends, O_CLOEXEC), 0);
	epoll = epoll_create1(EPOLL_CLOEXEC);
	expect("epoll_ctl", epoll_ctl(epoll, EPOLL_CTL_ADD, ends[0], &event), 0);
	queue = msgget(IPC_PRIVATE, 0600);
	set = semget(IPC_PRIVATE, 1, 0600);
	expect("message queue and semaphore", queue >= 0 && set >= 0, 1);
}

int main(int argc, char **argv)
{
	char line[80];

	if (argc != 2)
		return 2;
	if (!strcmp(argv[1], "exit"))
		return CODE;
	self = argv[0];
	const struct way *way = find(argv[1]);

	prepare();
	expect("pthread_create", pthread_create(&sleeper, NULL, sleep_on, (void *)way), 0);
	while (fgets(line, sizeof(line), stdin)) {
		pthread_mutex_lock(&lock);
		long before = rounds;

		way->wake();
		while (rounds == before)
			pthread_cond_wait(&returned, &lock);
		printf("%ld %ld\n", rounds, interrupted);
		fflush(stdout);
		pthread_mutex_unlock(&lock);
	}
	over = 1;
	msgctl(queue, IPC_RMID, NULL);
	semctl(set, 0, IPC_RMID);
	_exit(0);
}
