"""What a person sees of a long command: a bar on a terminal, now and then a line elsewhere."""

import os
import pty
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from gatewayd.cli import waiting
from gatewayd.clock import SECOND, ManualClock
from tests.support.stores import NOON


def test_where_nobody_sees_a_bar_a_line_comes_now_and_then(
    capsys: pytest.CaptureFixture[str],
) -> None:
    clock = ManualClock(NOON)
    report = waiting.lines({"read": "checking rows"}, clock)
    for done in range(13):
        report("read", done, 20 if done < 10 else 0)
        clock.advance(seconds=1)
    assert capsys.readouterr().err.splitlines() == ["checking rows: 25 %", "checking rows: 10"]
    assert clock.monotonic_ns() == 14 * SECOND


def test_a_short_command_says_nothing_in_a_pipe() -> None:
    shown = subprocess.run([sys.executable, "-c", _SHOW], capture_output=True, check=True)
    assert (shown.stdout, shown.stderr) == (b"", b"")


def test_a_terminal_shows_a_bar() -> None:
    ours, theirs = pty.openpty()
    child = subprocess.Popen([sys.executable, "-c", _SHOW], stderr=theirs, env=_terminal())
    os.close(theirs)
    said = b""
    with suppress(OSError):  # the end of a pty whose other side is closed
        while more := os.read(ours, 4_096):
            said += more
    assert child.wait() == 0
    os.close(ours)
    assert "checking rows" in said.decode()


_SHOW = """
from gatewayd.cli.waiting import shown
with shown({"read": "checking rows"}) as report:
    for done in range(5):
        report("read", done, 5)
"""


def _terminal() -> dict[str, str]:
    return {**os.environ, "TERM": "xterm", "PYTHONPATH": str(Path(__file__).parents[2])}
