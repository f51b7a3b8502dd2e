"""The tables of the Sources page, each with its CSV."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from narratives.model import Slice
from narratives.show import data, downloads
from narratives.show.frame import View

NUMBER = st.column_config.NumberColumn
TEXT = st.column_config.TextColumn
_TALLEST = 10  # rows that are shown without scrolling


def table(
    view: View, s: Slice, shown: pd.DataFrame, columns: dict[str, Any], what: str, denominator: str
) -> None:
    """A sortable table as high as its first ten rows, and its CSV."""
    st.dataframe(
        shown,
        column_config=columns,
        column_order=list(columns),
        hide_index=True,
        height="content" if len(shown) <= _TALLEST else 388,
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
