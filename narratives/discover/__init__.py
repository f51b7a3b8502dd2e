"""TODO"""

from narratives.discover.claims import PAIRS, RecurringClaim, Statements, find_recurring_claims, parts
from narratives.discover.cluster_summaries import ROUTINE, Alignment, describe, describe_claims
from narratives.discover.clustering import cluster
from narratives.discover.identity import TOPIC, keep_ids, trace_lineage
from narratives.discover.projection import project

__all__ = [
    "PAIRS",
    "ROUTINE",
    "TOPIC",
    "Alignment",
    "RecurringClaim",
    "Statements",
    "cluster",
    "describe",
    "describe_claims",
    "find_recurring_claims",
    "keep_ids",
    "parts",
    "project",
    "trace_lineage",
]
