"""Only a daemon whose every part moves tells its watchdogs so; the real socket is listened to."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gatewayd.clock import SECOND, ManualClock
from gatewayd.vitals import ALIVE_S, Vitals

NOON = datetime(2026, 8, 1, 4, 0, tzinfo=UTC)


class Systemd:
    """The far end of NOTIFY_SOCKET."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self._socket.bind(str(path))

    def heard(self) -> list[bytes]:
        told = []
        while True:
            try:
                told.append(self._socket.recv(8_192))
            except BlockingIOError:
                return told

    def close(self) -> None:
        self._socket.close()


@contextmanager
def systemd_at(path: Path) -> Iterator[Systemd]:
    listener = Systemd(path)
    os.environ["NOTIFY_SOCKET"] = str(path)
    try:
        yield listener
    finally:
        del os.environ["NOTIFY_SOCKET"]
        listener.close()


@pytest.fixture
def systemd(tmp_path: Path) -> Iterator[Systemd]:
    with systemd_at(tmp_path / "notify") as listener:
        yield listener


def test_one_part_that_does_not_move_silences_the_whole(systemd: Systemd) -> None:
    clock = ManualClock(NOON)
    moved = dict.fromkeys(("rig rig-1", "store", "device gun-1"), clock.monotonic_ns())
    vitals = Vitals(clock, lambda: moved)
    for name in moved:
        assert vitals.tell()
        assert systemd.heard() == [b"WATCHDOG=1"]
        clock.advance(seconds=ALIVE_S + 0.1)
        for other in moved:
            moved[other] = clock.monotonic_ns() - (other == name) * (ALIVE_S * SECOND + 1)
        assert vitals.dead() == (name,)
        assert not vitals.tell()
        assert systemd.heard() == []
        moved[name] = clock.monotonic_ns() - ALIVE_S * SECOND
        assert vitals.tell(), "just in time"
        assert systemd.heard() == [b"WATCHDOG=1"]


def test_the_hardware_is_patted_with_it_and_only_with_it(systemd: Systemd) -> None:
    class Counter:
        pats = 0

        def pat(self) -> None:
            self.pats += 1

    clock = ManualClock(NOON)
    moved = {"store": clock.monotonic_ns()}
    hardware = Counter()
    vitals = Vitals(clock, lambda: moved, hardware=hardware)
    vitals.tell()
    clock.advance(seconds=ALIVE_S + 1)
    vitals.tell()
    assert (hardware.pats, len(systemd.heard())) == (1, 1)
