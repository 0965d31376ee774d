import random
from typing import Any

import pytest

from protocols.decode import decode
from protocols.framing import FrameError
from protocols.scales.yusheng import fields, new_framer, new_host_framer, seal
from protocols.scales.yusheng.layouts import HEAD, POINTS, REPORT
from tests.protocols.scales.golden import GOLDEN, hex_of
from tests.protocols.scales.streams import among_garbage, frames_of

FILL = bytes.fromhex(hex_of(next(v for v in GOLDEN if v["id"] == "yusheng-scale-fill")))
CODE = seal(HEAD + bytes.fromhex("e033010703 0c") + b"370100123456".ljust(20, b"\0") + b"\x02\x01")
DONE = seal(HEAD + bytes.fromhex("ad33010703 ad02"))
POWERED = seal(HEAD + bytes.fromhex("af33010702 af02"))
PASSWORD = seal(HEAD + bytes.fromhex("ac33010702 ac0a") + b"12345678")
GARBAGE = bytes((0x00, 0xE0, 0xA4, 0x7F, 0x10))


def report(command: int, *, machine: bool, **changes: Any) -> bytes:
    found = REPORT.parse(FILL[:-2])
    values = {**found, "command": command, "following": 32 if machine else 30, **changes}
    values |= {"machine_no": 258 if machine else None, "qr": None}
    return seal(REPORT.build(values))


@pytest.mark.parametrize("command", range(0xA4, 0xA9))
@pytest.mark.parametrize("machine", [True, False])
def test_every_report_decodes_with_and_without_the_machine(command: int, *, machine: bool) -> None:
    found = fields(
        report(command, machine=machine, end_weight_raw=65_535, card=b"\x10\x32\x54\x76")
    )
    assert (found["command"], found["end_weight_raw"]) == (command, 65_535)
    assert found["card_digits"] == "01234567"
    assert found.get("machine_no") == (258 if machine else None)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (CODE, {"cmd": 0xE0, "qr": "370100123456", "machine_no": 258, "address": 3}),
        (DONE, {"cmd": 0xAD, "command": 0xAD, "command_name": "acknowledgement received"}),
        (POWERED, {"cmd": 0xAF, "command_name": "powered up"}),
        (PASSWORD, {"cmd": 0xAC, "command_name": "password for unsupervised use"}),
        (seal(bytes((3, 0xC2, 0x55))), {"decision": "fill stopped, scale locked (0x55)"}),
        (seal(bytes((3, 0xC2, 0x01))), {"decision": "cylinder overdue (0x01)"}),
        (seal(bytes((3, 0xC2, 0x02))), {"decision": "not permitted by the platform (0x02)"}),
        (seal(bytes((3, 0xC2, 0x77))), {"decision": "0x77"}),
        (seal(bytes((3, 0xCA))), {"address": 3, "cmd": 0xCA, "command_name": "send again"}),
        (seal(bytes((3, 0xCC, 4, 0xA4, 9))), {"cmd": 204, "command": 164, "frame_id": 9}),
        (
            seal(bytes((3, 0xCC, 4, 0xA4, 9, 0xA5, 0x05))),
            {"cmd": 204, "command": 164, "frame_id": 9, "net_raw": 1445},
        ),
        (seal(bytes((3, 0xCE, 0xAA))), {"command_name": "unsupervised use", "value": "0xAA"}),
    ],
)
def test_the_other_frames_decode(raw: bytes, expected: dict[str, Any]) -> None:
    found = decode(raw.hex(), frame="yusheng")
    assert found.valid, found.error
    assert expected.items() <= found.fields.items()
    assert "12345678" not in str(found.fields), "a password is not shown"


def test_the_points_of_a_gas_alarm_decode() -> None:
    values = {"header": HEAD, "province": 51, "city": 1, "station": 7, "address": 3, "points": 16}
    raw = seal(POINTS.build({**values, "data": list(range(16)), "machine_no": 5}))
    assert fields(raw)["data"] == list(range(16))
    assert fields(raw)["points"] == 16


def test_a_clock_that_was_never_set_is_no_time() -> None:
    for time in (bytes(6), b"\x23\x13\x01\x00\x00\x00", b"\xff" * 6):
        assert fields(report(0xA4, machine=True, time=time))["time"] is None


def test_frames_among_garbage_all_come_out() -> None:
    frames = [FILL, CODE, DONE, POWERED, report(0xA8, machine=True), PASSWORD]
    for seed in range(40):
        rng = random.Random(seed)
        stream = among_garbage(frames, rng, GARBAGE)
        assert frames_of(new_framer(), stream, rng) == frames


def test_a_simulated_scale_hears_the_host() -> None:
    told = [
        bytes((3, 0xCC, 4, 0xA4, 9)),
        bytes((3, 0xCC, 4, 0xA4, 9, 1, 2)),
        bytes((3, 0xC2, 0xAA)),
    ]
    frames = [seal(body) for body in (*told, bytes((3, 0xCA)))]
    assert frames_of(new_host_framer(), b"".join(frames), random.Random(1)) == frames


@pytest.mark.parametrize("following", [0, 1, 29, 31, 200])
def test_a_length_that_lies_is_refused(following: int) -> None:
    body = FILL[:9] + bytes((following,)) + FILL[10:-2]
    with pytest.raises(FrameError):
        fields(seal(body))
