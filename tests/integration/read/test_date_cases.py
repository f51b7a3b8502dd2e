"""The reference cases of dates: every file gives the date that a careful reader takes from it, and no more."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from narratives.model import InputFile, RawDocument
from narratives.parse import DateOrder, Roster, add_to_date_order, find_name_date, parse_document
from narratives.read import read_file

DAY = "2018-05-15"
# Of cells: what else than the day they give; the others give the day.
CELLS = {
    "d08": "2018-09-30", "d09": "2018-03-01", "d10": "2018-07-04", "d11": "2018-09-14", "d12": "2013", "d13": "2016",
    "d17": "", "d33": "2018-05", "d34": "2018-05", "d35": "2018", "d40": "", "d41": "", "d42": "", "d44": "2018",
    "d46": "", "d47": "2018-05", "d48": "", "d49": "", "d50": "",
}  # fmt: skip
FILES = {
    "header/h36.txt": "2018-05",
    "header/h38.txt": "2018",
    "dates/html/c01-copyright-only.html": "",
    "dates/html/c03-no-date-at-all.html": "",
    "dates/html/c05-founded-year.html": "",
    "dates/html/m02-only-modified.html": "",
    "dates/html/u01-url-day-glued-id.html": "2018-05",
    "dates/html/u02-url-issue-date.html": "2018-05-11",
    "dates/html/u03-url-year-month.html": "2018-04",
    "dates/html/u05-url-api-version.html": "",
    "feed/a.html": "",
    "misc/a6-covid-title.txt": "",
    "misc/a11-ap-dateline.txt": "",
}


@pytest.fixture
def cases(shared) -> Path:
    folder = shared / "cases" / "reading"
    if not folder.is_dir():
        pytest.skip(f"the reference cases are not at {folder}")
    return folder


def read_dates(path: Path) -> list[str]:
    rows = [row for row in read_file(InputFile(path, path.name), {}) if isinstance(row, RawDocument)]
    order = DateOrder()
    for row in rows:
        order = add_to_date_order(order, row)
    return [parse_document(row, Roster(()), order).date for row in rows]


def test_cells(cases):
    path = cases / "dates" / "date-strings.csv"
    with path.open(newline="", encoding="utf-8") as file:
        names = [row["id"] for row in csv.DictReader(file)]
    assert dict(zip(names, read_dates(path), strict=True)) == {name: CELLS.get(name, DAY) for name in names}


@pytest.mark.parametrize(
    "pattern", ["header/*.txt", "dates/html/*.html", "html2/21*.html", "feed/*.html", "misc/a[56]*"]
)
def test_documents(cases, pattern):
    paths = sorted(cases.glob(pattern))
    found = {path.relative_to(cases).as_posix(): read_dates(path)[0] for path in paths}
    assert found and found == {name: FILES.get(name, DAY) for name in found}


def test_a_dateline_without_a_year_gives_none(cases):
    assert read_dates(cases / "misc" / "a11-ap-dateline.txt") == [""]


@pytest.mark.parametrize(("name", "order"), [("18-us-dates.csv", (0, 1)), ("18b-uk-dates.csv", (1, 0))])
def test_columns(cases, name, order):
    path = cases / "tables" / name
    with path.open(newline="", encoding="utf-8") as file:
        written = [row["date"].split("/") for row in csv.DictReader(file)]
    assert read_dates(path) == [f"{parts[2]}-{parts[order[0]]}-{parts[order[1]]}" for parts in written]


def test_names_of_files(cases):
    found = {path.name: find_name_date(path.name) for path in sorted((cases / "misc").glob("20*"))}
    assert list(found.values()) == ["2015-01-01", "2018-03-19"]
