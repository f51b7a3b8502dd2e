"""manifest.csv: what is known of the files beside it."""

from __future__ import annotations

import pytest

from narratives.read import find_inputs
from tests.helpers.reading import put, sources


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty working folder, so that relative paths can be typed."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


HEADER = "path,date,outlet,title,url,speaker\n"


def test_a_manifest_speaks_for_the_files_beside_and_below_it(here):
    put(here / "in/a.txt"), put(here / "in/sub/b.txt"), put(here / "in/c.txt")
    rows = 'a.txt,2016-11,TASS,"One, two",,\n./sub/b.txt,,,,https://example.org/b,Ann\n'
    put(here / "in/manifest.csv", HEADER + rows)
    files, rejected = find_inputs(["in"])
    said = {file.source_path: dict(file.manifest) for file in files}
    assert said == {
        "in/a.txt": {"date": "2016-11", "outlet": "TASS", "title": "One, two"},
        "in/c.txt": {},
        "in/sub/b.txt": {"url": "https://example.org/b", "speaker": "Ann"},
    }
    assert rejected == []


def test_a_manifest_is_found_from_a_file_and_from_a_glob(here):
    put(here / "in/a.txt"), put(here / "in/sub/b.txt")
    put(here / "in/manifest.csv", HEADER + "a.txt,2016,,,,\nsub/b.txt,2017,,,,\n")
    assert find_inputs(["in/a.txt"])[0][0].manifest == {"date": "2016"}
    assert [f.manifest for f in find_inputs(["in/**/*.txt"])[0]] == [{"date": "2016"}, {"date": "2017"}]


def test_the_nearest_manifest_counts(here):
    put(here / "in/sub/b.txt")
    put(here / "in/manifest.csv", HEADER + "sub/b.txt,2016,,,,\n")
    put(here / "in/sub/manifest.csv", HEADER + "b.txt,2017,,,,\n")
    assert find_inputs(["in"])[0][0].manifest == {"date": "2017"}


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ("gone.txt,2016,,,,", "'gone.txt', which does not exist"),
        ("../out.txt,2016,,,,", "inside the manifest's folder"),
        ("sub/../../out.txt,2016,,,,", "inside the manifest's folder"),
        ("/etc/hostname,2016,,,,", "inside the manifest's folder"),
        (",2016,,,,", "which does not exist"),
        ("a.txt,2016", "6 cells"),
        ("t.csv,,,,https://example.org,", "no url for a file that contains many"),
    ],
)
def test_a_faulty_manifest_row_is_rejected_and_the_rest_goes_on(here, row, why):
    put(here / "in/a.txt"), put(here / "in/t.csv"), put(here / "in/good.txt"), put(here / "out.txt")
    put(here / "in/manifest.csv", HEADER + f"{row}\ngood.txt,2018,,,,\n")
    files, rejected = find_inputs(["in"])
    assert {f.source_path: dict(f.manifest) for f in files} == {
        "in/a.txt": {},
        "in/good.txt": {"date": "2018"},
        "in/t.csv": {},
    }
    assert [(r.source_path, r.row) for r in rejected] == [("in/manifest.csv", 1)]
    assert why in rejected[0].reason


def test_a_second_row_for_a_file_is_rejected(here):
    put(here / "in/a.txt")
    put(here / "in/manifest.csv", HEADER + "a.txt,2016,,,,\n./a.txt,2017,,,,\n")
    files, rejected = find_inputs(["in"])
    assert files[0].manifest == {"date": "2016"}
    assert rejected[0].row == 2 and "one row for each file" in rejected[0].reason


@pytest.mark.parametrize(
    ("content", "why"),
    [(b"file,date\na.txt,2016\n", "a column `path`"), (b"\x00\x01\x02", "binary"), (b"", "an empty file")],
)
def test_a_faulty_manifest_is_rejected_as_a_whole(here, content, why):
    put(here / "in/a.txt")
    (here / "in/manifest.csv").write_bytes(content)
    files, rejected = find_inputs(["in"])
    assert sources(files) == ["in/a.txt"]
    assert [(r.source_path, r.row) for r in rejected] == [("in/manifest.csv", 0)]
    assert why in rejected[0].reason
