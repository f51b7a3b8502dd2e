"""The snapshot that a page shows, and the answers kept from it.

`CURRENT` is read at every rerun, so a new build appears at the next interaction. What is kept is keyed by
store and snapshot id: nothing is ever stale, and readers of an old snapshot finish undisturbed.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast, get_args

import pandas as pd
import streamlit as st

from narratives import measure
from narratives.measure import (
    add_shares,
    choose_granularity,
    choose_suppression_rule,
    compute_cooccurrence,
    find_change_points,
    find_first_uses,
    suppress_small_bases,
)
from narratives.model import (
    EvidenceQuery,
    FilterOptions,
    Granularity,
    Slice,
    SliceTotals,
    SnapshotManifest,
    SpotCheck,
    StoreError,
    SuppressionRule,
)
from narratives.model.slice import Actor, ShareGroup
from narratives.render.colours import resolve_colour
from narratives.store import MapPoints, Snapshot, Store, for_files, for_pages, open_snapshot
from narratives.store.queries import map as map_queries
from narratives.store.queries import narrative as narrative_queries
from narratives.store.queries.narrative import NarrativeCard
from narratives.store.queries.speakers import query_uses

STORE_VARIABLE = "NARRATIVES_STORE"
OWN_STORE, SAMPLE_STORE = Path("store"), Path("store-sample")
CACHE_SECONDS = 3600
MIN_SHOWN_FRACTION = 0.75


@dataclass(frozen=True, slots=True)
class Handle:
    """Which snapshot of which store: the key of everything that is kept."""

    store: str
    snapshot_id: str


def find_store_path() -> Path:
    """The store to show: the environment's, else `./store` if it holds a snapshot, else the sample's."""
    if named := os.environ.get(STORE_VARIABLE):
        return Path(named)
    return OWN_STORE if Store(OWN_STORE).current() else SAMPLE_STORE


def find_snapshot(as_of: str = "") -> Handle:
    """The snapshot to show: `as_of`, or the store's latest. Raises StoreError where there is none such."""
    path = find_store_path()
    snapshot_id = as_of or Store(path).current()
    if snapshot_id is None:
        raise StoreError(
            f"a snapshot in {path}",
            "none",
            f"Build one with `python -m narratives build INPUT --store {path}`, then reload this page.",
        )
    handle = Handle(str(path.resolve()), snapshot_id)
    if get_snapshot(handle).is_replaced():  # a damaged one that was opened has been built anew
        get_snapshot.clear(handle)
        get_snapshot(handle)
    return handle


@st.cache_resource(max_entries=4, show_spinner=False)
def get_snapshot(handle: Handle) -> Snapshot:
    """The opened snapshot, shared by all sessions. Raises StoreError where it is missing or corrupt."""
    return open_snapshot(Path(handle.store), handle.snapshot_id, for_pages())


def get_manifest(handle: Handle) -> SnapshotManifest:
    """The snapshot's manifest."""
    return get_snapshot(handle).meta()


@st.cache_data(max_entries=8, ttl=CACHE_SECONDS, show_spinner=False)
def load_options(handle: Handle) -> FilterOptions:
    """What the filters can be set to."""
    return get_snapshot(handle).options()


@st.cache_data(max_entries=200, ttl=CACHE_SECONDS, show_spinner=False)
def load_totals(handle: Handle, s: Slice) -> SliceTotals:
    """How much there is in the slice."""
    return get_snapshot(handle).totals(s)


@st.cache_data(max_entries=200, ttl=CACHE_SECONDS, show_spinner=False)
def load_prevalence(handle: Handle, s: Slice) -> pd.DataFrame:
    """Prevalence with share, share_low and share_high (95 %), one row a period and narrative."""
    return add_shares(get_snapshot(handle).prevalence(s))


def get_suppression_rule(handle: Handle) -> SuppressionRule:
    """What a share must rest on to be shown: less in a snapshot that says itself that it is no study."""
    return choose_suppression_rule(get_manifest(handle).notice)


def add_corrections(handle: Handle, s: Slice, frame: pd.DataFrame) -> pd.DataFrame:
    """The slice's shares with what `measure.judged` adds; not kept, as a spot check may come any time."""
    checks = list(load_spot_checks(handle).values())
    return measure.correct_and_suppress(
        frame, s, get_snapshot(handle).quality() or (), checks, get_suppression_rule(handle)
    )


def load_spot_checks(handle: Handle) -> dict[str, SpotCheck]:
    """What spot checks of the snapshot found, by narrative id; empty where there were none."""
    found = get_snapshot(handle).spot_checks()
    return {row.narrative_id: row for row in found.rows} if found else {}


