"""What the page on speakers rests on: the kept answers of the store, with shares, intervals and bases."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd
import streamlit as st

from narratives.dashboard import cached_queries, shell
from narratives.dashboard.components import chart_panel, controls
from narratives.dashboard.shell import View
from narratives.measure import choose_granularity, difference, suppress_small_bases, with_share
from narratives.measure.suppression import SAMPLE
from narratives.model import Granularity, Slice, SuppressionRule
from narratives.render import phrases, speaker_charts
from narratives.store.queries import speakers as speakers_queries


@dataclass(frozen=True, slots=True)
class Least:
    """What the shares of a speaker must rest on: over all dates, and in one period."""

    paragraphs: int
    documents: int
    period: SuppressionRule


LEAST = Least(30, 5, SuppressionRule())
LEAST_OF_SAMPLE = Least(8, 2, SAMPLE)  # hand-picked and small: the page says so


def least(handle: cached_queries.Handle) -> Least:
    """The base that holds for a snapshot: one with a notice is a sample, and too small for the usual one."""
    return LEAST_OF_SAMPLE if cached_queries.manifest(handle).notice else LEAST


@st.cache_data(max_entries=200, ttl=cached_queries.KEEP_SECONDS, show_spinner=False)
def amounts(handle: cached_queries.Handle, s: Slice, of: speakers_queries.Of) -> pd.DataFrame:
    """How much there is of every speaker, outlet or voice: see `speakers_queries.amounts`."""
    return speakers_queries.amounts(cached_queries.snapshot(handle), s, of)


@st.cache_data(max_entries=200, ttl=cached_queries.KEEP_SECONDS, show_spinner=False)
def by_speaker(handle: cached_queries.Handle, s: Slice) -> pd.DataFrame:
    """Shares of narratives with 95 % intervals, a row a speaker above the base and narrative."""
    base = least(handle)
    return with_share(
        speakers_queries.shares(
            cached_queries.snapshot(handle), s, "speaker", base.paragraphs, base.documents
        )
    )


@st.cache_data(max_entries=200, ttl=cached_queries.KEEP_SECONDS, show_spinner=False)
def of_pair(handle: cached_queries.Handle, s: Slice, pair: tuple[str, ...]) -> pd.DataFrame:
    """The same for the speakers named, those below the base too: without a share, and with base_reason."""
    enough = by_speaker(handle, s)
    found = enough[enough["speaker"].isin(pair)].assign(base_reason="")
    below = tuple(name for name in pair if name not in set(found["speaker"]))
    if not below:
        return found
    rows = speakers_queries.shares(cached_queries.snapshot(handle), replace(s, speakers=below), "speaker")
    base, sizes = least(handle), zip(rows["total_paragraphs"], rows["documents"], strict=True)
    reasons = [too_little(int(n), int(d), base) for n, d in sizes]
    nothing = {"share": np.nan, "share_low": np.nan, "share_high": np.nan}
    return pd.concat([found, rows.assign(**nothing, base_reason=reasons)], ignore_index=True)


@st.cache_data(max_entries=200, ttl=cached_queries.KEEP_SECONDS, show_spinner=False)
def over_time(handle: cached_queries.Handle, s: Slice) -> pd.DataFrame:
    """Shares of narratives with 95 % intervals by period of `s.by`; NaN with base_reason on too little."""
    frame = speakers_queries.shares(cached_queries.snapshot(handle), s, "period")
    return suppress_small_bases(with_share(frame), least(handle).period)


@st.cache_data(max_entries=200, ttl=cached_queries.KEEP_SECONDS, show_spinner=False)
def roles(handle: cached_queries.Handle, speaker: str) -> pd.DataFrame:
    """The roles of a speaker by date."""
    return speakers_queries.roles(cached_queries.snapshot(handle), speaker)


@st.cache_data(max_entries=200, ttl=cached_queries.KEEP_SECONDS, show_spinner=False)
def granularity(handle: cached_queries.Handle, s: Slice) -> Granularity:
    """The shortest period that the dated documents of the slice support, zeros of no narrative needed."""
    months = speakers_queries.shares(cached_queries.snapshot(handle), replace(s, by="month"), "period")
    counts = months.drop_duplicates("period")
    return choose_granularity(dict(zip(counts["period"], counts["documents"].astype(int), strict=True)))


def too_little(paragraphs: int, documents: int, base: Least) -> str:
    """Why a speaker's shares are not shown, in words; empty where they are. Pure."""
    if paragraphs < base.paragraphs:
        return f"{phrases.count(paragraphs, 'statement paragraph')}, fewer than {base.paragraphs}"
    if documents < base.documents:
        return f"{phrases.count(documents, 'document')}, fewer than {base.documents}"
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
    found = amounts(view.handle, view.slice, "speaker")
    named, base = found[found["speaker"] != ""], least(view.handle)
    sizes = zip(named["paragraphs"], named["documents"], strict=True)
    named = named.assign(reason=[too_little(int(n), int(d), base) for n, d in sizes])
    unnamed = int(found.loc[found["speaker"] == "", "paragraphs"].sum())
    named = named.sort_values(["advancing", "paragraphs"], ascending=False, kind="stable")
    return Field(named[named["reason"] == ""], named[named["reason"] != ""], unnamed)


