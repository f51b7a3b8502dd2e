"""Snapshots, vectors and inputs on disk; the queries that pages and exports ask of them."""

from narratives.model.slice import terms
from narratives.model.snapshot import InputRecord, Manifest, Options, SnapshotContent, Totals
from narratives.store.decisions import DECISIONS, DecisionLog, digest
from narratives.store.exports import DEFAULT_COPIES, TABLES, check_slice, export, to_csv, write
from narratives.store.files import Evaluation, SpotChecks, read_evaluation, write_evaluation
from narratives.store.limits import Limits, Turns, for_files, for_pages
from narratives.store.queries import LONGEST_SEARCH, MOST_TERMS, Near, written
from narratives.store.queries.map import MapPoints
from narratives.store.snapshot_reader import SCHEMA_VERSION, Snapshot
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
