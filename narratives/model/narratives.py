"""Narratives, what was assigned to them, and what became of them from snapshot to snapshot."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Origin = Literal["codebook", "discovered"]
AssignmentStatus = Literal["auto", "confirmed", "rejected"]
LineageKind = Literal[
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

# A cluster is offered as a narrative if it takes a stance (see track/stance.py) and makes one claim.
MIN_STANCE = 0.3
MIN_COHESION = 0.5


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
    status: AssignmentStatus = "auto"
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
        claim = self.stance >= MIN_STANCE and self.cohesion >= MIN_COHESION
        return claim and self.recurring and not self.routine and not self.narrative_id


@dataclass(frozen=True, slots=True)
class PreviousSnapshot:
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
class LineageEvent:
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

    kind: LineageKind
    subject: str
    name: str
    origin: Origin
    related: tuple[str, ...] = ()
    shares: tuple[float, ...] = ()
    note: str = ""


Verdict = Literal["accepted", "rejected", "undecided"]


def compute_text_key(text: str) -> str:
    """What a decision knows its paragraph by: a hash (32 hex digits) of the text, white space aside."""
    plain = " ".join(unicodedata.normalize("NFC", text).split())
    # Some sources hold lone surrogates, which UTF-8 has no bytes for.
    return hashlib.sha256(plain.encode("utf-8", "surrogatepass")).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class LabelledText:
    """A paragraph with what people (or other annotators) say of it: narrative id to verdict.

    `document` groups paragraphs of one source, so that none is tested on what its neighbours taught; it is
    never empty (a text of unknown source is a document of its own). `row` is its 1-based line.
    """

    row: int
    text: str
    document: str
    verdicts: Mapping[str, Verdict]


@dataclass(frozen=True, slots=True)
class Decision:
    """One entry of the decisions log. `decision_id` counts up; of two on the same pair the later one holds.

    `decided_at` is ISO 8601 UTC; `text_key` is that of `text`, the paragraph as it stood.
    """

    decision_id: int
    decided_at: str
    who: str
    why: str
    text_key: str
    text: str
    document: str
    narrative_id: str
    verdict: Verdict
