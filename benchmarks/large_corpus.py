"""A corpus with as many paragraphs as wanted, made from the Kremlin set of `../shared`.

    python -m benchmarks.large_corpus OUT.jsonl.gz [--paragraphs 1000000]

The documents are repeated. In each repetition, a paragraph keeps its place, its speaker's label and about its length;
its text is the first half of its own words and the second half of those of a paragraph in another document. The date
moves by some weeks within the years of the set. Nothing is random. `benchmarks.large_store` makes a store with clusters
and vectors in the same way, which can be shown at once; this corpus is for measuring builds (`benchmarks.incremental`).
"""

from __future__ import annotations

import argparse
import gzip
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from itertools import count
from pathlib import Path
from typing import Any

from benchmarks.incremental import KREMLIN
from benchmarks.large_store import DAYS_BETWEEN_REPETITIONS

LEAST_WORDS = 8  # of a paragraph's own words, so that the label of its speaker stays


def repeat(documents: Sequence[Mapping[str, Any]], paragraphs: int) -> Iterator[dict[str, Any]]:
    """Yield the documents, and then repetitions until there are at least so many paragraphs."""
    texts = [[str(paragraph["text"]).split() for paragraph in document["paragraphs"]] for document in documents]
    first = min(document["date"] for document in documents)
    start = date.fromisoformat(first)
    days = (date.fromisoformat(max(document["date"] for document in documents)) - start).days + 1
    made = 0
    for repetition in count():
        for number, document in enumerate(documents):
            mixed = []
            for place, own in enumerate(texts[number]):
                other = texts[(number + repetition * (1 + place % 7) * 13) % len(texts)] or [own]
                ending = other[place % len(other)]
                words = own[: max(LEAST_WORDS, len(own) // 2)] + ending[len(ending) // 2 :] if repetition else own
                mixed.append({"speaker": None, "speaker_label_in_source": False, "text": " ".join(words)})
            offset = (date.fromisoformat(document["date"]) - start).days + repetition * DAYS_BETWEEN_REPETITIONS
            yield {
                **document,
                "id": f"{document['id']}-{repetition}",
                "url": f"{document['url']}?{repetition}",
                "date": (start + timedelta(days=offset % days)).isoformat(),
                "paragraphs": mixed,
            }
            made += len(mixed)
            if made >= paragraphs:
                return


def main() -> None:
    """Write the corpus."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("out", type=Path)
    parser.add_argument("--paragraphs", type=int, default=1_000_000)
    given = parser.parse_args()
    with gzip.open(KREMLIN, "rt", encoding="utf-8") as file:
        documents = [json.loads(line) for line in file]
    with gzip.open(given.out, "wt", encoding="utf-8", compresslevel=1) as file:
        for document in repeat(documents, given.paragraphs):
            file.write(json.dumps(document, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
