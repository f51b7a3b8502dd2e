"""Records of topics and claims: names, phrases, representative paragraphs, nearest narratives."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from narratives.discover.claims import RecurringClaim, Statements
from narratives.discover.clustering import CLAIM_PREFIX, UNCLUSTERED, ClusterLabels, is_recurring, make_cluster_id
from narratives.model import Cluster, VectorArray
from narratives.model.text import ALPHABETIC_WORD, load_stop_words

MAX_PHRASES = 5
NAME_PHRASES = 3
MAX_REPRESENTATIVES = 5
MAX_PHRASE_WORDS = 3
# A phrase can describe a cluster only if this share of its paragraphs, and at least two, use it.
MIN_PHRASE_SHARE = 0.1
# The weight of a phrase of several words against a single word, as it tells a reader more.
PHRASE_BONUS = 1.25
PHRASE_BREAK = re.compile(r"[.,;:!?()\"“”«»–—\n]+")


def find_distinctive_phrases(texts: Sequence[str], labels: ClusterLabels) -> list[tuple[str, ...]]:
    """Find up to 5 phrases for each of the clusters 0 to `labels.max()`, the most distinctive first.

    Phrases are runs of one to three words that neither begin nor end with a stop word. The weight is
    class-based TF-IDF (Grootendorst 2022) on paragraphs: the share of the cluster's paragraphs that use the
    phrase, times log(1 + paragraphs / paragraphs that use it anywhere), and a quarter more for several words.
    Of phrases that share a word, the one with the highest weight is kept, in the spelling that most of the
    cluster's paragraphs use. Stop words are English.
    """
    from scipy import sparse
    from sklearn.feature_extraction.text import CountVectorizer

    clusters = int(labels.max(initial=-1)) + 1
    if not any(_extract_lower_phrases(text) for text in texts):
        return [()] * clusters
    counter = CountVectorizer(analyzer=_extract_lower_phrases, binary=True, dtype=np.int32)
    used = counter.fit_transform(texts)
    phrases = counter.get_feature_names_out()
    weight = np.log1p(len(texts) / np.asarray(used.sum(axis=0)).ravel())
    weight *= [PHRASE_BONUS if " " in phrase else 1 for phrase in phrases]
    inside = np.flatnonzero(labels >= 0)
    ones = np.ones(len(inside), dtype=np.int32)
    member = sparse.csr_matrix((ones, (labels[inside], inside)), shape=(clusters, len(texts)))
    counts = (member @ used).tocsr()
    sizes = np.bincount(labels[inside], minlength=clusters)
    distinctive = []
    for number in range(clusters):
        row = counts[[number]].tocoo()
        enough = row.data >= max(2, MIN_PHRASE_SHARE * sizes[number])
        columns, shares = row.col[enough], row.data[enough] / sizes[number]
        order = np.lexsort((phrases[columns], -np.round(shares * weight[columns], 9)))
        chosen = _drop_similar(str(phrase) for phrase in phrases[columns[order]])
        cluster_texts = [texts[i] for i in np.flatnonzero(labels == number).tolist()]
        distinctive.append(_restore_spelling(chosen, cluster_texts))
    return distinctive


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


def _extract_phrases(text: str) -> Iterable[str]:
    """Yield the runs of one to three words of a text, as written, that neither begin nor end with a stop word."""
    stops = load_stop_words()
    for sentence in PHRASE_BREAK.split(text):
        words = ALPHABETIC_WORD.findall(sentence)
        is_stop = [len(word) < 2 or word.lower().replace("’", "'") in stops for word in words]
        for start in range(len(words)):
            if is_stop[start]:
                continue
            for end in range(start, min(start + MAX_PHRASE_WORDS, len(words))):
                if not is_stop[end]:
                    yield " ".join(words[start : end + 1])


def _extract_lower_phrases(text: str) -> list[str]:
    return [phrase.lower() for phrase in _extract_phrases(text)]


def _drop_similar(phrases: Iterable[str]) -> list[str]:
    """Return the first phrases that share no word, singular or plural, with an earlier one."""
    chosen: list[str] = []
    seen: set[str] = set()
    for phrase in phrases:
        stems = {word.removesuffix("'s").removesuffix("’s").rstrip("s") for word in phrase.split()}
        if not stems & seen:
            chosen.append(phrase)
            seen |= stems
        if len(chosen) == MAX_PHRASES:
            break
    return chosen


def _restore_spelling(phrases: Sequence[str], texts: Iterable[str]) -> tuple[str, ...]:
    written: dict[str, Counter[str]] = {phrase: Counter() for phrase in phrases}
    for text in texts:
        for phrase in _extract_phrases(text):
            if phrase.lower() in written:
                written[phrase.lower()][phrase] += 1
    return tuple(min(forms, key=lambda form: (-forms[form], form)) for forms in written.values())


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


def summarise_clusters(
    statements: Statements, labels: ClusterLabels, alignment: AlignmentTargets, routine: VectorArray
) -> tuple[Cluster, ...]:
    """Describe each cluster 0 to `labels.max()` of `cluster_paragraphs`, in that order; -1 is left out.

    recurring: see `is_recurring`.
    routine: `routine` are the vectors (r, d) of `ROUTINE_TEXTS`. A paragraph's similarity to routine is its
    highest cosine with one of them. A cluster is routine if the mean of its members is at least a standard
    deviation above that of all paragraphs, and not below their mean similarity to narratives (so that a corpus
    without routine has no routine cluster); or if half of its members have fewer than 10 words.
    narrative_id: the narrative that at least half of the members advance. nearest: the one that most of them
    advance, or the one with the nearest centroid if none does.

    Such a cluster is a topic: it makes no single claim (cohesion 0), and so is no candidate. The result does not
    depend on the order of the statements. Ids are made from the text of the most central member.
    """
    order = np.argsort(np.array(statements.ids, dtype=object), kind="stable")
    columns = (statements.ids, statements.texts, statements.document_ids, statements.dates)
    ids, texts, document_ids, dates = ([values[i] for i in order] for values in columns)
    vectors, labels = statements.vectors[order], labels[order]
    to_routine = _compute_max_cosine(vectors, routine)
    least_routine = to_routine.mean() + ROUTINE_DEVIATIONS * to_routine.std()
    to_narratives = _compute_max_cosine(vectors, alignment.centroids)
    corpus = len(set(document_ids))
    taken: set[str] = set()
    described = []
    for number, phrases in enumerate(find_distinctive_phrases(texts, labels)):
        members = np.flatnonzero(labels == number)
        own = [ids[i] for i in members]
        central = compute_centrality(vectors[members])
        chosen = choose_representatives(own, [document_ids[i] for i in members], central)
        most_central = texts[members[own.index(chosen[0])]]
        cluster_id = make_cluster_id(most_central, taken)
        taken.add(cluster_id)
        nearest, purity = _align_members(own, vectors[members], alignment)
        short = float(np.median([len(texts[i].split()) for i in members])) < ROUTINE_WORDS
        is_routine = to_routine[members].mean() >= max(least_routine, to_narratives[members].mean())
        described.append(
            Cluster(
                cluster_id=cluster_id,
                # Such as "chemical weapons · Khan Sheikhoun · OPCW".
                name=" · ".join(phrases[:NAME_PHRASES]) or _take_opening_words(most_central),
                phrases=phrases,
                members=tuple(own),
                representatives=chosen,
                narrative_id=nearest if purity >= EXPLAINED_SHARE else "",
                nearest=nearest,
                purity=purity,
                recurring=is_recurring([document_ids[i] for i in members], [dates[i] for i in members], corpus),
                routine=short or bool(is_routine),
                cohesion=0.0,
            )
        )
    return tuple(described)


def summarise_claims(
    statements: Statements,
    claims: Sequence[RecurringClaim],
    alignment: AlignmentTargets,
    routine: VectorArray,
    names: VectorArray,
) -> tuple[Cluster, ...]:
    """Describe each claim of `find_recurring_claims`, in the order of ids; `names` (c, d) are their vectors.

    The name is the claim itself, and the id is made from it, so that both are the same in any store. members
    are the statements that advance it, fits their cosines, cohesion the mean of these. A claim is routine if
    the cosine of its name with one of `ROUTINE_TEXTS` is at least `ROUTINE_COSINE`. The other fields are those
    of `summarise_clusters`.
    """
    if not claims:
        return ()
    rows = [sorted(claim.fits, key=statements.ids.__getitem__) for claim in claims]
    texts = [*statements.texts, *(statements.texts[i] for members in rows for i in members)]
    labels = np.repeat([UNCLUSTERED, *range(len(claims))], [len(statements.texts), *map(len, rows)])
    is_routine = _compute_max_cosine(names, routine) >= ROUTINE_COSINE
    taken: set[str] = set()
    described = []
    for number, phrases in enumerate(find_distinctive_phrases(texts, labels)):
        claim, members = claims[number], [statements.ids[i] for i in rows[number]]
        cosines = np.array([claim.fits[i] for i in rows[number]])
        nearest, purity = _align_members(members, statements.vectors[rows[number]], alignment)
        cluster_id = make_cluster_id(claim.text, taken, CLAIM_PREFIX)
        taken.add(cluster_id)
        described.append(
            Cluster(
                cluster_id=cluster_id,
                name=claim.text,
                phrases=phrases,
                members=tuple(members),
                representatives=choose_representatives(
                    members, [statements.document_ids[i] for i in rows[number]], cosines.astype(np.float32)
                ),
                narrative_id=nearest if purity >= EXPLAINED_SHARE else "",
                nearest=nearest,
                purity=purity,
                recurring=True,
                routine=bool(is_routine[number]),
                stance=claim.stance,
                cohesion=round(float(cosines.mean()), 3),
                fits=tuple(zip(members, cosines.tolist(), strict=True)),
            )
        )
    return tuple(sorted(described, key=lambda cluster: cluster.cluster_id))


def _compute_max_cosine(vectors: VectorArray, models: VectorArray) -> NDArray[np.float64]:
    """Compute the highest cosine (n,) of each row with one of the models; -1 where there are none.

    It has 5 decimals, as the last bits of a product vary with the number of threads.
    """
    highest: NDArray[np.float64] = np.max(vectors @ models.T, axis=1, initial=-1.0).astype(np.float64)
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
