"""The review queue: what is asked, in which order, of whom, and what the answers are used for."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from narratives.model import LabelledText, Slice, Verdict
from narratives.model.narratives import Assignment
from narratives.store import DECISIONS_FILE, DecisionLog, Store, open_snapshot
from narratives.store.queries import review as review_queries
from narratives.workflows import review
from narratives.workflows.review import Question, ReviewQueue
from tests.helpers.factory import CODEBOOK, content, document

NARRATIVES = [n.id for n in CODEBOOK.narratives]


@pytest.fixture
def store(tmp_path) -> Path:
    """300 documents of two paragraphs with probabilities; one in ten is assigned to the first narrative."""
    made = [
        document(
            number,
            f"{2015 + number % 5}-05-0{1 + number % 9}",
            "TASS" if number % 2 else "RT",
            f"Report {number}",
            [("Ann", "own", f"Remark number {number}, part {part}, was made on that day.", {}) for part in range(2)],
        )[0]
        for number in range(300)
    ]
    paragraphs = [p.paragraph_id for d in made for p in d.paragraphs if p.kind == "body"]
    chances = {key: round(0.01 + 0.9 * (at % 40) / 40, 3) for at, key in enumerate(paragraphs) if at % 40 > 20}
    found = Store(tmp_path / "store")
    found.write_snapshot(
        replace(
            content(),
            documents=made,
            copies={},
            clusters=(),
            statements=set(paragraphs),
            assignments=[Assignment(key, NARRATIVES[0], p) for key, p in chances.items() if p >= 0.7],
            probabilities=[(key, NARRATIVES[0], p) for key, p in chances.items()],
            rest={NARRATIVES[0]: 0.001, NARRATIVES[1]: 0.002},
        )
    )
    return found.path


def queue_of(store: Path, s: Slice | None = None) -> ReviewQueue:
    with closing(open_snapshot(store)) as snapshot:
        return review.build_queue(snapshot, s or Slice())


def log_of(store: Path) -> DecisionLog:
    return DecisionLog(store / DECISIONS_FILE)


def answer(store: Path, queue: ReviewQueue, who: str, verdict: Verdict = "accepted", **more: bool) -> Question:
    question = review.choose_question(queue, log_of(store).opinions(), who, **more)
    assert question is not None
    review.record_answer(store, queue, question, verdict, who)
    return question


@pytest.mark.parametrize("s", [Slice(narratives=(NARRATIVES[1],)), Slice(date_from="2018"), Slice()])
def test_a_queue_made_with_that_of_the_whole_snapshot_is_the_same(store, s):
    whole = queue_of(store)
    with closing(open_snapshot(store)) as snapshot:
        assert review.build_queue(snapshot, s, whole) == queue_of(store, s)


def test_every_pair_may_be_drawn_and_the_probabilities_add_up(store):
    with closing(open_snapshot(store)) as snapshot:
        strata = review_queries.query_strata(snapshot)
        sample = review_queries.query_sample(snapshot)
    assert strata["pairs"].sum() == 600 * len(NARRATIVES)
    others = strata[~strata["assigned"]]
    assert (others["size"].round(6).between(100, review_queries.SAMPLE_OTHERS)).all()
    assert sample["drawn"].between(0, 1, inclusive="right").all()
    first = sample[sample["narrative_id"] == NARRATIVES[0]]
    drawn = first[~first["assigned"]].sort_values("chance")["drawn"].tolist()
    assert drawn == sorted(drawn) and drawn[-1] > 5 * drawn[0]  # higher scores are drawn more often, none never
    # The number of pairs, estimated from the draw: each stands for 1 / its probability.
    estimated = (1 / sample["drawn"]).sum()
    assert abs(estimated - strata["pairs"].sum()) < 0.25 * strata["pairs"].sum()


def test_the_draw_is_the_same_every_time_and_another_for_another_snapshot(store):
    first = queue_of(store)
    assert first == queue_of(store)
    with closing(open_snapshot(store)) as snapshot:
        sql = [review_queries.query_sample(snapshot)["paragraph_id"].tolist() for _ in range(2)]
    assert sql[0] == sql[1]


def test_every_third_question_is_drawn_at_random_and_none_comes_twice(store):
    queue = queue_of(store)
    asked = [answer(store, queue, "ann") for _ in range(12)]
    assert [question.drawn is not None for question in asked] == [at % 3 == 2 for at in range(12)]
    assert len({question.pair for question in asked}) == 12
    kept = log_of(store).history()
    assert [(d.text_key, d.drawn) for d in kept] == [(question.text_key, question.drawn) for question in asked]
    assert {d.why for d in kept} == {f"review of {queue.snapshot_id}"}


def test_uncertain_questions_are_those_near_the_threshold(store):
    queue = queue_of(store)
    with closing(open_snapshot(store)) as snapshot:
        scores = snapshot.frame("SELECT paragraph_id, probability FROM snap.probabilities")
    near = dict(zip(scores["paragraph_id"], (scores["probability"] - 0.5).abs(), strict=True))
    distances = [near[q.paragraph_id] for q in queue.uncertain if q.narrative_id == NARRATIVES[0]]
    assert distances == sorted(distances) and distances[0] < 0.1


def test_filters_narrow_the_questions_and_stop_the_draw(store):
    narrow = queue_of(store, Slice(outlets=("RT",)))
    assert not narrow.drawn and narrow.uncertain
    with closing(open_snapshot(store)) as snapshot:
        outlets = snapshot.frame("SELECT DISTINCT document_id, outlet FROM snap.paragraphs")
    outlet = dict(zip(outlets["document_id"], outlets["outlet"], strict=True))
    assert {outlet[q.document_id] for q in narrow.uncertain} == {"RT"}
    about = queue_of(store, Slice(narratives=(NARRATIVES[1],)))
    assert {q.narrative_id for q in (*about.drawn, *about.uncertain)} == {NARRATIVES[1]} and about.drawn


def test_two_reviewers_share_a_part_and_are_else_asked_different_questions(store):
    queue = queue_of(store)
    asked = {who: {answer(store, queue, who).pair for _ in range(12)} for who in ("ann", "bob")}
    common = asked["ann"] & asked["bob"]
    shared = {q.pair for q in (*queue.drawn, *queue.uncertain) if q.is_shared}
    assert common <= shared
    share = len(shared) / len({*queue.drawn, *queue.uncertain})
    assert 0.1 < share < 0.3
    for question in (q for q in (*queue.drawn, *queue.uncertain) if q.pair in asked["ann"] & shared):
        review.record_answer(store, queue, question, "rejected", "bob")
    [found] = review.compute_agreement(log_of(store).opinions())
    assert (found.first, found.second) == ("ann", "bob") and found.pairs == len(asked["ann"] & shared)


def test_who_disagrees_is_settled_by_whoever_adjudicates(store):
    queue = queue_of(store)
    log = log_of(store)
    question = queue.uncertain[0]
    for who, verdict in (("ann", "accepted"), ("bob", "rejected")):
        review.record_answer(store, queue, question, verdict, who)  # type: ignore[arg-type]
    assert review.find_disputes(log.opinions()) == [question.pair]
    assert review.choose_question(queue, log.opinions(), "ed").pair != question.pair  # type: ignore[union-attr]
    settled = answer(store, queue, "bob", "rejected", adjudicates=True)  # who may be one of the two
    assert settled.pair == question.pair and settled.disputed
    assert not review.find_disputes(log.opinions())
    assert [(d.verdict, d.who) for d in log.current()] == [("rejected", "bob")]
    [found] = review.compute_agreement(log.opinions())
    assert (found.pairs, found.same) == (1, 0)  # the first opinions are compared, not the settlement


def test_skipped_questions_come_later_and_undo_brings_the_last_back(store):
    queue = queue_of(store)
    first = answer(store, queue, "ann")
    second = review.choose_question(queue, log_of(store).opinions(), "ann")
    third = review.choose_question(queue, log_of(store).opinions(), "ann", skipped={second.pair})  # type: ignore[union-attr]
    assert third not in (first, second)
    undone = review.undo_answers(store, queue, "ann")
    assert undone and (undone.text_key, undone.narrative_id) == first.pair
    assert review.choose_question(queue, log_of(store).opinions(), "ann") == first
    assert review.undo_answers(store, queue, "ann") is None


def test_another_narrative_is_a_no_and_a_yes(store):
    queue = queue_of(store)
    question = next(q for q in queue.drawn if q.narrative_id == NARRATIVES[0])
    assert review.record_answer(store, queue, question, "rejected", "ann", other=NARRATIVES[2]) == 2
    verdicts = {(d.narrative_id, d.verdict, d.drawn) for d in log_of(store).current()}
    assert verdicts == {(NARRATIVES[0], "rejected", question.drawn), (NARRATIVES[2], "accepted", None)}


def test_random_answers_become_the_spot_checks_that_correct_shares(store):
    queue = queue_of(store, Slice(narratives=(NARRATIVES[0],)))
    for question in queue.drawn:  # all but the last in one step
        verdict: Verdict = "accepted" if question.assigned and not question.is_shared else "rejected"
        text = LabelledText(1, question.text, "d", {question.narrative_id: verdict})
        log_of(store).add([text], "ann", queue.reason, drawn=question.drawn)
    review.undo_answers(store, queue, "ann")
    review.record_answer(store, queue, queue.drawn[-1], verdict, "ann")
    with closing(open_snapshot(store)) as snapshot:
        checks = snapshot.spot_checks()
    assert checks is not None and checks.caveat == review.CAVEAT
    [row] = checks.rows
    assigned = [q for q in queue.drawn if q.assigned]
    assert (row.narrative_id, row.judged) == (NARRATIVES[0], len(assigned))
    assert row.advancing == sum(not q.is_shared for q in assigned)
    assert row.others_advancing == 0 and row.others > 50
    # A chosen answer on the same pair is no random one, and one that was chosen first is asked again.
    other = queue_of(store).drawn[-1]
    log_of(store).add([LabelledText(1, other.text, "d", {other.narrative_id: "accepted"})], "ann", "elsewhere")
    assert not review.compute_figures(queue_of(store), log_of(store).opinions())[other.narrative_id].answers[1]
    review.record_answer(store, queue, other, "accepted", "ann")
    assert log_of(store).history()[-1].drawn == other.drawn


def test_machine_answers_count_for_agreement_only(store):
    queue = queue_of(store)
    question = queue.drawn[0]
    row = LabelledText(1, question.text, "d", {question.narrative_id: "accepted"})
    log_of(store).add([row], "a model", queue.reason, annotator="machine", drawn=question.drawn)
    review.record_answer(store, queue, question, "rejected", "ann")
    opinions = log_of(store).opinions()
    assert not review.find_disputes(opinions)
    [found] = review.compute_agreement(opinions)
    assert found.machine and (found.first, found.second) == ("ann", "a model")
    figures = review.compute_figures(queue, opinions)[question.narrative_id]
    assert sum(figures.answers) == 1
    assert review.count_today(opinions, "a model") == 0
