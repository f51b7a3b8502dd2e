"""Interval estimates of a share, and of the difference of two."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
LEVEL = 0.95


def wilson(k: npt.ArrayLike, n: npt.ArrayLike, level: float = LEVEL) -> tuple[Floats, Floats]:
    """Wilson's score interval of k successes in n trials.

    k, n: counts of one shape, 0 <= k <= n. Returns (low, high), float64 of that shape, within 0..1; NaN where
    n is 0. The trials are taken as independent. Raises ValueError where a count is out of range.
    Method: Wilson (1927). Written out, because the libraries that have it take over a second to import, and
    every first page would wait for them.
    """
    successes, trials = np.broadcast_arrays(np.asarray(k, dtype=np.float64), np.asarray(n, dtype=np.float64))
    wrong = (successes < 0) | (successes > trials)
    if wrong.any():
        raise ValueError(f"expected 0 <= k <= n, got k={successes[wrong][0]:g} of n={trials[wrong][0]:g}")
    share = np.divide(successes, trials, out=np.full(trials.shape, np.nan), where=trials > 0)
    return score_limits(share, trials, np.asarray(NormalDist().inv_cdf((1 + level) / 2)))


def score_limits(share: Floats, trials: Floats, quantile: Floats) -> tuple[Floats, Floats]:
    """Wilson's limits around `share` in `trials`, which need not be whole, at a quantile for each.

    share: within 0..1, NaN where unknown; trials: above 0 where the share is known. All of one shape, or the
    quantile a single one. Returns (low, high), NaN where the share is. The interval never has width zero.
    """
    low, high = np.full(share.shape, np.nan), np.full(share.shape, np.nan)
    some = ~np.isnan(share)
    if some.any():
        p, n = share[some], trials[some]
        z2 = np.broadcast_to(quantile, share.shape)[some] ** 2
        centre = (p + z2 / (2 * n)) / (1 + z2 / n)
        half = np.sqrt(z2 * (p * (1 - p) / n + z2 / (4 * n**2))) / (1 + z2 / n)
        # Rounding must not put the share itself outside of its interval, as it can at 0 and at 1.
        low[some] = np.clip(np.minimum(centre - half, p), 0, 1)
        high[some] = np.clip(np.maximum(centre + half, p), 0, 1)
    return low, high


def difference(
    share: npt.ArrayLike,
    low: npt.ArrayLike,
    high: npt.ArrayLike,
    other: npt.ArrayLike,
    other_low: npt.ArrayLike,
    other_high: npt.ArrayLike,
) -> tuple[Floats, Floats, Floats]:
    """share - other with the limits that follow from the limits of the two: (difference, low, high).

    All of one shape; the limits of the two shares are at one level, and so are those returned. The two are
    taken as independent: shares of two periods are, those of two speakers of the same documents not quite.
    An interval on one side of 0 says that the two differ. NaN where any of the six is.
    Method: square-and-add (MOVER): Newcombe (1998), Statistics in Medicine 17, 873-890, method 10; for any
    limits Zou and Donner (2008), Statistics in Medicine 27, 1693-1702.
    """
    a, a_low, a_high, b, b_low, b_high = (
        np.asarray(values, dtype=np.float64) for values in (share, low, high, other, other_low, other_high)
    )
    gap: Floats = a - b
    return gap, gap - np.hypot(a - a_low, b_high - b), gap + np.hypot(a_high - a, b - b_low)


def carried(formula: Callable[..., Floats], terms: Sequence[tuple[Floats, ...]]) -> Floats:
    """(estimate, low, high), shape (3, n), of a formula of independent terms, each (value, low, high) of n.

    `formula` is monotone in each term. Each term is moved to its limits by itself; the steps that the result
    then makes are squared and added, on either side. Method: as for `difference`; for other formulas Zou,
    Huang and Zhang (2009), Computational Statistics and Data Analysis 53, 1080-1085.
    """
    values = [term[0] for term in terms]
    point = formula(*values)
    down, up = np.zeros_like(point), np.zeros_like(point)
    for at, (_, low, high) in enumerate(terms):
        ends = [formula(*values[:at], limit, *values[at + 1 :]) for limit in (low, high)]
        down += np.maximum(point - np.minimum(*ends), 0) ** 2
        up += np.maximum(np.maximum(*ends) - point, 0) ** 2
    return np.stack([point, point - np.sqrt(down), point + np.sqrt(up)])
