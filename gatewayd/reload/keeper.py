"""The tasks of a house's parts, each by itself, so that one can be stopped and another go on."""

import asyncio
from collections.abc import Coroutine, Iterable
from functools import partial
from typing import Any

from gatewayd.parts import Parts
from gatewayd.rigs.rig import Rig
from gatewayd.rigs.ward import serve, serve_gate


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
    """One task a part, all in one TaskGroup. A bug ends its own part, which is begun again."""

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
        run = self._parts.devices[name].supervisor.run
        self._start(f"devices/{name}", self._parts.bugs.contain(name, run))

    def start_rig(self, name: str) -> None:
        """Run a rig, and the gate that stands before it where there is one."""
        self._start(f"rigs/{name}", self._serve(self._parts.rigs[name]))
        if name in self._parts.composites:
            gate, rig = self._parts.composites[name], self._parts.rigs[name]
            self._start(f"gates/{name}", serve_gate(gate, rig))

    def start_upstream(self, name: str) -> None:
        """Run an upstream."""
        work = partial(self._serve_upstream, name)
        self._start(f"upstreams/{name}", self._parts.bugs.contain(name, work))

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
        await serve(rig, self._parts.bugs)
        self._bell.news.set()

    async def _serve_upstream(self, name: str) -> None:
        """After a bug a new one takes its place: it knows what is committed and nothing else."""
        try:
            await self._parts.upstreams[name].run()
        except Exception:  # Told by who contains this: here only the broken one is given up.
            self._parts.add_upstream(name)
            raise
