"""What of a page is its text: what trafilatura loses is read, and what stands beside the text is not."""

from __future__ import annotations

import json

import pytest

from narratives.model import RawDocument
from tests.helpers.reading import read as read_bytes

A = "The island council of Hesk voted on Thursday to close the old quarry before the autumn rains begin again."
B = "Two farmers told the paper that the dust from the lorries had covered their fields since the spring of the year."
C = "A letter of the mining company, seen by this paper, had promised new roads and forty places of work."
D = "The vote was delayed twice, because nobody could say what the repair of the harbour road would cost the town."
POINTS = [
    "The road to the harbour has to be repaired first.",
    "The lorries may drive only by day.",
    "Dust is measured weekly",
]
LINKED = "On Monday the mining company had accused the council of breaking a contract that both had signed."


def p(*texts):
    return "".join(f"<p>{text}</p>" for text in texts)


def items(*texts, tag="ul"):
    return f"<{tag}>{''.join(f'<li>{text}</li>' for text in texts)}</{tag}>"


def texts(tmp_path, body, head=""):
    head += '<title>Quarry closes | Hesk Post</title><meta property="og:site_name" content="Hesk Post">'
    content = f"<!DOCTYPE html><html><head>{head}</head><body>{body}</body></html>"
    [raw] = read_bytes(tmp_path, content, "a.html")
    assert isinstance(raw, RawDocument), raw
    return [paragraph.text for paragraph in raw.paragraphs]


H1 = "<h1>Quarry closes</h1>"
HERE, THERE = "Nothing has been signed so far in Hesk.", "Nobody was hurt there on Monday, said the police."
NO_P = "".join(f"<div>{text}</div>" for text in (A, B, C, D))
IN_LI = "".join(f"<li><p>{text}</p></li>" for text in POINTS)
ENTRIES = "".join(f"<div class='e'><time>1{n}:05</time><h3>Hour {n}</h3>{p(x)}</div>" for n, x in enumerate((A, B, C)))
MENU = "<td class='sidebar'><a href='/'>Home</a> <a href='/a'>All news</a></td>"
LINK = f"<a href='/m'>{LINKED}</a>"
PANELS = f"<details><summary>What did they say?</summary>{p(C)}</details><div aria-hidden='true'>{p(LINKED)}</div>"
FOOTER = f"<footer>{p('Hesk Post, Mill Road 4, Hesk.')}</footer>"
FOUND = {
    "a list without a wrapper": (p(A, f"{HERE[:-1]}:") + items(*POINTS) + p(B, C), [A, f"{HERE[:-1]}:", *POINTS, B, C]),
    "an ordered list": (p(A, B) + items(*POINTS, tag="ol") + p(C, D), [A, B, *POINTS, C, D]),
    "a list at the end": (p(A, B, C) + items(*POINTS) + FOOTER, [A, B, C, *POINTS]),
    "a list with paragraphs in it": (p(A, B) + f"<ul>{IN_LI}</ul>" + p(C, D), [A, B, *POINTS, C, D]),
    "a linked paragraph": (f"<article>{p(A, LINK, B, C)}</article>", [A, LINKED, B, C]),
    "a linked paragraph in an element": (
        f"<article>{p(A)}<div class='txt'><p><b>{LINK}</b></p></div>{p(B, C)}</article>",
        [A, LINKED, B, C],
    ),
    "the first paragraph is a link": (f"<article>{H1}{p(LINK, A, B, C)}</article>", [LINKED, A, B, C]),
    "a list of linked sentences": (p(A, B) + items(LINK, POINTS[0]) + p(C, D), [A, B, LINKED, POINTS[0], C, D]),
    "a closed panel": (f"<article>{p(A, B)}{PANELS}{p(D)}</article>", [A, B, "What did they say?", C, LINKED, D]),
    "a list in a list": (p(A, B) + items(POINTS[0] + items(POINTS[1]), POINTS[2]) + p(C, D), [A, B, *POINTS, C, D]),
    "terms and what they mean": (
        p(A, B) + f"<dl><dt>Toll</dt><dd>{HERE}</dd></dl>" + p(C, D),
        [A, B, "Toll", HERE, C, D],
    ),
    "text in large type": (
        f"<center><font size=5>Quarry closes</font></center><font>{A}{p(B, C, D)}</font>",
        [A, B, C, D],
    ),
    "a table of menus": (
        f"<table><tr><td><a href='/'>Home</a></td><td><a href='/n'>News</a></td></tr></table>{p(A, B, C)}",
        [A, B, C],
    ),
    "the headline once more": (f"<article>{p(A)}<h2>Quarry closes</h2>{p(B, C)}</article>", [A, B, C]),
    "loose text": (f"<main>{p(A)}{HERE}<div>{p(B)}</div>{p(C)}</main>", [A, HERE, B, C]),
    "elements without paragraphs": (f"<div class='s'>{NO_P}</div>", [A, B, C, D]),
    "breaks without paragraphs": (f"<div class='story'>{'<br><br>'.join((A, B, C, D))}</div>", [A, B, C, D]),
    "a table for the layout": (f"<table><tr>{MENU}<td>{H1}{p(A, B, C)}</td></tr></table>", [A, B, C]),
    "a short article": (f"<article>{H1}{p(HERE, THERE)}</article>", [HERE, THERE]),
    "an article in an article": (f"<article><article><div><br>{A} {B}</div></article></article>", [f"{A} {B}"]),
    "entries of a live blog": (f"<main>{H1}{ENTRIES}</main>", ["Hour 0", A, "Hour 1", B, "Hour 2", C]),
    "an opening paragraph in large type": (f"<article>{H1}<h2>{A} {B}</h2>{p(C, D)}</article>", [f"{A} {B}", C, D]),
}


