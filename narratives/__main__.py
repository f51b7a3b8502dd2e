"""`python -m narratives build | fetch | export | brief | review | spotcheck | evaluate | status`."""

import sys

from narratives.cli import main

if __name__ == "__main__":
    sys.exit(main())
