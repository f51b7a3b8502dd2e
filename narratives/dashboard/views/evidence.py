"""Search by meaning for the pages: the model is loaded when first asked for, and kept."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import streamlit as st

from narratives.dashboard import cached_queries, shell, url_state
from narratives.dashboard.components import chart_panel, controls, document_drawer
from narratives.dashboard.shell import View
from narratives.model import EncoderError, NarrativesError, Slice, StoreError, parse_search_terms
from narratives.model.slice import SortOrder
from narratives.model.text import Encoder
from narratives.render import phrases
from narratives.store import LONGEST_SEARCH, MOST_TERMS, SimilarityById, Turns
from narratives.workflows import search
from narratives.workflows.search import LONGEST, MIN_SIMILARITY

NO_MODEL_VARIABLE, MODEL_VARIABLE = "NARRATIVES_NO_MODEL", "NARRATIVES_MODEL"
PATIENCE = 30.0  # seconds to wait for the searches of others
LOADING_TEXT = "Looking for paragraphs of like meaning; the first time the language model is loaded …"


def search_by_meaning(handle: cached_queries.Handle, text: str) -> dict[str, float] | None:
    """Ids of the paragraphs near `text` in meaning, with their similarity; None where nothing is asked.

    Raises EncoderError, StoreError, UsageError or ResourceError, each with what to do, where it cannot be
    told.
    """
    if not text:
        return None
    if os.environ.get(NO_MODEL_VARIABLE):
        raise EncoderError(
            "a language model on this server",
            f"{NO_MODEL_VARIABLE} set, which keeps it from being loaded",
            f"Start the dashboard without {NO_MODEL_VARIABLE}. Searching for words needs no model.",
        )
    with st.spinner(LOADING_TEXT):
        return _search_cached(handle, text)


@st.cache_data(max_entries=60, ttl=cached_queries.CACHE_SECONDS, show_spinner=False)
def _search_cached(handle: cached_queries.Handle, text: str) -> dict[str, float]:
    try:
        return _load_searcher(handle)(text)
    except StoreError:
        # What was damaged since it was opened may have been encoded again meanwhile.
        _load_searcher.clear(handle)
        return _load_searcher(handle)(text)


@st.cache_resource(max_entries=2, show_spinner=False)
def _load_searcher(handle: cached_queries.Handle) -> Callable[[str], dict[str, float]]:
    """What searches one snapshot, for all sessions."""
    snapshot = cached_queries.get_snapshot(handle)
    manifest = snapshot.meta()
    index = search.open_index(Path(handle.store), snapshot)
    encoder = _load_encoder(manifest.model, manifest.variant, handle)
    turns = Turns(1, PATIENCE)  # the tokenizer serves one thread at a time

    def find(text: str) -> dict[str, float]:
        with turns.take():
            return search.search_index(index, encoder, text)

    return find


@st.cache_resource(max_entries=2, show_spinner=False)
def _load_encoder(model: str, variant: str, _handle: cached_queries.Handle) -> Encoder:
    return search.load_snapshot_encoder(cached_queries.get_manifest(_handle), os.environ.get(MODEL_VARIABLE, ""))


COUNTED_NOUN = "statement paragraph"
UNCOVERED_SWITCH_LABEL = "Only what no narrative covers"
MIME_TYPES = {
    ".csv": "text/csv",
    ".jsonl": "application/x-ndjson",
    ".parquet": "application/vnd.apache.parquet",
}


@dataclass(frozen=True, slots=True)
class EvidenceSettings:
    """What this page's own controls say: words to find, a sentence to come near to, the switch, the order.

    `outline` is an area of the map, empty for all of it.
    """

    text: str
    like: str
    unassigned: bool
    sort: SortOrder
    outline: url_state.Outline = ()

    @property
    def among(self) -> str:
        """What else than the snapshot decides which paragraphs `near` names."""
        return f"{self.like}\n{url_state.format_outline(self.outline)}"


def choices() -> EvidenceSettings:
    """Draw both searches, the order and the switch to what no narrative covers; all in the URL."""
    left, right = st.columns(2)
    with left:
        text = controls.line(
            "Search in the text",
            "text",
            icon=":material/search:",
            placeholder='words, "an exact phrase", -without',
            help="All words must occur, in any order and any case, whole or within a longer one. "
            'A minus leaves out: `sanctions -oil`, `-"exact phrase"`. To find a minus itself, put it in '
            f'quotes: `"-5"`. No more than {MOST_TERMS} words and phrases.',
            most=LONGEST_SEARCH,
        )
    with right:
        like = controls.line(
            "Find paragraphs that say …",
            "like",
            icon=":material/neurology:",
            placeholder="a sentence, in any words",
            help="By meaning: paragraphs whose likeness to your sentence, as the language model sees it, is "
            f"{MIN_SIMILARITY:.2f} or more, where 1 is the same text. It finds other words for the same, and at times "
            "the opposite claim on the same subject: read before you count.",
            most=LONGEST,
        )
    left, right = st.columns([1, 3], vertical_alignment="bottom")
    with left:
        sort = controls.box(
            "Sort all rows by",
            "sort",
            phrases.SORT_LABELS,
            help="Best match: by likeness where a sentence is asked for, else by score.",
        )
    with right:
        unassigned = controls.switch(UNCOVERED_SWITCH_LABEL, "unassigned")
    outline = _draw_outline_filter()
    return EvidenceSettings(_searched(text), like, unassigned, sort, outline)


def _searched(text: str) -> str:
    """The search for words, empty with a word why where it is of too many."""
    if (number := len(parse_search_terms(text))) <= MOST_TERMS:
        return text
    st.warning(
        f"The search in the text is passed over: it has {number} words and phrases, and no more than "
        f"{MOST_TERMS} are looked for at once. Take some out.",
        icon=":material/search:",
    )
    return ""


def _draw_outline_filter() -> url_state.Outline:
    """The area of the map that the address names, with a way to leave it."""
    given = url_state.bind_text("area", url_state.LONGEST)
    outline = url_state.parse_outline(given)
    if given:
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.text(
                "Only what lies in an area drawn on the map."
                if outline
                else "The area of the map in this link cannot be read, so it is passed over."
            )
            st.button("Anywhere", icon=":material/close:", type="tertiary", on_click=_clear_outline)
    return outline


def _clear_outline() -> None:
    st.session_state["area"] = ""


def find_near_paragraphs(view: View, asked: EvidenceSettings) -> tuple[SimilarityById | None, bool]:
    """The only paragraphs to show, with their likeness, and whether that could be told.

    They are those near to the sentence asked for and in the area of the map. Where it cannot be told the page
    says why.
    """
    try:
        found: SimilarityById | None = search_by_meaning(view.handle, asked.like)
        if asked.outline:
            there = cached_queries.find_map_paragraphs(view.handle, asked.outline)
            found = {key: found[key] if found else None for key in there if found is None or key in found}
        return found, True
    except NarrativesError as error:
        st.warning("Paragraphs of like meaning cannot be found.", icon=":material/neurology:")
        st.text(f"Expected {error.expected}; got {error.got}.\n{error.todo}")
        return None, False


def count_results(view: View, s: Slice, asked: EvidenceSettings, found: SimilarityById | None) -> int:
    """How many paragraphs are asked for."""
    return cached_queries.count_paragraphs(view.handle, s, asked.text, asked.unassigned, asked.among, found)


def describe_results(view: View, asked: EvidenceSettings, found: int) -> str:
    """How many paragraphs are shown, and of what."""
    names = cached_queries.get_narrative_names(view.handle)
    chosen = [names.get(key, key) for key in view.slice.narratives]
    verb = "advances" if found == 1 else "advance"
    advancing = f" that {verb} {phrases.format_list(chosen, link='or')}" if chosen else ""
    if asked.unassigned:
        advancing = f" that {verb} no narrative"
    searched = phrases.describe_search(asked.text)
    searched = f"{',' if advancing else ''} {searched}" if searched else ""
    like = f" near in meaning to “{asked.like}”" if asked.like else ""
    where = " in an area of the map" if asked.outline else ""
    like = f",{like}" if like and (advancing or searched) else like
    span = phrases.format_date_range(view.slice)
    who = phrases.describe_attribution(view.slice) + (f" dated {span}" if span else "")
    return f"{phrases.format_count(found, COUNTED_NOUN)}{who}{where}{advancing}{searched}{like}; {phrases.describe_copies(view.slice)}."  # noqa: E501


def draw_unread_note(view: View, asked: EvidenceSettings) -> None:
    """What the search by meaning cannot find, because the model does not read it."""
    if asked.like and (
        line := phrases.describe_unread_languages(cached_queries.load_totals(view.handle, view.slice).other_language)
    ):
        st.caption(line)


def draw_empty_state(view: View, asked: EvidenceSettings, found: SimilarityById | None) -> None:
    """The empty state: what the searches, the switch and each filter leave out."""

    def without(other: EvidenceSettings) -> str:
        """How many there are where one thing is not asked for."""
        rest, _ = find_near_paragraphs(view, other)
        return phrases.format_count(count_results(view, view.slice, other, rest), COUNTED_NOUN)

    hints = []
    if asked.like and not found:
        hints.append(f"Nothing in the snapshot comes near to “{asked.like}” (likeness {MIN_SIMILARITY:.2f} or more).")
    if asked.like:
        hints.append(f"Without the search for “{asked.like}” by meaning: {without(replace(asked, like=''))}.")
    if asked.text:
        hints.append(f"Without the search for “{asked.text}”: {without(replace(asked, text=''))}.")
    if asked.outline:
        hints.append(f"Without the area of the map: {without(replace(asked, outline=()))}.")
    if asked.unassigned:
        hints.append(f"Without “{UNCOVERED_SWITCH_LABEL.lower()}”: {without(replace(asked, unassigned=False))}.")
    shell.draw_empty_state(view, view.slice, lambda s: count_results(view, s, asked, found), COUNTED_NOUN, hints)
    document_drawer.draw_drawer(view)


def draw_downloads(view: View, asked: EvidenceSettings, total: int, found: SimilarityById | None) -> None:
    """All rows in the page's order as CSV, JSON lines and Parquet, and a link to the page."""
    manifest = cached_queries.get_manifest(view.handle)
    extra = {
        "filter_text": asked.text,
        "filter_like": asked.like,
        "filter_area": url_state.format_outline(asked.outline),
        "filter_unassigned": "yes" if asked.unassigned else "no",
        "sorted_by": asked.sort,
    }

    def made(suffix: str) -> bytes:
        rows = cached_queries.load_all_paragraphs(
            view.handle, view.slice, asked.text, asked.unassigned, asked.sort, found
        )
        return chart_panel.export_paragraphs(rows, view.slice, manifest, extra, suffix)

    with st.container(horizontal=True, vertical_alignment="center"):
        for suffix, label in (
            (".csv", f"Download {phrases.format_count(total, 'paragraph')} (CSV)"),
            (".jsonl", "JSON lines"),
            (".parquet", "Parquet"),
        ):
            st.download_button(
                label,
                partial(made, suffix),
                chart_panel.build_file_name("paragraphs", manifest.snapshot_id, suffix),
                MIME_TYPES[suffix],
                on_click="ignore",
                key=f"download{suffix}",
                icon=":material/download:",
            )
        with st.popover("Share", icon=":material/link:", type="tertiary"):
            chart_panel.draw_link_buttons(view, "evidence")
