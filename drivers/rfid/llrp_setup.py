"""Bringing an LLRP reader to read: what it is, left-overs gone, keepalives on, one ROSpec."""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

from drivers.contract import DriverError, Trouble
from drivers.rfid import llrp_troubles
from drivers.rfid.field import Sighting
from drivers.rfid.llrp_session import Session, refused
from protocols.framing import FrameError
from protocols.readers import llrp
from protocols.readers.llrp import Capabilities, Seen, commands
from protocols.readers.llrp.vendors import VENDORS

_CDBM = 100


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the settings ask of a reader; None and empty leave it as it is."""

    keepalive_ms: int
    antennas: tuple[int, ...] = ()
    power_dbm: int | None = None
    session: int | None = None
    each_tag: bool = True


async def prepare(session: Session, wanted: Wanted) -> tuple[Capabilities, commands.Inventory]:
    """Learn what the reader is and put it in order; what to read with. Raises DriverError."""
    can = await _capabilities(session)
    _check_antennas(session, wanted.antennas, can)
    fine_rssi = can.maker == commands.IMPINJ_PEN and await _impinj(session)
    await _clear(session)
    await _configure(session, wanted.keepalive_ms)
    inventory = commands.Inventory(
        antennas=wanted.antennas,
        session=wanted.session,
        each_tag=wanted.each_tag,
        impinj=fine_rssi,
    )
    if wanted.power_dbm is None:
        return can, inventory
    index = power_index(session.wire, wanted.power_dbm, can)
    hop_table, channel = await _transmitter(session, can)
    return can, replace(inventory, power_index=index, hop_table=hop_table, channel=channel)


async def start(session: Session, inventory: commands.Inventory) -> None:
    """Add, enable and start our ROSpec; raises DriverError with the reader's reason."""
    await session.order("ADD_ROSPEC", partial(commands.add_rospec, inventory=inventory))
    await session.order("ENABLE_ROSPEC", partial(commands.of_rospec, "ENABLE_ROSPEC"))
    session.forget_reports()
    await session.order("START_ROSPEC", partial(commands.of_rospec, "START_ROSPEC"))


def power_index(wire: str, power_dbm: int, can: Capabilities) -> int:
    """The index of exactly this power in the reader's table; raises DriverError, never rounds."""
    for index, cdbm in can.powers_cdbm.items():
        if cdbm == power_dbm * _CDBM:
            return index
    raise _wrong(wire, llrp_troubles.power_not_allowed(power_dbm, can.powers_cdbm.values()))


def describe(can: Capabilities, mode: str) -> str:
    """Who answered, for people."""
    if not can.antennas:
        return f"LLRP reader that does not tell what it is, {mode}"
    maker = VENDORS.get(can.maker, f"of maker {can.maker}")
    return (
        f"LLRP reader {maker} model {can.model}, firmware {can.firmware}, "
        f"{can.antennas} antenna ports, {mode}"
    )


def sightings(seen: Sequence[Seen]) -> list[Sighting]:
    """Tags of a report as the field takes them; a reader that names no antenna serves antenna 1."""
    return [
        Sighting(
            uid=tag.epc,
            antenna=tag.antenna or 1,
            rssi_raw=tag.peak_rssi_dbm,
            rssi_cdbm=tag.rssi_cdbm,
        )
        for tag in seen
    ]


async def _capabilities(session: Session) -> Capabilities:
    """What the reader is; unknown when it answers what nobody can read, for tags are what counts."""
    answer = await session.ask("GET_READER_CAPABILITIES", commands.get_capabilities)
    with contextlib.suppress(FrameError):
        if answer is not None and not refused(answer):
            return llrp.capabilities(answer)
    return Capabilities(maker=0, model=0, firmware="", antennas=0, has_utc_clock=False)


def _check_antennas(session: Session, antennas: tuple[int, ...], can: Capabilities) -> None:
    for antenna in antennas:
        if can.antennas and antenna > can.antennas:
            raise _wrong(session.wire, llrp_troubles.antenna_not_there(antenna, can.antennas))


async def _impinj(session: Session) -> bool:
    """Whether the maker's own parameters may be used; an old firmware that refuses is used plain."""
    answer = await session.ask("IMPINJ_ENABLE_EXTENSIONS", commands.enable_impinj)
    return answer is not None and answer.name.startswith("IMPINJ_") and not refused(answer)


async def _clear(session: Session) -> None:
    """Delete what a client that crashed left running; readers without any may say so as an error."""
    rospecs = partial(commands.of_rospec, "DELETE_ROSPEC", rospec_id=commands.ALL_SPECS)
    await session.ask("DELETE_ROSPEC", rospecs)
    accessspecs = partial(commands.of_accessspec, "DELETE_ACCESSSPEC", spec_id=commands.ALL_SPECS)
    await session.ask("DELETE_ACCESSSPEC", accessspecs)


async def _configure(session: Session, keepalive_ms: int) -> None:
    """Keepalives are needed; word of events is asked for and done without."""
    build = partial(commands.set_config, keepalive_ms=keepalive_ms)
    answer = await session.ask("SET_READER_CONFIG", build)
    if answer is None or refused(answer):
        await session.order("SET_READER_CONFIG", partial(build, events=False))


async def _transmitter(session: Session, can: Capabilities) -> tuple[int, int]:
    """Hop table and channel as they are now: a power cannot be set without naming both."""
    answer = await session.ask("GET_READER_CONFIG", commands.get_antenna_config)
    found = None if answer is None else llrp.transmitter(answer)
    return found or (can.hop_table, can.channel)


def _wrong(wire: str, trouble: Trouble) -> DriverError:
    return DriverError(f"{wire}: {trouble.en}", trouble)
