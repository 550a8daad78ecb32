# SPDX-License-Identifier: GPL-2.0-only
"""What does /proc say of this process?"""

import os

NAMESPACES = ("pid", "mnt", "net", "user", "uts", "ipc", "cgroup")
FLAGS = {"mnt": 0x00020000, "cgroup": 0x02000000, "uts": 0x04000000, "ipc": 0x08000000, "user": 0x10000000, "pid": 0x20000000, "net": 0x40000000}
INITIAL_PID = 0xEFFFFFFC  # inode number of the first PID namespace: include/linux/proc_ns.h


def status() -> dict[str, str]:
    with open("/proc/self/status") as lines:
        return dict(line.split(":", 1) for line in lines)


def facts() -> dict[str, int | str]:
    """What it is besides its ids, by the fields of rules in lower case."""
    with open("/proc/self/cgroup") as groups:
        cgroup = [line.rstrip("\n")[3:] for line in groups if line.startswith("0::")]
    found = {f"{name}ns": int(os.readlink(f"/proc/self/ns/{name}").split("[")[1][:-1]) for name in NAMESPACES}
    with open("/proc/self/loginuid") as login, open("/proc/self/sessionid") as session:
        found |= {"loginuid": int(login.read()), "session": int(session.read())}
    return found | {
        "exe": os.readlink("/proc/self/exe"),
        "root": os.readlink("/proc/self/root"),
        "cgroup": cgroup[0] if cgroup else "/",
        "session_leader": os.getsid(0),
        "caps": int(status()["CapEff"], 16),
        "container": 0 if found["pidns"] == INITIAL_PID else found["pidns"],
    }


def identity() -> dict[str, int | str]:
    """Its ids, name and directory, by the same."""
    lines = status()
    found = {"pid": os.getpid(), "ppid": int(lines["PPid"]), "comm": lines["Name"].strip(), "cwd": os.getcwd()}
    for kind in ("uid", "gid"):
        real, effective, saved, of_files = map(int, lines[kind.capitalize()].split())
        found |= {kind: real, f"e{kind}": effective, f"s{kind}": saved, f"fs{kind}": of_files}
    return found
