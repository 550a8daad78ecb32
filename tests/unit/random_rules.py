# SPDX-License-Identifier: GPL-2.0-only
"""Rules and calls from a source of chance: what hypothesis draws."""

import re
from ipaddress import ip_address
from random import Random

from hypothesis import strategies as st
from opinions import UNKNOWN, Event

from pysct import members
from pysct.abi import ABIS, FIELDS
from pysct.described import Memory, Unfit
from pysct.layouts import ARGUMENTS
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
}
NETWORKS = {
    32: ("10.0.0.0/8", "10.1.2.3", "0.0.0.0/0", "127.0.0.0/9", "10.1.2.0/31"),
    128: ("::1", "2001:db8::/32", "2001:db8::/64", "2001:db8::8000:0:0:0/65", "::/0", "2001:db8:0:0:1::/80"),
}
EDGES = (0, 1, -1, 2, 7, 8, 63, 64, 255, -128, 1 << 15, 1 << 31, -(1 << 31), (1 << 32) - 1, (1 << 63) - 1, -(1 << 63))
LARGE = (1 << 63, (1 << 64) - 1, (1 << 64) - 100)
CONSTANTS = ("AT_FDCWD", "O_CREAT", "O_DIRECTORY", "EPERM", "SIGKILL")
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
ARITHMETIC = ("+", "-", "*", "/", "%", "&", "|", "^", "<<", ">>")
COMPARISONS = ("==", "!=", "<", "<=", ">", ">=")

literals = st.one_of(st.sampled_from(EDGES + LARGE), st.integers(-(1 << 63), (1 << 64) - 1)).map(
    lambda value: f"{value:#x}" if value > 9 else str(value)
)
short = st.lists(st.sampled_from(list(b"aab/c-][!*\\\xff")), max_size=8).map(bytes)
words = st.one_of(st.sampled_from(WORDS), short)


def quoted(text: bytes) -> str:
    """Bytes as a rule writes them."""
    return '"' + "".join(chr(c) if 32 <= c < 127 and c not in b'"\\' else f"\\x{c:02x}" for c in text) + '"'


@st.composite
def globs(draw) -> bytes:
    """A glob without mistakes."""
    plain = [b"a", b"b", b"/", b"c", b"\xff", b"!", b"^", b"-", b"]", b"\\*", b"\\[", b"\\\\", b"\\a", b"*", b"?"]
    members = [b"a", b"b", b"a-c", b"-", b"+-9", b"/a", b"\\]", b"+--", b"\\\\-a", b"\xfe-\xff", b"\\!"]
    first, more = st.sampled_from([*members, b"]"]), st.lists(st.sampled_from([*members, b"!", b"^"]), max_size=2)
    sets = st.tuples(st.sampled_from([b"", b"!", b"^"]), first, more).map(
        lambda t: b"[" + t[0] + t[1] + b"".join(t[2]) + b"]"
    )
    if draw(st.booleans()):  # of a kind for which there may be a cheaper test
        star = st.sampled_from([b"*", b"*", b"", b"**", b"**/", b"/**/"])
        return draw(star) + draw(st.sampled_from([b"a", b"/etc", b"ab", b"passwd", b"", b"aab", b"/a", b"/"])) + draw(star)
    return draw(glob_of(st.one_of(st.sampled_from([*plain, b"**", b"/**/"]), sets)))


def glob_of(parts):
    """A glob of some parts, perhaps with alternatives that are globs themselves."""
    row = st.lists(parts, max_size=5).map(b"".join)
    return st.recursive(row, lambda inner: st.tuples(row, braces(inner), row).map(b"".join), max_leaves=4)


def braces(inner):
    return st.lists(inner, min_size=1, max_size=3).map(lambda parts: b"{" + b",".join(parts) + b"}")


