"""Find repeated paragraphs: standing lines of an outlet, and copies of earlier paragraphs."""

from __future__ import annotations

import hashlib
import unicodedata
from array import array
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

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
_HALF = np.uint64(32)  # bits of a number that holds two
ITEMS_AT_ONCE, TEXTS_AT_ONCE = 1 << 21, 1 << 14  # which limits memory
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
Shingles = npt.NDArray[np.uint32]  # 0 for one that occurs once


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
    return frozenset(zip(*(words[i:] for i in range(SHINGLE_WORDS)), strict=False)) or frozenset([tuple(words)])


def _split_words(text: str) -> list[str]:
    return WORD.findall(unicodedata.normalize("NFKC", text).casefold())


class _Shared(NamedTuple):
    """The shingles of a document that stand in its sources, in order: which source, where, and its place there.

    `sizes` are the numbers of different shingles of each source.
    """

    sizes: Numbers
    numbers: Numbers
    at: Numbers
    places: Numbers


_EMPTY = np.zeros(0, dtype=np.int64)
NOTHING_SHARED = _Shared(_EMPTY, _EMPTY, _EMPTY, _EMPTY)


class _CopyFinder:
    """The counted paragraphs of all documents, numbered in the order in which they can be originals.

    `shingles` has those of place i from `starts[i]` to `starts[i + 1]`; places with the same words have one text, whose
    first place is in `first_places`. `originals` has the original of each text so far.
    """

    def __init__(self, documents: Sequence[Document]) -> None:
        counted = [(i, p) for i, d in enumerate(documents) for p in _iterate_counted(d)]
        self.ids = [p.paragraph_id for _, p in counted]
        self.documents = np.array([i for i, _ in counted], dtype=np.uint32)
        self.starts_of_documents = np.searchsorted(self.documents, np.arange(len(documents) + 1))
        hashes, lengths, self.texts = _hash_shingles([p.text for _, p in counted])
        del counted
        self.first_places = np.unique(self.texts, return_index=True)[1]
        self.starts = np.concatenate([[0], np.cumsum(lengths)])
        self.shingles = _number_repeated(hashes)
        del hashes
        self.similar = _Candidates(self.shingles, np.repeat(self.texts, lengths))
        self.versions = _Candidates(self.shingles, np.repeat(self.documents, lengths))
        self.sets: dict[int, tuple[Shingles, Numbers]] = {}
        self.originals: dict[int, int] = {}
        self.is_copy = np.zeros(len(self.ids), dtype=bool)

    def find(self) -> dict[str, str]:
        """Return the id of each copy with that of its original."""
        copies: dict[str, str] = {}
        sources, last = NOTHING_SHARED, -1
        for place, (document, text) in enumerate(zip(self.documents.tolist(), self.texts.tolist(), strict=True)):
            if document != last:
                sources, last = self._find_shared(document), document
            original = self.originals.get(text)
            if original is None:
                original = self._find_similar(text)
            if original is None and len(sources.at):
                original = self._find_in_sources(place, sources)
            if original is None or self.documents[original] == document:
                self.originals.setdefault(text, place)
                continue
            self.originals.setdefault(text, original)
            self.is_copy[place] = True
            copies[self.ids[place]] = self.ids[original]
        return copies

    def _find_similar(self, text: int) -> int | None:
        """Return the original of the earliest text that is similar enough, or None."""
        sizes, own = self.similar.sizes, None
        for candidate in self.similar.list_earlier(text):
            both = sizes[text] + sizes[candidate]
            if _is_similar(min(sizes[text], sizes[candidate]), both):
                own = own or self._list_repeated(text)
                if _is_similar(len(own & self._list_repeated(candidate)), both):
                    return self.originals[candidate]
        return None

    def _list_repeated(self, text: int) -> set[int]:
        """Return the shingles of a text that others have as well."""
        place = self.first_places[text]
        return {*self.shingles[self.starts[place] : self.starts[place + 1]].tolist()} - {0}

    def _is_version(self, document: int, earlier: int) -> bool:
        """Return whether enough of the shorter document stands in the other one."""
        shorter = min(self.versions.sizes[document], self.versions.sizes[earlier])
        shared = len(self._look_up(earlier, self._get_set(document)[0])[1])
        return shared >= max(MIN_VERSION_SHINGLES, MIN_VERSION_SHARE * shorter)

    def _find_shared(self, document: int) -> _Shared:
        """Find what a document has in common with the earlier documents of which it is a version."""
        sources = [d for d in self.versions.list_earlier(document) if self._is_version(document, d)]
        if not sources:
            return NOTHING_SHARED
        first, end = self.starts[self.starts_of_documents[document : document + 2]]
        numbers, at, places = [], [], []
        for number, source in enumerate(sources):
            is_in, places_of_source = self._look_up(source, self.shingles[first:end])
            numbers.append(np.full(len(places_of_source), number))
            at.append(first + np.flatnonzero(is_in))
            places.append(places_of_source)
        order = np.argsort(np.concatenate(at), kind="stable")
        joined = (np.concatenate(arrays)[order] for arrays in (numbers, at, places))
        return _Shared(np.array([self.versions.sizes[source] for source in sources], dtype=np.int64), *joined)

    def _find_in_sources(self, place: int, sources: _Shared) -> int | None:
        """Return the original in these documents in which most of a paragraph stands, or None."""
        first, end = self.starts[place : place + 2]
        inside = slice(*np.searchsorted(sources.at, [first, end]))
        is_original = ~self.is_copy[sources.places[inside]]
        originals, shared = np.unique(sources.places[inside][is_original], return_counts=True)
        if not len(originals):
            return None
        counts = np.bincount(sources.numbers[inside], minlength=len(sources.sizes))
        holds_source = (counts >= MIN_HELD_SHARE * sources.sizes).any()
        in_any = np.zeros(end - first, dtype=bool)
        in_any[sources.at[inside][is_original] - first] = True
        # A word is in the sources if one of the shingles that it belongs to is.
        share = np.convolve(in_any, np.ones(SHINGLE_WORDS)).astype(bool).mean()
        if share < (MIN_COPY_SHARE_OF_HOLDER if holds_source else MIN_COPY_SHARE):
            return None
        return int(originals[shared.argmax()])

    def _look_up(self, document: int, shingles: Shingles) -> tuple[npt.NDArray[np.bool_], Numbers]:
        """Return which shingles are in a document, and the places of those that are."""
        inside, places = self._get_set(document)
        at = np.minimum(np.searchsorted(inside, shingles), len(inside) - 1)
        is_in = inside[at] == shingles
        return is_in, places[at[is_in]]

    def _get_set(self, document: int) -> tuple[Shingles, Numbers]:
        """Return in order the shingles of a document that occur elsewhere too, and the first place of each."""
        if document not in self.sets:
            first, end = self.starts[self.starts_of_documents[document : document + 2]]
            shingles, at = np.unique(self.shingles[first:end], return_index=True)
            places = np.searchsorted(self.starts, first + at[shingles > 0], side="right") - 1
            self.sets[document] = shingles[shingles > 0], places.astype(np.uint32)
        return self.sets[document]


