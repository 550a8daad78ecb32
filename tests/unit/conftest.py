# SPDX-License-Identifier: GPL-2.0-only
"""What do the tests of the commands stand on: modules that are not there, rule files, and a command line?"""

import platform
from pathlib import Path

import pytest
from fake_modules import FakeModules
from rule_files import FILES

from pysct.cli import config
from pysct.control import Control


@pytest.fixture
def fake(monkeypatch):
    """Stands in for the modules."""
    fake = FakeModules()
    monkeypatch.setattr(Control, "open", lambda: Control(-1, fake.ioctl))
    return fake


@pytest.fixture
def files(tmp_path, monkeypatch):
    """The current directory, with FILES in it."""
    monkeypatch.chdir(tmp_path)
    for name, text in FILES.items():
        Path(name).write_bytes(text)
    return tmp_path


@pytest.fixture
def say(capsys, monkeypatch):
    """Runs sct_config, as on Debian 12's amd64; returns its exit status, standard output and standard error."""
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(platform, "release", lambda: "6.1.0-56-amd64")

    def run(*words):
        try:
            status = config.main(list(words))
        except SystemExit as end:
            status = end.code
        return (status, *capsys.readouterr())

    return run
