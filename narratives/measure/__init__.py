"""Shares with their intervals, what they must rest on, how they change and spread; quality. Pure."""

from narratives.measure.base import Base, base_of, smoothed, with_base
from narratives.measure.change import changes
from narratives.measure.clustered import clustered_interval, design
from narratives.measure.correction import corrected, judged, labels_of, precision_of
from narratives.measure.intervals import difference, wilson
from narratives.measure.prevalence import choose_granularity, with_share
from narratives.measure.quality import quality
from narratives.measure.spread import cooccurrence, first_uses

__all__ = [
    "Base",
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
    "wilson",
    "with_base",
    "with_share",
]