@st.cache_data(max_entries=200, ttl=CACHE_SECONDS, show_spinner=False)
def load_change_points(handle: Handle, s: Slice) -> pd.DataFrame:
    """Change points of every narrative of the slice; see `measure.changes`."""
    return measure.find_change_points(load_prevalence(handle, s))


@st.cache_data(max_entries=200, ttl=CACHE_SECONDS, show_spinner=False)
def load_unassigned(handle: Handle, s: Slice) -> pd.DataFrame:
    """What advances no narrative, per period, with share and interval."""
    return add_shares(get_snapshot(handle).unassigned(s))


@st.cache_data(max_entries=200, ttl=CACHE_SECONDS, show_spinner=False)
def find_finest_granularity(handle: Handle, s: Slice) -> Granularity:
    """The shortest period that the number of dated documents in the slice supports."""
    months = get_snapshot(handle).prevalence(replace(s, by="month", unit="document")).drop_duplicates("period")
    counts = zip(months["period"], months["total_paragraphs"], strict=True)
    return choose_granularity({str(month): int(count) for month, count in counts})


@st.cache_data(max_entries=200, ttl=CACHE_SECONDS, show_spinner=False)
def select_granularity(handle: Handle, s: Slice) -> Granularity:
    """The shortest period that the slice supports: by its dated documents, and by shares that can be shown.

    At most one in four shares of the codebook's narratives may rest on too little; else the next longer
    period is taken, up to years.
    """
    by = find_finest_granularity(handle, s)
    lengths = get_args(Granularity)
    for longer in reversed(lengths[1 : lengths.index(by) + 1]):
        found = load_prevalence(handle, replace(s, by=longer, unit="paragraph"))
        shown = suppress_small_bases(found[found["origin"] == "codebook"], get_suppression_rule(handle))["base_ok"]
        if shown.mean() >= MIN_SHOWN_FRACTION:
            return cast(Granularity, longer)
    return "year"


# A query is known by its repr, which leaves out `similar`: that may hold every paragraph of the snapshot.
@st.cache_data(max_entries=60, ttl=CACHE_SECONDS, show_spinner=False, hash_funcs={EvidenceQuery: repr})
def load_paragraphs(handle: Handle, query: EvidenceQuery, limit: int, offset: int) -> pd.DataFrame:
    """Load one page of the paragraphs of a query, at most `limit` rows from row `offset` on."""
    return get_snapshot(handle).paragraphs(query, limit, offset)


def load_all_paragraphs(handle: Handle, query: EvidenceQuery) -> pd.DataFrame:
    """Load all paragraphs of a query for a download. They are too many to cache, or for the limits of a page."""
    with closing(open_snapshot(Path(handle.store), handle.snapshot_id, for_files())) as snapshot:
        return snapshot.paragraphs(query)


@st.cache_data(
    max_entries=200,
    ttl=CACHE_SECONDS,
    show_spinner=False,
    hash_funcs={EvidenceQuery: lambda query: repr(replace(query, sort="best"))},
)
def count_paragraphs(handle: Handle, query: EvidenceQuery) -> int:
    """Count the paragraphs of a query, whatever their order."""
    return get_snapshot(handle).count_paragraphs(query)


def has_map(handle: Handle) -> bool:
    """Whether the snapshot holds a map."""
    return map_queries.has_map(get_snapshot(handle))


@st.cache_data(max_entries=60, ttl=CACHE_SECONDS, show_spinner=False)
def load_map_points(handle: Handle, s: Slice) -> MapPoints:
    """The paragraphs of the slice on the map, at most as many as a page can show."""
    return map_queries.query_points(get_snapshot(handle), s)


@st.cache_data(max_entries=60, ttl=CACHE_SECONDS, show_spinner=False)
def find_map_paragraphs(handle: Handle, outline: Sequence[tuple[float, float]]) -> list[str]:
    """The ids of the paragraphs inside a polygon on the map."""
    return map_queries.query_ids_in_polygon(get_snapshot(handle), outline)


def load_paragraphs_by_id(handle: Handle, paragraph_ids: tuple[str, ...]) -> pd.DataFrame:
    """The paragraphs with these ids, as `paragraphs` has them."""
    return map_queries.query_paragraphs_by_id(get_snapshot(handle), list(paragraph_ids))


@st.cache_data(max_entries=8, ttl=CACHE_SECONDS, show_spinner=False)
def load_snapshot_events(handle: Handle) -> pd.DataFrame:
    """Dated events that the charts mark."""
    return get_snapshot(handle).events()


