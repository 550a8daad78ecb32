# SPDX-License-Identifier: GPL-2.0-only
"""Which conditions can be computed in the registers that there are?"""

from opinions import Rules


def errors(condition: str) -> list[str]:
    with Rules(f"rule {{ syscall_name = sync filter_expression {{ {condition} }} action {{ LOG }} }}") as rules:
        return rules.errors


def test_what_needs_too_many_registers_is_refused():
    """A set keeps its operand in a register while its elements are compared."""
    (error,) = errors("UID" + " in { 0 }" * 20)
    assert "the condition needs more than 16 registers" in error


def test_left_and_right_combs_need_few_registers():
    for tree in (" + ".join(["UID"] * 90), "UID + (" * 49 + "UID" + ")" * 49):
        assert not errors(tree + " == 90")
