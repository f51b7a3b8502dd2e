"""One narrative in words: its shares, first uses, co-occurring narratives and history. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from narratives.model import Granularity, QualityMetrics, SnapshotManifest, SuppressionRule, dates
from narratives.render import phrases
from narratives.render.traces import to_records

MAX_NAMED_SOURCES = 3  # clusters named in a line of the lineage
HIGHLIGHT_LENGTH = 700  # characters of a paragraph in a list

CORRECTION_METHODS = {
    "labels": "corrected with labelled paragraphs of these texts",
    "precision": "corrected for matching errors with a spot check and the recall measured elsewhere",
    "rates": "corrected with the recall and the false-positive rate measured on reference labels",
}
_NO_RATE = "the measured figures lack the rate of false positives; run `evaluate` again to add it"
SPOT_CHECK_HINT = (
    "`narratives spotcheck draw F.csv` draws random paragraphs; once you have judged them, shares can be corrected."
)
MORE_OFTEN, LESS_OFTEN = "more often than by chance", "less often than by chance"
NO_DIFFERENCE = "not clearly more or less often"
TOO_LITTLE_TEXT = "there is too little text"


def explain_no_correction(row: Mapping[str, Any], measured: QualityMetrics | None) -> str:
    """Explain, as the end of a sentence, why there is no corrected share; empty where there is one."""
    if not math.isnan(row["corrected"]):
        return ""
    if row["correction"]:
        return TOO_LITTLE_TEXT
    if measured and math.isnan(measured.false_positive_rate):
        return _NO_RATE
    return str(row["correction_reason"])


def describe_suppression_rule(base: SuppressionRule, by: Granularity, sample: bool) -> str:
    """Say in a sentence which periods show no share."""
    own = " These limits are lower than usual, because this is a small sample." if sample else ""
    return (
        f"A {dates.GRANULARITY_NOUNS[by]} shows its count but no share where it has fewer than {base.documents} "
        f"documents, or where fewer than {format_expected_count(base)} would be expected at the overall share.{own}"
    )


def format_expected_count(base: SuppressionRule) -> str:
    """Write how many paragraphs must be expected at the overall share: `5 paragraphs`."""
    return f"{base.expected:g} paragraph{'' if base.expected == 1 else 's'}"


def describe_first_use_limits(since: str) -> str:
    """Say what a first use can and cannot mean."""
    begin = f" since {phrases.format_partial_date(since)}" if since else ""
    return (
        f"First in the texts collected{begin}; what came before, and elsewhere, is not known. A source whose texts "
        "start later cannot come first here. The order in time does not show who took it from whom, or why."
    )


def describe_first_uses(rows: pd.DataFrame, most: int = 4) -> str:
    """Say in a sentence who used it first and who followed; empty where no use is dated to the day."""
    dated = to_records(rows[rows["first"] != ""])
    if not dated:
        return ""
    first, *others = dated
    leader = f"{first['actor'] or phrases.NOBODY} on {phrases.format_partial_date(first['first'])}"
    after = [
        f"{row['actor'] or phrases.NOBODY} ({phrases.format_count(int(row['days_after']), 'day')} later)"
        for row in others[:most]
    ]
    return f"First {leader}" + (f"; then {', '.join(after)}." if after else "; nobody else.")


def classify_lift(row: Mapping[str, Any]) -> str:
    """Return what the interval of a lift shows: MORE_OFTEN, LESS_OFTEN or NO_DIFFERENCE."""
    return MORE_OFTEN if row["lift_low"] > 1 else LESS_OFTEN if row["lift_high"] < 1 else NO_DIFFERENCE


def describe_cooccurrence(row: Mapping[str, Any]) -> str:
    """Say how often another narrative is in the same documents, compared with chance."""
    both = phrases.format_count(int(row["both"]), "document")
    chance = row["a"] * row["b"] / row["total"] if row["total"] else 0.0
    if math.isnan(row["lift"]):
        return f"{row['narrative']}: {both} with both; {row['base_reason']}."
    return (
        f"{row['narrative']}: {both} with both, {chance:.1f} expected by chance, {row['lift']:.1f} times "
        f"({row['lift_low']:.1f}–{row['lift_high']:.1f}): {classify_lift(row)}."
    )


def build_lineage_table(
    history: Sequence[tuple[SnapshotManifest, pd.DataFrame, Mapping[str, str]]], about: str
) -> pd.DataFrame:
    """Return the lineage of the narrative `about`: columns Snapshot, Built, What changed; latest first.

    Every snapshot of `history` has a row, even if nothing changed. `history` has, for each snapshot, its
    manifest, its lineage events and the names of narratives by id.
    """
    rows = []
    for meta, changed, names in history:
        lines = [line for row in to_records(changed) for line in _describe_lineage_event(row, about, names)]
        if not lines:
            lines = ["Nothing."] if meta.predecessor else ["The first snapshot: nothing to compare with."]
        rows += [(meta.snapshot_id, phrases.format_timestamp(meta.built_at, short=True), line) for line in lines]
    return pd.DataFrame(rows, columns=["Snapshot", "Built", "What changed"])


def _describe_lineage_event(row: Mapping[str, Any], about: str, names: Mapping[str, str]) -> list[str]:
    """Describe what one row of the lineage means for the narrative `about`."""
    kind, name = row["kind"], f"“{row['name']}”"
    others = dict(zip(row["related"], row["shares"], strict=False))
    if row["subject"] != about:
        part = phrases.format_percent(others.get(about, float("nan")))
        into = {"merge": f"{name} went into it", "death": f"{name} is gone; {part} of it went into this one"}
        out = {
            "birth": f"{name} is new; {part} of it was part of this one before",
            "split": f"{name} split off from this one",
        }
        if row["origin"] == "codebook":
            into["split"] = f"{name} was divided; this is one of its parts"
            into["added"] = f"{name} is new in the codebook and replaces this one"
        return [f"{line}." for line in [into.get(kind) or out.get(kind)] if line]
    named = [f"“{names.get(key, key)}” ({phrases.format_percent(part)})" for key, part in others.items()]
    origin = f"; its paragraphs were before in {phrases.format_list(named, MAX_NAMED_SOURCES)}" if named else ""
    kept = phrases.format_percent(row["shares"][0]) if len(row["shares"]) else "–"
    sentences = {
        "added": "New in the codebook" + _describe_replacement(row["related"], names),
        "changed": "Its definition changed: its counts are not comparable with earlier snapshots",
        "rename": f"Renamed; it was “{row['note']}”",
        "kept": f"Found again: {kept} of the paragraphs of the two snapshots' groups are in both",
        "birth": f"Found for the first time{origin}",
        "split": f"Split off{origin}",
        "offered": "Offered as a narrative; the group existed before",
        "withdrawn": "No longer offered as a narrative",
    }
    return [f"{sentences[kind]}."] if kind in sentences else []


def _describe_replacement(ids: Sequence[str], names: Mapping[str, str]) -> str:
    return f"; it replaces {phrases.format_list([f'“{names.get(key, key)}”' for key in ids])}" if len(ids) else ""


def highlight_sentence(text: str, sentence: str, most: int = HIGHLIGHT_LENGTH) -> str:
    """Return a paragraph as escaped Markdown with the sentence that decided the match in bold.

    A long paragraph is cut between words to about `most` characters around the sentence.
    """
    text, sentence = " ".join(text.split()), " ".join(sentence.split())
    at = text.find(sentence) if sentence else -1
    stop = at + len(sentence)
    start = text.find(" ", at - most // 2, at) + 1 if at > most else 0
    end = max(start + most, stop)
    if end < len(text):
        end = max(text.rfind(" ", 0, end), stop)
    before, after = "… " if start else "", " …" if end < len(text) else ""
    if at < 0:
        return phrases.escape_markdown(text[:end] + after)
    bold = f"**{phrases.escape_markdown(sentence)}**"
    return phrases.escape_markdown(before + text[start:at]) + bold + phrases.escape_markdown(text[stop:end] + after)
