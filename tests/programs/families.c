// SPDX-License-Identifier: GPL-2.0-only
/*
 * Is a call judged by those above its caller while these come and go?
 *
 *	families SECONDS
 *
 * starts families whose members end, are left alone, and take another program
 * from a thread.  Each makes calls, which all have to fail with EACCES: a rule
 * refuses them to whoever is below this program, which all of them are for as
 * long as they live.  Ends with 1 if one did not, and says how it ended.
 * "families -" is a member that has taken another program.
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define AT_ONCE 12 /* families */

static unsigned int chance; /* its state */

static void call(unsigned int times)
{
	while (times--) {
		syscall(SYS_getppid);
		if (syscall(SYS_unlinkat, AT_FDCWD, "./family", 0) != -1 || errno != EACCES)
			errx(1, "unlinkat: %s", strerror(errno));
	}
}

static unsigned int draw(unsigned int below)
{
	chance = chance * 1664525 + 1013904223;
	return (chance >> 16) % below;
}

static void *outlive(void *unused)
{
	pid_t child = fork();

	call(20);
	if (child)
		_exit(0);
	call(20);
	_exit(0);
}

static void *turn_into_another(void *unused)
{
	execl("/proc/self/exe", "families", "-", NULL);
	err(1, "execl");
}

/* Start a thread; the one that starts it goes on with calls, or ends. */
static _Noreturn void start(void *(*thread)(void *), int ends)
{
	pthread_t id;

	if (pthread_create(&id, NULL, thread, NULL))
		err(1, "pthread_create");
	if (ends)
		syscall(SYS_exit, 0);
	for (;;)
		call(1);
}

/* Wait for all children, also for those that were left alone below us; did all end well? */
static int await_all(void)
{
	int status, well = 1;

	while (wait(&status) > 0)
		well &= WIFEXITED(status) && !WEXITSTATUS(status);
	return well;
}

/* Be the first of a family, and all that are below. */
static _Noreturn void live(void)
{
	unsigned int below;
	pid_t child = 0;

	chance = getpid() * 2654435761u;
	for (below = draw(6); below && !child; below--)
		child = fork();
	if (child < 0)
		err(1, "fork");
	chance = getpid() * 2654435761u;
	prctl(PR_SET_NAME, "member");
	switch (draw(5)) {
	case 0:
		start(outlive, 1);
	case 1:
		start(turn_into_another, 0);
	case 2:
		_exit(!await_all());
	case 3:
		call(20);
	}
	call(draw(3));
	_exit(0);
}

int main(int argc, char **argv)
{
	time_t end;
	unsigned int families = 0;

	if (argc != 2)
		errx(2, "usage: families SECONDS");
	if (!strcmp(argv[1], "-")) {
		call(10);
		return 0;
	}
	if (prctl(PR_SET_CHILD_SUBREAPER, 1) || prctl(PR_SET_NAME, "families"))
		err(1, "prctl");
	for (end = time(NULL) + atoi(argv[1]); time(NULL) < end; families++) {
		if (families % AT_ONCE == 0 && !await_all())
			return 1;
		switch (fork()) {
		case 0:
			live();
		case -1:
			err(1, "fork");
		}
	}
	if (!await_all())
		return 1;
	printf("%u families\n", families);
	return 0;
}
