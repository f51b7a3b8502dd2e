"""The snapshot that a page shows, and a cache of the answers to its queries.

`CURRENT` is read at every rerun, so a new build appears at the next interaction. Cached answers are keyed by a handle
and are therefore never stale, and a session can continue to show an old snapshot. All sessions share one answer, which
nobody may change.
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Collection
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from datetime import date
from functools import partial, wraps
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar, get_args

import pandas as pd
import streamlit as st

from narratives.measure import (
    add_shares,
    choose_granularity,
    choose_suppression_rule,
    correct_and_suppress,
    find_change_points,
    find_trends,
    suppress_small_bases,
)
from narratives.model import EvidenceQuery, Granularity, Slice, SnapshotManifest, SpotCheck, StoreError, SuppressionRule
from narratives.model.dates import is_divided, select_periods
from narratives.model.slice import ShareGroup
from narratives.model.snapshot import SliceTotals
from narratives.render.colours import resolve_colour
from narratives.store import (
    DECISIONS_FILE,
    DecisionLog,
    MapPoints,
    Snapshot,
    Store,
    get_download_limits,
    get_page_limits,
    open_snapshot,
)
from narratives.store.limits import Limits
from narratives.store.published import SCHEME, follow
from narratives.store.queries import map as map_queries
from narratives.store.queries import narrative as narrative_queries
from narratives.store.queries import prevalence as prevalence_queries
from narratives.store.queries import review as review_queries
from narratives.store.queries import topics as topic_queries
from narratives.workflows.review import ReviewQueue, build_queue

STORE_VARIABLE = "NARRATIVES_STORE"
OWN_STORE, SAMPLE_STORE = Path("store"), Path("store-sample")
CACHE_SECONDS = 3600
_forgetters: list[Callable[[], None]] = []  # each clears the answers of one kind
MIN_SHOWN_FRACTION = 0.75  # of the codebook's shares must have a large enough base, or the period gets longer
MIN_FILLED_FRACTION = 0.9  # the same for one narrative: of its periods
_P = ParamSpec("_P")
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Handle:
    """One snapshot of one store: the key of every cached answer.

    `decided` is the last decision that the answers show; 0 shows the snapshot as it was built. `measured` changes
    whenever the quality figures or the spot checks of the snapshot do.
    """

    store: str
    snapshot_id: str
    decided: int = 0
    measured: str = ""

    @property
    def built(self) -> Handle:
        """The same snapshot as it was built, without later decisions."""
        return Handle(self.store, self.snapshot_id)


def is_published() -> bool:
    """Return whether the dashboard shows a published store, which nobody can change here."""
    return os.environ.get(STORE_VARIABLE, "").lower().startswith(SCHEME)


def find_store_path(as_of: str = "") -> Path:
    """Return the store to show: NARRATIVES_STORE, else `./store` if it has a snapshot, else the sample.

    Of a published store, it is the copy with the latest snapshot, or with the one named `as_of`. Raises StoreError if
    there is none.
    """
    if is_published():
        return follow(os.environ[STORE_VARIABLE]).locate(as_of)
    if path := os.environ.get(STORE_VARIABLE):
        return Path(path)
    return OWN_STORE if Store(OWN_STORE).current() else SAMPLE_STORE


def find_snapshot(as_of: str = "") -> Handle:
    """Return the handle of the snapshot `as_of`, as it was built, or of the store's latest, as decided since.

    Raises StoreError if there is no such snapshot.
    """
    path = find_store_path(as_of)
    snapshot_id = as_of or Store(path).current()
    if snapshot_id is None:
        raise StoreError(
            f"a snapshot in {path}",
            "none",
            f"Build one with `narratives build INPUT --store {path}`, then reload this page.",
        )
    handle = Handle(str(path.resolve()), snapshot_id)
    if get_snapshot(handle).is_replaced():  # it was damaged when it was opened, and has been rebuilt since
        _get_snapshot.clear(*_get_snapshot_key(handle))
    snapshot = get_snapshot(handle)
    decided = 0 if as_of else _read_log(handle, get_log(handle).describe_state())[0]
    decided = decided if decided > snapshot.meta().decided else 0
    return replace(handle, decided=decided, measured=snapshot.identify_measurements())


def is_latest(handle: Handle) -> bool:
    """Return whether a snapshot is the current one of its store."""
    with suppress(StoreError):  # the pointer is damaged
        return Store(find_store_path()).current() == handle.snapshot_id
    return False


def get_log(handle: Handle) -> DecisionLog:
    """Return the decisions log of the store."""
    return DecisionLog(Path(handle.store) / DECISIONS_FILE)


def get_snapshot(handle: Handle) -> Snapshot:
    """Return the opened snapshot, shared by all sessions. Raises StoreError where it is missing or corrupt."""
    return _get_snapshot(*_get_snapshot_key(handle))


def _open_snapshot(handle: Handle, limits: Limits) -> Snapshot:
    decided = get_log(handle).pairs() if handle.decided else ()
    return open_snapshot(Path(handle.store), handle.snapshot_id, limits, decided)


def cache_shared(max_entries: int = 40) -> Callable[[Callable[_P, _T]], Callable[_P, _T]]:
    """Return a decorator that caches answers, which all sessions share: nobody may change one.

    An answer is found by the repr of the arguments, so these must be plain values, or records of such. For Streamlit it
    is the only argument: it would take ten times as long to hash them one by one, on a page that asks a hundred times.
    The repr of a query leaves out `similar`, which may hold every paragraph of the snapshot. With 20 viewers, 100
    answers of each kind made no redraw faster.
    """

    def decorate(function: Callable[_P, _T]) -> Callable[_P, _T]:
        def answer(key: str, _ask: Callable[[], _T]) -> _T:
            return _ask()

        answer.__module__, answer.__qualname__ = function.__module__, function.__qualname__
        cached = st.cache_resource(max_entries=max_entries, ttl=CACHE_SECONDS, show_spinner=False)(
            _keep_signature(answer)
        )
        _forgetters.append(cached.clear)

        @wraps(function)
        def load(*args: _P.args, **kwargs: _P.kwargs) -> _T:
            return cached(repr((args, kwargs)), partial(function, *args, **kwargs))

        return load

    return decorate


def _keep_signature(function: Callable[_P, _T]) -> Callable[_P, _T]:
    """Keep the signature of a cached function, for which Streamlit asks at every call."""
    function.__signature__ = inspect.signature(function)  # type: ignore[attr-defined]
    return function


def forget_answers() -> None:
    """Forget all answers that sessions share, and close the snapshots."""
    for forget in (*_forgetters, _get_snapshot.clear):
        forget()


@cache_shared(max_entries=8)
def _read_log(built: Handle, state: str) -> tuple[int, int, int]:
    """Return the last decision, and how many decisions and edits there are since the build; `state` is the log's."""
    log, manifest = get_log(built), get_snapshot(built).meta()
    return log.last_ids()[0], *log.count_since(manifest.decided, manifest.edited)


