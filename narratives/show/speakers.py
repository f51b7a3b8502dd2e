"""The first part of the page on speakers: who advances what, as a table of colours, and who is left out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import pandas as pd
import streamlit as st

from narratives.model import Slice
from narratives.show import controls, data, frame, panel, speakers_charts, speakers_data, words
from narratives.show.frame import View

MOST = {n: n for n in ("4", "8", "16", "32")}
Rank = Literal["advancing", "text"]
RANKS: Mapping[Rank, str] = {"advancing": "What they advance", "text": "How much there is of them"}
TABLE = {
    "speaker": st.column_config.TextColumn("Speaker"),
    "narrative": st.column_config.TextColumn("Narrative", width="medium"),
    "paragraphs": st.column_config.NumberColumn("Count", format="localized"),
    "total_paragraphs": st.column_config.NumberColumn("Of", format="localized"),
    "documents": st.column_config.NumberColumn("Documents", format="localized"),
    "share": st.column_config.NumberColumn("Share", format="percent"),
    "share_low": st.column_config.NumberColumn("95 % from", format="percent"),
    "share_high": st.column_config.NumberColumn("to", format="percent"),
}
_LEFT_OUT = {
    "speaker": st.column_config.TextColumn("Speaker"),
    "paragraphs": st.column_config.NumberColumn("Paragraphs", format="localized"),
    "documents": st.column_config.NumberColumn("Documents", format="localized"),
    "advancing": st.column_config.NumberColumn(
        "Advancing", format="localized", help="Paragraphs that advance any of the narratives shown."
    ),
    "reason": st.column_config.TextColumn("Why left out", width="medium"),
}


@dataclass(frozen=True, slots=True)
class Field:
    """The speakers of the slice: those with enough text, best first, and those without, with the reason."""

    enough: pd.DataFrame
    little: pd.DataFrame
    unnamed: int


def field(view: View) -> Field:
    """Part the speakers of the slice by the base; paragraphs that name nobody are only counted.

    Those who advance most come first, then those with most text.
    """
    found = speakers_data.amounts(view.handle, view.slice, "speaker")
    named, base = found[found["speaker"] != ""], speakers_data.least(view.handle)
    sizes = zip(named["paragraphs"], named["documents"], strict=True)
    named = named.assign(reason=[speakers_data.too_little(int(n), int(d), base) for n, d in sizes])
    unnamed = int(found.loc[found["speaker"] == "", "paragraphs"].sum())
    named = named.sort_values(["advancing", "paragraphs"], ascending=False, kind="stable")
    return Field(named[named["reason"] == ""], named[named["reason"] != ""], unnamed)


def nothing(view: View) -> None:
    """The empty state: no paragraph in the slice names a speaker."""

    def count(s: Slice) -> int:
        found = speakers_data.amounts(view.handle, s, "speaker")
        return int(found.loc[found["speaker"] != "", "paragraphs"].sum())

    frame.nothing(view, view.slice, count, "attributed statement paragraph")


def choices() -> tuple[Rank, int]:
    """Draw how the speakers are ranked and how many are shown; both in the address."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        rank = controls.choice(
            "First come those with most of",
            "speakers-by",
            RANKS,
            help="Paragraphs that advance any of the narratives shown, or statement paragraphs of any kind.",
        )
        most = controls.choice("At most", "speakers-top", MOST, "8")
    return rank, int(most)


def heatmap(view: View, found: Field) -> None:
    """Narratives by speakers."""
    rank, most = choices()
    by = "advancing" if rank == "advancing" else "paragraphs"
    order = found.enough.sort_values(by, ascending=False, kind="stable")["speaker"].head(most).tolist()
    if not order:
        base = speakers_data.least(view.handle)
        st.info(
            f"No speaker in this selection has {base.paragraphs} statement paragraphs in {base.documents} "
            "documents: too little for a share. The counts stand below.",
            icon=":material/info:",
        )
        return
    rows = speakers_data.by_speaker(view.handle, view.slice)
    rows = rows[rows["speaker"].isin(order)].assign(base_reason="")
    place = {name: i for i, name in enumerate(order)}
    rows = rows.sort_values("speaker", key=lambda names: names.map(place), kind="stable")
    best = rows.sort_values("share", ascending=False, kind="stable").head(3)
    columns = (
        best["speaker"],
        best["narrative"],
        best["share"],
        best["paragraphs"],
        best["total_paragraphs"],
    )
    highest = "; ".join(
        f"{name}, {narrative}: {words.percent(share)} ({hits:,} of {total:,})"
        for name, narrative, share, hits, total in zip(*columns, strict=True)
    )
    summary = f"Shares of {words.count(len(order), 'speaker')} by narrative. The highest: {highest}."
    dark = st.context.theme.type == "dark"
    drawn = panel.Panel(
        key="speakers",
        title="Who advances what",
        how=_how(view, found, len(order), by),
        summary=summary,
        table=rows,
        slice=view.slice,
        columns=TABLE,
    )
    panel.show(view, drawn, lambda: [("speakers-heatmap", speakers_charts.heatmap(rows, dark), summary)])


def _how(view: View, found: Field, shown: int, by: str) -> str:
    base, s = speakers_data.least(view.handle), view.slice
    span = words.years(s)
    among = f"{words.who(s)}{f' dated {span}' if span else ''}; {words.copies(s)}"
    ranked = (
        "paragraphs that advance any of these narratives" if by == "advancing" else "statement paragraphs"
    )
    of = f"of {len(found.enough):,} " if shown < len(found.enough) else ""
    which = (
        f"Shown {'is' if shown == 1 else 'are'} {words.count(shown, 'speaker')} {of}with at least "
        f"{base.paragraphs} statement paragraphs in {base.documents} documents, those with "
        f"most {ranked} first."
    )
    totals = data.totals(view.handle, s)
    unsure = (
        f"{words.count(totals.undated, 'further statement paragraph')} may lie within these dates, but the "
        "date is absent or too coarse to say."
        if span and totals.undated
        else ""
    )
    parts = [
        f"Percent of each speaker's own statement paragraphs{among}. A paragraph can advance several.",
        which,
        "Shares of few documents are uncertain: the 95 % interval stands on each cell and in the table, and "
        "below 30 documents it is itself rough.",
        unsure,
    ]
    return " ".join(filter(None, parts))


def left_out(view: View, found: Field) -> None:
    """Who has too little text for a share, with the counts and the reason."""
    if found.unnamed:
        verb = "names" if found.unnamed == 1 else "name"
        st.caption(
            f"{words.count(found.unnamed, 'statement paragraph')} {verb} no speaker and so stand with nobody."
        )
    if found.little.empty:
        return
    sums = found.little[["paragraphs", "advancing"]].sum()
    what = f"{words.count(len(found.little), 'speaker')} with too little text for a share"
    # Opened by a rerun: several hundred rows are not sent to those who do not ask for them.
    box = st.expander(what, key="left-out", on_change="rerun")
    if not box.open:
        return
    drawn = panel.Panel(
        key="little",
        title="Left out",
        how=f"Together they have {words.count(int(sums['paragraphs']), 'statement paragraph')}, of which "
        f"{int(sums['advancing']):,} advance one of the narratives shown. A share of so little would be a "
        "matter of chance.",
        summary=what,
        table=found.little.drop(columns=["first", "last"]),
        slice=view.slice,
        columns=_LEFT_OUT,
    )
    with box:
        panel.show(view, drawn, None)
