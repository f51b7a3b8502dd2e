"""Shares as they are shown: corrected for matching errors, left out on a small base, and smoothed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial

import numpy as np
import pandas as pd

from narratives.measure.shares import (
    SUM_COLUMNS,
    Floats,
    compute_clustered_interval,
    compute_wilson_interval,
    divide,
    number_narratives,
    propagate_limits,
    sum_by_group,
)
from narratives.model import QualityMetrics, Slice, SpotCheck, SuppressionRule
from narratives.model.dates import MONTHS_PER_PERIOD, detect_granularity, get_period_bounds
from narratives.model.snapshot import Calibration

LABEL_COLUMNS = ("narrative_id", "assigned", "assigned_true", "others", "others_true")

# Reasons for a missing correction, shown in its place.
NOT_MEASURED = "no labels of this narrative"
NOT_RANDOM = "the reference labels are not a random sample, so their false-positive rate does not apply here"
RATES_TOO_HIGH = "false positives are as frequent on the reference labels as assignments are here"
NO_BETTER_THAN_CHANCE = "the matching assigns true paragraphs no more often than others"
NO_RECALL = "a spot check gives the precision here, but the recall was not measured"
UNIT_NOT_CHECKED = "spot checks judge original paragraphs, but documents or copies are counted here"
CONTRADICTED = "the measured rates are not consistent with the share here"

Estimate = tuple[Floats, Floats, Floats]  # with its limits


def build_labels(checks: Sequence[SpotCheck]) -> pd.DataFrame:
    """Build the `labels` of `correct_shares` from spot checks; those of a review judge other paragraphs as well."""
    rows = [(c.narrative_id, c.judged, c.advancing, c.others, c.others_advancing) for c in checks]
    return pd.DataFrame(rows, columns=list(LABEL_COLUMNS))


def correct_and_suppress(
    frame: pd.DataFrame,
    s: Slice,
    measured: Sequence[QualityMetrics],
    checks: Sequence[SpotCheck],
    base: SuppressionRule,
    calibration: Calibration | None = None,
    decided: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Correct a slice's shares if labels allow it, and suppress those on a small base.

    Spot checks judge original paragraphs, so they correct only shares of original paragraphs. `decided` counts what
    decisions changed since the snapshot that the checks were drawn from; see `adjust_labels`.
    """
    counts_originals = s.unit == "paragraph" and s.copies == "originals"
    labels = build_labels(checks if counts_originals else ())
    if decided is not None and len(decided):
        labels = adjust_labels(labels, decided)
    corrected = correct_shares(frame, measured, labels, calibration=calibration)
    if checks and not counts_originals:
        corrected.loc[corrected["correction"] == "", "correction_reason"] = UNIT_NOT_CHECKED
    return suppress_small_bases(corrected, base)


def adjust_labels(labels: pd.DataFrame, decided: pd.DataFrame) -> pd.DataFrame:
    """Adjust labels, drawn from a snapshot as it was built, to shares of this snapshot as decided since.

    `decided` has narrative_id, assigned and others (pairs as decided), removed and added (rejected and accepted since).
    A removed pair was a false one among the assigned, and an added pair a true one among the others. So the number of
    true pairs stays the same, and no decision counts twice.
    """
    counts = decided.set_index("narrative_id").reindex(labels["narrative_id"]).fillna(0)
    now, others, removed, added = (
        counts[name].to_numpy(np.float64) for name in ("assigned", "others", "removed", "added")
    )
    n, true = labels["assigned"].to_numpy(np.float64), labels["assigned_true"].to_numpy(np.float64)
    m, missed = labels["others"].to_numpy(np.float64), labels["others_true"].to_numpy(np.float64)
    share = divide(divide(true, n) * (now + removed - added) + added, now)
    share_missed = divide(divide(missed, m) * (others + added - removed) - added, others)
    changed = (removed + added) > 0
    return labels.assign(
        assigned_true=np.where(changed & (now > 0), np.clip(share, 0, 1) * n, true),
        others_true=np.where(changed & (others > 0) & (m > 0), np.clip(share_missed, 0, 1) * m, missed),
    )


