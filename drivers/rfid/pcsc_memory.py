"""Read and write the memory of the card on a PC/SC reader; everything here blocks its thread."""

from collections.abc import Callable
from typing import Any

from drivers.contract import Direction, DriverError, MemoryArea
from drivers.rfid import pcsc_api
from drivers.rfid.pcsc_api import Api
from drivers.rfid.pcsc_watch import Card
from protocols.framing import FrameError
from protocols.readers import pcsc
from protocols.tags import nfc_commands

BLOCKS_MAX = 256
FIRST_WRITABLE_PAGE = 3
"""Pages 0 to 2 of an NFC tag hold UID and lock bits: a wrong write ruins it for good."""

Frame = Callable[[Direction, bytes], None]
TurnUid = Callable[[bytes], bytes]


def access(
    api: Api,
    wanted: str,
    area: MemoryArea,
    data: bytes | None,
    *,
    frame: Frame,
    turn: TurnUid,
) -> bytes:
    """Read an area, or write `data` to it and read it back; raises DriverError.

    `turn` puts the bytes of a UID into the order in which they are printed.
    """
    if area.bank != "user":
        raise DriverError(f"a card has one memory: bank user, not {area.bank}")
    if not 1 <= area.count <= BLOCKS_MAX or not 0 <= area.start <= BLOCKS_MAX - area.count:
        raise DriverError(f"blocks {area.start} and {area.count} on; a card has 0 to 255")
    context = api.establish()
    try:
        name = _reader(api, context, wanted)
        _expect_card(api, context, name)
        card = Card(api, context, name, frame)
        try:
            return _access(card, pcsc.decode_atr(card.atr()), area, data, turn)
        finally:
            card.close()
    except FrameError as exc:
        raise DriverError(f"PC/SC: {exc}") from exc
    finally:
        api.release(context)


def _reader(api: Api, context: Any, wanted: str) -> str:
    names = [name for name in api.readers(context) if wanted.casefold() in name.casefold()]
    if len(names) != 1:
        raise DriverError(f"PC/SC: {len(names)} readers match {wanted!r}; expected one")
    return names[0]


def _expect_card(api: Api, context: Any, name: str) -> None:
    state = api.change(context, name, pcsc_api.UNAWARE, 0)
    if state is None or not state.is_present:
        raise DriverError("no tag in the field")


def _access(
    card: Card, atr: pcsc.Atr, area: MemoryArea, data: bytes | None, turn: TurnUid
) -> bytes:
    told = card.ask(pcsc.GET_UID)
    if not told.ok:
        raise DriverError(f"PC/SC: card tells no UID: {pcsc.status_text(told.sw)}")
    uid = turn(told.data).hex().upper()
    if area.uid and area.uid.upper() != uid:
        raise DriverError(f"tag {area.uid} is not in the field; seen: {uid}")
    if data is None:
        return read_blocks(card, atr, area)
    _expect_open(atr)
    return _write(card, atr, area, data)


def read_blocks(card: Card, atr: pcsc.Atr, area: MemoryArea) -> bytes:
    """An area of a connected card; raises CardGoneError, DriverError or FrameError."""
    _expect_open(atr)
    return b"".join(_block(card, atr, block) for block in _blocks(area))


def _expect_open(atr: pcsc.Atr) -> None:
    if not atr.is_type2 and atr.standard not in pcsc.ISO15693_STANDARDS:
        raise DriverError("only NTAG, Ultralight and ISO 15693 tags are read without a key")


def _write(card: Card, atr: pcsc.Atr, area: MemoryArea, data: bytes) -> bytes:
    if not area.uid:
        raise DriverError("a write must name its tag: uid is empty")
    if atr.is_type2 and area.start < FIRST_WRITABLE_PAGE:
        raise DriverError("pages 0 to 2 hold the UID and the lock bits and are not written")
    size = len(_block(card, atr, area.start))
    if len(data) != size * area.count:
        raise DriverError(f"{len(data)} bytes for {area.count} blocks of {size} bytes")
    for at, block in enumerate(_blocks(area)):
        answer = card.ask(pcsc.update_binary(block, data[at * size : (at + 1) * size]))
        if not answer.ok:
            raise DriverError(f"write of block {block} failed: {pcsc.status_text(answer.sw)}")
    found = b"".join(_block(card, atr, block) for block in _blocks(area))
    if found != data:
        raise DriverError(f"wrote {data.hex()}, read back {found.hex()}")
    return found


def _block(card: Card, atr: pcsc.Atr, block: int) -> bytes:
    """One block. An NFC tag gives four pages, and some readers only one: the first is kept."""
    size = nfc_commands.PAGE_BYTES
    answer = card.ask(pcsc.read_binary(block, nfc_commands.READ_BYTES if atr.is_type2 else size))
    if not answer.ok and answer.sw >> 8 == pcsc.WRONG_LE:
        size = size if atr.is_type2 else answer.sw & 0xFF
        answer = card.ask(pcsc.read_binary(block, answer.sw & 0xFF))
    elif not answer.ok and atr.is_type2:
        answer = card.ask(pcsc.read_binary(block, size))
    if not answer.ok or len(answer.data) < size:
        raise DriverError(f"read of block {block} failed: {pcsc.status_text(answer.sw)}")
    return answer.data[:size]


def _blocks(area: MemoryArea) -> range:
    return range(area.start, area.start + area.count)
