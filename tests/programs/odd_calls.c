// SPDX-License-Identifier: GPL-2.0-only
/*
 * Do the system calls that return twice, elsewhere, late or never still do
 * what they should?  Prints a line for each, "fork ok"; exits with 1 at the
 * first that went wrong.
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define must(condition)                                                         \
	do {                                                                    \
		if (!(condition))                                               \
			err(1, "line %d: %s", __LINE__, #condition);            \
	} while (0)

static volatile sig_atomic_t caught;

static void handler(int number)
{
	caught = number;
}

static int ended(pid_t pid)
{
	int status;

	must(wait4(pid, &status, 0, NULL) == pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void test_fork(void)
{
	pid_t parent = getpid();
	pid_t pid = syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);

	if (pid == 0)
		syscall(SYS_exit_group, getppid() == parent && getpid() != parent ? 7 : 8);
	must(pid > 0 && ended(pid) == 7);
#ifdef SYS_fork
	pid = syscall(SYS_fork);
	if (pid == 0)
		_exit(9);
	must(pid > 0 && ended(pid) == 9);
#endif
}

static void test_vfork(void)
{
	volatile int shared = 1;
	pid_t pid = vfork();

	if (pid == 0) {
		shared = 2;
		_exit(3);
	}
	must(pid > 0 && shared == 2 && ended(pid) == 3);
}

static int thread(void *argument)
{
	*(volatile int *)argument = 5;
	syscall(SYS_exit, 0);
	return 0;
}

static void test_clone(void)
{
	static char stack[65536] __attribute__((aligned(16)));
	volatile int there = 0;
	pid_t pid = clone(thread, stack + sizeof(stack), CLONE_VM | CLONE_FILES | SIGCHLD, (void *)&there);

	must(pid > 0 && ended(pid) == 0 && there == 5);
}

static void test_execve(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		char *words[] = { "sh", "-c", "exit 11", NULL };

		must(execve("/nonexistent", words, environ) == -1 && errno == ENOENT);
		execve("/bin/sh", words, environ);
		_exit(12);
	}
	must(ended(pid) == 11);
}

/* exec by a thread that is not the leader: it takes over the leader's id. */
static int exec_in_thread(void *unused)
{
	char *words[] = { "sh", "-c", "exit 13", NULL };

	(void)unused;
	execve("/bin/sh", words, environ);
	return 0;
}

static void test_execve_thread(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		static char stack[65536] __attribute__((aligned(16)));

		clone(exec_in_thread, stack + sizeof(stack),
		      CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD, NULL);
		for (;;)
			pause();
	}
	must(ended(pid) == 13);
}

static void test_sigreturn(void)
{
	struct sigaction action = { .sa_handler = handler };
	volatile unsigned long a = 0x1122334455667788, b = 42;
	volatile double c = 1.25;

	must(sigaction(SIGUSR1, &action, NULL) == 0);
	for (int i = 0; i < 100; i++) {
		caught = 0;
		must(raise(SIGUSR1) == 0 && caught == SIGUSR1);
		must(a == 0x1122334455667788 && b == 42 && c == 1.25);
	}
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static void alarm_in(int milliseconds)
{
	struct sigaction action = { .sa_handler = handler };
	struct itimerval timer = { .it_value.tv_usec = milliseconds * 1000 };

	must(sigaction(SIGALRM, &action, NULL) == 0);
	must(setitimer(ITIMER_REAL, &timer, NULL) == 0);
}

static void test_nanosleep(void)
{
	struct timespec want = { 0, 200000000 }, rest = { 9, 9 };
	double start = now();

	must(syscall(SYS_nanosleep, &want, NULL) == 0 && now() - start >= 0.2);
	want = (struct timespec){ 20, 0 };
	alarm_in(200);
	must(syscall(SYS_nanosleep, &want, &rest) == -1 && errno == EINTR && rest.tv_sec <= 19 && rest.tv_sec > 10);
}

/* Stopped and continued, the kernel goes on with restart_syscall. */
static void test_restart(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		struct timespec want = { 0, 600000000 };
		double start = now();

		_exit(syscall(SYS_nanosleep, &want, NULL) == 0 && now() - start >= 0.6 ? 0 : 1);
	}
	usleep(200000);
	must(kill(pid, SIGSTOP) == 0);
	int status;
	must(waitpid(pid, &status, WUNTRACED) == pid && WIFSTOPPED(status));
	must(kill(pid, SIGCONT) == 0 && ended(pid) == 0);
}

static void test_wait4(void)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		usleep(300000);
		_exit(21);
	}
	must(syscall(SYS_wait4, pid, &status, WNOHANG, NULL) == 0);
	must(syscall(SYS_wait4, pid, &status, 0, NULL) == pid && WEXITSTATUS(status) == 21);
	must(syscall(SYS_wait4, -1, &status, 0, NULL) == -1 && errno == ECHILD);
}

/* A read that a signal interrupts starts again (SA_RESTART) and gets its byte. */
static void test_read(void)
{
	struct sigaction action = { .sa_handler = handler, .sa_flags = SA_RESTART };
	int ends[2];
	char byte = 0;

	must(pipe(ends) == 0 && sigaction(SIGUSR2, &action, NULL) == 0);
	pid_t parent = getpid(), pid = fork();

	if (pid == 0) {
		usleep(200000);
		kill(parent, SIGUSR2);
		usleep(200000);
		_exit(write(ends[1], "x", 1) == 1 ? 0 : 1);
	}
	must(syscall(SYS_read, ends[0], &byte, 1) == 1 && byte == 'x' && caught == SIGUSR2);
	must(ended(pid) == 0);
}

static void test_mmap(void)
{
	char *at = (char *)syscall(SYS_mmap, NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	must((long)at > 0xffff);
	memset(at, 1, 1 << 20);
	must(syscall(SYS_munmap, at, 1 << 20) == 0);
}

static void test_kill(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		syscall(SYS_kill, getpid(), SIGKILL);
		_exit(1);
	}
	must(ended(pid) == 128 + SIGKILL);
}

static void test_exit(void)
{
	for (int i = 0; i < 20; i++) {
		pid_t pid = fork();

		if (pid == 0)
			syscall(i % 2 ? SYS_exit : SYS_exit_group, i);
		must(ended(pid) == i);
	}
}

int main(void)
{
#define test(name)                          \
	do {                                \
		test_##name();              \
		puts(#name " ok");          \
		fflush(stdout);             \
	} while (0)
	test(fork);
	test(vfork);
	test(clone);
	test(execve);
	test(execve_thread);
	test(sigreturn);
	test(nanosleep);
	test(restart);
	test(wait4);
	test(read);
	test(mmap);
	test(kill);
	test(exit);
	return 0;
}
