"""One open link to a PN532: wake it, list tags, read and write pages of NTAG and Ultralight tags."""

from drivers.contract import Context, DriverError, MemoryArea
from drivers.dialog import ANSWER_WITHIN_S, Dialog
from drivers.links import Stream
from drivers.rfid import hf_troubles
from drivers.rfid.field import Sighting
from drivers.rfid.memory import the_one
from drivers.rfid.rounds import ROUND, Round
from protocols.framing import FrameError
from protocols.readers import pn532
from protocols.readers.pn532 import messages
from protocols.tags import nfc_commands

PASSIVE_RETRIES = 2
"""Looks at the field before the chip says that it is empty; each takes about 5 ms."""
PAGES_MAX = 256
ACCESS_TIMES_MAX = 3
_TYPE_2 = 0x00
"""SEL_RES of tags whose pages need no key: NTAG and MIFARE Ultralight."""
_PN532 = 0x32
_FIRST_WRITABLE = 3
"""Pages 0 to 2 hold UID and lock bits: a wrong write there ruins a tag for good."""


class Pn532Line:
    """Speaks with one chip."""

    def __init__(self, stream: Stream, context: Context, *, gap_s: float) -> None:
        self._context = context
        self.dialog: Dialog[pn532.Message] = Dialog(
            stream,
            context,
            framer=pn532.new_framer(),
            decode=_decode,
            format="pn532",
            gap_s=gap_s,
        )

    async def find(self) -> str | None:
        """Wake the chip and set it up for polling; who it is, or None when nobody answers."""
        if await self._ask(messages.SAM, pn532.WAKE_UP + pn532.sam_normal(), times=3) is None:
            return None
        told = await self._ask(messages.GET_FIRMWARE, pn532.firmware(), times=2)
        retries = pn532.max_retries(PASSIVE_RETRIES)
        if await self._ask(messages.RF_CONFIGURATION, retries, times=2) is None:
            raise self.dialog.lost("PN532 does not take its RF configuration")
        return "PN532 of unknown version" if told is None else _describe(told)

    async def round(self) -> Round:
        """The tags in the field, at most two; a UID made up for the moment is no identity."""
        targets = await self._targets()
        if targets is None:
            await self.dialog.tell(pn532.ACK)  # Ends a command that the chip still works on.
            return Round((), heard=False)
        seen = []
        for target in targets:
            if pn532.is_random(target.uid):
                self._context.trouble(hf_troubles.random_uid(target.uid.hex().upper()))
            else:
                seen.append(Sighting(target.uid))
        return Round(tuple(seen), heard=True)

    async def settle(self) -> bool:
        """Whether it answers something else than a look; those before are over then."""
        return await self._ask(messages.GET_FIRMWARE, pn532.firmware(), times=1) is not None

    async def read(self, area: MemoryArea) -> bytes:
        """Pages of exactly one tag; raises DriverError."""
        target = await self._tag(area)
        return b"".join([await self._page(target, page) for page in _pages(area)])

    async def write(self, area: MemoryArea, data: bytes) -> None:
        """Write pages of the named tag, read back and compare; raises DriverError."""
        size = nfc_commands.PAGE_BYTES
        if not area.uid:
            raise DriverError("a write must name its tag: uid is empty")
        if len(data) != size * area.count:
            raise DriverError(f"{len(data)} bytes for {area.count} pages of {size} bytes")
        if area.start < _FIRST_WRITABLE:
            raise DriverError("pages 0 to 2 hold the UID and the lock bits and are not written")
        target = await self._tag(area)
        for at, page in enumerate(_pages(area)):
            command = nfc_commands.write(page, data[at * size : (at + 1) * size])
            await self._exchange(target, command, f"write of page {page}")
        found = b"".join([await self._page(target, page) for page in _pages(area)])
        if found != data:
            raise self.dialog.lost(f"wrote {data.hex()}, read back {found.hex()}")

    async def _targets(self) -> tuple[pn532.Target, ...] | None:
        reply = await self._ask(messages.LIST_TARGETS, pn532.list_targets(), times=1)
        if reply is None:
            return None
        try:
            return pn532.targets_of(reply)
        except FrameError as exc:
            self._context.noise(str(exc), reply.data)
            return ()

    async def _tag(self, area: MemoryArea) -> pn532.Target:
        if area.bank != "user":
            raise DriverError(f"an NFC tag has one memory: bank user, not {area.bank}")
        if not 1 <= area.count <= PAGES_MAX or not 0 <= area.start <= PAGES_MAX - area.count:
            raise DriverError(f"pages {area.start} and {area.count} on; a tag has 0 to 255")
        targets = {target.uid: target for target in await self._targets() or ()}
        target = targets[the_one(set(targets), area.uid)]
        if target.sel_res != _TYPE_2:
            raise DriverError(
                f"tag of type SAK 0x{target.sel_res:02X} has no pages to read without a key"
            )
        return target

    async def _page(self, target: pn532.Target, page: int) -> bytes:
        """One page: a tag answers four and starts over behind its last, so one is kept."""
        data = await self._exchange(target, nfc_commands.read(page), f"read of page {page}")
        if len(data) != nfc_commands.READ_BYTES:
            raise self.dialog.lost(f"read of page {page}: {len(data)} bytes, expected 16")
        return data[: nfc_commands.PAGE_BYTES]

    async def _exchange(self, target: pn532.Target, command: bytes, what: str) -> bytes:
        """The tag's answer, again when the air ate it; raises DriverError."""
        why = "no answer"
        for _ in range(ACCESS_TIMES_MAX):
            sent = pn532.data_exchange(target.tg, command)
            reply = await self._ask(messages.DATA_EXCHANGE, sent, times=1)
            if reply is None:
                continue
            try:
                status, data = pn532.exchanged(reply)
            except FrameError as exc:
                raise self.dialog.lost(f"{what} failed: {exc}") from exc
            if not status:
                return data
            why = messages.STATUSES.get(status, f"status 0x{status:02X}")
            await self._again(target)
        raise self.dialog.lost(f"{what} failed: {why}")

    async def _again(self, target: pn532.Target) -> None:
        """A tag that failed once has to be found again; raises DriverError when another is there."""
        found = await self._targets() or ()
        if [tag.uid for tag in found] != [target.uid]:
            raise self.dialog.lost(f"tag {target.uid.hex().upper()} has gone or is not alone")

    async def _ask(self, code: int, command: bytes, *, times: int) -> pn532.Reply | None:
        """The reply to a command; the ACK before it says nothing about it and is passed over."""

        def answers(message: pn532.Message) -> bool:
            refused = isinstance(message, pn532.Refused)
            return refused or (isinstance(message, pn532.Reply) and message.code == code)

        kind = ROUND if code == messages.LIST_TARGETS else code
        answer = await self.dialog.ask(
            command, answers, kind=kind, times=times, within_s=ANSWER_WITHIN_S
        )
        if isinstance(answer, pn532.Refused):
            name = messages.COMMAND_NAMES[code]
            raise self.dialog.lost(f"the chip does not understand {name}; is it a PN532?")
        return answer if isinstance(answer, pn532.Reply) else None


def _decode(frame: bytes) -> pn532.Message | None:
    message = pn532.decode(frame)
    if isinstance(message, pn532.Command):
        raise FrameError("our own command came back")
    return None if isinstance(message, pn532.Ack | pn532.Nack) else message


def _describe(told: pn532.Reply) -> str:
    try:
        chip = pn532.firmware_of(told)
    except FrameError:
        return "PN532 of unknown version"
    name = "PN532" if chip.ic == _PN532 else f"PN5xx IC 0x{chip.ic:02X}"
    return f"{name} version {chip.ver}.{chip.rev}"


def _pages(area: MemoryArea) -> range:
    return range(area.start, area.start + area.count)
