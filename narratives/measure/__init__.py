"""Statistics, without input or output: shares, intervals, suppression, correction, changes, quality."""

from narratives.measure.classification import ScoredPairs, compute_calibration, compute_quality
from narratives.measure.correction import (
    SAMPLE_RULE,
    choose_suppression_rule,
    compute_precision,
    correct_and_suppress,
    correct_shares,
    smooth_shares,
    suppress_small_bases,
)
from narratives.measure.review import ReviewFigures, Stratum, compute_kappa, compute_review_figures
from narratives.measure.shares import (
    add_shares,
    choose_granularity,
    compute_difference,
    find_change_points,
    find_trends,
)
from narratives.measure.spread import compute_cooccurrence, find_first_uses

__all__ = [
    "SAMPLE_RULE",
    "ReviewFigures",
    "ScoredPairs",
    "Stratum",
    "add_shares",
    "choose_granularity",
    "choose_suppression_rule",
    "compute_calibration",
    "compute_cooccurrence",
    "compute_difference",
    "compute_kappa",
    "compute_precision",
    "compute_quality",
    "compute_review_figures",
    "correct_and_suppress",
    "correct_shares",
    "find_change_points",
    "find_first_uses",
    "find_trends",
    "smooth_shares",
    "suppress_small_bases",
]
