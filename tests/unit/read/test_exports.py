"""Exports of news databases: many articles in one file."""

from __future__ import annotations

import pytest

from narratives.model import RawDocument, Rejected
from narratives.parse import Roster, parse_document
from tests.helpers.reading import read
from tests.unit.read.test_office import docx, pdf

BRIDGE = (
    "The mayor of Marrow Bay opened the new bridge on Saturday, and said that the tolls would stay low for as long as"
    " the port earned enough to pay for the repair of the old ferry."
)
QUOTE = "“Nobody has asked us,” said Tom Arkell, who speaks for the crews of the ferry."
LAMPS = "The lamps on the pier burn again, and the crews came home before midnight, the port authority said on Sunday."
EXPECTED = [
    ("Bridge opened before noon", "The Marrow Bay Herald", "2019-03-02", [BRIDGE, QUOTE]),
    ("Lamps burn again", "Eastern Post (Quell)", "2019-03-04", [LAMPS]),
]


def outcome(found):
    return [(d.title, d.outlet, d.date, d.text.split("\n\n")) for d in found]


def wrap(text, width=78):
    """A paragraph with line breaks at a fixed width, as the old exports have them."""
    lines, line = [], ""
    for word in text.split():
        if len(line) + len(word) >= width:
            lines.append(line)
            line = ""
        line = f"{line} {word}".strip()
    return "\n".join([*lines, line])


def lexis(start="{0} of 2 DOCUMENTS", names=("BYLINE", "SECTION", "LENGTH", "LOAD-DATE", "LANGUAGE"), words="words"):
    byline, section, length, load, language = names

    def article(number, outlet, date, title, author, *paragraphs):
        body = "\n\n".join(map(wrap, paragraphs))
        return (
            f"\n\n{start.format(number):^78}\n\n\n{outlet:^78}\n\n{date:^78}\n{'Late Edition':^78}\n\n{title}\n\n"
            f"{byline}: {author}\n\n{section}: NEWS; Pg. 3\n\n{length}: 52 {words}\n\n\n"
            f"{body}\n\n{load}: March 9, 2020\n\n{language}: ENGLISH; English\n\n"
            f"PUBLICATION-TYPE: Newspaper\n\n{'Copyright 2019 Bay Media':^78}\n"
            f"{'All Rights Reserved':^78}\n"
        )

    return (
        "Download Request: Selected Items: 1-2\nTime Of Request: Monday, March 9, 2020\n\nTerms: (bridge)\n"
        + article(
            1,
            "The Marrow Bay Herald",
            "March 2, 2019 Saturday",
            "Bridge opened before noon",
            "By Ann Lister",
            BRIDGE,
            QUOTE,
        )
        + article(2, "Eastern Post (Quell)", "March 4, 2019 Monday", "Lamps burn again", "Staff", LAMPS)
    )


@pytest.mark.parametrize("start", ["{0} of 2 DOCUMENTS", "Document {0} of 2", "FOCUS - {0} of 2 DOCUMENTS"])
def test_an_export_of_lexisnexis_is_split(tmp_path, start):
    found = read(tmp_path, lexis(start), "a.txt")
    assert outcome(found) == EXPECTED
    assert [(d.row, d.speaker, d.language, d.date_source) for d in found] == [
        (1, "", "english", ""),
        (2, "", "english", ""),
    ]


def test_the_fields_may_be_german(tmp_path):
    text = lexis("Dokument {0} von 2", ("AUTOR", "RUBRIK", "LÄNGE", "UPDATE", "SPRACHE"), "Wörter")
    text = text.replace("March 2, 2019 Saturday", "Samstag 2. März 2019").replace(
        "March 4, 2019 Monday", "Montag 4. März 2019"
    )
    assert outcome(read(tmp_path, text, "a.txt")) == EXPECTED


def test_the_older_layout_has_fields_for_headline_and_body(tmp_path):
    text = (
        "1 of 1 DOCUMENT\n\nCopyright 2019 Bay Media\nThe Marrow Bay Herald\n\nMarch 2, 2019 Saturday\n"
        "Late Edition - Final\n\nSECTION: Section A; Pg. 1\n\nLENGTH: 1,052 words\n\n"
        "HEADLINE: Bridge opened\nbefore noon\n\nBYLINE:  By ANN LISTER\n\n"
        f"DATELINE: MARROW BAY, March 1\n\nBODY:\n{wrap(BRIDGE)}\n\n{QUOTE}\n\nGRAPHIC: Photo: the bridge\n\n"
        "LOAD-DATE: March 2, 2019\n"
    )
    [document] = read(tmp_path, text, "a.txt")
    assert outcome([document]) == EXPECTED[:1] and document.row == 0


