"""Standing lines of an outlet, told by repetition alone; and courtesies, which are no statements."""

from __future__ import annotations

import pytest

from narratives.model import RawDocument
from narratives.parse import find_boilerplate, is_statement, parse_document
from tests.helpers.parse_roster import ROSTER

LINE = "Subscribe to our bulletin for more of this."
LANGUAGES = frozenset({"en"})


def document(number: int, *texts: str, outlet: str = "The Gazette", day: int | None = None):
    lines = [f"The talks of group {number} went on for {number} hours.", *texts]
    date = f"2016-03-{(number if day is None else day) + 1:02d}"
    return parse_document(
        RawDocument("x", text="\n\n".join(lines), title=f"Talks {number}", outlet=outlet, date=date), ROSTER
    )


def found(documents):
    ids = find_boilerplate(documents)
    return {p.text for d in documents for p in d.paragraphs if p.paragraph_id in ids}


def test_a_line_at_the_foot_of_five_documents_is_a_standing_one():
    assert found([document(n, LINE) for n in range(5)]) == {LINE}
    assert found([document(n, LINE.upper() if n else LINE) for n in range(5)]) == {LINE, LINE.upper()}


@pytest.mark.parametrize(
    "documents",
    [
        [document(n, LINE) for n in range(4)],
        [document(n, LINE, outlet="") for n in range(5)],
        [document(n, LINE, outlet=f"Gazette {n % 2}") for n in range(8)],
        [document(n, LINE, day=n % 2) for n in range(9)],
        [document(n, "Our word on it is long. " * 6) for n in range(5)],
        [document(n, *[f"Point {i} of {n} was agreed." for i in range(4)][: n % 5]) for n in range(5)],
    ],
    ids=["too few", "no outlet", "two outlets", "two days", "too long", "all different"],
)
def test_what_is_no_standing_line(documents):
    assert found(documents) == set()


def test_a_line_in_the_middle_is_none():
    sides = [[f"Point {i} of day {n} was agreed upon." for i in range(3)] for n in range(5)]
    assert found([document(n, *side, LINE, *side) for n, side in enumerate(sides)]) == set()
    assert found([document(n, *side, LINE) for n, side in enumerate(sides)]) == {LINE}


@pytest.mark.parametrize(
    "text",
    [
        "Thank you very much for your attention.",
        "Vladimir Putin: Good afternoon, friends and colleagues.",
        "Thank you very much. All the best to you!",
    ],
)
def test_courtesies_are_kept_but_do_not_count(text):
    parsed = parse_document(
        RawDocument("x", text=f"The talks were long, and they were good.\n\n{text}", title="T"), ROSTER
    )
    last = parsed.paragraphs[-1]
    assert last.text == text and last.kind == "body" and last.words >= 5
    assert not is_statement(last, LANGUAGES) and is_statement(parsed.paragraphs[-2], LANGUAGES)


@pytest.mark.parametrize(
    "text",
    [
        "Thank you. The sanctions will be lifted in May, and that is final.",
        "Good relations with neighbours are worth more than any treaty.",
        "Thanks to the efforts of the engineers at the plant in the north, the bridge stands today.",
    ],
)
def test_what_says_something_counts(text):
    parsed = parse_document(RawDocument("x", text=f"{text}\n\nThat is all for today, he thought.", title="T"), ROSTER)
    assert is_statement(next(p for p in parsed.paragraphs if p.text == text), LANGUAGES)
