"""What a build makes: a snapshot, its manifest, counts, quality metrics and report; totals of a slice."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

import pandas as pd

from narratives.model.documents import Document, Event, Rejected, SkippedInput, Speaker
from narratives.model.narratives import Assignment, Cluster, Codebook, LineageEvent


@dataclass(frozen=True, slots=True)
class InputRecord:
    """One input of a build: its path, and the hash under which the store keeps its rows.

    `refusals` is the hash of the rejected rows of a later reading, while the earlier rows remain; or empty.
    `skipped` is the reason why it was not read, if it is clearly no text; or empty.
    """

    path: Path
    source_path: str
    hash: str
    columns: Mapping[str, str] = field(default_factory=dict)
    manifest: Mapping[str, str] = field(default_factory=dict)
    refusals: str = ""
    skipped: str = ""

    @property
    def keys(self) -> tuple[str, ...]:
        """All hashes under which the store keeps rows of this input."""
        return (self.hash, self.refusals) if self.refusals else (self.hash,)


@dataclass(frozen=True, slots=True)
class SnapshotManifest:
    """The manifest of a snapshot: its inputs, versions, parameters and files.

    `built_at` is ISO 8601 UTC. `fingerprint` is a hash of everything that determines the build. `notice` is a
    caveat that every page and export must show, or empty. `checksums` (sha256 hex) and `sizes` (bytes) are by file
    name. `predecessor` is the id of the previous snapshot, or empty. `decided` and `edited` are the ids of the last
    decision and the last edit that the build knew, or 0.
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
    decided: int = 0
    edited: int = 0


