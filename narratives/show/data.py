"""The snapshot that a page shows, and the answers kept from it.

`CURRENT` is read at every rerun, so a new build appears at the next interaction. What is kept is keyed by
store and snapshot id: nothing is ever stale, and readers of an old snapshot finish undisturbed.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast, get_args

import pandas as pd
import streamlit as st

from narratives import measure
from narratives.measure import Base, base_of, choose_granularity, with_base, with_share
from narratives.model import Granularity, Slice, SpotCheck, StoreError
from narratives.show.colours import chosen
from narratives.store import (
    Manifest,
    MapPoints,
    Near,
    Options,
    Snapshot,
    Sort,
    Store,
    Totals,
    for_files,
    for_pages,
    map_queries,
    open_snapshot,
)

ENVIRONMENT = "NARRATIVES_STORE"
OWN, SAMPLE = Path("store"), Path("store-sample")
KEEP_SECONDS = 3600
SHOWN = 0.75


@dataclass(frozen=True, slots=True)
class Handle:
    """Which snapshot of which store: the key of everything that is kept."""

    store: str
    snapshot_id: str


def store_path() -> Path:
    """The store to show: the environment's, else `./store` if it holds a snapshot, else the sample's."""
    if named := os.environ.get(ENVIRONMENT):
        return Path(named)
    return OWN if Store(OWN).current() else SAMPLE


def current(as_of: str = "") -> Handle:
    """The snapshot to show: `as_of`, or the store's latest. Raises StoreError where there is none such."""
    path = store_path()
    snapshot_id = as_of or Store(path).current()
    if snapshot_id is None:
        raise StoreError(
            f"a snapshot in {path}",
            "none",
            f"Build one with `python -m narratives build INPUT --store {path}`, then reload this page.",
        )
    handle = Handle(str(path.resolve()), snapshot_id)
    if snapshot(handle).is_replaced():  # a damaged one that was opened has been built anew
        snapshot.clear(handle)
        snapshot(handle)
    return handle


@st.cache_resource(max_entries=4, show_spinner=False)
def snapshot(handle: Handle) -> Snapshot:
    """The opened snapshot, shared by all sessions. Raises StoreError where it is missing or corrupt."""
    return open_snapshot(Path(handle.store), handle.snapshot_id, for_pages())


def manifest(handle: Handle) -> Manifest:
    """The snapshot's manifest."""
    return snapshot(handle).meta()


@st.cache_data(max_entries=8, ttl=KEEP_SECONDS, show_spinner=False)
def options(handle: Handle) -> Options:
    """What the filters can be set to."""
    return snapshot(handle).options()


@st.cache_data(max_entries=200, ttl=KEEP_SECONDS, show_spinner=False)
def totals(handle: Handle, s: Slice) -> Totals:
    """How much there is in the slice."""
    return snapshot(handle).totals(s)


@st.cache_data(max_entries=200, ttl=KEEP_SECONDS, show_spinner=False)
def prevalence(handle: Handle, s: Slice) -> pd.DataFrame:
    """Prevalence with share, share_low and share_high (95 %), one row a period and narrative."""
    return with_share(snapshot(handle).prevalence(s))


def base(handle: Handle) -> Base:
    """What a share must rest on to be shown: less in a snapshot that says itself that it is no study."""
    return base_of(manifest(handle).notice)


def judged(handle: Handle, s: Slice, frame: pd.DataFrame) -> pd.DataFrame:
    """The slice's shares with what `measure.judged` adds; not kept, as a spot check may come any time."""
    checks = list(spot_checks(handle).values())
    return measure.judged(frame, s, snapshot(handle).quality() or (), checks, base(handle))


def spot_checks(handle: Handle) -> dict[str, SpotCheck]:
    """What spot checks of the snapshot found, by narrative id; empty where there were none."""
    found = snapshot(handle).spot_checks()
    return {row.narrative_id: row for row in found.rows} if found else {}


@st.cache_data(max_entries=200, ttl=KEEP_SECONDS, show_spinner=False)
def changes(handle: Handle, s: Slice) -> pd.DataFrame:
    """Change points of every narrative of the slice; see `measure.changes`."""
    return measure.changes(prevalence(handle, s))


@st.cache_data(max_entries=200, ttl=KEEP_SECONDS, show_spinner=False)
def unassigned(handle: Handle, s: Slice) -> pd.DataFrame:
    """What advances no narrative, per period, with share and interval."""
    return with_share(snapshot(handle).unassigned(s))


@st.cache_data(max_entries=200, ttl=KEEP_SECONDS, show_spinner=False)
def finest(handle: Handle, s: Slice) -> Granularity:
    """The shortest period that the number of dated documents in the slice supports."""
    months = snapshot(handle).prevalence(replace(s, by="month", unit="document")).drop_duplicates("period")
    counts = zip(months["period"], months["total_paragraphs"], strict=True)
    return choose_granularity({str(month): int(count) for month, count in counts})


