"""The Sources page's questions to a snapshot, their answers kept by snapshot and slice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import pandas as pd
import streamlit as st

from narratives.dashboard import cached_queries, navigation, shell, sidebar
from narratives.dashboard.cached_queries import KEEP_SECONDS, Handle
from narratives.dashboard.components import chart_panel, controls
from narratives.dashboard.components.tables import NUMBER, TEXT, table
from narratives.dashboard.shell import View
from narratives.model import Slice, dates
from narratives.render import coverage, phrases
from narratives.render.coverage import MOST_OUTLETS, NOUN, Counted, Gap
from narratives.store.queries import sources as sources_queries


@st.cache_data(max_entries=100, ttl=KEEP_SECONDS, show_spinner=False)
def coverage_counts(handle: Handle, s: Slice) -> pd.DataFrame:
    """Columns outlet, period, documents, statements."""
    return sources_queries.coverage(cached_queries.snapshot(handle), s)


@st.cache_data(max_entries=100, ttl=KEEP_SECONDS, show_spinner=False)
def date_sources(handle: Handle, s: Slice) -> pd.DataFrame:
    """Columns outlet, date_precision, date_source, documents."""
    return sources_queries.date_sources(cached_queries.snapshot(handle), s)


@st.cache_data(max_entries=20, ttl=KEEP_SECONDS, show_spinner=False)
def undated(handle: Handle, s: Slice) -> pd.DataFrame:
    """Columns outlet, title, source_path, url, date_source."""
    return sources_queries.undated(cached_queries.snapshot(handle), s)


@st.cache_data(max_entries=100, ttl=KEEP_SECONDS, show_spinner=False)
def copies(handle: Handle, s: Slice) -> pd.DataFrame:
    """Columns outlet, original_outlet, paragraphs, documents."""
    return sources_queries.copies(cached_queries.snapshot(handle), s)


@st.cache_data(max_entries=100, ttl=KEEP_SECONDS, show_spinner=False)
def language_counts(handle: Handle, s: Slice) -> pd.DataFrame:
    """Columns language, paragraphs, statements, matched."""
    return sources_queries.languages(cached_queries.snapshot(handle), s)


@st.cache_data(max_entries=100, ttl=KEEP_SECONDS, show_spinner=False)
def voices(handle: Handle, s: Slice) -> pd.DataFrame:
    """Columns voice, paragraphs, statements."""
    return sources_queries.voices(cached_queries.snapshot(handle), s)


@st.cache_data(max_entries=8, ttl=KEEP_SECONDS, show_spinner=False)
def rejected(handle: Handle) -> pd.DataFrame:
    """Columns source_path, row, reason."""
    return sources_queries.rejected(cached_queries.snapshot(handle))


@st.cache_data(max_entries=8, ttl=KEEP_SECONDS, show_spinner=False)
def inputs(handle: Handle) -> pd.DataFrame:
    """Columns source_path, documents, rejected, reason."""
    return sources_queries.inputs(cached_queries.snapshot(handle))


def years(handle: Handle, s: Slice) -> list[str]:
    """The years with text, in order."""
    return sorted(set(coverage_counts(handle, replace(s, by="year"))["period"]))


_LENGTHS = {key: name for key, name in dates.LENGTHS.items() if key != "half"}
DOCUMENTS = "documents with any paragraph in the slice; statement paragraphs as the shares count them"
CELLS = {
    "outlet": TEXT("Outlet"),
    "period": TEXT("Period"),
    "documents": NUMBER("Documents", format="localized"),
    "statements": NUMBER("Statement paragraphs", format="localized"),
}
_COUNTED: Mapping[Counted, str] = {"documents": "Documents", "statements": "Statement paragraphs"}


@dataclass(frozen=True, slots=True)
class Choice:
    """What this page's own controls say: the slice with its granularity, and what is counted."""

    slice: Slice
    counted: Counted


