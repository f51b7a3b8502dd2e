"""Find the date of a document: one ordered cascade, from stated dates to the address."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import takewhile
from typing import Literal, NamedTuple

from narratives.model import DatePrecision

EARLIEST_YEAR = 1900
# The source of a stated date, by `RawDocument.date_source`.
STATED_SOURCES = {"posted": "page metadata", "guess": "anywhere on the page"}
ONE_DAY = timedelta(days=1)  # between the time zones of an author and a server
MAX_POSTING_LAG = timedelta(days=60)  # between a statement and its posting; the text only mentions an earlier date
MAX_YEARLESS_LAG = timedelta(days=10)

_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?"
    r"|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?"
)
# Other words and numbers are not parsed as dates without one of these, because a quarter is not a month.
MONTH_NAME = re.compile(
    rf"\b(?:{_MONTH}|янв\w*|фев\w*|мар(?:та?)?|апр\w*|ма[йяе]|июн\w*|июл\w*|авг\w*|сен\w*|окт\w*|ноя\w*"
    r"|дек\w*)(?![^\W\d_])",
    re.IGNORECASE,
)
# Seasons, quarters, halves and weeks: only the year is known. Atomic groups keep the match fast on any text.
PERIOD_DATE = re.compile(
    r"""(?:(?>(?:
      [12]\d{3}(?:-?(?:Q[1-4]|H[12]|W\d\d(?:-?\d)?)|г\w*)?
    | Q[1-4](?:[-/]?[12]\d{3})? | H[12](?:[-/]?[12]\d{3})? | [1-4]Q | [12]H
    | quarter | half | semester | trimester | term | season | year | week | w\d{1,2}
    | spring | summer | autumn | fall | winter | early | mid | late | beginning | middle | start | end
    | first | second | third | fourth | last | 1st | 2nd | 3rd | 4th
    | of | the | in | about | around | circa | ca?
    | год\w* | гг? | весн\w* | лет[оа]м? | осен\w* | зим\w* | квартал\w* | полугоди\w*
    | начал\w* | кон\w+ | середин\w*
    | перв\w+ | втор\w+ | треть\w* | четв[её]рт\w+ | во? | около | I{1,3} | IV | [1-4](?:-?[йя]|-?е)?
    )(?!\w))[\s.,~–-]*)+""",
    re.VERBOSE | re.IGNORECASE,
)
# Several days, part of a month, several months: the month or the year is known, but not the day.
VAGUE_DATE = re.compile(
    rf"\b\d{{1,2}}\s*(?:[-–—]|to|and)\s*\d{{1,2}}\b|\b(?:early|mid|late|beginning|middle|end|начал\w*|кон\w+"
    rf"|середин\w*)\b|\b{_MONTH}\s*(?:[-–—/]|to|and)\s*{_MONTH}(?![^\W\d_])",
    re.IGNORECASE,
)
_DAY = r"(?:0?[1-9]|[12]\d|3[01])(?:st|nd|rd|th)?"
_YEAR_PART = r"[12]\d{3}"
_WEEKDAY = r"(?:mon|tues?|wed(?:nes)?|thu(?:rs?)?|fri|sat(?:ur)?|sun)(?:day)?"
_TIME = r"\d{1,2}[:.]\d{2}(?::\d{2})?(?:\s*[ap]\.?m\.?)?(?:\s*\(?[A-Z]{2,4}\)?)?"
FULL_DATE = rf"(?:{_DAY}\s+{_MONTH},?\s+{_YEAR_PART}|{_MONTH}\s+{_DAY},?\s+{_YEAR_PART})"
DAY_MONTH = rf"(?:{_DAY}\s+{_MONTH}|{_MONTH}\s+{_DAY})"
HEADER_DATE = re.compile(
    rf"(?:(?:first\s+)?(?:published|posted|updated|date)\s*(?:on|at)?\s*:?\s*)?(?:{_WEEKDAY}\.?,?\s+)?"
    rf"(?:{_TIME}[\s,|–-]+)?"
    rf"(?P<date>{FULL_DATE}|{DAY_MONTH}|{_MONTH}\s+{_YEAR_PART}|{_YEAR_PART}-\d\d-\d\d|\d\d?\.\d\d?\.{_YEAR_PART})"
    rf"(?:[T\s,|–-]+(?:at\s+)?{_TIME})?",
    re.IGNORECASE,
)
TITLE_DATE = re.compile(rf"(?:^|[\s,(–-])(?P<date>{FULL_DATE})\)?\.?$", re.IGNORECASE)
DATELINE = re.compile(
    r"^[/(]?(?P<place>[A-Z][\w.’'-]*(?:[ ,]+(?:[A-Z][\w.’'-]*|[io]n|de|del|la|upon)){0,4})\s*,\s+"
    rf"(?P<date>(?i:{FULL_DATE}|{DAY_MONTH}))\s*[.,]?\s*(?P<agency>/[\w\s-]+/|\([\w\s-]+\)|[–—-])"
)
URL_DATE = re.compile(r"(?<!\d)(?P<y>(?:19|20)\d\d)[/-](?P<m>0[1-9]|1[0-2])(?:[/-](?P<d>0[1-9]|[12]\d|3[01]))?(?!\d)")
_ISO_DATE = re.compile(r"(\d{4})(?:([-/. ])(\d{1,2})(?:\2(\d{1,2})(?:[T ].*)?)?)?")
_COMPACT_DATE = re.compile(r"(\d{4})(\d{2})(\d{2})?(?:T.*)?")
_MONTH_YEAR = re.compile(r"(\d{1,2})[./-](\d{4})")
_NUMERIC_DATE = re.compile(r"(\d{1,2})([./-])(\d{1,2})\2(\d{4})(?:[T ].*)?")
_EMBEDDED_DATE = re.compile(r"(?<!\d)(?:\d{4}([-/.])\d{2}\1\d{2}|\d{1,2}([./-])\d{1,2}\2\d{4})(?!\d)")
_YEAR = re.compile(r"(?<!\d)[12]\d{3}(?!\d)")


class DocumentDate(NamedTuple):
    """The date of a document: `date` is `YYYY[-MM[-DD]]` or empty; `source` says where it was, or why there is none."""

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
    """Return the first plausible date of: manifest or metadata, dateline, end of the title, header line, address.

    The order follows htmldate (Barbaresi 2020): cheap and certain sources first. The title precedes the header
    line because it dates the statement and not the posting. A year is never guessed, but a dateline without
    one takes that of a header line or address of the next days. A date that is skipped, because it has no year
    or is before 1900 or in the future, is given in `source`.

    `stated` is the date in a manifest.csv or the metadata (`stated_in`). `header` are the date lines above the
    text, `openings` its first paragraphs. `stated_kind` is "posted" for metadata that only say when a page was
    posted: a dateline or title of the two months before then takes precedence. It is "guess" for a date from
    anywhere on the page, which comes last.
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
        day, refusal = parse_date(text)
        if day:
            return DocumentDate(day, _get_precision(day), "; ".join([source, *refusals]))
        refusals.append(f"{source} {refusal}: {text.strip()[:60]}")
    return DocumentDate("", "none", "; ".join(refusals) or "no date in text or metadata")


