"""The controls of the pages, and their values in the session and in the URL, so that a link shows the same page again.

A function `draw_…` returns the value that the session holds, never the widget's: the widget is only a view of it, and
has no value when a page has just been opened.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeVar, cast

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from narratives.model import dates
from narratives.render.traces import Measure

Key = TypeVar("Key", bound=str)

_MEASURES: Mapping[Measure, str] = {"share": "Share", "count": "Count"}
EMPTY_VALUE = "(none)"  # stands for an empty value, such as the speaker of an outlet's own voice
MOST_CHOSEN = 100  # values of one control
LONGEST_ID = 40  # characters of the id of a snapshot or paragraph, with room to spare
_MAX_NAMED, _MAX_NAMED_LENGTH = 5, 60  # ignored values that a page names, and characters of each
_DEFAULTS_KEY, _UNKNOWN_KEY, _SOURCE_KEY = "url defaults", "ignored url values", "source of values"
_PAGE_KEY, _WIDGETS_KEY, _SHOWN_KEY = "page in use", "widgets of this run", "widgets on the screen"


def draw_measure_control() -> Measure:
    """Draw the choice between share and count, shared by all pages that offer it."""
    return draw_segmented_control("Show", "show", _MEASURES)


def draw_period_control(help: str) -> dates.Length:
    """Draw the choice of the period's length, shared by all pages that offer it."""
    return draw_segmented_control("Period", "by", dates.LENGTHS, help=help)


def draw_segmented_control(
    label: str, key: str, options: Mapping[Key, str], default: Key | None = None, help: str = ""
) -> Key:
    """Draw a few options side by side; one is always chosen, initially `default` or the first."""
    chosen = _bind_option(key, options, default)
    st.segmented_control(
        label,
        list(options),
        format_func=options.__getitem__,
        required=True,
        help=help or None,
        **_bind_widget(key, chosen),
    )
    return chosen


def draw_selectbox(
    label: str,
    key: str,
    options: Mapping[Key, str],
    default: Key | None = None,
    help: str = "",
    width: int | Literal["stretch"] = "stretch",
    on_every_page: bool = False,
) -> Key:
    """Draw a list of options; one is always chosen, initially `default` or the first."""
    chosen = _bind_option(key, options, default)
    st.selectbox(
        label,
        list(options),
        format_func=options.__getitem__,
        filter_mode="contains",
        help=help or None,
        width=width,
        **_bind_widget(key, chosen, on_every_page),
    )
    return chosen


def draw_optional_selectbox(label: str, key: str, options: Sequence[str], placeholder: str) -> None:
    """Draw a list of options that is on every page; one or none is chosen."""
    chosen = bind_value(key, {option: option for option in options})
    st.selectbox(label, options, index=None, placeholder=placeholder, **_bind_widget(key, chosen, on_every_page=True))


def draw_multiselect(
    label: str,
    key: str,
    options: Mapping[str, str],
    placeholder: str,
    help: str = "",
    most: int = MOST_CHOSEN,
    on_every_page: bool = False,
) -> list[str]:
    """Draw a list of options, of which at most `most` can be chosen."""
    chosen = bind_multiselect(key, options, most)
    st.multiselect(
        label,
        list(options),
        format_func=options.__getitem__,
        max_selections=most,
        placeholder=placeholder,
        filter_mode="contains",
        help=help or None,
        **_bind_widget(key, chosen, on_every_page),
    )
    return chosen


def draw_toggle(label: str, key: str, help: str = "") -> bool:
    """Draw a switch, initially off."""
    chosen = bind_flag(key)
    st.toggle(label, help=help or None, **_bind_widget(key, chosen))
    return chosen


def draw_text_input(label: str, key: str, icon: str, placeholder: str, help: str, most: int) -> str:
    """Draw a line of free text; return at most `most` characters, without spaces around them."""
    chosen = bind_text(key, most)
    st.text_input(label, icon=icon, placeholder=placeholder, help=help, max_chars=most, **_bind_widget(key, chosen))
    return chosen.strip()


def draw_page_numbers(key: str, pages: int) -> int:
    """Draw page numbers of a table with `pages` pages; return the chosen one, from 1."""
    chosen = bind_number(key, pages)
    st.pagination(pages, **_bind_widget(key, chosen))
    return chosen


def _bind_option(key: str, options: Mapping[Key, str], default: Key | None) -> Key:
    return cast(Key, bind_value(key, cast(Mapping[str, str], options), default or next(iter(options))))


def _bind_widget(key: str, value: object, on_every_page: bool = False) -> dict[str, Any]:
    widget_key = prepare_widget(key, value, on_every_page)
    return {"key": widget_key, "on_change": save_value, "args": (key, widget_key)}


def begin_run() -> None:
    """Start a run and decide whether the controls take their values from the URL or from the session.

    Called once, before any control is drawn. The URL counts on the first run and after Back or Forward.
    """
    context = get_script_run_ctx()
    if _get_page() != st.session_state.get(_PAGE_KEY):
        st.session_state[_SHOWN_KEY] = frozenset()
    st.session_state[_PAGE_KEY] = _get_page()
    st.session_state[_WIDGETS_KEY] = []
    went_back = bool(context and context.is_history_navigation)
    reads_url = went_back or _SOURCE_KEY not in st.session_state
    st.session_state[_SOURCE_KEY] = "url" if reads_url else "session"
    st.session_state[_DEFAULTS_KEY] = {}
    if reads_url:
        st.session_state[_UNKNOWN_KEY] = []


