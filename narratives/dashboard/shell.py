"""The frame around every page: the snapshot in use, the filters, error messages, and the footer."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import cast

import streamlit as st
from streamlit.delta_generator import DeltaGenerator
from streamlit.runtime.scriptrunner import get_script_run_ctx

from narratives.dashboard import builds, cached_queries, controls, navigation, roles
from narratives.model import NarrativesError, ResourceError, ServerBusyError, Slice, StoreError, printable
from narratives.render import phrases
from narratives.store import Store
from narratives.store.published import follow, get_cache_folder

UPLOADS_PAGE = "pages/sources_page.py"
PAGE_ICON = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="6" '
    'fill="#1f5a7a"/><path d="M5 23l7-8 6 4 9-11" fill="none" stroke="#fff" stroke-width="3" '
    'stroke-linecap="round" stroke-linejoin="round"/></svg>'
)

_EMPTY_KEY, _HANDLE_KEY, _WARNING_KEY = "store is empty", "snapshot in use", "place of the link warning"
SNAPSHOT_PARAMETER = "as-of"  # the URL parameter that pins a snapshot

# Streamlit draws chart labels and captions in pale grey. Chart labels get the page's text colour here, in either
# theme, because a figure cannot refer to it. Captions get more contrast: Streamlit's have 4.1 on the light page,
# and the minimum is 4.5 (https://www.w3.org/TR/WCAG22/#contrast-minimum).
_STYLE = """<style>
.stPlotlyChart :is(.annotation-text, .legendtext, .xtick text, .ytick text, .hoverlayer text, .colorbar text,
  .textpoint text, .bars text) {
  fill: currentColor !important;
}
.stApp [data-testid="stCaptionContainer"] { opacity: 0.76; }
.stApp :is([data-testid="stMarkdownContainer"], [data-testid="stText"], [data-testid="stHeading"], .stHtml) {
  overflow-wrap: anywhere;
}
.stApp [data-testid="stCaptionContainer"] code { color: inherit; font-size: 0.9em; }
</style>"""

# Plotly prevents the page from scrolling when a finger moves on a chart. With this script the page scrolls and a
# tap is a click. A finger draws only while the box or lasso tool is selected.
_TOUCH_SCRIPT = """<script>
if (!window.narrativesTouch) {
  window.narrativesTouch = true;
  addEventListener("touchstart", (event) => {
    const plot = event.target.closest?.(".js-plotly-plot");
    if (plot && !["select", "lasso"].includes(plot._fullLayout?.dragmode)) event.stopPropagation();
  }, { capture: true, passive: true });
}
</script>"""

# When a page is opened from the menu, Streamlit adds its address to the browser's history without the filters, and
# again with them. Back would lead to the first, which has none. With this script the second replaces the first.
_HISTORY_SCRIPT = """<script>
if (!window.narrativesHistory) {
  window.narrativesHistory = true;
  const push = history.pushState.bind(history);
  let hasTurned = false;
  history.pushState = (state, title, url) => {
    const to = new URL(url, location.href), isOtherPage = to.pathname !== location.pathname;
    const completes = hasTurned && !isOtherPage && !location.search;
    hasTurned = isOtherPage && !to.search;
    if (completes) history.replaceState(state, title, url);
    else push(state, title, url);
  };
  for (const event of ["pointerdown", "keydown", "popstate"])
    addEventListener(event, () => { hasTurned = false; }, { capture: true });
}
</script>"""


@dataclass(frozen=True, slots=True)
class View:
    """The snapshot and the shared filters of one rerun."""

    handle: cached_queries.Handle
    slice: Slice


def get_pinned_snapshot_id() -> str:
    """Return the snapshot that a link pins, or an empty text for the latest."""
    return str(st.session_state.get(SNAPSHOT_PARAMETER) or "")


def _unpin_snapshot() -> None:
    """Show the latest snapshot again (a button's callback)."""
    st.session_state[SNAPSHOT_PARAMETER] = None


def describe_error(error: NarrativesError) -> str:
    """Say what was expected, what came and what to do, without the folders of the server."""
    return hide_folders(f"Expected {error.expected}; got {error.got}.\n{error.hint}")


def hide_folders(text: str) -> str:
    """Return the text without the folders of absolute paths, those of the store among them."""
    try:
        store = cached_queries.find_store_path().resolve()
    except NarrativesError:  # a published store of which there is no copy
        store = get_cache_folder()
    return printable.hide_folders(text, store)


def draw_error_text(error: NarrativesError) -> None:
    """Draw what was expected, what came and what to do, on one line."""
    st.text(describe_error(error).replace("\n", " "))


def may_decide() -> bool:
    """Return whether the user may decide and correct here: reviewers may, in the latest snapshot."""
    return roles.get_user().may("reviewer") and not get_pinned_snapshot_id()


@contextmanager
def show_errors() -> Iterator[None]:
    """Show a project error as a message with what to do, instead of a stack trace, and stop the page."""
    try:
        yield
    except NarrativesError as error:
        temporary = isinstance(error, ResourceError)
        if temporary:
            busy = isinstance(error, ServerBusyError)
            message = "The server is busy." if busy else "This request needs more than the server can provide."
            st.warning(message, icon=":material/hourglass_empty:")
        else:
            st.error("This page cannot be shown.", icon=":material/error:")
        st.text(describe_error(error))
        if temporary:
            st.button("Try again", icon=":material/refresh:")
        _warn_about_link()
        if is_store_empty():
            st.page_link(UPLOADS_PAGE, label="Or add texts on the Sources page", icon=":material/upload_file:")
        st.stop()


def _follow_store() -> None:
    """Fetch a published store at the first visit, and say if it may be out of date."""
    follower = follow(os.environ[cached_queries.STORE_VARIABLE])
    if not follower.is_ready():
        with st.spinner("Fetching the published store."):
            follower.locate()
    if follower.problem:
        st.sidebar.warning(follower.problem, icon=":material/cloud_off:")


def start_page() -> None:
    """Build the sample if there is no snapshot at all, then draw the sidebar."""
    with show_errors():
        if cached_queries.is_published():
            _follow_store()
        if (
            cached_queries.find_store_path() == cached_queries.SAMPLE_STORE
            and Store(cached_queries.SAMPLE_STORE).current() is None
        ):
            roles.require("editor")
            builds.build_sample()
            st.rerun()
        st.session_state[_WARNING_KEY] = None
        navigation.follow_navigation()
        _forget_widgets()
        controls.begin_run()
        controls.bind_text(SNAPSHOT_PARAMETER, controls.LONGEST_ID)
        shown = get_pinned_snapshot_id() or Store(cached_queries.find_store_path()).current()
        st.session_state[_EMPTY_KEY] = shown is None
        st.session_state[_HANDLE_KEY] = _find_snapshot(get_pinned_snapshot_id()) if shown else None
        if shown:
            navigation.draw_sidebar(_get_handle().built)


def _forget_widgets() -> None:
    """Make Streamlit forget the widgets that are no longer shown, before any is drawn.

    It forgets their values, but keeps their callbacks until the viewer leaves, and with them the table behind every
    chart that was ever drawn: a chart with other data is another widget.
    """
    if context := get_script_run_ctx():
        widgets = context.session_state._state._new_widget_state
        for key in widgets.widget_metadata.keys() - widgets.states.keys():
            del widgets.widget_metadata[key]


def is_store_empty() -> bool:
    """Return whether the store has no snapshot yet, so that texts can be added but nothing can be shown."""
    return bool(st.session_state.get(_EMPTY_KEY))


def _get_handle() -> cached_queries.Handle:
    """Return the snapshot of this run. `start_page` chooses it once, so that a page never mixes two snapshots."""
    if (handle := st.session_state.get(_HANDLE_KEY)) is not None:
        return cast(cached_queries.Handle, handle)
    return _find_snapshot(get_pinned_snapshot_id())


def _find_snapshot(snapshot_id: str) -> cached_queries.Handle:
    """Return the snapshot, or the latest for an empty id; offer the latest if a pinned one no longer exists."""
    try:
        return cached_queries.find_snapshot(snapshot_id)
    except StoreError:
        if get_pinned_snapshot_id():
            st.button("Show the latest snapshot instead", on_click=_unpin_snapshot)
        raise


@st.cache_resource(show_spinner=False)
def _get_visits() -> list[str]:
    """Return the list of visited pages since the server started; it holds the first one only."""
    return []


def reload_first_visit(url_path: str) -> None:
    """Reload the page if the server's very first visit is a link to a page other than the first.

    Until `st.navigation` has run once, Streamlit treats the folder `pages/` as its older kind of pages, does
    not find the address there, and shows "Page not found". The second load is right.
    """
    visits = _get_visits()
    first = not visits
    if first:
        visits.append(url_path)
    if first and url_path:
        st.html("<script>window.location.reload()</script>", unsafe_allow_javascript=True)
        st.stop()


def get_view() -> View:
    """Return the current snapshot and the filters; there are no filters if the page runs without the sidebar."""
    return View(_get_handle(), navigation.read_filters())


def draw_heading(title: str, how: str, handle: cached_queries.Handle | None) -> None:
    """Draw the page's title, one line on how to read it, and the snapshot's notice if it has one."""
    st.html(_TOUCH_SCRIPT + _HISTORY_SCRIPT + _STYLE, unsafe_allow_javascript=True)
    st.title(title, anchor=False)
    st.caption(how)
    if handle is None:
        return
    manifest = cached_queries.get_manifest(handle)
    if manifest.notice:
        st.info(phrases.escape_markdown(manifest.notice), icon=":material/info:")
    if get_pinned_snapshot_id():
        built = phrases.format_timestamp(manifest.built_at)
        with st.container(horizontal=True, vertical_alignment="center"):
            which = "the latest" if cached_queries.is_latest(handle) else "an earlier"
            st.info(f"This link shows {which} snapshot: {manifest.snapshot_id}, built {built}.")
            st.button("Show the latest", on_click=_unpin_snapshot, type="tertiary")
    st.session_state[_WARNING_KEY] = st.container()


def _warn_about_link() -> None:
    """Warn below the heading about ignored parts of the link; they are known once all controls are drawn."""
    if ignored := controls.list_unknown_values():
        with cast(DeltaGenerator, st.session_state.get(_WARNING_KEY) or st.container()):
            st.warning(
                "Some values in this link are not in this snapshot or are not allowed. They are ignored:",
                icon=":material/link_off:",
            )
            st.text("; ".join(ignored))


def draw_metrics(cells: Sequence[tuple[str, str, str | None]], least_width: int) -> None:
    """Draw key figures, each (label, value, help), in columns of at least `least_width` pixels."""
    grid = st.grid("auto", min_column_width=least_width, gap="small")
    for label, value, note in cells:
        grid.metric(label, value, help=note)


def draw_text(text: str) -> None:
    """Draw a text literally, without characters that change the direction of what follows."""
    st.text(printable.remove_controls(text))


def draw_note(text: str) -> None:
    """Draw a caption that may contain names from the texts; it is shown literally, never as Markdown."""
    st.caption(phrases.escape_markdown(text))


def draw_empty_state(view: View, s: Slice, count: Callable[[Slice], int], what: str, hints: Sequence[str] = ()) -> None:
    """Draw the empty state: the filters that match nothing together, and the count without each of them.

    `what` names what `count` counts. `hints` are further lines about what else narrows the page.
    """
    st.subheader(f"No {what} matches", anchor=False)
    filters = phrases.describe_filters(s, cached_queries.get_narrative_names(view.handle))
    if not filters and not hints:
        st.text("This snapshot contains none. To add texts, run: narratives build INPUT")
        return
    if filters:
        st.text("Filters: " + "; ".join(f"{name} {value}" for _, name, value in filters) + ".")
    lines = [
        f"Without the {name} filter: {phrases.format_count(count(navigation.remove_filter(s, field)), what)}."
        for field, name, _ in filters
    ]
    st.text("\n".join([*hints, *lines]))
    if filters:
        st.button("Clear all filters", on_click=navigation.clear_filters, icon=":material/filter_alt_off:", key="widen")


def draw_footer() -> None:
    """Draw the general caveat and the snapshot's id, and write the state of the page to the URL."""
    _warn_about_link()
    if is_store_empty():
        return
    manifest = cached_queries.get_manifest(_get_handle())
    st.divider()
    st.caption(phrases.CAVEAT)
    st.caption(f"Snapshot {phrases.describe_snapshot(manifest)}.")
    st.page_link("pages/method_page.py", label="How these numbers are computed", icon=":material/functions:")
    controls.update_url()


ONBOARDING_STEPS = (
    "**1.** Choose a speaker or a year in the sidebar. Every chart and number changes with it.",
    "**2.** Click a point of a chart to read the paragraphs behind it.",
    "**3.** Use *Save* above a chart to save the chart, its numbers or a link.",
)
_ONBOARDING_KEY = "hint seen"


def draw_onboarding(view: View) -> None:
    """Draw three hints for new users, on the sample only and until they are dismissed in this session."""
    if st.session_state.get(_ONBOARDING_KEY) or not cached_queries.get_manifest(view.handle).notice:
        return
    with st.container(border=True, key="hint"), st.container(horizontal=True, vertical_alignment="center"):
        st.markdown("  \n".join(ONBOARDING_STEPS), width="stretch")
        st.button("Got it", key="hint-dismiss", on_click=_dismiss_onboarding, help="Hide these hints")


def _dismiss_onboarding() -> None:
    st.session_state[_ONBOARDING_KEY] = True
