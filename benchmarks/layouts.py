"""Ways to lay paragraphs out on a map: seconds, memory, and how much of the neighbourhoods they keep.

    python -m benchmarks.layouts STORE [ROWS]

Needs a store with a snapshot. Each method runs in a separate process; libraries that are not installed
(benchmarks/requirements.txt) are named and skipped. docs/map.md has the results.
"""

from __future__ import annotations

import importlib.util
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.spatial import cKDTree

from narratives.discover.clustering import NEIGHBOURS
from narratives.discover.neighbours import find_neighbours
from narratives.discover.projection import START_SPREAD, _project_main_axes, project_to_map
from narratives.store import Store, open_snapshot

Floats = NDArray[Any]
QUERIES, AROUND = 2000, 10


def principal_axes(vectors: Floats) -> Floats:
    """The two axes of the largest variance."""
    return _project_main_axes(vectors)


def averaged_axes(vectors: Floats) -> Floats:
    """The same, of vectors that were averaged four times over their neighbours."""
    indices, cosines = find_neighbours(vectors, NEIGHBOURS)
    n = len(vectors)
    rows = np.repeat(np.arange(n), NEIGHBOURS)
    graph = sparse.csr_matrix((np.maximum(cosines, 0).ravel(), (rows, indices.ravel())), shape=(n, n))
    graph = graph + graph.T + sparse.identity(n)
    average = sparse.diags(1 / np.asarray(graph.sum(axis=1)).ravel()) @ graph
    smooth = vectors - vectors.mean(axis=0)
    for _ in range(4):
        smooth = average @ smooth
    return _project_main_axes(np.asarray(smooth, dtype=np.float32))


def built(vectors: Floats) -> Floats:
    """What a build does."""
    return project_to_map(vectors, [f"{row:08d}" for row in range(len(vectors))])


def barnes_hut(vectors: Floats) -> Floats:
    """scikit-learn's t-SNE on the same graph."""
    from sklearn.manifold import TSNE

    indices, cosines = find_neighbours(vectors, NEIGHBOURS)
    n = len(vectors)
    apart = np.sqrt(np.maximum(2 - 2 * cosines, 1e-9))
    graph = sparse.csr_matrix((apart.ravel(), (np.repeat(np.arange(n), NEIGHBOURS), indices.ravel())), shape=(n, n))
    start = _project_main_axes(vectors)
    start = (start * (START_SPREAD / start[:, 0].std())).astype(np.float32)
    model = TSNE(perplexity=4.6, init=start, random_state=0, n_jobs=1, metric="precomputed", max_iter=500)
    return np.asarray(model.fit_transform(graph))


def umap(vectors: Floats) -> Floats:
    """UMAP on the same graph."""
    from umap import UMAP

    indices, cosines = find_neighbours(vectors, NEIGHBOURS)
    own = np.arange(len(vectors))[:, None]
    known = (np.hstack([own, indices]), np.hstack([np.zeros_like(own), 1 - cosines]).astype(np.float32))
    start = _project_main_axes(vectors)
    start = (start / start.std() * 5).astype(np.float32)
    model = UMAP(NEIGHBOURS + 1, random_state=0, init=start, precomputed_knn=known, metric="cosine", n_jobs=1)
    return np.asarray(model.fit_transform(vectors))


def pacmap(vectors: Floats) -> Floats:
    """PaCMAP as its defaults have it, with a seed."""
    from pacmap import PaCMAP

    return np.asarray(PaCMAP(random_state=0).fit_transform(vectors.copy(), init="pca"))


METHODS: dict[str, tuple[str, Callable[[Floats], Floats]]] = {
    "principal axes": ("numpy", principal_axes),
    "averaged axes": ("scipy", averaged_axes),
    "as built": ("openTSNE", built),
    "Barnes-Hut": ("sklearn", barnes_hut),
    "UMAP": ("umap", umap),
    "PaCMAP": ("pacmap", pacmap),
}


def run(method: str, folder: Path) -> None:
    """One method, in this process; the seconds include the neighbours and what the library imports."""
    vectors = np.load(folder / "vectors.npy")
    started = time.monotonic()
    places = METHODS[method][1](vectors)
    seconds = time.monotonic() - started
    np.save(folder / "places.npy", places)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"{method:16} {seconds:6.1f} s {peak:6d} MB", end=" ", flush=True)


def judge(vectors: Floats, places: Floats, labels: NDArray[Any]) -> str:
    """Trustworthiness (Venna and Kaski 2001) and neighbours kept over some rows, and agreement of labels."""
    n, k = len(vectors), NEIGHBOURS
    asked = np.random.default_rng(0).choice(n, min(QUERIES, n), replace=False)
    likeness = vectors[asked] @ vectors.T
    likeness[np.arange(len(asked)), asked] = np.inf
    ranks = np.empty(likeness.shape, np.int32)
    ordered = np.argsort(-likeness, axis=1)
    np.put_along_axis(ranks, ordered, np.broadcast_to(np.arange(n, dtype=np.int32), ranks.shape), 1)
    around = cKDTree(places).query(places[asked], k + 1)[1]
    around = np.array([row[row != own][:k] for row, own in zip(around, asked, strict=True)])
    found = np.take_along_axis(ranks, around, 1)
    missed = np.maximum(found - k, 0).sum()
    trust = 1 - 2 * missed / (len(asked) * k * (2 * n - 3 * k - 1))
    named = np.flatnonzero(labels != "")
    beside = cKDTree(places[named]).query(places[named], AROUND + 1)[1][:, 1:]
    agree = (labels[named][beside] == labels[named][:, None]).mean()
    kept = (found <= k).mean()
    return f"trustworthiness {trust:.3f}, neighbours kept {kept:.2f}, narrative agrees {agree:.2f}"


def main(path: Path, most: int) -> None:
    """Measure every method that is installed."""
    snapshot = open_snapshot(path)
    rows = snapshot.frame(
        """
        SELECT p.paragraph_id, p.text, coalesce((
                   SELECT arg_max(a.narrative_id, a.score) FROM snap.assignments a
                   WHERE a.paragraph_id = p.paragraph_id AND a.origin = 'codebook'), '') AS narrative
        FROM snap.paragraphs p WHERE p.statement AND p.duplicate_of = '' ORDER BY md5(p.paragraph_id)
        """
    ).head(most)
    manifest = snapshot.meta()
    dimension = 384
    vectors = Store(path).vectors(manifest.model, manifest.variant, dimension).get(rows["text"].tolist())
    print(f"{len(rows):,} paragraphs")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        np.save(folder / "vectors.npy", vectors)
        for method, (library, _) in METHODS.items():
            if importlib.util.find_spec(library) is None:
                print(f"{method:16} skipped: {library} is not installed")
                continue
            subprocess.run([sys.executable, "-m", "benchmarks.layouts", "--run", method, name], check=True)
            places = np.load(folder / "places.npy")
            print(judge(vectors, places, rows["narrative"].to_numpy(dtype="U")))


if __name__ == "__main__":
    if sys.argv[1] == "--run":
        run(sys.argv[2], Path(sys.argv[3]))
    else:
        main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1 << 30)
