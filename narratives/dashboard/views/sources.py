"""The Sources page's questions to a snapshot, their answers kept by snapshot and slice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import pandas as pd
import streamlit as st

from narratives.dashboard import cached_queries, navigation, shell, sidebar
from narratives.dashboard.cached_queries import CACHE_SECONDS, Handle
from narratives.dashboard.components import chart_panel, controls
from narratives.dashboard.components.tables import NUMBER_COLUMN, TEXT_COLUMN, draw_table
from narratives.dashboard.shell import View
from narratives.model import Slice, dates
from narratives.render import coverage, phrases
from narratives.render.coverage import COVERAGE_NOUNS, MAX_OUTLETS, CoverageUnit, Gap
from narratives.store.queries import sources as sources_queries


@st.cache_data(max_entries=100, ttl=CACHE_SECONDS, show_spinner=False)
def load_coverage(handle: Handle, s: Slice) -> pd.DataFrame:
    """Columns outlet, period, documents, statements."""
    return sources_queries.query_outlet_coverage(cached_queries.get_snapshot(handle), s)


@st.cache_data(max_entries=100, ttl=CACHE_SECONDS, show_spinner=False)
def load_date_sources(handle: Handle, s: Slice) -> pd.DataFrame:
    """Columns outlet, date_precision, date_source, documents."""
    return sources_queries.query_date_sources(cached_queries.get_snapshot(handle), s)


@st.cache_data(max_entries=20, ttl=CACHE_SECONDS, show_spinner=False)
def load_undated_documents(handle: Handle, s: Slice) -> pd.DataFrame:
    """Columns outlet, title, source_path, url, date_source."""
    return sources_queries.query_undated(cached_queries.get_snapshot(handle), s)


@st.cache_data(max_entries=100, ttl=CACHE_SECONDS, show_spinner=False)
def load_copies(handle: Handle, s: Slice) -> pd.DataFrame:
    """Columns outlet, original_outlet, paragraphs, documents."""
    return sources_queries.query_outlet_copies(cached_queries.get_snapshot(handle), s)


@st.cache_data(max_entries=100, ttl=CACHE_SECONDS, show_spinner=False)
def load_language_counts(handle: Handle, s: Slice) -> pd.DataFrame:
    """Columns language, paragraphs, statements, matched."""
    return sources_queries.query_languages(cached_queries.get_snapshot(handle), s)


@st.cache_data(max_entries=100, ttl=CACHE_SECONDS, show_spinner=False)
def load_voices(handle: Handle, s: Slice) -> pd.DataFrame:
    """Columns voice, paragraphs, statements."""
    return sources_queries.query_voices(cached_queries.get_snapshot(handle), s)


@st.cache_data(max_entries=8, ttl=CACHE_SECONDS, show_spinner=False)
def load_rejected(handle: Handle) -> pd.DataFrame:
    """Columns source_path, row, reason."""
    return sources_queries.query_rejected(cached_queries.get_snapshot(handle))


@st.cache_data(max_entries=8, ttl=CACHE_SECONDS, show_spinner=False)
def load_inputs(handle: Handle) -> pd.DataFrame:
    """Columns source_path, documents, rejected, reason."""
    return sources_queries.query_inputs(cached_queries.get_snapshot(handle))


def list_years(handle: Handle, s: Slice) -> list[str]:
    """The years with text, in order."""
    return sorted(set(load_coverage(handle, replace(s, by="year"))["period"]))


_LENGTHS = {key: name for key, name in dates.LENGTHS.items() if key != "half"}
COVERAGE_DENOMINATOR = "documents with any paragraph in the slice; statement paragraphs as the shares count them"
COVERAGE_COLUMNS = {
    "outlet": TEXT_COLUMN("Outlet"),
    "period": TEXT_COLUMN("Period"),
    "documents": NUMBER_COLUMN("Documents", format="localized"),
    "statements": NUMBER_COLUMN("Statement paragraphs", format="localized"),
}
_COUNTED_LABELS: Mapping[CoverageUnit, str] = {"documents": "Documents", "statements": "Statement paragraphs"}


@dataclass(frozen=True, slots=True)
class CoverageSettings:
    """What this page's own controls say: the slice with its granularity, and what is counted."""

    slice: Slice
    counted: CoverageUnit


