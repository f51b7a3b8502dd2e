"""The methodology text: methodology.md with the constants of the code filled in."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from narratives import model
from narratives.discover import claims, clustering, projection, themes
from narratives.match import calibration, learning, matcher
from narratives.measure import correction, shares
from narratives.model import SuppressionRule
from narratives.parse import duplicates

_HEADING = re.compile(r"^## (.+) \{#([a-z]+)\}\n", re.MULTILINE)
_PLACEHOLDER = re.compile(r"<<([\w.]+)>>")
# The modules whose constants the text names, as in <<shares.POOL_WEIGHT>>.
_SOURCES = (
    model,
    duplicates,
    calibration,
    learning,
    matcher,
    claims,
    clustering,
    themes,
    projection,
    correction,
    shares,
)
_MODULES = {module.__name__.rpartition(".")[2]: module for module in _SOURCES}


@dataclass(frozen=True, slots=True)
class Section:
    """A section of the text, in Markdown with formulas; `anchor` is its place in the page's address."""

    anchor: str
    title: str
    body: str


def load_sections(rule: SuppressionRule) -> tuple[Section, ...]:
    """Return all sections in order; `rule` says how much text a share of the snapshot needs to be shown."""
    phrases = format_phrases(rule)

    def fill_in(placeholder: re.Match[str]) -> str:
        module, _, name = placeholder[1].rpartition(".")
        return f"{getattr(_MODULES[module], name):g}" if module else phrases[name]

    _, *parts = _HEADING.split(load_template())
    return tuple(
        Section(anchor, title, _PLACEHOLDER.sub(fill_in, body).strip())
        for title, anchor, body in zip(parts[0::3], parts[1::3], parts[2::3], strict=True)
    )


def load_template() -> str:
    """Return the text with placeholders: names of constants, or of phrases."""
    return Path(__file__).with_suffix(".md").read_text("utf-8")


def format_phrases(rule: SuppressionRule) -> dict[str, str]:
    """Return the phrase for each placeholder that is not the plain value of a constant."""
    usual = SuppressionRule()
    noun = "paragraph" if rule.expected == 1 else "paragraphs"
    rare = f", or fewer than {rule.expected:g} {noun} expected at the narrative’s overall share"
    here = f" In this snapshot, which is labelled as a sample, {rule.documents} documents are enough."
    return {
        "level": f"{shares.CONFIDENCE_LEVEL * 100:g} %",
        "copy": f"{duplicates.MIN_COPY_JACCARD * 100:g} %",
        "version": f"{duplicates.MIN_VERSION_SHARE * 100:g} %",
        "trust": f"{learning.APPLIED_SHARE * 100:g} %",
        "most_laid": f"{projection.MAX_FOR_TSNE:,}",
        "claim_many": "{} documents in {} quarters".format(*claims.MIN_RECURRENCE),
        "some": "{} documents in {} months".format(*clustering.MIN_IN_MEDIUM),
        "usual_documents": f"{usual.documents:g}",
        "usual_expected": f"{usual.expected:g}",
        "too_few": f"fewer than {rule.documents} documents in the period" + (rare if rule.expected else ""),
        "here": "" if rule == usual else here,
    }
