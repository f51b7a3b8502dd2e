"""What the page on spread rests on: the kept answers of the store, and who comes first in them."""

from __future__ import annotations

from datetime import date, timedelta

import pandas as pd
import streamlit as st

from narratives.measure import first_uses
from narratives.model import Slice
from narratives.show import data, periods
from narratives.store import spread_queries as queries
from narratives.store.dates import span
from narratives.store.spread_queries import Actor


@st.cache_data(max_entries=200, ttl=data.KEEP_SECONDS, show_spinner=False)
def uses(handle: data.Handle, s: Slice, actor: Actor, narrative_id: str) -> pd.DataFrame:
    """Paragraphs that advance the narrative, by actor and date; those that name no speaker are left out."""
    found = queries.uses(data.snapshot(handle), s, actor, narrative_id)
    return found[found["actor"] != ""].reset_index(drop=True) if actor == "speaker" else found


@st.cache_data(max_entries=60, ttl=data.KEEP_SECONDS, show_spinner=False)
def coverage(handle: data.Handle, s: Slice, actor: Actor) -> pd.DataFrame:
    """In which months there is any text of each actor: see `spread_queries.coverage`."""
    return queries.coverage(data.snapshot(handle), s, actor)


@st.cache_data(max_entries=200, ttl=data.KEEP_SECONDS, show_spinner=False)
def copied(handle: data.Handle, s: Slice, narrative_id: str) -> pd.DataFrame:
    """Copies by the outlet of their original: see `spread_queries.copied`."""
    return queries.copied(data.snapshot(handle), s, narrative_id)


def taken_up(found: pd.DataFrame, covered: pd.DataFrame, k: int) -> pd.DataFrame:
    """`measure.first_uses` of one narrative, with when each actor is covered and its earliest coarse date.

    Further columns: covered_to (ISO day, or empty) and coarse (the earliest date of a use that is known to
    the month or year only, or empty). Earliest first. Pure.
    """
    sure = covered.groupby("actor")["sure"].min()
    table = first_uses(found, dict(sure), k)
    ends = dict(covered.groupby("actor")["last_day"].max())
    partial = found[found["date"].str.len().between(1, 9)]
    coarse = dict(partial.groupby("actor")["date"].min())
    actors = table["actor"].tolist()
    return table.assign(
        covered_to=[ends.get(actor, "") for actor in actors],
        coarse=[coarse.get(actor, "") for actor in actors],
    )


def runs(covered: pd.DataFrame, actor: str) -> list[tuple[date, date]]:
    """First and last days of the stretches in which there is text of the actor in every month. Pure.

    A year that is all the date says counts as a stretch of its own length.
    """
    spans = sorted(periods.bounds(label) for label in covered.loc[covered["actor"] == actor, "period"])
    joined: list[tuple[date, date]] = []
    for start, end in spans:
        if joined and start <= joined[-1][1] + timedelta(days=1):
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def window(covered: pd.DataFrame, s: Slice) -> tuple[date, date]:
    """First and last day of the time axis: the dates asked for, else all that is covered. Pure."""
    first = span(s.date_from)[0] if s.date_from else date.fromisoformat(covered["first_day"].min())
    last = span(s.date_to)[1] if s.date_to else date.fromisoformat(covered["last_day"].max())
    return (first, last) if first <= last else (last, first)
