"""Clean the cells of tables: values that stand for nothing, HTML tags and character references."""

from __future__ import annotations

import html
import re

from lxml import etree
from lxml.html import HTMLParser, document_fromstring


def _make_set(words: str) -> frozenset[str]:
    return frozenset(words.split())


# What pandas, R, spreadsheets and databases write for a missing value, and signs that people write. `Na`, `Nan` and
# `Null` are names, and NAN is a news agency.
MISSING_VALUES = _make_set(
    r"NA na N/A n/a N/a N.A. n.a. #N/A #n/a #NA <NA> NULL null \N NaN nan -NaN -nan NaT None none NONE undefined"
    " #VALUE! #REF! #NAME? #DIV/0! #NULL! - -- --- – — ―"
)
_BLOCK_TAGS = _make_set(
    "address article aside blockquote body caption center dd details div dl dt fieldset figcaption figure footer form"
    " h1 h2 h3 h4 h5 h6 header hr html li main nav ol p pre section summary table tbody tfoot thead tr ul"
)
_HIDDEN_TAGS = ("script", "style", "noscript", "template", "head")
# Tags that a text may hold without an end tag; any other one is a tag only if it is closed.
_OPEN_TAGS = _make_set("p br hr img li td tr th wbr input")
_INLINE_TAGS = _make_set(
    "a abbr acronym b bdi bdo big cite code del dfn em font i img ins kbd label mark q s samp small span strike strong"
    " sub sup time tt u var wbr input script style noscript iframe svg button picture source video audio embed object"
    " param title head meta link td th template"
)
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]{0,9})((?:\s[^<>]{0,5000})?)/?>")
_COMMENT_OR_CDATA = re.compile(r"<!--|<!\[CDATA\[|\]\]>")
_CHARACTER_REFERENCE = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z][a-zA-Z0-9]{1,31});")
_ESCAPED_TAG = re.compile(r"&lt;(?:/(?:p|div|span|a|strong|em|b|i|li|ul|h[1-6]|blockquote)|(?:br|p)\s?/?)&gt;", re.I)
_TAG_START = re.compile(r"</?([a-zA-Z][a-zA-Z0-9]*)")
_BLANK_LINES = re.compile(r"\r?\n[ \t]*\r?\n\s*")
_LINE_ENDS = re.compile(r"\n{3,}")
_WHITE_SPACE = re.compile(r"\s+")
_LESS_THAN = re.compile(r"<(?!/?[a-zA-Z]|!--)")


def is_missing(value: str) -> bool:
    """Return whether a value stands for a missing one, such as `NA`."""
    return value.strip() in MISSING_VALUES


def clean_value(value: str) -> str:
    """Return a metadata value in one piece without tags and character references; "" if it stands for nothing."""
    plain = " ".join(extract_plain_text(value).split()) if _may_have_markup(value) else value.strip()
    return "" if is_missing(plain) else plain


def clean_text(text: str) -> str:
    """Return a text without tags and character references, with its paragraphs; "" if it stands for nothing.

    Elements that form blocks become paragraphs, and a `<br>` a line end. What only looks like a tag, as in
    `a < b`, remains.
    """
    plain = extract_plain_text(text) if _may_have_markup(text) else text
    return "" if is_missing(plain) else plain


def extract_plain_text(text: str) -> str:
    """Return the text without tags and character references."""
    if _ESCAPED_TAG.search(text) and not _find_tags(text):
        text = html.unescape(text)
    tags = _find_tags(text)
    if _COMMENT_OR_CDATA.search(text):
        tags.add("!--")
    if tags & _BLOCK_TAGS or tags & {"br", "!--", *_HIDDEN_TAGS}:
        return _join_blocks(text.replace("<![CDATA[", "").replace("]]>", ""), tags)
    if tags:
        text = _TAG.sub(lambda match: "" if match[2].lower() in tags else match[0], text)
    return _CHARACTER_REFERENCE.sub(lambda match: html.unescape(match[0]), text)


def _may_have_markup(text: str) -> bool:
    return "<" in text or ("&" in text and ";" in text)


def _find_tags(text: str) -> set[str]:
    """Return the names of the HTML elements in a text; an element needs an end tag, unless HTML lets it do without."""
    opened: set[str] = set()
    closed: set[str] = set()
    for end, name, attributes in _TAG.findall(text):
        # `x <i and y> z` is no tag.
        if not attributes.strip(" /") or "=" in attributes:
            (closed if end else opened).add(name.lower())
    known = _BLOCK_TAGS | _INLINE_TAGS | _OPEN_TAGS
    return {name for name in opened | closed if name in known and (name in closed or name in _OPEN_TAGS)}


def _join_blocks(text: str, tags: set[str]) -> str:
    text = _WHITE_SPACE.sub(" ", _BLANK_LINES.sub("<br><br>", text))
    escaped = _LESS_THAN.sub("&lt;", text)
    escaped = _TAG_START.sub(
        lambda match: match[0] if match[1].lower() in {*tags, "br"} else f"&lt;{match[0][1:]}", escaped
    )
    parser = HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, no_network=True, huge_tree=True)
    tree = document_fromstring(f"<html><body>{escaped}</body></html>".encode("utf-8", "replace"), parser=parser)
    etree.strip_elements(tree, *_HIDDEN_TAGS, with_tail=False)
    pieces: list[str] = []
    # The tree is not changed: lxml refuses to set a text with control characters, which it has read.
    for event, element in etree.iterwalk(tree, events=("start", "end")):
        mark = "\n\n" if element.tag in _BLOCK_TAGS else ""
        if event == "start":
            pieces += [mark, element.text or ""]
            continue
        if element.tag in ("br", "td", "th"):
            mark = "\n" if element.tag == "br" or element.getnext() is None else " | "
        pieces += [mark, element.tail or ""]
    lines = (" ".join(line.split()) for line in "".join(pieces).split("\n"))
    return _LINE_ENDS.sub("\n\n", "\n".join(lines)).strip()
