# SPDX-License-Identifier: GPL-2.0-only
"""How are Debian packages of any suite and architecture downloaded and unpacked without installing anything?"""

import re
import subprocess
from pathlib import Path

from .error import VmError

NEWEST = """\
Package: linux-*:any
Pin: release o=Debian
Pin-Priority: 500
"""
"""Preferences: the newest kernel is taken, also from a suite that installed systems take nothing from unasked."""
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"


class Apt:
    """An apt state of its own under `state`: the machine's mirrors, other suites, nothing shared."""

    def __init__(self, state: Path, arches: tuple[str, ...], suites: tuple[str, ...]):
        """Packages are of the first architecture unless their names end in another's."""
        for directory in ("lists/partial", "cache/archives/partial", "etc"):
            (state / directory).mkdir(parents=True, exist_ok=True)
        (state / "status").touch()
        (state / "etc" / "sources.list").write_text(_sources(suites, arches))
        (state / "etc" / "preferences").write_text(NEWEST)
        options = {
            "Dir::State": state,
            "Dir::State::lists": state / "lists",
            "Dir::State::status": state / "status",
            "Dir::Cache": state / "cache",
            "Dir::Etc::sourcelist": state / "etc" / "sources.list",
            "Dir::Etc::sourceparts": "/dev/null",
            "Dir::Etc::preferencesparts": "/dev/null",
            "Dir::Etc::preferences": state / "etc" / "preferences",
            "APT::Architecture": arches[0],
            "APT::Sandbox::User": "root",
            "APT::Get::List-Cleanup": "false",
            "Acquire::Languages": "none",
            "Acquire::Check-Valid-Until": "false",
        }
        self._options = [word for key, value in options.items() for word in ("-o", f"{key}={value}")]
        self._options += [word for arch in arches for word in ("-o", f"APT::Architectures::={arch}")]

    def update(self) -> None:
        """Fetches the package lists of the suites."""
        _output(["apt-get", *self._options, "-qq", "update"])

    def depends(self, package: str) -> list[str]:
        """Names of the packages that the newest version of `package` depends on."""
        field = re.search(r"^Depends: (.*)$", self._show(package), re.MULTILINE)
        return re.findall(r"(?:^|[,|] *)([a-z0-9][a-z0-9.+-]+)", field[1]) if field else []

    def version(self, package: str) -> str:
        """Version of the newest `package`."""
        return re.search(r"^Version: (.*)$", self._show(package), re.MULTILINE)[1]

    def download(self, packages: list[str], directory: Path) -> list[Path]:
        """Downloads the packages' files into `directory`."""
        directory.mkdir(parents=True, exist_ok=True)
        _output(["apt-get", *self._options, "-qq", "download", *packages], cwd=directory)
        return sorted(directory.glob("*.deb"))

    def download_all(self, packages: list[str], directory: Path) -> list[Path]:
        """Downloads the packages' files, and those of all that they depend on, into `directory`."""
        (directory / "partial").mkdir(parents=True, exist_ok=True)
        words = ["-o", f"Dir::Cache::archives={directory}", "--no-install-recommends", "--download-only", "--yes"]
        _output(["apt-get", *self._options, "-qq", *words, "install", *packages])
        return sorted(directory.glob("*.deb"))

    def _show(self, package: str) -> str:
        return _output(["apt-cache", *self._options, "--no-all-versions", "show", package])


def _sources(suites: tuple[str, ...], arches: tuple[str, ...]) -> str:
    archive, security = _mirrors()
    signed = f" signed-by={KEYRING}" if Path(KEYRING).exists() else ""
    return "".join(
        f"deb [arch={','.join(arches)}{signed}]"
        f" {security if suite.endswith('-security') else archive} {suite} main\n"
        for suite in suites
    )


def unpack(package: Path, root: Path) -> None:
    """Unpacks a package's files below `root`, whose symbolic links to directories stay what they are."""
    with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", package], stdout=subprocess.PIPE) as files:
        done = subprocess.run(["tar", "-x", "--keep-directory-symlink", "-C", root], stdin=files.stdout)
    if files.returncode or done.returncode:
        raise VmError(f"{package}: cannot be unpacked into {root}; is the disk full?")


def codename() -> str:
    """This machine's Debian release."""
    found = re.search(r"^VERSION_CODENAME=(\w+)", Path("/etc/os-release").read_text(), re.MULTILINE)
    if found is None:
        raise VmError("/etc/os-release: names no Debian release; kernels are fetched from the mirrors of one")
    return found[1]


def _mirrors() -> tuple[str, str]:
    """The machine's own mirrors: of the Debian archive, and of its security archive."""
    lines = _output(
        ["apt-get", "indextargets", "--format", "$(RELEASE) $(REPO_URI)", "Created-By: Packages"]
    )
    mirrors = dict(reversed([line.split() for line in lines.splitlines()]))
    release = codename()
    archive = mirrors.get(release)
    security = mirrors.get(release + "-security", archive)
    if archive is None or security is None:
        raise VmError("apt sources: no mirror of this Debian release is configured; add one to /etc/apt")
    return archive, security


def _output(command: list[str], cwd: Path | None = None) -> str:
    try:
        done = subprocess.run(command, cwd=cwd, text=True, capture_output=True)
    except FileNotFoundError:
        raise VmError(f"{command[0]}: not found; kernels are fetched with Debian's apt and dpkg") from None
    if done.returncode != 0:
        raise VmError(f"{command[0]} failed; is the package mirror reachable?\n{done.stderr.strip()}")
    return done.stdout
