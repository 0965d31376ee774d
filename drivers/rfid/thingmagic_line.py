"""One open link to a ThingMagic or Silion module: questions, answers, and the tags in them."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from drivers.contract import Context, Trouble
from drivers.dialog import ANSWER_WITHIN_S, ASKED_TIMES_MAX, Dialog
from drivers.links import Stream
from drivers.rfid.field import Sighting
from drivers.rfid.rounds import ROUND
from protocols.readers import thingmagic
from protocols.readers.thingmagic import codes

ANTENNA_UNTOLD = 1
"""A module that reports no antenna serves this one."""
_ROUND_OPCODES = frozenset({codes.READ_MULTIPLE, codes.GET_BUFFER})
CENTI = 100
"""Powers and signal strengths are hundredths of a dBm."""


@dataclass(frozen=True, slots=True)
class Heard:
    """One reply and the tags it carries."""

    reply: thingmagic.Reply
    tags: tuple[thingmagic.Tag, ...]


class ModuleLine:
    """Asks a module and reads what it says; raises DriverError when the link fails."""

    def __init__(self, stream: Stream, context: Context, *, gap_s: float) -> None:
        self.context = context
        self.aside: Callable[[list[Heard]], None] | None = None
        """Gets what was heard while waiting for an answer, e.g. tags of a stream."""
        self.dialog: Dialog[Heard] = Dialog(
            stream,
            context,
            framer=thingmagic.new_framer(),
            decode=_heard,
            format="thingmagic_serial",
            gap_s=gap_s,
        )

    async def send(
        self, frame: bytes, *, times: int = ASKED_TIMES_MAX, within_s: float = ANSWER_WITHIN_S
    ) -> Heard | None:
        """The answer to a sealed command, None when there is none."""
        opcode = thingmagic.decode_command(frame).opcode
        return await self.dialog.ask(
            frame,
            lambda heard: heard.reply.opcode == opcode,
            kind=ROUND if opcode in _ROUND_OPCODES else opcode,
            times=times,
            within_s=within_s,
            aside=self.aside,
        )

    async def settle(self) -> bool:
        """Whether it answers something else than a search; those before are over then."""
        return await self.ask(codes.VERSION, times=1) is not None

    async def ask(
        self, opcode: int, data: bytes = b"", *, times: int = ASKED_TIMES_MAX
    ) -> thingmagic.Reply | None:
        """As `send`, for a command that carries no tags."""
        heard = await self.send(thingmagic.build_command(opcode, data), times=times)
        return heard.reply if heard is not None else None

    async def order(self, frame: bytes, what: str, trouble: Trouble | None = None) -> Heard:
        """The answer to a command that must be obeyed; raises DriverError when it is not.

        `trouble` is what a person should change when the module refuses.
        """
        heard = await self.send(frame)
        if heard is None:
            raise self.dialog.lost(f"no answer to {what}")
        if heard.reply.status != codes.OK:
            reason = f"the module refuses {what}: {why(heard.reply.status)}"
            raise self.dialog.lost(reason, trouble)
        return heard

    def sightings(self, heard: Iterable[Heard]) -> list[Sighting]:
        """The tags that their own CRC proves; the others are noise."""
        found = []
        for tag in (tag for each in heard for tag in each.tags):
            if tag.crc_ok:
                found.append(_sighting(tag))
            else:
                self.context.noise("tag heard badly: its CRC is wrong", tag.pc + tag.epc + tag.crc)
        return found


def why(status: int) -> str:
    """A status for people; an unknown one stays a number."""
    return f"status 0x{status:04X} {codes.STATUS_NAMES.get(status, '')}".strip()


def complain(line: ModuleLine, reply: thingmagic.Reply) -> None:
    """Tell what a module complains of while it works on."""
    if reply.status in _COMPLAINTS:
        line.context.trouble(_COMPLAINTS[reply.status])


_COMPLAINTS = {
    codes.ANTENNA_MISSING: Trouble(
        "antenna_missing",
        zh="模块报告天线未连接；请检查馈线，或在 antennas 中只列出已接的天线",
        en="the module says an antenna is not connected; check its cable, or list only connected "
        "ones in antennas",
    ),
    codes.OVER_TEMPERATURE: Trouble(
        "over_temperature",
        zh="模块过热，已停止发射；请改善散热、降低 power_dbm，或加大 poll_ms",
        en="the module is too hot and does not transmit; cool it, lower power_dbm or raise poll_ms",
    ),
    codes.RETURN_LOSS: Trouble(
        "return_loss",
        zh="天线回波损耗过高：天线缺失、损坏或频段不符；请检查天线和 region",
        en="high return loss: an antenna is missing, damaged or made for another band; check it "
        "and the region",
    ),
}


def _heard(frame: bytes) -> Heard:
    reply = thingmagic.decode_reply(frame)
    return Heard(reply, thingmagic.tags_of(reply))


def _sighting(tag: thingmagic.Tag) -> Sighting:
    rssi = tag.rssi_dbm
    return Sighting(
        tag.epc,
        tag.antenna or ANTENNA_UNTOLD,
        rssi_raw=rssi,
        rssi_cdbm=rssi * CENTI if rssi is not None else None,
    )
