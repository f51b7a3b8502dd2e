"""The methodology text: methodology.md with the constants of the code filled in."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from narratives.discover import claims, clustering
from narratives.discover.projection import MAX_FOR_TSNE, PLACING_NEIGHBOURS
from narratives.match import calibration, matcher
from narratives.match.learning import APPLIED_SHARE, NEAR_EVIDENCE
from narratives.measure.correction import SMOOTHING_PERIODS
from narratives.measure.shares import (
    CONFIDENCE_LEVEL,
    EXTRA_FREEDOM,
    MIN_SEGMENT,
    PENALTY_OFFSET,
    PENALTY_SLOPE,
    POOL_WEIGHT,
    PRIOR_CORRELATION,
    PRIOR_WEIGHT,
)
from narratives.model import MIN_STANCE, MIN_STATEMENT_WORDS, SuppressionRule
from narratives.parse.duplicates import MIN_COPY_JACCARD, SHINGLE_WORDS

_HEADING = re.compile(r"^## (.+) \{#([a-z]+)\}\n", re.MULTILINE)
_PLACEHOLDER = re.compile(r"<<([a-z_]+)>>")


@dataclass(frozen=True, slots=True)
class Section:
    """A section of the text, in Markdown with formulas; `anchor` is its place in the page's address."""

    anchor: str
    title: str
    body: str


def load_sections(rule: SuppressionRule) -> tuple[Section, ...]:
    """Return all sections in order; `rule` says how much text a share of the snapshot needs to be shown."""
    _, *parts = _HEADING.split(load_template())
    figures = format_figures(rule)
    return tuple(
        Section(anchor, title, _PLACEHOLDER.sub(lambda term: figures[term[1]], body).strip())
        for title, anchor, body in zip(parts[0::3], parts[1::3], parts[2::3], strict=True)
    )


def load_template() -> str:
    """Return the text with placeholders for figures."""
    return Path(__file__).with_suffix(".md").read_text("utf-8")


def format_figures(rule: SuppressionRule) -> dict[str, str]:
    """Return the figure for each placeholder: constants of the code, formatted for reading."""
    usual = SuppressionRule()
    some = clustering.MIN_IN_MEDIUM
    noun = "paragraph" if rule.expected == 1 else "paragraphs"
    rare = f", or fewer than {rule.expected:g} {noun} expected at the narrative’s overall share"
    rare = rare if rule.expected else ""
    here = f" In this snapshot, which is labelled as a sample, {rule.documents} documents are enough."
    numbers: dict[str, float] = {
        "words": MIN_STATEMENT_WORDS,
        "shortest": MIN_SEGMENT,
        "shingle": SHINGLE_WORDS,
        "sharpness": matcher.SHARPNESS,
        "cue": matcher.CUE_BONUS,
        "question": matcher.QUESTION_PENALTY,
        "threshold": matcher.DEFAULT_THRESHOLD,
        "midpoint": calibration.MIDPOINT,
        "slope": calibration.SLOPE,
        "decimals": calibration.DECIMALS,
        "near_evidence": NEAR_EVIDENCE,
        "least_words": claims.MIN_CLAUSE_WORDS,
        "most_words": claims.MAX_CLAUSE_WORDS,
        "stance": max(claims.CLAUSE_STANCE, MIN_STANCE),
        "near": claims.NEAR_COSINE,
        "many_documents": clustering.MANY_DOCUMENTS,
        "few_documents": clustering.FEW_DOCUMENTS,
        "few": clustering.MIN_IN_SMALL,
        "pool": POOL_WEIGHT,
        "likeness": PRIOR_CORRELATION,
        "prior": PRIOR_WEIGHT,
        "freedom": EXTRA_FREEDOM,
        "usual_documents": usual.documents,
        "usual_expected": usual.expected,
        "offset": PENALTY_OFFSET,
        "gain": PENALTY_SLOPE,
        "window": SMOOTHING_PERIODS,
        "placed_by": PLACING_NEIGHBOURS,
    }
    return {
        **{name: f"{number:g}" for name, number in numbers.items()},
        "level": f"{CONFIDENCE_LEVEL * 100:g} %",
        "copy": f"{MIN_COPY_JACCARD * 100:g} %",
        "trust": f"{APPLIED_SHARE * 100:g} %",
        "most_laid": f"{MAX_FOR_TSNE:,}",
        "claim_many": f"{claims.MIN_RECURRENCE[0]} documents in {claims.MIN_RECURRENCE[1]} quarters",
        "some": f"{some[0]} documents in {some[1]} months",
        "too_few": f"fewer than {rule.documents} documents in the period" + rare,
        "here": "" if rule == usual else here,
    }
