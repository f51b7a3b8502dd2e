"""The export contracts: columns, order, filters, and the three formats."""

from __future__ import annotations

import codecs
import csv
import io
import json
import random
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from narratives.measure import add_shares
from narratives.model import Slice, StoreError, UsageError
from narratives.store import DEFAULT_COPIES, EXPORT_TABLES, Store, export_slice, frame_to_csv, open_snapshot
from tests.helpers.factory import build_store, content

COLUMNS = {
    "paragraphs": "paragraph_id, document_id, source_path, url, outlet, title, date, date_precision, "
    "date_source, position, kind, speaker, speaker_method, quoted_person, voice, language, duplicate_of, "
    "text_kind, text",
    "assignments": "paragraph_id, narrative_id, narrative, origin, score, status, text",
    "narratives": "narrative_id, narrative, origin, status, definition, paragraphs, documents, first_date, last_date",
    "prevalence": "period, narrative_id, narrative, paragraphs, total_paragraphs, share, share_low, "
    "share_high, speakers, outlets, narratives, voices, date_from, date_to, copies, unit, snapshot, note",
    "documents": "document_id, source_path, url, outlet, title, date, date_precision, date_source, language, "
    "paragraphs, status, reason",
    "topics": "topic_id, topic, kind, theme_id, theme, paragraphs, documents, first_date, last_date, share, share_low, "
    "share_high, total_paragraphs, claim_share, narrative_id, narrative, explained, explained_share, status, "
    "representatives, speakers, outlets, narratives, voices, date_from, date_to, copies, unit, snapshot, note",
}


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_store(tmp_path_factory.mktemp("store")).path


def rows(path: Path, what: str, s: Slice | None = None, **others: str) -> list[dict[str, str]]:
    chosen = s or Slice(copies=DEFAULT_COPIES[what])
    return list(csv.DictReader(io.StringIO(export_slice(path, what, chosen, None, add_shares, **others), newline="")))


@pytest.mark.parametrize("what", EXPORT_TABLES)
def test_columns_and_order(path: Path, what: str) -> None:
    found = rows(path, what)
    assert list(found[0]) == COLUMNS[what].split(", ")
    keys = [list(row.values())[:2] for row in found]
    assert keys == sorted(keys) or what == "topics"  # each topic under its theme


def test_without_filters_everything_is_there(path: Path) -> None:
    assert len(rows(path, "paragraphs")) == 19
    assert {row["kind"] for row in rows(path, "paragraphs")} == {"title", "question", "body"}
    assert len(rows(path, "assignments")) == 9
    assert len(rows(path, "narratives")) == 4
    documents = rows(path, "documents")
    assert [row["status"] for row in documents] == ["rejected"] * 2 + ["read"] * 7
    assert [row["reason"] for row in documents[:3]] == ["row 3: invalid JSON", "unknown extension", ""]
    assert documents[2]["paragraphs"] == "5"


def test_narratives_are_summed_up(path: Path) -> None:
    found = {row["narrative_id"]: row for row in rows(path, "narratives")}
    assert found["wwii_memory"] == {
        "narrative_id": "wwii_memory",
        "narrative": "Memory of the Second World War",
        "origin": "codebook",
        "status": "active",
        "definition": "The memory of the war is being falsified.",
        "paragraphs": "2",
        "documents": "2",
        "first_date": "2017",
        "last_date": "2018-05",
    }
    assert found["c-0000beef"]["status"] == "candidate"
    assert rows(path, "narratives", Slice(copies="all"))[1]["paragraphs"] == "3"


@pytest.mark.parametrize(
    ("s", "paragraphs", "assignments", "documents"),
    [
        (Slice(copies="all", speakers=("Maria Zakharova",)), 3, 3, ["d001"]),
        (Slice(copies="all", speakers=("",)), 11, 1, ["d001", "d002", "d003", "d004", "d005", "d006", "d007"]),
        (Slice(copies="all", outlets=("RT", "")), 7, 3, ["d002", "d003", "d006"]),
        (Slice(copies="all", narratives=("us_meddles_too",)), 3, 3, ["d001", "d002", "d005"]),
        (Slice(copies="originals", narratives=("us_meddles_too",)), 2, 2, ["d001", "d002"]),
        (Slice(copies="copies"), 1, 1, ["d005"]),
        (Slice(copies="all", date_from="2017", date_to="2018"), 5, 3, ["d003", "d004"]),
        (Slice(copies="all", outlets=("No such",)), 0, 0, []),
    ],
)
def test_filters_narrow_every_table(
    path: Path, s: Slice, paragraphs: int, assignments: int, documents: list[str]
) -> None:
    assert len(rows(path, "paragraphs", s)) == paragraphs
    assert len(rows(path, "assignments", s)) == assignments
    found = [row["document_id"] for row in rows(path, "documents", s)]
    assert [key for key in found if key] == documents
    assert ("" in found) == (s == Slice(copies=s.copies))


