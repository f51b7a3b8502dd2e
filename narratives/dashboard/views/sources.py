"""The Sources page: key figures, coverage by outlet and period, and what was read, kept and rejected."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd
import streamlit as st

from narratives.dashboard import cached_queries, chart_panel, controls, navigation, shell
from narratives.dashboard.cached_queries import Handle, cache_query, cache_shared
from narratives.dashboard.shell import View
from narratives.dashboard.tables import (
    COUNT_COLUMN,
    COVERAGE_COLUMNS,
    REJECTED_COLUMNS,
    SMALL_COUNT_COLUMNS,
    TEXT_COLUMN,
    draw_csv_button,
    draw_table,
)
from narratives.model import Slice, dates
from narratives.render import coverage, phrases
from narratives.render.coverage import COVERAGE_NOUNS, MAX_OUTLETS, CoverageUnit, Gap
from narratives.store import Store
from narratives.store.inputs import format_source_path
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
    """The values of this page's own controls: the slice with its period length, and what is counted."""

    slice: Slice
    counted: CoverageUnit


def draw_coverage_controls(view: View) -> CoverageSettings:
    """Draw the controls for what is counted and for the length of a period, and return their values."""
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
        ("Undated documents", undated, "They are not in any chart by period."),
        (
            "Copied paragraphs",
            copied["paragraphs"].sum(),
            "They repeat an earlier paragraph and are not counted again.",
        ),
        ("In unread languages", unread, "Paragraphs in languages that the model does not read. They are not matched."),
        ("Rejected", len(load_rejected(view.handle)), "Inputs and rows of the whole snapshot."),
    ]
    shell.draw_metrics([(label, f"{int(value):,}", note) for label, value, note in cells], 150)


def draw_coverage(view: View, settings: CoverageSettings) -> None:
    """Draw the coverage heatmap with what it omits, the longest gaps, and the tables."""
    shown = load_coverage(view.handle, settings.slice)
    if shown.empty:
        st.subheader("Coverage", anchor=False)
        _draw_empty_state(view, settings)
        return
    panel, missing = _build_coverage(view.handle, settings)
    chart_panel.draw_panel(view, panel, on_click=_open_cell)
    if missing:
        lines = [gap.in_words for gap in coverage.select_gaps(shown, missing)]
        if further := len(missing) - len(lines):
            lines.append(f"{phrases.format_count(further, 'further gap')} in the tables below.")
        st.text("\n".join(lines))
    else:
        noun = dates.GRANULARITY_NOUNS[settings.slice.by]
        st.text(f"No gaps: every outlet has a document in every {noun} between its first and its last.")
    with st.expander("Outlets and gaps as tables"):
        _draw_tables(view, settings, shown, missing)


@cache_shared()
def _build_coverage(handle: Handle, settings: CoverageSettings) -> tuple[chart_panel.ChartPanel, Sequence[Gap]]:
    shown = load_coverage(handle, settings.slice)
    missing, noun = coverage.find_gaps(shown), dates.GRANULARITY_NOUNS[settings.slice.by]
    named, summary = len(coverage.list_outlets(shown)), coverage.describe_coverage(shown, missing)
    reading = (
        f"The stronger the colour, the larger the number in that {noun} (square-root scale). "
        f"A dash marks a {noun} without documents between an outlet's first and last."
        + (f" The chart shows the {MAX_OUTLETS} largest of {named} outlets." if named > MAX_OUTLETS else "")
    )
    figure = coverage.build_coverage_heatmap(shown, settings.counted, missing)
    panel = chart_panel.ChartPanel(
        key="coverage",
        title="Coverage",
        how=f"{_describe_counts(handle, settings, shown)} {reading}",
        summary=summary,
        table=shown.assign(outlet=shown["outlet"].replace("", phrases.NOBODY)),
        slice=replace(settings.slice, narratives=()),
        columns=COVERAGE_COLUMNS,
        extra={"by": settings.slice.by, "documents_are": COVERAGE_DENOMINATOR},
        charts=[chart_panel.finish_chart("coverage", figure, summary)],
    )
    return panel, missing


def _open_cell(key: str) -> None:
    """Open the paragraphs of a cell's outlet and period (a chart's callback)."""
    point = navigation.get_clicked_point(key)
    if point is not None:
        # The narrative filter does not apply to the cells.
        navigation.open_evidence(navigation.narrow_slice(navigation.read_filters(), {"narrative": (), **point}))


