"""The errors: each a failure that the person can mend."""

from __future__ import annotations


class NarrativesError(Exception):
    """A failure that the person can mend: what was expected, what came, what to do next."""

    def __init__(self, expected: str, got: str, hint: str) -> None:
        super().__init__(f"Expected {expected}; got {got}. {hint}")
        self.expected, self.got, self.hint = expected, got, hint


class ReadError(NarrativesError):
    """An input, or one row of it, cannot be read."""


class ConfigError(NarrativesError):
    """A codebook, speakers, events or decisions file is not as it should be."""


class EncoderError(NarrativesError):
    """The model cannot be loaded, or is not the one it claims to be."""


class StoreError(NarrativesError):
    """A store, snapshot or vector file is missing, corrupt or in use."""


class StoreBusyError(StoreError):
    """Another build holds the store."""


class ResourceError(NarrativesError):
    """A question took more memory or time than it may. No data is at fault."""


class ServerBusyError(ResourceError):
    """Too many questions were asked at once; later there is an answer."""


class UsageError(NarrativesError):
    """The command was called with arguments that cannot be meant."""
