# SPDX-License-Identifier: GPL-2.0-only
"""Calls from a source of chance, like those that a rule file asks for."""

import re
from ipaddress import ip_address
from random import Random

from opinions import UNKNOWN, Event

from pysct import members, resolved
from pysct.abi import ABIS, FIELDS, Limit, State
from pysct.described import Memory, Unfit
from pysct.layouts import ARGUMENTS, DATA, LISTS
from pysct.tables import CALLS

# Calls whose arguments have every kind, and those ABIs in which their names are the same.
MOST = ("x86_64", "i386", "x32", "aarch64", "aarch32")
SUBJECTS = {
    "openat": MOST,
    "unlinkat": MOST,
    "mkdirat": MOST,
    "getpriority": MOST,
    "mount": MOST,
    "ptrace": MOST,
    "clone": MOST,
    "lseek": ("x86_64", "aarch64"),
    "sendto": MOST,
    "write": MOST,
    "read": MOST,
    "execve": MOST,
    "fchmodat": MOST,
    "connect": MOST,
    "sendmsg": MOST,
    "openat2": MOST,
    "fstat": MOST,
    "accept4": MOST,
    "renameat2": ("x86_64", "i386", "x32"),
    "sync": MOST,
    "mmap": ("x86_64", "aarch64"),
    "chown": ("x86_64", "i386"),
    "quotactl": ("x86_64", "i386", "x32"),
    # Those with structures behind their arguments, until there is one of every kind.
    "writev": MOST,
    "poll": ("x86_64", "i386", "x32", "aarch32"),
    "utimensat": MOST,
    "process_vm_readv": MOST,
    "recvmsg": MOST,
    "clone3": MOST,
    "clock_nanosleep": MOST,
    "timer_settime": MOST,
    "setrlimit": MOST,
    "getrlimit": ("x86_64", "i386", "x32", "aarch64"),
    "prlimit64": MOST,
    "sched_setparam": MOST,
    "sched_getparam": MOST,
    "stat64": ("i386", "aarch32"),
    "statx": MOST,
    "statfs": MOST,
    "statfs64": ("i386", "aarch32"),
    "uname": MOST,
    "mount_setattr": MOST,
    "landlock_create_ruleset": MOST,
}
PLACES = 3  # in arrays of structures
NETWORKS = {
    32: ("10.0.0.0/8", "10.1.2.3", "0.0.0.0/0", "127.0.0.0/9", "10.1.2.0/31"),
    128: ("::1", "2001:db8::/32", "2001:db8::/64", "2001:db8::8000:0:0:0/65", "::/0", "2001:db8:0:0:1::/80"),
}
EDGES = (0, 1, -1, 2, 7, 8, 63, 64, 255, -128, 1 << 15, 1 << 31, -(1 << 31), (1 << 32) - 1, (1 << 63) - 1, -(1 << 63))
LARGE = (1 << 63, (1 << 64) - 1, (1 << 64) - 100)
TEXTS_ABOVE = ("PARENT.COMM", "ANCESTOR.COMM", "ANCESTOR.EXE")
NUMBERS_ABOVE = ("PARENT.UID", "ANCESTOR.UID", "ANCESTOR.PID")
ABOVE = dict.fromkeys(("COMM", "EXE"), lambda caller: caller.text()) | dict.fromkeys(("UID", "PID"), lambda caller: caller.field())
WORDS = (
    b"",
    b"/",
    b"/etc",
    b"/etc/passwd",
    b"passwd",
    b"aab",
    b"ab" * 9,
    b"\xff",
    b"]",
    b"-",
    b"\\",
    b"openat",
    b"i386",
)


