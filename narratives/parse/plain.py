"""Plain text to items: lines and blocks put together again, tables of contents away."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from narratives.model import RawKind
from narratives.parse.dates import is_header_date
from narratives.parse.settings import (
    BOILERPLATE,
    CONTENTS_LABEL,
    ICON,
    MIN_CONTENTS_LINES,
    MIN_CONTENTS_REPEATED,
    MIN_ICONS,
    SENTENCE_END,
    WORD,
    WRAPPED_LINE,
)

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\u200b\u2060\ufeff]")
_NEWLINE = re.compile(r"\r\n?|[\u2028\u2029\x85]")


class Item(NamedTuple):
    """One block before its kind is known; `label`, `hint` and `labelled` are as the source gives them."""

    text: str
    label: str = ""
    source_ref: str = ""
    hint: RawKind = ""
    labelled: bool = False


def split_text(text: str) -> tuple[list[Item], int]:
    """The blocks of a plain text and the number of tables of contents left out."""
    lines = [_CONTROL.sub(" ", line).rstrip() for line in _NEWLINE.sub("\n", text).split("\n")]
    groups: list[list[str]] = [[]]
    for line in lines:
        if line.strip():
            groups[-1].append(line)
        elif groups[-1]:
            groups.append([])
    standing = [same_key(group[0]) for group in groups if len(group) == 1]
    items: list[Item] = []
    contents = 0
    for group in groups:
        if _is_contents(group, standing):
            contents += 1
        elif _is_wrapped(group):
            items.append(Item(clean(" ".join(group))))
        else:
            for line in group:
                _append(items, clean(line))
    return items, contents


def _append(items: list[Item], text: str) -> None:
    # A line that ends in mid-sentence and goes on in lower case was broken by a page or a column.
    if items and text[:1].islower() and not is_boilerplate(text):
        before = items[-1].text
        if len(before) >= WRAPPED_LINE[0] and not SENTENCE_END.search(before) and not is_boilerplate(before):
            items[-1] = Item(f"{before} {text}")
            return
    if text:
        items.append(Item(text))


def _is_wrapped(group: Sequence[str]) -> bool:
    # Two lines may be a title and what follows it; `_append` joins those that one sentence spans.
    if len(group) < 3 or any(is_boilerplate(line.strip()) or is_header_date(line.strip()) for line in group):
        return False
    inner = [line.strip() for line in group[:-1]]
    shortest, longest = WRAPPED_LINE
    ends = sum(bool(SENTENCE_END.search(line)) for line in inner)
    return all(shortest <= len(line) <= longest for line in inner) and 2 * ends < len(inner)


def _is_contents(group: Sequence[str], standing: Sequence[str]) -> bool:
    lines = group[1:] if group and CONTENTS_LABEL.fullmatch(group[0].strip()) else group
    if len(lines) < MIN_CONTENTS_LINES:
        return False
    if lines is not group and all(line[:1].isspace() for line in lines):
        return True
    known = set(standing)
    return sum(same_key(line) in known for line in lines) >= MIN_CONTENTS_REPEATED * len(lines)


def is_boilerplate(text: str) -> bool:
    """Whether a block is page furniture: icon names, share and "read more" lines, counters, timers."""
    return bool(BOILERPLATE.fullmatch(text)) or is_icons(text)


def is_icons(text: str) -> bool:
    """Whether a block is the names of icons, as pages of RT's layout leave them."""
    return text.startswith("icon ") and len(ICON.findall(text)) >= MIN_ICONS


def clean(text: str) -> str:
    """The text in one line, without control characters."""
    return " ".join(_CONTROL.sub(" ", text).split())


def same_key(text: str) -> str:
    """The words of a text, by which two lines are the same."""
    return " ".join(WORD.findall(text.casefold()))
