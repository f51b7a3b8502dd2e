"""The date of a document: one ordered cascade, from what people stated to what the address shows."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import takewhile
from typing import Literal, NamedTuple

from narratives.model import DatePrecision
from narratives.parse.patterns import (
    DATELINE,
    HEADER_DATE,
    MONTH_NAME,
    PERIOD_DATE,
    TITLE_DATE,
    URL_DATE,
    VAGUE_DATE,
)

EARLIEST_YEAR = 1900
# Where a stated date stands, by `RawDocument.date_source`.
STATED_SOURCES = {"posted": "page metadata", "guess": "anywhere on the page"}
ONE_DAY = timedelta(days=1)  # between the time zones of an author and a server
MAX_POSTING_LAG = timedelta(days=60)  # between a statement and its posting; an earlier date is one that it speaks of
MAX_YEARLESS_LAG = timedelta(days=10)

_ISO_DATE = re.compile(r"(\d{4})(?:([-/. ])(\d{1,2})(?:\2(\d{1,2})(?:[T ].*)?)?)?")
_COMPACT_DATE = re.compile(r"(\d{4})(\d{2})(\d{2})?(?:T.*)?")
_MONTH_YEAR = re.compile(r"(\d{1,2})[./-](\d{4})")
_NUMERIC_DATE = re.compile(r"(\d{1,2})([./-])(\d{1,2})\2(\d{4})(?:[T ].*)?")
_EMBEDDED_DATE = re.compile(r"(?<!\d)(?:\d{4}([-/.])\d{2}\1\d{2}|\d{1,2}([./-])\d{1,2}\2\d{4})(?!\d)")
_YEAR = re.compile(r"(?<!\d)[12]\d{3}(?!\d)")


class DocumentDate(NamedTuple):
    """`date` is `YYYY[-MM[-DD]]` or empty; `source` says where it stood, or why there is none."""

    date: str
    precision: DatePrecision
    source: str


def find_date(
    *,
    stated: str = "",
    stated_in: Literal["manifest", "metadata"] = "metadata",
    title: str = "",
    header: Sequence[str] = (),
    openings: Sequence[str] = (),
    url: str = "",
    stated_kind: str = "",
) -> DocumentDate:
    """The first plausible date of: manifest or metadata, dateline, end of the title, header line, address.

    `stated` is what a manifest.csv or the metadata says, `header` are the date lines above the text,
    `openings` its first paragraphs. The title goes before the header line because it dates the statement,
    the line only its posting. A year is never guessed: a day and month without one leave the date empty and
    stand in `source`. Metadata that only tell when a page was `posted` (`stated_kind`) yield to a dateline or
    title of the two months before, and complete a dateline's day with their year; a `guess` from anywhere on
    a page comes last. A header line or address of the days right after a dateline completes it likewise.
    A date before 1900 or in the future is passed over, with the reason in `source`. The
    order follows htmldate (Barbaresi 2020), cheap and certain sources first.
    """
    refusals: list[str] = []
    posted = parse_date(stated)[0] if stated_kind == "posted" and stated_in == "metadata" else ""
    if len(posted) == 10 and (
        earlier := _find_statement_date(date.fromisoformat(posted), "page metadata", title, openings)
    ):
        return earlier
    if not stated.strip() and (dated := _complete_dateline_year(header, url, openings)):
        return dated
    where = "manifest" if stated_in == "manifest" else STATED_SOURCES.get(stated_kind, "metadata")
    for source, text in _iterate_candidates(stated, where, title, header, openings, url):
        found, refusal = parse_date(text)
        if found:
            return DocumentDate(found, _get_precision(found), "; ".join([source, *refusals]))
        refusals.append(f"{source} {refusal}: {text.strip()[:60]}")
    return DocumentDate("", "none", "; ".join(refusals) or "no date in text or metadata")


@lru_cache(maxsize=4096)
def parse_date(text: str) -> tuple[str, str]:
    """A date string as (`YYYY[-MM[-DD]]`, "") or ("", why not); day and month in doubt leave the year."""
    text = " ".join(text.split())
    if iso := _ISO_DATE.fullmatch(text):
        return _parse_known_parts(iso[1], iso[3], iso[4])
    if compact := _COMPACT_DATE.fullmatch(text):
        return _parse_known_parts(*compact.groups())
    if month_year := _MONTH_YEAR.fullmatch(text):
        return _parse_known_parts(month_year[2], month_year[1])
    if numeric := _NUMERIC_DATE.fullmatch(text):
        first, sign, second, year = int(numeric[1]), numeric[2], int(numeric[3]), int(numeric[4])
        if sign == "." or first > 12:
            return _parse_known_parts(year, second, first)
        if second > 12 or first == second:
            return _parse_known_parts(year, first, second)
        return _format_if_plausible(year)  # 03/04/2016 is March in one country and April in another
    if not _YEAR.search(text):
        return "", "without a year" if any(c.isdigit() for c in text) else "is not a date"
    years = set(_YEAR.findall(text))
    if not MONTH_NAME.search(text):
        within = [match.group() for match in _EMBEDDED_DATE.finditer(text)]
        if len(within) == 1 and within[0] != text:
            return parse_date(within[0])  # with a weekday or a time before it
        is_period = len(years) == 1 and PERIOD_DATE.fullmatch(text)
        return _format_if_plausible(int(years.pop())) if is_period else ("", "is not a date")
    found, refusal = _parse_written_date(text)
    if found or len(years) > 1 or not VAGUE_DATE.search(text):
        return found, refusal
    months = {name.casefold() for name in MONTH_NAME.findall(text)}
    year = years.pop()
    return _parse_written_date(f"{months.pop()} {year}") if len(months) == 1 else _format_if_plausible(int(year))


def extract_header_date(text: str) -> str:
    """The date within a line that holds nothing else, such as `14 Dec, 2016 03:57`; else ""."""
    match = HEADER_DATE.fullmatch(text)
    return match["date"] if match else ""


def _iterate_candidates(
    stated: str,
    stated_in: str,
    title: str,
    header: Sequence[str],
    openings: Sequence[str],
    url: str,
) -> Iterator[tuple[str, str]]:
    if stated.strip() and stated_in != STATED_SOURCES["guess"]:
        yield stated_in, stated
    for text in openings:
        if dateline := DATELINE.match(text):
            yield "dateline", dateline["date"]
            break
    if ending := TITLE_DATE.search(title):
        yield "title", ending["date"]
    for line in header:
        if found := extract_header_date(line):
            yield "header line", found
    if address := URL_DATE.search(url):
        yield "url", "-".join(part for part in address.groups() if part)
    if stated.strip() and stated_in == STATED_SOURCES["guess"]:
        yield stated_in, stated


def _complete_dateline_year(header: Sequence[str], url: str, openings: Sequence[str]) -> DocumentDate | None:
    """A dateline's day and month with the year of a header line or address, if that is of the days after."""
    dateline = next((m["date"] for text in openings if (m := DATELINE.match(text))), "")
    if not dateline or _YEAR.search(dateline):
        return None
    for source, text in _iterate_candidates("", "", "", header, (), url):
        found = parse_date(text)[0]
        if len(found) == 10:
            return _find_statement_date(date.fromisoformat(found), source, "", openings)
    return None


