"""What the page of one narrative shows, kept by snapshot and slice as in `data`."""

from __future__ import annotations

from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path

import pandas as pd
import streamlit as st

from narratives.measure import changes, cooccurrence, first_uses, with_base, with_share
from narratives.model import Granularity, Slice, StoreError
from narratives.show import data
from narratives.show.colours import chosen
from narratives.show.data import KEEP_SECONDS, Handle
from narratives.store import Manifest, for_pages, open_snapshot
from narratives.store import narrative_queries as queries
from narratives.store.narrative_queries import Actor, Card, Group
from narratives.store.spread_queries import uses

BEST, EXPLAINING, CENTRAL = 10, 4, 3  # paragraphs shown: of the narrative, after a change, of a candidate
FARTHEST = 12  # snapshots back that the lineage is followed
_LENGTHS: tuple[Granularity, ...] = ("month", "quarter", "half", "year")
VOICE = "_voice"  # ends the name of a column that counts one voice, so that none is that of the actor
WELL_FILLED = 0.9  # of the periods must reach the base for a granularity to be chosen


@st.cache_data(max_entries=60, ttl=KEEP_SECONDS, show_spinner=False)
def card(handle: Handle, about: str) -> Card:
    """What the snapshot holds of the narrative itself."""
    return queries.card(data.snapshot(handle), about)


@st.cache_data(max_entries=400, ttl=KEEP_SECONDS, show_spinner=False)
def shares(handle: Handle, s: Slice, about: str, group: Group) -> pd.DataFrame:
    """Share with its clustered interval, one row a period, speaker or outlet, or one for all."""
    return with_share(queries.sums(data.snapshot(handle), s, about, group))


def trend(handle: Handle, s: Slice, about: str) -> pd.DataFrame:
    """The share by period: raw and corrected, those on too little left out with the reason."""
    found = shares(handle, s, about, "period")
    return data.judged(handle, s, found.assign(narrative=data.names(handle)[about]))


def overall(handle: Handle, s: Slice, about: str) -> pd.DataFrame:
    """The share in the whole slice, undated paragraphs included: one row, or none where there is no text."""
    return data.judged(handle, s, shares(handle, s, about, "all"))


@st.cache_data(max_entries=200, ttl=KEEP_SECONDS, show_spinner=False)
def granularity(handle: Handle, s: Slice, about: str) -> Granularity:
    """The shortest period of which nine in ten rest on enough for a share of this narrative; else years."""
    for by in _LENGTHS[_LENGTHS.index(data.finest(handle, s)) :]:
        rows = with_base(shares(handle, replace(s, by=by), about, "period"), data.base(handle))
        if len(rows) and rows["base_ok"].mean() >= WELL_FILLED:
            return by
    return "year"


@st.cache_data(max_entries=200, ttl=KEEP_SECONDS, show_spinner=False)
def moves(handle: Handle, s: Slice, about: str) -> pd.DataFrame:
    """The change points of the trend: see measure.changes."""
    return changes(shares(handle, s, about, "period"))


@st.cache_data(max_entries=200, ttl=KEEP_SECONDS, show_spinner=False)
def actors(handle: Handle, s: Slice, about: str, actor: Actor) -> pd.DataFrame:
    """Who advances it: `actor`, the counts by voice (`own_voice` and so on), and the actor's share.

    Most paragraphs first. The share is of the actor's own paragraphs in the slice.
    """
    voices = queries.voices(data.snapshot(handle), s, about, actor)
    wide = voices.pivot(index=actor, columns="voice", values="paragraphs").fillna(0).astype("int64")
    wide = wide.add_suffix(VOICE)
    # The base asks what is expected at the overall share, which is that of all actors together.
    rows = with_base(shares(handle, s, about, actor), data.base(handle))
    rows = rows[rows["paragraphs"] > 0].sort_values([actor], kind="stable")
    rows = rows.sort_values("paragraphs", ascending=False, kind="stable")
    return rows.merge(wide.reset_index(), on=actor, how="left").reset_index(drop=True)