@lru_cache(maxsize=4096)
def parse_date(text: str) -> tuple[str, str]:
    """Return a date string as (`YYYY[-MM[-DD]]`, "") or ("", the reason); an ambiguous numeric date gives its year."""
    text = " ".join(text.split())
    if iso := _ISO_DATE.fullmatch(text):
        return _parse_known_parts(iso[1], iso[3], iso[4])
    if compact := _COMPACT_DATE.fullmatch(text):
        return _parse_known_parts(*compact.groups())
    if month_year := _MONTH_YEAR.fullmatch(text):
        return _parse_known_parts(month_year[2], month_year[1])
    if numeric := _NUMERIC_DATE.fullmatch(text):
        return _parse_numeric_date(int(numeric[1]), numeric[2], int(numeric[3]), int(numeric[4]))
    if not _YEAR.search(text):
        return "", "without a year" if any(c.isdigit() for c in text) else "is not a date"
    return _parse_month_name(text) if MONTH_NAME.search(text) else _parse_period(text)


def _parse_numeric_date(first: int, sign: str, second: int, year: int) -> tuple[str, str]:
    if sign == "." or first > 12:
        return _parse_known_parts(year, second, first)
    if second > 12 or first == second:
        return _parse_known_parts(year, first, second)
    return _format_if_plausible(year)  # 03/04/2016 is March in one country and April in another


def _parse_period(text: str) -> tuple[str, str]:
    """Parse words and numbers without the name of a month: a date among other words, or a season or quarter."""
    within = [match.group() for match in _EMBEDDED_DATE.finditer(text)]
    if len(within) == 1 and within[0] != text:
        return parse_date(within[0])  # with a weekday or a time before it
    years = set(_YEAR.findall(text))
    is_period = len(years) == 1 and PERIOD_DATE.fullmatch(text)
    return _format_if_plausible(int(years.pop())) if is_period else ("", "is not a date")