def nothing(view: View) -> None:
    """The empty state: no paragraph in the slice names a speaker."""

    def count(s: Slice) -> int:
        found = amounts(view.handle, s, "speaker")
        return int(found.loc[found["speaker"] != "", "paragraphs"].sum())

    shell.nothing(view, view.slice, count, "attributed statement paragraph")


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
        base = least(view.handle)
        st.info(
            f"No speaker in this selection has {base.paragraphs} statement paragraphs in {base.documents} "
            "documents: too little for a share. The counts stand below.",
            icon=":material/info:",
        )
        return
    rows = by_speaker(view.handle, view.slice)
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
        f"{name}, {narrative}: {phrases.percent(share)} ({hits:,} of {total:,})"
        for name, narrative, share, hits, total in zip(*columns, strict=True)
    )
    summary = f"Shares of {phrases.count(len(order), 'speaker')} by narrative. The highest: {highest}."
    dark = st.context.theme.type == "dark"
    drawn = chart_panel.Panel(
        key="speakers",
        title="Who advances what",
        how=_how(view, found, len(order), by),
        summary=summary,
        table=rows,
        slice=view.slice,
        columns=TABLE,
    )
    chart_panel.show(view, drawn, lambda: [("speakers-heatmap", speaker_charts.heatmap(rows, dark), summary)])


def _how(view: View, found: Field, shown: int, by: str) -> str:
    base, s = least(view.handle), view.slice
    span = phrases.years(s)
    among = f"{phrases.who(s)}{f' dated {span}' if span else ''}; {phrases.copies(s)}"
    ranked = (
        "paragraphs that advance any of these narratives" if by == "advancing" else "statement paragraphs"
    )
    of = f"of {len(found.enough):,} " if shown < len(found.enough) else ""
    which = (
        f"Shown {'is' if shown == 1 else 'are'} {phrases.count(shown, 'speaker')} {of}with at least "
        f"{base.paragraphs} statement paragraphs in {base.documents} documents, those with "
        f"most {ranked} first."
    )
    totals = cached_queries.totals(view.handle, s)
    unsure = (
        f"{phrases.count(totals.undated, 'further statement paragraph')} may lie within these dates, but the "
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
            f"{phrases.count(found.unnamed, 'statement paragraph')} {verb} no speaker and so stand "
            "with nobody."
        )
    if found.little.empty:
        return
    sums = found.little[["paragraphs", "advancing"]].sum()
    what = f"{phrases.count(len(found.little), 'speaker')} with too little text for a share"
    # Opened by a rerun: several hundred rows are not sent to those who do not ask for them.
    box = st.expander(what, key="left-out", on_change="rerun")
    if not box.open:
        return
    drawn = chart_panel.Panel(
        key="little",
        title="Left out",
        how=f"Together they have {phrases.count(int(sums['paragraphs']), 'statement paragraph')}, of which "
        f"{int(sums['advancing']):,} advance one of the narratives shown. A share of so little would be a "
        "matter of chance.",
        summary=what,
        table=found.little.drop(columns=["first", "last"]),
        slice=view.slice,
        columns=_LEFT_OUT,
    )
    with box:
        chart_panel.show(view, drawn, None)