class Grammar:
    """Conditions over some names of numbers and of strings."""

    def __init__(
        self, numbers: list[str], strings: list[str], addresses: dict[str, int], defined: tuple[str, ...] = ()
    ):
        """`defined` are names of numbers, strings and sets that the file defines, by their first letters: see DEFINED."""
        self.addresses = addresses
        numbers = numbers + [name for name in defined if name[0] == "n"]
        strings = strings + [name for name in defined if name[0] == "t"]
        self.number_sets = [name for name in defined if name[0] == "i"]
        self.text_sets = [name for name in defined if name[0] == "s"]
        names = st.one_of(st.sampled_from(numbers), st.sampled_from(numbers), literals, st.sampled_from(CONSTANTS))
        self.text = st.one_of(st.sampled_from(strings), st.sampled_from(strings), words.map(quoted))
        self.named = st.sampled_from(strings)
        leaves = st.one_of(names, self.strings(), self.strings(), self.tests(st.sampled_from(numbers)))
        if addresses:
            leaves = st.one_of(leaves, self.networks(), self.networks())
        self.number = st.one_of(*(st.recursive(leaves, self.grow, max_leaves=most) for most in (3, 3, 12)))

    def strings(self):
        """A comparison of strings."""
        join = lambda parts: f"({' '.join(parts)})"  # noqa: E731
        return st.one_of(
            st.tuples(self.named, st.sampled_from(["==", "!="]), self.text).map(join),
            st.tuples(self.text, st.sampled_from(["=~", "!~"]), globs().map(quoted)).map(join),
            st.tuples(self.text, st.sampled_from(["startswith", "endswith", "contains"]), words.map(quoted)).map(join),
            st.tuples(self.named, st.lists(self.text, min_size=1, max_size=4), self.some(self.text_sets)).map(written_in),
        )

    def some(self, sets: list[str]):
        """Names of sets, mostly none."""
        return st.lists(st.sampled_from(sets), max_size=2) if sets else st.just([])

    def networks(self):
        """A comparison of an internet address."""

        def tests(name: str):
            known = NETWORKS[self.addresses[name]]
            alone = st.sampled_from([address for address in known if "/" not in address])
            return st.one_of(
                st.lists(st.sampled_from(known), min_size=1, max_size=3).map(lambda nets: f"({name} in {{ {', '.join(nets)} }})"),
                st.sampled_from(known).map(lambda net: f"({name} in {net})"),
                st.tuples(st.sampled_from(["==", "!="]), alone).map(lambda t: f"({name} {t[0]} {t[1]})"),
            )

        return st.sampled_from(sorted(self.addresses)).flatmap(tests)

    def tests(self, named):
        """A comparison of one number with another, or with some that are known: what rules mostly consist of."""
        bounds = st.tuples(st.sampled_from([*EDGES, 1000, *LARGE]), st.integers(0, 9)).map(
            lambda t: f"{t[0]}..{min(t[0] + t[1], (1 << 64) - 1)}"
        )
        elements = st.lists(st.one_of(literals, bounds, bounds, named), min_size=1, max_size=3)
        return st.one_of(
            st.tuples(named, st.sampled_from(COMPARISONS), st.one_of(literals, named)).map(
                lambda t: f"({t[0]} {t[1]} {t[2]})"
            ),
            st.tuples(named, elements, self.some(self.number_sets)).map(written_in),
        )

    def grow(self, inner):
        """Larger numbers from smaller ones."""
        logic = st.tuples(st.sampled_from([" && ", " || "]), st.lists(inner, min_size=2, max_size=4))
        element = st.one_of(inner, inner, st.tuples(inner, inner).map("..".join))
        return st.one_of(
            st.tuples(inner, st.sampled_from(ARITHMETIC), inner).map(lambda t: f"({t[0]} {t[1]} {t[2]})"),
            st.tuples(inner, st.sampled_from(COMPARISONS), inner).map(lambda t: f"({t[0]} {t[1]} {t[2]})"),
            st.tuples(inner, st.sampled_from(["<<", ">>"]), st.integers(0, 63)).map(
                lambda t: f"({t[0]} {t[1]} {t[2]})"
            ),
            st.tuples(st.sampled_from("-~!"), inner).map(lambda t: f"({t[0]} {t[1]})"),
            logic.map(lambda t: f"({t[0].join(t[1])})"),
            logic.map(lambda t: f"({t[0].join(t[1])})"),
            st.tuples(inner, st.lists(element, min_size=1, max_size=3), self.some(self.number_sets)).map(written_in),
        )