@pytest.mark.parametrize("name", FOUND)
def test_no_text_is_lost_and_none_is_doubled(tmp_path, name):
    body, expected = FOUND[name]
    assert texts(tmp_path, body) == expected


RELATED = ["<a href='/x1'>Why Herring Costs Twice as Much</a>", "<a href='/x2'>Five Bridges of Hesk</a>"]
BESIDE = {
    "a form to send the page": "<div id='emailThis'><p>Please wait while your letter is sent to your friend.</p></div>",
    "a form without a name": "<form><p>Tell us what you think of this page and of its writers.</p></form>",
    "a newsletter": "<div class='newsletter-box'><p>Our best stories come to you before you leave the house.</p></div>",
    "cookies": "<div id='CookieBanner'><p>This page keeps small files to remember what you like.</p></div>",
    "comments of readers": "<div class='post-comments'><p>I have lived here for forty years: a shame.</p></div>",
    "an author": "<div class='author-bio'><p>Jonna Hale writes on the coast and has two dogs.</p></div>",
    "related articles": f"<div class='related-stories'><h3>Read more</h3>{p(*RELATED, 'Herring came in May.')}</div>",
    "a list of links": items(*RELATED),
    "about the publisher": "<div class='about-us'><p>The Hesk Post was founded in 1921 by three fishermen.</p></div>",
    "a hidden element": "<div style='display:none'><p>A second version of the text that nobody sees.</p></div>",
}


@pytest.mark.parametrize("name", BESIDE)
@pytest.mark.parametrize("where", ["before", "within", "after"])
def test_what_is_no_text_is_not_read(tmp_path, name, where):
    parts = {"before": "", "within": "", "after": "", where: BESIDE[name]}
    body = f"{parts['before']}<div id='main'>{H1}{p(A, B)}{parts['within']}{p(D, LINKED)}</div>{parts['after']}"
    assert texts(tmp_path, body) == [A, B, D, LINKED]


