"""Small files with properties that users of comparable tools reported as faults, in the reference material."""

from __future__ import annotations

from pathlib import Path

import pytest

from narratives.model import InputFile, RawDocument, Rejected
from narratives.read import read_file

pytestmark = pytest.mark.shared
SPEAKERS = {
    "es": {"Begoña Ibáñez", "María Núñez", "Señor Muñoz", "Íñigo Peña"},
    "fr": {"Noël Crêpeau", "François Lebœuf", "Hélène Gagné à Genève"},
    "mix": {"François Sæther", "João Muñoz", "Zoë Müller", "Åsa Björk"},
}


def read_case(shared: Path, name: str) -> list[RawDocument | Rejected]:
    path = shared / "cases" / "reading" / name
    if not path.exists():
        pytest.skip(f"{name} is not among the cases")
    return list(read_file(InputFile(path, path.name), {}))


@pytest.mark.parametrize("number", [1, 10, 400])
@pytest.mark.parametrize("language", SPEAKERS)
def test_tables_with_few_accents(shared, language, number):
    found = read_case(shared, f"enc/table-{language}-{number}.csv")
    assert len(found) == number and {document.speaker for document in found} <= SPEAKERS[language]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("enc/en-cp1252.txt", "naïve coöperation – so the minister’s façade – cost £3.5m and €4m; “nothing”"),
        ("enc/es-cp1252.txt", "Señor Muñoz, the mayor of A Coruña, told El País that España"),
        ("enc/fr-cp1252.txt", "Hervé Le Bœuf in Besançon; « ça va », he said – and left for Genève à midi"),
        ("enc/no-cp1252.txt", "Bjørn Håkon Sæther of Ålesund said that the ferry to Ærø and Tromsø"),
        ("enc/tr-cp1252.txt", "Erdoğan and Ms Çiğdem Şahin of İzmir"),
        ("misc/a7-bom-utf16.txt", "The council of Vellmar"),
        ("misc/a8-latin1.txt", "even the price of the naïve soufflé"),
    ],
)
def test_texts_in_older_encodings(shared, name, words):
    assert words in read_case(shared, name)[0].text


@pytest.mark.parametrize(
    "suffix",
    ["-excel-semicolon-cp1252", "b-excel-semicolon-utf8bom", "c-mac-roman", "d-sep-line", "e-unicode-text-utf16"],
)
def test_tables_of_spreadsheets(shared, suffix):
    found = read_case(shared, f"tables/06{suffix}.csv")
    assert [document.speaker for document in found] == ["Müller, Jörg", "O’Neill, Séan"]
    assert found[0].text.startswith("„Wir“ – so der Minister – zahlen") and "“Zur Brücke”" in found[0].text


@pytest.mark.parametrize(
    ("name", "number", "words"),
    [
        ("01-single-column", 3, "winter storms arrive, number 1."),
        ("01b-single-column-unquoted", 3, "number 1 soon"),
        ("02-backslash-quotes", 2, 'The minister said: "We turn nobody away", and left'),
        ("03-stray-quote", 3, 'The minister said "we turn nobody away" and left'),
        ("04-ctrl-z", 2, "The lamps burn again"),
        ("05-newlines-in-cells", 2, "number 51.\n\nThe council"),
        ("07c-spaces-in-names", 1, "number 73."),
        ("08-ragged", 2, "The council met again, and nobody"),
        ("09-preamble-lines", 2, "number 91."),
        ("16-dup-ids", 3, "number 161."),
        ("19-url-variants", 4, "number 190."),
    ],
)
def test_tables_of_programs(shared, name, number, words):
    found = read_case(shared, f"tables/{name}.csv")
    assert [type(item) for item in found] == [RawDocument] * number and words in found[0].text


def test_texts_that_stand_for_nothing(shared):
    found = read_case(shared, "tables/17-empty-text-and-na.csv")
    assert [item.row for item in found if isinstance(item, Rejected)] == [1, 2, 4]


@pytest.mark.parametrize(
    ("name", "option"), [("tables/07-foreign-names.csv", "text=Body"), ("misc/a3-other-keys.jsonl", "text=body")]
)
def test_other_column_names_are_offered(shared, name, option):
    [rejected] = read_case(shared, name)
    assert f"--map {option}" in rejected.reason and "date=" in rejected.reason


@pytest.mark.parametrize(
    ("name", "number", "words"),
    [
        ("02-columns-linewise.pdf", 1, "said on Tuesday that the new breakwater would be finished"),
        (
            "03-hyphen-footnote.pdf",
            3,
            "the new breakwater would be finished before the winter, and that well-known engineers",
        ),
        ("04-indent-paragraphs.pdf", 4, "caused by disputes over the stone supply"),
    ],
)
def test_pdf_files(shared, name, number, words):
    [document] = read_case(shared, f"office/{name}")
    assert len(document.text.split("\n\n")) == number and words in document.text


@pytest.mark.parametrize(
    ("name", "title", "words"),
    [
        (
            "06-tracked-changes.docx",
            "Statement on the strait",
            "Two primary theories argue that the strait must stay open to",
        ),
        ("07-table-textbox.docx", "Joint statement", "The text box says that the commission meets in Sandby"),
        ("09-core-properties.docx", "Speech at the pier", "Ladies and gentlemen, the strait belongs"),
        ("10-deleted-newline.docx", "Statement of the ministry", "ships of the north and to all those who report"),
    ],
)
def test_word_files(shared, name, title, words):
    [document] = read_case(shared, f"office/{name}")
    assert document.title == title and any(words in paragraph.text for paragraph in document.paragraphs)
