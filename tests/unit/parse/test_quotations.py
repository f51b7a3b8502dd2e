"""Quotation marks: which words stand inside."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from narratives.parse.attribution.quotations import compute_quoted_share, find_quote_spans


def inside(*texts: str) -> list[list[str]]:
    return [[t[a:b] for a, b in spans] for t, spans in zip(texts, find_quote_spans(texts), strict=True)]


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        ("“We will,” she said, “and soon.”", ["“We will,”", "“and soon.”"]),
        ('"We will," she said.', ['"We will,"']),
        ("«Да», he said.", ["«Да»"]),
        ("It was ‘a great day’ for the states’ leaders.", ["‘a great day’"]),
        ("The states’ leaders don’t agree.", []),
        ("”Marks the wrong way round,“ he said.", ["”Marks the wrong way round,“"]),
        ("“He said ‘no’ to us,” she said.", ["“He said ‘no’ to us,”"]),
        ("She said: “It never closes.", ["“It never closes."]),
    ],
)
def test_spans(text, quoted):
    assert inside(text) == [quoted]


def test_a_quotation_over_several_paragraphs():
    found = inside("He wrote: “One begins.", "Two goes on.", "Three ends.” Four is his no more.", "Five.")
    assert found == [["“One begins."], ["Two goes on."], ["Three ends.”"], []]


def test_an_unclosed_quotation_does_not_swallow_the_rest():
    assert inside("He wrote: “One begins.", "Two.", "She said: “Three.”") == [["“One begins."], [], ["“Three.”"]]


def test_share_of_words():
    text = "“One two three,” she said."
    assert compute_quoted_share(text, find_quote_spans([text])[0]) == pytest.approx(3 / 5)
    assert compute_quoted_share("", []) == 0.0


@given(st.lists(st.text(alphabet="ab .,“”\"‘’'«»", max_size=30), max_size=5))
def test_spans_are_ordered_and_within_the_text(texts):
    for text, spans in zip(texts, find_quote_spans(texts), strict=True):
        edges = [edge for span in spans for edge in span]
        assert edges == sorted(edges)
        assert all(0 <= a < b <= len(text) for a, b in spans)
