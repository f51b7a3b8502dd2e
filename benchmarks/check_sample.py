"""Check the sample corpus against the sources that it paraphrases.

    python benchmarks/check_sample.py [--sample data/sample] [--shared ../shared]

Needs the reference material beside the project. Prints the counts and then every problem found; exit 1 if
there is one. What it looks at: that each `source_ref` stands for a real document and paragraph; that date,
outlet and address are the source's; that the named speaker is the one the source names there, or at least
occurs on the page; that the paraphrase shares words or names with its source paragraph, and more rare ones
than with nearly all others of that document; and the sample's size and mix.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import math
import re
import sys
import tarfile
import tomllib
import unicodedata
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
YEARS = ("2016", "2017", "2018", "2019", "2020")
MIN_DOCUMENTS, MIN_PARAGRAPHS, MIN_A_YEAR, MIN_SPEAKERS, MIN_OUTLETS = 64, 320, 10, 8, 5
MIN_ORDINARY = 1 / 3
MIN_WORDS, MAX_WORDS = 12, 90
MIN_SHARED_WORDS = 2
MAX_RANK = 10  # of the true paragraph among its document's; a free paraphrase seldom leaves the first three
STEM = 5  # letters that two forms of one word have in common, near enough in English
FUNCTION_WORDS = """
    about above after again against also among another because been before being between both could does doing
    down during each even every from further have having here into itself just like made make many more most
    much must never nothing only other ours over same shall should some such than that their them then there
    these they this those through under until upon very want well were what when where which while whom will
    with without would your yours
