"""Reading of the Kremlin's pages as served, against the reference made from the same pages.

    python -m benchmarks.accuracy_kremlin [--shared ../shared] [--details]

Takes the pages of `corpora/kremlin_en_pages.tar.gz` and the rows of `corpora/kremlin_en_2016_2020.jsonl.gz`
with the same ids. A paragraph is right if the page's reference holds it, white space folded; speakers are
compared after both names went through the roster, for paragraphs that the source itself labels.
"""

from __future__ import annotations

import argparse
import gzip
import json
import re
import tarfile
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lxml import html

from narratives.model import Document, InputFile, RawDocument
from narratives.parse import Roster, parse_document
from narratives.read import load_speakers, read_file
from narratives.read.characters import clean_characters

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"
TWIN = "-print"
MIN_TOOLTIP = 25  # characters of a tooltip's text that are no mere name


@dataclass(slots=True)
class Figures:
    """What was right, of how many.

    The reference lists separators such as `* * *` as paragraphs: they are read as such, but are none once
    parsed. `labelled` are paragraphs labelled in the source, `twins` print versions.
    """

    pages: int = 0
    hits: int = 0
    found: int = 0
    expected: int = 0
    parsed_hits: int = 0
    parsed_found: int = 0
    parsed_expected: int = 0
    dates: int = 0
    titles: int = 0
    leads: int = 0
    speakers: int = 0
    labelled: int = 0
    tooltips: int = 0
    leaked: int = 0
    twins: int = 0
    twins_same: int = 0
    details: list[str] = field(default_factory=list)

    @property
    def precision(self) -> float:
        """Of the paragraphs read."""
        return self.hits / max(self.found, 1)

    @property
    def recall(self) -> float:
        """Of the reference's paragraphs."""
        return self.hits / max(self.expected, 1)


def measure(shared: Path = SHARED) -> Figures:
    """The figures over all pages of the archive."""
    figures = Figures()
    roster = Roster(load_speakers(ROOT / "data" / "speakers.toml"))
    with tempfile.TemporaryDirectory() as folder:
        with tarfile.open(shared / "corpora" / "kremlin_en_pages.tar.gz") as archive:
            archive.extractall(folder, filter="data")
        paths = sorted(Path(folder).rglob("*.html"))
        pages = {path.stem: path for path in paths if not path.stem.endswith(TWIN)}
        read = {name: _read(path, roster) for name, path in pages.items()}
        for row in _rows(shared, set(pages)):
            name = str(row["id"])
            _score(figures, row, *read[name], roster)
            _count_leaks(figures, pages[name], read[name][0])
        for path in paths:
            if path.stem.endswith(TWIN):
                figures.twins += 1
                twin, original = _read(path, roster)[1], read[path.stem.removesuffix(TWIN)][1]
                figures.twins_same += twin.document_id == original.document_id
    return figures


def _read(path: Path, roster: Roster) -> tuple[RawDocument, Document]:
    [raw] = read_file(InputFile(path, path.name), {})
    if not isinstance(raw, RawDocument):
        raise ValueError(f"{path.name}: {raw.reason}")
    return raw, parse_document(raw, roster)


def _rows(shared: Path, ids: set[str]) -> Iterator[dict[str, Any]]:
    with gzip.open(shared / "corpora" / "kremlin_en_2016_2020.jsonl.gz", "rt", encoding="utf-8") as lines:
        rows = (json.loads(line) for line in lines)
        yield from (row for row in rows if str(row["id"]) in ids)


