"""`make sim` until somebody stops it: what is known so far is told at once."""

import os
import signal
import subprocess
import sys

SOON_S = 30.0
"""A worker's share on a busy machine would take longer."""


def test_who_stops_it_gets_the_report_and_no_traceback() -> None:
    words = [sys.executable, "-m", "tests.histories.main", "--workers", "1", "--seconds", "2"]
    with subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, process_group=0
    ) as simulation:
        assert simulation.stdout is not None
        assert simulation.stdout.readline().startswith("make sim: ")
        os.killpg(simulation.pid, signal.SIGINT)
        said, _ = simulation.communicate(timeout=SOON_S)
    assert simulation.returncode == 0, said
    assert said.startswith("stopped\n")
    assert "seeds in" in said
    assert "Traceback" not in said
