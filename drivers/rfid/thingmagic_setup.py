"""Put a ThingMagic or Silion module in order: started, on Gen2, with region, antennas and power.

A module wakes up in its boot loader without region and protocol. Everything set here lives in its
RAM; it is asked first and set only when it differs all the same.
"""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from drivers import troubles
from drivers.contract import Trouble
from drivers.dialog import now
from drivers.rfid.thingmagic_line import CENTI, ModuleLine, why
from protocols.readers import thingmagic
from protocols.readers.thingmagic import codes, commands, silion

Dialect: TypeAlias = Literal["thingmagic", "silion"]

BOOT_WITHIN_S = 3.0
"""How long a module may take from the boot loader to its application."""
STREAM_ENDS_WITHIN_S = 3.0
"""How long a module that was left streaming may go on after it was told to stop."""
READ_FILTER = bytes((0x01, 0x0C))
"""Key of the option that keeps a tag at rest from being reported again."""
POWERS = 0x03
"""Silion: option of 0x61 and 0x91 for (antenna, read power, write power)."""
_POWER_BYTES = 5
_LIMITS_BYTES = 7
"""Option, power, highest and lowest power."""
_VERSION_BYTES = 12
_SILION_MODELS = 0xA
"""High nibble of Silion's hardware versions (A3000001, A8000001); ThingMagic's models are below."""


_NO_REGION = Trouble(
    "no_region",
    zh="模块没有区域设置，不能发射；请按当地法规设置 region，例如 region: PRC",
    en="the module has no region; set region by the law of the country, e.g. region: PRC",
)