def _describe_counts(handle: Handle, settings: CoverageSettings, shown: pd.DataFrame) -> str:
    """Describe what the chart counts and what it leaves out."""
    number = int(shown[settings.counted].sum())
    kind = phrases.describe_copies(settings.slice) if settings.counted == "statements" else "copies included"
    counted = phrases.format_count(number, COVERAGE_NOUNS[settings.counted])
    lines = [f"{counted}{phrases.describe_scope(settings.slice)}; {kind}."]
    documents = load_date_sources(handle, settings.slice)
    outside = int(documents["documents"].sum() - shown["documents"].sum())
    if outside:
        fine = "date" if settings.slice.by == "year" else f"date to the {dates.GRANULARITY_NOUNS[settings.slice.by]}"
        have, are = ("has", "is") if outside == 1 else ("have", "are")
        lines.append(f"{phrases.format_count(outside, 'further document')} {have} no {fine} and {are} in no column.")
    if omitted := sorted(set(documents["outlet"]) - set(shown["outlet"])):
        lines.append(f"No document of {phrases.format_list(omitted, 5, 'or')} has one.")
    if settings.slice.narratives:
        lines.append("The narrative filter does not apply here.")
    return " ".join(lines)


def _draw_empty_state(view: View, settings: CoverageSettings) -> None:
    def count(s: Slice) -> int:
        return int(load_coverage(view.handle, s)["documents"].sum())

    outside = int(load_date_sources(view.handle, settings.slice)["documents"].sum())
    fine = f"date to the {dates.GRANULARITY_NOUNS[settings.slice.by]}"
    hint = [f"{phrases.format_count(outside, 'document')} without a {fine}; see below."] if outside else []
    shell.draw_empty_state(view, replace(settings.slice, narratives=()), count, "dated document", hint)


def _draw_tables(view: View, settings: CoverageSettings, shown: pd.DataFrame, missing: Sequence[Gap]) -> None:
    outlets = coverage.build_outlet_table(shown, missing)
    columns = {
        "outlet": TEXT_COLUMN("Outlet"),
        **{key: COVERAGE_COLUMNS[key] for key in ("documents", "statements")},
        "first": TEXT_COLUMN("First"),
        "last": TEXT_COLUMN("Last"),
        "gap": TEXT_COLUMN("Longest gap"),
    }
    draw_table(view, settings.slice, outlets, columns, "outlets", COVERAGE_DENOMINATOR)
    if missing:
        gaps = pd.DataFrame(
            [
                (gap.outlet or phrases.NOBODY, *map(dates.describe_period, (gap.first, gap.last)), gap.periods)
                for gap in missing
            ],
            columns=["outlet", "first", "last", "periods"],
        )
        noun = dates.GRANULARITY_NOUNS[settings.slice.by].capitalize()
        named = {
            "outlet": TEXT_COLUMN("Outlet"),
            "first": TEXT_COLUMN("No document from"),
            "last": TEXT_COLUMN("To"),
            "periods": COUNT_COLUMN(f"{noun}s"),
        }
        draw_table(view, settings.slice, gaps, named, "gaps", f"{noun.lower()}s between an outlet's first and last")


_PRECISION_LABELS = {"day": "day", "month": "month", "year": "year only", "none": "no date"}
_VOICE_LABELS = {**phrases.VOICE_LABELS, "question": "question"}


def draw_slice_tables(view: View) -> None:
    """Draw the dates, copies, languages and voices of the slice, each a compact table with its denominator."""
    st.subheader("What was read", anchor=False)
    grid = st.grid("auto", min_column_width=330, gap="medium")
    for draw in (_draw_dates, _draw_copies, _draw_languages, _draw_voices):
        with grid.container():
            draw(view)


def _draw_dates(view: View) -> None:
    frame = load_date_sources(view.handle, view.slice)
    total, undated = frame["documents"].sum(), frame["date_precision"].eq("none")
    missing = int(frame.loc[undated, "documents"].sum())
    st.markdown("**Dates**")
    st.caption(f"{missing:,} of {phrases.format_count(int(total), 'document')} undated. Dates are never guessed.")
    columns = {
        "date_precision": TEXT_COLUMN("Dated to", width="small"),
        "date_source": TEXT_COLUMN("Where the date was, or why there is none", width="medium"),
        "documents": SMALL_COUNT_COLUMNS["documents"],
    }
    summed = frame.groupby(["date_precision", "date_source"])["documents"].sum().reset_index()
    rows = summed.assign(date_precision=summed["date_precision"].map(_PRECISION_LABELS))
    rows = rows.sort_values(by=["documents"], ascending=False, kind="stable")
    draw_table(view, view.slice, rows, columns, "dates", f"of {total:,} documents that may lie in the slice")
    if missing:
        draw_csv_button(
            f"{'Undated document' if missing == 1 else 'List of undated documents'} (CSV)",
            lambda: chart_panel.export_table(
                _hide_folders(sources_queries.query_undated(cached_queries.get_snapshot(view.handle), view.slice)),
                replace(view.slice, date_from="", date_to=""),
                cached_queries.get_manifest(view.handle),
                "documents without a date, whatever the years filter says",
            ),
            chart_panel.build_file_name("undated", view.handle.snapshot_id),
        )


