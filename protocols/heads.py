"""RFID heads on Modbus: the part of a register map that says how registers become a tag's uid.

There is no common map, so a profile (protocols/registers.py) names the registers and its `head`
section says the rest. Points by name: `uid_0`, `uid_1`, ... are consecutive 16-bit registers of the
uid, `present` says that a tag is there (not 0), `uid_length` how many bytes its uid has.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Literal, Self, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, model_validator

REGISTERS = 65_536
UID_BYTES_MAX = 32
WORD_MAX = 0xFFFF
EXCEPTIONS_MAX = 8

Order: TypeAlias = Literal["high_first", "low_first"]


class HeadError(Exception):
    """Registers that the map does not allow; the text says which."""


class _Strict(BaseModel):
    model_config = ConfigDict(defer_build=True, frozen=True, extra="forbid", strict=True)


class Touch(_Strict):
    """One write: a register with a number, or a coil that is switched on or off (0)."""

    register_: int | None = Field(default=None, ge=0, lt=REGISTERS, alias="register")
    coil: int | None = Field(default=None, ge=0, lt=REGISTERS)
    value: int = Field(ge=0, le=WORD_MAX)

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.register_ is None) == (self.coil is None):
            raise ValueError("expected either register or coil")
        if self.coil is not None and self.value > 1:
            raise ValueError("a coil takes 0 or 1")
        return self


class HeadFile(_Strict):
    """The `head` section of a profile.

    `uid_bytes` is the length of every uid, or the most there is when `uid_length` tells. The orders
    say where the most significant word, and byte of a word, of the uid stands. `align` says which
    end of the registers a shorter uid fills. `trigger` is written before each look, `ack` after each
    tag. `no_tag_exceptions` are Modbus exception codes that mean an empty field.
    """

    uid_bytes: int = Field(ge=1, le=UID_BYTES_MAX)
    word_order: Order = "high_first"
    byte_order: Order = "high_first"
    align: Literal["left", "right"] = "left"
    trigger: Touch | None = None
    ack: Touch | None = None
    no_tag_exceptions: tuple[int, ...] = Field(default=(), max_length=EXCEPTIONS_MAX)


def gaps(head: HeadFile | None, names: Iterable[str]) -> tuple[str, ...]:
    """What a profile with these point names lacks to be a head; empty when it is one."""
    if head is None:
        return ("it has no head section",)
    words = len(_uid_names(names))
    if not words:
        return ("no point uid_0",)
    if 2 * words < head.uid_bytes:
        return (f"{words} uid registers are too few for {head.uid_bytes} bytes",)
    return ()


def uid_of(head: HeadFile, values: Mapping[str, int]) -> bytes | None:
    """The uid in the registers, most significant byte first; None when no tag is there.

    Only a `present` register can say that a blank tag is there. Raises HeadError when `uid_length`
    lies.
    """
    if values.get("present", 1) == 0:
        return None
    size = values.get("uid_length", head.uid_bytes)
    if not 0 <= size <= head.uid_bytes:
        raise HeadError(f"uid_length {size} is not 0 to {head.uid_bytes}")
    whole = b"".join(_words(head, values))
    uid = whole[:size] if head.align == "left" else whole[len(whole) - size :]
    if any(uid):
        return uid
    return b"" if "present" in values else None


def _words(head: HeadFile, values: Mapping[str, int]) -> Iterator[bytes]:
    names = _uid_names(values)
    for name in names if head.word_order == "high_first" else reversed(names):
        yield values[name].to_bytes(2, "big" if head.byte_order == "high_first" else "little")


def _uid_names(names: Iterable[str]) -> list[str]:
    """uid_0, uid_1, ... as far as there is no gap."""
    known = set(names)
    found: list[str] = []
    while (name := f"uid_{len(found)}") in known:
        found.append(name)
    return found
