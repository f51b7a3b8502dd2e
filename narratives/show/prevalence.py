"""The controls and the headline of the prevalence page; its charts are in prevalence_panels.py."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import pandas as pd
import streamlit as st

from narratives.measure import smoothed
from narratives.model import Slice, Unit
from narratives.show import controls, data, periods, words
from narratives.show.frame import View
from narratives.show.frame import nothing as empty_frame
from narratives.show.marks import Measure

_UNITS: Mapping[Unit, str] = {"paragraph": "Paragraphs", "document": "Documents"}
_ORDERS = {
    "prevalence": "Most prevalent",
    "range": "Largest range",
    "name": "Name",
    "codebook": "Codebook",
}
_ORIGINS = {"codebook": "Codebook", "discovered": "Discovered", "all": "All"}


@dataclass(frozen=True, slots=True)
class Choice:
    """What this page's own controls say: the slice with granularity and unit, what to draw, and how."""

    slice: Slice
    measure: Measure
    origin: str
    automatic: bool
    order: str
    smooth: bool


def choices(view: View) -> Choice:
    """Draw share or count, of what, the length of a period, whose narratives, their order; all in the URL."""
    discovered = bool((data.options(view.handle).narratives["origin"] == "discovered").any())
    with st.container(horizontal=True, vertical_alignment="bottom"):
        measure = controls.measure()
        unit = controls.choice("Of", "unit", _UNITS)
        length = controls.period("Auto chooses the shortest period that the amount of text supports.")
        origin = "codebook"
        if discovered:
            origin = controls.choice(
                "Narratives",
                "origin",
                _ORIGINS,
                help="The codebook's narratives are defined by people; discovered ones are clusters of "
                "recurring paragraphs that no definition explains yet.",
            )
        order = controls.box("Order", "order", _ORDERS, width=190)
        smooth = controls.switch(
            "Smooth", "smooth", "Lines through the mean of three periods, weighted by their text."
        )
    by = data.granularity(view.handle, view.slice) if length == "auto" else length
    s = replace(view.slice, by=by, unit=unit)
    return Choice(s, measure, origin, length == "auto", order, smooth)


def frame(view: View, choice: Choice) -> pd.DataFrame:
    """Prevalence of the chosen narratives in the chosen order, then by period."""
    found = data.prevalence(view.handle, choice.slice)
    # Narratives that somebody named in the sidebar are shown whatever their origin.
    if choice.origin != "all" and not choice.slice.narratives:
        found = found[found["origin"] == choice.origin]
    found = data.judged(view.handle, choice.slice, found)
    if choice.smooth:
        found = smoothed(found)
    rank = {key: place for place, key in enumerate(_ordered(found, choice.order))}
    return found.sort_values(
        ["narrative_id", "period"], key=lambda c: c.map(rank) if c.name == "narrative_id" else c
    )


def _ordered(found: pd.DataFrame, order: str) -> list[str]:
    """Narrative ids in the order of their charts; of two alike the codebook's first comes first."""
    by_id = found.groupby("narrative_id", sort=False)
    if order == "codebook":
        return list(dict.fromkeys(found["narrative_id"]))
    if order == "name":
        return list(by_id["narrative"].first().str.casefold().sort_values(kind="stable").index)
    if order == "range":
        spread = by_id["share"].max() - by_id["share"].min()
        return list(spread.fillna(-1.0).sort_values(ascending=False, kind="stable").index)
    return list(by_id["paragraphs"].sum().sort_values(ascending=False, kind="stable").index)


def denominator(shown: pd.DataFrame, choice: Choice) -> str:
    """What the shares are shares of, in words."""
    totals = shown.drop_duplicates("period")
    first, last = totals["period"].min()[:4], totals["period"].max()[:4]
    return words.denominator(choice.slice, int(totals["total_paragraphs"].sum()), first, last)


def counted(view: View, choice: Choice, denominator: str) -> str:
    """What the charts count, in words: denominator, period, and what stands in none of them."""
    what = "Share of" if choice.measure == "share" else "Number among"
    by = (
        f"By {periods.NOUN[choice.slice.by]}{', chosen from the amount of text' if choice.automatic else ''}."
    )
    totals = data.totals(view.handle, choice.slice)
    missing = words.undated(totals.undated, choice.slice)
    unread = words.unread(totals.other_language)
    return " ".join(filter(None, [f"{what} {denominator}.", by, missing, unread]))


def nothing(view: View, choice: Choice) -> None:
    """The empty state: the filters, and what stands in no period."""

    def count(s: Slice) -> int:
        return data.totals(view.handle, s).placed

    missing = words.undated(data.totals(view.handle, choice.slice).undated, choice.slice)
    empty_frame(view, choice.slice, count, "dated statement paragraph", [missing] if missing else [])


def headline(view: View, choice: Choice, shown: pd.DataFrame) -> None:
    """How much there is, of when, and how much of it is in no narrative or no period."""
    counted = data.totals(view.handle, choice.slice)
    outside = counted.unassigned + (counted.candidates_only if choice.origin == "codebook" else 0)
    first, last = shown["period"].min()[:4], shown["period"].max()[:4]
    undated = counted.undated / max(1, counted.placed + counted.undated)
    cells = [
        ("Documents", f"{counted.documents:,}", "Those with at least one statement paragraph."),
        (
            "Paragraphs",
            f"{counted.statements:,}",
            "Statement paragraphs: what somebody says, no headings, no questions.",
        ),
        ("Speakers", f"{counted.speakers:,}", "Different people and bodies named as speakers."),
        ("Period", first if first == last else f"{first}–{last}", None),
        (
            "Not in codebook" if choice.origin == "codebook" else "In no narrative",
            words.percent(outside / max(1, counted.statements)),
            f"{outside:,} statement paragraphs, as far as the machine can tell; see the end of the page.",
        ),
        (
            "Undated",
            words.percent(undated),
            f"{words.count(counted.undated, 'statement paragraph')} in no period of these charts.",
        ),
        ("Last build", words.built(data.manifest(view.handle).built_at, short=True), None),
    ]
    grid = st.grid("auto", min_column_width=130, gap="small")
    for label, value, note in cells:
        grid.metric(label, value, help=note)
