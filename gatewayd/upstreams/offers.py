"""What a pump asks of one offer: how far it is settled, and how to wait without outliving its sink."""

import asyncio
import contextlib
from collections.abc import Sequence

from gatewayd.store.model import Record
from gatewayd.upstreams.contract import Outcome, Sink


async def sleep_or_gone(sink: Sink, wait_s: float) -> None:
    """Sleep, but not longer than the sink lives."""
    if wait_s <= 0:
        return
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(wait_s):
            await sink.gone.wait()


def settled_of(
    batch: Sequence[Record], outcome: Outcome
) -> tuple[int | None, list[tuple[int, str]]]:
    """How far the batch is settled without a gap, and the dead letters up to there."""
    through: int | None = None
    dead: list[tuple[int, str]] = []
    for record in batch:
        if record.sequence in outcome.rejected:
            dead.append((record.sequence, outcome.rejected[record.sequence]))
        elif record.sequence not in outcome.accepted:
            break
        through = record.sequence
    return through, dead
