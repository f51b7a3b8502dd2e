"""Snapshots, vectors and inputs on disk, and the queries of pages and exports."""

from narratives.store.decisions import DECISIONS_FILE, DecisionLog, hash_decisions
from narratives.store.exports import DEFAULT_COPIES, EXPORT_TABLES, check_slice, export_slice, frame_to_csv, write_table
from narratives.store.files import Evaluation, SpotChecks, write_evaluation
from narratives.store.limits import Turns, get_download_limits, get_page_limits
from narratives.store.parsed import ParsedDocument, ParsedDocuments
from narratives.store.queries import format_filters
from narratives.store.queries.map import MapPoints
from narratives.store.queries.words import MAX_SEARCH_LENGTH, MAX_SEARCH_TERMS
from narratives.store.snapshot_reader import SCHEMA_VERSION, Snapshot
from narratives.store.store import Store, open_snapshot
from narratives.store.vectors import VectorFile

__all__ = [
    "DECISIONS_FILE",
    "DEFAULT_COPIES",
    "EXPORT_TABLES",
    "MAX_SEARCH_LENGTH",
    "MAX_SEARCH_TERMS",
    "SCHEMA_VERSION",
    "DecisionLog",
    "Evaluation",
    "MapPoints",
    "ParsedDocument",
    "ParsedDocuments",
    "Snapshot",
    "SpotChecks",
    "Store",
    "Turns",
    "VectorFile",
    "check_slice",
    "export_slice",
    "format_filters",
    "frame_to_csv",
    "get_download_limits",
    "get_page_limits",
    "hash_decisions",
    "open_snapshot",
    "write_evaluation",
    "write_table",
]
