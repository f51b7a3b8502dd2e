"""One address for one page: print versions, tracking marks and fragments make no other document."""

from __future__ import annotations

import re
from urllib.parse import urlsplit, urlunsplit

_PRINT_PATH = re.compile(r"/(?:print|printable)(?:\.html?|\.php)?/?$", re.IGNORECASE)
_NO_MATTER = re.compile(
    r"utm_\w+=.*|(?:fbclid|gclid|yclid)=.*|print(?:able)?(?:=(?:1|y|yes|true)?)?|(?:output|view|mode)=print",
    re.IGNORECASE,
)


def canonical(url: str) -> str:
    """The address without print suffix, tracking marks and fragment; as it is where it is no web address."""
    try:
        parts = urlsplit(url.strip())
    except ValueError:
        return url.strip()
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return url.strip()
    kept = [pair for pair in parts.query.split("&") if pair and not _NO_MATTER.fullmatch(pair)]
    path = _PRINT_PATH.sub("", parts.path)
    return urlunsplit((parts.scheme, parts.netloc.lower(), path, "&".join(kept), ""))
