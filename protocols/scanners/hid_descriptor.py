"""Walk a HID report descriptor: which usage lies at which bit of which input report.

Device Class Definition for HID 1.11, §6.2.2 (short and long items, global and local state); usages
by the HID Usage Tables. Makers order and size their reports differently, so the device's own
descriptor is asked. Checked on two published descriptors (tests/golden/readers.json).
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from protocols.framing import FrameError

DESCRIPTOR_BYTES_MAX = 4096
"""What Linux takes (HID_MAX_DESCRIPTOR_SIZE)."""
REPORT_BITS_MAX = 8 * 4096
"""No input report is longer."""
USAGES_MAX = 1024
"""Usages one field may name."""
PUSHED_MAX = 16
"""Depth of the stack of global items."""

ID_BITS = 8
"""A numbered report begins with its id."""

_LONG_ITEM = 0xFE
_CONSTANT, _VARIABLE = 0x01, 0x02
_SIZES = (0, 1, 2, 4)
_OWN_PAGE = 0xFFFF

_USAGE_PAGE, _REPORT_SIZE, _REPORT_ID, _REPORT_COUNT = 0x04, 0x74, 0x84, 0x94
_PUSH, _POP = 0xA4, 0xB4
_USAGE, _USAGE_MIN, _USAGE_MAX = 0x08, 0x18, 0x28
_INPUT, _OUTPUT, _FEATURE, _COLLECTION, _END = 0x80, 0x90, 0xB0, 0xA0, 0xC0
_APPLICATION = 0x01


@dataclass(frozen=True, slots=True)
class Placed:
    """A run of bits of one usage (page << 16 | id) in input report `report_id` (0: unnumbered).

    `bit` counts from the first byte as read, the report id included.
    """

    report_id: int
    usage: int
    bit: int
    bits: int


@dataclass(frozen=True, slots=True)
class Descriptor:
    """What the device is (usages of its application collections) and where its inputs lie."""

    applications: tuple[int, ...]
    inputs: tuple[Placed, ...]
    report_bits: tuple[tuple[int, int], ...]
    """Length of each input report by its id, the id byte included."""


@dataclass(slots=True)
class _State:
    """What global and local items have set so far."""

    page: int = 0
    size: int = 0
    count: int = 0
    report_id: int = 0
    usages: list[int] = field(default_factory=list)
    minimum: int | None = None
    pushed: list[tuple[int, int, int, int]] = field(default_factory=list)
    depth: int = 0
    applications: list[int] = field(default_factory=list)
    inputs: list[Placed] = field(default_factory=list)
    ends: dict[int, int] = field(default_factory=dict)


def parse_descriptor(raw: bytes) -> Descriptor:
    """Walk the whole descriptor; raises FrameError when it is cut off, unbalanced or too large."""
    if not raw or len(raw) > DESCRIPTOR_BYTES_MAX:
        raise FrameError(f"a report descriptor of {len(raw)} bytes; 1..{DESCRIPTOR_BYTES_MAX}")
    state = _State()
    for tag, value, size in _items(raw):
        _global(state, tag, value)
        _local(state, tag, value, size)
        _main(state, tag, value)
    if state.depth or not state.applications:
        raise FrameError("not a report descriptor: no whole application collection")
    return Descriptor(
        tuple(state.applications), tuple(state.inputs), tuple(sorted(state.ends.items()))
    )


def _items(raw: bytes) -> Iterator[tuple[int, int, int]]:
    """Tag and type, value and size of every short item; long items are passed over."""
    at = 0
    while at < len(raw):
        prefix = raw[at]
        if prefix == _LONG_ITEM:
            size = 2 + (raw[at + 1] if at + 1 < len(raw) else 0)
        else:
            size = _SIZES[prefix & 3]
        value = raw[at + 1 : at + 1 + size]
        if len(value) < size:
            raise FrameError(f"not a report descriptor: cut off in the item at byte {at}")
        if prefix != _LONG_ITEM:
            yield prefix & 0xFC, int.from_bytes(value, "little"), size
        at += 1 + size


def _global(state: _State, tag: int, value: int) -> None:
    if tag == _USAGE_PAGE:
        state.page = value
    elif tag == _REPORT_SIZE:
        state.size = value
    elif tag == _REPORT_COUNT:
        state.count = value
    elif tag == _REPORT_ID:
        if not 0 < value <= 0xFF:  # noqa: PLR2004 - one byte, 0 is reserved
            raise FrameError(f"report id {value}; expected 1..255")
        state.report_id = value
    elif tag == _PUSH:
        if len(state.pushed) >= PUSHED_MAX:
            raise FrameError(f"more than {PUSHED_MAX} pushes in a report descriptor")
        state.pushed.append((state.page, state.size, state.count, state.report_id))
    elif tag == _POP:
        if not state.pushed:
            raise FrameError("a pop without a push in a report descriptor")
        state.page, state.size, state.count, state.report_id = state.pushed.pop()


def _local(state: _State, tag: int, value: int, size: int) -> None:
    if tag not in {_USAGE, _USAGE_MIN, _USAGE_MAX}:
        return
    own_page = size == _SIZES[-1] and value > _OWN_PAGE
    usage = value if own_page else state.page << 16 | value
    if tag == _USAGE_MIN:
        state.minimum = usage
        return
    first = usage
    if tag == _USAGE_MAX and state.minimum is not None:
        first, state.minimum = state.minimum, None
    if len(state.usages) + usage + 1 - first > USAGES_MAX:
        raise FrameError(f"more than {USAGES_MAX} usages in one field")
    state.usages += range(first, usage + 1)


def _main(state: _State, tag: int, value: int) -> None:
    if tag not in {_INPUT, _OUTPUT, _FEATURE, _COLLECTION, _END}:
        return
    if tag == _COLLECTION:
        if value == _APPLICATION and state.usages:
            state.applications.append(state.usages[0])
        state.depth += 1
    elif tag == _END:
        if not state.depth:
            raise FrameError("a collection ends that never began")
        state.depth -= 1
    elif tag == _INPUT:
        _place(state, value)
    state.usages.clear()
    state.minimum = None


def _place(state: _State, flags: int) -> None:
    """Lay one Input item behind what its report has so far."""
    start = state.ends.get(state.report_id, ID_BITS if state.report_id else 0)
    end = start + state.size * state.count
    if end > REPORT_BITS_MAX:
        raise FrameError(f"an input report of more than {REPORT_BITS_MAX} bits")
    state.ends[state.report_id] = end
    if flags & _CONSTANT or not state.usages or start == end:
        return
    if not flags & _VARIABLE:  # An array tells which of its usages are on.
        state.inputs.append(Placed(state.report_id, state.usages[0], start, end - start))
        return
    # Each of `count` fields takes its own usage; the last named usage holds for all the rest.
    for number, usage in enumerate(state.usages[: state.count]):
        rest = number == len(state.usages) - 1
        bits = end - start if rest else state.size
        state.inputs.append(Placed(state.report_id, usage, start, bits))
        start += bits
