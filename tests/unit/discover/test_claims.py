"""Recurring claims: sentences worded like claims that several documents repeat, and the sentence that names them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from narratives.discover import (
    AlignmentTargets,
    RecurringClaim,
    Statements,
    find_recurring_claims,
    fit_claim_scorer,
    index_phrases,
    summarise_claims,
)
from narratives.discover.claim_names import can_stand_alone, trim_claim
from narratives.discover.claim_scorer import CUE_NAME, ClaimScorer, KeptScores, measure_wording
from narratives.discover.claims import PROTOCOL, Fit
from narratives.discover.clustering import is_recurring
from narratives.model import PreviousSnapshot, Text
from narratives.model.kept import KeptArrays
from tests.helpers.fakes import DIMENSION, vector

CLAIM = "We must never allow the harbour to be sold to strangers"
VARIANTS = (
    CLAIM,
    "We must never allow the harbour to be sold to anybody",
    "Nobody must ever allow the harbour to be sold to strangers",
    "We must not allow the harbour to be sold to strangers",
)
PLAIN = (
    "The museum opened a hall with old maps and letters in spring",
    "Trains run to the northern coast every second day of the week",
    "The orchestra played three concerts for the pupils of the school",
    "A bridge of forty metres was built across the little river",
)


def embed(texts: Sequence[Text]) -> np.ndarray:
    return np.array([vector(text) for text in texts], dtype=np.float32).reshape(-1, DIMENSION)


def scorer() -> ClaimScorer:
    return fit_claim_scorer(VARIANTS, PLAIN)


def corpus(texts: Sequence[str]) -> Statements:
    """Each text in two documents, months apart."""
    both = [text for text in texts for _ in range(2)]
    ids = [f"p{at:03d}" for at in range(len(both))]
    dates = [f"2016-{1 + at % 12:02d}-01" for at in range(len(both))]
    return Statements(ids, both, [f"d{at % 20:02d}" for at in range(len(both))], dates, embed(both))


def find(
    statements: Statements, assigned: dict[str, set[str]] | None = None, earlier: PreviousSnapshot | None = None
) -> list[RecurringClaim]:
    return find_recurring_claims(statements, assigned or {}, scorer(), embed, earlier=earlier or PreviousSnapshot())


TEXTS = [f"{text}." for text in (*VARIANTS, *PLAIN)]


def test_claims_score_above_plain_information() -> None:
    fitted = scorer()
    assert fitted.score(VARIANTS).min() > 0 > fitted.score(PLAIN).max()
    assert measure_wording("We mustn’t allow it, because it is wrong.")[CUE_NAME] == pytest.approx(0.6)
    plain = measure_wording("A bridge of forty metres was built there last year.")
    assert plain[CUE_NAME] == 0 and "bridge" not in plain and sum(x * x for x in plain.values()) == pytest.approx(1)


def test_a_claim_that_several_documents_make_is_found_with_the_sentences_that_make_it() -> None:
    statements = corpus(TEXTS)
    (claim,) = find(statements)
    assert claim.text in VARIANTS
    assert set(claim.fits) == set(range(8))
    assert {fit.sentence.rstrip(".") for fit in claim.fits.values()} == set(VARIANTS)
    assert all(0 < fit.cosine <= 1 for fit in claim.fits.values())
    assert claim.stance > 0


def test_what_one_document_repeats_is_no_recurring_claim() -> None:
    assert find(replace(corpus(TEXTS), document_ids=["d1"] * len(TEXTS) * 2)) == []


def test_what_the_codebook_holds_already_is_not_found_again() -> None:
    statements = corpus(TEXTS)
    assert find(statements, {key: {"harbour"} for key in statements.ids[:5]}) == []
    assert len(find(statements, {key: {"harbour"} for key in statements.ids[:4]})) == 1


def test_an_earlier_claim_keeps_its_name_and_statements_and_takes_new_ones() -> None:
    statements = corpus(TEXTS)
    (new,) = find(statements)
    name = next(text for text in VARIANTS if text != new.text)
    # A statement of before, whose wording is too far from the others to join them now.
    loose = corpus([*TEXTS, "We must never allow the ships of the harbour to leave."])
    earlier = PreviousSnapshot(members={"c-1": frozenset([*statements.ids[:7], "p016"])}, names={"c-1": name})
    assert 16 not in find(loose)[0].fits
    (kept,) = find(loose, earlier=earlier)
    assert kept.text == name
    assert set(kept.fits) == {*range(8), 16}
    gone = PreviousSnapshot(members={"c-1": frozenset({"of a removed document"})}, names={"c-1": name})
    assert [claim.fits for claim in find(statements, earlier=gone)] == [new.fits]


def test_what_is_left_of_an_earlier_claim_does_not_hide_it() -> None:
    statements = corpus(TEXTS)
    (new,) = find(statements)
    little = PreviousSnapshot(members={"c-1": frozenset({"p000"})}, names={"c-1": CLAIM})
    nameless = PreviousSnapshot(members={"c-1": frozenset(statements.ids[:8])})
    one_document = replace(statements, document_ids=["d1", *statements.document_ids[1:]])
    for earlier in (little, nameless):
        assert [claim.fits for claim in find(one_document, earlier=earlier)] == [new.fits]


def test_no_sentence_is_in_two_claims() -> None:
    """The sentences of an earlier claim are its own, even where a new centre would be nearer."""
    statements = corpus(TEXTS)
    earlier = PreviousSnapshot(members={"c-1": frozenset({"p000", "p001", "p006"})}, names={"c-1": VARIANTS[3]})
    found = find(statements, earlier=earlier)
    rows = [row for claim in found for row in claim.fits]
    assert len(rows) == len(set(rows)) and {0, 1, 6} <= set(found[[c.earlier_id for c in found].index("c-1")].fits)


def test_an_earlier_claim_that_recurs_no_more_is_not_offered() -> None:
    plain = corpus([f"{text}." for text in PLAIN])
    earlier = PreviousSnapshot(members={"c-1": frozenset(plain.ids[:2])}, names={"c-1": CLAIM})
    assert find(plain, earlier=earlier) == []


def test_questions_and_protocol_make_no_claim() -> None:
    asked = [f"{text}?" for text in VARIANTS]
    reported = [f"The two sides stressed that {text[0].lower()}{text[1:]}." for text in VARIANTS]
    assert find(corpus([*asked, *reported, *(f"{text}." for text in PLAIN)])) == []
    assert PROTOCOL.search("They noted the progress.") and not PROTOCOL.search("The party called it a lie.")


def test_the_order_of_statements_does_not_matter() -> None:
    statements = corpus(TEXTS)
    order = np.random.default_rng(3).permutation(len(statements.ids)).tolist()
    columns = (statements.ids, statements.texts, statements.document_ids, statements.dates)
    mixed = Statements(*([values[at] for at in order] for values in columns), statements.vectors[order])
    (one,), (two,) = find(statements), find(mixed)
    assert one.text == two.text
    assert {statements.ids[row]: fit for row, fit in one.fits.items()} == {
        mixed.ids[row]: fit for row, fit in two.fits.items()
    }


@pytest.mark.parametrize(
    ("sentence", "name", "alone"),
    [
        ("Of course, we must never forget the lessons of war.", "We must never forget the lessons of war", True),
        ("I believe that no country can be safe alone!", "No country can be safe alone", True),
        ("They must answer for it before the court.", "They must answer for it before the court", False),
        ("This is wrong and must be stopped.", "This is wrong and must be stopped", False),
        ("You have to know that peace is near.", "You have to know that peace is near", False),
        ("Good for everyone.", "Good for everyone", False),
    ],
)
def test_a_name_is_a_sentence_without_introduction_that_stands_alone(sentence: str, name: str, alone: bool) -> None:
    assert trim_claim(sentence) == name
    assert can_stand_alone(name) is alone


def test_claims_are_described_as_candidates_unless_a_narrative_or_routine_says_the_same() -> None:
    statements = corpus(TEXTS)
    found = find(statements)
    far = np.zeros((1, DIMENSION), np.float32)
    phrases, themes = index_phrases(statements.texts), {statements.ids[0]: "g-1", statements.ids[1]: "g-2"}

    def describe(assigned: dict[str, set[str]], routine: np.ndarray = far):
        alignment = AlignmentTargets(["harbour"], embed([CLAIM]), assigned)
        (described,) = summarise_claims(statements, found, alignment, routine, phrases, themes)
        return described

    plain = describe({})
    assert plain.is_candidate and plain.cluster_id.startswith("c-") and plain.name == found[0].text
    assert plain.theme_id == "g-1"
    assert plain.fits[0] == (statements.ids[0], *found[0].fits[0])
    assert plain.cohesion == pytest.approx(np.mean([fit.cosine for fit in found[0].fits.values()]), abs=1e-3)
    assert not describe({key: {"harbour"} for key in statements.ids[:6]}).is_candidate
    assert not describe({}, found[0].vector[None]).is_candidate


@pytest.mark.parametrize(
    ("documents", "dates", "corpus_size", "expected"),
    [
        (6, ["2016-01", "2016-04", "2016-07", "2016-10"], 300, True),
        (5, ["2016-01", "2016-04", "2016-07", "2016-10"], 300, False),
        (6, ["2016-01", "2016-04", "2016-07"], 300, False),
        (3, ["2016-01", "2016-02"], 100, True),
        (2, ["2016-01"], 20, True),
    ],
)
def test_recurrence_grows_with_the_corpus(documents: int, dates: list[str], corpus_size: int, expected: bool) -> None:
    ids = [f"d{at}" for at in range(documents)]
    assert is_recurring(ids, dates, corpus_size, (6, 4)) is expected


def test_fits_are_ordered_by_cosine() -> None:
    assert max(Fit(0.8, "b"), Fit(0.9, "a")).sentence == "a"


def test_kept_scores_are_those_of_the_scorer_and_only_used_ones_stay() -> None:
    saved: dict[str, dict[str, np.ndarray]] = {}

    def keep() -> KeptScores:
        return KeptScores(KeptArrays(saved.get, lambda name, arrays: saved.update({name: dict(arrays)})))

    fitted = scorer()
    expected = fitted.score([*VARIANTS, *PLAIN])
    assert np.array_equal(replace(fitted, kept=keep()).score([*VARIANTS, *PLAIN]), expected)
    ((name, arrays),) = saved.items()
    arrays["scores"] = arrays["scores"] + 1  # shows that the scores are taken from there
    assert np.array_equal(replace(fitted, kept=keep()).score(VARIANTS), expected[: len(VARIANTS)] + 1)
    other = ClaimScorer(fitted.weights, fitted.bias + 0.5, keep())
    assert np.allclose(other.score(VARIANTS), expected[: len(VARIANTS)] + 0.5), "of another scorer nothing is taken"
    assert len(saved[name]["keys"]) == len(VARIANTS)
    for damaged in ({}, {"keys": arrays["keys"][:1], "scores": arrays["scores"]}, {"keys": arrays["scores"]}):
        saved[name] = damaged
        assert np.array_equal(replace(fitted, kept=keep()).score(PLAIN), expected[len(VARIANTS) :])
