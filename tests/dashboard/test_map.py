"""The map in the store, as a chart and on its page."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st
from streamlit.testing.v1 import AppTest

from narratives.dashboard import cached_queries
from narratives.dashboard.views import evidence
from narratives.dashboard.views import map as map_view
from narratives.model import EvidenceQuery, Slice, StoreError
from narratives.render import map_charts
from narratives.render.colours import BACKGROUNDS, MIN_LINE_CONTRAST, compute_contrast
from narratives.store import Store, files, open_snapshot, snapshot_reader
from narratives.store.files import compute_sha256
from narratives.store.queries import map as map_queries
from tests.conftest import ROOT
from tests.helpers.factory import content

ORIGINALS = 9  # statement paragraphs of the factory's store


def placed() -> dict[str, tuple[float, float]]:
    """A place for every original statement of the factory's content."""
    made = content()
    return {key: (at / 2, -at / 4) for at, key in enumerate(sorted(made.statements - set(made.copies)))}


@pytest.fixture
def store(tmp_path, monkeypatch) -> Path:
    cached_queries.st.cache_resource.clear()
    cached_queries.st.cache_data.clear()
    made = Store(tmp_path / "texts")
    made.write_snapshot(replace(content(), layout=placed()))
    monkeypatch.setenv(cached_queries.STORE_VARIABLE, str(made.path))
    return made.path


def forget_the_map(store: Path) -> None:
    """Make the store's snapshot as version 2 wrote it."""
    folder = Store(store).snapshot_path(Store(store).current() or "")
    with duckdb.connect(str(folder / snapshot_reader.DATABASE_FILE)) as con:
        con.execute("DROP TABLE map; UPDATE meta SET value = '2' WHERE key = 'schema_version'; CHECKPOINT")
    path = folder / snapshot_reader.DATABASE_FILE
    manifest = files.load_snapshot_manifest(folder)
    files.save_snapshot_manifest(
        folder, replace(manifest, sizes={path.name: path.stat().st_size}, checksums={path.name: compute_sha256(path)})
    )


def test_places_come_back(store):
    assert map_queries.query_positions(open_snapshot(store)) == placed()


def test_the_map_is_no_part_of_the_id(tmp_path):
    ids = {Store(tmp_path / str(at)).write_snapshot(replace(content(), layout=of))
           for at, of in enumerate(({}, placed()))}  # fmt: skip
    assert len(ids) == 1


def test_a_place_for_nothing_is_refused(tmp_path):
    with pytest.raises(StoreError, match="nowhere"):
        Store(tmp_path).write_snapshot(replace(content(), layout={"nowhere": (0.0, 0.0)}))


def test_points_are_the_slice_s_originals(store):
    snapshot = open_snapshot(store)
    found = map_queries.query_points(snapshot, Slice())
    assert found.total == len(found.frame) == ORIGINALS
    assert found.claimed == snapshot.totals(Slice()).assigned
    row = found.frame.set_index("paragraph_id").loc["d001-003"]
    assert list(row["narrative_ids"]) == ["us_meddles_too", "western_russophobia"]
    assert (row["score"], row["origin"], row["year"]) == (0.83, "codebook", "2016")
    assert (row["x"], row["y"]) == placed()["d001-003"]
    for s in (Slice(("Vladimir Putin",)), Slice(date_from="2018"), Slice(narratives=("wwii_memory",))):
        expected = set(snapshot.paragraphs(EvidenceQuery(s))["paragraph_id"])
        assert set(map_queries.query_points(snapshot, s).frame["paragraph_id"]) == expected
    assert map_queries.query_points(snapshot, Slice(outlets=("nobody",))).frame.empty


@pytest.mark.parametrize(("most", "claims"), [(4, 3), (8, 6)])
def test_a_sample_shows_what_advances_a_narrative_first(store, most, claims):
    found = map_queries.query_points(open_snapshot(store), Slice(), most)
    assert len(found.frame) == most and found.total == ORIGINALS
    shown = sum(len(ids) > 0 for ids in found.frame["narrative_ids"])
    assert shown == max(claims, most - (ORIGINALS - found.claimed))
    assert found.frame.equals(map_queries.query_points(open_snapshot(store), Slice(), most).frame)


def test_an_older_snapshot_has_no_map(store):
    forget_the_map(store)
    snapshot = open_snapshot(store)
    found = map_queries.query_points(snapshot, Slice())
    assert (len(found.frame), found.total, map_queries.query_positions(snapshot)) == (0, 0, {})


