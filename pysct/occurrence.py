# SPDX-License-Identifier: GPL-2.0-only
"""Which call does somebody describe who wants to know what rules make of it?

As in `unlinkat(AT_FDCWD, "/etc/passwd", 0) uid=0 comm=rm`: see
grammar/events.lark.
"""

from dataclasses import dataclass
from functools import cache

from lark import Lark, Token, Tree
from lark.exceptions import UnexpectedInput

from pysct import members, resolved, values
from pysct.abi import ABIS, FIELDS, KINDS, Limit, State
from pysct.above import Above
from pysct.build import Unusable
from pysct.described import Memory
from pysct.diagnostics import Diagnostics, suggest
from pysct.event_memory import Pointing
from pysct.event_syntax import GRAMMAR
from pysct.event_words import ours, span
from pysct.judge import Call
from pysct.layouts import ARGUMENTS
from pysct.points import abis_of
from pysct.source import Source, Span
from pysct.tables import CALLS

EXAMPLE = 'a call is written `openat(AT_FDCWD, "/etc/passwd", O_RDONLY) uid=0 comm=cat`'


@dataclass(frozen=True)
class Occurrence:
    """A call that is to be judged; `missing` names the fields and arguments of which nothing was said."""

    abi: str
    call: str
    seen: Call
    missing: frozenset[str]

    @property
    def has_result(self) -> bool:
        return "RETVAL" not in self.missing


@cache
def parser() -> Lark:
    return Lark(GRAMMAR, parser="lalr", start="event", maybe_placeholders=False)


def read(source: Source, diagnostics: Diagnostics) -> Occurrence | None:
    """The call that a text describes; None after reporting why it describes none."""
    try:
        parsed = parser().parse(source.text)
    except UnexpectedInput as error:
        at = len(source.text.rstrip()) if getattr(error, "token", Token("", "")).type == "$END" else error.pos_in_stream
        diagnostics.error(source, Span(at, at + 1), "the call is not understood from here on", EXAMPLE)
        return None
    try:
        reader = Reader(source, diagnostics)
        found = reader.occurrence(parsed)
        return found if reader.builder.good else None
    except Unusable:
        return None


