"""What a person asked to see."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from narratives.model.documents import Voice

Granularity = Literal["year", "half", "quarter", "month"]
Unit = Literal["paragraph", "document"]
Copies = Literal["originals", "copies", "all"]


@dataclass(frozen=True, slots=True)
class Slice:
    """What a person asked to see: the filters that pages, charts and exports share.

    Empty tuples mean "all". `date_from` and `date_to` are partial dates, inclusive at their own precision
    (`2016` to `2017-06`). Speaker or outlet `""` inside a tuple means "none named".
    """

    speakers: tuple[str, ...] = ()
    outlets: tuple[str, ...] = ()
    narratives: tuple[str, ...] = ()
    date_from: str = ""
    date_to: str = ""
    copies: Copies = "originals"
    by: Granularity = "year"
    unit: Unit = "paragraph"
    voices: tuple[Voice, ...] = ()
