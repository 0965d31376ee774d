"""`barcode.keyboard`: keys to codes, in umockdev's test bed and on a socket that can be unplugged."""

import asyncio
import errno
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from drivers.barcode import keyboard
from drivers.barcode.evdev_keys import USAGES
from drivers.barcode.input_port import EVENTS_WAITING_MAX, KeyLink, KeyPort, find, open_keys
from drivers.barcode.keyboard import DRIVER, Settings
from drivers.contract import DriverError
from drivers.suite import Bench
from protocols.scanners import TEXT_BYTES_MAX
from protocols.scanners.hid_keymaps import LEFT_ALT, LEFT_CTRL, LayoutName
from tests.support import umockdev
from tests.support.devices.keyboard import (
    EVENT,
    EVENTS_A_READ,
    LAYOUTS,
    SYN_DROPPED,
    Events,
    SocketKeys,
    evemu,
    events,
    input_bed,
    strokes,
)

ROOT = Path(__file__).parents[2]
LINK = {"usb": "1eab:0010"}
IDS = (0x1EAB, 0x0010)


def packets() -> tuple[socket.socket, socket.socket]:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.settimeout(0)
    theirs.settimeout(0)
    return ours, theirs


class Scanner:
    """The far end of the keys."""

    def __init__(self, packets: socket.socket) -> None:
        self.packets = packets

    async def send(self, sent: Events) -> None:
        loop = asyncio.get_running_loop()
        for at in range(0, len(sent), EVENTS_A_READ):
            some = (EVENT.pack(*each) for each in sent[at : at + EVENTS_A_READ])
            await loop.sock_sendall(self.packets, b"".join(some))

    async def type(self, text: str, layout: LayoutName = "us") -> None:
        await self.send(events(strokes(layout, text)))


@asynccontextmanager
async def plugged(**settings: Any) -> AsyncIterator[tuple[Scanner, Bench]]:
    """A scanner and the part of the driver behind the grab."""
    ours, theirs = packets()
    port = KeyPort(SocketKeys(theirs), "keys:1eab:0010")
    bench = Bench()
    codes = keyboard.Codes(
        "device-1", Settings.model_validate({"link": LINK, **settings}), bench.context
    )

    async def run() -> None:
        try:
            await codes.read(port)
        except DriverError as exc:
            bench.error = exc

    async with asyncio.TaskGroup() as group:
        task = group.create_task(run())
        try:
            with ours:
                yield Scanner(ours), bench
        finally:
            task.cancel()
            await port.close()


@pytest.mark.parametrize("layout", LAYOUTS)
async def test_a_code_is_what_the_layout_says(layout: LayoutName) -> None:
    text = "http://example.org/Q?id=1100000110100001&a=[y-z]_{A}|^~@#"
    async with plugged(layout=layout) as (scanner, bench):
        await scanner.type(text + "\n", layout)
        await bench.until(lambda: bench.readings or bench.noise)
        assert bench.texts == [text]


@pytest.mark.parametrize(
    ("suffix", "sent", "read"),
    [
        ("auto", "1\n2\t3\n\n", ["1", "2", "3"]),
        ("enter", "1\n2\n", ["1", "2"]),
        ("tab", "1\t2\t", ["1", "2"]),
        ("none", "1", ["1"]),
    ],
)
async def test_a_code_ends_where_it_is_told_to(suffix: str, sent: str, read: list[str]) -> None:
    async with plugged(suffix=suffix) as (scanner, bench):
        await scanner.type(sent)
        await bench.until(lambda: bench.texts == read)


async def test_a_code_without_its_end_is_noise_and_the_next_is_whole() -> None:
    async with plugged(idle_ms=50) as (scanner, bench):
        await scanner.type("12")
        await bench.until(lambda: bench.noise)
        assert bench.noise == [("cut off by silence", b"12")]
        await scanner.type("34\n")
        await bench.until(lambda: bench.texts == ["34"])


async def test_gs_is_kept_and_the_aim_identifier_is_apart() -> None:
    gs: dict[str, Events] = {
        "ctrl": events([(LEFT_CTRL, 0x30)]),
        "f8": events([(0x41,)]),
        "alt": [(1, 56, 1), *events([(0x62,), (0x62,), (0x5A,), (0x61,)]), (1, 56, 0)],
    }
    async with plugged(gs_key="f8") as (scanner, bench):
        for sent in gs.values():
            await scanner.type("]d210LOT")
            await scanner.send(sent)
            await scanner.type("17251231\n")
        await bench.until(lambda: len(bench.readings) == len(gs))
        assert bench.texts == ["10LOT\x1d17251231"] * 3
        assert "symbology=']d2'" in str(bench.readings[0])
        assert not bench.troubles


async def test_a_lost_gs_is_told() -> None:
    async with plugged() as (scanner, bench):
        await scanner.type("]d210LOT17251231\n")
        await bench.until(lambda: bench.readings)
        assert [each.kind for each in bench.troubles] == ["gs_lost"]


