"""The outlet of a text, only where the address or the text makes it evident."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

from narratives.parse.settings import (
    AGENCIES,
    DATELINE,
    MINISTRY_BRIEFING,
    OUTLET_HOSTS,
    TO_RT,
)


def find_outlet(url: str, title: str, openings: Sequence[str], rt_layout: bool) -> str:
    """The outlet by host, agency dateline, RT's page layout, or the ministry's briefing title; else "".

    `openings` are the first paragraphs; `rt_layout` says that the page carried RT's list of icons.
    """
    host = _host(url)
    for known, outlet in OUTLET_HOSTS.items():
        if host == known or host.endswith("." + known):
            return outlet
    for text in openings:
        line = DATELINE.match(text)
        if line and (agency := AGENCIES.get(line["agency"].strip("/() ").casefold())):
            return agency
    if rt_layout and any(TO_RT.search(text) for text in (title, *openings)):
        return "RT"
    if MINISTRY_BRIEFING.match(title):
        return OUTLET_HOSTS["mid.ru"]
    return ""


def _host(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "").casefold()
    except ValueError:  # an address that is none, such as an unclosed [ of IPv6
        return ""
