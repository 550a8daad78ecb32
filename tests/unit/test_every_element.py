# SPDX-License-Identifier: GPL-2.0-only
"""Has each element of the language a row in the specification, an example, and a rule with it that must not compile?

That each example has its golden file says tests/golden. An element has a bad rule if an error is reported where it
stands: at it, or at what it is compared or computed with; or if the error names it, as it does of a misspelt one.
"""

from functools import cache

import pytest
from elements import ALL, MACHINE, SPEC, TREE, Element, at_place, glob_parts, named, of_condition, of_rule

from pysct import tree
from pysct.compiler import compile_sources
from pysct.diagnostics import Diagnostics
from pysct.include import Includer
from pysct.parse import machinery
from pysct.source import Source

PUNCTUATION = {",", "(", ")", "[", "]"}


def sources(directory: str) -> list[Source]:
    return [Source(str(path), path.read_bytes()) for path in sorted((TREE / directory).glob("*.conf"))]


def rules(source: Source) -> list[tree.Rule]:
    """The rules of a file that follow the grammar."""
    return [item for item in Includer([source], Diagnostics()).items() if isinstance(item, tree.Rule)]


@cache
def in_examples() -> frozenset[Element]:
    found = set()
    for source in sources("examples"):
        result = compile_sources([source], MACHINE)
        assert result.image, source.name
        for rule in result.rules:
            calls = [(point.abi, point.call) for point in rule.points]
            found |= of_condition(rule.condition, calls) if rule.condition else set()
        found |= {element for rule in rules(source) for element in of_rule(rule)}
    return frozenset(found)


@cache
def in_bad_rules() -> frozenset[Element]:
    found = set()
    for source in sources("tests/bad"):
        errors = [each for each in compile_sources([source], MACHINE).diagnostics if each.severity == "error"]
        found |= {element for each in errors for element in named(f"{each.message} {each.hint}")}
        for rule in rules(source):
            places = (each.span for each in errors if each.source is source and each.span)
            found |= {element for span in places for element in at_place(rule, span)}
    return frozenset(found)


def missing(kind: str, found: frozenset[Element]) -> list[str]:
    return sorted(name for name in ALL[kind] if (kind, name) not in found)


@pytest.mark.parametrize("kind", ALL)
def test_has_an_example(kind):
    assert missing(kind, in_examples()) == []


@pytest.mark.parametrize("kind", ALL)
def test_has_a_rule_that_must_not_compile(kind):
    assert missing(kind, in_bad_rules()) == []


def test_the_operators_of_the_grammar_have_their_rows():
    """(level, operator) of what the grammar takes for an expression, and of the specification."""
    parser = machinery()[0]
    literal = {t.name: t.pattern.value for t in parser.terminals if t.pattern and t.pattern.type == "str"}
    reached, todo, found = set(), ["element"], set()
    while todo:
        name = todo.pop()
        for rule in (rule for rule in parser.rules if rule.origin.name == name and name not in reached):
            todo += [symbol.name for symbol in rule.expansion if not symbol.is_term]
            level = str(name).strip("_").partition("_star")[0]
            found |= {(level, literal[symbol.name]) for symbol in rule.expansion if symbol.name in literal}
        reached.add(name)
    found = {(level, name) for level, name in found if name not in PUNCTUATION}
    found.remove(("prefix", "!~"))  # `!` before `~`, which the lexer takes for one
    assert found == {(row["level"], row["name"]) for row in SPEC["operator"]}


def test_the_parts_of_globs_have_their_rows():
    assert glob_parts(rb"a*b**c/**/d?[e-g][!h]{i,j}\*") == ALL["glob"]


def test_what_is_missing_is_seen():
    """An element that nobody writes, and a comparison beside the one that is wrong, are not found."""
    assert ("field", "NONSENSE") not in in_examples() | in_bad_rules()
    text = b'rule { syscall_name = chdir filter_expression { PID == 1 && TID + 1 == "x" } action { LOG } }'
    source = Source("x", text)
    (error,) = compile_sources([source], MACHINE).diagnostics
    (rule,) = rules(source)
    found = at_place(rule, error.span)
    assert ("field", "TID") in found and ("operator", "==") in found
    assert ("field", "PID") not in found and ("operator", "&&") in found and ("action", "LOG") not in found
