"""The controls and the headline of the prevalence page; its charts are in prevalence_panels.py."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date

import pandas as pd
import streamlit as st

from narratives.dashboard import cached_queries, navigation, sidebar
from narratives.dashboard.components import chart_panel, controls, quality
from narratives.dashboard.shell import View
from narratives.dashboard.shell import draw_empty_state as empty_frame
from narratives.measure import smooth_shares, suppress_small_bases
from narratives.model import QualityMetrics, Slice, Unit, dates
from narratives.render import phrases, time_series
from narratives.render.colours import make_distinct
from narratives.render.traces import AxisSpec, Measure

_UNITS: Mapping[Unit, str] = {"paragraph": "Paragraphs", "document": "Documents"}
_ORDER_LABELS = {
    "prevalence": "Most prevalent",
    "range": "Largest range",
    "name": "Name",
    "codebook": "Codebook",
}
_ORIGIN_LABELS = {"codebook": "Codebook", "discovered": "Discovered", "all": "All"}


@dataclass(frozen=True, slots=True)
class PrevalenceSettings:
    """What this page's own controls say: the slice with granularity and unit, what to draw, and how."""

    slice: Slice
    measure: Measure
    origin: str
    automatic: bool
    order: str
    smooth: bool


def choices(view: View) -> PrevalenceSettings:
    """Draw share or count, of what, the length of a period, whose narratives, their order; all in the URL."""
    discovered = bool((cached_queries.load_options(view.handle).narratives["origin"] == "discovered").any())
    with st.container(horizontal=True, vertical_alignment="bottom"):
        measure = controls.measure()
        unit = controls.choice("Of", "unit", _UNITS)
        length = controls.period("Auto chooses the shortest period that the amount of text supports.")
        origin = "codebook"
        if discovered:
            origin = controls.choice(
                "Narratives",
                "origin",
                _ORIGIN_LABELS,
                help="The codebook's narratives are defined by people; discovered ones are clusters of "
                "recurring paragraphs that no definition explains yet.",
            )
        order = controls.box("Order", "order", _ORDER_LABELS, width=190)
        smooth = controls.switch("Smooth", "smooth", "Lines through the mean of three periods, weighted by their text.")
    by = cached_queries.select_granularity(view.handle, view.slice) if length == "auto" else length
    s = replace(view.slice, by=by, unit=unit)
    return PrevalenceSettings(s, measure, origin, length == "auto", order, smooth)


def select_prevalence(view: View, choice: PrevalenceSettings) -> pd.DataFrame:
    """Prevalence of the chosen narratives in the chosen order, then by period."""
    found = cached_queries.load_prevalence(view.handle, choice.slice)
    # Narratives that somebody named in the sidebar are shown whatever their origin.
    if choice.origin != "all" and not choice.slice.narratives:
        found = found[found["origin"] == choice.origin]
    found = cached_queries.add_corrections(view.handle, choice.slice, found)
    if choice.smooth:
        found = smooth_shares(found)
    rank = {key: place for place, key in enumerate(_order_narratives(found, choice.order))}
    return found.sort_values(["narrative_id", "period"], key=lambda c: c.map(rank) if c.name == "narrative_id" else c)


def _order_narratives(found: pd.DataFrame, order: str) -> list[str]:
    """Narrative ids in the order of their charts; of two alike the codebook's first comes first."""
    by_id = found.groupby("narrative_id", sort=False)
    if order == "codebook":
        return list(dict.fromkeys(found["narrative_id"]))
    if order == "name":
        return list(by_id["narrative"].first().str.casefold().sort_values(kind="stable").index)
    if order == "range":
        spread = by_id["share"].max() - by_id["share"].min()
        return list(spread.fillna(-1.0).sort_values(ascending=False, kind="stable").index)
    return list(by_id["paragraphs"].sum().sort_values(ascending=False, kind="stable").index)


def describe_shown_denominator(shown: pd.DataFrame, choice: PrevalenceSettings) -> str:
    """What the shares are shares of, in words."""
    totals = shown.drop_duplicates("period")
    first, last = totals["period"].min()[:4], totals["period"].max()[:4]
    return phrases.describe_denominator(choice.slice, int(totals["total_paragraphs"].sum()), first, last)


def describe_counts(view: View, choice: PrevalenceSettings, denominator: str) -> str:
    """What the charts count, in words: denominator, period, and what stands in none of them."""
    what = "Share of" if choice.measure == "share" else "Number among"
    by = f"By {dates.GRANULARITY_NOUNS[choice.slice.by]}{', chosen from the amount of text' if choice.automatic else ''}."  # noqa: E501
    totals = cached_queries.load_totals(view.handle, choice.slice)
    missing = phrases.describe_undated(totals.undated, choice.slice)
    unread = phrases.describe_unread_languages(totals.other_language)
    return " ".join(filter(None, [f"{what} {denominator}.", by, missing, unread]))


