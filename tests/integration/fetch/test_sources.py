"""What each kind of source lists."""

from __future__ import annotations

import gzip
from contextlib import suppress
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from narratives.fetch.records import DateRange, FetchError, ListedPage
from narratives.fetch.sources import detect_source_kind, read_feed, read_sitemap
from narratives.model import UsageError
from narratives.parse import Roster, parse_document
from narratives.read import find_inputs, read_file
from tests.helpers.webserver import Answer, addresses, bodies, get, page, redirect, serve, why

XML = {"Content-Type": "application/xml"}
SITEMAP = "http://www.sitemaps.org/schemas/sitemap/0.9"
NEWS = "http://www.google.com/schemas/sitemap-news/0.9"


@pytest.fixture
def site():
    with serve() as site:
        site.routes |= {f"/{name}": page(name) for name in "abcd"}
        yield site


def urlset(*entries: str) -> bytes:
    inner = "".join(f"<url>{entry}</url>" for entry in entries)
    return f'<?xml version="1.0"?>\n<urlset xmlns="{SITEMAP}" xmlns:n="{NEWS}">{inner}</urlset>'.encode()


def index(*entries: str) -> bytes:
    inner = "".join(f"<sitemap>{entry}</sitemap>" for entry in entries)
    return f'<sitemapindex xmlns="{SITEMAP}">{inner}</sitemapindex>'.encode()


def loc(url: str, rest: str = "") -> str:
    return f"<loc>{url}</loc>{rest}"


# --- lists --------------------------------------------------------------------------------------------
def test_a_file_of_addresses(site, tmp_path):
    source = addresses(
        tmp_path, "\ufeff# pages", site.url("/a"), "", f"  {site.url('/a')}#part ", site.url("/b"), "no address"
    )
    report = get(site, tmp_path, source=source)
    assert report.counts == {"new": 2} and report.listed == 2
    assert report.failures[0].url == "no address"


def test_each_host_of_a_file_of_addresses_is_named_and_no_other(site, tmp_path):
    port = int(site.host.split(":")[1])
    site.routes["/c"] = redirect("http://third.example/")
    source = addresses(tmp_path, "http://one.example/a", "http://two.example/b", "http://one.example/c")
    asked = []

    def resolve(host, _):
        asked.append(host)
        return [("127.0.0.1", port)]

    report = get(site, tmp_path, source=source, resolve=resolve, allow_hosts=("one.example", "two.example"))
    assert report.counts == {"new": 2} and "--allow-host third.example" in why(report)
    assert set(asked) == {"one.example", "two.example"}


@pytest.mark.parametrize("source", ["nowhere.txt", "file:///etc/passwd", "ftp://example.org/a", "", "http://"])
def test_what_is_no_source_is_wrong_usage(site, tmp_path, source):
    with pytest.raises(UsageError):
        get(site, tmp_path, source=source or str(tmp_path / "no"))
    assert not (tmp_path / "in/.unfinished").exists() or not list((tmp_path / "in/.unfinished").iterdir())


def test_one_address_is_one_page_and_fetched_once(site, tmp_path):
    assert get(site, tmp_path, source=site.url("/a")).counts == {"new": 1}
    assert site.asked() == ["/a"] and len(bodies(tmp_path)) == 1


def test_a_source_that_is_not_there_is_told(site, tmp_path):
    with pytest.raises(FetchError, match="404"):
        get(site, tmp_path, source=site.url("/none.xml"))


def test_a_list_in_the_web(site, tmp_path):
    text = f"{site.url('/a')}\r\n{site.url('/b')}\r\nhttp://elsewhere.example/c\r\n"
    site.routes["/list.txt"] = Answer(text.encode(), headers={"Content-Type": "text/plain"})
    report = get(site, tmp_path, source=site.url("/list.txt"))
    assert report.counts == {"new": 2} and "--allow-host elsewhere.example" in why(report)


def test_dates_are_only_for_sources_that_know_them(site, tmp_path):
    for source in (addresses(tmp_path, site.url("/a")), site.url("/a")):
        with pytest.raises(UsageError, match="--from"):
            get(site, tmp_path, source=source, date_from="2016")


# --- sitemaps -----------------------------------------------------------------------------------------
def test_a_sitemap_its_dates_and_foreign_links(site, tmp_path):
    changed = "<lastmod>{}</lastmod>"
    news = "<n:news><n:publication_date>{}</n:publication_date></n:news>"
    site.routes["/sitemap.xml"] = Answer(
        urlset(
            loc(site.url("/a"), changed.format("2015-12-31T23:00:00Z")),
            loc(site.url("/b"), changed.format("2019-01-01")),
            loc(site.url("/c"), changed.format("2016-06-01") + news.format("2015-06-01T10:00:00+03:00")),
            loc(site.url("/d"), changed.format("2019-06-01") + news.format("2016-06-01")),
            loc("http://elsewhere.example/e"),
            "<lastmod>2016-01-01</lastmod>",
        ),
        headers=XML,
    )
    report = get(site, tmp_path, source=site.url("/sitemap.xml"), date_from="2016", date_to="2016")
    # What changed after the dates may have been published within them.
    assert sorted(site.asked()) == ["/b", "/d", "/sitemap.xml"]
    assert report.outside == 2 and report.counts == {"new": 2} and len(report.failures) == 2


