"""A scale of another kind is told by its stream, whatever it was taken for."""

import random
from decimal import Decimal

import pytest

from protocols.scales import mt_sics, toledo
from protocols.scales.recognise import FRAMES_MIN, Kind, recognise
from protocols.scales.yaohua import a12e, command, continuous

VALUE = Decimal("14.50")
FRAME = toledo.Frame(0x2C, 0x30, 0x20, "  1450", "     0")
STREAMS = {
    Kind("scale.yaohua", "variant: command"): command.build_weighed("A", "B", VALUE, "command"),
    Kind("scale.yaohua", "variant: keli"): command.build_weighed("A", "B", VALUE, "keli"),
    Kind("scale.yaohua", "variant: continuous_0"): continuous.build_0(VALUE),
    Kind("scale.yaohua", "variant: continuous_1"): continuous.build_plain(VALUE, "continuous_1"),
    Kind("scale.yaohua", "variant: continuous_2"): continuous.build_plain(VALUE, "continuous_2"),
    Kind("scale.yaohua", "variant: a12e"): a12e.build(VALUE),
    Kind("scale.toledo", "checksum: false"): toledo.build(FRAME),
    Kind("scale.toledo", "checksum: true"): toledo.build(
        toledo.Frame(0x2C, 0x30, 0x20, "  1450", "     0", checked=True)
    ),
    Kind("scale.mt_sics"): mt_sics.build(mt_sics.Line("answer", "S", "S", VALUE, "kg")),
}


@pytest.mark.parametrize("kind", STREAMS, ids=str)
def test_every_kind_is_known_by_its_stream(kind: Kind) -> None:
    frame = STREAMS[kind]
    assert recognise(frame * FRAMES_MIN) == kind
    assert recognise(frame[3:] + frame * 6 + frame[:5]) == kind
    assert recognise(frame * (FRAMES_MIN - 1)) is None


def test_anything_else_is_not_named() -> None:
    rng = random.Random(1)
    assert recognise(b"") is None
    for _ in range(50):
        assert recognise(rng.randbytes(rng.randrange(400))) is None
    assert recognise(b"0110100001\r\n" * 20) is None
    assert recognise(STREAMS[Kind("scale.mt_sics")] * 3 + rng.randbytes(200)) is None
