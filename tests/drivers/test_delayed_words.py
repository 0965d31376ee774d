"""A line with a delay: whatever passes for an answer, nothing is read later than it was in the field."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from drivers.contract import TagRead
from drivers.rfid import llrp, m100, uhfreader
from drivers.suite import Bench, Faults, on_tcp, running
from protocols.readers import m100 as m100_codec
from protocols.readers import uhfreader as uhf_codec
from tests.support.devices.llrp import ScriptedLlrp
from tests.support.devices.m100 import ScriptedM100
from tests.support.readers import ScriptedReader

SECOND_NS = 1_000_000_000
PUSH_EVERY_S = 0.05
READS = 20
FHSS_FAILED = 0x20
DELAY_S = 1.2
"""Longer than one question is waited for."""


class Seen:
    """A tag of its own for every moment, and when it was in the field."""

    def __init__(self) -> None:
        self.said_ns: dict[str, int] = {}

    def epc(self) -> bytes:
        epc = len(self.said_ns).to_bytes(12)
        self.said_ns[epc.hex().upper()] = int(asyncio.get_running_loop().time() * SECOND_NS)
        return epc

    def younger(self, bench: Bench) -> list[float]:
        """By how many seconds each read that is wrong seems younger than it is."""
        tags = [read for read in bench.readings if isinstance(read, TagRead)]
        ages = [(read.at_ns - self.said_ns[read.uid]) / SECOND_NS for read in tags]
        return [age for age in ages if age > 0]


@asynccontextmanager
async def pushing(push: Callable[[], None]) -> AsyncIterator[None]:
    async def go() -> None:
        while True:
            push()
            await asyncio.sleep(PUSH_EVERY_S)

    async with asyncio.TaskGroup() as group:
        task = group.create_task(go())
        try:
            yield
        finally:
            task.cancel()


class NoModes(ScriptedReader):
    """Says to every question about work modes that it does not know the command.

    `delayed`, once it is set: the line has a delay from behind the next answer on who it is.
    """

    delayed: Faults | None = None

    def answer(self, command: uhf_codec.Command) -> bytes:
        if command.code in self._mode_codes():
            return uhf_codec.build_answer(self.address, 0, uhf_codec.codes.ILLEGAL_COMMAND)
        if self.delayed is not None and command.code == uhf_codec.codes.INFO:
            asyncio.get_running_loop().call_soon(setattr, self.delayed, "slow_s", DELAY_S)
        return super().answer(command)


async def an_answer_to_no_command_is_not_taken_for_that_to_the_latest_question() -> None:
    reader, seen, faults = NoModes(), Seen(), Faults()
    async with on_tcp(reader.plugged, faults) as link:
        settings = uhfreader.Settings.model_validate({"link": link, "mode": "push"})
        async with running(uhfreader.DRIVER.make("gun-1", settings, {})) as bench:
            await bench.until(lambda: bench.ups)
            reader.delayed = faults
            async with pushing(lambda: reader.push(uhf_codec.Tag(seen.epc(), 77))):
                await bench.until(lambda: len(bench.readings) > 3 * READS)
    assert not seen.younger(bench)


async def what_is_pushed_beside_a_round_is_not_taken_for_its_answer() -> None:
    reader, seen, faults = NoModes(), Seen(), Faults()
    async with on_tcp(reader.plugged, faults) as link:
        settings = uhfreader.Settings.model_validate({"link": link, "poll_ms": 20})
        async with running(uhfreader.DRIVER.make("gun-1", settings, {})) as bench:
            await bench.until(lambda: bench.ups)
            faults.slow_s = 0.3
            async with pushing(lambda: reader.push(uhf_codec.Tag(seen.epc(), 77))):
                await bench.until(lambda: len(bench.readings) > READS)
    assert not seen.younger(bench)


async def an_error_of_a_multi_poll_proves_nothing() -> None:
    module, seen, faults = ScriptedM100(), Seen(), Faults()

    def push() -> None:
        if module.pushes:
            module.send(m100_codec.build_reply(m100_codec.Failure(FHSS_FAILED), module.style))
            module.push(seen.epc())

    async with on_tcp(module.plugged, faults) as link:
        settings = m100.Settings.model_validate({"link": link, "mode": "push"})
        async with running(m100.DRIVER.make("gun-1", settings, {})) as bench:
            await bench.until(lambda: bench.ups)
            faults.slow_s = 0.4
            async with pushing(push):
                await bench.until(lambda: len(bench.readings) > READS)
    assert not seen.younger(bench)


async def test_no_word_is_taken_for_younger_than_it_is() -> None:
    await asyncio.gather(
        an_answer_to_no_command_is_not_taken_for_that_to_the_latest_question(),
        what_is_pushed_beside_a_round_is_not_taken_for_its_answer(),
        an_error_of_a_multi_poll_proves_nothing(),
    )


class Once(dict[str, tuple[int, str]]):
    """What is refused once."""

    def __getitem__(self, name: str) -> tuple[int, str]:
        return self.pop(name)


async def test_a_report_behind_one_that_was_refused_is_as_old_as_that() -> None:
    old, new = "E280689400005005B2210861", "49440000000000000A000334"
    reader = ScriptedLlrp(tags=[bytes.fromhex(old)])
    async with on_tcp(reader.plugged) as link:
        settings = llrp.Settings.model_validate({"link": link, "mode": "poll", "poll_ms": 50})
        async with running(llrp.DRIVER.make("gun-1", settings, {})) as bench:
            await bench.until(lambda: old in bench.uids)
            refused_ns = bench.context.monotonic_ns()
            reader.refuses = Once(GET_REPORT=(109, "busy"))
            reader.tags = []
            await bench.until(lambda: not reader.refuses)
            reader.tags = [bytes.fromhex(new)]
            await bench.until(lambda: new in bench.uids)
    first = next(read for read in bench.readings if isinstance(read, TagRead) and read.uid == new)
    assert first.at_ns < refused_ns, "it may have been collected since the report before"
