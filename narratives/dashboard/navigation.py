"""From a click on a chart to the paragraphs behind it: the filters are set and the page is turned."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, cast
from urllib.parse import urlencode

import streamlit as st

from narratives.dashboard import sidebar, url_state
from narratives.model import Slice, Voice, dates
from narratives.model.dates import parse_partial_date

EVIDENCE_PAGE, NARRATIVE_PAGE = "evidence", "narrative"  # addresses of pages
NARRATIVE_PARAMETER = "about"  # the parameter that says which narrative that page shows
_TARGET_KEY, _COUNTER_KEY = "turn to", "turns"
# The address is moved in one step, and Streamlit told as it is told of the way back: it turns the page and
# `address` reads the filters. By `st.switch_page` it would take two steps, and two to go back.
_NAVIGATION_SCRIPT = """<script>
/* {number} */
history.pushState({{}}, "", new URL({target}, location.href));
dispatchEvent(new PopStateEvent("popstate"));
</script>"""


def get_clicked_point(key: str) -> Mapping[str, Any] | None:
    """What the chart drawn under `key` carries for the point just clicked, or None.

    A chart says what a point stands for by a `customdata` of one object a point, such as
    `{"narrative": "crimea_reunification", "period": "2018-Q3"}`.
    """
    points = st.session_state.get(key, {}).get("selection", {}).get("points", [])
    found = next((p["customdata"] for p in points if p.get("customdata")), None)
    # Plotly hands an object over as it is, but Streamlit sends some of them in a list of one.
    found = found[0] if isinstance(found, list) and len(found) == 1 else found
    return found if isinstance(found, Mapping) else None


def open_clicked_evidence(key: str) -> None:
    """Open the paragraphs behind the point that was clicked (a chart's callback)."""
    point = get_clicked_point(key)
    if point is not None:
        open_evidence(narrow_slice(sidebar.read_filters(), point))


def open_evidence(s: Slice, **own: object) -> None:
    """Open the paragraphs of a slice (a callback); `own` are values of that page's own controls."""
    open_page(EVIDENCE_PAGE, s, **own)


def open_page(page: str, s: Slice, **own: object) -> None:
    """Show another page with these filters (in a callback); `own` are values of its own controls."""
    st.session_state[_TARGET_KEY] = build_page_url(page, s, **own)


def build_page_url(page: str, s: Slice, **own: object) -> str:
    """The address of a page with these filters, relative to this one. Pure."""
    found = url_state.encode_parameters({**sidebar.get_control_values(s), **own})
    return f"{page}?{urlencode(found, doseq=True)}" if found else page


def follow_navigation() -> None:
    """Turn to the page that a callback asked for, if one did; called once, before anything is drawn."""
    if _TARGET_KEY in st.session_state:
        to = json.dumps(st.session_state.pop(_TARGET_KEY))
        st.session_state[_COUNTER_KEY] = st.session_state.get(_COUNTER_KEY, 0) + 1
        # Numbered, because a script that is the same as before would not be run again.
        script = _NAVIGATION_SCRIPT.format(number=st.session_state[_COUNTER_KEY], target=to)
        st.html(script, unsafe_allow_javascript=True)
        st.stop()


def narrow_slice(s: Slice, point: Mapping[str, Any]) -> Slice:
    """The slice of a point: its `narrative`, `speaker`, `outlet`, `voice`, `period` replace the filters'.

    Pure. A period is cut to the dates that were asked for.
    """
    s = replace(
        s,
        narratives=_as_tuple(point.get("narrative", s.narratives)),
        speakers=_as_tuple(point.get("speaker", s.speakers)),
        outlets=_as_tuple(point.get("outlet", s.outlets)),
        voices=cast(tuple[Voice, ...], _as_tuple(point.get("voice", s.voices))),
    )
    if "period" in point:
        first, last = dates.get_period_partial_dates(str(point["period"]))
        s = replace(
            s,
            date_from=max(first, s.date_from or first, key=lambda day: parse_partial_date(day)[0]),
            date_to=min(last, s.date_to or last, key=lambda day: parse_partial_date(day)[1]),
        )
    return s


def _as_tuple(value: str | Sequence[str]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)
