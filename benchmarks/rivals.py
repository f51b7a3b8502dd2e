"""What the peers say of the reference paragraphs, given the project's vectors and its codebook.

Every function returns, for each of a peer's settings, its topics, assignments or scores, and the seconds it
took. No labels are used here.
"""

from __future__ import annotations

import contextlib
import io
import time
import warnings
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.labels import Embed, Labels, Mask, Scores, Vectors

if TYPE_CHECKING:
    from bertopic import BERTopic

SEED = 0
SIMILARITIES = (0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55)  # of BERTopic's zero-shot assignment
SIZES = (5, 10)  # the smallest cluster that guided BERTopic may call a topic


def bertopic_zeroshot(gold: Labels, embed: Embed) -> Iterator[tuple[Mask, float]]:
    """Assignments (n, k) by zero-shot BERTopic for three ways of naming the narratives, and each threshold.

    https://maartengr.github.io/BERTopic/getting_started/zeroshot/zeroshot.html
    """
    narratives = gold.codebook.narratives
    for names in (
        [n.name for n in narratives],
        [n.definition for n in narratives],
        [f"{n.name}: {n.definition}" for n in narratives],
    ):
        for similarity in SIMILARITIES:
            started = time.monotonic()
            model = _bertopic(embed, zeroshot_topic_list=names, zeroshot_min_similarity=similarity)
            topics = _topics(model, gold)
            # Where every paragraph found a narrative there is nothing to cluster, and topics are not renamed.
            labels = model.topic_labels_ if model.topic_representations_ else dict(enumerate(names))
            found = [labels[topic] for topic in topics]
            said = np.array([[label == name for name in names] for label in found])
            yield said, time.monotonic() - started


def bertopic_guided(gold: Labels, embed: Embed) -> Iterator[tuple[list[int], float]]:
    """Topics (n) by guided BERTopic, seeded with the codebook's cues or with words of its definitions.

    https://maartengr.github.io/BERTopic/getting_started/guided/guided.html
    """
    narratives = gold.codebook.narratives
    cues = [list(n.cues) for n in narratives]
    spoken = [n.definition.rstrip(".").split() for n in narratives]
    for seeds in (cues, spoken):
        for size in SIZES:
            started = time.monotonic()
            model = _bertopic(embed, seed_topic_list=seeds, min_topic_size=size)
            yield _topics(model, gold), time.monotonic() - started


def turftopic_concepts(gold: Labels, embed: Embed) -> Iterator[tuple[Scores, float]]:
    """Scores (n, k) by Turftopic's concept vectors, exemplars against contrasts or against other exemplars.

    https://doi.org/10.63744/nVu1Zq5gRkuD
    """
    from turftopic import ConceptVectorProjection

    narratives = gold.codebook.narratives
    for contrasts_only in (True, False):
        started = time.monotonic()
        seeds = []
        for narrative in narratives:
            others = [text for other in narratives if other is not narrative for text in other.exemplars]
            against = list(narrative.contrasts) if contrasts_only and narrative.contrasts else others
            seeds.append((narrative.id, (list(narrative.exemplars), against)))
        model = ConceptVectorProjection(seeds, encoder=_Encoder(embed))
        scores = np.asarray(model.fit_transform(list(gold.texts), embeddings=gold.vectors), np.float64)
        yield scores, time.monotonic() - started


def turftopic_keynmf(gold: Labels, embed: Embed) -> Iterator[tuple[Scores, float]]:
    """Scores (n, k) by Turftopic's KeyNMF, one model with one topic a narrative, seeded with a phrase.

    https://x-tabdeveloping.github.io/turftopic/seeded/
    """
    from turftopic import KeyNMF

    narratives = gold.codebook.narratives
    for phrases in ([n.name for n in narratives], [n.definition for n in narratives]):
        started = time.monotonic()
        columns = []
        for phrase in phrases:
            with _quiet():
                model = KeyNMF(1, encoder=_Encoder(embed), seed_phrase=phrase, random_state=SEED)
                columns.append(model.fit_transform(list(gold.texts), embeddings=gold.vectors)[:, 0])
        yield np.stack(columns, axis=1).astype(np.float64), time.monotonic() - started


def cosine(gold: Labels, with_windows: bool) -> tuple[Scores, float]:
    """Likeness (n, k) to the nearest exemplar, of the paragraph or of whichever of its windows is nearest."""
    started = time.monotonic()
    found = _nearest(gold, gold.vectors)
    if with_windows:
        best = [_nearest(gold, rows).max(axis=0) for rows in gold.windows]
        found = (found + np.stack(best)) / 2
    return found, time.monotonic() - started


def _nearest(gold: Labels, rows: Vectors) -> Scores:
    return np.stack([(rows @ e.T).max(axis=1) for e in gold.exemplars], axis=1).astype(np.float64)


class _Encoder:
    """The project's vectors under the name that Turftopic asks for."""

    def __init__(self, embed: Embed) -> None:
        self._embed = embed

    def encode(self, sentences: Sequence[str], **_: object) -> Vectors:
        return self._embed(list(sentences))


def _bertopic(embed: Embed, **settings: object) -> BERTopic:
    """A BERTopic model as its defaults have it, but with a seed and the project's vectors."""
    from bertopic import BERTopic
    from bertopic.backend import BaseEmbedder
    from umap import UMAP

    backend = BaseEmbedder()
    backend.embed = lambda texts, verbose=False: embed(list(texts))
    reduce = UMAP(n_neighbors=15, n_components=5, min_dist=0.0, metric="cosine", random_state=SEED)
    return BERTopic(embedding_model=backend, umap_model=reduce, **settings)


def _topics(model: BERTopic, gold: Labels) -> list[int]:
    """Fit on all paragraphs. The vectors are copied: guided BERTopic changes those it is given."""
    with _quiet():
        topics, _ = model.fit_transform(list(gold.texts), gold.vectors.copy())
    return [int(topic) for topic in topics]


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        yield