@dataclass(frozen=True, slots=True)
class SnapshotContent:
    """Everything that a build writes into a snapshot. The order of the sequences has no meaning.

    `copies` maps the id of a copied paragraph to that of its original. `statements` are the ids of the statement
    paragraphs. `counts` are for the manifest. The assignments of members of candidates have the origin `discovered`
    and the id of the cluster. `layout` has the map position (x, y) of paragraphs; the others are not on the map.
    `thresholds` are those in use, by narrative; decisions may have changed those of the codebook. `probabilities` are
    (paragraph id, narrative id, probability), and `rest` the mean of those that are not listed, by narrative. `decided`
    and `edited` are the ids of the last decision and the last edit that the build knew.
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
    probabilities: Sequence[tuple[str, str, float]] = ()
    rest: Mapping[str, float] = field(default_factory=dict)
    decided: int = 0
    edited: int = 0


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


# Who made labels or judgements. Every figure that is based on them states it.
AnnotationSource = Literal["machine", "human"]


class Progress(Protocol):
    """A callback for progress."""

    def __call__(self, stage: str, done: int, total: int | None) -> None:
        """Report that `done` of `total` items of a stage are complete; `total` is None while unknown."""


def no_progress(stage: str, done: int, total: int | None) -> None:
    """Ignore the progress."""


@dataclass(frozen=True, slots=True)
class BuildCounts:
    """The counts of a snapshot.

    documents            documents in the snapshot
    rejected             inputs and rows that could not be read
    undated              documents without a date
    boilerplate          blocks that were removed because they are no paragraphs
    paragraphs           paragraphs of every kind
    copies               paragraphs that repeat an earlier one, exactly or almost
    statements           original statement paragraphs: the denominator of shares
    not_matched_language paragraphs that are no statements because the model does not read their language
    assigned             statements that advance at least one codebook narrative
    candidates_only      statements that belong to discovered candidates only
    unassigned           statements that belong to no narrative and no candidate
    clusters, candidates recurring clusters; those of them that are offered as discovered narratives
    """

    documents: int
    rejected: int
    undated: int
    boilerplate: int
    paragraphs: int
    copies: int
    statements: int
    not_matched_language: int
    assigned: int
    candidates_only: int
    unassigned: int
    clusters: int
    candidates: int


@dataclass(frozen=True, slots=True)
class UnusedColumns:
    """The columns of one table, or manifest, that are not used."""

    source_path: str
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BuildReport:
    """The result of a build.

    inputs_named     number of files that the arguments named
    inputs_readable  those with at least one document, in this build or an earlier one
    inputs_skipped   those that an earlier build read and that have not changed
    rejected         inputs and rows that could not be read, with reasons
    skipped          what the inputs hold that is clearly no text, with reasons
    absent           those of `rejected` that do not exist and are therefore not recorded in the store
    unused           columns of the named tables that are not used
    encoded, reused  texts that were encoded; texts whose vectors were already in the store
    notes            damage that was found in the store, and how it was handled; what was assumed to read an input;
                     dates that could not be read whole

    `snapshot` is empty and `counts` is None if nothing could be read and the store was empty before.
    """

    snapshot: str
    unchanged: bool
    inputs_named: int
    inputs_readable: int
    inputs_skipped: int
    rejected: tuple[Rejected, ...]
    counts: BuildCounts | None
    encoded: int
    reused: int
    seconds: float
    skipped: tuple[SkippedInput, ...] = ()
    absent: tuple[Rejected, ...] = ()
    unused: tuple[UnusedColumns, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class QualityMetrics:
    """Agreement of the assignments with reference labels, for one narrative or over all.

    `narrative_id` is empty for the mean over narratives (macro). `support` counts the paragraphs whose label
    says that they advance the narrative, `negatives` the others (in the macro row: pairs of paragraph and
    narrative). Measures are between 0 and 1, each with its 95 % interval, and NaN if undefined. The
    false-positive rate is the share of the negatives that were assigned; older files lack it.
    """

    narrative_id: str
    support: int
    precision: float
    precision_low: float
    precision_high: float
    recall: float
    recall_low: float
    recall_high: float
    f1: float
    f1_low: float
    f1_high: float
    average_precision: float
    average_precision_low: float
    average_precision_high: float
    negatives: int = 0
    false_positive_rate: float = math.nan
    false_positive_rate_low: float = math.nan
    false_positive_rate_high: float = math.nan


@dataclass(frozen=True, slots=True)
class CalibrationBin:
    """Pairs of a paragraph and a narrative with similar scores: how many of them a careful annotator confirms.

    `pairs` were labelled; they stand for `weight` pairs of a corpus. `score` is their mean score and `share` the share
    that is confirmed, with its 95 % interval; both are weighted.
    """

    pairs: int
    weight: float
    score: float
    share: float
    share_low: float
    share_high: float


@dataclass(frozen=True, slots=True)
class ThresholdQuality:
    """Precision and recall over the pairs of all narratives if each is assigned from the score `threshold` up.

    Each has its 95 % interval. Precision is NaN where nothing reaches the threshold.
    """

    threshold: float
    precision: float
    precision_low: float
    precision_high: float
    recall: float
    recall_low: float
    recall_high: float


@dataclass(frozen=True, slots=True)
class Calibration:
    """How far scores are probabilities, over all labelled pairs, and what a threshold does.

    `bins` go from 0 to 1 in equal steps, without empty ones. `ratio` is the number of confirmed pairs in proportion to
    the sum of the scores, with its 95 % interval from resampling documents: 1 if the expected number is right.
    `thresholds` are in increasing order.
    """

    bins: tuple[CalibrationBin, ...]
    ratio: float
    ratio_low: float
    ratio_high: float
    thresholds: tuple[ThresholdQuality, ...] = ()

    def compute_error(self, above: float = 0.0) -> float:
        """Compute the expected calibration error of the bins above a score: mean distance of score and share."""
        chosen = [part for part in self.bins if part.score >= above]
        total = sum(part.weight for part in chosen)
        return sum(part.weight * abs(part.score - part.share) for part in chosen) / total if total else math.nan


@dataclass(frozen=True, slots=True)
class SpotCheck:
    """The result of a spot check: of `judged` random paragraphs of a narrative, `advancing` advance it.

    `others` paragraphs that were not assigned to it were judged as well, and `others_advancing` of them advance it. If
    they were drawn with unequal probabilities, these are effective numbers: those of a simple random sample with the
    same share and the same error.
    """

    narrative_id: str
    judged: int
    advancing: int
    others: float = 0.0
    others_advancing: float = 0.0


@dataclass(frozen=True, slots=True)
class Judgement:
    """A judgement of one pair of paragraph and narrative; `advances` is None for "unsure".

    `row` is the number of its row, starting at 1 below the header. `snapshot_id` is the snapshot from which
    the pair was drawn.
    """

    row: int
    snapshot_id: str
    paragraph_id: str
    narrative_id: str
    advances: bool | None


@dataclass(frozen=True, slots=True)
class SuppressionRule:
    """The smallest base of a share: documents, and positives expected at the overall share."""

    documents: int = 30
    expected: float = 5.0
