# SPDX-License-Identifier: GPL-2.0-only
"""What does an image say, for people?

Nothing in an image is trusted: what has no name is shown by its number.
"""

from pysct import calls, members, origin, resolved, values
from pysct.abi import ACTIONS, FIELDS, KINDS, OPCODES, PHASES, SOURCE_OPERAND, RuleFlag
from pysct.image import Image, ImageRule, Prog, decode
from pysct.meanings import Meanings
from pysct.reading import decode as decode_reading

OPS = {opcode.number: opcode for opcode in OPCODES.values()}
FIELD_NAMES = {field.number: field.name for field in FIELDS.values()}
KIND_NAMES = {kind.number: kind.name for kind in KINDS.values()}
PHASE_NAMES = {number: name for name, number in PHASES.items()}
FLAG_NAMES = {RuleFlag.CONTINUE: "continue", RuleFlag.LOG_CWD: "with current directory"}
COLUMN = 30  # what a constant means stands two behind it


def disassemble(image: bytes | Image, places: list[str] | None = None) -> str:
    """The rules and programs of an image as text, one instruction a line. Raises ImageError for bytes that are none.

    places: where each rule stands, if that is known better than from the image.
    """
    image = image if isinstance(image, Image) else decode(image)
    places = places or origin.places(image)
    marks = [
        f"; {place} rule {shown(rule.name)}" + (f": {condition}" if condition else "")
        for place, rule, condition in zip(places, image.rules, origin.conditions(image))
    ]
    rules = [line for index, rule in enumerate(image.rules) for line in rule_lines(index, rule, places[index])]
    programs = [line for prog in image.progs for line in ("", *Listing(image, prog, marks).lines())]
    return "\n".join(rules + programs) + "\n"


def rule_lines(index: int, rule: ImageRule, place: str) -> list[str]:
    """What happens when a rule matches."""
    actions = [action.name for action in ACTIONS.values() if rule.actions & action.mask]
    parts = [named(PHASE_NAMES, rule.phase, "phase"), " ".join(actions) or "nothing"]
    if rule.error:
        parts.append(f"error {error_name(rule.error)}")
    parts += [name for flag, name in FLAG_NAMES.items() if rule.flags & flag]
    parts += [f"with {named(FIELD_NAMES, number, 'field')}" for number in rule.shows]
    lines = [f"rule {index} {shown(rule.name)} {place}: {', '.join(parts)}"]
    if rule.template is not None:
        lines.append(f"    log_format {quoted(rule.template)}")
    return lines


