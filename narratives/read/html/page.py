"""Parse a page into a tree, and read its visible text block by block, with bold type."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import dropwhile
from typing import NamedTuple, Protocol

from lxml import etree
from lxml.html import HtmlElement, HTMLParser, document_fromstring

from narratives.model import RawParagraph, RawParagraphKind, ReadError
from narratives.read.encoding import decode_text, has_byte_order_mark, is_utf8


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
    """A module that recognises and reads the pages of one site.

    Both functions receive the root of the parsed page and must not change it.
    """

    def can_read(self, tree: HtmlElement) -> bool:
        """Return whether the content of the page shows that it has the layout of this site."""

    def extract_page(self, tree: HtmlElement) -> HtmlPage:
        """Extract the paragraphs and metadata of the page."""


MAX_PAGE_BYTES = 5_000_000  # the longest transcripts have half a megabyte
# The parser stops at 256 levels and drops everything deeper; real pages have fewer than 60.
MAX_NESTING_DEPTH = 120
MAX_DAMAGED_SHARE = 0.005  # share of undecodable bytes up to which a page that declares UTF-8 is read as UTF-8
MIN_ACCENTED_SHARE = 0.5  # share of accented letters in runs of four or more, from which the script is not Latin

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

    Tags nested more than 120 levels deep are removed and their text is kept. Nothing is fetched.
    """
    if len(data) > MAX_PAGE_BYTES:
        hint = "Shorten the page, or save its text as .txt."
        raise ReadError(f"a page of up to {MAX_PAGE_BYTES // 1_000_000} MB", "a larger one", hint)
    text = _drop_deep_tags(_XML_DECLARATION.sub("", decode_page(data)))
    parser = HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, no_network=True)
    try:
        tree = document_fromstring(text.encode("utf-8", "replace"), parser=parser)
    except (etree.ParserError, etree.XMLSyntaxError) as error:
        raise ReadError("a page with text", str(error), "Leave it out, or fetch it again.") from error
    _move_text_to_body(tree)
    return tree


def _move_text_to_body(tree: HtmlElement) -> None:
    """Move what is no metadata from the head to the body: the parser knows no `article` that begins a body."""
    for head in tree.findall("head"):
        misplaced = list(dropwhile(lambda element: element.tag in METADATA_TAGS, head))
        if misplaced:
            body = tree.find("body")
            if body is None:
                body = etree.SubElement(tree, "body")
            for at, element in enumerate(misplaced):
                body.insert(at, element)


def decode_page(data: bytes) -> str:
    """Decode a page: by byte order mark, as valid UTF-8, as the page declares, or by a guess.

    A declared Latin encoding is ignored if the letters are clearly not Latin. Raises ReadError for empty and
    binary content.
    """
    if b"\0" in data and not has_byte_order_mark(data):
        return _decode_unmarked_utf16(data)
    head = data[:_HEAD_BYTES]
    declaration = _META_CHARSET.search(head) or _XML_ENCODING.search(head)
    if declaration is None or has_byte_order_mark(data) or is_utf8(data):
        return decode_text(data)
    name = declaration[1].decode("ascii")
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
        with suppress(UnicodeDecodeError):
            text = data.decode(encoding)
            if "<" in text and "\0" not in text:
                return text
    return decode_text(data)


def _is_non_latin(text: str) -> bool:
    lengths = [len(run) for run in _ACCENTED_RUN.findall(text)]
    return sum(n for n in lengths if n >= 4) > MIN_ACCENTED_SHARE * sum(lengths)


def _drop_deep_tags(text: str) -> str:
    """Replace each tag that is nested too deeply by a space."""
    depth = 0

    def keep_if_shallow(tag: re.Match[str]) -> str:
        nonlocal depth
        outer, depth = depth, max(depth - 1, 0) if tag[1] else depth + 1
        return tag[0] if max(outer, depth) <= MAX_NESTING_DEPTH else " "

    return _NESTING_TAG.sub(keep_if_shallow, text)


def make_word_set(text: str) -> frozenset[str]:
    """Make a set of the words of a text."""
    return frozenset(text.split())


MAX_LABEL_CHARACTERS = 250
MAX_LABEL_WORDS = 30
MAX_CELL_WORDS = 15  # cells with more words contain text, not data
MIN_BOLD_SHARE = 0.9  # share of a label's letters that must be bold