def compute_precision(check: SpotCheck) -> tuple[float, float, float]:
    """Compute the share of judged paragraphs that are correct, with Wilson's 95 % limits; needs at least one."""
    low, high = compute_wilson_interval(np.array([check.advancing], np.float64), np.array([check.judged], np.float64))
    return check.advancing / check.judged, float(low[0]), float(high[0])


def correct_shares(
    frame: pd.DataFrame,
    measured: Sequence[QualityMetrics] = (),
    labels: pd.DataFrame | None = None,
    rates_carry_over: bool = False,
    calibration: Calibration | None = None,
) -> pd.DataFrame:
    """Add the columns corrected, corrected_low, corrected_high, correction and correction_reason.

    `frame` has narrative_id, paragraphs, total_paragraphs, share, share_low and share_high (`add_shares`).
    `labels` has LABEL_COLUMNS: for every narrative, how many paragraphs of this corpus, drawn at random among
    those assigned and among all others, were labelled, and how many of them truly advance it. `measured` are
    figures on reference labels from elsewhere. Each narrative gets the first method that its labels allow;
    `correction` names the method. Where it is empty, `correction_reason` says why:

    labels     share * t + (1 - share) * m, with t the true share of the assigned and m that of the others,
               both from `labels`: prediction-powered inference (Angelopoulos, Duchi and Zrnic 2023,
               arXiv:2311.01453), known in surveys as post-stratification. It assumes only that the labelled
               paragraphs were drawn at random.
    precision  share * t / recall, with t from `labels` and recall from `measured`: assumes that the recall is
               the same here as there.
    expected   expected / total_paragraphs, the expected share: the mean of the paragraphs' probabilities of
               advancing the narrative, from the column `expected` of `frame`. Only with a `calibration`, which
               says that scores are probabilities; its ratio gives the limits, with those of the share. It assumes
               that the scores are as well calibrated here as on the labelled paragraphs.
    rates      (share - f) / (recall - f), with the false-positive rate f, both from `measured` (Rogan and
               Gladen 1978, American Journal of Epidemiology 107, 71-76). Only if `rates_carry_over`: the
               caller knows that the reference paragraphs were drawn at random, as a set with many near misses
               has a far higher f than a corpus. There is no correction where f reaches the share assigned in
               all of `frame`. Precision depends on how frequent a narrative is, so it is never carried over.

    The limits are at 95 %, clipped to 0..1. Those of the share and of the rates (the wider of Wilson's and the
    measured ones) go through the formula one at a time; the steps are squared and added (Zou and Donner 2008;
    Donner and Zou 2012, Statistical Methods in Medical Research 21, 347-359). The rates count as the same in
    every row of a narrative. NaN where the share is NaN, and where the limits are outside 0..1.
    """
    at, keys = pd.factorize(frame["narrative_id"])
    hits, total = (
        np.bincount(at, frame[name].to_numpy(np.float64), len(keys)) for name in ("paragraphs", "total_paragraphs")
    )
    quality = {row.narrative_id: row for row in measured if row.narrative_id}
    recall, false_positives = _collect_rates([quality.get(key) for key in keys])
    true, missed = _compute_label_shares(keys, labels)

    assigned = divide(hits, total)
    by_labels = ~np.isnan(true[0]) & ~np.isnan(missed[0])
    by_precision = ~by_labels & ~np.isnan(true[0]) & (recall[0] > 0)
    expected = _compute_expected_shares(frame, calibration)
    has_expected = np.bincount(at, ~np.isnan(expected[0][0]), len(keys)) > 0
    by_expected = ~by_labels & ~by_precision & has_expected
    no_recall = ~by_labels & ~by_precision & ~by_expected & ~np.isnan(true[0])
    rates = ~by_labels & ~by_precision & ~by_expected & ~np.isnan(recall[0]) & ~np.isnan(false_positives[0])
    enriched = rates & (not rates_carry_over)
    rates &= rates_carry_over
    too_high = rates & (false_positives[0] >= assigned)
    useless = rates & ~too_high & (recall[0] <= false_positives[0])
    by_rates = rates & ~too_high & ~useless

    share: Estimate = tuple(frame[name].to_numpy(np.float64) for name in ("share", "share_low", "share_high"))  # type: ignore[assignment]
    corrected = np.full((3, len(frame)), np.nan)
    for chosen, estimate, terms in (
        (by_labels, partial(propagate_limits, _correct_by_labels), (true, missed)),
        (by_precision, _propagate_precision, (true, recall)),
        (by_rates, partial(propagate_limits, _correct_by_rates), (recall, false_positives)),
    ):
        rows = chosen[at]
        if rows.any():
            row_terms = [tuple(limit[at][rows] for limit in term) for term in terms]
            corrected[:, rows] = _clip_to_possible(estimate([tuple(limit[rows] for limit in share), *row_terms]))
    if (rows := by_expected[at]).any():
        own = [tuple(limit[rows] for limit in term) for term in expected]
        corrected[:, rows] = _clip_to_possible(propagate_limits(np.multiply, own))
    choices = [by_labels, by_precision, by_rates, by_expected]
    method = np.select(choices, ["labels", "precision", "rates", "expected"], "")
    reason = np.select(
        [*choices, no_recall, enriched, too_high, useless],
        ["", "", "", "", NO_RECALL, NOT_RANDOM, RATES_TOO_HIGH, NO_BETTER_THAN_CHANCE],
        NOT_MEASURED,
    )
    contradicted = (method[at] != "") & np.isnan(corrected[0]) & ~np.isnan(share[0])
    return frame.assign(
        corrected=corrected[0],
        corrected_low=corrected[1],
        corrected_high=corrected[2],
        correction=np.where(contradicted, "", method[at]),
        correction_reason=np.where(contradicted, CONTRADICTED, reason[at]),
    )


