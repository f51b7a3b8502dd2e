"""Review: which pair of a paragraph and a narrative to ask about next, and what the answers so far say."""

from __future__ import annotations

import getpass
import os
import zlib
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import combinations
from pathlib import Path

import pandas as pd

from narratives import measure
from narratives.model import Decision, LabelledText, Slice, Verdict, compute_text_key
from narratives.store import DECISIONS_FILE, DecisionLog, Snapshot, SpotChecks, Store
from narratives.store.decisions import ADJUDICATION, MACHINE, PERSON
from narratives.store.queries import review as review_queries

RANDOM_EVERY = 3  # every third question is drawn at random
SHARED_EVERY = 5  # one question in five is for every reviewer
MIN_ANSWERS = 20  # random answers in each stratum of a narrative before they correct its shares
_CLOSE = 10  # near questions among which each reviewer starts at another one
CAVEAT = "Judged by people during review, drawn at random among the assigned paragraphs and among all others."

Pair = tuple[str, str]  # text key and narrative id


@dataclass(frozen=True, slots=True)
class Question:
    """A pair to ask about. `drawn` is the probability with which it was drawn at random, or None if it was chosen.

    `disputed` says that two reviewers disagree about it.
    """

    paragraph_id: str
    document_id: str
    narrative_id: str
    text: str
    text_key: str
    drawn: float | None = None
    assigned: bool = False
    disputed: bool = False

    @property
    def pair(self) -> Pair:
        """What the decisions log knows the question by."""
        return self.text_key, self.narrative_id

    @property
    def is_shared(self) -> bool:
        """Whether every reviewer is asked, so that their agreement can be measured."""
        return _hash(self.pair) % SHARED_EVERY == 0


@dataclass(frozen=True, slots=True)
class ReviewQueue:
    """The questions of one snapshot and slice: the random draw, and those with the least certain scores.

    `strata` are the assigned pairs and the others of each narrative, of the whole snapshot. A slice of less than
    the whole snapshot has no random draw, as its answers would not stand for the others.
    """

    snapshot_id: str
    drawn: tuple[Question, ...]
    uncertain: tuple[Question, ...]
    strata: Mapping[tuple[str, bool], measure.Stratum] = field(default_factory=dict)

    @property
    def reason(self) -> str:
        """The reason that the log keeps with each answer."""
        return f"review of {self.snapshot_id}"


