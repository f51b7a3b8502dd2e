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


def article(seed: int, sentences: int, words: int = 14) -> list[str]:
    """Sentences of words that are in no other article."""
    rng = random.Random(seed)
    return [
        " ".join(["the", *(f"{rng.choice('bdfgklmnprst')}{seed}x{n}y{i}" for i in range(words - 1))]).capitalize() + "."
        for n in range(sentences)
    ]


def join(sentences: list[str], size: int) -> list[str]:
    """Paragraphs of so many sentences."""
    return [" ".join(sentences[i : i + size]) for i in range(0, len(sentences), size)]


def reword(sentences: list[str]) -> list[str]:
    """A word in the middle of every other sentence becomes another one."""
    return [" ".join([*s.split()[:6], "notably", *s.split()[7:]]) if n % 2 else s for n, s in enumerate(sentences)]


STORY, OTHER, THIRD = article(1, 16), article(2, 12), article(3, 12)
EDITS = {
    "first half": join(STORY[:8], 2),
    "last third": join(STORY[-6:], 2),
    "new lead and tail": [*join(OTHER[:2], 2), *join(STORY, 2), *join(OTHER[2:5], 3)],
    "agency line": [f"VELLMAR, May 15 (Northwire) – {STORY[0]} {STORY[1]}", *join(STORY[2:], 2)],
    "reworded": join(reword(STORY), 2),
    "other breaks": join(STORY, 3),
    "a sentence a paragraph": join(STORY, 1),
    "merged": join(STORY, 4),
    "no breaks": join(STORY, 16),
    "three in one": [*join(OTHER, 2), *join(STORY, 3), *join(THIRD, 2)],
    "cut, reworded, other breaks, new tail": [*join(reword(STORY[3:]), 3), *join(OTHER[:3], 1)],
}


def copied_words(found: dict[str, str], *documents: Document) -> int:
    return sum(p.words for d in documents for p in d.paragraphs if p.paragraph_id in found)


@pytest.mark.parametrize(
    "dates", [("2016-03-01", "2016-03-02"), ("2016-03-02", "2016-03-01"), ("", ""), ("2016", "2016")]
)
@pytest.mark.parametrize("edit", EDITS)
def test_a_version_of_an_article_is_copied_whatever_was_done_to_it(edit, dates):
    story, version = document("a", dates[0], *join(STORY, 2)), document("b", dates[1], *EDITS[edit])
    found = find_copies([story, version])
    shared = min(sum(p.words for p in story.paragraphs), sum(p.words for p in version.paragraphs))
    assert copied_words(found, story, version) >= 0.7 * shared
    assert {key[0] for key in found} in ({"a"}, {"b"})
    assert not set(found) & set(found.values())


def test_of_a_version_only_what_was_there_before_is_a_copy():
    story = document("a", "2016-03-01", *join(STORY, 2))
    version = document("b", "2016-03-02", *join(OTHER[:4], 2), *join(STORY, 4))
    assert sorted(find_copies([story, version])) == [f"b-{n:04d}" for n in range(2, 6)]


@pytest.mark.parametrize("share", [0.8, 0.6, 0.3])
def test_articles_without_breaks(share):
    whole, part = document("a", "2016", *join(STORY, 16)), document("b", "2017", " ".join(STORY[: round(16 * share)]))
    assert find_copies([whole, part]) == {"b-0000": "a-0000"}
    # The later one holds the earlier one. It is a copy if it says less than the same again.
    later = {"a-0000": "b-0000"} if share > 0.5 else {}
    assert find_copies([document("a", "2018", *join(STORY, 16)), part]) == later


def test_on_one_day_the_longest_is_the_original():
    parts = [document("a", "2016-03-01", " ".join(STORY)), document("b", "2016-03-01", " ".join(OTHER))]
    page = document("c", "2016-03-01", " ".join([*STORY, *OTHER]))
    assert find_copies([*parts, page]) == {"a-0000": "c-0000", "b-0000": "c-0000"}


def test_items_of_several_earlier_articles_are_copies_of_each():
    parts = [document("a", "2016", *join(STORY, 2)), document("b", "2016", *join(OTHER, 2))]
    page = document("c", "2017", *join(STORY, 5), *join(OTHER, 6))
    assert {found[0] for found in find_copies([*parts, page]).values()} == {"a", "b"}
    glued = document("d", "2017", " ".join([*STORY, *OTHER]))
    assert find_copies([*parts, glued]) == {"d-0000": "a-0000"}


def test_a_paragraph_that_a_version_added_is_an_original():
    story = document("a", "2016", *join(STORY, 2))
    version = document("b", "2017", *join(STORY, 3), *join(OTHER[:4], 2))
    third = document("c", "2018", *join(STORY, 3), *join(OTHER[:4], 4))
    found = find_copies([story, version, third])
    assert {key[0]: {value[0] for k, value in found.items() if k[0] == key[0]} for key in found} == {
        "b": {"a"},
        "c": {"a", "b"},
    }


@pytest.mark.parametrize("length", [1, 3])
def test_a_quotation_in_common_does_not_make_articles_copies(length):
    quotation = " ".join(THIRD[:length])
    one = document("a", "2016", *join(STORY, 2), f"“{quotation}” the minister said.")
    other = document("b", "2017", f"{OTHER[0]} In her words: “{quotation}”", *join(OTHER[1:], 2))
    assert find_copies([one, other]) == {}


def test_standing_lines_and_short_sentences_do_not_make_articles_copies():
    lines = ["The message reads, in part, as the press service of the President said:", "He thanked them all for this."]
    one, other = document("a", "2016", *join(STORY, 2), *lines), document("b", "2017", *lines, *join(OTHER, 2))
    assert find_copies([one, other]) == {"b-0000": "a-0008", "b-0001": "a-0009"}  # themselves repeated word for word
    merged = document("c", "2017", " ".join(lines), *join(OTHER, 2))
    assert find_copies([one, merged]) == {}


def test_nearly_all_pairs_above_the_threshold_are_seen():
    rng = random.Random(5)
    documents, pairs = [], 0
    for n in range(60):
        words = " ".join(article(100 + n, 4)).split()
        near = list(words)
        # Each changed word changes five shingles: 5, 9 or 10 of 52, for a Jaccard similarity of 0.83, 0.7 or 0.68.
        for at in rng.sample([20, 24, 40], 1 + (n % 3 == 0)):
            near[at] = "other"
        pairs += n % 3 != 0
        documents += [
            document(f"a{n:02d}", "2016", " ".join(words)),
            document(f"b{n:02d}", "2017", " ".join(near), OTHER[0]),
        ]
    found = find_copies(documents)
    assert sum(f"b{n:02d}-0000" in found for n in range(60) if n % 3) == pairs == 40


def test_versions_do_not_depend_on_the_order_of_documents():
    documents = [
        document(f"d{n:02d}", f"2016-03-{1 + n % 4:02d}", *paragraphs) for n, paragraphs in enumerate(EDITS.values())
    ]
    expected = find_copies(documents)
    assert len(expected) > 20 and not set(expected) & set(expected.values())
    for seed in range(5):
        random.Random(seed).shuffle(documents)
        assert find_copies(documents) == expected


def test_documents_that_vary_a_few_claims_are_no_copies():
    claims = [" ".join(STORY[n : n + 2]) for n in range(0, 8, 2)]
    documents = [
        document(
            f"d{i}",
            f"2016-0{i + 1}",
            *(f"{claims[(i + j) % 4]} This was item {i} and {j}, of {i * 7}." for j in range(3)),
        )
        for i in range(6)
    ]
    assert find_copies(documents) == {}
