"""Documents as they are read and as they are parsed, and what people write beside them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Literal

ParagraphKind = Literal["title", "heading", "body", "question"]
RawParagraphKind = Literal["", "heading", "body", "question", "quote", "list-item"]
Voice = Literal["own", "quoted", "reported", "outlet", "question"]
TextKind = Literal["verbatim", "paraphrase"]
DatePrecision = Literal["day", "month", "year", "none"]

MIN_STATEMENT_WORDS = 5


@dataclass(frozen=True, slots=True)
class InputFile:
    """One file to read: where it lies, what the person called it, and what a manifest.csv says of it."""

    path: Path
    source_path: str
    manifest: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RawParagraph:
    """A paragraph as the input gives it; `speaker` is whom the source names for it, or empty.

    `kind` is what the source shows it to be: `heading`, `body`, `question`, `quote` (a block quote) or
    `list-item`; empty where it shows nothing. `labelled` says that the source names the speaker at this very
    paragraph; a speaker without it is carried on from an earlier one, a label without a speaker stands in
    the text.
    """

    text: str
    speaker: str = ""
    source_ref: str = ""
    kind: RawParagraphKind = ""
    labelled: bool = False


@dataclass(frozen=True, slots=True)
class RawDocument:
    """A document as read, before any parsing. Either `text` is given or `paragraphs` are.

    `row` is the 1-based row in a table or line of JSONL, 0 for a whole-file document.
    """

    source_path: str
    row: int = 0
    text: str = ""
    paragraphs: tuple[RawParagraph, ...] = ()
    id: str = ""
    url: str = ""
    outlet: str = ""
    title: str = ""
    date: str = ""
    speaker: str = ""
    language: str = ""
    source_ref: str = ""
    text_kind: TextKind = "verbatim"
    # Fields that a manifest.csv set: they override what the text says, plain metadata fields only supply.
    from_manifest: tuple[str, ...] = ()
    # What `date` dates: "posted" the page, which yields to a date of the statement itself; "" or a word for
    # where it stands: the statement.
    date_source: str = ""
    # The summary that a page sets between its title and its text.
    lead: str = ""


@dataclass(frozen=True, slots=True)
class Rejected:
    """An input, or a row of one, that could not be read, with the reason in words."""

    source_path: str
    row: int
    reason: str


@dataclass(frozen=True, slots=True)
class Paragraph:
    """One paragraph of a parsed document: the unit that is embedded, matched and counted.

    `speaker` is a canonical name or empty (an outlet's own voice, or unknown); `language` is ISO 639-1 or
    empty; `words` counts the words of `text`.
    """

    paragraph_id: str
    document_id: str
    position: int
    kind: ParagraphKind
    text: str
    speaker: str = ""
    speaker_method: str = ""
    quoted_person: str = ""
    voice: Voice = "outlet"
    language: str = ""
    source_ref: str = ""
    words: int = 0


@dataclass(frozen=True, slots=True)
class Document:
    """A parsed document. `date` is `YYYY[-MM[-DD]]` or empty; `boilerplate` counts the blocks taken away."""

    document_id: str
    source_path: str
    row: int
    url: str
    outlet: str
    title: str
    date: str
    date_precision: DatePrecision
    date_source: str
    language: str
    text_kind: TextKind
    source_ref: str
    paragraphs: tuple[Paragraph, ...]
    boilerplate: int = 0


@dataclass(frozen=True, slots=True)
class Role:
    """A post that a speaker held from `start` to `end` (inclusive, None: open)."""

    title: str
    start: date | None = None
    end: date | None = None


@dataclass(frozen=True, slots=True)
class Speaker:
    """One person or body of the roster: `name` is canonical, `aliases` are other spellings of it."""

    name: str
    aliases: tuple[str, ...] = ()
    roles: tuple[Role, ...] = ()
    affiliation: str = ""


@dataclass(frozen=True, slots=True)
class Event:
    """A dated event that the charts mark; `source` is a page that says so."""

    date: date
    name: str
    source: str
    narratives: tuple[str, ...] = ()
