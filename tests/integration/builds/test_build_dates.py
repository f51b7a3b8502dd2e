"""A build takes the order of day and month from the whole table, and dates from names of files if it is told to."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from narratives.model import Slice
from narratives.store import DEFAULT_COPIES, export_slice
from narratives.workflows.build import BuildRequest, build
from narratives.workflows.preview import has_name_date, preview_file
from tests.helpers.fakes import FakeEncoder
from tests.integration.builds.test_build import small_codebook

PROSE = "The council agreed to mend the breakwater number {} before the first storms of the winter arrive."


def run(tmp_path, *inputs, **options):
    request = BuildRequest(tuple(map(str, inputs)), tmp_path / "store", small_codebook(tmp_path), **options)
    return build(request, encoder=FakeEncoder())


def dates(tmp_path):
    out = tmp_path / "documents.csv"
    export_slice(tmp_path / "store", "documents", Slice(copies=DEFAULT_COPIES["documents"]), out, lambda f, *_: f)
    frame = pd.read_csv(out, dtype=str, keep_default_na=False)
    return dict(zip(frame["title"], frame["date"], strict=True))


def table(path: Path, *days: str) -> Path:
    rows = "".join(f'Row {i},{day},"{PROSE.format(f"{path.stem} {i}")}"\n' for i, day in enumerate(days))
    path.write_text(f"title,date,text\n{rows}", "utf-8")
    return path


def test_the_order_of_day_and_month_is_that_of_the_table(tmp_path):
    american = table(tmp_path / "us.csv", "01/05/2018", "03/14/2018")
    report = run(tmp_path, american)
    assert dates(tmp_path) == {"Row 0": "2018-01-05", "Row 1": "2018-03-14"} and report.notes == ()
    assert [row.date for row in preview_file(american, {}).rows] == ["2018-01-05", "2018-03-14"]


def test_an_order_that_the_table_does_not_show_or_contradicts_is_said(tmp_path):
    report = run(
        tmp_path,
        table(tmp_path / "open.csv", "01/05/2018", "02/03/2018"),
        table(tmp_path / "torn.csv", "04/05/2017", "14/03/2017", "03/14/2017"),
    )
    [undecided, torn] = report.notes
    assert "open.csv" in undecided and "in 2 of its documents" in undecided and "do not show it" in undecided
    assert "torn.csv" in torn and "in 1 of its documents" in torn and "contradict one another" in torn


def test_dates_in_names_of_files_are_offered_and_used_if_wanted(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "2018-03-19 harbour.txt").write_text(f"Harbour\n\n{PROSE.format(1)}", "utf-8")
    (folder / "20180320_pier.txt").write_text(f"Pier\n21 March 2018\n\n{PROSE.format(2)}", "utf-8")
    (folder / "bridge.txt").write_text(f"Bridge\n\n{PROSE.format(3)}", "utf-8")
    [note] = run(tmp_path, folder).notes
    assert "2018-03-19 harbour.txt: 1" in note and "--date-from-name" in note
    assert dates(tmp_path) == {"Harbour": "", "Pier": "2018-03-21", "Bridge": ""}
    assert run(tmp_path, folder, date_from_name=True).notes == ()
    assert dates(tmp_path) == {"Harbour": "2018-03-19", "Pier": "2018-03-21", "Bridge": ""}
    # A later build without inputs keeps what was read.
    run(tmp_path, table(tmp_path / "more.csv", "2018-01-01"))
    assert dates(tmp_path)["Harbour"] == "2018-03-19"
    assert [has_name_date(path) for path in sorted(folder.iterdir())] == [True, True, False]


def test_titles_of_one_series_in_a_folder_have_one_order(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    for i, day in enumerate(["3/4/98", "3/24/98"]):
        (folder / f"{i}.txt").write_text(f"Press Briefing by A {i}, {day}\n\n{PROSE.format(i)}", "utf-8")
    run(tmp_path, folder)
    assert sorted(dates(tmp_path).values()) == ["1998-03-04", "1998-03-24"]
