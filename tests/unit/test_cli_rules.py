# SPDX-License-Identifier: GPL-2.0-only
"""What becomes of rules that sct_config uploads, downloads and deletes?"""

import errno
from pathlib import Path

import pytest
from rule_files import ONE, TWO, WARNED

from pysct import abi, image
from pysct.cli import config


def test_upload(fake, files, say):
    assert say("upload", "one") == (0, "Successfully uploaded rules from file 'one'\n", WARNED)
    assert image.decode(fake.image).source == ONE


def test_upload_of_several_files_is_one_rule_set(fake, files, say):
    status, out, _ = say("upload", "one", "two")
    assert status == 0 and out.splitlines() == [f"Successfully uploaded rules from file '{name}'" for name in ("one", "two")]
    assert image.decode(fake.image).source == ONE + TWO and len(fake.uploads) == 1


def test_upload_of_wrong_rules_uploads_nothing(fake, files, say):
    status, out, err = say("upload", "one", "wrong")
    assert status == 1 and out == "" and "wrong:1:" in err and "did you mean `UID`" in err and not fake.uploads


@pytest.mark.parametrize("name", ["missing", "binary", "."])
def test_upload_of_what_is_no_rule_file(fake, files, say, name):
    status, out, err = say("upload", name)
    assert status == 1 and out == "" and err and not fake.uploads
    assert "Traceback" not in err


def test_upload_of_nothing_warns(fake, files, say):
    status, out, err = say("upload", "empty")
    assert status == 0 and "no rule" in err and "Successfully" in out


def test_append(fake, files, say):
    say("upload", "one")
    assert say("upload", "--append", "two")[0] == 0
    assert image.decode(fake.image).source == ONE + TWO


def test_append_to_nothing(fake, files, say):
    assert say("upload", "--append", "two")[0] == 0
    assert image.decode(fake.image).source == TWO


def test_append_while_somebody_else_uploads(fake, files, say):
    say("upload", "one")
    plain = fake.upload

    def slow(argument):
        fake.generation += 1
        return plain(argument)

    fake.upload = slow
    status, _, err = say("upload", "--append", "two")
    assert status == 1 and "somebody else" in err and image.decode(fake.image).source == ONE


def test_dry_run(fake, files, say):
    status, out, _ = say("upload", "--dry-run", "one")
    assert status == 0 and "nothing was changed" in out and not fake.uploads


def test_refusal_is_told(fake, files, say):
    error = next(e for e in abi.ERRORS.values() if e.name == "BUSY")
    fake.refuse = errno.EBUSY, {"code": error.number, "abi": 0, "nr": 87}
    status, out, err = say("upload", "one")
    assert status == 1 and out == "" and "x86_64 unlink" in err and "hint:" in err


def test_a_compiled_file_can_be_uploaded(fake, files, say):
    assert say("compile", "one", "-o", "one.sct") == (0, "", WARNED)
    assert say("upload", "one.sct")[0] == 0
    assert fake.image == Path("one.sct").read_bytes()


def test_download_is_exact(fake, files, capfdbinary):
    for text in (TWO, TWO.replace(b"\n", b"\r\n"), ONE.rstrip(), b"# \xff\xfe\n" + ONE):
        Path("text").write_bytes(text)
        assert config.main(["upload", "text"]) == 0
        capfdbinary.readouterr()
        assert config.main(["download"]) == 0
        assert capfdbinary.readouterr().out == text


def test_download_of_nothing(fake, say):
    assert say("download") == (0, "", "")


def test_delete_all(fake, files, say):
    say("upload", "one", "two")
    assert say("delete") == (0, "Deleted 2 rules\n", "")
    assert image.decode(fake.image).rules == []
    assert say("list") == (0, "", "no rules are loaded\n")


def test_delete_some(fake, files, say):
    say("upload", "one", "two")
    assert say("delete", "one") == (0, "Deleted rule 'one'\n", "")
    assert image.decode(fake.image).source == TWO
    assert say("delete", "two") == (0, "Deleted rule 'two'\n", "")
    assert image.decode(fake.image).source == b"# a comment\n"


def test_delete_of_an_unknown_rule_names_those_there_are(fake, files, say):
    say("upload", "one", "two")
    status, _, err = say("delete", "one", "tow")
    assert status == 1 and "'tow'" in err and "one, two" in err and len(fake.uploads) == 1