def test_an_index_of_packed_sitemaps(site, tmp_path):
    packed = gzip.compress(urlset(loc(site.url("/a")), loc(site.url("/b"))))
    site.routes |= {
        "/index.xml": Answer(
            index(*(loc(site.url(path)) for path in ("/1.xml.gz", "/2.xml", "/none.xml", "/index.xml", "/1.xml.gz"))),
            headers=XML,
        ),
        "/1.xml.gz": Answer(packed, headers={"Content-Type": "application/x-gzip"}),
        "/2.xml": Answer(urlset(loc(site.url("/b")), loc(site.url("/c"))), headers=XML),
    }
    report = get(site, tmp_path, source=site.url("/index.xml"))
    assert report.counts == {"new": 3} and "404" in why(report)
    assert len(site.asked("/index.xml")) == 1 and len(site.asked("/1.xml.gz")) == 1


def test_indexes_of_indexes_end(site, tmp_path):
    site.routes |= {f"/{n}.xml": Answer(index(loc(site.url(f"/{n + 1}.xml"))), headers=XML) for n in range(9)}
    assert "levels deep" in why(get(site, tmp_path, source=site.url("/0.xml")))
    assert len(site.asked()) == 4


def test_an_image_in_a_sitemap_is_not_its_page():
    image = "<i:image xmlns:i='http://www.google.com/schemas/sitemap-image/1.1'><i:loc>http://h/i.png</i:loc></i:image>"
    assert read_sitemap(urlset(loc("http://h/a?b=1&amp;c=2", image)))[0] == [ListedPage("http://h/a?b=1&c=2")]


