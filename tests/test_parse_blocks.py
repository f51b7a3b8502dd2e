"""Furniture away; title, lead, headings and body told apart."""

from __future__ import annotations

import pytest

from narratives.model import RawDocument, RawParagraph
from narratives.parse.blocks import is_boilerplate, lay_out

ICONS = "icon bell-bicon bellicon clockicon cupicon dooricon eggicon fan"


def kinds(text: str, title: str = "") -> list[tuple[str, str]]:
    return [(b.kind, b.text) for b in lay_out(RawDocument("x.txt", text=text, title=title)).blocks]


@pytest.mark.parametrize(
    "line",
    [
        ICONS,
        "READ MORE: ‘Odd claims’: the other side answers",
        "Share this story!",
        "Podcasts",
        "0:00",
        "31:4",
        "1,204 views",
        "Поделиться:",
        "Print:",
        "All news",
        "This email address is being protected from spambots. You need JavaScript to see it.",
        "(44-20) 5550-1234/35;",
    ],
)
def test_furniture_is_recognised(line):
    assert is_boilerplate(line)


@pytest.mark.parametrize(
    "line",
    [
        "Read more books, he told them.",
        "Printing money is no answer.",
        "Views differ on this point.",
        "526.",
        "The icon of the saint was returned.",
        "Share the burden and the country will be stronger.",
    ],
)
def test_sentences_are_no_furniture(line):
    assert not is_boilerplate(line)


def test_page_with_furniture_on_all_sides():
    text = f"""{ICONS}
9 Mar, 2017 10:15

Ministers agree on grain – Farm minister to RT

Ministers agree on grain – Farm minister to RT

The deal on grain is done, the farm minister told RT. It took a year.

“It took long,” he said of the talks.

READ MORE: Grain prices at a ten-year low

The harvest begins in June.

Share this story!

Podcasts
0:00
12:3"""
    layout = lay_out(RawDocument("x.txt", text=text))
    assert layout.rt and layout.header == ("9 Mar, 2017 10:15",)
    assert layout.boilerplate == 8
    assert [b.kind for b in layout.blocks] == ["title", "heading", "body", "body"]
    assert layout.title == "Ministers agree on grain – Farm minister to RT"


def test_contents_list_and_footer_go_and_headings_stay():
    text = """Weekly briefing, Minsk, May 4, 2016

Monday, 9 May 2016 08:00

    Talks on the river border
    The harvest this year
    Answers to media questions:
    A question that has no heading of its own


Talks on the river border


The talks began on Monday. They go on.


The harvest this year


The harvest is good.


Answers to media questions:

Question: When do the talks end?

Popular articles

03 August 2018

Weekly briefing, Minsk,...
"""
    layout = lay_out(RawDocument("x.txt", text=text))
    assert [(b.kind, b.text) for b in layout.blocks] == [
        ("title", "Weekly briefing, Minsk, May 4, 2016"),
        ("heading", "Talks on the river border"),
        ("body", "The talks began on Monday. They go on."),
        ("heading", "The harvest this year"),
        ("body", "The harvest is good."),
        ("heading", "Answers to media questions:"),
        ("body", "Question: When do the talks end?"),
    ]
    assert layout.boilerplate == 1 + 1 + 3


def test_what_stands_between_title_and_dateline_is_the_lead():
    text = "Grain deal done\n\nIt was long awaited.\n\nMINSK, May 4. /TASS/. The deal is done.\n\nIt holds."
    assert [k for k, _ in kinds(text)] == ["title", "heading", "body", "body"]


def test_given_title_comes_first_and_its_repetition_goes():
    found = kinds("A long enough title\n\nThe text begins.", title="A long enough title")
    assert found == [("title", "A long enough title"), ("body", "The text begins.")]


def test_lines_are_paragraphs_unless_they_were_wrapped():
    assert [t for _, t in kinds("First one here.\nSecond one here.\nThird one here.")] == [
        "First one here.",
        "Second one here.",
        "Third one here.",
    ]
    wrapped = (
        "This paragraph was broken by hand after some sixty characters\n"
        "because somebody thought that screens would stay narrow, and\n"
        "it ends here."
    )
    assert len(kinds(wrapped)) == 1
    broken = (
        "This line was cut by the end of a page and the sentence goes\n\non over there. It is one paragraph."
    )
    assert len(kinds(broken)) == 1


def test_separator_is_counted_and_remembered_but_an_omission_does_not_end_a_turn():
    raw = RawDocument(
        "x.jsonl",
        paragraphs=tuple(RawParagraph(t) for t in ("One is said.", "* * *", "Two is said.", "<…>", "Three.")),
    )
    layout = lay_out(raw)
    assert [b.after_break for b in layout.blocks] == [False, True, False]
    assert layout.boilerplate == 2


def test_labelled_paragraph_is_body_whatever_it_looks_like():
    raw = RawDocument(
        "x.jsonl", paragraphs=(RawParagraph("Thank you", "A. Host"), RawParagraph("Speech at the fair"))
    )
    assert [b.kind for b in lay_out(raw).blocks] == ["body", "heading"]
