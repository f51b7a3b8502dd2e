"""The slice of the data that a page, chart or export shows, and search terms."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from narratives.model.documents import Voice

Granularity = Literal["year", "half", "quarter", "month"]
Unit = Literal["paragraph", "document"]
CopyFilter = Literal["originals", "copies", "all"]


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


UNNAMED_LABEL = "(none named)"

_SEARCH_TERM = re.compile(r'(-?)(?:"([^"]+)"|(\S+))')


def parse_search_terms(text: str) -> list[tuple[str, bool]]:
    """Split a search into words and "phrases in quotes", each with False for -excluded terms, else True.

    A term that occurs twice, in any case, is returned once.
    """
    once: dict[tuple[str, bool], str] = {}
    for match in _SEARCH_TERM.finditer(text):
        term, wanted = match[2] or match[3], not match[1]
        once.setdefault((term.lower(), wanted), term)
    return [(term, wanted) for (_, wanted), term in once.items()]


GroupBy = Literal["speaker", "outlet", "voice"]


SortOrder = Literal["best", "newest", "oldest", "speaker", "outlet"]
