"""The tables of the Sources page, each with its CSV."""

from __future__ import annotations

import hashlib
import textwrap
from math import ceil
from typing import Any

import pandas as pd
import streamlit as st

from narratives.dashboard import cached_queries, shell, url_state
from narratives.dashboard.components import chart_panel, controls, document_drawer
from narratives.dashboard.shell import View
from narratives.model import Slice
from narratives.render import phrases

NUMBER_COLUMN = st.column_config.NumberColumn
TEXT_COLUMN = st.column_config.TextColumn
_MAX_VISIBLE_ROWS = 10  # rows that are shown without scrolling


def draw_table(view: View, s: Slice, shown: pd.DataFrame, columns: dict[str, Any], what: str, denominator: str) -> None:
    """A sortable table as high as its first ten rows, and its CSV."""
    st.dataframe(
        shown,
        column_config=columns,
        column_order=list(columns),
        hide_index=True,
        height="content" if len(shown) <= _MAX_VISIBLE_ROWS else 388,
        key=f"table-{what}",
    )
    st.download_button(
        f"{what.capitalize()} (CSV)",
        lambda: chart_panel.export_table(shown, s, cached_queries.get_manifest(view.handle), denominator),
        chart_panel.build_file_name(what, view.handle.snapshot_id),
        "text/csv",
        on_click="ignore",
        type="tertiary",
        icon=":material/download:",
        key=f"csv-{what}",
    )


PAGE_SIZE, TABLE_ROW_HEIGHT, TABLE_EXCERPT_LENGTH = 100, 66, 160


def draw_pagination(found: int) -> int:
    """Draw page numbers where one page is not enough; returns the offset of the page's first row."""
    pages = max(1, ceil(found / PAGE_SIZE))
    if pages == 1:
        url_state.bind_number("page", pages)
        return 0
    page = controls.page_number("page", pages)
    first = (page - 1) * PAGE_SIZE
    st.caption(f"Rows {first + 1:,} to {min(first + PAGE_SIZE, found):,} of {found:,}.")
    return first


def draw_paragraph_table(rows: pd.DataFrame, key: str) -> None:
    """One page of paragraphs; the chosen one opens in its document. `key` tells one table from another."""
    rows = rows.reindex(columns=[*rows.columns, *({"status", "threshold", "similarity"} - {*rows.columns})])
    shown = rows.assign(
        url=rows["url"].where(rows["url"].str.match(r"https?://"), ""),
        voice=rows["voice"].map(phrases.VOICE_LABELS).fillna(rows["voice"]),
        sure=[
            f"{score} ≥ {least}" if least else score
            for score, least in zip(_format_scores(rows["score"]), _format_scores(rows["threshold"]), strict=True)
        ],
        like=_format_scores(rows["similarity"]),
        decided=rows["status"].map(phrases.STATUS_LABELS).fillna(""),
        excerpt=rows["text"].map(lambda text: textwrap.shorten(text, TABLE_EXCERPT_LENGTH, placeholder=" …")),
    )
    columns = {
        "date": st.column_config.TextColumn("Date", width=84),
        "speaker": st.column_config.TextColumn("Speaker", width=100),
        "excerpt": st.column_config.TextColumn("Paragraph", width=380),
        "like": st.column_config.TextColumn("Like", width=50, help="Likeness to the sentence asked for."),
        "narratives": st.column_config.TextColumn("Narratives", width=140),
        "sure": st.column_config.TextColumn(
            "Score",
            width=92,
            help="How sure the best match is, 0 to 1, and the score from which it counts. What people "
            "confirmed counts whatever its score.",
        ),
        "decided": st.column_config.TextColumn(
            "By", width=70, help="Matched by machine alone, or confirmed by people."
        ),
        "url": st.column_config.LinkColumn("Source", display_text=r"https?://(?:www\.)?([^/]+)", width=116),
        "outlet": st.column_config.TextColumn("Outlet", width=110),
        "voice": st.column_config.TextColumn("Voice", width=110),
    }
    if rows["similarity"].isna().all():
        del columns["like"]
    name = f"rows-{hashlib.sha256(key.encode()).hexdigest()[:12]}"
    ids = [str(found) for found in rows["paragraph_id"]]
    st.dataframe(
        shown,
        column_config=columns,
        column_order=list(columns),
        hide_index=True,
        row_height=TABLE_ROW_HEIGHT,
        height=min(TABLE_ROW_HEIGHT * 9, TABLE_ROW_HEIGHT * len(shown)) + 38,
        on_select=lambda: _open_selected_row(name, ids),
        selection_mode="single-row",
        key=name,
        alt="Paragraphs of the slice; choose a row to read it in its document",
    )
    document_drawer.draw_drawer(shell.get_view())


def _format_scores(column: pd.Series) -> list[str]:
    return ["" if value != value else f"{value:.2f}" for value in column.astype("float64")]


def _open_selected_row(name: str, ids: list[str]) -> None:
    """Open the chosen row (a callback); taking its mark off opens nothing."""
    rows = st.session_state[name].selection.rows
    document_drawer.open_paragraph(ids[rows[0]] if rows else None)
