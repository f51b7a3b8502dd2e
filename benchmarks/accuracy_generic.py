"""Extraction and dates on the tests' own pages, against trafilatura and htmldate alone.

    python -m benchmarks.accuracy_generic [--pages tests/data/pages] [--details]

Every `NAME.html` there has a `NAME.json` that says what a reader of the page would call its title, outlet,
date and paragraphs. Words are compared as bags, blocks exactly, both with white space folded; scores are
summed over all pages (micro average). The rivals run in this same process on the same bytes, with their
usual settings (trafilatura without comments, htmldate for the original date). What is scored of ours is what
a build keeps: the page read and parsed, without title and lead.
"""

from __future__ import annotations

import argparse
import json
import logging
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from htmldate import find_date
from trafilatura import extract

from narratives.model import Document, InputFile, RawDocument
from narratives.parse import Roster, parse_document
from narratives.read import read_file

ROOT = Path(__file__).resolve().parent.parent
PAGES = ROOT / "tests" / "data" / "pages"


@dataclass(slots=True)
class Score:
    """Hits, and what was given too much and too little."""

    hits: int = 0
    extra: int = 0
    missing: int = 0

    def add(self, found: Counter[str], expected: Counter[str]) -> None:
        """Count one page."""
        shared = (found & expected).total()
        self.hits += shared
        self.extra += found.total() - shared
        self.missing += expected.total() - shared

    @property
    def precision(self) -> float:
        """Share of what was given that is right."""
        return self.hits / max(self.hits + self.extra, 1)

    @property
    def recall(self) -> float:
        """Share of what is right that was given."""
        return self.hits / max(self.hits + self.missing, 1)

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        return 2 * self.hits / max(2 * self.hits + self.extra + self.missing, 1)


@dataclass(slots=True)
class Result:
    """The scores of one method over all pages; `dates`, `titles`, `outlets` and `kinds` count right ones."""

    words: Score = field(default_factory=Score)
    blocks: Score = field(default_factory=Score)
    dates: int = 0
    titles: int = 0
    outlets: int = 0
    kinds: int = 0
    details: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Comparison:
    """Ours and the rivals' on `pages` pages, which hold `blocks` paragraphs."""

    pages: int = 0
    blocks: int = 0
    ours: Result = field(default_factory=Result)
    rival: Result = field(default_factory=Result)


def compare(folder: Path = PAGES) -> Comparison:
    """Score all labelled pages of a folder."""
    logging.getLogger("trafilatura").setLevel(logging.ERROR)
    result = Comparison()
    for label in sorted(folder.glob("*.json")):
        expected: dict[str, Any] = json.loads(label.read_text("utf-8"))
        path = label.with_suffix(".html")
        result.pages += 1
        result.blocks += len(expected["paragraphs"])
        _score_ours(result.ours, path, expected)
        _score_rival(result.rival, path, expected)
    return result


def read(path: Path) -> tuple[RawDocument, Document]:
    """The one document of a page, as read and as parsed; raises ValueError where it was rejected."""
    [raw] = read_file(InputFile(path, path.name), {})
    if not isinstance(raw, RawDocument):
        raise ValueError(f"{path.name}: {raw.reason}")
    return raw, parse_document(raw, Roster(()))


def _score_ours(result: Result, path: Path, expected: dict[str, Any]) -> None:
    raw, document = read(path)
    kept = [p for p in document.paragraphs if p.kind != "title" and p.text != raw.lead]
    _score_text(result, path.stem, [p.text for p in kept], expected)
    kinds = {"heading": "heading", "question": "question"}
    wanted = {p["text"]: kinds.get(p["kind"], "body") for p in expected["paragraphs"]}
    asked = {p["text"]: p["text"].startswith("Question:") for p in expected["paragraphs"]}
    for p in kept:
        right = wanted.get(p.text) == p.kind or (p.kind == "question" and asked.get(p.text, False))
        result.kinds += right
        if p.text in wanted and not right:
            result.details.append(f"{path.stem}: kind {p.kind} of {p.text[:60]!r}")
    _score_date(result, path.stem, document.date, expected)
    result.titles += document.title == expected["title"]
    result.outlets += document.outlet == expected["outlet"]
    for name, value in (("title", document.title), ("outlet", document.outlet)):
        if value != expected[name]:
            result.details.append(f"{path.stem}: {name} {value!r} for {expected[name]!r}")


def _score_rival(result: Result, path: Path, expected: dict[str, Any]) -> None:
    data = path.read_bytes()
    text = extract(data, include_comments=False) or ""
    blocks = [line.lstrip("-|# ").rstrip("| ") for line in text.splitlines()]
    # Title and lead are scored on neither side: who gives them is not wrong.
    aside = ("", expected["title"], expected["lead"])
    _score_text(result, path.stem, [block for block in blocks if block not in aside], expected)
    _score_date(result, path.stem, find_date(data, original_date=True) or "", expected)


def _score_text(result: Result, name: str, blocks: Sequence[str], expected: dict[str, Any]) -> None:
    wanted = [p["text"] for p in expected["paragraphs"]]
    result.words.add(Counter(_words(blocks)), Counter(_words(wanted)))
    found, right = Counter(map(_fold, blocks)), Counter(map(_fold, wanted))
    result.blocks.add(found, right)
    result.details += [f"{name}: too much: {text[:90]!r}" for text in found - right]
    result.details += [f"{name}: missing: {text[:90]!r}" for text in right - found]


def _score_date(result: Result, name: str, found: str, expected: dict[str, Any]) -> None:
    result.dates += found == expected["date"]
    if found != expected["date"]:
        result.details.append(f"{name}: date {found!r} for {expected['date']!r}")


def _words(blocks: Sequence[str]) -> Iterator[str]:
    for block in blocks:
        yield from re.findall(r"\w+", block.casefold())


def _fold(text: str) -> str:
    return " ".join(text.split())


def main() -> None:
    """Print the table."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    arguments.add_argument("--pages", type=Path, default=PAGES)
    arguments.add_argument("--details", action="store_true", help="also every difference, by page")
    given = arguments.parse_args()
    result = compare(given.pages)
    print(f"{result.pages} pages, {result.blocks} paragraphs")
    print(f"{'':28}  words P     R     F  blocks P     R     F  dates")
    for name, one in (("ours", result.ours), ("trafilatura and htmldate", result.rival)):
        scores = [f"{s.precision:6.3f}{s.recall:6.3f}{s.f1:6.3f}" for s in (one.words, one.blocks)]
        print(f"{name:28}{'    '.join(scores)}   {one.dates}/{result.pages}")
    ours = result.ours
    print(f"ours: titles {ours.titles}, outlets {ours.outlets} of {result.pages}", end="; ")
    print(f"kinds {ours.kinds} of {result.blocks}")
    if given.details:
        for name, one in (("ours", result.ours), ("rivals", result.rival)):
            print("\n".join([f"-- {name}", *one.details]))


if __name__ == "__main__":
    main()
