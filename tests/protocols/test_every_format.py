"""What every framed protocol promises, for all published frames of each; a new format joins by itself."""

import json
import random
from pathlib import Path

import pytest

from protocols.decode import FORMATS, decode
from protocols.formats import Format
from protocols.framing import Framer, Piece

GOLDEN = json.loads((Path(__file__).parents[1] / "golden/readers.json").read_text("utf-8"))
CERTAIN_BITS = 16
SEEDS = 40
GARBAGE_BYTES_MAX = 12


def frames_of(name: str) -> list[bytes]:
    """The published valid frames that one framer takes whole."""
    row = FORMATS[name]
    assert row.framer is not None
    raws = (
        bytes.fromhex(vector["hex"])
        for vector in GOLDEN
        if vector["protocol"] == name and vector["valid"] and "hex" in vector
    )
    return [raw for raw in raws if cut(row.framer(), raw) == [raw]]


def cut(framer: Framer, data: bytes) -> list[Piece]:
    return [*framer.feed(data), *framer.idle()]


FRAMED: list[Format] = [
    row
    for row in FORMATS.values()
    if row.framer is not None and row.kind == "frame" and frames_of(row.name)
]


def test_every_reader_that_proves_frames_has_published_ones() -> None:
    spoken = {vector["protocol"] for vector in GOLDEN}
    framed = {row.name for row in FRAMED}
    assert {name for name, row in FORMATS.items() if row.framer and name in spoken} == framed
    assert len(framed) >= 11


@pytest.mark.parametrize("row", FRAMED, ids=lambda row: row.name)
def test_all_frames_come_out_of_garbage_wherever_the_stream_is_cut(row: Format) -> None:
    frames = frames_of(row.name)
    assert row.framer is not None
    for seed in range(SEEDS):
        rng = random.Random(seed)
        sent = rng.choices(frames, k=8)
        stream = b"".join(rng.randbytes(rng.randrange(GARBAGE_BYTES_MAX)) + raw for raw in sent)
        framer = row.framer()
        pieces: list[Piece] = []
        at = 0
        while at < len(stream):
            size = rng.randint(1, 40)
            pieces += framer.feed(stream[at : at + size])
            at += size
        pieces += framer.idle()
        whole = [piece for piece in pieces if isinstance(piece, bytes)]
        found = iter(whole)
        assert all(any(raw == piece for piece in found) for raw in sent), f"seed {seed}"
        fed = b"".join(piece if isinstance(piece, bytes) else piece.raw for piece in pieces)
        assert fed == stream, f"seed {seed}: bytes were lost or doubled"


@pytest.mark.parametrize("row", FRAMED, ids=lambda row: row.name)
def test_one_flipped_bit_is_never_the_frame_it_was(row: Format) -> None:
    assert row.framer is not None
    for raw in frames_of(row.name):
        for bit in range(8 * len(raw)):
            broken = bytearray(raw)
            broken[bit // 8] ^= 1 << bit % 8
            whole = [p for p in cut(row.framer(), bytes(broken)) if isinstance(p, bytes)]
            if row.proof_bits >= CERTAIN_BITS and row.name != "llrp":
                assert whole == [], f"{raw.hex()} with bit {bit} flipped"
            assert raw not in whole


@pytest.mark.parametrize(
    "vector",
    [vector for vector in GOLDEN if vector["valid"] is False],
    ids=lambda vector: f"{vector['protocol']}-{vector['name']}",
)
def test_every_published_broken_frame_is_refused_with_a_reason(vector: dict[str, str]) -> None:
    found = decode(vector.get("hex") or vector["text"], frame=vector["protocol"])
    assert not found.valid
    assert found.error
