"""How every number is made, in words and formulas: the text of method.md, with the code's own constants."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from narratives.measure import Base
from narratives.measure.base import WINDOW
from narratives.measure.change import OFFSET, SHORTEST, SLOPE
from narratives.measure.clustered import EXTRA_FREEDOM, POOL_WEIGHT, PRIOR_LIKENESS, PRIOR_WEIGHT
from narratives.measure.intervals import LEVEL
from narratives.model import LEAST_STANCE, MIN_STATEMENT_WORDS
from narratives.parse.settings import COPY_JACCARD, SHINGLE_WORDS
from narratives.track import claims, clauses, match, recurrence, scale
from narratives.track.layout import MOST, PLACED_BY
from narratives.track.learn import NEAR, TRUST

_HEAD = re.compile(r"^## (.+) \{#([a-z]+)\}\n", re.MULTILINE)
_TERM = re.compile(r"<<([a-z_]+)>>")


@dataclass(frozen=True, slots=True)
class Section:
    """A section of the text, in Markdown with formulas; `anchor` is its place in the page's address."""

    anchor: str
    title: str
    body: str


def sections(least: Base) -> tuple[Section, ...]:
    """All sections in their order; `least` is what a share of the snapshot must rest on to be shown."""
    _, *parts = _HEAD.split(template())
    found = figures(least)
    return tuple(
        Section(anchor, title, _TERM.sub(lambda term: found[term[1]], body).strip())
        for title, anchor, body in zip(parts[0::3], parts[1::3], parts[2::3], strict=True)
    )


def template() -> str:
    """The text with names in the place of figures."""
    return Path(__file__).with_suffix(".md").read_text("utf-8")


def figures(least: Base) -> dict[str, str]:
    """What stands in the text for each name: constants of the code, as people write them."""
    usual = Base()
    some = recurrence.LEAST_SOME
    noun = "paragraph" if least.expected == 1 else "paragraphs"
    rare = f", or fewer than {least.expected:g} {noun} expected at the narrative’s overall share"
    rare = rare if least.expected else ""
    here = f" In this snapshot, by its own account no study, {least.documents} documents are enough."
    numbers: dict[str, float] = {
        "words": MIN_STATEMENT_WORDS,
        "shortest": SHORTEST,
        "shingle": SHINGLE_WORDS,
        "sharpness": match.SHARPNESS,
        "cue": match.CUE_BONUS,
        "question": match.QUESTION_PENALTY,
        "threshold": match.DEFAULT_THRESHOLD,
        "midpoint": scale.MIDPOINT,
        "slope": scale.SLOPE,
        "decimals": scale.DECIMALS,
        "near_evidence": NEAR,
        "least_words": clauses.LEAST_WORDS,
        "most_words": clauses.MOST_WORDS,
        "stance": max(claims.CLAUSE_STANCE, LEAST_STANCE),
        "near": claims.NEAR,
        "many_documents": recurrence.MANY_DOCUMENTS,
        "few_documents": recurrence.FEW_DOCUMENTS,
        "few": recurrence.LEAST_FEW,
        "pool": POOL_WEIGHT,
        "likeness": PRIOR_LIKENESS,
        "prior": PRIOR_WEIGHT,
        "freedom": EXTRA_FREEDOM,
        "usual_documents": usual.documents,
        "usual_expected": usual.expected,
        "offset": OFFSET,
        "gain": SLOPE,
        "window": WINDOW,
        "placed_by": PLACED_BY,
    }
    return {
        **{name: f"{number:g}" for name, number in numbers.items()},
        "level": f"{LEVEL * 100:g} %",
        "copy": f"{COPY_JACCARD * 100:g} %",
        "trust": f"{TRUST * 100:g} %",
        "most_laid": f"{MOST:,}",
        "claim_many": f"{claims.LEAST[0]} documents in {claims.LEAST[1]} quarters",
        "some": f"{some[0]} documents in {some[1]} months",
        "too_few": f"fewer than {least.documents} documents in the period" + rare,
        "here": "" if least == usual else here,
    }
