"""Gather the brief of a slice from a snapshot and write its page."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pandas as pd

from narratives.brief.page import MAX_GROUPS, MAX_PARAGRAPHS, MAX_TREND_CHARTS, Brief
from narratives.brief.page import build_html as build_html
from narratives.measure import (
    add_shares,
    choose_suppression_rule,
    correct_and_suppress,
    find_change_points,
    suppress_small_bases,
)
from narratives.measure.shares import SUM_COLUMNS
from narratives.model import Slice, SuppressionRule, UsageError
from narratives.model.slice import GroupBy
from narratives.store import Snapshot, check_slice, open_snapshot
from narratives.store.files import open_named_file
from narratives.store.queries import prevalence as prevalence_queries
from narratives.store.queries import review as review_queries

MAX_CANDIDATES = 40  # best paragraphs of each narrative, from which the brief chooses


def gather_brief(snapshot: Snapshot, s: Slice) -> Brief:
    """Gather the brief's content for a slice; without a narrative filter it covers the codebook's narratives.

    Raises UsageError if the slice names a narrative or a date that does not exist.
    """
    check_slice(snapshot, s)
    manifest, base = snapshot.meta(), choose_suppression_rule(snapshot.meta().notice)
    table = snapshot.options().narratives
    counts = snapshot.prevalence(s)
    if not s.narratives:
        counts = counts[counts["origin"] == "codebook"]
    evaluation, checked = snapshot.evaluation(), snapshot.spot_checks()
    measured = evaluation.shown if evaluation else ()
    calibration = evaluation.calibration if evaluation else None
    checks, decided = checked.rows if checked else (), review_queries.query_decided_counts(snapshot)
    trend = correct_and_suppress(add_shares(counts), s, measured, checks, base, calibration, decided)
    ranked = _rank_narratives(counts, base)
    top = ranked["narrative_id"].head(MAX_TREND_CHARTS).tolist()
    grouping = _choose_grouping(snapshot, s)
    groups = prevalence_queries.query_group_sums(snapshot, replace(s, narratives=tuple(top)), grouping, MAX_GROUPS)
    leading = ranked[ranked["paragraphs"] > 0]["narrative_id"].head(MAX_PARAGRAPHS).tolist()
    candidates = prevalence_queries.query_top_by_narrative(snapshot, s, leading, MAX_CANDIDATES)
    return Brief(
        slice=s,
        manifest=manifest,
        names=dict(zip(table["narrative_id"], table["name"], strict=True)),
        totals=snapshot.totals(s),
        base=base,
        trend=trend,
        ranked=ranked,
        shifts=find_change_points(trend[trend["narrative_id"].isin(top)]),
        grouping=grouping,
        groups=suppress_small_bases(add_shares(groups), base),
        evidence=select_diverse(candidates, MAX_PARAGRAPHS),
        quality=next((row for row in measured if not row.narrative_id), None),
        pooled=bool(evaluation and evaluation.corpus),
        quality_caveat=snapshot.quality_caveat(),
        uncorrected=_explain_no_correction(trend),
        checked=checked.caveat if checked else "",
    )


def _rank_narratives(counts: pd.DataFrame, base: SuppressionRule) -> pd.DataFrame:
    """Return a row for each narrative over all periods. Sums add up because a document is in one period only."""
    keys = ["narrative_id", "narrative"]
    sums = add_shares(counts.groupby(keys, sort=False)[list(SUM_COLUMNS)].sum().reset_index())
    return suppress_small_bases(sums, base).sort_values("paragraphs", ascending=False, kind="stable", ignore_index=True)


def _choose_grouping(snapshot: Snapshot, s: Slice) -> GroupBy:
    """Choose speakers, or outlets if the slice has one speaker, or voices if it also has only one outlet."""
    groupings: tuple[GroupBy, ...] = ("speaker", "outlet", "voice")
    return next((group for group in groupings if prevalence_queries.count_groups(snapshot, s, group) > 1), "speaker")


def _explain_no_correction(trend: pd.DataFrame) -> str:
    """Explain why shares are not corrected for matching errors; empty where any is."""
    if trend["corrected"].notna().any():
        return ""
    return "; ".join(dict.fromkeys(reason for reason in trend["correction_reason"] if reason))


def select_diverse(candidates: pd.DataFrame, most: int) -> pd.DataFrame:
    """Select at most `most` candidates whose narratives, documents and speakers differ as much as possible.

    `candidates` has narrative_id, document_id, speaker, paragraph_id and score. Narratives take turns in their
    order. Each turn takes the best paragraph whose document and speaker are both new, or else whose document
    is new. A document is repeated only when no narrative has a new one. No paragraph is selected twice. Pure.
    """
    shown: dict[str, set[str]] = {"paragraph_id": set(), "document_id": set(), "speaker": set()}
    taken: list[int] = []
    rounds = [rows for _, rows in candidates.reset_index(drop=True).groupby("narrative_id", sort=False)]
    for strict in (True, False):
        more = True
        while more and len(taken) < most:
            more = False
            for rows in rounds:
                new = {key: ~rows[key].isin(shown[key]) for key in shown}
                allowed = new["paragraph_id"] & new["document_id"] if strict else new["paragraph_id"]
                places = rows.index[allowed & new["speaker"]].tolist() or rows.index[allowed].tolist()
                if places and len(taken) < most:
                    taken.append(places[0])
                    for key in shown:
                        shown[key].add(str(rows.at[places[0], key]))
                    more = True
    return candidates.iloc[taken].reset_index(drop=True)


SUFFIXES = (".html", ".htm")


def write_brief(store: Path, s: Slice, out: Path | None, as_of: str = "") -> str:
    """Write the brief of a slice to `out` (.html, atomically), or return it.

    `store` is the folder of the store, `as_of` a snapshot id (the current one if empty). Returns an empty
    text if `out` is given. Raises UsageError for a file of another type, for unknown narratives or invalid
    dates, or if `out` cannot be written, and StoreError if the snapshot cannot be opened.
    """
    if out is not None and out.suffix.lower() not in SUFFIXES:
        raise UsageError("a file ending in .html", out.name, "Change the extension of the file.")
    with closing(open_snapshot(store, as_of)) as snapshot:
        page = build_html(gather_brief(snapshot, s), store.resolve().name)
    if out is None:
        return page
    try:
        with open_named_file(out) as file:
            file.write(page.encode("utf-8", "replace"))
    except OSError as error:
        hint = "Choose a file in a folder that you can write to."
        raise UsageError(f"a place to write {out}", str(error), hint) from error
    return ""
