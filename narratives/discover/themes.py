"""Themes: groups of topics on related subjects."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from narratives.discover.neighbours import scale_sums, sum_on_grid
from narratives.model.text import VectorRows

MIN_THEMES, MAX_THEMES = 3, 60
# Themes for the square root of the number of topics.
THEMES_PER_ROOT = 1.3


def choose_theme_count(topics: int) -> int:
    """Choose the number of themes for so many topics: 1.3 times its root, 3 to 60 and at most a third of the topics."""
    return min(max(MIN_THEMES, round(THEMES_PER_ROOT * math.sqrt(topics))), MAX_THEMES, max(1, topics // 3))


def group_topics(vectors: VectorRows, topics: Sequence[Sequence[int]]) -> NDArray[np.int64]:
    """Group topics into themes: (t,) int64 labels, 0 for the theme with the most paragraphs and upwards.

    `vectors` (n, d) are unit rows of paragraphs, and `topics` the rows of each topic. Topics are joined by Ward's
    method on the directions of their centres, until there are as many themes as `choose_theme_count` says. A centre
    is an exact sum of whole numbers, and distances are computed by one thread, so the order of paragraphs and the
    number of threads do not change the result. Ties go by the order of the topics.

    Source: Ward 1963, Journal of the American Statistical Association 58, 236-244.
    """
    from scipy import sparse
    from scipy.cluster import hierarchy

    sizes = np.array([len(rows) for rows in topics], dtype=np.int64)
    if len(topics) < 2:
        return np.zeros(len(topics), dtype=np.int64)
    rows, owner = np.concatenate([np.asarray(rows) for rows in topics]), np.repeat(np.arange(len(topics)), sizes)
    member = sparse.csr_matrix((np.ones(len(rows)), (rows, owner)), shape=(len(vectors), len(topics)))
    centres = scale_sums(sum_on_grid(member, vectors))
    tree = hierarchy.linkage(centres, method="ward")
    found = hierarchy.fcluster(tree, choose_theme_count(len(topics)), criterion="maxclust") - 1
    totals = np.bincount(found, weights=sizes)
    first = np.array([int(np.flatnonzero(found == theme)[0]) for theme in range(len(totals))])
    rank = np.empty(len(totals), dtype=np.int64)
    rank[np.lexsort((first, -totals))] = np.arange(len(totals))
    labels: NDArray[np.int64] = rank[found]
    return labels
