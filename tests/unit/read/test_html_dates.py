"""The date of a page: what its markup and the lines at its heading state, and nothing else on it."""

from __future__ import annotations

import json

import pytest

from narratives.model import RawDocument
from narratives.parse import Roster, parse_document
from tests.helpers.reading import read

TITLE = "Council agrees on the breakwater"
TEXT = "".join(
    f"<p>The {who} wants to know who will pay for the repair of the old slipway, because no money has been set aside "
    "for it, and the clerk of the town says that the harbour master did the same.</p>"
    for who in ("ferry company", "school board", "fish market", "audit office")
)
FOOT = "<footer><p>Copyright 2024 Lysmark Post. All rights reserved.</p></footer>"


def date(tmp_path, above="", *, head="", before="", below="", outside="", title=TITLE, foot=FOOT):
    """Date and source of a page with these parts around heading and text."""
    article = f"<article>{before}<h1>{title}</h1>{above}{TEXT}{below}</article>"
    nav = "<nav><a href='/'>Home</a></nav>"
    markup = f"<html><head><title>{title} | Lysmark Post</title>{head}</head><body>{nav}{article}{outside}{foot}</body>"
    [page] = read(tmp_path, markup, "a.html")
    assert isinstance(page, RawDocument)
    document = parse_document(page, Roster(()))
    return document.date, document.date_source


def json_ld(*nodes):
    return f'<script type="application/ld+json">{json.dumps(nodes if len(nodes) > 1 else nodes[0])}</script>'


@pytest.mark.parametrize(
    "above",
    [
        "<p class='byline'>By Jorun Vale, 15 May 2018</p>",
        "<p>15 May 2018</p>",
        "<div class='meta'>Updated: May 17, 2018, 08.30 AM<br>Published: May 15, 2018 16:09</div>",
        "<p>Accepted: 16 December 2017</p><p>Published: 15 May 2018</p>",
        "<div><span>Lysmark</span><span> | </span><span>15/05/2018 01:57</span></div>",
        "<p class='posted'>Posted on 15 May 2018</p>",
        "<h3>Tuesday, 15 May 2018</h3>",
        "<p>15 May 2018 - 14:32</p><p>900-15-05-2018</p>",
        "<p class='lead'>The council of the town has agreed to mend the breakwater.</p><p>15.05.2018, 14:30 Uhr</p>",
        "<time datetime='Tue May 15 2018 15:21:41 GMT+0000'>15 May 2018</time>",
        "<time datetime='2018-05-15T15:21:41Z'>2 years ago</time>",
        "<time itemprop='dateModified' datetime='2018-05-16T19:20'>15/05/2018 01:57 | Updated 16/05/2018 19:20</time>",
        "<time itemprop='datePublished' datetime='2018-05-15'>Tuesday</time>",
        "<time data-timestamp='1526377252000'>2 years ago</time>",
        "<abbr class='published' title='2018-05-15T10:00:00'>three years ago</abbr>",
    ],
)
def test_a_line_at_the_heading_dates_the_page(tmp_path, above):
    assert date(tmp_path, above)[0] == "2018-05-15"


def test_a_line_above_the_heading_or_in_the_foot_of_the_article_dates_the_page(tmp_path):
    assert date(tmp_path, before="<p>15 May 2018</p>")[0] == "2018-05-15"
    below = "<footer class='entry-meta'>Posted on <span class='entry-date'>15 May 2018</span></footer>"
    assert date(tmp_path, below=below)[0] == "2018-05-15"
    assert date(tmp_path, below="<p>Tue, 15 May 2018 14:24:05 +0000</p>") == ("2018-05-15", "closing line")


@pytest.mark.parametrize(
    "parts",
    [
        {},
        {"foot": "<footer><p>&copy; 2024</p></footer>"},
        {"foot": "<div class='copyright'>© 2018 - 15 May 2024</div>"},
        {"outside": "<table id='wp-calendar'><caption>15 May 2018</caption></table>"},
        {"outside": "<div class='widget'><p class='date'>15 May 2018</p></div>"},
        {"outside": "<aside><ul><li>Bridge opened <span class='date'>3 March 2021</span></li></ul></aside>"},
        {"outside": "<div class='related-posts'><time datetime='2022-08-01'>1 August 2022</time></div>"},
        {"outside": "<section class='comments'><time datetime='2022-08-01'>1 August 2022</time></section>"},
        {"outside": "<article><h2>Other page</h2><time datetime='2022-08-01'>1 August 2022</time></article>"},
        {"outside": "<p>Page last modified: 12 March 2024</p>"},
        {"above": "<p>Next meeting: 12 June 2019</p>"},
        {"above": "<div class='upcoming-events'><time datetime='2018-06-12'>12 June 2018</time></div>"},
        {"below": "<p>The town was founded in 1648, and the breakwater dates from 15 May 1911.</p>"},
        {"below": f"<p>On <time datetime='2016-03-01'>1 March 2016</time> the council {TEXT[3:]}"},
        {"below": "<p>The council meets again on 12 June 2018.</p>"},
        {"before": "<p class='version'>Version 2018-05-15</p>"},
        {"head": "<meta name='generator' content='Press 2018-05-15'>"},
        {"head": "<link rel='canonical' href='https://a.example/blog/api-2018-05-notes'>"},
    ],
)
def test_nothing_else_dates_a_page(tmp_path, parts):
    assert date(tmp_path, **parts)[0] == ""


