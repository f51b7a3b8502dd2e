"""Interval estimates of a share."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from statsmodels.stats.proportion import proportion_confint

Floats = npt.NDArray[np.float64]


def wilson(k: npt.ArrayLike, n: npt.ArrayLike, level: float = 0.95) -> tuple[Floats, Floats]:
    """Wilson's score interval of k successes in n trials.

    k, n: counts of one shape, 0 <= k <= n. Returns (low, high), float64 of that shape, within 0..1; NaN where
    n is 0. The trials are taken as independent. Raises ValueError where a count is out of range.
    Method: Wilson (1927), as in statsmodels' proportion_confint(method="wilson").
    """
    successes, trials = np.broadcast_arrays(np.asarray(k, dtype=np.float64), np.asarray(n, dtype=np.float64))
    wrong = (successes < 0) | (successes > trials)
    if wrong.any():
        raise ValueError(f"expected 0 <= k <= n, got k={successes[wrong][0]:g} of n={trials[wrong][0]:g}")
    low, high = np.full(trials.shape, np.nan), np.full(trials.shape, np.nan)
    some = trials > 0
    if some.any():
        share = successes[some] / trials[some]
        lower, upper = proportion_confint(successes[some], trials[some], alpha=1 - level, method="wilson")
        # Rounding must not put the share itself outside of its interval, as it can at 0 and at 1.
        low[some], high[some] = np.minimum(lower, share), np.maximum(upper, share)
    return low, high
