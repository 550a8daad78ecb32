# SPDX-License-Identifier: GPL-2.0-only
"""Do these lines say what was expected, and if not, where do they differ?"""

import difflib
import re


def fits(pattern: str, line: str) -> bool:
    """Whether a line is what the pattern says; `…` stands for any text."""
    return re.fullmatch(".*".join(map(re.escape, pattern.split("…"))), line, re.DOTALL) is not None


def in_order(what: str, expected: list[str], lines: list[str]) -> str:
    """Empty if the lines are exactly the expected ones; else both, side by side."""
    if len(expected) == len(lines) and all(map(fits, expected, lines)):
        return ""
    # A line that fits is shown as its pattern, so that only true differences stand out.
    shown = [next((pattern for pattern in expected if fits(pattern, line)), line) for line in lines]
    return f"{what}:\n" + "\n".join(difflib.ndiff(expected, shown))


def in_any_order(what: str, expected: list[str], lines: list[str]) -> str:
    """The same without regard to order."""
    left, missing = list(lines), []
    for pattern in expected:
        found = next((line for line in left if fits(pattern, line)), None)
        if found is None:
            missing.append(f"- {pattern}")
        else:
            left.remove(found)
    differences = missing + [f"+ {line}" for line in left]
    return f"{what}:\n" + "\n".join(differences) if differences else ""


def all_there(what: str, expected: list[str], lines: list[str]) -> str:
    """Empty if each expected line is there, whatever else is."""
    missing = [pattern for pattern in expected if not any(fits(pattern, line) for line in lines)]
    return f"{what}: missing:\n" + "\n".join(f"- {m}" for m in missing) + _were(lines) if missing else ""


def none_there(what: str, patterns: list[str], lines: list[str]) -> str:
    """Empty if no line fits any of the patterns."""
    wrong = [line for line in lines if any(fits(pattern, line) for pattern in patterns)]
    return f"{what}: must not be there:\n" + "\n".join(f"+ {line}" for line in wrong) if wrong else ""


def _were(lines: list[str]) -> str:
    return "\nthere was:\n" + "\n".join(f"  {line}" for line in lines)
