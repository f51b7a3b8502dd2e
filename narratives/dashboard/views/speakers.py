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
from narratives.measure import add_shares, choose_granularity, compute_difference, suppress_small_bases
from narratives.measure.suppression import SAMPLE_RULE
from narratives.model import Granularity, Slice, SuppressionRule
from narratives.model.slice import GroupBy
from narratives.render import phrases, speaker_charts
from narratives.store.queries import speakers as speakers_queries


@dataclass(frozen=True, slots=True)
class SpeakerSuppressionRule:
    """What the shares of a speaker must rest on: over all dates, and in one period."""

    paragraphs: int
    documents: int
    period: SuppressionRule


SPEAKER_RULE = SpeakerSuppressionRule(30, 5, SuppressionRule())
SAMPLE_SPEAKER_RULE = SpeakerSuppressionRule(8, 2, SAMPLE_RULE)  # hand-picked and small: the page says so


def get_speaker_rule(handle: cached_queries.Handle) -> SpeakerSuppressionRule:
    """The base that holds for a snapshot: one with a notice is a sample, and too small for the usual one."""
    return SAMPLE_SPEAKER_RULE if cached_queries.get_manifest(handle).notice else SPEAKER_RULE


@st.cache_data(max_entries=200, ttl=cached_queries.CACHE_SECONDS, show_spinner=False)
def load_amounts(handle: cached_queries.Handle, s: Slice, of: GroupBy) -> pd.DataFrame:
    """How much there is of every speaker, outlet or voice: see `speakers_queries.amounts`."""
    return speakers_queries.query_text_volumes(cached_queries.get_snapshot(handle), s, of)


@st.cache_data(max_entries=200, ttl=cached_queries.CACHE_SECONDS, show_spinner=False)
def load_speaker_shares(handle: cached_queries.Handle, s: Slice) -> pd.DataFrame:
    """Shares of narratives with 95 % intervals, a row a speaker above the base and narrative."""
    base = get_speaker_rule(handle)
    return add_shares(
        speakers_queries.query_share_sums(
            cached_queries.get_snapshot(handle), s, "speaker", base.paragraphs, base.documents
        )
    )


@st.cache_data(max_entries=200, ttl=cached_queries.CACHE_SECONDS, show_spinner=False)
def load_pair_shares(handle: cached_queries.Handle, s: Slice, pair: tuple[str, ...]) -> pd.DataFrame:
    """The same for the speakers named, those below the base too: without a share, and with base_reason."""
    enough = load_speaker_shares(handle, s)
    found = enough[enough["speaker"].isin(pair)].assign(base_reason="")
    below = tuple(name for name in pair if name not in set(found["speaker"]))
    if not below:
        return found
    rows = speakers_queries.query_share_sums(cached_queries.get_snapshot(handle), replace(s, speakers=below), "speaker")
    base, sizes = get_speaker_rule(handle), zip(rows["total_paragraphs"], rows["documents"], strict=True)
    reasons = [explain_suppression(int(n), int(d), base) for n, d in sizes]
    nothing = {"share": np.nan, "share_low": np.nan, "share_high": np.nan}
    return pd.concat([found, rows.assign(**nothing, base_reason=reasons)], ignore_index=True)


@st.cache_data(max_entries=200, ttl=cached_queries.CACHE_SECONDS, show_spinner=False)
def load_period_shares(handle: cached_queries.Handle, s: Slice) -> pd.DataFrame:
    """Shares of narratives with 95 % intervals by period of `s.by`; NaN with base_reason on too little."""
    frame = speakers_queries.query_share_sums(cached_queries.get_snapshot(handle), s, "period")
    return suppress_small_bases(add_shares(frame), get_speaker_rule(handle).period)


@st.cache_data(max_entries=200, ttl=cached_queries.CACHE_SECONDS, show_spinner=False)
def load_roles(handle: cached_queries.Handle, speaker: str) -> pd.DataFrame:
    """The roles of a speaker by date."""
    return speakers_queries.query_roles(cached_queries.get_snapshot(handle), speaker)


@st.cache_data(max_entries=200, ttl=cached_queries.CACHE_SECONDS, show_spinner=False)
def select_speaker_granularity(handle: cached_queries.Handle, s: Slice) -> Granularity:
    """The shortest period that the dated documents of the slice support, zeros of no narrative needed."""
    months = speakers_queries.query_share_sums(cached_queries.get_snapshot(handle), replace(s, by="month"), "period")
    counts = months.drop_duplicates("period")
    return choose_granularity(dict(zip(counts["period"], counts["documents"].astype(int), strict=True)))


