"""The tasks of a house's parts, each by itself, so that one can be stopped and another go on."""

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Any

from gatewayd.parts import Parts
from gatewayd.rigs.rig import Rig


class Bell:
    """Wakes the reloader: `news` happened, or somebody `asked` to read the files again."""

    def __init__(self) -> None:
        self.asked = False
        self.news = asyncio.Event()

    def ring(self) -> None:
        """Ask for the files to be read again; as often as you like."""
        self.asked = True
        self.news.set()


class Keeper:
    """One task a part, all in one TaskGroup: what raises still ends the house."""

    def __init__(self, group: asyncio.TaskGroup, parts: Parts, bell: Bell) -> None:
        self._group = group
        self._parts = parts
        self._bell = bell
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def start_all(self) -> None:
        """Start everything that was built."""
        for name in self._parts.devices:
            self.start_device(name)
        for name in self._parts.rigs:
            self.start_rig(name)
        for name in self._parts.upstreams:
            self.start_upstream(name)

    def start_device(self, name: str) -> None:
        """Run a device's supervisor."""
        self._start(f"devices/{name}", self._parts.devices[name].supervisor.run())

    def start_rig(self, name: str) -> None:
        """Run a rig, and the gate that stands before it where there is one."""
        self._start(f"rigs/{name}", self._serve(self._parts.rigs[name]))
        if name in self._parts.composites:
            self._start(f"gates/{name}", self._parts.composites[name].run())

    def start_upstream(self, name: str) -> None:
        """Run an upstream."""
        self._start(f"upstreams/{name}", self._parts.upstreams[name].run())

    async def stop(self, keys: Iterable[str]) -> None:
        """Cancel what runs under these keys and wait until it has ended."""
        tasks = [self._tasks.pop(key) for key in keys if key in self._tasks]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    def rests(self, rig: str) -> bool:
        """Whether a rig has ended: nothing is open there and everything is recorded."""
        task = self._tasks.get(f"rigs/{rig}")
        return task is None or task.done()

    @property
    def rigs(self) -> tuple[asyncio.Task[None], ...]:
        """The tasks of the rigs."""
        return tuple(task for key, task in self._tasks.items() if key.startswith("rigs/"))

    def cancel(self) -> None:
        """Cancel everything, at the end."""
        for task in self._tasks.values():
            task.cancel()

    def _start(self, key: str, work: Coroutine[Any, Any, None]) -> None:
        assert key not in self._tasks or self._tasks[key].done(), key
        self._tasks[key] = self._group.create_task(work)

    async def _serve(self, rig: Rig) -> None:
        await rig.run()
        self._bell.news.set()
