"""Pages that are broken, hostile or in unexpected encodings: read sensibly or rejected, within pytest's time limit."""

from __future__ import annotations

import gzip

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from narratives.model import RawDocument, Rejected
from tests.helpers.reading import read

SENTENCE = "Обвинения не подкреплены ни одним документом, заявил в четверг министр."
ENGLISH = "This is a sentence that holds enough words to be a paragraph."
P = f"<p>{ENGLISH}</p>"
N = 100_000


@pytest.mark.parametrize(
    "content",
    [
        "<div>" * N + P + "</div>" * N + P,
        "<div>" * N + P,
        "<p>" + "<b>" * N + ENGLISH,
        "<ul><li>" * 5_000 + P,
        "<p>" * N + P,
        f"<p {'a=1 ' * N}>{ENGLISH}</p>",
        '<script type="application/ld+json">' + "[" * N + "</script>" + P,
    ],
    ids=["nested", "unclosed", "bold", "lists", "empty paragraphs", "attributes", "nested JSON"],
)
def test_depth_and_length_cost_no_text(tmp_path, content):
    [found] = read(tmp_path, f"<html><body>{content}</body></html>", "a.html")
    assert isinstance(found, RawDocument) and ENGLISH in [p.text for p in found.paragraphs]


IDS = "empty blank nul binary bare scripts large bomb cut tables tags attribute".split()  # noqa: SIM905


@pytest.mark.parametrize(
    ("content", "name", "why"),
    [
        (b"", "a.html", "an empty file"),
        (b" \n ", "a.htm", "an empty file"),
        (b"<p>a\0b</p>", "a.html", "NUL"),
        (bytes(range(256)) * 20, "a.html", "binary content"),
        (b"<html><body></body></html>", "a.html", "a page with text"),
        (b"<div id=root></div><script>var text = 'A sentence with words.'</script>", "a.html", "filled by scripts"),
        (P.encode() * N, "a.html", "a larger one"),
        (gzip.compress(b"<p>" + b"a" * 200_000_000, 9), "a.html.gz", "a larger one"),
        (gzip.compress(P.encode())[:-9], "a.html.gz", "gzip"),
        (b"<table><tr><td>" * N, "a.html", "a page with text"),
        (b"<a b" * N, "a.html", "a page with text"),
        (b'<p a="' + b"x" * 3_000_000, "a.html", "a page with text"),
    ],
    ids=IDS,
)
def test_what_holds_no_text_is_rejected_with_the_reason(tmp_path, content, name, why):
    [rejected] = read(tmp_path, content, name)
    assert isinstance(rejected, Rejected) and why in rejected.reason


@pytest.mark.parametrize(
    ("declared", "encoding"),
    [
        ("", "utf-8"),
        ("", "utf-8-sig"),
        ("windows-1251", "cp1251"),
        ("koi8-r", "koi8-r"),
        ("iso-8859-1", "cp1251"),
        ("windows-1251", "utf-8"),
        ("no-such-charset", "utf-8"),
        ("utf-8", "cp1251"),
        ("", "cp1251"),
        ("utf-16", "utf-16"),
        ("", "utf-16-le"),
        ("", "utf-16-be"),
        ("utf-16", "utf-8"),
    ],
)
def test_encodings_are_told_whatever_the_page_declares(tmp_path, declared, encoding):
    meta = f'<meta charset="{declared}">' if declared else ""
    body = f"<article>{f'<p>{SENTENCE}</p>' * 3}</article>"
    text = f"<html><head>{meta}<title>Т</title></head><body>{body}</body></html>"
    [found] = read(tmp_path, text.encode(encoding), "a.html")
    assert {p.text for p in found.paragraphs} == {SENTENCE}


def test_an_xml_declaration_is_no_obstacle(tmp_path):
    text = f'<?xml version="1.0" encoding="windows-1251"?><html><body><p>{SENTENCE}</p></body></html>'
    [found] = read(tmp_path, text.encode("cp1251"), "a.html")
    assert [p.text for p in found.paragraphs] == [SENTENCE]


def test_a_few_foreign_bytes_cost_only_themselves(tmp_path):
    data = f'<meta charset="utf-8"><p>{SENTENCE * 5} '.encode() + b"\x93odd\x94 word.</p>"
    [found] = read(tmp_path, data, "a.html")
    assert found.paragraphs[0].text == f"{SENTENCE * 5} \ufffdodd\ufffd word."


def test_text_without_markup_is_read(tmp_path):
    [found] = read(tmp_path, ENGLISH, "a.html")
    assert [p.text for p in found.paragraphs] == [ENGLISH]


TAGS = ("p", "div", "b", "br", "table", "tr", "td", "script", "h1", "title", "blockquote")
MARKUP = [*(f"<{t}>" for t in TAGS), *(f"</{t}>" for t in TAGS), "<!--", "-->", "&amp", "&#0;", "&#xd800;", "<?xml"]
pieces = st.sampled_from([*MARKUP, ENGLISH, "Ann Lee: yes.", "\0", " charset="])


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.one_of(st.lists(pieces, max_size=12).map("".join).map(str.encode), st.binary(max_size=60)))
def test_no_bytes_raise(tmp_path, content):
    [found] = read(tmp_path, content, "a.html")
    assert isinstance(found, RawDocument | Rejected)