METADATA_TAGS = make_word_set("title meta link script style base noscript template")
HIDDEN_TAGS = make_word_set("script style noscript template svg button select textarea iframe head")
HIDDEN_CLASSES = make_word_set("hidden masha-ignore visually-hidden sr-only screen-reader-text d-none")
# Also the names that trafilatura gives to headings, quotations, list items and cells.
BLOCK_TAGS = make_word_set(
    "html body main article section header footer aside nav div p pre form fieldset address figure"
    " figcaption h1 h2 h3 h4 h5 h6 ul ol li dl dt dd blockquote table thead tbody tfoot tr td th"
    " caption hr center details summary head list item quote row cell code"
)
TAG_KINDS: dict[str, RawParagraphKind] = {
    **dict.fromkeys(("h1", "h2", "h3", "h4", "h5", "h6", "head"), "heading"),
    **dict.fromkeys(("li", "item", "dd"), "list-item"),
    **dict.fromkeys(("blockquote", "quote"), "quote"),
}
_HIDDEN_STYLE = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
_BOLD_STYLE = re.compile(r"font-weight\s*:\s*(?:bold|[6-9]00)", re.IGNORECASE)
_SPEAKER_LABEL = re.compile(r"(?P<label>[^\s:(][^:(]*?)\s*(?P<remark>(?:\([^()]*\)\s*)*):\s*")
_WHITE_SPACE = re.compile(r"\s+")


class TextRun(NamedTuple):
    """A piece of text; `bold` is the number of its bold element, or 0. A line break is a run of its own."""

    text: str
    bold: int = 0
    linked: bool = False


class HtmlBlock(NamedTuple):
    """The text of one block, its kind as marked by the page, and the element that it is in."""

    kind: RawParagraphKind
    runs: list[TextRun]
    element: HtmlElement


class LabelledParagraph(NamedTuple):
    """A paragraph, and the bold name before it as `label`, or "".

    `remark` is the text in brackets between name and colon, such as `(retranslated)`. `whole` says whether
    the label is a single bold piece.
    """

    text: str
    label: str = ""
    remark: str = ""
    whole: bool = False


def get_classes(element: HtmlElement) -> frozenset[str]:
    """Return the class names of an element."""
    return frozenset((element.get("class") or "").split())


def is_hidden(element: HtmlElement) -> bool:
    """Return whether the page hides an element: scripts, tooltips, `display: none`."""
    if not isinstance(element.tag, str) or element.tag in HIDDEN_TAGS or element.get("hidden") is not None:
        return True
    return bool(get_classes(element) & HIDDEN_CLASSES or _HIDDEN_STYLE.search(element.get("style") or ""))


def extract_visible_text(element: HtmlElement) -> str:
    """Extract the visible text of an element in one line, with a space between blocks."""
    return " ".join(join_runs(block.runs) for block in iterate_blocks(element))


def join_runs(runs: Iterable[TextRun]) -> str:
    """Join the text of runs in one line."""
    return _WHITE_SPACE.sub(" ", "".join(run.text for run in runs)).strip()


def iterate_blocks(element: HtmlElement, skip: Callable[[HtmlElement], bool] = is_hidden) -> Iterator[HtmlBlock]:
    """Iterate over the blocks of an element in order, including loose text, except the elements to `skip`.

    Two line breaks in a row separate paragraphs, as the end of a block does.
    """
    blocks: list[HtmlBlock] = []
    _collect_runs(element, "", TextRun(""), skip, blocks, [0])
    for block in blocks:
        for line in _split_runs_at_lines(block.runs):
            if any(run.text.strip() for run in line):
                yield block._replace(runs=line)


def split_label(runs: Iterable[TextRun]) -> LabelledParagraph:
    """Split `<b>Vladimir Putin</b> (speaking English): Thank you` into name, remark and text.

    A label is bold, ends at the first colon, and is followed by plain text. A paragraph that is all bold is a
    heading that contains a colon.
    """
    text, bold_numbers = _map_bold_elements(runs)
    match = _SPEAKER_LABEL.match(text[:MAX_LABEL_CHARACTERS])
    if not match or match.end() >= len(text) or len(match["label"].split()) > MAX_LABEL_WORDS:
        return LabelledParagraph(text)
    start, end = match.span("label")
    letters = [bold_numbers[i] for i in range(start, end) if text[i].isalnum()]
    rest = [bold_numbers[i] for i in range(match.end(), len(text)) if text[i].isalnum()]
    if not letters or sum(map(bool, letters)) < MIN_BOLD_SHARE * len(letters) or (rest and all(rest)):
        return LabelledParagraph(text)
    label = "".join(_restore_space(text, bold_numbers, i) for i in range(start, end)).strip(" ,")
    return LabelledParagraph(text[match.end() :], label, match["remark"].strip(), len(set(letters)) == 1)


