# SPDX-License-Identifier: GPL-2.0-only
"""Rules from a source of chance: what hypothesis draws."""

import re
from functools import cache
from random import Random

from hypothesis import strategies as st
from opinions import Event
from random_calls import EDGES, LARGE, NETWORKS, NUMBERS_ABOVE, PLACES, SUBJECTS, TEXTS_ABOVE, WORDS, Caller

from pysct import members, resolved
from pysct.layouts import LISTS
from pysct.tables import CALLS

CONSTANTS = ("AT_FDCWD", "O_CREAT", "O_DIRECTORY", "EPERM", "SIGKILL")
BITS = (*map(str, EDGES), "CAP_SYS_ADMIN", "CAP_CHOWN", "UID", "PID")
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
            st.sampled_from(BITS).map(lambda bit: f"({bit} in CAPS)"),
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
    found = {"text": ["COMM", "CWD", "SYSCALL", "ABI", *TEXTS_ABOVE], "number": ["UID", "PID", *NUMBERS_ABOVE]}
    found["number"] += ["RETVAL", "ERRNO"] if phase == "after" else []
    for at, (name, kind) in enumerate(CALLS[SUBJECTS[call][0]][call][1], 1):
        data = members.data(SUBJECTS[call][0], call, name)
        if data is None or phase == "after" or not data.filled:
            found["text" if data or kind == "str" else "number"] += [name, name, *[f"PARAMS[{at}]"] * (call != "clone")]
    for argument in LISTS[SUBJECTS[call][0]].get(call, ()):
        found["text"] += [f"{argument}[{at}]" for at in (0, 0, 0, 1, 1, 2)]
    paths = [name for name in resolved.names(SUBJECTS[call][0], call) if name != resolved.RESULT]
    found["text"] += [resolved.RESULT] * 2 if phase == "after" and resolved.find(SUBJECTS[call][0], call, resolved.RESULT) else []
    for name in paths:
        at = resolved.find(SUBJECTS[call][0], call, name)[1] + 1
        found["text"] += [name, f"{name.partition('(')[0]}(PARAMS[{at}])"]
    addresses = {}
    for name in members.names(SUBJECTS[call][0], call):
        member = members.find(SUBJECTS[call][0], call, name)
        if member.filled and phase == "before" or any(members.find(abi, call, name) is None for abi in SUBJECTS[call]):
            continue
        if any(int(place) >= PLACES for place in re.findall(r"\[(\d+)\]", name)):
            continue
        for said in (name, *spellings(call, name)):
            if member.form in ("number", "text"):
                found[member.form] += [said]
            else:
                addresses[said] = 32 if member.form == "in_addr" else 128
    return found["number"], found["text"], addresses


def spellings(call: str, name: str) -> list[str]:
    """The other ways to name a member: by the place of its argument, and as that of an array's first without saying so."""
    argument = re.split(r"[.[]", name)[0]
    at = [known for known, _ in CALLS[SUBJECTS[call][0]][call][1]].index(argument) + 1
    return [f"PARAMS[{at}]{name[len(argument) :]}", *[name.replace("[0]", "")] * ("[0]" in name)]


PHASES = ("before", "after")
GRAMMARS = {(call, phase): Grammar(*names_of(call, phase)) for call in SUBJECTS for phase in PHASES}
USING = {(call, phase): Grammar(*names_of(call, phase), DEFINED) for call in SUBJECTS for phase in PHASES}


@cache
def grammar_above(call: str, above: tuple[str, ...]) -> Grammar:
    """That of a definition, which may use those above it; made once, since hypothesis takes long over a new one."""
    return Grammar(*names_of(call, "before"), above)


@st.composite
def definitions(draw, call: str) -> list[str]:
    """What the names in DEFINED mean, each used by some of those behind it; arguments are those of a call."""
    inner = GRAMMARS[call, "before"]
    of = {
        "n": lambda name, above: f"let {name} = {draw(grammar_above(call, above).number)}",
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
