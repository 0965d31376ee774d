"""The output driver over real Modbus: off first, a proven watchdog, on only when wanted."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from pydantic import ValidationError

from drivers.contract import Context, DriverError, Output, OutputSample, Reading
from drivers.output.modbus import DRIVER, ON_WITHIN_S, OutputModbus
from drivers.plc.turns import Rank
from drivers.plc.wire import Wire
from gatewayd.clock import SECOND
from protocols.documents import parse, validate
from tests.support.io_modules import (
    ALTERNATIVE,
    COIL,
    START_INPUT,
    STOP,
    STOP_INPUT,
    STOP_WORD,
    TIME,
    WATCHDOG,
    IoModule,
)
from tests.support.patient_loop import now_ns, stall
from tests.support.plcs import RtuBus, TcpServer
from tests.support.waiting import LOOK_EVERY_S, until

WATCHDOG_S = 1.0
WORDS = f"unit: 1, coil: {COIL}, poll_ms: 20, timeout_ms: 200, watchdog: {WATCHDOG}"


def settings(link: str, words: str = WORDS) -> Any:
    return validate(parse(f"{{link: {link}, {words}}}", "test"), DRIVER.settings)


def driver(link: str, words: str = WORDS) -> OutputModbus:
    made = DRIVER.make("io-1", settings(link, words), {})
    assert isinstance(made, OutputModbus)
    assert isinstance(made, Output)
    return made


@dataclass
class Seen:
    samples: list[OutputSample] = field(default_factory=list)
    ups: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    slept_ns: int = 0

    def context(self) -> Context:
        return Context(self.emit, self.ups.append, lambda _r, _b: None, self.now_ns)

    def now_ns(self) -> int:
        """The clock of a computer that slept for so long, while the loop's own time stood still."""
        return now_ns() + self.slept_ns

    def emit(self, reading: Reading) -> None:
        assert isinstance(reading, OutputSample)
        self.samples.append(reading)

    def last(self) -> OutputSample:
        return self.samples[-1]


@asynccontextmanager
async def running(made: OutputModbus) -> AsyncIterator[Seen]:
    """The driver runs while this is open; how it ended is in `errors`."""
    seen = Seen()

    async def run() -> None:
        try:
            await made.run(seen.context())
        except DriverError as exc:
            seen.errors.append(str(exc))

    async with asyncio.TaskGroup() as group:
        task = group.create_task(run())
        try:
            yield seen
        finally:
            task.cancel()


@asynccontextmanager
async def up(module: IoModule, words: str = WORDS) -> AsyncIterator[tuple[OutputModbus, Seen]]:
    async with TcpServer({1: module}).serving() as server:
        made = driver(f'{{tcp: "127.0.0.1:{server.port}"}}', words)
        async with running(made) as seen:
            await until(lambda: bool(seen.samples))
            yield made, seen


async def error_of(module: IoModule, words: str = WORDS) -> str:
    async with TcpServer({1: module}).serving() as server:
        made = driver(f'{{tcp: "127.0.0.1:{server.port}"}}', words)
        async with running(made) as seen:
            await until(lambda: bool(seen.errors))
        assert not seen.ups
        return seen.errors[0]


async def test_off_is_the_first_thing_a_module_hears() -> None:
    module = IoModule(coils={COIL: True})
    async with up(module) as (_, seen):
        assert module.written[0] == (COIL, 0)
        assert module.asked[0][0] == 5
        assert not seen.last().on
        assert seen.ups == ["unit 1; drops its output after 1000 ms of silence"]


async def test_the_watchdog_is_set_and_proven_and_not_set_again() -> None:
    module = IoModule()
    async with up(module) as (_, seen):
        assert seen.last().guarded
        armed = [(STOP, STOP_WORD), (TIME, 10), (ALTERNATIVE, 1)]
        assert [write for write in module.written if write[0] != COIL] == armed
    module.written.clear()
    async with up(module) as (_, seen):
        assert seen.last().guarded
        assert {address for address, _ in module.written} == {COIL}, "it may be EEPROM"


async def test_on_and_off_are_read_back() -> None:
    module = IoModule()
    async with up(module) as (made, seen):
        await made.energise()
        assert module.energised()
        await until(lambda: seen.last().on)
        await made.release()
        assert not module.energised()
        await until(lambda: not seen.last().on)


