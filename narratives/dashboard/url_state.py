"""An area of the map as an address holds it. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

Outline = tuple[tuple[float, float], ...]

MAX_CORNERS = 40  # of a lasso, which comes with hundreds: an address has to stay short
LONGEST = MAX_CORNERS * 25  # characters; `written` takes 22 for the farthest corner there may be


def extract_outline(selection: Mapping[str, Any]) -> Outline:
    """The outline of the box or lasso that was drawn last on a chart; empty where there is none."""
    for box in selection.get("box", []):
        left, right, bottom, top = *sorted(box["x"]), *sorted(box["y"])
        return (left, bottom), (right, bottom), (right, top), (left, top)
    for lasso in selection.get("lasso", []):
        corners = list(zip(lasso["x"], lasso["y"], strict=True))
        step = -(-len(corners) // MAX_CORNERS)
        return tuple(corners[::step])
    return ()


def format_outline(outline: Sequence[tuple[float, float]]) -> str:
    """The outline as text: `x,y` of every corner with two decimals, by semicolons."""
    return ";".join(f"{x:.2f},{y:.2f}" for x, y in outline)


def parse_outline(text: str) -> Outline:
    """The outline that such a text means; empty where it means none."""
    try:
        corners = tuple((float(x), float(y)) for x, y in (corner.split(",") for corner in text.split(";")))
    except ValueError:
        return ()
    finite = all(abs(x) < 1e6 and abs(y) < 1e6 for x, y in corners)
    return corners if 3 <= len(corners) <= MAX_CORNERS and finite else ()


EMPTY_VALUE = "(none)"  # an empty value, such as the speaker of an outlet's own voice
MOST_CHOSEN = 100  # of a control of several values
LONGEST_ID = 40  # characters of the id of a snapshot or paragraph, with room to spare
_MOST_LOST, _LONGEST_LOST = 5, 60  # how many values that are left out a page names, and how much of each
_DEFAULTS_KEY, _UNKNOWN_KEY, _SOURCE_KEY = "address fields", "address lost", "address seen"
_PAGE, _VIEWS, _SHOWN = "page in use", "controls of this run", "controls on the screen"


def begin_run() -> None:
    """Start a run: decide whether the address leads. Called once, before any control is drawn."""
    context = get_script_run_ctx()
    if _page() != st.session_state.get(_PAGE):
        st.session_state[_SHOWN] = frozenset()
    st.session_state[_PAGE] = _page()
    st.session_state[_VIEWS] = []
    moved = bool(context and context.is_history_navigation)
    reading = moved or _SOURCE_KEY not in st.session_state
    st.session_state[_SOURCE_KEY] = "address" if reading else "state"
    st.session_state[_DEFAULTS_KEY] = {}
    if reading:
        st.session_state[_UNKNOWN_KEY] = []


def bind_multiselect(key: str, options: Mapping[str, str], most: int = MOST_CHOSEN) -> list[str]:
    """What the control `key` of up to `most` values says; `options` maps each to what the page calls it."""
    if _is_url_leading():
        given = list(dict.fromkeys(st.query_params.get_all(key)))
        known = dict(zip(given, _resolve_option(given, options), strict=True))
        _record_unknown(key, [value for value in given if known[value] is None])
        chosen = list(dict.fromkeys(value for value in known.values() if value is not None))
        _record_unknown(key, chosen[most:], f"no more than {most} can be chosen")
        st.session_state[key] = chosen[:most]
    said = [value for value in st.session_state.get(key) or () if value in options]
    st.session_state[key] = said
    _register_control(key, ())
    return said


def bind_value(key: str, options: Mapping[str, str], default: str | None = None) -> str | None:
    """What the control `key` of one value says; `options` maps them to what the page calls them.

    Returns one of the options; `default` where nothing is said. Pages may share a key; what another page's
    control said and this one does not offer is forgotten.
    """
    if _is_url_leading():
        given = st.query_params.get(key)
        [value] = [None] if given is None else _resolve_option([given], options)
        if given is not None and value is None:
            _record_unknown(key, [given])
        st.session_state[key] = value
    value = st.session_state.get(key)
    if value not in options:
        value = None
    st.session_state[key] = value
    _register_control(key, () if default is None else (default,))
    return default if value is None else str(value)


def text(key: str, longest: int) -> str:
    """What a control of free text of up to `longest` characters says; empty where nothing is said."""
    if _is_url_leading():
        given = st.query_params.get(key)
        if given and len(given) > longest:
            _record_unknown(key, [given], f"{len(given):,} characters, and no more than {longest} are taken")
            given = None
        st.session_state[key] = given
    said = str(st.session_state.get(key) or "")
    st.session_state[key] = said or None
    _register_control(key, ())
    return said


def bind_number(key: str, most: int) -> int:
    """What a control of a whole number says, from 1, where it starts, to `most`."""
    if _is_url_leading():
        given = st.query_params.get(key, "1")
        # Of many digits it is out of range at any rate, and Python refuses to read it.
        value = int(given) if given.isdecimal() and len(given) <= len(str(most)) else 0
        if not 1 <= value <= most:
            _record_unknown(key, [given], f"not a whole number from 1 to {most}")
            value = 1
        st.session_state[key] = value
    st.session_state[key] = min(max(int(st.session_state.get(key) or 1), 1), most)
    _register_control(key, ("1",))
    return int(st.session_state[key])


def bind_flag(key: str) -> bool:
    """What a switch says, off where nothing is said."""
    if _is_url_leading():
        given = st.query_params.get(key)
        if given not in (None, "yes"):
            _record_unknown(key, [str(given)], "only “yes” is taken")
        st.session_state[key] = given == "yes"
    st.session_state[key] = bool(st.session_state.get(key))
    _register_control(key, ())
    return bool(st.session_state[key])


def view(key: str, value: object, everywhere: bool = False) -> str:
    """The key of the widget that shows what `key` says, made to show `value`; `keep` must be its callback.

    Each page has a widget of its own, save for those that stand `everywhere`. It is only a view: Streamlit
    forgets it where it is not drawn and gives it another identity on another page, so it is told its value
    where it has another, or where no finished run has drawn it yet and the browser may know nothing of it.
    """
    own = f"{key}-on-{'every-page' if everywhere else _page()}"
    if own not in st.session_state.get(_SHOWN, ()) or st.session_state.get(own) != value:
        st.session_state[own] = value
    st.session_state.setdefault(_VIEWS, []).append(own)
    return own


def keep(key: str, own: str) -> None:
    """Keep what the reader has put into the widget `own` as what `key` says (the widget's callback)."""
    st.session_state[key] = st.session_state[own]


def update_url() -> None:
    """End a run: the address says what the controls say, in one step of the browser's history."""
    st.session_state[_SOURCE_KEY] = "state"
    st.session_state[_SHOWN] = frozenset(st.session_state.get(_VIEWS, ()))
    defaults: Mapping[str, Sequence[str]] = st.session_state.get(_DEFAULTS_KEY, {})
    said = {key: _encode_value(st.session_state.get(key)) for key in defaults}
    wanted = {key: values for key, values in said.items() if values and values != list(defaults[key])}
    if wanted != {key: st.query_params.get_all(key) for key in st.query_params}:
        st.query_params.from_dict(wanted)


def list_unknown_values() -> Sequence[str]:
    """What the link in use asks for and does not get, as `speaker “…”` with the reason; long values cut."""
    return tuple(st.session_state.get(_UNKNOWN_KEY, ()))


def encode_parameters(values: Mapping[str, object]) -> dict[str, list[str]]:
    """Values of controls as the parameters of an address; what says nothing is left out. Pure."""
    return {key: written for key, value in values.items() if (written := _encode_value(value))}


def _page() -> str:
    """What tells the page of this run from others."""
    context = get_script_run_ctx()
    return context.page_script_hash if context else ""


def _is_url_leading() -> bool:
    return st.session_state.get(_SOURCE_KEY) == "address"


def _register_control(key: str, default: Sequence[str]) -> None:
    st.session_state.setdefault(_DEFAULTS_KEY, {})[key] = default


def _record_unknown(key: str, values: Sequence[str], why: str = "") -> None:
    lines = [f"{key} “{_shortened(value)}”{f' ({why})' if why else ''}" for value in values[:_MOST_LOST]]
    if len(values) > _MOST_LOST:
        lines.append(f"{len(values) - _MOST_LOST:,} more of {key}")
    st.session_state[_UNKNOWN_KEY] = [*st.session_state.get(_UNKNOWN_KEY, ()), *lines]


def _shortened(value: str) -> str:
    return value if len(value) <= _LONGEST_LOST else f"{value[:_LONGEST_LOST]}…"


def _resolve_option(given: Sequence[str], options: Mapping[str, str]) -> list[str | None]:
    """What the values of an address mean, None for nothing: links may hold the names that people read."""
    named: dict[str, str] = {}
    for key, name in options.items():
        named.setdefault(name, key)
    values = ["" if value == EMPTY_VALUE else value for value in given]
    return [value if value in options else named.get(shown) for value, shown in zip(values, given, strict=True)]


def _encode_value(value: object) -> list[str]:
    if value is None or value is False or value == "":
        return []
    if value is True:
        return ["yes"]
    if isinstance(value, list | tuple):
        return [str(one) or EMPTY_VALUE for one in value]
    return [str(value)]
