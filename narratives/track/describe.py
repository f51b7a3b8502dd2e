"""What is known of each cluster: its name, whether it recurs, is routine, or is a codebook narrative."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from narratives.model import Cluster
from narratives.track.claims import Claim, Statements
from narratives.track.cluster import UNCLUSTERED, Labels
from narratives.track.encoder import Vectors
from narratives.track.identity import CLAIM, new_id
from narratives.track.naming import centrality, distinctive_phrases, name_of, representatives
from narratives.track.recurrence import recurs

EXPLAINED = 0.5
ROUTINE_DEVIATIONS = 1.0
ROUTINE_WORDS = 10
ROUTINE_NAME = 0.5

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
    "Relations between our countries develop well; we are good neighbours and strategic partners.",
    "Our bilateral cooperation in trade, culture and other areas with our partners abroad is growing.",
    "The visit will take place next week; the programme will be announced later.",
    "Today I signed the executive order on the awards and on the appointment.",
)


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

    recurring: see `recurs`.
    routine: `routine` are the vectors of `ROUTINE` (r, d). A paragraph's likeness to routine is its highest
    cosine with one of them; a cluster is routine if its members' mean lies a standard deviation or more above
    the mean of all paragraphs and above their mean likeness to narratives (in a corpus without routine, what
    is least unlike it is still no routine), or if half of its members have fewer than 10 words.
    narrative_id: the narrative that at least half of the members advance. nearest: the one that most of them
    advance; where none does, the one whose centroid is nearest to theirs.

    Such a cluster is a topic: it makes no one claim (cohesion 0), and so is no candidate (`describe_claims`
    are). The result does not depend on the order of the statements. Ids are made from the most central
    member's text.
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
    corpus = len(set(document_ids))
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
                recurring=recurs([document_ids[i] for i in members], [dates[i] for i in members], corpus),
                routine=short or bool(courteous),
                cohesion=0.0,
            )
        )
    return tuple(described)


def describe_claims(
    statements: Statements, claims: Sequence[Claim], alignment: Alignment, routine: Vectors, names: Vectors
) -> tuple[Cluster, ...]:
    """One record for each claim of `find_claims`, in the order of ids; `names` (c, d) are their vectors.

    The name is the claim itself, the id made from it, so that it is the same in any store. members are the
    statements that advance it, fits their nearness, cohesion its mean. routine: the name is as near to a
    sentence of `ROUTINE` as `ROUTINE_NAME`. The rest as in `describe`.
    """
    if not claims:
        return ()
    rows = [sorted(claim.fits, key=statements.ids.__getitem__) for claim in claims]
    texts = [*statements.texts, *(statements.texts[i] for of_one in rows for i in of_one)]
    labels = np.repeat(
        [UNCLUSTERED, *range(len(claims))], [len(statements.texts), *(len(of_one) for of_one in rows)]
    )
    courteous = _likeness(names, routine) >= ROUTINE_NAME
    taken: set[str] = set()
    described = []
    for number, phrases in enumerate(distinctive_phrases(texts, labels)):
        claim, members = claims[number], [statements.ids[i] for i in rows[number]]
        nearness = np.array([claim.fits[i] for i in rows[number]])
        nearest, purity = _align(members, statements.vectors[rows[number]], alignment)
        cluster_id = new_id(claim.text, taken, CLAIM)
        taken.add(cluster_id)
        described.append(
            Cluster(
                cluster_id=cluster_id,
                name=claim.text,
                phrases=phrases,
                members=tuple(members),
                representatives=representatives(
                    members, [statements.document_ids[i] for i in rows[number]], nearness.astype(np.float32)
                ),
                narrative_id=nearest if purity >= EXPLAINED else "",
                nearest=nearest,
                purity=purity,
                recurring=True,
                routine=bool(courteous[number]),
                stance=claim.stance,
                cohesion=round(float(nearness.mean()), 3),
                fits=tuple(zip(members, nearness.tolist(), strict=True)),
            )
        )
    return tuple(sorted(described, key=lambda cluster: cluster.cluster_id))


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


def _opening(text: str) -> str:
    """The first words of a text, as the name of a cluster in which no phrase recurs."""
    words = text.split()
    return " ".join(words[:8]) + (" …" if len(words) > 8 else "")
