"""Zip archives on the command line: what is read, refused and skipped, and under which names."""

from __future__ import annotations

import pytest

from narratives.read import find_inputs, read_file, survey
from tests.helpers.reading import sources
from tests.helpers.spreadsheets import pack

TEXT = "The mayor opened the bridge on Sunday, and the tolls stay low."
MEMBERS = {
    "press/a.txt": TEXT,
    "press/b.html": f"<html><body><p>{TEXT}</p></body></html>",
    "press/c.jsonl": '{"text": "' + TEXT + '"}',
    "press/manifest.csv": "path,outlet,mood\na.txt,Herald,calm\n",
    "press/run.exe": "MZ",
    "press/.hidden.txt": "x",
    "__MACOSX/press/._a.txt": "x",
    "README.md": "About these texts.",
}


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty working folder, so that relative paths can be typed."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_an_archive_is_searched_like_a_folder_of_its_name(here):
    (here / "in").mkdir()
    (here / "in/texts.zip").write_bytes(pack(MEMBERS))
    with survey(["in"]) as found:
        assert sources(found.files) == [f"in/texts.zip/press/{name}" for name in ("a.txt", "b.html", "c.jsonl")]
        assert [dict(file.manifest) for file in found.files] == [{"outlet": "Herald"}, {}, {}]
        assert [file.place for file in found.files] == [here / file.source_path for file in found.files]
        documents = [item for file in found.files for item in read_file(file, {})]
        assert {d.text or d.paragraphs[0].text for d in documents} == {TEXT}
        assert {d.source_path for d in documents} == {*sources(found.files)}
        unpacked = [file.path for file in found.files]
    assert not any(path.exists() for path in unpacked)
    assert [(r.source_path, "extension .exe" in r.reason) for r in found.rejected] == [
        ("in/texts.zip/press/run.exe", True)
    ]
    assert {item.source_path.removeprefix("in/texts.zip/") for item in found.skipped.values()} == {
        "README.md", "__MACOSX/press/._a.txt", "press/.hidden.txt",
    }  # fmt: skip
    assert [(u.source_path, u.columns) for u in found.unused] == [("in/texts.zip/press/manifest.csv", ("mood",))]


def test_an_archive_that_is_named_twice_is_read_once(here):
    (here / "texts.zip").write_bytes(pack({"a.txt": TEXT}))
    files, rejected = find_inputs(["texts.zip", "*.zip", str(here / "texts.zip")])
    assert sources(files) == ["texts.zip/a.txt"] and rejected == []


def test_a_member_of_a_folder_can_have_the_same_name_as_one_of_an_archive(here):
    (here / "texts.zip").write_bytes(pack({"a.txt": TEXT}))
    (here / "a.txt").write_text(TEXT)
    assert sources(find_inputs([str(here)])[0]) == [f"{here}/a.txt", f"{here}/texts.zip/a.txt"]


def test_a_faulty_manifest_in_an_archive_is_named_by_its_path(here):
    (here / "t.zip").write_bytes(pack({"a.txt": TEXT, "manifest.csv": "path\nb.txt\n"}))
    files, rejected = find_inputs(["t.zip"])
    assert len(files) == 1 and [r.source_path for r in rejected] == ["t.zip/manifest.csv"]


@pytest.mark.parametrize(
    ("content", "got"),
    [
        (b"no archive", "not a valid zip archive"),
        (b"", "not a valid zip archive"),
        (pack({}), "no file of an accepted type"),
        (pack({"README.md": "x"}), "no file of an accepted type"),
        (pack({f"{i}.txt": "x" for i in range(5001)}), "the limit is 5,000"),
        (pack({f"{i}.txt": "0" * 5_000_000 for i in range(6)}), "larger than 20 MB when unpacked"),
    ],
)
def test_an_archive_that_is_refused_as_a_whole_says_why(here, content, got):
    (here / "t.zip").write_bytes(content)
    files, rejected = find_inputs(["t.zip"])
    assert files == [] and [r.source_path for r in rejected] == ["t.zip"]
    assert got in rejected[0].reason


def test_a_member_that_leads_outside_is_refused(here):
    (here / "t.zip").write_bytes(pack({"../evil.txt": "x", "a.txt": TEXT}))
    files, rejected = find_inputs(["t.zip"])
    assert sources(files) == ["t.zip/a.txt"]
    assert "points outside the archive" in rejected[0].reason and not (here.parent / "evil.txt").exists()
