"""systemd hears how we are, and nobody listening is no trouble (sd_notify(3))."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gatewayd import notify


@contextmanager
def listening_at(address: str) -> Iterator[None]:
    os.environ["NOTIFY_SOCKET"] = address
    try:
        yield
    finally:
        del os.environ["NOTIFY_SOCKET"]


def test_a_line_reaches_the_socket(tmp_path: Path) -> None:
    path = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(path))
        with listening_at(str(path)):
            notify.tell("READY=1")
        assert systemd.recv(100) == b"READY=1"


def test_nobody_listening_and_no_systemd_are_no_trouble(tmp_path: Path) -> None:
    notify.tell("WATCHDOG=1")
    with listening_at(str(tmp_path / "gone")):
        notify.tell("WATCHDOG=1")


def test_a_listener_that_does_not_read_never_holds_us_up(tmp_path: Path) -> None:
    path = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(path))
        with listening_at(str(path)):
            for _ in range(10_000):
                notify.tell("WATCHDOG=1")
