# SPDX-License-Identifier: GPL-2.0-only
"""Is a condition about other processes decided as the language says, whoever judges?"""

import pytest
from opinions import UNKNOWN, Event, judged

from pysct.abi import Limit

PARENT = {"COMM": b"bash", "EXE": b"/bin/bash", "UID": 1000, "EUID": 0, "CAPS": 0, "PID": 20}
MIDDLE = {"COMM": b"sshd", "EXE": b"/usr/sbin/sshd", "UID": 0, "EUID": 0, "CAPS": 1 << 21 | 1, "PID": 10}
FIRST = {"COMM": b"systemd", "EXE": b"/sbin/init", "UID": 0, "EUID": 7, "CAPS": -1, "PID": 1}
KIN = {
    "kin": (PARENT, MIDDLE, FIRST),
    "parent": (PARENT,),
    "none": (),
    "veiled": (PARENT, MIDDLE | {"EXE": UNKNOWN, "UID": None}, FIRST),
    "deep": (PARENT,) * (Limit.ANCESTORS - 1) + (MIDDLE,),
    "deeper": (PARENT,) * Limit.ANCESTORS + (MIDDLE,),
}

TABLE = """
kin     PARENT.COMM == "bash"                                       true
kin     PARENT.COMM != "bash"                                       false
kin     PARENT.UID == 1000 && PARENT.EUID == 0                      true
kin     PARENT.UID + 1 > UID                                        true
kin     PARENT.COMM == COMM                                         false
none    PARENT.COMM == "bash"                                       unknown
none    PARENT.UID == 0                                             unknown
none    PARENT.UID == 0 || UID == 0                                 true
none    !(CAP_CHOWN in PARENT.CAPS)                                 unknown
none    !(200 in PARENT.CAPS)                                       unknown
none    !(UID + 64 in PARENT.CAPS)                                  unknown
kin     !(UID + 64 in PARENT.CAPS) && !(200 in PARENT.CAPS)         true
none    PARENT.UID >= 0 || PARENT.UID < 0                           unknown
veiled  PARENT.UID == 1000                                          true

kin     ANCESTOR.EXE == "/usr/sbin/sshd"                            true
kin     ANCESTOR.EXE == "/bin/bash"                                 true
kin     ANCESTOR.EXE == "/bin/rm"                                   false
kin     ANCESTOR.EXE != "/usr/sbin/sshd"                            false
kin     ANCESTOR.EXE != "/bin/rm"                                   true
kin     !(ANCESTOR.EXE == "/bin/rm")                                true
kin     ANCESTOR.EXE =~ "**/sshd"                                   true
kin     ANCESTOR.EXE !~ "**/sshd"                                   false
kin     ANCESTOR.EXE !~ "**/rm"                                     true
kin     ANCESTOR.EXE in { "/bin/rm", "/sbin/init" }                 true
kin     !(ANCESTOR.EXE in { "/bin/rm", "/bin/mv" })                 true
kin     ANCESTOR.COMM startswith "sy" && ANCESTOR.COMM endswith "h" true
kin     ANCESTOR.COMM startswith "ba" && ANCESTOR.COMM endswith "d" true
kin     ANCESTOR.UID == 1000 && ANCESTOR.UID == 0                   true
kin     ANCESTOR.UID == 5                                           false
kin     ANCESTOR.UID != 5                                           true
kin     ANCESTOR.UID != 0                                           false
kin     ANCESTOR.UID < 1000                                         true
kin     ANCESTOR.UID >= 1000                                        true
kin     !(ANCESTOR.UID < 1000)                                      false
kin     ANCESTOR.UID == ANCESTOR.EUID                               true
kin     ANCESTOR.UID > ANCESTOR.EUID                                true
kin     ANCESTOR.UID + 1000 == ANCESTOR.EUID                        false
kin     ANCESTOR.UID in { 3, 5..7 }                                 false
kin     ANCESTOR.EUID in { 3, 5..7 }                                true
kin     5 in { ANCESTOR.UID..ANCESTOR.EUID }                        true
kin     ANCESTOR.UID                                                true
kin     !ANCESTOR.UID                                               false
kin     ANCESTOR.UID & 8                                            true
kin     ANCESTOR.UID & 16                                           false
kin     ANCESTOR.UID && ANCESTOR.EUID                               true
kin     (ANCESTOR.UID == 0) + 1 == 2                                true
kin     (ANCESTOR.UID == 5) == 0                                    true
kin     CAP_SYS_ADMIN in ANCESTOR.CAPS                              true
kin     !(CAP_SYS_ADMIN in ANCESTOR.CAPS)                           false
kin     CAP_SYS_ADMIN in PARENT.CAPS                                false
kin     ANCESTOR.COMM == PARENT.COMM                                true
kin     ANCESTOR.COMM == COMM                                       false
kin     10 / ANCESTOR.UID == 1                                      unknown
kin     100 / (ANCESTOR.UID + 1) == 100                             true

none    ANCESTOR.EXE == "/bin/bash"                                 false
none    ANCESTOR.EXE != "/bin/bash"                                 true
none    ANCESTOR.UID                                                false
veiled  ANCESTOR.EXE == "/usr/sbin/sshd"                            unknown
veiled  ANCESTOR.EXE != "/usr/sbin/sshd"                            unknown
veiled  ANCESTOR.EXE == "/sbin/init"                                true
veiled  ANCESTOR.EXE != "/sbin/init"                                false
veiled  ANCESTOR.UID == 5 && UID == 1                               false
veiled  ANCESTOR.UID == 5 || UID == 0                               true
veiled  ANCESTOR.UID == 5                                           unknown
deep    ANCESTOR.COMM == "sshd"                                     true
deep    ANCESTOR.COMM == "rm"                                       false
deeper  ANCESTOR.COMM == "sshd"                                     unknown
deeper  ANCESTOR.COMM != "sshd"                                     unknown
deeper  ANCESTOR.COMM == "bash"                                     true
deeper  ANCESTOR.COMM != "bash"                                     false
"""
LINES = [line for line in TABLE.splitlines() if line]


@pytest.mark.parametrize("line", LINES, ids=[" ".join(line.split()) for line in LINES])
def test_outcome(line):
    kin, rest = line.split(maxsplit=1)
    condition, outcome = rest.rsplit(maxsplit=1)
    event = Event("sync", (), "before", {"UID": 0, "COMM": b"rm"}, ancestors=KIN[kin])
    matched, unknown = judged(f"rule {{ syscall_name = sync rule_name = r filter_expression {{ {condition} }} action {{ LOG }} }}", event)
    assert (matched, unknown) == {"true": (["r"], []), "false": ([], []), "unknown": ([], ["r"])}[outcome]
