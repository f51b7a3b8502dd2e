"""Read a piece of HTML that is text as a whole: an entry of a feed, a mail, a converted document."""

from __future__ import annotations

from collections.abc import Iterable

from narratives.model import RawParagraph
from narratives.read.html.page import HtmlBlock, iterate_blocks, join_runs, parse_page, split_label
from narratives.read.rows import replace_unstorable


def read_fragment(content: str) -> list[RawParagraph]:
    """Return the paragraphs of a piece of HTML with their kinds. Raises ReadError if it is too large."""
    if not content.strip():
        return []
    return make_paragraphs(
        iterate_blocks(parse_page(f"<html><body>{content}</body></html>".encode("utf-8", "replace")))
    )


def make_paragraphs(blocks: Iterable[HtmlBlock]) -> list[RawParagraph]:
    """Return the paragraphs of blocks, with their kinds, and whether their labels are in bold."""
    return [
        RawParagraph(
            replace_unstorable(join_runs(block.runs)), kind=block.kind, labelled=bool(split_label(block.runs).label)
        )
        for block in blocks
    ]


def extract_line(content: str) -> str:
    """Return the text of a piece of HTML in one line."""
    marked = "<" in content or "&" in content
    return " ".join(paragraph.text for paragraph in read_fragment(content)) if marked else content.strip()
