"""Vectors of paragraphs, matching with a codebook, and recurring clusters with an identity."""

from narratives.track.background import Background, load_background, make_background
from narratives.track.cluster import cluster
from narratives.track.describe import ROUTINE, Alignment, Statements, describe
from narratives.track.encoder import Encoder, Vectors, load_encoder
from narratives.track.identity import keep_ids
from narratives.track.match import Matcher, MatchResult, fit_matcher
from narratives.track.windows import windows

__all__ = [
    "ROUTINE",
    "Alignment",
    "Background",
    "Encoder",
    "MatchResult",
    "Matcher",
    "Statements",
    "Vectors",
    "cluster",
    "describe",
    "fit_matcher",
    "keep_ids",
    "load_background",
    "load_encoder",
    "make_background",
    "windows",
]
