"""A Yaohua frame as plain named fields for people and tools: `gatewayd decode`, probing."""

from typing import Any, TypeAlias

from protocols.framing import FrameError, Noise, shown
from protocols.scales.weighing import Weighing, text_of
from protocols.scales.yaohua import a12e, command, continuous, new_any_framer
from protocols.scales.yaohua.envelope import STX, unseal

Fields: TypeAlias = dict[str, Any]


def fields(data: bytes) -> Fields:
    """What one frame of any variant, or several back to back, says; raises FrameError."""
    found = [frame_fields(frame) for frame in split(data)]
    return found[0] if len(found) == 1 else {"frames": found}


def split(data: bytes) -> list[bytes]:
    """The frames; anything between them is refused."""
    framer = new_any_framer()
    frames = []
    for piece in [*framer.feed(data), *framer.idle()]:
        if isinstance(piece, Noise):
            wrong = piece.reason.startswith("wrong checksum")
            told = {"checksum_ok": False} if wrong else {}
            reason = piece.reason.replace("cut off by silence", "not a whole frame")
            raise FrameError(f"{reason}: {shown(piece.raw)}", fields=told)
        frames.append(piece)
    if not frames:
        raise FrameError("empty")
    return frames


def frame_fields(raw: bytes) -> Fields:
    """The fields of one whole frame."""
    if raw[:1] == continuous.START:
        return _plain(raw)
    if raw[:1] != STX:
        return _a12e(raw)
    if unseal(raw)[0] in "+-":
        weighing = continuous.decode_0(raw)
        return {"variant": "continuous_0", **_weight(weighing), "checksum_ok": True}
    return _command(raw)


def _command(raw: bytes) -> Fields:
    message = command.decode(raw)
    meaning = command.MEANINGS.get(message.command, f"command {message.command}")
    found: Fields = {"address": message.address, "command": message.command}
    proof: Fields = {"xor": raw[-3:-1].decode("ascii"), "checksum_ok": True}
    match message:
        case command.Ask():
            asks = meaning if message.command == command.HANDSHAKE else f"read {meaning}"
            return {**found, "meaning": asks, **proof}
        case command.Said():
            return {**found, "meaning": meaning, "text": message.text, **proof}
        case command.Weighed():
            variant = {"variant": message.dialect} if message.dialect else {}
            return {**variant, **found, "meaning": meaning, **_weight(message.weighing), **proof}


def _plain(raw: bytes) -> Fields:
    """Format 1 or 2; without a point it may be either, and nobody chooses."""
    found = continuous.plain_variants(raw)
    if len(found) == 1:
        ((variant, weighing),) = found.items()
        return {"variant": variant, **_weight(weighing)}
    values = {f"value_{variant}": _weight(each)["value"] for variant, each in found.items()}
    if len(set(values.values())) == 1:
        return {"variant": " or ".join(found), **_weight(next(iter(found.values())))}
    return {"variant": " or ".join(found), **values, "decimals": 0}


def _a12e(raw: bytes) -> Fields:
    weighing = a12e.decode(raw)
    found: Fields = {"variant": "a12e"}
    if weighing.value is None:
        status = weighing.why.partition(",")[0]
        return {**found, "status": status, "value": None, "note": weighing.why, "checksum_ok": True}
    unit = {"unit": weighing.unit}
    return {**found, "mode": weighing.mode, **_weight(weighing), **unit, "checksum_ok": True}


def _weight(weighing: Weighing) -> Fields:
    if weighing.value is None:
        return {"value": None, "note": weighing.why}
    return {"value": text_of(weighing.value), "decimals": weighing.decimals}
