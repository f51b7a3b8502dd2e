"""Numbers, filters, caveats and findings in words, the same on pages, in the brief and in downloads. Pure."""

from __future__ import annotations

import math
import re
from collections.abc import Hashable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

import pandas as pd

from narratives.model import (
    CopyFilter,
    Granularity,
    QualityMetrics,
    Slice,
    SnapshotManifest,
    SuppressionRule,
    Unit,
    dates,
    parse_search_terms,
)
from narratives.model.printable import remove_controls
from narratives.model.slice import UNNAMED_LABEL, SortOrder

CAVEAT = (
    "Shows which recurring narratives a text advances, as matched by machine, with errors. It describes and "
    "does not endorse; a shared narrative is no sign of coordination, and shares depend on which texts were "
    "collected."
)
SHORT_CAVEAT = "Matched by machine, with errors; describes, does not endorse."
NOBODY = UNNAMED_LABEL
# Whose words a paragraph contains, for filters and tables.
VOICE_LABELS = {"own": "own words", "quoted": "quoted", "reported": "reported", "outlet": "the outlet's voice"}
VOICE_HELP = (
    "Own words: speeches, briefings, answers. Quoted: at least half is in quotation marks or a block quote. "
    "Reported: paraphrased by the outlet. The outlet's voice: no other speaker is named."
)
UNIT_NOUNS: Mapping[Unit, str] = {"paragraph": "statement paragraph", "document": "document"}
# Who decided that a paragraph advances a narrative, for tables and for sentences.
STATUS_LABELS = {"auto": "machine", "confirmed": "people", "partly confirmed": "both", "rejected": "rejected"}
STATUS_PHRASES = {
    "auto": "matched by machine",
    "confirmed": "confirmed by people",
    "rejected": "rejected by people, so not counted",
}
SORT_LABELS: Mapping[SortOrder, str] = {
    "best": "Best match",
    "newest": "Newest first",
    "oldest": "Oldest first",
    "speaker": "Speaker",
    "outlet": "Outlet",
}
COPIES_LABELS: Mapping[CopyFilter, str] = {
    "originals": "originals only",
    "all": "copies included",
    "copies": "copies only",
}

MAX_NAMED_SOURCES = 3  # clusters named in a line of the lineage
HIGHLIGHT_LENGTH = 700  # characters of a paragraph in a list

_WORD_JOINER = "\u2060"
# Places in what the Markdown of the pages replaces in plain text.
_REPLACED_LATER = re.compile(
    r"(?<=http:)(?=//)|(?<=https:)(?=//)|(?<=www)(?=\.)|(?<=@)(?=[-\w])"
    r"|(?<=:)(?=[\w+-]+(?:/\w+)?:)"
    r"|(?<!\S)(?=(?:<->|->|<-|--|>=|<=|~=)(?!\S))",
    re.IGNORECASE,
)
_INDENT = re.compile(r"\A[ \t]{4,}|(?<=\n)[ \t]+")  # four spaces would make it code

CORRECTION_METHODS = {
    "labels": "corrected with labelled paragraphs of these texts",
    "precision": "corrected for matching errors with a spot check and the recall measured elsewhere",
    "expected": "expected from the paragraphs’ probabilities of advancing the narrative",
    "rates": "corrected with the recall and the false-positive rate measured on reference labels",
}
_NO_RATE = "the measured figures lack the false-positive rate; run `evaluate` again to add it"
SPOT_CHECK_HINT = (
    "*Review* and `narratives spotcheck draw F.csv` draw assignments at random. Once you have judged them, the shares "
    "can be corrected."
)
MORE_OFTEN, LESS_OFTEN = "more often than by chance", "less often than by chance"
NO_DIFFERENCE = "not clearly more or less often"
TOO_LITTLE_TEXT = "there is too little text"


def format_count(number: int, noun: str) -> str:
    """Write a count with its noun: `1 paragraph`, `1,312 paragraphs`."""
    return f"{number:,} {noun if number == 1 else noun + 's'}"


def format_percent(share: float) -> str:
    """Write a share from 0 to 1 as a percentage with one decimal: `9.1 %`; `–` where it is NaN."""
    return "–" if math.isnan(share) else f"{share * 100:.1f} %"


def format_fine_percent(value: float) -> str:
    """Write a share as a percentage: two decimals below 1 %, otherwise one."""
    return f"{value * 100:.{_count_decimals(value)}f} %"


def _count_decimals(value: float) -> int:
    return 2 if 0 < value < 0.01 else 1


