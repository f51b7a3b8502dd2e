"""The Speakers page: cached shares of speakers, the heatmap, and speakers with too little text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd
import streamlit as st

from narratives.dashboard import cached_queries, chart_panel, controls, shell
from narratives.dashboard.shell import View
from narratives.dashboard.tables import COUNT_COLUMN, SHARE_COLUMNS, TEXT_COLUMN
from narratives.measure import SAMPLE_RULE, add_shares, compute_difference, suppress_small_bases
from narratives.model import Slice, SuppressionRule
from narratives.render import phrases, speaker_charts
from narratives.store.queries import speakers as speakers_queries


@dataclass(frozen=True, slots=True)
class SpeakerSuppressionRule:
    """The least amount of text for the shares of a speaker: over all dates, and in one period."""

    paragraphs: int
    documents: int
    period: SuppressionRule


SPEAKER_RULE = SpeakerSuppressionRule(30, 5, SuppressionRule())
SAMPLE_SPEAKER_RULE = SpeakerSuppressionRule(8, 2, SAMPLE_RULE)  # the sample is small; the page says so


def get_speaker_rule(handle: cached_queries.Handle) -> SpeakerSuppressionRule:
    """Return the rule for a snapshot: the sample, which has a notice, is too small for the usual rule."""
    return SAMPLE_SPEAKER_RULE if cached_queries.get_manifest(handle).notice else SPEAKER_RULE


load_amounts = cached_queries.cache_query(speakers_queries.query_text_volumes)
load_roles = cached_queries.cache_query(speakers_queries.query_roles)


@cached_queries.cache_shared()
def load_speaker_shares(handle: cached_queries.Handle, s: Slice) -> pd.DataFrame:
    """Load shares with 95 % intervals, one row per narrative and speaker with enough text."""
    rule = get_speaker_rule(handle)
    return add_shares(
        speakers_queries.query_share_sums(
            cached_queries.get_snapshot(handle), s, "speaker", rule.paragraphs, rule.documents
        )
    )


@cached_queries.cache_shared()
def load_pair_shares(handle: cached_queries.Handle, s: Slice, pair: tuple[str, ...]) -> pd.DataFrame:
    """Load the shares of two speakers; one with too little text has no share but a base_reason."""
    all_shares = load_speaker_shares(handle, s)
    above = all_shares[all_shares["speaker"].isin(pair)].assign(base_reason="")
    below = tuple(name for name in pair if name not in set(above["speaker"]))
    if not below:
        return above
    rows = speakers_queries.query_share_sums(cached_queries.get_snapshot(handle), replace(s, speakers=below), "speaker")
    rule, sizes = get_speaker_rule(handle), zip(rows["total_paragraphs"], rows["documents"], strict=True)
    reasons = [explain_suppression(int(n), int(d), rule) for n, d in sizes]
    nothing = {"share": np.nan, "share_low": np.nan, "share_high": np.nan}
    return pd.concat([above, rows.assign(**nothing, base_reason=reasons)], ignore_index=True)


@cached_queries.cache_shared()
def load_period_shares(handle: cached_queries.Handle, s: Slice) -> pd.DataFrame:
    """Load shares with 95 % intervals by period of `s.by`; with too little text NaN and a base_reason."""
    frame = speakers_queries.query_share_sums(cached_queries.get_snapshot(handle), s, "period")
    return suppress_small_bases(add_shares(frame), get_speaker_rule(handle).period)


def explain_suppression(paragraphs: int, documents: int, rule: SpeakerSuppressionRule) -> str:
    """Explain why a speaker's shares are not shown; empty if they are."""
    if paragraphs < rule.paragraphs:
        return f"{phrases.format_count(paragraphs, 'statement paragraph')}, fewer than {rule.paragraphs}"
    if documents < rule.documents:
        return f"{phrases.format_count(documents, 'document')}, fewer than {rule.documents}"
    return ""