def _compute_expected_shares(frame: pd.DataFrame, calibration: Calibration | None) -> tuple[Estimate, Estimate]:
    """Compute the expected share of each row with its limits, and the ratio of the calibration; NaN without them.

    The limits allow for the correlation of paragraphs within a document as those of the share do.
    """
    share, total = np.full(len(frame), np.nan), frame["total_paragraphs"].to_numpy(np.float64)
    if calibration and "expected" in frame:
        share = np.clip(divide(frame["expected"].to_numpy(np.float64), total), 0, 1)
    if set(SUM_COLUMNS) <= set(frame):
        low, high = compute_clustered_interval(frame, around=share)
    else:
        low, high = compute_wilson_interval(np.nan_to_num(share) * total, total)
    limits = (calibration.ratio_low, calibration.ratio_high) if calibration else (math.nan, math.nan)
    ratio = (np.ones(len(frame)), np.full(len(frame), limits[0]), np.full(len(frame), limits[1]))
    return (share, low, high), ratio


def _clip_to_possible(estimates: Floats) -> Floats:
    """Clip estimates with limits, (3, n), to 0..1; NaN where the interval is outside."""
    point, low, high = estimates
    return np.where((low >= 1) & (point > 1) | (high <= 0), np.nan, np.clip(estimates, 0, 1))


def _propagate_precision(terms: Sequence[tuple[Floats, ...]]) -> Floats:
    """Apply `_correct_by_precision` with limits; at 0 both upper limits move, as one alone has no effect."""
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
    """Divide; where the whole is 0 or less return 1, which excludes nothing."""
    return np.where(np.isnan(part), np.nan, divide(part, whole, otherwise=1.0))


def _collect_rates(rows: Sequence[QualityMetrics | None]) -> tuple[Estimate, Estimate]:
    """Collect recall and false-positive rate, with the wider of measured and Wilson's limits; NaN if unknown."""

    def collect_rate(count: str, name: str) -> Estimate:
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

    return collect_rate("support", "recall"), collect_rate("negatives", "false_positive_rate")


def _compute_label_shares(keys: pd.Index, labels: pd.DataFrame | None) -> tuple[Estimate, Estimate]:
    """Compute the true share of the labelled assigned, and of the labelled others; NaN without labels."""
    if labels is None or labels.empty:
        unknown = np.full(len(keys), np.nan)
        return (unknown, unknown, unknown), (unknown, unknown, unknown)
    counts = labels.set_index("narrative_id").reindex(keys).fillna(0)

    def compute_true_share(name: str) -> Estimate:
        k, n = counts[f"{name}_true"].to_numpy(np.float64), counts[name].to_numpy(np.float64)
        return divide(k, n), *compute_wilson_interval(k, n)

    return compute_true_share("assigned"), compute_true_share("others")


