"""Numbers, filters and caveats in words. Pure: the same sentences stand on pages and in downloads."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime

from narratives.model import CopyFilter, QualityMetrics, Slice, Unit, parse_search_terms
from narratives.model.slice import UNNAMED_LABEL, SortOrder

CAVEAT = (
    "Shows which recurring narratives a text advances, as matched by machine, with errors. It describes and "
    "does not endorse; a shared narrative is no sign of coordination, and shares depend on which texts were "
    "collected."
)
SHORT_CAVEAT = "Matched by machine, with errors; describes, does not endorse."
NOBODY = UNNAMED_LABEL
# In whose words a paragraph stands, for filters and tables.
VOICE_LABELS = {
    "own": "own words",
    "quoted": "quoted",
    "reported": "reported",
    "outlet": "the outlet's voice",
}
VOICE_HELP = (
    "Own words: speeches, briefings, answers. Quoted: at least half stands in quotation marks or a block "
    "quote. Reported: retold by the outlet. The outlet's voice: nobody else is named."
)
UNIT_NOUNS: Mapping[Unit, str] = {"paragraph": "statement paragraph", "document": "document"}
# Who said that a paragraph advances a narrative, for tables and for sentences.
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
    """`1 paragraph`, `1,312 paragraphs`."""
    return f"{number:,} {noun if number == 1 else noun + 's'}"


def format_percent(share: float) -> str:
    """A share from 0 to 1 as a percentage with one decimal: `9.1 %`; `–` where there is none."""
    return "–" if share != share else f"{share * 100:.1f} %"


def format_with_limits(value: float, low: float, high: float) -> str:
    """A measure from 0 to 1 with its interval: `0.67 (0.55–0.78)`; `–` where it is undefined."""
    if value != value:
        return "–"
    return f"{value:.2f}" if low != low else f"{value:.2f} ({low:.2f}–{high:.2f})"


def describe_agreement(macro: QualityMetrics) -> str:
    """How well the matching agrees with reference labels, averaged over narratives, in a sentence or two."""
    precision, recall = (f"{value:.2f}" if value == value else "–" for value in (macro.precision, macro.recall))
    return (
        f"Quality of the matching, mean of the narratives: F1 "
        f"{format_with_limits(macro.f1, macro.f1_low, macro.f1_high)} where 1 is perfect, precision {precision}, "
        f"recall {recall}. Each chart above states its own F1; the table below has the rest."
    )


def make_sentence(text: str) -> str:
    """Text as a sentence: a capital letter in front and a full stop at the end."""
    text = text.strip()
    return text[:1].upper() + text[1:] + ("" if not text or text.endswith(".") else ".")


def format_list(names: Sequence[str], most: int = 3, link: str = "and") -> str:
    """`A`, `A and B`, `A, B, C and 4 others`."""
    shown = [name or NOBODY for name in names[:most]]
    if len(names) > most:
        return f"{', '.join(shown)} {link} {format_count(len(names) - most, 'other')}"
    return f" {link} ".join(part for part in (", ".join(shown[:-1]), shown[-1]) if part) if shown else ""


def format_date_range(s: Slice) -> str:
    """The dates of a slice: `2016–2018`, `2016`, `from 2016`, `to 2018`, or empty for all."""
    if s.date_from and s.date_to:
        return s.date_from if s.date_from == s.date_to else f"{s.date_from}–{s.date_to}"
    return f"from {s.date_from}" if s.date_from else f"to {s.date_to}" if s.date_to else ""


def describe_attribution(s: Slice) -> str:
    """Speakers, voices and outlets of a slice: ` by A or B (quoted) in C`, empty for all."""
    by = f" by {format_list(s.speakers, link='or')}" if s.speakers else ""
    by += f" ({format_list([VOICE_LABELS.get(v, v) for v in s.voices], 4, 'or')})" if s.voices else ""
    return by + (f" in {format_list(s.outlets, link='or')}" if s.outlets else "")


def describe_search(text: str) -> str:
    """What a search asks for: `with “a” and “b” and without “c” in the text`; empty for none."""
    found = parse_search_terms(text)
    parts = [
        f"{word} {format_list([f'“{term}”' for term, wanted in found if wanted is kind], len(found), link)}"
        for word, kind, link in (("with", True, "and"), ("without", False, "or"))
        if any(wanted is kind for _, wanted in found)
    ]
    return f"{' and '.join(parts)} in the text" if parts else ""


def describe_score(score: float, threshold: float) -> str:
    """A score and what it takes: `score 0.81, 0.52 needed`."""
    return f"score {score:.2f}" + (f", {threshold:.2f} needed" if threshold == threshold else "")


def describe_copies(s: Slice) -> str:
    """Which of originals and copies are counted."""
    return COPIES_LABELS[s.copies]


def describe_denominator(s: Slice, total: int, first: str = "", last: str = "") -> str:
    """What a share is a share of: `the 312 statement paragraphs by A dated 2016–2020; originals only`.

    `first` and `last` are the first and last year with text; they are said where the slice sets no years.
    """
    noun = UNIT_NOUNS[s.unit]
    span = format_date_range(s) or (first if first == last else f"{first}–{last}")
    dated = f" dated {span}" if span else ""
    return f"the {format_count(total, noun)}{describe_attribution(s)}{dated}; {describe_copies(s)}"


def describe_undated(number: int, s: Slice) -> str:
    """How many statement paragraphs stand in no period, and why; empty if none."""
    if not number:
        return ""
    reason = "no date" if s.by == "year" else f"no date to the {'month' if s.by == 'month' else s.by}"
    has, stand = ("has", "stands") if number == 1 else ("have", "stand")
    return f"{format_count(number, 'further statement paragraph')} {has} {reason} and so {stand} in no period."


def format_timestamp(iso: str, short: bool = False) -> str:
    """An ISO time as `5 Mar 2026, 14:05 UTC`, or the day alone; what is no time comes back as it is."""
    try:
        moment = datetime.fromisoformat(iso)
    except ValueError:
        return iso
    return f"{moment.day} {moment:%b %Y}" if short else f"{moment.day} {moment:%b %Y, %H:%M} UTC"


def describe_filters(s: Slice, names: dict[str, str]) -> list[tuple[str, str, str]]:
    """The filters that are set: (field, name of the filter, chosen values in words)."""
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
    """Text as Markdown shows it letter by letter: no markup, no link, no picture fetched from elsewhere."""
    return re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", text)


def describe_unread_languages(number: int) -> str:
    """What was stored and is in no chart, because the model does not read its language; empty if none."""
    if not number:
        return ""
    verb = "is" if number == 1 else "are"
    return f"{format_count(number, 'further paragraph')} {verb} not matched: the model does not read the language."
