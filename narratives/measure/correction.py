"""Shares corrected for the errors of the matching, where labels allow it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
import pandas as pd

from narratives.measure.shares import Floats, compute_wilson_interval, propagate_limits
from narratives.measure.suppression import suppress_small_bases
from narratives.model import QualityMetrics, Slice, SpotCheck, SuppressionRule

LABEL_COLUMNS = ("narrative_id", "assigned", "assigned_true", "others", "others_true")

# Why there is no corrected share, in the words that stand in its place.
NOT_MEASURED = "no labels of this narrative"
NOT_RANDOM = "the reference labels were not drawn at random: their false-positive rate does not carry over"
RATES_TOO_HIGH = "false positives are as frequent on the reference labels as assignments are here"
NO_BETTER_THAN_CHANCE = "the matching finds true paragraphs no more often than others"
NO_RECALL = "a spot check tells what holds here, but how much is found was not measured"
UNIT_NOT_CHECKED = "spot checks judge original paragraphs, and here documents or copies are counted"
CONTRADICTED = "the measured rates cannot give the share seen here"

Estimate = tuple[Floats, Floats, Floats]  # with its limits


def build_labels(checks: Sequence[SpotCheck]) -> pd.DataFrame:
    """Spot checks as the `labels` of `corrected`: they judge what was assigned, and none of the others."""
    rows = [(check.narrative_id, check.judged, check.advancing, 0, 0) for check in checks]
    return pd.DataFrame(rows, columns=list(LABEL_COLUMNS))


def correct_and_suppress(
    frame: pd.DataFrame,
    s: Slice,
    measured: Sequence[QualityMetrics],
    checks: Sequence[SpotCheck],
    base: SuppressionRule,
) -> pd.DataFrame:
    """The slice's shares as pages show them: `corrected` where labels allow, and none on too little.

    Spot checks are of original paragraphs, so only shares of these are corrected by them.
    """
    counted = s.unit == "paragraph" and s.copies == "originals"
    found = correct_shares(frame, measured, build_labels(checks if counted else ()))
    if checks and not counted:
        found.loc[found["correction"] == "", "correction_reason"] = UNIT_NOT_CHECKED
    return suppress_small_bases(found, base)


def compute_precision(check: SpotCheck) -> tuple[float, float, float]:
    """The share of the judged that hold, with Wilson's 95 % limits; `check` has judged at least one."""
    low, high = compute_wilson_interval(np.array([check.advancing], np.float64), np.array([check.judged], np.float64))
    return check.advancing / check.judged, float(low[0]), float(high[0])


def correct_shares(
    frame: pd.DataFrame,
    measured: Sequence[QualityMetrics] = (),
    labels: pd.DataFrame | None = None,
    rates_carry_over: bool = False,
) -> pd.DataFrame:
    """The frame with columns corrected, corrected_low, corrected_high, correction and correction_reason.

    `frame` has narrative_id, paragraphs, total_paragraphs, share, share_low and share_high (`with_share`).
    `labels` has the columns LABELS: of every narrative, how many paragraphs of this corpus drawn at random
    among those assigned, and among all others, were labelled, and how many of them truly advance it.
    `measured` are figures on reference labels from elsewhere. Per narrative the first method that its labels
    allow; `correction` names it, empty where there is none, and then `correction_reason` says why:

    labels     share * t + (1 - share) * m, with t true of the assigned and m true of the others, both from
               `labels`. For a yes-or-no prediction this is prediction-powered inference with its best weight
               (Angelopoulos, Duchi and Zrnic 2023, arXiv:2311.01453), known in surveys as post-stratification
               or two-phase sampling. It assumes only that the labelled paragraphs were drawn at random.
    precision  share * t / recall, with t from `labels` and recall from `measured`: assumes that what is found
               of the true paragraphs here is as much as there.
    rates      (share - f) / (recall - f), with the false-positive rate f, both from `measured` (Rogan and
               Gladen 1978, American Journal of Epidemiology 107, 71-76; "adjusted count" in quantification).
               Only if `rates_carry_over`: the caller knows that the reference paragraphs were drawn at
               random, for a set rich in near misses has a far higher f than a corpus. A matching better
               than chance assigns at least f; where f is no less than the share assigned in all of `frame`,
               there is no correction. Precision, which moves with how frequent a narrative is, is never
               carried over.

    The limits are at 95 %, clipped to 0..1: those of the share and of the rates (the wider of Wilson's and
    those measured) carried through the formula one at a time, the steps squared and added (Zou and Donner
    2008; Donner and Zou 2012, Statistical Methods in Medical Research 21, 347-359). The rates are taken as
    the same in every row of a narrative. NaN where the share is, and where the limits are beyond 0..1.
    """
    keys = pd.Index(frame["narrative_id"].unique())
    overall = frame.groupby("narrative_id")[["paragraphs", "total_paragraphs"]].sum().reindex(keys)
    quality = {row.narrative_id: row for row in measured if row.narrative_id}
    recall, false_positives = _collect_rates([quality.get(key) for key in keys])
    true, missed = _compute_label_shares(keys, labels)

    assigned = (overall["paragraphs"] / overall["total_paragraphs"]).to_numpy(np.float64)
    by_labels = ~np.isnan(true[0]) & ~np.isnan(missed[0])
    by_precision = ~by_labels & ~np.isnan(true[0]) & (recall[0] > 0)
    no_recall = ~by_labels & ~by_precision & ~np.isnan(true[0])
    rates = ~by_labels & ~by_precision & ~np.isnan(recall[0]) & ~np.isnan(false_positives[0])
    enriched = rates & (not rates_carry_over)
    rates &= rates_carry_over
    not_of_here = rates & (false_positives[0] >= assigned)
    useless = rates & ~not_of_here & (recall[0] <= false_positives[0])
    by_rates = rates & ~not_of_here & ~useless

    at = keys.get_indexer(frame["narrative_id"])
    share: Estimate = tuple(frame[name].to_numpy(np.float64) for name in ("share", "share_low", "share_high"))  # type: ignore[assignment]
    found = np.full((3, len(frame)), np.nan)
    for chosen, estimate, terms in (
        (by_labels, partial(propagate_limits, _correct_by_labels), (true, missed)),
        (by_precision, _propagate_precision, (true, recall)),
        (by_rates, partial(propagate_limits, _correct_by_rates), (recall, false_positives)),
    ):
        rows = chosen[at]
        if rows.any():
            of_rows = [tuple(limit[at][rows] for limit in term) for term in terms]
            found[:, rows] = _clip_to_possible(estimate([tuple(limit[rows] for limit in share), *of_rows]))
    choices = [by_labels, by_precision, by_rates]
    method = np.select(choices, ["labels", "precision", "rates"], "")
    reason = np.select(
        [*choices, no_recall, enriched, not_of_here, useless],
        ["", "", "", NO_RECALL, NOT_RANDOM, RATES_TOO_HIGH, NO_BETTER_THAN_CHANCE],
        NOT_MEASURED,
    )
    contradicted = (method[at] != "") & np.isnan(found[0]) & ~np.isnan(share[0])
    return frame.assign(
        corrected=found[0],
        corrected_low=found[1],
        corrected_high=found[2],
        correction=np.where(contradicted, "", method[at]),
        correction_reason=np.where(contradicted, CONTRADICTED, reason[at]),
    )


