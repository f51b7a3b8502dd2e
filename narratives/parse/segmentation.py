"""Plain text to items: lines and blocks put together again, tables of contents away."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

from narratives.model import MIN_STATEMENT_WORDS, RawDocument, RawParagraphKind
from narratives.parse.dates import extract_header_date
from narratives.parse.patterns import (
    BOILERPLATE,
    CONTENTS_LABEL,
    DATELINE,
    FOOTER_HEADING,
    FULL_STOP,
    ICON_WORD,
    MAX_HEADING_WORDS,
    MAX_TITLE_WORDS,
    MIN_CONTENTS_LINES,
    MIN_ICONS,
    MIN_PROSE_PARAGRAPHS,
    MIN_PROSE_WORDS,
    MIN_REPEATED_SHARE,
    MIN_REPEATED_TITLE_WORDS,
    OMISSION,
    SECTION_COLON,
    SENTENCE_BREAK,
    SENTENCE_END,
    WORD,
    WRAPPED_LINE_LENGTHS,
    count_words,
)

_CONTROL_CHARACTERS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\u200b\u2060\ufeff]")
_NEWLINE = re.compile(r"\r\n?|[\u2028\u2029\x85]")


class RawBlock(NamedTuple):
    """One block before its kind is known; `label`, `hint` and `labelled` are as the source gives them."""

    text: str
    label: str = ""
    source_ref: str = ""
    hint: RawParagraphKind = ""
    labelled: bool = False


def split_blocks(text: str) -> tuple[list[RawBlock], int]:
    """The blocks of a plain text and the number of tables of contents left out."""
    lines = [_CONTROL_CHARACTERS.sub(" ", line).rstrip() for line in _NEWLINE.sub("\n", text).split("\n")]
    groups: list[list[str]] = [[]]
    for line in lines:
        if line.strip():
            groups[-1].append(line)
        elif groups[-1]:
            groups.append([])
    standing = [make_comparison_key(group[0]) for group in groups if len(group) == 1]
    items: list[RawBlock] = []
    contents = 0
    for group in groups:
        if _is_table_of_contents(group, standing):
            contents += 1
        elif _is_wrapped(group):
            items.append(RawBlock(clean_line(" ".join(group))))
        else:
            for line in group:
                _append_block(items, clean_line(line))
    return items, contents


def _append_block(items: list[RawBlock], text: str) -> None:
    # A line that ends in mid-sentence and goes on in lower case was broken by a page or a column.
    if items and text[:1].islower() and not is_boilerplate(text):
        before = items[-1].text
        if len(before) >= WRAPPED_LINE_LENGTHS[0] and not SENTENCE_END.search(before) and not is_boilerplate(before):
            items[-1] = RawBlock(f"{before} {text}")
            return
    if text:
        items.append(RawBlock(text))


def _is_wrapped(group: Sequence[str]) -> bool:
    # Two lines may be a title and what follows it; `_append` joins those that one sentence spans.
    if len(group) < 3 or any(is_boilerplate(line.strip()) or extract_header_date(line.strip()) for line in group):
        return False
    inner = [line.strip() for line in group[:-1]]
    shortest, longest = WRAPPED_LINE_LENGTHS
    ends = sum(bool(SENTENCE_END.search(line)) for line in inner)
    return all(shortest <= len(line) <= longest for line in inner) and 2 * ends < len(inner)


def _is_table_of_contents(group: Sequence[str], standing: Sequence[str]) -> bool:
    lines = group[1:] if group and CONTENTS_LABEL.fullmatch(group[0].strip()) else group
    if len(lines) < MIN_CONTENTS_LINES:
        return False
    if lines is not group and all(line[:1].isspace() for line in lines):
        return True
    known = set(standing)
    return sum(make_comparison_key(line) in known for line in lines) >= MIN_REPEATED_SHARE * len(lines)


def is_boilerplate(text: str) -> bool:
    """Whether a block is page furniture: icon names, share and "read more" lines, counters, timers."""
    return bool(BOILERPLATE.fullmatch(text)) or is_icon_list(text)


def is_icon_list(text: str) -> bool:
    """Whether a block is the names of icons, as pages of RT's layout leave them."""
    return text.startswith("icon ") and len(ICON_WORD.findall(text)) >= MIN_ICONS


def clean_line(text: str) -> str:
    """The text in one line, without control characters."""
    return " ".join(_CONTROL_CHARACTERS.sub(" ", text).split())


def make_comparison_key(text: str) -> str:
    """The words of a text, by which two lines are the same."""
    return " ".join(WORD.findall(text.casefold()))


@dataclass(frozen=True, slots=True)
class Block:
    """A kept block. `after_break` says that a separator such as `* * *` stood before it.

    `hint` and `labelled` are `kind` and `labelled` of `RawParagraph`.
    """

    kind: Literal["title", "heading", "body"]
    text: str
    label: str = ""
    source_ref: str = ""
    after_break: bool = False
    hint: RawParagraphKind = ""
    labelled: bool = False


@dataclass(frozen=True, slots=True)
class Segmentation:
    """The blocks of a page in order, its title, the date lines above the text, and what was taken away."""

    blocks: tuple[Block, ...]
    title: str
    header: tuple[str, ...]
    boilerplate: int
    rt: bool


