"""First uses of narratives by outlets and speakers, and narratives that occur together."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from datetime import date

import numpy as np
import pandas as pd

from narratives.measure.shares import Floats, compute_wilson_interval, divide, propagate_limits
from narratives.model import SuppressionRule

FIRST_USE_COLUMNS = {
    **dict.fromkeys(("narrative_id", "actor"), "str"),
    **dict.fromkeys(("uses", "not_to_the_day"), "int64"),
    **{"first": "str", "days_after": "float64", "kth": "str", "days_to_kth": "float64"},
    **{"covered_from": "str", "covered_before": "bool"},
}
DAY_LENGTH = 10  # of an ISO date that is complete


def find_first_uses(uses: pd.DataFrame, covered_from: Mapping[str, str] | None = None, k: int = 3) -> pd.DataFrame:
    """Find when each outlet or speaker first used each narrative, and how soon it did so again.

    `uses` has narrative_id, actor (an outlet or a speaker), date (ISO, complete or partial) and paragraphs:
    one row for each day of each. `covered_from` has for an actor the date of their first document. Returns one
    row per narrative and actor, earliest first, then by actor, with

    uses, not_to_the_day    paragraphs; how many of them have no exact day and so are left out below
    first, days_after       day of the first use ("" if unknown), days after the first use by any actor
    kth, days_to_kth        day of the k-th use ("" if there are fewer), days after the actor's own first use
    covered_from            as given, else ""
    covered_before          whether there are documents of the actor from before the first use by anyone;
                            without any, the actor could not have been the first

    Days are float, NaN where unknown. The order in time does not show who took a narrative from whom.
    """
    counts: dict[str, dict[str, list[tuple[str, int]]]] = {}
    columns = (uses[name].tolist() for name in ("narrative_id", "actor", "date", "paragraphs"))
    for narrative, actor, day, paragraphs in zip(*columns, strict=True):
        counts.setdefault(narrative, {}).setdefault(actor, []).append((day, paragraphs))
    starts = dict(covered_from or {})
    rows: list[tuple[str | int | float | bool, ...]] = []
    for narrative, by_actor in counts.items():
        reached = {actor: _find_days(own, k) for actor, own in by_actor.items()}
        anyone = min((first for first, _ in reached.values() if first), default="")
        for actor in sorted(by_actor, key=lambda actor: (not reached[actor][0], reached[actor][0], actor)):
            own, (first, kth), start = by_actor[actor], reached[actor], starts.get(actor, "")
            partial = sum(paragraphs for day, paragraphs in own if len(day) < DAY_LENGTH)
            used = sum(paragraphs for _, paragraphs in own)
            after, between = _count_days(anyone, first), _count_days(first, kth)
            rows.append((narrative, actor, used, partial, first, after, kth, between, start, "" < start < anyone))
    return pd.DataFrame(rows, columns=list(FIRST_USE_COLUMNS)).astype(FIRST_USE_COLUMNS)


def _find_days(uses: Iterable[tuple[str, int]], k: int) -> tuple[str, str]:
    """Return the days of the first and of the k-th use, from days and their numbers of paragraphs; "" if unknown."""
    first, total = "", 0
    for day, paragraphs in sorted(uses):
        if len(day) == DAY_LENGTH and paragraphs > 0:
            first, total = first or day, total + paragraphs
            if total >= k:
                return first, day
    return first, ""


def _count_days(start: str, end: str) -> float:
    """Count the days from one ISO day to another; NaN if one is unknown."""
    return float((date.fromisoformat(end) - date.fromisoformat(start)).days) if start and end else math.nan


def compute_cooccurrence(pairs: pd.DataFrame, base: SuppressionRule) -> pd.DataFrame:
    """Add the columns lift, lift_low, lift_high, base_ok and base_reason.

    `pairs` has one row for two narratives: a, b (the number of documents that advance each), both, total (all
    documents). Lift is the number of documents with both over the number expected by chance:
    both * total / (a * b). 1 means chance; limits (95 %) on one side of 1 mean more or less than chance. Count
    documents, not paragraphs, which are not independent. NaN, with the reason, where there are fewer than
    base.documents documents, or where both the observed and the expected number are below base.expected.

    The limits are Wilson's for b among documents with a and among those without, propagated through
    lift = p / (w * p + (1 - w) * q), with w the share of documents that advance a. Raises ValueError where
    counts contradict each other. By chance alone, one pair in twenty has limits on one side of 1.
    """
    a, b, both, total = (pairs[name].to_numpy(np.float64) for name in ("a", "b", "both", "total"))
    wrong = (both > np.minimum(a, b)) | (np.maximum(a, b) > total) | (a + b - both > total)
    if wrong.any():
        row = {name: int(pairs[name].iloc[int(wrong.argmax())]) for name in ("a", "b", "both", "total")}
        raise ValueError(f"expected both <= a, b and a + b - both <= total, got {row}")
    chance = divide(a * b, total, otherwise=0.0)
    few, rare = total < base.documents, np.maximum(both, chance) < base.expected
    lifts = np.full((3, len(pairs)), np.nan)
    some = ~few & ~rare & (a > 0) & (b > 0)
    if some.any():
        weight = (a / np.maximum(total, 1))[some]
        with_a, without = (
            _compute_share(k[some], n[some]) for k, n in ((both, a), (b - both, np.maximum(total - a, 0)))
        )

        def compute_lift(p: Floats, q: Floats) -> Floats:
            whole = weight * p + (1 - weight) * q
            return divide(p, whole, otherwise=1.0)

        lifts[:, some] = np.maximum(propagate_limits(compute_lift, [with_a, without]), 0)
    too_rare = f"fewer than {base.expected:g} documents with both, observed or expected"
    absent = np.where(some, "", "one of the two narratives does not occur")
    reason = np.select([few, rare], [f"fewer than {base.documents} documents", too_rare], absent)
    lift, low, high = lifts
    return pairs.assign(lift=lift, lift_low=low, lift_high=high, base_ok=some, base_reason=reason)


def _compute_share(k: Floats, n: Floats) -> tuple[Floats, Floats, Floats]:
    """Compute k / n with Wilson's limits; 0 with the limits 0 and 1 where n is 0."""
    low, high = compute_wilson_interval(k, n)
    return divide(k, n, otherwise=0.0), np.nan_to_num(low, nan=0.0), np.nan_to_num(high, nan=1.0)
