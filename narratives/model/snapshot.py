"""What goes into a snapshot, what its manifest says, and what the overview queries return."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from narratives.model.documents import Document, Event, Rejected, Speaker
from narratives.model.narratives import Assignment, Cluster, Codebook, LineageEvent


@dataclass(frozen=True, slots=True)
class InputRecord:
    """One input of a build: where it lay, and the hash under which the ledger keeps its rows.

    `refusals` is the hash of what a later build could not take from it, its rows staying; empty for nothing.
    """

    path: Path
    source_path: str
    hash: str
    columns: Mapping[str, str] = field(default_factory=dict)
    manifest: Mapping[str, str] = field(default_factory=dict)
    refusals: str = ""

    @property
    def keys(self) -> tuple[str, ...]:
        """The hashes of all that the ledger keeps of it."""
        return (self.hash, self.refusals) if self.refusals else (self.hash,)


@dataclass(frozen=True, slots=True)
class SnapshotManifest:
    """What a snapshot is: from which inputs, by which versions and parameters, with which files.

    `built_at` is ISO 8601 UTC; `fingerprint` is the pipeline's hash of everything the build depended on;
    `notice` is a caveat that every page and export must show, or empty; `checksums` (sha256 hex) and
    `sizes` (bytes) are keyed by file name. `predecessor` is the snapshot that was current before, whose
    successor's changes are in `Snapshot.lineage`; empty for the first.
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
    """Everything a build hands over to be written. The order of the sequences does not matter.

    `copies` maps the id of a copied paragraph to that of its original; `statements` are the ids of the
    statement paragraphs; `counts` are figures for the manifest that the tables do not hold. Candidates are
    taken from `clusters`: those that recur, are not routine and are explained by no narrative; their
    members' assignments come with origin `discovered` and the cluster's id. `layout` places paragraphs on the
    map (x, y); those that it leaves out are not on it. `thresholds` are those in force, by narrative, which
    decisions may have moved from the codebook's.
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
    """What the filters can be set to. Counts are original statement paragraphs.

    `speakers` and `outlets` are (name, count), most frequent first; the name is empty where none is given.
    `years` are ascending. `narratives` has columns narrative_id, name, origin, definition, colour,
    paragraphs in codebook order, candidates last.
    """

    speakers: list[tuple[str, int]]
    outlets: list[tuple[str, int]]
    years: list[str]
    narratives: pd.DataFrame


@dataclass(frozen=True, slots=True)
class SliceTotals:
    """How much there is in a slice. The narrative filter plays no part, since it narrows no denominator.

    documents        documents with at least one statement paragraph in the slice
    paragraphs       paragraphs of every kind in the slice
    statements       statement paragraphs in the slice: assigned + unassigned
    assigned         those that advance at least one narrative or belong to a candidate
    candidates_only  those of `assigned` that only a discovered candidate claims
    unassigned       those that nothing claims
    placed           those that stand in some period of the slice's granularity: the charts' denominators
    undated          statements that may belong to the slice but whose date is absent or too coarse for its
                     granularity or its date range; without a date range, placed + undated = statements
    copies           statements that repeat an earlier paragraph, whatever the slice says of copies
    other_language   paragraphs that would be statements if the model read their language
    speakers         different people and bodies named as speakers of statements
    routine          statements of routine topics (greetings, agendas, protocol)
    routine_unassigned those of `routine` that nothing claims
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
