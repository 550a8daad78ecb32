# SPDX-License-Identifier: GPL-2.0-only
"""How does rule text become an image?"""

import gc
from collections.abc import Iterable
from contextlib import contextmanager
from dataclasses import dataclass, field

from pysct.assemble import assemble
from pysct.check import Rule, check
from pysct.diagnostics import Diagnostic, Diagnostics, TooManyErrors
from pysct.link import Linker
from pysct.parse import parse
from pysct.source import Source, Span, encode


@dataclass(slots=True)
class Result:
    """`image` is None if there is an error among the diagnostics; `rules` are those that make sense."""

    image: bytes | None = None
    rules: list[Rule] = field(default_factory=list)
    diagnostics: list[Diagnostic] = field(default_factory=list)


@contextmanager
def without_collector():
    """No search for garbage cycles, of which a compiler makes none: it would go through all rules again and again."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


@without_collector()
def compile_sources(sources: list[Source], optimise: bool = True) -> Result:
    """Compile some sources as one rule set, in this order. Never raises because of what they say.

    What is not optimised means the same, and is for tests: conditions are taken literally, operator by operator.
    """
    diagnostics, result = Diagnostics(), Result()
    try:
        text, first_lines = join(sources)
        parsed = (rule for source in sources for rule in parse(source, diagnostics))
        result.rules = check(parsed, first_lines, diagnostics)
        for source in sources:
            warn_empty(source, result.rules, diagnostics)
        linker = Linker(diagnostics, optimise)
        for rule in result.rules:
            linker.add(rule)
        if not diagnostics.errors:
            result.image = assemble(linker, text, diagnostics)
    except TooManyErrors:
        pass
    order = {source: number for number, source in enumerate(sources)}
    result.diagnostics = sorted(
        diagnostics, key=lambda found: (order.get(found.source, len(order)), found.span or (-1, -1))
    )
    return result


def compile_files(paths: Iterable) -> Result:
    """The same for files. Raises OSError."""
    return compile_sources([Source.read(path) for path in paths])


def join(sources: list[Source]) -> tuple[bytes, dict[Source, int]]:
    """The text of all sources, each starting on a line of its own, and which line of the whole that is, from 1."""
    parts, first_lines, line = [], {}, 1
    for source in sources:
        first_lines[source] = line
        line += source.lines
        parts.append(source.data)
        if source is not sources[-1] and source.data and not source.data.endswith(b"\n"):
            parts.append(b"\n")
    return b"".join(parts), first_lines


def remove_rules(text: bytes, names: Iterable[str]) -> bytes:
    """The text without some rules and the lines that only they take up; all else stays byte for byte.

    Raises LookupError if there is no rule of such a name.
    """
    source, wanted = Source("", text), set(names)
    found = {rule.name: rule for rule in compile_sources([source]).rules}
    if wanted - found.keys():
        raise LookupError(f"no rule has the name {', '.join(sorted(wanted - found.keys()))}")
    kept, at = [], 0
    for rule in sorted((found[name] for name in wanted), key=lambda rule: rule.span):
        start, end = whole_lines(source.text, rule.span)
        kept.append(source.text[at : max(start, at)])
        at = end
    return encode("".join(kept) + source.text[at:])


def whole_lines(text: str, span: Span) -> tuple[int, int]:
    """The span, and its lines' other blanks and last newline if nothing else stands there."""
    start, end = span
    while start and text[start - 1] in " \t":
        start -= 1
    while end < len(text) and text[end] in " \t\r;":
        end += 1
    alone = (start == 0 or text[start - 1] == "\n") and (end == len(text) or text[end] == "\n")
    return (start, end + 1) if alone else span


def warn_empty(source: Source, rules: list[Rule], diagnostics: Diagnostics):
    if not diagnostics.errors and not any(rule.source is source for rule in rules):
        diagnostics.warning(source, None, "there is no rule in this file")
