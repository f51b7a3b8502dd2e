"""Uploads: what is kept, under which name, and what no archive can make us do."""

from __future__ import annotations

import io
import os
import stat
import time
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from narratives.model import InputRecord, StoreError
from narratives.read import archives, make_safe_name
from narratives.store import files
from narratives.store.files import SUMS_SUFFIX
from narratives.store.inputs import UPLOADS_FOLDER, format_source_path
from narratives.workflows import uploads
from narratives.workflows.uploads import save_upload

FORMATS = (".csv", ".jsonl", ".txt", ".html")


def packed(*members: tuple[str | zipfile.ZipInfo, bytes]) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in members:
            archive.writestr(name, body)
    return sink.getvalue()


def everything(folder: Path) -> list[str]:
    """All files but the checksums."""
    found = (p.relative_to(folder).as_posix() for p in folder.rglob("*") if not p.is_dir())
    return sorted(name for name in found if not name.endswith(SUMS_SUFFIX))


def test_a_file_is_kept_once_under_the_hash_of_its_content(tmp_path):
    first = save_upload(tmp_path, "Statements (May).csv", b"text\nhello\n", FORMATS)
    again = save_upload(tmp_path, "Statements (May).csv", b"text\nhello\n", FORMATS)
    assert first == again and not first.refused
    assert first.path.read_bytes() == b"text\nhello\n"
    assert first.path.parent.parent == tmp_path / UPLOADS_FOLDER
    other = save_upload(tmp_path, "Statements (May).csv", b"text\nbye\n", FORMATS)
    assert other.path.parent != first.path.parent
    assert len(everything(tmp_path)) == 2


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("../../etc/passwd.txt", "passwd.txt"),
        ("C:\\Users\\me\\notes.txt", "notes.txt"),
        ("/etc/cron.d/x.csv", "x.csv"),
        (".bashrc.txt", "bashrc.txt"),
        ("-rf.txt", "rf.txt"),
        ("a\x00b\n\u202ec.txt", "a_b__c.txt"),
        ("<img src=x>.html", "_img src=x_.html"),
        ("речь.txt", "речь.txt"),
        ("..", "upload"),
        ("", "upload"),
    ],
)
def test_hostile_names_become_harmless(typed, kept):
    assert make_safe_name(typed) == kept


def test_an_upload_is_shown_by_its_own_name(tmp_path):
    kept = save_upload(tmp_path, "press.zip", packed(("a/b.txt", b"A text.")), FORMATS)
    assert format_source_path(str(kept.files[0])) == "a/b.txt"
    assert format_source_path("data/sample/seeds.jsonl") == "data/sample/seeds.jsonl"
    assert format_source_path("/home/ann/texts/2018/a.csv") == "2018/a.csv"


@given(st.text(max_size=400))
def test_any_name_is_one_plain_part(name):
    safe = make_safe_name(name)
    assert safe and safe == Path(safe).name and safe not in (".", "..")
    assert len(safe.encode()) <= 140 and not safe.startswith((".", "-"))
    assert safe.isprintable()
    assert make_safe_name(safe) == safe


@pytest.mark.parametrize(
    ("name", "body", "reason"),
    [
        ("prog.exe", b"MZ", "extension .exe"),
        ("texts.tar.gz", b"x", "compressed file"),
        ("empty.txt", b"", "empty"),
        ("manifest.csv", b"path,date\n", "one zip with them"),
        ("README.txt", b"x", "rename it"),
        ("broken.zip", b"PK nothing", "not a valid zip"),
        ("none.zip", packed(), "no file of an accepted type"),
    ],
)
def test_what_is_of_no_use_is_refused_with_its_reason(tmp_path, name, body, reason):
    kept = save_upload(tmp_path, name, body, FORMATS)
    assert not kept.files and reason in kept.refused[0].reason
    assert everything(tmp_path) == []


def test_an_archive_keeps_its_folders_and_its_manifest(tmp_path):
    body = packed(
        ("press/a.txt", b"A text."), ("press/manifest.csv", b"path,date\na.txt,2017\n"),
        ("press/.hidden", b"x"), ("__MACOSX/press/._a.txt", b"x"), ("README.md", b"x"), ("./b.txt", b"B."),
    )  # fmt: skip
    kept = save_upload(tmp_path, "press.zip", body, FORMATS)
    assert not kept.refused
    skipped = {item.source_path.removeprefix("press.zip/"): item.reason for item in kept.skipped}
    assert set(skipped) == {"press/.hidden", "__MACOSX/press/._a.txt", "README.md"} and all(skipped.values())
    assert everything(kept.path) == ["b.txt", "press/a.txt", "press/manifest.csv"]
    assert [f.relative_to(kept.path).as_posix() for f in kept.files] == everything(kept.path)
    assert save_upload(tmp_path, "press.zip", body, FORMATS) == kept