def draw_empty_state(view: View, choice: PrevalenceSettings) -> None:
    """The empty state: the filters, and what stands in no period."""

    def count(s: Slice) -> int:
        return cached_queries.load_totals(view.handle, s).placed

    missing = phrases.describe_undated(cached_queries.load_totals(view.handle, choice.slice).undated, choice.slice)
    empty_frame(view, choice.slice, count, "dated statement paragraph", [missing] if missing else [])


def draw_headline(view: View, choice: PrevalenceSettings, shown: pd.DataFrame) -> None:
    """How much there is, of when, and how much of it is in no narrative or no period."""
    counted = cached_queries.load_totals(view.handle, choice.slice)
    outside = counted.unassigned + (counted.candidates_only if choice.origin == "codebook" else 0)
    first, last = shown["period"].min()[:4], shown["period"].max()[:4]
    undated = counted.undated / max(1, counted.placed + counted.undated)
    cells = [
        ("Documents", f"{counted.documents:,}", "Those with at least one statement paragraph."),
        (
            "Paragraphs",
            f"{counted.statements:,}",
            "Statement paragraphs: what somebody says, no headings, no questions.",
        ),
        ("Speakers", f"{counted.speakers:,}", "Different people and bodies named as speakers."),
        ("Period", first if first == last else f"{first}–{last}", None),
        (
            "Not in codebook" if choice.origin == "codebook" else "In no narrative",
            phrases.format_percent(outside / max(1, counted.statements)),
            f"{outside:,} statement paragraphs, as far as the machine can tell; see the end of the page.",
        ),
        (
            "Undated",
            phrases.format_percent(undated),
            f"{phrases.format_count(counted.undated, 'statement paragraph')} in no period of these charts.",
        ),
        (
            "Last build",
            phrases.format_timestamp(cached_queries.get_manifest(view.handle).built_at, short=True),
            None,
        ),
    ]
    grid = st.grid("auto", min_column_width=130, gap="small")
    for label, value, note in cells:
        grid.metric(label, value, help=note)


MAX_SMALL_CHARTS, MAX_COMPARED, DEFAULT_COMPARED = 24, 6, 4
CUT_NOTE = " Intervals that reach beyond the scale are cut; the table has them whole."
CORRECTED_HELP = (
    "The share that would be seen if the matching made no errors, from its recall and false-positive rate on "
    "the reference labels; see the page Method."
)
PREVALENCE_COLUMNS = {
    "period": st.column_config.TextColumn("Period"),
    "narrative": st.column_config.TextColumn("Narrative", width="medium"),
    "paragraphs": st.column_config.NumberColumn("Count", format="localized"),
    "total_paragraphs": st.column_config.NumberColumn("Of", format="localized"),
    "share": st.column_config.NumberColumn("Share", format="percent"),
    "share_low": st.column_config.NumberColumn("95 % from", format="percent"),
    "share_high": st.column_config.NumberColumn("to", format="percent"),
    "base_reason": st.column_config.TextColumn("Why no share"),
    "corrected": st.column_config.NumberColumn("Corrected", format="percent", help=CORRECTED_HELP),
    "corrected_low": st.column_config.NumberColumn("95 % from ", format="percent"),
    "corrected_high": st.column_config.NumberColumn("to ", format="percent"),
    "correction_reason": st.column_config.TextColumn("Why not corrected", width="medium"),
}


def draw_small_multiples(
    view: View,
    choice: PrevalenceSettings,
    shown: pd.DataFrame,
    how: str,
    measured: Mapping[str, QualityMetrics],
) -> None:
    """One small chart a narrative, all on one scale, each with its measured quality where there is one."""
    look, colours = (
        time_series.compute_axis_spec(shown, choice.measure, choice.slice.unit),
        cached_queries.get_narrative_colours(view.handle),
    )
    keys = list(dict.fromkeys(shown["narrative_id"]))
    changes = cached_queries.load_change_points(view.handle, choice.slice)
    of_each = {key: shown[shown["narrative_id"] == key] for key in keys[:MAX_SMALL_CHARTS]}
    summaries = {key: time_series.describe_time_series(rows, look) for key, rows in of_each.items()}

    def figures() -> chart_panel.Figures:
        return [
            (
                f"small-{key}",
                time_series.build_small_figure(
                    rows, colours[key], look, measured.get(key), changes[changes["narrative_id"] == key]
                ),
                summaries[key],
            )
            for key, rows in of_each.items()
        ]

    drawn = chart_panel.ChartPanel(
        key="prevalence",
        title="Every narrative",
        how=f"{how} {_describe_marks(view, choice, shown, look)}",
        summary=" ".join(summaries.values()),
        table=shown,
        slice=choice.slice,
        columns=PREVALENCE_COLUMNS,
        extra={"by": choice.slice.by},
    )
    chart_panel.draw_panel(view, drawn, figures, least_width=228)
    _draw_change_list(shown, changes[changes["narrative_id"].isin(keys)])
    if len(keys) > MAX_SMALL_CHARTS:
        st.caption(
            f"The {MAX_SMALL_CHARTS} most prevalent of {phrases.format_count(len(keys), 'narrative')}; "
            "the table has them all, and the sidebar's narrative filter shows any of them here."
        )


