"""Compare topics with other ways of clustering: the same vectors, texts that people or annotators put into groups.

    .venv-peers/bin/python -m benchmarks.cluster_quality [--out docs/accuracy.md]

Needs the packages of benchmarks/requirements.txt, in a separate environment, and no network. Two sets: the paragraphs
of the reference labels that advance exactly one narrative, and the texts written for training that advance exactly one.
The groups are the narratives. Purity is the share of texts in a cluster that are of its most frequent group; the
adjusted Rand index counts pairs, and each text that is in no cluster counts as one of its own. k-means gets the number
of clusters that this project finds, and once the true number of groups. HDBSCAN and BERTopic have their usual settings,
and BERTopic runs with five seeds, of which the mean is shown.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import HDBSCAN, KMeans
from sklearn.metrics import adjusted_rand_score

from benchmarks.accuracy import replace_section
from benchmarks.make_classifier import ROOT, read_gold, read_rows
from narratives.discover import cluster_paragraphs
from narratives.embed import encode_all, load_encoder

SEEDS = 5
Labels = NDArray[np.int64]


def select_groups(rows: Iterable[dict[str, object]]) -> tuple[list[str], Labels]:
    """The texts that advance exactly one narrative without dispute, each once, and the numbers of their narratives."""
    groups = {}
    for row in rows:
        labels = list(row["labels"])  # type: ignore[call-overload]
        if len(labels) == 1 and not row["disputed"]:
            groups[str(row["text"])] = str(labels[0])
    numbers = {name: number for number, name in enumerate(sorted(set(groups.values())))}
    return list(groups), np.array([numbers[name] for name in groups.values()])


def compute_purity(truth: Labels, found: Labels) -> float:
    """The share of clustered texts that are of the most frequent group of their cluster."""
    inside = found >= 0
    kept = sum(int(np.bincount(truth[found == number]).max()) for number in np.unique(found[inside]))
    return kept / max(1, int(inside.sum()))


def compute_rand(truth: Labels, found: Labels) -> float:
    """The adjusted Rand index, with a cluster of its own for each text in none."""
    alone = found.copy()
    alone[found < 0] = found.max(initial=0) + 1 + np.arange((found < 0).sum())
    return float(adjusted_rand_score(truth, alone))


def run_bertopic(texts: Sequence[str], vectors: NDArray[np.float32], seed: int) -> Labels:
    from bertopic import BERTopic
    from umap import UMAP

    reduce = UMAP(n_neighbors=15, n_components=5, min_dist=0.0, metric="cosine", random_state=seed)
    topics, _ = BERTopic(umap_model=reduce).fit_transform(list(texts), vectors)
    return np.array(topics, dtype=np.int64)


def compare(name: str, texts: Sequence[str], truth: Labels) -> list[str]:
    """One row a method."""
    vectors = encode_all(load_encoder(variant="fp32"), texts)
    ids = [f"{number:05d}" for number in range(len(texts))]
    ours = cluster_paragraphs(ids, vectors)
    clusters, groups = int(ours.max()) + 1, int(truth.max()) + 1

    def k_means(k: int) -> Callable[[int], Labels]:
        return lambda seed: np.asarray(KMeans(k, n_init=10, random_state=seed).fit_predict(vectors), np.int64)

    methods: dict[str, Callable[[int], Labels]] = {
        "**this project**": lambda _: ours,
        f"k-means, {clusters} clusters": k_means(clusters),
        f"k-means, {groups} clusters": k_means(groups),
        "HDBSCAN": lambda _: np.asarray(HDBSCAN(min_cluster_size=5, copy=True).fit_predict(vectors), np.int64),
        "BERTopic": lambda seed: run_bertopic(texts, vectors, seed),
    }
    lines = []
    for method, run in methods.items():
        runs = [run(seed) for seed in range(1 if method in ("**this project**", "HDBSCAN") else SEEDS)]
        figures = [(compute_purity(truth, one), compute_rand(truth, one), float((one >= 0).mean())) for one in runs]
        purity, rand, covered = np.mean(figures, axis=0)
        number = np.mean([len(np.unique(one[one >= 0])) for one in runs])
        lines.append(f"| {name} | {method} | {number:.0f} | {covered:.2f} | {purity:.2f} | {rand:.2f} |")
        print(lines[-1], flush=True)
    return lines


def main() -> None:
    """Print the table, or put it into the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    table = ["| texts | method | clusters | in a cluster | purity | adjusted Rand index |", "|---|---|---|---|---|---|"]
    for name, rows in (("labelled", read_gold()), ("written", read_rows(ROOT / "benchmarks/training_texts.jsonl"))):
        texts, truth = select_groups(rows)
        table += compare(f"{len(texts):,} {name}", texts, truth)
    if given.out:
        page = given.out.read_text("utf-8")
        given.out.write_text(replace_section(page, "\n".join(table), "clusters"), "utf-8")


if __name__ == "__main__":
    main()
