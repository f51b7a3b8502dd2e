"""The command line: `main` runs one command, from its arguments to an exit status."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from narratives.cli.output import echo
from narratives.cli.parser import make_parser
from narratives.model import ConfigError, DiskError, NarrativesError, StoreBusyError, UsageError
from narratives.model.errors import EXIT_BUSY, EXIT_DISK, EXIT_NOTHING_READ, EXIT_STOPPED, EXIT_USAGE
from narratives.store.files import make_disk_error


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Returns:
        0 if it is complete, 1 if nothing could be read or done, 2 for wrong usage, 3 if another build is running,
        4 if the disk is full or something may not be read or written, 130 if it was stopped with Ctrl-C.
    """
    options = make_parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except KeyboardInterrupt:
        print("\nStopped. Nothing is lost: run the same command again to continue.", file=sys.stderr)
        return EXIT_STOPPED
    except BrokenPipeError:
        # The reader of a pipe is gone (`| head`). That is no error of ours, and nobody can read a message.
        sys.stderr.close()
        return 0
    except OSError as error:  # a full disk, or no permission, in a place where nothing more is known
        return _report(make_disk_error(error, "a file"))
    except NarrativesError as error:
        return _report(error)


def _report(error: NarrativesError) -> int:
    echo(f"narratives: {error}", to=sys.stderr)
    statuses = (
        (UsageError, EXIT_USAGE),
        (ConfigError, EXIT_USAGE),
        (StoreBusyError, EXIT_BUSY),
        (DiskError, EXIT_DISK),
    )
    return next((status for kind, status in statuses if isinstance(error, kind)), EXIT_NOTHING_READ)