def written_in(parts: tuple[str, list[str], list[str]]) -> str:
    """Something in a set of elements and other sets; one set alone stands without braces."""
    operand, elements, sets = parts
    return f"({operand} in {sets[0]})" if len(sets) == 2 else f"({operand} in {{ {', '.join(elements + sets)} }})"


DEFINED = ("n1", "n2", "t1", "i1", "s1", "s2")
"""Names of what every file defines: two expressions that are numbers, one that is a string, and sets of both."""


def names_of(call: str, phase: str) -> tuple[list[str], list[str], dict[str, int]]:
    """What is a number, what a string, and what an address of how many bits, at a call in each of its ABIs."""
    found = {"text": ["COMM", "CWD", "SYSCALL", "ABI"], "number": ["UID", "PID"]}
    found["number"] += ["RETVAL", "ERRNO"] if phase == "after" else []
    for at, (name, kind) in enumerate(CALLS[SUBJECTS[call][0]][call][1], 1):
        found["text" if kind == "str" else "number"] += [name, name, *[f"PARAMS[{at}]"] * (call != "clone")]
    addresses = {}
    for name in members.names(SUBJECTS[call][0], call):
        member = members.find(SUBJECTS[call][0], call, name)
        if member.filled and phase == "before" or any(members.find(abi, call, name) is None for abi in SUBJECTS[call]):
            continue
        if member.form in ("number", "text"):
            found[member.form] += [name, name]
        else:
            addresses[name] = 32 if member.form == "in_addr" else 128
    return found["number"], found["text"], addresses


PHASES = ("before", "after")
GRAMMARS = {(call, phase): Grammar(*names_of(call, phase)) for call in SUBJECTS for phase in PHASES}
USING = {(call, phase): Grammar(*names_of(call, phase), DEFINED) for call in SUBJECTS for phase in PHASES}


@st.composite
def definitions(draw, call: str) -> list[str]:
    """What the names in DEFINED mean, each used by some of those behind it; arguments are those of a call."""
    inner = GRAMMARS[call, "before"]
    of = {
        "n": lambda name, above: f"let {name} = {draw(Grammar(*names_of(call, 'before'), above).number)}",
        "t": lambda name, above: f"let {name} = {draw(inner.text)}",
        "i": lambda name, above: f"set {name} = {{ {', '.join(draw(st.lists(st.one_of(literals, inner.number), min_size=1, max_size=4)))} }}",
        "s": lambda name, above: f"set {name} = {{ {', '.join([*draw(st.lists(inner.text, min_size=1, max_size=4)), *[n for n in above if n == 's1']])} }}",
    }  # fmt: skip
    return [of[name[0]](name, DEFINED[:at]) + "\n" for at, name in enumerate(DEFINED)]


