"""What must hold for any text that is parsed."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from narratives.model import RawDocument, RawParagraph
from narratives.parse import parse_document
from tests.helpers.parse_roster import ROSTER


def parse(raw: RawDocument):
    return parse_document(raw, ROSTER)


page = st.lists(
    st.one_of(
        st.text(max_size=60),
        st.sampled_from(
            [
                "READ MORE: that",
                "Question: why?",
                "Maria Zakharova: well, so it is.",
                "“He said",
                "Peskov, who said,",
                "according to",
                "cited the President as saying",
                "14 Dec, 2016 03:57",
                "Briefing by the",
                "Popular articles",
                "MOSCOW, May 4. /TASS/. It is so.",
                " – to RT",
                "he said of the",
            ]
        ),
    ),
    max_size=12,
).map("\n\n".join)


@settings(max_examples=200, deadline=None)
@given(page, st.text(max_size=40), st.text(max_size=20), st.text(max_size=20))
def test_any_text_parses_and_twice_the_same(text, title, date, speaker):
    raw = RawDocument("a.txt", text=text, title=title, date=date, speaker=speaker)
    split = replace(raw, text="", paragraphs=tuple(RawParagraph(t, speaker) for t in text.split("\n\n")))
    for one in (raw, split):
        document = parse(one)
        assert parse(one) == document
        assert all(p.text and p.document_id == document.document_id for p in document.paragraphs)
        assert [p.position for p in document.paragraphs] == list(range(len(document.paragraphs)))


word = st.text(alphabet="abcdefghijklmnop", min_size=2, max_size=9)
sentence = st.lists(word, min_size=5, max_size=12).map(lambda words: " ".join(words).capitalize() + ".")


@settings(max_examples=100, deadline=None)
@given(st.lists(st.lists(sentence, min_size=1, max_size=4).map(" ".join), min_size=1, max_size=8))
def test_no_sentence_of_a_clean_text_is_lost(paragraphs):
    document = parse(RawDocument("a.txt", text="\n\n".join(paragraphs)))
    kept = [p.text for p in document.paragraphs]
    assert set(kept) == set(paragraphs)
    # A first block that comes twice in a row is a title and stands once; nothing else may go.
    assert kept == paragraphs or len(set(paragraphs)) < len(paragraphs)


@settings(max_examples=50, deadline=None)
@given(page)
def test_parsing_its_own_output_changes_nothing(text):
    first = parse(RawDocument("a.txt", text=text))
    body = tuple(RawParagraph(p.text) for p in first.paragraphs if p.kind != "title")
    again = parse(RawDocument("a.txt", title=first.title, paragraphs=body))
    assert [p.text for p in again.paragraphs] == [p.text for p in first.paragraphs]