async def test_a_computer_that_dies_is_closed_by_the_module() -> None:
    module = IoModule()
    async with TcpServer({1: module}).serving() as server:
        made = driver(f'{{tcp: "127.0.0.1:{server.port}"}}')
        loop = asyncio.get_running_loop()
        async with running(made) as seen:
            await until(lambda: bool(seen.samples))
            await made.energise()
            server.hang_up()
            module.script = lambda _asked: []  # Nobody hears anybody any more.
            module.fed_s = cut_s = loop.time()
            server.units = {}
            while module.energised():
                await asyncio.sleep(LOOK_EVERY_S)
                assert loop.time() - cut_s < WATCHDOG_S + 0.5
            assert loop.time() - cut_s >= WATCHDOG_S - 0.1


async def test_polling_alone_keeps_the_watchdog_from_firing() -> None:
    module = IoModule()
    async with up(module) as (made, seen):
        await made.energise()
        await asyncio.sleep(1.5 * WATCHDOG_S)
        assert module.energised()
        assert not seen.errors


async def test_after_a_stall_off_comes_before_any_request_that_would_forgive() -> None:
    module = IoModule()
    async with up(module) as (made, seen):
        await made.energise()
        stall(WATCHDOG_S + 0.2)
        await until(lambda: bool(seen.errors))
        assert "silent for longer than its watchdog, 1000 ms" in seen.errors[0]
        assert module.risen == 0
        assert not module.coils[COIL]


async def test_an_on_that_waited_through_a_stall_is_not_said_any_more() -> None:
    module = IoModule()
    words = f"unit: 1, coil: {COIL}, poll_ms: 20, timeout_ms: 200"
    async with TcpServer({1: module}).serving() as server:
        link = f'{{tcp: "127.0.0.1:{server.port}"}}'
        made = driver(link, words)
        async with running(made) as seen, Wire.join(settings(link, words).link) as wire:
            await until(lambda: bool(seen.samples))
            async with asyncio.TaskGroup() as group, wire.turns.take(Rank.LOCK):
                opening = group.create_task(_refused(made))
                await asyncio.sleep(0.05)  # until the turn is what it waits for
                stall(ON_WITHIN_S + 0.1)
            assert "is not said any more" in opening.result()
        assert (COIL, 0xFF00) not in module.written


async def _refused(made: OutputModbus) -> str:
    with pytest.raises(DriverError) as caught:
        await made.energise()
    return str(caught.value)


async def test_leaving_switches_off() -> None:
    module = IoModule()
    async with up(module) as (made, _):
        await made.energise()
        assert module.energised()
    assert module.written[-1] == (COIL, 0)


async def test_a_module_that_forgets_its_watchdog_is_lost_and_off() -> None:
    module = IoModule()
    async with up(module) as (made, seen):
        await made.energise()
        module.registers[TIME] = 0
        module.armed = False
        await until(lambda: bool(seen.errors))
        assert not seen.last().guarded
        assert "no longer set" in seen.errors[0]
        assert not module.energised()
        with pytest.raises(DriverError, match="not connected"):
            await made.energise()


async def test_a_watchdog_that_does_not_take_its_time_is_never_up() -> None:
    said = await error_of(IoModule(forgets_time=True))
    assert "wrote watchdog register 4096 = 10, read back 0" in said


async def test_a_watchdog_that_does_not_run_is_never_up() -> None:
    words = WORDS.replace("after: [{register: 4106, value: 1}]", "after: []")
    said = await error_of(IoModule(), words)
    assert "the watchdog does not run: register 4102 does not read 1" in said


async def test_an_output_that_does_not_switch_off_is_never_up() -> None:
    said = await error_of(IoModule(coils={COIL: True}, sticks=True))
    assert "switched off, reads back on" in said


async def test_a_fired_module_that_refuses_is_reset_and_then_switched_off() -> None:
    module = IoModule(armed=True, fired=True, refuses_when_fired=True, coils={COIL: True})
    module.registers[TIME] = 10
    async with up(module) as (_, seen):
        assert (STOP, STOP_WORD) in module.written
        assert not module.coils[COIL]
        assert seen.last().guarded


async def test_a_release_wins_over_an_energise_under_way() -> None:
    module = IoModule()
    async with up(module) as (made, _):
        async with asyncio.TaskGroup() as group:
            opening = group.create_task(_tried(made))
            await asyncio.sleep(0)
            group.create_task(made.release())
        assert not module.energised()
        assert opening.done()


async def _tried(made: OutputModbus) -> None:
    try:
        await made.energise()
    except DriverError as exc:
        assert "released or lost meanwhile" in str(exc)  # noqa: PT017 - not raised is right too


