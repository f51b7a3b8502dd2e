"""Pages that hold several articles, and pages that only look so."""

from __future__ import annotations

import pytest

from narratives.model import RawDocument
from tests.helpers.reading import read

PROSE = (
    "<p>The mayor of Marrow Bay opened the new bridge on Saturday, and said that the tolls would stay low.</p>"
    "<p>The crews of the ferry had asked for a debate, and nobody in the council had answered any of their letters.</p>"
)
DAYS = ("2 March 2019", "4 March 2019", "9 March 2019")
NAV = '<nav><h2>Sections</h2><a href="/">Home</a></nav>'
FOOT = "<footer><p>© 2024 The Marrow Bay Herald, which belongs to nobody but the people who read it.</p></footer>"


def page(body, head=""):
    head = f"<head><title>Week in the bay</title>{head}</head>"
    return f"<html>{head}<body>{NAV}<h1>Week in the bay</h1>{body}{FOOT}</body></html>"


def items(layout, days=DAYS, prose=PROSE):
    return "".join(
        layout.format(title=f"Item {i}", day=day, iso=f"2019-03-0{i}", prose=prose) for i, day in enumerate(days, 2)
    )


LAYOUTS = {
    "articles": "<article><h2>{title}</h2><p class='date'>{day}</p>{prose}</article>",
    "headers": "<article><header><h3>{title}</h3><time datetime='{iso}'>x</time></header>{prose}</article>",
    "blog": "<div class='post'><h2><a href='https://h.example/{iso}'>{title}</a></h2>"
    "<div class='entry-meta'>Posted on {day} by admin</div><div>{prose}</div></div>",
    "date first": "<section><span>{day}</span><h2>{title}</h2>{prose}</section>",
    "flat": "<h2>{title}</h2><p>{day}</p>{prose}",
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_each_item_of_a_digest_is_a_document(tmp_path, layout):
    found = read(tmp_path, page(f"<main>{items(LAYOUTS[layout])}</main>"), "a.html")
    assert [(d.row, d.title) for d in found] == [(1, "Item 2"), (2, "Item 3"), (3, "Item 4")]
    dates = {d.date for d in found}
    assert dates in (set(DAYS), {"2019-03-02", "2019-03-04", "2019-03-09"}, {"2019-03-02", "2019-03-03", "2019-03-04"})
    assert all([p.text[:9] for p in d.paragraphs] == ["The mayor", "The crews"] for d in found)


def test_items_link_to_their_own_pages_and_the_page_names_the_outlet(tmp_path):
    head = '<meta property="og:site_name" content="The Herald">'
    found = read(tmp_path, page(items(LAYOUTS["blog"]), head), "a.html")
    assert [d.url for d in found] == [f"https://h.example/2019-03-0{i}" for i in (2, 3, 4)]
    assert {d.outlet for d in found} == {"The Herald"}


LIVE = "<div><time datetime='2019-03-02T1{iso}:05:00Z'>x</time><h3>{title}</h3>{prose}</div>"


@pytest.mark.parametrize(
    ("body", "head"),
    [
        (items("<section><h2>{title}</h2>{prose}</section>"), ""),
        (items(LAYOUTS["articles"], prose="<p>A short teaser of it.</p>"), ""),
        (items(LAYOUTS["articles"], prose=f"{PROSE}<p>And then the council said … Read more</p>"), ""),
        (f"<article>{PROSE * 4}</article>{items(LAYOUTS['articles'])}", ""),
        (items(LAYOUTS["articles"]), '<meta property="article:published_time" content="2019-03-09">'),
        (items(LAYOUTS["articles"], days=("2019-03-02 10:05", "2019-03-02 11:10")), ""),
        (items(LAYOUTS["articles"], days=DAYS[:1]), ""),
    ],
)
def test_an_article_with_sections_teasers_or_posts_is_one_document(tmp_path, body, head):
    [document] = read(tmp_path, page(body, head), "a.html")
    assert isinstance(document, RawDocument) and document.row == 0
