"""Read the date that a string states, exactly as far as it states it: words, numbers, serial numbers."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, date, datetime, timedelta
from functools import cache, lru_cache, wraps
from importlib import import_module
from itertools import takewhile
from typing import Literal, NamedTuple, TypeVar, TypeVarTuple

EARLIEST_YEAR = 1900
MAX_DATE_CHARACTERS = 120  # a longer cell is a text
ONE_DAY = timedelta(days=1)  # between the time zones of an author and a server

# What comes first in the numeric dates of a column: proven by a number above 12, contradictory, or unknown.
FirstPart = Literal["", "day", "month", "both"]


class ParsedDate(NamedTuple):
    """A date as `YYYY[-MM[-DD]]`, or empty with the reason in `refusal`.

    `readings` are the two days that a numeric date may mean if the order of day and month is unknown; `date` is
    then its year.
    """

    date: str
    refusal: str = ""
    readings: tuple[str, ...] = ()


class DateMatch(NamedTuple):
    """A whole date in a text, and its place."""

    start: int
    end: int
    parsed: ParsedDate


# The days in the future that dates were compared with, while somebody collects them.
_future_days: ContextVar[set[date] | None] = ContextVar("future_days", default=None)
Texts = TypeVarTuple("Texts")
Result = TypeVar("Result")


@contextmanager
def collect_future_days() -> Iterator[set[date]]:
    """Collect the days in the future that dates are compared with in this block.

    From the first of these days on, the same texts may be read differently; before it, and if there is none, not.
    """
    days: set[date] = set()
    token = _future_days.set(days)
    try:
        yield days
    finally:
        _future_days.reset(token)


def get_latest_day() -> date:
    """Return the last day that is not in the future."""
    # It may already be tomorrow in the time zone of the text.
    return datetime.now(UTC).date() + ONE_DAY


def _is_future(day: date) -> bool:
    if day <= get_latest_day():
        return False
    _add_future_days({day})
    return True


def _add_future_days(days: Iterable[date]) -> None:
    collected = _future_days.get()
    if collected is not None:
        collected.update(days)


def cache_for_a_day(read: Callable[[*Texts], Result]) -> Callable[[*Texts], Result]:
    """Cache the results of a function that reads dates in texts, until the day ends."""

    @lru_cache(maxsize=8192)
    def read_once(_latest: date, *texts: *Texts) -> tuple[Result, set[date]]:
        with collect_future_days() as days:
            return read(*texts), days

    @wraps(read)
    def read_cached(*texts: *Texts) -> Result:
        result, days = read_once(get_latest_day(), *texts)
        _add_future_days(days)
        return result

    return read_cached


LANGUAGES = ("en", "ru", "de", "fr", "es", "it", "pt", "nl", "pl", "uk")
# Only of these languages also short forms, because `out` and `set` are months in others.
_SHORT_FORM_LANGUAGES = LANGUAGES[:5]
_MONTH_KEYS = (
    "january", "february", "march", "april", "may", "june",
    "july", "august", "september", "october", "november", "december",
)  # fmt: skip
_WEEKDAY_KEYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_UNITS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth")
_TEENS = (
    "tenth", "eleventh", "twelfth", "thirteenth", "fourteenth",
    "fifteenth", "sixteenth", "seventeenth", "eighteenth", "nineteenth",
)  # fmt: skip
_ORDINALS = {
    word: day
    for day, word in enumerate(
        (*_UNITS, *_TEENS, "twentieth", *(f"twenty-{u}" for u in _UNITS), "thirtieth", "thirty-first"), 1
    )
}


@cache
def load_month_names() -> Mapping[str, int]:
    """Return the number of each month name, from dateparser's tables (Unicode CLDR and usual short forms)."""
    return {
        name: number
        for number, key in enumerate(_MONTH_KEYS, 1)
        for language in LANGUAGES
        for name in _load_names(language, key)
        if len(name) > (2 if language in _SHORT_FORM_LANGUAGES else 3)
    }


