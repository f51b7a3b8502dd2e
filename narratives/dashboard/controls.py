"""Controls whose values are in the URL.

Each returns the value that `url_state` holds, never the widget's: the widget is only a view of it, and has no
value when a page has just been opened.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeVar, cast

import streamlit as st

from narratives.dashboard import url_state
from narratives.model import dates
from narratives.render.traces import Measure

Key = TypeVar("Key", bound=str)

_MEASURES: Mapping[Measure, str] = {"share": "Share", "count": "Count"}


def measure() -> Measure:
    """Draw the choice between share and count, shared by all pages that offer it."""
    return choice("Show", "show", _MEASURES)


def period(help: str) -> dates.Length:
    """Draw the choice of the period's length, shared by all pages that offer it."""
    return choice("Period", "by", dates.LENGTHS, help=help)


def choice(label: str, key: str, options: Mapping[Key, str], default: Key | None = None, help: str = "") -> Key:
    """Draw a few options side by side; one is always chosen, initially `default` or the first."""
    chosen = _bind(key, options, default or next(iter(options)))
    st.segmented_control(
        label,
        list(options),
        format_func=options.__getitem__,
        required=True,
        help=help or None,
        **_bind_widget(key, chosen),
    )
    return chosen


def box(
    label: str,
    key: str,
    options: Mapping[Key, str],
    default: Key | None = None,
    help: str = "",
    width: int | Literal["stretch"] = "stretch",
    everywhere: bool = False,
) -> Key:
    """Draw a list of options; one is always chosen, initially `default` or the first."""
    chosen = _bind(key, options, default or next(iter(options)))
    st.selectbox(
        label,
        list(options),
        format_func=options.__getitem__,
        filter_mode="contains",
        help=help or None,
        width=width,
        **_bind_widget(key, chosen, everywhere),
    )
    return chosen


def maybe(label: str, key: str, options: Sequence[str], placeholder: str) -> str | None:
    """Draw a list of options that is on every page; one or none is chosen."""
    chosen = url_state.bind_value(key, {option: option for option in options})
    st.selectbox(label, options, index=None, placeholder=placeholder, **_bind_widget(key, chosen, everywhere=True))
    return chosen


def several(
    label: str,
    key: str,
    options: Mapping[str, str],
    placeholder: str,
    help: str = "",
    most: int = url_state.MOST_CHOSEN,
    everywhere: bool = False,
) -> list[str]:
    """Draw a list of options, of which at most `most` can be chosen."""
    chosen = url_state.bind_multiselect(key, options, most)
    st.multiselect(
        label,
        list(options),
        format_func=options.__getitem__,
        max_selections=most,
        placeholder=placeholder,
        filter_mode="contains",
        help=help or None,
        **_bind_widget(key, chosen, everywhere),
    )
    return chosen


def switch(label: str, key: str, help: str = "") -> bool:
    """Draw a switch, initially off."""
    chosen = url_state.bind_flag(key)
    st.toggle(label, help=help or None, **_bind_widget(key, chosen))
    return chosen


def line(label: str, key: str, icon: str, placeholder: str, help: str, most: int) -> str:
    """Draw a line of free text; return at most `most` characters, without spaces around them."""
    chosen = url_state.bind_text(key, most)
    st.text_input(label, icon=icon, placeholder=placeholder, help=help, max_chars=most, **_bind_widget(key, chosen))
    return chosen.strip()


def page_number(key: str, pages: int) -> int:
    """Draw page numbers of a table with `pages` pages; return the chosen one, from 1."""
    chosen = url_state.bind_number(key, pages)
    st.pagination(pages, **_bind_widget(key, chosen))
    return chosen


def _bind(key: str, options: Mapping[Key, str], default: Key) -> Key:
    return cast(Key, url_state.bind_value(key, cast(Mapping[str, str], options), default))


def _bind_widget(key: str, value: object, everywhere: bool = False) -> dict[str, Any]:
    own = url_state.prepare_widget(key, value, everywhere)
    return {"key": own, "on_change": url_state.save_value, "args": (key, own)}