class Listing:
    """The text of one program."""

    def __init__(self, image: Image, prog: Prog, marks: list[str]):
        self.image, self.prog, self.marks = image, prog, marks
        self.arguments = calls.argument_names(prog.abi, prog.nr, len(prog.kinds))
        self.meanings = Meanings(image, prog, self.arguments)
        targets = {at + 1 + insn[4] for at, insn in enumerate(prog.insns) if self.form(insn[0]) in ("jump", "goto")}
        self.labels = {at: f"L{number}" for number, at in enumerate(sorted(targets), 1)}

    def lines(self) -> list[str]:
        prog = self.prog
        arguments = ", ".join(
            f"{name} {named(KIND_NAMES, kind, 'kind')}" for name, kind in zip(self.arguments, prog.kinds)
        )
        lines = [
            f"{calls.abi_name(prog.abi)} {calls.call_name(prog.abi, prog.nr)}({arguments}) "
            f"{named(PHASE_NAMES, prog.phase, 'phase')}: cost {prog.cost}"
        ]
        starts = self.starts()
        for at, insn in enumerate(prog.insns):
            label = self.labels.get(at, "")
            if at in starts:
                lines.append(f"    {starts[at]}")
            line = f"{label + ':' if label else '':4}{self.instruction(at, insn)}"
            meaning = self.meaning(at, insn)
            lines.append(f"{line:<{COLUMN}}  ; {meaning}" if meaning else line.rstrip())
        return lines

    def starts(self) -> dict[int, str]:
        """What stands before the first instruction behind the MATCH above each MATCH: of which rule that is."""
        found, start = {}, 0
        for at, (op, *_, imm) in enumerate(self.prog.insns):
            if self.form(op) == "match":
                if 0 <= imm < len(self.marks):
                    found[start] = self.marks[imm]
                start = at + 1
        return found

    def meaning(self, at: int, insn) -> str:
        """What a constant stands for."""
        form, imm, consts = self.form(insn[0]), insn[4], self.image.consts
        if form == "imm":
            return self.meanings.said(at, imm)
        return self.meanings.said(at, consts[imm]) if form == "const" and 0 <= imm < len(consts) else ""

    def form(self, op: int) -> str:
        return OPS[op].form if op in OPS else ""

    def instruction(self, at: int, insn) -> str:
        op, dst, a, b, imm = insn
        if op not in OPS:
            return f"op_{op:#04x} dst={dst} a={a} b={b} imm={imm}"
        operands = {
            "none": lambda: (),
            "match": lambda: (f"r{a}", self.rule(imm)),
            "jump": lambda: (f"r{a}", self.labels[at + 1 + imm]),
            "goto": lambda: (self.labels[at + 1 + imm],),
            "imm": lambda: (f"r{dst}", str(imm)),
            "const": lambda: (f"r{dst}", self.const(imm)),
            "field": lambda: (f"r{dst}", named(FIELD_NAMES, imm, "field")),
            "arg": lambda: (f"r{dst}", self.argument(imm)),
            "unary": lambda: (f"r{dst}", f"r{a}"),
            "binary": lambda: (f"r{dst}", f"r{a}", f"r{b}"),
            "strconst": lambda: (f"r{dst}", self.string_operand(a), self.string(imm)),
            "source": lambda: (f"r{dst}", self.source(imm)),
            "each": lambda: (f"r{dst}",),
            "next": lambda: (f"r{a}",),
            "strstr": lambda: (f"r{dst}", self.string_operand(a), self.string_operand(b)),
        }[OPS[op].form]()
        return f"{OPS[op].name:5} {', '.join(operands)}"

    def rule(self, index: int) -> str:
        rules = self.image.rules
        return shown(rules[index].name) if 0 <= index < len(rules) else f"rule_{index}"

    def const(self, index: int) -> str:
        consts = self.image.consts
        return str(consts[index]) if 0 <= index < len(consts) else f"const_{index}"

    def string(self, index: int) -> str:
        strings = self.image.strings
        return quoted(strings[index]) if 0 <= index < len(strings) else f"string_{index}"

    def argument(self, index: int) -> str:
        return self.arguments[index] if 0 <= index < len(self.arguments) else f"arg_{index}"

    def string_operand(self, operand: int) -> str:
        if operand >= SOURCE_OPERAND:
            return self.source(operand - SOURCE_OPERAND)
        return named(FIELD_NAMES, operand, "operand") if operand >= 16 else self.argument(operand)

    def source(self, index: int) -> str:
        sources = self.prog.sources
        if not 0 <= index < len(sources):
            return f"source_{index}"
        reading = decode_reading(sources[index])
        at = calls.abi_name(self.prog.abi), calls.call_name(self.prog.abi, self.prog.nr), reading
        name = members.shown(*at) or resolved.shown(*at)
        return name or f"{self.argument(reading.arg)}+{reading.offset}"


def error_name(error: int) -> str:
    """The error of a FAIL by its name, or as the number that it is."""
    name = values.error_name(values.error_number(error))
    return name if name.isidentifier() else str(error)


def named(names: dict, number: int, what: str) -> str:
    return names.get(number, f"{what}_{number}")


def shown(name: bytes) -> str:
    """A rule's name, in quotes if it is not a plain word."""
    text = name.decode("utf-8", "surrogateescape")
    return text if text.isidentifier() else quoted(name)


def quoted(data: bytes) -> str:
    """Bytes as a string in a rule would say them."""
    out = ""
    for char in data.decode("utf-8", "surrogateescape"):
        if char in '"\\':
            out += "\\" + char
        elif char.isprintable():
            out += char
        else:
            out += "".join(f"\\x{byte:02x}" for byte in char.encode("utf-8", "surrogateescape"))
    return f'"{out}"'
