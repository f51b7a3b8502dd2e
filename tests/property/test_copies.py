"""Copies: the fast search finds what the definition says, on small collections of texts."""

from __future__ import annotations

from itertools import product
from unittest.mock import patch

from hypothesis import given, settings
from hypothesis import strategies as st

from narratives.model import Document, Paragraph
from narratives.parse import duplicates, find_copies

WORDS = [f"{first}{second}" for first, second in product("abcdefgh", "mnopqrst")]
PIECES = [WORDS[at : at + 8] for at in range(0, len(WORDS) - 7, 4)]
# A few pieces in any order: many paragraphs and documents share some of them.
texts = st.lists(st.sampled_from(PIECES), min_size=1, max_size=5).map(lambda parts: [w for part in parts for w in part])
collections = st.lists(st.lists(texts, min_size=1, max_size=4), min_size=1, max_size=6)


def make_documents(collection: list[list[list[str]]]) -> list[Document]:
    return [
        Document(
            f"d{at}", "x", 0, "", "", "", f"{2010 + at}", "year", "", "en", "verbatim", "",
            tuple(
                Paragraph(f"d{at}-{place}", f"d{at}", place, "body", " ".join(words), words=len(words))
                for place, words in enumerate(paragraphs)
            ),
        )
        for at, paragraphs in enumerate(collection)
    ]  # fmt: skip


def make_shingles(words: list[str]) -> list[tuple[str, ...]]:
    return [tuple(words[at : at + 5]) for at in range(len(words) - 4)]


def find_by_definition(collection: list[list[list[str]]]) -> dict[str, str]:
    """Compare every paragraph with all earlier paragraphs and documents, as `find_copies` describes."""
    copies: dict[str, str] = {}
    sets = [{shingle for words in paragraphs for shingle in make_shingles(words)} for paragraphs in collection]
    originals: dict[tuple[str, ...], str] = {}  # in the order of texts
    for at, paragraphs in enumerate(collection):
        sources = [
            other
            for other in range(at)
            if len(sets[at] & sets[other]) >= max(30, 0.5 * min(len(sets[at]), len(sets[other])))
        ]
        for place, words in enumerate(paragraphs):
            key, own = f"d{at}-{place}", make_shingles(words)
            original = originals.get(tuple(words))
            if original is None:
                original = next(
                    (first for text, first in originals.items() if is_near(own, make_shingles([*text]))), None
                )
            if original is None:
                original = find_in_sources(own, [(sets[d], name_places(collection, d)) for d in sources], copies)
            is_copy = original is not None and not original.startswith(f"d{at}-")
            originals.setdefault(tuple(words), original if original is not None and is_copy else key)
            if original is not None and is_copy:
                copies[key] = original
    return copies


def is_near(own: list, other: list) -> bool:
    shared = len({*own} & {*other})
    return shared >= 0.8 * (len({*own}) + len({*other}) - shared)


def name_places(collection: list[list[list[str]]], at: int) -> dict[tuple[str, ...], str]:
    """The first paragraph of a document with each shingle."""
    places: dict[tuple[str, ...], str] = {}
    for place, words in enumerate(collection[at]):
        for shingle in make_shingles(words):
            places.setdefault(shingle, f"d{at}-{place}")
    return places


def find_in_sources(own: list, sources: list, copies: dict[str, str]) -> str | None:
    shared: dict[str, int] = {}
    covered, holds_source = set(), False
    for held, places in sources:
        holds_source |= sum(shingle in held for shingle in own) >= 0.8 * len(held)
        for at, shingle in enumerate(own):
            if shingle in held and places[shingle] not in copies:
                covered.update(range(at, at + 5))
                shared[places[shingle]] = shared.get(places[shingle], 0) + 1
    if not shared or len(covered) / (len(own) + 4) < (0.5 if holds_source else 0.9):
        return None
    return min(shared, key=lambda key: (-shared[key], key))


@given(collections, st.sampled_from([1, 7, 1 << 20]))
@settings(max_examples=150, deadline=None)
def test_the_search_finds_what_the_definition_says(collection, at_once):
    with patch.object(duplicates, "ITEMS_AT_ONCE", at_once), patch.object(duplicates, "TEXTS_AT_ONCE", at_once):
        assert find_copies(make_documents(collection)) == find_by_definition(collection)
