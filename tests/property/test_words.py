"""A search with the index of words finds what a search through all texts finds."""

from __future__ import annotations

import duckdb
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from narratives.store.queries import Where
from narratives.store.queries import words as word_queries

# Few pieces, so that terms are frequent in the texts; with letters whose lower case is longer, marks and signs.
PIECES = (
    "law", "Law", "LA", "w", " ", "  ", "-", "'", "’", "é", "e\u0301", "İ", "ß", "мир", "Мир", "5", "\u200b", "%", "_",
    ".", "\U0001f1f7",
)  # fmt: skip
TEXT = st.lists(st.sampled_from(PIECES), max_size=12).map("".join)
TERM = st.lists(st.sampled_from(PIECES), min_size=1, max_size=4).map("".join)


def find(texts: list[str], search: str, has_index: bool) -> list[int]:
    """The places of the texts that a search finds."""
    with duckdb.connect(":memory:") as connection:
        connection.execute("CREATE TABLE paragraphs (place INTEGER, text VARCHAR, statement BOOLEAN)")
        connection.execute("CREATE TABLE words (word VARCHAR, places INTEGER[])")
        connection.execute(
            "INSERT INTO paragraphs SELECT unnest(range(len($texts))), unnest($texts), true", {"texts": texts}
        )
        word_queries.index_words(connection)
        connection.execute("CREATE SCHEMA snap")
        for table in ("paragraphs", "words"):
            connection.execute(f"CREATE VIEW snap.{table} AS SELECT * FROM main.{table}")
        where = Where()
        word_queries.add_search_terms(where, search, has_index)
        rows = connection.execute(f"SELECT place FROM snap.paragraphs p WHERE {where.sql} ORDER BY 1", where.values)
        return [place for (place,) in rows.fetchall()]


@given(st.lists(TEXT, min_size=1, max_size=6), st.lists(TERM, min_size=1, max_size=3), st.booleans(), st.booleans())
@example(
    ["International law.", "international lawyers", "the law is international"], ["international law"], True, False
)
@settings(max_examples=150, deadline=None)
def test_the_index_finds_what_the_texts_contain(texts, terms, is_quoted, is_excluded):
    quoted = [f'"{term}"' if is_quoted else term for term in terms]
    search = " ".join([*quoted[:-1], f"-{quoted[-1]}" if is_excluded else quoted[-1]])
    assert find(texts, search, True) == find(texts, search, False)


def test_the_index_is_made_in_parts(monkeypatch):
    monkeypatch.setattr(word_queries, "_ROWS_AT_ONCE", 2)
    texts = [f"Remark {number} on trade" for number in range(7)]
    assert find(texts, "trade", True) == list(range(7))
    assert find(texts, '"remark 5" -trades', True) == [5]


@pytest.mark.parametrize("search", ["law", '"the law"'])
def test_a_search_uses_the_index(search):
    where = Where()
    word_queries.add_search_terms(where, search, True)
    assert "snap.words" in where.sql and "lower(p.text)" not in where.sql
