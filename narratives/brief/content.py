"""What a brief tells: the figures, the three charts' numbers and the paragraphs, from one snapshot."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from narratives.model import QualityMetrics, Slice, SliceTotals, SnapshotManifest, SuppressionRule
from narratives.model.slice import GroupBy

MAX_TREND_CHARTS = 6  # narratives in the first chart, and columns of the third
MAX_RANKED_ROWS = 16  # rows of the second chart
MAX_GROUPS = 8  # rows of the third
MAX_PARAGRAPHS = 5


@dataclass(frozen=True, slots=True)
class Brief:
    """The content of a brief.

    `trend` has a row for every period and narrative, `ranked` one a narrative over the whole slice, most
    prevalent first, `groups` one for each of the groups (`group`, of `grouping`) and of the first
    MOST_SMALL narratives: all with share, limits and base as `measure` gives them. `shifts` are change
    points; `evidence` the chosen paragraphs (see `brief_queries.best`). All but `totals` are empty where the
    slice holds no dated statement.
    """

    slice: Slice
    manifest: SnapshotManifest
    names: Mapping[str, str]
    totals: SliceTotals
    base: SuppressionRule
    trend: pd.DataFrame
    ranked: pd.DataFrame
    shifts: pd.DataFrame
    grouping: GroupBy
    groups: pd.DataFrame
    evidence: pd.DataFrame
    quality: QualityMetrics | None
    quality_caveat: str
    uncorrected: str
    checked: str
