"""How long a preview of an edited narrative takes on a store.

    python -m benchmarks.previews STORE

The store's snapshot is prepared once, as when the Codebook page is first used. Then each narrative is edited twice: a
paragraph of the snapshot, drawn at random, becomes another exemplar, and the narrative loses its first one.
"""

from __future__ import annotations

import argparse
import random
import statistics
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from narratives.store import open_snapshot
from narratives.store.queries.evidence import query_statement_texts
from narratives.workflows import search
from narratives.workflows.codebook import load_codebook
from narratives.workflows.codebook.preview import Previewer


def main() -> None:
    """Print the seconds of the preparation and of the previews."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("store", type=Path)
    given = parser.parse_args()
    draw, codebook = random.Random(0), load_codebook(given.store)
    with closing(open_snapshot(given.store)) as snapshot:
        started = time.perf_counter()
        encoder = search.load_snapshot_encoder(snapshot.meta(), "")
        previewer = Previewer(given.store, snapshot, lambda: encoder).prepare(codebook)
        prepared = time.perf_counter() - started
        texts = query_statement_texts(snapshot, copies=False)["text"].tolist()
        seconds, changed = [], 0
        for place, narrative in enumerate(codebook.narratives):
            for exemplars in ((*narrative.exemplars, draw.choice(texts)), narrative.exemplars[1:]):
                narratives = list(codebook.narratives)
                narratives[place] = replace(narrative, exemplars=exemplars)
                book = replace(codebook, narratives=tuple(narratives))
                started = time.perf_counter()
                result = previewer.preview(book, narrative.id)
                seconds.append(time.perf_counter() - started)
                changed += result.gained_count + result.lost_count
    print(f"{len(texts):,} paragraphs prepared in {prepared:.1f} s")
    first, *others = seconds
    print(f"the first preview, which loads the model: {first:.2f} s")
    print(f"{len(others)} others, median {statistics.median(others):.2f} s, worst {max(others):.2f} s; ", end="")
    print(f"{changed:,} paragraphs gained or lost")


if __name__ == "__main__":
    main()
