"""One narrative in words: its share, its changes, its first uses, its company and its past. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import pandas as pd

from narratives.model import Granularity, QualityMetrics, SnapshotManifest, SuppressionRule, dates
from narratives.render import phrases
from narratives.render.traces import to_records

MAX_NAMED_SOURCES = 3  # clusters that one line of the lineage names
HIGHLIGHT_LENGTH = 700  # letters of a paragraph in a list

CORRECTION_METHODS = {
    "labels": "corrected by labelled paragraphs of these texts",
    "precision": "corrected for matching errors by a spot check and the recall measured elsewhere",
    "rates": "corrected by the recall and the false-positive rate measured on reference labels",
}
_NO_RATE = "the measured figures lack the rate of false positives until evaluate is run again"
SPOT_CHECK_HINT = "`python -m narratives spotcheck draw F.csv` draws paragraphs at random whose judgement allows one."
MORE_OFTEN, LESS_OFTEN = "more often than by chance", "less often than by chance"
NO_DIFFERENCE = "not clearly more or less often"
TOO_LITTLE_TEXT = "it rests on too little text"


def format_share(row: Mapping[str, Any]) -> str:
    """A share with its interval, `1.1 % (0.9–1.4)`, or `–` where it rests on too little."""
    return format_limits(row["share"], row["share_low"], row["share_high"])


def format_limits(value: float, low: float, high: float) -> str:
    """Any share from 0 to 1 with its limits as percentages."""
    if value != value:
        return "–"
    places = _count_decimals(value)
    return f"{format_fine_percent(value)} ({low * 100:.{places}f}–{high * 100:.{places}f})"


def format_fine_percent(value: float) -> str:
    """A share as a percentage: two decimals below 1 %, where one would say little."""
    return f"{value * 100:.{_count_decimals(value)}f} %"


def _count_decimals(value: float) -> int:
    return 2 if 0 < value < 0.01 else 1


def explain_no_correction(row: Mapping[str, Any], measured: QualityMetrics | None) -> str:
    """Why there is no corrected share, as the end of a sentence; empty where there is one."""
    if row["corrected"] == row["corrected"]:
        return ""
    if row["correction"]:
        return TOO_LITTLE_TEXT
    if measured and measured.false_positive_rate != measured.false_positive_rate:
        return _NO_RATE
    return str(row["correction_reason"])


def describe_suppression_rule(base: SuppressionRule, by: Granularity, sample: bool) -> str:
    """Below what there is no share of a period, in a sentence."""
    own = " These limits are lower than usual, because this is a small sample." if sample else ""
    return (
        f"A {dates.GRANULARITY_NOUNS[by]} of fewer than {base.documents} documents, or with fewer than {format_expected_count(base)} "  # noqa: E501
        f"to be expected at the overall share, shows its count but no share.{own}"
    )


def format_expected_count(base: SuppressionRule) -> str:
    """`5 paragraphs`: how many must be expected at the overall share."""
    return f"{base.expected:g} paragraph{'' if base.expected == 1 else 's'}"


def describe_level_change(row: Mapping[str, Any]) -> str:
    """A change point: `From H2 2019 on 2.1 % (1.4–3.4), before 0.5 % (0.3–0.8)`."""
    before, after = (format_limits(row[name], row[f"{name}_low"], row[f"{name}_high"]) for name in ("before", "after"))
    return f"From {dates.describe_period(str(row['period']))} on {after}, before {before}"


def format_day(iso: str) -> str:
    """`26 Feb 2016`; what is no whole day comes back as it is."""
    if len(iso) != 10:
        return iso
    when = date.fromisoformat(iso)
    return f"{when.day} {when:%b %Y}"


def describe_first_use_limits(since: str) -> str:
    """What a first use can and cannot mean."""
    begin = f" since {format_day(since)}" if since else ""
    return (
        f"First in the texts collected{begin}; what came before, and elsewhere, is not known. Whoever is "
        "covered only from later on cannot be seen to be first. An order in time says neither who took it "
        "from whom nor why."
    )


def describe_first_uses(rows: pd.DataFrame, most: int = 4) -> str:
    """Who used it first and who followed, in a sentence; empty where no use is dated to the day."""
    dated = to_records(rows[rows["first"] != ""])
    if not dated:
        return ""
    first, *others = dated
    said = f"{first['actor'] or phrases.NOBODY} on {format_day(first['first'])}"
    after = [
        f"{row['actor'] or phrases.NOBODY} ({phrases.format_count(int(row['days_after']), 'day')} later)"
        for row in others[:most]
    ]
    return f"First {said}" + (f"; then {', '.join(after)}." if after else "; nobody else.")


def classify_lift(row: Mapping[str, Any]) -> str:
    """What the interval of a lift says: MORE, LESS or NO_DIFFERENT."""
    return MORE_OFTEN if row["lift_low"] > 1 else LESS_OFTEN if row["lift_high"] < 1 else NO_DIFFERENCE


def describe_cooccurrence(row: Mapping[str, Any]) -> str:
    """How often another narrative stands in the same documents, against chance."""
    found = phrases.format_count(int(row["both"]), "document")
    chance = row["a"] * row["b"] / row["total"] if row["total"] else 0.0
    if row["lift"] != row["lift"]:
        return f"{row['narrative']}: {found} with both; {row['base_reason']}."
    return (
        f"{row['narrative']}: {found} with both, {chance:.1f} expected by chance, {row['lift']:.1f} times "
        f"({row['lift_low']:.1f}–{row['lift_high']:.1f}): {classify_lift(row)}."
    )


def build_lineage_table(
    history: Sequence[tuple[SnapshotManifest, pd.DataFrame, Mapping[str, str]]], about: str
) -> pd.DataFrame:
    """The lineage as a table: columns Snapshot, Built, What changed; latest first.

    A row for every snapshot of `history` (see `narrative_data.lineage`), also where nothing changed.
    """
    rows = []
    for meta, changed, names in history:
        said = [line for row in to_records(changed) for line in _describe_lineage_event(row, about, names)]
        if not said:
            said = ["Nothing."] if meta.predecessor else ["The first snapshot: nothing to compare with."]
        rows += [(meta.snapshot_id, phrases.format_timestamp(meta.built_at, short=True), line) for line in said]
    return pd.DataFrame(rows, columns=["Snapshot", "Built", "What changed"])


def _describe_lineage_event(row: Mapping[str, Any], about: str, names: Mapping[str, str]) -> list[str]:
    """What one row of the lineage says of the narrative `about`."""
    kind, name = row["kind"], f"“{row['name']}”"
    others = dict(zip(row["related"], row["shares"], strict=False))
    if row["subject"] != about:
        part = phrases.format_percent(others.get(about, float("nan")))
        into = {"merge": f"{name} went into it", "death": f"{name} is gone; {part} of it went in here"}
        out = {
            "birth": f"{name} is new; {part} of it was here before",
            "split": f"{name} split off from here",
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
        "changed": "Defined otherwise than before: its counts are not comparable with earlier snapshots'",
        "rename": f"Renamed; before it was “{row['note']}”",
        "kept": f"Found again: {kept} of the paragraphs of the two snapshots' groups are in both",
        "birth": f"Found for the first time{origin}",
        "split": f"Split off{origin}",
        "offered": "Offered as a narrative; the group itself was there before",
        "withdrawn": "No longer offered as a narrative",
    }
    return [f"{sentences[kind]}."] if kind in sentences else []


def _describe_replacement(ids: Sequence[str], names: Mapping[str, str]) -> str:
    return f"; it replaces {phrases.format_list([f'“{names.get(key, key)}”' for key in ids])}" if len(ids) else ""


def highlight_sentence(text: str, sentence: str, most: int = HIGHLIGHT_LENGTH) -> str:
    """A paragraph as Markdown, letter by letter, with the sentence that decided in bold.

    Long ones are cut between words to about `most` letters that hold the sentence.
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