def nexis(breaks="\n\n"):
    def article(title, outlet, date, *paragraphs):
        return [
            title, outlet, date, "Copyright 2019 Bay Media All Rights Reserved", "Section: NEWS; Pg. 3",
            "Length: 52 words", "Byline: Ann Lister", "Highlight: News from the port.", "Body", *paragraphs,
            "Graphic", "A photo of the port", "Classification", "Language: ENGLISH", "Publication-Type: Newspaper",
            "Load-Date: March 9, 2020", "End of Document",
        ]  # fmt: skip

    cover = [
        "Page 1 of 9", "User Name: X", "Date and Time: Monday, 9 March 2020 3:44:00 PM CET", "Job Number: 123",
        "Documents (2)", "1. Bridge opened before noon", "2. Lamps burn again", "Client/Matter: -None-",
        "Search Terms: bridge",
    ]  # fmt: skip
    lines = [
        *cover,
        *article(
            "Bridge opened before noon", "The Marrow Bay Herald", "March 2, 2019 Saturday", BRIDGE, "Page 2 of 9", QUOTE
        ),
        *article("Lamps burn again", "Eastern Post (Quell)", "March 4, 2019 Monday", LAMPS),
    ]
    return lines if breaks is None else breaks.join(lines)


@pytest.mark.parametrize("breaks", ["\n\n", "\n"])
def test_an_export_of_nexis_uni_is_split(tmp_path, breaks):
    found = read(tmp_path, nexis(breaks), "a.txt")
    assert outcome(found) == EXPECTED
    assert {d.lead for d in found} == {"News from the port."}


def test_an_export_is_split_in_every_format(tmp_path):
    paragraphs = (
        "".join(f"{line}\\par " for line in nexis(None)).replace("“", "\\ldblquote ").replace("”", "\\rdblquote ")
    )
    formats = {
        "a.docx": docx(*(("Heading1" if "opened before" in line else "", line) for line in nexis(None))),
        "a.rtf": r"{\rtf1\ansi " + paragraphs + "}",
        "a.doc": r"{\rtf1\ansi " + paragraphs + "}",
        "a.html": "<html><body>" + "".join(f"<div><p>{line}</p></div>" for line in nexis(None)) + "</body></html>",
    }
    for name, content in formats.items():
        assert outcome(read(tmp_path, content, name)) == EXPECTED, name


def test_an_export_as_pdf_is_split(tmp_path):
    short = [line for line in nexis(None) if len(line) < 60]  # the lines of the test's PDF are not broken
    place = short.index("Body") + 1
    text = "The mayor opened the bridge, and the tolls stay low."
    content = pdf([part for line in [*short[:place], text, *short[place:]] for part in (line, "")])
    first, *_ = read(tmp_path, content, "a.pdf")
    assert (first.title, first.outlet, first.date, first.text) == (*EXPECTED[0][:3], text)


SHOWN = f"""Factiva

Bridge opened before noon
Ann Lister
523 words
2 March 2019
14:05
The Marrow Bay Herald
MARROW
A4
English
(c) 2019 Bay Media. All rights reserved.

{BRIDGE}

{QUOTE}

Document MARROW0020190302ef3200001

News
Lamps burn again

By Staff
1,523 words
4 March 2019
Eastern Post (Quell)
EASTQ
English
Copyright 2019 Eastern Post

{LAMPS}

Document EASTQ00020190304ef3400002

Search Summary
Text bridge
"""
CODED = f"""SE  News
HD  Bridge opened before noon
BY  By Ann Lister
WC  523 words
PD  2 March 2019
ET  14:05
SN  The Marrow Bay Herald
SC  MARROW
LA  English
CY  (c) 2019 Bay Media.

LP
{BRIDGE}

TD
{QUOTE}

CO  port : Port of Marrow Bay
NS  gpol : Domestic Politics | gcat : Political News
AN  Document MARROW0020190302ef3200001

HD
Lamps burn again
WC
52 words
PD
4 March 2019
SN
Eastern Post (Quell)
LP
{LAMPS}
AN
Document EASTQ00020190304ef3400002
"""


@pytest.mark.parametrize("text", [SHOWN, CODED])
@pytest.mark.parametrize("name", ["a.txt", "a.rtf"])
def test_an_export_of_factiva_is_split(tmp_path, text, name):
    if name.endswith(".rtf"):
        text = text.replace("“", "\\ldblquote ").replace("”", "\\rdblquote ").replace("\n", "\\par\n")
        text = r"{\rtf1\ansi " + text + "}"
    found = read(tmp_path, text, name)
    assert outcome(found) == EXPECTED
    assert [d.id for d in found] == ["MARROW0020190302ef3200001", "EASTQ00020190304ef3400002"]


def test_a_table_of_factiva_in_html_is_read(tmp_path):
    rows = [
        ("HD", "Bridge opened before noon"), ("PD", "2 March 2019"), ("SN", "The Marrow Bay Herald"),
        ("LP", f"<p>{BRIDGE}</p>"), ("TD", f"<p>{QUOTE}</p>"), ("AN", "Document MARROW0020190302ef3200001"),
    ]  # fmt: skip
    table = "".join(f"<tr><td><b>{code}</b></td><td>{value}</td></tr>" for code, value in rows)
    found = read(tmp_path, f"<html><body><table>{table}</table></body></html>", "a.html")
    assert outcome(found) == EXPECTED[:1]


