"""Yaohua's command mode: the host asks `address command`, the indicator answers with the data.

Manuals of XK3190-A9+ (page 10), DS3 (page 8), A23p (page 26) and Keli XK3118K9 (page 10).
A..F are handshake, gross, tare, net, number of the truck and of the cargo. A weight is a sign and
seven characters: Yaohua sends six digits and how many of them stand behind the point (0..4), Keli
six digits with the point among them. The unit is not sent.
"""

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Literal, TypeAlias

from protocols.framing import FrameError
from protocols.scales.weighing import Weighing, number, scaled, text_of
from protocols.scales.yaohua.envelope import seal, unseal

HANDSHAKE, GROSS, TARE, NET, TRUCK, CARGO = "ABCDEF"
MEANINGS: Final = {
    HANDSHAKE: "handshake",
    GROSS: "gross weight",
    TARE: "tare weight",
    NET: "net weight",
    TRUCK: "truck number",
    CARGO: "cargo number",
}
DIGITS = 6
DECIMALS_MAX = 4
Dialect: TypeAlias = Literal["command", "keli"]

_WEIGHTS: Final = frozenset({GROSS, TARE, NET})
_HEAD = re.compile(r"(?P<address>[A-Z])(?P<command>[A-Z])(?P<data>.*)\Z")
_YAOHUA = re.compile(r"(?P<sign>[+-])(?P<digits>[ 0-9]{6})(?P<decimals>[0-4])\Z")
_KELI = re.compile(r"(?P<sign>[+-])(?P<number>(?=.{7}\Z) *[0-9]*\.[0-9]*)\Z")
_WORDS = re.compile(r"[+-]?[ A-Z_-]+[0-9.]?\Z")


@dataclass(frozen=True, slots=True)
class Ask:
    """A question of the host, or the answer to a handshake: both are the same bytes."""

    address: str
    command: str


@dataclass(frozen=True, slots=True)
class Said:
    """An answer with data that is no weight: the number of a truck or of the cargo."""

    address: str
    command: str
    text: str


@dataclass(frozen=True, slots=True)
class Weighed:
    """An answer with a weight; `dialect` tells how its point was sent, None when it had none."""

    address: str
    command: str
    weighing: Weighing
    dialect: Dialect | None


Message: TypeAlias = Ask | Said | Weighed


def decode(raw: bytes) -> Message:
    """One whole frame of command mode, either way; raises FrameError."""
    match = _HEAD.match(unseal(raw))
    if match is None:
        raise FrameError("no address and command: not command mode")
    address, command, data = match["address"], match["command"], match["data"]
    if not data:
        return Ask(address, command)
    if command not in _WEIGHTS:
        return Said(address, command, data)
    weighing, dialect = _weight(data, command)
    return Weighed(address, command, weighing, dialect)


def _weight(data: str, command: str) -> tuple[Weighing, Dialect | None]:
    mode = {GROSS: "gross", NET: "net"}.get(command, "display")
    assert mode in {"gross", "net", "display"}
    if match := _YAOHUA.match(data):
        value = scaled(match["digits"], int(match["decimals"]), negative=match["sign"] == "-")
        return _of(value, mode), "command"
    if match := _KELI.match(data):
        return _of(number(match["sign"] + match["number"].lstrip(" ")), mode), "keli"
    if _WORDS.match(data):
        return Weighing(None, why=f"the scale shows {data.strip()!r} instead of a weight"), None
    raise FrameError(f"not a sign, digits and decimals: {data!r}")


def _of(value: Decimal, mode: str) -> Weighing:
    if mode == "gross":
        return Weighing(value, "gross")
    return Weighing(value, "net" if mode == "net" else "display")


def build_ask(address: str, command: str) -> bytes:
    """What the host sends."""
    return seal((address + command).encode("ascii"))


def build_said(address: str, command: str, data: str) -> bytes:
    """What an indicator answers with any data."""
    return seal((address + command + data).encode("ascii"))


def build_weighed(address: str, command: str, value: Decimal, dialect: Dialect) -> bytes:
    """What an indicator answers with a weight of at most DIGITS digits."""
    return build_said(address, command, weight_data(value, dialect))


def weight_data(value: Decimal, dialect: Dialect) -> str:
    """Sign and seven characters of a weight."""
    sign, digits = ("-" if value < 0 else "+"), text_of(abs(value))
    whole, _, behind = digits.partition(".")
    assert len(whole) + len(behind) <= DIGITS, value
    assert len(behind) <= DECIMALS_MAX, value
    if dialect == "keli":
        return f"{sign}{whole.zfill(DIGITS - len(behind))}.{behind}"
    return f"{sign}{(whole + behind).zfill(DIGITS)}{len(behind)}"
