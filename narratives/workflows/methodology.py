"""How every number is made, in words and formulas: methodology.md with the constants of the code."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from narratives.discover import claims, clustering
from narratives.discover.projection import MOST, PLACED_BY
from narratives.match import calibration, matcher
from narratives.match.learning import NEAR, TRUST
from narratives.measure.change_points import OFFSET, SHORTEST, SLOPE
from narratives.measure.shares import EXTRA_FREEDOM, LEVEL, POOL_WEIGHT, PRIOR_LIKENESS, PRIOR_WEIGHT
from narratives.measure.suppression import WINDOW
from narratives.model import LEAST_STANCE, MIN_STATEMENT_WORDS, SuppressionRule
from narratives.parse.patterns import COPY_JACCARD, SHINGLE_WORDS

_HEAD = re.compile(r"^## (.+) \{#([a-z]+)\}\n", re.MULTILINE)
_TERM = re.compile(r"<<([a-z_]+)>>")


@dataclass(frozen=True, slots=True)
class Section:
    """A section of the text, in Markdown with formulas; `anchor` is its place in the page's address."""

    anchor: str
    title: str
    body: str


def sections(least: SuppressionRule) -> tuple[Section, ...]:
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


def figures(least: SuppressionRule) -> dict[str, str]:
    """What stands in the text for each name: constants of the code, as people write them."""
    usual = SuppressionRule()
    some = clustering.LEAST_SOME
    noun = "paragraph" if least.expected == 1 else "paragraphs"
    rare = f", or fewer than {least.expected:g} {noun} expected at the narrative’s overall share"
    rare = rare if least.expected else ""
    here = f" In this snapshot, by its own account no study, {least.documents} documents are enough."
    numbers: dict[str, float] = {
        "words": MIN_STATEMENT_WORDS,
        "shortest": SHORTEST,
        "shingle": SHINGLE_WORDS,
        "sharpness": matcher.SHARPNESS,
        "cue": matcher.CUE_BONUS,
        "question": matcher.QUESTION_PENALTY,
        "threshold": matcher.DEFAULT_THRESHOLD,
        "midpoint": calibration.MIDPOINT,
        "slope": calibration.SLOPE,
        "decimals": calibration.DECIMALS,
        "near_evidence": NEAR,
        "least_words": claims.LEAST_WORDS,
        "most_words": claims.MOST_WORDS,
        "stance": max(claims.CLAUSE_STANCE, LEAST_STANCE),
        "near": claims.NEAR,
        "many_documents": clustering.MANY_DOCUMENTS,
        "few_documents": clustering.FEW_DOCUMENTS,
        "few": clustering.LEAST_FEW,
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
