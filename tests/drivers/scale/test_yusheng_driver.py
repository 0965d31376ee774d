"""Yusheng machines: their codes are read, what they fill by themselves is told, nothing is ever said to them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from drivers.contract import CodeRead, Context, Driver, Trouble
from drivers.scale.yusheng import DRIVER
from drivers.suite.wires import on_tcp
from gatewayd.settings.load import examine
from protocols.documents import parse, validate
from tests.protocols.scales.golden import GOLDEN, hex_of
from tests.support.configs import DEVICES, RIGS, write_config
from tests.support.devices.yusheng import YushengMachine
from tests.support.patient_loop import now_ns
from tests.support.waiting import LOOK_EVERY_S, until

FILL = bytes.fromhex(hex_of(next(v for v in GOLDEN if v["id"] == "yusheng-scale-fill")))
CODE = "3701000110100001"


class Seen:
    """What the driver told."""

    def __init__(self) -> None:
        self.codes: list[Any] = []
        self.ups: list[str] = []
        self.noises: list[str] = []
        self.troubles: list[Trouble] = []

    def context(self) -> Context:
        return Context(
            self.codes.append,
            self.ups.append,
            lambda reason, _raw: self.noises.append(reason),
            now_ns,
            trouble=self.troubles.append,
        )


def make(words: str) -> Driver:
    settings: Any = validate(parse(f"{{{words}}}", "test"), DRIVER.settings)
    return DRIVER.make("filling-3", settings, {})


@asynccontextmanager
async def running(words: str) -> AsyncIterator[Seen]:
    seen = Seen()
    async with asyncio.TaskGroup() as group:
        task = group.create_task(make(words).run(seen.context()))
        try:
            yield seen
        finally:
            task.cancel()


@asynccontextmanager
async def up(machine: YushengMachine, more: str = "") -> AsyncIterator[Seen]:
    async with (
        on_tcp(machine.plugged) as link,
        running(f'link: {{tcp: "{link["tcp"]}"}}{more}') as seen,
    ):
        await until(lambda: bool(seen.ups))
        yield seen


async def test_a_code_is_read_and_nothing_is_ever_answered() -> None:
    machine = YushengMachine()
    async with up(machine) as seen:
        machine.scan(CODE)
        await until(lambda: bool(seen.codes))
        (read,) = seen.codes
        assert isinstance(read, CodeRead)
        assert (read.device, read.text) == ("filling-3", CODE)
        assert "no weight" in seen.ups[0]
    assert not machine.heard, "a permit or an acknowledgement would let it fill, or forget"


async def test_a_fill_it_reports_is_told_with_its_raw_frame_and_is_no_reading() -> None:
    machine = YushengMachine()
    async with up(machine) as seen:
        machine.report(FILL)
        await until(lambda: bool(seen.troubles))
        told = seen.troubles[0]
        assert told.kind == "filled_by_itself"
        assert "machine 3 reports a fill that was not permitted here" in told.en
        assert "17 0c 72 06 a5 05" in told.en, "end, tare and set weight as they came"
        assert "3 号充装机" in told.zh
        assert not seen.codes
    assert not machine.heard


async def test_asking_for_unsupervised_use_is_told_without_the_password() -> None:
    machine = YushengMachine()
    async with up(machine) as seen:
        machine.ask_for_unsupervised_use()
        await until(lambda: bool(seen.troubles))
        assert seen.troubles[0].kind == "unsupervised"
        assert "1234" not in seen.troubles[0].en


async def test_other_machines_of_the_line_are_noise_when_one_is_named() -> None:
    machine = YushengMachine(address=4)
    async with up(machine, ", address: 3") as seen:
        machine.scan("999")
        await until(lambda: bool(seen.noises))
        assert seen.noises == ["of machine 4"]
        machine.address = 3
        machine.scan(CODE)
        await until(lambda: bool(seen.codes))
        assert [read.text for read in seen.codes] == [CODE]


async def test_a_code_without_a_character_is_none() -> None:
    machine = YushengMachine()
    async with up(machine) as seen:
        machine.scan("")
        await until(lambda: bool(seen.noises))
        assert not seen.codes


async def test_a_machine_may_connect_to_us() -> None:
    async with on_tcp(lambda _send, _unplug: lambda _data: None) as link:
        free = link["tcp"]
    host, port = free.split(":")
    async with running(f'link: {{listen: "{free}"}}') as seen:
        machine = YushengMachine()
        reader, writer = await _dial(host, int(port))
        try:
            machine.plugged(writer.write, writer.close)
            await until(lambda: bool(seen.ups))
            machine.scan(CODE)
            await until(lambda: bool(seen.codes))
            assert seen.codes[0].text == CODE
        finally:
            writer.close()
        del reader


async def _dial(host: str, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """The driver listens a moment after it was started."""
    async with asyncio.timeout(5.0):
        while True:
            try:
                return await asyncio.open_connection(host, port)
            except OSError:
                await asyncio.sleep(LOOK_EVERY_S)


def test_check_says_why_it_is_neither_scale_nor_gate(tmp_path: Any) -> None:
    devices = DEVICES + '  machine-3: {driver: scale.yusheng, link: {listen: "0.0.0.0:9100"}}\n'
    rigs = RIGS.replace(
        "    scale: scale-1\n    gate: scale-1\n", "    scale: machine-3\n    gate: machine-3\n", 1
    )
    changes = {"devices/all.yaml": devices, "rigs/all.yaml": rigs}
    problems = [str(p) for p in examine(write_config(tmp_path / "etc", changes)).problems]
    text = "\n".join(problems)
    assert "'machine-3' cannot weigh: its protocol tells weights only when a fill has ended" in text
    assert (
        "'machine-3' cannot be a gate: it fills by itself after a permit of its own server" in text
    )


def test_it_may_identify_at_a_rig(tmp_path: Any) -> None:
    devices = DEVICES + '  machine-3: {driver: scale.yusheng, link: {listen: "0.0.0.0:9100"}}\n'
    examined = examine(write_config(tmp_path / "etc", {"devices/all.yaml": devices}))
    assert examined.problems == ()
