"""Find the date of a document: one ordered cascade, from stated dates to the address and the file name."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Literal, NamedTuple

from narratives.model import DatePrecision
from narratives.parse.date_lines import DateLine, find_dateline, find_title_date, find_url_date, read_date_line
from narratives.parse.date_strings import ONE_DAY, FirstPart, ParsedDate, detect_first_part, parse_date

MAX_POSTING_LAG = timedelta(days=60)  # between a statement and its posting; the text only mentions an earlier date
MAX_YEARLESS_LAG = timedelta(days=10)
UNDECIDED = "order of day and month undecided"
_WORD = re.compile(r"[^\W\d_]+")
MAX_QUOTED = 60  # characters of a text that is no date, in the reason


class DocumentDate(NamedTuple):
    """The date of a document: `date` is `YYYY[-MM[-DD]]` or empty; `source` says where it was, or why there is none."""

    date: str
    precision: DatePrecision
    source: str


@dataclass(frozen=True, slots=True)
class DateOrder:
    """The order of day and month in the numeric dates of a table or folder.

    `dates` is that of its column of dates; `titles` has that of each series of titles, such as all press briefings.
    """

    dates: FirstPart = ""
    titles: Mapping[str, FirstPart] = field(default_factory=dict)

    def add(self, stated: str, title: str) -> DateOrder:
        """Return the order that is known with a further row, which has this date and this title."""
        dates, titles = detect_first_part(stated, self.dates), self.titles
        if titled := find_title_date(title):
            series = _get_series(title)
            known = titles.get(series, "")
            if (proven := detect_first_part(titled[0], known)) != known:
                titles = {**titles, series: proven}
        return self if (dates, titles) == (self.dates, self.titles) else DateOrder(dates, titles)


def _get_series(title: str) -> str:
    """Return the first two words of a title, by which titles of one series are known."""
    return " ".join(_WORD.findall(title.casefold())[:2])


@dataclass(frozen=True, slots=True)
class DateClues:
    """Everything that may date a document, as written.

    stated     the date that the source gives to the statement, such as a cell of a column of dates
    stated_in  whether this source is a manifest.csv or the document itself
    posted     the day on which the page was posted, from its metadata
    is_page    whether the document is a page, on which a program may have put the day of an update
    title      the title
    header     lines between title and text; `closing` is the last line of the text
    openings   the first paragraphs
    chronicle  whether the text has further lines of dates, each for a part of it
    url        the address
    listed     the date in the feed or sitemap that listed the page
    name       the date in the name of the file, if these dates are wanted
    order      what is known of the order of day and month
    """

    stated: str = ""
    stated_in: Literal["manifest", "metadata"] = "metadata"
    posted: str = ""
    is_page: bool = False
    title: str = ""
    header: Sequence[str] = ()
    closing: str = ""
    openings: Sequence[str] = ()
    chronicle: bool = False
    url: str = ""
    listed: str = ""
    name: str = ""
    order: DateOrder = field(default_factory=DateOrder)


class _Candidate(NamedTuple):
    """A date in one place: where it is, how it is written, and what it states."""

    source: str
    written: str
    parsed: ParsedDate


def find_date(clues: DateClues) -> DocumentDate:
    """Return the first date of: manifest, metadata, posting, dateline, title, header line, closing line, feed, address.

    The order follows htmldate (Barbaresi 2020): cheap and certain sources first. The title precedes the header
    line because it dates the statement and not the posting. Nothing is guessed, but a dateline without a year
    takes that of a line or address of the next days, and a less exact date of the page that of the feed or file
    name that it includes. A date that is skipped, because it has no year or is before 1900 or in the future, is
    given in `source`.
    """
    candidates = list(_iterate_candidates(clues))
    refusals: list[str] = []
    for position, candidate in enumerate(candidates):
        source, parsed = candidate.source, candidate.parsed
        if not parsed.date:
            refusals.append(f"{source} {parsed.refusal}: {candidate.written.strip()[:MAX_QUOTED]}")
            continue
        if (statement := _find_earlier_statement(candidate, candidates, clues)) is not None:
            return statement
        if _is_contradicted(candidate, candidates[position + 1 :]):
            refusals.append(f"{source} names another day: {candidate.written}")
            continue
        day, source = _refine(candidate, candidates[position + 1 :])
        return DocumentDate(day, _get_precision(day), "; ".join([source, *refusals]))
    return DocumentDate("", "none", "; ".join(refusals) or "no date in text or metadata")


def _iterate_candidates(clues: DateClues) -> Iterator[_Candidate]:
    if clues.stated.strip():
        yield _Candidate(clues.stated_in, clues.stated, parse_date(clues.stated, clues.order.dates))
    if clues.posted.strip():
        yield _Candidate("page metadata", clues.posted, parse_date(clues.posted))
    if dateline := _find_dateline(clues.openings):
        yield _Candidate("dateline", dateline, parse_date(dateline))
    if titled := find_title_date(clues.title, clues.order.titles.get(_get_series(clues.title), "")):
        yield _Candidate("title", *titled)
    yield from _choose_lines(clues)
    for source, text in (
        ("feed or sitemap", clues.listed),
        ("url", find_url_date(clues.url)),
        ("file name", clues.name),
    ):
        if text:
            yield _Candidate(source, text, parse_date(text))


def _choose_lines(clues: DateClues) -> Iterator[_Candidate]:
    """Choose among the lines above the text: those of publication, others, then those of an update."""
    lines = [(text, line) for text in dict.fromkeys(clues.header) if (line := read_date_line(text))]
    dated = [(text, line) for text, line in lines if not (line.is_stamp or (line.is_update and clues.is_page))]
    for group in (
        [pair for pair in dated if pair[1].is_published and not pair[1].is_update],
        [pair for pair in dated if not pair[1].is_published and not pair[1].is_update],
        [pair for pair in dated if pair[1].is_update],
    ):
        yield from _merge_lines(group, clues.chronicle)
    if clues.closing and (line := read_date_line(clues.closing)) and not (line.is_update or clues.chronicle):
        yield _Candidate("closing line", clues.closing, line.parsed)
    for text, line in lines:
        if (text, line) not in dated:
            yield _Candidate("header line", text, ParsedDate("", "only gives the last change"))


def _merge_lines(lines: Sequence[tuple[str, DateLine]], chronicle: bool) -> Iterator[_Candidate]:
    days = {line.parsed.date for _, line in lines if line.parsed.date}
    for text, line in lines:
        source = "header line of the last update" if line.is_update else "header line"
        if chronicle and not line.is_published:
            yield _Candidate(source, text, ParsedDate("", "is one of several in the text"))
        elif len(days) > 1:
            yield _Candidate(source, text, ParsedDate("", "is one of several above the text"))
        else:
            yield _Candidate(source, text, line.parsed)


def _find_dateline(openings: Sequence[str]) -> str:
    """Return the date of the first dateline, or ""."""
    return next((line.date for text in openings if (line := find_dateline(text))), "")


def _find_earlier_statement(
    candidate: _Candidate, candidates: Sequence[_Candidate], clues: DateClues
) -> DocumentDate | None:
    """Return the day of the statement where the candidate only gives the day of its posting, shortly after.

    A dateline without a year is completed; with the day on which a page was posted, so are dateline and title.
    """
    if candidate.source in ("manifest", "metadata") or len(candidate.parsed.date) != 10:
        return None
    posted = date.fromisoformat(candidate.parsed.date)
    earlier = [c for c in candidates if c.source in ("dateline", "title") and c is not candidate]
    for source, written, parsed in earlier:
        if len(parsed.date) == 10 and candidate.source == "page metadata":
            if -ONE_DAY <= posted - date.fromisoformat(parsed.date) <= MAX_POSTING_LAG:
                return DocumentDate(parsed.date, "day", source)
        elif parsed.refusal == "without a year":
            # At New Year perhaps the year before.
            for year in (posted.year, posted.year - 1):
                day = parse_date(f"{written} {year}").date
                if len(day) == 10 and -ONE_DAY <= posted - date.fromisoformat(day) <= MAX_YEARLESS_LAG:
                    return DocumentDate(day, "day", f"{source}, year of {candidate.source}")
    return None


def _is_contradicted(candidate: _Candidate, others: Sequence[_Candidate]) -> bool:
    """Return whether a title names a day that is far from the one on which the text was posted."""
    posted = next((c.parsed.date for c in others if len(c.parsed.date) == 10 and c.source != "file name"), "")
    if candidate.source != "title" or len(candidate.parsed.date) != 10 or not posted:
        return False
    return not -ONE_DAY <= date.fromisoformat(posted) - date.fromisoformat(candidate.parsed.date) <= MAX_POSTING_LAG


def _refine(candidate: _Candidate, others: Sequence[_Candidate]) -> tuple[str, str]:
    """Return the date of a candidate and its source, made exact by another source that agrees with it.

    One of the two readings of a numeric date is chosen if another source gives that day. A month or year of the
    page itself gives way to the day in it that the feed or the file name states.
    """
    source, _, parsed = candidate
    days = [other for other in others if len(other.parsed.date) == 10]
    if parsed.readings:
        for other in days:
            if other.parsed.date in parsed.readings:
                return other.parsed.date, f"{source}, day and month as in {other.source}"
        source = f"{source}, {UNDECIDED}"
    if candidate.source not in ("manifest", "metadata") and len(parsed.date) < 10:
        for other in days:
            is_outside = other.source in ("feed or sitemap", "file name")
            if other.parsed.date.startswith(parsed.date) and (is_outside or candidate.source == "page metadata"):
                return other.parsed.date, other.source
    return parsed.date, source


def _get_precision(day: str) -> DatePrecision:
    return "day" if len(day) == 10 else "month" if len(day) == 7 else "year"
