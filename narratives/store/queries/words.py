"""The search for words: which statement paragraphs contain them, by an index that every snapshot has.

A search is for parts of a text, as people type them: `sanction` finds "sanctions", and "international law" these words
side by side, in any case. The table `words` lists the paragraphs of every word. A term without a space is looked for
among the words, which are few. Only for others are texts read: those of paragraphs that have all words of the term.
"""

from __future__ import annotations

import unicodedata

import duckdb

from narratives.model import UsageError
from narratives.model.slice import parse_search_terms
from narratives.store.queries import Where

# More than anybody types, but few enough that no search is slow.
MAX_SEARCH_LENGTH, MAX_SEARCH_TERMS = 200, 20
# What separates words: anything but letters, numbers and marks.
_BETWEEN_WORDS = r"[^\p{L}\p{N}\p{M}]+"
_ROWS_AT_ONCE = 200_000  # limits the memory of the index; a word has a row for each part of the paragraphs

_INDEX = f"""
INSERT INTO words
SELECT word, list(place ORDER BY place) FROM (
    SELECT place, unnest(list_distinct(string_split_regex(lower(text), '{_BETWEEN_WORDS}'))) AS word
    FROM paragraphs WHERE statement AND place >= $first AND place < $end
)
WHERE word <> '' GROUP BY word ORDER BY word
"""


def index_words(connection: duckdb.DuckDBPyConnection) -> None:
    """Fill the table `words` from the table `paragraphs`."""
    [(count,)] = connection.execute("SELECT count(*) FROM paragraphs").fetchall()
    for first in range(0, count, _ROWS_AT_ONCE):
        connection.execute(_INDEX, {"first": first, "end": first + _ROWS_AT_ONCE})


def add_search_terms(where: Where, text: str, has_index: bool) -> None:
    """Add a search: its terms must occur, and excluded terms must not, in any case.

    Raises UsageError for a search of more than MAX_SEARCH_TERMS words and phrases.
    """
    terms = parse_search_terms(text)
    if len(terms) > MAX_SEARCH_TERMS:
        raise UsageError(
            f"a search of at most {MAX_SEARCH_TERMS} words and phrases", f"{len(terms):,}", "Shorten the search."
        )
    having: list[str] = []  # the places of paragraphs that have a word
    lacking: list[str] = []  # the places of those that have an excluded one
    read: list[str] = []  # conditions on a text in lower case
    for number, (term, is_wanted) in enumerate(terms):
        pieces = _split(term) if has_index else []
        if len(pieces) != 1:
            where.values[f"term{number}"] = term
            read.append(f"{'' if is_wanted else 'NOT '}contains(lowered, lower($term{number}))")
        for at, piece in enumerate(pieces):
            if piece and (is_wanted or len(pieces) == 1):
                name = f"piece{number}_{at}"
                where.values[name] = piece
                condition = _match_word(at, len(pieces)).format(f"lower(${name})")
                places = f"SELECT unnest(places) AS place FROM snap.words WHERE {condition}"
                (having if is_wanted else lacking).append(places)
    # The text is lowered once for all terms. With separate conditions each would hold a copy of it, and the memory to
    # plan them would grow with the square of their number.
    matches = f"len(list_filter([{{}}], lambda lowered: {' AND '.join(read)})) = 1"
    # One list of places: an excluded word that is looked for by itself is compared with all paragraphs.
    found = " EXCEPT ".join([" INTERSECT ".join(having), *lacking])
    if read and having:
        # The condition is on both sides of the join, so that it is tested after it, and few texts are read.
        text = "CASE WHEN h.place >= 0 THEN lower(t.text) END"
        where.add(f"""p.place IN (
            SELECT h.place FROM ({found}) h JOIN snap.paragraphs t USING (place) WHERE {matches.format(text)})""")
    elif having:
        where.add(f"p.place IN ({found})")
    else:
        for places in lacking:
            where.add(f"p.place NOT IN ({places})")
        if read:
            where.add(matches.format("lower(p.text)"))


def _match_word(at: int, pieces: int) -> str:
    """Return the condition on a word for a piece of a term, with a place for the piece."""
    if pieces == 1:
        return "contains(word, {})"
    if at == 0:
        return "ends_with(word, {})"
    return "starts_with(word, {})" if at == pieces - 1 else "word = {}"


def _split(term: str) -> list[str]:
    """Split a term where words are split; empty if it is not certain that the index splits it in the same places."""
    kinds = [unicodedata.category(character) for character in term]
    if any(kind in ("Cn", "Co", "Cs") for kind in kinds):
        return []
    parts = (character if kind[0] in "LNM" else "\0" for character, kind in zip(term, kinds, strict=True))
    return "".join(parts).split("\0")
