"""Exact and near copies, and which of them is the original."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from narratives.model import Document, Paragraph
from narratives.parse import find_copies
from narratives.parse.segmentation import count_words

LONG = (
    "the delegations of both countries met on the banks of the river to discuss how the water of the spring"
    " floods might be shared among the farms on either side without harm to the towns below"
)


def document(document_id: str, date: str, *texts: str, kind: str = "body") -> Document:
    paragraphs = tuple(
        Paragraph(f"{document_id}-{i:04d}", document_id, i, kind, text, words=count_words(text))
        for i, text in enumerate(texts)
    )
    return Document(document_id, "x", 0, "", "", "", date, "none", "", "en", "verbatim", "", paragraphs)


def test_earliest_dated_is_the_original_whatever_the_order():
    documents = [
        document("a", "", LONG),
        document("b", "2018-01-01", LONG.upper() + "!"),
        document("c", "2016-05-05", f"“{LONG}”"),
    ]
    expected = {"a-0000": "c-0000", "b-0000": "c-0000"}
    for seed in range(4):
        random.Random(seed).shuffle(documents)
        assert find_copies(documents) == expected


@pytest.mark.parametrize(
    ("first", "second", "original"),
    [
        ("2016", "2017-03-01", "a"),
        ("2016-11", "2016-10-31", "b"),
        ("2016", "2016-11-10", "b"),  # "2016" cannot be shown to be earlier
        ("2016-11-10", "2016-11-10", "a"),
        ("", "2020", "b"),
        ("", "", "a"),
    ],
)
def test_partial_dates_and_ties(first, second, original):
    copy = {"a": "b", "b": "a"}[original]
    found = find_copies([document("b", second, LONG), document("a", first, LONG)])
    assert found == {f"{copy}-0000": f"{original}-0000"}


def test_near_copies_are_verified():
    words = LONG.split()
    near = " ".join([*words[:-1], "downstream"])
    far = " ".join([*words[: len(words) // 2], "and then they all went home again by the last bus"])
    found = find_copies([document("a", "2016", LONG), document("b", "2017", near), document("c", "2018", far)])
    assert found == {"b-0000": "a-0000"}


def test_a_copy_never_points_to_a_copy():
    words = LONG.split()
    chain = [" ".join(words[i:] + [f"word{j}" for j in range(i)]) for i in range(0, 9, 2)]
    found = find_copies([document(f"d{i}", f"201{i}", text) for i, text in enumerate(chain)])
    assert found and not set(found) & set(found.values())


def test_what_is_no_copy():
    assert find_copies([document("a", "2016", LONG, LONG)]) == {}
    assert find_copies([document("a", "2016", "Thank you all."), document("b", "2017", "Thank you all.")]) == {}
    assert find_copies([document("a", "", LONG, kind="title"), document("b", "", LONG, kind="title")]) == {}
    assert find_copies([]) == {}


def test_repetitions_within_the_original_stay_but_those_elsewhere_are_copies():
    found = find_copies([document("a", "2016", LONG, LONG), document("b", "2017", LONG, LONG)])
    assert found == {"b-0000": "a-0000", "b-0001": "a-0000"}


def with_lead(document_id: str, date: str, lead: str, *texts: str) -> Document:
    made = document(document_id, date, lead, *texts)
    return replace(made, paragraphs=(replace(made.paragraphs[0], kind="lead"), *made.paragraphs[1:]))


def test_a_lead_that_the_text_repeats_is_a_copy_of_the_paragraph_that_does():
    other = "Nobody in the towns below had expected that the water would come so early in the year."
    inside = f"On Monday {LONG}, and everybody went home before the rain."
    assert find_copies([with_lead("a", "2016", LONG, other, inside, LONG)]) == {"a-0000": "a-0002"}
    halves = LONG.split()
    first, second = " ".join(halves[:20]), " ".join(halves[16:])
    assert find_copies([with_lead("a", "2016", LONG, other, first, second)]) == {"a-0000": "a-0002"}
    assert find_copies([with_lead("a", "2016", LONG, other, first, other)]) == {}


def test_a_lead_is_compared_with_other_documents_too_and_never_points_to_a_copy():
    found = find_copies([document("a", "2016", LONG), with_lead("b", "2017", LONG, "Something else was said there.")])
    assert found == {"b-0000": "a-0000"}
    found = find_copies([document("a", "2016", LONG), with_lead("b", "2017", LONG, LONG)])
    assert found == {"b-0000": "a-0000", "b-0001": "a-0000"}
