"""The collected cases of what people have on their disks, where the folder of shared material is present."""

from __future__ import annotations

import pytest

from narratives.model import InputFile, RawDocument
from narratives.parse import Roster, parse_document
from narratives.read import find_inputs, read_file, survey

COAST = "Ministry of the Coast"
NEWS = [
    ("Breakwater to be finished before winter", "The Vellmar Courier", "2018-05-15"),
    ("Fishermen ask for a debate", "Northern Post (Sandby)", "2019-06-03"),
    ("Rebuilding better after the storm-19, part 1", "The Vellmar Courier", "2020-01-07"),
]
FEED = [(title, COAST, f"2018-05-{15 + i}") for i, (title, _, _) in enumerate(NEWS)]
ROWS = [("Breakwater", "", "2018-05-15"), ("Lamps", "", "2018-05-16")]
# Title, outlet and date of each document.
EXPECTED = {
    "newcomer/01-export.xlsx": [("", "Courier", "2018-05-15")],
    "newcomer/02-nexis-uni.docx": NEWS,
    "newcomer/03-lexisnexis.txt": NEWS,
    "newcomer/05-factiva.rtf": [("Breakwater to be finished before winter", "", "2018-05-15")],
    "newcomer/07-feed.xml": FEED,
    "newcomer/07c-feed-saved-as.html": FEED,
    "newcomer/08-mail.eml": [("Statement on the strait", COAST, "2018-05-15")],
    "newcomer/08b-list.mbox": [("Statement on the strait", COAST, "2018-05-15")],
    "newcomer/09-interview.srt": [("", "", "")],
    "newcomer/09c-srt-saved-as.txt": [("", "", "")],
    "newcomer/09d-youtube-transcript.txt": [("", "", "")],
    "newcomer/10-notes.md": [("Statement on the strait", "", "2018-05-15")],
    "newcomer/11-debates2018-05-15a.xml": [("Harbours", "", "2018-05-15")],
    "newcomer/13-array.json": [("", "", "2018-05-15")],
    "tables/12-twitter-v1.jsonl": [("", "", "2018-05-15"), ("", "", "2018-05-16")],
    "tables/13-telegram-result.json": [("", COAST, "2018-05-15"), ("", COAST, "2018-05-16")],
    "tables/13b-telegram-messages.jsonl": [("", COAST, "2018-05-15"), ("", COAST, "2018-05-16")],
    "tables/14-array.json": ROWS,
    "tables/14b-array-as.jsonl": ROWS,
    "tables/14c-ndjson.ndjson": ROWS,
    "tables/14d-list-oneline.jsonl": ROWS,
    "html/15-digest-page.html": [
        ("Breakwater", "", "2018-05-15"), ("Ferries", "", "2018-05-14"), ("Market hall", "", "2018-05-11"),
    ],
}  # fmt: skip


@pytest.fixture(scope="session")
def cases(shared):
    folder = shared / "cases" / "reading"
    if not folder.is_dir():
        pytest.skip(f"the cases are not at {folder}")
    return folder


@pytest.mark.shared
@pytest.mark.parametrize("name", EXPECTED)
def test_a_case_is_read_as_a_careful_reader_would(cases, name):
    items = list(read_file(InputFile(cases / name, name), {}))
    assert all(isinstance(item, RawDocument) for item in items), items
    parsed = [parse_document(item, Roster(())) for item in items]
    assert [(d.title, d.outlet, d.date) for d in parsed] == EXPECTED[name]


@pytest.mark.shared
@pytest.mark.parametrize(("name", "remedy"), [("15-old.doc", "save it as .docx"), ("16-saved.mhtml", "HTML only")])
def test_a_case_that_is_not_read_says_how_to_convert_it(cases, name, remedy):
    files, rejected = find_inputs([str(cases / "newcomer" / name)])
    reasons = [item.reason for file in files for item in read_file(file, {})] + [r.reason for r in rejected]
    assert len(reasons) == 1 and remedy in reasons[0]


@pytest.mark.shared
def test_the_archive_among_the_cases_is_read(cases):
    with survey([str(cases / "newcomer/12-folder.zip")]) as found:
        documents = [parse_document(item, Roster(())) for file in found.files for item in read_file(file, {})]
    assert [d.title for d in documents] == ["Statement on the strait", "Lamps"] and found.rejected == []
