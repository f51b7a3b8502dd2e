"""Seconds and memory that reading and parsing take, one document at a time and nothing encoded.

    python -m benchmarks.parse_speed [INPUT...] [--times N]

Without an input: the Kremlin set of `../shared`. With `--times` the input is read that often, as if it were
so much larger: the peak of memory must not grow.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from narratives.model import RawDocument
from narratives.parse import Roster, parse_document
from narratives.read import find_inputs, load_speakers, read_file

ROOT = Path(__file__).resolve().parent.parent
KREMLIN = ROOT.parent / "shared" / "corpora" / "kremlin_en_2016_2020.jsonl.gz"


@dataclass(frozen=True, slots=True)
class Speed:
    """What was parsed; seconds of the clock and of the processor; the process's peak of memory in MiB."""

    documents: int
    paragraphs: int
    seconds: float
    processor_seconds: float
    peak_mib: float


def measure(inputs: Sequence[str], times: int = 1) -> Speed:
    """Read and parse, keeping no document."""
    roster = Roster(load_speakers(ROOT / "data" / "speakers.toml"))
    started, processor = time.monotonic(), time.process_time()
    documents = paragraphs = 0
    files, _ = find_inputs(inputs)
    for file in files * times:
        for raw in read_file(file, {}):
            if isinstance(raw, RawDocument):
                documents += 1
                paragraphs += len(parse_document(raw, roster).paragraphs)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return Speed(documents, paragraphs, time.monotonic() - started, time.process_time() - processor, peak)


def main() -> None:
    """Print the figures."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    arguments.add_argument("inputs", nargs="*", default=[str(KREMLIN)], metavar="INPUT")
    arguments.add_argument("--times", type=int, default=1)
    given = arguments.parse_args()
    s = measure(given.inputs, given.times)
    print(f"{s.documents} documents, {s.paragraphs} paragraphs")
    print(f"{s.seconds:.1f} s, {s.processor_seconds:.1f} s of one core, peak {s.peak_mib:.0f} MiB")


if __name__ == "__main__":
    main()
