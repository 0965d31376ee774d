"""Reading and writing the memory of one tag through a UHFReader; the tag is named by its EPC.

Two tags in the field do not matter: only the named one is accessed. Writing by command 0x04, which
gives any tag in the field a new EPC, is not offered.
"""

from drivers.contract import DriverError, MemoryArea
from drivers.dialog import ASKED_TIMES_MAX
from drivers.rfid.memory import BANKS, check, check_write, epc_after, the_one, uid_bytes
from drivers.rfid.uhfreader_line import ReaderLine
from protocols.readers import uhfreader
from protocols.readers.uhfreader import codes

LOOKS = 3
"""Rounds in which every tag in the field is seen."""
START_16_MAX = 0xFFFF
_AGAIN = frozenset({codes.NO_TAG, codes.POOR_LINK})
"""Statuses that may be other at the next attempt."""


async def read_words(line: ReaderLine, area: MemoryArea, rounds: list[bytes]) -> bytes:
    """The words of exactly one tag; raises DriverError when they cannot be had whole."""
    check(area, words_max=uhfreader.WORDS_MAX, start_max=_start_max(line))
    return await _read(line, area, await _find(line, area.uid, rounds))


async def read_in_field(line: ReaderLine, area: MemoryArea) -> bytes:
    """The words of the tag that the area names, which a round has just seen; one command.

    An answer does not say which tag it is of. So who asks must not ask for another tag while one
    is owed. Raises DriverError.
    """
    check(area, words_max=uhfreader.WORDS_MAX, start_max=_start_max(line))
    return await _read(line, area, _nameable(uid_bytes(area.uid)), times=1)


async def write_words(line: ReaderLine, area: MemoryArea, data: bytes, rounds: list[bytes]) -> None:
    """Write the words of one named tag, read them back and compare; raises DriverError."""
    check_write(area, data, words_max=uhfreader.WORDS_MAX, start_max=_start_max(line))
    epc = await _find(line, area.uid, rounds)
    command = uhfreader.build_write(line.address, _access(area, epc, data))
    # One attempt: an answer that is lost does not say whether the tag was written.
    answer = await line.send(command, command[2], times=1)
    if answer is None or answer.status != codes.OK:
        raise DriverError(f"write of tag {epc.hex().upper()} failed: {why(answer)}")
    found = await _read(line, area, epc_after(epc, area, data))
    if found != data:
        raise DriverError(f"{line.dialog.wire}: wrote {data.hex()}, read back {found.hex()}")


def why(answer: uhfreader.Reply | None) -> str:
    """Why a command failed, in words."""
    if answer is None:
        return "no answer"
    text = f"0x{answer.status:02X} {codes.STATUS_NAMES.get(answer.status, 'unknown status')}"
    if answer.status == codes.TAG_ERROR and isinstance(answer, uhfreader.Answer) and answer.data:
        error = answer.data[0]
        text += f" 0x{error:02X} {codes.TAG_ERRORS.get(error, '')}".rstrip()
    return text


async def _find(line: ReaderLine, uid: str, rounds: list[bytes]) -> bytes:
    seen: set[bytes] = set()
    for data in rounds * LOOKS:
        found = await line.inventory(data)
        seen |= {sighting.uid for sighting in line.sightings(found.left) if sighting.uid}
    return _nameable(the_one(seen, uid))


def _nameable(epc: bytes) -> bytes:
    if len(epc) % 2 or len(epc) > 2 * uhfreader.EPC_WORDS_MAX:
        raise DriverError(f"an EPC of {len(epc)} bytes cannot be named to this reader")
    return epc


async def _read(
    line: ReaderLine, area: MemoryArea, epc: bytes, *, times: int = ASKED_TIMES_MAX
) -> bytes:
    command = uhfreader.build_read(line.address, _access(area, epc))
    answer: uhfreader.Reply | None = None
    for _ in range(times):
        answer = await line.send(command, command[2], times=1)
        if answer is not None and answer.status not in _AGAIN:
            break
    if not isinstance(answer, uhfreader.Answer) or answer.status != codes.OK:
        raise DriverError(f"read of tag {epc.hex().upper()} failed: {why(answer)}")
    if len(answer.data) != 2 * area.count:
        got, wanted = len(answer.data), 2 * area.count
        raise DriverError(f"{line.dialog.wire}: {got} bytes read of {wanted}")
    return answer.data


def _access(area: MemoryArea, epc: bytes, data: bytes = b"") -> uhfreader.Access:
    return uhfreader.Access(
        epc=epc,
        bank=BANKS[area.bank],
        start=area.start,
        count=area.count,
        password=area.password,
        data=data,
    )


def _start_max(line: ReaderLine) -> int:
    """Dialect 18 has one byte for the word address."""
    return uhfreader.START_8_MAX if line.dialect == "18" else START_16_MAX