def test_paragraphs_by_id_are_those_of_the_evidence(store):
    snapshot = open_snapshot(store)
    ids = ["d001-003", "d002-001"]
    every = snapshot.paragraphs(EvidenceQuery())
    expected = every[every["paragraph_id"].isin(ids)].reset_index(drop=True)
    assert map_queries.query_paragraphs_by_id(snapshot, ids).equals(expected)
    assert map_queries.query_paragraphs_by_id(snapshot, []).empty


@pytest.mark.parametrize("by", ["narrative", "year", "speaker"])
def test_every_point_is_in_one_group(store, by):
    frame = map_queries.query_points(open_snapshot(store), Slice()).frame
    groups = map_charts.group_points(frame, by, {}, {"us_meddles_too": "#efb118"})
    assert sorted(row for group in groups for row in group.rows) == list(range(len(frame)))
    named = [group for group in groups if group.number]
    assert len({group.symbol for group in named}) == len({group.colour for group in named}) == len(named)
    drawn = map_charts.build_map_figure(frame, groups, by)
    assert [len(trace["x"]) for trace in drawn["data"]] == [len(group.rows) for group in groups]
    assert len(drawn["layout"]["annotations"]) == (len(named) if by == "narrative" else 0)
    said = map_charts.describe_map(frame, groups, by)
    assert f"Map of {len(frame)} paragraphs" in said
    assert all(f"{group.name} {len(group.rows)}" in said for group in groups)
    json.dumps(drawn)


def test_years_beyond_ten_are_one_group(store):
    frame = map_queries.query_points(open_snapshot(store), Slice()).frame
    many = frame.iloc[[0] * 14].assign(year=[str(2000 + at) for at in range(14)])
    groups = map_charts.group_points(many, "year", {}, {})
    assert [group.name for group in groups] == ["earlier years", *map(str, range(2004, 2014))]


def test_texts_are_harmless_on_hover(store):
    frame = map_queries.query_points(open_snapshot(store), Slice()).frame
    frame["text"] = "<img src=http://example.org/x> " * 9
    drawn = map_charts.build_map_figure(frame, map_charts.group_points(frame, "speaker", {}, {}), "speaker")
    for trace in drawn["data"]:
        assert all("<img" not in text and "&lt;img" in text for text in trace["text"])


def test_colours_stand_out():
    for colour in map_charts.GROUP_COLOURS:
        assert all(compute_contrast(colour, ground) >= MIN_LINE_CONTRAST for ground in BACKGROUNDS)


def opened(**chosen: str) -> AppTest:
    """The page alone, with values of its controls."""
    app = AppTest.from_file(str(ROOT / "pages/map_page.py"), default_timeout=60)
    for key, value in chosen.items():
        app.session_state[key] = value
    app.run()
    assert not app.exception, app.exception
    return app


def said(app: AppTest) -> str:
    kinds = (app.subheader, app.text, app.caption)
    return "\n".join(e.value for kind in kinds for e in kind).replace("\\", "")


def test_the_page_draws_and_says_how_many(store):
    app = opened()
    assert f"{ORIGINALS} statement paragraphs; originals only." in said(app)
    [chart] = app.get("plotly_chart")
    names = [trace["name"] for trace in json.loads(chart.proto.spec)["data"]]
    assert names[0] == "in no narrative" and "<b>2</b> The US meddles too" in names
    app.session_state["colour"] = "year"
    [chart] = app.run().get("plotly_chart")
    assert "2016" in [trace["name"] for trace in json.loads(chart.proto.spec)["data"]]


def test_a_click_opens_the_paragraph_and_a_lasso_only_lists(store, monkeypatch):
    turned = []
    monkeypatch.setattr(map_view.navigation, "open_page", lambda *terms, **own: turned.append((*terms, own)))
    of_curve = [["d001-003"], ["d002-001", "d004-001"]]
    point = {"curve_number": 1, "point_index": 1}
    state = {"a": {"selection": {"points": [point], "box": [], "lasso": []}}}
    monkeypatch.setattr(map_view.st, "session_state", state)
    map_view._open_clicked_point("a", of_curve)
    assert turned == [("evidence", Slice(), {"open": "d004-001"})]
    state["a"]["selection"]["lasso"] = [{"x": [0, 1, 2]}]
    map_view._open_clicked_point("a", of_curve)
    assert len(turned) == 1
    assert map_view._get_selected_ids("a", of_curve) == {"d004-001"}


