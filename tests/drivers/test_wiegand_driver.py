from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any, get_args

import pytest
from pydantic import ValidationError

from drivers.contract import Context, TagRead, Trouble
from drivers.rfid.wiegand import DRIVER, Settings, WiegandConverter
from protocols.readers.wiegand import Rendering
from tests.support.devices.wiegand import ScriptedConverter
from tests.support.readers import Bench, on_pty, on_tcp, running

CARD = bytes.fromhex("44a24f")
OTHER = bytes.fromhex("fe336c")

Wire = Callable[..., AbstractAsyncContextManager[dict[str, Any]]]


def driver(link: dict[str, Any], **settings: Any) -> WiegandConverter:
    told = {"link": link, "rendering": "hex", **settings}
    return WiegandConverter("gun-1", Settings.model_validate(told))


class Told(Bench):
    """A bench that keeps troubles."""

    troubles: list[Trouble]

    @property
    def context(self) -> Context:
        self.troubles = []
        made = super().context
        return Context(
            made.emit, made.up, made.noise, made.monotonic_ns, trouble=self.troubles.append
        )


@pytest.mark.parametrize("wire", [on_tcp, on_pty])
@pytest.mark.parametrize("rendering", get_args(Rendering))
async def test_a_card_has_one_uid_behind_every_converter(wire: Wire, rendering: Rendering) -> None:
    converter = ScriptedConverter(rendering)
    async with (
        wire(converter.plugged) as link,
        running(driver(link, rendering=rendering)) as bench,
    ):
        await bench.until(lambda: bench.ups)
        converter.push(CARD)
        await bench.until(lambda: bench.readings)
    assert bench.uids == {"44A24F"}
    read = bench.readings[0]
    assert isinstance(read, TagRead)
    assert (read.antenna, read.rssi_raw) == (1, None)
    assert "serves antenna 1" in bench.ups[0]
    assert bench.noise == []


@pytest.mark.parametrize("end", [b"\r", b"\n", b"\r\n", b"\x03"])
async def test_lines_end_as_converters_like(end: bytes) -> None:
    converter = ScriptedConverter("bits", 34, end)
    told = {"rendering": "bits", "bits": 34}
    async with on_tcp(converter.plugged) as link, running(driver(link, **told)) as bench:
        await bench.until(lambda: bench.ups)
        converter.push(bytes.fromhex("12345678"))
        converter.push(bytes.fromhex("00000001"))
        await bench.until(lambda: len(bench.readings) >= 2)
    assert bench.uids == {"12345678", "00000001"}


async def test_the_wrong_rendering_is_named_and_never_read() -> None:
    converter = ScriptedConverter("decimal")
    async with on_tcp(converter.plugged) as link, running(driver(link), Told()) as bench:
        assert isinstance(bench, Told)
        await bench.until(lambda: bench.ups)
        converter.push(CARD)
        await bench.until(lambda: bench.troubles)
    assert bench.readings == []
    assert bench.troubles[0].kind == "wrong_rendering"
    assert "it could be rendering: decimal, bits: 26" in bench.troubles[0].en
    assert "rendering: decimal" in bench.troubles[0].zh


async def test_a_wrong_parity_and_half_a_line_are_noise() -> None:
    converter = ScriptedConverter()
    told = {"rendering": "bits"}
    async with on_tcp(converter.plugged) as link, running(driver(link, **told)) as bench:
        await bench.until(lambda: bench.ups)
        converter.send(b"10100010010100010010011111\r")
        converter.send(b"0010001001010001")
        await bench.until(lambda: len(bench.noise) >= 2)
        converter.send(b"0010011111\r")
        await bench.until(lambda: len(bench.noise) >= 3)
    assert bench.readings == []
    reasons = [reason for reason, _ in bench.noise]
    assert reasons[0].startswith("wrong parity")
    assert reasons[1] == "cut off by silence"


async def test_a_quiet_converter_is_healthy_and_an_unplugged_one_is_lost() -> None:
    converter = ScriptedConverter()
    async with on_tcp(converter.plugged) as link, running(driver(link)) as bench:
        await bench.until(lambda: bench.ups)
        converter.unplug()
        await bench.until(lambda: bench.error)
    assert "closed" in str(bench.error)


@pytest.mark.parametrize(
    "wrong", [{"rendering": "octal"}, {"rendering": None}, {"bits": 37}, {"padded": "no"}]
)
def test_wrong_settings_are_refused(wrong: dict[str, Any]) -> None:
    told = {"link": {"tcp": "10.0.0.1:9000"}, "rendering": "hex", **wrong}
    with pytest.raises(ValidationError):
        Settings.model_validate(told)


def test_a_rendering_is_never_assumed() -> None:
    with pytest.raises(ValidationError, match="rendering"):
        Settings.model_validate({"link": {"tcp": "10.0.0.1:9000"}})
    link = Settings.model_validate({"link": {"serial": "/dev/ttyS0"}, "rendering": "hex"}).link
    assert getattr(link, "baud", None) == 9600
    assert DRIVER.capabilities == {"identify", "push"}
