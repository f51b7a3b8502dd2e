"""The Prevalence page: controls, headline figures, and charts of shares over time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import islice

import pandas as pd
import streamlit as st

from narratives.dashboard import cached_queries, chart_panel, controls, navigation, quality, shell
from narratives.dashboard.cached_queries import Handle
from narratives.dashboard.shell import View
from narratives.dashboard.tables import COUNT_COLUMN, PERCENT_COLUMN, SHARE_COLUMNS, TEXT_COLUMN
from narratives.measure import smooth_shares, suppress_small_bases
from narratives.model import Slice, Unit, dates
from narratives.render import phrases, time_series
from narratives.render.colours import make_distinct
from narratives.render.traces import AxisSpec, Measure, group_records, to_records

_UNITS: Mapping[Unit, str] = {"paragraph": "Paragraphs", "document": "Documents"}
_ORDER_LABELS = {"prevalence": "Most prevalent", "range": "Largest range", "name": "Name", "codebook": "Codebook"}
_ORIGIN_LABELS = {"codebook": "Codebook", "discovered": "Discovered", "all": "All"}


@dataclass(frozen=True, slots=True)
class PrevalenceSettings:
    """The values of this page's controls; `slice` includes the period length and the unit."""

    slice: Slice
    measure: Measure
    origin: str
    automatic: bool
    order: str
    smooth: bool


def draw_controls(view: View) -> PrevalenceSettings:
    """Draw the controls of the page and return their values, which are kept in the URL."""
    discovered = bool((cached_queries.load_options(view.handle).narratives["origin"] == "discovered").any())
    with st.container(horizontal=True, vertical_alignment="bottom"):
        measure = controls.draw_measure_control()
        unit = controls.draw_segmented_control("Of", "unit", _UNITS)
        length = controls.draw_period_control("Auto picks the shortest period with enough text.")
        origin = "codebook"
        if discovered:
            origin = controls.draw_segmented_control(
                "Narratives",
                "origin",
                _ORIGIN_LABELS,
                help="Codebook narratives are defined by people. Discovered narratives are recurring "
                "claims that the codebook does not cover.",
            )
        order = controls.draw_selectbox("Order", "order", _ORDER_LABELS, width=190)
        smooth = controls.draw_toggle("Smooth", "smooth", "Average each line over three periods, weighted by text.")
    by = cached_queries.select_granularity(view.handle, view.slice) if length == "auto" else length
    s = replace(view.slice, by=by, unit=unit)
    return PrevalenceSettings(s, measure, origin, length == "auto", order, smooth)


@cached_queries.cache_shared()
def select_prevalence(handle: Handle, settings: PrevalenceSettings) -> pd.DataFrame:
    """Return the prevalence of the chosen narratives in the chosen order, then by period."""
    frame = cached_queries.load_prevalence(handle, settings.slice)
    # Narratives chosen in the sidebar are shown whatever their origin.
    if settings.origin != "all" and not settings.slice.narratives:
        frame = frame[frame["origin"] == settings.origin]
    frame = cached_queries.add_corrections(handle, settings.slice, frame)
    if settings.smooth:
        frame = smooth_shares(frame)
    rank = {key: place for place, key in enumerate(_order_narratives(frame, settings.order))}
    return frame.sort_values(["narrative_id", "period"], key=lambda c: c.map(rank) if c.name == "narrative_id" else c)


def _order_narratives(frame: pd.DataFrame, order: str) -> list[str]:
    """Return narrative ids in the order of their charts; ties keep the order of the codebook."""
    by_id = frame.groupby("narrative_id", sort=False)
    if order == "codebook":
        return list(dict.fromkeys(frame["narrative_id"]))
    if order == "name":
        return list(by_id["narrative"].first().str.casefold().sort_values(kind="stable").index)
    if order == "range":
        spread = by_id["share"].max() - by_id["share"].min()
        return list(spread.fillna(-1.0).sort_values(ascending=False, kind="stable").index)
    return list(by_id["paragraphs"].sum().sort_values(ascending=False, kind="stable").index)


def _describe_counts(handle: Handle, settings: PrevalenceSettings, shown: pd.DataFrame) -> str:
    """Describe what the charts count: the denominator, the period, and what is left out."""
    total = int(shown.drop_duplicates("period")["total_paragraphs"].sum())
    denominator = phrases.describe_denominator(settings.slice, total, phrases.format_years(shown))
    what = "Share of" if settings.measure == "share" else "Count out of"
    reason = ", the shortest period with enough text" if settings.automatic else ""
    by = f"By {dates.GRANULARITY_NOUNS[settings.slice.by]}{reason}."
    totals = cached_queries.load_totals(handle, settings.slice)
    missing = phrases.describe_undated(totals.undated, settings.slice)
    unread = phrases.describe_unread_languages(totals.other_language)
    return " ".join(filter(None, [f"{what} {denominator}.", by, missing, unread]))


def draw_empty_state(view: View, settings: PrevalenceSettings) -> None:
    """Draw the empty state: the filters, and the number of undated paragraphs."""

    def count(s: Slice) -> int:
        return cached_queries.load_totals(view.handle, s).placed

    missing = phrases.describe_undated(cached_queries.load_totals(view.handle, settings.slice).undated, settings.slice)
    shell.draw_empty_state(view, settings.slice, count, "dated statement paragraph", [missing] if missing else [])


