"""Build progress, build counts, and quality metrics."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, Protocol

from narratives.model.documents import Rejected

# The exit statuses of a command. The dashboard reads those of the builds that it starts.
EXIT_NOTHING_READ, EXIT_USAGE, EXIT_BUSY, EXIT_STOPPED = 1, 2, 3, 130

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
    absent           those of `rejected` that do not exist and are therefore not recorded in the store
    unused           columns of the named tables that are not used
    encoded, reused  texts that were encoded; texts whose vectors were already in the store
    notes            damage that was found in the store, and how it was handled

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
class SpotCheck:
    """The result of a spot check: of `judged` random paragraphs of a narrative, `advancing` advance it."""

    narrative_id: str
    judged: int
    advancing: int


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
