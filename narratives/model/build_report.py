"""What is told of a build: its progress, its counts, and how good what it assigned is."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, Protocol

from narratives.model.documents import Rejected

# Who made labels or judgements: it is said wherever a figure of them is shown.
AnnotationSource = Literal["machine", "human"]


class Progress(Protocol):
    """Called as work goes on; `total` is None while it is not yet known."""

    def __call__(self, stage: str, done: int, total: int | None) -> None: ...


def no_progress(stage: str, done: int, total: int | None) -> None:
    """The progress of nobody looking."""


@dataclass(frozen=True, slots=True)
class BuildCounts:
    """What a snapshot holds.

    documents            read and kept
    rejected             inputs and rows that could not be read
    undated              documents without any date
    boilerplate          blocks that are no paragraphs and were taken away
    paragraphs           of every kind
    copies               paragraphs that repeat an earlier one, exactly or nearly
    statements           original statement paragraphs: the denominator
    not_matched_language paragraphs that would be statements if the model read their language
    assigned             statements that advance at least one codebook narrative
    candidates_only      statements that only a discovered candidate claims
    unassigned           statements that nothing claims
    clusters, candidates recurring groups found; those offered as discovered narratives
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
    """The columns of one table, or manifest, that are read as none of our fields."""

    source_path: str
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BuildReport:
    """What a build did.

    inputs_named     files that the arguments meant
    inputs_readable  those that gave at least one document, now or in an earlier build
    inputs_skipped   those of them that were read in an earlier build and have not changed
    rejected         what the named inputs could not give, with reasons
    absent           those of `rejected` that are no part of the store, as they name nothing that is there
    unused           columns of the named tables that are read as none of our fields
    encoded, reused  texts encoded now; texts whose vectors the store held already
    notes            what was damaged in the store, and what was done about it

    `snapshot` is empty and `counts` None where nothing could be read and the store was empty before.
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
    absent: tuple[Rejected, ...] = ()
    unused: tuple[UnusedColumns, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class QualityMetrics:
    """How well what was assigned agrees with reference labels, for one narrative or over all.

    `narrative_id` is empty for the mean over narratives (macro); `support` counts the paragraphs that
    truly advance it, `negatives` those that do not (for the macro row: the pairs of paragraph and narrative).
    Measures are 0 to 1, each with its 95 % interval; NaN where undefined. The false-positive rate is the
    share of the negatives that were said to advance it; files written before it was measured lack it.
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
class SpotCheck:
    """Of `judged` paragraphs, drawn at random among those assigned to a narrative, `advancing` advance it."""

    narrative_id: str
    judged: int
    advancing: int


@dataclass(frozen=True, slots=True)
class Judgement:
    """What somebody says of one drawn pair of paragraph and narrative: `advances` is None where unsure.

    `row` is the number of its record, counted from the first under the header; `snapshot_id` says what the
    pair was drawn from.
    """

    row: int
    snapshot_id: str
    paragraph_id: str
    narrative_id: str
    advances: bool | None


@dataclass(frozen=True, slots=True)
class SuppressionRule:
    """What a share must rest on: so many documents, and so many positives expected at the overall share."""

    documents: int = 30
    expected: float = 5.0
