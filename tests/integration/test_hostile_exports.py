"""Hostile strings on the ways out that need no browser: CSV files and the brief."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

import pytest

from narratives import measure
from narratives.model import Slice
from narratives.store import DEFAULT_COPIES, EXPORT_TABLES, export_slice
from narratives.workflows import brief
from tests.helpers.hostile import build_hostile_store, load_strings
from tests.integration.test_brief import Read

LIVE = re.compile(r"[\s\u200b-\u200d\u2060\ufeff]*[=+\-@＝＋－＠]|[\t\r\n]")
ACTING = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_hostile_store(tmp_path_factory.mktemp("hostile") / "store")


@pytest.mark.parametrize("table", EXPORT_TABLES)
def test_no_cell_of_an_export_runs_or_acts(store, table):
    written = export_slice(store, table, Slice(copies=DEFAULT_COPIES[table]), None, measure.add_shares)
    header, *rows = list(csv.reader(io.StringIO(written.lstrip("\ufeff"), newline="")))
    assert rows and all(len(row) == len(header) for row in rows)
    cells = [cell for row in rows for cell in row]
    assert [cell for cell in cells if LIVE.match(cell) and not re.fullmatch(r"-?\d+(\.\d+)?(e-?\d+)?", cell)] == []
    assert [cell for cell in cells if ACTING.search(cell)] == []


def test_the_public_list_is_long_enough_and_every_string_is_in_the_store(store):
    written = export_slice(store, "paragraphs", Slice(copies="all"), None, measure.add_shares)
    texts = " ".join(row["text"] for row in csv.DictReader(io.StringIO(written.lstrip("\ufeff"), newline="")))
    strings = load_strings()
    assert len(strings) >= 500
    assert sum(ACTING.sub("", text) in texts for text in strings) >= 480


def test_the_brief_has_no_script_and_links_to_the_web_only(store):
    page = Read(brief.write_brief(store, Slice(), None))
    assert not {"script", "img", "iframe", "object", "form"} & set(page.tags)
    assert not [name for _, name, _ in page.attributes if name.startswith("on")]
    links = [value for tag, name, value in page.attributes if (tag, name) == ("a", "href")]
    assert all(link.startswith(("http://", "https://")) for link in links)
    rels = {value for tag, name, value in page.attributes if (tag, name) == ("a", "rel")}
    assert rels <= {"noreferrer noopener"}
    assert not ACTING.search(page.said)