def draw_headline(view: View, settings: PrevalenceSettings, shown: pd.DataFrame) -> None:
    """Draw the headline figures: amount of text, period, and what no narrative or period includes."""
    counted = cached_queries.load_totals(view.handle, settings.slice)
    outside = counted.unassigned + (counted.candidates_only if settings.origin == "codebook" else 0)
    undated = counted.undated / max(1, counted.placed + counted.undated)
    cells: list[tuple[str, str, str | None]] = [
        ("Documents", f"{counted.documents:,}", "Documents with at least one statement paragraph."),
        ("Paragraphs", f"{counted.statements:,}", "Statement paragraphs: no headings, no questions."),
        ("Speakers", f"{counted.speakers:,}", "People and organizations named as speakers."),
        ("Period", phrases.format_years(shown), None),
        (
            "Not in codebook" if settings.origin == "codebook" else "In no narrative",
            phrases.format_percent(outside / max(1, counted.statements)),
            f"{outside:,} statement paragraphs, by automatic matching. See the end of the page.",
        ),
        (
            "Undated",
            phrases.format_percent(undated),
            f"{phrases.format_count(counted.undated, 'statement paragraph')} without a usable date: not in the charts.",
        ),
        ("Last build", phrases.format_timestamp(cached_queries.get_manifest(view.handle).built_at, short=True), None),
    ]
    shell.draw_metrics(cells, 130)


MAX_SMALL_CHARTS, MAX_COMPARED, DEFAULT_COMPARED = 24, 6, 4
CUT_NOTE = " Intervals beyond the scale are cut off; the table shows them in full."
CORRECTED_HELP = (
    "Estimated share if the matching made no errors: from a spot check if there was one, or else the expected share, "
    "which is the mean probability of the paragraphs. See the Method page."
)
PREVALENCE_COLUMNS = {
    "period": TEXT_COLUMN("Period"),
    "narrative": TEXT_COLUMN("Narrative", width="medium"),
    "paragraphs": COUNT_COLUMN("Count"),
    "total_paragraphs": COUNT_COLUMN("Of"),
    **SHARE_COLUMNS,
    "base_reason": TEXT_COLUMN("Why no share"),
    "corrected": PERCENT_COLUMN("Corrected", help=CORRECTED_HELP),
    "corrected_low": PERCENT_COLUMN("95 % from "),
    "corrected_high": PERCENT_COLUMN("to "),
    "correction_reason": TEXT_COLUMN("Why not corrected", width="medium"),
}


def draw_small_multiples(view: View, settings: PrevalenceSettings) -> None:
    """Draw one small chart per narrative, all on the same scale, with its measured quality if known."""
    panel, changes = _build_small_multiples(view.handle, settings)
    chart_panel.draw_panel(view, panel, least_width=228)
    if changes:
        with st.expander(f"Change points ({len(changes)})"):
            st.caption(
                "After a change point, the share stays at a different level for at least two periods. The method is "
                "optimal partitioning; with its penalty, fewer than one in twenty series without a change show one. "
                "A change point shows that something changed in these texts, not why."
            )
            st.text("\n".join(changes))
    narratives = panel.table["narrative_id"].nunique()
    if narratives > MAX_SMALL_CHARTS:
        st.caption(
            f"Showing {MAX_SMALL_CHARTS} of {phrases.format_count(narratives, 'narrative')}. The table lists them "
            "all; use the narrative filter in the sidebar to show others here."
        )


@cached_queries.cache_shared()
def _build_small_multiples(handle: Handle, settings: PrevalenceSettings) -> tuple[chart_panel.ChartPanel, list[str]]:
    """Return the panel of small charts, and the change points in words."""
    shown = select_prevalence(handle, settings)
    axes = time_series.compute_axis_spec(shown, settings.measure, settings.slice.unit)
    colours, measured = cached_queries.get_narrative_colours(handle), quality.load_quality(handle)
    groups = group_records(to_records(shown))
    changes = group_records(to_records(cached_queries.load_change_points(handle, settings.slice)))
    charts = []
    for key, rows in islice(groups.items(), MAX_SMALL_CHARTS):
        own = changes.get(key, [])
        figure = time_series.build_small_figure(rows, colours[key], axes, measured.get(key), own)
        charts.append(chart_panel.finish_chart(f"small-{key}", figure, time_series.describe_time_series(rows, axes)))
    how = f"{_describe_counts(handle, settings, shown)} {_describe_marks(handle, settings, shown, axes)}"
    panel = chart_panel.ChartPanel(
        key="prevalence",
        title="Every narrative",
        how=how,
        summary=" ".join(chart.summary for chart in charts),
        table=shown,
        slice=settings.slice,
        columns=PREVALENCE_COLUMNS,
        extra={"by": settings.slice.by},
        charts=charts,
    )
    return panel, [
        f"{groups[key][0]['narrative']}: {phrases.describe_change_point(row)}"
        for key, rows in changes.items()
        for row in rows
        if key in groups
    ]


