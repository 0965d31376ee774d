"""Threads that hang for real: counted, told, and never more of them than a few."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from drivers.contract import DriverError
from drivers.liveness import HUNG_THREADS_MAX, STILL_LOOKS_MAX, Worker
from drivers.troubles import call_hangs

TROUBLE = call_hangs("libtest", "gatewayd")


@contextmanager
def _hanging(wire: str, threads: int) -> Iterator[None]:
    """So many threads of a wire that wait for a call which comes back when the block ends."""
    comes_back = threading.Event()
    workers = [Worker(wire, TROUBLE, comes_back.wait) for _ in range(threads)]
    for worker in workers:
        worker.begin()
    try:
        yield
    finally:
        comes_back.set()
        for worker in workers:
            worker.join()


def test_a_thread_that_turns_is_well_however_slowly() -> None:
    worker = Worker("w1", TROUBLE, lambda: None)
    for _ in range(3):
        for _ in range(STILL_LOOKS_MAX - 1):
            worker.look()
        worker.turned()
        worker.look()


def test_one_that_does_not_is_told_with_what_to_do() -> None:
    worker = Worker("w2", TROUBLE, lambda: None)
    for _ in range(STILL_LOOKS_MAX - 1):
        worker.look()
    with pytest.raises(
        DriverError, match=r"w2: a call has not come back for 10 s; .*replug"
    ) as told:
        worker.look()
    assert told.value.trouble is TROUBLE


def test_no_more_threads_hang_than_a_few_and_one_that_comes_back_makes_room() -> None:
    with _hanging("w3", HUNG_THREADS_MAX):
        with pytest.raises(DriverError, match=f"{HUNG_THREADS_MAX} calls have not come back"):
            Worker("w3", TROUBLE, lambda: None).begin()
        elsewhere = Worker("w4", TROUBLE, lambda: None)
        elsewhere.begin()
        elsewhere.join()
    again = Worker("w3", TROUBLE, lambda: None)
    again.begin()
    again.join()
