"""What is installed is what was chosen: the lock agrees with the requirements, is complete, and has no GPL in it."""

from __future__ import annotations

import re
import tomllib
from importlib import metadata

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from benchmarks import licences
from tests.conftest import ROOT

LOCK = (ROOT / "requirements.lock").read_text("utf-8")
LOCKED = list(licences.list_locked())
# PyTorch's default build for Linux needs these; the lock pins the CPU build.
CUDA = re.compile(r"nvidia-|cuda-|triton$")


def versions(name: str) -> set[str]:
    """The versions of a package in the lock, without the suffix of PyTorch's CPU build."""
    pins = [spec for package in LOCKED if canonicalize_name(package.name) == name for spec in package.specifier]
    assert all(pin.operator == "==" for pin in pins)
    return {pin.version.partition("+")[0] for pin in pins}


def test_the_lock_has_the_versions_of_the_requirements():
    for line in (ROOT / "requirements.txt").read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            pinned = Requirement(line)
            assert {str(spec.version) for spec in pinned.specifier} == versions(canonicalize_name(pinned.name)), line


def test_the_package_accepts_the_locked_versions():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    for wanted in map(Requirement, project["dependencies"]):
        locked = versions(canonicalize_name(wanted.name))
        assert locked and all(wanted.specifier.contains(version) for version in locked), wanted


def test_the_lock_names_every_package_that_is_needed():
    """A package of another version than the locked one may need others, so it is not followed."""
    names = {canonicalize_name(package.name) for package in LOCKED}
    followed, waiting = set(), list(names)
    while waiting:
        name = waiting.pop()
        try:
            installed = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            continue
        if name in followed or installed.version.partition("+")[0] not in versions(name):
            continue
        followed.add(name)
        for line in installed.requires or ():
            needed = Requirement(line)
            if not CUDA.match(needed.name) and (needed.marker is None or needed.marker.evaluate({"extra": ""})):
                assert canonicalize_name(needed.name) in names, f"{name} needs {needed.name}: run `make lock`"
    assert {"torch", "streamlit", "duckdb"} <= followed


def test_every_locked_file_has_a_hash_and_no_place_is_named():
    entries = re.split(r"\n(?=[a-z0-9])", LOCK.partition("\n")[2].strip())
    assert len(entries) == len(LOCKED)
    assert all(re.search(r"--hash=sha256:[0-9a-f]{64}", entry) for entry in entries)
    assert not re.search(r"://|index|find-links|trusted| @ |/", LOCK)


def test_the_list_of_licences_has_the_locked_packages():
    rows = re.findall(r"^\| ([a-z0-9-]+) \| (\S+) \|", (ROOT / "docs" / "licences.md").read_text("utf-8"), re.MULTILINE)
    linux = list(licences.list_locked({**licences.LINUX, **licences.PYTHON}))
    assert dict(rows[1:]) == {package.name: next(iter(package.specifier)).version for package in linux}, "make licences"


def test_nothing_that_is_installed_is_under_the_gpl_alone():
    read = {}
    for package in LOCKED:
        try:
            read[package.name] = licences.read_licence(package.name)
        except metadata.PackageNotFoundError:
            continue
    assert len(read) > 90
    assert not {name: licence for name, licence in read.items() if not licence or licences.is_copyleft_only(licence)}


@pytest.mark.parametrize(
    ("licence", "refused"),
    [
        ("GPL-3.0-or-later", True),
        ("GNU Lesser General Public License v3 (LGPLv3)", True),
        ("GPL-2.0-only OR LGPL-2.1-or-later", True),
        ("MIT AND GPL-2.0-only", True),
        ("MPL-1.1 OR GPL-2.0-only OR LGPL-2.1-or-later", False),
        ("Apache-2.0 AND MIT", False),
    ],
)
def test_which_licences_are_refused(licence, refused):
    assert licences.is_copyleft_only(licence) is refused
