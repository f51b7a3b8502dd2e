"""Vectors of paragraphs, matching with a codebook, and recurring clusters with an identity."""

from narratives.track.background import Background, Embed, load_background, make_background
from narratives.track.claims import Claim, Statements, find_claims, parts
from narratives.track.cluster import cluster
from narratives.track.describe import ROUTINE, Alignment, describe, describe_claims
from narratives.track.encoder import Encoder, Vectors, load_encoder
from narratives.track.identity import TOPIC, keep_ids
from narratives.track.layout import layout
from narratives.track.learn import Decided, Lessons, learn
from narratives.track.lineage import lineage
from narratives.track.match import Matcher, MatchResult, fit_matcher
from narratives.track.scale import Array, to_score
from narratives.track.stance import PAIRS
from narratives.track.windows import windows

__all__ = [
    "PAIRS",
    "ROUTINE",
    "TOPIC",
    "Alignment",
    "Array",
    "Background",
    "Claim",
    "Decided",
    "Embed",
    "Encoder",
    "Lessons",
    "MatchResult",
    "Matcher",
    "Statements",
    "Vectors",
    "cluster",
    "describe",
    "describe_claims",
    "find_claims",
    "fit_matcher",
    "keep_ids",
    "layout",
    "learn",
    "lineage",
    "load_background",
    "load_encoder",
    "make_background",
    "parts",
    "to_score",
    "windows",
]
