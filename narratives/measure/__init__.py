"""Shares with their intervals, what they must rest on, how they change and spread; quality. Pure."""

from narratives.measure.change_points import changes
from narratives.measure.classification import quality
from narratives.measure.correction import corrected, judged, labels_of, precision_of
from narratives.measure.shares import (
    choose_granularity,
    clustered_interval,
    design,
    difference,
    wilson,
    with_share,
)
from narratives.measure.spread import cooccurrence, first_uses
from narratives.measure.suppression import base_of, smoothed, suppress_small_bases
from narratives.model.build_report import SuppressionRule

__all__ = [
    "SuppressionRule",
    "base_of",
    "changes",
    "choose_granularity",
    "clustered_interval",
    "cooccurrence",
    "corrected",
    "design",
    "difference",
    "first_uses",
    "judged",
    "labels_of",
    "precision_of",
    "quality",
    "smoothed",
    "suppress_small_bases",
    "wilson",
    "with_share",
]
