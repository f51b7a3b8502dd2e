"""One command from its arguments to an exit status, however it ends."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from narratives.cli.arguments import make_parser
from narratives.cli.exits import EXIT_STOPPED, exit_of
from narratives.model import NarrativesError


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
        return exit_of(error)