def choices(view: View) -> CoverageSettings:
    """Draw what is counted and the length of a period; both in the URL."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        counted = controls.choice(
            "Count",
            "counted",
            _COUNTED_LABELS,
            help="Documents of any kind, copies and other languages included; or the statement paragraphs "
            "that the shares on the other pages rest on.",
        )
        length = controls.choice(
            "Period",
            "columns",
            _LENGTHS,
            help="Auto shows months, or longer periods where the range is long or dates are coarse.",
        )
    if length == "auto":
        dated = load_date_sources(view.handle, view.slice)
        by = coverage.choose_period_length(list_years(view.handle, view.slice), dated)
    else:
        by = length
    return CoverageSettings(replace(view.slice, by=by), counted)


def draw_headline(view: View) -> None:
    """How much there is in the slice, and how much of it is undated, copied, unread or was refused."""
    documents = load_date_sources(view.handle, view.slice)
    languages, copied = (ask(view.handle, view.slice) for ask in (load_language_counts, load_copies))
    undated = documents.loc[documents["date_precision"] == "none", "documents"].sum()
    unread = languages.loc[~languages["matched"], "paragraphs"].sum()
    cells = [
        ("Documents", documents["documents"].sum(), "All that were read, copies and undated ones included."),
        ("Paragraphs", languages["paragraphs"].sum(), "Of every kind: headings and questions too."),
        ("Undated documents", undated, "They stand in no period of any chart."),
        ("Copied paragraphs", copied["paragraphs"].sum(), "They repeat an earlier one and count once."),
        ("In unread languages", unread, "Paragraphs in a language of which none is matched."),
        ("Rejected", len(load_rejected(view.handle)), "Inputs and rows; of the whole snapshot."),
    ]
    grid = st.grid("auto", min_column_width=150, gap="small")
    for label, value, note in cells:
        grid.metric(label, f"{int(value):,}", help=note)


def draw_coverage(view: View, choice: CoverageSettings) -> None:
    """The heatmap of coverage in its panel, what it leaves out, the longest gaps in words, and its tables."""
    shown = load_coverage(view.handle, choice.slice)
    if shown.empty:
        st.subheader("Coverage", anchor=False)
        _draw_empty_state(view, choice)
        return
    missing, noun = coverage.find_gaps(shown), dates.GRANULARITY_NOUNS[choice.slice.by]
    named, summary = len(coverage.list_outlets(shown)), coverage.describe_coverage(shown, missing)
    reading = (
        f"The fuller the colour, the more in that {noun} (by the square root). "
        f"A dash marks a {noun} without any document between an outlet's first and last."
        + (f" The {MAX_OUTLETS} largest of {named} outlets are drawn." if named > MAX_OUTLETS else "")
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
        told = [gap.in_words for gap in coverage.select_gaps(shown, missing)]
        if further := len(missing) - len(told):
            told.append(f"{phrases.format_count(further, 'further gap')} in the tables below.")
        st.text("\n".join(told))
    else:
        st.text(f"No gap: every outlet has a document in every {noun} between its first and its last.")
    with st.expander("Outlets and gaps as tables"):
        _draw_tables(view, choice, shown, missing)


def _open_cell(key: str) -> None:
    """Open the paragraphs of the outlet and period of a cell (a chart's callback)."""
    point = navigation.get_clicked_point(key)
    if point is not None:
        # The narrative filter plays no part in the cells.
        navigation.open_evidence(navigation.narrow_slice(sidebar.read_filters(), {"narrative": (), **point}))


def _describe_counts(view: View, choice: CoverageSettings, shown: pd.DataFrame) -> str:
    """What the chart counts and what stands in none of its cells."""
    narrowed = phrases.describe_attribution(choice.slice) + (
        f" dated {span}" if (span := phrases.format_date_range(choice.slice)) else ""
    )
    number = int(shown[choice.counted].sum())
    kind = phrases.describe_copies(choice.slice) if choice.counted == "statements" else "copies included"
    lines = [f"{phrases.format_count(number, COVERAGE_NOUNS[choice.counted])}{narrowed}; {kind}."]
    found = load_date_sources(view.handle, choice.slice)
    outside = int(found["documents"].sum() - shown["documents"].sum())
    if outside:
        fine = "date" if choice.slice.by == "year" else f"date to the {dates.GRANULARITY_NOUNS[choice.slice.by]}"
        has, stand = ("has", "stands") if outside == 1 else ("have", "stand")
        lines.append(
            f"{phrases.format_count(outside, 'further document')} {has} no {fine} and so {stand} in no column."
        )
    if rowless := sorted(set(found["outlet"]) - set(shown["outlet"])):
        lines.append(f"No document of {phrases.format_list(rowless, 5, 'or')} has one.")
    if choice.slice.narratives:
        lines.append("The narrative filter plays no part here.")
    return " ".join(lines)


def _draw_empty_state(view: View, choice: CoverageSettings) -> None:
    def count(s: Slice) -> int:
        return int(load_coverage(view.handle, s)["documents"].sum())

    found = load_date_sources(view.handle, choice.slice)
    outside = int(found["documents"].sum())
    fine = f"date to the {dates.GRANULARITY_NOUNS[choice.slice.by]}"
    hint = [f"{phrases.format_count(outside, 'document')} without a {fine}; see below."] if outside else []
    shell.draw_empty_state(view, replace(choice.slice, narratives=()), count, "dated document", hint)


def _draw_tables(view: View, choice: CoverageSettings, shown: pd.DataFrame, missing: Sequence[Gap]) -> None:
    outlets = coverage.build_outlet_table(shown, missing)
    columns = {
        "outlet": TEXT_COLUMN("Outlet"),
        "documents": NUMBER_COLUMN("Documents", format="localized"),
        "statements": NUMBER_COLUMN("Statement paragraphs", format="localized"),
        "first": TEXT_COLUMN("First"),
        "last": TEXT_COLUMN("Last"),
        "gap": TEXT_COLUMN("Longest gap"),
    }
    draw_table(view, choice.slice, outlets, columns, "outlets", COVERAGE_DENOMINATOR)
    if missing:
        told = pd.DataFrame(
            [
                (
                    gap.outlet or phrases.NOBODY,
                    *map(dates.describe_period, (gap.first, gap.last)),
                    gap.periods,
                )
                for gap in missing
            ],
            columns=["outlet", "first", "last", "periods"],
        )
        noun = dates.GRANULARITY_NOUNS[choice.slice.by].capitalize()
        named = {
            "outlet": TEXT_COLUMN("Outlet"),
            "first": TEXT_COLUMN("No document from"),
            "last": TEXT_COLUMN("To"),
            "periods": NUMBER_COLUMN(f"{noun}s", format="localized"),
        }
        draw_table(view, choice.slice, told, named, "gaps", f"{noun.lower()}s between an outlet's first and last")
