"""Documents, raw and parsed, with their paragraphs; speakers and events."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Literal

ParagraphKind = Literal["title", "heading", "lead", "body", "question"]
RawParagraphKind = Literal["", "heading", "body", "question", "quote", "list-item"]
Voice = Literal["own", "quoted", "reported", "outlet", "question"]
TextKind = Literal["verbatim", "paraphrase"]
DatePrecision = Literal["day", "month", "year", "none"]

MIN_STATEMENT_WORDS = 5


@dataclass(frozen=True, slots=True)
class InputFile:
    """One input file: its path, the path as the user typed it, and its row of a manifest.csv.

    `place` is the path that identifies the input if that is not `path`: a member of an archive, which `path`
    holds only for the time of a survey, is identified by the path of the archive and its own path inside.
    """

    path: Path
    source_path: str
    manifest: Mapping[str, str] = field(default_factory=dict)
    place: Path | None = None


@dataclass(frozen=True, slots=True)
class RawParagraph:
    """A paragraph as in the input; `speaker` is the speaker that the source names, or empty.

    `kind` is the kind that the source shows: `heading`, `body`, `question`, `quote` (a block quote) or
    `list-item`, or empty. `labelled` says that the source names the speaker at this paragraph. A speaker
    without it is carried over from an earlier paragraph; a label without a speaker is part of the text.
    """

    text: str
    speaker: str = ""
    source_ref: str = ""
    kind: RawParagraphKind = ""
    labelled: bool = False


@dataclass(frozen=True, slots=True)
class RawDocument:
    """A document before parsing. It has either a `text` or `paragraphs`.

    `row` is the row of a table or the line of JSONL, starting at 1, and 0 if the document is a whole file. `lead` is
    the summary between the title and the text of a page. Fields in `from_manifest` override the text; other metadata
    only fill gaps. `date_source` is "posted" if `date` is that of the page, which a date in the statement overrides.
    `date_lines` are short lines of a page beside its text, in which its date may be. `listed_date` and
    `listed_outlet` come from the feed or sitemap that listed the page, `name_date` from the name of the file; they
    count where the document itself says nothing or less.
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
    from_manifest: tuple[str, ...] = ()
    date_source: str = ""
    lead: str = ""
    date_lines: tuple[str, ...] = ()
    listed_date: str = ""
    listed_outlet: str = ""
    name_date: str = ""


@dataclass(frozen=True, slots=True)
class Rejected:
    """An input, or a row of one, that could not be read, with the reason in words."""

    source_path: str
    row: int
    reason: str


@dataclass(frozen=True, slots=True)
class SkippedInput:
    """A file or folder that is clearly no text to read, such as a README, with the reason in words."""

    source_path: str
    reason: str


@dataclass(frozen=True, slots=True)
class Paragraph:
    """One paragraph of a parsed document: the unit of embedding, matching and counting.

    `speaker` is a canonical name, or empty for the outlet's own voice and for unknown speakers. `language` is
    ISO 639-1 or empty. `words` is the number of words of `text`.
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
    """A parsed document. `date` is `YYYY[-MM[-DD]]` or empty; `boilerplate` counts the removed blocks."""

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
    """An office that a speaker held from `start` to `end` (inclusive; None means open)."""

    title: str
    start: date | None = None
    end: date | None = None


@dataclass(frozen=True, slots=True)
class Speaker:
    """One person or organisation of the roster; `name` is canonical, `aliases` are other spellings."""

    name: str
    aliases: tuple[str, ...] = ()
    roles: tuple[Role, ...] = ()
    affiliation: str = ""


@dataclass(frozen=True, slots=True)
class Event:
    """A dated event that charts mark; `source` is a page that documents it."""

    date: date
    name: str
    source: str
    narratives: tuple[str, ...] = ()
