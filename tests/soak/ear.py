"""Who listens upstream: Debian's mosquitto_sub, a process with a session of its own and a file.

It shares nothing with the daemon, hears every record once a broker hands it over, and goes on
when a broker is back. What it heard is read from its file.
"""

import asyncio
import contextlib
import json
import shutil
from asyncio.subprocess import DEVNULL, Process
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from tests.support.waiting import until

PROGRAM = shutil.which("mosquitto_sub")
SESSION_S = 3_600
HELLO = "soak/hello"
GREET_S = 0.2


@dataclass(slots=True)
class Ear:
    """`bodies` are records as they arrived, copies and all; `states` what each rig showed last."""

    port: int
    root: str
    file: Path
    bodies: list[str] = field(default_factory=list)
    states: dict[str, str] = field(default_factory=dict)
    greeted: bool = False
    _process: Process | None = None
    _read: IO[bytes] | None = None
    _rest: bytes = b""

    async def __aenter__(self) -> Self:
        """Start it; returns once the broker has its subscription."""
        assert PROGRAM is not None, "mosquitto_sub is not installed (mosquitto-clients)"
        self.file.touch()
        self._read = self.file.open("rb")
        session = ("-V", "5", "-i", f"ear-{self.port}", "-c", "-x", str(SESSION_S), "-q", "1")
        topics = [f"{self.root}/records/#", f"{self.root}/rigs/+/state", HELLO]
        filters = [word for topic in topics for word in ("-t", topic)]
        with self.file.open("ab") as out:
            self._process = await asyncio.create_subprocess_exec(
                PROGRAM,
                *("-h", "127.0.0.1", "-p", str(self.port), *session, *filters, "-F", "%t %p"),
                stdin=DEVNULL,
                stdout=out,
                stderr=DEVNULL,
            )
        await self._greet()
        return self

    async def _greet(self) -> None:
        """Say something at the broker until it is heard."""
        hello = ("mosquitto_pub", "-h", "127.0.0.1", "-p", str(self.port))
        while not self.greeted:
            said = await asyncio.create_subprocess_exec(*hello, "-t", HELLO, "-m", "hello")
            await said.wait()
            with contextlib.suppress(AssertionError):
                await until(lambda: self.take() and self.greeted, GREET_S)

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End it."""
        assert self._process is not None
        assert self._read is not None
        self._process.kill()
        await self._process.wait()
        self._read.close()

    def take(self) -> list[str]:
        """Read what is new; returns the topics below the root, as they came."""
        assert self._read is not None
        *lines, self._rest = (self._rest + self._read.read()).split(b"\n")
        return [self._line(line.decode()) for line in lines]

    def _line(self, line: str) -> str:
        topic, _, payload = line.partition(" ")
        short = topic.removeprefix(f"{self.root}/")
        match short.split("/"):
            case ["records", _]:
                self.bodies.append(payload)
            case ["rigs", rig, "state"]:
                shown: dict[str, Any] = json.loads(payload)
                self.states[rig] = shown["state"]
            case _:
                self.greeted = True
        return short
