"""Who does the writer's work: a thread of its own, or a simulated one."""

import asyncio
import threading
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from gatewayd.store.writer import Writer


class Hand(Protocol):
    """Who does the writer's work."""

    def begin(self, writer: "Writer") -> None:
        """From now on call `writer.work` whenever there is something to do, until it is False."""
        ...

    def rouse(self) -> None:
        """A job was put in; called on the loop."""
        ...

    async def ended(self) -> None:
        """Return once `work` returned False."""
        ...


class OwnThread:
    """The usual hand: a thread that sleeps where jobs queue up."""

    def begin(self, writer: "Writer") -> None:
        """Start the thread."""
        # A daemon thread: an interpreter that dies does not wait for it. close() does.
        self._thread = threading.Thread(
            target=self._serve, args=(writer,), name="store-writer", daemon=True
        )
        self._thread.start()

    def _serve(self, writer: "Writer") -> None:
        try:
            while writer.work(wait=True):
                pass
        except BaseException as exc:  # noqa: BLE001 - see below
            # Nothing can be committed any more, which must be known at once, whatever it was.
            writer.died(exc)

    def rouse(self) -> None:
        """It wakes at the queue."""

    async def ended(self) -> None:
        """Wait for the thread."""
        await asyncio.to_thread(self._thread.join)