def is_bold(runs: Iterable[TextRun]) -> bool:
    """Return whether there are letters and all of them are bold."""
    letters = [run.bold for run in runs if any(character.isalnum() for character in run.text)]
    return bool(letters) and all(letters)


def _collect_runs(
    element: HtmlElement,
    kind: RawParagraphKind,
    style: TextRun,
    skip: Callable[[HtmlElement], bool],
    blocks: list[HtmlBlock],
    pieces: list[int],
) -> None:
    """Add the runs of an element to the last block, in this style; every edge of a block element starts a new block."""
    tag = element.tag
    is_block = tag in BLOCK_TAGS
    # A paragraph in a block quote is a quotation; one in a list item is part of the item.
    inner = kind or TAG_KINDS.get(tag, "")
    if is_block or not blocks:
        blocks.append(HtmlBlock(inner, [], element))
    style = _add_style(element, style, pieces)
    if tag in ("tr", "row") and (cells := _get_table_cells(element)):
        blocks[-1] = HtmlBlock("list-item", cells, element)
        return
    if element.text:
        blocks[-1].runs.append(style._replace(text=element.text))
    for child in element:
        if child.tag in ("br", "lb"):
            blocks[-1].runs.append(TextRun("\n"))
        elif not skip(child):
            _collect_runs(child, inner, style, skip, blocks, pieces)
            if child.tag in BLOCK_TAGS:
                blocks.append(HtmlBlock(inner, [], element))
        if child.tail:
            blocks[-1].runs.append(style._replace(text=child.tail))


def _add_style(element: HtmlElement, style: TextRun, pieces: list[int]) -> TextRun:
    """Return the style of the runs in an element; `pieces` counts the bold elements."""
    if not style.bold and _is_bold_element(element):
        pieces[0] += 1
        style = style._replace(bold=pieces[0])
    is_link = element.tag == "a" and element.get("href")
    return style._replace(linked=True) if is_link else style


def _get_table_cells(row: HtmlElement) -> list[TextRun]:
    """Return the cells of a row of data with bars between them, or none if the table only arranges the page."""
    cells = [child for child in row if child.tag in ("td", "th", "cell")]
    if len(cells) < 2 or any(cell.find(f".//{tag}") is not None for cell in cells for tag in ("table", "p")):
        return []
    texts = [_WHITE_SPACE.sub(" ", "".join(cell.itertext())).strip() for cell in cells]
    if any(len(text.split()) > MAX_CELL_WORDS for text in texts):
        return []
    linked = [cell.find(".//a[@href]") is not None for cell in cells]
    runs = [
        run for text, is_link in zip(texts, linked, strict=True) for run in (TextRun(" | "), TextRun(text, 0, is_link))
    ]
    return runs[1:]


def _is_bold_element(element: HtmlElement) -> bool:
    if element.tag == "hi":
        return "#b" in (element.get("rend") or "")
    return element.tag in ("b", "strong") or bool(_BOLD_STYLE.search(element.get("style") or ""))


def _split_runs_at_lines(runs: Iterable[TextRun]) -> Iterator[list[TextRun]]:
    line: list[TextRun] = []
    breaks = 0
    for run in runs:
        if run.text == "\n" and not run.bold:
            breaks += 1
            continue
        if run.text.strip():
            if breaks > 1:
                yield line
                line = []
            elif breaks:
                line.append(TextRun("\n"))
            breaks = 0
        line.append(run)
    yield line


def _restore_space(text: str, bold_numbers: list[int], i: int) -> str:
    # `<b>Maxim</b><b>Topilin</b>` are two words without the space between them.
    lost = i and bold_numbers[i] != bold_numbers[i - 1] and text[i].isupper() and text[i - 1].islower()
    return f" {text[i]}" if lost else text[i]


def _map_bold_elements(runs: Iterable[TextRun]) -> tuple[str, list[int]]:
    """Return the text in one line and, for each character, the number of its bold element."""
    characters: list[str] = []
    bold_numbers: list[int] = []
    for run in runs:
        for character in _WHITE_SPACE.sub(" ", run.text):
            if character != " " or (characters and characters[-1] != " "):
                characters.append(character)
                bold_numbers.append(run.bold)
    text = "".join(characters).rstrip(" ")
    return text, bold_numbers[: len(text)]


def get_meta_content(tree: HtmlElement, name: str) -> str:
    """Return the first non-empty content of the meta elements with this name or property, or ""."""
    for element in tree.iter("meta"):
        if name in (element.get("property"), element.get("name")):
            content = " ".join((element.get("content") or "").split())
            if content:
                return content
    return ""
