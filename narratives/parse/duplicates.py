"""Find repeated paragraphs: standing lines of an outlet, and copies of earlier paragraphs."""

from __future__ import annotations

import hashlib
import unicodedata
from array import array
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from narratives.model import MIN_STATEMENT_WORDS, Document, Paragraph
from narratives.parse.segmentation import WORD

SHINGLE_WORDS = 5
MIN_COPY_JACCARD = 0.8
MIN_VERSION_SHARE = 0.5  # share of the shorter of two documents that stands in the other one
MIN_VERSION_SHINGLES = 30
MIN_COPY_SHARE = 0.9  # share of the words of a paragraph that stand in earlier versions of its document
MIN_HELD_SHARE = 0.8  # share of a document, from which a paragraph holds it
MIN_COPY_SHARE_OF_HOLDER = 0.5  # share of the words of such a paragraph, which may have a new lead or tail
MAX_EARLIER = 8  # earliest owners that are compared for each shingle, which keeps the time linear
MIN_CANDIDATE_SHARE = 0.2  # share of the smaller set, counted so, from which two sets are compared as a whole
_HASH_FACTOR = np.uint64(0x9E3779B97F4A7C15)
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


Hashes = npt.NDArray[np.uint64]
Numbers = npt.NDArray[np.int64]


def find_copies(documents: Sequence[Document]) -> dict[str, str]:
    """Return the paragraph id of every copy with that of its original, for leads and body text of 5 words or more.

    Texts are compared by their shingles, the sequences of 5 words; case, punctuation and white space are ignored.
    A paragraph is a copy in two cases (resemblance and containment, Broder 1997):

    - It repeats one earlier paragraph, exactly or with a Jaccard similarity of at least 0.8.
    - Its document is a version of an earlier one: at least half of the shorter of the two stands in the other.
      Of the words of the paragraph, 0.9 stand in shingles of such earlier documents, whatever the paragraph breaks;
      or half of them, if the paragraph holds 0.8 of an earlier document. So articles that only share a quotation
      are no copies.

    The original is never a copy itself. It is in the document with the earliest date. A partial date counts as the
    end of its period, and undated texts come last. Ties are decided by length, the longest first, and by document
    and paragraph id. A repetition within one document is not a copy, except of a lead (`find_repeated_leads`). The
    result does not depend on the order of the documents.
    """
    copies = _CopyFinder(sorted(documents, key=_get_rank)).find()
    repeated = {lead: copies.get(paragraph, paragraph) for lead, paragraph in find_repeated_leads(documents).items()}
    return {**{copy: repeated.get(original, original) for copy, original in copies.items()}, **repeated}


def _get_rank(document: Document) -> tuple[str, int, str]:
    """Return the sort key by which the first document that has a text has the original."""
    date = document.date + "-99"[: 3 * (len(document.date) < 10)] if document.date else "9999-99-99"
    return date, -sum(p.words for p in _iterate_counted(document)), document.document_id


def _iterate_counted(document: Document) -> Iterator[Paragraph]:
    return (p for p in document.paragraphs if p.kind in ("lead", "body") and p.words >= MIN_STATEMENT_WORDS)


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
            own = _make_shingles(lead.text)
            shared = [len(own & _make_shingles(p.text)) for p in body]
            for at, paragraph in enumerate(body):
                if shared[at] and sum(shared[at : at + 2]) >= MIN_COPY_JACCARD * len(own):
                    repeated[lead.paragraph_id] = paragraph.paragraph_id
                    break
    return repeated


def _make_shingles(text: str) -> frozenset[tuple[str, ...]]:
    words = _split_words(text)
    return frozenset(tuple(words[i : i + SHINGLE_WORDS]) for i in range(max(len(words) - SHINGLE_WORDS + 1, 1)))


def _split_words(text: str) -> list[str]:
    return WORD.findall(unicodedata.normalize("NFKC", text).casefold())


