"""The panels of one narrative's page: its trend with what explains its changes, and its best paragraphs."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pandas as pd
import streamlit as st

from narratives.measure.base import SAMPLE
from narratives.show import (
    charts,
    data,
    narrative_data,
    narrative_trend,
    navigation,
    panel,
    periods,
    quality,
    words,
)
from narratives.show import narrative_words as said
from narratives.show.frame import View
from narratives.show.marks import records
from narratives.show.narrative import About
from narratives.show.narrative_texts import paragraphs
from narratives.show.prevalence_panels import TABLE

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
    rows = narrative_data.trend(view.handle, about.slice, about.id)
    if rows.empty:
        st.text(words.undated(data.totals(view.handle, about.slice).undated, about.slice))
        return
    moves = narrative_data.moves(view.handle, about.slice, about.id)
    colour = narrative_data.colour(view.handle, about.id)
    shown = rows[rows["base_ok"]] if rows["base_ok"].any() and about.measure == "share" else rows
    measure = about.measure if rows["base_ok"].any() else "count"
    summary = charts.summary(shown, charts.look(rows, measure))
    summary += f" Changes of level: {'; '.join(said.change(row) for row in records(moves)) or 'none'}."

    def figures() -> panel.Figures:
        figure = narrative_trend.trend(rows, moves, colour, about.measure, _events(view, about.id))
        return [("narrative-trend", figure, summary)]

    drawn = panel.Panel(
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
    panel.show(view, drawn, figures)
    _explained(about, view, rows, moves)


def _counted(view: View, about: About, rows: pd.DataFrame) -> str:
    first, last = rows["period"].min()[:4], rows["period"].max()[:4]
    total = int(rows["total_paragraphs"].sum())
    totals = data.totals(view.handle, about.slice)
    noun = periods.NOUN[about.slice.by]
    auto = ", the shortest on which its share can rest" if about.automatic else ""
    what = "Share of" if about.measure == "share" else "Number among"
    if not rows["base_ok"].any():
        what = "No period has enough text for a share: number among"
    return " ".join(
        filter(
            None,
            [
                f"{what} {words.denominator(about.slice, total, first, last)}. By {noun}{auto}.",
                said.rests(about.base, about.slice.by, about.base == SAMPLE),
                words.undated(totals.undated, about.slice),
                words.unread(totals.other_language),
                quality.corrected_by(view, rows),
            ],
        )
    )


def _explained(about: About, view: View, rows: pd.DataFrame, moves: pd.DataFrame) -> None:
    """Each change point in words, with the best paragraphs of the level after it."""
    noun = periods.NOUN[about.slice.by]
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
        with st.expander(f"**{sign} {number}** {words.literal(said.change(row))}"):
            found = narrative_data.best(
                view.handle, replace(after, narratives=()), about.id, narrative_data.EXPLAINING
            )
            st.button(
                f"All paragraphs from {periods.in_words(row['period'])} to {periods.in_words(until)}",
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
        narrative_data.best(view.handle, replace(about.slice, by="year"), about.id, narrative_data.BEST),
        about.own,
        "best",
    )
    st.button(
        f"All paragraphs that advance {words.literal(about.name)}",
        icon=":material/article:",
        key="all-evidence",
        on_click=navigation.show_evidence,
        args=(about.own,),
    )


def _events(view: View, about: str) -> list[tuple[date, str]]:
    found = data.events(view.handle)
    columns = (found["date"], found["name"], found["narratives"])
    return [
        (date.fromisoformat(day), name)
        for day, name, narratives in zip(*columns, strict=True)
        if about in narratives
    ]
