"""The lower part of the Sources page: dates, copies, languages, voices, inputs and rejections."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd
import streamlit as st

from narratives.dashboard import cached_queries
from narratives.dashboard.components import chart_panel
from narratives.dashboard.components.tables import (
    REJECTED_COLUMNS,
    SMALL_COUNT_COLUMNS,
    TEXT_COLUMN,
    draw_csv_button,
    draw_table,
)
from narratives.dashboard.shell import View
from narratives.dashboard.views import sources
from narratives.model import Slice
from narratives.render import phrases
from narratives.store import Store
from narratives.store.inputs import format_source_path
from narratives.store.queries import sources as sources_queries

_PRECISION_LABELS = {"day": "day", "month": "month", "year": "year only", "none": "no date"}
_VOICE_LABELS = {
    "own": "own words",
    "quoted": "quoted",
    "reported": "reported",
    "outlet": "the outlet's voice",
    "question": "question",
}


def draw_slice_tables(view: View) -> None:
    """Draw the dates, copies, languages and voices of the slice, each a compact table with its denominator."""
    st.subheader("What was read", anchor=False)
    grid = st.grid("auto", min_column_width=330, gap="medium")
    for draw in (_draw_dates, _draw_copies, _draw_languages, _draw_voices):
        with grid.container():
            draw(view)


def _draw_dates(view: View) -> None:
    frame = sources.load_date_sources(view.handle, view.slice)
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
                sources_queries.query_undated(cached_queries.get_snapshot(view.handle), view.slice),
                replace(view.slice, date_from="", date_to=""),
                cached_queries.get_manifest(view.handle),
                "documents without a date, whatever the years filter says",
            ),
            chart_panel.build_file_name("undated", view.handle.snapshot_id),
        )


def _draw_copies(view: View) -> None:
    frame = sources.load_copies(view.handle, view.slice)
    total = int(sources.load_language_counts(view.handle, view.slice)["paragraphs"].sum())
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
    frame = sources.load_language_counts(view.handle, view.slice)
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
    frame = sources.load_voices(view.handle, view.slice)
    total = int(frame["paragraphs"].sum())
    st.markdown("**Voices**")
    st.caption(
        f"{phrases.format_count(total, 'paragraph')} without titles and headings. Statement paragraphs have at least "
        "five words, are not questions, and are in a language that the model reads."
    )
    columns = {
        "voice": TEXT_COLUMN("Voice"),
        **{key: SMALL_COUNT_COLUMNS[key] for key in ("paragraphs", "statements")},
    }
    rows = frame.assign(voice=frame["voice"].map(_VOICE_LABELS).fillna(frame["voice"]))
    draw_table(view, view.slice, rows, columns, "voices", f"of {total:,} paragraphs without titles and headings")


def draw_store_tables(view: View) -> None:
    """Draw what the store holds and what it rejected; filters do not apply."""
    manifest, kept = cached_queries.get_manifest(view.handle), Store(Path(view.handle.store)).load_inputs()
    read = {row["source_path"]: row for row in sources.load_inputs(view.handle).to_dict("records")}
    built = {(record.source_path, record.hash) for record in manifest.inputs}
    rows = []
    for record in kept:
        row = read.get(record.source_path, {"documents": 0, "rejected": 0})
        documents, rejected = int(row["documents"]), int(row["rejected"])
        if (record.source_path, record.hash) not in built:
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


def _draw_rejected(view: View) -> None:
    frame = sources.load_rejected(view.handle)
    st.subheader("Rejected", anchor=False)
    if frame.empty:
        st.caption("Nothing was rejected.")
        return
    st.caption(
        f"{len(frame):,} inputs or rows could not be read, or are already in the store under another name. "
        "Row 0 is the whole input. You can correct them and build again."
    )
    rows = frame.assign(source_path=frame["source_path"].map(format_source_path))
    draw_table(view, Slice(), rows, REJECTED_COLUMNS, "rejected", "inputs and rows that were rejected")
