"""What a page holds once it is read, and what an adapter for one site must offer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from lxml.html import HtmlElement

from narratives.model import RawParagraph


@dataclass(frozen=True, slots=True)
class Page:
    """One page: its text in order and what it says of itself; fields as in `RawDocument`."""

    paragraphs: tuple[RawParagraph, ...] = ()
    title: str = ""
    outlet: str = ""
    date: str = ""
    date_source: str = ""
    lead: str = ""
    url: str = ""


class Adapter(Protocol):
    """A module under `sites/`: it knows its pages when it sees them, and reads them.

    Both functions get the root of the parsed page and must leave it as it is.
    """

    def recognises(self, tree: HtmlElement) -> bool:
        """Whether the page itself shows that it is of this site and layout; never by file name."""

    def read(self, tree: HtmlElement) -> Page:
        """What the page holds."""
