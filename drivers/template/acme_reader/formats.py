"""The ACME frame for `gatewayd decode`, `formats`, `detect` and `probe`: one row, made of the codec."""

from typing import Any

from protocols.formats import Fields, Format, unhex, whole

from . import codec

NAMES = {codec.MODEL: "model", codec.INVENTORY: "inventory"}


def _read(data: str) -> Fields:
    """The fields of one frame in hex; raises FrameError when it is none."""
    message = codec.decode(whole(codec.new_framer(), unhex(data)))
    return {"cmd": f"0x{message.command:02X}", **_content(message)}


def _content(message: codec.Message) -> dict[str, Any]:
    if message.command == codec.INVENTORY and message.data:
        tag = codec.tag_of(message)
        return {
            "cmd_name": "inventory",
            "antenna": tag.antenna,
            "rssi_raw": tag.rssi_raw,
            "uid": tag.uid.hex(),
        }
    name = NAMES.get(message.command, "unknown")
    if message.command == codec.MODEL and message.data:
        return {"cmd_name": name, "model": message.data.decode("ascii", "replace")}
    return {"cmd_name": name, "data": message.data.hex()}


ACME = Format(
    name="acme",
    kind="frame",
    read=_read,
    summary="ACME reader frame",
    summary_zh="ACME 读写器帧",
    framer=codec.new_framer,
    proof_bits=8,
)
