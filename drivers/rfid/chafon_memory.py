"""Read and write the memory of one tag through a CF reader.

The reader does it to every tag it sees and says for each which tag it was. So a read picks the
answer of its tag, and a write refuses while there is more than one tag: the reader's select mask
would narrow it down, but how a mask counts its bits is not known for sure.
"""

from drivers.contract import DriverError, MemoryArea
from drivers.rfid.chafon_line import ChafonLine
from drivers.rfid.memory import BANKS, check, check_write, epc_after, the_one, uid_bytes
from protocols.readers import chafon_cf
from protocols.readers.chafon_cf import codes

WORDS_MAX = 32
"""Words of one access; an answer of so many fits a frame with the longest EPC."""
START_MAX = 0xFFFF
LOOKS = 3
ACCESS_TIMES_MAX = 3
ACCESS_WITHIN_S = 2.0
"""Writing takes a tag up to 20 ms a word."""
_IN_THE_AIR = frozenset({codes.ROUND_FINISHED, 0x14, 0x15})


async def read(line: ChafonLine, area: MemoryArea) -> bytes:
    """The memory of exactly one tag; raises DriverError."""
    check(area, words_max=WORDS_MAX, start_max=START_MAX)
    seen = await _look(line)
    return await _read(line, area, the_one(seen, area.uid))


async def read_in_field(line: ChafonLine, area: MemoryArea) -> bytes:
    """The memory of the tag that the area names, which a round has just seen; raises DriverError."""
    check(area, words_max=WORDS_MAX, start_max=START_MAX)
    return await _read(line, area, uid_bytes(area.uid))


async def write(line: ChafonLine, area: MemoryArea, data: bytes) -> None:
    """Write, read back and compare; raises DriverError, also while several tags are there."""
    check_write(area, data, words_max=WORDS_MAX, start_max=START_MAX)
    seen = await _look(line)
    epc = the_one(seen, area.uid)
    if len(seen) > 1:
        raise DriverError(
            f"{line.dialog.wire}: {len(seen)} tags in the field and this reader writes all of them; "
            "move the others away"
        )
    await _access(line, codes.WRITE, epc, _memory(area, data))
    found = await _read(line, area, epc_after(epc, area, data))
    if found != data:
        raise line.dialog.lost(f"wrote {data.hex()}, read back {found.hex()}")


async def _look(line: ChafonLine) -> set[bytes]:
    """Every tag that an inventory or a read sees."""
    seen: set[bytes] = set()
    tid = chafon_cf.memory_data(chafon_cf.Memory(0, BANKS["tid"], 0, 1))
    for _ in range(LOOKS):
        found = await line.round()
        seen |= {sighting.uid for sighting in found.seen}
        replies = await line.collect(codes.READ, tid, ACCESS_WITHIN_S)
        seen |= {reply.epc for reply in replies if isinstance(reply, chafon_cf.TagAccess)}
    return seen


async def _read(line: ChafonLine, area: MemoryArea, epc: bytes) -> bytes:
    access = await _access(line, codes.READ, epc, _memory(area))
    if len(access.data) != 2 * area.count:
        raise line.dialog.lost(f"asked for {area.count} words, got {len(access.data)} bytes")
    return access.data


def _memory(area: MemoryArea, data: bytes = b"") -> chafon_cf.Memory:
    return chafon_cf.Memory(area.password, BANKS[area.bank], area.start, area.count, data)


async def _access(
    line: ChafonLine, code: int, epc: bytes, memory: chafon_cf.Memory
) -> chafon_cf.TagAccess:
    """The answer of our tag, asked again when the air ate it; a refusal is final."""
    what, why = codes.COMMAND_NAMES[code], "no answer"
    for _ in range(ACCESS_TIMES_MAX):
        replies = await line.collect(code, chafon_cf.memory_data(memory), ACCESS_WITHIN_S)
        tags = [reply for reply in replies if isinstance(reply, chafon_cf.TagAccess)]
        others = {tag.epc.hex() for tag in tags if tag.epc != epc}
        if others and code == codes.WRITE:
            raise line.dialog.lost(f"tag {', '.join(sorted(others))} answered to the write as well")
        ours = next((tag for tag in tags if tag.epc == epc), None)
        if ours is not None and ours.tag_status == codes.OK:
            return ours
        if ours is not None:
            raise line.dialog.lost(
                f"{what} of tag {epc.hex()} failed: tag status 0x{ours.tag_status:02X}"
            )
        final = _final(replies)
        why = final or why
        if final:
            break
    raise line.dialog.lost(f"{what} of tag {epc.hex()} failed: {why}")


def _final(replies: list[chafon_cf.Reply]) -> str:
    """Why asking again would not help; empty when it might."""
    for reply in replies:
        if isinstance(reply, chafon_cf.Answer) and reply.status not in _IN_THE_AIR:
            return f"{codes.status_value(reply.status)} (memory is known for UHF Access models)"
    return ""
