"""The NTP state of the machine: the real call, and every answer it may give."""

import errno
from pathlib import Path

import pytest

from gatewayd.timekeeping import ntp


def test_the_kernel_answers_without_any_right() -> None:
    """The real adjtimex(2); whatever it says here, it says it in its own ranges."""
    try:
        status, error_us = ntp.kernel()
    except PermissionError:
        pytest.skip("this machine hides adjtimex")
    assert 0 <= status < 0x10000
    assert 0 <= error_us <= ntp.MAX_ERROR_US
    assert ntp.synchronised() is not None


STA_NANO = 0x2000


@pytest.mark.parametrize(
    ("status", "error_us", "kept"),
    [
        (0x0001, 20_000, True),
        (STA_NANO | 0x0001, ntp.MAX_ERROR_US - 1, True),
        (STA_NANO | 0x0001, ntp.MAX_ERROR_US, False),
        (ntp.STA_UNSYNC, 20_000, False),
        (STA_NANO | ntp.STA_UNSYNC, ntp.MAX_ERROR_US, False),
    ],
)
def test_the_kernel_has_the_last_word(
    tmp_path: Path, status: int, error_us: int, *, kept: bool
) -> None:
    note = tmp_path / "synchronized"
    assert ntp.synchronised(lambda: (status, error_us), note) is kept
    note.touch()
    assert ntp.synchronised(lambda: (status, error_us), note) is kept, "a note may be old"


def _forbidden() -> tuple[int, int]:
    raise OSError(errno.EPERM, "Operation not permitted", "adjtimex")


def test_where_the_kernel_may_not_be_asked_the_note_of_timesyncd_says_yes_or_nobody_knows(
    tmp_path: Path,
) -> None:
    note = tmp_path / "synchronized"
    assert ntp.synchronised(_forbidden, note) is None
    note.touch()
    assert ntp.synchronised(_forbidden, note) is True