def _find_statement_date(posted: date, beside: str, title: str, openings: Sequence[str]) -> DocumentDate | None:
    """The day of the statement, where dateline or title name one shortly before the day of posting.

    `beside` says where that day stands.
    """
    named = [("dateline", m["date"]) for text in openings if (m := DATELINE.match(text))][:1]
    named += [("title", m["date"]) for m in TITLE_DATE.finditer(title)]
    for source, text in named:
        # With the year of posting, a day without one is no guess; at New Year it may be the year before.
        years = [""] if _YEAR.search(text) else [f" {posted.year}", f" {posted.year - 1}"]
        limit = MAX_POSTING_LAG if years == [""] else MAX_YEARLESS_LAG
        for year in years:
            found = parse_date(text + year)[0]
            if len(found) == 10 and -ONE_DAY <= posted - date.fromisoformat(found) <= limit:
                return DocumentDate(found, "day", source if years == [""] else f"{source}, year of {beside}")
    return None


def _parse_written_date(text: str) -> tuple[str, str]:
    import dateparser  # loads its languages, which costs a page that only shows charts a quarter second

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns of its own use of datetime
        for parts in (["day", "month", "year"], ["month", "year"]):
            settings = {"REQUIRE_PARTS": parts, "PARSERS": ["absolute-time"], "DATE_ORDER": "DMY"}
            try:
                found = dateparser.parse(text, languages=["en", "ru"], settings=settings)
            except (ValueError, OverflowError):
                found = None
            if found:
                return _format_if_plausible(*(getattr(found, part) for part in reversed(parts)))
    return "", "is not a date"


def _parse_known_parts(*parts: str | int | None) -> tuple[str, str]:
    """Year, month and day up to the first that is not given, or given as zero for want of knowledge."""
    return _format_if_plausible(*takewhile(bool, (int(part or 0) for part in parts)))


def _format_if_plausible(year: int = 0, month: int = 0, day: int = 0) -> tuple[str, str]:
    try:
        earliest_day = date(year, month or 1, day or 1)
    except ValueError:
        return "", "is not a date"
    if year < EARLIEST_YEAR:
        return "", f"before {EARLIEST_YEAR}"
    # A day's grace: where the text was dated it may be tomorrow already.
    if earliest_day > datetime.now(UTC).date() + timedelta(days=1):
        return "", "in the future"
    return "-".join([f"{year:04d}", *(f"{part:02d}" for part in (month, day) if part)]), ""


def _get_precision(found: str) -> DatePrecision:
    return "day" if len(found) == 10 else "month" if len(found) == 7 else "year"
