"""Shares with their intervals, and the choice of a sensible period. Pure: frames in, frames out."""

from narratives.measure.intervals import wilson
from narratives.measure.prevalence import choose_granularity, with_share

__all__ = ["choose_granularity", "wilson", "with_share"]