def choices(view: View) -> Choice:
    """Draw what is counted and the length of a period; both in the URL."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        counted = controls.choice(
            "Count",
            "counted",
            _COUNTED,
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
        dated = date_sources(view.handle, view.slice)
        by = coverage.choose(years(view.handle, view.slice), dated)
    else:
        by = length
    return Choice(replace(view.slice, by=by), counted)


def headline(view: View) -> None:
    """How much there is in the slice, and how much of it is undated, copied, unread or was refused."""
    documents = date_sources(view.handle, view.slice)
    languages, copied = (ask(view.handle, view.slice) for ask in (language_counts, copies))
    undated = documents.loc[documents["date_precision"] == "none", "documents"].sum()
    unread = languages.loc[~languages["matched"], "paragraphs"].sum()
    cells = [
        ("Documents", documents["documents"].sum(), "All that were read, copies and undated ones included."),
        ("Paragraphs", languages["paragraphs"].sum(), "Of every kind: headings and questions too."),
        ("Undated documents", undated, "They stand in no period of any chart."),
        ("Copied paragraphs", copied["paragraphs"].sum(), "They repeat an earlier one and count once."),
        ("In unread languages", unread, "Paragraphs in a language of which none is matched."),
        ("Rejected", len(rejected(view.handle)), "Inputs and rows; of the whole snapshot."),
    ]
    grid = st.grid("auto", min_column_width=150, gap="small")
    for label, value, note in cells:
        grid.metric(label, f"{int(value):,}", help=note)


def drawn(view: View, choice: Choice) -> None:
    """The heatmap of coverage in its panel, what it leaves out, the longest gaps in words, and its tables."""
    shown = coverage_counts(view.handle, choice.slice)
    if shown.empty:
        st.subheader("Coverage", anchor=False)
        _nothing(view, choice)
        return
    missing, noun = coverage.gaps(shown), dates.NOUN[choice.slice.by]
    named, summary = len(coverage.outlets(shown)), coverage.summary(shown, missing)
    reading = (
        f"The fuller the colour, the more in that {noun} (by the square root). "
        f"A dash marks a {noun} without any document between an outlet's first and last."
        + (f" The {MOST_OUTLETS} largest of {named} outlets are drawn." if named > MOST_OUTLETS else "")
    )
    drawn_panel = chart_panel.Panel(
        key="coverage",
        title="Coverage",
        how=f"{_counted(view, choice, shown)} {reading}",
        summary=summary,
        table=shown.assign(outlet=shown["outlet"].replace("", phrases.NOBODY)),
        slice=replace(choice.slice, narratives=()),
        columns=CELLS,
        extra={"by": choice.slice.by, "documents_are": DOCUMENTS},
    )

    def figures() -> chart_panel.Figures:
        return [("coverage", coverage.heatmap(shown, choice.counted, missing), summary)]

    chart_panel.show(view, drawn_panel, figures, on_click=_to_cell)
    if missing:
        told = [gap.in_words for gap in coverage.telling(shown, missing)]
        if further := len(missing) - len(told):
            told.append(f"{phrases.count(further, 'further gap')} in the tables below.")
        st.text("\n".join(told))
    else:
        st.text(f"No gap: every outlet has a document in every {noun} between its first and its last.")
    with st.expander("Outlets and gaps as tables"):
        _tables(view, choice, shown, missing)


def _to_cell(key: str) -> None:
    """Open the paragraphs of the outlet and period of a cell (a chart's callback)."""
    point = navigation.clicked(key)
    if point is not None:
        # The narrative filter plays no part in the cells.
        navigation.show_evidence(navigation.narrowed(sidebar.current(), {"narrative": (), **point}))


def _counted(view: View, choice: Choice, shown: pd.DataFrame) -> str:
    """What the chart counts and what stands in none of its cells."""
    narrowed = phrases.who(choice.slice) + (f" dated {span}" if (span := phrases.years(choice.slice)) else "")
    number = int(shown[choice.counted].sum())
    kind = phrases.copies(choice.slice) if choice.counted == "statements" else "copies included"
    lines = [f"{phrases.count(number, NOUN[choice.counted])}{narrowed}; {kind}."]
    found = date_sources(view.handle, choice.slice)
    outside = int(found["documents"].sum() - shown["documents"].sum())
    if outside:
        fine = "date" if choice.slice.by == "year" else f"date to the {dates.NOUN[choice.slice.by]}"
        has, stand = ("has", "stands") if outside == 1 else ("have", "stand")
        lines.append(
            f"{phrases.count(outside, 'further document')} {has} no {fine} and so {stand} in no column."
        )
    if rowless := sorted(set(found["outlet"]) - set(shown["outlet"])):
        lines.append(f"No document of {phrases.listing(rowless, 5, 'or')} has one.")
    if choice.slice.narratives:
        lines.append("The narrative filter plays no part here.")
    return " ".join(lines)


def _nothing(view: View, choice: Choice) -> None:
    def count(s: Slice) -> int:
        return int(coverage_counts(view.handle, s)["documents"].sum())

    found = date_sources(view.handle, choice.slice)
    outside = int(found["documents"].sum())
    fine = f"date to the {dates.NOUN[choice.slice.by]}"
    hint = [f"{phrases.count(outside, 'document')} without a {fine}; see below."] if outside else []
    shell.nothing(view, replace(choice.slice, narratives=()), count, "dated document", hint)


def _tables(view: View, choice: Choice, shown: pd.DataFrame, missing: Sequence[Gap]) -> None:
    outlets = coverage.by_outlet(shown, missing)
    columns = {
        "outlet": TEXT("Outlet"),
        "documents": NUMBER("Documents", format="localized"),
        "statements": NUMBER("Statement paragraphs", format="localized"),
        "first": TEXT("First"),
        "last": TEXT("Last"),
        "gap": TEXT("Longest gap"),
    }
    table(view, choice.slice, outlets, columns, "outlets", DOCUMENTS)
    if missing:
        told = pd.DataFrame(
            [
                (gap.outlet or phrases.NOBODY, *map(dates.in_words, (gap.first, gap.last)), gap.periods)
                for gap in missing
            ],
            columns=["outlet", "first", "last", "periods"],
        )
        noun = dates.NOUN[choice.slice.by].capitalize()
        named = {
            "outlet": TEXT("Outlet"),
            "first": TEXT("No document from"),
            "last": TEXT("To"),
            "periods": NUMBER(f"{noun}s", format="localized"),
        }
        table(view, choice.slice, told, named, "gaps", f"{noun.lower()}s between an outlet's first and last")
