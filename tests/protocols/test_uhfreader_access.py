"""Commands on the memory of a tag, and what readers answer to them."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.framing import FrameError
from protocols.readers.uhfreader import (
    Access,
    Dialect,
    build_answer,
    build_command,
    build_read,
    build_write,
    codes,
    decode_access,
    decode_command,
    fields,
)

EPC = bytes.fromhex("e280689400005005b2210861")
HOST, DEVICE = "host>device", "device>host"


@pytest.mark.parametrize(
    ("frame", "expected"),
    [
        (
            build_read(0, Access(EPC, 2, 0, 6)),
            {
                "direction": HOST,
                "cmd": "0x02",
                "epc": EPC.hex(),
                "bank": "TID",
                "word_addr": 0,
                "word_count": 6,
                "password": "00000000",
            },
        ),
        (build_read(0, Access(b"", 3, 1, 2)), {"direction": HOST, "epc": "", "bank": "user"}),
        (
            build_read(0, Access(EPC, 3, 0x123, 2, 0x01020304)),
            {"direction": HOST, "cmd": "0x15", "word_addr": 0x123, "password": "01020304"},
        ),
        (
            build_read(0, Access(b"", 3, 0, 1, mask=b"\x01\x00\x20\x08\xe2", by_mask=True)),
            {"direction": HOST, "mask": "01002008e2"},
        ),
        (
            build_write(0, Access(EPC, 3, 4, 2, 7, b"\x12\x34\x56\x78")),
            {
                "direction": HOST,
                "cmd": "0x03",
                "epc": EPC.hex(),
                "bank": "user",
                "word_addr": 4,
                "word_count": 2,
                "data": "12345678",
                "password": "00000007",
            },
        ),
        (
            build_write(0, Access(EPC, 3, 0x100, 1, 0, b"\x12\x34")),
            {"direction": HOST, "cmd": "0x16", "word_addr": 0x100, "data": "1234"},
        ),
        (
            build_command(0, codes.WRITE_EPC, b"\x02" + bytes(4) + EPC[:4]),
            {"direction": HOST, "epc": "e2806894", "password": "00000000"},
        ),
        (
            build_answer(0, codes.READ, 0, b"\x12\x34\x56\x78"),
            {"direction": DEVICE, "status": 0, "word_count": 2, "data": "12345678"},
        ),
        (
            build_answer(0, codes.EXTENDED_READ, 0, b"\x12\x34"),
            {"direction": DEVICE, "data": "1234"},
        ),
        (
            build_answer(0, codes.READ, codes.TAG_ERROR, b"\x04"),
            {"status": 0xFC, "tag_error": "0x04 memory locked"},
        ),
        (build_answer(0, codes.READ, codes.TAG_ERROR, b"\x77"), {"tag_error": "0x77"}),
        (build_answer(0, codes.WRITE, 0), {"direction": DEVICE, "status_name": "ok"}),
        (build_answer(0, codes.WRITE, 5), {"status_name": "wrong access password"}),
        (
            build_answer(0, codes.INVENTORY, codes.STATISTICS, bytes.fromhex("04000900000100")),
            {"antenna": 3, "reads_per_s": 9, "total": 256},
        ),
        (build_command(0, codes.WRITE, b"\x01\x02\x03"), {"direction": HOST, "data": "010203"}),
    ],
)
def test_access_frames_say_what_they_do(frame: bytes, expected: dict[str, Any]) -> None:
    dialects: tuple[Dialect, ...] = ("288",) if "antenna" in expected else ("18", "288")
    for dialect in dialects:
        found = fields(frame, dialect)
        assert expected.items() <= found.items()
        json.dumps(found)


ACCESSES = st.builds(
    Access,
    st.integers(0, 15).flatmap(lambda words: st.binary(min_size=2 * words, max_size=2 * words)),
    st.integers(0, 3),
    st.integers(0, 0xFFFF),
    st.integers(1, 32),
    st.integers(0, 0xFFFF_FFFF),
)


@given(ACCESSES, st.data())
def test_accesses_survive_a_round_trip(access: Access, data: st.DataObject) -> None:
    command = decode_command(build_read(0, access))
    assert decode_access(command.code, command.data) == access
    words = data.draw(st.binary(min_size=2 * access.count, max_size=2 * access.count))
    write = Access(access.epc, access.bank, access.start, access.count, access.password, words)
    command = decode_command(build_write(0, write))
    assert decode_access(command.code, command.data) == write


def test_a_cut_access_is_refused() -> None:
    for built in (
        build_read(0, Access(EPC, 2, 0, 6)),
        build_write(0, Access(EPC, 3, 0, 1, 0, b"ab")),
    ):
        command = decode_command(built)
        for size in range(len(command.data)):
            with pytest.raises(FrameError):
                decode_access(command.code, command.data[:size])