def _is_similar(shared: int, both: int) -> bool:
    """Return whether sets with so many items in common, and so many together, have the Jaccard similarity of copies."""
    return shared >= MIN_COPY_JACCARD * (both - shared)


def _hash_shingles(texts: Sequence[str]) -> tuple[Hashes, Numbers, Shingles]:
    """Return the hash of every shingle, how many each text has, and a number for each text.

    Texts with the same words have the same number; numbers count from 0 in order of first appearance.
    """
    known: dict[str, int] = {}
    numbers: dict[bytes, int] = {}
    numbered, lengths, hashes = array("L"), array("q"), [np.zeros(0, dtype=np.uint64)]
    for start in range(0, len(texts), TEXTS_AT_ONCE):
        hashed = array("Q")
        for text in texts[start : start + TEXTS_AT_ONCE]:
            words = _split_words(text)
            key = hashlib.sha256(" ".join(words).encode("utf-8", "surrogatepass")).digest()[:16]
            numbered.append(numbers.setdefault(key, len(numbers)))
            words += [""] * (SHINGLE_WORDS - len(words))
            hashed.extend([known.get(word) or known.setdefault(word, _hash_word(word)) for word in words])
            lengths.append(len(words) - SHINGLE_WORDS + 1)
        hashes.append(_combine_words(np.array(hashed, dtype=np.uint64), np.array(lengths[start:], dtype=np.int64)))
    return np.concatenate(hashes), np.array(lengths, dtype=np.int64), np.array(numbered, dtype=np.uint32)