def test_prevalence_says_what_it_is_a_slice_of(path: Path) -> None:
    s = Slice(("Vladimir Putin", ""), ("RT",), ("us_meddles_too",), "2016", "2018", by="month", unit="document")
    [row] = rows(path, "prevalence", s)
    assert row["snapshot"] == Store(path).current()
    assert [row[c] for c in COLUMNS["prevalence"].split(", ")[:6]] == [
        "2016-12", "us_meddles_too", "The US meddles too", "1", "1", "1",
    ]  # fmt: skip
    filters = ("speakers", "outlets", "narratives", "voices", "date_from", "date_to", "copies", "unit")
    assert [row[c] for c in filters] == [
        "Vladimir Putin; (none named)", "RT", "us_meddles_too", "", "2016", "2018", "originals", "document",
    ]  # fmt: skip
    assert "statement paragraphs" in row["note"]


def test_prevalence_is_what_the_charts_show(path: Path) -> None:
    shown = add_shares(open_snapshot(path).prevalence(Slice(by="quarter")))
    exported = pd.DataFrame(rows(path, "prevalence", Slice(by="quarter")))
    merged = shown.merge(exported, on=["period", "narrative_id"])
    assert len(merged) == len(shown) == len(exported)
    for column in ("paragraphs", "total_paragraphs", "share", "share_low", "share_high"):
        assert merged[f"{column}_x"].tolist() == merged[f"{column}_y"].astype(float).tolist()


def test_a_notice_stands_in_every_row(tmp_path: Path) -> None:
    build_store(tmp_path, notice="sample: hand-picked")
    for what in EXPORT_TABLES:
        found = rows(tmp_path, what)
        assert all(row["note"].startswith("sample: hand-picked") for row in found)
        assert list(found[0]) == [*COLUMNS[what].removesuffix(", note").split(", "), "note"]


def test_an_older_snapshot(tmp_path: Path) -> None:
    store = build_store(tmp_path)
    old = store.current()
    store.write_snapshot(replace(content(), assignments=[]))
    assert rows(tmp_path, "assignments") == []
    assert len(rows(tmp_path, "assignments", as_of=old)) == 9


@pytest.mark.parametrize("what", EXPORT_TABLES)
def test_three_formats_hold_the_same(path: Path, tmp_path: Path, what: str) -> None:
    s = Slice(copies=DEFAULT_COPIES[what])
    for suffix in ("csv", "jsonl", "parquet"):
        assert export_slice(path, what, s, tmp_path / f"a.{suffix}", add_shares) == ""
        export_slice(path, what, s, tmp_path / f"b.{suffix}", add_shares)
        assert (tmp_path / f"a.{suffix}").read_bytes() == (tmp_path / f"b.{suffix}").read_bytes()
    lines = [json.loads(line) for line in (tmp_path / "a.jsonl").read_text("utf-8").splitlines()]
    assert lines == parquet.read_table(tmp_path / "a.parquet").to_pylist()
    text = export_slice(path, what, s, None, add_shares)
    assert (tmp_path / "a.csv").read_bytes() == codecs.BOM_UTF8 + text.encode()
    assert len(list(csv.reader(io.StringIO(text)))) == len(lines) + 1


def test_formulas_are_neutralised_in_csv_and_kept_elsewhere(path: Path, tmp_path: Path) -> None:
    s = Slice(copies="all")
    [cell] = [row["text"] for row in rows(path, "paragraphs") if "HYPERLINK" in row["text"]]
    assert cell.startswith("'=HYPERLINK")
    export_slice(path, "paragraphs", s, tmp_path / "a.jsonl", add_shares)
    export_slice(path, "paragraphs", s, tmp_path / "a.parquet", add_shares)
    texts = [json.loads(line)["text"] for line in (tmp_path / "a.jsonl").read_text("utf-8").splitlines()]
    assert texts == parquet.read_table(tmp_path / "a.parquet")["text"].to_pylist()
    assert [text for text in texts if text.startswith("=HYPERLINK")]