def get_login() -> str:
    """Return the login name of this process."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container may run under a user id that has no name
        return f"user {os.getuid()}"


def build_queue(snapshot: Snapshot, s: Slice, whole: ReviewQueue | None = None) -> ReviewQueue:
    """Build the queue of a snapshot as it was built; `s.narratives` and the other filters limit the questions.

    The random draw, which is the same for every slice, is that of `whole`, the queue of the whole snapshot, if given.
    """
    drawn = whole.drawn if whole else _make_questions(review_queries.query_sample(snapshot))
    sampled = {question.pair for question in drawn}
    uncertain = _make_questions(review_queries.query_uncertain(snapshot, s))
    is_whole = Slice(narratives=s.narratives, by=s.by) == s
    asked = [q for q in drawn if is_whole and (not s.narratives or q.narrative_id in s.narratives)]
    return ReviewQueue(
        snapshot.meta().snapshot_id,
        tuple(asked),
        tuple(question for question in uncertain if question.pair not in sampled),
        whole.strata if whole else _load_strata(snapshot),
    )


def _load_strata(snapshot: Snapshot) -> dict[tuple[str, bool], measure.Stratum]:
    return {
        (str(row["narrative_id"]), bool(row["assigned"])): measure.Stratum(
            int(row["pairs"]), float(row["size"]), float(row["chances"]), float(row["spread"])
        )
        for row in review_queries.query_strata(snapshot).to_dict("records")
    }


def choose_question(
    queue: ReviewQueue,
    opinions: Sequence[Decision],
    who: str,
    skipped: Collection[Pair] = (),
    adjudicates: bool = False,
) -> Question | None:
    """Choose the next question for a reviewer; None if there is no more. The same log gives the same question.

    Disputed pairs come first for those who adjudicate. Every third question is drawn at random. The others are those
    with the least certain score, for the narrative with the fewest decisions so far. Questions that somebody answered
    are not asked again, except the shared ones, which everybody answers.
    """
    asked = {q.pair: q for q in (*queue.uncertain, *queue.drawn)}
    if adjudicates:
        for pair in find_disputes(opinions):
            if pair in asked and pair not in skipped:
                return replace(asked[pair], drawn=None, disputed=True)
    people = [d for d in opinions if d.annotator == PERSON]
    own = sum(d.who == who for d in people)
    kinds = (_choose_drawn, _choose_uncertain)
    for choose in kinds if own % RANDOM_EVERY == RANDOM_EVERY - 1 else reversed(kinds):
        if question := choose(queue, people, who, skipped):
            return question
    return None


def _choose_drawn(
    queue: ReviewQueue, people: Sequence[Decision], who: str, skipped: Collection[Pair]
) -> Question | None:
    """Choose a drawn pair at random from the stratum with the fewest answers in proportion to its size."""
    answers = [d for d in people if d.drawn is not None and d.why == queue.reason]
    left = _leave_unanswered(queue.drawn, answers, people, who, skipped)
    settled = (d for d in people if d.why == ADJUDICATION)
    answered = {(d.text_key, d.narrative_id) for d in (*answers, *settled)}
    done = Counter((q.narrative_id, q.assigned) for q in queue.drawn if q.pair in answered)
    return min(left, key=lambda q: (done[q.narrative_id, q.assigned], _hash((who, *q.pair))), default=None)


def _choose_uncertain(
    queue: ReviewQueue, people: Sequence[Decision], who: str, skipped: Collection[Pair]
) -> Question | None:
    left = _leave_unanswered(queue.uncertain, people, people, who, skipped)
    done = Counter(d.narrative_id for d in people)
    rank: Counter[str] = Counter()
    best: tuple[tuple[int, int, int], Question] | None = None
    for question in left:
        place = (done[question.narrative_id], rank[question.narrative_id] // _CLOSE, _hash((who, *question.pair)))
        rank[question.narrative_id] += 1
        if best is None or place < best[0]:
            best = place, question
    return best[1] if best else None


def _leave_unanswered(
    questions: Iterable[Question],
    answers: Iterable[Decision],
    people: Iterable[Decision],
    who: str,
    skipped: Collection[Pair],
) -> list[Question]:
    """Return the questions that this reviewer may still be asked; `answers` are those that count."""
    answered: dict[Pair, set[str]] = {}
    for decision in answers:
        answered.setdefault((decision.text_key, decision.narrative_id), set()).add(decision.who)
    settled = {(d.text_key, d.narrative_id) for d in people if d.why == ADJUDICATION}
    return [
        question
        for question in questions
        if question.pair not in skipped
        and question.pair not in settled
        and (question.pair not in answered or (who and question.is_shared and who not in answered[question.pair]))
    ]


def find_disputes(opinions: Iterable[Decision]) -> list[Pair]:
    """Find the pairs about which people disagree, yes or no, and which nobody has adjudicated; in order."""
    by_pair: dict[Pair, list[Decision]] = {}
    for decision in opinions:
        if decision.annotator == PERSON:
            by_pair.setdefault((decision.text_key, decision.narrative_id), []).append(decision)
    return [
        pair
        for pair, decisions in sorted(by_pair.items())
        if {"accepted", "rejected"} <= {d.verdict for d in decisions} and all(d.why != ADJUDICATION for d in decisions)
    ]


def record_answer(
    store: Path, queue: ReviewQueue, question: Question, verdict: Verdict, who: str, other: str = ""
) -> int:
    """Write the answer to the decisions log, and to the spot checks if it was drawn at random.

    `other` is the narrative that the paragraph advances instead. Returns the number of entries that were added.
    """
    log = DecisionLog(store / DECISIONS_FILE)
    why = ADJUDICATION if question.disputed else queue.reason
    added = 0
    if other and other != question.narrative_id:
        text = LabelledText(0, question.text, question.document_id, {other: "accepted"})
        added += log.add([text], who, queue.reason)
    text = LabelledText(0, question.text, question.document_id, {question.narrative_id: verdict})
    added += log.add([text], who, why, drawn=question.drawn)
    if question.drawn is not None or question.disputed:
        put_figures(store, queue, log.opinions(texts=False))
    return added


def undo_answers(store: Path, queue: ReviewQueue, who: str, number: int = 1) -> Decision | None:
    """Take back the last `number` entries of this reviewer; return the oldest of them, None if there is none."""
    log = DecisionLog(store / DECISIONS_FILE)
    undone = None
    for _ in range(number):
        undone = log.undo(who) or undone
    if undone is not None:
        put_figures(store, queue, log.opinions(texts=False))
    return undone


def compute_figures(queue: ReviewQueue, opinions: Sequence[Decision]) -> dict[str, measure.ReviewFigures]:
    """Compute precision and recall of each narrative from the random answers on this snapshot."""
    latest: dict[Pair, Decision] = {}
    settled: dict[Pair, Decision] = {}
    for decision in sorted(opinions, key=lambda d: d.decision_id):
        pair = (decision.text_key, decision.narrative_id)
        if decision.annotator == PERSON and decision.why == ADJUDICATION:
            settled[pair] = decision
        elif decision.annotator == PERSON and decision.drawn is not None and decision.why == queue.reason:
            latest[pair] = decision
    answers: dict[tuple[str, bool], list[tuple[float, bool]]] = {}
    for question in queue.drawn:
        if (found := latest.get(question.pair)) is None:
            continue
        verdict = settled.get(question.pair, found).verdict
        if verdict in ("accepted", "rejected") and question.drawn is not None:
            key = (question.narrative_id, question.assigned)
            answers.setdefault(key, []).append((question.drawn, verdict == "accepted"))
    figures = {}
    for narrative_id in dict.fromkeys(key for key, _ in queue.strata):
        sides = []
        for assigned in (True, False):
            stratum = queue.strata.get((narrative_id, assigned), measure.Stratum(0, 0.0, 0.0, 0.0))
            given = answers.get((narrative_id, assigned), [])
            drawn, advancing = [probability for probability, _ in given], [answer for _, answer in given]
            sides.append(replace(stratum, drawn=drawn, advancing=advancing))
        figures[narrative_id] = measure.compute_review_figures(narrative_id, *sides)
    return figures


def put_figures(store: Path, queue: ReviewQueue, opinions: Sequence[Decision]) -> None:
    """Keep the random answers as spot checks of the snapshot, for the narratives that have enough of them.

    Spot checks of other narratives stay.
    """
    figures = compute_figures(queue, opinions)
    enough = {key: one.check for key, one in figures.items() if min(one.answers) >= MIN_ANSWERS}
    before = Store(store).spot_checks(queue.snapshot_id)
    kept = [row for row in before.rows if row.narrative_id not in figures or not row.others] if before else []
    rows = tuple(({row.narrative_id: row for row in kept} | enough).values())
    if rows != (before.rows if before else ()):
        caveat = before.caveat if before and not enough else CAVEAT
        Store(store).put_spot_checks(queue.snapshot_id, SpotChecks(rows, caveat))


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far two annotators agree on the pairs that both decided, yes or no. `kappa` is NaN if undefined."""

    first: str
    second: str
    pairs: int
    same: int
    kappa: float
    machine: bool


