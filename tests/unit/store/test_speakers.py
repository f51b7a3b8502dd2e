"""What speakers and spread ask of a snapshot, held against plain counting."""

from __future__ import annotations

from collections import Counter, defaultdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from narratives.model import Slice
from narratives.store import Snapshot, open_snapshot
from narratives.store.queries.speakers import (
    query_monthly_coverage,
    query_narrative_copies,
    query_roles,
    query_share_sums,
    query_text_volumes,
    query_uses,
)
from tests.helpers.attribution import (
    GUEST,
    HAWK,
    LAVROV,
    MEDDLES,
    MEMORY,
    PUTIN,
    RUSSOPHOBIA,
    speaking,
    speaking_store,
)


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory) -> Snapshot:
    store = speaking_store(tmp_path_factory.mktemp("speakers") / "store")
    return open_snapshot(store.path, store.current())


SLICES = st.builds(
    Slice,
    speakers=st.sampled_from([(), (PUTIN,), (LAVROV, HAWK), (GUEST,)]),
    outlets=st.sampled_from([(), ("TASS",), ("RT", "Debate")]),
    voices=st.sampled_from([(), ("own",), ("quoted", "reported")]),
    date_from=st.sampled_from(["", "2017"]),
    date_to=st.sampled_from(["", "2018"]),
    copies=st.sampled_from(["originals", "copies", "all"]),
)


def inside(s: Slice) -> list[tuple]:
    """(document, paragraph, narratives) of the slice, counted by hand from what was written."""
    made = speaking()
    of: dict[str, set[str]] = defaultdict(set)
    for one in made.assignments:
        of[one.paragraph_id].add(one.narrative_id)
    found = []
    for document in made.documents:
        if (s.date_from and document.date[:4] < s.date_from) or (s.date_to and document.date[:4] > s.date_to):
            continue
        for p in document.paragraphs:
            copy = p.paragraph_id in made.copies
            if (
                p.paragraph_id in made.statements
                and (not s.speakers or p.speaker in s.speakers)
                and (not s.outlets or document.outlet in s.outlets)
                and (not s.voices or p.voice in s.voices)
                and (s.copies == "all" or copy == (s.copies == "copies"))
            ):
                found.append((document, p, of[p.paragraph_id]))
    return found


@settings(max_examples=40, deadline=None)
@given(s=SLICES)
def test_amounts_and_shares_are_what_counting_gives(snapshot, s):
    found = inside(s)
    table = query_text_volumes(snapshot, s, "speaker").set_index("speaker")
    assert table["paragraphs"].to_dict() == Counter(p.speaker for _, p, _ in found)
    assert table["advancing"].sum() == sum(bool(of) for _, _, of in found)
    voices = query_text_volumes(snapshot, s, "voice")
    assert dict(zip(voices["voice"], voices["paragraphs"], strict=True)) == Counter(p.voice for _, p, _ in found)

    rows = query_share_sums(snapshot, s, "speaker")
    assert set(rows["narrative_id"]) <= {RUSSOPHOBIA, MEDDLES, MEMORY} and "" not in set(rows["speaker"])
    assert len(rows) == 3 * len(set(rows["speaker"]))
    for row in rows.itertuples():
        sizes: Counter[str] = Counter()
        hits: Counter[str] = Counter()
        for document, p, of in found:
            if p.speaker == row.speaker:
                sizes[document.document_id] += 1
                hits[document.document_id] += row.narrative_id in of
        sums = (len(sizes), sum(sizes.values()), sum(hits.values()))
        assert (row.documents, row.total_paragraphs, row.paragraphs) == sums
        assert row.m2 == sum(m * m for m in sizes.values())
        assert row.my == sum(sizes[key] * y for key, y in hits.items())
        assert row.y2 == sum(y * y for y in hits.values())


@settings(max_examples=30, deadline=None)
@given(s=SLICES, narrative=st.sampled_from([MEDDLES, MEMORY]))
def test_uses_and_copies_are_what_counting_gives(snapshot, s, narrative):
    found = [(document, p) for document, p, of in inside(s) if narrative in of]
    table = query_uses(snapshot, s, "outlet", narrative)
    keys = zip(table["actor"], table["date"], strict=True)
    counted = Counter((document.outlet, document.date) for document, _ in found)
    assert dict(zip(keys, table["paragraphs"], strict=True)) == counted
    assert query_uses(snapshot, s, "speaker", narrative)["paragraphs"].sum() == len(found)
    only_copies = Slice(s.speakers, s.outlets, (), s.date_from, s.date_to, "copies", voices=s.voices)
    pairs = query_narrative_copies(snapshot, s, narrative)
    assert pairs["paragraphs"].sum() == sum(narrative in of for _, _, of in inside(only_copies))


def test_copies_name_both_outlets(snapshot):
    [row] = query_narrative_copies(snapshot, Slice(), MEDDLES).to_dict("records")
    assert row == {
        "original_outlet": "TASS",
        "outlet": "RT",
        "paragraphs": 5,
        "documents": 5,
        "first": "2019-01-01",
    }


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
    assert debate[["first_day", "last_day", "sure"]].iloc[0].tolist() == [
        "2016-01-01",
        "2016-12-31",
        "2016-12-31",
    ]
    paragraphs = sum(len(document.paragraphs) for document in speaking().documents)
    assert everything["paragraphs"].sum() == paragraphs
    only = query_monthly_coverage(snapshot, Slice(outlets=("RT",)), "speaker")
    assert set(only["actor"]) == {"", LAVROV, GUEST}
