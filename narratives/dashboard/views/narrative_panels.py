"""The panels of one narrative's page: its trend with what explains its changes, and its best paragraphs."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pandas as pd
import streamlit as st

from narratives.dashboard import cached_queries, navigation
from narratives.dashboard.components import chart_panel, quality
from narratives.dashboard.shell import View
from narratives.dashboard.views.narrative import NarrativeContext, draw_narrative_link, draw_paragraphs
from narratives.dashboard.views.prevalence import PREVALENCE_COLUMNS
from narratives.measure.suppression import SAMPLE_RULE
from narratives.model import dates
from narratives.render import narrative_charts, narrative_phrases, phrases, time_series
from narratives.render.traces import to_records
from narratives.store.queries.narrative import Actor

_NUMBER_COLUMN = st.column_config.NumberColumn
_TREND_COLUMNS = {
    **{key: column for key, column in PREVALENCE_COLUMNS.items() if key != "narrative"},
    "corrected": _NUMBER_COLUMN("Corrected", format="percent"),
    "corrected_low": _NUMBER_COLUMN("95 % from", format="percent"),
    "corrected_high": _NUMBER_COLUMN("to", format="percent"),
    "base_reason": st.column_config.TextColumn("Why no share"),
}


def draw_trend(view: View, about: NarrativeContext) -> None:
    """The share over time with its band, the corrected share, and change points with what explains them."""
    rows = cached_queries.load_trend(view.handle, about.slice, about.id)
    if rows.empty:
        st.text(phrases.describe_undated(cached_queries.load_totals(view.handle, about.slice).undated, about.slice))
        return
    moves = cached_queries.load_trend_change_points(view.handle, about.slice, about.id)
    colour = cached_queries.get_narrative_colour(view.handle, about.id)
    shown = rows[rows["base_ok"]] if rows["base_ok"].any() and about.measure == "share" else rows
    measure = about.measure if rows["base_ok"].any() else "count"
    summary = time_series.describe_time_series(shown, time_series.compute_axis_spec(rows, measure))
    summary += (
        f" Changes of level: {'; '.join(phrases.describe_change_point(row) for row in to_records(moves)) or 'none'}."
    )

    def figures() -> chart_panel.Figures:
        figure = narrative_charts.build_trend_figure(rows, moves, colour, about.measure, _select_events(view, about.id))
        return [("narrative-trend", figure, summary)]

    drawn = chart_panel.ChartPanel(
        key="narrative-trend",
        title="How its share moved" if measure == "share" else "How its count moved",
        how=_describe_trend(view, about, rows),
        summary=summary,
        table=rows.drop(columns=["narrative_id", "m2", "my", "y2"]),
        slice=about.own,
        columns=_TREND_COLUMNS,
        extra={"by": about.slice.by},
        link={navigation.NARRATIVE_PARAMETER: about.id},
    )
    chart_panel.draw_panel(view, drawn, figures)
    _draw_change_points(about, view, rows, moves)


def _describe_trend(view: View, about: NarrativeContext, rows: pd.DataFrame) -> str:
    first, last = rows["period"].min()[:4], rows["period"].max()[:4]
    total = int(rows["total_paragraphs"].sum())
    totals = cached_queries.load_totals(view.handle, about.slice)
    noun = dates.GRANULARITY_NOUNS[about.slice.by]
    auto = ", the shortest on which its share can rest" if about.automatic else ""
    what = "Share of" if about.measure == "share" else "Number among"
    if not rows["base_ok"].any():
        what = "No period has enough text for a share: number among"
    return " ".join(
        filter(
            None,
            [
                f"{what} {phrases.describe_denominator(about.slice, total, first, last)}. By {noun}{auto}.",
                narrative_phrases.describe_suppression_rule(about.base, about.slice.by, about.base == SAMPLE_RULE),
                phrases.describe_undated(totals.undated, about.slice),
                phrases.describe_unread_languages(totals.other_language),
                quality.describe_correction(view, rows),
            ],
        )
    )


def _draw_change_points(about: NarrativeContext, view: View, rows: pd.DataFrame, moves: pd.DataFrame) -> None:
    """Each change point in words, with the best paragraphs of the level after it."""
    noun = dates.GRANULARITY_NOUNS[about.slice.by]
    if moves.empty:
        st.caption(f"No lasting change of its share is found at this length of period ({noun}).")
        return
    st.caption(
        "Found by the machine: from there on the share keeps to another level. That says that it moved, not "
        "why. Below each stand the paragraphs of the new level that are matched most surely."
    )
    starts = [*moves["period"], ""]
    labels = sorted(rows["period"])
    for number, row in enumerate(to_records(moves), 1):
        until = [label for label in labels if not starts[number] or label < starts[number]][-1]
        first = navigation.narrow_slice(about.own, {"period": row["period"]}).date_from
        after = replace(
            about.own,
            date_from=first,
            date_to=navigation.narrow_slice(about.own, {"period": until}).date_to,
        )
        sign = "▲" if row["direction"] == "up" else "▼"
        with st.expander(f"**{sign} {number}** {phrases.escape_markdown(phrases.describe_change_point(row))}"):
            found = cached_queries.load_best_paragraphs(
                view.handle, replace(after, narratives=()), about.id, cached_queries.MAX_EXPLAINING
            )
            st.button(
                f"All paragraphs from {dates.describe_period(row['period'])} to {dates.describe_period(until)}",
                key=f"after-{number}",
                icon=":material/article:",
                on_click=navigation.open_evidence,
                args=(after,),
            )
            draw_paragraphs(found, about.own, f"after-{number}")


def draw_best_paragraphs(view: View, about: NarrativeContext) -> None:
    """The paragraphs that are matched most surely, one a document."""
    st.subheader("Most characteristic paragraphs", anchor=False)
    st.caption(
        "Those of this slice with the best scores, one of each document. In bold the sentence that decided. "
        "The best match is not the typical one: the evidence page has them all."
    )
    draw_paragraphs(
        cached_queries.load_best_paragraphs(
            view.handle, replace(about.slice, by="year"), about.id, cached_queries.MAX_BEST
        ),
        about.own,
        "best",
    )
    st.button(
        f"All paragraphs that advance {phrases.escape_markdown(about.name)}",
        icon=":material/article:",
        key="all-evidence",
        on_click=navigation.open_evidence,
        args=(about.own,),
    )


def _select_events(view: View, about: str) -> list[tuple[date, str]]:
    found = cached_queries.load_snapshot_events(view.handle)
    columns = (found["date"], found["name"], found["narratives"])
    return [
        (date.fromisoformat(day), name) for day, name, narratives in zip(*columns, strict=True) if about in narratives
    ]


MAX_ACTORS, MAX_COOCCURRING, MAX_NEAREST = 12, 15, 3
_SHARE_COLUMNS = ("share", "share_low", "share_high")
_COUNT_COLUMN = st.column_config.NumberColumn
_VOICE_COLUMNS = {
    voice: _COUNT_COLUMN(name.capitalize(), format="localized") for voice, name in phrases.VOICE_LABELS.items()
}
_ACTOR_NOUNS: dict[Actor, str] = {"speaker": "speaker", "outlet": "outlet"}


def draw_actors(view: View, about: NarrativeContext, actor: Actor) -> None:
    """Who advances it, by voice; for outlets only where there are several."""
    rows = cached_queries.load_actors(view.handle, about.slice, about.id, actor)
    noun = _ACTOR_NOUNS[actor]
    if actor == "outlet" and len(rows) == 1:
        st.caption(
            phrases.escape_markdown(f"All of it stands in one outlet: {rows['outlet'].iloc[0] or phrases.NOBODY}.")
        )
        return
    first = rows.head(MAX_ACTORS)
    voices = [voice for voice in phrases.VOICE_LABELS if f"{voice}_voice" in rows]
    # How much of it is in which voice.
    by_voice = ", ".join(f"{phrases.VOICE_LABELS[voice]} {int(rows[voice + '_voice'].sum()):,}" for voice in voices)
    named = [f"{row[actor] or phrases.NOBODY} {row['paragraphs']:,}" for row in to_records(first)]
    summary = f"Paragraphs by {noun}: {', '.join(named)}. By voice: {by_voice}."
    drawn = chart_panel.ChartPanel(
        key=f"narrative-{actor}s",
        title="Who advances it" if actor == "speaker" else "Which outlets",
        how=f"Paragraphs that advance it, by {noun} and voice ({by_voice}). At the end of a bar: how many, "
        f"and their share of all statement paragraphs of that {noun} in this slice, where there "
        f"are {about.base.documents} documents or more and {narrative_phrases.format_expected_count(about.base)} or more "  # noqa: E501
        "expected. "
        "To be quoted or retold is not to say it oneself, and those who speak more are longer in this list.",
        summary=summary,
        table=rows[
            [
                actor,
                *(f"{voice}_voice" for voice in voices),
                "paragraphs",
                "total_paragraphs",
                *_SHARE_COLUMNS,
                "base_reason",
            ]
        ],
        slice=about.own,
        columns={
            actor: st.column_config.TextColumn(noun.capitalize()),
            **{f"{voice}_voice": _VOICE_COLUMNS[voice] for voice in voices},
            **{key: PREVALENCE_COLUMNS[key] for key in ("paragraphs", "total_paragraphs", *_SHARE_COLUMNS)},
            "base_reason": st.column_config.TextColumn("Why no share"),
        },
        link={navigation.NARRATIVE_PARAMETER: about.id},
    )
    key = f"narrative-{actor}s"
    chart_panel.draw_panel(
        view, drawn, lambda: [(key, narrative_charts.build_actors_figure(first, actor, about.id), summary)]
    )
    if len(rows) > len(first):
        st.caption(f"The first {len(first)} of {phrases.format_count(len(rows), noun)}; the table has them all.")


def draw_first_uses(view: View, about: NarrativeContext, actor: Actor) -> None:
    """Who used it first and who followed, as far as the collected texts show; outlets only where several."""
    rows = cached_queries.load_first_uses(view.handle, about.slice, about.id, actor)
    rows = rows[rows["actor"] != ""] if actor == "speaker" else rows
    dated = rows[rows["first"] != ""]
    if dated.empty or (actor == "outlet" and len(dated) == 1):
        return
    first = dated.head(MAX_ACTORS)
    coarse = int(rows["not_to_the_day"].sum())
    undated = f" {phrases.format_count(coarse, 'paragraph')} without an exact day left out." if coarse else ""
    since = cached_queries.find_first_day(view.handle, about.slice)
    summary = narrative_phrases.describe_first_uses(dated)
    key = f"narrative-first-{actor}s"
    drawn = chart_panel.ChartPanel(
        key=key,
        title="First use, and who followed" if actor == "speaker" else "First use by outlet",
        how=f"{summary} {narrative_phrases.describe_first_use_limits(since)}{undated}",
        summary=summary,
        table=dated.drop(columns=["narrative_id"]),
        slice=about.own,
        columns={
            "actor": st.column_config.TextColumn(_ACTOR_NOUNS[actor].capitalize()),
            "first": st.column_config.TextColumn("First use"),
            "days_after": _COUNT_COLUMN("Days after the first of all", format="localized"),
            "kth": st.column_config.TextColumn("Third use"),
            "uses": _COUNT_COLUMN("Paragraphs", format="localized"),
            "covered_from": st.column_config.TextColumn("Texts since"),
            "covered_before": st.column_config.CheckboxColumn("Covered before the first of all"),
        },
        link={navigation.NARRATIVE_PARAMETER: about.id},
    )
    colour = cached_queries.get_narrative_colour(view.handle, about.id)
    chart_panel.draw_panel(
        view,
        drawn,
        lambda: [(key, narrative_charts.build_first_uses_figure(first, actor, about.id, colour), summary)],
    )
    if len(dated) > len(first):
        st.caption(
            f"The first {len(first)} of {phrases.format_count(len(dated), _ACTOR_NOUNS[actor])}; the table has them all."  # noqa: E501
        )


def draw_cooccurrence(view: View, about: NarrativeContext) -> None:
    """Which of the codebook's narratives stand in the same documents, against chance; those near to it."""
    rows = cached_queries.load_cooccurrence(view.handle, about.slice, about.id)
    enough = rows[rows["base_ok"]].head(MAX_COOCCURRING)
    rare = rows[~rows["base_ok"] & (rows["both"] > 0)]
    documents = int(rows["total"].max()) if len(rows) else 0
    summary = " ".join(narrative_phrases.describe_cooccurrence(row) for row in to_records(enough))
    if enough.empty:
        st.subheader("What stands beside it", anchor=False)
        st.text("No other narrative of the codebook stands in enough of the same documents to compare with chance.")
    else:
        drawn = chart_panel.ChartPanel(
            key="narrative-company",
            title="What stands beside it",
            how="How many times as often as by chance the codebook's other narratives stand in a document "
            f"that advances this one; {phrases.format_count(documents, 'document')} in this slice. Those with fewer "
            f"than {about.base.expected:g} documents with both, found or expected, are left out. One in "
            "twenty looks different by chance alone, and long documents hold more of everything. A click "
            "opens the paragraphs of both.",
            summary=summary,
            table=rows.drop(columns=["narrative_id", "base_ok"]),
            slice=about.own,
            columns={
                "narrative": PREVALENCE_COLUMNS["narrative"],
                "both": _COUNT_COLUMN("Documents with both", format="localized"),
                "b": _COUNT_COLUMN("With the other", format="localized"),
                "a": _COUNT_COLUMN("With this one", format="localized"),
                "lift": _COUNT_COLUMN("Times chance", format="%.2f"),
                "lift_low": _COUNT_COLUMN("95 % from", format="%.2f"),
                "lift_high": _COUNT_COLUMN("to", format="%.2f"),
                "shared": _COUNT_COLUMN("Paragraphs with both", format="localized"),
                "base_reason": st.column_config.TextColumn("Why none"),
            },
            extra={"unit": "document"},
            link={navigation.NARRATIVE_PARAMETER: about.id},
        )
        figure = "narrative-company"
        chart_panel.draw_panel(
            view,
            drawn,
            lambda: [(figure, narrative_charts.build_cooccurrence_figure(enough, about.id), summary)],
        )
    if len(rare):
        found = [f"{row['narrative']} ({row['both']})" for row in to_records(rare)]
        st.caption(phrases.escape_markdown(f"In too few documents to compare: {phrases.format_list(found, 8)}."))
    shared = rows[rows["shared"] > 0].sort_values("shared", ascending=False, kind="stable")
    if len(shared):
        found = [f"{row['narrative']} ({row['shared']})" for row in to_records(shared)]
        st.caption(phrases.escape_markdown(f"In the very same paragraph: {phrases.format_list(found, 6)}."))
    names = cached_queries.get_narrative_names(view.handle)
    for key in about.card.near[:MAX_NEAREST]:
        draw_narrative_link(view, f"Discovered, nearest to this one: {names[key]}", key)
