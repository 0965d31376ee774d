"""One share of the fixed seeds of `make test`, lived until one breaks a promise of contract §5.

    python -m tests.plants.sim SHARE SHARES

Prints `lived N` at the end, however it ends, and `seed S: sentence` for the seed that failed: exit 1.
"""

import logging
import signal
import sys
from pathlib import Path
from types import FrameType

import gatewayd
from tests.histories.history import live
from tests.histories.plan import Plan
from tests.histories.seeds import SEEDS


def main() -> int:
    """Command line."""
    signal.signal(signal.SIGTERM, _stop)  # What a history keeps in memory is tidied up then, too.
    logging.disable()
    assert Path(gatewayd.__file__).is_relative_to(Path.cwd()), "lives another tree than this one"
    share, shares = int(sys.argv[1]), int(sys.argv[2])
    lived = 0
    try:
        for seed in range(share, SEEDS, shares):
            said = _lived(seed)
            lived += 1
            if said:
                sys.stdout.write(f"seed {seed}: {said}\n")
                return 1
    finally:
        sys.stdout.write(f"lived {lived}\n")
        sys.stdout.flush()
    return 0


def _lived(seed: int) -> str:
    """The first broken promise of one history; empty = it kept them all."""
    try:
        wrong = live(Plan.of(seed)).wrong
    except Exception as exc:  # noqa: BLE001 - a plant may break the history itself: that is told, too
        return f"the history broke: {type(exc).__name__}: {exc}"
    return wrong[0].text if wrong else ""


def _stop(_number: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)


if __name__ == "__main__":
    sys.exit(main())
