# SPDX-License-Identifier: GPL-2.0-only
"""Does a rule decide as the language says, whoever judges?  A line is a call, a condition and its outcome."""

import pytest
from opinions import UNKNOWN, Event, judged

FIELDS = {"UID": 1000, "EUID": 0, "PID": 4321, "PPID": 1, "COMM": b"rm", "CWD": UNKNOWN, "RETVAL": -2, "ERRNO": 2,
          "EXE": b"/usr/bin/rm", "TTY": b"", "CAPS": 1 << 21 | 1 << 63 | 1, "LOGINUID": (1 << 32) - 1, "CONTAINER": 0}
CALLS = {
    "openat": Event("openat", ((1 << 32) - 100, b"/etc/passwd", 0x1000000241, 0o100644), "before", FIELDS),
    "ptrace": Event("ptrace", ((1 << 64) - 1, 7, (1 << 64) - 1, 10), "before", FIELDS),
    "mount": Event("mount", (b"/dev/sda", UNKNOWN, b"ext4", 0, 0), "before", FIELDS),
    "after": Event("openat", (3, b"x", 0, 0), "after", FIELDS),
    "read": Event("read", (3, 0, 10), "after", FIELDS),
}

# In openat: dfd = -100, flags = 0x241, mode = 0100644; in ptrace: request = -1, pid = 7, addr = 2^64 - 1, data = 10.
TABLE = r"""
openat  filename == "/etc/passwd"                                   true
openat  filename != "/etc/passwd"                                   false
openat  "/etc/passwd" == PARAMS[2]                                  true
openat  filename == "/etc/passw"                                    false
openat  filename == COMM                                            false
openat  COMM == COMM                                                true
openat  filename startswith "/etc/"                                 true
openat  filename startswith ""                                      true
openat  filename endswith "wd"                                      true
openat  filename endswith "/etc/passwd0"                            false
openat  filename contains "c/p"                                     true
openat  filename contains "cp"                                      false
openat  filename =~ "/etc/*"                                        true
openat  filename =~ "/etc"                                          false
openat  filename =~ "/*/[a-p]asswd"                                 true
openat  filename =~ "/etc/pass\\wd"                                 true
openat  filename !~ "/etc/*"                                        false
openat  filename =~ "*"                                             false
openat  filename =~ "**"                                            true
openat  COMM =~ "*"                                                 true
openat  filename =~ "**passwd" && filename !~ "/etc*"               true
openat  filename =~ "**etc**" && filename !~ "**group**"            true
openat  filename =~ "/etc/passwd" && filename !~ ""                 true
openat  filename =~ "**passw\\d"                                    true
openat  filename =~ "/{etc,usr}/{pass{wd,port},hosts}"              true
openat  filename =~ "/etc/{a,b}" || filename =~ "**/passw\\{d"      false
openat  PARAMS[2] =~ "/**/passwd" && PARAMS[2] =~ "/etc/**/passwd"  true
openat  filename =~ "*\\*"                                          false
openat  filename in { "/etc/shadow", "/etc/passwd" }                true
openat  filename in { "/etc/shadow", "/etc/group" }                 false
openat  filename in { COMM, "/etc/group" }                          false
openat  COMM in { "rm", filename }                                  true
openat  SYSCALL == "openat" && ABI == "x86_64"                      true
openat  SYSCALL =~ "*link*"                                         false
openat  SYSCALL =~ "{un,o}p*[^t]"                                   false
openat  SYSCALL =~ "{un,o}p*[^x]"                                   true
openat  SYSCALL in { "open", "openat" }                             true
openat  SYSCALL == COMM                                             false

openat  EXE == "/usr/bin/rm" && EXE endswith "/rm" && EXE != COMM   true
openat  TTY == ""                                                   true
openat  LOGINUID == 4294967295 && !CONTAINER                        true
openat  CAP_SYS_ADMIN in CAPS                                       true
openat  CAP_SYS_PTRACE in CAPS                                      false
openat  !(CAP_SYS_PTRACE in CAPS)                                   true
openat  0 in CAPS && 63 in CAPS                                     true
openat  64 in CAPS                                                  false
openat  -1 in CAPS                                                  false
openat  UID in CAPS                                                 false
openat  UID - 979 in CAPS                                           true
openat  UID - 1001 in CAPS                                          false
openat  (CAP_SYS_ADMIN in CAPS) + 1 == 2                            true
openat  CAPS & 1 << CAP_SYS_ADMIN                                   true
openat  1 / (UID - 1000) in CAPS                                    unknown

openat  dfd == AT_FDCWD                                             true
openat  dfd == -100                                                 true
openat  dfd < 0                                                     true
openat  flags & O_CREAT                                             true
openat  flags & O_EXCL                                              false
openat  (flags & O_ACCMODE) == O_WRONLY                             true
openat  flags == 0x241                                              true
openat  mode == 0100644                                             true
openat  mode == 0o100644                                            true
openat  flags & 0b1000000 && !(flags & 0b10)                        true
openat  ~flags & 1                                                  false
openat  !~(flags | ~flags)                                          true
openat  -dfd == 100                                                 true
openat  dfd * dfd == 10000                                          true
openat  dfd / 7 == -14                                              true
openat  dfd % 7 == -2                                               true
openat  dfd >> 1 == -50                                             true
openat  UID in { 0, 999..1001 }                                     true
openat  UID in { 0, 1..999, 1001..2000 }                            false
openat  dfd in { -101..-99 }                                        true
openat  dfd in { -99..100 }                                         false
openat  UID in { PID, PPID..2000 }                                  true
openat  UID in { EUID, PID..5000 }                                  false
openat  !(UID in { 1000 })                                          false
openat  UID in { EUID + 1000 }                                      true

openat  UID == 1000 && EUID == 0                                    true
openat  UID == 0 || EUID == 0                                       true
openat  UID == 0 && EUID == 0 || PID == 4321                        true
openat  UID == 0 && (EUID == 0 || PID == 4321)                      false
openat  !UID                                                        false
openat  !EUID                                                       true
openat  !!UID == 1                                                  true
openat  (UID && PID) + 1 == 2                                       true
openat  (EUID || PID) + 1 == 2                                      true
openat  (EUID || PID && UID) == 1                                   true
openat  1 + 2 * 3 == 7                                              true
openat  UID + PID * 2 == 9642                                       true
openat  (UID + PID) * 2 == 10642                                    true
openat  10 - 3 - 2 == 5                                             true
openat  PID - UID - 21 == 3300                                      true
openat  100 / 10 / 5 == 2                                           true
openat  1 << 2 + 1 == 8                                             true
openat  UID - 999 << 2 + 1 == 8                                     true
openat  UID & 8 == 8                                                false
openat  (UID & 8) == 8                                              true
openat  UID | 1 ^ 3 & 2                                             true
openat  (1 | 6 ^ 3 & 2) == 5                                        true
openat  2 < 1 == EUID                                               true
openat  3 > 2 > 1                                                   false
openat  - -3 == 3                                                   true
openat  -UID == -1000                                               true
openat  UID == 0x3e8                                                true
openat  1                                                           true
openat  0                                                           false
openat  2 && EUID == 0                                              true

ptrace  request == -1                                               true
ptrace  request == 0xffffffffffffffff                               false
ptrace  request < 0                                                 true
ptrace  addr == 0xffffffffffffffff                                  true
ptrace  addr == 18446744073709551615                                true
ptrace  addr == -1                                                  false
ptrace  addr > -1                                                   true
ptrace  addr >= 0                                                   true
ptrace  addr > 5                                                    true
ptrace  addr > data                                                 true
ptrace  addr + 1 == 0                                               true
ptrace  addr + 11 == data                                           true
ptrace  addr / 2 == 0x7fffffffffffffff                              true
ptrace  addr % 10 == 5                                              true
ptrace  addr >> 60 == 15                                            true
ptrace  request >> 60 == -1                                         true
ptrace  addr == request                                             false
ptrace  request != addr                                             true
ptrace  request < addr && request <= addr                           true
ptrace  addr < request || addr <= request                           false
ptrace  addr > request && !(request >= addr)                        true
ptrace  addr in { UID, request }                                    false
ptrace  data in { request..addr }                                   true
ptrace  data in { addr..request }                                   false
ptrace  data == pid + 3 && data + 0 == pid + 3                      true
ptrace  0xffffffffffffffff - 0xfffffffffffffffe - 2 > 0             true
ptrace  (0xffffffffffffffff - 0xffffffffffffffff) - 1 == -1         false
ptrace  addr - addr - 1 == -1                                       false
ptrace  addr - addr - 1 > 1                                         true
ptrace  data << addr == 1 << 63                                     false
ptrace  1 << addr == request << 63                                  true
ptrace  request >> addr == -1                                       true
ptrace  addr == pid / (pid - 7)                                     unknown
ptrace  pid / (pid - 7) < addr                                      unknown
ptrace  request == addr / (data - 10)                               unknown
ptrace  request < addr / (data - 10)                                unknown
ptrace  addr in { -1, 5 }                                           false
ptrace  addr in { 0xfffffffffffffff0..0xffffffffffffffff }          true
ptrace  addr in { 0..0xffffffffffffffff }                           true
ptrace  data in { 0..10 }                                           true
ptrace  data in { 11..0xffffffffffffffff }                          false
ptrace  request in { -5..-1 }                                       true
ptrace  request in { 0..9223372036854775807 }                       false
ptrace  -addr == 1                                                  true
ptrace  ~addr == 0                                                  true
ptrace  pid == 7 && request == -1 && addr == ~0 + 0                 false
ptrace  9223372036854775807 + 1 == -9223372036854775808             true
ptrace  request == 9223372036854775808                              false
ptrace  0xffffffffffffffff > -1                                     true
ptrace  request * 0x100000000 == -4294967296                        true
ptrace  pid / (pid - 7)                                             unknown
ptrace  pid % (pid - 7) == 0                                        unknown
ptrace  addr / (data - 10) == -1                                    unknown
ptrace  addr / (data - 9) == -1                                     false
ptrace  addr / (data - 9) != -1                                     true
ptrace  pid / (pid - 7) == 0 && EUID                                false
ptrace  pid / (pid - 7) == 0 || UID                                 true
ptrace  -9223372036854775808 / request == -9223372036854775808      true
ptrace  -9223372036854775808 % request == 0                         true

mount   dir_name == "/mnt"                                          unknown
mount   dir_name != "/mnt"                                          unknown
mount   !(dir_name == "/mnt")                                       unknown
mount   dir_name =~ "*"                                             unknown
mount   dir_name in { "/mnt", "/media" }                            unknown
mount   dir_name == dev_name                                        unknown
mount   dir_name == "/mnt" && type == "ext4"                        unknown
mount   dir_name == "/mnt" && type == "xfs"                         false
mount   type == "xfs" && dir_name == "/mnt"                         false
mount   dir_name == "/mnt" || type == "ext4"                        true
mount   type == "ext4" || dir_name == "/mnt"                        true
mount   dir_name == "/mnt" || type == "xfs"                         unknown
mount   dir_name == "/mnt" || CWD == "/"                            unknown
mount   dir_name == "/mnt" && CWD == "/" && UID == 0                false
mount   (dir_name == "/mnt") + 1                                    unknown
mount   (dir_name == "/mnt") & 0                                    unknown
mount   (dir_name == "/mnt") < -1                                   unknown
mount   dir_name == "/mnt" && 0                                     false
mount   dir_name == "/mnt" || 1                                     true
mount   dir_name == "/mnt" && 1                                     unknown
mount   !(dir_name == "/mnt" && type == "xfs")                      true
mount   UID in { 1000, (dir_name == "/mnt") }                       true
mount   UID in { 1, (dir_name == "/mnt") }                          unknown

after   RETVAL == -2 && ERRNO == ENOENT                             true
after   RETVAL >= 0                                                 false
after   RETVAL < 0 && ERRNO in { EACCES, ENOENT }                   true

read    RETVAL < count                                              true
read    count <= RETVAL                                             false
read    count != RETVAL && !(count == RETVAL)                       true
read    RETVAL + 12 == count && count == RETVAL + 12                true
read    RETVAL == count - 12                                        false
"""
CASES = [line.split(maxsplit=1) for line in TABLE.splitlines() if line]


def judge(call: str, condition: str):
    event = CALLS[call]
    text = (
        f"rule {{ syscall_name = {event.call} rule_name = r when = {event.phase} abi = x86_64 "
        f"filter_expression {{ {condition} }} action {{ LOG }} }}"
    )
    matched, unknown = judged(text, event)
    return "true" if matched else "unknown" if unknown else "false"


@pytest.mark.parametrize(("call", "line"), CASES)
def test_truth(call, line):
    condition, outcome = line.rsplit(maxsplit=1)
    assert judge(call, condition) == outcome
