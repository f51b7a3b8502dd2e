"""Arrays that are kept from build to build, so that a build with little new text has little to compute."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Arrays: TypeAlias = Mapping[str, NDArray[Any]]
KEY_BYTES = 16  # of the hashes that such arrays are found by
KEY = np.dtype(f"S{KEY_BYTES}")


@dataclass(frozen=True, slots=True)
class KeptArrays:
    """Arrays that are kept from build to build: `load` gives those saved under a name, or None; `save` keeps some."""

    load: Callable[[str], Arrays | None] = lambda _: None
    save: Callable[[str, Arrays], None] = lambda _name, _arrays: None

    def load_by_key(self, name: str, column: str) -> tuple[NDArray[np.bytes_], NDArray[Any]]:
        """Load the rows that `save_by_key` saved, and their keys; empty if there are none, or of another form."""
        arrays = self.load(name)
        if arrays is None or arrays.keys() != {"keys", column} or arrays["keys"].dtype != np.uint8:
            return np.empty(0, KEY), np.empty(0)
        keys, values = arrays["keys"], arrays[column]
        if keys.shape != (len(values), KEY_BYTES):
            return np.empty(0, KEY), np.empty(0)
        return np.ascontiguousarray(keys).view(KEY)[:, 0], values

    def save_by_key(self, name: str, column: str, keys: NDArray[np.bytes_], values: NDArray[Any]) -> None:
        """Save rows under a name, each with a key."""
        self.save(name, {"keys": keys.view(np.uint8).reshape(-1, KEY_BYTES), column: values})


NOTHING_KEPT = KeptArrays()