def format_limits(row: Mapping[str, Any], column: str = "share") -> str:
    """Write a share of a row with its limits, `1.1 % (0.9–1.4)`, or `–` where it is NaN."""
    value = row[column]
    if math.isnan(value):
        return "–"
    places = _count_decimals(value)
    low, high = row[f"{column}_low"] * 100, row[f"{column}_high"] * 100
    return f"{format_fine_percent(value)} ({low:.{places}f}–{high:.{places}f})"


def format_interval(row: Mapping[str, Any]) -> str:
    """Write the interval of a row's share: `95 % interval 0.9–1.4 %`."""
    return f"95 % interval {row['share_low'] * 100:.1f}–{format_percent(row['share_high'])}"


def describe_change_point(row: Mapping[Any, Any]) -> str:
    """Describe a change point: `Higher from H1 2018, at 2.9 % (2.7–3.2) after 0.31 % (0.20–0.42)`."""
    direction = "Higher" if row["direction"] == "up" else "Lower"
    period = dates.describe_period(str(row["period"]))
    return f"{direction} from {period}, at {format_limits(row, 'after')} after {format_limits(row, 'before')}"


def format_with_limits(value: float, low: float, high: float) -> str:
    """Write a measure from 0 to 1 with its interval: `0.67 (0.55–0.78)`; `–` where it is undefined."""
    if math.isnan(value):
        return "–"
    return f"{value:.2f}" if math.isnan(low) else f"{value:.2f} ({low:.2f}–{high:.2f})"


def describe_agreement(macro: QualityMetrics, pooled: bool = False) -> str:
    """Describe how well the matching agrees with reference labels: averaged over narratives, or in a whole corpus."""
    precision, recall = (format_with_limits(value, math.nan, math.nan) for value in (macro.precision, macro.recall))
    where = "in a whole corpus, all narratives together" if pooled else "averaged over narratives"
    return (
        f"Quality of the matching, {where}: F1 "
        f"{format_with_limits(macro.f1, macro.f1_low, macro.f1_high)} where 1 is perfect, precision {precision}, "
        f"recall {recall}. Each chart above shows its own F1. The table below has the other figures."
    )


def make_sentence(text: str) -> str:
    """Make text a sentence: start it with a capital letter and end it with a full stop."""
    text = text.strip()
    return text[:1].upper() + text[1:] + ("" if not text or text.endswith(".") else ".")


def format_list(names: Sequence[str], most: int = 3, link: str = "and") -> str:
    """List names: `A`, `A and B`, `A, B, C and 4 others`."""
    shown = [name or NOBODY for name in names[:most]]
    if len(names) > most:
        return f"{', '.join(shown)} {link} {format_count(len(names) - most, 'other')}"
    return f" {link} ".join(part for part in (", ".join(shown[:-1]), shown[-1]) if part) if shown else ""


def format_date_range(s: Slice) -> str:
    """Write the dates of a slice: `2016–2018`, `2016`, `from 2016`, `to 2018`, or empty for all."""
    if s.date_from and s.date_to:
        return s.date_from if s.date_from == s.date_to else f"{s.date_from}–{s.date_to}"
    return f"from {s.date_from}" if s.date_from else f"to {s.date_to}" if s.date_to else ""


def describe_attribution(s: Slice) -> str:
    """Describe the speakers, voices and outlets of a slice: ` by A or B (quoted) in C`; empty for all."""
    by = f" by {format_list(s.speakers, link='or')}" if s.speakers else ""
    by += f" ({format_list([VOICE_LABELS.get(v, v) for v in s.voices], 4, 'or')})" if s.voices else ""
    return by + (f" in {format_list(s.outlets, link='or')}" if s.outlets else "")


def describe_scope(s: Slice) -> str:
    """Describe whose paragraphs of which dates a slice has: ` by A in C dated 2016–2018`; empty for all."""
    span = format_date_range(s)
    return describe_attribution(s) + (f" dated {span}" if span else "")


def describe_search(text: str) -> str:
    """Describe a search: `with “a” and “b” and without “c” in the text`; empty for none."""
    terms = parse_search_terms(text)
    parts = [
        f"{word} {format_list([f'“{term}”' for term, wanted in terms if wanted is kind], len(terms), link)}"
        for word, kind, link in (("with", True, "and"), ("without", False, "or"))
        if any(wanted is kind for _, wanted in terms)
    ]
    return f"{' and '.join(parts)} in the text" if parts else ""


def describe_score(score: float, threshold: float) -> str:
    """Write a score and its threshold: `score 0.81, 0.52 needed`."""
    return f"score {score:.2f}" + ("" if math.isnan(threshold) else f", {threshold:.2f} needed")


