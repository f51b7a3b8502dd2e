"""The filters of a page or an export, and the searches that a person can add to them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from narratives.model.documents import Voice

Granularity = Literal["year", "half", "quarter", "month"]
Unit = Literal["paragraph", "document"]
CopyFilter = Literal["originals", "copies", "all"]
GroupBy = Literal["speaker", "outlet", "voice"]
Actor = Literal["speaker", "outlet"]
ShareGroup = Literal["all", "period", "speaker", "outlet"]
SortOrder = Literal["best", "newest", "oldest", "speaker", "outlet"]
# Paragraph ids with the similarity of each, None or NaN if it has none.
SimilarityById = Mapping[str, float | None]


@dataclass(frozen=True, slots=True)
class Slice:
    """The filters that pages, charts and exports share.

    An empty tuple means "all". `date_from` and `date_to` are partial dates (`2016`, `2017-06`), both
    inclusive. The speaker or outlet `""` in a tuple means "none named".
    """

    speakers: tuple[str, ...] = ()
    outlets: tuple[str, ...] = ()
    narratives: tuple[str, ...] = ()
    date_from: str = ""
    date_to: str = ""
    copies: CopyFilter = "originals"
    by: Granularity = "year"
    unit: Unit = "paragraph"
    voices: tuple[Voice, ...] = ()


@dataclass(frozen=True, slots=True)
class EvidenceQuery:
    """The statement paragraphs that a list of evidence shows, and their order.

    `text` is a search: its words and "phrases" must all occur, those with a minus must not. With `unassigned`, only
    paragraphs without any narrative or candidate are shown, and the narrative filter has no effect. `topics` are ids of
    themes, topics or claims, one of which the paragraphs belong to; none means any. `similar` maps
    the ids of the paragraphs to show to their similarity; None shows all. `similar_key` names the origin of
    `similar`, such as the sentence of a search. Comparisons use it instead of `similar`, which may be large.
    """

    slice: Slice = Slice()
    text: str = ""
    unassigned: bool = False
    sort: SortOrder = "best"
    topics: tuple[str, ...] = ()
    similar_key: str = ""
    similar: SimilarityById | None = field(default=None, compare=False, repr=False)


UNNAMED_LABEL = "(none named)"

_SEARCH_TERM = re.compile(r'(-?)(?:"([^"]+)"|(\S+))')


def parse_search_terms(text: str) -> list[tuple[str, bool]]:
    """Split a search into words and "phrases in quotes", each with whether it must occur.

    Terms with a minus, such as -word or -"a phrase", must not occur. A term that is repeated, in any case, is
    listed once.
    """
    once: dict[tuple[str, bool], str] = {}
    for match in _SEARCH_TERM.finditer(text):
        term, wanted = match[2] or match[3], not match[1]
        once.setdefault((term.lower(), wanted), term)
    return [(term, wanted) for (_, wanted), term in once.items()]