@st.cache_data(max_entries=200, ttl=KEEP_SECONDS, show_spinner=False)
def firsts(handle: Handle, s: Slice, about: str, actor: Actor) -> pd.DataFrame:
    """First uses, earliest first: see measure.first_uses."""
    since = queries.covered_from(data.snapshot(handle), s, actor)
    covered = dict(zip(since["actor"], since["since"], strict=True))
    return first_uses(uses(data.snapshot(handle), s, actor, about), covered)


@st.cache_data(max_entries=200, ttl=KEEP_SECONDS, show_spinner=False)
def earliest(handle: Handle, s: Slice) -> str:
    """The first day of the slice with any statement paragraph, empty where no day is known."""
    since = queries.covered_from(data.snapshot(handle), s, "outlet")["since"]
    return str(since.min()) if len(since) else ""


@st.cache_data(max_entries=200, ttl=KEEP_SECONDS, show_spinner=False)
def together(handle: Handle, s: Slice, about: str) -> pd.DataFrame:
    """The codebook's other narratives in the same documents, highest lift first: see measure.cooccurrence."""
    found = cooccurrence(queries.pairs(data.snapshot(handle), s, about), data.base(handle))
    return found.sort_values("lift", ascending=False, kind="stable", ignore_index=True)


@st.cache_data(max_entries=400, ttl=KEEP_SECONDS, show_spinner=False)
def best(handle: Handle, s: Slice, about: str, most: int) -> pd.DataFrame:
    """The paragraphs with the best scores, one of each document."""
    return queries.characteristic(data.snapshot(handle), s, about, most)


@st.cache_data(max_entries=60, ttl=KEEP_SECONDS, show_spinner=False)
def central(handle: Handle, about: str) -> pd.DataFrame:
    """The most central paragraphs of a discovered candidate."""
    return queries.representatives(data.snapshot(handle), about, CENTRAL)


def lineage(handle: Handle, about: str) -> list[tuple[Manifest, pd.DataFrame, dict[str, str]]]:
    """What became of the narrative, latest first: of each snapshot its manifest, changes, and names.

    Follows the predecessors that the store still has, FARTHEST at the most.
    """
    found, at = [], handle
    for _ in range(FARTHEST):
        try:
            step = _changed(at, about)
        except StoreError:
            break  # that snapshot was removed: what came before is not known
        found.append(step)
        if not step[0].predecessor:
            break
        at = Handle(handle.store, step[0].predecessor)
    return found


@st.cache_data(max_entries=400, ttl=KEEP_SECONDS, show_spinner=False)
def _changed(handle: Handle, about: str) -> tuple[Manifest, pd.DataFrame, dict[str, str]]:
    """One snapshot's changes that concern the narrative, with the names of the others, old and new."""
    with closing(open_snapshot(Path(handle.store), handle.snapshot_id, for_pages())) as snapshot:
        rows = snapshot.lineage()
        concerned = (rows["subject"] == about) | rows["related"].map(lambda ids: about in list(ids))
        rows = rows[concerned.astype(bool)].reset_index(drop=True)
        ids = sorted({*rows["subject"], *(key for ids in rows["related"] for key in ids)})
        names, meta = queries.cluster_names(snapshot, ids), snapshot.meta()
    if ids and meta.predecessor:
        # Where that snapshot was removed, what it called them is not known.
        with (
            suppress(StoreError),
            closing(open_snapshot(Path(handle.store), meta.predecessor, for_pages())) as before,
        ):
            names = {**queries.cluster_names(before, ids), **names}
    return meta, rows, names


def colour(handle: Handle, about: str) -> str:
    """The narrative's colour, as everywhere."""
    found = data.options(handle).narratives.reset_index(drop=True)
    at = int(found.index[found["narrative_id"] == about][0])
    return chosen(str(found["colour"].iloc[at]), at)
