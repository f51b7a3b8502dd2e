"""What is known of each cluster: its name, whether it recurs, is routine, or is a codebook narrative."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from narratives.model import Cluster
from narratives.track.cluster import Labels
from narratives.track.encoder import Vectors
from narratives.track.identity import new_id
from narratives.track.naming import centrality, distinctive_phrases, name_of, representatives

EXPLAINED = 0.5
FEW_DOCUMENTS = 30
ROUTINE_DEVIATIONS = 1.0
ROUTINE_WORDS = 10

ROUTINE = (
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
    "The visit will take place next week; the programme will be announced later.",
    "Today I signed the executive order on the awards and on the appointment.",
)


@dataclass(frozen=True, slots=True)
class Statements:
    """The paragraphs that were clustered, n of each: dates are `YYYY[-MM[-DD]]` or empty, vectors (n, d)."""

    ids: Sequence[str]
    texts: Sequence[str]
    document_ids: Sequence[str]
    dates: Sequence[str]
    vectors: Vectors


@dataclass(frozen=True, slots=True)
class Alignment:
    """What the codebook says: k narrative ids, their centroids (k, d) as unit rows, and the narratives
    that each paragraph id advances (none: left out).
    """

    narrative_ids: Sequence[str]
    centroids: Vectors
    assigned: Mapping[str, Set[str]]


def describe(
    statements: Statements, labels: Labels, alignment: Alignment, routine: Vectors
) -> tuple[Cluster, ...]:
    """One record for each cluster 0 to `labels.max()` of `cluster()`, in that order; -1 is left out.

    recurring: at least 3 documents and 2 months; in a corpus of fewer than 30 documents, 2 documents.
    routine: `routine` are the vectors of `ROUTINE` (r, d). A paragraph's likeness to routine is its highest
    cosine with one of them; a cluster is routine if its members' mean lies a standard deviation or more above
    the mean of all paragraphs and above their mean likeness to narratives (in a corpus without routine, what
    is least unlike it is still no routine), or if half of its members have fewer than 10 words.
    narrative_id: the narrative that at least half of the members advance. nearest: the one that most of them
    advance; where none does, the one whose centroid is nearest to theirs.

    A cluster that recurs, is not routine and has no narrative_id is a discovered candidate. The result does
    not depend on the order of the statements. Ids are made from the most central member's text.
    """
    order = np.argsort(np.array(statements.ids, dtype=object), kind="stable")
    ids = [statements.ids[i] for i in order]
    texts = [statements.texts[i] for i in order]
    document_ids = [statements.document_ids[i] for i in order]
    dates = [statements.dates[i] for i in order]
    vectors, labels = statements.vectors[order], labels[order]
    routineness = _likeness(vectors, routine)
    usual = routineness.mean() + ROUTINE_DEVIATIONS * routineness.std()
    narrativeness = _likeness(vectors, alignment.centroids)
    few = len(set(document_ids)) < FEW_DOCUMENTS
    taken: set[str] = set()
    described = []
    for number, phrases in enumerate(distinctive_phrases(texts, labels)):
        members = np.flatnonzero(labels == number)
        own = [ids[i] for i in members]
        central = centrality(vectors[members])
        chosen = representatives(own, [document_ids[i] for i in members], central)
        cluster_id = new_id(texts[members[own.index(chosen[0])]], taken)
        taken.add(cluster_id)
        nearest, purity = _align(own, vectors[members], alignment)
        short = float(np.median([len(texts[i].split()) for i in members])) < ROUTINE_WORDS
        courteous = routineness[members].mean() >= max(usual, narrativeness[members].mean())
        described.append(
            Cluster(
                cluster_id=cluster_id,
                name=name_of(phrases) or _opening(texts[members[own.index(chosen[0])]]),
                phrases=phrases,
                members=tuple(own),
                representatives=chosen,
                narrative_id=nearest if purity >= EXPLAINED else "",
                nearest=nearest,
                purity=purity,
                recurring=_recurs([document_ids[i] for i in members], [dates[i] for i in members], few),
                routine=short or bool(courteous),
            )
        )
    return tuple(described)


def _likeness(vectors: Vectors, models: Vectors) -> NDArray[np.float64]:
    """(n,) highest cosine of each row with one of the models; -1 where there are none.

    To 5 decimals, as the last bits of a product vary with the number of threads.
    """
    highest: NDArray[np.float64] = np.max(vectors @ models.T, axis=1, initial=-1.0).astype(np.float64)
    return highest.round(5)


def _align(members: Sequence[str], vectors: Vectors, alignment: Alignment) -> tuple[str, float]:
    """The narrative that most members advance, or else the nearest, and the share that advances it."""
    if not alignment.narrative_ids:
        return "", 0.0
    cosines = np.round(alignment.centroids @ vectors.mean(axis=0), 5)
    shares = [
        sum(narrative in alignment.assigned.get(member, ()) for member in members) / len(members)
        for narrative in alignment.narrative_ids
    ]
    best = max(range(len(shares)), key=lambda k: (shares[k], cosines[k], -k))
    return alignment.narrative_ids[best], shares[best]


def _recurs(document_ids: Sequence[str], dates: Sequence[str], few: bool) -> bool:
    if few:
        return len(set(document_ids)) >= 2
    months = {date[:7] for date in dates if len(date) >= 7}
    # A date known to the year counts as another month only where no month of that year is known.
    years = {date for date in dates if len(date) == 4} - {month[:4] for month in months}
    return len(set(document_ids)) >= 3 and len(months) + len(years) >= 2


def _opening(text: str) -> str:
    """The first words of a text, as the name of a cluster in which no phrase recurs."""
    words = text.split()
    return " ".join(words[:8]) + (" …" if len(words) > 8 else "")