"""
COMMON = frozenset(FUNCTION_WORDS.split())
# Outlet and date of the seed files, and the words in the file that show the date; no words: it gives none.
SEEDS = {
    "000": ("RT", "2016-12-14", "14 Dec, 2016"),
    "001": ("RT", "2020-11-13", "13 Nov, 2020"),
    "002": ("", "", ""),
    "003": ("Ministry of Foreign Affairs of Russia", "2016-11-10", "Moscow, November 10, 2016"),
    "004": ("TASS", "", ""),
}
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Source:
    """One document as the reference material holds it; `speakers[i]` is who the page says speaks there."""

    outlet: str
    date: str
    url: str
    paragraphs: tuple[str, ...]
    speakers: tuple[str, ...]
    page: str


def fold(text: str) -> str:
    """Lower case without accents, so that `Vučić` and `Vucic` are one name."""
    plain = unicodedata.normalize("NFKD", text.replace("ı", "i"))
    return "".join(mark for mark in plain if not unicodedata.combining(mark)).lower()


def surname(name: str) -> str:
    """The last word of a name, folded; a hyphen parts words too."""
    return re.split(r"[\s-]+", fold(name).strip())[-1]


def kremlin(shared: Path) -> Iterator[tuple[str, Source]]:
    """The pages of en.kremlin.ru, by `kremlin/<id>`; labels of the page are carried forward."""
    with gzip.open(shared / "corpora" / "kremlin_en_2016_2020.jsonl.gz", "rt", encoding="utf-8") as lines:
        for line in lines:
            row: Row = json.loads(line)
            texts = tuple(str(part["text"]) for part in row["paragraphs"])
            speakers, last = [], ""
            for part in row["paragraphs"]:
                last = part["speaker"] if part["speaker_label_in_source"] else last
                speakers.append(last or "")
            page = "\n".join([row["title"] or "", row["lead"] or "", *texts, *speakers])
            yield (f"kremlin/{row['id']}", Source("Kremlin", row["date"], row["url"], texts, tuple(speakers), page))


def united_nations(shared: Path) -> Iterator[tuple[str, Source]]:
    """The speeches in the General Debate, by `un/<file stem>`; dated by the year, all that the set gives."""
    with (shared / "corpora" / "un_general_debate_speakers.csv").open(encoding="utf-8-sig", newline="") as file:
        people = {(row["iso3"], row["year"]): row["name_of_person_speaking"] for row in csv.DictReader(file)}
    with tarfile.open(shared / "corpora" / "un_general_debate_2016_2020.tar.gz") as archive:
        for member in archive:
            content = archive.extractfile(member) if member.isfile() else None
            if content is None:
                continue
            stem = Path(member.name).stem
            country, _, year = stem.split("_")
            texts = tuple(filled(content.read().decode("utf-8-sig")))
            who = people[country, year]
            yield f"un/{stem}", Source("UN General Debate", year, "", texts, (who,) * len(texts), who)


def seeds(shared: Path) -> Iterator[tuple[str, Source]]:
    """The five first documents, by `seed/<number>`. Raises ValueError if one no longer shows its date."""
    for number, (outlet, date, evidence) in SEEDS.items():
        (path,) = (shared / "seeds").glob(f"{number}_*.txt")
        page = path.read_text("utf-8")
        if evidence not in page:
            raise ValueError(f"{path} does not contain {evidence!r}, from which its date was read")
        texts = tuple(filled(page))
        yield f"seed/{number}", Source(outlet, date, "", texts, ("",) * len(texts), page)


def filled(text: str) -> Iterator[str]:
    """The lines of a text that hold more than white space, stripped."""
    return (line.strip() for line in text.splitlines() if line.strip())


def content(text: str) -> frozenset[str]:
    """Stems of the words that carry meaning (so of most names), and the numbers."""
    stems = {word[:STEM] for word in re.findall(r"[a-z]{4,}", fold(text)) if word not in COMMON}
    return frozenset(stems | set(re.findall(r"\d[\d.,]*\d|\d", text)))


def rank(text: frozenset[str], paragraphs: list[frozenset[str]], number: int) -> int:
    """How many paragraphs of a document share more with a text than paragraph `number` does.

    Shared stems count by their rarity in the document, long paragraphs less by the root of their length.
    """
    spread = Counter(stem for paragraph in paragraphs for stem in paragraph)
    scores = [sum(1 / spread[w] for w in text & p) / math.sqrt(len(p) + STEM) for p in paragraphs]
    return sum(score > scores[number] for score in scores)


def check_row(row: Row, source: Source | None) -> Iterator[str]:
    """What is wrong with one document of the sample."""
    name = row["id"]
    if source is None:
        yield f"{name}: no source {row['source_ref']}"
        return
    for field, there in (("date", source.date), ("outlet", source.outlet), ("url", source.url)):
        if row[field] != there:
            yield f"{name}: {field} is {row[field]!r}, the source has {there!r}"
    if row["speaker"] and surname(row["speaker"]) not in fold(source.page):
        yield f"{name}: speaker {row['speaker']} is not on the page"
    stems = [content(paragraph) for paragraph in source.paragraphs]
    for part in row["paragraphs"]:
        reference = part["source_ref"]
        stem, _, number = reference.partition("#")
        if stem != row["source_ref"] or not number.isdigit() or int(number) >= len(source.paragraphs):
            yield f"{reference}: no such paragraph"
            continue
        yield from check_paragraph(part, source, stems, int(number))


def check_paragraph(part: Row, source: Source, stems: list[frozenset[str]], number: int) -> Iterator[str]:
    """What is wrong with one paraphrase of paragraph `number` of its source, whose stems are given."""
    reference, text, speaker = part["source_ref"], part["text"], part["speaker"]
    words, own = len(text.split()), content(text)
    if not MIN_WORDS <= words <= MAX_WORDS:
        yield f"{reference}: {words} words, not {MIN_WORDS} to {MAX_WORDS}"
    if len(own & stems[number]) < MIN_SHARED_WORDS:
        yield f"{reference}: shares fewer than {MIN_SHARED_WORDS} words with its source: {text[:60]}"
    elif (better := rank(own, stems, number)) >= MAX_RANK:
        yield f"{reference}: {better} paragraphs of that document are nearer: {text[:60]}"
    labelled = source.speakers[number]
    if speaker and surname(speaker) not in fold(labelled) and surname(speaker) not in fold(source.page):
        yield f"{reference}: speaker {speaker}; the source has {labelled or 'nobody'} and never that name"


def check_mix(rows: list[Row], codes: set[str]) -> Iterator[str]:
    """What the sample as a whole lacks: size, years, speakers, outlets, narratives, ordinary paragraphs."""
    parts = [part for row in rows for part in row["paragraphs"]]
    years = Counter(row["date"][:4] for row in rows)
    advanced = Counter(code for part in parts for code in part["advances"])
    ordinary = sum(not part["advances"] for part in parts)
    measured = (
        ("documents", len(rows), MIN_DOCUMENTS),
        ("paragraphs", len(parts), MIN_PARAGRAPHS),
        ("speakers", len({part["speaker"] for part in parts} - {""}), MIN_SPEAKERS),
        ("outlets", len({row["outlet"] for row in rows} - {""}), MIN_OUTLETS),
        *((f"documents of {year}", years[year], MIN_A_YEAR) for year in YEARS),
        ("ordinary paragraphs", ordinary, round(MIN_ORDINARY * len(parts))),
    )
    for what, count, least in measured:
        if count < least:
            yield f"{count} {what}, at least {least} wanted"
    for code in sorted(codes - set(advanced)):
        yield f"no paragraph advances {code}"
    for code in sorted(set(advanced) - codes):
        yield f"unknown narrative {code}"
    for field, values in (
        ("id", [row["id"] for row in rows]),
        ("source_ref", [part["source_ref"] for part in parts]),
        ("text", [part["text"] for part in parts]),
    ):
        yield from (f"{field} used {n} times: {value}" for value, n in Counter(values).items() if n > 1)
    yield from (f"{row['id']}: not marked as a paraphrase" for row in rows if row["text_kind"] != "paraphrase")


def read_sample(folder: Path) -> list[Row]:
    """All documents of the sample, in the order of the files' names."""
    return [
        json.loads(line) for path in sorted(folder.glob("*.jsonl")) for line in path.read_text("utf-8").splitlines()
    ]


