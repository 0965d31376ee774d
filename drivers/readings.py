"""What drivers read off devices and what gates are told: frozen values, one meaning each.

Masses are integer grams, `at_ns` is the monotonic time the reply arrived, whatever clock the
device has. Unknown is None with a reason, never zero.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Literal, TypeAlias

Bank: TypeAlias = Literal["reserved", "epc", "tid", "user"]
"""Memory banks of an EPC Gen2 tag (GS1 EPC Gen2 v2, 6.3.2.1); tags with one memory have `user`."""


@dataclass(frozen=True, slots=True)
class MemoryArea:
    """A stretch of one tag's memory: 16-bit words of a Gen2 tag, blocks or pages of an HF tag.

    `uid` names the tag (upper-case hex); empty reads whichever single tag is in the field.
    """

    bank: Bank
    start: int
    count: int
    uid: str = ""
    password: int = 0


@dataclass(frozen=True, slots=True)
class TagContents:
    """What a reader found in the memory of a tag, from `start` of `bank` on, or why it did not.

    `start` counts 16-bit words of a Gen2 tag, blocks or pages of an HF tag. `why` is empty when
    `data` is all that was asked for; else it says in words why nothing is known. `at_ns` is when
    the answer arrived.
    """

    bank: str
    start: int
    data: bytes = b""
    why: str = ""
    at_ns: int = 0

    def __post_init__(self) -> None:
        """Unknown has a reason, and known has none."""
        assert bool(self.data) != bool(self.why), self


@dataclass(frozen=True, slots=True)
class TagRead:
    """One sighting of an RFID tag.

    `uid` is upper-case hex, most significant byte first, as printed on the tag; `antenna` counts
    from 1 (a reader that reports none serves antenna 1); `rssi_raw` is uncalibrated; `at_ns`,
    monotonic, is the latest moment after which the tag was surely in the field, whatever clock the
    reader has: when it was asked for, not when a network brought the answer. `rssi_cdbm` is hundredths of a dBm
    and `tid` upper-case hex, both only where the reader tells them. `contents` is what this very
    tag holds, None where nobody asks for it or it is not known yet.
    """

    device: str
    uid: str
    antenna: int
    rssi_raw: int | None
    at_ns: int
    rssi_cdbm: int | None = None
    tid: str = ""
    contents: TagContents | None = None


@dataclass(frozen=True, slots=True)
class CodeRead:
    """One printed code as scanned: `text` without the configured affixes, `at_ns` monotonic.

    `symbology` is the AIM identifier (`]d2`, ISO/IEC 15424) when the scanner sent one; it is not
    part of `text`.
    """

    device: str
    text: str
    at_ns: int
    symbology: str = ""


@dataclass(frozen=True, slots=True)
class Unread:
    """Something that a device heard and nobody can read: a broken frame, a scanner's "no read".

    No driver emits it: the supervisor makes it of what the driver calls noise. `why` is the driver's reason, `raw` the bytes as they came, cut to what is worth showing.
    """

    device: str
    at_ns: int
    why: str
    raw: bytes

    def __post_init__(self) -> None:
        """An answer that did not come is no sign of anything there."""
        assert self.raw, self

    def shown(self) -> str:
        """The bytes as a person reads them: printable text as text, all else in hex."""
        text = self.raw.decode("ascii", errors="replace").strip()
        return text if text.isascii() and text.isprintable() and text else self.raw.hex()


class EndReason(IntEnum):
    """Register 111 of reference-gate-v1 (contract §4)."""

    NONE = 0
    TARGET = 1
    OPERATOR_STOP = 2
    PERMIT_WITHDRAWN = 3
    LEASE_LOST = 4
    OVER_LIMIT = 5
    E_STOP = 6
    SCALE_FAULT = 7
    TIMEOUT = 8
    CYLINDER_LEFT = 9


@dataclass(frozen=True, slots=True)
class GateSample:
    """One coherent reading of a gate with its scale, taken in one request (contract §4, 100..115).

    Masses are grams. `end_reason` is the raw register: an unknown number stays a number.
    `at_ns` is the monotonic time the reply arrived.
    """

    device: str
    at_ns: int
    ready: bool
    cylinder_on: bool
    permitted: bool
    filling: bool
    fine_flow: bool
    stable: bool
    done: bool
    aborted: bool
    over_limit: bool
    e_stop: bool
    lease_lost: bool
    scale_fault: bool
    valve_open: bool
    permit_echo: int
    gross_g: int
    net_g: int
    tare_g: int
    total_g: int
    fills: int
    end_reason: int
    last_net_g: int
    last_permit: int
    heartbeat: int


@dataclass(frozen=True, slots=True)
class WeightSample:
    """One weighing of a scale that is not itself a gate.

    `gross_g` None: the weight is unknown, and `why` says so with the raw value (overload, a frame
    without a sign, decimals that changed). `net_g` is what the scale shows as net, None where it
    has no tare. `stable` is the scale's own word, or computed where it has none.
    """

    device: str
    at_ns: int
    gross_g: int | None
    net_g: int | None
    stable: bool
    why: str = ""

    def __post_init__(self) -> None:
        """Unknown has a reason and is never stable."""
        assert (self.gross_g is None) == bool(self.why), self
        assert self.gross_g is not None or not self.stable, self


@dataclass(frozen=True, slots=True)
class OutputSample:
    """One reading back of the output that holds a valve open, and of the module that drives it.

    `on` is the output as the module reports it. `guarded`: the module drops its outputs by itself
    when polling stops, and that was read back. `e_stop`: its input says stop. `start`: its input
    for the start button is pressed; None where it has none.
    """

    device: str
    at_ns: int
    on: bool
    guarded: bool
    e_stop: bool = False
    start: bool | None = None


@dataclass(frozen=True, slots=True)
class FillerSample:
    """One reading of a device that weighs, and fills by itself up to a target.

    `running`: a dosing is under way. `valve_open`: coarse or fine flow. `done` rises when a dosing
    ended. `alarm` is empty or says what the device complains of. `total_g` is its totaliser, None
    where it has none. Weights as in WeightSample.
    """

    device: str
    at_ns: int
    gross_g: int | None
    net_g: int | None
    stable: bool
    running: bool
    valve_open: bool
    done: bool
    alarm: str = ""
    total_g: int | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class MeterSample:
    """One reading of the totaliser of a flow meter, in grams of gas that ever went through it.

    `total_g` None: it is not known, and `why` says so with the raw value. `step_g`: what lies
    between two numbers that it can show now. `wraps_g`: where it starts again from 0; None = never.
    """

    device: str
    at_ns: int
    total_g: int | None
    step_g: int = 0
    wraps_g: int | None = None
    why: str = ""

    def __post_init__(self) -> None:
        """Unknown has a reason."""
        assert (self.total_g is None) == bool(self.why), self


Reading: TypeAlias = (
    TagRead
    | CodeRead
    | Unread
    | GateSample
    | WeightSample
    | OutputSample
    | FillerSample
    | MeterSample
)


@dataclass(frozen=True, slots=True)
class GateOrder:
    """What a permit tells the gate. Masses in grams, `lease_ms` > 0, `permit_no` 1..65535."""

    permit_no: int
    target_g: int
    limit_gross_g: int
    lease_ms: int

    def __post_init__(self) -> None:
        """Refuse an order no gate may see."""
        assert 1 <= self.permit_no <= 65_535, self  # noqa: PLR2004 - the width of register 0
        assert 0 < self.target_g <= self.limit_gross_g, self
        assert 0 < self.lease_ms <= 65_535, self  # noqa: PLR2004 - the width of register 6
