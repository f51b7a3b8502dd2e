"""The filters in the sidebar, which form a Slice, and the way from one page to another with the filters kept."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, cast
from urllib.parse import urlencode

import streamlit as st

from narratives.dashboard import cached_queries, controls
from narratives.model import CopyFilter, Slice, Voice, dates
from narratives.model.dates import is_partial_date, parse_partial_date
from narratives.render import phrases
from narratives.render.phrases import NOBODY

EVIDENCE_PAGE, NARRATIVE_PAGE, CODEBOOK_PAGE = "evidence", "narrative", "codebook"  # URL paths of pages
TOPIC_PARAMETER = "topic"  # the URL parameter with the topic whose paragraphs the Evidence page shows
NARRATIVE_PARAMETER = "about"  # the URL parameter with the narrative that the Narrative page shows
_TARGET_KEY, _COUNTER_KEY = "turn to", "turns"
# The script changes the URL in one step and sends the event of the browser's Back button. Streamlit then opens
# the page, and `controls` reads the filters. `st.switch_page` would need two steps, and two to go back.
_NAVIGATION_SCRIPT = """<script>
/* {number} */
history.pushState({{}}, "", new URL({target}, location.href));
dispatchEvent(new PopStateEvent("popstate"));
</script>"""
_MULTI_FILTERS = ("speaker", "outlet", "voice", "narrative")


def read_filters() -> Slice:
    """Return the slice that the filters describe. An empty filter means all."""
    chosen = st.session_state
    # Two dates in the wrong order still describe a range.
    dates = [chosen.get(key) or "" for key in ("from", "to")]
    first, last = sorted(dates) if all(dates) else dates
    speakers, outlets, voices, narratives = (tuple(chosen.get(key) or ()) for key in _MULTI_FILTERS)
    return Slice(
        speakers=speakers,
        outlets=outlets,
        narratives=narratives,
        date_from=first,
        date_to=last,
        copies=cast(CopyFilter, chosen.get("copies") or "originals"),
        voices=cast(tuple[Voice, ...], voices),
    )


def get_control_values(s: Slice) -> dict[str, object]:
    """Return the values of the filters' controls for a slice. Pure."""
    return {
        "speaker": list(s.speakers),
        "outlet": list(s.outlets),
        "voice": list(s.voices),
        "narrative": list(s.narratives),
        "from": s.date_from or None,
        "to": s.date_to or None,
        "copies": None if s.copies == "originals" else s.copies,
    }


def set_filters(s: Slice) -> None:
    """Set every filter to the slice. Call it before the filters are drawn, as in a callback."""
    for key, value in get_control_values(s).items():
        st.session_state[key] = value


def clear_filters() -> None:
    """Remove every filter (a button's callback)."""
    set_filters(Slice())


def remove_filter(s: Slice, field: str) -> Slice:
    """Return the slice without one filter: `speakers`, `outlets`, `narratives`, `voices`, `copies` or `date`."""
    names = ("date_from", "date_to") if field == "date" else (field,)
    return replace(s, **{name: getattr(Slice(), name) for name in names})


def draw_sidebar(handle: cached_queries.Handle) -> None:
    """Draw the filters."""
    options = cached_queries.load_options(handle)
    with st.sidebar:
        for label, key, listed in (("Speaker", "speaker", options.speakers), ("Outlet", "outlet", options.outlets)):
            shown = {name: name or NOBODY for name, _ in listed}
            controls.draw_multiselect(label, key, shown, f"All {key}s", on_every_page=True)
        left, right = st.columns(2, gap="small")
        with left:
            _draw_date_select("From", "from", options.years, "first")
        with right:
            _draw_date_select("To", "to", options.years, "last")
        names = cached_queries.get_narrative_names(handle)
        controls.draw_multiselect("Narrative", "narrative", names, "All narratives", on_every_page=True)
        controls.draw_multiselect(
            "Voice", "voice", phrases.VOICE_LABELS, "All voices", phrases.VOICE_HELP, on_every_page=True
        )
        controls.draw_selectbox(
            "Copies",
            "copies",
            phrases.COPIES_LABELS,
            help="A copy repeats an earlier paragraph, exactly or nearly.",
            on_every_page=True,
        )
        st.button("Clear filters", on_click=clear_filters, type="tertiary", icon=":material/filter_alt_off:")


def _draw_date_select(label: str, key: str, years: list[str], placeholder: str) -> None:
    """Draw a list of years; it also offers a finer date that a link or a click on a chart has set."""
    given = [st.session_state.get(key) or "", st.query_params.get(key) or ""]
    options = sorted({*years, *(day for day in given if day[:4] in years and is_partial_date(day))})
    controls.draw_optional_selectbox(label, key, options, placeholder)


def get_clicked_point(key: str) -> Mapping[str, Any] | None:
    """Return the data of the point just clicked in the chart `key`, or None.

    A chart describes each point by one object in its `customdata`, such as
    `{"narrative": "crimea_reunification", "period": "2018-Q3"}`.
    """
    points = st.session_state.get(key, {}).get("selection", {}).get("points", [])
    data = next((p["customdata"] for p in points if p.get("customdata")), None)
    # Streamlit sends some of the objects in a list of one.
    data = data[0] if isinstance(data, list) and len(data) == 1 else data
    return data if isinstance(data, Mapping) else None


def open_clicked_evidence(key: str) -> None:
    """Open the paragraphs behind the clicked point (a chart's callback)."""
    point = get_clicked_point(key)
    if point is not None:
        open_evidence(narrow_slice(read_filters(), point))


def open_evidence(s: Slice, **own: object) -> None:
    """Open the paragraphs of a slice (in a callback). `own` are values of that page's own controls."""
    open_page(EVIDENCE_PAGE, s, **own)


def open_page(page: str, s: Slice, **own: object) -> None:
    """Open another page with these filters (in a callback). `own` are values of its own controls."""
    st.session_state[_TARGET_KEY] = build_page_url(page, s, **own)


def build_page_url(page: str, s: Slice, **own: object) -> str:
    """Return the relative URL of a page with these filters. Pure."""
    parameters = controls.encode_parameters({**get_control_values(s), **own})
    return f"{page}?{urlencode(parameters, doseq=True)}" if parameters else page


def follow_navigation() -> None:
    """Open the page that a callback requested, if any. Called once, before anything is drawn."""
    if _TARGET_KEY in st.session_state:
        to = json.dumps(st.session_state.pop(_TARGET_KEY))
        st.session_state[_COUNTER_KEY] = st.session_state.get(_COUNTER_KEY, 0) + 1
        # The number makes the script differ from the last one; an equal script would not run again.
        script = _NAVIGATION_SCRIPT.format(number=st.session_state[_COUNTER_KEY], target=to)
        st.html(script, unsafe_allow_javascript=True)
        st.stop()


def narrow_slice(s: Slice, point: Mapping[str, Any]) -> Slice:
    """Return the slice with the filters replaced by the point's narrative, speaker, outlet, voice and period.

    Pure. The period is limited to the dates of the slice.
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
