"""Vectors to clusters, recurring claims and a map."""

from narratives.discover.claims import (
    STANCE_PAIRS,
    RecurringClaim,
    Statements,
    find_recurring_claims,
    split_for_embedding,
)
from narratives.discover.cluster_summaries import ROUTINE_TEXTS, AlignmentTargets, summarise_claims, summarise_clusters
from narratives.discover.clustering import cluster_paragraphs
from narratives.discover.identity import TOPIC_PREFIX, keep_ids, trace_lineage
from narratives.discover.projection import project_to_map

__all__ = [
    "ROUTINE_TEXTS",
    "STANCE_PAIRS",
    "TOPIC_PREFIX",
    "AlignmentTargets",
    "RecurringClaim",
    "Statements",
    "cluster_paragraphs",
    "find_recurring_claims",
    "keep_ids",
    "project_to_map",
    "split_for_embedding",
    "summarise_claims",
    "summarise_clusters",
    "trace_lineage",
]