@pytest.mark.parametrize(
    ("sent", "why"),
    [
        (events([(0x1E,), (0x41,), (0x1F,), (0x28,)]), "does not know"),
        (events([(0x1E,), (LEFT_ALT, 4), (0x28,)]), "does not know"),
        ([(1, 200, 1), (1, 200, 0), *events([(0x28,)])], "does not know"),
        (events([(0x1E,), (LEFT_CTRL, 4), (0x28,)]), "control character"),
        ([*events([(0x1E,)]), SYN_DROPPED, *events([(0x1F,), (0x28,)])], "keys were lost"),
        (events(strokes("us", "noread\n")), "saw no code"),
        (events(strokes("us", "9" * (TEXT_BYTES_MAX + 1) + "\n")), "longer than"),
    ],
    ids=["function-key", "alt", "unknown-key", "control", "dropped", "no-read", "long"],
)
async def test_what_is_no_code_is_noise_and_the_next_code_is_read(sent: Events, why: str) -> None:
    async with plugged() as (scanner, bench):
        await scanner.send(sent)
        await scanner.type("12\n")
        await bench.until(lambda: bench.readings)
        assert bench.texts == ["12"]
        assert len(bench.noise) == 1
        assert why in bench.noise[0][0]


async def test_auto_repeat_types_nothing() -> None:
    async with plugged() as (scanner, bench):
        await scanner.send([(1, 2, 1), (1, 2, 2), (1, 2, 2), (1, 2, 0)])
        await scanner.type("\n")
        await bench.until(lambda: bench.texts == ["1"])


async def test_an_unplugged_scanner_is_lost() -> None:
    async with plugged() as (scanner, bench):
        await scanner.type("1\n")
        scanner.packets.close()
        await bench.until(lambda: bench.error)
        assert bench.texts == ["1"]
        assert str(bench.error) == "keys:1eab:0010: unplugged"


async def test_a_scanner_somebody_else_has_is_an_error_in_words() -> None:
    ours, theirs = packets()
    with ours:
        device = SocketKeys(theirs, refuses=errno.EBUSY)
        with pytest.raises(DriverError, match="grabbed by another program"):
            KeyPort(device, "keys:1eab:0010")
        assert device.fd < 0


async def test_a_flood_of_keys_spoils_its_code_and_is_told_once() -> None:
    ours, theirs = packets()
    port = KeyPort(SocketKeys(theirs), "keys:1eab:0010")
    with ours:
        await Scanner(ours).send([(1, 2, 1)] * (EVENTS_WAITING_MAX + 2 * EVENTS_A_READ))
        await asyncio.sleep(0.1)  # the driver has time to read more than it keeps
        assert await port.read(0.1) == SYN_DROPPED
        await port.close()


async def test_keys_that_mean_nothing_are_held_no_longer_than_a_code() -> None:
    nameless = 700  # No key of any layout.
    async with plugged() as (scanner, bench):
        await scanner.send([(1, nameless, 1), (1, nameless, 0)] * (2 * TEXT_BYTES_MAX))
        await bench.until(lambda: bench.noise)
        await scanner.type("AB12\n")
        await bench.until(lambda: bench.texts)
    assert bench.texts == ["AB12"]
    assert all(len(raw.decode()) <= TEXT_BYTES_MAX for _, raw in bench.noise)


def sysfs(root: Path, number: int, ids: str = "1eab:0010", uniq: str = "", keys: str = "") -> None:
    device = root / f"event{number}/device"
    vendor, _, product = ids.partition(":")
    files = {"id/vendor": vendor, "id/product": product, "uniq": uniq}
    for name, text in {**files, "capabilities/key": keys or "e080ffdf 1cfffff fffffffe"}.items():
        (device / name).parent.mkdir(parents=True, exist_ok=True)
        (device / name).write_text(text + "\n", "ascii")


def test_only_a_typing_device_of_the_named_number_is_found(tmp_path: Path) -> None:
    sysfs(tmp_path, 1, "046d:c31c")
    sysfs(tmp_path, 2, keys="0")
    with pytest.raises(DriverError, match="not plugged in"):
        find(KeyLink(usb="1eab:0010"), tmp_path)
    sysfs(tmp_path, 3, uniq="A1")
    assert find(KeyLink(usb="1EAB:0010"), tmp_path) == "/dev/input/event3"
    sysfs(tmp_path, 4, uniq="B2")
    with pytest.raises(DriverError, match="2 such devices"):
        find(KeyLink(usb="1eab:0010"), tmp_path)
    assert find(KeyLink(usb="1eab:0010", serial="B2"), tmp_path) == "/dev/input/event4"


async def test_a_node_that_is_no_input_device_is_an_error_in_words(tmp_path: Path) -> None:
    pytest.importorskip("evdev")
    (tmp_path / "file").touch()
    for path, said in ((tmp_path / "none", "no such device"), (tmp_path / "file", "input device")):
        with pytest.raises(DriverError, match=said):
            open_keys(KeyLink(usb="1eab:0010", input=str(path)))


