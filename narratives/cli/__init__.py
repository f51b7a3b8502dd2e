"""The command line: its arguments, what each command runs, and what it prints."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from narratives.cli.parser import make_parser
from narratives.model import ConfigError, NarrativesError, StoreBusyError, UsageError

EXIT_NOTHING_READ, EXIT_USAGE, EXIT_BUSY, EXIT_STOPPED = 1, 2, 3, 130


def choose_exit_status(error: NarrativesError) -> int:
    """The exit status of a command that this error ended."""
    if isinstance(error, UsageError | ConfigError):
        return EXIT_USAGE
    return EXIT_BUSY if isinstance(error, StoreBusyError) else EXIT_NOTHING_READ


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit status is 0, 1 (nothing could be read or done), 2 (wrong usage), 3 (busy)."""
    options = make_parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except KeyboardInterrupt:
        print("\nStopped. Nothing is lost: the same command goes on where this one was.", file=sys.stderr)
        return EXIT_STOPPED
    except BrokenPipeError:
        # The reader of a pipe went away (`| head`): not our error, and there is nobody left to tell.
        sys.stderr.close()
        return 0
    except NarrativesError as error:
        print(f"narratives: {error}", file=sys.stderr)
        return choose_exit_status(error)