@pytest.mark.parametrize("name", ["social", "comment", "promo-article", "with-sidebar", "has-related", "form"])
def test_the_text_is_read_whatever_the_name_of_its_element(tmp_path, name):
    assert texts(tmp_path, f"<div class='{name}'>{H1}{p(A, B, C, D)}</div>") == [A, B, C, D]
    each = "".join(f"<div class='{name}'>{p(x)}</div>" for x in (A, B, C, D))
    assert texts(tmp_path, f"<div>{H1}{each}</div>") == [A, B, C, D]


@pytest.mark.parametrize(
    ("window", "stated", "headline", "title"),
    [
        ("Quarry | Hesk Post", "", "Quarry", "Quarry"),
        ("Hesk Post – Quarry closes", "", "Quarry closes", "Quarry closes"),
        ("Quarry closes | News | Hesk Post", "", "Quarry closes", "Quarry closes"),
        ("Hesk quarry | Post", "a pit on an island in the north", "Hesk quarry", "Hesk quarry"),
        ("Quarry | Hesk Post", "", "", "Quarry"),
    ],
)
def test_titles(tmp_path, window, stated, headline, title):
    node = json.dumps({"@type": "Article", "headline": stated}) if stated else ""
    script = f'<script type="application/ld+json">{node}</script>'
    site = '<meta property="og:site_name" content="Hesk Post">'
    body = f"<article>{f'<h1>{headline}</h1>' if headline else ''}{p(A, B)}</article>"
    content = f"<html><head><title>{window}</title>{site}{script}</head><body>{body}</body></html>"
    [raw] = read_bytes(tmp_path, content, "a.html")
    assert isinstance(raw, RawDocument) and raw.title == title
    assert [paragraph.text for paragraph in raw.paragraphs] == [A, B]


@pytest.mark.parametrize(
    "publisher", [{"name": ["Hesk Post", "Post Group"]}, [{"name": "Hesk Post"}], {"name": "Hesk Post"}]
)
def test_the_outlet_is_the_first_name_of_the_publisher(tmp_path, publisher):
    script = json.dumps({"@type": "NewsArticle", "headline": "Quarry closes", "publisher": publisher})
    content = f'<script type="application/ld+json">{script}</script><article>{H1}{p(A, B)}</article>'
    [raw] = read_bytes(tmp_path, content, "a.html")
    assert isinstance(raw, RawDocument) and raw.outlet == "Hesk Post"


def test_the_source_of_a_quotation_may_hold_control_characters(tmp_path):
    said = "The ministry regards the accusations as unfounded, and asks for the material on which they rest."
    quote = f"<blockquote><p>{said}</p><footer>Ann&#1; Lee</footer></blockquote>"
    [found] = read_bytes(
        tmp_path, f"<body><article><h1>A</h1><p>{said}</p>{quote}<p>{said}</p></article></body>", "a.html"
    )
    assert isinstance(found, RawDocument) and "Lee" in " ".join(p.text for p in found.paragraphs)


def test_a_page_may_leave_out_its_body_element(tmp_path):
    content = f'<meta name="date" content="2018-05-15"><title>Quarry closes</title><article>{p(A, B)}</article>'
    [raw] = read_bytes(tmp_path, content, "a.html")
    assert isinstance(raw, RawDocument) and [paragraph.text for paragraph in raw.paragraphs] == [A, B]


def test_comments_of_reviewers_below_a_shared_document_are_no_text(tmp_path):
    body = (
        f"<p><span>{A}</span><sup><a href='#cmnt1' id='cmnt_ref1'>[a]</a></sup></p>"
        f"<p><a href='#cmnt2' id='cmnt_ref2'>[b]</a><span>{B}</span></p>{p(C, D)}<hr>"
        "<div><p><a href='#cmnt_ref1' id='cmnt1'>[a]</a><span>Is this the right month, Jo?</span></p></div>"
        "<div><p><a href='#cmnt_ref2' id='cmnt2'>[b]</a><span>Say which farmers they are.</span></p></div>"
    )
    assert texts(tmp_path, body) == [A, B, C, D]