def describe_copies(s: Slice) -> str:
    """Say whether originals, copies or both are counted."""
    return COPIES_LABELS[s.copies]


def format_years(frame: pd.DataFrame) -> str:
    """Write the years of the column period: `2016–2018`, or `2016`."""
    first, last = frame["period"].min()[:4], frame["period"].max()[:4]
    return first if first == last else f"{first}–{last}"


def describe_denominator(s: Slice, total: int, years: str = "") -> str:
    """Describe a share's denominator: `the 312 statement paragraphs by A dated 2016–2020; originals only`.

    `years` are those with text, as `format_years` writes them; they are named where the slice sets no dates.
    """
    span = format_date_range(s) or years
    dated = f" dated {span}" if span else ""
    return f"the {format_count(total, UNIT_NOUNS[s.unit])}{describe_attribution(s)}{dated}; {describe_copies(s)}"


def describe_undated(number: int, s: Slice) -> str:
    """Say how many statement paragraphs are in no period, and why; empty if none."""
    if not number:
        return ""
    reason = "no date" if s.by == "year" else f"no date to the {'month' if s.by == 'month' else s.by}"
    has, are = ("has", "is") if number == 1 else ("have", "are")
    return f"{format_count(number, 'further statement paragraph')} {has} {reason} and so {are} in no period."


def format_partial_date(iso: str) -> str:
    """Write a partial date: `5 Mar 2016`, `Mar 2016`, `2016`; empty where it is empty."""
    if len(iso) < 10:
        return dates.describe_period(iso) if iso else ""
    day = date.fromisoformat(iso)
    return f"{day.day} {day:%b %Y}"


def describe_snapshot(manifest: SnapshotManifest) -> str:
    """Write a snapshot's id, when it was built, and the last decision that counts, if there is one."""
    decided = f", with the decisions up to number {manifest.decided:,}" if manifest.decided else ""
    return f"{manifest.snapshot_id}, built {format_timestamp(manifest.built_at)}{decided}"


def format_timestamp(iso: str, short: bool = False) -> str:
    """Write an ISO time as `5 Mar 2026, 14:05 UTC`, or only the day; return other text unchanged."""
    try:
        moment = datetime.fromisoformat(iso)
    except ValueError:
        return iso
    return f"{moment.day} {moment:%b %Y}" if short else f"{moment.day} {moment:%b %Y, %H:%M} UTC"


def describe_filters(s: Slice, names: dict[str, str]) -> list[tuple[str, str, str]]:
    """List the filters that are set: (field, name of the filter, chosen values in words)."""
    rows = [
        ("speakers", "speaker", format_list(s.speakers, 5, "or")),
        ("outlets", "outlet", format_list(s.outlets, 5, "or")),
        ("narratives", "narrative", format_list([names.get(n, n) for n in s.narratives], 5, "or")),
        ("voices", "voice", format_list([VOICE_LABELS.get(v, v) for v in s.voices], 4, "or")),
        ("date", "dates", format_date_range(s)),
        ("copies", "copies", "" if s.copies == "originals" else describe_copies(s)),
    ]
    return [row for row in rows if row[2]]


def escape_markdown(text: str) -> str:
    """Escape text so that Markdown shows it literally, without markup, links or pictures.

    Web and mail addresses, `:short_codes:` and arrows such as `->` would be replaced after Markdown was parsed, where
    escapes have no effect. An invisible word joiner in them prevents that.
    """
    text = _REPLACED_LATER.sub(_WORD_JOINER, _INDENT.sub("", remove_controls(text)))
    return re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", text)


def describe_unread_languages(number: int) -> str:
    """Say how many stored paragraphs are in no chart because the model does not support their language."""
    if not number:
        return ""
    verb = "is" if number == 1 else "are"
    return f"{format_count(number, 'further paragraph')} {verb} not matched: the model does not support the language."


def explain_no_correction(row: Mapping[str, Any], measured: QualityMetrics | None) -> str:
    """Explain, as the end of a sentence, why there is no corrected share; empty where there is one."""
    if not math.isnan(row["corrected"]):
        return ""
    if row["correction"]:
        return TOO_LITTLE_TEXT
    if measured and math.isnan(measured.false_positive_rate):
        return _NO_RATE
    return str(row["correction_reason"])


def describe_suppression_rule(rule: SuppressionRule, by: Granularity, sample: bool) -> str:
    """Say in a sentence which periods show no share."""
    own = " These limits are lower than usual, because this is a small sample." if sample else ""
    return (
        f"A {dates.GRANULARITY_NOUNS[by]} shows its count but no share where it has fewer than {rule.documents} "
        f"documents, or where fewer than {format_expected_count(rule)} would be expected at the overall share.{own}"
    )


