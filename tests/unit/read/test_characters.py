"""Characters that nobody sees are removed in every format, where they mean nothing."""

from __future__ import annotations

import json

import pytest

from narratives.model import RawDocument, Rejected
from narratives.parse import Roster, find_copies, parse_document
from narratives.read.characters import clean_characters
from tests.helpers.reading import read

CLEANED = [
    ("Russo\xadphobia", "Russophobia"),
    ("govern\xad\nment of the coast", "government of the coast"),
    ("a list:\xad\n\n- one", "a list:\n\n- one"),
    ("no\u200bbody", "nobody"),
    ("no\u2060bo\ufeffdy", "nobody"),
    ("auf\u200clage, wa\u200dter", "auflage, water"),
    ("the o\ufb03ce of \ufb01nance, a\ufb00ected by the \ufb02ood", "the office of finance, affected by the flood"),
    ("cafe\u0301, й", "café, й"),
    ("15\xa0May\u202f2018,\u200910\u2007000", "15 May 2018, 10 000"),
    ("\u202bשלום\u202c \u200eABC\u200f", "שלום ABC"),
    ("hi\U000e0068\U000e0069 there", "hi there"),
    ("\ufef3\ufeee\ufee1", "يوم"),
    ("plain text, “quoted” – and more…", "plain text, “quoted” – and more…"),
]
KEPT = [
    "می\u200cخواهم",  # Persian: without the joiner another word
    "क्\u200dष, क्\u200cष",  # Hindi
    "ശ്രീ\u200d",
    "ไป\u200bโรงเรียน",  # Thai: the end of a word
    "👩\u200d💻 and ❤️\u200d🔥",
    "🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f",
    "10 µm² ½ № ™ ﷺ",  # one character for several, but seen so
]


@pytest.mark.parametrize(("text", "clean"), CLEANED)
def test_what_nobody_sees_is_removed(text, clean):
    assert clean_characters(text) == clean == clean_characters(clean)


@pytest.mark.parametrize("text", KEPT)
def test_what_has_a_meaning_stays(text):
    assert clean_characters(text) == text


MARKED = "The min\xadistry of Hesk has no\u200bthing to hide in its o\ufb03ces, a spokes\xadwoman\xa0told the Post."
OTHER = "Two lighters lay at the quay all week, and no pilot would say who had ordered them."
PLAIN = "The ministry of Hesk has nothing to hide in its offices, a spokeswoman told the Post."


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.txt", f"Head\xadline of the post\n\n{MARKED}\n\n{OTHER}"),
        ("a.html", f"<title>Head\xadline of the post</title><article><p>{MARKED}</p><p>{OTHER}</p></article>"),
        ("a.csv", f'title,text\nHead\xadline of the post,"{MARKED}\n\n{OTHER}"\n'),
        ("a.jsonl", json.dumps({"title": "Head\xadline of the post", "paragraphs": [MARKED, {"text": OTHER}]})),
    ],
)
def test_every_format_is_cleaned(tmp_path, name, content):
    [raw] = read(tmp_path, content, name)
    assert isinstance(raw, RawDocument), raw
    document = parse_document(raw, Roster(()))
    assert document.title == "Headline of the post"
    assert [p.text for p in document.paragraphs if p.kind == "body"] == [PLAIN, OTHER]


def test_soft_hyphens_do_not_hide_a_copy(tmp_path):
    documents = [
        parse_document(raw, Roster(()))
        for name, text, day in (("a.html", MARKED, "2018-05-15"), ("b.html", PLAIN, "2018-05-16"))
        for raw in read(tmp_path, f'<meta name="date" content="{day}"><article><p>{text}</p></article>', name)
    ]
    assert len(find_copies(documents)) == 1


def test_the_id_of_a_document_without_an_address_does_not_depend_on_them(tmp_path):
    ids = {
        parse_document(raw, Roster(())).document_id for text in (MARKED, PLAIN) for raw in read(tmp_path, text, "a.txt")
    }
    assert len(ids) == 1


def test_a_cell_with_nothing_to_see_is_rejected(tmp_path):
    rows = read(tmp_path, "title,text\nOne,\u200b\nTwo,Some words stand here.\n", "a.csv")
    assert [(type(row), row.row) for row in rows] == [(Rejected, 1), (RawDocument, 2)]
    assert "characters that nobody sees" in rows[0].reason
