"""The cases of quotations beside the project: each gives the speaker that a careful reader would name."""

from __future__ import annotations

from pathlib import Path

import pytest

from narratives.model import InputFile, RawDocument
from narratives.parse import Roster, parse_document
from narratives.read import read_file

pytestmark = pytest.mark.shared
DOLK, HALE, BERG, BRANDT = "Irena Dolk", "Jonas Hale", "Ulla Berg", "Ole Brandt"
# The speakers of the body paragraphs, in order; "" for nobody.
CASES = {
    "quotes/q01-dash-attribution.txt": ["", HALE, DOLK, BRANDT],
    "quotes/q02-and-from.txt": ["", "", DOLK, "", HALE, "", BERG],
    "quotes/q03-post-verb.txt": [DOLK, DOLK],
    "quotes/q04-multi-paragraph.txt": ["", DOLK, DOLK, DOLK, ""],
    "quotes/q05-nickname.txt": ["Shorty", BRANDT],
    "quotes/q06-unclosed.txt": [DOLK, "", ""],
    "quotes/q08-rare-verbs.txt": [DOLK, BERG, "Anna Lind", "Karin Voss"],
    "quotes/q10-dialogue-dash.txt": [DOLK, HALE],
    "quotes/q11-guillemets-german.txt": [DOLK, HALE, BERG],
    "quotes/q12-double-single-backtick.txt": [DOLK, HALE],
    "quotes/q13-tweet-by.txt": [DOLK, "Hale", ""],
    "quotes/q14-he-she.txt": ["", DOLK, HALE, ""],
    "quotes/q15-spokesman-quotes-other.txt": ["", DOLK, HALE],
    "quotes/q16-headline-colon.txt": [DOLK, DOLK, "Hale"],
    "quotes2/v01-said-colon-next-para.txt": ["", DOLK, DOLK, HALE, HALE, "", BERG],
    "quotes2/v03-single-straight.txt": [DOLK, HALE, BERG],
    "quotes2/v04-single-curly-possessive.txt": [DOLK, HALE, BERG],
    "quotes2/v05-pronouns-foreign-names.txt": ["", "Ayse Demir", "Mehmet Kaya", "", "Xu Lan"],
    "quotes2/v07-two-speakers-one-paragraph.txt": [HALE, HALE],  # the one with the longer quotation
    "quotes2/v09-quote-in-quote-own.txt": [DOLK, DOLK],
    "quotes2/v10-scare-quotes.txt": ["", ""],
    "misc/b2-pronoun-known-names.txt": ["", "Anna Dolk", "John Hale"],
    "html/19-embedded-tweet.html": ["", "", HALE, "", ""],
    "html2/19a-blockquote-cite.html": ["", "", DOLK, "", ""],
    "html2/19b-blockquote-last-line.html": ["", "", DOLK, "", ""],
    "html2/19c-figure-pullquote.html": ["", DOLK, "", ""],
    "html2/19d-wp-image-caption.html": ["", "", "", "", ""],
}


@pytest.mark.parametrize("name", sorted(CASES))
def test_case(name: str, shared: Path) -> None:
    path = shared / "cases" / "reading" / name
    [raw] = read_file(InputFile(path, path.name), {})
    assert isinstance(raw, RawDocument)
    found = parse_document(raw, Roster([])).paragraphs
    assert [p.speaker for p in found if p.kind == "body"] == CASES[name]
