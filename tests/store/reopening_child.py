"""A process that opens a damaged store as the daemon does; tests kill it."""

import sys
from pathlib import Path

from tests.support.damage import reopen

if __name__ == "__main__":
    sys.stdout.write("begins\n")
    sys.stdout.flush()
    reopen(Path(sys.argv[1]))
