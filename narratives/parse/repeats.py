"""What an outlet sets at the head or foot of its texts again and again, told by the repetition alone."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Iterable

from narratives.model import Document
from narratives.parse.settings import WORD

EDGE = 3  # body paragraphs at the head and at the foot of a document that are looked at
MIN_DOCUMENTS = 5
MIN_DATES = 3  # so that one text under many addresses does not count as a habit
MAX_WORDS = 25


def find_boilerplate(documents: Iterable[Document]) -> set[str]:
    """Ids of the body paragraphs that are standing lines of their outlet ("The message reads, in part:").

    That is a short text which stands, word for word, among the first or among the last three body paragraphs
    of at least five documents of one outlet, of at least three different dates. Documents without an outlet
    have none. The lines stay paragraphs; the caller leaves them out of what it counts.
    """
    places: dict[tuple[str, str, str], dict[str, tuple[str, list[str]]]] = defaultdict(dict)
    for document in documents:
        body = [p for p in document.paragraphs if p.kind == "body"]
        for at, paragraph in enumerate(body):
            if not document.outlet or paragraph.words > MAX_WORDS:
                continue
            words = WORD.findall(unicodedata.normalize("NFKC", paragraph.text).casefold())
            edges = [name for name, near in (("head", at), ("foot", len(body) - 1 - at)) if near < EDGE]
            for edge in edges:
                held = places[document.outlet, edge, " ".join(words)]
                held.setdefault(document.document_id, (document.date, []))[1].append(paragraph.paragraph_id)
    return {
        paragraph_id
        for held in places.values()
        if len(held) >= MIN_DOCUMENTS and len({date for date, _ in held.values()}) >= MIN_DATES
        for _, ids in held.values()
        for paragraph_id in ids
    }