def bind_multiselect(key: str, options: Mapping[str, str], most: int = MOST_CHOSEN) -> list[str]:
    """Return the values of the control `key`, at most `most`; `options` maps each value to its label."""
    if _is_url_leading():
        given = list(dict.fromkeys(st.query_params.get_all(key)))
        known = dict(zip(given, _resolve_option(given, options), strict=True))
        _record_unknown(key, [value for value in given if known[value] is None])
        chosen = list(dict.fromkeys(value for value in known.values() if value is not None))
        _record_unknown(key, chosen[most:], f"at most {most} can be chosen")
        st.session_state[key] = chosen[:most]
    values = [value for value in st.session_state.get(key) or () if value in options]
    st.session_state[key] = values
    _register_control(key, ())
    return values


def bind_value(key: str, options: Mapping[str, str], default: str | None = None) -> str | None:
    """Return the value of the control `key`, or `default`; `options` maps each value to its label.

    Pages may share a key. A value that another page's control has set and this one does not offer is dropped.
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


def bind_text(key: str, longest: int) -> str:
    """Return the text of the control `key`, at most `longest` characters; may be empty."""
    if _is_url_leading():
        given = st.query_params.get(key)
        if given and len(given) > longest:
            _record_unknown(key, [given], f"{len(given):,} characters, more than the limit of {longest}")
            given = None
        st.session_state[key] = given
    text = str(st.session_state.get(key) or "")
    st.session_state[key] = text or None
    _register_control(key, ())
    return text


def bind_number(key: str, most: int) -> int:
    """Return the whole number of the control `key`, from 1 (the default) to `most`."""
    if _is_url_leading():
        given = st.query_params.get(key, "1")
        # A number of many digits is out of range, and Python refuses to parse it.
        value = int(given) if given.isdecimal() and len(given) <= len(str(most)) else 0
        if not 1 <= value <= most:
            _record_unknown(key, [given], f"not a whole number from 1 to {most}")
            value = 1
        st.session_state[key] = value
    st.session_state[key] = min(max(int(st.session_state.get(key) or 1), 1), most)
    _register_control(key, ("1",))
    return int(st.session_state[key])


def bind_flag(key: str) -> bool:
    """Return the state of the switch `key`; off by default."""
    if _is_url_leading():
        given = st.query_params.get(key)
        if given not in (None, "yes"):
            _record_unknown(key, [str(given)], "only “yes” is allowed")
        st.session_state[key] = given == "yes"
    st.session_state[key] = bool(st.session_state.get(key))
    _register_control(key, ())
    return bool(st.session_state[key])


def prepare_widget(key: str, value: object, on_every_page: bool = False) -> str:
    """Return the key of the widget that shows the control `key`, set to `value`; its callback is `save_value`.

    Each page has its own widget, except those that are `on_every_page`. The widget is only a
    view: Streamlit drops its state when it is not drawn, and gives it another identity on another page. Its
    value is therefore set when it differs, or when no finished run has drawn the widget yet.
    """
    widget_key = f"{key}-on-{'every-page' if on_every_page else _get_page()}"
    if widget_key not in st.session_state.get(_SHOWN_KEY, ()) or st.session_state.get(widget_key) != value:
        st.session_state[widget_key] = value
    st.session_state.setdefault(_WIDGETS_KEY, []).append(widget_key)
    return widget_key


def save_value(key: str, widget_key: str) -> None:
    """Save the value of the widget `widget_key` as that of the control `key` (the widget's callback)."""
    st.session_state[key] = st.session_state[widget_key]


def update_url() -> None:
    """End a run: write the controls' values to the URL, in one step of the browser's history."""
    st.session_state[_SOURCE_KEY] = "session"
    st.session_state[_SHOWN_KEY] = frozenset(st.session_state.get(_WIDGETS_KEY, ()))
    defaults: Mapping[str, Sequence[str]] = st.session_state.get(_DEFAULTS_KEY, {})
    current = {key: _encode_value(st.session_state.get(key)) for key in defaults}
    wanted = {key: values for key, values in current.items() if values and values != list(defaults[key])}
    if wanted != {key: st.query_params.get_all(key) for key in st.query_params}:
        st.query_params.from_dict(wanted)


def list_unknown_values() -> Sequence[str]:
    """List the ignored values of the link in use, as `speaker “…”` with the reason; long values are cut."""
    return tuple(st.session_state.get(_UNKNOWN_KEY, ()))


def encode_parameters(values: Mapping[str, object]) -> dict[str, list[str]]:
    """Return the URL parameters for values of controls, without the empty ones. Pure."""
    return {key: written for key, value in values.items() if (written := _encode_value(value))}


def _get_page() -> str:
    """Return an identifier of this run's page."""
    context = get_script_run_ctx()
    return context.page_script_hash if context else ""


def _is_url_leading() -> bool:
    return st.session_state.get(_SOURCE_KEY) == "url"


def _register_control(key: str, default: Sequence[str]) -> None:
    st.session_state.setdefault(_DEFAULTS_KEY, {})[key] = default


def _record_unknown(key: str, values: Sequence[str], why: str = "") -> None:
    lines = [f"{key} “{_shorten(value)}”{f' ({why})' if why else ''}" for value in values[:_MAX_NAMED]]
    if len(values) > _MAX_NAMED:
        lines.append(f"{len(values) - _MAX_NAMED:,} more of {key}")
    st.session_state[_UNKNOWN_KEY] = [*st.session_state.get(_UNKNOWN_KEY, ()), *lines]


def _shorten(value: str) -> str:
    return value if len(value) <= _MAX_NAMED_LENGTH else f"{value[:_MAX_NAMED_LENGTH]}…"


def _resolve_option(given: Sequence[str], options: Mapping[str, str]) -> list[str | None]:
    """Return the option of each URL value, or None. A value may also be the label of an option."""
    if not given:
        return []
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