def explain_suppression(paragraphs: int, documents: int, base: SpeakerSuppressionRule) -> str:
    """Why a speaker's shares are not shown, in words; empty where they are. Pure."""
    if paragraphs < base.paragraphs:
        return f"{phrases.format_count(paragraphs, 'statement paragraph')}, fewer than {base.paragraphs}"
    if documents < base.documents:
        return f"{phrases.format_count(documents, 'document')}, fewer than {base.documents}"
    return ""


def compute_differences(frame: pd.DataFrame, pair: tuple[str, str]) -> pd.DataFrame:
    """The pair side by side, a row a narrative: shares, counts, and first less second with its 95 % limits.

    Columns narrative_id, narrative, difference, difference_low, difference_high (NaN where a share is) and
    for 1 and 2 speaker_1, paragraphs_1, total_paragraphs_1, documents_1, share_1, share_low_1, share_high_1.
    Largest share first. Pure.
    """
    measured = ["paragraphs", "total_paragraphs", "documents", "share", "share_low", "share_high"]
    names = frame.drop_duplicates("narrative_id").set_index("narrative_id")[["narrative"]]
    one, other = (
        frame[frame["speaker"] == speaker].set_index("narrative_id")[["speaker", *measured]] for speaker in pair
    )
    table = names.join(one.add_suffix("_1")).join(other.add_suffix("_2"))
    columns = [table[f"{name}_{n}"] for n in (1, 2) for name in ("share", "share_low", "share_high")]
    gap, low, high = compute_difference(*columns)
    table = table.assign(difference=gap, difference_low=low, difference_high=high).reset_index()
    largest = table[["share_1", "share_2"]].max(axis=1).fillna(-1)
    return table.iloc[largest.sort_values(ascending=False, kind="stable").index].reset_index(drop=True)


ROW_LIMITS = {n: n for n in ("4", "8", "16", "32")}
Rank = Literal["advancing", "text"]
RANK_LABELS: Mapping[Rank, str] = {"advancing": "What they advance", "text": "How much there is of them"}
SPEAKER_COLUMNS = {
    "speaker": st.column_config.TextColumn("Speaker"),
    "narrative": st.column_config.TextColumn("Narrative", width="medium"),
    "paragraphs": st.column_config.NumberColumn("Count", format="localized"),
    "total_paragraphs": st.column_config.NumberColumn("Of", format="localized"),
    "documents": st.column_config.NumberColumn("Documents", format="localized"),
    "share": st.column_config.NumberColumn("Share", format="percent"),
    "share_low": st.column_config.NumberColumn("95 % from", format="percent"),
    "share_high": st.column_config.NumberColumn("to", format="percent"),
}
_SUPPRESSED_COLUMNS = {
    "speaker": st.column_config.TextColumn("Speaker"),
    "paragraphs": st.column_config.NumberColumn("Paragraphs", format="localized"),
    "documents": st.column_config.NumberColumn("Documents", format="localized"),
    "advancing": st.column_config.NumberColumn(
        "Advancing", format="localized", help="Paragraphs that advance any of the narratives shown."
    ),
    "reason": st.column_config.TextColumn("Why left out", width="medium"),
}


@dataclass(frozen=True, slots=True)
class SpeakerGroups:
    """The speakers of the slice: those with enough text, best first, and those without, with the reason."""

    enough: pd.DataFrame
    little: pd.DataFrame
    unnamed: int


def split_speakers(view: View) -> SpeakerGroups:
    """Part the speakers of the slice by the base; paragraphs that name nobody are only counted.

    Those who advance most come first, then those with most text.
    """
    found = load_amounts(view.handle, view.slice, "speaker")
    named, base = found[found["speaker"] != ""], get_speaker_rule(view.handle)
    sizes = zip(named["paragraphs"], named["documents"], strict=True)
    named = named.assign(reason=[explain_suppression(int(n), int(d), base) for n, d in sizes])
    unnamed = int(found.loc[found["speaker"] == "", "paragraphs"].sum())
    named = named.sort_values(["advancing", "paragraphs"], ascending=False, kind="stable")
    return SpeakerGroups(named[named["reason"] == ""], named[named["reason"] != ""], unnamed)


