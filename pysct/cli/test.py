# SPDX-License-Identifier: GPL-2.0-only
"""What does sct_config test do?"""

import argparse
from dataclasses import dataclass

from pysct.cli import report
from pysct.diagnostics import printable
from pysct.failures import Failure

EPILOG = (
    """A call is written as in --event 'unlinkat(AT_FDCWD, "/etc/passwd", 0) uid=0 comm=rm'. Behind it may stand any """
    "field, abi=…, and retval=… or errno=… for rules that judge after the call. A file of cases is a list, in YAML, of "
    "{event, verdict, rule, error}. Exit status 1 if a case does not come out as it says, or cannot be judged."
)


def add(commands) -> None:
    """Adds the command to sct_config."""
    command = commands.add_parser(
        "test",
        help="say what rules make of a call, and why, without a kernel",
        description="Judges a call by the rules, with the kernel's own code, and says which rule and which condition "
        "decides. Needs no modules and no rights.",
        epilog=EPILOG,
    )
    command.add_argument("files", nargs="+", metavar="FILE", help="a file of rules")
    what = command.add_mutually_exclusive_group(required=True)
    what.add_argument("--event", metavar="CALL", help="the call to be judged")
    what.add_argument("--cases", metavar="CASES", help="a file of calls and what shall become of them")
    command.set_defaults(command=run)


def run(args: argparse.Namespace) -> int:
    """Status 1 if a case fails."""
    from pysct.cli import ruleset
    from pysct.source import Source
    from pysct.verdict import Court

    compiled = ruleset.sound(ruleset.read(args.files), warnings=False)
    with Court(compiled) as court:
        if args.event is not None:
            event = described(Source("event", args.event))
            return explain(court, event, court.judge(event))
        return compare(court, ruleset.read([args.cases])[0])


def described(source):
    """The call that a text describes; raises Failure after the errors were printed."""
    from pysct import diagnostics, occurrence

    said = diagnostics.Diagnostics()
    event = occurrence.read(source, said)
    show(said)
    if event is None:
        raise Failure("the event is no call that could be judged")
    return event


def show(said) -> None:
    from pysct import diagnostics

    for diagnostic in said:
        report.note(diagnostics.format_text(diagnostic))


def explain(court, event, verdict, place: str = "") -> int:
    """Says what becomes of one call, and why; `place` is what a reader finds the call by."""
    report.out(f"{place}{event.call} ({event.abi}): {outcome_text(verdict)}")
    more = not event.has_result and any_after(court, event)
    if not verdict.opinions and not more:
        report.out("no rule is about this call")
    for opinion in verdict.opinions:
        report.out("")
        for line in opinion_lines(opinion):
            report.out(line)
    if more:
        report.note(f"{place}rules that judge after the call were not asked: add retval=… or errno=…")
    return report.DONE


def any_after(court, event) -> bool:
    points = (point for rule in court.rules if rule.phase == "after" for point in rule.points)
    return any((point.abi, point.call) == (event.abi, event.call) for point in points)


def outcome_text(verdict) -> str:
    """Actions, error and rules of a verdict on one line."""
    if not verdict.matched:
        return "none"
    refused = f" with {verdict.error}" if verdict.error else ""
    names = ", ".join(rule.name for rule in verdict.matched)
    return f"{', '.join(verdict.actions)}{refused}, by {names}"


