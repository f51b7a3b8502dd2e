"""What the page on speakers rests on: the kept answers of the store, with shares, intervals and bases."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import streamlit as st

from narratives.measure import Base, choose_granularity, difference, with_base, with_share
from narratives.measure.base import SAMPLE
from narratives.model import Granularity, Slice
from narratives.show import data, words
from narratives.store import speakers_queries as queries


@dataclass(frozen=True, slots=True)
class Least:
    """What the shares of a speaker must rest on: over all dates, and in one period."""

    paragraphs: int
    documents: int
    period: Base


LEAST = Least(30, 5, Base())
LEAST_OF_SAMPLE = Least(8, 2, SAMPLE)  # hand-picked and small: the page says so


def least(handle: data.Handle) -> Least:
    """The base that holds for a snapshot: one with a notice is a sample, and too small for the usual one."""
    return LEAST_OF_SAMPLE if data.manifest(handle).notice else LEAST


@st.cache_data(max_entries=200, ttl=data.KEEP_SECONDS, show_spinner=False)
def amounts(handle: data.Handle, s: Slice, of: queries.Of) -> pd.DataFrame:
    """How much there is of every speaker, outlet or voice: see `speakers_queries.amounts`."""
    return queries.amounts(data.snapshot(handle), s, of)


@st.cache_data(max_entries=200, ttl=data.KEEP_SECONDS, show_spinner=False)
def by_speaker(handle: data.Handle, s: Slice) -> pd.DataFrame:
    """Shares of narratives with 95 % intervals, a row a speaker above the base and narrative."""
    base = least(handle)
    return with_share(queries.shares(data.snapshot(handle), s, "speaker", base.paragraphs, base.documents))


@st.cache_data(max_entries=200, ttl=data.KEEP_SECONDS, show_spinner=False)
def of_pair(handle: data.Handle, s: Slice, pair: tuple[str, ...]) -> pd.DataFrame:
    """The same for the speakers named, those below the base too: without a share, and with base_reason."""
    enough = by_speaker(handle, s)
    found = enough[enough["speaker"].isin(pair)].assign(base_reason="")
    below = tuple(name for name in pair if name not in set(found["speaker"]))
    if not below:
        return found
    rows = queries.shares(data.snapshot(handle), replace(s, speakers=below), "speaker")
    base, sizes = least(handle), zip(rows["total_paragraphs"], rows["documents"], strict=True)
    reasons = [too_little(int(n), int(d), base) for n, d in sizes]
    nothing = {"share": np.nan, "share_low": np.nan, "share_high": np.nan}
    return pd.concat([found, rows.assign(**nothing, base_reason=reasons)], ignore_index=True)


@st.cache_data(max_entries=200, ttl=data.KEEP_SECONDS, show_spinner=False)
def over_time(handle: data.Handle, s: Slice) -> pd.DataFrame:
    """Shares of narratives with 95 % intervals by period of `s.by`; NaN with base_reason on too little."""
    frame = queries.shares(data.snapshot(handle), s, "period")
    return with_base(with_share(frame), least(handle).period)


@st.cache_data(max_entries=200, ttl=data.KEEP_SECONDS, show_spinner=False)
def roles(handle: data.Handle, speaker: str) -> pd.DataFrame:
    """The roles of a speaker by date."""
    return queries.roles(data.snapshot(handle), speaker)


@st.cache_data(max_entries=200, ttl=data.KEEP_SECONDS, show_spinner=False)
def granularity(handle: data.Handle, s: Slice) -> Granularity:
    """The shortest period that the dated documents of the slice support, zeros of no narrative needed."""
    months = queries.shares(data.snapshot(handle), replace(s, by="month"), "period")
    counts = months.drop_duplicates("period")
    return choose_granularity(dict(zip(counts["period"], counts["documents"].astype(int), strict=True)))


def too_little(paragraphs: int, documents: int, base: Least) -> str:
    """Why a speaker's shares are not shown, in words; empty where they are. Pure."""
    if paragraphs < base.paragraphs:
        return f"{words.count(paragraphs, 'statement paragraph')}, fewer than {base.paragraphs}"
    if documents < base.documents:
        return f"{words.count(documents, 'document')}, fewer than {base.documents}"
    return ""


def differences(frame: pd.DataFrame, pair: tuple[str, str]) -> pd.DataFrame:
    """The pair side by side, a row a narrative: shares, counts, and first less second with its 95 % limits.

    Columns narrative_id, narrative, difference, difference_low, difference_high (NaN where a share is) and
    for 1 and 2 speaker_1, paragraphs_1, total_paragraphs_1, documents_1, share_1, share_low_1, share_high_1.
    Largest share first. Pure.
    """
    measured = ["paragraphs", "total_paragraphs", "documents", "share", "share_low", "share_high"]
    names = frame.drop_duplicates("narrative_id").set_index("narrative_id")[["narrative"]]
    one, other = (
        frame[frame["speaker"] == speaker].set_index("narrative_id")[["speaker", *measured]]
        for speaker in pair
    )
    table = names.join(one.add_suffix("_1")).join(other.add_suffix("_2"))
    columns = [table[f"{name}_{n}"] for n in (1, 2) for name in ("share", "share_low", "share_high")]
    gap, low, high = difference(*columns)
    table = table.assign(difference=gap, difference_low=low, difference_high=high).reset_index()
    largest = table[["share_1", "share_2"]].max(axis=1).fillna(-1)
    return table.iloc[largest.sort_values(ascending=False, kind="stable").index].reset_index(drop=True)
