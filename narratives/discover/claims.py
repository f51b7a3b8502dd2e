"""Recurring claims: groups of sentences that make the same claim, and the statements that contain them."""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from narratives.discover.claim_names import can_stand_alone, trim_claim
from narratives.discover.claim_scorer import ClaimScorer
from narratives.discover.clustering import (
    MANY_DOCUMENTS,
    MOVES,
    ClusterLabels,
    choose_neighbours,
    choose_resolution,
    find_consensus,
    is_recurring,
)
from narratives.discover.neighbours import (
    BLOCK_CELLS,
    GRID_STEPS,
    UNCLUSTERED,
    NeighbourSearch,
    assign_nearest,
    build_mutual_graph,
    compute_centres,
    round_to_grid,
)
from narratives.model import PreviousSnapshot, Text, VectorArray
from narratives.model.narratives import CLAIM_PREFIX
from narratives.model.text import (
    ALPHABETIC_WORD,
    LoadFunction,
    VectorRows,
    is_question_to_speaker,
    load_stop_words,
    split_sentences,
)

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

# Sentences that report on meetings and courtesies make no claim.
PROTOCOL = re.compile(
    r"\b(?:discuss\w*|exchang\w+ (?:of )?(?:views|opinions|greetings)|talks|conversations?|negotiations|meetings?"
    r"|summit|visit\w*|telephone|call|agenda|touched (?:up)?on|(?:both|two|three) (?:sides|parties|leaders|presidents)"
    r"|participants|attention was|emphasis on|signed|congratulat\w+|thank\w*|grateful|gratitude|welcom\w+"
    r"|(?:leaders?|presidents?|sides?|parties|putin|they|he|she|it was) (?:\w+ )?"
    r"(?:noted|stressed|emphasi[sz]ed|expressed|agreed|stated|gave|informed|spoke|underscored"
    r"|reaffirmed|confirmed|underlined|pointed out))\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Statements:
    """The n paragraphs to cluster; dates are `YYYY[-MM[-DD]]` or empty, vectors (n, d)."""

    ids: Sequence[str]
    texts: Sequence[str]
    document_ids: Sequence[str]
    dates: Sequence[str]
    vectors: VectorRows

    @cached_property
    def documents(self) -> int:
        """The number of documents."""
        return len(set(self.document_ids))

    def recur(self, rows: Collection[int]) -> bool:
        """Return whether the statements in these rows are enough, and spread over enough documents and time."""
        documents, dates = [self.document_ids[row] for row in rows], [self.dates[row] for row in rows]
        least = MIN_PARAGRAPHS if self.documents >= MANY_DOCUMENTS else MIN_PARAGRAPHS_IN_SMALL
        return len(rows) >= least and is_recurring(documents, dates, self.documents, MIN_RECURRENCE)


class Fit(NamedTuple):
    """How a statement makes a claim: the cosine of its nearest sentence with the centre of the claim; the sentence."""

    cosine: float
    sentence: str


@dataclass(frozen=True, slots=True)
class RecurringClaim:
    """A recurring claim: a sentence that states it, its score as a claim, and the statements that make it.

    `fits` are those of the statements, by row. `vector` is that of the sentence that states the claim. `earlier_id` is
    the id that the claim had in the previous snapshot, if it was there.
    """

    text: str
    stance: float
    vector: VectorArray
    fits: Mapping[int, Fit]
    earlier_id: str = ""


@dataclass(frozen=True, slots=True)
class _Sentences:
    """The m sentences that can make a claim, with the rows of their statements, their numbers there and their words.

    `rarity` is the logarithm of their number divided by that of those that use a word.
    """

    texts: Sequence[str]
    owner: NDArray[np.int64]
    numbers: NDArray[np.int64]
    vectors: VectorRows
    scores: NDArray[np.float64]
    words: Sequence[tuple[str, ...]]  # each once; tuples, as sets take five times the memory
    rarity: Mapping[str, float]


SCORED_TEXTS = 20_000  # whose sentences are compared with that at a time
# The least score of a sentence that can make a claim: half of the sentences of the Kremlin set reach it.
SENTENCE_SCORE = -0.14
MIN_SENTENCE_WORDS = 5
# A sentence makes the claim of a group if its cosine with the centre of the group reaches this.
NEAR_COSINE = 0.72
# The sentences of a claim share words with the cluster: one of its three most distinctive words, or two of the first
# eight; the name, two of the first four. A word counts if this share of the sentences use it.
COMMON_WORDS, KEY_WORDS, NAME_WORDS, SHARED_WORDS, MIN_WORD_SHARE = 8, 3, 4, 2, 0.15
# The least cosine of a name with the centre, and the weights of its score and of each word when names are compared.
NAME_COSINE, SCORE_WEIGHT, LENGTH_WEIGHT = 0.8, 0.1, 0.005
# The least cosine of the sentence of a member with the name.
NEAR_NAME = 0.55
# Two groups are one claim if the cosine of their centres reaches this.
SAME_COSINE = 0.9
# The least documents and quarters of a claim, and the least paragraphs, in a large corpus; see `is_recurring`.
MIN_RECURRENCE = 6, 4
MIN_PARAGRAPHS, MIN_PARAGRAPHS_IN_SMALL = 10, 3
CLAIM_SEEDS = 10
SENTENCES = "sentences"  # the name of their search for neighbours
NO_SNAPSHOT = PreviousSnapshot()
# A claim is in the codebook already if more than this share of its paragraphs advances a codebook narrative.
MAX_KNOWN_SHARE = 0.5


def find_recurring_claims(
    statements: Statements,
    assigned: Mapping[str, Set[str]],
    scorer: ClaimScorer,
    embed: LoadFunction,
    search: NeighbourSearch | None = None,
    earlier: PreviousSnapshot = NO_SNAPSHOT,
) -> list[RecurringClaim]:
    """Find recurring claims that the codebook does not have, those with the most statements first.

    The method: take the sentences that are worded like a claim, but no questions. Cluster them as paragraphs are
    clustered (`cluster_paragraphs`). The members of a cluster are the statements with a sentence near its centre;
    twice, the centre moves to the mean of these sentences. Keep the clusters that recur (see `is_recurring`) with
    enough statements, of which at most half are `assigned` a narrative. Each is named by the sentence that is nearest
    to its centre, worded like a claim, short, and understood without its context. The claims of the `earlier` snapshot
    come first, if the statements that are left of them recur: they keep these and their names, and take new statements
    near their centre.

    Neighbours are found by `search`, which may continue that of an earlier build. The order of the statements and the
    number of threads do not change the result.
    """
    order = sorted(range(len(statements.ids)), key=statements.ids.__getitem__)
    sentences = _select_sentences([statements.texts[row] for row in order], order, scorer, embed)
    if len(sentences.texts) < MIN_SENTENCE_WORDS:
        return []
    ids = [f"{statements.ids[row]}#{at}" for row, at in zip(sentences.owner, sentences.numbers, strict=True)]
    n = len(ids)
    graph = build_mutual_graph(
        *(search or NeighbourSearch()).find(SENTENCES, ids, sentences.vectors, choose_neighbours(n))
    )
    recalled = _recall_claims(earlier, statements, sentences, embed)
    fixed = np.concatenate([sentences.vectors[:0], *(claim.centre for claim in recalled)])
    centres = compute_centres(sentences.vectors, _cluster_sentences(graph, n))
    labels, cosines = _move_centres(sentences.vectors, centres, fixed, [claim.places for claim in recalled])
    ordered, count = np.argsort(labels, kind="stable"), max(len(fixed), int(labels.max(initial=-1)) + 1)
    by_centre = np.split(ordered, np.searchsorted(labels[ordered], np.arange(count + 1)))[1:-1]
    described = [
        *(_extend_claim(claim, near, sentences) for claim, near in zip(recalled, by_centre, strict=False)),
        *(_describe_claim(places, cosines, sentences) for places in by_centre[len(fixed) :]),
    ]
    known = {row for row, key in enumerate(statements.ids) if assigned.get(key)}
    found = [
        claim
        for claim in described
        if claim
        and statements.recur(claim.fits)
        and len(claim.fits.keys() & known) <= MAX_KNOWN_SHARE * len(claim.fits)
    ]
    return sorted(found, key=lambda claim: (-len(claim.fits), claim.text))


@dataclass(frozen=True, slots=True)
class _RecalledClaim:
    """A claim of the previous snapshot: its sentences of today by their places, and their centre (1, d) on the grid."""

    cluster_id: str
    name: str
    vector: VectorArray
    places: Sequence[int]
    centre: VectorArray


def _recall_claims(
    earlier: PreviousSnapshot, statements: Statements, sentences: _Sentences, embed: LoadFunction
) -> list[_RecalledClaim]:
    """Find the earlier claims that still recur. In a statement, the sentence nearest to the name makes the claim.

    A claim of which too little is left is found again as any other, or not; its remains must not hide it.
    """
    row_of, places_of = {key: row for row, key in enumerate(statements.ids)}, defaultdict(list)
    for place, row in enumerate(sentences.owner.tolist()):
        places_of[row].append(place)
    claims = []
    # Snapshots of old versions have no names.
    for key in sorted(key for key in earlier.members if key.startswith(CLAIM_PREFIX) and key in earlier.names):
        name = earlier.names[key]
        members = [places_of[row_of[member]] for member in sorted(earlier.members[key]) if member in row_of]
        naming = [place for place in chain.from_iterable(members) if trim_claim(sentences.texts[place]) == name]
        vector = sentences.vectors[naming[0]] if naming else embed([name])[0]
        on_grid = round_to_grid(vector[None])[0]
        places = [own[int(_compare(sentences.vectors[own], on_grid).argmax())] for own in members if own]
        if places and statements.recur(sentences.owner[places].tolist()):
            centre = compute_centres(sentences.vectors[places], np.zeros(len(places), np.int64))
            claims.append(_RecalledClaim(key, name, vector, places, centre))
    return claims


def _extend_claim(claim: _RecalledClaim, near: NDArray[np.int64], sentences: _Sentences) -> RecurringClaim:
    """Describe an earlier claim with the statements that it had, and those of sentences near its centre."""
    words = _find_common_words([sentences.words[place] for place in claim.places], sentences.rarity)
    more = [place for place in near.tolist() if _shares_words(sentences.words[place], words)]
    places = [*claim.places, *more]
    cosines = _compare(sentences.vectors[places], claim.centre[0])
    fits = _list_fits(places, cosines, claim.vector, sentences)
    stance = round(float(sentences.scores[claim.places].mean()), 3)
    return RecurringClaim(claim.name, stance, claim.vector, fits, claim.cluster_id)


def _compare(vectors: VectorArray, on_grid: VectorArray) -> NDArray[np.float64]:
    """Return the cosine of each row (n, d) with a vector on the grid."""
    products = round_to_grid(vectors) @ on_grid
    return np.asarray(products, dtype=np.float64) / float(GRID_STEPS) ** 2


def _list_fits(
    places: Sequence[int], cosines: NDArray[np.float64], name: VectorArray, sentences: _Sentences
) -> dict[int, Fit]:
    """List by row the statements with a sentence at these places near the name; `cosines` are those with the centre."""
    fits: dict[int, Fit] = {}
    to_name = _compare(sentences.vectors[places], round_to_grid(name[None])[0])
    for place, cosine, near in zip(places, cosines.tolist(), to_name.tolist(), strict=True):
        if near >= NEAR_NAME:
            fit, row = Fit(round(cosine, 3), sentences.texts[place]), int(sentences.owner[place])
            fits[row] = max(fits.get(row, fit), fit)
    return fits


def _select_sentences(
    texts: Sequence[str], rows: Sequence[int], scorer: ClaimScorer, embed: LoadFunction
) -> _Sentences:
    """Return the sentences of the texts that are worded like a claim; `rows` are the rows of the texts."""
    parts: list[Text] = []
    written, owner, numbers, scores = [], [], [], []
    for first in range(0, len(texts), SCORED_TEXTS):
        block = slice(first, first + SCORED_TEXTS)
        found = [
            (row, number, part)
            for row, text in zip(rows[block], texts[block], strict=True)
            for number, part in enumerate(split_sentences(text))
        ]
        flat = [" ".join(str(part).split()) for _, _, part in found]
        scored = scorer.score(flat)
        for at in np.flatnonzero(scored >= SENTENCE_SCORE).tolist():
            if _can_claim(flat[at]):
                row, number, part = found[at]
                parts.append(part)
                written.append(flat[at])
                owner.append(row)
                numbers.append(number)
                scores.append(scored[at])
    words = [_stem_words(text) for text in written]
    return _Sentences(
        texts=written,
        owner=np.array(owner, dtype=np.int64),
        numbers=np.array(numbers, dtype=np.int64),
        vectors=embed(parts),
        scores=np.array(scores, dtype=np.float64),
        words=words,
        rarity={word: math.log(len(words) / n) for word, n in Counter(chain.from_iterable(words)).items()},
    )


def _can_claim(text: str) -> bool:
    """Return whether a sentence is long enough, and neither a question nor a report on a meeting."""
    is_long = len(text.split()) >= MIN_SENTENCE_WORDS
    return is_long and not (text.endswith("?") or is_question_to_speaker(text) or PROTOCOL.search(text))


STEM_LENGTH = 7
KEPT_STEMS = 1 << 16  # words of a corpus are few


def _stem_words(text: str) -> tuple[str, ...]:
    """Return crude stems, each once: words without plural or possessive, cut to 7 letters; no stop or short words."""
    return tuple(dict.fromkeys(filter(None, map(_stem_word, ALPHABETIC_WORD.findall(text)))))


@lru_cache(KEPT_STEMS)
def _stem_word(word: str) -> str:
    word = word.lower().replace("’", "'")
    is_kept = len(word) > 2 and word not in load_stop_words()
    return word.removesuffix("'s").rstrip("s")[:STEM_LENGTH] if is_kept else ""


def _cluster_sentences(graph: csr_matrix, n: int) -> ClusterLabels:
    if not graph.nnz:
        return np.full(n, UNCLUSTERED, dtype=np.int64)
    return find_consensus(graph, choose_resolution(n), CLAIM_SEEDS, MIN_PARAGRAPHS_IN_SMALL)


def _move_centres(
    vectors: VectorRows, centres: VectorArray, fixed: VectorArray, reserved: Sequence[Sequence[int]]
) -> tuple[ClusterLabels, NDArray[np.float64]]:
    """Return for each sentence its centre, or -1, and its cosine, after moving each centre to those near it.

    The `fixed` centres do not move, and have the sentences at the `reserved` places. They come first in the numbers.
    """

    def assign() -> tuple[ClusterLabels, NDArray[np.float64]]:
        labels, cosines = assign_nearest(vectors, np.concatenate([fixed, centres]), NEAR_COSINE)
        for number in reversed(range(len(reserved))):  # of two claims with one sentence, the first has it
            labels[list(reserved[number])] = number
        return labels, cosines

    for _ in range(MOVES):
        moving = np.maximum(assign()[0] - len(fixed), UNCLUSTERED)
        centres = _merge_centres(compute_centres(vectors, moving)[np.unique(moving[moving >= 0])], fixed)
    return assign()


def _merge_centres(centres: VectorArray, fixed: VectorArray) -> VectorArray:
    """Return the centres that are not the same as a fixed or an earlier one."""
    others = np.concatenate([fixed, centres])
    is_kept = np.arange(len(others)) < len(fixed)
    height = max(1, BLOCK_CELLS // max(1, len(others)))
    for first in range(0, len(centres), height):
        near = centres[first : first + height] @ others.T / np.float32(GRID_STEPS) ** 2 >= SAME_COSINE
        for number, row in enumerate(near, len(fixed) + first):
            is_kept[number] = not (row & is_kept).any()
    return others[len(fixed) :][is_kept[len(fixed) :]]


def _describe_claim(
    places: NDArray[np.int64], cosines: NDArray[np.float64], sentences: _Sentences
) -> RecurringClaim | None:
    """Describe the claim of the sentences at these places; None where no sentence can name it."""
    words = _find_common_words([sentences.words[place] for place in places], sentences.rarity)
    ours = [place for place in places.tolist() if _shares_words(sentences.words[place], words)]
    named = [
        (_rate_name(sentences, place, float(cosines[place])), sentences.texts[place], place)
        for place in ours
        if cosines[place] >= NAME_COSINE
        and len(set(words[:NAME_WORDS]).intersection(sentences.words[place])) >= SHARED_WORDS
        and can_stand_alone(trim_claim(sentences.texts[place]))
    ]
    if not named:
        return None
    _, text, best = max(named)
    fits = _list_fits(ours, cosines[ours], sentences.vectors[best], sentences)
    stance = round(float(sentences.scores[ours].mean()), 3)
    return RecurringClaim(trim_claim(text), stance, sentences.vectors[best], fits)


def _rate_name(sentences: _Sentences, place: int, cosine: float) -> float:
    """Rate how well a sentence names a claim: central, worded like a claim, and short."""
    words = len(sentences.texts[place].split())
    return round(cosine + SCORE_WEIGHT * float(sentences.scores[place]) - LENGTH_WEIGHT * words, 4)


def _shares_words(own: Sequence[str], words: Sequence[str]) -> bool:
    shared = set(words).intersection(own)
    return not shared.isdisjoint(words[:KEY_WORDS]) or len(shared) >= SHARED_WORDS


def _find_common_words(own: Sequence[Sequence[str]], rarity: Mapping[str, float]) -> list[str]:
    """Return up to 8 stems that many of these sentences use and few of all, the most distinctive first.

    The weight is the share of these sentences, times the logarithm of this share divided by that of all sentences.
    """
    shares = {word: n / len(own) for word, n in Counter(chain.from_iterable(own)).items()}
    weights = {
        word: round(share * (math.log(share) + rarity[word]), 9)
        for word, share in shares.items()
        if share >= max(MIN_WORD_SHARE, 2 / len(own))
    }
    return sorted(weights, key=lambda word: (-weights[word], word))[:COMMON_WORDS]