def count_since_build(handle: Handle) -> tuple[int, int]:
    """Count the decisions and the edits since the build."""
    return _read_log(handle.built, get_log(handle).describe_state())[1:]


@st.cache_resource(max_entries=4, show_spinner=False)
@_keep_signature
def _get_snapshot(key: str, _handle: Handle) -> Snapshot:
    return _open_snapshot(_handle, get_page_limits())


def _get_snapshot_key(handle: Handle) -> tuple[str, Handle]:
    handle = replace(handle, measured="")
    return repr(handle), handle


@cache_shared(max_entries=8)
def load_queue(handle: Handle, s: Slice) -> ReviewQueue:
    """Return the questions to ask about a slice of the snapshot as it was built."""
    return build_queue(get_snapshot(handle.built), s, load_queue(handle.built, Slice()) if s != Slice() else None)


def cache_query(query: Callable[Concatenate[Snapshot, _P], _T]) -> Callable[Concatenate[Handle, _P], _T]:
    """Return a query of the store as a function of a handle that caches its answers (see `cache_shared`).

    For small answers only. `query` must be a named function.
    """

    def load(handle: Handle, /, *args: _P.args, **kwargs: _P.kwargs) -> _T:
        return query(get_snapshot(handle), *args, **kwargs)

    load.__module__, load.__qualname__ = query.__module__, query.__qualname__
    return cache_shared()(load)


load_options = cache_query(Snapshot.options)
_count_documents = cache_query(prevalence_queries.count_documents_by_month)
_load_totals = cache_query(Snapshot.totals)
_load_prevalence_sums = cache_query(Snapshot.prevalence)
_load_unassigned_sums = cache_query(Snapshot.unassigned)
_load_narrative_sums = cache_query(narrative_queries.query_narrative_sums)
load_evaluation = cache_query(Snapshot.evaluation)
load_checks = cache_query(Snapshot.spot_checks)
_load_events = cache_query(Snapshot.events)
load_card = cache_query(narrative_queries.query_card)
has_themes = cache_query(topic_queries.has_themes)
load_decided_counts = cache_query(review_queries.query_decided_counts)
load_question = cache_query(review_queries.query_question)
load_best_paragraphs = cache_query(narrative_queries.query_top_paragraphs)
count_in_topics = cache_query(topic_queries.count_in_topics)
count_map_points = cache_query(map_queries.count_points)
find_map_paragraphs = cache_query(map_queries.query_ids_in_polygon)
load_topic_paragraphs = cache_query(topic_queries.query_topic_paragraphs)
load_topic_names = cache_query(topic_queries.query_topic_names)
load_central_paragraphs = cache_query(narrative_queries.query_representatives)


