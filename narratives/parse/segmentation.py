"""Split a page into blocks: join broken lines, and remove boilerplate and tables of contents."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, groupby
from typing import Literal, NamedTuple

from narratives.model import MIN_STATEMENT_WORDS, RawDocument, RawParagraphKind
from narratives.parse.dates import DATELINE, extract_header_date

MAX_TITLE_WORDS = 40
MAX_HEADING_WORDS = 20
MIN_REPEATED_TITLE_WORDS = 3
WRAPPED_LINE_LENGTHS = (45, 100)  # shortest and longest line, in characters, of a hard-wrapped block
MIN_CONTENTS_LINES = 3
MIN_REPEATED_SHARE = 0.4  # share of a list's lines that are repeated as headings, from which it is a table of contents

WORD = re.compile(r"\w+(?:[’'-]\w+)*")
BOILERPLATE = re.compile(
    r"""(?:
      (?:READ\ MORE|READ\ ALSO|SEE\ ALSO|WATCH\ MORE|Read\ more|Read\ also|See\ also|Also\ on\ [\w.]+)\s*:.*
    | (?:Think\ your\ friends\ would\ be\ interested\?\s*)?Share\ this\ (?:story|article|page|post)\b.{0,40}
    | (?:Поделиться|Распечатать|Share|Print|Print\ version|Share\ on\ \w+|Tweet|Email)\s*:?
    | (?:All\ news|Podcasts?|Advertisement|Subscribe|Comments|Back\ to\ top|Table\ of\ contents)\s*:?
    | \d{1,2}:\d{1,2}(?::\d{2})?
    | [\d\s,.]+(?:views?|просмотр\w*)
    | This\ email\ address\ is\ being\ protected\ from\ spambots\..*
    | (?:tel|phone|fax)?[.:\s]*[+(]?\(?\d[\d\s()/;+.-]{7,}
    )""",
    re.VERBOSE,
)
ICON_WORD = re.compile(r"icon", re.IGNORECASE)
MIN_ICONS = 5
FOOTER_HEADING = re.compile(
    r"(?:popular articles|most popular|most read|related (?:articles|news|stories)|latest news)\s*:?", re.IGNORECASE
)
MIN_PROSE_PARAGRAPHS, MIN_PROSE_WORDS = 3, 15  # paragraphs, and words in each, that show that an article follows
OMISSION = re.compile(r"[<\[(]\s*(?:…|\.{3})\s*[>\])]")
SECTION_COLON = re.compile(
    r"(?:answers? to (?:media |journalists[’'] )?questions|questions? and answers?|q\s*&\s*a)\b.{0,40}:", re.IGNORECASE
)
CONTENTS_LABEL = re.compile(r"(?:table of )?contents\s*:?", re.IGNORECASE)
SENTENCE_END = re.compile(r"[.!?…:;,][\"”“’'»)\]]*$")
STATEMENT_END = re.compile(r"[.!?…:][\"”“’'»)\]]*$")
FULL_STOP = re.compile(r"(?<![.…])[.!?][\"”’)\]]*$")  # not the dots of a text that is cut off
SENTENCE_BREAK = re.compile(r"(?<!\bMr)(?<!\bMs)(?<!\bDr)(?<!\bSt)(?<!\b[A-Z])[.!?][”\"’]?\s+[A-Z“\"—–]")
_CONTROL_CHARACTERS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\u200b\u2060\ufeff]")
_NEWLINE = re.compile(r"\r\n?|[\u2028\u2029\x85]")


def count_words(text: str) -> int:
    """Return the number of words; hyphens and apostrophes do not split a word."""
    return len(WORD.findall(text))


class TurnStart(NamedTuple):
    """A turn label in a line: the character where it begins, its text, and its length with mark and remarks."""

    at: int
    label: str
    size: int


class RawBlock(NamedTuple):
    """One block before its kind is known. `label`, `hint` and `labelled` come from the source.

    `turn` is the turn label at the beginning of the text, or empty, and `turn_size` its length in characters.
    """

    text: str
    label: str = ""
    source_ref: str = ""
    hint: RawParagraphKind = ""
    labelled: bool = False
    turn: str = ""
    turn_size: int = 0


def list_lines(raw: RawDocument) -> list[str]:
    """Return the texts that can begin with a turn label: the lines of a plain text, or the paragraphs of a source."""
    if raw.paragraphs:
        return [clean_line(paragraph.text) for paragraph in raw.paragraphs]
    return [clean_line(line) for line in _NEWLINE.sub("\n", raw.text).split("\n")]


def split_blocks(text: str, turns: Sequence[Sequence[TurnStart]] = ()) -> tuple[list[RawBlock], int]:
    """Return the blocks of a plain text and the number of tables of contents left out.

    `turns` are the turn labels of every line (`list_lines`). A block starts at each of them.
    """
    lines = [_CONTROL_CHARACTERS.sub(" ", line).rstrip() for line in _NEWLINE.sub("\n", text).split("\n")]
    pieces = [RawBlock(line) for line in lines]
    if any(turns):
        cut = (_cut_at_turns(RawBlock(clean_line(p.text)), s) if s else [p] for p, s in zip(pieces, turns, strict=True))
        pieces = list(chain.from_iterable(cut))
    groups = [list(group) for is_filled, group in groupby(pieces, key=lambda p: bool(p.text.strip())) if is_filled]
    single_lines = {make_comparison_key(group[0].text) for group in groups if len(group) == 1}
    items: list[RawBlock] = []
    tables_of_contents = 0
    for group in groups:
        if not any(piece.turn for piece in group) and _is_table_of_contents([p.text for p in group], single_lines):
            tables_of_contents += 1
            continue
        for part in _split_at_turns(group):
            if _is_wrapped([piece.text for piece in part], bool(part[0].turn)):
                items.append(part[0]._replace(text=clean_line(" ".join(piece.text for piece in part))))
            else:
                for piece in part:
                    _append_block(items, piece._replace(text=clean_line(piece.text)))
    return items, tables_of_contents


def _cut_at_turns(block: RawBlock, turns: Sequence[TurnStart]) -> Iterator[RawBlock]:
    """Yield the part of a block before its first turn label, if there is any, and a block for each label."""
    bounds = [turn.at for turn in turns] + [len(block.text)]
    if head := block.text[: bounds[0]].strip():
        yield block._replace(text=head)
    for turn, end in zip(turns, bounds[1:], strict=True):
        yield block._replace(text=block.text[turn.at : end].strip(), turn=turn.label, turn_size=turn.size)


def _split_at_turns(group: Sequence[RawBlock]) -> Iterator[list[RawBlock]]:
    """Split a group of lines before every turn label, and after a label that stands alone in its line."""
    part: list[RawBlock] = []
    for piece in group:
        if part and (piece.turn or _is_label_alone(part[-1])):
            yield part
            part = []
        part.append(piece)
    yield part


def _is_label_alone(item: RawBlock) -> bool:
    return bool(item.turn) and len(item.text) <= item.turn_size


def _append_block(items: list[RawBlock], item: RawBlock) -> None:
    # A line that ends in mid-sentence and continues in lower case was broken by a page or a column.
    text = item.text
    if items and text[:1].islower() and not is_boilerplate(text):
        before = items[-1].text
        is_long = len(before) >= WRAPPED_LINE_LENGTHS[0] or (items[-1].turn and not _is_label_alone(items[-1]))
        if is_long and not SENTENCE_END.search(before) and not is_boilerplate(before):
            items[-1] = items[-1]._replace(text=f"{before} {text}")
            return
    if text:
        items.append(item)


def _is_wrapped(group: Sequence[str], is_turn: bool) -> bool:
    # Two lines may be a title and its text; `_append_block` joins them if one sentence spans both.
    least = 2 if is_turn else 3
    if len(group) < least or any(is_boilerplate(line.strip()) or extract_header_date(line.strip()) for line in group):
        return False
    inner = [line.strip() for line in group[:-1]]
    shortest, longest = WRAPPED_LINE_LENGTHS
    end = STATEMENT_END if is_turn else SENTENCE_END
    ends = sum(bool(end.search(line)) for line in inner)
    return all(shortest <= len(line) <= longest for line in inner) and 2 * ends < len(inner)


def _is_table_of_contents(group: Sequence[str], single_lines: Collection[str]) -> bool:
    lines = group[1:] if CONTENTS_LABEL.fullmatch(group[0].strip()) else group
    if len(lines) < MIN_CONTENTS_LINES:
        return False
    if lines is not group and all(line[:1].isspace() for line in lines):
        return True
    return sum(make_comparison_key(line) in single_lines for line in lines) >= MIN_REPEATED_SHARE * len(lines)


def is_boilerplate(text: str) -> bool:
    """Return whether a block is boilerplate: icon names, share and "read more" lines, counters, timers."""
    return bool(BOILERPLATE.fullmatch(text)) or is_icon_list(text)


def is_icon_list(text: str) -> bool:
    """Return whether a block is a list of icon names, as found on pages with RT's layout."""
    return text.startswith("icon ") and len(ICON_WORD.findall(text)) >= MIN_ICONS


def clean_line(text: str) -> str:
    """Return the text in one line, without control characters."""
    return " ".join(_CONTROL_CHARACTERS.sub(" ", text).split())


def make_comparison_key(text: str) -> str:
    """Return the words of a text in lower case; lines with the same key count as the same."""
    return " ".join(WORD.findall(text.casefold()))


@dataclass(frozen=True, slots=True)
class Block:
    """One block of a document. `after_break` is true when a separator such as `* * *` comes before it.

    `hint` and `labelled` are `kind` and `labelled` of `RawParagraph`. `turn` is the turn label at the beginning of
    the text, or empty, and `turn_size` its length in characters. A heading with a turn label is only that label.
    """

    kind: Literal["title", "heading", "body"]
    text: str
    label: str = ""
    source_ref: str = ""
    after_break: bool = False
    hint: RawParagraphKind = ""
    labelled: bool = False
    turn: str = ""
    turn_size: int = 0


@dataclass(frozen=True, slots=True)
class Segmentation:
    """The blocks of a page in order, its title, the date lines above the text, and the count of blocks removed."""

    blocks: tuple[Block, ...]
    title: str
    header: tuple[str, ...]
    boilerplate: int
    rt: bool


def segment_document(raw: RawDocument, turns: Sequence[Sequence[TurnStart]] = ()) -> Segmentation:
    """Split a raw document into the blocks to keep, and count one boilerplate block for each one removed.

    `turns` are the turn labels of every line (`list_lines`).
    """
    items, removed = _collect_items(raw, turns)
    rt = any(is_icon_list(item.text) for item in items)
    if not raw.paragraphs:
        # Paragraphs given by a source do not include the footer of the page; plain text does.
        items, footer = _drop_footer(items)
        removed += footer
    page = _Page(clean_line(raw.title), bool(raw.paragraphs))
    for i, item in enumerate(items):
        if page.remove(item):
            removed += 1
        elif page.is_title(item, items[i + 1 :]):
            page.title = item.text
        else:
            page.keep(item, is_alone=len(items) == 1)
    blocks, title = page.blocks, page.title
    if not page.has_body:
        blocks, title = _convert_to_body(blocks, title, bool(clean_line(raw.title)), page.repeated)
    if not raw.paragraphs and title:
        blocks = _mark_lead(blocks, rt)
    lead = clean_line(raw.lead)
    if WORD.search(lead) and not any(_is_same_text(text, lead) for text in (title, *(b.text for b in blocks))):
        blocks.insert(0, Block("heading", lead))
    if title:
        blocks.insert(0, Block("title", title, source_ref=raw.source_ref))
    return Segmentation(tuple(blocks), title, tuple(page.header), removed, rt)


def _collect_items(raw: RawDocument, turns: Sequence[Sequence[TurnStart]]) -> tuple[list[RawBlock], int]:
    """Return the blocks of a raw document and the number of tables of contents left out."""
    if not raw.paragraphs:
        return split_blocks(raw.text, turns)
    items: Iterable[RawBlock] = (
        RawBlock(clean_line(p.text), " ".join(p.speaker.split()), p.source_ref, p.kind, p.labelled)
        for p in raw.paragraphs
    )
    if any(turns):
        cut = (_cut_at_turns(item, starts) for item, starts in zip(items, turns, strict=True))
        items = chain.from_iterable(cut)
    return [item for item in items if item.text], 0


@dataclass(slots=True)
class _Page:
    """The blocks of a page as they are read; `repeated` are the items that only repeat the title."""

    title: str
    of_paragraphs: bool
    header: list[str] = field(default_factory=list)
    blocks: list[Block] = field(default_factory=list)
    repeated: list[RawBlock] = field(default_factory=list)
    after_break: bool = False
    has_body: bool = False
    in_turn: bool = False

    def remove(self, item: RawBlock) -> bool:
        """Remove a separator, date line, boilerplate or repeated title; return whether the item was one."""
        text = item.text
        if not WORD.search(text):
            # The same person continues after an omission; any other separator ends the turn.
            self.after_break = self.after_break or not OMISSION.fullmatch(text)
            self.in_turn = self.in_turn and not self.after_break
            return True
        if item.turn:
            return False
        if not item.label and not self.has_body and extract_header_date(text):
            self.header.append(text)
            return True
        if not item.label and is_boilerplate(text):
            return True
        if self.title and not self.has_body and _is_same_text(text, self.title):
            self.repeated.append(item)
            return True
        return False

    def is_title(self, item: RawBlock, following: Sequence[RawBlock]) -> bool:
        """Return whether an item is the title of a plain text that has none so far."""
        return not (self.title or self.has_body or self.of_paragraphs or item.turn) and _is_title(item.text, following)

    def keep(self, item: RawBlock, is_alone: bool) -> None:
        """Add an item as a heading, or as body if it is no heading or the only item of the page."""
        is_heading = not is_alone and _is_heading(item, self.of_paragraphs)
        if item.turn:
            is_heading = _is_label_alone(item)
        elif self.in_turn and is_heading and not item.hint:
            # Speakers break off, and say things without a verb.
            is_heading = _is_title_like(item.text)
        self.in_turn = bool(item.turn) or (self.in_turn and not is_heading)
        self.has_body = self.has_body or not is_heading
        kind: Literal["heading", "body"] = "heading" if is_heading else "body"
        text, label, source_ref, hint, labelled, turn, size = item
        self.blocks.append(Block(kind, text, label, source_ref, self.after_break, hint, labelled, turn, size))
        self.after_break = False


def _convert_to_body(
    blocks: list[Block], title: str, is_given: bool, repeated: Sequence[RawBlock]
) -> tuple[list[Block], str]:
    """Return blocks and title of a text that consists only of titles and headings, as posts do: they become body.

    A title that was taken from the text becomes body too. A text that only repeats the given title is kept as
    well. Headings marked by the source stay headings. Very short texts are left as they are.
    """
    body = [block if block.hint == "heading" else replace(block, kind="body") for block in blocks]
    if title and not is_given:
        body.insert(0, Block("body", title))
    elif not body:
        body = [Block("body", r.text, r.label, r.source_ref) for r in repeated[:1] if r.hint != "heading"]
    texts = [block.text for block in body] + [item.text for item in repeated]
    if sum(count_words(text) for text in texts) < MIN_STATEMENT_WORDS:
        return blocks, title
    return body, title if is_given else ""


def _drop_footer(items: list[RawBlock]) -> tuple[list[RawBlock], int]:
    for i, item in enumerate(items):
        is_label = not item.label and FOOTER_HEADING.fullmatch(item.text) is not None
        if is_label and any(_is_prose(kept) for kept in items[:i]) and not _has_prose_after(items[i + 1 :]):
            return items[:i], len(items) - i
    return items, 0


def _has_prose_after(items: Sequence[RawBlock]) -> bool:
    """Return whether an article follows, so that the line before was a heading. Teasers are few, short or cut off."""
    lengths = (count_words(item.text) for item in items if FULL_STOP.search(item.text))
    return sum(words >= MIN_PROSE_WORDS for words in lengths) >= MIN_PROSE_PARAGRAPHS


def _is_prose(item: RawBlock) -> bool:
    return not _is_heading(item, of_paragraphs=False) and not is_boilerplate(item.text)


def _is_title(text: str, following: Sequence[RawBlock]) -> bool:
    if not following or count_words(text) > MAX_TITLE_WORDS or DATELINE.match(text):
        return False
    return _is_same_text(text, following[0].text) or text.endswith("?") or not SENTENCE_END.search(text)


def _is_heading(item: RawBlock, of_paragraphs: bool) -> bool:
    text = item.text
    if item.hint == "heading":
        return not item.label
    if item.label or item.hint or count_words(text) > MAX_HEADING_WORDS or text[:1].islower():
        return False
    if SECTION_COLON.fullmatch(text):
        return True
    if SENTENCE_END.search(text) or SENTENCE_BREAK.search(text) or _has_open_quote(text):
        return False
    # Paragraphs given by a source include list items and broken sentences; a heading starts with a capital.
    return not of_paragraphs or text[:1].isupper()


def _is_title_like(text: str) -> bool:
    """Return whether a line is written as a title: in capitals, or with capitals for all but small words."""
    words = WORD.findall(text)
    if not text[:1].isalnum() or text.endswith(("-", "–", "—")):
        return False
    return text.isupper() or (len(words) > 1 and all(w[:1].isupper() or w[:1].isdigit() or len(w) < 4 for w in words))


def _has_open_quote(text: str) -> bool:
    return sum(text.count(sign) for sign in '“”„«»"') % 2 == 1


def _mark_lead(blocks: list[Block], rt: bool) -> list[Block]:
    """Make the summary between title and text a heading: before a dateline, or first on a page with RT's layout."""
    bodies = [i for i, block in enumerate(blocks) if block.kind == "body"]
    dated = next((i for i in bodies[:3] if DATELINE.match(blocks[i].text) and not blocks[i].turn), None)
    first = bodies[:1] if rt and len(bodies) > 2 else []
    leads = first if dated is None else [i for i in bodies if i < dated]
    return [replace(b, kind="heading") if i in leads else b for i, b in enumerate(blocks)]


def _is_same_text(text: str, title: str) -> bool:
    is_long_enough = text == title or count_words(title) >= MIN_REPEATED_TITLE_WORDS
    return is_long_enough and make_comparison_key(text) == make_comparison_key(title)
