// SPDX-License-Identifier: GPL-2.0-only
/*
 * What does io_uring answer to a request to remove a file?
 *
 *	uring PATH
 *
 * prints the result as call does: "0" or "-1 EPERM", also where io_uring itself
 * cannot be had.
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

static void *map(int ring, off_t what, size_t size)
{
	void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring, what);

	if (at == MAP_FAILED)
		err(2, "mmap");
	return at;
}

static unsigned int *in(void *ring, unsigned int offset)
{
	return (unsigned int *)((char *)ring + offset);
}

/* 0, or an errno. */
static int remove_file(const char *path)
{
	struct io_uring_params params = { 0 };
	int ring = syscall(SYS_io_uring_setup, 1, &params);
	struct io_uring_cqe *answers;
	struct io_uring_sqe *request;
	void *queue, *done;

	if (ring < 0)
		return errno;
	queue = map(ring, IORING_OFF_SQ_RING, params.sq_off.array + sizeof(unsigned int));
	done = map(ring, IORING_OFF_CQ_RING, params.cq_off.cqes + params.cq_entries * sizeof(*answers));
	request = map(ring, IORING_OFF_SQES, sizeof(*request));
	*request = (struct io_uring_sqe) {
		.opcode = IORING_OP_UNLINKAT,
		.fd = AT_FDCWD,
		.addr = (unsigned long)path,
	};
	*in(queue, params.sq_off.array) = 0;
	__atomic_store_n(in(queue, params.sq_off.tail), 1, __ATOMIC_RELEASE);
	if (syscall(SYS_io_uring_enter, ring, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) != 1)
		return errno;
	answers = (struct io_uring_cqe *)((char *)done + params.cq_off.cqes);
	return -answers->res;
}

int main(int argc, char **argv)
{
	int error;

	if (argc != 2)
		errx(2, "usage: uring PATH");
	error = remove_file(argv[1]);
	if (error)
		printf("-1 %s\n", strerrorname_np(error));
	else
		puts("0");
	return 0;
}
