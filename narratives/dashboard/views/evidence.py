"""The Evidence page: both searches, the controls, the list of results and the downloads."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import streamlit as st

from narratives.dashboard import cached_queries, chart_panel, controls, document_drawer, navigation, shell
from narratives.dashboard.shell import View
from narratives.model import (
    EncoderError,
    EvidenceQuery,
    NarrativesError,
    ServerBusyError,
    Slice,
    StoreError,
    parse_search_terms,
)
from narratives.model.slice import SimilarityById, SortOrder
from narratives.model.text import Encoder
from narratives.render import phrases
from narratives.store import MAX_SEARCH_LENGTH, MAX_SEARCH_TERMS, Turns
from narratives.workflows import search
from narratives.workflows.search import MAX_SENTENCE_LENGTH, MIN_SIMILARITY

NO_MODEL_VARIABLE, MODEL_VARIABLE = "NARRATIVES_NO_MODEL", "NARRATIVES_MODEL"
PATIENCE = 30.0  # seconds to wait for the searches of other users
MAX_SEARCHES, SEARCH_WINDOW = 20, 60.0  # different sentences of one session, in so many seconds
_SEARCHES_KEY = "latest sentences"
Outline = tuple[tuple[float, float], ...]
MAX_CORNERS = 40  # of a lasso, which has hundreds at first; a URL must be short
LONGEST_OUTLINE = MAX_CORNERS * 25  # characters; `format_outline` needs at most 22 for a corner
LOADING_TEXT = "Searching for paragraphs with a similar meaning. The first search also loads the language model …"


def extract_outline(selection: Mapping[str, Any]) -> Outline:
    """Return the outline of the box or lasso drawn last on a chart; empty if there is none. Pure."""
    for box in selection.get("box", []):
        left, right, bottom, top = *sorted(box["x"]), *sorted(box["y"])
        return (left, bottom), (right, bottom), (right, top), (left, top)
    for lasso in selection.get("lasso", []):
        corners = list(zip(lasso["x"], lasso["y"], strict=True))
        step = -(-len(corners) // MAX_CORNERS)
        return tuple(corners[::step])
    return ()


def format_outline(outline: Sequence[tuple[float, float]]) -> str:
    """Return the outline as text: `x,y` of every corner with two decimals, separated by semicolons. Pure."""
    return ";".join(f"{x:.2f},{y:.2f}" for x, y in outline)


def parse_outline(text: str) -> Outline:
    """Return the outline that a text describes; empty if the text is not an outline. Pure."""
    try:
        corners = tuple((float(x), float(y)) for x, y in (corner.split(",") for corner in text.split(";")))
    except ValueError:
        return ()
    finite = all(abs(x) < 1e6 and abs(y) < 1e6 for x, y in corners)
    return corners if 3 <= len(corners) <= MAX_CORNERS and finite else ()


def search_by_meaning(handle: cached_queries.Handle, text: str) -> dict[str, float] | None:
    """Return the ids of the paragraphs similar to `text` in meaning, with their similarity; None for an empty text.

    Raises EncoderError, StoreError, UsageError or ResourceError if the search is not possible.
    """
    if not text:
        return None
    _check_model_allowed()
    st.session_state[_SEARCHES_KEY] = count_search(st.session_state.get(_SEARCHES_KEY, {}), text, time.monotonic())
    with st.spinner(LOADING_TEXT):
        return _search_snapshot(handle.built, text)


def count_search(recent: Mapping[str, float], text: str, now: float) -> dict[str, float]:
    """Return a session's latest sentences with the seconds at which they were first searched for, `text` included.

    Raises ServerBusyError for one sentence more than MAX_SEARCHES in SEARCH_WINDOW seconds; the same sentence again
    costs nothing. Pure.
    """
    kept = {sentence: at for sentence, at in recent.items() if now - at < SEARCH_WINDOW}
    if text not in kept and len(kept) >= MAX_SEARCHES:
        expected = f"at most {MAX_SEARCHES} different sentences in {SEARCH_WINDOW:g} seconds"
        raise ServerBusyError(expected, "one more", "Wait a moment, then try again.")
    return {text: now, **kept}


@st.cache_data(max_entries=60, ttl=cached_queries.CACHE_SECONDS, show_spinner=False)
def _search_snapshot(handle: cached_queries.Handle, text: str) -> dict[str, float]:
    try:
        return _load_searcher(handle)(text)
    except StoreError:
        # A build may have replaced damaged vectors since they were opened.
        _load_searcher.clear(handle)
        return _load_searcher(handle)(text)


@st.cache_resource(max_entries=2, show_spinner=False)
def _load_searcher(handle: cached_queries.Handle) -> Callable[[str], dict[str, float]]:
    """Return the search function of one snapshot, shared by all sessions."""
    snapshot = cached_queries.get_snapshot(handle)
    index = search.open_index(Path(handle.store), snapshot)
    encoder = load_encoder(handle)

    def find(text: str) -> dict[str, float]:
        with get_model_turns().take():
            return search.search_index(index, encoder, text)

    return find


@st.cache_resource(show_spinner=False)
def get_model_turns() -> Turns:
    """Return the turns at the language model: its tokenizer serves one thread at a time."""
    return Turns(1, PATIENCE)


def load_encoder(handle: cached_queries.Handle) -> Encoder:
    """Return the model of a snapshot, which is read at its first use; raises EncoderError if it cannot be used."""
    _check_model_allowed()
    manifest = cached_queries.get_manifest(handle)
    return _load_encoder(manifest.model, manifest.variant, handle)


def _check_model_allowed() -> None:
    if os.environ.get(NO_MODEL_VARIABLE):
        raise EncoderError(
            "a language model on this server",
            f"{NO_MODEL_VARIABLE} is set, so the model is not loaded",
            f"Start the dashboard without {NO_MODEL_VARIABLE}. The search in the text needs no model.",
        )


@st.cache_resource(max_entries=2, show_spinner=False)
def _load_encoder(model: str, variant: str, _handle: cached_queries.Handle) -> Encoder:
    return search.load_snapshot_encoder(cached_queries.get_manifest(_handle), os.environ.get(MODEL_VARIABLE, ""))


COUNTED_NOUN = "statement paragraph"
UNCOVERED_SWITCH_LABEL = "Only what no narrative covers"
MIME_TYPES = {".csv": "text/csv", ".jsonl": "application/x-ndjson", ".parquet": "application/vnd.apache.parquet"}


@dataclass(frozen=True, slots=True)
class EvidenceSettings:
    """The settings of the page's own controls: both searches, the switch, the order and the area of the map.

    `text` are words to find, `like` is a sentence to find similar paragraphs for. `outline` is a polygon on
    the map, empty for the whole map. `topic` is the id of a theme or topic, empty for all paragraphs.
    """

    text: str
    like: str
    unassigned: bool
    sort: SortOrder
    outline: Outline = ()
    topic: str = ""

    def build_query(self, s: Slice, similar: SimilarityById | None) -> EvidenceQuery:
        """Build the query for these settings; `similar` is the answer of `find_near_paragraphs`."""
        key = f"{self.like}\n{format_outline(self.outline)}"
        topics = (self.topic,) if self.topic else ()
        return EvidenceQuery(s, self.text, self.unassigned, self.sort, topics, key, similar)


def draw_controls(view: View) -> EvidenceSettings:
    """Draw both searches, the sort order and the switch; all are kept in the URL."""
    left, right = st.columns(2)
    with left:
        text = controls.draw_text_input(
            "Search in the text",
            "text",
            icon=":material/search:",
            placeholder='words, "an exact phrase", -excluded',
            help="Finds paragraphs that contain all words, in any order and any case, also inside longer words. "
            'A minus excludes a word or phrase: `sanctions -oil`, `-"exact phrase"`. To find a minus sign, put '
            f'it in quotes: `"-5"`. The limit is {MAX_SEARCH_TERMS} words and phrases.',
            most=MAX_SEARCH_LENGTH,
        )
    with right:
        like = controls.draw_text_input(
            "Find paragraphs that say …",
            "like",
            icon=":material/neurology:",
            placeholder="a sentence, in any words",
            help="Finds paragraphs with a similar meaning. Their likeness to your sentence, as rated by the language "
            f"model, is at least {MIN_SIMILARITY:.2f}; 1 means the same text. The search finds the same claim in "
            "other words, and sometimes the opposite claim on the same subject. Read the paragraphs before you count "
            "them.",
            most=MAX_SENTENCE_LENGTH,
        )
    left, right = st.columns([1, 3], vertical_alignment="bottom")
    with left:
        sort = controls.draw_selectbox(
            "Sort all rows by",
            "sort",
            phrases.SORT_LABELS,
            help="Best match sorts by likeness if you search by meaning, otherwise by score.",
        )
    with right:
        unassigned = controls.draw_toggle(UNCOVERED_SWITCH_LABEL, "unassigned")
    outline = _draw_outline_filter()
    return EvidenceSettings(_check_search(text), like, unassigned, sort, outline, _draw_topic_filter(view))


def _check_search(text: str) -> str:
    """Return the search, or an empty one with a warning if it has too many terms."""
    if (number := len(parse_search_terms(text))) <= MAX_SEARCH_TERMS:
        return text
    st.warning(
        f"The search in the text is ignored. It has {number} words and phrases, and the limit is {MAX_SEARCH_TERMS}. "
        "Remove some of them.",
        icon=":material/search:",
    )
    return ""


def _draw_outline_filter() -> Outline:
    """Return the area of the map in the URL, and draw a button that removes it."""
    given = controls.bind_text("area", LONGEST_OUTLINE)
    outline = parse_outline(given)
    if given:
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.text(
                "Only paragraphs in the selected area of the map."
                if outline
                else "The area of the map in this link is not valid and is ignored."
            )
            st.button("Whole map", icon=":material/close:", type="tertiary", on_click=_clear_outline)
    return outline


def _clear_outline() -> None:
    st.session_state["area"] = ""


def _draw_topic_filter(view: View) -> str:
    """Return the theme or topic in the URL, and draw a button that removes it."""
    topic = controls.bind_text(navigation.TOPIC_PARAMETER, controls.LONGEST_ID)
    if not topic:
        return ""
    names = cached_queries.load_topic_names(view.handle, (topic,))
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.text(
            f"Only paragraphs of the topic “{names[topic]}”."
            if topic in names
            else "The topic in this link is not in this snapshot and is ignored."
        )
        st.button("All topics", icon=":material/close:", type="tertiary", on_click=_clear_topic)
    return topic if topic in names else ""


def _clear_topic() -> None:
    st.session_state[navigation.TOPIC_PARAMETER] = ""


def find_near_paragraphs(view: View, settings: EvidenceSettings) -> tuple[SimilarityById | None, bool]:
    """Return the only paragraphs to show, with their likeness, and whether the search succeeded.

    They are similar in meaning to the sentence and inside the area of the map; None means all. If the search
    fails, the page shows the reason.
    """
    try:
        similar: SimilarityById | None = search_by_meaning(view.handle, settings.like)
        if settings.outline:
            inside = cached_queries.find_map_paragraphs(view.handle, settings.outline)
            similar = {key: similar[key] if similar else None for key in inside if similar is None or key in similar}
        return similar, True
    except NarrativesError as error:
        st.warning("The search by meaning failed.", icon=":material/neurology:")
        st.text(shell.describe_error(error))
        return None, False


def count_results(view: View, s: Slice, settings: EvidenceSettings, similar: SimilarityById | None) -> int:
    """Count the paragraphs that the page shows."""
    return cached_queries.count_paragraphs(view.handle, settings.build_query(s, similar))


def describe_results(view: View, settings: EvidenceSettings, total: int) -> str:
    """Describe the results in one sentence: how many paragraphs, and the filters and searches."""
    names = cached_queries.get_narrative_names(view.handle)
    chosen = [names.get(key, key) for key in view.slice.narratives]
    verb = "advances" if total == 1 else "advance"
    advancing = f" that {verb} {phrases.format_list(chosen, link='or')}" if chosen else ""
    if settings.unassigned:
        advancing = f" that {verb} no narrative"
    searched = phrases.describe_search(settings.text)
    searched = f"{',' if advancing else ''} {searched}" if searched else ""
    like = f" similar in meaning to “{settings.like}”" if settings.like else ""
    where = " in an area of the map" if settings.outline else ""
    if settings.topic:
        where += f" of the topic “{cached_queries.load_topic_names(view.handle, (settings.topic,))[settings.topic]}”"
    like = f",{like}" if like and (advancing or searched) else like
    counted = f"{phrases.format_count(total, COUNTED_NOUN)}{phrases.describe_scope(view.slice)}"
    return f"{counted}{where}{advancing}{searched}{like}; {phrases.describe_copies(view.slice)}."


def draw_unread_note(view: View, settings: EvidenceSettings) -> None:
    """Draw a note on the languages that the search by meaning does not cover."""
    if settings.like and (
        line := phrases.describe_unread_languages(cached_queries.load_totals(view.handle, view.slice).other_language)
    ):
        st.caption(line)


def draw_empty_state(view: View, settings: EvidenceSettings, similar: SimilarityById | None) -> None:
    """Draw the empty state: how many paragraphs there are without each search and filter."""

    def count_for(other: EvidenceSettings) -> str:
        """Count the paragraphs for other settings."""
        other_similar, _ = find_near_paragraphs(view, other)
        return phrases.format_count(count_results(view, view.slice, other, other_similar), COUNTED_NOUN)

    hints = []
    if settings.like and not similar:
        hints.append(
            f"No paragraph in the snapshot is similar in meaning to “{settings.like}” "
            f"(likeness {MIN_SIMILARITY:.2f} or more)."
        )
    without = {
        f"the search for “{settings.like}” by meaning": replace(settings, like=""),
        f"the search for “{settings.text}”": replace(settings, text=""),
        "the area of the map": replace(settings, outline=()),
        "the topic": replace(settings, topic=""),
        f"“{UNCOVERED_SWITCH_LABEL.lower()}”": replace(settings, unassigned=False),
    }
    hints += [f"Without {what}: {count_for(other)}." for what, other in without.items() if other != settings]
    shell.draw_empty_state(view, view.slice, lambda s: count_results(view, s, settings, similar), COUNTED_NOUN, hints)
    document_drawer.draw_drawer(view)


def draw_downloads(view: View, settings: EvidenceSettings, total: int, similar: SimilarityById | None) -> None:
    """Draw the downloads of all rows in the page's order (CSV, JSON lines, Parquet) and a link to the page."""
    manifest = cached_queries.get_manifest(view.handle)
    extra = {
        "filter_text": settings.text,
        "filter_like": settings.like,
        "filter_area": format_outline(settings.outline),
        "filter_topic": settings.topic,
        "filter_unassigned": "yes" if settings.unassigned else "no",
        "sorted_by": settings.sort,
    }

    def build_file(suffix: str) -> bytes:
        rows = cached_queries.load_all_paragraphs(view.handle, settings.build_query(view.slice, similar))
        return chart_panel.export_paragraphs(rows, view.slice, manifest, extra, suffix)

    with st.container(horizontal=True, vertical_alignment="center"):
        for suffix, label in (
            (".csv", f"Download {phrases.format_count(total, 'paragraph')} (CSV)"),
            (".jsonl", "JSON lines"),
            (".parquet", "Parquet"),
        ):
            st.download_button(
                label,
                partial(build_file, suffix),
                chart_panel.build_file_name("paragraphs", manifest.snapshot_id, suffix),
                MIME_TYPES[suffix],
                on_click="ignore",
                key=f"download{suffix}",
                icon=":material/download:",
            )
        chart_panel.draw_link_menu(view, "evidence")
