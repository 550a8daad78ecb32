# SPDX-License-Identifier: GPL-2.0-only
"""Where does the kernel judge calls by a program: at once, where sleeping is forbidden, or in task context?

What kmod/rules/ruleset.c and judgement.c decide.
"""

from pysct.abi import FIELDS, OPCODES, PHASES, Limit, RuleFlag
from pysct.image import Image, Prog
from pysct.reading import RESOLVED, decode

IN_TASK = frozenset(field.number for field in FIELDS.values() if field.context == "task")
FORMS = {opcode.number: opcode.form for opcode in OPCODES.values()}


def where(image: Image, prog: Prog) -> str:
    """The place, in words; what one program of a call needs, the other one has as well."""
    progs = [each for each in image.progs if (each.abi, each.nr) == (prog.abi, prog.nr)]
    if any(each.phase == PHASES["after"] or each.cost > Limit.GLANCE or asked(image, each) & IN_TASK for each in progs):
        return "in task context"
    if any(decode(entry).what in RESOLVED for entry in prog.sources):
        return "at entry, or in task context"
    return "at entry"


def asked(image: Image, prog: Prog) -> set[int]:
    """Numbers of the fields that a program, or the log of one of its rules, asks for."""
    found: set[int] = set()
    for op, _, a, b, imm in prog.insns:
        form = FORMS[op]
        if form == "field":
            found.add(imm)
        elif form in ("strconst", "strstr"):
            found |= {a, b} if form == "strstr" else {a}
        elif form == "match":
            rule = image.rules[imm]
            found |= {*rule.shows} | ({FIELDS["CWD"].number} if rule.flags & RuleFlag.LOG_CWD else set())
    return found
