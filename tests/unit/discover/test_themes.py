"""Themes: as many as the topics need, the largest first, the same in any order."""

from __future__ import annotations

import numpy as np
import pytest

from narratives.discover import Statements, index_phrases, summarise_themes
from narratives.discover.themes import choose_theme_count, group_topics
from narratives.model import Cluster


def near(centre: int, number: int, spread: float = 0.2) -> np.ndarray:
    """Unit rows around an axis."""
    draw = np.random.default_rng(centre * 100 + number)
    rows = np.eye(8)[centre] + spread * draw.normal(size=(number, 8)) / np.sqrt(8)
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


@pytest.mark.parametrize(("topics", "themes"), [(1, 1), (3, 1), (9, 3), (30, 7), (900, 39), (10_000, 60)])
def test_themes_grow_with_the_root_of_the_topics(topics: int, themes: int) -> None:
    assert choose_theme_count(topics) == themes


def test_topics_on_one_subject_are_one_theme_the_largest_first() -> None:
    vectors = np.vstack([near(at % 3, 4 + (at % 3)) for at in range(9)])
    ends = np.cumsum([4 + (at % 3) for at in range(9)])
    topics = [list(range(end - (4 + at % 3), end)) for at, end in enumerate(ends)]
    labels = group_topics(vectors, topics)
    assert labels.tolist() == [2, 1, 0] * 3
    equal = np.vstack([near((at + 2) % 3, 4) for at in range(9)])
    assert group_topics(equal, [range(at * 4, at * 4 + 4) for at in range(9)]).tolist() == [0, 1, 2] * 3
    assert group_topics(vectors, []).tolist() == []
    assert group_topics(vectors, topics[:1]).tolist() == [0]


def test_a_theme_has_the_members_of_its_topics_and_each_topic_knows_its_theme() -> None:
    subjects = ("harbour cranes", "poems rhymes", "glacier ice")
    vectors = np.vstack([near(at % 3, 4) for at in range(9)])
    texts = [f"The {subjects[at // 4 % 3]} are the subject of sentence {at}." for at in range(36)]
    ids = [f"p{at:02d}" for at in range(36)]
    statements = Statements(ids, texts, ids, [""] * 36, vectors)
    topics = [
        Cluster(f"t-{at}", f"topic {at}", (), tuple(ids[at * 4 : at * 4 + 4]), (), "", "", 0.0, True, False)
        for at in range(9)
    ]
    themes, with_themes = summarise_themes(statements, topics, index_phrases(texts))
    assert len(themes) == len({theme.name for theme in themes}) == 3
    assert all(theme.cluster_id.startswith("g-") and not theme.is_candidate for theme in themes)
    for theme in themes:
        own = [topic for topic in with_themes if topic.theme_id == theme.cluster_id]
        assert sorted(theme.members) == sorted(member for topic in own for member in topic.members)
        assert set(theme.representatives) <= set(theme.members)
    assert {word for theme in themes for word in theme.name.split(" · ")} >= {"harbour cranes", "poems rhymes"}
