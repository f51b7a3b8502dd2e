"""The reference texts as they are, dirt included: what must come out."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from pathlib import Path

import pytest

from benchmarks.accuracy_kremlin import measure
from narratives.model import Document, Paragraph, RawDocument, RawParagraph
from narratives.parse import find_copies, is_statement, parse_document
from tests.helpers.parse_roster import ROSTER

pytestmark = pytest.mark.shared

FURNITURE = ("icon ", "READ MORE", "Podcasts", "0:00", "27:2", "Share this", " views", "Поделиться", "Print:")
FURNITURE += ("All news", "Popular articles", "Table of contents", "spambots", "Shantipath", "Ravina")


@pytest.fixture(scope="module")
def seeds(shared: Path) -> list[Document]:
    files = sorted((shared / "seeds").glob("*.txt"))
    return [parse_document(RawDocument(f.name, text=f.read_text(encoding="utf-8")), ROSTER) for f in files]


def body(document: Document) -> list[Paragraph]:
    return [p for p in document.paragraphs if p.kind == "body"]


def by(document: Document, start: str) -> Paragraph:
    (found,) = [p for p in document.paragraphs if p.text.startswith(start) and p.kind != "heading"]
    return found


def test_dates_and_outlets(seeds):
    assert [d.date for d in seeds] == ["2016-12-14", "2020-11-13", "", "2016-11-10", ""]
    assert seeds[2].date_source == "no date in text or metadata"
    assert seeds[4].date_source == "dateline without a year: April 12"
    assert [d.outlet for d in seeds] == ["RT", "RT", "", "Ministry of Foreign Affairs of Russia", "TASS"]
    assert {d.language for d in seeds} == {"en"}


def test_no_furniture_is_left_and_titles_stand_once(seeds):
    for document in seeds:
        texts = [p.text for p in document.paragraphs]
        assert not [t for t in texts if t.startswith(FURNITURE) or any(f in t for f in FURNITURE[:2])]
        assert texts.count(document.title) == 1 and document.paragraphs[0].kind == "title"
        assert document.boilerplate > 0


def test_counts_by_kind(seeds):
    counts = [Counter(p.kind for p in d.paragraphs) for d in seeds]
    assert [c["body"] for c in counts] == [15, 10, 11, 82, 9]
    assert [c["heading"] for c in counts] == [0, 0, 0, 14, 1]
    assert [c["lead"] for c in counts] == [1, 1, 0, 0, 1]
    assert [c["question"] for c in counts] == [0, 0, 0, 12, 0]


def test_briefing_is_all_zakharova(seeds):
    document = seeds[3]
    assert {(p.speaker, p.voice) for p in body(document)} == {("Maria Zakharova", "own")}
    questions = [p for p in document.paragraphs if p.text.startswith("Question:")]
    assert len(questions) == 12 and {(p.kind, p.speaker) for p in questions} == {("question", "")}


def test_interview_of_2016(seeds):
    document = seeds[0]
    assert {p.speaker for p in body(document)} == {"Dmitry Peskov"}
    assert by(document, "Peskov then quoted").quoted_person == "Vladimir Putin"
    assert by(document, "The president’s spokesman").speaker_method == "role"
    quoted = [p.text.split()[0] for p in body(document) if p.voice == "quoted"]
    assert quoted == ["“We", "At", "“Unfortunately,", "The", "“The"]


def test_interview_of_2020(seeds):
    document = seeds[1]
    own = [p for p in body(document) if p.voice == "outlet"]
    assert [p.text.split()[0] for p in own] == ["Speaking", "While", "The"]
    assert {p.speaker for p in own} == {""}
    assert {p.speaker for p in body(document) if p.voice != "outlet"} == {"Dmitry Peskov"}
    for start in ("Naturally, we", "This is our unchanging"):
        assert (by(document, start).voice, by(document, start).speaker_method) == ("quoted", "block quote")
    assert by(document, "Moscow has made its").voice == "reported"


def test_reports_on_putin_and_from_tass(seeds):
    assert {p.speaker for p in body(seeds[2])} == {"Vladimir Putin"}
    assert by(seeds[2], "\"I don't want").voice == "quoted"
    assert {p.speaker for p in body(seeds[4])} == {"Dmitry Peskov"}
    assert by(seeds[4], "The Kremlin spokesman also").quoted_person == "Sergei Lavrov"
    assert [p.text for p in seeds[4].paragraphs if p.kind == "heading"] == ["'Information mess'"]


def test_the_leads_are_statements_with_a_speaker(seeds):
    leads = [p for document in seeds for p in document.paragraphs if p.kind == "lead"]
    assert {(p.speaker, p.voice) for p in leads} == {("Dmitry Peskov", "reported")}
    assert leads[0].text.startswith("Western governments’ efforts to spread Russophobia are “obvious,”")
    assert all(is_statement(p, frozenset({"en"})) for p in leads)


def test_the_whole_corpus_parses(shared):
    def raws():
        with gzip.open(shared / "corpora" / "kremlin_en_2016_2020.jsonl.gz", "rt", encoding="utf-8") as lines:
            for row, line in enumerate(lines, 1):
                page = json.loads(line)
                paragraphs = tuple(
                    RawParagraph(p["text"], p["speaker"] or "", labelled=p["speaker_label_in_source"])
                    for p in page["paragraphs"]
                )
                fields = {key: str(page[key]) for key in ("id", "url", "title", "date")}
                yield RawDocument("kremlin", row, paragraphs=paragraphs, **fields)

    documents = [parse_document(raw, ROSTER) for raw in raws()]
    assert len(documents) == 1924 and {d.outlet for d in documents} == {"Kremlin"}
    assert all(d.date_precision == "day" for d in documents)
    every = [p for d in documents for p in d.paragraphs]
    assert not [p for p in every if p.text in ("* * *", "***", "<…>")]
    assert not [p for p in every if p.speaker.endswith("Vladimir Putin") and p.speaker != "Vladimir Putin"]
    assert sum(p.language == "en" for p in every) > 0.999 * len(every)
    copies = find_copies(documents)
    assert copies and not set(copies) & set(copies.values())


def test_the_pages_as_served_are_read_as_the_reference_has_them(shared):
    figures = measure(shared)
    assert figures.pages == figures.dates == figures.titles == figures.leads == 240
    assert figures.precision >= 0.997 and figures.recall >= 0.997
    assert figures.parsed_hits >= 0.996 * max(figures.parsed_found, figures.parsed_expected)
    assert figures.speakers >= 0.998 * figures.labelled > 1000
    assert figures.tooltips > 150 and figures.leaked == 0
    assert figures.twins == figures.twins_same == 50
