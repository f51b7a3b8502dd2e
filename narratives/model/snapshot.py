"""The content and the manifest of a snapshot, and the results of the overview queries."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from narratives.model.documents import Document, Event, Rejected, Speaker
from narratives.model.narratives import Assignment, Cluster, Codebook, LineageEvent


@dataclass(frozen=True, slots=True)
class InputRecord:
    """One input of a build: its path, and the hash under which the store keeps its rows.

    `refusals` is the hash of the rejected rows of a later reading, while the earlier rows remain; or empty.
    """

    path: Path
    source_path: str
    hash: str
    columns: Mapping[str, str] = field(default_factory=dict)
    manifest: Mapping[str, str] = field(default_factory=dict)
    refusals: str = ""

    @property
    def keys(self) -> tuple[str, ...]:
        """All hashes under which the store keeps rows of this input."""
        return (self.hash, self.refusals) if self.refusals else (self.hash,)


@dataclass(frozen=True, slots=True)
class SnapshotManifest:
    """The manifest of a snapshot: its inputs, versions, parameters and files.

    `built_at` is ISO 8601 UTC. `fingerprint` is a hash of everything that determines the build. `notice` is a
    caveat that every page and export must show, or empty. `checksums` (sha256 hex) and `sizes` (bytes) are
    keyed by file name. `predecessor` is the previous snapshot, or empty; `Snapshot.lineage` has the changes
    since then.
    """

    snapshot_id: str
    built_at: str
    fingerprint: str
    inputs: tuple[InputRecord, ...]
    versions: Mapping[str, str]
    parameters: Mapping[str, str]
    counts: Mapping[str, int]
    model: str
    variant: str
    notice: str
    checksums: Mapping[str, str]
    sizes: Mapping[str, int]
    predecessor: str = ""


@dataclass(frozen=True, slots=True)
class SnapshotContent:
    """Everything that a build writes into a snapshot. The order of the sequences has no meaning.

    `copies` maps the id of a copied paragraph to the id of its original. `statements` are the ids of the
    statement paragraphs. `counts` are figures for the manifest that are not in the tables. Candidates are
    those `clusters` with `is_candidate`; the assignments of their members have the origin `discovered` and
    the id of the cluster. `layout` has the map position (x, y) of paragraphs; the others are not on the map.
    `thresholds` are the thresholds in use, by narrative; decisions may have changed those of the codebook.
    """

    documents: Sequence[Document]
    rejected: Sequence[Rejected]
    copies: Mapping[str, str]
    statements: Collection[str]
    assignments: Sequence[Assignment]
    narratives: Codebook
    clusters: Sequence[Cluster] = ()
    events: Sequence[Event] = ()
    speakers: Sequence[Speaker] = ()
    inputs: tuple[InputRecord, ...] = ()
    fingerprint: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)
    counts: Mapping[str, int] = field(default_factory=dict)
    model: str = ""
    variant: str = ""
    notice: str = ""
    predecessor: str = ""
    lineage: Sequence[LineageEvent] = ()
    layout: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    thresholds: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FilterOptions:
    """The choices of the filters. Counts are original statement paragraphs.

    `speakers` and `outlets` are (name, count), most frequent first; the name is empty if none is given.
    `years` are ascending. `narratives` has the columns narrative_id, name, origin, definition, colour and
    paragraphs, in codebook order with candidates last.
    """

    speakers: list[tuple[str, int]]
    outlets: list[tuple[str, int]]
    years: list[str]
    narratives: pd.DataFrame


@dataclass(frozen=True, slots=True)
class SliceTotals:
    """The totals of a slice. The narrative filter has no effect, because it narrows no denominator.

    documents        documents with at least one statement paragraph in the slice
    paragraphs       paragraphs of every kind in the slice
    statements       statement paragraphs in the slice: assigned + unassigned
    assigned         those that advance at least one narrative or belong to a candidate
    candidates_only  those of `assigned` that belong to discovered candidates only
    unassigned       those that belong to no narrative and no candidate
    placed           those that have a period of the slice's granularity: the denominators of charts
    undated          statements that may belong to the slice but whose date is absent or too coarse for its
                     granularity or its date range; without a date range, placed + undated = statements
    copies           statements that repeat an earlier paragraph, for any setting of the copies filter
    other_language   paragraphs that are no statements because the model does not read their language
    speakers         different people and organisations named as speakers of statements
    routine          statements of routine topics (greetings, agendas, protocol)
    routine_unassigned those of `routine` that belong to no narrative and no candidate
    """

    documents: int
    paragraphs: int
    statements: int
    assigned: int
    candidates_only: int
    unassigned: int
    placed: int
    undated: int
    copies: int
    other_language: int
    speakers: int
    routine: int
    routine_unassigned: int
