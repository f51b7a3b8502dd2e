"""What becomes of bodies: too large, packed, cut half-way, of the wrong charset or type."""

from __future__ import annotations

import gzip
import io
import tracemalloc

import pytest

from tests.helpers.webserver import HTML, Answer, addresses, bodies, get, page, serve, why, zipped


@pytest.fixture
def site():
    with serve() as site:
        yield site


def test_a_body_of_50_mb_is_not_read(site, tmp_path):
    sent = []

    def pour(handler):
        handler.send_response(200)
        handler.send_header("Content-Type", "text/html")
        if handler.path == "/said":
            handler.send_header("Content-Length", str(50_000_000))
        handler.close_connection = True
        handler.end_headers()
        for _ in range(800):
            handler.wfile.write(b"a" * 62_500)
            sent.append(62_500)

    site.routes |= {"/said": pour, "/unsaid": pour}
    report = get(site, tmp_path, "/said")
    assert "10,000,000 bytes" in why(report) and "50,000,000" in why(report)
    said = sum(sent)
    report = get(site, tmp_path, "/unsaid")
    assert "more than 10,000,000" in why(report) and bodies(tmp_path) == []
    assert said < 10_000_000 and sum(sent) - said < 25_000_000
    assert len(site.asked()) == 2


def test_a_gzip_bomb_does_not_go_off(site, tmp_path):
    sink = io.BytesIO()
    with gzip.GzipFile(fileobj=sink, mode="wb") as bomb:
        for _ in range(300):
            bomb.write(bytes(1_000_000))
    site.routes["/bomb"] = Answer(sink.getvalue(), headers=HTML | {"Content-Encoding": "gzip"})
    tracemalloc.start()
    report = get(site, tmp_path, "/bomb")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert "once unpacked" in why(report) and peak < 40_000_000


def test_packed_bodies_are_unpacked(site, tmp_path):
    text = b"<html>" + b"word " * 50_000
    two = gzip.compress(b"<html>one ") + gzip.compress(b"two") + b"\0\0"
    site.routes |= {
        "/a": zipped(text),
        "/b": Answer(two, headers=HTML | {"Content-Encoding": "x-gzip"}),
        "/c": Answer(text, headers=HTML | {"Content-Encoding": "identity"}),
    }
    assert get(site, tmp_path, "/a", "/b", "/c").counts == {"new": 3}
    assert sorted(bodies(tmp_path)) == sorted([text, b"<html>one two", text])


def test_a_packed_body_cut_short_or_broken_is_no_page(site, tmp_path):
    whole = gzip.compress(bytes(range(256)) * 400)
    headers = HTML | {"Content-Encoding": "gzip"}
    site.routes |= {
        "/cut": Answer(whole[: len(whole) // 2], headers=headers, length=""),
        "/broken": Answer(b"\x1f\x8b" + b"no gzip at all", headers=headers),
        "/br": Answer(b"brotli?", headers=HTML | {"Content-Encoding": "br"}),
    }
    report = get(site, tmp_path, "/cut", "/broken", "/br")
    reasons = [failure.reason for failure in report.failures]
    assert "cut short" in reasons[0] and "corrupt" in reasons[1] and "one in br" in reasons[2]
    assert bodies(tmp_path) == []


def test_a_wrong_charset_header_harms_nothing(site, tmp_path):
    text = "<html><meta charset=utf-8><p>Москва слезам не верит</p>".encode()
    site.routes["/a"] = Answer(text, headers={"Content-Type": "text/html; charset=latin-9999"})
    assert get(site, tmp_path, "/a").counts == {"new": 1}
    assert bodies(tmp_path) == [text]


def test_a_connection_cut_half_way_is_tried_again_then_told(site, tmp_path):
    half = Answer(page("x" * 5000).body[:2000], length="5000")
    site.routes |= {"/once": [half, page("whole")], "/always": half}
    report = get(site, tmp_path, "/once", "/always")
    assert report.counts == {"new": 1} and "lost connection, 4 times" in why(report)
    assert bodies(tmp_path) == [page("whole").body]


def test_a_chunked_body_cut_half_way_is_no_page(site, tmp_path):
    def cut(handler):
        handler.send_response(200)
        handler.send_header("Content-Type", "text/html")
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        handler.wfile.write(b"5\r\n<html\r\n9999\r\nhal")
        handler.close_connection = True

    site.routes["/a"] = cut
    report = get(site, tmp_path, "/a")
    assert "4 times" in why(report) and bodies(tmp_path) == []


@pytest.mark.parametrize("rubbish", [b"", b"rubbish\r\n\r\n", b"HTTP/1.1 abc\r\n\r\n"])
def test_an_answer_that_is_no_http_is_told(site, tmp_path, rubbish):
    def answer(handler):
        handler.wfile.write(rubbish)
        handler.close_connection = True

    site.routes["/a"] = answer
    assert "4 times" in why(get(site, tmp_path, "/a"))


def test_nobody_listening_and_no_tls_are_told(site, tmp_path):
    closed = "http://127.0.0.1:1/a"
    report = get(site, tmp_path, source=addresses(tmp_path, closed), allow_hosts=("127.0.0.1",))
    assert "failed connection" in why(report)
    plain = f"https://{site.host}/a"
    report = get(site, tmp_path, source=addresses(tmp_path, plain), allow_hosts=("127.0.0.1",))
    assert "SSL" in why(report) and site.requests == []


@pytest.mark.parametrize(
    ("media", "body", "extension"),
    [
        ("text/html; charset=x", b"<p>a", ".html"),
        ("application/xhtml+xml", b"<p>a", ".html"),
        ("application/pdf", b"%PDF-1.4", ".pdf"),
        ("text/xml", b"<a/>", ".xml"),
        ("text/plain", b"a", ".txt"),
        ("application/octet-stream", b"%PDF-1.4", ".pdf"),
        ("", b"  <!DOCTYPE HTML><p>a", ".html"),
    ],
)
def test_documents_are_kept_by_their_type(site, tmp_path, media, body, extension):
    site.routes["/a"] = Answer(body, headers={"Content-Type": media} if media else {})
    assert get(site, tmp_path, "/a").counts == {"new": 1}
    (path,) = (tmp_path / "in").glob(f"*/a-*{extension}")
    assert path.read_bytes() == body


@pytest.mark.parametrize(("media", "body"), [("image/png", b"a"), ("video/mp4", b"a"), ("", b"\0\1\2")])
def test_what_is_no_document_is_refused(site, tmp_path, media, body):
    site.routes["/a"] = Answer(body, headers={"Content-Type": media})
    assert why(get(site, tmp_path, "/a")) and bodies(tmp_path) == []


def test_an_empty_page_is_none(site, tmp_path):
    site.routes["/a"] = Answer(b" \n")
    assert "an empty page" in why(get(site, tmp_path, "/a"))
