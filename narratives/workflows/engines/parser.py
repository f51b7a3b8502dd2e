"""The parser of a build: what was parsed before is taken from the cache of the store."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date
from typing import NamedTuple

from narratives import parse
from narratives.model import RawDocument
from narratives.model.documents import Document, Speaker
from narratives.store import ParsedDocument, ParsedDocuments


class ParseJob(NamedTuple):
    """A document to parse, the order of day and month that is known for it, and the key of the result."""

    key: str
    raw: RawDocument
    order: parse.DateOrder


class CachedParser:
    """A parser that gives what `parse.parse_document` gives, and parses only documents that are new or changed.

    A document is taken from the store if its content, the rules of parsing, the roster and the known order of day and
    month are the same, unless a date in it was in the future then. Its path and row do not matter.
    """

    def __init__(self, kept: ParsedDocuments, speakers: tuple[Speaker, ...]) -> None:
        self._kept = kept
        self._roster = parse.Roster(speakers)
        self._rules = f"{parse.hash_rules()}\0{speakers!r}"

    def __call__(self, raw: RawDocument, order: parse.DateOrder) -> Document:
        """Return the parsed document."""
        job, today = self._make_job(raw, order), parse.get_latest_day()
        parsed = self._kept.get(job.key)
        if parsed is None or not parsed.since <= today < (parsed.until or date.max):
            document, until = parse.parse_lasting(job.raw, self._roster, order)
            parsed = ParsedDocument(document, today, until)
            self._kept.put(job.key, parsed)
        return replace(parsed.document, source_path=raw.source_path, row=raw.row)

    def list_missing(self, raws: Iterable[tuple[RawDocument, parse.DateOrder]]) -> Iterator[ParseJob]:
        """List the documents of which the store has nothing. It may have others that are damaged or out of date."""
        jobs = (self._make_job(raw, order) for raw, order in raws)
        return (job for job in jobs if not self._kept.has(job.key))

    def _make_job(self, raw: RawDocument, order: parse.DateOrder) -> ParseJob:
        content = replace(raw, source_path="", row=0)
        terms = [self._rules, order.dates, repr(sorted(order.titles.items())), repr(content)]
        key = hashlib.sha256("\0".join(terms).encode("utf-8", "surrogatepass")).hexdigest()
        return ParseJob(key, content, order)
