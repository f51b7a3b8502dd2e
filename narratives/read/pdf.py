"""Read PDF files with pypdf: the lines of each page where they stand, and the paragraphs that they form.

pypdf's layout mode writes a page as lines of fixed width. In them columns, indents and gaps show, from which paragraphs
are recognised. Where it misses text, as in forms and rotated pages, the plain mode is used.
"""

from __future__ import annotations

import io
import logging
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import groupby, pairwise
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

from narratives.model import InputFile, RawDocument, ReadError, Rejected
from narratives.read.encoding import MAX_DOCUMENT_SIZE
from narratives.read.exports import read_export
from narratives.read.office import load_bytes
from narratives.read.rows import apply_manifest, replace_unstorable

if TYPE_CHECKING:
    from pypdf import PageObject

MAX_PAGES = 5000
MAX_LAYOUT_CHARACTERS, MAX_LAYOUT_LINES = 20_000, 1000  # of a page; a text drawn far outside takes much memory
MIN_LAYOUT_SHARE = 0.98  # share of the letters of the plain mode that the layout mode must find
UNITS = 10  # blank lines of the layout mode for the height of a line: it shows gaps of a tenth
EDGE_LINES = 3  # at the top and bottom of a page that may be running titles
MIN_RUNNING_TITLE_SHARE = 0.4  # share of pages that have a running title; those of left and right pages differ
MIN_RUNNING_TITLE_PAGES = 2
MIN_NUMBERED_TITLES = 3  # pages whose titles have numbers that count with them
MIN_FULL_LINE_SHARE = 0.8  # share of the usual line length; a sentence that ends in a shorter line ends its paragraph
MIN_GAP = 1.25  # usual distances of two lines, from which a gap separates paragraphs
MIN_INDENT = 2  # characters
MIN_INDENTED_PARAGRAPHS = 2  # that show that indents mark the paragraphs of a document
MIN_COLUMN_LINES, MAX_COLUMNS = 4, 4  # lines of a column; columns of a page
MIN_COLUMN_WORDS = 3  # median of the words in a line; cells of a table have fewer
MAX_CROSSING_SHARE = 0.3  # share of lines over the whole width of a page with columns
MIN_OVERLAP_SHARE = 0.5  # share of the shorter column that stands beside the longer one
MIN_RUNNING_ON_SHARE = 0.3  # share of the lines of a column that continue a sentence with a small letter
MAX_FOOTNOTE_LINES = 15

_DIGITS = re.compile(r"\d+")
_PAGE_NUMBER = re.compile(
    r"(?:(?:page|p\.|seite|стр\.?|página|pagina)\s*|[-–—\[(|]\s*)?(\d{1,4})(?:\s*(?:/|of|из|von|de|sur)\s*\d{1,4})?"
    r"(?:\s*[-–—\])|])?",
    re.IGNORECASE,
)
_WIDE_GAP = re.compile(" {3,}")
_CELL = re.compile(r"\S+(?: {1,4}\S+)*")
_COMPOUND = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")
_LINE_END_HYPHEN = re.compile(r"(?<=[^\W\d_])[-\u00ad\u2010]$")
_SENTENCE_END = re.compile(r"[.!?…:;][\"”“’'»)\]]*\d{0,2}$")
_LIST_ITEM = re.compile(r"(?:[•▪●◦‣·*–—-]|\(?\d{1,2}[.)]|\(?[a-z]\))\s")
_HEADING = re.compile(r"(?:\d{1,3}(?:\.\d{1,3}){0,4}\.?\s)?[^\W\d_a-zа-яß-ÿ]")
_LABEL = re.compile(r"[A-ZА-Я][\w.’'-]*(?:\s[\w.’'-]+){0,4}:\s")
_FOOTNOTE = re.compile(r"(\d{1,3}|\*{1,3}|[†‡])[.)]?\s+\S")
_RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff]")
# Compounds that keep the hyphen at which a line ends.
_HYPHENATED = re.compile(
    r"(?:^|\s)(?:self|non|anti|well|ex|semi|half|all|cross|vice|long|short|high|low)[-\u2010]$", re.I
)