class Caller:
    """Makes calls like those that a rule file asks for, so that something depends on each part of its conditions."""

    def __init__(self, chance: Random, rules: str):
        self.chance = chance
        self.numbers = [int(number, 0) for number in re.findall(r"\b0x[0-9a-f]+\b|\b[1-9]\d*\b", rules)] + [0]
        self.texts = [unquoted(text) for text in re.findall(r'"([^"]*)"', rules)] + [b""]

    def number(self) -> int:
        """A register: an edge of something, or near a number of the rules."""
        kind = self.chance.random()
        if kind < 0.1:
            return self.chance.getrandbits(64)
        if kind < 0.5:
            return self.chance.choice(EDGES + LARGE)
        return self.chance.choice((1, -1)) * self.chance.choice(self.numbers) + self.chance.choice((-1, 0, 0, 0, 1))

    def field(self) -> int:
        number = self.number() % (1 << 64)
        return number - (1 << 64) * (number >> 63)

    def text(self) -> bytes | None:
        """A string: unreadable, any, or what one of the rules nearly or really fits."""
        kind = self.chance.random()
        if kind < 0.15:
            return UNKNOWN
        if kind < 0.4:
            return self.chance.choice(WORDS)
        text = re.sub(rb"\*|\?|\[[^]]*\]", lambda _: self.few(), self.chance.choice(self.texts)).replace(b"\\", b"")
        return (text, text, self.few() + text, text + self.few(), text[:-1])[self.chance.randrange(5)]

    def few(self) -> bytes:
        return bytes(self.chance.choices(b"aab/c-][!\\\xff", k=self.chance.choice((0, 1, 1, 1, 2, 5))))

    def call(self, call: str, phase: str, abi: str | None = None) -> Event:
        abi = abi or self.chance.choice(SUBJECTS[call])
        args = tuple(self.text() if kind == "str" else self.number() for _, kind in CALLS[abi][call][1])
        fields = {
            name: self.text() if field.type == "str" else self.field()
            for name, field in FIELDS.items()
            if name in ("COMM", "CWD", "UID", "PID", "CAPS") or field.phase == phase
        }
        args, memory = self.pointers(abi, call, list(args))
        return Event(call, args, phase, fields, abi, memory, self.paths(abi, call), self.ancestors())

    def paths(self, abi: str, call: str) -> dict[tuple[str, int], bytes | int]:
        """Where its arguments lead."""
        found = {resolved.find(abi, call, name): self.text() for name in resolved.names(abi, call)}
        return {place: State.FAULT if path is UNKNOWN else path for place, path in found.items()}

    def ancestors(self) -> tuple[dict, ...]:
        """Processes above the caller: few, or now and then more than are looked at."""
        count = Limit.ANCESTORS + 1 if self.chance.random() < 0.01 else self.chance.choice((0, 1, 1, 2, 3))
        return tuple({name: draw(self) for name, draw in ABOVE.items() if self.chance.random() < 0.9} for _ in range(count))

    def pointers(self, abi: str, call: str, args: list) -> tuple[tuple, dict[int, bytes]]:
        """The registers that lead to structures, mostly, and what is there."""
        memory, names = Memory(abi, call), [name for name, _ in CALLS[abi][call][1]]
        for argument in ARGUMENTS[abi].get(call, {}):
            if self.chance.random() < 0.85:
                args[names.index(argument)] = memory.address(names.index(argument))
                known = [name for name in members.names(abi, call) if members.argument_of(name) == argument]
                known = [name for name in known if all(int(place) <= PLACES for place in re.findall(r"\[(\d+)\]", name))]
                for name in self.chance.sample(known, min(len(known), self.chance.randrange(1, 6))):
                    try:
                        memory.write(names.index(argument), name[len(argument) :].removeprefix("."), self.member(abi, call, name))
                    except Unfit:
                        pass
        for argument in DATA[abi].get(call, {}):
            if self.chance.random() < 0.85:
                args[names.index(argument)] = memory.hold(names.index(argument), self.data())
        for argument in LISTS[abi].get(call, ()):
            if self.chance.random() < 0.9:
                strings = [self.text() for _ in range(self.chance.choice((0, 1, 2, 3)))]
                args[names.index(argument)] = memory.hold_list(names.index(argument), strings)
        memory.finish()
        for index, size in memory.sized.items():
            args[index] = self.chance.choice((size, size, size, size, 110, 28, 24, 16, 4, 3, 1, 0, -1))
            if CALLS[abi][call][1][index][1] == "ptr":
                at = memory.address(index)
                memory.areas[at].write(0, (args[index] % (1 << 32)).to_bytes(4, "little"))
                args[index] = at
        held = memory.held()
        if self.chance.random() < 0.1:  # some of it cannot be read
            held = {at: data[: self.chance.choice((1, 2, 8, 17, 40))] for at, data in held.items()}
        return tuple(args), held

    def data(self) -> bytes:
        """What a rule may look for: at the start, behind a NUL, or across the end of what a rule sees."""
        text = self.text() or b""
        return self.chance.choice((text, text, text, text + b"\0" + self.few(), b"\0" + text, b"a" * (Limit.DATA - 2) + text))

    def member(self, abi: str, call: str, name: str) -> int | bytes:
        """A value of a member, as one of the rules may ask for it."""
        form = members.find(abi, call, name).form
        if form == "text":
            return (self.text() or b"@hidden").replace(b"\0", b"")
        if form == "number":
            return self.chance.choice((0, 1, 2, 10, 16)) if name.endswith("sa_family") else self.number()
        known = [net for net in NETWORKS[32 if form == "in_addr" else 128]]
        return int(ip_address(self.chance.choice(known).partition("/")[0])) + self.chance.choice((0, 0, 1, 1 << 20))


def unquoted(text: str) -> bytes:
    """The bytes that quoted() wrote."""
    return re.sub(rb"\\x(..)", lambda found: bytes([int(found[1], 16)]), text.encode())

assert set(MOST) == set(ABIS)
