"""The pages on speakers and on spread without a browser: what they say, and what they say of nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from narratives.dashboard import cached_queries
from narratives.dashboard.views import spread
from narratives.model import Slice
from narratives.store import open_snapshot
from narratives.store.queries.speakers import query_share_sums, query_text_volumes, query_uses
from tests.conftest import ROOT
from tests.helpers.attribution import GUEST, HAWK, LAVROV, MEDDLES, MEMORY, PUTIN, RUSSOPHOBIA, speaking_store
from tests.helpers.factory import CODEBOOK

SPEAKERS, SPREAD = "pages/speakers_page.py", "pages/spread_page.py"
NAMES = {one.id: one.name for one in CODEBOOK.narratives}
NOTICE = "sample: paraphrased, not quoted"


@pytest.fixture(autouse=True)
def at_home(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    cached_queries.st.cache_resource.clear()
    cached_queries.st.cache_data.clear()


@pytest.fixture(scope="module")
def written(tmp_path_factory) -> Path:
    return speaking_store(tmp_path_factory.mktemp("speakers") / "store").path


@pytest.fixture
def store(written, monkeypatch) -> Path:
    monkeypatch.setenv(cached_queries.STORE_VARIABLE, str(written))
    return written


def opened(page: str, **state: object) -> AppTest:
    """The page alone, with these values of filters and controls."""
    app = AppTest.from_file(str(ROOT / page), default_timeout=60)
    for key, value in state.items():
        app.session_state[key] = value
    app.run()
    assert not app.exception, app.exception
    return app


def said(app: AppTest) -> str:
    kinds = (app.title, app.header, app.subheader, app.caption, app.text, app.info, app.markdown)
    return "\n".join(element.value for kind in kinds for element in kind).replace("\\", "")


def charts(app: AppTest) -> list[dict]:
    return [json.loads(chart.proto.spec) for chart in app.get("plotly_chart")]


def heatmap(app: AppTest) -> dict:
    return next(spec for spec in charts(app) if spec["data"][0]["type"] == "heatmap")


def tabled(app: AppTest, key: str, panel: int = 0) -> object:
    app.session_state[f"table-{key}"] = True
    return app.run().dataframe[panel].value


@pytest.mark.parametrize(
    "s", [Slice(), Slice(speakers=(PUTIN, LAVROV)), Slice(date_from="2017", date_to="2018"), Slice(copies="all")]
)
def test_the_cells_are_the_snapshot_s_counts(store, s):
    state = {"speaker": list(s.speakers), "from": s.date_from, "to": s.date_to, "copies": s.copies}
    table = tabled(opened(SPEAKERS, **state), "speakers")
    expected = query_share_sums(open_snapshot(store), s, "speaker", 30, 5)
    key = ["speaker", "narrative"]
    both = table.merge(expected, on=key, suffixes=("", "_sql"))
    assert len(both) == len(table) == len(expected) > 0
    for column in ("paragraphs", "total_paragraphs", "documents"):
        assert both[column].tolist() == both[f"{column}_sql"].tolist()
    assert (table["share_low"] <= table["share"]).all() and (table["share"] <= table["share_high"]).all()


def test_speakers_are_ranked_cut_and_the_others_told(store):
    app = opened(SPEAKERS)
    assert heatmap(app)["layout"]["xaxis"]["ticktext"][0].startswith("Sergei")
    assert "3 speakers with at least 30 statement paragraphs in 5 documents" in said(app)
    assert "20 statement paragraphs name no speaker" in said(app)
    assert [box.label for box in app.expander] == ["1 speaker with too little text for a share"]
    by_text = opened(SPEAKERS, **{"speakers-by": "text"})
    assert heatmap(by_text)["layout"]["xaxis"]["ticktext"][0].startswith("Vladimir")


def test_the_narrative_filter_chooses_rows_and_leaves_shares_as_they_are(store):
    whole = tabled(opened(SPEAKERS), "speakers")
    one = tabled(opened(SPEAKERS, narrative=[MEMORY]), "speakers")
    assert set(one["narrative"]) == {NAMES[MEMORY]}
    expected = whole[whole["narrative"] == NAMES[MEMORY]].set_index("speaker")["share"]
    assert one.set_index("speaker")["share"].to_dict() == expected.to_dict()


def test_a_profile_says_roles_voices_and_what_is_too_little(store):
    app = opened(SPEAKERS, profile=PUTIN, by="quarter")
    words = said(app)
    assert "180 statement paragraphs in 60 documents" in words
    assert "Prime Minister (8 May 2008 to 7 May 2012); President / Head of State (since 7 May 2012)" in words
    assert "fewer than 30 documents" in words  # no quarter has as many
    voices = tabled(opened(SPEAKERS, profile=PUTIN), "voices")
    found = query_text_volumes(open_snapshot(store), Slice(speakers=(PUTIN,)), "voice")
    of_voice = voices[voices["field"] == "voice"]
    assert of_voice["paragraphs"].tolist() == found["paragraphs"].tolist()
    assert of_voice["paragraphs"].sum() == 180 and abs(of_voice["share"].sum() - 1) < 1e-9


def test_a_profile_counts_what_the_snapshot_holds(store):
    table = tabled(opened(SPEAKERS, profile=PUTIN, by="year"), "profile")
    sums = table.groupby("narrative")["paragraphs"].sum().to_dict()
    expected = query_share_sums(open_snapshot(store), Slice(speakers=(PUTIN,)), "speaker")
    assert sums == expected.set_index("narrative")["paragraphs"].to_dict()
    assert table["share"].isna().equals(table["base_reason"] != "")
    counts = opened(SPEAKERS, profile=PUTIN, by="year", show="count")
    assert sum(spec["data"][0]["type"] == "bar" for spec in charts(counts)) == 3 + 1  # and the voices


def test_a_sample_has_a_smaller_base_that_is_said(tmp_path, monkeypatch):
    monkeypatch.setenv(cached_queries.STORE_VARIABLE, str(speaking_store(tmp_path / "s", NOTICE).path))
    assert "8 statement paragraphs in 2 documents" in said(opened(SPEAKERS))


def test_two_are_compared_and_one_below_the_base_is_said(store):
    app = opened(SPEAKERS, **{"profile": LAVROV, "with": PUTIN})
    assert "differs by" in said(app) and "worse" not in said(app)
    few = opened(SPEAKERS, **{"profile": LAVROV, "with": GUEST})
    assert f"{GUEST} has 1 statement paragraph, fewer than 30: no share is shown." in said(few)
    assert "There is not enough text by both speakers to compare them." in said(few)
    alone = opened(SPEAKERS, speaker=[PUTIN])
    assert "The filters leave no second speaker to compare with." in said(alone)


def test_a_name_with_marks_is_shown_letter_by_letter(store):
    app = opened(SPEAKERS, profile=HAWK)
    assert HAWK in said(app)
    assert "*Hawk*" not in app.header[0].value  # escaped


def test_the_filter_s_speaker_is_the_profile_and_stays_valid(store):
    app = opened(SPEAKERS, speaker=[LAVROV], profile=PUTIN)
    assert app.header[0].value == LAVROV
    assert opened(SPEAKERS, outlet=["RT"]).header[0].value in (GUEST, LAVROV)


def test_speakers_say_what_filters_match_nothing(store):
    app = opened(SPEAKERS, speaker=[HAWK], outlet=["RT"])
    assert "No attributed statement paragraph matches" in said(app)
    assert "Without the outlet filter: 36 attributed statement paragraphs." in said(app)
    assert not app.get("plotly_chart")


def test_too_little_of_everybody_is_said_and_counts_stay(store):
    app = opened(SPEAKERS, outlet=["RT"])
    assert "No speaker in this selection has 30 statement paragraphs in 5 documents" in said(app)
    assert GUEST in said(app)


@pytest.mark.parametrize("who", ["outlet", "speaker"])
@pytest.mark.parametrize("copies", ["originals", "copies", "all"])
def test_uses_are_the_snapshot_s_counts(store, who, copies):
    table = tabled(opened(SPREAD, of=MEDDLES, who=who, copies=copies), "spread")
    found = query_uses(open_snapshot(store), Slice(copies=copies), who, MEDDLES)
    expected = found[found["actor"] != ""].groupby("actor")["paragraphs"].sum().to_dict()
    assert dict(zip(table["actor"], table["uses"], strict=True)) == expected


def test_spread_says_who_is_first_in_what_was_collected(store):
    app = opened(SPREAD, of=MEDDLES, who="speaker")
    words = said(app)
    assert f"First in the texts collected: {LAVROV}" in words and spread.FIRST_USE_CAVEAT in words
    assert "6 paragraphs are not dated to the day" in words  # Hawk's
    for never in ("source of", "origin of", "coordinated"):
        assert never not in words
    hollow = charts(app)[0]["data"][-1]
    assert hollow["marker"]["symbol"] == "circle-open" and hollow["customdata"][0]["speaker"] == HAWK
    assert hollow["customdata"][0]["period"] == "2016"


def test_spread_counts_copies_from_outlet_to_outlet(store):
    app = opened(SPREAD, of=MEDDLES)
    total = query_uses(open_snapshot(store), Slice(copies="all"), "outlet", MEDDLES)["paragraphs"].sum()
    assert f"{total} statement paragraphs advance The US meddles too here, copies included; 5 of them" in said(app)
    pairs = app.dataframe[0].value
    assert pairs[["original_outlet", "outlet", "paragraphs"]].to_numpy().tolist() == [["TASS", "RT", 5]]
    assert "; 0 of them" in said(opened(SPREAD, of=RUSSOPHOBIA))


def test_the_running_total_ends_at_the_dated_uses(store):
    app = opened(SPREAD, of=MEDDLES, who="speaker", **{"spread-view": "cumulative"})
    found = query_uses(open_snapshot(store), Slice(), "speaker", MEDDLES)
    dated = found[found["date"].str.len() == 10].groupby("actor")["paragraphs"].sum()
    assert sorted(trace["y"][-1] for trace in charts(app)[0]["data"]) == sorted(dated)
    only_years = opened(SPREAD, of=MEDDLES, speaker=[HAWK], **{"spread-view": "cumulative"})
    assert "No paragraph is dated to the day" in said(only_years)


def test_the_narrative_filter_limits_what_can_be_chosen(store):
    app = opened(SPREAD, of=RUSSOPHOBIA, narrative=[MEMORY])
    assert app.selectbox[0].value == MEMORY


def test_spread_says_what_filters_match_nothing(store):
    app = opened(SPREAD, of=RUSSOPHOBIA, outlet=["RT"])
    assert "No advancing statement paragraph matches" in said(app)
    assert "Without the outlet filter" in said(app) and spread.FIRST_USE_CAVEAT in said(app)
    assert not app.get("plotly_chart")
