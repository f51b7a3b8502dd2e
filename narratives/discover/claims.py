"""Recurring claims: groups of sentences that make the same claim, and the statements that contain them."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from narratives.discover.clustering import (
    BLOCK_CELLS,
    GRID_STEPS,
    MANY_DOCUMENTS,
    UNCLUSTERED,
    ClusterLabels,
    build_mutual_graph,
    choose_neighbours,
    choose_resolution,
    find_consensus,
    is_recurring,
    round_to_grid,
)
from narratives.model import EmbedFunction, VectorArray
from narratives.model.text import is_question_to_speaker, split_sentences

# The strength of the ridge, for rows that are weighted to 1 on either side.
RIDGE = 0.003
WEIGHT_STEPS = 1000


@dataclass(frozen=True, slots=True)
class ClaimScorer:
    """How much a text is worded like a claim rather than like plain information: `weights` (d,) and `bias`.

    Weights are whole thousandths, so that scores are the same for every number of threads.
    """

    weights: NDArray[np.float64]
    bias: float

    def score(self, vectors: VectorArray) -> NDArray[np.float64]:
        """Score unit rows (n, d): about 1 for a claim, about -1 for plain information, to 3 decimals."""
        products = round_to_grid(vectors).astype(np.float64) @ np.rint(self.weights * WEIGHT_STEPS)
        scores: NDArray[np.float64] = np.round(products / (GRID_STEPS * WEIGHT_STEPS) + self.bias, 3)
        return scores


def fit_claim_scorer(claims: VectorArray, plain: VectorArray) -> ClaimScorer:
    """Fit a ridge regression that separates unit rows of claims from those of plain information.

    The two sides weigh the same. The result is rounded, so that the same rows give the same scorer.
    """
    rows = np.vstack([claims, plain]).astype(np.float64)
    target = np.repeat([1.0, -1.0], [len(claims), len(plain)])
    weight = np.repeat([0.5 / len(claims), 0.5 / len(plain)], [len(claims), len(plain)])
    with threadpool_limits(1):
        middle = weight @ rows
        centred = rows - middle
        square = centred.T @ (centred * weight[:, None]) + RIDGE * np.eye(rows.shape[1])
        weights = np.round(np.linalg.solve(square, centred.T @ (weight * target)), 3)
    return ClaimScorer(weights, round(float(-middle @ weights), 3))


@dataclass(frozen=True, slots=True)
class Statements:
    """The n paragraphs to cluster; dates are `YYYY[-MM[-DD]]` or empty, vectors (n, d)."""

    ids: Sequence[str]
    texts: Sequence[str]
    document_ids: Sequence[str]
    dates: Sequence[str]
    vectors: VectorArray


class Fit(NamedTuple):
    """How a statement makes a claim: the cosine of its nearest sentence with the centre of the claim; the sentence."""

    cosine: float
    sentence: str


@dataclass(frozen=True, slots=True)
class RecurringClaim:
    """A recurring claim: a sentence that states it, its score as a claim, and the statements that make it.

    `fits` are those of the statements, by row. `vector` is that of the sentence that states the claim.
    """

    text: str
    stance: float
    vector: VectorArray
    fits: Mapping[int, Fit]


@dataclass(frozen=True, slots=True)
class _Sentences:
    """The m sentences that can make a claim, with the rows of their statements."""

    texts: Sequence[str]
    owner: NDArray[np.int64]
    vectors: VectorArray
    scores: NDArray[np.float64]


# The least score of a sentence that makes a claim, and of one that names a group.
SENTENCE_SCORE, NAME_SCORE = 0.0, 0.2
MIN_SENTENCE_WORDS, MIN_NAME_WORDS, MAX_NAME_WORDS = 5, 5, 20
# A sentence makes the claim of a group if its cosine with the centre of the group reaches this.
NEAR_COSINE = 0.8
# Two groups are one claim if the cosine of their centres reaches this.
SAME_COSINE = 0.9
# The least documents and quarters of a claim, and the least paragraphs, in a large corpus; see `is_recurring`.
MIN_RECURRENCE = 6, 4
MIN_PARAGRAPHS, MIN_PARAGRAPHS_IN_SMALL = 10, 3
CLAIM_SEEDS = 10
MOVES = 2
# A claim is in the codebook already if more than this share of its paragraphs advances a codebook narrative.
MAX_KNOWN_SHARE = 0.5


def find_recurring_claims(
    statements: Statements, assigned: Mapping[str, Set[str]], scorer: ClaimScorer, embed: EmbedFunction
) -> list[RecurringClaim]:
    """Find recurring claims that the codebook does not have, those with the most statements first.

    The method: take the sentences that are worded like a claim, but no questions. Cluster them as paragraphs are
    clustered (`cluster_paragraphs`). The members of a cluster are the statements with a sentence near its centre;
    twice, the centre moves to the mean of these sentences. Keep the clusters that recur (see `is_recurring`) with
    enough statements, of which at most half are `assigned` a narrative. Each is named by the sentence that is nearest
    to its centre, worded like a claim, short, and understood without its context.

    The order of the statements and the number of threads do not change the result.
    """
    order = sorted(range(len(statements.ids)), key=statements.ids.__getitem__)
    sentences = _select_sentences([statements.texts[row] for row in order], order, scorer, embed)
    if len(sentences.texts) < MIN_SENTENCE_WORDS:
        return []
    centres = _find_centres(sentences.vectors, _cluster_sentences(sentences.vectors))
    labels, cosines = _move_centres(sentences.vectors, centres)
    known = {row for row, key in enumerate(statements.ids) if assigned.get(key)}
    found = []
    for number in range(int(labels.max(initial=-1)) + 1):
        claim = _describe_claim(np.flatnonzero(labels == number), cosines, sentences)
        if (
            claim
            and _recurs(claim.fits, statements)
            and len(claim.fits.keys() & known) <= MAX_KNOWN_SHARE * len(claim.fits)
        ):
            found.append(claim)
    return sorted(found, key=lambda claim: (-len(claim.fits), claim.text))


def _recurs(rows: Collection[int], statements: Statements) -> bool:
    """Return whether the statements in these rows are enough, and spread over enough documents and time."""
    corpus = len(set(statements.document_ids))
    documents, dates = [statements.document_ids[row] for row in rows], [statements.dates[row] for row in rows]
    least = MIN_PARAGRAPHS if corpus >= MANY_DOCUMENTS else MIN_PARAGRAPHS_IN_SMALL
    return len(rows) >= least and is_recurring(documents, dates, corpus, MIN_RECURRENCE)


def _select_sentences(
    texts: Sequence[str], rows: Sequence[int], scorer: ClaimScorer, embed: EmbedFunction
) -> _Sentences:
    """Return the sentences of the texts that are worded like a claim; `rows` are the rows of the texts."""
    by_text = [split_sentences(text) for text in texts]
    flat = [sentence for sentences in by_text for sentence in sentences]
    owner = np.repeat(np.array(rows, dtype=np.int64), [len(sentences) for sentences in by_text])
    vectors = embed(flat)
    scores = scorer.score(vectors)
    written = [" ".join(str(sentence).split()) for sentence in flat]
    kept = scores >= SENTENCE_SCORE
    kept &= [
        len(text.split()) >= MIN_SENTENCE_WORDS and not text.endswith("?") and not is_question_to_speaker(text)
        for text in written
    ]
    places = np.flatnonzero(kept)
    return _Sentences([written[place] for place in places], owner[places], vectors[places], scores[places])


def _cluster_sentences(vectors: VectorArray) -> ClusterLabels:
    n = len(vectors)
    graph = build_mutual_graph(vectors, choose_neighbours(n))
    if not graph.nnz:
        return np.full(n, UNCLUSTERED, dtype=np.int64)
    return find_consensus(graph, choose_resolution(n), CLAIM_SEEDS, MIN_PARAGRAPHS_IN_SMALL)


def _find_centres(vectors: VectorArray, labels: ClusterLabels) -> VectorArray:
    """Return the directions of the clusters' centres (c, d), rounded to the grid; sums are exact."""
    whole = round_to_grid(vectors).astype(np.float64)
    sums = np.zeros((int(labels.max(initial=-1)) + 1, vectors.shape[1]))
    inside = labels >= 0
    np.add.at(sums, labels[inside], whole[inside])
    lengths = np.sqrt((sums * sums).sum(axis=1, keepdims=True))
    return round_to_grid((sums / np.maximum(lengths, 1.0)).astype(np.float32))


