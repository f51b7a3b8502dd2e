"""The Sources page's questions to a snapshot, their answers kept by snapshot and slice."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import streamlit as st

from narratives.model import Slice
from narratives.show import data
from narratives.show.data import KEEP_SECONDS, Handle
from narratives.store import coverage_queries as queries


@st.cache_data(max_entries=100, ttl=KEEP_SECONDS, show_spinner=False)
def coverage(handle: Handle, s: Slice) -> pd.DataFrame:
    """Columns outlet, period, documents, statements."""
    return queries.coverage(data.snapshot(handle), s)


@st.cache_data(max_entries=100, ttl=KEEP_SECONDS, show_spinner=False)
def date_sources(handle: Handle, s: Slice) -> pd.DataFrame:
    """Columns outlet, date_precision, date_source, documents."""
    return queries.date_sources(data.snapshot(handle), s)


@st.cache_data(max_entries=20, ttl=KEEP_SECONDS, show_spinner=False)
def undated(handle: Handle, s: Slice) -> pd.DataFrame:
    """Columns outlet, title, source_path, url, date_source."""
    return queries.undated(data.snapshot(handle), s)


@st.cache_data(max_entries=100, ttl=KEEP_SECONDS, show_spinner=False)
def copies(handle: Handle, s: Slice) -> pd.DataFrame:
    """Columns outlet, original_outlet, paragraphs, documents."""
    return queries.copies(data.snapshot(handle), s)


@st.cache_data(max_entries=100, ttl=KEEP_SECONDS, show_spinner=False)
def languages(handle: Handle, s: Slice) -> pd.DataFrame:
    """Columns language, paragraphs, statements, matched."""
    return queries.languages(data.snapshot(handle), s)


@st.cache_data(max_entries=100, ttl=KEEP_SECONDS, show_spinner=False)
def voices(handle: Handle, s: Slice) -> pd.DataFrame:
    """Columns voice, paragraphs, statements."""
    return queries.voices(data.snapshot(handle), s)


@st.cache_data(max_entries=8, ttl=KEEP_SECONDS, show_spinner=False)
def rejected(handle: Handle) -> pd.DataFrame:
    """Columns source_path, row, reason."""
    return queries.rejected(data.snapshot(handle))


@st.cache_data(max_entries=8, ttl=KEEP_SECONDS, show_spinner=False)
def inputs(handle: Handle) -> pd.DataFrame:
    """Columns source_path, documents, rejected, reason."""
    return queries.inputs(data.snapshot(handle))


def years(handle: Handle, s: Slice) -> list[str]:
    """The years with text, in order."""
    return sorted(set(coverage(handle, replace(s, by="year"))["period"]))
