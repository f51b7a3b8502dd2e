"""The upper part of the Sources page: key figures, and the coverage by outlet and period."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import pandas as pd
import streamlit as st

from narratives.dashboard import chart_panel, controls, navigation, shell
from narratives.dashboard.cached_queries import Handle, cache_query
from narratives.dashboard.shell import View
from narratives.dashboard.tables import COUNT_COLUMN, COVERAGE_COLUMNS, TEXT_COLUMN, draw_table
from narratives.model import Slice, dates
from narratives.render import coverage, phrases
from narratives.render.coverage import COVERAGE_NOUNS, MAX_OUTLETS, CoverageUnit, Gap
from narratives.store.queries import sources as sources_queries

load_coverage = cache_query(sources_queries.query_outlet_coverage)
load_date_sources = cache_query(sources_queries.query_date_sources)
load_copies = cache_query(sources_queries.query_outlet_copies)
load_language_counts = cache_query(sources_queries.query_languages)
load_voices = cache_query(sources_queries.query_voices)
load_rejected = cache_query(sources_queries.query_rejected)
load_inputs = cache_query(sources_queries.query_inputs)


def list_years(handle: Handle, s: Slice) -> list[str]:
    """Return the years with text, in order."""
    return sorted(set(load_coverage(handle, replace(s, by="year"))["period"]))


_LENGTHS = {key: name for key, name in dates.LENGTHS.items() if key != "half"}
COVERAGE_DENOMINATOR = "documents with any paragraph in the slice; statement paragraphs as the shares count them"
_COUNTED_LABELS: Mapping[CoverageUnit, str] = {"documents": "Documents", "statements": "Statement paragraphs"}


@dataclass(frozen=True, slots=True)
class CoverageSettings:
    """The values of this page's own controls: the slice with its granularity, and what is counted."""

    slice: Slice
    counted: CoverageUnit


