"""`gatewayd probe` of devices with a register map: every point with its raw registers, live or once."""

import asyncio
import os
import pty
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from gatewayd.sim.map_device import MapDevice, MapFaults
from gatewayd.sim.wires import PtyWire, TcpWire
from protocols import registers
from protocols.registers import Profile
from tests.support.commands import answer, gatewayd
from tests.support.io_modules import COIL, WATCHDOG, IoModule
from tests.support.plcs import TcpServer
from tests.support.waiting import until

PROFILES = Path(__file__).parents[2] / "config/profiles"
LIVE_S_MAX = 30.0


def profile(name: str) -> Profile:
    return registers.load((PROFILES / f"{name}.yaml").read_text("utf-8"), name)


LAUMAS = profile("laumas-tlu")


def loaded(faults: MapFaults | None = None, **values: int) -> MapDevice:
    """A Laumas with 14.5 kg on it, at rest."""
    device = MapDevice(LAUMAS, faults or MapFaults())
    for name, value in ({"gross": 1450, "net": 1450, "stable": 1} | values).items():
        device.set(name, value)
    return device


def scale(address: str, *more: str) -> tuple[str, ...]:
    settings = (f"link.tcp={address}", "profile=laumas-tlu", "mass_unit=kg", "decimals=2", *more)
    return ("--driver", "scale.modbus", *(w for each in settings for w in ("--set", each)))


@asynccontextmanager
async def plugged(device: MapDevice) -> AsyncIterator[TcpWire]:
    wire = TcpWire(device.device)
    await wire.plug()
    try:
        yield wire
    finally:
        wire.unplug()


async def test_every_point_is_shown_with_register_raw_value_and_meaning() -> None:
    device = loaded()
    async with plugged(device) as wire:
        code, found = await answer("probe", *scale(wire.address), "--seconds", "0.2")
    assert (code, found["state"], found["troubles"]) == (0, "answered", [])
    points = found["points"]
    assert (points["profile"], points["unit"]) == ("laumas-tlu", 1)
    rows = {row["name"]: row for row in points["rows"]}
    assert list(rows) == list(LAUMAS.points)
    assert (rows["gross"]["raw"], rows["gross"]["register"]) == ("0x0000 05AA", 8)
    assert (rows["gross"]["words"], rows["gross"]["mass_g"]) == ([0, 0x5AA], 14_500)
    assert rows["status"]["bits"]["stable"] is True
    assert points["weight"] == {"gross_g": 14_500, "net_g": 14_500, "stable": True, "why": ""}
    assert {pdu[0] for pdu in device.heard} == {3}, "a probe never writes to a scale"


@pytest.mark.parametrize(
    ("lang", "said"),
    [
        ("en", ("raw", "meaning", "gross 14500 g, stable")),
        ("zh", ("原始值", "含义", "毛重 14500 g")),
    ],
)
async def test_a_person_sees_a_table(lang: str, said: tuple[str, ...]) -> None:
    async with plugged(loaded()) as wire:
        arguments = ("probe", *scale(wire.address), "--seconds", "0.2", "--lang", lang)
        code, out, err = await gatewayd(*arguments)
    assert code == 0, err
    for expected in (*said, "holding 8-9", "0x0000 05AA", "0x0800"):
        assert expected in out


@pytest.mark.parametrize(
    ("lang", "said"), [("en", "the weight is unknown (not 0)"), ("zh", "重量未知（不是 0）")]
)
async def test_an_overload_ends_with_1_and_device_register_and_raw_value(
    lang: str, said: str
) -> None:
    async with plugged(loaded(over_range=1)) as wire:
        arguments = ("probe", *scale(wire.address), "--seconds", "0.2", "--lang", lang)
        code, out, _ = await gatewayd(*arguments)
    assert code == 1
    shown = "".join(out.split())
    assert "".join(said.split()) in shown
    assert "device-1" in shown
    assert "holding7=0x0804" in shown


async def test_a_refusing_device_is_there_and_each_request_is_told() -> None:
    async with plugged(loaded(MapFaults(exception=2))) as wire:
        code, found = await answer("probe", *scale(wire.address), "--seconds", "0.2")
    assert (code, found["state"]) == (1, "wrong")
    kinds = {each["kind"]: each["message"]["en"] for each in found["troubles"]}
    assert "exception 2, illegal data address" in kinds["not_read"]
    assert found["points"]["rows"][0]["words"] is None


async def test_a_map_with_a_slip_is_told_with_its_place(tmp_path: Path) -> None:
    text = (PROFILES / "laumas-tlu.yaml").read_text("utf-8")
    broken = text.replace("id: laumas-tlu", "id: my-scale").replace("gross_negative", "gros", 1)
    (tmp_path / "profiles").mkdir()
    (tmp_path / "profiles/my.yaml").write_text(broken, encoding="utf-8")
    arguments = scale("127.0.0.1:1", "profile=my-scale")
    code, _, err = await gatewayd("probe", *arguments, "-c", str(tmp_path))
    assert code == 2
    assert "no profile 'my-scale'" in err
    assert "profiles/my.yaml" in err
    assert "gross_negative" in err


