"""Find repeated paragraphs: standing lines of an outlet, and copies of earlier paragraphs."""

from __future__ import annotations

import hashlib
import unicodedata
import zlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from narratives.model import MIN_STATEMENT_WORDS, Document
from narratives.parse.segmentation import WORD

SHINGLE_WORDS = 5
MIN_COPY_JACCARD = 0.8
MINHASH_PERMUTATIONS = 128
MINHASH_SEED = 20161110
EDGE_PARAGRAPHS = 3  # body paragraphs at the start and end of a document that may be boilerplate
MIN_BOILERPLATE_DOCUMENTS = 5
MIN_BOILERPLATE_DATES = 3  # so that one text under many addresses is not boilerplate
MAX_BOILERPLATE_WORDS = 25


def find_boilerplate(documents: Iterable[Document]) -> set[str]:
    """Return the ids of body paragraphs that are standing lines of their outlet ("The message reads, in part:").

    A standing line is a short text that appears, word for word, among the first or the last three body
    paragraphs of at least five documents of one outlet, on at least three dates. The lines remain paragraphs;
    the caller leaves them out of its counts.
    """
    places: dict[tuple[str, str, str], dict[str, tuple[str, list[str]]]] = defaultdict(dict)
    for document in documents:
        body = [p for p in document.paragraphs if p.kind == "body"]
        for at, paragraph in enumerate(body):
            if not document.outlet or paragraph.words > MAX_BOILERPLATE_WORDS:
                continue
            words = _split_words(paragraph.text)
            edges = [name for name, near in (("head", at), ("foot", len(body) - 1 - at)) if near < EDGE_PARAGRAPHS]
            for edge in edges:
                appearances = places[document.outlet, edge, " ".join(words)]
                appearances.setdefault(document.document_id, (document.date, []))[1].append(paragraph.paragraph_id)
    return {
        paragraph_id
        for appearances in places.values()
        if len(appearances) >= MIN_BOILERPLATE_DOCUMENTS
        and len({date for date, _ in appearances.values()}) >= MIN_BOILERPLATE_DATES
        for _, ids in appearances.values()
        for paragraph_id in ids
    }


Shingles = frozenset[bytes]


class _CopyCandidate(NamedTuple):
    """A paragraph; the smallest one of a group is its original: the earliest, then by ids."""

    date: str
    document_id: str
    paragraph_id: str


def find_copies(documents: Sequence[Document]) -> dict[str, str]:
    """Return the paragraph id of every copy with that of its original, for leads and body text of 5 words or more.

    Case, punctuation and white space are ignored. Exact copies are found by hash, near ones by MinHash (Broder
    1997; datasketch's LSH) over shingles of 5 words, with a verified Jaccard similarity to the original of at
    least 0.8. The original is the paragraph with the earliest date. A partial date counts as the end of its
    period, and undated texts come last. Ties are decided by document and paragraph id. A repetition within one
    document is not a copy, except of a lead (`find_repeated_leads`). The result does not depend on the order of the
    documents.
    """
    from datasketch import MinHash, MinHashLSH  # takes 0.7 s, which pages that only show charts need not wait for

    groups: dict[bytes, list[_CopyCandidate]] = defaultdict(list)
    group_words: dict[bytes, list[str]] = {}
    for document in documents:
        for paragraph in document.paragraphs:
            if paragraph.kind not in ("lead", "body") or paragraph.words < MIN_STATEMENT_WORDS:
                continue
            words = _split_words(paragraph.text)
            key = hashlib.sha256(" ".join(words).encode("utf-8", "surrogatepass")).digest()[:16]
            date = document.date + "-99"[: 3 * (len(document.date) < 10)] if document.date else "9999-99-99"
            groups[key].append(_CopyCandidate(date, document.document_id, paragraph.paragraph_id))
            group_words.setdefault(key, words)
    for members in groups.values():
        members.sort()
    order = sorted(groups, key=lambda key: groups[key][0])
    copies: dict[str, str] = {}
    index = MinHashLSH(threshold=MIN_COPY_JACCARD, num_perm=MINHASH_PERMUTATIONS)
    shingles: dict[bytes, Shingles] = {}
    sketches = MinHash.generator(
        (list(_make_shingles(group_words[key])) for key in order),
        num_perm=MINHASH_PERMUTATIONS,
        seed=MINHASH_SEED,
        hashfunc=zlib.crc32,
    )
    for key, sketch in zip(order, sketches, strict=True):
        own = _make_shingles(group_words[key])
        first = _find_original(own, index.query(sketch), shingles, groups)
        original = groups[key][0] if first is None else groups[first][0]
        for member in groups[key]:
            if member.document_id != original.document_id:
                copies[member.paragraph_id] = original.paragraph_id
        if first is None or groups[key][0].document_id == original.document_id:
            index.insert(key, sketch)
            shingles[key] = own
    repeated = find_repeated_leads(documents)
    return {**copies, **{lead: copies.get(paragraph, paragraph) for lead, paragraph in repeated.items()}}


def find_repeated_leads(documents: Iterable[Document]) -> dict[str, str]:
    """Return the paragraph id of every lead that the text below repeats nearly word for word, with that paragraph's.

    It does so if a paragraph, or two that follow each other, have at least 0.8 of the lead's shingles of 5 words. The
    first such paragraph counts as the original.
    """
    repeated: dict[str, str] = {}
    for document in documents:
        body = [p for p in document.paragraphs if p.kind == "body"]
        for lead in document.paragraphs:
            if lead.kind != "lead":
                continue
            own = _make_shingles(_split_words(lead.text))
            shared = [len(own & _make_shingles(_split_words(p.text))) for p in body]
            for at, paragraph in enumerate(body):
                if shared[at] and sum(shared[at : at + 2]) >= MIN_COPY_JACCARD * len(own):
                    repeated[lead.paragraph_id] = paragraph.paragraph_id
                    break
    return repeated


def _split_words(text: str) -> list[str]:
    return WORD.findall(unicodedata.normalize("NFKC", text).casefold())


def _find_original(
    own: Shingles,
    candidates: Iterable[bytes],
    shingles: dict[bytes, Shingles],
    groups: dict[bytes, list[_CopyCandidate]],
) -> bytes | None:
    """Return the earliest candidate that is similar enough, or None."""
    for candidate in sorted(candidates, key=lambda key: groups[key][0]):
        shared = len(own & shingles[candidate])
        if shared >= MIN_COPY_JACCARD * (len(own) + len(shingles[candidate]) - shared):
            return candidate
    return None


def _make_shingles(words: Sequence[str]) -> Shingles:
    return frozenset(
        " ".join(words[i : i + SHINGLE_WORDS]).encode("utf-8", "surrogatepass")
        for i in range(max(len(words) - SHINGLE_WORDS + 1, 1))
    )
