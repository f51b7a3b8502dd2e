"""Tables, their columns, and their download as CSV."""

from __future__ import annotations

import hashlib
import textwrap
from collections.abc import Callable
from functools import partial
from math import ceil, isnan
from typing import Any, Literal

import pandas as pd
import streamlit as st

from narratives.dashboard import cached_queries, chart_panel, controls, document_drawer, shell
from narratives.dashboard.shell import View
from narratives.model import Slice
from narratives.model.printable import remove_controls
from narratives.render import phrases

TEXT_COLUMN = st.column_config.TextColumn
COUNT_COLUMN = partial(st.column_config.NumberColumn, format="localized")
PERCENT_COLUMN = partial(st.column_config.NumberColumn, format="percent")
# A share with its 95 % interval.
SHARE_COLUMNS = {
    "share": PERCENT_COLUMN("Share"),
    "share_low": PERCENT_COLUMN("95 % from"),
    "share_high": PERCENT_COLUMN("to"),
}
COVERAGE_COLUMNS = {
    "outlet": TEXT_COLUMN("Outlet"),
    "period": TEXT_COLUMN("Period"),
    "documents": COUNT_COLUMN("Documents"),
    "statements": COUNT_COLUMN("Statement paragraphs"),
}
# Narrow columns, for several tables side by side.
SMALL_COUNT_COLUMNS = {
    "paragraphs": COUNT_COLUMN("Paragraphs", width="small"),
    "statements": COUNT_COLUMN("Statements", width="small"),
    "documents": COUNT_COLUMN("Documents", width="small"),
    "rejected": COUNT_COLUMN("Rejected rows", width="small"),
}
REJECTED_COLUMNS = {
    "source_path": TEXT_COLUMN("Input", width="medium"),
    "row": st.column_config.NumberColumn("Row", width="small", help="0 is the whole input."),
    "reason": TEXT_COLUMN("Reason", width="large"),
}
_MAX_VISIBLE_ROWS = 10  # rows that are shown without scrolling
_ROW_HEIGHT = 35


def draw_table(view: View, s: Slice, shown: pd.DataFrame, columns: dict[str, Any], what: str, denominator: str) -> None:
    """Draw a sortable table, at most as high as ten rows, and a button for its CSV."""
    st.dataframe(
        clean_frame(shown),
        column_config=columns,
        column_order=list(columns),
        hide_index=True,
        height=get_height(len(shown)),
        key=f"table-{what}",
    )
    draw_csv_button(
        f"{what.capitalize()} (CSV)",
        lambda: chart_panel.export_table(shown, s, cached_queries.get_manifest(view.handle), denominator),
        chart_panel.build_file_name(what, view.handle.snapshot_id),
        f"csv-{what}",
    )


def clean_frame(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the frame with texts that cannot change the direction of what follows them. Pure."""
    texts = frame.select_dtypes(["object", "str"])
    return frame.assign(**{str(name): texts[name].map(_clean_cell) for name in texts})


def _clean_cell(value: object) -> object:
    return remove_controls(value) if isinstance(value, str) else value


def get_height(rows: int, most: int = _MAX_VISIBLE_ROWS) -> int | Literal["content"]:
    """Return the height of a table that shows at most `most` rows without scrolling."""
    return "content" if rows <= most else _ROW_HEIGHT * (most + 1) + 3


def draw_csv_button(label: str, make: Callable[[], bytes], file_name: str, key: str | None = None) -> None:
    """Draw a button that downloads a CSV file; `make` is called when it is pressed."""
    st.download_button(
        label, make, file_name, "text/csv", on_click="ignore", type="tertiary", icon=":material/download:", key=key
    )


PAGE_SIZE, TABLE_ROW_HEIGHT, TABLE_EXCERPT_LENGTH = 100, 66, 160


def draw_pagination(rows: int) -> int:
    """Draw page numbers if one page is not enough; return the offset of the page's first row."""
    pages = max(1, ceil(rows / PAGE_SIZE))
    if pages == 1:
        controls.bind_number("page", pages)
        return 0
    page = controls.draw_page_numbers("page", pages)
    first = (page - 1) * PAGE_SIZE
    st.caption(f"Rows {first + 1:,} to {min(first + PAGE_SIZE, rows):,} of {rows:,}.")
    return first


def draw_paragraph_table(rows: pd.DataFrame, key: str) -> None:
    """Draw one page of paragraphs; a chosen one opens in its document. `key` identifies the table."""
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
        "date": TEXT_COLUMN("Date", width=84),
        "speaker": TEXT_COLUMN("Speaker", width=100),
        "excerpt": TEXT_COLUMN("Paragraph", width=380),
        "like": TEXT_COLUMN("Like", width=50, help="Similarity to the sentence you searched for."),
        "narratives": TEXT_COLUMN("Narratives", width=140),
        "sure": TEXT_COLUMN(
            "Score",
            width=92,
            help="The score of the best match, from 0 to 1, and the lowest score that counts. A match that people "
            "confirmed counts whatever its score.",
        ),
        "decided": TEXT_COLUMN("By", width=70, help="Matched by the model only, or confirmed by people."),
        "url": st.column_config.LinkColumn("Source", display_text=r"https?://(?:www\.)?([^/]+)", width=116),
        "outlet": TEXT_COLUMN("Outlet", width=110),
        "voice": TEXT_COLUMN("Voice", width=110),
    }
    if rows["similarity"].isna().all():
        del columns["like"]
    name = f"rows-{hashlib.sha256(key.encode()).hexdigest()[:12]}"
    ids = [str(paragraph_id) for paragraph_id in rows["paragraph_id"]]
    st.dataframe(
        clean_frame(shown),
        column_config=columns,
        column_order=list(columns),
        hide_index=True,
        row_height=TABLE_ROW_HEIGHT,
        height=min(TABLE_ROW_HEIGHT * 9, TABLE_ROW_HEIGHT * len(shown)) + 38,
        on_select=lambda: _open_selected_row(name, ids),
        selection_mode="single-row",
        key=name,
        alt="Paragraphs of the slice. Select a row to read the paragraph in its document.",
    )
    document_drawer.draw_drawer(shell.get_view())


def _format_scores(column: pd.Series) -> list[str]:
    return ["" if isnan(value) else f"{value:.2f}" for value in column.astype("float64")]


def _open_selected_row(name: str, ids: list[str]) -> None:
    """Open the chosen row (a callback); deselecting a row opens nothing."""
    rows = st.session_state[name].selection.rows
    document_drawer.open_paragraph(ids[rows[0]] if rows else None)