def _move_centres(vectors: VectorArray, centres: VectorArray) -> tuple[ClusterLabels, NDArray[np.float64]]:
    """Return for each sentence its centre, or -1, and its cosine, after moving each centre to those near it."""
    labels, cosines = _assign_nearest(vectors, centres)
    for _ in range(MOVES):
        centres = _find_centres(vectors, labels)
        labels, cosines = _assign_nearest(vectors, _merge_centres(centres[np.unique(labels[labels >= 0])]))
    return labels, cosines


def _assign_nearest(vectors: VectorArray, centres: VectorArray) -> tuple[ClusterLabels, NDArray[np.float64]]:
    """Return the nearest centre of each row, -1 where it is not near, and its cosine; centres are on the grid."""
    labels = np.full(len(vectors), UNCLUSTERED, dtype=np.int64)
    cosines = np.zeros(len(vectors))
    height = max(1, BLOCK_CELLS // max(1, len(centres)))
    for first in range(0, len(vectors) if len(centres) else 0, height):
        products = round_to_grid(vectors[first : first + height]) @ centres.T
        nearest = products.argmax(axis=1)
        part = slice(first, first + len(products))
        cosines[part] = products[np.arange(len(products)), nearest] / np.float64(GRID_STEPS) ** 2
        labels[part] = np.where(cosines[part] >= NEAR_COSINE, nearest, UNCLUSTERED)
    return labels, cosines


def _merge_centres(centres: VectorArray) -> VectorArray:
    """Return the centres that are not the same as an earlier one."""
    kept: list[int] = []
    products = centres @ centres.T / np.float32(GRID_STEPS) ** 2
    for number in range(len(centres)):
        if not (products[number, kept] >= SAME_COSINE).any():
            kept.append(number)
    return centres[kept]


def _describe_claim(
    places: NDArray[np.int64], cosines: NDArray[np.float64], sentences: _Sentences
) -> RecurringClaim | None:
    """Describe the claim of the sentences at these places; None where no sentence can name it."""
    fits: dict[int, Fit] = {}
    for place in places.tolist():
        cosine = round(float(cosines[place]), 3)
        row = int(sentences.owner[place])
        if row not in fits or cosine > fits[row].cosine:
            fits[row] = Fit(cosine, sentences.texts[place])
    best = max(
        places.tolist(),
        key=lambda place: (
            _rate_name(sentences.texts[place], cosines[place], sentences.scores[place]),
            sentences.texts[place],
        ),
    )
    if _rate_name(sentences.texts[best], cosines[best], sentences.scores[best]) <= 0:
        return None
    stance = round(float(sentences.scores[places].mean()), 3)
    return RecurringClaim(trim_claim(sentences.texts[best]), stance, sentences.vectors[best], fits)


def _rate_name(text: str, cosine: float, score: float) -> float:
    """Rate how well a sentence names a group: its cosine with the centre; 0 if it cannot stand alone."""
    return float(cosine) if score >= NAME_SCORE and can_stand_alone(trim_claim(text)) else 0.0


# Introductory phrases, which are not part of the claim.
_OPENERS = (
    "and|but|so|now|well|yes|no(?=,)|first(?:ly)?|second(?:ly)?|third(?:ly)?|also|then|moreover|however",
    "therefore|thus|still|again|meanwhile|finally|overall|indeed|actually|frankly(?: speaking)?|honestly",
    "naturally|certainly|obviously|clearly|(?:most )?importantly|unfortunately|regrettably|incidentally",
    "last but not least|perhaps|most important|besides|furthermore|nevertheless|nonetheless|likewise",
    "otherwise|today|because|while|since|although|whereas|of course|at the same time|first of all|by the way",
    "in (?:fact|general|short|addition|my (?:opinion|view)|this (?:regard|context|connection))",
    "for (?:example|instance)|to be honest|as (?:you|we) know|as i (?:have )?(?:already )?(?:said|mentioned)",
    "you (?:know|see)|look|listen|colleagues|friends",
    "let me (?:also )?(?:repeat|remind you|stress|note|say|emphasi[sz]e|add)(?: once| again)*(?: that)?",
    "i (?:would|want|wish|must|can|should|will)(?: (?:also|only|just))?(?: like)?(?: to)? "
    "(?:note|stress|emphasi[sz]e|say|repeat|add|remind you|point out|underline)(?: once| again)*(?: that)?",
    "i (?:also |firmly |do )?(?:think|believe|hope|repeat|know)(?: that)?",
    "i (?:am (?:sure|convinced|confident|certain)|have no doubt)(?: that)?",
    "we (?:all |also |firmly )?(?:know|understand|believe|think|see|hope)(?: (?:very )?well)? that",
    "we (?:are (?:convinced|confident|sure)|proceed from the (?:fact|premise)) that",
    "we (?:believe|think)(?= (?:there|we|the|it))",
    "(?:it is|it['’]s) (?:absolutely )?(?:clear|obvious|evident|known|important|no secret)(?: to everyone)? that",
)
_OPENER_RUN = re.compile(rf"^(?:(?:{'|'.join(_OPENERS)})\b[\s,:]*)+", re.IGNORECASE)
# A sentence that begins like this depends on the text before it, is about one person, or is a command.
_DEPENDENT_START = re.compile(
    r"(?:this|that|it|its|he|she|his|her|they|their|them|these|those|which|who|what|why|how|when|where|as"
    r"|i|i['’]\w+|it['’]s|that['’]s|my|me|you|your|yours?|another|here|such|than|let|let['’]s|tell|try|please|give"
    r"|thank|thanks|hello|mr|ms|mrs|the (?:first|second|third|same|other|latter|former))\b",
    re.IGNORECASE,
)
# Words that refer to something outside the sentence.
_OUTSIDE_REFERENCE = re.compile(
    r"[:?…\[(]|\b(?:you|your|i|me|my|mr|this|these|those|they|them|their|he|she|him|her|it|its|colleagues|too|here"
    r"|mentioned|said|spoke|talked)\b|[“\"‘”]",
    re.IGNORECASE,
)
_VERB = re.compile(
    r"\b(?:is|are|was|were|be|been|has|have|had|must|should|shall|will|would|can|cannot|could|may|might|do|does"
    r"|did|need|needs|remain|remains|make|makes|want|wants|seek|seeks|know|face|faces|oppose|opposes|support"
    r"|supports|respect|protect|believe|condemn|reject|rejects|stand|stands|depends?|deserves?|\w+n['’]t)\b",
    re.IGNORECASE,
)


def trim_claim(sentence: str) -> str:
    """Return a sentence without introductory words and the full stop, beginning with a capital letter."""
    opener = _OPENER_RUN.match(sentence)
    rest = sentence[opener.end() if opener else 0 :].strip(_CLAIM_MARGIN)
    return rest[:1].upper() + rest[1:]


_CLAIM_MARGIN = " ,.;:!–—-…“”\"‘’'"


def can_stand_alone(sentence: str) -> bool:
    """Return whether a sentence is short, has a verb, and is understood without its context."""
    return (
        MIN_NAME_WORDS <= len(sentence.split()) <= MAX_NAME_WORDS
        and not _DEPENDENT_START.match(sentence)
        and not _OUTSIDE_REFERENCE.search(sentence)
        and _VERB.search(sentence) is not None
    )
