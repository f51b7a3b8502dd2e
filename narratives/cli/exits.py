"""The exit statuses, and which of them an error ends with."""

from __future__ import annotations

from narratives.model import ConfigError, NarrativesError, StoreBusyError, UsageError

EXIT_NOTHING_READ, EXIT_USAGE, EXIT_BUSY, EXIT_STOPPED = 1, 2, 3, 130


def exit_of(error: NarrativesError) -> int:
    """The exit status of a command that this error ended."""
    if isinstance(error, UsageError | ConfigError):
        return EXIT_USAGE
    return EXIT_BUSY if isinstance(error, StoreBusyError) else EXIT_NOTHING_READ
