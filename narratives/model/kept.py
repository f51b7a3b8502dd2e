"""Arrays that are kept from build to build, so that a build with little new text has little to compute."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from numpy.typing import NDArray

Arrays: TypeAlias = Mapping[str, NDArray[Any]]
KEY_BYTES = 16  # of the hashes that such arrays are found by


@dataclass(frozen=True, slots=True)
class KeptArrays:
    """Arrays that are kept from build to build: `load` gives those saved under a name, or None; `save` keeps some."""

    load: Callable[[str], Arrays | None] = lambda _: None
    save: Callable[[str, Arrays], None] = lambda _name, _arrays: None


NOTHING_KEPT = KeptArrays()
