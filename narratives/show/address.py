"""The address of a page holds what its controls say, by id, so that a link shows the same again.

The page's own state leads: after every run the address follows it, one entry of the browser's history a
change. Only where the reader moves the address itself (a link opened, the way back) does the state follow.
Streamlit's own binding of widgets to the address is not used: it writes names instead of ids, drops what it
does not know without a word, and leaves a click on a chart several steps to go back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

NOTHING = "(none)"  # an empty value, such as the speaker of an outlet's own voice
_FIELDS, _LOST, _SEEN = "address fields", "address lost", "address seen"


def begin() -> None:
    """Start a run: decide whether the address leads. Called once, before any control is drawn."""
    context = get_script_run_ctx()
    moved = bool(context and context.is_history_navigation)
    reading = moved or _SEEN not in st.session_state
    st.session_state[_SEEN] = "address" if reading else "state"
    st.session_state[_FIELDS] = {}
    if reading:
        st.session_state[_LOST] = []


def several(key: str, options: Mapping[str, str]) -> None:
    """Make ready the control `key` of several values; `options` maps them to what the page calls them."""
    if _leads():
        known = [(_known(value, options), value) for value in st.query_params.get_all(key)]
        _lose(key, [given for value, given in known if value is None])
        st.session_state[key] = list(dict.fromkeys(value for value, _ in known if value is not None))
    st.session_state.setdefault(key, [])
    _note(key, ())


def one(key: str, options: Mapping[str, str] | None = None, default: str | None = None) -> None:
    """Make ready the control `key` of one value, or of free text where no `options` are given.

    Pages may share a key; what another page's control said and this one does not offer is forgotten.
    """
    if _leads():
        given = st.query_params.get(key)
        value = given if given is None or options is None else _known(given, options)
        if given is not None and value is None:
            _lose(key, [given])
        st.session_state[key] = default if value is None else value
    value = st.session_state.get(key)
    if value is None or (options is not None and value not in options):
        st.session_state[key] = default
    _note(key, () if default is None else (default,))


def number(key: str, most: int) -> None:
    """Make ready a control of a whole number from 1, where it starts, to `most`."""
    if _leads():
        given = st.query_params.get(key, "1")
        st.session_state[key] = int(given) if given.isdecimal() else 1
    st.session_state[key] = min(max(int(st.session_state.get(key) or 1), 1), most)
    _note(key, ("1",))


def flag(key: str) -> None:
    """Make ready a switch, off where nothing is said."""
    if _leads():
        st.session_state[key] = st.query_params.get(key) == "yes"
    st.session_state.setdefault(key, False)
    _note(key, ())


def finish() -> None:
    """End a run: the address says what the controls say, in one step of the browser's history."""
    defaults: Mapping[str, Sequence[str]] = st.session_state.get(_FIELDS, {})
    wanted = {
        key: values
        for key, default in defaults.items()
        if (values := _written(st.session_state.get(key))) != list(default)
    }
    if wanted != {key: st.query_params.get_all(key) for key in st.query_params}:
        st.query_params.from_dict(wanted)


def lost() -> Sequence[str]:
    """What the link in use asks for and the snapshot does not have, as `speaker “…”`."""
    return tuple(st.session_state.get(_LOST, ()))


def parameters(values: Mapping[str, object]) -> dict[str, list[str]]:
    """Values of controls as the parameters of an address; what says nothing is left out. Pure."""
    return {key: written for key, value in values.items() if (written := _written(value))}


def _leads() -> bool:
    return st.session_state.get(_SEEN) == "address"


def _note(key: str, default: Sequence[str]) -> None:
    st.session_state.setdefault(_FIELDS, {})[key] = default


def _lose(key: str, values: Iterable[str]) -> None:
    st.session_state[_LOST] = [*st.session_state.get(_LOST, ()), *(f"{key} “{value}”" for value in values)]


def _known(given: str, options: Mapping[str, str]) -> str | None:
    """The value that an address means: links may hold the name that people read instead of the id."""
    value = "" if given == NOTHING else given
    if value in options:
        return value
    return next((key for key, name in options.items() if name == given), None)


def _written(value: object) -> list[str]:
    if value is None or value is False or value == "":
        return []
    if value is True:
        return ["yes"]
    if isinstance(value, list | tuple):
        return [str(one) or NOTHING for one in value]
    return [str(value)]
