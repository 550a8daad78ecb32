# SPDX-License-Identifier: GPL-2.0-only
"""Which rule sets stand for many rules, where their number is what matters?"""

RULE = "rule {{ syscall_name = unlink, unlinkat rule_name = r{at} filter_expression {{ {test} }} action {{ FAIL }} }}\n"
SETS = {
    "a path each": 'pathname == "/srv/data/{at}"',
    "a user and a path each": 'UID == {user} && pathname == "/home/{user}/{at}"',
    "a beginning each": 'pathname startswith "/srv/data/{at}/"',
    "a glob each": 'pathname =~ "/srv/*/{at}"',
}


def rules(test: str, count: int) -> str:
    """The text of a rule set."""
    return "".join(RULE.format(at=at, test=test.format(at=at, user=at % 100)) for at in range(count))
