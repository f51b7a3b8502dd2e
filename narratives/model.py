"""The frozen records that cross the doors between rooms, and the errors. Imports nothing of ours."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Literal, Protocol

Kind = Literal["title", "heading", "body", "question"]
RawKind = Literal["", "heading", "body", "question", "quote", "list-item"]
Voice = Literal["own", "quoted", "reported", "outlet", "question"]
TextKind = Literal["verbatim", "paraphrase"]
DatePrecision = Literal["day", "month", "year", "none"]
Granularity = Literal["year", "half", "quarter", "month"]
Unit = Literal["paragraph", "document"]
Copies = Literal["originals", "copies", "all"]
Origin = Literal["codebook", "discovered"]
Status = Literal["auto", "confirmed", "rejected"]
Change = Literal[
    "kept",
    "birth",
    "death",
    "merge",
    "split",
    "rename",
    "offered",
    "withdrawn",
    "added",
    "removed",
    "changed",
]

MIN_STATEMENT_WORDS = 5
# A cluster is offered as a narrative if it takes a stance (see track/stance.py) and makes one claim.
LEAST_STANCE = 0.6
LEAST_COHESION = 0.5


# --- errors -------------------------------------------------------------------------------------------
class NarrativesError(Exception):
    """A failure that the person can mend: what was expected, what came, what to do next."""

    def __init__(self, expected: str, got: str, todo: str) -> None:
        super().__init__(f"Expected {expected}; got {got}. {todo}")
        self.expected, self.got, self.todo = expected, got, todo


class ReadError(NarrativesError):
    """An input, or one row of it, cannot be read."""


class ConfigError(NarrativesError):
    """A codebook, speakers, events or decisions file is not as it should be."""


class EncoderError(NarrativesError):
    """The model cannot be loaded, or is not the one it claims to be."""


class StoreError(NarrativesError):
    """A store, snapshot or vector file is missing, corrupt or in use."""


class StoreBusyError(StoreError):
    """Another build holds the store."""


class UsageError(NarrativesError):
    """The command was called with arguments that cannot be meant."""


# --- progress -----------------------------------------------------------------------------------------
class Progress(Protocol):
    """Called as work goes on; `total` is None while it is not yet known."""

    def __call__(self, stage: str, done: int, total: int | None) -> None: ...


def silent(stage: str, done: int, total: int | None) -> None:
    """The progress of nobody looking."""


# --- reading ------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class InputFile:
    """One file to read: where it lies, what the person called it, and what a manifest.csv says of it."""

    path: Path
    source_path: str
    manifest: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RawParagraph:
    """A paragraph as the input gives it; `speaker` is whom the source names for it, or empty.

    `kind` is what the source shows it to be: `heading`, `body`, `question`, `quote` (a block quote) or
    `list-item`; empty where it shows nothing. `labelled` says that the source names the speaker at this very
    paragraph; a speaker without it is carried on from an earlier one, a label without a speaker stands in
    the text.
    """

    text: str
    speaker: str = ""
    source_ref: str = ""
    kind: RawKind = ""
    labelled: bool = False


@dataclass(frozen=True, slots=True)
class RawDocument:
    """A document as read, before any parsing. Either `text` is given or `paragraphs` are.

    `row` is the 1-based row in a table or line of JSONL, 0 for a whole-file document.
    """

    source_path: str
    row: int = 0
    text: str = ""
    paragraphs: tuple[RawParagraph, ...] = ()
    id: str = ""
    url: str = ""
    outlet: str = ""
    title: str = ""
    date: str = ""
    speaker: str = ""
    language: str = ""
    source_ref: str = ""
    text_kind: TextKind = "verbatim"
    # Fields that a manifest.csv set: they override what the text says, plain metadata fields only supply.
    from_manifest: tuple[str, ...] = ()
    # What `date` dates: "posted" the page, which yields to a date of the statement itself; "" or a word for
    # where it stands: the statement.
    date_source: str = ""
    # The summary that a page sets between its title and its text.
    lead: str = ""


@dataclass(frozen=True, slots=True)
class Rejected:
    """An input, or a row of one, that could not be read, with the reason in words."""

    source_path: str
    row: int
    reason: str


# --- parsing ------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Paragraph:
    """One paragraph of a parsed document: the unit that is embedded, matched and counted.

    `speaker` is a canonical name or empty (an outlet's own voice, or unknown); `language` is ISO 639-1 or
    empty; `words` counts the words of `text`.
    """

    paragraph_id: str
    document_id: str
    position: int
    kind: Kind
    text: str
    speaker: str = ""
    speaker_method: str = ""
    quoted_person: str = ""
    voice: Voice = "outlet"
    language: str = ""
    source_ref: str = ""
    words: int = 0


@dataclass(frozen=True, slots=True)
class Document:
    """A parsed document. `date` is `YYYY[-MM[-DD]]` or empty; `boilerplate` counts the blocks taken away."""

    document_id: str
    source_path: str
    row: int
    url: str
    outlet: str
    title: str
    date: str
    date_precision: DatePrecision
    date_source: str
    language: str
    text_kind: TextKind
    source_ref: str
    paragraphs: tuple[Paragraph, ...]
    boilerplate: int = 0


@dataclass(frozen=True, slots=True)
class Role:
    """A post that a speaker held from `start` to `end` (inclusive, None: open)."""

    title: str
    start: date | None = None
    end: date | None = None


@dataclass(frozen=True, slots=True)
class Speaker:
    """One person or body of the roster: `name` is canonical, `aliases` are other spellings of it."""

    name: str
    aliases: tuple[str, ...] = ()
    roles: tuple[Role, ...] = ()
    affiliation: str = ""


@dataclass(frozen=True, slots=True)
class Event:
    """A dated event that the charts mark; `source` is a page that says so."""

    date: date
    name: str
    source: str
    narratives: tuple[str, ...] = ()


# --- tracking -----------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Narrative:
    """A codebook narrative. `exemplars` advance it, `contrasts` are near misses that do not.

    `cues` are phrases (matched as whole words, without case) that are lexical evidence; `threshold` is the
    calibrated score from which a paragraph is said to advance it, None for the shared default.
    """

    id: str
    name: str
    definition: str
    includes: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()
    exemplars: tuple[str, ...] = ()
    contrasts: tuple[str, ...] = ()
    cues: tuple[str, ...] = ()
    parent: str = ""
    colour: str = ""
    threshold: float | None = None
    replaces: tuple[str, ...] = ()

    @property
    def digest(self) -> str:
        """12 hex digits of all that decides which paragraphs advance it: not its name, parent or colour."""
        terms = (self.definition, self.includes, self.excludes, self.exemplars, self.contrasts, self.cues)
        return hashlib.sha256(repr((terms, self.threshold)).encode()).hexdigest()[:12]


@dataclass(frozen=True, slots=True)
class Codebook:
    """All narratives of one codebook file, in its order; `digest` is the sha256 of the file."""

    narratives: tuple[Narrative, ...]
    digest: str
    source: str = ""


@dataclass(frozen=True, slots=True)
class Assignment:
    """A paragraph advances a narrative: the score, and the exemplar and sentence that speak most for it."""

    paragraph_id: str
    narrative_id: str
    score: float
    origin: Origin = "codebook"
    status: Status = "auto"
    exemplar: str = ""
    sentence: str = ""


@dataclass(frozen=True, slots=True)
class Cluster:
    """A recurring cluster of statement paragraphs.

    `cluster_id` ends in 8 hex digits; `narrative_id` is the codebook narrative that explains it or
    empty; `purity` is the share of members assigned to that narrative, or to the nearest one where none
    explains it; `nearest` is always filled where a codebook is given. `representatives` are paragraph ids,
    most central first, a subset of `members`.

    There are two kinds. A topic (`t-`) is a group of like paragraphs, each in one topic at most. A claim
    (`c-`) is named by a clause that paragraphs of many documents come near to: `stance` is how claim-like it
    is (track/stance.py), `fits` how near each member is, and `cohesion` the mean of that, 0 for a topic.
    """

    cluster_id: str
    name: str
    phrases: tuple[str, ...]
    members: tuple[str, ...]
    representatives: tuple[str, ...]
    narrative_id: str
    nearest: str
    purity: float
    recurring: bool
    routine: bool
    stance: float = 1.0
    cohesion: float = 1.0
    fits: tuple[tuple[str, float], ...] = ()

    @property
    def is_candidate(self) -> bool:
        """Whether it is offered as a discovered narrative: a claim that recurs, and not in the codebook."""
        claim = self.stance >= LEAST_STANCE and self.cohesion >= LEAST_COHESION
        return claim and self.recurring and not self.routine and not self.narrative_id


@dataclass(frozen=True, slots=True)
class Earlier:
    """What a build must know of the snapshot before it; all empty for the first.

    `members` maps cluster ids to the ids of their paragraphs, `names` to their names; `candidates` are those
    that were offered; `codebook` maps narrative ids to name and digest ("" where unknown).
    """

    snapshot_id: str = ""
    members: Mapping[str, frozenset[str]] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    candidates: frozenset[str] = frozenset()
    codebook: Mapping[str, tuple[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Lineage:
    """What became of one narrative or cluster since the snapshot before.

    kept      the cluster has its id again; share: of the members of either, those that both have
    birth     a cluster of a new id; related: the clusters its members were in before, with their shares
    split     the same, where at least half of those members were in one cluster
    death     a cluster whose id is gone; related: the clusters its members are in now, with their shares
    merge     the same, where at least half of those members are in one cluster
    offered, withdrawn  a kept cluster became, or ceased to be, a discovered candidate
    rename    the name changed; `note` is the old one
    added, removed, changed  a codebook narrative is new, gone, or defined otherwise than before
    merge, split        also of codebook narratives that say so by `replaces`
    """

    kind: Change
    subject: str
    name: str
    origin: Origin
    related: tuple[str, ...] = ()
    shares: tuple[float, ...] = ()
    note: str = ""


# --- asking -------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Slice:
    """What a person asked to see: the filters that pages, charts and exports share.

    Empty tuples mean "all". `date_from` and `date_to` are partial dates, inclusive at their own precision
    (`2016` to `2017-06`). Speaker or outlet `""` inside a tuple means "none named".
    """

    speakers: tuple[str, ...] = ()
    outlets: tuple[str, ...] = ()
    narratives: tuple[str, ...] = ()
    date_from: str = ""
    date_to: str = ""
    copies: Copies = "originals"
    by: Granularity = "year"
    unit: Unit = "paragraph"


# --- reporting ----------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Counts:
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
class BuildReport:
    """What a build did.

    inputs_named     files that the arguments meant
    inputs_readable  those that gave at least one document, now or in an earlier build
    inputs_skipped   those of them that were read in an earlier build and have not changed
    rejected         what the named inputs could not give, with reasons
    encoded, reused  texts encoded now; texts whose vectors the store held already

    `snapshot` is empty and `counts` None where nothing could be read and the store was empty before.
    """

    snapshot: str
    unchanged: bool
    inputs_named: int
    inputs_readable: int
    inputs_skipped: int
    rejected: tuple[Rejected, ...]
    counts: Counts | None
    encoded: int
    reused: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Quality:
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
