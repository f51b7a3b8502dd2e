"""Shares with their intervals, agreement with reference labels, and the choice of a sensible period. Pure."""

from narratives.measure.clustered import clustered_interval, design
from narratives.measure.correction import corrected
from narratives.measure.intervals import difference, wilson
from narratives.measure.prevalence import choose_granularity, with_share
from narratives.measure.quality import quality

__all__ = [
    "choose_granularity",
    "clustered_interval",
    "corrected",
    "design",
    "difference",
    "quality",
    "wilson",
    "with_share",
]