SHARE_COLUMNS = ("share", "share_low", "share_high", "corrected", "corrected_low", "corrected_high")
SMOOTHING_PERIODS = 3  # periods in a smoothed share

SAMPLE_RULE = SuppressionRule(documents=5, expected=1.0)  # for the sample, which is small and only a demonstration


def choose_suppression_rule(notice: str) -> SuppressionRule:
    """Choose the rule for a snapshot; only the sample, which is no study, has a `notice`."""
    return SAMPLE_RULE if notice else SuppressionRule()


def suppress_small_bases(frame: pd.DataFrame, base: SuppressionRule) -> pd.DataFrame:
    """Add the columns base_ok, base_code and base_reason, and set shares on a small base to NaN.

    `frame` has documents, total_paragraphs and paragraphs, and narrative_id if there are several. Its
    SHARE_COLUMNS are suppressed where the base is too small; counts stay. The expected number is the share of
    the narrative over all rows times total_paragraphs, so that a period with few matches is not suppressed for
    that. base_code is "" (large enough), "documents" or "expected"; base_reason is the reason in words, such as
    "12 documents, fewer than 30".
    """
    documents, total, advancing = (
        frame[name].to_numpy(np.float64) for name in ("documents", "total_paragraphs", "paragraphs")
    )
    group = number_narratives(frame)
    expected = divide(sum_by_group(advancing, group), sum_by_group(total, group), otherwise=0.0) * total
    few = documents < base.documents
    rare = ~few & (expected < base.expected)
    code, reason = np.full(len(frame), "", object), np.full(len(frame), "", object)
    code[few], code[rare] = "documents", "expected"
    reason[few] = [f"{int(d)} document{'' if d == 1 else 's'}, fewer than {base.documents}" for d in documents[few]]
    reason[rare] = [
        f"{e:.1f} paragraphs expected at the overall share, fewer than {base.expected:g}" for e in expected[rare]
    ]
    is_enough = ~(few | rare)
    shown = {name: np.where(is_enough, frame[name], np.nan) for name in SHARE_COLUMNS if name in frame}
    texts = {"base_code": pd.Series(code, frame.index, "str"), "base_reason": pd.Series(reason, frame.index, "str")}
    return frame.assign(**shown, base_ok=is_enough, **texts)


def smooth_shares(frame: pd.DataFrame) -> pd.DataFrame:
    """Add the column smoothed: the share over SMOOTHING_PERIODS around each period, weighted by paragraphs.

    `frame` has period, paragraphs and total_paragraphs, narrative_id if there are several, and base_ok after
    `suppress_small_bases`: suppressed periods are left out of every mean and have none themselves. Neighbours are
    those of the calendar; missing ones are left out.
    """
    used = frame["base_ok"].to_numpy(bool) if "base_ok" in frame else np.ones(len(frame), bool)
    when = np.array([compute_period_index(label) for label in frame["period"]], np.int64)
    group = number_narratives(frame)
    if not len(frame):
        return frame.assign(smoothed=np.zeros(0))
    # A grid of groups by period, with empty margins at both ends.
    margin = SMOOTHING_PERIODS // 2
    when = when - when.min() + margin
    grid = np.zeros((2, group.max() + 1, when.max() + margin + 1))
    for sums, column in zip(grid, ("paragraphs", "total_paragraphs"), strict=True):
        np.add.at(sums, (group[used], when[used]), frame[column].to_numpy(np.float64)[used])
    around: Floats = sum(grid[:, group, when + step] for step in range(-margin, margin + 1))  # type: ignore[assignment]
    return frame.assign(smoothed=np.where(used, divide(around[0], around[1]), np.nan))


def compute_period_index(label: str) -> int:
    """Compute a period's position in the calendar: consecutive labels differ by one.

    `2016`, `2016-H2`, `2016-Q3` or `2016-07`. Raises ValueError for anything else.
    """
    start, _ = get_period_bounds(label)
    return (start.year * 12 + start.month - 1) // MONTHS_PER_PERIOD[detect_granularity(label)]
