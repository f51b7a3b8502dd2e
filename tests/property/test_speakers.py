"""The sums of speakers and spread against plain counting, over random slices."""

from __future__ import annotations

from collections import Counter, defaultdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from narratives.model import Slice
from narratives.store import Snapshot, open_snapshot
from narratives.store.queries.speakers import query_narrative_copies, query_share_sums, query_text_volumes, query_uses
from tests.helpers.attribution import GUEST, HAWK, LAVROV, MEDDLES, MEMORY, PUTIN, RUSSOPHOBIA, speaking, speaking_store


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
