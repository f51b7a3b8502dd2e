"""What a page shows by its markup and metadata is used: kinds, labels, leads, days of posting."""

from __future__ import annotations

import pytest

from narratives.model import RawDocument, RawParagraph, Role, Speaker
from narratives.parse import Roster, parse_document

ROSTER = Roster(
    (
        Speaker("Vladimir Putin", roles=(Role("President of Russia"),)),
        Speaker("Dmitry Peskov", roles=(Role("Kremlin spokesman"),)),
    )
)
PLAIN = "The commission met for three hours and left without a vote."


def parse(*paragraphs, **fields):
    return parse_document(RawDocument("a.html", paragraphs=paragraphs, **fields), ROSTER)


def test_kinds_of_the_markup_are_trusted():
    document = parse(
        RawParagraph("Why did the talks fail, and who is to blame for it?", kind="question"),
        RawParagraph("One sentence stands here as a heading.", kind="heading"),
        RawParagraph("A short item", kind="list-item"),
        RawParagraph("Just a line", kind="body"),
        RawParagraph(PLAIN),
    )
    assert [p.kind for p in document.paragraphs] == ["question", "heading", "body", "body", "body"]
    assert document.paragraphs[0].voice == "question"


def test_a_block_quote_is_quoted_and_has_its_speaker():
    document = parse(
        RawParagraph("Kremlin spokesman Dmitry Peskov rejected the report on Monday."),
        RawParagraph("We regard this report as groundless.", kind="quote"),
        RawParagraph(PLAIN),
    )
    assert [p.voice for p in document.paragraphs][1:] == ["quoted", "outlet"]
    assert document.paragraphs[1].text == "We regard this report as groundless."


def test_a_label_carried_on_by_the_source_yields_to_one_in_the_text():
    guest = "President of Ostmark Karl Ruben (speaking German): I am glad to be here again with all of you."
    document = parse(
        RawParagraph("Good afternoon to all of you, colleagues.", "Vladimir Putin", labelled=True),
        RawParagraph("Let us start with the harvest of this year.", "Vladimir Putin"),
        RawParagraph(guest, "Vladimir Putin"),
        RawParagraph("We have much to discuss this afternoon.", "Vladimir Putin"),
        RawParagraph("Thank you very much for these words.", "Vladimir Putin", labelled=True),
    )
    assert [(p.speaker, p.speaker_method) for p in document.paragraphs] == [
        ("Vladimir Putin", "source label"),
        ("Vladimir Putin", "turn continued"),
        ("Karl Ruben", "turn label"),
        ("Karl Ruben", "turn continued"),
        ("Vladimir Putin", "source label"),
    ]


def test_a_name_in_bold_is_a_label_even_once():
    text = "Larisa Ostrova: We have answered this question before."
    assert parse(RawParagraph(text, labelled=True), RawParagraph(PLAIN)).paragraphs[0].speaker == "Larisa Ostrova"
    assert parse(RawParagraph(text), RawParagraph(PLAIN)).paragraphs[0].speaker == ""
    note = parse(RawParagraph("Background: the talks began in spring.", labelled=True), RawParagraph(PLAIN))
    assert note.paragraphs[0].speaker == ""


def test_a_surname_in_bold_that_comes_back_is_a_label():
    document = parse(
        RawParagraph("Spiegel: Why now?", labelled=True),
        RawParagraph("Ostrova: Because we were asked to.", labelled=True),
        RawParagraph("Spiegel: By whom were you asked?", labelled=True),
        RawParagraph("Ostrova: By those who had to pay.", labelled=True),
    )
    assert [p.speaker for p in document.paragraphs] == ["Spiegel", "Ostrova"] * 2


def test_a_lead_is_a_heading_unless_the_text_has_it():
    kinds = [(p.kind, p.text) for p in parse(RawParagraph(PLAIN), title="Talks", lead="In short.").paragraphs]
    assert kinds == [("title", "Talks"), ("heading", "In short."), ("body", PLAIN)]
    assert [p.kind for p in parse(RawParagraph(PLAIN), title="Talks", lead=PLAIN).paragraphs] == ["title", "body"]


@pytest.mark.parametrize(
    ("title", "text", "kind", "date", "source"),
    [
        ("Briefing, Moscow, March 2, 2017", PLAIN, "posted", "2017-03-02", "title"),
        ("Briefing, Moscow, March 2, 2017", PLAIN, "", "2017-03-03", "metadata"),
        ("Talks", "BRINDAVA, March 1. /NORDA/. " + PLAIN, "posted", "2017-03-01",
         "dateline, year of page metadata"),
        ("Talks", "BRINDAVA, March 1, 2017. /NORDA/. " + PLAIN, "posted", "2017-03-01", "dateline"),
        ("Talks", "BRINDAVA, March 20. /NORDA/. " + PLAIN, "posted", "2017-03-03", "page metadata"),
        ("In memory of May 9, 1945", PLAIN, "posted", "2017-03-03", "page metadata"),
    ],
)  # fmt: skip
def test_the_day_of_the_statement_beats_the_day_of_posting(title, text, kind, date, source):
    found = parse(RawParagraph(text), title=title, date="2017-03-03", date_source=kind)
    assert (found.date, found.date_source) == (date, source)


def test_at_new_year_a_dateline_belongs_to_the_year_before():
    dateline = RawParagraph("BRINDAVA, December 31. /NORDA/. " + PLAIN)
    assert parse(dateline, date="2018-01-01T00:10", date_source="posted").date == "2017-12-31"


def test_names_that_sites_give_themselves_are_merged():
    assert parse(RawParagraph(PLAIN), outlet="RT International").outlet == "RT"