def test_what_lies_in_an_area_is_what_a_polygon_holds(store):
    snapshot = open_snapshot(store)
    found = map_queries.query_points(snapshot, Slice()).frame
    left, right = found["x"].min() - 1, found["x"].median()
    box = evidence.extract_outline({"box": [{"x": [right, left], "y": [-11.0, 11.0]}]})
    wanted = found["paragraph_id"][found["x"] < right].tolist()
    assert map_queries.query_ids_in_polygon(snapshot, box) == wanted and 0 < len(wanted) < len(found)
    # The mean of a triangle's corners is inside, the middle of its box's far corner is not.
    corners = ((0.0, 0.0), (4.0, 0.0), (0.0, 4.0))
    placed = found.assign(x=[1.0, 3.5, *[9.0] * (len(found) - 2)], y=[1.0, 3.5, *[9.0] * (len(found) - 2)])
    assert map_queries.query_ids_in_polygon(Fixed(placed), corners) == [found["paragraph_id"].iloc[0]]


class Fixed:
    """A snapshot that holds one map."""

    has_map = True

    def __init__(self, rows):
        self.rows = rows

    def frame(self, sql, values=None):
        return self.rows


@given(st.lists(st.tuples(st.floats(-10, 10), st.floats(-10, 10)), min_size=3, max_size=300))
def test_an_area_survives_its_address(corners):
    lasso = {"lasso": [{"x": [x for x, _ in corners], "y": [y for _, y in corners]}]}
    outline = evidence.extract_outline(lasso)
    assert 3 <= len(outline) <= evidence.MAX_CORNERS or len(corners) < 3
    again = evidence.parse_outline(evidence.format_outline(outline))
    assert again == tuple((pytest.approx(x, abs=0.0051), pytest.approx(y, abs=0.0051)) for x, y in outline)
    assert evidence.format_outline(again) == evidence.format_outline(outline)


@pytest.mark.parametrize("text", ["", "1,2", "1,2;3,4", "a,b;c,d;e,f", "1,2;3,4;nan,1", "1;2;3", "1,2;3,4;1e9,0"])
def test_what_is_no_area_is_none(text):
    assert evidence.parse_outline(text) == ()


def test_evidence_shows_only_what_lies_in_the_area(store):
    snapshot = open_snapshot(store)
    found = map_queries.query_points(snapshot, Slice()).frame
    middle = found["x"].median()
    box = evidence.format_outline(evidence.extract_outline({"box": [{"x": [-11.0, middle], "y": [-11.0, 11.0]}]}))
    app = AppTest.from_file(str(ROOT / "pages/evidence_page.py"), default_timeout=60)
    app.session_state["area"] = box
    app.run()
    assert not app.exception, app.exception
    rows = app.dataframe[0].value
    assert set(rows["paragraph_id"]) == set(map_queries.query_ids_in_polygon(snapshot, evidence.parse_outline(box)))
    assert f"{len(rows)} statement paragraphs" in said(app) and "in an area of the map" in said(app)
    [button] = [b for b in app.button if b.label == "Whole map"]
    button.click().run()
    assert len(app.dataframe[0].value) > len(rows)
    app.session_state["area"] = "nonsense"
    assert "is not valid" in said(app.run())


def test_the_table_has_every_point_of_the_map(store):
    app = AppTest.from_file(str(ROOT / "pages/map_page.py"), default_timeout=60)
    app.session_state["table-map"] = True
    [table] = app.run().dataframe
    assert len(table.value) == ORIGINALS and not app.get("plotly_chart")
    row = table.value[table.value["date"].astype(str).str.startswith("2016")].iloc[0]
    assert row["text"] and row["speaker"]


def test_a_sample_is_said_to_be_one(store, monkeypatch):
    few = map_queries.query_points(open_snapshot(store), Slice(), 4)
    monkeypatch.setattr(map_queries, "query_points", lambda snapshot, s: few)
    assert f"4 of {ORIGINALS} statement paragraphs are drawn" in said(opened())
    assert "not a prevalence" in said(opened())


def test_a_snapshot_without_a_map_says_so(store):
    forget_the_map(store)
    assert "This snapshot has no map" in said(opened())


def test_filters_that_match_nothing_are_named(store):
    app = AppTest.from_file(str(ROOT / "pages/map_page.py"), default_timeout=60)
    app.session_state["speaker"] = ["Maria Zakharova"]
    app.session_state["outlet"] = ["RT"]
    app.run()
    assert "No statement paragraph matches" in said(app)
    assert "Without the speaker filter: 3 statement paragraphs." in said(app)
