"""Read and write the memory of one tag through an M100: select it by its EPC, then access it.

The module forgets its select when it sleeps, so it is told before every access. Passwords and
words as in EPC Gen2 v2, 6.3.2.
"""

from drivers.contract import MemoryArea
from drivers.rfid.m100_line import M100Line
from drivers.rfid.memory import BANKS, check, check_write, epc_after, the_one, uid_bytes
from protocols.readers import m100
from protocols.readers.m100 import codes

WORDS_MAX = 32
"""Words of one access; modules take more for reading, none is known to take more for writing."""
START_MAX = 0xFFFF
LOOKS = 3
"""Rounds in which every tag in the field is seen."""
ACCESS_TIMES_MAX = 3
ACCESS_WITHIN_S = 2.0
"""Writing takes a tag up to 20 ms a word."""
_RETRIED = frozenset({codes.READ_FAILED, codes.WRITE_FAILED})
_NAMES = {codes.READ: "read", codes.WRITE: "write"}


async def read(line: M100Line, area: MemoryArea) -> bytes:
    """The memory of exactly one tag; raises DriverError."""
    check(area, words_max=WORDS_MAX, start_max=START_MAX)
    return await _read(line, area, the_one(await _look(line), area.uid))


async def read_in_field(line: M100Line, area: MemoryArea) -> bytes:
    """The memory of the tag that the area names, which a round has just seen; raises DriverError."""
    check(area, words_max=WORDS_MAX, start_max=START_MAX)
    return await _read(line, area, uid_bytes(area.uid))


async def write(line: M100Line, area: MemoryArea, data: bytes) -> None:
    """Write, read back and compare; raises DriverError."""
    check_write(area, data, words_max=WORDS_MAX, start_max=START_MAX)
    epc = the_one(await _look(line), area.uid)
    await _access(line, codes.WRITE, epc, _memory(area, data))
    found = await _read(line, area, epc_after(epc, area, data))
    if found != data:
        raise line.dialog.lost(f"wrote {data.hex()}, read back {found.hex()}")


async def _look(line: M100Line) -> set[bytes]:
    seen: set[bytes] = set()
    for _ in range(LOOKS):
        found = await line.round()
        if found.refused:
            raise line.dialog.lost(found.refused)
        seen |= {sighting.uid for sighting in found.seen}
    return seen


async def _read(line: M100Line, area: MemoryArea, epc: bytes) -> bytes:
    access = await _access(line, codes.READ, epc, _memory(area))
    if len(access.data) != 2 * area.count:
        raise line.dialog.lost(f"asked for {area.count} words, got {len(access.data)} bytes")
    return access.data


def _memory(area: MemoryArea, data: bytes = b"") -> m100.Memory:
    return m100.Memory(area.password, BANKS[area.bank], area.start, area.count, data)


async def _access(line: M100Line, code: int, epc: bytes, memory: m100.Memory) -> m100.Access:
    """Select and access, again when the air ate it; a tag that refuses is not asked again."""
    why = "no answer"
    for _ in range(ACCESS_TIMES_MAX):
        await _select(line, epc)
        reply = await line.ask(code, m100.memory_param(memory), times=1, within_s=ACCESS_WITHIN_S)
        if isinstance(reply, m100.Access):
            if reply.epc != epc:
                raise line.dialog.lost(f"tag {reply.epc.hex()} answered instead of {epc.hex()}")
            return reply
        if isinstance(reply, m100.Failure):
            why = codes.error_text(reply.error)
            if reply.error not in _RETRIED:
                break
    raise line.dialog.lost(f"{_NAMES[code]} of tag {epc.hex()} failed: {why}")


async def _select(line: M100Line, epc: bytes) -> None:
    mode = bytes((m100.SELECT_FOR_ACCESS,))
    for code, param in (
        (codes.SET_SELECT, m100.select_param(m100.epc_select(epc))),
        (codes.SELECT_MODE, mode),
    ):
        reply = await line.ask(code, param)
        if not isinstance(reply, m100.Answer) or not reply.ok:
            raise line.dialog.lost(f"{codes.COMMAND_NAMES[code]} refused")
