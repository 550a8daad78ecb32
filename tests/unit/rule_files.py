# SPDX-License-Identifier: GPL-2.0-only
"""Which rule files do the tests of the commands have: good ones, a wrong one, and what is none?"""

ONE = b"rule { syscall_name = unlink rule_name = one action { type = LOG } when = before }\n"
TWO = b"# a comment\nrule { syscall_name = unlinkat rule_name = two action { type = LOG, FAIL error_code = EACCES } when = before }\n"
WRONG = b"rule { syscall_name = unlink rule_name = x filter_expression { UIDD == 0 } action { type = LOG } when = before }\n"
FILES = {"one": ONE, "two": TWO, "wrong": WRONG, "empty": b"", "binary": bytes(range(256)) * 40}
WARNED = """one:1:23: warning: `unlink` is watched, but not `unlinkat` (rm)
    rule { syscall_name = unlink rule_name = one action { type = LOG } when = before }
                          ^~~~~~
hint: write `syscall_name = unlink, unlinkat`, or a rule of its own
note: rule 'one' does not see requests of io_uring that do the same as unlink
hint: a rule with FAIL for io_uring_setup keeps programs from it, and so does `sysctl kernel.io_uring_disabled=2` since Linux 6.6
"""
