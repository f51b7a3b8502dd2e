"""Claim or topic, and the clause that names a claim."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
import pytest

from narratives.discover import (
    STANCE_PAIRS,
    AlignmentTargets,
    RecurringClaim,
    Statements,
    find_recurring_claims,
    summarise_claims,
)
from narratives.discover.claims import MAX_CLAUSE_WORDS, MIN_CLAUSE_WORDS, NEAR_COSINE, extract_clauses, score_stance
from narratives.discover.clustering import is_recurring
from narratives.embed import encode_all, load_encoder
from narratives.model import MIN_STANCE
from tests.helpers.fakes import DIMENSION, vector


def embed(texts: Sequence[str]) -> np.ndarray:
    return np.array([vector(text) for text in texts], dtype=np.float32).reshape(-1, DIMENSION)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "Of course, we must never forget the lessons of the war. This is wrong.",
            ["We must never forget the lessons of the war"],
        ),
        (
            "I would like to stress that Russia is not threatening anyone, and we want peace with all.",
            [
                "Russia is not threatening anyone, and we want peace with all",
                "Russia is not threatening anyone",
                "We want peace with all",
            ],
        ),
        ("Why are they doing it to us all the time?", []),
        ("I was born in a small village near the river.", []),
        ("They must answer for it. It is their fault alone.", []),
        ("Building a fair world order together.", []),
        ("Good.", []),
        ("", []),
    ],
)
def test_clauses_are_short_whole_and_stand_alone(text: str, expected: list[str]) -> None:
    clauses = [clause.name for clause in extract_clauses(text)]
    assert clauses == expected
    assert all(MIN_CLAUSE_WORDS <= len(clause.split()) <= MAX_CLAUSE_WORDS for clause in clauses)


def test_stance_runs_from_plain_to_claim_and_counts_cue_words() -> None:
    claims, plain = embed([c for c, _ in STANCE_PAIRS]), embed([p for _, p in STANCE_PAIRS])
    silent = ["x"] * len(STANCE_PAIRS)
    assert score_stance(silent, claims, claims, plain).mean() == pytest.approx(1, abs=1e-3)
    assert score_stance(silent, plain, claims, plain).mean() == pytest.approx(-1, abs=1e-3)
    text = "Nobody must ever accept such lies and threats"
    one, other = score_stance(
        [text, "the harvest was good in all of the regions"], claims[:1].repeat(2, 0), claims, plain
    )
    assert one > other + 0.5
    assert score_stance([], np.zeros((0, DIMENSION), np.float32), claims, plain).shape == (0,)


CLAIM = "We must never forget the bitter lessons of the war"
SAID = (
    "We must never forget the bitter lessons of the war.",
    "I am sure that we must never forget the bitter lessons of the great war.",
    "Colleagues, we must never forget the bitter lessons of war. Nothing is more dangerous than that.",
    "It would be wrong, as we must never forget the bitter lessons of the war, to be silent.",
)
OTHER = [f"Train number {i} leaves the station at nine and stops at platform {i} of the old port." for i in range(6)]


def given(texts: Sequence[str]) -> Statements:
    ids = [f"p{i:02d}" for i in range(len(texts))]
    documents = [f"d{i:02d}" for i in range(len(texts))]
    dates = [f"2017-{1 + 3 * (i % 4):02d}" for i in range(len(texts))]
    return Statements(ids, texts, documents, dates, embed(texts))


def found(statements: Statements, assigned: dict[str, set[str]] | None = None) -> list[RecurringClaim]:
    return find_recurring_claims(statements, assigned or {}, embed)


def test_a_claim_that_other_documents_make_too_is_found_with_those_who_make_it() -> None:
    (claim,) = found(given([*SAID, *OTHER]))
    assert claim.text.startswith("We must never forget the bitter lessons of")
    assert set(claim.fits) >= {0, 1, 2} and set(claim.fits) <= {0, 1, 2, 3}
    assert claim.stance >= MIN_STANCE and all(near >= NEAR_COSINE for near in claim.fits.values())


def test_plain_information_and_what_is_said_once_make_no_claim() -> None:
    assert found(given(OTHER)) == []
    assert found(given([SAID[0], *OTHER])) == []
    assert found(given([])) == []


def test_a_sentence_on_the_same_subject_does_not_advance_a_claim() -> None:
    (claim,) = found(given([*SAID, *OTHER, "The war is the subject of new books and films of that museum."]))
    assert len(SAID) + len(OTHER) not in claim.fits


def test_a_question_does_not_advance_a_claim() -> None:
    asked = "I have a question. Must we never forget the bitter lessons of the war?"
    (claim,) = found(given([*SAID, *OTHER, asked]))
    assert len(SAID) + len(OTHER) not in claim.fits


def test_what_the_codebook_holds_already_is_not_found_again() -> None:
    statements = given([*SAID, *OTHER])
    assert found(statements, {key: {"war"} for key in statements.ids[:4]}) == []
    assert len(found(statements, {"p00": {"war"}})) == 1


def test_the_order_of_statements_does_not_matter() -> None:
    statements = given([*SAID, *OTHER])
    order = np.random.default_rng(1).permutation(len(statements.ids)).tolist()
    mixed = Statements(
        *([list(values)[i] for i in order] for values in (statements.ids, statements.texts)),
        *([list(values)[i] for i in order] for values in (statements.document_ids, statements.dates)),
        statements.vectors[order],
    )

    def by_id(given: Statements) -> list[tuple[str, float, dict[str, float]]]:
        return [(c.text, c.stance, {given.ids[i]: n for i, n in c.fits.items()}) for c in found(given)]

    assert by_id(mixed) == by_id(statements)


def test_a_claim_stays_as_documents_come_in() -> None:
    before = {claim.text: set(claim.fits) for claim in found(given([*SAID, *OTHER]))}
    more = [f"The harvest of field {i} was stored in barn {i} before the rain came." for i in range(9)]
    after = {claim.text: set(claim.fits) for claim in found(given([*SAID, *OTHER, *more]))}
    assert after == before


def test_claims_are_described_as_candidates_unless_a_narrative_or_routine_says_the_same() -> None:
    statements = given([*SAID, *OTHER])
    claims = [RecurringClaim(CLAIM, 1.2, {2: 0.7, 0: 0.9, 1: 0.8})]
    war = AlignmentTargets(("war",), statements.vectors[:1], {"p00": {"war"}})
    names, routine = embed([CLAIM]), -embed([CLAIM])
    (one,) = summarise_claims(statements, claims, war, routine, names)
    assert one.is_candidate and one.name == CLAIM and one.cluster_id.startswith("c-")
    assert one.members == one.representatives == ("p00", "p01", "p02")
    assert one.fits == (("p00", 0.9), ("p01", 0.8), ("p02", 0.7)) and one.cohesion == 0.8
    assert one.nearest == "war" and one.phrases
    known = AlignmentTargets(("war",), statements.vectors[:1], {"p00": {"war"}, "p01": {"war"}})
    assert summarise_claims(statements, claims, known, routine, names)[0].narrative_id == "war"
    assert summarise_claims(statements, claims, war, -routine, names)[0].routine
    assert summarise_claims(statements, [], war, routine, embed([CLAIM])[:0]) == ()


@pytest.mark.parametrize(
    ("documents", "dates", "corpus", "expected"),
    [
        (2, ["2016"], 29, True),
        (1, ["2016", "2017"], 29, False),
        (3, ["2016-01", "2016-02"], 100, True),
        (3, ["2016-01", "2016"], 100, False),
        (5, ["2016-01", "2016-04", "2016-07"], 300, True),
        (5, ["2016-01", "2016-04", "2016-06"], 300, False),
        (5, ["2016-01", "2016-04", "2017"], 300, True),
        (4, ["2016-01", "2016-04", "2016-07"], 300, False),
        (5, [""], 300, False),
    ],
)
def test_recurrence_grows_with_the_corpus(documents: int, dates: list[str], corpus: int, expected: bool) -> None:
    assert is_recurring([str(i) for i in range(documents)], dates, corpus) is expected


@pytest.mark.model
def test_with_the_model_claims_stand_out_from_information() -> None:
    embed = partial(encode_all, load_encoder())
    claims, plain = embed([c for c, _ in STANCE_PAIRS]), embed([p for _, p in STANCE_PAIRS])
    texts = [
        "Whoever arms one side of a civil war shares the guilt for its victims.",
        "Nobody but the voters of a country may decide who governs it.",
        "The ferry to the island leaves at nine and takes forty minutes.",
        "Sales of tractors grew by six percent in the second quarter.",
    ]
    found = score_stance(texts, embed(texts), claims, plain)
    assert found[:2].min() > found[2:].max()
