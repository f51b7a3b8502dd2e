"""Markdown, and rich text."""

from __future__ import annotations

import pytest

from narratives.model import Rejected
from narratives.parse import Roster, parse_document
from tests.helpers.reading import read

BODY = """# Bridge opened

The mayor said that the **bridge** is [open](https://port.example).

> No tolls
> this year.

- At six
- At seven
"""


@pytest.mark.parametrize("name", ["a.md", "a.markdown"])
def test_a_page_of_markdown_is_a_document(tmp_path, name):
    [document] = read(tmp_path, BODY, name)
    assert (document.row, document.title) == (0, "Bridge opened")
    assert [(p.text, p.kind) for p in document.paragraphs] == [
        ("The mayor said that the bridge is open.", ""),
        ("No tolls this year.", "quote"),
        ("At six", "list-item"),
        ("At seven", "list-item"),
    ]


YAML = "---\ntitle: Bridge opened\nDate: 2019-03-02\nauthor: Edda Voss\ntags: [a, b]\noutlet: Herald\n---\n"
TOML = '+++\ntitle = "Bridge opened"\ndate = 2019-03-02\nauthor = "Edda Voss"\noutlet = "Herald"\n+++\n'


@pytest.mark.parametrize("front", [YAML, TOML])
def test_front_matter_gives_the_columns(tmp_path, front):
    [document] = read(tmp_path, front + BODY, "a.md")
    assert (document.title, document.date, document.outlet, document.speaker) == (
        "Bridge opened", "2019-03-02", "Herald", "",
    )  # fmt: skip
    assert document.paragraphs[0].text.startswith("The mayor")
    [document] = read(tmp_path, front + BODY, "a.md", {"speaker": "author", "text": "body"})
    assert document.speaker == "Edda Voss" and len(document.paragraphs) == 4


def test_a_title_of_its_own_keeps_the_first_heading(tmp_path):
    [document] = read(tmp_path, "---\ntitle: News\n---\n" + BODY, "a.md")
    assert document.title == "News" and document.paragraphs[0].text == "Bridge opened"


@pytest.mark.parametrize("text", ["Words.\n\n---\n\nMore words.\n", "---\nWords, and more words.\n---\nMore.\n"])
def test_a_line_across_the_page_is_no_front_matter(tmp_path, text):
    [document] = read(tmp_path, text, "a.md")
    texts = [document.title, *(p.text for p in document.paragraphs)]
    assert [text.split()[0].strip(",.") for text in texts if text] == ["Words", "More"]


@pytest.mark.parametrize(("text", "got"), [("---\ntitle: [x\n---\nA.", "front matter"), ("# Title\n", "only a title")])
def test_what_is_faulty_is_rejected(tmp_path, text, got):
    [rejected] = read(tmp_path, text, "a.md")
    assert isinstance(rejected, Rejected) and got in rejected.reason


RTF = (
    r"{\rtf1\ansi\ansicpg1252{\fonttbl{\f0 Times;}}{\info{\title Hidden}}\b Bridge opened\b0\par 2 March 2019\par "
    r"The mayor said \ldblquote open\rdblquote  and \u1055?\u1091? caf\'e9, "
    r'{\field{\*\fldinst{HYPERLINK "https://port.example"}}{\fldrslt{as promised}}}.\par }'
)


@pytest.mark.parametrize("name", ["a.rtf", "a.doc"])
def test_rich_text_is_read_and_dated(tmp_path, name):
    [raw] = read(tmp_path, RTF, name)
    assert raw.text.split("\n\n")[-1] == "The mayor said “open” and Пу café, as promised."
    document = parse_document(raw, Roster(()))
    assert (document.title, document.date) == ("Bridge opened", "2019-03-02")


@pytest.mark.parametrize(
    ("name", "content", "got"),
    [
        ("a.rtf", b"plain words", "another kind of file"),
        ("a.rtf", rb"{\rtf1 {\info{\title x}}}", "none"),
        ("a.doc", b"\xd0\xcf\x11\xe0" + bytes(600), "an old .doc file. Open it in Word"),
    ],
)
def test_what_is_no_rich_text_is_rejected(tmp_path, name, content, got):
    [rejected] = read(tmp_path, content, name)
    assert isinstance(rejected, Rejected) and got in rejected.reason
