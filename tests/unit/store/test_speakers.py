"""What speakers and spread ask of a snapshot, held against plain counting."""

from __future__ import annotations

import pytest

from narratives.model import Slice
from narratives.store import Snapshot, open_snapshot
from narratives.store.queries.speakers import (
    query_monthly_coverage,
    query_narrative_copies,
    query_roles,
    query_share_sums,
)
from tests.helpers.attribution import GUEST, HAWK, LAVROV, MEDDLES, MEMORY, PUTIN, speaking, speaking_store


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory) -> Snapshot:
    store = speaking_store(tmp_path_factory.mktemp("speakers") / "store")
    return open_snapshot(store.path, store.current())


def test_copies_name_both_outlets(snapshot):
    [row] = query_narrative_copies(snapshot, Slice(), MEDDLES).to_dict("records")
    assert row == {"original_outlet": "TASS", "outlet": "RT", "paragraphs": 5, "documents": 5, "first": "2019-01-01"}


def test_speakers_and_periods_below_the_least_are_left_out(snapshot):
    assert set(query_share_sums(snapshot, Slice(), "speaker", 30, 5)["speaker"]) == {PUTIN, LAVROV, HAWK}
    assert set(query_share_sums(snapshot, Slice(), "speaker", 37, 5)["speaker"]) == {PUTIN, LAVROV}
    assert set(query_share_sums(snapshot, Slice(), "speaker", 1, 7)["speaker"]) == {PUTIN, LAVROV}


def test_the_slice_s_narratives_are_the_columns_and_narrow_no_total(snapshot):
    rows = query_share_sums(snapshot, Slice(narratives=(MEMORY,)), "period")
    whole = query_share_sums(snapshot, Slice(), "period")
    assert set(rows["narrative_id"]) == {MEMORY}
    assert rows["total_paragraphs"].tolist() == whole[whole["narrative_id"] == MEMORY]["total_paragraphs"].tolist()


def test_roles_come_by_date(snapshot):
    table = query_roles(snapshot, PUTIN)
    assert table["title"].tolist()[0] == "Prime Minister"
    assert table["start_day"].tolist() == ["2008-05-08", "2012-05-07", "2012-05-07"]
    assert table["end_day"].tolist() == ["2012-05-07", "", ""]
    assert query_roles(snapshot, LAVROV)["start_day"].tolist() == [""]
    assert query_roles(snapshot, GUEST).empty


def test_coverage_is_of_all_text_whatever_is_asked_for(snapshot):
    everything = query_monthly_coverage(snapshot, Slice(), "outlet")
    asked = Slice(date_from="2018", date_to="2018", copies="originals", voices=("own",))
    assert query_monthly_coverage(snapshot, asked, "outlet").equals(everything)
    debate = everything[everything["actor"] == "Debate"]
    assert debate["period"].tolist() == ["2016", "2017", "2018"]
    assert debate[["first_day", "last_day", "sure"]].iloc[0].tolist() == ["2016-01-01", "2016-12-31", "2016-12-31"]
    paragraphs = sum(len(document.paragraphs) for document in speaking().documents)
    assert everything["paragraphs"].sum() == paragraphs
    only = query_monthly_coverage(snapshot, Slice(outlets=("RT",)), "speaker")
    assert set(only["actor"]) == {"", LAVROV, GUEST}
