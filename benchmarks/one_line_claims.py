"""How the shipped matcher reads texts that are no paragraphs of transcripts: claims, their rebuttals, news.

    python -m benchmarks.one_line_claims

The texts (claims.jsonl, invented for this purpose and not used in training) imitate a database of fact-checkers. For
each kind it prints how many texts the narrative that they are about is assigned to, and ranked first for; for rebuttals
and neutral reports, which advance nothing, an assignment is an error.
"""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import numpy as np

from narratives import embed, match
from narratives.model import no_progress
from narratives.model.text import embed_passages
from narratives.read import load_codebook
from narratives.resources import DATA_FOLDER
from narratives.store import Store
from narratives.workflows.match import combine_classifiers, load_background, load_classifiers

TEXTS = Path(__file__).with_name("claims.jsonl")


def main() -> None:
    rows = [json.loads(line) for line in TEXTS.read_text("utf-8").splitlines()]
    codebook = load_codebook(DATA_FOLDER / "codebook.toml")
    encoder = embed.load_encoder()
    encode = partial(embed.encode_all, encoder)
    plain = match.fit_matcher(codebook, encode, load_background(encode, encoder.name))
    classifiers = load_classifiers(codebook, encoder, Store(Path("unused")), no_progress)
    outputs = [partial(embed.encode_all, trained.classifier) for trained in classifiers]
    texts = [row["text"] for row in rows]
    about = np.array([plain.narrative_ids.index(row["about"]) for row in rows])
    kinds = np.array([row["kind"] for row in rows])
    vectors, windows = embed_passages(texts, encode)
    for name, matcher, used in (
        ("codebook alone", plain, ()),
        ("with the classifier", combine_classifiers(plain, codebook, classifiers), tuple(outputs)),
    ):
        scores = matcher.match(texts, vectors, windows, used).scores
        assigned = matcher.advances(scores)
        own, first = assigned[np.arange(len(rows)), about], scores.argmax(axis=1) == about
        print(name)
        for kind in ("claim", "news", "rebuttal", "neutral"):
            here = kinds == kind
            figures = own[here].mean(), first[here].mean(), assigned[here].any(axis=1).mean()
            print(f"  {kind:10}{here.sum():5}  own {figures[0]:.2f}  first {figures[1]:.2f}  any {figures[2]:.2f}")
        for column, narrative in enumerate(matcher.narrative_ids):
            mine = (about == column) & (kinds == "claim")
            print(f"    {narrative:34}{own[mine].mean():.2f} of {mine.sum()} claims")


if __name__ == "__main__":
    main()
