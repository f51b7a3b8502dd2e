"""The sidebar with the filters for speaker, outlet, dates, narrative, voice and copies, which form a Slice."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

import streamlit as st

from narratives.dashboard import cached_queries, controls
from narratives.model import CopyFilter, Slice, Voice
from narratives.model.dates import is_partial_date
from narratives.render import phrases
from narratives.render.phrases import NOBODY

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


def draw_sidebar(handle: cached_queries.Handle) -> None:
    """Draw the filters."""
    options = cached_queries.load_options(handle)
    with st.sidebar:
        _draw_multiselect("Speaker", "speaker", {name: name or NOBODY for name, _ in options.speakers}, "All speakers")
        _draw_multiselect("Outlet", "outlet", {name: name or NOBODY for name, _ in options.outlets}, "All outlets")
        left, right = st.columns(2, gap="small")
        with left:
            _draw_date_select("From", "from", options.years, "first")
        with right:
            _draw_date_select("To", "to", options.years, "last")
        _draw_multiselect("Narrative", "narrative", cached_queries.get_narrative_names(handle), "All narratives")
        _draw_multiselect("Voice", "voice", phrases.VOICE_LABELS, "All voices", phrases.VOICE_HELP)
        controls.box(
            "Copies",
            "copies",
            phrases.COPIES_LABELS,
            help="A copy repeats an earlier paragraph, exactly or nearly.",
            everywhere=True,
        )
        st.button("Clear filters", on_click=clear_filters, type="tertiary", icon=":material/filter_alt_off:")


def _draw_multiselect(label: str, key: str, shown: Mapping[str, str], everything: str, help: str = "") -> None:
    controls.several(label, key, shown, everything, help, everywhere=True)


def _draw_date_select(label: str, key: str, years: list[str], placeholder: str) -> None:
    """Draw a list of years; it also offers a finer date that a link or a click on a chart has set."""
    given = [st.session_state.get(key) or "", st.query_params.get(key) or ""]
    options = sorted({*years, *(day for day in given if day[:4] in years and is_partial_date(day))})
    controls.maybe(label, key, options, placeholder)
