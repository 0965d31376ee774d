"""Reading and writing the memory of one tag through a ThingMagic or Silion module.

Every access selects the tag by its whole EPC, so that a second tag in the field is never touched.
"""

from drivers.contract import DriverError, MemoryArea
from drivers.rfid.memory import BANKS, check, check_write, epc_after, the_one
from drivers.rfid.thingmagic_line import ModuleLine, why
from drivers.rfid.thingmagic_search import Search
from drivers.rfid.thingmagic_setup import Dialect
from protocols.framing import FrameError
from protocols.readers import thingmagic
from protocols.readers.thingmagic import codes, commands, replies

ACCESS_MS = 1000
"""How long a module may try to reach the tag."""
ANSWER_MARGIN_S = 1.0
LOOKS = 3
"""Searches before a tag counts as not there."""
START_MAX = 0xFFFF


async def read_words(line: ModuleLine, search: Search, area: MemoryArea, dialect: Dialect) -> bytes:
    """The words of exactly one tag; raises DriverError when they cannot be had whole."""
    check(area, words_max=commands.READ_WORDS_MAX, start_max=START_MAX)
    epc = await _find(line, search, area.uid, dialect)
    return await _read(line, epc, area)


async def write_words(
    line: ModuleLine, search: Search, area: MemoryArea, data: bytes, dialect: Dialect
) -> None:
    """Write the words of one named tag, read them back and compare; raises DriverError."""
    check_write(area, data, words_max=commands.WRITE_WORDS_MAX, start_max=START_MAX)
    epc = await _find(line, search, area.uid, dialect)
    access = thingmagic.Access(
        BANKS[area.bank], area.start, epc, data=data, password=area.password, timeout_ms=ACCESS_MS
    )
    await _granted(line, commands.build_write_data(access), "write")
    found = await _read(line, epc_after(epc, area, data), area)
    if found != data:
        raise DriverError(f"{line.dialog.wire}: wrote {data.hex()}, read back {found.hex()}")


async def _find(line: ModuleLine, search: Search, uid: str, dialect: Dialect) -> bytes:
    """Look a few times, then use the antenna that sees the tag."""
    seen: dict[bytes, int] = {}
    for _ in range(LOOKS):
        heard = await search.once()
        if heard.refused:
            raise line.dialog.lost(heard.refused)
        seen |= {sighting.uid: sighting.antenna for sighting in heard.seen if sighting.uid}
    epc = the_one(set(seen), uid)
    port = commands.build_antenna(seen[epc])
    if dialect == "silion":
        data = b"\x00" + thingmagic.decode_command(port).data
        port = thingmagic.build_command(codes.SET_ANTENNA, data)
    await line.order(port, f"antenna {seen[epc]}")
    return epc


async def _read(line: ModuleLine, epc: bytes, area: MemoryArea) -> bytes:
    access = thingmagic.Access(
        BANKS[area.bank],
        area.start,
        epc,
        count=area.count,
        password=area.password,
        timeout_ms=ACCESS_MS,
    )
    reply = await _granted(line, commands.build_read_data(access), "read")
    try:
        data = replies.memory(reply)
    except FrameError as exc:
        raise DriverError(f"{line.dialog.wire}: {exc}") from exc
    if len(data) != 2 * area.count:
        raise DriverError(f"{line.dialog.wire}: {len(data)} bytes read of {2 * area.count}")
    return data


async def _granted(line: ModuleLine, frame: bytes, what: str) -> thingmagic.Reply:
    """The good answer to an access; asked once, a repeated write could hide a failed one."""
    heard = await line.send(frame, times=1, within_s=ACCESS_MS / 1000 + ANSWER_MARGIN_S)
    if heard is None:
        raise line.dialog.lost(f"no answer to {what}")
    if heard.reply.status != codes.OK:
        raise DriverError(f"{line.dialog.wire}: {what} failed: {why(heard.reply.status)}")
    return heard.reply
