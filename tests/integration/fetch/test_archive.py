"""Pages are kept whole or not at all; a fetch goes on where it was, and then asks only what has changed."""

from __future__ import annotations

import csv
import json
import os
import random
import signal
import subprocess
import sys
import time

import pytest

from narratives.fetch.archive import Archive
from narratives.fetch.records import FetchedPage, ListedPage
from narratives.model import ReadError
from narratives.read import find_inputs
from tests.conftest import ROOT
from tests.helpers.webserver import HTML, Answer, addresses, bodies, get, page, serve

NAMES = [f"/{name}" for name in "abcdef"]


@pytest.fixture
def site():
    with serve() as site:
        site.routes |= {name: page(name) for name in NAMES}
        yield site


class Stop(Exception):
    """In place of a kill: nothing may be done after it."""


def stop_at(stage, count):
    def progress(name, done, total):
        if (name, done) == (stage, count):
            raise Stop

    return progress


def rows(tmp_path, host):
    with (tmp_path / "in" / host.replace(":", "_") / "manifest.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_build_finds_each_page_with_its_address(site, tmp_path):
    site.routes["/text"] = Answer(b"A text.", headers={"Content-Type": "text/plain"})
    get(site, tmp_path, "/text", "/a")
    for typed in (tmp_path / "in", tmp_path / "in" / site.host.replace(":", "_")):
        files, rejected = find_inputs([str(typed)])
        urls = {file.path.suffix: file.manifest for file in files}
        assert urls[".txt"] == {"url": site.url("/text")}
        # Nothing but pages may be taken for one, whether or not this format is read.
        assert {file.source_path.rpartition(".")[2] for file in (*files, *rejected)} == {"txt", "html"}


def test_the_same_page_again_is_asked_for_only_if_it_changed(site, tmp_path):
    site.routes["/a"] = [page("a", ETag='"1"', Last_Modified="Thu, 10 Nov 2016 10:00:00 GMT"), Answer(status=304)]
    assert get(site, tmp_path, "/a").counts == {"new": 1}
    before = Archive(tmp_path / "in").find(site.url("/a"))
    assert get(site, tmp_path, "/a").counts == {"unchanged": 1}
    sent = site.requests[-1][1]
    assert sent["If-None-Match"] == '"1"' and sent["If-Modified-Since"] == "Thu, 10 Nov 2016 10:00:00 GMT"
    after = Archive(tmp_path / "in").find(site.url("/a"))
    assert after.checked_at > before.checked_at and after.fetched_at == before.fetched_at
    assert len(rows(tmp_path, site.host)) == 1


def test_a_page_without_validators_is_compared(site, tmp_path):
    site.routes["/a"] = [page("old"), page("old"), page("new")]
    counts = [get(site, tmp_path, "/a").counts for _ in range(3)]
    assert counts == [{"new": 1}, {"unchanged": 1}, {"changed": 1}]
    assert "If-None-Match" not in site.requests[-1][1] and bodies(tmp_path) == [page("new").body]


def test_a_page_that_becomes_another_type_replaces_the_old_file(site, tmp_path):
    site.routes["/a"] = [page("a"), Answer(b"%PDF-1.4", headers={"Content-Type": "application/pdf"})]
    get(site, tmp_path, "/a"), get(site, tmp_path, "/a")
    assert bodies(tmp_path) == [b"%PDF-1.4"]
    get(site, tmp_path, "/a", "/b")
    assert sorted(row["path"].rpartition(".")[2] for row in rows(tmp_path, site.host)) == ["html", "pdf"]


def test_a_page_that_is_gone_stays_in_the_archive(site, tmp_path):
    site.routes["/a"] = [page("a"), Answer(status=410)]
    get(site, tmp_path, "/a")
    assert "410" in get(site, tmp_path, "/a").failures[0].reason and bodies(tmp_path) == [page("a").body]


def test_a_damaged_page_is_fetched_anew(site, tmp_path):
    site.routes["/a"] = page("a", ETag='"1"')
    get(site, tmp_path, "/a")
    (path,) = (tmp_path / "in").glob("*/a-*.html")
    path.write_bytes(b"half")
    assert get(site, tmp_path, "/a").counts == {"new": 1}
    assert "If-None-Match" not in site.requests[-1][1] and path.read_bytes() == page("a").body


def test_a_stopped_fetch_goes_on_where_it_was(site, tmp_path):
    with pytest.raises(Stop):
        get(site, tmp_path, *NAMES, progress=stop_at("fetching", 4))
    assert site.asked() == NAMES[:4]
    report = get(site, tmp_path, *NAMES)
    assert site.asked() == NAMES and report.counts == {"already": 4, "new": 2} and report.archived == 6
    assert get(site, tmp_path, *NAMES).counts == {"unchanged": 6}


def test_what_was_listed_is_not_listed_again_within_a_day(site, tmp_path):
    links = "".join(f"<url><loc>{site.url(name)}</loc></url>" for name in NAMES)
    site.routes["/s.xml"] = Answer(f"<urlset>{links}</urlset>".encode(), headers={"Content-Type": "text/xml"})
    for _ in range(2):
        with pytest.raises(Stop):
            get(site, tmp_path, source=site.url("/s.xml"), progress=stop_at("fetching", 2))
    assert len(site.asked("/s.xml")) == 1
    site.clock.slept.append(90_000)
    assert get(site, tmp_path, source=site.url("/s.xml")).counts == {"already": 2, "new": 4}
    assert len(site.asked("/s.xml")) == 2


def test_a_file_of_addresses_may_be_edited_between(site, tmp_path):
    with pytest.raises(Stop):
        get(site, tmp_path, "/a", "/b", progress=stop_at("fetching", 1))
    assert get(site, tmp_path, "/a", "/c").counts == {"already": 1, "new": 1}


@pytest.mark.parametrize("broken", ["manifest.csv", "page", "record"])
def test_a_kill_between_two_writes_is_mended(site, tmp_path, monkeypatch, broken):
    """A page is three writes: the manifest's row, the page, the record that vouches for them."""
    order = ["manifest.csv", "page", "record"]
    get(site, tmp_path, "/a")
    folder = next((tmp_path / "in").glob("127*"))
    for name in order[order.index(broken) :]:
        if name == "manifest.csv":
            text = (folder / name).read_text()
            (folder / name).write_text(text[: len(text) // 2])
        else:
            (path,) = folder.glob("a-*.html") if name == "page" else folder.glob(".headers/*.json")
            path.unlink()
            (path.parent / f".tmp-{path.name}").write_bytes(b"half")
    get(site, tmp_path, "/a")
    assert [row["url"] for row in rows(tmp_path, site.host)] == [site.url("/a")]
    assert bodies(tmp_path) == [page("/a").body]
    assert not list((tmp_path / "in").rglob(".tmp-*"))


def test_what_people_add_to_the_manifest_stays(site, tmp_path):
    get(site, tmp_path, "/a")
    path = next((tmp_path / "in").glob("127*/manifest.csv"))
    name = rows(tmp_path, site.host)[0]["path"]
    path.write_text(f'outlet,path,url,title\nTASS,{name},{site.url("/a")},"One, two"\n,gone.html,http://h/,\n')
    get(site, tmp_path, "/a", "/b")
    first, second = rows(tmp_path, site.host)
    assert (first["outlet"], first["title"], second["url"]) == ("TASS", "One, two", site.url("/b"))


def test_a_later_feed_fills_the_empty_cells_of_an_older_manifest(site, tmp_path):
    get(site, tmp_path, "/a")
    path = next((tmp_path / "in").glob("127*/manifest.csv"))
    name = rows(tmp_path, site.host)[0]["path"]
    path.write_text(f"path,url\n{name},{site.url('/a')}\n")  # of an earlier version
    for day in ("15", "16"):
        item = f"<title>A</title><link>{site.url('/a')}</link><pubDate>{day} May 2018</pubDate>"
        body = f"<rss version='2.0'><channel><title>Post</title><item>{item}</item></channel></rss>".encode()
        site.routes["/f"] = Answer(body, headers={"Content-Type": "application/rss+xml"})
        get(site, tmp_path, source=site.url("/f"))
        [row] = rows(tmp_path, site.host)
        assert (row["listed_date"], row["listed_outlet"], row["listed_title"]) == ("2018-05-15", "Post", "A")


def test_a_manifest_of_another_kind_is_left_alone(site, tmp_path):
    folder = tmp_path / "in" / site.host.replace(":", "_")
    folder.mkdir(parents=True)
    (folder / "manifest.csv").write_text("name,size\na,1\n")
    with pytest.raises(ReadError, match="the columns path, url"):
        get(site, tmp_path, "/a")
    assert (folder / "manifest.csv").read_text() == "name,size\na,1\n"


def test_names_of_files_are_plain_short_and_their_own(site, tmp_path):
    paths = ["/", "/x?q=1", "/x?q=2", "/..%2F..%2Fetc/passwd", "/README", f"/{'long/' * 80}", "/%D0%B0.html", "/A/a"]
    site.routes |= {path: page(path) for path in paths}
    report = get(site, tmp_path, *paths)
    assert report.failures == () and report.counts == {"new": len(paths)}
    names = [row["path"] for row in rows(tmp_path, site.host)]
    assert len({name.lower() for name in names}) == len(paths)
    assert all(len(name) < 70 and set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-.") for name in names)


def test_one_fetch_at_a_time_writes_to_a_folder(site, tmp_path):
    def meanwhile(stage, done, total):
        with pytest.raises(ReadError, match="no other fetch"):
            get(site, tmp_path, "/b")

    assert get(site, tmp_path, "/a", progress=meanwhile).counts == {"new": 1}


def test_a_folder_that_cannot_be_written_to_is_told(site, tmp_path):
    (tmp_path / "in").write_text("a file")
    with pytest.raises(ReadError, match="a folder to write to"):
        get(site, tmp_path, "/a")


def test_a_record_that_is_no_record_is_none(tmp_path):
    archive = Archive(tmp_path)
    page = FetchedPage("http://h/a", "http://h/a", 200, tuple(HTML.items()), b"<p>a")
    archive.keep(page, ListedPage("http://h/a"), None, "2016")
    (sidecar,) = tmp_path.glob("h/.headers/*.json")
    for rubbish in ("", "{}", "[]", "null", json.dumps({"path": "x"})):
        sidecar.write_text(rubbish)
        assert archive.find("http://h/a") is None


PROGRAM = """
import sys
from pathlib import Path
from narratives.fetch import FetchRequest, fetch_source
from narratives.fetch.records import CrawlPolicy
request = FetchRequest(sys.argv[1], Path(sys.argv[2]), allow_hosts=(sys.argv[3],))
print(sorted(fetch_source(request, policy=CrawlPolicy(between=0.0)).counts.items()))
"""


def test_a_process_killed_at_any_moment_leaves_no_half_page(site, tmp_path):
    names = [f"/page-{n}" for n in range(40)]
    site.routes |= {name: page(name * 3000) for name in names}
    source = addresses(tmp_path, *map(site.url, names))
    command = [sys.executable, "-c", PROGRAM, source, str(tmp_path / "in"), site.host]
    wait = random.Random(5)
    for _ in range(2):
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)
        asked = len(site.requests)
        while len(site.requests) < asked + 5 and process.poll() is None:
            time.sleep(0.005)
        time.sleep(wait.random() * 0.05)
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
        kept = {page(name * 3000).body for name in names}
        assert set(bodies(tmp_path)) <= kept
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert "already" in ended.stdout
    assert sorted(bodies(tmp_path)) == sorted(kept)
    assert sorted(row["url"] for row in rows(tmp_path, site.host)) == sorted(map(site.url, names))
    # Each page once, but for those that were under way at a kill.
    assert len(site.asked()) <= len(names) + 3
