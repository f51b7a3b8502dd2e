"""What a build cannot take in: it ends nothing, is told and listed, and is forgotten once it is mended."""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path

import pandas as pd
import pytest

from narratives import measure
from narratives.model import Slice, UnusedColumns
from narratives.store import DEFAULT_COPIES, Store, export_slice
from tests.helpers.reading import write_parquet
from tests.helpers.spreadsheets import pack
from tests.integration.builds.test_build import rows, run, write
from tests.unit.read.test_office import BULLETIN, MAIN, WORD, bomb, encrypted, locked, repacked

TEXT = "The alliance moves its bases closer to our border year after year."
BAD = {
    "malformed.docx": repacked(WORD, MAIN, lambda _: b"not <xml at"),
    "locked.docx": locked(WORD),
    "bomb.docx": repacked(WORD, MAIN, bomb),
    "deep.docx": repacked(WORD, MAIN, lambda xml: xml.replace(b"<w:r>", b"<w:r>" * 9000)),
    "locked.pdf": encrypted("secret"),
    "cut.pdf": BULLETIN[:400],
    "empty.html": b"<html></html>",
    "picture.txt": bytes(range(256)) * 8,
    "columns.csv": b"a,b\n1,2\n",
    "lines.jsonl": b"{broken\n",
    "cut.parquet": write_parquet({"text": [TEXT]})[:60],
    "cut.jsonl.gz": gzip.compress(json.dumps({"text": TEXT}).encode())[:30],
    os.fsdecode(b"caf\xe9.odt"): b"An odd name, of a format that is not read.",
}


def listed(store: Path) -> pd.DataFrame:
    """The rows of `export documents` that were rejected."""
    out = store.parent / "documents.parquet"
    export_slice(store, "documents", Slice(copies=DEFAULT_COPIES["documents"]), out, measure.add_shares)
    found = pd.read_parquet(out)
    return found[found["status"] == "rejected"]


