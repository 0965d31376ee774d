"""Reading and writing the memory of one tag through an AccessSpec beside the running ROSpec.

The result arrives inside a tag report. The tag is aimed at by its whole EPC; a tag whose EPC only
begins like it would match too, so such a field is refused.
"""

from dataclasses import replace
from functools import partial

from drivers.contract import Bank, DriverError, MemoryArea
from drivers.dialog import now
from drivers.rfid.llrp_session import Session
from drivers.rfid.llrp_setup import Wanted, prepare, start
from protocols.readers import llrp
from protocols.readers.llrp import OpResult, commands

LOOK_S = 0.8
"""How long the field is watched before a tag is chosen."""
DONE_WITHIN_S = 1.5
DONE_WORD_S = 0.03
"""How long a tag may take, and how much longer for each word: a write is a word at a time."""
TRIES_MAX = 3
"""The air is not a wire: what failed once is tried again."""
WORDS_MAX = 256
EPC_START = 2
"""First word of the EPC in its bank; before it are its CRC and its PC."""

_BANKS: dict[Bank, commands.Bank] = {"reserved": 0, "epc": 1, "tid": 2, "user": 3}


async def read(session: Session, wanted: Wanted, area: MemoryArea) -> bytes:
    """The words of `area`; raises DriverError when there is no such tag, several, or no answer."""
    _check(session, area)
    epc = await _look(session, wanted, area.uid)
    return await _Access(session, epc).read(area)


async def write(session: Session, wanted: Wanted, area: MemoryArea, data: bytes) -> None:
    """Write, read back and compare; raises DriverError. Refuses the CRC and PC words of a tag."""
    _check(session, area)
    if not area.uid:
        raise DriverError(f"{session.wire}: name the tag to write by its uid")
    if len(data) != 2 * area.count:
        raise DriverError(f"{session.wire}: {len(data)} bytes to write, {area.count} words named")
    epc = bytes.fromhex(area.uid)
    after = _after(session, epc, area, data)
    await _look(session, wanted, area.uid)
    access = _Access(session, epc)
    await access.write(area, data)
    access.epc = after
    found = await access.read(area)
    if found != data:
        raise DriverError(f"{session.wire}: wrote {data.hex()}, read back {found.hex()}")


def _check(session: Session, area: MemoryArea) -> None:
    if not 1 <= area.count <= WORDS_MAX or area.start < 0:
        raise DriverError(f"{session.wire}: {area.count} words; expected 1..{WORDS_MAX}")
    try:
        bytes.fromhex(area.uid)
    except ValueError as exc:
        raise DriverError(f"{session.wire}: uid {area.uid!r} is not hex") from exc


def _after(session: Session, epc: bytes, area: MemoryArea, data: bytes) -> bytes:
    """The EPC a tag has once `data` is written."""
    if area.bank != "epc":
        return epc
    at = 2 * (area.start - EPC_START)
    if at < 0 or at + len(data) > len(epc):
        raise DriverError(
            f"{session.wire}: only the {len(epc)} bytes of the EPC itself are written, "
            f"words {EPC_START}..{EPC_START + len(epc) // 2 - 1} of its bank"
        )
    return epc[:at] + data + epc[at + len(data) :]


async def _look(session: Session, wanted: Wanted, uid: str) -> bytes:
    """Start reading; the tag that is meant, proven to be alone in what it answers to."""
    _, inventory = await prepare(session, replace(wanted, each_tag=True))
    await start(session, inventory)
    seen: set[bytes] = set()
    until = now() + LOOK_S
    while now() < until:
        for message in await session.take(until):
            seen |= {tag.epc for tag in llrp.tags(message)}
    meant = bytes.fromhex(uid)
    found = sorted(epc for epc in seen if epc.startswith(meant))
    if uid and meant not in seen:
        others = ", ".join(epc.hex().upper() for epc in sorted(seen)) or "no tag at all"
        raise DriverError(f"{session.wire}: tag {uid} is not in the field; there is {others}")
    if not found:
        raise DriverError(f"{session.wire}: no tag in the field")
    if len(found) > 1:
        named = ", ".join(epc.hex().upper() for epc in found)
        raise DriverError(f"{session.wire}: several tags answer: {named}; leave one in the field")
    return found[0]


class _Access:
    """Operations on the tag of one EPC."""

    def __init__(self, session: Session, epc: bytes) -> None:
        self._session = session
        self._spec_id = 0
        self.epc = epc

    async def read(self, area: MemoryArea) -> bytes:
        """Exactly the words asked for."""
        result = await self._do(area, b"")
        if len(result.data) != 2 * area.count:
            raise DriverError(
                f"{self._session.wire}: {len(result.data)} bytes came, {area.count} words asked for"
            )
        return result.data

    async def write(self, area: MemoryArea, data: bytes) -> None:
        """Done as far as the reader says; nobody has looked yet."""
        await self._do(area, data)

    async def _do(self, area: MemoryArea, data: bytes) -> OpResult:
        why = ""
        for _ in range(TRIES_MAX):
            result = await self._once(area, data)
            if result is None:
                why = "the tag does not answer any more"
                break
            if result.code == 0:
                return result
            why = result.text.replace("_", " ")
        what = "write" if data else "read"
        raise DriverError(f"{self._session.wire}: cannot {what} the {area.bank} memory: {why}")

    async def _once(self, area: MemoryArea, data: bytes) -> OpResult | None:
        """Add, enable, wait for the result and delete again, whatever came."""
        self._spec_id += 1
        spec_id = self._spec_id
        access = commands.Access(
            spec_id=spec_id,
            epc=self.epc,
            bank=_BANKS[area.bank],
            start=area.start,
            count=area.count,
            password=area.password,
            data=data,
        )
        session, of = self._session, commands.of_accessspec
        await session.order("ADD_ACCESSSPEC", partial(commands.add_access, access=access))
        await session.order("ENABLE_ACCESSSPEC", partial(of, "ENABLE_ACCESSSPEC", spec_id=spec_id))
        result = await self._result(spec_id, DONE_WITHIN_S + area.count * DONE_WORD_S)
        await session.ask("DELETE_ACCESSSPEC", partial(of, "DELETE_ACCESSSPEC", spec_id=spec_id))
        return result

    async def _result(self, spec_id: int, within_s: float) -> OpResult | None:
        """What became of the operation; a write may already report the new EPC."""
        until = now() + within_s
        while now() < until:
            for message in await self._session.take(until):
                for tag in llrp.tags(message):
                    for result in tag.results:
                        if result.op_id == spec_id:
                            return result
        return None
