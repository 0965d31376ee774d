"""PN532 frames as a format of `gatewayd decode`."""

from collections.abc import Iterator
from typing import Any, TypeAlias

from protocols.formats import Format, Part, unhex
from protocols.framing import FrameError, Noise, shown
from protocols.readers.hf import air
from protocols.readers.pn532.envelope import START, new_framer
from protocols.readers.pn532.messages import (
    COMMAND_NAMES,
    COMMUNICATE_THRU,
    DATA_EXCHANGE,
    GET_FIRMWARE,
    LIST_TARGETS,
    SAM,
    STATUSES,
    Ack,
    Command,
    Message,
    Nack,
    Refused,
    Reply,
    Target,
    decode,
    exchanged,
    firmware_of,
    is_random,
    targets_of,
)
from protocols.tags import nfc_commands

Fields: TypeAlias = dict[str, Any]
SAM_MODES = {1: "normal", 2: "virtual card", 3: "wired card", 4: "dual card"}
BAUD_TYPES = {0: "106A", 1: "212F", 2: "424F", 3: "106B", 4: "106J"}
_WAKE_BYTES = frozenset({0x55, 0x00})
_KILLER_HEAD = 2
"""PN532Killer puts two bytes of its own before the frame it sends into the air."""


def fields(data: bytes) -> Fields:
    """What frames back to back say; a wake-up before and ACKs between are told aside.

    Exactly one other frame is told directly, several under `frames`. Raises FrameError.
    """
    wake, rest = _awake(data)
    framer = new_framer()
    messages: list[Message] = []
    for piece in [*framer.feed(rest), *framer.idle()]:
        if isinstance(piece, Noise):
            raise FrameError(f"{piece.reason}: {shown(piece.raw)}")
        messages.append(decode(piece))
    if not messages:
        raise FrameError("no frame")
    found: Fields = {"wakeup": "55 55 + zeros"} if wake else {}
    said = [message for message in messages if not isinstance(message, Ack)]
    if len(said) < len(messages):
        found["ack"] = True
    if len(said) == 1:
        return found | _message(said[0])
    return found | ({"frames": [_message(message) for message in said]} if said else {})


def _awake(data: bytes) -> tuple[bytes, bytes]:
    """The wake-up in front of a first frame, and the rest; zeros alone are a longer preamble."""
    at = data.find(START)
    if at > 0 and not any(data[:at]):
        return b"", data[at:]
    if at <= 0 or data[0] != max(_WAKE_BYTES) or not set(data[:at]) <= _WAKE_BYTES:
        return b"", data
    return data[:at], data[at:]


def _message(message: Message) -> Fields:
    match message:
        case Ack():
            return {"meaning": "ACK"}
        case Nack():
            return {"meaning": "NACK"}
        case Refused():
            return {"direction": "device>host", "error": "command not understood"}
        case Command():
            return {"direction": "host>device"} | _command(message)
        case Reply():
            return {"direction": "device>host"} | _reply(message)


def _name(code: int) -> str:
    return COMMAND_NAMES.get(code, f"0x{code:02X}")


def _command(command: Command) -> Fields:
    name, data = _name(command.code), command.data
    if command.code == SAM and data:
        return {"cmd": f"{name} {SAM_MODES.get(data[0], data[0])}"}
    if command.code == LIST_TARGETS and len(data) >= len(("most", "type")):
        baud_type = BAUD_TYPES.get(data[1], data[1])
        return {"cmd": name, "max_targets": data[0], "baud_type": baud_type}
    if command.code == DATA_EXCHANGE and len(data) > 1:
        tag = nfc_commands.describe(data[1:])
        found = {"cmd": name, "tg": data[0], "data": data[1:].hex()}
        return found | ({"tag_cmd": tag} if tag else {})
    if command.code == COMMUNICATE_THRU:
        return {"cmd": name, "payload": _air(data), "data": data.hex()}
    return {"cmd": name} | ({"data": data.hex()} if data else {})


def _air(data: bytes) -> str:
    """What is sent into the air: an ISO 15693 frame proves itself, anything else is hex."""
    for frame in (data, data[_KILLER_HEAD:]):
        if air.is_proven(frame):
            found = air.fields(frame)
            return f"ISO15693 {found.get('cmd_name', found.get('cmd', 'reply'))} incl. CRC"
    return nfc_commands.describe(data) or data.hex()


def _reply(reply: Reply) -> Fields:
    found: Fields = {"reply": _name(reply.code)}
    if reply.code == GET_FIRMWARE:
        info = firmware_of(reply)
        told = {"ic": f"0x{info.ic:02X}", "ver": info.ver, "rev": info.rev}
        return found | told | {"support": info.support}
    if reply.code == LIST_TARGETS:
        return found | _targets(reply)
    if reply.code in {DATA_EXCHANGE, COMMUNICATE_THRU}:
        status, data = exchanged(reply)
        found["status"] = (
            f"0x{status:02X} {STATUSES.get(status, 'ok' if not status else '')}".rstrip()
        )
        return found | ({"data": data.hex()} if data else {})
    return found | ({"data": reply.data.hex()} if reply.data else {})


def _targets(reply: Reply) -> Fields:
    """One type A tag is told directly; other types stay bytes."""
    try:
        targets = targets_of(reply)
    except FrameError:
        if not reply.data:
            raise
        return {"targets": reply.data[0], "data": reply.data[1:].hex()}
    found: Fields = {"targets": len(targets)}
    if len(targets) == 1:
        return found | _target(targets[0])
    return found | ({"tags": [_target(target) for target in targets]} if targets else {})


def _target(target: Target) -> Fields:
    found: Fields = {"tg": target.tg, "sens_res": target.sens_res.hex()}
    found |= {"sel_res": f"{target.sel_res:02x}", "uid": target.uid.hex()}
    if target.ats:
        found["ats"] = target.ats.hex()
    return found | ({"random": True} if is_random(target.uid) else {})


def _parts(data: str, _found: Any) -> Iterator[Part]:
    wake, rest = _awake(unhex(data))
    if wake:
        yield Part(wake.hex(" "), "wake-up")
    framer = new_framer()
    for piece in [*framer.feed(rest), *framer.idle()]:
        if isinstance(piece, bytes):
            yield Part(piece.hex(" "), _meaning(decode(piece)))


def _meaning(message: Message) -> str:
    match message:
        case Command(code=code):
            return f"to the chip: {_name(code)}"
        case Reply(code=code):
            return f"from the chip: reply to {_name(code)}"
        case Refused():
            return "from the chip: command not understood"
    return "ACK" if isinstance(message, Ack) else "NACK"


PN532 = Format(
    name="pn532",
    kind="frame",
    read=lambda data: fields(unhex(data)),
    summary="PN532 frame (HSU): ISO 14443A tags",
    summary_zh="PN532 帧（HSU 串口）：ISO 14443A 标签",
    parts=_parts,
    framer=new_framer,
    proof_bits=16,
    caveats=(
        "two sums of 8 bits: a burst can slip through",
        "a plain PN532 cannot read ISO 15693; only the PN532Killer clone can",
    ),
)
