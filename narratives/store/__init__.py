"""Snapshots, vectors and inputs on disk; the queries that pages and exports ask of them."""

from narratives.store import brief_queries, map_queries, method_queries
from narratives.store.connection import SCHEMA_VERSION
from narratives.store.csv import to_csv
from narratives.store.decisions import NAME as DECISIONS
from narratives.store.decisions import DecisionLog, digest
from narratives.store.evaluations import Evaluation, read_evaluation, write_evaluation
from narratives.store.export import DEFAULT_COPIES, TABLES, check_slice, export
from narratives.store.formats import write
from narratives.store.limits import Limits, Turns, for_files, for_pages
from narratives.store.map_queries import MapPoints
from narratives.store.queries import Snapshot
from narratives.store.records import InputRecord, Manifest, Options, SnapshotContent, Totals
from narratives.store.slices import LONGEST_SEARCH, MOST_TERMS, Near, Sort, terms, written
from narratives.store.spotchecks import SpotChecks
from narratives.store.store import Store, open_snapshot, verify
from narratives.store.vectors import VectorFile

__all__ = [
    "DECISIONS",
    "DEFAULT_COPIES",
    "LONGEST_SEARCH",
    "MOST_TERMS",
    "SCHEMA_VERSION",
    "TABLES",
    "DecisionLog",
    "Evaluation",
    "InputRecord",
    "Limits",
    "Manifest",
    "MapPoints",
    "Near",
    "Options",
    "Snapshot",
    "SnapshotContent",
    "Sort",
    "SpotChecks",
    "Store",
    "Totals",
    "Turns",
    "VectorFile",
    "brief_queries",
    "check_slice",
    "digest",
    "export",
    "for_files",
    "for_pages",
    "map_queries",
    "method_queries",
    "open_snapshot",
    "read_evaluation",
    "terms",
    "to_csv",
    "verify",
    "write",
    "write_evaluation",
    "written",
]
