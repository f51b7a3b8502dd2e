"""Documents as a whole: identity, fields and statements."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from narratives.model import RawDocument, RawParagraph
from narratives.parse import is_statement, parse_document
from narratives.parse.document import compute_document_id
from tests.helpers.parse_roster import ROSTER

ARTICLE = """Grain deal done

MINSK, April 12. /TASS/. The grain deal is done, Kremlin spokesman Dmitry Peskov said.

"We are glad of it, all of us," he told reporters.
"""


def parse(raw: RawDocument):
    return parse_document(raw, ROSTER)


def test_fields_of_a_report():
    document = parse(RawDocument("in/a.txt", text=ARTICLE))
    assert (document.title, document.outlet, document.language) == ("Grain deal done", "TASS", "en")
    assert (document.date, document.date_precision) == ("", "none")
    assert document.date_source == "dateline without a year: April 12"
    assert [p.kind for p in document.paragraphs] == ["title", "body", "body"]
    assert [p.position for p in document.paragraphs] == [0, 1, 2]
    assert [p.paragraph_id for p in document.paragraphs] == [f"{document.document_id}-{i:04d}" for i in range(3)]
    assert document.paragraphs[2].words == 11


def test_a_manifest_dates_what_the_text_leaves_open():
    document = parse(RawDocument("a.txt", text=ARTICLE, date="2017-04-12", from_manifest=("date",)))
    assert (document.date, document.date_precision, document.date_source) == ("2017-04-12", "day", "manifest")


def test_identity_is_of_the_text_and_never_of_the_place():
    raw = RawDocument("a.txt", text=ARTICLE)
    same = parse(raw).document_id
    assert re.fullmatch(r"[0-9a-f]{16}", same)
    assert parse(replace(raw, source_path="b/c.txt", row=7)).document_id == same
    assert parse(replace(raw, text=ARTICLE.replace("\n", "\r\n"))).document_id == same
    assert parse(replace(raw, text=ARTICLE + "More.")).document_id != same
    by_url = parse(replace(raw, url="https://example.org/1")).document_id
    assert parse(replace(raw, url="https://example.org/1", text="Other.")).document_id == by_url != same
    by_id = parse(replace(raw, id="note-1", url="https://example.org/1")).document_id
    assert parse(replace(raw, id="note-1", url="https://example.org/2")).document_id == by_id != by_url


@pytest.mark.parametrize("weak", ["1", " 51177 ", "1.0", "#12", "1,024", "a1", "x-12", "12345678901234567890"])
def test_an_id_that_is_a_number_or_short_tells_apart_only_what_is_otherwise_the_same(weak):
    def identity(**fields: str) -> str:
        return compute_document_id(RawDocument("a.csv", **fields))

    assert identity(id=weak, text="One text.") != identity(id=weak, text="Another text.")
    assert identity(id=weak, text="One text.") == identity(id=weak, text="One  text.\n")
    assert identity(id=weak, text="One text.") != identity(id="2", text="One text.")
    assert identity(id=weak, url="https://a.org/1") != identity(id=weak, url="https://a.org/2")
    assert identity(id=weak, url="https://a.org/1", text="One.") == identity(
        id=weak, url="https://a.org/1", text="Corrected."
    )


@pytest.mark.parametrize("own", ["seed-000", "kremlin-51247", "un-RUS-2018", "doc-1", "10.1000/182", "2016-11-10/3"])
def test_an_id_of_its_own_is_the_whole_identity(own):
    assert compute_document_id(RawDocument("a.csv", id=own, text="One.")) == compute_document_id(
        RawDocument("b.csv", id=own, text="Other.", url="https://a.org/2")
    )


def test_identities_of_before_stay():
    """Decisions and links name documents: these ids are of the versions before ids could be weak."""
    assert compute_document_id(RawDocument("a.csv", id="seed-000")) == "5ad09d85288b4bb3"
    assert compute_document_id(RawDocument("a.csv", url="https://example.org/1", text="One.")) == "9cd24c50232a0cf8"
    assert (
        compute_document_id(RawDocument("a.txt", outlet="TASS", date="2016", title="T", text="One."))
        == "9a94c8b8220aa880"
    )


def test_outlets_are_named_only_where_evident():
    def outlet(**fields: str) -> str:
        return parse(RawDocument("a.txt", **fields)).outlet

    assert outlet(text="A text.", url="http://en.kremlin.ru/events/1") == "Kremlin"
    assert outlet(text="A text.", url="https://www.rt.com/news/1") == "RT"
    assert outlet(text="A text.", url="https://sport.example.org/rt.com") == ""
    assert outlet(text="A text.", url="http://[broken") == ""
    assert outlet(text="He told RT that it rained.") == ""
    assert outlet(text=ARTICLE, outlet="Herald") == "Herald"


def test_paragraphs_keep_their_reference():
    raw = RawDocument("a.jsonl", title="Grain", paragraphs=(RawParagraph("One is here.", "", "k1-0"),), source_ref="k1")
    assert [p.source_ref for p in parse(raw).paragraphs] == ["k1", "k1-0"]


def test_statements():
    read = frozenset(["en"])
    title, first, second = parse(RawDocument("a.txt", text=ARTICLE)).paragraphs
    assert [is_statement(p, read) for p in (title, first, second)] == [False, True, True]
    assert not is_statement(replace(first, voice="question"), read)
    assert not is_statement(replace(first, words=4), read)
    assert is_statement(replace(first, words=5), read)
    assert not is_statement(replace(first, language="ru"), read)


def test_nothing_gives_a_document_without_paragraphs():
    for text in ("", " \n\n ", "\x00\x01", "* * *"):
        assert parse(RawDocument("a.txt", text=text)).paragraphs == ()
