"""Speakers and voices on the tests' own labelled articles.

    python -m benchmarks.accuracy_articles [--articles tests/data/articles] [--details] [--record]

`--record` writes what the parser says of every paragraph, right or wrong, to ARTICLES/attributions.tsv. A test compares
it with the parser, so that no change of the rules changes an attribution unseen: read the difference, then record it.

A speaker is right where the surname is; wrong means another person, none that nobody was named. Scored are
paragraphs of reports: what stands in transcripts and briefings is counted with the voices only.
"""

from __future__ import annotations

import argparse
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from narratives.model import Paragraph, RawDocument
from narratives.parse import Roster, parse_document
from narratives.read import load_speakers

ROOT = Path(__file__).resolve().parent.parent
ARTICLES = ROOT / "tests" / "data" / "articles"
ATTRIBUTIONS = "attributions.tsv"


@dataclass(slots=True)
class Tally:
    """Paragraphs of one set.

    `named` have a speaker by their label, `quoted` are those of them with a quotation; `unnamed` have none,
    and `forced` of these were given one.
    """

    paragraphs: int = 0
    named: int = 0
    right: int = 0
    wrong: int = 0
    quoted: int = 0
    quoted_right: int = 0
    quoted_wrong: int = 0
    unnamed: int = 0
    forced: int = 0
    voices: int = 0
    passed_on: int = 0
    passed_on_right: int = 0
    details: list[str] = field(default_factory=list)


def measure(articles: Path = ARTICLES) -> dict[str, Tally]:
    """The tally of every file of articles, by its stem."""
    tallies: dict[str, Tally] = {}
    for name, pattern, label, paragraph in _parse_articles(articles):
        _score(tallies.setdefault(name, Tally()), pattern, label, paragraph)
    return tallies


def list_attributions(articles: Path = ARTICLES) -> str:
    """What the parser says of every paragraph of every article, one line each, with tabs between the values."""
    lines = ["set\tspeaker\tvoice\tmethod\tpassed on\ttext"]
    for name, _, _, p in _parse_articles(articles):
        lines.append("\t".join((name, p.speaker, p.voice, p.speaker_method, p.quoted_person, p.text[:60])))
    return "\n".join(lines) + "\n"


def _parse_articles(articles: Path) -> Iterator[tuple[str, str, list[str], Paragraph]]:
    """Yield of every paragraph its file's stem, its article's pattern, its label, and what the parser makes of it."""
    roster = Roster(load_speakers(ROOT / "data" / "speakers.toml"))
    for path in sorted(articles.glob("*.toml")):
        for article in tomllib.loads(path.read_text("utf-8"))["article"]:
            for label, paragraph in _pairs(article, roster):
                yield path.stem, article["pattern"], label, paragraph


def _pairs(article: dict[str, Any], roster: Roster) -> Iterator[tuple[list[str], Paragraph]]:
    labels: list[list[str]] = article["paragraphs"]
    document = parse_document(
        RawDocument(
            "article",
            text="\n\n".join(label[2] for label in labels),
            title=article["title"],
            date=article.get("date", ""),
            outlet=article.get("outlet", ""),
        ),
        roster,
    )
    body = [p for p in document.paragraphs if p.kind in ("body", "question")]
    yield from zip(labels, body, strict=True)


def _score(tally: Tally, pattern: str, label: list[str], paragraph: Paragraph) -> None:
    speaker, voice, text, passed_on = (*label, "")[:4]
    given, expected = _surname(paragraph.speaker), _surname(speaker)
    tally.paragraphs += 1
    tally.voices += paragraph.voice == voice
    if passed_on:
        tally.passed_on += 1
        tally.passed_on_right += paragraph.quoted_person == passed_on
    if speaker and voice != "own":
        tally.named += 1
        tally.right += given == expected
        tally.wrong += given not in ("", expected)
        if "“" in text or '"' in text:
            tally.quoted += 1
            tally.quoted_right += given == expected
            tally.quoted_wrong += given not in ("", expected)
    elif not speaker:
        tally.unnamed += 1
        tally.forced += given != ""
    if (given, paragraph.voice) != (expected, voice):
        came = f"{paragraph.speaker or 'nobody'}, {paragraph.voice}"
        tally.details.append(f"{pattern}: {came} for {speaker or 'nobody'}, {voice}: {text[:70]}")


def _surname(name: str) -> str:
    return name.split()[-1] if name else ""


def main() -> None:
    """Print the tallies."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    arguments.add_argument("--articles", type=Path, default=ARTICLES)
    arguments.add_argument("--details", action="store_true", help="also every difference")
    arguments.add_argument("--record", action="store_true", help="write attributions.tsv")
    given = arguments.parse_args()
    if given.record:
        (given.articles / ATTRIBUTIONS).write_text(list_attributions(given.articles), "utf-8")
    for name, t in measure(given.articles).items():
        print(f"{name}: {t.paragraphs} paragraphs")
        print(f"  speaker named, of a report     right {t.right}/{t.named}, wrong {t.wrong}")
        print(f"  of these with a quotation      right {t.quoted_right}/{t.quoted}, wrong {t.quoted_wrong}")
        print(f"  nobody to be named             given one {t.forced}/{t.unnamed}")
        print(f"  voice                          right {t.voices}/{t.paragraphs}")
        print(f"  person passed on               right {t.passed_on_right}/{t.passed_on}")
        if given.details:
            print("\n".join(t.details))


if __name__ == "__main__":
    main()