def compute_agreement(opinions: Iterable[Decision]) -> list[Agreement]:
    """Compute the agreement of every two annotators with common pairs, adjudications left out; by name."""
    verdicts: dict[tuple[str, str], dict[Pair, str]] = {}
    for decision in opinions:
        if decision.verdict in ("accepted", "rejected") and decision.why != ADJUDICATION:
            name = (decision.annotator, decision.who)
            verdicts.setdefault(name, {})[decision.text_key, decision.narrative_id] = decision.verdict
    found = []
    for first, second in combinations(sorted(verdicts, key=lambda name: (name[0] == MACHINE, name[1])), 2):
        common = verdicts[first].keys() & verdicts[second].keys()
        if common:
            answers = [(verdicts[first][pair], verdicts[second][pair]) for pair in sorted(common)]
            same = sum(a == b for a, b in answers)
            machine = MACHINE in (first[0], second[0])
            kappa = measure.compute_kappa(answers)
            found.append(Agreement(first[1], second[1], len(answers), same, kappa, machine))
    return found


def count_today(opinions: Iterable[Decision], who: str) -> int:
    """Count the decisions of this person since midnight UTC that apply."""
    today = datetime.now(UTC).date().isoformat()
    return sum(d.who == who and d.annotator == PERSON and d.decided_at.startswith(today) for d in opinions)


def count_left(queue: ReviewQueue, opinions: Iterable[Decision], who: str) -> tuple[int, int]:
    """Count the questions that this reviewer may still be asked: those drawn at random, and the others."""
    people = [d for d in opinions if d.annotator == PERSON]
    answers = [d for d in people if d.drawn is not None and d.why == queue.reason]
    drawn = _leave_unanswered(queue.drawn, answers, people, who, ())
    return len(drawn), len(_leave_unanswered(queue.uncertain, people, people, who, ()))


def _make_questions(frame: pd.DataFrame) -> tuple[Question, ...]:
    return tuple(
        Question(
            row["paragraph_id"],
            row["document_id"],
            row["narrative_id"],
            row["text"],
            compute_text_key(row["text"]),
            row.get("drawn"),
            bool(row.get("assigned")),
        )
        for row in frame.to_dict("records")
    )


def _hash(parts: Sequence[str]) -> int:
    return zlib.crc32("\x1f".join(parts).encode("utf-8", "surrogatepass"))
