"""Records of themes, topics and claims: names, phrases, representative paragraphs, nearest narratives."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from narratives.discover.claims import RecurringClaim, Statements
from narratives.discover.clustering import ClusterLabels, is_recurring, make_cluster_id
from narratives.discover.names import PhraseIndex, find_distinctive_phrases, make_names
from narratives.discover.themes import group_topics
from narratives.model import Cluster, VectorArray
from narratives.model.narratives import CLAIM_PREFIX, THEME_PREFIX
from narratives.model.text import VectorRows

MAX_REPRESENTATIVES = 5


def compute_centrality(vectors: VectorArray) -> VectorArray:
    """Compute the cosines (n,) of unit rows with their mean, to 6 decimals, as last bits vary with threads."""
    centre = vectors.mean(axis=0)
    length = float(np.linalg.norm(centre))
    cosines: VectorArray = np.round((vectors @ centre) / np.float32(length or 1.0), 6)
    return cosines


def choose_representatives(ids: Sequence[str], document_ids: Sequence[str], central: VectorArray) -> tuple[str, ...]:
    """Choose up to 5 ids, most central first, from different documents where there are enough."""
    order = sorted(range(len(ids)), key=lambda i: (-central[i], ids[i]))
    first_of_document = {document_ids[i]: i for i in reversed(order)}
    repeats_document = [first_of_document[document_ids[i]] != i for i in order]
    # The sort is stable, so that central paragraphs stay before others.
    places = sorted(range(len(order)), key=repeats_document.__getitem__)[:MAX_REPRESENTATIVES]
    return tuple(ids[order[place]] for place in sorted(places))


MIN_THEME_SHARE = 0.05  # of the paragraphs of a theme, which has many subjects, that use a phrase of its name
BLOCK_ROWS = 1 << 15  # compared at a time
EXPLAINED_SHARE = 0.5
ROUTINE_DEVIATIONS = 1.0
ROUTINE_WORDS = 10
ROUTINE_COSINE = 0.5

ROUTINE_TEXTS = (
    "Good afternoon, colleagues, friends. I am glad to see all of you here today.",
    "Thank you very much for your attention, and all the best to you.",
    "Let us get down to work. You have the floor, please go ahead.",
    "We have several items on today's agenda; let us take them one after another.",
    "Next question, please. Who else would like to ask something?",
    "May I ask a question? Could you please comment on this?",
    "Welcome to Moscow. We are pleased to receive you and your delegation here.",
    "Thank you for the invitation and for the warm hospitality shown to our delegation.",
    "I congratulate you on this holiday and wish you good health, happiness and success.",
    "The ministers, the ambassador and other officials took part in the meeting.",
    "Several joint documents were signed after the talks.",
    "Relations between our countries develop well; we are good neighbours and strategic partners.",
    "Our bilateral cooperation in trade, culture and other areas with our partners abroad is growing.",
    "The visit will take place next week; the programme will be announced later.",
    "Today I signed the executive order on the awards and on the appointment.",
)


@dataclass(frozen=True, slots=True)
class AlignmentTargets:
    """The narratives of the codebook, with which clusters are aligned.

    `centroids` (k, d) are unit rows, one for each of k ids. `assigned` maps a paragraph id to the narratives
    that it advances; paragraphs that advance none are left out.
    """

    narrative_ids: Sequence[str]
    centroids: VectorArray
    assigned: Mapping[str, Set[str]]


def summarise_topics(
    statements: Statements,
    labels: ClusterLabels,
    alignment: AlignmentTargets,
    routine: VectorArray,
    phrases: PhraseIndex,
    claim_like: NDArray[np.bool_],
) -> tuple[Cluster, ...]:
    """Describe each cluster 0 to `labels.max()` of `cluster_paragraphs`, in that order; -1 is left out.

    recurring: see `is_recurring`.
    routine: `routine` are the vectors (r, d) of `ROUTINE_TEXTS`. A paragraph's similarity to routine is its
    highest cosine with one of them. A cluster is routine if the mean of its members is at least a standard
    deviation above that of all paragraphs, and not below their mean similarity to narratives (so that a corpus
    without routine has no routine cluster); or if half of its members have fewer than 10 words.
    narrative_id: the narrative that at least half of the members advance. nearest: the one that most of them
    advance, or the one with the nearest centroid if none does.
    stance: the share of members that are worded like a claim, as `claim_like` (n,) says.

    `statements` are in the order of ids, and `phrases` the index of their texts, so the result does not depend on
    the order of the input. Ids are made from the text of the most central member.
    """
    ids, texts, vectors = statements.ids, statements.texts, statements.vectors
    to_routine = _compute_max_cosine(vectors, routine)
    least_routine = to_routine.mean() + ROUTINE_DEVIATIONS * to_routine.std()
    to_narratives = _compute_max_cosine(vectors, alignment.centroids)
    groups = _list_rows(labels)
    found = find_distinctive_phrases(phrases, groups, vectors)
    chosen = [_choose_central(statements, members) for members in groups]
    openings = [_take_opening_words(texts[rows[0]]) for rows in chosen]
    taken: set[str] = set()
    described = []
    for name, own_phrases, members, representatives in zip(
        make_names(found, openings), found, groups, chosen, strict=True
    ):
        own = [ids[row] for row in members]
        cluster_id = make_cluster_id(texts[representatives[0]], taken)
        taken.add(cluster_id)
        nearest, purity = _align_members(own, vectors[members], alignment)
        short = float(np.median([len(texts[row].split()) for row in members])) < ROUTINE_WORDS
        is_routine = to_routine[members].mean() >= max(least_routine, to_narratives[members].mean())
        dates, document_ids = (
            [values[row] for row in members] for values in (statements.dates, statements.document_ids)
        )
        described.append(
            Cluster(
                cluster_id=cluster_id,
                name=name,
                phrases=own_phrases,
                members=tuple(own),
                representatives=tuple(ids[row] for row in representatives),
                narrative_id=nearest if purity >= EXPLAINED_SHARE else "",
                nearest=nearest,
                purity=purity,
                recurring=is_recurring(document_ids, dates, statements.documents),
                routine=short or bool(is_routine),
                stance=round(float(claim_like[members].mean()), 3),
                cohesion=0.0,
            )
        )
    return tuple(described)


def summarise_themes(
    statements: Statements, topics: Sequence[Cluster], phrases: PhraseIndex
) -> tuple[tuple[Cluster, ...], tuple[Cluster, ...]]:
    """Group the topics into themes (`group_topics`): the themes, largest first, and the topics with their theme ids.

    A theme has the members of its topics. It is described like a topic, but advances no narrative and is no routine.
    """
    places = {key: row for row, key in enumerate(statements.ids)}
    rows_of = [[places[member] for member in topic.members] for topic in topics]
    labels = group_topics(statements.vectors, rows_of)
    groups = [
        sorted(row for rows, theme in zip(rows_of, labels, strict=True) if theme == number for row in rows)
        for number in range(int(labels.max(initial=-1)) + 1)
    ]
    found = find_distinctive_phrases(phrases, groups, statements.vectors, MIN_THEME_SHARE)
    chosen = [_choose_central(statements, rows) for rows in groups]
    names = make_names(found, [_take_opening_words(statements.texts[rows[0]]) for rows in chosen])
    taken: set[str] = set()
    themes = []
    for name, own_phrases, rows, representatives in zip(names, found, groups, chosen, strict=True):
        theme_id = make_cluster_id(statements.texts[representatives[0]], taken, THEME_PREFIX)
        taken.add(theme_id)
        themes.append(
            Cluster(
                cluster_id=theme_id,
                name=name,
                phrases=own_phrases,
                members=tuple(statements.ids[row] for row in rows),
                representatives=tuple(statements.ids[row] for row in representatives),
                narrative_id="",
                nearest="",
                purity=0.0,
                recurring=False,
                routine=False,
                stance=0.0,
                cohesion=0.0,
            )
        )
    own = (themes[theme].cluster_id for theme in labels)
    return tuple(themes), tuple(replace(topic, theme_id=key) for topic, key in zip(topics, own, strict=True))


def summarise_claims(
    statements: Statements,
    claims: Sequence[RecurringClaim],
    alignment: AlignmentTargets,
    routine: VectorArray,
    phrases: PhraseIndex,
    theme_of: Mapping[str, str],
) -> tuple[Cluster, ...]:
    """Describe each claim of `find_recurring_claims`, in that order.

    The name is the sentence that states it. members are the statements that make it, fits their cosines and
    sentences, cohesion the mean of these cosines. A claim is routine if the cosine of its name with one of
    `ROUTINE_TEXTS` is at least `ROUTINE_COSINE`. Its theme is that of most members; `theme_of` maps paragraph ids to
    themes. The other fields are those of `summarise_topics`.
    """
    groups = [sorted(claim.fits) for claim in claims]
    found = find_distinctive_phrases(phrases, groups, statements.vectors)
    taken: set[str] = set()
    described = []
    for claim, rows, own_phrases in zip(claims, groups, found, strict=True):
        members, document_ids = ([values[row] for row in rows] for values in (statements.ids, statements.document_ids))
        cosines = np.array([claim.fits[row].cosine for row in rows], dtype=np.float32)
        nearest, purity = _align_members(members, statements.vectors[rows], alignment)
        cluster_id = make_cluster_id(claim.text, taken, CLAIM_PREFIX)
        taken.add(cluster_id)
        themes = Counter(theme_of[member] for member in members if member in theme_of)
        described.append(
            Cluster(
                cluster_id=cluster_id,
                name=claim.text,
                phrases=own_phrases,
                members=tuple(members),
                representatives=choose_representatives(members, document_ids, cosines),
                narrative_id=nearest if purity >= EXPLAINED_SHARE else "",
                nearest=nearest,
                purity=purity,
                recurring=True,
                routine=bool(_compute_max_cosine(claim.vector[None], routine)[0] >= ROUTINE_COSINE),
                stance=claim.stance,
                cohesion=round(float(cosines.mean()), 3),
                fits=tuple((member, *claim.fits[row]) for member, row in zip(members, rows, strict=True)),
                theme_id=min(themes, key=lambda key: (-themes[key], key), default=""),
            )
        )
    return tuple(described)


def _list_rows(labels: ClusterLabels) -> list[list[int]]:
    """Return the rows of each cluster, in order."""
    rows: list[list[int]] = [[] for _ in range(int(labels.max(initial=-1)) + 1)]
    for row, label in enumerate(labels.tolist()):
        if label >= 0:
            rows[label].append(row)
    return rows


def _choose_central(statements: Statements, rows: Sequence[int]) -> list[int]:
    """Return the rows of up to 5 representatives, most central first."""
    ids, document_ids = ([values[row] for row in rows] for values in (statements.ids, statements.document_ids))
    places = dict(zip(ids, rows, strict=True))
    central = compute_centrality(statements.vectors[list(rows)])
    return [places[key] for key in choose_representatives(ids, document_ids, central)]


def _compute_max_cosine(vectors: VectorRows, models: VectorArray) -> NDArray[np.float64]:
    """Compute the highest cosine (n,) of each row with one of the models; -1 where there are none.

    It has 5 decimals, as the last bits of a product vary with the number of threads.
    """
    highest = np.full(len(vectors), -1.0)
    for first in range(0, len(vectors) if len(models) else 0, BLOCK_ROWS):
        part = slice(first, first + BLOCK_ROWS)
        highest[part] = (vectors[part] @ models.T).max(axis=1)
    return highest.round(5)


def _align_members(members: Sequence[str], vectors: VectorArray, alignment: AlignmentTargets) -> tuple[str, float]:
    """Return the narrative that most members advance, or else the nearest, and the share that advances it."""
    if not alignment.narrative_ids:
        return "", 0.0
    cosines = np.round(alignment.centroids @ vectors.mean(axis=0), 5)
    shares = [
        sum(narrative in alignment.assigned.get(member, ()) for member in members) / len(members)
        for narrative in alignment.narrative_ids
    ]
    best = max(range(len(shares)), key=lambda k: (shares[k], cosines[k], -k))
    return alignment.narrative_ids[best], shares[best]


def _take_opening_words(text: str) -> str:
    """Return the first words of a text, as the name of a cluster without a recurring phrase."""
    words = text.split()
    return " ".join(words[:8]) + (" …" if len(words) > 8 else "")