def load_events_about(handle: Handle, narrative_ids: Collection[str]) -> list[tuple[date, str]]:
    """Return day and name of the events that are related to any of these narratives."""
    events = _load_events(handle)
    columns = (events["date"], events["name"], events["narratives"])
    return [
        (date.fromisoformat(day), name)
        for day, name, related in zip(*columns, strict=True)
        if not set(narrative_ids).isdisjoint(related)
    ]


def get_manifest(handle: Handle) -> SnapshotManifest:
    """Return the snapshot's manifest; `decided` is the last decision that the answers show."""
    manifest = get_snapshot(handle).meta()
    return replace(manifest, decided=handle.decided or manifest.decided)


def load_totals(handle: Handle, s: Slice) -> SliceTotals:
    """Return the totals of the slice, on which its narratives and its unit have no effect."""
    return _load_totals(handle, replace(s, narratives=(), unit="paragraph"))


@cache_shared()
def load_prevalence(handle: Handle, s: Slice) -> pd.DataFrame:
    """Return the prevalence with share, share_low and share_high (95 %), one row per period and narrative.

    The filter for narratives selects rows of what is the same for all viewers with the other filters.
    """
    if s.narratives:
        frame = load_prevalence(handle, replace(s, narratives=()))
        return frame[frame["narrative_id"].isin(s.narratives)].reset_index(drop=True)
    return add_shares(_select_dates(lambda s: _load_prevalence_sums(handle, s), s, s.by))


def get_suppression_rule(handle: Handle) -> SuppressionRule:
    """Return the rule for showing a share; a snapshot with a notice, such as the sample, has lower limits."""
    return choose_suppression_rule(get_manifest(handle).notice)


def add_corrections(handle: Handle, s: Slice, frame: pd.DataFrame) -> pd.DataFrame:
    """Return the slice's shares corrected and suppressed."""
    checks, evaluation = list(load_spot_checks(handle).values()), load_evaluation(handle)
    measured = evaluation.shown if evaluation else ()
    calibration = evaluation.calibration if evaluation else None
    rule, decided = get_suppression_rule(handle), load_decided_counts(handle)
    return correct_and_suppress(frame, s, measured, checks, rule, calibration, decided)


def load_spot_checks(handle: Handle) -> dict[str, SpotCheck]:
    """Return the results of the snapshot's spot checks by narrative id; empty where there were none."""
    checks = load_checks(handle)
    return {row.narrative_id: row for row in checks.rows} if checks else {}


@cache_shared()
def load_change_points(handle: Handle, s: Slice) -> pd.DataFrame:
    """Return the change points of every narrative of the slice; see `measure.find_change_points`."""
    return find_change_points(load_prevalence(handle, s))


@cache_shared()
def load_unassigned(handle: Handle, s: Slice) -> pd.DataFrame:
    """Return what advances no narrative, by period, with share and interval; `s` must name no narratives."""
    return add_shares(_select_dates(lambda s: _load_unassigned_sums(handle, s), s, s.by))


def _select_dates(load: Callable[[Slice], pd.DataFrame], s: Slice, by: Granularity) -> pd.DataFrame:
    """Return the sums of a slice by period: rows of those of all dates, which viewers share, if dates divide none."""
    if is_divided(s.date_from, s.date_to, by):
        return load(s)
    frame = load(replace(s, date_from="", date_to=""))
    periods = select_periods(frame["period"].unique(), s.date_from, s.date_to)
    return frame[frame["period"].isin(periods)].reset_index(drop=True)


def find_finest_granularity(handle: Handle, s: Slice) -> Granularity:
    """Return the shortest period that the number of dated documents in the slice supports."""
    s = replace(s, narratives=(), by="year", unit="paragraph")
    months = _select_dates(lambda s: _count_documents(handle, s), s, "month")
    return choose_granularity(dict(zip(months["period"], months["documents"].tolist(), strict=True)))


@cache_shared()
def select_granularity(handle: Handle, s: Slice) -> Granularity:
    """Return the shortest period that the slice supports, by its dated documents and by its shares.

    At most one in four shares of the codebook's narratives may have too small a base. Otherwise the next
    longer period is tried, up to years.
    """
    for by in _list_coarser(find_finest_granularity(handle, s)):
        frame = load_prevalence(handle, replace(s, by=by, unit="paragraph"))
        shown = suppress_small_bases(frame[frame["origin"] == "codebook"], get_suppression_rule(handle))["base_ok"]
        if shown.mean() >= MIN_SHOWN_FRACTION:
            return by
    return "year"


