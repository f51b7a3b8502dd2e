"""A new adapter is a new file and its name in ADAPTERS: the one that the documentation shows."""

from __future__ import annotations

import re
from types import ModuleType

import pytest

from narratives.model import RawParagraph
from narratives.read import html
from tests.conftest import ROOT
from tests.helpers.reading import read

GUIDE = (ROOT / "docs" / "adding-a-source.md").read_text("utf-8")


@pytest.fixture
def parliament(monkeypatch):
    """The documentation's adapter among the others; gives the documentation's page."""
    module = next(m for m in re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL) if m.startswith('"""'))
    parliament = ModuleType("parliament")
    exec(module, parliament.__dict__)
    monkeypatch.setattr(html, "ADAPTERS", (*html.ADAPTERS, parliament))
    return re.findall(r"```html\n(.*?)```", GUIDE, re.DOTALL)[0]


def test_the_documented_adapter_reads_the_documented_page(tmp_path, parliament):
    [found] = read(tmp_path, parliament, "a.html")
    assert (found.outlet, found.date) == ("Parliament", "2018-05-15")
    assert found.paragraphs == (
        RawParagraph("The gates were open.", "Irena Dolk", labelled=True),
        RawParagraph("Nobody was turned away.", "Irena Dolk"),
    )


def test_other_pages_stay_with_their_readers(tmp_path, parliament):
    [found] = read(tmp_path, parliament.replace("parliament.example", "elsewhere.example"), "a.html")
    assert found.outlet != "Parliament"


def test_every_adapter_offers_what_it_must():
    assert [adapter.__name__.rsplit(".", 1)[1] for adapter in html.ADAPTERS] == ["kremlin"]
    for adapter in html.ADAPTERS:
        assert callable(adapter.can_read) and callable(adapter.extract_page) and adapter.__doc__
