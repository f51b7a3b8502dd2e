"""The parts of the Sources page: coverage, and what became of what was read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import pandas as pd
import streamlit as st

from narratives.model import Granularity, Slice
from narratives.show import charts, coverage, coverage_charts, data, downloads, frame, periods, words
from narratives.show import sources_data as answers
from narratives.show.coverage import Gap
from narratives.show.coverage_charts import MOST_OUTLETS, NOUN, Counted
from narratives.show.frame import View
from narratives.store import Store
from narratives.store.uploads import shown_path

_AUTO = "auto"
_PERIODS = {_AUTO: "Auto", "year": "Year", "quarter": "Quarter", "month": "Month"}
_COUNTED: dict[Counted, str] = {"documents": "Documents", "statements": "Statement paragraphs"}
_PRECISIONS = {"day": "day", "month": "month", "year": "year only", "none": "no date"}
_VOICES = {
    "own": "own words",
    "quoted": "quoted",
    "reported": "reported",
    "outlet": "the outlet's voice",
    "question": "question",
}
_NUMBER = st.column_config.NumberColumn
_TEXT = st.column_config.TextColumn


@dataclass(frozen=True, slots=True)
class Choice:
    """What this page's own controls say: the slice with its granularity, and what is counted."""

    slice: Slice
    counted: Counted


