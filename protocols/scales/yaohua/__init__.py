"""Yaohua XK3190 and Keli indicators: command mode, continuous formats 0, 1 and 2, and A12E.

A frame does not always say which of them it is, so a device is told its variant; only Yaohua's and
Keli's answers in command mode are told apart by the point.
"""

from typing import Final, Literal, TypeAlias, get_args

from protocols.framing import FrameError, Framer
from protocols.scales.weighing import Weighing
from protocols.scales.yaohua import a12e, command, continuous, envelope

Variant: TypeAlias = Literal[
    "command", "keli", "continuous_0", "continuous_1", "continuous_2", "a12e"
]
VARIANTS: Final[tuple[Variant, ...]] = get_args(Variant)
ASKED: Final = frozenset({"command", "keli"})
"""Variants that only speak when they are asked."""


def new_framer(variant: Variant) -> Framer:
    """A framer for one stream of a variant."""
    if variant == "a12e":
        return Framer(a12e.measure, frame_bytes_max=a12e.FRAME_BYTES)
    if variant in {"continuous_1", "continuous_2"}:
        return Framer(continuous.plain_measure, frame_bytes_max=continuous.PLAIN_BYTES)
    return Framer(envelope.measure, frame_bytes_max=envelope.FRAME_BYTES_MAX)


def new_proven_framer() -> Framer:
    """A framer for any variant that has a checksum."""
    return Framer(_measure_proven, frame_bytes_max=envelope.FRAME_BYTES_MAX)


def new_any_framer() -> Framer:
    """A framer for frames of any variant."""
    return Framer(_measure_any, frame_bytes_max=envelope.FRAME_BYTES_MAX)


def _measure_proven(window: bytes) -> int:
    return envelope.measure(window) if window[:1] == envelope.STX else a12e.measure(window)


def _measure_any(window: bytes) -> int:
    plain = window[:1] == continuous.START
    return continuous.plain_measure(window) if plain else _measure_proven(window)


def decode_weighing(raw: bytes, variant: Variant, *, address: str = "A") -> Weighing | None:
    """The weight in a frame of this variant; None for a frame that carries none.

    In command mode that is the gross weight of `address`. Raises FrameError, also for a frame of
    another variant.
    """
    match variant:
        case "a12e":
            return a12e.decode(raw)
        case "continuous_0":
            return continuous.decode_0(raw)
        case "continuous_1" | "continuous_2":
            return continuous.decode_plain(raw, variant)
        case "command" | "keli":
            return _answered(command.decode(raw), variant, address)


def _answered(message: command.Message, variant: Variant, address: str) -> Weighing | None:
    if not isinstance(message, command.Weighed):
        return None
    if message.dialect not in {variant, None}:
        raise FrameError(f"the point is sent as in variant {message.dialect}, not {variant}")
    ours = message.address == address and message.command == command.GROSS
    return message.weighing if ours else None