def _describe_marks(handle: Handle, settings: PrevalenceSettings, shown: pd.DataFrame, axes: AxisSpec) -> str:
    """Explain the marks that the small charts contain."""
    if settings.measure == "count":
        return ""
    rule = cached_queries.get_suppression_rule(handle)
    notes = ["Arrows mark change points."]
    if not shown["base_ok"].all():
        least = f"{rule.documents} documents" + (f" or {rule.expected:g} expected paragraphs" if rule.expected else "")
        notes.insert(0, f"Grey numbers are counts of periods with fewer than {least}: too few for a share.")
    if shown["corrected"].notna().any():
        notes.append(f"Dotted: {quality.describe_correction(handle, shown)}")
    if axes.cut:
        notes.append(CUT_NOTE.strip())
    if settings.smooth:
        notes.append("Lines are smoothed over three periods; points are not.")
    return " ".join(notes)


def draw_comparison(view: View, settings: PrevalenceSettings) -> None:
    """Draw up to six narratives in one chart, with related events."""
    shown = select_prevalence(view.handle, settings)
    names = dict(zip(shown["narrative_id"], shown["narrative"], strict=True))
    picked = controls.draw_multiselect(
        "Narratives to compare",
        "compare",
        names,
        f"The {min(DEFAULT_COMPARED, len(names))} most prevalent",
        most=MAX_COMPARED,
    )
    keys = tuple(picked or list(names)[:DEFAULT_COMPARED])
    chart_panel.draw_panel(view, _build_comparison(view.handle, settings, keys))


@cached_queries.cache_shared()
def _build_comparison(handle: Handle, settings: PrevalenceSettings, keys: tuple[str, ...]) -> chart_panel.ChartPanel:
    shown = select_prevalence(handle, settings)
    rows = shown[shown["narrative_id"].isin(keys)]
    axes = time_series.compute_axis_spec(rows, settings.measure, settings.slice.unit)
    colours = cached_queries.get_narrative_colours(handle)
    # Only events related to these narratives: all events at once would hide the lines.
    marked = cached_queries.load_events_about(handle, keys)
    groups = group_records(to_records(rows))
    summary = " ".join(time_series.describe_time_series(groups[key], axes) for key in keys)
    distinct = make_distinct({key: colours[key] for key in keys})
    figure = time_series.build_comparison_figure(rows, distinct, axes, marked)
    return chart_panel.ChartPanel(
        key="comparison",
        title="Side by side",
        how=f"{_describe_counts(handle, settings, shown)}{CUT_NOTE if axes.cut else ''} Triangles and thin lines mark "
        "events related to these narratives. They do not explain a change.",
        summary=summary,
        table=rows,
        slice=replace(settings.slice, narratives=keys),
        columns=PREVALENCE_COLUMNS,
        extra={"by": settings.slice.by},
        charts=[chart_panel.finish_chart("comparison", figure, summary)],
    )


def draw_uncovered(view: View, settings: PrevalenceSettings) -> None:
    """Draw the share that advances no narrative, on its own scale, and explain it."""
    s = replace(settings.slice, narratives=())  # they have no effect here
    chart_panel.draw_panel(view, _build_uncovered(view.handle, s), on_click=_open_uncovered)


@cached_queries.cache_shared()
def _build_uncovered(handle: Handle, s: Slice) -> chart_panel.ChartPanel:
    counted = cached_queries.load_totals(handle, s)
    by_codebook = counted.assigned - counted.candidates_only
    discovered = f", {counted.candidates_only:,} belong only to a discovered one" if counted.candidates_only else ""
    other = counted.statements - counted.routine
    routine = (
        f" Without {counted.routine:,} on routine topics such as greetings, agendas and protocol, that is "
        f"{phrases.format_percent((counted.unassigned - counted.routine_unassigned) / other)} of {other:,}."
        if counted.routine and other
        else ""
    )
    rows = suppress_small_bases(cached_queries.load_unassigned(handle, s), cached_queries.get_suppression_rule(handle))
    figure, summary = time_series.build_uncovered_figure(rows)
    return chart_panel.ChartPanel(
        key="uncovered",
        title="What no narrative covers",
        how=f"Of {phrases.format_count(counted.statements, 'statement paragraph')}, {by_codebook:,} advance at "
        f"least one codebook narrative{discovered}, and {counted.unassigned:,} belong to none, by automatic "
        f"matching.{routine} Most of these are ordinary business; some will be claims that the codebook does "
        "not define. The scale of this chart goes to 100 %.",
        summary=summary,
        table=rows,
        slice=s,
        columns={key: column for key, column in PREVALENCE_COLUMNS.items() if key != "narrative"},
        extra={"by": s.by},
        charts=[chart_panel.finish_chart("uncovered", figure, summary)],
    )


def _open_uncovered(key: str) -> None:
    """Open the paragraphs of the clicked period that advance no narrative."""
    point = navigation.get_clicked_point(key)
    if point is not None:
        s = navigation.narrow_slice(navigation.read_filters(), {"narrative": (), **point})
        navigation.open_evidence(s, unassigned=True)
