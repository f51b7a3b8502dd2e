"""Controls whose value stands in the address: what one shows, what it returns and the address say the same.

Each returns what `address` holds, never what the widget says: that is only a view of it, and may be without a
value where a page has just been turned to.
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
    """Share or count: one choice for all pages that offer it."""
    return choice("Show", "show", _MEASURES)


def period(help: str) -> dates.Length:
    """The length of a period: one choice for all pages that offer it."""
    return choice("Period", "by", dates.LENGTHS, help=help)


def choice(label: str, key: str, options: Mapping[Key, str], default: Key | None = None, help: str = "") -> Key:
    """A few options side by side, of which one is always chosen: `default`, or the first, at the start."""
    said = _one(key, options, default or next(iter(options)))
    st.segmented_control(
        label,
        list(options),
        format_func=options.__getitem__,
        required=True,
        help=help or None,
        **_shown(key, said),
    )
    return said


def box(
    label: str,
    key: str,
    options: Mapping[Key, str],
    default: Key | None = None,
    help: str = "",
    width: int | Literal["stretch"] = "stretch",
    everywhere: bool = False,
) -> Key:
    """A list of options, of which one is always chosen: `default`, or the first, at the start."""
    said = _one(key, options, default or next(iter(options)))
    st.selectbox(
        label,
        list(options),
        format_func=options.__getitem__,
        filter_mode="contains",
        help=help or None,
        width=width,
        **_shown(key, said, everywhere),
    )
    return said


def maybe(label: str, key: str, options: Sequence[str], placeholder: str) -> str | None:
    """A list of options on every page, of which one or none is chosen."""
    said = url_state.bind_value(key, {option: option for option in options})
    st.selectbox(label, options, index=None, placeholder=placeholder, **_shown(key, said, everywhere=True))
    return said


def several(
    label: str,
    key: str,
    options: Mapping[str, str],
    placeholder: str,
    help: str = "",
    most: int = url_state.MOST_CHOSEN,
    everywhere: bool = False,
) -> list[str]:
    """A list of options, of which at most `most` may be chosen."""
    said = url_state.bind_multiselect(key, options, most)
    st.multiselect(
        label,
        list(options),
        format_func=options.__getitem__,
        max_selections=most,
        placeholder=placeholder,
        filter_mode="contains",
        help=help or None,
        **_shown(key, said, everywhere),
    )
    return said


def switch(label: str, key: str, help: str = "") -> bool:
    """A switch, off at the start."""
    said = url_state.bind_flag(key)
    st.toggle(label, help=help or None, **_shown(key, said))
    return said


def line(label: str, key: str, icon: str, placeholder: str, help: str, most: int) -> str:
    """A line of free text of at most `most` letters, without spaces around it."""
    said = url_state.text(key, most)
    st.text_input(label, icon=icon, placeholder=placeholder, help=help, max_chars=most, **_shown(key, said))
    return said.strip()


def page_number(key: str, pages: int) -> int:
    """Which of so many pages of a table is shown, from 1."""
    said = url_state.bind_number(key, pages)
    st.pagination(pages, **_shown(key, said))
    return said


def _one(key: str, options: Mapping[Key, str], default: Key) -> Key:
    return cast(Key, url_state.bind_value(key, cast(Mapping[str, str], options), default))


def _shown(key: str, value: object, everywhere: bool = False) -> dict[str, Any]:
    own = url_state.view(key, value, everywhere)
    return {"key": own, "on_change": url_state.keep, "args": (key, own)}
