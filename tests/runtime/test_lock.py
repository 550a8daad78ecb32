# SPDX-License-Identifier: GPL-2.0-only
"""Does a lock hold until reboot?  It does, and so this is the last of all tests: see conftest.py."""

import kernel
import pytest

RULE = 'rule { syscall_name = unlinkat rule_name = r filter_expression { COMM == "nobody" } action { type = LOG } when = before }\n'


@pytest.mark.last
def test_lock(loaded, tmp_path):
    kernel.upload(RULE)
    (tmp_path / "rules").write_text(RULE)
    assert kernel.command("sct_config", "lock").returncode == 0
    assert kernel.command("sct_config", "lock").returncode == 0
    for words in (["upload", str(tmp_path / "rules")], ["delete"], ["delete", "r"]):
        done = kernel.command("sct_config", *words)
        assert done.returncode == 4 and "locked until reboot" in done.stderr
    assert kernel.command("sct_unload").returncode == 4
    assert kernel.command("sct_config", "download").stdout == RULE
    assert "until reboot" in kernel.command("sct_config", "status").stdout