def controls(view: View) -> Choice:
    """Draw what is counted and the length of a period; both in the URL."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        counted = st.segmented_control(
            "Count",
            list(_COUNTED),
            format_func=_COUNTED.__getitem__,
            default="documents",
            required=True,
            key="counted",
            bind="query-params",
            help="Documents of any kind, copies and other languages included; or the statement paragraphs "
            "that the shares on the other pages rest on.",
        )
        by = st.segmented_control(
            "Period",
            list(_PERIODS),
            format_func=_PERIODS.__getitem__,
            default=_AUTO,
            required=True,
            key="columns",
            bind="query-params",
            help="Auto shows months, or longer periods where the range is long or dates are coarse.",
        )
    granularity = cast(Granularity, by)
    if by == _AUTO:
        dated = answers.date_sources(view.handle, view.slice)
        granularity = coverage.choose(answers.years(view.handle, view.slice), dated)
    return Choice(replace(view.slice, by=granularity), counted)


def headline(view: View) -> None:
    """How much there is in the slice, and how much of it is undated, copied, unread or was refused."""
    documents = answers.date_sources(view.handle, view.slice)
    languages, copied = (ask(view.handle, view.slice) for ask in (answers.languages, answers.copies))
    undated = documents.loc[documents["date_precision"] == "none", "documents"].sum()
    unread = languages.loc[~languages["matched"], "paragraphs"].sum()
    cells = [
        ("Documents", documents["documents"].sum(), "All that were read, copies and undated ones included."),
        ("Paragraphs", languages["paragraphs"].sum(), "Of every kind: headings and questions too."),
        ("Undated documents", undated, "They stand in no period of any chart."),
        ("Copied paragraphs", copied["paragraphs"].sum(), "They repeat an earlier one and count once."),
        ("In unread languages", unread, "Paragraphs in a language of which none is matched."),
        ("Rejected", len(answers.rejected(view.handle)), "Inputs and rows; of the whole snapshot."),
    ]
    grid = st.grid("auto", min_column_width=150, gap="small")
    for label, value, note in cells:
        grid.metric(label, f"{int(value):,}", help=note)


def drawn(view: View, choice: Choice) -> None:
    """The heatmap of coverage, what it leaves out, the longest gaps in words, and its tables."""
    st.subheader("Coverage", anchor=False)
    shown = answers.coverage(view.handle, choice.slice)
    if shown.empty:
        _nothing(view, choice)
        return
    missing, noun = coverage.gaps(shown), periods.NOUN[choice.slice.by]
    frame.note(_counted(view, choice, shown))
    st.plotly_chart(
        coverage_charts.heatmap(shown, choice.counted, missing),
        config=charts.CONFIG,
        key="coverage",
        alt=coverage.summary(shown, missing),
    )
    named = len(coverage.outlets(shown))
    st.caption(
        f"The fuller the colour, the more in that {noun} (by the square root); point at a cell for the "
        f"numbers. A dash marks a {noun} without any document between an outlet's first and last."
        + (f" The {MOST_OUTLETS} largest of {named} outlets are drawn." if named > MOST_OUTLETS else "")
    )
    if missing:
        told = [gap.in_words for gap in coverage.telling(shown, missing)]
        if further := len(missing) - len(told):
            told.append(f"{words.count(further, 'further gap')} in the tables below.")
        st.text("\n".join(told))
    else:
        st.text(f"No gap: every outlet has a document in every {noun} between its first and its last.")
    with st.expander("Outlets, gaps and counts as tables"):
        _tables(view, choice, shown, missing)


def _counted(view: View, choice: Choice, shown: pd.DataFrame) -> str:
    """What the chart counts and what stands in none of its cells."""
    narrowed = words.who(choice.slice) + (f" dated {span}" if (span := words.years(choice.slice)) else "")
    number = int(shown[choice.counted].sum())
    kind = words.copies(choice.slice) if choice.counted == "statements" else "copies included"
    lines = [f"{words.count(number, NOUN[choice.counted])}{narrowed}; {kind}."]
    found = answers.date_sources(view.handle, choice.slice)
    outside = int(found["documents"].sum() - shown["documents"].sum())
    if outside:
        fine = "date" if choice.slice.by == "year" else f"date to the {periods.NOUN[choice.slice.by]}"
        has, stand = ("has", "stands") if outside == 1 else ("have", "stand")
        lines.append(
            f"{words.count(outside, 'further document')} {has} no {fine} and so {stand} in no column."
        )
    if rowless := sorted(set(found["outlet"]) - set(shown["outlet"])):
        lines.append(f"No document of {words.listing(rowless, 5, 'or')} has one.")
    if choice.slice.narratives:
        lines.append("The narrative filter plays no part here.")
    return " ".join(lines)


def _nothing(view: View, choice: Choice) -> None:
    def count(s: Slice) -> int:
        return int(answers.coverage(view.handle, s)["documents"].sum())

    found = answers.date_sources(view.handle, choice.slice)
    outside = int(found["documents"].sum())
    fine = f"date to the {periods.NOUN[choice.slice.by]}"
    hint = [f"{words.count(outside, 'document')} without a {fine}; see below."] if outside else []
    frame.nothing(view, replace(choice.slice, narratives=()), count, "dated document", hint)


def _tables(view: View, choice: Choice, shown: pd.DataFrame, missing: Sequence[Gap]) -> None:
    what = "documents with any paragraph in the slice; statement paragraphs as the shares count them"
    outlets = coverage.by_outlet(shown, missing)
    columns = {
        "outlet": _TEXT("Outlet"),
        "documents": _NUMBER("Documents", format="localized"),
        "statements": _NUMBER("Statement paragraphs", format="localized"),
        "first": _TEXT("First"),
        "last": _TEXT("Last"),
        "gap": _TEXT("Longest gap"),
    }
    _table(view, choice.slice, outlets, columns, "outlets", what)
    if missing:
        told = pd.DataFrame(
            [
                (gap.outlet or words.NOBODY, *map(periods.in_words, (gap.first, gap.last)), gap.periods)
                for gap in missing
            ],
            columns=["outlet", "first", "last", "periods"],
        )
        noun = periods.NOUN[choice.slice.by].capitalize()
        named = {
            "outlet": _TEXT("Outlet"),
            "first": _TEXT("No document from"),
            "last": _TEXT("To"),
            "periods": _NUMBER(f"{noun}s", format="localized"),
        }
        _table(view, choice.slice, told, named, "gaps", f"{noun.lower()}s between an outlet's first and last")
    cells = {
        "outlet": _TEXT("Outlet"),
        "period": _TEXT("Period"),
        "documents": _NUMBER("Documents", format="localized"),
        "statements": _NUMBER("Statement paragraphs", format="localized"),
    }
    counts = shown.assign(outlet=shown["outlet"].replace("", words.NOBODY))
    _table(view, choice.slice, counts, cells, "coverage", what)


def contents(view: View) -> None:
    """Dates, copies, languages and voices of the slice, each a compact table with its denominator."""
    st.subheader("What was read", anchor=False)
    grid = st.grid("auto", min_column_width=330, gap="medium")
    with grid.container():
        _dates(view)
    with grid.container():
        _copies(view)
    with grid.container():
        _languages(view)
    with grid.container():
        _voices(view)


def _dates(view: View) -> None:
    found = answers.date_sources(view.handle, view.slice)
    total, undated = found["documents"].sum(), found["date_precision"].eq("none")
    missing = int(found.loc[undated, "documents"].sum())
    st.markdown("**Dates**")
    st.caption(f"{missing:,} of {words.count(int(total), 'document')} undated. Dates are never guessed.")
    columns = {
        "date_precision": _TEXT("Dated to", width="small"),
        "date_source": _TEXT("Where it stood, or why there is none", width="medium"),
        "documents": _NUMBER("Documents", format="localized", width="small"),
    }
    summed = found.groupby(["date_precision", "date_source"])["documents"].sum().reset_index()
    told = summed.assign(date_precision=summed["date_precision"].map(_PRECISIONS))
    told = told.sort_values(by=["documents"], ascending=False, kind="stable")
    _table(view, view.slice, told, columns, "dates", f"of {total:,} documents that may lie in the slice")
    if missing:
        st.download_button(
            f"Undated {'document' if missing == 1 else 'documents'}, one by one (CSV)",
            lambda: downloads.table_csv(
                answers.undated(view.handle, view.slice),
                replace(view.slice, date_from="", date_to=""),
                data.manifest(view.handle),
                "documents without a date, whatever the years filter says",
            ),
            downloads.file_name("undated", view.handle.snapshot_id),
            "text/csv",
            on_click="ignore",
            type="tertiary",
            icon=":material/download:",
        )


def _copies(view: View) -> None:
    found = answers.copies(view.handle, view.slice)
    total = int(answers.languages(view.handle, view.slice)["paragraphs"].sum())
    within = int(found.loc[found["outlet"] == found["original_outlet"], "paragraphs"].sum())
    copied = int(found["paragraphs"].sum())
    st.markdown("**Copies**")
    if found.empty:
        st.caption(f"None of {words.count(total, 'paragraph')} repeats an earlier one.")
        return
    st.caption(
        f"{copied:,} of {words.count(total, 'paragraph')} repeat an earlier one, exactly or nearly: "
        f"{within:,} within an outlet, {copied - within:,} across outlets."
    )
    columns = {
        "outlet": _TEXT("Repeats"),
        "original_outlet": _TEXT("First in"),
        "paragraphs": _NUMBER("Paragraphs", format="localized", width="small"),
        "documents": _NUMBER("In documents", format="localized", width="small"),
    }
    told = found.assign(**{c: found[c].replace("", words.NOBODY) for c in ("outlet", "original_outlet")})
    _table(view, view.slice, told, columns, "copies", f"of {total:,} paragraphs of every kind")


def _languages(view: View) -> None:
    found = answers.languages(view.handle, view.slice)
    total = int(found["paragraphs"].sum())
    unread = int(found.loc[~found["matched"], "paragraphs"].sum())
    st.markdown("**Languages**")
    st.caption(
        f"{unread:,} of {words.count(total, 'paragraph')} in languages that the model does not read: they "
        "are kept, but matched with no narrative."
        if unread
        else f"All {words.count(total, 'paragraph')} are in languages that the model reads."
    )
    told = found.assign(
        language=found["language"].replace("", "(not detected)"),
        matched=found["matched"].map({True: "yes", False: "not matched"}),
    )
    columns = {
        "language": _TEXT("Language", help="ISO 639-1 code, as detected in the text.", width="small"),
        "paragraphs": _NUMBER("Paragraphs", format="localized", width="small"),
        "statements": _NUMBER("Statements", format="localized", width="small"),
        "matched": _TEXT("Matched", width="small"),
    }
    _table(view, view.slice, told, columns, "languages", f"of {total:,} paragraphs of every kind")


def _voices(view: View) -> None:
    found = answers.voices(view.handle, view.slice)
    total = int(found["paragraphs"].sum())
    st.markdown("**Voices**")
    st.caption(
        f"{words.count(total, 'paragraph')} that are no titles or headings. Statement paragraphs are five "
        "words or longer, no questions, and in a language that is read."
    )
    columns = {
        "voice": _TEXT("Voice"),
        "paragraphs": _NUMBER("Paragraphs", format="localized", width="small"),
        "statements": _NUMBER("Statements", format="localized", width="small"),
    }
    told = found.assign(voice=found["voice"].map(_VOICES).fillna(found["voice"]))
    _table(view, view.slice, told, columns, "voices", f"of {total:,} paragraphs without titles and headings")


def inputs(view: View) -> None:
    """What the store holds and what it refused; filters play no part."""
    manifest, kept = data.manifest(view.handle), Store(Path(view.handle.store)).held()
    came = {row["source_path"]: row for row in answers.inputs(view.handle).to_dict("records")}
    built = {(record.source_path, record.hash) for record in manifest.inputs}
    rows = []
    for record in kept:
        row = came.get(record.source_path, {"documents": 0, "rejected": 0})
        documents, refused = int(row["documents"]), int(row["rejected"])
        if (record.source_path, record.hash) not in built:
            status = "comes with the next build"
        else:
            status = "in this snapshot" if documents else "nothing could be read"
        rows.append((shown_path(record.source_path), documents, refused, status, str(record.path)))
    st.subheader("Inputs", anchor=False)
    st.caption(f"{words.count(len(kept), 'input')} in the store, whatever the filters say.")
    columns = {
        "input": _TEXT("Input", width="medium"),
        "documents": _NUMBER("Documents", format="localized", width="small"),
        "rejected": _NUMBER("Rejected rows", format="localized", width="small"),
        "status": _TEXT("Status"),
        "path": _TEXT("Lies at", width="medium"),
    }
    if rows:
        _table(view, Slice(), pd.DataFrame(rows, columns=list(columns)), columns, "inputs", "inputs held")
    _rejected(view)


def _rejected(view: View) -> None:
    found = answers.rejected(view.handle)
    st.subheader("Rejected", anchor=False)
    if found.empty:
        st.caption("Nothing was rejected.")
        return
    st.caption(
        f"{len(found):,} of the inputs and their rows could not be read, or are in the store already under "
        "another name. Row 0 is the whole input. Mend it and build again, or leave it as it is."
    )
    columns = {
        "source_path": _TEXT("Input", width="medium"),
        "row": _NUMBER("Row", width="small"),
        "reason": _TEXT("Reason", width="large"),
    }
    told = found.assign(source_path=found["source_path"].map(shown_path))
    _table(view, Slice(), told, columns, "rejected", "inputs and rows that were rejected")


def _table(
    view: View, s: Slice, shown: pd.DataFrame, columns: dict[str, Any], what: str, denominator: str
) -> None:
    """A sortable table as high as its first ten rows, and its CSV."""
    st.dataframe(
        shown,
        column_config=columns,
        column_order=list(columns),
        hide_index=True,
        height="content" if len(shown) <= 10 else 388,
        key=f"table-{what}",
    )
    st.download_button(
        f"{what.capitalize()} (CSV)",
        lambda: downloads.table_csv(shown, s, data.manifest(view.handle), denominator),
        downloads.file_name(what, view.handle.snapshot_id),
        "text/csv",
        on_click="ignore",
        type="tertiary",
        icon=":material/download:",
        key=f"csv-{what}",
    )
