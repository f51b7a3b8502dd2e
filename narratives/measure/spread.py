"""Who took a narrative up when, and which narratives go together."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from narratives.measure.shares import Floats, compute_wilson_interval, propagate_limits
from narratives.model import SuppressionRule

FIRST_USE_COLUMNS = (
    *("narrative_id", "actor", "uses", "not_to_the_day"),
    *("first", "days_after", "kth", "days_to_kth", "covered_from", "covered_before"),
)


def find_first_uses(uses: pd.DataFrame, covered_from: Mapping[str, str] | None = None, k: int = 3) -> pd.DataFrame:
    """When each outlet or speaker first advanced each narrative, and how soon it did so again.

    `uses` has narrative_id, actor (an outlet or a speaker), date (ISO, partial ones as they are known) and
    paragraphs: one row for each day of each. `covered_from` has for an actor the first day on which there is
    any document of theirs. Returns one row per narrative and actor, earliest first, then by actor, with

    uses, not_to_the_day    paragraphs; how many of them are not dated to the day and so play no part below
    first, days_after       day of the first use ("" where none is known), days after the first of any actor
    kth, days_to_kth        day on which the k-th use came ("" where fewer), days after the actor's own first
    covered_from            as given, "" where not
    covered_before          whether there are documents of the actor from before the first use by anyone: one
                            who is covered only later cannot be seen to be first

    Days are float, NaN where unknown. An order in time says neither who took it from whom nor why.
    """
    dated = uses["date"].str.len() == 10
    named = uses.groupby(["narrative_id", "actor"], sort=False)["paragraphs"]
    table = pd.DataFrame({"uses": named.sum()})
    coarse = uses[~dated].groupby(["narrative_id", "actor"])["paragraphs"].sum()
    table["not_to_the_day"] = coarse.reindex(table.index).fillna(0).astype("int64")

    days = uses[dated & (uses["paragraphs"] > 0)].sort_values("date", kind="stable")
    by = days.groupby(["narrative_id", "actor"])
    table["first"] = by["date"].first()
    reached = days[by["paragraphs"].cumsum() >= k]
    table["kth"] = reached.groupby(["narrative_id", "actor"])["date"].first()
    earliest = table.groupby(level="narrative_id")["first"].transform("min")
    first, kth, anyone = (pd.to_datetime(column) for column in (table["first"], table["kth"], earliest))
    table["days_after"] = (first - anyone).dt.days.astype("float64")
    table["days_to_kth"] = (kth - first).dt.days.astype("float64")
    starts = dict(covered_from or {})
    covered = [starts.get(actor, "") for _, actor in table.index]
    table["covered_from"] = pd.Series(covered, index=table.index, dtype="str")
    table["covered_before"] = (table["covered_from"] != "") & (table["covered_from"] < earliest.fillna(""))
    table[["first", "kth"]] = table[["first", "kth"]].fillna("")
    order = pd.factorize(uses["narrative_id"])[1]
    table = table.reset_index()
    table["order"] = pd.Index(order).get_indexer(table["narrative_id"])
    table["last"] = table["first"] == ""
    return table.sort_values(["order", "last", "first", "actor"], ignore_index=True)[list(FIRST_USE_COLUMNS)]


def compute_cooccurrence(pairs: pd.DataFrame, base: SuppressionRule) -> pd.DataFrame:
    """The frame with columns lift, lift_low, lift_high, base_ok and base_reason.

    `pairs` has one row for two narratives: a, b (how many documents advance either), both, total (documents
    in all). Lift is how many times as often as by chance both stand in one document: both * total / (a * b);
    1 is chance, and limits (95 %) on one side of 1 say that it is not. Take documents, not paragraphs: these
    are not independent. NaN, with the reason in words, where there are fewer than base.documents documents,
    or where both what is found and what chance would give are fewer than base.expected.

    The limits are Wilson's for b among documents with a and among those without, carried through
    lift = p / (w * p + (1 - w) * q), with w the share of documents that advance a. Raises ValueError where
    counts do not fit together. One co-occurrence in twenty looks like more than chance by chance.
    """
    a, b, both, total = (pairs[name].to_numpy(np.float64) for name in ("a", "b", "both", "total"))
    wrong = (both > np.minimum(a, b)) | (np.maximum(a, b) > total) | (a + b - both > total)
    if wrong.any():
        row = {name: int(pairs[name].iloc[int(wrong.argmax())]) for name in ("a", "b", "both", "total")}
        raise ValueError(f"expected both <= a, b and a + b - both <= total, got {row}")
    chance = np.divide(a * b, total, out=np.zeros_like(a), where=total > 0)
    few, rare = total < base.documents, np.maximum(both, chance) < base.expected
    found = np.full((3, len(pairs)), np.nan)
    some = ~few & ~rare & (a > 0) & (b > 0)
    if some.any():
        weight = (a / np.maximum(total, 1))[some]
        with_a, without = (
            _compute_share(k[some], n[some]) for k, n in ((both, a), (b - both, np.maximum(total - a, 0)))
        )

        def lift(p: Floats, q: Floats) -> Floats:
            whole = weight * p + (1 - weight) * q
            times: Floats = np.divide(p, whole, out=np.ones_like(p), where=whole > 0)
            return times

        found[:, some] = np.maximum(propagate_limits(lift, [with_a, without]), 0)
    reason = np.select(
        [few, rare],
        [
            f"fewer than {base.documents} documents",
            f"fewer than {base.expected:g} documents with both, found or expected",
        ],
        np.where(some, "", "one of the two does not occur"),
    )
    lifted = dict(zip(("lift", "lift_low", "lift_high"), found, strict=True))
    return pairs.assign(**lifted, base_ok=some, base_reason=reason)


def _compute_share(k: Floats, n: Floats) -> tuple[Floats, Floats, Floats]:
    """k / n with Wilson's limits; where n is 0 anything: 0 with limits 0 and 1."""
    low, high = compute_wilson_interval(k, n)
    share = np.divide(k, n, out=np.zeros_like(k), where=n > 0)
    return share, np.nan_to_num(low, nan=0.0), np.nan_to_num(high, nan=1.0)
