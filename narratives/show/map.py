"""The parts of the map page."""

from __future__ import annotations

import hashlib
from typing import Any

import pandas as pd
import streamlit as st

from narratives.model import Slice
from narratives.show import address, data, evidence, frame, map_charts, words
from narratives.show.colours import chosen
from narratives.show.frame import View
from narratives.store import MapPoints

WHAT = "statement paragraph"
BY: tuple[map_charts.By, ...] = ("narrative", "year", "speaker")
MOST_LISTED = 100


def controls() -> map_charts.By:
    """Draw the choice of what the colours mean; it stands in the URL."""
    address.one("colour", {by: by for by in BY}, "narrative")
    picked = st.segmented_control("Colour by", BY, format_func=str.capitalize, required=True, key="colour")
    return picked or "narrative"


def drawn(view: View, found: MapPoints) -> str:
    """How many of how many are drawn, and which."""
    shown = len(found.frame)
    span = words.years(view.slice)
    who = words.who(view.slice) + (f" dated {span}" if span else "")
    if shown == found.total:
        return f"{words.count(shown, WHAT)}{who}; originals only."
    claimed = sum(len(ids) > 0 for ids in found.frame["narrative_ids"])
    others = found.total - found.claimed
    which = f"all {claimed:,}" if claimed == found.claimed else f"{claimed:,} of {found.claimed:,}"
    return (
        f"{shown:,} of {words.count(found.total, WHAT)}{who} are drawn; originals only: "
        f"{which} that advance a narrative and, as a background, {shown - claimed:,} of "
        f"the {others:,} others. So the share of coloured points is no prevalence."
    )


def nothing(view: View) -> None:
    """The empty state: no map at all, or the filters that match nothing."""
    if not data.has_map(view.handle):
        st.subheader("This snapshot has no map", anchor=False)
        st.text("It was built before there were maps. The next build that changes anything draws one.")
        return

    def count(s: Slice) -> int:
        return data.map_points(view.handle, s).total

    frame.nothing(view, view.slice, count, WHAT)


def chart(view: View, found: MapPoints, by: map_charts.By) -> list[str]:
    """Draw the map; returns the ids of the points that were chosen on it."""
    options = data.options(view.handle).narratives
    pairs = zip(options["narrative_id"], options["colour"], strict=True)
    colours = {key: chosen(colour, place) for place, (key, colour) in enumerate(pairs)}
    groups = map_charts.groups(found.frame, by, data.names(view.handle), colours)
    event: Any = st.plotly_chart(
        map_charts.figure(found.frame, groups, by),
        config=map_charts.CONFIG,
        key=f"map-{hashlib.sha256(f'{view}{by}'.encode()).hexdigest()[:12]}",
        on_select="rerun",
        selection_mode=("points", "box", "lasso"),
        alt=map_charts.summary(found.frame, groups, by),
    )
    ids = found.frame["paragraph_id"].tolist()
    rows = [groups[p["curve_number"]].rows[p["point_index"]] for p in event.selection.points]
    return [ids[row] for row in sorted(set(rows))]


def listing(view: View, picked: list[str]) -> None:
    """The chosen paragraphs, best match first."""
    rows: pd.DataFrame = data.paragraphs_by_id(view.handle, tuple(picked)).head(MOST_LISTED)
    st.subheader("What you chose", anchor=False)
    many = len(picked)
    st.text(
        f"{words.count(many, WHAT)}" + (f"; the best {MOST_LISTED} are listed." if many > len(rows) else ".")
    )
    evidence.table(rows, key=f"map{view}{picked}")