@asynccontextmanager
async def serial_scale(directory: Path, device: MapDevice) -> AsyncIterator[PtyWire]:
    wire = PtyWire(device.device_rtu, directory / "port")
    await wire.plug()
    try:
        yield wire
    finally:
        wire.unplug()


async def test_a_serial_scale_shows_points_and_frames(tmp_path: Path) -> None:
    async with serial_scale(tmp_path, loaded()) as wire:
        settings = (f"link.serial={wire.address}", "link.baud=115200", "profile=laumas-tlu")
        more = ("mass_unit=kg", "decimals=2")
        chosen = [word for each in (*settings, *more) for word in ("--set", each)]
        code, found = await answer("probe", "--driver", "scale.modbus", *chosen, "--seconds", "0.2")
    assert (code, found["points"]["weight"]["gross_g"]) == (0, 14_500)
    assert {frame["direction"] for frame in found["frames"]} == {"device>host", "host>device"}


def module(port: int) -> tuple[str, ...]:
    settings = (f"link.tcp=127.0.0.1:{port}", f"coil={COIL}", f"watchdog={WATCHDOG}")
    inputs = ("start={input: 0, active: true}", "e_stop={input: 1, active: false}")
    chosen = [word for each in (*settings, *inputs) for word in ("--set", each)]
    return ("--driver", "output.modbus", *chosen, "--seconds", "0.2")


async def test_an_output_module_shows_coil_inputs_and_watchdog_after_a_typed_name() -> None:
    module_ = IoModule(coils={COIL: True}, inputs={0: True, 1: True})
    async with TcpServer({1: module_}).serving() as server:
        code, _, _ = await gatewayd("probe", *module(server.port), "--json", typed="no\n")
        assert (code, module_.asked) == (1, []), "reading alone may let an old output rise again"
        code, found = await answer("probe", *module(server.port), "--yes")
    assert code == 0, found
    rows = {row["name"]: row for row in found["points"]["rows"]}
    assert list(rows) == ["output", "e_stop", "start", "watchdog", "watchdog_state"]
    assert (rows["output"]["value"], rows["output"]["register"]) == (False, COIL)
    assert (rows["start"]["value"], rows["e_stop"]["value"]) == (True, False)
    assert (rows["watchdog"]["value"], rows["watchdog_state"]["value"]) == (10, 1)
    assert not module_.energised()


async def test_watch_needs_a_map() -> None:
    settings = ("--set", "link.tcp=127.0.0.1:1")
    code, _, err = await gatewayd("probe", "--driver", "rfid.r2000", *settings, "--watch")
    assert code == 2
    assert "--watch" in err


async def test_without_a_terminal_watch_is_one_table() -> None:
    async with plugged(loaded()) as wire:
        arguments = (*scale(wire.address), "--seconds", "0.2", "--watch", "--lang", "en")
        code, out, _ = await gatewayd("probe", *arguments)
    assert code == 0
    assert out.count("raw") == 1


async def test_on_a_terminal_the_table_follows_the_scale_until_ctrl_c() -> None:
    device = loaded()
    async with plugged(device) as wire:
        arguments = (*scale(wire.address), "--seconds", "0.2", "--watch", "--lang", "en")
        screen: list[bytes] = []
        async with terminal(arguments, screen) as stop:
            await shows(screen, "14500 g")
            device.set("gross", 1530)
            await shows(screen, "15300 g")
            assert await stop() == 0


async def shows(screen: list[bytes], text: str) -> None:
    await until(lambda: text in b"".join(screen).decode("utf-8", "replace"))


def _heeds_ctrl_c() -> None:
    """A shell that starts the tests in its background makes everything below it deaf to Ctrl-C."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@asynccontextmanager
async def terminal(
    arguments: tuple[str, ...], screen: list[bytes]
) -> AsyncIterator[Callable[[], Awaitable[int]]]:
    """The command on a terminal of its own; the callable presses Ctrl-C and returns its exit code."""
    master, slave = pty.openpty()
    loop = asyncio.get_running_loop()
    loop.add_reader(master, lambda: screen.append(os.read(master, 65_536)))
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "160", "LINES": "60"}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "gatewayd", "probe", *arguments),
        stdin=slave,
        stdout=slave,
        stderr=slave,
        env=environment,
        preexec_fn=_heeds_ctrl_c,
    )

    async def stop() -> int:
        process.send_signal(signal.SIGINT)
        async with asyncio.timeout(LIVE_S_MAX):
            return await process.wait()

    try:
        yield stop
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
        loop.remove_reader(master)
        os.close(slave)
        os.close(master)
