"""Parse a page into a tree; the result of reading a page, and the interface of a site adapter."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from lxml import etree
from lxml.html import HtmlElement, HTMLParser, document_fromstring

from narratives.model import RawParagraph, ReadError
from narratives.read.encoding import decode_text, has_byte_order_mark


@dataclass(frozen=True, slots=True)
class HtmlPage:
    """One page: its paragraphs in order and its metadata; fields as in `RawDocument`."""

    paragraphs: tuple[RawParagraph, ...] = ()
    title: str = ""
    outlet: str = ""
    date: str = ""
    date_source: str = ""
    lead: str = ""
    url: str = ""


class SiteAdapter(Protocol):
    """A module under `sites/` that recognises and reads the pages of one site.

    Both functions receive the root of the parsed page and must not change it.
    """

    def can_read(self, tree: HtmlElement) -> bool:
        """Return whether the content of the page shows that it has the layout of this site."""

    def extract_page(self, tree: HtmlElement) -> HtmlPage:
        """Extract the paragraphs and metadata of the page."""


MAX_PAGE_BYTES = 5_000_000  # the longest transcripts have half a megabyte
# The parser stops at 256 levels and drops everything deeper; real pages have fewer than 60.
MAX_NESTING_DEPTH = 120
MAX_DAMAGED_SHARE = 0.005  # a page that declares UTF-8 is read as UTF-8 up to this share of undecodable bytes
# A page is not in Latin script if this share of its accented letters is in runs of four or more.
MIN_ACCENTED_SHARE = 0.5

_META_CHARSET = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([\w.:-]+)", re.IGNORECASE)
_XML_ENCODING = re.compile(rb"^\s*<\?xml[^>]{0,100}?encoding\s*=\s*[\"']([\w.:-]+)", re.IGNORECASE)
_XML_DECLARATION = re.compile(r"^\s*<\?xml[^>]*\?>")
_HEAD_BYTES = 4096
_LATIN_CHARSET = re.compile(r"iso-?8859-1|latin-?1|windows-1252|cp1252|us-ascii|ascii", re.IGNORECASE)
_ACCENTED_RUN = re.compile("[\xc0-\xff]+")
# Only tags that pages close: a list of a thousand unclosed <li> has no depth.
_NESTING_TAG = re.compile(
    r"<(/?)(?:div|span|section|article|main|center|blockquote|table|ul|ol|dl|font|b|i|u|em|strong|small|big"
    r"|sub|sup|a|form|fieldset|details|nav|aside|header|footer|figure)\b[^<>]*>",
    re.IGNORECASE,
)
_MIN_NUL_SHARE = 0.2


def parse_page(data: bytes) -> HtmlElement:
    """Parse a page into a tree without comments; raises ReadError if the bytes are no page.

    Levels beyond 120 are removed and their text is kept. Entities are not resolved and nothing is fetched.
    """
    if len(data) > MAX_PAGE_BYTES:
        hint = "Shorten the page, or save its text as .txt."
        raise ReadError(f"a page of up to {MAX_PAGE_BYTES // 1_000_000} MB", "a larger one", hint)
    text = _drop_deep_tags(_XML_DECLARATION.sub("", decode_page(data)))
    parser = HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, no_network=True)
    try:
        return document_fromstring(text.encode("utf-8", "replace"), parser=parser)
    except (etree.ParserError, etree.XMLSyntaxError) as error:
        raise ReadError("a page with text", str(error), "Leave it out, or fetch it again.") from error


def decode_page(data: bytes) -> str:
    """Decode a page: by byte order mark, as valid UTF-8, as the page declares, or by a guess.

    The declaration is ignored if the bytes are valid UTF-8 with letters beyond ASCII, and if it says Latin
    but the letters clearly are not. Raises ReadError for empty and binary content.
    """
    if b"\0" in data and not has_byte_order_mark(data):
        return _decode_unmarked_utf16(data)
    name = next(
        (m[1].decode("ascii") for p in (_META_CHARSET, _XML_ENCODING) if (m := p.search(data[:_HEAD_BYTES]))),
        "",
    )
    if not name or has_byte_order_mark(data) or _is_utf8(data):
        return decode_text(data)
    if name.lower().replace("-", "") == "utf8":
        text = data.decode("utf-8", "replace")
        return text if text.count("\ufffd") <= MAX_DAMAGED_SHARE * len(data) else decode_text(data)
    try:
        text = data.decode(name)
    except (LookupError, UnicodeError):
        return decode_text(data)
    return decode_text(data) if _LATIN_CHARSET.fullmatch(name) and _is_non_latin(text) else text


def _decode_unmarked_utf16(data: bytes) -> str:
    """Decode UTF-16 without a byte order mark, in which every other byte of the markup is NUL."""
    head = data[:_HEAD_BYTES]
    if head.count(0) >= _MIN_NUL_SHARE * len(head):
        encoding = "utf-16-le" if head[1::2].count(0) > head[::2].count(0) else "utf-16-be"
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            return decode_text(data)
        if "<" in text and "\0" not in text:
            return text
    return decode_text(data)


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _is_non_latin(text: str) -> bool:
    lengths = [len(run) for run in _ACCENTED_RUN.findall(text)]
    return sum(n for n in lengths if n >= 4) > MIN_ACCENTED_SHARE * sum(lengths)


def _drop_deep_tags(text: str) -> str:
    """Remove the tags that are nested too deeply."""
    depth = deepest = 0
    for match in _NESTING_TAG.finditer(text):
        depth = max(depth - 1, 0) if match[1] else depth + 1
        deepest = max(deepest, depth)
    return "".join(_iterate_shallow_parts(text)) if deepest > MAX_NESTING_DEPTH else text


def _iterate_shallow_parts(text: str) -> Iterator[str]:
    depth = at = 0
    for match in _NESTING_TAG.finditer(text):
        closes = bool(match[1])
        if depth > MAX_NESTING_DEPTH or (depth == MAX_NESTING_DEPTH and not closes):
            yield text[at : match.start()]
            yield " "
            at = match.end()
        depth = max(depth - 1, 0) if closes else depth + 1
    yield text[at:]