async def test_without_a_watchdog_it_runs_and_says_so() -> None:
    words = f"unit: 1, coil: {COIL}, poll_ms: 20"
    async with up(IoModule(), words) as (_, seen):
        assert not seen.last().guarded
        assert seen.ups == ["unit 1; no watchdog: stays on when this computer dies"]


async def test_buttons_are_inputs_and_their_active_state_is_set() -> None:
    start = f"start: {{input: {START_INPUT}, active: true}}"
    words = f"{WORDS}, {start}, e_stop: {{input: {STOP_INPUT}, active: false}}"
    module = IoModule(inputs={STOP_INPUT: True})
    async with up(module, words) as (_, seen):
        assert (seen.last().start, seen.last().e_stop) == (False, False)
        module.inputs = {START_INPUT: True, STOP_INPUT: False}
        await until(lambda: seen.last().start is True)
        assert seen.last().e_stop, "a broken wire of a closed circuit is a stop"


async def test_one_bit_of_a_register_leaves_its_neighbours_alone() -> None:
    module = IoModule(registers={7: 0b1000_0001})
    async with up(module, "unit: 1, register: 7, bit: 3, poll_ms: 20") as (made, _):
        await made.energise()
        assert module.registers[7] == 0b1000_1001
        await made.release()
        assert module.registers[7] == 0b1000_0001


async def test_an_input_at_the_valve_counts_beside_the_coil() -> None:
    words = f"{WORDS}, readback: {{input: 5, active: true}}"
    module = IoModule()
    async with up(module, words) as (_, seen):
        assert not seen.last().on
        module.inputs[5] = True
        await until(lambda: seen.last().on)


async def test_on_a_serial_bus_it_is_the_same() -> None:
    module = IoModule()
    async with RtuBus({1: module}).serving() as bus:
        made = driver(f"{{serial: {bus.path}, baud: 115200}}")
        async with running(made) as seen:
            await until(lambda: bool(seen.samples))
            await made.energise()
            assert module.energised()
            await made.release()
            assert not module.energised()
            assert not seen.errors


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("unit: 1", "either coil, or register with bit"),
        ("unit: 1, coil: 1, register: 1, bit: 1", "either coil, or register with bit"),
        ("unit: 1, register: 1", "go together"),
        ("unit: 1, coil: 1, watchdog: {register: 1, ms: 1050, unit_ms: 100}", "no multiple"),
        ("unit: 1, coil: 1, watchdog: {register: 1, ms: 300}", "would fire between polls"),
        ("unit: 300, coil: 1", "less than or equal to 255"),
    ],
)
def test_settings_that_cannot_work_say_what_is_wrong(words: str, said: str) -> None:
    with pytest.raises(Exception, match=said):
        settings('{tcp: "127.0.0.1:1"}', words)


def test_the_example_is_a_guarded_output() -> None:
    made = validate(parse(DRIVER.example, "example"), DRIVER.settings)
    assert DRIVER.watchdog_ms(made) == 1000
    assert DRIVER.watchdog_ms(settings('{tcp: "h:1"}', "coil: 1")) is None


def test_an_unknown_key_is_an_error() -> None:
    with pytest.raises(ValidationError):
        DRIVER.settings.model_validate_json('{"link": {"tcp": "h:1"}, "coil": 1, "colour": 2}')


async def test_an_on_that_waited_through_a_suspend_is_not_said_any_more() -> None:
    module = IoModule()
    words = f"unit: 1, coil: {COIL}, poll_ms: 20, timeout_ms: 200"
    async with up(module, words) as (made, seen):
        async with Wire.join(made.settings.link) as wire:
            async with asyncio.TaskGroup() as group, wire.turns.take(Rank.LOCK):
                switching = group.create_task(_refused(made))
                await asyncio.sleep(0.05)  # until the turn is what it waits for
                seen.slept_ns = int((ON_WITHIN_S + 0.1) * SECOND)
            assert "waited" in switching.result()
        assert (COIL, 0xFF00) not in module.written


async def test_after_a_suspend_longer_than_the_watchdog_nothing_but_off_is_said() -> None:
    module = IoModule()
    async with up(module) as (_, seen):
        seen.slept_ns = 60 * SECOND
        await until(lambda: bool(seen.errors))
    assert "silent for longer than its watchdog" in seen.errors[0]
    assert module.written[-1] == (COIL, 0)
    assert [function for function, *_ in module.asked[-2:]] == [5, 1]
