# SPDX-License-Identifier: GPL-2.0-only
"""Do generated conditions mean the same, however they are compiled?"""

import re

from hypothesis import given
from hypothesis import strategies as st
from machine import UNKNOWN, Event, Machine
from rounds import examples

from pysct import codegen
from pysct.compiler import compile_sources
from pysct.source import Source

INTERESTING = [0, 1, -1, 2, 7, 63, 64, 255, -128, 1 << 31, -(1 << 31), (1 << 32) - 1, (1 << 63) - 1, -(1 << 63)]
FIELDS = ("UID", "EUID", "PID", "PPID", "GID", "EGID")
BINARY = ["+", "-", "*", "/", "%", "&", "|", "^", "==", "!=", "<", "<=", ">", ">=", "&&", "||"]
STRINGS = ("dev_name", "dir_name", "type", "data")


def compiled(call: str, condition: str):
    text = f"rule {{ syscall_name = {call} rule_name = r filter_expression {{ {condition} }} action {{ LOG }} }}"
    result = compile_sources([Source("t", text)], "x86_64")
    return result.image, [diagnostic.message for diagnostic in result.diagnostics]


def outcome(image: bytes, event: Event):
    verdict = Machine(image).judge(event)
    return True if verdict.matched else UNKNOWN if verdict.unknown else False


numbers = st.one_of(st.sampled_from(INTERESTING), st.integers(-(1 << 63), (1 << 63) - 1))
leaves = st.one_of(st.sampled_from(FIELDS), st.sampled_from(INTERESTING).map(str))


def grow(inner):
    return st.one_of(
        st.tuples(inner, st.sampled_from(BINARY), inner).map(lambda t: f"({t[0]} {t[1]} {t[2]})"),
        st.tuples(st.sampled_from("-~!"), inner).map(lambda t: f"({t[0]} {t[1]})"),
        st.tuples(inner, st.lists(inner, min_size=1, max_size=3)).map(lambda t: f"({t[0]} in {{ {', '.join(t[1])} }})"),
        st.tuples(inner, inner, inner).map(lambda t: f"({t[0]} in {{ {t[1]}..{t[2]} }})"),
        st.tuples(inner, st.sampled_from(["<<", ">>"]), st.integers(0, 63)).map(lambda t: f"({t[0]} {t[1]} {t[2]})"),
    )


@examples(40)
@given(st.recursive(leaves, grow, max_leaves=25), st.lists(numbers, min_size=6, max_size=6))
def test_constants_fold_as_the_machine_computes(expression, values):
    """The same condition over variables, and over their values, comes out the same."""
    fields = dict(zip(FIELDS, values))
    image, errors = compiled("sync", expression)
    folded, more = compiled("sync", re.sub("[A-Z]+", lambda name: str(fields[name[0]]), expression))
    if image is None or folded is None:  # what is unknown or empty whatever the call
        assert {"division by zero", "the range is empty"} & {*errors, *more}
        return
    assert outcome(image, Event("sync", (), "before", fields)) == outcome(folded, Event("sync", (), "before", fields))


atoms = st.sampled_from(STRINGS).map(lambda name: (name, f'{name} == "yes"'))


def combine(inner):
    return st.one_of(
        st.tuples(st.just("&&"), st.lists(inner, min_size=2, max_size=4)),
        st.tuples(st.just("||"), st.lists(inner, min_size=2, max_size=4)),
        st.tuples(st.just("!"), inner),
    )


def text(tree) -> str:
    if tree[0] in ("&&", "||"):
        return "(" + f" {tree[0]} ".join(map(text, tree[1])) + ")"
    return f"!{text(tree[1])}" if tree[0] == "!" else f"({tree[1]})"


def kleene(tree, values):
    """Three-valued logic as Kleene has it."""
    if tree[0] == "!":
        inner = kleene(tree[1], values)
        return UNKNOWN if inner is UNKNOWN else not inner
    if tree[0] not in ("&&", "||"):
        return values[tree[0]]
    inner, decides = [kleene(part, values) for part in tree[1]], tree[0] == "||"
    return decides if decides in inner else UNKNOWN if UNKNOWN in inner else not decides


@examples(40)
@given(
    st.recursive(atoms, combine, max_leaves=30),
    st.lists(st.sampled_from([True, False, UNKNOWN]), min_size=4, max_size=4),
    st.booleans(),
)
def test_three_valued_logic(tree, truths, frugal):
    values = dict(zip(STRINGS, truths))
    real = codegen.Generator
    try:
        codegen.Generator = lambda pool, frugal: real(pool, frugal or always)
        always = frugal
        image, _ = compiled("mount", text(tree))
    finally:
        codegen.Generator = real
    memory = {True: b"yes", False: b"no", UNKNOWN: UNKNOWN}
    args = [memory[values[name]] for name in ("dev_name", "dir_name", "type")] + [0, memory[values["data"]]]
    assert outcome(image, Event("mount", tuple(args))) == kleene(tree, values)


def test_what_needs_too_many_registers_is_refused():
    """A set keeps its operand in a register while its elements are compared."""
    condition = "UID" + " in { 0..1 }" * 20
    assert compiled("sync", condition) == (None, ["the condition needs more than 16 registers"])


def test_left_and_right_combs_need_few_registers():
    for tree in (" + ".join(["UID"] * 90), "UID + (" * 49 + "UID" + ")" * 49):
        image, errors = compiled("sync", tree + " == 90")
        assert image, errors