def test_entities_of_a_sitemap_are_neither_loaded_nor_expanded(tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("secret")
    bomb = "".join(f'<!ENTITY e{n + 1} "{f"&e{n};" * 10}">' for n in range(12))
    for inner in (f'<!ENTITY e SYSTEM "{secret.as_uri()}">', f'<!ENTITY e0 "ha">{bomb}<!ENTITY e "&e12;">'):
        body = f"<!DOCTYPE u [{inner}]><urlset><url><loc>http://h/&e;</loc></url></urlset>".encode()
        try:
            ((entry,), _) = read_sitemap(body)
        except FetchError:
            continue
        assert "secret" not in entry.url and len(entry.url) < 100


def test_a_gzip_bomb_of_a_sitemap(site, tmp_path):
    site.routes["/s.xml.gz"] = Answer(gzip.compress(bytes(60_000_000)), headers={"Content-Type": "application/gzip"})
    with pytest.raises(FetchError, match="once unpacked"):
        get(site, tmp_path, source=site.url("/s.xml.gz"))


# --- feeds --------------------------------------------------------------------------------------------
RSS = """<?xml version="1.0"?><!-- a feed --><rss version="2.0"><channel><title>t</title><link>{0}/</link>
<item><title>A &amp; b</title><link>{0}/a</link><pubDate>Thu, 10 Nov 2016 23:30:00 +0300</pubDate></item>
<item><link>{0}/b</link><pubDate>Fri, 10 Nov 2017 10:00:00 GMT</pubDate></item>
<item><link>/c</link></item><item><title>no link</title></item>
<item><link>http://elsewhere.example/d</link></item></channel></rss>"""
ATOM = """<feed xmlns="http://www.w3.org/2005/Atom"><entry><link rel="alternate" href="{0}/a"/>
<published>2016-11-10T10:00:00Z</published><updated>2019-01-01T00:00:00Z</updated></entry>
<entry><link href="{0}/b"/><updated>2015-01-01T00:00:00Z</updated></entry></feed>"""


def test_an_rss_feed(site, tmp_path):
    body = RSS.format(f"http://{site.host}").encode()
    site.routes["/feed"] = Answer(body, headers={"Content-Type": "application/rss+xml"})
    report = get(site, tmp_path, source=site.url("/feed"), date_from="2016-11-10", date_to="2016-11-10")
    assert site.asked() == ["/feed", "/a", "/c"] and report.outside == 1
    assert "elsewhere.example" in why(report)


def test_an_atom_feed():
    assert read_feed(ATOM.format("http://h").encode()) == [
        ListedPage("http://h/a", "2016-11-10", "2019-01-01"),
        ListedPage("http://h/b", "", "2015-01-01"),
    ]


def test_title_outlet_and_the_day_as_written():
    body = f"""<rss version="2.0"><channel><title>Ministry &lt;i&gt;of the Coast&lt;/i&gt;</title>
    <item><title>Strait &amp;amp; pier</title><link>http://h/a</link>
    <pubDate>Tue, 15 May 2018 23:30:00 -0500</pubDate></item>
    <item><title>{"long " * 200}</title><link>http://h/b</link><source url="http://k/">Lysmark Post</source>
    <pubDate>15 May 2018</pubDate></item></channel></rss>"""
    first, second = read_feed(body.encode())
    assert first == ListedPage("http://h/a", "2018-05-15", title="Strait & pier", outlet="Ministry of the Coast")
    assert (second.published, second.outlet, len(second.title)) == ("2018-05-15", "Lysmark Post", 500)


def test_title_outlet_and_day_of_a_news_sitemap():
    news = (
        "<n:news><n:publication><n:name>Lysmark Post</n:name></n:publication>"
        "<n:publication_date>2018-05-15T23:30:00-05:00</n:publication_date><n:title>Strait</n:title></n:news>"
    )
    expected = ListedPage("http://h/a", "2018-05-15", title="Strait", outlet="Lysmark Post")
    assert read_sitemap(urlset(loc("http://h/a", news)))[0] == [expected]


def test_what_a_feed_says_of_a_page_reaches_the_document(site, tmp_path):
    prose = "The strait stays open to all ships that report to the harbour master, the minister said."
    foot = "<footer>&copy; 2024 Ministry</footer>"
    site.routes |= {
        "/a": Answer(f"<html><body><p>{prose}</p>{foot}</body></html>".encode()),
        "/b": Answer(f"<title>Own</title><meta name='date' content='2018-01-02'><p>{prose}</p>".encode()),
        "/feed": Answer(
            f"""<rss version="2.0"><channel><title>Ministry of the Coast</title>
            <item><title>Strait open</title><link>http://{site.host}/a</link>
            <pubDate>Tue, 15 May 2018 09:30:00 +0000</pubDate></item>
            <item><title>Listed</title><link>http://{site.host}/b</link>
            <pubDate>Wed, 16 May 2018 09:30:00 +0000</pubDate></item></channel></rss>""".encode(),
            headers={"Content-Type": "application/rss+xml"},
        ),
    }
    get(site, tmp_path, source=site.url("/feed"))
    documents = {}
    for file in find_inputs([str(tmp_path / "in")])[0]:
        [raw] = read_file(file, {})
        documents[raw.url[-1]] = parse_document(raw, Roster(()))
    one, other = documents["a"], documents["b"]
    assert (one.date, one.date_source, one.outlet) == ("2018-05-15", "feed or sitemap", "Ministry of the Coast")
    assert one.title == "Strait open"
    assert (other.date, other.title, other.outlet) == ("2018-01-02", "Own", "Ministry of the Coast")


def test_a_feed_is_read_as_bytes_not_as_the_name_of_a_file(tmp_path):
    path = tmp_path / "feed.xml"
    path.write_text(RSS.format("http://h"))
    assert read_feed(str(path).encode()) == []


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (urlset(), "sitemap"),
        (index(), "sitemap"),
        (b"\xef\xbb\xbf <?xml version='1.0'?><!DOCTYPE x [<!ENTITY a 'b'>]><!-- --><s:urlset xmlns:s='a'>", "sitemap"),
        (RSS.encode(), "feed"),
        (ATOM.encode(), "feed"),
        (b"<rdf:RDF xmlns:rdf='a'>", "feed"),
        (b"<!DOCTYPE html><html><rss><urlset>", "page"),
        (b"", "page"),
        (b"%PDF-1.4", "page"),
    ],
)
def test_a_body_is_known_by_its_root(body, kind):
    assert detect_source_kind(body, "text/html") == kind


@given(st.binary())
def test_any_bytes_are_of_some_kind(body):
    detect_source_kind(body, "text/html"), detect_source_kind(body, "text/plain"), read_feed(body)
    with suppress(FetchError):
        read_sitemap(body)


# --- dates --------------------------------------------------------------------------------------------
def test_partial_dates_are_filled_to_their_ends():
    assert DateRange.parse("2016", "2016") == DateRange(date(2016, 1, 1), date(2016, 12, 31))
    assert DateRange.parse("2016-02", "2016-02") == DateRange(date(2016, 2, 1), date(2016, 2, 29))
    assert DateRange.parse("", "").is_open


@pytest.mark.parametrize(("start", "end"), [("2016-13", ""), ("16", ""), ("", "2016-02-30"), ("2017", "2016")])
def test_dates_that_cannot_be(start, end):
    with pytest.raises(UsageError):
        DateRange.parse(start, end)