def test_a_sentence_that_begins_like_a_code_stays_in_the_text(tmp_path):
    text = CODED.replace(QUOTE, f"{QUOTE}\n\nIN 2018 the ferry was free.")
    assert read(tmp_path, text, "a.txt")[0].text.endswith("IN 2018 the ferry was free.")


RULE = "_" * 60
PROQUEST = f"""{RULE}

Report Information from ProQuest
March 9 2020 12:00
{RULE}

Table of contents

1. Bridge opened before noon
{RULE}

Document 1 of 2

Bridge opened before noon

Author: Lister, Ann

Publication info: The Marrow Bay Herald ; Marrow Bay [Marrow Bay]02 Mar 2019: A4.

ProQuest document link

Full text: {BRIDGE}

People: nobody knows how many came.

{QUOTE}

Subject: Bridges; Ferries

Title: Bridge opened before noon

Publication title: The Marrow Bay Herald

Publication date: Mar 2, 2019

Language of publication: English

ProQuest document ID: 2199999999

Document URL: https://pq.example/docview/2199999999

{RULE}

Document 2 of 2

Lamps burn again

Publication info: Eastern Post (Quell) ; Quell [Quell]04 Mar 2019.

Full text: {LAMPS}

{RULE}

Contact ProQuest
Copyright 2020 ProQuest LLC. All rights reserved.
"""


def test_an_export_of_proquest_is_split(tmp_path):
    first, second = read(tmp_path, PROQUEST, "a.txt")
    assert outcome([first, second]) == [
        (*EXPECTED[0][:3], [BRIDGE, "People: nobody knows how many came.", QUOTE]),
        EXPECTED[1],
    ]
    assert (first.url, first.language) == ("https://pq.example/docview/2199999999", "english")


def test_an_article_without_its_text_is_rejected_and_the_rest_read(tmp_path):
    first, second = read(tmp_path, PROQUEST.replace(LAMPS, "Not available."), "a.txt")
    assert isinstance(first, RawDocument) and isinstance(second, Rejected)
    assert second.row == 2 and "'Lamps burn again'" in second.reason and "with its full text" in second.reason


def test_a_map_can_make_the_byline_the_speaker(tmp_path):
    assert [d.speaker for d in read(tmp_path, lexis(), "a.txt", {"speaker": "byline"})] == ["Ann Lister", "Staff"]


def test_a_manifest_describes_all_articles_but_gives_no_address(tmp_path):
    assert {d.outlet for d in read(tmp_path, lexis(), "a.txt", manifest={"outlet": "Herald"})} == {"Herald"}
    [rejected] = read(tmp_path, lexis(), "a.txt", manifest={"url": "https://x.example"})
    assert "no url for a file with several documents" in rejected.reason


def test_the_articles_are_parsed_with_their_dates_and_titles(tmp_path):
    parsed = [parse_document(d, Roster(())) for d in read(tmp_path, lexis(), "a.txt")]
    assert [(d.title, d.date, d.date_precision, d.outlet) for d in parsed] == [
        (title, date, "day", outlet) for title, outlet, date, _ in EXPECTED
    ]
    assert [[p.text for p in d.paragraphs if p.kind == "body"] for d in parsed] == [e[3] for e in EXPECTED]


@pytest.mark.parametrize(
    "text",
    [
        lexis().replace("2 of 2 DOCUMENTS", ""),
        "".join(f"LENGTH: 7{i} words\n\n{LAMPS}\n\nLOAD-DATE: March 4, 2019\n\n" for i in range(3)),
        CODED.replace("AN  Document MARROW0020190302ef3200001", ""),
        PROQUEST.replace(f"{RULE}\n\nDocument 2 of 2\n\n", "").replace("Publication info: E", "Publication title: E"),
    ],
)
def test_articles_that_cannot_be_told_apart_are_rejected_with_what_to_do(tmp_path, text):
    [rejected] = read(tmp_path, text, "a.txt")
    assert isinstance(rejected, Rejected)
    assert "without the lines that separate them" in rejected.reason and "Download it again" in rejected.reason


@pytest.mark.parametrize(
    "text",
    [
        "Document 1 of 3\n\nThe council met again.\n\nDocument 2 of 3\n\nNobody spoke.\n",
        "Length: 20 metres\n\nThe wall is long.\n\nLength: 30 metres\n\nThe other wall is longer.\n",
        "End of Document\n\nThat is what the clerk wrote below the list of names.\n",
        f"The port uses ProQuest.\n\n{RULE}\n\nNotes: none.\n",
        "HD\nA film in HD was shown.\n\nPD\nThe public domain holds it.\n",
        "Language: the key to peace\n\nSection: the last\n\nThe mayor spoke of both.\n",
    ],
)
def test_other_text_with_such_lines_is_one_document(tmp_path, text):
    [document] = read(tmp_path, text, "a.txt")
    assert document.text == text and document.row == 0