class _Row(NamedTuple):
    """A row of a page in fixed width, and its height on the page, in tenths of lines from the top."""

    cells: str
    height: int

    @property
    def text(self) -> str:
        """The text with single spaces."""
        return " ".join(self.cells.split())

    @property
    def start(self) -> int:
        """The place of the first character."""
        return len(self.cells) - len(self.cells.lstrip())

    @property
    def end(self) -> int:
        """The place after the last character."""
        return len(self.cells.rstrip())


_Page = list[_Row]


class _Block(NamedTuple):
    """Rows that are read one after the other: a page, or a column of it; with the measures of its lines.

    `left` is where most lines start, `full` where long lines end, `distance` that of two lines. `is_across` says that
    they stand across several columns.
    """

    rows: _Page
    left: int
    full: float
    distance: float
    is_across: bool = False


def read_pdf(file: InputFile, columns: Mapping[str, str]) -> Iterator[RawDocument | Rejected]:
    """Read a PDF as one document, or as the articles of an export, without running titles.

    Paragraphs go across lines, columns and pages. Raises ReadError if it is encrypted or has no text, and any error of
    pypdf if it is damaged.
    """
    pages = _extract_pages(load_bytes(file))
    # Before running titles are dropped, because the lines that end the articles of an export recur too.
    whole = replace_unstorable("\n\n".join(row.text for page in pages for row in page))
    if articles := read_export(whole, file, columns, _form_paragraphs):
        yield from articles
        return
    pages = _drop_running_titles(pages)
    text = replace_unstorable("\n\n".join(_join_paragraphs(pages)))
    if not text.strip():
        hint = "Run text recognition (OCR) on it, or leave it out."
        raise ReadError("a PDF with text", "none (scanned pages?)", hint)
    yield apply_manifest(RawDocument(file.source_path, text=text), file)


def _form_paragraphs(lines: Sequence[str]) -> str:
    return "\n\n".join(_join_paragraphs([_make_rows(("\n" * UNITS).join(lines))]))


def _extract_pages(data: bytes) -> list[_Page]:
    from pypdf import PdfReader  # loaded only for the first such file

    # pypdf logs a line for everything it skips, thousands for one damaged file.
    logging.getLogger("pypdf").setLevel(logging.CRITICAL)
    reader = PdfReader(io.BytesIO(data))
    # Many files are only protected against changes and open with an empty password.
    if reader.is_encrypted and not reader.decrypt(""):
        raise ReadError("a PDF without a password", "an encrypted one", "Save it without a password.")
    if len(reader.pages) > MAX_PAGES:
        raise ReadError(f"up to {MAX_PAGES} pages", f"{len(reader.pages)}", "Split the file.")
    pages: list[_Page] = []
    length = 0
    for page in reader.pages:
        plain = page.extract_text() or ""
        length += len(plain)
        if length > MAX_DOCUMENT_SIZE:
            expected = f"a PDF of up to {MAX_DOCUMENT_SIZE // 1_000_000} million characters"
            raise ReadError(expected, "a longer one", "Split the file.")
        pages.append(_make_rows(_extract_layout(page, plain)))
    return pages


def _extract_layout(page: PageObject, plain: str) -> str:
    """Return the text of a page in fixed width, or in the same form from the plain mode if that has more of it."""
    is_bounded = len(plain) <= MAX_LAYOUT_CHARACTERS and plain.count("\n") <= MAX_LAYOUT_LINES
    if is_bounded and plain.strip() and not _RIGHT_TO_LEFT.search(plain):
        with suppress(Exception):  # the layout mode fails on pages that the plain mode survives
            layout = page.extract_text(extraction_mode="layout", layout_mode_font_height_weight=1 / UNITS) or ""
            if _count_letters(layout) >= MIN_LAYOUT_SHARE * _count_letters(plain):
                return layout
    # The plain mode has a space before an indented line.
    spaced = "\n".join(" ".join(line.split()).rjust(len(line.split()) and len(line)) for line in plain.split("\n"))
    return spaced.replace("\n", "\n" * UNITS)


def _count_letters(text: str) -> int:
    return sum(map(str.isalnum, text))


def _make_rows(layout: str) -> _Page:
    return [_Row(line, height) for height, line in enumerate(layout.split("\n")) if line.strip()]


