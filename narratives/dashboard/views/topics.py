"""The Topics page: key figures, the map of themes, the chosen theme, topic or claim, and the table."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal

import pandas as pd
import streamlit as st

from narratives.dashboard import cached_queries, chart_panel, controls, navigation, roles, shell
from narratives.dashboard.shell import View
from narratives.dashboard.tables import (
    COUNT_COLUMN,
    PERCENT_COLUMN,
    SHARE_COLUMNS,
    TEXT_COLUMN,
    draw_csv_button,
    get_height,
)
from narratives.model import Slice
from narratives.render import phrases, topic_charts
from narratives.render.traces import to_records
from narratives.store.queries.topics import TopicSums

COUNTED_NOUN = "statement paragraph"
SELECTED_PARAMETER = "about-topic"  # the URL parameter with the theme, topic or claim that the page describes
Listed = Literal["topic", "claim"]
_LISTED: Mapping[Listed, str] = {"topic": "Topics", "claim": "Recurring claims"}
_COLOURS: Mapping[topic_charts.TopicColour, str] = {
    "theme": "Theme",
    "explained": "In the codebook",
    "claims": "Worded like claims",
}
MOSTLY, HARDLY = 2 / 3, 1 / 3  # of the paragraphs of a topic


@dataclass(frozen=True, slots=True)
class TopicSettings:
    """The values of the page's controls: what is listed, what the colours mean, and the id that is described."""

    listed: Listed
    colour: topic_charts.TopicColour
    selected: str