def _score(figures: Figures, row: dict[str, Any], raw: RawDocument, document: Document, roster: Roster) -> None:
    name = row["id"]
    figures.pages += 1
    found = Counter(_fold(p.text) for p in raw.paragraphs)
    expected = Counter(_fold(p["text"]) for p in row["paragraphs"])
    figures.hits += (found & expected).total()
    figures.found += found.total()
    figures.expected += expected.total()
    figures.details += [f"{name}: too much: {text[:90]}" for text in found - expected]
    figures.details += [f"{name}: missing: {text[:90]}" for text in expected - found]

    lead = _fold(raw.lead)
    kept = [p for p in document.paragraphs if p.kind != "title" and _fold(p.text) != lead]
    parsed = Counter(_fold(p.text) for p in kept)
    worded = Counter(_fold(p["text"]) for p in row["paragraphs"] if re.search(r"\w", p["text"]))
    figures.parsed_hits += (parsed & worded).total()
    figures.parsed_found += parsed.total()
    figures.parsed_expected += worded.total()

    figures.dates += document.date == row["date"]
    figures.titles += _fold(document.title) == _fold(row["title"])
    # The reference sets blanks around raised letters ("25 th").
    figures.leads += lead.replace(" ", "") == _fold(row["lead"] or "").replace(" ", "")
    speakers = defaultdict(set)
    for paragraph in kept:
        is_asked = paragraph.kind == "question" and not paragraph.speaker
        speakers[_fold(paragraph.text)].add("(asked)" if is_asked else paragraph.speaker)
    for paragraph in row["paragraphs"]:
        if paragraph["speaker_label_in_source"]:
            right = roster.resolve(paragraph["speaker"], document.date)
            given = speakers[_fold(paragraph["text"])]
            # Unnamed askers have no name: their paragraphs are questions.
            hit = right in given or ("(asked)" in given and right in ("Question", "Remark"))
            # Within a document `CEO of CIFAL Gilles Remy` is merged with the later `Gilles Remy`.
            hit = hit or any(right.endswith(f" {one}") for one in given if " " in one)
            figures.labelled += 1
            figures.speakers += hit
            if not hit:
                figures.details.append(f"{name}: speaker {sorted(given)} for {right}")


def _count_leaks(figures: Figures, path: Path, raw: RawDocument) -> None:
    """Tooltips of the page whose text stands in a paragraph although the page without tooltips lacks it."""
    tree = html.document_fromstring(path.read_bytes(), parser=html.HTMLParser(encoding="utf-8"))
    tips = tree.xpath("//*[contains(@class, 'read__tooltip')]")
    texts = [_fold(tip.text_content()) for tip in tips]
    texts += [_fold(d) for tip in tips for d in tip.xpath(".//@data-value")]
    for tip in tips:
        tip.drop_tree()
    rest = _fold(tree.text_content())
    said = _fold(" ".join(p.text + " " + p.speaker for p in raw.paragraphs))
    for text in texts:
        figures.tooltips += 1
        pieces = [text[i : i + MIN_TOOLTIP] for i in range(0, max(len(text) - MIN_TOOLTIP, 1), MIN_TOOLTIP)]
        figures.leaked += any(piece in said and piece not in rest for piece in pieces if piece)


def _fold(text: str) -> str:
    # The reader removes characters that nobody sees, which the reference has.
    return " ".join(clean_characters(text).split())


def main() -> None:
    """Print the figures."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    arguments.add_argument("--shared", type=Path, default=SHARED)
    arguments.add_argument("--details", action="store_true", help="also every difference")
    given = arguments.parse_args()
    f = measure(given.shared)
    parsed = f"{f.parsed_hits / f.parsed_found:.4f}, recall {f.parsed_hits / f.parsed_expected:.4f}"
    print(f"pages                              {f.pages}")
    print(f"paragraphs, as read                precision {f.precision:.4f}, recall {f.recall:.4f}")
    print(f"paragraphs, as parsed              precision {parsed}")
    print(f"dates                              {f.dates}/{f.pages}")
    print(f"titles                             {f.titles}/{f.pages}")
    print(f"leads                              {f.leads}/{f.pages}")
    print(f"speakers labelled in the source    {f.speakers}/{f.labelled} = {f.speakers / f.labelled:.4f}")
    print(f"tooltips whose text leaked         {f.leaked}/{f.tooltips}")
    print(f"print twins with the same id       {f.twins_same}/{f.twins}")
    if given.details:
        print("\n".join(f.details))


if __name__ == "__main__":
    main()