def _drop_running_titles(pages: Sequence[_Page]) -> list[_Page]:
    """Remove page numbers, and lines that repeat at the top or bottom of pages.

    A title of which later pages repeat the words remains on the first page.
    """
    edges = [_find_edge_rows(page) for page in pages]
    counts = Counter(key for edge in edges for key in set(edge.values()))
    least = max(MIN_RUNNING_TITLE_PAGES, MIN_RUNNING_TITLE_SHARE * (len(pages) - 1))
    numbers = _find_page_numbers(pages, edges)
    kept = []
    for index, (page, edge) in enumerate(zip(pages, edges, strict=True)):
        repeated = {place for place, key in edge.items() if counts[key] >= least}
        rest = [row for place, row in enumerate(page) if place not in repeated and (index, place) not in numbers]
        if index == 0 and 0 in repeated and "#" not in edge[0][1] and not _starts_with_title(rest):
            rest.insert(0, page[0])
        kept.append(rest)
    return kept


def _find_edge_rows(page: _Page) -> dict[int, tuple[str, str]]:
    """Return the first and last rows of a page by their place: at which edge, and with digits replaced."""
    places = range(len(page))
    edge = dict.fromkeys(places[-EDGE_LINES:], "bottom") | dict.fromkeys(places[:EDGE_LINES], "top")
    return {i: (side, _DIGITS.sub("#", page[i].text)) for i, side in edge.items()}


def _find_page_numbers(pages: Sequence[_Page], edges: Sequence[Mapping[int, tuple[str, str]]]) -> set[tuple[int, int]]:
    """Return the page and place of the rows that are page numbers: they count with the pages, or stand alone.

    A number may also be the last word of a paragraph, such as a year. A title beside a number that counts with the
    pages is that of a chapter.
    """
    numbers = {
        (index, place): int(match[1])
        for index, edge in enumerate(edges)
        for place in edge
        if (match := _PAGE_NUMBER.fullmatch(pages[index][place].text))
    }
    offsets = Counter(number - index for (index, _), number in numbers.items())

    def is_page_number(index: int, place: int, number: int) -> bool:
        page = pages[index]
        above = page[place - 1] if place else None
        is_set_off = above is None or bool(_SENTENCE_END.search(above.text))
        is_apart = above is not None and page[place].height - above.height > MIN_GAP * _measure(page).distance
        return offsets[number - index] > 1 or number == index + 1 or is_set_off or is_apart

    titles = {
        (index, place): number
        for index, page in enumerate(pages)
        for place in ({0, len(page) - 1} if page else ())
        if (number := _find_number_beside(page[place])) is not None
    }
    offsets.update(number - index for (index, _), number in titles.items())
    counting = {key for key, number in titles.items() if offsets[number - key[0]] >= MIN_NUMBERED_TITLES}
    return {key for key, number in numbers.items() if is_page_number(*key, number)} | counting


def _find_number_beside(row: _Row) -> int | None:
    """Return the number at the start or end of a row, apart from its text; None if there is none."""
    parts = _WIDE_GAP.split(row.cells.strip())
    numbers = [part for part in (parts[0], parts[-1]) if part.isdecimal() and len(part) <= 4]
    return int(numbers[0]) if len(parts) > 1 and numbers else None


def _starts_with_title(page: _Page) -> bool:
    return bool(page) and page[0].end < MIN_FULL_LINE_SHARE * _measure(page).full