def get_narrative_names(handle: Handle) -> dict[str, str]:
    """Narrative names by id, in codebook order; names that occur twice are told apart by their ids.

    Streamlit knows an option by what it shows, so two alike would be one.
    """
    frame = load_options(handle).narratives
    twice = frame["name"].duplicated(keep=False)
    shown = frame["name"].where(~twice, frame["name"] + " (" + frame["narrative_id"] + ")")
    return dict(zip(frame["narrative_id"], shown, strict=True))


def get_narrative_colours(handle: Handle) -> dict[str, str]:
    """Narrative colours by id, in codebook order."""
    found = load_options(handle).narratives
    pairs = zip(found["narrative_id"], found["colour"], strict=True)
    return {key: resolve_colour(colour, place) for place, (key, colour) in enumerate(pairs)}


def remove_filter(s: Slice, field: str) -> Slice:
    """The slice with one filter off: `speakers`, `outlets`, `narratives`, `voices`, `copies` or `date`."""
    return {
        "speakers": replace(s, speakers=()),
        "outlets": replace(s, outlets=()),
        "narratives": replace(s, narratives=()),
        "voices": replace(s, voices=()),
        "copies": replace(s, copies="originals"),
        "date": replace(s, date_from="", date_to=""),
    }[field]


MAX_BEST, MAX_EXPLAINING, MAX_CENTRAL = (
    10,
    4,
    3,
)  # paragraphs shown: of the narrative, after a change, of a candidate
MAX_LINEAGE_STEPS = 12  # snapshots back that the lineage is followed
_GRANULARITIES: tuple[Granularity, ...] = ("month", "quarter", "half", "year")
VOICE_SUFFIX = "_voice"  # ends the name of a column that counts one voice, so that none is that of the actor
MIN_FILLED_FRACTION = 0.9  # of the periods must reach the base for a granularity to be chosen


@st.cache_data(max_entries=60, ttl=CACHE_SECONDS, show_spinner=False)
def load_card(handle: Handle, about: str) -> NarrativeCard:
    """What the snapshot holds of the narrative itself."""
    return narrative_queries.query_card(get_snapshot(handle), about)


@st.cache_data(max_entries=400, ttl=CACHE_SECONDS, show_spinner=False)
def load_shares(handle: Handle, s: Slice, about: str, group: ShareGroup) -> pd.DataFrame:
    """Share with its clustered interval, one row a period, speaker or outlet, or one for all."""
    return add_shares(narrative_queries.query_narrative_sums(get_snapshot(handle), s, about, group))


def load_trend(handle: Handle, s: Slice, about: str) -> pd.DataFrame:
    """The share by period: raw and corrected, those on too little left out with the reason."""
    found = load_shares(handle, s, about, "period")
    return add_corrections(handle, s, found.assign(narrative=get_narrative_names(handle)[about]))


def load_overall_share(handle: Handle, s: Slice, about: str) -> pd.DataFrame:
    """The share in the whole slice, undated paragraphs included: one row, or none where there is no text."""
    return add_corrections(handle, s, load_shares(handle, s, about, "all"))


@st.cache_data(max_entries=200, ttl=CACHE_SECONDS, show_spinner=False)
def select_narrative_granularity(handle: Handle, s: Slice, about: str) -> Granularity:
    """The shortest period of which nine in ten rest on enough for a share of this narrative; else years."""
    for by in _GRANULARITIES[_GRANULARITIES.index(find_finest_granularity(handle, s)) :]:
        rows = suppress_small_bases(
            load_shares(handle, replace(s, by=by), about, "period"), get_suppression_rule(handle)
        )
        if len(rows) and rows["base_ok"].mean() >= MIN_FILLED_FRACTION:
            return by
    return "year"


@st.cache_data(max_entries=200, ttl=CACHE_SECONDS, show_spinner=False)
def load_trend_change_points(handle: Handle, s: Slice, about: str) -> pd.DataFrame:
    """The change points of the trend: see measure.changes."""
    return find_change_points(load_shares(handle, s, about, "period"))


@st.cache_data(max_entries=200, ttl=CACHE_SECONDS, show_spinner=False)
def load_actors(handle: Handle, s: Slice, about: str, actor: Actor) -> pd.DataFrame:
    """Who advances it: `actor`, the counts by voice (`own_voice` and so on), and the actor's share.

    Most paragraphs first. The share is of the actor's own paragraphs in the slice.
    """
    voices = narrative_queries.query_group_voices(get_snapshot(handle), s, about, actor)
    wide = voices.pivot(index=actor, columns="voice", values="paragraphs").fillna(0).astype("int64")
    wide = wide.add_suffix(VOICE_SUFFIX)
    # The base asks what is expected at the overall share, which is that of all actors together.
    rows = suppress_small_bases(load_shares(handle, s, about, actor), get_suppression_rule(handle))
    rows = rows[rows["paragraphs"] > 0].sort_values([actor], kind="stable")
    rows = rows.sort_values("paragraphs", ascending=False, kind="stable")
    return rows.merge(wide.reset_index(), on=actor, how="left").reset_index(drop=True)