class _CopyFinder:
    """The counted paragraphs of all documents, numbered in the order in which they can be originals.

    `texts` numbers what exact repetitions have in common, and `originals` has the original of each text so far.
    """

    def __init__(self, documents: Sequence[Document]) -> None:
        counted = [(i, p) for i, d in enumerate(documents) for p in _iterate_counted(d)]
        self.ids = [p.paragraph_id for _, p in counted]
        self.documents = np.array([i for i, _ in counted], dtype=np.int64)
        self.hashes, places, self.texts = _hash_shingles(p.text for _, p in counted)
        self.starts = np.searchsorted(places, np.arange(len(counted) + 1))
        self.text_shingles = _ShingleSets(self.hashes, self.texts[places], places)
        self.document_shingles = _ShingleSets(self.hashes, self.documents[places], places)
        self.originals: dict[int, int] = {}
        self.is_copy = np.zeros(len(counted), dtype=bool)

    def find(self) -> dict[str, str]:
        """Return the id of each copy with that of its original."""
        copies: dict[str, str] = {}
        similar = self.text_shingles.find_earlier()
        versions = self.document_shingles.find_earlier()
        sources: list[int] = []
        last = -1
        for place, (document, text) in enumerate(zip(self.documents.tolist(), self.texts.tolist(), strict=True)):
            if document != last:
                sources = [d for d in versions.get(document, ()) if self._is_version(document, d)]
                last = document
            original = self.originals.get(text)
            if original is None:
                original = self._find_similar(text, similar.get(text, ()))
            if original is None and sources:
                original = self._find_in_sources(place, sources)
            if original is None or self.documents[original] == document:
                self.originals.setdefault(text, place)
                continue
            self.originals.setdefault(text, original)
            self.is_copy[place] = True
            copies[self.ids[place]] = self.ids[original]
        return copies

    def _find_similar(self, text: int, candidates: Iterable[int]) -> int | None:
        """Return the original of the earliest text that is similar enough, or None."""
        sets = self.text_shingles
        for candidate in candidates:
            shared, both = sets.count_shared(text, candidate), sets.count(text) + sets.count(candidate)
            if shared >= MIN_COPY_JACCARD * (both - shared):
                return self.originals[candidate]
        return None

    def _is_version(self, document: int, earlier: int) -> bool:
        """Return whether enough of the shorter document stands in the other one."""
        sets = self.document_shingles
        shared, shorter = sets.count_shared(document, earlier), min(sets.count(document), sets.count(earlier))
        return shared >= max(MIN_VERSION_SHINGLES, MIN_VERSION_SHARE * shorter)

    def _find_in_sources(self, place: int, sources: Iterable[int]) -> int | None:
        """Return the original in these documents in which most of a paragraph stands, or None."""
        own = self.hashes[self.starts[place] : self.starts[place + 1]]
        in_any = np.zeros(len(own), dtype=bool)
        shared: Counter[int] = Counter()
        holds_source = False
        for source in sources:
            is_in, places = self.document_shingles.look_up(source, own)
            holds_source |= len(places) >= MIN_HELD_SHARE * self.document_shingles.count(source)
            is_in[is_in] = ~self.is_copy[places]
            in_any |= is_in
            shared.update(places[~self.is_copy[places]].tolist())
        # A word is in the sources if one of the shingles that it belongs to is.
        share = np.convolve(in_any, np.ones(SHINGLE_WORDS)).astype(bool).mean()
        if not shared or share < (MIN_COPY_SHARE_OF_HOLDER if holds_source else MIN_COPY_SHARE):
            return None
        return min(shared, key=lambda original: (-shared[original], original))


