"""The one clock of the daemon: it ages while the computer sleeps, so nothing old looks fresh after."""

import subprocess
import sys
import time
from shutil import which

import pytest

from gatewayd.clock import AGEING, SystemClock

ASLEEP_S = 86_400
IN_A_NAMESPACE = ("unshare", "--user", "--map-root-user", "--time", "--boottime", str(ASLEEP_S))
"""Linux lets a process see another time since boot: as after a day of suspend."""


def test_it_never_goes_back_and_is_the_one_that_goes_on_in_a_suspend() -> None:
    times = [SystemClock().monotonic_ns() for _ in range(100)]
    assert times == sorted(times)
    assert AGEING == time.CLOCK_BOOTTIME
    assert times[-1] <= time.clock_gettime_ns(time.CLOCK_BOOTTIME)


@pytest.mark.skipif(which("unshare") is None, reason="needs unshare of util-linux")
def test_a_day_of_suspend_is_a_day_of_age() -> None:
    code = (
        "import time; from gatewayd.clock import SystemClock; "
        "print(SystemClock().monotonic_ns() - time.monotonic_ns())"
    )
    awake = _run(sys.executable, "-c", code)
    slept = _run(*IN_A_NAMESPACE, sys.executable, "-c", code)
    if slept is None:
        pytest.skip("this machine allows no time namespaces")
    assert awake is not None
    assert int(slept) - int(awake) == pytest.approx(ASLEEP_S * 1e9, abs=1e9)


def _run(*words: str) -> str | None:
    """What it prints, None when it could not run."""
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=30)
    return done.stdout.strip() if done.returncode == 0 else None
