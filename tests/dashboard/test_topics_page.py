"""The Topics page without a browser: what it shows, what its controls do, and what it says where there is nothing."""

from __future__ import annotations

from dataclasses import replace

import duckdb
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from narratives.dashboard.views import topics
from narratives.measure import find_trends
from narratives.model import EvidenceQuery, Slice
from narratives.render import topic_charts
from narratives.store import Store, files, open_snapshot, snapshot_reader
from narratives.store.files import compute_sha256
from narratives.store.queries.topics import count_in_topics, query_topics
from tests.conftest import ROOT

ELECTIONS, WAR, CLAIM = "t-00000001", "t-00000002", "c-0000beef"


def page(file: str = "pages/topics_page.py", **session: object) -> AppTest:
    app = AppTest.from_file(str(ROOT / file), default_timeout=60)
    for key, value in session.items():
        app.session_state[key.replace("_", "-")] = value
    app.run()
    assert not app.exception
    return app


def said(app: AppTest) -> str:
    parts = [*app.markdown, *app.caption, *app.text, *app.header, *app.subheader]
    return "\n".join(str(part.value) for part in parts)


def names(app: AppTest) -> list[str]:
    return [str(name) for name in app.dataframe[-1].value["topic"]]


def test_topics_are_listed_with_their_numbers_and_claims_on_demand(store) -> None:
    app = page()
    assert names(app) == ["elections · interference", "war · memory"]
    row = app.dataframe[-1].value.iloc[0]
    assert (row["theme"], row["paragraphs"], row["documents"]) == ("elections", 3, 2)
    assert row["share_low"] < row["share"] < row["share_high"]
    assert row["share"] == pytest.approx(3 / 9)
    assert (row["wording"], row["narrative"]) == ("mostly claims", "The US meddles too")
    assert row["explained_share"] == pytest.approx(2 / 3)
    metrics = {metric.label: metric.value for metric in app.metric}
    assert (metrics["Themes"], metrics["Topics"], metrics["In a topic"]) == ("2", "2", "55.6 %")
    assert metrics["Recurring claims"] == "1" and "New topics" not in metrics
    assert names(page(list="claim")) == ["Exports and slides"]


def test_the_filters_of_the_sidebar_apply(store) -> None:
    assert names(page(speaker=["Maria Zakharova"])) == ["elections · interference"]
    assert names(page(narrative=["wwii_memory"])) == ["war · memory"]
    assert "No statement paragraph in a topic matches" in said(page(outlet=["RT"], speaker=["Maria Zakharova"]))


def test_a_chosen_topic_is_described_and_leads_to_its_paragraphs(store) -> None:
    app = page(about_topic=ELECTIONS)
    assert "elections · interference" in [header.value for header in app.header]
    assert "66\\.7 \\% of its paragraphs advance The US meddles too" in said(app)
    assert "The United States interferes in elections everywhere" in said(app)
    button = next(button for button in app.button if button.label == "Open 3 paragraphs in Evidence")
    button.click()
    app.run()
    assert app.session_state["turn to"] == f"evidence?topic={ELECTIONS}"
    claim = page(about_topic=CLAIM)
    next(button for button in claim.button if button.label == "Open 2 paragraphs in Evidence").click()
    claim.run()
    assert claim.session_state["turn to"] == f"evidence?narrative={CLAIM}"
    assert "no paragraph in this selection" in said(page(about_topic="t-ffffffff"))


def test_a_chosen_theme_narrows_the_table(store) -> None:
    assert names(page(about_topic="g-00000002")) == ["war · memory"]


def test_evidence_shows_the_paragraphs_of_a_topic(store) -> None:
    snapshot = open_snapshot(store)
    shown = snapshot.paragraphs(EvidenceQuery(topics=(ELECTIONS,)))
    assert set(shown["paragraph_id"]) == {"d001-003", "d002-001", "d002-002"}
    copies = snapshot.paragraphs(EvidenceQuery(Slice(copies="all"), topics=(ELECTIONS,)))
    assert set(copies["paragraph_id"]) == {*shown["paragraph_id"], "d005-001"}, "a copy is where its original is"
    app = page("pages/evidence_page.py", topic=ELECTIONS)
    assert "Only paragraphs of the topic “elections · interference”." in said(app)
    assert "3 statement paragraphs of the topic" in said(app)
    next(button for button in app.button if button.label == "All topics").click()
    app.run()
    assert "9 statement paragraphs" in said(app)
    assert "is not in this snapshot and is ignored" in said(page("pages/evidence_page.py", topic="t-none"))


def test_an_older_snapshot_says_that_it_has_no_themes(store) -> None:
    folder = Store(store).snapshot_path(Store(store).current() or "")
    path = folder / snapshot_reader.DATABASE_FILE
    with duckdb.connect(str(path)) as con:
        con.execute("ALTER TABLE clusters DROP theme_id; UPDATE meta SET value = '4' WHERE key = 'schema_version'")
    manifest = files.load_snapshot_manifest(folder)
    files.save_snapshot_manifest(
        folder, replace(manifest, sizes={path.name: path.stat().st_size}, checksums={path.name: compute_sha256(path)})
    )
    assert "This snapshot has no themes" in said(page())
    assert open_snapshot(store).make_previous().names == {}


