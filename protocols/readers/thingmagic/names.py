"""How codes of the ThingMagic family are written for people."""

from protocols.readers.thingmagic.codes import BOOT, PROTOCOL_NAMES


def opcode_text(opcode: int, *, asked: bool) -> str:
    """`0x22`; the one command that starts the module also says what it does."""
    text = f"0x{opcode:02X}"
    return f"{text} boot firmware" if asked and opcode == BOOT else text


def protocol_text(code: int) -> str:
    """`0x0005 GEN2`; an unknown protocol stays a number."""
    return f"0x{code:04X} {PROTOCOL_NAMES.get(code, '')}".strip()