class Reader(Pointing):
    """Reads one event.  All methods raise Unusable after reporting what is wrong, or go on if `builder` says so."""

    def __init__(self, source: Source, diagnostics: Diagnostics):
        super().__init__(source, diagnostics)
        self.seen: set[str] = set()
        self.texts: dict[str, bytes | None] = {}
        self.paths: dict[str, bytes | int] = {}
        self.above = Above()

    def occurrence(self, parsed: Tree) -> Occurrence:
        name, *rest = parsed.children
        settings = [part for part in rest if part.data == "setting"]
        self.abi = self.find_abi(name, settings)
        for key, value in (part.children for part in settings):
            if key.type == "PLACE":
                self.lead(name.value, key, value)
            elif key.value.lower() != "abi":
                self.set(key, value)
        args, texts, given = self.arguments(name, [part for part in rest if part.data != "setting"])
        fields = {FIELDS[key].number: value for key, value in self.numbers.items()}
        texts |= {FIELDS[key].number: State.FAULT if text is None else text for key, text in self.texts.items()}
        known = {*given, *self.numbers, *self.texts, *self.paths, *self.above.known()}
        declared = [argument for argument, _ in CALLS[self.abi][name.value][1]]
        missing = ({*FIELDS, *declared, *resolved.names(self.abi, name.value)} - known) | self.missing_members(declared, known, args)
        missing |= self.missing_data(declared, known) | self.unlisted
        missing |= {name for other in set(declared) - known for name in members.elements(self.abi, self.memory.call, other)}
        paths = {resolved.find(self.abi, name.value, key): path for key, path in self.paths.items()}
        call = Call(args, fields, texts, self.memory.held(), paths, self.above.ancestors())
        return Occurrence(self.abi, name.value, call, frozenset(missing))

    def lead(self, call: str, key: Token, value: Token):
        """Take `path(argument)=value`."""
        if not resolved.find(self.abi, call, key.value):
            known = resolved.names(self.abi, call)
            hint = suggest(key.value, known, f"known are {', '.join(known)}" if known else None)
            self.refuse(span(key), f"`{key}` is nothing that `{call}` has in {self.abi}", hint)
        if key.value in self.paths:
            self.refuse(span(key), f"`{key}` stands twice")
        path = self.word(value)
        self.paths[key.value] = State.FAULT if path is None else path

    def find_abi(self, name: Token, settings: list[Tree]) -> str:
        """The ABI that the event names, or the first one that has the call."""
        for key, value in (part.children for part in settings):
            if key.value.lower() == "abi":
                if value.value not in ABIS:
                    known = suggest(value, ABIS, f"it is one of {', '.join(ABIS)}")
                    self.refuse(span(value), f"unknown ABI `{value}`", known)
                if name.value not in CALLS[value.value]:
                    self.refuse(span(name), f"`{name}` is not a system call of {value}", suggest(name, CALLS[value.value]))
                return value.value
        found = [abi for abi in (*abis_of(), *ABIS) if name.value in CALLS[abi]]
        if not found:
            known = sorted({call for abi in abis_of() for call in CALLS[abi]})
            self.refuse(span(name), f"unknown system call `{name}`", suggest(name, known))
        return found[0]

    def set(self, key: Token, value: Token):
        """Take `key=value`, where key is a field in letters of any size."""
        field = FIELDS.get(key.value.upper())
        if field and field.subject:
            held = self.word(value) if field.type == "str" else self.number_of(field, value)
            if not self.above.add(field, held):
                self.refuse(span(key), f"`{key}` stands twice", "the parent is the first ancestor")
            return
        if not field:
            known = ["abi", *(name.lower() for name in FIELDS if "." in key or not FIELDS[name].subject)]
            self.refuse(
                span(key), f"unknown name `{key}`", suggest(key.value.lower(), known, f"known are {', '.join(known)}")
            )
        if field.name in self.seen:
            self.refuse(span(key), f"`{key}` stands twice")
        self.seen.add(field.name)
        if field.type == "str":
            self.texts[field.name] = self.word(value)
        else:
            self.numbers[field.name] = self.number_of(field, value)
        if field.name in ("RETVAL", "ERRNO"):
            self.complete_result(value)

    def complete_result(self, value: Token):
        """RETVAL and ERRNO follow from each other."""
        result, error = self.numbers.get("RETVAL"), self.numbers.get("ERRNO")
        if result is None:
            result = self.numbers["RETVAL"] = -error
        failed = values.error_number(result)
        if self.numbers.setdefault("ERRNO", failed) != failed:
            self.refuse(
                span(value), f"a call that returns {result} has the error number {failed}", "leave retval or errno out"
            )

    def arguments(self, name: Token, given: list[Tree]) -> tuple[tuple[int, ...], dict[int, bytes | int], list[str]]:
        """The registers, the strings by their operands, and the names of those arguments that were given."""
        declared = CALLS[self.abi][name.value][1]
        if len(given) > len(declared):
            names = ", ".join(argument for argument, _ in declared)
            message = f"more arguments than `{name}` has in {self.abi}"
            self.refuse(span(name), message, f"its arguments are {names}" if names else f"write {name}()")
        registers, texts = [], {}
        self.memory = Memory(self.abi, name.value)
        for index, (part, (argument, kind)) in enumerate(zip(given, declared)):
            if part.data == "structure" and argument not in ARGUMENTS[self.abi].get(name.value, {}):
                self.refuse(span(name), f"`{argument}` of `{name}` is not a structure", "members in { } are those of a structure")
            if part.data == "list" and not self.takes_list(name, argument) and not self.memory.most(index):
                hint = "strings in [ ] are argv and envp of execve, structures those of an array"
                self.refuse(span(name), f"`{argument}` of `{name}` is not a list", hint)
            if kind == "str":
                texts[index] = self.text(part, argument)
                registers.append(1)
            elif part.data == "structure":
                registers.append(self.structure(part, index, argument, name.value))
            elif part.data == "list" and self.memory.most(index):
                registers.append(self.array(part, index, argument, name))
            elif part.data == "list" or part.data == "unreadable" and self.takes_list(name, argument):
                registers.append(self.list_given(part, index, name, argument))
            elif self.memory.data(index) and part.data != "flags":
                registers.append(self.data_given(part, index))
            else:
                registers.append(self.register(part, argument, kind))
        self.memory.finish()
        for index in range(len(registers), len(declared)):
            registers.append(self.size(index, declared[index][1]))
        self.check_data(name, registers, declared)
        whole = {index for index, part in enumerate(given) if part.data != "cut"}
        known = [argument for index, (argument, _) in enumerate(declared) if index in whole or index in self.memory.sized]
        return tuple(registers), texts, known

    def text(self, part: Tree, argument: str) -> bytes | int:
        """A string argument; an address without a string cannot be read."""
        if part.data != "text":
            return State.FAULT
        text = self.builder.unescape(ours(part.children[0]))
        return text if len(text) < Limit.STRING else State.LONG

    def register(self, part: Tree, argument: str, kind: str) -> int:
        """A number argument, which has to fit its declared type."""
        if part.data != "flags":
            self.refuse(
                span(part.children[0]), f"`{argument}` is a number", "write a number, or constants with | between them"
            )
        value = self.flags(part)
        bits = KINDS[kind].bits
        if not -(1 << (bits - 1)) <= value < 1 << bits:
            self.refuse(
                span(part.children[0].children[-1]), f"{value} does not fit into `{argument}`", f"it has {bits} bits"
            )
        return value