def compute_differences(frame: pd.DataFrame, pair: tuple[str, str]) -> pd.DataFrame:
    """Compare two speakers: one row per narrative, largest share first.

    Columns: narrative_id, narrative, difference (first minus second), difference_low and difference_high
    (95 % limits; NaN if a share is NaN). For each of the two, with the suffix _1 or _2: speaker, paragraphs,
    total_paragraphs, documents, share, share_low, share_high.
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
RANK_LABELS: Mapping[Rank, str] = {"advancing": "Advancing paragraphs", "text": "All paragraphs"}
SPEAKER_COLUMNS = {
    "speaker": TEXT_COLUMN("Speaker"),
    "narrative": TEXT_COLUMN("Narrative", width="medium"),
    "paragraphs": COUNT_COLUMN("Count"),
    "total_paragraphs": COUNT_COLUMN("Of"),
    "documents": COUNT_COLUMN("Documents"),
    **SHARE_COLUMNS,
}
_SUPPRESSED_COLUMNS = {
    "speaker": TEXT_COLUMN("Speaker"),
    "paragraphs": COUNT_COLUMN("Paragraphs"),
    "documents": COUNT_COLUMN("Documents"),
    "advancing": COUNT_COLUMN("Advancing", help="Paragraphs that advance any of the narratives shown."),
    "reason": TEXT_COLUMN("Why left out", width="medium"),
}


@dataclass(frozen=True, slots=True)
class SpeakerGroups:
    """The speakers of the slice with enough text for a share, and those without, with the reason."""

    enough: pd.DataFrame
    suppressed: pd.DataFrame
    unnamed: int


@cached_queries.cache_shared()
def split_speakers(handle: cached_queries.Handle, s: Slice) -> SpeakerGroups:
    """Split the speakers of the slice by amount of text; paragraphs without a speaker are only counted.

    Those with the most advancing paragraphs come first, then those with the most text.
    """
    volumes = load_amounts(handle, s, "speaker")
    named, rule = volumes[volumes["speaker"] != ""], get_speaker_rule(handle)
    sizes = zip(named["paragraphs"], named["documents"], strict=True)
    named = named.assign(reason=[explain_suppression(int(n), int(d), rule) for n, d in sizes])
    unnamed = int(volumes.loc[volumes["speaker"] == "", "paragraphs"].sum())
    named = named.sort_values(["advancing", "paragraphs"], ascending=False, kind="stable")
    return SpeakerGroups(named[named["reason"] == ""], named[named["reason"] != ""], unnamed)


def draw_empty_state(view: View) -> None:
    """Draw the empty state: no paragraph in the slice names a speaker."""

    def count(s: Slice) -> int:
        volumes = load_amounts(view.handle, s, "speaker")
        return int(volumes.loc[volumes["speaker"] != "", "paragraphs"].sum())

    shell.draw_empty_state(view, view.slice, count, "attributed statement paragraph")


def draw_controls() -> tuple[Rank, int]:
    """Draw the controls for ranking and number of speakers and return their values, kept in the URL."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        rank = controls.draw_segmented_control(
            "Rank speakers by",
            "speakers-by",
            RANK_LABELS,
            help="Paragraphs that advance any of the narratives shown, or all statement paragraphs.",
        )
        most = controls.draw_segmented_control("At most", "speakers-top", ROW_LIMITS, "8")
    return rank, int(most)


def draw_heatmap(view: View, groups: SpeakerGroups) -> None:
    """Draw the heatmap of shares by narrative and speaker."""
    rank, most = draw_controls()
    if groups.enough.empty:
        rule = get_speaker_rule(view.handle)
        st.info(
            f"No speaker in this selection has {rule.paragraphs} statement paragraphs in {rule.documents} "
            "documents: too little for a share. The counts are below.",
            icon=":material/info:",
        )
        return
    dark = st.context.theme.type == "dark"
    chart_panel.draw_panel(view, _build_heatmap(view.handle, view.slice, rank, most, dark))


