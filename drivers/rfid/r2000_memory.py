"""Reading and writing the memory of one tag through an R2000 reader.

The tag is selected by its EPC first (0x85), so that a second tag in the field is never touched. No
capture of these replies exists: the layouts are the manual's.
"""

from drivers.contract import DriverError, MemoryArea
from drivers.rfid.contents import Access
from drivers.rfid.memory import BANKS, check, check_write, epc_after, the_one
from drivers.rfid.r2000_line import ReaderLine, named, why
from protocols.readers import r2000
from protocols.readers.r2000 import codes

WORDS_MAX = 32
"""Words of one command that every firmware takes."""
ACCESS_WITHIN_S = 3.0
"""How long a reader may try to reach the tag."""
LOOKS = 3
"""Rounds on an antenna before a tag counts as not there."""
_NOT_UNDERSTOOD = frozenset({codes.FAIL, 0x41, 0x42})
"""What older firmware says to a read that carries a password."""


async def read_words(line: ReaderLine, area: MemoryArea, antennas: tuple[int, ...]) -> bytes:
    """The words of exactly one tag; raises DriverError when they cannot be had whole."""
    check(area, words_max=WORDS_MAX)
    epc = await _find(line, area.uid, antennas)
    return await _selected_read(line, epc, area)


def access_of(line: ReaderLine, area: MemoryArea | None) -> Access | None:
    """Reads a tag that a round has just seen, at the antenna that saw it; None: nobody asks."""
    if area is None:
        return None

    async def access(uid: bytes, antenna: int) -> bytes:
        check(area, words_max=WORDS_MAX)
        if not await line.choose(antenna):
            raise DriverError(f"{line.dialog.wire}: antenna {antenna} is not taken")
        return await _selected_read(line, uid, area)

    return access


async def write_words(
    line: ReaderLine, area: MemoryArea, data: bytes, antennas: tuple[int, ...]
) -> None:
    """Write the words of one named tag, read them back and compare; raises DriverError."""
    check_write(area, data, words_max=WORDS_MAX)
    epc = await _find(line, area.uid, antennas)
    await _select(line, epc)
    command = r2000.build_write(
        line.address,
        bank=BANKS[area.bank],
        start=area.start,
        data=data,
        password=area.password,
    )
    _granted(await _access(line, command, codes.WRITE), epc, "write")
    found = await _selected_read(line, epc_after(epc, area, data), area)
    if found != data:
        raise DriverError(f"{line.dialog.wire}: wrote {data.hex()}, read back {found.hex()}")


async def _find(line: ReaderLine, uid: str, antennas: tuple[int, ...]) -> bytes:
    """Look at every antenna; the one that sees the tag stays chosen."""
    seen: dict[bytes, int] = {}
    for antenna in antennas:
        for _ in range(LOOKS):
            heard = await line.round(antenna, session=None)
            seen |= {sighting.uid: antenna for sighting in heard.seen if sighting.uid}
    epc = the_one(set(seen), uid)
    if seen[epc] != antennas[-1]:
        await line.round(seen[epc], session=None)
    return epc


async def _selected_read(line: ReaderLine, epc: bytes, area: MemoryArea) -> bytes:
    try:
        await _select(line, epc)
        answer = await _read(line, area, area.password)
        refused = isinstance(answer, r2000.Result) and answer.result in _NOT_UNDERSTOOD
        if refused and not area.password:
            answer = await _read(line, area, None)  # Older firmware knows no password here.
    finally:  # Whatever happened, no other tag stays hidden.
        await line.dialog.tell(r2000.build_match(line.address, b""), kind=codes.SET_MATCH)
    data = _granted(answer, epc, "read").data
    if len(data) != 2 * area.count:
        raise DriverError(f"{line.dialog.wire}: {len(data)} bytes read of {2 * area.count}")
    return data


async def _read(line: ReaderLine, area: MemoryArea, password: int | None) -> r2000.Reply | None:
    command = r2000.build_read(
        line.address,
        bank=BANKS[area.bank],
        start=area.start,
        count=area.count,
        password=password,
    )
    return await _access(line, command, codes.READ)


async def _select(line: ReaderLine, epc: bytes) -> None:
    """From now on only this tag is accessed; raises DriverError when the reader refuses."""
    command = r2000.build_match(line.address, epc)
    told = await line.dialog.ask(
        command, lambda reply: reply.code == codes.SET_MATCH, kind=codes.SET_MATCH
    )
    if not isinstance(told, r2000.Result) or told.result != codes.SUCCESS:
        raise DriverError(f"{line.dialog.wire}: the reader does not select a tag: {why(told)}")


async def _access(line: ReaderLine, command: bytes, code: int) -> r2000.Reply | None:
    """One attempt only: an answer that is lost does not say whether the tag was written."""
    return await line.dialog.ask(
        command, lambda reply: reply.code == code, kind=code, times=1, within_s=ACCESS_WITHIN_S
    )


def _granted(answer: r2000.Reply | None, epc: bytes, what: str) -> r2000.Access:
    """The answer if it is of exactly this tag and went well; raises DriverError."""
    if not isinstance(answer, r2000.Access):
        raise DriverError(f"{what} of tag {epc.hex().upper()} failed: {why(answer)}")
    if answer.tag_count > 1:
        raise DriverError(f"{answer.tag_count} tags with the EPC {epc.hex().upper()} in the field")
    if answer.epc != epc:
        raise DriverError(f"another tag answered the {what}: {answer.epc.hex().upper()}")
    if answer.result != codes.SUCCESS:
        raise DriverError(f"{what} failed: {named(answer.result)}")
    return answer
