"""The kernel's watchdog: what answers its calls is armed, anything else is refused by name."""

import array
import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from gatewayd.hardware_watchdog import WDIOC_GETTIMEOUT, WDIOC_SETTIMEOUT, HardwareWatchdog


class SoftDog:
    """A watchdog driver at a named pipe: the writes are real, and `control` answers as one does.

    linux/drivers/watchdog/watchdog_dev.c: SETTIMEOUT returns the seconds that are in force, and is
    EOPNOTSUPP where the driver cannot; 'V' as the last write lets a close disarm it.
    """

    def __init__(self, path: Path, *, fixed_s: int | None = None) -> None:
        os.mkfifo(path)
        self.path, self.fixed_s = str(path), fixed_s
        self._file = os.open(path, os.O_RDONLY | os.O_NONBLOCK)

    def control(self, _file: int, request: int, seconds: "array.array[int]") -> int:
        if request == WDIOC_SETTIMEOUT:
            if self.fixed_s is not None:
                raise OSError(errno.EOPNOTSUPP, "not supported")
            return 0
        assert request == WDIOC_GETTIMEOUT
        seconds[0] = self.fixed_s or 0
        return 0

    def written(self) -> bytes:
        try:
            return os.read(self._file, 1_000)
        except BlockingIOError:
            return b""

    def close(self) -> None:
        os.close(self._file)


@pytest.fixture
def dog(tmp_path: Path) -> Iterator[SoftDog]:
    made = SoftDog(tmp_path / "watchdog")
    yield made
    made.close()


def test_it_is_armed_patted_and_disarmed_with_the_magic_letter(dog: SoftDog) -> None:
    armed = HardwareWatchdog.open(dog.path, 60, control=dog.control)
    assert armed.timeout_s == 60
    armed.pat()
    armed.pat()
    assert dog.written() == b"\0\0"
    armed.close()
    assert dog.written() == b"V", "else the computer restarts after an orderly stop"


def test_a_crash_leaves_it_running(dog: SoftDog) -> None:
    armed = HardwareWatchdog.open(dog.path, 60, control=dog.control)
    armed.pat()
    os.close(armed._file)  # what the kernel does when the process dies
    assert dog.written() == b"\0"


def test_one_that_has_its_own_time_says_which(tmp_path: Path) -> None:
    dog = SoftDog(tmp_path / "watchdog", fixed_s=30)
    armed = HardwareWatchdog.open(dog.path, 60, control=dog.control)
    assert armed.timeout_s == 30
    armed.close()
    dog.close()


def test_one_that_is_pulled_out_is_told_once_and_holds_nobody_up(dog: SoftDog) -> None:
    armed = HardwareWatchdog.open(dog.path, 60, control=dog.control)
    dog.close()
    armed.pat()
    armed.pat()
    armed.close()
    dog._file = os.open(os.devnull, os.O_RDONLY)


def _terminal() -> str:
    _, file = os.openpty()
    return os.ttyname(file)


@pytest.mark.parametrize("kind", ["file", "null", "terminal", "pipe"])
def test_what_is_no_watchdog_is_refused_by_the_real_call(tmp_path: Path, kind: str) -> None:
    plain = tmp_path / "plain"
    plain.touch()
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    paths = {"file": str(plain), "null": os.devnull, "terminal": _terminal(), "pipe": str(pipe)}
    with pytest.raises(OSError, match=r"Inappropriate ioctl|Invalid argument") as told:
        HardwareWatchdog.open(paths[kind], 60)
    assert told.value.errno in (errno.ENOTTY, errno.EINVAL)
    os.close(reader)


def test_one_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        HardwareWatchdog.open(str(tmp_path / "none"), 60)


def test_the_numbers_are_those_of_the_kernel() -> None:
    def number(direction: int, nr: int) -> int:
        return direction << 30 | array.array("i").itemsize << 16 | ord("W") << 8 | nr

    assert number(3, 6) == WDIOC_SETTIMEOUT
    assert number(2, 7) == WDIOC_GETTIMEOUT
