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
        (
            "‘We saw the bakers’ ovens and they weren’t lit,’ he said.",
            ["‘We saw the bakers’ ovens and they weren’t lit,’"],
        ),
        ("‘The bakers’ and millers’ claims were lost,’ he said.", ["‘The bakers’ and millers’ claims were lost,’"]),
        ("He spoke of ‘the bakers’ and said ‘never’.", ["‘the bakers’", "‘never’"]),
        ("'The bakers' oven isn't ours,' she said. 'It's cold.'", ["'The bakers' oven isn't ours,'", "'It's cold.'"]),
        ("‘It was the ’90s, and it was rock ’n’ roll,’ he said.", ["‘It was the ’90s, and it was rock ’n’ roll,’"]),
        ("‘Fishin’ boats are gone, and the lads’ nets,’ he said.", ["‘Fishin’ boats are gone, and the lads’ nets,’"]),
        ("In the '90s they ate 'em by the dozen; the bakers' best years.", []),
        ("The Joneses’ oven and the Smiths’ mill.", []),
        ("He said: '“No” is no answer.'", ["'“No” is no answer.'"]),
        ('"We were never asked , " said Ann .', ['"We were never asked , "']),
        ("``We stay,'' said Ann. ``And so do you.''", ["``We stay,''", "``And so do you.''"]),
        ("`We stay,' said Ann.", ["`We stay,'"]),
        ("&quot;We stay,&quot; said Ann.", ["&quot;We stay,&quot;"]),
        ("„Wir bleiben“, said Ann. »Ja«, said Tom. ‚Nein‘, said Eva.", ["„Wir bleiben“", "»Ja«", "‚Nein‘"]),
        ('the 6\' 2" man said "yes" and left', ['"yes"']),
        ("– We stay, said Ann Lee.", ["– We stay,"]),
        ("— Who asked us? the mayor asked. — Nobody did.", ["— Who asked us?", "— Nobody did."]),
        ("– Nobody came, Tom Fox answered. – And nobody will.", ["– Nobody came,", "– And nobody will."]),
        ("– The minister, said to be ill, did not come.", []),
        ("– To keep the peace, the security of all and their trade.", []),
    ],
)
def test_spans(text, quoted):
    assert inside(text) == [quoted]


def test_single_marks_over_several_paragraphs():
    found = inside("She said: ‘One begins.", "‘Two goes on, as the bakers’ oven did.", "‘Three ends,’ she said.")
    assert found == [["‘One begins."], ["‘Two goes on, as the bakers’ oven did."], ["‘Three ends,’"]]


@pytest.mark.parametrize("piece", ["'s ", "‘a", "''", "– x, said ", "Aaa ", "A", "„"])
def test_hostile_text_takes_no_longer_than_its_length_allows(piece):
    text = "– " + piece * 20_000
    assert all(0 <= a < b <= len(text) for a, b in find_quote_spans([text])[0])


def test_a_quotation_over_several_paragraphs():
    found = inside("He wrote: “One begins.", "Two goes on.", "Three ends.” Four is his no more.", "Five.")
    assert found == [["“One begins."], ["Two goes on."], ["Three ends.”"], []]


def test_an_unclosed_quotation_does_not_swallow_the_rest():
    assert inside("He wrote: “One begins.", "Two.", "She said: “Three.”") == [["“One begins."], [], ["“Three.”"]]


def test_share_of_words():
    text = "“One two three,” she said."
    assert compute_quoted_share(text, find_quote_spans([text])[0]) == pytest.approx(3 / 5)
    assert compute_quoted_share("", []) == 0.0


@given(st.lists(st.text(alphabet="as –.,“”\"‘’'`«»", max_size=30), max_size=5))
def test_spans_are_ordered_and_within_the_text(texts):
    for text, spans in zip(texts, find_quote_spans(texts), strict=True):
        edges = [edge for span in spans for edge in span]
        assert edges == sorted(edges)
        assert all(0 <= a < b <= len(text) for a, b in spans)
