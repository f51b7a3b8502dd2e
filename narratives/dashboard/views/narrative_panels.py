"""The charts of the Narrative page: trend, change points, actors, first uses, co-occurrence; best paragraphs."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import streamlit as st

from narratives.dashboard import cached_queries, chart_panel, navigation, quality
from narratives.dashboard.cached_queries import Handle
from narratives.dashboard.shell import View
from narratives.dashboard.tables import COUNT_COLUMN, PERCENT_COLUMN, SHARE_COLUMNS, TEXT_COLUMN
from narratives.dashboard.views.narrative import NarrativeContext, draw_narrative_link, draw_paragraphs, load_actors
from narratives.dashboard.views.prevalence import PREVALENCE_COLUMNS
from narratives.measure import SAMPLE_RULE, compute_cooccurrence, find_first_uses
from narratives.model import Slice, dates
from narratives.model.slice import Actor
from narratives.render import narrative_charts, phrases, time_series
from narratives.render.traces import to_records
from narratives.store.queries import narrative as narrative_queries
from narratives.store.queries.speakers import query_uses

MAX_BEST, MAX_EXPLAINING = 10, 4  # paragraphs shown: of the narrative, and after a change
_TREND_COLUMNS = {
    **{key: column for key, column in PREVALENCE_COLUMNS.items() if key != "narrative"},
    "corrected": PERCENT_COLUMN("Corrected"),
}


def draw_trend(view: View, context: NarrativeContext) -> None:
    """Draw the share over time with its interval, the corrected share, and the change points."""
    rows = cached_queries.load_trend(view.handle, context.slice, context.id)
    if rows.empty:
        st.text(phrases.describe_undated(cached_queries.load_totals(view.handle, context.slice).undated, context.slice))
        return
    chart_panel.draw_panel(view, _build_trend(view.handle, context))
    changes = cached_queries.load_trend_change_points(view.handle, context.slice, context.id)
    _draw_change_points(view, context, rows, changes)


@cached_queries.cache_shared()
def _build_trend(handle: Handle, context: NarrativeContext) -> chart_panel.ChartPanel:
    rows = cached_queries.load_trend(handle, context.slice, context.id)
    changes = cached_queries.load_trend_change_points(handle, context.slice, context.id)
    colour = cached_queries.get_narrative_colours(handle)[context.id]
    shown = rows[rows["base_ok"]] if rows["base_ok"].any() and context.measure == "share" else rows
    measure = context.measure if rows["base_ok"].any() else "count"
    summary = time_series.describe_time_series(to_records(shown), time_series.compute_axis_spec(rows, measure))
    levels = [phrases.describe_change_point(row) for row in to_records(changes)]
    summary += f" Changes of level: {'; '.join(levels) or 'none'}."
    events = cached_queries.load_events_about(handle, [context.id])
    figure = narrative_charts.build_trend_figure(rows, changes, colour, context.measure, events)
    return chart_panel.ChartPanel(
        key="narrative-trend",
        title="Share over time" if measure == "share" else "Count over time",
        how=_describe_trend(handle, context, rows),
        summary=summary,
        table=rows.drop(columns=["narrative_id", "m2", "my", "y2"]),
        slice=context.own,
        columns=_TREND_COLUMNS,
        extra={"by": context.slice.by},
        link={navigation.NARRATIVE_PARAMETER: context.id},
        charts=[chart_panel.finish_chart("narrative-trend", figure, summary)],
    )


def _describe_trend(handle: Handle, context: NarrativeContext, rows: pd.DataFrame) -> str:
    total = int(rows["total_paragraphs"].sum())
    totals = cached_queries.load_totals(handle, context.slice)
    denominator = phrases.describe_denominator(context.slice, total, phrases.format_years(rows))
    noun = dates.GRANULARITY_NOUNS[context.slice.by]
    auto = ", the shortest period with enough text for its share" if context.automatic else ""
    what = "Share of" if context.measure == "share" else "Count out of"
    if not rows["base_ok"].any():
        what = "No period has enough text for a share: count out of"
    return " ".join(
        filter(
            None,
            [
                f"{what} {denominator}. By {noun}{auto}.",
                phrases.describe_suppression_rule(context.rule, context.slice.by, context.rule == SAMPLE_RULE),
                phrases.describe_undated(totals.undated, context.slice),
                phrases.describe_unread_languages(totals.other_language),
                quality.describe_correction(handle, rows),
            ],
        )
    )


def _draw_change_points(view: View, context: NarrativeContext, rows: pd.DataFrame, changes: pd.DataFrame) -> None:
    """Draw each change point in words, with the best paragraphs of the level after it."""
    noun = dates.GRANULARITY_NOUNS[context.slice.by]
    if changes.empty:
        st.caption(f"No lasting change of the share was found with periods of this length ({noun}).")
        return
    st.caption(
        "Found automatically: from each change point on, the share stays at a different level. This shows that "
        "the share changed, not why. Open a change point to read the best-matching paragraphs after it."
    )
    starts = [*changes["period"], ""]
    labels = sorted(rows["period"])
    for number, row in enumerate(to_records(changes), 1):
        until = [label for label in labels if not starts[number] or label < starts[number]][-1]
        first = navigation.narrow_slice(context.own, {"period": row["period"]}).date_from
        after = replace(
            context.own, date_from=first, date_to=navigation.narrow_slice(context.own, {"period": until}).date_to
        )
        sign = "▲" if row["direction"] == "up" else "▼"
        with st.expander(f"**{sign} {number}** {phrases.escape_markdown(phrases.describe_change_point(row))}"):
            best = cached_queries.load_best_paragraphs(
                view.handle, replace(after, narratives=()), context.id, MAX_EXPLAINING
            )
            st.button(
                f"All paragraphs from {dates.describe_period(row['period'])} to {dates.describe_period(until)}",
                key=f"after-{number}",
                icon=":material/article:",
                on_click=navigation.open_evidence,
                args=(after,),
            )
            draw_paragraphs(view, best, context.own, f"after-{number}")


def draw_best_paragraphs(view: View, context: NarrativeContext) -> None:
    """Draw the best-matching paragraphs, one per document."""
    st.subheader("Best-matching paragraphs", anchor=False)
    st.caption(
        "The paragraphs with the highest scores, one per document. The decisive sentence is in bold. The best "
        "match is not the typical one: the Evidence page lists all paragraphs."
    )
    draw_paragraphs(
        view,
        cached_queries.load_best_paragraphs(view.handle, replace(context.slice, by="year"), context.id, MAX_BEST),
        context.own,
        "best",
    )
    st.button(
        f"All paragraphs that advance {phrases.escape_markdown(context.name)}",
        icon=":material/article:",
        key="all-evidence",
        on_click=navigation.open_evidence,
        args=(context.own,),
    )


MAX_ACTORS, MAX_COOCCURRING, MAX_NEAREST = 12, 15, 3
_VOICE_COLUMNS = {voice: COUNT_COLUMN(name.capitalize()) for voice, name in phrases.VOICE_LABELS.items()}


def draw_actors(view: View, context: NarrativeContext, actor: Actor) -> None:
    """Draw who advances the narrative, by voice; outlets only if there are several."""
    rows = load_actors(view.handle, context.slice, context.id, actor)
    if actor == "outlet" and len(rows) == 1:
        st.caption(
            phrases.escape_markdown(
                f"All of these paragraphs are from one outlet: {rows['outlet'].iloc[0] or phrases.NOBODY}."
            )
        )
        return
    chart_panel.draw_panel(view, _build_actors(view.handle, context, actor))
    if len(rows) > MAX_ACTORS:
        st.caption(f"Showing {MAX_ACTORS} of {phrases.format_count(len(rows), actor)}. The table lists them all.")


@cached_queries.cache_shared()
def _build_actors(handle: Handle, context: NarrativeContext, actor: Actor) -> chart_panel.ChartPanel:
    rows = load_actors(handle, context.slice, context.id, actor)
    first = rows.head(MAX_ACTORS)
    voices = [voice for voice in phrases.VOICE_LABELS if f"{voice}_voice" in rows]
    by_voice = ", ".join(f"{phrases.VOICE_LABELS[voice]} {int(rows[voice + '_voice'].sum()):,}" for voice in voices)
    named = [f"{row[actor] or phrases.NOBODY} {row['paragraphs']:,}" for row in to_records(first)]
    summary = f"Paragraphs by {actor}: {', '.join(named)}. By voice: {by_voice}."
    figure = narrative_charts.build_actors_figure(first, actor, context.id)
    return chart_panel.ChartPanel(
        key=f"narrative-{actor}s",
        title="Who advances it" if actor == "speaker" else "Which outlets",
        how=f"Paragraphs that advance it, by {actor} and voice ({by_voice}). Each bar is labelled with their number "
        f"and their share of all statement paragraphs of that {actor}. A share needs at least "
        f"{context.rule.documents} documents and {phrases.format_expected_count(context.rule)} expected. "
        "Being quoted or reported is not the same as saying it oneself. Those who speak more have longer bars.",
        summary=summary,
        table=rows[
            [
                actor,
                *(f"{voice}_voice" for voice in voices),
                "paragraphs",
                "total_paragraphs",
                *SHARE_COLUMNS,
                "base_reason",
            ]
        ],
        slice=context.own,
        columns={
            actor: TEXT_COLUMN(actor.capitalize()),
            **{f"{voice}_voice": _VOICE_COLUMNS[voice] for voice in voices},
            **{key: PREVALENCE_COLUMNS[key] for key in ("paragraphs", "total_paragraphs", *SHARE_COLUMNS)},
            "base_reason": TEXT_COLUMN("Why no share"),
        },
        link={navigation.NARRATIVE_PARAMETER: context.id},
        charts=[chart_panel.finish_chart(f"narrative-{actor}s", figure, summary)],
    )


load_coverage_start = cached_queries.cache_query(narrative_queries.query_coverage_start)


@cached_queries.cache_shared()
def load_first_uses(handle: Handle, s: Slice, about: str, actor: Actor) -> pd.DataFrame:
    """Return first uses, earliest first; see `measure.find_first_uses`."""
    since = load_coverage_start(handle, replace(s, by="year"), actor)
    covered = dict(zip(since["actor"], since["since"], strict=True))
    return find_first_uses(query_uses(cached_queries.get_snapshot(handle), s, actor, about), covered)


def find_first_day(handle: Handle, s: Slice) -> str:
    """Return the first day of the slice with any statement paragraph; empty where no day is known."""
    since = load_coverage_start(handle, replace(s, by="year"), "outlet")["since"]
    return str(since.min()) if len(since) else ""


def draw_first_uses(view: View, context: NarrativeContext, actor: Actor) -> None:
    """Draw who used it first in the collected texts and who followed; outlets only if there are several."""
    panel = _build_first_uses(view.handle, context, actor)
    if panel is None:
        return
    chart_panel.draw_panel(view, panel)
    if len(panel.table) > MAX_ACTORS:
        number = phrases.format_count(len(panel.table), actor)
        st.caption(f"Showing the first {MAX_ACTORS} of {number}. The table lists them all.")


@cached_queries.cache_shared()
def _build_first_uses(handle: Handle, context: NarrativeContext, actor: Actor) -> chart_panel.ChartPanel | None:
    rows = load_first_uses(handle, context.slice, context.id, actor)
    rows = rows[rows["actor"] != ""] if actor == "speaker" else rows
    dated = rows[rows["first"] != ""]
    if dated.empty or (actor == "outlet" and len(dated) == 1):
        return None
    first = dated.head(MAX_ACTORS)
    coarse = int(rows["not_to_the_day"].sum())
    undated = f" Not included: {phrases.format_count(coarse, 'paragraph')} without an exact day." if coarse else ""
    since = find_first_day(handle, context.slice)
    summary, colour = phrases.describe_first_uses(dated), cached_queries.get_narrative_colours(handle)[context.id]
    figure = narrative_charts.build_first_uses_figure(first, actor, context.id, colour)
    return chart_panel.ChartPanel(
        key=f"narrative-first-{actor}s",
        title="First use, and who followed" if actor == "speaker" else "First use by outlet",
        how=f"{summary} {phrases.describe_first_use_limits(since)}{undated}",
        summary=summary,
        table=dated.drop(columns=["narrative_id"]),
        slice=context.own,
        columns={
            "actor": TEXT_COLUMN(actor.capitalize()),
            "first": TEXT_COLUMN("First use"),
            "days_after": COUNT_COLUMN("Days after the first use"),
            "kth": TEXT_COLUMN("Third use"),
            "uses": COUNT_COLUMN("Paragraphs"),
            "covered_from": TEXT_COLUMN("Texts since"),
            "covered_before": st.column_config.CheckboxColumn("Texts before the first use"),
        },
        link={navigation.NARRATIVE_PARAMETER: context.id},
        charts=[chart_panel.finish_chart(f"narrative-first-{actor}s", figure, summary)],
    )


@cached_queries.cache_shared()
def load_cooccurrence(handle: Handle, s: Slice, about: str) -> pd.DataFrame:
    """Return the codebook's other narratives in the same documents, highest lift first.

    See `measure.compute_cooccurrence`.
    """
    counts = narrative_queries.query_cooccurrence(cached_queries.get_snapshot(handle), s, about)
    frame = compute_cooccurrence(counts, cached_queries.get_suppression_rule(handle))
    return frame.sort_values("lift", ascending=False, kind="stable", ignore_index=True)


def draw_cooccurrence(view: View, context: NarrativeContext) -> None:
    """Draw which codebook narratives occur in the same documents, compared with chance, and similar ones."""
    rows = load_cooccurrence(view.handle, context.slice, context.id)
    enough = rows[rows["base_ok"]].head(MAX_COOCCURRING)
    rare = rows[~rows["base_ok"] & (rows["both"] > 0)]
    if enough.empty:
        st.subheader("Narratives in the same documents", anchor=False)
        st.text("No other codebook narrative occurs in enough of the same documents to compare with chance.")
    else:
        chart_panel.draw_panel(view, _build_cooccurrence(view.handle, context))
    if len(rare):
        counts = [f"{row['narrative']} ({row['both']})" for row in to_records(rare)]
        st.caption(phrases.escape_markdown(f"In too few documents to compare: {phrases.format_list(counts, 8)}."))
    shared = rows[rows["shared"] > 0].sort_values("shared", ascending=False, kind="stable")
    if len(shared):
        counts = [f"{row['narrative']} ({row['shared']})" for row in to_records(shared)]
        st.caption(phrases.escape_markdown(f"In the same paragraph: {phrases.format_list(counts, 6)}."))
    names = cached_queries.get_narrative_names(view.handle)
    for key in context.card.near[:MAX_NEAREST]:
        draw_narrative_link(view, f"Similar discovered narrative: {names[key]}", key)


@cached_queries.cache_shared()
def _build_cooccurrence(handle: Handle, context: NarrativeContext) -> chart_panel.ChartPanel:
    rows = load_cooccurrence(handle, context.slice, context.id)
    enough = rows[rows["base_ok"]].head(MAX_COOCCURRING)
    documents = int(rows["total"].max())
    summary = " ".join(phrases.describe_cooccurrence(row) for row in to_records(enough))
    figure = narrative_charts.build_cooccurrence_figure(enough, context.id)
    return chart_panel.ChartPanel(
        key="narrative-company",
        title="Narratives in the same documents",
        how="How many times as often as by chance other codebook narratives occur in documents that advance "
        f"this one ({phrases.format_count(documents, 'document')} in this selection). Narratives with fewer than "
        f"{context.rule.expected:g} documents with both, observed or expected, are left out. About one in twenty "
        "looks different by chance alone, and long documents contain more narratives of every kind. Click "
        "to read the paragraphs of both.",
        summary=summary,
        table=rows.drop(columns=["narrative_id", "base_ok"]),
        slice=context.own,
        columns={
            "narrative": PREVALENCE_COLUMNS["narrative"],
            "both": COUNT_COLUMN("Documents with both"),
            "b": COUNT_COLUMN("With the other"),
            "a": COUNT_COLUMN("With this one"),
            "lift": st.column_config.NumberColumn("Times chance", format="%.2f"),
            "lift_low": st.column_config.NumberColumn("95 % from", format="%.2f"),
            "lift_high": st.column_config.NumberColumn("to", format="%.2f"),
            "shared": COUNT_COLUMN("Paragraphs with both"),
            "base_reason": TEXT_COLUMN("Why no comparison"),
        },
        extra={"unit": "document"},
        link={navigation.NARRATIVE_PARAMETER: context.id},
        charts=[chart_panel.finish_chart("narrative-company", figure, summary)],
    )