def opinion_lines(opinion) -> list[str]:
    """What a rule says, and the parts of its condition that decide."""
    from pysct import because, diagnostics

    rule, outcome = opinion.rule, opinion.outcome
    said = {True: "matches", False: "does not match", None: "is unknown and so does not match"}[outcome.outcome]
    head = f"rule {rule.name} ({rule.source.name}:{rule.own_line}, {rule.phase} the call)"
    if not opinion.asked:
        return [diagnostics.printable(f"{head} is not asked: one above ended the search; it {said}")]
    if rule.condition is None:
        return [diagnostics.printable(f"{head} matches every call")]
    lines = [f"{head} {said}:"]
    for node in because.deciding(rule.condition, outcome):
        line, column = rule.source.position(node.span.start)
        truth = {True: "true", False: "false", None: "unknown"}[because.truth(outcome.values[id(node)])]
        facts = "; ".join(because.facts(node, outcome))
        lines.append(
            diagnostics.printable(
                f"{rule.source.name}:{line}:{column}: {truth}" + (f", since {facts}" if facts else "")
            )
        )
        lines += diagnostics.excerpt(rule.source, node.span).split("\n")
    return lines


def compare(court, source) -> int:
    """Judges all cases of a file, shows those that come out otherwise than they say, and then why they do."""
    found = sound(source)
    trials = [tried(court, case, source) for case in found if case]
    rows = [row for trial in trials for row in trial.rows]
    if rows:
        report.table(["LINE", "EVENT", "", "EXPECTED", "FOUND"], rows, frozenset({"LINE"}))
    wrong = [trial for trial in trials if trial.rows and trial.verdict]
    for trial in wrong:
        report.out("")
        explain(court, trial.event, trial.verdict, f"{printable(source.name)}:{trial.case.line}: ")
    if wrong:
        report.out("")
    judged = sum(trial.verdict is not None for trial in trials)
    report.out(summary(len(found), len(wrong), len(found) - judged))
    return report.DONE if judged == len(found) and not wrong else report.WRONG


def sound(source) -> list:
    """The cases of a file, None for each that is none; raises Failure, after the errors were printed, if all are."""
    from pysct import cases
    from pysct.diagnostics import Diagnostics, TooManyErrors

    said = Diagnostics()
    try:
        found = cases.read(source, said)
    except TooManyErrors:
        found = []
    show(said)
    if not any(found):
        raise Failure("1 error in the cases" if said.errors == 1 else f"{said.errors} errors in the cases")
    return found


def summary(count: int, wrong: int, left: int) -> str:
    """How many cases there are, came out otherwise, and could not be judged."""
    cases = "1 case" if count == 1 else f"{count} cases"
    if not wrong and not left:
        return f"{cases}, all as expected"
    return f"{cases}: {count - wrong - left} as expected, {wrong} not" + (f", {left} not judged" if left else "")


@dataclass(frozen=True)
class Trial:
    """A case that was tried: rows of the table, none if all is as it says; no verdict if it could not be judged."""

    case: object
    rows: list[tuple]
    event: object = None
    verdict: object = None


def tried(court, case, source) -> Trial:
    """Judges a case; why one cannot be judged is said at once."""
    from pysct.diagnostics import Diagnostic, format_text
    from pysct.source import Source

    expected = listed(sorted(case.actions))
    try:
        event = described(Source(f"{source.name}, line {case.line}, event", case.event))
    except Failure:
        return Trial(case, [(case.line, printable(case.event), "verdict", expected, "not a call")])
    try:
        verdict = court.judge(event)
    except Failure as failure:
        report.note(format_text(Diagnostic("error", failure.text, source, case.span, failure.hint)))
        return Trial(case, [(case.line, printable(case.event), "verdict", expected, "undecided")])
    return Trial(case, differences(case, verdict), event, verdict)


def differences(case, verdict) -> list[tuple]:
    """A row of the table for each thing that is not as the case says."""
    wanted = [
        ("verdict", sorted(case.actions), sorted(verdict.actions)),
        ("rule", case.rules, [rule.name for rule in verdict.matched]),
        ("error", case.error, [verdict.error] if verdict.error else []),
    ]
    return [
        (case.line, printable(case.event), what, listed(expected), listed(found))
        for what, expected, found in wanted
        if expected is not None and expected != found
    ]


def listed(words: list[str]) -> str:
    """Words as a cell of the table."""
    return printable(", ".join(words)) or "none"
