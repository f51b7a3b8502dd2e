"""The sidebar: speaker, outlet, years and narrative, all in the URL; together they are a Slice."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from narratives.model import Slice
from narratives.show import data
from narratives.show.words import NOBODY

_KEYS = ("speaker", "outlet", "narrative", "from", "to")


def current() -> Slice:
    """What the filters say. Nothing chosen means all, and so does a filter that is not on the page."""
    chosen = st.session_state
    # Two years in the wrong order are still a range.
    years = [chosen.get(key) or "" for key in ("from", "to")]
    first, last = sorted(years) if all(years) else years
    speakers, outlets, narratives = (
        tuple(chosen.get(key) or ()) for key in ("speaker", "outlet", "narrative")
    )
    return Slice(speakers, outlets, narratives, first, last)


def sidebar(handle: data.Handle) -> None:
    """Draw the filters."""
    found = data.options(handle)
    names = data.names(handle)
    with st.sidebar:
        _several("Speaker", "speaker", [name for name, _ in found.speakers], "All speakers")
        _several("Outlet", "outlet", [name for name, _ in found.outlets], "All outlets")
        left, right = st.columns(2, gap="small")
        with left:
            _year("From", "from", found.years, "first")
        with right:
            _year("To", "to", found.years, "last")
        _several("Narrative", "narrative", list(names), "All narratives", names)
        st.button("Clear filters", on_click=clear, type="tertiary", icon=":material/filter_alt_off:")


def clear() -> None:
    """Take every filter off (a button's callback)."""
    for key in _KEYS:
        st.session_state[key] = None if key in ("from", "to") else []


def _several(
    label: str, key: str, options: list[str], everything: str, names: Mapping[str, str] | None = None
) -> None:
    shown = names or {"": NOBODY}
    st.multiselect(
        label,
        options,
        format_func=lambda option: shown.get(option, option),
        key=key,
        bind="query-params",
        placeholder=everything,
        filter_mode="contains",
    )


def _year(label: str, key: str, years: list[str], placeholder: str) -> None:
    st.selectbox(label, years, index=None, key=key, bind="query-params", placeholder=placeholder)
