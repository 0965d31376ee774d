"""The one file that asks the machine whether a time server keeps its clock.

The kernel knows, whichever program keeps it (chrony, ntpd, systemd-timesyncd, ptp4l), and tells
everybody: adjtimex(2) with no modes changes nothing and needs no right. Where that call is not
allowed (a container, a hardened unit), the note of systemd-timesyncd stands in.
"""

import ctypes
import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

STA_UNSYNC = 0x0040
"""Bit of `status`: the kernel counts the clock as kept by nobody (Linux UAPI, linux/timex.h)."""
MAX_ERROR_US = 16_000_000
"""The kernel's estimate of the error stops growing here (NTP_PHASE_LIMIT): nobody keeps it."""
TIMESYNCD = Path("/run/systemd/timesync/synchronized")
Ask: TypeAlias = Callable[[], bool | None]
"""Whoever says whether a time server keeps the clock; None = nobody can tell."""

SPARE_LONGS = 64
"""Room behind the fields that we name; the kernel's structure is 26 longs in all."""


class _Timex(ctypes.Structure):
    """The head of `struct timex` (linux/timex.h); what follows `status` is of no interest."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_long * SPARE_LONGS),
    )


def kernel() -> tuple[int, int]:
    """`status` bits and the greatest error in microseconds; raises OSError when not allowed."""
    try:
        adjtimex = ctypes.CDLL(None, use_errno=True).adjtimex
    except AttributeError as exc:
        raise OSError("this system has no adjtimex") from exc
    answer = _Timex()
    if adjtimex(ctypes.byref(answer)) < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), "adjtimex")
    return int(answer.status), int(answer.maxerror)


def synchronised(
    ask: Callable[[], tuple[int, int]] = kernel, note: Path = TIMESYNCD
) -> bool | None:
    """Whether a time server keeps the clock of this machine; None = nobody can tell.

    The note only ever says yes: another program than timesyncd leaves none.
    """
    try:
        status, error_us = ask()
    except OSError:
        return True if note.exists() else None
    return not status & STA_UNSYNC and error_us < MAX_ERROR_US