@pytest.mark.parametrize("text", ["a\x00b", "\u202eabc 🧭 naïve", 'a "b", c;\r\nd\te', "'quoted'", "\\N", "NULL", "  "])
def test_any_text_comes_out_as_it_went_in(tmp_path: Path, text: str) -> None:
    """Only CSV is without characters that act on what follows."""
    given_ = content()
    first = given_.documents[0]
    changed = replace(first, paragraphs=(replace(first.paragraphs[0], text=text), *first.paragraphs[1:]))
    Store(tmp_path / "s").write_snapshot(replace(given_, documents=[changed, *given_.documents[1:]]))
    assert rows(tmp_path / "s", "paragraphs")[0]["text"] == text.replace("\x00", "").replace("\u202e", "")
    for suffix in ("jsonl", "parquet"):
        export_slice(tmp_path / "s", "paragraphs", Slice(), tmp_path / f"a.{suffix}", add_shares)
    assert json.loads((tmp_path / "a.jsonl").read_text("utf-8").split("\n")[0])["text"] == text
    assert parquet.read_table(tmp_path / "a.parquet")["text"][0].as_py() == text


def test_the_order_of_the_input_changes_no_byte(tmp_path: Path) -> None:
    found = []
    for seed in range(3):
        given_ = content()
        mixed = replace(
            given_,
            documents=random.Random(seed).sample(list(given_.documents), len(given_.documents)),
            assignments=random.Random(seed).sample(list(given_.assignments), len(given_.assignments)),
        )
        Store(tmp_path / str(seed)).write_snapshot(mixed)
        found.append([export_slice(tmp_path / str(seed), what, Slice(), None, add_shares) for what in EXPORT_TABLES])
    assert found[0] == found[1] == found[2]


@pytest.mark.parametrize(
    ("what", "s", "out", "message"),
    [
        ("sentences", Slice(), None, "paragraphs, assignments"),
        ("paragraphs", Slice(), "a.xlsx", r"\.parquet"),
        ("paragraphs", Slice(), "a", r"\.parquet"),
        ("paragraphs", Slice(), "no/such/folder/a.csv", "can write to"),
        ("paragraphs", Slice(date_from="soon"), None, "date range"),
        ("prevalence", Slice(narratives=("us_meddles",)), None, "narrative filter"),
    ],
)
def test_wrong_usage(path: Path, tmp_path: Path, what: str, s: Slice, out: str | None, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        export_slice(path, what, s, tmp_path / out if out else None, add_shares)
    assert list(tmp_path.iterdir()) == []


def test_no_snapshot(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="Run `build`"):
        export_slice(tmp_path, "paragraphs", Slice(), None, add_shares)


# Without characters that CSV files leave out.
CHARACTERS = st.characters(exclude_categories=["Cs", "Cc", "Cf", "Zl", "Zp"]) | st.sampled_from("\t\n=+-@＝＋－＠ ")


@given(st.lists(st.text(CHARACTERS), min_size=1, max_size=5))
def test_no_cell_of_a_csv_starts_a_formula_and_nothing_else_changes(texts: list[str]) -> None:
    frame = pd.DataFrame({"number": range(-1, len(texts) - 1), "text": texts})
    data = frame_to_csv(frame)
    assert data.startswith(b"\xef\xbb\xbf")
    cells = list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))[1:]
    for (number, cell), text, at in zip(cells, texts, range(-1, len(texts)), strict=False):
        assert number == str(at)
        acts = text.startswith(("\t", "\n")) or text.lstrip().startswith(tuple("=+-@＝＋－＠"))
        assert cell == (f"'{text}" if acts else text)


def test_csv_of_an_empty_frame_and_of_missing_cells() -> None:
    assert frame_to_csv(pd.DataFrame({"a": pd.Series([], dtype="str")})) == codecs.BOM_UTF8 + b'"a"\n'
    frame = pd.DataFrame({"a": ["x", None], "b": [0.5, None]})
    assert frame_to_csv(frame) == codecs.BOM_UTF8 + b'"a","b"\n"x",0.5\n,\n'
    assert pa.types.is_large_string(pa.Table.from_pandas(pd.DataFrame({"a": ["x"]})).schema.field("a").type)
