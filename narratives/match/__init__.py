"""Vectors, a codebook and decisions to scores."""

from narratives.match.calibration import Background, load_background, make_background, to_score
from narratives.match.learning import (
    ClassifyFunction,
    Combination,
    Gains,
    LabelledPairs,
    LearnedCorrections,
    assign_folds,
    fit_combination,
    is_near,
    learn_corrections,
)
from narratives.match.matcher import Matcher, MatchResult, fit_matcher

__all__ = [
    "Background",
    "ClassifyFunction",
    "Combination",
    "Gains",
    "LabelledPairs",
    "LearnedCorrections",
    "MatchResult",
    "Matcher",
    "assign_folds",
    "fit_combination",
    "fit_matcher",
    "is_near",
    "learn_corrections",
    "load_background",
    "make_background",
    "to_score",
]