def format_expected_count(rule: SuppressionRule) -> str:
    """Write how many paragraphs must be expected at the overall share: `5 paragraphs`."""
    return f"{rule.expected:g} paragraph{'' if rule.expected == 1 else 's'}"


def describe_first_use_limits(since: str) -> str:
    """Say what a first use can and cannot mean."""
    begin = f" since {format_partial_date(since)}" if since else ""
    return (
        f"First in the texts collected{begin}; what came before, and elsewhere, is not known. A source whose texts "
        "start later cannot come first here. The order in time does not show who took it from whom, or why."
    )


def describe_first_uses(rows: pd.DataFrame, most: int = 4) -> str:
    """Say in a sentence who used it first and who followed; empty where no use is dated to the day."""
    dated = rows[rows["first"] != ""].to_dict("records")
    if not dated:
        return ""
    first, *others = dated
    leader = f"{first['actor'] or NOBODY} on {format_partial_date(first['first'])}"
    after = [f"{row['actor'] or NOBODY} ({format_count(int(row['days_after']), 'day')} later)" for row in others[:most]]
    return f"First {leader}" + (f"; then {', '.join(after)}." if after else "; nobody else.")


def classify_lift(row: Mapping[str, Any]) -> str:
    """Return what the interval of a lift shows: MORE_OFTEN, LESS_OFTEN or NO_DIFFERENCE."""
    return MORE_OFTEN if row["lift_low"] > 1 else LESS_OFTEN if row["lift_high"] < 1 else NO_DIFFERENCE


def describe_cooccurrence(row: Mapping[str, Any]) -> str:
    """Say how often another narrative is in the same documents, compared with chance."""
    both = format_count(int(row["both"]), "document")
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
        lines = [line for row in changed.to_dict("records") for line in _describe_lineage_event(row, about, names)]
        if not lines:
            lines = ["No change."] if meta.predecessor else ["The first snapshot: nothing to compare with."]
        rows += [(meta.snapshot_id, format_timestamp(meta.built_at, short=True), line) for line in lines]
    return pd.DataFrame(rows, columns=["Snapshot", "Built", "What changed"])


def _describe_lineage_event(row: Mapping[Hashable, Any], about: str, names: Mapping[str, str]) -> list[str]:
    """Describe what one row of the lineage means for the narrative `about`."""
    kind, name = row["kind"], f"“{row['name']}”"
    others = dict(zip(row["related"], row["shares"], strict=False))
    if row["subject"] != about:
        part = format_percent(others.get(about, float("nan")))
        into = {
            "merge": f"{name} was merged into this one",
            "death": f"{name} is gone; {part} of its paragraphs are in this one now",
        }
        out = {
            "birth": f"{name} is new; {part} of its paragraphs were in this one before",
            "split": f"{name} split off from this one",
        }
        if row["origin"] == "codebook":
            into["split"] = f"{name} was divided; this is one of its parts"
            into["added"] = f"{name} is new in the codebook and replaces this one"
        return [f"{line}." for line in [into.get(kind) or out.get(kind)] if line]
    named = [f"“{names.get(key, key)}” ({format_percent(part)})" for key, part in others.items()]
    origin = f"; its paragraphs were previously in {format_list(named, MAX_NAMED_SOURCES)}" if named else ""
    kept = format_percent(row["shares"][0]) if len(row["shares"]) else "–"
    sentences = {
        "added": "New in the codebook" + _describe_replacement(row["related"], names),
        "changed": "Its definition changed: its counts are not comparable with earlier snapshots",
        "rename": f"Renamed; it was “{row['note']}”",
        "kept": f"Found again: the groups of the two snapshots have {kept} of their paragraphs in common",
        "birth": f"Found for the first time{origin}",
        "split": f"Split off{origin}",
        "offered": "Offered as a narrative; the group existed before",
        "withdrawn": "No longer offered as a narrative",
    }
    return [f"{sentences[kind]}."] if kind in sentences else []


def _describe_replacement(ids: Sequence[str], names: Mapping[str, str]) -> str:
    return f"; it replaces {format_list([f'“{names.get(key, key)}”' for key in ids])}" if len(ids) else ""


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
        return escape_markdown(text[:end] + after)
    bold = f"**{escape_markdown(sentence)}**"
    return escape_markdown(before + text[start:at]) + bold + escape_markdown(text[stop:end] + after)
