"""The visible text of a page, block by block, with bold type."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from lxml.html import HtmlElement

from narratives.model import RawParagraphKind


def make_word_set(text: str) -> frozenset[str]:
    """Make a set of the words of a text."""
    return frozenset(text.split())


MAX_LABEL_CHARACTERS = 250
MAX_LABEL_WORDS = 30
MAX_CELL_WORDS = 15  # cells with more words contain text, not data
MIN_BOLD_SHARE = 0.9  # of a label's letters must be bold

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


class HtmlBlock(NamedTuple):
    """The text of one block, and its kind according to the page."""

    kind: RawParagraphKind
    runs: list[TextRun]


class LabelledParagraph(NamedTuple):
    """A paragraph, and the bold name before it as `label`, or "".

    `remark` is the text in brackets between name and colon, such as `(retranslated)`. `whole` says that the
    label is a single bold piece.
    """

    text: str
    label: str = ""
    remark: str = ""
    whole: bool = False


def collapse_white_space(text: str) -> str:
    """Replace each run of white space by one space."""
    return _WHITE_SPACE.sub(" ", text).strip()


def get_classes(element: HtmlElement) -> frozenset[str]:
    """Return the class names of an element."""
    return frozenset((element.get("class") or "").split())


def is_hidden(element: HtmlElement) -> bool:
    """Return whether the page does not show an element: scripts, tooltips, hidden elements."""
    if not isinstance(element.tag, str) or element.tag in HIDDEN_TAGS or element.get("hidden") is not None:
        return True
    return bool(get_classes(element) & HIDDEN_CLASSES or _HIDDEN_STYLE.search(element.get("style") or ""))


def extract_visible_text(element: HtmlElement) -> str:
    """Extract the visible text of an element in one line, with a space between blocks."""
    return collapse_white_space(" ".join(join_runs(chunk.runs) for chunk in iterate_blocks(element)))


def join_runs(runs: Iterable[TextRun]) -> str:
    """Join the text of runs in one line."""
    return collapse_white_space("".join(run.text for run in runs))


def iterate_blocks(element: HtmlElement, skip: Callable[[HtmlElement], bool] = is_hidden) -> Iterator[HtmlBlock]:
    """Iterate over the blocks of an element in order, with loose text between them, without those to `skip`.

    Two line breaks in a row separate paragraphs, as the end of a block does.
    """
    blocks: list[HtmlBlock] = []
    _collect_runs(element, "", 0, skip, blocks, [0])
    for kind, runs in blocks:
        for line in _split_runs_at_lines(runs):
            if any(run.text.strip() for run in line):
                yield HtmlBlock(kind, line)


def split_label(runs: Iterable[TextRun]) -> LabelledParagraph:
    """Split `<b>Vladimir Putin</b> (speaking English): Thank you` into name, remark and text.

    A label is bold, ends at the first colon, and is followed by plain text. A paragraph that is all bold is a
    heading that contains a colon.
    """
    text, weights = _map_bold_elements(runs)
    match = _SPEAKER_LABEL.match(text[:MAX_LABEL_CHARACTERS])
    if not match or match.end() >= len(text) or len(match["label"].split()) > MAX_LABEL_WORDS:
        return LabelledParagraph(text)
    start, end = match.span("label")
    letters = [weights[i] for i in range(start, end) if text[i].isalnum()]
    rest = [weights[i] for i in range(match.end(), len(text)) if text[i].isalnum()]
    if not letters or sum(map(bool, letters)) < MIN_BOLD_SHARE * len(letters) or (rest and all(rest)):
        return LabelledParagraph(text)
    label = "".join(_restore_space(text, weights, i) for i in range(start, end)).strip(" ,")
    return LabelledParagraph(text[match.end() :], label, match["remark"].strip(), len(set(letters)) == 1)


def is_bold(runs: Iterable[TextRun]) -> bool:
    """Return whether there are letters and all of them are bold."""
    letters = [run.bold for run in runs if any(sign.isalnum() for sign in run.text)]
    return bool(letters) and all(letters)


def _collect_runs(
    element: HtmlElement,
    kind: RawParagraphKind,
    bold: int,
    skip: Callable[[HtmlElement], bool],
    blocks: list[HtmlBlock],
    pieces: list[int],
) -> None:
    """Add the runs of an element to the last block; every edge of a block element starts a new block."""
    tag = element.tag
    is_block = tag in BLOCK_TAGS
    # A paragraph in a block quote is a quotation; one in a list item is part of the item.
    inner = kind or TAG_KINDS.get(tag, "")
    if is_block or not blocks:
        blocks.append(HtmlBlock(inner, []))
    if not bold and _is_bold_element(element):
        pieces[0] += 1
        bold = pieces[0]
    if tag in ("tr", "row") and (cells := _get_table_cells(element)):
        blocks[-1] = HtmlBlock("list-item", [TextRun(" | ".join(cells))])
        return
    if element.text:
        blocks[-1].runs.append(TextRun(element.text, bold))
    for child in element:
        if child.tag in ("br", "lb"):
            blocks[-1].runs.append(TextRun("\n"))
        elif not skip(child):
            _collect_runs(child, inner, bold, skip, blocks, pieces)
            if child.tag in BLOCK_TAGS:
                blocks.append(HtmlBlock(inner, []))
        if child.tail:
            blocks[-1].runs.append(TextRun(child.tail, bold))


def _get_table_cells(row: HtmlElement) -> list[str]:
    """Return the cells of a row of data, or none if the table only arranges the page."""
    cells = [child for child in row if child.tag in ("td", "th", "cell")]
    if len(cells) < 2 or any(cell.find(f".//{tag}") is not None for cell in cells for tag in ("table", "p")):
        return []
    texts = [collapse_white_space("".join(cell.itertext())) for cell in cells]
    return texts if all(len(text.split()) <= MAX_CELL_WORDS for text in texts) else []


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
        if breaks and run.text.strip():
            if breaks > 1:
                yield line
                line = []
            else:
                line.append(TextRun("\n"))
            breaks = 0
        line.append(run)
    yield line


def _restore_space(text: str, weights: list[int], i: int) -> str:
    # `<b>Maxim</b><b>Topilin</b>` are two words without the space between them.
    lost = i and weights[i] != weights[i - 1] and text[i].isupper() and text[i - 1].islower()
    return f" {text[i]}" if lost else text[i]


def _map_bold_elements(runs: Iterable[TextRun]) -> tuple[str, list[int]]:
    """Return the text in one line and, for each character, the number of its bold element."""
    signs: list[str] = []
    weights: list[int] = []
    for run in runs:
        for sign in _WHITE_SPACE.sub(" ", run.text):
            if sign != " " or (signs and signs[-1] != " "):
                signs.append(sign)
                weights.append(run.bold)
    while signs and signs[-1] == " ":
        signs.pop()
        weights.pop()
    return "".join(signs), weights
