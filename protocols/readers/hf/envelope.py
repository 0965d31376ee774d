"""The envelopes of HF readers as data: where the length is, what proves the frame, what surrounds it.

One framer, one `seal` and one `unseal` serve all of them; a family is a row, not a class.
"""

from collections.abc import Callable
from dataclasses import dataclass

from protocols.framing import UNDECIDED, FrameError, Framer, shown


@dataclass(frozen=True, slots=True)
class Envelope:
    """How a family wraps its payloads.

    `heads` are the first bytes a frame may have, empty where that byte is the length. `size` is
    the length of the whole frame by its first `size_bytes` bytes. `head` builds what comes before
    a payload of so many bytes for an address. The checksum covers everything from `sum_from` up to
    itself; `trailer` follows it.
    """

    name: str
    framing: str
    heads: frozenset[int]
    size: Callable[[bytes], int]
    size_bytes: int
    head: Callable[[int, int], bytes]
    head_bytes: int
    address: Callable[[bytes], int]
    checksum: Callable[[bytes], bytes]
    sum_bytes: int
    bytes_min: int
    bytes_max: int
    sum_from: int = 0
    trailer: bytes = b""

    @property
    def overhead_bytes(self) -> int:
        """Everything of a frame that is not payload."""
        return self.head_bytes + self.sum_bytes + len(self.trailer)


@dataclass(frozen=True, slots=True)
class Sealed:
    """A proven frame before anyone asked what it says."""

    envelope: Envelope
    head: int
    address: int
    payload: bytes


def new_framer(*envelopes: Envelope) -> Framer:
    """A framer for one stream of any of these envelopes; the first that proves a frame has it."""
    starting = [tuple(e for e in envelopes if not e.heads or b in e.heads) for b in range(256)]

    def measure_any(window: bytes) -> int:
        waiting, refused = False, None
        for envelope in starting[window[0]]:
            try:
                size = measure(envelope, window)
            except FrameError as exc:
                refused = exc
                continue
            if size != UNDECIDED:
                return size
            waiting = True
        if not waiting:
            raise FrameError(str(refused or f"no frame starts with {window[0]:02x}"))
        return UNDECIDED

    return Framer(measure_any, frame_bytes_max=max(e.bytes_max for e in envelopes))


def measure(envelope: Envelope, window: bytes) -> int:
    """Length of the proven frame at the start, UNDECIDED, or FrameError where none starts."""
    if envelope.heads and window[0] not in envelope.heads:
        raise FrameError(f"no frame starts with {window[0]:02x}")
    if len(window) < envelope.size_bytes:
        return UNDECIDED
    size = envelope.size(window)
    if not envelope.bytes_min <= size <= envelope.bytes_max:
        raise FrameError(f"length {size} is none of {envelope.framing}")
    if len(window) < size:
        return UNDECIDED
    _prove(envelope, window[:size])
    return size


def unseal(envelope: Envelope, frame: bytes) -> Sealed:
    """Open exactly one frame; raises FrameError on a wrong head, length, checksum or trailer."""
    if not frame:
        raise FrameError("no bytes")
    size = measure(envelope, frame)
    if size == UNDECIDED:
        raise FrameError(f"{len(frame)} bytes, more are announced: {shown(frame)}")
    if size != len(frame):
        raise FrameError(f"{size} bytes announced, {len(frame)} present: {shown(frame)}")
    end = len(frame) - envelope.sum_bytes - len(envelope.trailer)
    payload = frame[envelope.head_bytes : end]
    return Sealed(envelope, frame[0], envelope.address(frame), payload)


def seal(envelope: Envelope, payload: bytes, address: int = 0, *, head: int | None = None) -> bytes:
    """Wrap a payload; `head` replaces the first byte (the error replies of one family)."""
    body = envelope.head(len(payload), address) + payload
    if head is not None:
        body = bytes((head,)) + body[1:]
    assert envelope.bytes_min <= len(payload) + envelope.overhead_bytes <= envelope.bytes_max
    return body + envelope.checksum(body[envelope.sum_from :]) + envelope.trailer


def _prove(envelope: Envelope, frame: bytes) -> None:
    if not frame.endswith(envelope.trailer):
        raise FrameError(f"wrong end {frame[-1:].hex()}, expected {envelope.trailer.hex()}")
    end = len(frame) - len(envelope.trailer)
    body, told = frame[: end - envelope.sum_bytes], frame[end - envelope.sum_bytes : end]
    good = envelope.checksum(body[envelope.sum_from :])
    if told != good:
        raise FrameError(f"wrong checksum {told.hex()}, expected {good.hex()}")
