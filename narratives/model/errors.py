"""The errors and the exit statuses. Each error tells the user what to do next."""

from __future__ import annotations

from narratives.model.printable import escape_controls

# The exit statuses of a command. The dashboard reads those of the builds that it starts.
EXIT_NOTHING_READ, EXIT_USAGE, EXIT_BUSY, EXIT_DISK, EXIT_STOPPED = 1, 2, 3, 4, 130


class NarrativesError(Exception):
    """A failure with what was expected, what was there instead, and a hint on what to do next."""

    def __init__(self, expected: str, got: str, hint: str) -> None:
        # What was there may be a name or value of a file that somebody else made.
        self.expected, self.got, self.hint = map(escape_controls, (expected, got, hint))
        super().__init__(f"Expected {self.expected}; got {self.got}. {self.hint}")

    def __reduce__(self) -> tuple[type[NarrativesError], tuple[str, str, str]]:
        """Return what makes the error again in another process."""
        return type(self), (self.expected, self.got, self.hint)


class ReadError(NarrativesError):
    """An input, or one row of it, cannot be read."""


class ConfigError(NarrativesError):
    """A codebook, speakers, events or decisions file is invalid."""


class EncoderError(NarrativesError):
    """The model cannot be loaded, or is a different model than expected."""


class StoreError(NarrativesError):
    """A store, snapshot or vector file is missing, corrupt or in use."""


class StoreBusyError(StoreError):
    """Another build is using the store."""


class DiskError(StoreError):
    """The disk is full, or a file or folder may not be read or written."""


class ResourceError(NarrativesError):
    """A query exceeded its limit of memory or time. The data are not at fault."""


class EngineError(NarrativesError):
    """The cluster of a build failed. The data are not at fault."""


class ServerBusyError(ResourceError):
    """Too many queries are running at once. A later attempt may succeed."""


class UsageError(NarrativesError):
    """Invalid combination of command-line arguments."""


class AccessError(NarrativesError):
    """The user's role does not allow this."""