def test_sums_agree_with_a_plain_count(store) -> None:
    snapshot = open_snapshot(store)
    for s in (Slice(), Slice(copies="all"), Slice(("Vladimir Putin",)), Slice(date_from="2016-11", date_to="2016-12")):
        found = query_topics(snapshot, s)
        every = snapshot.paragraphs(EvidenceQuery(s))
        assert found.total == len(every) == found.groups["total_paragraphs"].iloc[0]
        placed = set()
        for row in found.groups.itertuples():
            own = snapshot.paragraphs(EvidenceQuery(s, topics=(row.topic_id,)))
            assert (row.paragraphs, row.used_documents) == (len(own), own["document_id"].nunique())
            placed |= set(own["paragraph_id"]) if row.kind == "topic" else set()
        assert found.placed == len(placed) == count_in_topics(snapshot, s)
    some = Slice(narratives=tuple(snapshot.options().narratives["narrative_id"][:2]))
    assert 0 < count_in_topics(snapshot, some) == query_topics(snapshot, some).placed < found.placed


def test_a_topic_is_growing_if_the_intervals_of_its_halves_do_not_meet() -> None:
    def row(topic: str, part: str, y: int) -> dict[str, object]:
        sums = {"documents": 200, "total_paragraphs": 200, "m2": 200, "paragraphs": y, "my": y, "y2": y}
        return {"topic_id": topic, "part": part, **sums}

    rows = [row("up", "earlier", 5), row("up", "later", 50), row("same", "earlier", 20), row("same", "later", 22)]
    halves = pd.DataFrame([*rows, row("down", "earlier", 60), row("rare", "later", 4)])
    assert find_trends(halves) == {"up": "growing", "same": "steady", "down": "fading", "rare": ""}
    assert find_trends(halves[halves["part"] == "later"]) == {}


def test_areas_fill_the_map_and_are_as_large_as_their_numbers() -> None:
    sizes = [60.0, 25.0, 25.0, 10.0, 4.0, 1.0]
    areas = topic_charts.divide_area(topic_charts.Area(0, 0, 160, 100), sizes)
    for size, area in zip(sizes, areas, strict=True):
        assert area.width * area.height == pytest.approx(16_000 * size / sum(sizes))
        assert area.left >= -1e-9 and area.left + area.width <= 160 + 1e-9
        assert area.bottom >= -1e-9 and area.bottom + area.height <= 100 + 1e-9
    for one in range(len(areas)):
        for other in range(one):
            a, b = areas[one], areas[other]
            across = min(a.left + a.width, b.left + b.width) - max(a.left, b.left)
            up = min(a.bottom + a.height, b.bottom + b.height) - max(a.bottom, b.bottom)
            assert across < 1e-6 or up < 1e-6, "no two overlap"
    assert topic_charts.divide_area(topic_charts.Area(0, 0, 1, 1), []) == []


@pytest.mark.parametrize("colour", ["theme", "explained", "claims"])
def test_each_area_names_its_topic_and_small_topics_share_one(colour) -> None:
    def topic(number: int, kind: str) -> dict[str, object]:
        counted = {"paragraphs": 60 - number, "explained": number, "share": 0.01, "claim_share": 0.5, "narrative": "N"}
        return {"topic_id": f"{kind}-{number}", "topic": f"name {number}", "theme_id": "g-0", **counted}

    themes, members = [topic(0, "g")], [topic(number, "t") for number in range(topic_charts.MAX_AREAS + 5)]
    cells, heads = topic_charts.build_topic_map(themes, members, colour)["data"]
    assert [point["topic"] for point in heads["customdata"]] == ["g-0"]
    assert len(cells["customdata"]) == topic_charts.MAX_AREAS
    assert [point["topic"] for point in cells["customdata"]].count("g-0") == 1
    assert any("6 smaller topics" in hover for hover in cells["hovertemplate"])


def test_the_page_lists_what_its_file_holds(store) -> None:
    found = query_topics(open_snapshot(store), Slice())
    shown = found.groups.assign(share=0.1, share_low=0.0, share_high=0.2, trend="")
    table = topics.build_table(replace(found, groups=shown), "topic")
    assert table["topic_id"].tolist() == [ELECTIONS, WAR]
    assert set(topics.TABLE_COLUMNS) <= set(table)


@pytest.mark.parametrize(
    ("letters", "lines", "shown"),
    [
        (40, 1, "coronavirus · medical · patients"),
        (14, 3, "coronavirus ·<br>medical ·<br>patients"),
        (14, 2, "coronavirus ·<br>medical · …"),
        (10, 4, ""),  # the first word does not fit
        (40, 0, ""),
    ],
)
def test_no_word_of_a_name_is_cut_in_an_area(letters: int, lines: int, shown: str) -> None:
    area = topic_charts.Area(0, 0, (letters + 0.5) * topic_charts._LETTER_WIDTH, lines * topic_charts._LINE_HEIGHT)
    assert topic_charts._fit_name("coronavirus · medical · patients", area, bold=False) == shown


def test_a_name_ends_before_the_first_word_that_does_not_fit() -> None:
    area = topic_charts.Area(0, 0, 9.5 * topic_charts._LETTER_WIDTH, 4 * topic_charts._LINE_HEIGHT)
    assert topic_charts._fit_name("oil · prices · transportation", area, bold=False) == "oil ·<br>prices …"