def draw_empty_state(view: View) -> None:
    """The empty state: no paragraph in the slice names a speaker."""

    def count(s: Slice) -> int:
        found = load_amounts(view.handle, s, "speaker")
        return int(found.loc[found["speaker"] != "", "paragraphs"].sum())

    shell.draw_empty_state(view, view.slice, count, "attributed statement paragraph")


def choices() -> tuple[Rank, int]:
    """Draw how the speakers are ranked and how many are shown; both in the address."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        rank = controls.choice(
            "First come those with most of",
            "speakers-by",
            RANK_LABELS,
            help="Paragraphs that advance any of the narratives shown, or statement paragraphs of any kind.",
        )
        most = controls.choice("At most", "speakers-top", ROW_LIMITS, "8")
    return rank, int(most)


def draw_heatmap(view: View, found: SpeakerGroups) -> None:
    """Narratives by speakers."""
    rank, most = choices()
    by = "advancing" if rank == "advancing" else "paragraphs"
    order = found.enough.sort_values(by, ascending=False, kind="stable")["speaker"].head(most).tolist()
    if not order:
        base = get_speaker_rule(view.handle)
        st.info(
            f"No speaker in this selection has {base.paragraphs} statement paragraphs in {base.documents} "
            "documents: too little for a share. The counts stand below.",
            icon=":material/info:",
        )
        return
    rows = load_speaker_shares(view.handle, view.slice)
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
        f"{name}, {narrative}: {phrases.format_percent(share)} ({hits:,} of {total:,})"
        for name, narrative, share, hits, total in zip(*columns, strict=True)
    )
    summary = f"Shares of {phrases.format_count(len(order), 'speaker')} by narrative. The highest: {highest}."
    dark = st.context.theme.type == "dark"
    drawn = chart_panel.ChartPanel(
        key="speakers",
        title="Who advances what",
        how=_describe_heatmap(view, found, len(order), by),
        summary=summary,
        table=rows,
        slice=view.slice,
        columns=SPEAKER_COLUMNS,
    )
    chart_panel.draw_panel(
        view, drawn, lambda: [("speakers-heatmap", speaker_charts.build_speaker_heatmap(rows, dark), summary)]
    )


def _describe_heatmap(view: View, found: SpeakerGroups, shown: int, by: str) -> str:
    base, s = get_speaker_rule(view.handle), view.slice
    span = phrases.format_date_range(s)
    among = f"{phrases.describe_attribution(s)}{f' dated {span}' if span else ''}; {phrases.describe_copies(s)}"
    ranked = "paragraphs that advance any of these narratives" if by == "advancing" else "statement paragraphs"
    of = f"of {len(found.enough):,} " if shown < len(found.enough) else ""
    which = (
        f"Shown {'is' if shown == 1 else 'are'} {phrases.format_count(shown, 'speaker')} {of}with at least "
        f"{base.paragraphs} statement paragraphs in {base.documents} documents, those with "
        f"most {ranked} first."
    )
    totals = cached_queries.load_totals(view.handle, s)
    unsure = (
        f"{phrases.format_count(totals.undated, 'further statement paragraph')} may lie within these dates, but the "
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


def draw_suppressed(view: View, found: SpeakerGroups) -> None:
    """Who has too little text for a share, with the counts and the reason."""
    if found.unnamed:
        verb = "names" if found.unnamed == 1 else "name"
        st.caption(
            f"{phrases.format_count(found.unnamed, 'statement paragraph')} {verb} no speaker and so stand with nobody."
        )
    if found.little.empty:
        return
    sums = found.little[["paragraphs", "advancing"]].sum()
    what = f"{phrases.format_count(len(found.little), 'speaker')} with too little text for a share"
    # Opened by a rerun: several hundred rows are not sent to those who do not ask for them.
    box = st.expander(what, key="left-out", on_change="rerun")
    if not box.open:
        return
    drawn = chart_panel.ChartPanel(
        key="little",
        title="Left out",
        how=f"Together they have {phrases.format_count(int(sums['paragraphs']), 'statement paragraph')}, of which "
        f"{int(sums['advancing']):,} advance one of the narratives shown. A share of so little would be a "
        "matter of chance.",
        summary=what,
        table=found.little.drop(columns=["first", "last"]),
        slice=view.slice,
        columns=_SUPPRESSED_COLUMNS,
    )
    with box:
        chart_panel.draw_panel(view, drawn, None)