@st.cache_data(max_entries=200, ttl=CACHE_SECONDS, show_spinner=False)
def load_first_uses(handle: Handle, s: Slice, about: str, actor: Actor) -> pd.DataFrame:
    """First uses, earliest first: see measure.first_uses."""
    since = narrative_queries.query_coverage_start(get_snapshot(handle), s, actor)
    covered = dict(zip(since["actor"], since["since"], strict=True))
    return find_first_uses(query_uses(get_snapshot(handle), s, actor, about), covered)


@st.cache_data(max_entries=200, ttl=CACHE_SECONDS, show_spinner=False)
def find_first_day(handle: Handle, s: Slice) -> str:
    """The first day of the slice with any statement paragraph, empty where no day is known."""
    since = narrative_queries.query_coverage_start(get_snapshot(handle), s, "outlet")["since"]
    return str(since.min()) if len(since) else ""


@st.cache_data(max_entries=200, ttl=CACHE_SECONDS, show_spinner=False)
def load_cooccurrence(handle: Handle, s: Slice, about: str) -> pd.DataFrame:
    """The codebook's other narratives in the same documents, highest lift first: see measure.cooccurrence."""
    found = compute_cooccurrence(
        narrative_queries.query_cooccurrence(get_snapshot(handle), s, about), get_suppression_rule(handle)
    )
    return found.sort_values("lift", ascending=False, kind="stable", ignore_index=True)


@st.cache_data(max_entries=400, ttl=CACHE_SECONDS, show_spinner=False)
def load_best_paragraphs(handle: Handle, s: Slice, about: str, most: int) -> pd.DataFrame:
    """The paragraphs with the best scores, one of each document."""
    return narrative_queries.query_top_paragraphs(get_snapshot(handle), s, about, most)


@st.cache_data(max_entries=60, ttl=CACHE_SECONDS, show_spinner=False)
def load_central_paragraphs(handle: Handle, about: str) -> pd.DataFrame:
    """The most central paragraphs of a discovered candidate."""
    return narrative_queries.query_representatives(get_snapshot(handle), about, MAX_CENTRAL)


def load_lineage(handle: Handle, about: str) -> list[tuple[SnapshotManifest, pd.DataFrame, dict[str, str]]]:
    """What became of the narrative, latest first: of each snapshot its manifest, changes, and names.

    Follows the predecessors that the store still has, FARTHEST at the most.
    """
    found, at = [], handle
    for _ in range(MAX_LINEAGE_STEPS):
        try:
            step = _load_lineage_events(at, about)
        except StoreError:
            break  # that snapshot was removed: what came before is not known
        found.append(step)
        if not step[0].predecessor:
            break
        at = Handle(handle.store, step[0].predecessor)
    return found


@st.cache_data(max_entries=400, ttl=CACHE_SECONDS, show_spinner=False)
def _load_lineage_events(handle: Handle, about: str) -> tuple[SnapshotManifest, pd.DataFrame, dict[str, str]]:
    """One snapshot's changes that concern the narrative, with the names of the others, old and new."""
    with closing(open_snapshot(Path(handle.store), handle.snapshot_id, for_pages())) as snapshot:
        rows = snapshot.lineage()
        concerned = (rows["subject"] == about) | rows["related"].map(lambda ids: about in list(ids))
        rows = rows[concerned.astype(bool)].reset_index(drop=True)
        ids = sorted({*rows["subject"], *(key for ids in rows["related"] for key in ids)})
        names, meta = narrative_queries.query_cluster_names(snapshot, ids), snapshot.meta()
    if ids and meta.predecessor:
        # Where that snapshot was removed, what it called them is not known.
        with (
            suppress(StoreError),
            closing(open_snapshot(Path(handle.store), meta.predecessor, for_pages())) as before,
        ):
            names = {**narrative_queries.query_cluster_names(before, ids), **names}
    return meta, rows, names


def get_narrative_colour(handle: Handle, about: str) -> str:
    """The narrative's colour, as everywhere."""
    found = load_options(handle).narratives.reset_index(drop=True)
    at = int(found.index[found["narrative_id"] == about][0])
    return resolve_colour(str(found["colour"].iloc[at]), at)
