"""What a cluster is called: the phrases that set it apart, and the paragraphs that stand for it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cache

import numpy as np

from narratives.track.cluster import Labels
from narratives.track.encoder import Vectors

PHRASES = 5
NAMED = 3
REPRESENTATIVES = 5
LONGEST_PHRASE = 3
# A phrase speaks for a cluster only if this share of its paragraphs, and at least two, use it.
LEAST_SHARE = 0.1
# A phrase of several words weighs so many times more than a single word: it says more to a reader.
PHRASE_BONUS = 1.25
SENTENCE_END = re.compile(r"[.,;:!?()\"“”«»–—\n]+")
WORD = re.compile(r"(?<!\w)[^\W\d_]+(?:[-'’][^\W\d_]+)*")
# Forms of address and courtesy, and words of any speech, beside the usual stop words.
COMMON = """
also colleague colleagues course did didn't do does doesn't don't friends gentlemen good help
important it's ladies let like madam matter matters minister mr mrs ms need people president prime
question questions said say says sir thank thanks that's thing things think time today want we're
we've will work would year years yes you're
"""


def name_of(phrases: Sequence[str]) -> str:
    """A readable name of the first few phrases: `chemical weapons · Khan Sheikhoun · OPCW`."""
    return " · ".join(phrases[:NAMED])


def distinctive_phrases(texts: Sequence[str], labels: Labels) -> list[tuple[str, ...]]:
    """Up to 5 phrases for each of the clusters 0 to `labels.max()`, the most distinctive first.

    Phrases are runs of one to three words that neither begin nor end with a stop word. Class-based TF-IDF
    (Grootendorst 2022) on paragraphs: a phrase weighs the share of the cluster's paragraphs that use it,
    times log(1 + paragraphs / paragraphs that use it anywhere), and a quarter more if it has several words.
    Of phrases that share a word, the heaviest is kept, written as most of the cluster's paragraphs write it.
    Stop words are English.
    """
    from scipy import sparse
    from sklearn.feature_extraction.text import CountVectorizer

    clusters = int(labels.max(initial=-1)) + 1
    if not any(_lowered(text) for text in texts):
        return [()] * clusters
    counter = CountVectorizer(analyzer=_lowered, binary=True, dtype=np.int32)
    used = counter.fit_transform(texts)
    phrases = counter.get_feature_names_out()
    weight = np.log1p(len(texts) / np.asarray(used.sum(axis=0)).ravel())
    weight *= [PHRASE_BONUS if " " in phrase else 1 for phrase in phrases]
    inside = np.flatnonzero(labels >= 0)
    ones = np.ones(len(inside), dtype=np.int32)
    member = sparse.csr_matrix((ones, (labels[inside], inside)), shape=(clusters, len(texts)))
    counts = (member @ used).tocsr()
    sizes = np.bincount(labels[inside], minlength=clusters)
    named = []
    for number in range(clusters):
        row = counts[[number]].tocoo()
        enough = row.data >= max(2, LEAST_SHARE * sizes[number])
        columns, shares = row.col[enough], row.data[enough] / sizes[number]
        order = np.lexsort((phrases[columns], -np.round(shares * weight[columns], 9)))
        chosen = _unlike(str(phrase) for phrase in phrases[columns[order]])
        named.append(_as_written(chosen, [texts[i] for i in np.flatnonzero(labels == number).tolist()]))
    return named


def centrality(vectors: Vectors) -> Vectors:
    """(n,) cosines of unit rows with their mean, to 6 decimals, as the last bits vary with threads."""
    centre = vectors.mean(axis=0)
    length = float(np.linalg.norm(centre))
    cosines: Vectors = np.round((vectors @ centre) / np.float32(length or 1.0), 6)
    return cosines


def representatives(ids: Sequence[str], document_ids: Sequence[str], central: Vectors) -> tuple[str, ...]:
    """Up to 5 ids, most central first, each of another document where there are enough of them."""
    order = sorted(range(len(ids)), key=lambda i: (-central[i], ids[i]))
    documents: set[str] = set()
    first: list[str] = []
    later: list[str] = []
    for i in order:
        (later if document_ids[i] in documents else first).append(ids[i])
        documents.add(document_ids[i])
    rank = {ids[i]: place for place, i in enumerate(order)}
    return tuple(sorted((first + later)[:REPRESENTATIVES], key=rank.__getitem__))


@cache
def stop_words() -> frozenset[str]:
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

    return frozenset(ENGLISH_STOP_WORDS) | frozenset(COMMON.split())


def _phrases(text: str) -> Iterable[str]:
    """The runs of one to three words of a text as written, stop words at neither end."""
    stops = stop_words()
    for sentence in SENTENCE_END.split(text):
        words = WORD.findall(sentence)
        idle = [len(word) < 2 or word.lower().replace("’", "'") in stops for word in words]
        for start in range(len(words)):
            if idle[start]:
                continue
            for end in range(start, min(start + LONGEST_PHRASE, len(words))):
                if not idle[end]:
                    yield " ".join(words[start : end + 1])


def _lowered(text: str) -> list[str]:
    return [phrase.lower() for phrase in _phrases(text)]


def _unlike(phrases: Iterable[str]) -> list[str]:
    """The first phrases that share no word (nor its plural) with an earlier one."""
    chosen: list[str] = []
    seen: set[str] = set()
    for phrase in phrases:
        stems = {word.removesuffix("'s").removesuffix("’s").rstrip("s") for word in phrase.split()}
        if not stems & seen:
            chosen.append(phrase)
            seen |= stems
        if len(chosen) == PHRASES:
            break
    return chosen


def _as_written(phrases: Sequence[str], texts: Iterable[str]) -> tuple[str, ...]:
    written: dict[str, Counter[str]] = {phrase: Counter() for phrase in phrases}
    for text in texts:
        for phrase in _phrases(text):
            if phrase.lower() in written:
                written[phrase.lower()][phrase] += 1
    return tuple(min(forms, key=lambda form: (-forms[form], form)) for forms in written.values())