@cached_queries.cache_shared()
def _build_heatmap(
    handle: cached_queries.Handle, s: Slice, rank: Rank, most: int, dark: bool
) -> chart_panel.ChartPanel:
    groups, by = split_speakers(handle, s), "advancing" if rank == "advancing" else "paragraphs"
    order = groups.enough.sort_values(by, ascending=False, kind="stable")["speaker"].head(most).tolist()
    rows = load_speaker_shares(handle, s)
    rows = rows[rows["speaker"].isin(order)].assign(base_reason="")
    place = {name: i for i, name in enumerate(order)}
    rows = rows.sort_values("speaker", key=lambda names: names.map(place), kind="stable")
    best = rows.sort_values("share", ascending=False, kind="stable").head(3)
    columns = (best[name] for name in ("speaker", "narrative", "share", "paragraphs", "total_paragraphs"))
    highest = "; ".join(
        f"{name}, {narrative}: {phrases.format_percent(share)} ({hits:,} of {total:,})"
        for name, narrative, share, hits, total in zip(*columns, strict=True)
    )
    summary = f"Shares of {phrases.format_count(len(order), 'speaker')} by narrative. The highest: {highest}."
    figure = speaker_charts.build_speaker_heatmap(rows, dark)
    return chart_panel.ChartPanel(
        key="speakers",
        title="Who advances what",
        how=_describe_heatmap(handle, s, groups, len(order), by),
        summary=summary,
        table=rows,
        slice=s,
        columns=SPEAKER_COLUMNS,
        charts=[chart_panel.finish_chart("speakers-heatmap", figure, summary)],
    )


def _describe_heatmap(handle: cached_queries.Handle, s: Slice, groups: SpeakerGroups, shown: int, by: str) -> str:
    rule = get_speaker_rule(handle)
    among = f"{phrases.describe_scope(s)}; {phrases.describe_copies(s)}"
    ranked = "paragraphs that advance any of these narratives" if by == "advancing" else "statement paragraphs"
    part = f"{shown:,} of " if shown < len(groups.enough) else ""
    which = (
        f"Showing {part}{phrases.format_count(len(groups.enough), 'speaker')} with at least {rule.paragraphs} "
        f"statement paragraphs in {rule.documents} documents, ranked by number of {ranked}."
    )
    totals = cached_queries.load_totals(handle, s)
    unsure = (
        f"{phrases.format_count(totals.undated, 'further statement paragraph')} may fall within these dates, but "
        "the date is missing or too coarse."
        if (s.date_from or s.date_to) and totals.undated
        else ""
    )
    parts = [
        f"Percent of each speaker's own statement paragraphs{among}. A paragraph can advance several.",
        which,
        "Shares based on few documents are uncertain. Hover over a cell for its 95 % interval, or see the table; "
        "with fewer than 30 documents the interval itself is only approximate.",
        unsure,
    ]
    return " ".join(filter(None, parts))


def draw_suppressed(view: View, groups: SpeakerGroups) -> None:
    """Draw the speakers with too little text for a share, with counts and reasons."""
    if groups.unnamed:
        names, are = ("names", "is") if groups.unnamed == 1 else ("name", "are")
        number = phrases.format_count(groups.unnamed, "statement paragraph")
        st.caption(f"{number} {names} no speaker and {are} not counted for anyone.")
    if groups.suppressed.empty:
        return
    sums = groups.suppressed[["paragraphs", "advancing"]].sum()
    what = f"{phrases.format_count(len(groups.suppressed), 'speaker')} with too little text for a share"
    # Opening it reruns the page, so that several hundred rows are sent only on request.
    box = st.expander(what, key="left-out", on_change="rerun")
    if not box.open:
        return
    panel = chart_panel.ChartPanel(
        key="little",
        title="Left out",
        how=f"Together they have {phrases.format_count(int(sums['paragraphs']), 'statement paragraph')}, of which "
        f"{int(sums['advancing']):,} advance one of the narratives shown. A share of so little text would "
        "mostly reflect chance.",
        summary=what,
        table=groups.suppressed.drop(columns=["first", "last"]),
        slice=view.slice,
        columns=_SUPPRESSED_COLUMNS,
    )
    with box:
        chart_panel.draw_panel(view, panel)