def _parse_month_name(text: str) -> tuple[str, str]:
    """Parse a date with the name of a month; a vague one gives the month, or the year for several months."""
    written, refusal = _parse_written_date(text)
    years = set(_YEAR.findall(text))
    if written or len(years) > 1 or not VAGUE_DATE.search(text):
        return written, refusal
    months = {name.casefold() for name in MONTH_NAME.findall(text)}
    year = years.pop()
    return _parse_written_date(f"{months.pop()} {year}") if len(months) == 1 else _format_if_plausible(int(year))


def extract_header_date(text: str) -> str:
    """Return the date in a line with nothing else, such as `14 Dec, 2016 03:57`; else ""."""
    match = HEADER_DATE.fullmatch(text)
    return match["date"] if match else ""


def _find_dateline(openings: Sequence[str]) -> str:
    """Return the date of the first dateline, or ""."""
    return next((match["date"] for text in openings if (match := DATELINE.match(text))), "")


def _iterate_candidates(
    stated: str, stated_in: str, title: str, header: Sequence[str], openings: Sequence[str], url: str
) -> Iterator[tuple[str, str]]:
    if stated.strip() and stated_in != STATED_SOURCES["guess"]:
        yield stated_in, stated
    if dateline := _find_dateline(openings):
        yield "dateline", dateline
    if ending := TITLE_DATE.search(title):
        yield "title", ending["date"]
    for line in header:
        if day := extract_header_date(line):
            yield "header line", day
    if address := URL_DATE.search(url):
        yield "url", "-".join(part for part in address.groups() if part)
    if stated.strip() and stated_in == STATED_SOURCES["guess"]:
        yield stated_in, stated


def _complete_dateline_year(header: Sequence[str], url: str, openings: Sequence[str]) -> DocumentDate | None:
    """Return a dateline's day and month with the year of a header line or address of the next days, or None."""
    dateline = _find_dateline(openings)
    if not dateline or _YEAR.search(dateline):
        return None
    for source, text in _iterate_candidates("", "", "", header, (), url):
        day = parse_date(text)[0]
        if len(day) == 10:
            return _find_statement_date(date.fromisoformat(day), source, "", openings)
    return None


def _find_statement_date(posted: date, posted_in: str, title: str, openings: Sequence[str]) -> DocumentDate | None:
    """Return the day of the statement, if dateline or title give one shortly before the day of posting.

    `posted_in` names the source of the day of posting.
    """
    dateline = _find_dateline(openings)
    candidates = [("dateline", dateline)] if dateline else []
    candidates += [("title", match["date"]) for match in TITLE_DATE.finditer(title)]
    for source, text in candidates:
        # A day without a year has that of the posting, or at New Year perhaps the year before.
        years = [""] if _YEAR.search(text) else [f" {posted.year}", f" {posted.year - 1}"]
        limit = MAX_POSTING_LAG if years == [""] else MAX_YEARLESS_LAG
        for year in years:
            day = parse_date(text + year)[0]
            if len(day) == 10 and -ONE_DAY <= posted - date.fromisoformat(day) <= limit:
                return DocumentDate(day, "day", source if years == [""] else f"{source}, year of {posted_in}")
    return None


def _parse_written_date(text: str) -> tuple[str, str]:
    import dateparser  # takes a quarter of a second, which pages that only show charts do not need

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns of its own use of datetime
        for parts in (["day", "month", "year"], ["month", "year"]):
            settings = {"REQUIRE_PARTS": parts, "PARSERS": ["absolute-time"], "DATE_ORDER": "DMY"}
            try:
                moment = dateparser.parse(text, languages=["en", "ru"], settings=settings)
            except (ValueError, OverflowError):
                moment = None
            if moment:
                return _format_if_plausible(*(getattr(moment, part) for part in reversed(parts)))
    return "", "is not a date"


def _parse_known_parts(*parts: str | int | None) -> tuple[str, str]:
    """Format year, month and day up to the first that is missing or zero."""
    return _format_if_plausible(*takewhile(bool, (int(part or 0) for part in parts)))


def _format_if_plausible(year: int = 0, month: int = 0, day: int = 0) -> tuple[str, str]:
    try:
        earliest_day = date(year, month or 1, day or 1)
    except ValueError:
        return "", "is not a date"
    if year < EARLIEST_YEAR:
        return "", f"before {EARLIEST_YEAR}"
    # It may already be tomorrow in the time zone of the text.
    if earliest_day > datetime.now(UTC).date() + ONE_DAY:
        return "", "in the future"
    return "-".join([f"{year:04d}", *(f"{part:02d}" for part in (month, day) if part)]), ""


def _get_precision(day: str) -> DatePrecision:
    return "day" if len(day) == 10 else "month" if len(day) == 7 else "year"
