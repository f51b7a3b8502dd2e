"""The parts of the prevalence page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import cast, get_args

import pandas as pd
import streamlit as st

from narratives.model import Granularity, Quality, Slice
from narratives.show import address, charts, data, filters, navigation, panel, periods, words
from narratives.show.colours import chosen, distinct
from narratives.show.frame import View
from narratives.show.frame import nothing as empty_frame
from narratives.show.marks import Measure

MOST_SMALL, MOST_COMPARED, DEFAULT_COMPARED = 24, 6, 4
TABLE = {
    "period": st.column_config.TextColumn("Period"),
    "narrative": st.column_config.TextColumn("Narrative", width="medium"),
    "paragraphs": st.column_config.NumberColumn("Count", format="localized"),
    "total_paragraphs": st.column_config.NumberColumn("Of", format="localized"),
    "share": st.column_config.NumberColumn("Share", format="percent"),
    "share_low": st.column_config.NumberColumn("95 % from", format="percent"),
    "share_high": st.column_config.NumberColumn("to", format="percent"),
}
_AUTO = "auto"
_PERIODS = {_AUTO: "Auto", "year": "Year", "half": "Half-year", "quarter": "Quarter", "month": "Month"}
_ORIGINS = {"codebook": "Codebook", "discovered": "Discovered", "all": "All"}


@dataclass(frozen=True, slots=True)
class Choice:
    """What this page's own controls say: the slice with its granularity, the measure, whose narratives."""

    slice: Slice
    measure: Measure
    origin: str
    automatic: bool


def controls(view: View) -> Choice:
    """Draw share or count, the length of a period, and whose narratives; all in the URL."""
    address.one("show", {measure: measure for measure in get_args(Measure)}, "share")
    address.one("by", _PERIODS, _AUTO)
    address.one("origin", _ORIGINS, "codebook")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        measure = st.segmented_control(
            "Show",
            list(get_args(Measure)),
            format_func=str.capitalize,
            required=True,
            key="show",
        )
        by = st.segmented_control(
            "Period",
            list(_PERIODS),
            format_func=_PERIODS.__getitem__,
            required=True,
            key="by",
            help="Auto chooses the shortest period that the amount of text supports.",
        )
        origin: str | None = "codebook"
        if (data.options(view.handle).narratives["origin"] == "discovered").any():
            origin = st.segmented_control(
                "Narratives",
                list(_ORIGINS),
                format_func=_ORIGINS.__getitem__,
                required=True,
                key="origin",
                help="The codebook's narratives are defined by people; discovered ones are clusters of "
                "recurring paragraphs that no definition explains yet.",
            )
    granularity = data.granularity(view.handle, view.slice) if by == _AUTO else cast(Granularity, by)
    return Choice(replace(view.slice, by=granularity), cast(Measure, measure), str(origin), by == _AUTO)


def frame(view: View, choice: Choice) -> pd.DataFrame:
    """Prevalence of the chosen narratives, most prevalent first, then by period."""
    found = data.prevalence(view.handle, choice.slice)
    # Narratives that somebody named in the sidebar are shown whatever their origin.
    if choice.origin != "all" and not choice.slice.narratives:
        found = found[found["origin"] == choice.origin]
    hits = found.groupby("narrative_id", sort=False)["paragraphs"].sum()
    rank = {key: place for place, key in enumerate(hits.sort_values(ascending=False, kind="stable").index)}
    return found.sort_values(
        ["narrative_id", "period"], key=lambda c: c.map(rank) if c.name == "narrative_id" else c
    )


def denominator(shown: pd.DataFrame, choice: Choice) -> str:
    """What the shares are shares of, in words."""
    totals = shown.drop_duplicates("period")
    first, last = totals["period"].min()[:4], totals["period"].max()[:4]
    return words.denominator(choice.slice, int(totals["total_paragraphs"].sum()), first, last)


def counted(view: View, choice: Choice, denominator: str) -> str:
    """What the charts count, in words: denominator, period, and what stands in none of them."""
    what = "Share of" if choice.measure == "share" else "Number among"
    by = (
        f"By {periods.NOUN[choice.slice.by]}{', chosen from the amount of text' if choice.automatic else ''}."
    )
    totals = data.totals(view.handle, choice.slice)
    missing = words.undated(totals.undated, choice.slice)
    unread = words.unread(totals.other_language)
    return " ".join(filter(None, [f"{what} {denominator}.", by, missing, unread]))