def _combine_words(words: Hashes, lengths: Numbers) -> Hashes:
    """Return the hashes of the shingles of texts, from those of their words and the number of shingles of each."""
    count = len(words) - SHINGLE_WORDS + 1
    hashes = np.zeros(count, dtype=np.uint64)
    for at in range(SHINGLE_WORDS):
        hashes = hashes * _HASH_FACTOR + words[at : at + count]  # modulo 2**64
    texts = np.repeat(np.arange(len(lengths)), lengths + SHINGLE_WORDS - 1)
    whole: Hashes = hashes[texts[:count] == texts[SHINGLE_WORDS - 1 :]]
    return whole


def _hash_word(word: str) -> int:
    return int.from_bytes(hashlib.blake2b(word.encode("utf-8", "surrogatepass"), digest_size=8).digest())


def _number_repeated(hashes: Hashes) -> Shingles:
    """Number the shingles that occur more than once, from 1 up, and all others 0; in parts, which limits memory."""
    numbered = np.zeros(len(hashes), dtype=np.uint32)
    known = 0
    parts = len(hashes) // ITEMS_AT_ONCE + 1
    for part in range(parts):
        least, most = part * 2**64 // parts, (part + 1) * 2**64 // parts - 1
        at = np.flatnonzero((hashes >= np.uint64(least)) & (hashes <= np.uint64(most)))
        _, inverse, counts = np.unique(hashes[at], return_inverse=True, return_counts=True)
        numbers = np.where(counts > 1, known + np.cumsum(counts > 1), 0)
        numbered[at] = numbers[inverse]
        known = int(numbers.max(initial=known))
    return numbered


class _Candidates:
    """For each owner of shingles, the others before it with which it may share much.

    Each shingle is compared with its earliest owners only, so the counts are lower bounds. `sizes` are the numbers of
    different shingles.
    """

    def __init__(self, shingles: Shingles, owners: Shingles) -> None:
        count = int(owners.max(initial=0)) + 1
        alone, keys = owners[shingles == 0], _pair_up(shingles, owners)
        owners = keys.astype(np.uint32)
        numbers = np.arange(len(keys), dtype=np.uint32)
        earliest = np.maximum.accumulate(np.where(_mark_changes(keys >> _HALF), numbers, np.uint32(0)))
        del keys
        sizes = np.bincount(alone, minlength=count) + np.bincount(owners, minlength=count)
        del alone
        compared = np.minimum(numbers - earliest, MAX_EARLIER).astype(np.uint8)
        del numbers
        parts = int(compared.sum(dtype=np.int64)) // ITEMS_AT_ONCE + 1
        found = [np.zeros(0, dtype=np.uint64)]
        for part in range(parts):
            least, end = part * count // parts, (part + 1) * count // parts
            at = np.flatnonzero((owners >= least) & (owners < end) & (compared > 0))
            counts = compared[at].astype(np.int64)
            items = np.repeat(at, counts)
            ranks = np.arange(len(items)) - np.repeat(np.cumsum(counts) - counts, counts)
            others = owners[earliest[items] + ranks]
            pairs, shared = np.unique(_pack(owners[items], others), return_counts=True)
            later, earlier = pairs >> _HALF, pairs.astype(np.uint32)
            found.append(pairs[shared >= MIN_CANDIDATE_SHARE * np.minimum(sizes[later], sizes[earlier])])
        self.sizes: list[int] = sizes.tolist()
        near = np.concatenate(found)
        self._earlier = near.astype(np.uint32)
        self._starts = np.searchsorted(near >> _HALF, np.arange(count + 1, dtype=np.uint64))

    def list_earlier(self, owner: int) -> list[int]:
        """Return the numbers of the others in order."""
        earlier: list[int] = self._earlier[self._starts[owner] : self._starts[owner + 1]].tolist()
        return earlier


def _pair_up(shingles: Shingles, owners: Shingles) -> Hashes:
    """Return every repeated shingle with every owner once, in order, as the halves of one number."""
    is_repeated = shingles > 0
    pairs = _pack(shingles[is_repeated], owners[is_repeated])
    pairs.sort()
    return pairs[_mark_changes(pairs)]


def _pack(high: Shingles, low: Shingles) -> Hashes:
    pairs = high.astype(np.uint64)
    pairs <<= _HALF
    pairs |= low
    return pairs


def _mark_changes(values: Hashes) -> npt.NDArray[np.bool_]:
    """Return where an item differs from the one before."""
    changed = np.ones(len(values), dtype=bool)
    np.not_equal(values[1:], values[:-1], out=changed[1:])
    return changed
