"""en.kremlin.ru: the events of the President by date. Its texts are under CC BY 4.0."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta, timezone

from lxml import etree, html

from narratives.model import UsageError
from narratives.read.web.guard import normal
from narratives.read.web.records import Entry, Failure, FetchError, Listing, Page
from narratives.read.web.window import Window, day_of

SITE = "http://en.kremlin.ru"
# Moscow has kept UTC+3 since 2014.
TIME_ZONE = timezone(timedelta(hours=3))
_EVENT = re.compile(r"https?://en\.kremlin\.ru/events/president/(?:news|transcripts)/(\d+)/?")
# So many events does a listing show, as far as is known; one with as many of a single day may hide more.
SHOWN = 20


def list_events(window: Window, today: date, look: Callable[[str], Page]) -> Listing:
    """Every event that the listings by date show inside the window, newest first.

    A listing shows the latest events up to its day, each with its date. The walk goes back in time: to the
    oldest day that a listing shows, which may be cut off there, or else to the day before. An event without
    a date counts as inside. Raises UsageError without a first day, since the archive goes back to 1999.
    """
    if window.first is None:
        raise UsageError("--from D for kremlin", "none", "Say from when, as in --from 2016-01.")
    dates: dict[str, str] = {}
    failures: list[Failure] = []
    day = min(window.last or today, today)
    while day >= window.first:
        url = f"{SITE}/events/president/news/by-date/{day:%d.%m.%Y}"
        oldest = day.isoformat()
        try:
            shown = read_listing(look(url).body, url)
            dates |= {key: published for key, published in shown.items() if not dates.get(key)}
            oldest = min(filter(None, shown.values()), default=oldest)
            if len(shown) >= SHOWN and set(shown.values()) == {day.isoformat()}:
                todo = "Look at the day on the site."
                raise FetchError("fewer events than a listing shows", f"{len(shown)} of one day", todo)
        except FetchError as error:
            failures.append(Failure(url, str(error)))
            if error.blames_host:
                break
        day = date.fromisoformat(oldest) if oldest < day.isoformat() else day - timedelta(days=1)
    entries = [Entry(f"{SITE}/events/president/news/{key}", published) for key, published in dates.items()]
    inside = tuple(entry for entry in entries if not window.excludes(entry))
    return Listing(inside, failures=tuple(failures))


def read_listing(body: bytes, base: str) -> dict[str, str]:
    """The events of a listing by their number, each with the day that stands in the same block, or "".

    Raises FetchError where there is no HTML.
    """
    try:
        page = html.document_fromstring(body, parser=html.HTMLParser(encoding="utf-8"))
    except (ValueError, etree.ParserError) as error:
        raise FetchError("a listing of events", f"no HTML ({error})", "Try again later.") from error
    dates: dict[str, str] = {}
    for link in page.iter("a"):
        key = _event(link.get("href", ""), base)
        if key and not dates.get(key):
            dates[key] = _date_beside(link)
    return dates


def _event(href: str, base: str) -> str:
    try:
        match = _EVENT.fullmatch(normal(href, base))
    except FetchError:
        return ""
    return match[1] if match else ""


def _date_beside(link: html.HtmlElement) -> str:
    """The date of the smallest block around a link that has one; several in it belong to several events."""
    for block in (link, *link.iterancestors()):
        days = {day for time in block.iter("time") if (day := day_of(time.get("datetime", "")))}
        if days:
            return days.pop() if len(days) == 1 else ""
    return ""
