"""What became of what was read: dates, copies, languages, voices, inputs and rejections."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd
import streamlit as st

from narratives.dashboard import cached_queries
from narratives.dashboard.components import chart_panel
from narratives.dashboard.components.tables import NUMBER_COLUMN, TEXT_COLUMN, draw_table
from narratives.dashboard.shell import View
from narratives.dashboard.views import sources
from narratives.model import Slice
from narratives.render import phrases
from narratives.store import Store
from narratives.store.inputs import format_source_path

_PRECISION_LABELS = {"day": "day", "month": "month", "year": "year only", "none": "no date"}
_VOICE_LABELS = {
    "own": "own words",
    "quoted": "quoted",
    "reported": "reported",
    "outlet": "the outlet's voice",
    "question": "question",
}


def draw_slice_tables(view: View) -> None:
    """Dates, copies, languages and voices of the slice, each a compact table with its denominator."""
    st.subheader("What was read", anchor=False)
    grid = st.grid("auto", min_column_width=330, gap="medium")
    with grid.container():
        _draw_dates(view)
    with grid.container():
        _draw_copies(view)
    with grid.container():
        _draw_languages(view)
    with grid.container():
        _draw_voices(view)


def _draw_dates(view: View) -> None:
    found = sources.load_date_sources(view.handle, view.slice)
    total, undated = found["documents"].sum(), found["date_precision"].eq("none")
    missing = int(found.loc[undated, "documents"].sum())
    st.markdown("**Dates**")
    st.caption(f"{missing:,} of {phrases.format_count(int(total), 'document')} undated. Dates are never guessed.")
    columns = {
        "date_precision": TEXT_COLUMN("Dated to", width="small"),
        "date_source": TEXT_COLUMN("Where it stood, or why there is none", width="medium"),
        "documents": NUMBER_COLUMN("Documents", format="localized", width="small"),
    }
    summed = found.groupby(["date_precision", "date_source"])["documents"].sum().reset_index()
    told = summed.assign(date_precision=summed["date_precision"].map(_PRECISION_LABELS))
    told = told.sort_values(by=["documents"], ascending=False, kind="stable")
    draw_table(view, view.slice, told, columns, "dates", f"of {total:,} documents that may lie in the slice")
    if missing:
        st.download_button(
            f"Undated {'document' if missing == 1 else 'documents'}, one by one (CSV)",
            lambda: chart_panel.export_table(
                sources.load_undated_documents(view.handle, view.slice),
                replace(view.slice, date_from="", date_to=""),
                cached_queries.get_manifest(view.handle),
                "documents without a date, whatever the years filter says",
            ),
            chart_panel.build_file_name("undated", view.handle.snapshot_id),
            "text/csv",
            on_click="ignore",
            type="tertiary",
            icon=":material/download:",
        )


def _draw_copies(view: View) -> None:
    found = sources.load_copies(view.handle, view.slice)
    total = int(sources.load_language_counts(view.handle, view.slice)["paragraphs"].sum())
    within = int(found.loc[found["outlet"] == found["original_outlet"], "paragraphs"].sum())
    copied = int(found["paragraphs"].sum())
    st.markdown("**Copies**")
    if found.empty:
        st.caption(f"None of {phrases.format_count(total, 'paragraph')} repeats an earlier one.")
        return
    st.caption(
        f"{copied:,} of {phrases.format_count(total, 'paragraph')} repeat an earlier one, exactly or nearly: "
        f"{within:,} within an outlet, {copied - within:,} across outlets."
    )
    columns = {
        "outlet": TEXT_COLUMN("Repeats"),
        "original_outlet": TEXT_COLUMN("First in"),
        "paragraphs": NUMBER_COLUMN("Paragraphs", format="localized", width="small"),
        "documents": NUMBER_COLUMN("In documents", format="localized", width="small"),
    }
    told = found.assign(**{c: found[c].replace("", phrases.NOBODY) for c in ("outlet", "original_outlet")})
    draw_table(view, view.slice, told, columns, "copies", f"of {total:,} paragraphs of every kind")


def _draw_languages(view: View) -> None:
    found = sources.load_language_counts(view.handle, view.slice)
    total = int(found["paragraphs"].sum())
    unread = int(found.loc[~found["matched"], "paragraphs"].sum())
    st.markdown("**Languages**")
    st.caption(
        f"{unread:,} of {phrases.format_count(total, 'paragraph')} in languages that the model does not read: they "
        "are kept, but matched with no narrative."
        if unread
        else f"All {phrases.format_count(total, 'paragraph')} are in languages that the model reads."
    )
    told = found.assign(
        language=found["language"].replace("", "(not detected)"),
        matched=found["matched"].map({True: "yes", False: "not matched"}),
    )
    columns = {
        "language": TEXT_COLUMN("Language", help="ISO 639-1 code, as detected in the text.", width="small"),
        "paragraphs": NUMBER_COLUMN("Paragraphs", format="localized", width="small"),
        "statements": NUMBER_COLUMN("Statements", format="localized", width="small"),
        "matched": TEXT_COLUMN("Matched", width="small"),
    }
    draw_table(view, view.slice, told, columns, "languages", f"of {total:,} paragraphs of every kind")


def _draw_voices(view: View) -> None:
    found = sources.load_voices(view.handle, view.slice)
    total = int(found["paragraphs"].sum())
    st.markdown("**Voices**")
    st.caption(
        f"{phrases.format_count(total, 'paragraph')} that are no titles or headings. Statement paragraphs are five "
        "words or longer, no questions, and in a language that is read."
    )
    columns = {
        "voice": TEXT_COLUMN("Voice"),
        "paragraphs": NUMBER_COLUMN("Paragraphs", format="localized", width="small"),
        "statements": NUMBER_COLUMN("Statements", format="localized", width="small"),
    }
    told = found.assign(voice=found["voice"].map(_VOICE_LABELS).fillna(found["voice"]))
    draw_table(view, view.slice, told, columns, "voices", f"of {total:,} paragraphs without titles and headings")


def draw_store_tables(view: View) -> None:
    """What the store holds and what it refused; filters play no part."""
    manifest, kept = cached_queries.get_manifest(view.handle), Store(Path(view.handle.store)).held()
    came = {row["source_path"]: row for row in sources.load_inputs(view.handle).to_dict("records")}
    built = {(record.source_path, record.hash) for record in manifest.inputs}
    rows = []
    for record in kept:
        row = came.get(record.source_path, {"documents": 0, "rejected": 0})
        documents, refused = int(row["documents"]), int(row["rejected"])
        if (record.source_path, record.hash) not in built:
            status = "comes with the next build"
        else:
            status = "in this snapshot" if documents else "nothing could be read"
        rows.append((format_source_path(record.source_path), documents, refused, status))
    st.subheader("Inputs", anchor=False)
    # As it was named, not where it lies: readers of a dashboard need not know the server's folders.
    st.caption(f"{phrases.format_count(len(kept), 'input')} in the store, whatever the filters say.")
    columns = {
        "input": TEXT_COLUMN("Input", width="medium"),
        "documents": NUMBER_COLUMN("Documents", format="localized", width="small"),
        "rejected": NUMBER_COLUMN("Rejected rows", format="localized", width="small"),
        "status": TEXT_COLUMN("Status"),
    }
    if rows:
        draw_table(view, Slice(), pd.DataFrame(rows, columns=list(columns)), columns, "inputs", "inputs held")
    _draw_rejected(view)


def _draw_rejected(view: View) -> None:
    found = sources.load_rejected(view.handle)
    st.subheader("Rejected", anchor=False)
    if found.empty:
        st.caption("Nothing was rejected.")
        return
    st.caption(
        f"{len(found):,} of the inputs and their rows could not be read, or are in the store already under "
        "another name. Row 0 is the whole input. Mend it and build again, or leave it as it is."
    )
    columns = {
        "source_path": TEXT_COLUMN("Input", width="medium"),
        "row": NUMBER_COLUMN("Row", width="small"),
        "reason": TEXT_COLUMN("Reason", width="large"),
    }
    told = found.assign(source_path=found["source_path"].map(format_source_path))
    draw_table(view, Slice(), told, columns, "rejected", "inputs and rows that were rejected")
