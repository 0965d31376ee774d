"""HF readers and ISO 15693 air frames as the format `iso15693_serial` of `gatewayd decode`."""

from collections.abc import Iterator

from protocols.formats import Fields, Format, Part, unhex
from protocols.framing import FrameError, Framer, Noise, shown
from protocols.readers.hf import FAMILIES, Family, air
from protocols.readers.hf.envelope import Envelope, new_framer, unseal

_FAMILIES: tuple[Family, ...] = tuple(
    FAMILIES[name] for name in ("feig", "uhfreader_hf", "ti_s6350", "aa_bb", "idtronic")
)
"""The longest proof first."""
_ENVELOPES: dict[Envelope, Family] = {
    envelope: family for family in _FAMILIES for envelope in family.envelopes
}


def any_framer() -> Framer:
    """A framer for the families that are not UHFReader's envelope: `uhfreader18` has that."""
    uhf = FAMILIES["uhfreader_hf"].envelopes
    return new_framer(*(envelope for envelope in _ENVELOPES if envelope not in uhf))


def fields(data: bytes) -> Fields:
    """What one frame, one air frame, or several frames back to back say; raises FrameError."""
    proven, reason = _proving(data)
    if proven is not None:
        return _of(proven, data)
    if air.is_proven(data):
        return air.fields(data)
    return _stream(data, reason)


def _proving(data: bytes) -> tuple[Envelope | None, str]:
    """The envelope that proves one frame; else why the one it starts like does not.

    A start byte tells more than a length byte that happens to fit.
    """
    reasons = {True: "", False: ""}
    for envelope in _ENVELOPES:
        try:
            unseal(envelope, data)
        except FrameError as exc:
            marked = bool(envelope.heads)
            fits = data[:1] and (data[0] in envelope.heads if marked else data[0] == len(data))
            if fits:
                reasons[marked] = reasons[marked] or str(exc)
        else:
            return envelope, ""
    return None, reasons[True] or reasons[False] or _no_air(data)


def _no_air(data: bytes) -> str:
    """Why these bytes are no air frame either."""
    try:
        air.unseal(data)
    except FrameError as exc:
        return f"{exc} of an ISO 15693 air frame" if data else "no bytes"
    return ""


def _of(envelope: Envelope, frame: bytes) -> Fields:
    """One proven frame of one envelope."""
    family, sealed = _ENVELOPES[envelope], unseal(envelope, frame)
    way = family.way(sealed)
    return {"family": family.name, "direction": way, **family.fields(sealed, way)}


def _stream(data: bytes, reason: str) -> Fields:
    """Several frames back to back, of whatever families."""
    framer = new_framer(*_ENVELOPES)
    frames = []
    for piece in [*framer.feed(data), *framer.idle()]:
        if isinstance(piece, Noise):
            raise FrameError(reason or f"{piece.reason}: {shown(piece.raw)}")
        frames.append(piece)
    if not frames:
        raise FrameError(reason or "no bytes")
    return {"frames": [fields(frame) for frame in frames]}


def _parts(data: str, found: Fields) -> Iterator[Part]:
    raw = unhex(data)
    if "frames" in found:
        yield Part(raw.hex(" "), f"{len(found['frames'])} frames back to back")
        return
    if "family" not in found:
        yield Part(raw[:1].hex(), f"flags: {found['flags']}")
        yield Part(raw[1:-2].hex(" "), "command and data, or data")
        yield Part(raw[-2:].hex(" "), "CRC-16/X-25, low byte first: correct")
        return
    sealed, _ = _proving(raw)
    assert sealed is not None, found
    end = len(raw) - sealed.sum_bytes - len(sealed.trailer)
    yield Part(raw[: sealed.head_bytes].hex(" "), f"head, length, address of {sealed.framing}")
    yield Part(raw[sealed.head_bytes : end].hex(" "), "command or status, and data")
    yield Part(raw[end : end + sealed.sum_bytes].hex(" "), "checksum: correct")
    if sealed.trailer:
        yield Part(sealed.trailer.hex(), "end of frame")


ISO15693_SERIAL = Format(
    name="iso15693_serial",
    kind="frame",
    read=lambda data: fields(unhex(data)),
    summary="HF reader frame (iDTRONIC 50, FEIG OBID, TI S6350, AA..BB, RR9) or ISO 15693 air frame",
    summary_zh="高频读写器帧（iDTRONIC 50、FEIG OBID、TI S6350、AA..BB、RR9）或 ISO 15693 空口帧",
    parts=_parts,
    framer=any_framer,
    proof_bits=8,
    caveats=(
        "FEIG and RR9 layouts rest on manuals, not on captures",
        "an RR9 frame has the envelope of uhfreader18: name the format to have it read as HF",
    ),
)
