"""Clusters: the same whatever the order, honest about what is left out, named and told apart."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sklearn.metrics import adjusted_rand_score

from narratives.discover import (
    ROUTINE_TEXTS,
    AlignmentTargets,
    Statements,
    cluster_paragraphs,
    clustering,
    index_phrases,
    keep_ids,
    names,
    summarise_topics,
)
from narratives.discover.cluster_summaries import choose_representatives
from narratives.discover.clustering import MEMBER_COSINE, choose_neighbours, choose_resolution
from narratives.discover.names import NAME_SEPARATOR, WEAK_WORDS, find_distinctive_phrases, make_names
from narratives.discover.neighbours import assign_nearest, compute_centres, find_neighbours
from narratives.model import Cluster, PreviousSnapshot
from narratives.model.text import ALPHABETIC_WORD, load_stop_words


def unit(rows: np.ndarray) -> np.ndarray:
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def blobs(groups: int, each: int, noise: int = 0, d: int = 32) -> tuple[list[str], np.ndarray, np.ndarray]:
    """Ids, unit rows and true groups (-1: noise) of `groups` tight groups and `noise` scattered rows."""
    draw = np.random.default_rng(7)
    centres = np.linalg.qr(draw.normal(size=(d, d)))[0][:groups]
    rows = np.repeat(centres, each, axis=0) + 0.08 * draw.normal(size=(groups * each, d))
    rows = np.vstack([rows, draw.normal(size=(noise, d))])
    truth = np.concatenate([np.repeat(np.arange(groups), each), np.full(noise, -1)])
    return [f"p{i:04d}" for i in range(len(rows))], unit(rows), truth


# --- neighbours and clusters --------------------------------------------------------------------------
def test_neighbours_are_those_of_a_plain_search_and_ties_go_to_the_earlier_row() -> None:
    _, vectors, _ = blobs(3, 20)
    cosines = vectors.astype(np.float64) @ vectors.T.astype(np.float64)
    np.fill_diagonal(cosines, -2)
    found = find_neighbours(vectors, 4)[1]
    assert np.allclose(found, -np.sort(-cosines, axis=1)[:, :4], atol=2e-3)
    same = unit(np.ones((6, 8)))
    assert find_neighbours(same, 3)[0].tolist() == [[1, 2, 3], [0, 2, 3], [0, 1, 3], [0, 1, 2], [0, 1, 2], [0, 1, 2]]


@pytest.mark.parametrize(("n", "neighbours"), [(4, 3), (40, 5), (400, 7), (1521, 13), (2025, 15), (29_000, 15)])
def test_small_corpora_have_fewer_neighbours(n: int, neighbours: int) -> None:
    assert choose_neighbours(n) == neighbours


def pair_of_clusters(cosine: float) -> tuple[list[str], np.ndarray, np.ndarray]:
    """Ids, rows and true groups of two tight groups whose centres have this cosine."""
    centres = np.zeros((2, 16))
    centres[:, 0], centres[1, 1] = [1.0, cosine], np.sqrt(1 - cosine**2)
    truth = np.repeat([0, 1], 40)
    rows = unit(centres[truth] + 0.01 * np.random.default_rng(1).normal(size=(80, 16)))
    return [f"p{i:02d}" for i in range(80)], rows, truth


@pytest.mark.parametrize(
    ("cosine", "earlier", "clusters"),
    [
        (0.85, None, 1),
        (0.75, None, 2),
        (0.85, ["a", "b"], 2),  # two topics of the last snapshot remain two
        (0.95, ["a", "b"], 1),
        (0.75, ["a", "a"], 1),  # and one remains one
        (0.65, ["a", "a"], 2),
    ],
)
def test_clusters_with_near_centres_are_one(cosine: float, earlier: list[str] | None, clusters: int) -> None:
    ids, rows, truth = pair_of_clusters(cosine)
    before = {key: earlier[group] for key, group in zip(ids, truth, strict=True)} if earlier else None
    labels = cluster_paragraphs(ids, rows, earlier=before)
    assert len(set(labels[labels >= 0].tolist())) == clusters
    assert (labels >= 0).all()


@pytest.mark.parametrize(("n", "resolution"), [(8, 1.0), (64, 1.0), (512, 4.0), (4096, 16.0)])
def test_clusters_grow_with_the_cube_root_of_the_corpus(n: int, resolution: float) -> None:
    assert choose_resolution(n) == pytest.approx(resolution)


def test_groups_are_found_and_every_label_is_a_number_by_size_or_minus_one() -> None:
    ids, vectors, truth = blobs(5, 30, noise=20)
    labels = cluster_paragraphs(ids, vectors)
    assert labels.shape == (len(ids),)
    assert labels.min() >= -1
    sizes = np.bincount(labels[labels >= 0])
    assert sizes.tolist() == sorted(sizes.tolist(), reverse=True)
    assert sizes.min() >= 3
    for group in range(5):
        of_group = labels[truth == group]
        of_group = of_group[of_group >= 0]
        assert len(of_group) >= 20, "tight groups are clustered"
    pure = [len(set(truth[labels == number]) - {-1}) <= 1 for number in range(labels.max() + 1)]
    assert all(pure), "no cluster mixes two groups"


def test_the_order_of_the_input_does_not_matter_nor_what_ran_before() -> None:
    ids, vectors, _ = blobs(6, 25, noise=60)
    labels = cluster_paragraphs(ids, vectors)
    assert len(set(labels)) > 3
    for seed in range(3):
        order = np.random.default_rng(seed).permutation(len(ids))
        assert np.array_equal(cluster_paragraphs([ids[i] for i in order], vectors[order]), labels[order])


def test_clusters_change_less_if_the_previous_ones_count() -> None:
    ids, vectors, _ = blobs(20, 8, noise=400)  # mostly noise, which every run divides in another way
    before = [row for row in range(len(ids)) if row % 10]
    labels = cluster_paragraphs([ids[row] for row in before], vectors[before])
    earlier = {ids[row]: str(label) for row, label in zip(before, labels.tolist(), strict=True) if label >= 0}
    anew, continued = cluster_paragraphs(ids, vectors), cluster_paragraphs(ids, vectors, earlier=earlier)
    assert adjusted_rand_score(labels, continued[before]) > adjusted_rand_score(labels, anew[before])


def test_earlier_clusters_of_paragraphs_that_are_gone_change_nothing() -> None:
    ids, vectors, _ = blobs(4, 25, noise=20)
    labels = cluster_paragraphs(ids, vectors)
    assert np.array_equal(cluster_paragraphs(ids, vectors, earlier={"gone": "t-1", "lost": "t-2"}), labels)


@pytest.mark.parametrize("n", [0, 1, 4])
def test_fewer_than_five_paragraphs_make_no_cluster(n: int) -> None:
    assert cluster_paragraphs([str(i) for i in range(n)], unit(np.ones((n, 8)))).tolist() == [-1] * n


@settings(max_examples=20, deadline=None)
@given(st.integers(5, 40), st.integers(0, 1000))
@example(5, 1)  # has no cluster
def test_any_small_corpus_gets_labels(n: int, seed: int) -> None:
    vectors = unit(np.random.default_rng(seed).normal(size=(n, 8)))
    labels = cluster_paragraphs([f"{i:02d}" for i in range(n)], vectors, seeds=3)
    counts = np.bincount(labels[labels >= 0])
    assert (counts >= 3).all()


def test_a_long_chain_of_near_clusters_is_divided_where_they_are_least_near(monkeypatch: pytest.MonkeyPatch) -> None:
    angles = np.deg2rad([0, 5, 40, 45, 80, 85])  # neighbours of a pair have a cosine of 0.996, pairs one of 0.82
    vectors = np.repeat(unit(np.stack([np.cos(angles), np.sin(angles), *np.zeros((6, 6))], axis=1)), 4, axis=0)
    labels = np.repeat(np.arange(6), 4)
    monkeypatch.setattr(clustering, "MAX_LINKED", 2)
    merged = clustering._merge_near(vectors, labels, None)
    assert [len(set(merged[at : at + 8])) for at in (0, 8, 16)] == [1, 1, 1] and len(set(merged)) == 3
    monkeypatch.setattr(clustering, "MAX_LINKED", 1)
    assert (clustering._merge_near(vectors, labels, None) == labels).all()


def test_ids_that_repeat_or_do_not_fit_are_refused() -> None:
    rows = unit(np.ones((6, 8)))
    with pytest.raises(ValueError, match="5 different of 6"):
        cluster_paragraphs(["a", "a", "b", "c", "d", "e"], rows)
    with pytest.raises(ValueError, match=r"\(6, 8\)"):
        cluster_paragraphs(["a", "b"], rows)


# --- names --------------------------------------------------------------------------------------------
GRAIN = [
    "The Black Sea grain corridor must work in both directions, says the envoy.",
    "Without the grain corridor our farmers on the Black Sea cannot sell, as the envoy knows.",
    "He called the Black Sea grain corridor a lifeline for the south.",
]
MUSEUM = [
    "The regional museum opened a new hall this week.",
    "Visitors of the regional museum may see the old maps again.",
    "A new hall and old maps: the museum is worth a visit.",
]


def phrases_of(texts: list[str], groups: list[list[int]]) -> list[tuple[str, ...]]:
    return find_distinctive_phrases(index_phrases(texts), groups, unit(np.eye(len(texts), 8) + 1))


def test_phrases_set_groups_apart_and_are_written_as_in_the_texts() -> None:
    grain, museum = phrases_of(GRAIN + MUSEUM, [[0, 1, 2], [3, 4, 5]])
    assert {"grain corridor", "Black Sea"} == set(grain[:2])
    assert "museum" in museum
    words = [word for phrase in grain for word in phrase.lower().split()]
    assert len(words) == len(set(words)), "no word twice in one name"


def list_phrases(text: str) -> set[str]:
    """The definition, word by word."""
    phrases = set()
    for sentence in re.split(r"[.,;:!?()\"“”«»–—\n]+", text.lower()):
        words = ALPHABETIC_WORD.findall(sentence)
        for start, end in itertools.combinations(range(len(words) + 1), 2):
            ends = [word.replace("’", "'") for word in (words[start], words[end - 1])]
            weak = load_stop_words() | frozenset(WEAK_WORDS.split())
            if end - start <= 3 and not any(len(word) < 2 or word in weak for word in ends):
                phrases.add(" ".join(words[start:end]))
    return phrases


WORDS = [
    "grain",
    "Black",
    "Sea",
    "the",
    "of",
    "a",
    "museum",
    "world’s",
    "Kyiv-based",
    "İstanbul",
    ". ",
    "(",
    "\n",
    "20",
]


@given(st.lists(st.lists(st.sampled_from(WORDS), max_size=8).map(" ".join), max_size=6))
def test_phrases_are_indexed_as_they_are_defined(texts: list[str]) -> None:
    index, own = index_phrases(texts), [list_phrases(text) for text in texts]
    counts = Counter(itertools.chain.from_iterable(own))
    assert index.phrases.tolist() == sorted(phrase for phrase, n in counts.items() if n >= 2)
    assert index.shares.tolist() == [counts[phrase] / len(texts) for phrase in index.phrases]
    for row, phrases in enumerate(own):
        assert {index.phrases[column] for column in index.used[[row]].indices} == {p for p in phrases if counts[p] >= 2}


def test_very_many_words_are_numbered_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    index = index_phrases(GRAIN + MUSEUM)
    monkeypatch.setattr(names, "MAX_CUBED", 0)
    again = index_phrases(GRAIN + MUSEUM)
    assert again.phrases.tolist() == index.phrases.tolist() and (again.used != index.used).nnz == 0


def test_texts_outside_every_group_are_only_the_background() -> None:
    (only,) = phrases_of(GRAIN + MUSEUM, [[3, 4, 5]])
    assert not {"grain corridor", "envoy"} & set(only)
    assert phrases_of(GRAIN, []) == []


@pytest.mark.parametrize("groups", [[[0, 1]], [[0, 1], [2, 3]]])
def test_groups_whose_texts_share_no_phrase_have_none(groups: list[list[int]]) -> None:
    assert phrases_of(["grain a", "museum b", "grain c", "museum d"], groups) == [()] * len(groups)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("syria", "syrian", True),
        ("day", "days", True),
        ("universities", "university", True),
        ("passes", "passing", False),
        ("bus", "buy", False),
        ("islam", "islamabad", False),
        ("russia’s", "russian", True),
    ],
)
def test_two_forms_of_one_word_have_stems_that_are_the_same(one: str, other: str, same: bool) -> None:
    assert names._is_same(names._stem(one), names._stem(other)) is same


def test_texts_of_stop_words_alone_have_no_phrases() -> None:
    assert phrases_of(["And so it was.", "That is that."], [[0, 1]]) == [()]


def test_of_two_phrases_of_a_group_the_one_of_its_subject_comes_first() -> None:
    texts = ["Harbour; poems."] * 4 + ["Harbour."] * 4 + ["Poems."] * 4 + ["Glaciers."] * 30
    own, other, rest = np.eye(3, 8)
    vectors = unit(np.stack([own] * 8 + [other] * 4 + [rest] * 30))
    (found,) = find_distinctive_phrases(index_phrases(texts), [[0, 1, 2, 3]], vectors)
    assert [phrase.lower() for phrase in found] == ["harbour", "poems"]


def test_after_its_subject_a_name_says_what_sets_a_group_apart_from_the_nearest_others() -> None:
    towns = ["Aleppo", "Astana"]
    texts = [text for town in towns for text in (f"Syria; refugees; {town}.", "Syria; refugees.") for _ in range(2)]
    texts += ["Glaciers."] * 120
    near, rest = np.eye(2, 8)
    vectors = unit(np.stack([near] * 8 + [rest] * 120))
    found = find_distinctive_phrases(index_phrases(texts), [[0, 1, 2, 3], [4, 5, 6, 7], [*range(8, 128)]], vectors)
    assert [names[1] for names in found[:2]] == towns
    assert {names[0] for names in found[:2]} <= {"Syria", "refugees"}


def test_the_beginning_of_a_longer_phrase_is_no_phrase() -> None:
    texts = [f"The Welfare Fund {verb} again." for verb in ("grew", "shrank", "grew")]
    (found,) = phrases_of([*texts, *MUSEUM], [[0, 1, 2]])
    assert found[0] == "Welfare Fund"
    (found,) = phrases_of([*texts, "Welfare grew.", "Welfare shrank.", *MUSEUM], [[0, 1, 2, 3, 4]])
    assert found[0] == "Welfare"


def test_two_forms_of_a_word_are_not_both_in_a_name() -> None:
    texts = ["Syria; Syrian; universities; university; refugees."] * 3
    (found,) = phrases_of([*texts, *MUSEUM], [[0, 1, 2]])
    assert len(found) == 3 and "refugees" in found


def test_names_differ_and_a_group_without_phrases_has_its_opening_words() -> None:
    same = ("grain", "corridor", "envoy", "farmers")
    names = make_names([same, same, ("grain",), (), ()], ["a", "b", "One word", "The first words", "The first words"])
    assert names[0] == NAME_SEPARATOR.join(same[:3])
    assert names[1] == NAME_SEPARATOR.join(same)
    assert names[2:] == ["One word", "The first words", "The first words (2)"]
    assert len(set(names)) == len(names)


def test_rows_go_to_the_nearest_centre_if_it_is_near_enough() -> None:
    vectors = unit(np.array([[1, 0, 0], [0.9, 0.1, 0], [0, 1, 0], [0.1, 0.1, 1]]))
    centres = compute_centres(vectors, np.array([0, 0, 1, -1]))
    labels, cosines = assign_nearest(vectors, centres, MEMBER_COSINE)
    assert labels.tolist() == [0, 0, 1, -1]
    assert np.allclose(cosines, (vectors @ (centres / 4000).T).max(axis=1), atol=1e-3)


def test_representatives_come_from_different_documents_while_there_are_such() -> None:
    ids = ["a", "b", "c", "d", "e", "f", "g"]
    central = np.array([0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.9], dtype=np.float32)
    assert choose_representatives(ids, ["1", "1", "1", "2", "3", "4", "5"], central) == ("a", "g", "d", "e", "f")
    assert choose_representatives(ids, ["1"] * 7, central) == ("a", "g", "b", "c", "d")


# --- description --------------------------------------------------------------------------------------
NO_ROUTINE = np.zeros((1, 32), dtype=np.float32)


def corpus(dates: list[str] | None = None, documents: int = 40) -> tuple[Statements, np.ndarray]:
    """Two clusters of 10 paragraphs and, from other documents, 40 loose ones."""
    ids, vectors, truth = blobs(2, 10, noise=40)
    texts = [
        f"{('Grain corridors feed the south' if group == 0 else 'Old maps hang in the museum')} as the {i}th "
        "speaker of the day told us again"
        for i, group in enumerate(truth)
    ]
    of = [f"d{i % documents:02d}" for i in range(len(ids))]
    return Statements(ids, texts, of, dates or [f"2016-{1 + i % 12:02d}-01" for i in range(60)], vectors), truth


def aligned(statements: Statements, assigned: dict[str, set[str]]) -> AlignmentTargets:
    centroids = np.stack([statements.vectors[:10].mean(axis=0), statements.vectors[10:20].mean(axis=0)])
    return AlignmentTargets(("grain", "maps"), unit(centroids), assigned)


def describe(
    statements: Statements, labels: np.ndarray, alignment: AlignmentTargets, routine: np.ndarray
) -> tuple[Cluster, ...]:
    claim_like = np.arange(len(labels)) % 2 == 0
    return summarise_topics(statements, labels, alignment, routine, index_phrases(statements.texts), claim_like)


def test_a_topic_knows_how_many_of_its_paragraphs_are_worded_like_claims() -> None:
    statements, labels = corpus()
    assert [c.stance for c in describe(statements, labels, aligned(statements, {}), NO_ROUTINE)] == [0.5, 0.5]


def test_a_cluster_that_half_of_its_members_advance_a_narrative_is_that_narrative() -> None:
    statements, labels = corpus()
    half = {f"p{i:04d}": {"grain"} for i in range(5)} | {f"p{i:04d}": {"grain"} for i in range(10, 14)}
    grain, maps = describe(statements, labels, aligned(statements, half), NO_ROUTINE)
    assert (grain.narrative_id, grain.nearest, grain.purity) == ("grain", "grain", 0.5)
    assert (maps.narrative_id, maps.nearest, maps.purity) == ("", "grain", 0.4)
    nobody = describe(statements, labels, aligned(statements, {}), NO_ROUTINE)
    assert [(c.narrative_id, c.nearest, c.purity) for c in nobody] == [("", "grain", 0.0), ("", "maps", 0.0)]
    empty = AlignmentTargets((), np.zeros((0, 32), dtype=np.float32), {})
    assert {c.nearest for c in describe(statements, labels, empty, NO_ROUTINE)} == {""}


@pytest.mark.parametrize(
    ("dates", "recurs"),
    [
        (["2016-03-01", "2016-04-01"] * 30, True),
        (["2016-03-01", "2016-03-20"] * 30, False),
        (["2016-03", "2016"] * 30, False),
        (["2016-03", "2017"] * 30, True),
        ([""] * 60, False),
    ],
)
def test_a_cluster_recurs_in_several_documents_and_months(dates: list[str], recurs: bool) -> None:
    statements, labels = corpus(dates)
    found = describe(statements, labels, aligned(statements, {}), NO_ROUTINE)
    assert {c.recurring for c in found} == {recurs}


def test_in_a_corpus_of_few_documents_two_of_them_are_recurrence() -> None:
    statements, labels = corpus([""] * 60, documents=10)
    alignment = aligned(statements, {})
    assert all(c.recurring for c in describe(statements, labels, alignment, NO_ROUTINE))
    one = replace(statements, document_ids=["d1"] * 10 + ["d2"] * 50)
    assert not any(c.recurring for c in describe(one, labels, alignment, NO_ROUTINE))


def test_routine_is_what_is_like_routine_sentences_or_very_short() -> None:
    statements, labels = corpus()
    empty = AlignmentTargets((), np.zeros((0, 32), dtype=np.float32), {})
    routine = unit(statements.vectors[10:20].mean(axis=0)[None])
    grain, maps = describe(statements, labels, empty, routine)
    assert (grain.routine, maps.routine) == (False, True)
    # What is as near to a narrative as to routine is no routine.
    assert not any(c.routine for c in describe(statements, labels, aligned(statements, {}), routine * 0.9))
    short = replace(statements, texts=["Thank you very much, colleagues."] * 60)
    assert all(c.routine for c in describe(short, labels, empty, NO_ROUTINE))
    assert len(set(ROUTINE_TEXTS)) == len(ROUTINE_TEXTS)


# --- identity -----------------------------------------------------------------------------------------
def a_cluster(cluster_id: str, members: str) -> Cluster:
    return Cluster(cluster_id, "n", (), tuple(members), tuple(members[:1]), "", "", 0.0, True, False)


def ids_of(clusters: tuple[Cluster, ...]) -> list[str]:
    return [c.cluster_id for c in clusters]


def keep(clusters: list[Cluster], previous: dict[str, str], names: dict[str, str] | None = None) -> tuple[Cluster, ...]:
    members: dict[str, set[str]] = {}
    for member, cluster_id in previous.items():
        members.setdefault(cluster_id, set()).add(member)
    frozen = {key: frozenset(own) for key, own in members.items()}
    return keep_ids(clusters, PreviousSnapshot("0" * 12, frozen, names or {}))


def test_a_cluster_keeps_the_id_that_most_of_its_members_had() -> None:
    new = [a_cluster("c-new1", "abcdx"), a_cluster("c-new2", "yz")]
    assert ids_of(keep(new, dict.fromkeys("abcde", "c-old"))) == ["c-old", "c-new2"]
    assert ids_of(keep(new, {})) == ["c-new1", "c-new2"]
    assert keep(new, {})[0].members == tuple("abcdx")
    assert ids_of(keep(new, dict.fromkeys("abcde", "t-old"))) == ["c-new1", "c-new2"], "a topic is no claim"


def test_of_two_heirs_the_likelier_takes_the_id_and_little_in_common_is_no_identity() -> None:
    split = [a_cluster("c-1", "abc"), a_cluster("c-2", "defgh")]
    assert ids_of(keep(split, dict.fromkeys("abcdefgh", "c-old"))) == ["c-1", "c-old"]
    assert ids_of(keep([a_cluster("c-1", "abxyzw")], dict.fromkeys("abcd", "c-old"))) == ["c-1"]


def test_a_cluster_whose_earlier_id_is_known_has_it_with_its_name_whatever_the_others_have_in_common() -> None:
    grown, heir = a_cluster("c-1", "abcuvwxyz"), a_cluster("c-2", "abcd")
    earlier = PreviousSnapshot("0" * 12, {"c-old": frozenset("abcd")}, {"c-old": "The old name"})
    first, second = keep_ids([grown, heir], earlier, ["c-old", ""])
    assert (first.cluster_id, first.name) == ("c-old", "The old name")
    assert second.cluster_id == "c-2" and second.name != first.name


def test_an_id_that_was_used_is_not_given_to_another_cluster() -> None:
    (only,) = keep([a_cluster("t-old", "xyz")], dict.fromkeys("abc", "t-old"))
    assert only.cluster_id != "t-old"
    assert only.cluster_id.startswith("t-")
    twice = keep([a_cluster("c-1", "abc"), a_cluster("c-1", "xyz")], {})
    assert len(set(ids_of(twice))) == 2


def test_a_cluster_that_is_half_the_same_keeps_its_name_and_no_other_gets_it() -> None:
    names = {"c-old": "the old name"}
    kept, drifted = (
        keep([a_cluster("c-1", members)], dict.fromkeys("abcd", "c-old"), names) for members in ("abcdxy", "abvwxy")
    )
    assert [c.name for c in kept] == ["the old name"]
    assert drifted[0].name == "n"
    new = [a_cluster("c-1", "abcd"), replace(a_cluster("c-2", "xyz"), name="the old name")]
    assert [c.name for c in keep(new, dict.fromkeys("abcd", "c-old"), names)] == ["the old name", "the old name (2)"]
