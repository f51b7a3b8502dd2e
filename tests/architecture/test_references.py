"""The files and functions that the documentation names exist."""

from __future__ import annotations

import re

import pytest

from tests.conftest import ROOT

# `path/file.py` or `path/file.py: name`; short paths are below narratives/.
REFERENCE = re.compile(r"`((?:[A-Za-z_.]+/)*[A-Za-z_]+\.(?:py|sql|toml|json))(?:: ([A-Za-z_]+))?`")
# Files of a store and of Streamlit, the name of a file in a command, and the module that docs/adding-a-source.md writes
# as its example.
NOT_OURS = {
    *("inputs.json", "manifest.json", "quality.json", "spotcheck.json", "meta.json", "codebook.toml"),
    *("F.toml", "parliament.py", "secrets.toml", "sbom.json", "published.json"),
}
DOCUMENTS = sorted([*(ROOT / "docs").glob("*.md"), ROOT / "README.md", ROOT / "CONTRIBUTING.md"])


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_what_the_documentation_names_exists(document):
    for name, symbol in REFERENCE.findall(document.read_text("utf-8")):
        if name.rpartition("/")[2] in NOT_OURS:
            continue
        places = [ROOT / name, ROOT / "narratives" / name, *(ROOT / "narratives").rglob(f"**/{name}")]
        place = next((place for place in places if place.is_file()), None)
        assert place, f"{document.name} names {name}, which does not exist"
        if symbol:
            code = place.read_text("utf-8")
            assert re.search(rf"^(?:def |class )?{symbol}\b", code, re.MULTILINE), f"{name} has no {symbol}"
