"""Read feeds that were saved to disk (RSS, Atom, RDF) with feedparser: one document from each entry."""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from narratives.model import InputFile, RawDocument, ReadError, Rejected
from narratives.read.encoding import MAX_DOCUMENT_SIZE, open_bytes, read_within_limit
from narratives.read.html import canonicalise_url
from narratives.read.html.fragments import extract_line, read_fragment
from narratives.read.rows import make_document, make_rejected
from narratives.read.text.mail import format_date

FeedValues = Mapping[str, Any]
MAX_DIGITS = 7  # of the number of a character
FEED_TAGS = ("rss", "feed", "rdf:rdf")
# A browser that shows a feed as a tree saves the page with the feed inside.
_SHOWN_IN_BROWSER = re.compile(rb'id="webkit-xml-viewer-source-xml">')
_TAG = re.compile(r"<[a-zA-Z/][^<>]{0,500}>")
_ENTITY = re.compile(rb"""<!ENTITY(?:[^>"']|"[^"]*"|'[^']*')*>?""")
_SHORT_ENTITY = re.compile(rb'<!ENTITY\s+\w{1,40}\s+"(?:&#\w{1,8};|[^&"%]{0,40})"\s*>')
_REFERENCE = re.compile(rb"&#(?:[xX]0*([0-9a-fA-F]+)|0*([0-9]+))")
_FIRST_TAG = re.compile(rb"<([A-Za-z][\w:.-]{0,60})")


def find_first_tag(head: bytes) -> str:
    """Return the name of the first element of a file, in lower case, or "". `head` is its beginning."""
    plain = re.sub(rb"<!--.*?(?:-->|\Z)", b"", head.replace(b"\0", b""), flags=re.DOTALL)
    match = _FIRST_TAG.search(plain)
    return match[1].decode("ascii", "replace").lower() if match else ""


def is_feed(head: bytes) -> bool:
    """Return whether a file is a feed by its content, whatever its name. `head` is its beginning."""
    return find_first_tag(head) in FEED_TAGS or _SHOWN_IN_BROWSER.search(head) is not None


def read_feed(file: InputFile, columns: Mapping[str, str]) -> Iterator[RawDocument | Rejected]:
    """Read one document from each entry; `row` is its place in the feed, from 1.

    The text is the content of the entry, or else its summary. The outlet is the title of the feed, or the source
    that the entry names. `columns` may map a field to `author`. Raises ReadError if there are no entries.
    """
    import feedparser  # loaded only for the first such file

    with open_bytes(file.path) as raw:
        data = read_within_limit(raw, MAX_DOCUMENT_SIZE)
    if shown := _SHOWN_IN_BROWSER.search(data[:100_000]):
        data = data[shown.end() :].split(b'<div class="header"', 1)[0]
    data = _REFERENCE.sub(_replace_reference, _remove_entities(data))
    # A stream, because feedparser reads a plain string as an address or a file name.
    feed: Any = feedparser.parse(io.BytesIO(data), sanitize_html=False, resolve_relative_uris=False)
    if not feed.entries:
        reason = f" ({feed.bozo_exception})" if feed.get("bozo") else ""
        raise ReadError("a feed with entries", f"none{reason}", "Save the feed again, or fetch it with `fetch`.")
    for number, entry in enumerate(feed.entries, 1):
        try:
            yield _read_entry(entry, feed.feed, file, number, columns)
        except ReadError as error:
            yield make_rejected(file.source_path, number, error)


def _remove_entities(data: bytes) -> bytes:
    """Return the feed without its own entities, except for short ones: each use of an entity repeats its value.

    Raises ReadError if it declares any in an encoding of two or more bytes for each letter.
    """
    start = _FIRST_TAG.search(data)
    head = data[: start.start()] if start else data
    if b"\0" in head and b"<!ENTITY" in head.replace(b"\0", b""):
        raise ReadError("a feed that defines no entities", "one that does", "Save it again as UTF-8.")
    plain = _ENTITY.sub(lambda match: match[0] if _SHORT_ENTITY.fullmatch(match[0]) else b"", head)
    return plain + data[len(head) :]


def _replace_reference(match: re.Match[bytes]) -> bytes:
    """Return a reference to a character, or one to U+FFFD if there is no such character, for which feedparser fails."""
    digits, base = (match[1], 16) if match[1] else (match[2], 10)
    code = int(digits, base) if len(digits) <= MAX_DIGITS else sys.maxunicode + 1
    return match[0] if code <= sys.maxunicode and not 0xD800 <= code <= 0xDFFF else b"&#xFFFD"


def _read_entry(
    entry: FeedValues, feed: FeedValues, file: InputFile, number: int, columns: Mapping[str, str]
) -> RawDocument:
    contents = [_to_html(content) for content in entry.get("content", [])]
    summary = _to_html(entry["summary_detail"]) if "summary_detail" in entry else ""
    # Some feeds repeat the summary as the content, and some give several contents.
    content = max([*contents, summary], key=len)
    link = canonicalise_url(_get(entry, "link"))
    if not link.startswith(("http://", "https://")):
        link = ""
    source = _get(entry["source"], "title") if "source" in entry else ""
    # Checked with `in`, because feedparser returns the other date for a missing one.
    date = next((entry[key] for key in ("published", "updated") if key in entry), "")
    values = {
        "title": extract_line(_get(entry, "title")),
        "url": link,
        "id": "" if link else _get(entry, "id"),
        "outlet": extract_line(source or _get(feed, "title")),
        "date": format_date(date),
        "language": _get(entry, "language") or _get(feed, "language"),
        "author": _get(entry, "author"),
    }
    return make_document(values, file, number, columns, read_fragment(content))


def _get(values: FeedValues, name: str) -> str:
    """Return a value as text: feedparser has None for the link of an entry whose id ends in the wrong place."""
    return str(values.get(name) or "")


def _to_html(content: FeedValues) -> str:
    value = str(content.get("value", ""))
    if _TAG.search(value):
        return value
    # Text without tags may have empty lines.
    return "".join(f"<p>{part}</p>" for part in re.split(r"\n[ \t]*\n", value.replace("<", "&lt;")))
