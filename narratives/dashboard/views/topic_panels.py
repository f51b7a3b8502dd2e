"""The panels of one theme, topic or claim on the Topics page: share over time, actors, paragraphs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import streamlit as st

from narratives.dashboard import cached_queries, chart_panel, navigation
from narratives.dashboard.shell import View
from narratives.dashboard.tables import COUNT_COLUMN, SHARE_COLUMNS, TEXT_COLUMN
from narratives.dashboard.views import narrative
from narratives.dashboard.views.topics import SELECTED_PARAMETER, build_evidence
from narratives.model import dates
from narratives.model.slice import Actor
from narratives.render import narrative_charts, phrases, time_series
from narratives.render.colours import PALETTE
from narratives.render.traces import Measure, to_records

MAX_ACTORS, MAX_PARAGRAPHS = 10, 5
_ACTOR_TITLES = {"speaker": "Whose paragraphs these are", "outlet": "Which outlets"}
_COLUMNS = {
    "period": TEXT_COLUMN("Period"),
    "paragraphs": COUNT_COLUMN("Paragraphs"),
    "total_paragraphs": COUNT_COLUMN("Of statement paragraphs"),
    **SHARE_COLUMNS,
}


def draw_trend(view: View, row: Mapping[str, Any]) -> None:
    """Draw the share over time with its interval."""
    key, s = row["topic_id"], replace(view.slice, narratives=())
    s = replace(s, by=cached_queries.select_narrative_granularity(view.handle, s, key))
    rows = cached_queries.load_shares(view.handle, s, key, "period").assign(narrative=row["topic"])
    if rows.empty:
        st.text(phrases.describe_undated(cached_queries.load_totals(view.handle, s).undated, s))
        return
    rows = cached_queries.add_corrections(view.handle, s, rows)
    changes = cached_queries.load_trend_change_points(view.handle, s, key)
    measure: Measure = "share" if rows["base_ok"].any() else "count"
    shown = rows[rows["base_ok"]] if measure == "share" else rows
    denominator = phrases.describe_denominator(s, int(rows["total_paragraphs"].sum()), phrases.format_years(rows))
    summary = time_series.describe_time_series(to_records(shown), time_series.compute_axis_spec(rows, measure))
    figure = narrative_charts.build_trend_figure(rows, changes, PALETTE[0], measure)
    panel = chart_panel.ChartPanel(
        key="topic-trend",
        title="Share over time" if measure == "share" else "Count over time",
        how=f"Share of {denominator}, with its 95 % band. By {dates.GRANULARITY_NOUNS[s.by]}.",
        summary=summary,
        table=rows[[*_COLUMNS]],
        slice=s,
        columns=_COLUMNS,
        extra={"by": s.by, "topic_id": key, "topic": row["topic"]},
        link={SELECTED_PARAMETER: key},
        charts=[chart_panel.finish_chart("topic-trend", figure, summary)],
    )
    chart_panel.draw_panel(view, panel, on_click=lambda chart: _open_clicked(chart, row))


def draw_actors(view: View, row: Mapping[str, Any], actor: Actor) -> None:
    """Draw who speaks about it, by voice; outlets only if there are several."""
    s = replace(view.slice, narratives=())
    rows = narrative.load_actors(view.handle, s, row["topic_id"], actor)
    if rows.empty:
        return
    if actor == "outlet" and len(rows) == 1:
        name = rows["outlet"].iloc[0] or phrases.NOBODY
        st.caption(phrases.escape_markdown(f"All of these paragraphs are from one outlet: {name}."))
        return
    first = rows.head(MAX_ACTORS)
    named = [f"{one[actor] or phrases.NOBODY} {one['paragraphs']:,}" for one in to_records(first)]
    columns = {actor: TEXT_COLUMN(actor.capitalize()), **{k: c for k, c in _COLUMNS.items() if k != "period"}}
    summary = f"Paragraphs by {actor}: {', '.join(named)}."
    figure = narrative_charts.build_actors_figure(first, actor, row["topic_id"])
    panel = chart_panel.ChartPanel(
        key=f"topic-{actor}s",
        title=_ACTOR_TITLES[actor],
        how=f"Paragraphs by {actor} and voice, with their share of all statement paragraphs of that {actor}. "
        f"{phrases.format_count(len(rows), actor)}, of which the first {len(first)} are drawn. Those who speak more "
        "have longer bars.",
        summary=summary,
        table=rows[[*columns]],
        slice=s,
        columns=columns,
        extra={"topic_id": row["topic_id"], "topic": row["topic"]},
        link={SELECTED_PARAMETER: row["topic_id"]},
        charts=[chart_panel.finish_chart(f"topic-{actor}s", figure, summary)],
    )
    chart_panel.draw_panel(view, panel, on_click=lambda chart: _open_clicked(chart, row))


def _open_clicked(key: str, row: Mapping[str, Any]) -> None:
    """Open the paragraphs behind a clicked period or bar (a chart's callback)."""
    point = navigation.get_clicked_point(key)
    if point is not None:
        s, own = build_evidence(navigation.read_filters(), row)
        rest = {name: value for name, value in point.items() if name != "narrative"}
        navigation.open_evidence(navigation.narrow_slice(s, rest), **own)


def draw_paragraphs(view: View, row: Mapping[str, Any]) -> None:
    """Draw the most central paragraphs in the selection, in full."""
    st.subheader("Central paragraphs", anchor=False)
    if row["kind"] == "claim":
        st.caption("The paragraphs nearest to the claim, one per document. The decisive sentence is in bold.")
        s = replace(view.slice, narratives=(), by="year")
        best = cached_queries.load_best_paragraphs(view.handle, s, row["topic_id"], MAX_PARAGRAPHS)
        narrative.draw_paragraphs(view, best, replace(view.slice, narratives=(row["topic_id"],)), "topic")
        return
    st.caption("The most central paragraphs of the whole snapshot that are in this selection, then others.")
    rows = cached_queries.load_topic_paragraphs(view.handle, view.slice, row["topic_id"], MAX_PARAGRAPHS)
    for one in to_records(rows):
        with st.container(border=True):
            top = [phrases.format_partial_date(one["date"]) or "undated", one["speaker"], one["outlet"]]
            with st.container(horizontal=True, vertical_alignment="center"):
                st.caption(phrases.escape_markdown(" · ".join(filter(None, top))), width="stretch")
                st.button(
                    "Read in its document",
                    key=f"read-{one['paragraph_id']}",
                    type="tertiary",
                    icon=":material/article:",
                    on_click=navigation.open_evidence,
                    args=(view.slice,),
                    kwargs={navigation.TOPIC_PARAMETER: row["topic_id"], "open": one["paragraph_id"]},
                )
            st.markdown(phrases.highlight_sentence(one["text"], ""))