@dataclass(frozen=True, slots=True)
class Identity:
    """Who answered."""

    text: str
    dialect: Dialect


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the settings want; None and empty leave the module as it is. `region` is its code."""

    dialect: Dialect
    region: int | None = None
    antennas: tuple[int, ...] = ()
    power_dbm: int | None = None


async def stop(line: ModuleLine) -> None:
    """End whatever stream runs; raises DriverError when the link fails."""
    for frame in (commands.build_stop_stream(), silion.build_stop_async()):
        await line.dialog.tell(frame, kind=thingmagic.decode_command(frame).opcode)


async def identify(line: ModuleLine) -> Identity:
    """Who is there, with anything it was left doing stopped; raises DriverError."""
    await stop(line)
    until = now() + STREAM_ENDS_WITHIN_S
    while await line.dialog.drain() and now() < until:
        pass  # Tags that were on their way when the stop came.
    version = await line.ask(codes.VERSION)
    if version is None:
        raise line.dialog.lost("no ThingMagic or Silion module answers")
    if len(version.data) < _VERSION_BYTES:
        return Identity("ThingMagic module of unknown version", "thingmagic")
    hardware, firmware = version.data[4:8], version.data[8:12].hex()
    dialect: Dialect = "silion" if hardware[0] >> 4 == _SILION_MODELS else "thingmagic"
    name = "Silion" if dialect == "silion" else "ThingMagic"
    text = f"{name} module, hardware {hardware.hex()}, firmware of {firmware}"
    return Identity(text, dialect)


async def prepare(line: ModuleLine, wanted: Wanted) -> str:
    """Bring the module into order and say what it is set to; raises DriverError."""
    await _boot(line)
    region = await _region(line, wanted.region)
    await _protocol(line)
    if wanted.antennas:
        await _antennas(line, wanted.antennas)
    if wanted.dialect == "silion":
        power = await _powers_of_silion(line, wanted)
    else:
        power = await _power(line, wanted.power_dbm)
    text = f"region {codes.REGION_NAMES.get(region, region)}"
    return text + (f", {power}" if power else "")


async def let_tags_repeat(line: ModuleLine) -> None:
    """Switch off the filter that reports a tag at rest only once."""
    told = await line.ask(codes.GET_OPTION, READ_FILTER, times=1)
    if told is not None and told.status == codes.OK and told.data == READ_FILTER + b"\x00":
        return
    await line.ask(codes.SET_OPTION, READ_FILTER + b"\x00", times=1)


async def _boot(line: ModuleLine) -> None:
    """Start the application when the boot loader runs; every tag command fails in it."""
    program = await line.ask(codes.PROGRAM)
    told = program is not None and program.status == codes.OK and program.data
    if told and told[0] & codes.PROGRAM_BITS != codes.BOOT_LOADER:
        return
    started = await line.send(thingmagic.build_command(codes.BOOT), within_s=BOOT_WITHIN_S)
    if started is None:
        raise line.dialog.lost("the module does not leave its boot loader")
    if started.reply.status not in {codes.OK, codes.INVALID_OPCODE}:  # Invalid: it runs already.
        raise line.dialog.lost(f"the module does not start: {why(started.reply.status)}")


async def _region(line: ModuleLine, wanted: int | None) -> int:
    told = await line.ask(codes.GET_REGION)
    known = told is not None and told.status == codes.OK and len(told.data) > 0
    found = told.data[0] if told is not None and known else codes.NO_REGION
    if wanted is None and found == codes.NO_REGION:
        raise line.dialog.lost("the module has no region and must not transmit", _NO_REGION)
    if wanted is None or found == wanted:
        return found
    name = codes.REGION_NAMES.get(wanted, str(wanted))
    frame = thingmagic.build_command(codes.SET_REGION, bytes((wanted,)))
    await line.order(frame, f"region {name}")
    return wanted


async def _protocol(line: ModuleLine) -> None:
    wanted = codes.GEN2.to_bytes(2)
    told = await line.ask(codes.GET_PROTOCOL)
    if told is None or told.status != codes.OK or told.data != wanted:
        await line.order(thingmagic.build_command(codes.SET_PROTOCOL, wanted), "protocol Gen2")


async def _antennas(line: ModuleLine, antennas: tuple[int, ...]) -> None:
    frame = commands.build_antenna_list(antennas)
    told = await line.ask(codes.GET_ANTENNA, bytes((commands.ANTENNA_LIST,)), times=1)
    if told is None or told.data != thingmagic.decode_command(frame).data:
        await line.order(frame, f"antennas {list(antennas)}")


async def _power(line: ModuleLine, wanted_dbm: int | None) -> str:
    """Read and write power of a ThingMagic module, the same on every port."""
    found = await _told_power(line, codes.GET_READ_POWER)
    if wanted_dbm is None:
        return "" if found is None else f"{_shown(found)} dBm"
    wanted = wanted_dbm * CENTI
    data = wanted.to_bytes(2)
    if found != wanted:
        trouble = troubles.power_refused(wanted_dbm, _shown(found), await _limits(line))
        frame = thingmagic.build_command(codes.SET_READ_POWER, data)
        await line.order(frame, "power_dbm", trouble)
    if await _told_power(line, codes.GET_WRITE_POWER) != wanted:
        await line.order(thingmagic.build_command(codes.SET_WRITE_POWER, data), "write power")
    return f"{wanted_dbm} dBm"


def _shown(power_cdbm: int | None) -> str:
    return "?" if power_cdbm is None else f"{power_cdbm / CENTI:g}"


async def _limits(line: ModuleLine) -> str:
    """The powers this module takes, as it tells them."""
    told = await line.ask(codes.GET_READ_POWER, b"\x01", times=1)
    if told is None or told.status != codes.OK or len(told.data) < _LIMITS_BYTES:
        return "10 to 30 dBm"
    highest, lowest = (int.from_bytes(told.data[at : at + 2], signed=True) for at in (3, 5))
    return f"{_shown(lowest)} to {_shown(highest)} dBm"


async def _told_power(line: ModuleLine, opcode: int) -> int | None:
    told = await line.ask(opcode, b"\x00")
    if told is None or told.status != codes.OK or len(told.data) < 3:  # noqa: PLR2004 - option, power
        return None
    return int.from_bytes(told.data[1:3], signed=True)


async def _powers_of_silion(line: ModuleLine, wanted: Wanted) -> str:
    """Read and write power of a Silion module, port by port."""
    told = await line.ask(codes.GET_ANTENNA, bytes((POWERS,)))
    data = told.data[1:] if told is not None and told.status == codes.OK else b""
    found = {
        data[at]: data[at + 1 : at + _POWER_BYTES]
        for at in range(0, len(data) - _POWER_BYTES + 1, _POWER_BYTES)
    }
    if wanted.power_dbm is None:
        powers = {int.from_bytes(power[:2]) for power in found.values()}
        return "/".join(f"{power / CENTI:g}" for power in sorted(powers)) + " dBm" if powers else ""
    power = (wanted.power_dbm * CENTI).to_bytes(2) * 2
    ports = wanted.antennas or tuple(found) or (1,)
    different = [port for port in ports if found.get(port) != power]
    if different:
        entries = b"".join(bytes((port,)) + power for port in different)
        frame = thingmagic.build_command(codes.SET_ANTENNA, bytes((POWERS,)) + entries)
        await line.order(frame, "power_dbm")
    return f"{wanted.power_dbm} dBm"