def _describe_marks(view: View, choice: PrevalenceSettings, shown: pd.DataFrame, look: AxisSpec) -> str:
    """How to read the marks of the small charts; only of those that are drawn."""
    if choice.measure == "count":
        return ""
    base = cached_queries.get_suppression_rule(view.handle)
    said = ["Arrows mark change points."]
    if not shown["base_ok"].all():
        least = f"{base.documents} documents" + (f" or {base.expected:g} expected paragraphs" if base.expected else "")
        said.insert(0, f"Grey numbers are counts of periods with fewer than {least}, too few for a share.")
    if shown["corrected"].notna().any():
        said.append(f"Dotted: {quality.describe_correction(view, shown)}")
    if look.cut:
        said.append(CUT_NOTE.strip())
    if choice.smooth:
        said.append("Lines are smoothed over three periods, marks are not.")
    return " ".join(said)


def _draw_change_list(shown: pd.DataFrame, changes: pd.DataFrame) -> None:
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
            f"{names[row['narrative_id']]}: {phrases.describe_change_point(row)}" for row in changes.to_dict("records")
        )
        st.text("\n".join(lines))


def draw_comparison(view: View, choice: PrevalenceSettings, shown: pd.DataFrame, how: str) -> None:
    """Up to six narratives on one pair of axes, with events."""
    names = dict(zip(shown["narrative_id"], shown["narrative"], strict=True))
    picked = controls.several(
        "Narratives to compare",
        "compare",
        names,
        f"The {min(DEFAULT_COMPARED, len(names))} most prevalent",
        most=MAX_COMPARED,
    )
    keys = picked or list(names)[:DEFAULT_COMPARED]
    rows = shown[shown["narrative_id"].isin(keys)]
    look, colours = (
        time_series.compute_axis_spec(rows, choice.measure, choice.slice.unit),
        cached_queries.get_narrative_colours(view.handle),
    )
    events = cached_queries.load_snapshot_events(view.handle)
    # Events that bear on what is compared; all of them at once would hide the lines.
    columns = (events["date"], events["name"], events["narratives"])
    marked = [
        (date.fromisoformat(day), name) for day, name, about in zip(*columns, strict=True) if set(about) & set(keys)
    ]
    summary = " ".join(time_series.describe_time_series(rows[rows["narrative_id"] == key], look) for key in keys)

    def figures() -> chart_panel.Figures:
        figure = time_series.build_comparison_figure(
            rows, make_distinct({key: colours[key] for key in keys}), look, marked
        )
        return [("comparison", figure, summary)]

    drawn = chart_panel.ChartPanel(
        key="comparison",
        title="Side by side",
        how=f"{how}{CUT_NOTE if look.cut else ''} Triangles and thin lines mark dated events that bear on these "
        "narratives; they are no explanation.",
        summary=summary,
        table=rows,
        slice=replace(choice.slice, narratives=tuple(keys)),
        columns=PREVALENCE_COLUMNS,
        extra={"by": choice.slice.by},
    )
    chart_panel.draw_panel(view, drawn, figures)


def draw_uncovered(view: View, choice: PrevalenceSettings) -> None:
    """The share that advances no narrative, on a scale of its own, and what that means."""
    counted = cached_queries.load_totals(view.handle, choice.slice)
    by_codebook = counted.assigned - counted.candidates_only
    found = f", {counted.candidates_only:,} only belong to a discovered one" if counted.candidates_only else ""
    other = counted.statements - counted.routine
    routine = (
        f"; leaving out {counted.routine:,} of routine topics such as greetings, agendas and protocol, that "
        f"is {phrases.format_percent((counted.unassigned - counted.routine_unassigned) / other)} of {other:,}"
        if counted.routine and other
        else ""
    )
    rows = suppress_small_bases(
        cached_queries.load_unassigned(view.handle, choice.slice),
        cached_queries.get_suppression_rule(view.handle),
    )
    figure, summary = time_series.build_uncovered_figure(rows)
    drawn = chart_panel.ChartPanel(
        key="uncovered",
        title="What no narrative covers",
        how=f"Of {phrases.format_count(counted.statements, 'statement paragraph')}, {by_codebook:,} advance at "
        f"least one of the codebook's narratives{found}, and {counted.unassigned:,} are in none, as far as "
        f"the machine can tell{routine}. Most of that is ordinary business; some will be claims that the "
        "codebook does not define. The scale here goes to 100 %.",
        summary=summary,
        table=rows,
        slice=replace(choice.slice, narratives=()),
        columns={key: column for key, column in PREVALENCE_COLUMNS.items() if key != "narrative"},
        extra={"by": choice.slice.by},
    )
    chart_panel.draw_panel(view, drawn, lambda: [("uncovered", figure, summary)], on_click=_open_uncovered)


def _open_uncovered(key: str) -> None:
    """Open the paragraphs of a period that advance no narrative (a chart's callback)."""
    point = navigation.get_clicked_point(key)
    if point is not None:
        s = navigation.narrow_slice(sidebar.read_filters(), {"narrative": (), **point})
        navigation.open_evidence(s, unassigned=True)
