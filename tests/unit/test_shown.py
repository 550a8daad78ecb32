# SPDX-License-Identifier: GPL-2.0-only
"""Is a list of names that contradicts the calls, structures and constants refused?"""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "grammar/extract"))

import shown  # noqa: E402

GOOD = '[sets.a]\nfamily = "openat2"\nflags = "RESOLVE_\\\\w+"\n'


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ('members = ["open_how.nothing"]', "open_how.nothing is no number of any structure"),
        ('members = ["nothing.flags"]', "nothing.flags is no number"),
        ('members = ["sockaddr_un.sun_path"]', "sun_path is no number"),
        ('members = ["open_how.mode", "*.mode"]', "open_how.mode is in a as well"),
        ('args = ["openat2.nothing"]', "is no number of any call"),
        ('arguments = []', "unknown arguments"),
    ],
)
def test_refused(tmp_path, text, cause):
    (tmp_path / "shown.toml").write_text(GOOD + text)
    with pytest.raises(shown.ShownError, match=cause):
        shown.load(tmp_path / "shown.toml")


def test_a_star_means_all_structures_that_have_it(tmp_path):
    (tmp_path / "shown.toml").write_text(GOOD + 'members = ["*.st_mode", "sockaddr.sa_family"]')
    found = shown.load(tmp_path / "shown.toml")["members"]
    assert found == {name: {"st_mode": "a"} for name in ("stat", "compat_stat", "stat64")} | {"sockaddr": {"sa_family": "a"}}
