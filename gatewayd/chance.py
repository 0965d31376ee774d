"""Chance comes from here, so that a simulated history can be lived again from its seed.

Ids and the spreading of retries draw from it. Outside a simulation it is the system's own.
"""

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from uuid import UUID

import uuid6

_RNG: ContextVar[random.Random | None] = ContextVar("rng", default=None)
_UUID7: ContextVar[Callable[[], UUID]] = ContextVar("uuid7", default=uuid6.uuid7)


def rng() -> random.Random:
    """What spreads retries; hides nothing."""
    return _RNG.get() or random.SystemRandom()


def uuid7() -> UUID:
    """A new UUIDv7 (RFC 9562)."""
    return _UUID7.get()()


@contextmanager
def governed(by: random.Random, uuids: Callable[[], UUID]) -> Iterator[None]:
    """Everything that begins within draws from these, tasks included."""
    rng_before, uuids_before = _RNG.set(by), _UUID7.set(uuids)
    try:
        yield
    finally:
        _RNG.reset(rng_before)
        _UUID7.reset(uuids_before)