async def test_without_evdev_the_driver_says_what_to_install() -> None:
    code = (
        "import sys; sys.modules['evdev'] = None\n"
        "from drivers.barcode.input_port import KeyLink, open_keys\n"
        "open_keys(KeyLink(usb='1eab:0010'))"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, cwd=ROOT, stderr=asyncio.subprocess.PIPE
    )
    _, err = await process.communicate()
    assert b"pip install 'gatewayd[hid]'" in err


def test_key_codes_are_the_kernels() -> None:
    ecodes = pytest.importorskip("evdev").ecodes
    named = {"KEY_A": 0x04, "KEY_Z": 0x1D, "KEY_1": 0x1E, "KEY_0": 0x27, "KEY_ENTER": 0x28}
    named |= {"KEY_TAB": 0x2B, "KEY_SPACE": 0x2C, "KEY_MINUS": 0x2D, "KEY_EQUAL": 0x2E}
    named |= {"KEY_LEFTBRACE": 0x2F, "KEY_RIGHTBRACE": 0x30, "KEY_BACKSLASH": 0x31}
    named |= {"KEY_SEMICOLON": 0x33, "KEY_APOSTROPHE": 0x34, "KEY_GRAVE": 0x35, "KEY_COMMA": 0x36}
    named |= {"KEY_DOT": 0x37, "KEY_SLASH": 0x38, "KEY_CAPSLOCK": 0x39, "KEY_F1": 0x3A}
    named |= {"KEY_F10": 0x43, "KEY_F11": 0x44, "KEY_F12": 0x45, "KEY_102ND": 0x64}
    named |= {f"KEY_KP{n}": 0x59 + (n - 1) % 10 for n in range(10)} | {"KEY_KPENTER": 0x58}
    named |= {
        "KEY_LEFTCTRL": 0xE0,
        "KEY_LEFTSHIFT": 0xE1,
        "KEY_LEFTALT": 0xE2,
        "KEY_LEFTMETA": 0xE3,
    }
    named |= {"KEY_RIGHTCTRL": 0xE4, "KEY_RIGHTSHIFT": 0xE5, "KEY_RIGHTALT": 0xE6}
    for name, usage in named.items():
        assert USAGES[getattr(ecodes, name)] == usage, name
    assert len(set(USAGES.values())) == len(USAGES)


@pytest.mark.parametrize(
    "settings",
    [
        {"link": {"input": "/dev/input/event5"}},
        {"link": {"usb": "keyboard"}},
        {"link": LINK, "gs_key": "enter"},
        {"link": LINK, "layout": "jp"},
    ],
    ids=str,
)
def test_settings_that_name_no_scanner_or_key_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Settings.model_validate(settings)


def bed(tmp: Path, sent: Events, uniq: str = "S1") -> list[str]:
    described, ioctls = input_bed(IDS, uniq)
    files = {"--device": "k.umockdev", "--ioctl": "k.ioctl", "--evemu-events": "k.events"}
    texts = (described, ioctls, evemu(sent))
    options = []
    for (option, name), text in zip(files.items(), texts, strict=True):
        (tmp / name).write_text(text, "ascii")
        node = "" if option == "--device" else "/dev/input/event5="
        options += [option, f"{node}{tmp / name}"]
    return options


def order(link: dict[str, str], **more: Any) -> dict[str, Any]:
    error = more.pop("error", False)
    settings = {"link": link, **more}
    driver = "drivers.barcode.keyboard:DRIVER"
    return {"driver": driver, "settings": settings, "reads": 1, "error": error}


@umockdev.needs_umockdev
@pytest.mark.parametrize("more", [{}, {"serial": "S1"}, {"input": "/dev/input/event5"}], ids=str)
async def test_codes_come_through_the_real_evdev(tmp_path: Path, more: dict[str, str]) -> None:
    pytest.importorskip("evdev")
    sent = events([*strokes("de", "]d2A-z/10"), (LEFT_CTRL, 0x30), (0x28,)])
    said = await umockdev.run(order({**LINK, **more}, layout="de"), bed(tmp_path, sent))
    assert said["codes"] == [["A-z/10\x1d", "]d2"]]
    assert said["ups"] == ["keyboard scanner Scanner Keys on /dev/input/event5, layout de"]


@umockdev.needs_umockdev
@pytest.mark.parametrize(
    ("link", "why"),
    [
        ({"usb": "046d:c31c", "input": "/dev/input/event5"}, "is 1eab:0010, not 046d:c31c; never"),
        ({**LINK, "input": "/dev/input/event5", "serial": "S2"}, "serial S1, not S2; never"),
        ({"usb": "046d:c31c"}, "not plugged in"),
    ],
    ids=str,
)
async def test_a_device_of_another_number_is_never_grabbed(
    tmp_path: Path, link: dict[str, str], why: str
) -> None:
    pytest.importorskip("evdev")
    said = await umockdev.run(order(link, error=True), bed(tmp_path, []))
    assert why in said["error"]
    assert not said["ups"]


def test_the_wire_is_the_scanner_however_it_is_written() -> None:
    settings = Settings.model_validate({"link": {"usb": "1EAB:0010", "serial": "S1"}})
    assert DRIVER.wire(settings) == "keys:1eab:0010:S1"
