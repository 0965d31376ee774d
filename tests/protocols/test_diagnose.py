"""`protocols.diagnose`: what a wire looks like that is not what was expected, and silence when unsure."""

import json
import random
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.decode import FORMATS, PROOF_BITS_MIN
from protocols.diagnose import BAUDS, GARBAGE_BYTES_MIN, LIVE_BYTES_MAX, RAW_BYTES_MAX, diagnose
from protocols.readers.uhfreader import build_command

TAG = bytes.fromhex("1500010301010ce280689400005005b22108614d2f50")
INFO = build_command(0, 0x21, b"")
LINES = b"0110100001\r\n3701000110100001\r\n"
GOLDEN = json.loads(
    (Path(__file__).parents[1] / "golden" / "readers.json").read_text(encoding="utf-8")
)


def is_one_frame(vector: dict[str, Any]) -> bool:
    """A whole reply whose checksum proves it; some vectors are payloads or have none."""
    row = FORMATS.get(vector["protocol"])
    if row is None or row.framer is None or row.proof_bits < PROOF_BITS_MIN:
        return False
    raw = bytes.fromhex(vector.get("hex") or "")
    frames = b"".join(piece for piece in row.framer().feed(raw) if isinstance(piece, bytes))
    return bool(raw) and frames == raw and vector["valid"] and vector["direction"] == "device>host"


FRAMES = [vector for vector in GOLDEN if is_one_frame(vector)]


@pytest.mark.parametrize("vector", FRAMES, ids=lambda v: f"{v['protocol']}-{v['name']}")
def test_published_frames_name_their_protocol_where_text_was_expected(
    vector: dict[str, Any],
) -> None:
    found = diagnose(bytes.fromhex(vector["hex"]) * 3, "scanner_serial")
    assert found is not None
    assert found.kind == "other_format"
    assert vector["protocol"] in found.formats


@pytest.mark.parametrize("vector", FRAMES, ids=lambda v: f"{v['protocol']}-{v['name']}")
def test_frames_as_expected_are_nothing_to_tell(vector: dict[str, Any]) -> None:
    assert diagnose(bytes.fromhex(vector["hex"]) * 3, vector["protocol"]) is None


def test_lines_of_text_where_frames_were_expected() -> None:
    found = diagnose(LINES, "uhfreader288")
    assert found is not None
    assert (found.kind, found.formats) == ("other_format", ("scanner_serial",))


def test_where_nothing_is_expected_only_proof_is_told() -> None:
    for raw, format_ in ((LINES, "scanner_serial"), (TAG * 3, "uhfreader288")):
        found = diagnose(raw, "")
        assert found is not None
        assert format_ in found.formats
    assert diagnose(b"0110100001", "") is None
    assert diagnose(b"\x80\xf8" * 40, "") is None


OTHERS = {v["protocol"]: v for v in FRAMES if not v["protocol"].startswith("uhfreader")}


@pytest.mark.parametrize("protocol", sorted(OTHERS))
def test_two_protocols_on_one_cable_are_told_with_both_names(protocol: str) -> None:
    found = diagnose((TAG + bytes.fromhex(OTHERS[protocol]["hex"])) * 3, "uhfreader288")
    assert found is not None
    assert found.kind == "mixed_formats"
    assert {"uhfreader288", protocol} <= set(found.formats)


def test_bits_read_at_a_wrong_speed_are_suspected_with_speeds_to_try() -> None:
    rng = random.Random(1)
    raw = bytes(rng.choice((0x00, 0x80, 0xF8, 0xE0, 0xFF, 0xFE)) for _ in range(60))
    for expected in ("uhfreader288", "scanner_serial"):
        found = diagnose(raw, expected)
        assert found is not None
        assert (found.kind, found.bauds) == ("wrong_baud", BAUDS)
    assert diagnose(raw[: GARBAGE_BYTES_MIN - 1], "uhfreader288") is None


@pytest.mark.parametrize("byte", [0x00, 0xFF])
def test_a_line_that_is_held_is_no_speed(byte: int) -> None:
    assert diagnose(bytes((byte,)) * 100, "uhfreader288") is None


def test_replies_whose_length_lies_are_known_by_the_question_they_repeat() -> None:
    lying = bytes((TAG[0] + 2,)) + TAG[1:]
    found = diagnose(lying * 4, "uhfreader288", build_command(0, 0x01, b"\x04\x00"))
    assert found is not None
    assert (found.kind, found.formats) == ("lying_length", ("uhfreader288",))
    assert diagnose(lying, "uhfreader288", build_command(0, 0x01, b"\x04\x00")) is None


def test_a_code_that_never_ends_is_told() -> None:
    found = diagnose(b"0110100001" * 200, "scanner_serial")
    assert found is not None
    assert found.kind == "no_terminator"
    assert diagnose(LINES, "scanner_serial") is None


def test_our_own_command_come_back_is_an_echo() -> None:
    found = diagnose(INFO * 3, "uhfreader288", INFO)
    assert found is not None
    assert (found.kind, found.example) == ("echo", INFO)
    assert diagnose(INFO + TAG * 2, "uhfreader288", INFO) is None, "the reader answers all the same"


def test_nothing_heard_is_nothing_to_tell() -> None:
    assert diagnose(b"", "uhfreader288", INFO) is None


def test_one_chance_frame_among_many_bytes_proves_nothing() -> None:
    rng = random.Random(2)
    assert diagnose(rng.randbytes(400) + TAG + rng.randbytes(400), "scanner_serial") is None


def test_random_bytes_are_never_named() -> None:
    rng = random.Random(3)
    for expected in FORMATS:
        for _ in range(6):
            assert diagnose(rng.randbytes(rng.randrange(600)), expected, INFO) is None


def test_of_a_long_noise_only_the_newest_is_looked_at() -> None:
    assert diagnose(TAG * 3 + bytes(RAW_BYTES_MAX), "scanner_serial") is None


LIVE_S_MAX = 0.010
"""Gates are renewed on the same thread every few hundred milliseconds."""


@pytest.mark.parametrize(
    "raw",
    [random.Random(1).randbytes(LIVE_BYTES_MAX), bytes(LIVE_BYTES_MAX), b"\xbb\x02" * 256],
    ids=["random", "zeros", "heads"],
)
def test_a_running_daemon_is_held_up_for_less_than_ten_milliseconds(raw: bytes) -> None:
    assert len(raw) == LIVE_BYTES_MAX
    took_s = []
    for _ in range(10):
        began_s = time.thread_time()
        diagnose(raw, "uhfreader288", INFO)
        took_s.append(time.thread_time() - began_s)
    assert min(took_s) < LIVE_S_MAX, took_s


WARM = """
import sys
from protocols.diagnose import diagnose, warm_up
warm_up()
before = set(sys.modules)
diagnose(bytes(range(256)), "r2000_a0")
late = sorted(name for name in set(sys.modules) - before if name.startswith("protocols."))
assert not late, late
heavy = sorted(name for name in sys.modules if name.partition(".")[0] == "llrpkit")
assert not heavy, heavy
"""


def test_after_the_warm_up_a_diagnosis_imports_no_codec_nor_what_only_reading_needs() -> None:
    subprocess.run([sys.executable, "-c", WARM], check=True, timeout=60)


@given(st.binary(max_size=400), st.sampled_from([*FORMATS, "unheard-of"]), st.binary(max_size=12))
def test_any_bytes_get_an_answer(raw: bytes, expected: str, sent: bytes) -> None:
    found = diagnose(raw, expected, sent)
    assert found is None or expected not in found.formats or found.kind != "other_format"
