"""Vectors, a codebook and decisions to scores."""

from narratives.match.calibration import Background, load_background, make_background, to_score
from narratives.match.learning import LabelledPairs, LearnedCorrections, learn_corrections
from narratives.match.matcher import Matcher, MatchResult, fit_matcher

__all__ = [
    "Background",
    "LabelledPairs",
    "LearnedCorrections",
    "MatchResult",
    "Matcher",
    "fit_matcher",
    "learn_corrections",
    "load_background",
    "make_background",
    "to_score",
]