def draw_controls() -> TopicSettings:
    """Draw the controls of the page and return their values; they are kept in the URL."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        listed = controls.draw_segmented_control(
            "List",
            "list",
            _LISTED,
            help="A topic is a group of similar paragraphs. A recurring claim is a group of similar sentences that are "
            "worded like a claim and that no codebook narrative covers. Both are found automatically.",
        )
        colour = controls.draw_segmented_control(
            "Colour by",
            "fill",
            _COLOURS,
            help="By theme, neighbouring themes have different colours. Otherwise, a fuller colour means a larger "
            "share of the paragraphs.",
        )
    return TopicSettings(listed, colour, controls.bind_text(SELECTED_PARAMETER, controls.LONGEST_ID))


def draw_empty_state(view: View) -> None:
    """Draw the empty state: there are no themes in the snapshot, or nothing matches the filters."""
    if not cached_queries.has_themes(view.handle):
        st.subheader("This snapshot has no themes", anchor=False)
        st.text("It was built by a version without themes. The next build creates them.")
        return
    count = partial(cached_queries.count_in_topics, view.handle)
    shell.draw_empty_state(view, view.slice, count, "statement paragraph in a topic")


def draw_headline(view: View) -> None:
    """Draw the key figures of the slice."""
    shell.draw_metrics(_list_figures(view.handle, view.slice), 150)


@cached_queries.cache_shared()
def _list_figures(handle: cached_queries.Handle, s: Slice) -> list[tuple[str, str, str | None]]:
    found = cached_queries.load_topics(handle, s)
    groups = found.groups
    kinds = {kind: groups[groups["kind"] == kind] for kind in ("theme", "topic", "claim")}
    topics = kinds["topic"]
    explained = int(topics["explained"].sum())
    cells: list[tuple[str, str, str | None]] = [
        ("Themes", f"{len(kinds['theme']):,}", "Groups of topics on related subjects."),
        ("Topics", f"{len(topics):,}", "Groups of similar paragraphs with at least one paragraph in this selection."),
        (
            "In a topic",
            phrases.format_percent(found.placed / max(1, found.total)),
            f"{found.placed:,} of {phrases.format_count(found.total, COUNTED_NOUN)}. The others are like no group.",
        ),
        (
            "In a codebook narrative",
            phrases.format_percent(explained / max(1, found.placed)),
            f"{explained:,} of the {found.placed:,} paragraphs in a topic.",
        ),
        ("Recurring claims", f"{len(kinds['claim']):,}", "Found automatically, and in no codebook narrative."),
    ]
    if (groups["status"] != "").any():
        new = int((topics["status"] == "new").sum())
        cells.append(("New topics", f"{new:,}", "They were not in the previous snapshot."))
    return cells


def draw_map(view: View, settings: TopicSettings) -> None:
    """Draw the map of themes and topics; a click describes one below."""
    chart_panel.draw_panel(view, _build_map(view.handle, view.slice, settings.colour), on_click=_select_clicked)


@cached_queries.cache_shared(max_entries=20)
def _build_map(handle: cached_queries.Handle, s: Slice, colour: topic_charts.TopicColour) -> chart_panel.ChartPanel:
    found = cached_queries.load_topics(handle, s)
    shown = found.groups[["topic_id", "topic", "kind", "theme_id", "paragraphs", "share", *_MAP_FIELDS]]
    themes, topics = (to_records(shown[shown["kind"] == kind]) for kind in ("theme", "topic"))
    summary = topic_charts.describe_topic_map(themes, topics)
    figure = topic_charts.build_topic_map(themes, topics, colour)
    return chart_panel.ChartPanel(
        key="themes",
        title="Themes and topics",
        how=f"Each area is a topic, as large as its number of paragraphs. {describe_counts(s, found)} A theme’s "
        "smaller topics share one area. Click a topic or the heading of a theme to read about it below.",
        summary=summary,
        table=build_table(found, "theme"),
        slice=s,
        columns={key: column for key, column in TABLE_COLUMNS.items() if key not in ("theme", "wording")}
        | {"topic": TEXT_COLUMN("Theme")},
        charts=[chart_panel.finish_chart("topic-map", figure, summary)],
    )


_MAP_FIELDS = ("explained", "claim_share", "narrative")


def describe_counts(s: Slice, found: TopicSums) -> str:
    """Describe what is counted, and what is not shown."""
    outside = found.total - found.placed
    if s.narratives:
        outside_text = "Only paragraphs that advance the chosen narratives are counted; shares are of all."
    else:
        are = "is" if outside == 1 else "are"
        outside_text = f"{phrases.format_count(outside, 'further paragraph')} {are} in no topic and not shown."
    counted = phrases.format_count(found.placed, COUNTED_NOUN)
    return f"{counted}{phrases.describe_scope(s)}; {phrases.describe_copies(s)}. {outside_text}"


def _select_clicked(key: str) -> None:
    """Describe the clicked theme or topic (a chart's callback)."""
    point = navigation.get_clicked_point(key)
    if point is not None:
        st.session_state[SELECTED_PARAMETER] = str(point["topic"])


TABLE_COLUMNS: dict[str, Any] = {
    "topic": TEXT_COLUMN("Name", width=330),
    "theme": TEXT_COLUMN("Theme", width=200),
    "paragraphs": COUNT_COLUMN("Paragraphs", width=92),
    **SHARE_COLUMNS,
    "documents": COUNT_COLUMN("Documents", width=92),
    "wording": TEXT_COLUMN("Wording", width=120, help="How many of its paragraphs are worded like claims."),
    "claim_share": PERCENT_COLUMN("Like claims", width=92),
    "explained_share": PERCENT_COLUMN(
        "In codebook", width=96, help="Its paragraphs that advance a codebook narrative."
    ),
    "narrative": TEXT_COLUMN("Mostly", width=150, help="The codebook narrative that most of these advance."),
    "trend": TEXT_COLUMN(
        "Trend",
        width=80,
        help="Growing: its 95 % interval in the later half of the paragraphs lies above that in the earlier half. "
        "Fading: below. Of a hundred topics without any change, about one gets such a mark by chance.",
    ),
    "status": TEXT_COLUMN("Since last build", width=92),
    "first_date": TEXT_COLUMN("First", width=84),
    "last_date": TEXT_COLUMN("Last", width=84),
}


@cached_queries.cache_shared(max_entries=20)
def _load_table(handle: cached_queries.Handle, s: Slice, kind: str, theme_id: str = "") -> pd.DataFrame:
    return build_table(cached_queries.load_topics(handle, s), kind, theme_id)


def build_table(found: TopicSums, kind: str, theme_id: str = "") -> pd.DataFrame:
    """Return the rows of one kind for a table and its file, most paragraphs first; those of a theme if one is given."""
    rows = found.groups[found.groups["kind"] == kind]
    if theme_id:
        rows = rows[rows["theme_id"] == theme_id]
    wording = [_describe_wording(row) for row in to_records(rows[["routine", "claim_share"]])]
    shown = rows.assign(
        documents=rows["used_documents"], explained_share=rows["explained"] / rows["paragraphs"], wording=wording
    )
    return shown[["topic_id", *TABLE_COLUMNS, "total_paragraphs"]].reset_index(drop=True)


def _describe_wording(row: Mapping[str, Any]) -> str:
    if row["routine"]:
        return "routine"
    share = row["claim_share"]
    return "mostly claims" if share >= MOSTLY else "mostly information" if share <= HARDLY else "mixed"


def draw_table(view: View, found: TopicSums, settings: TopicSettings) -> None:
    """Draw the table of topics or claims; choosing a row describes it above."""
    groups = found.groups
    chosen = groups[(groups["topic_id"] == settings.selected) & (groups["kind"] == "theme")]
    theme_id = settings.selected if len(chosen) and settings.listed == "topic" else ""
    rows = _load_table(view.handle, view.slice, settings.listed, theme_id)
    title = _LISTED[settings.listed]
    st.subheader(title, anchor=False)
    if rows.empty:
        st.text("None was found in this selection.")
        return
    if theme_id:
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.text(f"Only topics of the theme “{chosen['topic'].iloc[0]}”.")
            st.button("All themes", icon=":material/close:", type="tertiary", on_click=_clear_selection)
    st.caption(
        "Choose a row to read about it above; click a heading to sort. Shares are of all statement paragraphs of the "
        "selection, with 95 % intervals. A name consists of distinctive phrases, and is not a claim."
        if settings.listed == "topic"
        else "Choose a row to read about it above. Each is named by one of its sentences. It was found automatically: "
        "the name says what is claimed, not whether it is so. A paragraph can make several claims."
    )
    name = f"topics-{hashlib.sha256(f'{view}{settings.listed}{theme_id}'.encode()).hexdigest()[:12]}"
    ids = rows["topic_id"].tolist()
    columns = {key: column for key, column in TABLE_COLUMNS.items() if key != "status" or (rows["status"] != "").any()}
    if settings.listed == "claim":
        columns = {key: column for key, column in columns.items() if key not in ("wording", "claim_share")}
    st.dataframe(
        rows,
        column_config=columns,
        column_order=list(columns),
        hide_index=True,
        height=get_height(len(rows), 14),
        on_select=lambda: _select_row(name, ids),
        selection_mode="single-row",
        key=name,
        alt=f"{title} of the selection with their numbers. Select a row to read about it.",
    )
    draw_csv_button(
        f"{title} (CSV)",
        lambda: chart_panel.export_table(
            rows, view.slice, cached_queries.get_manifest(view.handle), "all statement paragraphs of the selection"
        ),
        chart_panel.build_file_name("topics" if settings.listed == "topic" else "claims", view.handle.snapshot_id),
        "csv-topics",
    )


def _select_row(name: str, ids: list[str]) -> None:
    """Describe the chosen row (a callback)."""
    rows = st.session_state[name].selection.rows
    st.session_state[SELECTED_PARAMETER] = ids[rows[0]] if rows else None


def _clear_selection() -> None:
    st.session_state[SELECTED_PARAMETER] = None


def find_selected(found: TopicSums, settings: TopicSettings) -> dict[str, Any] | None:
    """Return the row of the theme, topic or claim to describe, or None where the slice has no paragraph of it."""
    rows = found.groups[found.groups["topic_id"] == settings.selected]
    return to_records(rows)[0] if len(rows) else None


def draw_selected(view: View, found: TopicSums, settings: TopicSettings) -> dict[str, Any] | None:
    """Draw the heading of the chosen theme, topic or claim, its key figures and the way to its paragraphs."""
    row = find_selected(found, settings)
    if row is None:
        if settings.selected:
            st.text("What was chosen has no paragraph in this selection.")
        return None
    with st.container(horizontal=True, vertical_alignment="center"):
        st.header(phrases.escape_markdown(row["topic"]), anchor=False, width="stretch")
        st.button("Close", icon=":material/close:", type="tertiary", on_click=_clear_selection, key="close-topic")
    kind = {"theme": "Theme", "topic": "Topic", "claim": "Recurring claim"}[row["kind"]]
    inside = f" of the theme “{row['theme']}”" if row["theme"] else ""
    shell.draw_note(f"{kind}{inside}. {_describe_origin(row)}")
    share = row["explained"] / row["paragraphs"]
    dated = " to ".join(phrases.format_partial_date(row[key]) for key in ("first_date", "last_date") if row[key])
    documents = phrases.format_count(row["used_documents"], "document")
    cells: list[tuple[str, str, str | None]] = [
        ("Paragraphs", f"{row['paragraphs']:,}", f"In {documents}. {dated}"),
        ("Share, 95 % interval", phrases.format_limits(row), f"Of {phrases.format_count(found.total, COUNTED_NOUN)}."),
        ("In a codebook narrative", phrases.format_percent(share), f"{row['explained']:,} paragraphs."),
        ("Trend", row["trend"] or "–", "The later half of the selection’s paragraphs against the earlier half."),
    ]
    if row["kind"] == "topic":
        cells.append(("Worded like claims", phrases.format_percent(row["claim_share"]), "In the whole snapshot."))
    shell.draw_metrics(cells, 170)
    own = build_evidence(view.slice, row)
    with st.container(horizontal=True):
        st.button(
            f"Open {phrases.format_count(row['paragraphs'], 'paragraph')} in Evidence",
            icon=":material/article:",
            on_click=navigation.open_evidence,
            args=(own[0],),
            kwargs=own[1],
            key="topic-evidence",
        )
        narrative = row["topic_id"] if row["kind"] == "claim" else row["explained_by"]
        if narrative:
            label = "Open it as a narrative" if row["kind"] == "claim" else f"Nearest narrative: {row['narrative']}"
            st.button(
                phrases.escape_markdown(label),
                icon=":material/menu_book:",
                on_click=navigation.open_page,
                args=(navigation.NARRATIVE_PAGE, view.slice),
                kwargs={navigation.NARRATIVE_PARAMETER: narrative},
                key="topic-narrative",
            )
        if row["kind"] != "theme" and roles.get_user().may("editor"):
            st.button(
                "Make a narrative of it",
                icon=":material/account_tree:",
                on_click=navigation.open_page,
                args=(navigation.CODEBOOK_PAGE, view.slice),
                kwargs={"do": "new", "cluster": row["topic_id"]},
                key="topic-new-narrative",
            )
    return row


def _describe_origin(row: Mapping[str, Any]) -> str:
    status = {"new": "New since the previous build.", "kept": "Also in the previous build."}.get(row["status"], "")
    if row["narrative"] and row["kind"] != "claim":
        share = phrases.format_percent(row["narrated"] / row["paragraphs"])
        status = f"{share} of its paragraphs advance {row['narrative']}. {status}"
    return status.strip()


def build_evidence(s: Slice, row: Mapping[str, Any]) -> tuple[Slice, dict[str, object]]:
    """Return the slice and the parameters that show the paragraphs of a row on the Evidence page. Pure."""
    if row["kind"] == "claim":
        return replace(s, narratives=(row["topic_id"],)), {}
    return s, {navigation.TOPIC_PARAMETER: row["topic_id"]}