def _measure(rows: _Page) -> _Block:
    ends = sorted(row.end for row in rows)
    distances = sorted(after.height - before.height for before, after in pairwise(rows))
    starts = Counter(row.start for row in rows)
    left = min(start for start, count in starts.items() if count >= max(starts.values()) / 2) if rows else 0
    return _Block(
        rows,
        left,
        ends[int(0.8 * (len(ends) - 1))] if ends else 0,
        # Gaps between paragraphs are a minority of the distances, except in a list of headings.
        distances[len(distances) // 3] if distances else 0,
    )


def _split_columns(page: _Page) -> list[_Block]:
    """Split a page into its columns of prose, in the order of reading; a page without columns is one block.

    Lines across several columns, such as a title, end what stands above them.
    """
    starts = _find_column_starts(page)
    if not starts:
        return [_measure(page)] if page else []
    blocks: list[_Block] = []
    for is_across, rows in groupby(page, key=lambda row: _assign_cells(row, starts) is None):
        if is_across:
            blocks.append(_measure(list(rows))._replace(is_across=True))
            continue
        assigned = [cells for row in rows if (cells := _assign_cells(row, starts))]
        columns = ([row for row in column if row] for column in zip(*assigned, strict=True))
        blocks += [_measure(column) for column in columns if column]
    return blocks


def _assign_cells(row: _Row, starts: Sequence[int]) -> list[_Row | None] | None:
    """Return what a row holds in each column, moved to the left; None if a text crosses the start of a column."""
    cells: list[_Row | None] = [None] * len(starts)
    for match in _CELL.finditer(row.cells):
        nearest = min(range(len(starts)), key=lambda i: abs(starts[i] - match.start()))
        if cells[nearest] or any(match.start() < start - 1 <= match.end() - 2 for start in starts):
            return None
        indent = max(match.start() - starts[nearest], 0) if nearest else match.start()
        cells[nearest] = _Row(" " * indent + match[0], row.height)
    return cells


def _find_column_starts(page: _Page) -> list[int]:
    """Return where the columns of a page start, if it has several with prose; else an empty list.

    Where one drawing operator has several columns, their starts vary from line to line, but the gaps stay wide.
    """
    rows = [[match.start() for match in _CELL.finditer(row.cells)] for row in page]
    numbers = Counter(len(starts) for starts in rows if 1 < len(starts) <= MAX_COLUMNS)
    for number, count in numbers.most_common(2):
        full = [starts for starts in rows if len(starts) == number]
        columns = [int(min(starts)) for starts in zip(*full, strict=True)]
        if count >= MIN_COLUMN_LINES and _are_prose(page, columns):
            return columns
    return []


def _are_prose(page: _Page, starts: Sequence[int]) -> bool:
    """Return whether the columns with these starts stand beside one another and hold sentences, unlike a table."""
    assigned = [_assign_cells(row, starts) for row in page]
    if sum(cells is None for cells in assigned) > MAX_CROSSING_SHARE * len(page):
        return False
    columns = [[cells[i] for cells in assigned if cells is not None] for i in range(len(starts))]
    rows = [[row for row in column if row is not None] for column in columns]
    if min(map(len, rows)) < MIN_COLUMN_LINES:
        return False
    together = min(column[-1].height for column in rows) - max(column[0].height for column in rows)
    shortest = min(column[-1].height - column[0].height for column in rows)
    words = min(median(len(row.text.split()) for row in column) for column in rows)
    return words >= MIN_COLUMN_WORDS and together >= MIN_OVERLAP_SHARE * shortest and any(map(_runs_on, rows))


def _runs_on(rows: _Page) -> bool:
    """Return whether sentences run on from line to line, unlike in the cells of a table."""
    continued = sum(
        after.text[:1].islower() and not _SENTENCE_END.search(before.text) for before, after in pairwise(rows)
    )
    return continued >= MIN_RUNNING_ON_SHARE * (len(rows) - 1)


def _join_paragraphs(pages: Sequence[_Page]) -> Iterator[str]:
    """Join lines to paragraphs, across columns and pages. A footnote comes after the paragraph that it interrupts."""
    blocks = []
    footnotes: list[list[str]] = []
    for page in pages:
        body, notes = _split_footnotes(page)
        parts = _split_columns(body)
        blocks += parts
        footnotes += [[] for _ in parts[1:]] + [notes] if parts else []
    blocks = _align_measures(blocks)
    words = Counter(word.lower() for block in blocks for row in block.rows for word in _COMPOUND.findall(row.cells))
    has_indents = sum(_count_indented(block) for block in blocks) >= MIN_INDENTED_PARAGRAPHS
    paragraph: list[_Row] = []
    waiting: list[str] = []
    was_across = False
    for block, notes in zip(blocks, footnotes, strict=True):
        if paragraph and was_across:
            yield _join_lines(paragraph, words)
            paragraph = []
        was_across = block.is_across
        for place, row in enumerate(block.rows):
            before = block.rows[place - 1] if place else None
            if paragraph and _starts_paragraph(paragraph, before, row, block, has_indents):
                yield _join_lines(paragraph, words)
                yield from waiting
                paragraph, waiting = [], []
            paragraph.append(row)
        waiting += notes
    if paragraph:
        yield _join_lines(paragraph, words)
    yield from waiting


def _align_measures(blocks: Sequence[_Block]) -> list[_Block]:
    """Return the blocks with the line length of the document, except those that are clearly narrower."""
    ends = sorted(row.end for block in blocks for row in block.rows)
    full = ends[int(0.9 * (len(ends) - 1))] if ends else 0
    wide = [max(row.end for row in block.rows) >= MIN_FULL_LINE_SHARE * full for block in blocks]
    return [block._replace(full=full) if is_wide else block for block, is_wide in zip(blocks, wide, strict=True)]


def _count_indented(block: _Block) -> int:
    return sum(
        after.start - before.start >= MIN_INDENT and bool(_SENTENCE_END.search(before.text))
        for before, after in pairwise(block.rows)
    )


def _starts_paragraph(
    paragraph: Sequence[_Row], before: _Row | None, row: _Row, block: _Block, has_indents: bool
) -> bool:
    """Return whether a row starts a new paragraph; `before` is the row above, or None at the top of a column."""
    last = paragraph[-1]
    is_over = bool(_SENTENCE_END.search(last.text))
    if before is None and block.is_across:
        return True
    if before is None:
        # What a page break or a column splits, continues.
        is_short = last.end < MIN_FULL_LINE_SHARE * block.full
        return is_over and (not has_indents or is_short or row.start - block.left >= MIN_INDENT)
    if row.height - before.height > MIN_GAP * block.distance:
        return True
    if _LINE_END_HYPHEN.search(last.text) or row.text[:1].islower():
        return False
    is_hanging = len(paragraph) > 1 and paragraph[1].start - paragraph[0].start >= MIN_INDENT
    if is_hanging and row.start <= paragraph[0].start:
        return True
    is_short = last.end < MIN_FULL_LINE_SHARE * block.full
    if is_over:
        is_indented = row.start - last.start >= MIN_INDENT and (len(paragraph) > 1 or not _LIST_ITEM.match(last.text))
        return is_short or is_indented or bool(_LABEL.match(row.text) or _LIST_ITEM.match(row.text))
    is_heading = len(paragraph) == 1 and is_short and bool(_HEADING.match(last.text)) and last.text[-1:] != ","
    return is_heading or bool(_LIST_ITEM.match(row.text) and _LIST_ITEM.match(paragraph[0].text))


def _split_footnotes(page: _Page) -> tuple[_Page, list[str]]:
    """Split the footnotes from a page, and their marks from its text: numbered lines at the bottom, below a gap."""
    block = _measure(page)
    gaps = [i for i in range(1, len(page)) if page[i].height - page[i - 1].height > MIN_GAP * block.distance]
    below = [i for i in gaps if len(page) - i <= MAX_FOOTNOTE_LINES and _FOOTNOTE.match(page[i].text)]
    if not below or len(page) - below[0] >= below[0] + 1:
        return page, []
    body, notes = page[: below[0]], []
    for row in page[below[0] :]:
        if (match := _FOOTNOTE.match(row.text)) and (cut := _cut_mark(body, match[1])):
            body = cut
            notes.append(row.text)
        elif notes:
            notes[-1] = f"{notes[-1]} {row.text}"
        else:
            return page, []
    return body, notes


def _cut_mark(rows: _Page, mark: str) -> _Page | None:
    """Return the rows without the first mark of a footnote, which stands at the end of a word; None without one."""
    pattern = re.compile(rf"(?<=[a-zа-я.,;:!?”’\"')]){re.escape(mark)}(?![\w.,]\w|\w)")
    for place, row in enumerate(rows):
        if pattern.search(row.cells):
            return [*rows[:place], row._replace(cells=pattern.sub("", row.cells, count=1)), *rows[place + 1 :]]
    return None


def _join_lines(rows: Sequence[_Row], words: Mapping[str, int]) -> str:
    """Join the lines of a paragraph. A hyphen at the end of a line goes, unless the document has the compound."""
    lines: list[str] = []
    for row in rows:
        line = row.text
        if not (lines and _LINE_END_HYPHEN.search(lines[-1]) and line[:1].islower()):
            lines.append(line)
            continue
        last = lines.pop()
        first, second = last[:-1].split()[-1], (_COMPOUND.match(line) or [line])[0]
        is_compound = words.get(f"{first}-{second}".lower(), 0) > words.get(f"{first}{second}".lower(), 0)
        lines.append(f"{last}{line}" if is_compound or _HYPHENATED.search(last) else last[:-1] + line)
    return " ".join(lines)
