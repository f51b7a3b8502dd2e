"""The sidebar: speaker, outlet, dates, narrative, voice and copies; together they are a Slice."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

import streamlit as st

from narratives.dashboard import cached_queries
from narratives.dashboard.components import controls
from narratives.model import CopyFilter, Slice, Voice
from narratives.model.dates import is_partial_date
from narratives.render import phrases
from narratives.render.phrases import NOBODY

_MULTI_FILTERS = ("speaker", "outlet", "voice", "narrative")


def read_filters() -> Slice:
    """What the filters say. Nothing chosen means all."""
    chosen = st.session_state
    # Two dates in the wrong order are still a range.
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
    """The slice as the values of the filters' controls. Pure."""
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
    """Set every filter as the slice has it; only before they are drawn, as in a callback."""
    for key, value in get_control_values(s).items():
        st.session_state[key] = value


def clear_filters() -> None:
    """Take every filter off (a button's callback)."""
    set_filters(Slice())


def draw_sidebar(handle: cached_queries.Handle) -> None:
    """Draw the filters."""
    found = cached_queries.load_options(handle)
    with st.sidebar:
        _draw_multiselect("Speaker", "speaker", {name: name or NOBODY for name, _ in found.speakers}, "All speakers")
        _draw_multiselect("Outlet", "outlet", {name: name or NOBODY for name, _ in found.outlets}, "All outlets")
        left, right = st.columns(2, gap="small")
        with left:
            _draw_date_select("From", "from", found.years, "first")
        with right:
            _draw_date_select("To", "to", found.years, "last")
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
    """A year, or the finer date that a link or a click on a chart has set."""
    given = [st.session_state.get(key) or "", st.query_params.get(key) or ""]
    options = sorted({*years, *(day for day in given if day[:4] in years and is_partial_date(day))})
    controls.maybe(label, key, options, placeholder)
