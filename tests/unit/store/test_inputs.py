"""The inputs ledger gives back what it was given, or says that it cannot."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from narratives.model import RawDocument, RawParagraph, Rejected, StoreError
from narratives.store import Store

KEY = "ab" * 32
anything = st.text(st.characters(), max_size=12)  # lone surrogates and control characters included
raw = st.builds(
    RawDocument,
    source_path=anything,
    row=st.integers(0, 9),
    text=anything,
    paragraphs=st.lists(st.builds(RawParagraph, anything, anything, anything), max_size=3).map(tuple),
    id=anything,
    title=anything,
    date=anything,
    text_kind=st.sampled_from(["verbatim", "paraphrase"]),
    from_manifest=st.lists(st.sampled_from(["date", "speaker"]), max_size=2).map(tuple),
)
rows = st.lists(st.one_of(raw, st.builds(Rejected, anything, st.integers(0, 9), anything)), max_size=6)


@settings(max_examples=60, deadline=None)
@given(rows)
def test_what_goes_in_comes_out(rows) -> None:
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder))
        store.put_input(KEY, iter(rows))
        assert list(store.get_input(KEY)) == rows
        first = (Path(folder) / "inputs" / f"{KEY}.jsonl.gz").read_bytes()
        store.put_input(KEY, iter(rows))
        assert (Path(folder) / "inputs" / f"{KEY}.jsonl.gz").read_bytes() == first


def test_a_reader_that_fails_half_way_leaves_nothing(tmp_path: Path) -> None:
    def failing():
        yield RawDocument("a.txt", text="one")
        raise StoreError("more", "nothing", "Stop.")

    store = Store(tmp_path)
    assert not store.has_input(KEY)
    with pytest.raises(StoreError, match="more"):
        store.put_input(KEY, failing())
    assert not store.has_input(KEY)
    assert list((tmp_path / "inputs").iterdir()) == []


def test_missing_and_damaged_rows_are_told(tmp_path: Path) -> None:
    store = Store(tmp_path)
    with pytest.raises(StoreError, match="no such file"):
        list(store.get_input(KEY))
    store.put_input(KEY, [RawDocument(f"{n}.txt", text="text " * 50) for n in range(50)])
    path = tmp_path / "inputs" / f"{KEY}.jsonl.gz"
    whole = path.read_bytes()
    for damaged in (whole[:-20], whole[:60] + b"\x00\xff" * 30 + whole[120:], b"no gzip at all"):
        path.write_bytes(damaged)
        with pytest.raises(StoreError, match="Build again"):
            list(store.get_input(KEY))


@pytest.mark.parametrize("key", ["", "../../etc/passwd", "AB" * 32, "ab"])
def test_a_key_that_is_no_hash_is_refused(tmp_path: Path, key: str) -> None:
    with pytest.raises(StoreError, match="hash"):
        Store(tmp_path).put_input(key, [])
