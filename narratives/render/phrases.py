"""Numbers, filters and caveats in words, the same on pages and in downloads. Pure."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from narratives.model import CopyFilter, QualityMetrics, Slice, Unit, dates, parse_search_terms
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


def describe_agreement(macro: QualityMetrics) -> str:
    """Describe how well the matching agrees with reference labels, averaged over narratives."""
    precision, recall = (format_with_limits(value, math.nan, math.nan) for value in (macro.precision, macro.recall))
    return (
        f"Quality of the matching, averaged over narratives: F1 "
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


def describe_denominator(s: Slice, total: int, first: str = "", last: str = "") -> str:
    """Describe a share's denominator: `the 312 statement paragraphs by A dated 2016–2020; originals only`.

    `first` and `last` are the first and last year with text. They are used where the slice sets no years.
    """
    noun = UNIT_NOUNS[s.unit]
    span = format_date_range(s) or (first if first == last else f"{first}–{last}")
    dated = f" dated {span}" if span else ""
    return f"the {format_count(total, noun)}{describe_attribution(s)}{dated}; {describe_copies(s)}"


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
    """Escape text so that Markdown shows it literally, without markup, links or pictures."""
    return re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", text)


def describe_unread_languages(number: int) -> str:
    """Say how many stored paragraphs are in no chart because the model does not support their language."""
    if not number:
        return ""
    verb = "is" if number == 1 else "are"
    return f"{format_count(number, 'further paragraph')} {verb} not matched: the model does not support the language."
