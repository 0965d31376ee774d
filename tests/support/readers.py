"""A scripted UHFReader and a place to run one driver: real bytes over a real socket or pty."""

import asyncio
import os
import pty
import time
import tty
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from drivers.contract import CodeRead, Context, Driver, DriverError, Reading, TagRead
from protocols.readers.uhfreader import (
    LEN_MIN,
    Command,
    Dialect,
    Info,
    Tag,
    build_answer,
    build_info_reply,
    build_inventory_reply,
    build_push,
    codes,
    decode_command,
    decode_params,
    new_framer,
)
from tests.support.waiting import WITHIN_S, until

PORTS = bytes((1, 0, 0, 0))


@dataclass
class ScriptedReader:
    """Answers like a reader; change it while it runs."""

    dialect: Dialect = "288"
    address: int = 0
    type_code: int = 0x26
    scan_time_100ms: int = 1
    tags: list[Tag] = field(default_factory=list)
    pushes: bool = False
    keeps_mode: bool = False
    silent: bool = False
    knows_info: bool = True
    before: bytes = b""
    """Garbage sent before every inventory reply."""
    status: int | None = None
    """Said instead of a round."""
    heard: list[Command] = field(default_factory=list)
    send: Callable[[bytes], None] = lambda _: None
    unplug: Callable[[], None] = lambda: None
    connections: int = 0

    def plugged(
        self, send: Callable[[bytes], None], unplug: Callable[[], None]
    ) -> Callable[[bytes], None]:
        """Somebody opened the wire: how to reach them; returns who hears what they say."""
        self.send, self.unplug = send, unplug
        self.connections += 1
        framer = new_framer(len_min=LEN_MIN)

        def hear(data: bytes) -> None:
            for piece in framer.feed(data):
                if isinstance(piece, bytes):
                    command = decode_command(piece)
                    self.heard.append(command)
                    deaf = self.silent or (command.code == codes.INFO and not self.knows_info)
                    if not deaf and command.address in {self.address, 0xFF}:
                        send(self.answer(command))

        return hear

    def push(self, tag: Tag, antenna_raw: int = 1) -> None:
        self.send(build_push(self.address, self.dialect, tag, antenna_raw=antenna_raw))

    def answer(self, command: Command) -> bytes:
        if command.code == codes.INFO:
            extra = PORTS if self.dialect == "288" else b""
            info = (self.type_code, 3, 0x31, 0x80, 30, self.scan_time_100ms, extra)
            return build_info_reply(Info(self.address, (3, 13), *info))
        if command.code in self._mode_codes():
            return self._mode(command)
        if command.code == codes.INVENTORY and not self.pushes:
            return self.before + self._inventory(command)
        return b"" if self.pushes else build_answer(self.address, 0, codes.ILLEGAL_COMMAND)

    def _mode_codes(self) -> tuple[int, int]:
        if self.dialect == "18":
            return codes.GET_WORK_MODE_18, codes.SET_WORK_MODE_18
        return codes.GET_WORK_MODE_288, codes.SET_WORK_MODE_288

    def _mode(self, command: Command) -> bytes:
        if command.code == self._mode_codes()[1]:
            if self.keeps_mode:
                return build_answer(self.address, command.code, 0xF9)
            self.pushes = bool(command.data[0])
            return build_answer(self.address, command.code, codes.OK)
        mode = bytes((self.pushes,))
        data = mode + bytes(44) if self.dialect == "288" else bytes(4) + mode + bytes(7)
        return build_answer(self.address, command.code, codes.OK, data)

    def _inventory(self, command: Command) -> bytes:
        if self.status is not None:
            return build_answer(self.address, codes.INVENTORY, self.status)
        if self.dialect == "18":
            if command.data:
                return build_answer(self.address, codes.INVENTORY, codes.WRONG_LENGTH)
            if not self.tags:
                return build_answer(self.address, codes.INVENTORY, codes.NO_TAG)
            return build_inventory_reply(self.address, "18", self.tags, status=codes.DONE)
        if not command.data:
            return build_answer(self.address, codes.INVENTORY, codes.WRONG_LENGTH)
        aim = decode_params(command.data).aim
        antenna = 1 << (aim.antenna_selector - 0x80 if aim else 0)
        frames = [
            build_inventory_reply(self.address, "288", [tag], antenna_raw=antenna)
            for tag in self.tags
        ]
        end = build_inventory_reply(self.address, "288", status=codes.DONE, antenna_raw=antenna)
        return b"".join(frames) + end


@asynccontextmanager
async def on_tcp(
    plugged: Callable[[Callable[[bytes], None], Callable[[], None]], Callable[[bytes], None]],
) -> AsyncIterator[dict[str, Any]]:
    """Serve a scripted device on loopback; yields the `link` that reaches it."""
    writers: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        hear = plugged(writer.write, writer.close)
        try:
            while data := await reader.read(4096):
                hear(data)
        except ConnectionError:
            pass  # Whoever we played for has left.
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        yield {"tcp": f"127.0.0.1:{port}"}
    finally:
        server.close()
        for writer in writers:
            writer.close()
        await asyncio.sleep(0)


@asynccontextmanager
async def on_pty(
    plugged: Callable[[Callable[[bytes], None], Callable[[], None]], Callable[[bytes], None]],
) -> AsyncIterator[dict[str, Any]]:
    """Serve a scripted device on a pseudo terminal; yields the `link` that reaches it."""
    master, slave = pty.openpty()
    tty.setraw(slave)
    loop = asyncio.get_running_loop()
    open_ends = {master, slave}

    def close(end: int) -> None:
        if end in open_ends:
            open_ends.discard(end)
            os.close(end)

    def unplug() -> None:
        loop.remove_reader(master)
        close(slave)
        close(master)

    def send(data: bytes) -> None:
        os.write(master, data)

    hear = plugged(send, unplug)
    loop.add_reader(master, lambda: hear(os.read(master, 4096)))
    try:
        yield {"serial": os.ttyname(slave)}
    finally:
        if master in open_ends:
            unplug()


@dataclass
class Bench:
    """What one driver said."""

    readings: list[Reading] = field(default_factory=list)
    ups: list[str] = field(default_factory=list)
    noise: list[tuple[str, bytes]] = field(default_factory=list)
    error: DriverError | None = None

    @property
    def context(self) -> Context:
        return Context(
            emit=self.readings.append,
            up=self.ups.append,
            noise=lambda reason, raw: self.noise.append((reason, raw)),
            monotonic_ns=time.monotonic_ns,
        )

    @property
    def uids(self) -> set[str]:
        return {read.uid for read in self.readings if isinstance(read, TagRead)}

    @property
    def texts(self) -> list[str]:
        return [read.text for read in self.readings if isinstance(read, CodeRead)]

    async def until(self, condition: Callable[[], object], within_s: float = WITHIN_S) -> None:
        """Wait for what must come; fails with what was said instead."""
        await until(condition, within_s, instead=lambda: self)


@asynccontextmanager
async def running(driver: Driver, bench: Bench | None = None) -> AsyncIterator[Bench]:
    """Run a driver until the block ends; a DriverError is kept in `bench.error`."""
    bench = bench or Bench()

    async def run() -> None:
        try:
            await driver.run(bench.context)
        except DriverError as exc:
            bench.error = exc

    async with asyncio.TaskGroup() as group:
        task = group.create_task(run())
        try:
            yield bench
        finally:
            task.cancel()
