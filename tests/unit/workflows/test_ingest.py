"""Parsed documents are kept from build to build, and a build with them gives what one without them gives."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from narratives import parse
from narratives.model import InputRecord, RawDocument, RawParagraph, Role, Speaker, no_progress
from narratives.store import Store
from narratives.workflows.ingest import Corpus, parse_corpus

SPEAKERS = (Speaker("Maria Zakharova", ("M. Zakharova",), (Role("Spokeswoman", date(2015, 8, 10)),), "Ministry"),)
TEXT = """Weekly briefing

Maria Zakharova: The press there has long been blinded by its hatred, and we have said so many times.

Question: How do you see the elections over there?

Maria Zakharova: Well, we do not interfere. They say so every year, and it is never true at all."""
POOL = [
    RawDocument("", row=0, id="briefing", text=TEXT, date="2016-11-10"),
    RawDocument("", id="short", title="Briefing of 03.04.2018", text="It rained all day in the capital again.\n\nSo."),
    RawDocument("", id="proof", title="Briefing of 15/05/2018", text="It did not rain in the capital on that day."),
    RawDocument("", id="table 1", date="03/04/2018", text="The numbers of a date can mean two different days here."),
    RawDocument("", id="table 2", date="15/05/2018", text="Of this date only one of the two readings is possible."),
    RawDocument("", id="table 3", date="05/15/2018", text="This one contradicts the other dates of its own table."),
    RawDocument("", id="copy", text=TEXT, date="2017-01-01", outlet="RT"),
    RawDocument("", id="copy", text="Another document has this id, so one of the two is displaced.", outlet="RT"),
    RawDocument(
        "", id="page", paragraphs=(RawParagraph("We never did that, she said to us.", "M. Zakharova", labelled=True),)
    ),
    RawDocument("", id="odd", text="A lone \ud800 surrogate stands in this text of eight words."),
]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


def parse_files(store: Store, *files: Sequence[RawDocument], speakers: tuple[Speaker, ...] = SPEAKERS) -> Corpus:
    """Parse these files, which are tables of their own, as a build does."""
    records = []
    for number, rows in enumerate(files):
        key, name = f"{number:016x}", f"file{number}.jsonl"
        store.put_input(key, [replace(row, row=place, source_path=name) for place, row in enumerate(rows, 1)])
        records.append(InputRecord(Path("/in", name), name, key))
    return parse_corpus(store, records, speakers, frozenset({"en"}), no_progress)


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The ids of the documents that were parsed and not taken from the cache."""
    ids: list[str] = []
    original = parse.parse_lasting

    def parse_and_note(raw, *rest):
        ids.append(raw.id)
        return original(raw, *rest)

    monkeypatch.setattr(parse, "parse_lasting", parse_and_note)
    return ids


def test_only_new_and_changed_documents_are_parsed(store, parsed):
    first = parse_files(store, POOL[:2])
    assert parsed == ["briefing", "short"]
    assert parse_files(store, POOL[:2]) == first and len(parsed) == 2
    parse_files(store, [POOL[8], *POOL[:2]])  # other rows
    assert parsed[2:] == ["page"]
    parse_files(store, [POOL[8]], POOL[:2])  # another file
    assert parsed[3:] == []
    parse_files(store, [replace(POOL[0], outlet="RT")])
    assert parsed[3:] == ["briefing"]
    parse_files(store, POOL[:2])  # what the build before did not use is gone
    assert parsed[4:] == ["briefing", "short"]


def test_other_speakers_rules_and_date_orders_parse_again(store, parsed, monkeypatch):
    parse_files(store, POOL[:1])
    parse_files(store, POOL[:1], speakers=())
    assert parsed == ["briefing"] * 2
    monkeypatch.setattr(parse, "hash_rules", lambda: "other rules")
    parse_files(store, POOL[:1], speakers=())
    assert parsed == ["briefing"] * 3
    assert parse_files(store, [POOL[3]]).documents[0].date == "2018"
    found = {d.row: d.date for d in parse_files(store, [POOL[3], POOL[4]]).documents}
    assert found == {1: "2018-04-03", 2: "2018-05-15"}


def test_the_rules_are_those_of_the_code_and_word_lists(monkeypatch, tmp_path):
    folder = Path(parse.__file__).parent
    before = parse.hash_rules()
    parse.hash_rules.cache_clear()
    assert parse.hash_rules() == before
    for name in ("segmentation.py", "attribution/lexicon.toml"):
        copy = tmp_path / name.replace("/", "-")
        shutil.copytree(folder, copy)
        (copy / name).write_text((copy / name).read_text("utf-8") + "\n# changed\n", "utf-8")
        places = {"narratives.parse": copy, "narratives.parse.attribution": copy / "attribution"}
        monkeypatch.setattr("narratives.parse.document.resources.files", lambda name, to=places: to.get(name, folder))
        parse.hash_rules.cache_clear()
        changed = parse.hash_rules()
        assert changed != before
    monkeypatch.undo()
    parse.hash_rules.cache_clear()
    assert parse.hash_rules() == before


def set_day(monkeypatch: pytest.MonkeyPatch, day: date) -> None:
    monkeypatch.setattr("narratives.parse.date_strings.get_latest_day", lambda: day)
    monkeypatch.setattr(parse, "get_latest_day", lambda: day)


@pytest.mark.parametrize(
    ("raw", "before", "after"),
    [
        (RawDocument("", id="stated", date="2031-05-04", text="A text of some words."), "", "2031-05-04"),
        (RawDocument("", id="dateline", text="MOSCOW, May 4, 2031. /TASS/. It is so today."), "", "2031-05-04"),
        (RawDocument("", id="two digits", date="4.5.31", text="A text of some words."), "1931", "2031"),
    ],
    ids=lambda value: getattr(value, "id", None),
)
def test_a_date_in_the_future_is_read_again_when_it_has_come(store, parsed, monkeypatch, raw, before, after):
    set_day(monkeypatch, date(2030, 12, 30))
    for _ in range(2):
        assert parse_files(store, [raw]).documents[0].date.startswith(before)
    set_day(monkeypatch, date(2031, 5, 5))
    for _ in range(2):
        assert parse_files(store, [raw]).documents[0].date.startswith(after)
    assert parsed == [raw.id] * 2
    set_day(monkeypatch, date(2030, 12, 30))  # a clock that was wrong and is put right
    assert parse_files(store, [raw]).documents[0].date.startswith(before)


def test_a_damaged_cache_changes_nothing(store, parsed):
    whole = parse_files(store, POOL)
    path = store.path / "cache" / "parsed.sqlite"
    data = path.read_bytes()
    for damaged in (b"", data[:5000], data[:4096] + bytes(len(data) - 4096)):
        path.write_bytes(damaged)
        assert parse_files(store, POOL) == whole
    parsed.clear()
    assert parse_files(store, POOL) == whole == parse_files(store, POOL) and len(parsed) <= len(POOL)


files = st.lists(st.lists(st.sampled_from(POOL), max_size=5), max_size=2)


@settings(max_examples=12)
@given(st.lists(files, min_size=2, max_size=3))
def test_whatever_was_added_removed_and_moved_before_the_result_is_that_of_an_empty_cache(history):
    with tempfile.TemporaryDirectory() as folder:
        kept = Store(Path(folder, "kept"))
        for number, rows in enumerate(history):
            assert parse_files(kept, *rows) == parse_files(Store(Path(folder, f"new{number}")), *rows)
