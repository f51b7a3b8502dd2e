"""One request at a time to a host, with a pause after each answer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from narratives.read.web.records import Clock, Manners


class Pace:
    """Waits before a request until its host has rested; the pause is counted from the end of an answer."""

    def __init__(self, manners: Manners, clock: Clock) -> None:
        self._least, self._clock = manners.between, clock
        self._delays: dict[str, float] = {}
        self._due: dict[str, float] = {}

    def slow(self, host: str, seconds: float) -> None:
        """Let a host rest longer than usual; a shorter time than usual changes nothing."""
        self._delays[host] = max(seconds, self._least)

    @contextmanager
    def turn(self, host: str) -> Iterator[None]:
        """Wait for the host's turn, then make one request inside the block."""
        wait = self._due.get(host, 0.0) - self._clock.elapsed()
        if wait > 0:
            self._clock.sleep(wait)
        try:
            yield
        finally:
            self._due[host] = self._clock.elapsed() + self._delays.get(host, self._least)
