"""Blocking work that nobody waits for at the end: a daemon thread instead of the loop's executor.

`asyncio.run` and the interpreter wait for every executor thread, so a stop would last as long as
a name lookup or a TCP connect to a silent host. A daemon thread is left behind.
"""

import asyncio
import contextlib
import threading
from collections.abc import Callable


def heed() -> None:
    """Raise the cancellation of this task that a library swallowed.

    `asyncio.wait_for` before Python 3.12 loses one that comes together with its result: the task
    is cancelled, nobody notices, and a stop waits for ever.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


async def aside(work: Callable[[], None], *, done: Callable[[], None]) -> None:
    """Run `work` in a thread of its own and raise what it raises.

    `done` is called on the loop when the work has ended, also when the caller was cancelled and
    is gone: the place to undo what came too late.
    """
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[None] = loop.create_future()

    def end(error: Exception | None) -> None:
        done()
        if ended.done():
            return
        if error is None:
            ended.set_result(None)
        else:
            ended.set_exception(error)

    def run() -> None:
        error: Exception | None = None
        try:
            work()
        except Exception as exc:  # noqa: BLE001 - carried to whoever awaits, whatever it is
            error = exc
        with contextlib.suppress(RuntimeError):  # the loop has closed: nobody waits
            loop.call_soon_threadsafe(end, error)

    threading.Thread(target=run, name="aside", daemon=True).start()
    await ended