def _clip_to_possible(found: Floats) -> Floats:
    """Estimates with limits, (3, n), clipped to 0..1; NaN where nothing of the interval lies there."""
    point, low, high = found
    return np.where((low >= 1) & (point > 1) | (high <= 0), np.nan, np.clip(found, 0, 1))


def _propagate_precision(terms: Sequence[tuple[Floats, ...]]) -> Floats:
    """`_from_precision` with limits, at 0 with both upper ones: there moving one by itself says nothing."""
    point, low, high = propagate_limits(_correct_by_precision, terms)
    share, true, recall = terms
    together = _correct_by_precision(share[2], true[2], recall[0])
    return np.stack([point, low, np.where(point == 0, np.fmax(high, together), high)])


def _correct_by_labels(share: Floats, true: Floats, missed: Floats) -> Floats:
    return share * true + (1 - share) * missed


def _correct_by_precision(share: Floats, true: Floats, recall: Floats) -> Floats:
    return _divide_or_one(share * true, recall)


def _correct_by_rates(share: Floats, recall: Floats, false_positives: Floats) -> Floats:
    return _divide_or_one(share - false_positives, recall - false_positives)


def _divide_or_one(part: Floats, whole: Floats) -> Floats:
    """part / whole; 1, which allows anything, where the whole may be 0 or less."""
    return np.where(np.isnan(part), np.nan, np.divide(part, whole, out=np.ones_like(part), where=whole > 0))


def _collect_rates(rows: Sequence[QualityMetrics | None]) -> tuple[Estimate, Estimate]:
    """Recall and false-positive rate, with the wider of measured and Wilson's limits; NaN where unknown."""

    def of(count: str, name: str) -> Estimate:
        figures = [
            (getattr(row, count), *(getattr(row, name + end) for end in ("", "_low", "_high")))
            if row
            else (0, *[np.nan] * 3)
            for row in rows
        ]
        n, value, low, high = np.array(figures, np.float64).reshape(-1, 4).T
        n = np.where(np.isnan(value), 0, n)
        own_low, own_high = compute_wilson_interval(np.nan_to_num(value) * n, n)
        return np.where(n > 0, value, np.nan), np.fmin(low, own_low), np.fmax(high, own_high)

    return of("support", "recall"), of("negatives", "false_positive_rate")


def _compute_label_shares(keys: pd.Index, labels: pd.DataFrame | None) -> tuple[Estimate, Estimate]:
    """Of the labelled assigned, and of the labelled others, the share that is true; NaN where none is."""
    table = (pd.DataFrame(columns=list(LABEL_COLUMNS)) if labels is None else labels).set_index("narrative_id")
    counts = table.reindex(keys).fillna(0)

    def of(name: str) -> Estimate:
        k, n = counts[f"{name}_true"].to_numpy(np.float64), counts[name].to_numpy(np.float64)
        value = np.divide(k, n, out=np.full(n.shape, np.nan), where=n > 0)
        return value, *compute_wilson_interval(k, n)

    return of("assigned"), of("others")
