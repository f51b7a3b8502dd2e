"""What a brief tells: the figures, the three charts' numbers and the paragraphs, from one snapshot."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import pandas as pd

from narratives.measure import base_of, changes, judged, with_base, with_share
from narratives.measure.base import Base
from narratives.measure.clustered import SUMS
from narratives.model import Quality, Slice
from narratives.store import Manifest, Snapshot, Totals, brief_queries, check_slice
from narratives.store.brief_queries import Grouping

MOST_SMALL = 6  # narratives in the first chart, and columns of the third
MOST_RANKED = 16  # rows of the second chart
MOST_GROUPS = 8  # rows of the third
MOST_PARAGRAPHS = 5
CANDIDATES = 40  # best paragraphs of each narrative among which the shown ones are chosen
GROUPINGS: tuple[Grouping, ...] = ("speaker", "outlet", "voice")


@dataclass(frozen=True, slots=True)
class Brief:
    """The content of a brief.

    `trend` has a row for every period and narrative, `ranked` one a narrative over the whole slice, most
    prevalent first, `groups` one for each of the groups (`group`, of `grouping`) and of the first
    MOST_SMALL narratives: all with share, limits and base as `measure` gives them. `shifts` are change
    points; `evidence` the chosen paragraphs (see `brief_queries.best`). All but `totals` are empty where the
    slice holds no dated statement.
    """

    slice: Slice
    manifest: Manifest
    names: Mapping[str, str]
    totals: Totals
    base: Base
    trend: pd.DataFrame
    ranked: pd.DataFrame
    shifts: pd.DataFrame
    grouping: Grouping
    groups: pd.DataFrame
    evidence: pd.DataFrame
    quality: Quality | None
    quality_caveat: str
    uncorrected: str
    checked: str


def gather(snapshot: Snapshot, s: Slice) -> Brief:
    """The brief's content for a slice; without a narrative filter it is about the codebook's narratives.

    Raises UsageError where the slice asks for a narrative or a date that cannot be meant.
    """
    check_slice(snapshot, s)
    manifest, base = snapshot.meta(), base_of(snapshot.meta().notice)
    table = snapshot.options().narratives
    counts = snapshot.prevalence(s)
    if not s.narratives:
        counts = counts[counts["origin"] == "codebook"]
    measured, checked = snapshot.quality() or (), snapshot.spot_checks()
    trend = judged(with_share(counts), s, measured, checked.rows if checked else (), base)
    ranked = _ranked(counts, base)
    top = ranked["narrative_id"].head(MOST_SMALL).tolist()
    grouping = _grouping(snapshot, s)
    groups = brief_queries.by_group(snapshot, replace(s, narratives=tuple(top)), grouping, MOST_GROUPS)
    leading = ranked[ranked["paragraphs"] > 0]["narrative_id"].head(MOST_PARAGRAPHS).tolist()
    return Brief(
        slice=s,
        manifest=manifest,
        names=dict(zip(table["narrative_id"], table["name"], strict=True)),
        totals=snapshot.totals(s),
        base=base,
        trend=trend,
        ranked=ranked,
        shifts=changes(trend[trend["narrative_id"].isin(top)]),
        grouping=grouping,
        groups=with_base(with_share(groups), base),
        evidence=diverse(brief_queries.best(snapshot, s, leading, CANDIDATES), MOST_PARAGRAPHS),
        quality=next((row for row in measured if not row.narrative_id), None),
        quality_caveat=snapshot.quality_caveat(),
        uncorrected=_reasons(trend),
        checked=checked.caveat if checked else "",
    )


def _ranked(counts: pd.DataFrame, base: Base) -> pd.DataFrame:
    """One row a narrative over all periods: a document stands in one period, so its sums simply add up."""
    keys = ["narrative_id", "narrative"]
    sums = with_share(counts.groupby(keys, sort=False)[list(SUMS)].sum().reset_index())
    return with_base(sums, base).sort_values("paragraphs", ascending=False, kind="stable", ignore_index=True)


def _grouping(snapshot: Snapshot, s: Slice) -> Grouping:
    """Speakers, or outlets where the slice has one speaker, or voices where it has one outlet as well."""
    several = (grouping for grouping in GROUPINGS if brief_queries.groups(snapshot, s, grouping) > 1)
    return next(several, "speaker")


def _reasons(trend: pd.DataFrame) -> str:
    """Why shares are not corrected for matching errors, in words; empty where any is."""
    if trend["corrected"].notna().any():
        return ""
    return "; ".join(dict.fromkeys(reason for reason in trend["correction_reason"] if reason))


def diverse(candidates: pd.DataFrame, most: int) -> pd.DataFrame:
    """At most `most` of the candidates, of narratives, documents and speakers as different as may be.

    `candidates` has narrative_id, document_id, speaker, paragraph_id and score. Narratives take turns in the
    order in which they first stand; each turn takes the best-scored paragraph of a document and a speaker
    that were not shown yet, else of such a document, and none of a document shown already while any other
    narrative has one. No paragraph stands twice. Pure.
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