def nothing(view: View, choice: Choice) -> None:
    """The empty state: the filters, and what stands in no period."""

    def count(s: Slice) -> int:
        return data.totals(view.handle, s).placed

    missing = words.undated(data.totals(view.handle, choice.slice).undated, choice.slice)
    empty_frame(view, choice.slice, count, "dated statement paragraph", [missing] if missing else [])


def headline(view: View, choice: Choice, shown: pd.DataFrame) -> None:
    """How much there is, of when, and how much of it is in no narrative or no period."""
    counted = data.totals(view.handle, choice.slice)
    outside = counted.unassigned + (counted.candidates_only if choice.origin == "codebook" else 0)
    first, last = shown["period"].min()[:4], shown["period"].max()[:4]
    cells = [
        ("Documents", f"{counted.documents:,}", "Those with at least one statement paragraph."),
        ("Statement paragraphs", f"{counted.statements:,}", "What somebody says: no headings, no questions."),
        ("Period", first if first == last else f"{first}–{last}", None),
        (
            "Outside the codebook" if choice.origin == "codebook" else "In no narrative",
            words.percent(outside / counted.statements),
            f"{outside:,} statement paragraphs, as far as the machine can tell; see the end of the page.",
        ),
        ("Undated", f"{counted.undated:,}", "Statement paragraphs that stand in no period of these charts."),
        ("Last build", words.built(data.manifest(view.handle).built_at, short=True), None),
    ]
    grid = st.grid("auto", min_column_width=150, gap="small")
    for label, value, note in cells:
        grid.metric(label, value, help=note)


def small_multiples(
    view: View, choice: Choice, shown: pd.DataFrame, how: str, measured: Mapping[str, Quality]
) -> None:
    """One small chart a narrative, all on one scale, each with its measured quality where there is one."""
    look, colours = charts.look(shown, choice.measure), _colours(view)
    keys = list(dict.fromkeys(shown["narrative_id"]))
    of_each = {key: shown[shown["narrative_id"] == key] for key in keys[:MOST_SMALL]}
    summaries = {key: charts.summary(rows, look) for key, rows in of_each.items()}

    def figures() -> panel.Figures:
        return [
            (f"small-{key}", charts.small(rows, colours[key], look, measured.get(key)), summaries[key])
            for key, rows in of_each.items()
        ]

    drawn = panel.Panel(
        key="prevalence",
        title="Every narrative",
        how=how,
        summary=" ".join(summaries.values()),
        table=shown,
        slice=choice.slice,
        columns=TABLE,
        extra={"by": choice.slice.by},
    )
    panel.show(view, drawn, figures, least_width=228)
    if len(keys) > MOST_SMALL:
        st.caption(
            f"The {MOST_SMALL} most prevalent of {words.count(len(keys), 'narrative')}; "
            "the table has them all, and the sidebar's narrative filter shows any of them here."
        )


def compared(view: View, choice: Choice, shown: pd.DataFrame, how: str) -> None:
    """Up to six narratives on one pair of axes, with events."""
    names = dict(zip(shown["narrative_id"], shown["narrative"], strict=True))
    address.several("compare", names)
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
    look, colours = charts.look(rows, choice.measure), _colours(view)
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
        how=f"{how} Triangles and thin lines mark dated events that bear on these narratives; they are no "
        "explanation.",
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
    rows = data.unassigned(view.handle, choice.slice)
    figure, summary = charts.uncovered(rows)
    drawn = panel.Panel(
        key="uncovered",
        title="What no narrative covers",
        how=f"Of {words.count(counted.statements, 'statement paragraph')}, {by_codebook:,} advance at least "
        f"one of the codebook's narratives{found}, and {counted.unassigned:,} are in none, as far as the "
        "machine can tell. Most of that is ordinary business; some will be claims that the codebook does "
        "not define. The scale here goes to 100 %.",
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


def _colours(view: View) -> dict[str, str]:
    found = data.options(view.handle).narratives
    pairs = zip(found["narrative_id"], found["colour"], strict=True)
    return {key: chosen(colour, place) for place, (key, colour) in enumerate(pairs)}
