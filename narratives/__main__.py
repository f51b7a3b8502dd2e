"""Run the command line with `python -m narratives COMMAND`."""

import sys

from narratives.cli import main

if __name__ == "__main__":
    sys.exit(main())