def check(sample: Path, shared: Path) -> tuple[list[Row], list[str]]:
    """The sample's documents and every problem found in them, in order."""
    rows = read_sample(sample)
    codes = {entry["id"] for entry in tomllib.loads((ROOT / "data/codebook.toml").read_text("utf-8"))["narrative"]}
    sources = {**dict(kremlin(shared)), **dict(united_nations(shared)), **dict(seeds(shared))}
    problems = [found for row in rows for found in check_row(row, sources.get(row["source_ref"]))]
    return rows, [*problems, *check_mix(rows, codes)]


def main() -> int:
    """Print counts and problems; 1 if there is a problem."""
    parser = argparse.ArgumentParser(description="Check the sample corpus against its sources.")
    parser.add_argument("--sample", type=Path, default=ROOT / "data" / "sample")
    parser.add_argument("--shared", type=Path, default=ROOT.parent / "shared")
    arguments = parser.parse_args()
    rows, problems = check(arguments.sample, arguments.shared)
    parts = [part for row in rows for part in row["paragraphs"]]
    print(f"{len(rows)} documents, {len(parts)} paragraphs")
    for title, counts in (
        ("documents by year", Counter(row["date"][:4] or "undated" for row in rows)),
        ("documents by outlet", Counter(row["outlet"] or "none given" for row in rows)),
        ("paragraphs by narrative", Counter(c for part in parts for c in part["advances"] or ["(ordinary)"])),
        ("paragraphs by speaker", Counter(part["speaker"] or "(outlet's own voice)" for part in parts)),
    ):
        print(f"{title}: " + ", ".join(f"{name} {count}" for name, count in counts.most_common()))
    print("\n".join(problems) if problems else "no problem found")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
