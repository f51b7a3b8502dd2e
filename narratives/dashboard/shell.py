"""What surrounds every page: the snapshot in use, the filters, errors in words, and the caveat below."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import cast

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from narratives.dashboard import builds, cached_queries, navigation, sidebar, url_state
from narratives.model import NarrativesError, ResourceError, ServerBusyError, Slice, StoreError
from narratives.render import phrases
from narratives.store import Store

UPLOADS_PAGE = "pages/sources_page.py"
PAGE_ICON = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="6" '
    'fill="#1f5a7a"/><path d="M5 23l7-8 6 4 9-11" fill="none" stroke="#fff" stroke-width="3" '
    'stroke-linecap="round" stroke-linejoin="round"/></svg>'
)

_EMPTY_KEY, _HANDLE_KEY, _TO_TELL = "store is empty", "snapshot in use", "place of what the link lost"
SNAPSHOT_PARAMETER = "as-of"  # the parameter of an address that pins a snapshot

# Streamlit draws the letters of a Plotly chart and its captions in a pale grey. The first take the page's own
# text colour, in either theme, which a figure cannot name; captions are less faint than its own, which have a
# contrast of 4.1 on the light page, where 4.5 is the least (https://www.w3.org/TR/WCAG22/#contrast-minimum).
# Where a rule should fail to match, the pale grey is back.
_STYLE = """<style>
.stPlotlyChart :is(.annotation-text, .legendtext, .xtick text, .ytick text, .hoverlayer text, .colorbar text,
  .textpoint text) {
  fill: currentColor !important;
}
.stApp [data-testid="stCaptionContainer"] { opacity: 0.76; }
.stApp [data-testid="stCaptionContainer"] code { color: inherit; font-size: 0.9em; }
</style>"""

# Plotly keeps a finger on a chart from scrolling the page. Here the page scrolls and a tap is a click; only
# where somebody has taken up box or lasso does the finger draw.
_TOUCH_SCRIPT = """<script>
if (!window.narrativesTouch) {
  window.narrativesTouch = true;
  addEventListener("touchstart", (event) => {
    const plot = event.target.closest?.(".js-plotly-plot");
    if (plot && !["select", "lasso"].includes(plot._fullLayout?.dragmode)) event.stopPropagation();
  }, { capture: true, passive: true });
}
</script>"""


@dataclass(frozen=True, slots=True)
class View:
    """What one rerun shows: the snapshot and the shared filters."""

    handle: cached_queries.Handle
    slice: Slice


def get_pinned_snapshot_id() -> str:
    """The snapshot that a link pins, or empty for the latest."""
    return str(st.session_state.get(SNAPSHOT_PARAMETER) or "")


def _unpin_snapshot() -> None:
    """Show the latest snapshot again (a button's callback)."""
    st.session_state[SNAPSHOT_PARAMETER] = None


@contextmanager
def show_errors() -> Iterator[None]:
    """Say in words what went wrong, and what to do, instead of a stack trace; the page stops there."""
    try:
        yield
    except NarrativesError as error:
        passing = isinstance(error, ResourceError)
        if passing:
            busy = isinstance(error, ServerBusyError)
            what = "The server is busy." if busy else "This asks for more than the server can give."
            st.warning(what, icon=":material/hourglass_empty:")
        else:
            st.error("This page cannot be shown.", icon=":material/error:")
        st.text(f"Expected {error.expected}; got {error.got}.\n{error.hint}")
        if passing:
            st.button("Try again", icon=":material/refresh:")
        _tell_lost()
        if is_store_empty():
            st.page_link(UPLOADS_PAGE, label="Or add texts on the page Sources", icon=":material/upload_file:")
        st.stop()


def start_page() -> None:
    """Build the sample if there is no snapshot at all, and draw the sidebar's filters."""
    with show_errors():
        if (
            cached_queries.find_store_path() == cached_queries.SAMPLE_STORE
            and Store(cached_queries.SAMPLE_STORE).current() is None
        ):
            builds.build_sample()
            st.rerun()
        st.session_state[_TO_TELL] = None
        navigation.follow_navigation()
        url_state.begin_run()
        url_state.text(SNAPSHOT_PARAMETER, url_state.LONGEST_ID)
        shown = get_pinned_snapshot_id() or Store(cached_queries.find_store_path()).current()
        st.session_state[_EMPTY_KEY] = shown is None
        st.session_state[_HANDLE_KEY] = _find_snapshot(shown) if shown else None
        if shown:
            sidebar.draw_sidebar(_get_handle())


def is_store_empty() -> bool:
    """Whether the store to show has no snapshot yet: texts can be added, but there is nothing to show."""
    return bool(st.session_state.get(_EMPTY_KEY))


def _get_handle() -> cached_queries.Handle:
    """The snapshot of this run. The frame looks once, so that no page shows two; without it a page looks."""
    if (found := st.session_state.get(_HANDLE_KEY)) is not None:
        return cast(cached_queries.Handle, found)
    return _find_snapshot(get_pinned_snapshot_id())


def _find_snapshot(snapshot_id: str) -> cached_queries.Handle:
    """The snapshot, or the latest for an empty id; where a link pins one that is gone, a way out."""
    try:
        return cached_queries.find_snapshot(snapshot_id)
    except StoreError:
        if get_pinned_snapshot_id():
            st.button("Show the latest snapshot instead", on_click=_unpin_snapshot)
        raise


@st.cache_resource(show_spinner=False)
def _get_visits() -> list[str]:
    """Addresses of pages asked for since the server started: the first is remembered."""
    return []


def reload_first_visit(url_path: str) -> None:
    """Load the page anew where a link to a page other than the first is the server's very first visit.

    Until `st.navigation` has run once, Streamlit takes the folder `pages/` for its own older kind of page,
    does not find the address there and covers the page with a "Page not found". The second load is right.
    """
    visits = _get_visits()
    first = not visits
    if first:
        visits.append(url_path)
    if first and url_path:
        st.html("<script>window.location.reload()</script>", unsafe_allow_javascript=True)
        st.stop()


def get_view() -> View:
    """The current snapshot, and what the filters say; all of it where a page runs without the sidebar."""
    return View(_get_handle(), sidebar.read_filters())


def draw_heading(title: str, how: str, handle: cached_queries.Handle | None) -> None:
    """The page's title, how to read it in a line, and the snapshot's own caveat where it has one."""
    st.html(_TOUCH_SCRIPT + _STYLE, unsafe_allow_javascript=True)
    st.title(title, anchor=False)
    st.caption(how)
    if handle is None:
        return
    manifest = cached_queries.get_manifest(handle)
    if manifest.notice:
        st.info(manifest.notice, icon=":material/info:")
    if get_pinned_snapshot_id():
        built = phrases.format_timestamp(manifest.built_at)
        with st.container(horizontal=True, vertical_alignment="center"):
            st.info(f"An earlier state, as the link asks: snapshot {manifest.snapshot_id}, built {built}.")
            st.button("Show the latest", on_click=_unpin_snapshot, type="tertiary")
    st.session_state[_TO_TELL] = st.container()


def _tell_lost() -> None:
    """Say below the heading what of the link was left out: known only once all controls are drawn."""
    if lost := url_state.list_unknown_values():
        with cast(DeltaGenerator, st.session_state.get(_TO_TELL) or st.container()):
            st.warning(
                "The link asks for what this snapshot does not have or no control allows; it is left out:",
                icon=":material/link_off:",
            )
            st.text("; ".join(lost))


def draw_note(text: str) -> None:
    """A quiet line of text that may hold names from anywhere: shown letter by letter."""
    st.caption(phrases.escape_markdown(text))


def draw_empty_state(
    shown: View, asked: Slice, count: Callable[[Slice], int], what: str, hints: Sequence[str] = ()
) -> None:
    """The empty state: which filters match nothing together, and what `count` finds without each of them.

    `what` names the things counted; `hints` are further lines about what else narrows the page.
    """
    st.subheader(f"No {what} matches", anchor=False)
    found = phrases.describe_filters(asked, cached_queries.get_narrative_names(shown.handle))
    if not found and not hints:
        st.text("This snapshot holds none. Add texts with: python -m narratives build INPUT")
        return
    if found:
        st.text("Filters set: " + "; ".join(f"{name} {value}" for _, name, value in found) + ".")
    lines = [
        f"Without the {name} filter: {phrases.format_count(count(cached_queries.remove_filter(asked, field)), what)}."
        for field, name, _ in found
    ]
    st.text("\n".join([*hints, *lines]))
    if found:
        st.button("Clear all filters", on_click=sidebar.clear_filters, icon=":material/filter_alt_off:", key="widen")


def draw_footer() -> None:
    """The standing caveat, and which build this is; the address now says what the page shows."""
    _tell_lost()
    if is_store_empty():
        return
    manifest = cached_queries.get_manifest(_get_handle())
    st.divider()
    st.caption(phrases.CAVEAT)
    st.caption(f"Snapshot {manifest.snapshot_id}, built {phrases.format_timestamp(manifest.built_at)}.")
    st.page_link("pages/method_page.py", label="How these numbers are made", icon=":material/functions:")
    url_state.update_url()


ONBOARDING_STEPS = (
    "**1.** Choose a speaker or a year in the sidebar: every chart and number follows.",
    "**2.** Click a point of a chart to read the paragraphs behind it.",
    "**3.** Save a chart, its numbers or a link with *Save* above it.",
)
_ONBOARDING_KEY = "hint seen"


def draw_onboarding(view: View) -> None:
    """Three lines on what to do first, on the sample only and until they are dismissed in this session."""
    if st.session_state.get(_ONBOARDING_KEY) or not cached_queries.get_manifest(view.handle).notice:
        return
    with (
        st.container(border=True, key="hint"),
        st.container(horizontal=True, vertical_alignment="center"),
    ):
        st.markdown("  \n".join(ONBOARDING_STEPS), width="stretch")
        st.button("Got it", key="hint-dismiss", on_click=_dismiss_onboarding, help="Hide these hints")


def _dismiss_onboarding() -> None:
    st.session_state[_ONBOARDING_KEY] = True