@st.cache_data(max_entries=200, ttl=KEEP_SECONDS, show_spinner=False)
def granularity(handle: Handle, s: Slice) -> Granularity:
    """The shortest period that the slice supports: by its dated documents, and by shares that can be shown.

    At most one in four shares of the codebook's narratives may rest on too little; else the next longer
    period is taken, up to years.
    """
    by = finest(handle, s)
    lengths = get_args(Granularity)
    for longer in reversed(lengths[1 : lengths.index(by) + 1]):
        found = prevalence(handle, replace(s, by=longer, unit="paragraph"))
        shown = with_base(found[found["origin"] == "codebook"], base(handle))["base_ok"]
        if shown.mean() >= SHOWN:
            return cast(Granularity, longer)
    return "year"


@st.cache_data(max_entries=60, ttl=KEEP_SECONDS, show_spinner=False)
def paragraphs(
    handle: Handle,
    s: Slice,
    text: str,
    limit: int,
    offset: int,
    unassigned: bool,
    sort: Sort = "best",
    among: str = "",
    _near: Near | None = None,
) -> pd.DataFrame:
    """One page of the paragraphs behind the slice, only those of `_near`, which follows from `among`."""
    return snapshot(handle).paragraphs(s, text, limit, offset, unassigned, sort, _near)


def all_paragraphs(
    handle: Handle,
    s: Slice,
    text: str,
    unassigned: bool,
    sort: Sort = "best",
    near: Near | None = None,
) -> pd.DataFrame:
    """All of them, for a download: too many to keep, and too many for the limits of a page."""
    with closing(open_snapshot(Path(handle.store), handle.snapshot_id, for_files())) as whole:
        return whole.paragraphs(s, text, unassigned=unassigned, sort=sort, near=near)


@st.cache_data(max_entries=200, ttl=KEEP_SECONDS, show_spinner=False)
def count_paragraphs(
    handle: Handle,
    s: Slice,
    text: str,
    unassigned: bool,
    among: str = "",
    _near: Near | None = None,
) -> int:
    """How many paragraphs stand behind the slice, only those of `_near`, which follows from `among`."""
    return snapshot(handle).count_paragraphs(s, text, unassigned, _near)


def has_map(handle: Handle) -> bool:
    """Whether the snapshot holds a map."""
    return map_queries.has_map(snapshot(handle))


@st.cache_data(max_entries=60, ttl=KEEP_SECONDS, show_spinner=False)
def map_points(handle: Handle, s: Slice) -> MapPoints:
    """The paragraphs of the slice on the map, at most as many as a page can show."""
    return map_queries.points(snapshot(handle), s)


@st.cache_data(max_entries=60, ttl=KEEP_SECONDS, show_spinner=False)
def map_inside(handle: Handle, outline: Sequence[tuple[float, float]]) -> list[str]:
    """The ids of the paragraphs inside a polygon on the map."""
    return map_queries.inside(snapshot(handle), outline)


def paragraphs_by_id(handle: Handle, paragraph_ids: tuple[str, ...]) -> pd.DataFrame:
    """The paragraphs with these ids, as `paragraphs` has them."""
    return map_queries.by_ids(snapshot(handle), list(paragraph_ids))


@st.cache_data(max_entries=8, ttl=KEEP_SECONDS, show_spinner=False)
def events(handle: Handle) -> pd.DataFrame:
    """Dated events that the charts mark."""
    return snapshot(handle).events()


def names(handle: Handle) -> dict[str, str]:
    """Narrative names by id, in codebook order; names that occur twice are told apart by their ids.

    Streamlit knows an option by what it shows, so two alike would be one.
    """
    frame = options(handle).narratives
    twice = frame["name"].duplicated(keep=False)
    shown = frame["name"].where(~twice, frame["name"] + " (" + frame["narrative_id"] + ")")
    return dict(zip(frame["narrative_id"], shown, strict=True))


def colours(handle: Handle) -> dict[str, str]:
    """Narrative colours by id, in codebook order."""
    found = options(handle).narratives
    pairs = zip(found["narrative_id"], found["colour"], strict=True)
    return {key: chosen(colour, place) for place, (key, colour) in enumerate(pairs)}


def without(s: Slice, field: str) -> Slice:
    """The slice with one filter off: `speakers`, `outlets`, `narratives`, `voices`, `copies` or `date`."""
    return {
        "speakers": replace(s, speakers=()),
        "outlets": replace(s, outlets=()),
        "narratives": replace(s, narratives=()),
        "voices": replace(s, voices=()),
        "copies": replace(s, copies="originals"),
        "date": replace(s, date_from="", date_to=""),
    }[field]
