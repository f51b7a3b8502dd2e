"""The sums of one narrative's page against pandas, over random slices."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from narratives.measure.shares import SUM_COLUMNS
from narratives.model import Slice
from narratives.store import Snapshot, open_snapshot
from narratives.store.queries import narrative as narrative_queries
from narratives.store.queries.speakers import query_uses
from tests.helpers.larger import ABOUT, build_larger

SLICES = st.builds(
    Slice,
    speakers=st.sampled_from([(), ("Vladimir Putin",), ("", "Maria Zakharova")]),
    outlets=st.sampled_from([(), ("TASS",)]),
    voices=st.sampled_from([(), ("own",), ("quoted", "outlet")]),
    date_from=st.sampled_from(["", "2017", "2018-05"]),
    date_to=st.sampled_from(["", "2018"]),
    by=st.sampled_from(["year", "quarter"]),
)


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory) -> Snapshot:
    return open_snapshot(build_larger(tmp_path_factory.mktemp("larger") / "store").path)


@pytest.fixture(scope="module")
def table(snapshot) -> pd.DataFrame:
    """Every statement paragraph, and whether it advances ABOUT."""
    rows = snapshot.frame("SELECT * FROM snap.paragraphs WHERE statement")
    hits = snapshot.frame("SELECT paragraph_id FROM snap.assignments WHERE narrative_id = 'wwii_memory'")
    return rows.assign(hit=rows["paragraph_id"].isin(hits["paragraph_id"]))


def cut(table: pd.DataFrame, s: Slice) -> pd.DataFrame:
    """The same slice in pandas; every date of this store is a day, so text compares as time does."""
    for column, wanted in (("speaker", s.speakers), ("outlet", s.outlets), ("voice", s.voices)):
        table = table[table[column].isin(wanted)] if wanted else table
    if s.date_from:
        table = table[table["date"] >= s.date_from]
    if s.date_to:
        table = table[(table["date"] != "") & (table["date"] <= s.date_to + "-99")]
    return table


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(s=SLICES, group=st.sampled_from(["all", "period", "speaker", "outlet"]))
def test_sums_are_those_of_the_documents(snapshot, table, s, group):
    rows = cut(table, s)
    key = {"all": None, "period": s.by}.get(group, group)
    rows = rows.assign(key=rows[key] if key else "").dropna(subset=["key"])
    of = rows.groupby(["key", "document_id"]).agg(m=("hit", "size"), y=("hit", "sum")).reset_index()
    of = of.assign(m2=of["m"] ** 2, my=of["m"] * of["y"], y2=of["y"] ** 2)
    expected = of.groupby("key").agg(
        documents=("m", "size"),
        total_paragraphs=("m", "sum"),
        paragraphs=("y", "sum"),
        m2=("m2", "sum"),
        my=("my", "sum"),
        y2=("y2", "sum"),
    )
    found = narrative_queries.query_narrative_sums(snapshot, s, ABOUT, group)
    if group != "all":
        assert found[group].tolist() == expected.index.tolist()
    assert found[list(SUM_COLUMNS)].to_numpy().tolist() == expected[list(SUM_COLUMNS)].to_numpy().tolist()


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(s=SLICES, actor=st.sampled_from(["speaker", "outlet"]))
def test_voices_and_uses_count_every_paragraph_once(snapshot, table, s, actor):
    rows = cut(table, s)
    hits = rows[rows["hit"]]
    voices = narrative_queries.query_group_voices(snapshot, s, ABOUT, actor)
    assert {tuple(row) for row in voices.to_numpy().tolist()} == {
        (*key, len(of)) for key, of in hits.groupby([actor, "voice"])
    }
    days = query_uses(snapshot, s, actor, ABOUT)
    assert days["paragraphs"].sum() == len(hits)
    assert set(days["date"]) == set(hits["date"])
    since = narrative_queries.query_coverage_start(snapshot, s, actor)
    assert dict(since.to_numpy().tolist()) == rows[rows["date"] != ""].groupby(actor)["date"].min().to_dict()