def draw_coverage_controls(view: View) -> CoverageSettings:
    """Draw the choices of what is counted and of the period's length, and return them; both are in the URL."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        counted = controls.draw_segmented_control(
            "Count",
            "counted",
            _COUNTED_LABELS,
            help="Documents of any kind, including copies and other languages, or the statement paragraphs on which "
            "the shares of the other pages are based.",
        )
        length = controls.draw_segmented_control(
            "Period",
            "columns",
            _LENGTHS,
            help="Auto shows months, or longer periods if the range is long or dates are coarse.",
        )
    if length == "auto":
        dated = load_date_sources(view.handle, view.slice)
        by = coverage.choose_period_length(list_years(view.handle, view.slice), dated)
    else:
        by = length
    return CoverageSettings(replace(view.slice, by=by), counted)


def draw_headline(view: View) -> None:
    """Draw how much text the slice has, and how much is undated, copied, in unread languages or rejected."""
    documents = load_date_sources(view.handle, view.slice)
    languages, copied = (ask(view.handle, view.slice) for ask in (load_language_counts, load_copies))
    undated = documents.loc[documents["date_precision"] == "none", "documents"].sum()
    unread = languages.loc[~languages["matched"], "paragraphs"].sum()
    cells = [
        ("Documents", documents["documents"].sum(), "All documents, including copies and undated ones."),
        ("Paragraphs", languages["paragraphs"].sum(), "Paragraphs of every kind, including headings and questions."),
        ("Undated documents", undated, "They are in no period of any chart."),
        ("Copied paragraphs", copied["paragraphs"].sum(), "They repeat an earlier paragraph. Each text counts once."),
        ("In unread languages", unread, "Paragraphs in languages that are not matched with narratives."),
        ("Rejected", len(load_rejected(view.handle)), "Inputs and rows of the whole snapshot."),
    ]
    grid = st.grid("auto", min_column_width=150, gap="small")
    for label, value, note in cells:
        grid.metric(label, f"{int(value):,}", help=note)


def draw_coverage(view: View, choice: CoverageSettings) -> None:
    """Draw the coverage heatmap with what it omits, the longest gaps, and the tables."""
    shown = load_coverage(view.handle, choice.slice)
    if shown.empty:
        st.subheader("Coverage", anchor=False)
        _draw_empty_state(view, choice)
        return
    missing, noun = coverage.find_gaps(shown), dates.GRANULARITY_NOUNS[choice.slice.by]
    named, summary = len(coverage.list_outlets(shown)), coverage.describe_coverage(shown, missing)
    reading = (
        f"The stronger the colour, the larger the number in that {noun} (square-root scale). "
        f"A dash marks a {noun} without documents between an outlet's first and last."
        + (f" The chart shows the {MAX_OUTLETS} largest of {named} outlets." if named > MAX_OUTLETS else "")
    )
    drawn_panel = chart_panel.ChartPanel(
        key="coverage",
        title="Coverage",
        how=f"{_describe_counts(view, choice, shown)} {reading}",
        summary=summary,
        table=shown.assign(outlet=shown["outlet"].replace("", phrases.NOBODY)),
        slice=replace(choice.slice, narratives=()),
        columns=COVERAGE_COLUMNS,
        extra={"by": choice.slice.by, "documents_are": COVERAGE_DENOMINATOR},
    )

    def figures() -> chart_panel.Figures:
        return [("coverage", coverage.build_coverage_heatmap(shown, choice.counted, missing), summary)]

    chart_panel.draw_panel(view, drawn_panel, figures, on_click=_open_cell)
    if missing:
        lines = [gap.in_words for gap in coverage.select_gaps(shown, missing)]
        if further := len(missing) - len(lines):
            lines.append(f"{phrases.format_count(further, 'further gap')} in the tables below.")
        st.text("\n".join(lines))
    else:
        st.text(f"No gaps: every outlet has a document in every {noun} between its first and its last.")
    with st.expander("Outlets and gaps as tables"):
        _draw_tables(view, choice, shown, missing)


def _open_cell(key: str) -> None:
    """Open the paragraphs of a cell's outlet and period (a chart's callback)."""
    point = navigation.get_clicked_point(key)
    if point is not None:
        # The narrative filter does not apply to the cells.
        navigation.open_evidence(navigation.narrow_slice(navigation.read_filters(), {"narrative": (), **point}))


def _describe_counts(view: View, choice: CoverageSettings, shown: pd.DataFrame) -> str:
    """Describe what the chart counts and what is in none of its cells."""
    narrowed = phrases.describe_attribution(choice.slice) + (
        f" dated {span}" if (span := phrases.format_date_range(choice.slice)) else ""
    )
    number = int(shown[choice.counted].sum())
    kind = phrases.describe_copies(choice.slice) if choice.counted == "statements" else "copies included"
    lines = [f"{phrases.format_count(number, COVERAGE_NOUNS[choice.counted])}{narrowed}; {kind}."]
    documents = load_date_sources(view.handle, choice.slice)
    outside = int(documents["documents"].sum() - shown["documents"].sum())
    if outside:
        fine = "date" if choice.slice.by == "year" else f"date to the {dates.GRANULARITY_NOUNS[choice.slice.by]}"
        have, are = ("has", "is") if outside == 1 else ("have", "are")
        lines.append(f"{phrases.format_count(outside, 'further document')} {have} no {fine} and {are} in no column.")
    if omitted := sorted(set(documents["outlet"]) - set(shown["outlet"])):
        lines.append(f"No document of {phrases.format_list(omitted, 5, 'or')} has one.")
    if choice.slice.narratives:
        lines.append("The narrative filter does not apply here.")
    return " ".join(lines)


def _draw_empty_state(view: View, choice: CoverageSettings) -> None:
    def count(s: Slice) -> int:
        return int(load_coverage(view.handle, s)["documents"].sum())

    outside = int(load_date_sources(view.handle, choice.slice)["documents"].sum())
    fine = f"date to the {dates.GRANULARITY_NOUNS[choice.slice.by]}"
    hint = [f"{phrases.format_count(outside, 'document')} without a {fine}; see below."] if outside else []
    shell.draw_empty_state(view, replace(choice.slice, narratives=()), count, "dated document", hint)


def _draw_tables(view: View, choice: CoverageSettings, shown: pd.DataFrame, missing: Sequence[Gap]) -> None:
    outlets = coverage.build_outlet_table(shown, missing)
    columns = {
        "outlet": TEXT_COLUMN("Outlet"),
        **{key: COVERAGE_COLUMNS[key] for key in ("documents", "statements")},
        "first": TEXT_COLUMN("First"),
        "last": TEXT_COLUMN("Last"),
        "gap": TEXT_COLUMN("Longest gap"),
    }
    draw_table(view, choice.slice, outlets, columns, "outlets", COVERAGE_DENOMINATOR)
    if missing:
        gaps = pd.DataFrame(
            [
                (gap.outlet or phrases.NOBODY, *map(dates.describe_period, (gap.first, gap.last)), gap.periods)
                for gap in missing
            ],
            columns=["outlet", "first", "last", "periods"],
        )
        noun = dates.GRANULARITY_NOUNS[choice.slice.by].capitalize()
        named = {
            "outlet": TEXT_COLUMN("Outlet"),
            "first": TEXT_COLUMN("No document from"),
            "last": TEXT_COLUMN("To"),
            "periods": COUNT_COLUMN(f"{noun}s"),
        }
        draw_table(view, choice.slice, gaps, named, "gaps", f"{noun.lower()}s between an outlet's first and last")