def link(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info


@pytest.mark.parametrize(
    ("member", "reason"),
    [
        ("../outside.txt", "points outside"),
        ("a/../../../outside.txt", "points outside"),
        ("/tmp/outside.txt", "points outside"),
        ("..\\outside.txt", "points outside"),
        ("C:\\outside.txt", "points outside"),
        ("a//outside.txt", "points outside"),
        (link("link.txt"), "a link"),
        ("inner.zip", "archive or compressed"),
        ("rows.jsonl.gz", "archive or compressed"),
        ("run.sh", "extension .sh"),
        ("/".join("abcdefghijklmnop") + ".txt", "folders deep"),
    ],
)
def test_a_member_that_is_no_plain_text_below_is_refused_and_the_rest_kept(tmp_path, member, reason):
    store = tmp_path / "deep" / "store"
    body = packed((member, b"/etc/passwd"), ("good.txt", b"A text."))
    kept = save_upload(store, "pack.zip", body, FORMATS)
    assert [f.name for f in kept.files] == ["good.txt"]
    assert len(kept.refused) == 1 and reason in kept.refused[0].reason
    name = member if isinstance(member, str) else member.filename
    assert kept.refused[0].source_path == f"pack.zip/{name}"
    assert everything(tmp_path) == [f"deep/store/{UPLOADS_FOLDER}/{kept.path.name}/good.txt"]


@pytest.mark.parametrize("second", ["A.TXT", "a.txt/b.txt"])
def test_two_members_cannot_have_one_place(tmp_path, second):
    kept = save_upload(tmp_path, "two.zip", packed(("a.txt", b"one"), (second, b"two")), FORMATS)
    assert everything(kept.path) == ["a.txt"] and len(kept.refused) == 1
    assert (kept.path / "a.txt").read_bytes() == b"one"


def test_a_bomb_leaves_nothing_behind(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "HARMLESS_BYTES", 1_000_000)
    body = packed(*((f"{n}.txt", b"0" * 400_000) for n in range(6)))
    assert len(body) < 10_000
    kept = save_upload(tmp_path, "bomb.zip", body, FORMATS)
    assert not kept.files and "is larger than" in kept.refused[0].reason
    assert everything(tmp_path) == []


def test_too_many_members_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "MAX_MEMBERS", 3)
    kept = save_upload(tmp_path, "many.zip", packed(*((f"{n}.txt", b"x") for n in range(4))), FORMATS)
    assert not kept.files and "the limit is 3" in kept.refused[0].reason


def test_a_member_that_lies_about_itself_is_refused(tmp_path):
    body = bytearray(packed(("a.txt", b"A text that is long enough to be packed, packed, packed.")))
    at = body.index(b"A text") if b"A text" in body else 40
    body[at] ^= 0xFF
    kept = save_upload(tmp_path, "broken.zip", bytes(body), FORMATS)
    assert not kept.files and "cannot be unpacked" in kept.refused[0].reason
    assert everything(tmp_path) == []


def test_only_uploads_that_no_build_took_in_go_after_a_week(tmp_path):
    used, unused = (save_upload(tmp_path, "a.txt", body, FORMATS).path for body in (b"used", b"unused"))
    files.save_input_records(tmp_path, [InputRecord(used.resolve(), "a.txt", "0" * 16)])
    long_ago = time.time() - uploads.UNUSED_LIFETIME - 60
    for folder in (used.parent, unused.parent):
        os.utime(folder, (long_ago, long_ago))
    fresh = save_upload(tmp_path, "b.txt", b"fresh", FORMATS).path
    assert used.exists() and fresh.exists() and not unused.exists()


def test_a_store_that_cannot_be_written_to_says_so(tmp_path):
    (tmp_path / UPLOADS_FOLDER).write_text("a file, no folder")
    with pytest.raises(StoreError, match="a folder to write to"):
        save_upload(tmp_path, "a.txt", b"x", FORMATS)


@pytest.mark.parametrize(("limit", "most"), [("MAX_WAITING", 2), ("MAX_WAITING_BYTES", 25)])
def test_what_waits_for_a_build_is_limited(tmp_path, monkeypatch, limit, most):
    monkeypatch.setattr(uploads, limit, most)
    kept = [save_upload(tmp_path, "a.txt", f"number {i}...".encode(), FORMATS) for i in range(3)]
    assert [bool(upload.files) for upload in kept] == [True, True, False]
    assert "too many uploads wait for a build" in kept[2].refused[0].reason
    assert len(everything(tmp_path)) == 2
    again = save_upload(tmp_path, "a.txt", b"number 1...", FORMATS)
    assert again == kept[1]  # it is among those that wait
    records = [InputRecord(kept[0].path, "a.txt", "0" * 64)]
    monkeypatch.setattr("narratives.store.inputs.load_input_records", lambda _: records)
    assert save_upload(tmp_path, "a.txt", b"number 2...", FORMATS).files  # a build has used one of them


def test_only_so_many_files_at_once():
    assert uploads.describe_count_refusal(uploads.MAX_FILES) == ""
    assert "at most 100 files at once; 101 were chosen" in uploads.describe_count_refusal(uploads.MAX_FILES + 1)
