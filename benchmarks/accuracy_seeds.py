"""Kind, speaker and voice of every block of the five seeds, against labels set by hand.

    python -m benchmarks.accuracy_seeds [--shared ../shared] [--details]

The labels are the developers' own, set while the parser was being written and checked by a second reading;
they are those of the blocks that are kept, in order. One letter a block: t title, h heading, l lead (reported),
? question, q quoted, r reported, o own, - the outlet's own voice; a number repeats the letter after it.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, field
from pathlib import Path

from narratives.model import InputFile, Paragraph, RawDocument
from narratives.parse import Roster, parse_document
from narratives.read import load_speakers, read_file

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"
VOICES = {"l": "reported", "q": "quoted", "r": "reported", "o": "own", "-": "outlet"}
KINDS = {"t": "title", "h": "heading", "l": "lead", "?": "question"}
BRIEFING = "th4oh4oh4oh7oh2oh5oh2oh3oh2oh8oh5oh5oh3oh?2o?o?o?o?5o?o?5o?5o?4o?o?o?o"
SEEDS = {
    "000": ("Dmitry Peskov", "tlrrrrqrrqrrqqqrr"),
    "001": ("Dmitry Peskov", "tl--rrqrqrq-"),
    "002": ("Vladimir Putin", "trqrqrqqrqqq"),
    "003": ("Maria Zakharova", BRIEFING),
    "004": ("Dmitry Peskov", "tlrrrqrhrqrr"),
}


@dataclass(slots=True)
class Seeds:
    """Blocks, and of the body paragraphs, how many have the right kind, speaker and voice."""

    blocks: int = 0
    kinds: int = 0
    body: int = 0
    speakers: int = 0
    voices: int = 0
    details: list[str] = field(default_factory=list)


def measure(shared: Path = SHARED) -> Seeds:
    """The counts over all five."""
    roster = Roster(load_speakers(ROOT / "data" / "speakers.toml"))
    seeds = Seeds()
    for path in sorted((shared / "seeds").glob("*.txt")):
        speaker, packed = SEEDS[path.name[:3]]
        [raw] = read_file(InputFile(path, path.name), {})
        if not isinstance(raw, RawDocument):
            raise ValueError(f"{path.name}: {raw.reason}")
        labels, found = unpack(packed), parse_document(raw, roster).paragraphs
        seeds.blocks += max(len(labels), len(found))
        for label, paragraph in zip(labels, found, strict=False):
            _score(seeds, label, speaker, paragraph)
    return seeds


def unpack(packed: str) -> str:
    """`2o` as `oo`."""
    return "".join(
        letter * int(packed[i - 1] if i and packed[i - 1].isdigit() else 1)
        for i, letter in enumerate(packed)
        if not letter.isdigit()
    )


def _score(seeds: Seeds, label: str, speaker: str, paragraph: Paragraph) -> None:
    kind = KINDS.get(label, "body")
    seeds.kinds += paragraph.kind == kind
    right = paragraph.kind == kind
    if kind in ("lead", "body"):
        seeds.body += 1
        named = paragraph.speaker == ("" if label == "-" else speaker)
        voiced = paragraph.voice == VOICES[label]
        seeds.speakers += named
        seeds.voices += voiced
        right = right and named and voiced
    if not right:
        seeds.details.append(f"{label}: {paragraph.kind}, {paragraph.speaker}, {paragraph.voice}")


def main() -> None:
    """Print the counts."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    arguments.add_argument("--shared", type=Path, default=SHARED)
    arguments.add_argument("--details", action="store_true", help="also every difference")
    given = arguments.parse_args()
    s = measure(given.shared)
    print(f"kinds {s.kinds}/{s.blocks}, speakers {s.speakers}/{s.body}, voices {s.voices}/{s.body}")
    if given.details:
        print("\n".join(s.details))


if __name__ == "__main__":
    main()