def _draw_copies(view: View) -> None:
    frame = load_copies(view.handle, view.slice)
    total = int(load_language_counts(view.handle, view.slice)["paragraphs"].sum())
    within = int(frame.loc[frame["outlet"] == frame["original_outlet"], "paragraphs"].sum())
    copied = int(frame["paragraphs"].sum())
    st.markdown("**Copies**")
    if frame.empty:
        st.caption(f"None of {phrases.format_count(total, 'paragraph')} repeats an earlier one.")
        return
    st.caption(
        f"{copied:,} of {phrases.format_count(total, 'paragraph')} repeat an earlier one, exactly or nearly: "
        f"{within:,} within an outlet, {copied - within:,} across outlets."
    )
    columns = {
        "outlet": TEXT_COLUMN("Repeated by"),
        "original_outlet": TEXT_COLUMN("Original in"),
        **{key: SMALL_COUNT_COLUMNS[key] for key in ("paragraphs", "documents")},
    }
    rows = frame.assign(**{c: frame[c].replace("", phrases.NOBODY) for c in ("outlet", "original_outlet")})
    draw_table(view, view.slice, rows, columns, "copies", f"of {total:,} paragraphs of every kind")


def _draw_languages(view: View) -> None:
    frame = load_language_counts(view.handle, view.slice)
    total = int(frame["paragraphs"].sum())
    unread = int(frame.loc[~frame["matched"], "paragraphs"].sum())
    st.markdown("**Languages**")
    counted = phrases.format_count(total, "paragraph")
    st.caption(
        f"Languages that the model does not read: {unread:,} of {counted}. They are kept but never matched."
        if unread
        else f"All {counted} are in languages that the model reads."
    )
    rows = frame.assign(
        language=frame["language"].replace("", "(not detected)"),
        matched=frame["matched"].map({True: "yes", False: "not matched"}),
    )
    columns = {
        "language": TEXT_COLUMN("Language", help="ISO 639-1 code, as detected in the text.", width="small"),
        **{key: SMALL_COUNT_COLUMNS[key] for key in ("paragraphs", "statements")},
        "matched": TEXT_COLUMN("Matched", width="small"),
    }
    draw_table(view, view.slice, rows, columns, "languages", f"of {total:,} paragraphs of every kind")


def _draw_voices(view: View) -> None:
    frame = load_voices(view.handle, view.slice)
    total = int(frame["paragraphs"].sum())
    st.markdown("**Voices**")
    st.caption(
        f"{phrases.format_count(total, 'paragraph')} without titles and headings. Statement paragraphs have at least "
        "five words, are not questions, and are in a language that the model reads."
    )
    columns = {"voice": TEXT_COLUMN("Voice"), **{key: SMALL_COUNT_COLUMNS[key] for key in ("paragraphs", "statements")}}
    rows = frame.assign(voice=frame["voice"].map(_VOICE_LABELS).fillna(frame["voice"]))
    draw_table(view, view.slice, rows, columns, "voices", f"of {total:,} paragraphs without titles and headings")


def draw_store_tables(view: View) -> None:
    """Draw what the store holds and what it rejected; filters do not apply."""
    manifest, kept = cached_queries.get_manifest(view.handle), Store(Path(view.handle.store)).load_inputs()
    read = {row["source_path"]: row for row in load_inputs(view.handle).to_dict("records")}
    built = {(record.source_path, record.hash) for record in manifest.inputs}
    rows = []
    for record in kept:
        row = read.get(record.source_path, {"documents": 0, "rejected": 0})
        documents, rejected = int(row["documents"]), int(row["rejected"])
        if record.skipped:
            status = f"skipped: {record.skipped}"
        elif (record.source_path, record.hash) not in built:
            status = "will be in the next build"
        else:
            status = "in this snapshot" if documents else "nothing could be read"
        # The name of the input, without the folders of the server.
        rows.append((format_source_path(record.source_path), documents, rejected, status))
    st.subheader("Inputs", anchor=False)
    st.caption(f"{phrases.format_count(len(kept), 'input')} in the store. The filters do not apply here.")
    columns = {
        "input": TEXT_COLUMN("Input", width="medium"),
        **{key: SMALL_COUNT_COLUMNS[key] for key in ("documents", "rejected")},
        "status": TEXT_COLUMN("Status"),
    }
    if rows:
        draw_table(view, Slice(), pd.DataFrame(rows, columns=list(columns)), columns, "inputs", "inputs held")
    _draw_rejected(view)


def _hide_folders(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(source_path=frame["source_path"].map(format_source_path))


def _draw_rejected(view: View) -> None:
    frame = load_rejected(view.handle)
    st.subheader("Rejected", anchor=False)
    if frame.empty:
        st.caption("Nothing was rejected.")
        return
    st.caption(
        f"{len(frame):,} inputs or rows could not be read, or are already in the store under another name. "
        "Row 0 is the whole input. You can correct them and build again."
    )
    rows = _hide_folders(frame).assign(reason=frame["reason"].map(shell.hide_folders))
    draw_table(view, Slice(), rows, REJECTED_COLUMNS, "rejected", "inputs and rows that were rejected")
