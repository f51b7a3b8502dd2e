"""Vectors, a codebook and decisions to scores."""

from narratives.match.calibration import Background, load_background, make_background, to_score
from narratives.match.learning import (
    MIN_ACCEPTED,
    NEAR_EVIDENCE,
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
from narratives.match.matcher import Matcher, MatchResult, fit_matcher, join_matchers
from narratives.match.prepared import PreparedTexts

__all__ = [
    "MIN_ACCEPTED",
    "NEAR_EVIDENCE",
    "Background",
    "ClassifyFunction",
    "Combination",
    "Gains",
    "LabelledPairs",
    "LearnedCorrections",
    "MatchResult",
    "Matcher",
    "PreparedTexts",
    "assign_folds",
    "fit_combination",
    "fit_matcher",
    "is_near",
    "join_matchers",
    "learn_corrections",
    "load_background",
    "make_background",
    "to_score",
]
