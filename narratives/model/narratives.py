"""Narratives, clusters, assignments, decisions, and changes from snapshot to snapshot."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Origin = Literal["codebook", "discovered"]
AssignmentStatus = Literal["auto", "confirmed", "rejected"]
LineageKind = Literal[
    "kept", "birth", "death", "merge", "split", "rename", "offered", "withdrawn", "added", "removed", "changed"
]

# A cluster is offered as a narrative if its members are this similar to one claim, and worded like claims on average.
MIN_STANCE = -0.05
MIN_COHESION = 0.5


@dataclass(frozen=True, slots=True)
class Narrative:
    """A codebook narrative. `exemplars` advance it, `contrasts` are near misses that do not.

    `cues` are phrases that count as lexical evidence; they match whole words, in any case. `threshold` is the lowest
    score at which a paragraph advances the narrative, or None for the shared default.
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
    def statements(self) -> tuple[str, ...]:
        """What stands for the narrative in matching: its exemplars, or its definition if it has none."""
        return self.exemplars or (self.definition,)

    @property
    def digest(self) -> str:
        """A hash (12 hex digits) of the definition and examples, without name, parent and colour."""
        terms = (self.definition, self.includes, self.excludes, self.exemplars, self.contrasts, self.cues)
        return hashlib.sha256(repr((terms, self.threshold)).encode()).hexdigest()[:12]


@dataclass(frozen=True, slots=True)
class Codebook:
    """All narratives of one codebook file, in file order; `digest` is the sha256 of the file."""

    narratives: tuple[Narrative, ...]
    digest: str
    source: str = ""


@dataclass(frozen=True, slots=True)
class Assignment:
    """A paragraph advances a narrative: the score, with the best exemplar and the best sentence."""

    paragraph_id: str
    narrative_id: str
    score: float
    origin: Origin = "codebook"
    status: AssignmentStatus = "auto"
    exemplar: str = ""
    sentence: str = ""


# The first characters of ids: of a recurring claim, a topic, and a theme.
CLAIM_PREFIX, TOPIC_PREFIX, THEME_PREFIX = "c-", "t-", "g-"


@dataclass(frozen=True, slots=True)
class Cluster:
    """A group of statement paragraphs: a theme, a topic or a claim.

    `cluster_id` ends in 8 hex digits. `narrative_id` is the codebook narrative that explains the cluster, or empty.
    `nearest` is the nearest narrative. `purity` is the share of members that are assigned to `narrative_id`, or else
    to `nearest`. `representatives` are ids of members, most central first. `theme_id` is the theme of a topic or claim.

    A topic (`t-`) is a group of similar paragraphs, each in at most one topic; a theme (`g-`) is a group of topics. A
    claim (`c-`) is a group of paragraphs with a similar sentence that is worded like a claim, and named after one of
    these (discover/claims.py): `fits` has for each member its similarity to the claim, and its sentence; `cohesion` is
    the mean of these similarities, 0 for topics. `stance` is how claim-like the sentences of a claim are on average,
    and the share of the members of a topic that are worded like a claim.
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
    fits: tuple[tuple[str, float, str], ...] = ()
    theme_id: str = ""

    @property
    def is_candidate(self) -> bool:
        """Whether it is offered as a discovered narrative: a recurring claim that is not in the codebook."""
        claim = self.stance >= MIN_STANCE and self.cohesion >= MIN_COHESION
        return claim and self.recurring and not self.routine and not self.narrative_id


@dataclass(frozen=True, slots=True)
class PreviousSnapshot:
    """What a build needs from the previous snapshot; all fields are empty for the first build.

    `members` maps cluster ids to paragraph ids, `names` to names. `candidates` are the ids of the offered
    clusters. `codebook` maps narrative ids to name and digest ("" if unknown).
    """

    snapshot_id: str = ""
    members: Mapping[str, frozenset[str]] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    candidates: frozenset[str] = frozenset()
    codebook: Mapping[str, tuple[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LineageEvent:
    """A change of one narrative or cluster since the previous snapshot.

    kept      the cluster keeps its id; share: the members in both versions among the members of either
    birth     a cluster with a new id; related: the earlier clusters of its members, with shares
    split     a birth, with at least half of those members from one earlier cluster
    death     a cluster whose id no longer exists; related: the present clusters of its members, with shares
    merge     a death, with at least half of those members now in one cluster
    offered, withdrawn  a kept cluster became, or is no longer, a discovered candidate
    rename    the name changed; `note` is the old name
    added, removed, changed  a codebook narrative is new, was removed, or has another definition
    merge, split        also for codebook narratives with `replaces`
    """

    kind: LineageKind
    subject: str
    name: str
    origin: Origin
    related: tuple[str, ...] = ()
    shares: tuple[float, ...] = ()
    note: str = ""


Verdict = Literal["accepted", "rejected", "undecided", "withdrawn"]
EditKind = Literal["narrative", "document", "speaker", "person", "note"]


def normalise_spaces(text: str) -> str:
    """Return a text in Unicode's composed form, with single spaces: decisions know a paragraph by this."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def compute_text_key(text: str) -> str:
    """Compute the key of a paragraph in the decisions log: a hash (32 hex digits) of its words."""
    # Some sources contain lone surrogates, which UTF-8 cannot encode.
    return hashlib.sha256(normalise_spaces(text).encode("utf-8", "surrogatepass")).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class LabelledText:
    """A paragraph with the verdicts of an annotator, by narrative id.

    `document` groups the paragraphs of one source, so that none is tested with a model fitted to its neighbours. It
    is never empty: a text of unknown source is its own document. `row` is the line number, starting at 1. `weight` is
    the number of paragraphs of a corpus that the text stands for, 0 if it was not drawn at random, and None if unknown.
    `who` is the annotator, if the file names one.
    """

    row: int
    text: str
    document: str
    verdicts: Mapping[str, Verdict]
    weight: float | None = None
    who: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """One entry of the decisions log. `decision_id` increases; the latest decision on a pair applies.

    `decided_at` is ISO 8601 UTC. `text` is the paragraph at that time, `text_key` the key of this text. `annotator` is
    "person" or "machine". `drawn` is the probability with which the pair was drawn for review at random, or None if
    somebody chose it. `undoes` is the decision that this one takes back, or 0.
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
    annotator: str = "person"
    drawn: float | None = None
    undoes: int = 0


@dataclass(frozen=True, slots=True)
class Edit:
    """One entry of the decisions log that is not a verdict. Of one kind and subject, the latest applies.

    `value` is a JSON object, or empty if the subject is again as the files say.

    narrative   subject: a narrative id; value: all fields of the narrative, or {"retired": true}
    document    subject: a document id; value: the corrected `date`, `outlet` or both
    speaker     subject: document id, a slash and the text key of a paragraph; value: the corrected `speaker` (may be
                empty) and `voice`, or one of them
    person      subject: a name; value: {"name": the name that this person has everywhere}
    note        subject: a text key or narrative id; value: {"text": the note}
    """

    edit_id: int
    edited_at: str
    who: str
    why: str
    kind: EditKind
    subject: str
    value: str