@st.composite
def rule(draw, call: str, phase: str, own: str = "", error: int = 0, abis: tuple[str, ...] = ()) -> str:
    """One rule about a call, or about others, that uses definitions.

    `own` joins its condition; with `error` it refuses; `abis` are those that it is for, if not some.
    """
    abis = abis or SUBJECTS[call]
    if not draw(st.integers(0, 3)):
        abis = draw(st.lists(st.sampled_from(abis), unique=True, min_size=1))
    named = draw(st.sampled_from([call] * 6 + [f"{call}, sync", f'"{call[:3]}*"', f'"{{{call},sy[m-o]c}}"', "@sync"]))
    both = not error and draw(st.integers(0, 3)) == 0
    subject, when = (call, "before" if both else phase) if named == call else ("sync", phase)
    # What one of the calls lacks, no rule for all of them can name, nor can a definition that it uses.
    condition = draw((USING if named == call else GRAMMARS)[subject, when].number)
    action = f"FAIL error_code = {error}" if error else "LOG"
    parts = [f"syscall_name = {named}", f"abi = {', '.join(abis)}", f"when = {'both' if both and named == call else phase}"]
    if own:
        condition = f"{own} && ({condition})"
    if draw(st.integers(0, 9)) or own:
        parts.append(draw(st.sampled_from(["filter_expression {{ {} }}", "filter_expression < ({}) >"])).format(condition))
    parts.append(draw(st.sampled_from([f"action {{ type = {action} }}", f"action<type = {action}>"])))
    if draw(st.booleans()):
        parts.append("continue = yes")
    joined, ends = draw(st.sampled_from([(" ", "{}"), ("; ", "<>"), ("\n# why\n", "{}")]))
    return f"rule {ends[0]} {joined.join(parts)} {ends[1]}\n"


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
            if name in ("COMM", "CWD", "UID", "PID") or field.phase == phase
        }
        args, memory = self.pointers(abi, call, list(args))
        return Event(call, args, phase, fields, abi, memory)

    def pointers(self, abi: str, call: str, args: list) -> tuple[tuple, dict[int, bytes]]:
        """The registers that lead to structures, mostly, and what is there."""
        memory, names = Memory(abi, call), [name for name, _ in CALLS[abi][call][1]]
        for argument in ARGUMENTS[abi].get(call, {}):
            if self.chance.random() < 0.85:
                args[names.index(argument)] = memory.address(names.index(argument))
                known = [name for name in members.names(abi, call) if name.startswith(f"{argument}.")]
                for name in self.chance.sample(known, min(len(known), self.chance.randrange(1, 6))):
                    try:
                        memory.write(names.index(argument), name.partition(".")[2], self.member(abi, call, name))
                    except Unfit:
                        pass
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


@st.composite
def files(
    draw, call: str, phase: str, own: str = "", errors: int = 0, abis: tuple[str, ...] = ()
) -> tuple[str, dict[str, str]]:
    """A rule file, and those that it includes: definitions and rules, of which some stand there. See rule()."""
    items = draw(definitions(call))
    for at in range(draw(st.integers(1, 3))):
        items.append(draw(rule(call, phase, own, errors and errors + at, abis)))
    if draw(st.booleans()):
        return "".join(items), {}
    first, second = sorted(draw(st.lists(st.integers(0, len(items)), min_size=2, max_size=2)))
    inner = "".join(items[first:second])
    included = {"a.conf": 'include "b.conf"\n' + inner, "b.conf": "# what is included\n"}
    if draw(st.booleans()):
        included = {"a.conf": 'include "b.conf"\n', "b.conf": inner}
    again = 'include "b.conf"' * draw(st.integers(0, 1))
    return "".join([*items[:first], 'include "a.conf"\n', *items[second:], again]), included


@st.composite
def scene(draw, events: int) -> tuple[str, dict[str, str], list[Event]]:
    """A rule file, those that it includes, and calls that it might be about.

    The calls come by chance of their own, since hypothesis takes its time.
    """
    call, phase = draw(st.sampled_from(sorted(SUBJECTS))), draw(st.sampled_from(["before", "before", "after"]))
    text, included = draw(files(call, phase))
    caller = Caller(Random(draw(st.integers(0, (1 << 64) - 1))), text + "".join(included.values()))
    return text, included, [caller.call(call, draw(st.sampled_from([phase, phase, *PHASES]))) for _ in range(events)]


assert set(MOST) == set(ABIS)