def test_the_clock_at_the_top_of_a_site_is_no_date(tmp_path):
    clock = "<header><div>Wednesday, 28 November 2018</div></header>"
    [page] = read(tmp_path, f"<html><body>{clock}<main><h1>{TITLE}</h1>{TEXT}</main></body></html>", "a.html")
    assert parse_document(page, Roster(())).date == ""


@pytest.mark.parametrize(
    "parts",
    [
        {"head": "<meta property='article:modified_time' content='2023-07-01T08:00:00Z'>"},
        {"above": "<time itemprop='dateModified' datetime='2023-07-01'>last year</time>"},
        {"above": "<p>Last updated: 1 July 2023</p>"},
    ],
)
def test_the_day_of_the_last_change_is_no_date_and_is_said(tmp_path, parts):
    day, why = date(tmp_path, **parts)
    assert day == "" and "only gives the last change" in why and "2023" in why


def test_two_lines_with_different_days_decide_nothing(tmp_path):
    marked = "<span class='date'>3 March 2021</span><span class='date'>15 May 2018</span>"
    assert date(tmp_path, below=marked)[0] == ""


@pytest.mark.parametrize(
    "kind",
    [
        "NewsArticle",
        "ReportageNewsArticle",
        "BackgroundNewsArticle",
        "LiveBlogPosting",
        "SocialMediaPosting",
        "https://schema.org/OpinionNewsArticle",
        ["NewsArticle", "AnalysisNewsArticle"],
        "WebPage",
    ],
)
def test_every_kind_of_article_in_json_ld(tmp_path, kind):
    node = {"@type": kind, "headline": TITLE, "datePublished": "2018-05-15T08:00:00Z", "dateModified": "2021-01-02"}
    assert date(tmp_path, head=json_ld(node)) == ("2018-05-15", "page metadata")


def test_of_several_articles_in_json_ld_that_of_the_page_counts(tmp_path):
    own = {"@type": "NewsArticle", "headline": TITLE, "datePublished": "2018-05-15", "dateCreated": "2018-05-14"}
    other = {"@type": "NewsArticle", "headline": "Bridge opened", "datePublished": "2021-03-03"}
    assert date(tmp_path, head=json_ld(other, own))[0] == "2018-05-15"
    assert date(tmp_path, head=json_ld(other, {**own, "headline": "Pier closed"}))[0] == ""
    assert date(tmp_path, head=json_ld({**other, "@type": "JobPosting"}))[0] == ""


def test_json_ld_with_an_error_in_it_still_states_its_one_date(tmp_path):
    broken = '<script type="application/ld+json">{"@type": "NewsArticle", "datePublished": "2018-05-15", }</script>'
    assert date(tmp_path, head=broken)[0] == "2018-05-15"


def test_metadata_come_before_lines_and_address(tmp_path):
    head = (
        "<meta property='article:published_time' content='2018-05-11T06:00:00Z'>"
        "<link rel='canonical' href='https://a.example/2018/05/18/navy-912343.html'>"
    )
    assert date(tmp_path, "<p>12 May 2018</p>", head=head) == ("2018-05-11", "page metadata")
    assert date(tmp_path, head=head.replace("published", "modified"))[0] == "2018-05-18"


def test_the_dateline_of_a_statement_comes_before_the_day_of_posting(tmp_path):
    head = "<meta property='article:published_time' content='2018-05-16T08:00:00Z'>"
    dateline = f"<p>LYSMARK, May 15 (Post) - The harbour will be closed. {TEXT[3:]}"
    assert date(tmp_path, dateline, head=head) == ("2018-05-15", "dateline, year of page metadata")
    whole = dateline.replace("May 15 (Post) -", "15 May 2018.")
    assert date(tmp_path, whole) == ("2018-05-15", "dateline")
