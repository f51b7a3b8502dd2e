"""What a person typed to the files that it means."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from narratives.read import find_inputs, survey
from tests.helpers.reading import put, sources


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty working folder, so that relative paths can be typed."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def reasons(rejected):
    return {Path(r.source_path).name: r.reason for r in rejected}


def test_a_folder_is_read_with_all_below_it_in_order_of_path(here):
    for name in ("in/b.txt", "in/a/c.jsonl", "in/a.csv.gz", "in/z/y/x.parquet", "in/loud.TXT"):
        put(here / name)
    files, rejected = find_inputs(["in"])
    assert sources(files) == ["in/a.csv.gz", "in/a/c.jsonl", "in/b.txt", "in/loud.TXT", "in/z/y/x.parquet"]
    assert rejected == []


@pytest.mark.parametrize("typed", ["in", "./in", "in/", "in/../in"])
def test_source_path_is_as_typed_and_normalised(here, typed):
    put(here / "in/a.txt")
    assert sources(find_inputs([typed])[0]) == ["in/a.txt"]
    assert sources(find_inputs([str(here / typed)])[0]) == [f"{here}/in/a.txt"]


def test_source_path_may_lead_upwards(here, monkeypatch):
    put(here / "in/a.txt")
    (here / "work").mkdir()
    monkeypatch.chdir(here / "work")
    assert sources(find_inputs(["../in"])[0]) == ["../in/a.txt"]


def test_what_is_evidently_no_input_is_skipped_and_named(here):
    names = ("README.md", "README", "readme.txt", ".hidden.txt", ".git/a.txt", "LICENCE", "LICENSE.txt")
    names += ("~$draft.docx", "Thumbs.db", "__MACOSX/._a.txt", "sub/COPYING")
    for name in (*names, "manifest.csv", "a.txt", "notes.md"):
        put(here / "in" / name, "path\n")
    found = survey(["in"])
    assert sources(found.files) == ["in/a.txt", "in/notes.md"]
    assert found.rejected == []
    told = {item.source_path.removeprefix("in/"): item.reason for item in found.skipped.values()}
    # A folder is named once, without what is in it.
    assert set(told) == {*names} - {".git/a.txt", "__MACOSX/._a.txt"} | {".git", "__MACOSX"}
    assert "dot" in told[".git"] and "rename it" in told["README"] and "office" in told["~$draft.docx"]


def test_an_unknown_extension_is_rejected_with_what_is_known(here):
    put(here / "in/a.odt"), put(here / "in/b.tar.gz"), put(here / "in/c"), put(here / "in/d.txt")
    files, rejected = find_inputs(["in"])
    assert sources(files) == ["in/d.txt"]
    why = reasons(rejected)
    assert set(why) == {"a.odt", "b.tar.gz", "c"}
    assert all(f" {extension} " in why["a.odt"] for extension in (".txt", ".docx", ".xlsx", ".mbox", ".parquet"))
    assert "extension .odt" in why["a.odt"] and "save it as .docx" in why["a.odt"]


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("a.mhtml", "HTML only"), ("a.MHT", "HTML only"), ("a.pages", "as .docx"), ("a.msg", "as .eml"),
        ("a.jpg", "OCR"), ("a.mp3", "Transcribe"), ("a.pptx", "as .pdf"), ("a.7z", "Unpack"), ("a.numbers", "as .csv"),
        ("a.pst", ".mbox"), ("a.epub", "Calibre"), ("a.xyz", "Convert"),
    ],
)  # fmt: skip
def test_what_is_not_read_is_rejected_with_the_way_to_convert_it(here, name, remedy):
    put(here / name)
    [rejected] = find_inputs([name])[1]
    assert remedy in rejected.reason


@pytest.mark.parametrize("name", ["page.html", "page.HTM", "page.html.gz", "a.pdf", "a.docx"])
def test_pages_and_office_files_are_input(here, name):
    put(here / name)
    assert sources(find_inputs([name])[0]) == [name]


def test_a_missing_path_is_rejected(here):
    files, rejected = find_inputs(["nowhere/a.txt"])
    assert files == []
    assert rejected[0].source_path == "nowhere/a.txt"
    assert "a path that does not exist" in rejected[0].reason


@pytest.mark.parametrize("typed", ["empty", "empty/*.txt", "empty/README.md"])
def test_an_input_that_holds_nothing_is_rejected(here, typed):
    put(here / "empty/README.md")
    files, rejected = find_inputs([typed])
    assert files == []
    assert [r.source_path for r in rejected] == [typed]
    assert "no file of a supported format" in rejected[0].reason


@pytest.mark.parametrize("typed", ["", "a\0b", "x" * 5000, "a**b/*"])
def test_what_is_no_path_is_rejected_and_raises_nothing(here, typed):
    files, rejected = find_inputs([typed])
    assert files == []
    assert len(rejected) >= 1


def test_globs_find_files_and_folders_as_the_shell_would(here):
    for name in ("in/a.txt", "in/b.csv", "in/sub/c.txt", "in/.d.txt", "in/README.md", ".cache/e.txt"):
        put(here / name)
    assert sources(find_inputs(["in/*.txt"])[0]) == ["in/a.txt"]
    assert sources(find_inputs(["in/**/*.txt"])[0]) == ["in/a.txt", "in/sub/c.txt"]
    assert sources(find_inputs(["*"])[0]) == ["in/a.txt", "in/b.csv", "in/sub/c.txt"]
    assert sources(find_inputs([f"{here}/i?/[ab].*"])[0]) == [f"{here}/in/a.txt", f"{here}/in/b.csv"]
    assert find_inputs(["in/*.txt"])[1] == []


def test_a_name_with_a_bracket_is_a_name_first(here):
    put(here / "a[1].txt")
    assert sources(find_inputs(["a[1].txt"])[0]) == ["a[1].txt"]


def test_each_file_is_found_once(here):
    put(here / "in/a.txt")
    files, rejected = find_inputs(["in", "in/a.txt", "in/*.txt", str(here / "in")])
    assert len(files) == 1
    assert rejected == []


def test_links_to_nothing_and_to_folders_are_rejected(here):
    put(here / "far/a.txt")
    (here / "in").mkdir()
    (here / "in/dead.txt").symlink_to(here / "gone.txt")
    (here / "in/far").symlink_to(here / "far")
    (here / "in/self.txt").symlink_to(here / "in/self.txt")
    files, rejected = find_inputs(["in"])
    assert files == []
    why = reasons(rejected)
    assert "a broken link" in why["dead.txt"] and "a broken link" in why["self.txt"]
    assert "a link to a folder" in why["far"]


def test_a_pipe_is_rejected_and_not_waited_for(here):
    os.mkfifo(here / "pipe.txt")
    files, rejected = find_inputs(["pipe.txt"])
    assert files == []
    assert "pipe" in rejected[0].reason


def test_an_unreadable_file_is_rejected_and_the_rest_goes_on(here, monkeypatch):
    put(here / "in/a.txt"), put(here / "in/b.txt")
    opened = Path.open

    def denied(self, *args, **kwargs):
        if self.name == "a.txt":
            raise PermissionError(13, "Permission denied", str(self))
        return opened(self, *args, **kwargs)

    monkeypatch.setattr(Path, "open", denied)
    files, rejected = find_inputs(["in"])
    assert sources(files) == ["in/b.txt"]
    assert "permission denied" in reasons(rejected)["a.txt"]


def test_an_unreadable_folder_is_rejected_and_the_rest_goes_on(here, monkeypatch):
    put(here / "in/shut/a.txt"), put(here / "in/b.txt")
    scanned = os.scandir

    def denied(path):
        if str(path).endswith("shut"):
            raise PermissionError(13, "Permission denied", str(path))
        return scanned(path)

    monkeypatch.setattr(os, "scandir", denied)
    files, rejected = find_inputs(["in"])
    assert sources(files) == ["in/b.txt"]
    assert "permission denied" in reasons(rejected)["shut"]


def test_names_that_are_no_text_can_be_stored_and_told_apart(here):
    names = [b"caf\xe9.txt", b"caf\xe8.txt", b"two\nlines.txt", "caf\u00e9.txt".encode(), b"\xff.odt"]
    for name in names:
        put(here / "in" / os.fsdecode(name))
    files, rejected = find_inputs(["in"])
    assert sources(files) == [r"in/caf\xe8.txt", r"in/caf\xe9.txt", "in/caf\u00e9.txt", r"in/two\x0alines.txt"]
    assert [r.source_path for r in rejected] == [r"in/\xff.odt"]
    [again] = find_inputs([f"in/{os.fsdecode(names[0])}"])[0]
    assert again.source_path == r"in/caf\xe9.txt" and again.path.read_text() == "A text."


@pytest.mark.parametrize("typed", ["\ud800.txt", "\ud800/*.txt", "one/two.txt", "one/*"])
def test_arguments_that_no_file_system_can_hold_are_told(here, typed):
    (here / "one").symlink_to("one")
    files, rejected = find_inputs([typed])
    assert files == [] and rejected and all(r.source_path.isprintable() for r in rejected)
