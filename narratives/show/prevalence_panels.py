"""The charts of the prevalence page, each in its panel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date

import pandas as pd
import streamlit as st

from narratives.measure import with_base
from narratives.model import Quality
from narratives.show import address, charts, data, filters, navigation, panel, quality, words
from narratives.show.colours import distinct
from narratives.show.frame import View
from narratives.show.marks import Look, change_in_words
from narratives.show.prevalence import Choice

MOST_SMALL, MOST_COMPARED, DEFAULT_COMPARED = 24, 6, 4
CUT = " Intervals that reach beyond the scale are cut; the table has them whole."
CORRECTED = (
    "The share that would be seen if the matching made no errors, from its recall and false-positive rate on "
    "the reference labels; see the page Method."
)
TABLE = {
    "period": st.column_config.TextColumn("Period"),
    "narrative": st.column_config.TextColumn("Narrative", width="medium"),
    "paragraphs": st.column_config.NumberColumn("Count", format="localized"),
    "total_paragraphs": st.column_config.NumberColumn("Of", format="localized"),
    "share": st.column_config.NumberColumn("Share", format="percent"),
    "share_low": st.column_config.NumberColumn("95 % from", format="percent"),
    "share_high": st.column_config.NumberColumn("to", format="percent"),
    "base_reason": st.column_config.TextColumn("Why no share"),
    "corrected": st.column_config.NumberColumn("Corrected", format="percent", help=CORRECTED),
    "corrected_low": st.column_config.NumberColumn("95 % from ", format="percent"),
    "corrected_high": st.column_config.NumberColumn("to ", format="percent"),
    "correction_reason": st.column_config.TextColumn("Why not corrected", width="medium"),
}


def small_multiples(
    view: View, choice: Choice, shown: pd.DataFrame, how: str, measured: Mapping[str, Quality]
) -> None:
    """One small chart a narrative, all on one scale, each with its measured quality where there is one."""
    look, colours = charts.look(shown, choice.measure, choice.slice.unit), data.colours(view.handle)
    keys = list(dict.fromkeys(shown["narrative_id"]))
    changes = data.changes(view.handle, choice.slice)
    of_each = {key: shown[shown["narrative_id"] == key] for key in keys[:MOST_SMALL]}
    summaries = {key: charts.summary(rows, look) for key, rows in of_each.items()}

    def figures() -> panel.Figures:
        return [
            (
                f"small-{key}",
                charts.small(
                    rows, colours[key], look, measured.get(key), changes[changes["narrative_id"] == key]
                ),
                summaries[key],
            )
            for key, rows in of_each.items()
        ]

    drawn = panel.Panel(
        key="prevalence",
        title="Every narrative",
        how=f"{how} {_reading(view, choice, shown, look)}",
        summary=" ".join(summaries.values()),
        table=shown,
        slice=choice.slice,
        columns=TABLE,
        extra={"by": choice.slice.by},
    )
    panel.show(view, drawn, figures, least_width=228)
    _change_list(shown, changes[changes["narrative_id"].isin(keys)])
    if len(keys) > MOST_SMALL:
        st.caption(
            f"The {MOST_SMALL} most prevalent of {words.count(len(keys), 'narrative')}; "
            "the table has them all, and the sidebar's narrative filter shows any of them here."
        )


def _reading(view: View, choice: Choice, shown: pd.DataFrame, look: Look) -> str:
    """How to read the marks of the small charts; only of those that are drawn."""
    if choice.measure == "count":
        return ""
    base = data.base(view.handle)
    said = ["Arrows mark change points."]
    if not shown["base_ok"].all():
        least = f"{base.documents} documents" + (
            f" or {base.expected:g} expected paragraphs" if base.expected else ""
        )
        said.insert(0, f"Grey numbers are counts of periods with fewer than {least}, too few for a share.")
    if shown["corrected"].notna().any():
        said.append(f"Dotted: {quality.corrected_by(view, shown)}")
    if look.cut:
        said.append(CUT.strip())
    if choice.smooth:
        said.append("Lines are smoothed over three periods, marks are not.")
    return " ".join(said)


def _change_list(shown: pd.DataFrame, changes: pd.DataFrame) -> None:
    """The change points in words, for those whom arrows do not tell enough."""
    if changes.empty:
        return
    names = dict(zip(shown["narrative_id"], shown["narrative"], strict=True))
    with st.expander(f"Change points ({len(changes)})"):
        st.caption(
            "Where the share moved to another level for at least two periods, found by optimal partitioning "
            "with a penalty that lets fewer than one in twenty unchanging series show one. They say that "
            "something changed in these texts, not why."
        )
        lines = (
            f"{names[row['narrative_id']]}: {change_in_words(row)[:1].lower()}{change_in_words(row)[1:]}"
            for row in changes.to_dict("records")
        )
        st.text("\n".join(lines))


def compared(view: View, choice: Choice, shown: pd.DataFrame, how: str) -> None:
    """Up to six narratives on one pair of axes, with events."""
    names = dict(zip(shown["narrative_id"], shown["narrative"], strict=True))
    address.several("compare", names, MOST_COMPARED)
    picked = st.multiselect(
        "Narratives to compare",
        list(names),
        format_func=names.__getitem__,
        max_selections=MOST_COMPARED,
        key="compare",
        placeholder=f"The {min(DEFAULT_COMPARED, len(names))} most prevalent",
    )
    keys = picked or list(names)[:DEFAULT_COMPARED]
    rows = shown[shown["narrative_id"].isin(keys)]
    look, colours = charts.look(rows, choice.measure, choice.slice.unit), data.colours(view.handle)
    events = data.events(view.handle)
    # Events that bear on what is compared; all of them at once would hide the lines.
    columns = (events["date"], events["name"], events["narratives"])
    marked = [
        (date.fromisoformat(day), name)
        for day, name, about in zip(*columns, strict=True)
        if set(about) & set(keys)
    ]
    summary = " ".join(charts.summary(rows[rows["narrative_id"] == key], look) for key in keys)

    def figures() -> panel.Figures:
        figure = charts.comparison(rows, distinct({key: colours[key] for key in keys}), look, marked)
        return [("comparison", figure, summary)]

    drawn = panel.Panel(
        key="comparison",
        title="Side by side",
        how=f"{how}{CUT if look.cut else ''} Triangles and thin lines mark dated events that bear on these "
        "narratives; they are no explanation.",
        summary=summary,
        table=rows,
        slice=replace(choice.slice, narratives=tuple(keys)),
        columns=TABLE,
        extra={"by": choice.slice.by},
    )
    panel.show(view, drawn, figures)


def uncovered(view: View, choice: Choice) -> None:
    """The share that advances no narrative, on a scale of its own, and what that means."""
    counted = data.totals(view.handle, choice.slice)
    by_codebook = counted.assigned - counted.candidates_only
    found = (
        f", {counted.candidates_only:,} only belong to a discovered one" if counted.candidates_only else ""
    )
    other = counted.statements - counted.routine
    routine = (
        f"; leaving out {counted.routine:,} of routine topics such as greetings, agendas and protocol, that "
        f"is {words.percent((counted.unassigned - counted.routine_unassigned) / other)} of {other:,}"
        if counted.routine and other
        else ""
    )
    rows = with_base(data.unassigned(view.handle, choice.slice), data.base(view.handle))
    figure, summary = charts.uncovered(rows)
    drawn = panel.Panel(
        key="uncovered",
        title="What no narrative covers",
        how=f"Of {words.count(counted.statements, 'statement paragraph')}, {by_codebook:,} advance at least "
        f"one of the codebook's narratives{found}, and {counted.unassigned:,} are in none, as far as the "
        f"machine can tell{routine}. Most of that is ordinary business; some will be claims that the "
        "codebook does not define. The scale here goes to 100 %.",
        summary=summary,
        table=rows,
        slice=replace(choice.slice, narratives=()),
        columns={key: column for key, column in TABLE.items() if key != "narrative"},
        extra={"by": choice.slice.by},
    )
    panel.show(view, drawn, lambda: [("uncovered", figure, summary)], on_click=_to_uncovered)


def _to_uncovered(key: str) -> None:
    """Open the paragraphs of a period that advance no narrative (a chart's callback)."""
    point = navigation.clicked(key)
    if point is not None:
        s = navigation.narrowed(filters.current(), {"narrative": (), **point})
        navigation.show_evidence(s, unassigned=True)