def _hash_shingles(texts: Iterable[str]) -> tuple[Hashes, Numbers, Numbers]:
    """Return the hash of every shingle, the place in `texts` of each, and a number for each place.

    Places with the same words have the same number; numbers count from 0 in order of first appearance.
    """
    known: dict[str, int] = {}
    numbers: dict[bytes, int] = {}
    of_places: list[int] = []
    hashed = array("Q")
    lengths = array("q")
    for text in texts:
        words = _split_words(text)
        key = hashlib.sha256(" ".join(words).encode("utf-8", "surrogatepass")).digest()[:16]
        of_places.append(numbers.setdefault(key, len(numbers)))
        words += [""] * (SHINGLE_WORDS - len(words))
        hashed.extend([known.get(word) or known.setdefault(word, _hash_word(word)) for word in words])
        lengths.append(len(words))
    values = np.frombuffer(hashed, dtype=np.uint64) if hashed else np.zeros(0, dtype=np.uint64)
    places = np.repeat(np.arange(len(lengths), dtype=np.int64), lengths)
    count = max(len(values) - SHINGLE_WORDS + 1, 0)
    hashes = np.zeros(count, dtype=np.uint64)
    for at in range(SHINGLE_WORDS):
        hashes = hashes * _HASH_FACTOR + values[at : at + count]  # modulo 2**64
    within = places[:count] == places[len(places) - count :]
    return hashes[within], places[:count][within], np.array(of_places, dtype=np.int64)


def _hash_word(word: str) -> int:
    return int.from_bytes(hashlib.blake2b(word.encode("utf-8", "surrogatepass"), digest_size=8).digest())


class _ShingleSets:
    """The sets of shingles of numbered owners, as sorted arrays, with a place for each shingle of an owner."""

    def __init__(self, hashes: Hashes, owners: Numbers, places: Numbers) -> None:
        order = np.lexsort((places, hashes, owners))
        hashes, owners, places = hashes[order], owners[order], places[order]
        is_new = _mark_changes(hashes, owners)
        self._hashes, self._owners, self._places = hashes[is_new], owners[is_new], places[is_new]
        count = int(owners[-1]) + 1 if len(owners) else 0
        self._starts = np.searchsorted(self._owners, np.arange(count + 1))

    def count(self, owner: int) -> int:
        """Return the size of a set."""
        return int(self._starts[owner + 1] - self._starts[owner])

    def get(self, owner: int) -> Hashes:
        """Return a set in order."""
        return self._hashes[self._starts[owner] : self._starts[owner + 1]]

    def count_shared(self, one: int, other: int) -> int:
        """Return the size of an intersection."""
        small, large = sorted((one, other), key=self.count)
        return len(self.look_up(large, self.get(small))[1])

    def look_up(self, owner: int, hashes: Hashes) -> tuple[npt.NDArray[np.bool_], Numbers]:
        """Return which hashes are in a set, and the places of those that are."""
        start, own = self._starts[owner], self.get(owner)
        at = np.minimum(np.searchsorted(own, hashes), len(own) - 1)
        is_in = own[at] == hashes
        return is_in, self._places[start + at[is_in]]

    def find_earlier(self) -> dict[int, list[int]]:
        """Return for each owner the smaller numbers of others with which it may share much, in order.

        Each shingle is compared with its earliest owners only, so the counts are lower bounds.
        """
        order = np.lexsort((self._owners, self._hashes))
        hashes, owners = self._hashes[order], self._owners[order]
        starts = np.flatnonzero(_mark_changes(hashes))
        ranks = np.arange(len(hashes)) - np.repeat(starts, np.diff(starts, append=len(hashes)))
        pairs: list[Numbers] = []
        for rank in range(MAX_EARLIER):
            later = np.flatnonzero(ranks > rank)
            pairs.append(owners[later] * len(self._starts) + owners[later - ranks[later] + rank])
        keys, shared = np.unique(np.concatenate(pairs), return_counts=True)
        later, earlier = np.divmod(keys, len(self._starts))
        sizes = np.diff(self._starts)
        is_near = shared >= MIN_CANDIDATE_SHARE * np.minimum(sizes[later], sizes[earlier])
        found: dict[int, list[int]] = defaultdict(list)
        for owner, other in zip(later[is_near].tolist(), earlier[is_near].tolist(), strict=True):
            found[owner].append(other)
        return found


def _mark_changes(*arrays: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """Return where one of the arrays differs from its item before."""
    changed = np.ones(len(arrays[0]), dtype=bool)
    changed[1:] = np.logical_or.reduce([a[1:] != a[:-1] for a in arrays])
    return changed
