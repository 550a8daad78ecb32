# SPDX-License-Identifier: GPL-2.0-only
"""How does rule text become an image?"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from pysct.advice import advise
from pysct.assemble import assemble
from pysct.check import Rule, check
from pysct.collector import without_collector
from pysct.diagnostics import Diagnostic, Diagnostics, TooManyErrors
from pysct.include import Includer
from pysct.link import Linker
from pysct.release import Kernel
from pysct.source import Source, Span, encode
from pysct.target import advise_kernel


@dataclass(slots=True)
class Result:
    """`image` is None if there is an error among the diagnostics; `rules` are those that make sense."""

    image: bytes | None = None
    rules: list[Rule] = field(default_factory=list)
    diagnostics: list[Diagnostic] = field(default_factory=list)


@without_collector()
def compile_sources(
    sources: list[Source], machine: str | None = None, optimise: bool = True, kernel: Kernel | None = None
) -> Result:
    """Compile some sources as one rule set, in this order. Never raises because of what they say.

    machine: the one whose ABIs a rule is for that says none, as `uname -m` names it; by default this one.
    optimise: rules of a point may share tests; else the code of each is there for itself, and takes its condition
    literally, operator by operator: it means the same, and is for tests.
    kernel: the one that they are for, which may lack what they name; it changes nothing but the warnings.
    """
    diagnostics, result = Diagnostics(), Result()
    includer = Includer(sources, diagnostics)
    try:
        result.rules = check(includer.items(), machine, includer.text.line_of, diagnostics)
        warn_empty(includer, result.rules, diagnostics)
        linker = Linker(diagnostics, optimise)
        for rule in result.rules:
            linker.add(rule)
        if not diagnostics.errors:
            result.image = assemble(linker, includer.text.data, diagnostics)
        if result.image is not None:
            advise(linker.rules, linker.conditions, kernel, diagnostics)
        if result.image is not None and kernel:
            advise_kernel(linker.rules, kernel, diagnostics)
    except TooManyErrors:
        pass
    order = {source: number for number, source in enumerate(includer.sources)}
    result.diagnostics = sorted(
        diagnostics, key=lambda found: (order.get(found.source, len(order)), found.span or (-1, -1))
    )
    return result


def compile_files(paths: Iterable, machine: str | None = None) -> Result:
    """The same for files. Raises OSError."""
    return compile_sources([Source.read(path) for path in paths], machine)


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


def warn_empty(includer: Includer, rules: list[Rule], diagnostics: Diagnostics):
    """Warn of files that hold nothing, and of definitions for no rule."""
    for source in includer.sources if not diagnostics.errors else ():
        if source in includer.empty or not rules:
            diagnostics.warning(source, None, "there is no rule in this file")