def _list_coarser(by: Granularity) -> list[Granularity]:
    """List the granularities from `by` to half-years, finest first; where none of them fits, years remain."""
    coarsest_first: tuple[Granularity, ...] = get_args(Granularity)
    return list(reversed(coarsest_first[1 : coarsest_first.index(by) + 1]))


@cache_shared()
def load_paragraphs(handle: Handle, query: EvidenceQuery, limit: int, offset: int) -> pd.DataFrame:
    """Load one page of the paragraphs of a query, at most `limit` rows from row `offset` on."""
    return get_snapshot(handle).paragraphs(query, limit, offset)


def load_all_paragraphs(handle: Handle, query: EvidenceQuery) -> pd.DataFrame:
    """Load all paragraphs of a query for a download. They are too many to cache, or for the limits of a page."""
    with closing(_open_snapshot(handle, get_download_limits())) as snapshot:
        return snapshot.paragraphs(query)


def count_paragraphs(handle: Handle, query: EvidenceQuery) -> int:
    """Count the paragraphs of a query, whatever their order."""
    return _count_paragraphs(handle, replace(query, sort="best"))


@cache_shared()
def _count_paragraphs(handle: Handle, query: EvidenceQuery) -> int:
    return get_snapshot(handle).count_paragraphs(query)


@cache_shared(max_entries=10)
def load_map_points(handle: Handle, s: Slice) -> MapPoints:
    """Return the paragraphs of the slice on the map, at most as many as a page can show."""
    return map_queries.query_points(get_snapshot(handle), s)


@cache_shared(max_entries=20)
def load_topics(handle: Handle, s: Slice) -> topic_queries.TopicSums:
    """Return the themes, topics and recurring claims of the slice; `groups` also has share, its interval and trend."""
    found = topic_queries.query_topics(get_snapshot(handle), s)
    if found.groups.empty:
        return found
    groups = add_shares(found.groups.assign(narrative_id=found.groups["topic_id"]))
    trends = find_trends(found.halves)
    return replace(found, groups=groups.assign(trend=[trends.get(key, "") for key in groups["topic_id"]]))


@cache_shared()
def get_narrative_names(handle: Handle) -> dict[str, str]:
    """Return narrative names by id, in codebook order; a name that occurs twice is followed by its id.

    Streamlit identifies an option by its label, so two equal labels would be one option.
    """
    frame = load_options(handle).narratives
    repeated = frame["name"].duplicated(keep=False)
    labels = frame["name"].where(~repeated, frame["name"] + " (" + frame["narrative_id"] + ")")
    return dict(zip(frame["narrative_id"], labels, strict=True))


@cache_shared()
def get_narrative_colours(handle: Handle) -> dict[str, str]:
    """Return narrative colours by id, in codebook order."""
    frame = load_options(handle).narratives
    pairs = zip(frame["narrative_id"], frame["colour"], strict=True)
    return {key: resolve_colour(colour, place) for place, (key, colour) in enumerate(pairs)}


@cache_shared(max_entries=160)
def load_shares(handle: Handle, s: Slice, about: str, group: ShareGroup) -> pd.DataFrame:
    """Return shares with clustered intervals, one row per period, speaker or outlet, or one for all."""
    if group != "period":
        return add_shares(_load_narrative_sums(handle, s, about, group))
    return add_shares(_select_dates(lambda s: _load_narrative_sums(handle, s, about, group), s, s.by))


@cache_shared()
def load_trend(handle: Handle, s: Slice, about: str) -> pd.DataFrame:
    """Return the share by period, raw and corrected; where the base is too small there is the reason instead."""
    frame = load_shares(handle, s, about, "period")
    return add_corrections(handle, s, frame.assign(narrative=get_narrative_names(handle)[about]))


@cache_shared()
def load_overall_share(handle: Handle, s: Slice, about: str) -> pd.DataFrame:
    """Return the share in the whole slice, undated paragraphs included: one row, or none without text."""
    return add_corrections(handle, s, load_shares(handle, s, about, "all"))


@cache_shared()
def select_narrative_granularity(handle: Handle, s: Slice, about: str) -> Granularity:
    """Return the shortest period for which nine in ten shares of the narrative have a large enough base."""
    rule = get_suppression_rule(handle)
    for by in _list_coarser(find_finest_granularity(handle, s)):
        rows = suppress_small_bases(load_shares(handle, replace(s, by=by), about, "period"), rule)
        if len(rows) and rows["base_ok"].mean() >= MIN_FILLED_FRACTION:
            return by
    return "year"


@cache_shared()
def load_trend_change_points(handle: Handle, s: Slice, about: str) -> pd.DataFrame:
    """Return the change points of the narrative's trend; see `measure.find_change_points`."""
    return find_change_points(load_shares(handle, s, about, "period"))
