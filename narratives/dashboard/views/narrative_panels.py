"""The panels of one narrative's page: its trend with what explains its changes, and its best paragraphs."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pandas as pd
import streamlit as st

from narratives.dashboard import cached_queries, navigation
from narratives.dashboard.components import chart_panel, quality
from narratives.dashboard.shell import View
from narratives.dashboard.views.narrative import About, link, paragraphs
from narratives.dashboard.views.prevalence import TABLE
from narratives.measure.suppression import SAMPLE
from narratives.model import dates
from narratives.render import narrative_charts, narrative_phrases, phrases, time_series
from narratives.render.traces import records
from narratives.store.queries.narrative import Actor

_COUNT = st.column_config.NumberColumn
_TREND = {
    **{key: column for key, column in TABLE.items() if key != "narrative"},
    "corrected": _COUNT("Corrected", format="percent"),
    "corrected_low": _COUNT("95 % from", format="percent"),
    "corrected_high": _COUNT("to", format="percent"),
    "base_reason": st.column_config.TextColumn("Why no share"),
}


def trend(view: View, about: About) -> None:
    """The share over time with its band, the corrected share, and change points with what explains them."""
    rows = cached_queries.trend(view.handle, about.slice, about.id)
    if rows.empty:
        st.text(phrases.undated(cached_queries.totals(view.handle, about.slice).undated, about.slice))
        return
    moves = cached_queries.moves(view.handle, about.slice, about.id)
    colour = cached_queries.colour(view.handle, about.id)
    shown = rows[rows["base_ok"]] if rows["base_ok"].any() and about.measure == "share" else rows
    measure = about.measure if rows["base_ok"].any() else "count"
    summary = time_series.summary(shown, time_series.look(rows, measure))
    summary += (
        f" Changes of level: {'; '.join(narrative_phrases.change(row) for row in records(moves)) or 'none'}."
    )

    def figures() -> chart_panel.Figures:
        figure = narrative_charts.trend(rows, moves, colour, about.measure, _events(view, about.id))
        return [("narrative-trend", figure, summary)]

    drawn = chart_panel.Panel(
        key="narrative-trend",
        title="How its share moved" if measure == "share" else "How its count moved",
        how=_counted(view, about, rows),
        summary=summary,
        table=rows.drop(columns=["narrative_id", "m2", "my", "y2"]),
        slice=about.own,
        columns=_TREND,
        extra={"by": about.slice.by},
        link={navigation.ABOUT: about.id},
    )
    chart_panel.show(view, drawn, figures)
    _explained(about, view, rows, moves)


def _counted(view: View, about: About, rows: pd.DataFrame) -> str:
    first, last = rows["period"].min()[:4], rows["period"].max()[:4]
    total = int(rows["total_paragraphs"].sum())
    totals = cached_queries.totals(view.handle, about.slice)
    noun = dates.NOUN[about.slice.by]
    auto = ", the shortest on which its share can rest" if about.automatic else ""
    what = "Share of" if about.measure == "share" else "Number among"
    if not rows["base_ok"].any():
        what = "No period has enough text for a share: number among"
    return " ".join(
        filter(
            None,
            [
                f"{what} {phrases.denominator(about.slice, total, first, last)}. By {noun}{auto}.",
                narrative_phrases.rests(about.base, about.slice.by, about.base == SAMPLE),
                phrases.undated(totals.undated, about.slice),
                phrases.unread(totals.other_language),
                quality.corrected_by(view, rows),
            ],
        )
    )


def _explained(about: About, view: View, rows: pd.DataFrame, moves: pd.DataFrame) -> None:
    """Each change point in words, with the best paragraphs of the level after it."""
    noun = dates.NOUN[about.slice.by]
    if moves.empty:
        st.caption(f"No lasting change of its share is found at this length of period ({noun}).")
        return
    st.caption(
        "Found by the machine: from there on the share keeps to another level. That says that it moved, not "
        "why. Below each stand the paragraphs of the new level that are matched most surely."
    )
    starts = [*moves["period"], ""]
    labels = sorted(rows["period"])
    for number, row in enumerate(records(moves), 1):
        until = [label for label in labels if not starts[number] or label < starts[number]][-1]
        first = navigation.narrowed(about.own, {"period": row["period"]}).date_from
        after = replace(
            about.own,
            date_from=first,
            date_to=navigation.narrowed(about.own, {"period": until}).date_to,
        )
        sign = "▲" if row["direction"] == "up" else "▼"
        with st.expander(f"**{sign} {number}** {phrases.literal(narrative_phrases.change(row))}"):
            found = cached_queries.best(
                view.handle, replace(after, narratives=()), about.id, cached_queries.EXPLAINING
            )
            st.button(
                f"All paragraphs from {dates.in_words(row['period'])} to {dates.in_words(until)}",
                key=f"after-{number}",
                icon=":material/article:",
                on_click=navigation.show_evidence,
                args=(after,),
            )
            paragraphs(found, about.own, f"after-{number}")


def characteristic(view: View, about: About) -> None:
    """The paragraphs that are matched most surely, one a document."""
    st.subheader("Most characteristic paragraphs", anchor=False)
    st.caption(
        "Those of this slice with the best scores, one of each document. In bold the sentence that decided. "
        "The best match is not the typical one: the evidence page has them all."
    )
    paragraphs(
        cached_queries.best(view.handle, replace(about.slice, by="year"), about.id, cached_queries.BEST),
        about.own,
        "best",
    )
    st.button(
        f"All paragraphs that advance {phrases.literal(about.name)}",
        icon=":material/article:",
        key="all-evidence",
        on_click=navigation.show_evidence,
        args=(about.own,),
    )


def _events(view: View, about: str) -> list[tuple[date, str]]:
    found = cached_queries.events(view.handle)
    columns = (found["date"], found["name"], found["narratives"])
    return [
        (date.fromisoformat(day), name)
        for day, name, narratives in zip(*columns, strict=True)
        if about in narratives
    ]


MOST_ACTORS, MOST_COMPANY, MOST_NEAR = 12, 15, 3
_SHARES = ("share", "share_low", "share_high")
_ACTOR_COUNT = st.column_config.NumberColumn
_VOICES = {
    voice: _ACTOR_COUNT(name.capitalize(), format="localized") for voice, name in phrases.VOICES.items()
}
_NOUN: dict[Actor, str] = {"speaker": "speaker", "outlet": "outlet"}


def actors(view: View, about: About, actor: Actor) -> None:
    """Who advances it, by voice; for outlets only where there are several."""
    rows = cached_queries.actors(view.handle, about.slice, about.id, actor)
    noun = _NOUN[actor]
    if actor == "outlet" and len(rows) == 1:
        st.caption(
            phrases.literal(f"All of it stands in one outlet: {rows['outlet'].iloc[0] or phrases.NOBODY}.")
        )
        return
    first = rows.head(MOST_ACTORS)
    voices = [voice for voice in phrases.VOICES if f"{voice}_voice" in rows]
    # How much of it is in which voice.
    by_voice = ", ".join(f"{phrases.VOICES[voice]} {int(rows[voice + '_voice'].sum()):,}" for voice in voices)
    named = [f"{row[actor] or phrases.NOBODY} {row['paragraphs']:,}" for row in records(first)]
    summary = f"Paragraphs by {noun}: {', '.join(named)}. By voice: {by_voice}."
    drawn = chart_panel.Panel(
        key=f"narrative-{actor}s",
        title="Who advances it" if actor == "speaker" else "Which outlets",
        how=f"Paragraphs that advance it, by {noun} and voice ({by_voice}). At the end of a bar: how many, "
        f"and their share of all statement paragraphs of that {noun} in this slice, where there "
        f"are {about.base.documents} documents or more and {narrative_phrases.expected(about.base)} or more "
        "expected. "
        "To be quoted or retold is not to say it oneself, and those who speak more are longer in this list.",
        summary=summary,
        table=rows[
            [
                actor,
                *(f"{voice}_voice" for voice in voices),
                "paragraphs",
                "total_paragraphs",
                *_SHARES,
                "base_reason",
            ]
        ],
        slice=about.own,
        columns={
            actor: st.column_config.TextColumn(noun.capitalize()),
            **{f"{voice}_voice": _VOICES[voice] for voice in voices},
            **{key: TABLE[key] for key in ("paragraphs", "total_paragraphs", *_SHARES)},
            "base_reason": st.column_config.TextColumn("Why no share"),
        },
        link={navigation.ABOUT: about.id},
    )
    key = f"narrative-{actor}s"
    chart_panel.show(view, drawn, lambda: [(key, narrative_charts.actors(first, actor, about.id), summary)])
    if len(rows) > len(first):
        st.caption(f"The first {len(first)} of {phrases.count(len(rows), noun)}; the table has them all.")


def firsts(view: View, about: About, actor: Actor) -> None:
    """Who used it first and who followed, as far as the collected texts show; outlets only where several."""
    rows = cached_queries.firsts(view.handle, about.slice, about.id, actor)
    rows = rows[rows["actor"] != ""] if actor == "speaker" else rows
    dated = rows[rows["first"] != ""]
    if dated.empty or (actor == "outlet" and len(dated) == 1):
        return
    first = dated.head(MOST_ACTORS)
    coarse = int(rows["not_to_the_day"].sum())
    undated = f" {phrases.count(coarse, 'paragraph')} without an exact day left out." if coarse else ""
    since = cached_queries.earliest(view.handle, about.slice)
    summary = narrative_phrases.followed(dated)
    key = f"narrative-first-{actor}s"
    drawn = chart_panel.Panel(
        key=key,
        title="First use, and who followed" if actor == "speaker" else "First use by outlet",
        how=f"{summary} {narrative_phrases.coverage(since)}{undated}",
        summary=summary,
        table=dated.drop(columns=["narrative_id"]),
        slice=about.own,
        columns={
            "actor": st.column_config.TextColumn(_NOUN[actor].capitalize()),
            "first": st.column_config.TextColumn("First use"),
            "days_after": _ACTOR_COUNT("Days after the first of all", format="localized"),
            "kth": st.column_config.TextColumn("Third use"),
            "uses": _ACTOR_COUNT("Paragraphs", format="localized"),
            "covered_from": st.column_config.TextColumn("Texts since"),
            "covered_before": st.column_config.CheckboxColumn("Covered before the first of all"),
        },
        link={navigation.ABOUT: about.id},
    )
    colour = cached_queries.colour(view.handle, about.id)
    chart_panel.show(
        view, drawn, lambda: [(key, narrative_charts.firsts(first, actor, about.id, colour), summary)]
    )
    if len(dated) > len(first):
        st.caption(
            f"The first {len(first)} of {phrases.count(len(dated), _NOUN[actor])}; the table has them all."
        )


def company(view: View, about: About) -> None:
    """Which of the codebook's narratives stand in the same documents, against chance; those near to it."""
    rows = cached_queries.together(view.handle, about.slice, about.id)
    enough = rows[rows["base_ok"]].head(MOST_COMPANY)
    rare = rows[~rows["base_ok"] & (rows["both"] > 0)]
    documents = int(rows["total"].max()) if len(rows) else 0
    summary = " ".join(narrative_phrases.company(row) for row in records(enough))
    if enough.empty:
        st.subheader("What stands beside it", anchor=False)
        st.text(
            "No other narrative of the codebook stands in enough of the same documents to compare with "
            "chance."
        )
    else:
        drawn = chart_panel.Panel(
            key="narrative-company",
            title="What stands beside it",
            how="How many times as often as by chance the codebook's other narratives stand in a document "
            f"that advances this one; {phrases.count(documents, 'document')} in this slice. Those with fewer "
            f"than {about.base.expected:g} documents with both, found or expected, are left out. One in "
            "twenty looks different by chance alone, and long documents hold more of everything. A click "
            "opens the paragraphs of both.",
            summary=summary,
            table=rows.drop(columns=["narrative_id", "base_ok"]),
            slice=about.own,
            columns={
                "narrative": TABLE["narrative"],
                "both": _ACTOR_COUNT("Documents with both", format="localized"),
                "b": _ACTOR_COUNT("With the other", format="localized"),
                "a": _ACTOR_COUNT("With this one", format="localized"),
                "lift": _ACTOR_COUNT("Times chance", format="%.2f"),
                "lift_low": _ACTOR_COUNT("95 % from", format="%.2f"),
                "lift_high": _ACTOR_COUNT("to", format="%.2f"),
                "shared": _ACTOR_COUNT("Paragraphs with both", format="localized"),
                "base_reason": st.column_config.TextColumn("Why none"),
            },
            extra={"unit": "document"},
            link={navigation.ABOUT: about.id},
        )
        figure = "narrative-company"
        chart_panel.show(view, drawn, lambda: [(figure, narrative_charts.company(enough, about.id), summary)])
    if len(rare):
        found = [f"{row['narrative']} ({row['both']})" for row in records(rare)]
        st.caption(phrases.literal(f"In too few documents to compare: {phrases.listing(found, 8)}."))
    shared = rows[rows["shared"] > 0].sort_values("shared", ascending=False, kind="stable")
    if len(shared):
        found = [f"{row['narrative']} ({row['shared']})" for row in records(shared)]
        st.caption(phrases.literal(f"In the very same paragraph: {phrases.listing(found, 6)}."))
    names = cached_queries.names(view.handle)
    for key in about.card.near[:MOST_NEAR]:
        link(view, f"Discovered, nearest to this one: {names[key]}", key)
