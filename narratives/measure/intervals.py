"""Interval estimates of a share."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def wilson(k: npt.ArrayLike, n: npt.ArrayLike, level: float = 0.95) -> tuple[Floats, Floats]:
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
    low, high = np.full(trials.shape, np.nan), np.full(trials.shape, np.nan)
    some = trials > 0
    if some.any():
        share, n_some = successes[some] / trials[some], trials[some]
        z2 = NormalDist().inv_cdf((1 + level) / 2) ** 2
        centre = (share + z2 / (2 * n_some)) / (1 + z2 / n_some)
        half = np.sqrt(z2 * (share * (1 - share) / n_some + z2 / (4 * n_some**2))) / (1 + z2 / n_some)
        # Rounding must not put the share itself outside of its interval, as it can at 0 and at 1.
        low[some] = np.clip(np.minimum(centre - half, share), 0, 1)
        high[some] = np.clip(np.maximum(centre + half, share), 0, 1)
    return low, high
