"""Make data/background.npz: vectors of random Kremlin paragraphs against which similarity is measured.

    python -m benchmarks.make_background [CORPUS.jsonl.gz] [OUT.npz]

The paragraphs are drawn without regard to any narrative (seeded; at least 8 words). Only vectors go into the
archive, as float16, with the name and the weights' sha256 of the bundled model; no text. Run it again when
the bundled model or the windows change.
"""

from __future__ import annotations

import gzip
import json
import random
import sys
from functools import partial
from pathlib import Path

import numpy as np

from narratives.embed.encoder import BUNDLED_SHA256, encode_all, load_encoder
from narratives.match.calibration import make_background

ROOT = Path(__file__).resolve().parent.parent
PARAGRAPHS, MIN_WORDS, SEED = 1200, 8, 2016


def paragraphs(corpus: Path) -> list[str]:
    """All paragraphs of the corpus that are long enough, in its order, each text once."""
    with gzip.open(corpus, "rt", encoding="utf-8") as lines:
        texts = [paragraph["text"] for line in lines for paragraph in json.loads(line)["paragraphs"]]
    return list(dict.fromkeys(text for text in texts if len(text.split()) >= MIN_WORDS))


def main(corpus: Path, out: Path) -> None:
    encoder = load_encoder(variant="fp32")

    embed = partial(encode_all, encoder)

    drawn = random.Random(SEED).sample(paragraphs(corpus), PARAGRAPHS)
    background = make_background(drawn, embed, encoder.name, BUNDLED_SHA256)
    np.savez_compressed(
        out,
        model=background.model,
        sha256=background.sha256,
        paragraph_vectors=background.paragraph_vectors.astype(np.float16),
        window_vectors=background.window_vectors.astype(np.float16),
        window_owner=background.window_owner,
    )
    size, windows = out.stat().st_size, len(background.window_owner)
    print(f"{out}: {PARAGRAPHS} paragraphs, {windows} windows, {size:,} bytes")


if __name__ == "__main__":
    given = [Path(argument) for argument in sys.argv[1:]]
    default = [ROOT.parent / "shared/corpora/kremlin_en_2016_2020.jsonl.gz", ROOT / "data/background.npz"]
    main(*(given + default[len(given) :]))
