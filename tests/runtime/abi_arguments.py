# SPDX-License-Identifier: GPL-2.0-only
"""What do calls of each ABI pass, and what does the log show of it?

ARGUMENTS has a way into the kernel, a call, what is put into the registers, and the text of `%params`.
"""

ARGUMENTS = [
    (("i386", "vdso"), "unlinkat", (-100, "s:./a", 0), '-100, "./a", 0'),
    (("i386", "int80"), "unlinkat", ("0xffffff9c", "s:./a", "0x200"), '-100, "./a", 512'),
    (("x32", "syscall"), "unlinkat", ("0xffffff9c", "s:./a", 0), '-100, "./a", 0'),
    (("x86_64", "int80"), "unlinkat", ("0x7700000000", "s:./a", "0x5500000000"), '0, "./a", 0'),
    (("x86_64", "int80"), "unlinkat", ("0x77ffffff9c", "h:./a", 0), '-100, "./a", 0'),
    (("x86_64", "syscall"), "unlinkat", ("0x77ffffff9c", "s:./a", "0x5500000000"), '-100, "./a", 0'),
    (("i386", "int80"), "lseek", (-1, -7, 5), "-1, -7, 5"),
    (("x86_64", "int80"), "lseek", ("0xdeadffffffff", "0xdeadfffffff9", "0xdead00000005"), "-1, -7, 5"),
    (("x86_64", "syscall"), "lseek", (-1, -7, 5), "-1, -7, 5"),
    (("x32", "syscall"), "lseek", (-1, -7, 5), "-1, -7, 5"),
    (("i386", "int80"), "read", (-1, "0xfffffff0", "0xffffffff"), "-1, 0xfffffff0, 4294967295"),
    (("i386", "int80"), "pread64", (-1, "0xfffffff0", 1, "0xffffffff", "0x80000000"), "-1, 0xfffffff0, 1, 4294967295, 2147483648"),
    (("x86_64", "syscall"), "pread64", (-1, "0xfffffff0", 1, -2), "-1, 0xfffffff0, 1, -2"),
    (("i386", "int80"), "ptrace", (99, -5, "0xfffffff0", -1), "99, -5, -16, -1"),
    (("x32", "syscall"), "ptrace", (99, -5, "0xfffffff0", -1), "99, -5, -16, -1"),
    (("i386", "int80"), "getpriority", (-3, "0xffffffff"), "-3, -1"),
    (("i386", "int80"), "mmap", ("0xfffffff0",), "0xfffffff0"),
    (("i386", "int80"), "waitpid", (-5, 0, "0x7fffffff"), "-5, NULL, 2147483647"),
    (("i386", "int80"), "unlink", ("0xfffffff0",), "0xfffffff0"),
    (("i386", "int80"), "mmap2", (0, 4096, 3, "0x22", -1, 0), "0, 4096, 3, 34, -1, 0"),
    (("i386", "vdso"), "mmap2", (0, 4096, 3, "0x22", -1, "0xfffff"), "0, 4096, 3, 34, -1, 1048575"),
    (("aarch64", "svc"), "unlinkat", ("0x77ffffff9c", "s:./a", "0x5500000000"), '-100, "./a", 0'),
    (("aarch64", "svc"), "lseek", (-1, -7, 5), "-1, -7, 5"),
    (("aarch64", "svc"), "pread64", (-1, "0xfffffff0", 1, -2), "-1, 0xfffffff0, 1, -2"),
    (("aarch64", "svc"), "ptrace", (99, -5, "0xfffffff0", -1), "99, -5, 4294967280, 18446744073709551615"),
    (("aarch32", "arm"), "unlinkat", (-100, "s:./a", "0x200"), '-100, "./a", 512'),
    (("aarch32", "thumb"), "unlinkat", ("0xffffff9c", "s:./a", 0), '-100, "./a", 0'),
    (("aarch32", "thumb"), "lseek", (-1, -7, 5), "-1, -7, 5"),
    (("aarch32", "arm"), "read", (-1, "0xfffffff0", "0xffffffff"), "-1, 0xfffffff0, 4294967295"),
    (("aarch32", "arm"), "pread64", (-1, "0xfffffff0", 1, 0, "0xffffffff", "0x80000000"),
     "-1, 0xfffffff0, 1, 0, 4294967295, 2147483648"),
    (("aarch32", "arm"), "ptrace", (99, -5, "0xfffffff0", -1), "99, -5, -16, -1"),
    (("aarch32", "arm"), "getpriority", (-3, "0xffffffff"), "-3, -1"),
    (("aarch32", "arm"), "unlink", ("0xfffffff0",), "0xfffffff0"),
    (("aarch32", "thumb"), "mmap2", (0, 4096, 3, "0x22", -1, "0xfffff"), "0, 4096, 3, 34, -1, 1048575"),
]  # fmt: skip
