# SPDX-License-Identifier: GPL-2.0-only
"""How does an argument read of which an event tells more than its address: a structure, or a list of strings?

A structure is `{sa_family=AF_INET, sin_port=22, ...}`, as `sct_config test`
takes it, and several in a row stand in brackets; `...` stands for what is not shown, or could not be read.
"""

from functools import cache
from itertools import groupby

from pysct import abi, calls, members, pointed, values
from pysct.abi import ABIS, Limit, State
from pysct.events import Event, String
from pysct.layouts import ARGUMENTS, FAMILIES, LAYOUTS, POINTERS
from pysct.tables import CALLS

MORE = "..."
FAMILY = "sa_family"


def argument(event: Event, index: int) -> str:
    """Argument `index` (from 0) as strace shows it, as far as the event tells."""
    name = calls.argument_names(event.abi, event.nr, len(event.args))[index]
    abi_name, call = calls.abi_name(event.abi), calls.call_name(event.abi, event.nr)
    text = None
    if event.sources and event.args[index] and name in known(abi_name, call):
        shown = Shown(event, abi_name, call)
        text = shown.strings(name) if members.elements(abi_name, call, name) else shown.argument(name)
    return text or values.named_argument(event, index)


@cache
def known(abi_name: str, call: str) -> frozenset[str]:
    """The arguments of a call that may read as more than their addresses; none of a call that is not known."""
    return frozenset(pointed.arguments(abi_name, call)) if members.named(abi_name, call) else frozenset()


class Shown:
    """What one event tells of what its arguments point to.  All methods return None for what it does not tell, or could not be read."""

    def __init__(self, event: Event, abi_name: str, call: str):
        self.event, self.abi, self.call = event, abi_name, call
        self.machine, self.bits = ABIS[abi_name].machine, ABIS[abi_name].bits

    def argument(self, name: str) -> str | None:
        struct, *_, count = ARGUMENTS[self.abi][self.call][name]
        return self.row(struct, name, self.number(count)) if count else self.structure(struct, f"{name}.")

    def number(self, count: str | int) -> int | None:
        """How many structures there are in a row."""
        if isinstance(count, int):
            return count
        declared = CALLS[self.abi][self.call][1]
        index = [name for name, _ in declared].index(count)
        return self.event.args[index] % (1 << abi.KINDS[declared[index][1]].bits) if index < len(self.event.args) else None

    def row(self, struct: str, name: str, count: int | None) -> str | None:
        """Structures in a row: `[{iov_base=0x1000, iov_len=3}, ...]`; one of which nothing is known is `{...}` before one of which
        something is."""
        texts = [self.structure(struct, f"{name}[{at}].") for at in range(min(count or 0, Limit.LISTED))]
        while texts and texts[-1] is None:
            texts.pop()
        if count != 0 and not texts:
            return None
        return f"[{', '.join([text or f'{{{MORE}}}' for text in texts] + [MORE] * (count > len(texts)))}]"

    def structure(self, struct: str, prefix: str) -> str | None:
        """A structure, of whose members `prefix` stands before the names."""
        paths, whole = self.address(prefix) if struct == "sockaddr" else self.kept(struct)
        texts = {path: self.member(prefix, path) for path in paths}
        if not any(texts.values()) or struct == "sockaddr" and not texts[FAMILY]:
            return None
        return braces(texts, whole and all(texts.values()))

    def kept(self, struct: str) -> tuple[tuple[str, ...], bool]:
        """The members that are shown of a structure, and whether these are all."""
        paths = pointed.kept(self.machine, struct)
        return paths, len(paths) == len(LAYOUTS[self.machine][struct])

    def address(self, prefix: str) -> tuple[tuple[str, ...], bool]:
        """The same of a socket address, by its family."""
        (held,) = self.held(members.find(self.abi, self.call, prefix + FAMILY))
        family = values.member_number(abi.KINDS["u16"].number, held)
        for struct, number in FAMILIES:
            if number == family:
                paths, whole = self.kept(struct)
                return (FAMILY, *paths), whole
        return (FAMILY,), False

    def member(self, prefix: str, path: str) -> str | None:
        name = prefix + path
        member = members.find(self.abi, self.call, name)
        if path in POINTERS and (inner := self.structure(pointed.target(path, self.bits), f"{name}.")):
            return inner
        held = self.held(member)
        if path in POINTERS:
            address = values.member_number(member.kind, held[0])
            return None if address is None else values.pointer(address)
        text = values.member_words(member, self.abi, held[0]) or values.member(member.form, [each.kind for each in member.readings], held)
        return None if text == values.UNKNOWN else text

    def held(self, member: members.Member) -> list[String | None]:
        return [self.event.sources.get(reading.entry()) for reading in member.readings]

    def strings(self, name: str) -> str | None:
        """A list of strings: `["sh", "-c"]`; a string that could not be read is `?`."""
        texts = []
        for element in pointed.parts(self.abi, self.call, name):
            (held,) = self.held(members.find(self.abi, self.call, element))
            if held and held.state == State.ABSENT:
                return f"[{', '.join(texts)}]"
            if held is None or len(texts) == Limit.LISTED:
                texts.append(MORE)
                break
            texts.append(values.member("text", [], [held]))
        return f"[{', '.join(texts)}]" if set(texts) - {values.UNKNOWN, MORE} else None


def braces(texts: dict[str, str | None], whole: bool) -> str:
    """Members by their names in braces, those of one inside (`it_value.tv_sec`) in its own; `whole`: there are no more."""
    said = []
    for outer, paths in groupby(texts, key=lambda path: path.partition(".")[0]):
        inside = {path.partition(".")[2]: texts[path] for path in paths}
        text = inside[""] if "" in inside else any(inside.values()) and braces(inside, all(inside.values()))
        said += [f"{outer}={text}"] if text else []
    return "{" + ", ".join([*said, *([] if whole else [MORE])]) + "}"