@cache
def load_weekday_names() -> Mapping[str, int]:
    """Return the number of each name of a weekday, Monday being 0."""
    names = {
        name: number
        for number, key in enumerate(_WEEKDAY_KEYS)
        for language in _SHORT_FORM_LANGUAGES
        for name in _load_names(language, key)
        if len(name) > 2 or name > "а"
    }
    return names | {"thur": 3, "thurs": 3}


def _load_names(language: str, key: str) -> Iterator[str]:
    # Loaded when a first date is read: the package takes a quarter of a second.
    table = import_module(f"dateparser.data.date_translation_data.{language}").info
    return (name.casefold() for name in table[key])


class _Patterns(NamedTuple):
    month: re.Pattern[str]
    whole: re.Pattern[str]
    month_year: re.Pattern[str]
    day_month: re.Pattern[str]
    range_before: re.Pattern[str]
    several_months: re.Pattern[str]


_GAP = r"[\s.,/-]{0,3}"
_AND = "to|until|till|through|and|bis|und|до|по|и|au|al|et|y|e"
_CLOCK = r"\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d{1,9})?)?"


@cache
def _compile_patterns() -> _Patterns:
    names = "|".join(map(re.escape, sorted(load_month_names(), key=lambda name: (-len(name), name))))
    month = rf"(?:{names})(?![^\W\d_])\.?"
    number = r"(?<![\w:])(?:0?[1-9]|[12]\d|3[01])(?:\.|st\b|nd\b|rd\b|th\b|er\b|[ºª]|-?го\b)?"
    day = rf"(?:{number}|\b(?:{'|'.join(_ORDINALS)})\b)"
    of = r"(?:(?:day\s)?of\s|de\s|del\s|di\s)?"
    year = r"[12]\d{3}(?!\d|-\d{2,4}(?![\d:]))"
    between = rf"\s?(?:[-–—/&]|\b(?:{_AND})\b)\s?"
    whole = rf"""
      (?<![\w./-])(?P<y1>\d{{4}})(?P<s1>[-/._]|\.\s)(?P<m1>\d{{1,2}})(?P=s1)(?P<d1>\d{{1,2}})
        (?:T[\d:.,+-]{{1,30}}Z?)?(?![\dA-Za-z]|[./-]\d)
    | (?P<y2>\d{{4}})\s?[年년]\s?(?P<m2>\d{{1,2}})\s?[月월]\s?(?P<d2>\d{{1,2}})\s?[日일]
    | (?P<d3>{day})\s?[\s./-]{{0,3}}{of}(?P<n3>{month}){_GAP}{of}(?P<y3>{year})
    | (?P<d4>{day})(?P<s4>[-/. ])(?P<n4>{month})(?P=s4)?['’]?(?P<y4>\d\d)(?![\d:])(?!\.\d)
    | \b(?P<n5>{month}){_GAP}(?:the\s)?(?P<d5>{day})[\s.,/-]{{1,3}}(?:{_CLOCK}\s(?:[A-Z]{{1,5}}\s|[+-]\d{{4}}\s)?)?
        (?P<y5>{year})
    | (?<![\w./-])(?P<y6>\d{{4}})[\s.,/-]{{1,3}}(?P<n6>{month}){_GAP}(?P<d6>{day})(?![\d:])
    | (?<![\w./:-])(?P<a7>\d{{1,2}})(?P<s7>[./-]|\.\s)(?P<b7>\d{{1,2}})(?P=s7)(?P<y7>\d{{4}}|['’]?\d\d)
        (?![\dA-Za-z]|[./:-]\d)
    """
    flags = re.VERBOSE | re.IGNORECASE
    return _Patterns(
        re.compile(rf"\b{month}", re.IGNORECASE),
        re.compile(whole, flags),
        re.compile(rf"\b(?P<n>{month}){_GAP}{of}(?P<y>{year})|\b(?P<y2>{year})[\s,.-]{{1,3}}(?P<n2>{month})", flags),
        re.compile(rf"(?:{day}\s?{_GAP}{of}{month}|\b{month}{_GAP}{day})(?![\w:])", flags),
        re.compile(rf"(?:(?<![\d:.])\d{{1,2}}(?:st|nd|rd|th|\.)?|\b{month}){between}$", re.IGNORECASE),
        re.compile(rf"\b{month}(?:\s{year})?{between}{month}", re.IGNORECASE),
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
    | frühling | frühjahr | sommer | herbst | printemps | été | automne | hiver
    | primavera | verano | otoño | invierno
    | год\w* | гг? | весн\w* | лет[оа]м? | осен\w* | зим\w* | квартал\w* | полугоди\w*
    | начал\w* | кон\w+ | середин\w*
    | перв\w+ | втор\w+ | треть\w* | четв[её]рт\w+ | во? | около | I{1,3} | IV | [1-4](?:-?[йя]|-?е)?
    )(?!\w))[\s.,~–-]*)+""",
    re.VERBOSE | re.IGNORECASE,
)
# Part of a month: the month is known, but not the day.
_VAGUE_WORD = re.compile(
    r"\b(?:early|mid|late|beginning|middle|end|start|anfang|mitte|ende|début|fin|начал\w*|кон\w+|середин\w*)\b", re.I
)
_DAY_RANGE = re.compile(
    rf"(?<![\d:.])\d{{1,2}}(?:st|nd|rd|th|\.)?\s?(?:[-–—/&]|{_AND})\s?\d{{1,2}}(?:st|nd|rd|th)?(?![\d:])", re.I
)
_RANGE_SIGN = re.compile(rf"[\s,]*(?:[-–—/]|{_AND})[\s,]*", re.IGNORECASE)
UPDATED = re.compile(
    r"\b(?:(?:last |page )?(?:updat\w+|modified|changed|revised|edited|amended|corrected|reviewed)|aktualisiert"
    r"|geändert|mis(?:e)? à jour|modifié\w*|actualizad\w+|aggiornat\w+|обновл\w+|изменен\w*)\b",
    re.IGNORECASE,
)
_PARTS = re.compile(r"(\d{4})(?:([-/. ])(\d{1,2})(?:\2(\d{1,2})(?:[T ]\d{1,2}[:.\d].*)?)?)?")
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})?(?:T.*|\d{4}|\d{6})?")
_MONTH_AND_YEAR = re.compile(r"(\d{1,2})[./-](\d{4})")
_INTERVAL = re.compile(r"(?<=\d)/(?=\d{4}-)")
_YEAR = re.compile(r"(?<!\d)[12]\d{3}(?!\d)")
_WORD = re.compile(r"[^\W\d_]+")
_COUNT = re.compile(r"(\d{5}|\d{9,10}|\d{13}|\d{16}|\d{19})(?:\.\d{1,12})?")
# Seconds, and their thousandths, millionths and billionths, since 1970; 12 digits are a time without signs.
_COUNTS_PER_SECOND = {9: 1, 10: 1, 13: 10**3, 16: 10**6, 19: 10**9}
_EXCEL_DAY_ZERO = date(1899, 12, 30)
_MIN_EXCEL_DAY = 25_569  # in 1970; smaller numbers are more likely something else
# What programs write where they know no date.
_PLACEHOLDERS = frozenset({"1970-01-01", "1900-01-01"})


def parse_date(text: str, first: FirstPart = "") -> ParsedDate:
    """Parse a string that was given as a date, such as a cell of a column of dates.

    `first` is what `detect_first_part` found in the whole column. Words around a single date do not matter; a range
    gives the month or year that its days share.
    """
    text = " ".join(text.split())
    return _parse_cell(text, first) if len(text) <= MAX_DATE_CHARACTERS else ParsedDate("", "is not a date")


@cache_for_a_day
def _parse_cell(text: str, first: FirstPart) -> ParsedDate:
    text = _INTERVAL.sub(" - ", text)
    parsed = _parse_number(text) or _parse_words(text, first)
    return ParsedDate("", "is a placeholder") if parsed.date in _PLACEHOLDERS else parsed


def _parse_number(text: str) -> ParsedDate | None:
    """Parse numbers from year to day, and counts of days or seconds; None if the text is neither."""
    if parts := _PARTS.fullmatch(text):
        return _format_up_to_zero(parts[1], parts[3], parts[4])
    if month_year := _MONTH_AND_YEAR.fullmatch(text):
        return _format_up_to_zero(month_year[2], month_year[1])
    if compact := _COMPACT.fullmatch(text):
        parsed = _format_up_to_zero(*compact.groups())
        if parsed.date or not _COUNT.fullmatch(text):
            return parsed
    count = _COUNT.fullmatch(text)
    if count is None:
        return None
    number, digits = int(count[1]), len(count[1])
    if digits == 5:
        day = _EXCEL_DAY_ZERO + number * ONE_DAY
        return _format_if_plausible(day.year, day.month, day.day) if number >= _MIN_EXCEL_DAY else None
    moment = datetime.fromtimestamp(number // _COUNTS_PER_SECOND[digits], UTC)
    return _format_if_plausible(moment.year, moment.month, moment.day)


def _parse_words(text: str, first: FirstPart) -> ParsedDate:
    matches = select_published(text, find_dates(text, first))
    days = {match.parsed.date for match in matches}
    if len(days) == 1:
        return _widen_range(text, matches[0])
    if matches:
        return _parse_span(text, matches)
    if not _YEAR.search(text):
        return ParsedDate("", "without a year" if any(c.isdigit() for c in text) else "is not a date")
    return _parse_month(text) or _parse_period(text)


def find_dates(text: str, first: FirstPart = "") -> list[DateMatch]:
    """Find the whole dates in a text, from day to year, in order."""
    patterns = _compile_patterns()
    if not any(character.isdigit() for character in text):
        return []
    return [DateMatch(m.start(), m.end(), _parse_match(m, text, first)) for m in patterns.whole.finditer(text)]


def select_published(text: str, matches: list[DateMatch]) -> list[DateMatch]:
    """Return the dates before which the text does not say that they are those of a change, or else all."""
    starts = [0, *(match.end for match in matches)]
    kept = [
        match for match, start in zip(matches, starts, strict=False) if not UPDATED.search(text[start : match.start])
    ]
    return kept or matches


def find_day_and_month(text: str) -> str:
    """Return the first day and month without a year in a text, or ""."""
    match = _compile_patterns().day_month.search(text)
    return match[0] if match else ""


def detect_first_part(text: str, before: FirstPart = "") -> FirstPart:
    """Detect what comes first in the numeric dates of a text, where a number above 12 is a day.

    `before` is what was detected in other texts of the same column, and is combined with it.
    """
    for match in _compile_patterns().whole.finditer(text[:MAX_DATE_CHARACTERS]):
        if match["a7"]:
            one, other = int(match["a7"]), int(match["b7"])
            if one <= 12 < other <= 31 or other <= 12 < one <= 31:
                proven: FirstPart = "day" if one > 12 else "month"
                before = proven if before in ("", proven) else "both"
    return before


def _parse_match(match: re.Match[str], text: str, first: FirstPart) -> ParsedDate:
    if match["a7"]:
        return _parse_numeric(match, text, first)
    for i in "12":
        if match[f"y{i}"]:
            return _format_up_to_zero(match[f"y{i}"], match[f"m{i}"], match[f"d{i}"])
    i = next(i for i in "3456" if match[f"y{i}"])
    month = load_month_names()[match[f"n{i}"].rstrip(".").casefold()]
    return _format_if_plausible(_parse_year(match[f"y{i}"]), month, _parse_day(match[f"d{i}"]))


def _parse_numeric(match: re.Match[str], text: str, first: FirstPart) -> ParsedDate:
    """Parse `15/05/2018`: the order follows from a number above 12, the column, a weekday, or the dots."""
    one, other, year = int(match["a7"]), int(match["b7"]), _parse_year(match["y7"])
    if one > 12 or other > 12 or one == other or not (one and other):
        return _format_up_to_zero(year, *((other, one) if one > 12 or other <= 12 else (one, other)))
    by_day, by_month = _format_if_plausible(year, other, one), _format_if_plausible(year, one, other)
    if first in ("day", "month"):
        return by_day if first == "day" else by_month
    named = {load_weekday_names().get(word.casefold()) for word in _WORD.findall(text)} - {None}
    fitting = [p for p in (by_day, by_month) if p.date and date.fromisoformat(p.date).weekday() in named]
    if len(fitting) == 1:
        return fitting[0]
    if match["s7"][0] == "." and len(match["y7"]) == 4:
        return by_day
    readings = tuple(p.date for p in (by_day, by_month) if p.date)
    return _format_if_plausible(year)._replace(readings=readings)


def _parse_year(text: str) -> int:
    year = int(text.lstrip("'’"))
    if year >= 100:
        return year
    return year + (1900 if _is_future(date(year + 2000, 1, 1)) else 2000)


def _parse_day(text: str) -> int:
    digits = re.match(r"\d+", text)
    return int(digits[0]) if digits else _ORDINALS[text.casefold()]


def _widen_range(text: str, match: DateMatch) -> ParsedDate:
    """Return the date of a text, or only its month or year if it is the end of a range such as `10-12 May 2018`."""
    patterns = _compile_patterns()
    if not match.parsed.date or not patterns.range_before.search(text[: match.start]):
        return match.parsed
    several = len({_get_month(name) for name in patterns.month.findall(text)}) > 1
    return ParsedDate(match.parsed.date[: 4 if several else 7])


def _parse_span(text: str, matches: list[DateMatch]) -> ParsedDate:
    """Return the month or year that two dates share, if they are the ends of a range."""
    days = [match.parsed.date for match in matches]
    is_range = len(matches) == 2 and _RANGE_SIGN.fullmatch(text[matches[0].end : matches[1].start])
    if is_range and all(days):
        for length in (7, 4):
            if days[0][:length] == days[1][:length]:
                return ParsedDate(days[0][:length])
    return ParsedDate("", "has several dates")


def _parse_month(text: str) -> ParsedDate | None:
    """Parse a month and a year; several months, or a range of days, give what they share."""
    patterns = _compile_patterns()
    years = set(_YEAR.findall(text))
    months = {_get_month(name) for name in patterns.month.findall(text)}
    if len(years) != 1 or not months:
        return None
    [year] = years
    is_stated = bool(patterns.month_year.search(text))
    if len(months) == 1 and (is_stated or _VAGUE_WORD.search(text) or _DAY_RANGE.search(text)):
        if is_stated and patterns.day_month.search(text) and not _DAY_RANGE.search(text):
            return ParsedDate("", "is not a date")
        return _format_if_plausible(int(year), months.pop())
    if patterns.several_months.search(text) or (len(months) > 1 and _DAY_RANGE.search(text)):
        return _format_if_plausible(int(year))
    return None


def _parse_period(text: str) -> ParsedDate:
    years = set(_YEAR.findall(text))
    if len(years) == 1 and PERIOD_DATE.fullmatch(text):
        return _format_if_plausible(int(years.pop()))
    return ParsedDate("", "is not a date")


def _get_month(name: str) -> int:
    return load_month_names()[name.rstrip(".").casefold()]


def _format_up_to_zero(*parts: str | int | None) -> ParsedDate:
    """Format year, month and day up to the first that is missing or zero."""
    return _format_if_plausible(*takewhile(bool, (int(part or 0) for part in parts)))


def _format_if_plausible(year: int = 0, month: int = 0, day: int = 0) -> ParsedDate:
    try:
        earliest_day = date(year, month or 1, day or 1)
    except ValueError:
        return ParsedDate("", "is not a date")
    if year < EARLIEST_YEAR:
        return ParsedDate("", f"before {EARLIEST_YEAR}")
    if _is_future(earliest_day):
        return ParsedDate("", "in the future")
    return ParsedDate("-".join([f"{year:04d}", *(f"{part:02d}" for part in (month, day) if part)]))
