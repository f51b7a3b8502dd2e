"""Pages of any site: text, structure, title, outlet, date and address, as a reader would copy them."""

from __future__ import annotations

import json

import pytest

from benchmarks.accuracy_generic import PAGES, compare, read
from narratives.model import RawDocument, Rejected
from narratives.read.html import canonicalise_url
from tests.helpers.reading import read as read_bytes

NAMES = sorted(path.stem for path in PAGES.glob("*.json"))
FILLER = "<p>The commission met for three hours and left the building without a vote on the matter.</p>"


def page(tmp_path, body, head="", name="a.html"):
    [found] = read_bytes(tmp_path, f"<html><head>{head}</head><body>{body}</body></html>", name)
    assert isinstance(found, RawDocument), found
    return found


@pytest.mark.parametrize("name", NAMES)
def test_a_page_is_read_as_its_label_says(name):
    expected = json.loads((PAGES / f"{name}.json").read_text("utf-8"))
    raw, document = read(PAGES / f"{name}.html")
    assert [p.text for p in raw.paragraphs if not is_furniture(p.text)] == [p["text"] for p in expected["paragraphs"]]
    kinds = {p.text: p.kind for p in raw.paragraphs}
    for paragraph in expected["paragraphs"]:
        if paragraph["kind"]:
            assert kinds[paragraph["text"]] == paragraph["kind"], paragraph
    for field in ("title", "outlet", "lead"):
        assert getattr(raw, field) == expected[field]
    assert document.date == expected["date"]
    assert raw.url == expected["url"]


def is_furniture(text):
    return text.startswith(("READ MORE", "Think your friends"))


def test_extraction_and_dates_are_at_least_as_good_as_the_libraries_alone():
    result = compare()
    assert result.pages == len(NAMES) >= 20
    assert result.ours.words.f1 >= max(result.rival.words.f1, 0.99)
    assert result.ours.blocks.f1 >= max(result.rival.blocks.f1, 0.98)
    assert result.ours.dates >= max(result.rival.dates, result.pages - 1)
    assert result.ours.kinds >= 0.97 * result.blocks


@pytest.mark.parametrize(("name", "why"), [("list_page", "a list of links"), ("frameset", "a set of frames")])
def test_a_page_without_text_is_rejected(tmp_path, name, why):
    [rejected] = read_bytes(tmp_path, (PAGES / f"{name}.html").read_bytes(), "a.html")
    assert isinstance(rejected, Rejected) and why in rejected.reason


def test_a_bold_label_is_marked_and_stays_in_the_text(tmp_path):
    labelled = "<p><b>Larisa Ostrova:</b> We have answered this before, and in writing.</p>"
    found = page(tmp_path, f"<article>{FILLER}{labelled}<p><b>Note:</b></p></article>")
    assert [(p.text, p.labelled) for p in found.paragraphs][1] == (
        "Larisa Ostrova: We have answered this before, and in writing.",
        True,
    )


def test_a_manifest_overrides_what_the_page_says(tmp_path):
    said = {"date": "2016-12-14", "url": "https://example.org/a/print?utm_source=x", "outlet": "RT"}
    content = (PAGES / "news_json_ld.html").read_bytes()
    [found] = read_bytes(tmp_path, content, "a.html", manifest=said)
    assert (found.date, found.url, found.outlet) == ("2016-12-14", "https://example.org/a", "RT")
    assert found.title == "Port authority denies turning inspectors away"


def test_a_day_of_changing_is_no_day_of_posting(tmp_path):
    head = '<meta property="article:modified_time" content="2019-05-01"><meta name="date" content="2018-05-01">'
    assert page(tmp_path, FILLER, head).date == "2018-05-01"


def test_broken_structured_data_is_passed_over(tmp_path):
    head = '<script type="application/ld+json">{"@type": "NewsArticle", "headline": </script>'
    assert len(page(tmp_path, FILLER, head).paragraphs) == 1


@pytest.mark.parametrize(
    ("url", "one"),
    [
        ("http://en.kremlin.ru/events/president/news/62092/print", "http://en.kremlin.ru/events/president/news/62092"),
        ("http://a.org/x/print.html", "http://a.org/x"),
        ("https://A.org/x?print=1&id=7#top", "https://a.org/x?id=7"),
        ("https://a.org/x?utm_source=rss&utm_medium=b", "https://a.org/x"),
        ("https://a.org/print-media/x?from=2016", "https://a.org/print-media/x?from=2016"),
        ("urn:isbn:1", "urn:isbn:1"),
        ("http://[broken", "http://[broken"),
        ("", ""),
    ],
)  # fmt: skip
def test_versions_of_an_address_are_one(url, one):
    assert canonicalise_url(url) == one
    assert canonicalise_url(one) == one


BY_ANN = "Ann Lee, mayor of the valley"


@pytest.mark.parametrize(
    "quotation",
    [
        f"<blockquote><p>{{}}</p><footer>&mdash; <cite>{BY_ANN}</cite></footer></blockquote>",
        f"<blockquote><p>{{}}</p><footer>{BY_ANN}</footer></blockquote>",
        f"<blockquote><p>{{}}</p><cite>{BY_ANN}</cite></blockquote>",
        f"<figure><blockquote>{{}}</blockquote><figcaption>{BY_ANN}</figcaption></figure>",
    ],
)
def test_the_source_of_a_block_quote_is_read(tmp_path, quotation):
    words = "The granary belongs to all who live in the valley, and nobody has the right to shut its gates."
    found = page(tmp_path, f"<article>{FILLER * 3}{quotation.format(words)}{FILLER * 3}</article>")
    assert [(p.text, p.kind) for p in found.paragraphs if p.kind] == [(words, "quote"), (f"— {BY_ANN}", "quote")]


def test_a_pull_quote_that_repeats_the_text_is_not_read_twice(tmp_path):
    words = "Nobody shall shut the granary as long as I hold this office"
    figure = f"<figure><blockquote>{words}</blockquote><figcaption>{BY_ANN}</figcaption></figure>"
    said = f"<p>“{words},” Ann Lee said on Monday in the hall of the town.</p>"
    found = page(tmp_path, f"<article>{FILLER * 3}{said}{figure}{FILLER * 3}</article>")
    assert sum(words in p.text for p in found.paragraphs) == 1


def test_a_work_cited_within_a_block_quote_is_not_its_source(tmp_path):
    words = "The granary, as <cite>The Mill</cite> has it, belongs to the whole of the valley."
    quote = f"<blockquote><p>{words}</p></blockquote>"
    found = page(tmp_path, f"<article>{FILLER * 3}{quote}{FILLER * 3}</article>")
    assert [p.text for p in found.paragraphs if p.kind] == [
        "The granary, as The Mill has it, belongs to the whole of the valley."
    ]
