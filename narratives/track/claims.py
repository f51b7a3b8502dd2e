"""Claims that recur: short clauses that sentences of several documents say again in much the same words."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from narratives.track.background import Embed
from narratives.track.clauses import clauses
from narratives.track.encoder import Vectors
from narratives.track.lexical import is_question_put
from narratives.track.naming import WORD, stop_words
from narratives.track.recurrence import recurs
from narratives.track.stance import PAIRS, stance
from narratives.track.windows import sentences

# A clause of at least this stance states a claim; a sentence of less cannot advance one.
CLAUSE_STANCE, SENTENCE_STANCE = 0.3, -0.1
# A sentence advances a claim if it is so near to the clause and has at least one of its telling words. Below
# this most sentences only share the subject: docs/accuracy.md has how many fit at which nearness.
NEAR = 0.74
# Telling words are in at most this share of the sentences (or in so many); a clause has three.
TELLING_SHARE, TELLING_COUNT, TELLING = 0.03, 20, 3
# Two clauses so near to each other, or with so large a share of their statements in common, are one claim.
ALIKE, COMMON = 0.75, 0.5
# In so many documents and quarters of a large corpus: as a sentence must say the same and not just be about
# the same, few are enough.
LEAST = 3, 3
# A claim of which more than this share of paragraphs advances a codebook narrative is known already.
KNOWN = 0.5
BLOCK_CELLS = 1 << 24
STEM = 7


@dataclass(frozen=True, slots=True)
class Statements:
    """The paragraphs that were clustered, n of each: dates are `YYYY[-MM[-DD]]` or empty, vectors (n, d)."""

    ids: Sequence[str]
    texts: Sequence[str]
    document_ids: Sequence[str]
    dates: Sequence[str]
    vectors: Vectors


@dataclass(frozen=True, slots=True)
class Claim:
    """A recurring claim: the clause that states it, how claim-like that is, and who advances it.

    `fits` gives the row of each statement that advances it and the cosine of its nearest sentence.
    """

    text: str
    stance: float
    fits: Mapping[int, float]


@dataclass(frozen=True, slots=True)
class _Sentences:
    """The claim-like sentences of all statements: vectors (m, d), rows of their statements (m,), words."""

    vectors: Vectors
    owner: NDArray[np.int64]
    words: Sequence[Set[str]]


def parts(text: str) -> list[str]:
    """What `find_claims` will embed of a statement: its sentences, and the clauses that could be a name."""
    return [*sentences(text), *clauses(text)]


def find_claims(statements: Statements, assigned: Mapping[str, Set[str]], embed: Embed) -> list[Claim]:
    """The recurring claims that the codebook does not hold.

    The method: clauses that could be a name and are claim-like by `stance`; for each, the statements of which
    a sentence says nearly the same and shares a telling word, no question and no plain information; those
    that recur (see `recurs`) and of which at most half of the statements are `assigned` a narrative. Of
    claims that are alike the one of the highest stance is kept.

    Nearly all of these tests look at the texts alone, or count what only grows as documents come in, and
    alike claims are told apart by their wording: so most claims stay, with their names, as the corpus grows,
    and the order and the steps in which it grew play no part. (Clusters do not: see docs/accuracy.md.)

    Sources: leaders among exemplars, Hartigan 1975, with the first in a fixed order as in a greedy maximal
    independent set (Blelloch et al. 2012); the sentence that stands for many, Erkan and Radev 2004.
    """
    sides = embed([text for pair in PAIRS for text in pair])
    direction = sides[0::2], sides[1::2]
    names = sorted({clause for text in statements.texts for clause in clauses(text)})
    if not names:
        return []
    said = _sentences(statements.texts, direction, embed)
    vectors = embed(names)
    stances = stance(names, vectors, *direction)
    used = Counter(word for words in said.words for word in words)
    most = max(TELLING_COUNT, TELLING_SHARE * len(said.owner))
    telling = [frozenset(word for word in _stems(name) if used[word] <= most) for name in names]
    rows = [k for k in range(len(names)) if stances[k] >= CLAUSE_STANCE and len(telling[k]) >= TELLING]
    found = _fits([telling[k] for k in rows], vectors[rows], said)
    corpus = len(set(statements.document_ids))
    known = {i for i, key in enumerate(statements.ids) if assigned.get(key)}
    kept: list[tuple[int, Claim]] = []
    for k, fits in sorted(
        zip(rows, found, strict=True), key=lambda item: (-stances[item[0]], names[item[0]])
    ):
        documents, dates = [statements.document_ids[i] for i in fits], [statements.dates[i] for i in fits]
        if not recurs(documents, dates, corpus, LEAST) or len(fits.keys() & known) > KNOWN * len(fits):
            continue
        if not any(_alike(vectors[k], fits, vectors[other], claim.fits) for other, claim in kept):
            kept.append((k, Claim(names[k], round(float(stances[k]), 3), fits)))
    return [claim for _, claim in kept]


def _sentences(texts: Sequence[str], direction: tuple[Vectors, Vectors], embed: Embed) -> _Sentences:
    of_each = [sentences(text) for text in texts]
    flat = [sentence for of_one in of_each for sentence in of_one]
    owner = np.repeat(np.arange(len(texts)), [len(of_one) for of_one in of_each])
    vectors = embed(flat)
    said = stance(flat, vectors, *direction) >= SENTENCE_STANCE
    said &= [not (sentence.endswith("?") or is_question_put(sentence)) for sentence in flat]
    return _Sentences(vectors[said], owner[said], [_stems(flat[i]) for i in np.flatnonzero(said)])


def _stems(text: str) -> frozenset[str]:
    """The words of a text but stop words and short ones, without plural or possessive and cut at the end."""
    words = (word.lower().replace("’", "'") for word in WORD.findall(text))
    kept = (word.removesuffix("'s") for word in words if len(word) > 2 and word not in stop_words())
    return frozenset(word.rstrip("s")[:STEM] for word in kept)


def _fits(telling: Sequence[Set[str]], vectors: Vectors, said: _Sentences) -> list[dict[int, float]]:
    """For each of c clauses, the statements near to it and how near; in blocks, so that memory is bounded."""
    found: list[dict[int, float]] = [defaultdict(float) for _ in telling]
    height = max(1, BLOCK_CELLS // max(1, len(telling)))
    for first in range(0, len(said.owner) if telling else 0, height):
        cosines = np.round(vectors @ said.vectors[first : first + height].T, 5)
        for clause, at in np.argwhere(cosines >= NEAR).tolist():
            if telling[clause] & said.words[first + at]:
                row = int(said.owner[first + at])
                found[clause][row] = max(found[clause][row], round(float(cosines[clause, at]), 3))
    return [dict(fits) for fits in found]


def _alike(one: Vectors, its: Iterable[int], other: Vectors, others: Iterable[int]) -> bool:
    mine, theirs = set(its), set(others)
    common = len(mine & theirs) >= COMMON * min(len(mine), len(theirs))
    return common or round(float(one @ other), 5) >= ALIKE