@pytest.mark.parametrize("name", BAD)
def test_one_bad_file_among_good_ones_ends_no_build(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    write(folder / "a.jsonl", rows(0, 4))
    (folder / name).write_bytes(BAD[name])
    (folder / "z.txt").write_text(f"A note\n\n{TEXT}\n")
    report = run(tmp_path / "s", str(folder))
    assert report.counts is not None and report.counts.documents == 5
    [rejected] = report.rejected
    assert rejected.reason.startswith("Expected") and len(listed(tmp_path / "s")) == 1
    assert run(tmp_path / "s", str(folder)).unchanged


def test_files_whose_names_are_no_text_are_taken_in_and_told_apart(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    for number, name in enumerate((b"caf\xe9.txt", b"caf\xe8.txt", b"\xcf\xf0\xe8\xe2\xe5\xf2.jsonl")):
        path = folder / os.fsdecode(name)
        if path.suffix == ".txt":
            path.write_text(f"A note\n\n{TEXT} Number {number}.\n")
        else:
            write(path, rows(0, 2))
    report = run(tmp_path / "s", str(folder))
    assert report.counts is not None and report.counts.documents == 4 and not report.rejected
    text = export_slice(tmp_path / "s", "documents", Slice(copies="all"), None, measure.add_shares)
    for shown in (r"caf\xe9.txt", r"caf\xe8.txt", r"\xcf\xf0\xe8\xe2\xe5\xf2.jsonl"):
        assert shown in text
    assert run(tmp_path / "s", str(folder)).unchanged, "the names are found again"
    assert {r.path.name for r in Store(tmp_path / "s").load_inputs()} == {p.name for p in folder.iterdir()}
    gone = run(tmp_path / "s", remove=(rf"{folder}/caf\xe9.txt",))
    assert gone.counts is not None and gone.counts.documents == 3


def test_all_that_was_rejected_is_listed_until_it_is_mended(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    write(folder / "a.jsonl", rows(0, 4))
    (folder / "notes.odt").write_text("Of a format that is not read.")
    (folder / "dead.txt").symlink_to("gone.txt")
    (folder / "far").symlink_to(tmp_path)
    (folder / "manifest.csv").write_text("path,date\n" + "".join(f"none{i}.txt,2016\n" for i in range(30)))
    report = run(tmp_path / "s", str(folder))
    assert report.counts is not None and report.counts.rejected == len(report.rejected) == 33
    found = listed(tmp_path / "s")
    told = {(r.source_path, f"row {r.row}: {r.reason}" if r.row else r.reason) for r in report.rejected}
    assert set(zip(found["source_path"], found["reason"], strict=True)) == told

    other = write(tmp_path / "b.jsonl", rows(4, 6))
    assert run(tmp_path / "s", other).counts.rejected == 33, "they stay while nobody looks there"

    (folder / "dead.txt").unlink()
    (folder / "far").unlink()
    (folder / "far").mkdir()
    (folder / "manifest.csv").write_text("path,date\na.jsonl,2016\nnone.txt,2017\n")
    report = run(tmp_path / "s", str(folder))
    assert sorted(Path(p).name for p in listed(tmp_path / "s")["source_path"]) == ["manifest.csv", "notes.odt"]
    (folder / "manifest.csv").unlink()
    (folder / "notes.odt").unlink()
    report = run(tmp_path / "s", str(folder))
    assert not report.rejected and listed(tmp_path / "s").empty


def test_a_refused_link_is_removed_alone(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    write(folder / "a.jsonl", rows(0, 4))
    (folder / "back").symlink_to(folder)
    run(tmp_path / "s", str(folder))
    report = run(tmp_path / "s", remove=(str(folder / "back"),))
    assert report.counts is not None and (report.counts.documents, report.counts.rejected) == (4, 0)


@pytest.mark.parametrize("how", ["broken", "no file"])
def test_what_a_file_gone_bad_lacks_is_listed_beside_what_stays(tmp_path: Path, how: str) -> None:
    source = Path(write(tmp_path / "a.jsonl", rows(0, 4)))
    run(tmp_path / "s", str(source))
    source.unlink()
    if how == "broken":
        source.write_text("{broken\n")
    else:
        source.mkdir()
        source.rename(tmp_path / "aside")
        source.symlink_to("gone")
    report = run(tmp_path / "s", str(source))
    assert report.counts is not None and report.counts.documents == 4
    [reason] = listed(tmp_path / "s")["reason"]
    assert "stays" in reason and run(tmp_path / "s", str(source)).unchanged
    source.unlink()
    write(source, rows(0, 4))
    report = run(tmp_path / "s", str(source))
    assert not report.rejected and report.counts is not None and report.counts.rejected == 0


def test_arguments_that_mean_nothing_are_told_and_not_held(tmp_path: Path) -> None:
    source = write(tmp_path / "a.jsonl", rows(0, 4))
    report = run(tmp_path / "s", source, "nowhere", "none/*.txt")
    assert (
        {r.source_path for r in report.absent} == {"nowhere", "none/*.txt"} == {r.source_path for r in report.rejected}
    )
    assert listed(tmp_path / "s").empty


def test_tables_that_number_their_rows_do_not_collide(tmp_path: Path) -> None:
    first = tmp_path / "a.csv"
    second = tmp_path / "b.csv"
    first.write_text(f"id,text\n1,{TEXT}\n2,Sanctions hurt those who impose them as everybody can see.\n")
    second.write_text("id,text\n1,A wholly other text by another paper.\n2,And a second one of theirs too.\n")
    report = run(tmp_path / "s", str(first), str(second))
    assert report.counts is not None and report.counts.documents == 4 and not report.rejected


def test_columns_that_are_not_used_are_named_whenever_the_file_is(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(f"text,Date,Speeker\n{TEXT},2016,Ann\n")
    for _ in range(2):
        report = run(tmp_path / "s", str(path))
        assert report.unused == (UnusedColumns(str(path), ("Speeker",)),)
    assert run(tmp_path / "s").unused == ()


def test_what_is_skipped_is_told_and_recorded_until_it_is_gone(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    write(folder / "a.jsonl", rows(0, 4))
    (folder / "README.md").write_text("About these texts.")
    report = run(tmp_path / "s", str(folder))
    assert [item.source_path for item in report.skipped] == [str(folder / "README.md")] and not report.rejected
    assert report.inputs_named == 1 and report.counts is not None and report.counts.rejected == 0
    kept = {record.path.name: record.skipped for record in Store(tmp_path / "s").load_inputs()}
    assert kept.keys() == {"a.jsonl", "README.md"} and "rename it" in kept["README.md"] and not kept["a.jsonl"]
    assert run(tmp_path / "s", str(folder)).unchanged
    (folder / "README.md").unlink()
    assert not run(tmp_path / "s", str(folder)).skipped
    assert [record.path.name for record in Store(tmp_path / "s").load_inputs()] == ["a.jsonl"]


def test_a_changed_archive_replaces_its_own_documents(tmp_path: Path) -> None:
    source = tmp_path / "texts.zip"
    source.write_bytes(pack({"a.txt": f"A note\n\n{TEXT}\n", "b.txt": f"B note\n\n{TEXT} Again.\n"}))
    first = run(tmp_path / "s", str(source))
    assert first.counts is not None and first.counts.documents == 2
    source.write_bytes(pack({"a.txt": f"A note\n\n{TEXT}\n", "b.txt": f"B note\n\n{TEXT} Once more.\n", "c.txt": TEXT}))
    second = run(tmp_path / "s", str(source))
    assert second.counts is not None and second.counts.documents == 3 and second.inputs_skipped == 1
    assert [r.source_path for r in Store(tmp_path / "s").load_inputs()] == [f"{source}/{n}.txt" for n in "abc"]
    source.write_bytes(pack({"b.txt": f"B note\n\n{TEXT} Once more.\n", "c.txt": TEXT}))
    assert [run(tmp_path / "s", str(source)).inputs_skipped] == [2]
    assert [r.source_path for r in Store(tmp_path / "s").load_inputs()] == [f"{source}/{n}.txt" for n in "bc"]
    third = run(tmp_path / "s", remove=(str(source / "c.txt"),))
    assert third.counts is not None and third.counts.documents == 1
    last = run(tmp_path / "s", write(tmp_path / "z.jsonl", rows(0, 2)), remove=(str(source),))
    assert last.counts is not None and last.counts.documents == 2
