"""Drafts of narratives: exemplars and contrasts taken from a topic, a candidate or the results of a search."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from narratives import model
from narratives.model import ConfigError, Narrative, VectorArray
from narratives.store import Snapshot, Store, VectorFile
from narratives.store.queries.codebook import query_central_members, query_members, query_sources
from narratives.store.queries.map import query_paragraphs_by_id

EXEMPLARS, CONTRASTS = 8, 4  # taken at most
NEIGHBOURS = 3  # clusters from which contrasts are taken
MOST_WORDS = 60  # of a sentence that is taken
_NOT_IN_ID = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, slots=True)
class Source:
    """A topic or candidate that a narrative can be made from, with the number of its paragraphs."""

    cluster_id: str
    name: str
    size: int


def list_sources(snapshot: Snapshot) -> list[Source]:
    """List the candidates and topics of a snapshot, the largest first; routine topics are left out."""
    rows = query_sources(snapshot)
    return [Source(str(key), str(name), int(size)) for key, name, size in rows.itertuples(index=False, name=None)]


def make_id(name: str, taken: Sequence[str]) -> str:
    """Return an id made of a name that is not among the `taken` ones."""
    plain = "_".join(_NOT_IN_ID.sub(" ", name.casefold()).split()[:6]) or "narrative"
    number = 1
    while (key := plain if number == 1 else f"{plain}_{number}") in taken:
        number += 1
    return key


def draft_from_cluster(path: Path, snapshot: Snapshot, cluster_id: str) -> Narrative:
    """Draft a narrative from a cluster, with a name and without an id.

    Exemplars are, of its most central paragraphs, the sentences nearest to its centre; contrasts those of the nearest
    paragraphs of neighbouring clusters. Raises ConfigError if the snapshot does not have the cluster.
    """
    found = [source for source in list_sources(snapshot) if source.cluster_id == cluster_id]
    if not found:
        raise ConfigError("a topic or candidate of this snapshot", repr(cluster_id), "Choose one from the list.")
    vectors = _open_vectors(path, snapshot)
    central = query_central_members(snapshot, EXEMPLARS)
    members = {key: ids for key, ids in central.items() if key[:2] == cluster_id[:2]}  # of the same kind
    texts = _load_texts(snapshot, [key for keys in members.values() for key in keys])
    centres = {key: _get_centre(vectors.get([texts[m] for m in keys])) for key, keys in members.items()}
    own = centres[cluster_id]
    exemplars = [_take_sentence(texts[key], own, vectors) for key in members[cluster_id]]
    everyone = query_members(snapshot, cluster_id)
    contrasts = []
    for other in sorted(centres.keys() - {cluster_id}, key=lambda key: -float(centres[key] @ own))[:NEIGHBOURS]:
        near = [key for key in members[other] if key not in everyone]
        contrasts += [_take_sentence(texts[key], own, vectors) for key in near[:2]]
    return _make_draft(found[0].name, exemplars, contrasts)


def draft_from_search(
    path: Path, snapshot: Snapshot, phrase: str, vector: VectorArray, similar: Mapping[str, float]
) -> Narrative:
    """Draft a narrative from the results of a search by meaning, nearest first, for a phrase with this vector (d,).

    Exemplars are the sentences nearest to the phrase, contrasts those of the least similar results.
    """
    vectors = _open_vectors(path, snapshot)
    ids = list(similar)
    near = ids[: min(EXEMPLARS, -(-len(ids) * 2 // 3))]  # with few results, a third of them are left as contrasts
    far = ids[len(near) :][::-1][:CONTRASTS]
    texts = _load_texts(snapshot, [*near, *far])
    exemplars = [_take_sentence(texts[key], vector, vectors) for key in near if key in texts]
    contrasts = [_take_sentence(texts[key], vector, vectors) for key in far if key in texts]
    return _make_draft(phrase, exemplars, contrasts)


def _make_draft(name: str, exemplars: Sequence[str], contrasts: Sequence[str]) -> Narrative:
    name = name.strip().rstrip(".")
    chosen = tuple(dict.fromkeys(exemplars))[:EXEMPLARS]
    rest = tuple(text for text in dict.fromkeys(contrasts) if text not in chosen)[:CONTRASTS]
    return Narrative("", name[:1].upper() + name[1:], "", exemplars=chosen, contrasts=rest)


def _open_vectors(path: Path, snapshot: Snapshot) -> VectorFile:
    manifest = snapshot.meta()
    return Store(path).open_existing_vectors(manifest.model, manifest.variant)


def _load_texts(snapshot: Snapshot, ids: Sequence[str]) -> dict[str, str]:
    rows = query_paragraphs_by_id(snapshot, list(dict.fromkeys(ids)))
    return dict(zip(rows["paragraph_id"], rows["text"], strict=True))


def _get_centre(vectors: VectorArray) -> VectorArray:
    mean: VectorArray = vectors.mean(axis=0)
    return mean / np.linalg.norm(mean)


def _take_sentence(text: str, vector: VectorArray, vectors: VectorFile) -> str:
    """Return the sentence of a text that is nearest to a vector, at most MOST_WORDS words of it."""
    sentences = model.split_sentences(text)
    best = sentences[int(np.argmax(vectors.get(sentences) @ vector))] if len(sentences) > 1 else text
    return " ".join(str(best).split()[:MOST_WORDS])