def segment_document(raw: RawDocument) -> Segmentation:
    """Split a raw document into kept blocks; boilerplate is counted, one for every block taken away."""
    if raw.paragraphs:
        items = [
            RawBlock(clean_line(p.text), " ".join(p.speaker.split()), p.source_ref, p.kind, p.labelled)
            for p in raw.paragraphs
        ]
        items, contents = [item for item in items if item.text], 0
    else:
        items, contents = split_blocks(raw.text)
    rt = any(is_icon_list(item.text) for item in items)
    # Rows of paragraphs were cut from their page by whoever made them; only plain text drags its page along.
    items, footer = (items, 0) if raw.paragraphs else _drop_footer(items)
    title = clean_line(raw.title)
    header: list[str] = []
    blocks: list[Block] = []
    repeated: list[RawBlock] = []
    removed, after_break, seen_body = contents + footer, False, False
    for i, item in enumerate(items):
        text = item.text
        if not WORD.search(text):
            # An omission leaves the turn with whoever had it, any other separator ends it.
            after_break = after_break or not OMISSION.fullmatch(text)
            removed += 1
            continue
        if not item.label and not seen_body and extract_header_date(text):
            header.append(text)
            removed += 1
            continue
        if not item.label and is_boilerplate(text):
            removed += 1
            continue
        if title and not seen_body and _is_same_text(text, title):
            repeated.append(item)
            removed += 1
            continue
        if not title and not seen_body and not raw.paragraphs and _is_title(text, items[i + 1 :]):
            title = text
            continue
        kind: Literal["heading", "body"] = "body"
        if _is_heading(item, of_paragraphs=bool(raw.paragraphs)) and len(items) > 1:
            kind = "heading"
        seen_body = seen_body or kind == "body"
        blocks.append(Block(kind, text, item.label, item.source_ref, after_break, item.hint, item.labelled))
        after_break = False
    if not any(block.kind == "body" for block in blocks):
        blocks, title = _convert_to_body(blocks, title, bool(clean_line(raw.title)), repeated)
    if not raw.paragraphs and title:
        blocks = _mark_lead(blocks, rt)
    lead = clean_line(raw.lead)
    if WORD.search(lead) and not any(_is_same_text(text, lead) for text in (title, *(b.text for b in blocks))):
        blocks.insert(0, Block("heading", lead))
    if title:
        blocks.insert(0, Block("title", title, source_ref=raw.source_ref))
    return Segmentation(tuple(blocks), title, tuple(header), removed, rt)


def _convert_to_body(
    blocks: list[Block], title: str, is_given: bool, repeated: Sequence[RawBlock]
) -> tuple[list[Block], str]:
    """Blocks and title of a text all of which looks like titles and headings, as posts do: body, if no more.

    A title that was only read off the text goes back to it, and a text that says nothing but the given title
    is kept beside it. What the source itself marks as headings stays what it is.
    """
    said = [block if block.hint == "heading" else replace(block, kind="body") for block in blocks]
    if title and not is_given:
        said.insert(0, Block("body", title))
    elif not said:
        said = [Block("body", r.text, r.label, r.source_ref) for r in repeated[:1] if r.hint != "heading"]
    texts = [block.text for block in said] + [item.text for item in repeated]
    if sum(count_words(text) for text in texts) < MIN_STATEMENT_WORDS:
        return blocks, title
    return said, title if is_given else ""


def _drop_footer(items: list[RawBlock]) -> tuple[list[RawBlock], int]:
    for i, item in enumerate(items):
        is_label = not item.label and FOOTER_HEADING.fullmatch(item.text) is not None
        if is_label and any(_is_prose(kept) for kept in items[:i]) and not _has_prose_after(items[i + 1 :]):
            return items[:i], len(items) - i
    return items, 0


def _has_prose_after(items: Sequence[RawBlock]) -> bool:
    """Whether an article follows: teasers are few, short or cut off, so the line before was a heading."""
    long = (count_words(item.text) >= MIN_PROSE_WORDS for item in items if FULL_STOP.search(item.text))
    return sum(long) >= MIN_PROSE_PARAGRAPHS


def _is_prose(item: RawBlock) -> bool:
    return not _is_heading(item, of_paragraphs=False) and not is_boilerplate(item.text)


def _is_title(text: str, following: Sequence[RawBlock]) -> bool:
    if not following or count_words(text) > MAX_TITLE_WORDS or DATELINE.match(text):
        return False
    if _is_same_text(text, following[0].text):
        return True
    return text.endswith("?") or not SENTENCE_END.search(text)


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
    # Split paragraphs hold lists and broken sentences too; a heading there opens like one.
    return not of_paragraphs or text[:1].isupper()


def _has_open_quote(text: str) -> bool:
    return sum(text.count(sign) for sign in '“”„«»"') % 2 == 1


def _mark_lead(blocks: list[Block], rt: bool) -> list[Block]:
    """The summary between title and text: before a dateline, or first on a page of RT's layout."""
    bodies = [i for i, block in enumerate(blocks) if block.kind == "body"]
    dated = next((i for i in bodies[:3] if DATELINE.match(blocks[i].text)), None)
    first = bodies[:1] if rt and len(bodies) > 2 else []
    leads = first if dated is None else [i for i in bodies if i < dated]
    return [replace(b, kind="heading") if i in leads else b for i, b in enumerate(blocks)]


def _is_same_text(text: str, title: str) -> bool:
    return make_comparison_key(text) == make_comparison_key(title) and (
        text == title or count_words(title) >= MIN_REPEATED_TITLE_WORDS
    )
